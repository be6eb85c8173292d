/* Sorting numbers. */
#ifndef LAM_BASE_SORT_H
#define LAM_BASE_SORT_H
#include <stddef.h>

/* x [n] in place, ascending. */
void lam_sort_ascending(double *x, size_t n);

/* Where something is, and which of a list it is. */
typedef struct lam_place {
    size_t at, slot;
} lam_place;
/* By `at`, ascending; those at one place by `slot`. What is read in this order goes through a file from front to back. */
void lam_sort_places(lam_place *place, size_t n);

#endif
