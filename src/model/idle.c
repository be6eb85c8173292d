/* Parameters that do nothing in a configuration, and what each of them wants. */
#include "model/defaults.h"
#include "model/parameters.h"
#include "model/setting.h"
#include <string.h>

static int no_polynomial(const lam_config *cfg)
{
    return cfg->tpr_coefficient == 0;
}

static int no_penalty(const lam_config *cfg)
{
    return cfg->tpr_coefficient == 0 && cfg->kinetic_coefficient == 0 && cfg->jacobian_coefficient == 0 && cfg->taylor_coefficient == 0
        && cfg->error_coefficient == 0;
}

static int no_error(const lam_config *cfg)
{
    return cfg->error_coefficient == 0;
}

static int no_taylor(const lam_config *cfg)
{
    return cfg->taylor_coefficient == 0;
}

static int no_cosine(const lam_config *cfg)
{
    return lam_schedule_of(cfg) != LAM_SCHEDULE_COSINE;
}

static int no_cuts(const lam_config *cfg)
{
    return lam_schedule_of(cfg) != LAM_SCHEDULE_CUTS;
}

static int constant(const lam_config *cfg)
{
    return cfg->schedule == LAM_SCHEDULE_CONSTANT;
}

static int no_warm_start(const lam_config *cfg)
{
    return cfg->warm_start == 0;
}

static int even_training(const lam_config *cfg)
{
    return !lam_setting_is_pair(cfg->solver);
}

static int even_tests(const lam_config *cfg)
{
    return lam_config_setting(cfg).steps > 0;
}

/* Even steps of evaluation, too, are as many as `steps` says, but where test-steps does. */
static int steps_by_error(const lam_config *cfg)
{
    return lam_setting_is_pair(cfg->solver) && lam_setting_is_pair(lam_config_setting(cfg).solver);
}

static int no_estimates(const lam_config *cfg)
{
    return cfg->divergence == LAM_DIV_EXACT && cfg->val_divergence != LAM_VAL_ESTIMATE;
}

static int no_low_rank(const lam_config *cfg)
{
    return cfg->amortised != LAM_AMORTISED_LOW_RANK;
}

/* Nothing is solved: no trajectory to straighten. */
static int no_ode(const lam_config *cfg)
{
    return cfg->model == LAM_VAE && cfg->posterior != LAM_POSTERIOR_CNF;
}

static int unconditional(const lam_config *cfg)
{
    return cfg->given.n == 0;
}

static int grey(const lam_config *cfg)
{
    return cfg->pixels != LAM_PIXELS_BINARY;
}

const char *lam_parameter_idle(size_t index, const lam_config *cfg)
{
    if (cfg == NULL)
        return NULL;
    static const struct {
        const char *name;
        int (*idle)(const lam_config *cfg);
        const char *wants;
    } table[] = {
        { "tpr-coefficient", no_ode, "--posterior cnf" }, { "kinetic-coefficient", no_ode, "--posterior cnf" },
        { "jacobian-coefficient", no_ode, "--posterior cnf" }, { "taylor-coefficient", no_ode, "--posterior cnf" },
        { "tpr-times", no_polynomial, "--tpr-coefficient" }, { "tpr-degree", no_polynomial, "--tpr-coefficient" },
        { "tpr-l-weight", no_polynomial, "--tpr-coefficient" }, { "taylor-order", no_taylor, "--taylor-coefficient" },
        { "calls", no_penalty, "--tpr-coefficient" }, { "error-coefficient", no_ode, "--posterior cnf" },
        { "error-l-weight", no_error, "--error-coefficient" },
        { "warm-start-pairing", no_warm_start, "--warm-start" }, { "lr-warmup", no_cosine, "--schedule cosine" },
        { "decay-from", no_cosine, "--schedule cosine" }, { "decay-to", no_cosine, "--schedule cosine" }, { "rate-cuts", no_cuts, "--schedule cuts" },
        { "early-stopping", constant, "--schedule cosine|cuts" }, { "steps", steps_by_error, "--solver euler|midpoint|rk4" },
        { "atol", even_training, "an adaptive --solver" }, { "rtol", even_training, "an adaptive --solver" },
        { "error-parts", even_training, "an adaptive --solver" }, { "test-atol", even_tests, "adaptive steps in tests" },
        { "test-rtol", even_tests, "adaptive steps in tests" }, { "probes", no_estimates, "--divergence rademacher|gaussian" },
        { "context-dims", unconditional, "--given" }, { "rank", no_low_rank, "--amortised low-rank" }, { "binarise", grey, "--pixels binary" },
    };
    const lam_parameter *parameter = lam_parameter_at(index);
    for (size_t i = 0; parameter != NULL && i < sizeof table / sizeof table[0]; i++)
        if (strcmp(parameter->name, table[i].name) == 0)
            return table[i].idle(cfg) ? table[i].wants : NULL;
    return NULL;
}
