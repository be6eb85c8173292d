#include "train/calls.h"
#include <math.h>

/* An iteration with twice the calls that are asked for raises the coefficient by 2 %: slow beside the noise of counts, which are whole steps,
 * and fast beside a fit. The goal is a little above what is asked for, or the coefficient could only rise where no solve takes less. */
static const double RATE = 0.05, MARGIN = 1.02;
static const double LARGEST = 6.907755278982137; /* log 1000: the scale stays between a thousandth and a thousand */

int lam_calls_follow(const lam_config *cfg, const lam_counts *counts, double *log_scale)
{
    double before = *log_scale;
    if (counts->solves == 0)
        return 0;
    double of_a_solve = (double)counts->forward / (double)counts->solves;
    *log_scale = fmin(LARGEST, fmax(-LARGEST, before + RATE * (of_a_solve / cfg->calls - MARGIN)));
    return *log_scale >= LARGEST && before < LARGEST;
}
