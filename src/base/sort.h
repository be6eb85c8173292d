/* Sorting numbers. */
#ifndef LAM_BASE_SORT_H
#define LAM_BASE_SORT_H
#include <stddef.h>

/* x [n] in place, ascending by the bits that doubles are made of: -0 comes before 0, and NaN last or, with the sign bit, first. */
void lam_sort_ascending(double *x, size_t n);
/* The same with room [n], which is left with anything: a radix sort, digit by digit. */
void lam_sort_in_room(double *x, double *room, size_t n);

/* Where something is, and which of a list it is. */
typedef struct lam_place {
    size_t at, slot;
} lam_place;
/* By `at`, ascending; those at one place by `slot`, in which order the list has to be at first. What is read in this order goes through a file from front to back. */
void lam_sort_places(lam_place *place, size_t n);

#endif
