/* Step control by tile: the same numbers as with one step size for the batch wherever the steps are the same. */
#define LAM_WIDTH 64
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "flow.h"

static const recipe base = { .rows = 150, .dim = 3, .blocks = 2, .hidden = { 12 }, .divergence = LAM_DIV_RADEMACHER, .times = 4,
    .degree = 1, .coefficient = 5, .weights = 2, .tolerance = 1e-6 };

static void compare_controls(recipe r, double bound)
{
    flow batch = flow_create(r);
    r.control = LAM_CONTROL_TILE;
    flow tile = flow_create(r);
    flow_open(&batch);
    flow_open(&tile);
    must(flow_gradient(&batch));
    must(flow_gradient(&tile));
    assert_true(fabs(batch.loss.loss - tile.loss.loss) <= bound * fabs(batch.loss.loss));
    assert_true(fabs(batch.loss.nll - tile.loss.nll) <= bound * fabs(batch.loss.nll));
    assert_true(fabs(tpr_of(&batch.loss) - tpr_of(&tile.loss)) <= bound * fabs(batch.loss.loss));
    assert_true(difference(batch.grad, tile.grad, batch.layout.trained) <= bound * largest(batch.grad, batch.layout.trained));
    assert_true(difference(batch.grad_x, tile.grad_x, r.rows * r.dim) <= bound * largest(batch.grad_x, r.rows * r.dim));
    flow_close(&batch);
    flow_close(&tile);
}

/* Fixed steps are the same for all tiles: noise, observation times and weights of the mean must be too. 3 tiles, the last of 22
 * rows. Only the order of sums differs: 1e-13. */
static void fixed_steps_agree_to_rounding(void **state)
{
    (void)state;
    recipe r = base;
    r.solver = LAM_RK4;
    compare_controls(r, 1e-13);
    r.divergence = LAM_DIV_EXACT;
    compare_controls(r, 1e-13);
}

/* Adaptive steps differ by tile; both are within their tolerance (1e-6, per unit error, over two blocks) of the truth. */
static void adaptive_steps_agree_to_the_tolerance(void **state)
{
    (void)state;
    compare_controls(base, 1e-4);
}

/* One tile is the batch: the same bits. */
static void one_tile_is_the_batch(void **state)
{
    (void)state;
    recipe r = base;
    r.rows = 64;
    compare_controls(r, 0);
}

/* Rows are solved by themselves: with the same steps, z, l and paths are the same bits, each in its place, whatever their order. */
static void rows_keep_their_places(void **state)
{
    (void)state;
    recipe r = base;
    r.solver = LAM_RK4;
    r.divergence = LAM_DIV_EXACT;
    r.no_gradients = 1;
    enum { ROWS = 150, DIM = 3, TIMES = 2, PATH = (2 * TIMES + 1) * DIM };
    double z[2][ROWS * DIM], l[2][ROWS], paths[2][ROWS * PATH];
    size_t backwards[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        backwards[i] = ROWS - 1 - i;
    for (size_t i = 0; i < 2; i++) {
        lam_counts counts = { 0 };
        r.control = i == 0 ? LAM_CONTROL_BATCH : LAM_CONTROL_TILE;
        flow f = flow_create(r);
        flow_open(&f);
        const lam_flow_call_f64 call = { f.params, f.x, backwards, ROWS, &f.solve, NULL };
        must(lam_engine_transform_f64(f.engine, &call, 1, z[i], l[i], &counts));
        must(lam_engine_trajectories_f64(f.engine, &call, TIMES, paths[i], &counts));
        assert_memory_equal(paths[i], f.x + (ROWS - 1) * DIM, DIM * sizeof(double));
        flow_close(&f);
    }
    assert_memory_equal(z[0], z[1], sizeof z[0]);
    assert_memory_equal(l[0], l[1], sizeof l[0]);
    assert_memory_equal(paths[0], paths[1], sizeof paths[0]);
}

/* What is for rows that share their steps says so. */
static void a_single_field_is_refused(void **state)
{
    (void)state;
    recipe r = base;
    double v[150 * 3];
    r.control = LAM_CONTROL_TILE;
    r.divergence = LAM_DIV_EXACT;
    flow f = flow_create(r);
    flow_open(&f);
    const lam_flow_call_f64 call = { .params = f.params, .x = f.x, .rows = f.rows };
    assert_int_equal(lam_engine_field_f64(f.engine, &call, &(lam_field_point) { 0, 0.5, NULL }, v, NULL, NULL), LAM_ERR_ARGUMENT);
    assert_non_null(strstr(lam_last_error(), "step control by batch"));
    const double *t, *h;
    assert_int_equal(lam_engine_steps_f64(f.engine, 0, &t, &h), 0);
    flow_close(&f);
}

static void threads_do_not_matter(void **state)
{
    (void)state;
    recipe r = base;
    r.control = LAM_CONTROL_TILE;
    flow one = flow_create(r);
    r.threads = 3;
    flow three = flow_create(r);
    double h_one[2] = { 0 }, h_three[2] = { 0 };
    one.solve.h_star = h_one;
    three.solve.h_star = h_three;
    one.solve.keep_h_star = three.solve.keep_h_star = 1;
    one.solve.solve.first_step = three.solve.solve.first_step = LAM_STEP_WARM;
    flow_open(&one);
    flow_open(&three);
    for (int call = 0; call < 2; call++) { /* the second starts from what the first remembers */
        must(flow_gradient(&one));
        must(flow_gradient(&three));
        assert_memory_equal(&one.loss, &three.loss, sizeof one.loss);
        assert_memory_equal(one.grad, three.grad, one.layout.parameters * sizeof(double));
        assert_memory_equal(h_one, h_three, sizeof h_one);
        assert_true(h_one[0] > 0 && h_one[1] > 0);
    }
    flow_close(&one);
    flow_close(&three);
}

/* Tiles far apart need different steps: with the batch in one step size, the calm tiles pay for the wild one. */
static void calm_tiles_take_fewer_steps(void **state)
{
    (void)state;
    recipe r = base;
    r.rows = 256;
    r.weights = 3;
    flow batch = flow_create(r);
    r.control = LAM_CONTROL_TILE;
    flow tile = flow_create(r);
    for (size_t i = 0; i < r.rows * r.dim; i++) {
        double factor = i < 64 * r.dim ? 4 : 0.05;
        batch.x[i] *= factor;
        tile.x[i] *= factor;
    }
    flow_open(&batch);
    flow_open(&tile);
    must(flow_gradient(&batch));
    must(flow_gradient(&tile));
    assert_true(tile.loss.counts.forward < batch.loss.counts.forward);
    flow_close(&batch);
    flow_close(&tile);
}

static void a_failure_names_the_rows(void **state)
{
    (void)state;
    recipe r = base;
    r.control = LAM_CONTROL_TILE;
    flow f = flow_create(r);
    f.x[70 * r.dim] = (double)INFINITY;
    flow_open(&f);
    assert_int_equal(flow_gradient(&f), LAM_ERR_SOLVER);
    assert_non_null(strstr(lam_last_error(), "rows 65 to 128"));
    assert_non_null(strstr(lam_last_error(), "block 1 of 2"));
    flow_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_steps_agree_to_rounding),
        cmocka_unit_test(adaptive_steps_agree_to_the_tolerance),
        cmocka_unit_test(one_tile_is_the_batch),
        cmocka_unit_test(rows_keep_their_places),
        cmocka_unit_test(a_single_field_is_refused),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(calm_tiles_take_fewer_steps),
        cmocka_unit_test(a_failure_names_the_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
