/* A model to its file. */
#include "base/error.h"
#include "base/file.h"
#include "base/need.h"
#include "base/mem.h"
#include "model/metadata.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

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

/* Room for what a file is made of. */
typedef struct parts {
    lam_metadata meta;
    lam_st_tensor *tensors; /* of the layout, the maps, the whitening and the further flows */
    char (*names)[LAM_MAP_NAME]; /* of the maps' tensors */
    char (*flow_names)[LAM_FLOW_NAME]; /* [n_others], and their files */
    char **flows;
    size_t *sizes;
    float *floats; /* [parameters]; NULL: they are written in double */
} parts;

static void clear(const lam_model *model, parts *p)
{
    for (size_t k = 0; p->flows != NULL && k < model->n_others; k++)
        free(p->flows[k]);
    lam_free(p->flows);
    lam_free(p->sizes);
    lam_free(p->flow_names);
    lam_free(p->names);
    lam_free(p->floats);
    lam_free(p->tensors);
    lam_metadata_free(&p->meta);
}

static lam_status take_room(const lam_model *model, parts *p)
{
    int in_float = model->config.precision == LAM_FLOAT;
    size_t maps = model->maps != NULL ? model->maps->dim : 0, others = model->n_others;
    p->tensors = lam_alloc(model->n_tensors + maps + 2 /* of the whitening */ + others, sizeof *p->tensors);
    p->names = lam_alloc(maps + 1, sizeof *p->names);
    p->flow_names = lam_alloc(others + 1, sizeof *p->flow_names);
    p->flows = lam_alloc(others + 1, sizeof *p->flows);
    p->sizes = lam_alloc(others + 1, sizeof *p->sizes);
    p->floats = in_float ? lam_alloc(model->layout.parameters, sizeof *p->floats) : NULL;
    int whole = p->tensors != NULL && p->names != NULL && p->flow_names != NULL && p->flows != NULL && p->sizes != NULL
        && (p->floats != NULL || !in_float);
    for (size_t j = 0; p->names != NULL && j < maps; j++)
        lam_map_name(j, p->names[j]);
    return whole ? LAM_OK : LAM_ERR_MEMORY;
}

static lam_status write_model(const lam_model *model, FILE *stream, const char *where);

/* The further flows, each as a file of its own in memory. */
static lam_status write_flows(const lam_model *model, const char *where, parts *p)
{
    for (size_t k = 0; k < model->n_others; k++) {
        FILE *stream = open_memstream(&p->flows[k], &p->sizes[k]);
        lam_status status = stream == NULL ? LAM_ERR_MEMORY : write_model(model->others[k], stream, where);
        if (stream != NULL && fclose(stream) != 0 && status == LAM_OK)
            status = LAM_ERR_MEMORY;
        if (status == LAM_ERR_MEMORY)
            return lam_fail(status, "out of memory while %s is written", where);
        LAM_TRY(status);
        lam_flow_name(k + 1, p->flow_names[k]);
    }
    return LAM_OK;
}

static size_t list_tensors(const lam_model *model, const parts *p)
{
    size_t n = 0;
    for (size_t i = 0; i < model->n_tensors; i++) {
        const lam_layout_tensor *t = &model->tensors[i];
        const void *data = p->floats != NULL ? (const void *)(p->floats + t->offset) : (const void *)(model->params + t->offset);
        p->tensors[n++] = (lam_st_tensor) { .name = t->name, .dtype = p->floats != NULL ? LAM_ST_F32 : LAM_ST_F64, .n_shape = t->dims,
            .shape = { t->shape[0], t->shape[1] }, .data = data };
    }
    for (size_t j = 0; model->maps != NULL && j < model->maps->dim; j++)
        p->tensors[n++] = (lam_st_tensor) { .name = p->names[j], .dtype = LAM_ST_F64, .n_shape = 2,
            .shape = { LAM_MAP_TABLE, model->maps->column[j].n }, .data = model->maps->table[j] };
    if (model->whitening != NULL) {
        p->tensors[n++] = (lam_st_tensor) { .name = LAM_WHITENING_MEAN, .dtype = LAM_ST_F64, .n_shape = 1, .shape = { model->dim },
            .data = model->whitening->mean };
        p->tensors[n++] = (lam_st_tensor) { .name = LAM_WHITENING_COVARIANCE, .dtype = LAM_ST_F64, .n_shape = 2,
            .shape = { model->dim, model->dim }, .data = model->whitening->covariance };
    }
    for (size_t k = 0; k < model->n_others; k++)
        p->tensors[n++] = (lam_st_tensor) { .name = p->flow_names[k], .dtype = LAM_ST_U8, .n_shape = 1, .shape = { p->sizes[k] }, .data = p->flows[k] };
    return n;
}

static lam_status write_model(const lam_model *model, FILE *stream, const char *where)
{
    parts p = { 0 };
    LAM_TRY(check_finite(model, where));
    LAM_TRY(lam_metadata_write(model, &p.meta));
    lam_status status = take_room(model, &p);
    if (status == LAM_OK)
        status = write_flows(model, where, &p);
    for (size_t i = 0; status == LAM_OK && p.floats != NULL && i < model->layout.parameters; i++)
        p.floats[i] = (float)model->params[i];
    if (status == LAM_OK)
        status = lam_st_write_stream(stream, where, p.tensors, list_tensors(model, &p), p.meta.pairs, p.meta.n);
    clear(model, &p);
    return status;
}

lam_status lam_model_save(const lam_model *model, const char *path)
{
    LAM_NEED(model, "model");
    LAM_NEED(path, "path");
    lam_out_file out;
    LAM_TRY(lam_out_open(&out, path));
    lam_status status = write_model(model, out.stream, path);
    if (status == LAM_OK)
        return lam_out_commit(&out);
    lam_out_abandon(&out);
    return status;
}
