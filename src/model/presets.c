/* Published settings by name: the files of presets/tabular and presets/vae, as CMake puts them into presets.inc. */
#include "base/error.h"
#include "base/need.h"
#include "model/config_yaml.h"
#include <stdio.h>
#include <string.h>

#include "presets.inc" /* static const lam_preset table[] */

enum { COUNT = sizeof table / sizeof table[0] };

const lam_preset *lam_preset_at(size_t index)
{
    return index < COUNT ? &table[index] : NULL;
}

static lam_status unknown(lam_model_kind model, const char *name)
{
    char list[400] = "";
    for (size_t i = 0, used = 0; i < COUNT && used < sizeof list; i++)
        if (table[i].model == model)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used == 0 ? "" : ", ", table[i].name);
    return lam_fail(LAM_ERR_ARGUMENT, "preset: there is no \"%.60s\"; for %s there are %s", name,
        model == LAM_VAE ? "images" : "tables of numbers", list);
}

lam_status lam_config_load_preset(lam_config *cfg, const char *name)
{
    LAM_NEED(cfg, "cfg");
    LAM_NEED(name, "name");
    for (size_t i = 0; i < COUNT; i++)
        if (strcmp(table[i].name, name) == 0)
            return lam_config_parse(cfg, table[i].yaml, strlen(table[i].yaml), name);
    return unknown(cfg->model, name);
}
