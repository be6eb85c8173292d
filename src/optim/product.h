/* A matrix product by the kernels of the fields, for matrices of any strides. */
#ifndef LAM_OPTIM_PRODUCT_H
#define LAM_OPTIM_PRODUCT_H
#include "kernels/kernels.h"
#include "optim/names.h"

/* Element (i, j) is at[i * down + j * right]. */
typedef struct lam_view {
    real *at;
    size_t down, right;
} lam_view;

typedef struct lam_multiplier {
    const lam_kernels *kernels;
    real *packed, *tile, *out, *zeros;
} lam_multiplier;

/* For products A B of matrices A with sides at most `longer`, one of them at most `shorter`. */
lam_status lam_multiplier_create(const lam_kernels *kernels, size_t longer, size_t shorter, lam_multiplier *out);
void lam_multiplier_clear(lam_multiplier *m); /* takes a zeroed one */
/* C [m][n] = A [m][k] B [k][n]; C may be B, not A. */
void lam_multiply(const lam_multiplier *by, size_t m, size_t k, size_t n, lam_view a, lam_view b, lam_view c);

#endif
