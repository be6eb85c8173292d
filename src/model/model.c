/* Makes, copies and describes models. */
#include "model/model.h"
#include "data/levels.h"
#include "model/texts.h"
#include "base/error.h"
#include "base/mem.h"
#include "model/defaults.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void lam_model_free(lam_model *model)
{
    if (model == NULL)
        return;
    for (size_t k = 0; k < model->n_others; k++)
        lam_model_free(model->others[k]);
    lam_free(model->others);
    for (size_t j = 0; model->columns != NULL && j < model->dim; j++)
        free(model->columns[j]);
    lam_free(model->columns);
    lam_levels_free(model->texts, model->dim);
    lam_given_clear(&model->given);
    lam_free(model->tensors);
    lam_free(model->params);
    lam_free(model->mean);
    lam_free(model->scale);
    lam_maps_free(model->maps);
    lam_whitening_free(model->whitening);
    lam_free(model->low);
    lam_free(model->high);
    lam_free(model->h_star_train);
    lam_free(model->h_star_test);
    lam_free(model->tuned.h_star);
    lam_config_clear(&model->config);
    lam_free(model);
}

static lam_status list_tensors(lam_model *model)
{
    lam_layout_tensor tensor;
    while (lam_layout_tensor_at(&model->layout, model->n_tensors, &tensor))
        model->n_tensors++;
    if ((model->tensors = lam_alloc(model->n_tensors, sizeof *model->tensors)) == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < model->n_tensors; i++)
        lam_layout_tensor_at(&model->layout, i, &model->tensors[i]);
    return LAM_OK;
}

static lam_status fill_empty(lam_model *model, const lam_config *config, size_t dim, const lam_given_kind *kind)
{
    model->dim = dim;
    model->base_scale = 1;
    LAM_TRY(lam_config_check(config));
    LAM_TRY(lam_given_make(dim, kind, &model->given));
    LAM_TRY(lam_config_copy(&model->config, config));
    LAM_TRY(lam_config_resolve(&model->config, LAM_USUAL_ROWS, dim)); /* a fit has chosen by its own rows already */
    model->config.flows = 1; /* so far */
    config = &model->config;
    LAM_TRY(model->given.inputs > 0
            ? lam_layout_conditional(&model->layout, config, model->given.moving, model->given.inputs, model->given.masked)
            : lam_layout_init(&model->layout, config, dim));
    LAM_TRY(list_tensors(model));
    if ((model->params = lam_alloc(model->layout.parameters, sizeof(double))) == NULL
        || (model->columns = lam_alloc(dim, sizeof *model->columns)) == NULL
        || (model->mean = lam_alloc(dim, sizeof(double))) == NULL
        || (model->scale = lam_alloc(dim, sizeof(double))) == NULL
        || (model->h_star_train = lam_alloc(config->blocks, sizeof(double))) == NULL
        || (model->h_star_test = lam_alloc(config->blocks, sizeof(double))) == NULL)
        return LAM_ERR_MEMORY;
    for (size_t j = 0; j < dim; j++) {
        char name[24];
        snprintf(name, sizeof name, "%zu", j + 1);
        LAM_TRY(lam_model_name_column(model, j, name));
        model->scale[j] = 1;
    }
    return LAM_OK;
}

lam_status lam_model_empty_given(const lam_config *config, size_t dim, const lam_given_kind *kind, lam_model **out)
{
    *out = NULL;
    lam_model *model = lam_alloc(1, sizeof *model);
    if (model == NULL)
        return LAM_ERR_MEMORY;
    lam_config_init(&model->config);
    lam_status status = fill_empty(model, config, dim, kind);
    if (status != LAM_OK) {
        lam_model_free(model);
        return status;
    }
    *out = model;
    return LAM_OK;
}

lam_status lam_model_empty(const lam_config *config, size_t dim, lam_model **out)
{
    return lam_model_empty_given(config, dim, NULL, out);
}

lam_status lam_model_create_given(const lam_config *config, size_t dim, const lam_given_kind *kind, lam_model **out)
{
    LAM_TRY(lam_model_empty_given(config, dim, kind, out));
    lam_model *model = *out;
    lam_layout_initial(&model->layout, config, model->params);
    for (size_t i = 0; config->precision == LAM_FLOAT && i < model->layout.parameters; i++)
        model->params[i] = (double)(float)model->params[i];
    return LAM_OK;
}

lam_status lam_model_create(const lam_config *config, size_t dim, lam_model **out)
{
    return lam_model_create_given(config, dim, NULL, out);
}

lam_status lam_model_name_column(lam_model *model, size_t column, const char *name)
{
    char *copy = lam_strdup(name);
    if (copy == NULL)
        return LAM_ERR_MEMORY;
    free(model->columns[column]);
    model->columns[column] = copy;
    return LAM_OK;
}

lam_status lam_model_set_range(lam_model *model, const double *low, const double *high)
{
    size_t dim = model->dim;
    double *lows = lam_alloc(dim, sizeof *lows), *highs = lam_alloc(dim, sizeof *highs);
    if (lows == NULL || highs == NULL) {
        lam_free(lows);
        lam_free(highs);
        return LAM_ERR_MEMORY;
    }
    memcpy(lows, low, dim * sizeof *lows);
    memcpy(highs, high, dim * sizeof *highs);
    lam_free(model->low);
    lam_free(model->high);
    model->low = lows, model->high = highs;
    return LAM_OK;
}

static lam_status copy_flows(lam_model *copy, const lam_model *model)
{
    for (size_t k = 0; k < model->n_others; k++) {
        lam_model *flow;
        LAM_TRY(lam_model_copy(model->others[k], &flow));
        lam_status status = lam_model_add_flow(copy, flow);
        if (status != LAM_OK)
            lam_model_free(flow);
        LAM_TRY(status);
    }
    return LAM_OK;
}

static lam_status copy_into(lam_model *copy, const lam_model *model)
{
    size_t dim = model->dim, blocks = model->layout.blocks;
    for (size_t j = 0; j < dim; j++)
        LAM_TRY(lam_model_name_column(copy, j, model->columns[j]));
    LAM_TRY(lam_model_set_texts(copy, model->texts));
    memcpy(copy->params, model->params, model->layout.parameters * sizeof(double));
    memcpy(copy->mean, model->mean, dim * sizeof(double));
    memcpy(copy->scale, model->scale, dim * sizeof(double));
    memcpy(copy->h_star_train, model->h_star_train, blocks * sizeof(double));
    memcpy(copy->h_star_test, model->h_star_test, blocks * sizeof(double));
    memcpy(copy->data_hash, model->data_hash, sizeof copy->data_hash);
    copy->log_det = model->log_det;
    copy->base_scale = model->base_scale;
    copy->has_names = model->has_names;
    LAM_TRY(lam_maps_copy(model->maps, &copy->maps));
    LAM_TRY(lam_whitening_copy(model->whitening, &copy->whitening));
    if (model->low != NULL)
        LAM_TRY(lam_model_set_range(copy, model->low, model->high));
    LAM_TRY(copy_flows(copy, model));
    if (model->tuned.h_star == NULL)
        return LAM_OK;
    double *h_star = lam_alloc(blocks, sizeof *h_star);
    if (h_star == NULL)
        return LAM_ERR_MEMORY;
    memcpy(h_star, model->tuned.h_star, blocks * sizeof *h_star);
    copy->tuned = model->tuned;
    copy->tuned.h_star = h_star;
    return LAM_OK;
}

lam_status lam_model_copy(const lam_model *model, lam_model **out)
{
    lam_model *copy = NULL;
    *out = NULL;
    const lam_given_kind kind = lam_given_kind_of(&model->given);
    lam_status status = lam_model_empty_given(&model->config, model->dim, &kind, &copy);
    if (status == LAM_OK)
        status = copy_into(copy, model);
    if (status != LAM_OK) {
        lam_model_free(copy);
        return status;
    }
    *out = copy;
    return LAM_OK;
}

/* ---- what a model says of itself ---------------------------------------------------------------------------------- */

size_t lam_model_dim(const lam_model *model)
{
    return model != NULL ? model->dim : 0;
}

size_t lam_model_parameter_count(const lam_model *model)
{
    return model != NULL ? model->layout.trained : 0;
}

lam_role lam_model_role(const lam_model *model, size_t column)
{
    if (model == NULL || column >= model->dim)
        return LAM_ABSENT;
    return (lam_role)model->given.usual[column];
}

int lam_model_any_given(const lam_model *model)
{
    return model != NULL && model->config.any_given;
}

int lam_model_takes_missing(const lam_model *model)
{
    return model != NULL && model->given.masked;
}

size_t lam_model_given_count(const lam_model *model)
{
    return model != NULL ? model->given.given : 0;
}

const lam_config *lam_model_config(const lam_model *model)
{
    return model != NULL ? &model->config : NULL;
}

const char *lam_model_column(const lam_model *model, size_t column)
{
    return model != NULL && column < model->dim ? model->columns[column] : NULL;
}

int lam_model_has_names(const lam_model *model)
{
    return model != NULL && model->has_names;
}

lam_wanted lam_model_wanted(const lam_model *model)
{
    if (model == NULL)
        return (lam_wanted) { 0 };
    return (lam_wanted) { .owner = "the model", .names = { (const char *const *)model->columns, model->dim },
        .levels = model->texts, .has_names = model->has_names, .columns = model->config.columns, .drop = model->config.drop };
}

const char *lam_model_data_hash(const lam_model *model)
{
    return model != NULL ? model->data_hash : NULL;
}

void lam_model_standardiser(const lam_model *model, const double **mean, const double **scale, double *log_det)
{
    if (mean != NULL)
        *mean = model != NULL ? model->mean : NULL;
    if (scale != NULL)
        *scale = model != NULL ? model->scale : NULL;
    if (log_det != NULL)
        *log_det = model != NULL ? model->log_det : 0;
}

size_t lam_model_map_knots(const lam_model *model, size_t column)
{
    return model != NULL && model->maps != NULL && column < model->maps->dim ? model->maps->column[column].n : 0;
}

double lam_model_base_scale(const lam_model *model)
{
    return model != NULL ? model->base_scale : 0;
}

const char *lam_model_tensor(const lam_model *model, size_t index, size_t shape[2], size_t *n_shape)
{
    if (model == NULL || index >= model->n_tensors)
        return NULL;
    const lam_layout_tensor *tensor = &model->tensors[index];
    if (n_shape != NULL)
        *n_shape = tensor->dims;
    if (shape != NULL)
        memcpy(shape, tensor->shape, 2 * sizeof *shape);
    return tensor->name;
}
