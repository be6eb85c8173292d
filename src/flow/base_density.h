/* The base density N at the end of the chain: independent standard normals in the columns that move (method.md (3)). */
#ifndef LAM_FLOW_BASE_DENSITY_H
#define LAM_FLOW_BASE_DENSITY_H
#include "flow/engine.h"
#include "flow/names.h"

#define LAM_HALF_LOG_2PI 0.91893853320467274178 /* log(2 pi) / 2 */

/* -log N of a row z [dim], nats; moves [dim] 1: the column moves; NULL: all do. */
double lam_base_nll(size_t dim, const double *z, const unsigned char *moves);
/* The sum of squares of what moves, and how many columns do. */
double lam_base_square(size_t dim, const double *z, const unsigned char *moves, size_t *moving);
/* -log N(z; 0, scale^2 I). */
double lam_base_nll_scaled(size_t dim, const double *z, const unsigned char *moves, double scale);

/* The sum of that over the rows of a tile of the batch, z [dim][TILE]; g [dim][TILE] (NULL: not wanted), 0 on entry, receives the
 * cotangents of the mean over the batch's rows: z / rows. */
double lam_base_tile(const lam_engine *e, size_t tile, const real *z, real *g);

#endif
