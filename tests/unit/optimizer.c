/* Optimisers against their papers' formulas, written plainly and in double, and against what can be said in closed form. */
#define LAM_WIDTH 64
#include "train/optimizer.h"
#include <setjmp.h>
#include <stdarg.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { N = 7, STEPS = 40 };

/* The float build, which this file's width hides. */
double lam_gradient_norm_f32(const float *gradient, size_t n);
void lam_gradient_clip_f32(float *gradient, size_t n, double norm, double most);
void lam_update_apply_f32(const lam_update *update, size_t n, const float *gradient, float *first, float *second, float *params);

static double gradient_at(int step, int i)
{
    return i == 3 ? 0 : cos(0.3 * step * (i + 1)) * pow(10, i - 4);
}

static double parameter_at(int i)
{
    return 0.5 * i - 1.2;
}

/* Algorithms 1 and 2 of Kingma and Ba and algorithm 2 of Loshchilov and Hutter, with bias-corrected moments spelled out. */
static double reference(lam_optimizer kind, double lr, double decay, int i, int steps)
{
    double p = parameter_at(i), m = 0, v = 0;
    for (int t = 1; t <= steps; t++) {
        double g = gradient_at(t, i);
        if (kind == LAM_ADAMW)
            p -= lr * decay * p;
        else
            g += decay * p;
        m = 0.9 * m + 0.1 * g;
        double m_hat = m / (1 - pow(0.9, t));
        if (kind == LAM_ADAMAX) {
            v = fmax(0.999 * v, fabs(g) + 1e-8);
            p -= lr * m_hat / v;
        } else {
            v = 0.999 * v + 0.001 * g * g;
            p -= lr * m_hat / (sqrt(v / (1 - pow(0.999, t))) + 1e-8);
        }
    }
    return p;
}

static void follow_the_papers(void **state)
{
    (void)state;
    const lam_optimizer kinds[] = { LAM_ADAM, LAM_ADAMW, LAM_ADAMAX };
    for (size_t k = 0; k < 3; k++)
        for (double decay = 0; decay < 0.2; decay += 0.1) {
            double p[N], first[N] = { 0 }, second[N] = { 0 }, g[N];
            float pf[N], firstf[N] = { 0 }, secondf[N] = { 0 }, gf[N];
            for (int i = 0; i < N; i++)
                pf[i] = (float)(p[i] = parameter_at(i));
            for (int t = 1; t <= STEPS; t++) {
                for (int i = 0; i < N; i++)
                    gf[i] = (float)(g[i] = gradient_at(t, i));
                lam_update update = { kinds[k], 0.01, decay, (uint64_t)t };
                lam_update_apply_f64(&update, N, g, first, second, p);
                lam_update_apply_f32(&update, N, gf, firstf, secondf, pf);
            }
            for (int i = 0; i < N; i++) {
                double want = reference(kinds[k], 0.01, decay, i, STEPS);
                /* 40 updates of size 0.01: a few roundings each in double; in float, each of relative 1e-7 */
                assert_true(fabs(p[i] - want) < 1e-14);
                assert_true(fabs((double)pf[i] - want) < 4e-6);
            }
        }
}

/* Under a constant gradient the corrected moments are g and g^2 at every step, so each moves by lr g / (|g| + epsilon). */
static void constant_gradient(void **state)
{
    (void)state;
    const lam_optimizer kinds[] = { LAM_ADAM, LAM_ADAMW, LAM_ADAMAX };
    const double gradients[] = { 2.5, -1e-3, 1e-9 };
    for (size_t k = 0; k < 3; k++)
        for (size_t j = 0; j < 3; j++) {
            double p = 1, first = 0, second = 0, g = gradients[j];
            for (uint64_t t = 1; t <= 100; t++) {
                lam_update update = { kinds[k], 1e-3, 0, t };
                lam_update_apply_f64(&update, 1, &g, &first, &second, &p);
                assert_true(fabs(p - (1 - (double)t * 1e-3 * g / (fabs(g) + 1e-8))) < 1e-12); /* 1 - 0.999^t loses digits */
            }
        }
}

/* Without a gradient AdamW shrinks by 1 - lr * decay a step; coupled decay is a gradient of its own: a step of lr towards 0. */
static void decay(void **state)
{
    (void)state;
    double p = 2, q = 2, zero = 0, first[2] = { 0 }, second[2] = { 0 };
    for (uint64_t t = 1; t <= 50; t++) {
        lam_update decoupled = { LAM_ADAMW, 0.01, 0.5, t };
        lam_update_apply_f64(&decoupled, 1, &zero, first, second, &p);
    }
    assert_true(fabs(p - 2 * pow(1 - 0.005, 50)) < 1e-14);
    lam_update coupled = { LAM_ADAM, 0.01, 0.5, 1 };
    lam_update_apply_f64(&coupled, 1, &zero, first + 1, second + 1, &q);
    assert_true(fabs(q - (2 - 0.01 * 1 / (1 + 1e-8))) < 1e-15);
}

static void norm_and_clip(void **state)
{
    (void)state;
    double g[] = { 3, -4, 12 };
    float gf[] = { 3, -4, 12 };
    assert_true(lam_gradient_norm_f64(g, 3) == 13);
    assert_true(lam_gradient_norm_f32(gf, 3) == 13);
    lam_gradient_clip_f64(g, 3, 13, 0); /* off */
    lam_gradient_clip_f64(g, 3, 13, 13); /* not above */
    assert_true(g[0] == 3 && g[1] == -4 && g[2] == 12);
    lam_gradient_clip_f64(g, 3, 13, 6.5); /* halves are exact */
    lam_gradient_clip_f32(gf, 3, 13, 6.5);
    assert_true(g[0] == 1.5 && g[1] == -2 && g[2] == 6);
    assert_true(gf[0] == 1.5f && gf[1] == -2 && gf[2] == 6);
    /* float gradients whose squares overflow float: the sum is in double */
    float large[] = { 3e30f, 4e30f };
    assert_true(fabs(lam_gradient_norm_f32(large, 2) / 5e30 - 1) < 1e-7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follow_the_papers),
        cmocka_unit_test(constant_gradient),
        cmocka_unit_test(decay),
        cmocka_unit_test(norm_and_clip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
