/* Reads parameters from YAML, and applies them to a configuration in the table's order. */
#include "model/settings.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/names.h"
#include "model/parameters.h"
#include <stdlib.h>
#include <string.h>

static size_t parameter_count(void)
{
    size_t n = 0;
    while (lam_param_at(n) != NULL)
        n++;
    return n;
}

lam_status lam_settings_create(lam_settings *settings)
{
    settings->entries = lam_alloc(parameter_count(), sizeof(lam_settings_entry));
    return settings->entries != NULL ? LAM_OK : LAM_ERR_MEMORY;
}

void lam_settings_clear(lam_settings *settings)
{
    size_t n = settings->entries != NULL ? parameter_count() : 0;
    for (size_t i = 0; i < n; i++)
        free(settings->entries[i].text);
    lam_free(settings->entries);
    settings->entries = NULL;
}

/* Appends the item of a list to *text, as lam_param_set reads it: with its commas in quotes. */
static lam_status append_item(const lam_yaml *yaml, const yaml_event_t *event, int dims, char **text)
{
    if (dims)
        return lam_yaml_append(yaml, event, '-', text);
    char *item = NULL;
    LAM_TRY(lam_yaml_append(yaml, event, '\0', &item));
    size_t used = *text == NULL ? 0 : strlen(*text);
    char *quoted = lam_names_print(&(lam_names) { (const char *const[]) { item }, 1 });
    char *larger = quoted == NULL ? NULL : realloc(*text, used + strlen(quoted) + 2);
    lam_status status = larger == NULL ? lam_fail(LAM_ERR_MEMORY, "out of memory while reading %s", yaml->where) : LAM_OK;
    if (larger != NULL) {
        *text = larger;
        if (used > 0)
            larger[used++] = ',';
        strcpy(larger + used, quoted);
    }
    free(quoted);
    free(item);
    return status;
}

/* The rest of a list that begins at start: [60, 60] or one "- item" a line. */
static lam_status read_list(lam_yaml *yaml, yaml_mark_t start, const lam_param *param, char **text)
{
    lam_status status = LAM_OK;
    int done = 0, dims = param->kind == LAM_PARAM_DIMS;
    if (!dims && param->kind != LAM_PARAM_LIST && param->kind != LAM_PARAM_NOISE) {
        lam_fail(LAM_ERR_ARGUMENT, "%s: takes one value (%s), not a list", param->shown.name, param->shown.values);
        return lam_yaml_at(yaml->where, start, LAM_ERR_ARGUMENT);
    }
    while (status == LAM_OK && !done) {
        yaml_event_t event;
        LAM_TRY(lam_yaml_next(yaml, &event));
        if (event.type == YAML_SEQUENCE_END_EVENT) {
            done = 1;
        } else if (event.type != YAML_SCALAR_EVENT) {
            status = lam_yaml_unexpected(yaml, &event, "a list's item (put it in quotes if it contains \": \")");
        } else if (event.data.scalar.length == 0) {
            lam_fail(LAM_ERR_ARGUMENT, "%s: an empty item", param->shown.name);
            status = lam_yaml_at(yaml->where, event.start_mark, LAM_ERR_ARGUMENT);
        } else {
            status = append_item(yaml, &event, dims, text);
        }
        yaml_event_delete(&event);
    }
    if (status == LAM_OK && *text == NULL && (*text = lam_strdup("")) == NULL) /* [] */
        status = LAM_ERR_MEMORY;
    return status;
}

static lam_status read_value(lam_yaml *yaml, const lam_param *param, lam_settings_entry *e)
{
    yaml_event_t event;
    lam_status status;
    LAM_TRY(lam_yaml_next(yaml, &event));
    e->value = event.start_mark;
    if (event.type == YAML_SCALAR_EVENT) {
        status = lam_yaml_append(yaml, &event, '\0', &e->text);
    } else if (event.type == YAML_SEQUENCE_START_EVENT) {
        status = read_list(yaml, e->value, param, &e->text);
    } else {
        status = lam_yaml_unexpected(yaml, &event, "a value");
    }
    yaml_event_delete(&event);
    return status;
}

/* A key has been read; its value follows. */
static lam_status read_pair(lam_settings *settings, lam_yaml *yaml, const yaml_event_t *event)
{
    if (event->type != YAML_SCALAR_EVENT)
        return lam_yaml_unexpected(yaml, event, "a parameter's name");
    const char *name = (const char *)event->data.scalar.value;
    size_t index = 0;
    const lam_param *param = strlen(name) == event->data.scalar.length ? lam_param_find(name, &index) : NULL;
    if (param == NULL)
        return lam_yaml_at(yaml->where, event->start_mark, lam_param_unknown(name));
    lam_settings_entry *e = &settings->entries[index];
    if (e->text != NULL) {
        lam_fail(LAM_ERR_ARGUMENT, "%s appears a second time here, first in line %zu; remove one", param->shown.name,
            e->key.line + 1);
        return lam_yaml_at(yaml->where, event->start_mark, LAM_ERR_ARGUMENT);
    }
    e->key = event->start_mark;
    return read_value(yaml, param, e);
}

lam_status lam_settings_read(lam_settings *settings, lam_yaml *yaml)
{
    for (;;) {
        yaml_event_t event;
        LAM_TRY(lam_yaml_next(yaml, &event));
        int done = event.type == YAML_MAPPING_END_EVENT;
        lam_status status = done ? LAM_OK : read_pair(settings, yaml, &event);
        yaml_event_delete(&event);
        if (done || status != LAM_OK)
            return status;
    }
}

lam_status lam_settings_apply(const lam_settings *settings, const char *where, lam_config *cfg)
{
    const lam_param *param;
    if (settings->entries == NULL)
        return LAM_OK;
    for (size_t i = 0; (param = lam_param_at(i)) != NULL; i++) {
        const lam_settings_entry *e = &settings->entries[i];
        if (e->text == NULL)
            continue;
        lam_status status = lam_param_set(param, cfg, e->text);
        if (status != LAM_OK)
            return lam_yaml_at(where, e->value, status);
    }
    for (size_t i = 0; (param = lam_param_at(i)) != NULL; i++) {
        if (param->kind != LAM_PARAM_TPR || settings->entries[i].text == NULL)
            continue;
        char now[8];
        lam_config said = { 0 };
        LAM_TRY(lam_param_set(param, &said, settings->entries[i].text));
        LAM_TRY(lam_param_get(param, cfg, now, sizeof now));
        if ((said.tpr_coefficient > 0) != (cfg->tpr_coefficient > 0)) {
            lam_fail(LAM_ERR_ARGUMENT, "tpr: says %s, but tpr-coefficient makes it %s; remove one of the two",
                said.tpr_coefficient > 0 ? "true" : "false", now);
            return lam_yaml_at(where, settings->entries[i].value, LAM_ERR_ARGUMENT);
        }
    }
    return LAM_OK;
}
