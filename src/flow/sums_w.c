/* Adds up the sums of groups, on one rank and across ranks. */
#include "flow/sums.h"
#include <string.h>

enum { SLICE = 4096 };

/* The node of the tree that adds group g + apart to group g ends here. */
static size_t end_of(size_t g, size_t apart, size_t groups)
{
    return g + 2 * apart < groups ? g + 2 * apart : groups;
}

/* ---- within a rank ------------------------------------------------------------------------------------------------ */

typedef struct adding {
    const lam_batch *batch;
    real *const *sums;
    size_t n;
} adding;

static void add_slice(void *arg, size_t item, size_t thread)
{
    (void)thread;
    const adding *a = arg;
    lam_range own = lam_batch_own_groups(a->batch);
    size_t from = item * SLICE, end = a->n - from < SLICE ? a->n : from + SLICE, groups = a->batch->groups;
    for (size_t apart = 1; apart < groups; apart *= 2)
        for (size_t g = 0; g + apart < groups; g += 2 * apart) {
            if (g < own.first || end_of(g, apart, groups) > own.end)
                continue;
            real *to = a->sums[g];
            const real *more = a->sums[g + apart];
            for (size_t i = from; i < end; i++)
                to[i] += more[i];
        }
}

void lam_sums_add(const lam_batch *b, real *const *sums, size_t n)
{
    adding a = { b, sums, n };
    lam_pool_run(b->pool, (n + SLICE - 1) / SLICE, add_slice, &a);
}

int lam_sums_is_left(const lam_batch *b, size_t group)
{
    lam_range own = lam_batch_own_groups(b);
    size_t apart = group & (~group + 1); /* at which it is added to another one */
    if (group < own.first || group >= own.end)
        return 0;
    return group == 0 || group - apart < own.first || end_of(group - apart, apart, b->groups) > own.end;
}

/* The part of the tree over `span` groups, a power of two. */
static void add_part(const lam_sums_part *p, size_t group, size_t span, real *to, real *room)
{
    size_t right = group + span / 2;
    if (span == 1) {
        p->leaf(p->arg, group, to);
        return;
    }
    add_part(p, group, span / 2, to, room);
    if (right >= p->batch->groups)
        return;
    add_part(p, right, span / 2, room, room + p->n);
    for (size_t i = 0; i < p->n; i++)
        to[i] += room[i];
}

void lam_sums_of_part(const lam_sums_part *p, size_t group, real *to)
{
    const lam_batch *b = p->batch;
    lam_range own = lam_batch_own_groups(b);
    size_t span = 1;
    while (group % (2 * span) == 0 && group + span < b->groups && end_of(group, span, b->groups) <= own.end)
        span *= 2;
    add_part(p, group, span, to, p->room);
}

size_t lam_sums_levels(size_t groups)
{
    size_t levels = 0;
    while ((size_t)1 << levels < groups)
        levels++;
    return levels;
}

/* ---- across ranks ------------------------------------------------------------------------------------------------- */

static void add(real *to, const real *more, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += more[i];
}

static size_t rank_of(const lam_batch *b, size_t group)
{
    size_t rank = 0;
    while (lam_batch_groups(b, rank).end <= group)
        rank++;
    return rank;
}

/* One node of the tree whose groups are not all of one rank; `room` is for what comes. */
static void add_node(const lam_batch *b, real *const *left, size_t n, size_t g, size_t apart, real *room)
{
    const lam_comm *comm = b->comm;
    size_t to = rank_of(b, g), from = rank_of(b, g + apart);
    if (from == comm->rank && to != comm->rank) {
        comm->send(comm->self, to, left[g + apart], n * sizeof(real));
    } else if (to == comm->rank) {
        if (from != comm->rank)
            comm->receive(comm->self, from, room, n * sizeof(real));
        add(left[g], from != comm->rank ? room : left[g + apart], n);
    }
}

/* Ranks that no node concerns pass it by; the others meet the nodes in one order, so that nobody waits for one who waits. */
static void add_tree(const lam_batch *b, real *const *left, size_t n, real *room)
{
    for (size_t apart = 1; apart < b->groups; apart *= 2)
        for (size_t g = 0; g + apart < b->groups; g += 2 * apart) {
            lam_range of = lam_batch_groups(b, rank_of(b, g));
            if (g < of.first || end_of(g, apart, b->groups) > of.end)
                add_node(b, left, n, g, apart, room);
        }
}

void lam_sums_across(const lam_batch *b, real *const *left, size_t n, int fast, real *whole)
{
    const lam_comm *comm = b->comm;
    lam_range own = lam_batch_own_groups(b);
    if (fast) {
        memset(whole, 0, n * sizeof *whole);
        for (size_t g = own.first; g < own.end; g++)
            if (lam_sums_is_left(b, g))
                add(whole, left[g], n);
        comm->sum(comm->self, whole, n, sizeof(real));
        return;
    }
    add_tree(b, left, n, whole);
    if (comm->rank == 0)
        memcpy(whole, left[0], n * sizeof *whole);
    comm->broadcast(comm->self, whole, n * sizeof *whole);
}
