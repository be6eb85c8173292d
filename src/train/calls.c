/* Adjusts the factor on the penalties' coefficients so that a solve takes the evaluations that were asked for, at a bounded price. */
#include "train/calls.h"
#include "base/log.h"
#include <math.h>

/* In a hundred iterations the factor grows at most by e: slow beside what a field needs to follow it, or it runs away from where no solve can take
 * as few. The goal is a little above what is asked for, or the coefficient could only rise where no solve takes less. */
static const double RATE = 0.01, MARGIN = 1.02;
static const double LARGEST = 6.907755278982137; /* log 1000: the scale stays between a thousandth and a thousand */
static const double LEAST_GAIN = 1e-3;           /* nats, in place of none */

double lam_calls_moved(double asked, const lam_counts *counts, double spent, double log_scale)
{
    if (counts->solves == 0)
        return log_scale;
    double of_a_solve = (double)counts->forward / (double)counts->solves;
    double goal = of_a_solve / asked - MARGIN, up = fmin(goal, 1 - spent);
    double moved = fmin(LARGEST, fmax(-LARGEST, log_scale + RATE * fmax(-1, fmin(1, up))));
    return goal > 0 && up < 0 ? fmax(moved, fmin(log_scale, 0)) : moved; /* a price takes back what the goal has added, and no more */
}

/* What the penalties add to the loss, over what they may: a share of the NLL that training has gained on its start. 0: there is no bound. 1: it is
 * not known yet. */
static double spent_by(const lam_run *run, const lam_step_report *report)
{
    const lam_fit_state *s = &run->state;
    double gain = s->start_nll - s->schedule.best, price = run->cfg->calls_price;
    if (price == 0 || isnan(gain)) /* nothing was validated at the start */
        return 0;
    if (s->validated == 0)
        return 1;
    return (report->loss - report->nll) / (price * fmax(gain, LEAST_GAIN));
}

void lam_calls_follow(lam_run *run, const lam_step_report *report)
{
    double before = run->state.penalty_log_scale, goal = run->cfg->calls;
    const lam_counts *counts = &report->counts;
    if (!(goal > 0))
        return;
    run->calls_spent = spent_by(run, report);
    run->state.penalty_log_scale = lam_calls_moved(goal, counts, run->calls_spent, before);
    if (run->bound_is_told || run->state.penalty_log_scale < LARGEST)
        return;
    run->bound_is_told = 1; /* it may fall a little and come back at every other iteration */
    lam_log_say(&run->options->log, "iteration %llu: the penalties' coefficients have reached their bound, 1000 times what the fit began with, and a "
        "solve takes %.3g evaluations where calls asks for %g; ask for more, or raise the coefficient that the fit begins with",
        (unsigned long long)run->state.iteration, (double)counts->forward / (double)counts->solves, goal);
}

void lam_calls_say_missed(const lam_run *run)
{
    static const double FAR = 1.1, SPENT = 0.9; /* times what is asked for; less is what the first iterations took more */
    const lam_counts *counts = &run->state.counts;
    double goal = run->cfg->calls, taken = counts->solves > 0 ? (double)counts->forward / (double)counts->solves : 0;
    if (goal > 0 && taken > FAR * goal && !run->bound_is_told && run->calls_spent > SPENT)
        lam_log_say(&run->options->log, "in training a solve took %.3g evaluations where calls asks for %g: fewer would have cost more likelihood than "
            "calls-price allows (%g of the NLL gained since the start by flow matching); a calls-price of 0 allows any", taken, goal, run->cfg->calls_price);
}
