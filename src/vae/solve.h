/* What a configuration says of an auto-encoder's solves: beside the trace, as of any (model/solve.h). */
#ifndef LAM_VAE_SOLVE_H
#define LAM_VAE_SOLVE_H
#include "model/solve.h"

/* The trace: as in training, or (exact 1) the exact one whatever the configuration. */
static inline lam_trace lam_vae_trace(const lam_config *cfg, int exact)
{
    return exact || cfg->divergence == LAM_DIV_EXACT ? LAM_TRACE_EXACT : LAM_TRACE_HUTCHINSON;
}

#endif
