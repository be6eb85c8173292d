/* Adjusts the factor on the penalties' coefficients so that a solve takes the evaluations that were asked for. */
#include "train/calls.h"
#include "base/log.h"
#include <math.h>

/* An iteration with twice the calls that are asked for raises the coefficient by 5 %: slow beside the noise of counts, which are whole steps,
 * and fast beside a fit. The goal is a little above what is asked for, or the coefficient could only rise where no solve takes less. */
static const double RATE = 0.05, MARGIN = 1.02;
static const double LARGEST = 6.907755278982137; /* log 1000: the scale stays between a thousandth and a thousand */

double lam_calls_moved(double asked, const lam_counts *counts, double log_scale)
{
    if (counts->solves == 0)
        return log_scale;
    double of_a_solve = (double)counts->forward / (double)counts->solves;
    return fmin(LARGEST, fmax(-LARGEST, log_scale + RATE * (of_a_solve / asked - MARGIN)));
}

void lam_calls_follow(lam_run *run, const lam_counts *counts)
{
    double before = run->state.penalty_log_scale, goal = run->cfg->calls;
    if (!(goal > 0))
        return;
    run->state.penalty_log_scale = lam_calls_moved(goal, counts, before);
    if (run->bound_is_told || before >= LARGEST || run->state.penalty_log_scale < LARGEST)
        return;
    run->bound_is_told = 1; /* it may fall a little and come back at every other iteration */
    lam_log_say(&run->options->log, "iteration %llu: the penalties' coefficients have reached their bound, 1000 times what the fit began with, and a "
        "solve takes %.3g evaluations where calls asks for %g; ask for more, or raise the coefficient that the fit begins with",
        (unsigned long long)run->state.iteration, (double)counts->forward / (double)counts->solves, goal);
}
