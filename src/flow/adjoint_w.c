/* The continuous adjoint (Chen et al. 2018): the gradient by solving backwards in time for z and its cotangent a,
 *     da/dt = -(a' df/dz - a_l d(trace)/dz),    dL/dtheta = integral of (a' df/dtheta - a_l d(trace)/dtheta) dt,
 * restarted at each observed time. The parameter integral is a quadrature: it is left out of the error norm. Cotangents are
 * carried B times larger, as of a sum over rows, or the absolute tolerance would dwarf those of a mean. Implemented for
 * comparison, and for memory that does not grow with the steps. */
#include "base/error.h"
#include "base/mem.h"
#include "flow/inside.h"
#include <stdint.h>
#include <string.h>

struct lam_adjoint {
    lam_path *path;
    real *out;                      /* state at the end of a segment, [tiles][2 dim][TILE] */
    real **stage[LAM_MAX_STAGES];   /* [groups] parameter gradient of each stage's evaluation */
    const lam_tableau *table;
    double h; /* of the step being added up */
};

lam_status lam_adjoint_create(lam_engine *e)
{
    struct lam_adjoint *a = e->adjoint = lam_alloc(1, sizeof *a);
    size_t reals = e->batch.tiles * 2 * e->dim * LAM_TILE;
    if (a == NULL || (a->out = lam_alloc(reals, sizeof(real))) == NULL)
        return LAM_ERR_MEMORY;
    LAM_TRY(lam_path_create(e->batch.tiles, 2 * e->dim, 1, &a->path));
    for (size_t s = 0; s < LAM_MAX_STAGES; s++)
        if ((a->stage[s] = lam_arrays_alloc(e->batch.groups, e->field.sum_size)) == NULL)
            return LAM_ERR_MEMORY;
    return LAM_OK;
}

void lam_adjoint_free(lam_engine *e)
{
    struct lam_adjoint *a = e->adjoint;
    if (a == NULL)
        return;
    for (size_t s = 0; s < LAM_MAX_STAGES; s++)
        lam_arrays_free(a->stage[s], e->batch.groups);
    lam_path_free(a->path);
    lam_free(a->out);
    lam_free(a);
}

static void prepare(void *self, size_t slot, real t)
{
    lam_engine *e = self;
    lam_field_prepare(&e->field, slot, t);
}

static void eval(void *self, const lam_stage *at, const real *y, real *k)
{
    lam_engine *e = self;
    real *record = at->record;
    size_t plane = e->dim * LAM_TILE;
    memcpy(record, y, plane * sizeof(real));
    for (size_t c = 0; c < e->chunks; c++) {
        const lam_chunk ch = { .slot = at->slot, .vectors = lam_batch_vectors(&e->batch, at->tile), .first = c * e->chunk,
            .tangents = lam_cnf_chunk_tangents(e, c), .with_value = c == 0 };
        lam_cnf_seeds(e, at->tile, c, record);
        lam_field_forward(&e->field, &ch, record);
    }
    memcpy(k, lam_field_output(&e->field, record), plane * sizeof(real));
    real *ka = k + plane;
    lam_cnf_vjp(e, at, y + plane, (double)e->batch.rows, e->adjoint->stage[at->slot][at->group], ka);
    const real minus = -1, *term = ka;
    e->kernels->combine(plane, ka, NULL, 1, &minus, &term);
}

static void add_group(void *arg, size_t group, size_t thread)
{
    (void)thread;
    lam_engine *e = arg;
    struct lam_adjoint *a = e->adjoint;
    for (size_t s = 0; s < (size_t)a->table->stages; s++) {
        real weight = (real)(a->h * a->table->b[s] / (double)e->batch.rows);
        const real *term = a->stage[s][group];
        if (weight != 0)
            e->kernels->combine(e->field.sum_size, e->sums[group], e->sums[group], 1, &weight, &term);
    }
}

static void clear_group(void *arg, size_t group, size_t thread)
{
    (void)thread;
    lam_engine *e = arg;
    for (size_t s = 1; s < LAM_MAX_STAGES; s++)
        memset(e->adjoint->stage[s][group], 0, e->field.sum_size * sizeof(real));
}

static void clear_first(void *arg, size_t group, size_t thread)
{
    (void)thread;
    lam_engine *e = arg;
    memset(e->adjoint->stage[0][group], 0, e->field.sum_size * sizeof(real));
}

static void step_done(void *self, int accepted, double h)
{
    lam_engine *e = self;
    struct lam_adjoint *a = e->adjoint;
    if (accepted) {
        a->h = h < 0 ? -h : h;
        lam_batch_run(&e->batch, add_group, e);
        if (a->table->fsal) { /* the last stage is the next step's first */
            real **first = a->stage[0];
            a->stage[0] = a->stage[a->table->stages - 1];
            a->stage[a->table->stages - 1] = first;
        } else {
            lam_batch_run(&e->batch, clear_first, e);
        }
    }
    lam_batch_run(&e->batch, clear_group, e);
}

typedef struct segment {
    lam_engine *e;
    const real *z, *a; /* observed state [tiles][rows][TILE]; cotangent to add, or NULL */
    int start;         /* 1: the cotangents so far are zero */
} segment;

static void start_tile(void *arg, size_t tile, size_t thread)
{
    (void)thread;
    const segment *s = arg;
    lam_engine *e = s->e;
    size_t plane = e->dim * LAM_TILE;
    real *y = e->adjoint->path->y[0] + tile * 2 * plane;
    memcpy(y, s->z + tile * e->rows * LAM_TILE, plane * sizeof(real));
    if (s->start)
        memset(y + plane, 0, plane * sizeof(real));
    else
        memcpy(y + plane, e->adjoint->out + tile * 2 * plane + plane, plane * sizeof(real));
    if (s->a != NULL) {
        const real rows = (real)e->batch.rows, *term = s->a + tile * plane;
        e->kernels->combine(plane, y + plane, y + plane, 1, &rows, &term);
    }
}

static void finish_tile(void *arg, size_t tile, size_t thread)
{
    (void)thread;
    const segment *s = arg;
    lam_engine *e = s->e;
    size_t plane = e->dim * LAM_TILE;
    real *to = e->g_chain + tile * plane;
    const real mean = (real)(1 / (double)e->batch.rows), *sum = e->adjoint->out + tile * 2 * plane + plane;
    e->kernels->combine(plane, to, NULL, 1, &mean, &sum);
    if (s->a != NULL) {
        const real one = 1, *term = s->a + tile * plane;
        e->kernels->combine(plane, to, to, 1, &one, &term);
    }
}

lam_status lam_adjoint_reverse(lam_engine *e, const lam_flow_solve *solve, size_t observations, const double *times,
    real *const *out, const real *const *g_out, lam_counts *counts)
{
    struct lam_adjoint *a = e->adjoint;
    lam_system system = { .self = e, .rows = 2 * e->dim, .z_rows = 2 * e->dim, .parts = 2,
        .part = { { 0, e->dim }, { e->dim, e->dim } }, .record_size = e->field.record_size, .prepare = prepare, .eval = eval,
        .step_done = step_done };
    lam_solve_options o = solve->solve;
    o.record = o.replay = 0;
    o.end = LAM_END_LAND; /* past its end the parameter integral would go on */
    if (o.first_step == LAM_STEP_WARM)
        o.first_step = LAM_STEP_PROBE;
    a->table = o.table;
    segment s = { .e = e, .start = 1 };
    for (size_t j = observations; j-- > 0;) {
        double from = times[j], to = j > 0 ? times[j - 1] : 0;
        lam_solve_result result;
        if (from == to)
            break; /* the first observation is the start itself */
        s.z = out[j];
        s.a = g_out[j];
        lam_engine_run(e, start_tile, &s);
        s.start = 0;
        lam_batch_run(&e->batch, clear_first, e);
        lam_batch_run(&e->batch, clear_group, e);
        lam_status status = lam_solve(e->space, &e->batch, &system, &o, &(lam_observations){ from, 1, &to, &a->out }, a->path, NULL, &result);
        counts->backward += result.calls;
        counts->recomputed += result.calls;
        if (status != LAM_OK)
            return lam_fail_in(status, "continuous adjoint of block %zu of %zu", e->block + 1, e->layout->blocks);
    }
    s.a = times[0] == 0 ? g_out[0] : NULL;
    lam_engine_run(e, finish_tile, &s);
    return LAM_OK;
}
