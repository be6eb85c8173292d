/* The solve that a setting means. */
#ifndef LAM_MODEL_SOLVE_H
#define LAM_MODEL_SOLVE_H
#include "flow/engine.h"
#include "model/setting.h"

/* h_star [blocks]: remembered steps, or NULL; used where the configuration's first step is warm. The error is measured on z and
 * l: evaluation leaves l out only where its trace is apart. */
static inline lam_flow_solve lam_setting_solve(const lam_config *cfg, const lam_setting *s, double *h_star)
{
    return (lam_flow_solve) {
        .solve = { .table = lam_setting_table(s), .atol = s->atol, .rtol = s->rtol, .end = cfg->end,
            .first_step = cfg->first_step, .first_step_size = cfg->first_step_size, .fixed_steps = s->steps, .even = s->steps > 0,
            .max_steps = cfg->max_steps, .min_step = cfg->min_step },
        .error_parts = LAM_ERROR_ZL,
        .trace_points = s->trace_points,
        .h_star = cfg->first_step == LAM_STEP_WARM ? h_star : NULL,
    };
}

/* A solve of training, or of evaluation in a fit. */
static inline lam_flow_solve lam_config_solve(const lam_config *cfg, int training, double *h_star)
{
    const lam_setting s = training ? lam_setting_training(cfg) : lam_config_setting(cfg);
    lam_flow_solve solve = lam_setting_solve(cfg, &s, h_star);
    solve.error_parts = training ? cfg->error_parts : LAM_ERROR_ZL;
    return solve;
}

#endif
