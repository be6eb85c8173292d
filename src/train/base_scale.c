/* Chooses the scale of the base density on validation rows, and between a flow and a Gaussian. */
#include "train/base_scale.h"
#include "base/stats.h"
#include <math.h>

/* Values of variance 1 that are counted beside those of the rows: a handful of validation rows says little about a scale. */
static const double PRIOR = 10;

/* Standard errors of the rows' differences that a flow has to be better by than the Gaussian. */
static const double ERRORS = 2;

void lam_gaussian_beside(const lam_base_row *rows, size_t n, lam_evaluated *out)
{
    lam_running still = { 0 }, gain = { 0 };
    for (size_t i = 0; i < n; i++) {
        lam_running_add(&still, rows[i].still);
        lam_running_add(&gain, rows[i].still - rows[i].nll);
    }
    out->gaussian_nll = still.mean;
    out->gaussian_se = lam_running_se(&still);
    out->gain_se = lam_running_se(&gain);
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
