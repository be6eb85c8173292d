/* Configurations: defaults, copies, and whether their values go together. */
#include "base/error.h"
#include "base/need.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/number.h"
#include "model/config.h"
#include "model/parameters.h"
#include "model/setting.h"
#include "ode/tableau.h"
#include "penalty/penalty.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void lam_config_init(lam_config *cfg)
{
    if (cfg == NULL)
        return;
    memset(cfg, 0, sizeof *cfg);
    const lam_param *param;
    for (size_t i = 0; (param = lam_param_at(i)) != NULL; i++)
        if (param->preset != NULL)
            (void)lam_param_set(param, cfg, param->preset); /* the table's own values: they are in range, and no strings */
}

void lam_config_clear(lam_config *cfg)
{
    if (cfg == NULL)
        return;
    const lam_param *param;
    for (size_t i = 0; (param = lam_param_at(i)) != NULL; i++) {
        char **text = lam_param_text(param, cfg);
        lam_names *names = lam_param_names(param, cfg);
        if (text != NULL)
            free(*text);
        if (names != NULL)
            lam_names_clear(names);
    }
    lam_config_init(cfg);
}

/* Makes what a parameter of cfg owns cfg's own, where it is shared with another. After a failure (status) it only cuts the ties. */
static lam_status own(const lam_param *param, lam_config *cfg, lam_status status)
{
    char **text = lam_param_text(param, cfg);
    lam_names *names = lam_param_names(param, cfg);
    if (text != NULL && *text != NULL) {
        *text = status == LAM_OK ? lam_strdup(*text) : NULL;
        status = *text == NULL ? LAM_ERR_MEMORY : status;
    }
    if (names != NULL) {
        lam_names shared = *names;
        *names = (lam_names) { 0 };
        status = status == LAM_OK ? lam_names_copy(shared.item, shared.n, names) : status;
    }
    return status;
}

lam_status lam_config_copy(lam_config *dst, const lam_config *src)
{
    LAM_NEED(dst, "dst");
    LAM_NEED(src, "src");
    lam_config copy = *src;
    lam_status status = LAM_OK;
    const lam_param *param;
    for (size_t i = 0; (param = lam_param_at(i)) != NULL; i++)
        status = own(param, &copy, status);
    if (status != LAM_OK) {
        lam_config_clear(&copy);
        return status;
    }
    lam_config_clear(dst);
    *dst = copy;
    return LAM_OK;
}

/* ---- consistency -------------------------------------------------------------------------------------------------- */

static lam_status check_fixed_steps(const lam_config *cfg)
{
    char name[16];
    LAM_TRY(lam_config_get(cfg, "solver", name, sizeof name));
    if (cfg->end == LAM_END_OVERSHOOT)
        return lam_fail(LAM_ERR_ARGUMENT, "end: overshoot needs a solver that chooses its steps, and %s takes fixed "
            "ones; use end land, or solver dopri5", name);
    if (cfg->step_control == LAM_CONTROL_TILE)
        return lam_fail(LAM_ERR_ARGUMENT, "step-control: tile needs a solver that chooses its steps, and %s takes fixed "
            "ones; use step-control batch, or solver dopri5", name);
    if (cfg->fixed_steps > cfg->max_steps)
        return lam_fail(LAM_ERR_ARGUMENT, "steps: %zu steps of %s are more than max-steps, %zu; raise max-steps",
            cfg->fixed_steps, name, cfg->max_steps);
    return LAM_OK;
}

static lam_status check_adaptive_steps(const lam_config *cfg)
{
    char first[LAM_NUMBER_SIZE], time[LAM_NUMBER_SIZE], least[LAM_NUMBER_SIZE];
    lam_number_print(cfg->first_step_size, first);
    lam_number_print(cfg->time, time);
    lam_number_print(cfg->min_step, least);
    if (cfg->first_step == LAM_STEP_GIVEN && cfg->first_step_size > cfg->time)
        return lam_fail(LAM_ERR_ARGUMENT, "first-step: %s is longer than the whole way, time %s; make it smaller, or warm",
            first, time);
    if (cfg->first_step == LAM_STEP_GIVEN && cfg->first_step_size < cfg->min_step)
        return lam_fail(LAM_ERR_ARGUMENT, "first-step: %s is below min-step, %s; make it larger, or lower min-step", first,
            least);
    if (cfg->min_step >= cfg->time)
        return lam_fail(LAM_ERR_ARGUMENT, "min-step: %s is not below the whole way, time %s; lower it", least, time);
    return LAM_OK;
}

/* Of training and of evaluation, which may differ. Even steps of an evaluation end at T whatever `end` says. */
static lam_status check_solver(const lam_config *cfg)
{
    const lam_setting test = lam_config_setting(cfg);
    int pair = lam_solver_is_pair(cfg->solver);
    if (!pair)
        LAM_TRY(check_fixed_steps(cfg));
    if (test.steps > cfg->max_steps)
        return lam_fail(LAM_ERR_ARGUMENT, "%s: %zu steps in evaluation are more than max-steps, %zu; raise max-steps",
            cfg->test_steps > 0 ? "test-steps" : "steps", test.steps, cfg->max_steps);
    return pair || test.steps == 0 ? check_adaptive_steps(cfg) : LAM_OK;
}

/* n >= p + 2, or the polynomial goes through every point and the penalty is zero (method.md, 3). */
static lam_status check_tpr(const lam_config *cfg)
{
    if (cfg->tpr_coefficient != 0 && cfg->tpr_times < cfg->tpr_degree + 2)
        return lam_fail(LAM_ERR_ARGUMENT, "tpr-times: %zu times are met exactly by a polynomial of tpr-degree %zu, so the "
            "penalty would be zero; use at least %zu times", cfg->tpr_times, cfg->tpr_degree, cfg->tpr_degree + 2);
    return LAM_OK;
}

/* A goal for the calls needs something that moves them, and a solver that chooses its steps. A step has so many stages at least. */
static lam_status check_calls(const lam_config *cfg)
{
    const lam_tableau *solver = lam_tableau_get(cfg->solver);
    if (!lam_solver_is_pair(cfg->solver))
        return lam_fail(LAM_ERR_ARGUMENT, "calls: %s takes a fixed number of steps, whatever the penalties are; use an adaptive solver",
            solver->name);
    if (lam_penalty_on(cfg, NULL) == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "calls: no penalty is on whose coefficient could follow the calls; set tpr-coefficient");
    if (cfg->calls < solver->stages)
        return lam_fail(LAM_ERR_ARGUMENT, "calls: %g is below the %d evaluations that one step of %s takes; ask for %d at least",
            cfg->calls, solver->stages, solver->name, solver->stages);
    return LAM_OK;
}

/* It is made of the one error estimate by which a solver chooses its steps. */
static lam_status check_error(const lam_config *cfg)
{
    if (!lam_solver_is_pair(cfg->solver) || cfg->solver == LAM_DOP853)
        return lam_fail(LAM_ERR_ARGUMENT, "error-coefficient: %s %s; use dopri5, tsit5, bosh3 or heun21", lam_tableau_get(cfg->solver)->name,
            cfg->solver == LAM_DOP853 ? "judges its steps by two error estimates together" : "has no error estimate");
    if (cfg->gradient == LAM_GRAD_ADJOINT)
        return lam_fail(LAM_ERR_ARGUMENT, "gradient: adjoint has no reverse of error-coefficient; use gradient steps");
    return LAM_OK;
}

#define FLAG(name, row, help) ", " #name "-coefficient"
static lam_status check_penalties(const lam_config *cfg)
{
    LAM_TRY(check_tpr(cfg));
    if (cfg->calls > 0)
        LAM_TRY(check_calls(cfg));
    if (cfg->error_coefficient > 0)
        LAM_TRY(check_error(cfg));
    if (cfg->steer > 0 && cfg->steer >= cfg->time)
        return lam_fail(LAM_ERR_ARGUMENT, "steer: end times within %g of time, %g, are not all above 0; lower it", cfg->steer,
            cfg->time);
    int l = cfg->tpr_coefficient > 0 && cfg->tpr_l_weight > 0;
#define IS_ON(name, row, help) || cfg->name##_coefficient > 0
    int integrals = 0 LAM_INTEGRAL_LIST(IS_ON);
#undef IS_ON
    if (cfg->gradient == LAM_GRAD_ADJOINT && (l || integrals))
        return lam_fail(LAM_ERR_ARGUMENT, "gradient: adjoint has no reverse of %s; use gradient steps",
            l ? "tpr-l-weight" : &LAM_INTEGRAL_LIST(FLAG)[2]);
    return LAM_OK;
}

/* A rate that should begin to fall after the last iteration would never fall, and one that has come to 0 trains nothing. */
static lam_status check_schedule(const lam_config *cfg)
{
    size_t end = cfg->decay_to > 0 ? cfg->decay_to : cfg->iterations;
    if (end != LAM_AUTO && cfg->decay_from >= end)
        return lam_fail(LAM_ERR_ARGUMENT, "decay-from: %zu is not below %s, %zu, so the rate would never fall; lower it",
            cfg->decay_from, cfg->decay_to > 0 ? "decay-to" : "iterations", end);
    if (end < cfg->iterations)
        return lam_fail(LAM_ERR_ARGUMENT, "decay-to: %zu is below iterations, %zu, and the rate would be 0 in the last of them; raise it, "
            "or lower iterations", end, cfg->iterations);
    return LAM_OK;
}

static lam_status check_vae(const lam_config *cfg)
{
    if (cfg->warm_start > 0 && cfg->warm_start != LAM_AUTO_START)
        return lam_fail(LAM_ERR_ARGUMENT, "warm-start: flow matching leads the rows of a table to noise, and a vae's posterior has no "
            "rows of z that are there before it is trained; leave it out");
    if (cfg->given.n > 0 || cfg->any_given)
        return lam_fail(LAM_ERR_ARGUMENT, "given: columns are a table's, and a vae has none; leave it out");
    if (cfg->map == LAM_MAP_NORMAL_SCORES)
        return lam_fail(LAM_ERR_ARGUMENT, "map: the maps are of a table's columns, and a vae has none; leave it out");
    if (cfg->variance_max > 0 && cfg->variance_min >= cfg->variance_max)
        return lam_fail(LAM_ERR_ARGUMENT, "variance-min: %g is not below variance-max, %g", cfg->variance_min,
            cfg->variance_max);
    if (cfg->precision == LAM_DOUBLE)
        return lam_fail(LAM_ERR_ARGUMENT, "precision: double is not available for auto-encoders, whose convolutions are float; use float");
    if (cfg->step_control == LAM_CONTROL_TILE)
        return lam_fail(LAM_ERR_ARGUMENT, "step-control: tile is not available for auto-encoders; use step-control batch");
    int from_image = cfg->posterior == LAM_POSTERIOR_CNF && cfg->amortised != LAM_AMORTISED_NONE;
    if (from_image && cfg->layer != LAM_LAYER_CONCAT)
        return lam_fail(LAM_ERR_ARGUMENT, "layer: amortised layers are of the kind concat; use that, or amortised none");
    if (from_image && cfg->gradient == LAM_GRAD_ADJOINT)
        return lam_fail(LAM_ERR_ARGUMENT, "gradient: adjoint does not know amortised layers; use gradient steps");
    return LAM_OK;
}

lam_status lam_config_check(const lam_config *cfg)
{
    LAM_NEED(cfg, "cfg");
    const lam_param *param;
    for (size_t i = 0; (param = lam_param_at(i)) != NULL; i++)
        LAM_TRY(lam_param_check(param, cfg));
    LAM_TRY(check_solver(cfg));
    LAM_TRY(check_penalties(cfg));
    LAM_TRY(check_schedule(cfg));
    return cfg->model == LAM_VAE ? check_vae(cfg) : LAM_OK;
}

/* Adds " + NAME VALUE" to text. */
static void add_penalty(char text[128], const char *name, double value)
{
    size_t n = strlen(text);
    if (value > 0)
        snprintf(text + n, 128 - n, "%s%s %g", n == 0 ? "" : " + ", name, value);
}

/* 1: a penalty that lam_config_penalties calls as its paper does. */
static int has_name(const char *term)
{
    return strcmp(term, "tpr") == 0 || strcmp(term, "kinetic") == 0 || strcmp(term, "jacobian") == 0 || strcmp(term, "taylor") == 0;
}

void lam_config_penalties(const lam_config *cfg, char text[128])
{
    char name[32] = "TPR";
    if (text != NULL)
        text[0] = '\0';
    if (cfg == NULL || text == NULL)
        return;
    const lam_terms terms = lam_penalty_terms(cfg);
    int both = cfg->kinetic_coefficient == cfg->jacobian_coefficient;
    if (cfg->tpr_times != 4 || cfg->tpr_degree != 1)
        snprintf(name, sizeof name, "TPR (n %zu, p %zu)", cfg->tpr_times, cfg->tpr_degree);
    add_penalty(text, name, cfg->tpr_coefficient);
    add_penalty(text, "l", cfg->tpr_coefficient > 0 ? cfg->tpr_l_weight : 0);
    add_penalty(text, both ? "RNODE" : "kinetic", cfg->kinetic_coefficient);
    add_penalty(text, "jacobian", both ? 0 : cfg->jacobian_coefficient);
    add_penalty(text, cfg->taylor_order == 3 ? "TayNODE (K 3)" : "TayNODE (K 2)", cfg->taylor_coefficient);
    add_penalty(text, "STEER", cfg->steer);
    for (size_t i = 0; i < terms.n; i++) /* those without a published name */
        if (!has_name(terms.term[i].name))
            add_penalty(text, terms.term[i].name, terms.term[i].coefficient);
    add_penalty(text, "calls", cfg->calls);
    if (text[0] == '\0')
        snprintf(text, 128, "none");
}
