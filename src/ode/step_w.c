/* One step of a solve, each thread taking a tile through all its stages: the stages, the end and the error estimate; the dense output
 * after it; the probe that finds a first length. */
#include "ode/step.h"
#include "base/error.h"
#include "ode/controller.h"
#include <math.h>
#include <string.h>

/* ---- stages of a tile --------------------------------------------------------------------------------------------- */

static size_t kept_stages(const lam_tableau *table)
{
    return (size_t)(table->stages + table->dense_stages);
}

static real *stage_values(const lam_stepping *s, size_t stage)
{
    if (stage == 0)
        return s->k0;
    return s->table->fsal && stage == (size_t)s->table->stages - 1 ? s->k_last : s->space->k[stage];
}

/* out = base + h sum coef_j k_j for one tile; base NULL: 0. */
static void add_stages(const lam_stepping *s, size_t tile, double h, const double *coef, size_t stages, const real *base, real *out)
{
    real c[LAM_MAX_STAGES];
    const real *term[LAM_MAX_STAGES];
    size_t terms = 0, plane = lam_stepping_plane(s);
    for (size_t j = 0; j < stages; j++)
        if (coef[j] != 0) {
            c[terms] = (real)(h * coef[j]);
            term[terms++] = stage_values(s, j) + tile * plane;
        }
    s->space->kernels->combine(plane, out, base, terms, c, term);
}

static real *record_of(const lam_stepping *s, size_t tile, size_t thread, size_t stage)
{
    if (s->records == NULL || stage < s->first_record)
        return s->space->thread[thread] + s->space->at_records;
    size_t kept = kept_stages(s->table) - s->first_record;
    return s->records + (tile * kept + stage - s->first_record) * s->space->record_size;
}

static void eval_stage(const lam_stepping *s, size_t tile, size_t group, size_t thread, size_t stage)
{
    size_t plane = lam_stepping_plane(s);
    real *y = s->space->thread[thread] + s->space->at_y;
    const real *y0 = s->y0 + tile * plane;
    if (s->table->fsal && stage == (size_t)s->table->stages - 1)
        y = s->y1 + tile * plane;
    if (stage == 0)
        y = s->space->thread[thread] + s->space->at_y, memcpy(y, y0, plane * sizeof(real));
    else
        add_stages(s, tile, s->h, s->table->a[stage], stage, y0, y);
    const lam_stage at = { tile, group, thread, stage, record_of(s, tile, thread, stage) };
    s->sys->eval(s->sys->self, &at, y, stage_values(s, stage) + tile * plane);
}

/* ---- regions ------------------------------------------------------------------------------------------------------ */

typedef void (*tile_fn)(void *arg, size_t tile, size_t group, size_t thread);

typedef struct each {
    const lam_stepping *s;
    tile_fn fn;
    void *arg;
} each;

static void each_region(void *arg, size_t group, size_t thread)
{
    const each *a = arg;
    for (size_t tile = lam_batch_first_tile(a->s->batch, group); tile < lam_batch_first_tile(a->s->batch, group + 1); tile++)
        a->fn(a->arg, tile, group, thread);
}

static void run_tiles(const lam_stepping *s, tile_fn fn, void *arg)
{
    each a = { s, fn, arg };
    lam_batch_run(s->batch, each_region, &a);
}

static void prepare(const lam_stepping *s, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        s->sys->prepare(s->sys->self, i, lam_stage_time(s->table, s->t, s->h, i));
}

static void first_tile(void *arg, size_t tile, size_t group, size_t thread)
{
    eval_stage(arg, tile, group, thread, 0);
}

void lam_step_first(lam_stepping *s)
{
    s->sys->prepare(s->sys->self, 0, (real)s->t);
    run_tiles(s, first_tile, s);
    s->result->calls++;
}

/* Nothing that leaves a solve is NaN or infinite: an infinite state makes its own error estimate vanish, parts that are left
 * out of the norm have none, and fixed steps are not watched at all. */
static void find_bad_row(const lam_stepping *s, size_t tile, const real *y)
{
    size_t *bad = &s->space->norm[tile].bad_row;
    *bad = 0;
    for (size_t i = 0; i < s->sys->rows; i++)
        for (size_t row = 0; row < lam_batch_tile_rows(s->batch, tile); row++)
            if (*bad == 0 && !isfinite(y[i * LAM_TILE + row]))
                *bad = tile * LAM_TILE + row + 1;
}

static void attempt_tile(void *arg, size_t tile, size_t group, size_t thread)
{
    const lam_stepping *s = arg;
    const lam_tableau *tb = s->table;
    size_t stages = (size_t)tb->stages, plane = lam_stepping_plane(s);
    real *scratch = s->space->thread[thread];
    for (size_t i = s->first_stage; i < s->stages; i++)
        eval_stage(s, tile, group, thread, i);
    const real *y0 = s->y0 + tile * plane;
    real *y1 = s->y1 + tile * plane, *v = scratch + s->space->at_v, *v3 = scratch + s->space->at_v3;
    if (!tb->fsal || s->stages < stages)
        add_stages(s, tile, s->h, tb->b, s->stages, y0, y1);
    if (s->last)
        find_bad_row(s, tile, y1);
    if (!s->controlled && !s->options->errors)
        return;
    add_stages(s, tile, tb->has_e3 ? 1 : s->h, tb->e, stages, NULL, v); /* two estimates: without h, which norm_w.c puts back */
    if (tb->has_e3)
        add_stages(s, tile, 1, tb->e3, stages, NULL, v3);
    lam_norm_tile(s, tile, thread, v, tb->has_e3 ? v3 : NULL, y0, y1);
    if (s->options->errors)
        lam_norm_keep_error(s, tile, v, y0, y1, s->path->error[s->n] + tile * plane);
}

void lam_step_attempt(lam_stepping *s)
{
    prepare(s, s->first_stage, s->stages);
    run_tiles(s, attempt_tile, s);
    lam_norm_share(s, 1);
    s->result->calls += s->stages - s->first_stage;
}

static void dense_tile(void *arg, size_t tile, size_t group, size_t thread)
{
    const lam_stepping *s = arg;
    for (size_t i = (size_t)s->table->stages; i < kept_stages(s->table); i++)
        eval_stage(s, tile, group, thread, i);
}

void lam_step_dense(lam_stepping *s)
{
    if (s->table->dense_stages == 0)
        return;
    prepare(s, (size_t)s->table->stages, kept_stages(s->table));
    run_tiles(s, dense_tile, s);
    s->result->calls += (size_t)s->table->dense_stages;
}

typedef struct observation {
    const lam_stepping *s;
    double weights[LAM_MAX_STAGES];
    real *out;
} observation;

static void observe_tile(void *arg, size_t tile, size_t group, size_t thread)
{
    (void)group;
    (void)thread;
    const observation *o = arg;
    size_t at = tile * lam_stepping_plane(o->s);
    add_stages(o->s, tile, o->s->h, o->weights, kept_stages(o->s->table), o->s->y0 + at, o->out + at);
}

void lam_step_observe(lam_stepping *s, double theta, real *out)
{
    observation o = { .s = s, .out = out };
    lam_tableau_dense_weights(s->table, theta, o.weights);
    run_tiles(s, observe_tile, &o);
}

/* ---- the first length --------------------------------------------------------------------------------------------- */

/* The norms of y0, of f0, and of (f1 - f0) after a step of length h. */
typedef enum probe_of { OF_STATE, OF_F, OF_DIFFERENCE } probe_of;
typedef struct probe {
    const lam_stepping *s;
    probe_of of;
    double h;
} probe;

static void probe_tile(void *arg, size_t tile, size_t group, size_t thread)
{
    const probe *p = arg;
    const lam_stepping *s = p->s;
    size_t plane = lam_stepping_plane(s), at = tile * plane;
    real *scratch = s->space->thread[thread], *v = scratch + s->space->at_v;
    const real *y0 = s->y0 + at, *norm_of = p->of == OF_STATE ? y0 : s->k0 + at;
    if (p->of == OF_DIFFERENCE) {
        real *y = scratch + s->space->at_y, *k1 = s->space->k[1] + at;
        const real h = (real)p->h, minus = -1, *k0 = s->k0 + at;
        s->space->kernels->combine(plane, y, y0, 1, &h, &k0);
        s->sys->eval(s->sys->self, &(lam_stage){ tile, group, thread, 1, scratch + s->space->at_records }, y, k1);
        s->space->kernels->combine(plane, v, k1, 1, &minus, &k0);
        norm_of = v;
    }
    lam_norm_tile(s, tile, thread, norm_of, NULL, y0, y0);
}

/* The norm over `per`; h of the difference alone. */
static lam_status probe_norm(lam_stepping *s, probe_of of, double h, double per, double *norm)
{
    static const char *const what[] = { "the state", "f", "f after a small first step" };
    probe p = { s, of, h };
    run_tiles(s, probe_tile, &p);
    lam_norm_share(s, 0);
    *norm = lam_norm_batch(s) / per;
    if (isfinite(*norm))
        return LAM_OK;
    return lam_fail(LAM_ERR_SOLVER,
        "%s is not finite at t = %.6g (row %zu of the batch); look at the data for extreme values, or lower lr or set clip", what[of],
        s->t, lam_norm_worst_row(s) + 1);
}

lam_status lam_step_probe(lam_stepping *s, double direction, double *length)
{
    double norm_y, norm_f, norm_f_1;
    LAM_TRY(probe_norm(s, OF_STATE, 0, 1, &norm_y));
    LAM_TRY(probe_norm(s, OF_F, 0, 1, &norm_f));
    double h = lam_controller_probe(norm_y, norm_f);
    s->sys->prepare(s->sys->self, 1, (real)(s->t + direction * h));
    lam_status status = probe_norm(s, OF_DIFFERENCE, direction * h, h, &norm_f_1);
    s->result->calls++;
    if (s->sys->step_done != NULL)
        s->sys->step_done(s->sys->self, 0, 0);
    *length = lam_controller_first(s->table, h, norm_f, norm_f_1);
    return status;
}

/* ---- the end ------------------------------------------------------------------------------------------------------ */

lam_status lam_step_check_end(lam_stepping *s)
{
    for (size_t i = 0; i < s->batch->tiles; i++)
        if (s->space->norm[i].bad_row > 0)
            return lam_fail(LAM_ERR_SOLVER,
                "the state is not finite at t = %.6g, after %zu steps (row %zu of the batch); use more steps or an adaptive "
                "solver, look at the data for extreme values, or lower lr or set clip",
                s->t, s->result->accepted, s->space->norm[i].bad_row);
    return LAM_OK;
}
