/* Which row goes to which draw of noise: the cheapest assignment. */
#ifndef LAM_PENALTY_PAIRING_H
#define LAM_PENALTY_PAIRING_H
#include <stddef.h>

enum { LAM_PAIRED = 64 }; /* rows of a group */

/* Minimises the sum over i of cost[i][to[i]] over permutations to of 0 .. n-1, n <= LAM_PAIRED, by shortest augmenting paths (Jonker
 * and Volgenant 1987): O(n^3), exact. cost [n, n] finite; where several are cheapest, which one is fixed. */
void lam_pairing(size_t n, const double *cost, size_t *to);

#endif
