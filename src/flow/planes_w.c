/* Copies rows to a tile's planes and back. */
#include "flow/planes.h"

void lam_planes_from_rows(const lam_batch *batch, size_t tile, size_t dim, const double *x, const size_t *index, real *planes)
{
    size_t rows = lam_batch_tile_rows(batch, tile);
    for (size_t r = 0; r < rows; r++) {
        size_t row = tile * LAM_TILE + r;
        const double *from = x + (index != NULL ? index[row] : row) * dim;
        for (size_t i = 0; i < dim; i++)
            planes[i * LAM_TILE + r] = (real)from[i];
    }
}

void lam_planes_to_rows(const lam_batch *batch, size_t tile, size_t dim, const real *planes, size_t stride, double *rows)
{
    size_t n = lam_batch_tile_rows(batch, tile);
    for (size_t r = 0; r < n; r++) {
        double *to = rows + (tile * LAM_TILE + r) * stride;
        for (size_t i = 0; i < dim; i++)
            to[i] = (double)planes[i * LAM_TILE + r];
    }
}
