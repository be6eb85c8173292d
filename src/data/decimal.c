/* Decides whether a text file writes decimals with a point or with a comma. */
#include "data/decimal.h"
#include "base/error.h"
#include "data/cell.h"
#include <math.h>
#include <string.h>

/* What the numbers of a file show. */
typedef struct evidence {
    size_t decimal, either, thousands, points; /* cells */
    lam_cell first; /* of either */
    size_t line;    /* its line */
} evidence;

/* Digits with several commas, or with one in front of a point. */
static int is_thousands(const lam_cell *cell)
{
    size_t commas = 0, before = 0;
    for (size_t i = 0; i < cell->n; i++) {
        commas += cell->at[i] == ',';
        before += cell->at[i] == '.' && commas > 0;
        if (strchr("0123456789+-.,", cell->at[i]) == NULL)
            return 0;
    }
    return commas > 1 || before > 0;
}

static void look(const lam_cell *cell, size_t line, evidence *seen)
{
    double value;
    lam_comma_form form = lam_cell_comma(cell->at, cell->n);
    seen->decimal += form == LAM_COMMA_DECIMAL;
    seen->thousands += form == LAM_COMMA_OTHER && is_thousands(cell);
    if (form == LAM_COMMA_EITHER && seen->either++ == 0)
        seen->first = *cell, seen->line = line;
    if (form == LAM_COMMA_NONE && memchr(cell->at, '.', cell->n) != NULL)
        seen->points += lam_cell_read(cell->at, cell->n, &value) == LAM_CELL_NUMBER && isfinite(value);
}

static void look_at_row(const lam_number_cells *cells, const lam_text_line *line, evidence *seen)
{
    const char *at = line->at;
    lam_cell cell;
    if (cells->row_names)
        (void)lam_cell_next(&at, line->end, cells->separator, &cell);
    for (size_t j = 0; j < cells->cols && lam_cell_next(&at, line->end, cells->separator, &cell) == LAM_STEP_CELL; j++)
        if (cells->place[j] != SIZE_MAX)
            look(&cell, line->number, seen);
}

lam_status lam_decimal_find(const char *name, const lam_number_cells *cells, int *comma)
{
    evidence seen = { 0 };
    lam_lines rows = cells->rows;
    lam_text_line line;
    char shown[LAM_SHOWN_SIZE];
    *comma = 0;
    if (cells->separator.sign == ',' || memchr(rows.at, ',', (size_t)(rows.end - rows.at)) == NULL)
        return LAM_OK;
    while (seen.points == 0 && lam_record_next(&rows, cells->separator, &line))
        if (!lam_line_is_comment(&line))
            look_at_row(cells, &line, &seen);
    if (seen.points > 0 || seen.thousands > 0)
        return LAM_OK;
    if (seen.decimal == 0 && seen.either > 0 && cells->separator.sign != ';')
        return lam_fail(LAM_ERR_FORMAT, "%s: line %zu: \"%s\": is its comma a decimal sign, or does it stand between thousands? All commas of the "
            "file are followed by three digits; write decimal points (sed 's/,/./g'), or leave the commas out (sed 's/,//g')", name, seen.line,
            lam_cell_show(seen.first.at, seen.first.n, shown));
    *comma = seen.decimal > 0 || seen.either > 0;
    return LAM_OK;
}
