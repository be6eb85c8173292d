/* Divides the time of a fit that has a limit. */
#include "train/turn.h"
#include "base/error.h"
#include "base/log.h"
#include "model/defaults.h"
#include "train/limit.h"
#include "train/several.h"
#include <math.h>
#include <stdio.h>

static const double DECAY_SHARE = 0.5;   /* of the time is for the way down */
static const double PACE_SHARE = 0.7;    /* of the time is left where measuring the pace begins that decides how long the way is */
enum { PACE_ITERATIONS = 5 };            /* at least: the first solve of a process tries steps out */
static const double DECAY_MARGIN = 0.85; /* of the iterations that this pace gives: calls grow as a field learns */

/* The iterations that the time left is enough for. */
static uint64_t affordable(const lam_run *run)
{
    const lam_fit_state *s = &run->state;
    int measured = s->iteration > run->pace_from;
    double used = lam_limit_used(run), left = lam_limit_training_left(run);
    double from = measured ? run->pace_from_used : s->warm_seconds, n = (double)(s->iteration - (measured ? run->pace_from : 0));
    double each = n > 0 ? (used - from) / n : 0, more = each > 0 ? DECAY_MARGIN * left / each : 1;
    return (uint64_t)fmax(1, fmin(more, 1e15));
}

/* ---- several flows ------------------------------------------------------------------------------------------------- */

/* A flow of fewer iterations, or that has seen its rows fewer times, gains more by further ones than by a second flow; one of columns given others learns its
 * rows by heart sooner (docs/method.md 18). */
enum { PART_ITERATIONS = 4000, PART_GIVEN = 1500, PART_EPOCHS = 50 };
enum { PART_PACE = 50 }; /* iterations that tell the pace */
static const double PART_SHARE = 0.9;  /* of the limit for all flows */

/* 1: the limit is for several flows, and not divided yet. */
static int is_whole(const lam_run *run)
{
    return lam_config_is_timed(run->cfg) && run->target->more > 0 && !run->options->limit_training && run->state.limit_share == 0;
}

/* So that each further flow, which has to be expected to take a little longer than the first, will be begun (train/flows.c). */
static double share_of(size_t parts)
{
    return PART_SHARE / (1 + LAM_FLOW_MARGIN * (double)(parts - 1));
}

static void divide(lam_run *run, size_t parts)
{
    run->state.limit_share = parts > 1 ? share_of(parts) : 1;
    if (parts > 1)
        lam_log_say(&run->options->log, "the limit of time is divided among %zu flows, whose densities are averaged", parts);
}

/* 1: with its part of the limit the flow comes to as many iterations as are enough, at the pace of training so far. */
static int is_enough(lam_run *run, size_t parts)
{
    const lam_config *cfg = run->cfg;
    lam_fit_state *s = &run->state;
    double done = (double)(s->iteration - run->first), each = (lam_limit_used(run) - run->first_used) / done;
    double epochs = PART_EPOCHS * (double)run->target->train_rows / (double)cfg->batch_size;
    s->limit_share = share_of(parts);
    double left = lam_limit_training_left(run);
    s->limit_share = 0;
    return (double)s->iteration + DECAY_MARGIN * left / each >= fmax(cfg->given.n > 0 ? PART_GIVEN : PART_ITERATIONS, epochs);
}

void lam_turn_divide_asked(lam_run *run)
{
    if (is_whole(run) && !run->cfg->flows_are_chosen && lam_fit_state_done(&run->state) == 0)
        divide(run, run->target->more + 1);
}

void lam_turn_divide(lam_run *run)
{
    size_t parts = run->target->more + 1;
    if (!is_whole(run) || run->state.iteration < run->first + PART_PACE || !lam_schedule_holds(&run->state.schedule, run->cfg))
        return;
    while (parts > 1 && !is_enough(run, parts))
        parts--;
    divide(run, parts);
}

/* ---- the way down --------------------------------------------------------------------------------------------------- */

/* Under a limit of time the way down begins when its share is reached, of the time or of the iterations. Its length follows from the pace
 * just before, and from the iterations where these end sooner. */
void lam_turn_in_time(lam_run *run)
{
    lam_fit_state *s = &run->state;
    if (!lam_schedule_holds(&s->schedule, run->cfg) || s->iteration == 0)
        return;
    double used = lam_limit_used(run), left = lam_limit_training_left(run);
    if (left > PACE_SHARE * (used + left)) {
        run->pace_from = s->iteration;
        run->pace_from_used = used;
    }
    int by_iterations = (double)s->iteration >= (1 - DECAY_SHARE) * (double)run->cfg->iterations;
    int by_time = left <= DECAY_SHARE * (used + left) && s->iteration >= run->pace_from + PACE_ITERATIONS;
    if (!by_iterations && !by_time)
        return;
    lam_schedule_turn(&s->schedule, run->cfg, s->iteration, affordable(run));
}

void lam_turn_bound(lam_run *run)
{
    lam_schedule *s = &run->state.schedule;
    if (!lam_config_is_timed(run->cfg) || s->turns == 0)
        return;
    uint64_t more = affordable(run);
    if (s->end > s->turn_at + more)
        s->end = s->turn_at + more;
}

/* ---- the start by flow matching ------------------------------------------------------------------------------------- */

enum { FIRST_ITERATIONS = 5, START_ITERATIONS = 25 }; /* those from the first number on to the second tell the pace, or to the GOOD share of time */
static const double LONG = 0.5, GOOD = 0.2; /* shares of the limit: what is told of, and what a start is shortened to, which messages call a fifth */

/* Iterations of the start that take the GOOD share of a limit, others of its seconds being used up by something else. */
static size_t good_start(double limit, double others, double each)
{
    return (size_t)fmin(1e15, fmax(0, floor(GOOD * fmax(limit - others, 0) / each)));
}

static lam_status shorten_start(lam_run *run, size_t good)
{
    lam_config *cfg = run->cfg;
    lam_log_say(&run->options->log, "the start by flow matching is cut from %zu to %zu iterations: it gets a fifth of the limit of time", cfg->warm_start, good);
    cfg->warm_start = good;
    return lam_run_save_config(run);
}

static void say_long_start(const lam_run *run, double takes, double limit, size_t good)
{
    char proposal[80] = "--warm-start none leaves it out";
    if (good >= 1)
        snprintf(proposal, sizeof proposal, "--warm-start flow-matching:%zu would take a fifth", good);
    lam_log_say(&run->options->log, "the start by flow matching, %zu iterations, takes about %.3g s, and the limit of time leaves %.3g s for it and for "
        "training; %s", run->cfg->warm_start, takes, limit, proposal);
}

lam_status lam_turn_bound_start(lam_run *run)
{
    uint64_t done = run->state.warm;
    double left = lam_limit_training_left(run), used = lam_limit_used(run), limit = used + left;
    if (run->first > 0 || run->start_is_bound || !isfinite(left))
        return LAM_OK;
    if (done == FIRST_ITERATIONS)
        run->pace_from_used = used; /* which training's own takes the place of */
    /* where iterations are slow, the pace has to do that fewer of them tell */
    int is_told = done >= START_ITERATIONS || (done > FIRST_ITERATIONS && used > GOOD * limit);
    if (!is_told || done >= run->cfg->warm_start)
        return LAM_OK;
    run->start_is_bound = 1;
    double each = (used - run->pace_from_used) / (double)(done - FIRST_ITERATIONS), takes = each * (double)run->cfg->warm_start;
    size_t good = good_start(limit, used - each * (double)done, each);
    if (run->cfg->start_is_chosen && good < run->cfg->warm_start)
        return shorten_start(run, good > done + 1 ? good : (size_t)done + 1);
    if (takes > LONG * limit)
        say_long_start(run, takes, limit, good);
    return LAM_OK;
}

/* ---- validations ---------------------------------------------------------------------------------------------------- */

static const double VALIDATION_SHARE = 0.08; /* of the time, for validations */

lam_status lam_turn_space_validations(lam_run *run)
{
    const lam_fit_state *s = &run->state;
    lam_config *cfg = run->cfg;
    if (run->options->limit_training || cfg->iterations != LAM_UNENDING || s->iteration != cfg->val_freq || run->validation.rows == 0 || run->spaced)
        return LAM_OK;
    double each = (lam_limit_used(run) - s->warm_seconds) / (double)s->iteration, both = s->average != NULL ? 2 : 1;
    double wanted = each > 0 ? (1 / VALIDATION_SHARE - 1) * both * run->validation.seconds / each : 0;
    run->spaced = 1;
    if (!(wanted > (double)cfg->val_freq))
        return LAM_OK;
    cfg->val_freq = (size_t)fmin(ceil(wanted), 1e15);
    return lam_run_save_config(run); /* a resume reads it there */
}

/* 1: the rates are the clock's choice. */
int lam_turn_is_by_clock(const lam_run *run)
{
    return run->cfg->schedule == LAM_SCHEDULE_COSINE && lam_config_is_timed(run->cfg);
}

/* The way down that was set under a limit of time, by the clock or a plateau, becomes the configuration's own, which repeats it. */
lam_status lam_turn_record(lam_run *run)
{
    const lam_schedule *s = &run->state.schedule;
    if (!lam_turn_is_by_clock(run) || run->cfg->decay_from > 0 || s->turns == 0)
        return LAM_OK;
    run->cfg->decay_from = (size_t)s->turn_at;
    run->cfg->iterations = (size_t)s->end;
    run->cfg->epochs = 0; /* iterations and val-freq have what it stood for */
    LAM_TRY(lam_run_save_config(run));
    return lam_run_save_state(run);
}

/* So does the iteration at which time was over, where that is before the rate's own end. */
lam_status lam_turn_record_end(lam_run *run)
{
    size_t done = (size_t)run->state.iteration;
    if (!lam_turn_is_by_clock(run) || done == 0 || lam_schedule_is_over(&run->state.schedule, run->cfg, done))
        return LAM_OK;
    if (run->cfg->decay_from == 0)
        run->cfg->decay_from = done;
    if (run->cfg->decay_to == 0)
        run->cfg->decay_to = run->cfg->iterations;
    run->cfg->iterations = done;
    run->cfg->epochs = 0;
    run->saved = UINT64_MAX; /* the checkpoint has it too */
    return lam_run_save_config(run);
}
