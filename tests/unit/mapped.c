/* Tables whose rows stay in their file, and data sets of these, are those in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include "data/dataset.h"
#include "data/deal.h"
#include "data/mapped.h"
#include "data/npy.h"
#include <cmocka.h>
#include "fails.h"
#include "scratch.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 500, COLS = 4 };
#define PLACE(bytes) ((lam_rows_place) { .folder = scratch_folder, .least = (bytes) })

/* Numbers with a bad row, a repeated one and a few that are not floats. */
static const char *write_rows(void)
{
    const char *path = scratch_path("rows.npy");
    const size_t shape[2] = { ROWS, COLS };
    double x[ROWS * COLS];
    for (size_t i = 0; i < ROWS * COLS; i++)
        x[i] = sin(0.7 * (double)i) + (double)(i % COLS);
    x[17 * COLS + 2] = (double)NAN;
    memcpy(x + 40 * COLS, x + 12 * COLS, COLS * sizeof *x);
    assert_int_equal(lam_npy_write(path, x, shape, 2), LAM_OK);
    return path;
}

static void table_in_its_file_is_that_in_memory(void **state)
{
    (void)state;
    const char *path = write_rows();
    lam_config *cfg = NULL;
    assert_int_equal(lam_config_create("{columns: [4, 1, 3], drop-bad-rows: true, drop-duplicates: true}", &cfg), LAM_OK);
    lam_table *here = NULL, *there = NULL, *small = NULL;
    assert_int_equal(lam_table_read_rows(cfg, path, NULL, &here), LAM_OK);
    assert_int_equal(lam_table_map_rows(cfg, path, NULL, &PLACE(ROWS * COLS * sizeof(double)), &there), LAM_OK);
    assert_int_equal(lam_table_map_rows(cfg, path, NULL, &PLACE((ROWS + 1) * COLS * sizeof(double)), &small), LAM_OK); /* one row short */
    assert_null(there->values);
    assert_non_null(there->mapped);
    assert_null(small->mapped);
    assert_non_null(small->values);
    assert_int_equal(here->rows, ROWS - 2);
    assert_int_equal(there->rows, here->rows);
    assert_int_equal(there->cols, here->cols);
    assert_int_equal(there->bad_rows, 1);
    assert_int_equal(there->bad_at[0], 17);
    assert_int_equal(there->duplicates, 1);
    assert_int_equal(there->duplicate_at[0], 40);
    assert_string_equal(there->hash, here->hash);
    double room[COLS], *column = malloc(ROWS * sizeof *column), *some = malloc(ROWS * COLS * sizeof *some);
    size_t index[ROWS];
    for (size_t i = 0; i < here->rows; i++) {
        assert_memory_equal(lam_table_row(there, i, room), here->values + i * here->cols, here->cols * sizeof *room);
        index[i] = (i * 7 + 3) % here->rows;
    }
    lam_table_column(there, 1, there->rows, column);
    assert_int_equal(lam_table_gather(there, index, here->rows, some), LAM_OK);
    for (size_t i = 0; i < here->rows; i++) {
        assert_true(column[i] == here->values[i * here->cols + 1]);
        assert_memory_equal(some + i * here->cols, here->values + index[i] * here->cols, here->cols * sizeof *some);
    }
    static const char *const texts[] = { "no", "yes" };
    const lam_names levels = { texts, 2 };
    FAILS(lam_table_write(there, scratch_path("out.npy")), LAM_ERR_ARGUMENT, "stay in their file");
    FAILS(lam_table_set_levels(there, 0, &levels), LAM_ERR_ARGUMENT, "stay in their file");
    free(column);
    free(some);
    lam_table_free(here);
    lam_table_free(there);
    lam_table_free(small);
    lam_config_free(cfg);
}

/* Rows of a file, one of them left out, some of them in another order: dealt and settled they are where gathering puts them. The last piece is short. */
static void dealt_rows_are_those_gathered(void **state)
{
    (void)state;
    enum { LONG = 3 * LAM_DEAL_PIECE + 1000, SOME = 2 * LAM_DEAL_PIECE + 77 };
    const char *path = scratch_path("long.npy");
    const size_t shape[2] = { LONG, 2 };
    double *x = malloc(2 * LONG * sizeof *x), *dealt = malloc(2 * SOME * sizeof *x), *gathered = malloc(2 * SOME * sizeof *x);
    size_t *index = malloc(SOME * sizeof *index);
    lam_config *cfg = NULL;
    lam_table *t = NULL;
    for (size_t i = 0; i < 2 * LONG; i++)
        x[i] = (double)i;
    x[40] = (double)NAN;
    assert_int_equal(lam_npy_write(path, x, shape, 2), LAM_OK);
    assert_int_equal(lam_config_create("{drop-bad-rows: true}", &cfg), LAM_OK);
    assert_int_equal(lam_table_map_rows(cfg, path, NULL, &PLACE(1), &t), LAM_OK);
    assert_non_null(t->mapped);
    assert_int_equal(t->rows, LONG - 1);
    for (size_t i = 0; i < SOME; i++)
        index[i] = (i * 7919 + 5) % t->rows; /* a prime that does not divide the rows */
    assert_int_equal(lam_table_gather(t, index, SOME, gathered), LAM_OK);
    for (int k = 0; k < 2; k++) { /* what is taken down is in memory, or in the folder */
        memset(dealt, 0, 2 * SOME * sizeof *dealt);
        assert_int_equal(lam_deal(t, index, SOME, k == 0 ? NULL : scratch_folder, dealt), LAM_OK);
        for (size_t first = 0; first < SOME; first += LAM_DEAL_PIECE) {
            size_t rows = SOME - first < LAM_DEAL_PIECE ? SOME - first : LAM_DEAL_PIECE;
            for (size_t i = first + 1; i < first + rows; i++)
                assert_true(dealt[2 * i] > dealt[2 * i - 2]); /* as in the file */
            assert_int_equal(lam_deal_settle(index + first, rows, 2, dealt + 2 * first), LAM_OK);
        }
        assert_memory_equal(dealt, gathered, 2 * SOME * sizeof *dealt);
    }
    assert_int_equal(lam_deal(t, index, 0, NULL, dealt), LAM_OK);
    free(x), free(dealt), free(gathered), free(index);
    lam_table_free(t), lam_config_free(cfg);
}

static void data_set_in_files_is_that_in_memory(void **state)
{
    (void)state;
    const char *path = write_rows();
    lam_config *cfg = NULL;
    assert_int_equal(lam_config_create("{drop-bad-rows: true, noise: ['2:0.5']}", &cfg), LAM_OK);
    lam_table *tables[2] = { NULL };
    lam_dataset *data[2] = { NULL };
    assert_int_equal(lam_table_read_rows(cfg, path, NULL, &tables[0]), LAM_OK);
    assert_int_equal(lam_table_map_rows(cfg, path, NULL, &PLACE(0), &tables[1]), LAM_OK);
    for (int k = 0; k < 2; k++) {
        assert_int_equal(lam_dataset_build(cfg, tables[k], NULL, NULL, NULL, &data[k]), LAM_OK);
        lam_table_free(tables[k]);
    }
    assert_null(data[0]->folder);
    assert_string_equal(data[1]->folder, scratch_folder);
    assert_string_equal(data[1]->hash, data[0]->hash);
    for (int part = 0; part < LAM_PARTS; part++) {
        size_t n;
        const double *rows = lam_dataset_rows(data[1], (lam_part)part, &n);
        assert_int_equal(n, data[0]->rows[part]);
        assert_memory_equal(rows, data[0]->values[part], n * COLS * sizeof *rows);
        assert_memory_equal(data[1]->source[part], data[0]->source[part], n * sizeof(size_t));
    }
    assert_memory_equal(data[1]->file_row[LAM_TRAIN], data[0]->file_row[LAM_TRAIN], (ROWS - 1) * sizeof(size_t));
    lam_dataset_free(data[0]);
    lam_dataset_free(data[1]);
    lam_config_free(cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_in_its_file_is_that_in_memory),
        cmocka_unit_test(dealt_rows_are_those_gathered),
        cmocka_unit_test(data_set_in_files_is_that_in_memory),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
