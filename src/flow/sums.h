/* Sums of groups added up by a binary tree whose shape depends on the number of groups alone, so that parts of it can be added anywhere. */
#ifndef LAM_FLOW_SUMS_H
#define LAM_FLOW_SUMS_H
#include "base/pool.h"
#include "flow/names.h"

/* sums[0] [n] becomes the sum of sums[group] [n], group < groups: neighbours in pairs, then pairs in pairs and so on; a group without a
 * neighbour waits for the next round. The others are spent. The pool takes slices of n; it may be NULL. */
void lam_sums_add(lam_pool *pool, real *const *sums, size_t groups, size_t n);

#endif
