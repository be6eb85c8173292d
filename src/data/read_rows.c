/* Reads tables as a configuration says, to memory or where they are. */
#include "base/config.h"
#include "base/need.h"
#include "data/mapped.h"
#include "data/table.h"

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

lam_status lam_table_map_rows(const lam_config *cfg, const char *path, const lam_table *first, const char *folder, size_t least, lam_table **out)
{
    LAM_NEED(cfg, "cfg");
    LAM_NEED(path, "path");
    LAM_NEED(out, "out");
    *out = NULL;
    lam_wanted like;
    const lam_read_options options = lam_table_options(cfg, first, &like);
    if (folder != NULL && path[0] != '\0')
        LAM_TRY(lam_mapped_open(path, &options, folder, least, out));
    if (folder != NULL && path[0] != '\0' && *out == NULL)
        LAM_TRY(lam_mapped_convert(path, &options, folder, least, out));
    return *out != NULL ? LAM_OK : lam_table_read(path, &options, out);
}
