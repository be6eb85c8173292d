/* A large linear map of features to rows in the lanes: what reads a flow's row-wise parameters from an encoder's features
 * (method.md 9). For Caltech silhouettes 256 -> 86,000, for MNIST 256 -> 272,000 a block: the weights pass through the core's
 * cache once forward and once backward, a slice of outputs at a time, whatever the number of tiles.
 *
 * a [tiles][out][TILE] = W x + b for x [tiles][in][TILE], of this rank's tiles; params are W [out, in] row-major, then b [out].
 */
#ifndef LAM_VAE_LINEAR_H
#define LAM_VAE_LINEAR_H
#include "base/batch.h"
#include "kernels/kernels.h"
#include "vae/names.h"

typedef struct lam_linear lam_linear;

/* For batches of up to so many tiles and groups; kernels and pool must outlive it. A map without outputs (out 0) does nothing, and costs nothing. */
lam_status lam_linear_create(const lam_kernels *kernels, const lam_batch *most, size_t in, size_t out, lam_linear **out_map);
void lam_linear_free(lam_linear *map); /* takes NULL */

void lam_linear_forward(lam_linear *map, const lam_batch *batch, const real *params, const real *x, real *a);
/* g_a are the cotangents of a: part[group] [out * in + out] receives those of params (overwritten), for each group that is left on this rank
 * (lam_sums_is_left), on one rank 0 alone; g_x [tiles][in][TILE] is added to. */
void lam_linear_reverse(lam_linear *map, const lam_batch *batch, const real *params, const real *x, const real *g_a, real *const *part,
    real *g_x);

#endif
