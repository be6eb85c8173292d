/* Where the numbers of a field lie: the record of an evaluation, scratch of a reverse, sums of a gradient, parameters at a time. */
#include "base/error.h"
#include "base/mem.h"
#include "field/inside.h"
#include <string.h>

static void lay_out_record(lam_field *f)
{
    const lam_field_shape *s = f->shape;
    size_t planes = 1 + f->tangents, at = planes * s->dim * LAM_TILE;
    for (size_t k = 0; k < s->layers; k++) {
        size_t plane = s->layer[k].out * LAM_TILE;
        f->record_h[k] = at;
        at += planes * plane;
        if (lam_saves_d1(lam_field_activation(f, k))) {
            f->record_d1[k] = at;
            at += plane;
        }
        f->record_a[k] = f->record_h[k];
        if (lam_field_keeps_a(f, k)) {
            f->record_a[k] = at;
            at += planes * plane;
        }
        f->record_gate[k] = f->record_a[k];
    }
    f->record_size = at;
}

static void lay_out_scratch(lam_field *f, size_t chunks)
{
    const lam_field_shape *s = f->shape;
    size_t planes = 1 + f->tangents, stack = planes * s->widest * LAM_TILE, at = 0, largest_c = 0;
    for (size_t k = 0; k <= s->layers; k++) { /* two stacks in turn, or one a layer when chunks add up in plane 0 */
        f->scratch_g[k] = chunks > 1 ? k * stack : (k % 2) * stack;
        at = f->scratch_g[k] + stack > at ? f->scratch_g[k] + stack : at;
    }
    f->scratch_transposed = at;
    at += planes * lam_padded(s->widest, f->kernels->lanes) * LAM_TILE;
    f->scratch_outer = at;
    for (size_t k = 0; k < s->layers; k++) {
        const lam_field_layer *l = &s->layer[k];
        size_t normal = l->out * lam_padded(l->in, f->kernels->lanes), swap = l->in * lam_padded(l->out, f->kernels->lanes);
        f->swapped[k] = swap < normal;
        size_t c = swap < normal ? swap : normal;
        if (l->bases > 1 && c > largest_c)
            largest_c = c;
    }
    at += lam_padded(largest_c, 16);
    f->scratch_sums = at;
    at += 3 * lam_padded(s->widest, 16);
    f->scratch_size = lam_padded(at, 16);
}

static void lay_out_sums(lam_field *f)
{
    const lam_field_shape *s = f->shape;
    size_t at = 0;
    for (size_t k = 0; k < s->layers; k++) {
        const lam_field_layer *l = &s->layer[k];
        size_t lanes = f->kernels->lanes;
        size_t c = f->swapped[k] ? l->in * lam_padded(l->out, lanes) : l->out * lam_padded(l->in, lanes);
        for (size_t j = 0; j < l->bases; j++) {
            f->sum_c[k][j] = at;
            at += lam_padded(c, 16);
        }
        for (size_t j = 0; j < l->bases; j++) {
            f->sum_b[k][j] = at;
            at += l->out;
        }
        f->sum_u[k] = at;
        at += l->out;
        f->sum_g[k] = at;
        at += l->out;
        f->sum_gate_c[k] = at;
        at += l->out;
        f->sum_v1[k] = at;
        at += LAM_HYPER_UNITS;
        f->sum_c1[k] = at;
        at += LAM_HYPER_UNITS;
        at = lam_padded(at, 16);
    }
    f->sum_beta = at;
    f->sum_size = lam_padded(at + 1, 16);
}

/* One allocation, many named pointers; with storage NULL it only counts. */
static size_t lay_out_storage(lam_field *f, real *storage)
{
    const lam_field_shape *s = f->shape;
    size_t at = 0;
#define TAKE(pointer, n)                              \
    do {                                              \
        if (storage != NULL)                          \
            (pointer) = storage + at;                 \
        at += lam_padded(n, 16);                          \
    } while (0)
    size_t largest = 0;
    for (size_t k = 0; k < s->layers; k++) {
        const lam_field_layer *l = &s->layer[k];
        size_t n = l->in * l->out;
        if (l->bases == 1) {
            TAKE(f->packed[k], n);
            TAKE(f->packed_t[k], n);
        } else if (l->bases > 1 && n > largest) {
            largest = n;
        }
        for (size_t i = 0; i < f->slots; i++) {
            lam_slot_layer *sl = &f->slot[i].layer[k];
            TAKE(sl->shift, l->out);
            if (l->has_gate)
                TAKE(sl->scale, l->out);
            if (l->bases > 1) {
                TAKE(sl->own, n);
                TAKE(sl->own_t, n);
            }
        }
    }
    TAKE(f->effective, largest);
#undef TAKE
    return at;
}

lam_status lam_field_init(lam_field *f, const lam_field_shape *shape, const lam_kernels *kernels, size_t tangents,
    size_t chunks, int unit_seeds, size_t slots)
{
    memset(f, 0, sizeof *f);
    f->shape = shape;
    f->kernels = kernels;
    f->kind = &lam_shared_layers;
    f->tangents = tangents;
    f->unit_seeds = unit_seeds;
    f->slots = slots;
    lay_out_record(f);
    lay_out_scratch(f, chunks);
    lay_out_sums(f);
    f->storage = lam_alloc(lay_out_storage(f, NULL), sizeof(real));
    if (f->storage == NULL)
        return LAM_ERR_MEMORY;
    lay_out_storage(f, f->storage);
    return LAM_OK;
}

void lam_field_clear(lam_field *f)
{
    lam_free(f->storage);
    f->storage = NULL;
}
