/* Adds up the sums of groups. */
#include "flow/sums.h"

enum { SLICE = 4096 };

typedef struct adding {
    real *const *sums;
    size_t groups, n;
} adding;

static void add_slice(void *arg, size_t item, size_t thread)
{
    (void)thread;
    const adding *a = arg;
    size_t from = item * SLICE, end = a->n - from < SLICE ? a->n : from + SLICE;
    for (size_t apart = 1; apart < a->groups; apart *= 2)
        for (size_t g = 0; g + apart < a->groups; g += 2 * apart)
            for (size_t i = from; i < end; i++)
                a->sums[g][i] += a->sums[g + apart][i];
}

void lam_sums_add(lam_pool *pool, real *const *sums, size_t groups, size_t n)
{
    adding a = { sums, groups, n };
    size_t slices = (n + SLICE - 1) / SLICE;
    if (pool != NULL)
        lam_pool_run(pool, slices, add_slice, &a);
    for (size_t i = 0; pool == NULL && i < slices; i++)
        add_slice(&a, i, 0);
}
