/* A data set some of whose columns are given, with missing cells and with columns of text. */
#include "fails.h"
#include "data/dataset.h"
#include "base/config.h"
#include "base/random.h"
#include "data/maps.h"
#include "data/present.h"
#include "data/table.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "heard.h"

enum { ROWS = 200, COLS = 4 };

/* Normals in columns a, b, y; c is text of three levels. Every fifth y and every tenth b is missing. */
static lam_table *table_with_holes(void)
{
    static const char *const names[COLS] = { "a", "b", "c", "y" };
    const lam_names levels = LAM_NAMES("blue", "green", "red");
    lam_table *t;
    assert_int_equal(lam_table_create(ROWS, COLS, &t), LAM_OK);
    for (size_t j = 0; j < COLS; j++)
        assert_int_equal(lam_table_rename(t, j, names[j]), LAM_OK);
    for (size_t i = 0; i < ROWS; i++) {
        double *row = t->values + COLS * i;
        lam_random_normal_row(7, LAM_DRAW_TEST, 0, i, row, COLS);
        row[0] = 100 + 5 * row[0];
        row[2] = (double)(i % 3);
        if (i % 10 == 1)
            row[1] = (double)NAN;
        if (i % 5 == 2)
            row[3] = (double)NAN;
    }
    assert_int_equal(lam_table_set_levels(t, 2, &levels), LAM_OK);
    return t;
}

static lam_config config(const char *const *given, size_t n)
{
    return (lam_config){ .val_fraction = 0, .test_fraction = 0, .split_seed = 5, .standardise = 1, .given = { given, n } };
}

static lam_status build(const lam_config *cfg, const lam_table *t, const lam_log *log, lam_dataset **out)
{
    return lam_dataset_build(cfg, t, NULL, NULL, log, out);
}

/* Mean and scale of what is there; text keeps its numbers. */
static void moments_of_present_cells(void **state)
{
    (void)state;
    lam_table *t = table_with_holes();
    lam_config cfg = config((const char *const[]){ "a", "c" }, 2);
    lam_dataset *data;
    assert_int_equal(build(&cfg, t, NULL, &data), LAM_OK);
    double sum[COLS] = { 0 }, square[COLS] = { 0 }, n[COLS] = { 0 };
    for (size_t i = 0; i < ROWS * COLS; i++)
        if (!isnan(t->values[i]))
            sum[i % COLS] += t->values[i], n[i % COLS]++;
    for (size_t i = 0; i < ROWS * COLS; i++)
        if (!isnan(t->values[i]))
            square[i % COLS] += pow(t->values[i] - sum[i % COLS] / n[i % COLS], 2);
    for (size_t j = 0; j < COLS; j++) {
        assert_true(fabs(data->mean[j] - (j == 2 ? 0 : sum[j] / n[j])) < 1e-12 * 100);
        assert_true(fabs(data->scale[j] - (j == 2 ? 1 : sqrt(square[j] / n[j]))) < 1e-12);
        assert_int_equal(data->is_input[j], j == 0 || j == 2);
        assert_int_equal(data->levels[j], j == 2 ? 3 : 0);
    }
    assert_true(fabs(data->log_det + log(data->scale[1]) + log(data->scale[3])) < 1e-12); /* of the columns that move */
    assert_int_equal(data->missing[LAM_TRAIN], ROWS / 10 + ROWS / 5);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < COLS; j++) {
            double x = t->values[COLS * data->source[LAM_TRAIN][i] + j], z = data->values[LAM_TRAIN][COLS * i + j];
            assert_int_equal(isnan(x) != 0, isnan(z) != 0);
            assert_true(isnan(x) || z == (x - data->mean[j]) / data->scale[j]);
        }
    lam_dataset_free(data);
    lam_table_free(t);
}

static void what_is_refused(void **state)
{
    (void)state;
    lam_table *t = table_with_holes();
    lam_dataset *data = NULL;
    lam_config cfg = config((const char *const[]){ "c" }, 1);
    cfg.given.n = 0;
    FAILS(build(&cfg, t, NULL, &data), LAM_ERR_DATA, "column 3 (c) of the training table is text");
    cfg = config((const char *const[]){ "b", "c" }, 2);
    FAILS(build(&cfg, t, NULL, &data), LAM_ERR_DATA, "row 2, column 2 (b) of the training table is missing (NaN), and the column is given: --any-given");
    cfg = config((const char *const[]){ "c", "3" }, 2);
    FAILS(build(&cfg, t, NULL, &data), LAM_ERR_ARGUMENT, "given: column \"3\" is named twice");
    cfg = config((const char *const[]){ "colour" }, 1);
    FAILS(build(&cfg, t, NULL, &data), LAM_ERR_ARGUMENT, "given: there is no column \"colour\"");
    cfg = config((const char *const[]){ "a", "b", "c", "y" }, 4);
    FAILS(build(&cfg, t, NULL, &data), LAM_ERR_ARGUMENT, "none is left");
    cfg = config((const char *const[]){ "a", "c" }, 2);
    cfg.noise = (lam_names)LAM_NAMES("a:1");
    FAILS(build(&cfg, t, NULL, &data), LAM_ERR_ARGUMENT, "the column a is given, and given columns get no noise");
    cfg.noise.n = 0;
    t->values[5] = t->values[7] = (double)NAN;
    FAILS(build(&cfg, t, NULL, &data), LAM_ERR_DATA, "1 rows of the training table have no value in any column that is not given, the first is row 2");
    t->values[7] = (double)INFINITY;
    FAILS(build(&cfg, t, NULL, &data), LAM_ERR_DATA, "infinite");
    for (size_t i = 0; i < ROWS; i++)
        t->values[COLS * i + 1] = (double)NAN, t->values[COLS * i + 3] = (double)i;
    FAILS(build(&cfg, t, NULL, &data), LAM_ERR_DATA, "column 2 (b) is missing in every training row; leave it out with --drop b");
    lam_table_free(t);
}

/* Without --given or --any-given a missing cell is the error that it was, and says what else can be done. */
static void missing_cells_want_a_word(void **state)
{
    (void)state;
    lam_table *t;
    lam_dataset *data = NULL;
    lam_config cfg = config(NULL, 0);
    assert_int_equal(lam_table_create(ROWS, 2, &t), LAM_OK);
    for (size_t i = 0; i < ROWS; i++)
        lam_random_normal_row(8, LAM_DRAW_TEST, 0, i, t->values + 2 * i, 2);
    t->values[5] = (double)NAN;
    FAILS(build(&cfg, t, NULL, &data), LAM_ERR_DATA, "row 3, column 2");
    FAILS(build(&cfg, t, NULL, &data), LAM_ERR_DATA, "--drop-bad-rows");
    FAILS(build(&cfg, t, NULL, &data), LAM_ERR_DATA, "--any-given");
    cfg.any_given = 1;
    assert_int_equal(build(&cfg, t, NULL, &data), LAM_OK);
    assert_int_equal(data->missing[LAM_TRAIN], 1);
    lam_dataset_free(data);
    lam_table_free(t);
}

static void what_is_said(void **state)
{
    (void)state;
    lam_table *t = table_with_holes();
    lam_dataset *data;
    lam_config cfg = config((const char *const[]){ "a", "c" }, 2);
    heard h = { 0 };
    const lam_log log = { listen_to, &h };
    for (size_t i = 0; i < ROWS; i++)
        t->values[COLS * i] = (double)(i % 4); /* few values of an input are nobody's concern */
    assert_int_equal(build(&cfg, t, &log, &data), LAM_OK);
    assert_non_null(strstr(h.text, "60 cells of 200 training rows are missing, in 60 of these rows: b (20) and y (40)"));
    assert_non_null(strstr(h.text, "text makes one input a level: c (3: blue, green, red)"));
    assert_null(strstr(h.text, "few distinct values"));
    lam_dataset_free(data);
    lam_table_free(t);
}

/* Inputs that are functions of each other do no harm; a column whose density is asked and that inputs tell does. */
static void relations(void **state)
{
    (void)state;
    for (int of_inputs = 0; of_inputs < 2; of_inputs++) {
        lam_table *t = table_with_holes();
        lam_dataset *data;
        lam_config cfg = config((const char *const[]){ "a", "c", "b" }, of_inputs ? 3 : 2);
        heard h = { 0 };
        const lam_log log = { listen_to, &h };
        for (size_t i = 0; i < ROWS; i++)
            t->values[COLS * i + 1] = 2 * t->values[COLS * i] - 1, t->values[COLS * i + 3] = sin((double)i);
        assert_int_equal(build(&cfg, t, &log, &data), LAM_OK);
        assert_int_equal(strstr(h.text, "linear function") != NULL, !of_inputs);
        lam_dataset_free(data);
        lam_table_free(t);
    }
}

/* A map is that of the cells that are there, to the bit; that of text changes nothing. */
static void maps_of_present_cells(void **state)
{
    (void)state;
    lam_table *t = table_with_holes();
    lam_config cfg = config((const char *const[]){ "a", "c" }, 2);
    lam_dataset *data;
    lam_maps *maps, *one;
    double present[ROWS];
    assert_int_equal(build(&cfg, t, NULL, &data), LAM_OK);
    const double *x = data->values[LAM_TRAIN];
    assert_int_equal(lam_maps_fit(&(lam_maps_rows) { .x = x, .n = ROWS, .dim = COLS, .levels = data->texts }, 0, &maps), LAM_OK);
    size_t n = lam_present_cells(x + 3, ROWS, COLS, present);
    assert_int_equal(n, ROWS - ROWS / 5);
    assert_int_equal(lam_maps_fit(&(lam_maps_rows) { .x = present, .n = n, .dim = 1 }, 0, &one), LAM_OK);
    assert_int_equal(maps->column[3].n, one->column[0].n);
    assert_memory_equal(maps->table[3], one->table[0], LAM_MAP_TABLE * one->column[0].n * sizeof(double));
    double z[2 * COLS], log_det[2], slope, row[2 * COLS] = { 0.1, (double)NAN, 2, 0.3, 0.1, (double)NAN, 0, (double)NAN };
    lam_maps_forward(maps, row, 2, COLS, z, log_det);
    assert_true(z[2] == 2 && z[6] == 0 && isnan(z[1]) && isnan(z[5]) && isnan(z[7]));
    lam_spline_at(&maps->column[0], 0.1, &slope);
    double sum = log(slope);
    assert_true(fabs(log_det[1] - sum) < 1e-12);
    lam_spline_at(&maps->column[3], 0.3, &slope);
    assert_true(fabs(log_det[0] - sum - log(slope)) < 1e-12);
    lam_maps_free(one);
    lam_maps_free(maps);
    lam_dataset_free(data);
    lam_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_of_present_cells),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(missing_cells_want_a_word),
        cmocka_unit_test(what_is_said),
        cmocka_unit_test(relations),
        cmocka_unit_test(maps_of_present_cells),
    };
    return cmocka_run_group_tests_name("roles", tests, NULL, NULL);
}
