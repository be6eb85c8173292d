/* Columns made as functions of others are found with just these others; columns that are only near to it are not. */
#include "data/relations.h"
#include "base/random.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { N = 3000, D = 8 };
static double x[N * D];

/* D columns of standard normals. */
static void normals(uint64_t stream)
{
    for (size_t i = 0; i < N; i++)
        lam_random_normal_row(7, LAM_DRAW_TEST, stream, i, x + i * D, D);
}

/* How numbers are written: %.*g, or %.*f with `fixed`. */
typedef struct form {
    int fixed, digits;
} form;

static double printed(double v, form as)
{
    char text[64];
    snprintf(text, sizeof text, as.fixed ? "%.*f" : "%.*g", as.digits, v);
    return strtod(text, NULL);
}

static void print_all(form as)
{
    for (size_t i = 0; i < N * D; i++)
        x[i] = printed(x[i], as);
}

static lam_relations find(size_t n)
{
    lam_relations r;
    assert_int_equal(lam_relations_find(x, n, D, NULL, &r), LAM_OK);
    return r;
}

static void expect_none(void)
{
    lam_relations r = find(N);
    assert_int_equal(r.n, 0);
    lam_relations_clear(&r);
}

static void a_double_and_a_sum(void **state)
{
    (void)state;
    static const form forms[] = { { 0, 17 }, { 0, 9 }, { 0, 6 }, { 1, 3 }, { 1, 2 } };
    for (size_t k = 0; k < sizeof forms / sizeof *forms; k++) {
        normals(k);
        for (size_t i = 0; i < N; i++) {
            double *row = x + i * D, sum = 0;
            for (size_t j = 2; j < 6; j++) /* shares of 100 */
                sum += row[j] = exp(row[j]);
            for (size_t j = 2; j < 6; j++)
                row[j] *= 100 / sum;
        }
        print_all(forms[k]);
        for (size_t i = 0; i < N; i++)
            x[i * D + 7] = x[i * D];
        lam_relations r = find(N);
        assert_int_equal(r.n, 2);
        for (size_t a = 0; a < 2; a++) {
            const lam_relation *one = &r.all[a];
            if (one->column == 7) { /* of equal columns the later one */
                assert_true(one->n == 1 && one->term[0] == 0 && one->weight[0] == 1 && one->constant == 0 && one->residual == 0);
                continue;
            }
            assert_true(one->n == 3 && one->column >= 2 && one->column < 6 && fabs(one->constant - 100) < 0.01);
            for (size_t b = 0; b < 3; b++)
                assert_true(one->weight[b] == -1 && one->term[b] >= 2 && one->term[b] < 6 && one->term[b] != one->column);
            /* four roundings, of shares of 2 decimals at the coarsest (%.6g has 4 of them where it has least) */
            assert_true(one->residual <= 1.1 * 0.01 * sqrt(4.0 / 12));
        }
        lam_relations_clear(&r);
    }
}

/* Another unit, rounded after it was computed, beside a third column that is near to both. */
static void degrees(void **state)
{
    (void)state;
    normals(20);
    for (size_t i = 0; i < N; i++) {
        double *row = x + i * D, celsius = 12 + 8 * row[1];
        row[1] = printed(celsius, (form){ 1, 1 });
        row[3] = printed(1.8 * celsius + 32, (form){ 1, 1 });
        row[5] = celsius + 0.5 * row[5];
    }
    lam_relations r = find(N);
    assert_int_equal(r.n, 1);
    const lam_relation *one = &r.all[0];
    int turned = one->column == 1;
    assert_true(one->n == 1 && one->column + one->term[0] == 4);
    assert_true(fabs(one->weight[0] - (turned ? 1 / 1.8 : 1.8)) < 1e-3 && fabs(one->constant - (turned ? -32 / 1.8 : 32)) < 0.02);
    lam_relations_clear(&r);
}

/* Noise that is there in the data is no rounding: correlation 0.9999, also printed, and far beyond where all digits are there. */
static void noise_is_no_relation(void **state)
{
    (void)state;
    static const form forms[] = { { 0, 17 }, { 0, 6 }, { 1, 4 }, { 1, 3 }, { 1, 2 }, { 1, 1 } };
    for (size_t k = 0; k < sizeof forms / sizeof *forms; k++)
        for (uint64_t seed = 0; seed < 5; seed++) {
            normals(100 + seed);
            for (size_t i = 0; i < N; i++) {
                double *row = x + i * D;
                row[4] = row[0] + 0.01414 * row[4];
                row[6] = row[1] + row[2] - row[3] + 0.01414 * row[6];
            }
            print_all(forms[k]);
            expect_none();
        }
    normals(200);
    for (size_t i = 0; i < N; i++)
        x[i * D + 4] = x[i * D] + 1e-6 * x[i * D + 4];
    expect_none();
    for (size_t i = 0; i < N; i++) /* whole numbers, half of one apart */
        for (size_t j = 0; j < D; j++)
            x[i * D + j] = floor(3 * (x[i * D] + 0.1 * x[i * D + j]));
    lam_relations r = find(N);
    for (size_t a = 0; a < r.n; a++) /* there are none but of equal columns, and those are not equal */
        assert_true(r.all[a].residual > 0);
    assert_int_equal(r.n, 0);
    lam_relations_clear(&r);
    normals(250);
    for (size_t i = 0; i < N; i++) { /* nine stages, whole numbers apart, of which another column is nearly a multiple */
        double *row = x + i * D, stage = floor(4.5 + 4.5 * tanh(row[0]));
        row[0] = 3 * stage;
        row[1] = printed(1.1 * stage + 0.02 * sin(stage), (form){ 1, 3 });
    }
    expect_none();
    normals(300);
    /* one value far out in the same row of two columns, whose others have nothing to do with each other */
    static const double far[] = { 1e5, 1e9, 1e20, 1e200 };
    for (size_t k = 0; k < sizeof far / sizeof *far; k++) {
        x[17 * D + 2] = x[17 * D + 5] = far[k];
        expect_none();
    }
}

/* Of as many columns as rows each is a function of the others; that says nothing. A column that is constant says nothing either. */
static void few_rows(void **state)
{
    (void)state;
    normals(400);
    for (size_t n = 4; n < 30; n++) {
        lam_relations r = find(n);
        assert_int_equal(r.n, 0);
        lam_relations_clear(&r);
    }
    for (size_t i = 0; i < N; i++)
        x[i * D + 3] = 5, x[i * D + 6] = 0.1 + 0.2;
    expect_none();
    for (size_t i = 0; i < N; i++)
        x[i * D + 7] = 2 * x[i * D] - 3 * x[i * D + 1] + 4e6;
    lam_relations r = find(N);
    assert_int_equal(r.n, 1);
    lam_relations_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_double_and_a_sum),
        cmocka_unit_test(degrees),
        cmocka_unit_test(noise_is_no_relation),
        cmocka_unit_test(few_rows),
    };
    return cmocka_run_group_tests_name("relations", tests, NULL, NULL);
}
