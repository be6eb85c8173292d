/* Reads and writes a configuration as YAML. */
#include "model/config_yaml.h"
#include "model/defaults.h"
#include "base/error.h"
#include "base/need.h"
#include "base/file.h"
#include "base/utf8.h"
#include "model/parameters.h"
#include "model/settings.h"
#include <stdlib.h>
#include <string.h>

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static lam_status read_settings(void *settings, lam_yaml *yaml)
{
    return lam_settings_read(settings, yaml);
}

lam_status lam_config_parse(lam_config *cfg, const char *text, size_t size, const char *where)
{
    lam_settings settings;
    lam_yaml yaml;
    lam_config changed;
    LAM_TRY(lam_settings_create(&settings));
    lam_status status = lam_yaml_open(&yaml, text, size, where);
    if (status == LAM_OK) {
        status = lam_yaml_document(&yaml, read_settings, &settings);
        lam_yaml_close(&yaml);
    }
    lam_config_init(&changed);
    if (status == LAM_OK)
        status = lam_config_copy(&changed, cfg);
    if (status == LAM_OK)
        status = lam_settings_apply(&settings, where, &changed);
    if (status == LAM_OK) { /* the strings change hands */
        lam_config old = *cfg;
        *cfg = changed;
        changed = old;
    }
    lam_config_clear(&changed);
    lam_settings_clear(&settings);
    return status;
}

lam_status lam_config_load(lam_config *cfg, const char *yaml_path)
{
    LAM_NEED(cfg, "cfg");
    LAM_NEED(yaml_path, "yaml_path");
    char *text;
    size_t size;
    LAM_TRY(lam_file_read(yaml_path, &text, &size));
    lam_status status = lam_config_parse(cfg, text, size, yaml_path);
    free(text);
    return status;
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

/* Characters that a YAML reader hands back as they stand between double quotes; the others are escaped. */
static int stands_plain(uint32_t c)
{
    return c != '"' && c != '\\'
        && ((c >= 0x20 && c < 0x7f) || (c > 0xa0 && c < 0x2028) || (c > 0x2029 && c < 0xfeff)
            || (c > 0xfeff && c < 0xfffe) || c >= 0x10000);
}

/* item in double quotes; 0, or -1 if it is not UTF-8. */
static int print_quoted(FILE *out, const char *item)
{
    fputc('"', out);
    for (const char *p = item; *p != '\0';) {
        const char *start = p;
        uint32_t c = lam_utf8_next(&p);
        if (c == UINT32_MAX)
            return -1;
        if (stands_plain(c))
            fwrite(start, 1, (size_t)(p - start), out);
        else
            fprintf(out, "\\u%04x", (unsigned)c);
    }
    fputc('"', out);
    return 0;
}

/* A list as ["a", "b"]: an item is what stands between the quotes, commas too. */
static lam_status print_list(FILE *out, const lam_param *param, const lam_names *names)
{
    fputc('[', out);
    for (size_t i = 0; i < names->n; i++) {
        if (i > 0)
            fputs(", ", out);
        if (print_quoted(out, names->item[i]) != 0)
            return lam_fail(LAM_ERR_ARGUMENT, "%s: the text is not UTF-8; name the columns by number", param->shown.name);
    }
    fputc(']', out);
    return LAM_OK;
}

static lam_status print_value(FILE *out, const lam_param *param, const lam_config *cfg)
{
    char value[512];
    const lam_names *names = lam_param_names_of(param, cfg);
    if (names != NULL)
        return print_list(out, param, names);
    LAM_TRY(lam_param_get(param, cfg, value, sizeof value));
    if (param->kind != LAM_PARAM_DIMS || strcmp(value, "auto") == 0) {
        fputs(value, out);
        return LAM_OK;
    }
    fputc('[', out);
    for (const char *p = value; *p != '\0'; p++)
        fputs(*p == '-' ? ", " : (char[]){ *p, '\0' }, out);
    fputc(']', out);
    return LAM_OK;
}

/* 1: a parameter that programs from before it was there would refuse, and that does nothing here. */
static int is_new_and_idle(const lam_param *param, const lam_config *cfg)
{
    static const char *const conditional[] = { "given", "any-given", "context-dims", "context-maps" };
    int idle = param->kind == LAM_PARAM_MAP && cfg->map == LAM_MAP_NONE;
    idle |= cfg->whiten == LAM_WHITEN_NONE && strcmp(param->shown.name, "whiten") == 0;
    idle |= cfg->flows == 1 && strcmp(param->shown.name, "flows") == 0;
    idle |= cfg->calibrate == LAM_CALIBRATE_NONE && strcmp(param->shown.name, "calibrate") == 0;
    idle |= cfg->context_maps == LAM_CONTEXT_OWN && strcmp(param->shown.name, "context-maps") == 0;
    for (size_t i = 0; !lam_config_is_conditional(cfg) && i < sizeof conditional / sizeof conditional[0]; i++)
        idle |= strcmp(param->shown.name, conditional[i]) == 0;
    return idle;
}

static lam_status print_all(FILE *out, const lam_config *cfg, int for_model)
{
    const lam_param *param;
    const char *group = "";
    fprintf(out, "# Configuration of laminar %s: every value in effect.\n", LAM_VERSION);
    for (size_t i = 0; (param = lam_param_at(i)) != NULL; i++) {
        if (!lam_parameter_applies(i, cfg->model) || (for_model && is_new_and_idle(param, cfg)))
            continue;
        if (strcmp(group, param->shown.group) != 0) {
            group = param->shown.group;
            fprintf(out, "\n# ---- %s ----\n", group);
        }
        if (param->kind == LAM_PARAM_TPR) { /* a shorthand has no value of its own */
            fprintf(out, "# %s: %s\n", param->shown.name, param->shown.help);
            continue;
        }
        fprintf(out, "# %s\n%s: ", param->shown.help, param->shown.name);
        LAM_TRY(print_value(out, param, cfg));
        fputc('\n', out);
    }
    return LAM_OK;
}

static lam_status print(const lam_config *cfg, int for_model, char **text, size_t *size)
{
    *text = NULL;
    *size = 0;
    FILE *out = open_memstream(text, size);
    if (out == NULL)
        return lam_fail(LAM_ERR_MEMORY, "out of memory while printing the configuration");
    lam_status status = print_all(out, cfg, for_model);
    if (fclose(out) != 0 && status == LAM_OK)
        status = lam_fail(LAM_ERR_MEMORY, "out of memory while printing the configuration");
    if (status != LAM_OK) {
        free(*text);
        *text = NULL;
        *size = 0;
    }
    return status;
}

lam_status lam_config_print(const lam_config *cfg, char **text, size_t *size)
{
    return print(cfg, 0, text, size);
}

lam_status lam_config_print_model(const lam_config *cfg, char **text, size_t *size)
{
    return print(cfg, 1, text, size);
}

lam_status lam_config_save(const lam_config *cfg, const char *yaml_path)
{
    LAM_NEED(cfg, "cfg");
    LAM_NEED(yaml_path, "yaml_path");
    char *text;
    size_t size;
    lam_out_file out;
    LAM_TRY(lam_config_print(cfg, &text, &size));
    lam_status status = lam_out_open(&out, yaml_path);
    if (status == LAM_OK) {
        fwrite(text, 1, size, out.stream); /* a short write makes the commit fail */
        status = lam_out_commit(&out);
    }
    free(text);
    return status;
}
