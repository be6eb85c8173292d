/* -log N(z) and its cotangent. */
#include "flow/base_density.h"
#include "flow/mask.h"
#include <math.h>

#if LAM_WIDTH == 64
double lam_base_square(size_t dim, const double *z, const unsigned char *moves, size_t *moving)
{
    double square = 0;
    *moving = 0;
    for (size_t i = 0; i < dim; i++) {
        if (moves != NULL && !moves[i])
            continue;
        ++*moving;
        square += z[i] * z[i];
    }
    return square;
}

double lam_base_nll(size_t dim, const double *z, const unsigned char *moves)
{
    size_t moving;
    double square = lam_base_square(dim, z, moves, &moving);
    return 0.5 * square + LAM_HALF_LOG_2PI * (double)moving;
}

double lam_base_nll_scaled(size_t dim, const double *z, const unsigned char *moves, double scale)
{
    size_t moving;
    double square = lam_base_square(dim, z, moves, &moving);
    return 0.5 * square / (scale * scale) + (LAM_HALF_LOG_2PI + log(scale)) * (double)moving;
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
