/* What is said before a fit: one line of a kind, however many columns it is about, with names and a flag that has all of them. */
#include "data/advice.h"
#include "base/random.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "heard.h"
#include "model/config.h"

enum { N = 2000 };

/* cols of standard normals, named c0, c1, ... */
static lam_table *normals(size_t cols, uint64_t stream)
{
    lam_table *t;
    assert_int_equal(lam_table_create(N, cols, &t), LAM_OK);
    for (size_t i = 0; i < N; i++)
        lam_random_normal_row(9, LAM_DRAW_TEST, stream, i, t->values + i * cols, cols);
    for (size_t j = 0; j < cols; j++) {
        char name[24];
        snprintf(name, sizeof name, "c%zu", j);
        assert_int_equal(lam_table_rename(t, j, name), LAM_OK);
    }
    return t;
}

static heard build(lam_table *t)
{
    lam_config cfg = { .val_fraction = 0.1, .test_fraction = 0.1, .standardise = 1 };
    lam_dataset *data = NULL;
    heard h = { 0 };
    lam_log log = { listen_to, &h };
    if (lam_dataset_build(&cfg, t, NULL, NULL, &log, &data) != LAM_OK)
        fail_msg("%s", lam_last_error());
    lam_dataset_free(data);
    lam_table_free(t);
    return h;
}

static void expect(const heard *h, int lines, const char *text)
{
    if (h->lines != lines || strstr(h->text, text) == NULL)
        fail_msg("%d lines, and \"%s\" should be in \"%s\"", lines, text, h->text);
}

static void nothing_to_say(void **state)
{
    (void)state;
    heard h = build(normals(5, 0));
    expect(&h, 0, "");
    lam_table *t = normals(4, 1); /* ranks are in no order, and in all columns */
    uint64_t order[N];
    for (size_t j = 0; j < 4; j++) {
        lam_random_permutation(3, LAM_DRAW_TEST, j, order, N);
        for (size_t i = 0; i < N; i++)
            t->values[4 * i + j] = (double)order[i];
    }
    h = build(t);
    expect(&h, 0, "");
}

static void sixty_columns_are_one_line(void **state)
{
    (void)state;
    lam_table *t = normals(62, 2);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < 60; j++)
            t->values[62 * i + j] = floor(3 * t->values[62 * i + j]) / 2;
    heard h = build(t);
    expect(&h, 1, "columns with few distinct values in 1620 training rows: c0 (");
    expect(&h, 1, ") and 54 others; a flow can raise their density without limit");
    expect(&h, 1, "--noise c0:0.5,c1:0.5,");
    expect(&h, 1, ",c58:0.5,c59:0.5\n");
    t = normals(62, 3);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < 30; j++)
            t->values[62 * i + 61 - j] = 2 - 3 * t->values[62 * i + j];
    h = build(t);
    expect(&h, 1, "columns are linear functions of others in every training row: c");
    expect(&h, 1, " and 24 others. All rows lie on a plane");
    for (size_t j = 0; j < 30; j++) {
        char name[24];
        snprintf(name, sizeof name, "c%zu", 61 - j);
        const char *flag = strstr(h.text, "--drop "), *at = strstr(flag, name);
        assert_non_null(at);
        assert_true(at[-1] == ' ' || at[-1] == ',');
    }
}

static void relations_are_formulas(void **state)
{
    (void)state;
    lam_table *t = normals(5, 4);
    for (size_t i = 0; i < N; i++) {
        double *row = t->values + 5 * i;
        row[2] = 1 - row[0] - row[1];
        row[4] = 1.8 * row[3] + 32;
    }
    heard h = build(t);
    expect(&h, 1, " = 1"); /* c0 + c1 + c2, whichever comes last in the search */
    expect(&h, 1, "c4 = 1.8 c3 + 32");
    assert_null(strstr(h.text, "rounding"));
    t = normals(3, 5);
    for (size_t i = 0; i < N; i++) {
        double *row = t->values + 3 * i;
        row[0] = round(100 * row[0]) / 100, row[1] = round(100 * row[1]) / 100;
        row[2] = row[0];
    }
    h = build(t);
    expect(&h, 1, "c2 = c0. All rows lie on a plane, where density and likelihood can grow without limit; leave it out with --drop c2\n");
}

static void numbers_and_gaps(void **state)
{
    (void)state;
    lam_table *t = normals(4, 6);
    for (size_t i = 0; i < N; i++) {
        t->values[4 * i] = (double)i + 1;
        if (i % 100 == 3)
            t->values[4 * i + 2] = -999;
    }
    heard h = build(t);
    expect(&h, 2, "column c0 numbers the rows (whole numbers, each once)");
    expect(&h, 2, "leave it out with --drop c0\n");
    expect(&h, 2, "c2 (-999 in ");
    expect(&h, 2, "leave such rows out with --drop-bad-rows, or leave the column out with --drop c2\n");
    t = normals(3, 7);
    uint64_t order[N];
    lam_random_permutation(3, LAM_DRAW_TEST, 9, order, N);
    for (size_t i = 0; i < N; i++)
        t->values[3 * i] = (double)order[i];
    h = build(t);
    expect(&h, 1, "--drop c0\n");
    t = normals(3, 8); /* a shell takes the flag as it stands */
    for (size_t i = 0; i < N; i++)
        t->values[3 * i] = (double)i, t->values[3 * i + 1] = floor(t->values[3 * i + 1]);
    assert_int_equal(lam_table_rename(t, 0, "Unnamed: 0"), LAM_OK);
    assert_int_equal(lam_table_rename(t, 1, "kWh, \"it's\""), LAM_OK);
    h = build(t);
    expect(&h, 2, "--drop 'Unnamed: 0'\n");
    expect(&h, 2, "--noise '\"kWh, \"\"it'\\''s\"\"\":1'\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_to_say),
        cmocka_unit_test(sixty_columns_are_one_line),
        cmocka_unit_test(relations_are_formulas),
        cmocka_unit_test(numbers_and_gaps),
    };
    return cmocka_run_group_tests_name("advice", tests, NULL, NULL);
}
