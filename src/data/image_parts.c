/* Splits images into training, validation and test images. */
#include "data/image_parts.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/random.h"
#include <string.h>

static const char *const part_names[LAM_PARTS] = { "training", "validation", "test" };

void lam_image_parts_free(lam_image_parts *parts)
{
    if (parts == NULL)
        return;
    for (int part = 0; part < LAM_PARTS; part++) {
        lam_free(parts->pixels[part]);
        lam_free(parts->number[part]);
    }
    *parts = (lam_image_parts){ 0 };
}

static lam_status check_files(const lam_images *const files[LAM_PARTS])
{
    const lam_images *first = files[LAM_TRAIN];
    if (first == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "no training images are given");
    for (int part = 0; part < LAM_PARTS; part++)
        if (files[part] != NULL && (files[part]->height != first->height || files[part]->width != first->width))
            return lam_fail(LAM_ERR_SHAPE, "the %s images are %zu x %zu, the training images %zu x %zu", part_names[part],
                files[part]->height, files[part]->width, first->height, first->width);
    return LAM_OK;
}

/* How many rows each part has. From the end, so that *left counts what is not taken yet. */
static lam_status count(const lam_images *const files[LAM_PARTS], const size_t wanted[LAM_PARTS], size_t rows[LAM_PARTS])
{
    size_t left = files[LAM_TRAIN]->n;
    for (int part = LAM_TEST; part > LAM_TRAIN; part--) {
        size_t there = files[part] != NULL ? files[part]->n : left;
        rows[part] = wanted[part] == 0 && files[part] != NULL ? there : wanted[part];
        if (rows[part] > there)
            return lam_fail(LAM_ERR_DATA, "%zu %s images are asked for, %zu are %s", rows[part], part_names[part], there,
                files[part] != NULL ? "in their file" : "left");
        left -= files[part] != NULL ? 0 : rows[part];
    }
    rows[LAM_TRAIN] = wanted[LAM_TRAIN] == 0 ? left : wanted[LAM_TRAIN];
    if (rows[LAM_TRAIN] > left || left == 0)
        return lam_fail(LAM_ERR_DATA, "%zu training images are asked for, %zu of %zu are left; ask for fewer validation and test "
            "images", rows[LAM_TRAIN], left, files[LAM_TRAIN]->n);
    return LAM_OK;
}

/* The part's rows are those from `at` on of the order (NULL: of the file). */
static lam_status copy_rows(lam_image_parts *out, int part, const lam_images *file, const uint64_t *order, size_t at)
{
    size_t pixels = out->height * out->width, n = out->rows[part];
    if (n == 0)
        return LAM_OK;
    out->pixels[part] = lam_alloc(n, pixels);
    out->number[part] = lam_alloc(n, sizeof(size_t));
    if (out->pixels[part] == NULL || out->number[part] == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < n; i++) {
        size_t row = order != NULL ? (size_t)order[at + i] : at + i;
        memcpy(out->pixels[part] + i * pixels, file->pixels + row * pixels, pixels);
        out->number[part][i] = row;
    }
    out->binary = out->binary && file->binary;
    return LAM_OK;
}

static lam_status copy_parts(const lam_images *const files[LAM_PARTS], const uint64_t *order, lam_image_parts *out)
{
    size_t end = files[LAM_TRAIN]->n;
    for (int part = LAM_TEST; part > LAM_TRAIN; part--) {
        if (files[part] != NULL) {
            LAM_TRY(copy_rows(out, part, files[part], NULL, 0));
            continue;
        }
        end -= out->rows[part];
        LAM_TRY(copy_rows(out, part, files[LAM_TRAIN], order, end));
    }
    return copy_rows(out, LAM_TRAIN, files[LAM_TRAIN], order, 0);
}

lam_status lam_image_parts_make(const lam_images *const files[LAM_PARTS], const lam_image_parts_options *options,
    lam_image_parts *out)
{
    static const lam_image_parts_options none;
    *out = (lam_image_parts){ .binary = 1 };
    if (options == NULL)
        options = &none;
    uint64_t *order = NULL;
    lam_status status = check_files(files);
    if (status == LAM_OK)
        status = count(files, options->rows, out->rows);
    if (status == LAM_OK) {
        order = lam_alloc(files[LAM_TRAIN]->n, sizeof *order);
        status = order != NULL ? LAM_OK : LAM_ERR_MEMORY;
    }
    if (status == LAM_OK) {
        lam_random_permutation(options->seed, LAM_DRAW_SPLIT, 0, order, files[LAM_TRAIN]->n);
        out->height = files[LAM_TRAIN]->height, out->width = files[LAM_TRAIN]->width;
        status = copy_parts(files, order, out);
    }
    lam_free(order);
    if (status != LAM_OK)
        lam_image_parts_free(out);
    return status;
}
