/* The integral of a model's density, which must be 1. */
#ifndef LAM_MODEL_MASS_H
#define LAM_MODEL_MASS_H
#include "model/pass.h"

enum { LAM_MASS_ROWS = 60000 }; /* about what the integral evaluates, for progress */

/* Integral of exp(log p) in standardised units over the plane (or the line), for models of 1 or 2 columns: adaptive cubature
 * over the box that the base's disc of radius 4.5 (mass 1 - 4e-5) is carried to, refined until halving the cells that are
 * left changes it by less than 2e-3, or 200000 evaluations are spent. */
lam_status lam_mass(const lam_pass *pass, double *mass);

#endif
