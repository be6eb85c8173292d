/* Sums over a batch, on one rank or on several, with the same bits.
 *
 * Gradients: the groups' sums are added by a binary tree whose shape depends on the number of groups alone: neighbours in pairs, then pairs in
 * pairs and so on; a group without a neighbour waits for the next round. Each rank adds the parts of the tree that lie within its range of
 * groups; what is left goes from rank to rank, once an iteration. Numbers: a tile's own is added to others in tile order; ranks
 * exchange those of their tiles, several in one message. */
#ifndef LAM_FLOW_SUMS_H
#define LAM_FLOW_SUMS_H
#include "base/batch.h"
#include "flow/names.h"

/* sums[group] [n], of the batch's groups. Those of this rank are added as far as the tree allows: on one rank all, into sums[0]. What
 * is left is where lam_sums_is_left says so; the others are spent. */
void lam_sums_add(const lam_batch *batch, real *const *sums, size_t n);
int lam_sums_is_left(const lam_batch *batch, size_t group);
/* The same without room for every group: leaf sets to [n] to the sum of one of this rank's groups. What is left at `group` goes to to [n]; room
 * [lam_sums_levels(groups)][n]. */
typedef struct lam_sums_part {
    const lam_batch *batch;
    void (*leaf)(void *arg, size_t group, real *to);
    void *arg;
    size_t n;
    real *room;
} lam_sums_part;
void lam_sums_of_part(const lam_sums_part *part, size_t group, real *to);
/* Levels of room that so many groups need. */
size_t lam_sums_levels(size_t groups);
/* The rest of the tree, from rank to rank: left[group] [n] of those that are left. `whole` [n] receives the sum on every rank.
 * fast 1: in an order that the ranks' library chooses, which takes less time and has other bits. */
void lam_sums_across(const lam_batch *batch, real *const *left, size_t n, int fast, real *whole);

#endif
