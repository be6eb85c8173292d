/* PNG pictures as grey bytes. One rule for all kinds of them: numbers are taken as they are stored, whatever gamma, sRGB or colour
 * profile the file names. 16 bits are rounded to 8 (v / 257), palettes and fewer bits are spread to 8, what is transparent is laid on
 * white, and colours become luma: each in turn, rounded to whole numbers, so that the same picture gives the same pixels. */
#include "base/error.h"
#include "base/mem.h"
#include "data/image_formats.h"
#include <stdio.h>
#include <string.h>

#ifdef LAM_HAVE_PNG
#include <png.h>
#include <setjmp.h>

typedef struct reader {
    png_structp png;
    png_infop info;
    const unsigned char *bytes;
    size_t size, at;
    char why[120];                  /* the library's text of an error */
    size_t height, width, channels; /* 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha; of 8 bits each */
    int has_colours;                /* it is stored as RGB, or with a palette */
    unsigned char *samples;         /* [height, width, channels] */
    unsigned char **rows;           /* [height] into samples */
} reader;

static void on_error(png_structp png, png_const_charp text)
{
    reader *r = png_get_error_ptr(png);
    snprintf(r->why, sizeof r->why, "%s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png, (void)text;
}

static void give_bytes(png_structp png, png_bytep out, size_t n)
{
    reader *r = png_get_io_ptr(png);
    if (n > r->size - r->at)
        png_error(png, "it is cut short");
    memcpy(out, r->bytes + r->at, n);
    r->at += n;
}

/* Calls of the library, which leaves them by longjmp: 0, or -1 with r->why. */
static int guarded(reader *r, void (*work)(reader *))
{
    if (setjmp(png_jmpbuf(r->png)) != 0)
        return -1;
    work(r);
    return 0;
}

static void read_head(reader *r)
{
    png_set_read_fn(r->png, r, give_bytes);
    png_set_user_limits(r->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* so that the size is known to the message */
    png_read_info(r->png, r->info);
    r->height = png_get_image_height(r->png, r->info);
    r->width = png_get_image_width(r->png, r->info);
}

static void plan(reader *r)
{
    png_set_scale_16(r->png);
    png_set_expand(r->png); /* palettes, fewer than 8 bits, and the one transparent colour that a file may name */
    (void)png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
    r->channels = png_get_channels(r->png, r->info);
    r->has_colours = r->channels >= 3;
}

static void read_samples(reader *r)
{
    png_read_image(r->png, r->rows);
    png_read_end(r->png, NULL);
}

/* A sample laid on white: rounded as PIL's alpha_composite does. */
static unsigned on_white(unsigned sample, unsigned alpha)
{
    return (2 * (sample * alpha + 255 * (255 - alpha)) + 255) / (2 * 255);
}

/* BT.601's luma, with the fixed-point weights of PIL's convert("L"). */
static unsigned luma(unsigned red, unsigned green, unsigned blue)
{
    return (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16;
}

static void make_grey(const reader *r, lam_picture *out)
{
    size_t c = r->channels;
    for (size_t i = 0; i < r->height * r->width; i++) {
        const unsigned char *s = r->samples + i * c;
        unsigned alpha = c % 2 == 0 ? s[c - 1] : 255, grey = on_white(s[0], alpha);
        if (r->has_colours)
            grey = luma(grey, on_white(s[1], alpha), on_white(s[2], alpha));
        out->pixels[i] = (unsigned char)grey;
        out->is_coloured |= r->has_colours && (s[0] != s[1] || s[0] != s[2]);
        out->is_transparent |= alpha < 255;
    }
}

static lam_status damaged(const char *name, const reader *r)
{
    return lam_fail(LAM_ERR_FORMAT, "%s: the PNG is damaged (%s); copy it again or leave it out", name, r->why);
}

static lam_status read_picture(const char *name, reader *r, lam_picture *out)
{
    if (guarded(r, read_head) != 0)
        return lam_fail(LAM_ERR_FORMAT, "%s: is not a readable PNG (%s); copy it again or leave it out", name, r->why);
    if (r->width > LAM_IMAGE_SIDE || r->height > LAM_IMAGE_SIDE)
        return lam_fail(LAM_ERR_FORMAT, "%s: the picture is %zu x %zu; up to %d pixels a side are read", name, r->height, r->width,
            LAM_IMAGE_SIDE);
    if (guarded(r, plan) != 0)
        return damaged(name, r);
    r->samples = lam_reserve(r->height * r->width * r->channels);
    r->rows = lam_alloc(r->height, sizeof *r->rows);
    out->pixels = lam_alloc(r->height * r->width, 1);
    if (r->samples == NULL || r->rows == NULL || out->pixels == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < r->height; i++)
        r->rows[i] = r->samples + i * r->width * r->channels;
    if (guarded(r, read_samples) != 0)
        return damaged(name, r);
    out->height = r->height, out->width = r->width;
    make_grey(r, out);
    return LAM_OK;
}

lam_status lam_png_read(const char *name, const void *bytes, size_t size, lam_picture *out)
{
    reader r = { .bytes = bytes, .size = size };
    *out = (lam_picture) { 0 };
    r.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r, on_error, on_warning);
    r.info = r.png != NULL ? png_create_info_struct(r.png) : NULL;
    lam_status status = r.info != NULL ? read_picture(name, &r, out)
        : lam_fail(LAM_ERR_MEMORY, "%s: there is no memory for a PNG reader", name);
    png_destroy_read_struct(&r.png, &r.info, NULL);
    lam_free(r.samples);
    lam_free(r.rows);
    if (status != LAM_OK)
        lam_picture_clear(out);
    return status;
}

#else

lam_status lam_png_read(const char *name, const void *bytes, size_t size, lam_picture *out)
{
    (void)bytes, (void)size;
    *out = (lam_picture) { 0 };
    return lam_fail(LAM_ERR_UNSUPPORTED, "%s: is a PNG, which this build does not read; install libpng-dev and build again", name);
}

#endif

int lam_png_begins(const void *bytes, size_t size)
{
    return size >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0;
}

void lam_picture_clear(lam_picture *picture)
{
    lam_free(picture->pixels);
    *picture = (lam_picture) { 0 };
}
