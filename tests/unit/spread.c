/* Ranges, bins and smoothed pairs, against what is known of the numbers. */
#include "report/spread.h"
#include "base/random.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { N = 4000, SIDE = 80 };
static double values[N], other[N], z[SIDE * SIDE];

static void normals(double *to)
{
    for (size_t i = 0; i < N; i += 2)
        lam_random_normal_row(3, LAM_DRAW_TEST, to == other, i, to + i, 2);
}

static void ranges(void **state)
{
    (void)state;
    double r[2];
    for (size_t i = 0; i < N; i++) /* even: all of it and 4 % */
        values[i] = (double)i / (N - 1);
    lam_spread_range(values, N, r);
    assert_true(fabs(r[0] + 0.04) < 1e-12 && fabs(r[1] - 1.04) < 1e-12);
    assert_true(fabs(lam_spread_quantile(values, N, 0.3) - 0.3) < 1e-12);
    values[N - 1] = 1e9; /* one far out: not shown */
    lam_spread_range(values, N, r);
    assert_true(r[1] < 1.4);
    for (size_t i = N - 60; i < N; i++) /* a mode of 1.5 %: shown */
        values[i] = 50;
    lam_spread_range(values, N, r);
    assert_true(r[1] > 50);
    const double same[] = { 7, 7, 7 }, zero[] = { 0, 0 }, one[] = { -3 };
    lam_spread_range(same, 3, r);
    assert_true(r[0] < 7 && r[1] > 7);
    lam_spread_range(zero, 2, r);
    assert_true(r[0] < 0 && r[1] > 0);
    lam_spread_range(one, 1, r);
    assert_true(r[0] < -3 && r[1] > -3);
}

static double area(const lam_bins *bins, const double *heights)
{
    double sum = 0;
    for (size_t i = 0; i < bins->n; i++)
        sum += heights[i] * (bins->edges[i + 1] - bins->edges[i]);
    return sum;
}

/* Bars cover the range and hold every value in it; their number is Freedman and Diaconis's. */
static void histograms(void **state)
{
    (void)state;
    lam_bins bins;
    double r[2], heights[LAM_MOST_BINS];
    normals(values);
    lam_sort_ascending(values, N);
    lam_spread_range(values, N, r);
    lam_spread_bins(values, N, r, &bins);
    double width = 2 * (lam_spread_quantile(values, N, 0.75) - lam_spread_quantile(values, N, 0.25)) / cbrt(N);
    assert_int_equal(bins.n, (size_t)ceil((r[1] - r[0]) / width));
    assert_true(bins.edges[0] <= r[0] && bins.edges[bins.n] >= r[1] - 1e-12);
    lam_spread_heights(values, N, &bins, heights);
    assert_true(fabs(area(&bins, heights) - 1) < 1e-12);
    r[0] = 0; /* half of them outside: they count */
    lam_spread_bins(values, N, r, &bins);
    lam_spread_heights(values, N, &bins, heights);
    assert_true(fabs(area(&bins, heights) - 0.5) < 0.03);
    for (size_t i = 0; i < N; i++) /* all the same, but for a few */
        values[i] = i < N - 10 ? 1 : 1 + (double)i / N;
    lam_spread_range(values, N, r);
    lam_spread_bins(values, N, r, &bins);
    assert_in_range(bins.n, 8, LAM_MOST_BINS);
}

/* Few values in even distance each get a bar around them; many, whole numbers of them do. */
static void discrete(void **state)
{
    (void)state;
    lam_bins bins;
    double r[2], heights[LAM_MOST_BINS];
    for (size_t i = 0; i < N; i++)
        values[i] = 0.5 * (double)(i * 7 % 9) + 10;
    lam_sort_ascending(values, N);
    lam_spread_range(values, N, r);
    lam_spread_bins(values, N, r, &bins);
    lam_spread_heights(values, N, &bins, heights);
    assert_true(fabs(area(&bins, heights) - 1) < 1e-12);
    for (size_t i = 0; i < bins.n; i++) {
        double middle = 0.5 * (bins.edges[i] + bins.edges[i + 1]), steps = (middle - 10) / 0.5;
        assert_true(fabs(steps - round(steps)) < 1e-9);
        assert_true(fabs(heights[i] - (middle > 9.9 && middle < 14.1 ? 1 / 9.0 / 0.5 : 0)) < 0.01); /* 4000 is not a multiple of 9 */
    }
    for (size_t i = 0; i < N; i++)
        values[i] = i % 2 ? 0 : (double)(i % 50) * 10; /* 25 values on multiples of 20, a range of 48 of 10 */
    lam_sort_ascending(values, N);
    lam_spread_range(values, N, r);
    lam_spread_bins(values, N, r, &bins);
    double width = bins.edges[1] - bins.edges[0];
    assert_true(fabs(width - 20) < 1e-9);
}

/* The share of pairs in cells at or above a level. */
static double share_above(const lam_pairs *pairs, double level)
{
    size_t above = 0;
    for (size_t i = 0; i < pairs->n; i++) {
        double column = floor((pairs->x[i] - pairs->x_range[0]) / (pairs->x_range[1] - pairs->x_range[0]) * SIDE);
        double row = floor((pairs->y[i] - pairs->y_range[0]) / (pairs->y_range[1] - pairs->y_range[0]) * SIDE);
        if (column >= 0 && column < SIDE && row >= 0 && row < SIDE)
            above += z[(size_t)row * SIDE + (size_t)column] >= level;
    }
    return (double)above / (double)pairs->n;
}

/* A smoothed normal is normal: its mass, its peak with the smoothing's own variance added, and the radius of the line that half of
 * the pairs lie within, sqrt(2 log 2). Sampling error of 4000: a few per cent. */
static void pairs_are_smoothed(void **state)
{
    (void)state;
    const double r[2] = { -5, 5 }, cell = 10.0 / SIDE;
    const lam_pairs pairs = { values, other, 1, N, r, r };
    double sum = 0, level, half = 0;
    normals(values);
    normals(other);
    assert_int_equal(lam_spread_pairs(&pairs, SIDE, z), LAM_OK);
    for (size_t i = 0; i < SIDE * SIDE; i++)
        sum += z[i];
    assert_true(fabs(sum - 1) < 2e-3); /* weights are cut at three widths */
    double variance = 1 + pow(0.7 * pow(N, -1.0 / 6), 2);
    assert_true(fabs(z[SIDE / 2 * SIDE + SIDE / 2] / (cell * cell / (6.283185 * variance)) - 1) < 0.15);
    assert_int_equal(lam_spread_level(&pairs, SIDE, z, 0.5, &level), LAM_OK);
    for (size_t i = 0; i < SIDE * SIDE; i++)
        half += z[i] >= level ? 1 : 0;
    double radius = sqrt(half * cell * cell / 3.14159265);
    assert_true(fabs(radius / sqrt(2 * log(2)) - 1) < 0.05);
    const double apart[2] = { 100, 101 }; /* nothing there */
    const lam_pairs gone = { values, other, 1, N, apart, r };
    assert_int_equal(lam_spread_pairs(&gone, SIDE, z), LAM_OK);
    for (size_t i = 0; i < SIDE * SIDE; i++)
        assert_true(z[i] == 0);
    assert_int_equal(lam_spread_level(&gone, SIDE, z, 0.5, &level), LAM_OK);
    assert_true(level < 0);
}

/* On a thin ring, far thinner than the smoothing is wide, half of the pairs are half of them all the same: but for those that share
 * a cell with the last. */
static void levels_hold_pairs_not_mass(void **state)
{
    (void)state;
    const double r[2] = { -2, 2 };
    const lam_pairs pairs = { values, other, 1, N, r, r };
    double level;
    for (size_t i = 0; i < N; i++) {
        double angle = 6.283185307 * (double)i / N, radius = 1 + 0.02 * sin((double)(i * i % 97));
        values[i] = radius * cos(angle);
        other[i] = radius * sin(angle);
    }
    assert_int_equal(lam_spread_pairs(&pairs, SIDE, z), LAM_OK);
    for (int k = 1; k < 10; k++) {
        assert_int_equal(lam_spread_level(&pairs, SIDE, z, 0.1 * k, &level), LAM_OK);
        assert_true(fabs(share_above(&pairs, level) - 0.1 * k) < 0.02);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges),
        cmocka_unit_test(histograms),
        cmocka_unit_test(discrete),
        cmocka_unit_test(pairs_are_smoothed),
        cmocka_unit_test(levels_hold_pairs_not_mass),
    };
    return cmocka_run_group_tests_name("spread", tests, NULL, NULL);
}
