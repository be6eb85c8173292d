/* Which image is trained on, and what its pixels become. */
#include "fails.h"
#include "data/binarise.h"
#include "data/image_parts.h"
#include "laminar/vae.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* n images of 2 x 2, the first two pixels of each telling its number from first on. */
static lam_images numbered(size_t n, size_t first, unsigned char *pixels)
{
    for (size_t i = 0; i < n; i++) {
        size_t number = first + i;
        memcpy(pixels + 4 * i, (unsigned char[4]){ (unsigned char)number, (unsigned char)(number >> 8), 7, 9 }, 4);
    }
    return (lam_images){ .n = n, .height = 2, .width = 2, .pixels = pixels };
}

static size_t number_in(const lam_image_parts *p, int part, size_t i)
{
    const unsigned char *x = p->pixels[part] + 4 * i;
    return (size_t)x[0] | (size_t)x[1] << 8;
}

/* Frey Faces' split: every image in one part, shuffled, the same by the seed; the test rows whatever the validation rows. */
static void shuffled(void **state)
{
    (void)state;
    static unsigned char pixels[4 * 1965], seen[1965];
    lam_images all = numbered(1965, 0, pixels);
    const lam_images *files[LAM_PARTS] = { &all };
    lam_image_parts_options options = { .rows = { 1565, 200, 200 }, .seed = 3 };
    lam_image_parts a, b, c, d;
    assert_int_equal(lam_image_parts_make(files, &options, &a), LAM_OK);
    assert_true(a.rows[LAM_TRAIN] == 1565 && a.rows[LAM_VALID] == 200 && a.rows[LAM_TEST] == 200);
    size_t in_place = 0;
    for (int part = 0; part < LAM_PARTS; part++)
        for (size_t i = 0; i < a.rows[part]; i++) {
            size_t number = a.number[part][i];
            assert_int_equal(number_in(&a, part, i), number);
            assert_int_equal(seen[number]++, 0);
            in_place += part == LAM_TRAIN && number == i;
        }
    assert_true(in_place < 20); /* about 1 in the mean */
    assert_int_equal(lam_image_parts_make(files, &options, &b), LAM_OK);
    assert_memory_equal(a.pixels[LAM_TRAIN], b.pixels[LAM_TRAIN], 4 * 1565);
    options.rows[LAM_TRAIN] = 0, options.rows[LAM_VALID] = 300;
    assert_int_equal(lam_image_parts_make(files, &options, &c), LAM_OK);
    assert_int_equal(c.rows[LAM_TRAIN], 1465);
    assert_memory_equal(a.pixels[LAM_TEST], c.pixels[LAM_TEST], 4 * 200);
    options.seed = 4;
    assert_int_equal(lam_image_parts_make(files, &options, &d), LAM_OK);
    assert_memory_not_equal(c.pixels[LAM_TEST], d.pixels[LAM_TEST], 4 * 200);
    lam_image_parts_free(&a), lam_image_parts_free(&b), lam_image_parts_free(&c), lam_image_parts_free(&d);
}

/* MNIST's: a part of the training file validates, the test file tests, in its order; numbers are places in the image's own file. */
static void files_of_their_own(void **state)
{
    (void)state;
    unsigned char pixels[400], more[200], third[40];
    lam_images train = numbered(100, 0, pixels), test = numbered(50, 1000, more), valid = numbered(10, 500, third);
    const lam_images *files[LAM_PARTS] = { [LAM_TRAIN] = &train, [LAM_TEST] = &test };
    lam_image_parts_options options = { .rows = { 0, 20, 0 } };
    lam_image_parts a;
    assert_int_equal(lam_image_parts_make(files, &options, &a), LAM_OK);
    assert_true(a.rows[LAM_TRAIN] == 80 && a.rows[LAM_VALID] == 20 && a.rows[LAM_TEST] == 50);
    for (int part = LAM_TRAIN; part <= LAM_VALID; part++)
        for (size_t i = 0; i < a.rows[part]; i++)
            assert_int_equal(number_in(&a, part, i), a.number[part][i]);
    for (size_t i = 0; i < 50; i++) {
        assert_int_equal(number_in(&a, LAM_TEST, i), 1000 + i);
        assert_int_equal(a.number[LAM_TEST][i], i);
    }
    lam_image_parts_free(&a);
    files[LAM_VALID] = &valid;
    options.rows[LAM_VALID] = 0, options.rows[LAM_TEST] = 30, options.rows[LAM_TRAIN] = 60;
    assert_int_equal(lam_image_parts_make(files, &options, &a), LAM_OK);
    assert_true(a.rows[LAM_TRAIN] == 60 && a.rows[LAM_VALID] == 10 && a.rows[LAM_TEST] == 30);
    assert_int_equal(a.number[LAM_VALID][9], 9);
    assert_int_equal(a.number[LAM_TEST][0], 0);
    assert_int_equal(number_in(&a, LAM_VALID, 0), 500);
    lam_image_parts_free(&a);
}

static void refusals(void **state)
{
    (void)state;
    unsigned char pixels[40], more[16];
    lam_images all = numbered(10, 0, pixels), other = numbered(2, 0, more);
    const lam_images *files[LAM_PARTS] = { &all };
    lam_image_parts a;
    FAILS(lam_image_parts_make(files, &(lam_image_parts_options){ .rows = { 0, 4, 11 } }, &a), LAM_ERR_DATA,
        "11 test images are asked for, 10 are left");
    FAILS(lam_image_parts_make(files, &(lam_image_parts_options){ .rows = { 0, 4, 7 } }, &a), LAM_ERR_DATA,
        "4 validation images are asked for, 3 are left");
    FAILS(lam_image_parts_make(files, &(lam_image_parts_options){ .rows = { 0, 5, 5 } }, &a), LAM_ERR_DATA, "0 of 10 are left");
    FAILS(lam_image_parts_make(files, &(lam_image_parts_options){ .rows = { 9, 1, 1 } }, &a), LAM_ERR_DATA,
        "9 training images are asked for, 8 of 10");
    other.height = 1, other.width = 4, files[LAM_TEST] = &other;
    FAILS(lam_image_parts_make(files, NULL, &a), LAM_ERR_SHAPE, "the test images are 1 x 4, the training images 2 x 2");
    other.height = 2, other.width = 2;
    FAILS(lam_image_parts_make(files, &(lam_image_parts_options){ .rows = { 0, 0, 3 } }, &a), LAM_ERR_DATA, "2 are in their file");
    assert_null(a.pixels[LAM_TRAIN]);
    files[LAM_TRAIN] = NULL;
    FAILS(lam_image_parts_make(files, NULL, &a), LAM_ERR_ARGUMENT, "no training images");
}

enum { N = 400, SIZE = 30 };

/* pixel k of every image is level(k). */
static unsigned char level(size_t k)
{
    return k == 0 ? 0 : k == 1 ? 255 : (unsigned char)(9 * k);
}

/* The share of ones is pixel / 255, within 5 standard deviations of 400 draws each; black and white are certain. */
static void frequencies(void **state)
{
    (void)state;
    static unsigned char in[N * SIZE], out[N * SIZE];
    for (size_t i = 0; i < N * SIZE; i++)
        in[i] = level(i % SIZE);
    for (int how = LAM_BINARISE_FIXED; how <= LAM_BINARISE_FRESH; how++) {
        lam_binarise_pixels(&(lam_binarisation){ (lam_binarise)how, 8, 3 }, NULL, 0, in, N, SIZE, out);
        for (size_t k = 0; k < SIZE; k++) {
            double p = level(k) / 255.0, ones = 0;
            for (size_t i = 0; i < N; i++) {
                assert_true(out[i * SIZE + k] <= 1);
                ones += out[i * SIZE + k];
            }
            assert_true(fabs(ones - N * p) <= 5 * sqrt(N * p * (1 - p)));
        }
    }
}

/* A bit is that of its seed, epoch, image and pixel, however the images are divided; each of these changes it. */
static void counted(void **state)
{
    (void)state;
    static unsigned char in[N * SIZE], a[N * SIZE], b[N * SIZE];
    static size_t number[N];
    memset(in, 128, sizeof in);
    for (size_t i = 0; i < N; i++)
        number[i] = i;
    lam_binarise_pixels(&(lam_binarisation){ LAM_BINARISE_FRESH, 8, 3 }, NULL, 0, in, N, SIZE, a);
    for (size_t i = N; i-- > 0;) /* one by one, backwards, in place */
        memcpy(b + i * SIZE, in, SIZE), lam_binarise_pixels(&(lam_binarisation){ LAM_BINARISE_FRESH, 8, 3 }, NULL, i, b + i * SIZE, 1, SIZE, b + i * SIZE);
    assert_memory_equal(a, b, sizeof a);
    lam_binarise_pixels(&(lam_binarisation){ LAM_BINARISE_FRESH, 8, 3 }, number, 0, in, N, SIZE, b);
    assert_memory_equal(a, b, sizeof a);
    /* of two independent draws at 128 half agree; 5 standard deviations of 12000 are 274 */
    const struct { lam_binarise how; uint64_t seed, epoch; size_t first; } others[] = { { LAM_BINARISE_FRESH, 9, 3, 0 },
        { LAM_BINARISE_FRESH, 8, 4, 0 }, { LAM_BINARISE_FIXED, 8, 3, 0 }, { LAM_BINARISE_FRESH, 8, 3, 1 }, { LAM_BINARISE_FRESH, 8, 3, N } };
    for (size_t k = 0; k < sizeof others / sizeof *others; k++) {
        int agree = 0;
        lam_binarise_pixels(&(lam_binarisation){ others[k].how, others[k].seed, others[k].epoch }, NULL, others[k].first, in, N, SIZE, b);
        for (size_t i = 0; i < N * SIZE; i++)
            agree += a[i] == b[i];
        assert_in_range(agree, N * SIZE / 2 - 274, N * SIZE / 2 + 274);
    }
    lam_binarise_pixels(&(lam_binarisation){ LAM_BINARISE_FIXED, 8, 0 }, NULL, 0, in, N, SIZE, a);
    lam_binarise_pixels(&(lam_binarisation){ LAM_BINARISE_FIXED, 8, 5 }, NULL, 0, in, N, SIZE, b);
    assert_memory_equal(a, b, sizeof a); /* no epoch in a fixed draw */
    lam_binarise_pixels(&(lam_binarisation){ LAM_BINARISE_FRESH, 8, 0 }, NULL, 0, in, N, SIZE, b);
    assert_memory_not_equal(a, b, sizeof a);
}

/* Philox bits of these counters, so that no later change redraws a published binarisation unseen. */
static void pinned(void **state)
{
    (void)state;
    unsigned char in[16], out[16];
    memset(in, 100, sizeof in);
    lam_binarise_pixels(&(lam_binarisation){ LAM_BINARISE_FIXED, 1, 0 }, NULL, 5, in, 1, 16, out);
    assert_memory_equal(out, "\0\1\1\1\0\0\0\1\1\1\0\1\1\1\0\0", 16);
}

static void certain(void **state)
{
    (void)state;
    const unsigned char in[4] = { 0, 127, 128, 255 };
    unsigned char out[4];
    lam_binarise_pixels(&(lam_binarisation){ LAM_BINARISE_THRESHOLD, 1, 1 }, NULL, 0, in, 2, 2, out);
    assert_memory_equal(out, "\0\0\1\1", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shuffled), cmocka_unit_test(files_of_their_own), cmocka_unit_test(refusals), cmocka_unit_test(frequencies),
        cmocka_unit_test(counted), cmocka_unit_test(pinned), cmocka_unit_test(certain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
