/* The Jacobian penalty of RNODE: the squared Frobenius norm of df/dz along the paths. */
#include "penalty/penalty.h"

/* mean_D (J e)^2, for e with unit covariance an unbiased estimate of the squared Frobenius norm of J = df/dz over D; with the exact
 * trace that norm itself (RNODE: Finlay, Jacobsen, Nurbekyan and Oberman 2020, (12), who take e'J; method.md 10). */
const lam_integrand lam_jacobian = { .name = "jacobian", .of = LAM_SQUARE_TANGENTS, .factor = 1 };

LAM_INTEGRAL(jacobian) = { .integrand = &lam_jacobian };
