/* Which settings lam_tune tries. Errors fall with steps and with tolerances, roughly; so steps are doubled until the bounds are
 * kept and the gap is then halved, tolerances go down by decades and then up by half a one. Nothing is tried that would cost
 * more than the best so far. First the trace is apart from the steps, at as few points as do where the states are exact; then the
 * solver integrates both. */
#include "base/error.h"
#include "base/mem.h"
#include "model/pass.h"
#include "model/tune.h"
#include "ode/quadrature.h"
#include "ode/tableau.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The likely first: what they need bounds what the others may. */
static const lam_solver order[] = {
#define TRIED(code, word, table, tried) [tried - 1] = code,
    LAM_SOLVER_LIST(TRIED, LAM_NONE)
#undef TRIED
};

static const double BETTER = 0.7;  /* an error that more steps leave above this share of the smallest so far has not improved; */
enum { PATIENCE = 3 };             /* so often in a row, and no more steps are tried: rounding is all that is left, */
enum { ENOUGH_STEPS = 16 };        /* or the steps are still too long to follow the paths at all */
enum { FINEST_FLOAT = 14, FINEST_DOUBLE = 24 }; /* half decades below 1: tolerances of 1e-7, 1e-12 */

/* Trace points a block, in the order in which they are tried. */
static const size_t numbers_of_points[] = { 2, 3, 4, 6, 8, 12, LAM_MAX_POINTS };
static const double POINTS_SHARE = 0.5;                        /* of the bounds, that the points may take up where the states are exact */
static const double LOOSEST_STATES = 1e-6, STATES_SHARE = 1e-3; /* which a tolerance of at most the one, and the other of the bounds, makes them */

static double cap(const lam_tuner *t)
{
    return t->result.chosen == SIZE_MAX ? INFINITY : t->result.candidates[t->result.chosen].cost;
}

/* Cheaper; then the smaller error; then steps that an error estimate looks at. */
static int is_better(const lam_tune_candidate *a, const lam_tune_candidate *b)
{
    if (a->cost != b->cost)
        return a->cost < b->cost;
    if (a->rms != b->rms)
        return a->rms < b->rms;
    return a->setting.steps == 0 && b->setting.steps > 0;
}

/* Takes the candidate into the list; h_star [blocks] is that of the trial model. */
static lam_status add_candidate(lam_tuner *t, const lam_tune_candidate *c)
{
    lam_tune_result *r = &t->result;
    if (r->n_candidates == t->capacity) {
        size_t capacity = t->capacity == 0 ? 64 : 2 * t->capacity;
        lam_tune_candidate *more = realloc(r->candidates, capacity * sizeof *more);
        if (more == NULL)
            return lam_fail(LAM_ERR_MEMORY, "out of memory for %zu candidates", capacity);
        r->candidates = more;
        t->capacity = capacity;
    }
    r->candidates[r->n_candidates++] = *c;
    t->progress.candidates = r->n_candidates;
    if (lam_tuner_keeps(t, c) && (r->chosen == SIZE_MAX || is_better(c, &r->candidates[r->chosen]))) {
        r->chosen = r->n_candidates - 1;
        memcpy(t->h_chosen, t->trial->h_star_test, t->trial->layout.blocks * sizeof(double));
    }
    return lam_tuner_tell(t);
}

/* The steps that a warm solve is to start from: h* of the first batch, its own first step found by a probe. They stay 0, which
 * means a probe for every batch, where the solver gives up. */
static lam_status learn_steps(lam_tuner *t)
{
    const lam_eval_options options = { .units = LAM_UNITS_STANDARDISED, .batch_rows = t->options.batch_rows,
        .threads = t->options.threads, .isa = t->options.isa, .probe = 1 };
    lam_pass pass;
    lam_counts counts = { 0 };
    double *h_star = t->trial->h_star_test;
    size_t blocks = t->trial->layout.blocks;
    LAM_TRY(lam_pass_init(&pass, t->trial, &options));
    size_t rows = t->valid.n < pass.batch_rows ? t->valid.n : pass.batch_rows;
    pass.learned = h_star;
    lam_status status = lam_pass_log_prob(&pass, t->valid.x, rows, t->logp, &counts);
    if (status == LAM_ERR_SOLVER)
        memset(h_star, 0, blocks * sizeof *h_star);
    return status == LAM_ERR_SOLVER ? LAM_OK : status;
}

/* Tries one, with the trace points in hand; *c tells what came of it. */
static lam_status try(lam_tuner *t, lam_setting s, lam_tune_candidate *c)
{
    s.trace_points = t->points;
    *c = (lam_tune_candidate) { .setting = s };
    lam_tuner_try_on(t, &s, NULL);
    if (s.steps == 0 && t->trial->config.first_step == LAM_STEP_WARM)
        LAM_TRY(learn_steps(t));
    LAM_TRY(lam_tuner_measure(t, &t->valid, 0, t->logp, c));
    return add_candidate(t, c);
}

/* 1 when the error has stopped falling for good; *best and *stuck are the state of one search. */
static int has_stalled(double rms, double *best, int *stuck)
{
    if (rms < BETTER * *best)
        *stuck = 0;
    else if (isfinite(rms))
        ++*stuck;
    *best = fmin(*best, rms);
    return *stuck >= PATIENCE;
}

/* The next number of steps to double to, at most `most`; 0: there is none. */
static size_t more_steps(size_t fails, size_t most)
{
    size_t next = fails == 0 ? 1 : 2 * fails;
    next = next < most ? next : most;
    return next > fails ? next : 0;
}

static lam_status search_even(lam_tuner *t, lam_solver solver)
{
    const lam_tableau *table = lam_tableau_get(solver);
    double blocks = (double)t->trial->layout.blocks, best = INFINITY;
    /* at least, of one step of every block: the last f of an FSAL pair is the next step's first, or nobody's */
    double each = blocks * (double)(table->stages - table->fsal) * (t->points > 0 ? t->result.untraced_cost : 1);
    size_t fails = 0, keeps = 0;
    lam_setting s = { lam_solver_word(solver), 0, t->fitted.atol, t->fitted.rtol, 0 };
    lam_tune_candidate c;
    int stuck = 0;
    while (keeps == 0) {
        size_t most = (size_t)fmax(0, fmin((double)t->trial->config.max_steps, floor((cap(t) - blocks * (double)t->points) / each + 1e-9)));
        if ((s.steps = more_steps(fails, most)) == 0)
            return LAM_OK;
        LAM_TRY(try(t, s, &c));
        if (lam_tuner_keeps(t, &c))
            keeps = s.steps;
        else if (has_stalled(c.rms, &best, &stuck) && s.steps >= ENOUGH_STEPS)
            return LAM_OK;
        else
            fails = s.steps;
    }
    while (keeps - fails > 1) {
        s.steps = fails + (keeps - fails) / 2;
        LAM_TRY(try(t, s, &c));
        *(lam_tuner_keeps(t, &c) ? &keeps : &fails) = s.steps;
    }
    return LAM_OK;
}

/* 1, 0.3, 0.1, 0.03 ...: quotients of whole numbers, so that they are the doubles that such decimals read as. */
static double tolerance(int half_decades)
{
    return (half_decades % 2 == 0 ? 1 : 3) / pow(10, (half_decades + 1) / 2);
}

/* 0: a fit by fixed steps may have a first-step that adaptive ones refuse. */
static int may_adapt(lam_tuner *t, lam_solver solver)
{
    lam_tuner_try_on(t, &(lam_setting) { lam_solver_word(solver), 0, 1, 1, 0 }, NULL);
    return lam_config_check(&t->trial->config) == LAM_OK;
}

static lam_status search_adaptive(lam_tuner *t, lam_solver solver)
{
    int finest = t->trial->config.precision == LAM_FLOAT ? FINEST_FLOAT : FINEST_DOUBLE, stuck = 0;
    double best = INFINITY;
    if (!may_adapt(t, solver))
        return LAM_OK;
    for (int k = 0; k <= finest; k += 2) {
        lam_tune_candidate c;
        LAM_TRY(try(t, (lam_setting) { lam_solver_word(solver), 0, tolerance(k), tolerance(k), 0 }, &c));
        if (lam_tuner_keeps(t, &c))
            return k == 0 ? LAM_OK : try(t, (lam_setting) { lam_solver_word(solver), 0, tolerance(k - 1), tolerance(k - 1), 0 }, &c);
        int gave_up = !isfinite(c.rms) && isfinite(best);
        if (gave_up || c.cost > cap(t) || has_stalled(c.rms, &best, &stuck))
            return LAM_OK;
    }
    return LAM_OK;
}

static void mark_front(lam_tune_result *r)
{
    for (size_t i = 0; i < r->n_candidates; i++) {
        lam_tune_candidate *c = &r->candidates[i];
        c->on_front = isfinite(c->rms);
        for (size_t j = 0; j < r->n_candidates && c->on_front; j++) {
            const lam_tune_candidate *other = &r->candidates[j];
            c->on_front = !(other->cost <= c->cost && other->rms <= c->rms && (other->cost < c->cost || other->rms < c->rms));
        }
    }
}

/* A setting whose states are exact beside the bounds. */
static lam_setting exact_states(const lam_tuner *t)
{
    double finest = t->trial->config.precision == LAM_FLOAT ? tolerance(FINEST_FLOAT) : tolerance(FINEST_DOUBLE);
    double to = fmax(finest, fmin(LOOSEST_STATES, STATES_SHARE * fmin(t->options.error, t->options.percentile_error)));
    return (lam_setting) { lam_solver_word(LAM_DOPRI5), 0, to, to, 0 };
}

/* The fewest points a block whose error leaves room for that of the steps; t->points 0: none do. More of them are tried as long as that
 * helps. */
static lam_status choose_points(lam_tuner *t)
{
    double before = INFINITY;
    for (size_t i = 0; i < sizeof numbers_of_points / sizeof numbers_of_points[0]; i++) {
        lam_tune_candidate c;
        t->points = numbers_of_points[i];
        LAM_TRY(try(t, exact_states(t), &c));
        if (c.rms <= POINTS_SHARE * t->options.error && c.percentile <= POINTS_SHARE * t->options.percentile_error)
            return LAM_OK;
        if (!isfinite(c.rms) || (numbers_of_points[i] > 4 && c.rms > BETTER * before)) /* the solver gave up; rounding is all that is left */
            break;
        before = c.rms;
    }
    t->points = 0;
    return LAM_OK;
}

/* Every solver, by steps and by tolerances, with the trace points in hand. */
static lam_status search_solvers(lam_tuner *t)
{
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        LAM_TRY(search_even(t, order[i]));
        if (lam_solver_is_pair(order[i]))
            LAM_TRY(search_adaptive(t, order[i]));
    }
    return LAM_OK;
}

/* The chosen steps with fewer points, as long as the bounds are kept. */
static lam_status drop_points(lam_tuner *t)
{
    while (t->result.chosen != SIZE_MAX && t->result.candidates[t->result.chosen].setting.trace_points > 1) {
        lam_tune_candidate c;
        size_t chosen = t->result.chosen;
        t->points = t->result.candidates[chosen].setting.trace_points - 1;
        LAM_TRY(try(t, t->result.candidates[chosen].setting, &c));
        if (t->result.chosen == chosen)
            break;
    }
    return LAM_OK;
}

lam_status lam_tune_search(lam_tuner *t)
{
    lam_tune_candidate before = { .setting = lam_config_setting(&t->trial->config) };
    t->result.chosen = SIZE_MAX;
    LAM_TRY(lam_tuner_measure(t, &t->valid, 0, t->logp, &before));
    LAM_TRY(add_candidate(t, &before));
    if (may_adapt(t, LAM_DOPRI5))
        LAM_TRY(choose_points(t));
    if (t->points > 0) {
        LAM_TRY(search_solvers(t));
        LAM_TRY(drop_points(t));
    }
    t->points = 0;
    LAM_TRY(search_solvers(t));
    mark_front(&t->result);
    return LAM_OK;
}
