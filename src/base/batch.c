/* Which groups of a batch are whose. */
#include "base/batch.h"
#include <string.h>

lam_range lam_batch_groups(const lam_batch *b, size_t rank)
{
    size_t ranks = b->comm != NULL ? b->comm->size : 1;
    return (lam_range) { (rank * b->groups + ranks - 1) / ranks, ((rank + 1) * b->groups + ranks - 1) / ranks };
}

lam_range lam_batch_own_groups(const lam_batch *b)
{
    return lam_batch_groups(b, b->comm != NULL ? b->comm->rank : 0);
}

static lam_range tiles_of(const lam_batch *b, size_t rank)
{
    lam_range groups = lam_batch_groups(b, rank);
    return (lam_range) { lam_batch_first_tile(b, groups.first), lam_batch_first_tile(b, groups.end) };
}

static lam_range rows_of(const lam_batch *b, size_t rank)
{
    lam_range tiles = tiles_of(b, rank);
    return (lam_range) { lam_batch_first_row(b, tiles.first), lam_batch_first_row(b, tiles.end) };
}

lam_range lam_batch_group_tiles(const lam_batch *b, size_t group)
{
    return (lam_range) { lam_batch_first_tile(b, group), lam_batch_first_tile(b, group + 1) };
}

lam_range lam_batch_group_rows(const lam_batch *b, size_t group)
{
    lam_range tiles = lam_batch_group_tiles(b, group);
    return (lam_range) { lam_batch_first_row(b, tiles.first), lam_batch_first_row(b, tiles.end) };
}

lam_range lam_batch_own_tiles(const lam_batch *b)
{
    return tiles_of(b, b->comm != NULL ? b->comm->rank : 0);
}

lam_range lam_batch_own_rows(const lam_batch *b)
{
    return rows_of(b, b->comm != NULL ? b->comm->rank : 0);
}

typedef struct region {
    lam_pool_fn fn;
    void *arg;
    size_t first;
} region;

static void run_item(void *arg, size_t item, size_t thread)
{
    const region *r = arg;
    r->fn(r->arg, r->first + item, thread);
}

void lam_batch_run(const lam_batch *b, lam_pool_fn fn, void *arg)
{
    lam_range own = lam_batch_own_groups(b);
    region r = { fn, arg, own.first };
    if (!lam_comm_is_several(b->comm))
        lam_pool_run(b->pool, b->groups, fn, arg);
    else if (own.end > own.first)
        lam_pool_run(b->pool, own.end - own.first, run_item, &r);
}

void lam_batch_copy(const lam_batch *b, size_t bytes, const void *from, void *to)
{
    lam_range own = lam_batch_own_tiles(b);
    memcpy((char *)to + own.first * bytes, (const char *)from + own.first * bytes, (own.end - own.first) * bytes);
}

static void share(const lam_batch *b, void *data, size_t bytes, lam_range (*range_of)(const lam_batch *b, size_t rank))
{
    const lam_comm *comm = b->comm;
    if (!lam_comm_is_several(comm))
        return;
    for (size_t r = 0; r < comm->size; r++) {
        lam_range of = range_of(b, r);
        comm->at[r] = of.first * bytes;
        comm->bytes[r] = (of.end - of.first) * bytes;
    }
    comm->exchange(comm->self, data, comm->at, comm->bytes);
}

void lam_batch_share_tiles(const lam_batch *b, void *data, size_t bytes)
{
    share(b, data, bytes, tiles_of);
}

void lam_batch_share_rows(const lam_batch *b, void *data, size_t bytes)
{
    share(b, data, bytes, rows_of);
}
