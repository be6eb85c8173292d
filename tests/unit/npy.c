/* .npy and .npz: every dtype, order and version that is promised, and a clear refusal of the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "fails.h"
#include "data/mapped.h"
#include "data/npy.h"
#include "data/table.h"
#include "scratch.h"
#include <math.h>

/* An .npy of descr and shape over data; parsed. */
static lam_status parse(const char *dictionary, const void *data, size_t n, lam_array *out)
{
    bytes *b = calloc(1, sizeof *b);
    put_npy(b, dictionary, data, n);
    lam_status status = lam_npy_parse("test.npy", b->data, b->size, out);
    free(b);
    return status;
}

/* Three values -2 (or 200 without sign), 0, 3 in every whole-number type, both byte orders. */
static void whole_numbers(void **state)
{
    (void)state;
    for (int width = 1; width <= 8; width *= 2)
        for (int sign = 0; sign < 2; sign++)
            for (int big = 0; big < 2; big++) {
                int64_t want[3] = { sign ? -2 : 200, 0, 3 };
                unsigned char data[24];
                char dictionary[128];
                lam_array a;
                for (int i = 0; i < 3; i++)
                    for (int k = 0; k < width; k++)
                        data[i * width + (big ? width - 1 - k : k)] = (unsigned char)((uint64_t)want[i] >> (8 * k));
                snprintf(dictionary, sizeof dictionary, "{'descr': '%c%c%d', 'fortran_order': False, 'shape': (3,), }",
                    width == 1 ? '|' : big ? '>' : '<', sign ? 'i' : 'u', width);
                assert_int_equal(parse(dictionary, data, 3 * (size_t)width, &a), LAM_OK);
                assert_int_equal(a.n_shape, 1);
                assert_int_equal(a.shape[0], 3);
                assert_non_null(a.integers);
                for (int i = 0; i < 3; i++) {
                    assert_true(a.integers[i] == want[i]);
                    assert_true(a.values[i] == (double)want[i]);
                }
                lam_array_clear(&a);
            }
}

/* int64 beyond 2^53 is exact as an integer; uint64 beyond int64 is read as double and has no integers. */
static void large_whole_numbers(void **state)
{
    (void)state;
    lam_array a;
    int64_t big = INT64_MAX - 1;
    uint64_t huge = UINT64_MAX;
    assert_int_equal(parse("{'descr': '<i8', 'fortran_order': False, 'shape': ()}", &big, 8, &a), LAM_OK);
    assert_int_equal(a.n_shape, 0);
    assert_int_equal(a.size, 1);
    assert_true(a.integers[0] == big);
    lam_array_clear(&a);
    assert_int_equal(parse("{'descr': '<u8', 'fortran_order': False, 'shape': (1,)}", &huge, 8, &a), LAM_OK);
    assert_null(a.integers);
    assert_true(a.values[0] == 0x1p64);
    lam_array_clear(&a);
}

static void booleans_and_floats(void **state)
{
    (void)state;
    lam_array a;
    assert_int_equal(parse("{'descr': '|b1', 'fortran_order': False, 'shape': (2,)}", "\1\0", 2, &a), LAM_OK);
    assert_true(a.values[0] == 1 && a.values[1] == 0 && a.integers[0] == 1);
    lam_array_clear(&a);
    /* -1.5 is BFC00000 as float, BFF8000000000000 as double */
    assert_int_equal(parse("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", "\0\0\xc0\xbf", 4, &a), LAM_OK);
    assert_true(a.values[0] == -1.5 && a.integers == NULL);
    assert_string_equal(a.dtype, "f4");
    lam_array_clear(&a);
    assert_int_equal(parse("{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}", "\xbf\xc0\0\0", 4, &a), LAM_OK);
    assert_true(a.values[0] == -1.5);
    lam_array_clear(&a);
    assert_int_equal(parse("{'descr': '>f8', 'fortran_order': False, 'shape': (1,)}", "\xbf\xf8\0\0\0\0\0\0", 8, &a), LAM_OK);
    assert_true(a.values[0] == -1.5);
    lam_array_clear(&a);
}

/* Element (i, j, k) of shape (2, 3, 4) is 100 i + 10 j + k; in Fortran order the first index runs fastest. */
static void fortran_order(void **state)
{
    (void)state;
    unsigned char data[24];
    lam_array a;
    size_t at = 0;
    for (int k = 0; k < 4; k++)
        for (int j = 0; j < 3; j++)
            for (int i = 0; i < 2; i++)
                data[at++] = (unsigned char)(100 * i + 10 * j + k);
    assert_int_equal(parse("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 4), }", data, 24, &a), LAM_OK);
    at = 0;
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 4; k++)
                assert_true(a.values[at++] == 100 * i + 10 * j + k);
    lam_array_clear(&a);
}

static void versions_and_key_order(void **state)
{
    (void)state;
    for (int version = 1; version <= 4; version++) {
        bytes *b = calloc(1, sizeof *b);
        lam_array a;
        put_npy_header(b, version, "{\"shape\": (2L,), 'fortran_order': False, 'descr': '|i1'}");
        put_bytes(b, "\5\6", 2);
        lam_status status = lam_npy_parse("test.npy", b->data, b->size, &a);
        if (version == 4) {
            FAILS(status, LAM_ERR_FORMAT, "version 4 is not known");
        } else {
            assert_int_equal(status, LAM_OK);
            assert_true(a.values[0] == 5 && a.values[1] == 6);
            lam_array_clear(&a);
        }
        free(b);
    }
}

static void refusals(void **state)
{
    (void)state;
    lam_array a;
    FAILS(parse("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", "12345678", 8, &a), LAM_ERR_FORMAT, "Python objects");
    FAILS(parse("{'descr': '<c16', 'fortran_order': False, 'shape': (1,)}", "", 0, &a), LAM_ERR_FORMAT, "its dtype is <c16");
    FAILS(parse("{'descr': [('x', '<f8')], 'fortran_order': False, 'shape': (1,)}", "", 0, &a), LAM_ERR_FORMAT, "named fields");
    FAILS(parse("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2)}", "1234567812345678", 16, &a), LAM_ERR_FORMAT,
        "promises 6 numbers, 2 are there");
    FAILS(parse("{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999999, 9999999999999)}", "", 0, &a), LAM_ERR_FORMAT,
        "larger than any memory");
    FAILS(parse("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999999,)}", "", 0, &a), LAM_ERR_FORMAT,
        "larger than any memory");
    FAILS(parse("{'descr': '<f8', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", "", 0, &a), LAM_ERR_SHAPE,
        "more than 8 dimensions");
    const char *const damaged[] = { "", "{", "{'descr': '<f8'", "{'descr': '<f8', 'shape': (1,)}", "{'shape': (-1,)}",
        "{'fortran_order': Maybe}", "{'descr: '<f8'}", "{'colour': 'red'}", "{'shape': (3)}", "{'shape': (3,}" };
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++)
        FAILS(parse(damaged[i], "", 0, &a), LAM_ERR_FORMAT, "header is damaged");
    FAILS(lam_npy_parse("x", "hello, world", 12, &a), LAM_ERR_FORMAT, "is not an .npy");
    FAILS(lam_npy_parse("x", "\x93NUMPY\1\0\xff\0{", 11, &a), LAM_ERR_FORMAT, "cut short, in its header");
    FAILS(lam_npy_read(scratch_path("absent.npy"), &a), LAM_ERR_IO, "cannot be read");
}

/* What is written reads back bit for bit; numpy needs the data at a multiple of 64. */
static void write_and_read(void **state)
{
    (void)state;
    const double values[6] = { 1, -0.0, 1e-310, 1e308, 0.1, INFINITY };
    const size_t shapes[3][3] = { { 2, 3 }, { 6 }, { 1, 2, 3 } }, n_shapes[3] = { 2, 1, 3 };
    for (int k = 0; k < 3; k++) {
        const char *path = scratch_path("written.npy");
        lam_array a;
        assert_int_equal(lam_npy_write(path, values, shapes[k], n_shapes[k]), LAM_OK);
        FILE *f = fopen(path, "rb");
        fseek(f, 0, SEEK_END);
        assert_int_equal(ftell(f), 128 + 48);
        fclose(f);
        assert_int_equal(lam_npy_read(path, &a), LAM_OK);
        assert_int_equal(a.n_shape, n_shapes[k]);
        for (size_t d = 0; d < a.n_shape; d++)
            assert_int_equal(a.shape[d], shapes[k][d]);
        assert_memory_equal(a.values, values, sizeof values);
        lam_array_clear(&a);
    }
    FAILS(lam_npy_write(scratch_path("no/such/folder.npy"), values, shapes[0], 2), LAM_ERR_IO, "cannot write");
}

/* "a" stored 1-D, "b.c" deflated 2-D. Fills archive; the caller frees the contents. */
static bytes *make_archive(bytes *contents)
{
    bytes *archive = calloc(1, sizeof *archive);
    put_npy(&contents[0], "{'descr': '|u1', 'fortran_order': False, 'shape': (3,)}", "\1\2\3", 3);
    put_npy(&contents[1], "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 2)}", "\1\0\2\0\3\0\4\0", 8);
    zip_entry entries[2] = { { .name = "a.npy", .content = &contents[0] },
        { .name = "b.c.npy", .content = &contents[1], .deflated = 1 } };
    put_zip(archive, entries, 2);
    return archive;
}

static void archive_of_two(void **state)
{
    (void)state;
    bytes *contents = calloc(2, sizeof *contents), *archive = make_archive(contents);
    lam_npz *npz;
    lam_array a;
    const char *path = scratch_write("two.npz", archive->data, archive->size);
    assert_int_equal(lam_npz_open(path, &npz), LAM_OK);
    assert_int_equal(lam_npz_count(npz), 2);
    assert_string_equal(lam_npz_name(npz, 0), "a");
    assert_string_equal(lam_npz_name(npz, 1), "b.c");
    assert_null(lam_npz_name(npz, 2));
    assert_int_equal(lam_npz_read(npz, "a", &a), LAM_OK);
    assert_true(a.n_shape == 1 && a.values[2] == 3);
    lam_array_clear(&a);
    assert_int_equal(lam_npz_read(npz, "b.c.npy", &a), LAM_OK); /* deflated, by its full name */
    assert_true(a.n_shape == 2 && a.values[3] == 4);
    lam_array_clear(&a);
    lam_array_facts facts;
    lam_npz_describe(npz, 1, &facts);
    assert_true(facts.content == LAM_ARRAY_NUMBERS && facts.n_shape == 2 && lam_npz_is_array(npz, 1));
    FAILS(lam_npz_read(npz, "z", &a), LAM_ERR_ARGUMENT, "it has a, b.c");
    lam_npz_free(npz);
    lam_npz_free(NULL);
    free(archive);
    free(contents);
}

/* Every cut is refused or leaves arrays that are refused; none is read as if whole. */
static void archive_cut_or_damaged(void **state)
{
    (void)state;
    bytes *contents = calloc(2, sizeof *contents), *archive = make_archive(contents);
    lam_npz *npz;
    lam_array a;
    for (size_t n = 0; n < archive->size; n++)
        FAILS(lam_npz_open_memory("cut.npz", archive->data, n, &npz), LAM_ERR_FORMAT, "cut short or damaged");
    /* a bit flipped in the data of "a" fails its checksum; the header's flip is caught by either */
    size_t data = 30 + 5 + 20 + contents[0].size - 1;
    archive->data[data] ^= 1;
    assert_int_equal(lam_npz_open_memory("flipped.npz", archive->data, archive->size, &npz), LAM_OK);
    FAILS(lam_npz_read(npz, "a", &a), LAM_ERR_FORMAT, "damaged (a)");
    lam_npz_free(npz);
    archive->data[data] ^= 1;
    size_t end = archive->size - 22;
    size_t directory = (size_t)archive->data[end + 16] | (size_t)archive->data[end + 17] << 8;
    archive->data[directory + 8] |= 1;
    FAILS(lam_npz_open_memory("x.npz", archive->data, archive->size, &npz), LAM_ERR_UNSUPPORTED, "encrypted");
    archive->data[directory + 8] = 0;
    archive->data[directory + 10] = 12;
    assert_int_equal(lam_npz_open_memory("x.npz", archive->data, archive->size, &npz), LAM_OK);
    FAILS(lam_npz_read(npz, "a", &a), LAM_ERR_UNSUPPORTED, "method 12");
    lam_npz_free(npz);
    memset(archive->data + directory + 20, 0xff, 4);
    FAILS(lam_npz_open_memory("x.npz", archive->data, archive->size, &npz), LAM_ERR_UNSUPPORTED, "zip64");
    archive->data[end + 10] = archive->data[end + 11] = 0xff;
    FAILS(lam_npz_open_memory("x.npz", archive->data, archive->size, &npz), LAM_ERR_UNSUPPORTED, "zip64");
    free(archive);
    free(contents);
}

/* An array of several pages behind another, stored or deflated: its rows stay in files, and are those that are read to memory. */
static void arrays_of_archives_stay_in_files(void **state)
{
    (void)state;
    enum { ROWS = 1500, COLS = 4 };
    static double x[ROWS * COLS];
    bytes *archive = calloc(1, sizeof *archive), *content = calloc(2, sizeof *content);
    lam_config *cfg;
    for (size_t i = 0; i < ROWS * COLS; i++)
        x[i] = (double)(i * 7919 % 10007); /* which deflate makes smaller */
    put_npy(&content[0], "{'descr': '|u1', 'fortran_order': False, 'shape': (3,)}", "\1\2\3", 3);
    put_npy(&content[1], "{'descr': '<f8', 'fortran_order': False, 'shape': (1500, 4)}", x, sizeof x);
    assert_int_equal(lam_config_create("{}", &cfg), LAM_OK);
    for (int deflated = 0; deflated < 2; deflated++) {
        const lam_rows_place place = { .folder = scratch_folder }, far = { .folder = scratch_folder, .least = 1 << 20 };
        lam_table *here, *there, *small, *one;
        zip_entry entries[2] = { { .name = "a.npy", .content = &content[0] }, { .name = "rows.npy", .content = &content[1], .deflated = deflated } };
        archive->size = 0;
        put_zip(archive, entries, 2);
        const char *path = scratch_write("long.npz", archive->data, archive->size), *named = scratch_path("long.npz:rows"), *single = scratch_path("long.npz:a");
        assert_int_equal(lam_table_read(path, NULL, &here), LAM_OK);
        assert_int_equal(lam_table_map_rows(cfg, path, NULL, &place, &there), LAM_OK);
        assert_int_equal(lam_table_map_rows(cfg, named, NULL, &far, &small), LAM_OK);
        assert_int_equal(lam_table_map_rows(cfg, single, NULL, &place, &one), LAM_OK);
        lam_table *names;
        assert_int_equal(lam_table_read(path, &(lam_read_options) { .names_only = 1 }, &names), LAM_OK);
        assert_true(names->cols == COLS && names->rows == 0 && names->values == NULL);
        lam_table_free(names);
        assert_true(there->mapped != NULL && small->mapped == NULL && one->mapped != NULL && one->rows == 3);
        assert_true(there->rows == ROWS && there->cols == COLS && small->rows == ROWS);
        assert_string_equal(there->hash, here->hash);
        assert_string_equal(small->hash, here->hash);
        double row[COLS];
        for (size_t i = 0; i < ROWS; i++)
            assert_memory_equal(lam_table_row(there, i, row), here->values + i * COLS, sizeof row);
        lam_table_free(here), lam_table_free(there), lam_table_free(small), lam_table_free(one);
        archive->data[archive->size / 2] ^= 1;
        path = scratch_write("long.npz", archive->data, archive->size);
        FAILS(lam_table_map_rows(cfg, path, NULL, &place, &there), LAM_ERR_FORMAT, "damaged (rows)");
        FAILS(lam_table_map_rows(cfg, scratch_path("long.npz:b"), NULL, &place, &there), LAM_ERR_ARGUMENT, "has no array \"b\"");
    }
    FAILS(lam_table_map_rows(cfg, scratch_path("none.npz:b"), NULL, &(lam_rows_place) { .folder = scratch_folder }, &(lam_table *) { NULL }), LAM_ERR_IO,
        "none.npz");
    lam_config_free(cfg);
    free(archive);
    free(content);
}

/* A deflated entry that claims far more than deflate can pack is refused before memory is taken for it. */
static void archive_bomb(void **state)
{
    (void)state;
    bytes *contents = calloc(2, sizeof *contents), *archive = make_archive(contents);
    lam_npz *npz;
    lam_array a;
    size_t end = archive->size - 22;
    size_t directory = (size_t)archive->data[end + 16] | (size_t)archive->data[end + 17] << 8;
    archive->data[directory + 46 + 5 + 27] = 0xee; /* top byte of the size of "b.c": 4 GB */
    assert_int_equal(lam_npz_open_memory("x.npz", archive->data, archive->size, &npz), LAM_OK);
    FAILS(lam_npz_read(npz, "b.c", &a), LAM_ERR_FORMAT, "damaged (b.c)");
    lam_npz_free(npz);
    free(archive);
    free(contents);
}

/* What is no table is said with what it is, and with a command that makes one of it. */
static void refused_arrays(void **state)
{
    (void)state;
    static const struct { const char *descr, *shape, *words, *command; lam_status status; } cases[] = {
        { "'<f8'", "(2, 3, 4)", "x.npz:p: holds float64 [2, 3, 4], and the file has no two-dimensional array of numbers",
            "x = numpy.load('x.npz')['p']; numpy.save('table.npy', x.reshape(len(x), -1))", LAM_ERR_SHAPE },
        { "'|O'", "(2, 2)", "Python objects [2, 2]", "numpy.load('x.npz', allow_pickle=True)['p']; numpy.save('table.npy', x.astype('float64'))",
            LAM_ERR_FORMAT },
        { "'<U12'", "(5, 2)", "text [5, 2]", "x.astype('float64')", LAM_ERR_FORMAT },
        { "'<c16'", "(5, 2)", "complex128 [5, 2]", "x.real", LAM_ERR_FORMAT },
        { "[('a', '<f8'), ('b', '<f8')]", "(7,)", "records [7]", "x.dtype.names", LAM_ERR_FORMAT },
        { "'<f8'", "()", "float64, a single one", "x.reshape(1, 1)", LAM_ERR_SHAPE },
        { "'<M8[ns]'", "(3,)", "datetime64 [3]", "x.astype('float64')", LAM_ERR_FORMAT },
    };
    bytes *archive = calloc(1, sizeof *archive), *content = calloc(2, sizeof *content);
    lam_table *t = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t n = 1; n <= 2; n++) { /* alone, beside a label, as the .npy itself */
            char header[200], zeros[256] = { 0 };
            snprintf(header, sizeof header, "{'descr': %s, 'fortran_order': False, 'shape': %s, }", cases[i].descr, cases[i].shape);
            memset(content, 0, 2 * sizeof *content);
            archive->size = 0;
            put_npy(&content[0], header, zeros, 200);
            put_npy(&content[1], "{'descr': '|u1', 'fortran_order': False, 'shape': (1,)}", "\1", 1);
            zip_entry entries[2] = { { .name = "p.npy", .content = &content[0] }, { .name = "label.npy", .content = &content[1] } };
            put_zip(archive, entries, n);
            const char *of = n == 2 ? cases[i].words : strstr(cases[i].words, ", and the") != NULL ? "float64 [2, 3, 4]. A table" : cases[i].words;
            FAILS(lam_npz_table("x.npz", archive->data, archive->size, NULL, &t), cases[i].status, of);
            FAILS(lam_npz_table("x.npz", archive->data, archive->size, NULL, &t), cases[i].status, cases[i].command);
            FAILS(lam_npz_table("x.npz", archive->data, archive->size, "p", &t), cases[i].status, cases[i].command);
            FAILS(lam_npy_table("y.npy", content[0].data, content[0].size, &t), cases[i].status, "y.npy: ");
            assert_null(t);
        }
    free(archive);
    free(content);
}

static void archive_choice(void **state)
{
    (void)state;
    bytes *archive = calloc(1, sizeof *archive), *content = calloc(2, sizeof *content);
    lam_table *t;
    put_npy(&content[0], "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1)}", "\1", 1);
    put_npy(&content[1], "{'descr': '|u1', 'fortran_order': False, 'shape': (1,)}", "\1", 1);
    zip_entry entries[2] = { { .name = "p.npy", .content = content }, { .name = "q.npy", .content = content } };
    put_zip(archive, entries, 2);
    FAILS(lam_npz_table("x.npz", archive->data, archive->size, NULL, &t), LAM_ERR_ARGUMENT, "has 2 two-dimensional arrays; choose one as "
        "FILE.npz:NAME, here x.npz:p. It holds p (uint8 [1, 1]), q (uint8 [1, 1])");
    entries[0].content = entries[1].content = &content[1];
    archive->size = 0;
    put_zip(archive, entries, 2);
    FAILS(lam_npz_table("x.npz", archive->data, archive->size, NULL, &t), LAM_ERR_FORMAT, "it holds p (uint8 [1]), q (uint8 [1]). x.npz:NAME takes");
    FAILS(lam_npz_table("x.npz", archive->data, archive->size, "z", &t), LAM_ERR_ARGUMENT, "no array \"z\"; it holds p (uint8 [1])");
    assert_int_equal(lam_npz_table("x.npz", archive->data, archive->size, "q.npy", &t), LAM_OK);
    lam_table_free(t);
    archive->size = 0;
    put_zip(archive, NULL, 0);
    FAILS(lam_npz_table("x.npz", archive->data, archive->size, NULL, &t), LAM_ERR_FORMAT, "there is no array");
    free(archive);
    free(content);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(large_whole_numbers),
        cmocka_unit_test(booleans_and_floats),
        cmocka_unit_test(fortran_order),
        cmocka_unit_test(versions_and_key_order),
        cmocka_unit_test(refusals),
        cmocka_unit_test(write_and_read),
        cmocka_unit_test(archive_of_two),
        cmocka_unit_test(archive_cut_or_damaged),
        cmocka_unit_test(archive_bomb),
        cmocka_unit_test(arrays_of_archives_stay_in_files),
        cmocka_unit_test(archive_choice),
        cmocka_unit_test(refused_arrays),
    };
    return cmocka_run_group_tests_name("npy", tests, scratch_open, scratch_close);
}
