/* Writes and reads what a cache says of its table: numbers of eight bytes, and texts behind their length. */
#include "data/cache_text.h"
#include "base/error.h"
#include "base/mem.h"
#include "data/levels.h"
#include "data/table.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t NO_TEXT = UINT64_MAX; /* the length of a text that is NULL */

static lam_status close_memory(FILE *stream, char **text)
{
    int failed = ferror(stream);
    if (fclose(stream) == 0 && !failed && *text != NULL)
        return LAM_OK;
    free(*text);
    *text = NULL;
    return lam_fail(LAM_ERR_MEMORY, "out of memory for what a table's cache says of it");
}

static FILE *open_memory(char **text, size_t *size)
{
    FILE *stream = open_memstream(text, size);
    if (stream == NULL)
        lam_fail(LAM_ERR_MEMORY, "out of memory for what a table's cache says of it");
    return stream;
}

/* ---- what the numbers depend on ----------------------------------------------------------------------------------- */

static void put_names(FILE *out, const char *what, const lam_names *names)
{
    fprintf(out, "%s %zu", what, names->n);
    for (size_t i = 0; i < names->n; i++)
        fprintf(out, " %zu:", strlen(names->item[i])), fputs(names->item[i], out);
    fputc('\n', out);
}

lam_status lam_cache_settings(const lam_read_options *o, char **settings)
{
    size_t size;
    const lam_wanted *like = o->like;
    FILE *out = open_memory(settings, &size);
    if (out == NULL)
        return LAM_ERR_MEMORY;
    fprintf(out, "laminar %s\n", lam_version());
    put_names(out, "columns", &o->columns);
    put_names(out, "drop", &o->drop);
    put_names(out, "text", &o->text);
    fprintf(out, "drop-bad-rows %d\nmissing %d\nheader %d\nfrom-zero %d\n", o->drop_bad_rows, o->missing, (int)o->header, o->from_zero);
    if (like != NULL) {
        fprintf(out, "like %d\n", like->has_names);
        put_names(out, "names", &like->names);
        put_names(out, "its columns", &like->columns);
        put_names(out, "its drop", &like->drop);
        for (size_t j = 0; like->levels != NULL && j < like->names.n; j++)
            put_names(out, "levels", &like->levels[j]);
    }
    return close_memory(out, settings);
}

/* ---- the tail ----------------------------------------------------------------------------------------------------- */

static void put(FILE *out, uint64_t number)
{
    fwrite(&number, sizeof number, 1, out);
}

static void put_text(FILE *out, const char *text)
{
    put(out, text != NULL ? strlen(text) : NO_TEXT);
    if (text != NULL)
        fwrite(text, 1, strlen(text), out);
}

lam_status lam_cache_make_tail(const lam_cache_key *key, const lam_table *t, char **tail, size_t *size)
{
    FILE *out = open_memory(tail, size);
    if (out == NULL)
        return LAM_ERR_MEMORY;
    put_text(out, key->source);
    put_text(out, key->settings);
    put_text(out, t->how);
    put_text(out, t->notes);
    put(out, (uint64_t)t->has_names);
    put(out, t->missing);
    for (size_t j = 0; j < t->cols; j++) {
        size_t levels = lam_levels_are_text(t->levels, j) ? t->levels[j].n : 0;
        put(out, t->numbers[j]);
        put_text(out, t->names[j]);
        put(out, levels);
        for (size_t k = 0; k < levels; k++)
            put_text(out, t->levels[j].item[k]);
    }
    put(out, t->bad_rows);
    for (size_t i = 0; i < t->bad_rows; i++)
        put(out, t->bad_at[i]);
    return close_memory(out, tail);
}

/* A tail while it is read. What is asked for beyond its end is 0 and NULL, and it is bad from there on. */
typedef struct tail_reader {
    const char *at, *end;
    int bad;
} tail_reader;

static uint64_t take(tail_reader *r)
{
    uint64_t number = 0;
    if (r->bad || (size_t)(r->end - r->at) < sizeof number) {
        r->bad = 1;
        return 0;
    }
    memcpy(&number, r->at, sizeof number);
    r->at += sizeof number;
    return number;
}

/* free with free() */
static char *take_text(tail_reader *r)
{
    uint64_t n = take(r);
    if (r->bad || n == NO_TEXT)
        return NULL;
    char *text = n <= (uint64_t)(r->end - r->at) ? malloc((size_t)n + 1) : NULL;
    if (text == NULL) {
        r->bad = 1;
        return NULL;
    }
    memcpy(text, r->at, (size_t)n);
    text[n] = '\0';
    r->at += n;
    return text;
}

/* How many things of eight bytes or more follow. */
static size_t take_count(tail_reader *r)
{
    uint64_t n = take(r);
    r->bad |= n > (uint64_t)(r->end - r->at) / sizeof n;
    return r->bad ? 0 : (size_t)n;
}

static int take_same(tail_reader *r, const char *wanted)
{
    char *text = take_text(r);
    int same = text != NULL && strcmp(text, wanted) == 0;
    free(text);
    return same;
}

static lam_status take_levels(tail_reader *r, lam_table *t, size_t column)
{
    size_t n = take_count(r);
    char **item = lam_alloc(n, sizeof *item);
    if (item == NULL)
        return LAM_ERR_MEMORY;
    for (size_t k = 0; k < n; k++) {
        item[k] = take_text(r);
        r->bad |= item[k] == NULL;
    }
    const lam_names levels = { (const char *const *)item, n };
    lam_status status = n > 0 && !r->bad ? lam_table_set_levels(t, column, &levels) : LAM_OK;
    for (size_t k = 0; k < n; k++)
        free(item[k]);
    lam_free(item);
    return status;
}

static lam_status take_column(tail_reader *r, lam_table *t, size_t column)
{
    t->numbers[column] = (size_t)take(r);
    char *name = take_text(r);
    lam_status status = name != NULL ? lam_table_rename(t, column, name) : LAM_OK;
    r->bad |= name == NULL;
    free(name);
    return status == LAM_OK ? take_levels(r, t, column) : status;
}

static lam_status take_table(tail_reader *r, lam_table *t)
{
    t->how = take_text(r);
    t->notes = take_text(r);
    int has_names = take(r) != 0;
    t->missing = (size_t)take(r);
    for (size_t j = 0; j < t->cols; j++)
        LAM_TRY(take_column(r, t, j));
    t->has_names = has_names;
    size_t bad = take_count(r);
    for (size_t i = 0; i < bad; i++)
        LAM_TRY(lam_table_drop_row(t, (size_t)take(r)));
    return LAM_OK;
}

const char *lam_cache_read_tail(const lam_cache_key *key, const char *tail, size_t size, size_t cols, lam_table **out)
{
    tail_reader r = { tail, tail + size, 0 };
    lam_table *t = NULL;
    *out = NULL;
    if (!take_same(&r, key->source) || !take_same(&r, key->settings))
        return "is of another file, or of one that was read in another way,";
    if (cols > size)
        return "is damaged"; /* each has its bytes in it */
    if (lam_table_empty(cols, &t) != LAM_OK || take_table(&r, t) != LAM_OK || r.bad || r.at != r.end) {
        lam_table_free(t);
        return "is damaged";
    }
    *out = t;
    return NULL;
}
