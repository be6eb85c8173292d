/* The cheapest assignment of draws of noise to rows: against all permutations, against sorting in one dimension, and by the
 * certificate of an optimum: no exchange of partners around a ring makes it cheaper. */
#include "penalty/pairing.h"
#include "base/random.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static double cost_of(size_t n, const double *cost, const size_t *to)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += cost[i * n + to[i]];
    return sum;
}

static void assert_permutation(size_t n, const size_t *to)
{
    size_t seen[LAM_PAIRED] = { 0 };
    for (size_t i = 0; i < n; i++) {
        assert_true(to[i] < n);
        assert_int_equal(seen[to[i]]++, 0);
    }
}

/* Least cost over the permutations that keep to[0 .. fixed - 1]. */
static double least(size_t n, const double *cost, size_t *to, size_t fixed)
{
    if (fixed == n)
        return cost_of(n, cost, to);
    double best = (double)INFINITY;
    for (size_t i = fixed; i < n; i++) {
        size_t kept = to[fixed];
        to[fixed] = to[i], to[i] = kept;
        best = fmin(best, least(n, cost, to, fixed + 1));
        to[i] = to[fixed], to[fixed] = kept;
    }
    return best;
}

/* Whole numbers, so that sums are exact and, small ones, ties abound; negative ones too. */
static void all_permutations(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 7; n++)
        for (uint64_t round = 0; round < 60; round++) {
            double cost[49];
            size_t to[7], again[7], order[7], range = round % 3 == 0 ? 3 : round % 3 == 1 ? 20 : 1000000;
            for (size_t i = 0; i < n * n; i++)
                cost[i] = floor((double)range * lam_random_uniform(round, LAM_DRAW_TEST, n, i)) - (double)(round % 2 * range / 2);
            for (size_t i = 0; i < n; i++)
                order[i] = i;
            lam_pairing(n, cost, to);
            assert_permutation(n, to);
            assert_true(cost_of(n, cost, to) == least(n, cost, order, 0));
            memset(again, 0xff, sizeof again); /* what was there does not matter */
            lam_pairing(n, cost, again);
            assert_memory_equal(to, again, n * sizeof *to);
        }
}

/* Squared ways between the rows x and y [n, d]. */
static void squared_ways(size_t n, size_t d, const double *x, const double *y, double *cost)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            cost[i * n + j] = 0;
            for (size_t k = 0; k < d; k++)
                cost[i * n + j] += (x[i * d + k] - y[j * d + k]) * (x[i * d + k] - y[j * d + k]);
        }
}

/* In one dimension the nearest choice keeps the order. */
static void one_dimension_is_sorted(void **state)
{
    (void)state;
    static double x[LAM_PAIRED], y[LAM_PAIRED], cost[LAM_PAIRED * LAM_PAIRED];
    size_t to[LAM_PAIRED];
    for (size_t i = 0; i < LAM_PAIRED; i++) {
        lam_random_normal_row(3, LAM_DRAW_TEST, 0, i, x + i, 1);
        lam_random_normal_row(3, LAM_DRAW_TEST, 1, i, y + i, 1);
    }
    squared_ways(LAM_PAIRED, 1, x, y, cost);
    lam_pairing(LAM_PAIRED, cost, to);
    for (size_t i = 0; i < LAM_PAIRED; i++)
        for (size_t j = 0; j < LAM_PAIRED; j++)
            assert_true(x[i] >= x[j] || y[to[i]] < y[to[j]]);
}

/* Row i taking over the partner of row j costs exchange[i][j]; the pairing is the cheapest if and only if no ring of such exchanges
 * is below 0 (Klein 1967). All shortest ways by Floyd and Warshall; rounding of sums of 64 squares of order 10: 1e-12. */
static void no_ring_of_exchanges_is_cheaper(void **state)
{
    (void)state;
    static double x[6 * LAM_PAIRED], y[6 * LAM_PAIRED], cost[LAM_PAIRED * LAM_PAIRED], way[LAM_PAIRED][LAM_PAIRED];
    static const size_t dims[] = { 1, 2, 6 };
    for (size_t round = 0; round < 9; round++) {
        size_t to[LAM_PAIRED], d = dims[round % 3], n = round < 3 ? 23 : LAM_PAIRED;
        for (size_t i = 0; i < n; i++) {
            lam_random_normal_row(round, LAM_DRAW_TEST, 2, i, x + i * d, d);
            lam_random_normal_row(round, LAM_DRAW_TEST, 3, round >= 6 ? i / 4 : i, y + i * d, d); /* of the last, four alike */
        }
        squared_ways(n, d, x, y, cost);
        lam_pairing(n, cost, to);
        assert_permutation(n, to);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++)
                way[i][j] = cost[i * n + to[j]] - cost[i * n + to[i]];
        for (size_t k = 0; k < n; k++)
            for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < n; j++)
                    way[i][j] = fmin(way[i][j], way[i][k] + way[k][j]);
        for (size_t i = 0; i < n; i++)
            assert_true(way[i][i] > -1e-12);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_permutations),
        cmocka_unit_test(one_dimension_is_sorted),
        cmocka_unit_test(no_ring_of_exchanges_is_cheaper),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
