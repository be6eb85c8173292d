/* Grids of images, read back with libpng. */
#include "fails.h"
#include "laminar.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "scratch.h"
#include "laminar/vae.h"

#ifdef LAM_HAVE_PNG
#include <png.h>

/* The picture of a file; free with free(). */
static unsigned char *load(const char *path, size_t *height, size_t *width)
{
    png_image image;
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    assert_true(png_image_begin_read_from_file(&image, path));
    assert_int_equal(image.format, PNG_FORMAT_GRAY);
    unsigned char *pixels = malloc(PNG_IMAGE_SIZE(image));
    assert_true(png_image_finish_read(&image, NULL, pixels, 0, NULL));
    *height = image.height, *width = image.width;
    return pixels;
}

/* Two rows of two images of 1 x 2 at gap 1, the last place empty: 128 is what is around them. */
static void plain(void **state)
{
    (void)state;
    const unsigned char shades[6] = { 1, 2, 3, 4, 5, 255 };
    const unsigned char wanted[5 * 7] = {
        128, 128, 128, 128, 128, 128, 128,
        128, 1, 2, 128, 3, 4, 128,
        128, 128, 128, 128, 128, 128, 128,
        128, 5, 255, 128, 128, 128, 128,
        128, 128, 128, 128, 128, 128, 128 };
    lam_image_grid grid = { .rows = 2, .columns = 2, .height = 1, .width = 2, .bytes = shades, .n = 3, .gap = 1 };
    const char *path = scratch_path("a.png");
    size_t height, width;
    assert_int_equal(lam_image_grid_write(&grid, path), LAM_OK);
    unsigned char *pixels = load(path, &height, &width);
    assert_true(height == 5 && width == 7);
    assert_memory_equal(pixels, wanted, sizeof wanted);
    free(pixels);
    /* the same as numbers, which are rounded and cut to [0, 1] */
    const double reals[6] = { 1 / 255.0, 2 / 255.0, 3.4 / 255, 3.6 / 255, 5 / 255.0, 17 };
    grid.bytes = NULL, grid.reals = reals;
    assert_int_equal(lam_image_grid_write(&grid, path), LAM_OK);
    pixels = load(path, &height, &width);
    assert_memory_equal(pixels, wanted, sizeof wanted);
    free(pixels);
}

/* A leading column and row stand apart by four gaps; every pixel is 2 x 2. */
static void set_apart(void **state)
{
    (void)state;
    const unsigned char shades[4] = { 10, 20, 30, 40 };
    lam_image_grid grid = { .rows = 2, .columns = 2, .height = 1, .width = 1, .bytes = shades, .n = 4, .gap = 1, .scale = 2,
        .lead_columns = 1, .lead_rows = 1 };
    const char *path = scratch_path("b.png");
    size_t height, width;
    assert_int_equal(lam_image_grid_write(&grid, path), LAM_OK);
    unsigned char *pixels = load(path, &height, &width);
    assert_true(height == 10 && width == 10); /* 1 + 2 + 4 + 2 + 1 */
    for (size_t i = 0; i < 10; i++)
        for (size_t j = 0; j < 10; j++) {
            int row = i == 1 || i == 2 ? 0 : i == 7 || i == 8 ? 1 : -1, column = j == 1 || j == 2 ? 0 : j == 7 || j == 8 ? 1 : -1;
            assert_int_equal(pixels[i * 10 + j], row < 0 || column < 0 ? 128 : shades[2 * row + column]);
        }
    free(pixels);
}

static void refusals(void **state)
{
    (void)state;
    const double reals[2] = { 0.5, NAN };
    const char *path = scratch_text("kept.png", "as it was");
    lam_image_grid grid = { .rows = 1, .columns = 1, .height = 1, .width = 2, .reals = reals, .n = 1 };
    FAILS(lam_image_grid_write(&grid, path), LAM_ERR_DATA, "pixel 2 of image 1 is NaN");
    FILE *f = fopen(path, "rb");
    char text[16] = "";
    assert_int_equal(fread(text, 1, 15, f), 9);
    fclose(f);
    assert_string_equal(text, "as it was");
    grid.n = 2;
    FAILS(lam_image_grid_write(&grid, path), LAM_ERR_ARGUMENT, "2 images do not fit 1 x 1 places");
    grid.n = 0;
    FAILS(lam_image_grid_write(&grid, path), LAM_ERR_ARGUMENT, "there are no images");
    grid.n = 1, grid.scale = 40000;
    FAILS(lam_image_grid_write(&grid, path), LAM_ERR_ARGUMENT, "too large");
    grid.scale = SIZE_MAX;
    FAILS(lam_image_grid_write(&grid, path), LAM_ERR_ARGUMENT, "too large");
    grid.scale = 1, grid.rows = SIZE_MAX;
    FAILS(lam_image_grid_write(&grid, path), LAM_ERR_ARGUMENT, "too large");
    grid.rows = 1, grid.reals = (const double[2]){ 0, 1 };
    FAILS(lam_image_grid_write(&grid, scratch_path("no/such/folder.png")), LAM_ERR_IO, "cannot write");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(plain), cmocka_unit_test(set_apart), cmocka_unit_test(refusals) };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}

#else

static void says_what_is_missing(void **state)
{
    (void)state;
    lam_image_grid grid = { .rows = 1, .columns = 1, .height = 1, .width = 1, .bytes = (const unsigned char *)"x", .n = 1 };
    FAILS(lam_image_grid_write(&grid, scratch_path("a.png")), LAM_ERR_UNSUPPORTED, "install libpng-dev");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(says_what_is_missing) };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}

#endif
