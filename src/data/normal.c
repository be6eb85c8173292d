/* The normal distribution function and its inverse. */
#include "data/normal.h"
#include <math.h>

static const double ROOT_HALF = 0.70710678118654752440, ROOT_2_PI = 2.50662827463100050242;

double lam_normal_density(double z)
{
    return exp(-0.5 * z * z) / ROOT_2_PI;
}

/* Of p <= 1/2: a rational approximation (Hastings; Abramowitz and Stegun, 26.2.23, error below 4.5e-4), then three of Halley's steps, each of
 * which triples the digits. */
static double lower_quantile(double p)
{
    double t = sqrt(-2 * log(p));
    double z = -t + (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
    for (int i = 0; i < 3; i++) {
        double below = 0.5 * erfc(-z * ROOT_HALF), error = (below - p) / lam_normal_density(z);
        z -= error / (1 + 0.5 * z * error);
    }
    return z;
}

double lam_normal_quantile(double p)
{
    return p <= 0.5 ? lower_quantile(p) : -lower_quantile(1 - p);
}
