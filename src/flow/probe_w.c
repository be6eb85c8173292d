/* One evaluation of a block's field on rows of the caller: what tests and pictures ask for. */
#include "base/error.h"
#include "flow/inside.h"
#include "flow/planes.h"
#include "ode/space.h"
#include <string.h>

typedef struct field_call {
    lam_engine *e;
    const double *cotangents;
    double *v, *div, *vjp;
} field_call;

static void field_tile(void *arg, size_t tile, size_t thread)
{
    const field_call *c = arg;
    lam_engine *e = c->e;
    size_t rows = lam_batch_tile_rows(&e->batch, tile), plane = e->dim * LAM_TILE;
    real *scratch = e->space->thread[thread], *k = scratch + e->space->at_k, *gk = scratch + e->space->at_gk;
    real *gz = scratch + e->space->at_gin, *record = scratch + e->space->at_records;
    lam_system system;
    lam_cnf_system(e, 0, &system);
    const lam_stage at = { .tile = tile, .thread = thread, .record = record };
    system.eval(e, &at, e->path[0]->y[0] + tile * e->rows * LAM_TILE, k);
    if (c->v != NULL)
        lam_planes_to_rows(&e->batch, tile, e->dim, k, e->dim, c->v);
    for (size_t r = 0; c->div != NULL && r < rows; r++)
        c->div[tile * LAM_TILE + r] = -(double)k[plane + r];
    if (c->vjp == NULL)
        return;
    memset(gk, 0, plane * sizeof(real));
    lam_planes_from_rows(&e->batch, tile, e->dim, c->cotangents, NULL, gk);
    lam_cnf_vjp(e, &at, gk, 0, e->sums[0], gz);
    lam_planes_to_rows(&e->batch, tile, e->dim, gz, e->dim, c->vjp);
}

lam_status lam_engine_field(lam_engine *e, const lam_flow_call *call, const lam_field_point *at, double *v, double *div, double *vjp)
{
    lam_noise noise = { .given = at->e, .given_first = at->block };
    lam_system system;
    if (div != NULL && e->options.trace == LAM_TRACE_NONE)
        return lam_fail(LAM_ERR_ARGUMENT, "the trace was asked of an engine without one");
    if (at->e == NULL && (vjp != NULL || e->options.trace == LAM_TRACE_HUTCHINSON))
        return lam_fail(LAM_ERR_ARGUMENT, "the point has no e");
    LAM_TRY(lam_engine_load_rows(e, call));
    if (e->options.trace == LAM_TRACE_HUTCHINSON)
        lam_engine_draw(e, &noise, at->block);
    lam_engine_load_block(e, at->block);
    lam_cnf_system(e, 0, &system);
    system.prepare(e, 0, (real)at->t);
    field_call c = { e, at->e, v, div, vjp };
    e->batch.groups = 1; /* the parameter sums, unused here, are one group's */
    lam_engine_run(e, field_tile, &c);
    return LAM_OK;
}
