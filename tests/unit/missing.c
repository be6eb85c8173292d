/* Tables with missing cells, and with columns of text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "fails.h"
#include "table_text.h"
#include "scratch.h"
#include <math.h>

static const char holes[] = "a,b,c\n1,,3\nNA,5,?\n,NaN,null\n7,8,9\n";

static void cells_that_are_missing(void **state)
{
    (void)state;
    lam_table *t;
    const lam_read_options missing = { .missing = 1 }, dropped = { .drop_bad_rows = 1 };
    FAILS(read_with(holes, NULL, &t), LAM_ERR_DATA, "--drop-bad-rows");
    FAILS(read_with(holes, NULL, &t), LAM_ERR_DATA, "--any-given");
    FAILS(read_with(holes, NULL, &t), LAM_ERR_DATA, "line 2, column 2 (b): the cell is empty");
    t = read_text(holes, &dropped);
    assert_int_equal(t->rows, 1);
    assert_int_equal(t->missing, 0);
    lam_table_free(t);
    t = read_text(holes, &missing);
    static const int there[3][3] = { { 1, 0, 1 }, { 0, 1, 0 }, { 1, 1, 1 } };
    static const double values[3][3] = { { 1, 0, 3 }, { 0, 5, 0 }, { 7, 8, 9 } };
    assert_int_equal(t->rows, 3); /* the row of nothing is no row */
    assert_int_equal(t->bad_rows, 1);
    assert_int_equal(t->bad_at[0], 2);
    assert_int_equal(t->missing, 3);
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++) {
            double v = t->values[3 * i + j];
            assert_int_equal(isnan(v), !there[i][j]);
            assert_true(isnan(v) || v == values[i][j]);
        }
    lam_table_free(t);
    FAILS(read_with("1,2\n3,inf\n", &missing, &t), LAM_ERR_DATA, "infinite");
    FAILS(read_with("1,2\n3,four\n", &missing, &t), LAM_ERR_DATA, "is not a number");
    FAILS(read_with("?,NA\n,\n", &missing, &t), LAM_ERR_DATA, "no row is left");
}

static void missing_cells_of_equal_rows(void **state)
{
    (void)state;
    const lam_read_options options = { .missing = 1, .drop_duplicates = 1 };
    lam_table *t = read_text("1,\n1,NA\n1,2\n,1\n1,2\n", &options);
    assert_int_equal(t->rows, 3);
    assert_int_equal(t->duplicates, 2);
    assert_int_equal(t->duplicate_at[0], 1);
    assert_int_equal(t->duplicate_at[1], 4);
    lam_table_free(t);
}

/* Every NaN of an array becomes the same one, so that equal tables have equal digests. */
static void missing_cells_of_arrays(void **state)
{
    (void)state;
    const lam_read_options options = { .missing = 1 };
    lam_table *t, *again;
    char hash[2][33];
    for (int sign = 0; sign < 2; sign++) {
        assert_int_equal(lam_table_create(2, 2, &t), LAM_OK);
        const double values[4] = { 1, copysign((double)NAN, sign ? -1 : 1), 3, 4 };
        memcpy(t->values, values, sizeof values);
        assert_int_equal(lam_table_write(t, scratch_path("holes.npy")), LAM_OK);
        FAILS(lam_table_read(scratch_path("holes.npy"), NULL, &again), LAM_ERR_DATA, "is NaN");
        assert_int_equal(lam_table_read(scratch_path("holes.npy"), &options, &again), LAM_OK);
        assert_int_equal(again->missing, 1);
        strcpy(hash[sign], again->hash);
        lam_table_free(again);
        lam_table_free(t);
    }
    assert_string_equal(hash[0], hash[1]);
}

static const char animals[] = "weight,kind,home\n3,\"cat, tame\",1\n20,dog,2\n4,cat,1\n30,7,x\n";

static void levels_of_text(void **state)
{
    (void)state;
    lam_table *t;
    const lam_read_options options = { .text = LAM_NAMES("kind", "weight") };
    FAILS(read_with("weight,kind\n3,cat\n20,dog\n4,cat\n", NULL, &t), LAM_ERR_DATA, "name it in --given");
    FAILS(read_with(animals, &options, &t), LAM_ERR_DATA, "column 3 (home): \"x\" is not a number");
    const lam_read_options all = { .text = LAM_NAMES("kind", "3", "weight") };
    t = read_text(animals, &all);
    static const double values[4][3] = { { 3, 2, 0 }, { 20, 3, 1 }, { 4, 1, 0 }, { 30, 0, 2 } };
    for (size_t i = 0; i < 12; i++)
        assert_true(t->values[i] == (&values[0][0])[i]);
    static const char *const kinds[] = { "7", "cat", "cat, tame", "dog" };
    assert_int_equal(t->levels[0].n, 0); /* weight is numbers */
    assert_int_equal(t->levels[1].n, 4);
    assert_int_equal(t->levels[2].n, 3);
    for (size_t k = 0; k < 4; k++)
        assert_string_equal(t->levels[1].item[k], kinds[k]);
    lam_table_free(t);
}

/* Other rows have the levels of the first ones, whatever stands in them. */
static void levels_that_are_wanted(void **state)
{
    (void)state;
    lam_table *t, *other = NULL;
    const lam_read_options text = { .text = LAM_NAMES("kind", "home"), .missing = 1 };
    t = read_text(animals, &text);
    const lam_wanted like = lam_table_wanted(t);
    lam_read_options options = { .like = &like };
    other = read_text("home,weight,kind\n2,5,dog\nx,6,cat\n", &options);
    assert_true(other->values[1] == 3 && other->values[2] == 1 && other->values[4] == 1 && other->values[5] == 2);
    lam_table_free(other);
    FAILS(read_with("home,weight,kind\n2,5,dog\nx,6,cow\n", &options, &other), LAM_ERR_DATA,
        "line 3: \"cow\" is no level of the column kind, whose 4 levels are 7, cat, cat, tame, dog");
    options.drop_bad_rows = 1;
    other = read_text("home,weight,kind\n2,5,dog\nx,6,cow\n", &options);
    assert_int_equal(other->rows, 1);
    lam_table_free(other);
    options = (lam_read_options) { .like = &like };
    FAILS(read_with("home,weight,kind\n2,5,\n", &options, &other), LAM_ERR_DATA, "column 3 (kind): the cell is empty");
    options.missing = 1;
    other = read_text("home,weight,kind\n2,5,\n", &options);
    assert_true(isnan(other->values[1]));
    lam_table_free(other);
    lam_table_free(t);
}

static void levels_are_written(void **state)
{
    (void)state;
    const lam_read_options text = { .text = LAM_NAMES("kind", "home") };
    lam_table *t = read_text(animals, &text), *again = NULL;
    assert_int_equal(lam_table_write(t, scratch_path("animals.csv")), LAM_OK);
    assert_int_equal(lam_table_read(scratch_path("animals.csv"), &text, &again), LAM_OK);
    assert_string_equal(t->hash, again->hash);
    assert_int_equal(again->levels[1].n, 4);
    assert_string_equal(again->levels[1].item[2], "cat, tame");
    lam_table_free(again);
    lam_table_free(t);
}

/* A decimal comma is no text, and texts say nothing about the decimal sign. */
static void levels_and_decimal_commas(void **state)
{
    (void)state;
    const lam_read_options text = { .text = LAM_NAMES("x", "kind"), .missing = 1 };
    lam_table *t = read_text("x;kind;y\n1,5;a,1;0,25\n2,5;b;\n", &text);
    assert_true(t->values[0] == 1.5 && t->values[2] == 0.25 && t->values[3] == 2.5);
    assert_int_equal(t->levels[0].n, 0);
    assert_string_equal(t->levels[1].item[0], "a,1");
    lam_table_free(t);
}

static void levels_of_arrays(void **state)
{
    (void)state;
    lam_table *t, *again = NULL;
    const lam_names levels = LAM_NAMES("low", "high"), sorted = LAM_NAMES("high", "low");
    assert_int_equal(lam_table_create(2, 2, &t), LAM_OK);
    t->values[1] = 2;
    FAILS(lam_table_set_levels(t, 1, &levels), LAM_ERR_ARGUMENT, "order of their bytes");
    FAILS(lam_table_set_levels(t, 2, &sorted), LAM_ERR_ARGUMENT, "has 2 columns");
    FAILS(lam_table_set_levels(t, 1, &sorted), LAM_ERR_DATA, "2 is no level");
    t->values[1] = 1;
    assert_int_equal(lam_table_set_levels(t, 1, &sorted), LAM_OK);
    assert_string_equal(t->levels[1].item[1], "low");
    const lam_wanted like = lam_table_wanted(t);
    const lam_read_options options = { .like = &like };
    t->values[3] = 5;
    assert_int_equal(lam_table_write(t, scratch_path("levels.npy")), LAM_OK);
    FAILS(lam_table_read(scratch_path("levels.npy"), &options, &again), LAM_ERR_DATA, "row 2, column 2 (2): 5 is no level");
    lam_table_free(t);
}

static void too_many_levels(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    fputs("id,x\n", out);
    for (int i = 0; i < 1200; i++)
        fprintf(out, "name%d,%d\n", i, i % 7);
    assert_int_equal(fclose(out), 0);
    lam_table *t;
    const lam_read_options options = { .text = LAM_NAMES("id") };
    FAILS(read_with(text, &options, &t), LAM_ERR_DATA, "the column id has more than 1000 different texts");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_that_are_missing),
        cmocka_unit_test(missing_cells_of_equal_rows),
        cmocka_unit_test(missing_cells_of_arrays),
        cmocka_unit_test(levels_of_text),
        cmocka_unit_test(levels_that_are_wanted),
        cmocka_unit_test(levels_are_written),
        cmocka_unit_test(levels_and_decimal_commas),
        cmocka_unit_test(levels_of_arrays),
        cmocka_unit_test(too_many_levels),
    };
    return cmocka_run_group_tests_name("missing", tests, scratch_open, scratch_close);
}
