/* Fits a full-covariance Gaussian and scores rows by it. */
#include "data/gaussian.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "data/dataset.h"
#include "data/given.h"
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

/* As lam_gaussian_fit, to n of the rows, step apart. */
static lam_status fit(const double *x, size_t n, size_t step, size_t dim, char *const *names, lam_gaussian *out)
{
    *out = (lam_gaussian){ .dim = dim };
    out->mean = lam_alloc(dim, sizeof(double));
    out->lower = lam_alloc(dim * dim, sizeof(double));
    double *row = lam_alloc(dim, sizeof(double));
    lam_status status = LAM_OK;
    if (out->mean == NULL || out->lower == NULL || row == NULL) {
        status = LAM_ERR_MEMORY;
    } else {
        covariance(x, n, step, out, row);
        size_t singular = lam_cholesky(out->lower, dim);
        if (singular < dim) {
            char number[24];
            snprintf(number, sizeof number, "%zu", singular + 1);
            status = lam_fail(LAM_ERR_DATA, "the covariance of %zu rows is singular: column %zu (%s) is a linear function of the "
                "columns before it (or there are too few rows); leave one of them out", n, singular + 1,
                names != NULL ? names[singular] : number);
        }
        for (size_t j = 0; j < dim && status == LAM_OK; j++)
            out->log_det += log(out->lower[j * dim + j]);
    }
    lam_free(row);
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

lam_status lam_least_unexplained(const double *x, size_t n, size_t dim, double *share)
{
    lam_gaussian g;
    size_t step = n / LOOKED_AT + 1, rows = n / step;
    *share = 1;
    if (rows <= dim + 1) /* that any column is a function of the others says nothing here */
        return LAM_OK;
    double *y = lam_alloc(dim, sizeof *y);
    lam_status status = y == NULL ? LAM_ERR_MEMORY : fit(x, rows, step, dim, NULL, &g);
    if (status == LAM_ERR_DATA) {
        *share = 0;
        status = LAM_OK;
    } else if (status == LAM_OK) {
        for (size_t j = 0; j < dim; j++) {
            double variance = 0;
            for (size_t k = 0; k <= j; k++)
                variance += g.lower[j * dim + k] * g.lower[j * dim + k];
            *share = fmin(*share, 1 / (variance * inverse_diagonal(&g, j, y)) * (double)(rows - 1) / (double)(rows - dim)); /* unbiased */
        }
        lam_gaussian_clear(&g);
    }
    lam_free(y);
    return status;
}

/* Of the columns from `first` on given those before, which is what factors of a Cholesky decomposition are; log_det is theirs alone. */
static lam_status score_from(const lam_gaussian *gaussian, size_t first, const double *x, const size_t *index, size_t n,
    lam_gaussian_score *score)
{
    size_t dim = gaussian->dim;
    double total = 0, mean = 0, square = 0, *white = lam_alloc(dim, sizeof *white);
    if (white == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < n; i++) {
        const double *row = x + (index != NULL ? index[i] : i) * dim;
        double before = total;
        for (size_t j = 0; j < dim; j++) { /* forward substitution: lower white = x - mean */
            double sum = row[j] - gaussian->mean[j];
            for (size_t k = 0; k < j; k++)
                sum -= gaussian->lower[j * dim + k] * white[k];
            white[j] = sum / gaussian->lower[j * dim + j];
            total += j < first ? 0 : 0.5 * white[j] * white[j];
        }
        double step = total - before - mean;
        mean += step / (double)(i + 1);
        square += step * (total - before - mean);
    }
    lam_free(white);
    /* 0.5 log(2 pi) a dimension */
    *score = (lam_gaussian_score){ .nll = n == 0 ? NAN : total / (double)n + gaussian->log_det + 0.91893853320467274178 * (double)(dim - first),
        .se = n < 2 ? NAN : sqrt(square / (double)(n - 1) / (double)n) };
    return LAM_OK;
}

lam_status lam_gaussian_nll(const lam_gaussian *gaussian, const double *x, const size_t *index, size_t n, lam_gaussian_score *score)
{
    return score_from(gaussian, 0, x, index, n, score);
}

/* To every step-th training row. */
static lam_status fit_some(const lam_dataset *data, size_t step, lam_gaussian *out)
{
    return fit(data->values[LAM_TRAIN], data->rows[LAM_TRAIN] / step, step, data->dim, data->names, out);
}

/* Of how many training rows to take one, so that it takes half the time until then. Tried on a few. */
static lam_status choose_step(const lam_dataset *data, double until, size_t *step)
{
    lam_gaussian g;
    double d = (double)data->dim;
    /* So few would cost the NLL the hundredth part of a nat, about d^2 / (4 n), unless even they take a tenth of a second. */
    size_t rows = data->rows[LAM_TRAIN], few = 2000 + 10 * data->dim + (size_t)fmin(20 * d * d, 1e8 / (d * d));
    *step = 1;
    if (until <= 0 || rows <= few)
        return LAM_OK;
    double began = lam_clock();
    LAM_TRY(fit_some(data, rows / few, &g));
    lam_gaussian_clear(&g);
    double now = lam_clock(), a_row = (now - began) / (double)(rows / (rows / few));
    double most = fmax((double)few, 0.5 * (until - now) / fmax(a_row, 1e-12));
    if (most < (double)rows)
        *step = (size_t)ceil((double)rows / most);
    return LAM_OK;
}

/* ---- of some columns given others --------------------------------------------------------------------------------- */

/* Rows of a part, what is given before what is not, [rows, dim]. */
static double *inputs_first(const lam_dataset *data, const lam_given *given, int part)
{
    size_t n = data->rows[part], dim = given->inputs + given->moving;
    double *all = lam_alloc(n * dim + 1, sizeof *all), *inputs = lam_alloc(n * given->inputs + 1, sizeof *inputs);
    double *moving = lam_alloc(n * given->moving + 1, sizeof *moving);
    if (all != NULL && inputs != NULL && moving != NULL) {
        lam_given_inputs(given, NULL, data->values[part], NULL, n, inputs);
        lam_given_take(given, NULL, NULL, data->values[part], NULL, n, moving, NULL);
        for (size_t i = 0; i < n; i++) {
            memcpy(all + i * dim, inputs + i * given->inputs, given->inputs * sizeof *all);
            memcpy(all + i * dim + given->inputs, moving + i * given->moving, given->moving * sizeof *all);
        }
    }
    int ok = inputs != NULL && moving != NULL;
    lam_free(inputs);
    lam_free(moving);
    if (!ok)
        lam_free(all);
    return ok ? all : NULL;
}

/* Drops from x [n, dim] the column `at`. */
static void drop_column(double *x, size_t n, size_t dim, size_t at)
{
    double *to = x;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < dim; j++)
            if (j != at)
                *to++ = x[i * dim + j];
}

/* As fit, of rows with `inputs` given columns in front; of these, those that are linear functions of others tell nothing more, and are
 * dropped from the training and test rows. */
static lam_status fit_given(double *const x[2], const size_t rows[2], size_t *inputs, size_t moving, lam_gaussian *g)
{
    for (;;) {
        size_t dim = *inputs + moving, n = rows[0];
        double *row = lam_alloc(dim, sizeof *row);
        *g = (lam_gaussian) { .dim = dim, .mean = lam_alloc(dim, sizeof(double)), .lower = lam_alloc(dim * dim, sizeof(double)) };
        if (row == NULL || g->mean == NULL || g->lower == NULL) {
            lam_free(row);
            return LAM_ERR_MEMORY;
        }
        covariance(x[0], n, 1, g, row);
        lam_free(row);
        size_t singular = lam_cholesky(g->lower, dim);
        for (size_t j = *inputs; j < dim && singular == dim; j++)
            g->log_det += log(g->lower[j * dim + j]);
        if (singular == dim)
            return LAM_OK;
        if (singular >= *inputs)
            return lam_fail(LAM_ERR_DATA, "the conditional covariance of %zu rows is singular: a column is a linear function of the given "
                "ones and of those before it (or there are too few rows); leave it out", n);
        lam_gaussian_clear(g);
        for (int part = 0; part < 2; part++)
            drop_column(x[part], rows[part], dim, singular);
        --*inputs;
    }
}

static lam_status test_given(const lam_dataset *data, const size_t *index, size_t n, lam_gaussian_score *score)
{
    const lam_given_kind kind = { .is_given = data->is_input, .levels = data->levels };
    lam_given given;
    lam_gaussian g = { 0 };
    lam_status status = lam_given_make(data->dim, &kind, &given);
    double *x[2] = { NULL, NULL };
    const size_t rows[2] = { data->rows[LAM_TRAIN], data->rows[LAM_TEST] };
    size_t inputs = given.inputs;
    if (status == LAM_OK) {
        x[0] = inputs_first(data, &given, LAM_TRAIN);
        x[1] = inputs_first(data, &given, LAM_TEST);
        status = x[0] == NULL || x[1] == NULL ? LAM_ERR_MEMORY : fit_given(x, rows, &inputs, given.moving, &g);
    }
    if (status == LAM_OK)
        status = score_from(&g, inputs, x[1], index, n, score);
    score->fitted = rows[0];
    lam_gaussian_clear(&g);
    lam_free(x[0]);
    lam_free(x[1]);
    lam_given_clear(&given);
    return status;
}

static int has_given(const lam_dataset *data)
{
    for (size_t j = 0; j < data->dim; j++)
        if (data->is_input[j])
            return 1;
    return 0;
}

lam_status lam_gaussian_test(const lam_dataset *data, const size_t *index, size_t n, double until, lam_gaussian_score *score)
{
    lam_gaussian g;
    size_t step;
    *score = (lam_gaussian_score){ .nll = NAN, .se = NAN };
    if (has_given(data))
        return test_given(data, index, n, score);
    LAM_TRY(choose_step(data, until, &step));
    LAM_TRY(fit_some(data, step, &g));
    lam_status status = lam_gaussian_nll(&g, data->values[LAM_TEST], index, n, score);
    score->fitted = data->rows[LAM_TRAIN] / step;
    lam_gaussian_clear(&g);
    return status;
}

void lam_gaussian_clear(lam_gaussian *gaussian)
{
    lam_free(gaussian->mean);
    lam_free(gaussian->lower);
    *gaussian = (lam_gaussian){ 0 };
}
