/* Sorting numbers. */
#include "base/sort.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { IN_PLACE = 1 << 22, SHORT = 64, BUCKETS = 256 };
enum { FEW = 256, DIGIT = 11, DIGITS = 6 }; /* so many digits of 11 bits make 64; to count those of few numbers costs more than it saves */

/* Bits that ascend as the numbers do. */
static uint64_t key_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits >> 63 != 0 ? ~bits : bits | UINT64_C(1) << 63;
}

/* By insertion. */
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

/* ---- of so many that room for as many again is too much to ask ---------------------------------------------------- */

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

/* ---- with room for as many ---------------------------------------------------------------------------------------- */

static size_t digit_of(double x, int digit)
{
    return (size_t)(key_of(x) >> digit * DIGIT) & ((1 << DIGIT) - 1);
}

/* Where the numbers with each digit begin; 0: all have the same one. */
static int places(const double *x, size_t n, int digit, size_t *first)
{
    for (size_t b = 0, sum = 0, count; b < 1 << DIGIT; b++, sum += count)
        count = first[b], first[b] = sum;
    size_t one = digit_of(x[0], digit);
    return first[one] > 0 || (one + 1 < 1 << DIGIT && first[one + 1] < n);
}

void lam_sort_in_room(double *x, double *room, size_t n)
{
    size_t first[DIGITS][1 << DIGIT] = { { 0 } };
    double *from = x, *to = room;
    if (n <= FEW) {
        sort_short(x, n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        for (int d = 0; d < DIGITS; d++)
            first[d][digit_of(x[i], d)]++;
    for (int d = 0; d < DIGITS; d++) {
        if (!places(from, n, d, first[d]))
            continue;
        for (size_t i = 0; i < n; i++)
            to[first[d][digit_of(from[i], d)]++] = from[i];
        double *other = from;
        from = to, to = other;
    }
    if (from != x)
        memcpy(x, from, n * sizeof *x);
}

/* ---- sorting ------------------------------------------------------------------------------------------------------ */

void lam_sort_ascending(double *x, size_t n)
{
    double *room = n > FEW && n < IN_PLACE ? malloc(n * sizeof *room) : NULL;
    if (room != NULL || n <= FEW)
        lam_sort_in_room(x, room, n);
    else
        sort_in_place(x, n, 56);
    free(room);
}

static int by_place(const void *a, const void *b)
{
    const lam_place *u = a, *v = b;
    return u->at != v->at ? (u->at > v->at) - (u->at < v->at) : (u->slot > v->slot) - (u->slot < v->slot);
}

static size_t part_of(size_t at, unsigned shift)
{
    return at >> shift & ((1 << DIGIT) - 1);
}

/* By the digit of `at` at a shift; those that share it stay in their order. */
static void move_places(const lam_place *from, lam_place *to, size_t n, unsigned shift)
{
    size_t first[1 << DIGIT] = { 0 }, sum = 0;
    for (size_t i = 0; i < n; i++)
        first[part_of(from[i].at, shift)]++;
    for (size_t b = 0; b < 1 << DIGIT; b++) {
        size_t count = first[b];
        first[b] = sum, sum += count;
    }
    for (size_t i = 0; i < n; i++)
        to[first[part_of(from[i].at, shift)]++] = from[i];
}

void lam_sort_places(lam_place *place, size_t n)
{
    lam_place *room = n > FEW ? malloc(n * sizeof *room) : NULL, *from = place, *to = room;
    size_t most = 0;
    if (room == NULL) {
        qsort(place, n, sizeof *place, by_place);
        return;
    }
    for (size_t i = 0; i < n; i++)
        most = place[i].at > most ? place[i].at : most;
    for (unsigned shift = 0; shift < 8 * sizeof most && most >> shift > 0; shift += DIGIT) {
        move_places(from, to, n, shift);
        lam_place *other = from;
        from = to, to = other;
    }
    if (from != place)
        memcpy(place, from, n * sizeof *place);
    free(room);
}
