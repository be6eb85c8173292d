/* The residual matrix of TPR against its defining properties, and the observation times (method.md 3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "penalty/tpr.h"
#include <math.h>
#include <string.h>

enum { MAX = LAM_MAX_TPR_TIMES };

/* A projector onto the complement of the polynomials. Rounding of an orthonormal basis of n vectors: some n 1e-16. */
static void check_projector(size_t n, const double *t, size_t degree)
{
    double m[MAX * MAX], trace = 0;
    assert_int_equal(lam_tpr_residual(n, t, degree, m), LAM_OK);
    for (size_t i = 0; i < n; i++) {
        trace += m[i * n + i];
        for (size_t k = 0; k < n; k++) {
            double square = 0;
            for (size_t j = 0; j < n; j++)
                square += m[i * n + j] * m[j * n + k];
            assert_true(fabs(m[i * n + k] - m[k * n + i]) <= 1e-15);
            assert_true(fabs(square - m[i * n + k]) <= 1e-13);
        }
        for (size_t power = 0; power <= degree; power++) {
            double sum = 0;
            for (size_t k = 0; k < n; k++)
                sum += m[i * n + k] * pow(t[k] / t[n - 1], (double)power);
            assert_true(fabs(sum) <= 1e-12);
        }
    }
    assert_true(fabs(trace - (double)(n - degree - 1)) <= 1e-13);
    for (size_t i = 0; i < n; i++) { /* and onto all of it: t^(degree + 1) is no polynomial of the degree */
        double sum = 0;
        for (size_t k = 0; k < n; k++)
            sum += m[i * n + k] * pow(t[k] / t[n - 1], (double)degree + 1);
        if (fabs(sum) > 1e-12)
            return;
    }
    fail_msg("the residual of t^%zu at %zu times vanishes", degree + 1, n);
}

static void residual_is_a_projector(void **state)
{
    (void)state;
    for (size_t n = 2; n <= 12; n++)
        for (size_t degree = 0; degree + 2 <= n && degree <= 5; degree++)
            for (uint64_t draw = 0; draw < 5; draw++) {
                double t[MAX];
                lam_tpr_times(3, draw, n, draw == 0 ? 1 : 0.3 * (double)draw, t);
                check_projector(n, t, degree);
            }
}

/* For 0, 1/3, 2/3, 1 and a straight line the residual space is spanned by (1, -1, -1, 1) and (-1, 3, -3, 1); for three times
 * and degree 1 by (1, -2, 1); for two times and degree 0 by (1, -1). */
static void equally_spaced_times(void **state)
{
    (void)state;
    static const double u[4] = { 0.5, -0.5, -0.5, 0.5 }, v[4] = { -1, 3, -3, 1 }, w[3] = { 1, -2, 1 };
    double m[16];
    assert_int_equal(lam_tpr_residual(4, (double[]) { 0, 1.0 / 3, 2.0 / 3, 1 }, 1, m), LAM_OK);
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < 4; k++)
            assert_true(fabs(m[i * 4 + k] - u[i] * u[k] - v[i] * v[k] / 20) <= 1e-15);
    assert_int_equal(lam_tpr_residual(3, (double[]) { 0, 0.25, 0.5 }, 1, m), LAM_OK);
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 3; k++)
            assert_true(fabs(m[i * 3 + k] - w[i] * w[k] / 6) <= 1e-15);
    assert_int_equal(lam_tpr_residual(2, (double[]) { 0, 7 }, 0, m), LAM_OK);
    assert_true(fabs(m[0] - 0.5) <= 1e-15 && fabs(m[1] + 0.5) <= 1e-15);
}

static void too_few_and_too_many_times(void **state)
{
    (void)state;
    double t[MAX + 1], m[MAX * MAX];
    for (size_t i = 0; i <= MAX; i++)
        t[i] = (double)i;
    for (size_t degree = 0; degree < 5; degree++)
        for (size_t n = 0; n < degree + 2; n++)
            assert_int_equal(lam_tpr_residual(n, t, degree, m), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_tpr_residual(MAX, t, 1, m), LAM_OK);
    assert_int_equal(lam_tpr_residual(MAX + 1, t, 1, m), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_tpr_residual(4, t, (size_t)-1, m), LAM_ERR_ARGUMENT);
}

static void times_are_sorted_distinct_and_repeatable(void **state)
{
    (void)state;
    for (size_t n = 2; n <= MAX; n++)
        for (uint64_t stream = 0; stream < 20; stream++) {
            double t[MAX], again[MAX], other[MAX], end = 0.25 * (double)(1 + stream % 8);
            lam_tpr_times(5, stream, n, end, t);
            lam_tpr_times(5, stream, n, end, again);
            assert_memory_equal(t, again, n * sizeof *t);
            assert_true(t[0] == 0 && t[n - 1] == end);
            for (size_t i = 1; i < n; i++)
                assert_true(t[i] - t[i - 1] > 0.99e-3 * end); /* distinct in float as well */
            lam_tpr_times(5, stream + 1, n, end, other);
            assert_true(n == 2 || memcmp(t, other, n * sizeof *t) != 0);
            lam_tpr_times(6, stream, n, end, other);
            assert_true(n == 2 || memcmp(t, other, n * sizeof *t) != 0);
        }
}

/* Two inner times, uniform and sorted: means 1/3 and 2/3, variances 1/18. 20000 draws have a standard error of 0.0017 in the
 * mean; the gap of 1e-3 moves it by less. */
static void times_are_uniform(void **state)
{
    (void)state;
    enum { DRAWS = 20000 };
    double sum[2] = { 0 }, squares[2] = { 0 };
    for (uint64_t draw = 0; draw < DRAWS; draw++) {
        double t[4];
        lam_tpr_times(1, draw, 4, 1, t);
        for (int i = 0; i < 2; i++) {
            sum[i] += t[i + 1] / DRAWS;
            squares[i] += t[i + 1] * t[i + 1] / DRAWS;
        }
    }
    for (int i = 0; i < 2; i++) {
        assert_true(fabs(sum[i] - (i + 1) / 3.0) < 4 * 0.0017);
        assert_true(fabs(squares[i] - sum[i] * sum[i] - 1.0 / 18) < 0.003);
    }
}

/* An end time that has gone to nothing, or is no number, is the solver's to complain about: drawing times must still end. */
static void degenerate_end_times(void **state)
{
    (void)state;
    double t[4];
    lam_tpr_times(1, 0, 4, 0, t);
    assert_true(t[3] == 0);
    lam_tpr_times(1, 0, 4, NAN, t);
    assert_true(isnan(t[3]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(residual_is_a_projector),
        cmocka_unit_test(equally_spaced_times),
        cmocka_unit_test(too_few_and_too_many_times),
        cmocka_unit_test(times_are_sorted_distinct_and_repeatable),
        cmocka_unit_test(times_are_uniform),
        cmocka_unit_test(degenerate_end_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
