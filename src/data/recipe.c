/* The table of recipes, and what is done to the rows that each has read. */
#include "data/recipe.h"
#include "base/error.h"
#include "base/file.h"
#include "base/need.h"
#include "base/mem.h"
#include "base/random.h"
#include "data/moments.h"
#include "data/npy.h"
#include "data/table.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Shares their purpose with the split of a fit, under a stream of its own. */
enum { SHUFFLE_STREAM = 1 };

/* active power, voltage, sub-meterings 1 to 3, minutes */
static const double power_noise[] = { 0.001, 0.01, 1, 1, 1, 0 };

static const lam_recipe_rule rules[] = {
    { .shown = { "power", "UCI: Individual household electric power consumption",
          "household_power_consumption.txt, or data.npy of the MAF bundle's folder power", 6, { 1659917, 184435, 204928 } },
        .names = { { "household_power_consumption.txt", "data.npy" } }, .read = lam_recipe_power, .shuffle = 1,
        .noise = power_noise, .moments = LAM_MOMENTS_FIT },
    { .shown = { "gas", "UCI: Gas sensor array under dynamic gas mixtures", "ethylene_CO.txt", 8, { 852174, 94685, 105206 } },
        .names = { { "ethylene_CO.txt", "ethylene_CO.pickle" } }, .read = lam_recipe_gas, .correlated = 0.98,
        .moments = LAM_MOMENTS_ALL, .sample_deviation = 1 },
    { .shown = { "hepmass", "UCI: HEPMASS", "1000_train.csv and 1000_test.csv, gzipped or not", 21, { 315123, 35013, 174987 } },
        .names = { { "1000_train.csv", "1000_train.csv.gz" }, { "1000_test.csv", "1000_test.csv.gz" } },
        .read = lam_recipe_hepmass, .recurring = 5, .moments = LAM_MOMENTS_FIT, .sample_deviation = 1 },
    { .shown = { "miniboone", "UCI: MiniBooNE particle identification",
          "MiniBooNE_PID.txt, or data.npy of the MAF bundle's folder miniboone", 43, { 29556, 3284, 3648 } },
        .names = { { "MiniBooNE_PID.txt", "data.npy" } }, .read = lam_recipe_miniboone, .recurring = 5,
        .moments = LAM_MOMENTS_FIT },
    { .shown = { "bsds300", "the MAF bundle, of the Berkeley segmentation data set", "BSDS300.hdf5", 63,
          { 1000000, 50000, 250000 } },
        .names = { { "BSDS300.hdf5" } }, .read = lam_recipe_bsds300 },
};
enum { RULES = sizeof rules / sizeof rules[0] };

const lam_recipe *lam_recipe_at(size_t index)
{
    return index < RULES ? &rules[index].shown : NULL;
}

const lam_recipe_rule *lam_recipe_rule_find(const char *name)
{
    for (size_t i = 0; i < RULES; i++)
        if (strcmp(rules[i].shown.name, name) == 0)
            return &rules[i];
    lam_fail(LAM_ERR_ARGUMENT, "there is no recipe \"%s\"; there are power, gas, hepmass, miniboone and bsds300", name);
    return NULL;
}

/* ---- what the readers use ----------------------------------------------------------------------------------------- */

lam_status lam_recipe_tell(const lam_recipe_job *job, const char *what, size_t done, size_t total)
{
    if (job->options->progress != NULL && job->options->progress(job->options->user, what, done, total) != 0)
        return lam_fail(LAM_ERR_INTERRUPTED, "stopped on request; nothing was written");
    return LAM_OK;
}

lam_status lam_recipe_progress(const lam_recipe_job *job, size_t file, size_t done, size_t total)
{
    char what[256];
    const char *slash = strrchr(job->paths[file], '/');
    snprintf(what, sizeof what, "%s %s", job->doing, slash != NULL ? slash + 1 : job->paths[file]);
    return lam_recipe_tell(job, what, done, total);
}

lam_status lam_recipe_begin(lam_recipe_job *job, const char *const *names, size_t cols)
{
    LAM_TRY(lam_table_empty(cols, &job->table));
    for (size_t j = 0; j < cols && names != NULL; j++)
        LAM_TRY(lam_table_rename(job->table, j, names[j]));
    return LAM_OK;
}

lam_status lam_recipe_room(lam_recipe_job *job, double **row)
{
    lam_table *t = job->table;
    if (t->rows == job->room) {
        size_t room = job->room + job->room / 2 + 4096;
        double *larger = lam_reserve(room * t->cols * sizeof *larger);
        if (larger == NULL)
            return LAM_ERR_MEMORY;
        if (t->rows > 0)
            memcpy(larger, t->values, t->rows * t->cols * sizeof *larger);
        lam_free(t->values);
        t->values = larger;
        job->room = room;
    }
    *row = t->values + t->rows * t->cols;
    return LAM_OK;
}

lam_status lam_recipe_npy(lam_recipe_job *job, const char *const *names, size_t cols, const char *what, int *found)
{
    const char *path = job->paths[0];
    char magic[6] = { 0 };
    lam_array array;
    struct stat info;
    FILE *file = fopen(path, "rb");
    *found = file != NULL && fread(magic, 1, sizeof magic, file) == sizeof magic && memcmp(magic, "\x93NUMPY", 6) == 0;
    if (file != NULL)
        fclose(file);
    if (!*found)
        return LAM_OK;
    job->bytes[0] = stat(path, &info) == 0 && info.st_size > 0 ? (size_t)info.st_size : 0;
    LAM_TRY(lam_recipe_progress(job, 0, 0, job->bytes[0]));
    LAM_TRY(lam_npy_read(path, &array));
    lam_status status = array.n_shape != 2 || array.shape[0] == 0 || array.shape[1] != cols
        ? lam_fail(LAM_ERR_SHAPE, "%s: is not an array of rows of %zu numbers, %s", path, cols, what)
        : lam_recipe_begin(job, names, cols);
    for (size_t i = 0; status == LAM_OK && i < array.size; i++)
        if (!isfinite(array.values[i]))
            status = lam_fail(LAM_ERR_DATA, "%s: row %zu, column %zu is not a finite number; this is not the usual bundle's file",
                path, i / cols + 1, i % cols + 1);
    if (status == LAM_OK) {
        job->table->rows = job->room = job->read = array.shape[0];
        job->table->values = array.values;
        array.values = NULL;
    }
    lam_array_clear(&array);
    return status;
}

/* ---- the files ---------------------------------------------------------------------------------------------------- */

static size_t count_files(const lam_recipe_rule *rule)
{
    size_t n = 0;
    while (n < LAM_RECIPE_FILES && rule->names[n][0] != NULL)
        n++;
    return n;
}

/* The first of a file's usual names that is in folder. */
static lam_status find_file(lam_recipe_job *job, size_t file, const char *folder)
{
    const lam_recipe_rule *rule = job->rule;
    for (size_t i = 0; i < LAM_RECIPE_NAMES && rule->names[file][i] != NULL; i++) {
        struct stat info;
        free(job->paths[file]);
        if ((job->paths[file] = lam_path_join(folder, rule->names[file][i])) == NULL)
            return LAM_ERR_MEMORY;
        if (stat(job->paths[file], &info) == 0)
            return LAM_OK;
    }
    return lam_fail(LAM_ERR_IO, "%s: there is no %s in this folder; the recipe %s takes %s (%s)", folder, rule->names[file][0],
        rule->shown.name, rule->shown.files, rule->shown.source);
}

static lam_status find_files(lam_recipe_job *job, const char *const *paths, size_t n_paths)
{
    const lam_recipe *shown = &job->rule->shown;
    size_t wanted = count_files(job->rule);
    struct stat info;
    if (n_paths == 1 && stat(paths[0], &info) == 0 && S_ISDIR(info.st_mode)) {
        for (size_t i = 0; i < wanted; i++)
            LAM_TRY(find_file(job, i, paths[0]));
        return LAM_OK;
    }
    if (n_paths != wanted)
        return lam_fail(LAM_ERR_ARGUMENT, "the recipe %s takes %s, or a folder with %s: %s (%s); %zu were given", shown->name,
            wanted == 1 ? "one file" : "two files", wanted == 1 ? "it" : "them", shown->files, shown->source, n_paths);
    for (size_t i = 0; i < wanted; i++)
        if ((job->paths[i] = lam_strdup(paths[i])) == NULL)
            return LAM_ERR_MEMORY;
    return LAM_OK;
}

/* ---- what is done to the rows ------------------------------------------------------------------------------------- */

static lam_status shuffle(lam_recipe_job *job)
{
    lam_table *t = job->table;
    double *values = lam_reserve(t->rows * t->cols * sizeof *values);
    uint64_t *order = lam_alloc(t->rows, sizeof *order);
    if (values == NULL || order == NULL) {
        lam_free(values);
        lam_free(order);
        return LAM_ERR_MEMORY;
    }
    lam_random_permutation(job->options->seed, LAM_DRAW_SPLIT, SHUFFLE_STREAM, order, t->rows);
    for (size_t i = 0; i < t->rows; i++)
        memcpy(values + i * t->cols, t->values + order[i] * t->cols, t->cols * sizeof *values);
    lam_free(order);
    lam_free(t->values);
    t->values = values;
    return LAM_OK;
}

/* Row i of the shuffled table and column j get the draw counted by (j, i). */
static void add_noise(lam_recipe_job *job)
{
    lam_table *t = job->table;
    for (size_t i = 0; i < t->rows; i++)
        for (size_t j = 0; j < t->cols; j++)
            if (job->rule->noise[j] > 0)
                t->values[i * t->cols + j]
                    += job->rule->noise[j] * lam_random_uniform(job->options->seed, LAM_DRAW_NOISE, j, i);
}

/* The last tenth for test and the last tenth of the rest for validation, rounded down, of parts that were not cut yet. */
static lam_status cut(lam_recipe_job *job)
{
    size_t n = job->table->rows, *rows = job->rows;
    if (rows[LAM_TEST] == 0)
        rows[LAM_TEST] = (size_t)(0.1 * (double)n);
    if (rows[LAM_VALID] == 0)
        rows[LAM_VALID] = (size_t)(0.1 * (double)(n - rows[LAM_TEST]));
    rows[LAM_TRAIN] = n - rows[LAM_TEST] - rows[LAM_VALID];
    if (rows[LAM_TRAIN] < 2 || rows[LAM_VALID] == 0 || rows[LAM_TEST] == 0)
        return lam_fail(LAM_ERR_DATA, "%s: %zu rows are left, too few for training, validation and test rows", job->paths[0], n);
    return LAM_OK;
}

static lam_status standardise(lam_recipe_job *job)
{
    lam_table *t = job->table;
    size_t cols = t->cols, n = t->rows - (job->rule->moments == LAM_MOMENTS_FIT ? job->rows[LAM_TEST] : 0);
    job->mean = lam_alloc(cols, sizeof *job->mean);
    job->scale = lam_alloc(cols, sizeof *job->scale);
    if (job->mean == NULL || job->scale == NULL)
        return LAM_ERR_MEMORY;
    for (size_t j = 0; j < cols; j++) {
        lam_column_moments m;
        lam_moments_of(t->values + j, n, cols, &m);
        job->mean[j] = m.mean;
        job->scale[j] = m.deviation * sqrt((double)n / (double)(n - (size_t)job->rule->sample_deviation));
        if (m.constant || !(job->scale[j] > 0) || !isfinite(job->scale[j]))
            return lam_fail(LAM_ERR_DATA, "%s: column %s is %s, it cannot be standardised; is this the whole file?", job->paths[0],
                t->names[j], m.constant ? "constant" : "beyond what double can square");
    }
    for (size_t i = 0; i < t->rows; i++)
        for (size_t j = 0; j < cols; j++)
            t->values[i * cols + j] = (t->values[i * cols + j] - job->mean[j]) / job->scale[j];
    return LAM_OK;
}

lam_status lam_recipe_make(lam_recipe_job *job, const char *const *paths, size_t n_paths)
{
    const lam_recipe_rule *rule = job->rule;
    job->doing = "reading";
    LAM_TRY(find_files(job, paths, n_paths));
    LAM_TRY(rule->read(job));
    if (rule->recurring > 0 && !job->is_cleaned)
        LAM_TRY(lam_recipe_drop_recurring(job, job->table->rows - job->rows[LAM_TEST]));
    if (rule->correlated > 0)
        LAM_TRY(lam_recipe_drop_correlated(job));
    if (rule->shuffle)
        LAM_TRY(shuffle(job));
    if (rule->noise != NULL)
        add_noise(job);
    LAM_TRY(cut(job));
    return rule->moments != LAM_MOMENTS_NONE ? standardise(job) : LAM_OK;
}

void lam_recipe_clear(lam_recipe_job *job)
{
    for (size_t i = 0; i < LAM_RECIPE_FILES; i++)
        free(job->paths[i]);
    for (size_t i = 0; i < job->n_left; i++)
        free(job->left[i]);
    lam_free(job->left);
    lam_free(job->mean);
    lam_free(job->scale);
    lam_table_free(job->table);
}

lam_status lam_recipe_prepare(const char *name, const char *const *paths, size_t n_paths, const char *folder,
    const lam_recipe_options *options, lam_recipe_result *result)
{
    LAM_NEED(name, "name");
    LAM_NEED_IF(n_paths > 0, paths, "paths");
    LAM_NEED(folder, "folder");
    static const lam_recipe_options defaults;
    lam_recipe_result unwanted;
    if (name == NULL || paths == NULL || folder == NULL || n_paths == 0)
        return lam_fail(LAM_ERR_ARGUMENT, "a recipe needs its name, raw files and a folder for what it makes");
    lam_recipe_job job = { .rule = lam_recipe_rule_find(name), .options = options != NULL ? options : &defaults };
    if (job.rule == NULL)
        return LAM_ERR_ARGUMENT;
    if (!job.options->overwrite)
        LAM_TRY(lam_recipe_check_folder(folder));
    lam_status status = lam_recipe_make(&job, paths, n_paths);
    if (status == LAM_OK)
        status = lam_recipe_write(&job, folder, result != NULL ? result : &unwanted);
    lam_recipe_clear(&job);
    return status;
}
