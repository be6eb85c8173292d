/* The full-covariance Gaussian against closed forms. */
#include "data/gaussian.h"
#include "base/random.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const double half_log_2pi = 0.91893853320467274178;

/* Three points: mean (0, 1), covariance worked out by hand. Rounding alone is allowed: 1e-14. */
static void by_hand(void **state)
{
    (void)state;
    const double x[6] = { -1, 0, 0, 3, 1, 0 }; /* var x = 2/3, var y = 2, cov = 0 */
    lam_gaussian g;
    lam_gaussian_score score;
    assert_int_equal(lam_gaussian_fit(x, 3, 2, NULL, &g), LAM_OK);
    assert_true(fabs(g.mean[0]) < 1e-14 && fabs(g.mean[1] - 1) < 1e-14);
    assert_true(fabs(g.lower[0] - sqrt(2.0 / 3)) < 1e-14 && fabs(g.lower[3] - sqrt(2)) < 1e-14);
    assert_true(fabs(g.log_det - 0.5 * log(4.0 / 3)) < 1e-14);
    assert_int_equal(lam_gaussian_nll(&g, x, NULL, 3, &score), LAM_OK);
    /* on its own rows the mean quadratic form is the dimension */
    assert_true(fabs(score.nll - (1 + 0.5 * log(4.0 / 3) + 2 * half_log_2pi)) < 1e-14);
    const double at[2] = { 2, 3 };
    assert_int_equal(lam_gaussian_nll(&g, at, NULL, 1, &score), LAM_OK);
    assert_true(fabs(score.nll - (0.5 * (4 / (2.0 / 3) + 4 / 2.0) + 0.5 * log(4.0 / 3) + 2 * half_log_2pi)) < 1e-13);
    assert_int_equal(lam_gaussian_nll(&g, at, NULL, 0, &score), LAM_OK);
    assert_true(isnan(score.nll) && isnan(score.se));
    lam_gaussian_clear(&g);
}

/* A linear map A of standard normals: the entropy is log |det A| + d/2 (1 + log 2 pi); with n rows the maximum-likelihood
 * covariance is off by O(d^2 / n), here 9/20000, beside the sampling error sqrt(d/2n) = 0.009 of fresh rows. */
static void linear_map(void **state)
{
    (void)state;
    enum { N = 20000, D = 3 };
    static double x[2][N * D];
    const double a[D][D] = { { 2, 0, 0 }, { 1, 0.5, 0 }, { -3, 2, 0.1 } };
    for (uint64_t i = 0; i < 2 * N; i++) {
        double e[D];
        lam_random_normal_row(1, LAM_DRAW_TEST, 0, i, e, D);
        for (int r = 0; r < D; r++)
            for (int c = 0; c < D; c++)
                x[i / N][i % N * D + (uint64_t)r] += a[r][c] * e[c];
    }
    lam_gaussian g;
    lam_gaussian_score score;
    assert_int_equal(lam_gaussian_fit(x[0], N, D, NULL, &g), LAM_OK);
    assert_int_equal(lam_gaussian_nll(&g, x[1], NULL, N, &score), LAM_OK);
    assert_true(fabs(score.nll - (log(2 * 0.5 * 0.1) + D * (0.5 + half_log_2pi))) < 5 * 0.009);
    for (int r = 0; r < D; r++) /* the factor is A itself: lower with a positive diagonal, within 5 % at this size */
        for (int c = 0; c < D; c++)
            assert_true(fabs(g.lower[r * D + c] - a[r][c]) < 0.05 * fabs(a[r][r]) + 0.05);
    lam_gaussian_clear(&g);
}

static void singular(void **state)
{
    (void)state;
    double x[30];
    lam_gaussian g;
    char p[] = "p", q[] = "q", sum[] = "sum", *names[3] = { p, q, sum };
    for (uint64_t i = 0; i < 10; i++) {
        lam_random_normal2(1, LAM_DRAW_TEST, i, 0, x + 3 * i);
        x[3 * i + 2] = x[3 * i] + 3 * x[3 * i + 1];
    }
    assert_int_equal(lam_gaussian_fit(x, 10, 3, names, &g), LAM_ERR_DATA);
    assert_non_null(strstr(lam_last_error(), "column 3 (sum) is a linear function"));
    assert_null(g.mean); /* nothing is left to free */
    assert_int_equal(lam_gaussian_fit(x, 2, 3, NULL, &g), LAM_ERR_DATA); /* two rows span a line */
    assert_non_null(strstr(lam_last_error(), "column 2 (2)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(linear_map),
        cmocka_unit_test(singular),
    };
    return cmocka_run_group_tests_name("gaussian", tests, NULL, NULL);
}
