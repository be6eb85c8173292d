/* Whether a flow is better than the Gaussian that its rows are whitened by, as validation rows say (method.md 16): the choice, flows that do nothing,
 * and fits. */
#include "model/model.h"
#include "train/base_scale.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "fitting.h"
#include "base/mem.h"
#include "base/random.h"
#include "flow/layout.h"
#include "model/consistency.h"
#include "train/state.h"

static void assert_near(double a, double b, double tolerance)
{
    if (!(fabs(a - b) <= tolerance))
        fail_msg("%.17g is not %.17g within %g", a, b, tolerance);
}

/* ---- the choice ----------------------------------------------------------------------------------------------------- */

/* The error is that of the rows' differences, which is small where both densities find the same rows unlikely. */
static void rows_are_compared_in_pairs(void **state)
{
    (void)state;
    enum { N = 4 };
    static const double still[N] = { 1, 5, 30, 2 }, gain[N] = { 0.1, 0.3, 0.2, 0.4 };
    lam_base_row rows[N];
    lam_evaluated out = { .nll = 0 };
    for (size_t i = 0; i < N; i++)
        rows[i] = (lam_base_row) { .nll = still[i] - gain[i], .still = still[i] };
    lam_gaussian_beside(rows, N, &out);
    assert_near(out.gaussian_nll, 9.5, 1e-14);
    assert_near(out.gaussian_se, sqrt((8.5 * 8.5 + 4.5 * 4.5 + 20.5 * 20.5 + 7.5 * 7.5) / 3 / N), 1e-13);
    assert_near(out.gain_se, sqrt(2 * (0.15 * 0.15 + 0.05 * 0.05) / 3 / N), 1e-13);
    assert_true(lam_gaussian_is_beaten(9.5 - 0.25, out.gaussian_nll, out.gain_se));
    assert_false(lam_gaussian_is_beaten(9.5 - 1.99 * out.gain_se, out.gaussian_nll, out.gain_se));
    assert_true(lam_gaussian_is_beaten(9.5 - 2.01 * out.gain_se, out.gaussian_nll, out.gain_se));
    lam_gaussian_beside(rows, 1, &out); /* one row shows nothing */
    assert_true(out.gaussian_nll == 1 && isnan(out.gain_se) && !lam_gaussian_is_beaten(0, 1, out.gain_se));
}

/* ---- flows that do nothing ------------------------------------------------------------------------------------------ */

/* Whatever layers a field is made of, rows stay where they are; only the last layers are touched. */
static void a_still_flow(void **state)
{
    (void)state;
    enum { DIM = 3, ROWS = 5 };
    static const char *const layers[] = { "ignore", "concat", "concat_v2", "squash", "concatsquash", "blend", "hyper" };
    for (size_t k = 0; k < sizeof layers / sizeof layers[0]; k++) {
        lam_config cfg;
        lam_model *m;
        double x[ROWS * DIM], z[ROWS * DIM], logp[ROWS];
        lam_config_init(&cfg);
        set(&cfg, "dims", "5-4");
        set(&cfg, "blocks", "2");
        set(&cfg, "layer", layers[k]);
        set(&cfg, "precision", "double");
        assert_int_equal(lam_model_create(&cfg, DIM, &m), LAM_OK);
        for (size_t i = 0; i < ROWS; i++)
            lam_random_normal_row(2, LAM_DRAW_TEST, 0, i, x + i * DIM, DIM);
        assert_int_equal(lam_encode(m, NULL, x, ROWS, z, NULL), LAM_OK);
        assert_true(fabs(z[0] - x[0]) > 1e-3);
        double first = m->params[0];
        lam_layout_still(&m->layout, m->params);
        assert_true(m->params[0] == first);
        assert_int_equal(lam_encode(m, NULL, x, ROWS, z, NULL), LAM_OK);
        assert_int_equal(lam_log_prob(m, NULL, x, ROWS, logp, NULL), LAM_OK);
        for (size_t i = 0; i < ROWS; i++) {
            double sum = -DIM * 0.91893853320467274178;
            for (size_t j = 0; j < DIM; j++) {
                sum -= 0.5 * x[i * DIM + j] * x[i * DIM + j];
                assert_true(z[i * DIM + j] == x[i * DIM + j]);
            }
            assert_near(logp[i], sum, 1e-14);
        }
        lam_model_free(m);
        lam_config_clear(&cfg);
    }
}

/* ---- fits ----------------------------------------------------------------------------------------------------------- */

enum { COLUMNS = 3 };

/* Rows of a Gaussian whose third column is nearly a function of the others, but for this noise; bend 1: the second hangs on the square of the first
 * beside it. */
static lam_dataset *rows_with(double bend, double noise, size_t n, double (*of)(double))
{
    lam_config cfg;
    lam_table *table;
    lam_dataset *out;
    lam_config_init(&cfg);
    set(&cfg, "any-given", "true");
    assert_int_equal(lam_table_create(n, COLUMNS, &table), LAM_OK);
    for (size_t i = 0; i < n; i++) {
        double e[COLUMNS], *x = table->values + COLUMNS * i;
        lam_random_normal_row(5, LAM_DRAW_TEST, 0, i, e, COLUMNS);
        x[0] = 2 + e[0];
        x[1] = 0.6 * e[0] + 0.8 * e[1] + bend * e[0] * e[0];
        x[2] = e[0] - e[1] + noise * e[2];
        for (size_t j = 0; of != NULL && j < COLUMNS; j++)
            x[j] = of(x[j]);
    }
    assert_int_equal(lam_dataset_build(&cfg, table, NULL, NULL, NULL, &out), LAM_OK);
    lam_table_free(table);
    lam_config_clear(&cfg);
    return out;
}

static lam_dataset *rows_of(double bend, size_t n)
{
    return rows_with(bend, 0.05, n, NULL);
}

static void configure_any(lam_config *cfg)
{
    configure(cfg);
    set(cfg, "any-given", "true");
    set(cfg, "context-dims", "8");
    set(cfg, "tpr-coefficient", "0");
    set(cfg, "iterations", "60");
}

typedef struct heard {
    size_t lines;
} heard;

static void hear(void *user, const char *line)
{
    heard *h = user;
    h->lines += strstr(line, "the model is this Gaussian") != NULL;
}

/* The rms of log p(a) + log p(b | a) - log p(a, b) of a fit of `own`; r: what it said of itself; said: whether of the Gaussian. */
static double disagreement(const lam_config *cfg, const lam_dataset *own, lam_fit_result *r, size_t *said)
{
    heard h = { 0 };
    const lam_fit_options options = { .log = { hear, &h } };
    const lam_eval_options eval = { .units = LAM_UNITS_STANDARDISED };
    double rms, sum = 0;
    size_t rows;
    lam_model *model;
    lam_pass pass;
    assert_int_equal(lam_fit(cfg, own, &options, &model, r), LAM_OK);
    const double *x = lam_dataset_rows(own, LAM_TEST, &rows);
    double *logp = test_calloc(rows, sizeof *logp);
    assert_int_equal(lam_pass_init(&pass, model, &eval), LAM_OK);
    assert_int_equal(lam_consistency(&pass, x, rows, 1, &rms), LAM_OK);
    assert_int_equal(lam_log_prob(model, &eval, x, rows, logp, NULL), LAM_OK);
    for (size_t i = 0; i < rows; i++)
        sum -= logp[i] / (double)rows;
    assert_near(sum, r->test_nll, 1e-4); /* the test is of the model that the fit leaves */
    test_free(logp);
    lam_model_free(model);
    *said = h.lines;
    return rms;
}

/* Of a Gaussian all conditional and marginal densities come out exact; a density that is not one stays what the flow found. */
static void a_gaussian_is_told(void **state)
{
    (void)state;
    lam_config cfg;
    lam_fit_result r, without;
    size_t said;
    lam_dataset *straight = rows_of(0, 900), *bent = rows_of(1, 900);
    configure_any(&cfg);
    assert_true(disagreement(&cfg, straight, &r, &said) < 1e-5); /* float */
    assert_int_equal(said, 1);
    assert_near(r.test_nll, r.gaussian_test_nll, 0.01); /* which has another n in its covariance */
    set(&cfg, "calibrate", "none");
    assert_true(disagreement(&cfg, straight, &without, &said) > 0.01);
    assert_int_equal(said, 0);
    assert_int_equal(r.best_iteration, without.best_iteration); /* nothing else is another */
    set(&cfg, "calibrate", "auto");
    set(&cfg, "lr", "0.03");
    assert_true(disagreement(&cfg, bent, &r, &said) > 0.01);
    assert_int_equal(said, 0);
    assert_true(r.test_nll < r.gaussian_test_nll - 0.05);
    lam_dataset_free(straight);
    lam_dataset_free(bent);
    lam_config_clear(&cfg);
}

static lam_model *fitted(const lam_config *cfg, const lam_dataset *own, lam_fit_result *r)
{
    lam_model *model;
    assert_int_equal(lam_fit(cfg, own, NULL, &model, r), LAM_OK);
    return model;
}

/* Of a Gaussian's rows the model has no maps, which bend what is straight; of rows that are normal behind maps it keeps them. */
static void with_or_without_maps(void **state)
{
    (void)state;
    lam_config cfg;
    lam_fit_result r;
    size_t said;
    lam_dataset *straight = rows_with(0, 0.3, 900, NULL), *scaled = rows_with(0, 0.3, 900, exp);
    configure_any(&cfg);
    set(&cfg, "map", "normal-scores:30");
    lam_model *model = fitted(&cfg, straight, &r);
    assert_true(lam_config_is(lam_model_config(model), "map", "none") && model->maps == NULL);
    assert_near(r.test_nll, r.gaussian_test_nll, 0.01);
    lam_model_free(model);
    model = fitted(&cfg, scaled, &r);
    assert_true(lam_config_is(lam_model_config(model), "map", "normal-scores:30") && model->maps != NULL);
    assert_true(r.test_nll < r.gaussian_test_nll - 0.5);
    lam_model_free(model);
    assert_true(disagreement(&cfg, straight, &r, &said) < 1e-5); /* and its test is of the model that is left */
    assert_int_equal(said, 1);
    lam_dataset_free(straight);
    lam_dataset_free(scaled);
    lam_config_clear(&cfg);
}

/* Stopped and gone on with, on other threads. */
static void the_same_bits(void **state)
{
    (void)state;
    lam_config cfg;
    data = rows_of(0, 400);
    configure_any(&cfg);
    set(&cfg, "iterations", "23");
    assert_stopping_does_not_matter(&cfg, 8);
    set(&cfg, "map", "normal-scores:20");
    assert_stopping_does_not_matter(&cfg, 8);
    lam_dataset_free(data);
    lam_config_clear(&cfg);
}

/* What was found before a kill. */
static void a_checkpoint_has_it(void **state)
{
    (void)state;
    lam_config cfg;
    lam_layout layout;
    lam_parameter_map map;
    lam_fit_state a, b;
    const char *path = scratch_path("checkpoint.safetensors");
    configure(&cfg);
    assert_int_equal(lam_layout_init(&layout, &cfg, 2), LAM_OK);
    assert_int_equal(lam_layout_map(&layout, &map), LAM_OK);
    assert_int_equal(lam_fit_state_create(&a, &cfg, &map, layout.parameters, layout.blocks), LAM_OK);
    assert_int_equal(lam_fit_state_create(&b, &cfg, &map, layout.parameters, layout.blocks), LAM_OK);
    a.best_gaussian_nll = 1.5, a.best_gaussian_se = 0.25, a.best_gain_se = 0.125;
    assert_true(isnan(b.best_gaussian_nll) && isnan(b.best_gaussian_se) && isnan(b.best_gain_se));
    assert_int_equal(lam_checkpoint_write(path, &a, &cfg, "0"), LAM_OK);
    assert_int_equal(lam_checkpoint_read(path, &b, &cfg, "0"), LAM_OK);
    assert_true(b.best_gaussian_nll == 1.5 && b.best_gaussian_se == 0.25 && b.best_gain_se == 0.125);
    unlink(path);
    lam_fit_state_clear(&a);
    lam_fit_state_clear(&b);
    lam_free(map.matrix);
    lam_config_clear(&cfg);
}

static void who_has_the_choice(void **state)
{
    (void)state;
    static const struct { const char *any, *whiten, *asked, *want; } cases[] = { { "true", "auto", "auto", "gaussian" },
        { "true", "none", "auto", "none" }, { "true", "gaussian", "none", "none" }, { "true", "gaussian", "scale", "scale" },
        { "false", "gaussian", "auto", "none" }, { "false", "auto", "gaussian", "gaussian" } };
    lam_dataset *rows = rows_of(0, 100);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lam_config cfg;
        lam_config_init(&cfg);
        set(&cfg, "any-given", cases[i].any);
        set(&cfg, "whiten", cases[i].whiten);
        set(&cfg, "calibrate", cases[i].asked);
        assert_int_equal(lam_config_choose(&cfg, rows), LAM_OK);
        assert_true(lam_config_is(&cfg, "calibrate", cases[i].want));
        lam_config_clear(&cfg);
    }
    lam_config cfg;
    lam_model *model;
    configure(&cfg);
    set(&cfg, "whiten", "none");
    set(&cfg, "calibrate", "gaussian");
    assert_int_equal(lam_fit(&cfg, rows, NULL, &model, NULL), LAM_ERR_ARGUMENT);
    assert_non_null(strstr(lam_last_error(), "whiten: gaussian"));
    lam_dataset_free(rows);
    lam_config_clear(&cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(rows_are_compared_in_pairs), cmocka_unit_test(a_still_flow),
        cmocka_unit_test(a_gaussian_is_told), cmocka_unit_test(with_or_without_maps), cmocka_unit_test(the_same_bits),
        cmocka_unit_test(a_checkpoint_has_it), cmocka_unit_test(who_has_the_choice) };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
