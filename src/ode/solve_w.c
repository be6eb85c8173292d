#include "base/error.h"
#include "base/mem.h"
#include "ode/space.h"
#include <math.h>
#include <stdint.h>
#include <string.h>

static const double SAFETY = 0.9, LARGEST_GROWTH = 10, SMALLEST_SHRINK = 0.2;

/* Everything a parallel region of a solve reads. */
typedef struct run {
    lam_solver_space *space;
    const lam_batch *batch;
    const lam_system *sys;
    const lam_tableau *table;
    const lam_solve_options *options;
    lam_path *path;
    lam_arena *arena;
    lam_solve_result *result;
    double t, h;
    size_t n;               /* step in hand */
    const real *y0;         /* its states and its first stage */
    real *y1, *k0, *k_last; /* k_last: where the FSAL stage goes */
    real *records;          /* of this step, or NULL */
    size_t first_record;    /* stage of records[0] */
    size_t first_stage;     /* 1: stage 0 is known already, from the step before or a rejected one */
    size_t stages;          /* of the step in hand: all of the table's, or all but f at the end, which nobody asks for */
    int controlled;         /* 1: the error estimate decides about the step */
    /* a region's own arguments */
    size_t stage;
    double probe_h;
    int probe_pass;
    const double *weights;
    real *target;
} run;

static size_t plane_of(const run *r)
{
    return r->sys->rows * LAM_TILE;
}

static size_t kept_stages(const lam_tableau *table)
{
    return (size_t)(table->stages + table->dense_stages);
}

static real *stage_values(const run *r, size_t stage)
{
    if (stage == 0)
        return r->k0;
    return r->table->fsal && stage == (size_t)r->table->stages - 1 ? r->k_last : r->space->k[stage];
}

/* y0 + h sum coef_j k_j for one tile, over `planes` features. */
static void add_stages(const run *r, size_t tile, double h, const double *coef, size_t stages, const real *base, real *out)
{
    real c[LAM_MAX_STAGES];
    const real *term[LAM_MAX_STAGES];
    size_t terms = 0;
    for (size_t j = 0; j < stages; j++)
        if (coef[j] != 0) {
            c[terms] = (real)(h * coef[j]);
            term[terms++] = stage_values(r, j) + tile * plane_of(r);
        }
    r->space->kernels->combine(plane_of(r), out, base, terms, c, term);
}

static real *record_of(const run *r, size_t tile, size_t thread, size_t stage)
{
    if (r->records == NULL || stage < r->first_record)
        return r->space->thread[thread] + r->space->at_records;
    size_t kept = kept_stages(r->table) - r->first_record;
    return r->records + (tile * kept + stage - r->first_record) * r->space->record_size;
}

static void eval_stage(const run *r, size_t tile, size_t group, size_t thread, size_t stage)
{
    real *y = r->space->thread[thread] + r->space->at_y;
    const real *y0 = r->y0 + tile * plane_of(r);
    if (r->table->fsal && stage == (size_t)r->table->stages - 1)
        y = r->y1 + tile * plane_of(r);
    if (stage == 0)
        y = r->space->thread[thread] + r->space->at_y, memcpy(y, y0, plane_of(r) * sizeof(real));
    else
        add_stages(r, tile, r->h, r->table->a[stage], stage, y0, y);
    r->sys->eval(r->sys->self, tile, group, thread, stage, y, stage_values(r, stage) + tile * plane_of(r),
        record_of(r, tile, thread, stage));
}

static void for_tiles(const run *r, size_t group, size_t thread, void (*fn)(const run *, size_t tile, size_t group, size_t thread))
{
    for (size_t tile = lam_batch_first_tile(r->batch, group); tile < lam_batch_first_tile(r->batch, group + 1); tile++)
        fn(r, tile, group, thread);
}

/* ---- error norms -------------------------------------------------------------------------------------------------- */

/* Sum over the tile's rows and one part's features of (v / scale)^2, in double over rows; the worst row is kept. */
static double part_norm(const run *r, size_t tile, size_t thread, size_t part, const real *v, const real *y0, const real *y1,
    int keep_worst)
{
    real *sums = r->space->thread[thread] + r->space->at_sums;
    size_t at = r->sys->part[part].first * LAM_TILE, rows = lam_batch_tile_rows(r->batch, tile);
    lam_tile_norm *norm = &r->space->norm[tile];
    memset(sums, 0, LAM_TILE * sizeof *sums);
    r->space->kernels->error(r->sys->part[part].count, v + at, y0 + at, y1 + at, (real)r->options->atol,
        (real)r->options->rtol, sums);
    double total = 0;
    for (size_t i = 0; i < rows; i++) {
        total += (double)sums[i];
        if (keep_worst && !((double)sums[i] <= norm->worst)) { /* a NaN is the worst of all */
            norm->worst = isnan(sums[i]) ? INFINITY : (double)sums[i];
            norm->worst_row = tile * LAM_TILE + i;
        }
    }
    return total;
}

static double part_count(const run *r, size_t part)
{
    return (double)r->batch->rows * (double)r->sys->part[part].count;
}

/* The largest over parts of the root mean square; tiles in order. */
static double batch_norm(const run *r)
{
    double largest = 0;
    for (size_t p = 0; p < r->sys->parts; p++) {
        double sum = 0;
        for (size_t i = 0; i < r->batch->tiles; i++)
            sum += r->space->norm[i].sum[p];
        double rms = sqrt(sum / part_count(r, p));
        if (!(rms <= largest)) /* NaN wins */
            largest = rms;
        if (isnan(largest))
            break;
    }
    return largest;
}

/* Error ratio of the step. dop853 combines two estimates (Hairer, Norsett and Wanner, II.10). */
static double error_ratio(const run *r)
{
    double h = fabs(r->h), largest = 0;
    if (!r->table->has_e3)
        return batch_norm(r);
    for (size_t p = 0; p < r->sys->parts; p++) {
        double e5 = 0, e3 = 0;
        for (size_t i = 0; i < r->batch->tiles; i++) {
            e5 += r->space->norm[i].sum[p];
            e3 += r->space->norm[i].sum3[p];
        }
        double denominator = e5 + 0.01 * e3;
        double ratio = e5 == 0 && e3 == 0 ? 0 : h * e5 / sqrt(denominator * part_count(r, p));
        if (!(ratio <= largest))
            largest = ratio;
        if (isnan(largest))
            break;
    }
    return largest;
}

static size_t worst_row(const run *r)
{
    size_t row = 0;
    double worst = -1;
    for (size_t i = 0; i < r->batch->tiles; i++)
        if (r->space->norm[i].worst > worst) {
            worst = r->space->norm[i].worst;
            row = r->space->norm[i].worst_row;
        }
    return row;
}

/* ---- regions ------------------------------------------------------------------------------------------------------ */

static void step_tile(const run *r, size_t tile, size_t group, size_t thread)
{
    const lam_tableau *tb = r->table;
    size_t stages = (size_t)tb->stages, plane = plane_of(r);
    real *scratch = r->space->thread[thread];
    for (size_t s = r->first_stage; s < r->stages; s++)
        eval_stage(r, tile, group, thread, s);
    const real *y0 = r->y0 + tile * plane;
    real *y1 = r->y1 + tile * plane, *v = scratch + r->space->at_v, *v3 = scratch + r->space->at_v3;
    if (!tb->fsal || r->stages < stages)
        add_stages(r, tile, r->h, tb->b, r->stages, y0, y1);
    if (!r->controlled)
        return;
    lam_tile_norm *norm = &r->space->norm[tile];
    memset(norm, 0, sizeof *norm);
    norm->worst = -1;
    /* dop853's estimates are taken without h, which error_ratio puts back */
    add_stages(r, tile, tb->has_e3 ? 1 : r->h, tb->e, stages, NULL, v);
    if (tb->has_e3)
        add_stages(r, tile, 1, tb->e3, stages, NULL, v3);
    for (size_t p = 0; p < r->sys->parts; p++) {
        norm->sum[p] = part_norm(r, tile, thread, p, v, y0, y1, 1);
        if (tb->has_e3)
            norm->sum3[p] = part_norm(r, tile, thread, p, v3, y0, y1, 0);
    }
}

static void step_region(void *arg, size_t group, size_t thread)
{
    for_tiles(arg, group, thread, step_tile);
}

static void first_tile(const run *r, size_t tile, size_t group, size_t thread)
{
    eval_stage(r, tile, group, thread, 0);
}

static void first_region(void *arg, size_t group, size_t thread)
{
    for_tiles(arg, group, thread, first_tile);
}

static void dense_tile(const run *r, size_t tile, size_t group, size_t thread)
{
    for (size_t s = 0; s < (size_t)r->table->dense_stages; s++)
        eval_stage(r, tile, group, thread, (size_t)r->table->stages + s);
}

static void dense_region(void *arg, size_t group, size_t thread)
{
    for_tiles(arg, group, thread, dense_tile);
}

static void observe_tile(const run *r, size_t tile, size_t group, size_t thread)
{
    (void)group;
    (void)thread;
    add_stages(r, tile, r->h, r->weights, kept_stages(r->table), r->y0 + tile * plane_of(r), r->target + tile * plane_of(r));
}

static void observe_region(void *arg, size_t group, size_t thread)
{
    for_tiles(arg, group, thread, observe_tile);
}

/* Passes of the first-step probe: 0 and 1 the norms of y0 and f0, 2 the probe step and the norm of (f1 - f0). */
static void probe_tile(const run *r, size_t tile, size_t group, size_t thread)
{
    size_t at = tile * plane_of(r), plane = plane_of(r);
    real *scratch = r->space->thread[thread], *v = scratch + r->space->at_v;
    const real *y0 = r->y0 + at, *norm_of = r->probe_pass == 0 ? y0 : r->k0 + at;
    if (r->probe_pass == 2) {
        real *y = scratch + r->space->at_y, *k1 = r->space->k[1] + at;
        const real one = (real)r->probe_h, minus = -1, *k0 = r->k0 + at;
        r->space->kernels->combine(plane, y, y0, 1, &one, &k0);
        r->sys->eval(r->sys->self, tile, group, thread, 1, y, k1, scratch + r->space->at_records);
        r->space->kernels->combine(plane, v, k1, 1, &minus, &k0);
        norm_of = v;
    }
    lam_tile_norm *norm = &r->space->norm[tile];
    memset(norm, 0, sizeof *norm);
    norm->worst = -1;
    for (size_t p = 0; p < r->sys->parts; p++)
        norm->sum[p] = part_norm(r, tile, thread, p, norm_of, y0, y0, 1);
}

static void probe_region(void *arg, size_t group, size_t thread)
{
    for_tiles(arg, group, thread, probe_tile);
}

static void run_region(run *r, lam_pool_fn fn)
{
    lam_pool_run(r->space->pool, r->batch->groups, fn, r);
}

/* ---- first step --------------------------------------------------------------------------------------------------- */

static lam_status not_finite(const run *r, const char *what)
{
    return lam_fail(LAM_ERR_SOLVER,
        "%s is not finite at t = %.6g (row %zu of the batch); look at the data for extreme values, or lower lr or set clip",
        what, r->t, worst_row(r) + 1);
}

/* Hairer, Norsett and Wanner I, II.4, with the batch norm. */
static lam_status probe_first_step(run *r, double direction, double *h)
{
    double order = r->table->order - 1, d0, d1, d2;
    r->probe_pass = 0;
    run_region(r, probe_region);
    d0 = batch_norm(r);
    if (!isfinite(d0))
        return not_finite(r, "the state");
    r->probe_pass = 1;
    run_region(r, probe_region);
    d1 = batch_norm(r);
    if (!isfinite(d1))
        return not_finite(r, "f");
    double h0 = d0 < 1e-5 || d1 < 1e-5 ? 1e-6 : 0.01 * d0 / d1;
    r->probe_pass = 2;
    r->probe_h = direction * h0;
    r->sys->prepare(r->sys->self, 1, (real)(r->t + r->probe_h));
    run_region(r, probe_region);
    r->result->calls++;
    if (r->sys->step_done != NULL)
        r->sys->step_done(r->sys->self, 0, 0);
    d2 = batch_norm(r) / h0;
    if (!isfinite(d2))
        return not_finite(r, "f after a small first step");
    double h1 = d1 <= 1e-15 && d2 <= 1e-15 ? fmax(1e-6, h0 * 1e-3) : pow(0.01 / fmax(d1, d2), 1 / (order + 1));
    *h = direction * fmin(100 * h0, h1);
    return LAM_OK;
}

/* ---- observations ------------------------------------------------------------------------------------------------- */

typedef struct observer {
    size_t next, n;
    const double *times;
    real *const *out;
} observer;

static void note(run *r, observer *o, size_t step, double theta)
{
    r->path->obs_step[o->next] = step;
    r->path->obs_theta[o->next] = theta;
    o->next++;
}

static void copy_out(const run *r, const observer *o, const real *y)
{
    if (o->out[o->next] != NULL)
        memcpy(o->out[o->next], y, r->batch->tiles * plane_of(r) * sizeof(real));
}

/* The observation times within the accepted step from r->t to t1. */
static void observe(run *r, observer *o, double t1)
{
    double direction = r->h > 0 ? 1 : -1;
    int dense_done = 0;
    while (o->next < o->n && (o->times[o->next] - t1) * direction <= 0) {
        double at = o->times[o->next];
        if (at == t1) {
            copy_out(r, o, r->y1);
            note(r, o, r->n, 1);
            continue;
        }
        double theta = (at - r->t) / r->h, weights[LAM_MAX_STAGES];
        if (!dense_done && r->table->dense_stages > 0) {
            for (size_t s = (size_t)r->table->stages; s < kept_stages(r->table); s++)
                r->sys->prepare(r->sys->self, s, lam_stage_time(r->table, r->t, r->h, s));
            run_region(r, dense_region);
            r->result->calls += (size_t)r->table->dense_stages;
        }
        dense_done = 1;
        lam_tableau_dense_weights(r->table, theta, weights);
        r->weights = weights;
        r->target = o->out[o->next];
        if (r->target != NULL)
            run_region(r, observe_region);
        note(r, o, r->n, theta);
    }
}

/* ---- the solve ---------------------------------------------------------------------------------------------------- */

/* Points the step in hand at its buffers; without a record two states take turns. */
static lam_status place(run *r)
{
    LAM_TRY(lam_path_reserve(r->path, r->n + 1, r->options->record ? r->n + 1 : 1));
    size_t from = r->options->record ? r->n : r->n % 2, to = r->options->record ? r->n + 1 : (r->n + 1) % 2;
    r->y0 = r->path->y[from];
    r->k0 = r->path->k1[from];
    r->y1 = r->path->y[to];
    r->k_last = r->path->k1[to];
    r->records = NULL;
    r->first_record = r->table->fsal && r->n > 0 ? 1 : 0;
    if (r->options->record && r->arena != NULL) {
        size_t need = r->batch->tiles * (kept_stages(r->table) - r->first_record) * r->space->record_size;
        if (r->arena->size - r->arena->used >= need) {
            r->records = r->arena->reals + r->arena->used;
            r->arena->used += need;
        }
    }
    return LAM_OK;
}

static void keep_step(run *r, double proposal)
{
    r->path->t[r->n] = r->t;
    r->path->h[r->n] = r->h;
    r->path->proposal[r->n] = proposal;
    r->path->records[r->options->record ? r->n : 0] = r->records;
    if (!r->options->replay)
        r->path->steps = r->n + 1;
}

static void prepare_step(run *r)
{
    for (size_t s = r->first_stage; s < r->stages; s++)
        r->sys->prepare(r->sys->self, s, lam_stage_time(r->table, r->t, r->h, s));
}

static double growth(const lam_tableau *table, double ratio)
{
    if (ratio == 0)
        return LARGEST_GROWTH;
    double least = ratio <= 1 ? 1 : SMALLEST_SHRINK;
    if (!isfinite(ratio))
        return least;
    return fmin(LARGEST_GROWTH, fmax(SAFETY * pow(ratio, -1.0 / table->error_exponent), least));
}

static lam_status gave_up(const run *r, const char *why, double ratio)
{
    return lam_fail(LAM_ERR_SOLVER,
        "the solver gave up at t = %.6g: %s (step %zu, length %.3g, error ratio %.3g, worst at row %zu of the batch); try looser "
        "atol and rtol, another solver, larger max-steps or smaller min-step, or in training a lower lr or clip",
        r->t, why, r->result->accepted + r->result->rejected, r->h, ratio, worst_row(r) + 1);
}

/* h* over the accepted steps, those shorter than a tenth of the longest left out. */
static double even_length(const lam_path *path, double span)
{
    double longest = 0, smallest = 1e3 * span;
    for (size_t n = 0; n < path->steps; n++)
        longest = fmax(longest, fabs(path->h[n]));
    for (size_t n = 0; n < path->steps; n++)
        if (fabs(path->h[n]) >= 0.1 * longest)
            smallest = fmin(smallest, path->proposal[n]);
    return smallest;
}

/* Nothing that leaves a solve is NaN or infinite: an infinite state makes its own error estimate vanish, parts that are left
 * out of the norm have none, and fixed steps are not watched at all. */
static void finite_tile(const run *r, size_t tile, size_t group, size_t thread)
{
    (void)group;
    (void)thread;
    lam_tile_norm *norm = &r->space->norm[tile];
    const real *y = r->y1 + tile * plane_of(r);
    memset(norm, 0, sizeof *norm);
    for (size_t i = 0; i < r->sys->rows; i++)
        for (size_t row = 0; row < lam_batch_tile_rows(r->batch, tile); row++)
            if (norm->worst == 0 && !isfinite(y[i * LAM_TILE + row])) {
                norm->worst = INFINITY;
                norm->worst_row = tile * LAM_TILE + row;
            }
}

static void finite_region(void *arg, size_t group, size_t thread)
{
    for_tiles(arg, group, thread, finite_tile);
}

static lam_status check_end(run *r)
{
    run_region(r, finite_region);
    for (size_t i = 0; i < r->batch->tiles; i++)
        if (r->space->norm[i].worst != 0)
            return lam_fail(LAM_ERR_SOLVER,
                "the state is not finite at t = %.6g, after %zu steps (row %zu of the batch); use more steps or an adaptive "
                "solver, look at the data for extreme values, or lower lr or set clip",
                r->t, r->result->accepted, worst_row(r) + 1);
    return LAM_OK;
}

static lam_status adaptive(run *r, double t1, observer *obs)
{
    const lam_solve_options *o = r->options;
    double direction = t1 > r->t ? 1 : -1, span = fabs(t1 - r->t), t0 = r->t, h = direction * o->first_step_size, ratio = 0;
    size_t even = 0, even_done = 0; /* steps of an even plan; 0: the controller decides */
    int shrunk = 1; /* h is the controller's, not what is left over after landing on an observation */
    LAM_TRY(place(r));
    r->sys->prepare(r->sys->self, 0, (real)r->t);
    run_region(r, first_region);
    r->result->calls++;
    r->first_stage = 1;
    if (o->first_step == LAM_STEP_PROBE || o->first_step_size <= 0) {
        LAM_TRY(probe_first_step(r, direction, &h));
    } else if (o->first_step == LAM_STEP_WARM) {
        even = (size_t)fmin(ceil(span / o->first_step_size), 1e6);
        even = even == 0 ? 1 : even;
    }
    for (;;) {
        double end = r->t + h;
        if (even > 0)
            end = even_done + 1 == even ? t1 : t0 + direction * span * (double)(even_done + 1) / (double)even;
        double planned_end = end;
        double limit = o->end == LAM_END_LAND_ALL && obs->next < obs->n ? obs->times[obs->next] : t1;
        if (o->end != LAM_END_OVERSHOOT && (end - limit) * direction > -1e-12 * span)
            end = limit;
        r->h = end - r->t;
        if (r->result->accepted + r->result->rejected >= o->max_steps)
            return gave_up(r, "max-steps reached", ratio);
        if (fabs(h) < o->min_step && even == 0 && shrunk)
            return gave_up(r, isfinite(ratio) ? "the step fell below min-step" : "f is not finite", ratio);
        prepare_step(r);
        run_region(r, step_region);
        r->result->calls += (size_t)r->table->stages - r->first_stage;
        r->first_stage = 1;
        ratio = error_ratio(r);
        int accepted = ratio <= 1;
        if (r->sys->step_done != NULL)
            r->sys->step_done(r->sys->self, accepted, r->h);
        if (!accepted) {
            r->result->rejected++;
            even = 0;
            shrunk = 1;
            h = r->h * growth(r->table, ratio);
            continue;
        }
        r->result->accepted++;
        keep_step(r, ratio == 0 ? INFINITY : SAFETY * fabs(r->h) * pow(ratio, -1.0 / r->table->error_exponent));
        observe(r, obs, end);
        h = r->h * growth(r->table, ratio);
        shrunk = 0;
        even_done += (end - planned_end) * direction > -1e-12 * span;
        r->t = end;
        if ((end - t1) * direction >= 0)
            break;
        r->n++;
        r->first_stage = r->table->fsal ? 1 : 0;
        LAM_TRY(place(r));
    }
    r->result->h_star = even_length(r->path, span);
    return check_end(r);
}

/* 1: f at the end of the last step, which an FSAL pair takes for the step after it, serves nothing: no reverse, and no
 * observation inside the step. */
static int end_is_unused(const run *r, const observer *obs, double t1)
{
    return r->table->fsal && r->options->even && !r->options->record && !r->options->replay
        && (obs->next == obs->n || obs->times[obs->next] == t1);
}

/* Steps that no error estimate controls: even ones, or those of an earlier solve. */
static lam_status planned(run *r, double t1, observer *obs)
{
    int replay = r->options->replay;
    double t0 = r->t;
    size_t steps = replay ? r->path->steps : r->options->fixed_steps;
    for (size_t i = 0; i < steps; i++) {
        double end = t0 + (t1 - t0) * (double)(i + 1) / (double)steps;
        if (replay) /* the next step's start is the end to the last bit, t + h is not */
            end = i + 1 < steps ? r->path->t[i + 1] : r->path->t[i] + r->path->h[i];
        if (i + 1 == steps && (!replay || r->options->end != LAM_END_OVERSHOOT || fabs(end - t1) < 1e-12 * fabs(t1 - t0)))
            end = t1;
        r->n = i;
        r->h = end - r->t;
        r->first_stage = r->table->fsal ? 1 : 0;
        LAM_TRY(place(r));
        if (i == 0 && r->table->fsal) {
            r->sys->prepare(r->sys->self, 0, (real)r->t);
            run_region(r, first_region);
            r->result->calls++;
        }
        r->stages = (size_t)r->table->stages - (size_t)(i + 1 == steps && end_is_unused(r, obs, t1));
        prepare_step(r);
        run_region(r, step_region);
        r->result->calls += r->stages - r->first_stage;
        r->result->accepted++;
        if (r->sys->step_done != NULL)
            r->sys->step_done(r->sys->self, 1, r->h);
        keep_step(r, 0);
        observe(r, obs, end);
        r->t = end;
    }
    return check_end(r);
}

lam_status lam_solve(lam_solver_space *space, const lam_batch *batch, const lam_system *system,
    const lam_solve_options *options, double t0, double t1, size_t n_times, const double *times, real *const *out,
    lam_path *path, lam_arena *arena, lam_solve_result *result)
{
    memset(result, 0, sizeof *result);
    run r = { .space = space, .batch = batch, .sys = system, .table = options->table, .options = options, .path = path,
        .arena = arena, .result = result, .t = t0, .stages = (size_t)options->table->stages,
        .controlled = options->table->error_exponent != 0 && !options->even && !options->replay };
    observer obs = { .n = n_times, .times = times, .out = out };
    if (!options->replay)
        path->steps = 0;
    path->observations = n_times;
    if (obs.n > 0 && obs.times[0] == t0) {
        copy_out(&r, &obs, path->y[0]);
        note(&r, &obs, SIZE_MAX, 1);
    }
    if (t0 == t1)
        return lam_fail(LAM_ERR_ARGUMENT, "the solve's start and end are both %.6g", t0);
    return r.controlled ? adaptive(&r, t1, &obs) : planned(&r, t1, &obs);
}
