/* Choosing columns by name or number. */
#ifndef LAM_DATA_COLUMNS_H
#define LAM_DATA_COLUMNS_H
#include "laminar.h"

/* The column that text [n] means: a name, or else a number counted from 1. LAM_ERR_ARGUMENT with the nearest name, or the
 * list of them, when there is none, or when two columns share the name. where (a file or an option) opens the message. */
lam_status lam_columns_find(const char *where, char *const *names, size_t cols, const char *text, size_t n, size_t *column);
/* Applies columns (comma-separated, in the order wanted) and then drop; either may be NULL or "". *kept [*n_kept] is from
 * lam_alloc and holds 0-based columns. LAM_ERR_ARGUMENT: unknown or repeated column, nothing left; LAM_ERR_FORMAT: two
 * kept columns of one name. */
lam_status lam_columns_select(const char *where, char *const *names, size_t cols, const char *columns, const char *drop,
    size_t **kept, size_t *n_kept);

#endif
