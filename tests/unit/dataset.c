/* Splits, noise, standardising, and what is refused or warned of. */
#include "fails.h"
#include "data/dataset.h"
#include "base/random.h"
#include "data/gaussian.h"
#include "data/table.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "heard.h"
#include "model/config.h"

/* rows x cols of standard normals, scaled by 1 + column and moved by 10 column. */
static lam_table *normals(size_t rows, size_t cols, uint64_t stream)
{
    lam_table *t;
    assert_int_equal(lam_table_create(rows, cols, &t), LAM_OK);
    for (size_t i = 0; i < rows; i++) {
        double *row = t->values + i * cols;
        lam_random_normal_row(4, LAM_DRAW_TEST, stream, i, row, cols);
        for (size_t j = 0; j < cols; j++)
            row[j] = 10 * (double)j + (1 + (double)j) * row[j];
    }
    return t;
}

static lam_config config(void)
{
    return (lam_config){ .val_fraction = 0.1, .test_fraction = 0.2, .split_seed = 5, .standardise = 1 };
}

static lam_dataset *build(const lam_config *cfg, const lam_table *t)
{
    lam_dataset *data = NULL;
    if (lam_dataset_build(cfg, t, NULL, NULL, NULL, &data) != LAM_OK)
        fail_msg("%s", lam_last_error());
    return data;
}

/* Sizes, that every row is in exactly one part, and that the test rows do not hang on the validation fraction. */
static void split_by_fraction(void **state)
{
    (void)state;
    lam_table *t = normals(1003, 2, 0);
    lam_config cfg = config();
    lam_dataset *a = build(&cfg, t);
    size_t n;
    int seen[1003] = { 0 }, in_order = 0;
    assert_int_equal(lam_dataset_dim(a), 2);
    assert_ptr_equal(lam_dataset_rows(a, LAM_TEST, &n), a->values[LAM_TEST]);
    assert_int_equal(n, 200);                  /* floor(0.2 * 1003) */
    assert_int_equal(a->rows[LAM_VALID], 80);  /* floor(0.1 * 803) */
    assert_int_equal(a->rows[LAM_TRAIN], 723);
    for (int part = 0; part < LAM_PARTS; part++)
        for (size_t i = 0; i < a->rows[part]; i++) {
            size_t from = a->source[part][i];
            assert_int_equal(seen[from]++, 0);
            in_order += i > 0 && from == a->source[part][i - 1] + 1;
            for (size_t j = 0; j < 2; j++) /* z = (x - mean) / scale, to the bit */
                assert_true(a->values[part][2 * i + j] == (t->values[2 * from + j] - a->mean[j]) / a->scale[j]);
        }
    assert_true(in_order < 10); /* shuffled: one neighbour is kept on average */
    char hash[33];
    lam_table_digest(t->values, 1003, 2, hash); /* of the numbers as they are now, not of the zeros at creation */
    assert_string_equal(a->hash, hash);
    cfg.val_fraction = 0.4;
    lam_dataset *b = build(&cfg, t);
    assert_memory_equal(a->source[LAM_TEST], b->source[LAM_TEST], 200 * sizeof(size_t));
    assert_int_equal(b->rows[LAM_VALID], 321);
    cfg.split_seed = 6;
    lam_dataset *c = build(&cfg, t);
    assert_memory_not_equal(b->source[LAM_TEST], c->source[LAM_TEST], 200 * sizeof(size_t));
    assert_string_equal(b->hash, c->hash); /* the same data, split otherwise */
    cfg.val_fraction = cfg.test_fraction = 0;
    lam_dataset *d = build(&cfg, t);
    assert_int_equal(d->rows[LAM_TRAIN], 1003);
    assert_null(lam_dataset_rows(d, LAM_VALID, &n));
    assert_int_equal(n, 0);
    lam_dataset_free(a), lam_dataset_free(b), lam_dataset_free(c), lam_dataset_free(d), lam_dataset_free(NULL);
    lam_table_free(t);
}

/* Training rows have mean 0 and population variance 1 to rounding; the log-determinant is -sum log scale. */
static void standardised_by_training_rows(void **state)
{
    (void)state;
    lam_table *t = normals(500, 3, 0);
    lam_config cfg = config();
    lam_dataset *a = build(&cfg, t);
    double log_det = 0;
    for (size_t j = 0; j < 3; j++) {
        double sum = 0, square = 0;
        for (size_t i = 0; i < a->rows[LAM_TRAIN]; i++) {
            double z = a->values[LAM_TRAIN][3 * i + j];
            sum += z, square += z * z;
        }
        double n = (double)a->rows[LAM_TRAIN];
        assert_true(fabs(sum / n) < 1e-13 && fabs(square / n - 1) < 1e-13);
        assert_true(fabs(a->mean[j] - 10 * (double)j) < 0.8 && fabs(a->scale[j] / (1 + (double)j) - 1) < 0.2);
        log_det -= log(a->scale[j]);
    }
    assert_true(fabs(a->log_det - log_det) < 1e-14);
    cfg.standardise = 0;
    lam_dataset *b = build(&cfg, t);
    assert_true(b->mean[2] == 0 && b->scale[2] == 1 && b->log_det == 0);
    assert_true(b->values[LAM_TRAIN][0] == t->values[3 * b->source[LAM_TRAIN][0]]);
    lam_gaussian_score score;
    assert_int_equal(lam_gaussian_test(a, NULL, a->rows[LAM_TEST], 0, NULL, &score), LAM_OK);
    assert_int_equal(score.fitted, a->rows[LAM_TRAIN]);
    assert_true(fabs(score.nll - 3 * 1.4189385) < 0.6); /* entropy of three standard normals; 100 rows: error sqrt(3/200) = 0.12 */
    lam_dataset_free(a), lam_dataset_free(b);
    lam_table_free(t);
}

/* Noise is uniform on [0, a), counted by (column, row): the same for every split. */
static void noise(void **state)
{
    (void)state;
    lam_table *t = normals(2000, 2, 0);
    lam_config cfg = config();
    cfg.standardise = 0;
    cfg.noise = (lam_names)LAM_NAMES("2:0.5", "1:0");
    lam_dataset *a = build(&cfg, t);
    cfg.val_fraction = cfg.test_fraction = 0;
    lam_dataset *b = build(&cfg, t);
    double sum = 0, added[2000] = { 0 };
    assert_true(a->noise[0] == 0 && a->noise[1] == 0.5);
    for (size_t i = 0; i < 2000; i++) {
        size_t row = b->source[LAM_TRAIN][i];
        added[row] = b->values[LAM_TRAIN][2 * i + 1];
        double u = added[row] - t->values[2 * row + 1];
        assert_true(u > -1e-12 && u < 0.5 + 1e-12 && b->values[LAM_TRAIN][2 * i] == t->values[2 * row]);
        sum += u;
    }
    assert_true(fabs(sum / 2000 - 0.25) < 5 * 0.5 / sqrt(12 * 2000.0)); /* five standard errors */
    for (int part = 0; part < LAM_PARTS; part++)
        for (size_t i = 0; i < a->rows[part]; i++)
            assert_true(a->values[part][2 * i + 1] == added[a->source[part][i]]);
    assert_string_equal(a->hash, b->hash);
    lam_dataset_free(a), lam_dataset_free(b);
    static const char *const wrong[][3] = { { "2", "neither auto nor COLUMN:WIDTH" }, { "2:x", "does not end in a width" },
        { "2:-1", "does not end in a width" }, { "2:", "does not end in a width" }, { "2:nan", "does not end in a width" },
        { "3:1", "no column \"3\"" }, { "2:1", "named twice", "2:1" }, { "", "neither auto nor COLUMN:WIDTH" } };
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        lam_dataset *data;
        const char *const items[] = { wrong[k][0], wrong[k][2] };
        cfg.noise = (lam_names){ items, items[1] != NULL ? 2 : 1 };
        FAILS(lam_dataset_build(&cfg, t, NULL, NULL, NULL, &data), LAM_ERR_ARGUMENT, wrong[k][1]);
        assert_null(data);
    }
    lam_table_free(t);
}

/* "auto" gives every column of few values the spacing of its values, but for those that are named; log hears which. */
static void automatic_noise(void **state)
{
    (void)state;
    lam_table *t = normals(3000, 4, 0);
    lam_config cfg = config();
    heard h = { 0 };
    lam_log log = { listen_to, &h };
    lam_dataset *a, *b;
    for (size_t i = 0; i < 3000; i++) {
        double *row = t->values + 4 * i;
        row[0] = round(10 * row[0]) / 10, row[1] = floor(row[1]), row[2] = floor(row[2]);
    }
    cfg.noise = (lam_names)LAM_NAMES("3:0", "auto");
    assert_int_equal(lam_dataset_build(&cfg, t, NULL, NULL, &log, &a), LAM_OK);
    assert_true(a->noise[0] == 0.1 && a->noise[1] == 1 && a->noise[2] == 0 && a->noise[3] == 0);
    assert_int_equal(h.lines, 1);
    assert_non_null(strstr(h.text, "--noise auto adds noise to 2 columns of few distinct values, as --noise 1:0.1,2:1 does"));
    cfg.noise = (lam_names)LAM_NAMES("1:0.1", "2:1", "3:0"); /* what it said gives the same rows, also where nobody listens */
    b = build(&cfg, t);
    assert_memory_equal(a->values[LAM_TRAIN], b->values[LAM_TRAIN], a->rows[LAM_TRAIN] * 4 * sizeof(double));
    lam_dataset_free(a), lam_dataset_free(b);
    lam_table_free(t);
}

/* Three tables stay as they are, in order, and are standardised by the first. */
static void three_tables(void **state)
{
    (void)state;
    lam_table *train = normals(300, 2, 0), *valid = normals(20, 2, 1), *test = normals(30, 2, 2), *wide = normals(30, 3, 3);
    lam_config cfg = config();
    lam_dataset *a, *b;
    assert_int_equal(lam_dataset_build(&cfg, train, valid, test, NULL, &a), LAM_OK);
    assert_true(a->rows[LAM_TRAIN] == 300 && a->rows[LAM_VALID] == 20 && a->rows[LAM_TEST] == 30);
    assert_true(a->values[LAM_TEST][3] == (test->values[3] - a->mean[1]) / a->scale[1]);
    assert_true(a->values[LAM_TRAIN][1] == (train->values[1] - a->mean[1]) / a->scale[1]);
    cfg.noise = (lam_names)LAM_NAMES("1:0.001");
    cfg.val_fraction = 0;
    assert_int_equal(lam_dataset_build(&cfg, train, NULL, test, NULL, &b), LAM_OK);
    assert_true(b->rows[LAM_TRAIN] == 300 && b->rows[LAM_VALID] == 0 && b->rows[LAM_TEST] == 30);
    assert_string_not_equal(a->hash, b->hash);
    for (int part = 0; part < LAM_PARTS; part += 2) { /* noise on each, not the same draws */
        double u = b->values[part][0] * b->scale[0] + b->mean[0] - (part == LAM_TRAIN ? train : test)->values[0];
        assert_true(u > 0 && u < 0.001);
    }
    double u0 = b->values[LAM_TRAIN][0] * b->scale[0] + b->mean[0] - train->values[0];
    double u1 = b->values[LAM_TEST][0] * b->scale[0] + b->mean[0] - test->values[0];
    assert_true(fabs(u0 - u1) > 1e-9);
    lam_dataset_free(a), lam_dataset_free(b);
    FAILS(lam_dataset_build(&cfg, train, wide, NULL, NULL, &a), LAM_ERR_SHAPE, "the validation table has 3 columns, the training table takes 2");
    train->has_names = test->has_names = 1;
    assert_int_equal(lam_table_rename(test, 1, "other"), LAM_OK);
    FAILS(lam_dataset_build(&cfg, train, valid, test, NULL, &a), LAM_ERR_SHAPE, "the test table has no column \"2\", which the training table takes; it has 1, other");
    lam_table_free(train), lam_table_free(valid), lam_table_free(test), lam_table_free(wide);
}

/* Test rows of a file of their own leave the validation rows to the other one: a tenth of it, each row once. */
static void validation_beside_a_test_file(void **state)
{
    (void)state;
    lam_config cfg;
    lam_table *all, *test;
    lam_dataset *data;
    lam_config_init(&cfg);
    assert_int_equal(lam_config_set(&cfg, "noise", "x:0.5"), LAM_OK);
    assert_int_equal(lam_table_toy("moons", 200, 1, &all), LAM_OK);
    assert_int_equal(lam_table_toy("moons", 30, 2, &test), LAM_OK);
    assert_int_equal(lam_dataset_build(&cfg, all, NULL, test, NULL, &data), LAM_OK);
    assert_int_equal(data->rows[LAM_TRAIN], 180);
    assert_int_equal(data->rows[LAM_VALID], 20);
    assert_int_equal(data->rows[LAM_TEST], 30);
    int seen[200] = { 0 };
    for (int part = LAM_TRAIN; part <= LAM_VALID; part++)
        for (size_t i = 0; i < data->rows[part]; i++) {
            size_t row = data->source[part][i];
            double y = data->values[part][i * 2 + 1] * data->scale[1] + data->mean[1];
            assert_true(row < 200 && !seen[row]++);
            assert_true(fabs(y - all->values[row * 2 + 1]) < 1e-12);
        }
    for (size_t i = 0; i < 30; i++) {
        double y = data->values[LAM_TEST][i * 2 + 1] * data->scale[1] + data->mean[1];
        double noise = data->values[LAM_TEST][i * 2] * data->scale[0] + data->mean[0] - test->values[i * 2];
        assert_int_equal(data->source[LAM_TEST][i], i);
        assert_true(fabs(y - test->values[i * 2 + 1]) < 1e-12);
        assert_true(noise >= -1e-12 && noise < 0.5);
    }
    lam_dataset_free(data);
    cfg.val_fraction = 0; /* who wants none says so */
    assert_int_equal(lam_dataset_build(&cfg, all, NULL, test, NULL, &data), LAM_OK);
    assert_int_equal(data->rows[LAM_VALID], 0);
    lam_dataset_free(data);
    lam_table_free(all);
    lam_table_free(test);
    lam_config_clear(&cfg);
}

static void refusals(void **state)
{
    (void)state;
    lam_config cfg = config();
    lam_dataset *data;
    lam_table *t = normals(100, 3, 0), *few = normals(5, 4, 0), *one;
    FAILS(lam_dataset_build(&cfg, few, NULL, NULL, NULL, &data), LAM_ERR_DATA, "3 training rows are too few for 4 columns");
    assert_int_equal(lam_table_create(1, 1, &one), LAM_OK);
    FAILS(lam_dataset_build(&cfg, one, NULL, NULL, NULL, &data), LAM_ERR_DATA, "leave none for training");
    cfg.test_fraction = 1;
    FAILS(lam_dataset_build(&cfg, t, NULL, NULL, NULL, &data), LAM_ERR_ARGUMENT, "below 1");
    cfg.test_fraction = NAN;
    FAILS(lam_dataset_build(&cfg, t, NULL, NULL, NULL, &data), LAM_ERR_ARGUMENT, "below 1");
    cfg.test_fraction = 0.1;
    double kept = t->values[3 * 41 + 2];
    t->values[3 * 41 + 2] = NAN;
    FAILS(lam_dataset_build(&cfg, t, NULL, NULL, NULL, &data), LAM_ERR_DATA, "row 42, column 3 (3) of the training table is NaN");
    t->values[3 * 41 + 2] = -INFINITY;
    FAILS(lam_dataset_build(&cfg, t, NULL, NULL, NULL, &data), LAM_ERR_DATA, "is infinite");
    t->values[3 * 41 + 2] = kept;
    for (size_t i = 0; i < 100; i++)
        t->values[3 * i + 1] = 0.25;
    FAILS(lam_dataset_build(&cfg, t, NULL, NULL, NULL, &data), LAM_ERR_DATA, "column 2 (2) is constant: every training row has 0.25");
    FAILS(lam_dataset_build(&cfg, t, NULL, NULL, NULL, &data), LAM_ERR_DATA, "--drop 2");
    for (size_t i = 0; i < 100; i++)
        t->values[3 * i] = 0.3;
    FAILS(lam_dataset_build(&cfg, t, NULL, NULL, NULL, &data), LAM_ERR_DATA, "1 (every training row has 0.3) and 2 (every");
    for (size_t i = 0; i < 100; i++)
        t->values[3 * i] = i % 2 ? 0.3 : 0.1 + 0.2;
    FAILS(lam_dataset_build(&cfg, t, NULL, NULL, NULL, &data), LAM_ERR_DATA, "2 columns are constant: 1 (every training row has 0.3, "
        "but for the last digits, which are rounding) and 2 (every training row has 0.25); leave them out with --drop 1,2");
    for (size_t i = 0; i < 100; i++)
        t->values[3 * i] = (double)i, t->values[3 * i + 1] = i % 2 ? 1e300 : -1e300;
    FAILS(lam_dataset_build(&cfg, t, NULL, NULL, NULL, &data), LAM_ERR_DATA, "rescale it");
    assert_null(data);
    lam_table_free(t), lam_table_free(few), lam_table_free(one);
}

/* Five columns: grid of 0.01, whole numbers, a spike of 30 % at 0 in a continuum, a continuum, a grid with noise given. */
static void discrete_columns_are_named(void **state)
{
    (void)state;
    enum { N = 5000 };
    lam_table *t = normals(N, 5, 0);
    lam_config cfg = config();
    lam_dataset *data;
    heard h = { 0 };
    lam_log log = { listen_to, &h };
    for (size_t i = 0; i < N; i++) {
        double *row = t->values + 5 * i;
        row[0] = round(100 * row[0] / 2) / 100;
        row[1] = floor(row[1] + 0.5);
        row[2] = i % 10 < 3 ? 0 : row[2];
        row[4] = floor(row[4]);
    }
    cfg.noise = (lam_names)LAM_NAMES("5:0");
    assert_int_equal(lam_dataset_build(&cfg, t, NULL, NULL, &log, &data), LAM_OK);
    lam_dataset_free(data);
    assert_int_equal(h.lines, 1);
    assert_non_null(strstr(h.text, "columns with few distinct values in 3600 training rows: 1 ("));
    assert_non_null(strstr(h.text, "), 2 ("));
    assert_non_null(strstr(h.text, " and 3 (0 in "));
    assert_non_null(strstr(h.text, "--noise auto, which adds noise as wide as the gaps between the values and here is --noise 1:0.01,2:1,3:"));
    lam_column_look look;
    assert_int_equal(lam_column_look_at(t->values + 2, N, 5, &look), LAM_OK);
    assert_true(look.discrete && look.common == 0 && look.most == 3 * N / 10 && look.distinct == N - look.most + 1);
    assert_int_equal(lam_dataset_build(&cfg, t, NULL, NULL, NULL, &data), LAM_OK); /* nobody listens */
    lam_dataset_free(data);
    lam_table_free(t);
}

/* Spacing of an evenly spaced column comes out as it is written, whatever its scale. */
static void spacing_of_grids(void **state)
{
    (void)state;
    static const double steps[] = { 0.001, 0.002, 0.01, 0.1, 0.5, 1, 5, 1000, 1e-9 };
    static double x[3000];
    for (size_t k = 0; k < sizeof steps / sizeof *steps; k++) {
        lam_column_look look;
        for (size_t i = 0; i < 1000; i++) {
            char text[32];
            snprintf(text, sizeof text, "%.9f", steps[k] * (double)(i % 37));
            x[3 * i] = strtod(text, NULL);
        }
        assert_int_equal(lam_column_look_at(x, 1000, 3, &look), LAM_OK);
        assert_int_equal(look.distinct, 37);
        assert_int_equal(look.most, 28); /* 1000 = 27 * 37 + 1 */
        assert_int_equal(look.sampled, 1000);
        assert_true(look.discrete && fabs(look.spacing / steps[k] - 1) < 1e-9);
    }
}

/* One value among many others: told of from a twentieth of the rows on. */
static void atoms(void **state)
{
    (void)state;
    static double x[1000];
    for (size_t most = 50; most <= 51; most++) {
        lam_column_look look;
        for (size_t i = 0; i < 1000; i++)
            x[i] = i < most ? 0 : sqrt((double)i);
        assert_int_equal(lam_column_look_at(x, 1000, 1, &look), LAM_OK);
        assert_true(look.most == most && look.common == 0);
        assert_int_equal(look.discrete, most > 50);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split_by_fraction),
        cmocka_unit_test(standardised_by_training_rows),
        cmocka_unit_test(noise),
        cmocka_unit_test(automatic_noise),
        cmocka_unit_test(three_tables),
        cmocka_unit_test(validation_beside_a_test_file),
        cmocka_unit_test(refusals),
        cmocka_unit_test(discrete_columns_are_named),
        cmocka_unit_test(spacing_of_grids),
        cmocka_unit_test(atoms),
    };
    return cmocka_run_group_tests_name("dataset", tests, NULL, NULL);
}
