/* Curves from a few values and slopes, beside functions in closed form; what values and slopes that disagree come to; roots. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "data/normal.h"
#include "model/curve.h"

enum { FUNCTIONS = 4, POINTS = 2000, MOST_PASSES = 30 };

/* A straight line; a heavy tail; two values with a gap between; a step that two panels share. */
static double function(int which, double z, double *slope)
{
    double t;
    switch (which) {
    case 0: *slope = 0.01; return 3 + 0.01 * z;
    case 1: *slope = cosh(0.5 * z); return 2 * sinh(0.5 * z);
    case 2: t = tanh(12 * (z - 0.7)); *slope = 0.1 + 12 * (1 - t * t); return 0.1 * z + t;
    default: t = tanh(3 * (z + 1.1)); *slope = 1 + 1.5 * (1 - t * t); return z + 0.5 * t;
    }
}

/* Slopes are taken `factor` times as large as they are. Returns the nodes. */
static size_t find(int which, double factor, lam_curve *curve)
{
    size_t news = 1;
    assert_int_equal(lam_curve_lay(curve), LAM_OK);
    for (int pass = 0; news > 0; pass++) {
        assert_true(pass < MOST_PASSES);
        for (size_t k = 0; k < curve->n; k++) {
            lam_curve_node *node = &curve->node[k];
            assert_true(k == 0 || node->z > node[-1].z);
            node->u = function(which, node->z, &node->slope);
            node->slope *= factor;
            node->known = 1;
        }
        assert_int_equal(lam_curve_refine(curve, 1e-14, &news), LAM_OK);
    }
    return curve->n;
}

/* The share of the base density below the z of a value is what quantiles and probabilities are made of. */
static void closed_forms(void **state)
{
    (void)state;
    for (int which = 0; which < FUNCTIONS; which++) {
        lam_curve curve;
        size_t n = find(which, 1, &curve);
        assert_true(n >= 21 && n < 100 && (which > 0 || n == 21));
        for (int i = 0; i <= POINTS; i++) {
            double z = 12 * ((double)i / POINTS - 0.5), slope, u = function(which, z, &slope), got = lam_curve_at(&curve, z);
            if (fabs(z) < 5.5)
                assert_true(fabs(got - u) / slope * lam_normal_density(z) < 2e-6);
            if (i % 7 == 0)
                assert_true(fabs(lam_curve_inverse(&curve, got) - z) < 1e-9);
        }
        if (!(fabs(lam_curve_mass_error(&curve)) < 1e-4))
            fail_msg("function %d: the mass is off by %g", which, lam_curve_mass_error(&curve));
        lam_curve_free(&curve);
    }
}

/* A density that is a hundredth too small has a mass of 0.99. */
static void mass(void **state)
{
    (void)state;
    lam_curve curve;
    find(0, 1 / 0.99, &curve);
    assert_true(fabs(lam_curve_mass_error(&curve) + 0.01) < 1e-6);
    lam_curve_free(&curve);
}

static double beyond_two(const void *self, double x)
{
    (void)self;
    return x * x * x - 8;
}

static void roots(void **state)
{
    (void)state;
    assert_true(fabs(lam_rising_root(beyond_two, NULL, 0, 100) - 2) < 1e-14);
    assert_true(lam_rising_root(beyond_two, NULL, 3, 4) == 3 && lam_rising_root(beyond_two, NULL, 0, 1) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(closed_forms), cmocka_unit_test(mass), cmocka_unit_test(roots) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
