/* The orthogonal factor of a matrix, roughly: singular values are brought near 1, singular vectors stay. */
#ifndef LAM_OPTIM_ORTHOGONAL_H
#define LAM_OPTIM_ORTHOGONAL_H
#include "base/pool.h"
#include "kernels/kernels.h"
#include "optim/names.h"

/* Newton-Schulz iteration of a quintic (Jordan et al. 2024, "Muon"): X = M / |M|_F, then five times
 *     X = a X + (b X X' + c (X X')^2) X,   a, b, c = 3.4445, -4.7750, 2.0315.
 * Singular values above 0.01 of |M|_F end between 0.6 and 1.25; the polynomial does not converge to 1, which costs nothing here.
 * Products with X X' and its square compute one triangle, since both are symmetric. */
typedef struct lam_orthogonaliser lam_orthogonaliser;

/* Workspace for matrices of at most so many numbers on the shorter and the longer side. */
lam_status lam_orthogonaliser_create(const lam_kernels *kernels, size_t most_short, size_t most_long, lam_orthogonaliser **out);
void lam_orthogonaliser_free(lam_orthogonaliser *o); /* takes NULL */
/* m [rows][cols] is replaced by its factor. pool NULL: by the calling thread alone; the bits are the same. A matrix that is zero, or nearly so (its norm below 1e-30), stays as it is. */
void lam_orthogonalise(lam_orthogonaliser *o, lam_pool *pool, size_t rows, size_t cols, real *m);

#endif
