/* A batch cut into tiles, and tiles into groups. Rows are cut by the batch alone, never by the number of threads: what is summed
 * over rows is summed per tile in tile order, or (gradients) per group and then by a tree whose shape depends on the number of groups
 * alone, so the bits do not depend on threads. */
#ifndef LAM_BASE_BATCH_H
#define LAM_BASE_BATCH_H
#include "base/pool.h"

enum { LAM_TILE_ROWS = 64 }; /* LAM_TILE where planes are meant (kernels/kernels.h) */

typedef struct lam_batch {
    lam_pool *pool;
    size_t rows, tiles, groups;
    size_t lanes; /* of the kernels in use */
} lam_batch;

static inline size_t lam_batch_tile_rows(const lam_batch *b, size_t tile)
{
    size_t left = b->rows - tile * LAM_TILE_ROWS;
    return left < LAM_TILE_ROWS ? left : LAM_TILE_ROWS;
}

static inline size_t lam_batch_vectors(const lam_batch *b, size_t tile)
{
    return (lam_batch_tile_rows(b, tile) + b->lanes - 1) / b->lanes;
}

static inline size_t lam_batch_first_tile(const lam_batch *b, size_t group)
{
    return group * b->tiles / b->groups;
}

#endif
