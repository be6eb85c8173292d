/* What the files of this room share about where a field's numbers lie. */
#ifndef LAM_FIELD_INSIDE_H
#define LAM_FIELD_INSIDE_H
#include "field/field.h"

extern const lam_layer_kind lam_shared_layers;

static inline lam_activation lam_field_activation(const lam_field *f, size_t k)
{
    return k + 1 < f->shape->layers ? f->shape->activation : LAM_ACT_IDENTITY;
}

/* Pre-activations have a place of their own unless nothing needs them or (identity) they are the output. */
static inline int lam_field_keeps_a(const lam_field *f, size_t k)
{
    lam_activation act = lam_field_activation(f, k);
    return act != LAM_ACT_IDENTITY && (lam_saves_a(act) || f->shape->layer[k].has_gate);
}

static inline size_t lam_padded(size_t n, size_t lanes)
{
    return (n + lanes - 1) / lanes * lanes;
}

#endif
