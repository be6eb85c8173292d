/* The step controller: from the error ratio of a step to whether it is accepted, and to the length of the next one. All that decides
 * about steps is here, the safety factor, the limits of growth, landing on end times, h*; what a ratio is: norm_w.c (method.md 5).
 * Nothing here depends on the width. */
#ifndef LAM_ODE_CONTROLLER_H
#define LAM_ODE_CONTROLLER_H
#include "ode/options.h"

typedef struct lam_controller {
    const lam_solve_options *options;
    double start, end, direction, span; /* direction: 1 or -1; span: |end - start| */
    double h;             /* length of the next attempt, signed */
    double ratio;         /* of the last one */
    size_t even, taken;   /* an even plan of so many steps, and those behind us; 0: the ratios decide */
    double planned;       /* end of the attempt in hand before landing */
    int probes;           /* 1: the first length is to be found by a probe */
    int own;              /* 1: h is a first or a shortened length, not what a landing has left over */
} lam_controller;

lam_controller lam_controller_begin(const lam_solve_options *options, double start, double end);

/* Lengths for the first step by a probe (Hairer, Norsett and Wanner I, II.4): of the probe, from the norms of y0 and f0; and of the step,
 * from that of (f1 - f0) / probe as well. Both without a sign. */
double lam_controller_probe(double norm_y, double norm_f);
double lam_controller_first(const lam_tableau *table, double probe, double norm_f, double norm_f_1);

/* Where the next attempt from t ends; limit is the nearest time not to be stepped past, unless the options let a solve overshoot. */
double lam_controller_next(lam_controller *controller, double t, double limit);
/* NULL, or why there is no next attempt after so many. */
const char *lam_controller_gives_up(const lam_controller *controller, size_t attempts);
/* Whether the attempt of length h that ended there, with this ratio, is accepted; sets the next length. */
int lam_controller_accepts(lam_controller *controller, double h, double end, double ratio);
/* 1: an accepted step that ended there was the last. */
int lam_controller_arrived(const lam_controller *controller, double end);

/* The controller's own next length after a step of length h with this ratio, without limits: 0.9 |h| ratio^(-1/exponent). */
double lam_controller_proposal(const lam_tableau *table, double h, double ratio);
/* h*: the smallest of the proposals of n accepted steps of lengths h, those shorter than a tenth of the longest left out. */
double lam_controller_h_star(size_t n, const double *h, const double *proposal, double span);

/* End of step i of n even ones; of steps taken again (options->replay), whose own end is `again`. The last one lands on the end of the solve,
 * unless it is a replay of a solve that overshot. */
double lam_controller_planned(const lam_controller *controller, size_t i, size_t n, double again);

#endif
