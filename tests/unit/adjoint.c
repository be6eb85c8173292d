/* The continuous adjoint: at tight tolerances it tends to the gradient through the steps, which tends to the exact one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define LAM_WIDTH 64
#include "flow.h"

/* Both at 1e-10: the step's own error is some 1e-9 of the largest gradient. The absolute tolerance of the adjoint stands
 * against cotangents of size 1 / rows, so rows are few. */
static void compare(recipe r)
{
    r.tolerance = 1e-10;
    flow steps = flow_create(r), adjoint;
    flow_open(&steps);
    must(flow_gradient(&steps));
    r.method = LAM_GRAD_ADJOINT;
    adjoint = flow_create(r);
    flow_open(&adjoint);
    must(flow_gradient(&adjoint));
    assert_true(fabs(steps.loss.loss - adjoint.loss.loss) <= 1e-12 * fabs(steps.loss.loss)); /* the same forward solve */
    lam_layout_tensor t;
    for (size_t i = 0; lam_layout_tensor_at(&steps.layout, i, &t); i++) {
        double scale = largest(steps.grad + t.offset, t.count), off = difference(steps.grad + t.offset, adjoint.grad + t.offset, t.count);
        if (!(off <= 1e-6 * scale))
            fail_msg("%s, solver %d, end %d: off by %.3g of %.3g", t.name, (int)r.solver, (int)r.end, off, scale);
    }
    assert_true(difference(steps.grad_x, adjoint.grad_x, steps.rows * steps.r.dim) <= 1e-6 * largest(steps.grad_x, steps.rows * steps.r.dim));
    /* a segment costs 2 calls to start, then the stages of every step; all of them are products, and evaluations */
    size_t segments = (r.times == 0 ? 1 : r.times - 1) * (r.blocks == 0 ? 1 : r.blocks);
    assert_true(adjoint.loss.counts.backward >= 2 * segments + 6 * segments);
    assert_int_equal(adjoint.loss.counts.recomputed - (r.train_time ? segments : 0), adjoint.loss.counts.backward);
    if (r.solver == LAM_DOPRI5)
        assert_int_equal((adjoint.loss.counts.backward - 2 * segments) % 6, 0);
    flow_close(&steps);
    flow_close(&adjoint);
}

static void exact_and_hutchinson(void **state)
{
    (void)state;
    for (int divergence = 0; divergence <= LAM_DIV_GAUSSIAN; divergence++)
        for (size_t blocks = 1; blocks <= 2; blocks++)
            compare((recipe) { .divergence = (lam_divergence)divergence, .probes = blocks, .blocks = blocks, .rows = 5,
                .layer = LAM_LAYER_CONCATSQUASH, .activation = LAM_ACT_SOFTPLUS });
    compare((recipe) { .dim = 10, .hidden = { 12 }, .rows = 4 }); /* two chunks of tangents */
    compare((recipe) { .activation = LAM_ACT_SWISH, .layer = LAM_LAYER_HYPER, .rows = 4 });
}

/* FSAL and others (heun21 is of order 2: too many steps for 1e-10, so rk4 with many fixed ones stands for tables without). */
static void tables_and_ends(void **state)
{
    (void)state;
    for (int end = 0; end <= LAM_END_LAND_ALL; end++) {
        compare((recipe) { .end = (lam_end)end, .times = 4, .degree = 1, .coefficient = 5, .blocks = 2, .rows = 5 });
        compare((recipe) { .end = (lam_end)end, .solver = LAM_TSIT5, .divergence = LAM_DIV_GAUSSIAN, .rows = 5 });
        compare((recipe) { .end = (lam_end)end, .solver = LAM_DOP853, .times = 5, .degree = 2, .coefficient = 5, .rows = 5 });
        compare((recipe) { .end = (lam_end)end, .solver = LAM_RK4, .fixed_steps = 400, .divergence = LAM_DIV_RADEMACHER, .rows = 5 });
    }
    compare((recipe) { .times = 4, .degree = 1, .coefficient = 5, .train_time = 1, .rows = 5, .time = 0.8 });
    compare((recipe) { .times = 4, .degree = 1, .rows = 5 }); /* a coefficient of 0: segments without cotangents of their own */
}

/* Larger batches of several groups, with threads: the same bits, and short batches after full ones see nothing of them. */
static void batches(void **state)
{
    (void)state;
    double *first = NULL;
    for (size_t threads = 1; threads <= 3; threads++) {
        flow f = flow_create((recipe) { .rows = 200, .threads = threads, .method = LAM_GRAD_ADJOINT, .times = 4, .degree = 1,
            .coefficient = 5, .tolerance = 1e-6 });
        flow_open(&f);
        must(flow_gradient(&f));
        f.rows = 7;
        must(flow_gradient(&f));
        if (first == NULL) {
            flow small = flow_create((recipe) { .rows = 7, .method = LAM_GRAD_ADJOINT, .times = 4, .degree = 1, .coefficient = 5,
                .tolerance = 1e-6 });
            flow_open(&small);
            must(flow_gradient(&small));
            assert_memory_equal(small.grad, f.grad, f.layout.parameters * sizeof *f.grad);
            flow_close(&small);
            first = malloc(f.layout.parameters * sizeof *first);
            memcpy(first, f.grad, f.layout.parameters * sizeof *first);
        }
        assert_memory_equal(first, f.grad, f.layout.parameters * sizeof *first);
        flow_close(&f);
    }
    free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_and_hutchinson),
        cmocka_unit_test(tables_and_ends),
        cmocka_unit_test(batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
