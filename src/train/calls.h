/* The coefficient of the penalties as a dual variable: with cfg's `calls` above 0 it follows the evaluations of f that a solve takes, up
 * while there are more than asked for, down while there are fewer (method.md 10). */
#ifndef LAM_TRAIN_CALLS_H
#define LAM_TRAIN_CALLS_H
#include "base/config.h"
#include "laminar.h"

/* log_scale: of the penalties' coefficients, 0 at the start of a fit; moved on by what an iteration took. cfg->calls is above 0. Returns 1
 * if it comes to its upper bound by that, so that the user is told, else 0. */
int lam_calls_follow(const lam_config *cfg, const lam_counts *counts, double *log_scale);

#endif
