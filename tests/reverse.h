/* For the tests of reverses: the gradient of a flow's loss against central finite differences in double, the accepted steps held
 * constant (method.md 6). */
#ifndef LAM_TESTS_REVERSE_H
#define LAM_TESTS_REVERSE_H
#include "flow.h"

/* Relative to the largest gradient of its tensor: the bound asked for. The stencil below is good to 1e-9 or so. */
static const double BOUND = 1e-6;

/* d loss / d a along `along` [n]. Five points for smooth fields: error h^4 / 30 of the fifth derivative, rounding 1e-16 / h.
 * Where sigma or its derivatives jump (relu, elu) only a step that meets no jump will do: two points, tiny h. */
static inline double step_of(const flow *f)
{
    return f->r.activation == LAM_ACT_RELU || f->r.activation == LAM_ACT_ELU ? 1e-6 : 1e-3;
}

static inline double slope(flow *f, double *a, const double *along, size_t n)
{
    double h = step_of(f), value[4], at[4] = { -2, -1, 1, 2 }, *kept = malloc(n * sizeof *kept);
    memcpy(kept, a, n * sizeof *kept);
    for (int k = 0; k < 4; k++) {
        for (size_t i = 0; i < n; i++)
            a[i] = kept[i] + at[k] * h * along[i];
        value[k] = f->value(f);
    }
    memcpy(a, kept, n * sizeof *kept);
    free(kept);
    return h < 1e-5 ? (value[2] - value[1]) / (2 * h) : (value[0] - 8 * value[1] + 8 * value[2] - value[3]) / (12 * h);
}

/* A few single elements, and one direction that takes in all of them. */
static inline void check_tensor(flow *f, const char *name, double *a, const double *grad, size_t n)
{
    double *along = calloc(n, sizeof *along), scale = largest(grad, n), sum = 0, all = 0;
    double rounding = 4 * 2.2e-16 * fabs(f->loss.loss) / step_of(f); /* of the differences; 4e-9 where h is tiny, else 4e-12 */
    for (size_t k = 0; k < 2; k++) {
        size_t i = (7 * k + 3) % n;
        along[i] = 1;
        double by_difference = slope(f, a, along, n);
        along[i] = 0;
        if (!(fabs(by_difference - grad[i]) <= BOUND * scale + rounding))
            fail_msg("%s[%zu]: %.10g by differences, %.10g by the reverse (largest %.3g)", name, i, by_difference, grad[i], scale);
    }
    for (size_t i = 0; i < n; i++) {
        along[i] = lam_random_uniform(f->r.seed, LAM_DRAW_TEST, 7, i) < 0.5 ? -1 : 1;
        sum += along[i] * grad[i];
        all += grad[i] * grad[i];
    }
    for (size_t i = 0; i < n; i++) /* of length 1, so that the stencil's error does not grow with n */
        along[i] /= sqrt((double)n);
    double by_difference = slope(f, a, along, n), by_reverse = sum / sqrt((double)n);
    if (!(fabs(by_difference - by_reverse) <= BOUND * sqrt(all / (double)n) + rounding))
        fail_msg("%s, all: %.10g by differences, %.10g by the reverse", name, by_difference, by_reverse);
    free(along);
}

static inline void check_gradient(flow *f)
{
    lam_layout_tensor t;
    must(flow_gradient(f));
    lam_engine_freeze_f64(f->engine, 1);
    /* the frozen steps are the same steps, to the last bit */
    assert_true(fabs(flow_loss(f) - f->loss.loss) <= 1e-14 * fabs(f->loss.loss));
    for (size_t i = 0; lam_layout_tensor_at(&f->layout, i, &t); i++)
        if (t.offset < f->layout.time)
            check_tensor(f, t.name, f->params + t.offset, f->grad + t.offset, t.count);
    check_tensor(f, "x", f->x, f->grad_x, f->rows * f->r.dim);
    lam_engine_freeze_f64(f->engine, 0);
}

static inline void check_recipe(recipe r)
{
    flow f = flow_create(r);
    flow_open(&f);
    check_gradient(&f);
    flow_close(&f);
}

/* dL/ds of T = s^2: the formula is the exact flow's, so differences of solves at 1e-11 meet it to 1e-6. */
static inline void check_end_time(recipe r)
{
    r.train_time = 1;
    r.tolerance = 1e-11;
    flow f = flow_create(r);
    flow_open(&f);
    must(flow_gradient(&f));
    for (int again = 0; again < 2; again++) { /* the second time without penalties, on an engine that has had them */
        must(flow_gradient(&f));
        for (size_t b = 0; b < f.layout.blocks; b++) {
            const double one = 1, *s = f.grad + f.layout.time;
            double by_difference = slope(&f, f.params + f.layout.time + b, &one, 1);
            if (!(fabs(by_difference - s[b]) <= 1e-6 * largest(s, f.layout.blocks)))
                fail_msg("sqrt of the end time of block %zu: %.10g by differences, %.10g", b, by_difference, s[b]);
        }
        f.penalty.observed[LAM_PENALTY_tpr] = 0;
        memset(f.penalty.coefficient, 0, sizeof f.penalty.coefficient);
    }
    flow_close(&f);
}

#endif
