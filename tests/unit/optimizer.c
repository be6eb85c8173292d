/* Optimisers against their papers' formulas, written plainly and in double, and against what can be said in closed form. */
#define LAM_WIDTH 64
#include "base/random.h"
#include "optim/optimizer.h"
#include "optim/orthogonal.h"
#include <setjmp.h>
#include <stdarg.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The float build, which this file's width hides. */
double lam_gradient_norm_f32(const float *gradient, size_t n);
typedef struct lam_stepper_f32 lam_stepper_f32;
lam_status lam_stepper_create_f32(lam_optimizer kind, const lam_parameter_map *map, lam_pool *pool, const char *isa,
    lam_stepper_f32 **out);
void lam_stepper_free_f32(lam_stepper_f32 *stepper);
void lam_stepper_apply_f32(lam_stepper_f32 *stepper, const lam_update *update, float *gradient, void *const *memory, float *params);

/* ---- an optimiser at work, in both widths -------------------------------------------------------------------------- */

enum { MOST = 20000 };

typedef struct course {
    lam_optimizer kind;
    const lam_parameter_map *map;
    double lr, decay, clip;
    int steps;
    double (*gradient)(int step, size_t i);
    double (*start)(size_t i);
} course;

static void make_memory(lam_optimizer kind, const lam_parameter_map *map, size_t size, void *memory[LAM_MEMORIES])
{
    lam_memory of[LAM_MEMORIES];
    size_t n = lam_optimizer_memories(kind, map, of);
    for (size_t i = 0; i < LAM_MEMORIES; i++)
        memory[i] = i < n ? calloc(of[i].count + 1, size) : NULL;
}

static double norm_of(const double *g, size_t n)
{
    return lam_gradient_norm_f64(g, n);
}

/* params [parameters] after the course; memory, where it is not NULL, receives the arrays (the caller frees them). */
static void run_f64(const course *c, size_t threads, double *params, void **kept)
{
    static double g[MOST];
    void *memory[LAM_MEMORIES];
    lam_pool *pool;
    lam_stepper_f64 *stepper;
    size_t n = c->map->parameters;
    assert_int_equal(lam_pool_create(threads, &pool), LAM_OK);
    assert_int_equal(lam_stepper_create_f64(c->kind, c->map, pool, NULL, &stepper), LAM_OK);
    make_memory(c->kind, c->map, sizeof(double), memory);
    for (size_t i = 0; i < n; i++)
        params[i] = c->start(i);
    for (int t = 1; t <= c->steps; t++) {
        for (size_t i = 0; i < n; i++)
            g[i] = c->gradient(t, i);
        lam_update u = { .lr = c->lr, .weight_decay = c->decay, .step = (uint64_t)t, .trained = n, .norm = norm_of(g, n), .clip = c->clip };
        lam_stepper_apply_f64(stepper, &u, g, memory, params);
    }
    for (size_t i = 0; i < LAM_MEMORIES; i++) {
        if (kept != NULL)
            kept[i] = memory[i];
        else
            free(memory[i]);
    }
    lam_stepper_free_f64(stepper);
    lam_pool_free(pool);
}

static void run_f32(const course *c, float *params)
{
    static float g[MOST];
    void *memory[LAM_MEMORIES];
    lam_pool *pool;
    lam_stepper_f32 *stepper;
    size_t n = c->map->parameters;
    assert_int_equal(lam_pool_create(1, &pool), LAM_OK);
    assert_int_equal(lam_stepper_create_f32(c->kind, c->map, pool, NULL, &stepper), LAM_OK);
    make_memory(c->kind, c->map, sizeof(float), memory);
    for (size_t i = 0; i < n; i++)
        params[i] = (float)c->start(i);
    for (int t = 1; t <= c->steps; t++) {
        for (size_t i = 0; i < n; i++)
            g[i] = (float)c->gradient(t, i);
        lam_update u = { .lr = c->lr, .weight_decay = c->decay, .step = (uint64_t)t, .trained = n, .norm = lam_gradient_norm_f32(g, n),
            .clip = c->clip };
        lam_stepper_apply_f32(stepper, &u, g, memory, params);
    }
    for (size_t i = 0; i < LAM_MEMORIES; i++)
        free(memory[i]);
    lam_stepper_free_f32(stepper);
    lam_pool_free(pool);
}

/* ---- adam, adamw, adamax ------------------------------------------------------------------------------------------- */

enum { N = 7, STEPS = 40 };
static const lam_parameter_map vectors_alone = { .parameters = N };
static const lam_parameter_map single = { .parameters = 1 };

static double gradient_at(int step, size_t i)
{
    return i == 3 ? 0 : cos(0.3 * step * (double)(i + 1)) * pow(10, (double)i - 4);
}

static double parameter_at(size_t i)
{
    return 0.5 * (double)i - 1.2;
}

/* Algorithms 1 and 2 of Kingma and Ba and algorithm 2 of Loshchilov and Hutter, with bias-corrected moments spelled out. */
static double reference(lam_optimizer kind, double lr, double decay, size_t i, int steps)
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

static const lam_optimizer kinds[] = { LAM_ADAM, LAM_ADAMW, LAM_ADAMAX };

static void follow_the_papers(void **state)
{
    (void)state;
    for (size_t k = 0; k < 3; k++)
        for (double decay = 0; decay < 0.2; decay += 0.1) {
            double p[N];
            float pf[N];
            const course c = { .kind = kinds[k], .map = &vectors_alone, .lr = 0.01, .decay = decay, .steps = STEPS,
                .gradient = gradient_at, .start = parameter_at };
            run_f64(&c, 1, p, NULL);
            run_f32(&c, pf);
            for (size_t i = 0; i < N; i++) {
                double want = reference(kinds[k], 0.01, decay, i, STEPS);
                /* 40 updates of size 0.01: a few roundings each in double; in float, each of relative 1e-7 */
                assert_true(fabs(p[i] - want) < 1e-14);
                assert_true(fabs((double)pf[i] - want) < 4e-6);
            }
        }
}

static double constant;
static double constant_at(int step, size_t i)
{
    (void)step, (void)i;
    return constant;
}

static double one(size_t i)
{
    (void)i;
    return 1;
}

static double two(size_t i)
{
    (void)i;
    return 2;
}

/* Under a constant gradient the corrected moments are g and g^2 at every step, so each moves by lr g / (|g| + epsilon). Muon and soap take
 * what is no matrix by Adam. */
static void constant_gradient(void **state)
{
    (void)state;
    const lam_optimizer all[] = { LAM_ADAM, LAM_ADAMW, LAM_ADAMAX, LAM_MUON, LAM_SOAP };
    const double gradients[] = { 2.5, -1e-3, 1e-9 };
    for (size_t k = 0; k < 5; k++)
        for (size_t j = 0; j < 3; j++) {
            double p;
            constant = gradients[j];
            const course c = { .kind = all[k], .map = &single, .lr = 1e-3, .steps = 100, .gradient = constant_at, .start = one };
            run_f64(&c, 1, &p, NULL);
            assert_true(fabs(p - (1 - 100 * 1e-3 * constant / (fabs(constant) + 1e-8))) < 1e-12); /* 1 - 0.999^t loses digits */
        }
}

/* Without a gradient decoupled decay shrinks by 1 - lr * decay a step; coupled decay is a gradient of its own: a step of lr towards 0. */
static void decay(void **state)
{
    (void)state;
    const lam_optimizer decoupled[] = { LAM_ADAMW, LAM_MUON, LAM_SOAP };
    lam_matrix matrix = { 0, 2, 3 };
    const lam_parameter_map with_matrix = { .parameters = N, .matrices = 1, .matrix = &matrix };
    double p[N];
    constant = 0;
    for (size_t k = 0; k < 3; k++) {
        const course c = { .kind = decoupled[k], .map = &with_matrix, .lr = 0.01, .decay = 0.5, .steps = 50, .gradient = constant_at,
            .start = two };
        run_f64(&c, 1, p, NULL);
        for (size_t i = 0; i < N; i++)
            assert_true(fabs(p[i] - 2 * pow(1 - 0.005, 50)) < 1e-14);
    }
    const course c = { .kind = LAM_ADAM, .map = &single, .lr = 0.01, .decay = 0.5, .steps = 1, .gradient = constant_at, .start = two };
    run_f64(&c, 1, p, NULL);
    assert_true(fabs(p[0] - (2 - 0.01 * 1 / (1 + 1e-8))) < 1e-15);
}

static void norm_and_clip(void **state)
{
    (void)state;
    double g[] = { 3, -4, 12 };
    float gf[] = { 3, -4, 12 };
    assert_true(lam_gradient_norm_f64(g, 3) == 13);
    assert_true(lam_gradient_norm_f32(gf, 3) == 13);
    /* float gradients whose squares overflow float: the sum is in double */
    float large[] = { 3e30f, 4e30f };
    assert_true(fabs(lam_gradient_norm_f32(large, 2) / 5e30 - 1) < 1e-7);
    /* one step of Adam at beta1: the first moment is a tenth of the gradient that it was given */
    const double clips[] = { 0, 13, 6.5 }, factors[] = { 1, 1, 0.5 };
    const lam_parameter_map three = { .parameters = 3 };
    for (size_t k = 0; k < 3; k++) {
        double p[3] = { 0 }, given[] = { 3, -4, 12 }, first[3] = { 0 }, second[3] = { 0 };
        void *memory[LAM_MEMORIES] = { first, second };
        lam_pool *pool;
        lam_stepper_f64 *stepper;
        assert_int_equal(lam_pool_create(1, &pool), LAM_OK);
        assert_int_equal(lam_stepper_create_f64(LAM_ADAM, &three, pool, NULL, &stepper), LAM_OK);
        lam_update u = { .lr = 0.1, .step = 1, .trained = 3, .norm = 13, .clip = clips[k] };
        lam_stepper_apply_f64(stepper, &u, given, memory, p);
        for (size_t i = 0; i < 3; i++)
            assert_true(fabs(first[i] - 0.1 * factors[k] * g[i]) < 1e-15);
        lam_stepper_free_f64(stepper);
        lam_pool_free(pool);
    }
}

/* ---- matrices ------------------------------------------------------------------------------------------------------ */

/* A vector of 5, a tall, a wide and a square matrix, a vector of 3, a matrix of sides that are no multiple of anything. */
static lam_matrix five[] = { { 5, 12, 4 }, { 53, 3, 70 }, { 263, 66, 66 }, { 4622, 37, 101 } };
static const lam_parameter_map mixed = { .parameters = 8361, .matrices = 4, .matrix = five };

static double draw(int step, size_t i)
{
    double z[1];
    lam_random_normal_row(9, LAM_DRAW_SAMPLE, (uint64_t)step, i, z, 1);
    /* some directions far stronger than others, and a mean that stays */
    return z[0] * pow(10, -(double)(i % 7) / 2) + 0.3 * sin((double)i);
}

static double small_start(size_t i)
{
    return 0.1 * sin(0.37 * (double)i);
}

/* C = A B, plainly. */
static void product(size_t m, size_t k, size_t n, const double *a, const double *b, double *c)
{
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = 0;
            for (size_t l = 0; l < k; l++)
                sum += a[i * k + l] * b[l * n + j];
            c[i * n + j] = sum;
        }
}

static void turn_over(size_t m, size_t n, const double *a, double *t)
{
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < n; j++)
            t[j * m + i] = a[i * n + j];
}

/* Jordan et al. 2024, zeropower_via_newtonschulz5: X = G / |G|, rows the shorter side, X = a X + (b A + c A A) X with A = X X'. */
static void plain_newton_schulz(size_t rows, size_t cols, double *g)
{
    static double x[MOST], xt[MOST], a[MOST], aa[MOST], y[MOST];
    size_t m = rows < cols ? rows : cols, n = rows < cols ? cols : rows;
    double norm = norm_of(g, rows * cols);
    if (rows <= cols)
        memcpy(x, g, rows * cols * sizeof *x);
    else
        turn_over(rows, cols, g, x);
    for (size_t i = 0; i < m * n; i++)
        x[i] /= norm;
    for (int step = 0; step < 5; step++) {
        turn_over(m, n, x, xt);
        product(m, n, m, x, xt, a);
        product(m, m, m, a, a, aa);
        for (size_t i = 0; i < m * m; i++)
            a[i] = -4.7750 * a[i] + 2.0315 * aa[i];
        product(m, m, n, a, x, y);
        for (size_t i = 0; i < m * n; i++)
            x[i] = 3.4445 * x[i] + y[i];
    }
    if (rows <= cols)
        memcpy(g, x, rows * cols * sizeof *x);
    else
        turn_over(m, n, x, g);
}

/* Vectors of a course by Adam with these betas, decay decoupled. */
static double plain_adam(const course *c, double beta1, double beta2, size_t i)
{
    double p = c->start(i), m = 0, v = 0;
    for (int t = 1; t <= c->steps; t++) {
        double g = c->gradient(t, i);
        p -= c->lr * c->decay * p;
        m = beta1 * m + (1 - beta1) * g;
        v = beta2 * v + (1 - beta2) * g * g;
        p -= c->lr * m / (1 - pow(beta1, t)) / (sqrt(v / (1 - pow(beta2, t))) + 1e-8);
    }
    return p;
}

static void plain_muon(const course *c, const lam_matrix *w, double *p)
{
    static double m[MOST], u[MOST];
    size_t n = w->rows * w->cols;
    memset(m, 0, sizeof m);
    for (size_t i = 0; i < n; i++)
        p[i] = c->start(w->offset + i);
    for (int t = 1; t <= c->steps; t++) {
        for (size_t i = 0; i < n; i++) {
            double g = c->gradient(t, w->offset + i);
            m[i] = 0.95 * m[i] + 0.05 * g;
            u[i] = 0.95 * m[i] + 0.05 * g;
        }
        plain_newton_schulz(w->rows, w->cols, u);
        double scale = 0.2 * sqrt((double)(w->rows > w->cols ? w->rows : w->cols));
        for (size_t i = 0; i < n; i++)
            p[i] = p[i] * (1 - c->lr * c->decay) - c->lr * scale * u[i];
    }
}

static void is_in_matrices(const lam_parameter_map *map, unsigned char *inside)
{
    memset(inside, 0, map->parameters);
    for (size_t k = 0; k < map->matrices; k++)
        memset(inside + map->matrix[k].offset, 1, map->matrix[k].rows * map->matrix[k].cols);
}

/* Largest difference of p and pf from what plain gives for every matrix and Adam for the rest. */
static void assert_course(const course *c, void (*plain)(const course *c, const lam_matrix *w, double *p), double beta2, double most,
    double most_float)
{
    static double p[MOST], want[MOST];
    static float pf[MOST];
    static unsigned char inside[MOST];
    run_f64(c, 2, p, NULL);
    run_f32(c, pf);
    is_in_matrices(c->map, inside);
    for (size_t i = 0; i < c->map->parameters; i++)
        want[i] = inside[i] ? 0 : plain_adam(c, 0.95, beta2, i);
    for (size_t k = 0; k < c->map->matrices; k++)
        plain(c, &c->map->matrix[k], want + c->map->matrix[k].offset);
    for (size_t i = 0; i < c->map->parameters; i++) {
        assert_true(fabs(p[i] - want[i]) < most);
        assert_true(fabs((double)pf[i] - want[i]) < most_float);
    }
}

/* The iteration multiplies rounding in small directions by up to 3.4445^5 = 485. */
static void muon_follows_the_paper(void **state)
{
    (void)state;
    const course c = { .kind = LAM_MUON, .map = &mixed, .lr = 0.02, .decay = 0.1, .steps = 6, .gradient = draw, .start = small_start };
    assert_course(&c, plain_muon, 0.999, 1e-11, 2e-4);
}

/* ---- soap ----------------------------------------------------------------------------------------------------------- */

typedef struct plain_side {
    size_t n;
    double factor[MOST], basis[MOST]; /* basis: eigenvectors in rows */
} plain_side;

static void gram_schmidt(size_t n, double *rows)
{
    for (size_t i = 0; i < n; i++) {
        for (int again = 0; again < 2; again++)
            for (size_t j = 0; j < i; j++) {
                double dot = 0;
                for (size_t k = 0; k < n; k++)
                    dot += rows[i * n + k] * rows[j * n + k];
                for (size_t k = 0; k < n; k++)
                    rows[i * n + k] -= dot * rows[j * n + k];
            }
        double norm = norm_of(rows + i * n, n);
        for (size_t k = 0; k < n; k++)
            rows[i * n + k] /= norm;
    }
}

/* The factor takes product in; every tenth step, and in the first ten all, an orthogonal iteration. order [n]: where each vector was. */
static void plain_renew(plain_side *s, const double *outer, int t, size_t *order)
{
    static double next[MOST];
    size_t n = s->n;
    double value[128], trace = 0;
    for (size_t i = 0; i < n * n; i++)
        s->factor[i] = 0.95 * s->factor[i] + 0.05 * outer[i];
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    if (t > 10 && t % 10 != 0)
        return;
    product(n, n, n, s->basis, s->factor, next);
    for (size_t i = 0; i < n; i++) {
        value[i] = 0;
        trace += s->factor[i * n + i];
        for (size_t k = 0; k < n; k++)
            value[i] += next[i * n + k] * s->basis[i * n + k];
    }
    for (size_t i = 0; i < n; i++) /* selection keeps the order of equals, as an insertion does */
        for (size_t j = i; j > 0 && value[order[j - 1]] < value[order[j]]; j--) {
            size_t swap = order[j];
            order[j] = order[j - 1];
            order[j - 1] = swap;
        }
    static double sorted[MOST];
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++)
            sorted[i * n + k] = next[order[i] * n + k] + 1e-5 * trace / (double)n * s->basis[order[i] * n + k];
    gram_schmidt(n, sorted);
    memcpy(s->basis, sorted, n * n * sizeof *sorted);
}

static void plain_soap(const course *c, const lam_matrix *w, double *p)
{
    static plain_side left, right;
    static double m[MOST], v[MOST], g[MOST], gt[MOST], a[MOST], b[MOST], bt[MOST];
    size_t rows = w->rows, cols = w->cols, n = rows * cols, order[128];
    memset(m, 0, sizeof m), memset(v, 0, sizeof v), memset(&left, 0, sizeof left), memset(&right, 0, sizeof right);
    left.n = rows, right.n = cols;
    for (size_t i = 0; i < rows; i++)
        left.basis[i * rows + i] = 1;
    for (size_t i = 0; i < cols; i++)
        right.basis[i * cols + i] = 1;
    for (size_t i = 0; i < n; i++)
        p[i] = c->start(w->offset + i);
    for (int t = 1; t <= c->steps; t++) {
        double corrected = 1 - pow(0.95, t);
        for (size_t i = 0; i < n; i++) {
            g[i] = c->gradient(t, w->offset + i);
            m[i] = 0.95 * m[i] + 0.05 * g[i];
        }
        turn_over(cols, cols, right.basis, bt);
        product(rows, rows, cols, left.basis, g, a);
        product(rows, cols, cols, a, bt, b);
        for (size_t i = 0; i < n; i++)
            v[i] = 0.95 * v[i] + 0.05 * b[i] * b[i];
        product(rows, rows, cols, left.basis, m, a);
        product(rows, cols, cols, a, bt, b);
        for (size_t i = 0; i < n; i++)
            b[i] = b[i] / corrected / (sqrt(v[i] / corrected) + 1e-8);
        turn_over(rows, rows, left.basis, bt);
        product(rows, rows, cols, bt, b, a);
        product(rows, cols, cols, a, right.basis, b);
        for (size_t i = 0; i < n; i++)
            p[i] = p[i] * (1 - c->lr * c->decay) - c->lr * b[i];
        turn_over(rows, cols, g, gt);
        product(rows, cols, rows, g, gt, a);
        plain_renew(&left, a, t, order);
        for (size_t i = 0; i < rows; i++)
            memcpy(b + i * cols, v + order[i] * cols, cols * sizeof *b);
        product(cols, rows, cols, gt, g, a);
        plain_renew(&right, a, t, order);
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < cols; j++)
                v[i * cols + j] = b[i * cols + order[j]];
    }
}

static lam_matrix small_ones[] = { { 2, 6, 4 }, { 27, 9, 17 } };
static const lam_parameter_map small_map = { .parameters = 185, .matrices = 2, .matrix = small_ones };

/* 25 steps pass two renewals after the first ten. Directions without much gradient are found by rounding alone in float, so that is held
 * to the size of the steps there. */
static void soap_follows_the_paper(void **state)
{
    (void)state;
    const course c = { .kind = LAM_SOAP, .map = &small_map, .lr = 0.01, .decay = 0.1, .steps = 25, .gradient = draw,
        .start = small_start };
    assert_course(&c, plain_soap, 0.95, 1e-9, 2e-3);
}

/* Bases stay orthonormal, and come to diagonalise their factors when gradients keep their distribution. */
static void soap_finds_the_eigenvectors(void **state)
{
    (void)state;
    static double p[MOST], a[MOST], b[MOST], t[MOST];
    void *memory[LAM_MEMORIES];
    lam_matrix matrix = { 0, 9, 17 };
    const lam_parameter_map map = { .parameters = 153, .matrices = 1, .matrix = &matrix };
    const course c = { .kind = LAM_SOAP, .map = &map, .lr = 0.01, .steps = 400, .gradient = draw, .start = small_start };
    run_f64(&c, 1, p, memory);
    for (int side = 0; side < 2; side++) {
        size_t n = side == 0 ? 9 : 17;
        const double *factor = memory[2 + side], *basis = memory[4 + side];
        turn_over(n, n, basis, t);
        product(n, n, n, basis, t, a);
        for (size_t i = 0; i < n * n; i++)
            assert_true(fabs(a[i] - (i % (n + 1) == 0)) < 1e-13);
        product(n, n, n, basis, factor, a);
        product(n, n, n, a, t, b);
        double diagonal = 0, rest = 0;
        for (size_t i = 0; i < n * n; i++)
            *(i % (n + 1) == 0 ? &diagonal : &rest) += b[i] * b[i];
        /* the factor moves with every gradient (a memory of 20 steps), so the basis follows it, not more */
        assert_true(rest < 0.02 * diagonal);
    }
    for (size_t i = 0; i < LAM_MEMORIES; i++)
        free(memory[i]);
}

/* A side above the limit keeps no factor. */
static void soap_is_one_sided_above_a_width(void **state)
{
    (void)state;
    lam_matrix matrix = { 0, 600, 3 };
    const lam_parameter_map map = { .parameters = 1800, .matrices = 1, .matrix = &matrix };
    lam_memory of[LAM_MEMORIES];
    assert_int_equal(lam_optimizer_memories(LAM_SOAP, &map, of), 6);
    assert_int_equal(of[2].count, 0);
    assert_int_equal(of[3].count, 9);
    static double p[MOST];
    const course c = { .kind = LAM_SOAP, .map = &map, .lr = 0.01, .steps = 12, .gradient = draw, .start = small_start };
    run_f64(&c, 1, p, NULL);
    for (size_t i = 0; i < 1800; i++)
        assert_true(isfinite(p[i]) && fabs(p[i] - small_start(i)) < 12 * 0.01 * 4);
}

/* ---- singular values ------------------------------------------------------------------------------------------------ */

/* Rows drawn and made orthonormal. */
static void orthonormal(uint64_t seed, size_t n, double *rows)
{
    for (size_t i = 0; i < n; i++)
        lam_random_normal_row(seed, LAM_DRAW_SAMPLE, 0, i, rows + i * n, n);
    gram_schmidt(n, rows);
}

/* M = U S V' with singular values from the norm's largest share down to 0.01 of the norm: U' O V is diagonal, and its diagonal lies within
 * 0.6 and 1.25. */
static void singular_values_come_near_one(void **state)
{
    (void)state;
    const size_t sizes[][2] = { { 2, 2 }, { 7, 60 }, { 60, 61 }, { 61, 60 }, { 128, 70 }, { 90, 90 } };
    static double u[MOST], v[MOST], s[MOST], a[MOST], m[MOST], t[MOST];
    const lam_kernels_f64 *kernels;
    assert_int_equal(lam_kernels_get_f64(NULL, &kernels), LAM_OK);
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        size_t rows = sizes[k][0], cols = sizes[k][1], n = rows < cols ? rows : cols;
        lam_orthogonaliser_f64 *o;
        assert_int_equal(lam_orthogonaliser_create_f64(kernels, n, rows < cols ? cols : rows, &o), LAM_OK);
        orthonormal(1, rows, u);
        orthonormal(2, cols, v);
        memset(s, 0, rows * cols * sizeof *s);
        for (size_t i = 0; i < n; i++)
            s[i * cols + i] = 3 * pow(0.0105, (double)i / (double)(n > 1 ? n - 1 : 1));
        double norm = norm_of(s, rows * cols);
        for (size_t i = 0; i < n; i++) /* shares of the norm, none below 0.01 */
            s[i * cols + i] = fmax(s[i * cols + i], 0.0101 * norm);
        product(rows, rows, cols, u, s, a);
        product(rows, cols, cols, a, v, m);
        lam_orthogonalise_f64(o, NULL, rows, cols, m);
        turn_over(rows, rows, u, t);
        product(rows, rows, cols, t, m, a);
        turn_over(cols, cols, v, t);
        product(rows, cols, cols, a, t, m);
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < cols; j++) {
                if (i == j)
                    assert_true(m[i * cols + j] > 0.6 && m[i * cols + j] < 1.25);
                else
                    assert_true(fabs(m[i * cols + j]) < 1e-10);
            }
        lam_orthogonaliser_free_f64(o);
    }
}

/* ---- bits ----------------------------------------------------------------------------------------------------------- */

/* Small matrices are shared out whole, large ones by columns: the same bits for any number of threads. */
static void threads_change_nothing(void **state)
{
    (void)state;
    lam_matrix large[] = { { 3, 30, 31 }, { 940, 260, 270 }, { 71150, 20, 9 } };
    const lam_parameter_map map = { .parameters = 71340, .matrices = 3, .matrix = large };
    double *p[3];
    static double g[71340];
    for (size_t threads = 1; threads <= 3; threads++) {
        lam_pool *pool;
        lam_stepper_f64 *stepper;
        void *memory[LAM_MEMORIES];
        p[threads - 1] = malloc(map.parameters * sizeof(double));
        assert_int_equal(lam_pool_create(threads, &pool), LAM_OK);
        assert_int_equal(lam_stepper_create_f64(LAM_MUON, &map, pool, NULL, &stepper), LAM_OK);
        make_memory(LAM_MUON, &map, sizeof(double), memory);
        for (size_t i = 0; i < map.parameters; i++)
            p[threads - 1][i] = small_start(i);
        for (int t = 1; t <= 2; t++) {
            for (size_t i = 0; i < map.parameters; i++)
                g[i] = cos((double)t + 0.71 * (double)(i * i % 1009));
            lam_update u = { .lr = 0.01, .step = (uint64_t)t, .trained = map.parameters };
            lam_stepper_apply_f64(stepper, &u, g, memory, p[threads - 1]);
        }
        for (size_t i = 0; i < LAM_MEMORIES; i++)
            free(memory[i]);
        lam_stepper_free_f64(stepper);
        lam_pool_free(pool);
    }
    assert_memory_equal(p[0], p[1], map.parameters * sizeof(double));
    assert_memory_equal(p[0], p[2], map.parameters * sizeof(double));
    for (size_t i = 0; i < 3; i++)
        free(p[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follow_the_papers),
        cmocka_unit_test(constant_gradient),
        cmocka_unit_test(decay),
        cmocka_unit_test(norm_and_clip),
        cmocka_unit_test(muon_follows_the_paper),
        cmocka_unit_test(soap_follows_the_paper),
        cmocka_unit_test(soap_finds_the_eigenvectors),
        cmocka_unit_test(soap_is_one_sided_above_a_width),
        cmocka_unit_test(singular_values_come_near_one),
        cmocka_unit_test(threads_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
