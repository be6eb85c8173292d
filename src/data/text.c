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

static lam_source source_of(const lam_text *t)
{
    return (lam_source) { t->name, (const char *const *)t->top.names, NULL, t->top.cols, t->top.has_names,
        t->options != NULL && t->options->from_zero };
}

/* Lays out the table: which columns go where. */
static lam_status prepare(lam_text *t)
{
    const lam_source source = source_of(t);
    size_t *kept, n;
    LAM_TRY(lam_columns_select(&source, t->options, &kept, &n));
    t->place = lam_alloc(t->top.cols, sizeof *t->place);
    lam_status status = t->place == NULL ? LAM_ERR_MEMORY : lam_table_empty(n, &t->table);
    if (status == LAM_OK) {
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
    return letters && lam_text_read_cell(t, cell, &value) == LAM_CELL_TEXT;
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
            else if (lam_text_read_cell(t, &cell, &value) != LAM_CELL_MISSING)
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
        fprintf(all.out, " %s text in every row, and no numbers", n == 1 ? "has" : "have");
        if (lam_read_for_model(t->options)) {
            fputs(", where the model takes numbers", all.out);
        } else {
            fprintf(all.out, "; leave %s out with ", n == 1 ? "it" : "them");
            lam_remark_drop(all.out, &source, columns, n);
        }
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
    lam_cell_kind kind = lam_text_read_cell(t, cell, &read);
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
    fputs("; ", all.out);
    lam_remark_remedy(all.out, &source, column, t->options, kind == LAM_CELL_MISSING);
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

/* In words, what is wrong with the line that ended the reading. */
static lam_status row_failed(const lam_text *t, const lam_odd_row *odd)
{
    switch (odd->fate) {
    case LAM_ROW_LONG: return ragged(t, &odd->line, odd->column, &odd->cell);
    case LAM_ROW_SHORT: return ragged(t, &odd->line, odd->column, NULL);
    case LAM_ROW_QUOTE: return lam_quote_fail(t->name, odd->line.number, odd->column + 1);
    default: return bad_cell(t, &odd->line, odd->column, &odd->cell, odd->value);
    }
}

/* What was found out about the file and what was passed over, for people. */
lam_status lam_text_describe(lam_text *t)
{
    const char *encoding = t->all.encoding;
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

static lam_status no_rows(const lam_text *t)
{
    char shown[LAM_SHOWN_SIZE];
    LAM_TRY(refuse_text(t, ""));
    const lam_odd_row *bad = &t->dropped;
    if (bad->line.at == NULL)
        return lam_fail(LAM_ERR_DATA, "%s: no row is left: all cells of all %zu rows are missing", t->name, t->seen);
    return lam_fail(LAM_ERR_DATA, "%s: no row is left, all %zu were dropped; the first for line %zu, column %zu (%.100s): \"%s\"%s", t->name, t->seen,
        bad->line.number, bad->column + 1, t->top.names[bad->column], lam_cell_show(bad->cell.at, bad->cell.n, shown),
        lam_read_for_model(t->options) ? ", where the model takes numbers" : "; --drop the columns that are not numbers");
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

/* The bytes as UTF-8, and the survey of that. */
static lam_status decode(lam_text *t, const char *bytes, size_t size, size_t block)
{
    LAM_TRY(lam_survey_text(bytes, bytes + size, block, t->pool, &t->survey));
    t->all = (lam_utf8_text){ .at = bytes, .end = bytes + size };
    if (!t->survey.has_high && !t->survey.has_zero)
        return LAM_OK; /* ASCII */
    LAM_TRY(lam_encoding_read(t->name, bytes, size, &t->all));
    if (t->all.at == bytes)
        return LAM_OK;
    lam_survey_clear(&t->survey);
    return lam_survey_text(t->all.at, t->all.end, block, t->pool, &t->survey);
}

lam_status lam_text_open(const char *name, const char *bytes, size_t size, const lam_read_options *options, size_t block, lam_pool *pool,
    lam_text *t)
{
    lam_lines rows;
    lam_text_line first;
    *t = (lam_text) { .name = name, .options = options, .pool = pool };
    LAM_TRY(decode(t, bytes, size, block));
    LAM_TRY(lam_preamble_read(name, (lam_lines){ t->all.at, t->all.end, 0 }, options != NULL ? options->header : LAM_HEADER_AUTO, &t->top));
    if (options != NULL && options->names_only)
        return name_table(t);
    rows = t->top.rows;
    if (!lam_record_next(&rows, t->top.separator, &first))
        return lam_fail(LAM_ERR_FORMAT, "%s: there is no row below its header", name);
    LAM_TRY(prepare(t));
    LAM_TRY(lam_text_find_levels(t));
    lam_text_rewind(t);
    return find_decimal(t);
}

void lam_text_rewind(lam_text *t)
{
    t->at = t->top.rows;
    t->block = t->seen = t->kept = t->comments = 0;
    t->dropped = t->failed = (lam_odd_row) { .fate = LAM_ROW_KEPT };
    lam_table *stale = t->table; /* has rows where reading failed */
    lam_free(stale->values);
    lam_free(stale->bad_at);
    stale->values = NULL, stale->bad_at = NULL;
    stale->rows = stale->missing = stale->bad_rows = 0;
}

int lam_text_is_at_end(const lam_text *t)
{
    return t->block >= t->survey.blocks;
}

lam_status lam_text_next(lam_text *t, size_t blocks)
{
    size_t before = t->seen;
    LAM_TRY(lam_text_read_rows(t, blocks));
    if (t->failed.line.at != NULL)
        return row_failed(t, &t->failed);
    for (size_t i = 0; i < t->table->bad_rows; i++)
        t->table->bad_at[i] -= before;
    t->kept += t->table->rows;
    return lam_text_is_at_end(t) && t->kept == 0 ? no_rows(t) : LAM_OK;
}

void lam_text_close(lam_text *t)
{
    lam_survey_clear(&t->survey);
    free(t->all.owned);
    lam_preamble_clear(&t->top);
    lam_free(t->place);
    lam_table_free(t->table);
    *t = (lam_text) { 0 };
}

lam_status lam_text_read_cut(const char *name, const char *bytes, size_t size, const lam_read_options *options, size_t block, lam_pool *pool,
    lam_table **out)
{
    lam_text t;
    *out = NULL;
    lam_status status = lam_text_open(name, bytes, size, options, block, pool, &t);
    if (status == LAM_OK && !(options != NULL && options->names_only)) {
        status = lam_text_next(&t, t.survey.blocks);
        if (status == LAM_OK)
            status = lam_text_describe(&t);
    }
    if (status == LAM_OK) {
        *out = t.table;
        t.table = NULL;
    }
    lam_text_close(&t);
    return status;
}

lam_status lam_text_pool(size_t size, const lam_read_options *options, lam_pool **out)
{
    enum { WORTH_THREADS = 1 << 20 };
    *out = NULL;
    return size > WORTH_THREADS ? lam_pool_create(options != NULL ? options->threads : 0, out) : LAM_OK;
}

lam_status lam_text_read(const char *name, const char *bytes, size_t size, const lam_read_options *options, lam_table **out)
{
    lam_pool *pool;
    *out = NULL;
    LAM_TRY(lam_text_pool(size, options, &pool));
    lam_status status = lam_text_read_cut(name, bytes, size, options, LAM_SURVEY_BLOCK, pool, out);
    lam_pool_free(pool);
    return status;
}
