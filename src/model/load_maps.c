/* The column maps and the whitening of a model file. */
#include "base/error.h"
#include "base/mem.h"
#include "model/metadata.h"
#include <stdio.h>
#include <string.h>

void lam_map_name(size_t column, char name[LAM_MAP_NAME])
{
    snprintf(name, LAM_MAP_NAME, "map.%zu", column);
}

int lam_metadata_has_maps(const lam_st_file *file)
{
    int may = lam_metadata_has_format(file, LAM_MODEL_FORMAT_GIVEN) || lam_metadata_has_format(file, LAM_MODEL_FORMAT_WHITENED) || lam_metadata_may_have_all(file);
    return lam_metadata_has_format(file, LAM_MODEL_FORMAT_MAPS) || (may && lam_st_find(file, "map.0") != NULL);
}

int lam_metadata_has_whitening(const lam_st_file *file)
{
    return lam_metadata_has_format(file, LAM_MODEL_FORMAT_WHITENED)
        || (lam_metadata_may_have_all(file) && lam_st_find(file, LAM_WHITENING_MEAN) != NULL);
}

static lam_status damaged(const char *where, const char *name, const char *what)
{
    return lam_fail(LAM_ERR_FORMAT, "%s: the tensor \"%s\", a column's map, %s; the file is damaged or was edited by hand", where, name, what);
}

static lam_status find(const lam_st_file *file, const char *where, size_t column, const lam_st_tensor **out)
{
    char name[LAM_MAP_NAME];
    lam_map_name(column, name);
    const lam_st_tensor *t = *out = lam_st_find(file, name);
    if (t == NULL)
        return damaged(where, name, "is missing");
    if (t->dtype != LAM_ST_F64 || t->n_shape != 2 || t->shape[0] != LAM_MAP_TABLE || t->shape[1] < 2)
        return damaged(where, name, "is no F64 of shape [3, knots] with two knots or more");
    return LAM_OK;
}

static lam_status fill(const lam_st_file *file, const char *where, lam_maps *maps)
{
    const lam_st_tensor *t;
    for (size_t j = 0; j < maps->dim; j++) {
        LAM_TRY(find(file, where, j, &t));
        lam_st_doubles(t, maps->table[j]);
        if (!lam_spline_is_sound(&maps->column[j]))
            return damaged(where, t->name, "does not ascend from knot to knot with slopes above 0");
    }
    return LAM_OK;
}

lam_status lam_metadata_read_maps(const lam_st_file *file, const char *where, lam_model *model)
{
    const lam_st_tensor *t;
    int wanted = model->config.map != LAM_MAP_NONE;
    size_t dim = model->dim;
    if (wanted != lam_metadata_has_maps(file))
        return lam_fail(LAM_ERR_FORMAT, "%s: its configuration says that it has %s, and its format that it has %s; the file is damaged or "
            "was edited by hand", where, wanted ? "column maps" : "none", wanted ? "none" : "column maps");
    if (!wanted)
        return LAM_OK;
    size_t *knots = lam_alloc(dim, sizeof *knots);
    lam_status status = knots == NULL ? LAM_ERR_MEMORY : LAM_OK;
    for (size_t j = 0; status == LAM_OK && j < dim; j++) {
        status = find(file, where, j, &t);
        knots[j] = status == LAM_OK ? t->shape[1] : 0;
    }
    if (status == LAM_OK)
        status = lam_maps_create(dim, knots, &model->maps);
    if (status == LAM_OK)
        status = fill(file, where, model->maps);
    lam_free(knots);
    return status;
}

int lam_metadata_is_map(const lam_st_file *file, const char *name, size_t dim)
{
    char known[LAM_MAP_NAME];
    size_t column = dim;
    if (!lam_metadata_has_maps(file) || sscanf(name, "map.%9zu", &column) != 1 || column >= dim)
        return 0;
    lam_map_name(column, known);
    return strcmp(known, name) == 0;
}

/* ---- whitening ---------------------------------------------------------------------------------------------------- */

static lam_status wrong(const char *where, const char *what)
{
    return lam_fail(LAM_ERR_FORMAT, "%s: the whitening (the tensors \"" LAM_WHITENING_MEAN "\" and \"" LAM_WHITENING_COVARIANCE "\") %s; "
        "the file is damaged or was edited by hand", where, what);
}

static int has_shape(const lam_st_tensor *t, size_t dims, size_t dim)
{
    return t != NULL && t->dtype == LAM_ST_F64 && t->n_shape == dims && t->shape[0] == dim && (dims == 1 || t->shape[1] == dim);
}

lam_status lam_metadata_read_whitening(const lam_st_file *file, const char *where, lam_model *model)
{
    const lam_st_tensor *mean = lam_st_find(file, LAM_WHITENING_MEAN), *covariance = lam_st_find(file, LAM_WHITENING_COVARIANCE);
    int wanted = model->config.whiten != LAM_WHITEN_NONE, sound;
    if (wanted != lam_metadata_has_whitening(file))
        return wrong(where, wanted ? "is in the configuration and not in the format" : "is in the format and not in the configuration");
    if (!wanted)
        return LAM_OK;
    if (!has_shape(mean, 1, model->dim) || !has_shape(covariance, 2, model->dim))
        return wrong(where, "is missing, or no F64 of shapes [columns] and [columns, columns]");
    LAM_TRY(lam_whitening_create(model->dim, &model->whitening));
    lam_st_doubles(mean, model->whitening->mean);
    lam_st_doubles(covariance, model->whitening->covariance);
    LAM_TRY(lam_whitening_is_sound(model->whitening, &sound));
    return sound ? LAM_OK : wrong(where, "is no finite mean and positive definite covariance");
}

int lam_metadata_is_whitening(const lam_st_file *file, const char *name)
{
    return lam_metadata_has_whitening(file) && (strcmp(name, LAM_WHITENING_MEAN) == 0 || strcmp(name, LAM_WHITENING_COVARIANCE) == 0);
}
