/* Densities, draws, predictions and checks of a model whose flow moves nothing behind a whitening: it is a Gaussian, whatever moves and whatever
 * is given, with closed forms for everything that is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "data/normal.h"
#include "model/texts.h"
#include "models.h"

/* a, b, c and d are numbers, of which d never moves; kind is text of two levels. */
enum { A, KIND, B, D, C, DIM, ROWS = 70, DRAWS = 3000, NUMBERS = 8 };

static const double covariance[DIM][DIM] = {
    { 1.5, 0, 0.5, -0.4, 0.2 }, { 0, 1, 0, 0, 0 }, { 0.5, 0, 0.9, 0.1, -0.1 }, { -0.4, 0, 0.1, 1.2, 0.3 }, { 0.2, 0, -0.1, 0.3, 0.8 } };
static const double mean[DIM] = { 0.3, 0, -0.2, 0.5, 0.1 };

/* A map of one column: a bent spline, which is the same for all but the texts. */
static void bend(lam_model *m)
{
    static const double x[4] = { -2, -0.5, 0.8, 2.5 }, z[4] = { -1.8, -0.9, 0.7, 1.9 };
    const size_t knots[DIM] = { 4, 4, 4, 4, 4 };
    assert_ok(lam_maps_create(DIM, knots, &m->maps));
    for (size_t j = 0; j < DIM; j++)
        for (size_t k = 0; k < 4; k++) {
            m->maps->table[j][k] = x[k];
            m->maps->table[j][4 + k] = j == KIND ? x[k] : z[k];
            m->maps->table[j][8 + k] = j == KIND ? 1 : 0.7 + 0.1 * (double)k;
        }
}

static lam_model *gaussian_model(int mapped)
{
    static const unsigned char is_given[DIM] = { [KIND] = 1, [D] = 1 };
    static const size_t levels[DIM] = { [KIND] = 2 };
    const lam_names texts[DIM] = { [KIND] = LAM_NAMES("down", "up") };
    lam_config cfg;
    lam_model *m;
    configure(&cfg, "dims", "8", "context-dims", "6", "any-given", "true", "given", "kind,d", "precision", "double", "whiten", "gaussian", NULL);
    assert_ok(lam_model_create_given(&cfg, DIM, &(lam_given_kind) { .is_given = is_given, .levels = levels, .any = 1 }, &m));
    lam_config_clear(&cfg);
    for (size_t i = 0; i < m->layout.time; i++)
        m->params[i] = 0;
    assert_ok(lam_model_set_texts(m, texts));
    assert_ok(lam_whitening_create(DIM, &m->whitening));
    memcpy(m->whitening->mean, mean, sizeof mean);
    memcpy(m->whitening->covariance, covariance, sizeof covariance);
    m->log_det = 0;
    for (size_t j = 0; j < DIM; j++) {
        m->mean[j] = j == KIND ? 0 : 3 - 1.1 * (double)j;
        m->scale[j] = j == KIND ? 1 : 0.3 + 0.7 * (double)j;
        m->log_det -= is_given[j] ? 0 : log(m->scale[j]);
    }
    if (mapped)
        bend(m);
    return m;
}

/* ---- the closed form ---------------------------------------------------------------------------------------------- */

/* A cell of data units behind the map, and the logarithm of how fast that goes, by differences. */
static double behind(const lam_model *m, size_t j, double x, double *log_slope)
{
    double z = (x - m->mean[j]) / m->scale[j], slope, h = 1e-6;
    const lam_spline *s = m->maps != NULL ? &m->maps->column[j] : NULL;
    *log_slope = -log(m->scale[j]);
    if (s == NULL)
        return z;
    *log_slope += log((lam_spline_at(s, z + h, &slope) - lam_spline_at(s, z - h, &slope)) / (2 * h));
    return lam_spline_at(s, z, &slope);
}

/* Mean and variance of column j behind its map, given the columns of `of` [n] and their u [DIM]: by elimination, without a factor. */
static void given_those(const size_t *of, size_t n, size_t j, const double *u, double *centre, double *variance)
{
    double a[DIM][DIM + 2] = { { 0 } }, weight[DIM];
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < n; k++)
            a[i][k] = covariance[of[i]][of[k]];
        a[i][n] = covariance[of[i]][j];
    }
    for (size_t p = 0; p < n; p++)
        for (size_t i = 0; i < n; i++) {
            double f = a[i][p] / a[p][p];
            for (size_t k = p; k <= n && i != p; k++)
                a[i][k] -= f * a[p][k];
        }
    *centre = mean[j], *variance = covariance[j][j];
    for (size_t i = 0; i < n; i++) {
        weight[i] = a[i][n] / a[i][i];
        *centre += weight[i] * (u[of[i]] - mean[of[i]]);
        *variance -= weight[i] * covariance[of[i]][j];
    }
}

/* By the chain rule, one moving column after the other, each given the given ones and those before it. */
static double closed_form(const lam_model *m, const double *x, const unsigned char *roles)
{
    size_t of[DIM], n = 0;
    double u[DIM] = { 0 }, sum = 0, unused;
    for (size_t j = 0; j < DIM; j++)
        if (roles[j] == LAM_GIVEN && j != KIND) {
            u[j] = behind(m, j, x[j], &unused);
            of[n++] = j;
        }
    for (size_t j = DIM; j-- > 0;) { /* another order than the model's */
        double log_slope, centre, variance;
        if (roles[j] != LAM_MOVING)
            continue;
        u[j] = behind(m, j, x[j], &log_slope);
        given_those(of, n, j, u, &centre, &variance);
        sum += log_slope - 0.5 * log(2 * acos(-1) * variance) - 0.5 * (u[j] - centre) * (u[j] - centre) / variance;
        of[n++] = j;
    }
    return sum;
}

static void draw_rows(const lam_model *m, double *x, size_t n)
{
    normals(x, n, DIM);
    for (size_t i = 0; i < n * DIM; i++)
        x[i] = i % DIM == KIND ? (double)(i % 2) : 1.3 * x[i] * m->scale[i % DIM] + m->mean[i % DIM];
}

/* Roles of all kinds; row 0 has all that moves, row 1 nothing. */
static void draw_roles(unsigned char *roles, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < DIM; j++) {
            unsigned role = (unsigned)(lam_random_uniform(2, LAM_DRAW_TEST, 1, i * DIM + j) * 3);
            int never = j == KIND || j == D;
            role = never && role == LAM_MOVING ? LAM_GIVEN : role;
            role = i == 0 ? (never ? LAM_GIVEN : LAM_MOVING) : i == 1 && role == LAM_MOVING ? LAM_ABSENT : role;
            roles[i * DIM + j] = (unsigned char)role;
        }
}

/* ---- tests -------------------------------------------------------------------------------------------------------- */

static void densities(void **state)
{
    (void)state;
    static const size_t batches[] = { 0, 1, 33, 64 };
    for (int mapped = 0; mapped < 2; mapped++) {
        lam_model *m = gaussian_model(mapped);
        double x[ROWS * DIM], logp[ROWS], standardised[ROWS * DIM], logp_standardised[ROWS];
        unsigned char roles[ROWS * DIM];
        draw_rows(m, x, ROWS);
        draw_roles(roles, ROWS);
        for (size_t i = 0; i < ROWS * DIM; i++) {
            x[i] = roles[i] == LAM_ABSENT ? (double)NAN : x[i];
            standardised[i] = (x[i] - m->mean[i % DIM]) / m->scale[i % DIM];
        }
        for (size_t b = 0; b < 4; b++) {
            const lam_eval_options options = { .batch_rows = batches[b], .threads = 1 + b % 2 };
            assert_ok(lam_conditional_log_prob(m, &options, &(lam_query){ x, ROWS, roles, ROWS }, logp, NULL));
            for (size_t i = 0; i < ROWS; i++) {
                double want = closed_form(m, x + i * DIM, roles + i * DIM);
                if (!(fabs(logp[i] - want) < 1e-8))
                    fail_msg("row %zu: log p is %.12g, not %.12g", i, logp[i], want);
            }
        }
        assert_true(logp[1] == 0); /* where nothing moves */
        assert_ok(lam_conditional_log_prob(m, &(lam_eval_options) { .units = LAM_UNITS_STANDARDISED }, &(lam_query){ standardised, ROWS, roles, ROWS }, logp_standardised, NULL));
        for (size_t i = 0; i < ROWS; i++)
            for (size_t j = 0; j < DIM; j++)
                logp_standardised[i] -= roles[i * DIM + j] == LAM_MOVING ? log(m->scale[j]) : 0;
        assert_true(largest_difference(logp, logp_standardised, ROWS) < 1e-12);
        lam_model_free(m);
    }
}

/* b alone moves, with a given, c absent, and d and kind given or absent: by integration and by draws. */
static void predictions(void **state)
{
    (void)state;
    static const double quantiles[3] = { 1e-3, 0.5, 0.975 }, below[3] = { -40, 1, 40 };
    lam_model *m = gaussian_model(0);
    const unsigned char roles[2 * DIM] = { LAM_GIVEN, LAM_GIVEN, LAM_MOVING, LAM_GIVEN, LAM_ABSENT, LAM_GIVEN, LAM_ABSENT, LAM_MOVING, LAM_ABSENT, LAM_ABSENT };
    const double x[2 * DIM] = { 4, 1, (double)INFINITY, -1, (double)NAN, 2.5, (double)NAN, (double)NAN, (double)NAN, (double)NAN };
    double values[2][2 * NUMBERS], errors[2 * NUMBERS], unused;
    lam_predict_report report;
    lam_predict_options options = { .seed = 3, .quantiles = quantiles, .n_quantiles = 3, .below = below, .n_below = 3 };
    assert_ok(lam_predict(m, &options, &(lam_query){ x, 2, roles, 2 }, values[0], NULL, &report));
    assert_true(report.method == LAM_PREDICT_INTEGRAL && report.mass_error < 1e-5);
    options.method = LAM_PREDICT_DRAWS, options.draws = DRAWS;
    assert_ok(lam_predict(m, &options, &(lam_query){ x, 2, roles, 2 }, values[1], errors, &report));
    for (size_t i = 0; i < 2; i++) {
        const size_t of[2] = { A, D };
        const double *v = values[0] + i * NUMBERS, *drawn = values[1] + i * NUMBERS, *error = errors + i * NUMBERS;
        double u[DIM] = { [A] = behind(m, A, x[i * DIM], &unused), [D] = behind(m, D, x[i * DIM + D], &unused) }, centre, variance, want[NUMBERS];
        given_those(of, 2 - i, B, u, &centre, &variance);
        centre = centre * m->scale[B] + m->mean[B];
        double sd = sqrt(variance) * m->scale[B];
        want[0] = centre, want[1] = sd;
        for (size_t k = 0; k < 3; k++) {
            want[2 + k] = centre + sd * lam_normal_quantile(quantiles[k]);
            want[5 + k] = 0.5 * erfc((centre - below[k]) / sd / sqrt(2));
        }
        for (size_t k = 0; k < NUMBERS; k++) {
            if (!(fabs(v[k] - want[k]) < 2e-4 * (1 + sd)))
                fail_msg("row %zu, number %zu: %.9g by the integral, not %.9g", i, k, v[k], want[k]);
            if (!(error[k] > 0 && fabs(drawn[k] - want[k]) < 4 * error[k]))
                fail_msg("row %zu, number %zu: %.9g +- %.2g by draws, not %.9g", i, k, drawn[k], error[k], want[k]);
        }
        assert_true(fabs(error[0] - sd / sqrt(DRAWS)) < 0.1 * error[0] && fabs(error[1] - sd / sqrt(2 * DRAWS)) < 0.1 * error[1]);
    }
    lam_model_free(m);
}

/* What is given stays to the bit, what is absent is NaN, and of the rest the first two moments are those of the closed form. */
static void draws(void **state)
{
    (void)state;
    lam_model *m = gaussian_model(0);
    const double x[DIM] = { 0.1, 1, (double)NAN, 1.0 / 3, (double)NAN };
    const unsigned char roles[DIM] = { LAM_ABSENT, LAM_GIVEN, LAM_MOVING, LAM_GIVEN, LAM_MOVING };
    const size_t of[2] = { D, B };
    double out[DRAWS * DIM], logp[DRAWS], sum[3] = { 0 }, square[3] = { 0 }, unused;
    assert_ok(lam_conditional_sample(m, NULL, 5, &(lam_query){ x, 1, roles, 1 }, DRAWS, out, logp, NULL));
    for (size_t k = 0; k < DRAWS; k++) {
        double *row = out + k * DIM, u[DIM] = { 0 }, centre, variance;
        assert_true(isnan(row[A]) && row[KIND] == 1 && row[D] == 1.0 / 3);
        assert_true(fabs(logp[k] - closed_form(m, row, roles)) < 1e-8);
        for (size_t j = B; j < DIM; j++)
            u[j] = behind(m, j, row[j], &unused);
        given_those(of, 1, B, u, &centre, &variance); /* b given d, and c given both: scores are two independent normals */
        double b = (u[B] - centre) / sqrt(variance);
        given_those(of, 2, C, u, &centre, &variance);
        double c = (u[C] - centre) / sqrt(variance), each[3] = { b, c, b * c };
        for (size_t i = 0; i < 3; i++)
            sum[i] += each[i] / DRAWS, square[i] += each[i] * each[i] / DRAWS;
    }
    for (size_t i = 0; i < 3; i++) {
        assert_true(fabs(sum[i]) < 4 / sqrt(DRAWS));
        assert_true(fabs(square[i] - 1) < 4 * sqrt(i < 2 ? 2 : 8) / sqrt(DRAWS)); /* of a square, and of a product of two */
    }
    lam_model_free(m);
}

/* Of every column that can move, given all others; its NLL is that of scoring, in data units where these are the same for all rows. */
static void checks(void **state)
{
    (void)state;
    lam_model *m = gaussian_model(1);
    const unsigned char joint[DIM] = { LAM_MOVING, LAM_ABSENT, LAM_MOVING, LAM_ABSENT, LAM_MOVING };
    double x[DRAWS * DIM], logp[ROWS], whole[DIM], nll = 0;
    lam_check_report r;
    lam_calibration c[DIM];
    for (size_t j = 0; j < DIM; j++)
        whole[j] = (double)NAN;
    assert_ok(lam_conditional_sample(m, NULL, 8, &(lam_query){ whole, 1, joint, 1 }, ROWS, x, NULL, NULL));
    assert_ok(lam_check(m, NULL, x, ROWS, &r));
    assert_ok(lam_log_prob(m, NULL, x, ROWS, logp, NULL));
    for (size_t i = 0; i < ROWS; i++)
        nll -= logp[i] / ROWS;
    assert_true(fabs(r.nll - nll) < 1e-9 && fabs(r.nll_tight - nll) < 1e-9 && fabs(r.nll_standardised - nll - m->log_det) < 1e-9);
    assert_true(r.has_consistency && r.consistency < 1e-9 && r.round_trip_max < 1e-9 && fabs(r.hutchinson_mean) < 1e-9);
    assert_ok(lam_calibrate(m, NULL, 1, &(lam_query){ x, ROWS, NULL, 0 }, 100, c));
    for (size_t j = 0; j < DIM; j++)
        assert_true(j == KIND || j == D ? c[j].rows == 0 : c[j].rows == ROWS && c[j].distance < c[j].band);
    x[3 * DIM] = (double)NAN; /* a row of fewer columns */
    assert_ok(lam_check(m, NULL, x, ROWS, &r));
    assert_ok(lam_log_prob(m, NULL, x, ROWS, logp, NULL));
    nll = m->log_det + log(m->scale[A]) / ROWS;
    for (size_t i = 0; i < ROWS; i++)
        nll -= logp[i] / ROWS;
    assert_true(isnan(r.nll) && isnan(r.nll_tight) && isfinite(r.nll_standardised));
    if (!(fabs(r.nll_standardised - nll) < 1e-9))
        fail_msg("%.12g, not %.12g", r.nll_standardised, nll);
    for (size_t i = 0; i < ROWS; i++) /* and all rows without it are one density again */
        x[i * DIM] = (double)NAN;
    assert_ok(lam_check(m, NULL, x, ROWS, &r));
    assert_true(fabs(r.nll - r.nll_standardised + m->log_det + log(m->scale[A])) < 1e-9);
    x[5 * DIM + B] = x[5 * DIM + C] = (double)NAN;
    assert_int_equal(lam_check(m, NULL, x, ROWS, &r), LAM_ERR_DATA);
    assert_said("row 6: every column whose density is asked is missing");
    lam_model_free(m);
}

/* Rows are counted as the caller has them, and roles are for all of them. */
static void what_is_refused(void **state)
{
    (void)state;
    enum { MANY = 900 };
    static double x[MANY * DIM], values[MANY * 2];
    lam_model *m = gaussian_model(0);
    unsigned char roles[2 * DIM] = { LAM_GIVEN, LAM_GIVEN, LAM_MOVING, LAM_ABSENT, LAM_ABSENT, LAM_GIVEN, LAM_GIVEN, LAM_MOVING, LAM_ABSENT, LAM_ABSENT };
    lam_calibration c[DIM];
    draw_rows(m, x, MANY);
    x[(MANY - 1) * DIM] = (double)INFINITY;
    assert_int_equal(lam_calibrate(m, NULL, 1, &(lam_query){ x, MANY, roles, 1 }, 400, c), LAM_ERR_DATA);
    assert_said("row 900, column 1");
    assert_int_equal(lam_calibrate(m, NULL, 1, &(lam_query){ x, MANY, NULL, 0 }, 400, c), LAM_ERR_DATA);
    assert_said("row 900, column 1");
    assert_int_equal(lam_predict(m, NULL, &(lam_query){ x, MANY, roles, 1 }, values, NULL, NULL), LAM_ERR_DATA);
    assert_said("row 900, column 1");
    assert_int_equal(lam_calibrate(m, NULL, 1, &(lam_query){ x, MANY, roles, 2 }, 400, c), LAM_ERR_ARGUMENT);
    assert_said("2 rows of roles for 900 rows");
    assert_int_equal(lam_predict(m, NULL, &(lam_query){ x, MANY, roles, 2 }, values, NULL, NULL), LAM_ERR_ARGUMENT);
    assert_said("2 rows of roles for 900 rows");
    const lam_query nothing = { .n = 1 };
    assert_int_equal(lam_calibrate(m, NULL, 1, &nothing, 400, c), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_predict(m, NULL, &nothing, values, NULL, NULL), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_conditional_log_prob(m, NULL, &nothing, values, NULL), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_conditional_sample(m, NULL, 1, &nothing, 1, values, NULL, NULL), LAM_ERR_ARGUMENT);
    assert_said("the argument x is NULL");
    roles[D] = LAM_MOVING;
    assert_int_equal(lam_predict(m, NULL, &(lam_query){ x, MANY, roles, 1 }, values, NULL, NULL), LAM_ERR_ARGUMENT);
    lam_model_free(m);
}

/* Where nobody says, what never moves is given where it is there, and all else moves: also where its cell has a value. */
static void usual_roles(void **state)
{
    (void)state;
    lam_model *m = gaussian_model(0);
    const lam_names a = LAM_NAMES("1"), d = LAM_NAMES("4");
    unsigned char roles[DIM], rows[DIM];
    const unsigned char whole[DIM] = { LAM_MOVING, LAM_GIVEN, LAM_MOVING, LAM_GIVEN, LAM_MOVING };
    const unsigned char one[DIM] = { LAM_MOVING, LAM_ABSENT, LAM_ABSENT, LAM_GIVEN, LAM_ABSENT };
    const unsigned char filled[DIM] = { LAM_MOVING, LAM_ABSENT, LAM_GIVEN, LAM_ABSENT, LAM_GIVEN };
    const double missing[DIM] = { (double)NAN, (double)NAN, 1, (double)NAN, 2 };
    assert_ok(lam_model_roles(m, NULL, NULL, LAM_ABSENT, roles));
    assert_memory_equal(roles, whole, DIM);
    assert_ok(lam_model_roles(m, &a, &d, LAM_ABSENT, roles));
    assert_memory_equal(roles, one, DIM);
    assert_ok(lam_model_roles(m, &a, NULL, LAM_MOVING, roles));
    assert_memory_equal(roles, whole, DIM);
    assert_int_equal(lam_model_roles(m, &d, NULL, LAM_GIVEN, roles), LAM_ERR_ARGUMENT);
    assert_said("the column 4 was named in given at the fit");
    assert_ok(lam_roles_of_rows(m, whole, 1, missing, 1, rows));
    assert_memory_equal(rows, filled, DIM);
    double values[3][3 * 2], x[DIM] = { 4, 1, 2, -1, 3 };
    assert_ok(lam_predict(m, NULL, &(lam_query){ x, 1, NULL, 0 }, values[0], NULL, NULL));
    assert_ok(lam_predict(m, NULL, &(lam_query){ x, 1, whole, 1 }, values[1], NULL, NULL));
    assert_memory_equal(values[0], values[1], sizeof values[0]);
    x[D] = (double)NAN;
    assert_ok(lam_predict(m, NULL, &(lam_query){ x, 1, NULL, 0 }, values[2], NULL, NULL));
    assert_true(values[2][0] != values[0][0]);
    lam_model_free(m);
}

/* The same columns, with a flow that bends space and its own context. */
static lam_model *bent(const char *precision)
{
    lam_model *zero = gaussian_model(1), *m;
    lam_config cfg;
    const lam_given_kind kind = lam_given_kind_of(&zero->given);
    configure(&cfg, "dims", "8-8", "context-dims", "6", "any-given", "true", "given", "kind,d", "precision", precision, "whiten", "gaussian", "seed", "4",
        "blocks", "2", "test-steps", "8", NULL);
    assert_ok(lam_model_create_given(&cfg, DIM, &kind, &m));
    for (size_t i = 0; i < m->layout.time; i++)
        m->params[i] = (double)(float)(2 * m->params[i]);
    assert_ok(lam_model_set_texts(m, zero->texts));
    memcpy(m->mean, zero->mean, DIM * sizeof(double));
    memcpy(m->scale, zero->scale, DIM * sizeof(double));
    m->log_det = zero->log_det;
    assert_ok(lam_maps_copy(zero->maps, &m->maps));
    assert_ok(lam_whitening_copy(zero->whitening, &m->whitening));
    lam_config_clear(&cfg);
    lam_model_free(zero);
    return m;
}

/* By even steps a row's density is its own, to the bit: whatever rows of other roles stand beside it, in tiles that are full or not. */
static void rows_are_on_their_own(void **state)
{
    (void)state;
    static const char *const widths[] = { "float", "double" };
    for (int w = 0; w < 2; w++) {
        lam_model *m = bent(widths[w]);
        double x[ROWS * DIM], whole[ROWS], one;
        unsigned char roles[ROWS * DIM];
        draw_rows(m, x, ROWS);
        draw_roles(roles, ROWS);
        assert_ok(lam_conditional_log_prob(m, NULL, &(lam_query){ x, ROWS, roles, ROWS }, whole, NULL));
        for (size_t i = 0; i < ROWS; i++) {
            assert_ok(lam_conditional_log_prob(m, NULL, &(lam_query){ x + i * DIM, 1, roles + i * DIM, 1 }, &one, NULL));
            assert_true(one == whole[i]);
        }
        assert_true(whole[1] == 0 && fabs(whole[0] - closed_form(m, x, roles)) > 0.01); /* it is bent */
        lam_model_free(m);
    }
}

/* Of one moving column with all others given the density integrates to 1, and of its own draws a bent model is right about itself. */
static void a_bent_density(void **state)
{
    (void)state;
    lam_model *m = bent("double");
    double x[ROWS * DIM], out[ROWS * DIM], values[2];
    lam_check_report r;
    lam_calibration c[DIM];
    lam_predict_report report;
    unsigned char joint[DIM] = { LAM_MOVING, LAM_GIVEN, LAM_MOVING, LAM_GIVEN, LAM_MOVING };
    draw_rows(m, x, ROWS);
    for (size_t j = 0; j < DIM; j += 2) {
        unsigned char roles[DIM] = { LAM_GIVEN, LAM_GIVEN, LAM_GIVEN, LAM_ABSENT, LAM_GIVEN };
        roles[j] = LAM_MOVING;
        assert_ok(lam_predict(m, NULL, &(lam_query){ x, 1, roles, 1 }, values, NULL, &report));
        assert_true(report.method == LAM_PREDICT_INTEGRAL && report.mass_error < 1e-3);
    }
    assert_ok(lam_conditional_sample(m, NULL, 8, &(lam_query){ x, ROWS, joint, 1 }, 1, out, NULL, NULL));
    assert_ok(lam_calibrate(m, NULL, 1, &(lam_query){ out, ROWS, joint, 1 }, 200, c));
    for (size_t j = 0; j < DIM; j += 2)
        assert_true(c[j].rows == ROWS && c[j].distance < c[j].band);
    for (size_t i = 0; i < ROWS; i += 3) /* and with cells that are missing its estimates have no bias either */
        out[i * DIM + i % 2 * 2] = (double)NAN;
    assert_ok(lam_check(m, NULL, out, ROWS, &r));
    assert_true(fabs(r.hutchinson_mean) < 4 * r.hutchinson_se && r.hutchinson_se > 0 && r.logp_error_max < 1e-3 && r.round_trip_max < 1e-3);
    lam_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(densities),
        cmocka_unit_test(predictions),
        cmocka_unit_test(draws),
        cmocka_unit_test(checks),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(usual_roles),
        cmocka_unit_test(rows_are_on_their_own),
        cmocka_unit_test(a_bent_density),
    };
    return cmocka_run_group_tests_name("conditional", tests, NULL, NULL);
}
