/* Column maps from training rows. The sorted values of a column are cut into groups of equally many, smaller and smaller towards both ends;
 * a group's mean value is mapped to the mean normal score of its ranks. Groups are what smooths: the density between two knots is
 * that of all rows of their groups, not of the gap between two rows. Only a tail whose outermost row lies far away gets groups of few rows. */
#include "base/error.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/room.h"
#include "data/levels.h"
#include "data/maps.h"
#include "data/moments.h"
#include "data/normal.h"
#include "data/present.h"
#include <math.h>
#include <string.h>

static const double NEAREST = 1e-4; /* knots nearer than this, of the range of the middle 98 %, become one */
static const double TAIL_ROWS = 10; /* of each tail say how steep the line beyond it is */
enum {
    FEWEST = 2,
    ROWS_OF_KNOT = 5, /* at least */
    FIRST_TRIED = 4,  /* quantiles of the first map that a column may get, where their number is chosen */
    TAIL_GROUPS = 64, /* of a tail, at the most: sizes are halved */
    OUTERMOST = 8,    /* rows of the outermost group, but for tails whose last row is far away */
};
static const double FAR = 1.5; /* in normal scores: so much further out than its rank says a row may be mapped by the line beyond */

/* So many of n rows at the most. */
static size_t within(size_t n, size_t knots)
{
    size_t most = n / ROWS_OF_KNOT < FEWEST ? FEWEST : n / ROWS_OF_KNOT;
    return knots < FEWEST ? FEWEST : knots < most ? knots : most;
}

/* A column's knots while they are found. */
typedef struct knots {
    size_t n;
    double *x, *z, *weight; /* weight: rows behind the knot */
    double *slope;
    size_t *end;            /* of the groups: the first rank that is not in it */
} knots;

static lam_status make_room(knots *k, size_t wanted)
{
    size_t most = wanted + 2 * TAIL_GROUPS + 1;
    k->x = lam_alloc(4 * most, sizeof *k->x);
    k->end = lam_alloc(most, sizeof *k->end);
    if (k->x == NULL || k->end == NULL)
        return LAM_ERR_MEMORY;
    k->z = k->x + most, k->weight = k->x + 2 * most, k->slope = k->x + 3 * most;
    return LAM_OK;
}

static void clear(knots *k)
{
    lam_free(k->x);
    lam_free(k->end);
}

/* ---- groups ------------------------------------------------------------------------------------------------------- */

/* How many of sorted [n] are below value (or_equal 1: or equal to it). */
static size_t count_below(const double *sorted, size_t n, double value, int or_equal)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sorted[middle] < value || (or_equal && sorted[middle] == value))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A group ends at that rank, or, as no value is to be in two groups, at the nearer end of those that are equal there. */
static void add_end(knots *k, size_t *groups, double rank, const double *sorted, size_t n)
{
    size_t end = (size_t)(rank + 0.5), before = *groups > 0 ? k->end[*groups - 1] : 0;
    if (end > 0 && end < n && sorted[end - 1] == sorted[end]) {
        size_t first = count_below(sorted, n, sorted[end], 0), last = count_below(sorted, n, sorted[end], 1);
        end = end - first < last - end ? first : last;
    }
    if (end > before && end <= n)
        k->end[(*groups)++] = end;
}

/* How often a group of so many rows is halved until the outermost part has at most so few. */
static int halvings(double each, size_t outermost)
{
    return each > (double)outermost ? (int)ceil(log2(each / (double)outermost)) : 0;
}

/* Wanted groups of n / wanted ranks each, the first and the last cut into ever smaller ones, down to so many rows. Returns how many. */
static size_t cut(knots *k, const double *sorted, size_t n, size_t wanted, const size_t outermost[2])
{
    double each = (double)n / (double)wanted;
    size_t groups = 0;
    for (int i = halvings(each, outermost[0]); i >= 1; i--)
        add_end(k, &groups, ldexp(each, -i), sorted, n);
    for (size_t i = 1; i < wanted; i++)
        add_end(k, &groups, (double)i * each, sorted, n);
    for (int i = 1; i <= halvings(each, outermost[1]); i++)
        add_end(k, &groups, (double)n - ldexp(each, -i), sorted, n);
    add_end(k, &groups, (double)n, sorted, n);
    return groups;
}

/* The mean of the normal scores between two shares of the distribution is (density at the first - density at the last) / share. */
static double density_below(size_t rank, size_t n)
{
    return rank == 0 || rank == n ? 0 : lam_normal_density(lam_normal_quantile((double)rank / (double)n));
}

static double mean_of(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] - x[0];
    return x[0] + sum / (double)n;
}

/* The least distance of two knots of sorted [n]: of the range of the middle 98 %, or, where these are one value, of more of them. */
static double nearest(const double *sorted, size_t n)
{
    size_t tail = n < 3 ? 0 : (n + 99) / 100; /* one row at least: it may lie far away */
    while (tail > 0 && sorted[n - 1 - tail] == sorted[tail])
        tail /= 4;
    return NEAREST * (sorted[n - 1 - tail] - sorted[tail]);
}

/* A group becomes a knot, or, where it lies too near to the last one (as of rows that share a value), a part of that. */
static void add_knot(knots *k, double x, double z, double weight, double apart)
{
    if (k->n > 0 && !(x - k->x[k->n - 1] > apart)) {
        double *last = &k->weight[k->n - 1], share = weight / (*last + weight);
        k->x[k->n - 1] += share * (x - k->x[k->n - 1]);
        k->z[k->n - 1] += share * (z - k->z[k->n - 1]);
        *last += weight;
        return;
    }
    k->x[k->n] = x;
    k->z[k->n] = z;
    k->weight[k->n++] = weight;
}

static void find_knots(knots *k, const double *sorted, size_t n, size_t groups)
{
    double apart = nearest(sorted, n), above = 0;
    size_t from = 0;
    k->n = 0;
    for (size_t g = 0; g < groups; g++) {
        size_t rows = k->end[g] - from;
        double below = above;
        above = density_below(k->end[g], n);
        add_knot(k, mean_of(sorted + from, rows), (below - above) * (double)n / (double)rows, (double)rows, apart);
        from = k->end[g];
    }
}

/* ---- slopes ------------------------------------------------------------------------------------------------------- */

/* The knots of a tail (side -1: the lower one), counted from its end. */
static size_t knot_at(const knots *k, int side, size_t i)
{
    return side < 0 ? i : k->n - 1 - i;
}

/* From a knot of a tail to the first further inside that has at least this normal score, counted from that tail. */
static double secant(const knots *k, int side, size_t from, double score)
{
    size_t i = from + 1;
    while (i + 1 < k->n && -side * k->z[knot_at(k, side, i)] < score)
        i++;
    size_t one = knot_at(k, side, from), other = knot_at(k, side, i);
    return (k->z[other] - k->z[one]) / (k->x[other] - k->x[one]);
}

/* Of the line beyond a knot of a tail: what the outermost rows together say, for the gap between the last two may be anything; and never
 * steeper than half of the distribution is, so that a row a little further out is no wonder. */
static double tail_slope(const knots *k, int side, size_t from, size_t n)
{
    double rows = fmin(0.25, TAIL_ROWS / (double)n);
    return fmin(secant(k, side, from, lam_normal_quantile(rows)), secant(k, side, from, 0));
}

/* Two numbers with nothing between them, or values that are all but one: a straight line. */
static void straight(knots *k, double middle)
{
    k->n = 2;
    k->x[0] = middle - 1, k->x[1] = middle + 1;
    k->z[0] = -1, k->z[1] = 1;
    k->slope[0] = k->slope[1] = 1;
}

/* ---- columns ------------------------------------------------------------------------------------------------------ */

static lam_spline spline_of(const knots *k)
{
    return (lam_spline) { k->n, k->x, k->z, k->slope };
}

/* 1: the line beyond the last knot but one of a tail takes the outermost row much further out than the normal score of its rank. The last
 * knot does not say it, for a row that is far away moves that. */
static int is_far(const knots *k, int side, const double *sorted, size_t n)
{
    if (k->n <= FEWEST)
        return 1;
    size_t knot = knot_at(k, side, 1);
    double out = side * (k->z[knot] + tail_slope(k, side, 1, n) * (sorted[side < 0 ? 0 : n - 1] - k->x[knot]));
    return out > density_below(1, n) * (double)n + FAR;
}

/* How a column is cut: so many groups, and so many rows, or fewer, in the outermost ones. */
typedef struct cutting {
    size_t quantiles, outermost;
} cutting;

/* The map of a column, into k. Where the outermost row of a tail is far away, its outermost group is halved, down to that row: groups of
 * single rows bend a map by what is chance in their gaps, so a tail gets them only in need. */
static void fit_column(knots *k, const double *sorted, size_t n, const cutting *by)
{
    size_t outermost[2] = { by->outermost, by->outermost }, wanted = within(n, by->quantiles);
    for (int again = 1; again;) {
        find_knots(k, sorted, n, cut(k, sorted, n, wanted, outermost));
        again = 0;
        for (int i = 0; i < 2; i++)
            if (outermost[i] > 1 && is_far(k, 2 * i - 1, sorted, n))
                outermost[i] /= 2, again = 1;
    }
    if (k->n >= FEWEST)
        lam_spline_slopes(k->x, k->z, k->n, tail_slope(k, -1, 0, n), tail_slope(k, 1, 0, n), k->slope);
    const lam_spline s = spline_of(k);
    if (!lam_spline_is_sound(&s))
        straight(k, sorted[n / 2]);
}

/* ---- how many quantiles ------------------------------------------------------------------------------------------- */

/* Every other row of a column, by chance: each half is scored by the map of the other. */
typedef struct halves {
    size_t n[2];
    double *sorted[2]; /* of one allocation, with the two below */
    double *best, *now; /* [n[0] + n[1]] -log density of each row */
} halves;

static lam_status make_halves(halves *h, const double *x, size_t n, const char *folder)
{
    double *room = lam_room_take(folder, n, 3 * sizeof *room);
    if (room == NULL)
        return LAM_ERR_MEMORY;
    size_t first = 0, last = n;
    for (size_t i = 0; i < n; i++) {
        int one = lam_random_uniform(0, LAM_DRAW_MAP, 0, i) < 0.5;
        room[one ? first++ : --last] = x[i];
    }
    *h = (halves) { .n = { first, n - first }, .sorted = { room, room + first }, .best = room + n, .now = room + 2 * n };
    lam_sort_ascending(h->sorted[0], h->n[0]);
    lam_sort_ascending(h->sorted[1], h->n[1]);
    return LAM_OK;
}

static void score_halves(const halves *h, knots *room, const cutting *by, double *score)
{
    for (int half = 0; half < 2; half++) {
        const double *rows = h->sorted[1 - half];
        size_t n = h->n[1 - half];
        fit_column(room, h->sorted[half], h->n[half], by);
        const lam_spline s = spline_of(room);
        for (size_t i = 0; i < n; i++) {
            double slope, z = lam_spline_at(&s, rows[i], &slope);
            *score++ = 0.5 * z * z - log(slope);
        }
    }
}

/* 1: the mean of now is below that of best by more than the standard error of the difference. */
static int is_better(const halves *h)
{
    double n = (double)(h->n[0] + h->n[1]), sum = 0, square = 0;
    for (size_t i = 0; i < h->n[0] + h->n[1]; i++)
        sum += h->best[i] - h->now[i];
    for (size_t i = 0; i < h->n[0] + h->n[1]; i++)
        square += (h->best[i] - h->now[i] - sum / n) * (h->best[i] - h->now[i] - sum / n);
    return sum > 0 && sum * sum > square; /* sum / n > sqrt(square / n) / sqrt(n) */
}

/* Scores a way to cut, and keeps it in best where it is the first or the density of rows that were left out gains by it. */
static void consider(halves *h, knots *room, cutting by, cutting *best)
{
    score_halves(h, room, &by, h->now);
    if (best->quantiles > 0 && !is_better(h))
        return;
    double *other = h->best;
    h->best = h->now, h->now = other;
    *best = by;
}

/* Of 4, 8, 16 ... up to most the number of quantiles that is enough, and then of 8, 4, 2 and 1 the rows of the outermost groups: few where
 * a column ends at an edge, more where it has tails. */
static lam_status choose(knots *room, const double *x, size_t n, const char *folder, size_t most, cutting *chosen)
{
    halves h;
    *chosen = (cutting) { 0, OUTERMOST };
    LAM_TRY(make_halves(&h, x, n, folder));
    if (h.n[0] > ROWS_OF_KNOT && h.n[1] > ROWS_OF_KNOT) {
        for (size_t wanted = FIRST_TRIED; wanted <= most; wanted *= 2)
            consider(&h, room, (cutting) { wanted, OUTERMOST }, chosen);
        for (size_t rows = OUTERMOST / 2; rows > 0; rows /= 2)
            consider(&h, room, (cutting) { chosen->quantiles, rows }, chosen);
    }
    if (chosen->quantiles == 0)
        chosen->quantiles = FIRST_TRIED;
    lam_room_give(folder, h.sorted[0]);
    return LAM_OK;
}

size_t lam_maps_most_knots(size_t n)
{
    return within(n, (size_t)(2 * sqrt((double)n)));
}

/* ---- all columns -------------------------------------------------------------------------------------------------- */

/* The map of the cells of a column that are there, x [n], which are sorted. */
static lam_status fit_present(double *x, size_t n, const char *folder, size_t wanted, knots *room)
{
    size_t most = lam_maps_most_knots(n);
    cutting by = { wanted, OUTERMOST };
    LAM_TRY(make_room(room, wanted > 0 ? within(n, wanted) : most + FIRST_TRIED));
    if (wanted == 0)
        LAM_TRY(choose(room, x, n, folder, most, &by));
    lam_sort_ascending(x, n);
    fit_column(room, x, n, &by);
    return LAM_OK;
}

/* Levels are no numbers: their map changes nothing. */
static lam_status leave_levels(knots *room)
{
    LAM_TRY(make_room(room, FEWEST));
    straight(room, 0);
    return LAM_OK;
}

static lam_status fit_columns(const lam_maps_rows *of, size_t wanted, knots *room, double *present, size_t *count, lam_maps **out)
{
    size_t dim = of->dim;
    for (size_t j = 0; j < dim; j++) {
        size_t there = lam_present_cells(of->x + j, of->n, dim, present);
        LAM_TRY(lam_levels_are_text(of->levels, j) ? leave_levels(&room[j]) : fit_present(present, there, of->folder, wanted, &room[j]));
        count[j] = room[j].n;
    }
    LAM_TRY(lam_maps_create(dim, count, out));
    for (size_t j = 0; j < dim; j++) {
        const double *parts[LAM_MAP_TABLE] = { room[j].x, room[j].z, room[j].slope };
        for (size_t p = 0; p < LAM_MAP_TABLE; p++)
            memcpy((*out)->table[j] + p * count[j], parts[p], count[j] * sizeof(double));
    }
    return LAM_OK;
}

lam_status lam_maps_fit(const lam_maps_rows *of, size_t wanted, lam_maps **out)
{
    *out = NULL;
    knots *room = lam_alloc(of->dim, sizeof *room);
    double *sorted = lam_room_take(of->folder, of->n, sizeof *sorted);
    size_t *count = lam_alloc(of->dim, sizeof *count);
    lam_status status = room == NULL || sorted == NULL || count == NULL ? LAM_ERR_MEMORY : LAM_OK;
    if (status == LAM_OK)
        status = fit_columns(of, wanted, room, sorted, count, out);
    for (size_t j = 0; room != NULL && j < of->dim; j++)
        clear(&room[j]);
    lam_free(room);
    lam_room_give(of->folder, sorted);
    lam_free(count);
    return status;
}
