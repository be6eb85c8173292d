#include "data/gaussian.h"
#include "base/error.h"
#include "base/mem.h"
#include "data/dataset.h"
#include <float.h>
#include <math.h>
#include <stdio.h>

/* Mean, and the lower triangle of the covariance into g->lower. row [dim] is scratch. */
static void covariance(const double *x, size_t n, lam_gaussian *g, double *row)
{
    size_t dim = g->dim;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < dim; j++)
            g->mean[j] += x[i * dim + j] / (double)n;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < dim; j++)
            row[j] = x[i * dim + j] - g->mean[j];
        for (size_t j = 0; j < dim; j++)
            for (size_t k = 0; k <= j; k++)
                g->lower[j * dim + k] += row[j] * row[k];
    }
    for (size_t j = 0; j < dim * dim; j++)
        g->lower[j] /= (double)n;
}

/* In place. Returns the column whose pivot vanishes beside its variance, or dim. */
static size_t cholesky(double *a, size_t dim)
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

lam_status lam_gaussian_fit(const double *x, size_t n, size_t dim, char *const *names, lam_gaussian *out)
{
    *out = (lam_gaussian){ .dim = dim };
    out->mean = lam_alloc(dim, sizeof(double));
    out->lower = lam_alloc(dim * dim, sizeof(double));
    double *row = lam_alloc(dim, sizeof(double));
    lam_status status = LAM_OK;
    if (out->mean == NULL || out->lower == NULL || row == NULL) {
        status = LAM_ERR_MEMORY;
    } else {
        covariance(x, n, out, row);
        size_t singular = cholesky(out->lower, dim);
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

lam_status lam_gaussian_nll(const lam_gaussian *gaussian, const double *x, size_t n, double *nll)
{
    size_t dim = gaussian->dim;
    double total = 0, *white = lam_alloc(dim, sizeof *white);
    if (white == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < dim; j++) { /* forward substitution: lower white = x - mean */
            double sum = x[i * dim + j] - gaussian->mean[j];
            for (size_t k = 0; k < j; k++)
                sum -= gaussian->lower[j * dim + k] * white[k];
            white[j] = sum / gaussian->lower[j * dim + j];
            total += 0.5 * white[j] * white[j];
        }
    lam_free(white);
    /* 0.5 log(2 pi) a dimension */
    *nll = n == 0 ? NAN : total / (double)n + gaussian->log_det + 0.91893853320467274178 * (double)dim;
    return LAM_OK;
}

lam_status lam_gaussian_dataset_nll(const lam_dataset *data, lam_part part, double *nll)
{
    lam_gaussian g;
    *nll = NAN;
    LAM_TRY(lam_gaussian_fit(data->values[LAM_TRAIN], data->rows[LAM_TRAIN], data->dim, data->names, &g));
    lam_status status = lam_gaussian_nll(&g, data->values[part], data->rows[part], nll);
    lam_gaussian_clear(&g);
    return status;
}

void lam_gaussian_clear(lam_gaussian *gaussian)
{
    lam_free(gaussian->mean);
    lam_free(gaussian->lower);
    *gaussian = (lam_gaussian){ 0 };
}
