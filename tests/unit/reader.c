/* Tables in parts: what a reader gives, put together, is what lam_table_read gives; what a writer is given in parts is what lam_table_write
 * writes; and rows that a model is asked about in parts have the results of one call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "data/npy.h"
#include "scratch.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static void put_file(const char *path, const char *text)
{
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

/* All parts of so many rows, in one table, or the error. */
static lam_status read_parts(lam_reader *reader, size_t rows, size_t cols, lam_table **out, char *notes)
{
    lam_table *part;
    lam_status status;
    double *values = malloc(10000 * cols * sizeof *values);
    size_t bad[1000], n = 0, n_bad = 0, missing = 0, source = 0;
    assert_non_null(values);
    notes[0] = '\0';
    while ((status = lam_reader_next(reader, rows, &part)) == LAM_OK && part != NULL) {
        assert_true(part->rows <= rows && part->rows + part->bad_rows > 0);
        if (part->cols == cols) /* else what comes is an error */
            memcpy(values + n * cols, part->values, part->rows * cols * sizeof *values);
        for (size_t i = 0; i < part->bad_rows; i++)
            bad[n_bad++] = source + part->bad_at[i];
        n += part->rows, missing += part->missing, source += part->rows + part->bad_rows;
        snprintf(notes, 1000, "%s", part->notes != NULL ? part->notes : "");
        if (part->rows < rows) { /* the last one */
            lam_table *none;
            assert_int_equal(lam_reader_next(reader, rows, &none), LAM_OK);
            assert_null(none);
        }
        lam_table_free(part);
    }
    *out = NULL;
    if (status == LAM_OK) {
        assert_int_equal(lam_table_create(n, cols, out), LAM_OK);
        memcpy((*out)->values, values, n * cols * sizeof *values);
        (*out)->bad_rows = n_bad, (*out)->missing = missing;
        (*out)->bad_at = lam_alloc(n_bad + 1, sizeof(size_t));
        memcpy((*out)->bad_at, bad, n_bad * sizeof *bad);
    }
    free(values);
    return status;
}

/* place: where the reader unpacks. */
static void alike_at(const char *path, const lam_read_options *options, const lam_rows_place *place)
{
    lam_table *whole, *parts;
    lam_reader *reader;
    char error[1000] = "", notes[1000];
    lam_status status = lam_table_read(path, options, &whole), got;
    snprintf(error, sizeof error, "%s", status != LAM_OK ? lam_last_error() : "");
    size_t cols = status == LAM_OK ? whole->cols : 8;
    for (size_t rows = 1; rows < 600; rows = 3 * rows + 1) {
        if ((got = lam_reader_open_at(path, options, place, &reader)) == LAM_OK)
            for (int again = 0; again < 3; again++) {
                if (again == 1)
                    assert_int_equal(lam_reader_rewind(reader), LAM_OK);
                if (again == 2)
                    assert_int_equal(lam_reader_reopen(reader, options), LAM_OK);
                got = read_parts(reader, rows, cols, &parts, notes);
                if (got != LAM_OK)
                    break;
                assert_int_equal(parts->rows, whole->rows);
                assert_int_equal(parts->missing, whole->missing);
                assert_int_equal(parts->bad_rows, whole->bad_rows);
                assert_memory_equal(parts->values, whole->values, whole->rows * cols * sizeof(double));
                if (whole->bad_rows > 0)
                    assert_memory_equal(parts->bad_at, whole->bad_at, whole->bad_rows * sizeof(size_t));
                assert_string_equal(notes, whole->notes != NULL ? whole->notes : "");
                lam_table_free(parts);
            }
        assert_int_equal(got, status);
        if (status != LAM_OK)
            assert_string_equal(lam_last_error(), error);
        lam_reader_free(got == LAM_OK || reader != NULL ? reader : NULL);
    }
    lam_table_free(status == LAM_OK ? whole : NULL);
}

static void alike(const char *path, const lam_read_options *options)
{
    const lam_rows_place places[] = { { .folder = "." }, { .folder = ".", .least = 1000000 } };
    alike_at(path, options, NULL);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        alike_at(path, options, &places[i]);
}

static void texts(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    fputs("a,b,word\n", out);
    for (int i = 0; i < 1000; i++)
        fprintf(out, i % 97 == 96 ? "1,,x\n# not a row\n" : "%d,%.17g,\"two\nlines\"\n", i, sqrt(i));
    assert_int_equal(fclose(out), 0);
    put_file("t.csv", text);
    gzFile packed = gzopen("t.csv.gz", "wb");
    gzputs(packed, text);
    gzclose(packed);
    const lam_read_options drop = { .drop = LAM_NAMES("word"), .drop_bad_rows = 1 }, missing = { .columns = LAM_NAMES("b", "a"), .missing = 1 },
        strict = { .drop = LAM_NAMES("word") };
    const char *const paths[] = { "t.csv", "t.csv.gz" };
    for (size_t i = 0; i < 2; i++) {
        alike(paths[i], &drop);
        alike(paths[i], &missing);
        alike(paths[i], &strict);
        alike(paths[i], NULL); /* text in a column */
    }
    put_file("bad.csv", "a,b\n1,x\n2,y\n");
    alike("bad.csv", &(lam_read_options) { .drop_bad_rows = 1 }); /* no row is left */
    put_file("end.csv", "a,b\n1,2\n2,3\nx,y\nx,z\n"); /* bad rows alone at the end */
    alike("end.csv", &(lam_read_options) { .drop_bad_rows = 1 });
    alike("none.csv", NULL);
    lam_reader *reader;
    assert_int_equal(lam_reader_open("t.csv", &(lam_read_options) { .drop_duplicates = 1 }, &reader), LAM_ERR_ARGUMENT);
    assert_null(reader);
    free(text);
}

static void arrays(void **state)
{
    (void)state;
    double values[3 * 500];
    for (size_t i = 0; i < 1500; i++)
        values[i] = i % 101 == 100 ? (double)NAN : sin((double)i);
    values[700] = INFINITY;
    assert_int_equal(lam_npy_write("x.npy", values, (size_t[]) { 500, 3 }, 2), LAM_OK);
    assert_int_equal(lam_npy_write("line.npy", values, (size_t[]) { 90 }, 1), LAM_OK);
    alike("x.npy", NULL);
    alike("x.npy", &(lam_read_options) { .drop_bad_rows = 1 });
    alike("x.npy", &(lam_read_options) { .drop_bad_rows = 1, .columns = LAM_NAMES("3", "1") });
    alike("x.npy", &(lam_read_options) { .drop = LAM_NAMES("2"), .missing = 1 });
    alike("line.npy", NULL);
    alike("toy:moons:300:2", NULL);
    bytes *archive = calloc(1, sizeof *archive), *content = calloc(2, sizeof *content);
    put_npy(&content[0], "{'descr': '<f8', 'fortran_order': False, 'shape': (500, 3)}", values, sizeof values);
    put_npy(&content[1], "{'descr': '<f8', 'fortran_order': False, 'shape': (90,)}", values, 90 * sizeof *values);
    for (int deflated = 0; deflated < 2; deflated++) {
        zip_entry entries[2] = { { .name = "line.npy", .content = &content[1], .deflated = deflated }, { .name = "x.npy", .content = &content[0], .deflated = deflated } };
        archive->size = 0;
        put_zip(archive, entries, 2);
        FILE *zip = fopen("x.npz", "wb");
        fwrite(archive->data, 1, archive->size, zip);
        fclose(zip);
        alike("x.npz", NULL);
        alike("x.npz", &(lam_read_options) { .drop_bad_rows = 1, .columns = LAM_NAMES("3", "1") });
        alike("x.npz:x", &(lam_read_options) { .missing = 1 });
        alike("x.npz:line", NULL);
        alike("x.npz:none", NULL);
        alike("none.npz:x", NULL);
        alike("x.npy:x", NULL);
    }
    free(archive);
    free(content);
    /* the order of Fortran, floats: as numpy writes them */
    const char *header = "{'descr': '<f4', 'fortran_order': True, 'shape': (50, 3), }";
    FILE *out = fopen("f.npy", "wb");
    fwrite("\x93NUMPY\x01\x00\x76\x00", 1, 10, out);
    fprintf(out, "%-117s\n", header);
    for (size_t i = 0; i < 150; i++)
        fwrite(&(float) { (float)i / 8 }, 4, 1, out);
    fclose(out);
    alike("f.npy", NULL);
    lam_table *f;
    assert_int_equal(lam_table_read("f.npy", NULL, &f), LAM_OK);
    assert_true(f->values[1] == 50.0 / 8 && f->values[3] == 1.0 / 8);
    lam_table_free(f);
    put_file("cut.npy", "\x93NUMPY\x01");
    alike("cut.npy", NULL);
}

static void writer(void **state)
{
    (void)state;
    lam_table *table;
    const char *const paths[2][3] = { { "w.npy", "w.csv", "w.csv.gz" }, { "p.npy", "p.csv", "p.csv.gz" } };
    assert_int_equal(lam_table_toy("moons", 300, 1, &table), LAM_OK);
    for (size_t k = 0; k < 3; k++) {
        lam_writer *w;
        char *found[2];
        size_t size[2];
        assert_int_equal(lam_table_write(table, paths[0][k]), LAM_OK);
        assert_int_equal(lam_writer_open(paths[1][k], -1, table, 300, &w), LAM_OK);
        for (size_t i = 0; i < 300; i += 60)
            assert_int_equal(lam_writer_put(w, table->values + 2 * i, 60), LAM_OK);
        assert_int_not_equal(remove(paths[1][k]), 0); /* it is not there yet */
        assert_int_equal(lam_writer_commit(w), LAM_OK);
        for (size_t i = 0; i < 2; i++)
            assert_int_equal(lam_file_read(paths[i][k], &found[i], &size[i]), LAM_OK);
        assert_int_equal(size[0], size[1]);
        assert_memory_equal(found[0], found[1], size[0]);
        free(found[0]), free(found[1]);
        remove(paths[1][k]);
        assert_int_equal(lam_writer_open(paths[1][k], -1, table, 300, &w), LAM_OK);
        assert_int_equal(lam_writer_put(w, table->values, 100), LAM_OK);
        lam_writer_abandon(w);
        assert_int_not_equal(remove(paths[1][k]), 0);
    }
    lam_writer *w;
    assert_int_equal(lam_writer_open("p.npy", -1, table, 300, &w), LAM_OK);
    assert_int_equal(lam_writer_commit(w), LAM_ERR_ARGUMENT); /* fewer rows than announced */
    assert_int_not_equal(remove("p.npy"), 0);
    assert_int_equal(lam_writer_open("p.txt", -1, table, 300, &w), LAM_ERR_ARGUMENT);
    lam_table_free(table);
}

/* Asked in parts that are multiples of the batch: bit by bit the same, draws and Hutchinson noise included. */
/* NaN is "nan", or an empty cell where that is wanted; a line is never empty. */
static void missing_cells_are_written(void **state)
{
    (void)state;
    static const double values[4] = { 0.25, NAN, NAN, -1.5 };
    static const char *const wanted[2][2] = { { "a\n0.25\nnan\nnan\n-1.5\n", "a,b\n0.25,nan\nnan,-1.5\n" },
        { "a\n0.25\nnan\nnan\n-1.5\n", "a,b\n0.25,\n,-1.5\n" } };
    for (size_t cols = 1; cols <= 2; cols++)
        for (int empty = 0; empty < 2; empty++) {
            lam_table *form;
            lam_writer *w;
            char *found;
            size_t size;
            assert_int_equal(lam_table_create(1, cols, &form), LAM_OK);
            for (size_t j = 0; j < cols; j++)
                assert_int_equal(lam_table_rename(form, j, j == 0 ? "a" : "b"), LAM_OK);
            assert_int_equal(lam_writer_open("m.csv", -1, form, 4 / cols, &w), LAM_OK);
            if (empty)
                assert_int_equal(lam_writer_leave_empty(w), LAM_OK);
            assert_int_equal(lam_writer_put(w, values, 4 / cols), LAM_OK);
            assert_int_equal(lam_writer_commit(w), LAM_OK);
            assert_int_equal(lam_file_read("m.csv", &found, &size), LAM_OK);
            assert_int_equal(size, strlen(wanted[empty][cols - 1]));
            assert_memory_equal(found, wanted[empty][cols - 1], size);
            free(found);
            lam_table_free(form);
        }
}

static void model_in_parts(void **state)
{
    (void)state;
    enum { N = 470, BATCH = 50, PART = 150 };
    lam_config *cfg;
    lam_table *table;
    lam_dataset *data;
    lam_model *model;
    static double z[2][2 * N], x[2][2 * N], logp[2][N], drawn[2][2 * N];
    assert_int_equal(lam_config_create("{iterations: 3, map: none, dims: [8], batch-size: 100}", &cfg), LAM_OK);
    assert_int_equal(lam_table_toy("moons", N, 1, &table), LAM_OK);
    assert_int_equal(lam_dataset_build(cfg, table, NULL, NULL, NULL, &data), LAM_OK);
    assert_int_equal(lam_fit(cfg, data, NULL, &model, NULL), LAM_OK);
    for (int parts = 0; parts < 2; parts++)
        for (size_t first = 0; first < N; first += PART) {
            size_t n = parts == 0 ? N : N - first < PART ? N - first : PART;
            lam_eval_options o = { .batch_rows = BATCH, .divergence = LAM_DIV_RADEMACHER, .seed = 3, .first_row = first, .total_rows = parts == 0 ? 0 : N };
            assert_int_equal(lam_log_prob(model, &o, table->values + 2 * first, n, logp[parts] + first, NULL), LAM_OK);
            assert_int_equal(lam_encode(model, &o, table->values + 2 * first, n, z[parts] + 2 * first, NULL), LAM_OK);
            assert_int_equal(lam_decode(model, &o, z[parts] + 2 * first, n, x[parts] + 2 * first, NULL), LAM_OK);
            assert_int_equal(lam_sample(model, &o, 5, n, drawn[parts] + 2 * first, NULL, NULL), LAM_OK);
            if (parts == 0)
                break;
        }
    assert_memory_equal(logp[0], logp[1], sizeof logp[0]);
    assert_memory_equal(z[0], z[1], sizeof z[0]);
    assert_memory_equal(x[0], x[1], sizeof x[0]);
    assert_memory_equal(drawn[0], drawn[1], sizeof drawn[0]);
    double bad[2] = { NAN, 0 }, l;
    assert_int_equal(lam_log_prob(model, &(lam_eval_options) { .first_row = 41 }, bad, 1, &l, NULL), LAM_ERR_DATA);
    assert_non_null(strstr(lam_last_error(), "row 42, column 1"));
    lam_model_free(model), lam_dataset_free(data), lam_table_free(table), lam_config_free(cfg);
}

/* Unpacked once: the names, then rows of columns chosen by them, then others, of what is not there any more. */
static void names_before_rows(void **state)
{
    (void)state;
    const lam_rows_place places[] = { { 0 }, { .folder = "." } };
    const lam_read_options names_only = { .names_only = 1 }, one = { .columns = LAM_NAMES("b") }, none = { .columns = LAM_NAMES("c") };
    for (size_t i = 0; i < 2; i++) {
        lam_reader *reader;
        lam_table *part;
        gzFile packed = gzopen("names.csv.gz", "wb");
        gzputs(packed, "a,b,word\n1,2,x\n3,4,y\n");
        gzclose(packed);
        assert_int_equal(lam_reader_open_at("names.csv.gz", &names_only, &places[i], &reader), LAM_OK);
        assert_int_equal(remove("names.csv.gz"), 0);
        assert_int_equal(lam_reader_next(reader, 10, &part), LAM_OK);
        assert_int_equal(part->rows, 0);
        assert_int_equal(part->cols, 3);
        assert_string_equal(part->names[2], "word");
        lam_table_free(part);
        assert_int_equal(lam_reader_next(reader, 10, &part), LAM_OK);
        assert_null(part);
        assert_int_equal(lam_reader_reopen(reader, &none), LAM_ERR_ARGUMENT);
        assert_int_equal(lam_reader_next(reader, 10, &part), LAM_OK);
        assert_null(part);
        assert_int_equal(lam_reader_reopen(reader, &one), LAM_OK);
        assert_int_equal(lam_reader_next(reader, 10, &part), LAM_OK);
        assert_int_equal(part->rows, 2);
        assert_true(part->values[0] == 2 && part->values[1] == 4);
        lam_table_free(part);
        lam_reader_free(reader);
    }
    lam_reader *reader;
    gzFile packed = gzopen("names.csv.gz", "wb");
    gzputs(packed, "a,b\n1,2\n");
    gzclose(packed);
    assert_int_equal(lam_reader_open_at("names.csv.gz", NULL, &(lam_rows_place) { .folder = "nowhere" }, &reader), LAM_ERR_MEMORY);
    assert_non_null(strstr(lam_last_error(), "nowhere: rows cannot be kept in files there"));
    assert_null(reader);
}

/* After an error nothing of the part is left: from the first row on the reader says the same again. */
static void errors_leave_nothing(void **state)
{
    (void)state;
    double values[8] = { 1, 2, 3, NAN, 5, 6, 7, 8 };
    char error[1000];
    lam_table *table, *part;
    lam_reader *reader;
    assert_int_equal(lam_table_create(4, 2, &table), LAM_OK);
    memcpy(table->values, values, sizeof values);
    assert_int_equal(lam_table_write(table, "bad.npy"), LAM_OK);
    put_file("cell.csv", "a,b\n1,2\n3,oh\n5,6\n7,8\n");
    const char *const paths[] = { "bad.npy", "cell.csv" };
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(lam_reader_open(paths[i], NULL, &reader), LAM_OK);
        for (int again = 0; again < 3; again++) {
            assert_int_equal(lam_reader_next(reader, 100, &part), LAM_ERR_DATA);
            assert_null(part);
            if (again == 0)
                snprintf(error, sizeof error, "%s", lam_last_error());
            assert_string_equal(lam_last_error(), error);
            assert_int_equal(lam_reader_rewind(reader), LAM_OK);
        }
        lam_reader_free(reader);
    }
    put_file("good.csv", "a,b\n1,2\n3,4\n");
    assert_int_equal(lam_reader_open("good.csv", NULL, &reader), LAM_OK);
    assert_int_equal(lam_reader_next(reader, SIZE_MAX / 8, &part), LAM_ERR_ARGUMENT);
    assert_non_null(strstr(lam_last_error(), "more than this machine can address"));
    assert_null(part);
    assert_int_equal(lam_reader_next(reader, 10, &part), LAM_OK);
    assert_int_equal(part->rows, 2);
    lam_table_free(part);
    lam_reader_free(reader);
    lam_table_free(table);
}

static int open_folder(void **state)
{
    return scratch_open(state) || chdir(scratch_folder) != 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(arrays),
        cmocka_unit_test(writer),
        cmocka_unit_test(missing_cells_are_written),
        cmocka_unit_test(model_in_parts),
        cmocka_unit_test(names_before_rows),
        cmocka_unit_test(errors_leave_nothing),
    };
    return cmocka_run_group_tests_name("reader", tests, open_folder, scratch_close);
}
