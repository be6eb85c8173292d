/* Chooses the scale of the base density on validation rows. */
#include "train/base_scale.h"
#include <math.h>

/* Values of variance 1 that are counted beside those of the rows: a handful of validation rows says little about a scale. */
static const double PRIOR = 10;

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
