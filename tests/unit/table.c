/* Reading and writing tables: the forms that text comes in, what is refused and in which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "fails.h"
#include "data/cell.h"
#include "data/hash.h"
#include "data/npy.h"
#include "table_text.h"
#include "scratch.h"
#include <fcntl.h>
#include <math.h>

/* text reads as rows x cols with 1, 2, 3, ... row after row. */
static void reads_as_counting(const char *text, size_t rows, size_t cols, int has_names)
{
    lam_table *t = read_text(text, NULL);
    assert_int_equal(t->rows, rows);
    assert_int_equal(t->cols, cols);
    assert_int_equal(t->has_names, has_names);
    for (size_t i = 0; i < rows * cols; i++)
        assert_true(t->values[i] == (double)(i + 1));
    lam_table_free(t);
}

static void separators(void **state)
{
    (void)state;
    reads_as_counting("1,2\n3,4\n", 2, 2, 0);
    reads_as_counting("1;2\n3;4", 2, 2, 0);
    reads_as_counting("1\t2\n3\t4\n", 2, 2, 0);
    reads_as_counting("1 2\n3 4\n", 2, 2, 0);
    reads_as_counting("  1   2  \n 3\t 4\n", 2, 2, 0);     /* runs of blanks */
    reads_as_counting("1, 2\r\n 3 ,4\r\n\r\n", 2, 2, 0);   /* padding, CRLF, blank line */
    reads_as_counting("1,2\r3,4\r", 2, 2, 0);              /* old Macintosh */
    reads_as_counting("1\n2\n3\n", 3, 1, 0);
    reads_as_counting("1", 1, 1, 0);
    reads_as_counting("1,2,\n3,4,\n", 2, 2, 0);            /* a separator at the end of every line */
    reads_as_counting("\"1\",\"2\"\n\"3\", \"4\" \n", 2, 2, 0);
    reads_as_counting("\xEF\xBB\xBF" "1,2\n3,4\n", 2, 2, 0); /* byte-order mark */
    reads_as_counting("a b,c;d\n1,2\n3,4\n", 2, 2, 1);     /* the data decide, not the header's punctuation */
}

static void headers(void **state)
{
    (void)state;
    reads_as_counting("a,b\n1,2\n", 1, 2, 1);
    reads_as_counting("\xEF\xBB\xBF" "a,b\n1,2\n", 1, 2, 1);
    lam_table *t = read_text("\xEF\xBB\xBF\"a \"\"q\"\"\", b c ,\n1,2,3\n", NULL);
    assert_string_equal(t->names[0], "a \"q\"");
    assert_string_equal(t->names[1], "b c");
    assert_string_equal(t->names[2], "3"); /* a nameless column goes by its number */
    assert_int_equal(t->has_names, 1);
    lam_table_free(t);
    /* times and missing values are not names */
    lam_read_options drop = { .drop_bad_rows = 1 };
    t = read_text("12:30,?,1\n12:31,2,3\n", &drop);
    assert_int_equal(t->has_names, 0);
    assert_int_equal(t->bad_rows, 1);
    assert_true(t->values[0] == 751);
    assert_string_equal(t->names[2], "3");
    lam_table_free(t);
    /* a first row with a date or a label, over rows of the same kind, is data */
    lam_read_options first = { .drop = LAM_NAMES("1") };
    t = read_text("16/12/2006;1;2\n17/12/2006;3;4\n", &first);
    assert_true(t->rows == 2 && t->has_names == 0 && t->values[0] == 1);
    lam_table_free(t);
    lam_read_options last = { .drop = LAM_NAMES("3") };
    t = read_text("1,2,setosa\n3,4,virginica\n", &last);
    assert_true(t->rows == 2 && t->has_names == 0 && t->values[3] == 4);
    lam_table_free(t);
    /* ... while a header over text is a header, and so are quoted numbers over plain ones */
    lam_read_options kind = { .drop = LAM_NAMES("kind") };
    t = read_text("x,kind\n1,setosa\n2,virginica\n", &kind);
    assert_true(t->rows == 2 && t->cols == 1 && t->values[1] == 2);
    lam_table_free(t);
    t = read_text("\"2019\",\"2020\"\n1,2\n", NULL);
    assert_true(t->rows == 1 && t->has_names);
    assert_string_equal(t->names[1], "2020");
    lam_table_free(t);
}

static void cells(void **state)
{
    (void)state;
    static const struct { const char *text; lam_cell_kind kind; double value; } cases[] = {
        { "0", LAM_CELL_NUMBER, 0 }, { "-12.5", LAM_CELL_NUMBER, -12.5 }, { "+.5", LAM_CELL_NUMBER, 0.5 },
        { "5.", LAM_CELL_NUMBER, 5 }, { "1e3", LAM_CELL_NUMBER, 1000 }, { "1E-3", LAM_CELL_NUMBER, 1e-3 },
        { "0.1", LAM_CELL_NUMBER, 0.1 }, { "123456789012345678", LAM_CELL_NUMBER, 123456789012345678. },
        { "0.30000000000000004", LAM_CELL_NUMBER, 0.30000000000000004 }, { "4.9e-324", LAM_CELL_NUMBER, 4.9e-324 },
        { "1e23", LAM_CELL_NUMBER, 1e23 }, { "1e-400", LAM_CELL_NUMBER, 0 }, { "1e999", LAM_CELL_NUMBER, INFINITY },
        { "-inf", LAM_CELL_NUMBER, -INFINITY }, { "Infinity", LAM_CELL_NUMBER, INFINITY },
        { "17:24", LAM_CELL_TIME, 1044 }, { "7:05", LAM_CELL_TIME, 425 }, { "17:24:30", LAM_CELL_TIME, 1044.5 },
        { "00:00:00.6", LAM_CELL_TIME, 0.01 }, { "23:59:59", LAM_CELL_TIME, 1439 + 59 / 60.0 },
        { "", LAM_CELL_MISSING, NAN }, { "?", LAM_CELL_MISSING, NAN }, { "NA", LAM_CELL_MISSING, NAN },
        { "nan", LAM_CELL_MISSING, NAN }, { "N/A", LAM_CELL_MISSING, NAN }, { "NULL", LAM_CELL_MISSING, NAN },
        { "abc", LAM_CELL_TEXT, NAN }, { "1.2.3", LAM_CELL_TEXT, NAN }, { "0x10", LAM_CELL_TEXT, NAN }, { "1e", LAM_CELL_TEXT, NAN },
        { "1.0D+00", LAM_CELL_NUMBER, 1 }, { "-2.5d-3", LAM_CELL_NUMBER, -2.5e-3 }, { "0.2594205724239658D-01", LAM_CELL_NUMBER, 0.2594205724239658e-01 },
        { "1D400", LAM_CELL_NUMBER, INFINITY }, { "1.#INF", LAM_CELL_NUMBER, INFINITY }, { "-1.#INF00", LAM_CELL_NUMBER, -INFINITY },
        { "\xE2\x88\x92" "1.5", LAM_CELL_NUMBER, -1.5 }, { "-NaN", LAM_CELL_MISSING, NAN }, { "-nan(ind)", LAM_CELL_MISSING, NAN },
        { "+NAN", LAM_CELL_MISSING, NAN }, { "1.#QNAN", LAM_CELL_MISSING, NAN }, { "-1.#IND00", LAM_CELL_MISSING, NAN },
        { "#N/A", LAM_CELL_MISSING, NAN }, { "#DIV/0!", LAM_CELL_MISSING, NAN }, { "\\N", LAM_CELL_MISSING, NAN }, { "<NA>", LAM_CELL_MISSING, NAN },
        { "-", LAM_CELL_MISSING, NAN }, { ".", LAM_CELL_MISSING, NAN }, { "--", LAM_CELL_MISSING, NAN }, { "****", LAM_CELL_MISSING, NAN },
        { ".a", LAM_CELL_MISSING, NAN }, { "._", LAM_CELL_MISSING, NAN }, { "None", LAM_CELL_MISSING, NAN }, { "n.a.", LAM_CELL_MISSING, NAN },
        { "\xE2\x80\x93", LAM_CELL_MISSING, NAN }, { "..", LAM_CELL_TEXT, NAN }, { "-?", LAM_CELL_TEXT, NAN }, { "1.#QNANx", LAM_CELL_TEXT, NAN },
        { "nano", LAM_CELL_TEXT, NAN }, { "1D", LAM_CELL_TEXT, NAN }, { "1 2", LAM_CELL_TEXT, NAN }, { "24:00", LAM_CELL_TEXT, NAN },
        { "12:60", LAM_CELL_TEXT, NAN }, { "12:30:60", LAM_CELL_TEXT, NAN }, { "1:2", LAM_CELL_TEXT, NAN },
        { "12:30:", LAM_CELL_TEXT, NAN }, { "12:30:10.5e9", LAM_CELL_TEXT, NAN }, { "12-30", LAM_CELL_TEXT, NAN },
        { "16/12/2006", LAM_CELL_TEXT, NAN },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double value = 7;
        lam_cell_kind kind = lam_cell_read(cases[i].text, strlen(cases[i].text), &value);
        if (kind != cases[i].kind || !(value == cases[i].value || (isnan(value) && isnan(cases[i].value))))
            fail_msg("\"%s\" read as kind %d, %.17g", cases[i].text, (int)kind, value);
    }
}

/* The fast way of reading decimals agrees with the C library to the last bit. */
static void decimals_are_exact(void **state)
{
    (void)state;
    uint64_t seed[2] = { 1, 2 }, hash[2];
    for (int i = 0; i < 20000; i++) {
        char text[64];
        double value;
        lam_hash128(&i, sizeof i, seed, hash);
        snprintf(text, sizeof text, "%.*g", 1 + i % 17, (double)(int64_t)hash[0] * pow(10, (double)(hash[1] % 60) - 45));
        assert_int_equal(lam_cell_read(text, strlen(text), &value), LAM_CELL_NUMBER);
        assert_true(value == strtod(text, NULL));
    }
}

static void column_selection(void **state)
{
    (void)state;
    const char *text = "Date,Time,x,2\nmon,1:00,3,4\ntue,2:00,5,6\n";
    lam_table *t = read_text(text, &(lam_read_options){ .columns = LAM_NAMES("2", "Time") }); /* the name "2" wins over the number */
    assert_true(t->cols == 2 && t->values[0] == 4 && t->values[1] == 60);
    assert_string_equal(t->names[0], "2");
    lam_table_free(t);
    t = read_text(text, &(lam_read_options){ .columns = LAM_NAMES("x", "2", "Time"), .drop = LAM_NAMES("Time", "Date") });
    assert_true(t->cols == 2 && t->values[0] == 3 && t->values[1] == 4);
    lam_table_free(t);
    FAILS(read_with(text, NULL, &t), LAM_ERR_DATA, "column 1 (Date) has text in every row, and no numbers; leave it out with --drop Date");
    FAILS(read_with(text, &(lam_read_options){ .drop = LAM_NAMES("date") }, &t), LAM_ERR_ARGUMENT, "no column \"date\"; is \"Date\" meant?");
    FAILS(read_with(text, &(lam_read_options){ .columns = LAM_NAMES("Tine") }, &t), LAM_ERR_ARGUMENT, "is \"Time\" meant?");
    FAILS(read_with(text, &(lam_read_options){ .columns = LAM_NAMES("voltage") }, &t), LAM_ERR_ARGUMENT, "columns go by name: Date, Time, x, 2");
    FAILS(read_with(text, &(lam_read_options){ .columns = LAM_NAMES("5") }, &t), LAM_ERR_ARGUMENT, "no column named \"5\"");
    FAILS(read_with(text, &(lam_read_options){ .columns = LAM_NAMES("x", "x") }, &t), LAM_ERR_ARGUMENT, "named twice");
    FAILS(read_with(text, &(lam_read_options){ .columns = LAM_NAMES("x", "", "2") }, &t), LAM_ERR_ARGUMENT, "no column \"\"");
    FAILS(read_with(text, &(lam_read_options){ .drop = LAM_NAMES("Date", "Time", "x", "2") }, &t), LAM_ERR_ARGUMENT, "no column is left of 4");
    FAILS(read_with("a,b,a\n1,2,3\n", NULL, &t), LAM_ERR_FORMAT, "columns 1 and 3 are both named \"a\"");
    FAILS(read_with("a,b,a\n1,2,3\n", &(lam_read_options){ .columns = LAM_NAMES("a") }, &t), LAM_ERR_ARGUMENT, "give the number");
    t = read_text("a,b,a\n1,2,3\n", &(lam_read_options){ .drop = LAM_NAMES("3") });
    assert_true(t->cols == 2 && t->values[1] == 2);
    lam_table_free(t);
}

static void bad_text(void **state)
{
    (void)state;
    lam_table *t;
    FAILS(read_with("", NULL, &t), LAM_ERR_FORMAT, "the file is empty");
    FAILS(read_with("\xEF\xBB\xBF", NULL, &t), LAM_ERR_FORMAT, "the file is empty");
    FAILS(read_with("\n \r\n\t\n", NULL, &t), LAM_ERR_FORMAT, "the file is empty");
    FAILS(read_with("a,b,c\n", NULL, &t), LAM_ERR_FORMAT, "a header of 3 columns and no row below it");
    FAILS(read_with("a,b,c\n1,2,3\n4,5\n", NULL, &t), LAM_ERR_FORMAT, "line 3 ends after column 2; column 3 (c) is missing");
    FAILS(read_with("1;2\n\n3;4;five\n", NULL, &t), LAM_ERR_FORMAT, "line 3 has a cell too many in column 3 (\"five\")");
    FAILS(read_with("1;2\n\n3;4;5\n", NULL, &t), LAM_ERR_FORMAT, "line 1 has 2 columns (semicolon-separated)");
    FAILS(read_with("a,b\n1,2\n3,x y\n", NULL, &t), LAM_ERR_DATA, "data.csv: line 3, column 2 (b): \"x y\" is not a number");
    FAILS(read_with("a,b\n1,2\n3,x y\n", NULL, &t), LAM_ERR_DATA, "--drop-bad-rows");
    FAILS(read_with("a,b\n1,2\n3,\n", NULL, &t), LAM_ERR_DATA, "line 3, column 2 (b): the cell is empty");
    FAILS(read_with("1,2\n?,4\n", NULL, &t), LAM_ERR_DATA, "line 2, column 1 (1): \"?\" is a missing value");
    FAILS(read_with("1,2\n3,nan\n", NULL, &t), LAM_ERR_DATA, "line 2, column 2 (2): \"nan\" is a missing value");
    FAILS(read_with("1,2\n3,-inf\n", NULL, &t), LAM_ERR_DATA, "line 2, column 2 (2): \"-inf\" is infinite");
    FAILS(read_with("1.5;2\n3;4,5\n", NULL, &t), LAM_ERR_DATA, "a decimal point, not a comma");
    FAILS(read_with("a,b\n1,\"2\n", NULL, &t), LAM_ERR_FORMAT, "line 2, column 2: a quote is not closed");
    FAILS(read_with("a,b\n\"1\"x,2\n", NULL, &t), LAM_ERR_FORMAT, "line 2, column 1: a quote is not closed, or text follows");
    FAILS(lam_table_read_memory("x.dat", "\x01\x02HDF\r\n\x1a\0\1", 10, NULL, NULL, &t), LAM_ERR_FORMAT, "zero byte at offset 8");
    assert_null(t);
}

static void bad_rows_and_duplicates(void **state)
{
    (void)state;
    const char *text = "a,b\n1,2\nx,2\n1,2\n3,?\n0,5\n-0.0,5\n1,3\n";
    lam_table *t = read_text(text, &(lam_read_options){ .drop_bad_rows = 1 });
    assert_int_equal(t->bad_rows, 2);
    assert_true(t->bad_at[0] == 1 && t->bad_at[1] == 3);
    assert_int_equal(t->duplicates, 0);
    assert_int_equal(t->rows, 5);
    lam_table_free(t);
    t = read_text(text, &(lam_read_options){ .drop_bad_rows = 1, .drop_duplicates = 1 });
    const double want[6] = { 1, 2, 0, 5, 1, 3 }; /* the first of equals stays, in order; -0 equals 0 */
    assert_int_equal(t->duplicates, 2);
    assert_int_equal(t->rows, 3);
    assert_memory_equal(t->values, want, sizeof want);
    lam_table_free(t);
    FAILS(read_with("a,b\nNA,u\n2,NA\n", &(lam_read_options){ .drop_bad_rows = 1 }, &t), LAM_ERR_DATA,
        "column 2 (b) has text in every row, and no numbers; leave it out with --drop b");
    FAILS(read_with("a,b\n1,u\nv,2\n", &(lam_read_options){ .drop_bad_rows = 1 }, &t), LAM_ERR_DATA,
        "no row is left, all 2 were dropped; the first for line 2, column 2 (b): \"u\"");
}

/* A hundred thousand rows with every fourth repeated: the hash table, and growth past the first guess of the size. */
static void many_rows(void **state)
{
    (void)state;
    enum { N = 100000 };
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    fputs("123456789,123456789.125\n", out); /* a long first line makes the first guess too small */
    for (int i = 1; i < N; i++)
        fprintf(out, "%d,%d\n", i % 4 == 3 ? i - 1 : i, 5);
    assert_int_equal(fclose(out), 0);
    lam_table *t = read_text(text, &(lam_read_options){ .drop_duplicates = 1 });
    assert_int_equal(t->duplicates, N / 4);
    assert_int_equal(t->rows, N - N / 4);
    assert_true(t->values[2 * (t->rows - 1)] == N - 2);
    lam_table_free(t);
    free(text);
}

/* The algorithm's published answer, and that values, shape and order all count. */
static void digests(void **state)
{
    (void)state;
    const char *text = "The quick brown fox jumps over the lazy dog";
    uint64_t seed[2] = { 0, 0 }, hash[2];
    char hex[33], other[33];
    lam_hash128(text, strlen(text), seed, hash);
    lam_hash_text(hash, hex);
    assert_string_equal(hex, "e34bbc7bbc071b6c7a433ca9c49a9347");
    lam_hash128("", 0, seed, hash);
    lam_hash_text(hash, hex);
    assert_string_equal(hex, "00000000000000000000000000000000");
    double x[4] = { 1, 2, 3, 4 };
    lam_table_digest(x, 2, 2, hex);
    lam_table_digest(x, 4, 1, other);
    assert_string_not_equal(hex, other);
    x[3] = nextafter(4, 5);
    lam_table_digest(x, 2, 2, other);
    assert_string_not_equal(hex, other);
    lam_table *a = read_text("1,2\n3,4\n", NULL), *b = read_text("x;y\r\n1.0;2\r\n3e0;4", NULL);
    assert_string_equal(a->hash, b->hash); /* the numbers, not their spelling */
    assert_string_equal(a->hash, hex);
    lam_table_free(a);
    lam_table_free(b);
}

static void files(void **state)
{
    (void)state;
    lam_table *t;
    FAILS(lam_table_read(scratch_path("absent.csv"), NULL, &t), LAM_ERR_IO, "No such file");
    FAILS(lam_table_read(scratch_folder, NULL, &t), LAM_ERR_IO, "is a folder");
    FAILS(lam_table_read("", NULL, &t), LAM_ERR_ARGUMENT, "no data file");
    FAILS(lam_table_read(scratch_text("empty.csv", ""), NULL, &t), LAM_ERR_FORMAT, "empty.csv: the file is empty");
    assert_int_equal(lam_table_read(scratch_text("good.txt", "1 2\n3 4\n"), NULL, &t), LAM_OK);
    assert_true(t->rows == 2 && t->cols == 2);
    lam_table_free(t);
    /* gzipped text, whole and cut anywhere after the header */
    unsigned char packed[4096];
    const char *path = scratch_path("data.csv.gz");
    gzFile gz = gzopen(path, "wb");
    for (int i = 0; i < 500; i++)
        gzprintf(gz, "%d,%d\n", i, i * i % 97);
    gzclose(gz);
    assert_int_equal(lam_table_read(path, NULL, &t), LAM_OK);
    assert_true(t->rows == 500 && t->values[999] == 499 * 499 % 97);
    lam_table_free(t);
    FILE *f = fopen(path, "rb");
    size_t size = fread(packed, 1, sizeof packed, f);
    fclose(f);
    for (size_t n = 18; n < size; n += 97)
        FAILS(lam_table_read(scratch_write("cut.csv.gz", packed, n), NULL, &t), LAM_ERR_FORMAT, "gzip file is cut short");
    packed[size - 6] ^= 1; /* in the checksum */
    FAILS(lam_table_read(scratch_write("cut.csv.gz", packed, size), NULL, &t), LAM_ERR_FORMAT, "gzip file is damaged");
}

static void arrays(void **state)
{
    (void)state;
    lam_table *t;
    const double x[4] = { 1, 2, 3, 4 };
    const double bad[4] = { 1, 2, NAN, 4 };
    const size_t shape[3] = { 2, 2, 1 };
    const char *path = scratch_path("a.npy");
    assert_int_equal(lam_npy_write(path, x, shape, 2), LAM_OK);
    assert_int_equal(lam_table_read(path, &(lam_read_options){ .columns = LAM_NAMES("2") }, &t), LAM_OK);
    assert_true(t->rows == 2 && t->cols == 1 && t->values[0] == 2 && t->values[1] == 4 && !t->has_names);
    assert_string_equal(t->names[0], "2"); /* a chosen column keeps its number */
    lam_table_free(t);
    assert_int_equal(lam_npy_write(path, x, (size_t[]){ 4 }, 1), LAM_OK);
    assert_int_equal(lam_table_read(path, NULL, &t), LAM_OK);
    assert_true(t->rows == 4 && t->cols == 1); /* 1-D: one column */
    lam_table_free(t);
    assert_int_equal(lam_npy_write(path, x, shape, 3), LAM_OK);
    FAILS(lam_table_read(path, NULL, &t), LAM_ERR_SHAPE, "holds float64 [2, 2, 1]. A table is a 2-D array");
    assert_int_equal(lam_npy_write(path, x, shape, 0), LAM_OK);
    FAILS(lam_table_read(path, NULL, &t), LAM_ERR_SHAPE, "holds float64, a single one. A table is");
    assert_int_equal(lam_npy_write(path, x, (size_t[]){ 0, 2 }, 2), LAM_OK);
    FAILS(lam_table_read(path, NULL, &t), LAM_ERR_FORMAT, "the array is empty");
    assert_int_equal(lam_npy_write(path, bad, shape, 2), LAM_OK);
    FAILS(lam_table_read(path, NULL, &t), LAM_ERR_DATA, "row 2, column 1 (1) is NaN");
    assert_int_equal(lam_table_read(path, &(lam_read_options){ .drop_bad_rows = 1 }, &t), LAM_OK);
    assert_true(t->rows == 1 && t->bad_rows == 1 && t->bad_at[0] == 1);
    lam_table_free(t);
    FAILS(lam_table_read(path, &(lam_read_options){ .columns = LAM_NAMES("9") }, &t), LAM_ERR_ARGUMENT, "no column \"9\"");
}

static void archives(void **state)
{
    (void)state;
    lam_table *t;
    bytes *content = calloc(2, sizeof *content), *archive = calloc(1, sizeof *archive);
    put_npy(&content[0], "{'descr': '|u1', 'fortran_order': False, 'shape': (3,)}", "\1\2\3", 3);
    put_npy(&content[1], "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2)}", "\1\2\3\4", 4);
    zip_entry entries[2] = { { .name = "label.npy", .content = &content[0] },
        { .name = "x.npy", .content = &content[1], .deflated = 1 } };
    put_zip(archive, entries, 2);
    const char *path = scratch_write("data.npz", archive->data, archive->size);
    char named[600];
    assert_int_equal(lam_table_read(path, NULL, &t), LAM_OK); /* the only 2-D array */
    assert_true(t->rows == 2 && t->cols == 2 && t->values[1] == 3);
    lam_table_free(t);
    snprintf(named, sizeof named, "%s:label", path);
    assert_int_equal(lam_table_read(named, NULL, &t), LAM_OK);
    assert_true(t->rows == 3 && t->cols == 1);
    lam_table_free(t);
    snprintf(named, sizeof named, "%s:y", path);
    FAILS(lam_table_read(named, NULL, &t), LAM_ERR_ARGUMENT, "has no array \"y\"; it holds label (uint8 [3]), x (uint8 [2, 2])");
    FAILS(lam_table_read(scratch_write("cut.npz", archive->data, archive->size - 30), NULL, &t), LAM_ERR_FORMAT, "cut short");
    snprintf(named, sizeof named, "%s:x", scratch_text("not.npz", "1,2\n"));
    FAILS(lam_table_read(named, NULL, &t), LAM_ERR_FORMAT, "is not an .npz");
    free(content);
    free(archive);
}

/* Every value comes back to the bit, through each of the three forms; so do names, also strange ones. */
static void write_and_read(void **state)
{
    (void)state;
    static const double x[12] = { 0.1, -1.0 / 3, 1e15, 1e22, 5e-324, 1.7976931348623157e308, 123456789, -0.5, 1e-7, 2.5,
        0.30000000000000004, 1e15 + 0.125 };
    static const char *const names[3] = { "a,b", "2020", "q\"uote" };
    static const char *const endings[3] = { "t.csv", "t.csv.gz", "t.npy" };
    lam_table *t, *back;
    assert_int_equal(lam_table_create(4, 3, &t), LAM_OK);
    assert_string_equal(t->names[2], "3");
    memcpy(t->values, x, sizeof x);
    for (int named = 0; named < 2; named++) {
        t->has_names = named;
        for (size_t j = 0; j < 3 && named; j++)
            assert_int_equal(lam_table_rename(t, j, names[j]), LAM_OK);
        for (int k = 0; k < 3; k++) {
            const char *path = scratch_path(endings[k]);
            assert_int_equal(lam_table_write(t, path), LAM_OK);
            assert_int_equal(lam_table_read(path, NULL, &back), LAM_OK);
            assert_true(back->rows == 4 && back->cols == 3);
            assert_memory_equal(back->values, x, sizeof x);
            assert_int_equal(back->has_names, named && k < 2);
            for (size_t j = 0; j < 3; j++)
                assert_string_equal(back->names[j], k < 2 ? t->names[j] : ((const char *[]){ "1", "2", "3" })[j]);
            lam_table_free(back);
        }
    }
    int to = open(scratch_path("to.csv"), O_WRONLY | O_CREAT, 0600);
    assert_int_equal(lam_table_write_to(t, to), LAM_OK);
    assert_int_equal(close(to), 0); /* it was left open */
    assert_int_equal(lam_table_read(scratch_path("to.csv"), NULL, &back), LAM_OK);
    assert_memory_equal(back->values, x, sizeof x);
    assert_string_equal(back->names[2], names[2]);
    lam_table_free(back);
    FAILS(lam_table_write_to(t, to), LAM_ERR_IO, "cannot write the rows: Bad file descriptor");
    FAILS(lam_table_write(t, scratch_path("t.xlsx")), LAM_ERR_ARGUMENT, "written as .npy, .csv or .csv.gz");
    FAILS(lam_table_write(t, scratch_path("absent/t.csv")), LAM_ERR_IO, "cannot write");
    lam_table_free(t);
    lam_table_free(NULL);
    FAILS(lam_table_create(0, 3, &t), LAM_ERR_ARGUMENT, "0 by 3");
    FAILS(lam_table_create(SIZE_MAX / 4, 3, &t), LAM_ERR_MEMORY, "out of memory");
}

/* One column is written as a 1-D .npy: log-densities. */
static void one_column(void **state)
{
    (void)state;
    lam_table *t, *back;
    lam_array a;
    assert_int_equal(lam_table_create(5, 1, &t), LAM_OK);
    t->values[4] = -0.0;
    assert_int_equal(lam_table_write(t, scratch_path("one.npy")), LAM_OK);
    assert_int_equal(lam_npy_read(scratch_path("one.npy"), &a), LAM_OK);
    assert_int_equal(a.n_shape, 1);
    lam_array_clear(&a);
    assert_int_equal(lam_table_write(t, scratch_path("one.csv")), LAM_OK);
    assert_int_equal(lam_table_read(scratch_path("one.csv"), NULL, &back), LAM_OK);
    assert_memory_equal(back->values, t->values, 5 * sizeof(double)); /* the sign of -0 too */
    lam_table_free(back);
    lam_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(separators),
        cmocka_unit_test(headers),
        cmocka_unit_test(cells),
        cmocka_unit_test(decimals_are_exact),
        cmocka_unit_test(column_selection),
        cmocka_unit_test(bad_text),
        cmocka_unit_test(bad_rows_and_duplicates),
        cmocka_unit_test(many_rows),
        cmocka_unit_test(digests),
        cmocka_unit_test(files),
        cmocka_unit_test(arrays),
        cmocka_unit_test(archives),
        cmocka_unit_test(write_and_read),
        cmocka_unit_test(one_column),
    };
    return cmocka_run_group_tests_name("table", tests, scratch_open, scratch_close);
}
