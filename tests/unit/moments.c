/* Mean and spread of columns whose values are known in closed form, and which numbers count as the same. */
#include "data/moments.h"
#include "data/dataset.h"
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

enum { N = 10000 };
static double x[N];

static lam_column_moments of_all(void)
{
    lam_column_moments m;
    lam_moments_of(x, N, 1, &m);
    return m;
}

/* 0 to 4 in turn have mean 2 and deviation sqrt 2, and so they have on top of any number that double can still add them to. */
static void a_large_mean_costs_no_digits(void **state)
{
    (void)state;
    static const double tops[] = { 0, 1, -1e6, 1e9, 1e12, -1e15, 4e15 };
    for (size_t k = 0; k < sizeof tops / sizeof *tops; k++) {
        for (size_t i = 0; i < N; i++)
            x[i] = tops[k] + (double)(i % 5);
        lam_column_moments m = of_all();
        assert_true(m.mean == tops[k] + 2 || fabs(m.mean - tops[k] - 2) < 1e-12);
        assert_true(fabs(m.deviation / sqrt(2) - 1) < 1e-12);
        assert_true(m.low == tops[k] && m.high == tops[k] + 4);
        assert_int_equal(m.constant, 0);
    }
    /* nanoseconds of this century, a millisecond apart: 256 apart is what double still tells there */
    for (size_t i = 0; i < N; i++)
        x[i] = 1.7e18 + 1.024e6 * (double)i;
    lam_column_moments m = of_all();
    assert_true(fabs(m.deviation / (1.024e6 * sqrt((N * (double)N - 1) / 12)) - 1) < 1e-12);
    assert_int_equal(m.constant, 0);
    /* one value of 1e9 comes first: mean 1e5 + 2 (1 - 1/N) */
    for (size_t i = 0; i < N; i++)
        x[i] = i == 0 ? 1e9 : (double)(i % 2) * 4;
    m = of_all();
    assert_true(fabs(m.mean - (1e5 + 4 * 5000.0 / N)) < 1e-9);
}

/* The same number in two spellings is one number: the column is constant, and a discrete one has no value more for it. */
static void the_last_bits_are_no_spread(void **state)
{
    (void)state;
    for (size_t i = 0; i < N; i++)
        x[i] = i % 2 ? 0.3 : 0.1 + 0.2;
    assert_true(x[0] != x[1]);
    assert_int_equal(of_all().constant, 1);
    for (size_t i = 0; i < N; i++) /* 14.62 +- 2 units in the last place */
        x[i] = 14.62 * (1 + ((double)(i % 5) - 2) * DBL_EPSILON / 1.8);
    assert_int_equal(of_all().constant, 1);
    for (size_t i = 0; i < N; i++) /* 1/10 added up 20 times and more, less a whole number */
        x[i] = (double)(i % 30) + 0.1 - (double)(i % 30);
    assert_int_equal(of_all().constant, 0); /* this is cancellation, far above the last bits of 0.1, and looks discrete */
    for (size_t i = 0; i < N; i++)
        x[i] = i % 7 ? 0.0 : -0.0;
    assert_int_equal(of_all().constant, 1);
    for (size_t i = 0; i < N; i++)
        x[i] = i % 3 ? -1e300 : -1e300 * (1 + DBL_EPSILON);
    assert_int_equal(of_all().constant, 1);
    for (size_t i = 0; i < N; i++) /* two values, in three spellings */
        x[i] = i % 3 == 0 ? 0.6 : i % 3 == 1 ? 0.3 : 0.1 + 0.2;
    assert_int_equal(of_all().constant, 0);
    lam_column_look look;
    assert_int_equal(lam_column_look_at(x, N, 1, &look), 0);
    assert_true(look.distinct == 2 && look.most == 2 * (N / 3) && fabs(look.spacing - 0.3) < 1e-12);
    for (size_t i = 0; i < N; i++) /* steps of 40 units: a chain of neighbours that are each the same is not one number */
        x[i] = 1 + (double)i * 40 * DBL_EPSILON;
    assert_int_equal(of_all().constant, 0);
    assert_int_equal(lam_column_look_at(x, N, 1, &look), 0);
    assert_int_equal(look.distinct, N / 2);
}

/* What was a float has a float's last bits; whole numbers may have been anything. */
static void floats(void **state)
{
    (void)state;
    for (size_t i = 0; i < N; i++)
        x[i] = (double)(i % 2 ? 14.62F : nextafterf(14.62F, 20));
    assert_int_equal(of_all().constant, 1);
    for (size_t i = 0; i < N; i++)
        x[i] = (double)(14.62F + 1e-4F * (float)(i % 2));
    assert_int_equal(of_all().constant, 0);
    for (size_t i = 0; i < N; i++)
        x[i] = 16000000 + (double)(i % 4);
    assert_int_equal(of_all().constant, 0);
}

/* Columns of all kinds in one table, with missing cells: bit by bit as each of them by itself. */
static void columns_of_rows_are_those_alone(void **state)
{
    (void)state;
    enum { ROWS = 2000, DIM = 5 };
    double values[ROWS];
    lam_column_moments rows[DIM], alone;
    for (size_t i = 0; i < ROWS; i++) {
        const double row[DIM] = { sin((double)i), i % 3 == 1 ? (double)NAN : 1e9 + cos((double)i), (double)(i % 7), (double)NAN, (double)(float)(0.1 * (double)i) };
        memcpy(x + i * DIM, row, sizeof row);
    }
    assert_int_equal(lam_moments_of_rows(x, ROWS, DIM, rows), LAM_OK);
    for (size_t j = 0; j < DIM; j++) {
        size_t n = 0;
        for (size_t i = 0; i < ROWS; i++)
            if (!isnan(x[i * DIM + j]))
                values[n++] = x[i * DIM + j];
        assert_int_equal(rows[j].n, n);
        if (n == 0)
            continue;
        lam_moments_of(values, n, 1, &alone);
        assert_true(rows[j].low == alone.low && rows[j].high == alone.high && rows[j].mean == alone.mean && rows[j].deviation == alone.deviation);
        assert_true(rows[j].same == alone.same && rows[j].constant == alone.constant);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_mean_costs_no_digits),
        cmocka_unit_test(columns_of_rows_are_those_alone),
        cmocka_unit_test(the_last_bits_are_no_spread),
        cmocka_unit_test(floats),
    };
    return cmocka_run_group_tests_name("moments", tests, NULL, NULL);
}
