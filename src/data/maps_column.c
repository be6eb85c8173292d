/* The map of one column. Its sorted values are cut into groups of equally many rows, smaller and smaller towards both ends; a group's mean value is
 * mapped to the mean normal score of its ranks. Groups are what smooths: the density between two knots is that of all rows of their groups, not of
 * the gap between two rows. Only a tail whose outermost row lies far away gets groups of few rows. */
#include "data/maps_inside.h"
#include "base/error.h"
#include "base/mem.h"
#include "data/normal.h"
#include <math.h>

static const double NEAREST = 1e-4; /* knots nearer than this, of the range of the middle 98 %, become one */
static const double TAIL_ROWS = 10; /* of each tail say how steep the line beyond it is */
enum {
    FEWEST = 2,
    TAIL_GROUPS = 64, /* of a tail, at the most: sizes are halved */
};
static const double FAR = 1.5; /* in normal scores: so much further out than its rank says a row may be mapped by the line beyond */

size_t lam_map_within(size_t n, size_t knots)
{
    size_t most = n / LAM_MAP_ROWS_OF_KNOT < FEWEST ? FEWEST : n / LAM_MAP_ROWS_OF_KNOT;
    return knots < FEWEST ? FEWEST : knots < most ? knots : most;
}

lam_status lam_map_knots_create(lam_map_knots *k, size_t wanted)
{
    size_t most = wanted + 2 * TAIL_GROUPS + 1;
    k->x = lam_alloc(4 * most, sizeof *k->x);
    k->end = lam_alloc(most, sizeof *k->end);
    if (k->x == NULL || k->end == NULL)
        return LAM_ERR_MEMORY;
    k->z = k->x + most, k->weight = k->x + 2 * most, k->slope = k->x + 3 * most;
    return LAM_OK;
}

void lam_map_knots_clear(lam_map_knots *k)
{
    lam_free(k->x);
    lam_free(k->end);
}

lam_spline lam_map_spline(const lam_map_knots *k)
{
    return (lam_spline) { k->n, k->x, k->z, k->slope };
}

/* ---- groups ------------------------------------------------------------------------------------------------------- */

/* A group ends at that rank, or, as no value is to be in two groups, at the nearer end of those that are equal there. */
static void add_end(lam_map_knots *k, size_t *groups, double rank, const lam_ranked *column)
{
    size_t end = (size_t)(rank + 0.5), before = *groups > 0 ? k->end[*groups - 1] : 0, n = column->rows;
    double value = end > 0 && end < n ? lam_ranked_at(column, end) : 0;
    if (end > 0 && end < n && lam_ranked_at(column, end - 1) == value) {
        size_t first = lam_ranked_below(column, value, 0), last = lam_ranked_below(column, value, 1);
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
static size_t cut(lam_map_knots *k, const lam_ranked *column, size_t wanted, const size_t outermost[2])
{
    size_t n = column->rows;
    double each = (double)n / (double)wanted;
    size_t groups = 0;
    for (int i = halvings(each, outermost[0]); i >= 1; i--)
        add_end(k, &groups, ldexp(each, -i), column);
    for (size_t i = 1; i < wanted; i++)
        add_end(k, &groups, (double)i * each, column);
    for (int i = 1; i <= halvings(each, outermost[1]); i++)
        add_end(k, &groups, (double)n - ldexp(each, -i), column);
    add_end(k, &groups, (double)n, column);
    return groups;
}

/* The mean of the normal scores between two shares of the distribution is (density at the first - density at the last) / share. */
static double density_below(size_t rank, size_t n)
{
    return rank == 0 || rank == n ? 0 : lam_normal_density(lam_normal_quantile((double)rank / (double)n));
}

/* The least distance of two knots: of the range of the middle 98 % of the rows, or, where these are one value, of more of them. */
static double nearest(const lam_ranked *column)
{
    size_t n = column->rows, tail = n < 3 ? 0 : (n + 99) / 100; /* one row at least: it may lie far away */
    while (tail > 0 && lam_ranked_at(column, n - 1 - tail) == lam_ranked_at(column, tail))
        tail /= 4;
    return NEAREST * (lam_ranked_at(column, n - 1 - tail) - lam_ranked_at(column, tail));
}

/* A group becomes a knot, or, where it lies too near to the last one (as of rows that share a value), a part of that. */
static void add_knot(lam_map_knots *k, double x, double z, double weight, double apart)
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

static void find_knots(lam_map_knots *k, const lam_ranked *column, size_t groups)
{
    double apart = nearest(column), above = 0;
    size_t from = 0, n = column->rows;
    k->n = 0;
    for (size_t g = 0; g < groups; g++) {
        size_t rows = k->end[g] - from;
        double below = above;
        above = density_below(k->end[g], n);
        add_knot(k, lam_ranked_mean(column, from, k->end[g]), (below - above) * (double)n / (double)rows, (double)rows, apart);
        from = k->end[g];
    }
}

/* ---- slopes ------------------------------------------------------------------------------------------------------- */

/* The knots of a tail (side -1: the lower one), counted from its end. */
static size_t knot_at(const lam_map_knots *k, int side, size_t i)
{
    return side < 0 ? i : k->n - 1 - i;
}

/* From a knot of a tail to the first further inside that has at least this normal score, counted from that tail. */
static double secant(const lam_map_knots *k, int side, size_t from, double score)
{
    size_t i = from + 1;
    while (i + 1 < k->n && -side * k->z[knot_at(k, side, i)] < score)
        i++;
    size_t one = knot_at(k, side, from), other = knot_at(k, side, i);
    return (k->z[other] - k->z[one]) / (k->x[other] - k->x[one]);
}

/* Of the line beyond a knot of a tail: what the outermost rows together say, for the gap between the last two may be anything; and never
 * steeper than half of the distribution is, so that a row a little further out is no wonder. */
static double tail_slope(const lam_map_knots *k, int side, size_t from, size_t n)
{
    double rows = fmin(0.25, TAIL_ROWS / (double)n);
    return fmin(secant(k, side, from, lam_normal_quantile(rows)), secant(k, side, from, 0));
}

void lam_map_straight(lam_map_knots *k, double middle)
{
    k->n = 2;
    k->x[0] = middle - 1, k->x[1] = middle + 1;
    k->z[0] = -1, k->z[1] = 1;
    k->slope[0] = k->slope[1] = 1;
}

/* ---- columns ------------------------------------------------------------------------------------------------------ */

/* 1: the line beyond the last knot but one of a tail takes the outermost row much further out than the normal score of its rank. The last
 * knot does not say it, for a row that is far away moves that. */
static int is_far(const lam_map_knots *k, int side, const lam_ranked *column)
{
    size_t n = column->rows;
    if (k->n <= FEWEST)
        return 1;
    size_t knot = knot_at(k, side, 1);
    double out = side * (k->z[knot] + tail_slope(k, side, 1, n) * (lam_ranked_at(column, side < 0 ? 0 : n - 1) - k->x[knot]));
    return out > density_below(1, n) * (double)n + FAR;
}

/* Where the outermost row of a tail is far away, its outermost group is halved, down to that row: groups of single rows bend a map by what is
 * chance in their gaps, so a tail gets them only in need. */
void lam_map_column(lam_map_knots *k, const lam_ranked *column, const lam_map_cutting *by)
{
    size_t n = column->rows, outermost[2] = { by->outermost, by->outermost }, wanted = lam_map_within(n, by->quantiles);
    for (int again = 1; again;) {
        find_knots(k, column, cut(k, column, wanted, outermost));
        again = 0;
        for (int i = 0; i < 2; i++)
            if (outermost[i] > 1 && is_far(k, 2 * i - 1, column))
                outermost[i] /= 2, again = 1;
    }
    if (k->n >= FEWEST)
        lam_spline_slopes(k->x, k->z, k->n, tail_slope(k, -1, 0, n), tail_slope(k, 1, 0, n), k->slope);
    const lam_spline s = lam_map_spline(k);
    if (!lam_spline_is_sound(&s))
        lam_map_straight(k, lam_ranked_at(column, n / 2));
}
