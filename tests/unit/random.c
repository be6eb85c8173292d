/* Counted random numbers: the generator's published answers, moments, and that a draw depends on its counter only. */
#include "base/random.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void check_bits(uint64_t seed, uint64_t a, uint64_t b, const uint32_t want[4])
{
    uint32_t got[4];
    lam_random_bits(seed, (lam_purpose)0, a, b, got);
    for (int i = 0; i < 4; i++)
        assert_int_equal(got[i], want[i]);
}

/* The three vectors that Random123 publishes for philox4x32-10: all zeros, all ones, digits of pi. */
static void philox_known_answers(void **state)
{
    (void)state;
    const uint32_t zeros[4] = { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 };
    const uint32_t ones[4] = { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd };
    const uint32_t pi[4] = { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 };
    check_bits(0, 0, 0, zeros);
    check_bits(UINT64_MAX, UINT64_MAX, UINT64_MAX, ones);
    check_bits(UINT64_C(0x299f31d0a4093822), UINT64_C(0x85a308d3243f6a88), UINT64_C(0x0370734413198a2e), pi);
}

enum { N = 200000 };

/* Bounds are five standard errors: variances 1/12 of u, 1/180 of (u - 1/2)^2. */
static void uniform_moments(void **state)
{
    (void)state;
    double sum = 0, square = 0, low = 1, high = 0;
    for (uint64_t i = 0; i < N; i++) {
        double u = lam_random_uniform(7, LAM_DRAW_TEST, i, 3);
        assert_true(u >= 0 && u < 1);
        sum += u, square += (u - 0.5) * (u - 0.5);
        low = fmin(low, u), high = fmax(high, u);
    }
    assert_true(fabs(sum / N - 0.5) < 5 * sqrt(1.0 / 12 / N));
    assert_true(fabs(square / N - 1.0 / 12) < 5 * sqrt(1.0 / 180 / N));
    assert_true(low < 1e-4 && high > 1 - 1e-4);
}

/* Five standard errors again: variances 1, 2, 15, 96 of x, x^2, x^3, x^4; 1 of the product of the pair. */
static void normal_moments(void **state)
{
    (void)state;
    double m1 = 0, m2 = 0, m3 = 0, m4 = 0, cross = 0;
    for (uint64_t i = 0; i < N / 2; i++) {
        double pair[2];
        lam_random_normal2(1, LAM_DRAW_TEST, i, 0, pair);
        cross += pair[0] * pair[1];
        for (int k = 0; k < 2; k++) {
            double x = pair[k];
            m1 += x, m2 += x * x, m3 += x * x * x, m4 += x * x * x * x;
        }
    }
    assert_true(fabs(m1 / N) < 5 * sqrt(1.0 / N));
    assert_true(fabs(m2 / N - 1) < 5 * sqrt(2.0 / N));
    assert_true(fabs(m3 / N) < 5 * sqrt(15.0 / N));
    assert_true(fabs(m4 / N - 3) < 5 * sqrt(96.0 / N));
    assert_true(fabs(cross / (N / 2)) < 5 * sqrt(2.0 / N));
}

/* A row's element depends on its own index only: not on how long the row is, nor on what was drawn before. */
static void rows_depend_on_counter_only(void **state)
{
    (void)state;
    double whole[300], part[300], other[300];
    for (int kind = 0; kind < 2; kind++) {
        void (*draw)(uint64_t, lam_purpose, uint64_t, uint64_t, double *, uint64_t) =
            kind ? lam_random_sign_row : lam_random_normal_row;
        draw(5, LAM_DRAW_TEST, 11, 42, whole, 300);
        draw(5, LAM_DRAW_TEST, 11, 43, other, 300);
        draw(5, LAM_DRAW_TEST, 11, 42, part, 131);
        assert_memory_equal(whole, part, 131 * sizeof *whole);
        assert_memory_not_equal(whole, other, sizeof whole);
        draw(5, LAM_DRAW_TEST, 12, 42, other, 300);
        assert_memory_not_equal(whole, other, sizeof whole);
        draw(5, LAM_DRAW_PROBE, 11, 42, other, 300);
        assert_memory_not_equal(whole, other, sizeof whole);
        draw(6, LAM_DRAW_TEST, 11, 42, other, 300);
        assert_memory_not_equal(whole, other, sizeof whole);
        assert_memory_not_equal(whole, whole + 128, 100 * sizeof *whole); /* blocks differ */
    }
}

/* Signs are +-1 with mean 0; neighbouring elements are uncorrelated (five standard errors). */
static void sign_moments(void **state)
{
    (void)state;
    double row[200], sum = 0, cross = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        lam_random_sign_row(2, LAM_DRAW_TEST, 0, i, row, 200);
        for (int j = 0; j < 200; j++) {
            assert_true(row[j] * row[j] == 1);
            sum += row[j];
            cross += j > 0 ? row[j] * row[j - 1] : 0;
        }
    }
    assert_true(fabs(sum / N) < 5 / sqrt(N));
    assert_true(fabs(cross / N) < 5 / sqrt(N));
}

static void permutation_is_valid(void **state)
{
    (void)state;
    enum { M = 1000 };
    uint64_t a[M], b[M];
    int seen[M] = { 0 }, moved = 0;
    lam_random_permutation(3, LAM_DRAW_TEST, 0, a, M);
    lam_random_permutation(3, LAM_DRAW_TEST, 0, b, M);
    assert_memory_equal(a, b, sizeof a);
    for (int i = 0; i < M; i++) {
        assert_true(a[i] < M && !seen[a[i]]);
        seen[a[i]] = 1;
        moved += a[i] != (uint64_t)i;
    }
    assert_true(moved > M - 10); /* one fixed point on average */
    lam_random_permutation(3, LAM_DRAW_TEST, 1, b, M);
    assert_memory_not_equal(a, b, sizeof a);
    lam_random_permutation(3, LAM_DRAW_TEST, 1, b, 0); /* nothing to do, nothing touched */
    lam_random_permutation(3, LAM_DRAW_TEST, 1, b, 1);
    assert_int_equal(b[0], 0);
}

/* Each of the six orders of three comes up a sixth of the time: standard deviation sqrt(N p q) = 37. */
static void permutation_is_uniform(void **state)
{
    (void)state;
    int count[27] = { 0 }, orders = 0;
    for (uint64_t i = 0; i < 10000; i++) {
        uint64_t p[3];
        lam_random_permutation(9, LAM_DRAW_TEST, i, p, 3);
        count[p[0] * 9 + p[1] * 3 + p[2]]++;
    }
    for (int k = 0; k < 27; k++)
        if (count[k] > 0) {
            orders++;
            assert_true(fabs(count[k] - 10000.0 / 6) < 5 * 37.3);
        }
    assert_int_equal(orders, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_known_answers),
        cmocka_unit_test(uniform_moments),
        cmocka_unit_test(normal_moments),
        cmocka_unit_test(rows_depend_on_counter_only),
        cmocka_unit_test(sign_moments),
        cmocka_unit_test(permutation_is_valid),
        cmocka_unit_test(permutation_is_uniform),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
