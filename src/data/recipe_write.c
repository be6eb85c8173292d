/* What a recipe leaves in its folder: three arrays, and recipe.json that says what was made of what. */
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "data/npy.h"
#include "data/recipe.h"
#include "data/table.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PARTS = 3, JSON = PARTS, FILES };

static const char *const names[FILES] = { [LAM_TRAIN] = "train.npy", [LAM_VALID] = "validation.npy", [LAM_TEST] = "test.npy",
    [JSON] = "recipe.json" };
static const char *const part_names[PARTS] = { [LAM_TRAIN] = "train", [LAM_VALID] = "validation", [LAM_TEST] = "test" };

static lam_status no_memory(void)
{
    return lam_fail(LAM_ERR_MEMORY, "out of memory while recipe.json is made");
}

/* ---- what is in the folder ---------------------------------------------------------------------------------------- */

/* Bytes of a file in the folder, -1 if there is none. */
static double file_bytes(const char *folder, const char *name)
{
    struct stat info;
    char *path = lam_path_join(folder, name);
    int found = path != NULL && stat(path, &info) == 0;
    free(path);
    return found ? (double)info.st_size : -1;
}

/* The folder's recipe.json if a recipe wrote it, else NULL. */
static cJSON *read_json(const char *folder)
{
    char *path = lam_path_join(folder, names[JSON]), *bytes = NULL;
    size_t size;
    cJSON *json = NULL;
    if (path != NULL && lam_file_read(path, &bytes, &size) == LAM_OK)
        json = cJSON_ParseWithLength(bytes, size);
    free(bytes);
    free(path);
    if (cJSON_IsString(cJSON_GetObjectItemCaseSensitive(json, "recipe")))
        return json;
    cJSON_Delete(json);
    return NULL;
}

lam_status lam_recipe_check_folder(const char *folder)
{
    struct stat info;
    lam_status status = LAM_OK;
    if (stat(folder, &info) != 0 || !S_ISDIR(info.st_mode))
        return lam_fail(LAM_ERR_IO, "%s: is no folder; make it first", folder);
    cJSON *json = read_json(folder);
    const cJSON *files = cJSON_GetObjectItemCaseSensitive(json, "files");
    for (int i = 0; i < FILES && status == LAM_OK; i++) {
        double bytes = file_bytes(folder, names[i]);
        const cJSON *known = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(files, names[i]), "bytes");
        int is_own = i == JSON ? json != NULL : cJSON_IsNumber(known) && known->valuedouble == bytes;
        if (bytes >= 0 && !is_own)
            status = lam_fail(LAM_ERR_ARGUMENT, "%s holds a %s that is not what a recipe left there; choose another folder, or "
                "replace it by --overwrite", folder, names[i]);
    }
    cJSON_Delete(json);
    return status;
}

/* ---- recipe.json -------------------------------------------------------------------------------------------------- */

/* An object while it is filled: whole is 0 once memory ran out; then it is not written. */
typedef struct description {
    cJSON *json;
    int whole;
} description;

static void put_number(description *d, cJSON *object, const char *key, double value)
{
    d->whole &= cJSON_AddNumberToObject(object, key, value) != NULL;
}

static void put_text(description *d, cJSON *object, const char *key, const char *value)
{
    d->whole &= cJSON_AddStringToObject(object, key, value) != NULL;
}

/* Takes item over. */
static void put_item(description *d, cJSON *object, const char *key, cJSON *item)
{
    d->whole &= item != NULL && cJSON_AddItemToObject(object, key, item);
}

static void put_rows(description *d, const char *key, const size_t rows[PARTS], const size_t *read)
{
    cJSON *object = cJSON_AddObjectToObject(d->json, key);
    if (read != NULL)
        put_number(d, object, "read", (double)*read);
    for (int part = 0; part < PARTS; part++)
        put_number(d, object, part_names[part], (double)rows[part]);
}

static void put_sources(description *d, const lam_recipe_job *job)
{
    cJSON *list = cJSON_AddArrayToObject(d->json, "sources");
    for (size_t i = 0; i < LAM_RECIPE_FILES && job->paths[i] != NULL; i++) {
        const char *slash = strrchr(job->paths[i], '/');
        cJSON *item = cJSON_CreateObject();
        put_text(d, item, "file", slash != NULL ? slash + 1 : job->paths[i]);
        put_number(d, item, "bytes", (double)job->bytes[i]);
        d->whole &= item != NULL && cJSON_AddItemToArray(list, item);
    }
}

static void put_columns(description *d, const lam_recipe_job *job)
{
    int cols = (int)job->table->cols;
    put_item(d, d->json, "columns", cJSON_CreateStringArray((const char *const *)job->table->names, cols));
    put_item(d, d->json, "columns_left_out", job->n_left == 0 ? cJSON_CreateArray()
        : cJSON_CreateStringArray((const char *const *)job->left, (int)job->n_left));
    if (job->mean != NULL) {
        put_item(d, d->json, "mean", cJSON_CreateDoubleArray(job->mean, cols));
        put_item(d, d->json, "scale", cJSON_CreateDoubleArray(job->scale, cols));
    }
}

/* The text of recipe.json, to be freed with cJSON_free. */
static lam_status describe(const lam_recipe_job *job, char hashes[PARTS][33], const size_t bytes[PARTS],
    const lam_recipe_result *result, char **text)
{
    description d = { cJSON_CreateObject(), 1 };
    put_text(&d, d.json, "recipe", job->rule->shown.name);
    put_text(&d, d.json, "laminar", lam_version());
    put_sources(&d, job);
    put_number(&d, d.json, "seed", (double)job->options->seed);
    put_rows(&d, "rows", job->rows, &job->read);
    put_rows(&d, "rows_published", job->rule->shown.rows, NULL);
    put_columns(&d, job);
    cJSON *files = cJSON_AddObjectToObject(d.json, "files");
    for (int part = 0; part < PARTS; part++) {
        cJSON *item = cJSON_AddObjectToObject(files, names[part]);
        put_number(&d, item, "bytes", (double)bytes[part]);
        put_text(&d, item, "hash", hashes[part]);
    }
    put_text(&d, d.json, "data_hash", result->data_hash);
    *text = d.whole ? cJSON_Print(d.json) : NULL;
    cJSON_Delete(d.json);
    return *text != NULL ? LAM_OK : no_memory();
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

/* Rounds the rows to float, as they will be read, and takes the digest of each part. */
static void digest(lam_recipe_job *job, char hashes[PARTS][33])
{
    lam_table *t = job->table;
    double *at = t->values;
    for (size_t i = 0; i < t->rows * t->cols; i++)
        t->values[i] = (double)(float)t->values[i];
    for (int part = 0; part < PARTS; at += job->rows[part++] * t->cols)
        lam_table_digest(at, job->rows[part], t->cols, hashes[part]);
}

/* How the counts differ from the published ones, as a note. */
static void compare(const lam_recipe_job *job, lam_recipe_result *result)
{
    const lam_recipe *shown = &job->rule->shown;
    result->as_published = result->columns == shown->columns && memcmp(result->rows, shown->rows, sizeof result->rows) == 0;
    if (!result->as_published)
        lam_log_say(&job->options->log, "these are not the rows behind the published figures: %zu + %zu + %zu of %zu columns here, "
            "%zu + %zu + %zu of %zu there; figures are not comparable. Is the file complete?", result->rows[0], result->rows[1],
            result->rows[2], result->columns, shown->rows[0], shown->rows[1], shown->rows[2], shown->columns);
}

/* Opens the file of that place and, of an array, writes it. */
static lam_status fill(const lam_recipe_job *job, const char *folder, int which, const char *text, lam_out_file *file)
{
    char *path = lam_path_join(folder, names[which]);
    size_t first = which == LAM_TRAIN ? 0 : job->rows[LAM_TRAIN] + (which == LAM_TEST ? job->rows[LAM_VALID] : 0);
    lam_status status = path == NULL ? LAM_ERR_MEMORY : lam_out_open(file, path);
    if (status == LAM_OK && which == JSON) {
        fprintf(file->stream, "%s\n", text);
    } else if (status == LAM_OK) {
        size_t shape[2] = { job->rows[which], job->table->cols };
        status = lam_npy_put(file->stream, path, job->table->values + first * shape[1], shape, 2, 4);
    }
    free(path);
    return status;
}

/* All four are written under temporary names before one gets its own. An old recipe.json goes first and the new one comes
 * last, so that it never describes other arrays than those beside it. */
static lam_status write_files(const lam_recipe_job *job, const char *folder, char hashes[PARTS][33],
    const lam_recipe_result *result)
{
    lam_out_file files[FILES] = { { 0 } };
    size_t bytes[PARTS], done = 0, total = job->table->rows * job->table->cols * sizeof(float);
    char *text = NULL, *old = lam_path_join(folder, names[JSON]);
    lam_status status = old == NULL ? LAM_ERR_MEMORY : LAM_OK;
    for (int i = 0; i < PARTS && status == LAM_OK; done += job->rows[i++] * job->table->cols * sizeof(float)) {
        status = lam_recipe_tell(job, "writing", done, total);
        if (status == LAM_OK)
            status = fill(job, folder, i, NULL, &files[i]);
        bytes[i] = status == LAM_OK ? (size_t)ftell(files[i].stream) : 0;
    }
    if (status == LAM_OK)
        status = describe(job, hashes, bytes, result, &text);
    if (status == LAM_OK)
        status = fill(job, folder, JSON, text, &files[JSON]);
    for (int i = 0; i < FILES && status == LAM_OK; i++)
        if (fflush(files[i].stream) != 0 || ferror(files[i].stream))
            status = lam_fail(LAM_ERR_IO, "writing %s failed; nothing was replaced; is the disk full?", files[i].path);
    if (status == LAM_OK)
        remove(old);
    for (int i = 0; i < FILES && status == LAM_OK; i++)
        status = lam_out_commit(&files[i]);
    for (int i = 0; i < FILES; i++)
        lam_out_abandon(&files[i]);
    cJSON_free(text);
    free(old);
    return status;
}

lam_status lam_recipe_write(lam_recipe_job *job, const char *folder, lam_recipe_result *result)
{
    char hashes[PARTS][33];
    *result = (lam_recipe_result){ .columns = job->table->cols, .read = job->read };
    memcpy(result->rows, job->rows, sizeof result->rows);
    digest(job, hashes);
    lam_table_digest_parts(hashes, result->data_hash);
    compare(job, result);
    return write_files(job, folder, hashes, result);
}
