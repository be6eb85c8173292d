/* Points and weights of Gauss-Legendre quadrature. */
#include "ode/quadrature.h"
#include <math.h>

enum { ROUNDS = 10 }; /* Newton's method doubles the right digits a round, and starts with two of them */

/* The Legendre polynomial of degree n >= 1 at t in (-1, 1) by its recurrence, and its derivative. */
static double legendre(size_t n, double t, double *derivative)
{
    double before = 1, p = t;
    for (size_t k = 2; k <= n; k++) {
        double next = ((double)(2 * k - 1) * t * p - (double)(k - 1) * before) / (double)k;
        before = p;
        p = next;
    }
    *derivative = (double)n * (t * p - before) / (t * t - 1);
    return p;
}

void lam_gauss_legendre(size_t n, double *x, double *w)
{
    for (size_t i = 0; i < n; i++) {
        double slope, t = -cos(acos(-1.0) * ((double)i + 0.75) / ((double)n + 0.5)); /* Tricomi's estimate of the root */
        for (int round = 0; round < ROUNDS; round++)
            t -= legendre(n, t, &slope) / slope;
        legendre(n, t, &slope);
        x[i] = (1 + t) / 2;
        w[i] = 1 / ((1 - t * t) * slope * slope);
    }
}
