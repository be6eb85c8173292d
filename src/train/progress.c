/* Tells the caller how far a run is. */
#include "base/clock.h"
#include "base/error.h"
#include "train/limit.h"
#include "train/run.h"
#include <math.h>

double lam_run_rate(const lam_run *run)
{
    const lam_fit_state *s = &run->state;
    return s->warm < run->cfg->warm_start ? lam_schedule_warm_rate(&s->schedule, run->cfg, s->warm)
                                          : lam_schedule_rate(&s->schedule, run->cfg, s->iteration);
}

uint64_t lam_run_last(const lam_run *run)
{
    const lam_schedule *s = &run->state.schedule;
    return s->turns > 0 && s->end < run->cfg->iterations ? s->end : run->cfg->iterations;
}

/* What is left of the warm start, or else of training, by the pace that this process has had; or of a limit of time that is nearer. */
static double seconds_left(const lam_run *run)
{
    const lam_fit_state *s = &run->state;
    int warm = s->iteration == 0 && run->cfg->warm_start > 0;
    uint64_t done = warm ? s->warm : s->iteration, all = warm ? run->cfg->warm_start : lam_run_last(run);
    double left = all < LAM_UNENDING && done > run->first ? (lam_clock() - run->first_at) / (double)(done - run->first) * (double)(all - done) : all < LAM_UNENDING ? 0 : (double)INFINITY;
    return fmin(left, lam_limit_training_left(run));
}

/* Non-zero: stop. */
static int report_progress(const lam_run *run, const lam_step_report *step, int is_validation)
{
    const lam_fit_state *s = &run->state;
    if (run->options->progress == NULL)
        return 0;
    lam_progress p = { .weight_decay_tried = (double)NAN, .iteration = s->iteration, .iterations = (size_t)lam_run_last(run), .warm_start = s->warm,
        .warm_starts = run->cfg->warm_start, .loss = step->loss, .nll = step->nll, .tpr = step->tpr, .val_nll = run->validation.nll,
        .val_nll_se = run->validation.se, .val_rows = run->validation.rows, .best_val_nll = run->best_val_nll, .is_validation = is_validation,
        .lr = lam_run_rate(run), .grad_norm = step->grad_norm,
        .epoch = (size_t)step->epoch, .beta = step->beta, .counts = step->counts, .val_counts = run->validation.counts,
        .seconds = lam_clock() - run->started, .seconds_left = seconds_left(run) };
    return run->options->progress(run->options->user, &p) != 0;
}

lam_status lam_run_tell(lam_run *run, const lam_step_report *step, int is_validation)
{
    int stop = report_progress(run, step, is_validation);
    LAM_TRY(lam_run_agree(run, &stop));
    return stop ? LAM_ERR_INTERRUPTED : LAM_OK;
}
