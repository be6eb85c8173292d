/* The plan of an experiment, as its YAML file says it (docs/data.md). */
#ifndef LAM_EXPERIMENT_PLAN_H
#define LAM_EXPERIMENT_PLAN_H
#include "model/parameters.h"
#include "model/settings.h"

typedef enum lam_budget_kind { LAM_BUDGET_NONE, LAM_BUDGET_ITERATIONS, LAM_BUDGET_SECONDS,
    LAM_BUDGET_PROCESSOR_SECONDS } lam_budget_kind;
/* Of each, how much; 0: not said. One of them is, or, of choose, none. */
typedef struct lam_budget {
    double amount[4]; /* by lam_budget_kind */
} lam_budget;
/* The one that is said. */
lam_budget_kind lam_budget_said(const lam_budget *budget);

/* A word of the file and where it stands. */
typedef struct lam_plan_word {
    char *text; /* NULL: not said */
    yaml_mark_t mark;
} lam_plan_word;
typedef struct lam_plan_words {
    lam_plan_word *items; /* [n] */
    size_t n;
    int alone;            /* 1: one value, not in a list */
} lam_plan_words;

typedef struct lam_plan_data {
    lam_plan_word name, file, valid, test, config; /* paths as they stand there */
    lam_settings settings;
} lam_plan_data;

typedef struct lam_plan_penalty {
    lam_plan_word name;
    lam_settings settings;
    lam_plan_words parameters, values; /* of coefficient: each value is that of all these parameters. Both empty: none */
} lam_plan_penalty;

typedef struct lam_plan_choose {
    int wanted; /* 1: the plan has this stage */
    lam_plan_word data, seed, tolerance;
    lam_budget budget;
    size_t on; /* index of data */
} lam_plan_choose;

typedef struct lam_plan {
    lam_plan_word name, title, threads, baseline;
    lam_budget budget;
    lam_settings settings;
    lam_plan_data *data;
    lam_plan_penalty *penalties;
    size_t n_data, n_penalties;
    lam_plan_words tolerances, seeds;
    lam_plan_choose choose;
    size_t base; /* index of the penalty that baseline names */
} lam_plan;

enum { LAM_PLAN_NAME = 60 }; /* bytes that a name may have */

/* Reads text [size bytes]; where stands for the file's name. Mistakes are LAM_ERR_FORMAT or LAM_ERR_ARGUMENT, with their place.
 * Words are checked for what they can be checked for without files. *plan is zeroed on failure; free with lam_plan_clear. */
lam_status lam_plan_parse(lam_plan *plan, const char *text, size_t size, const char *where);
void lam_plan_clear(lam_plan *plan); /* takes a zeroed one */
/* A name as part of a folder's name: letters small, what is no letter, digit, '.' or '_' becomes '-'; never empty, not beginning
 * with '.'. */
void lam_plan_slug(const char *name, char slug[LAM_PLAN_NAME + 1]);
/* A path of the plan as seen from the folder of the plan's own file; malloc'd, NULL: out of memory. "toy:NAME" stays. */
char *lam_plan_path(const char *where, const char *path);

#endif
