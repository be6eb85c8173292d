/* Chooses the scale of the base density on validation rows, and between a flow and a Gaussian. */
#include "train/base_scale.h"
#include <math.h>

/* Values of variance 1 that are counted beside those of the rows: a handful of validation rows says little about a scale. */
static const double PRIOR = 10;

/* Standard errors of the rows' differences that a flow has to be better by than the Gaussian. */
static const double ERRORS = 2;

/* The mean, and in *se its standard error (not a number of one row), of each row's first + sign second. */
static double mean_of(const double *first, const double *second, double sign, size_t n, double *se)
{
    const size_t stride = sizeof(lam_base_row) / sizeof(double);
    double mean = 0, square = 0;
    for (size_t i = 0; i < n; i++) {
        double value = first[i * stride] + sign * second[i * stride], step = value - mean;
        mean += step / (double)(i + 1);
        square += step * (value - mean);
    }
    *se = n > 1 ? sqrt(square / (double)(n - 1) / (double)n) : (double)NAN;
    return mean;
}

void lam_gaussian_beside(const lam_base_row *rows, size_t n, lam_evaluated *out)
{
    out->gaussian_nll = mean_of(&rows->still, &rows->still, 0, n, &out->gaussian_se);
    mean_of(&rows->still, &rows->nll, -1, n, &out->gain_se);
}

int lam_gaussian_is_beaten(double nll, double gaussian_nll, double gain_se)
{
    return gaussian_nll - nll > ERRORS * gain_se;
}

void lam_base_scale_fit(const lam_base_row *rows, size_t n, lam_evaluated *out)
{
    double squares = PRIOR, values = PRIOR, sum = 0, square = 0;
    for (size_t i = 0; i < n; i++) {
        squares += rows[i].square;
        values += rows[i].moving;
    }
    double s2 = squares / values, log_s = 0.5 * log(s2), factor = 0.5 * (1 / s2 - 1);
    for (size_t i = 0; i < n; i++)
        sum += rows[i].nll + rows[i].moving * log_s + factor * rows[i].square;
    for (size_t i = 0; i < n; i++) {
        double off = rows[i].nll + rows[i].moving * log_s + factor * rows[i].square - sum / (double)n;
        square += off * off;
    }
    out->base_scale = sqrt(s2);
    out->nll = sum / (double)n;
    if (n > 1)
        out->se = sqrt(square / (double)(n - 1) / (double)n);
}
