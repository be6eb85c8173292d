/* The penalties that are integrals along the paths, each in a file of its own; loss.h takes them from a configuration. */
#ifndef LAM_PENALTY_PENALTY_H
#define LAM_PENALTY_PENALTY_H
#include "flow/integrand.h"
#include "laminar.h"

extern const lam_integrand lam_kinetic, lam_jacobian, lam_taylor[2]; /* of orders 2 and 3 */

/* Those that cfg asks for: integrand and coefficient [LAM_MAX_INTEGRANDS], in the order of engines and losses; their number. */
size_t lam_penalty_integrands(const lam_config *cfg, const lam_integrand **integrand, double *coefficient);

#endif
