/* What an engine exchanges with the same engine on other ranks: numbers that are sums over the batch, and gradients. */
#ifndef LAM_FLOW_RANKS_H
#define LAM_FLOW_RANKS_H
#include "flow/inside.h"

/* Room for `numbers` of them at a time; nothing on one rank, where the calls below do their work at once. The free takes an engine without. */
lam_status lam_ranks_create(lam_engine *e, size_t numbers);
void lam_ranks_free(lam_engine *e);
/* Nothing is under way: what a call that failed has left. */
void lam_ranks_forget(lam_engine *e);

/* *to += factor * (the sum of e->tile_sum in tile order) / divisor, at the latest in lam_ranks_settle, which exchanges what has come together in one
 * message; every rank settles before it reads *to. */
void lam_ranks_add(lam_engine *e, double factor, double divisor, double *to);
void lam_ranks_settle(lam_engine *e);

/* The groups' sums, sums[group] [n], added (sums.h). Returns where the sum is; NULL on several ranks, where it is kept as reals [at, at + n) of
 * the iteration's message. */
lam_status lam_ranks_collect(lam_engine *e, real *const *sums, size_t at, size_t n, const real **sum);
/* That message: the reals as they are on every rank. NULL on one rank. */
const real *lam_ranks_exchange(lam_engine *e);

#endif
