/* PNG pictures as grey bytes, and how they are made smaller. */
#include "base/error.h"
#include "base/mem.h"
#include "data/image_formats.h"
#include <string.h>

#ifdef LAM_HAVE_PNG
#include <png.h>

lam_status lam_png_grey(const char *name, const void *bytes, size_t size, unsigned char **pixels, size_t *height, size_t *width)
{
    png_image image;
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    *pixels = NULL, *height = *width = 0;
    if (!png_image_begin_read_from_memory(&image, bytes, size))
        return lam_fail(LAM_ERR_FORMAT, "%s: is not a readable PNG (%s); copy it again or leave it out", name, image.message);
    if (image.width > LAM_IMAGE_SIDE || image.height > LAM_IMAGE_SIDE) {
        png_image_free(&image);
        return lam_fail(LAM_ERR_FORMAT, "%s: the picture is %u x %u; up to %d pixels a side are read", name, image.height,
            image.width, LAM_IMAGE_SIDE);
    }
    image.format = PNG_FORMAT_GRAY;
    *height = image.height, *width = image.width;
    *pixels = lam_alloc(*height * *width, 1);
    if (*pixels == NULL) {
        png_image_free(&image);
        return LAM_ERR_MEMORY;
    }
    const png_color white = { 255, 255, 255 };
    if (!png_image_finish_read(&image, &white, *pixels, 0, NULL)) {
        lam_free(*pixels);
        *pixels = NULL;
        return lam_fail(LAM_ERR_FORMAT, "%s: the PNG is damaged (%s); copy it again or leave it out", name, image.message);
    }
    return LAM_OK;
}

#else

lam_status lam_png_grey(const char *name, const void *bytes, size_t size, unsigned char **pixels, size_t *height, size_t *width)
{
    (void)bytes, (void)size;
    *pixels = NULL, *height = *width = 0;
    return lam_fail(LAM_ERR_UNSUPPORTED, "%s: is a PNG, which this build does not read; install libpng-dev and build again", name);
}

#endif

/* In units of 1 / (height h) of the picture's height (and so for the width) every edge is a whole number: pixel i goes from
 * i h to (i + 1) h, area r from r height to (r + 1) height. */
void lam_image_shrink(const unsigned char *in, size_t height, size_t width, unsigned char *out, size_t h, size_t w)
{
    for (size_t r = 0; r < h; r++)
        for (size_t c = 0; c < w; c++) {
            size_t top = r * height, bottom = top + height, left = c * width, right = left + width, sum = 0;
            for (size_t i = top / h; i * h < bottom; i++) {
                size_t row = 0, from = i * h > top ? i * h : top, to = (i + 1) * h < bottom ? (i + 1) * h : bottom;
                for (size_t j = left / w; j * w < right; j++) {
                    size_t begin = j * w > left ? j * w : left, end = (j + 1) * w < right ? (j + 1) * w : right;
                    row += (end - begin) * in[i * width + j];
                }
                sum += (to - from) * row;
            }
            out[r * w + c] = (unsigned char)((2 * sum + height * width) / (2 * height * width));
        }
}
