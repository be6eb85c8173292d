/* Columns by name and by number, and which of a source's columns are taken. */
#ifndef LAM_DATA_COLUMNS_H
#define LAM_DATA_COLUMNS_H
#include "laminar.h"

/* The columns that a file or a table has. */
typedef struct lam_source {
    const char *where;        /* opens the messages: a file, an option */
    const char *const *names; /* [n]; looked at only if has_names */
    const size_t *numbers;    /* [n] in the file, from 1; NULL: 1, 2, ... */
    size_t n;
    int has_names, from_zero; /* the latter of what is shown alone */
} lam_source;
lam_source lam_source_of(const char *where, const lam_table *table);
size_t lam_column_number(const lam_source *source, size_t column);
/* The same for a message: from 0 where that is wanted. */
size_t lam_column_shown(const lam_source *source, size_t column);

/* The column that text [n] means: its name; else its number, where the source has no names or where no column is named by a number that
 * is not its own. LAM_ERR_ARGUMENT when there is none, or when two columns share the name. */
lam_status lam_columns_find(const lam_source *source, const char *text, size_t n, size_t *column);
/* A list of the names for a message, cut where it gets long. */
enum { LAM_COLUMN_LIST = 400 };
const char *lam_columns_list(const char *const *names, size_t n, char text[LAM_COLUMN_LIST]);

/* 1: rows are read in the columns of a model, which needs them all; 0: for a fit, which may leave columns out. */
int lam_read_for_model(const lam_read_options *options);
/* What options take of the source (lam_columns_choose in laminar.h says the rules): *kept [*n] is from lam_alloc and holds places from
 * 0. options may be NULL. */
lam_status lam_columns_select(const lam_source *source, const lam_read_options *options, size_t **kept, size_t *n);

#endif
