/* Exchanges an auto-encoder's rows and gradients with other ranks. */
#include "vae/elbo_ranks.h"
#include "base/mem.h"
#include "flow/sums.h"
#include <string.h>

lam_status lam_elbo_ranks_create(lam_elbo_ranks *r, size_t rows, size_t row_bytes, size_t groups, size_t reals)
{
    r->groups = groups;
    r->reals = reals;
    r->part = lam_alloc(groups, sizeof *r->part);
    r->part_at = lam_alloc(groups, sizeof *r->part_at);
    if (lam_comm_is_several(r->comm) && (r->wire = lam_alloc(rows, row_bytes)) == NULL)
        return LAM_ERR_MEMORY;
    return r->part != NULL && r->part_at != NULL ? LAM_OK : LAM_ERR_MEMORY;
}

void lam_elbo_ranks_clear(lam_elbo_ranks *r)
{
    for (size_t g = 0; r->part != NULL && lam_comm_is_several(r->comm) && g < r->groups; g++)
        lam_free(r->part[g]);
    lam_free(r->part);
    lam_free(r->part_at);
    lam_free(r->wire);
}

/* Rows [first, end) of the columns to the wire, or back. */
static void pack(char *wire, size_t row_bytes, lam_range rows, const lam_elbo_column *columns, size_t n, int back)
{
    for (size_t row = rows.first; row < rows.end; row++) {
        char *at = wire + row * row_bytes;
        for (size_t i = 0; i < n; i++) {
            char *own = (char *)columns[i].at + row * columns[i].bytes;
            memcpy(back ? own : at, back ? at : own, columns[i].bytes);
            at += columns[i].bytes;
        }
    }
}

void lam_elbo_share(const lam_elbo_ranks *r, const lam_batch *b, const lam_elbo_column *columns, size_t n)
{
    size_t row_bytes = 0;
    if (!lam_comm_is_several(r->comm))
        return;
    for (size_t i = 0; i < n; i++)
        row_bytes += columns[i].bytes;
    lam_range own = lam_batch_own_rows(b), before = { 0, own.first }, after = { own.end, b->rows };
    pack(r->wire, row_bytes, own, columns, n, 0);
    lam_batch_share_rows(b, r->wire, row_bytes);
    pack(r->wire, row_bytes, before, columns, n, 1);
    pack(r->wire, row_bytes, after, columns, n, 1);
}

lam_status lam_elbo_parts(lam_elbo_ranks *r, const lam_batch *nets, const lam_batch *flow, real *grad)
{
    if (!lam_comm_is_several(r->comm)) {
        r->part[0] = grad;
        return LAM_OK;
    }
    for (size_t g = 0; g < r->groups; g++) {
        int wanted = lam_sums_is_left(nets, g) || lam_sums_is_left(flow, g);
        if (wanted && r->part[g] == NULL && (r->part[g] = lam_reserve(r->reals * sizeof(real))) == NULL) /* what is not touched is not there */
            return LAM_ERR_MEMORY;
    }
    return LAM_OK;
}

real *const *lam_elbo_parts_at(const lam_elbo_ranks *r, size_t at)
{
    for (size_t g = 0; g < r->groups; g++)
        r->part_at[g] = r->part[g] != NULL ? r->part[g] + at : NULL;
    return r->part_at;
}

void lam_elbo_parts_add(const lam_elbo_ranks *r, const lam_batch *b, size_t at, size_t n, real *grad)
{
    if (lam_comm_is_several(r->comm) && n > 0)
        lam_sums_across(b, lam_elbo_parts_at(r, at), n, r->fast, grad + at);
}
