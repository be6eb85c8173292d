/* Text as a table whose rows are in a file: read part by part, each part written before the next is read. */
#include "base/error.h"
#include "base/mem.h"
#include "base/room.h"
#include "data/levels.h"
#include "data/mapped.h"
#include "data/table.h"
#include <string.h>

enum { MOST_ROWS = 1 << 16, CELLS = 1 << 20 }; /* of a part */

typedef struct conversion {
    lam_reader *reader;
    FILE *stream;
    lam_table *form; /* names and levels of the columns; what was counted so far, and the bad rows */
} conversion;

/* What a part says of the whole. */
static lam_status count(conversion *c, lam_table *part)
{
    lam_table *t = c->form;
    size_t before = t->rows + t->bad_rows;
    for (size_t k = 0; k < part->bad_rows; k++)
        LAM_TRY(lam_table_drop_row(t, before + part->bad_at[k]));
    t->rows += part->rows;
    t->missing += part->missing;
    if (part->how != NULL)
        t->how = part->how, part->how = NULL;
    if (part->notes != NULL)
        t->notes = part->notes, part->notes = NULL;
    return LAM_OK;
}

static lam_status take_part(conversion *c, lam_table *part)
{
    if (c->form == NULL)
        LAM_TRY(lam_table_form(part, &c->form));
    if (part->rows > 0)
        fwrite(part->values, sizeof *part->values, part->rows * part->cols, c->stream); /* lam_room_map notices a failed write */
    return count(c, part);
}

static lam_status read_parts(conversion *c)
{
    lam_table *part = NULL;
    lam_status status;
    size_t rows = 1; /* of the first part, which tells how many columns there are */
    while ((status = lam_reader_next(c->reader, rows, &part)) == LAM_OK && part != NULL && !ferror(c->stream)) {
        rows = CELLS / part->cols < 1 ? 1 : CELLS / part->cols < MOST_ROWS ? CELLS / part->cols : MOST_ROWS;
        status = take_part(c, part);
        lam_table_free(part);
        part = NULL;
        LAM_TRY(status);
    }
    lam_table_free(part);
    return status;
}

/* The columns' numbers as they are written here. */
static lam_status map_numbers(conversion *c, const char *folder)
{
    lam_table *t = c->form;
    lam_mapped *m = lam_alloc(1, sizeof *m);
    size_t *column = lam_alloc(t->cols, sizeof *column);
    t->mapped = m;
    if (m == NULL || column == NULL || (m->folder = lam_strdup(folder)) == NULL) {
        lam_free(column);
        return LAM_ERR_MEMORY;
    }
    for (size_t j = 0; j < t->cols; j++)
        column[j] = j;
    m->column = column;
    FILE *stream = c->stream;
    c->stream = NULL;
    if ((m->bytes.at = lam_room_map(folder, stream, &m->bytes.size)) == NULL)
        return LAM_ERR_MEMORY;
    lam_npy_rows_of_doubles(m->bytes.at, t->rows, t->cols, &m->npy);
    return LAM_OK;
}

static lam_status convert(conversion *c, const char *name, const lam_read_options *options, const char *folder)
{
    LAM_TRY(read_parts(c));
    if (c->form == NULL || c->form->rows == 0)
        return lam_fail(LAM_ERR_FORMAT, "%s: there are no rows in it", name);
    LAM_TRY(map_numbers(c, folder));
    if (options->drop_duplicates)
        LAM_TRY(lam_mapped_number(c->form));
    return lam_table_finish(c->form, name, options);
}

lam_status lam_mapped_convert(const char *path, const lam_read_options *options, const char *folder, size_t least, lam_table **out)
{
    conversion c = { 0 };
    size_t size;
    *out = NULL;
    if (lam_mapped_look(path, &size) != LAM_MAPPED_TEXT || size < least)
        return LAM_OK;
    lam_read_options parts = *options;
    parts.drop_duplicates = 0;
    lam_status status = lam_reader_open(path, &parts, &c.reader);
    if (status == LAM_OK && (c.stream = lam_room_stream(folder)) == NULL)
        status = LAM_ERR_MEMORY;
    if (status == LAM_OK)
        status = convert(&c, lam_bytes_name(path), options, folder);
    lam_reader_free(c.reader);
    if (c.stream != NULL)
        fclose(c.stream);
    if (status != LAM_OK) {
        lam_table_free(c.form);
        return status;
    }
    *out = c.form;
    return LAM_OK;
}
