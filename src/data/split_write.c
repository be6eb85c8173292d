/* The rows of a data set as files for other programs, with all that is needed to take them back to the file that they are from. */
#include "base/error.h"
#include "base/need.h"
#include "base/file.h"
#include "base/room.h"
#include "data/dataset.h"
#include "data/npy.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[LAM_PARTS] = { [LAM_TRAIN] = "train", [LAM_VALID] = "valid", [LAM_TEST] = "test" };

/* "folder/part end" */
static lam_status path_in(const char *folder, const char *part, const char *end, char path[4096])
{
    size_t length = strlen(folder);
    int n = snprintf(path, 4096, "%s%s%s%s", folder, length > 0 && folder[length - 1] == '/' ? "" : "/", part, end);
    return n > 0 && n < 4096 ? LAM_OK : lam_fail(LAM_ERR_IO, "the folder's name is too long");
}

/* Which table a part's rows are of: of one that was split the first. */
static int table_of(const lam_dataset *data, int part)
{
    return data->file_row[part] != NULL ? part : LAM_TRAIN;
}

static lam_status write_part(const lam_dataset *data, int part, const char *folder)
{
    const size_t n = data->rows[part], shape[2] = { n, data->dim }, *file_row = data->file_row[table_of(data, part)];
    char path[4096];
    LAM_TRY(path_in(folder, names[part], ".npy", path));
    LAM_TRY(lam_npy_write(path, data->values[part], shape, 2));
    LAM_TRY(path_in(folder, names[part], "_rows.npy", path));
    double *rows = lam_room_take(data->folder, n, sizeof *rows);
    if (rows == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < n; i++)
        rows[i] = (double)file_row[data->source[part][i]];
    lam_status status = lam_npy_write(path, rows, shape, 1);
    lam_room_give(data->folder, rows);
    return status;
}

static int add_list(cJSON *json, const char *key, cJSON *list)
{
    if (list == NULL || !cJSON_AddItemToObject(json, key, list)) {
        cJSON_Delete(list);
        return 0;
    }
    return 1;
}

/* What is in the folder: an object a file. */
static int add_files(cJSON *json, const lam_dataset *data, const char *const files[LAM_PARTS])
{
    cJSON *all = cJSON_AddObjectToObject(json, "files");
    int whole = all != NULL;
    for (int part = 0; whole && part < LAM_PARTS; part++) {
        char name[32];
        const char *from = files != NULL ? files[table_of(data, part)] : NULL;
        if (data->rows[part] == 0)
            continue;
        snprintf(name, sizeof name, "%s.npy", names[part]);
        cJSON *one = cJSON_AddObjectToObject(all, name);
        whole = one != NULL && cJSON_AddNumberToObject(one, "rows", (double)data->rows[part]) != NULL;
        snprintf(name, sizeof name, "%s_rows.npy", names[part]);
        whole = whole && cJSON_AddStringToObject(one, "row_numbers", name) != NULL
            && (from == NULL || cJSON_AddStringToObject(one, "from", from) != NULL);
    }
    return whole;
}

static cJSON *describe(const lam_dataset *data, const char *const files[LAM_PARTS])
{
    cJSON *json = cJSON_CreateObject();
    int whole = json != NULL
        && cJSON_AddStringToObject(json, "units", "The rows are standardised: z = (x - mean) / scale, noise added before. x = mean + "
            "scale z takes them back to the units of the file. log p(x) = log p(z) + log_det. A model that was fitted to the file itself "
            "takes rows in the file's units: of these give it with `laminar score MODEL test.npy --standardised`.") != NULL
        && cJSON_AddStringToObject(json, "row_numbers", "Row i of NAME.npy is row NAME_rows[i] of the file that it is from, counted from "
            "0, a header not counted.") != NULL
        && add_files(json, data, files)
        && add_list(json, "columns", cJSON_CreateStringArray((const char *const *)data->names, (int)data->dim))
        && add_list(json, "mean", cJSON_CreateDoubleArray(data->mean, (int)data->dim))
        && add_list(json, "scale", cJSON_CreateDoubleArray(data->scale, (int)data->dim))
        && add_list(json, "noise", cJSON_CreateDoubleArray(data->noise, (int)data->dim))
        && cJSON_AddNumberToObject(json, "log_det", data->log_det) != NULL
        && cJSON_AddStringToObject(json, "data_hash", data->hash) != NULL;
    if (whole)
        return json;
    cJSON_Delete(json);
    lam_fail(LAM_ERR_MEMORY, "out of memory while split.json is made");
    return NULL;
}

lam_status lam_dataset_write(const lam_dataset *data, const char *folder, const char *const files[3])
{
    char path[4096];
    lam_out_file out = { 0 };
    LAM_NEED(data, "data");
    LAM_NEED(folder, "folder");
    LAM_NEED(files, "files");
    for (int part = 0; part < LAM_PARTS; part++)
        if (data->rows[part] > 0)
            LAM_TRY(write_part(data, part, folder));
    LAM_TRY(path_in(folder, "split", ".json", path));
    cJSON *json = describe(data, files);
    char *text = json != NULL ? cJSON_Print(json) : NULL;
    lam_status status = text == NULL ? LAM_ERR_MEMORY : lam_out_open(&out, path);
    if (status == LAM_OK) {
        fprintf(out.stream, "%s\n", text);
        status = lam_out_commit(&out);
    }
    cJSON_free(text);
    cJSON_Delete(json);
    return status;
}
