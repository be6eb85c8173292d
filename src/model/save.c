/* A model to its file. */
#include "base/error.h"
#include "base/need.h"
#include "base/mem.h"
#include "model/metadata.h"
#include <math.h>

/* Every number is one that a solve can use, also once it is a float. */
static lam_status check_finite(const lam_model *model, const char *path)
{
    for (size_t i = 0; i < model->n_tensors; i++)
        for (size_t j = 0; j < model->tensors[i].count; j++) {
            double value = model->params[model->tensors[i].offset + j];
            if (!isfinite(model->config.precision == LAM_FLOAT ? (double)(float)value : value))
                return lam_fail(LAM_ERR_DATA, "%s is not written: element %zu of \"%s\" is %g", path, j + 1,
                    model->tensors[i].name, value);
        }
    return LAM_OK;
}

/* names: of the maps' tensors. */
static lam_status write_file(const lam_model *model, const char *path, const lam_metadata *meta, lam_st_tensor *tensors,
    float *floats, char (*names)[LAM_MAP_NAME])
{
    for (size_t i = 0; floats != NULL && i < model->layout.parameters; i++)
        floats[i] = (float)model->params[i];
    for (size_t i = 0; i < model->n_tensors; i++) {
        const lam_layout_tensor *t = &model->tensors[i];
        const void *data = floats != NULL ? (const void *)(floats + t->offset) : (const void *)(model->params + t->offset);
        tensors[i] = (lam_st_tensor) { .name = t->name, .dtype = floats != NULL ? LAM_ST_F32 : LAM_ST_F64, .n_shape = t->dims,
            .shape = { t->shape[0], t->shape[1] }, .data = data };
    }
    size_t n = model->n_tensors;
    for (size_t j = 0; model->maps != NULL && j < model->maps->dim; j++)
        tensors[n++] = (lam_st_tensor) { .name = names[j], .dtype = LAM_ST_F64, .n_shape = 2,
            .shape = { LAM_MAP_TABLE, model->maps->column[j].n }, .data = model->maps->table[j] };
    if (model->whitening != NULL) {
        tensors[n++] = (lam_st_tensor) { .name = LAM_WHITENING_MEAN, .dtype = LAM_ST_F64, .n_shape = 1, .shape = { model->dim },
            .data = model->whitening->mean };
        tensors[n++] = (lam_st_tensor) { .name = LAM_WHITENING_COVARIANCE, .dtype = LAM_ST_F64, .n_shape = 2,
            .shape = { model->dim, model->dim }, .data = model->whitening->covariance };
    }
    return lam_st_write(path, tensors, n, meta->pairs, meta->n);
}

lam_status lam_model_save(const lam_model *model, const char *path)
{
    LAM_NEED(model, "model");
    LAM_NEED(path, "path");
    int in_float = model->config.precision == LAM_FLOAT;
    lam_metadata meta;
    LAM_TRY(check_finite(model, path));
    LAM_TRY(lam_metadata_write(model, &meta));
    size_t maps = model->maps != NULL ? model->maps->dim : 0;
    lam_st_tensor *tensors = lam_alloc(model->n_tensors + maps + 2 /* of the whitening */, sizeof *tensors);
    char(*names)[LAM_MAP_NAME] = lam_alloc(maps + 1, sizeof *names);
    float *floats = in_float ? lam_alloc(model->layout.parameters, sizeof *floats) : NULL;
    lam_status status = LAM_ERR_MEMORY;
    for (size_t j = 0; names != NULL && j < maps; j++)
        lam_map_name(j, names[j]);
    if (tensors != NULL && names != NULL && (floats != NULL || !in_float))
        status = write_file(model, path, &meta, tensors, floats, names);
    lam_free(names);
    lam_free(floats);
    lam_free(tensors);
    lam_metadata_free(&meta);
    return status;
}
