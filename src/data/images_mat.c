/* Images in a MATLAB file. A matrix lies there column by column, and so does an image in its row of pixels. */
#include "base/error.h"
#include "base/mem.h"
#include "data/image_formats.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifdef LAM_HAVE_MATIO
#include <matio.h>

/* "X [8671 x 784], Y [1 x 8671]": what is in the file, as far as it fits. */
static void list_variables(mat_t *file, char *list, size_t room)
{
    size_t used = 0;
    matvar_t *v;
    list[0] = '\0';
    Mat_Rewind(file);
    while ((v = Mat_VarReadNextInfo(file)) != NULL) {
        char shape[64] = "";
        for (int d = 0; d < v->rank && v->dims != NULL && d < 3; d++)
            snprintf(shape + strlen(shape), sizeof shape - strlen(shape), "%s%zu", d > 0 ? " x " : "", v->dims[d]);
        if (used < room && v->name != NULL) /* one that is cut short may have none */
            used += (size_t)snprintf(list + used, room - used, "%s%.40s [%s]", used > 0 ? ", " : "", v->name, shape);
        Mat_VarFree(v);
    }
    if (list[0] == '\0')
        snprintf(list, room, "nothing");
}

/* The variable that is meant, without its numbers. */
static lam_status find_variable(mat_t *file, const char *path, const char *array, matvar_t **out)
{
    char list[400];
    *out = Mat_VarReadInfo(file, array != NULL ? array : "X");
    if (*out == NULL && array == NULL)
        *out = Mat_VarReadInfo(file, "data");
    if (*out != NULL)
        return LAM_OK;
    list_variables(file, list, sizeof list);
    if (array != NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "%s: has no variable %s; it has %s", path, array, list);
    return lam_fail(LAM_ERR_ARGUMENT, "%s: has neither X nor data; it has %s. Name the one that holds the images", path, list);
}

static size_t element_size(enum matio_classes type)
{
    switch (type) {
    case MAT_C_INT8: case MAT_C_UINT8: return 1;
    case MAT_C_INT16: case MAT_C_UINT16: return 2;
    case MAT_C_INT32: case MAT_C_UINT32: case MAT_C_SINGLE: return 4;
    case MAT_C_INT64: case MAT_C_UINT64: case MAT_C_DOUBLE: return 8;
    default: return 0;
    }
}

static double element(const void *data, enum matio_classes type, size_t i)
{
    switch (type) {
    case MAT_C_INT8: return ((const int8_t *)data)[i];
    case MAT_C_UINT8: return ((const uint8_t *)data)[i];
    case MAT_C_INT16: return ((const int16_t *)data)[i];
    case MAT_C_UINT16: return ((const uint16_t *)data)[i];
    case MAT_C_INT32: return ((const int32_t *)data)[i];
    case MAT_C_UINT32: return ((const uint32_t *)data)[i];
    case MAT_C_INT64: return (double)((const int64_t *)data)[i];
    case MAT_C_UINT64: return (double)((const uint64_t *)data)[i];
    case MAT_C_SINGLE: return (double)((const float *)data)[i];
    default: return ((const double *)data)[i];
    }
}

/* Which way the matrix lies: images are its rows, but in data and testdata (as published) and where only columns can be. */
static int images_are_columns(const matvar_t *v, const lam_images_options *options)
{
    size_t pixels = options->height * options->width;
    if (pixels != 0 && (v->dims[0] == pixels) != (v->dims[1] == pixels))
        return v->dims[0] == pixels;
    return strcmp(v->name, "data") == 0 || strcmp(v->name, "testdata") == 0;
}

static lam_status check_variable(const char *path, const matvar_t *v)
{
    if (element_size(v->class_type) == 0 || v->isComplex || v->rank != 2 || v->dims == NULL)
        return lam_fail(LAM_ERR_FORMAT, "%s: %s is not a real matrix of numbers; images are [n, pixels]", path, v->name);
    /* int is what matio counts elements in */
    if (v->dims[0] > INT32_MAX || v->dims[1] > INT32_MAX || (v->dims[1] != 0 && v->dims[0] > INT32_MAX / v->dims[1]))
        return lam_fail(LAM_ERR_FORMAT, "%s: %s is %zu x %zu, more than is read of a .mat; save it as .npy", path, v->name,
            v->dims[0], v->dims[1]);
    return LAM_OK;
}

/* Upright and row by row into out. */
static lam_status take_numbers(const char *path, const matvar_t *v, int columns, lam_images *out)
{
    size_t h = out->height, w = out->width, n = out->n;
    double *values = lam_alloc(n * h * w, sizeof *values);
    if (values == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < n; i++)
        for (size_t r = 0; r < h; r++)
            for (size_t c = 0; c < w; c++) {
                size_t pixel = c * h + r;
                values[(i * h + r) * w + c] = element(v->data, v->class_type, columns ? i * h * w + pixel : pixel * n + i);
            }
    lam_status status = lam_images_fill(path, values, out);
    lam_free(values);
    return status;
}

static lam_status read_variable(mat_t *file, const char *path, matvar_t *v, const lam_images_options *options, lam_images *out)
{
    size_t height, width;
    LAM_TRY(check_variable(path, v));
    int columns = images_are_columns(v, options);
    LAM_TRY(lam_images_fold(path, v->dims[columns ? 0 : 1], options, &height, &width));
    size_t n = v->dims[columns ? 1 : 0], bytes = n * height * width * element_size(v->class_type);
    LAM_TRY(lam_images_allocate(path, n, height, width, out));
    if (Mat_VarReadDataAll(file, v) != 0 || v->data == NULL || v->nbytes < bytes)
        return lam_fail(LAM_ERR_FORMAT, "%s: %s cannot be read; the file is cut short or damaged, copy or download it again", path,
            v->name);
    return take_numbers(path, v, columns, out);
}

lam_status lam_images_mat(const char *path, const lam_images_options *options, lam_images *out)
{
    matvar_t *v;
    mat_t *file = Mat_Open(path, MAT_ACC_RDONLY);
    out->format = "mat";
    if (file == NULL)
        return lam_fail(LAM_ERR_FORMAT, "%s: is not a readable MATLAB file; save it with -v7", path);
    lam_status status = find_variable(file, path, options->array, &v);
    if (status == LAM_OK) {
        status = read_variable(file, path, v, options, out);
        Mat_VarFree(v);
    }
    Mat_Close(file);
    return status;
}

#else

lam_status lam_images_mat(const char *path, const lam_images_options *options, lam_images *out)
{
    (void)options, (void)out;
    return lam_fail(LAM_ERR_UNSUPPORTED, "%s: is a MATLAB file, which this build does not read; install libmatio-dev and build "
        "again", path);
}

#endif
