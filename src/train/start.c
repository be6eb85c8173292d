/* Takes from a model what a fit starts with. */
#include "train/start.h"
#include "base/error.h"
#include "base/names.h"
#include "data/hash.h"
#include "data/remark.h"
#include <math.h>
#include <string.h>

lam_status lam_start_settle(lam_config *cfg, const lam_model *init)
{
    lam_map kind = init->config.map;
    if (cfg->map != LAM_MAP_AUTO && cfg->map != kind)
        return lam_fail(LAM_ERR_ARGUMENT, "map: the model to start from has %s column maps, and its weights mean nothing %s them; leave map out",
            kind == LAM_MAP_NONE ? "no" : "its own", kind == LAM_MAP_NONE ? "behind" : "without");
    cfg->map = kind;
    cfg->map_knots = init->config.map_knots;
    if (cfg->whiten != LAM_WHITEN_AUTO && cfg->whiten != init->config.whiten)
        return lam_fail(LAM_ERR_ARGUMENT, "whiten: the model to start from was fitted with whitening %s, and its weights mean nothing otherwise; "
            "leave whiten out", init->config.whiten == LAM_WHITEN_NONE ? "none" : "gaussian");
    cfg->whiten = init->config.whiten;
    if (cfg->context_maps == LAM_CONTEXT_AUTO)
        cfg->context_maps = init->config.context_maps;
    if (cfg->flows == LAM_AUTO)
        cfg->flows = lam_model_flows(init);
    return LAM_OK;
}

/* ---- what has to be alike ----------------------------------------------------------------------------------------- */

/* The same columns are given, and the nets that they enter by are alike. */
static int same_context(const lam_model *a, const lam_model *b)
{
    const lam_field_shape *x = &a->layout.context, *y = &b->layout.context;
    int same = a->dim == b->dim && a->given.any == b->given.any && a->given.absent == b->given.absent && a->given.given == b->given.given
        && a->layout.inputs == b->layout.inputs && a->layout.context_shared == b->layout.context_shared && x->layers == y->layers && x->parameters == y->parameters;
    for (size_t i = 0; same && i < x->layers; i++)
        same = x->layer[i].out == y->layer[i].out;
    for (size_t k = 0; same && k < a->given.given; k++)
        same = a->given.given_at[k] == b->given.given_at[k];
    return same;
}

static lam_status check_shape(const lam_model *model, const lam_model *init)
{
    if (model->given.absent && !init->given.absent && !init->given.any)
        return lam_fail(LAM_ERR_SHAPE, "cells are missing, and the model to start from was fitted to rows that miss none; leave such rows out "
            "(--drop-bad-rows), or start anew");
    const lam_field_shape *a = &model->layout.field, *b = &init->layout.field;
    int same = a->dim == b->dim && a->layers == b->layers && a->type == b->type && a->activation == b->activation
        && a->parameters == b->parameters && model->layout.blocks == init->layout.blocks && same_context(model, init);
    for (size_t i = 0; same && i < a->layers; i++)
        same = a->layer[i].in == b->layer[i].in && a->layer[i].out == b->layer[i].out;
    return same ? LAM_OK : lam_fail(LAM_ERR_SHAPE, "the model to start from has other columns, given columns, dims, context-dims, context-maps, blocks, layer "
        "or nonlinearity than the configuration; take them from that model's configuration");
}

/* Weights go by places: a column of another name, or a level of text at another place, would be taken for what it is not. */
static lam_status check_columns(const lam_model *model, const lam_model *init)
{
    for (size_t j = 0; j < model->dim; j++) {
        const lam_names own = lam_model_levels(model, j), its = lam_model_levels(init, j);
        if (model->has_names && init->has_names && strcmp(model->columns[j], init->columns[j]) != 0)
            return lam_fail(LAM_ERR_SHAPE, "column %zu is \"%.60s\", and that of the model to start from \"%.60s\"; give the columns in that model's order "
                "and by its names", j + 1, model->columns[j], init->columns[j]);
        if (!lam_names_equal(&own, &its))
            return lam_fail(LAM_ERR_SHAPE, "column %zu (%.60s) has other levels of text than in the model to start from (%zu, there %zu), and its weights go by "
                "their places; give rows with the same levels, or start anew", j + 1, model->columns[j], own.n, its.n);
    }
    return LAM_OK;
}

/* ---- another standardiser ----------------------------------------------------------------------------------------- */

/* Column j, standardised as in `init`, is factor times what it is here, plus shift. 1: they differ. */
static int change_of(const lam_model *model, const lam_model *init, size_t j, double *factor, double *shift)
{
    *factor = model->scale[j] / init->scale[j];
    *shift = (model->mean[j] - init->mean[j]) / init->scale[j];
    return model->scale[j] != init->scale[j] || model->mean[j] != init->mean[j];
}

static void rewrite_map(lam_spline *s, double *table, double factor, double shift)
{
    for (size_t k = 0; k < s->n; k++) {
        table[k] = (table[k] - shift) / factor;
        table[2 * s->n + k] *= factor;
    }
}

static void rewrite_whitening(lam_whitening *w, size_t j, double factor, double shift)
{
    w->mean[j] = (w->mean[j] - shift) / factor;
    for (size_t k = 0; k < w->dim; k++) {
        w->covariance[j * w->dim + k] /= factor;
        w->covariance[k * w->dim + j] /= factor;
    }
}

static const double NOTABLE = 0.1; /* of a scale */

/* Columns that the weights see otherwise than they did: those without a map, but for moving ones that are whitened. */
static lam_status say_shifted(const lam_model *model, const lam_model *init, const lam_log *log)
{
    size_t n = 0;
    lam_remark text;
    if (log == NULL || log->line == NULL || model->maps != NULL)
        return LAM_OK;
    LAM_TRY(lam_remark_begin(&text));
    for (size_t j = 0; j < model->dim; j++) {
        double factor, shift;
        change_of(model, init, j, &factor, &shift);
        int hidden = model->whitening != NULL && !model->given.is_given[j] && !model->given.any;
        if (hidden || (fabs(shift) <= NOTABLE && fabs(log2(factor)) <= NOTABLE))
            continue;
        fputs(n++ == 0 ? "rows are standardised by their own mean and scale, which are not those of the model to start from: " : ", ", text.out);
        lam_remark_name(text.out, model->columns[j]);
        fprintf(text.out, " (%.4g and %.4g, there %.4g and %.4g)", model->mean[j], model->scale[j], init->mean[j], init->scale[j]);
    }
    if (n == 0)
        return lam_remark_say(&text, NULL);
    fputs(". Its weights see these columns shifted and stretched, and have to learn that first", text.out);
    return lam_remark_say(&text, log);
}

lam_status lam_start_from(lam_model *model, const lam_model *init, const lam_log *log)
{
    LAM_TRY(check_shape(model, init));
    LAM_TRY(check_columns(model, init));
    memcpy(model->params, init->params, model->layout.parameters * sizeof(double));
    LAM_TRY(lam_maps_copy(init->maps, &model->maps));
    LAM_TRY(lam_whitening_copy(init->whitening, &model->whitening));
    for (size_t j = 0; j < model->dim; j++) {
        double factor, shift;
        if (!change_of(model, init, j, &factor, &shift))
            continue;
        if (model->maps != NULL)
            rewrite_map(&model->maps->column[j], model->maps->table[j], factor, shift);
        else if (model->whitening != NULL)
            rewrite_whitening(model->whitening, j, factor, shift);
    }
    return say_shifted(model, init, log);
}

/* ---- the checkpoint ----------------------------------------------------------------------------------------------- */

void lam_start_hash(const lam_model *model, int from_model, char hash[33])
{
    uint64_t state[2] = { 0, 0 };
    memcpy(hash, model->data_hash, sizeof model->data_hash);
    if (!from_model || (model->maps == NULL && model->whitening == NULL))
        return;
    lam_hash128(hash, strlen(hash), state, state);
    for (size_t j = 0; model->maps != NULL && j < model->maps->dim; j++)
        lam_hash128(model->maps->table[j], LAM_MAP_TABLE * model->maps->column[j].n * sizeof(double), state, state);
    if (model->whitening != NULL) {
        lam_hash128(model->whitening->mean, model->dim * sizeof(double), state, state);
        lam_hash128(model->whitening->covariance, model->dim * model->dim * sizeof(double), state, state);
    }
    lam_hash_text(state, hash);
}
