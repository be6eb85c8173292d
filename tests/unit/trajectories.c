/* The way of rows from data to base: its ends against encode and decode, what lies between against solves of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "models.h"

enum { N = 150, DIM = 3, TIMES = 7, BLOCKS = 2, PATH = BLOCKS * TIMES + 1 };

static double x[N * DIM], z[N * DIM], back[N * DIM], states[N * PATH * DIM], other[N * PATH * DIM], times[PATH];

/* State k of every row, [N, DIM]. */
static const double *state_at(const double *way, size_t k)
{
    static double at[N * DIM];
    for (size_t i = 0; i < N * DIM; i++)
        at[i] = way[(i / DIM * PATH + k) * DIM + i % DIM];
    return at;
}

/* The same solves, looked into: the end is encode's to the bit, and so are the counts, however the steps are controlled and
 * where they end, for any number of threads. */
static void the_end_is_encode(void **state)
{
    (void)state;
    static const char *const settings[][2] = { { "end", "land" }, { "end", "overshoot" }, { "end", "land-all" },
        { "step-control", "tile" }, { "solver", "bosh3" }, { "solver", "tsit5" } };
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        lam_model *m = bent_model("16-16", "concatsquash", "float", DIM, 2);
        lam_eval_options o = { .units = LAM_UNITS_STANDARDISED, .batch_rows = 100, .threads = 1 };
        lam_counts counts, way_counts;
        assert_ok(lam_config_set(&m->config, settings[i][0], settings[i][1]));
        normals(x, N, DIM);
        assert_ok(lam_encode(m, &o, x, N, z, &counts));
        assert_ok(lam_trajectories(m, &o, x, N, TIMES, times, states, &way_counts));
        assert_memory_equal(state_at(states, PATH - 1), z, sizeof z);
        assert_memory_equal(state_at(states, 0), x, sizeof x);
        assert_memory_equal(&counts, &way_counts, sizeof counts);
        o.threads = 3;
        assert_ok(lam_trajectories(m, &o, x, N, TIMES, NULL, other, NULL));
        assert_memory_equal(states, other, sizeof states);
        assert_ok(lam_decode(m, &o, state_at(states, PATH - 1), N, back, NULL));
        assert_true(largest_difference(x, back, N * DIM) < 1e-4); /* as the way there and back of encode, at 1e-6 */
        lam_model_free(m);
    }
}

/* An end time that is set to where one looks, instead of dense output. Both solves at 1e-9: a few times that, of a flow that
 * stretches. */
static void inner_states_are_ends_of_shorter_flows(void **state)
{
    (void)state;
    lam_model *m = bent_model("8-8", "concat", "double", DIM, 2);
    lam_eval_options o = { .units = LAM_UNITS_STANDARDISED, .atol = 1e-9, .rtol = 1e-9 };
    double *end = m->params + m->layout.time, ends[BLOCKS] = { 1.2, 0.9 }; /* T = s^2 */
    memcpy(end, ends, sizeof ends);
    normals(x, N, DIM);
    assert_ok(lam_trajectories(m, &o, x, N, TIMES, times, states, NULL));
    assert_true(times[0] == 0 && fabs(times[PATH - 1] - 1.44 - 0.81) < 1e-14);
    for (size_t k = 1; k < PATH; k++) {
        size_t block = (k - 1) / TIMES;
        double before = block == 0 ? 0 : ends[0] * ends[0], part = ends[block] * ends[block] * (double)(k - block * TIMES) / TIMES;
        assert_true(fabs(times[k] - before - part) < 1e-14);
        end[0] = block == 0 ? sqrt(part) : ends[0];
        end[1] = block == 0 ? 1e-7 : sqrt(part); /* 1e-14 long: the second block does nothing */
        assert_ok(lam_encode(m, &o, x, N, z, NULL));
        if (!(largest_difference(state_at(states, k), z, N * DIM) < 1e-7))
            fail_msg("state %zu is off by %g", k, largest_difference(state_at(states, k), z, N * DIM));
        memcpy(end, ends, sizeof ends);
    }
    lam_model_free(m);
}

/* In data units the whole way is the standardiser's image of the other, and begins with the rows as they were given. */
static void data_units_are_an_image(void **state)
{
    (void)state;
    lam_model *m = bent_model("8-8", "concat", "double", DIM, 2);
    lam_eval_options o = { .units = LAM_UNITS_STANDARDISED };
    normals(x, N, DIM);
    assert_ok(lam_trajectories(m, &o, x, N, TIMES, NULL, states, NULL));
    to_data_units(m, x, N);
    to_data_units(m, states, N * PATH);
    assert_ok(lam_trajectories(m, NULL, x, N, TIMES, NULL, other, NULL));
    assert_memory_equal(state_at(other, 0), x, sizeof x);
    assert_true(largest_difference(states, other, N * PATH * DIM) < 1e-11); /* one rounding of x; nearly equal steps */
    lam_model_free(m);
}

static int stop(void *user, size_t done, size_t total)
{
    (void)user;
    return done < total;
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    lam_model *m = bent_model("4", "concat", "float", DIM, 1);
    lam_eval_options o = { .batch_rows = 64, .progress = stop };
    normals(x, N, DIM);
    assert_int_equal(lam_trajectories(m, NULL, x, N, 0, NULL, states, NULL), LAM_ERR_ARGUMENT);
    assert_said("1 to 1000");
    assert_int_equal(lam_trajectories(m, NULL, x, N, LAM_TRAJECTORY_TIMES + 1, NULL, states, NULL), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_trajectories(m, NULL, x, N, TIMES, NULL, NULL, NULL), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_trajectories(NULL, NULL, x, N, TIMES, NULL, states, NULL), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_trajectories(m, &o, x, N, TIMES, NULL, states, NULL), LAM_ERR_INTERRUPTED);
    assert_ok(lam_trajectories(m, NULL, NULL, 0, TIMES, times, NULL, NULL)); /* nothing to do but the times */
    assert_true(times[PATH - 1] > 0);
    x[DIM] = NAN;
    assert_int_equal(lam_trajectories(m, NULL, x, N, TIMES, NULL, states, NULL), LAM_ERR_DATA);
    assert_said("row 2, column 1");
    lam_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_is_encode),
        cmocka_unit_test(inner_states_are_ends_of_shorter_flows),
        cmocka_unit_test(data_units_are_an_image),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests_name("trajectories", tests, NULL, NULL);
}
