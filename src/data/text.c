/* Reads csv and other text files into a table. */
#include "base/error.h"
#include "base/mem.h"
#include "data/cell.h"
#include "data/columns.h"
#include "data/decimal.h"
#include "data/encoding.h"
#include "data/levels.h"
#include "data/preamble.h"
#include "data/remark.h"
#include "data/table.h"
#include "data/text_inside.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *separator_name(char sign)
{
    return sign == ',' ? "comma" : sign == ';' ? "semicolon" : sign == '\t' ? "tab" : sign == '|' ? "|" : "space";
}

static lam_cell_kind read_cell(const lam_text *t, const lam_cell *cell, double *value)
{
    return t->comma ? lam_cell_read_comma(cell->at, cell->n, value) : lam_cell_read(cell->at, cell->n, value);
}

static lam_source source_of(const lam_text *t)
{
    return (lam_source) { t->name, (const char *const *)t->top.names, NULL, t->top.cols, t->top.has_names,
        t->options != NULL && t->options->from_zero };
}

/* Lays out the table: which columns go where, and room for as many rows as the length of one lets expect. */
static lam_status prepare(lam_text *t, size_t bytes, size_t line_bytes)
{
    const lam_source source = source_of(t);
    size_t *kept, n;
    LAM_TRY(lam_columns_select(&source, t->options, &kept, &n));
    t->place = lam_alloc(t->top.cols, sizeof *t->place);
    lam_status status = t->place == NULL ? LAM_ERR_MEMORY : lam_table_empty(n, &t->table);
    if (status == LAM_OK) {
        t->room = bytes / (line_bytes + 1) + 16;
        t->table->values = lam_alloc(t->room * n, sizeof *t->table->values);
        status = t->table->values == NULL ? LAM_ERR_MEMORY : LAM_OK;
        for (size_t j = 0; j < t->top.cols; j++)
            t->place[j] = SIZE_MAX;
        for (size_t k = 0; k < n && status == LAM_OK; k++) {
            t->place[kept[k]] = k;
            t->table->numbers[k] = kept[k] + 1;
            status = lam_table_rename(t->table, k, t->top.names[kept[k]]);
        }
        t->table->has_names = t->top.has_names;
    }
    lam_free(kept);
    return status;
}

static lam_status make_room(lam_text *t)
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

/* ---- columns that are no numbers ---------------------------------------------------------------------------------- */

/* Words, dates, codes; not what might be a number with commas. */
static int is_text(const lam_text *t, const lam_cell *cell)
{
    double value;
    int letters = memchr(cell->at, ',', cell->n) == NULL;
    for (size_t i = 0; i < cell->n && !letters; i++) {
        unsigned char c = (unsigned char)cell->at[i];
        letters = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
    }
    return letters && read_cell(t, cell, &value) == LAM_CELL_TEXT;
}

/* The columns kept that have text in every row where they have anything, into columns [t->top.cols]. */
static lam_status find_text(const lam_text *t, size_t *columns, size_t *n)
{
    unsigned char *seen = lam_alloc(2 * t->top.cols, 1), *other = seen + t->top.cols;
    if (seen == NULL)
        return LAM_ERR_MEMORY;
    lam_lines lines = t->top.rows;
    for (lam_text_line line; lam_record_next(&lines, t->top.separator, &line);) {
        const char *at = line.at;
        lam_cell cell;
        double value;
        if (lam_line_is_comment(&line)
            || (t->top.row_names && lam_cell_next(&at, line.end, t->top.separator, &cell) != LAM_STEP_CELL))
            continue;
        for (size_t j = 0; j < t->top.cols && lam_cell_next(&at, line.end, t->top.separator, &cell) == LAM_STEP_CELL; j++) {
            int words = t->place[j] != SIZE_MAX && !other[j] && !lam_levels_are_text(t->table->levels, t->place[j]) && is_text(t, &cell);
            if (words)
                seen[j] = 1;
            else if (read_cell(t, &cell, &value) != LAM_CELL_MISSING)
                other[j] = 1;
        }
    }
    *n = 0;
    for (size_t j = 0; j < t->top.cols; j++)
        if (seen[j] && !other[j])
            columns[(*n)++] = j;
    lam_free(seen);
    return LAM_OK;
}

/* Fails with all columns of text, if there are any, and others that are kept. tail: what else might help. */
static lam_status refuse_text(const lam_text *t, const char *tail)
{
    const lam_source source = source_of(t);
    size_t n = 0, *columns = lam_alloc(t->top.cols, sizeof *columns);
    lam_remark all;
    lam_status status = columns == NULL ? LAM_ERR_MEMORY : find_text(t, columns, &n);
    if (status == LAM_OK && n > 0 && n < t->table->cols && (status = lam_remark_begin(&all)) == LAM_OK) {
        fprintf(all.out, "%s: ", t->name);
        if (n == 1)
            lam_remark_column(all.out, &source, columns[0]);
        else
            fputs("columns ", all.out), lam_remark_names(all.out, &source, columns, n);
        fprintf(all.out, " %s text in every row, and no numbers; leave %s out with ", n == 1 ? "has" : "have", n == 1 ? "it" : "them");
        lam_remark_drop(all.out, &source, columns, n);
        if (t->options == NULL || t->options->like == NULL)
            fprintf(all.out, ", or, where the density of the others given %s is wanted, name %s in --given", n == 1 ? "it" : "them",
                n == 1 ? "it" : "them");
        fputs(tail, all.out);
        status = lam_remark_fail(&all, LAM_ERR_DATA);
    }
    lam_free(columns);
    return status;
}

static lam_status unknown_level(const lam_text *t, const lam_text_line *line, size_t column, const lam_cell *cell)
{
    char where[300];
    snprintf(where, sizeof where, "%.200s: line %zu", t->name, line->number);
    return lam_levels_unknown(where, t->top.names[column], &t->table->levels[t->place[column]], cell->at, cell->n);
}

/* "line 3, column 2 (Voltage): "abc" is not a number", with what to do about it. */
static lam_status bad_cell(const lam_text *t, const lam_text_line *line, size_t column, const lam_cell *cell, double value)
{
    char shown[LAM_SHOWN_SIZE];
    lam_cell_show(cell->at, cell->n, shown);
    double read;
    lam_cell_kind kind = read_cell(t, cell, &read);
    const char *hint = t->top.separator.sign == ',' || memchr(cell->at, ',', cell->n) == NULL ? ""
        : lam_cell_comma(cell->at, cell->n) == LAM_COMMA_OTHER ? " (commas between thousands are not read)"
        : " (numbers need a decimal point, not a comma, where others have one)";
    if (t->comma && kind == LAM_CELL_TEXT && memchr(cell->at, '.', cell->n) != NULL)
        hint = " (others have a decimal comma: is the point one between thousands?)";
    const char *names = t->top.first_line != line->number || t->top.has_names ? "" : "; if the line holds the names of the columns: --header yes";
    const lam_source source = source_of(t);
    lam_remark all;
    if (kind != LAM_CELL_MISSING && lam_levels_are_text(t->table->levels, t->place[column]))
        return unknown_level(t, line, column, cell);
    if (kind == LAM_CELL_TEXT)
        LAM_TRY(refuse_text(t, names));
    LAM_TRY(lam_remark_begin(&all));
    fprintf(all.out, "%s: line %zu, ", t->name, line->number);
    lam_remark_column(all.out, &source, column);
    if (cell->n == 0)
        fputs(": the cell is empty", all.out);
    else
        fprintf(all.out, ": \"%s\" is %s%s", shown, isinf(value) ? "infinite" : kind == LAM_CELL_MISSING ? "a missing value" : "not a number", hint);
    fputs("; leave such rows out with --drop-bad-rows, or the column with ", all.out);
    lam_remark_drop(all.out, &source, &column, 1);
    lam_remark_missing(all.out, kind == LAM_CELL_MISSING && !(t->options != NULL && t->options->like != NULL));
    fputs(names, all.out);
    return lam_remark_fail(&all, LAM_ERR_DATA);
}

static lam_status ragged(const lam_text *t, const lam_text_line *line, size_t cells, const lam_cell *extra)
{
    char shown[LAM_SHOWN_SIZE];
    const char *sign = separator_name(t->top.separator.sign);
    if (extra != NULL)
        return lam_fail(LAM_ERR_FORMAT, "%s: line %zu has a cell too many in column %zu (\"%s\"): line %zu has %zu columns "
            "(%s-separated)%s", t->name, line->number, t->top.cols + 1, lam_cell_show(extra->at, extra->n, shown), t->top.first_line,
            t->top.cols, sign, t->seen == 0 && t->top.has_names ? "; if every row has one more, give that column a name too" : "");
    return lam_fail(LAM_ERR_FORMAT, "%s: line %zu ends after column %zu; column %zu (%s) is missing: line %zu has %zu columns "
        "(%s-separated)", t->name, line->number, cells, cells + 1, t->top.names[cells], t->top.first_line, t->top.cols, sign);
}

/* A cell of the table's column k: of a column of text the number of its level. */
static lam_cell_kind read_place(const lam_text *t, size_t k, const lam_cell *cell, double *value)
{
    lam_cell_kind kind = read_cell(t, cell, value);
    if (!lam_levels_are_text(t->table->levels, k) || kind == LAM_CELL_MISSING)
        return kind;
    const lam_names *list = &t->table->levels[k];
    size_t level = lam_levels_find(list, cell->at, cell->n);
    *value = level < list->n ? (double)level : (double)NAN;
    return level < list->n ? LAM_CELL_NUMBER : LAM_CELL_TEXT;
}

/* One line of data into the next row of the table, or counted as bad. */
static lam_status read_row(lam_text *t, const lam_text_line *line)
{
    LAM_TRY(make_room(t));
    double *row = t->table->values + t->table->rows * t->table->cols, value, bad_value = NAN;
    size_t j = 0, bad_column = SIZE_MAX, absent = 0;
    const char *at = line->at;
    int missing = t->options != NULL && t->options->missing;
    lam_cell cell, bad = { 0 };
    lam_cell_step step;
    if (t->top.row_names && lam_cell_next(&at, line->end, t->top.separator, &cell) == LAM_STEP_BAD_QUOTE)
        return lam_quote_fail(t->name, line->number, 1);
    for (; (step = lam_cell_next(&at, line->end, t->top.separator, &cell)) == LAM_STEP_CELL; j++) {
        if (j == t->top.cols)
            return ragged(t, line, j, &cell);
        if (t->place[j] == SIZE_MAX)
            continue;
        lam_cell_kind kind = read_place(t, t->place[j], &cell, &value);
        row[t->place[j]] = value;
        absent += kind == LAM_CELL_MISSING;
        if (!isfinite(value) && bad_column == SIZE_MAX && !(missing && kind == LAM_CELL_MISSING))
            bad_column = j, bad = cell, bad_value = value;
    }
    if (step == LAM_STEP_BAD_QUOTE)
        return lam_quote_fail(t->name, line->number, j + 1 + (size_t)t->top.row_names);
    if (j < t->top.cols)
        return ragged(t, line, j, NULL);
    t->seen++;
    if (bad_column == SIZE_MAX && absent == t->table->cols)
        return lam_table_drop_row(t->table, t->seen - 1);
    if (bad_column == SIZE_MAX) {
        t->table->rows++;
        t->table->missing += absent;
        return LAM_OK;
    }
    if (t->options == NULL || !t->options->drop_bad_rows)
        return bad_cell(t, line, bad_column, &bad, bad_value);
    if (t->table->bad_rows == 0) {
        char shown[LAM_SHOWN_SIZE];
        snprintf(t->first_bad, sizeof t->first_bad, "line %zu, column %zu (%.100s): \"%s\"", line->number, bad_column + 1,
            t->top.names[bad_column], lam_cell_show(bad.at, bad.n, shown));
    }
    return lam_table_drop_row(t->table, t->seen - 1);
}

/* What was found out about the file and what was passed over, for people. */
static lam_status describe(lam_text *t, const char *encoding)
{
    char how[300], notes[700] = "";
    size_t used = 0;
    snprintf(how, sizeof how, "%s%s%s%s", t->top.how, t->comma ? ", decimal commas" : "", encoding != NULL ? ", " : "",
        encoding != NULL ? encoding : "");
    if (t->top.warning[0] != '\0')
        used = (size_t)snprintf(notes, sizeof notes, "warning: %s\n", t->top.warning);
    if (t->top.row_names)
        used += (size_t)snprintf(notes + used, sizeof notes - used, "the first cells of the rows (row names) stand above no name of line %zu; "
            "they are left out\n", t->top.first_line);
    if (t->comments > 0)
        used += (size_t)snprintf(notes + used, sizeof notes - used, "%zu lines below the first row begin with # and are passed over as comments, "
            "the first is line %zu\n", t->comments, t->first_comment);
    if (used > 0)
        notes[used - 1] = '\0';
    t->table->how = lam_strdup(how);
    t->table->notes = used > 0 ? lam_strdup(notes) : NULL;
    return t->table->how == NULL || (used > 0 && t->table->notes == NULL) ? LAM_ERR_MEMORY : LAM_OK;
}

static lam_status read_rows(lam_text *t)
{
    lam_lines lines = t->top.rows;
    for (lam_text_line line; lam_record_next(&lines, t->top.separator, &line);) {
        if (!lam_line_is_comment(&line)) {
            LAM_TRY(read_row(t, &line));
        } else if (t->comments++ == 0) {
            t->first_comment = line.number;
        }
    }
    if (t->table->rows == 0)
        LAM_TRY(refuse_text(t, ""));
    if (t->table->rows == 0)
        return lam_fail(LAM_ERR_DATA, "%s: no row is left, all %zu were dropped; the first for %s; --drop the columns that are "
            "not numbers", t->name, t->seen, t->first_bad);
    return LAM_OK;
}

/* A table of the names alone. */
static lam_status name_table(lam_text *t)
{
    LAM_TRY(lam_table_empty(t->top.cols, &t->table));
    for (size_t j = 0; j < t->top.cols && t->top.has_names; j++)
        LAM_TRY(lam_table_rename(t->table, j, t->top.names[j]));
    return LAM_OK;
}

/* As the columns of numbers have it. */
static lam_status find_decimal(lam_text *t)
{
    size_t *place = lam_alloc(t->top.cols, sizeof *place);
    if (place == NULL)
        return LAM_ERR_MEMORY;
    for (size_t j = 0; j < t->top.cols; j++)
        place[j] = t->place[j] != SIZE_MAX && lam_levels_are_text(t->table->levels, t->place[j]) ? SIZE_MAX : t->place[j];
    const lam_number_cells cells = { t->top.separator, t->top.rows, t->top.row_names, place, t->top.cols };
    lam_status status = lam_decimal_find(t->name, &cells, &t->comma);
    lam_free(place);
    return status;
}

static lam_status read_text(lam_text *t, const lam_utf8_text *all)
{
    lam_lines rows;
    lam_text_line first;
    LAM_TRY(lam_preamble_read(t->name, (lam_lines){ all->at, all->end, 0 }, t->options != NULL ? t->options->header : LAM_HEADER_AUTO, &t->top));
    if (t->options != NULL && t->options->names_only)
        return name_table(t);
    rows = t->top.rows;
    if (!lam_record_next(&rows, t->top.separator, &first))
        return lam_fail(LAM_ERR_FORMAT, "%s: there is no row below its header", t->name);
    LAM_TRY(prepare(t, (size_t)(all->end - all->at), (size_t)(first.end - first.at)));
    LAM_TRY(lam_text_find_levels(t));
    LAM_TRY(find_decimal(t));
    LAM_TRY(read_rows(t));
    return describe(t, all->encoding);
}

lam_status lam_text_read(const char *name, const char *bytes, size_t size, const lam_read_options *options, lam_table **out)
{
    lam_text t = { .name = name, .options = options };
    lam_utf8_text all;
    *out = NULL;
    LAM_TRY(lam_encoding_read(name, bytes, size, &all));
    lam_status status = read_text(&t, &all);
    free(all.owned);
    lam_preamble_clear(&t.top);
    lam_free(t.place);
    if (status != LAM_OK) {
        lam_table_free(t.table);
        return status;
    }
    *out = t.table;
    return LAM_OK;
}
