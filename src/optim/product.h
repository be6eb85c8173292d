/* A matrix product by the kernels of the fields, for matrices of any strides. */
#ifndef LAM_OPTIM_PRODUCT_H
#define LAM_OPTIM_PRODUCT_H
#include "kernels/kernels.h"

/* Element (i, j) is at[i * down + j * right]. */
typedef struct LAM_W(lam_view) {
    real *at;
    size_t down, right;
} LAM_W(lam_view);

typedef struct LAM_W(lam_multiplier) {
    const LAM_W(lam_kernels) *kernels;
    real *packed, *tile, *out, *zeros;
} LAM_W(lam_multiplier);

/* For products A B of matrices A with sides at most `longer`, one of them at most `shorter`. */
lam_status LAM_W(lam_multiplier_create)(const LAM_W(lam_kernels) *kernels, size_t longer, size_t shorter,
    LAM_W(lam_multiplier) *out);
void LAM_W(lam_multiplier_clear)(LAM_W(lam_multiplier) *m); /* takes a zeroed one */
/* C [m][n] = A [m][k] B [k][n]; C may be B, not A. */
void LAM_W(lam_multiply)(const LAM_W(lam_multiplier) *by, size_t m, size_t k, size_t n, LAM_W(lam_view) a, LAM_W(lam_view) b,
    LAM_W(lam_view) c);

#endif
