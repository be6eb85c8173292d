/* Mixtures of Gaussians against closed forms, and their choice for a data set. */
#include "base/random.h"
#include "data/dataset.h"
#include "data/gaussian.h"
#include "data/mixture.h"
#include "model/config.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static lam_pool *pool;

static int make_pool(void **state)
{
    (void)state;
    return lam_pool_create(1, &pool) != LAM_OK;
}

static int free_pool(void **state)
{
    (void)state;
    lam_pool_free(pool);
    return 0;
}

static double normal(uint64_t i, uint64_t j)
{
    double pair[2];
    lam_random_normal2(3, LAM_DRAW_TEST, i, j, pair);
    return pair[0];
}

/* x [n, dim]: component c of `parts` in turn, its mean `apart` c in every column, to which half of the column before is added. */
static double *draws(size_t n, size_t dim, size_t parts, double apart)
{
    double *x = malloc(n * dim * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < dim; j++)
            x[i * dim + j] = apart * (double)(i % parts) + (0.3 + 0.2 * (double)(i % parts)) * normal(i, j)
                + (j > 0 ? 0.5 * x[i * dim + j - 1] : 0);
    return x;
}

static lam_mixture_options options(size_t components, double ridge)
{
    return (lam_mixture_options) { .components = components, .ridge = ridge, .iterations = 100, .tolerance = 1e-9, .pool = pool };
}

static lam_mixture fitted(const double *x, size_t n, size_t dim, lam_mixture_options o)
{
    lam_mixture m;
    assert_int_equal(lam_mixture_fit(x, n, dim, &o, &m), LAM_OK);
    return m;
}

static double nll_of(const lam_mixture *m, const double *x, size_t n)
{
    lam_gaussian_score score;
    assert_int_equal(lam_mixture_nll(m, NULL, pool, x, NULL, n, NULL, &score), LAM_OK);
    return score.nll;
}

/* A mixture of one is the Gaussian, in units as far from standard as a table's may be. */
static void one_is_the_gaussian(void **state)
{
    (void)state;
    enum { N = 301, D = 5 };
    double *x = draws(N, D, 1, 4);
    const size_t index[3] = { 7, 300, 7 };
    lam_gaussian_score of_gaussian, of_mixture;
    double each[N];
    for (size_t i = 0; i < N * (size_t)D; i++)
        x[i] = 1e3 + 1e-3 * x[i];
    lam_gaussian g;
    assert_int_equal(lam_gaussian_fit(x, N, D, NULL, &g), LAM_OK);
    lam_mixture m = fitted(x, N, D, options(1, 0));
    assert_true(m.weight[0] == 1);
    for (int some = 0; some < 2; some++) { /* all rows, or some of them; x has 16 digits, 6 of which are its mean's */
        assert_int_equal(lam_gaussian_nll(&g, x, some ? index : NULL, some ? 3 : N, &of_gaussian), LAM_OK);
        assert_int_equal(lam_mixture_nll(&m, NULL, pool, x, some ? index : NULL, some ? 3 : N, each, &of_mixture), LAM_OK);
        double mean = 0;
        for (int i = 0; i < (some ? 3 : N); i++)
            mean += each[i] / (some ? 3 : N);
        assert_true(fabs(mean - of_mixture.nll) < 1e-12);
        assert_true(fabs(of_mixture.nll - of_gaussian.nll) < 1e-7 && fabs(of_mixture.se - of_gaussian.se) < 1e-7);
    }
    for (size_t i = 0; i < D; i++) {
        assert_true(fabs(m.mean[i]) < 1e-6);
        for (size_t j = 0; j <= i; j++)
            assert_true(fabs(m.lower[i * D + j] * m.scale[i] - g.lower[i * D + j]) < 1e-6 * g.lower[i * D + i]);
    }
    assert_true(isnan(nll_of(&m, x, 0)));
    lam_mixture_clear(&m), lam_gaussian_clear(&g), free(x);
}

/* Where no row is in doubt, components are the clusters: each with its share of the rows, its mean and its covariance. */
static void clusters_apart(void **state)
{
    (void)state;
    enum { N = 900, D = 2 };
    double *x = draws(N, D, 3, 4), two[2 * N];
    size_t n = 0, seen = 0;
    for (size_t i = 0; i < N; i++)
        if (i % 3 != 1)
            memcpy(two + D * n++, x + D * i, D * sizeof(double));
    for (size_t i = 0; i < n; i++)
        two[D * i] += 40 * (double)(i % 2);
    lam_mixture m = fitted(two, n, D, options(2, 0));
    for (size_t c = 0; c < 2; c++) {
        double mean[D] = { 0 }, covariance[D][D] = { 0 };
        for (size_t i = c; i < n; i += 2)
            for (size_t j = 0; j < D; j++)
                mean[j] += two[D * i + j] / (double)(n / 2);
        for (size_t i = c; i < n; i += 2)
            for (size_t j = 0; j < D * (size_t)D; j++)
                covariance[j / D][j % D] += (two[D * i + j / D] - mean[j / D]) * (two[D * i + j % D] - mean[j % D]) / (double)(n / 2);
        for (size_t k = 0; k < 2; k++) {
            if (fabs(m.center[0] + m.scale[0] * m.mean[D * k] - mean[0]) > 1)
                continue;
            const double *lower = m.lower + k * D * D;
            seen++;
            assert_true(fabs(m.weight[k] - 0.5) < 1e-9);
            for (size_t j = 0; j < D; j++)
                assert_true(fabs(m.center[j] + m.scale[j] * m.mean[D * k + j] - mean[j]) < 1e-8);
            for (size_t i = 0; i < D; i++)
                for (size_t j = 0; j <= i; j++) {
                    double sum = 0;
                    for (size_t l = 0; l <= j; l++)
                        sum += lower[i * D + l] * lower[j * D + l];
                    assert_true(fabs(sum * m.scale[i] * m.scale[j] - covariance[i][j]) < 1e-8);
                }
        }
    }
    assert_int_equal(seen, 2);
    lam_mixture_clear(&m), free(x);
}

/* Every iteration climbs, also with a ridge that weighs, and with more components than there are clusters. */
static void climbs(void **state)
{
    (void)state;
    enum { N = 1000, D = 3, MOST = 100 };
    double *x = draws(N, D, 3, 1), objective[MOST];
    for (int turn = 0; turn < 6; turn++) {
        lam_mixture_options o = options(turn < 3 ? 3 : 9, turn % 3 == 0 ? 0 : turn % 3 == 1 ? 1e-4 : 0.05);
        o.objective = objective;
        lam_mixture m = fitted(x, N, D, o);
        size_t n = 1;
        for (; n < MOST && !isnan(objective[n]); n++)
            assert_true(objective[n] > objective[n - 1] - 1e-12);
        assert_true(n > 5 && objective[n - 1] > objective[0] + 1e-3);
        lam_mixture_clear(&m);
        if (turn % 3 != 0)
            continue;
        o.iterations = 5, o.objective = NULL; /* without a ridge it is the likelihood itself: what iteration 6 starts from */
        m = fitted(x, N, D, o);
        assert_true(fabs(m.log_scale - objective[5] - nll_of(&m, x, N)) < 1e-12);
        lam_mixture_clear(&m);
    }
    free(x);
}

static void same_for_any_threads(void **state)
{
    (void)state;
    enum { N = 3000, D = 4, K = 6 };
    double *x = draws(N, D, 5, 4);
    lam_gaussian_score score[3];
    lam_mixture m[3];
    for (size_t i = 0; i < 3; i++) {
        lam_mixture_options o = options(K, 1e-5);
        o.iterations = 20;
        assert_int_equal(lam_pool_create(i + 1, &o.pool), LAM_OK);
        m[i] = fitted(x, N, D, o);
        assert_int_equal(lam_mixture_nll(&m[i], NULL, o.pool, x, NULL, N, NULL, &score[i]), LAM_OK);
        lam_pool_free(o.pool);
        assert_memory_equal(m[i].weight, m[0].weight, K * sizeof(double));
        assert_memory_equal(m[i].mean, m[0].mean, K * D * sizeof(double));
        assert_memory_equal(m[i].lower, m[0].lower, K * D * D * sizeof(double));
        assert_true(score[i].nll == score[0].nll && score[i].se == score[0].se);
    }
    lam_mixture_options o = options(K, 1e-5);
    o.iterations = 20, o.isa = "scalar";
    lam_mixture plain = fitted(x, N, D, o);
    assert_true(fabs(nll_of(&plain, x, N) - score[0].nll) < 1e-6); /* rounding, after 20 iterations */
    lam_mixture_clear(&plain);
    for (size_t i = 0; i < 3; i++)
        lam_mixture_clear(&m[i]);
    free(x);
}

/* Half of the rows share one value: a component takes them, and no variance falls below the ridge. */
static void tied_rows(void **state)
{
    (void)state;
    enum { N = 400, D = 2, K = 4 };
    const double ridge = 1e-5;
    double *x = draws(N, D, 2, 4);
    for (size_t i = 0; i < N; i += 2)
        x[D * i] = 1, x[D * i + 1] = 2;
    lam_mixture m = fitted(x, N, D, options(K, ridge));
    double least = INFINITY;
    for (size_t k = 0; k < K; k++)
        for (size_t j = 0; j < D; j++) {
            double norm = 0;
            for (size_t l = 0; l <= j; l++)
                norm += m.lower[k * D * D + j * D + l] * m.lower[k * D * D + j * D + l];
            least = fmin(least, norm);
        }
    assert_true(least > ridge * (1 - 1e-9) && least < ridge * (1 + 1e-3));
    /* density at the tie: half a Gaussian of the ridge's variance */
    assert_true(fabs(nll_of(&m, x, 1) - (m.log_scale + log(2) + log(2 * 3.14159265358979) + log(ridge))) < 0.05);
    lam_mixture_clear(&m), free(x);
}

static void refuses(void **state)
{
    (void)state;
    double *x = draws(50, 2, 1, 4);
    lam_mixture m;
    lam_mixture_options o = options(51, 0);
    assert_int_equal(lam_mixture_fit(x, 50, 2, &o, &m), LAM_ERR_ARGUMENT);
    assert_non_null(strstr(lam_last_error(), "50 rows are too few for a mixture of 51 Gaussians"));
    for (size_t i = 0; i < 50; i++)
        x[2 * i + 1] = 0.3;
    o = options(2, 0);
    assert_int_equal(lam_mixture_fit(x, 50, 2, &o, &m), LAM_ERR_DATA);
    assert_non_null(strstr(lam_last_error(), "column 2"));
    assert_null(m.mean); /* nothing is left to free */
    free(x);
}

/* ---- of a data set ------------------------------------------------------------------------------------------------ */

static lam_dataset *dataset(size_t rows, size_t cols, size_t parts, double val_fraction)
{
    lam_config cfg;
    lam_table *table;
    lam_dataset *data;
    double *x = draws(rows, cols, parts, 4);
    lam_config_init(&cfg);
    cfg.val_fraction = val_fraction;
    assert_int_equal(lam_table_create(rows, cols, &table), LAM_OK);
    memcpy(table->values, x, rows * cols * sizeof *x);
    assert_int_equal(lam_dataset_build(&cfg, table, NULL, NULL, NULL, &data), LAM_OK);
    lam_config_clear(&cfg), lam_table_free(table), free(x);
    return data;
}

/* Draws of four Gaussians: the test NLL is that of the density they come from, mean over the same rows. The difference is about
 * parameters / 2n, here 4 * 6 / (2 * 3240) = 0.004, and half as much for the choice. */
static void finds_the_density(void **state)
{
    (void)state;
    enum { PARTS = 4 };
    lam_dataset *data = dataset(4000, 2, PARTS, 0.1);
    lam_mixture_choice choice;
    double truth = 0;
    assert_int_equal(lam_mixture_choose(data, NULL, data->rows[LAM_TEST], NULL, pool, 0, NULL, &choice), LAM_OK);
    for (size_t i = 0; i < data->rows[LAM_TEST]; i++) {
        double x[2], p = 0;
        for (size_t j = 0; j < 2; j++)
            x[j] = data->mean[j] + data->scale[j] * data->values[LAM_TEST][2 * i + j];
        for (size_t c = 0; c < PARTS; c++) {
            double s = 0.3 + 0.2 * (double)c, a = (x[0] - 4 * (double)c) / s, b = (x[1] - 4 * (double)c - 0.5 * x[0]) / s;
            p += exp(-0.5 * (a * a + b * b)) / (2 * 3.14159265358979 * s * s) / PARTS;
        }
        truth -= (log(p) - data->log_det) / (double)data->rows[LAM_TEST];
    }
    assert_true(choice.components >= PARTS && choice.components <= 16);
    assert_true(choice.test.nll > truth - 0.01 && choice.test.nll < truth + 0.02);
    assert_true(choice.test.se > 0.04 && choice.test.se < 0.08 && choice.test.fitted == data->rows[LAM_TRAIN]);
    assert_true(fabs(choice.valid_nll - choice.test.nll) < 0.2); /* 360 and 400 rows of standard deviation 1.2: 0.09 */
    /* with no time left there is none */
    assert_int_equal(lam_mixture_choose(data, NULL, data->rows[LAM_TEST], NULL, pool, 1e-9, NULL, &choice), LAM_OK);
    assert_true(choice.components == 0 && isnan(choice.test.nll) && isnan(choice.valid_nll));
    lam_dataset_free(data);
}

static void too_little_for_one(void **state)
{
    (void)state;
    const struct { size_t rows, cols; double val; size_t components; } cases[] = { { 120, 2, 0.1, 0 }, { 300, 2, 0, 0 },
        { 800, 201, 0.1, 0 }, { 122, 16, 0.1, 0 }, { 130, 16, 0.1, 2 } }; /* 102 rows are wanted for two, the split leaves 99 and 106 */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lam_dataset *data = dataset(cases[i].rows, cases[i].cols, 2, cases[i].val);
        lam_mixture_choice choice;
        assert_int_equal(lam_mixture_choose(data, NULL, data->rows[LAM_TEST], NULL, pool, 0, NULL, &choice), LAM_OK);
        assert_int_equal(choice.components, cases[i].components);
        assert_true(isnan(choice.test.nll) == (choice.components == 0));
        lam_dataset_free(data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_is_the_gaussian),
        cmocka_unit_test(clusters_apart),
        cmocka_unit_test(climbs),
        cmocka_unit_test(same_for_any_threads),
        cmocka_unit_test(tied_rows),
        cmocka_unit_test(refuses),
        cmocka_unit_test(finds_the_density),
        cmocka_unit_test(too_little_for_one),
    };
    return cmocka_run_group_tests_name("mixture", tests, make_pool, free_pool);
}
