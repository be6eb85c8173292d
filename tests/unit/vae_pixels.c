/* log p of pixels and its cotangents, the variance of q, and the kernels below them, every instruction set that runs here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/random.h"
#include "vae/pixels.h"

enum { PIXELS = 600, ROWS = 3, LEVELS = 37 };

static double draw(uint64_t stream, uint64_t i)
{
    return lam_random_uniform(11, LAM_DRAW_TEST, stream, i);
}

static lam_pool *pool_of(size_t threads)
{
    lam_pool *pool = NULL;
    assert_int_equal(lam_pool_create(threads, &pool), LAM_OK);
    return pool;
}

/* ---- kernels ------------------------------------------------------------------------------------------------------ */

/* Lengths with every tail; float's values within a few ulp of the C library in double, double's of long double. */
static void gates(void **state)
{
    enum { MOST = 67 };
    (void)state;
    for (int isa = 0; isa < LAM_ISA_COUNT; isa++) {
        const lam_act_f32 *a32 = lam_act_f32_for((lam_isa)isa);
        const lam_act_f64 *a64 = lam_act_f64_for((lam_isa)isa);
        if (a32 == NULL || !lam_isa_available((lam_isa)isa))
            continue;
        for (size_t n = 1; n <= MOST; n++) {
            float f[MOST], g[MOST], h[MOST], s[MOST], gf[MOST], gg[MOST], of_h[MOST];
            double fd[MOST], gd[MOST], hd[MOST], sd[MOST], gfd[MOST], ggd[MOST], of_hd[MOST];
            for (size_t i = 0; i < n; i++) {
                fd[i] = f[i] = (float)(4 * draw(n, 3 * i) - 2);
                gd[i] = g[i] = (float)(20 * draw(n, 3 * i + 1) - 10);
                of_hd[i] = of_h[i] = (float)(2 * draw(n, 3 * i + 2) - 1);
            }
            a32->gate(f, g, h, s, n);
            a32->gate_reverse(of_h, h, s, gf, gg, n);
            a64->gate(fd, gd, hd, sd, n);
            a64->gate_reverse(of_hd, hd, sd, gfd, ggd, n);
            for (size_t i = 0; i < n; i++) {
                double sigma = 1 / (1 + exp(-gd[i])), curve = of_hd[i] * fd[i] * sigma * (1 - sigma);
                assert_true(fabs(hd[i] - fd[i] * sigma) <= 1e-15 * fabs(hd[i]) && fabs(sd[i] - sigma) <= 1e-15 * sigma);
                assert_true(fabs(gfd[i] - of_hd[i] * sigma) <= 1e-15 && fabs(ggd[i] - curve) <= 2e-15); /* 1 - sigma cancels */
                assert_true(fabs((double)h[i] - fd[i] * sigma) <= 5e-7 * fabs(hd[i]) && fabs((double)s[i] - sigma) <= 5e-7 * sigma);
                assert_true(fabs((double)gf[i] - of_hd[i] * sigma) <= 5e-7 && fabs((double)gg[i] - curve) <= 1e-6);
            }
        }
    }
}

static void softmax(void **state)
{
    enum { MOST = 259 };
    (void)state;
    for (int isa = 0; isa < LAM_ISA_COUNT; isa++) {
        const lam_act_f32 *a32 = lam_act_f32_for((lam_isa)isa);
        const lam_act_f64 *a64 = lam_act_f64_for((lam_isa)isa);
        if (a32 == NULL || !lam_isa_available((lam_isa)isa))
            continue;
        for (size_t n = 1; n <= MOST; n += n < 36 ? 1 : 37) {
            float a[MOST], p[MOST];
            double ad[MOST], pd[MOST], sum = 0, most = -INFINITY;
            for (size_t i = 0; i < n; i++) {
                ad[i] = a[i] = (float)(40 * draw(n, i) - 20);
                most = fmax(most, ad[i]);
            }
            for (size_t i = 0; i < n; i++)
                sum += exp(ad[i] - most);
            double want = most + log(sum), got32 = a32->softmax(a, -3, p, n), got64 = a64->softmax(ad, -3, pd, n);
            /* sums of float terms: each within 3 ulp, at most n / lanes of them added in float */
            assert_true(fabs(got64 - want) <= 1e-14 * fmax(1, fabs(want)));
            assert_true(fabs(got32 - want) <= 2e-6 * fmax(1, fabs(want)));
            for (size_t i = 0; i < n; i++) {
                double probability = -3 * exp(ad[i] - want);
                assert_true(fabs(pd[i] - probability) <= 3e-14 * fabs(probability));
                assert_true(fabs((double)p[i] - probability) <= 3e-6 * fabs(probability));
            }
        }
        float broken[] = { 1, NAN, 2 };
        assert_true(isnan(a32->softmax(broken, 1, broken, 3)));
    }
}

/* ---- likelihoods -------------------------------------------------------------------------------------------------- */

static lam_pixel_rows_f64 pixels_of(lam_pool *pool, size_t rows, size_t pixels, size_t levels)
{
    return (lam_pixel_rows_f64) { .pool = pool, .act = lam_act_f64_for(LAM_SCALAR), .rows = rows, .pixels = pixels, .levels = levels };
}

static void closed_forms(void **state)
{
    lam_pool *pool = pool_of(1);
    double logits[2 * 4 * 4] = { 0 }, log_p[2], g[32];
    const uint8_t x[] = { 0, 1, 1, 0, 1, 1, 1, 1 };
    (void)state;
    /* even odds: 4 pixels of log 2 each, half a bit's slope */
    lam_pixel_rows_f64 p = pixels_of(pool, 2, 4, 2);
    lam_pixels_log_p_f64(&p, logits, x, log_p, 2, g);
    assert_true(fabs(log_p[0] + 4 * log(2)) < 1e-14 && fabs(log_p[1] + 4 * log(2)) < 1e-14);
    assert_true(fabs(lam_bits_per_dim(log_p[0], 4) - 1) < 1e-15);
    assert_true(g[0] == -1 && g[1] == 1);
    /* odds of 3 to 1 for ink: 3/4 where there is some, 1/4 else */
    for (int i = 0; i < 8; i++)
        logits[i] = log(3);
    lam_pixels_log_p_f64(&p, logits, x, log_p, 1, NULL);
    assert_true(fabs(log_p[0] - 2 * log(0.75) - 2 * log(0.25)) < 1e-14);
    assert_true(fabs(log_p[1] - 4 * log(0.75)) < 1e-14);
    /* four levels, one with e^1 times the weight of the others */
    memset(logits, 0, sizeof logits);
    for (int i = 0; i < 8; i++)
        logits[4 * i + 1] = 1;
    p.levels = 4;
    lam_pixels_log_p_f64(&p, logits, x, log_p, 1, g);
    double whole = 3 + exp(1);
    assert_true(fabs(log_p[1] - 4 * log(exp(1) / whole)) < 1e-14);
    assert_true(fabs(log_p[0] - 2 * log(exp(1) / whole) + 2 * log(whole)) < 1e-14);
    assert_true(fabs(g[0] - (1 - 1 / whole)) < 1e-15 && fabs(g[1] + exp(1) / whole) < 1e-15 && fabs(g[2] + 1 / whole) < 1e-15);
    lam_pool_free(pool);
}

/* Logits of +-100 and beyond: a right pixel costs e^-100, a wrong one 100, both to all digits, and nothing overflows. */
static void far_tails(void **state)
{
    lam_pool *pool = pool_of(1);
    const float logits[] = { 100, -100, 100, -100, 3e38f, -3e38f };
    const uint8_t right[] = { 1, 0 }, wrong[] = { 0, 1 };
    float levels[] = { 100, -100, 0 }, g[6];
    double log_p[3];
    (void)state;
    lam_pixel_rows_f32 p = { .pool = pool, .act = lam_act_f32_for(LAM_SCALAR), .rows = 1, .pixels = 2, .levels = 2 };
    lam_pixels_log_p_f32(&p, logits, right, log_p, 1, g);
    assert_true(fabs(log_p[0] / (-2 * exp(-100)) - 1) < 0.05); /* a denormal float: 5 bits of it are left */
    assert_true(fabs((double)g[0]) < 1e-40 && fabs((double)g[1]) < 1e-40);
    lam_pixels_log_p_f32(&p, logits, wrong, log_p, 1, g);
    assert_true(fabs(log_p[0] + 200) < 1e-12 && g[0] == -1 && g[1] == 1);
    lam_pixels_log_p_f32(&p, logits + 4, right, log_p, 1, g);
    assert_true(log_p[0] == 0 && g[0] == 0 && g[1] == 0);
    p.pixels = 1;
    p.levels = 3;
    for (uint8_t x = 0; x < 3; x++) {
        static const double want[] = { 0, -200, -100 };
        lam_pixels_log_p_f32(&p, levels, &x, log_p, 1, g);
        assert_true(fabs(log_p[0] - want[x]) < 1e-12);
        assert_true(fabs((double)g[0] - (x == 0 ? 0 : -1)) < 1e-7 && g[1] == (x == 1 ? 1 : 0));
    }
    lam_pool_free(pool);
}

/* Against central differences, five points; g in the logits' own array is the same. */
static void gradients(size_t levels)
{
    lam_pool *pool = pool_of(2);
    size_t width = levels == 2 ? 1 : levels, n = ROWS * PIXELS * width;
    lam_pixel_rows_f64 p = pixels_of(pool, ROWS, PIXELS, levels);
    double *logits = malloc(n * sizeof *logits), *g = malloc(n * sizeof *g), *along = malloc(n * sizeof *along), log_p[ROWS], h = 1e-3;
    uint8_t x[ROWS * PIXELS];
    for (size_t i = 0; i < n; i++) {
        logits[i] = 6 * draw(1, i) - 3;
        along[i] = draw(2, i) < 0.5 ? -1 : 1;
    }
    for (size_t i = 0; i < ROWS * PIXELS; i++)
        x[i] = (uint8_t)((double)levels * draw(3, i));
    lam_pixels_log_p_f64(&p, logits, x, log_p, 0.5, g);
    for (size_t row = 0; row < ROWS; row++) {
        double slope = 0, value[4], at[4] = { -2, -1, 1, 2 }, *moved = malloc(n * sizeof *moved), got[ROWS];
        for (size_t i = row * PIXELS * width; i < (row + 1) * PIXELS * width; i++)
            slope += along[i] * g[i];
        for (int k = 0; k < 4; k++) {
            for (size_t i = 0; i < n; i++)
                moved[i] = logits[i] + at[k] * h * along[i];
            lam_pixels_log_p_f64(&p, moved, x, got, 1, NULL);
            value[k] = got[row];
        }
        double by_difference = 0.5 * (value[0] - 8 * value[1] + 8 * value[2] - value[3]) / (12 * h);
        assert_true(fabs(by_difference - slope) <= 1e-9 * PIXELS); /* of slopes near 1 a pixel */
        free(moved);
    }
    lam_pixels_log_p_f64(&p, logits, x, log_p, 0.5, logits);
    assert_memory_equal(logits, g, n * sizeof *g);
    free(logits), free(g), free(along);
    lam_pool_free(pool);
}

static void gradients_binary(void **state)
{
    (void)state;
    gradients(2);
}

static void gradients_of_levels(void **state)
{
    (void)state;
    gradients(LEVELS);
}

/* Every instruction set's floats against double, 256 levels and binary; rows do not know of each other. */
static void floats(void **state)
{
    lam_pool *pool = pool_of(3);
    enum { N = ROWS * PIXELS * 256 };
    float *a = malloc(N * sizeof *a), *g = malloc(N * sizeof *g), *alone = malloc(N * sizeof *alone);
    double *ad = malloc(N * sizeof *ad), *gd = malloc(N * sizeof *gd), want[ROWS], got[ROWS], one;
    uint8_t x[ROWS * PIXELS];
    (void)state;
    for (size_t i = 0; i < N; i++)
        ad[i] = a[i] = (float)(10 * draw(5, i) - 5);
    for (size_t levels = 2; levels <= 256; levels += 254) {
        size_t row = PIXELS * (levels == 2 ? 1 : levels);
        for (size_t i = 0; i < ROWS * PIXELS; i++)
            x[i] = (uint8_t)((double)levels * draw(6, i));
        lam_pixel_rows_f64 pd = pixels_of(pool, ROWS, PIXELS, levels);
        lam_pixels_log_p_f64(&pd, ad, x, want, 1, gd);
        for (int isa = 0; isa < LAM_ISA_COUNT; isa++) {
            lam_pixel_rows_f32 p = { .pool = pool, .act = lam_act_f32_for((lam_isa)isa), .rows = ROWS, .pixels = PIXELS, .levels = levels };
            if (p.act == NULL || !lam_isa_available((lam_isa)isa))
                continue;
            lam_pixels_log_p_f32(&p, a, x, got, 1, g);
            for (size_t r = 0; r < ROWS; r++)
                assert_true(fabs(got[r] - want[r]) <= 2e-7 * fabs(want[r])); /* errors of single pixels, 3 ulp, cancel in part */
            for (size_t i = 0; i < ROWS * row; i++)
                assert_true(fabs((double)g[i] - gd[i]) <= 1e-6);
            p.rows = 1;
            lam_pixels_log_p_f32(&p, a + row, x + PIXELS, &one, 1, alone);
            assert_true(one == got[1]);
            assert_memory_equal(alone, g + row, row * sizeof *g);
        }
    }
    free(a), free(g), free(alone), free(ad), free(gd);
    lam_pool_free(pool);
}

/* ---- the variance of q -------------------------------------------------------------------------------------------- */

static void variance(void **state)
{
    const lam_act_f64 *act = lam_act_f64_for(LAM_SCALAR);
    double a[] = { -100, -6, -1, 0, 2, 6.9, 7.1, 50 }, v[8], slope[8];
    (void)state;
    lam_variance_f64(act, 8, 0, INFINITY, a, v, slope);
    for (int i = 0; i < 8; i++) {
        double want = a[i] > 30 ? a[i] : log1p(exp(a[i]));
        assert_true(fabs(v[i] - want) <= 2e-15 * want);
        assert_true(fabs(slope[i] - 1 / (1 + exp(-a[i]))) <= 1e-15);
    }
    lam_variance_f64(act, 8, 0.01, 7, a, v, slope);
    static const int clipped[] = { -1, -1, 0, 0, 0, 0, 1, 1 };
    for (int i = 0; i < 8; i++) {
        if (clipped[i] == 0)
            assert_true(fabs(v[i] - log1p(exp(a[i]))) <= 1e-14 && fabs(slope[i] - 1 / (1 + exp(-a[i]))) <= 1e-15);
        else
            assert_true(v[i] == (clipped[i] < 0 ? 0.01 : 7) && slope[i] == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gates),
        cmocka_unit_test(softmax),
        cmocka_unit_test(closed_forms),
        cmocka_unit_test(far_tails),
        cmocka_unit_test(gradients_binary),
        cmocka_unit_test(gradients_of_levels),
        cmocka_unit_test(floats),
        cmocka_unit_test(variance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
