/* Which columns of a row move (method.md 15): planes of ones and zeros beside the states. What does not move is 0 in a state, has no part in
 * f, in the trace, in the base density, the error norms and the means of penalties. */
#ifndef LAM_FLOW_MASK_H
#define LAM_FLOW_MASK_H
#include "flow/inside.h"

/* For the engine's largest batch; nothing unless its layout is masked. The free takes an engine without one too. */
lam_status lam_mask_create(lam_engine *e);
void lam_mask_free(lam_engine *e);

/* Forms those of the batch's rows from the engine's condition; without moves there everything moves. */
void lam_mask_form(lam_engine *e);
/* A tile's, [dim][TILE], 0 past the batch; NULL where everything moves. */
const real *lam_mask_of(const lam_engine *e, size_t tile);
/* [TILE] dim over the columns of a row that move, 0 if none: takes a mean over dim to one over these. NULL as above. */
const real *lam_mask_shares(const lam_engine *e, size_t tile);
/* planes [planes][dim][TILE] *= a tile's mask, if it has one. */
void lam_mask_apply(const lam_engine *e, size_t tile, size_t planes, real *to);
/* lines [n][TILE] *= [TILE], if that is not NULL. */
void lam_mask_scale(const real *by, size_t n, real *to);
/* Columns that move, of a row of the batch; of all of its rows (all entries where none moves: it is divided by). */
size_t lam_mask_moving(const lam_engine *e, size_t row);
double lam_mask_entries(const lam_engine *e);

#endif
