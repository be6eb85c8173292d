/* Fits a full-covariance Gaussian and scores rows by it. */
#include "data/gaussian.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "data/dataset.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Mean, and the lower triangle of the covariance into g->lower, of every step-th row. row [dim] is scratch. */
static void covariance(const double *x, size_t n, size_t step, lam_gaussian *g, double *row)
{
    size_t dim = g->dim;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < dim; j++)
            g->mean[j] += x[i * step * dim + j] / (double)n;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < dim; j++)
            row[j] = x[i * step * dim + j] - g->mean[j];
        for (size_t j = 0; j < dim; j++)
            for (size_t k = 0; k <= j; k++)
                g->lower[j * dim + k] += row[j] * row[k];
    }
    for (size_t j = 0; j < dim * dim; j++)
        g->lower[j] /= (double)n;
}

size_t lam_cholesky(double *a, size_t dim)
{
    for (size_t j = 0; j < dim; j++) {
        for (size_t k = 0; k <= j; k++) {
            double sum = a[j * dim + k];
            for (size_t m = 0; m < k; m++)
                sum -= a[j * dim + m] * a[k * dim + m];
            if (k < j)
                a[j * dim + k] = sum / a[k * dim + k];
            else if (!(sum > 64 * (double)dim * DBL_EPSILON * a[j * dim + j])) /* what rounding leaves of a zero */
                return j;
            else
                a[j * dim + j] = sqrt(sum);
        }
    }
    return dim;
}

static lam_status create(size_t dim, lam_gaussian *out)
{
    *out = (lam_gaussian){ .dim = dim, .mean = lam_alloc(dim, sizeof(double)), .lower = lam_alloc(dim * dim, sizeof(double)) };
    if (out->mean != NULL && out->lower != NULL)
        return LAM_OK;
    lam_gaussian_clear(out);
    return LAM_ERR_MEMORY;
}

/* The covariance of n rows in out->lower becomes its factor. */
static lam_status factor(size_t n, char *const *names, lam_gaussian *out)
{
    size_t dim = out->dim, singular = lam_cholesky(out->lower, dim);
    if (singular < dim) {
        char number[24];
        snprintf(number, sizeof number, "%zu", singular + 1);
        return lam_fail(LAM_ERR_DATA, "the covariance of %zu rows is singular: column %zu (%s) is a linear function of the "
            "columns before it (or there are too few rows); leave one of them out", n, singular + 1,
            names != NULL ? names[singular] : number);
    }
    for (size_t j = 0; j < dim; j++)
        out->log_det += log(out->lower[j * dim + j]);
    return LAM_OK;
}

/* As lam_gaussian_fit, to n of the rows, step apart. */
static lam_status fit(const double *x, size_t n, size_t step, size_t dim, char *const *names, lam_gaussian *out)
{
    LAM_TRY(create(dim, out));
    double *row = lam_alloc(dim, sizeof(double));
    lam_status status = row == NULL ? LAM_ERR_MEMORY : LAM_OK;
    if (status == LAM_OK) {
        covariance(x, n, step, out, row);
        status = factor(n, names, out);
    }
    lam_free(row);
    if (status != LAM_OK)
        lam_gaussian_clear(out);
    return status;
}

/* Of the moments that the data set keeps. */
static lam_status fit_kept(const lam_dataset *data, lam_gaussian *out)
{
    LAM_TRY(create(data->dim, out));
    memcpy(out->mean, data->centre, data->dim * sizeof *out->mean);
    memcpy(out->lower, data->covariance, data->dim * data->dim * sizeof *out->lower);
    lam_status status = factor(data->rows[LAM_TRAIN], data->names, out);
    if (status != LAM_OK)
        lam_gaussian_clear(out);
    return status;
}

lam_status lam_gaussian_fit(const double *x, size_t n, size_t dim, char *const *names, lam_gaussian *out)
{
    return fit(x, n, 1, dim, names, out);
}

/* Element (j, j) of the inverse of L L', by L y = e_j: the square of y. y [dim] is scratch. */
static double inverse_diagonal(const lam_gaussian *g, size_t j, double *y)
{
    double square = 0;
    for (size_t i = j; i < g->dim; i++) {
        double sum = i == j ? 1 : 0;
        for (size_t k = j; k < i; k++)
            sum -= g->lower[i * g->dim + k] * y[k];
        y[i] = sum / g->lower[i * g->dim + i];
        square += y[i] * y[i];
    }
    return square;
}

enum { LOOKED_AT = 20000 };

/* Of a Gaussian that was fitted to so many rows. y [dim] is scratch. */
static double least_of(const lam_gaussian *g, size_t rows, double *y)
{
    double share = 1;
    for (size_t j = 0; j < g->dim; j++) {
        double variance = 0;
        for (size_t k = 0; k <= j; k++)
            variance += g->lower[j * g->dim + k] * g->lower[j * g->dim + k];
        share = fmin(share, 1 / (variance * inverse_diagonal(g, j, y)) * (double)(rows - 1) / (double)(rows - g->dim)); /* unbiased */
    }
    return share;
}

/* What came of a fit to so many rows. */
static lam_status take_least(lam_status fitted, lam_gaussian *g, size_t rows, double *y, double *share)
{
    if (fitted == LAM_ERR_DATA) {
        *share = 0;
        return LAM_OK;
    }
    if (fitted == LAM_OK) {
        *share = least_of(g, rows, y);
        lam_gaussian_clear(g);
    }
    return fitted;
}

lam_status lam_least_unexplained(const double *x, size_t n, size_t dim, double *share)
{
    lam_gaussian g;
    size_t step = n / LOOKED_AT + 1, rows = n / step;
    *share = 1;
    if (rows <= dim + 1) /* that any column is a function of the others says nothing here */
        return LAM_OK;
    double *y = lam_alloc(dim, sizeof *y);
    lam_status status = y == NULL ? LAM_ERR_MEMORY : take_least(fit(x, rows, step, dim, NULL, &g), &g, rows, y, share);
    lam_free(y);
    return status;
}

lam_status lam_least_unexplained_kept(const lam_dataset *data, double *share)
{
    lam_gaussian g;
    double *y = lam_alloc(data->dim, sizeof *y);
    lam_status status = y == NULL ? LAM_ERR_MEMORY : take_least(fit_kept(data, &g), &g, data->rows[LAM_TRAIN], y, share);
    lam_free(y);
    return status;
}

static const double HALF_LOG_2_PI = 0.91893853320467274178; /* a dimension */

void lam_gaussian_add(lam_gaussian_sums *s, const lam_gaussian *gaussian, size_t first, const double *row, double *white)
{
    size_t dim = gaussian->dim;
    double before = s->total;
    for (size_t j = 0; j < dim; j++) { /* forward substitution: lower white = x - mean */
        double sum = row[j] - gaussian->mean[j];
        for (size_t k = 0; k < j; k++)
            sum -= gaussian->lower[j * dim + k] * white[k];
        white[j] = sum / gaussian->lower[j * dim + j];
        s->total += j < first ? 0 : 0.5 * white[j] * white[j];
    }
    if (s->each != NULL)
        s->each[s->n] = s->total - before + gaussian->log_det + HALF_LOG_2_PI * (double)(dim - first);
    double step = s->total - before - s->mean;
    s->mean += step / (double)++s->n;
    s->square += step * (s->total - before - s->mean);
}

void lam_gaussian_end(const lam_gaussian_sums *s, const lam_gaussian *gaussian, size_t first, lam_gaussian_score *score)
{
    double n = (double)s->n;
    *score = (lam_gaussian_score){ .nll = s->n == 0 ? NAN : s->total / n + gaussian->log_det + HALF_LOG_2_PI * (double)(gaussian->dim - first),
        .se = s->n < 2 ? NAN : sqrt(s->square / (n - 1) / n) };
}

static lam_status score_each(const lam_gaussian *gaussian, const double *x, const size_t *index, size_t n, double *each, lam_gaussian_score *score)
{
    lam_gaussian_sums sums = { .each = each };
    double *white = lam_alloc(gaussian->dim, sizeof *white);
    if (white == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < n; i++)
        lam_gaussian_add(&sums, gaussian, 0, x + (index != NULL ? index[i] : i) * gaussian->dim, white);
    lam_free(white);
    lam_gaussian_end(&sums, gaussian, 0, score);
    return LAM_OK;
}

lam_status lam_gaussian_nll(const lam_gaussian *gaussian, const double *x, const size_t *index, size_t n, lam_gaussian_score *score)
{
    return score_each(gaussian, x, index, n, NULL, score);
}

/* To every step-th training row. */
static lam_status fit_some(void *self, size_t step, lam_gaussian *out)
{
    const lam_dataset *data = self;
    return fit(data->values[LAM_TRAIN], data->rows[LAM_TRAIN] / step, step, data->dim, data->names, out);
}

lam_status lam_gaussian_step(size_t rows, size_t dim, double until, lam_gaussian_fitter fitter, void *self, size_t *step)
{
    lam_gaussian g;
    double d = (double)dim;
    /* So few would cost the NLL the hundredth part of a nat, about d^2 / (4 n), unless even they take a tenth of a second. */
    size_t few = 2000 + 10 * dim + (size_t)fmin(20 * d * d, 1e8 / (d * d));
    *step = 1;
    if (until <= 0 || rows <= few)
        return LAM_OK;
    double began = lam_clock();
    LAM_TRY(fitter(self, rows / few, &g));
    lam_gaussian_clear(&g);
    double now = lam_clock(), a_row = (now - began) / (double)(rows / (rows / few));
    double most = fmax((double)few, 0.5 * (until - now) / fmax(a_row, 1e-12));
    if (most < (double)rows)
        *step = (size_t)ceil((double)rows / most);
    return LAM_OK;
}

/* That of the moments which the data set keeps is there at once. */
static lam_status score_kept(const lam_dataset *data, const size_t *index, size_t n, double *each, lam_gaussian_score *score)
{
    lam_gaussian g;
    LAM_TRY(fit_kept(data, &g));
    lam_status status = score_each(&g, data->values[LAM_TEST], index, n, each, score);
    score->fitted = data->rows[LAM_TRAIN];
    lam_gaussian_clear(&g);
    return status;
}

lam_status lam_gaussian_test(const lam_dataset *data, const size_t *index, size_t n, double until, double *each, lam_gaussian_score *score)
{
    lam_gaussian g;
    size_t step, given = 0, rows = data->rows[LAM_TRAIN];
    *score = (lam_gaussian_score){ .nll = NAN, .se = NAN };
    for (size_t j = 0; j < data->dim; j++)
        given += data->is_input[j];
    if (given > 0)
        return lam_gaussian_test_given(data, index, n, until, each, score);
    if (data->covariance != NULL)
        return score_kept(data, index, n, each, score);
    lam_dataset own = *data; /* which is only read */
    LAM_TRY(lam_gaussian_step(rows, data->dim, until, fit_some, &own, &step));
    LAM_TRY(fit_some(&own, step, &g));
    lam_status status = score_each(&g, data->values[LAM_TEST], index, n, each, score);
    score->fitted = rows / step;
    lam_gaussian_clear(&g);
    return status;
}

void lam_gaussian_clear(lam_gaussian *gaussian)
{
    lam_free(gaussian->mean);
    lam_free(gaussian->lower);
    *gaussian = (lam_gaussian){ 0 };
}
