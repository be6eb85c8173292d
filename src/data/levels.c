/* Reads text columns as numbers of their levels. */
#include "data/levels.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/need.h"
#include "data/cell.h"
#include "data/mapped.h"
#include "data/remark.h"
#include "data/table.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

void lam_levels_free(lam_names *levels, size_t cols)
{
    for (size_t j = 0; levels != NULL && j < cols; j++)
        lam_names_clear(&levels[j]);
    lam_free(levels);
}

lam_status lam_levels_pick(const lam_names *levels, const size_t *kept, size_t n, lam_names **out)
{
    size_t any = 0;
    *out = NULL;
    for (size_t k = 0; levels != NULL && k < n; k++)
        any += levels[kept[k]].n;
    if (any == 0)
        return LAM_OK;
    if ((*out = lam_alloc(n, sizeof **out)) == NULL)
        return LAM_ERR_MEMORY;
    lam_status status = LAM_OK;
    for (size_t k = 0; status == LAM_OK && k < n; k++)
        status = lam_names_copy(levels[kept[k]].item, levels[kept[k]].n, &(*out)[k]);
    if (status != LAM_OK) {
        lam_levels_free(*out, n);
        *out = NULL;
    }
    return status;
}

lam_status lam_levels_copy(const lam_names *levels, size_t cols, lam_names **out)
{
    *out = NULL;
    if (levels == NULL)
        return LAM_OK;
    size_t *all = lam_alloc(cols, sizeof *all);
    if (all == NULL)
        return LAM_ERR_MEMORY;
    for (size_t j = 0; j < cols; j++)
        all[j] = j;
    lam_status status = lam_levels_pick(levels, all, cols, out);
    lam_free(all);
    return status;
}

int lam_levels_are_text(const lam_names *levels, size_t column)
{
    return levels != NULL && levels[column].n > 0;
}

size_t lam_levels_width(const lam_names *levels, size_t column)
{
    return lam_levels_are_text(levels, column) ? levels[column].n : 1;
}

/* ---- looking one up ----------------------------------------------------------------------------------------------- */

/* By bytes, a shorter one before those that begin with it. */
static int compare(const char *item, const char *text, size_t n)
{
    size_t length = strlen(item);
    int order = memcmp(item, text, length < n ? length : n);
    return order != 0 ? order : (length > n) - (length < n);
}

/* The first of sorted items that is not below text. */
static size_t place_of(const char *const *item, size_t items, const char *text, size_t n)
{
    size_t low = 0, high = items;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(item[middle], text, n) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t lam_levels_find(const lam_names *list, const char *text, size_t n)
{
    size_t at = place_of(list->item, list->n, text, n);
    return at < list->n && compare(list->item[at], text, n) == 0 ? at : list->n;
}

void lam_levels_put(FILE *out, const lam_names *list)
{
    size_t shown = lam_remark_shown(list->n);
    for (size_t k = 0; k < shown; k++) {
        fputs(k > 0 ? ", " : "", out);
        lam_remark_name(out, list->item[k]);
    }
    if (shown < list->n)
        fprintf(out, " and %zu others", list->n - shown);
}

lam_status lam_levels_unknown(const char *where, const char *name, const lam_names *list, const char *text, size_t n)
{
    char shown[LAM_SHOWN_SIZE];
    lam_remark said;
    LAM_TRY(lam_remark_begin(&said));
    fprintf(said.out, "%s: \"%s\" is no level of the column %.100s, whose %zu level%s ", where, lam_cell_show(text, n, shown), name, list->n,
        list->n == 1 ? " is" : "s are");
    lam_levels_put(said.out, list);
    return lam_remark_fail(&said, LAM_ERR_DATA);
}

/* ---- collecting them ---------------------------------------------------------------------------------------------- */

lam_status lam_level_set_add(lam_level_set *set, const char *what, const char *text, size_t n)
{
    size_t at = place_of((const char *const *)set->item, set->n, text, n);
    if (at < set->n && compare(set->item[at], text, n) == 0)
        return LAM_OK;
    if (set->n == LAM_MOST_LEVELS)
        return lam_fail(LAM_ERR_DATA, "%s has more than %d different texts, too many for a category; leave the column out with --drop", what,
            LAM_MOST_LEVELS);
    if (set->n == set->room) {
        size_t room = 2 * set->room + 8;
        char **more = realloc(set->item, room * sizeof *more);
        if (more == NULL)
            return lam_fail(LAM_ERR_MEMORY, "out of memory: %zu levels", room);
        set->item = more, set->room = room;
    }
    char *copy = malloc(n + 1);
    if (copy == NULL)
        return lam_fail(LAM_ERR_MEMORY, "out of memory: %zu levels", set->n);
    memcpy(copy, text, n);
    copy[n] = '\0';
    memmove(set->item + at + 1, set->item + at, (set->n++ - at) * sizeof *set->item);
    set->item[at] = copy;
    return LAM_OK;
}

lam_status lam_level_set_list(const lam_level_set *set, lam_names *out)
{
    return lam_names_copy((const char *const *)set->item, set->n, out);
}

void lam_level_set_clear(lam_level_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        free(set->item[i]);
    free(set->item);
    *set = (lam_level_set) { 0 };
}

/* ---- of a table --------------------------------------------------------------------------------------------------- */

static lam_status check_numbers(const lam_table *table, size_t column, size_t n)
{
    for (size_t i = 0; i < table->rows; i++) {
        double v = table->values[i * table->cols + column];
        if (!isnan(v) && !(v >= 0 && v < (double)n && v == floor(v)))
            return lam_fail(LAM_ERR_DATA, "row %zu, column %zu (%s): %g is no level: they are counted from 0 to %zu", i + 1, column + 1,
                table->names[column], v, n - 1);
    }
    return LAM_OK;
}

lam_status lam_table_set_levels(lam_table *table, size_t column, const lam_names *levels)
{
    LAM_NEED(table, "table");
    LAM_NEED(levels, "levels");
    LAM_TRY(lam_table_is_here(table));
    if (column >= table->cols)
        return lam_fail(LAM_ERR_ARGUMENT, "column %zu cannot have levels: the table has %zu columns", column + 1, table->cols);
    for (size_t k = 1; k < levels->n; k++)
        if (strcmp(levels->item[k - 1], levels->item[k]) >= 0)
            return lam_fail(LAM_ERR_ARGUMENT, "levels have to be different and in the order of their bytes: \"%.60s\" stands before \"%.60s\"",
                levels->item[k - 1], levels->item[k]);
    LAM_TRY(check_numbers(table, column, levels->n));
    if (table->levels == NULL && (table->levels = lam_alloc(table->cols, sizeof *table->levels)) == NULL)
        return LAM_ERR_MEMORY;
    lam_names copy;
    LAM_TRY(lam_names_copy(levels->item, levels->n, &copy));
    lam_names_clear(&table->levels[column]);
    table->levels[column] = copy;
    return LAM_OK;
}
