/* The Jacobian penalty of RNODE: the squared Frobenius norm of df/dz along the paths. */
#include "penalty/penalty.h"

/* mean_D (J e)^2, for e with unit covariance an unbiased estimate of the squared Frobenius norm of J = df/dz over D; with the exact
 * trace that norm itself (RNODE: Finlay, Jacobsen, Nurbekyan and Oberman 2020, (12), who take e'J; method.md 10). */
const lam_integrand lam_jacobian = { .name = "jacobian", .of = LAM_SQUARE_TANGENTS, .factor = 1 };

static double coefficient(const lam_config *cfg)
{
    return cfg->jacobian_coefficient;
}

static const lam_integrand *integrand(const lam_config *cfg)
{
    (void)cfg;
    return &lam_jacobian;
}

const lam_integral_penalty lam_jacobian_penalty = { coefficient, integrand };
