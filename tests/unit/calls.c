/* With calls: the penalties' coefficients follow the evaluations of f that a solve takes. */
#include "train/calls.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include "fitting.h"

static const double BOUND = 6.907755278982137; /* log 1000 */

/* The log of the factor after a hundred iterations whose five solves take so many evaluations each. */
static double followed(double asked, uint64_t of_a_solve, double spent, double u)
{
    const lam_counts counts = { .forward = 5 * of_a_solve, .solves = 5 };
    for (int i = 0; i < 100; i++)
        u = lam_calls_moved(asked, &counts, spent, u);
    return u;
}

static void the_factor_follows(void **state)
{
    (void)state;
    assert_true(fabs(followed(10, 20, 0, 0) - 0.98) < 1e-12);
    assert_true(fabs(followed(10, 5, 0, 0) + 0.52) < 1e-12);
    assert_true(fabs(followed(10, 10, 0, 1) - (1 - 0.02)) < 1e-12); /* at the goal: slowly down */
    assert_true(fabs(followed(10, 1000, 0, 0) - 1) < 1e-12);       /* however far the goal is */
    assert_true(followed(10, 40, 0, 6.5) == BOUND);
    assert_true(followed(10, 1, 0, -6.5) == -BOUND);
}

/* Where the penalties add so much of what they may add to the loss, the factor grows more slowly, stays or falls, whatever the calls are. */
static void the_price_bounds_it(void **state)
{
    (void)state;
    assert_true(fabs(followed(10, 20, 0.5, 0) - 0.5) < 1e-12);
    assert_true(followed(10, 20, 1, 0.25) == 0.25);
    assert_true(fabs(followed(10, 20, 1.25, 2) - 1.75) < 1e-12);
    assert_true(fabs(followed(10, 20, 100, 2) - 1) < 1e-12);
    assert_true(followed(10, 20, 100, 0.5) == 0 && followed(10, 20, 100, -1) == -1); /* not below what the fit began with, nor up */
    assert_true(fabs(followed(10, 5, 0.9, 0) + 0.52) < 1e-12); /* few calls: down all the same */
}

/* A run whose penalties add 0.1 nats to the loss: of a gain of 2 nats that is less than a quarter, of one of 0.2 more, and of a fit whose start was
 * not validated, or without a price, nothing is known or asked. */
static void the_price_is_of_what_was_gained(void **state)
{
    (void)state;
    static const struct { double start, best, price, moved; uint64_t validated; } cases[] = { { 3, 1, 0.25, 0.008, 20 }, { 1.2, 1, 0.25, -0.01, 20 },
        { 1.2, 1, 1, 0.005, 20 }, { 3, 1, 0, 0.0098, 20 }, { (double)NAN, 1, 0.25, 0.0098, 20 }, { 1, 1, 0.25, -0.01, 20 }, { 1, 1, 0.25, 0, 0 } };
    lam_config cfg;
    lam_run run = { .cfg = &cfg };
    const lam_fit_options options = { 0 };
    const lam_step_report report = { .loss = 1.6, .nll = 1.5, .counts = { .forward = 100, .solves = 5 } };
    lam_config_init(&cfg);
    cfg.calls = 10;
    run.options = &options;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        run.state.start_nll = cases[i].start;
        run.state.schedule.best = cases[i].best;
        run.state.penalty_log_scale = 1;
        run.state.validated = cases[i].validated;
        cfg.calls_price = cases[i].price;
        lam_calls_follow(&run, &report);
        if (!(fabs(run.state.penalty_log_scale - 1 - cases[i].moved) < 1e-12))
            fail_msg("case %zu: %g", i, run.state.penalty_log_scale);
    }
    lam_config_clear(&cfg);
}

static void count_bounds(void *user, const char *line)
{
    *(int *)user += strstr(line, "have reached their bound") != NULL;
}

/* Hidden layers that stay curved whatever the penalty: a rate of 0 moves nothing, so the factor goes to its bound, and that is told once. */
static void the_bound_is_told_of(void **state)
{
    (void)state;
    lam_config cfg;
    int told = 0;
    configure(&cfg);
    set(&cfg, "lr", "1e-12");
    set(&cfg, "iterations", "800");
    set(&cfg, "val-freq", "800");
    set(&cfg, "batch-size", "20");
    set(&cfg, "atol", "1e-8");
    set(&cfg, "rtol", "1e-8");
    set(&cfg, "calls", "7");
    fit_into("bound", &cfg, (lam_fit_options) { .log = { count_bounds, &told } }, LAM_OK, NULL);
    assert_int_equal(told, 1);
    remove_run("bound");
    lam_config_clear(&cfg);
}

static void count_missed(void *user, const char *line)
{
    *(int *)user += strstr(line, "where calls asks for 7: fewer would have cost more likelihood") != NULL;
}

/* With a rate that moves nothing, training gains nothing on its start, and the penalties may cost nothing. */
static int told_of_a_miss(const char *price)
{
    lam_config cfg;
    int told = 0;
    configure(&cfg);
    set(&cfg, "lr", "1e-12");
    set(&cfg, "iterations", "40");
    set(&cfg, "val-freq", "20");
    set(&cfg, "batch-size", "20");
    set(&cfg, "atol", "1e-8");
    set(&cfg, "rtol", "1e-8");
    set(&cfg, "warm-start", "flow-matching:2");
    set(&cfg, "calls", "7");
    set(&cfg, "calls-price", price);
    fit_into("missed", &cfg, (lam_fit_options) { .log = { count_missed, &told } }, LAM_OK, NULL);
    remove_run("missed");
    lam_config_clear(&cfg);
    return told;
}

static void a_miss_is_told_of(void **state)
{
    (void)state;
    assert_int_equal(told_of_a_miss("0.25"), 1);
    assert_int_equal(told_of_a_miss("0"), 0);
}

/* Also where it falls a little between iterations, and comes back to its bound. */
static void the_bound_is_told_of_once(void **state)
{
    (void)state;
    lam_config cfg;
    int told = 0;
    lam_run run = { .cfg = &cfg };
    const lam_fit_options options = { .log = { count_bounds, &told } };
    const lam_step_report many = { .counts = { .forward = 200, .solves = 5 } }, few = { .counts = { .forward = 35, .solves = 5 } };
    lam_config_init(&cfg);
    cfg.calls = 10;
    run.options = &options;
    run.state.start_nll = (double)NAN; /* so that there is no price */
    for (int i = 0; i < 1000; i++)
        lam_calls_follow(&run, i % 20 == 19 ? &few : &many);
    assert_true(run.state.penalty_log_scale > 6);
    assert_int_equal(told, 1);
    lam_config_clear(&cfg);
}

static void configure_goal(lam_config *cfg, const char *calls)
{
    configure(cfg);
    set(cfg, "iterations", "150");
    set(cfg, "lr", "0.02");
    set(cfg, "dims", "16-16");
    set(cfg, "batch-size", "100");
    set(cfg, "tpr-coefficient", "1");
    set(cfg, "tpr-l-weight", "1");
    set(cfg, "calls", calls);
}

static uint64_t forward_calls(const char *calls)
{
    lam_config cfg;
    lam_fit_result result;
    configure_goal(&cfg, calls);
    fit_into("goal", &cfg, (lam_fit_options) { 0 }, LAM_OK, &result);
    remove_run("goal");
    lam_config_clear(&cfg);
    return result.train_counts.forward;
}

static void fewer_are_asked_for_and_taken(void **state)
{
    (void)state;
    uint64_t few = forward_calls("7"), as_they_are = forward_calls("0"), many = forward_calls("40");
    assert_true(few < as_they_are);
    assert_true(as_they_are <= many);
}

static void stopping_does_not_matter(void **state)
{
    (void)state;
    lam_config cfg;
    configure_goal(&cfg, "7");
    set(&cfg, "iterations", "40");
    assert_stopping_does_not_matter(&cfg, 17);
    lam_config_clear(&cfg);
}

static void refused(const char *name, const char *value, const char *said)
{
    lam_config cfg;
    configure_goal(&cfg, "9");
    set(&cfg, name, value);
    assert_int_equal(lam_config_check(&cfg), LAM_ERR_ARGUMENT);
    assert_non_null(strstr(lam_last_error(), said));
    lam_config_clear(&cfg);
}

static void what_cannot_follow_is_refused(void **state)
{
    (void)state;
    refused("calls", "6", "7 evaluations that one step of dopri5");
    refused("tpr-coefficient", "0", "no penalty is on");
    refused("solver", "rk4", "rk4 takes a fixed number of steps");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_factor_follows),
        cmocka_unit_test(the_price_bounds_it),
        cmocka_unit_test(the_price_is_of_what_was_gained),
        cmocka_unit_test(the_bound_is_told_of),
        cmocka_unit_test(a_miss_is_told_of),
        cmocka_unit_test(the_bound_is_told_of_once),
        cmocka_unit_test(fewer_are_asked_for_and_taken),
        cmocka_unit_test(stopping_does_not_matter),
        cmocka_unit_test(what_cannot_follow_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
