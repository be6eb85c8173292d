/* The kinetic penalty of RNODE: half the squared speed along the paths. */
#include "penalty/penalty.h"

/* 1/2 mean_D f^2: half the squared speed, small on straight paths that take their time (RNODE: Finlay, Jacobsen, Nurbekyan and
 * Oberman 2020, (10); method.md 10). */
const lam_integrand lam_kinetic = { .name = "kinetic", .of = LAM_SQUARE_F, .factor = 0.5 };

LAM_INTEGRAL(kinetic) = { .integrand = &lam_kinetic };
