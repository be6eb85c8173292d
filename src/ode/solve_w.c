/* A solve from start to end: where its steps go in memory, which are taken, and the states observed on the way. */
#include "ode/solve.h"
#include "base/error.h"
#include "ode/controller.h"
#include "ode/step.h"
#include <math.h>
#include <stdint.h>
#include <string.h>

/* ---- observations ------------------------------------------------------------------------------------------------- */

typedef struct observer {
    size_t next, n; /* of the observations: the next one, and how many there are */
    const double *times;
    real *const *out;
} observer;

static void note(lam_stepping *s, observer *o, size_t step, double theta)
{
    s->path->obs_step[o->next] = step;
    s->path->obs_theta[o->next] = theta;
    o->next++;
}

static void copy_out(const lam_stepping *s, const observer *o, const real *y)
{
    if (o->out[o->next] != NULL)
        lam_batch_copy(s->batch, lam_stepping_plane(s) * sizeof(real), y, o->out[o->next]);
}

/* The observation times within the accepted step from s->t to end. */
static void observe(lam_stepping *s, observer *o, double end)
{
    double direction = s->h > 0 ? 1 : -1;
    int dense_done = 0;
    while (o->next < o->n && (o->times[o->next] - end) * direction <= 0) {
        double at = o->times[o->next], theta = (at - s->t) / s->h;
        if (at == end) {
            copy_out(s, o, s->y1);
            note(s, o, s->n, 1);
            continue;
        }
        if (!dense_done)
            lam_step_dense(s);
        dense_done = 1;
        if (o->out[o->next] != NULL)
            lam_step_observe(s, theta, o->out[o->next]);
        note(s, o, s->n, theta);
    }
}

/* ---- steps in memory ---------------------------------------------------------------------------------------------- */

/* Points the step in hand at its buffers; without a record two states take turns. */
static lam_status place(lam_stepping *s)
{
    LAM_TRY(lam_path_reserve(s->path, s->n + 1, s->options->record ? s->n + 1 : 1));
    size_t from = s->options->record ? s->n : s->n % 2, to = s->options->record ? s->n + 1 : (s->n + 1) % 2;
    s->y0 = s->path->y[from];
    s->k0 = s->path->k1[from];
    s->y1 = s->path->y[to];
    s->k_last = s->path->k1[to];
    if (s->options->errors)
        LAM_TRY(lam_path_reserve_error(s->path, s->n));
    s->records = NULL;
    s->first_record = s->table->fsal && s->n > 0 ? 1 : 0;
    if (s->options->record && s->arena != NULL) {
        size_t stages = (size_t)(s->table->stages + s->table->dense_stages);
        size_t need = s->batch->tiles * (stages - s->first_record) * s->space->record_size;
        if (s->arena->size - s->arena->used >= need) {
            s->records = s->arena->reals + s->arena->used;
            s->arena->used += need;
        }
    }
    return LAM_OK;
}

/* The step in hand is one of the path's; t goes to its end. */
static void keep_step(lam_stepping *s, observer *obs, double end, double proposal)
{
    s->result->accepted++;
    for (size_t p = 0; s->options->errors && p < s->sys->parts; p++)
        s->path->error_square[p] += lam_norm_error_square(s, p);
    s->path->t[s->n] = s->t;
    s->path->h[s->n] = s->h;
    s->path->proposal[s->n] = proposal;
    s->path->records[s->options->record ? s->n : 0] = s->records;
    if (!s->options->replay)
        s->path->steps = s->n + 1;
    observe(s, obs, end);
    s->t = end;
}

static void tell_system(const lam_stepping *s, int accepted)
{
    if (s->sys->step_done != NULL)
        s->sys->step_done(s->sys->self, accepted, s->h);
}

/* ---- the solve ---------------------------------------------------------------------------------------------------- */

static lam_status gave_up(const lam_stepping *s, const char *why, double ratio)
{
    return lam_fail(LAM_ERR_SOLVER,
        "the solver gave up at t = %.6g: %s (step %zu, length %.3g, error ratio %.3g, worst at row %zu of the batch); try looser "
        "atol and rtol, another solver, larger max-steps or smaller min-step, or in training a lower lr or clip",
        s->t, why, s->result->accepted + s->result->rejected, s->h, ratio, lam_norm_worst_row(s) + 1);
}

/* The attempt in hand goes to the log, where one is wanted. */
static lam_status log_attempt(const lam_stepping *s, int accepted)
{
    if (s->options->log == NULL)
        return LAM_OK;
    int has_l = s->sys->parts > 1;
    double z = lam_norm_part_ratio(s, 0), l = has_l ? lam_norm_part_ratio(s, 1) : (double)NAN;
    const lam_step step = { .t = s->t, .h = s->h, .error_z = z, .error_l = l, .accepted = accepted,
        .allowed_z = lam_controller_proposal(s->table, s->h, z), .allowed_l = lam_controller_proposal(s->table, s->h, l) };
    return lam_step_log_add(s->options->log, step);
}

/* Steps whose lengths the error ratios decide (controller.h). */
static lam_status adaptive(lam_stepping *s, lam_controller *c, observer *obs)
{
    LAM_TRY(place(s));
    lam_step_first(s);
    if (c->probes) {
        LAM_TRY(lam_step_probe(s, c->direction, &c->h));
        c->h *= c->direction;
    }
    s->first_stage = 1;
    for (;;) {
        double end = lam_controller_next(c, s->t, obs->next < obs->n ? obs->times[obs->next] : c->end);
        s->h = end - s->t;
        const char *why = lam_controller_gives_up(c, s->result->accepted + s->result->rejected);
        if (why != NULL)
            return gave_up(s, why, c->ratio);
        s->last = lam_controller_arrived(c, end);
        lam_step_attempt(s);
        s->first_stage = 1;
        int accepted = lam_controller_accepts(c, s->h, end, lam_norm_error_ratio(s));
        tell_system(s, accepted);
        LAM_TRY(log_attempt(s, accepted));
        if (!accepted) {
            s->result->rejected++;
            continue;
        }
        keep_step(s, obs, end, lam_controller_proposal(s->table, s->h, c->ratio));
        if (lam_controller_arrived(c, end))
            break;
        s->n++;
        s->first_stage = s->table->fsal ? 1 : 0;
        LAM_TRY(place(s));
    }
    s->result->h_star = lam_controller_h_star(s->path->steps, s->path->h, s->path->proposal, c->span);
    return lam_step_check_end(s);
}

/* 1: f at the end of the last step, which an FSAL pair takes for the step after it, serves nothing: no reverse, and no
 * observation inside the step. */
static int end_is_unused(const lam_stepping *s, const observer *obs, double t1)
{
    return s->table->fsal && s->options->even && !s->options->record && !s->options->replay
        && (obs->next == obs->n || obs->times[obs->next] == t1);
}

/* Steps that no error estimate controls: even ones, or those of an earlier solve. */
static lam_status planned(lam_stepping *s, const lam_controller *c, observer *obs)
{
    const lam_path *p = s->path;
    size_t steps = s->options->replay ? p->steps : s->options->fixed_steps;
    for (s->n = 0; s->n < steps; s->n++) {
        double again = 0;
        if (s->options->replay) /* the next step's start is the end to the last bit, t + h is not */
            again = s->n + 1 < steps ? p->t[s->n + 1] : p->t[s->n] + p->h[s->n];
        double end = lam_controller_planned(c, s->n, steps, again);
        s->h = end - s->t;
        s->first_stage = s->table->fsal ? 1 : 0;
        LAM_TRY(place(s));
        if (s->n == 0 && s->table->fsal)
            lam_step_first(s);
        s->last = s->n + 1 == steps;
        s->stages = (size_t)s->table->stages - (size_t)(s->last && end_is_unused(s, obs, c->end));
        lam_step_attempt(s);
        tell_system(s, 1);
        keep_step(s, obs, end, 0);
    }
    return lam_step_check_end(s);
}

lam_status lam_solve(lam_solver_space *space, const lam_batch *batch, const lam_system *system, const lam_solve_options *options,
    const lam_observations *observations, lam_path *path, lam_arena *arena, lam_solve_result *result)
{
    double t0 = observations->start, t1 = observations->times[observations->n - 1];
    memset(result, 0, sizeof *result);
    lam_stepping s = { .space = space, .batch = batch, .sys = system, .table = options->table, .options = options, .path = path,
        .arena = arena, .result = result, .t = t0, .stages = (size_t)options->table->stages,
        .controlled = options->table->error_exponent != 0 && !options->even && !options->replay };
    observer obs = { .n = observations->n, .times = observations->times, .out = observations->out };
    if (!options->replay)
        path->steps = 0;
    path->observations = observations->n;
    memset(path->error_square, 0, sizeof path->error_square);
    if (obs.times[0] == t0) {
        copy_out(&s, &obs, path->y[0]);
        note(&s, &obs, SIZE_MAX, 1);
    }
    if (t0 == t1)
        return lam_fail(LAM_ERR_ARGUMENT, "the solve's start and end are both %.6g", t0);
    lam_controller c = lam_controller_begin(options, t0, t1);
    return s.controlled ? adaptive(&s, &c, &obs) : planned(&s, &c, &obs);
}
