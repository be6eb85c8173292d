/* Pictures of any sizes and kinds as a set of images: ink on nothing, all of one size, and a note of what that took. */
#include "base/error.h"
#include "base/mem.h"
#include "data/image_formats.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Pixels of all pictures together: far beyond any real set. */
#define TOTAL_PIXELS ((size_t)1 << 32)

/* In units of 1 / (height h) of the picture's height (and so for the width) every edge is a whole number: pixel i goes from
 * i h to (i + 1) h, area r from r height to (r + 1) height. */
void lam_image_resize(const unsigned char *in, size_t height, size_t width, unsigned char *out, size_t h, size_t w)
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

/* What the pictures were, for the note. */
typedef struct census {
    size_t resized, stretched, coloured, transparent;
    size_t pixels;            /* of all */
    size_t least[2], most[2]; /* height and width of the smallest and of the largest picture that was resized */
} census;

static void count(census *c, const lam_picture *p, const lam_images *out)
{
    c->coloured += p->is_coloured ? 1 : 0;
    c->transparent += p->is_transparent ? 1 : 0;
    if (p->height == out->height && p->width == out->width)
        return;
    c->stretched += p->height * out->width != p->width * out->height ? 1 : 0;
    if (c->resized == 0 || p->height * p->width < c->least[0] * c->least[1])
        c->least[0] = p->height, c->least[1] = p->width;
    if (p->height * p->width > c->most[0] * c->most[1])
        c->most[0] = p->height, c->most[1] = p->width;
    c->resized++;
}

/* Adds a line to the note. */
__attribute__((format(printf, 2, 3)))
static void add(lam_images *out, const char *format, ...)
{
    size_t used = strlen(out->note);
    if (used + 3 > sizeof out->note) /* no room for more; what it says is longer than its parts ever are */
        return;
    if (used > 0)
        used += (size_t)snprintf(out->note + used, sizeof out->note - used, "\n");
    va_list list;
    va_start(list, format);
    vsnprintf(out->note + used, sizeof out->note - used, format, list);
    va_end(list);
}

static const char *pictures(size_t n)
{
    return n == 1 ? "picture is" : "pictures are";
}

static void write_note(const lam_picture_files *files, const census *c, lam_images *out)
{
    char from[100];
    snprintf(from, sizeof from, "%zux%zu", c->least[0], c->least[1]);
    if (c->least[0] != c->most[0] || c->least[1] != c->most[1])
        snprintf(from, sizeof from, "sizes between %zux%zu and %zux%zu", c->least[0], c->least[1], c->most[0], c->most[1]);
    if (c->resized > 0)
        add(out, "%zu of %zu %s resized to %zux%zu, from %s%s", c->resized, files->n, pictures(files->n), out->height, out->width, from,
            c->stretched > 0 ? "; those of another ratio of height to width are stretched" : "");
    if (c->coloured > 0)
        add(out, "%zu colour %s turned grey (0.299 red + 0.587 green + 0.114 blue)", c->coloured, pictures(c->coloured));
    if (c->transparent > 0)
        add(out, "%zu %s partly transparent and laid on white", c->transparent, pictures(c->transparent));
    if (files->others > 0)
        add(out, "%zu %s not PNG and left out", files->others, files->others == 1 ? "file is" : "files are");
}

/* Picture i, made ink and resized, to `to`. */
static lam_status add_picture(const lam_picture_files *files, size_t i, lam_images *out, census *c, unsigned char *to)
{
    char label[512];
    unsigned char *bytes;
    size_t size;
    lam_picture p;
    LAM_TRY(files->read(files->self, i, &bytes, &size));
    snprintf(label, sizeof label, "%.300s: %.200s", files->label, files->name(files->self, i));
    lam_status status = lam_png_read(label, bytes, size, &p);
    lam_free(bytes);
    LAM_TRY(status);
    for (size_t k = 0; k < p.height * p.width; k++)
        p.pixels[k] = (unsigned char)(255 - p.pixels[k]);
    lam_image_resize(p.pixels, p.height, p.width, to, out->height, out->width);
    count(c, &p, out);
    c->pixels += p.height * p.width;
    lam_picture_clear(&p);
    return c->pixels <= TOTAL_PIXELS ? LAM_OK
        : lam_fail(LAM_ERR_FORMAT, "%s: its pictures have more pixels than are read of one set, 2^32", files->label);
}

lam_status lam_images_pictures(const lam_picture_files *files, const lam_images_options *options, lam_images *out)
{
    census c = { 0 };
    int binary = 1;
    LAM_TRY(lam_images_allocate(files->label, files->n, options->height != 0 ? options->height : 28,
        options->width != 0 ? options->width : 28, out));
    size_t pixels = out->height * out->width;
    for (size_t i = 0; i < files->n; i++) {
        unsigned char *to = out->pixels + i * pixels;
        LAM_TRY(add_picture(files, i, out, &c, to));
        for (size_t k = 0; k < pixels; k++)
            binary &= to[k] == 0 || to[k] == 255;
    }
    out->binary = binary && c.resized == 0;
    out->resized = c.resized;
    out->skipped = files->others;
    write_note(files, &c, out);
    return LAM_OK;
}
