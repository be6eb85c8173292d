/* The model file's format: what is written is laid out as the format says, and what is read has been checked. */
#include "model/safetensors.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static char folder[] = "/tmp/laminar_st_XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void assert_said(const char *part)
{
    if (strstr(lam_last_error(), part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, lam_last_error());
}

/* Length, header and data as one file image in out; its size. */
static size_t image(char *out, const char *header, const void *data, size_t size)
{
    uint64_t length = strlen(header);
    for (int i = 0; i < 8; i++)
        out[i] = (char)(length >> 8 * i & 255);
    memcpy(out + 8, header, (size_t)length);
    if (size > 0)
        memcpy(out + 8 + length, data, size);
    return 8 + (size_t)length + size;
}

static lam_status read_image(const char *header, size_t data_size, lam_st_file *file)
{
    static const char data[64] = { 0 };
    char bytes[2048];
    size_t size = image(bytes, header, data, data_size);
    return lam_st_read_memory(bytes, size, "m.safetensors", file);
}

static void assert_refused(const char *header, size_t data_size, const char *part)
{
    lam_st_file file;
    if (read_image(header, data_size, &file) == LAM_OK)
        fail_msg("accepted: %s", header);
    assert_said("m.safetensors: ");
    assert_said(part);
    assert_null(file.bytes); /* nothing is left to free */
    assert_null(file.tensors);
}

/* The layout by hand, without the reader: length, '{', blanks to a multiple of 8, data in place. */
static void written_bytes_are_the_format(void **state)
{
    (void)state;
    const float w[6] = { 1, 2, 3, 4, 5, -0.5f };
    const double d[1] = { 0.1 };
    const lam_st_tensor tensors[] = {
        { "chain.0.w", LAM_ST_F32, 2, { 2, 3 }, w }, { "t\"1\\", LAM_ST_F64, 0, { 0 }, d }, /* a scalar, wider: it goes first */
    };
    const lam_st_pair meta[] = { { "columns", "[\"a\",\"b\"]" }, { "old \xe9", "line\nbreak" } };
    char *bytes = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&bytes, &size);
    assert_int_equal(lam_st_write_stream(out, "memory", tensors, 2, meta, 2), LAM_OK);
    fclose(out);
    const char *expected = "{\"__metadata__\":{\"columns\":\"[\\\"a\\\",\\\"b\\\"]\",\"old \xc3\xa9\":\"line\\nbreak\"},"
                           "\"t\\\"1\\\\\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]},"
                           "\"chain.0.w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[8,32]}}";
    size_t length = 0;
    for (int i = 7; i >= 0; i--)
        length = length << 8 | (unsigned char)bytes[i];
    assert_int_equal(length % 8, 0);
    assert_true(length >= strlen(expected) && length < strlen(expected) + 8);
    assert_memory_equal(bytes + 8, expected, strlen(expected));
    for (size_t i = strlen(expected); i < length; i++)
        assert_int_equal(bytes[8 + i], ' ');
    assert_int_equal(size, 8 + length + 32);
    assert_memory_equal(bytes + 8 + length, d, 8);
    assert_memory_equal(bytes + 8 + length + 8, w, 24);
    free(bytes);
}

static void files_come_back(void **state)
{
    (void)state;
    const float w[6] = { 1, 2, 3, 4, 5, -0.5f };
    const double d[24] = { 0.1, 1e300, -0.0, [23] = 7 };
    const int64_t counts[2] = { -5, 1234567890123 };
    const unsigned char flags[3] = { 0, 1, 1 };
    const lam_st_tensor tensors[] = {
        { "w", LAM_ST_F32, 2, { 2, 3 }, w }, { "quote \" tab \t \xe2\x82\xac", LAM_ST_F64, 4, { 1, 2, 3, 4 }, d },
        { "empty", LAM_ST_F64, 2, { 0, 5 }, NULL }, { "n", LAM_ST_I64, 1, { 2 }, counts }, { "f", LAM_ST_BOOL, 1, { 3 }, flags },
    };
    const lam_st_pair meta[] = { { "k\"", "v\\\"\n\xe2\x82\xac" }, { "empty", "" } };
    const size_t n = sizeof tensors / sizeof tensors[0];
    lam_st_file file;
    assert_int_equal(lam_st_write(in_folder("m"), tensors, n, meta, 2), LAM_OK);
    assert_int_equal(lam_st_read(in_folder("m"), &file), LAM_OK);
    assert_int_equal(file.n_tensors, n);
    assert_int_equal(file.n_meta, 2);
    assert_string_equal(lam_st_meta(&file, "k\""), "v\\\"\n\xe2\x82\xac");
    assert_string_equal(lam_st_meta(&file, "empty"), "");
    assert_null(lam_st_meta(&file, "k"));
    assert_null(lam_st_find(&file, "W"));
    for (size_t i = 0; i < n; i++) {
        const lam_st_tensor *t = lam_st_find(&file, tensors[i].name);
        assert_non_null(t);
        assert_int_equal(t->dtype, tensors[i].dtype);
        assert_int_equal(t->n_shape, tensors[i].n_shape);
        assert_memory_equal(t->shape, tensors[i].shape, t->n_shape * sizeof t->shape[0]);
        size_t bytes = lam_st_count(t) * lam_st_width(t->dtype);
        if (bytes > 0)
            assert_memory_equal(t->data, tensors[i].data, bytes); /* bits, so -0 too */
    }
    double two[2];
    lam_st_doubles(lam_st_find(&file, "n"), two);
    assert_true(two[0] == -5 && two[1] == 1234567890123);
    lam_st_free(&file);
    lam_st_free(&file); /* an empty one is fine */
    assert_int_equal(lam_st_write(in_folder("m"), NULL, 0, NULL, 0), LAM_OK); /* nothing at all is a file as well */
    assert_int_equal(lam_st_read(in_folder("m"), &file), LAM_OK);
    assert_int_equal(file.n_tensors, 0);
    lam_st_free(&file);
    unlink(in_folder("m"));
}

/* Every type widens to the double that its bits mean (IEEE 754 binary16; bfloat16 is a float's upper half). */
static void every_type_is_read(void **state)
{
    (void)state;
    const uint16_t halves[] = { 0x3c00, 0xc000, 0x7bff, 0x0001, 0x0400, 0x8000, 0x7c00, 0x7e00, 0x3555 };
    const double half_values[] = { 1, -2, 65504, ldexp(1, -24), ldexp(1, -14), -0.0, INFINITY, NAN, 0.333251953125 };
    double out[9];
    float narrow[9];
    lam_st_tensor t = { "h", LAM_ST_F16, 1, { 9 }, halves };
    lam_st_doubles(&t, out);
    for (int i = 0; i < 9; i++)
        assert_true(isnan(half_values[i]) ? isnan(out[i]) : memcmp(&out[i], &half_values[i], sizeof out[i]) == 0);
    const uint16_t brains[] = { 0x3f80, 0xc040, 0x0080 };
    t = (lam_st_tensor){ "b", LAM_ST_BF16, 1, { 3 }, brains };
    lam_st_doubles(&t, out);
    assert_true(out[0] == 1 && out[1] == -3 && out[2] == ldexp(1, -126));
    const int32_t whole[] = { -7, 2147483647 };
    t = (lam_st_tensor){ "i", LAM_ST_I32, 1, { 2 }, whole };
    lam_st_doubles(&t, out);
    assert_true(out[0] == -7 && out[1] == 2147483647);
    const unsigned char bytes[] = { 0, 200 };
    t = (lam_st_tensor){ "u", LAM_ST_U8, 1, { 2 }, bytes };
    lam_st_floats(&t, narrow);
    assert_true(narrow[0] == 0 && narrow[1] == 200);
    const double wide[] = { 0.1, 1e-300 };
    t = (lam_st_tensor){ "d", LAM_ST_F64, 1, { 2 }, wide };
    lam_st_floats(&t, narrow);
    assert_true(narrow[0] == 0.1f && narrow[1] == 0);
}

/* Headers of other writers: any order, blanks, no padding (so data that is not aligned). */
static void foreign_but_valid_headers(void **state)
{
    (void)state;
    lam_st_file file;
    double out[2];
    float data[3] = { 1.5f, -2, 8 };
    char bytes[512];
    size_t size = image(bytes, "{ \"b\" : {\"shape\":[1],\"data_offsets\":[8,12],\"dtype\":\"F32\"},\n"
                               "  \"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]} }  \n ", data, sizeof data);
    assert_int_equal(lam_st_read_memory(bytes, size, "m", &file), LAM_OK);
    assert_string_equal(file.tensors[0].name, "b"); /* the header's order */
    lam_st_doubles(&file.tensors[0], out);
    assert_true(out[0] == 8);
    lam_st_doubles(lam_st_find(&file, "a"), out);
    assert_true(out[0] == 1.5 && out[1] == -2);
    lam_st_free(&file);
    assert_int_equal(read_image("{}", 0, &file), LAM_OK);
    lam_st_free(&file);
    assert_int_equal(read_image("{\"e\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[4,4]},"
                                "\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, &file), LAM_OK);
    lam_st_free(&file);
}

#define T(shape, offsets) "{\"w\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" offsets "}}"
#define A "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"

static void lying_headers_are_refused(void **state)
{
    (void)state;
    lam_st_file file;
    assert_int_equal(read_image(T("[2]", "[0,8]"), 8, &file), LAM_OK); /* the honest one */
    lam_st_free(&file);
    assert_refused(T("[2]", "[0,8]"), 7, "cut short: tensor \"w\" ends at byte 8 of the data, and there are 7");
    assert_refused(T("[2]", "[0,8]"), 9, "take 8 bytes, and 9 follow");
    assert_refused(T("[2]", "[4,12]"), 12, "a hole begins at byte 0");
    assert_refused(T("[2]", "[0,4]"), 4, "shape needs 8 bytes, its data_offsets give 4");
    assert_refused(T("[2]", "[8,0]"), 8, "data_offsets");
    assert_refused(T("[2]", "[-8,0]"), 8, "data_offsets");
    assert_refused(T("[2]", "[0,8,16]"), 8, "data_offsets");
    assert_refused(T("[2]", "[0]"), 8, "data_offsets");
    assert_refused(T("[2]", "[]"), 8, "data_offsets");
    assert_refused(T("[2]", "8"), 8, "data_offsets");
    assert_refused(T("[2]", "[0,1e999]"), 8, "data_offsets");
    assert_refused(T("[2]", "[0,8.5]"), 8, "data_offsets");
    assert_refused(T("[2]", "[9007199254740984,9007199254740992]"), 8, "cut short");
    assert_refused(T("[-2]", "[0,8]"), 8, "dimension 1");
    assert_refused(T("[1.5]", "[0,6]"), 6, "dimension 1");
    assert_refused(T("[\"2\"]", "[0,8]"), 8, "dimension 1");
    assert_refused(T("[4611686018427387904,4]", "[0,0]"), 0, "dimension 1"); /* 2^62 x 4 x 4 = 0 mod 2^64 */
    assert_refused(T("[4294967296,1073741824]", "[0,0]"), 0, "dimension 2"); /* 2^32 x 2^30 x 4 = 0 mod 2^64 */
    assert_refused(T("[1,1,1,1,2]", "[0,8]"), 8, "more than 4 dimensions");
    assert_refused(T("2", "[0,8]"), 8, "has no shape");
    assert_refused(A "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12, "it overlaps");
    assert_refused(A "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "it overlaps");
    assert_refused(A "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[12,16]}}", 16, "a hole begins at byte 8");
    assert_refused(A "\"b\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[4,4]}}", 8, "it overlaps");
    assert_refused(A "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}", 12, "appears twice");
    assert_refused("{\"w\":{\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "has no dtype");
    assert_refused("{\"w\":{\"dtype\":\"C128\",\"shape\":[],\"data_offsets\":[0,16]}}", 16, "type C128");
    assert_refused("{\"w\":7}", 0, "has no dtype");
    assert_refused("{\"w\":[\"dtype\"]}", 0, "has no dtype");
    assert_refused("{\"w\":{\"dtype\":\"F32\"", 0, "not JSON");
    assert_refused("{} {}", 0, "something follows the header's JSON");
    assert_refused("[]", 0, "not a safetensors file");
    assert_refused("{\"__metadata__\":[]}", 0, "not a JSON object");
    assert_refused("{\"__metadata__\":{\"a\":1}}", 0, "\"a\" is not a text");
    assert_refused("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "twice");
}

/* A model file cut at any length is an error that says so, whatever the length. */
static void truncations_are_errors(void **state)
{
    (void)state;
    const float w[4] = { 1, 2, 3, 4 };
    const lam_st_tensor tensors[] = { { "a", LAM_ST_F32, 1, { 3 }, w }, { "b", LAM_ST_F32, 1, { 1 }, w + 3 } };
    const lam_st_pair meta[] = { { "k", "v" } };
    char *bytes = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&bytes, &size);
    assert_int_equal(lam_st_write_stream(out, "memory", tensors, 2, meta, 1), LAM_OK);
    fclose(out);
    lam_st_file file;
    for (size_t n = 0; n < size; n++) {
        assert_int_equal(lam_st_read_memory(bytes, n, "cut", &file), LAM_ERR_FORMAT);
        assert_said("cut short");
    }
    assert_int_equal(lam_st_read_memory(bytes, size, "whole", &file), LAM_OK);
    lam_st_free(&file);
    /* one byte changed anywhere: an error or a valid file, never a crash */
    for (size_t i = 0; i < size; i++)
        for (int flip = 1; flip < 256; flip *= 2) {
            bytes[i] = (char)(bytes[i] ^ flip);
            if (lam_st_read_memory(bytes, size, "flipped", &file) == LAM_OK)
                lam_st_free(&file);
            bytes[i] = (char)(bytes[i] ^ flip);
        }
    free(bytes);
}

static void foreign_files_are_named(void **state)
{
    (void)state;
    const struct { const char *bytes; size_t size; const char *part; } files[] = {
        { "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1", 20, "begins like a PNG picture" },
        { "PK\3\4\x14\0\0\0\0\0\0\0!\0abcdef", 20, "zip, npz or PyTorch file" },
        { "\x93NUMPY\1\0v\0{'descr': '<f8'", 25, "npy file" }, { "{\"a\": [1, 2, 3, 4]}", 19, "JSON text" },
        { "x,y\n1,2\n3,4\n5,6\n", 16, "not a safetensors file" }, { "", 0, "0 bytes in all" },
        { "\0\0\0\0\0\0\0\0\0\0\0\0", 12, "not a safetensors file" },
        { "\xff\xff\xff\xff\xff\xff\xff\xff{}", 10, "18446744073709551615" }, /* length + 8 wraps round to 7 */
    };
    lam_st_file file;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        assert_int_equal(lam_st_read_memory(files[i].bytes, files[i].size, "foreign", &file), LAM_ERR_FORMAT);
        assert_said(files[i].part);
    }
    assert_int_equal(lam_st_read(in_folder("missing"), &file), LAM_ERR_IO);
    assert_said("missing");
    assert_null(file.bytes);
}

static void what_cannot_be_written(void **state)
{
    (void)state;
    const float w[2] = { 1, 2 };
    const lam_st_tensor good = { "w", LAM_ST_F32, 1, { 2 }, w };
    const lam_st_tensor twice[] = { good, good };
    const lam_st_tensor reserved = { "__metadata__", LAM_ST_F32, 1, { 2 }, w }, unnamed = { "", LAM_ST_F32, 1, { 2 }, w };
    const lam_st_tensor huge = { "h", LAM_ST_F32, 2, { SIZE_MAX / 2, 8 }, w }, dataless = { "d", LAM_ST_F32, 1, { 2 }, NULL };
    assert_int_equal(lam_st_write(in_folder("m"), &good, 1, NULL, 0), LAM_OK);
    assert_int_equal(lam_st_write(in_folder("m"), twice, 2, NULL, 0), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_st_write(in_folder("m"), &reserved, 1, NULL, 0), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_st_write(in_folder("m"), &unnamed, 1, NULL, 0), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_st_write(in_folder("m"), &huge, 1, NULL, 0), LAM_ERR_SHAPE);
    assert_int_equal(lam_st_write(in_folder("m"), &dataless, 1, NULL, 0), LAM_ERR_SHAPE);
    lam_st_file file;
    assert_int_equal(lam_st_read(in_folder("m"), &file), LAM_OK); /* the old file is still there */
    lam_st_free(&file);
    unlink(in_folder("m"));
}

/* A disk that fills up while a larger model is saved over a smaller one: the smaller one stays. */
static void full_disk_keeps_the_old_model(void **state)
{
    (void)state;
    float *w = calloc(100000, sizeof *w);
    const lam_st_tensor small = { "w", LAM_ST_F32, 1, { 2 }, w }, large = { "w", LAM_ST_F32, 1, { 100000 }, w };
    struct rlimit old_limit, limit;
    lam_st_file file;
    assert_int_equal(lam_st_write(in_folder("m"), &small, 1, NULL, 0), LAM_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
    limit = old_limit;
    limit.rlim_cur = 100000;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    lam_status status = lam_st_write(in_folder("m"), &large, 1, NULL, 0);
    setrlimit(RLIMIT_FSIZE, &old_limit);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(status, LAM_ERR_IO);
    assert_said("nothing was replaced");
    assert_int_equal(lam_st_read(in_folder("m"), &file), LAM_OK);
    assert_int_equal(lam_st_count(lam_st_find(&file, "w")), 2);
    lam_st_free(&file);
    unlink(in_folder("m"));
    free(w);
}

int main(void)
{
    if (mkdtemp(folder) == NULL)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_bytes_are_the_format),
        cmocka_unit_test(files_come_back),
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(foreign_but_valid_headers),
        cmocka_unit_test(lying_headers_are_refused),
        cmocka_unit_test(truncations_are_errors),
        cmocka_unit_test(foreign_files_are_named),
        cmocka_unit_test(what_cannot_be_written),
        cmocka_unit_test(full_disk_keeps_the_old_model),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return failed;
}
