/* A batch cut into tiles, and tiles into groups. Rows are cut by the batch alone, never by the number of threads or of ranks: what is
 * summed over rows is summed per tile in tile order, or (gradients) per group and then by a tree whose shape depends on the number of groups
 * alone, so the bits do not depend on either. A rank has a range of groups and the tiles in them; all numbers of rows, tiles and groups are
 * the batch's. */
#ifndef LAM_BASE_BATCH_H
#define LAM_BASE_BATCH_H
#include "base/comm.h"
#include "base/pool.h"

enum { LAM_TILE_ROWS = 64 }; /* LAM_TILE where planes are meant (kernels/kernels.h) */

typedef struct lam_batch {
    lam_pool *pool;
    const lam_comm *comm; /* NULL: all groups are this process's */
    size_t rows, tiles, groups;
    size_t tile_rows; /* of every tile but the last; 0: LAM_TILE_ROWS, as planes have it */
    size_t lanes; /* of the kernels in use */
} lam_batch;

static inline size_t lam_batch_first_row(const lam_batch *b, size_t tile)
{
    size_t first = tile * (b->tile_rows > 0 ? b->tile_rows : LAM_TILE_ROWS);
    return first < b->rows ? first : b->rows;
}

static inline size_t lam_batch_tile_rows(const lam_batch *b, size_t tile)
{
    return lam_batch_first_row(b, tile + 1) - lam_batch_first_row(b, tile);
}

static inline size_t lam_batch_vectors(const lam_batch *b, size_t tile)
{
    return (lam_batch_tile_rows(b, tile) + b->lanes - 1) / b->lanes;
}

static inline size_t lam_batch_first_tile(const lam_batch *b, size_t group)
{
    return group * b->tiles / b->groups;
}

/* The range [first, end) of groups, of tiles or of rows that is this rank's. Of ranks without a group the range is empty; rank 0 has one. */
typedef struct lam_range {
    size_t first, end;
} lam_range;
lam_range lam_batch_groups(const lam_batch *batch, size_t rank);
lam_range lam_batch_own_groups(const lam_batch *batch);
lam_range lam_batch_own_tiles(const lam_batch *batch);
lam_range lam_batch_own_rows(const lam_batch *batch);
/* The tiles of a group, or its rows. */
lam_range lam_batch_group_tiles(const lam_batch *batch, size_t group);
lam_range lam_batch_group_rows(const lam_batch *batch, size_t group);

/* lam_pool_run over this rank's groups. */
void lam_batch_run(const lam_batch *batch, lam_pool_fn fn, void *arg);
/* Copies this rank's tiles of so many bytes each, from [tiles][bytes] to [tiles][bytes]. */
void lam_batch_copy(const lam_batch *batch, size_t bytes, const void *from, void *to);
/* Each rank's tiles of data [tiles][bytes], or rows of data [rows][bytes], go to all others. */
void lam_batch_share_tiles(const lam_batch *batch, void *data, size_t bytes);
void lam_batch_share_rows(const lam_batch *batch, void *data, size_t bytes);

#endif
