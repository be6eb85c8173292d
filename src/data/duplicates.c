/* Drops duplicate rows. */
#include "base/error.h"
#include "base/mem.h"
#include "data/hash.h"
#include "data/table.h"
#include <math.h>
#include <string.h>

/* Equality by value, so that 0 and -0 are duplicates; a missing cell equals a missing one. */
static int same_row(const double *a, const double *b, size_t cols)
{
    for (size_t j = 0; j < cols; j++)
        if (a[j] != b[j] && !(isnan(a[j]) && isnan(b[j])))
            return 0;
    return 1;
}

/* An open-addressing table of 1-based row numbers, at most half full. */
lam_status lam_table_drop_duplicates(lam_table *table)
{
    size_t cols = table->cols, used = 0, slots = 16, bad = 0;
    while (slots < 2 * table->rows)
        slots *= 2;
    size_t *seen = lam_alloc(slots, sizeof *seen);
    double *key = lam_alloc(cols, sizeof *key);
    lam_free(table->duplicate_at);
    table->duplicate_at = lam_alloc(table->rows, sizeof *table->duplicate_at);
    if (seen == NULL || key == NULL || table->duplicate_at == NULL) {
        lam_free(seen);
        lam_free(key);
        return LAM_ERR_MEMORY;
    }
    for (size_t i = 0; i < table->rows; i++) {
        const double *row = table->values + i * cols;
        uint64_t seed[2] = { 0, 0 }, hash[2];
        for (size_t j = 0; j < cols; j++)
            key[j] = row[j] + 0.0; /* -0 becomes 0 */
        lam_hash128(key, cols * sizeof *key, seed, hash);
        size_t at = (size_t)hash[0] & (slots - 1);
        while (seen[at] != 0 && !same_row(table->values + (seen[at] - 1) * cols, row, cols))
            at = (at + 1) & (slots - 1);
        while (bad < table->bad_rows && table->bad_at[bad] <= i + bad)
            bad++; /* rows of the source before this one that were dropped already */
        if (seen[at] != 0) {
            table->duplicate_at[table->duplicates++] = i + bad;
            continue;
        }
        memmove(table->values + used * cols, row, cols * sizeof *row);
        seen[at] = ++used;
    }
    table->rows = used;
    lam_free(seen);
    lam_free(key);
    return LAM_OK;
}
