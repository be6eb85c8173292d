/* Finds values that are far from all others of their column. */
#include "data/lone.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/room.h"
#include "data/moments.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE = LAM_LONE_SAMPLE, TAIL = 50, GROUP = 3, EXTREMES = TAIL + GROUP + 1 };

/* ---- the ends of a column ----------------------------------------------------------------------------------------- */

/* The largest distinct values of sign * x, descending, and how many rows have each. */
typedef struct extremes {
    double value[EXTREMES];
    size_t rows[EXTREMES], n;
} extremes;

static void note(extremes *e, double v)
{
    size_t at = e->n;
    while (at > 0 && v > e->value[at - 1] && !lam_is_same(v, e->value[at - 1]))
        at--;
    if (at > 0 && lam_is_same(v, e->value[at - 1])) {
        e->rows[at - 1]++;
        return;
    }
    if (at == EXTREMES)
        return;
    size_t moved = (e->n < EXTREMES ? e->n++ : EXTREMES - 1) - at;
    memmove(e->value + at + 1, e->value + at, moved * sizeof *e->value);
    memmove(e->rows + at + 1, e->rows + at, moved * sizeof *e->rows);
    e->value[at] = v;
    e->rows[at] = 1;
}

static void look(extremes *e, double v)
{
    if (e->n < EXTREMES || v >= e->value[EXTREMES - 1])
        note(e, v);
}

/* ---- one of them -------------------------------------------------------------------------------------------------- */

/* Numbers that people and programs take for "there is none". */
static int looks_chosen(double v)
{
    static const double limits[] = { 32767, 32768, 65535, 65536, 2147483647, 2147483648, 4294967295, 4294967296,
        9223372036854775807.0, 9.969209968386869e36 /* netCDF */, FLT_MAX, DBL_MAX, 999.25 /* well logs */ };
    double size = fabs(v), power = 1e3;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (size == limits[i] || size == (double)(float)limits[i])
            return 1;
    for (; power <= 1e12; power *= 10)
        if (size == power - 1 || fabs(size - (power - 1) - 0.9) < 1e-9 * power || fabs(size - (power - 1) - 0.99) < 1e-9 * power)
            return 1;
    double exponent = log10(size);
    return size >= 1e8 && fabs(exponent - round(exponent)) < 1e-12;
}

/* How likely a gap between the values at g - 1 and g is by the tail behind it: 1 where that has nothing to say. centre is
 * sign * the others' median. */
static double chance_of_gap(const extremes *e, size_t g, double centre)
{
    double last = 0, sum = 0;
    size_t k = 0;
    while (k < TAIL && g + k + 1 < e->n && e->value[g + k + 1] > centre)
        k++;
    if (k < 3)
        return 1;
    last = e->value[g + k] - centre;
    for (size_t i = 0; i < k; i++)
        sum += log((e->value[g + i] - centre) / last);
    double ratio = (double)g * log((e->value[g - 1] - centre) / (e->value[g] - centre)) * (double)k / sum;
    return pow(1 + ratio / (double)k, -(double)k); /* of an exponential over the mean of k: F with 2 and 2k degrees */
}

/* The middle of a sorted sample without what lies at or above limit, in units of sign * x. */
static double middle_below(const double *sorted, size_t m, double limit)
{
    while (m > 0 && sorted[m - 1] >= limit)
        m--;
    return m > 0 ? sorted[m / 2] : limit;
}

/* How many of the values at this end stand alone; 0: none. span: of all the values. */
static size_t alone(const extremes *e, const double *sorted, size_t m, double lowest)
{
    for (size_t g = 1; g <= GROUP && g < e->n; g++) {
        double span = e->value[g] - lowest, gap = e->value[g - 1] - e->value[g];
        size_t rows = 0, chosen = 0;
        for (size_t i = 0; i < g; i++)
            rows += e->rows[i], chosen += (size_t)looks_chosen(e->value[i]);
        int several = rows > g, all_chosen = chosen == g;
        if (!(gap > 0.5 * span) || span <= 0)
            continue;
        if (all_chosen && gap > (several ? 5 : 20) * span && e->n >= g + 3)
            return g;
        double level = all_chosen ? (several ? 1e-2 : 1e-3) : several ? 1e-4 : 1e-6;
        if (chance_of_gap(e, g, middle_below(sorted, m, e->value[g - 1])) < level)
            return g;
    }
    return 0;
}

/* ---- the column --------------------------------------------------------------------------------------------------- */

static int is_told(const lam_lone *out, double v)
{
    for (size_t i = 0; i < out->n; i++)
        if (lam_is_same(v, out->value[i]))
            return 1;
    return 0;
}

/* One end, without the values that were found at the other: sign 1 its high end. */
static void find_at_end(const double *x, size_t n, double sign, const double *sorted, size_t m, double lowest, lam_lone *out)
{
    extremes e = { .n = 0 };
    for (size_t i = 0; i < n; i++)
        look(&e, sign * x[i]);
    size_t g = alone(&e, sorted, m, lowest);
    for (size_t i = 0; i < g && out->n < LAM_LONE; i++) {
        out->value[out->n] = sign * e.value[i];
        out->rows[out->n++] = e.rows[i];
    }
}

/* Mean and spread of what is not told of; and whether that is worth telling. */
static int measure_others(const double *x, size_t n, double *room, lam_lone *out)
{
    lam_column_moments all, others;
    size_t kept = 0, rows = 0;
    int chosen = 1;
    for (size_t i = 0; i < n; i++)
        if (!is_told(out, x[i]))
            room[kept++] = x[i];
    if (kept == 0)
        return 0;
    lam_moments_of(x, n, 1, &all);
    lam_moments_of(room, kept, 1, &others);
    out->low = others.low, out->high = others.high;
    out->deviation = all.deviation, out->without = others.deviation;
    for (size_t i = 0; i < out->n; i++)
        chosen &= looks_chosen(out->value[i]), rows += out->rows[i];
    return others.deviation < 0.5 * all.deviation || (chosen && rows > out->n);
}

/* room [n], sorted [m]. */
static void find(const double *x, size_t n, double *room, double *sorted, size_t m, lam_lone *out)
{
    for (int turn = 0; turn < 4 && out->n < LAM_LONE; turn++) { /* each end again when the other's are gone */
        double sign = turn % 2 == 0 ? 1 : -1, lowest = HUGE_VAL;
        size_t kept = 0, before = out->n;
        for (size_t i = 0; i < n; i++)
            if (!is_told(out, x[i])) {
                room[kept++] = x[i];
                lowest = fmin(lowest, sign * x[i]);
            }
        size_t looks = kept < m ? kept : m;
        for (size_t i = 0; i < looks; i++)
            sorted[i] = sign * room[(size_t)((double)i * ((double)kept / (double)looks))];
        lam_sort_ascending(sorted, looks);
        if (kept > 0)
            find_at_end(room, kept, sign, sorted, looks, lowest, out);
        if (out->n == before && turn > 0)
            break;
    }
    if (out->n > 0 && !measure_others(x, n, room, out))
        out->n = 0;
}

lam_status lam_lone_find(const double *x, size_t n, const char *folder, lam_lone *out)
{
    size_t m = n < SAMPLE ? n : SAMPLE;
    *out = (lam_lone) { 0 };
    if (n < 10)
        return LAM_OK;
    double *room = lam_room_take(folder, n, sizeof *room), *sorted = lam_alloc(m, sizeof *sorted);
    lam_status status = room == NULL || sorted == NULL ? LAM_ERR_MEMORY : LAM_OK;
    if (status == LAM_OK)
        find(x, n, room, sorted, m, out);
    lam_room_give(folder, room);
    lam_free(sorted);
    return status;
}

/* ---- which columns to look at ------------------------------------------------------------------------------------- */

/* Both ends of a column: by -x, and by x. */
typedef struct both {
    extremes of[2];
    double least[2];
    int is_missing;
} both;

struct lam_lone_ends {
    size_t dim, rows;
    both *of; /* [dim] */
};

lam_status lam_lone_begin(size_t dim, lam_lone_ends **out)
{
    lam_lone_ends *ends = *out = lam_alloc(1, sizeof *ends);
    if (ends == NULL)
        return LAM_ERR_MEMORY;
    ends->dim = dim;
    ends->of = lam_alloc(dim, sizeof *ends->of);
    if (ends->of == NULL) {
        lam_lone_end(ends);
        *out = NULL;
        return LAM_ERR_MEMORY;
    }
    for (size_t j = 0; j < dim; j++)
        ends->of[j].least[0] = ends->of[j].least[1] = HUGE_VAL;
    return LAM_OK;
}

void lam_lone_end(lam_lone_ends *ends)
{
    if (ends == NULL)
        return;
    lam_free(ends->of);
    lam_free(ends);
}

static void look_at_both(both *b, double v)
{
    for (int k = 0; k < 2; k++) {
        double seen = k == 0 ? -v : v;
        look(&b->of[k], seen);
        b->least[k] = fmin(b->least[k], seen);
    }
}

void lam_lone_look(lam_lone_ends *ends, const double *x, size_t n)
{
    size_t dim = ends->dim;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < dim; j++) {
            if (isnan(x[i * dim + j]))
                ends->of[j].is_missing = 1;
            else
                look_at_both(&ends->of[j], x[i * dim + j]);
        }
    ends->rows += n;
}

/* Whether lam_lone_find finds a value at either end when it looks there first, of the cells that are there. sorted [least of SAMPLE and n] */
static int is_alone(const both *b, const double *x, size_t n, size_t stride, double *sorted)
{
    size_t m = n < SAMPLE ? n : SAMPLE, there = 0;
    int found = 0;
    for (int k = 0; k < 2; k++) {
        there = 0;
        for (size_t i = 0; i < m; i++) {
            double v = x[(size_t)((double)i * ((double)n / (double)m)) * stride];
            if (!isnan(v))
                sorted[there++] = (k == 0 ? -1 : 1) * v;
        }
        lam_sort_ascending(sorted, there);
        found |= alone(&b->of[k], sorted, there, b->least[k]) > 0;
    }
    return found || there == 0;
}

lam_status lam_lone_guess(const lam_lone_ends *ends, const double *x, size_t n, size_t *may)
{
    double *sorted = lam_alloc(n < SAMPLE ? n : SAMPLE, sizeof *sorted);
    if (sorted == NULL)
        return LAM_ERR_MEMORY;
    for (size_t j = 0; j < ends->dim; j++) {
        const both *b = &ends->of[j];
        int whole = b->is_missing && n == ends->rows; /* lam_lone_find samples what is there, which is not told here */
        may[j] = ends->rows >= 10 && (whole || is_alone(b, x + j, n, ends->dim, sorted));
    }
    lam_free(sorted);
    return LAM_OK;
}

/* ---- row numbers -------------------------------------------------------------------------------------------------- */

/* Each of the whole numbers from low to high at most once? -1: no memory. */
static int each_once(const double *x, size_t n, size_t stride, double low, size_t range, const char *folder)
{
    unsigned char *seen = lam_room_take(folder, range, 1);
    int once = seen == NULL ? -1 : 1;
    for (size_t i = 0; i < n && once == 1; i++) {
        size_t at = (size_t)(x[i * stride] - low);
        once = !seen[at];
        seen[at] = 1;
    }
    lam_room_give(folder, seen);
    return once;
}

int lam_counts_rows(const double *x, size_t n, size_t stride, const char *folder)
{
    double low = HUGE_VAL, high = -HUGE_VAL;
    size_t up = 0, down = 0;
    for (size_t i = 0; i < n; i++) {
        double v = x[i * stride];
        if (v != floor(v) || fabs(v) > 0x1p53)
            return 0;
        low = fmin(low, v), high = fmax(high, v);
        up += i > 0 && v > x[(i - 1) * stride];
        down += i > 0 && v < x[(i - 1) * stride];
    }
    double range = high - low + 1, count = (double)n;
    if (n < 10 || range > 4 * count)
        return 0;
    if (up == n - 1 || down == n - 1)
        return 1;
    /* n draws of so large a range are all different by an accident of probability exp(-n^2 / 2 range), here below 1e-6 */
    if (range > count && range > count * count / 28)
        return 0;
    return n >= 20 && each_once(x, n, stride, low, (size_t)range, folder) == 1 ? 2 : 0;
}
