/* Means with their standard errors, and sums of densities that are known by their logarithms. */
#ifndef LAM_BASE_STATS_H
#define LAM_BASE_STATS_H
#include <math.h>
#include <stddef.h>

/* Values one after the other: how many, their mean, and the sum of squares about it (Welford 1962). Zeroed at the start. */
typedef struct lam_running {
    size_t n;
    double mean, square;
} lam_running;

static inline void lam_running_add(lam_running *r, double value)
{
    double step = value - r->mean;
    r->mean += step / (double)++r->n;
    r->square += step * (value - r->mean);
}

/* Of the mean; NaN of one value or none. */
static inline double lam_running_se(const lam_running *r)
{
    return r->n > 1 ? sqrt(r->square / (double)(r->n - 1) / (double)r->n) : (double)NAN;
}

/* log(exp(a) + exp(b)) */
static inline double lam_log_of_sum(double a, double b)
{
    return fmax(a, b) + log1p(exp(-fabs(a - b)));
}

#endif
