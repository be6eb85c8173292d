/* Sorting numbers. */
#include "base/sort.h"
#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
    double u = *(const double *)a, v = *(const double *)b;
    return (u > v) - (u < v);
}

void lam_sort_ascending(double *x, size_t n)
{
    qsort(x, n, sizeof *x, ascending);
}
