/* The loop of a fit: iterations, validations, checkpoints, the end. */
#include "train/loop.h"
#include "base/clock.h"
#include "base/counts.h"
#include "base/error.h"
#include "base/log.h"
#include "base/room.h"
#include "model/defaults.h"
#include "train/base_scale.h"
#include "train/calls.h"
#include "train/limit.h"
#include "train/run.h"
#include "train/setback.h"
#include "train/turn.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    SAVE_SECONDS = 60, /* between checkpoints, at the most, */
    SAVE_SHARE = 30,   /* or so many times what one takes: those of large models are gigabytes */
};

static int has_validation(const lam_run *run)
{
    return run->target->valid_rows > 0;
}

/* " of 1000", where it is known how many there are. */
static const char *of_all(const lam_run *run, char text[32])
{
    text[0] = '\0';
    if (run->cfg->iterations != LAM_UNENDING)
        snprintf(text, 32, " of %zu", run->cfg->iterations);
    return text;
}

/* ---- checkpoints -------------------------------------------------------------------------------------------------- */

/* Unless the last checkpoint stands here already. */
static lam_status save_here(lam_run *run)
{
    return run->saved == lam_fit_state_done(&run->state) ? LAM_OK : lam_run_save_state(run);
}

/* If it is time, or there is something that is worth one now. */
static lam_status save_in_time(lam_run *run, int now)
{
    double since = run->now - run->saved_at;
    return (now || since >= SAVE_SECONDS) && since >= SAVE_SHARE * run->save_seconds ? lam_run_save_state(run) : LAM_OK;
}

/* A failed iteration or validation: the state before it is saved; the reason stays the one that is told. */
static lam_status give_up(lam_run *run, lam_status why)
{
    char reason[1500], saving[400] = "";
    snprintf(reason, sizeof reason, "%s", lam_last_error());
    if (save_here(run) != LAM_OK)
        snprintf(saving, sizeof saving, "; the state before it could not be saved: %.300s", lam_last_error());
    return lam_fail(why, "%s%s", reason, saving);
}

static lam_status give_up_at(lam_run *run, lam_status why, uint64_t iteration)
{
    char all[32];
    return give_up(run, lam_fail_in(why, "iteration %llu%s", (unsigned long long)iteration, of_all(run, all)));
}

/* 1: no iteration follows. */
static int is_over(const lam_run *run)
{
    return lam_schedule_is_over(&run->state.schedule, run->cfg, run->state.iteration) || lam_limit_reached(run);
}

/* ---- validation --------------------------------------------------------------------------------------------------- */

/* Params on the validation rows. The first validation under a limit of time decides how many rows those after it
 * take, so that they can be compared, and config.yaml has it; but not that of a closing one, which a run that goes on does not have. */
static lam_status validate_params(lam_run *run, const void *params, int closing, lam_evaluated *found)
{
    const lam_fit_state *s = &run->state;
    const lam_evaluation e = { .params = params, .h_star = s->h_test, .keep_h_star = 1, .part = LAM_VALID,
        .rows = run->cfg->val_rows, .until = run->cfg->val_rows > 0 ? 0 : lam_limit_validation(run, closing),
        .folder = run->target->folder, .evaluating = run->options->evaluating, .user = run->options->user, .comm = run->options->comm };
    LAM_TRY(run->target->trainer.evaluate(run->target->trainer.self, &e, found));
    if (e.until > 0)
        run->cfg->val_rows = found->rows;
    return e.until > 0 && !closing ? lam_run_save_config(run) : LAM_OK;
}

/* 1: no other parameters would fare better. */
static int is_final(lam_status status)
{
    return status == LAM_ERR_INTERRUPTED || status == LAM_ERR_MEMORY || status == LAM_ERR_IO;
}

/* The current parameters and, where there is one, their average: *chosen is the better of them, or the one that can be validated. closing
 * 1: the validation after the last iteration. */
static lam_status validate_both(lam_run *run, int closing, const void **chosen)
{
    const lam_fit_state *s = &run->state;
    lam_evaluated found;
    char reason[1500];
    *chosen = s->params;
    lam_status of_params = validate_params(run, s->params, closing, &found);
    if (of_params == LAM_OK)
        run->validation = found;
    if (is_final(of_params) || s->average == NULL || s->updates == 0)
        return of_params;
    snprintf(reason, sizeof reason, "%s", of_params != LAM_OK ? lam_last_error() : "");
    lam_status status = validate_params(run, s->average, closing, &found);
    if (is_final(status))
        return status;
    if (status == LAM_OK && (of_params != LAM_OK || found.nll < run->validation.nll)) {
        run->validation = found;
        *chosen = s->average;
        return LAM_OK;
    }
    return of_params == LAM_OK ? LAM_OK : lam_fail(of_params, "%s", reason);
}

static lam_status validate(lam_run *run, int closing)
{
    lam_fit_state *s = &run->state;
    double lr = lam_run_rate(run);
    const void *chosen;
    lam_status status = validate_both(run, closing, &chosen);
    if (is_final(status))
        return status;
    LAM_TRY(lam_run_agree(run, NULL));
    s->validated = s->iteration;
    int last = closing || is_over(run);
    if (status != LAM_OK && s->iteration > 0 && lam_setback_is_possible(run, status, last))
        return lam_set_back(run, last);
    if (status != LAM_OK)
        return s->iteration > 0 ? give_up_at(run, status, s->iteration) : give_up(run, lam_fail_in(status, "after the warm start"));
    if (s->iteration == 0)
        s->start_nll = run->validation.nll;
    uint64_t cuts = s->schedule.cuts;
    int better = lam_schedule_validated(&s->schedule, run->cfg, s->iteration, run->validation.nll, s->iteration > run->target->patient_until);
    if (s->schedule.cuts > cuts)
        lam_turn_bound(run);
    if (s->schedule.cuts > cuts && run->target->restores_best && run->cfg->schedule == LAM_SCHEDULE_CUTS)
        lam_fit_state_restore_best(s);
    run->best_val_nll = s->schedule.best;
    LAM_TRY(lam_run_log_validation(run, lr));
    if (better) {
        s->best_val_se = run->validation.se;
        s->best_val_rows = run->validation.rows;
        s->best_base_scale = run->validation.base_scale;
        s->best_gaussian_nll = run->validation.gaussian_nll;
        s->best_gaussian_se = run->validation.gaussian_se;
        s->best_gain_se = run->validation.gain_se;
        lam_fit_state_keep_best(s, chosen);
        return lam_run_save_model(run);
    }
    return lam_setback_by_validation(run, last);
}

/* The validation that belongs to the iteration just done, or that a failure left undone. */
static int is_due(const lam_run *run)
{
    const lam_fit_state *s = &run->state;
    return has_validation(run) && s->iteration > s->validated && s->iteration % run->cfg->val_freq == 0;
}

/* ---- the loop ----------------------------------------------------------------------------------------------------- */

/* After a step, where something is decided by time before the ranks agree again. */
static lam_status look_at_clock(lam_run *run)
{
    return lam_comm_is_several(run->options->comm) && !lam_config_is_timed(run->cfg) ? LAM_OK : lam_run_agree(run, NULL);
}

/* One iteration, what belongs to it, and its checkpoint if it is time. LAM_ERR_INTERRUPTED: asked to stop, all saved. */
static lam_status iterate(lam_run *run, lam_step_report *report)
{
    lam_fit_state *s = &run->state;
    double lr = lam_run_rate(run), before = lam_clock(), cpu_before = lam_cpu_clock();
    lam_status status = run->target->trainer.step(run->target->trainer.self, s, lr, report);
    int last = lam_schedule_is_over(&s->schedule, run->cfg, s->iteration + 1);
    if (status != LAM_OK && !lam_setback_is_possible(run, status, last))
        return give_up_at(run, status, s->iteration + 1);
    s->iteration++;
    s->train_seconds += lam_clock() - before;
    s->train_cpu_seconds += lam_cpu_clock() - cpu_before;
    LAM_TRY(look_at_clock(run));
    lam_counts_add(&s->counts, &report->counts);
    if (status == LAM_OK)
        lam_calls_follow(run, report);
    s->train_nll = status == LAM_OK ? report->nll : (double)NAN;
    if (status != LAM_OK) /* the iteration counts as done, so that the next one has other rows */
        LAM_TRY(lam_set_back(run, last));
    else
        lam_fit_state_average(s);
    lam_turn_divide(run);
    lam_turn_in_time(run);
    if (s->iteration % run->cfg->log_freq == 0)
        LAM_TRY(lam_run_log_step(run, report, lr));
    LAM_TRY(lam_turn_space_validations(run));
    int due = is_due(run);
    if (due)
        LAM_TRY(validate(run, 0));
    LAM_TRY(lam_turn_record(run));
    LAM_TRY(save_in_time(run, due));
    return lam_run_tell(run, report, due);
}

/* ---- the warm start ----------------------------------------------------------------------------------------------- */

/* As iterate, of flow matching. */
static lam_status warm_iterate(lam_run *run, lam_step_report *report)
{
    lam_fit_state *s = &run->state;
    size_t all = run->cfg->warm_start;
    double lr = lam_run_rate(run), before = lam_clock(), cpu_before = lam_cpu_clock();
    lam_status status = run->target->trainer.warm(run->target->trainer.self, s, lr, report);
    if (status != LAM_OK)
        return give_up(run, lam_fail_in(status, "warm start, iteration %llu of %zu", (unsigned long long)s->warm + 1, all));
    s->warm++;
    s->train_seconds += lam_clock() - before;
    s->train_cpu_seconds += lam_cpu_clock() - cpu_before;
    lam_counts_add(&s->warm_counts, &report->counts);
    if (s->warm % run->cfg->log_freq == 0 || s->warm == all)
        LAM_TRY(lam_run_log_warm(run, report, lr));
    if (s->warm == all)
        lam_fit_state_mark(s);
    if (s->warm == all)
        lam_fit_state_forget(s); /* flow matching's moments are those of another loss, and training counts its steps anew */
    LAM_TRY(save_in_time(run, s->warm == all));
    return lam_run_tell(run, report, 0);
}

/* Flow matching, and a validation that shows where it has led: that of iteration 0. Out of time before its end, it has none, so that
 * a run that is given more time later goes as if it had had it from the start. */
static lam_status warm_start(lam_run *run, lam_step_report *report)
{
    const lam_fit_state *s = &run->state;
    run->first = s->warm;
    while (s->warm < run->cfg->warm_start && !lam_limit_reached(run)) {
        LAM_TRY(warm_iterate(run, report));
        LAM_TRY(lam_turn_bound_start(run));
    }
    if (!has_validation(run) || s->warm < run->cfg->warm_start || s->iteration > 0 || lam_fit_state_has_best(s))
        return LAM_OK;
    LAM_TRY(validate(run, 0));
    LAM_TRY(lam_run_save_state(run));
    return lam_run_tell(run, report, 1);
}

static lam_status train(lam_run *run)
{
    lam_fit_state *s = &run->state;
    lam_step_report report = { .loss = (double)NAN, .nll = (double)NAN, .tpr = (double)NAN, .grad_norm = (double)NAN };
    run->first_at = lam_clock();
    lam_turn_divide_asked(run);
    if (run->cfg->warm_start > 0)
        LAM_TRY(warm_start(run, &report));
    run->first = s->iteration;
    run->first_at = lam_clock();
    run->first_used = lam_limit_used(run);
    if (s->iteration == 0)
        s->warm_seconds = lam_limit_used(run);
    run->pace_from = s->iteration;
    run->pace_from_used = lam_limit_used(run);
    if (is_due(run)) {
        LAM_TRY(validate(run, 0));
        LAM_TRY(lam_run_save_state(run));
    }
    while (!is_over(run))
        LAM_TRY(iterate(run, &report));
    LAM_TRY(lam_turn_record_end(run));
    LAM_TRY(save_here(run));
    lam_setback_say_early(run);
    lam_calls_say_missed(run);
    /* What came after the last regular validation deserves one too. It is no part of the checkpoint, so that a run that is
     * given more iterations later goes as if it had had them from the start. */
    if (!has_validation(run) || (lam_fit_state_has_best(s) && s->validated == s->iteration))
        return LAM_OK;
    LAM_TRY(validate(run, 1));
    return lam_run_tell(run, &report, 1);
}

/* ---- the end ------------------------------------------------------------------------------------------------------ */

static void fill_result(const lam_run *run, int finished, lam_fit_result *r)
{
    const lam_fit_state *s = &run->state;
    *r = (lam_fit_result) { .iterations = (size_t)s->iteration, .warm_start = (size_t)s->warm, .warm_counts = s->warm_counts,
        .best_iteration = (size_t)(lam_fit_state_has_best(s) ? s->best_iteration : s->iteration), .finished = finished,
        .best_val_nll = s->schedule.best, .best_val_nll_se = s->best_val_se, .best_val_rows = (size_t)s->best_val_rows,
        .test_nll = (double)NAN, .test_nll_se = (double)NAN, .gaussian_test_nll = (double)NAN, .gaussian_test_nll_se = (double)NAN,
        .mixture_test_nll = (double)NAN, .mixture_test_nll_se = (double)NAN,
        .ending = lam_setback_ending(run), .log_det = run->target->log_det, .train_counts = s->counts, .train_seconds = s->train_seconds,
        .train_cpu_seconds = s->train_cpu_seconds };
}

/* each [rows of the test] is room for their NLLs. */
static lam_status test_into(lam_run *run, double *each, lam_fit_result *r)
{
    lam_fit_state *s = &run->state;
    int validated = lam_fit_state_has_best(s);
    const lam_evaluation e = { .params = validated ? s->best : s->params, .exact = 1, .part = LAM_TEST, .base_scale = s->best_base_scale,
        .h_star = validated ? s->best_h_test : s->h_test, .until = lam_limit_test(run), .folder = run->target->folder, .each = each, .evaluating = run->options->evaluating, .user = run->options->user,
        .comm = run->options->comm };
    lam_evaluated found;
    LAM_TRY(run->target->trainer.evaluate(run->target->trainer.self, &e, &found));
    r->test_nll = found.nll;
    r->test_nll_se = found.se;
    r->test_rows = found.rows;
    r->test_counts = found.counts;
    LAM_TRY(lam_run_agree(run, NULL));
    double left = lam_limit_left(run);
    lam_status status = LAM_OK;
    if (run->target->finish != NULL && lam_comm_is_first(run->options->comm))
        status = run->target->finish(run->target->self, s, isfinite(left) ? run->now + fmax(0, left) : 0, each, r);
    return lam_comm_agree(run->options->comm, status);
}

static lam_status test(lam_run *run, lam_fit_result *r)
{
    if (run->target->test_rows == 0)
        return LAM_OK;
    double *each = lam_room_take(run->target->folder, run->target->test_rows, sizeof *each);
    lam_status status = lam_comm_agree(run->options->comm, each == NULL ? LAM_ERR_MEMORY : LAM_OK);
    if (status == LAM_OK)
        status = test_into(run, each, r);
    lam_room_give(run->target->folder, each);
    return status;
}

/* Where the validation rows do not show that the flow is better than the Gaussian that its rows are whitened by, that is the model, and all its
 * densities agree. As the closing validation, this is no part of the checkpoint. */
static lam_status choose_gaussian(lam_run *run)
{
    lam_fit_state *s = &run->state;
    double nll = s->schedule.best, gain = s->best_gaussian_nll - nll;
    if (run->cfg->calibrate != LAM_CALIBRATE_GAUSSIAN || !lam_fit_state_has_best(s) || lam_gaussian_is_beaten(nll, s->best_gaussian_nll, s->best_gain_se))
        return LAM_OK;
    LAM_TRY(lam_comm_agree(run->options->comm, run->target->still(run->target->self, s)));
    s->schedule.best = s->best_gaussian_nll;
    s->best_val_se = s->best_gaussian_se;
    run->gaussian = 1;
    lam_log_say(&run->options->log, "the NLL of the validation rows is %.2g +- %.2g nats %s for the flow than for a Gaussian, which shows no gain; "
        "so the model is this Gaussian, whose densities all agree (calibrate: gaussian)", fabs(gain), s->best_gain_se, gain > 0 ? "lower" : "higher");
    return LAM_OK;
}

static lam_status finish(lam_run *run, lam_fit_result *result)
{
    LAM_TRY(choose_gaussian(run));
    fill_result(run, 1, result);
    if (lam_turn_is_by_clock(run)) /* nothing follows: the rows of a closing validation are part of what repeats the run */
        LAM_TRY(lam_run_save_config(run));
    LAM_TRY(lam_run_save_model(run));
    LAM_TRY(lam_run_agree(run, NULL));
    LAM_TRY(test(run, result));
    result->seconds = lam_clock() - run->started;
    result->cpu_seconds = lam_cpu_clock() - run->cpu_started;
    result->finished = !run->target->more;
    lam_status status = lam_run_log_summary(run, result);
    result->finished = 1;
    LAM_TRY(status);
    return lam_run_agree(run, NULL);
}

/* The run is left so that it can be gone on with. A checkpoint that stands at this iteration already is not written again:
 * after the closing validation it must not be. */
static lam_status stop(lam_run *run, lam_fit_result *result)
{
    fill_result(run, 0, result);
    LAM_TRY(save_here(run));
    LAM_TRY(lam_run_save_model(run));
    result->seconds = lam_clock() - run->started;
    result->cpu_seconds = lam_cpu_clock() - run->cpu_started;
    LAM_TRY(lam_run_log_summary(run, result));
    LAM_TRY(lam_run_agree(run, NULL));
    const lam_fit_state *s = &run->state;
    int warm = s->iteration == 0 && run->cfg->warm_start > 0;
    char all[32];
    if (warm)
        return lam_fail(LAM_ERR_INTERRUPTED, "stopped after iteration %llu of %zu of the warm start, as asked",
            (unsigned long long)s->warm, run->cfg->warm_start);
    return lam_fail(LAM_ERR_INTERRUPTED, "stopped after iteration %llu%s, as asked", (unsigned long long)s->iteration, of_all(run, all));
}

lam_status lam_loop_run(lam_config *cfg, const lam_target *target, const lam_fit_options *options,
    lam_fit_result *result)
{
    lam_run run;
    *result = (lam_fit_result) { 0 };
    lam_status status = lam_run_open(&run, cfg, target, options);
    if (status == LAM_OK) {
        status = train(&run);
        if (status == LAM_OK)
            status = finish(&run, result);
        if (status == LAM_ERR_INTERRUPTED)
            status = stop(&run, result);
        lam_comm_broadcast(options->comm, result, sizeof *result);
    }
    lam_run_close(&run);
    return status;
}
