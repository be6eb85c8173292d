/* Reads mappings, words and lists of a plan, and reports mistakes by their place. */
#include "experiment/plan_reader.h"
#include "base/error.h"
#include "base/number.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

lam_status lam_plan_wrong_at(const lam_yaml *yaml, yaml_mark_t mark)
{
    return lam_yaml_at(yaml->where, mark, LAM_ERR_ARGUMENT);
}

/* ---- mappings by tables of keys ----------------------------------------------------------------------------------- */

enum { MOST_KEYS = 16 };

static const lam_plan_key *find_key(const lam_plan_key *keys, const char *name)
{
    const lam_plan_key *nearest = NULL;
    size_t best = 3; /* more slips than two are another word */
    for (const lam_plan_key *k = keys; k->name != NULL; k++) {
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
    for (const lam_plan_key *k = keys; k->name != NULL && used < sizeof known; k++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", k == keys ? "" : ", ", k->name);
    lam_fail(LAM_ERR_ARGUMENT, "unknown key \"%.60s\"; here stand %s", name, known);
    return NULL;
}

/* A key has been read; its value follows. seen [MOST_KEYS] holds the line of each key read so far, from 1. */
static lam_status read_pair(lam_yaml *yaml, const yaml_event_t *event, const lam_plan_key *keys, size_t *seen, void *target)
{
    if (event->type != YAML_SCALAR_EVENT)
        return lam_yaml_unexpected(yaml, event, "a key");
    const char *name = (const char *)event->data.scalar.value;
    const lam_plan_key *found = find_key(keys, name);
    if (found == NULL)
        return lam_plan_wrong_at(yaml, event->start_mark);
    if (seen[found - keys] > 0) {
        lam_fail(LAM_ERR_ARGUMENT, "%s appears a second time here, first in line %zu; remove one", found->name,
            seen[found - keys]);
        return lam_plan_wrong_at(yaml, event->start_mark);
    }
    seen[found - keys] = event->start_mark.line + 1;
    return found->read(yaml, (char *)target + found->offset);
}

lam_status lam_plan_read_pairs(lam_yaml *yaml, yaml_mark_t start, const lam_plan_key *keys, void *target)
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
    for (const lam_plan_key *k = keys; k->name != NULL; k++) {
        if (k->required && seen[k - keys] == 0) {
            lam_fail(LAM_ERR_ARGUMENT, "the key \"%s\" is missing in what begins here", k->name);
            return lam_plan_wrong_at(yaml, start);
        }
    }
    return LAM_OK;
}

lam_status lam_plan_read_start(lam_yaml *yaml, yaml_event_type_t type, const char *expected, yaml_mark_t *mark)
{
    yaml_event_t event;
    lam_status status = lam_yaml_next(yaml, &event);
    *mark = event.start_mark;
    if (status == LAM_OK && event.type != type)
        status = lam_yaml_unexpected(yaml, &event, expected);
    yaml_event_delete(&event);
    return status;
}

lam_status lam_plan_read_mapping(lam_yaml *yaml, const lam_plan_key *keys, void *target)
{
    yaml_mark_t start;
    LAM_TRY(lam_plan_read_start(yaml, YAML_MAPPING_START_EVENT, "\"key: value\"", &start));
    return lam_plan_read_pairs(yaml, start, keys, target);
}

/* ---- words -------------------------------------------------------------------------------------------------------- */

static lam_status read_word(lam_yaml *yaml, const yaml_event_t *event, lam_plan_word *word)
{
    if (event->type != YAML_SCALAR_EVENT)
        return lam_yaml_unexpected(yaml, event, "a single value");
    word->mark = event->start_mark;
    if (event->data.scalar.length == 0) {
        lam_fail(LAM_ERR_ARGUMENT, "an empty value; say one, or leave the key out");
        return lam_plan_wrong_at(yaml, event->start_mark);
    }
    return lam_yaml_append(yaml, event, '\0', &word->text);
}

lam_status lam_plan_read_word(lam_yaml *yaml, void *target)
{
    yaml_event_t event;
    lam_status status = lam_yaml_next(yaml, &event);
    if (status == LAM_OK)
        status = read_word(yaml, &event, target);
    yaml_event_delete(&event);
    return status;
}

/* Names stand in tables and, what they have of letters and digits, in the names of folders. */
lam_status lam_plan_read_name(lam_yaml *yaml, void *target)
{
    lam_plan_word *word = target;
    LAM_TRY(lam_plan_read_word(yaml, word));
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
    return lam_plan_wrong_at(yaml, word->mark);
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
    return word == NULL ? LAM_ERR_MEMORY : read_word(yaml, event, word);
}

lam_status lam_plan_read_words(lam_yaml *yaml, void *target)
{
    lam_plan_words *words = target;
    yaml_event_t event;
    lam_status status = lam_yaml_next(yaml, &event);
    int list = event.type == YAML_SEQUENCE_START_EVENT;
    yaml_mark_t start = event.start_mark;
    words->alone = !list;
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
        return lam_plan_wrong_at(yaml, start);
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
            return lam_plan_wrong_at(yaml, w->mark);
        }
        for (size_t j = 0; j < i; j++) {
            if (key_of(words->items[j].text, &other) == 0 && other == key) {
                lam_fail(LAM_ERR_ARGUMENT, "%.60s appears twice in this list; remove one", w->text);
                return lam_plan_wrong_at(yaml, w->mark);
            }
        }
    }
    return LAM_OK;
}

lam_status lam_plan_read_amounts(lam_yaml *yaml, void *target)
{
    LAM_TRY(lam_plan_read_words(yaml, target));
    return check_words(yaml, target, amount_key, "number above 0");
}

lam_status lam_plan_read_seeds(lam_yaml *yaml, void *target)
{
    LAM_TRY(lam_plan_read_words(yaml, target));
    return check_words(yaml, target, lam_whole_read, "whole number from 0 on");
}

lam_status lam_plan_read_seed_list(lam_yaml *yaml, void *target)
{
    const lam_plan_words *words = target;
    LAM_TRY(lam_plan_read_seeds(yaml, target));
    if (!words->alone)
        return LAM_OK;
    lam_fail(LAM_ERR_ARGUMENT, "seeds is a list: [%s] is the one seed %s, [1, 2, 3] are three", words->items[0].text, words->items[0].text);
    return lam_plan_wrong_at(yaml, words->items[0].mark);
}

/* One value, checked as lists of its kind are. */
static lam_status read_single(lam_yaml *yaml, lam_status (*read)(lam_yaml *yaml, void *target), lam_plan_word *word)
{
    lam_plan_words one = { 0 };
    lam_status status = read(yaml, &one);
    if (status == LAM_OK && one.n != 1) {
        lam_fail(LAM_ERR_ARGUMENT, "one value is wanted here, not %zu", one.n);
        status = lam_plan_wrong_at(yaml, one.items[0].mark);
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

lam_status lam_plan_read_seed(lam_yaml *yaml, void *target)
{
    return read_single(yaml, lam_plan_read_seeds, target);
}

lam_status lam_plan_read_amount(lam_yaml *yaml, void *target)
{
    return read_single(yaml, lam_plan_read_amounts, target);
}

/* ---- lists of mappings -------------------------------------------------------------------------------------------- */

lam_status lam_plan_read_items(lam_yaml *yaml, const lam_plan_key *keys, void **items, size_t *n, size_t size)
{
    yaml_mark_t start;
    LAM_TRY(lam_plan_read_start(yaml, YAML_SEQUENCE_START_EVENT, "a list, each item beginning \"- name: \",", &start));
    for (int done = 0; !done;) {
        yaml_event_t event;
        lam_status status = lam_yaml_next(yaml, &event);
        done = event.type == YAML_SEQUENCE_END_EVENT;
        if (status == LAM_OK && !done && event.type != YAML_MAPPING_START_EVENT)
            status = lam_yaml_unexpected(yaml, &event, "an item, \"- name: ...\",");
        void *item = status == LAM_OK && !done ? add_item(items, n, size) : NULL;
        if (status == LAM_OK && !done)
            status = item == NULL ? LAM_ERR_MEMORY : lam_plan_read_pairs(yaml, event.start_mark, keys, item);
        yaml_event_delete(&event);
        LAM_TRY(status);
    }
    if (*n == 0) {
        lam_fail(LAM_ERR_ARGUMENT, "an empty list; at least one item is wanted");
        return lam_plan_wrong_at(yaml, start);
    }
    return LAM_OK;
}
