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
/* Mean of -log N(x; mean, covariance) over x [n, dim], nats, in the units of x. NaN for n = 0. */
lam_status lam_gaussian_nll(const lam_gaussian *gaussian, const double *x, size_t n, double *nll);
/* Fitted to the training rows of data, evaluated on a part: standardised units. */
lam_status lam_gaussian_dataset_nll(const lam_dataset *data, lam_part part, double *nll);
void lam_gaussian_clear(lam_gaussian *gaussian);

#endif
