/* Sorting numbers. */
#include "base/sort.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { IN_PLACE = 1 << 22, SHORT = 64, BUCKETS = 256 };

static int ascending(const void *a, const void *b)
{
    double u = *(const double *)a, v = *(const double *)b;
    return (u > v) - (u < v);
}

/* ---- of so many that room for as many again is too much to ask ---------------------------------------------------- */

/* Bits that ascend as the numbers do. */
static uint64_t key_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits >> 63 != 0 ? ~bits : bits | UINT64_C(1) << 63;
}

static void sort_short(double *x, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        double v = x[i];
        size_t at = i;
        for (; at > 0 && x[at - 1] > v; at--)
            x[at] = x[at - 1];
        x[at] = v;
    }
}

/* By the byte of the keys at `shift`, then each part by the next one: a radix sort that exchanges in place (McIlroy, Bostic and McIlroy
 * 1993, "American flag sort"). */
static void sort_in_place(double *x, size_t n, unsigned shift)
{
    size_t next[BUCKETS], end[BUCKETS] = { 0 };
    if (n <= SHORT) {
        sort_short(x, n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        end[key_of(x[i]) >> shift & (BUCKETS - 1)]++;
    for (size_t b = 0, sum = 0; b < BUCKETS; b++) {
        next[b] = sum;
        end[b] = sum += end[b];
    }
    for (size_t b = 0; b < BUCKETS; b++)
        while (next[b] < end[b]) {
            double v = x[next[b]];
            size_t of;
            while ((of = key_of(v) >> shift & (BUCKETS - 1)) != b) {
                double other = x[next[of]];
                x[next[of]++] = v;
                v = other;
            }
            x[next[b]++] = v;
        }
    for (size_t b = 0, first = 0; b < BUCKETS && shift > 0; first = end[b++])
        if (end[b] - first > 1)
            sort_in_place(x + first, end[b] - first, shift - 8);
}

/* ---- sorting ------------------------------------------------------------------------------------------------------ */

void lam_sort_ascending(double *x, size_t n)
{
    if (n < IN_PLACE)
        qsort(x, n, sizeof *x, ascending);
    else
        sort_in_place(x, n, 56);
}

static int by_place(const void *a, const void *b)
{
    const lam_place *u = a, *v = b;
    return u->at != v->at ? (u->at > v->at) - (u->at < v->at) : (u->slot > v->slot) - (u->slot < v->slot);
}

void lam_sort_places(lam_place *place, size_t n)
{
    qsort(place, n, sizeof *place, by_place);
}
