/* The context of a conditional density (method.md 14): a small net that makes biases of the flow's hidden layers from what the rows are
 * conditional on, once a call, tile by tile; and its gradient, from the cotangents that the blocks' reverses add up. The net is a field
 * without time (field/field.h), its last layer the linear maps to all hidden layers: shared by the blocks, or those of each block. */
#ifndef LAM_FLOW_CONTEXT_H
#define LAM_FLOW_CONTEXT_H
#include "flow/inside.h"

/* For the engine's largest batch; nothing without a context in its layout. The free takes an engine without one too. */
lam_status lam_context_create(lam_engine *e);
void lam_context_free(lam_engine *e);

/* Forms the biases of the batch's rows, those of index (NULL: the first ones) of the engine's condition, by its params. LAM_ERR_ARGUMENT
 * without a condition. */
lam_status lam_context_form(lam_engine *e, const size_t *index);
/* A tile's biases for the block in hand, [context_lines][TILE]; NULL without a context. */
const real *lam_context_lines(const lam_engine *e, size_t tile);

/* Cotangents of all biases become 0. */
void lam_context_start(lam_engine *e);
/* Where those of a tile and the block in hand are added to; NULL without a context or without gradients. */
real *lam_context_cotangent(const lam_engine *e, size_t tile);
/* Adds the gradient by the net's parameters to grad [layout->parameters]. */
lam_status lam_context_reverse(lam_engine *e, real *grad);
/* Reals of its sums; and such a sum put into grad. */
size_t lam_context_sum_size(const lam_engine *e);
void lam_context_put(const lam_engine *e, const real *sum, real *grad);

#endif
