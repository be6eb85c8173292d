/* Quadrature of an integral along a solve, apart from its steps. */
#ifndef LAM_ODE_QUADRATURE_H
#define LAM_ODE_QUADRATURE_H
#include <stddef.h>

enum { LAM_MAX_POINTS = 16 };

/* Gauss-Legendre quadrature on (0, 1), 1 <= n <= LAM_MAX_POINTS: points x [n], ascending, and weights w [n], whose sum is 1, to rounding.
 * Polynomials up to degree 2 n - 1 are integrated exactly. */
void lam_gauss_legendre(size_t n, double *x, double *w);

#endif
