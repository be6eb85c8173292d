/* Trajectory polynomial regularisation (Huang and Yeh, AAAI 2021; method.md (4)). */
#ifndef LAM_PENALTY_TPR_H
#define LAM_PENALTY_TPR_H
#include "base/random.h"
#include "base/config.h"

enum { LAM_MAX_TPR_TIMES = 32 };

/* LAM_ERR_ARGUMENT unless n >= degree + 2 (the penalty would be zero) and n <= LAM_MAX_TPR_TIMES. */
lam_status lam_tpr_check(size_t n, size_t degree);

/* residual [n, n] = I - G (G'G)^-1 G' for the polynomials of degree 0..degree at n distinct times, from an orthonormal basis of
 * their span. It is symmetric and idempotent, so the gradient of |residual Y|^2 by Y is 2 residual Y.
 * Errors: as lam_tpr_check. */
lam_status lam_tpr_residual(size_t n, const double *times, size_t degree, double *residual);

/* 2 <= n <= LAM_MAX_TPR_TIMES observation times on [0, end]: both ends, and n - 2 inner ones, uniform, distinct, sorted; a
 * function of (seed, stream). */
void lam_tpr_times(uint64_t seed, uint64_t stream, size_t n, double end, double *times);

#endif
