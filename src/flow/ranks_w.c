/* Exchanges numbers and gradients with other ranks, in few messages. */
#include "flow/ranks.h"
#include "base/mem.h"
#include "flow/context.h"
#include "flow/sums.h"
#include <string.h>

/* A number that is under way. */
typedef struct number {
    double factor, divisor, *to;
} number;

struct lam_ranks {
    number *number;
    size_t numbers, room;
    double *tile;   /* [tiles][room] their tiles, one beside the other */
    size_t reals;   /* of a gradient's message: every block's sums, and the context's */
    real **kept;    /* [groups] such messages, of groups that this rank has not added to others; made when they are first needed */
    size_t groups;
    real *whole;    /* the sum */
};

lam_status lam_ranks_create(lam_engine *e, size_t numbers)
{
    if (!lam_comm_is_several(e->batch.comm))
        return LAM_OK;
    struct lam_ranks *r = e->ranks = lam_alloc(1, sizeof *r);
    if (r == NULL)
        return LAM_ERR_MEMORY;
    r->room = numbers;
    r->reals = e->layout->blocks * e->field.sum_size + lam_context_sum_size(e);
    r->groups = e->batch.groups;
    r->number = lam_alloc(numbers, sizeof *r->number);
    r->tile = lam_alloc(numbers * e->batch.tiles, sizeof *r->tile);
    r->kept = lam_alloc(r->groups, sizeof *r->kept);
    r->whole = e->options.gradients ? lam_alloc(r->reals, sizeof *r->whole) : NULL;
    int ok = r->number != NULL && r->tile != NULL && r->kept != NULL && (r->whole != NULL || !e->options.gradients);
    return ok ? LAM_OK : LAM_ERR_MEMORY;
}

void lam_ranks_free(lam_engine *e)
{
    struct lam_ranks *r = e->ranks;
    if (r == NULL)
        return;
    for (size_t g = 0; r->kept != NULL && g < r->groups; g++)
        lam_free(r->kept[g]);
    lam_free(r->kept);
    lam_free(r->number);
    lam_free(r->tile);
    lam_free(r->whole);
    lam_free(r);
}

void lam_ranks_forget(lam_engine *e)
{
    if (e->ranks != NULL)
        e->ranks->numbers = 0;
}

/* ---- numbers ------------------------------------------------------------------------------------------------------ */

void lam_ranks_add(lam_engine *e, double factor, double divisor, double *to)
{
    struct lam_ranks *r = e->ranks;
    if (r == NULL) {
        double sum = 0;
        for (size_t i = 0; i < e->batch.tiles; i++)
            sum += e->tile_sum[i];
        *to += factor * sum / divisor;
        return;
    }
    if (r->numbers == r->room)
        lam_ranks_settle(e);
    lam_range own = lam_batch_own_tiles(&e->batch);
    for (size_t i = own.first; i < own.end; i++)
        r->tile[i * r->room + r->numbers] = e->tile_sum[i];
    r->number[r->numbers++] = (number) { factor, divisor, to };
}

/* The tiles move together where there is room for more numbers than there are. */
static void pack(struct lam_ranks *r, size_t tiles)
{
    for (size_t i = 1; i < tiles && r->numbers < r->room; i++)
        memmove(r->tile + i * r->numbers, r->tile + i * r->room, r->numbers * sizeof *r->tile);
}

void lam_ranks_settle(lam_engine *e)
{
    struct lam_ranks *r = e->ranks;
    if (r == NULL || r->numbers == 0)
        return;
    pack(r, e->batch.tiles);
    lam_batch_share_tiles(&e->batch, r->tile, r->numbers * sizeof *r->tile);
    for (size_t k = 0; k < r->numbers; k++) {
        double sum = 0;
        for (size_t i = 0; i < e->batch.tiles; i++)
            sum += r->tile[i * r->numbers + k];
        *r->number[k].to += r->number[k].factor * sum / r->number[k].divisor;
    }
    r->numbers = 0;
}

/* ---- gradients ---------------------------------------------------------------------------------------------------- */

lam_status lam_ranks_collect(lam_engine *e, real *const *sums, size_t at, size_t n, const real **sum)
{
    struct lam_ranks *r = e->ranks;
    *sum = NULL;
    lam_sums_add(&e->batch, sums, n);
    if (r == NULL) {
        *sum = sums[0];
        return LAM_OK;
    }
    for (size_t g = 0; g < e->batch.groups; g++) {
        if (!lam_sums_is_left(&e->batch, g))
            continue;
        if (r->kept[g] == NULL && (r->kept[g] = lam_alloc(r->reals, sizeof(real))) == NULL)
            return LAM_ERR_MEMORY;
        memcpy(r->kept[g] + at, sums[g], n * sizeof(real));
    }
    return LAM_OK;
}

const real *lam_ranks_exchange(lam_engine *e)
{
    struct lam_ranks *r = e->ranks;
    if (r == NULL)
        return NULL;
    lam_sums_across(&e->batch, r->kept, r->reals, e->options.fast_sums, r->whole);
    return r->whole;
}
