/* The evaluation setting of a model: its fit's, or the one that lam_tune chose. */
#include "base/error.h"
#include "base/need.h"
#include "base/mem.h"
#include "model/model.h"
#include <math.h>
#include <string.h>

static int is_tuned(const lam_model *model)
{
    return model->tuned.h_star != NULL;
}

static lam_config fitted_config(const lam_model *model)
{
    lam_config cfg = model->config;
    if (is_tuned(model))
        lam_setting_store(&cfg, &model->tuned.parameters);
    return cfg;
}

lam_config lam_model_evaluation(const lam_model *model, const lam_eval_options *options, const double **h_star)
{
    int asked = options->atol > 0 || options->rtol > 0;
    const lam_setting own = lam_config_setting(&model->config);
    int fitted = is_tuned(model) && (options->as_fitted || (asked && (own.steps > 0 || own.trace_points > 0)));
    *h_star = fitted ? model->tuned.h_star : model->h_star_test;
    return fitted ? fitted_config(model) : model->config;
}

lam_status lam_model_setting(const lam_model *model, const lam_eval_options *options, lam_setting *setting)
{
    LAM_NEED(model, "model");
    LAM_NEED(setting, "setting");
    static const lam_eval_options defaults;
    const lam_eval_options *o = options != NULL ? options : &defaults;
    const double *h_star;
    if (!isfinite(o->atol) || !isfinite(o->rtol) || o->atol < 0 || o->rtol < 0)
        return lam_fail(LAM_ERR_ARGUMENT, "atol is %g and rtol %g; each must be positive, or 0 for the model's own", o->atol,
            o->rtol);
    lam_config cfg = lam_model_evaluation(model, o, &h_star);
    *setting = lam_setting_asked(&cfg, o->atol, o->rtol);
    return LAM_OK;
}

int lam_model_tuning(const lam_model *model, lam_tuning *tuning)
{
    if (model == NULL || !is_tuned(model))
        return 0;
    if (tuning != NULL) {
        lam_config cfg = fitted_config(model);
        *tuning = model->tuned.shown;
        tuning->before = lam_config_setting(&cfg);
    }
    return 1;
}

lam_status lam_model_retune(lam_model *model, const lam_setting *parameters, const double *h_star, const lam_tuning *why)
{
    size_t size = model->layout.blocks * sizeof(double);
    if (!is_tuned(model)) {
        if ((model->tuned.h_star = lam_alloc(model->layout.blocks, sizeof(double))) == NULL)
            return LAM_ERR_MEMORY;
        memcpy(model->tuned.h_star, model->h_star_test, size);
        model->tuned.parameters = lam_setting_parameters(&model->config);
    }
    model->tuned.shown = *why;
    lam_setting_store(&model->config, parameters);
    if (h_star != model->h_star_test)
        memcpy(model->h_star_test, h_star, size);
    return LAM_OK;
}

void lam_model_untune(lam_model *model)
{
    if (model == NULL || !is_tuned(model))
        return;
    lam_setting_store(&model->config, &model->tuned.parameters);
    memcpy(model->h_star_test, model->tuned.h_star, model->layout.blocks * sizeof(double));
    lam_free(model->tuned.h_star);
    model->tuned = (lam_tuned) { 0 };
}
