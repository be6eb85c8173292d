/* What the files about series share. */
#ifndef LAM_FIELD_SERIES_INSIDE_H
#define LAM_FIELD_SERIES_INSIDE_H
#include "field/inside.h"
#include "field/series.h"

enum { LAM_SERIES_SUMS = 4 }; /* arrays of [widest] in scratch */

static inline int lam_series_has_activation(const lam_field *f, size_t k)
{
    return k + 1 < f->shape->layers && f->shape->activation != LAM_ACT_IDENTITY;
}

/* Order of the series of a layer's matrix: blend's is linear in t. */
static inline size_t lam_series_matrices(const lam_field_layer *l, size_t orders)
{
    return l->bases < 2 ? 0 : l->is_blend ? 1 : orders;
}

/* a_{j+1} has a place of its own. */
static inline int lam_series_keeps_a(const lam_field_series *s, size_t k, size_t j)
{
    const lam_field_shape *shape = s->field->shape;
    return lam_series_has_activation(s->field, k) && (lam_saves_a(shape->activation) || shape->layer[k].has_gate || j + 1 < s->orders);
}

#endif
