/* The training loss: negative log-density and penalties on the trajectories, and its gradient (method.md (5), 6). */
#ifndef LAM_PENALTY_LOSS_H
#define LAM_PENALTY_LOSS_H
#include "flow/engine.h"

typedef struct lam_penalty {
    double tpr_coefficient;
    size_t tpr_times, tpr_degree; /* times 0: TPR is off */
    uint64_t seed, stream;        /* of the observation times */
    const double *given_times;    /* [tpr_times] on [0, 1], instead of draws; NULL */
} lam_penalty;

typedef struct lam_loss {
    double loss, nll, tpr; /* nats, standardised units; tpr summed over blocks, without its coefficient */
    lam_counts counts;
} lam_loss;

/* Loss (5) over a batch, and its gradient by the parameters, grad [layout->parameters] (NULL: none wanted) and by the rows,
 * grad_x [rows, dim] (may be NULL). */
lam_status LAM_W(lam_engine_loss)(LAM_W(lam_engine) *engine, const real *params, const double *x, const size_t *index,
    size_t rows, const lam_flow_solve *solve, const lam_noise *noise, const lam_penalty *penalty, real *grad, double *grad_x,
    lam_loss *loss);

/* The two halves of such a step, for a loss of the caller's own around the flow. Forward: from z0 [rows, dim] through all
 * blocks to z [rows, dim] and l [rows] (the integral of -trace: the log-determinant is -l); tpr [1] is (4) summed over blocks, 0
 * without; counts is added to. Row parameters: lam_engine_amortise. Errors: as lam_engine_loss; not to be had with step
 * control by tile. */
lam_status LAM_W(lam_engine_forward)(LAM_W(lam_engine) *engine, const real *params, const double *z0, size_t rows,
    const lam_flow_solve *solve, const lam_noise *noise, const lam_penalty *penalty, double *z, double *l, double *tpr,
    lam_counts *counts);
/* Reverse, after a forward by the same engine, with its solve, penalty, params and row parameters still as they were: of
 *     sum over rows of (g_z . z + g_l l) + tpr_coefficient * tpr,
 * g_z [rows, dim], g_l the same for every row. grad [layout->parameters] is set; g_z0 [rows, dim] (NULL: not wanted) too, and
 * g_am [blocks] of [tiles][row_parameters][TILE] (NULL: not wanted), whose lanes past the rows become zero as far as vectors
 * reach and are not touched beyond. May be called again, with other cotangents. */
lam_status LAM_W(lam_engine_reverse)(LAM_W(lam_engine) *engine, const lam_flow_solve *solve, const lam_penalty *penalty,
    const double *g_z, double g_l, real *grad, double *g_z0, real *const *g_am, lam_counts *counts);

/* The same with a step size for every tile, which lam_engine_loss hands over to: tiles are small batches of their own. */
lam_status LAM_W(lam_tiles_loss)(LAM_W(lam_engine) *engine, const real *params, const double *x, const size_t *index,
    size_t rows, const lam_flow_solve *solve, const lam_noise *noise, const lam_penalty *penalty, real *grad, double *grad_x,
    lam_loss *loss);

#endif
