/* Planar flows: log-determinant against the Jacobian's by differences, reverse against differences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "base/random.h"
#include "vae/planar.h"
#include <math.h>
#include <string.h>

enum { DIM = 3, FLOWS = 4, COUNT = FLOWS * (2 * DIM + 1) };

static void draw(uint64_t stream, size_t n, double scale, double *out)
{
    lam_random_normal_row(5, LAM_DRAW_TEST, stream, 0, out, n);
    for (size_t i = 0; i < n; i++)
        out[i] *= scale;
}

static double determinant(double a[DIM][DIM])
{
    return a[0][0] * (a[1][1] * a[2][2] - a[1][2] * a[2][1]) - a[0][1] * (a[1][0] * a[2][2] - a[1][2] * a[2][0])
        + a[0][2] * (a[1][0] * a[2][1] - a[1][1] * a[2][0]);
}

/* Central differences with h = 1e-5: third derivatives reach 3e4 here, so the entries are good to 5e-7; rounding 1e-10. */
static void log_det_is_that_of_the_jacobian(void **state)
{
    (void)state;
    for (uint64_t trial = 0; trial < 20; trial++) {
        double params[COUNT], z[DIM], jacobian[DIM][DIM], h = 1e-5;
        draw(2 * trial, COUNT, 1.5, params);
        draw(2 * trial + 1, DIM, 1, z);
        for (size_t j = 0; j < DIM; j++) {
            double plus[DIM], minus[DIM];
            memcpy(plus, z, sizeof z);
            memcpy(minus, z, sizeof z);
            plus[j] += h;
            minus[j] -= h;
            lam_planar_forward(DIM, FLOWS, params, plus, NULL);
            lam_planar_forward(DIM, FLOWS, params, minus, NULL);
            for (size_t i = 0; i < DIM; i++)
                jacobian[i][j] = (plus[i] - minus[i]) / (2 * h);
        }
        double log_det = lam_planar_forward(DIM, FLOWS, params, z, NULL), found = determinant(jacobian);
        assert_true(found > 0);
        if (!(fabs(found - exp(log_det)) < 1e-6))
            fail_msg("%.9g by differences, %.9g", found, exp(log_det));
    }
}

static double value(const double *params, const double *start, const double *weights, double by_log_det)
{
    double z[DIM], sum = 0;
    memcpy(z, start, sizeof z);
    double log_det = lam_planar_forward(DIM, FLOWS, params, z, NULL);
    for (size_t i = 0; i < DIM; i++)
        sum += weights[i] * z[i];
    return sum + by_log_det * log_det;
}

static void check(const char *what, double by_difference, double by_reverse)
{
    if (!(fabs(by_difference - by_reverse) <= 1e-7 * (1 + fabs(by_reverse)))) /* h = 1e-5: 1e-10 and rounding 1e-11 */
        fail_msg("%s: %.12g by differences, %.12g by the reverse", what, by_difference, by_reverse);
}

static void reverse_is_the_derivative(void **state)
{
    (void)state;
    double params[COUNT], z[DIM], g[DIM], weights[DIM], path[(FLOWS + 1) * DIM], g_params[COUNT], end[DIM], h = 1e-5;
    draw(100, COUNT, 1, params);
    draw(101, DIM, 1, z);
    draw(102, DIM, 1, weights);
    memcpy(end, z, sizeof z);
    memcpy(g, weights, sizeof g);
    lam_planar_forward(DIM, FLOWS, params, end, path);
    assert_memory_equal(path + FLOWS * DIM, end, sizeof end);
    lam_planar_reverse(DIM, FLOWS, params, path, 0.7, g, g_params);
    for (size_t i = 0; i < COUNT; i++) {
        double kept = params[i];
        params[i] = kept + h;
        double up = value(params, z, weights, 0.7);
        params[i] = kept - h;
        double down = value(params, z, weights, 0.7);
        params[i] = kept;
        check("parameter", (up - down) / (2 * h), g_params[i]);
    }
    for (size_t i = 0; i < DIM; i++) {
        double kept = z[i];
        z[i] = kept + h;
        double up = value(params, z, weights, 0.7);
        z[i] = kept - h;
        double down = value(params, z, weights, 0.7);
        z[i] = kept;
        check("z", (up - down) / (2 * h), g[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_det_is_that_of_the_jacobian),
        cmocka_unit_test(reverse_is_the_derivative),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
