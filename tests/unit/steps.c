/* The steps of a model's solves: what is logged of them against the solve itself, and errors against stages computed here; their picture. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "linear.h"
#include "base/file.h"
#include "laminar/plot.h"
#include "ode/tableau.h"
#include "scratch.h"

enum { N = 150, DIM = 3 };

static double x[N * DIM], logp[N];

/* Attempts follow one another, batch by batch and block by block; what is accepted is what the errors say, and adds up to the counts of a
 * score. */
static void steps_are_those_of_a_score(void **state)
{
    (void)state;
    static const char *const settings[][2] = { { "first-step", "warm" }, { "first-step", "probe" }, { "solver", "bosh3" },
        { "solver", "dop853" }, { "step-control", "tile" } };
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        lam_model *m = bent_model("16-16", "concat", "float", DIM, 3);
        int tiles = strcmp(settings[i][1], "tile") == 0;
        lam_eval_options o = { .units = LAM_UNITS_STANDARDISED, .batch_rows = tiles ? 64 : 100, .threads = 2 };
        lam_counts counts;
        lam_steps *s;
        lam_block_steps block;
        size_t accepted = 0, rejected = 0;
        assert_ok(lam_config_set(&m->config, settings[i][0], settings[i][1]));
        normals(x, N, DIM);
        assert_ok(lam_log_prob(m, &o, x, N, logp, &counts));
        assert_ok(lam_measure_steps(m, &o, x, N, &s));
        assert_memory_equal(&s->counts, &counts, sizeof counts);
        assert_int_equal(s->n, counts.accepted + counts.rejected);
        assert_int_equal(s->step[s->n - 1].batch, tiles ? 2 : 1);
        double t = 0;
        for (size_t k = 0; k < s->n; k++) {
            const lam_step *at = &s->step[k];
            double q = lam_tableau_get(m->config.solver)->error_exponent;
            assert_true(at->t == t && at->h > 0); /* where the one before it ended */
            assert_int_equal(at->accepted, at->error_z <= 1 && at->error_l <= 1);
            assert_true(fabs(at->allowed_z / (0.9 * at->h * pow(at->error_z, -1 / q)) - 1) < 1e-12);
            assert_true(fabs(at->allowed_l / (0.9 * at->h * pow(at->error_l, -1 / q)) - 1) < 1e-12);
            int last = k + 1 == s->n || s->step[k + 1].block != at->block || s->step[k + 1].batch != at->batch;
            if (last)
                assert_true(at->accepted && fabs(at->t + at->h - s->end[at->block]) < 1e-12);
            if (!last && at->accepted)
                assert_true(fabs(s->step[k + 1].t - (at->t + at->h)) < 1e-12);
            t = last ? 0 : s->step[k + 1].t;
            assert_true(last || at->accepted || t == at->t); /* after a rejected step the next attempt starts where it did */
        }
        for (size_t b = 0; b < s->blocks; b++) {
            assert_ok(lam_steps_of_block(s, b, &block));
            accepted += block.accepted;
            rejected += block.rejected;
            assert_true(block.shortest <= block.longest && block.l_decides <= block.accepted);
        }
        assert_int_equal(accepted, counts.accepted);
        assert_int_equal(rejected, counts.rejected);
        assert_int_equal(lam_steps_of_block(s, s->blocks, &block), LAM_ERR_ARGUMENT);
        lam_steps_free(s);
        lam_model_free(m);
    }
}

/* The embedded estimate of one step of dz/dt = A z + b from z, for the step's length, by its formula. */
static void estimate(const double *a, const double *b, double h, const double *z, double *error, double *end)
{
    const lam_tableau *table = lam_tableau_get(LAM_DOPRI5);
    double k[LAM_MAX_STAGES][LINEAR];
    for (size_t i = 0; i < (size_t)table->stages; i++)
        for (size_t d = 0; d < LINEAR; d++) {
            k[i][d] = b[d];
            for (size_t e = 0; e < LINEAR; e++) {
                double y = z[e];
                for (size_t j = 0; j < i; j++)
                    y += h * table->a[i][j] * k[j][e];
                k[i][d] += a[d * LINEAR + e] * y;
            }
        }
    for (size_t d = 0; d < LINEAR; d++) {
        error[d] = 0;
        end[d] = z[d];
        for (size_t i = 0; i < (size_t)table->stages; i++) {
            error[d] += h * table->e[i] * k[i][d];
            end[d] += h * table->b[i] * k[i][d];
        }
    }
}

static void errors_are_the_solver_s(void **state)
{
    (void)state;
    double a[LINEAR * LINEAR], b[LINEAR], z[LINEAR], error[LINEAR], end[LINEAR];
    lam_model *m = linear_model(a, b, "1.5");
    const lam_eval_options o = { .units = LAM_UNITS_STANDARDISED, .atol = 1e-6, .rtol = 1e-5 };
    lam_steps *s;
    normals(x, N, LINEAR);
    assert_ok(lam_measure_steps(m, &o, x, N, &s));
    assert_true(s->n > 1 && s->setting.atol == 1e-6 && s->rows == N && fabs(s->end[0] - 1.5) < 1e-12);
    for (size_t k = 0; k < s->n; k++) {
        double sum = 0;
        for (size_t i = 0; i < N; i++) {
            linear_flow(a, b, s->step[k].t, x + i * LINEAR, z);
            estimate(a, b, s->step[k].h, z, error, end);
            for (size_t d = 0; d < LINEAR; d++)
                sum += pow(error[d] / (o.atol + o.rtol * fmax(fabs(z[d]), fabs(end[d]))), 2);
        }
        double rms = sqrt(sum / (N * LINEAR));
        if (!(fabs(s->step[k].error_z / rms - 1) < 1e-3)) /* the solve's states are 1e-5 from the flow's */
            fail_msg("step %zu: %g instead of %g", k, s->step[k].error_z, rms);
        assert_true(s->step[k].error_l < 1e-6); /* l is a straight line: rounding */
    }
    lam_steps_free(s);
    lam_model_free(m);
}

static int is_without(const lam_picture_steps *picture)
{
    return lam_picture_write_steps(picture, 1, 0, scratch_path("first.png")) == LAM_ERR_UNSUPPORTED;
}

static void pictures(void **state)
{
    (void)state;
    lam_model *m = bent_model("8-8", "concat", "float", DIM, 3);
    const lam_eval_options o = { .probe = 1, .atol = 1e-7, .rtol = 1e-7 };
    lam_steps *s, none = { 0 };
    char *one, *two;
    size_t n, n_two;
    normals(x, N, DIM);
    to_data_units(m, x, N);
    assert_ok(lam_measure_steps(m, &o, x, N, &s));
    lam_picture_steps models[LAM_PICTURE_MODELS + 1];
    for (size_t i = 0; i <= LAM_PICTURE_MODELS; i++)
        models[i] = (lam_picture_steps) { s, "model" };
    const lam_picture_steps odd[] = { { &none, "empty" }, { s, NULL }, { s, "\xff" }, { NULL, "none" } };
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        assert_int_equal(lam_picture_write_steps(&odd[i], 1, 0, scratch_path("no.svg")), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_picture_write_steps(models, LAM_PICTURE_MODELS + 1, 0, scratch_path("no.svg")), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_picture_write_steps(models, 0, 0, scratch_path("no.svg")), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_picture_write_steps(models, 1, 0, scratch_path("no.gif")), LAM_ERR_ARGUMENT);
    if (!is_without(models)) {
        assert_ok(lam_picture_write_steps(models, LAM_PICTURE_MODELS, 1, scratch_path("many.svg")));
        assert_ok(lam_picture_write_steps(models, 2, 0, scratch_path("a.png")));
        assert_ok(lam_picture_write_steps(models, 2, 0, scratch_path("b.png")));
        assert_ok(lam_file_read(scratch_path("a.png"), &one, &n));
        assert_ok(lam_file_read(scratch_path("b.png"), &two, &n_two));
        assert_true(n == n_two && memcmp(one, two, n) == 0);
        free(one);
        free(two);
    }
    lam_steps_free(s);
    lam_model_free(m);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    lam_model *m = bent_model("4", "concat", "float", DIM, 1);
    const lam_eval_options tolerance = { .atol = 1e-4 };
    lam_steps *s = NULL;
    normals(x, N, DIM);
    assert_int_equal(lam_measure_steps(m, NULL, x, 0, &s), LAM_ERR_ARGUMENT);
    assert_said("no rows");
    x[DIM + 1] = NAN;
    assert_int_equal(lam_measure_steps(m, NULL, x, N, &s), LAM_ERR_DATA);
    assert_said("row 2, column 2");
    normals(x, N, DIM);
    assert_ok(lam_config_set(&m->config, "test-steps", "4"));
    assert_int_equal(lam_measure_steps(m, NULL, x, N, &s), LAM_ERR_ARGUMENT);
    assert_said("even steps of dopri5");
    assert_null(s);
    assert_ok(lam_measure_steps(m, &tolerance, x, N, &s)); /* which chooses adaptive ones */
    lam_steps_free(s);
    lam_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_those_of_a_score),
        cmocka_unit_test(errors_are_the_solver_s),
        cmocka_unit_test(pictures),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests_name("steps", tests, scratch_open, scratch_close);
}
