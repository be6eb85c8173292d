/* Sorting numbers. */
#ifndef LAM_BASE_SORT_H
#define LAM_BASE_SORT_H
#include <stddef.h>

/* x [n] in place, ascending. */
void lam_sort_ascending(double *x, size_t n);

#endif
