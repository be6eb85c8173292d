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

/* The same with a step size for every tile, which lam_engine_loss hands over to: tiles are small batches of their own. */
lam_status LAM_W(lam_tiles_loss)(LAM_W(lam_engine) *engine, const real *params, const double *x, const size_t *index,
    size_t rows, const lam_flow_solve *solve, const lam_noise *noise, const lam_penalty *penalty, real *grad, double *grad_x,
    lam_loss *loss);

#endif
