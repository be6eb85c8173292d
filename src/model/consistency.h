/* Agreement of the densities of a model of any columns given any others. */
#ifndef LAM_MODEL_CONSISTENCY_H
#define LAM_MODEL_CONSISTENCY_H
#include "model/pass.h"

/* *rms of log p(a) + log p(b | a) - log p(a, b) over the rows x [n, dim] in pass->units, each cut into a and b by chance; NaN if none has two cells. */
lam_status lam_consistency(const lam_pass *pass, const double *x, size_t n, uint64_t seed, double *rms);

#endif
