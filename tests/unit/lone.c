/* Values that stand for "missing" are told of, the far values of heavy tails and of counts are not; nor are columns that only look as if
 * they counted the rows. */
#include "data/lone.h"
#include "base/random.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { N = 10000, SEEDS = 20, KINDS = 12 };
static double x[N];
static const double pi = 3.14159265358979323846;

static double uniform(uint64_t seed, size_t i)
{
    return lam_random_uniform(11, LAM_DRAW_TEST, seed, i) * (1 - 1e-12) + 5e-13;
}

static double normal(uint64_t seed, size_t i)
{
    double z[2];
    lam_random_normal_row(12, LAM_DRAW_TEST, seed, i, z, 2);
    return z[0];
}

/* Columns as they are, of all tails: no value of theirs is to be told of. */
static double draw(int kind, uint64_t seed, size_t i)
{
    double u = uniform(seed, i), z = normal(seed, i);
    switch (kind) {
    case 0: return tan(pi * (u - 0.5));                    /* Cauchy */
    case 1: return round(100 * tan(pi * (u - 0.5))) / 100; /* the same, printed */
    case 2: return exp(z);
    case 3: return exp(3 * z);
    case 4: return round(1e3 * exp(2 * z));                /* money */
    case 5: return z;
    case 6: return u;
    case 7: return -log(u);
    case 8: return pow(u, -0.5);                           /* Pareto without variance */
    case 9: return floor(-2 * log(u));                     /* counts */
    case 10: return floor(pow(u, -1));                     /* counts with a heavy tail */
    default: return u < 0.97 ? 0 : floor(1 + 30 * exp(z)); /* mostly none */
    }
}

static void fill(int kind, uint64_t seed, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = draw(kind, seed, i);
}

static size_t guesses;

static lam_lone find(size_t n)
{
    lam_lone found;
    size_t may;
    lam_lone_ends *ends;
    assert_int_equal(lam_lone_find(x, n, NULL, &found), LAM_OK);
    assert_int_equal(lam_lone_begin(1, &ends), LAM_OK);
    lam_lone_look(ends, x, n / 3);
    lam_lone_look(ends, x + n / 3, n - n / 3);
    assert_int_equal(lam_lone_guess(ends, x, n, &may), LAM_OK);
    lam_lone_end(ends);
    assert_true(found.n == 0 || may == 1);
    guesses += may;
    return found;
}

static void tails_are_left_alone(void **state)
{
    (void)state;
    static const size_t sizes[] = { 50, 400, 3000, N };
    guesses = 0;
    for (int kind = 0; kind < KINDS; kind++)
        for (uint64_t seed = 0; seed < SEEDS; seed++)
            for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
                fill(kind, 100 * (uint64_t)kind + seed, sizes[k]);
                lam_lone found = find(sizes[k]);
                if (found.n != 0)
                    fail_msg("kind %d, seed %d, %zu rows: %g", kind, (int)seed, sizes[k], found.value[0]);
            }
    assert_true(guesses < KINDS * SEEDS * 4 / 50); /* a longer look is rare */
}

static void few_values_are_left_alone(void **state)
{
    (void)state;
    static const double sets[][6] = { { 0, 1, 0, 1, 0, 1 }, { 1, 2, 3, 4, 5, 1 }, { 1, 2, 5, 10, 100, 1000 }, { 0, 0, 0, 0, 0, 1 },
        { 0, 0.5, 1, 2, 4, 8 }, { -1, 0, 1, 0, 0, 0 }, { 10, 100, 1000, 10000, 100000, 1000000 } };
    for (size_t k = 0; k < sizeof sets / sizeof *sets; k++) {
        for (size_t i = 0; i < 3000; i++)
            x[i] = sets[k][(size_t)(6 * uniform(k, i))];
        assert_int_equal(find(3000).n, 0);
    }
}

static void sentinels_are_told(void **state)
{
    (void)state;
    static const double values[] = { -999, 9999, -9999, 1e9, -1e9, 99999, 1e20, -999.25, -99999.0, 2147483647.0 };
    static const int kinds[] = { 2, 5, 6, 7, 9 };
    for (size_t v = 0; v < sizeof values / sizeof *values; v++)
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            for (size_t many = 1; many <= 1000; many *= 10) {
                fill(kinds[k], 7, 3000);
                for (size_t i = 0; i < many; i++)
                    x[(37 + 3 * i) % 3000] = values[v];
                lam_lone found = find(3000);
                if (found.n != 1 || found.value[0] != values[v] || found.rows[0] != many)
                    fail_msg("%zu of %g, kind %d: %zu found", many, values[v], kinds[k], found.n);
                assert_true(found.without < 0.5 * found.deviation && found.low > -10 && found.high < 1000);
            }
}

static void others_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4000; i++) /* heights to 3000, and 9999: hardly more spread, but nobody's height */
        x[i] = i % 400 == 7 ? 9999 : 3000 * uniform(3, i);
    lam_lone found = find(4000);
    assert_true(found.n == 1 && found.value[0] == 9999 && found.rows[0] == 10);
    fill(5, 8, 2000); /* two at one end, one at the other */
    for (size_t i = 0; i < 30; i++)
        x[40 * i] = i % 3 == 0 ? -998 : i % 3 == 1 ? -999 : 9999;
    found = find(2000);
    assert_int_equal(found.n, 3);
    assert_true(found.low > -6 && found.high < 6);
    fill(5, 9, 5000); /* a slip of the pen, once */
    x[77] = 123456;
    found = find(5000);
    assert_true(found.n == 1 && found.value[0] == 123456 && found.rows[0] == 1 && found.deviation > 1000 && found.without < 1.1);
    for (size_t i = 0; i < 4000; i++) /* most rows: days since the last call, 999 for none */
        x[i] = uniform(4, i) < 0.96 ? 999 : floor(28 * uniform(5, i));
    found = find(4000);
    assert_true(found.n == 1 && found.value[0] == 999 && found.high <= 27);
    for (size_t i = 0; i < 3000; i++) /* answers 1 to 5 */
        x[i] = i % 50 == 0 ? -999 : 1 + floor(5 * uniform(6, i));
    assert_int_equal(find(3000).n, 1);
    fill(0, 10, N); /* in a heavy tail, too */
    for (size_t i = 0; i < 5; i++)
        x[1000 * i] = 1e20;
    assert_int_equal(find(N).n, 1);
}

/* Numbers of rows, from 0 and from 1, shuffled, with rows left out; and what is none. */
static void row_numbers(void **state)
{
    (void)state;
    enum { ROWS = 1000 };
    uint64_t order[ROWS];
    lam_random_permutation(5, LAM_DRAW_TEST, 0, order, ROWS);
    for (size_t from = 0; from < 2; from++) {
        for (size_t i = 0; i < ROWS; i++)
            x[i] = (double)(i + from);
        assert_int_equal(lam_counts_rows(x, ROWS, 1, NULL), 1);
        for (size_t i = 0; i < ROWS; i++)
            x[i] = (double)(order[i] + from);
        assert_int_equal(lam_counts_rows(x, ROWS, 1, NULL), 2);
        assert_int_equal(lam_counts_rows(x, 800, 1, NULL), 2); /* the first part of a split */
    }
    for (size_t i = 0; i < ROWS; i++)
        x[i] = (double)(i + i / 10); /* a tenth was dropped */
    assert_int_equal(lam_counts_rows(x, ROWS, 1, NULL), 1);
    for (size_t i = 0; i < ROWS; i++)
        x[i] = 5000 - (double)i;
    assert_int_equal(lam_counts_rows(x, ROWS, 1, NULL), 1);
    x[500] = x[501];
    assert_int_equal(lam_counts_rows(x, ROWS, 1, NULL), 0);
    for (size_t i = 0; i < ROWS; i++)
        x[i] = (double)i + 0.5;
    assert_int_equal(lam_counts_rows(x, ROWS, 1, NULL), 0);
    for (uint64_t seed = 0; seed < 100; seed++)
        for (size_t n = 10; n <= ROWS; n += 30) { /* whole numbers at random */
            for (size_t i = 0; i < n; i++)
                x[i] = floor(uniform(200 + seed, i) * 3 * (double)n);
            assert_int_equal(lam_counts_rows(x, n, 1, NULL), 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tails_are_left_alone),
        cmocka_unit_test(few_values_are_left_alone),
        cmocka_unit_test(sentinels_are_told),
        cmocka_unit_test(others_are_told),
        cmocka_unit_test(row_numbers),
    };
    return cmocka_run_group_tests_name("lone", tests, NULL, NULL);
}
