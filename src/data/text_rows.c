/* Reads the rows of a text, each part of it by a thread. */
#include "base/decimal_number.h"
#include "base/error.h"
#include "base/mem.h"
#include "data/levels.h"
#include "data/table.h"
#include "data/text_inside.h"
#include <assert.h>
#include <math.h>
#include <string.h>

/* ---- a row -------------------------------------------------------------------------------------------------------- */

lam_cell_kind lam_text_read_cell(const lam_text *t, const lam_cell *cell, double *value)
{
    return t->comma ? lam_cell_read_comma(cell->at, cell->n, value) : lam_cell_read(cell->at, cell->n, value);
}

/* A cell of the table's column k: of a column of text the number of its level. */
static lam_cell_kind read_place(const lam_text *t, size_t k, const lam_cell *cell, double *value)
{
    lam_cell_kind kind = lam_text_read_cell(t, cell, value);
    if (!lam_levels_are_text(t->table->levels, k) || kind == LAM_CELL_MISSING)
        return kind;
    const lam_names *list = &t->table->levels[k];
    size_t level = lam_levels_find(list, cell->at, cell->n);
    *value = level < list->n ? (double)level : (double)NAN;
    return level < list->n ? LAM_CELL_NUMBER : LAM_CELL_TEXT;
}

/* One line of data into row. odd->line is set; the rest of it where the fate is another than LAM_ROW_KEPT. */
static lam_row_fate read_row(const lam_text *t, const lam_text_line *line, double *row, size_t *absent, lam_odd_row *odd)
{
    size_t j = 0;
    const char *at = line->at;
    int missing = t->options != NULL && t->options->missing;
    double value;
    lam_cell cell;
    lam_cell_step step;
    *odd = (lam_odd_row) { .line = *line, .column = SIZE_MAX };
    *absent = 0;
    if (t->top.row_names && lam_cell_next(&at, line->end, t->top.separator, &cell) == LAM_STEP_BAD_QUOTE)
        return odd->column = 0, LAM_ROW_QUOTE;
    for (; (step = lam_cell_next(&at, line->end, t->top.separator, &cell)) == LAM_STEP_CELL; j++) {
        if (j == t->top.cols)
            return odd->column = j, odd->cell = cell, LAM_ROW_LONG;
        if (t->place[j] == SIZE_MAX)
            continue;
        lam_cell_kind kind = read_place(t, t->place[j], &cell, &value);
        row[t->place[j]] = value;
        *absent += kind == LAM_CELL_MISSING;
        if (!isfinite(value) && odd->column == SIZE_MAX && !(missing && kind == LAM_CELL_MISSING))
            odd->column = j, odd->cell = cell, odd->value = value;
    }
    if (step == LAM_STEP_BAD_QUOTE)
        return odd->column = j + (size_t)t->top.row_names, LAM_ROW_QUOTE;
    if (j < t->top.cols)
        return odd->column = j, LAM_ROW_SHORT;
    if (odd->column == SIZE_MAX)
        return *absent == t->table->cols ? LAM_ROW_DROPPED : LAM_ROW_KEPT;
    return t->options != NULL && t->options->drop_bad_rows ? LAM_ROW_DROPPED : LAM_ROW_BAD;
}

/* ---- a row of plain numbers, in one pass ----------------------------------------------------------------------------- */

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *p, const char *end, char sign)
{
    while (p < end && is_blank(*p) && (*p != sign || sign == ' '))
        p++;
    return p;
}

static int ends_cell(char c, char sign)
{
    return c == sign || c == '\n' || c == '\r' || (sign == ' ' && c == '\t');
}

/* Behind a cell that is not kept. NULL: it is none of one line, quotes stand where they want a closer look, or there may be no cell. */
static const char *skip_cell(const char *p, const char *end, lam_separator separator)
{
    char sign = separator.sign;
    if (p < end && *p == '"') {
        for (p++; p < end && *p != '"'; p++)
            if (*p == '\n' || *p == '\r')
                return NULL;
        return p < end && (p + 1 == end || p[1] != '"') ? p + 1 : NULL;
    }
    const char *first = p;
    while (p < end && !ends_cell(*p, sign) && *p != '"')
        p++;
    int nothing = p == first && (sign == ' ' || separator.trailing);
    return nothing || (p < end && *p == '"') ? NULL : p;
}

/* Behind the separator or the blanks that follow a cell, which is not the row's last; NULL: something else follows. */
static const char *skip_sign(const char *p, const char *end, char sign)
{
    const char *next = skip_blanks(p, end, sign);
    if (sign == ' ')
        return next > p ? next : NULL;
    return next < end && *next == sign ? next + 1 : NULL;
}

/* Behind the line's end, which nothing but what may end a row stands before; else NULL. */
static const char *skip_end(const char *p, const char *end, lam_separator separator)
{
    p = skip_blanks(p, end, separator.sign);
    if (separator.trailing && p < end && *p == separator.sign)
        p = skip_blanks(p + 1, end, separator.sign);
    if (p == end || *p == '\n')
        return p + (p < end);
    if (*p != '\r')
        return NULL;
    return p + 1 < end && p[1] == '\n' ? p + 2 : p + 1;
}

/* The row that begins at p, if all its cells that are kept are plain numbers: their values into row, and where the next line begins. NULL: it is
 * anything else (a comment, a missing cell, a quote, a mistake), or no row, which read_row has to say. */
static const char *plain_row(const lam_text *t, const char *p, const char *end, double *row)
{
    char sign = t->top.separator.sign, point = t->comma ? ',' : '.';
    p = skip_blanks(p, end, sign);
    if (p == end || *p == '#')
        return NULL;
    if (t->top.row_names && ((p = skip_cell(p, end, t->top.separator)) == NULL || (p = skip_sign(p, end, sign)) == NULL))
        return NULL;
    for (size_t j = 0; j < t->top.cols; j++) {
        if (j > 0 && (p = skip_sign(p, end, sign)) == NULL)
            return NULL;
        p = skip_blanks(p, end, sign);
        if (t->place[j] == SIZE_MAX)
            p = skip_cell(p, end, t->top.separator);
        else
            p = lam_decimal_number(p, end, point, &row[t->place[j]]);
        if (p == NULL)
            return NULL;
    }
    return skip_end(p, end, t->top.separator);
}

/* ---- a part ------------------------------------------------------------------------------------------------------- */

typedef struct part {
    lam_lines first, lines; /* where it begins, what is left to read; their end is the text's, since a quoted cell may go on behind stop */
    const char *stop;       /* lines that begin here are another part's */
    size_t stop_number;     /* lines in front of stop */
    double *rows;           /* [room, table's cols] */
    size_t room, n;
    size_t seen, missing, comments, first_comment;
    size_t *dropped_at, n_dropped; /* of the part's rows */
    lam_odd_row dropped, failed;
    int no_memory;
} part;

/* Which row was dropped; room for them is a power of two. */
static void note_dropped(part *p)
{
    size_t n = p->n_dropped;
    if ((n & (n - 1)) == 0) {
        size_t *more = lam_alloc(n == 0 ? 1 : 2 * n, sizeof *more);
        if (more == NULL) {
            p->no_memory = 1;
            return;
        }
        if (n > 0)
            memcpy(more, p->dropped_at, n * sizeof *more);
        lam_free(p->dropped_at);
        p->dropped_at = more;
    }
    p->dropped_at[p->n_dropped++] = p->seen - 1;
}

/* A line that is no comment. spare [cols]: for a row beyond the room, which is never kept. */
static void take_line(const lam_text *t, part *p, const lam_text_line *line, double *spare)
{
    lam_odd_row odd;
    size_t absent;
    double *row = p->n < p->room ? p->rows + p->n * t->table->cols : spare;
    lam_row_fate fate = read_row(t, line, row, &absent, &odd);
    odd.fate = fate;
    p->seen += fate <= LAM_ROW_BAD;
    if (fate == LAM_ROW_KEPT) {
        assert(row != spare);
        p->n++;
        p->missing += absent;
    } else if (fate == LAM_ROW_DROPPED) {
        if (p->dropped.line.at == NULL && odd.column != SIZE_MAX)
            p->dropped = odd;
        note_dropped(p);
    } else {
        p->failed = odd;
    }
}

/* Reads lines from p->lines on to the part's stop or its first error. plain: all columns kept are of numbers. */
static void read_part(const lam_text *t, part *p, int plain, double *spare)
{
    lam_text_line line;
    while (p->lines.at < p->stop && p->failed.line.at == NULL && !p->no_memory) {
        double *row = p->rows + p->n * t->table->cols;
        const char *next = plain && p->n < p->room ? plain_row(t, p->lines.at, p->lines.end, row) : NULL;
        if (next != NULL) {
            p->lines.at = next;
            p->lines.number++;
            p->n++, p->seen++;
            continue;
        }
        lam_lines ahead = p->lines;
        if (!lam_record_next(&ahead, t->top.separator, &line) || line.at >= p->stop) { /* blank lines alone */
            p->lines.at = p->stop, p->lines.number = p->stop_number;
            return;
        }
        p->lines = ahead;
        if (!lam_line_is_comment(&line))
            take_line(t, p, &line, spare);
        else if (p->comments++ == 0)
            p->first_comment = line.number;
    }
}

typedef struct work {
    lam_text *t;
    part *parts; /* [n] */
    size_t n;
    int plain;
    double *spare; /* [threads, cols] */
} work;

static void read_one(void *arg, size_t item, size_t thread)
{
    const work *w = arg;
    read_part(w->t, &w->parts[item], w->plain, w->spare + thread * w->t->table->cols);
}

/* ---- all of them -------------------------------------------------------------------------------------------------- */

/* Cuts the rows where the survey's blocks begin. Every row takes a line, and a byte or more for each of its cells; more rows than that are in no
 * part, wherever it is read from. */
static void cut(work *w)
{
    const lam_text *t = w->t;
    const lam_survey *survey = &t->survey;
    const char *end = t->at.end;
    lam_lines from = t->at;
    for (size_t k = 0; k < w->n; k++) {
        size_t block = t->block + k + 1;
        lam_lines next = block < survey->blocks ? lam_survey_cut(survey, block) : (lam_lines) { end, end, survey->lines[survey->blocks] };
        if (next.at < from.at)
            next = from;
        size_t bytes = (size_t)(next.at - from.at), lines = next.number - from.number + 1, fit = bytes / t->top.cols + 1;
        if (next.at < end) /* a whole number of lines */
            lines--;
        w->parts[k] = (part) { .first = from, .lines = from, .stop = next.at, .stop_number = next.number,
            .room = bytes == 0 ? 0 : lines < fit ? lines : fit };
        from = next;
    }
}

static lam_status make_room(work *w)
{
    size_t rows = 0, cols = w->t->table->cols;
    for (size_t k = 0; k < w->n; k++)
        rows += w->parts[k].room;
    double *values = w->t->table->values = lam_reserve(rows * cols * sizeof *values);
    if (values == NULL)
        return LAM_ERR_MEMORY;
    for (size_t k = 0; k < w->n; k++) {
        w->parts[k].rows = values;
        values += w->parts[k].room * cols;
    }
    return LAM_OK;
}

/* Adds a part, read from the place where the one before it ended, to the table. */
static lam_status join(lam_text *t, const part *p)
{
    lam_table *table = t->table;
    double *to = table->values + table->rows * table->cols;
    if (p->no_memory)
        return lam_fail(LAM_ERR_MEMORY, "%s: out of memory: the rows that were dropped", t->name);
    if (to != p->rows)
        memmove(to, p->rows, p->n * table->cols * sizeof *to);
    for (size_t i = 0; i < p->n_dropped; i++)
        LAM_TRY(lam_table_drop_row(table, t->seen + p->dropped_at[i]));
    table->rows += p->n;
    table->missing += p->missing;
    if (t->comments == 0)
        t->first_comment = p->first_comment;
    t->comments += p->comments;
    t->seen += p->seen;
    if (t->dropped.line.at == NULL)
        t->dropped = p->dropped;
    t->failed = p->failed;
    return LAM_OK;
}

static void forget(part *p)
{
    lam_free(p->dropped_at);
    *p = (part) { .first = p->first, .lines = p->first, .stop = p->stop, .stop_number = p->stop_number, .rows = p->rows, .room = p->room };
}

/* In their order. A part that began elsewhere than the one before it ended, as quotes may have it, is read again from there. */
static lam_status join_all(work *w)
{
    lam_text *t = w->t;
    for (size_t k = 0; k < w->n && t->failed.line.at == NULL; k++) {
        part *p = &w->parts[k];
        if (p->first.at != t->at.at) {
            forget(p);
            p->lines = t->at;
            read_part(t, p, w->plain, w->spare);
        }
        LAM_TRY(join(t, p));
        t->at = p->lines;
    }
    return LAM_OK;
}

lam_status lam_text_read_rows(lam_text *t, size_t blocks)
{
    size_t threads = t->pool != NULL ? lam_pool_threads(t->pool) : 1, left = t->survey.blocks - t->block, n = blocks < left ? blocks : left;
    work w = { t, lam_alloc(n, sizeof *w.parts), n, 1, lam_alloc(threads * t->table->cols, sizeof *w.spare) };
    for (size_t j = 0; j < t->table->cols; j++)
        w.plain &= !lam_levels_are_text(t->table->levels, j);
    lam_status status = LAM_ERR_MEMORY;
    if (w.parts != NULL && w.spare != NULL) {
        cut(&w);
        status = make_room(&w);
    }
    if (status == LAM_OK) {
        lam_pool_run_or_loop(t->pool, w.n, read_one, &w);
        status = join_all(&w);
    }
    for (size_t k = 0; w.parts != NULL && k < w.n; k++)
        lam_free(w.parts[k].dropped_at);
    lam_free(w.parts);
    lam_free(w.spare);
    t->block += n;
    return status;
}
