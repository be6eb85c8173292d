/* Evaluation settings: which solver, with which steps or tolerances. */
#include "model/setting.h"
#include "ode/tableau.h"
#include <math.h>
#include <string.h>

const lam_tableau *lam_setting_table(const lam_setting *s)
{
    return lam_tableau_get(lam_solver_of(s->solver));
}

int lam_setting_is_pair(const lam_setting *s)
{
    return lam_solver_is_pair(lam_solver_of(s->solver));
}

lam_setting lam_setting_training(const lam_config *cfg)
{
    return (lam_setting) { lam_solver_word(cfg->solver), lam_solver_is_pair(cfg->solver) ? 0 : cfg->fixed_steps, cfg->atol, cfg->rtol, 0 };
}

lam_setting lam_setting_parameters(const lam_config *cfg)
{
    return (lam_setting) { lam_solver_word(cfg->test_solver), cfg->test_steps, cfg->test_atol, cfg->test_rtol, cfg->test_trace_points };
}

void lam_setting_store(lam_config *cfg, const lam_setting *parameters)
{
    cfg->test_solver = lam_solver_of(parameters->solver);
    cfg->test_steps = parameters->steps;
    cfg->test_atol = parameters->atol;
    cfg->test_rtol = parameters->rtol;
    cfg->test_trace_points = parameters->trace_points;
}

lam_setting lam_config_setting(const lam_config *cfg)
{
    if (cfg == NULL)
        return (lam_setting) { 0 };
    lam_setting s = lam_setting_parameters(cfg);
    if (cfg->test_solver == LAM_SOLVER_AUTO)
        s.solver = lam_solver_word(cfg->solver);
    if (s.steps == 0 && !lam_setting_is_pair(&s))
        s.steps = cfg->fixed_steps;
    return s;
}

lam_setting lam_setting_asked(const lam_config *cfg, double atol, double rtol)
{
    lam_setting s = lam_config_setting(cfg);
    if ((atol > 0 || rtol > 0) && lam_setting_is_pair(&s))
        s.steps = s.trace_points = 0; /* the tolerances are for the log-density too */
    s.atol = atol > 0 ? atol : s.atol;
    s.rtol = rtol > 0 ? rtol : s.rtol;
    return s;
}

double lam_setting_first_step(const lam_config *cfg, const lam_setting *s, double h_test, const lam_setting *test, double h_train)
{
    const lam_setting of = h_test > 0 ? *test : lam_setting_training(cfg);
    if (strcmp(s->solver, of.solver) != 0 || s->steps > 0)
        return 0;
    double ratio = s->atol / of.atol;
    if (of.rtol > 0)
        ratio = fmin(ratio, s->rtol / of.rtol);
    return (h_test > 0 ? h_test : h_train) * pow(ratio, 1.0 / lam_setting_table(s)->error_exponent);
}
