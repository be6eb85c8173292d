/* Writes and reads what a model file says beside its tensors. */
#include "model/metadata_inside.h"
#include "model/parameters.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/number.h"
#include "model/config_yaml.h"
#include "model/defaults.h"
#include "model/texts.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static lam_status no_memory(void)
{
    return lam_fail(LAM_ERR_MEMORY, "out of memory while a model's metadata are written");
}

lam_status lam_metadata_config(const lam_config *config, char **text)
{
    const lam_param *param;
    lam_config plain;
    size_t size;
    *text = NULL;
    lam_config_init(&plain);
    lam_status status = lam_config_copy(&plain, config);
    for (size_t i = 0; status == LAM_OK && (param = lam_param_at(i)) != NULL; i++)
        if ((param->marks & LAM_PARAM_HOW) != 0 && param->kind != LAM_PARAM_TPR)
            status = lam_param_set(param, &plain, param->preset != NULL ? param->preset : "auto");
    if (status == LAM_OK)
        status = lam_config_print_model(&plain, text, &size);
    lam_config_clear(&plain);
    return status;
}

lam_status lam_metadata_numbers(const double *values, size_t n, char **text)
{
    char *list = malloc(n * LAM_NUMBER_SIZE + 3), *at = list;
    if (list == NULL)
        return no_memory();
    *at++ = '[';
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            *at++ = ',';
        lam_number_print(values[i], at);
        at += strlen(at);
    }
    memcpy(at, "]", 2);
    *text = list;
    return LAM_OK;
}

static lam_status name_list(char *const *names, size_t n, char **text)
{
    cJSON *list = cJSON_CreateArray();
    int whole = list != NULL;
    for (size_t i = 0; whole && i < n; i++) {
        cJSON *item = cJSON_CreateString(names[i]);
        whole = item != NULL && cJSON_AddItemToArray(list, item);
        if (!whole)
            cJSON_Delete(item);
    }
    char *printed = whole ? cJSON_PrintUnformatted(list) : NULL;
    cJSON_Delete(list);
    *text = lam_strdup(printed); /* free() is ours, cJSON's memory is not ours to know */
    cJSON_free(printed);
    return *text == NULL ? no_memory() : LAM_OK;
}

static lam_status plain_text(const char *value, char **text)
{
    *text = lam_strdup(value);
    return *text == NULL ? LAM_ERR_MEMORY : LAM_OK;
}

static const char *format_of(const lam_model *model)
{
    if (model->layout.context_shared)
        return LAM_MODEL_FORMAT_SHARED;
    if (model->n_others > 0)
        return LAM_MODEL_FORMAT_FLOWS;
    if (model->base_scale != 1)
        return LAM_MODEL_FORMAT_CALIBRATED;
    if (model->whitening != NULL)
        return LAM_MODEL_FORMAT_WHITENED;
    return model->given.inputs > 0 ? LAM_MODEL_FORMAT_GIVEN : model->maps != NULL ? LAM_MODEL_FORMAT_MAPS : LAM_MODEL_FORMAT;
}

static lam_status given_texts(const lam_model *model, char **given, char **levels)
{
    double *numbers = lam_alloc(2 * model->dim, sizeof *numbers);
    if (numbers == NULL)
        return LAM_ERR_MEMORY;
    for (size_t k = 0; k < model->given.given; k++)
        numbers[model->given.given_at[k]] = 1;
    for (size_t j = 0; j < model->dim; j++)
        numbers[model->dim + j] = (double)model->given.levels[j];
    lam_status status = lam_metadata_numbers(numbers, model->dim, given);
    if (status == LAM_OK)
        status = lam_metadata_numbers(numbers + model->dim, model->dim, levels);
    lam_free(numbers);
    return status;
}

lam_status lam_metadata_write(const lam_model *model, lam_metadata *meta)
{
    static const char *const keys[LAM_META_PAIRS]
        = { "laminar", "config", "columns", "mean", "scale", "log_det", "data_hash", "h_star_train", "h_star_test", "tuned",
            "train_low", "train_high", "named", "given", "levels", "texts", "absent", "base_scale" };
    size_t dim = model->dim, blocks = model->layout.blocks;
    char log_det[LAM_NUMBER_SIZE], **text = meta->texts;
    int tuned = model->tuned.h_star != NULL;
    memset(meta, 0, sizeof *meta);
    lam_number_print(model->log_det, log_det);
    lam_status status = plain_text(format_of(model), &text[0]);
    status = status == LAM_OK ? lam_metadata_config(&model->config, &text[1]) : status;
    status = status == LAM_OK ? name_list(model->columns, dim, &text[2]) : status;
    status = status == LAM_OK ? lam_metadata_numbers(model->mean, dim, &text[3]) : status;
    status = status == LAM_OK ? lam_metadata_numbers(model->scale, dim, &text[4]) : status;
    status = status == LAM_OK ? plain_text(log_det, &text[5]) : status;
    status = status == LAM_OK ? plain_text(model->data_hash, &text[6]) : status;
    status = status == LAM_OK ? lam_metadata_numbers(model->h_star_train, blocks, &text[7]) : status;
    status = status == LAM_OK ? lam_metadata_numbers(model->h_star_test, blocks, &text[8]) : status;
    status = status == LAM_OK && tuned ? lam_metadata_tuned_text(model, &text[9]) : status;
    status = status == LAM_OK && model->low != NULL ? lam_metadata_numbers(model->low, dim, &text[10]) : status;
    status = status == LAM_OK && model->low != NULL ? lam_metadata_numbers(model->high, dim, &text[11]) : status;
    status = status == LAM_OK ? plain_text(model->has_names ? "true" : "false", &text[12]) : status;
    status = status == LAM_OK && model->given.inputs > 0 ? given_texts(model, &text[13], &text[14]) : status;
    status = status == LAM_OK && model->texts != NULL ? lam_texts_print(model->texts, dim, &text[15]) : status;
    status = status == LAM_OK && model->given.absent ? plain_text("true", &text[16]) : status;
    status = status == LAM_OK && model->base_scale != 1 ? lam_metadata_numbers(&model->base_scale, 1, &text[17]) : status;
    if (status != LAM_OK) {
        lam_metadata_free(meta);
        return status;
    }
    for (size_t i = 0; i < LAM_META_PAIRS; i++)
        if (text[i] != NULL)
            meta->pairs[meta->n++] = (lam_st_pair) { keys[i], text[i] };
    return LAM_OK;
}

void lam_metadata_free(lam_metadata *meta)
{
    for (size_t i = 0; i < LAM_META_PAIRS; i++)
        free(meta->texts[i]);
    memset(meta, 0, sizeof *meta);
}

enum { MOST_LEVELS = 1000000 }; /* of a column of texts */

/* ---- reading ------------------------------------------------------------------------------------------------------ */

int lam_metadata_is_ours(const lam_st_file *file)
{
    return lam_st_meta(file, "laminar") != NULL;
}

int lam_metadata_has_format(const lam_st_file *file, const char *wanted)
{
    const char *format = lam_st_meta(file, "laminar");
    return format != NULL && strcmp(format, wanted) == 0;
}

int lam_metadata_may_have_all(const lam_st_file *file)
{
    return lam_metadata_has_format(file, LAM_MODEL_FORMAT_CALIBRATED) || lam_metadata_has_format(file, LAM_MODEL_FORMAT_FLOWS)
        || lam_metadata_has_format(file, LAM_MODEL_FORMAT_SHARED);
}

lam_status lam_metadata_damaged(const char *where, const char *key, const char *what)
{
    return lam_fail(LAM_ERR_FORMAT, "%s: the metadata's \"%s\" %s; the file is damaged or was edited by hand", where, key, what);
}

/* The list under key, to be deleted by the caller; NULL with the failure recorded. */
static cJSON *read_list(const lam_st_file *file, const char *where, const char *key)
{
    const char *text = lam_st_meta(file, key);
    cJSON *list = text == NULL ? NULL : cJSON_Parse(text);
    if (cJSON_IsArray(list))
        return list;
    cJSON_Delete(list);
    lam_metadata_damaged(where, key, text == NULL ? "is missing" : "is not a JSON list");
    return NULL;
}

lam_status lam_metadata_numbers_of(const cJSON *list, const char *where, const char *key, size_t n, double low, double *values)
{
    size_t found = 0;
    for (const cJSON *item = list->child; item != NULL; item = item->next, found++)
        if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble) || item->valuedouble < low)
            return lam_metadata_damaged(where, key, "holds something else than numbers in their range");
        else if (found < n)
            values[found] = item->valuedouble;
    return found == n ? LAM_OK : lam_metadata_damaged(where, key, "has a wrong number of entries");
}

lam_status lam_metadata_read_numbers(const lam_st_file *file, const char *where, const char *key, size_t n, double low,
    double *values)
{
    cJSON *list = read_list(file, where, key);
    lam_status status = list == NULL ? LAM_ERR_FORMAT : lam_metadata_numbers_of(list, where, key, n, low, values);
    cJSON_Delete(list);
    return status;
}

lam_status lam_metadata_shape(const lam_st_file *file, const char *where, lam_config *cfg, size_t *dim)
{
    const char *format = lam_st_meta(file, "laminar"), *config = lam_st_meta(file, "config");
    if (format == NULL || format[0] < LAM_MODEL_FORMAT[0] || format[0] > LAM_MODEL_FORMAT_SHARED[0] || format[1] != '\0') /* from "1" on */
        return lam_fail(LAM_ERR_UNSUPPORTED, "%s: model format \"%.20s\", and this laminar (%s) reads \"%s\" to \"%s\"; use a newer one",
            where, format != NULL ? format : "", LAM_VERSION, LAM_MODEL_FORMAT, LAM_MODEL_FORMAT_SHARED);
    if (config == NULL)
        return lam_metadata_damaged(where, "config", "is missing");
    lam_config_unsaid(cfg);
    lam_status status = lam_config_parse(cfg, config, strlen(config), "config");
    if (status != LAM_OK)
        return lam_fail_in(status, "%s: in the metadata", where);
    int shared = lam_metadata_has_format(file, LAM_MODEL_FORMAT_SHARED);
    if (!shared && (lam_metadata_has_format(file, LAM_MODEL_FORMAT_FLOWS) ? cfg->flows < 2 : cfg->flows > 1))
        return lam_metadata_damaged(where, "config", "has another number of flows than the format");
    if (shared != (lam_config_is_conditional(cfg) && cfg->context_maps != LAM_CONTEXT_OWN))
        return lam_metadata_damaged(where, "config", shared ? "has no maps of a context that blocks share, and the format does" : "has maps of a context that blocks "
            "share, and the format knows none");
    if (cfg->model != LAM_DENSITY)
        return lam_fail(LAM_ERR_SHAPE, "%s: a variational auto-encoder, no density of rows; see `laminar vae`", where);
    cJSON *columns = read_list(file, where, "columns");
    if (columns == NULL)
        return LAM_ERR_FORMAT;
    *dim = 0;
    for (const cJSON *item = columns->child; item != NULL; item = item->next, ++*dim)
        if (!cJSON_IsString(item))
            status = lam_metadata_damaged(where, "columns", "holds something else than names");
    if (*dim == 0)
        status = lam_metadata_damaged(where, "columns", "is empty");
    cJSON_Delete(columns);
    return status;
}

/* A list of whole numbers from 0 to most. */
static lam_status read_wholes(const lam_st_file *file, const char *where, const char *key, size_t n, double most, double *numbers)
{
    LAM_TRY(lam_metadata_read_numbers(file, where, key, n, 0, numbers));
    for (size_t j = 0; j < n; j++)
        if (numbers[j] != floor(numbers[j]) || numbers[j] > most)
            return lam_metadata_damaged(where, key, "holds something else than numbers in their range");
    return LAM_OK;
}

static lam_status read_given(const lam_st_file *file, const char *where, size_t dim, double *numbers, unsigned char *is_given, size_t *levels,
    size_t *given)
{
    LAM_TRY(read_wholes(file, where, "given", dim, 1, numbers));
    LAM_TRY(read_wholes(file, where, "levels", dim, MOST_LEVELS, numbers + dim));
    for (size_t j = 0; j < dim; j++) {
        *given += is_given[j] = numbers[j] > 0;
        levels[j] = (size_t)numbers[dim + j];
        if (levels[j] > 0 && !is_given[j])
            return lam_metadata_damaged(where, "levels", "says that a column is of texts, which is not given");
    }
    return LAM_OK;
}

lam_status lam_metadata_given(const lam_st_file *file, const char *where, const lam_config *cfg, size_t dim, unsigned char *is_given,
    size_t *levels, lam_given_kind *kind)
{
    const char *absent = lam_st_meta(file, "absent");
    int may = lam_metadata_has_format(file, LAM_MODEL_FORMAT_WHITENED) || lam_metadata_may_have_all(file);
    int conditional = lam_metadata_has_format(file, LAM_MODEL_FORMAT_GIVEN) || (may && lam_st_meta(file, "given") != NULL);
    size_t given = 0;
    *kind = (lam_given_kind) { .is_given = is_given, .levels = levels, .any = cfg->any_given, .absent = absent != NULL };
    if (absent != NULL && (strcmp(absent, "true") != 0 || kind->any))
        return lam_metadata_damaged(where, "absent", kind->any ? "is there, and any columns are given any others" : "is not true");
    if (conditional != lam_config_is_conditional(cfg) || (absent != NULL && !conditional))
        return lam_metadata_damaged(where, "config", conditional ? "says nothing of given columns, and the format does" : "speaks of given columns, and the format "
            "knows none");
    if (!conditional)
        return LAM_OK;
    double *numbers = lam_alloc(2 * dim, sizeof *numbers);
    lam_status status = numbers == NULL ? LAM_ERR_MEMORY : read_given(file, where, dim, numbers, is_given, levels, &given);
    if (status == LAM_OK && ((given == 0 && !kind->any) || given == dim))
        status = lam_metadata_damaged(where, "given", "says that all columns are given, or none");
    if (status == LAM_OK && given != cfg->given.n)
        status = lam_metadata_damaged(where, "given", "says of more or fewer columns than the configuration that they are given");
    lam_free(numbers);
    return status;
}

static lam_status read_columns(const lam_st_file *file, const char *where, lam_model *model)
{
    cJSON *columns = read_list(file, where, "columns");
    lam_status status = columns == NULL ? LAM_ERR_FORMAT : LAM_OK;
    const cJSON *item = columns == NULL ? NULL : columns->child;
    for (size_t j = 0; status == LAM_OK && item != NULL && j < model->dim; j++, item = item->next)
        status = lam_model_name_column(model, j, item->valuestring);
    cJSON_Delete(columns);
    return status;
}

/* Files from before there was "named" have names unless these are numbers that columns without names would have got. */
static lam_status read_named(const lam_st_file *file, const char *where, lam_model *model)
{
    const char *named = lam_st_meta(file, "named");
    if (named != NULL && strcmp(named, "true") != 0 && strcmp(named, "false") != 0)
        return lam_metadata_damaged(where, "named", "is neither true nor false");
    model->has_names = named != NULL && strcmp(named, "true") == 0;
    int chosen = model->config.columns.n > 0 || model->config.drop.n > 0;
    for (size_t j = 0; named == NULL && j < model->dim; j++) {
        char number[24];
        const char *name = model->columns[j];
        snprintf(number, sizeof number, "%zu", j + 1);
        model->has_names |= chosen ? name[strspn(name, "0123456789")] != '\0' : strcmp(name, number) != 0;
    }
    return LAM_OK;
}

/* Files from before there was a range have none. */
static lam_status read_range(const lam_st_file *file, const char *where, lam_model *model)
{
    size_t dim = model->dim;
    if (lam_st_meta(file, "train_low") == NULL && lam_st_meta(file, "train_high") == NULL)
        return LAM_OK;
    double *low = lam_alloc(2 * dim, sizeof *low);
    lam_status status = low == NULL ? LAM_ERR_MEMORY : lam_metadata_read_numbers(file, where, "train_low", dim, -HUGE_VAL, low);
    if (status == LAM_OK)
        status = lam_metadata_read_numbers(file, where, "train_high", dim, -HUGE_VAL, low + dim);
    if (status == LAM_OK)
        status = lam_model_set_range(model, low, low + dim);
    lam_free(low);
    return status;
}

/* Levels are numbers that stand for texts: they need these, and no standardiser. */
static lam_status read_texts(const lam_st_file *file, const char *where, lam_model *model)
{
    const char *texts = lam_st_meta(file, "texts");
    if (texts != NULL)
        LAM_TRY(lam_texts_read(where, texts, model->given.levels, model));
    for (size_t j = 0; j < model->dim; j++) {
        if (model->given.levels[j] > 0 && texts == NULL)
            return lam_metadata_damaged(where, "texts", "is missing, and a column has levels of text");
        if (model->given.levels[j] > 0 && (model->mean[j] != 0 || model->scale[j] != 1))
            return lam_metadata_damaged(where, model->mean[j] != 0 ? "mean" : "scale", "standardises a column of text");
    }
    return LAM_OK;
}

lam_status lam_metadata_read(const lam_st_file *file, const char *where, lam_model *model)
{
    size_t dim = model->dim, blocks = model->layout.blocks;
    const char *hash = lam_st_meta(file, "data_hash"), *log_det = lam_st_meta(file, "log_det");
    LAM_TRY(read_columns(file, where, model));
    LAM_TRY(read_named(file, where, model));
    LAM_TRY(lam_metadata_read_numbers(file, where, "mean", dim, -HUGE_VAL, model->mean));
    LAM_TRY(lam_metadata_read_numbers(file, where, "scale", dim, 0x1p-1074, model->scale)); /* the least positive number */
    LAM_TRY(read_texts(file, where, model));
    LAM_TRY(lam_metadata_read_numbers(file, where, "h_star_train", blocks, 0, model->h_star_train));
    LAM_TRY(lam_metadata_read_numbers(file, where, "h_star_test", blocks, 0, model->h_star_test));
    LAM_TRY(read_range(file, where, model));
    if (lam_metadata_has_format(file, LAM_MODEL_FORMAT_CALIBRATED) || (lam_metadata_may_have_all(file) && lam_st_meta(file, "base_scale") != NULL))
        LAM_TRY(lam_metadata_read_numbers(file, where, "base_scale", 1, 0x1p-1022, &model->base_scale));
    if (hash == NULL || strlen(hash) >= sizeof model->data_hash)
        return lam_metadata_damaged(where, "data_hash", hash == NULL ? "is missing" : "is longer than 32 digits");
    memcpy(model->data_hash, hash, strlen(hash) + 1);
    if (log_det == NULL || lam_number_read(log_det, &model->log_det) != 0)
        return lam_metadata_damaged(where, "log_det", log_det == NULL ? "is missing" : "is not a number");
    double sum = 0, size = 1;
    for (size_t j = 0; j < dim; j++) {
        double one = lam_model_role(model, j) == LAM_GIVEN ? 0 : log(model->scale[j]);
        sum -= one;
        size += fabs(one);
    }
    if (!(fabs(sum - model->log_det) <= 1e-9 * size)) /* the sums may have been made in different orders */
        return lam_metadata_damaged(where, "log_det", "does not belong to \"scale\"");
    return lam_metadata_read_tuned(file, where, model);
}
