/* Tells how much time a fit has left. */
#include "train/limit.h"
#include "model/defaults.h"
#include <math.h>

/* Of a limit's time, what a closing validation and the test get at the most as long as it is not known what they take; */
static const double SHARE = 0.1;
/* and of the time that training has taken, what a validation gets that decides how many rows all are to have. */
static const double VALIDATION_SHARE = 0.25;
static const double MARGIN = 1.15; /* by which a validation may take longer than the one before */

static int limits_all(const lam_run *run)
{
    return !run->options->limit_training && lam_config_is_timed(run->cfg);
}

/* Processor seconds in a second. */
static double pace(const lam_run *run)
{
    const lam_fit_state *s = &run->state;
    if (s->train_seconds > 0 && s->train_cpu_seconds > 0)
        return s->train_cpu_seconds / s->train_seconds;
    return run->cfg->threads > 0 ? (double)run->cfg->threads : 1;
}

/* Of both limits what is nearer, of the flow's share of them: seconds when so much is used up already. */
static double nearer(const lam_run *run, double seconds, double processor_seconds)
{
    const lam_config *cfg = run->cfg;
    double share = run->state.limit_share > 0 ? run->state.limit_share : 1;
    double left = cfg->max_seconds > 0 ? share * cfg->max_seconds - seconds : (double)INFINITY;
    if (cfg->max_processor_seconds > 0)
        left = fmin(left, (share * cfg->max_processor_seconds - processor_seconds) / pace(run));
    return left;
}

double lam_limit_used(const lam_run *run)
{
    return run->options->limit_training ? run->state.train_seconds : run->now - run->started;
}

double lam_limit_left(const lam_run *run)
{
    return limits_all(run) ? nearer(run, run->now - run->started, run->cpu_now - run->cpu_started) : (double)INFINITY;
}

/* For the test: what it would take at the pace of the validations, where they have shown one that is its own. */
static double test_time(const lam_run *run, double most)
{
    const lam_evaluated *v = &run->validation;
    if (!run->target->test_rows)
        return 0;
    return v->rows > 0 && v->exact ? fmin(most, MARGIN * v->seconds / (double)v->rows * (double)run->target->test_rows) : most;
}

double lam_limit_kept(const lam_run *run)
{
    const lam_fit_state *s = &run->state;
    double most = SHARE * nearer(run, 0, 0), kept = test_time(run, most);
    double both = s->average != NULL ? 2 : 1; /* the parameters and their average */
    if (!run->target->valid_rows || (lam_fit_state_has_best(s) && s->validated == s->iteration))
        return kept;
    return kept + (run->validation.rows > 0 ? fmin(2 * most, MARGIN * both * run->validation.seconds) : most);
}

double lam_limit_training_left(const lam_run *run)
{
    const lam_fit_state *s = &run->state;
    if (run->options->limit_training)
        return fmax(0, nearer(run, s->train_seconds, s->train_cpu_seconds));
    return limits_all(run) ? fmax(0, lam_limit_left(run) - lam_limit_kept(run)) : (double)INFINITY;
}

int lam_limit_reached(const lam_run *run)
{
    const lam_fit_state *s = &run->state;
    uint64_t done = lam_fit_state_done(s);
    if (done == 0)
        return 0;
    if (run->options->limit_training)
        return nearer(run, s->train_seconds, s->train_cpu_seconds) <= 0;
    return limits_all(run) && lam_limit_left(run) - lam_limit_kept(run) < s->train_seconds / (double)done; /* no time for one more */
}

double lam_limit_validation(const lam_run *run, int closing)
{
    double left = lam_limit_left(run), now = run->now;
    if (!limits_all(run))
        return 0;
    if (closing)
        return now + fmax(0, left - fmin(left / 2, test_time(run, SHARE * nearer(run, 0, 0))));
    return now + fmax(0, fmin(SHARE * nearer(run, 0, 0), VALIDATION_SHARE * run->state.train_seconds));
}

double lam_limit_test(const lam_run *run)
{
    return limits_all(run) ? run->now + fmax(0, 0.85 * lam_limit_left(run)) : 0; /* the rest is for the Gaussian and the files */
}
