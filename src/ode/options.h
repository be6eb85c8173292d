/* What a solve is asked for, whatever its width. */
#ifndef LAM_ODE_OPTIONS_H
#define LAM_ODE_OPTIONS_H
#include "ode/tableau.h"
#include "base/config.h"
#include "laminar/measure.h"

/* The attempted steps of controlled solves, in their order. Zeros: none yet. */
typedef struct lam_step_log {
    lam_step *step; /* [n], lam_alloc's */
    size_t n, capacity;
    size_t batch, block; /* of the solves that come next */
} lam_step_log;

/* Adds a step, whose batch and block are the log's. */
lam_status lam_step_log_add(lam_step_log *log, lam_step step);

typedef struct lam_solve_options {
    const lam_tableau *table;
    double atol, rtol;
    lam_end end;
    lam_first_step first_step;
    double first_step_size; /* LAM_STEP_GIVEN; LAM_STEP_WARM: h*, or 0 for a probe */
    size_t fixed_steps, max_steps;
    double min_step;
    int even;   /* 1: fixed_steps even steps whatever the table; an embedded pair's error estimate is not looked at */
    int errors; /* 1: the error estimates of the accepted steps are kept, and their squares added up, for a penalty on them */
    int record; /* keep the accepted steps for a reverse */
    lam_step_log *log; /* every attempted step of a controlled solve is added; NULL: not wanted */
    int replay; /* take the steps that path holds from an earlier, recorded solve: for finite differences */
} lam_solve_options;

#endif
