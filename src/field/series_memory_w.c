/* Where the numbers of a series lie, behind those of its field. */
#include "base/error.h"
#include "base/mem.h"
#include "field/series_inside.h"
#include <string.h>

static void lay_out_record(lam_field_series *s, lam_field *f)
{
    size_t at = f->record_size;
    s->record_x = at;
    at += s->orders * f->shape->dim * LAM_TILE;
    for (size_t k = 0; k < f->shape->layers; k++) {
        size_t plane = f->shape->layer[k].out * LAM_TILE;
        if (s->rows != NULL)
            s->rows->record_extra[k] = k == 0 ? s->record_x : s->record_h[k - 1];
        s->record_h[k] = at;
        at += s->orders * plane;
        for (size_t j = 0; j < s->orders; j++) {
            s->record_a[k][j] = s->record_h[k] + j * plane;
            if (lam_series_keeps_a(s, k, j)) {
                s->record_a[k][j] = at;
                at += plane;
            }
        }
    }
    s->record_product = at;
    f->record_size = at + (s->has_matrices ? f->shape->widest * LAM_TILE : 0);
}

static void lay_out_scratch(lam_field_series *s, lam_field *f)
{
    size_t at = f->scratch_size, dim = f->shape->dim * LAM_TILE, widest = f->shape->widest;
    for (size_t k = 0; s->rows == NULL && k < f->shape->layers; k++) {
        s->scratch_g[k + 1] = at;
        at += s->orders * f->shape->layer[k].out * LAM_TILE;
    }
    s->scratch_f0 = at;
    s->scratch_z = at + dim;
    s->scratch_product = at + 2 * dim;
    s->scratch_sums = s->scratch_product + widest * LAM_TILE;
    f->scratch_size = s->scratch_sums + LAM_SERIES_SUMS * lam_padded(widest, 16);
}

/* As in field_memory_w.c: with storage NULL it only counts. */
static size_t lay_out_storage(lam_field_series *s, real *storage)
{
    const lam_field *f = s->field;
    size_t at = lam_padded(f->shape->widest, 16); /* zeros */
#define TAKE(pointer, n)                              \
    do {                                              \
        if (storage != NULL)                          \
            (pointer) = storage + at;                 \
        at += lam_padded(n, 16);                              \
    } while (0)
    for (size_t i = 0; i < f->slots; i++)
        for (size_t k = 0; k < f->shape->layers; k++) {
            const lam_field_layer *l = &f->shape->layer[k];
            lam_series_slot *sl = &s->slot[i][k];
            for (size_t j = 0; j < s->orders; j++) {
                TAKE(sl->shift[j], l->out);
                if (l->has_gate)
                    TAKE(sl->mix[j], l->out);
                if (j < lam_series_matrices(l, s->orders)) {
                    TAKE(sl->weight[j], l->in * l->out);
                    TAKE(sl->weight_t[j], l->in * l->out);
                }
            }
        }
#undef TAKE
    return at;
}

lam_status lam_series_init(lam_field_series *s, lam_field *f, lam_amortised_field *rows, size_t orders)
{
    memset(s, 0, sizeof *s);
    s->field = f;
    s->rows = rows;
    s->orders = orders;
    for (size_t k = 0; k < f->shape->layers; k++) {
        const lam_field_layer *l = &f->shape->layer[k];
        s->has_matrices |= lam_series_matrices(l, orders) > 0;
        if (rows != NULL && l->has_gate)
            return lam_fail(LAM_ERR_UNSUPPORTED, "derivatives along the path (taylor) are not to be had of a field with gates and "
                "parameters from the rows; take layers of the kind concat");
    }
    lay_out_record(s, f);
    lay_out_scratch(s, f);
    if ((s->storage = lam_alloc(lay_out_storage(s, NULL), sizeof(real))) == NULL)
        return LAM_ERR_MEMORY;
    lay_out_storage(s, s->storage);
    s->zeros = s->storage;
    return LAM_OK;
}

void lam_series_clear(lam_field_series *s)
{
    lam_free(s->storage);
    s->storage = NULL;
}
