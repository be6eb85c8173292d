/* Mean and spread of columns whose values are known in closed form, and which numbers count as the same. */
#include "data/moments.h"
#include "base/random.h"
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

/* ---- pieces ------------------------------------------------------------------------------------------------------- */

enum { ROWS = 40000, COLS = 5, PIECE = 1000 };
static double rows[ROWS * COLS];

/* What pieces differ in and what they have in common, means that are a million times the deviation, and cells that are missing in some of them or, in the
 * last column, in all of one. */
static double cell(size_t i, size_t j)
{
    double u = lam_random_uniform(1, LAM_DRAW_TEST, j, i), at = (double)i / ROWS, common = lam_random_uniform(1, LAM_DRAW_TEST, 9, i);
    switch (j) {
    case 0: return u + common;
    case 1: return 1e6 * (1 / sqrt(12)) + u;
    case 2: return 1e3 * at + u - common;
    case 3: return -1e9 - 100 * at * at + common;
    default: return i < 2 * PIECE || i % 3 == 0 ? (double)NAN : 1e9 + u * (i > ROWS / 2 ? 5 : 1);
    }
}

static void make_rows(void)
{
    for (size_t i = 0; i < ROWS * COLS; i++)
        rows[i] = cell(i / COLS, i % COLS);
}

/* In extended precision, with mean and products in two readings; of the rows where both are there. */
static long double product(size_t j, size_t k, long double *mean)
{
    long double sums[2] = { 0, 0 }, sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++)
        if (!isnan(rows[i * COLS + j]) && !isnan(rows[i * COLS + k]))
            sums[0] += rows[i * COLS + j], sums[1] += rows[i * COLS + k], n++;
    for (size_t i = 0; i < ROWS; i++)
        if (!isnan(rows[i * COLS + j]) && !isnan(rows[i * COLS + k]))
            sum += (rows[i * COLS + j] - sums[0] / (long double)n) * (rows[i * COLS + k] - sums[1] / (long double)n);
    *mean = sums[0] / (long double)n;
    return sum / (long double)n;
}

/* As exact as two readings of the whole column (the last of the sizes): the mean to the last place of the double that it is, but for what as many
 * joins as rows round, some tens of units in the last place of the deviation; the deviation to 1e-13. */
static void pieces_are_joined(void **state)
{
    (void)state;
    static const size_t sizes[] = { PIECE, 1, 7777, ROWS };
    lam_column_moments m[COLS];
    long double mean;
    make_rows();
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        lam_moments_run *run;
        assert_int_equal(lam_moments_begin(COLS, 0, &run), LAM_OK);
        for (size_t i = 0; i < ROWS; i += sizes[k])
            lam_moments_add(run, rows + i * COLS, ROWS - i < sizes[k] ? ROWS - i : sizes[k]);
        lam_moments_end(run, m);
        lam_moments_free(run);
        for (size_t j = 0; j < COLS; j++) {
            long double variance = product(j, j, &mean);
            size_t n = 0;
            double low = HUGE_VAL, high = -HUGE_VAL;
            for (size_t i = 0; i < ROWS; i++)
                if (!isnan(rows[i * COLS + j]))
                    low = fmin(low, rows[i * COLS + j]), high = fmax(high, rows[i * COLS + j]), n++;
            assert_int_equal(m[j].n, n);
            assert_true(m[j].low == low && m[j].high == high && !m[j].constant);
            assert_true(fabs(m[j].mean - (double)mean) <= DBL_EPSILON * fabs((double)mean) + 1e-14 * m[j].deviation);
            assert_true(fabs(m[j].deviation / sqrt((double)variance) - 1) < 1e-13);
        }
    }
}

/* Products join as squares do; their rounding is that of what their columns deviate by, here 1e-12 of it. */
static void products_are_joined(void **state)
{
    (void)state;
    enum { WHOLE = COLS - 1 }; /* without the column of missing cells */
    double covariance[WHOLE * WHOLE], all[COLS * COLS];
    long double mean;
    lam_moments_run *run;
    make_rows();
    assert_int_equal(lam_moments_begin(WHOLE, 1, &run), LAM_OK);
    for (size_t first = 0; first < ROWS; first += PIECE) {
        double piece[PIECE * WHOLE];
        for (size_t i = 0; i < PIECE * WHOLE; i++)
            piece[i] = rows[(first + i / WHOLE) * COLS + i % WHOLE];
        lam_moments_add(run, piece, PIECE);
    }
    assert_int_equal(lam_moments_covariance(run, covariance), 1);
    lam_moments_free(run);
    for (size_t j = 0; j < WHOLE; j++)
        for (size_t k = 0; k <= j; k++) {
            double scale = sqrt((double)(product(j, j, &mean) * product(k, k, &mean)));
            assert_true(fabs(covariance[j * WHOLE + k] - (double)product(j, k, &mean)) < 1e-12 * scale);
        }
    assert_int_equal(lam_moments_begin(COLS, 1, &run), LAM_OK);
    lam_moments_add(run, rows, ROWS);
    assert_int_equal(lam_moments_covariance(run, all), 0); /* cells are missing */
    lam_moments_free(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_mean_costs_no_digits),
        cmocka_unit_test(columns_of_rows_are_those_alone),
        cmocka_unit_test(the_last_bits_are_no_spread),
        cmocka_unit_test(floats),
        cmocka_unit_test(pieces_are_joined),
        cmocka_unit_test(products_are_joined),
    };
    return cmocka_run_group_tests_name("moments", tests, NULL, NULL);
}
