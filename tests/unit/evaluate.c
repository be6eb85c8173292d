/* What a model says of data, against closed forms and against itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "linear.h"

/* ---- closed forms ----------------------------------------------------------------------------------------------- */

/* f = 0: the density is the standard normal, exactly but for the rounding of x to float. */
static void a_flow_that_stands_still_is_the_normal(void **state)
{
    (void)state;
    enum { N = 70, DIM = 3 };
    double x[N * DIM], logp[N];
    lam_config cfg;
    lam_model *m;
    configure(&cfg, "dims", "8-8", "blocks", "2", NULL);
    assert_ok(lam_model_empty(&cfg, DIM, &m));
    for (size_t b = 0; b < 2; b++)
        m->params[m->layout.time + b] = 1;
    shift_and_scale(m);
    normals(x, N, DIM);
    lam_eval_options o = { .units = LAM_UNITS_STANDARDISED };
    for (int use_double = 0; use_double < 2; use_double++) {
        o.use_double = use_double;
        assert_ok(lam_log_prob(m, &o, x, N, logp, NULL));
        for (size_t i = 0; i < N; i++) /* float: |x|^2 of relative error 2^-23 */
            assert_true(fabs(logp[i] - normal_log_prob(x + i * DIM, DIM)) < (use_double ? 1e-13 : 4e-6));
    }
    lam_model_free(m);
    lam_config_clear(&cfg);
}

/* log p in data units is log p of the standardised row plus log_det; and the other way for decode and encode. */
static void units_differ_by_the_standardiser(void **state)
{
    (void)state;
    enum { N = 65, DIM = 3 };
    double s[N * DIM], x[N * DIM], in_s[N], in_x[N], a[N * DIM], b[N * DIM];
    lam_model *m = bent_model("8-8", "concat", "double", DIM, 2);
    lam_eval_options o = { .units = LAM_UNITS_STANDARDISED };
    normals(s, N, DIM);
    memcpy(x, s, sizeof x);
    to_data_units(m, x, N);
    assert_ok(lam_log_prob(m, &o, s, N, in_s, NULL));
    assert_ok(lam_log_prob(m, NULL, x, N, in_x, NULL));
    for (size_t i = 0; i < N; i++) /* one rounding of x; the steps are those of nearly equal rows */
        assert_true(fabs(in_x[i] - in_s[i] - m->log_det) < 1e-11);
    assert_ok(lam_encode(m, &o, s, N, a, NULL));
    assert_ok(lam_encode(m, NULL, x, N, b, NULL));
    assert_true(largest_difference(a, b, N * DIM) < 1e-11);
    assert_ok(lam_decode(m, &o, a, N, s, NULL));
    assert_ok(lam_decode(m, NULL, a, N, x, NULL));
    to_data_units(m, s, N);
    assert_true(largest_difference(s, x, N * DIM) < 1e-11);
    lam_model_free(m);
}

/* A linear field carries a Gaussian to a Gaussian: log p(x) = log N(exp(AT) x + c) + T tr A. */
static void a_linear_flow_is_a_gaussian(void **state)
{
    (void)state;
    enum { N = 100 };
    double a[LINEAR * LINEAR], b[LINEAR], x[N * LINEAR], logp[N], z[N * LINEAR], expected[LINEAR], trace = 0;
    lam_model *m = linear_model(a, b, "1.5");
    double end = m->params[m->layout.time] * m->params[m->layout.time];
    for (size_t i = 0; i < LINEAR; i++)
        trace += a[i * LINEAR + i];
    assert_true(fabs(trace) > 0.05); /* the test is not empty */
    normals(x, N, LINEAR);
    assert_ok(lam_encode(m, NULL, x, N, z, NULL));
    assert_ok(lam_log_prob(m, NULL, x, N, logp, NULL));
    for (size_t i = 0; i < N; i++) {
        linear_flow(a, b, end, x + i * LINEAR, expected);
        for (size_t j = 0; j < LINEAR; j++) /* tolerance 1e-10, a few tens of steps */
            assert_true(fabs(z[i * LINEAR + j] - expected[j]) < 2e-8);
        assert_true(fabs(logp[i] - normal_log_prob(expected, LINEAR) - end * trace) < 1e-7);
    }
    lam_model_free(m);
}

/* For A of tr A and symmetric part S, Rademacher noise estimates tr A + sum_{i != j} e_i e_j S_ij: unbiased. */
static void hutchinson_agrees_on_average(void **state)
{
    (void)state;
    enum { N = 4000 };
    static double x[N * LINEAR], exact[N], estimate[N];
    double a[LINEAR * LINEAR], b[LINEAR], sum = 0, squares = 0;
    lam_model *m = linear_model(a, b, "1");
    normals(x, N, LINEAR);
    assert_ok(lam_log_prob(m, NULL, x, N, exact, NULL));
    for (int kind = LAM_DIV_RADEMACHER; kind <= LAM_DIV_GAUSSIAN; kind++) {
        lam_eval_options o = { .divergence = (lam_divergence)kind, .seed = 11 };
        assert_ok(lam_log_prob(m, &o, x, N, estimate, NULL));
        sum = squares = 0;
        for (size_t i = 0; i < N; i++) {
            sum += estimate[i] - exact[i];
            squares += (estimate[i] - exact[i]) * (estimate[i] - exact[i]);
        }
        double mean = sum / N, se = sqrt((squares / N - mean * mean) / N);
        assert_true(se > 1e-4);             /* it is an estimate indeed */
        assert_true(fabs(mean) < 4 * se);   /* a fixed seed: no chance is involved once this holds */
    }
    lam_model_free(m);
}

/* ---- there and back --------------------------------------------------------------------------------------------- */

/* Round trip below 1e-4 at tolerance 1e-6, in float, with steps by probe and from memory. */
static void decode_undoes_encode(void **state)
{
    (void)state;
    enum { N = 300, DIM = 4 };
    static double x[N * DIM], z[N * DIM], back[N * DIM];
    lam_model *m = bent_model("16-16", "concatsquash", "float", DIM, 2);
    lam_eval_options o = { .units = LAM_UNITS_STANDARDISED };
    normals(x, N, DIM);
    for (int warm = 0; warm < 2; warm++) {
        m->h_star_test[0] = m->h_star_test[1] = warm ? 0.3 : 0;
        assert_ok(lam_encode(m, &o, x, N, z, NULL));
        assert_true(largest_difference(x, z, N * DIM) > 0.5); /* the flow does something */
        assert_ok(lam_decode(m, &o, z, N, back, NULL));
        assert_true(largest_difference(x, back, N * DIM) < 1e-4);
    }
    lam_model_free(m);
}

/* The log-density that comes with a draw is that of the drawn row; draws depend on (seed, row) and are the same alone. */
static void draws_know_their_density(void **state)
{
    (void)state;
    enum { N = 200, DIM = 3 };
    static double x[N * DIM], alone[N * DIM], with[N], scored[N];
    lam_model *m = bent_model("16-16", "concat", "double", DIM, 2);
    lam_counts with_counts, counts;
    lam_eval_options o = { .batch_rows = 64 };
    assert_ok(lam_sample(m, NULL, 9, N, x, with, &with_counts));
    assert_ok(lam_log_prob(m, NULL, x, N, scored, NULL));
    assert_true(largest_difference(with, scored, N) < 1e-4); /* two solves at 1e-6 of a flow that stretches */
    assert_ok(lam_sample(m, &o, 9, N, alone, NULL, &counts));
    assert_true(largest_difference(x, alone, N * DIM) < 1e-4);
    assert_int_equal(with_counts.solves, 2);
    assert_int_equal(counts.solves, 8); /* four batches, two blocks */
    assert_ok(lam_sample(m, NULL, 10, 1, alone, NULL, NULL));
    assert_true(largest_difference(x, alone, DIM) > 1e-2);
    lam_model_free(m);
}

/* The same bits whatever the threads; the same numbers within the solver's error alone and in a file. */
static void rows_do_not_depend_on_company(void **state)
{
    (void)state;
    enum { N = 500, DIM = 3 };
    static double x[N * DIM], one[N], two[N];
    lam_model *m = bent_model("16-16", "concat", "float", DIM, 2);
    lam_eval_options o = { .threads = 1 };
    lam_check_report report;
    normals(x, N, DIM);
    to_data_units(m, x, N);
    assert_ok(lam_log_prob(m, &o, x, N, one, NULL));
    for (size_t threads = 2; threads <= 3; threads++) {
        o.threads = threads;
        assert_ok(lam_log_prob(m, &o, x, N, two, NULL));
        assert_memory_equal(one, two, sizeof one);
    }
    assert_ok(lam_check(m, NULL, x, N, &report));
    for (size_t i = 0; i < N; i += 50) {
        assert_ok(lam_log_prob(m, NULL, x + i * DIM, 1, two, NULL));
        assert_true(fabs(two[0] - one[i]) <= 2 * report.logp_error_max); /* each side has that error */
    }
    lam_model_free(m);
}

/* Steps that a model remembers save the probing and the timid start, and do not change the result beyond the tolerance. */
static void memory_saves_calls(void **state)
{
    (void)state;
    enum { N = 300, DIM = 3 };
    static double x[N * DIM], probed[N], warm[N];
    lam_model *m = bent_model("16-16", "concat", "double", DIM, 2);
    lam_counts probe_counts, warm_counts;
    lam_eval_options o = { .probe = 1 };
    normals(x, N, DIM);
    to_data_units(m, x, N);
    m->h_star_test[0] = m->h_star_test[1] = 0.2;
    assert_ok(lam_log_prob(m, &o, x, N, probed, &probe_counts));
    assert_ok(lam_log_prob(m, NULL, x, N, warm, &warm_counts));
    assert_true(largest_difference(probed, warm, N) < 1e-4);
    assert_int_equal(warm_counts.forward, 2 * (1 + 6 * 5)); /* two blocks of five even steps, 7 calls for a first step */
    assert_int_equal(warm_counts.accepted, 10);
    assert_true(probe_counts.forward > 0 && probe_counts.forward != warm_counts.forward);
    /* tolerances 2^5 times looser: steps twice as long */
    o = (lam_eval_options) { .atol = 32e-6, .rtol = 32e-6 };
    m->h_star_test[0] = m->h_star_test[1] = 0.25;
    assert_ok(lam_log_prob(m, &o, x, N, warm, &warm_counts));
    assert_int_equal(warm_counts.accepted, 4);
    lam_model_free(m);
}

/* ---- mistakes --------------------------------------------------------------------------------------------------- */

static int stop_at_second(void *user, size_t done, size_t total)
{
    size_t *calls = user;
    assert_int_equal(total, 10);
    assert_int_equal(done, 4 * (*calls + 1));
    return ++*calls == 2;
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    lam_model *m = bent_model("4", "concat", "float", 2, 1);
    double x[20] = { 0 }, logp[10];
    size_t calls = 0;
    lam_eval_options o = { .atol = -1 };
    assert_int_equal(lam_log_prob(m, &o, x, 10, logp, NULL), LAM_ERR_ARGUMENT);
    assert_said("atol");
    o = (lam_eval_options) { .isa = "abacus" };
    assert_int_equal(lam_log_prob(m, &o, x, 10, logp, NULL), LAM_ERR_ARGUMENT);
    assert_ok(lam_log_prob(m, NULL, x, 0, logp, NULL)); /* nothing to do */
    assert_int_equal(lam_log_prob(m, NULL, NULL, 1, logp, NULL), LAM_ERR_ARGUMENT);
    x[7] = NAN;
    assert_ok(lam_model_name_column(m, 1, "wind"));
    assert_int_equal(lam_log_prob(m, NULL, x, 10, logp, NULL), LAM_ERR_DATA);
    assert_said("row 4, column 2 (wind)");
    x[7] = -INFINITY;
    assert_int_equal(lam_encode(m, NULL, x, 10, x, NULL), LAM_ERR_DATA);
    x[7] = 0;
    o = (lam_eval_options) { .batch_rows = 4, .progress = stop_at_second, .user = &calls };
    assert_int_equal(lam_log_prob(m, &o, x, 10, logp, NULL), LAM_ERR_INTERRUPTED);
    assert_int_equal(calls, 2);
    x[7] = 1e300; /* finite, but not in float */
    assert_int_equal(lam_log_prob(m, NULL, x, 10, logp, NULL), LAM_ERR_DATA);
    assert_said("row 4, column 2 (wind)");
    lam_model_free(m);
}

/* ---- check ------------------------------------------------------------------------------------------------------ */

static void check_finds_what_is_true(void **state)
{
    (void)state;
    enum { N = 200 };
    double x[N * LINEAR], a[LINEAR * LINEAR], b[LINEAR], nll = 0;
    lam_model *m = linear_model(a, b, "1");
    lam_check_report r;
    lam_eval_options o = { .atol = 1e-6, .rtol = 1e-6 };
    double end = m->params[m->layout.time] * m->params[m->layout.time];
    shift_and_scale(m);
    normals(x, N, LINEAR);
    for (size_t i = 0; i < N; i++)
        nll -= (linear_log_prob(a, b, end, x + i * LINEAR) + m->log_det) / N;
    to_data_units(m, x, N);
    assert_ok(lam_check(m, &o, x, N, &r));
    assert_int_equal(r.rows, N);
    assert_true(fabs(r.nll_tight - nll) < 1e-6);          /* at 1e-8 */
    assert_true(fabs(r.nll - nll) < 1e-4);                /* at 1e-6 */
    assert_true(r.logp_error_max > 0 && r.logp_error_max < 1e-3 && r.logp_error_rms <= r.logp_error_max);
    assert_true(r.round_trip_max > 0 && r.round_trip_max < 1e-4 && r.round_trip_rms <= r.round_trip_max);
    assert_true(r.hutchinson_se > 0 && fabs(r.hutchinson_mean) < 4 * r.hutchinson_se + 1e-5);
    assert_true(r.counts_tight.forward > r.counts.forward);
    assert_int_equal(r.has_mass, 0);
    lam_model_free(m);
}

/* A flow's density integrates to one by construction; to the cubature's 2e-3, in one and in two columns. */
static void the_mass_is_one(void **state)
{
    (void)state;
    static const double larger[] = { 1, 4 };
    for (size_t dim = 1; dim <= 2; dim++)
        for (size_t k = 0; k < 2; k++) {
            lam_model *m = bent_model("8-8", "concat", "float", dim, larger[k]);
            lam_check_report r;
            lam_eval_options o = { .atol = 1e-4, .rtol = 1e-4 };
            double x[20];
            normals(x, 10, dim);
            to_data_units(m, x, 10);
            assert_ok(lam_check(m, &o, x, 10, &r));
            assert_int_equal(r.has_mass, 1);
            if (!(fabs(r.mass - 1) < 5e-3))
                fail_msg("%zu columns, weights times %g: mass %.6f", dim, larger[k], r.mass);
            lam_model_free(m);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flow_that_stands_still_is_the_normal),
        cmocka_unit_test(units_differ_by_the_standardiser),
        cmocka_unit_test(a_linear_flow_is_a_gaussian),
        cmocka_unit_test(hutchinson_agrees_on_average),
        cmocka_unit_test(decode_undoes_encode),
        cmocka_unit_test(draws_know_their_density),
        cmocka_unit_test(rows_do_not_depend_on_company),
        cmocka_unit_test(memory_saves_calls),
        cmocka_unit_test(bad_input_is_refused),
        cmocka_unit_test(check_finds_what_is_true),
        cmocka_unit_test(the_mass_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
