/* Builds a data set from tables: noise, split, standardiser. */
#include "data/dataset.h"
#include "base/error.h"
#include "base/need.h"
#include "base/mem.h"
#include "base/names.h"
#include "base/number.h"
#include "base/random.h"
#include "base/room.h"
#include "data/advice.h"
#include "data/columns.h"
#include "data/dataset_rows.h"
#include "data/levels.h"
#include "data/mapped.h"
#include "data/repeats.h"
#include "data/roles.h"
#include "data/table.h"
#include "base/config.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const part_names[LAM_PARTS] = { "training", "validation", "test" };

const char *lam_dataset_hash(const lam_dataset *data)
{
    return data != NULL ? data->hash : NULL;
}

void lam_dataset_free(lam_dataset *data)
{
    if (data == NULL)
        return;
    for (size_t j = 0; data->names != NULL && j < data->dim; j++)
        free(data->names[j]);
    for (int part = 0; part < LAM_PARTS; part++) {
        lam_room_give(data->folder, data->values[part]);
        lam_room_give(data->folder, data->source[part]);
        lam_room_give(data->folder, data->file_row[part]);
    }
    free(data->folder);
    lam_free(data->names);
    lam_free(data->numbers);
    lam_free(data->mean);
    lam_free(data->scale);
    lam_free(data->low);
    lam_free(data->high);
    lam_free(data->noise);
    lam_free(data->noise_said);
    lam_free(data->is_input);
    lam_levels_free(data->texts, data->dim);
    lam_free(data->levels);
    lam_free(data->centre);
    lam_free(data->covariance);
    lam_maps_free(data->maps);
    lam_free(data);
}

size_t lam_dataset_dim(const lam_dataset *data)
{
    return data != NULL ? data->dim : 0;
}

const double *lam_dataset_rows(const lam_dataset *data, lam_part part, size_t *rows)
{
    int known = data != NULL && part >= LAM_TRAIN && part <= LAM_TEST;
    if (rows != NULL)
        *rows = known ? data->rows[part] : 0;
    return known ? data->values[part] : NULL;
}

/* Empty tables, and numbers that are none. tables [3], NULL where there is none. */
static lam_status check_tables(const lam_config *cfg, const unsigned char *is_input, const lam_table *const *tables)
{
    for (int part = 0; part < LAM_PARTS; part++) {
        const lam_table *t = tables[part];
        if (t == NULL)
            continue;
        if (t->rows == 0 || t->cols == 0)
            return lam_fail(LAM_ERR_DATA, "the %s table is empty: %zu rows, %zu columns", part_names[part], t->rows, t->cols);
        LAM_TRY(lam_roles_check_levels(t, tables[0]->levels, is_input, part_names[part]));
        LAM_TRY(lam_roles_check(cfg, t, is_input, part_names[part]));
    }
    return LAM_OK;
}

/* Another table in the columns of the first: *copy, to be freed, where they are not its own in their order. */
static lam_status arrange(const lam_table *first, int part, const lam_table **table, lam_table **copy)
{
    char where[32];
    size_t *kept, n, in_order = 1;
    const lam_wanted like = lam_table_wanted(first);
    const lam_read_options options = { .like = &like };
    snprintf(where, sizeof where, "the %s table", part_names[part]);
    const lam_source source = lam_source_of(where, *table);
    LAM_TRY(lam_columns_select(&source, &options, &kept, &n));
    for (size_t j = 0; j < n; j++)
        in_order &= kept[j] == j;
    lam_status status = LAM_OK;
    if (!in_order || n != (*table)->cols)
        status = lam_table_pick(*table, kept, n, copy);
    if (*copy != NULL)
        *table = *copy;
    lam_free(kept);
    return status;
}

lam_status lam_noise_read(const lam_names *items, const lam_source *source, double *noise, unsigned char *given, int *automatic)
{
    for (size_t i = 0; i < items->n; i++) {
        const char *item = items->item[i], *colon = strrchr(item, ':'); /* the last one: names may have colons */
        size_t column;
        double width;
        if (strcmp(item, "auto") == 0) {
            *automatic = 1;
            continue;
        }
        if (colon == NULL)
            return lam_fail(LAM_ERR_ARGUMENT, "noise: \"%.60s\" is neither auto nor COLUMN:WIDTH, as in \"Voltage:0.01\"", item);
        LAM_TRY(lam_columns_find(source, item, (size_t)(colon - item), &column));
        if (lam_number_read(colon + 1, &width) != 0 || width < 0)
            return lam_fail(LAM_ERR_ARGUMENT, "noise: \"%.60s\" does not end in a width of 0 or more", item);
        if (given[column])
            return lam_fail(LAM_ERR_ARGUMENT, "noise: column \"%.*s\" is named twice", (int)(colon - item), item);
        noise[column] = width;
        given[column] = 1;
    }
    return LAM_OK;
}

/* "NAME:a" or "NUMBER:a"; free with free(). */
static char *noise_item(const lam_dataset *data, size_t column)
{
    char width[LAM_NUMBER_SIZE];
    size_t size = strlen(data->names[column]) + LAM_NUMBER_SIZE + 24;
    char *item = malloc(size);
    lam_number_print(data->noise[column], width);
    if (item == NULL)
        lam_fail(LAM_ERR_MEMORY, "out of memory: the noise of %zu columns", data->dim);
    else if (data->has_names)
        snprintf(item, size, "%s:%s", data->names[column], width);
    else
        snprintf(item, size, "%zu:%s", data->numbers[column], width);
    return item;
}

lam_status lam_dataset_describe_noise(const lam_dataset *data, lam_names *items)
{
    size_t n = 0;
    char **item = lam_alloc(data->dim, sizeof *item);
    lam_status status = item == NULL ? LAM_ERR_MEMORY : LAM_OK;
    for (size_t j = 0; j < data->dim && status == LAM_OK; j++)
        if (data->noise_said[j] && (item[n++] = noise_item(data, j)) == NULL)
            status = LAM_ERR_MEMORY;
    lam_names_clear(items);
    if (status == LAM_OK)
        status = lam_names_copy((const char *const *)item, n, items);
    for (size_t j = 0; j < n; j++)
        free(item[j]);
    lam_free(item);
    return status;
}

static lam_status allocate(lam_dataset *data, const lam_table *const *tables)
{
    const lam_table *first = tables[0];
    for (int part = 0; part < LAM_PARTS && data->folder == NULL; part++)
        if (tables[part] != NULL && lam_table_folder(tables[part]) != NULL
            && (data->folder = lam_strdup(lam_table_folder(tables[part]))) == NULL)
            return LAM_ERR_MEMORY;
    data->dim = first->cols;
    data->has_names = first->has_names;
    data->from_zero = first->from_zero;
    data->names = lam_alloc(data->dim, sizeof *data->names);
    data->numbers = lam_alloc(data->dim, sizeof *data->numbers);
    data->mean = lam_alloc(data->dim, sizeof *data->mean);
    data->scale = lam_alloc(data->dim, sizeof *data->scale);
    data->low = lam_alloc(data->dim, sizeof *data->low);
    data->high = lam_alloc(data->dim, sizeof *data->high);
    data->noise = lam_alloc(data->dim, sizeof *data->noise);
    data->noise_said = lam_alloc(data->dim, 1);
    data->is_input = lam_alloc(data->dim, 1);
    data->levels = lam_alloc(data->dim, sizeof *data->levels);
    if (data->names == NULL || data->numbers == NULL || data->mean == NULL || data->scale == NULL || data->noise == NULL
        || data->low == NULL || data->high == NULL || data->noise_said == NULL || data->is_input == NULL || data->levels == NULL)
        return LAM_ERR_MEMORY;
    LAM_TRY(lam_levels_copy(first->levels, data->dim, &data->texts));
    for (size_t j = 0; data->texts != NULL && j < data->dim; j++)
        data->levels[j] = data->texts[j].n;
    memcpy(data->numbers, first->numbers, data->dim * sizeof *data->numbers);
    for (size_t j = 0; j < data->dim; j++)
        if ((data->names[j] = lam_strdup(first->names[j])) == NULL)
            return LAM_ERR_MEMORY;
    return LAM_OK;
}

/* Room for n rows of a part. */
static lam_status allocate_part(lam_dataset *data, int part, size_t n)
{
    data->rows[part] = n;
    if (n == 0)
        return LAM_OK;
    data->values[part] = lam_room_take(data->folder, n * data->dim, sizeof(double));
    data->source[part] = lam_room_take(data->folder, n, sizeof(size_t));
    return data->values[part] == NULL || data->source[part] == NULL ? LAM_ERR_MEMORY : LAM_OK;
}

/* A fraction of n rows, at least one where any is asked for; the sliver keeps 0.1 of 30 at 3. */
static size_t share(double fraction, size_t n)
{
    size_t rows = (size_t)(fraction * (double)n + 1e-9);
    return fraction > 0 && rows == 0 && n > 0 ? 1 : rows;
}

/* Cuts one table of n rows: test rows (1: they are wanted) first in the shuffled order, then validation, then training, so that the test set
 * does not depend on the validation fraction. */
static lam_status split(lam_dataset *data, const lam_config *cfg, size_t n, int with_test)
{
    size_t n_test = with_test ? share(cfg->test_fraction, n) : 0, n_valid = share(cfg->val_fraction, n - n_test);
    if (n_test + n_valid >= n)
        return lam_fail(LAM_ERR_DATA, "%zu rows leave none for training after %zu for test and %zu for validation; give more "
            "rows, or lower test-fraction and val-fraction", n, n_test, n_valid);
    LAM_TRY(allocate_part(data, LAM_TEST, n_test));
    LAM_TRY(allocate_part(data, LAM_VALID, n_valid));
    LAM_TRY(allocate_part(data, LAM_TRAIN, n - n_test - n_valid));
    uint64_t *order = lam_room_take(data->folder, n, sizeof *order);
    if (order == NULL)
        return LAM_ERR_MEMORY;
    lam_random_permutation(cfg->split_seed, LAM_DRAW_SPLIT, 0, order, n);
    static const int parts[LAM_PARTS] = { LAM_TEST, LAM_VALID, LAM_TRAIN };
    for (size_t k = 0, at = 0; k < LAM_PARTS; k++)
        for (size_t i = 0; i < data->rows[parts[k]]; i++)
            data->source[parts[k]][i] = (size_t)order[at++];
    lam_room_give(data->folder, order);
    return LAM_OK;
}

/* All rows of the tables become their parts', from the part `first` on. */
static lam_status take_tables(lam_dataset *data, const lam_table *const *tables, int first)
{
    for (int part = first; part < LAM_PARTS; part++) {
        LAM_TRY(allocate_part(data, part, tables[part] != NULL ? tables[part]->rows : 0));
        for (size_t i = 0; i < data->rows[part]; i++)
            data->source[part][i] = i;
    }
    return LAM_OK;
}

/* Which rows of their files the rows of the tables are: those dropped as bad or as duplicates are passed over. */
static lam_status number_rows(lam_dataset *data, const lam_table *const *tables)
{
    for (int part = 0; part < LAM_PARTS; part++) {
        const lam_table *t = tables[part];
        size_t bad = 0, twice = 0, row = 0;
        if (t == NULL)
            continue;
        if ((data->file_row[part] = lam_room_take(data->folder, t->rows, sizeof(size_t))) == NULL)
            return LAM_ERR_MEMORY;
        for (size_t i = 0; i < t->rows; i++, row++) {
            for (int again = 1; again;) {
                again = 0;
                for (; t->bad_at != NULL && bad < t->bad_rows && t->bad_at[bad] == row; bad++, row++)
                    again = 1;
                for (; t->duplicate_at != NULL && twice < t->duplicates && t->duplicate_at[twice] == row; twice++, row++)
                    again = 1;
            }
            data->file_row[part][i] = row;
        }
    }
    return LAM_OK;
}

/* The digest of one table is its own; that of several is one of their digests. */
static void digest(lam_dataset *data, const lam_table *const *tables)
{
    char all[LAM_PARTS][33] = { { 0 } };
    for (int part = 0; part < LAM_PARTS; part++)
        if (tables[part] != NULL && tables[part]->mapped != NULL)
            memcpy(all[part], tables[part]->hash, sizeof all[part]);
        else if (tables[part] != NULL)
            lam_table_digest(tables[part]->values, tables[part]->rows, tables[part]->cols, all[part]);
    if (tables[LAM_VALID] == NULL && tables[LAM_TEST] == NULL)
        memcpy(data->hash, all[LAM_TRAIN], sizeof data->hash);
    else
        lam_table_digest_parts(all, data->hash);
}

/* What is given is no draw of a density: it gets no noise, of --noise auto either. */
static lam_status check_noise(const lam_dataset *data)
{
    for (size_t j = 0; j < data->dim; j++)
        if (data->is_input[j] && data->noise[j] > 0)
            return lam_fail(LAM_ERR_ARGUMENT, "noise: the column %.100s is given, and given columns get no noise; leave it out of --noise",
                data->names[j]);
    return LAM_OK;
}

/* Which rows are whose. */
static lam_status share_out(lam_dataset *data, const lam_config *cfg, const lam_table *const *tables)
{
    int split_one = tables[LAM_VALID] == NULL && tables[LAM_TEST] == NULL, is_cut = split_one || (tables[LAM_VALID] == NULL && cfg->val_fraction > 0);
    size_t moving = 0;
    if (is_cut)
        LAM_TRY(split(data, cfg, tables[0]->rows, split_one));
    if (!split_one)
        LAM_TRY(take_tables(data, tables, is_cut ? LAM_TEST : LAM_TRAIN));
    for (size_t j = 0; j < data->dim; j++)
        moving += !data->is_input[j];
    if (data->rows[LAM_TRAIN] < moving || data->rows[LAM_TRAIN] < 2)
        return lam_fail(LAM_ERR_DATA, "%zu training rows are too few for %zu columns; give more rows or drop columns",
            data->rows[LAM_TRAIN], moving);
    return number_rows(data, tables);
}

int lam_dataset_is_noisy(const lam_dataset *data)
{
    int noisy = 0;
    for (size_t j = 0; j < data->dim; j++)
        noisy |= data->noise[j] > 0;
    return noisy;
}

/* The training rows are read once, while they are copied; where noise is added, they are measured in a second reading. Which noise that is may hang on
 * what the first one saw. */
static lam_status read_rows(lam_dataset *data, const lam_config *cfg, const lam_table *const *tables, const lam_log *log, lam_tally *tally)
{
    const lam_source source = lam_source_of("noise", tables[0]);
    int one_table = tables[LAM_VALID] == NULL && tables[LAM_TEST] == NULL, automatic = 0;
    LAM_TRY(lam_noise_read(&cfg->noise, &source, data->noise, data->noise_said, &automatic));
    LAM_TRY(check_noise(data));
    LAM_TRY(share_out(data, cfg, tables));
    int later = automatic || lam_dataset_is_noisy(data);
    LAM_TRY(lam_dataset_fill_others(data, tables));
    LAM_TRY(lam_tally_begin(data, cfg, log, tally));
    LAM_TRY(lam_dataset_fill_training(data, tables, tally, !later));
    LAM_TRY(lam_advise_roles(data, tally, log));
    if (automatic)
        LAM_TRY(lam_dataset_find_noise(data, tally, data->noise_said, log));
    LAM_TRY(lam_advise_values(data, tally, tables[0], data->noise_said, log));
    LAM_TRY(lam_advise_repeats(data, tally->repeats, one_table, log));
    if (later)
        lam_dataset_add_noise(data, cfg, tables, tally);
    LAM_TRY(lam_dataset_measure(data, cfg, tally));
    return lam_advise_relations(data, tally, log);
}

static lam_status build(lam_dataset *data, const lam_config *cfg, const lam_table *const *tables, const lam_log *log)
{
    lam_tally tally = { 0 };
    lam_status status = read_rows(data, cfg, tables, log, &tally);
    lam_tally_clear(&tally);
    LAM_TRY(status);
    lam_dataset_standardise(data);
    digest(data, tables);
    return LAM_OK;
}

lam_status lam_dataset_build(const lam_config *cfg, const lam_table *all, const lam_table *valid, const lam_table *test,
    const lam_log *log, lam_dataset **out)
{
    LAM_NEED(out, "out");
    *out = NULL;
    LAM_NEED(cfg, "cfg");
    LAM_NEED(all, "all");
    if (!(cfg->val_fraction >= 0 && cfg->val_fraction < 1) || !(cfg->test_fraction >= 0 && cfg->test_fraction < 1))
        return lam_fail(LAM_ERR_ARGUMENT, "val-fraction %g and test-fraction %g must be at least 0 and below 1",
            cfg->val_fraction, cfg->test_fraction);
    const lam_table *tables[LAM_PARTS] = { [LAM_TRAIN] = all, [LAM_VALID] = valid, [LAM_TEST] = test };
    lam_table *copies[LAM_PARTS] = { 0 };
    lam_dataset *data = lam_alloc(1, sizeof *data);
    const lam_source source = lam_source_of("given", all);
    lam_status status = data == NULL ? LAM_ERR_MEMORY : allocate(data, tables);
    if (status == LAM_OK)
        status = lam_roles_read(cfg, &source, data->is_input);
    for (int part = LAM_VALID; part < LAM_PARTS && status == LAM_OK; part++)
        if (tables[part] != NULL)
            status = arrange(all, part, &tables[part], &copies[part]);
    if (status == LAM_OK)
        status = check_tables(cfg, data->is_input, tables);
    if (status == LAM_OK)
        status = build(data, cfg, tables, log);
    for (int part = LAM_VALID; part < LAM_PARTS; part++)
        lam_table_free(copies[part]);
    if (status != LAM_OK) {
        lam_dataset_free(data);
        return status;
    }
    *out = data;
    return LAM_OK;
}
