/* What one reading of long training rows takes down: against readings of its own for each, and wherever the rows are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include "base/mem.h"
#include "base/random.h"
#include "data/dataset.h"
#include "data/gaussian.h"
#include "data/maps.h"
#include "data/moments.h"
#include "model/config.h"
#include <cmocka.h>
#include "heard.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N = 1200000, COLS = 4 };

/* A column of a mean that is a million times its deviation, one of two parts, one that goes with the first, and one of halves. */
static double value(size_t i, size_t j)
{
    double z[2], first = lam_random_uniform(1, LAM_DRAW_TEST, 0, i);
    lam_random_normal2(2, LAM_DRAW_TEST, j, i, z);
    switch (j) {
    case 0: return 3e5 + first;
    case 1: return z[0] < 0 ? 0.1 * z[1] : 4 + z[1];
    case 2: return first + 0.3 * z[0];
    default: return floor(8 * z[0]) / 2;
    }
}

static lam_table *make_table(size_t rows)
{
    lam_table *t;
    assert_int_equal(lam_table_create(rows, COLS, &t), LAM_OK);
    for (size_t i = 0; i < rows * COLS; i++)
        t->values[i] = value(i / COLS, i % COLS);
    return t;
}

static lam_dataset *build(const lam_config *cfg, const lam_table *t, heard *h)
{
    lam_dataset *data = NULL;
    lam_log log = { listen_to, h };
    if (lam_dataset_build(cfg, t, NULL, NULL, h != NULL ? &log : NULL, &data) != LAM_OK)
        fail_msg("%s", lam_last_error());
    return data;
}

static void expect(const heard *h, const char *text)
{
    if (strstr(h->text, text) == NULL)
        fail_msg("\"%s\" should be in \"%s\"", text, h->text);
}

/* ---- numbers ------------------------------------------------------------------------------------------------------ */

/* The training rows of a data set: mean 0 and variance 1 of each column by plain sums in extended precision, as exact as the mean of a column is as a double,
 * and 65,536 squares added up in double. */
static void check_scales(const lam_dataset *data)
{
    const double *x = data->values[LAM_TRAIN];
    size_t n = data->rows[LAM_TRAIN];
    for (size_t j = 0; j < COLS; j++) {
        long double sum = 0, square = 0;
        for (size_t i = 0; i < n; i++)
            sum += x[i * COLS + j], square += (long double)x[i * COLS + j] * x[i * COLS + j];
        assert_true(fabs((double)(sum / (long double)n)) < 1e-15 * (1 + fabs(data->mean[j] / data->scale[j])));
        assert_true(fabs((double)(square / (long double)n) - 1) < 65536 * 0x1p-53);
    }
}

/* The covariance that is kept, against a Gaussian that is fitted to the rows. */
static void check_covariance(const lam_dataset *data)
{
    lam_gaussian g;
    double kept_share, share;
    lam_dataset without = *data;
    lam_gaussian_score kept, read;
    assert_non_null(data->covariance);
    assert_int_equal(lam_gaussian_fit(data->values[LAM_TRAIN], data->rows[LAM_TRAIN], COLS, NULL, &g), LAM_OK);
    for (size_t j = 0; j < COLS; j++) {
        assert_true(fabs(data->centre[j] - g.mean[j]) < 1e-10);
        for (size_t k = 0; k <= j; k++) {
            double product = 0;
            for (size_t l = 0; l <= k; l++)
                product += g.lower[j * COLS + l] * g.lower[k * COLS + l];
            assert_true(fabs(data->covariance[j * COLS + k] - product) < 1e-10);
        }
    }
    lam_gaussian_clear(&g);
    without.covariance = NULL;
    assert_int_equal(lam_gaussian_test(data, NULL, 1000, 0, NULL, &kept), LAM_OK);
    assert_int_equal(lam_gaussian_test(&without, NULL, 1000, 0, NULL, &read), LAM_OK);
    assert_true(kept.fitted == read.fitted && fabs(kept.nll - read.nll) < 1e-9 && fabs(kept.se - read.se) < 1e-9);
    assert_int_equal(lam_least_unexplained_kept(data, &kept_share), LAM_OK);
    assert_int_equal(lam_least_unexplained(data->values[LAM_TRAIN], data->rows[LAM_TRAIN], COLS, &share), LAM_OK);
    assert_true(fabs(kept_share / share - 1) < 0.05); /* of all rows, and of 20,000: 1/sqrt(20,000) */
}

/* Bit by bit. */
static void check_maps(const lam_maps *a, const lam_maps *b)
{
    for (size_t j = 0; j < COLS; j++) {
        size_t size = a->column[j].n * sizeof(double);
        assert_int_equal(a->column[j].n, b->column[j].n);
        assert_memory_equal(a->column[j].x, b->column[j].x, size);
        assert_memory_equal(a->column[j].z, b->column[j].z, size);
        assert_memory_equal(a->column[j].slope, b->column[j].slope, size);
    }
}

/* Sketches of the numbers as they came make the maps of the standardised rows; and so do those of a part of the columns, with the rest read later. */
static void check_all_maps(const lam_dataset *data)
{
    lam_maps *read, *rest;
    lam_maps_rows of = { .x = data->values[LAM_TRAIN], .n = data->rows[LAM_TRAIN], .dim = COLS };
    assert_true(data->map_columns == COLS && data->map_knots == 64);
    assert_int_equal(lam_maps_fit(&of, 64, &read), LAM_OK);
    check_maps(data->maps, read);
    of.ready = data->maps, of.ready_columns = 1;
    assert_int_equal(lam_maps_fit(&of, 64, &rest), LAM_OK);
    check_maps(rest, read);
    lam_maps_free(read), lam_maps_free(rest);
}

static void one_reading_is_as_good_as_many(void **state)
{
    (void)state;
    static const double widths[] = { 0, 0.5 }; /* with noise the rows are measured in a reading of its own */
    lam_table *t = make_table(N);
    lam_config *cfg;
    for (int k = 0; k < 2; k++) {
        char text[200];
        snprintf(text, sizeof text, "{map: 'normal-scores:64', val-fraction: 0.001, test-fraction: 0.001, noise: [\"4:%g\"]}", widths[k]);
        assert_int_equal(lam_config_create(text, &cfg), LAM_OK);
        lam_dataset *data = build(cfg, t, NULL);
        check_scales(data);
        check_covariance(data);
        check_all_maps(data);
        lam_dataset_free(data), lam_config_free(cfg);
    }
    lam_table_free(t);
}

/* ---- what is said ------------------------------------------------------------------------------------------------- */

/* One odd thing of each kind in long rows: all that is told of short ones is told of them. */
static void doubts_are_told(void **state)
{
    (void)state;
    lam_table *t = make_table(N);
    lam_config *cfg;
    heard h = { 0 };
    for (size_t i = 0; i < N; i++) {
        double *row = t->values + i * COLS;
        row[1] = i % 1000 == 0 ? -9999 : row[1];
        row[2] = 3 - 2 * row[0];
    }
    for (size_t i = 0; i < N / 20; i++) /* of which one or the other is a test row where its twin is a training row */
        memcpy(t->values + (N - 1 - i) * COLS, t->values + i * COLS, COLS * sizeof(double));
    assert_int_equal(lam_config_create("{}", &cfg), LAM_OK);
    lam_dataset *data = build(cfg, t, &h);
    expect(&h, "far from all others of its column, as they stand for a missing one: 2 (-9999 in ");
    expect(&h, "with few distinct values in 50000 training rows: 4 (");
    expect(&h, "test rows are equal to training rows");
    expect(&h, "linear function of others in every training row: ");
    assert_int_equal(h.lines, 4);
    assert_true(data->low[1] > -100 && data->low[1] < -0.1);
    lam_dataset_free(data), lam_config_free(cfg), lam_table_free(t);
}

/* Cells that are missing are counted, and are no reason to look at a column again; a value that is far from all others is. */
static void cells_may_be_missing(void **state)
{
    (void)state;
    lam_table *t = make_table(N);
    lam_config *cfg;
    heard h = { 0 };
    size_t missing = 0;
    for (size_t i = 0; i < N; i++) {
        double *row = t->values + i * COLS;
        if (i % 3 == 0)
            row[1] = (double)NAN;
        if (i % 5 == 0)
            row[2] = (double)NAN;
        if (i % 5 == 1 && i % 1000 == 1)
            row[2] = 1e9;
    }
    assert_int_equal(lam_config_create("{any-given: true, map: normal-scores, val-fraction: 0.001, test-fraction: 0.001}", &cfg), LAM_OK);
    lam_dataset *data = build(cfg, t, &h);
    for (size_t i = 0; i < data->rows[LAM_TRAIN] * COLS; i++)
        missing += (size_t)(isnan(data->values[LAM_TRAIN][i]) != 0);
    assert_int_equal(data->missing[LAM_TRAIN], missing);
    assert_null(data->covariance);
    assert_non_null(data->maps);
    char told[100];
    snprintf(told, sizeof told, "%zu cells of %zu training rows are missing, in ", missing, data->rows[LAM_TRAIN]);
    expect(&h, told);
    expect(&h, "as they stand for a missing one: 3 (1000000000 in ");
    lam_dataset_free(data), lam_config_free(cfg), lam_table_free(t);
}

/* Of many test rows so many are looked for among the training rows as tell a share. */
static void repeats_of_long_parts_are_told_by_some(void **state)
{
    (void)state;
    enum { TEST = 300000 };
    lam_table *test = make_table(TEST), *train = make_table(TEST / 2), *valid = make_table(100);
    lam_dataset *data = NULL;
    lam_config *cfg;
    heard h = { 0 };
    lam_log log = { listen_to, &h };
    assert_int_equal(lam_config_create("{}", &cfg), LAM_OK);
    assert_int_equal(lam_dataset_build(cfg, train, valid, test, &log, &data), LAM_OK);
    expect(&h, "65536 of 131072 test rows that were looked at are equal to training rows");
    lam_dataset_free(data), lam_config_free(cfg);
    lam_table_free(test), lam_table_free(train), lam_table_free(valid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_reading_is_as_good_as_many),
        cmocka_unit_test(doubts_are_told),
        cmocka_unit_test(cells_may_be_missing),
        cmocka_unit_test(repeats_of_long_parts_are_told_by_some),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
