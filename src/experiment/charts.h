/* The charts of one data set at one tolerance. */
#ifndef LAM_EXPERIMENT_CHARTS_H
#define LAM_EXPERIMENT_CHARTS_H
#include "experiment/figures.h"
#include "laminar/plot.h"

typedef enum lam_chart { LAM_CHART_SECONDS, LAM_CHART_CALLS, LAM_CHART_NFE, LAM_CHART_PARETO, LAM_CHARTS } lam_chart;
/* "seconds", "calls", "nfe", "pareto": in names of files. */
const char *lam_chart_name(lam_chart chart);

typedef struct lam_charts {
    lam_panel panels[LAM_CHARTS]; /* without title */
    lam_series *legend;           /* [n_legend] a group each: name, colour and line alone */
    size_t n_legend;
    /* what the above points to */
    lam_series *series[LAM_CHARTS];
    char (*labels)[128];
    double **arrays;
    size_t n_arrays;
} lam_charts;

/* Of groups [n], which are of the same data and tolerance. Curves are means over seeds at equal iteration. */
lam_status lam_charts_make(const lam_experiment *e, const lam_measurement *m, const lam_group *groups, size_t n, lam_charts *out);
void lam_charts_clear(lam_charts *charts); /* takes a zeroed one */
/* 1 if the chart shows anything. */
int lam_chart_shows(const lam_charts *charts, lam_chart chart);

#endif
