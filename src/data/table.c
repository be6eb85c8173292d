/* Makes, completes, names and frees tables. */
#include "data/remark.h"
#include "data/table.h"
#include "base/error.h"
#include "base/need.h"
#include "base/mem.h"
#include "base/room.h"
#include "data/bytes.h"
#include "data/columns.h"
#include "data/foreign.h"
#include "data/hash.h"
#include "data/levels.h"
#include "data/mapped.h"
#include "base/number.h"
#include "base/config.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void lam_table_free(lam_table *table)
{
    if (table == NULL)
        return;
    for (size_t j = 0; table->names != NULL && j < table->cols; j++)
        free(table->names[j]);
    lam_levels_free(table->levels, table->cols);
    lam_free(table->names);
    lam_free(table->numbers);
    lam_free(table->values);
    lam_free(table->bad_at);
    free(table->how);
    free(table->notes);
    free(table->kept);
    lam_room_give(lam_table_folder(table), table->duplicate_at);
    lam_mapped_free(table->mapped);
    lam_free(table);
}

lam_status lam_table_rename(lam_table *table, size_t column, const char *name)
{
    LAM_NEED(table, "table");
    LAM_NEED(name, "name");
    if (table == NULL || name == NULL || column >= table->cols)
        return lam_fail(LAM_ERR_ARGUMENT, "column %zu cannot be named: there is no such column or no name", column + 1);
    char *copy = lam_strdup(name);
    if (copy == NULL)
        return LAM_ERR_MEMORY;
    free(table->names[column]);
    table->names[column] = copy;
    table->has_names = 1;
    return LAM_OK;
}

lam_status lam_table_empty(size_t cols, lam_table **out)
{
    *out = NULL;
    lam_table *table = lam_alloc(1, sizeof *table);
    if (table == NULL)
        return LAM_ERR_MEMORY;
    table->cols = cols;
    table->names = lam_alloc(cols, sizeof *table->names);
    table->numbers = lam_alloc(cols, sizeof *table->numbers);
    lam_status status = table->names == NULL || table->numbers == NULL ? LAM_ERR_MEMORY : LAM_OK;
    for (size_t j = 0; j < cols && status == LAM_OK; j++) {
        char number[24];
        table->numbers[j] = j + 1;
        snprintf(number, sizeof number, "%zu", j + 1);
        status = lam_table_rename(table, j, number);
    }
    if (status != LAM_OK) {
        lam_table_free(table);
        return status;
    }
    table->has_names = 0; /* numbers are not the file's */
    *out = table;
    return LAM_OK;
}

lam_status lam_table_create(size_t rows, size_t cols, lam_table **out)
{
    LAM_NEED(out, "out");
    *out = NULL;
    *out = NULL;
    if (rows == 0 || cols == 0)
        return lam_fail(LAM_ERR_ARGUMENT, "a table needs rows and columns: %zu by %zu were asked for", rows, cols);
    if (rows > SIZE_MAX / sizeof(double) / cols)
        return lam_fail(LAM_ERR_MEMORY, "out of memory: a table of %zu by %zu numbers", rows, cols);
    lam_table *table;
    LAM_TRY(lam_table_empty(cols, &table));
    table->values = lam_alloc(rows * cols, sizeof *table->values);
    if (table->values == NULL) {
        lam_table_free(table);
        return LAM_ERR_MEMORY;
    }
    table->rows = rows;
    lam_table_digest(table->values, rows, cols, table->hash);
    *out = table;
    return LAM_OK;
}

void lam_table_digest(const double *values, size_t rows, size_t cols, char hash[33])
{
    uint64_t seed[2] = { rows, cols }, digest[2];
    lam_hash128(values, rows * cols * sizeof *values, seed, digest);
    lam_hash_text(digest, hash);
}

/* The same of a table wherever its rows are. */
static lam_status digest(lam_table *table)
{
    if (table->mapped == NULL) {
        lam_table_digest(table->values, table->rows, table->cols, table->hash);
        return LAM_OK;
    }
    const uint64_t seed[2] = { table->rows, table->cols };
    uint64_t out[2];
    lam_hash hash;
    double *room = lam_alloc(table->cols, sizeof *room);
    if (room == NULL)
        return LAM_ERR_MEMORY;
    lam_hash_begin(&hash, seed);
    for (size_t i = 0; i < table->rows; i++)
        lam_hash_add(&hash, lam_table_row(table, i, room), table->cols * sizeof *room);
    lam_hash_end(&hash, out);
    lam_hash_text(out, table->hash);
    lam_free(room);
    return LAM_OK;
}

void lam_table_digest_parts(char parts[3][33], char hash[33])
{
    char all[3 * 33] = { 0 };
    uint64_t seed[2] = { 0, 0 }, digest[2];
    for (int part = 0; part < 3; part++)
        strcpy(all + part * 33, parts[part]);
    lam_hash128(all, sizeof all, seed, digest);
    lam_hash_text(digest, hash);
}

lam_status lam_table_drop_row(lam_table *table, size_t row)
{
    size_t n = table->bad_rows;
    if ((n & (n - 1)) == 0) { /* room is a power of two, and full */
        size_t *more = lam_alloc(n == 0 ? 1 : 2 * n, sizeof *more);
        if (more == NULL)
            return LAM_ERR_MEMORY;
        if (n > 0)
            memcpy(more, table->bad_at, n * sizeof *more);
        lam_free(table->bad_at);
        table->bad_at = more;
    }
    table->bad_at[table->bad_rows++] = row;
    return LAM_OK;
}

lam_status lam_table_keep(lam_table *table, const size_t *kept, size_t n)
{
    int here = table->mapped == NULL; /* else rows are taken from a file as the columns are chosen */
    double *values = lam_alloc(here ? table->rows * n : 0, sizeof *values);
    size_t *numbers = lam_alloc(n, sizeof *numbers);
    char **names = lam_alloc(n, sizeof *names);
    lam_names *levels = NULL;
    if (values == NULL || names == NULL || numbers == NULL || lam_levels_pick(table->levels, kept, n, &levels) != LAM_OK) {
        lam_free(values);
        lam_free(numbers);
        lam_free(names);
        return LAM_ERR_MEMORY;
    }
    for (size_t i = 0; here && i < table->rows; i++)
        for (size_t k = 0; k < n; k++)
            values[i * n + k] = table->values[i * table->cols + kept[k]];
    for (size_t k = 0; k < n; k++) {
        numbers[k] = table->numbers[kept[k]];
        names[k] = table->names[kept[k]];
        table->names[kept[k]] = NULL; /* moved */
    }
    for (size_t j = 0; j < table->cols; j++)
        free(table->names[j]);
    lam_levels_free(table->levels, table->cols);
    lam_free(table->names);
    lam_free(table->numbers);
    lam_free(table->values);
    if (!here)
        lam_free(values);
    table->levels = levels;
    table->names = names, table->numbers = numbers, table->values = here ? values : NULL, table->cols = n;
    return LAM_OK;
}

lam_status lam_table_pick(const lam_table *table, const size_t *kept, size_t n, lam_table **out)
{
    lam_table *copy;
    *out = NULL;
    LAM_TRY(lam_table_create(table->rows, n, &copy));
    double *room = lam_alloc(table->cols, sizeof *room);
    lam_status status = room == NULL ? LAM_ERR_MEMORY : lam_levels_pick(table->levels, kept, n, &copy->levels);
    for (size_t k = 0; k < n && status == LAM_OK; k++) {
        copy->numbers[k] = table->numbers[kept[k]];
        status = lam_table_rename(copy, k, table->names[kept[k]]);
    }
    for (size_t i = 0; i < table->rows && status == LAM_OK; i++) {
        const double *row = lam_table_row(table, i, room);
        for (size_t k = 0; k < n; k++)
            copy->values[i * n + k] = row[kept[k]];
    }
    lam_free(room);
    copy->has_names = table->has_names;
    copy->from_zero = table->from_zero;
    if (status != LAM_OK) {
        lam_table_free(copy);
        return status;
    }
    *out = copy;
    return LAM_OK;
}

lam_status lam_table_bad_number(const lam_table *table, const char *name, const lam_read_options *options, size_t row, size_t column, double value)
{
    lam_source source = lam_source_of(name, table);
    source.from_zero = options->from_zero;
    lam_remark all;
    LAM_TRY(lam_remark_begin(&all));
    fprintf(all.out, "%s: row %zu, ", name, row + 1);
    lam_remark_column(all.out, &source, column);
    fprintf(all.out, " is %s; ", isnan(value) ? "NaN" : "infinite");
    lam_remark_remedy(all.out, &source, column, options, isnan(value));
    return lam_remark_fail(&all, LAM_ERR_DATA);
}

size_t lam_row_look(double *row, size_t cols, int missing, size_t *absent)
{
    size_t j = 0;
    *absent = 0;
    for (; j < cols && (isfinite(row[j]) || (missing && isnan(row[j]))); j++)
        if (isnan(row[j])) {
            row[j] = (double)NAN; /* the same bits whatever the file had */
            ++*absent;
        }
    return j;
}

lam_status lam_table_judge_row(lam_table *table, const char *name, const lam_read_options *options, size_t first, size_t i, double *row, int *kept)
{
    size_t absent, cols = table->cols, j = lam_row_look(row, cols, options->missing, &absent);
    *kept = j == cols && absent < cols;
    if (j < cols && !options->drop_bad_rows)
        return lam_table_bad_number(table, name, options, first + i, j, row[j]);
    if (!*kept)
        return lam_table_drop_row(table, i);
    table->missing += absent;
    return LAM_OK;
}

static lam_status check_rows(lam_table *table, const char *name, const lam_read_options *options, size_t first)
{
    size_t cols = table->cols, used = 0;
    int kept;
    table->missing = 0;
    for (size_t i = 0; i < table->rows; i++) {
        double *row = table->values + i * cols;
        LAM_TRY(lam_table_judge_row(table, name, options, first, i, row, &kept));
        if (kept && used++ < i)
            memmove(row - (i + 1 - used) * cols, row, cols * sizeof *row);
    }
    table->rows = used;
    return LAM_OK;
}

lam_status lam_table_no_rows(const char *name, size_t rows, const lam_read_options *options)
{
    return lam_fail(LAM_ERR_DATA, "%s: each of its %zu rows has a NaN or an infinity%s", name, rows,
        lam_read_for_model(options) ? " in a column that the model takes" : "; --drop the columns that have them");
}

/* The numbers of columns of text in a table that is all numbers. */
static lam_status adopt_levels(lam_table *table, const lam_names *levels)
{
    for (size_t j = 0; j < table->cols; j++)
        if (lam_levels_are_text(levels, j))
            LAM_TRY(lam_table_set_levels(table, j, &levels[j]));
    return LAM_OK;
}

lam_status lam_table_select(lam_table *table, const char *name, const lam_read_options *options)
{
    size_t rows = table->rows;
    LAM_TRY(lam_table_select_part(table, name, options, 0));
    return table->rows > 0 ? LAM_OK : lam_table_no_rows(name, rows, options);
}

lam_status lam_table_select_part(lam_table *table, const char *name, const lam_read_options *options, size_t first)
{
    static const lam_read_options all = { 0 };
    options = options != NULL ? options : &all;
    if (options->columns.n > 0 || options->drop.n > 0 || options->like != NULL) {
        lam_source source = lam_source_of(name, table);
        source.from_zero = options->from_zero;
        size_t *kept, n;
        LAM_TRY(lam_columns_select(&source, options, &kept, &n));
        lam_status status = lam_table_keep(table, kept, n);
        lam_free(kept);
        LAM_TRY(status);
    }
    if (options->like != NULL && options->like->levels != NULL)
        LAM_TRY(adopt_levels(table, options->like->levels));
    return check_rows(table, name, options, first);
}

/* No rows: what is read for the names alone. */
static void empty(lam_table *table)
{
    lam_free(table->values);
    table->values = NULL;
    table->rows = 0;
}

/* Names of a file that has none, as they are counted. */
lam_status lam_table_count_columns(lam_table *table, const lam_read_options *options)
{
    if (options == NULL || !options->from_zero)
        return LAM_OK;
    table->from_zero = 1;
    for (size_t j = 0; j < table->cols && !table->has_names; j++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", table->numbers[j] - 1);
        LAM_TRY(lam_table_rename(table, j, number));
        table->has_names = 0;
    }
    return LAM_OK;
}

lam_status lam_table_finish(lam_table *table, const char *name, const lam_read_options *options)
{
    LAM_TRY(lam_table_count_columns(table, options));
    if (options != NULL && options->names_only) {
        empty(table);
        return LAM_OK;
    }
    if (table->rows == 0)
        return lam_fail(LAM_ERR_FORMAT, "%s: there are no rows in it", name);
    if (options != NULL && options->drop_duplicates)
        LAM_TRY(lam_table_drop_duplicates(table));
    return digest(table);
}

lam_status lam_table_read_memory(const char *name, const void *bytes, size_t size, const char *array,
    const lam_read_options *options, lam_table **out)
{
    lam_table *table = NULL;
    lam_status status;
    int is_text = 0;
    lam_read_options rest = options != NULL ? *options : (lam_read_options){ 0 };
    *out = NULL;
    if (size >= 4 && (memcmp(bytes, "PK\3\4", 4) == 0 || memcmp(bytes, "PK\5\6", 4) == 0))
        status = (rest.names_only ? lam_npz_columns : lam_npz_table)(name, bytes, size, array, &table);
    else if (array != NULL)
        status = lam_fail(LAM_ERR_FORMAT, "%s: is not an .npz archive, so it has no array \"%s\"", name, array);
    else if (size >= 6 && memcmp(bytes, "\x93NUMPY", 6) == 0)
        status = rest.names_only ? lam_npy_columns(name, bytes, size, &table) : lam_npy_table(name, bytes, size, &table);
    else if ((status = lam_foreign_check(name, bytes, size)) == LAM_OK) {
        status = lam_text_read(name, bytes, size, options, &table);
        is_text = 1; /* columns and rows are chosen while reading, so that text in dropped ones does no harm */
    }
    if (status == LAM_OK && !rest.names_only && !is_text)
        status = lam_table_select(table, name, &rest);
    if (status == LAM_OK)
        status = lam_table_finish(table, name, &rest);
    if (status != LAM_OK) {
        lam_table_free(table);
        return status;
    }
    *out = table;
    return LAM_OK;
}

/* "toy:NAME[:ROWS[:SEED]]" */
static lam_status read_toy(const char *path, const lam_read_options *options, lam_table **out)
{
    const char *parts[3] = { path + 4, NULL, NULL };
    char text[96];
    uint64_t rows = 10000, seed = 0;
    if (strlen(path) >= sizeof text)
        return lam_fail(LAM_ERR_ARGUMENT, "%.40s...: not the name of a toy density", path);
    strcpy(text, path);
    char *p = text + 4;
    parts[0] = p;
    for (int k = 1; k < 3 && (p = strchr(p, ':')) != NULL; k++) {
        *p++ = '\0';
        parts[k] = p;
    }
    if ((parts[1] != NULL && lam_whole_read(parts[1], &rows) != 0) || (parts[2] != NULL && lam_whole_read(parts[2], &seed) != 0)
        || rows > SIZE_MAX)
        return lam_fail(LAM_ERR_ARGUMENT, "%s: write toy:NAME, toy:NAME:ROWS or toy:NAME:ROWS:SEED with whole numbers", path);
    lam_table *table;
    LAM_TRY(lam_table_toy(parts[0], (size_t)rows, seed, &table));
    lam_status status = options != NULL && options->names_only ? LAM_OK : lam_table_select(table, path, options);
    if (status == LAM_OK)
        status = lam_table_finish(table, path, options);
    if (status != LAM_OK) {
        lam_table_free(table);
        return status;
    }
    *out = table;
    return LAM_OK;
}

char *lam_npz_split(const char *path, const char **array)
{
    const char *mark = strstr(path, ".npz:");
    if (mark == NULL || access(path, F_OK) == 0)
        return NULL;
    char *file = lam_strdup(path);
    if (file != NULL) {
        file[mark + 4 - path] = '\0';
        *array = mark + 5;
    }
    return file;
}

lam_status lam_table_read(const char *path, const lam_read_options *options, lam_table **out)
{
    LAM_NEED(out, "out");
    *out = NULL;
    LAM_NEED(path, "path");
    *out = NULL;
    if (path == NULL || path[0] == '\0')
        return lam_fail(LAM_ERR_ARGUMENT, "no data file was named");
    if (strncmp(path, "toy:", 4) == 0)
        return read_toy(path, options, out);
    const char *array = NULL;
    char *file = lam_npz_split(path, &array);
    lam_bytes bytes;
    const char *from = file != NULL ? file : path;
    lam_status status = lam_bytes_map(from, &bytes);
    if (status == LAM_OK)
        status = lam_table_read_memory(lam_bytes_name(from), bytes.at, bytes.size, array, options, out);
    lam_bytes_clear(&bytes);
    free(file);
    return status;
}
