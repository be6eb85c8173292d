/* -log N(z) and its cotangent. */
#include "flow/base_density.h"
#include "flow/mask.h"

#if LAM_WIDTH == 64
double lam_base_nll(size_t dim, const double *z, const unsigned char *moves)
{
    double square = 0;
    size_t moving = 0;
    for (size_t i = 0; i < dim; i++) {
        if (moves != NULL && !moves[i])
            continue;
        moving++;
        square += z[i] * z[i];
    }
    return 0.5 * square + LAM_HALF_LOG_2PI * (double)moving;
}
#endif

double lam_base_tile(const lam_engine *e, size_t tile, const real *z, real *g)
{
    const real *mask = lam_mask_of(e, tile);
    double sum = 0;
    for (size_t i = 0; i < e->dim; i++)
        for (size_t r = 0; r < lam_batch_tile_rows(&e->batch, tile); r++) {
            double column = (double)z[i * LAM_TILE + r];
            sum += 0.5 * column * column + (mask == NULL || mask[i * LAM_TILE + r] != 0 ? LAM_HALF_LOG_2PI : 0);
            if (g != NULL)
                g[i * LAM_TILE + r] = (real)(column / (double)e->batch.rows);
        }
    return sum;
}
