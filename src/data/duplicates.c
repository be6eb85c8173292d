/* Drops duplicate rows. */
#include "base/error.h"
#include "base/mem.h"
#include "base/room.h"
#include "data/hash.h"
#include "data/mapped.h"
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
typedef struct seen {
    size_t *row, slots;
    double *key, *one, *other; /* [cols] room for a row each */
} seen;

/* Where row is, or belongs. */
static size_t find(const seen *s, const lam_table *table, const double *row)
{
    const uint64_t seed[2] = { 0, 0 };
    uint64_t hash[2];
    for (size_t j = 0; j < table->cols; j++)
        s->key[j] = row[j] + 0.0; /* -0 becomes 0 */
    lam_hash128(s->key, table->cols * sizeof *s->key, seed, hash);
    size_t at = (size_t)hash[0] & (s->slots - 1);
    while (s->row[at] != 0 && !same_row(lam_table_row(table, s->row[at] - 1, s->other), row, table->cols))
        at = (at + 1) & (s->slots - 1);
    return at;
}

/* Row i becomes row `to`. */
static void move_row(lam_table *table, size_t i, size_t to)
{
    if (table->mapped != NULL)
        table->mapped->row[to] = table->mapped->row[i];
    else
        memmove(table->values + to * table->cols, table->values + i * table->cols, table->cols * sizeof *table->values);
}

static void drop(lam_table *table, const seen *s)
{
    size_t used = 0, bad = 0;
    for (size_t i = 0; i < table->rows; i++) {
        size_t at = find(s, table, lam_table_row(table, i, s->one));
        while (bad < table->bad_rows && table->bad_at[bad] <= i + bad)
            bad++; /* rows of the source before this one that were dropped already */
        if (s->row[at] != 0) {
            table->duplicate_at[table->duplicates++] = i + bad;
            continue;
        }
        move_row(table, i, used);
        s->row[at] = ++used;
    }
    table->rows = used;
}

lam_status lam_table_drop_duplicates(lam_table *table)
{
    const char *folder = lam_table_folder(table);
    seen s = { .slots = 16 };
    while (s.slots < 2 * table->rows)
        s.slots *= 2;
    s.row = lam_room_take(folder, s.slots, sizeof *s.row);
    s.key = lam_alloc(3 * table->cols, sizeof *s.key);
    lam_room_give(folder, table->duplicate_at);
    table->duplicate_at = lam_room_take(folder, table->rows, sizeof *table->duplicate_at);
    lam_status status = s.row == NULL || s.key == NULL || table->duplicate_at == NULL ? LAM_ERR_MEMORY : LAM_OK;
    if (status == LAM_OK) {
        s.one = s.key + table->cols, s.other = s.key + 2 * table->cols;
        drop(table, &s);
    }
    lam_room_give(folder, s.row);
    lam_free(s.key);
    return status;
}
