/* The texts that a column of text may have, its levels, in the order of their bytes. A table holds such a cell as the number of its level,
 * from 0. `levels` is a list a column, [cols]: one without items is a column of numbers. NULL: all columns are numbers. */
#ifndef LAM_DATA_LEVELS_H
#define LAM_DATA_LEVELS_H
#include "laminar.h"
#include <stdio.h>

enum { LAM_MOST_LEVELS = 1000 }; /* a column of more is no category */

void lam_levels_free(lam_names *levels, size_t cols);
lam_status lam_levels_copy(const lam_names *levels, size_t cols, lam_names **out); /* of NULL: NULL */
/* The levels of columns kept [n], in this order; NULL where none of these has any. */
lam_status lam_levels_pick(const lam_names *levels, const size_t *kept, size_t n, lam_names **out);
/* 1: column is one of text. */
int lam_levels_are_text(const lam_names *levels, size_t column);
/* Inputs that a column makes: one a level, one of a column of numbers. */
size_t lam_levels_width(const lam_names *levels, size_t column);
/* The number of the level that text [n] is; list->n: it is none. */
size_t lam_levels_find(const lam_names *list, const char *text, size_t n);
/* "a, b, c, d, e, f and 54 others" */
void lam_levels_put(FILE *out, const lam_names *list);
/* Fails, saying that text [n] is no level of the column `name`, and which levels there are. where opens the message. */
lam_status lam_levels_unknown(const char *where, const char *name, const lam_names *list, const char *text, size_t n);

/* Levels while they are collected. All zeros is empty. */
typedef struct lam_level_set {
    char **item; /* [room], sorted */
    size_t n, room;
} lam_level_set;
/* Adds text [n], if it is not there. LAM_ERR_DATA beyond LAM_MOST_LEVELS; what opens the message. */
lam_status lam_level_set_add(lam_level_set *set, const char *what, const char *text, size_t n);
lam_status lam_level_set_list(const lam_level_set *set, lam_names *out);
void lam_level_set_clear(lam_level_set *set);

#endif
