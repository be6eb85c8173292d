/* What a configuration says of an auto-encoder's solves. */
#ifndef LAM_VAE_SOLVE_H
#define LAM_VAE_SOLVE_H
#include "flow/engine.h"

/* The trace: as in training, or (exact 1) the exact one whatever the configuration. */
static inline lam_trace lam_vae_trace(const lam_config *cfg, int exact)
{
    return exact || cfg->divergence == LAM_DIV_EXACT ? LAM_TRACE_EXACT : LAM_TRACE_HUTCHINSON;
}

/* At the tolerances of training or of the test; h_star [blocks] are the remembered steps. */
static inline lam_flow_solve lam_vae_solve_options(const lam_config *cfg, int training, double *h_star)
{
    return (lam_flow_solve) {
        .solve = { .table = lam_tableau_get(cfg->solver), .atol = training ? cfg->atol : cfg->test_atol,
            .rtol = training ? cfg->rtol : cfg->test_rtol, .end = cfg->end, .first_step = cfg->first_step,
            .first_step_size = cfg->first_step_size, .fixed_steps = cfg->fixed_steps, .max_steps = cfg->max_steps,
            .min_step = cfg->min_step },
        .error_parts = training ? cfg->error_parts : LAM_ERROR_ZL,
        .h_star = cfg->first_step == LAM_STEP_WARM ? h_star : NULL,
    };
}

#endif
