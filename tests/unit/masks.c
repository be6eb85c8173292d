/* Rows of which some columns move and others do not (method.md 15): values, traces, penalties and gradients against finite differences in
 * double, and rows of a batch against rows alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define LAM_WIDTH 64
#include "flow/base_density.h"
#include "penalty/matching.h"
#include "reverse.h"

/* Every layer type; traces, activations, penalties and numbers of blocks take turns. */
static void gradients(void **state)
{
    (void)state;
    for (int layer = 0; layer <= LAM_LAYER_HYPER; layer++)
        for (size_t turn = 0; turn < 4; turn++)
            check_recipe((recipe) { .dim = 4, .layer = (lam_layer)layer, .activation = (lam_activation)((layer + (int)turn * 2) % 7), .inputs = 1 + turn,
                .masked = 1, .n_hidden = 1 + turn % 2, .hidden = { 5, 4 }, .blocks = 1 + turn / 2, .divergence = (lam_divergence)(turn % 3),
                .probes = 1 + turn % 2, .times = 4, .degree = 1, .coefficient = 5, .l_weight = turn == 3 ? 0 : 2, .seed = turn,
                .kinetic = turn % 2 == 1 ? 0.7 : 0, .jacobian = turn >= 2 ? 0.4 : 0, .tolerance = 1e-3 });
    check_recipe((recipe) { .dim = 9, .inputs = 2, .masked = 1, .layer = LAM_LAYER_SQUASH, .rows = 70, .tolerance = 1e-3 }); /* two chunks */
    check_recipe((recipe) { .dim = 10, .inputs = 2, .masked = 1, .jacobian = 0.3, .kinetic = 0.2, .l_weight = 1, .times = 4, .degree = 1, .coefficient = 5 });
    check_recipe((recipe) { .inputs = 2, .masked = 1, .rows = 70, .blocks = 2, .error = 0.3, .error_l = 0.5, .tolerance = 1e-3 });
    check_recipe((recipe) { .inputs = 3, .masked = 1, .rows = 70, .blocks = 2, .taylor = { 0.3, 0 }, .tolerance = 1e-3 });
    check_recipe((recipe) { .inputs = 2, .masked = 1, .taylor = { 0, 0.2 }, .layer = LAM_LAYER_CONCAT_V2, .divergence = LAM_DIV_GAUSSIAN });
    check_recipe((recipe) { .inputs = 2, .masked = 1, .taylor = { 0.1, 0.2 }, .layer = LAM_LAYER_BLEND, .activation = LAM_ACT_SOFTPLUS });
}

/* f is 0 in what does not move, and the trace is the sum of df_i/dz_i over what does. */
static void the_trace(void **state)
{
    (void)state;
    enum { ROWS = 7, DIM = 4 };
    const double h = 1e-5;
    flow f = flow_create((recipe) { .dim = DIM, .rows = ROWS, .inputs = 2, .masked = 1 });
    double v[ROWS * DIM], div[ROWS], side[2][ROWS * DIM], sum[ROWS] = { 0 };
    flow_open(&f);
    must(lam_engine_field_f64(f.engine, &(lam_flow_call_f64) { .params = f.params, .x = f.x, .rows = ROWS },
        &(lam_field_point) { 0, 0.3, NULL }, v, div, NULL));
    for (size_t j = 0; j < DIM; j++) {
        for (int s = 0; s < 2; s++) {
            for (size_t i = 0; i < ROWS; i++)
                f.x[i * DIM + j] += s == 0 ? -h : 2 * h;
            must(lam_engine_field_f64(f.engine, &(lam_flow_call_f64) { .params = f.params, .x = f.x, .rows = ROWS },
                &(lam_field_point) { 0, 0.3, NULL }, side[s], NULL, NULL));
        }
        for (size_t i = 0; i < ROWS; i++) {
            f.x[i * DIM + j] -= h;
            sum[i] += (side[1][i * DIM + j] - side[0][i * DIM + j]) / (2 * h);
        }
    }
    for (size_t i = 0; i < ROWS; i++) {
        assert_true(fabs(sum[i] - div[i]) < 1e-7);
        for (size_t j = 0; j < DIM; j++)
            assert_true((v[i * DIM + j] != 0) == f.moves[i * DIM + j]);
    }
    flow_close(&f);
}

/* One step of Euler's method over T = 1: the integral of half the mean over what moves of f^2 is that at the start. */
static void means_are_over_what_moves(void **state)
{
    (void)state;
    enum { ROWS = 70, DIM = 4 };
    flow f = flow_create((recipe) { .dim = DIM, .rows = ROWS, .inputs = 2, .masked = 1, .kinetic = 1, .solver = LAM_EULER, .fixed_steps = 1 });
    double v[ROWS * DIM], sum = 0;
    flow_open(&f);
    f.solve.solve.fixed_steps = 1;
    must(lam_engine_field_f64(f.engine, &(lam_flow_call_f64) { .params = f.params, .x = f.x, .rows = ROWS },
        &(lam_field_point) { 0, 0, NULL }, v, NULL, NULL));
    must(flow_gradient(&f));
    for (size_t i = 0; i < ROWS; i++) {
        double square = 0, moving = 0;
        for (size_t j = 0; j < DIM; j++) {
            square += v[i * DIM + j] * v[i * DIM + j];
            moving += f.moves[i * DIM + j];
        }
        sum += moving > 0 ? 0.5 * square / moving / ROWS : 0;
    }
    assert_true(fabs(lam_terms_value(&f.loss.terms, "kinetic") - sum) < 1e-12);
    flow_close(&f);
}

/* With fixed steps a row's numbers do not depend on the rows beside it nor on their masks, to the last bit; one in which nothing moves has
 * a density of 1. */
static void a_batch_is_its_rows(void **state)
{
    (void)state;
    enum { ROWS = 70, DIM = 3, INPUTS = 2 };
    flow f = flow_create((recipe) { .rows = ROWS, .inputs = INPUTS, .masked = 1, .blocks = 2, .solver = LAM_RK4, .no_gradients = 1 });
    double z[ROWS * DIM], l[ROWS], alone[DIM], alone_l;
    lam_counts counts = { 0 };
    int none = 0;
    flow_open(&f);
    must(lam_engine_transform_f64(f.engine, &(lam_flow_call_f64) { f.params, f.x, NULL, ROWS, &f.solve, &f.noise }, 1, z, l, &counts));
    for (size_t i = 0; i < ROWS; i++) {
        const lam_condition condition = { .inputs = f.given + i * INPUTS, .moves = f.moves + i * DIM };
        size_t moving = 0;
        for (size_t j = 0; j < DIM; j++) {
            moving += f.moves[i * DIM + j];
            assert_true(f.moves[i * DIM + j] || z[i * DIM + j] == 0);
        }
        none |= moving == 0;
        assert_true(moving > 0 || l[i] == 0);
        lam_engine_condition_f64(f.engine, &condition);
        must(lam_engine_transform_f64(f.engine, &(lam_flow_call_f64) { f.params, f.x + i * DIM, NULL, 1, &f.solve, &f.noise }, 1, alone,
            &alone_l, &counts));
        assert_memory_equal(alone, z + i * DIM, sizeof alone);
        assert_true(alone_l == l[i]);
    }
    assert_true(none);
    flow_close(&f);
}

/* Adaptive steps look at what moves: with half of the columns at rest, the same steps as with these left out of the norm. A batch in which
 * every row moves in one column of two is solved in the steps that it takes without a mean over the others. */
static void norms_are_over_what_moves(void **state)
{
    (void)state;
    enum { ROWS = 10, DIM = 2, MANY = 40 };
    size_t steps[2];
    for (int wide = 0; wide < 2; wide++) { /* 2 columns, or 40 of which 38 are at rest */
        size_t dim = wide ? MANY : DIM;
        flow f = flow_create((recipe) { .dim = dim, .rows = ROWS, .inputs = 1, .masked = 1, .tolerance = 1e-7, .no_gradients = 1, .weights = 3 });
        double *z = malloc(ROWS * dim * sizeof *z);
        const double *t, *h;
        lam_counts counts = { 0 };
        for (size_t i = 0; i < ROWS * dim; i++)
            f.moves[i] = i % dim < DIM;
        lam_layout_tensor tensor;
        for (size_t k = 0; lam_layout_tensor_at(&f.layout, k, &tensor); k++) /* the same field of the first two columns */
            for (size_t i = 0; i < tensor.count && tensor.offset < f.layout.time; i++) {
                size_t cols = tensor.dims == 2 ? tensor.shape[1] : 1, row = i / cols, col = i % cols;
                f.params[tensor.offset + i] = row < 5 && col < 3 ? sin(1 + (double)row + 3 * (double)col + 7 * (double)k) : 0;
            }
        for (size_t i = 0; i < ROWS * dim; i++)
            f.x[i] = i % dim < DIM ? cos((double)(i / dim) + (double)(i % dim)) : 0;
        for (size_t i = 0; i < ROWS; i++)
            f.given[i] = (double)i / ROWS;
        flow_open(&f);
        must(lam_engine_transform_f64(f.engine, &(lam_flow_call_f64) { f.params, f.x, NULL, ROWS, &f.solve, &f.noise }, 1, z, NULL,
            &counts));
        steps[wide] = lam_engine_steps_f64(f.engine, 0, &t, &h);
        free(z);
        flow_close(&f);
    }
    assert_int_equal(steps[0], steps[1]);
}

static void matching(void **state)
{
    (void)state;
    flow f = flow_create((recipe) { .rows = 70, .inputs = 2, .masked = 1, .blocks = 2, .layer = LAM_LAYER_CONCATSQUASH });
    const lam_condition condition = { .inputs = f.given, .moves = f.moves };
    const lam_matching call = { .seed = 3, .stream = 1, .condition = &condition };
    lam_matcher_f64 *matcher;
    lam_counts counts = { 0 };
    size_t n = f.layout.parameters;
    double *ignored = calloc(n, sizeof *ignored), value[2];
    must(lam_matcher_create_f64(&f.layout, f.pool, &(lam_engine_options) { .max_rows = 70, .isa = NULL }, &matcher));
    must(lam_matching_loss_f64(matcher, &(lam_flow_call_f64) { .params = f.params, .x = f.x, .rows = f.rows }, &call, f.grad, value,
        &counts));
    for (size_t k = 0; k < f.layout.time; k += 5) {
        double kept = f.params[k];
        for (int side = 0; side < 2; side++) {
            f.params[k] = kept + (side ? 1e-5 : -1e-5);
            must(lam_matching_loss_f64(matcher, &(lam_flow_call_f64) { .params = f.params, .x = f.x, .rows = f.rows }, &call, ignored,
                &value[side], &counts));
        }
        f.params[k] = kept;
        if (!(fabs((value[1] - value[0]) / 2e-5 - f.grad[k]) < 1e-6 * (fabs(f.grad[k]) + 0.01)))
            fail_msg("parameter %zu: %.10g by differences, %.10g by the reverse", k, (value[1] - value[0]) / 2e-5, f.grad[k]);
    }
    lam_matcher_free_f64(matcher);
    free(ignored);
    flow_close(&f);
}

/* -log N over what moves; by rows as the loss has it by tiles. */
static void the_base_density(void **state)
{
    (void)state;
    enum { ROWS = 70, DIM = 3 };
    const double z[3] = { 3, 4, 0 };
    assert_true(fabs(lam_base_nll(3, z, NULL) - (12.5 + 1.5 * log(2 * acos(-1)))) < 1e-14);
    assert_true(fabs(lam_base_nll(3, z, (const unsigned char[]) { 0, 1, 1 }) - (8 + log(2 * acos(-1)))) < 1e-14);
    flow f = flow_create((recipe) { .dim = DIM, .inputs = 2, .masked = 1, .rows = ROWS, .tolerance = 1e-3 });
    double end[ROWS * DIM], l[ROWS], sum = 0;
    flow_open(&f);
    must(flow_gradient(&f));
    must(lam_engine_transform_f64(f.engine, &(lam_flow_call_f64) { f.params, f.x, NULL, ROWS, &f.solve, &f.noise }, 1, end, l,
        &(lam_counts) { 0 }));
    for (size_t i = 0; i < ROWS; i++)
        sum += l[i] + lam_base_nll(DIM, end + i * DIM, f.moves + i * DIM);
    assert_true(fabs(sum / ROWS - f.loss.nll) < 1e-13 * fabs(f.loss.nll));
    flow_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(gradients), cmocka_unit_test(the_trace), cmocka_unit_test(means_are_over_what_moves),
        cmocka_unit_test(a_batch_is_its_rows), cmocka_unit_test(norms_are_over_what_moves), cmocka_unit_test(matching),
        cmocka_unit_test(the_base_density) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
