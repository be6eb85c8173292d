/* Decides whether the first line of a text file names the columns. */
#include "data/header.h"
#include "base/error.h"
#include "base/mem.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* A column as the first lines show it. */
typedef struct column {
    lam_cell_kind above;
    double value;            /* of the cell above, where that is a number */
    int plain;               /* it is written in digits alone */
    int quoted;              /* above, and not in the line below */
    size_t numbers, texts;   /* below */
    size_t fractions;        /* numbers below that are not whole */
    double low, high;        /* of the numbers below */
} column;

lam_cell_kind lam_header_kind(const lam_cell *cell, lam_separator separator, double *value)
{
    lam_cell_kind kind = lam_cell_read(cell->at, cell->n, value);
    if (kind == LAM_CELL_TEXT && separator.sign != ',' && lam_cell_comma(cell->at, cell->n) < LAM_COMMA_OTHER)
        return lam_cell_read_comma(cell->at, cell->n, value);
    return kind;
}

static int is_digits(const lam_cell *cell)
{
    size_t i = 0;
    while (i < cell->n && cell->at[i] >= '0' && cell->at[i] <= '9')
        i++;
    return i == cell->n;
}

static void look_above(const lam_first_lines *lines, column *columns)
{
    const char *at = lines->first->at;
    lam_cell cell;
    for (size_t j = 0; j < lines->cols && lam_cell_next(&at, lines->first->end, lines->separator, &cell) == LAM_STEP_CELL; j++) {
        columns[j].above = lam_header_kind(&cell, lines->separator, &columns[j].value);
        columns[j].plain = is_digits(&cell);
        columns[j].quoted = cell.quoted;
        columns[j].low = (double)INFINITY, columns[j].high = -(double)INFINITY;
    }
}

static void look_below(const lam_first_lines *lines, size_t row, column *columns)
{
    const lam_text_line *line = &lines->below[row];
    const char *at = line->at;
    lam_cell cell;
    double value;
    if (lines->row_names)
        (void)lam_cell_next(&at, line->end, lines->separator, &cell);
    for (size_t j = 0; j < lines->cols && lam_cell_next(&at, line->end, lines->separator, &cell) == LAM_STEP_CELL; j++) {
        column *c = &columns[j];
        lam_cell_kind kind = lam_header_kind(&cell, lines->separator, &value);
        c->quoted &= row > 0 || !cell.quoted;
        c->texts += kind == LAM_CELL_TEXT;
        if (kind != LAM_CELL_NUMBER && kind != LAM_CELL_TIME)
            continue;
        c->numbers++;
        c->fractions += value != floor(value);
        c->low = value < c->low ? value : c->low;
        c->high = value > c->high ? value : c->high;
    }
}

static int is_number(const column *c)
{
    return c->above == LAM_CELL_NUMBER || c->above == LAM_CELL_TIME;
}

static int is_of_numbers(const column *c)
{
    return c->numbers > c->texts;
}

/* The numbers above numbers rise or fall by equal steps; at least three of them. */
static int is_even(const column *columns, size_t n)
{
    size_t seen = 0;
    double before = 0, step = 0;
    for (size_t j = 0; j < n; j++) {
        if (!is_number(&columns[j]) || !is_of_numbers(&columns[j]))
            continue;
        double now = columns[j].value - before;
        if (seen == 1)
            step = now;
        if (seen > 1 && !(fabs(now - step) <= 1e-6 * fabs(step)))
            return 0;
        before = columns[j].value;
        seen++;
    }
    return seen >= 3 && step != 0;
}

/* "400, 500, 600, ...": the first numbers of a line, in room bytes. */
static const char *show_numbers(const column *columns, size_t n, char *text, size_t room)
{
    size_t used = 0, shown = 0;
    text[0] = '\0';
    for (size_t j = 0; j < n && shown < 4; j++)
        if (is_number(&columns[j]))
            used += (size_t)snprintf(text + used, room - used, "%s%.10g", shown++ == 0 ? "" : ", ", columns[j].value);
    size_t all = 0;
    for (size_t j = 0; j < n; j++)
        all += (size_t)is_number(&columns[j]);
    snprintf(text + used, room - used, "%s", all > shown ? ", ..." : "");
    return text;
}

/* The numbers above columns of numbers differ from those below as names would: they count 0, 1, 2 or 1, 2, 3, go up or down by even
 * steps, or rise by whole numbers, above data of another scale: fractions, or further off than the data are wide.
 * evenly: lines below that go by even steps too. */
static int looks_like_names(const column *columns, size_t cols, size_t evenly)
{
    size_t n = 0, few = 0, outside = 0, fractional = 0, counts = 0, rising = 0, whole = 0;
    double first = 0, before = 0;
    for (size_t j = 0; j < cols; j++) {
        const column *c = &columns[j];
        if (c->above != LAM_CELL_NUMBER || !is_of_numbers(c))
            continue;
        first = n == 0 ? c->value : first;
        outside += c->value < c->low - (c->high - c->low) || c->value > c->high + (c->high - c->low);
        few += c->numbers < 3;
        fractional += 2 * c->fractions >= c->numbers;
        whole += c->value == floor(c->value);
        counts += c->value == first + (double)n;
        rising += n > 0 && c->value > before;
        before = c->value;
        n++;
    }
    int other_kind = whole == n && 2 * fractional > n;
    int counting = counts == n && (first == 0 || first == 1);
    if (n < 2 || !(other_kind || (2 * outside > n && few == 0)))
        return 0;
    return (evenly == 0 && (counting || is_even(columns, cols))) || (other_kind && outside == n && rising == n - 1);
}

/* Lines below of which the numbers go by even steps. */
static lam_status count_even(const lam_first_lines *lines, size_t *evenly)
{
    column *columns = lam_alloc(lines->cols, sizeof *columns);
    if (columns == NULL)
        return LAM_ERR_MEMORY;
    *evenly = 0;
    for (size_t i = 0; i < lines->n; i++) {
        const lam_first_lines one = { lines->separator, &lines->below[i], NULL, 0, lines->cols, 0 };
        memset(columns, 0, lines->cols * sizeof *columns);
        look_above(&one, columns);
        for (size_t j = 0; j < lines->cols; j++)
            columns[j].numbers = 1;
        *evenly += (size_t)is_even(columns, lines->cols);
    }
    lam_free(columns);
    return LAM_OK;
}

static lam_status judge(const lam_first_lines *lines, const column *columns, lam_header_verdict *verdict)
{
    size_t n = lines->cols, names = 0, texts = 0, numbers = 0, values = 0, above_numbers = 0, quoted = 0, gaps = 0, evenly;
    char shown[120];
    for (size_t j = 0; j < n; j++) {
        const column *c = &columns[j];
        int over = is_of_numbers(c);
        texts += c->above == LAM_CELL_TEXT;
        names += c->above == LAM_CELL_TEXT && over;
        numbers += (size_t)is_number(c);
        above_numbers += is_number(c) && over;
        values += is_number(c) && over && !c->plain;
        quoted += c->above == LAM_CELL_NUMBER && over && c->quoted;
        gaps += c->above == LAM_CELL_MISSING && over;
    }
    verdict->is_header = 1;
    if (quoted > 0)
        verdict->rule = "numbers in quotes above plain ones";
    else if (names > 0 && (values == 0 || is_even(columns, n)))
        verdict->rule = "text above numbers";
    else if (texts > 0 && numbers == 0 && gaps == 0)
        verdict->rule = "nothing but text";
    else
        verdict->is_header = 0;
    if (verdict->is_header && quoted == 0 && above_numbers > 0)
        snprintf(verdict->warning, sizeof verdict->warning, "line %zu is taken for names, but holds numbers above numbers too (%s); --header no "
            "reads it as a row, --header yes as names without this warning", lines->first->number, show_numbers(columns, n, shown, sizeof shown));
    if (verdict->is_header || numbers < 2)
        return LAM_OK;
    LAM_TRY(count_even(lines, &evenly));
    if (looks_like_names(columns, n, evenly))
        snprintf(verdict->warning, sizeof verdict->warning, "line %zu (%s) is read as a row, but looks like the names of the columns; --header "
            "yes takes it for names, --header no for a row without this warning", lines->first->number,
            show_numbers(columns, n, shown, sizeof shown));
    return LAM_OK;
}

lam_status lam_header_decide(const lam_first_lines *lines, lam_header_verdict *verdict)
{
    *verdict = (lam_header_verdict){ 0 };
    column *columns = lam_alloc(lines->cols, sizeof *columns);
    if (columns == NULL)
        return LAM_ERR_MEMORY;
    look_above(lines, columns);
    for (size_t i = 0; i < lines->n; i++)
        look_below(lines, i, columns);
    lam_status status = judge(lines, columns, verdict);
    lam_free(columns);
    return status;
}
