/* A column as a function of the base density of the flow that it moves by: u(z), which rises. Known are some values and slopes; between them
 * it is interpolated. */
#ifndef LAM_MODEL_CURVE_H
#define LAM_MODEL_CURVE_H
#include "laminar.h"

typedef struct lam_curve_node {
    double z, u, slope; /* du/dz */
    int known;          /* 0: u and slope are still to be found */
} lam_curve_node;

/* Nodes 2k, 2k + 1 and 2k + 2 are the ends and the middle of panel k. */
typedef struct lam_curve {
    lam_curve_node *node; /* [n], n odd; z ascends */
    size_t n;
} lam_curve;

/* Nodes to be found, from beyond which less than 4e-8 of the base density are on both sides. Free it after a failure too. */
lam_status lam_curve_lay(lam_curve *curve);
void lam_curve_free(lam_curve *curve);
/* Halves the panels in which u may be off by more than a share of about 1e-6 of the base density; grain: what rounding leaves of u, relative to
 * it and to 1. All nodes are known. *news receives the number of those to be found now. */
lam_status lam_curve_refine(lam_curve *curve, double grain, size_t *news);

/* u(z), and its inverse; straight lines beyond the ends. */
double lam_curve_at(const lam_curve *curve, double z);
double lam_curve_inverse(const lam_curve *curve, double u);
/* Integral of the density over the panels, minus their share of the base density: 0 where values and slopes agree. */
double lam_curve_mass_error(const lam_curve *curve);

/* Where f, which does not fall, is 0 between low and high; at the nearer end if it is not. */
double lam_rising_root(double (*f)(const void *self, double x), const void *self, double low, double high);

#endif
