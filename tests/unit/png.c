/* The same picture gives the same pixels, however its PNG stores it: every kind is written by libpng beside its twin of 8 bits. */
#include "data/image_formats.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "scratch.h"
#include "laminar/vae.h"
#include "laminar/plot.h"
#include <sys/stat.h>

#ifdef LAM_HAVE_PNG
#include <png.h>

enum { HIGH = 5, WIDE = 7, PIXELS = HIGH * WIDE };

/* What a file is to hold: samples of 16 bits are given as 8, and written times 257 plus `beside`. */
typedef struct picture {
    int type, bits, interlace;
    unsigned char samples[PIXELS * 4];
    const png_color *palette;
    int n_palette;
    const png_color_16 *transparent; /* tRNS of a colour, or */
    const unsigned char *alpha;      /* of palette entries */
    int beside;
    void (*tags)(png_structp png, png_infop info);
} picture;

static size_t channels_of(int type)
{
    return type == PNG_COLOR_TYPE_GRAY || type == PNG_COLOR_TYPE_PALETTE ? 1 : type == PNG_COLOR_TYPE_GRAY_ALPHA ? 2
        : type == PNG_COLOR_TYPE_RGB ? 3 : 4;
}

static bytes *write_png(const picture *p)
{
    static bytes out;
    char *memory;
    size_t size, row_samples = WIDE * channels_of(p->type);
    unsigned char row[WIDE * 8], *rows[HIGH], all[HIGH][WIDE * 8];
    FILE *stream = open_memstream(&memory, &size);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, stream);
    png_set_IHDR(png, info, WIDE, HIGH, p->bits, p->type, p->interlace, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (p->palette != NULL)
        png_set_PLTE(png, info, p->palette, p->n_palette);
    if (p->transparent != NULL || p->alpha != NULL)
        png_set_tRNS(png, info, p->alpha, p->alpha != NULL ? p->n_palette : 0, p->transparent);
    if (p->tags != NULL)
        p->tags(png, info);
    png_write_info(png, info);
    png_set_packing(png);
    for (size_t i = 0; i < HIGH; i++) {
        const unsigned char *from = p->samples + i * row_samples;
        for (size_t k = 0; k < row_samples; k++)
            if (p->bits == 16) {
                unsigned value = from[k] * 257u;
                value = p->beside < 0 && value > 0 ? value - (unsigned)-p->beside : p->beside > 0 && value < 65535 ? value
                    + (unsigned)p->beside : value;
                row[2 * k] = (unsigned char)(value >> 8), row[2 * k + 1] = (unsigned char)value;
            } else {
                row[k] = from[k];
            }
        memcpy(all[i], row, sizeof row);
        rows[i] = all[i];
    }
    png_write_image(png, rows);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    fclose(stream);
    out.size = 0;
    put_bytes(&out, memory, size);
    free(memory);
    return &out;
}

static lam_picture read_png(const picture *p)
{
    lam_picture out;
    const bytes *file = write_png(p);
    if (lam_png_read("test", file->data, file->size, &out) != LAM_OK)
        fail_msg("%s", lam_last_error());
    assert_true(out.height == HIGH && out.width == WIDE);
    return out;
}

/* The file's pixels are these. */
static void gives(const picture *p, const unsigned char want[PIXELS])
{
    lam_picture got = read_png(p);
    for (size_t i = 0; i < PIXELS; i++)
        if (got.pixels[i] != want[i])
            fail_msg("type %d, %d bits: pixel %zu is %d, not %d", p->type, p->bits, i, got.pixels[i], want[i]);
    lam_picture_clear(&got);
}

/* Levels from 0 to 255, evenly. */
static unsigned char level(size_t i)
{
    return (unsigned char)(i * 255 / (PIXELS - 1));
}

/* as PIL: Image.alpha_composite of white and the picture */
static unsigned char on_white(unsigned v, unsigned a)
{
    return (unsigned char)(((double)v * a + 255.0 * (255 - a)) / 255 + 0.5);
}

static void grey_of_all_depths(void **state)
{
    (void)state;
    unsigned char want[PIXELS];
    picture eight = { .type = PNG_COLOR_TYPE_GRAY, .bits = 8 }, sixteen = { .type = PNG_COLOR_TYPE_GRAY, .bits = 16 };
    for (size_t i = 0; i < PIXELS; i++)
        want[i] = eight.samples[i] = sixteen.samples[i] = level(i);
    gives(&eight, want);
    for (sixteen.beside = -128; sixteen.beside <= 128; sixteen.beside += 64) /* all that rounds to the same */
        gives(&sixteen, want);
    sixteen.beside = 0;
    eight.interlace = sixteen.interlace = PNG_INTERLACE_ADAM7;
    gives(&eight, want);
    gives(&sixteen, want);
    for (int bits = 1; bits <= 4; bits *= 2) {
        picture few = { .type = PNG_COLOR_TYPE_GRAY, .bits = bits };
        int most = (1 << bits) - 1;
        for (size_t i = 0; i < PIXELS; i++) {
            few.samples[i] = (unsigned char)(i % (size_t)(most + 1));
            want[i] = (unsigned char)(few.samples[i] * 255 / most);
        }
        gives(&few, want);
    }
}

static void alpha_on_white(void **state)
{
    (void)state;
    unsigned char want[PIXELS];
    for (int bits = 8; bits <= 16; bits += 8) {
        picture la = { .type = PNG_COLOR_TYPE_GRAY_ALPHA, .bits = bits }, rgba = { .type = PNG_COLOR_TYPE_RGB_ALPHA, .bits = bits };
        for (size_t i = 0; i < PIXELS; i++) {
            unsigned char grey = level(PIXELS - 1 - i), alpha = level((3 * i) % PIXELS);
            la.samples[2 * i] = grey, la.samples[2 * i + 1] = alpha;
            memset(rgba.samples + 4 * i, grey, 3);
            rgba.samples[4 * i + 3] = alpha;
            want[i] = on_white(grey, alpha);
        }
        gives(&la, want);
        gives(&rgba, want); /* a grey of three equal channels is that grey */
        lam_picture got = read_png(&rgba);
        assert_true(got.is_transparent && !got.is_coloured);
        lam_picture_clear(&got);
    }
}

static void colours(void **state)
{
    (void)state;
    unsigned char want[PIXELS];
    png_color palette[PIXELS];
    picture rgb8 = { .type = PNG_COLOR_TYPE_RGB, .bits = 8 }, rgb16 = { .type = PNG_COLOR_TYPE_RGB, .bits = 16 };
    picture indexed = { .type = PNG_COLOR_TYPE_PALETTE, .bits = 8, .palette = palette, .n_palette = PIXELS };
    for (size_t i = 0; i < PIXELS; i++) {
        unsigned char r = level(i), g = level((5 * i) % PIXELS), b = level((11 * i) % PIXELS);
        unsigned char *at = rgb8.samples + 3 * i;
        at[0] = r, at[1] = g, at[2] = b;
        memcpy(rgb16.samples + 3 * i, at, 3);
        palette[i] = (png_color) { r, g, b };
        indexed.samples[i] = (unsigned char)i;
        want[i] = (unsigned char)((19595u * r + 38470u * g + 7471u * b + 0x8000) >> 16); /* PIL's convert("L") */
        assert_true(want[i] <= 0.299 * r + 0.587 * g + 0.114 * b + 0.51 && want[i] >= 0.299 * r + 0.587 * g + 0.114 * b - 0.51);
    }
    gives(&rgb8, want);
    gives(&rgb16, want);
    gives(&indexed, want);
    lam_picture got = read_png(&indexed);
    assert_true(got.is_coloured && !got.is_transparent);
    lam_picture_clear(&got);
}

/* A palette of sixteen greys with alpha, in four bits; one colour of a grey or RGB file that is named as transparent. */
static void transparent_colours(void **state)
{
    (void)state;
    unsigned char want[PIXELS], alpha[16];
    png_color palette[16];
    picture indexed = { .type = PNG_COLOR_TYPE_PALETTE, .bits = 4, .palette = palette, .n_palette = 16, .alpha = alpha };
    for (size_t i = 0; i < 16; i++) {
        unsigned char grey = (unsigned char)(17 * i);
        palette[i] = (png_color) { grey, grey, grey };
        alpha[i] = (unsigned char)(255 - 9 * i);
    }
    for (size_t i = 0; i < PIXELS; i++) {
        indexed.samples[i] = (unsigned char)(i % 16);
        want[i] = on_white(palette[i % 16].red, alpha[i % 16]);
    }
    gives(&indexed, want);
    for (int bits = 8; bits <= 16; bits += 8) {
        unsigned named = bits == 16 ? 257u * level(4) : level(4);
        const png_color_16 one = { .gray = (png_uint_16)named, .red = (png_uint_16)named, .green = (png_uint_16)named,
            .blue = (png_uint_16)named };
        picture grey = { .type = PNG_COLOR_TYPE_GRAY, .bits = bits, .transparent = &one };
        picture rgb = { .type = PNG_COLOR_TYPE_RGB, .bits = bits, .transparent = &one };
        for (size_t i = 0; i < PIXELS; i++) {
            grey.samples[i] = want[i] = level(i);
            memset(rgb.samples + 3 * i, level(i), 3);
        }
        want[4] = 255;
        gives(&grey, want);
        gives(&rgb, want);
    }
}

static void gamma_linear(png_structp png, png_infop info)
{
    png_set_gAMA(png, info, 1.0);
}

static void gamma_usual(png_structp png, png_infop info)
{
    png_set_gAMA(png, info, 0.45455);
}

static void srgb(png_structp png, png_infop info)
{
    png_set_sRGB_gAMA_and_cHRM(png, info, PNG_sRGB_INTENT_PERCEPTUAL);
}

static void background(png_structp png, png_infop info)
{
    const png_color_16 black = { 0 };
    png_set_bKGD(png, info, &black);
    png_color_8 bits = { .gray = 5, .red = 5, .green = 5, .blue = 5, .alpha = 5 };
    png_set_sBIT(png, info, &bits);
}

/* What a file says about its colours changes no pixel. */
static void tags(void **state)
{
    (void)state;
    static const int types[] = { PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA };
    void (*const all[])(png_structp, png_infop) = { gamma_linear, gamma_usual, srgb, background };
    for (size_t t = 0; t < 4; t++)
        for (int bits = 8; bits <= 16; bits += 8) {
            picture p = { .type = types[t], .bits = bits };
            size_t n = channels_of(types[t]) * PIXELS;
            for (size_t i = 0; i < n; i++)
                p.samples[i] = (unsigned char)(i * 37 % 256);
            lam_picture plain = read_png(&p);
            for (size_t k = 0; k < 4; k++) {
                p.tags = all[k];
                gives(&p, plain.pixels);
            }
            lam_picture_clear(&plain);
        }
}

/* Every place where the file may end. */
static void cut_short(void **state)
{
    (void)state;
    picture p = { .type = PNG_COLOR_TYPE_RGB_ALPHA, .bits = 16, .interlace = PNG_INTERLACE_ADAM7 };
    const bytes *file = write_png(&p);
    lam_picture out;
    for (size_t n = 0; n < file->size; n++) {
        assert_int_equal(lam_png_read("cut.png", file->data, n, &out), LAM_ERR_FORMAT);
        assert_true(out.pixels == NULL && strstr(lam_last_error(), "cut.png: ") != NULL);
    }
}

/* ---- resizing and folders ----------------------------------------------------------------------------------------- */

/* Every pixel of a larger image is the mean of what lies under it. */
static void enlarge(void **state)
{
    (void)state;
    unsigned char out[9];
    lam_image_resize((const unsigned char[2]){ 10, 200 }, 1, 2, out, 2, 4);
    assert_memory_equal(out, "\x0a\x0a\xc8\xc8\x0a\x0a\xc8\xc8", 8);
    lam_image_resize((const unsigned char[2]){ 0, 90 }, 1, 2, out, 1, 3); /* the middle one has half of each */
    assert_true(out[0] == 0 && out[1] == 45 && out[2] == 90);
}

static void make_folder(const char *name)
{
    assert_int_equal(mkdir(scratch_path(name), 0700), 0);
}

/* A grey picture of one level everywhere. */
static void put_level(const char *name, int type, unsigned char grey)
{
    picture p = { .type = type, .bits = 8 };
    memset(p.samples, grey, sizeof p.samples);
    const bytes *file = write_png(&p);
    scratch_write(name, file->data, file->size);
}

static lam_images read_set(const char *path, const lam_images_options *options)
{
    lam_images out;
    if (lam_images_read(path, options, &out) != LAM_OK)
        fail_msg("%s", lam_last_error());
    return out;
}

/* In the order of their names, those of inner folders too; what is no PNG is counted, whatever it is called. */
static void folder(void **state)
{
    (void)state;
    make_folder("set"), make_folder("set/m"), make_folder("set/m/deep"), make_folder("set/empty");
    put_level("set/z.png", PNG_COLOR_TYPE_GRAY, 40);
    put_level("set/m/b.PNG", PNG_COLOR_TYPE_GRAY, 30);
    put_level("set/m/deep/a", PNG_COLOR_TYPE_RGB, 20);
    put_level("set/a.png", PNG_COLOR_TYPE_GRAY_ALPHA, 10);
    scratch_text("set/readme.txt", "no picture");
    scratch_text("set/m/false.png", "\x89PNG");
    assert_int_equal(symlink("..", scratch_path("set/m/up")), 0);      /* would be a circle */
    assert_int_equal(symlink("nowhere", scratch_path("set/gone")), 0);
    lam_images a = read_set(scratch_path("set"), &(lam_images_options){ .height = HIGH, .width = WIDE });
    assert_true(a.n == 4 && a.skipped == 4 && a.resized == 0);
    assert_string_equal(a.format, "png folder");
    assert_string_equal(a.note, "1 picture is partly transparent and laid on white\n4 files are not PNG and left out");
    static const unsigned char want[4] = { 10, 30, 20, 40 };
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(a.pixels[i * PIXELS], i == 0 ? 255 - on_white(10, 10) : 255 - want[i]);
    lam_images_free(&a);
    a = read_set(scratch_path("set"), NULL);
    assert_true(a.height == 28 && a.width == 28 && a.resized == 4);
    assert_non_null(strstr(a.note, "4 of 4 pictures are resized to 28x28, from 5x7; those of another ratio of height to width are"));
    lam_images_free(&a);
    static const char *const files[] = { "set/z.png", "set/m/b.PNG", "set/m/deep/a", "set/a.png", "set/readme.txt", "set/m/false.png",
        "set/m/up", "set/gone" };
    for (size_t i = 0; i < 8; i++)
        unlink(scratch_path(files[i]));
    static const char *const folders[] = { "set/empty", "set/m/deep", "set/m", "set" };
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(rmdir(scratch_path(folders[i])), 0);
}

static void fails(const char *path, lam_status status, const char *text)
{
    lam_images out;
    assert_int_equal(lam_images_read(path, NULL, &out), status);
    assert_true(out.pixels == NULL);
    if (strstr(lam_last_error(), text) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", text, lam_last_error());
}

static void folder_refusals(void **state)
{
    (void)state;
    make_folder("no");
    fails(scratch_path("no"), LAM_ERR_FORMAT, "is a folder without files");
    scratch_text("no/a.jpg", "\xff\xd8\xff");
    fails(scratch_path("no"), LAM_ERR_FORMAT, "is a folder without PNG pictures: 1 other file is in it (a.jpg); convert");
    scratch_text("no/b.png", "\x89PNG\r\n\x1a\nbroken");
    fails(scratch_path("no"), LAM_ERR_FORMAT, "no: b.png: is not a readable PNG");
    unlink(scratch_path("no/a.jpg")), unlink(scratch_path("no/b.png"));
    assert_int_equal(rmdir(scratch_path("no")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(grey_of_all_depths), cmocka_unit_test(alpha_on_white),
        cmocka_unit_test(colours), cmocka_unit_test(transparent_colours), cmocka_unit_test(tags), cmocka_unit_test(cut_short),
        cmocka_unit_test(enlarge), cmocka_unit_test(folder), cmocka_unit_test(folder_refusals) };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}

#else

int main(void)
{
    puts("skipped: PNG files are written by libpng-dev");
    return 0;
}

#endif
