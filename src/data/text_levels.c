/* Columns of text, whose texts are levels. */
#include "base/error.h"
#include "base/mem.h"
#include "base/names.h"
#include "data/cell.h"
#include "data/columns.h"
#include "data/levels.h"
#include "data/text_inside.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* What is known of the columns of the file while it is looked through. */
typedef struct search {
    unsigned char *may, *is; /* [cols] may be text; is, as some cell tells */
    lam_level_set *set;      /* [cols] */
} search;

/* Words, codes and dates, not what may be a number with a decimal comma. */
static int is_word(const lam_cell *cell)
{
    double value;
    return lam_cell_read(cell->at, cell->n, &value) == LAM_CELL_TEXT && lam_cell_read_comma(cell->at, cell->n, &value) == LAM_CELL_TEXT
        && lam_cell_comma(cell->at, cell->n) != LAM_COMMA_EITHER;
}

static int is_missing(const lam_cell *cell)
{
    double value;
    return lam_cell_read(cell->at, cell->n, &value) == LAM_CELL_MISSING;
}

static lam_status look_at(const lam_text *t, search *s, size_t column, const lam_cell *cell, int collects)
{
    if (!collects) {
        s->is[column] |= s->may[column] && is_word(cell);
        return LAM_OK;
    }
    if (!s->is[column] || is_missing(cell))
        return LAM_OK;
    char what[300];
    snprintf(what, sizeof what, "%.150s: the column %.100s", t->name, t->top.names[column]);
    return lam_level_set_add(&s->set[column], what, cell->at, cell->n);
}

/* Every cell of the file; lines that are cut short or cannot be read are left to those who read the rows. */
static lam_status look_through(const lam_text *t, search *s, int collects)
{
    lam_lines lines = t->top.rows;
    for (lam_text_line line; lam_record_next(&lines, t->top.separator, &line);) {
        const char *at = line.at;
        lam_cell cell;
        if (lam_line_is_comment(&line)
            || (t->top.row_names && lam_cell_next(&at, line.end, t->top.separator, &cell) != LAM_STEP_CELL))
            continue;
        for (size_t j = 0; j < t->top.cols && lam_cell_next(&at, line.end, t->top.separator, &cell) == LAM_STEP_CELL; j++)
            LAM_TRY(look_at(t, s, j, &cell, collects));
    }
    return LAM_OK;
}

static lam_status give_levels(lam_text *t, const search *s)
{
    lam_table *table = t->table;
    for (size_t j = 0; j < t->top.cols; j++) {
        if (!s->is[j] || s->set[j].n == 0)
            continue;
        if (table->levels == NULL && (table->levels = lam_alloc(table->cols, sizeof *table->levels)) == NULL)
            return LAM_ERR_MEMORY;
        LAM_TRY(lam_level_set_list(&s->set[j], &table->levels[t->place[j]]));
    }
    return LAM_OK;
}

/* Those of options->text that are kept. */
static lam_status mark(const lam_text *t, search *s)
{
    const lam_source source = { t->name, (const char *const *)t->top.names, NULL, t->top.cols, t->top.has_names, t->options->from_zero };
    for (size_t i = 0; i < t->options->text.n; i++) {
        const char *item = t->options->text.item[i];
        size_t column;
        LAM_TRY(lam_columns_find(&source, item, strlen(item), &column));
        s->may[column] = t->place[column] != SIZE_MAX;
    }
    return LAM_OK;
}

static lam_status find(lam_text *t, search *s)
{
    LAM_TRY(mark(t, s));
    LAM_TRY(look_through(t, s, 0));
    LAM_TRY(look_through(t, s, 1));
    return give_levels(t, s);
}

lam_status lam_text_find_levels(lam_text *t)
{
    const lam_read_options *o = t->options;
    if (o != NULL && o->like != NULL)
        return lam_levels_copy(o->like->levels, t->table->cols, &t->table->levels);
    if (o == NULL || o->text.n == 0)
        return LAM_OK;
    size_t cols = t->top.cols;
    search s = { .may = lam_alloc(cols, 1), .is = lam_alloc(cols, 1), .set = lam_alloc(cols, sizeof *s.set) };
    lam_status status = s.may == NULL || s.is == NULL || s.set == NULL ? LAM_ERR_MEMORY : find(t, &s);
    for (size_t j = 0; s.set != NULL && j < cols; j++)
        lam_level_set_clear(&s.set[j]);
    lam_free(s.may);
    lam_free(s.is);
    lam_free(s.set);
    return status;
}
