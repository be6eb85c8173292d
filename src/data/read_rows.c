/* Reads tables as a configuration says, to memory or where they are. */
#include "base/config.h"
#include "base/need.h"
#include "data/cache.h"
#include "data/mapped.h"
#include "data/table.h"
#include <stdlib.h>
#include <string.h>

lam_wanted lam_table_wanted(const lam_table *table)
{
    if (table == NULL)
        return (lam_wanted) { 0 };
    return (lam_wanted) { .owner = "the training table", .levels = table->levels, .names = { (const char *const *)table->names, table->cols },
        .has_names = table->has_names };
}

lam_read_options lam_config_read_options(const lam_config *cfg)
{
    if (cfg == NULL)
        return (lam_read_options) { 0 };
    return (lam_read_options) { .missing = (cfg->any_given || cfg->given.n > 0) && !cfg->drop_bad_rows, .text = cfg->given,
        .columns = cfg->columns, .drop = cfg->drop, .drop_bad_rows = cfg->drop_bad_rows,
        .drop_duplicates = cfg->drop_duplicates, .header = cfg->header, .threads = cfg->threads };
}

lam_read_options lam_table_options(const lam_config *cfg, const lam_table *first, lam_wanted *like)
{
    lam_read_options options = lam_config_read_options(cfg);
    if (first == NULL)
        return options;
    *like = lam_table_wanted(first);
    options.like = like;
    if (first->has_names) { /* by the names that were chosen; the choice itself is for a file without names */
        like->columns = cfg->columns, like->drop = cfg->drop;
        options.columns = options.drop = (lam_names) { 0 };
    }
    return options;
}

lam_status lam_table_read_rows(const lam_config *cfg, const char *path, const lam_table *first, lam_table **out)
{
    LAM_NEED(cfg, "cfg");
    LAM_NEED(path, "path");
    LAM_NEED(out, "out");
    lam_wanted like;
    const lam_read_options options = lam_table_options(cfg, first, &like);
    return lam_table_read(path, &options, out);
}

/* What path holds, once it is here: the table of it, wherever its rows stay. Takes bytes over, failing or not. */
static lam_status map_bytes(const lam_mapped_text *text, int is_large, const lam_read_options *options, const lam_rows_place *place, lam_table **out)
{
    const char *name = lam_bytes_name(text->path);
    lam_bytes *bytes = text->bytes;
    lam_mapped_kind kind = lam_mapped_kind_of(bytes->at, bytes->size);
    lam_status status = LAM_OK;
    if (is_large && kind == LAM_MAPPED_NPY)
        status = lam_mapped_open(name, bytes, options, place->folder, place->least, out);
    else if (is_large && kind == LAM_MAPPED_TEXT)
        status = lam_mapped_convert(text, options, place, out);
    if (status == LAM_OK && *out == NULL)
        status = lam_table_read_memory(name, bytes->at, bytes->size, NULL, options, out);
    lam_bytes_clear(bytes);
    return status;
}

/* An archive's array; where it is none, or is not large, lam_table_read says what is wrong, or reads it. */
static lam_status map_archive(const char *path, const lam_read_options *options, const lam_rows_place *place, lam_table **out)
{
    const char *array = NULL;
    char *file = lam_npz_split(path, &array);
    const char *from = file != NULL ? file : path;
    int is_large = 0;
    lam_bytes bytes = { 0 };
    const lam_mapped_text text = { from, &bytes, 0, NULL };
    lam_status status = lam_bytes_map(from, &bytes);
    if (status == LAM_OK)
        status = lam_mapped_member(lam_bytes_name(from), array, place, &bytes, &is_large);
    if (status == LAM_OK && is_large)
        status = map_bytes(&text, is_large, options, place, out);
    lam_bytes_clear(&bytes);
    free(file);
    return status == LAM_OK && !is_large ? lam_table_read(path, options, out) : status;
}

static lam_status map_rows(const char *path, const lam_read_options *options, const lam_rows_place *place, lam_table **out)
{
    size_t size;
    int is_large = 1;
    lam_bytes bytes = { 0 };
    lam_cache_key key = { 0 };
    lam_mapped_kind kind = lam_mapped_look(path, &size);
    if (kind == LAM_MAPPED_NEITHER || (kind == LAM_MAPPED_TEXT && size < place->least))
        return lam_table_read(path, options, out);
    if (kind == LAM_MAPPED_ZIP)
        return map_archive(path, options, place, out);
    if (place->keep && kind != LAM_MAPPED_NPY && strcmp(path, "-") != 0)
        LAM_TRY(lam_cache_key_make(path, options, place->folder, &key));
    const lam_mapped_text text = { path, &bytes, kind == LAM_MAPPED_PACKED, key.path != NULL ? &key : NULL };
    lam_status status = text.key != NULL ? lam_cache_open(&key, options, place->folder, &place->log, out) : LAM_OK;
    if (status == LAM_OK && *out == NULL) {
        status = text.is_packed ? lam_mapped_unpack(path, place->folder, place->least, &bytes, &is_large) : lam_bytes_map(path, &bytes);
        if (status == LAM_OK)
            status = map_bytes(&text, is_large, options, place, out);
    }
    lam_cache_key_clear(&key);
    return status;
}

lam_status lam_table_map_rows(const lam_config *cfg, const char *path, const lam_table *first, const lam_rows_place *place, lam_table **out)
{
    LAM_NEED(cfg, "cfg");
    LAM_NEED(path, "path");
    LAM_NEED(out, "out");
    *out = NULL;
    lam_wanted like;
    const lam_read_options options = lam_table_options(cfg, first, &like);
    if (place == NULL || place->folder == NULL || path[0] == '\0')
        return lam_table_read(path, &options, out);
    return map_rows(path, &options, place, out);
}
