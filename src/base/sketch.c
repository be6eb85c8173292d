/* A sketch of a column: exact ends, and buffers that are taken together two by two. */
#include "base/sketch.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/sort.h"
#include <math.h>
#include <string.h>

/* The smallest or the largest values: the last `ends` that are sure, and as many that came since. */
typedef struct end {
    double *value; /* [2 ends] */
    size_t n;
    double bound;  /* what is not beyond it does not belong here */
} end;

struct lam_sketch {
    lam_sketch_size size;
    end low, high;
    double *fill;            /* [buffer] what comes next of the values between the ends */
    size_t filled;
    double *spare;           /* [buffer] */
    size_t levels;
    double **level;          /* [levels] sorted buffers, of weights 1, 2, 4 ... */
    unsigned char *is_full;  /* [levels] */
    size_t *taken;           /* [levels] how often two buffers of the level became one of the next */
    double *room;            /* all buffers and both ends */
};

/* ---- room --------------------------------------------------------------------------------------------------------- */

/* Buffers of the last level are never two. */
static size_t levels_for(lam_sketch_size size, size_t most)
{
    size_t levels = 1;
    for (size_t full = most / size.buffer; full > 1; full /= 2)
        levels++;
    return levels;
}

size_t lam_sketch_bytes(lam_sketch_size size, size_t most)
{
    return ((levels_for(size, most) + 2) * size.buffer + 4 * size.ends) * sizeof(double);
}

static lam_status reserve(lam_sketch *s, size_t bytes)
{
    s->level = lam_alloc(s->levels, sizeof *s->level);
    s->is_full = lam_alloc(s->levels, 1);
    s->taken = lam_alloc(s->levels, sizeof *s->taken);
    s->room = lam_reserve(bytes);
    if (s->level == NULL || s->is_full == NULL || s->taken == NULL || s->room == NULL)
        return LAM_ERR_MEMORY;
    double *next = s->room;
    s->low = (end) { .value = next, .bound = HUGE_VAL };
    s->high = (end) { .value = next + 2 * s->size.ends, .bound = -HUGE_VAL };
    s->fill = next += 4 * s->size.ends;
    s->spare = next += s->size.buffer;
    for (size_t l = 0; l < s->levels; l++)
        s->level[l] = next += s->size.buffer;
    return LAM_OK;
}

lam_status lam_sketch_create(lam_sketch_size size, size_t most, lam_sketch **out)
{
    lam_sketch *s = *out = lam_alloc(1, sizeof *s);
    if (s == NULL)
        return LAM_ERR_MEMORY;
    s->size = size;
    s->levels = levels_for(size, most);
    lam_status status = reserve(s, lam_sketch_bytes(size, most));
    if (status != LAM_OK) {
        lam_sketch_free(s);
        *out = NULL;
    }
    return status;
}

void lam_sketch_free(lam_sketch *s)
{
    if (s == NULL)
        return;
    lam_free(s->level);
    lam_free(s->is_full);
    lam_free(s->taken);
    lam_free(s->room);
    lam_free(s);
}

/* ---- between the ends --------------------------------------------------------------------------------------------- */

/* Every second of the values of a and b [n] in their order, from the place `odd` on. */
static void halve(const double *a, const double *b, size_t n, size_t odd, double *out)
{
    for (size_t i = 0, j = 0, place = 0; place < 2 * n; place++) {
        double v = j == n || (i < n && a[i] <= b[j]) ? a[i++] : b[j++];
        if (place % 2 == odd)
            out[place / 2] = v;
    }
}

/* A full buffer, as a one in a binary number: two of a level become one of the next. */
static void carry(lam_sketch *s)
{
    size_t l = 0;
    lam_sort_in_room(s->fill, s->spare, s->size.buffer);
    for (; s->is_full[l]; l++) {
        halve(s->level[l], s->fill, s->size.buffer, s->taken[l]++ % 2, s->spare);
        s->is_full[l] = 0;
        double *other = s->fill;
        s->fill = s->spare, s->spare = other;
    }
    double *other = s->level[l];
    s->level[l] = s->fill, s->fill = other;
    s->is_full[l] = 1;
    s->filled = 0;
}

static void add_between(lam_sketch *s, double v)
{
    s->fill[s->filled++] = v;
    if (s->filled == s->size.buffer)
        carry(s);
}

/* ---- the ends ----------------------------------------------------------------------------------------------------- */

/* What may be one of the largest, but none of the smallest. */
static void add_high(lam_sketch *s, double v)
{
    end *e = &s->high;
    size_t n = s->size.ends;
    if (!(v > e->bound)) {
        add_between(s, v);
        return;
    }
    e->value[e->n++] = v;
    if (e->n < 2 * n)
        return;
    lam_sort_in_room(e->value, s->spare, 2 * n);
    for (size_t i = 0; i < n; i++)
        add_between(s, e->value[i]);
    memmove(e->value, e->value + n, n * sizeof *e->value);
    e->n = n;
    e->bound = e->value[0];
}

void lam_sketch_add(lam_sketch *s, double v)
{
    end *e = &s->low;
    size_t n = s->size.ends;
    if (!(v < e->bound)) {
        add_high(s, v);
        return;
    }
    e->value[e->n++] = v;
    if (e->n < 2 * n)
        return;
    lam_sort_in_room(e->value, s->spare, 2 * n);
    e->n = n;
    e->bound = e->value[n - 1];
    for (size_t i = n; i < 2 * n; i++)
        add_high(s, e->value[i]);
}

/* ---- all of it ---------------------------------------------------------------------------------------------------- */

size_t lam_sketch_error(const lam_sketch *s)
{
    size_t error = 0;
    for (size_t l = 0; l < s->levels; l++)
        error += ((s->taken[l] + 1) / 2) << l;
    return error;
}

lam_status lam_sketch_list(lam_sketch *s, lam_ranked *out)
{
    size_t n = 0;
    lam_ranked *lists = lam_alloc(s->levels + 3, sizeof *lists);
    *out = (lam_ranked) { 0 };
    if (lists == NULL)
        return LAM_ERR_MEMORY;
    lam_sort_in_room(s->low.value, s->spare, s->low.n);
    lam_sort_in_room(s->high.value, s->spare, s->high.n);
    lam_sort_in_room(s->fill, s->spare, s->filled);
    lists[n++] = lam_ranked_of(s->low.value, s->low.n, 1);
    lists[n++] = lam_ranked_of(s->fill, s->filled, 1);
    for (size_t l = 0; l < s->levels; l++)
        if (s->is_full[l])
            lists[n++] = lam_ranked_of(s->level[l], s->size.buffer, (size_t)1 << l);
    lists[n++] = lam_ranked_of(s->high.value, s->high.n, 1);
    lam_status status = lam_ranked_merge(lists, n, out);
    lam_free(lists);
    return status;
}
