/* How the parts of a plan are read: mappings by tables of keys, words, lists. */
#ifndef LAM_EXPERIMENT_PLAN_READER_H
#define LAM_EXPERIMENT_PLAN_READER_H
#include "experiment/plan.h"

/* One key of a mapping: what reads its value, and where to. A NULL name ends a table. */
typedef struct lam_plan_key {
    const char *name;
    lam_status (*read)(lam_yaml *yaml, void *target);
    size_t offset;
    int required;
} lam_plan_key;

/* Puts the place before a failure's text: LAM_ERR_ARGUMENT. */
lam_status lam_plan_wrong_at(const lam_yaml *yaml, yaml_mark_t mark);
/* The start of what begins with that event, into *mark; any other event is a failure that says what was expected. */
lam_status lam_plan_read_start(lam_yaml *yaml, yaml_event_type_t type, const char *expected, yaml_mark_t *mark);
/* A mapping's pairs, its start, at that mark, already read: each by its key, none twice, those required present. */
lam_status lam_plan_read_pairs(lam_yaml *yaml, yaml_mark_t start, const lam_plan_key *keys, void *target);
/* A mapping, its start included. */
lam_status lam_plan_read_mapping(lam_yaml *yaml, const lam_plan_key *keys, void *target);
/* A list of mappings, at least one, each to a new item of *items [*n], size bytes, zeroed. */
lam_status lam_plan_read_items(lam_yaml *yaml, const lam_plan_key *keys, void **items, size_t *n, size_t size);

/* Readers for tables of keys. Of a lam_plan_word: any, a name (which folders can be named by), a number above 0, a seed. */
lam_status lam_plan_read_word(lam_yaml *yaml, void *target);
lam_status lam_plan_read_name(lam_yaml *yaml, void *target);
lam_status lam_plan_read_amount(lam_yaml *yaml, void *target);
lam_status lam_plan_read_seed(lam_yaml *yaml, void *target);
/* Of a lam_plan_words, one value or a list of at least one: any, numbers above 0, seeds; of these two none twice. */
lam_status lam_plan_read_words(lam_yaml *yaml, void *target);
lam_status lam_plan_read_amounts(lam_yaml *yaml, void *target);
lam_status lam_plan_read_seeds(lam_yaml *yaml, void *target);
lam_status lam_plan_read_seed_list(lam_yaml *yaml, void *target); /* of the whole plan: not a value alone */

#endif
