/* Between rows of the caller, in double, and the planes of a tile. */
#ifndef LAM_FLOW_PLANES_H
#define LAM_FLOW_PLANES_H
#include "flow/names.h"
#include "kernels/kernels.h"

/* The tile's rows x[index[i]] (index NULL: x[i]) of x [.., dim] into planes [dim][TILE]. Lanes past the batch are left as they are. */
void lam_planes_from_rows(const lam_batch *batch, size_t tile, size_t dim, const double *x, const size_t *index, real *planes);
/* planes [dim][TILE] of the tile into rows [.., stride] of the batch, from the first column on. */
void lam_planes_to_rows(const lam_batch *batch, size_t tile, size_t dim, const real *planes, size_t stride, double *rows);

#endif
