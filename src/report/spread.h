/* How numbers are spread, for pictures of them: ranges to show, bins of histograms, smoothed densities of pairs. */
#ifndef LAM_REPORT_SPREAD_H
#define LAM_REPORT_SPREAD_H
#include "base/sort.h"
#include "laminar.h"

/* n is at least 1. */
/* The quantile of sorted values, by linear interpolation. */
double lam_spread_quantile(const double *sorted, size_t n, double part);
/* The range that shows sorted values: all of them if they have no long tails, else from the 0.5 % to the 99.5 % quantile and a
 * quarter of that beyond each; and a little air. Of equal values a range around them. */
void lam_spread_range(const double *sorted, size_t n, double range[2]);

enum { LAM_MOST_BINS = 60 };
typedef struct lam_bins {
    size_t n;
    double edges[LAM_MOST_BINS + 1];
} lam_bins;
/* Even bins over a range: as wide as Freedman and Diaconis (1981) have them, 8 to LAM_MOST_BINS. Values that are few and stand
 * evenly apart are each in the middle of a bin of their own, or of a bin for as many of them as the others hold. */
void lam_spread_bins(const double *sorted, size_t n, const double range[2], lam_bins *bins);
/* Heights [bins->n] so that bars have the share of values in them as area: those outside count in n alone. */
void lam_spread_heights(const double *sorted, size_t n, const lam_bins *bins, double *heights);

/* Pairs of numbers, every stride-th of x and y, n of them; and the rectangle in which they are looked at. */
typedef struct lam_pairs {
    const double *x, *y;
    size_t stride, n;
    const double *x_range, *y_range; /* [2] */
} lam_pairs;
/* z [side, side] over the rectangle, rows of y: the share of the pairs per cell, smoothed by a Gaussian of 0.7 of Scott's (1992)
 * width or at least 0.7 cells. Pairs outside are left out. */
lam_status lam_spread_pairs(const lam_pairs *pairs, size_t side, double *z);
/* The level of that z which a part of the pairs lie above (Hyndman 1996): those themselves, not what smoothing makes of them, which is
 * wider. Pairs outside lie below all others. */
lam_status lam_spread_level(const lam_pairs *pairs, size_t side, const double *z, double part, double *level);

#endif
