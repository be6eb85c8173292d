/* The loop of a fit: iterations, validations, checkpoints, the end. */
#include "train/loop.h"
#include "base/clock.h"
#include "base/counts.h"
#include "base/error.h"
#include "train/run.h"
#include <math.h>
#include <stdio.h>

enum {
    SAVE_SECONDS = 60, /* between checkpoints, at the most, */
    SAVE_SHARE = 30,   /* or so many times what one takes: those of large models are gigabytes */
};

static int has_validation(const lam_run *run)
{
    return run->target->has_valid;
}

static double rate_of(const lam_run *run)
{
    return lam_schedule_rate(&run->state.schedule, run->cfg);
}

/* ---- progress ----------------------------------------------------------------------------------------------------- */

/* Non-zero: stop. */
static int tell(const lam_run *run, const lam_step_report *step, int is_validation)
{
    const lam_fit_state *s = &run->state;
    if (run->options->progress == NULL)
        return 0;
    double seconds = lam_clock() - run->started, here = (double)(s->iteration - run->first_iteration);
    double left = here > 0 ? (seconds - run->seconds_before) / here * (double)(run->cfg->iterations - s->iteration) : 0;
    lam_progress p = { .iteration = s->iteration, .iterations = run->cfg->iterations, .loss = step->loss, .nll = step->nll,
        .tpr = step->tpr, .val_nll = run->val_nll, .best_val_nll = run->best_val_nll, .is_validation = is_validation,
        .lr = rate_of(run), .grad_norm = step->grad_norm, .epoch = (size_t)step->epoch, .beta = step->beta, .counts = step->counts, .val_counts = run->val_counts,
        .seconds = seconds, .seconds_left = left };
    return run->options->progress(run->options->user, &p) != 0;
}

/* A failed iteration or validation: the state before it is saved; the reason stays the one that is told. */
static lam_status give_up(lam_run *run, lam_status why, uint64_t iteration)
{
    char reason[1500], saving[400] = "";
    lam_fail_in(why, "iteration %llu of %zu", (unsigned long long)iteration, run->cfg->iterations);
    snprintf(reason, sizeof reason, "%s", lam_last_error());
    if (run->saved != run->state.iteration && lam_run_save_state(run) != LAM_OK)
        snprintf(saving, sizeof saving, "; the state before it could not be saved: %.300s", lam_last_error());
    return lam_fail(why, "%s%s", reason, saving);
}

/* ---- validation --------------------------------------------------------------------------------------------------- */

static lam_status validate(lam_run *run)
{
    lam_fit_state *s = &run->state;
    double lr = rate_of(run);
    const lam_evaluation e = { .params = s->params, .h_star = s->h_test, .keep_h_star = 1, .part = LAM_VALID };
    lam_status status = run->target->trainer.evaluate(run->target->trainer.self, &e, &run->val_nll, &run->val_counts);
    if (status != LAM_OK)
        return give_up(run, status, s->iteration);
    s->validated = s->iteration;
    uint64_t cuts = s->schedule.cuts;
    int better = lam_schedule_validated(&s->schedule, run->cfg, run->val_nll, s->iteration > run->target->patient_until);
    if (s->schedule.cuts > cuts && run->target->restores_best)
        lam_fit_state_restore_best(s);
    run->best_val_nll = s->schedule.best;
    LAM_TRY(lam_run_log_validation(run, lr));
    if (!better)
        return LAM_OK;
    lam_fit_state_keep_best(s);
    return lam_run_save_model(run);
}

/* The validation that belongs to the iteration just done, or that a failure left undone. */
static int is_due(const lam_run *run)
{
    const lam_fit_state *s = &run->state;
    return has_validation(run) && s->iteration > s->validated && s->iteration % run->cfg->val_freq == 0;
}

/* ---- the loop ----------------------------------------------------------------------------------------------------- */

/* One iteration, what belongs to it, and its checkpoint if it is time. LAM_ERR_INTERRUPTED: asked to stop, all saved. */
static lam_status iterate(lam_run *run, lam_step_report *report)
{
    lam_fit_state *s = &run->state;
    double lr = rate_of(run), before = lam_clock(), cpu_before = lam_cpu_clock();
    lam_status status = run->target->trainer.step(run->target->trainer.self, s, lr, report);
    if (status != LAM_OK)
        return give_up(run, status, s->iteration + 1);
    s->iteration++;
    s->train_seconds += lam_clock() - before;
    s->train_cpu_seconds += lam_cpu_clock() - cpu_before;
    lam_counts_add(&s->counts, &report->counts);
    if (s->iteration % run->cfg->log_freq == 0)
        LAM_TRY(lam_run_log_step(run, report, lr));
    int due = is_due(run);
    if (due)
        LAM_TRY(validate(run));
    double since = lam_clock() - run->saved_at;
    if ((due || since >= SAVE_SECONDS) && since >= SAVE_SHARE * run->save_seconds)
        LAM_TRY(lam_run_save_state(run));
    return tell(run, report, due) ? LAM_ERR_INTERRUPTED : LAM_OK;
}

static lam_status train(lam_run *run)
{
    lam_fit_state *s = &run->state;
    lam_step_report report = { .loss = (double)NAN, .nll = (double)NAN, .tpr = (double)NAN, .grad_norm = (double)NAN };
    if (is_due(run)) {
        LAM_TRY(validate(run));
        LAM_TRY(lam_run_save_state(run));
    }
    while (s->iteration < run->cfg->iterations && !s->schedule.stopped)
        LAM_TRY(iterate(run, &report));
    if (run->saved != s->iteration)
        LAM_TRY(lam_run_save_state(run));
    /* What came after the last regular validation deserves one too. It is no part of the checkpoint, so that a run that is
     * given more iterations later goes as if it had had them from the start. */
    if (!has_validation(run) || s->validated == s->iteration)
        return LAM_OK;
    LAM_TRY(validate(run));
    return tell(run, &report, 1) ? LAM_ERR_INTERRUPTED : LAM_OK;
}

/* ---- the end ------------------------------------------------------------------------------------------------------ */

static void fill_result(const lam_run *run, int finished, lam_fit_result *r)
{
    const lam_fit_state *s = &run->state;
    *r = (lam_fit_result) { .iterations = (size_t)s->iteration,
        .best_iteration = (size_t)(s->best_iteration > 0 ? s->best_iteration : s->iteration), .finished = finished,
        .best_val_nll = s->schedule.best, .test_nll = (double)NAN, .gaussian_test_nll = (double)NAN,
        .log_det = run->target->log_det, .train_counts = s->counts, .train_seconds = s->train_seconds,
        .train_cpu_seconds = s->train_cpu_seconds };
}

static lam_status test(lam_run *run, lam_fit_result *r)
{
    lam_fit_state *s = &run->state;
    int validated = s->best_iteration > 0;
    const lam_evaluation e = { .params = validated ? s->best : s->params, .exact = 1, .part = LAM_TEST,
        .h_star = validated ? s->best_h_test : s->h_test };
    if (!run->target->has_test)
        return LAM_OK;
    LAM_TRY(run->target->trainer.evaluate(run->target->trainer.self, &e, &r->test_nll, &r->test_counts));
    return run->target->finish != NULL ? run->target->finish(run->target->self, r) : LAM_OK;
}

static lam_status finish(lam_run *run, lam_fit_result *result)
{
    fill_result(run, 1, result);
    LAM_TRY(lam_run_save_model(run));
    LAM_TRY(test(run, result));
    result->seconds = lam_clock() - run->started;
    return lam_run_log_summary(run, result);
}

/* The run is left so that it can be gone on with. A checkpoint that stands at this iteration already is not written again:
 * after the closing validation it must not be. */
static lam_status stop(lam_run *run, lam_fit_result *result)
{
    fill_result(run, 0, result);
    if (run->saved != run->state.iteration)
        LAM_TRY(lam_run_save_state(run));
    LAM_TRY(lam_run_save_model(run));
    result->seconds = lam_clock() - run->started;
    LAM_TRY(lam_run_log_summary(run, result));
    return lam_fail(LAM_ERR_INTERRUPTED, "stopped after iteration %llu of %zu, as asked",
        (unsigned long long)run->state.iteration, run->cfg->iterations);
}

lam_status lam_loop_run(const lam_config *cfg, const lam_target *target, const lam_fit_options *options,
    lam_fit_result *result)
{
    lam_run run;
    *result = (lam_fit_result) { 0 };
    lam_status status = lam_run_open(&run, cfg, target, options);
    if (status == LAM_OK) {
        status = train(&run);
        if (status == LAM_OK)
            status = finish(&run, result);
        else if (status == LAM_ERR_INTERRUPTED)
            status = stop(&run, result);
    }
    lam_run_close(&run);
    return status;
}
