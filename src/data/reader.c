/* Reads tables part by part. */
#include "base/error.h"
#include "base/mem.h"
#include "base/need.h"
#include "data/bytes.h"
#include "data/foreign.h"
#include "data/mapped.h"
#include "data/npy.h"
#include "data/table.h"
#include "data/text_inside.h"
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BLOCKS = 8 }; /* of a text that are read at once: 4 MB */
typedef enum source { TEXT, NPY, WHOLE } source;

struct lam_reader {
    source source;
    char *path;           /* of "FILE.npz:NAME" the file */
    char *array;          /* and NAME; else NULL */
    lam_read_options options;
    lam_bytes bytes;      /* unpacked; of a toy none */
    lam_pool *pool;
    lam_text text;
    lam_npy_rows npy;
    size_t next;          /* row of the .npy from which on it is not read yet */
    lam_table *part;      /* what was read last; of a whole table all of it. NULL: the end */
    size_t taken, bad;    /* of its rows, bad ones included; of its bad ones */
    size_t kept;          /* rows that were given out */
};

/* ---- a part of the source ----------------------------------------------------------------------------------------- */

/* What the text's table came to moves into one of its own. */
static lam_status next_of_text(lam_reader *r)
{
    lam_table *t = r->text.table;
    if (lam_text_is_at_end(&r->text))
        return LAM_OK;
    LAM_TRY(lam_text_next(&r->text, TEXT_BLOCKS));
    LAM_TRY(lam_table_form(t, &r->part));
    r->part->values = t->values, r->part->rows = t->rows, r->part->missing = t->missing;
    r->part->bad_at = t->bad_at, r->part->bad_rows = t->bad_rows;
    t->values = NULL, t->bad_at = NULL;
    t->rows = t->missing = t->bad_rows = 0;
    return LAM_OK;
}

static lam_status next_of_npy(lam_reader *r, size_t rows)
{
    const lam_npy_rows *npy = &r->npy;
    const char *name = lam_bytes_name(r->path);
    size_t n = npy->rows - r->next < rows ? npy->rows - r->next : rows;
    if (n == 0)
        return r->kept > 0 ? LAM_OK : lam_table_no_rows(name, npy->rows, &r->options);
    LAM_TRY(lam_table_empty(npy->cols, &r->part));
    if ((r->part->values = lam_reserve(n * npy->cols * sizeof *r->part->values)) == NULL)
        return LAM_ERR_MEMORY;
    lam_npy_rows_read(npy, r->next, n, r->part->values);
    r->part->rows = n;
    LAM_TRY(lam_table_select_part(r->part, name, &r->options, r->next));
    r->kept += r->part->rows;
    r->next += n;
    return lam_table_count_columns(r->part, &r->options);
}

static void forget_part(lam_reader *r)
{
    lam_table_free(r->part);
    r->part = NULL;
    r->taken = r->bad = 0;
}

/* All but the bytes. */
static void close_source(lam_reader *r)
{
    forget_part(r);
    lam_text_close(&r->text);
    lam_pool_free(r->pool);
    r->pool = NULL;
    r->next = r->kept = 0;
}

static lam_status next_part(lam_reader *r, size_t rows)
{
    if (r->source == WHOLE) /* it was the only one */
        return LAM_OK;
    forget_part(r);
    lam_status status = r->source == TEXT ? next_of_text(r) : next_of_npy(r, rows);
    if (status != LAM_OK)
        forget_part(r);
    return status;
}

/* Nothing is left of the last part. */
static int is_taken(const lam_reader *r)
{
    return r->part == NULL || r->taken == r->part->rows + r->part->bad_rows;
}

static int is_at_end(const lam_reader *r)
{
    return r->source == WHOLE ? is_taken(r) : r->part == NULL;
}

/* ---- parts of the caller's ---------------------------------------------------------------------------------------- */

/* Rows of the part to the end of out [.., room], good and bad ones in their order. */
static lam_status take_rows(lam_reader *r, lam_table *out, size_t room)
{
    const lam_table *p = r->part;
    size_t cols = p->cols;
    for (; !is_taken(r) && out->rows < room; r->taken++) {
        if (r->bad < p->bad_rows && p->bad_at[r->bad] == r->taken) {
            r->bad++;
            LAM_TRY(lam_table_drop_row(out, out->rows + out->bad_rows));
            continue;
        }
        const double *from = p->values + (r->taken - r->bad) * cols;
        memcpy(out->values + out->rows++ * cols, from, cols * sizeof *from);
        for (size_t j = 0; p->missing > 0 && j < cols; j++)
            out->missing += isnan(from[j]) != 0;
    }
    return LAM_OK;
}

static lam_status fill(lam_reader *r, lam_table **out, size_t rows)
{
    while (*out == NULL || (*out)->rows < rows) {
        if (is_taken(r))
            LAM_TRY(next_part(r, rows));
        if (is_at_end(r))
            break;
        if (*out == NULL) {
            size_t row = r->part->cols * sizeof *(*out)->values;
            LAM_TRY(lam_table_form(r->part, out));
            if (rows > SIZE_MAX / row)
                return lam_fail(LAM_ERR_ARGUMENT, "a part of %zu rows of %zu columns is more than this machine can address", rows, r->part->cols);
            if (((*out)->values = lam_reserve(rows * row)) == NULL)
                return LAM_ERR_MEMORY;
        }
        LAM_TRY(take_rows(r, *out, rows));
    }
    while (is_taken(r) && !is_at_end(r)) /* is this the last part? */
        LAM_TRY(next_part(r, rows));
    if (*out == NULL || !is_at_end(r))
        return LAM_OK;
    const lam_table *said = r->source == TEXT ? r->text.table : r->source == WHOLE ? r->part : NULL;
    if (r->source == TEXT && said->how == NULL)
        LAM_TRY(lam_text_describe(&r->text));
    if (said != NULL && ((said->how != NULL && ((*out)->how = lam_strdup(said->how)) == NULL)
                            || (said->notes != NULL && ((*out)->notes = lam_strdup(said->notes)) == NULL)))
        return LAM_ERR_MEMORY;
    return LAM_OK;
}

lam_status lam_reader_next(lam_reader *reader, size_t rows, lam_table **out)
{
    LAM_NEED(out, "out");
    *out = NULL;
    LAM_NEED(reader, "reader");
    if (rows == 0)
        return lam_fail(LAM_ERR_ARGUMENT, "a part of 0 rows was asked for");
    if (reader->options.names_only) {
        *out = reader->part;
        reader->part = NULL;
        return LAM_OK;
    }
    lam_status status = fill(reader, out, rows);
    if (status != LAM_OK) {
        lam_table_free(*out);
        *out = NULL;
    }
    return status;
}

/* ---- opening ------------------------------------------------------------------------------------------------------ */

static int begins(const lam_bytes *b, const char *with, size_t n)
{
    return b->size >= n && memcmp(b->at, with, n) == 0;
}

static lam_status open_npy(lam_reader *r, const char *name)
{
    LAM_TRY(lam_npy_check(name, r->bytes.at, r->bytes.size));
    LAM_TRY(lam_npy_rows_open(name, r->bytes.at, r->bytes.size, &r->npy));
    if (r->npy.rows == 0 || r->npy.cols == 0)
        return lam_fail(LAM_ERR_FORMAT, "%s: the array is empty: %zu rows of %zu columns", name, r->npy.rows, r->npy.cols);
    return LAM_OK;
}

static lam_status open_here(lam_reader *r)
{
    const char *name = lam_bytes_name(r->path);
    r->source = begins(&r->bytes, "\x93NUMPY", 6) ? NPY : TEXT;
    if (r->source == NPY)
        return open_npy(r, name);
    LAM_TRY(lam_foreign_check(name, r->bytes.at, r->bytes.size));
    LAM_TRY(lam_text_pool(r->bytes.size, &r->options, &r->pool));
    LAM_TRY(lam_text_open(name, r->bytes.at, r->bytes.size, &r->options, LAM_SURVEY_BLOCK, r->pool, &r->text));
    return lam_table_count_columns(r->text.table, &r->options);
}

/* The rows of what the bytes are, or the names alone, as the options want. */
static lam_status look(lam_reader *r)
{
    const char *name = lam_bytes_name(r->path);
    r->source = WHOLE;
    if (r->bytes.at == NULL)
        return lam_table_read(r->path, &r->options, &r->part);
    if (r->options.names_only || r->array != NULL || begins(&r->bytes, "PK\3\4", 4))
        return lam_table_read_memory(name, r->bytes.at, r->bytes.size, r->array, &r->options, &r->part);
    return open_here(r);
}

/* An array that is stored as it is stays in its archive, a deflated one that is large goes to a file; a small one is unpacked to memory when it is
 * read. */
static lam_status take_bytes(lam_reader *r, const lam_rows_place *place)
{
    static const lam_rows_place nowhere = { 0 };
    int is_there;
    if (strncmp(r->path, "toy:", 4) == 0)
        return LAM_OK;
    LAM_TRY(lam_mapped_bytes(r->path, place, &r->bytes));
    LAM_TRY(lam_mapped_member(lam_bytes_name(r->path), r->array, &nowhere, &r->bytes, &is_there));
    if (!is_there && place != NULL && place->folder != NULL)
        LAM_TRY(lam_mapped_member(lam_bytes_name(r->path), r->array, place, &r->bytes, &is_there));
    if (is_there) {
        free(r->array);
        r->array = NULL;
    }
    return LAM_OK;
}

static lam_status create(const char *path, lam_reader **out)
{
    const char *array = NULL;
    lam_reader *r = lam_alloc(1, sizeof *r);
    *out = r;
    if (r == NULL)
        return LAM_ERR_MEMORY;
    r->path = lam_npz_split(path, &array);
    if (r->path == NULL)
        r->path = lam_strdup(path);
    else if ((r->array = lam_strdup(array)) == NULL)
        return LAM_ERR_MEMORY;
    return r->path != NULL ? LAM_OK : LAM_ERR_MEMORY;
}

/* Gives the reader out, or frees it. */
static lam_status give(lam_reader *r, lam_status status, lam_reader **out)
{
    *out = status == LAM_OK ? r : NULL;
    if (status != LAM_OK)
        lam_reader_free(r);
    return status;
}

static lam_status check_options(const char *path, const lam_read_options *options)
{
    return options == NULL || !options->drop_duplicates ? LAM_OK
        : lam_fail(LAM_ERR_ARGUMENT, "%s: duplicate rows stay in a table that is read in parts", path);
}

lam_status lam_reader_open_at(const char *path, const lam_read_options *options, const lam_rows_place *place, lam_reader **out)
{
    LAM_NEED(out, "out");
    *out = NULL;
    LAM_NEED(path, "path");
    if (path[0] == '\0')
        return lam_fail(LAM_ERR_ARGUMENT, "no data file was named");
    LAM_TRY(check_options(path, options));
    lam_reader *r;
    lam_status status = create(path, &r);
    if (status == LAM_OK)
        status = take_bytes(r, place);
    return give(r, status == LAM_OK ? lam_reader_reopen(r, options) : status, out);
}

lam_status lam_reader_open(const char *path, const lam_read_options *options, lam_reader **out)
{
    LAM_NEED(out, "out");
    *out = NULL;
    LAM_NEED(path, "path");
    return lam_reader_open_at(path, options, NULL, out);
}

lam_status lam_reader_reopen(lam_reader *r, const lam_read_options *options)
{
    LAM_NEED(r, "reader");
    LAM_TRY(check_options(r->path, options));
    close_source(r);
    r->options = options != NULL ? *options : (lam_read_options) { 0 };
    lam_status status = look(r);
    if (status != LAM_OK) {
        close_source(r);
        r->source = WHOLE; /* of no rows */
    }
    return status;
}

lam_status lam_reader_open_bytes(const char *path, lam_bytes *bytes, const lam_read_options *options, lam_reader **out)
{
    lam_reader *r;
    lam_status status = create(path, &r);
    if (r != NULL)
        r->bytes = *bytes;
    else
        lam_bytes_clear(bytes);
    *bytes = (lam_bytes) { 0 };
    if (status == LAM_OK && options != NULL)
        r->options = *options;
    return give(r, status == LAM_OK ? open_here(r) : status, out);
}

size_t lam_reader_passed(const lam_reader *r)
{
    return r->source == TEXT && r->text.all.owned == NULL && r->text.at.at != NULL ? (size_t)(r->text.at.at - r->bytes.at) : r->bytes.size;
}

lam_status lam_reader_rewind(lam_reader *r)
{
    LAM_NEED(r, "reader");
    r->taken = r->bad = r->next = r->kept = 0;
    if (r->source == WHOLE)
        return LAM_OK;
    forget_part(r);
    if (r->source == TEXT)
        lam_text_rewind(&r->text);
    return LAM_OK;
}

void lam_reader_free(lam_reader *r)
{
    if (r == NULL)
        return;
    close_source(r);
    lam_bytes_clear(&r->bytes);
    free(r->path);
    free(r->array);
    lam_free(r);
}
