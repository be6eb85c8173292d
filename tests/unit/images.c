/* Every format of images, written here by other means than it is read by, and what is refused. */
#include "fails.h"
#include "base/random.h"
#include "data/image_formats.h"
#include "data/images.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "scratch.h"
#include "shared_data.h"
#include "laminar/vae.h"

static lam_images read_images(const char *path, const lam_images_options *options)
{
    lam_images out;
    if (lam_images_read(path, options, &out) != LAM_OK)
        fail_msg("%s", lam_last_error());
    return out;
}

/* Reading fails, and leaves nothing behind. */
static lam_status reading(const char *path, const lam_images_options *options)
{
    lam_images out;
    memset(&out, 0xff, sizeof out);
    lam_status status = lam_images_read(path, options, &out);
    if (status != LAM_OK)
        assert_true(out.pixels == NULL && out.n == 0);
    lam_images_free(&out);
    return status;
}

static void put_big(bytes *b, uint32_t word)
{
    put_bytes(b, (unsigned char[4]){ (unsigned char)(word >> 24), (unsigned char)(word >> 16), (unsigned char)(word >> 8),
        (unsigned char)word }, 4);
}

/* n images of 2 x 3: pixel p of image i is 10 i + p. */
static void put_idx(bytes *b, uint32_t n)
{
    put_big(b, 0x803), put_big(b, n), put_big(b, 2), put_big(b, 3);
    for (uint32_t i = 0; i < n * 6; i++)
        put_bytes(b, (unsigned char[1]){ (unsigned char)(i / 6 * 10 + i % 6) }, 1);
}

static const char *write_gzip(const char *name, const bytes *b)
{
    const char *path = scratch_path(name);
    gzFile file = gzopen(path, "wb");
    assert_int_equal(gzwrite(file, b->data, (unsigned)b->size), (int)b->size);
    assert_int_equal(gzclose(file), Z_OK);
    return path;
}

/* ---- idx ---------------------------------------------------------------------------------------------------------- */

static void idx(void **state)
{
    (void)state;
    bytes *b = calloc(1, sizeof *b);
    put_idx(b, 4);
    const char *paths[2] = { scratch_write("four", b->data, b->size), write_gzip("four.gz", b) };
    for (int k = 0; k < 2; k++) {
        lam_images a = read_images(paths[k], NULL);
        assert_true(a.n == 4 && a.height == 2 && a.width == 3 && !a.binary);
        assert_string_equal(a.format, "idx");
        for (size_t i = 0; i < 24; i++)
            assert_int_equal(a.pixels[i], i / 6 * 10 + i % 6);
        lam_images_free(&a);
        a = read_images(paths[k], &(lam_images_options){ .height = 2, .width = 3, .invert = 1 });
        assert_int_equal(a.pixels[7], 255 - 11);
        lam_images_free(&a);
        FAILS(reading(paths[k], &(lam_images_options){ .height = 3, .width = 2 }), LAM_ERR_SHAPE,
            "its images are 2 x 3, 3 x 2 was asked for");
    }
    FAILS(reading(paths[0], &(lam_images_options){ .height = 2 }), LAM_ERR_ARGUMENT, "give both or neither");
    FAILS(reading(paths[0], &(lam_images_options){ .array = "X" }), LAM_ERR_ARGUMENT, "has no variables");
    free(b);
}

static void idx_cut(void **state)
{
    (void)state;
    bytes *b = calloc(1, sizeof *b);
    put_idx(b, 4);
    FAILS(reading(scratch_write("cut", b->data, b->size - 7), NULL), LAM_ERR_FORMAT,
        "is cut short: 4 images of 2 x 3 are announced, 2 are there");
    FAILS(reading(scratch_write("cut", b->data, 15), NULL), LAM_ERR_FORMAT, "is cut short in its header: 15 bytes of 16");
    FAILS(reading(scratch_write("cut", b->data, 3), NULL), LAM_ERR_FORMAT, "no images in a known format (it begins with 00 00 08)");
    FAILS(reading(scratch_write("cut", b->data, 0), NULL), LAM_ERR_FORMAT, "is empty");
    put_bytes(b, "xyz", 3);
    FAILS(reading(scratch_write("long", b->data, b->size), NULL), LAM_ERR_FORMAT, "goes on for 3 bytes (offset 40)");
    b->size = 4;
    put_big(b, 60000), put_big(b, 70000), put_big(b, 28);
    FAILS(reading(scratch_write("odd", b->data, b->size), NULL), LAM_ERR_FORMAT, "cannot be right");
    b->size = 4;
    put_big(b, 0), put_big(b, 28), put_big(b, 28);
    FAILS(reading(scratch_write("none", b->data, b->size), NULL), LAM_ERR_FORMAT, "holds no image");
    FAILS(reading(scratch_path("absent"), NULL), LAM_ERR_IO, "cannot be read");
    free(b);
}

/* A gzip stream that is cut, and one whose checksum is wrong: what could be unpacked is counted. */
static void gzip_cut(void **state)
{
    (void)state;
    bytes *b = calloc(1, sizeof *b);
    unsigned char *packed = malloc(1 << 17);
    put_big(b, 0x803), put_big(b, 100), put_big(b, 10), put_big(b, 10);
    for (uint64_t i = 0; i < 2500; i++) { /* noise does not pack, so that the middle of the stream is that of the images */
        uint32_t bits[4];
        lam_random_bits(1, LAM_DRAW_TEST, 0, i, bits);
        put_bytes(b, bits, 4);
    }
    FILE *f = fopen(write_gzip("whole.gz", b), "rb");
    size_t size = fread(packed, 1, 1 << 17, f);
    fclose(f);
    const char *path = scratch_write("cut.gz", packed, size / 2);
    FAILS(reading(path, NULL), LAM_ERR_FORMAT, "the gzip file is cut short: 100 images of 10 x 10 are announced, ");
    size_t there = strtoul(strstr(lam_last_error(), "announced, ") + strlen("announced, "), NULL, 10);
    assert_in_range(there, 45, 50);
    packed[size - 6] ^= 1;
    FAILS(reading(scratch_write("flipped.gz", packed, size), NULL), LAM_ERR_FORMAT, "the gzip file is damaged");
    FAILS(reading(scratch_write("head.gz", packed, 12), NULL), LAM_ERR_FORMAT, "gzip file is cut short");
    free(packed);
    free(b);
}

static void idx_of_something_else(void **state)
{
    (void)state;
    const unsigned char labels[12] = { 0, 0, 8, 1, 0, 0, 0, 4, 1, 2, 3, 4 };
    FAILS(reading(scratch_write("t10k-labels-idx1-ubyte", labels, 12), NULL), LAM_ERR_FORMAT,
        "/t10k-images-idx3-ubyte is probably meant");
    FAILS(reading(scratch_write("train-labels.idx1-ubyte.gz", labels, 12), NULL), LAM_ERR_FORMAT,
        "/train-images.idx3-ubyte.gz is probably meant");
    FAILS(reading(scratch_write("y", labels, 12), NULL), LAM_ERR_FORMAT, "holds labels, not images; give the images file");
    FAILS(reading(scratch_write("y", "\0\0\015\3____________", 16), NULL), LAM_ERR_UNSUPPORTED, "of type 0x0d");
    FAILS(reading(scratch_write("y", "\0\0\010\4____________", 16), NULL), LAM_ERR_SHAPE, "of 4 dimensions");
    FAILS(reading(scratch_text("y", "1,2,3\n4,5,6\n"), NULL), LAM_ERR_FORMAT, "31 2c 32 2c");
    FAILS(reading(scratch_write("y", "\x89PNG\r\n\x1a\nabc", 11), NULL), LAM_ERR_FORMAT, "is one PNG picture");
}

/* ---- npy and pickle ----------------------------------------------------------------------------------------------- */

static const char *write_npy(const char *dictionary, const void *data, size_t n)
{
    bytes *b = calloc(1, sizeof *b);
    put_npy(b, dictionary, data, n);
    const char *path = scratch_write("a.npy", b->data, b->size);
    free(b);
    return path;
}

static void npy(void **state)
{
    (void)state;
    const unsigned char data[12] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255 };
    lam_images a = read_images(write_npy("{'descr': '|u1', 'fortran_order': False, 'shape': (3, 2, 2)}", data, 12), NULL);
    assert_true(a.n == 3 && a.height == 2 && a.width == 2 && !a.binary);
    assert_memory_equal(a.pixels, data, 12);
    lam_images_free(&a);
    const char *path = write_npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 6)}", data, 12);
    FAILS(reading(path, NULL), LAM_ERR_SHAPE, "6 pixels each and no shape; give height and width (image-size), such as 3x2");
    FAILS(reading(path, &(lam_images_options){ .height = 2, .width = 2 }), LAM_ERR_SHAPE, "6 pixels each, 2 x 2 was asked for");
    a = read_images(path, &(lam_images_options){ .height = 2, .width = 3 });
    assert_true(a.n == 2 && a.height == 2 && a.width == 3);
    lam_images_free(&a);
    a = read_images(write_npy("{'descr': '|b1', 'fortran_order': False, 'shape': (1, 4)}", "\0\1\1\0", 4), NULL);
    assert_true(a.binary && a.height == 2);
    assert_memory_equal(a.pixels, "\0\xff\xff\0", 4);
    lam_images_free(&a);
    static const char *const channel[] = { "(3, 1, 2, 2)", "(3, 2, 2, 1)" };
    for (size_t k = 0; k < 2; k++) {
        char dictionary[96];
        snprintf(dictionary, sizeof dictionary, "{'descr': '|u1', 'fortran_order': False, 'shape': %s}", channel[k]);
        a = read_images(write_npy(dictionary, data, 12), NULL);
        assert_true(a.n == 3 && a.height == 2 && a.width == 2);
        assert_memory_equal(a.pixels, data, 12);
        lam_images_free(&a);
    }
    FAILS(reading(write_npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2, 2, 3)}", data, 12), NULL), LAM_ERR_SHAPE,
        "1 x 2 x 2 x 3; grey images are [n, height, width]");
    FAILS(reading(write_npy("{'descr': '|u1', 'fortran_order': False, 'shape': (12,)}", data, 12), NULL), LAM_ERR_SHAPE,
        "has 1 dimensions");
    FAILS(reading(write_npy("{'descr': '|i1', 'fortran_order': False, 'shape': (3, 4)}", data, 12), NULL), LAM_ERR_DATA,
        "pixel 4 of image 3 is -1;");
    FAILS(reading(write_npy("{'descr': '|u1', 'fortran_order': False, 'shape': (0, 4)}", data, 0), NULL), LAM_ERR_FORMAT,
        "holds no image");
    FAILS(reading(write_npy("{'descr': '|u1', 'fortran_order': False, 'shape': (3, 0)}", data, 0), NULL), LAM_ERR_FORMAT,
        "holds no image");
}

/* Numbers in [0, 1] are 255ths, rounded; whole numbers may go to 255; NaN and what is neither are refused. */
static void floats(void **state)
{
    (void)state;
    const char *shape = "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 4)}";
    double values[4] = { 0, 0.5, 0.1, 1 };
    lam_images a = read_images(write_npy(shape, values, 32), NULL);
    assert_memory_equal(a.pixels, "\0\x80\x1a\xff", 4); /* 127.5 up, 25.5 up */
    assert_false(a.binary);
    lam_images_free(&a);
    values[1] = 1, values[2] = 1e-9; /* becomes 0, but was no 0 */
    a = read_images(write_npy(shape, values, 32), NULL);
    assert_memory_equal(a.pixels, "\0\xff\0\xff", 4);
    assert_false(a.binary);
    lam_images_free(&a);
    values[2] = 200;
    a = read_images(write_npy(shape, values, 32), NULL);
    assert_memory_equal(a.pixels, "\0\1\xc8\1", 4);
    lam_images_free(&a);
    values[1] = 0.25;
    FAILS(reading(write_npy(shape, values, 32), NULL), LAM_ERR_DATA, "pixel 3 of image 1 is 200, and not all pixels are whole");
    values[1] = NAN;
    FAILS(reading(write_npy(shape, values, 32), NULL), LAM_ERR_DATA, "pixel 2 of image 1 is nan");
    values[1] = 256;
    FAILS(reading(write_npy(shape, values, 32), NULL), LAM_ERR_DATA, "pixel 2 of image 1 is 256");
}

static void pickle(void **state)
{
    (void)state;
    static const char text[] = "(lp0\ncnumpy.core.multiarray\n_reconstruct\np1\n(cnumpy\nndarray\np2\n(I0\ntp3\nS'b'\np4\ntp5\nRp6\n"
        "(I1\n(I2\nI6\ntp7\ncnumpy\ndtype\np8\n(S'u1'\np9\nI0\nI1\ntp10\nRp11\n(I3\nS'|'\np12\nNNNI-1\nI-1\nI0\ntp13\nbI00\n"
        "S'ABCDEFabcdef'\np14\ntp15\nba.";
    const char *path = scratch_text("frey.pkl", text);
    lam_images a = read_images(path, &(lam_images_options){ .height = 3, .width = 2 });
    assert_true(a.n == 2 && a.height == 3 && a.width == 2 && !a.binary);
    assert_memory_equal(a.pixels, "ABCDEFabcdef", 12);
    lam_images_free(&a);
    FAILS(reading(path, NULL), LAM_ERR_SHAPE, "such as 3x2");
    FAILS(reading(scratch_text("evil.pkl", "cos\nsystem\n(S'id'\ntR."), NULL), LAM_ERR_FORMAT, "os.system, which is refused");
}

/* ---- averaging ---------------------------------------------------------------------------------------------------- */

static void shrink(void **state)
{
    (void)state;
    unsigned char out[9];
    /* 3 wide to 2: each half is one pixel and half the middle one; (0 + 90/2) / 1.5 = 30, (90/2 + 255) / 1.5 = 200 */
    lam_image_resize((const unsigned char[3]){ 0, 90, 255 }, 1, 3, out, 1, 2);
    assert_int_equal(out[0], 30);
    assert_int_equal(out[1], 200);
    /* 3 x 3 to 2 x 2: corner (4 a + 2 b + 2 c + d) / 9 with a the corner, d the middle */
    lam_image_resize((const unsigned char[9]){ 90, 18, 0, 36, 45, 0, 0, 0, 255 }, 3, 3, out, 2, 2);
    assert_int_equal(out[0], (360 + 36 + 72 + 45) / 9); /* 57 */
    assert_int_equal(out[3], (4 * 255 + 45 + 4) / 9);   /* 118.33 */
    lam_image_resize((const unsigned char[2]){ 0, 1 }, 1, 2, out, 1, 1);
    assert_int_equal(out[0], 1); /* half is rounded up */
    /* the mean of all stays, to the rounding of each */
    static unsigned char in[105 * 105], small[28 * 28];
    double before = 0, after = 0;
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (unsigned char)((i * 2654435761u) >> 13), before += in[i];
    lam_image_resize(in, 105, 105, small, 28, 28);
    for (size_t i = 0; i < sizeof small; i++)
        after += small[i];
    assert_true(fabs(before / sizeof in - after / sizeof small) < 0.5 / 28 * 4); /* 4 deviations of uniform rounding, and more */
    lam_image_resize(in, 105, 105, in, 105, 105); /* to its own size: as it was, in place */
    assert_int_equal(in[7], (unsigned char)((7 * 2654435761u) >> 13));
}

/* ---- zip of PNG --------------------------------------------------------------------------------------------------- */

#if defined(LAM_HAVE_PNG) && defined(LAM_HAVE_ZIP)
#include <png.h>
#include <zip.h>

/* A grey PNG of so many bits per pixel, as Omniglot's are of one; pixels [height, width] hold that many bits each. */
static void put_png(bytes *b, const unsigned char *pixels, unsigned height, unsigned width, int bits)
{
    char *memory;
    size_t size;
    FILE *stream = open_memstream(&memory, &size);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, stream);
    png_set_IHDR(png, info, width, height, bits, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
        PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    png_set_packing(png);
    for (unsigned i = 0; i < height; i++)
        png_write_row(png, pixels + (size_t)i * width);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    fclose(stream);
    put_bytes(b, memory, size);
    free(memory);
}

typedef struct file {
    const char *name;
    const void *data;
    size_t size;
} file;

static const char *write_zip(const char *name, const file *files, size_t n)
{
    const char *path = scratch_path(name);
    unlink(path);
    zip_t *zip = zip_open(path, ZIP_CREATE, NULL);
    assert_non_null(zip);
    for (size_t i = 0; i < n; i++)
        if (files[i].data == NULL)
            assert_true(zip_dir_add(zip, files[i].name, 0) >= 0);
        else
            assert_true(zip_file_add(zip, files[i].name, zip_source_buffer(zip, files[i].data, files[i].size, 0), 0) >= 0);
    assert_int_equal(zip_close(zip), 0);
    return path;
}

/* Three pictures of 4 x 4, black strokes on white: in the order of their names, ink 255, folders and texts left out. */
static void zip_of_png(void **state)
{
    (void)state;
    static bytes png[3];
    unsigned char pixels[16];
    memset(pixels, 1, 16);
    for (int k = 0; k < 3; k++) {
        png[k].size = 0;
        pixels[5 * k] = 0; /* one more of the diagonal each */
        put_png(&png[k], pixels, 4, 4, 1);
    }
    const file files[] = { { "set/", NULL, 0 }, { "set/b.png", png[1].data, png[1].size }, { "README", "text", 4 },
        { "set/c", png[2].data, png[2].size }, { "set/a.png", png[0].data, png[0].size }, { "set/fake.png", "\x89PNG", 4 } };
    const char *path = write_zip("three.zip", files, 6);
    lam_images a = read_images(path, &(lam_images_options){ .height = 4, .width = 4 });
    assert_true(a.n == 3 && a.height == 4 && a.width == 4 && a.binary && a.skipped == 2);
    assert_string_equal(a.format, "png.zip");
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < 16; i++)
            assert_int_equal(a.pixels[16 * k + i], i % 5 == 0 && i / 5 <= k ? 255 : 0);
    lam_images_free(&a);
    a = read_images(path, &(lam_images_options){ .height = 2, .width = 2 }); /* a quarter of a place is ink, then a half */
    assert_false(a.binary);
    assert_memory_equal(a.pixels, "\x40\0\0\0" "\x80\0\0\0" "\x80\0\0\x40", 12);
    lam_images_free(&a);
    a = read_images(path, &(lam_images_options){ .height = 2, .width = 2, .invert = 1 });
    assert_int_equal(a.pixels[0], 255 - 64);
    lam_images_free(&a);
    a = read_images(path, NULL); /* enlarged, where nothing says otherwise: 4 x 4 places of 7 x 7 each */
    assert_true(a.height == 28 && a.width == 28 && a.resized == 3 && !a.binary && a.pixels[6 * 28 + 6] == 255 && a.pixels[7] == 0);
    assert_string_equal(a.note, "3 of 3 pictures are resized to 28x28, from 4x4\n2 files are not PNG and left out");
    lam_images_free(&a);
}

/* Pictures of several sizes are all brought to one. */
static void zip_of_sizes(void **state)
{
    (void)state;
    static bytes png[2];
    unsigned char pixels[48];
    memset(pixels, 0, sizeof pixels);
    png[0].size = png[1].size = 0;
    put_png(&png[0], pixels, 4, 4, 1);
    put_png(&png[1], pixels, 8, 6, 8);
    const file files[] = { { "a", png[0].data, png[0].size }, { "b", png[1].data, png[1].size } };
    lam_images a = read_images(write_zip("sizes.zip", files, 2), &(lam_images_options){ .height = 4, .width = 4 });
    assert_true(a.n == 2 && a.resized == 1 && !a.binary && a.pixels[31] == 255);
    assert_string_equal(a.note, "1 of 2 pictures are resized to 4x4, from 8x6; those of another ratio of height to width are stretched");
    lam_images_free(&a);
    a = read_images(scratch_path("sizes.zip"), &(lam_images_options){ .height = 2, .width = 2 });
    assert_non_null(strstr(a.note, "2 of 2 pictures are resized to 2x2, from sizes between 4x4 and 8x6"));
    lam_images_free(&a);
}

static void zip_refusals(void **state)
{
    (void)state;
    static bytes png[1];
    unsigned char pixels[16], broken[1 << 10];
    memset(pixels, 1, sizeof pixels);
    png[0].size = 0;
    put_png(&png[0], pixels, 4, 4, 1);
    const lam_images_options two = { .height = 2, .width = 2 };
    const file none[] = { { "a.txt", "text", 4 }, { "x.npy", "\x93NUMPY", 6 } };
    FAILS(reading(write_zip("none.zip", none, 1), &two), LAM_ERR_FORMAT, "zip without PNG pictures: 1 other files");
    FAILS(reading(write_zip("none.zip", none, 2), &two), LAM_ERR_FORMAT, "of an .npz save the array alone");
    const file sizes[] = { { "a", png[0].data, png[0].size } };
    memcpy(broken, png[0].data, png[0].size);
    broken[png[0].size - 20] ^= 0x55;
    const file damaged[] = { { "b.png", broken, png[0].size } };
    FAILS(reading(write_zip("damaged.zip", damaged, 1), &two), LAM_ERR_FORMAT, "damaged.zip: b.png: the PNG is damaged");
    /* the head of a picture of 100000 x 100000, a gigabyte and more, with a right checksum */
    memcpy(broken, png[0].data, png[0].size);
    memcpy(broken + 16, "\0\1\x86\xa0\0\1\x86\xa0", 8);
    uint32_t crc = (uint32_t)crc32(0, broken + 12, 17);
    for (int k = 0; k < 4; k++)
        broken[29 + k] = (unsigned char)(crc >> (24 - 8 * k));
    FAILS(reading(write_zip("huge.zip", damaged, 1), &two), LAM_ERR_FORMAT, "the picture is 100000 x 100000; up to 4096");
    /* a file of the zip that unpacks to more than a picture may */
    char *zeros = calloc(1, 70 << 20);
    memcpy(zeros, png[0].data, png[0].size);
    const file bomb[] = { { "z.png", zeros, 70 << 20 } };
    FAILS(reading(write_zip("bomb.zip", bomb, 1), &two), LAM_ERR_FORMAT, "z.png: unpacks to 73400320 bytes");
    free(zeros);
    FILE *f = fopen(write_zip("cut.zip", sizes, 1), "rb");
    size_t size = fread(broken, 1, sizeof broken, f);
    fclose(f);
    FAILS(reading(scratch_write("cut.zip", broken, size - 10), &two), LAM_ERR_FORMAT, "cannot be unpacked");
    size_t at = 0; /* a byte of the picture itself: the checksum of the zip finds it */
    while (memcmp(broken + at, "IHDR", 4) != 0 && at + 4 < size)
        at++;
    if (at + 4 < size) { /* stored, as it is too short to be deflated */
        broken[at + 20] ^= 1;
        FAILS(reading(scratch_write("crc.zip", broken, size), &two), LAM_ERR_FORMAT, "a cannot be unpacked");
    }
}

#else

static void zip_of_png(void **state)
{
    (void)state;
    FAILS(reading(scratch_write("a.zip", "PK\3\4", 4), NULL), LAM_ERR_UNSUPPORTED, "install libzip-dev and libpng-dev");
}

static void zip_of_sizes(void **state)
{
    (void)state;
    skip();
}

static void zip_refusals(void **state)
{
    (void)state;
    skip();
}

#endif

/* ---- MATLAB, big-endian, by the format's description: a small name and small numbers lie in their tags ---- */

static void mat_big_endian(void **state)
{
    (void)state;
    bytes *b = calloc(1, sizeof *b);
    char text[124] = "MATLAB 5.0 MAT-file";
    put_bytes(b, text, 124);
    put_bytes(b, "\1\0MI", 4);
    put_big(b, 14), put_big(b, 48);
    put_big(b, 6), put_big(b, 8), put_big(b, 9), put_big(b, 0);
    put_big(b, 5), put_big(b, 8), put_big(b, 1), put_big(b, 4);
    put_bytes(b, "\0\1\0\1X\0\0\0", 8);
    put_bytes(b, "\0\4\0\2\7\10\11\12", 8);
    lam_images a = read_images(scratch_write("big.mat", b->data, b->size), NULL);
    assert_true(a.n == 1 && a.height == 2);
    assert_memory_equal(a.pixels, "\7\11\10\12", 4);
    lam_images_free(&a);
    a = read_images(write_gzip("big.mat.gz", b), NULL);
    assert_int_equal(a.n, 1);
    lam_images_free(&a);
    b->data[128 + 8 + 16 + 15] = 5; /* five columns, four numbers */
    FAILS(reading(scratch_write("big.mat", b->data, b->size), &(lam_images_options){ .height = 5, .width = 1 }), LAM_ERR_FORMAT,
        "not as many as its shape says");
    free(b);
}

/* ---- MATLAB ------------------------------------------------------------------------------------------------------- */

#ifdef LAM_HAVE_MATIO
#include <matio.h>

static enum matio_compression compression = MAT_COMPRESSION_ZLIB;

static void add(mat_t *mat, const char *name, enum matio_classes class, enum matio_types type, size_t rows, size_t columns,
    void *data, int flags)
{
    size_t dims[2] = { rows, columns };
    matvar_t *v = Mat_VarCreate(name, class, type, 2, dims, data, flags);
    assert_non_null(v);
    assert_int_equal(Mat_VarWrite(mat, v, compression), 0);
    Mat_VarFree(v);
}

static mat_t *new_mat(const char *name)
{
    unlink(scratch_path(name));
    mat_t *mat = Mat_CreateVer(scratch_path(name), NULL, MAT_FT_MAT5);
    assert_non_null(mat);
    return mat;
}

/* Two images of 3 x 2 in rows, like the silhouettes: an L and its upper half, upright. In the file X(i, r + 3 c) column by
 * column, the background 1. */
static void mat_silhouettes(void **state)
{
    (void)state;
    const unsigned char upright[12] = { 255, 0, 255, 0, 255, 255, /**/ 255, 0, 255, 0, 0, 0 };
    unsigned char x[12];
    for (size_t i = 0; i < 2; i++)
        for (size_t r = 0; r < 3; r++)
            for (size_t c = 0; c < 2; c++)
                x[i + 2 * (r + 3 * c)] = upright[6 * i + 2 * r + c] == 0;
    for (int logical = 0; logical < 2; logical++) {
        compression = logical ? MAT_COMPRESSION_ZLIB : MAT_COMPRESSION_NONE;
        mat_t *mat = new_mat("shapes.mat");
        double y[2] = { 1, 2 };
        add(mat, "Y", MAT_C_DOUBLE, MAT_T_DOUBLE, 1, 2, y, 0);
        add(mat, "X", MAT_C_UINT8, MAT_T_UINT8, 2, 6, x, logical ? MAT_F_LOGICAL : 0);
        Mat_Close(mat);
        lam_images a = read_images(scratch_path("shapes.mat"), &(lam_images_options){ .height = 3, .width = 2, .invert = 1 });
        assert_true(a.n == 2 && a.height == 3 && a.width == 2 && a.binary);
        assert_string_equal(a.format, "mat");
        assert_memory_equal(a.pixels, upright, 12);
        lam_images_free(&a);
    }
    const char *path = scratch_path("shapes.mat");
    FAILS(reading(path, NULL), LAM_ERR_SHAPE, "6 pixels each and no shape");
    FAILS(reading(path, &(lam_images_options){ .height = 4, .width = 4 }), LAM_ERR_SHAPE, "6 pixels each, 4 x 4 was asked for");
    FAILS(reading(path, &(lam_images_options){ .height = 3, .width = 2, .array = "Z" }), LAM_ERR_ARGUMENT,
        "has no variable Z; it has Y [1 x 2 double], X [2 x 6 uint8]");
}

/* chardata.mat: images in columns, of floats, training and test in one file. Square as well, which the name decides. */
static void mat_characters(void **state)
{
    (void)state;
    double data[16], test[4] = { 0, 0.2, 0.4, 1 };
    for (size_t i = 0; i < 16; i++)
        data[i] = (double)i / 255;
    mat_t *mat = new_mat("chardata.mat");
    add(mat, "data", MAT_C_DOUBLE, MAT_T_DOUBLE, 4, 4, data, 0);
    add(mat, "testdata", MAT_C_DOUBLE, MAT_T_DOUBLE, 4, 1, test, 0);
    Mat_Close(mat);
    const char *path = scratch_path("chardata.mat");
    lam_images a = read_images(path, NULL);
    assert_true(a.n == 4 && a.height == 2 && a.width == 2 && !a.binary);
    const unsigned char wanted[8] = { 0, 2, 1, 3, 4, 6, 5, 7 }; /* turned upright */
    assert_memory_equal(a.pixels, wanted, 8);
    lam_images_free(&a);
    a = read_images(path, &(lam_images_options){ .array = "testdata" });
    assert_true(a.n == 1);
    assert_memory_equal(a.pixels, "\0\x66\x33\xff", 4);
    lam_images_free(&a);
    char named[512];
    snprintf(named, sizeof named, "%s:testdata", path);
    a = read_images(named, NULL);
    assert_true(a.n == 1);
    assert_memory_equal(a.pixels, "\0\x66\x33\xff", 4);
    lam_images_free(&a);
    snprintf(named, sizeof named, "%s:nothing", path);
    FAILS(reading(named, NULL), LAM_ERR_ARGUMENT, "has no variable nothing; it has data");
}

static void mat_refusals(void **state)
{
    (void)state;
    double y[4] = { 1, NAN, 3, 4 };
    mat_t *mat = new_mat("other.mat");
    add(mat, "Y", MAT_C_DOUBLE, MAT_T_DOUBLE, 1, 4, y, 0);
    add(mat, "name", MAT_C_CHAR, MAT_T_UINT8, 1, 4, (char[4]){ 'a', 'b', 'c', 'd' }, 0);
    Mat_Close(mat);
    const char *path = scratch_path("other.mat");
    FAILS(reading(path, NULL), LAM_ERR_ARGUMENT, "has neither X nor data; it has Y [1 x 4 double], name [1 x 4 char]");
    FAILS(reading(path, &(lam_images_options){ .array = "name" }), LAM_ERR_FORMAT,
        "its variable name [1 x 4 char] holds no plain numbers");
    FAILS(reading(path, &(lam_images_options){ .array = "Y" }), LAM_ERR_DATA, "pixel 3 of image 1 is nan");
    FILE *f = fopen(path, "rb");
    bytes *b = calloc(1, sizeof *b);
    b->size = fread(b->data, 1, sizeof b->data, f);
    fclose(f);
    FAILS(reading(scratch_write("cut.mat", b->data, 128 + 8 + 20), NULL), LAM_ERR_FORMAT, "is cut short: the variable at offset 128");
    FAILS(reading(scratch_write("head.mat", b->data, 128), NULL), LAM_ERR_ARGUMENT, "it has nothing");
    b->data[128 + 8 + 40] ^= 1;
    FAILS(reading(scratch_write("flipped.mat", b->data, b->size), &(lam_images_options){ .array = "Y" }), LAM_ERR_FORMAT,
        "the variable at offset 128 is damaged");
    b->data[124] = 0, b->data[125] = 2;
    FAILS(reading(scratch_write("new.mat", b->data, b->size), NULL), LAM_ERR_UNSUPPORTED, "is a MATLAB file of version 7.3, which is HDF5");
    free(b);
}

/* Kinds of variables that hold no matrix: what they are, and what makes one of them. */
static void mat_kinds(void **state)
{
    (void)state;
    double zeros[24] = { 0 };
    size_t dims[4] = { 4, 2, 3, 1 }, one[2] = { 1, 1 };
    mat_t *mat = new_mat("kinds.mat");
    matvar_t *v = Mat_VarCreate("stack", MAT_C_DOUBLE, MAT_T_DOUBLE, 3, dims, zeros, 0);
    Mat_VarWrite(mat, v, MAT_COMPRESSION_ZLIB);
    Mat_VarFree(v);
    mat_uint32_t row[1] = { 1 }, column[3] = { 0, 0, 1 };
    mat_sparse_t sparse = { .nzmax = 1, .ir = row, .nir = 1, .jc = column, .njc = 3, .ndata = 1, .data = zeros };
    v = Mat_VarCreate("few", MAT_C_SPARSE, MAT_T_DOUBLE, 2, (size_t[2]){ 4, 2 }, &sparse, MAT_F_DONT_COPY_DATA);
    Mat_VarWrite(mat, v, MAT_COMPRESSION_NONE);
    Mat_VarFree(v);
    mat_complex_split_t waves = { zeros, zeros };
    add(mat, "waves", MAT_C_DOUBLE, MAT_T_DOUBLE, 4, 4, &waves, MAT_F_COMPLEX);
    const char *fields[] = { "images" };
    v = Mat_VarCreateStruct("set", 2, one, fields, 1);
    Mat_VarWrite(mat, v, MAT_COMPRESSION_NONE);
    Mat_VarFree(v);
    v = Mat_VarCreate("list", MAT_C_CELL, MAT_T_CELL, 2, one, NULL, 0);
    Mat_VarWrite(mat, v, MAT_COMPRESSION_NONE);
    Mat_VarFree(v);
    Mat_Close(mat);
    const char *path = scratch_path("kinds.mat");
    FAILS(reading(path, NULL), LAM_ERR_ARGUMENT, "it has stack [4 x 2 x 3 double], few [4 x 2 sparse], waves [4 x 4 complex double], "
        "set [1 x 1 struct], list [1 x 1 cell]");
    const struct { const char *name, *is, *remedy; } kinds[] = {
        { "stack", "stack [4 x 2 x 3 double] has more than two dimensions", "stack = reshape(stack, 4, []) if the first" },
        { "stack", "is a MATLAB file of version 5 to 7", "stack = reshape(stack, [], 3)' if the last" },
        { "few", "few [4 x 2 sparse] is sparse", "few = full(few), and save it with save('FILE.mat', 'few', '-v7')" },
        { "waves", "is complex", "waves = real(waves)" }, { "set", "set [1 x 1 struct] holds no plain numbers", "X = set.FIELD" },
        { "list", "list [1 x 1 cell]", "cellfun(@(image) image(:)', list(:)" } };
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        FAILS(reading(path, &(lam_images_options){ .array = kinds[k].name }), LAM_ERR_FORMAT, kinds[k].is);
        assert_non_null(strstr(lam_last_error(), kinds[k].remedy));
    }
}

/* Every class of numbers, as libmatio writes it. */
static void mat_numbers(void **state)
{
    (void)state;
    int8_t i1[4] = { 0, 1, 100, 127 };
    uint8_t u1[4] = { 0, 1, 100, 255 };
    int16_t i2[4] = { 0, 1, 100, 255 };
    uint16_t u2[4] = { 0, 1, 100, 255 };
    int32_t i4[4] = { 0, 1, 100, 255 };
    uint32_t u4[4] = { 0, 1, 100, 255 };
    int64_t i8[4] = { 0, 1, 100, -3 };
    uint64_t u8[4] = { 0, 1, 100, 255 };
    float f4[4] = { 0, 0.25F, 0.5F, 1 };
    const struct { enum matio_classes class; enum matio_types type; void *data; const char *wanted; } kinds[] = {
        { MAT_C_INT8, MAT_T_INT8, i1, "\0\x64\1\x7f" }, { MAT_C_UINT8, MAT_T_UINT8, u1, "\0\x64\1\xff" },
        { MAT_C_INT16, MAT_T_INT16, i2, "\0\x64\1\xff" }, { MAT_C_UINT16, MAT_T_UINT16, u2, "\0\x64\1\xff" },
        { MAT_C_INT32, MAT_T_INT32, i4, "\0\x64\1\xff" }, { MAT_C_UINT32, MAT_T_UINT32, u4, "\0\x64\1\xff" },
        { MAT_C_UINT64, MAT_T_UINT64, u8, "\0\x64\1\xff" }, { MAT_C_SINGLE, MAT_T_SINGLE, f4, "\0\x80\x40\xff" } };
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        mat_t *mat = new_mat("kinds.mat");
        add(mat, "X", kinds[k].class, kinds[k].type, 1, 4, kinds[k].data, 0);
        Mat_Close(mat);
        lam_images a = read_images(scratch_path("kinds.mat"), NULL);
        assert_memory_equal(a.pixels, kinds[k].wanted, 4);
        lam_images_free(&a);
    }
    mat_t *mat = new_mat("kinds.mat");
    add(mat, "X", MAT_C_INT64, MAT_T_INT64, 1, 4, i8, 0);
    Mat_Close(mat);
    FAILS(reading(scratch_path("kinds.mat"), NULL), LAM_ERR_DATA, "pixel 4 of image 1 is -3;");
}

#else

static void mat_numbers(void **state)
{
    (void)state;
    skip();
}

static void mat_silhouettes(void **state)
{
    (void)state;
    print_message("skipped: these files are written by libmatio-dev\n");
    skip();
}

static void mat_characters(void **state)
{
    (void)state;
    skip();
}

static void mat_refusals(void **state)
{
    (void)state;
    skip();
}

static void mat_kinds(void **state)
{
    (void)state;
    skip();
}

#endif

static void put_tag(bytes *b, unsigned char type, const void *data, size_t n)
{
    put_bytes(b, (unsigned char[8]){ type, 0, 0, 0, (unsigned char)n }, 8);
    put_bytes(b, data, n);
    put_bytes(b, "\0\0\0\0\0\0\0", (8 - n % 8) % 8);
}

/* A table of MATLAB, as it begins, and files of other versions; by the format's description, for no library writes them. */
static void mat_versions(void **state)
{
    (void)state;
    bytes *b = calloc(1, sizeof *b), *inner = calloc(1, sizeof *inner);
    put_tag(inner, 6, "\x11\0\0\0\0\0\0\0", 8);
    put_tag(inner, 1, "X", 1), put_tag(inner, 1, "MCOS", 4), put_tag(inner, 1, "table", 5), put_tag(inner, 14, "", 0);
    b->size = 124;
    put_bytes(b, "\0\1IM", 4);
    put_tag(b, 14, inner->data, inner->size);
    FAILS(reading(scratch_write("table.mat", b->data, b->size), NULL), LAM_ERR_FORMAT, "X [table] holds no plain numbers");
    assert_non_null(strstr(lam_last_error(), "X = table2array(X)"));
    b->size = 0; /* version 4, both byte orders: kind, rows, columns, complex, bytes of the name */
    put_bytes(b, "\x32\0\0\0" "\2\0\0\0" "\3\0\0\0" "\0\0\0\0" "\2\0\0\0" "X\0" "abcdef", 28);
    put_bytes(b, "\2\0\0\0" "\5\0\0\0" "\3\0\0\0" "\0\0\0\0" "\4\0\0\0" "few\0", 24);
    FAILS(reading(scratch_write("four.mat", b->data, b->size), NULL), LAM_ERR_UNSUPPORTED,
        "is a MATLAB file of version 4 (save -v4) with X [2 x 3 uint8], few [5 x 3 sparse double]; versions 5 to 7 are read");
    b->size = 0;
    put_big(b, 1000), put_big(b, 60), put_big(b, 64), put_big(b, 1), put_big(b, 5);
    put_bytes(b, "data", 5);
    FAILS(reading(scratch_write("big.mat", b->data, b->size), NULL), LAM_ERR_UNSUPPORTED, "data [60 x 64 complex double]");
    b->data[20] = 1; /* no name: something else */
    FAILS(reading(scratch_write("big.mat", b->data, b->size), NULL), LAM_ERR_FORMAT, "no images in a known format");
    FAILS(reading(scratch_write("h5", "\x89HDF\r\n\x1a\n----", 12), NULL), LAM_ERR_UNSUPPORTED, "is an HDF5 file");
    free(b), free(inner);
}

/* ---- the published files, where they are -------------------------------------------------------------------------- */

/* Mean of all pixels. */
static double mean(const lam_images *a)
{
    size_t sum = 0, size = a->n * a->height * a->width;
    for (size_t i = 0; i < size; i++)
        sum += a->pixels[i];
    return (double)sum / (double)size;
}

static void real_mnist(void **state)
{
    (void)state;
    char path[512];
    if (!find_real("mnist/train-images-idx3-ubyte.gz", path))
        skip();
    lam_images a = read_images(path, NULL);
    assert_true(a.n == 60000 && a.height == 28 && a.width == 28 && !a.binary);
    assert_true(fabs(mean(&a) / 255 - 0.1307) < 5e-5); /* the mean that everybody normalises with */
    lam_images_free(&a);
    find_real("mnist/train-labels-idx1-ubyte.gz", path);
    FAILS(reading(path, NULL), LAM_ERR_FORMAT, "mnist/train-images-idx3-ubyte.gz is probably meant");
}

static void real_silhouettes(void **state)
{
    (void)state;
    char path[512];
    if (!find_real("caltech101_silhouettes/caltech101_silhouettes_28.mat", path))
        skip();
    lam_images a = read_images(path, &(lam_images_options){ .invert = 1 });
    assert_true(a.n == 8671 && a.height == 28 && a.width == 28 && a.binary);
    /* 864 is a face: an ellipse, taller than wide, so upright its ink is spread more down than across */
    double across = 0, down = 0;
    const unsigned char *face = a.pixels + 864 * 784;
    for (size_t r = 0; r < 28; r++)
        for (size_t c = 0; c < 28; c++)
            if (face[28 * r + c] != 0) {
                down += ((double)r - 13.5) * ((double)r - 13.5);
                across += ((double)c - 13.5) * ((double)c - 13.5);
            }
    assert_true(down > 1.2 * across);
    lam_images_free(&a);
}

static void real_faces(void **state)
{
    (void)state;
    char path[512];
    if (!find_real("freyfaces/freyfaces.pkl", path))
        skip();
    lam_images a = read_images(path, &(lam_images_options){ .height = 28, .width = 20 });
    assert_true(a.n == 1965 && a.height == 28 && a.width == 20 && !a.binary);
    assert_memory_equal(a.pixels, "Q\x88\xa7", 3); /* as the file's text begins */
    /* neighbours of an upright face are alike, down as across; at another width they would not be */
    double down = 0, across = 0;
    for (size_t i = 0; i < 560 * 100; i++) {
        down += i % 560 >= 20 ? fabs((double)a.pixels[i] - a.pixels[i - 20]) : 0;
        across += i % 20 != 0 ? fabs((double)a.pixels[i] - a.pixels[i - 1]) : 0;
    }
    assert_true(down / (27 * 20) < 2 * across / (28 * 19));
    lam_images_free(&a);
}

static void real_characters(void **state)
{
    (void)state;
#if defined(LAM_HAVE_PNG) && defined(LAM_HAVE_ZIP)
    char path[512];
    if (!find_real("omniglot_small/images_background_small1.zip", path))
        skip();
    lam_images a = read_images(path, NULL);
    assert_true(a.n == 2720 && a.height == 28 && a.width == 28 && !a.binary && a.skipped == 0);
    assert_true(mean(&a) < 0.15 * 255); /* thin strokes on nothing */
    lam_images b = read_images(path, &(lam_images_options){ .height = 105, .width = 105 });
    assert_true(b.n == 2720 && b.binary);
    assert_true(fabs(mean(&a) - mean(&b)) < 0.05); /* averaging keeps the ink */
    lam_images_free(&a);
    lam_images_free(&b);
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idx), cmocka_unit_test(idx_cut), cmocka_unit_test(gzip_cut), cmocka_unit_test(idx_of_something_else),
        cmocka_unit_test(npy), cmocka_unit_test(floats), cmocka_unit_test(pickle), cmocka_unit_test(shrink),
        cmocka_unit_test(zip_of_png), cmocka_unit_test(zip_of_sizes), cmocka_unit_test(zip_refusals), cmocka_unit_test(mat_silhouettes),
        cmocka_unit_test(mat_characters), cmocka_unit_test(mat_numbers),
        cmocka_unit_test(mat_big_endian), cmocka_unit_test(mat_refusals), cmocka_unit_test(mat_kinds), cmocka_unit_test(mat_versions), cmocka_unit_test(real_mnist),
        cmocka_unit_test(real_silhouettes), cmocka_unit_test(real_faces), cmocka_unit_test(real_characters),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
