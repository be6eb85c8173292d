/* How many quantiles the map of a column takes: as many as pay on rows that are left out. */
#include "data/maps_inside.h"
#include <math.h>

static void score_halves(const lam_map_halves *h, lam_map_knots *room, const lam_map_cutting *by, double *score)
{
    for (int half = 0; half < 2; half++) {
        const lam_ranked *rows = &h->half[1 - half];
        lam_map_column(room, &h->half[half], by);
        const lam_spline s = lam_map_spline(room);
        for (size_t i = 0; i < rows->entries; i++) {
            double slope, z = lam_spline_at(&s, rows->value[i], &slope);
            *score++ = 0.5 * z * z - log(slope);
        }
    }
}

/* Rows that the entry at a place of best and now stands for. */
static double weight_at(const lam_map_halves *h, size_t i)
{
    size_t first = h->half[1].entries; /* in the order of score_halves */
    return (double)(i < first ? lam_ranked_rows(&h->half[1], i) : lam_ranked_rows(&h->half[0], i - first));
}

/* 1: the mean of now is below that of best by more than the standard error of the difference. */
static int is_better(const lam_map_halves *h)
{
    size_t entries = h->half[0].entries + h->half[1].entries;
    double n = (double)(h->half[0].rows + h->half[1].rows), sum = 0, square = 0;
    for (size_t i = 0; i < entries; i++)
        sum += weight_at(h, i) * (h->best[i] - h->now[i]);
    for (size_t i = 0; i < entries; i++) {
        double off = h->best[i] - h->now[i] - sum / n;
        square += weight_at(h, i) * off * off;
    }
    return sum > 0 && sum * sum > square; /* sum / n > sqrt(square / n) / sqrt(n) */
}

/* Scores a way to cut, and keeps it in best where it is the first or the density of rows that were left out gains by it. */
static void consider(lam_map_halves *h, lam_map_knots *room, lam_map_cutting by, lam_map_cutting *best)
{
    score_halves(h, room, &by, h->now);
    if (best->quantiles > 0 && !is_better(h))
        return;
    double *other = h->best;
    h->best = h->now, h->now = other;
    *best = by;
}

void lam_map_choose(lam_map_halves *h, size_t most, lam_map_knots *room, lam_map_cutting *chosen)
{
    *chosen = (lam_map_cutting) { 0, LAM_MAP_OUTERMOST };
    if (h->half[0].rows > LAM_MAP_ROWS_OF_KNOT && h->half[1].rows > LAM_MAP_ROWS_OF_KNOT) {
        for (size_t wanted = LAM_MAP_FIRST_TRIED; wanted <= most; wanted *= 2)
            consider(h, room, (lam_map_cutting) { wanted, LAM_MAP_OUTERMOST }, chosen);
        for (size_t rows = LAM_MAP_OUTERMOST / 2; rows > 0; rows /= 2)
            consider(h, room, (lam_map_cutting) { chosen->quantiles, rows }, chosen);
    }
    if (chosen->quantiles == 0)
        chosen->quantiles = LAM_MAP_FIRST_TRIED;
}
