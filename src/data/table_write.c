/* Tables to .npy, .csv and .csv.gz, as a whole or in parts. */
#include "base/decimal_number.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/need.h"
#include "data/cell.h"
#include "data/levels.h"
#include "data/mapped.h"
#include "data/npy.h"
#include "data/table.h"
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

/* Text on its way to a file, through deflate (with a gzip header) when z is in use. */
typedef struct sink {
    FILE *stream;
    int packed;
    z_stream z;
    size_t used;
    char buffer[1 << 16];
} sink;

/* Passes the buffer on. stdio remembers a failed write until the commit. */
static void drain(sink *s, int last)
{
    unsigned char out[1 << 14];
    if (!s->packed) {
        fwrite(s->buffer, 1, s->used, s->stream);
        s->used = 0;
        return;
    }
    s->z.next_in = (Bytef *)s->buffer, s->z.avail_in = (uInt)s->used;
    do {
        s->z.next_out = out, s->z.avail_out = sizeof out;
        deflate(&s->z, last ? Z_FINISH : Z_NO_FLUSH); /* cannot fail with a state that is set up */
        fwrite(out, 1, sizeof out - s->z.avail_out, s->stream);
    } while (s->z.avail_out == 0);
    s->used = 0;
}

static void put(sink *s, const char *text, size_t n)
{
    while (n > 0) {
        size_t part = sizeof s->buffer - s->used < n ? sizeof s->buffer - s->used : n;
        memcpy(s->buffer + s->used, text, part);
        s->used += part, text += part, n -= part;
        if (s->used == sizeof s->buffer)
            drain(s, 0);
    }
}

/* A name is quoted when it would read as something else: a number, a missing name, or more than one cell. */
static void put_name(sink *s, const char *name)
{
    double value;
    size_t n = strlen(name);
    if (n > 0 && strpbrk(name, ",;\t\" \r\n") == NULL && lam_cell_read(name, n, &value) == LAM_CELL_TEXT) {
        put(s, name, n);
        return;
    }
    put(s, "\"", 1);
    for (size_t i = 0; i < n; i++) {
        put(s, &name[i], 1);
        if (name[i] == '"')
            put(s, "\"", 1);
    }
    put(s, "\"", 1);
}

/* The shortest of 15, 16 and 17 digits that reads back as the same double; whole numbers plainly. In the C locale. */
static void put_number(sink *s, double value)
{
    char text[40];
    int n = 0;
    if (fabs(value) < 1e15 && value == floor(value) && !(value == 0 && signbit(value)))
        n = snprintf(text, sizeof text, "%" PRId64, (int64_t)value);
    else
        for (int digits = 15; digits <= 17; digits++) {
            double back;
            n = snprintf(text, sizeof text, "%.*g", digits, value);
            if (lam_decimal_number(text, text + n, '.', &back) == NULL)
                back = strtod(text, NULL);
            if (back == value)
                break;
        }
    put(s, text, (size_t)n);
}

static void put_cell(sink *s, const lam_table *table, size_t column, double value)
{
    if (lam_levels_are_text(table->levels, column) && value >= 0 && value < (double)table->levels[column].n)
        put_name(s, table->levels[column].item[(size_t)value]);
    else
        put_number(s, value);
}

/* ---- a table in parts --------------------------------------------------------------------------------------------- */

struct lam_writer {
    lam_table *form;        /* names and levels; no rows */
    size_t rows, written;   /* announced, put */
    lam_out_file file;      /* of a path; else stream is of a descriptor of its own */
    FILE *stream;
    char *path;             /* for messages; NULL: a descriptor */
    int empty;              /* 1: NaN is an empty cell */
    sink *text;             /* NULL: .npy */
};

static void writer_free(lam_writer *w)
{
    if (w->text != NULL && w->text->packed)
        deflateEnd(&w->text->z);
    free(w->text);
    free(w->path);
    lam_table_free(w->form);
    lam_free(w);
}

static lam_status open_descriptor(lam_writer *w, int descriptor)
{
    int own = dup(descriptor);
    w->stream = own < 0 ? NULL : fdopen(own, "w");
    if (w->stream != NULL)
        return LAM_OK;
    lam_status status = lam_fail(LAM_ERR_IO, "cannot write the rows: %s", strerror(errno));
    if (own >= 0)
        close(own);
    return status;
}

static lam_status open_sink(lam_writer *w, int packed)
{
    w->text = calloc(1, sizeof *w->text);
    /* 15 + 16: the largest window, with a gzip header */
    if (w->text == NULL || (packed && deflateInit2(&w->text->z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK))
        return lam_fail(LAM_ERR_MEMORY, "%s: out of memory", w->path != NULL ? w->path : "standard output");
    w->text->packed = packed;
    return LAM_OK;
}

static void put_header(lam_writer *w)
{
    const lam_table *form = w->form;
    for (size_t j = 0; j < form->cols && form->has_names; j++) {
        put_name(w->text, form->names[j]);
        put(w->text, j + 1 < form->cols ? "," : "\n", 1);
    }
}

static lam_status start(lam_writer *w, const char *path, int descriptor)
{
    size_t shape[2] = { w->rows, w->form->cols };
    int npy = path != NULL && lam_path_ends_with(path, ".npy");
    if (path != NULL && !npy && !lam_path_ends_with(path, ".csv") && !lam_path_ends_with(path, ".csv.gz"))
        return lam_fail(LAM_ERR_ARGUMENT, "%s: tables are written as .npy, .csv or .csv.gz; end the name in one of them", path);
    if (path != NULL && (w->path = lam_strdup(path)) == NULL)
        return LAM_ERR_MEMORY;
    if (!npy)
        LAM_TRY(open_sink(w, path != NULL && lam_path_ends_with(path, ".gz")));
    LAM_TRY(path != NULL ? lam_out_open(&w->file, path) : open_descriptor(w, descriptor));
    if (path != NULL)
        w->stream = w->file.stream;
    if (npy)
        return lam_npy_put_header(w->stream, path, shape, w->form->cols == 1 ? 1 : 2, 8);
    w->text->stream = w->stream;
    put_header(w);
    return LAM_OK;
}

lam_status lam_writer_open(const char *path, int descriptor, const lam_table *like, size_t rows, lam_writer **out)
{
    LAM_NEED(out, "out");
    *out = NULL;
    LAM_NEED(like, "like");
    lam_writer *w = lam_alloc(1, sizeof *w);
    if (w == NULL)
        return LAM_ERR_MEMORY;
    w->rows = rows;
    lam_status status = lam_table_form(like, &w->form);
    if (status == LAM_OK)
        status = start(w, path, descriptor);
    if (status != LAM_OK) {
        lam_writer_abandon(w);
        return status;
    }
    *out = w;
    return LAM_OK;
}

static void put_rows(const lam_writer *w, const double *values, size_t rows)
{
    sink *s = w->text;
    const lam_table *form = w->form;
    int empty = w->empty && form->cols > 1;
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0), before = uselocale(c); /* a decimal point everywhere */
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < form->cols; j++) {
            double value = values[i * form->cols + j];
            if (!empty || !isnan(value))
                put_cell(s, form, j, value);
            put(s, j + 1 < form->cols ? "," : "\n", 1);
        }
    uselocale(before);
    if (c != (locale_t)0)
        freelocale(c);
}

/* A write that failed is told at once: there may be hours of work to come. */
static lam_status check_stream(const lam_writer *w)
{
    if (!ferror(w->stream))
        return LAM_OK;
    const char *why = errno != 0 ? strerror(errno) : "the write was cut short; is the disk full?";
    if (w->path == NULL)
        return lam_fail(LAM_ERR_IO, "cannot write the rows: %s", why);
    return lam_fail(LAM_ERR_IO, "writing %s failed: %s (nothing was replaced; free some space or write elsewhere)", w->path, why);
}

lam_status lam_writer_leave_empty(lam_writer *w)
{
    LAM_NEED(w, "writer");
    w->empty = 1;
    return LAM_OK;
}

lam_status lam_writer_put(lam_writer *w, const double *values, size_t rows)
{
    LAM_NEED(w, "writer");
    LAM_NEED_IF(rows > 0, values, "values");
    errno = 0;
    if (w->text != NULL)
        put_rows(w, values, rows);
    else
        lam_npy_put_values(w->stream, values, rows * w->form->cols, 8);
    w->written += rows;
    return check_stream(w);
}

lam_status lam_writer_commit(lam_writer *w)
{
    LAM_NEED(w, "writer");
    lam_status status = LAM_OK;
    if (w->text == NULL && w->written != w->rows) {
        status = lam_fail(LAM_ERR_ARGUMENT, "%s: %zu rows were announced, %zu are there", w->path, w->rows, w->written);
        lam_writer_abandon(w);
        return status;
    }
    errno = 0;
    if (w->text != NULL) {
        drain(w->text, 1);
        status = check_stream(w);
    }
    if (status != LAM_OK) {
        lam_writer_abandon(w);
        return status;
    }
    if (w->path != NULL) {
        status = lam_out_commit(&w->file);
    } else {
        errno = 0;
        int failed = fflush(w->stream) != 0 || ferror(w->stream), why = errno;
        fclose(w->stream);
        if (failed)
            status = lam_fail(LAM_ERR_IO, "cannot write the rows: %s", strerror(why));
    }
    writer_free(w);
    return status;
}

void lam_writer_abandon(lam_writer *w)
{
    if (w == NULL)
        return;
    if (w->path != NULL)
        lam_out_abandon(&w->file);
    else if (w->stream != NULL)
        fclose(w->stream);
    writer_free(w);
}

/* ---- a table as a whole ------------------------------------------------------------------------------------------- */

static lam_status write_all(const lam_table *table, const char *path, int descriptor)
{
    lam_writer *w;
    LAM_TRY(lam_table_is_here(table));
    LAM_TRY(lam_writer_open(path, descriptor, table, table->rows, &w));
    lam_status status = lam_writer_put(w, table->values, table->rows);
    if (status == LAM_OK)
        return lam_writer_commit(w);
    lam_writer_abandon(w);
    return status;
}

lam_status lam_table_write(const lam_table *table, const char *path)
{
    LAM_NEED(table, "table");
    LAM_NEED(path, "path");
    return write_all(table, path, -1);
}

lam_status lam_table_write_to(const lam_table *table, int descriptor)
{
    LAM_NEED(table, "table");
    return write_all(table, NULL, descriptor);
}
