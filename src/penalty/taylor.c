/* TayNODE: the squared K-th derivative of the paths by time. */
#include "penalty/penalty.h"

/* mean_D (d^K z/dt^K)^2 for K = 2 and 3, total derivatives along the path: 0 on paths that are polynomials of degree K - 1 (TayNODE:
 * Kelly, Bettencourt, Johnson and Duvenaud 2020, (1); method.md 10). The first is f_1, the second 2 f_2. */
const lam_integrand lam_taylor[2] = { { .name = "taylor", .of = LAM_SQUARE_F_1, .factor = 1 },
    { .name = "taylor", .of = LAM_SQUARE_F_2, .factor = 4 } };

static const lam_integrand *choose(const lam_config *cfg)
{
    return &lam_taylor[cfg->taylor_order == 3];
}

LAM_INTEGRAL(taylor) = { .choose = choose };
