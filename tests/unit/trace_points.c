/* The trace at a few points a block, beside a solve of the states alone (method.md 12): against quadrature that is known, the solver's own
 * integral, and itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "linear.h"
#include "base/choices.h"
#include "ode/quadrature.h"
#include "ode/tableau.h"

enum { N = 150 };

static void evaluate_by(lam_model *m, const char *solver, size_t steps, double tolerance, size_t points)
{
    const lam_setting s = { solver, steps, tolerance, tolerance, points };
    lam_setting_store(&m->config, &s);
}

/* Monomials up to degree 2 n - 1 exactly, the next one not; and the tables of two and three points. */
static void quadrature_is_exact(void **state)
{
    (void)state;
    double x[LAM_MAX_POINTS], w[LAM_MAX_POINTS];
    for (size_t n = 1; n <= LAM_MAX_POINTS; n++) {
        lam_gauss_legendre(n, x, w);
        for (size_t i = 0; i < n; i++)
            assert_true(x[i] > (i > 0 ? x[i - 1] : 0) && x[i] < 1 && w[i] > 0);
        for (size_t degree = 0; degree <= 2 * n; degree++) {
            double sum = 0, error;
            for (size_t i = 0; i < n; i++)
                sum += w[i] * pow(x[i], (double)degree);
            error = fabs(sum * (double)(degree + 1) - 1);
            if (degree < 2 * n)
                assert_true(error < 1e-13);
            else if (n <= 8) /* then the remainder drowns in rounding */
                assert_true(error > 1e-10);
        }
    }
    lam_gauss_legendre(2, x, w);
    assert_true(fabs(x[0] - (0.5 - sqrt(1.0 / 12))) < 1e-15 && fabs(w[1] - 0.5) < 1e-15);
    lam_gauss_legendre(3, x, w);
    assert_true(fabs(x[2] - (0.5 + sqrt(0.15))) < 1e-15 && fabs(w[0] - 5.0 / 18) < 1e-15 && fabs(w[1] - 4.0 / 9) < 1e-15);
}

/* Where the trace is the same everywhere one point does, and the density is known. */
static void a_linear_field_is_known(void **state)
{
    (void)state;
    static double x[N * LINEAR], logp[N], truth[N];
    double a[LINEAR * LINEAR], b[LINEAR];
    const lam_eval_options o = { .units = LAM_UNITS_STANDARDISED };
    lam_model *m = linear_model(a, b, "1.5");
    lam_counts counts;
    double end = m->params[m->layout.time] * m->params[m->layout.time];
    normals(x, N, LINEAR);
    for (size_t i = 0; i < N; i++)
        truth[i] = linear_log_prob(a, b, end, x + i * LINEAR);
    for (size_t points = 1; points <= LAM_MAX_POINTS; points += 5) {
        evaluate_by(m, "dop853", 0, 1e-10, points);
        assert_ok(lam_log_prob(m, &o, x, N, logp, &counts));
        assert_true(largest_difference(logp, truth, N) < 1e-8);
        assert_int_equal(counts.forward - counts.untraced, points);
    }
    lam_model_free(m);
}

/* Against the solver's own integral: the error falls with the points, at the same states, down to nothing, forward and (a draw's density)
 * backward. More columns than a chunk of the trace has, and every way in which steps are chosen. */
static void the_error_falls(void **state)
{
    (void)state;
    static double x[N * 10], exact[N], logp[N], draws[N * 10], drawn[N];
    static const struct {
        size_t dim;
        const char *precision, *control, *end;
        double least; /* what is left of the error: of rounding, or of an end that is interpolated */
    } cases[] = { { 3, "double", "batch", "land", 1e-7 }, { 10, "double", "batch", "overshoot", 1e-5 }, { 3, "double", "tile", "land-all", 1e-7 },
        { 3, "float", "batch", "land", 2e-4 } };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        size_t dim = cases[k].dim;
        int is_float = strcmp(cases[k].precision, "float") == 0;
        lam_model *m = bent_model("16-16", "concat", cases[k].precision, dim, 2.5);
        double tolerance = is_float ? 1e-6 : 1e-10, before = INFINITY;
        assert_ok(lam_config_set(&m->config, "step-control", cases[k].control));
        assert_ok(lam_config_set(&m->config, "end", cases[k].end));
        normals(x, N, dim);
        to_data_units(m, x, N);
        evaluate_by(m, "dopri5", 0, tolerance, 0);
        assert_ok(lam_log_prob(m, NULL, x, N, exact, NULL));
        for (size_t points = 2; points <= 8; points *= 2) {
            evaluate_by(m, "dopri5", 0, tolerance, points);
            assert_ok(lam_log_prob(m, NULL, x, N, logp, NULL));
            double error = largest_difference(logp, exact, N);
            if (!(error < before / 4))
                fail_msg("case %zu: %zu points %g, half as many %g", k, points, error, before);
            before = points < 4 || !is_float ? error : INFINITY; /* then rounding is all that is left */
        }
        evaluate_by(m, "dopri5", 0, tolerance, LAM_MAX_POINTS);
        assert_ok(lam_log_prob(m, NULL, x, N, logp, NULL));
        if (!(largest_difference(logp, exact, N) < cases[k].least))
            fail_msg("case %zu: %g at most points", k, largest_difference(logp, exact, N));
        assert_ok(lam_sample(m, NULL, 3, N, draws, drawn, NULL));
        evaluate_by(m, "dopri5", 0, tolerance, 0);
        assert_ok(lam_log_prob(m, NULL, draws, N, logp, NULL));
        if (!(largest_difference(logp, drawn, N) < 10 * cases[k].least))
            fail_msg("case %zu: %g", k, largest_difference(logp, drawn, N));
        lam_model_free(m);
    }
}

/* Every kind of layer, whose parts depend on the time in ways of their own. */
static void layers_agree(void **state)
{
    (void)state;
#define LAYER(code, word) word,
    static const char *const layers[] = { LAM_LAYER_LIST(LAYER, LAM_NONE) };
#undef LAYER
    static double x[N * 3], exact[N], half[N], logp[N];
    for (size_t k = 0; k < sizeof layers / sizeof layers[0]; k++) {
        lam_model *m = bent_model("12-12", layers[k], "double", 3, 1);
        normals(x, N, 3);
        to_data_units(m, x, N);
        evaluate_by(m, "dopri5", 0, 1e-9, 0);
        assert_ok(lam_log_prob(m, NULL, x, N, exact, NULL));
        evaluate_by(m, "dopri5", 0, 1e-9, 3);
        assert_ok(lam_log_prob(m, NULL, x, N, half, NULL));
        evaluate_by(m, "dopri5", 0, 1e-9, 12);
        assert_ok(lam_log_prob(m, NULL, x, N, logp, NULL));
        double error = largest_difference(logp, exact, N), coarse = largest_difference(half, exact, N);
        if (!(error < 1e-6 && error < coarse / 10))
            fail_msg("%s: %g, with a quarter of the points %g", layers[k], error, coarse);
        lam_model_free(m);
    }
}

/* The states are those of an encoding, which has no trace either: so many even steps of f alone a block, and the points. The same bits for any
 * number of threads. */
static void what_it_costs(void **state)
{
    (void)state;
    enum { STEPS = 3, POINTS = 3, BLOCKS = 2 };
    static const struct {
        const char *solver;
        size_t states; /* evaluations of f: a pair's last stage is needed for the states within the last step */
    } cases[] = { { "rk4", 4 * STEPS }, { "midpoint", 2 * STEPS }, { "dopri5", 6 * STEPS + 1 }, { "dop853", 12 * STEPS + 1 + 3 * STEPS } };
    static double x[N * 3], logp[N], again[N];
    lam_model *m = bent_model("16-16", "concat", "float", 3, 2.5);
    normals(x, N, 3);
    to_data_units(m, x, N);
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        lam_counts counts;
        evaluate_by(m, cases[k].solver, STEPS, 1e-5, POINTS);
        assert_ok(lam_log_prob(m, &(lam_eval_options) { .threads = 1 }, x, N, logp, &counts));
        assert_int_equal(counts.untraced, BLOCKS * cases[k].states);
        assert_int_equal(counts.forward, BLOCKS * (cases[k].states + POINTS));
        assert_int_equal(counts.solves, BLOCKS);
        assert_ok(lam_log_prob(m, &(lam_eval_options) { .threads = 3 }, x, N, again, NULL));
        assert_memory_equal(logp, again, sizeof logp);
    }
    lam_model_free(m);
}

/* Who asks for tolerances gets the log-density under their control. */
static void tolerances_take_the_solver(void **state)
{
    (void)state;
    static double x[N * 3], plain[N], asked[N];
    const lam_eval_options asks = { .atol = 1e-7, .rtol = 1e-7 };
    lam_model *m = bent_model("16-16", "concat", "double", 3, 2.5);
    lam_setting s;
    normals(x, N, 3);
    to_data_units(m, x, N);
    assert_ok(lam_log_prob(m, &asks, x, N, plain, NULL));
    evaluate_by(m, "dopri5", 2, 1e-5, 2);
    assert_ok(lam_model_setting(m, NULL, &s));
    assert_true(s.steps == 2 && s.trace_points == 2);
    assert_ok(lam_model_setting(m, &asks, &s));
    assert_true(s.steps == 0 && s.trace_points == 0 && s.atol == 1e-7);
    assert_ok(lam_log_prob(m, &asks, x, N, asked, NULL));
    assert_memory_equal(plain, asked, sizeof plain);
    assert_int_equal(lam_config_set(&m->config, "test-trace-points", "17"), LAM_ERR_ARGUMENT);
    lam_model_free(m);
}

/* A fit's validation and test by points are those of scoring, with the exact trace and with the estimate. */
static void fits_use_them(void **state)
{
    (void)state;
    static const char *const traces[] = { "exact", "estimate" };
    double nll[2][2];
    for (size_t k = 0; k < 4; k++) {
        lam_config cfg;
        lam_table *table;
        lam_dataset *data;
        lam_model *m;
        lam_fit_result r;
        configure(&cfg, "dims", "8-8", "blocks", "2", "iterations", "6", "batch-size", "50", "val-freq", "3", "warm-start", "none", "map", "none", "precision", "double",
            "test-atol", "1e-8", "test-rtol", "1e-8", "val-divergence", traces[k / 2], "test-trace-points", k % 2 ? "10" : "0", NULL);
        assert_ok(lam_table_toy("pinwheel", 300, 1, &table));
        assert_ok(lam_dataset_build(&cfg, table, NULL, NULL, NULL, &data));
        assert_ok(lam_fit(&cfg, data, NULL, &m, &r));
        nll[k / 2][k % 2] = r.best_val_nll;
        assert_int_equal(r.test_counts.untraced > 0, k % 2);
        lam_model_free(m);
        lam_dataset_free(data);
        lam_table_free(table);
        lam_config_clear(&cfg);
    }
    for (size_t i = 0; i < 2; i++)
        assert_true(fabs(nll[i][0] - nll[i][1]) < 1e-6);
    assert_true(fabs(nll[0][0] - nll[1][0]) > 1e-6); /* the estimate is another number */
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(quadrature_is_exact), cmocka_unit_test(a_linear_field_is_known), cmocka_unit_test(the_error_falls),
        cmocka_unit_test(layers_agree), cmocka_unit_test(what_it_costs), cmocka_unit_test(tolerances_take_the_solver), cmocka_unit_test(fits_use_them) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
