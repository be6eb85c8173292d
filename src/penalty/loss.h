/* The training loss: negative log-density and penalties on the trajectories, and its gradient (method.md (5), 6). */
#ifndef LAM_PENALTY_LOSS_H
#define LAM_PENALTY_LOSS_H
#include "flow/engine.h"
#include "penalty/names.h"
#include "penalty/penalty.h"

typedef struct lam_loss {
    double loss, nll; /* nats, standardised units */
    lam_terms terms;  /* the penalties, by name; loss = nll + sum of coefficient * value */
    lam_counts counts;
} lam_loss;

/* What an engine must be made with for the penalties of cfg: fills max_observations, integrand, integrands and l_observed. */
void lam_penalty_options(const lam_config *cfg, lam_engine_options *options);
/* What its calls in iteration `stream` take. */
lam_penalty lam_penalty_of(const lam_config *cfg, uint64_t stream);
/* All coefficients times scale. */
void lam_penalty_scale(lam_penalty *penalty, double scale);

/* Loss (5) over a batch, and its gradient by the parameters, grad [layout->parameters] (NULL: none wanted) and by the rows,
 * grad_x [rows, dim] (may be NULL). */
lam_status lam_engine_loss(lam_engine *engine, const lam_flow_call *call, const lam_penalty *penalty, real *grad, double *grad_x,
    lam_loss *loss);

/* The two halves of such a step, for a loss of the caller's own around the flow. Forward: the call's rows through all
 * blocks to z [rows, dim] and l [rows] (the integral of -trace: the log-determinant is -l); loss receives what the penalties come
 * to and their weighted sum, its NLL is 0, its counts are added to. Row parameters: lam_engine_amortise. Errors: as
 * lam_engine_loss; LAM_ERR_ARGUMENT with step control by tile. */
lam_status lam_engine_forward(lam_engine *engine, const lam_flow_call *call, const lam_penalty *penalty, double *z, double *l,
    lam_loss *loss);
/* Where a reverse puts its gradient. */
typedef struct lam_flow_gradient {
    real *grad;        /* [layout->parameters], set */
    double *g_z0;      /* [rows, dim], set; NULL: not wanted */
    real *const *g_am; /* [blocks] of [tiles][row_parameters][TILE]; lanes past the rows become zero as far as vectors reach and are not
                          touched beyond. NULL: not wanted */
} lam_flow_gradient;
/* Reverse, after a forward by the same engine, with the call's solve, its parameters, penalty and row parameters still as they were: of
 *     sum over rows of (g_z . z + g_l l) + the penalties, weighted,
 * g_z [rows, dim], g_l the same for every row. May be called again, with other cotangents. */
lam_status lam_engine_reverse(lam_engine *engine, const lam_flow_call *call, const lam_penalty *penalty, const double *g_z, double g_l,
    const lam_flow_gradient *to, lam_counts *counts);

#endif
