/* One value of the table, from text and to text. */
#include "base/error.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/number.h"
#include "model/parameters.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Enum fields are read and written as unsigned int through their offset. */
_Static_assert(sizeof(lam_layer) == sizeof(unsigned) && sizeof(lam_solver) == sizeof(unsigned)
    && sizeof(lam_end) == sizeof(unsigned) && sizeof(lam_precision) == sizeof(unsigned), "enums are ints wide");

static void *field(const lam_param *param, lam_config *cfg)
{
    return (char *)cfg + param->offset;
}

static const void *field_of(const lam_param *param, const lam_config *cfg)
{
    return (const char *)cfg + param->offset;
}

char **lam_param_text(const lam_param *param, lam_config *cfg)
{
    return param->kind == LAM_PARAM_WORD ? field(param, cfg) : NULL;
}

lam_names *lam_param_names(const lam_param *param, lam_config *cfg)
{
    return param->shown.is_list ? field(param, cfg) : NULL;
}

const lam_names *lam_param_names_of(const lam_param *param, const lam_config *cfg)
{
    return param->shown.is_list ? field_of(param, cfg) : NULL;
}

/* ---- words -------------------------------------------------------------------------------------------------------- */

/* The index of value among "a|b|c", '-' and '_' alike; -1 if it is not one of them. */
static int word_index(const char *words, const char *value)
{
    for (int index = 0;; index++) {
        size_t n = strcspn(words, "|"), i = 0;
        while (i < n && (words[i] == value[i] || (words[i] == '_' && value[i] == '-')
                || (words[i] == '-' && value[i] == '_')))
            i++;
        if (i == n && value[n] == '\0')
            return index;
        if (words[n] == '\0')
            return -1;
        words += n + 1;
    }
}

/* The index-th of "a|b|c" and its length; NULL past the end. */
static const char *word_at(const char *words, unsigned index, size_t *length)
{
    for (; index > 0; index--) {
        words += strcspn(words, "|");
        if (*words == '\0')
            return NULL;
        words++;
    }
    *length = strcspn(words, "|");
    return words;
}

static lam_status not_a_word(const lam_param *param, const char *value)
{
    char list[200];
    size_t used = 0;
    for (const char *p = param->shown.values; *p != '\0' && used + 3 < sizeof list; p++) {
        if (*p == '|') {
            list[used++] = ',';
            list[used++] = ' ';
        } else {
            list[used++] = *p;
        }
    }
    list[used] = '\0';
    return lam_fail(LAM_ERR_ARGUMENT, "%s: \"%.60s\" is not one of %s", param->shown.name, value, list);
}

/* ---- ranges ------------------------------------------------------------------------------------------------------- */

static int in_range(const lam_param *param, double value)
{
    return isfinite(value) && value <= param->high && (param->above_low ? value > param->low : value >= param->low);
}

static lam_status out_of_range(const lam_param *param, const char *value)
{
    const char *what = param->kind == LAM_PARAM_REAL ? "number" : "whole number";
    char low[LAM_NUMBER_SIZE], high[LAM_NUMBER_SIZE];
    lam_number_print(param->low, low);
    lam_number_print(param->high, high);
    if (param->kind == LAM_PARAM_U64)
        return lam_fail(LAM_ERR_ARGUMENT, "%s: \"%.60s\" is not a whole number from 0 to %llu", param->shown.name, value,
            (unsigned long long)UINT64_MAX);
    if (param->high < DBL_MAX)
        return lam_fail(LAM_ERR_ARGUMENT, "%s: \"%.60s\" is not a %s from %s to %s", param->shown.name, value, what,
            low, high);
    if (param->kind == LAM_PARAM_TIME)
        return lam_fail(LAM_ERR_ARGUMENT, "%s: \"%.60s\" is not a length of time; give seconds, as 90, or units, as 90s, 5m, 1h30m or 2h; "
            "0 is no limit", param->shown.name, value);
    return lam_fail(LAM_ERR_ARGUMENT, "%s: \"%.60s\" is not a %s %s %s", param->shown.name, value, what,
        param->above_low ? "above" : "of at least", low);
}

/* ---- strings ------------------------------------------------------------------------------------------------------- */

/* Puts a copy of value in place of the string that stands there; NULL stays NULL. */
static lam_status replace_text(char **place, const char *value)
{
    char *copy = NULL;
    if (value != NULL && (copy = lam_strdup(value)) == NULL)
        return LAM_ERR_MEMORY;
    free(*place);
    *place = copy;
    return LAM_OK;
}

static lam_status set_text(const lam_param *param, char **place, const char *value)
{
    int index = word_index(param->shown.values, value);
    if (index < 0)
        return not_a_word(param, value);
    return replace_text(place, index == 0 ? NULL : value);
}

/* ---- those with a form of their own ------------------------------------------------------------------------------ */

static lam_status set_first_step(const lam_param *param, lam_config *cfg, const char *value)
{
    double size = 0;
    lam_first_step kind = LAM_STEP_PROBE;
    if (strcmp(value, "warm") == 0)
        kind = LAM_STEP_WARM;
    else if (strcmp(value, "probe") != 0)
        kind = LAM_STEP_GIVEN;
    if (kind == LAM_STEP_GIVEN && (lam_number_read(value, &size) != 0 || !(size > 0)))
        return lam_fail(LAM_ERR_ARGUMENT, "%s: \"%.60s\" is not one of probe, warm or a step size above 0", param->shown.name,
            value);
    cfg->first_step = kind;
    cfg->first_step_size = size;
    return LAM_OK;
}

static const char flow_matching[] = "flow-matching:";
static const double MOST_ITERATIONS = 1e15;

static lam_status set_warm_start(const lam_param *param, lam_config *cfg, const char *value)
{
    size_t n = strlen(flow_matching);
    uint64_t iterations = 0;
    if (strcmp(value, "auto") == 0) {
        cfg->warm_start = LAM_AUTO_START;
        return LAM_OK;
    }
    if (strcmp(value, "none") != 0
        && (strncmp(value, flow_matching, n) != 0 || lam_whole_read(value + n, &iterations) != 0 || iterations < 1
            || (double)iterations > MOST_ITERATIONS))
        return lam_fail(LAM_ERR_ARGUMENT, "%s: \"%.60s\" is not one of auto, none and flow-matching:N, N iterations from 1 to %g",
            param->shown.name, value, MOST_ITERATIONS);
    cfg->warm_start = (size_t)iterations;
    cfg->start_is_chosen = 0;
    return LAM_OK;
}

static const char normal_scores[] = "normal-scores";
static const double MOST_KNOTS = 1e6, FEWEST_KNOTS = 2;

static lam_status set_map(const lam_param *param, lam_config *cfg, const char *value)
{
    size_t n = strlen(normal_scores);
    uint64_t knots = 0;
    int scores = strncmp(value, normal_scores, n) == 0;
    int counted = scores && value[n] == ':' && lam_whole_read(value + n + 1, &knots) == 0 && (double)knots >= FEWEST_KNOTS
        && (double)knots <= MOST_KNOTS;
    int automatic = strcmp(value, "auto") == 0;
    if (!automatic && strcmp(value, "none") != 0 && !counted && strcmp(value, normal_scores) != 0)
        return lam_fail(LAM_ERR_ARGUMENT, "%s: \"%.60s\" is not one of auto, none, normal-scores and normal-scores:N, N quantiles from %g to %g",
            param->shown.name, value, FEWEST_KNOTS, MOST_KNOTS);
    cfg->map = automatic ? LAM_MAP_AUTO : scores ? LAM_MAP_NORMAL_SCORES : LAM_MAP_NONE;
    cfg->map_knots = (size_t)knots;
    return LAM_OK;
}

/* "true", "yes", "on" / "false", "no", "off" (YAML's); -1 for anything else. */
static int read_truth(const char *value)
{
    int index = word_index("false|true|no|yes|off|on|False|True", value);
    return index < 0 ? -1 : index % 2;
}

/* Each "tpr" sets all four, so that the published setting is what its name promises whatever stood there before. */
static lam_status set_tpr(const lam_param *param, lam_config *cfg, const char *value)
{
    int on = read_truth(value);
    if (on < 0)
        return not_a_word(param, value);
    cfg->tpr_coefficient = on ? 5 : 0;
    cfg->tpr_l_weight = 0;
    if (on) {
        cfg->tpr_times = 4;
        cfg->tpr_degree = 1;
    }
    return LAM_OK;
}

/* ---- any kind ----------------------------------------------------------------------------------------------------- */

/* What a REAL is kept as that is "auto". */
static double auto_real(const lam_param *param)
{
    return param->automatic < 0 ? LAM_AUTO_REAL : LAM_AUTO;
}

static lam_status set_number(const lam_param *param, lam_config *cfg, const char *value)
{
    uint64_t whole = 0;
    double number = 0;
    if (param->automatic && strcmp(value, "auto") == 0) {
        if (param->kind == LAM_PARAM_REAL)
            *(double *)field(param, cfg) = auto_real(param);
        else
            *(size_t *)field(param, cfg) = 0;
        return LAM_OK;
    }
    if (param->kind == LAM_PARAM_REAL || param->kind == LAM_PARAM_TIME) {
        int bad = param->kind == LAM_PARAM_TIME ? lam_seconds_read(value, &number) : lam_number_read(value, &number);
        if (bad != 0 || !in_range(param, number))
            return out_of_range(param, value);
        *(double *)field(param, cfg) = number == 0 ? 0 : number; /* no -0 */
        if (field(param, cfg) == (void *)&cfg->weight_decay)
            cfg->decay_is_chosen = 0;
        return LAM_OK;
    }
    if (lam_whole_read(value, &whole) != 0)
        return out_of_range(param, value);
    if (param->kind == LAM_PARAM_U64) {
        *(uint64_t *)field(param, cfg) = whole;
        return LAM_OK;
    }
    if (!in_range(param, (double)whole) || whole > SIZE_MAX)
        return out_of_range(param, value);
    *(size_t *)field(param, cfg) = (size_t)whole;
    if (field(param, cfg) == (void *)&cfg->flows)
        cfg->flows_are_chosen = 0;
    return LAM_OK;
}

/* Quotes that arrive with a value, from a shell or from YAML that quotes twice, are part of it. */
static lam_status check_quotes(const lam_param *param, const char *value)
{
    size_t n = strlen(value);
    if (param->shown.is_list || n < 2 || (value[0] != '"' && value[0] != '\'') || value[n - 1] != value[0])
        return LAM_OK;
    return lam_fail(LAM_ERR_ARGUMENT, "%s: the value came with quotes around it, %.60s; leave them out: %.*s", param->shown.name, value,
        n < 60 ? (int)n - 2 : 58, value + 1);
}

lam_status lam_param_set(const lam_param *param, lam_config *cfg, const char *value)
{
    int index;
    LAM_TRY(check_quotes(param, value));
    switch (param->kind) {
    case LAM_PARAM_SIZE:
    case LAM_PARAM_U64:
    case LAM_PARAM_REAL:
    case LAM_PARAM_TIME:
        return set_number(param, cfg, value);
    case LAM_PARAM_BOOL:
        index = read_truth(value);
        if (index < 0)
            return not_a_word(param, value);
        *(int *)field(param, cfg) = index;
        return LAM_OK;
    case LAM_PARAM_ENUM:
        index = word_index(param->shown.values, value);
        if (index < 0)
            return not_a_word(param, value);
        memcpy(field(param, cfg), &index, sizeof index);
        return LAM_OK;
    case LAM_PARAM_WORD:
        return set_text(param, lam_param_text(param, cfg), value);
    case LAM_PARAM_LIST:
    case LAM_PARAM_NOISE:
        return lam_param_set_names(param, lam_param_names(param, cfg), value);
    case LAM_PARAM_DIMS:
        return lam_param_set_dims(param, cfg, value);
    case LAM_PARAM_FIRST:
        return set_first_step(param, cfg, value);
    case LAM_PARAM_START:
        return set_warm_start(param, cfg, value);
    case LAM_PARAM_MAP:
        return set_map(param, cfg, value);
    case LAM_PARAM_TPR:
        return set_tpr(param, cfg, value);
    }
    return lam_fail(LAM_ERR_ARGUMENT, "%s: unknown kind", param->shown.name);
}

/* text, or n bytes of it when n is not SIZE_MAX, into value. */
static lam_status put(const lam_param *param, const char *text, size_t n, char *value, size_t size)
{
    size_t length = n == SIZE_MAX ? strlen(text) : n;
    if (length >= size)
        return lam_fail(LAM_ERR_ARGUMENT, "%s: the value takes %zu bytes, there is room for %zu", param->shown.name, length + 1, size);
    memcpy(value, text, length);
    value[length] = '\0';
    return LAM_OK;
}

static lam_status get_enum(const lam_param *param, const lam_config *cfg, char *value, size_t size)
{
    unsigned index;
    size_t n = 0;
    memcpy(&index, field_of(param, cfg), sizeof index);
    const char *word = word_at(param->shown.values, index, &n);
    if (word == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "%s: %u is not a value of its enum (%s)", param->shown.name, index,
            param->shown.values);
    return put(param, word, n, value, size);
}

/* A number that lam_config_resolve is to choose. */
static int is_auto(const lam_param *param, const lam_config *cfg)
{
    return param->automatic && param->kind != LAM_PARAM_ENUM && (param->kind == LAM_PARAM_REAL ? *(const double *)field_of(param, cfg) == auto_real(param)
                                                              : *(const size_t *)field_of(param, cfg) == 0);
}

static lam_status get_names(const lam_param *param, const lam_config *cfg, char *value, size_t size)
{
    char *text = lam_names_print(lam_param_names_of(param, cfg));
    if (text == NULL)
        return LAM_ERR_MEMORY;
    lam_status status = put(param, text, SIZE_MAX, value, size);
    free(text);
    return status;
}

lam_status lam_param_get(const lam_param *param, const lam_config *cfg, char *value, size_t size)
{
    char text[sizeof flow_matching + LAM_NUMBER_SIZE];
    const char *string;
    if (size == 0)
        return lam_fail(LAM_ERR_ARGUMENT, "%s: there is no room for its value", param->shown.name);
    switch (param->kind) {
    case LAM_PARAM_SIZE:
        snprintf(text, sizeof text, "%zu", *(const size_t *)field_of(param, cfg));
        return put(param, is_auto(param, cfg) ? "auto" : text, SIZE_MAX, value, size);
    case LAM_PARAM_U64:
        snprintf(text, sizeof text, "%llu", (unsigned long long)*(const uint64_t *)field_of(param, cfg));
        return put(param, text, SIZE_MAX, value, size);
    case LAM_PARAM_REAL:
    case LAM_PARAM_TIME:
        lam_number_print(*(const double *)field_of(param, cfg), text);
        return put(param, is_auto(param, cfg) ? "auto" : text, SIZE_MAX, value, size);
    case LAM_PARAM_BOOL:
        return put(param, *(const int *)field_of(param, cfg) ? "true" : "false", SIZE_MAX, value, size);
    case LAM_PARAM_ENUM:
        return get_enum(param, cfg, value, size);
    case LAM_PARAM_WORD:
        string = *(char *const *)field_of(param, cfg);
        if (string == NULL)
            return put(param, param->shown.values, strcspn(param->shown.values, "|"), value, size);
        return put(param, string, SIZE_MAX, value, size);
    case LAM_PARAM_LIST:
    case LAM_PARAM_NOISE:
        return get_names(param, cfg, value, size);
    case LAM_PARAM_DIMS:
        return lam_param_get_dims(param, cfg, value, size);
    case LAM_PARAM_FIRST:
        if (cfg->first_step == LAM_STEP_GIVEN)
            lam_number_print(cfg->first_step_size, text);
        else
            snprintf(text, sizeof text, "%s", cfg->first_step == LAM_STEP_WARM ? "warm" : "probe");
        return put(param, text, SIZE_MAX, value, size);
    case LAM_PARAM_START:
        snprintf(text, sizeof text, "%s%zu", flow_matching, cfg->warm_start);
        return put(param, cfg->warm_start == LAM_AUTO_START ? "auto" : cfg->warm_start > 0 ? text : "none", SIZE_MAX, value, size);
    case LAM_PARAM_MAP:
        snprintf(text, sizeof text, "%s:%zu", normal_scores, cfg->map_knots);
        return put(param, cfg->map == LAM_MAP_AUTO ? "auto" : cfg->map == LAM_MAP_NONE ? "none" : cfg->map_knots > 0 ? text : normal_scores, SIZE_MAX, value, size);
    case LAM_PARAM_TPR:
        return put(param, cfg->tpr_coefficient > 0 ? "true" : "false", SIZE_MAX, value, size);
    }
    return lam_fail(LAM_ERR_ARGUMENT, "%s: unknown kind", param->shown.name);
}

/* ---- values that were put there directly -------------------------------------------------------------------------- */

/* Ranges are those of set, so a value is checked by writing it out and reading it back; what set cannot tell (a number
 * kept beside "warm", an impossible enum, too many layers) is looked at here. */
lam_status lam_param_check(const lam_param *param, const lam_config *cfg)
{
    char value[LAM_MAX_HIDDEN * 21 + 1];
    lam_config scratch = { 0 };
    if (param->kind == LAM_PARAM_DIMS)
        LAM_TRY(lam_param_check_dims(param, cfg));
    if (param->kind == LAM_PARAM_FIRST && (unsigned)cfg->first_step > LAM_STEP_GIVEN)
        return lam_fail(LAM_ERR_ARGUMENT, "first-step: %u is not a value of its enum (%s)", (unsigned)cfg->first_step,
            param->shown.values);
    if (param->kind == LAM_PARAM_MAP && (unsigned)cfg->map > LAM_MAP_AUTO)
        return lam_fail(LAM_ERR_ARGUMENT, "map: %u is not a value of its enum (%s)", (unsigned)cfg->map, param->shown.values);
    if (param->shown.is_list)
        return lam_param_check_names(param, lam_param_names_of(param, cfg));
    if (param->kind == LAM_PARAM_TPR)
        return LAM_OK; /* its four stand for themselves */
    LAM_TRY(lam_param_get(param, cfg, value, sizeof value));
    lam_status status = lam_param_set(param, &scratch, value);
    free(scratch.isa);
    return status;
}
