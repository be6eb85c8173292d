/* Axes of a chart: range, round ticks, their labels. */
#ifndef LAM_REPORT_AXIS_H
#define LAM_REPORT_AXIS_H
#include "laminar/plot.h"

enum { LAM_AXIS_TICKS = 32, LAM_AXIS_LABEL = 32 };

typedef struct lam_axis {
    double low, high; /* what is shown, low < high; both above 0 on a logarithmic axis */
    int log;
    size_t n_ticks;
    double ticks[LAM_AXIS_TICKS]; /* ascending, within [low, high] */
    double step;                  /* between ticks; 0 where it varies */
    /* Labels say (value - offset) / unit where the values themselves would be too long; else 0 and 1. */
    double offset, unit;
} lam_axis;

/* An axis from low to high with about `wanted` ticks. A range without extent is widened; one that is not finite (or, on a
 * logarithmic axis, not above 0) becomes [0, 1] ([1, 10]). */
void lam_axis_make(lam_axis *axis, double low, double high, int log, size_t wanted);
/* Where value lies: 0 at low, 1 at high, beyond them outside. NaN for what has no place. */
double lam_axis_at(const lam_axis *axis, double value);
/* "0.25", "200k", "1.5M", "−3" (UTF-8): as many digits as the ticks need. */
void lam_axis_label(const lam_axis *axis, double value, char text[LAM_AXIS_LABEL]);
/* What has to be said of the labels: "minus 1013250", "in 1e−6", "minus 12e9, in 1e−6"; "" if nothing. */
void lam_axis_remark(const lam_axis *axis, char text[2 * LAM_AXIS_LABEL]);

/* What an axis of a panel has to show of its series, before what the panel asks for itself: with air above and below. low > high: there
 * is nothing. And of the numbers of its maps, or what the panel asks for. */
void lam_axis_range(const lam_panel *panel, int vertical, double *low, double *high);
void lam_axis_z_range(const lam_panel *panel, double z[2]);

#endif
