#include "base/error.h"
#include "base/mem.h"
#include "data/cell.h"
#include "data/columns.h"
#include "data/lines.h"
#include "data/table.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file while it is read. */
typedef struct text {
    const char *name;
    const lam_read_options *options;
    lam_separator separator;
    size_t cols;        /* in the file */
    char **names;       /* [cols] */
    int has_header;
    size_t first_line;  /* number of the line that sets cols */
    size_t *place;      /* [cols] column of the table, or SIZE_MAX for one that is not kept */
    lam_table *table;
    size_t room;        /* rows that table->values has room for */
    size_t seen;        /* data rows, bad ones included */
    char first_bad[256];/* what was wrong with the first dropped row */
} text;

static const char *separator_name(char sign)
{
    return sign == ',' ? "comma" : sign == ';' ? "semicolon" : sign == '\t' ? "tab" : "space";
}

static lam_status bad_quote(const text *t, size_t line, size_t column)
{
    return lam_fail(LAM_ERR_FORMAT, "%s: line %zu, column %zu: a quote is not closed, or text follows it", t->name, line,
        column);
}

/* The kind of a cell as the header decision sees it. */
static lam_cell_kind kind_of(const lam_cell *cell)
{
    double value;
    return lam_cell_read(cell->at, cell->n, &value);
}

/* Is the first line a header? The rule is in table.h. second is NULL when the file has one line. */
static int is_header(lam_separator separator, const lam_text_line *first, const lam_text_line *second)
{
    const char *a = first->at, *b = second != NULL ? second->at : NULL;
    lam_cell above, below;
    int text_above = 0, number_above = 0;
    while (lam_cell_next(&a, first->end, separator, &above) == LAM_STEP_CELL) {
        lam_cell_kind kind = kind_of(&above);
        text_above |= kind == LAM_CELL_TEXT;
        number_above |= kind == LAM_CELL_NUMBER || kind == LAM_CELL_TIME;
        if (second == NULL || lam_cell_next(&b, second->end, separator, &below) != LAM_STEP_CELL)
            continue;
        if (kind == LAM_CELL_TEXT && kind_of(&below) != LAM_CELL_TEXT)
            return 1;
        if (above.quoted && !below.quoted && kind == LAM_CELL_NUMBER)
            return 1;
    }
    return text_above && !number_above;
}

/* Copies a header cell, with doubled quotes made single. */
static lam_status copy_name(const lam_cell *cell, char **out)
{
    size_t n = 0;
    char *name = malloc(cell->n + 1);
    if (name == NULL)
        return lam_fail(LAM_ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < cell->n; i++) {
        name[n++] = cell->at[i];
        if (cell->quoted && cell->at[i] == '"' && i + 1 < cell->n && cell->at[i + 1] == '"')
            i++;
    }
    name[n] = '\0';
    *out = name;
    return LAM_OK;
}

/* Counts the columns of the first line and names them: from it, or "1", "2", ...; a nameless one by its number. */
static lam_status read_first_line(text *t, const lam_text_line *line)
{
    lam_cell cell;
    lam_cell_step step;
    const char *at = line->at;
    lam_table *names; /* only for its names */
    while ((step = lam_cell_next(&at, line->end, t->separator, &cell)) == LAM_STEP_CELL)
        t->cols++;
    if (step == LAM_STEP_BAD_QUOTE)
        return bad_quote(t, line->number, t->cols + 1);
    t->first_line = line->number;
    LAM_TRY(lam_table_empty(t->cols, &names));
    t->names = names->names;
    names->names = NULL;
    lam_table_free(names);
    at = line->at;
    for (size_t j = 0; j < t->cols && t->has_header; j++) {
        lam_cell_next(&at, line->end, t->separator, &cell);
        if (cell.n > 0) {
            free(t->names[j]);
            t->names[j] = NULL;
            LAM_TRY(copy_name(&cell, &t->names[j]));
        }
    }
    return LAM_OK;
}

/* Lays out the table: which columns go where, and room for as many rows as the length of one lets expect. */
static lam_status prepare(text *t, size_t bytes, size_t line_bytes)
{
    const char *columns = t->options != NULL ? t->options->columns : NULL, *drop = t->options != NULL ? t->options->drop : NULL;
    size_t *kept, n;
    LAM_TRY(lam_columns_select(t->name, t->names, t->cols, columns, drop, &kept, &n));
    t->place = lam_alloc(t->cols, sizeof *t->place);
    lam_status status = t->place == NULL ? LAM_ERR_MEMORY : lam_table_empty(n, &t->table);
    if (status == LAM_OK) {
        t->room = bytes / (line_bytes + 1) + 16;
        t->table->values = lam_alloc(t->room * n, sizeof *t->table->values);
        status = t->table->values == NULL ? LAM_ERR_MEMORY : LAM_OK;
        for (size_t j = 0; j < t->cols; j++)
            t->place[j] = SIZE_MAX;
        for (size_t k = 0; k < n && status == LAM_OK; k++) {
            t->place[kept[k]] = k;
            status = lam_table_rename(t->table, k, t->names[kept[k]]);
        }
        t->table->has_names = t->has_header;
    }
    lam_free(kept);
    return status;
}

static lam_status make_room(text *t)
{
    lam_table *table = t->table;
    if (table->rows < t->room)
        return LAM_OK;
    size_t room = t->room + t->room / 2;
    double *larger = lam_alloc(room * table->cols, sizeof *larger);
    if (larger == NULL)
        return LAM_ERR_MEMORY;
    memcpy(larger, table->values, table->rows * table->cols * sizeof *larger);
    lam_free(table->values);
    table->values = larger;
    t->room = room;
    return LAM_OK;
}

/* "line 3, column 2 (Voltage): "abc" is not a number", with what to do about it. */
static lam_status bad_cell(const text *t, const lam_text_line *line, size_t column, const lam_cell *cell, double value)
{
    char shown[LAM_SHOWN_SIZE];
    lam_cell_show(cell->at, cell->n, shown);
    lam_cell_kind kind = kind_of(cell);
    const char *hint = t->separator.sign != ',' && memchr(cell->at, ',', cell->n) != NULL
        ? " (numbers need a decimal point, not a comma)" : "";
    if (cell->n == 0)
        return lam_fail(LAM_ERR_DATA, "%s: line %zu, column %zu (%s): the cell is empty; leave such rows out with "
            "--drop-bad-rows, or the column with --drop %s", t->name, line->number, column + 1, t->names[column],
            t->names[column]);
    return lam_fail(LAM_ERR_DATA, "%s: line %zu, column %zu (%s): \"%s\" is %s%s; leave such rows out with --drop-bad-rows, or "
        "the column with --drop %s", t->name, line->number, column + 1, t->names[column], shown,
        isinf(value) ? "infinite" : kind == LAM_CELL_MISSING ? "a missing value" : "not a number", hint, t->names[column]);
}

static lam_status ragged(const text *t, const lam_text_line *line, size_t cells, const lam_cell *extra)
{
    char shown[LAM_SHOWN_SIZE];
    const char *sign = separator_name(t->separator.sign);
    if (extra != NULL)
        return lam_fail(LAM_ERR_FORMAT, "%s: line %zu has a cell too many in column %zu (\"%s\"): line %zu has %zu columns "
            "(%s-separated)", t->name, line->number, t->cols + 1, lam_cell_show(extra->at, extra->n, shown), t->first_line,
            t->cols, sign);
    return lam_fail(LAM_ERR_FORMAT, "%s: line %zu ends after column %zu; column %zu (%s) is missing: line %zu has %zu columns "
        "(%s-separated)", t->name, line->number, cells, cells + 1, t->names[cells], t->first_line, t->cols, sign);
}

/* One line of data into the next row of the table, or counted as bad. */
static lam_status read_row(text *t, const lam_text_line *line)
{
    LAM_TRY(make_room(t));
    double *row = t->table->values + t->table->rows * t->table->cols, value, bad_value = NAN;
    size_t j = 0, bad_column = SIZE_MAX;
    const char *at = line->at;
    lam_cell cell, bad = { 0 };
    lam_cell_step step;
    for (; (step = lam_cell_next(&at, line->end, t->separator, &cell)) == LAM_STEP_CELL; j++) {
        if (j == t->cols)
            return ragged(t, line, j, &cell);
        if (t->place[j] == SIZE_MAX)
            continue;
        lam_cell_read(cell.at, cell.n, &value);
        row[t->place[j]] = value;
        if (!isfinite(value) && bad_column == SIZE_MAX)
            bad_column = j, bad = cell, bad_value = value;
    }
    if (step == LAM_STEP_BAD_QUOTE)
        return bad_quote(t, line->number, j + 1);
    if (j < t->cols)
        return ragged(t, line, j, NULL);
    t->seen++;
    if (bad_column == SIZE_MAX) {
        t->table->rows++;
        return LAM_OK;
    }
    if (t->options == NULL || !t->options->drop_bad_rows)
        return bad_cell(t, line, bad_column, &bad, bad_value);
    if (t->table->bad_rows == 0) {
        char shown[LAM_SHOWN_SIZE];
        snprintf(t->first_bad, sizeof t->first_bad, "line %zu, column %zu (%.100s): \"%s\"", line->number, bad_column + 1,
            t->names[bad_column], lam_cell_show(bad.at, bad.n, shown));
    }
    return lam_table_drop_row(t->table, t->seen - 1);
}

static lam_status read_text(text *t, const char *bytes, size_t size)
{
    lam_lines lines = { bytes, bytes + size, 0 }, ahead;
    lam_text_line first, second;
    if (!lam_lines_next(&lines, &first))
        return lam_fail(LAM_ERR_FORMAT, "%s: the file is empty", t->name);
    t->separator = lam_separator_find(first.at, bytes + size);
    ahead = lines;
    int has_second = lam_lines_next(&ahead, &second);
    t->has_header = is_header(t->separator, &first, has_second ? &second : NULL);
    LAM_TRY(read_first_line(t, &first));
    if (t->has_header && !has_second)
        return lam_fail(LAM_ERR_FORMAT, "%s: there is a header of %zu columns and no row below it", t->name, t->cols);
    const lam_text_line *sample = t->has_header ? &second : &first;
    LAM_TRY(prepare(t, size, (size_t)(sample->end - sample->at)));
    if (!t->has_header)
        LAM_TRY(read_row(t, &first));
    for (lam_text_line line; lam_lines_next(&lines, &line);)
        LAM_TRY(read_row(t, &line));
    if (t->table->rows == 0)
        return lam_fail(LAM_ERR_DATA, "%s: no row is left, all %zu were dropped; the first for %s; --drop the columns that are "
            "not numbers", t->name, t->seen, t->first_bad);
    return LAM_OK;
}

lam_status lam_text_read(const char *name, const char *bytes, size_t size, const lam_read_options *options, lam_table **out)
{
    text t = { .name = name, .options = options };
    *out = NULL;
    if (size >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) /* a byte-order mark is no part of the first name */
        bytes += 3, size -= 3;
    const char *zero = size > 0 ? memchr(bytes, 0, size) : NULL;
    if (zero != NULL)
        return lam_fail(LAM_ERR_FORMAT, "%s: is neither text nor .npy nor .npz (a zero byte at offset %zu); save it as UTF-8 "
            "text or .npy", name, (size_t)(zero - bytes));
    lam_status status = size == 0 ? lam_fail(LAM_ERR_FORMAT, "%s: the file is empty", name) : read_text(&t, bytes, size);
    for (size_t j = 0; t.names != NULL && j < t.cols; j++)
        free(t.names[j]);
    lam_free(t.names);
    lam_free(t.place);
    if (status != LAM_OK) {
        lam_table_free(t.table);
        return status;
    }
    *out = t.table;
    return LAM_OK;
}
