/* Text as a table whose rows are in a file: read part by part, each part written before the next is read. */
#include "base/error.h"
#include "base/mem.h"
#include "base/room.h"
#include "data/cache.h"
#include "data/hash.h"
#include "data/levels.h"
#include "data/mapped.h"
#include "data/table.h"
#include <string.h>
#include <unistd.h>

enum { MOST_ROWS = 1 << 16, CELLS = 1 << 20 }; /* of a part */

typedef struct conversion {
    lam_reader *reader;
    FILE *stream;
    lam_table *form;  /* names and levels of the columns; what was counted so far, and the bad rows */
    const char *at;   /* the text's bytes; NULL: nobody asks for their digest */
    size_t size, hashed;
    lam_hash hash;    /* of those so far */
} conversion;

/* As far as the text was read: its pages are at hand. */
static void take_digest(conversion *c, size_t until)
{
    if (c->at != NULL && until > c->hashed)
        lam_hash_add(&c->hash, c->at + c->hashed, until - c->hashed);
    c->hashed = until;
}

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
        take_digest(c, lam_reader_passed(c->reader));
    }
    lam_table_free(part);
    return status;
}

lam_status lam_mapped_attach(lam_bytes *bytes, size_t head, const char *folder, lam_table *t)
{
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
    m->bytes = *bytes;
    *bytes = (lam_bytes) { 0 };
    lam_npy_rows_of_doubles(m->bytes.at + head, t->rows, t->cols, &m->npy);
    return LAM_OK;
}

/* The file's numbers become the table's; *fd stays open for what is written besides, -1: it could not. */
static lam_status map_numbers(conversion *c, const char *folder, int *fd)
{
    lam_bytes bytes = { 0 };
    FILE *stream = c->stream;
    *fd = dup(fileno(stream));
    c->stream = NULL;
    if ((bytes.at = lam_room_map(folder, stream, &bytes.size)) == NULL)
        return LAM_ERR_MEMORY;
    lam_status status = lam_mapped_attach(&bytes, LAM_CACHE_HEAD, folder, c->form);
    lam_bytes_clear(&bytes);
    return status;
}

/* The table with its digest, and its numbers as the cache that key says. */
static lam_status finish(conversion *c, const lam_mapped_text *text, const lam_read_options *options, const lam_rows_place *place, int fd)
{
    lam_read_options plain = *options;
    const char *name = lam_bytes_name(text->path);
    uint64_t hash[2];
    int is_known = text->key != NULL && fd >= 0;
    plain.drop_duplicates = 0;
    LAM_TRY(lam_table_finish(c->form, name, &plain));
    take_digest(c, c->size);
    lam_hash_end(&c->hash, hash);
    if (is_known && text->is_packed)
        is_known = lam_cache_hash_file(text->path, hash);
    return is_known ? lam_cache_write(text->key, hash, fd, &place->log, c->form) : LAM_OK;
}

lam_status lam_mapped_drop_duplicates(lam_table *t, const char *name, const lam_read_options *options)
{
    if (!options->drop_duplicates)
        return LAM_OK;
    LAM_TRY(lam_mapped_number(t));
    return lam_table_finish(t, name, options);
}

static lam_status convert(conversion *c, const lam_mapped_text *text, const lam_read_options *options, const lam_rows_place *place)
{
    static const char head[LAM_CACHE_HEAD] = "";
    const char *name = lam_bytes_name(text->path);
    int fd = -1;
    fwrite(head, 1, sizeof head, c->stream);
    LAM_TRY(read_parts(c));
    if (c->form == NULL || c->form->rows == 0)
        return lam_fail(LAM_ERR_FORMAT, "%s: there are no rows in it", name);
    lam_status status = map_numbers(c, place->folder, &fd);
    if (status == LAM_OK)
        status = finish(c, text, options, place, fd);
    if (fd >= 0)
        close(fd);
    return status == LAM_OK ? lam_mapped_drop_duplicates(c->form, name, options) : status;
}

lam_status lam_mapped_convert(const lam_mapped_text *text, const lam_read_options *options, const lam_rows_place *place, lam_table **out)
{
    static const uint64_t seed[2] = { 0, 0 };
    conversion c = { .at = text->key != NULL && !text->is_packed ? text->bytes->at : NULL, .size = text->bytes->size };
    lam_read_options parts = *options;
    *out = NULL;
    parts.drop_duplicates = 0;
    lam_hash_begin(&c.hash, seed);
    lam_status status = lam_reader_open_bytes(text->path, text->bytes, &parts, &c.reader);
    if (status == LAM_OK && (c.stream = lam_room_stream(place->folder)) == NULL)
        status = LAM_ERR_MEMORY;
    if (status == LAM_OK)
        status = convert(&c, text, options, place);
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
