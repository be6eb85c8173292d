/* The levels of a model's text columns. */
#include "model/texts.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/names.h"
#include "data/levels.h"
#include <cjson/cJSON.h>
#include <string.h>

lam_status lam_model_set_texts(lam_model *model, const lam_names *texts)
{
    lam_names *copy;
    LAM_TRY(lam_levels_copy(texts, model->dim, &copy));
    lam_levels_free(model->texts, model->dim);
    model->texts = copy;
    return LAM_OK;
}

lam_names lam_model_levels(const lam_model *model, size_t column)
{
    return model != NULL && model->texts != NULL && column < model->dim ? model->texts[column] : (lam_names) { 0 };
}

/* ---- in the file -------------------------------------------------------------------------------------------------- */

static int add_column(cJSON *list, const lam_names *levels)
{
    cJSON *item = levels->n > 0 ? cJSON_CreateStringArray(levels->item, (int)levels->n) : cJSON_CreateNull();
    int added = item != NULL && cJSON_AddItemToArray(list, item);
    if (!added)
        cJSON_Delete(item);
    return added;
}

lam_status lam_texts_print(const lam_names *texts, size_t dim, char **text)
{
    cJSON *list = cJSON_CreateArray();
    int whole = list != NULL;
    for (size_t j = 0; whole && j < dim; j++)
        whole = add_column(list, &texts[j]);
    char *printed = whole ? cJSON_PrintUnformatted(list) : NULL;
    cJSON_Delete(list);
    *text = printed != NULL ? lam_strdup(printed) : NULL; /* free() is ours, cJSON's memory is not ours to know */
    cJSON_free(printed);
    return *text != NULL ? LAM_OK : lam_fail(LAM_ERR_MEMORY, "out of memory while a model's levels are written");
}

static lam_status damaged(const char *where, const char *what)
{
    return lam_fail(LAM_ERR_FORMAT, "%s: the metadata's \"texts\" %s; the file is damaged or was edited by hand", where, what);
}

static lam_status read_column(const char *where, const cJSON *column, size_t levels, lam_names *out)
{
    size_t n = 0, found = cJSON_IsArray(column) ? (size_t)cJSON_GetArraySize(column) : 0;
    if (!(cJSON_IsNull(column) || cJSON_IsArray(column)) || found != levels)
        return damaged(where, "has other levels of a column than its number of them says");
    if (levels == 0)
        return LAM_OK;
    const char **item = lam_alloc(levels, sizeof *item);
    if (item == NULL)
        return LAM_ERR_MEMORY;
    lam_status status = LAM_OK;
    for (const cJSON *level = column->child; level != NULL && status == LAM_OK; level = level->next) {
        if (!cJSON_IsString(level) || (n > 0 && strcmp(item[n - 1], level->valuestring) >= 0))
            status = damaged(where, "holds levels that are no different texts in order");
        else
            item[n++] = level->valuestring;
    }
    if (status == LAM_OK)
        status = lam_names_copy(item, n, out);
    lam_free(item);
    return status;
}

lam_status lam_texts_read(const char *where, const char *text, const size_t *levels, lam_model *model)
{
    cJSON *list = cJSON_Parse(text);
    lam_names *texts = lam_alloc(model->dim, sizeof *texts);
    size_t j = 0;
    lam_status status = texts == NULL ? LAM_ERR_MEMORY : cJSON_IsArray(list) ? LAM_OK : damaged(where, "is no JSON list");
    for (const cJSON *item = status == LAM_OK ? list->child : NULL; item != NULL && status == LAM_OK; item = item->next, j++)
        status = j < model->dim ? read_column(where, item, levels[j], &texts[j]) : damaged(where, "has too many entries");
    if (status == LAM_OK && j < model->dim)
        status = damaged(where, "has too few entries");
    if (status == LAM_OK)
        status = lam_model_set_texts(model, texts);
    lam_levels_free(texts, model->dim);
    cJSON_Delete(list);
    return status;
}
