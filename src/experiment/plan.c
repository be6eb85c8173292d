#include "experiment/plan.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/number.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static lam_status wrong_at(const lam_yaml *yaml, yaml_mark_t mark)
{
    return lam_yaml_at(yaml->where, mark, LAM_ERR_ARGUMENT);
}

/* ---- mappings by tables of keys ----------------------------------------------------------------------------------- */

enum { MOST_KEYS = 16 };

/* One key of a mapping: what reads its value, and where to. A NULL name ends a table. */
typedef struct plan_key {
    const char *name;
    lam_status (*read)(lam_yaml *yaml, void *target);
    size_t offset;
    int required;
} plan_key;

static const plan_key *find_key(const plan_key *keys, const char *name)
{
    const plan_key *nearest = NULL;
    size_t best = 3; /* more slips than two are another word */
    for (const plan_key *k = keys; k->name != NULL; k++) {
        size_t distance = lam_name_distance(name, k->name);
        if (distance == 0)
            return k;
        if (distance < best) {
            best = distance;
            nearest = k;
        }
    }
    if (nearest != NULL) {
        lam_fail(LAM_ERR_ARGUMENT, "unknown key \"%.60s\"; did you mean \"%s\"?", name, nearest->name);
        return NULL;
    }
    char known[300] = "";
    size_t used = 0;
    for (const plan_key *k = keys; k->name != NULL && used < sizeof known; k++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", k == keys ? "" : ", ", k->name);
    lam_fail(LAM_ERR_ARGUMENT, "unknown key \"%.60s\"; here stand %s", name, known);
    return NULL;
}

/* A key has been read; its value follows. seen [MOST_KEYS] holds the line of each key read so far, from 1. */
static lam_status read_pair(lam_yaml *yaml, const yaml_event_t *event, const plan_key *keys, size_t *seen, void *target)
{
    if (event->type != YAML_SCALAR_EVENT)
        return lam_yaml_unexpected(yaml, event, "a key");
    const char *name = (const char *)event->data.scalar.value;
    const plan_key *found = find_key(keys, name);
    if (found == NULL)
        return wrong_at(yaml, event->start_mark);
    if (seen[found - keys] > 0) {
        lam_fail(LAM_ERR_ARGUMENT, "%s stands here for a second time, first in line %zu; remove one", found->name,
            seen[found - keys]);
        return wrong_at(yaml, event->start_mark);
    }
    seen[found - keys] = event->start_mark.line + 1;
    return found->read(yaml, (char *)target + found->offset);
}

/* A mapping's pairs, its start, at that mark, already read. */
static lam_status read_pairs(lam_yaml *yaml, yaml_mark_t start, const plan_key *keys, void *target)
{
    size_t seen[MOST_KEYS] = { 0 };
    for (int done = 0; !done;) {
        yaml_event_t event;
        lam_status status = lam_yaml_next(yaml, &event);
        done = event.type == YAML_MAPPING_END_EVENT;
        if (status == LAM_OK && !done)
            status = read_pair(yaml, &event, keys, seen, target);
        yaml_event_delete(&event);
        LAM_TRY(status);
    }
    for (const plan_key *k = keys; k->name != NULL; k++) {
        if (k->required && seen[k - keys] == 0) {
            lam_fail(LAM_ERR_ARGUMENT, "the key \"%s\" is missing in what begins here", k->name);
            return wrong_at(yaml, start);
        }
    }
    return LAM_OK;
}

/* The start of a mapping, or of what ends with the event type, into *mark. */
static lam_status read_start(lam_yaml *yaml, yaml_event_type_t type, const char *expected, yaml_mark_t *mark)
{
    yaml_event_t event;
    lam_status status = lam_yaml_next(yaml, &event);
    *mark = event.start_mark;
    if (status == LAM_OK && event.type != type)
        status = lam_yaml_unexpected(yaml, &event, expected);
    yaml_event_delete(&event);
    return status;
}

static lam_status read_mapping(lam_yaml *yaml, const plan_key *keys, void *target)
{
    yaml_mark_t start;
    LAM_TRY(read_start(yaml, YAML_MAPPING_START_EVENT, "\"key: value\"", &start));
    return read_pairs(yaml, start, keys, target);
}

/* ---- words -------------------------------------------------------------------------------------------------------- */

static lam_status take_word(lam_yaml *yaml, const yaml_event_t *event, lam_plan_word *word)
{
    if (event->type != YAML_SCALAR_EVENT)
        return lam_yaml_unexpected(yaml, event, "a single value");
    word->mark = event->start_mark;
    if (event->data.scalar.length == 0) {
        lam_fail(LAM_ERR_ARGUMENT, "an empty value; say one, or leave the key out");
        return wrong_at(yaml, event->start_mark);
    }
    return lam_yaml_append(yaml, event, '\0', &word->text);
}

static lam_status read_word(lam_yaml *yaml, void *target)
{
    yaml_event_t event;
    lam_status status = lam_yaml_next(yaml, &event);
    if (status == LAM_OK)
        status = take_word(yaml, &event, target);
    yaml_event_delete(&event);
    return status;
}

/* Names stand in tables and, what they have of letters and digits, in the names of folders. */
static lam_status read_name(lam_yaml *yaml, void *target)
{
    lam_plan_word *word = target;
    LAM_TRY(read_word(yaml, word));
    int letters = 0;
    for (const char *c = word->text; *c != '\0'; c++) {
        letters += (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
        if ((unsigned char)*c < ' ')
            letters = -2 * LAM_PLAN_NAME;
    }
    if (letters > 0 && strlen(word->text) <= LAM_PLAN_NAME)
        return LAM_OK;
    lam_fail(LAM_ERR_ARGUMENT, "a name is one line of at most %d bytes with some letter or digit in it, a to z or 0 to 9",
        LAM_PLAN_NAME);
    return wrong_at(yaml, word->mark);
}

/* One more item at the end of *items [*n], each size bytes, zeroed; NULL: out of memory. */
static void *add_item(void **items, size_t *n, size_t size)
{
    char *larger = *n >= SIZE_MAX / size - 1 ? NULL : realloc(*items, (*n + 1) * size);
    if (larger == NULL) {
        lam_fail(LAM_ERR_MEMORY, "out of memory: a list of more than %zu items", *n);
        return NULL;
    }
    *items = larger;
    memset(larger + *n * size, 0, size);
    return larger + (*n)++ * size;
}

static lam_status add_word(lam_yaml *yaml, const yaml_event_t *event, lam_plan_words *words)
{
    lam_plan_word *word = add_item((void **)&words->items, &words->n, sizeof *word);
    return word == NULL ? LAM_ERR_MEMORY : take_word(yaml, event, word);
}

/* One value, or a list of at least one. */
static lam_status read_words(lam_yaml *yaml, void *target)
{
    lam_plan_words *words = target;
    yaml_event_t event;
    lam_status status = lam_yaml_next(yaml, &event);
    int list = event.type == YAML_SEQUENCE_START_EVENT;
    yaml_mark_t start = event.start_mark;
    if (status == LAM_OK && !list)
        status = add_word(yaml, &event, words);
    yaml_event_delete(&event);
    for (int done = !list; status == LAM_OK && !done;) {
        status = lam_yaml_next(yaml, &event);
        done = event.type == YAML_SEQUENCE_END_EVENT;
        if (status == LAM_OK && !done)
            status = add_word(yaml, &event, words);
        yaml_event_delete(&event);
    }
    LAM_TRY(status);
    if (words->n == 0) {
        lam_fail(LAM_ERR_ARGUMENT, "an empty list; say at least one value, or leave the key out");
        return wrong_at(yaml, start);
    }
    return LAM_OK;
}

/* Values that are the same have the same key; -1: not such a value. */
typedef int (*key_fn)(const char *text, uint64_t *key);

static int amount_key(const char *text, uint64_t *key)
{
    double value;
    if (lam_number_read(text, &value) != 0 || !(value > 0))
        return -1;
    memcpy(key, &value, sizeof value);
    return 0;
}

static lam_status check_words(const lam_yaml *yaml, const lam_plan_words *words, key_fn key_of, const char *what)
{
    for (size_t i = 0; i < words->n; i++) {
        const lam_plan_word *w = &words->items[i];
        uint64_t key = 0, other = 0;
        if (key_of(w->text, &key) != 0) {
            lam_fail(LAM_ERR_ARGUMENT, "\"%.60s\" is not a %s", w->text, what);
            return wrong_at(yaml, w->mark);
        }
        for (size_t j = 0; j < i; j++) {
            if (key_of(words->items[j].text, &other) == 0 && other == key) {
                lam_fail(LAM_ERR_ARGUMENT, "%.60s stands in this list twice; remove one", w->text);
                return wrong_at(yaml, w->mark);
            }
        }
    }
    return LAM_OK;
}

static lam_status read_amounts(lam_yaml *yaml, void *target)
{
    LAM_TRY(read_words(yaml, target));
    return check_words(yaml, target, amount_key, "number above 0");
}

static lam_status read_seeds(lam_yaml *yaml, void *target)
{
    LAM_TRY(read_words(yaml, target));
    return check_words(yaml, target, lam_whole_read, "whole number from 0 on");
}

/* One value, checked as lists of its kind are. */
static lam_status read_single(lam_yaml *yaml, lam_status (*read)(lam_yaml *yaml, void *target), lam_plan_word *word)
{
    lam_plan_words one = { 0 };
    lam_status status = read(yaml, &one);
    if (status == LAM_OK && one.n != 1) {
        lam_fail(LAM_ERR_ARGUMENT, "one value is wanted here, not %zu", one.n);
        status = wrong_at(yaml, one.items[0].mark);
    }
    if (status == LAM_OK) {
        *word = one.items[0];
        one.n = 0;
    }
    for (size_t i = 0; i < one.n; i++)
        free(one.items[i].text);
    free(one.items);
    return status;
}

static lam_status read_seed(lam_yaml *yaml, void *target)
{
    return read_single(yaml, read_seeds, target);
}

static lam_status read_tolerance(lam_yaml *yaml, void *target)
{
    return read_single(yaml, read_amounts, target);
}

/* ---- the parts of a plan ------------------------------------------------------------------------------------------ */

/* What the plan's own keys say is not said a second time. */
static lam_status read_settings(lam_yaml *yaml, void *target)
{
    static const char *const own[][2] = { { "model", "data is tables of numbers" }, { "iterations", "budget" },
        { "max-seconds", "budget" }, { "max-processor-seconds", "budget" }, { "epochs", "budget" }, { "atol", "tolerances" },
        { "rtol", "tolerances" }, { "seed", "seeds" }, { "threads", "threads" } };
    lam_settings *settings = target;
    yaml_mark_t start;
    LAM_TRY(lam_settings_create(settings));
    LAM_TRY(read_start(yaml, YAML_MAPPING_START_EVENT, "\"parameter: value\"", &start));
    LAM_TRY(lam_settings_read(settings, yaml));
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        size_t index;
        if (lam_param_find(own[i][0], &index) == NULL || settings->entries[index].text == NULL)
            continue;
        lam_fail(LAM_ERR_ARGUMENT, "%s is no setting here: %s%s%s says it", own[i][0], i == 0 ? "" : "the plan's key \"", own[i][1],
            i == 0 ? "; the model" : "\"");
        return wrong_at(yaml, settings->entries[index].key);
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

static lam_status read_amount(lam_yaml *yaml, void *target)
{
    lam_plan_word word = { 0 };
    lam_status status = read_tolerance(yaml, &word);
    if (status == LAM_OK)
        lam_number_read(word.text, target);
    free(word.text);
    return status;
}

static lam_status read_whole(lam_yaml *yaml, void *target)
{
    lam_plan_word word = { 0 };
    uint64_t value = 0;
    lam_status status = read_seed(yaml, &word);
    if (status == LAM_OK && (lam_whole_read(word.text, &value) != 0 || value < 1 || value > 1000000000)) {
        lam_fail(LAM_ERR_ARGUMENT, "\"%.60s\" is not a whole number from 1 to 1000000000", word.text);
        status = wrong_at(yaml, word.mark);
    }
    *(double *)target = (double)value;
    free(word.text);
    return status;
}

static const plan_key budget_keys[] = {
    { "iterations", read_whole, offsetof(lam_budget, amount[LAM_BUDGET_ITERATIONS]), 0 },
    { "seconds", read_amount, offsetof(lam_budget, amount[LAM_BUDGET_SECONDS]), 0 },
    { "processor-seconds", read_amount, offsetof(lam_budget, amount[LAM_BUDGET_PROCESSOR_SECONDS]), 0 },
    { 0 },
};

static lam_status read_budget(lam_yaml *yaml, void *target)
{
    lam_budget *budget = target;
    yaml_mark_t start;
    int said = 0;
    LAM_TRY(read_start(yaml, YAML_MAPPING_START_EVENT, "\"iterations: N\", \"seconds: N\" or \"processor-seconds: N\"", &start));
    LAM_TRY(read_pairs(yaml, start, budget_keys, budget));
    for (size_t i = 0; i < sizeof budget->amount / sizeof budget->amount[0]; i++)
        said += budget->amount[i] > 0;
    if (said == 1)
        return LAM_OK;
    lam_fail(LAM_ERR_ARGUMENT, "a budget is one of iterations, seconds and processor-seconds, and here stand%s", said == 0 ? "s none"
        : said == 2 ? " two" : " three");
    return wrong_at(yaml, start);
}

static const plan_key coefficient_keys[] = {
    { "parameters", read_words, offsetof(lam_plan_penalty, parameters), 1 },
    { "values", read_amounts, offsetof(lam_plan_penalty, values), 1 },
    { 0 },
};

static lam_status read_coefficient(lam_yaml *yaml, void *target)
{
    const lam_plan_penalty *penalty = target;
    LAM_TRY(read_mapping(yaml, coefficient_keys, target));
    for (size_t i = 0; i < penalty->parameters.n; i++) {
        const lam_plan_word *w = &penalty->parameters.items[i];
        const lam_param *param = lam_param_find(w->text, NULL);
        if (param == NULL)
            return lam_yaml_at(yaml->where, w->mark, lam_param_unknown(w->text));
        if (param->kind == LAM_PARAM_REAL)
            continue;
        lam_fail(LAM_ERR_ARGUMENT, "%s is no coefficient: its values are %s", param->shown.name, param->shown.values);
        return wrong_at(yaml, w->mark);
    }
    return LAM_OK;
}

static const plan_key data_keys[] = {
    { "name", read_name, offsetof(lam_plan_data, name), 1 },
    { "file", read_word, offsetof(lam_plan_data, file), 1 },
    { "valid", read_word, offsetof(lam_plan_data, valid), 0 },
    { "test", read_word, offsetof(lam_plan_data, test), 0 },
    { "config", read_word, offsetof(lam_plan_data, config), 0 },
    { "settings", read_settings, offsetof(lam_plan_data, settings), 0 },
    { 0 },
};
static const plan_key penalty_keys[] = {
    { "name", read_name, offsetof(lam_plan_penalty, name), 1 },
    { "settings", read_settings, offsetof(lam_plan_penalty, settings), 0 },
    { "coefficient", read_coefficient, 0, 0 },
    { 0 },
};

/* A list of mappings, at least one, each to an item of *items. */
static lam_status read_items(lam_yaml *yaml, const plan_key *keys, void **items, size_t *n, size_t size)
{
    yaml_mark_t start;
    LAM_TRY(read_start(yaml, YAML_SEQUENCE_START_EVENT, "a list, each item beginning \"- name: \",", &start));
    for (int done = 0; !done;) {
        yaml_event_t event;
        lam_status status = lam_yaml_next(yaml, &event);
        done = event.type == YAML_SEQUENCE_END_EVENT;
        if (status == LAM_OK && !done && event.type != YAML_MAPPING_START_EVENT)
            status = lam_yaml_unexpected(yaml, &event, "an item, \"- name: ...\",");
        void *item = status == LAM_OK && !done ? add_item(items, n, size) : NULL;
        if (status == LAM_OK && !done)
            status = item == NULL ? LAM_ERR_MEMORY : read_pairs(yaml, event.start_mark, keys, item);
        yaml_event_delete(&event);
        LAM_TRY(status);
    }
    if (*n == 0) {
        lam_fail(LAM_ERR_ARGUMENT, "an empty list; at least one item is wanted");
        return wrong_at(yaml, start);
    }
    return LAM_OK;
}

static lam_status read_data(lam_yaml *yaml, void *target)
{
    lam_plan *plan = target;
    return read_items(yaml, data_keys, (void **)&plan->data, &plan->n_data, sizeof *plan->data);
}

static lam_status read_penalties(lam_yaml *yaml, void *target)
{
    lam_plan *plan = target;
    return read_items(yaml, penalty_keys, (void **)&plan->penalties, &plan->n_penalties, sizeof *plan->penalties);
}

static const plan_key choose_keys[] = {
    { "data", read_word, offsetof(lam_plan_choose, data), 0 },
    { "seed", read_seed, offsetof(lam_plan_choose, seed), 0 },
    { "tolerance", read_tolerance, offsetof(lam_plan_choose, tolerance), 0 },
    { "budget", read_budget, offsetof(lam_plan_choose, budget), 0 },
    { 0 },
};

static lam_status read_choose(lam_yaml *yaml, void *target)
{
    lam_plan_choose *choose = target;
    choose->wanted = 1;
    return read_mapping(yaml, choose_keys, choose);
}

static const plan_key plan_keys[] = {
    { "name", read_name, offsetof(lam_plan, name), 0 },
    { "title", read_word, offsetof(lam_plan, title), 0 },
    { "budget", read_budget, offsetof(lam_plan, budget), 1 },
    { "threads", read_seed, offsetof(lam_plan, threads), 0 },
    { "settings", read_settings, offsetof(lam_plan, settings), 0 },
    { "data", read_data, 0, 1 },
    { "penalties", read_penalties, 0, 1 },
    { "tolerances", read_amounts, offsetof(lam_plan, tolerances), 0 },
    { "seeds", read_seeds, offsetof(lam_plan, seeds), 0 },
    { "baseline", read_word, offsetof(lam_plan, baseline), 0 },
    { "choose", read_choose, offsetof(lam_plan, choose), 0 },
    { 0 },
};

static lam_status read_plan(void *plan, lam_yaml *yaml)
{
    return read_pairs(yaml, (yaml_mark_t) { 0 }, plan_keys, plan);
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
            lam_fail(LAM_ERR_ARGUMENT, "the name \"%s\" stands in line %zu already, or one with the same letters and digits; choose "
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
        return lam_fail(LAM_ERR_FORMAT, "%s: the plan is empty; it wants budget, data and penalties", where);
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
