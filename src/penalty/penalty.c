#define LAM_WIDTH 32 /* nothing here depends on it */
#include "penalty/penalty.h"
#include "penalty/loss.h"

size_t lam_penalty_integrands(const lam_config *cfg, const lam_integrand **integrand, double *coefficient)
{
    const struct {
        const lam_integrand *integrand;
        double coefficient;
    } all[] = { { &lam_kinetic, cfg->kinetic_coefficient }, { &lam_jacobian, cfg->jacobian_coefficient },
        { &lam_taylor[cfg->taylor_order == 3], cfg->taylor_coefficient } };
    size_t n = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i].coefficient > 0) {
            integrand[n] = all[i].integrand;
            coefficient[n++] = all[i].coefficient;
        }
    return n;
}

void lam_penalty_options(const lam_config *cfg, lam_engine_options *options)
{
    double coefficient[LAM_MAX_INTEGRANDS];
    options->max_times = cfg->tpr_coefficient > 0 ? cfg->tpr_times : 0;
    options->l_observed = cfg->tpr_coefficient > 0 && cfg->tpr_l_weight > 0;
    options->integrands = lam_penalty_integrands(cfg, options->integrand, coefficient);
}

lam_penalty lam_penalty_of(const lam_config *cfg, uint64_t stream)
{
    const lam_integrand *integrand[LAM_MAX_INTEGRANDS];
    lam_penalty p = { .tpr_coefficient = cfg->tpr_coefficient, .tpr_times = cfg->tpr_coefficient > 0 ? cfg->tpr_times : 0,
        .tpr_degree = cfg->tpr_degree, .tpr_l_weight = cfg->tpr_coefficient > 0 ? cfg->tpr_l_weight : 0, .steer = cfg->steer,
        .seed = cfg->seed, .stream = stream };
    lam_penalty_integrands(cfg, integrand, p.coefficient);
    return p;
}
