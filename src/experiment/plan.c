/* Reads the plan of an experiment. */
#include "experiment/plan.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/number.h"
#include "experiment/plan_reader.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the parts of a plan ------------------------------------------------------------------------------------------ */

/* What the plan's own keys say is not said a second time. */
static lam_status read_settings(lam_yaml *yaml, void *target)
{
    static const char *const own[][2] = { { "model", "data is tables of numbers" }, { "iterations", "budget" },
        { "budget", "budget" }, { "max-processor-seconds", "budget" }, { "epochs", "budget" }, { "atol", "tolerances" },
        { "rtol", "tolerances" }, { "seed", "seeds" }, { "threads", "threads" } };
    lam_settings *settings = target;
    yaml_mark_t start;
    LAM_TRY(lam_settings_create(settings));
    LAM_TRY(lam_plan_read_start(yaml, YAML_MAPPING_START_EVENT, "\"parameter: value\"", &start));
    LAM_TRY(lam_settings_read(settings, yaml));
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        size_t index;
        if (lam_param_find(own[i][0], &index) == NULL || settings->entries[index].text == NULL)
            continue;
        lam_fail(LAM_ERR_ARGUMENT, "%s is no setting here: %s%s%s says it", own[i][0], i == 0 ? "" : "the plan's key \"", own[i][1],
            i == 0 ? "; the model" : "\"");
        return lam_plan_wrong_at(yaml, settings->entries[index].key);
    }
    return LAM_OK;
}

lam_budget_kind lam_budget_said(const lam_budget *budget)
{
    for (lam_budget_kind kind = LAM_BUDGET_ITERATIONS; kind <= LAM_BUDGET_PROCESSOR_SECONDS; kind++)
        if (budget->amount[kind] > 0)
            return kind;
    return LAM_BUDGET_NONE;
}

static lam_status read_number(lam_yaml *yaml, void *target)
{
    lam_plan_word word = { 0 };
    lam_status status = lam_plan_read_amount(yaml, &word);
    if (status == LAM_OK)
        lam_number_read(word.text, target);
    free(word.text);
    return status;
}

static lam_status read_whole(lam_yaml *yaml, void *target)
{
    lam_plan_word word = { 0 };
    uint64_t value = 0;
    lam_status status = lam_plan_read_seed(yaml, &word);
    if (status == LAM_OK && (lam_whole_read(word.text, &value) != 0 || value < 1 || value > 1000000000)) {
        lam_fail(LAM_ERR_ARGUMENT, "\"%.60s\" is not a whole number from 1 to 1000000000", word.text);
        status = lam_plan_wrong_at(yaml, word.mark);
    }
    *(double *)target = (double)value;
    free(word.text);
    return status;
}

static const lam_plan_key budget_keys[] = {
    { "iterations", read_whole, offsetof(lam_budget, amount[LAM_BUDGET_ITERATIONS]), 0 },
    { "seconds", read_number, offsetof(lam_budget, amount[LAM_BUDGET_SECONDS]), 0 },
    { "processor-seconds", read_number, offsetof(lam_budget, amount[LAM_BUDGET_PROCESSOR_SECONDS]), 0 },
    { 0 },
};

static lam_status read_budget(lam_yaml *yaml, void *target)
{
    lam_budget *budget = target;
    yaml_mark_t start;
    int said = 0;
    LAM_TRY(lam_plan_read_start(yaml, YAML_MAPPING_START_EVENT, "\"iterations: N\", \"seconds: N\" or "
        "\"processor-seconds: N\"", &start));
    LAM_TRY(lam_plan_read_pairs(yaml, start, budget_keys, budget));
    for (size_t i = 0; i < sizeof budget->amount / sizeof budget->amount[0]; i++)
        said += budget->amount[i] > 0;
    if (said == 1)
        return LAM_OK;
    lam_fail(LAM_ERR_ARGUMENT, "a budget is one of iterations, seconds and processor-seconds, and here stand%s", said == 0 ? "s none"
        : said == 2 ? " two" : " three");
    return lam_plan_wrong_at(yaml, start);
}

static const lam_plan_key coefficient_keys[] = {
    { "parameters", lam_plan_read_words, offsetof(lam_plan_penalty, parameters), 1 },
    { "values", lam_plan_read_amounts, offsetof(lam_plan_penalty, values), 1 },
    { 0 },
};

static lam_status read_coefficient(lam_yaml *yaml, void *target)
{
    const lam_plan_penalty *penalty = target;
    LAM_TRY(lam_plan_read_mapping(yaml, coefficient_keys, target));
    for (size_t i = 0; i < penalty->parameters.n; i++) {
        const lam_plan_word *w = &penalty->parameters.items[i];
        const lam_param *param = lam_param_find(w->text, NULL);
        if (param == NULL)
            return lam_yaml_at(yaml->where, w->mark, lam_param_unknown(w->text));
        if (param->kind == LAM_PARAM_REAL)
            continue;
        lam_fail(LAM_ERR_ARGUMENT, "%s is no coefficient: its values are %s", param->shown.name, param->shown.values);
        return lam_plan_wrong_at(yaml, w->mark);
    }
    return LAM_OK;
}

static const lam_plan_key data_keys[] = {
    { "name", lam_plan_read_name, offsetof(lam_plan_data, name), 1 },
    { "file", lam_plan_read_word, offsetof(lam_plan_data, file), 1 },
    { "valid", lam_plan_read_word, offsetof(lam_plan_data, valid), 0 },
    { "test", lam_plan_read_word, offsetof(lam_plan_data, test), 0 },
    { "config", lam_plan_read_word, offsetof(lam_plan_data, config), 0 },
    { "settings", read_settings, offsetof(lam_plan_data, settings), 0 },
    { 0 },
};
static const lam_plan_key penalty_keys[] = {
    { "name", lam_plan_read_name, offsetof(lam_plan_penalty, name), 1 },
    { "settings", read_settings, offsetof(lam_plan_penalty, settings), 0 },
    { "coefficient", read_coefficient, 0, 0 },
    { 0 },
};

static lam_status read_data(lam_yaml *yaml, void *target)
{
    lam_plan *plan = target;
    return lam_plan_read_items(yaml, data_keys, (void **)&plan->data, &plan->n_data, sizeof *plan->data);
}

static lam_status read_penalties(lam_yaml *yaml, void *target)
{
    lam_plan *plan = target;
    return lam_plan_read_items(yaml, penalty_keys, (void **)&plan->penalties, &plan->n_penalties, sizeof *plan->penalties);
}

static const lam_plan_key choose_keys[] = {
    { "data", lam_plan_read_word, offsetof(lam_plan_choose, data), 0 },
    { "seed", lam_plan_read_seed, offsetof(lam_plan_choose, seed), 0 },
    { "tolerance", lam_plan_read_amount, offsetof(lam_plan_choose, tolerance), 0 },
    { "budget", read_budget, offsetof(lam_plan_choose, budget), 0 },
    { 0 },
};

static lam_status read_choose(lam_yaml *yaml, void *target)
{
    lam_plan_choose *choose = target;
    choose->wanted = 1;
    return lam_plan_read_mapping(yaml, choose_keys, choose);
}

static const lam_plan_key plan_keys[] = {
    { "name", lam_plan_read_name, offsetof(lam_plan, name), 0 },
    { "title", lam_plan_read_word, offsetof(lam_plan, title), 0 },
    { "budget", read_budget, offsetof(lam_plan, budget), 1 },
    { "threads", lam_plan_read_seed, offsetof(lam_plan, threads), 0 },
    { "settings", read_settings, offsetof(lam_plan, settings), 0 },
    { "data", read_data, 0, 1 },
    { "penalties", read_penalties, 0, 1 },
    { "tolerances", lam_plan_read_amounts, offsetof(lam_plan, tolerances), 0 },
    { "seeds", lam_plan_read_seed_list, offsetof(lam_plan, seeds), 0 },
    { "baseline", lam_plan_read_word, offsetof(lam_plan, baseline), 0 },
    { "choose", read_choose, offsetof(lam_plan, choose), 0 },
    { 0 },
};

static lam_status read_plan(void *plan, lam_yaml *yaml)
{
    return lam_plan_read_pairs(yaml, (yaml_mark_t) { 0 }, plan_keys, plan);
}

/* ---- what the parts say of each other ----------------------------------------------------------------------------- */

/* The name of item i of a list of structs that begin with it. */
static const lam_plan_word *name_at(const void *items, size_t size, size_t i)
{
    return (const lam_plan_word *)(const void *)((const char *)items + i * size);
}

void lam_plan_slug(const char *name, char slug[LAM_PLAN_NAME + 1])
{
    size_t n = 0;
    for (const char *c = name; *c != '\0' && n < LAM_PLAN_NAME; c++) {
        int keep = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || *c == '_' || *c == '.';
        if (*c >= 'A' && *c <= 'Z')
            slug[n++] = (char)(*c - 'A' + 'a');
        else if (keep && (n > 0 || *c != '.'))
            slug[n++] = *c;
        else if (n > 0 && slug[n - 1] != '-')
            slug[n++] = '-';
    }
    while (n > 0 && slug[n - 1] == '-')
        n--;
    slug[n] = '\0';
}

/* Names are told apart by their folders' names. */
static lam_status check_names(const char *where, const void *items, size_t n, size_t size)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            const lam_plan_word *a = name_at(items, size, i), *b = name_at(items, size, j);
            char slugs[2][LAM_PLAN_NAME + 1];
            lam_plan_slug(a->text, slugs[0]);
            lam_plan_slug(b->text, slugs[1]);
            if (strcmp(slugs[0], slugs[1]) != 0)
                continue;
            lam_fail(LAM_ERR_ARGUMENT, "the name \"%s\" is already in line %zu, or one with the same letters and digits; choose "
                "another", a->text, b->mark.line + 1);
            return lam_yaml_at(where, a->mark, LAM_ERR_ARGUMENT);
        }
    }
    return LAM_OK;
}

/* The index of the item that word names; the first one where it names none. */
static lam_status find_item(const char *where, const lam_plan_word *word, const char *what, const void *items, size_t n,
    size_t size, size_t *index)
{
    char known[300] = "";
    size_t used = 0;
    *index = 0;
    for (size_t i = 0; i < n && word->text != NULL; i++) {
        const lam_plan_word *name = name_at(items, size, i);
        if (strcmp(name->text, word->text) == 0) {
            *index = i;
            return LAM_OK;
        }
        if (used < sizeof known)
            used += (size_t)snprintf(known + used, sizeof known - used, "%s\"%s\"", i == 0 ? "" : ", ", name->text);
    }
    if (word->text == NULL)
        return LAM_OK;
    lam_fail(LAM_ERR_ARGUMENT, "no %s is named \"%.60s\"; there %s %s", what, word->text, n == 1 ? "is" : "are", known);
    return lam_yaml_at(where, word->mark, LAM_ERR_ARGUMENT);
}

static lam_status check_choose(lam_plan *plan, const char *where)
{
    size_t lists = 0;
    lam_plan_choose *choose = &plan->choose;
    if (!choose->wanted)
        return LAM_OK;
    LAM_TRY(find_item(where, &choose->data, "data", plan->data, plan->n_data, sizeof *plan->data, &choose->on));
    for (size_t i = 0; i < plan->n_penalties; i++)
        lists += plan->penalties[i].values.n > 0;
    if (lists == 0)
        return lam_fail(LAM_ERR_ARGUMENT, "%s: choose has nothing to choose: no penalty has a coefficient with a list of values",
            where);
    return LAM_OK;
}

static lam_status check_plan(lam_plan *plan, const char *where)
{
    if (plan->n_data == 0)
        return lam_fail(LAM_ERR_FORMAT, "%s: the plan is empty; it needs budget, data and penalties", where);
    LAM_TRY(check_names(where, plan->data, plan->n_data, sizeof *plan->data));
    LAM_TRY(check_names(where, plan->penalties, plan->n_penalties, sizeof *plan->penalties));
    LAM_TRY(find_item(where, &plan->baseline, "penalty", plan->penalties, plan->n_penalties, sizeof *plan->penalties, &plan->base));
    if (plan->penalties[plan->base].values.n > 1) {
        lam_fail(LAM_ERR_ARGUMENT, "the baseline, \"%s\", has a list of coefficients; one to compare with is wanted",
            plan->penalties[plan->base].name.text);
        return lam_yaml_at(where, plan->penalties[plan->base].name.mark, LAM_ERR_ARGUMENT);
    }
    return check_choose(plan, where);
}

lam_status lam_plan_parse(lam_plan *plan, const char *text, size_t size, const char *where)
{
    lam_yaml yaml;
    *plan = (lam_plan) { 0 };
    LAM_TRY(lam_yaml_open(&yaml, text, size, where));
    lam_status status = lam_yaml_document(&yaml, read_plan, plan);
    lam_yaml_close(&yaml);
    if (status == LAM_OK)
        status = check_plan(plan, where);
    if (status != LAM_OK)
        lam_plan_clear(plan);
    return status;
}

static void clear_words(lam_plan_words *words)
{
    for (size_t i = 0; i < words->n; i++)
        free(words->items[i].text);
    free(words->items);
}

void lam_plan_clear(lam_plan *plan)
{
    for (size_t i = 0; i < plan->n_data; i++) {
        lam_plan_data *d = &plan->data[i];
        char *const texts[] = { d->name.text, d->file.text, d->valid.text, d->test.text, d->config.text };
        for (size_t j = 0; j < sizeof texts / sizeof texts[0]; j++)
            free(texts[j]);
        lam_settings_clear(&d->settings);
    }
    for (size_t i = 0; i < plan->n_penalties; i++) {
        lam_plan_penalty *p = &plan->penalties[i];
        free(p->name.text);
        lam_settings_clear(&p->settings);
        clear_words(&p->parameters);
        clear_words(&p->values);
    }
    char *const texts[] = { plan->name.text, plan->title.text, plan->threads.text, plan->baseline.text, plan->choose.data.text,
        plan->choose.seed.text, plan->choose.tolerance.text };
    for (size_t j = 0; j < sizeof texts / sizeof texts[0]; j++)
        free(texts[j]);
    free(plan->data);
    free(plan->penalties);
    lam_settings_clear(&plan->settings);
    clear_words(&plan->tolerances);
    clear_words(&plan->seeds);
    *plan = (lam_plan) { 0 };
}

char *lam_plan_path(const char *where, const char *path)
{
    const char *slash = strrchr(where, '/');
    if (slash == NULL || path[0] == '/' || strncmp(path, "toy:", 4) == 0)
        return lam_strdup(path);
    size_t folder = (size_t)(slash - where) + 1, length = strlen(path);
    char *joined = malloc(folder + length + 1);
    if (joined == NULL) {
        lam_fail(LAM_ERR_MEMORY, "out of memory: %zu bytes were asked for", folder + length + 1);
        return NULL;
    }
    memcpy(joined, where, folder);
    memcpy(joined + folder, path, length + 1);
    return joined;
}
