/* Tables to .npy, .csv and .csv.gz. */
#include "base/error.h"
#include "base/need.h"
#include "base/file.h"
#include "data/cell.h"
#include "data/levels.h"
#include "data/npy.h"
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
            n = snprintf(text, sizeof text, "%.*g", digits, value);
            if (strtod(text, NULL) == value)
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

static void put_rows(sink *s, const lam_table *table)
{
    for (size_t j = 0; j < table->cols && table->has_names; j++) {
        put_name(s, table->names[j]);
        put(s, j + 1 < table->cols ? "," : "\n", 1);
    }
    for (size_t i = 0; i < table->rows; i++)
        for (size_t j = 0; j < table->cols; j++) {
            put_cell(s, table, j, table->values[i * table->cols + j]);
            put(s, j + 1 < table->cols ? "," : "\n", 1);
        }
}

/* All of it to the sink's stream, a decimal point everywhere. */
static void put_table(sink *s, const lam_table *table)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0), before = uselocale(c);
    put_rows(s, table);
    drain(s, 1);
    uselocale(before);
    if (c != (locale_t)0)
        freelocale(c);
}

static lam_status write_csv(const lam_table *table, const char *path, int packed)
{
    lam_out_file file;
    sink *s = calloc(1, sizeof *s);
    if (s == NULL)
        return lam_fail(LAM_ERR_MEMORY, "%s: out of memory", path);
    s->packed = packed;
    /* 15 + 16: the largest window, with a gzip header */
    if (packed && deflateInit2(&s->z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(s);
        return lam_fail(LAM_ERR_MEMORY, "%s: out of memory", path);
    }
    lam_status status = lam_out_open(&file, path);
    if (status == LAM_OK) {
        s->stream = file.stream;
        put_table(s, table);
        status = lam_out_commit(&file);
    }
    if (packed)
        deflateEnd(&s->z);
    free(s);
    return status;
}

lam_status lam_table_write(const lam_table *table, const char *path)
{
    LAM_NEED(table, "table");
    LAM_NEED(path, "path");
    size_t shape[2] = { table->rows, table->cols };
    if (lam_path_ends_with(path, ".npy"))
        return lam_npy_write(path, table->values, shape, table->cols == 1 ? 1 : 2);
    if (lam_path_ends_with(path, ".csv") || lam_path_ends_with(path, ".csv.gz"))
        return write_csv(table, path, lam_path_ends_with(path, ".gz"));
    return lam_fail(LAM_ERR_ARGUMENT, "%s: tables are written as .npy, .csv or .csv.gz; end the name in one of them", path);
}

lam_status lam_table_write_to(const lam_table *table, int descriptor)
{
    LAM_NEED(table, "table");
    int own = dup(descriptor);
    FILE *stream = own < 0 ? NULL : fdopen(own, "w");
    if (stream == NULL) {
        lam_status status = lam_fail(LAM_ERR_IO, "cannot write the rows: %s", strerror(errno));
        if (own >= 0)
            close(own);
        return status;
    }
    sink *s = calloc(1, sizeof *s);
    if (s != NULL) {
        s->stream = stream;
        put_table(s, table);
    }
    int failed = fflush(stream) != 0 || ferror(stream), why = errno;
    fclose(stream);
    free(s);
    if (s == NULL)
        return lam_fail(LAM_ERR_MEMORY, "out of memory for writing the rows");
    return failed ? lam_fail(LAM_ERR_IO, "cannot write the rows: %s", strerror(why)) : LAM_OK;
}
