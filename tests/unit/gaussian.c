/* The full-covariance Gaussian against closed forms. */
#include "base/mem.h"
#include "data/dataset.h"
#include "data/gaussian.h"
#include "base/random.h"
#include "model/config.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const double half_log_2pi = 0.91893853320467274178;

/* Three points: mean (0, 1), covariance worked out by hand. Rounding alone is allowed: 1e-14. */
static void by_hand(void **state)
{
    (void)state;
    const double x[6] = { -1, 0, 0, 3, 1, 0 }; /* var x = 2/3, var y = 2, cov = 0 */
    lam_gaussian g;
    lam_gaussian_score score;
    assert_int_equal(lam_gaussian_fit(x, 3, 2, NULL, &g), LAM_OK);
    assert_true(fabs(g.mean[0]) < 1e-14 && fabs(g.mean[1] - 1) < 1e-14);
    assert_true(fabs(g.lower[0] - sqrt(2.0 / 3)) < 1e-14 && fabs(g.lower[3] - sqrt(2)) < 1e-14);
    assert_true(fabs(g.log_det - 0.5 * log(4.0 / 3)) < 1e-14);
    assert_int_equal(lam_gaussian_nll(&g, x, NULL, 3, &score), LAM_OK);
    /* on its own rows the mean quadratic form is the dimension */
    assert_true(fabs(score.nll - (1 + 0.5 * log(4.0 / 3) + 2 * half_log_2pi)) < 1e-14);
    const double at[2] = { 2, 3 };
    assert_int_equal(lam_gaussian_nll(&g, at, NULL, 1, &score), LAM_OK);
    assert_true(fabs(score.nll - (0.5 * (4 / (2.0 / 3) + 4 / 2.0) + 0.5 * log(4.0 / 3) + 2 * half_log_2pi)) < 1e-13);
    assert_int_equal(lam_gaussian_nll(&g, at, NULL, 0, &score), LAM_OK);
    assert_true(isnan(score.nll) && isnan(score.se));
    lam_gaussian_clear(&g);
}

/* A linear map A of standard normals: the entropy is log |det A| + d/2 (1 + log 2 pi); with n rows the maximum-likelihood
 * covariance is off by O(d^2 / n), here 9/20000, beside the sampling error sqrt(d/2n) = 0.009 of fresh rows. */
static void linear_map(void **state)
{
    (void)state;
    enum { N = 20000, D = 3 };
    static double x[2][N * D];
    const double a[D][D] = { { 2, 0, 0 }, { 1, 0.5, 0 }, { -3, 2, 0.1 } };
    for (uint64_t i = 0; i < 2 * N; i++) {
        double e[D];
        lam_random_normal_row(1, LAM_DRAW_TEST, 0, i, e, D);
        for (int r = 0; r < D; r++)
            for (int c = 0; c < D; c++)
                x[i / N][i % N * D + (uint64_t)r] += a[r][c] * e[c];
    }
    lam_gaussian g;
    lam_gaussian_score score;
    assert_int_equal(lam_gaussian_fit(x[0], N, D, NULL, &g), LAM_OK);
    assert_int_equal(lam_gaussian_nll(&g, x[1], NULL, N, &score), LAM_OK);
    assert_true(fabs(score.nll - (log(2 * 0.5 * 0.1) + D * (0.5 + half_log_2pi))) < 5 * 0.009);
    for (int r = 0; r < D; r++) /* the factor is A itself: lower with a positive diagonal, within 5 % at this size */
        for (int c = 0; c < D; c++)
            assert_true(fabs(g.lower[r * D + c] - a[r][c]) < 0.05 * fabs(a[r][r]) + 0.05);
    lam_gaussian_clear(&g);
}

static void singular(void **state)
{
    (void)state;
    double x[30];
    lam_gaussian g;
    char p[] = "p", q[] = "q", sum[] = "sum", *names[3] = { p, q, sum };
    for (uint64_t i = 0; i < 10; i++) {
        lam_random_normal2(1, LAM_DRAW_TEST, i, 0, x + 3 * i);
        x[3 * i + 2] = x[3 * i] + 3 * x[3 * i + 1];
    }
    assert_int_equal(lam_gaussian_fit(x, 10, 3, names, &g), LAM_ERR_DATA);
    assert_non_null(strstr(lam_last_error(), "column 3 (sum) is a linear function"));
    assert_null(g.mean); /* nothing is left to free */
    assert_int_equal(lam_gaussian_fit(x, 2, 3, NULL, &g), LAM_ERR_DATA); /* two rows span a line */
    assert_non_null(strstr(lam_last_error(), "column 2 (2)"));
}

/* z = x + y + s e leaves of z, and of x and of y, a share of its variance that follows from the inverse of the covariance by hand: for
 * s^2 = v, z has 2 + v and leaves v / (2 + v); x leaves v / (1 + v) of its 1. With 20000 rows, whatever the scales; and 0 where z is the sum. */
static void unexplained_share(void **state)
{
    (void)state;
    enum { N = 20000, D = 3 };
    static double x[N * D];
    const double s[] = { 0.5, 0.05, 0 };
    for (size_t k = 0; k < 3; k++) {
        double share, v = s[k] * s[k];
        for (uint64_t i = 0; i < N; i++) {
            double e[D];
            lam_random_normal_row(1, LAM_DRAW_TEST, 0, i, e, D);
            x[i * D] = 1000 + e[0], x[i * D + 1] = e[1], x[i * D + 2] = e[0] + e[1] + s[k] * e[2];
        }
        assert_int_equal(lam_least_unexplained(x, N, D, &share), LAM_OK);
        assert_true(k == 2 ? share < 1e-9 : fabs(share / (v / (2 + v)) - 1) < 0.05);
    }
}

/* Independent columns stay so with hardly more rows than columns; with fewer there is nothing to tell. */
static void few_rows(void **state)
{
    (void)state;
    enum { N = 60, D = 50 };
    static double x[N * D];
    double share;
    for (uint64_t i = 0; i < N; i++)
        lam_random_normal_row(1, LAM_DRAW_TEST, 1, i, x + i * D, D);
    assert_int_equal(lam_least_unexplained(x, N, D, &share), LAM_OK);
    assert_true(share > 0.1);
    assert_int_equal(lam_least_unexplained(x, D, D, &share), LAM_OK);
    assert_true(share == 1);
}

/* What "auto" comes to follows from the rows: near a plane neither maps nor TPR, elsewhere both; what was said stays. */
static void choice_by_rows(void **state)
{
    (void)state;
    enum { N = 500, D = 3 };
    static double x[N * D];
    for (int near = 0; near < 2; near++) {
        lam_config cfg;
        lam_table *table;
        lam_dataset *data;
        for (uint64_t i = 0; i < N; i++) {
            double e[D];
            lam_random_normal_row(1, LAM_DRAW_TEST, 0, i, e, D);
            x[i * D] = e[0], x[i * D + 1] = e[1], x[i * D + 2] = e[0] + e[1] + (near ? 0.05 : 0.5) * e[2];
        }
        lam_config_init(&cfg);
        assert_int_equal(lam_table_create(N, D, &table), LAM_OK);
        memcpy(table->values, x, sizeof x);
        assert_int_equal(lam_dataset_build(&cfg, table, NULL, NULL, NULL, &data), LAM_OK);
        assert_int_equal(lam_config_choose(&cfg, data), LAM_OK);
        assert_int_equal(cfg.map, near ? LAM_MAP_NONE : LAM_MAP_NORMAL_SCORES);
        assert_true(cfg.tpr_coefficient == (near ? 0 : 50) && cfg.tpr_l_weight == (near ? 0 : 1));
        lam_config_clear(&cfg);
        lam_config_init(&cfg);
        assert_int_equal(lam_config_set(&cfg, "map", "normal-scores:20"), LAM_OK);
        assert_int_equal(lam_config_set(&cfg, "tpr", "true"), LAM_OK);
        assert_int_equal(lam_config_choose(&cfg, data), LAM_OK);
        assert_true(cfg.map == LAM_MAP_NORMAL_SCORES && cfg.map_knots == 20 && cfg.tpr_coefficient == 5 && cfg.tpr_l_weight == 0);
        lam_config_clear(&cfg);
        lam_config_init(&cfg);
        assert_int_equal(lam_config_set(&cfg, "kinetic-coefficient", "0.1"), LAM_OK);
        assert_int_equal(lam_config_choose(&cfg, data), LAM_OK);
        assert_true(cfg.tpr_coefficient == 0); /* another penalty was asked for */
        lam_config_clear(&cfg);
        lam_dataset_free(data);
        lam_table_free(table);
    }
}

/* Columns x, x again, kind (text of so many levels) and y = 2 x + (kind is the last) + 0.5 e; the first three are given. */
static lam_dataset *given_rows(size_t rows, size_t kinds)
{
    lam_config cfg;
    lam_table *table;
    lam_dataset *data;
    assert_int_equal(lam_table_create(rows, 4, &table), LAM_OK);
    char **level = malloc(kinds * sizeof *level);
    for (size_t k = 0; k < kinds; k++) {
        level[k] = malloc(16);
        snprintf(level[k], 16, "k%06zu", k);
    }
    assert_int_equal(lam_table_set_levels(table, 2, &(lam_names) { (const char *const *)level, kinds }), LAM_OK);
    for (size_t i = 0; i < rows; i++) {
        double *row = table->values + i * 4, z[2];
        lam_random_normal_row(5, LAM_DRAW_TEST, 0, i, z, 2);
        row[0] = row[1] = z[0];
        row[2] = (double)(i % kinds);
        row[3] = 2 * z[0] + (i % kinds == kinds - 1) + 0.5 * z[1];
    }
    lam_config_init(&cfg);
    assert_int_equal(lam_config_set(&cfg, "given", "1,2,3"), LAM_OK);
    if (lam_dataset_build(&cfg, table, NULL, NULL, NULL, &data) != LAM_OK)
        fail_msg("%s", lam_last_error());
    for (size_t k = 0; k < kinds; k++)
        free(level[k]);
    free(level);
    lam_config_clear(&cfg);
    lam_table_free(table);
    return data;
}

/* The Gaussian's density of y given the rest is linear regression with a normal residual; what tells nothing more is left out. */
static void conditional(void **state)
{
    (void)state;
    enum { ROWS = 4000 };
    lam_dataset *data = given_rows(ROWS, 2);
    size_t n = data->rows[LAM_TRAIN], tests = data->rows[LAM_TEST];
    double a[3][4] = { { 0 } }, residual = 0, nll = 0;
    lam_gaussian_score score;
    for (size_t i = 0; i < n; i++) { /* normal equations in 1, x and kind */
        const double *row = data->values[LAM_TRAIN] + i * 4, u[4] = { 1, row[0], row[2], row[3] };
        for (size_t j = 0; j < 3; j++)
            for (size_t k = 0; k < 4; k++)
                a[j][k] += u[j] * u[k];
    }
    for (size_t p = 0; p < 3; p++)
        for (size_t j = 0; j < 3; j++) {
            double f = a[j][p] / a[p][p];
            for (size_t k = p; k < 4 && j != p; k++)
                a[j][k] -= f * a[p][k];
        }
    for (int part = 0; part < 2; part++) {
        size_t rows = part == 0 ? n : tests;
        for (size_t i = 0; i < rows; i++) {
            const double *row = data->values[part == 0 ? LAM_TRAIN : LAM_TEST] + i * 4;
            double e = row[3] - a[0][3] / a[0][0] - a[1][3] / a[1][1] * row[0] - a[2][3] / a[2][2] * row[2];
            residual += part == 0 ? e * e / (double)n : 0;
            nll += part == 0 ? 0 : (0.5 * e * e / residual + 0.5 * log(residual) + half_log_2pi) / (double)tests;
        }
    }
    double *each = lam_alloc(tests, sizeof *each), mean = 0;
    assert_non_null(each);
    assert_int_equal(lam_gaussian_test(data, NULL, tests, 0, each, &score), LAM_OK);
    for (size_t i = 0; i < tests; i++)
        mean += each[i] / (double)tests;
    assert_true(fabs(mean - nll) < 1e-10);
    lam_free(each);
    assert_true(fabs(score.nll - nll) < 1e-10 && score.fitted == n && score.se > 0.005 && score.se < 0.1);
    lam_dataset_free(data);
}

/* A limit of time holds there too, and many levels of text are no reason to go on for hours. */
static void conditional_in_time(void **state)
{
    (void)state;
    enum { ROWS = 100000 };
    lam_dataset *data = given_rows(ROWS, 40);
    lam_gaussian_score all, some;
    assert_int_equal(lam_gaussian_test(data, NULL, 1000, 0, NULL, &all), LAM_OK);
    assert_int_equal(lam_gaussian_test(data, NULL, 1000, 1e-9, NULL, &some), LAM_OK); /* the clock is beyond it */
    assert_true(all.fitted == data->rows[LAM_TRAIN] && some.fitted < all.fitted / 2 && fabs(all.nll - some.nll) < 0.05);
    lam_dataset_free(data);
    data = given_rows(6000, 2500);
    assert_int_equal(lam_gaussian_test(data, NULL, 10, 0, NULL, &all), LAM_ERR_DATA);
    assert_non_null(strstr(lam_last_error(), "2502 inputs"));
    lam_dataset_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(linear_map),
        cmocka_unit_test(singular),
        cmocka_unit_test(unexplained_share),
        cmocka_unit_test(few_rows),
        cmocka_unit_test(choice_by_rows),
        cmocka_unit_test(conditional),
        cmocka_unit_test(conditional_in_time),
    };
    return cmocka_run_group_tests_name("gaussian", tests, NULL, NULL);
}
