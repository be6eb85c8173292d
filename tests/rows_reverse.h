/* For the tests of fields with row parameters: the gradient of the loss of rows.h against central finite differences in double, the
 * accepted steps held constant. */
#ifndef LAM_TESTS_ROWS_REVERSE_H
#define LAM_TESTS_ROWS_REVERSE_H
#include "rows.h"

/* Derivative of the loss as the n numbers a[at[i]] move along `along`: five points, as in gradient.c. */
static inline double slope(rows *w, double *a, const size_t *at, const double *along, size_t n)
{
    static const double where[] = { -2, -1, 1, 2 };
    double h = 1e-3, value[4], *kept = malloc(n * sizeof *kept);
    for (size_t i = 0; i < n; i++)
        kept[i] = a[at[i]];
    for (int k = 0; k < 4; k++) {
        for (size_t i = 0; i < n; i++)
            a[at[i]] = kept[i] + where[k] * h * along[i];
        value[k] = rows_loss(w);
    }
    for (size_t i = 0; i < n; i++)
        a[at[i]] = kept[i];
    free(kept);
    return (value[0] - 8 * value[1] + 8 * value[2] - value[3]) / (12 * h);
}

/* Single elements and one direction that takes in all of them, within 1e-6 of the largest and of the root mean square. */
static inline void check_array(rows *w, const char *name, double *a, const double *grad, const size_t *at, size_t n, double loss)
{
    double *along = calloc(n, sizeof *along), most = 0, sum = 0, all = 0, rounding = 4 * 2.2e-16 * fabs(loss) / 1e-3;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs(grad[at[i]]));
    for (size_t k = 0; k < 3; k++) {
        size_t i = (n / 2 * k + 3 + k) % n;
        const double one = 1;
        double by_difference = slope(w, a, at + i, &one, 1);
        if (!(fabs(by_difference - grad[at[i]]) <= 1e-6 * most + rounding))
            fail_msg("%s[%zu]: %.10g by differences, %.10g by the reverse (largest %.3g)", name, i, by_difference, grad[at[i]], most);
    }
    for (size_t i = 0; i < n; i++) {
        along[i] = (lam_random_uniform(w->f.r.seed, LAM_DRAW_TEST, 7, i) < 0.5 ? -1 : 1) / sqrt((double)n);
        sum += along[i] * grad[at[i]];
        all += grad[at[i]] * grad[at[i]];
    }
    double by_difference = slope(w, a, at, along, n);
    if (!(fabs(by_difference - sum) <= 1e-6 * sqrt(all / (double)n) + rounding))
        fail_msg("%s, all: %.10g by differences, %.10g by the reverse", name, by_difference, sum);
    free(along);
}

static inline size_t *identity(size_t n)
{
    size_t *at = malloc((n + 1) * sizeof *at);
    for (size_t i = 0; i < n; i++)
        at[i] = i;
    return at;
}

/* Lanes past the rows: zero as far as vectors reach, the 77 of rows_create beyond. */
static inline void check_lanes(const rows *w, const double *g, size_t lanes)
{
    size_t last = w->f.rows - (w->tiles - 1) * LAM_TILE, reach = (last + lanes - 1) / lanes * lanes;
    for (size_t i = 0; i < w->n_am; i++)
        for (size_t r = last; r < LAM_TILE; r++)
            assert_true(g[((w->tiles - 1) * w->n_am + i) * LAM_TILE + r] == (r < reach ? 0 : 77));
}

static inline void check_gradient(recipe r)
{
    const lam_kernels_f64 *kernels;
    rows w = rows_create(r);
    rows_open(&w);
    must(lam_kernels_get_f64(r.isa, &kernels));
    double loss = rows_gradient(&w);
    size_t blocks = w.f.layout.blocks, n_x = w.f.rows * w.f.r.dim, n_row = w.f.rows * w.n_am;
    size_t *all = identity(n_x + w.f.layout.parameters), *lanes = malloc(n_row * sizeof *lanes);
    lam_layout_tensor t;
    lam_engine_freeze_f64(w.f.engine, 1);
    assert_true(fabs(rows_loss(&w) - loss) <= 1e-14 * (1 + fabs(loss)));
    check_array(&w, "z0", w.f.x, w.f.grad_x, all, n_x, loss);
    for (size_t i = 0; lam_layout_tensor_at(&w.f.layout, i, &t); i++)
        if (t.offset < w.f.layout.time)
            check_array(&w, t.name, w.f.params + t.offset, w.f.grad + t.offset, all, t.count, loss);
    for (size_t i = 0; i < n_row; i++)
        lanes[i] = row_at(&w, i % w.f.rows, i / w.f.rows);
    for (size_t b = 0; b < blocks; b++) {
        check_array(&w, "row parameters", w.am[b], w.g_am[b], lanes, n_row, loss);
        check_lanes(&w, w.g_am[b], kernels->lanes);
    }
    free(all), free(lanes);
    rows_close(&w);
}

#endif
