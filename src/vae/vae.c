/* Makes, saves and loads auto-encoders. */
#include "vae/vae.h"
#include "base/error.h"
#include "base/need.h"
#include "base/mem.h"
#include "model/config_yaml.h"
#include "model/defaults.h"
#include "model/metadata.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static lam_status empty(const lam_config *config, size_t height, size_t width, lam_vae **out)
{
    lam_vae *v = *out = lam_alloc(1, sizeof *v);
    if (v == NULL)
        return LAM_ERR_MEMORY;
    lam_config_init(&v->config);
    lam_status status = lam_config_copy(&v->config, config);
    if (status == LAM_OK)
        status = lam_config_resolve(&v->config, LAM_USUAL_ROWS, 0); /* a fit has chosen by its own images already */
    if (status == LAM_OK)
        status = lam_vae_layout_init(&v->layout, &v->config, height, width);
    if (status == LAM_OK
        && ((v->params = lam_alloc(v->layout.parameters, sizeof *v->params)) == NULL
            || (v->h_star_train = lam_alloc(v->layout.blocks, sizeof(double))) == NULL
            || (v->h_star_test = lam_alloc(v->layout.blocks, sizeof(double))) == NULL))
        status = LAM_ERR_MEMORY;
    if (status != LAM_OK) {
        lam_vae_free(v);
        *out = NULL;
    }
    return status;
}

lam_status lam_vae_create(const lam_config *config, size_t height, size_t width, lam_vae **out)
{
    LAM_TRY(empty(config, height, width, out));
    lam_status status = lam_vae_layout_initial(&(*out)->layout, &(*out)->config, (*out)->params);
    if (status != LAM_OK) {
        lam_vae_free(*out);
        *out = NULL;
    }
    return status;
}

void lam_vae_free(lam_vae *v)
{
    if (v == NULL)
        return;
    lam_config_clear(&v->config);
    lam_free(v->params);
    lam_free(v->h_star_train);
    lam_free(v->h_star_test);
    lam_free(v);
}

const lam_config *lam_vae_config(const lam_vae *v)
{
    return v != NULL ? &v->config : NULL;
}

void lam_vae_image_size(const lam_vae *v, size_t *height, size_t *width)
{
    if (height != NULL)
        *height = v != NULL ? v->layout.height : 0;
    if (width != NULL)
        *width = v != NULL ? v->layout.width : 0;
}

size_t lam_vae_parameter_count(const lam_vae *v)
{
    return v != NULL ? v->layout.trained : 0;
}

const char *lam_vae_data_hash(const lam_vae *v)
{
    return v != NULL ? v->data_hash : NULL;
}

const char *lam_vae_component(const lam_vae *v, size_t index, size_t *parameters)
{
    if (v == NULL)
        return NULL;
    const lam_vae_layout *l = &v->layout;
    const struct {
        const char *name;
        size_t parameters;
    } parts[] = { { "encoder", l->encoder.parameters }, { "mean and variance", l->at_maps - l->at_mean },
        { "maps to the flow", l->at_decoder - l->at_maps }, { "flow", l->trained - l->at_flow },
        { "decoder", l->at_flow - l->at_decoder } };
    if (index >= sizeof parts / sizeof parts[0])
        return NULL;
    if (parameters != NULL)
        *parameters = parts[index].parameters;
    return parts[index].name;
}

int lam_vae_tensor_at(const lam_vae *v, size_t index, char name[96], size_t shape[4], size_t *n_shape)
{
    lam_vae_tensor t;
    if (v == NULL || !lam_vae_layout_tensor(&v->layout, index, &t))
        return 0;
    if (name != NULL)
        memcpy(name, t.name, sizeof t.name);
    if (shape != NULL)
        memcpy(shape, t.shape, sizeof t.shape);
    if (n_shape != NULL)
        *n_shape = t.dims;
    return 1;
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static size_t count_tensors(const lam_vae_layout *l)
{
    lam_vae_tensor t;
    size_t n = 0;
    while (lam_vae_layout_tensor(l, n, &t))
        n++;
    return n;
}

static lam_status check_finite(const lam_vae *v, const char *path)
{
    for (size_t i = 0; i < v->layout.parameters; i++)
        if (!isfinite(v->params[i]))
            return lam_fail(LAM_ERR_DATA, "%s is not written: parameter %zu is %g", path, i + 1, (double)v->params[i]);
    return LAM_OK;
}

static lam_status write_file(const lam_vae *v, const char *path, const lam_st_pair *meta, size_t n_meta)
{
    size_t n = count_tensors(&v->layout);
    lam_st_tensor *tensors = lam_alloc(n, sizeof *tensors);
    lam_vae_tensor *names = lam_alloc(n, sizeof *names);
    lam_status status = tensors != NULL && names != NULL ? LAM_OK : LAM_ERR_MEMORY;
    for (size_t i = 0; status == LAM_OK && i < n; i++) {
        lam_vae_tensor *t = &names[i];
        lam_vae_layout_tensor(&v->layout, i, t);
        tensors[i] = (lam_st_tensor) { .name = t->name, .dtype = LAM_ST_F32, .n_shape = t->dims,
            .shape = { t->shape[0], t->shape[1], t->shape[2], t->shape[3] }, .data = v->params + t->offset };
    }
    if (status == LAM_OK)
        status = lam_st_write(path, tensors, n, meta, n_meta);
    lam_free(tensors);
    lam_free(names);
    return status;
}

lam_status lam_vae_save(const lam_vae *v, const char *path)
{
    LAM_NEED(v, "model");
    LAM_NEED(path, "path");
    LAM_TRY(check_finite(v, path));
    char size[64], *config = NULL, *train = NULL, *test = NULL;
    snprintf(size, sizeof size, "[%zu,%zu]", v->layout.height, v->layout.width);
    lam_status status = lam_metadata_config(&v->config, &config);
    if (status == LAM_OK)
        status = lam_metadata_numbers(v->h_star_train, v->layout.blocks, &train);
    if (status == LAM_OK)
        status = lam_metadata_numbers(v->h_star_test, v->layout.blocks, &test);
    if (status == LAM_OK) {
        const lam_st_pair meta[] = { { "laminar", LAM_MODEL_FORMAT }, { "config", config }, { "image_size", size },
            { "data_hash", v->data_hash }, { "h_star_train", train }, { "h_star_test", test } };
        status = write_file(v, path, meta, sizeof meta / sizeof meta[0]);
    }
    free(config);
    free(train);
    free(test);
    return status;
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static lam_status read_config(const lam_st_file *file, const char *path, lam_config *cfg)
{
    const char *format = lam_st_meta(file, "laminar"), *config = lam_st_meta(file, "config");
    if (format == NULL || config == NULL)
        return lam_fail(LAM_ERR_FORMAT, "%s was not saved by laminar; only its own auto-encoders are read", path);
    if (strcmp(format, LAM_MODEL_FORMAT) != 0 && !lam_metadata_has_maps(file)) /* a density with maps is told of below */
        return lam_fail(LAM_ERR_UNSUPPORTED, "%s: model format \"%.20s\", and this laminar (%s) reads \"%s\"; use a newer one",
            path, format, LAM_VERSION, LAM_MODEL_FORMAT);
    lam_status status = lam_config_parse(cfg, config, strlen(config), "config");
    if (status != LAM_OK)
        return lam_fail_in(status, "%s: in the metadata", path);
    if (cfg->model != LAM_VAE)
        return lam_fail(LAM_ERR_SHAPE, "%s: a density of rows, no variational auto-encoder; `laminar score`, `sample` and `info` take it", path);
    return lam_config_check(cfg);
}

/* Every tensor is there, in its shape, before memory is taken for them: a file cannot ask for more than it brings. */
static lam_status check_tensors(const lam_st_file *file, const char *path, const lam_vae_layout *l)
{
    lam_vae_tensor t;
    for (size_t i = 0; lam_vae_layout_tensor(l, i, &t); i++) {
        const lam_st_tensor *found = lam_st_find(file, t.name);
        if (found == NULL)
            return lam_fail(LAM_ERR_SHAPE, "%s: tensor \"%s\" is missing; the file is damaged or was edited by hand", path, t.name);
        int same = found->n_shape == t.dims;
        for (size_t j = 0; same && j < t.dims; j++)
            same = found->shape[j] == t.shape[j];
        if (!same || found->dtype != LAM_ST_F32)
            return lam_fail(LAM_ERR_SHAPE, "%s: tensor \"%s\" is not of the shape and type that its configuration asks for; the "
                "file is damaged or was edited by hand", path, t.name);
    }
    return LAM_OK;
}

static lam_status read_tensors(const lam_st_file *file, const char *path, lam_vae *v)
{
    lam_vae_tensor t;
    for (size_t i = 0; lam_vae_layout_tensor(&v->layout, i, &t); i++) {
        lam_st_floats(lam_st_find(file, t.name), v->params + t.offset);
        for (size_t j = 0; j < t.count; j++)
            if (!isfinite(v->params[t.offset + j]))
                return lam_fail(LAM_ERR_DATA, "%s: element %zu of tensor \"%s\" is %g; weights must be finite", path, j + 1, t.name,
                    (double)v->params[t.offset + j]);
    }
    const char *hash = lam_st_meta(file, "data_hash");
    if (hash == NULL || strlen(hash) >= sizeof v->data_hash)
        return lam_fail(LAM_ERR_FORMAT, "%s: the metadata's \"data_hash\" is missing or too long; the file is damaged", path);
    memcpy(v->data_hash, hash, strlen(hash) + 1);
    LAM_TRY(lam_metadata_read_numbers(file, path, "h_star_train", v->layout.blocks, 0, v->h_star_train));
    return lam_metadata_read_numbers(file, path, "h_star_test", v->layout.blocks, 0, v->h_star_test);
}

static lam_status load(const lam_st_file *file, const char *path, lam_config *cfg, lam_vae **out)
{
    double size[2];
    lam_vae_layout layout;
    LAM_TRY(read_config(file, path, cfg));
    LAM_TRY(lam_metadata_read_numbers(file, path, "image_size", 2, 1, size));
    if (size[0] > 65536 || size[1] > 65536)
        return lam_fail(LAM_ERR_FORMAT, "%s: images of %g x %g; the file is damaged", path, size[0], size[1]);
    LAM_TRY(lam_vae_layout_init(&layout, cfg, (size_t)size[0], (size_t)size[1]));
    LAM_TRY(check_tensors(file, path, &layout));
    LAM_TRY(empty(cfg, (size_t)size[0], (size_t)size[1], out));
    return read_tensors(file, path, *out);
}

lam_status lam_vae_load(const char *path, lam_vae **out)
{
    LAM_NEED(out, "out");
    *out = NULL;
    LAM_NEED(path, "path");
    lam_st_file file;
    lam_config cfg;
    *out = NULL;
    LAM_TRY(lam_st_read(path, &file));
    lam_config_init(&cfg);
    lam_status status = load(&file, path, &cfg, out);
    if (status != LAM_OK) {
        lam_vae_free(*out);
        *out = NULL;
    }
    lam_config_clear(&cfg);
    lam_st_free(&file);
    return status;
}
