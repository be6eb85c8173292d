/* Reads what precedes the rows of a text file: separator, comments, names. */
#include "data/preamble.h"
#include "base/error.h"
#include "base/mem.h"
#include "data/cell.h"
#include "data/header.h"
#include "data/table.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BELOW = 50 }; /* lines that the decision looks at */

lam_status lam_quote_fail(const char *name, size_t line, size_t column)
{
    return lam_fail(LAM_ERR_FORMAT, "%s: line %zu, column %zu: a quote is not closed, or text follows it", name, line, column);
}

/* Cells of a line; SIZE_MAX if its quotes do not fit. */
static size_t count_cells(const lam_text_line *line, lam_separator separator)
{
    size_t n = 0;
    lam_cell cell;
    lam_cell_step step;
    const char *at = line->at;
    while ((step = lam_cell_next(&at, line->end, separator, &cell)) == LAM_STEP_CELL)
        n++;
    return step == LAM_STEP_BAD_QUOTE ? SIZE_MAX : n;
}

/* A cell as a name: doubled quotes single, line breaks and tabs blanks. */
static lam_status copy_name(const lam_cell *cell, char **out)
{
    size_t n = 0;
    char *name = malloc(cell->n + 1);
    if (name == NULL)
        return lam_fail(LAM_ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < cell->n; i++) {
        char c = cell->at[i];
        int is_break = c == '\r' || c == '\n' || c == '\t';
        if (!is_break || (n > 0 && name[n - 1] != ' '))
            name[n++] = is_break ? ' ' : c;
        if (cell->quoted && c == '"' && i + 1 < cell->n && cell->at[i + 1] == '"')
            i++;
    }
    name[n] = '\0';
    free(*out);
    *out = name;
    return LAM_OK;
}

/* Names the columns "1", "2", ... and then, where there is a header, by its cells; a nameless one keeps its number. */
static lam_status name_columns(lam_preamble *p, const lam_text_line *header, lam_separator separator)
{
    lam_table *names; /* only for its names */
    lam_cell cell;
    LAM_TRY(lam_table_empty(p->cols, &names));
    p->names = names->names;
    names->names = NULL;
    lam_table_free(names);
    const char *at = header != NULL ? header->at : NULL;
    for (size_t j = 0; j < p->cols && lam_cell_next(&at, header != NULL ? header->end : NULL, separator, &cell) == LAM_STEP_CELL; j++)
        if (cell.n > 0)
            LAM_TRY(copy_name(&cell, &p->names[j]));
    p->has_names = header != NULL;
    return LAM_OK;
}

/* ---- "sep=;" ------------------------------------------------------------------------------------------------------ */

/* Excel's first line, in quotes or not; *sign is 0 if there is none. */
static lam_status read_separator(const char *name, lam_lines *text, char *sign)
{
    lam_lines after = *text;
    lam_text_line line;
    *sign = 0;
    if (!lam_lines_next(&after, &line))
        return LAM_OK;
    const char *p = line.at, *end = line.end;
    while (end - p > 5 && end[-1] == ' ')
        end--;
    if (end - p >= 2 && *p == '"' && end[-1] == '"')
        p++, end--;
    if (end - p != 5 || strncasecmp(p, "sep=", 4) != 0)
        return LAM_OK;
    if (strchr(",;|\t ", p[4]) == NULL)
        return lam_fail(LAM_ERR_FORMAT, "%s: line %zu says that cells are separated by \"%c\"; comma, semicolon, tab, | and blanks are read",
            name, line.number, p[4]);
    *sign = p[4];
    *text = after;
    return LAM_OK;
}

/* ---- names in a comment ------------------------------------------------------------------------------------------- */

/* What follows the '#'. */
static lam_text_line uncomment(lam_text_line line)
{
    while (line.at < line.end && strchr("# \t", *line.at) != NULL)
        line.at++;
    return line;
}

static int same_cell(const lam_cell *a, const lam_cell *b)
{
    return a->n == b->n && memcmp(a->at, b->at, a->n) == 0;
}

/* The line, cut by separator, is cols different names; one name is one word. */
static int is_names(const lam_text_line *line, lam_separator separator, size_t cols)
{
    const char *at = line->at;
    lam_cell cell, other;
    size_t n = 0, texts = 0;
    double value;
    for (; lam_cell_next(&at, line->end, separator, &cell) == LAM_STEP_CELL; n++) {
        texts += lam_cell_read(cell.at, cell.n, &value) == LAM_CELL_TEXT;
        const char *before = line->at;
        for (size_t k = 0; k < n && k < 1000 && lam_cell_next(&before, line->end, separator, &other) == LAM_STEP_CELL; k++)
            if (same_cell(&cell, &other))
                return 0;
        if (cell.n == 0 || (cols == 1 && !cell.quoted && memchr(cell.at, ' ', cell.n) != NULL))
            return 0;
    }
    return n == cols && texts > 0;
}

/* The last of the comments above the first row that has a name for each of its columns. */
static int find_names(lam_lines text, size_t first, size_t cols, lam_separator usual, lam_text_line *found, lam_separator *separator)
{
    static const char signs[] = { 0, '\t', ';', ',', '|', ' ' };
    lam_text_line line;
    int is_there = 0;
    while (lam_lines_next(&text, &line) && line.number < first) {
        line = uncomment(line);
        for (size_t s = 0; s < sizeof signs && line.at < line.end; s++) {
            lam_separator tried = s == 0 ? usual : (lam_separator){ signs[s], 0 };
            if (!is_names(&line, tried, cols))
                continue;
            *found = line, *separator = tried;
            is_there = 1;
            break;
        }
    }
    return is_there;
}

/* ---- R's row names ------------------------------------------------------------------------------------------------ */

/* The lines below all have one cell more than the first, and it is a name of their own: in quotes, text, or a number that grows from line
 * to line. "x" above "1,5" and "2,7" may be decimal commas, so there a number is none. */
static int has_row_names(const lam_first_lines *lines)
{
    double before = 0, value;
    int growing = lines->cols > 1 || lines->separator.sign != ',', quoted = 1;
    size_t texts = 0;
    for (size_t i = 0; i < lines->n; i++) {
        const char *at = lines->below[i].at, *end = lines->below[i].end;
        lam_cell cell, last;
        size_t n = 1;
        if (lam_cell_next(&at, end, lines->separator, &cell) != LAM_STEP_CELL)
            return 0;
        while (lam_cell_next(&at, end, lines->separator, &last) == LAM_STEP_CELL)
            n++;
        if (n != lines->cols + 1 || last.n == 0)
            return 0;
        lam_cell_kind kind = lam_cell_read(cell.at, cell.n, &value);
        texts += kind == LAM_CELL_TEXT;
        quoted = quoted && cell.quoted;
        growing = growing && kind == LAM_CELL_NUMBER && (i == 0 || value > before);
        before = value;
    }
    return lines->n > 0 && (quoted || growing || 2 * texts > lines->n);
}

/* ---- all of it ---------------------------------------------------------------------------------------------------- */

/* Moves to the first line that is no comment and takes some below it; *after is where the second of them begins. */
static lam_status find_first(const char *name, lam_preamble *p, lam_lines text, lam_text_line *first, lam_text_line below[BELOW],
    size_t *n, lam_lines *after)
{
    lam_text_line line;
    int found = 0, comments = 0;
    while (!found) {
        p->rows = text;
        if (!lam_record_next(&text, p->separator, first))
            return lam_fail(LAM_ERR_FORMAT, "%s: %s", name, comments ? "there is nothing but comments (lines that begin with #)" : "the file is empty");
        found = !lam_line_is_comment(first);
        comments = 1;
    }
    *after = text;
    for (*n = 0; *n < BELOW && lam_record_next(&text, p->separator, &line);)
        if (!lam_line_is_comment(&line))
            below[(*n)++] = line;
    return LAM_OK;
}

/* The decision as far as the first line tells; *rule is why, in words. */
static lam_status decide(const lam_first_lines *lines, lam_header wanted, int has_comment, lam_preamble *p, int *is_header, const char **rule)
{
    lam_header_verdict verdict;
    LAM_TRY(lam_header_decide(lines, &verdict));
    *is_header = wanted == LAM_HEADER_AUTO ? verdict.is_header : wanted == LAM_HEADER_YES;
    *rule = wanted == LAM_HEADER_YES ? "--header yes" : verdict.rule;
    if (!verdict.is_header && has_comment && wanted != LAM_HEADER_NO) { /* np.savetxt's names; those of a first line come before */
        *is_header = 0;
        return LAM_OK;
    }
    if (wanted == LAM_HEADER_AUTO)
        snprintf(p->warning, sizeof p->warning, "%s", verdict.warning);
    return LAM_OK;
}

static lam_status read_names(const char *name, lam_lines text, lam_header wanted, lam_preamble *p)
{
    lam_text_line first, below[BELOW], comment = { 0 };
    lam_separator comment_separator = p->separator;
    lam_lines after;
    const char *rule = NULL;
    size_t n = 0;
    int is_header;
    LAM_TRY(find_first(name, p, text, &first, below, &n, &after));
    p->first_line = first.number;
    p->cols = count_cells(&first, p->separator);
    if (p->cols == SIZE_MAX) {
        lam_cell cell;
        const char *at = first.at;
        for (p->cols = 0; lam_cell_next(&at, first.end, p->separator, &cell) == LAM_STEP_CELL;)
            p->cols++;
        return lam_quote_fail(name, first.number, p->cols + 1);
    }
    lam_first_lines lines = { p->separator, &first, below, n, p->cols, 0 };
    lines.row_names = wanted != LAM_HEADER_NO && has_row_names(&lines);
    int has_comment = !lines.row_names && find_names(text, first.number, p->cols, p->separator, &comment, &comment_separator);
    LAM_TRY(decide(&lines, wanted, has_comment, p, &is_header, &rule));
    if (is_header && n == 0)
        return lam_fail(LAM_ERR_FORMAT, "%s: there is a header of %zu columns and no row below it", name, p->cols);
    if (is_header) {
        p->rows = after;
        p->row_names = lines.row_names;
        snprintf(p->how, sizeof p->how, "names from line %zu (%s)%s", first.number, rule,
            p->row_names ? ", the row names in front of them left out" : "");
        return name_columns(p, &first, p->separator);
    }
    if (has_comment && wanted != LAM_HEADER_NO) {
        snprintf(p->how, sizeof p->how, "names from line %zu (a comment with a name for each column)", comment.number);
        return name_columns(p, &comment, comment_separator);
    }
    snprintf(p->how, sizeof p->how, "no names (line %zu is %s)", first.number, wanted == LAM_HEADER_NO ? "a row: --header no" : "like those below");
    return name_columns(p, NULL, p->separator);
}

lam_status lam_preamble_read(const char *name, lam_lines text, lam_header wanted, lam_preamble *out)
{
    char sign;
    *out = (lam_preamble){ 0 };
    LAM_TRY(read_separator(name, &text, &sign));
    out->separator = lam_separator_find(text, sign);
    return read_names(name, text, wanted, out);
}

void lam_preamble_clear(lam_preamble *p)
{
    for (size_t j = 0; p->names != NULL && j < p->cols; j++)
        free(p->names[j]);
    lam_free(p->names);
    *p = (lam_preamble){ 0 };
}
