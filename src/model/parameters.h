/* The one table of parameters: it serves lam_config_set and get, YAML files, the command line, defaults and checks. */
#ifndef LAM_MODEL_PARAMETERS_H
#define LAM_MODEL_PARAMETERS_H
#include "model/config.h"

typedef enum lam_param_kind {
    LAM_PARAM_SIZE,   /* size_t */
    LAM_PARAM_U64,    /* uint64_t */
    LAM_PARAM_REAL,   /* double */
    LAM_PARAM_TIME,   /* double, seconds: a number, or with units ("5m", "1h30m"); from 0 on */
    LAM_PARAM_BOOL,   /* int, "true" or "false" */
    LAM_PARAM_ENUM,   /* an enum whose values are the words of shown.values, in that order, from 0 */
    LAM_PARAM_WORD,   /* char *, one of the words of shown.values; NULL is the first of them */
    LAM_PARAM_LIST,   /* lam_names */
    LAM_PARAM_NOISE,  /* as LIST, every item "COL:a" */
    LAM_PARAM_DIMS,   /* hidden[] and n_hidden, 0 for "auto"; or the context's */
    LAM_PARAM_FIRST,  /* first_step and first_step_size: "probe", "warm" or a number */
    LAM_PARAM_START,  /* warm_start: "none", "auto" or "flow-matching:N" */
    LAM_PARAM_MAP,    /* map and map_knots: "none", "normal-scores" or "normal-scores:N" */
    LAM_PARAM_TPR     /* the shorthand "tpr": sets coefficient, times and degree */
} lam_param_kind;

/* What a parameter is to a fit, for comparing two configurations. */
enum {
    LAM_PARAM_HOW = 1,    /* how a fit goes about its work: the result does not depend on it, and models do not keep it */
    LAM_PARAM_LENGTH = 2, /* how long it is: may differ when a run goes on */
    LAM_PARAM_CLOCK = 4,  /* what a limit of time chooses */
    LAM_PARAM_COURSE = 8  /* when it validates, and when it gives up */
};

typedef struct lam_param {
    lam_parameter shown; /* first, so that lam_parameter_at can hand it out */
    lam_param_kind kind;
    size_t offset;       /* into lam_config; unused by FIRST, START, MAP and TPR */
    double low, high;    /* SIZE, REAL: range; U64: unused */
    int above_low;       /* 1: low itself is out of range */
    const char *preset;  /* the default, as text; NULL for a list: none */
    unsigned marks;      /* LAM_PARAM_HOW, ... */
    int (*idle)(const lam_config *cfg); /* 1: it does nothing in cfg, which would have to have what wants says; NULL: it always does something */
    const char *wants;
    int automatic;       /* not 0: "auto" is a value, for lam_config_resolve; 1: of SIZE and REAL kept as 0; -1: of REAL kept as -1 */
} lam_param;

/* NULL past the end. */
const lam_param *lam_param_at(size_t index);
/* By its name, or one that it had in an earlier version, '-' and '_' alike; NULL if there is none. *index may be NULL. */
const lam_param *lam_param_find(const char *name, size_t *index);
/* The failure for an unknown name: LAM_ERR_ARGUMENT, with the nearest known one. */
lam_status lam_param_unknown(const char *name);
/* One value from text, checked for its kind and range; cfg is untouched on failure. */
lam_status lam_param_set(const lam_param *param, lam_config *cfg, const char *value);
/* One value as text that lam_param_set takes. */
lam_status lam_param_get(const lam_param *param, const lam_config *cfg, char *value, size_t size);
/* The first parameter in which two configurations differ, and its values as text ("not set" for none; a long list's beginning). */
typedef struct lam_difference {
    const lam_param *param; /* NULL: they do not differ */
    char a[512], b[512];
} lam_difference;
/* A value "auto" that lam_config_resolve is to choose does not differ from any. Parameters with one of the marks are not compared, nor, with
 * but_idle, those that do nothing in both. */
lam_status lam_param_difference(const lam_config *a, const lam_config *b, unsigned marks, int but_idle, lam_difference *out);
/* Every "auto" of cfg that lam_config_resolve is to choose becomes what stands in from. */
lam_status lam_param_settle(lam_config *cfg, const lam_config *from);
/* The value that stands in cfg (which may have been filled directly) is in range. */
lam_status lam_param_check(const lam_param *param, const lam_config *cfg);
/* The char * of a WORD in cfg; NULL for other kinds. */
char **lam_param_text(const lam_param *param, lam_config *cfg);
/* The names of a LIST or NOISE in cfg; NULL for other kinds. */
lam_names *lam_param_names(const lam_param *param, lam_config *cfg);
const lam_names *lam_param_names_of(const lam_param *param, const lam_config *cfg);

/* ---- values that are widths (parameter_dims.c) -------------------------------------------------------------------- */

/* There are not more layers than there may be. */
lam_status lam_param_check_dims(const lam_param *param, const lam_config *cfg);
lam_status lam_param_set_dims(const lam_param *param, lam_config *cfg, const char *value);
lam_status lam_param_get_dims(const lam_param *param, const lam_config *cfg, char *value, size_t size);

/* ---- values that are lists of columns (parameter_list.c) ---------------------------------------------------------- */

/* Items are UTF-8 and not empty; those of NOISE end in ":a", a number of at least 0. */
lam_status lam_param_check_names(const lam_param *param, const lam_names *names);
/* From text, as lam_names_parse reads it, in place of *names. */
lam_status lam_param_set_names(const lam_param *param, lam_names *names, const char *text);

#endif
