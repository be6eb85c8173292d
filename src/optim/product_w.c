/* Matrix products with the fields' kernels. */
#include "optim/product.h"
#include "base/mem.h"
#include <string.h>

lam_status lam_multiplier_create(const lam_kernels *kernels, size_t longer, size_t shorter, lam_multiplier *m)
{
    *m = (lam_multiplier) { .kernels = kernels };
    m->packed = lam_alloc(longer * shorter, sizeof(real));
    m->tile = lam_alloc(longer * LAM_TILE, sizeof(real));
    m->out = lam_alloc(longer * LAM_TILE, sizeof(real));
    m->zeros = lam_alloc(longer, sizeof(real));
    if (m->packed != NULL && m->tile != NULL && m->out != NULL && m->zeros != NULL)
        return LAM_OK;
    lam_multiplier_clear(m);
    return LAM_ERR_MEMORY;
}

void lam_multiplier_clear(lam_multiplier *m)
{
    lam_free(m->packed);
    lam_free(m->tile);
    lam_free(m->out);
    lam_free(m->zeros);
    *m = (lam_multiplier) { 0 };
}

void lam_multiply(const lam_multiplier *by, size_t m, size_t k, size_t n, lam_view a, lam_view b, lam_view c)
{
    lam_forward call = { .in = k, .out = m, .vectors = LAM_TILE / by->kernels->lanes, .with_value = 1,
        .activation = LAM_ACT_IDENTITY, .weight = by->packed, .shift = by->zeros, .x = by->tile, .h = by->out };
    by->kernels->pack(m, k, a.at, a.down, a.right, by->packed);
    for (size_t first = 0; first < n; first += LAM_TILE) {
        size_t used = n - first < LAM_TILE ? n - first : LAM_TILE;
        if (used < LAM_TILE)
            memset(by->tile, 0, k * LAM_TILE * sizeof(real));
        for (size_t i = 0; i < k; i++)
            for (size_t j = 0; j < used; j++)
                by->tile[i * LAM_TILE + j] = b.at[i * b.down + (first + j) * b.right];
        by->kernels->forward(&call);
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < used; j++)
                c.at[i * c.down + (first + j) * c.right] = by->out[i * LAM_TILE + j];
    }
}
