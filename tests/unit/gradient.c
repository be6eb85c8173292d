/* Every reverse against central finite differences in double, the accepted steps held constant (method.md 6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define LAM_WIDTH 64
#include "reverse.h"

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
    for (int solver = 0; solver < LAM_SOLVER_AUTO; solver++)
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
        f.penalty.observed[LAM_PENALTY_tpr] = 5;
        check_gradient(&f);
        f.penalty.observed[LAM_PENALTY_tpr] = 0;
        check_gradient(&f);
        memcpy(grad, f.grad, f.layout.parameters * sizeof *grad);
        f.penalty.tpr.times = 0;
        lam_engine_freeze_f64(f.engine, 1);
        must(flow_gradient(&f));
        lam_engine_freeze_f64(f.engine, 0);
        f.penalty.tpr.times = 4;
        assert_true(difference(grad, f.grad, f.layout.time) == 0); /* the observations take no part */
    }
    free(grad);
    flow_close(&f);
}

/* Kept and recomputed stages are the same numbers in the same order: the same bits. Half the memory keeps some steps only. */
static void memory_changes_nothing(void **state)
{
    (void)state;
    for (int solver = 0; solver < LAM_SOLVER_AUTO; solver++)
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
        f.penalty.tpr.times = bad[i].times, f.penalty.tpr.degree = bad[i].degree;
        assert_int_equal(flow_gradient(&f), LAM_ERR_ARGUMENT);
    }
    f.penalty.tpr.times = 5, f.penalty.tpr.degree = 1; /* more than the engine has room for */
    assert_int_equal(flow_gradient(&f), LAM_ERR_ARGUMENT);
    f.penalty.tpr.times = 4;
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
