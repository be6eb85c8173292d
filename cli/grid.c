/* Tables of text with aligned columns. */
#include "cli.h"
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void cli_grid_add(cli_grid *grid, const char *format, ...)
{
    va_list args;
    if (grid->cells == grid->capacity) {
        size_t capacity = grid->capacity == 0 ? 64 : 2 * grid->capacity;
        char **text = cli_alloc(capacity, sizeof *text);
        if (grid->cells > 0)
            memcpy(text, grid->text, grid->cells * sizeof *text);
        free(grid->text);
        grid->text = text;
        grid->capacity = capacity;
    }
    va_start(args, format);
    grid->text[grid->cells++] = cli_format_list(format, args);
    va_end(args);
}

void cli_grid_number(cli_grid *grid, int digits, double value)
{
    if (isfinite(value))
        cli_grid_add(grid, "%.*f", digits, value);
    else
        cli_grid_add(grid, "-");
}

const char *cli_measure(double value, double error, int digits, char text[64])
{
    int known = isfinite(error) && error > 0;
    if (known) {
        int place = 1 - (int)floor(log10(error));
        digits = place < 0 ? 0 : place > 12 ? 12 : place;
    }
    if (!isfinite(value))
        snprintf(text, 64, "-");
    else if (known)
        snprintf(text, 64, "%.*f +- %.*f", digits, value, digits, error);
    else
        snprintf(text, 64, "%.*f", digits, value);
    return text;
}

void cli_grid_measure(cli_grid *grid, int digits, double value, double error)
{
    char text[64];
    cli_grid_add(grid, "%s", cli_measure(value, error, digits, text));
}

/* Characters, not bytes, of a UTF-8 text: continuation bytes do not count. */
static int text_width(const char *text)
{
    int width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

/* text, which begins `indent` columns from the left, on lines of at most `most` columns, the further ones indented as far. A word that is longer
 * than a line, as a list of choices may be, is cut behind a bar. */
static void put_wrapped(const char *text, int indent, int most, FILE *stream)
{
    int room = most - indent;
    while (text_width(text) > room) {
        int at = 0, width = 0, cut = 0, bar = 0;
        for (; text[at] != '\0' && width <= room; at++) {
            cut = text[at] == ' ' ? at : cut;
            bar = text[at] == '|' && width < room ? at + 1 : bar;
            width += ((unsigned char)text[at] & 0xC0) != 0x80;
        }
        int next = cut > 0 ? cut : bar;
        if (next == 0)
            break;
        fprintf(stream, "%.*s\n%*s", next, text, indent, "");
        text += next;
        text += strspn(text, " ");
    }
    fputs(text, stream);
}

void cli_grid_print(cli_grid *grid, FILE *stream)
{
    int *width = cli_alloc(grid->columns, sizeof *width);
    for (size_t i = 0; i < grid->cells; i++) {
        int w = text_width(grid->text[i]);
        size_t column = i % grid->columns;
        width[column] = w > width[column] ? w : width[column];
    }
    int before = 0; /* columns in front of the last */
    for (size_t column = 0; column + 1 < grid->columns; column++)
        before += width[column] + 2;
    for (size_t i = 0; i < grid->cells; i++) {
        size_t column = i % grid->columns;
        int last = column + 1 == grid->columns, left = column == 0 || grid->left;
        int pad = width[column] - text_width(grid->text[i]);
        if (last && grid->wrap > before) {
            put_wrapped(grid->text[i], before, grid->wrap, stream);
            fputc('\n', stream);
        } else {
            fprintf(stream, "%*s%s%*s%s", left ? 0 : pad, "", grid->text[i], left && !last ? pad : 0, "", last ? "\n" : "  ");
        }
    }
    free(width);
    cli_grid_free(grid);
}

void cli_grid_free(cli_grid *grid)
{
    for (size_t i = 0; i < grid->cells; i++)
        free(grid->text[i]);
    free(grid->text);
    *grid = (cli_grid){0};
}
