/* Configurations as programs hold them: objects, whose values are read and written by name. */
#include "base/error.h"
#include "base/names.h"
#include "base/need.h"
#include "base/number.h"
#include "model/config.h"
#include "model/config_yaml.h"
#include "model/parameters.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_VALUE = 512 }; /* of all but lists */

lam_status lam_config_create(const char *settings, lam_config **out)
{
    LAM_NEED(out, "out");
    *out = NULL;
    lam_config *cfg = calloc(1, sizeof *cfg);
    if (cfg == NULL)
        return lam_fail(LAM_ERR_MEMORY, "out of memory for a configuration");
    lam_config_init(cfg);
    lam_status status = settings != NULL ? lam_config_parse(cfg, settings, strlen(settings), "settings") : LAM_OK;
    if (status != LAM_OK)
        lam_config_free(cfg);
    else
        *out = cfg;
    return status;
}

void lam_config_free(lam_config *cfg)
{
    lam_config_clear(cfg);
    free(cfg);
}

lam_status lam_config_set(lam_config *cfg, const char *name, const char *value)
{
    LAM_NEED(cfg, "cfg");
    LAM_NEED(name, "name");
    LAM_NEED(value, "value");
    const lam_param *param = lam_param_find(name, NULL);
    return param == NULL ? lam_param_unknown(name) : lam_param_set(param, cfg, value);
}

lam_status lam_config_get(const lam_config *cfg, const char *name, char *value, size_t size)
{
    LAM_NEED(cfg, "cfg");
    LAM_NEED(name, "name");
    LAM_NEED(value, "value");
    const lam_param *param = lam_param_find(name, NULL);
    return param == NULL ? lam_param_unknown(name) : lam_param_get(param, cfg, value, size);
}

double lam_config_number(const lam_config *cfg, const char *name)
{
    char text[LONGEST_VALUE];
    double number;
    if (cfg == NULL || name == NULL)
        return NAN;
    const lam_param *param = lam_param_find(name, NULL);
    if (param == NULL)
        (void)lam_param_unknown(name);
    if (param == NULL || lam_param_names_of(param, cfg) != NULL || param->kind == LAM_PARAM_DIMS
        || lam_param_get(param, cfg, text, sizeof text) != LAM_OK)
        return NAN;
    if (strcmp(param->shown.values, "true|false") == 0)
        return strcmp(text, "true") == 0;
    if (strcmp(text, "none") == 0 && (param->kind == LAM_PARAM_START || param->kind == LAM_PARAM_MAP))
        return 0;
    const char *colon = strrchr(text, ':');
    return lam_number_read(colon != NULL ? colon + 1 : text, &number) == 0 ? number : NAN;
}

int lam_config_is(const lam_config *cfg, const char *name, const char *value)
{
    char text[LONGEST_VALUE];
    if (cfg == NULL || name == NULL || value == NULL)
        return 0;
    const lam_param *param = lam_param_find(name, NULL);
    if (param == NULL) {
        (void)lam_param_unknown(name);
        return 0;
    }
    const lam_names *list = lam_param_names_of(param, cfg);
    if (list == NULL)
        return lam_param_get(param, cfg, text, sizeof text) == LAM_OK && strcmp(text, value) == 0;
    char *items = lam_names_print(list);
    int is = items != NULL && strcmp(items, value) == 0;
    free(items);
    return is;
}

lam_names lam_config_names(const lam_config *cfg, const char *name)
{
    const lam_param *param = cfg != NULL && name != NULL ? lam_param_find(name, NULL) : NULL;
    const lam_names *names = param != NULL ? lam_param_names_of(param, cfg) : NULL;
    return names != NULL ? *names : (lam_names) { 0 };
}

lam_model_kind lam_config_kind(const lam_config *cfg)
{
    return cfg != NULL ? cfg->model : LAM_DENSITY;
}
