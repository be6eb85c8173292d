/* Finds columns by name or by number. */
#include "data/columns.h"
#include "base/error.h"
#include "data/cell.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* Levenshtein distance without regard to case; texts beyond 63 bytes count as far apart. */
static size_t distance(const char *a, size_t n, const char *b)
{
    size_t m = strlen(b), row[64];
    if (n >= 64 || m >= 64)
        return 64;
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = corner + (lower(a[i - 1]) != lower(b[j - 1]));
            corner = row[j];
            best = best < row[j] + 1 ? best : row[j] + 1;
            row[j] = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
        }
    }
    return row[m];
}

const char *lam_columns_list(const char *const *names, size_t n, char text[LAM_COLUMN_LIST])
{
    size_t used = 0, j = 0;
    text[0] = '\0';
    for (; j < n && used < LAM_COLUMN_LIST - 80; j++) {
        int wrote = snprintf(text + used, LAM_COLUMN_LIST - used, "%s%.60s", j == 0 ? "" : ", ", names[j]);
        used += wrote < 0 ? 0 : (size_t)wrote;
    }
    if (j < n)
        snprintf(text + used, LAM_COLUMN_LIST - used, ", ...");
    return text;
}

lam_source lam_source_of(const char *where, const lam_table *table)
{
    return (lam_source) { where, (const char *const *)table->names, table->numbers, table->cols, table->has_names,
        table->from_zero };
}

size_t lam_column_number(const lam_source *source, size_t column)
{
    return source->numbers != NULL ? source->numbers[column] : column + 1;
}

size_t lam_column_shown(const lam_source *source, size_t column)
{
    return lam_column_number(source, column) - (source->from_zero ? 1 : 0);
}

/* text [n] as a number from 1; 0 if it is none. */
static size_t number_of(const char *text, size_t n)
{
    size_t number = 0;
    if (n == 0 || n > 9)
        return 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        number = 10 * number + (size_t)(text[i] - '0');
    }
    return number;
}

static int is_digits(const char *text, size_t n)
{
    size_t i = 0;
    while (i < n && text[i] >= '0' && text[i] <= '9')
        i++;
    return n > 0 && i == n;
}

/* No number can be taken for another column's name: none is named by a number, but for its own. */
static int are_numbered(const lam_source *source)
{
    for (size_t j = 0; source->has_names && j < source->n; j++) {
        size_t n = strlen(source->names[j]);
        if (is_digits(source->names[j], n) && number_of(source->names[j], n) != lam_column_number(source, j))
            return 0;
    }
    return 1;
}

static lam_status unknown(const lam_source *source, const char *text, size_t n)
{
    char shown[LAM_SHOWN_SIZE], list[LAM_COLUMN_LIST];
    size_t nearest = 0, best = SIZE_MAX;
    lam_cell_show(text, n, shown);
    if (!source->has_names)
        return lam_fail(LAM_ERR_ARGUMENT, "%s: there is no column \"%s\"; the columns have no names here and go by number, from 1 to %zu",
            source->where, shown, source->n > 0 ? lam_column_number(source, source->n - 1) : 0);
    lam_columns_list(source->names, source->n, list);
    if (is_digits(text, n) && !are_numbered(source))
        return lam_fail(LAM_ERR_ARGUMENT, "%s: there is no column named \"%s\"; where columns have numbers for names, a number is a name: %s",
            source->where, shown, list);
    for (size_t j = 0; j < source->n; j++) {
        size_t d = distance(text, n, source->names[j]);
        if (d < best)
            best = d, nearest = j;
    }
    if (n > 2 && (text[0] == '"' || text[0] == '\'') && text[n - 1] == text[0])
        return lam_fail(LAM_ERR_ARGUMENT, "%s: there is no column with quotes in its name, %s; leave the quotes out", source->where, shown);
    if (source->n > 0 && best <= 1 + n / 3 && best < n)
        return lam_fail(LAM_ERR_ARGUMENT, "%s: there is no column \"%s\"; is \"%s\" meant?", source->where, shown, source->names[nearest]);
    return lam_fail(LAM_ERR_ARGUMENT, "%s: there is no column \"%s\"; columns go by name%s: %s", source->where, shown,
        are_numbered(source) ? " or by number from 1" : "", list);
}

lam_status lam_columns_find(const lam_source *source, const char *text, size_t n, size_t *column)
{
    size_t found = SIZE_MAX, number = number_of(text, n);
    for (size_t j = 0; source->has_names && j < source->n; j++) {
        if (strlen(source->names[j]) != n || memcmp(source->names[j], text, n) != 0)
            continue;
        if (found != SIZE_MAX)
            return lam_fail(LAM_ERR_ARGUMENT, "%s: columns %zu and %zu are both named \"%s\"; %s", source->where,
                lam_column_shown(source, found), lam_column_shown(source, j), source->names[j],
                are_numbered(source) ? "give the number" : "rename one");
        found = j;
    }
    for (size_t j = 0; found == SIZE_MAX && number > 0 && j < source->n; j++)
        if (lam_column_number(source, j) == number && are_numbered(source))
            found = j;
    if (found == SIZE_MAX)
        return unknown(source, text, n);
    *column = found;
    return LAM_OK;
}
