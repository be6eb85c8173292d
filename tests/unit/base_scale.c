/* The scale of the base density that validation rows decide (method.md 17): its choice, models that have one, and fits. */
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
#include "model/safetensors.h"

static void assert_near(double a, double b, double tolerance)
{
    if (!(fabs(a - b) <= tolerance))
        fail_msg("%.17g is not %.17g within %g", a, b, tolerance);
}

/* ---- the choice ----------------------------------------------------------------------------------------------------- */

/* Ten values of variance 1 count beside those of the rows; NLLs are those under the wider normal, row by row. */
static void the_choice(void **state)
{
    (void)state;
    enum { N = 30 };
    const double half_log = 0.91893853320467274178;
    lam_base_row rows[N];
    lam_evaluated out = { .base_scale = 1 };
    double squares = 10, values = 10, sum = 0, square = 0, each[N];
    for (size_t i = 0; i < N; i++) {
        double z[2], l = 0.1 * (double)i;
        size_t moving = 1 + i % 2; /* a cell may be missing */
        lam_random_normal_row(1, LAM_DRAW_TEST, 0, i, z, 2);
        double own = 4 * z[0] * z[0] + (moving > 1 ? 4 * z[1] * z[1] : 0);
        rows[i] = (lam_base_row) { .nll = l + 0.5 * own + (double)moving * half_log, .square = own, .moving = (double)moving };
        squares += own;
        values += (double)moving;
    }
    double s = sqrt(squares / values);
    assert_true(s > 1.3); /* the test is not empty */
    for (size_t i = 0; i < N; i++) {
        each[i] = 0.1 * (double)i + 0.5 * rows[i].square / (s * s) + rows[i].moving * (half_log + log(s));
        sum += each[i] / N;
    }
    for (size_t i = 0; i < N; i++)
        square += (each[i] - sum) * (each[i] - sum);
    lam_base_scale_fit(rows, N, &out);
    assert_near(out.base_scale, s, 1e-14);
    assert_near(out.nll, sum, 1e-12);
    assert_near(out.se, sqrt(square / (N - 1) / N), 1e-12);
    rows[0] = (lam_base_row) { .nll = 1.5 }; /* nothing moves: nothing is learned */
    out.se = (double)NAN;
    lam_base_scale_fit(rows, 1, &out);
    assert_true(out.base_scale == 1 && out.nll == 1.5 && isnan(out.se));
}

/* ---- models --------------------------------------------------------------------------------------------------------- */

enum { DIM = 2, ROWS = 60 };
static const double SCALE = 1.7;

/* A flow that moves nothing, of column 1 given column 2: N(mean, (scale SCALE)^2) whatever is given. */
static lam_model *still_model(void)
{
    static const unsigned char is_given[DIM] = { 0, 1 };
    lam_config cfg;
    lam_model *m;
    lam_config_init(&cfg);
    set(&cfg, "dims", "8");
    set(&cfg, "blocks", "1");
    set(&cfg, "context-dims", "4");
    set(&cfg, "given", "2");
    set(&cfg, "precision", "double");
    set(&cfg, "calibrate", "scale");
    assert_int_equal(lam_model_create_given(&cfg, DIM, &(lam_given_kind) { .is_given = is_given }, &m), LAM_OK);
    for (size_t i = 0; i < m->layout.time; i++)
        m->params[i] = 0;
    m->mean[0] = 3, m->scale[0] = 2;
    m->log_det = -log(2);
    m->base_scale = SCALE;
    lam_config_clear(&cfg);
    return m;
}

/* log p, encode, decode, the last states of paths, draws and quantiles are all of the one density. */
static void everything_is_of_one_density(void **state)
{
    (void)state;
    enum { DRAWS = 20000 };
    double x[ROWS * DIM], z[ROWS * DIM], back[ROWS * DIM], logp[ROWS], states[ROWS * 3 * DIM];
    const lam_eval_options standardised = { .units = LAM_UNITS_STANDARDISED };
    const double given[DIM] = { NAN, 0.4 };
    lam_model *m = still_model();
    for (size_t i = 0; i < ROWS; i++)
        lam_random_normal_row(2, LAM_DRAW_TEST, 0, i, x + i * DIM, DIM);
    assert_int_equal(lam_log_prob(m, NULL, x, ROWS, logp, NULL), LAM_OK);
    assert_int_equal(lam_encode(m, NULL, x, ROWS, z, NULL), LAM_OK);
    assert_int_equal(lam_decode(m, NULL, z, ROWS, back, NULL), LAM_OK);
    for (size_t i = 0; i < ROWS; i++) {
        double e = (x[i * DIM] - 3) / (2 * SCALE);
        assert_near(logp[i], -0.5 * e * e - 0.91893853320467274178 - log(2 * SCALE), 1e-12);
        assert_near(z[i * DIM], e, 1e-13);
        assert_near(back[i * DIM], x[i * DIM], 1e-12);
    }
    assert_int_equal(lam_encode(m, &standardised, x, ROWS, z, NULL), LAM_OK);
    assert_int_equal(lam_trajectories(m, &standardised, x, ROWS, 2, NULL, states, NULL), LAM_OK);
    for (size_t i = 0; i < ROWS; i++)
        assert_near(states[(i * 3 + 2) * DIM], z[i * DIM], 1e-12);
    double *draws = lam_alloc(DRAWS * DIM, sizeof *draws), *scored = lam_alloc(2 * DRAWS, sizeof *scored), mean = 0, square = 0;
    assert_non_null(draws);
    assert_non_null(scored);
    assert_int_equal(lam_conditional_sample(m, NULL, 7, &(lam_query){ given, 1, NULL, 0 }, DRAWS, draws, scored, NULL), LAM_OK);
    assert_int_equal(lam_log_prob(m, NULL, draws, DRAWS, scored + DRAWS, NULL), LAM_OK);
    for (size_t i = 0; i < DRAWS; i++) {
        mean += draws[i * DIM] / DRAWS;
        square += (draws[i * DIM] - 3) * (draws[i * DIM] - 3) / DRAWS;
        assert_near(scored[i], scored[DRAWS + i], 1e-11);
    }
    assert_near(mean, 3, 5 * 2 * SCALE / sqrt(DRAWS)); /* five standard errors */
    assert_near(sqrt(square), 2 * SCALE, 5 * 2 * SCALE / sqrt(2.0 * DRAWS));
    lam_free(draws);
    lam_free(scored);
    lam_model_free(m);
}

static void files(void **state)
{
    (void)state;
    static const double wrong[] = { 0, -1, (double)NAN };
    const char *path = scratch_path("scaled.safetensors");
    double x[DIM] = { 0.3, -1 }, before, after;
    lam_model *m = still_model(), *loaded, *copy;
    lam_st_file file;
    assert_int_equal(lam_log_prob(m, NULL, x, 1, &before, NULL), LAM_OK);
    assert_int_equal(lam_model_save(m, path), LAM_OK);
    assert_int_equal(lam_st_read(path, &file), LAM_OK);
    assert_string_equal(lam_st_meta(&file, "laminar"), "5");
    lam_st_free(&file);
    assert_int_equal(lam_model_load(path, NULL, &loaded), LAM_OK);
    assert_int_equal(lam_model_copy(loaded, &copy), LAM_OK);
    assert_true(lam_model_base_scale(loaded) == SCALE && lam_model_base_scale(copy) == SCALE);
    assert_int_equal(lam_log_prob(copy, NULL, x, 1, &after, NULL), LAM_OK);
    assert_true(before == after);
    lam_model_free(copy);
    lam_model_free(loaded);
    for (size_t i = 0; i < 3; i++) {
        m->base_scale = wrong[i];
        assert_int_equal(lam_model_save(m, path), LAM_OK);
        assert_int_equal(lam_model_load(path, NULL, &loaded), LAM_ERR_FORMAT);
        assert_non_null(strstr(lam_last_error(), "base_scale"));
    }
    m->base_scale = 1; /* programs from before there was a scale read such a file */
    assert_int_equal(lam_model_save(m, path), LAM_OK);
    assert_int_equal(lam_st_read(path, &file), LAM_OK);
    assert_string_equal(lam_st_meta(&file, "laminar"), "3");
    lam_st_free(&file);
    unlink(path);
    lam_model_free(m);
}

/* ---- fits ----------------------------------------------------------------------------------------------------------- */

static double wave(double a)
{
    return 0.8 * a + sin(2 * a);
}

static double spread(double a)
{
    return 0.2 + 0.1 * a * a;
}

/* n rows y, a, b: y | a, b = N(wave(a) + b / 2, spread(a)^2). */
static lam_table *wave_table(uint64_t seed, size_t n)
{
    lam_table *table;
    assert_int_equal(lam_table_create(n, 3, &table), LAM_OK);
    for (size_t i = 0; i < n; i++) {
        double e[3], *x = table->values + 3 * i;
        lam_random_normal_row(seed, LAM_DRAW_TEST, 1, i, e, 3);
        x[0] = wave(e[1]) + 0.5 * e[2] + spread(e[1]) * e[0];
        x[1] = e[1];
        x[2] = e[2];
    }
    return table;
}

static lam_dataset *dataset_of(const lam_config *cfg, const lam_table *table)
{
    lam_dataset *out;
    assert_int_equal(lam_dataset_build(cfg, table, NULL, NULL, NULL, &out), LAM_OK);
    return out;
}

/* The share of fresh rows within the central 90 % interval of a fit of 300 rows with the defaults, if it is shorter. */
static double inside_of_300(uint64_t seed, const lam_table *fresh)
{
    lam_config cfg;
    lam_model *model;
    lam_dataset *few;
    lam_calibration found[3];
    lam_table *table = wave_table(seed, 300);
    lam_config_init(&cfg);
    set(&cfg, "given", "2,3");
    set(&cfg, "test-fraction", "0");
    set(&cfg, "iterations", "400");
    set(&cfg, "threads", "2");
    few = dataset_of(&cfg, table);
    assert_int_equal(lam_fit(&cfg, few, NULL, &model, NULL), LAM_OK);
    assert_true(lam_config_is(lam_model_config(model), "calibrate", "scale"));
    assert_int_equal(lam_calibrate(model, NULL, 3, &(lam_query){ fresh->values, fresh->rows, NULL, 0 }, 100, found), LAM_OK);
    lam_model_free(model);
    lam_dataset_free(few);
    lam_table_free(table);
    lam_config_clear(&cfg);
    return found[0].inside[1];
}

/* In the mean over tables it is 85 to 95 %. A scale by the 27 validation rows of one table has an error of 0.13, which is 4 % of the rows. */
static void intervals_hold_what_they_should(void **state)
{
    (void)state;
    enum { TABLES = 4, FRESH = 600 };
    lam_table *fresh = wave_table(100, FRESH);
    double mean = 0;
    for (uint64_t k = 1; k <= TABLES; k++)
        mean += inside_of_300(k, fresh) / TABLES;
    lam_table_free(fresh);
    if (!(mean > 0.85 && mean < 0.95))
        fail_msg("%.3f of the rows lie within the central 90 %%", mean);
}

/* The NLLs that a fit tells of its validation and test rows are those of the model that it leaves. */
static void a_fit_tells_the_truth(void **state)
{
    (void)state;
    lam_config cfg;
    lam_fit_result r;
    lam_model *model;
    const lam_eval_options standardised = { .units = LAM_UNITS_STANDARDISED };
    const lam_part parts[2] = { LAM_VALID, LAM_TEST };
    configure(&cfg);
    set(&cfg, "given", "2");
    set(&cfg, "calibrate", "scale");
    assert_int_equal(lam_fit(&cfg, data, NULL, &model, &r), LAM_OK);
    for (size_t k = 0; k < 2; k++) {
        size_t rows;
        double logp[ROWS], sum = 0;
        const double *x = lam_dataset_rows(data, parts[k], &rows);
        assert_true(rows > 20 && rows <= ROWS);
        assert_int_equal(lam_log_prob(model, &standardised, x, rows, logp, NULL), LAM_OK);
        for (size_t i = 0; i < rows; i++)
            sum -= logp[i] / (double)rows;
        assert_near(sum, k == 0 ? r.best_val_nll : r.test_nll, 1e-4);
    }
    assert_true(lam_model_base_scale(model) != 1);
    lam_model_free(model);
    lam_config_clear(&cfg);
}

/* Stopped and gone on with, on other threads; with the average of the weights too; of a joint density, whose scale has to be asked for. */
static void the_same_bits(void **state)
{
    (void)state;
    lam_config cfg;
    lam_dataset *own = data;
    configure(&cfg);
    set(&cfg, "given", "2");
    set(&cfg, "calibrate", "scale");
    set(&cfg, "average", "true");
    assert_stopping_does_not_matter(&cfg, 8);
    set(&cfg, "given", "");
    data = make_data(1);
    assert_stopping_does_not_matter(&cfg, 8);
    lam_dataset_free(data);
    data = own;
    lam_config_clear(&cfg);
}

/* Whoever has many rows, no given columns or any given any others gets no scale without asking. */
static void who_gets_one(void **state)
{
    (void)state;
    static const struct { const char *given, *any, *asked; size_t rows; const char *want; } cases[] = { { "1", "false", "auto", 19999, "scale" },
        { "1", "false", "auto", 20000, "scale" }, { "", "false", "auto", 300, "none" }, { "", "true", "auto", 300, "none" },
        { "1", "true", "auto", 300, "none" }, { "1", "false", "none", 300, "none" }, { "", "false", "scale", 300, "scale" } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lam_config cfg;
        lam_config_init(&cfg);
        set(&cfg, "given", cases[i].given);
        set(&cfg, "any-given", cases[i].any);
        set(&cfg, "calibrate", cases[i].asked);
        assert_int_equal(lam_config_resolve(&cfg, cases[i].rows, 3), LAM_OK);
        assert_true(lam_config_is(&cfg, "calibrate", cases[i].want));
        lam_config_clear(&cfg);
    }
}

static int open_all(void **state)
{
    if (scratch_open(state) != 0)
        return 1;
    data = make_data_given(1, "2");
    return 0;
}

static int close_all(void **state)
{
    lam_dataset_free(data);
    return scratch_close(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_choice), cmocka_unit_test(everything_is_of_one_density), cmocka_unit_test(files),
        cmocka_unit_test(intervals_hold_what_they_should), cmocka_unit_test(a_fit_tells_the_truth), cmocka_unit_test(the_same_bits),
        cmocka_unit_test(who_gets_one) };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
