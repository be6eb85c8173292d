/* Data sets that differ in which rows are for validation. */
#include "base/error.h"
#include "base/room.h"
#include "data/dataset.h"
#include <math.h>
#include <string.h>

static void count_missing(lam_dataset *fold)
{
    for (int part = 0; part < LAM_PARTS; part++) {
        fold->missing[part] = 0;
        for (size_t i = 0; i < fold->rows[part] * fold->dim; i++)
            fold->missing[part] += (size_t)(isnan(fold->values[part][i]) != 0);
    }
}

lam_status lam_dataset_fold(const lam_dataset *data, size_t k, lam_dataset *fold)
{
    size_t n_train = data->rows[LAM_TRAIN], n_valid = data->rows[LAM_VALID], row = data->dim * sizeof(double);
    int was_cut = data->file_row[LAM_VALID] == NULL; /* from the training rows' table */
    *fold = *data;
    fold->rows[LAM_TEST] = 0;
    for (int part = 0; part < LAM_PARTS; part++)
        fold->values[part] = NULL, fold->source[part] = NULL;
    fold->values[LAM_TRAIN] = lam_room_take(data->folder, n_train * data->dim, sizeof(double));
    fold->values[LAM_VALID] = lam_room_take(data->folder, n_valid * data->dim + 1, sizeof(double));
    if (fold->values[LAM_TRAIN] == NULL || fold->values[LAM_VALID] == NULL) {
        lam_dataset_fold_clear(fold);
        return LAM_ERR_MEMORY;
    }
    memcpy(fold->values[LAM_TRAIN], data->values[LAM_TRAIN], n_train * row);
    if (n_valid > 0)
        memcpy(fold->values[LAM_VALID], data->values[LAM_VALID], n_valid * row);
    if (k > 0) /* other rows */
        fold->centre = fold->covariance = NULL, fold->maps = NULL, fold->map_columns = 0;
    if (k > 0 && was_cut && n_valid > 0 && n_train >= n_valid) {
        double *lot = fold->values[LAM_TRAIN] + (k - 1) % (n_train / n_valid) * n_valid * data->dim;
        memcpy(fold->values[LAM_VALID], lot, n_valid * row);
        memcpy(lot, data->values[LAM_VALID], n_valid * row);
    }
    count_missing(fold);
    fold->missing[LAM_TEST] = data->missing[LAM_TEST]; /* whether cells may be missing is one for all flows */
    return LAM_OK;
}

void lam_dataset_fold_clear(lam_dataset *fold)
{
    lam_room_give(fold->folder, fold->values[LAM_TRAIN]);
    lam_room_give(fold->folder, fold->values[LAM_VALID]);
    *fold = (lam_dataset) { 0 };
}
