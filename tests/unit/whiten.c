/* Whitening: against the Gaussian's closed forms and its own inverse; its fit with missing cells; models with it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "base/mem.h"
#include "base/random.h"
#include "data/given.h"
#include "data/whiten.h"
#include "linear.h"
#include "model/consistency.h"
#include "model/metadata.h"
#include "scratch.h"

enum { DIM = 4, N = 4000 };

/* Rows of a Gaussian with correlations, and of a column of texts with two levels last if dim is DIM + 1. */
static double *rows_of(size_t n, size_t dim)
{
    static const double mix[DIM][DIM] = { { 1, 0, 0, 0 }, { 0.8, 0.6, 0, 0 }, { -0.5, 0.5, 0.7, 0 }, { 0.3, 0.3, -0.6, 0.5 } };
    double *x = lam_alloc(n * dim, sizeof *x);
    for (size_t i = 0; i < n; i++) {
        double z[DIM];
        lam_random_normal_row(3, LAM_DRAW_TEST, 0, i, z, DIM);
        for (size_t j = 0; j < dim; j++) {
            double sum = j < DIM ? 0.1 * (double)j : (double)(i % 2);
            for (size_t k = 0; k < DIM && j < DIM; k++)
                sum += mix[j][k] * z[k];
            x[i * dim + j] = sum;
        }
    }
    return x;
}

static lam_whitening *fitted(const double *x, size_t n, size_t dim, const size_t *levels)
{
    lam_whitening *w;
    int sound;
    assert_int_equal(lam_whitening_fit(x, n, dim, levels, &w), LAM_OK);
    assert_int_equal(lam_whitening_is_sound(w, &sound), LAM_OK);
    assert_true(sound);
    return w;
}

/* Of complete rows: their own mean and covariance, with correlations less by n / (n + dim^2 / n). */
static void complete_rows_give_their_moments(void **state)
{
    (void)state;
    double *x = rows_of(N, DIM);
    lam_whitening *w = fitted(x, N, DIM, NULL);
    for (size_t j = 0; j < DIM; j++)
        for (size_t k = 0; k < DIM; k++) {
            double mean[2] = { 0 }, sum = 0;
            for (size_t i = 0; i < N; i++) {
                mean[0] += x[i * DIM + j] / N;
                mean[1] += x[i * DIM + k] / N;
            }
            for (size_t i = 0; i < N; i++)
                sum += (x[i * DIM + j] - mean[0]) * (x[i * DIM + k] - mean[1]) / N;
            assert_true(fabs(w->mean[j] - mean[0]) < 1e-12);
            assert_true(fabs(w->covariance[j * DIM + k] - sum * (j == k ? 1 : N / (N + DIM * DIM / (double)N))) < 1e-12);
        }
    lam_whitening_free(w);
    lam_free(x);
}

/* In one reading, behind maps that are applied on the way or without: as of rows that were mapped before. Several pieces, and one that is not whole. */
static void whole_rows_take_one_reading(void **state)
{
    (void)state;
    enum { ROWS = 10000 };
    double *x = rows_of(ROWS, DIM), *mapped = lam_alloc(ROWS * DIM, sizeof *mapped);
    lam_maps *maps;
    for (size_t i = 0; i < ROWS * DIM; i++)
        x[i] = i % DIM == 2 ? exp(x[i]) : i % DIM == 3 ? 1e6 + x[i] + 3 * (double)i / (ROWS * DIM) : x[i];
    assert_int_equal(lam_maps_fit(&(lam_maps_rows) { .x = x, .n = ROWS, .dim = DIM }, 16, &maps), LAM_OK);
    lam_maps_forward(maps, x, ROWS, DIM, mapped, NULL);
    for (int with = 0; with < 2; with++) {
        lam_whitening *w = fitted(with ? mapped : x, ROWS, DIM, NULL), *one;
        assert_int_equal(lam_whitening_fit_whole(x, ROWS, DIM, with ? maps : NULL, &one), LAM_OK);
        for (size_t j = 0; j < DIM; j++) {
            assert_true(fabs(one->mean[j] - w->mean[j]) < 1e-14 * (1 + fabs(w->mean[j])));
            for (size_t k = 0; k < DIM; k++) {
                double scale = sqrt(w->covariance[j * DIM + j] * w->covariance[k * DIM + k]);
                assert_true(fabs(one->covariance[j * DIM + k] - w->covariance[j * DIM + k]) < (with ? 1e-12 : 1e-8) * scale); /* the other is off by 1e6 eps n */
            }
        }
        lam_whitening_free(w), lam_whitening_free(one);
    }
    lam_maps_free(maps);
    lam_free(x), lam_free(mapped);
}

/* The second column is missing where the first is large, and with it a third of the last: rows without a missing cell tell less of both,
 * and a mean over the cells that are there is another one. */
static void cells_missing_at_random_do_not_matter(void **state)
{
    (void)state;
    double *x = rows_of(N, DIM), *holes = rows_of(N, DIM), naive = 0, n = 0;
    lam_whitening *whole = fitted(x, N, DIM, NULL);
    for (size_t i = 0; i < N; i++) {
        holes[i * DIM + 1] = x[i * DIM] > 0.5 ? (double)NAN : x[i * DIM + 1];
        holes[i * DIM + 3] = x[i * DIM] > 0.5 && i % 3 == 0 ? (double)NAN : x[i * DIM + 3];
        n += !isnan(holes[i * DIM + 1]);
        naive += isnan(holes[i * DIM + 1]) ? 0 : x[i * DIM + 1];
    }
    lam_whitening *some = fitted(holes, N, DIM, NULL);
    assert_true(fabs(naive / n - whole->mean[1]) > 0.3);
    for (size_t j = 0; j < DIM; j++)
        assert_true(fabs(some->mean[j] - whole->mean[j]) < 0.05);
    for (size_t j = 0; j < DIM * DIM; j++)
        assert_true(fabs(some->covariance[j] - whole->covariance[j]) < 0.06);
    lam_whitening_free(some);
    lam_whitening_free(whole);
    lam_free(holes);
    lam_free(x);
}

/* Columns that are functions of others, without spread, empty, or of texts leave a covariance with an inverse. */
static void awkward_columns(void **state)
{
    (void)state;
    enum { ALL = DIM + 1 };
    const size_t levels[ALL] = { 0, 0, 0, 0, 2 };
    double *x = rows_of(60, ALL);
    for (size_t i = 0; i < 60; i++) {
        x[i * ALL + 1] = 3 * x[i * ALL] - 1;
        x[i * ALL + 2] = 7;
        x[i * ALL + 3] = (double)NAN;
    }
    lam_whitening *w = fitted(x, 60, ALL, levels);
    assert_true(w->covariance[4 * ALL + 4] == 1 && w->mean[4] == 0 && w->covariance[2 * ALL + 2] == 1);
    for (size_t j = 0; j < DIM; j++)
        assert_true(w->covariance[4 * ALL + j] == 0 && w->covariance[j * ALL + 4] == 0);
    lam_whitening_free(w);
    lam_free(x);
}

/* Of two columns of which the second is missing in some rows, the maximum likelihood is known (Anderson 1957): the regression of rows that have
 * both, at the moments of the first column in all rows. */
static void one_column_missing_is_a_regression(void **state)
{
    (void)state;
    enum { MANY = 10 * N }; /* beside which the two rows that are added count for little */
    double *x = rows_of(MANY, DIM), *two = lam_alloc(2 * MANY, sizeof *two), n = 0, all[2] = { 0 }, sum[5] = { 0 };
    for (size_t i = 0; i < MANY; i++) {
        double a = two[2 * i] = x[i * DIM], b = two[2 * i + 1] = a > 0.2 ? (double)NAN : x[i * DIM + 1];
        all[0] += a / MANY, all[1] += a * a / MANY;
        if (!isnan(b))
            n++, sum[0] += a, sum[1] += b, sum[2] += a * a, sum[3] += a * b, sum[4] += b * b;
    }
    double variance = all[1] - all[0] * all[0], among = sum[2] / n - sum[0] * sum[0] / n / n;
    double slope = (sum[3] / n - sum[0] * sum[1] / n / n) / among, left = sum[4] / n - sum[1] * sum[1] / n / n - slope * slope * among;
    lam_whitening *w = fitted(two, MANY, 2, NULL);
    assert_true(fabs(w->mean[0] - all[0]) < 1e-12 && fabs(w->covariance[0] - variance) < 1e-12);
    assert_true(fabs(w->mean[1] - sum[1] / n - slope * (all[0] - sum[0] / n)) < 1e-3); /* EM ends where a step is 1e-4 */
    assert_true(fabs(w->covariance[1] - slope * variance) < 1e-3 && fabs(w->covariance[3] - left - slope * slope * variance) < 1e-3);
    lam_whitening_free(w);
    lam_free(two);
    lam_free(x);
}

/* Units are the user's: columns that are not standardised give the same correlations, whatever their scales. */
static void units_do_not_matter(void **state)
{
    (void)state;
    enum { ROWS = 600 };
    static const double scale[DIM] = { 1, 1e-8, 1e6, 1e-3 }, shift[DIM] = { 0, 1e-6, -3e6, 2 };
    double *x = rows_of(ROWS, DIM), *other = lam_alloc(ROWS * DIM, sizeof *other);
    for (size_t i = 0; i < ROWS * DIM; i++) {
        x[i] = i % 7 == 0 ? (double)NAN : x[i];
        other[i] = scale[i % DIM] * x[i] + shift[i % DIM];
    }
    lam_whitening *a = fitted(x, ROWS, DIM, NULL), *b = fitted(other, ROWS, DIM, NULL);
    for (size_t j = 0; j < DIM; j++) {
        assert_true(fabs((b->mean[j] - shift[j]) / scale[j] - a->mean[j]) < 1e-8);
        for (size_t k = 0; k < DIM; k++)
            assert_true(fabs(b->covariance[j * DIM + k] / scale[j] / scale[k] - a->covariance[j * DIM + k]) < 1e-8);
    }
    lam_whitening_free(a);
    lam_whitening_free(b);
    lam_free(other);
    lam_free(x);
}

/* One row, fewer rows than columns, and nothing at all: there is an inverse all the same. */
static void few_rows(void **state)
{
    (void)state;
    double *x = rows_of(3, DIM), nothing[2 * DIM];
    for (size_t n = 1; n <= 3; n++)
        lam_whitening_free(fitted(x, n, DIM, NULL));
    x[1] = x[6] = x[11] = (double)NAN;
    for (size_t n = 1; n <= 3; n++)
        lam_whitening_free(fitted(x, n, DIM, NULL));
    for (size_t i = 0; i < 2 * DIM; i++)
        nothing[i] = (double)NAN;
    lam_whitening *w = fitted(nothing, 2, DIM, NULL);
    for (size_t i = 0; i < DIM * DIM; i++)
        assert_true(fabs(w->covariance[i] - (i % (DIM + 1) == 0)) < 1e-15 && w->mean[i / DIM] == 0);
    lam_whitening_free(w);
    lam_free(x);
}

/* ---- rows --------------------------------------------------------------------------------------------------------- */

/* log N(u; mean, covariance) of the given columns, and with `moving` of the moving ones too, by elimination in the columns' own order. */
static double log_gaussian(const lam_whitening *w, const double *u, const unsigned char *roles, int moving)
{
    double a[DIM][DIM + 1], log_det = 0, square = 0;
    size_t at[DIM], n = 0;
    for (size_t j = 0; j < DIM; j++)
        if (roles[j] == LAM_GIVEN || (roles[j] == LAM_MOVING && moving))
            at[n++] = j;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < n; k++)
            a[i][k] = w->covariance[at[i] * DIM + at[k]];
        a[i][n] = u[at[i]] - w->mean[at[i]];
    }
    for (size_t p = 0; p < n; p++) {
        log_det += log(a[p][p]);
        square += a[p][n] * a[p][n] / a[p][p];
        for (size_t i = p + 1; i < n; i++)
            for (size_t k = n + 1; k-- > p;)
                a[i][k] -= a[i][p] / a[p][p] * a[p][k];
    }
    return -0.5 * ((double)n * log(2 * 3.14159265358979323846) + log_det + square);
}

static void assert_row(const lam_whitening *w, lam_whitener *whitener, const double *x, const unsigned char *roles)
{
    double z[DIM], back[DIM], sum = 0;
    memcpy(z, x, sizeof z);
    double log_det = lam_whiten(whitener, roles, z);
    for (size_t j = 0; j < DIM; j++)
        if (roles[j] == LAM_MOVING)
            sum -= 0.5 * (z[j] * z[j] + log(2 * 3.14159265358979323846));
        else
            assert_true(z[j] == x[j]);
    double conditional = log_gaussian(w, x, roles, 1) - log_gaussian(w, x, roles, 0);
    assert_true(fabs(sum + log_det - conditional) < 1e-10);
    memcpy(back, z, sizeof back);
    assert_true(fabs(lam_unwhiten(whitener, roles, back) - log_det) < 1e-15);
    for (size_t j = 0; j < DIM; j++)
        assert_true(fabs(back[j] - x[j]) < 1e-12);
}

static void the_conditional_gaussian_for_every_role(void **state)
{
    (void)state;
    double *x = rows_of(N, DIM);
    lam_whitening *w = fitted(x, N, DIM, NULL);
    lam_whitener *whitener;
    assert_int_equal(lam_whitener_create(w, NULL, &whitener), LAM_OK);
    for (size_t code = 0; code < 81; code++) {
        unsigned char roles[DIM] = { (unsigned char)(code % 3), (unsigned char)(code / 3 % 3), (unsigned char)(code / 9 % 3),
            (unsigned char)(code / 27) };
        for (size_t i = 0; i < 2; i++) /* the second by the factor that was kept */
            assert_row(w, whitener, x + (code + i) * DIM, roles);
    }
    lam_whitener_free(whitener);
    lam_whitening_free(w);
    lam_free(x);
}

/* ---- models ------------------------------------------------------------------------------------------------------- */

/* A model of any columns given any others whose field is 0: its densities are the Gaussian's. */
static lam_model *gaussian_model(const double *x)
{
    lam_config cfg;
    lam_model *m;
    const lam_given_kind kind = { .any = 1 };
    configure(&cfg, "dims", "4", "context-dims", "4", "any-given", "true", "whiten", "gaussian", NULL);
    assert_ok(lam_model_empty_given(&cfg, DIM, &kind, &m));
    for (size_t b = 0; b < m->layout.blocks; b++)
        m->params[m->layout.time + b] = 1;
    assert_ok(lam_whitening_fit(x, N, DIM, m->given.levels, &m->whitening));
    lam_config_clear(&cfg);
    return m;
}

static void densities_agree_where_the_field_is_zero(void **state)
{
    (void)state;
    enum { ROWS = 60 };
    double *x = rows_of(N, DIM), logp[ROWS], rms;
    lam_model *m = gaussian_model(x);
    const unsigned char roles[DIM] = { LAM_GIVEN, LAM_MOVING, LAM_ABSENT, LAM_MOVING };
    const lam_eval_options exact = { .use_double = 1 };
    assert_ok(lam_conditional_log_prob(m, &exact, &(lam_query){ x, ROWS, roles, 1 }, logp, NULL));
    for (size_t i = 0; i < ROWS; i++) {
        double expected = log_gaussian(m->whitening, x + i * DIM, roles, 1) - log_gaussian(m->whitening, x + i * DIM, roles, 0);
        assert_true(fabs(logp[i] - expected) < 1e-9);
    }
    lam_pass pass;
    assert_ok(lam_pass_init(&pass, m, &exact));
    assert_ok(lam_consistency(&pass, x, ROWS, 1, &rms));
    assert_true(rms < 1e-9);
    lam_model_free(m);
    lam_free(x);
}

/* Draws given the first column have the Gaussian's conditional mean, and their own log-densities. */
static void draws(void **state)
{
    (void)state;
    enum { EACH = 4000 };
    double *x = rows_of(N, DIM), at[DIM] = { 1.5, NAN, NAN, NAN }, *out = lam_alloc(EACH * DIM, sizeof *out), *logp = lam_alloc(2 * EACH, sizeof *logp);
    lam_model *m = gaussian_model(x);
    const unsigned char roles[DIM] = { LAM_GIVEN, LAM_MOVING, LAM_MOVING, LAM_MOVING };
    const lam_eval_options exact = { .use_double = 1 };
    double mean = 0, slope = m->whitening->covariance[1] / m->whitening->covariance[0];
    assert_ok(lam_conditional_sample(m, &exact, 1, &(lam_query){ at, 1, roles, 1 }, EACH, out, logp, NULL));
    assert_ok(lam_conditional_log_prob(m, &exact, &(lam_query){ out, EACH, roles, 1 }, logp + EACH, NULL));
    for (size_t i = 0; i < EACH; i++) {
        assert_true(fabs(logp[i] - logp[EACH + i]) < 1e-9);
        mean += out[i * DIM + 1] / EACH;
    }
    assert_true(fabs(mean - m->whitening->mean[1] - slope * (1.5 - m->whitening->mean[0])) < 5 * 0.6 / sqrt(EACH));
    lam_model_free(m);
    lam_free(logp);
    lam_free(out);
    lam_free(x);
}

static void assert_damaged(lam_model *m)
{
    lam_model *loaded;
    const char *path = scratch_path("damaged.safetensors");
    assert_ok(lam_model_save(m, path));
    assert_int_equal(lam_model_load(path, NULL, &loaded), LAM_ERR_FORMAT);
    assert_null(loaded);
    assert_said("whitening");
    assert_said("damaged or was edited by hand");
}

static void files(void **state)
{
    (void)state;
    enum { ROWS = 20 };
    double *x = rows_of(N, DIM), before[ROWS], after[ROWS];
    lam_model *m = gaussian_model(x), *loaded;
    lam_st_file file;
    const char *path = scratch_path("model.safetensors");
    assert_ok(lam_log_prob(m, NULL, x, ROWS, before, NULL));
    assert_ok(lam_model_save(m, path));
    assert_ok(lam_st_read(path, &file));
    assert_string_equal(lam_st_meta(&file, "laminar"), "4");
    lam_st_free(&file);
    assert_ok(lam_model_load(path, NULL, &loaded));
    assert_ok(lam_log_prob(loaded, NULL, x, ROWS, after, NULL));
    assert_memory_equal(before, after, sizeof before);
    assert_true(loaded->given.any);
    lam_model_free(loaded);
    double kept = m->whitening->covariance[1];
    m->whitening->covariance[1] = 5;
    assert_damaged(m);
    m->whitening->covariance[1] = kept;
    kept = m->whitening->mean[2];
    m->whitening->mean[2] = (double)NAN;
    assert_damaged(m);
    m->whitening->mean[2] = kept;
    m->config.whiten = LAM_WHITEN_NONE;
    assert_damaged(m);
    lam_model_free(m);
    lam_free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complete_rows_give_their_moments),
        cmocka_unit_test(whole_rows_take_one_reading),
        cmocka_unit_test(cells_missing_at_random_do_not_matter),
        cmocka_unit_test(awkward_columns),
        cmocka_unit_test(one_column_missing_is_a_regression),
        cmocka_unit_test(units_do_not_matter),
        cmocka_unit_test(few_rows),
        cmocka_unit_test(the_conditional_gaussian_for_every_role),
        cmocka_unit_test(densities_agree_where_the_field_is_zero),
        cmocka_unit_test(draws),
        cmocka_unit_test(files),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
