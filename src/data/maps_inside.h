/* How the map of a column is made, for those that fit all of them. */
#ifndef LAM_DATA_MAPS_INSIDE_H
#define LAM_DATA_MAPS_INSIDE_H
#include "base/ranked.h"
#include "data/maps.h"

enum { LAM_MAP_ROWS_OF_KNOT = 5 /* at least */, LAM_MAP_OUTERMOST = 8 /* rows of the outermost group, but for tails whose last row is far away */ };

/* A column's knots while they are found. */
typedef struct lam_map_knots {
    size_t n;
    double *x, *z, *weight; /* weight: rows behind the knot */
    double *slope;
    size_t *end;            /* of the groups: the first rank that is not in it */
} lam_map_knots;

/* Room for so many groups of the same size. Cleared by the caller, failing or not. */
lam_status lam_map_knots_create(lam_map_knots *knots, size_t wanted);
void lam_map_knots_clear(lam_map_knots *knots);
lam_spline lam_map_spline(const lam_map_knots *knots);

/* How a column is cut: so many groups, and so many rows, or fewer, in the outermost ones. */
typedef struct lam_map_cutting {
    size_t quantiles, outermost;
} lam_map_cutting;
size_t lam_map_within(size_t n, size_t knots); /* so many of n rows at the most */
/* The map of a column of two rows or more, into knots with room for by->quantiles. */
void lam_map_column(lam_map_knots *knots, const lam_ranked *column, const lam_map_cutting *by);

/* Of two numbers with nothing between them, and of values that are all but one: a straight line of slope 1 through (middle, 0). */
void lam_map_straight(lam_map_knots *knots, double middle);

/* The rows of a column in two halves, by chance: each is scored by the map of the other. */
typedef struct lam_map_halves {
    lam_ranked half[2];
    double *best, *now; /* [entries of both] room: -log density of each entry */
} lam_map_halves;
/* Of 4, 8, 16 ... up to most the number of quantiles that is enough, and then of 8, 4, 2 and 1 the rows of the outermost groups: few where
 * a column ends at an edge, more where it has tails. knots: room for most + LAM_MAP_FIRST_TRIED quantiles. */
enum { LAM_MAP_FIRST_TRIED = 4 };
void lam_map_choose(lam_map_halves *halves, size_t most, lam_map_knots *knots, lam_map_cutting *chosen);

/* The map of a column of a reading (maps.h) that is not of text, of each value v as (v - mean) / scale. Its sketches are freed. */
lam_status lam_maps_reading_fit(lam_maps_reading *reading, size_t column, size_t wanted, double mean, double scale, lam_map_knots *knots);
int lam_maps_reading_has(const lam_maps_reading *reading, size_t column); /* 0: it is of text */

#endif
