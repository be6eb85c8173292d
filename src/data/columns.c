#include "data/columns.h"
#include "base/error.h"
#include "base/mem.h"
#include "data/cell.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

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

static lam_status unknown(const char *where, char *const *names, size_t cols, const char *text, size_t n)
{
    char shown[LAM_SHOWN_SIZE], list[512];
    size_t nearest = 0, best = SIZE_MAX, used = 0;
    for (size_t j = 0; j < cols; j++) {
        size_t d = distance(text, n, names[j]);
        if (d < best)
            best = d, nearest = j;
    }
    lam_cell_show(text, n, shown);
    if (cols > 0 && best <= 1 + n / 3 && best < n)
        return lam_fail(LAM_ERR_ARGUMENT, "%s: there is no column \"%s\"; is \"%s\" meant?", where, shown, names[nearest]);
    list[0] = '\0';
    for (size_t j = 0; j < cols && used < sizeof list - 80; j++) {
        int wrote = snprintf(list + used, sizeof list - used, "%s%.60s", j == 0 ? "" : ", ", names[j]);
        used += wrote < 0 ? 0 : (size_t)wrote;
    }
    return lam_fail(LAM_ERR_ARGUMENT, "%s: there is no column \"%s\"; columns go by name or by number from 1 to %zu: %s%s",
        where, shown, cols, list, used >= sizeof list - 80 ? ", ..." : "");
}

lam_status lam_columns_find(const char *where, char *const *names, size_t cols, const char *text, size_t n, size_t *column)
{
    size_t found = SIZE_MAX, number = 0, i = 0;
    for (size_t j = 0; j < cols; j++) {
        if (strlen(names[j]) != n || memcmp(names[j], text, n) != 0)
            continue;
        if (found != SIZE_MAX)
            return lam_fail(LAM_ERR_ARGUMENT, "%s: columns %zu and %zu are both named \"%s\"; give the number", where,
                found + 1, j + 1, names[j]);
        found = j;
    }
    for (; i < n && i < 9 && text[i] >= '0' && text[i] <= '9'; i++)
        number = 10 * number + (size_t)(text[i] - '0');
    if (found == SIZE_MAX && i == n && number >= 1 && number <= cols)
        found = number - 1;
    if (found == SIZE_MAX)
        return unknown(where, names, cols, text, n);
    *column = found;
    return LAM_OK;
}

/* Marks every column of a comma-separated list: order[k] is the k-th named, taken[j] counts. */
static lam_status read_list(const char *where, char *const *names, size_t cols, const char *list, unsigned char *taken,
    size_t *order, size_t *n)
{
    for (const char *p = list; p != NULL;) {
        size_t column = 0, length = strcspn(p, ",");
        const char *item = p, *comma = p + length;
        for (; length > 0 && item[0] == ' '; item++)
            length--;
        while (length > 0 && item[length - 1] == ' ')
            length--;
        LAM_TRY(lam_columns_find(where, names, cols, item, length, &column));
        if (taken[column])
            return lam_fail(LAM_ERR_ARGUMENT, "%s: column \"%s\" is named twice in \"%s\"", where, names[column], list);
        taken[column] = 1;
        order[(*n)++] = column;
        p = *comma == ',' ? comma + 1 : NULL;
    }
    return LAM_OK;
}

/* Two kept columns may not share a name: models and files refer to columns by name. */
static lam_status check_names(const char *where, char *const *names, const size_t *kept, size_t n)
{
    for (size_t a = 0; a < n; a++)
        for (size_t b = a + 1; b < n; b++)
            if (strcmp(names[kept[a]], names[kept[b]]) == 0) {
                size_t first = kept[a] < kept[b] ? kept[a] : kept[b], second = kept[a] < kept[b] ? kept[b] : kept[a];
                return lam_fail(LAM_ERR_FORMAT, "%s: columns %zu and %zu are both named \"%s\"; rename one, or drop one by "
                    "number (--drop %zu)", where, first + 1, second + 1, names[first], second + 1);
            }
    return LAM_OK;
}

static lam_status select_into(const char *where, char *const *names, size_t cols, const char *columns, const char *drop,
    unsigned char *taken, size_t *order, size_t *kept, size_t *n_kept)
{
    size_t n = 0, n_dropped = 0;
    if (columns != NULL && columns[0] != '\0') {
        LAM_TRY(read_list(where, names, cols, columns, taken, kept, &n));
        memset(taken, 0, cols);
    } else {
        for (; n < cols; n++)
            kept[n] = n;
    }
    if (drop != NULL && drop[0] != '\0')
        LAM_TRY(read_list(where, names, cols, drop, taken, order, &n_dropped));
    *n_kept = 0;
    for (size_t k = 0; k < n; k++)
        if (!taken[kept[k]])
            kept[(*n_kept)++] = kept[k];
    if (*n_kept == 0)
        return lam_fail(LAM_ERR_ARGUMENT, "%s: no column is left of %zu; drop fewer", where, cols);
    return check_names(where, names, kept, *n_kept);
}

lam_status lam_columns_select(const char *where, char *const *names, size_t cols, const char *columns, const char *drop,
    size_t **kept, size_t *n_kept)
{
    unsigned char *taken = lam_alloc(cols, 1);
    size_t *order = lam_alloc(cols, sizeof *order);
    lam_status status = LAM_ERR_MEMORY;
    *kept = lam_alloc(cols, sizeof **kept);
    if (taken != NULL && order != NULL && *kept != NULL)
        status = select_into(where, names, cols, columns, drop, taken, order, *kept, n_kept);
    if (status != LAM_OK) {
        lam_free(*kept);
        *kept = NULL;
    }
    lam_free(order);
    lam_free(taken);
    return status;
}
