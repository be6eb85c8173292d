/* The entry of a model's metadata that lam_tune leaves: the setting that it replaced, the bounds, and how near the chosen one comes. */
#include "model/metadata_inside.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/number.h"
#include "model/setting.h"
#include "ode/quadrature.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The numbers of a tuned model's entry, in its order, and the names that they have there. The solver is a word, h* a list. */
enum { TUNED_POINTS = 8, TUNED_NUMBERS };
static const char *const tuned_names[TUNED_NUMBERS]
    = { "error", "percentile_error", "rms", "percentile", "rows", "test_steps", "test_atol", "test_rtol", "test_trace_points" };

/* "{...}", made of the texts that the configuration and the other lists have. */
lam_status lam_metadata_tuned_text(const lam_model *model, char **text)
{
    const lam_tuned *t = &model->tuned;
    const double numbers[TUNED_NUMBERS] = { t->shown.error, t->shown.percentile_error, t->shown.rms, t->shown.percentile,
        (double)t->shown.rows, (double)t->parameters.steps, t->parameters.atol, t->parameters.rtol,
        (double)t->parameters.trace_points };
    char *h_star = NULL, solver[16], number[LAM_NUMBER_SIZE];
    lam_config cfg = model->config; /* its strings are borrowed */
    lam_setting_store(&cfg, &t->parameters);
    LAM_TRY(lam_config_get(&cfg, "test-solver", solver, sizeof solver));
    LAM_TRY(lam_metadata_numbers(t->h_star, model->layout.blocks, &h_star));
    size_t size = strlen(h_star) + TUNED_NUMBERS * (LAM_NUMBER_SIZE + 24) + 64, used;
    if ((*text = malloc(size)) == NULL) {
        free(h_star);
        return lam_fail(LAM_ERR_MEMORY, "out of memory while a model's metadata are written");
    }
    used = (size_t)snprintf(*text, size, "{\"test_solver\":\"%s\",\"h_star_test\":%s", solver, h_star);
    for (size_t i = 0; i < TUNED_NUMBERS; i++) {
        lam_number_print(numbers[i], number);
        used += (size_t)snprintf(*text + used, size - used, ",\"%s\":%s", tuned_names[i], number);
    }
    snprintf(*text + used, size - used, "}");
    free(h_star);
    return LAM_OK;
}

static lam_status read_tuned_members(const cJSON *all, const char *where, const lam_config *cfg, lam_tuned *t)
{
    double numbers[TUNED_NUMBERS] = { 0 };
    const cJSON *solver = cJSON_GetObjectItemCaseSensitive(all, "test_solver");
    const cJSON *h_star = cJSON_GetObjectItemCaseSensitive(all, "h_star_test");
    for (size_t i = 0; i < TUNED_NUMBERS; i++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(all, tuned_names[i]);
        if (i == TUNED_POINTS && item == NULL)
            continue; /* of a program that did not have them */
        if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble) || item->valuedouble < 0)
            return lam_metadata_damaged(where, "tuned", "lacks a number, or has one out of its range");
        numbers[i] = item->valuedouble;
    }
    if (!cJSON_IsString(solver) || !cJSON_IsArray(h_star) || numbers[4] > 1e15 || numbers[5] > 1e9 || numbers[TUNED_POINTS] > LAM_MAX_POINTS)
        return lam_metadata_damaged(where, "tuned", "has something of another kind than it should");
    t->shown = (lam_tuning) { .error = numbers[0], .percentile_error = numbers[1], .rms = numbers[2], .percentile = numbers[3],
        .rows = (size_t)numbers[4] };
    lam_config fitted = *cfg; /* its strings are borrowed */
    lam_setting_store(&fitted, &(lam_setting) { lam_solver_word(LAM_SOLVER_AUTO), (size_t)numbers[5], numbers[6], numbers[7],
        (size_t)numbers[TUNED_POINTS] });
    if (lam_config_set(&fitted, "test-solver", solver->valuestring) != LAM_OK || lam_config_check(&fitted) != LAM_OK)
        return lam_fail_in(LAM_ERR_FORMAT, "%s: in the metadata's \"tuned\"", where);
    t->parameters = lam_setting_parameters(&fitted);
    return lam_metadata_numbers_of(h_star, where, "tuned", cfg->blocks, 0, t->h_star);
}

lam_status lam_metadata_read_tuned(const lam_st_file *file, const char *where, lam_model *model)
{
    const char *text = lam_st_meta(file, "tuned");
    if (text == NULL)
        return LAM_OK;
    cJSON *all = cJSON_Parse(text);
    lam_status status = cJSON_IsObject(all) ? LAM_OK : lam_metadata_damaged(where, "tuned", "is not a JSON object");
    if (status == LAM_OK && (model->tuned.h_star = lam_alloc(model->layout.blocks, sizeof(double))) == NULL)
        status = LAM_ERR_MEMORY;
    if (status == LAM_OK)
        status = read_tuned_members(all, where, &model->config, &model->tuned);
    cJSON_Delete(all);
    return status;
}
