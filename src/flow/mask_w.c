/* Planes of which columns move, formed once a batch, and what is multiplied by them. */
#include "flow/mask.h"
#include "base/mem.h"

struct lam_mask {
    int on; /* 0: everything moves in the batch in hand */
    real **plane, **share; /* [tiles] of [dim][TILE] and [TILE] */
    double entries;
};

lam_status lam_mask_create(lam_engine *e)
{
    if (!e->layout->masked)
        return LAM_OK;
    struct lam_mask *m = e->mask = lam_alloc(1, sizeof *m);
    if (m == NULL)
        return LAM_ERR_MEMORY;
    m->plane = lam_arrays_alloc(e->batch.tiles, e->dim * LAM_TILE);
    m->share = lam_arrays_alloc(e->batch.tiles, LAM_TILE);
    return m->plane != NULL && m->share != NULL ? LAM_OK : LAM_ERR_MEMORY;
}

void lam_mask_free(lam_engine *e)
{
    struct lam_mask *m = e->mask;
    if (m == NULL)
        return;
    lam_arrays_free(m->plane, e->batch.tiles);
    lam_arrays_free(m->share, e->batch.tiles);
    lam_free(m);
}

size_t lam_mask_moving(const lam_engine *e, size_t row)
{
    size_t n = 0;
    if (e->mask == NULL || !e->mask->on)
        return e->dim;
    for (size_t i = 0; i < e->dim; i++)
        n += e->condition.moves[row * e->dim + i];
    return n;
}

static void form_tile(void *arg, size_t tile, size_t thread)
{
    (void)thread;
    lam_engine *e = arg;
    real *plane = e->mask->plane[tile], *share = e->mask->share[tile];
    size_t rows = lam_batch_tile_rows(&e->batch, tile);
    for (size_t r = 0; r < LAM_TILE; r++) {
        size_t row = tile * LAM_TILE + r, moving = r < rows ? lam_mask_moving(e, row) : 0;
        share[r] = moving > 0 ? (real)((double)e->dim / (double)moving) : 0;
        for (size_t i = 0; i < e->dim; i++)
            plane[i * LAM_TILE + r] = r < rows && e->condition.moves[row * e->dim + i];
    }
}

void lam_mask_form(lam_engine *e)
{
    struct lam_mask *m = e->mask;
    if (m == NULL)
        return;
    m->on = e->condition.moves != NULL;
    m->entries = 0;
    if (!m->on)
        return;
    lam_engine_run(e, form_tile, e);
    for (size_t row = 0; row < e->batch.rows; row++)
        m->entries += (double)lam_mask_moving(e, row);
}

double lam_mask_entries(const lam_engine *e)
{
    int counts = e->mask != NULL && e->mask->on && e->mask->entries > 0;
    return counts ? e->mask->entries : (double)e->batch.rows * (double)e->dim;
}

const real *lam_mask_of(const lam_engine *e, size_t tile)
{
    return e->mask != NULL && e->mask->on ? e->mask->plane[tile] : NULL;
}

const real *lam_mask_shares(const lam_engine *e, size_t tile)
{
    return e->mask != NULL && e->mask->on ? e->mask->share[tile] : NULL;
}

void lam_mask_apply(const lam_engine *e, size_t tile, size_t planes, real *to)
{
    const real *mask = lam_mask_of(e, tile);
    size_t plane = e->dim * LAM_TILE;
    for (size_t p = 0; mask != NULL && p < planes; p++, to += plane)
        for (size_t i = 0; i < plane; i++)
            to[i] *= mask[i];
}

void lam_mask_scale(const real *by, size_t n, real *to)
{
    for (size_t i = 0; by != NULL && i < n; i++)
        for (size_t r = 0; r < LAM_TILE; r++)
            to[i * LAM_TILE + r] *= by[r];
}
