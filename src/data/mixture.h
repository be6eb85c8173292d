/* A mixture of Gaussians, each with a mean and a full covariance of its own: what every fit is compared with, beside the single
 * Gaussian of data/gaussian.h. In double; the same bits for any number of threads, on one instruction set. */
#ifndef LAM_DATA_MIXTURE_H
#define LAM_DATA_MIXTURE_H
#include "base/pool.h"
#include "data/gaussian.h"
#include "laminar.h"

/* All but the first three lines is in units of z = (x - center) / scale. */
typedef struct lam_mixture {
    size_t dim, components;
    double *center, *scale; /* [dim] mean and standard deviation of the rows it was fitted to */
    double log_scale;       /* sum log scale, nats */
    double *weight;         /* [components], of sum 1 */
    double *mean;           /* [components, dim] */
    double *lower;          /* [components, dim, dim] Cholesky factors of the covariances, row-major, 0 above the diagonal */
    double *whiten;         /* [components, dim, dim] their inverses */
} lam_mixture;

typedef struct lam_mixture_options {
    size_t components;   /* 1 at the least */
    double ridge;        /* variance added to every covariance's diagonal in each iteration, units of z */
    size_t iterations;   /* of EM, at the most */
    double tolerance;    /* an iteration that gains less ends it; nats per row */
    uint64_t seed;       /* of the start */
    const char *isa;     /* as lam_config's */
    lam_pool *pool;
    double *objective;   /* [iterations] what the iterations find (see lam_mixture_fit), NaN behind the last; or NULL */
} lam_mixture_options;

/* EM (Dempster, Laird and Rubin 1977) from k-means++ (Arthur and Vassilvitskii 2007), on x [n, dim], row-major. With a ridge r
 * it climbs, never to fall, the mean of log sum_k w_k N(z; m_k, C_k) exp(-r tr(C_k^-1) / 2), a lower bound on the mean of log p
 * over z with Gaussian noise of variance r: no component can close in on rows that share a value. LAM_ERR_DATA: a column is
 * constant; LAM_ERR_ARGUMENT: fewer rows than components. Free with lam_mixture_clear. */
lam_status lam_mixture_fit(const double *x, size_t n, size_t dim, const lam_mixture_options *options, lam_mixture *out);
/* On rows x[index[i]] (index NULL: x[i]), i < n, x [.., dim], in the units of x; the ridge plays no part. each [n] or NULL gets the
 * rows' own NLLs. fitted stays 0. */
lam_status lam_mixture_nll(const lam_mixture *mixture, const char *isa, lam_pool *pool, const double *x, const size_t *index, size_t n,
    double *each, lam_gaussian_score *score);
void lam_mixture_clear(lam_mixture *mixture); /* takes a zeroed one */

/* How good a mixture of a data set's standardised rows is. */
typedef struct lam_mixture_choice {
    size_t components; /* 0: none was fitted, and the rest is NaN */
    int out_of_time;   /* 1: since there was no time for one */
    double valid_nll;
    lam_gaussian_score test;
} lam_mixture_choice;

/* Fits mixtures of 2, 4, 8, 16 and 20 components, as many as there are 3 (dim + 1) rows for each, to the training rows (at most
 * 20000, evenly spaced) until two in a row were no better on validation rows (likewise); the best is evaluated on test rows
 * index [n_test] (NULL: the first n_test). None where there are fewer than 100 training rows, no validation rows, or more than 200
 * columns. until: 0, or the clock at which it is to be done: then sizes that would take longer are not tried, and there may be none;
 * without it the result depends on data and isa alone. A processor second or two for 10 columns, ten or twenty for 60, however
 * many the rows. each [n_test] or NULL gets the test rows' own NLLs. */
lam_status lam_mixture_choose(const lam_dataset *data, const size_t *index, size_t n_test, const char *isa, lam_pool *pool,
    double until, double *each, lam_mixture_choice *out);

#endif
