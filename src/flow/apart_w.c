/* A block's solve with the trace apart: the states are solved alone, and -trace is integrated along their path by Gauss-Legendre quadrature
 * (method.md 12). The trace costs some times what f does, and is smoother along a path than the path's error asks of the solver. */
#include "flow/apart.h"
#include "ode/quadrature.h"
#include "ode/space.h"

_Static_assert((int)LAM_MAX_POINTS <= (int)LAM_MAX_SLOTS, "every point has a slot of its own");

typedef struct points {
    lam_engine *e;
    lam_system system;
    size_t n;
    const double *weight; /* [n], the sign of the direction included */
} points;

/* Adds the tile's integral to l of its end, the last of the observed states. */
static void integrate_tile(void *arg, size_t tile, size_t thread)
{
    const points *q = arg;
    const lam_engine *e = q->e;
    size_t at_tile = tile * e->rows * LAM_TILE, at_l = e->dim * LAM_TILE;
    real *scratch = e->space->thread[thread], *k = scratch + e->space->at_k, *l = e->out[q->n] + at_tile + at_l;
    for (size_t i = 0; i < q->n; i++) {
        const lam_stage at = { .tile = tile, .thread = thread, .slot = i, .record = scratch + e->space->at_records };
        q->system.eval(q->e, &at, e->out[i] + at_tile, k);
        for (size_t r = 0; r < LAM_TILE; r++)
            l[r] += (real)(q->weight[i] * (double)k[at_l + r]);
    }
}

lam_status lam_apart_solve_block(lam_engine *e, size_t block, const lam_flow_solve *solve, int forward, lam_counts *counts)
{
    double x[LAM_MAX_POINTS], weight[LAM_MAX_POINTS], T = e->end[block];
    points q = { .e = e, .n = solve->trace_points, .weight = weight };
    lam_flow_solve states = *solve;
    states.error_parts = LAM_ERROR_Z;
    if (states.solve.end == LAM_END_LAND_ALL)
        states.solve.end = LAM_END_LAND; /* the points are looked at, not landed on */
    lam_gauss_legendre(q.n, x, weight);
    for (size_t i = 0; i < q.n; i++) {
        e->times[i] = T * (forward ? x[i] : 1 - x[i]);
        weight[i] *= forward ? T : -T;
    }
    e->times[q.n] = forward ? T : 0;
    e->apart = 1;
    lam_status status = lam_engine_solve_block(e, block, &states, forward, q.n + 1, e->times, counts);
    e->apart = 0;
    if (status != LAM_OK)
        return status;
    lam_cnf_system(e, 0, &q.system);
    for (size_t i = 0; i < q.n; i++)
        q.system.prepare(e, i, (real)e->times[i]);
    lam_engine_run(e, integrate_tile, &q);
    counts->forward += q.n;
    return LAM_OK;
}
