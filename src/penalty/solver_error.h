/* A penalty on the solver's own error (after Pal, Ma, Shah and Rackauckas 2021, "Opening the blackbox", (8); method.md 10): over the accepted
 * steps of every block, the sum of
 *     mean_D (e_z / s)^2 + w (e_l / s)^2,   a mean over rows,   s = atol + rtol max(|y0|, |y1|)
 * e being the embedded error estimate that the controller looks at and s, like the steps' lengths, held constant by the reverse. */
#ifndef LAM_PENALTY_SOLVER_ERROR_H
#define LAM_PENALTY_SOLVER_ERROR_H
#include "flow/engine.h"
#include "penalty/names.h"
#include "penalty/penalty.h"

/* LAM_ERR_ARGUMENT for an engine that was not made for it. */
lam_status lam_solver_error_check(const lam_engine *engine, const lam_penalty *penalty);
/* What the block that was just solved adds to the penalty's value. */
double lam_solver_error_value(const lam_engine *engine, size_t block, const lam_penalty *penalty);
/* Prepares the block's path for its reverse. */
void lam_solver_error_cotangents(lam_engine *engine, size_t block, const lam_penalty *penalty);

#endif
