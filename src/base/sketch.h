/* Quantiles of a column that is too long to be sorted: its ends as they are, and of what lies between them a sketch in memory that does not grow
 * with the rows but by a buffer whenever they double.
 *
 * The ends are exact: the smallest and the largest values, at least `ends` of each, are kept one by one. All others go to buffers of k sorted
 * values (Munro and Paterson 1980; Manku, Rajagopalan and Lindsay 1998, section 3.3): a full one has weight 1, and two of weight w become one of
 * weight 2 w, which takes every second value of both in their order, first the values at even places, the next time those at odd ones. If m of
 * the 2 k values are not above some x, the new buffer says 2 w ceil(m / 2) of its rows are, or 2 w floor(m / 2), in turn, so two such steps one
 * after the other are off by w at the most, together too. Of N values between the ends level l, of weight 2^l, is so taken c_l = floor(N / (k 2^(l + 1))) times, so a
 * rank is off by
 *     e <= sum over l of 2^l ceil(c_l / 2) <= (L + 2) N / (4 k),   L = floor(log2(N / k))
 * for any values in any order, e = 0 up to N = 2 k - 1. What comes out depends on the values and their order alone. */
#ifndef LAM_BASE_SKETCH_H
#define LAM_BASE_SKETCH_H
#include "base/ranked.h"

typedef struct lam_sketch lam_sketch;

/* Of a buffer, k above, and of each end. 2 ends <= buffer. */
typedef struct lam_sketch_size {
    size_t buffer, ends;
} lam_sketch_size;

/* For `most` values at the most. Pages are taken as they are needed. Free with lam_sketch_free, which takes NULL. */
lam_status lam_sketch_create(lam_sketch_size size, size_t most, lam_sketch **out);
void lam_sketch_free(lam_sketch *sketch);
size_t lam_sketch_bytes(lam_sketch_size size, size_t most); /* that lam_sketch_create takes */
void lam_sketch_add(lam_sketch *sketch, double value);      /* not NaN */

/* The bound e of the ranks' errors for what was added: of any x the rows not above it, by the list and in truth. 0 at the ends. */
size_t lam_sketch_error(const lam_sketch *sketch);
/* All of it as one list, of as many rows as were added; more may be added later. Free with lam_ranked_clear. */
lam_status lam_sketch_list(lam_sketch *sketch, lam_ranked *out);

#endif
