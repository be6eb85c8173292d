/* What fitting a mixture is made of: the start, passes over the rows, new components from their sums. */
#ifndef LAM_DATA_MIXTURE_INSIDE_H
#define LAM_DATA_MIXTURE_INSIDE_H
#include "data/mixture.h"

typedef enum lam_mixture_want {
    LAM_MIXTURE_DENSITY, /* log p alone */
    LAM_MIXTURE_SOFT,    /* and sums, each row shared by the components as they explain it */
    LAM_MIXTURE_HARD,    /* and sums, each row given to the component of the highest density */
} lam_mixture_want;

typedef struct lam_mixture_pass lam_mixture_pass;

/* Room for passes of mixture, whose numbers may change between them; its sizes may not. */
lam_status lam_mixture_pass_create(const lam_mixture *mixture, const char *isa, lam_pool *pool, lam_mixture_pass **out);
void lam_mixture_pass_free(lam_mixture_pass *pass); /* takes NULL */

/* Mean over rows x[index[i]] (index NULL: x[i]), i < n, x [.., dim], of log sum_k w_k N(z; m_k, C_k) exp(-ridge tr(C_k^-1) / 2),
 * units of z; of LAM_MIXTURE_HARD, of the largest term alone. each [n], or NULL, gets what this is the mean of. */
double lam_mixture_pass_run(lam_mixture_pass *pass, const double *x, const size_t *index, size_t n, lam_mixture_want want,
    double ridge, double *each);

/* Of the last pass with sums, component k. With y = whiten (z - mean) and r a row's share: sum of r (returned), of r y into first
 * [dim], of r y y' into second [dim, dim]. */
double lam_mixture_pass_sums(const lam_mixture_pass *pass, size_t k, double *first, double *second);

/* covariance [dim, dim] becomes component k's: its lower triangle is read, and overwritten. 0, and nothing is changed, where it is
 * singular. */
int lam_mixture_set_covariance(lam_mixture *mixture, size_t k, double *covariance);

/* Components to climb from: k-means++, some rounds of k-means, and of each cluster weight, mean and covariance, drawn towards
 * what all clusters have in common as if by dim + 1 rows of that. center and scale of mixture are there; pass is one of mixture. */
lam_status lam_mixture_start(const double *x, size_t n, const lam_mixture_options *options, lam_mixture_pass *pass,
    lam_mixture *mixture);

#endif
