/* Every reverse against central finite differences in double, the accepted steps held constant (method.md 6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define LAM_WIDTH 64
#include "flow.h"

/* Relative to the largest gradient of its tensor: the bound asked for. The stencil below is good to 1e-9 or so. */
static const double BOUND = 1e-6;

/* d loss / d a along `along` [n]. Five points for smooth fields: error h^4 / 30 of the fifth derivative, rounding 1e-16 / h.
 * Where sigma or its derivatives jump (relu, elu) only a step that meets no jump will do: two points, tiny h. */
static double step_of(const flow *f)
{
    return f->r.activation == LAM_ACT_RELU || f->r.activation == LAM_ACT_ELU ? 1e-6 : 1e-3;
}

static double slope(flow *f, double *a, const double *along, size_t n)
{
    double h = step_of(f), value[4], at[4] = { -2, -1, 1, 2 }, *kept = malloc(n * sizeof *kept);
    memcpy(kept, a, n * sizeof *kept);
    for (int k = 0; k < 4; k++) {
        for (size_t i = 0; i < n; i++)
            a[i] = kept[i] + at[k] * h * along[i];
        value[k] = flow_loss(f);
    }
    memcpy(a, kept, n * sizeof *kept);
    free(kept);
    return h < 1e-5 ? (value[2] - value[1]) / (2 * h) : (value[0] - 8 * value[1] + 8 * value[2] - value[3]) / (12 * h);
}

/* A few single elements, and one direction that takes in all of them. */
static void check_tensor(flow *f, const char *name, double *a, const double *grad, size_t n)
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

static void check_gradient(flow *f)
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

static void check_recipe(recipe r)
{
    flow f = flow_create(r);
    flow_open(&f);
    check_gradient(&f);
    flow_close(&f);
}

/* Seven layer types times seven activations; trace, probes and depth take turns. */
static void layers_and_activations(void **state)
{
    (void)state;
    for (int layer = 0; layer <= LAM_LAYER_HYPER; layer++)
        for (int act = 0; act <= LAM_ACT_IDENTITY; act++) {
            size_t turn = (size_t)(layer * 2 + act);
            check_recipe((recipe) { .layer = (lam_layer)layer, .activation = (lam_activation)act, .n_hidden = 1 + turn % 3,
                .hidden = { 5, 7, 4 }, .divergence = (lam_divergence)(turn % 3), .probes = 1 + turn % 2 * 2, .times = 4, .degree = 1,
                .coefficient = 5, .seed = turn, .tolerance = 1e-3 });
        }
}

static void depth_blocks_and_trace(void **state)
{
    (void)state;
    for (size_t hidden = 1; hidden <= 3; hidden++)
        for (size_t blocks = 1; blocks <= 3; blocks++)
            for (int divergence = 0; divergence <= LAM_DIV_GAUSSIAN; divergence++)
                check_recipe((recipe) { .layer = LAM_LAYER_CONCATSQUASH, .n_hidden = hidden, .hidden = { 6, 5, 3 }, .blocks = blocks,
                    .divergence = (lam_divergence)divergence, .probes = hidden == 2 ? 3 : 1, .activation = LAM_ACT_SWISH,
                    .times = 4, .degree = 1, .coefficient = 5, .seed = hidden, .tolerance = 1e-3, .weights = 1.5 });
    check_recipe((recipe) { .dim = 1, .hidden = { 1 }, .times = 4, .degree = 1, .coefficient = 5 });
    check_recipe((recipe) { .dim = 1, .hidden = { 3 }, .divergence = LAM_DIV_GAUSSIAN, .time = 0.5 });
}

/* The exact trace comes in chunks of eight tangents: just full, one more, and three chunks; probes beyond a chunk too. */
static void several_chunks(void **state)
{
    (void)state;
    static const size_t dims[] = { 8, 9, 10, 17 };
    for (size_t i = 0; i < 4; i++)
        for (int layer = LAM_LAYER_CONCAT; layer <= LAM_LAYER_HYPER; layer += 3) /* concat, concatsquash */
            check_recipe((recipe) { .dim = dims[i], .hidden = { 12, 6 }, .n_hidden = 2, .layer = (lam_layer)layer, .rows = 5,
                .activation = i == 2 ? LAM_ACT_SWISH : LAM_ACT_SOFTPLUS, .times = 4, .degree = 1, .coefficient = 5,
                .tolerance = 1e-3 });
    check_recipe((recipe) { .dim = 10, .hidden = { 4, 6 }, .n_hidden = 2, .layer = LAM_LAYER_BLEND, .blocks = 2, .tolerance = 1e-3 });
    check_recipe((recipe) { .dim = 10, .hidden = { 4 }, .layer = LAM_LAYER_HYPER, .tolerance = 1e-3 });
    check_recipe((recipe) { .divergence = LAM_DIV_RADEMACHER, .probes = 11, .activation = LAM_ACT_TANH });
}

/* Each table with each end convention and the penalty's observations on, between and past its steps; kept records too. */
static void solvers_and_ends(void **state)
{
    (void)state;
    static const size_t times[] = { 4, 5, 3 }, degree[] = { 1, 2, 0 };
    for (int solver = 0; solver <= LAM_RK4; solver++)
        for (int end = 0; end <= LAM_END_LAND_ALL; end++)
            for (size_t k = 0; k < 3; k++)
                for (int kept = 0; kept < 2; kept++)
                    check_recipe((recipe) { .solver = (lam_solver)solver, .end = (lam_end)end, .times = times[k],
                        .degree = degree[k], .coefficient = 5, .divergence = LAM_DIV_RADEMACHER, .memory = kept,
                        .tolerance = solver == LAM_DOP853 ? 1e-7 : solver == LAM_HEUN21 ? 1e-2 : 1e-4, .weights = 2,
                        .time = k == 0 ? 0.7 : 1, .blocks = 1 + k % 2 });
}

/* One engine for batches that fill their last tile, spill over, or leave most of it empty, larger ones first: nothing of an
 * earlier batch may show. A coefficient of 0 with times is the plain loss. */
static void batches_on_one_engine(void **state)
{
    (void)state;
    static const size_t rows[] = { 100, 65, 64, 7, 1, 65 };
    flow f = flow_create((recipe) { .rows = 100, .times = 4, .degree = 1, .coefficient = 5, .divergence = LAM_DIV_GAUSSIAN,
        .layer = LAM_LAYER_CONCATSQUASH, .tolerance = 1e-3 });
    flow_open(&f);
    double *grad = malloc(f.layout.parameters * sizeof *grad);
    for (size_t i = 0; i < 6; i++) {
        f.rows = rows[i];
        f.penalty.tpr_coefficient = 5;
        check_gradient(&f);
        f.penalty.tpr_coefficient = 0;
        check_gradient(&f);
        memcpy(grad, f.grad, f.layout.parameters * sizeof *grad);
        f.penalty.tpr_times = 0;
        lam_engine_freeze_f64(f.engine, 1);
        must(flow_gradient(&f));
        lam_engine_freeze_f64(f.engine, 0);
        f.penalty.tpr_times = 4;
        assert_true(difference(grad, f.grad, f.layout.time) == 0); /* the observations take no part */
    }
    free(grad);
    flow_close(&f);
}

/* Kept and recomputed stages are the same numbers in the same order: the same bits. Half the memory keeps some steps only. */
static void memory_changes_nothing(void **state)
{
    (void)state;
    for (int solver = 0; solver <= LAM_RK4; solver++)
        for (int end = 0; end <= LAM_END_LAND_ALL; end++) {
            static const double memory[] = { 0, 64, 0.25 };
            double *first = NULL;
            for (size_t k = 0; k < 3; k++) {
                flow f = flow_create((recipe) { .solver = (lam_solver)solver, .end = (lam_end)end, .rows = 65, .times = 4, .degree = 1,
                    .coefficient = 5, .divergence = LAM_DIV_RADEMACHER, .memory = memory[k], .blocks = 2, .tolerance = 1e-3 });
                flow_open(&f);
                must(flow_gradient(&f));
                if (first == NULL) {
                    first = malloc(f.layout.parameters * sizeof *first);
                    memcpy(first, f.grad, f.layout.parameters * sizeof *first);
                    assert_true(f.loss.counts.recomputed == f.loss.counts.backward);
                } else {
                    assert_memory_equal(first, f.grad, f.layout.parameters * sizeof *first);
                    if (k == 1)
                        assert_int_equal(f.loss.counts.recomputed, 0);
                }
                flow_close(&f);
            }
            free(first);
        }
}

/* Six vector-Jacobian products an accepted step of dopri5, whatever the tolerance (method.md 6). */
static void backward_calls_are_counted(void **state)
{
    (void)state;
    for (int k = 3; k < 9; k++) {
        flow f = flow_create((recipe) { .tolerance = pow(10, -k), .times = 4, .degree = 1, .coefficient = 5, .end = LAM_END_LAND_ALL,
            .blocks = 2 });
        flow_open(&f);
        must(flow_gradient(&f));
        assert_int_equal(f.loss.counts.backward, 6 * f.loss.counts.accepted);
        assert_int_equal(f.loss.counts.solves, 2);
        assert_int_equal(f.loss.counts.forward, 2 * 2 + 6 * (f.loss.counts.accepted + f.loss.counts.rejected));
        flow_close(&f);
    }
}

/* dL/ds of T = s^2: the formula is the exact flow's, so differences of solves at 1e-11 meet it to 1e-6. */
static void check_end_time(recipe r)
{
    r.train_time = 1;
    r.tolerance = 1e-11;
    flow f = flow_create(r);
    flow_open(&f);
    must(flow_gradient(&f));
    for (int again = 0; again < 2; again++) { /* the second time without the penalty, on an engine that has had it */
        must(flow_gradient(&f));
        for (size_t b = 0; b < f.layout.blocks; b++) {
            const double one = 1, *s = f.grad + f.layout.time;
            double by_difference = slope(&f, f.params + f.layout.time + b, &one, 1);
            if (!(fabs(by_difference - s[b]) <= 1e-6 * largest(s, f.layout.blocks)))
                fail_msg("sqrt of the end time of block %zu: %.10g by differences, %.10g", b, by_difference, s[b]);
        }
        f.penalty.tpr_coefficient = 0;
    }
    flow_close(&f);
}

static void trained_end_times(void **state)
{
    (void)state;
    for (size_t blocks = 1; blocks <= 2; blocks++)
        for (int exact = 0; exact < 2; exact++) {
            recipe r = { .blocks = blocks, .divergence = exact ? LAM_DIV_EXACT : LAM_DIV_GAUSSIAN, .weights = 1.5, .time = 0.8 };
            check_end_time(r);
            r.times = 4, r.degree = 1, r.coefficient = 5, r.end = LAM_END_LAND_ALL;
            check_end_time(r);
            r.method = LAM_GRAD_ADJOINT;
            check_end_time(r);
        }
}

/* Leaving l out of the error norm changes steps, not what is differentiated. */
static void without_l_in_the_norm(void **state)
{
    (void)state;
    check_recipe((recipe) { .error_parts = LAM_ERROR_Z, .times = 4, .degree = 1, .coefficient = 5, .end = LAM_END_OVERSHOOT });
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        size_t times, degree;
    } bad[] = { { 1, 0 }, { 2, 1 }, { 3, 2 }, { 33, 1 }, { 1000, 1 } };
    flow f = flow_create((recipe) { .times = 4, .degree = 1, .coefficient = 5 });
    flow_open(&f);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        f.penalty.tpr_times = bad[i].times, f.penalty.tpr_degree = bad[i].degree;
        assert_int_equal(flow_gradient(&f), LAM_ERR_ARGUMENT);
    }
    f.penalty.tpr_times = 5, f.penalty.tpr_degree = 1; /* more than the engine has room for */
    assert_int_equal(flow_gradient(&f), LAM_ERR_ARGUMENT);
    f.penalty.tpr_times = 4;
    f.rows = 8;
    assert_int_equal(flow_gradient(&f), LAM_ERR_ARGUMENT);
    f.rows = 7;
    f.x[4] = NAN;
    assert_int_equal(flow_gradient(&f), LAM_ERR_SOLVER);
    assert_non_null(strstr(lam_last_error(), "row 2"));
    flow_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_and_activations),
        cmocka_unit_test(depth_blocks_and_trace),
        cmocka_unit_test(several_chunks),
        cmocka_unit_test(solvers_and_ends),
        cmocka_unit_test(batches_on_one_engine),
        cmocka_unit_test(memory_changes_nothing),
        cmocka_unit_test(backward_calls_are_counted),
        cmocka_unit_test(trained_end_times),
        cmocka_unit_test(without_l_in_the_norm),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
