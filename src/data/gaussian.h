/* The full-covariance Gaussian that every fit is compared with. */
#ifndef LAM_DATA_GAUSSIAN_H
#define LAM_DATA_GAUSSIAN_H
#include "laminar.h"

typedef struct lam_gaussian {
    size_t dim;
    double *mean;  /* [dim] */
    double *lower; /* [dim, dim] Cholesky factor of the covariance, row-major, above the diagonal 0 */
    double log_det;/* log |covariance| / 2, nats */
} lam_gaussian;

/* Maximum likelihood on x [n, dim]: mean and covariance over n. names [dim] (for messages) may be NULL. LAM_ERR_DATA names
 * the column that is a linear function of the ones before it. Free with lam_gaussian_clear. */
lam_status lam_gaussian_fit(const double *x, size_t n, size_t dim, char *const *names, lam_gaussian *out);
typedef struct lam_gaussian_score {
    double nll, se; /* mean of -log N(x; mean, covariance), nats, in the units of x, NaN without rows; its standard error */
    size_t fitted;  /* rows that the Gaussian was fitted to, where this function fitted it */
} lam_gaussian_score;
/* On rows x[index[i]] (index NULL: x[i]), i < n, x [.., dim]. */
lam_status lam_gaussian_nll(const lam_gaussian *gaussian, const double *x, const size_t *index, size_t n, lam_gaussian_score *score);
/* Fitted to the training rows of data, evaluated on test rows index [n] (NULL: the first n): standardised units. until: 0, or the
 * clock at which it is to be done; then it is fitted to every second, third ... training row where all would take longer. Where columns
 * are given it is the Gaussian's conditional density of the others, a linear function of what is given with a normal distribution about it
 * (LAM_ERR_DATA: these are too many inputs). each [n] or NULL gets the rows' own NLLs. */
lam_status lam_gaussian_test(const lam_dataset *data, const size_t *index, size_t n, double until, double *each, lam_gaussian_score *score);
lam_status lam_gaussian_test_given(const lam_dataset *data, const size_t *index, size_t n, double until, double *each, lam_gaussian_score *score);

/* What both are made of. Sums over rows of -log of the density of the columns from `first` on given those before, as factors of a Cholesky
 * decomposition are; the Gaussian's log_det is theirs alone. white [dim] is room. */
typedef struct lam_gaussian_sums {
    double total, mean, square;
    size_t n;
    double *each; /* NULL, or room for the NLL of every row */
} lam_gaussian_sums;
void lam_gaussian_add(lam_gaussian_sums *sums, const lam_gaussian *gaussian, size_t first, const double *row, double *white);
void lam_gaussian_end(const lam_gaussian_sums *sums, const lam_gaussian *gaussian, size_t first, lam_gaussian_score *score);
/* Fits to every step-th of the training rows. */
typedef lam_status (*lam_gaussian_fitter)(void *self, size_t step, lam_gaussian *out);
/* Of how many training rows to take one, so that it takes half the time until then (0: there is no hurry). Tried on a few. */
lam_status lam_gaussian_step(size_t rows, size_t dim, double until, lam_gaussian_fitter fitter, void *self, size_t *step);
/* The least share of a column's variance that a linear function of the others leaves unexplained, over the columns of x [n, dim], from 20,000
 * evenly spaced rows at the most, unbiased for few rows: 0 where one column is such a function, 1 where rows are too few to tell. LAM_ERR_MEMORY is the one failure. */
lam_status lam_least_unexplained(const double *x, size_t n, size_t dim, double *share);
/* The same from all training rows, by the covariance that the data set keeps. */
lam_status lam_least_unexplained_kept(const lam_dataset *data, double *share);
/* The lower triangle of a [dim, dim], row-major, becomes its Cholesky factor; what is above the diagonal is neither read nor
 * written. Returns the column whose pivot vanishes beside its variance, or dim. */
size_t lam_cholesky(double *a, size_t dim);
void lam_gaussian_clear(lam_gaussian *gaussian);

#endif
