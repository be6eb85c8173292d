/* Writes images side by side as one PNG. */
#include "laminar/vae.h"
#include "base/error.h"
#include "base/need.h"

#ifdef LAM_HAVE_PNG
#include "base/file.h"
#include "base/mem.h"
#include <math.h>
#include <png.h>
#include <string.h>

enum { EMPTY = 128, LEAD_GAPS = 4 }; /* grey, which tells black and white images alike from what is around them */
#define MOST_PIXELS ((size_t)1 << 28)
#define MOST_SIDE ((size_t)1 << 16)

/* Pixels of so many images of one size beside each other, 0 if they are too many. */
static size_t length(size_t images, size_t size, const lam_image_grid *grid, size_t lead)
{
    size_t scale = grid->scale != 0 ? grid->scale : 1;
    if (images > MOST_SIDE || size > MOST_SIDE || scale > MOST_SIDE || grid->gap > MOST_SIDE)
        return 0;
    if (size * scale > MOST_SIDE || images * (size * scale + grid->gap) > MOST_SIDE)
        return 0;
    return images * (size * scale + grid->gap) + grid->gap + (lead > 0 && lead < images ? (LEAD_GAPS - 1) * grid->gap : 0);
}

/* Where image i of a row or column begins. */
static size_t offset(size_t i, size_t size, const lam_image_grid *grid, size_t lead)
{
    size_t scale = grid->scale != 0 ? grid->scale : 1;
    return grid->gap + i * (size * scale + grid->gap) + (lead > 0 && i >= lead ? (LEAD_GAPS - 1) * grid->gap : 0);
}

static lam_status check(const lam_image_grid *grid, const char *path)
{
    size_t pixels = grid->height * grid->width;
    if (grid->rows == 0 || grid->columns == 0 || pixels == 0 || grid->n == 0 || (grid->bytes == NULL && grid->reals == NULL))
        return lam_fail(LAM_ERR_ARGUMENT, "cannot draw %s: there are no images", path);
    size_t height = length(grid->rows, grid->height, grid, grid->lead_rows);
    size_t width = length(grid->columns, grid->width, grid, grid->lead_columns);
    if (height == 0 || width == 0 || height > MOST_PIXELS / width)
        return lam_fail(LAM_ERR_ARGUMENT, "cannot draw %s: %zu x %zu images of %zu x %zu at scale %zu are too large; draw fewer, or at "
            "a smaller scale", path, grid->rows, grid->columns, grid->height, grid->width, grid->scale);
    if (grid->n > grid->rows * grid->columns)
        return lam_fail(LAM_ERR_ARGUMENT, "cannot draw %s: %zu images do not fit %zu x %zu places", path, grid->n, grid->rows,
            grid->columns);
    for (size_t i = 0; grid->bytes == NULL && i < grid->n * pixels; i++)
        if (isnan(grid->reals[i]))
            return lam_fail(LAM_ERR_DATA, "cannot draw %s: pixel %zu of image %zu is NaN", path, i % pixels + 1, i / pixels + 1);
    return LAM_OK;
}

static unsigned char byte_of(const lam_image_grid *grid, size_t i)
{
    if (grid->bytes != NULL)
        return grid->bytes[i];
    double v = grid->reals[i];
    return (unsigned char)(255 * (v < 0 ? 0 : v > 1 ? 1 : v) + 0.5);
}

static void draw(const lam_image_grid *grid, size_t image, unsigned char *picture, size_t stride)
{
    size_t scale = grid->scale != 0 ? grid->scale : 1;
    size_t top = offset(image / grid->columns, grid->height, grid, grid->lead_rows);
    size_t left = offset(image % grid->columns, grid->width, grid, grid->lead_columns);
    for (size_t i = 0; i < grid->height * scale; i++)
        for (size_t j = 0; j < grid->width * scale; j++)
            picture[(top + i) * stride + left + j] = byte_of(grid, (image * grid->height + i / scale) * grid->width + j / scale);
}

static lam_status write_png(const unsigned char *picture, size_t height, size_t width, const char *path)
{
    lam_out_file file;
    png_image image;
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    image.width = (png_uint_32)width, image.height = (png_uint_32)height;
    image.format = PNG_FORMAT_GRAY;
    LAM_TRY(lam_out_open(&file, path));
    if (!png_image_write_to_stdio(&image, file.stream, 0, picture, 0, NULL)) {
        lam_out_abandon(&file);
        return lam_fail(LAM_ERR_IO, "cannot write %s: %s; is the disk full?", path, image.message);
    }
    return lam_out_commit(&file);
}

lam_status lam_image_grid_write(const lam_image_grid *grid, const char *path)
{
    LAM_NEED(grid, "grid");
    LAM_NEED(path, "path");
    LAM_TRY(check(grid, path));
    size_t height = length(grid->rows, grid->height, grid, grid->lead_rows);
    size_t width = length(grid->columns, grid->width, grid, grid->lead_columns);
    unsigned char *picture = lam_reserve(height * width);
    if (picture == NULL)
        return LAM_ERR_MEMORY;
    memset(picture, EMPTY, height * width);
    for (size_t i = 0; i < grid->n; i++)
        draw(grid, i, picture, width);
    lam_status status = write_png(picture, height, width, path);
    lam_free(picture);
    return status;
}

#else

lam_status lam_image_grid_write(const lam_image_grid *grid, const char *path)
{
    (void)grid;
    return lam_fail(LAM_ERR_UNSUPPORTED, "cannot write %s: this build has no PNG; install libpng-dev and build again", path);
}

#endif
