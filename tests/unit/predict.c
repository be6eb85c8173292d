/* Predictions of a column given others: by integration and by draws, beside closed forms and beside sums over a fine grid; roles;
 * calibration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "data/levels.h"
#include "data/normal.h"
#include "model/metadata.h"
#include "model/predict.h"
#include "model/texts.h"
#include "models.h"
#include "scratch.h"

enum { DIM = 3, NUMBERS = 7 }; /* x, kind (text of two levels) and y */

static const double quantiles[3] = { 0.05, 0.5, 0.9 }, below[2] = { -0.5, 1 };

/* Columns x and kind are given; the weights of the seed `larger` times as large, 0 for a flow that moves nothing. */
static lam_model *model_given(double larger)
{
    static const unsigned char is_given[DIM] = { 1, 1, 0 };
    static const size_t levels[DIM] = { 0, 2, 0 };
    static const char *const names[DIM] = { "x", "kind", "y" };
    const lam_names texts[DIM] = { { 0 }, LAM_NAMES("down", "up"), { 0 } };
    lam_config cfg;
    lam_model *m;
    configure(&cfg, "dims", "8", "context-dims", "6", "given", "x,kind", "precision", "double", "seed", "3", "test-atol", "1e-9", "test-rtol", "1e-9",
        NULL);
    assert_ok(lam_model_create_given(&cfg, DIM, &(lam_given_kind) { .is_given = is_given, .levels = levels }, &m));
    for (size_t i = 0; i < m->layout.time; i++)
        m->params[i] *= larger;
    for (size_t j = 0; j < DIM; j++)
        assert_ok(lam_model_name_column(m, j, names[j]));
    m->has_names = 1;
    assert_ok(lam_model_set_texts(m, texts));
    m->mean[0] = 1, m->scale[0] = 2, m->mean[2] = 0.5, m->scale[2] = 1.5;
    m->log_det = -log(1.5);
    lam_config_clear(&cfg);
    return m;
}

static lam_predict_options options_of(lam_predict_method method, size_t draws)
{
    return (lam_predict_options) { .method = method, .seed = 4, .draws = draws, .quantiles = quantiles, .n_quantiles = 3, .below = below, .n_below = 2 };
}

static void a_normal_density(void **state)
{
    (void)state;
    lam_model *m = model_given(0);
    const double x[2 * DIM] = { 3, 1, (double)NAN, -1, 0, 100 }; /* y is not looked at */
    double values[2 * NUMBERS], errors[2 * NUMBERS];
    lam_predict_report report;
    const lam_predict_options options = options_of(LAM_PREDICT_AUTO, 0);
    assert_ok(lam_predict(m, &options, &(lam_query){ x, 2, NULL, 0 }, values, errors, &report));
    assert_int_equal(report.method, LAM_PREDICT_INTEGRAL);
    assert_true(report.mass_error < 1e-12);
    for (size_t i = 0; i < 2; i++) {
        const double *v = values + i * NUMBERS;
        assert_true(fabs(v[0] - 0.5) < 1e-12 && fabs(v[1] - 1.5) < 1e-12);
        for (size_t k = 0; k < 3; k++)
            assert_true(fabs(v[2 + k] - (0.5 + 1.5 * lam_normal_quantile(quantiles[k]))) < 1e-12);
        for (size_t k = 0; k < 2; k++)
            assert_true(fabs(v[5 + k] - 0.5 * erfc(-(below[k] - 0.5) / 1.5 / sqrt(2))) < 1e-12);
        for (size_t k = 0; k < NUMBERS; k++)
            assert_true(errors[i * NUMBERS + k] == 0);
    }
    lam_model_free(m);
}

/* Of rows the mass that is furthest from 1, by the same integral as a prediction; of a flow that is solved coarsely it is off. */
static void masses_of_rows(void **state)
{
    (void)state;
    enum { ROWS = 300 };
    lam_model *m = model_given(3);
    lam_check_report r;
    lam_predict_report report;
    double x[ROWS * DIM], values[ROWS * NUMBERS];
    for (size_t i = 0; i < ROWS; i++)
        x[i * DIM] = (double)i / 100, x[i * DIM + 1] = (double)(i % 2), x[i * DIM + 2] = sin((double)i);
    assert_ok(lam_check(m, NULL, x, ROWS, &r));
    assert_true(r.has_mass && r.mass_rows == 200 && fabs(r.mass - 1) < 2e-3); /* what the interpolation leaves */
    const lam_eval_options coarse = { .atol = 0.1, .rtol = 0.1 };
    lam_predict_options options = options_of(LAM_PREDICT_AUTO, 0);
    options.eval = &coarse;
    assert_ok(lam_check(m, &coarse, x, 200, &r));
    assert_ok(lam_predict(m, &options, &(lam_query){ x, 200, NULL, 0 }, values, NULL, &report));
    assert_true(fabs(r.mass - 1) > 1e-5 && fabs(fabs(r.mass - 1) - report.mass_error) < 1e-9);
    assert_ok(lam_check(m, NULL, x, 1, &r));
    assert_true(r.mass_rows == 1 && fabs(r.mass - 1) < 1e-5);
    lam_model_free(m);
}

static double normal_share(double value, double sd)
{
    return 0.5 * erfc(-(value - 0.5) / sd / sqrt(2));
}

/* The mean of two normal densities of the same mean, whose deviations are 1.5 and 0.375. */
static void a_mean_of_densities(void **state)
{
    (void)state;
    lam_model *m = model_given(0), *narrow = model_given(0);
    const double x[DIM] = { 3, 1, 0 };
    double values[NUMBERS], one[NUMBERS];
    lam_predict_report report;
    lam_eval_options second = { .flow = 2 };
    lam_predict_options options = options_of(LAM_PREDICT_AUTO, 0);
    narrow->base_scale = 0.25;
    assert_ok(lam_model_add_flow(m, narrow));
    assert_ok(lam_predict(m, &options, &(lam_query){ x, 1, NULL, 0 }, values, NULL, &report));
    assert_true(fabs(values[0] - 0.5) < 1e-12 && fabs(values[1] - sqrt((1.5 * 1.5 + 0.375 * 0.375) / 2)) < 1e-12 && report.mass_error < 1e-12);
    for (size_t k = 0; k < 3; k++)
        assert_true(fabs(0.5 * (normal_share(values[2 + k], 1.5) + normal_share(values[2 + k], 0.375)) - quantiles[k]) < 1e-12);
    for (size_t k = 0; k < 2; k++)
        assert_true(fabs(values[5 + k] - 0.5 * (normal_share(below[k], 1.5) + normal_share(below[k], 0.375))) < 1e-12);
    options.eval = &second;
    assert_ok(lam_predict(m, &options, &(lam_query){ x, 1, NULL, 0 }, one, NULL, NULL));
    assert_true(fabs(one[1] - 0.375) < 1e-12 && fabs(normal_share(one[2], 0.375) - quantiles[0]) < 1e-12);
    lam_model_free(m);
}

/* Of one flow a quantile is where that of the base leads, and a probability the base's share below the code. */
static void by_way_of_the_base(void **state)
{
    (void)state;
    lam_model *m = model_given(3);
    double rows[3 * DIM], values[NUMBERS], back[3 * DIM];
    const double x[DIM] = { 2.5, 1, 0 };
    const lam_predict_options options = options_of(LAM_PREDICT_AUTO, 0);
    assert_ok(lam_predict(m, &options, &(lam_query){ x, 1, NULL, 0 }, values, NULL, NULL));
    for (size_t k = 0; k < 3; k++) {
        memcpy(rows + k * DIM, x, sizeof x);
        rows[k * DIM + 2] = lam_normal_quantile(quantiles[k]);
    }
    assert_ok(lam_decode(m, NULL, rows, 3, back, NULL));
    for (size_t k = 0; k < 3; k++)
        assert_true(fabs(values[2 + k] - back[k * DIM + 2]) < 2e-6);
    for (size_t k = 0; k < 2; k++)
        rows[k * DIM + 2] = below[k];
    assert_ok(lam_encode(m, NULL, rows, 2, back, NULL));
    for (size_t k = 0; k < 2; k++)
        assert_true(fabs(values[5 + k] - 0.5 * erfc(-back[k * DIM + 2] / sqrt(2))) < 1e-6);
    lam_model_free(m);
}

/* Sums of the density over a grid that is far finer than what lam_predict makes. */
static void a_bent_density(void **state)
{
    (void)state;
    enum { GRID = 20001 };
    static double grid[GRID * DIM], logp[GRID];
    lam_model *m = model_given(3);
    const double x[DIM] = { 2.5, 1, 0 };
    double values[NUMBERS], drawn[NUMBERS], errors[NUMBERS], mass = 0, mean = 0, square = 0, under = 0;
    lam_predict_report report;
    for (size_t i = 0; i < GRID; i++) {
        memcpy(grid + i * DIM, x, sizeof x);
        grid[i * DIM + 2] = -20 + 40 * (double)i / (GRID - 1);
    }
    assert_ok(lam_conditional_log_prob(m, NULL, &(lam_query){ grid, GRID, NULL, 0 }, logp, NULL));
    for (size_t i = 0; i < GRID; i++) {
        double y = grid[i * DIM + 2], p = exp(logp[i]) * 40 / (GRID - 1);
        mass += p, mean += p * y, square += p * y * y, under += y <= 1 ? p : 0;
    }
    lam_predict_options options = options_of(LAM_PREDICT_INTEGRAL, 0);
    assert_ok(lam_predict(m, &options, &(lam_query){ x, 1, NULL, 0 }, values, NULL, &report));
    assert_true(fabs(mass - 1) < 1e-5 && report.mass_error < 1e-4);
    assert_true(fabs(values[0] - mean) < 1e-4 && fabs(values[1] - sqrt(square - mean * mean)) < 1e-4);
    assert_true(fabs(values[6] - under) < 1e-3);
    assert_true(fabs(values[1] - 1.5) > 0.01); /* it is bent */
    options = options_of(LAM_PREDICT_DRAWS, 4000);
    assert_ok(lam_predict(m, &options, &(lam_query){ x, 1, NULL, 0 }, drawn, errors, &report));
    assert_int_equal(report.draws, 4000);
    for (size_t k = 0; k < NUMBERS; k++) {
        assert_true(errors[k] > 0 && errors[k] < 0.2);
        assert_true(fabs(drawn[k] - values[k]) < 4 * errors[k]);
    }
    lam_model_free(m);
}

/* What no draw is beyond has no error of 0: a probability is then known to about 1 in the number of draws, a quantile not at all. */
static void far_out(void **state)
{
    (void)state;
    enum { FEW = 100 };
    static const double shares[2] = { 1e-4, 0.02 }, values[2] = { -1e9, 1e9 };
    double draws[FEW], out[6], errors[6];
    const lam_question q = { .quantiles = shares, .n_quantiles = 2, .below = values, .n_below = 2 };
    for (size_t i = 0; i < FEW; i++)
        draws[i] = (double)i;
    lam_summarise_draws(&q, draws, FEW, out, errors);
    assert_true(fabs(out[0] - 49.5) < 1e-12 && fabs(out[1] - sqrt((FEW * FEW - 1) / 12.0 * FEW / (FEW - 1))) < 1e-12); /* n - 1 */
    assert_true(isnan(errors[2]) && errors[3] > 0.5 && errors[3] < 3);
    assert_true(out[4] == 0 && out[5] == 1 && fabs(errors[4] - errors[5]) < 1e-15 && errors[4] > 0.5 / FEW && errors[4] < 2.0 / FEW);
}

static void what_is_refused(void **state)
{
    (void)state;
    lam_model *m = model_given(0);
    const double x[DIM] = { 0, 0, 0 }, much = 1;
    const size_t column = 0;
    double values[NUMBERS];
    lam_predict_options options = { .quantiles = &much, .n_quantiles = 1 };
    assert_int_equal(lam_predict(m, &options, &(lam_query){ x, 1, NULL, 0 }, values, NULL, NULL), LAM_ERR_ARGUMENT);
    assert_said("quantiles are above 0 and below 1");
    options = (lam_predict_options) { .columns = &column, .n_columns = 1 };
    assert_int_equal(lam_predict(m, &options, &(lam_query){ x, 1, NULL, 0 }, values, NULL, NULL), LAM_ERR_ARGUMENT);
    assert_said("the column x is to be predicted, and it is given");
    lam_model_free(m);
}

static void roles_of_a_fixed_split(void **state)
{
    (void)state;
    lam_model *m = model_given(0);
    unsigned char roles[DIM], rows[2 * DIM];
    const lam_names y = LAM_NAMES("y"), x = LAM_NAMES("x"), both = LAM_NAMES("1", "kind"), twice = LAM_NAMES("x", "1"), none = LAM_NAMES("z");
    const unsigned char own[DIM] = { LAM_GIVEN, LAM_GIVEN, LAM_MOVING };
    assert_ok(lam_model_roles(m, NULL, NULL, LAM_ABSENT, roles));
    assert_memory_equal(roles, own, DIM);
    assert_ok(lam_model_roles(m, &y, &both, LAM_ABSENT, roles));
    assert_memory_equal(roles, own, DIM);
    assert_int_equal(lam_model_roles(m, &x, NULL, LAM_ABSENT, roles), LAM_ERR_ARGUMENT);
    assert_said("--any-given");
    assert_int_equal(lam_model_roles(m, NULL, &y, LAM_ABSENT, roles), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_model_roles(m, NULL, &twice, LAM_ABSENT, roles), LAM_ERR_ARGUMENT);
    assert_said("named twice");
    assert_int_equal(lam_model_roles(m, &none, NULL, LAM_ABSENT, roles), LAM_ERR_ARGUMENT);
    assert_said("there is no column \"z\"");
    const double cells[2 * DIM] = { 1, 0, 5, (double)NAN, 1, 2 };
    const unsigned char want[2 * DIM] = { LAM_GIVEN, LAM_GIVEN, LAM_MOVING, LAM_GIVEN, LAM_GIVEN, LAM_MOVING }; /* an evaluation refuses the missing one */
    assert_ok(lam_roles_of_rows(m, own, 0, cells, 2, rows));
    assert_memory_equal(rows, want, sizeof want);
    double log_p[2];
    assert_int_equal(lam_conditional_log_prob(m, NULL, &(lam_query){ cells, 2, rows, 2 }, log_p, NULL), LAM_ERR_DATA);
    const double missing[DIM] = { 1, 0, (double)NAN };
    assert_int_equal(lam_roles_of_rows(m, own, 0, missing, 1, rows), LAM_ERR_DATA);
    assert_said("row 1");
    lam_model_free(m);
}

/* Of a model's own draws the shares are uniform; of others they are not. */
static void calibration(void **state)
{
    (void)state;
    enum { ROWS = 400 };
    lam_model *m = model_given(2);
    double x[ROWS * DIM], out[ROWS * DIM];
    lam_calibration c[DIM];
    for (size_t i = 0; i < ROWS; i++)
        x[i * DIM] = (double)(i % 7), x[i * DIM + 1] = (double)(i % 2), x[i * DIM + 2] = 0;
    assert_ok(lam_conditional_sample(m, NULL, 9, &(lam_query){ x, ROWS, NULL, 0 }, 1, out, NULL, NULL));
    assert_ok(lam_calibrate(m, NULL, 1, &(lam_query){ out, ROWS, NULL, 0 }, 100, c));
    assert_true(c[0].rows == 0 && c[1].rows == 0 && c[2].rows == ROWS);
    assert_true(c[2].distance < c[2].band && fabs(c[2].band - 1.3581 / sqrt(ROWS)) < 1e-12);
    assert_true(fabs(c[2].inside[0] - 0.5) < 3 * c[2].inside_se[0] && fabs(c[2].inside[1] - 0.9) < 3 * c[2].inside_se[1]);
    for (size_t i = 0; i < ROWS; i++)
        out[i * DIM + 2] += 0.6;
    assert_ok(lam_calibrate(m, NULL, 1, &(lam_query){ out, ROWS, NULL, 0 }, 100, c));
    assert_true(c[2].distance > c[2].band);
    lam_model_free(m);
    m = bent_model("8", "concat", "double", 2, 2); /* nothing is given */
    assert_ok(lam_sample(m, NULL, 5, ROWS, out, NULL, NULL));
    assert_ok(lam_calibrate(m, NULL, 1, &(lam_query){ out, ROWS, NULL, 0 }, 0, c));
    for (size_t j = 0; j < 2; j++)
        assert_true(c[j].rows == ROWS && c[j].distance < c[j].band);
    lam_model_free(m);
}

/* Levels come back from the file, and a file in which they are wrong is refused. */
static void levels_in_the_file(void **state)
{
    (void)state;
    lam_model *m = model_given(1), *again, *copy;
    assert_ok(lam_model_save(m, scratch_path("m.safetensors")));
    assert_ok(lam_model_load(scratch_path("m.safetensors"), NULL, &again));
    assert_ok(lam_model_copy(again, &copy));
    lam_model_free(again);
    assert_int_equal(lam_model_levels(copy, 0).n, 0);
    assert_int_equal(lam_model_levels(copy, 1).n, 2);
    assert_string_equal(lam_model_levels(copy, 1).item[1], "up");
    assert_int_equal(lam_model_levels(copy, 9).n, 0);
    assert_ptr_equal(lam_model_wanted(copy).levels, copy->texts);
    const size_t levels[DIM] = { 0, 2, 0 };
    static const char *const bad[] = { "[null,[\"a\"],null]", "[null,[\"b\",\"a\"],null]", "[null,[1,2],null]", "[null,[\"a\",\"b\"]]",
        "[null,[\"a\",\"b\"],null,null]", "{}", "[[\"a\"],[\"a\",\"b\"],null]", "" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(lam_texts_read("file", bad[i], levels, copy), LAM_ERR_FORMAT);
        assert_said("\"texts\"");
    }
    assert_ok(lam_texts_read("file", "[null,[\"a\",\"b\"],null]", levels, copy));
    assert_string_equal(lam_model_levels(copy, 1).item[0], "a");
    lam_model_free(copy);
    lam_model_free(m);
}

/* A file whose entries contradict each other is refused by the entry's name. NULL in place of a value: the entry is not there. */
static void edited_files(void **state)
{
    (void)state;
    static const char *const edits[][3] = { { "texts", NULL, "a column has levels of text" }, { "mean", "[1,0.25,0.5]", "standardises a column of text" },
        { "scale", "[2,3,1.5]", "standardises a column of text" }, { "given", "[1,1]", "wrong number of entries" }, { "given", "[0,1,0]", "the configuration" }, { "given", "[1,1,1]", "all columns are given" }, { "levels", "[2,2,0]", "tensor" },
        { "levels", "[0,0,0]", "tensor" }, { "levels", "[0,1.5,0]", "in their range" }, { "absent", "false", "is not true" },
        { "laminar", "1", "the format knows none" } };
    lam_model *m = model_given(1), *loaded;
    const char *path = scratch_path("edited.safetensors");
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
        lam_st_file file;
        lam_st_pair pairs[LAM_META_PAIRS + 1];
        size_t n = 0;
        assert_ok(lam_model_save(m, path));
        assert_ok(lam_st_read(path, &file));
        for (size_t k = 0; k < file.n_meta; k++)
            if (strcmp(file.meta[k].key, edits[i][0]) != 0)
                pairs[n++] = file.meta[k];
        if (edits[i][1] != NULL)
            pairs[n++] = (lam_st_pair) { edits[i][0], edits[i][1] };
        assert_ok(lam_st_write(path, file.tensors, file.n_tensors, pairs, n));
        lam_st_free(&file);
        lam_status status = lam_model_load(path, NULL, &loaded);
        assert_int_equal(status, strcmp(edits[i][2], "tensor") == 0 ? LAM_ERR_SHAPE : LAM_ERR_FORMAT);
        assert_said(edits[i][2]);
        assert_said("damaged or was edited by hand");
    }
    unlink(path);
    lam_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masses_of_rows),
        cmocka_unit_test(a_normal_density),
        cmocka_unit_test(a_mean_of_densities),
        cmocka_unit_test(by_way_of_the_base),
        cmocka_unit_test(a_bent_density),
        cmocka_unit_test(far_out),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(roles_of_a_fixed_split),
        cmocka_unit_test(calibration),
        cmocka_unit_test(levels_in_the_file),
        cmocka_unit_test(edited_files),
    };
    return cmocka_run_group_tests_name("predict", tests, scratch_open, scratch_close);
}
