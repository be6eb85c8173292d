/* Reads a set of images of any format, and finishes it: scale, size, inversion. */
#include "data/images.h"
#include "base/error.h"
#include "base/need.h"
#include "base/mem.h"
#include "data/bytes.h"
#include "data/image_formats.h"
#include "data/npy.h"
#include "data/pickle.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void lam_images_free(lam_images *images)
{
    if (images == NULL)
        return;
    lam_free(images->pixels);
    *images = (lam_images){ 0 };
}

/* ---- what the readers share --------------------------------------------------------------------------------------- */

lam_status lam_images_allocate(const char *name, size_t n, size_t height, size_t width, lam_images *out)
{
    if (n == 0 || height == 0 || width == 0)
        return lam_fail(LAM_ERR_FORMAT, "%s: holds no image: %zu of %zu x %zu pixels", name, n, height, width);
    if (height > LAM_IMAGE_SIDE || width > LAM_IMAGE_SIDE || n > LAM_IMAGE_BYTES / (height * width))
        return lam_fail(LAM_ERR_FORMAT, "%s: %zu images of %zu x %zu pixels are more than is read: %d pixels a side, 2^32 in "
            "all", name, n, height, width, LAM_IMAGE_SIDE);
    out->n = n, out->height = height, out->width = width;
    out->pixels = lam_alloc(n * height * width, 1);
    return out->pixels != NULL ? LAM_OK : LAM_ERR_MEMORY;
}

/* The two factors of pixels that are nearest to each other, the larger first. */
static size_t tall_factor(size_t pixels)
{
    size_t best = 1;
    for (size_t d = 1; d <= pixels / d; d++)
        best = pixels % d == 0 ? d : best;
    return pixels / best;
}

lam_status lam_images_fold(const char *name, size_t pixels, const lam_images_options *options, size_t *height, size_t *width)
{
    *height = options->height, *width = options->width;
    if (*height != 0) {
        if (*height > LAM_IMAGE_SIDE || *width > LAM_IMAGE_SIDE || *height * *width != pixels)
            return lam_fail(LAM_ERR_SHAPE, "%s: its images have %zu pixels each, %zu x %zu was asked for", name, pixels, *height,
                *width);
        return LAM_OK;
    }
    if (pixels > (size_t)LAM_IMAGE_SIDE * LAM_IMAGE_SIDE)
        return lam_fail(LAM_ERR_FORMAT, "%s: its images would have %zu pixels each, more than is read", name, pixels);
    size_t tall = tall_factor(pixels), wide = pixels == 0 ? 0 : pixels / tall;
    if (tall != wide)
        return lam_fail(LAM_ERR_SHAPE, "%s: its images have %zu pixels each and no shape; give height and width (image-size), such "
            "as %zux%zu", name, pixels, tall, wide);
    *height = *width = tall;
    return LAM_OK;
}

void lam_images_fill_bytes(const unsigned char *bytes, lam_images *out)
{
    size_t size = out->n * out->height * out->width;
    unsigned char largest = 0;
    int binary = 1;
    for (size_t i = 0; i < size; i++)
        largest = bytes[i] > largest ? bytes[i] : largest;
    unsigned char factor = largest <= 1 ? 255 : 1;
    for (size_t i = 0; i < size; i++) {
        out->pixels[i] = (unsigned char)(bytes[i] * factor);
        binary &= out->pixels[i] == 0 || out->pixels[i] == 255;
    }
    out->binary = binary;
}

lam_status lam_images_fill(const char *name, const double *values, lam_images *out)
{
    size_t pixels = out->height * out->width, size = out->n * pixels, worst = 0;
    int whole = 1, binary = 1;
    for (size_t i = 0; i < size; i++) {
        double v = values[i];
        if (!(v >= 0 && v <= 255))
            return lam_fail(LAM_ERR_DATA, "%s: pixel %zu of image %zu is %g; pixels are numbers from 0 to 1, or whole ones from "
                "0 to 255", name, i % pixels + 1, i / pixels + 1, v);
        whole = whole && v == floor(v);
        worst = v > values[worst] ? i : worst;
    }
    double largest = values[worst], factor = largest <= 1 ? 255 : 1;
    if (!whole && largest > 1)
        return lam_fail(LAM_ERR_DATA, "%s: pixel %zu of image %zu is %g, and not all pixels are whole numbers; scale them to 0 "
            "to 1", name, worst % pixels + 1, worst / pixels + 1, largest);
    for (size_t i = 0; i < size; i++) {
        out->pixels[i] = (unsigned char)(values[i] * factor + 0.5);
        binary = binary && (values[i] == 0 || values[i] * factor == 255);
    }
    out->binary = binary;
    return LAM_OK;
}

/* ---- npy and pickle ----------------------------------------------------------------------------------------------- */

/* The size of one image in an array [n, height, width] or [n, pixels]; a channel, first or last, may stand beside height and width. */
static lam_status array_size(const char *name, const size_t *shape, size_t n_shape, const lam_images_options *options,
    size_t *height, size_t *width)
{
    if (n_shape == 4 && shape[1] == 1)
        return array_size(name, (const size_t[]) { shape[0], shape[2], shape[3] }, 3, options, height, width);
    if (n_shape == 4 && shape[3] == 1)
        return array_size(name, shape, 3, options, height, width);
    if (n_shape == 4)
        return lam_fail(LAM_ERR_SHAPE, "%s: its array is %zu x %zu x %zu x %zu; grey images are [n, height, width] or [n, 1, height, "
            "width]: take one channel, or their mean", name, shape[0], shape[1], shape[2], shape[3]);
    if (n_shape != 2 && n_shape != 3)
        return lam_fail(LAM_ERR_SHAPE, "%s: its array has %zu dimensions; images are [n, height, width] or [n, pixels]", name,
            n_shape);
    if (n_shape == 2)
        return lam_images_fold(name, shape[1], options, height, width);
    *height = shape[1], *width = shape[2];
    return LAM_OK;
}

lam_status lam_images_npy(const char *name, const unsigned char *bytes, size_t size, const lam_images_options *options,
    lam_images *out)
{
    lam_array array;
    size_t height = 0, width = 0;
    LAM_TRY(lam_npy_parse(name, bytes, size, &array));
    lam_status status = array_size(name, array.shape, array.n_shape, options, &height, &width);
    if (status == LAM_OK)
        status = lam_images_allocate(name, array.shape[0], height, width, out);
    if (status == LAM_OK)
        status = lam_images_fill(name, array.values, out);
    lam_array_clear(&array);
    out->format = "npy";
    return status;
}

lam_status lam_images_pickle(const char *name, const unsigned char *bytes, size_t size, const lam_images_options *options,
    lam_images *out)
{
    lam_pickled array;
    size_t height = 0, width = 0;
    LAM_TRY(lam_pickle_parse(name, bytes, size, &array));
    lam_status status = array_size(name, array.shape, array.n_shape, options, &height, &width);
    if (status == LAM_OK)
        status = lam_images_allocate(name, array.shape[0], height, width, out);
    if (status == LAM_OK)
        lam_images_fill_bytes(array.values, out);
    lam_pickled_clear(&array);
    out->format = "pickle";
    return status;
}

/* ---- what a file is ----------------------------------------------------------------------------------------------- */

typedef enum file_kind { KIND_IDX, KIND_MAT, KIND_MAT4, KIND_HDF5, KIND_PICKLE, KIND_ZIP, KIND_NPY, KIND_PNG, KIND_UNKNOWN } file_kind;

static int begins(const unsigned char *bytes, size_t size, const char *with, size_t n)
{
    return size >= n && memcmp(bytes, with, n) == 0;
}

/* A pickle of protocol 2 or later says so; an older one begins with an opcode that takes a line or a mark and ends in '.'. */
static int is_pickle(const unsigned char *bytes, size_t size)
{
    if (size >= 2 && bytes[0] == 0x80)
        return 1;
    return size >= 2 && bytes[size - 1] == '.' && strchr("(]})cSVILKN", bytes[0]) != NULL && bytes[0] != '\0';
}

static file_kind kind_of(const unsigned char *bytes, size_t size)
{
    if (size >= 4 && bytes[0] == 0 && bytes[1] == 0 && bytes[2] >= 0x08 && bytes[2] <= 0x0e && bytes[3] >= 1 && bytes[3] <= 4)
        return KIND_IDX;
    if (begins(bytes, size, "PK\3\4", 4) || begins(bytes, size, "PK\5\6", 4))
        return KIND_ZIP;
    if (begins(bytes, size, "\x93NUMPY", 6))
        return KIND_NPY;
    if (lam_png_begins(bytes, size))
        return KIND_PNG;
    /* a header of text ends in a byte-order mark */
    if (size >= 128 && (memcmp(bytes + 126, "IM", 2) == 0 || memcmp(bytes + 126, "MI", 2) == 0))
        return KIND_MAT;
    if (begins(bytes, size, "\x89HDF\r\n\x1a\n", 8))
        return KIND_HDF5;
    if (lam_mat4_begins(bytes, size))
        return KIND_MAT4;
    return is_pickle(bytes, size) ? KIND_PICKLE : KIND_UNKNOWN;
}

static lam_status unknown(const char *name, const unsigned char *bytes, size_t size)
{
    char shown[3 * 8 + 1] = "";
    for (size_t i = 0; i < size && i < 8; i++)
        snprintf(shown + 3 * i, 4, " %02x", bytes[i]);
    if (size == 0)
        return lam_fail(LAM_ERR_FORMAT, "%s: is empty", name);
    return lam_fail(LAM_ERR_FORMAT, "%s: holds no images in a known format (it begins with%s); idx, .mat, .npy, a zip or a "
        "folder of PNG, and a pickle of one NumPy array are read", name, shown);
}

/* Negative, and a size that is not the one asked for. A zip's images have been made that size. */
static lam_status finish(const char *name, const lam_images_options *options, lam_images *out)
{
    if (options->height != 0 && (out->height != options->height || out->width != options->width))
        return lam_fail(LAM_ERR_SHAPE, "%s: its images are %zu x %zu, %zu x %zu was asked for", name, out->height, out->width,
            options->height, options->width);
    for (size_t i = 0; options->invert && i < out->n * out->height * out->width; i++)
        out->pixels[i] = (unsigned char)(255 - out->pixels[i]);
    return LAM_OK;
}

static lam_status dispatch(const char *name, const unsigned char *bytes, size_t size, const char *damage,
    const lam_images_options *options, lam_images *out)
{
    file_kind kind = kind_of(bytes, size);
    if ((options->height == 0) != (options->width == 0))
        return lam_fail(LAM_ERR_ARGUMENT, "%s: height %zu and width %zu go together; give both or neither", name, options->height,
            options->width);
    if (options->array != NULL && kind != KIND_MAT)
        return lam_fail(LAM_ERR_ARGUMENT, "%s: has no variables to choose \"%s\" from; only a .mat has", name, options->array);
    if (damage != NULL && kind != KIND_IDX)
        return lam_fail(LAM_ERR_FORMAT, "%s: %s; copy or download it again", name, damage);
    switch (kind) {
    case KIND_IDX: return lam_images_idx(name, bytes, size, damage, out);
    case KIND_PICKLE: return lam_images_pickle(name, bytes, size, options, out);
    case KIND_ZIP: return lam_images_zip(name, bytes, size, options, out);
    case KIND_NPY: return lam_images_npy(name, bytes, size, options, out);
    case KIND_MAT: return lam_images_mat(name, bytes, size, options, out);
    case KIND_MAT4: return lam_images_mat4(name, bytes, size);
    case KIND_HDF5:
        return lam_fail(LAM_ERR_UNSUPPORTED, "%s: is an HDF5 file (MATLAB's -v7.3 is one); read its images in Python with h5py and write "
            "them with numpy.save, or in MATLAB save them with -v7", name);
    case KIND_PNG:
        return lam_fail(LAM_ERR_FORMAT, "%s: is one PNG picture; give the folder of the pictures, or a zip of them", name);
    case KIND_UNKNOWN: break;
    }
    return unknown(name, bytes, size);
}

static lam_status read_bytes(const char *name, const unsigned char *bytes, size_t size, const char *damage,
    const lam_images_options *options, lam_images *out)
{
    static const lam_images_options none;
    if (options == NULL)
        options = &none;
    lam_status status = dispatch(name, bytes, size, damage, options, out);
    if (status == LAM_OK)
        status = finish(name, options, out);
    if (status != LAM_OK)
        lam_images_free(out);
    return status;
}

lam_status lam_images_read_memory(const char *name, const void *bytes, size_t size, const lam_images_options *options,
    lam_images *out)
{
    *out = (lam_images){ 0 };
    return read_bytes(name, bytes, size, NULL, options, out);
}

/* "file.mat:NAME", unless a file has that very name: a copy of the file's part (free it), and *array in path. NULL if not. */
static char *split_array(const char *path, const char **array)
{
    const char *mark = strstr(path, ".mat:");
    if (mark == NULL || mark[5] == '\0' || access(path, F_OK) == 0)
        return NULL;
    char *file = lam_strdup(path);
    if (file != NULL) {
        file[mark + 4 - path] = '\0';
        *array = mark + 5;
    }
    return file;
}

static lam_status read_folder(const char *path, const lam_images_options *options, lam_images *out)
{
    lam_status status = lam_images_folder(path, options, out);
    if (status == LAM_OK)
        status = finish(path, options, out);
    if (status != LAM_OK)
        lam_images_free(out);
    return status;
}

static lam_status read_file(const char *path, const lam_images_options *options, lam_images *out)
{
    struct stat at;
    char *bytes;
    size_t size;
    const char *damage;
    if (stat(path, &at) == 0 && S_ISDIR(at.st_mode))
        return read_folder(path, options, out);
    LAM_TRY(lam_bytes_read_some(path, LAM_IMAGE_BYTES + (1u << 20), &bytes, &size, &damage));
    lam_status status = read_bytes(path, (const unsigned char *)bytes, size, damage, options, out);
    free(bytes);
    return status;
}

lam_status lam_images_read(const char *path, const lam_images_options *options, lam_images *out)
{
    LAM_NEED(out, "out");
    *out = (lam_images){ 0 };
    LAM_NEED(path, "path");
    lam_images_options chosen = options != NULL ? *options : (lam_images_options){ 0 };
    if (path[0] == '\0')
        return lam_fail(LAM_ERR_ARGUMENT, "no file of images was named");
    char *file = split_array(path, &chosen.array);
    lam_status status = read_file(file != NULL ? file : path, &chosen, out);
    free(file);
    return status;
}
