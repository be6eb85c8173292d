/* The step controller by itself: what it makes of error ratios that are given to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "ode/controller.h"
#include <math.h>

static const lam_solve_options *options(lam_solve_options more)
{
    static lam_solve_options o;
    o = more;
    o.table = lam_tableau_get(LAM_DOPRI5); /* its exponent is 5 */
    o.max_steps = 1000;
    return &o;
}

/* One attempt of a controller at t with an error ratio; the end that it took, or t when it was rejected. */
static double attempt(lam_controller *c, double t, double limit, double ratio)
{
    double end = lam_controller_next(c, t, limit);
    return lam_controller_accepts(c, end - t, end, ratio) ? end : t;
}

static void lengths_follow_the_ratio(void **state)
{
    (void)state;
    const double h = 0.01;
    const struct {
        double ratio, next; /* over h */
        int accepted;
    } cases[] = { { 1, 1, 1 }, { 1 + 1e-12, 0.9, 0 }, { 0.5, 0.9 * pow(2, 0.2), 1 }, { 0.99, 1, 1 }, { 1e-9, 10, 1 }, { 0, 10, 1 },
        { 32, 0.45, 0 }, { 1e9, 0.2, 0 }, { INFINITY, 0.2, 0 }, { NAN, 0.2, 0 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int back = 0; back < 2; back++) {
            lam_controller c = lam_controller_begin(options((lam_solve_options) { .first_step = LAM_STEP_GIVEN, .first_step_size = h }),
                back ? 1 : 0, back ? 0 : 1);
            double t = back ? 1 : 0, end = lam_controller_next(&c, t, c.end);
            assert_true(fabs(end - t - c.direction * h) < 1e-15);
            assert_int_equal(lam_controller_accepts(&c, end - t, end, cases[i].ratio), cases[i].accepted);
            assert_true(fabs(c.h - cases[i].next * (end - t)) < 1e-12 * h);
        }
}

static void ends_are_landed_on(void **state)
{
    (void)state;
    lam_solve_options o = { .first_step = LAM_STEP_GIVEN, .first_step_size = 0.4, .end = LAM_END_LAND };
    lam_controller c = lam_controller_begin(options(o), 0, 1);
    double t = attempt(&c, 0, 0.3, 0.99); /* an observation time is no end */
    assert_true(t == 0.4 && !lam_controller_arrived(&c, t));
    t = attempt(&c, t, 1, 0.99);
    t = attempt(&c, t, 1, 0.99);
    assert_true(t == 1 && lam_controller_arrived(&c, t));

    o.end = LAM_END_LAND_ALL;
    c = lam_controller_begin(options(o), 0, 1);
    assert_true(attempt(&c, 0, 0.3, 0.99) == 0.3);

    o.end = LAM_END_OVERSHOOT;
    o.first_step_size = 1.5;
    c = lam_controller_begin(options(o), 0, 1);
    t = attempt(&c, 0, 1, 0.5);
    assert_true(t == 1.5 && lam_controller_arrived(&c, t));

    /* what would leave a sliver of less than 1e-12 of the span is taken along */
    o.end = LAM_END_LAND;
    o.first_step_size = 1 - 1e-13;
    c = lam_controller_begin(options(o), 0, 1);
    assert_true(attempt(&c, 0, 1, 0.5) == 1);
    o.first_step_size = 1 - 1e-11;
    c = lam_controller_begin(options(o), 0, 1);
    assert_true(attempt(&c, 0, 1, 0.5) < 1);
}

static void even_plans_end_with_a_rejection(void **state)
{
    (void)state;
    lam_solve_options o = { .first_step = LAM_STEP_WARM, .first_step_size = 0.26 };
    lam_controller c = lam_controller_begin(options(o), 0, 1);
    double t = 0;
    for (int i = 1; i <= 4; i++) /* 4 is the least number of even steps of at most 0.26 */
        assert_true((t = attempt(&c, t, 1, 0.01)) == 0.25 * i);
    assert_true(lam_controller_arrived(&c, t));

    c = lam_controller_begin(options(o), 0, 1);
    t = attempt(&c, 0, 1, 0.01);
    assert_true(attempt(&c, t, 1, 32) == t);
    assert_true(fabs(attempt(&c, t, 1, 0.5) - (t + 0.25 * 0.45)) < 1e-15);

    o.first_step_size = 0; /* nothing is remembered yet */
    assert_true(lam_controller_begin(options(o), 0, 1).probes);
}

static void attempts_have_limits(void **state)
{
    (void)state;
    lam_solve_options o = { .first_step = LAM_STEP_GIVEN, .first_step_size = 0.1, .min_step = 0.05 };
    lam_controller c = lam_controller_begin(options(o), 0, 1);
    assert_null(lam_controller_gives_up(&c, 999));
    assert_non_null(lam_controller_gives_up(&c, 1000));
    attempt(&c, 0, 1, 1e9);
    assert_string_equal(lam_controller_gives_up(&c, 1), "the step fell below min-step");
    attempt(&c, 0, 1, NAN);
    assert_string_equal(lam_controller_gives_up(&c, 2), "f is not finite");
    /* a short step that only landed is no reason to give up */
    c = lam_controller_begin(options(o), 0, 0.01);
    attempt(&c, 0, 0.01, 0.99);
    assert_true(fabs(c.h) < 0.05);
    assert_null(lam_controller_gives_up(&c, 1));
}

static void h_star_leaves_slivers_out(void **state)
{
    (void)state;
    const double h[] = { 0.01, 0.3, -0.5, 0.04 }, proposal[] = { 0.02, 0.4, 0.35, 0.001 };
    assert_true(lam_controller_h_star(4, h, proposal, 1) == 0.35);
    lam_controller c = lam_controller_begin(options((lam_solve_options) { .first_step = LAM_STEP_GIVEN, .first_step_size = 0.1 }), 0, 1);
    attempt(&c, 0, 1, 1e-10); /* no limit of growth here: 0.9 * 0.1 * 100 */
    assert_true(fabs(lam_controller_proposal(c.options->table, 0.1, c.ratio) - 9) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_follow_the_ratio),
        cmocka_unit_test(ends_are_landed_on),
        cmocka_unit_test(even_plans_end_with_a_rejection),
        cmocka_unit_test(attempts_have_limits),
        cmocka_unit_test(h_star_leaves_slivers_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
