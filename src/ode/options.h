/* What a solve is asked for, whatever its width. */
#ifndef LAM_ODE_OPTIONS_H
#define LAM_ODE_OPTIONS_H
#include "ode/tableau.h"
#include "base/config.h"

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
    int replay; /* take the steps that path holds from an earlier, recorded solve: for finite differences */
} lam_solve_options;

#endif
