/* The search for a cheap evaluation setting: errors that are known, bounds that hold, models that remember. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "linear.h"
#include "model/pass.h"
#include "model/safetensors.h"
#include "model/tune.h"
#include "ode/tableau.h"
#include "scratch.h"

static int same_setting(const lam_setting *a, const lam_setting *b)
{
    return strcmp(a->solver, b->solver) == 0 && a->steps == b->steps && a->atol == b->atol && a->rtol == b->rtol
        && a->trace_points == b->trace_points;
}

/* Root mean square and 99th percentile of |a - b|, the latter counted out: the smallest error that 99 in 100 do not exceed. */
static void errors_of(const double *a, const double *b, size_t n, double *rms, double *percentile)
{
    double sum = 0;
    *percentile = INFINITY;
    for (size_t i = 0; i < n; i++) {
        double error = fabs(a[i] - b[i]);
        size_t within = 0;
        sum += error * error;
        for (size_t j = 0; j < n; j++)
            within += fabs(a[j] - b[j]) <= error;
        if (100 * within >= 99 * n && error < *percentile)
            *percentile = error;
    }
    *rms = sqrt(sum / (double)n);
}

static void tune(lam_model *m, const lam_tune_options *o, const double *x, size_t n, const double *test, size_t n_test,
    lam_tune_result *r)
{
    if (lam_tune(m, o, x, n, test, n_test, r) != LAM_OK)
        fail_msg("%s", lam_last_error());
    assert_true(r->chosen < r->n_candidates);
}

/* ---- what is measured --------------------------------------------------------------------------------------------- */

static void percentiles_are_counted(void **state)
{
    (void)state;
    static const size_t sizes[] = { 1, 2, 99, 100, 101, 199, 200, 201, 1000 };
    static double a[1000], zero[1000], scratch[1000];
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        double rms, percentile, other_rms, other;
        for (size_t i = 0; i < sizes[k]; i++)
            a[i] = (i % 2 ? -1.0 : 1.0) * (double)((i * 7919) % sizes[k] + 1); /* 1 .. n in some order */
        lam_tuner_errors(a, zero, sizes[k], scratch, &rms, &percentile);
        errors_of(a, zero, sizes[k], &other_rms, &other);
        assert_true(percentile == other && percentile == ceil(0.99 * (double)sizes[k] - 1e-9));
        assert_true(fabs(rms - other_rms) < 1e-9);
    }
}

/* Of a linear field log p is known, so the errors that tune reports are held against the truth, every candidate's: to the
 * reference's own error, which at 1e-8 in double is some 1e-8. And calls are what the tables say. */
static void errors_are_the_true_ones(void **state)
{
    (void)state;
    enum { N = 150 };
    static double x[2 * N * LINEAR], truth[2 * N], logp[N];
    double a[LINEAR * LINEAR], b[LINEAR], rms, percentile;
    lam_model *m = linear_model(a, b, "1.5");
    lam_tune_result r;
    const lam_tune_options o = { .error = 1e-4, .units = LAM_UNITS_STANDARDISED };
    const lam_eval_options plain = { .units = LAM_UNITS_STANDARDISED };
    double end = m->params[m->layout.time] * m->params[m->layout.time];
    normals(x, 2 * N, LINEAR);
    for (size_t i = 0; i < 2 * N; i++)
        truth[i] = linear_log_prob(a, b, end, x + i * LINEAR);
    tune(m, &o, x, N, x + N * LINEAR, N, &r);
    assert_int_equal(r.rows, N);
    assert_int_equal(r.test_rows, N);
    assert_true(r.reference_tolerance == 1e-8 && r.reference_error < 1e-7);
    size_t evens = 0, apart = 0;
    for (size_t i = 0; i < r.n_candidates; i++) {
        const lam_tune_candidate *c = &r.candidates[i];
        if (c->setting.steps == 0)
            continue;
        const lam_tableau *table = lam_setting_table(&c->setting);
        lam_setting_store(&m->config, &c->setting);
        assert_ok(lam_log_prob(m, &plain, x, N, logp, NULL));
        errors_of(logp, truth, N, &rms, &percentile);
        assert_true(fabs(rms - c->rms) < 1e-7 && fabs(percentile - c->percentile) < 2e-7);
        double stages = (double)(c->setting.steps * (size_t)(table->stages - table->fsal));
        double dense = (double)(c->setting.steps * (size_t)table->dense_stages) + 1; /* at most, for the states at the points */
        if (c->setting.trace_points == 0)
            assert_true(c->untraced == 0 && c->calls == stages);
        else
            assert_true(c->calls - c->untraced == (double)c->setting.trace_points && c->untraced >= stages && c->untraced <= stages + dense);
        assert_true(fabs(c->cost - (c->calls - c->untraced * (1 - r.untraced_cost))) < 1e-9);
        evens++;
        apart += c->setting.trace_points > 0;
    }
    assert_true(evens > 20 && apart > 5 && apart < evens);
    assert_true(r.untraced_cost > 0 && r.untraced_cost < 1);
    const lam_tune_candidate *chosen = &r.candidates[r.chosen];
    lam_setting_store(&m->config, &chosen->setting);
    assert_ok(lam_log_prob(m, &plain, x + N * LINEAR, N, logp, NULL));
    errors_of(logp, truth + N, N, &rms, &percentile);
    assert_true(fabs(rms - r.test_after.rms) < 1e-7 && fabs(percentile - r.test_after.percentile) < 2e-7);
    assert_true(chosen->rms <= 1e-4 && chosen->percentile <= 1e-4);
    lam_tune_result_clear(&r);
    lam_model_free(m);
}

/* ---- what is chosen ----------------------------------------------------------------------------------------------- */

enum { ROWS = 130, DIM = 3 };

static lam_model *curved_model(double *x, size_t n)
{
    lam_model *m = bent_model("16-16", "concat", "float", DIM, 2.5);
    normals(x, n, DIM);
    to_data_units(m, x, n);
    return m;
}

/* The setting kept is the cheapest of those tried that keep the bounds; scored afterwards it keeps them, has the calls that were
 * told, and to the reference's error the errors. Bounds on both, on one alone, and one that anything keeps. */
static void the_choice_keeps_its_bounds(void **state)
{
    (void)state;
    static double x[2 * ROWS * DIM], logp[ROWS], tight[ROWS];
    static const double bounds[][2] = { { 1e-1, 0 }, { 1e-2, 0 }, { 1e-2, 1e9 }, { 1e9, 1e-3 }, { 1e-4, 1e-3 }, { 1e6, 0 } };
    const lam_eval_options exact = { .use_double = 1, .atol = 1e-10, .rtol = 1e-10 };
    lam_model *m = curved_model(x, 2 * ROWS);
    assert_ok(lam_log_prob(m, &exact, x, ROWS, tight, NULL));
    for (size_t k = 0; k < sizeof bounds / sizeof bounds[0]; k++) {
        lam_tune_result r;
        lam_counts counts;
        double rms, percentile;
        const lam_tune_options o = { .error = bounds[k][0], .percentile_error = bounds[k][1], .batch_rows = 64 };
        const lam_eval_options batches = { .batch_rows = 64 };
        double second = bounds[k][1] > 0 ? bounds[k][1] : bounds[k][0];
        tune(m, &o, x, ROWS, x + ROWS * DIM, ROWS, &r);
        const lam_tune_candidate *c = &r.candidates[r.chosen];
        for (size_t i = 0; i < r.n_candidates; i++) {
            const lam_tune_candidate *other = &r.candidates[i];
            int keeps = other->rms <= bounds[k][0] && other->percentile <= second;
            assert_false(keeps && (other->cost < c->cost || (other->cost == c->cost && other->rms < c->rms)));
        }
        assert_ok(lam_log_prob(m, &batches, x, ROWS, logp, &counts));
        errors_of(logp, tight, ROWS, &rms, &percentile);
        assert_true(rms <= bounds[k][0] && percentile <= second);
        assert_true(fabs(rms - c->rms) < 1e-6 && fabs(percentile - c->percentile) < 1e-6);
        assert_true((double)counts.forward / 3 == c->calls && (double)counts.untraced / 3 == c->untraced); /* batches of 130 rows by 64 */
        lam_tune_result_clear(&r);
        lam_model_untune(m);
    }
    lam_model_free(m);
}

/* A check of a tuned model is held against the fit's own tolerances, whatever loose one was chosen: it finds the error that the
 * search found. */
static void checks_see_the_error(void **state)
{
    (void)state;
    static double x[ROWS * DIM];
    static const lam_setting settings[] = { { "bosh3", 0, 0.3, 0.3, 0 }, { "rk4", 3, 1e-6, 1e-6, 0 } };
    for (size_t k = 0; k < 2; k++) {
        lam_model *m = curved_model(x, ROWS);
        double logp[ROWS], tight[ROWS], rms, percentile;
        const double h_star[2] = { 0.5, 0.5 };
        const lam_eval_options exact = { .as_fitted = 1, .use_double = 1, .atol = 1e-10, .rtol = 1e-10 };
        lam_check_report report;
        assert_ok(lam_model_retune(m, &settings[k], h_star, &(lam_tuning) { .error = 1 }));
        assert_ok(lam_log_prob(m, NULL, x, ROWS, logp, NULL));
        assert_ok(lam_log_prob(m, &exact, x, ROWS, tight, NULL));
        errors_of(logp, tight, ROWS, &rms, &percentile);
        assert_true(rms > 1e-4);
        assert_ok(lam_check(m, NULL, x, ROWS, &report));
        assert_true(fabs(report.logp_error_rms - rms) < 1e-6); /* against 1e-8 */
        lam_model_free(m);
    }
}

/* A fit by fixed steps need not have a first step that an adaptive solver takes: such are not tried, and the file still loads. */
static void what_the_configuration_refuses_is_not_tried(void **state)
{
    (void)state;
    static double x[ROWS * DIM];
    lam_config cfg;
    lam_model *m, *back;
    lam_tune_result r;
    const lam_tune_options o = { .error = 1e-2 };
    configure(&cfg, "dims", "8-8", "solver", "rk4", "first-step", "5", "seed", "5", NULL);
    assert_ok(lam_model_create(&cfg, DIM, &m));
    normals(x, ROWS, DIM);
    tune(m, &o, x, ROWS, NULL, 0, &r);
    assert_true(strcmp(r.candidates[0].setting.solver, "rk4") == 0 && r.candidates[0].setting.steps == 20);
    for (size_t i = 0; i < r.n_candidates; i++)
        assert_true(r.candidates[i].setting.steps > 0);
    assert_ok(lam_model_save(m, scratch_path("rk4")));
    assert_ok(lam_model_load(scratch_path("rk4"), NULL, &back));
    assert_true(lam_model_tuning(back, NULL));
    lam_tune_result_clear(&r);
    lam_model_free(m);
    lam_model_free(back);
    lam_config_clear(&cfg);
}

/* Whatever the bounds: the points are chosen at states that are exact beside them. */
static void tight_bounds_take_points(void **state)
{
    (void)state;
    enum { WIDE = 8 };
    static double x[ROWS * WIDE];
    static const double bounds[] = { 1e-2, 1e-5, 1e-7 };
    lam_model *m = bent_model("32-32", "concat", "double", WIDE, 1.5);
    normals(x, ROWS, WIDE);
    to_data_units(m, x, ROWS);
    for (size_t k = 0; k < 3; k++) {
        lam_tune_result r;
        const lam_tune_options o = { .error = bounds[k] };
        tune(m, &o, x, ROWS, NULL, 0, &r);
        if (r.candidates[r.chosen].setting.trace_points == 0)
            fail_msg("%g: the trace is at every stage of %s", bounds[k], r.candidates[r.chosen].setting.solver);
        lam_tune_result_clear(&r);
        lam_model_untune(m);
    }
    lam_model_free(m);
}

/* Candidates marked as the front are those that no other beats, and there is more than one of them. */
static void the_front_is_the_front(void **state)
{
    (void)state;
    static double x[ROWS * DIM];
    lam_model *m = curved_model(x, ROWS);
    lam_tune_result r;
    const lam_tune_options o = { .error = 1e-3 };
    size_t front = 0;
    tune(m, &o, x, ROWS, NULL, 0, &r);
    for (size_t i = 0; i < r.n_candidates; i++) {
        int beaten = !isfinite(r.candidates[i].rms);
        for (size_t j = 0; j < r.n_candidates; j++)
            beaten |= (r.candidates[j].cost <= r.candidates[i].cost && r.candidates[j].rms < r.candidates[i].rms)
                || (r.candidates[j].cost < r.candidates[i].cost && r.candidates[j].rms <= r.candidates[i].rms);
        assert_int_equal(r.candidates[i].on_front, !beaten);
        front += (size_t)!beaten;
    }
    assert_in_range(front, 4, r.n_candidates);
    assert_true(r.candidates[r.chosen].on_front);
    lam_tune_result_clear(&r);
    lam_model_free(m);
}

/* ---- files -------------------------------------------------------------------------------------------------------- */

static size_t read_file(const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(out, 1, size, f);
    fclose(f);
    assert_in_range(n, 1, size - 1);
    return n;
}

static void assert_same_files(const char *a, const char *b)
{
    static char first[1 << 16], second[1 << 16];
    size_t n = read_file(a, first, sizeof first);
    assert_int_equal(read_file(b, second, sizeof second), n);
    assert_memory_equal(first, second, n);
}

static void same_choice_for_any_threads(void **state)
{
    (void)state;
    static double x[ROWS * DIM];
    lam_tune_result r[3];
    for (size_t threads = 1; threads <= 3; threads++) {
        lam_model *m = curved_model(x, ROWS);
        const lam_tune_options o = { .error = 1e-2, .threads = threads, .seed = 4 };
        tune(m, &o, x, ROWS, NULL, 0, &r[threads - 1]);
        assert_ok(lam_model_save(m, scratch_path(threads == 1 ? "one" : "more")));
        if (threads > 1)
            assert_same_files(scratch_path("one"), scratch_path("more"));
        lam_model_free(m);
    }
    for (size_t k = 1; k < 3; k++) {
        assert_int_equal(r[k].n_candidates, r[0].n_candidates);
        assert_int_equal(r[k].rows, ROWS / 2);
        assert_int_equal(r[k].test_rows, ROWS / 2);
        for (size_t i = 0; i < r[0].n_candidates; i++) {
            const lam_tune_candidate *c = &r[k].candidates[i], *one = &r[0].candidates[i];
            assert_true(same_setting(&c->setting, &one->setting));
            assert_true(c->rms == one->rms && c->percentile == one->percentile && c->calls == one->calls && c->cost == one->cost);
        }
    }
    for (size_t k = 0; k < 3; k++)
        lam_tune_result_clear(&r[k]);
}

/* A tuned model comes back from its file, evaluates as it did, still knows the fit's own way, and finds back to it: the same bits
 * and the same file as before it was tuned, also when it was tuned twice. */
static void tuned_models_remember(void **state)
{
    (void)state;
    static double x[ROWS * DIM], before[ROWS], tuned[ROWS], again[ROWS], asked[ROWS], asked_before[ROWS];
    static const double bounds[] = { 1e-2, 1e-4 };
    const lam_eval_options fitted = { .as_fitted = 1 }, asks = { .atol = 1e-7 };
    lam_model *m = curved_model(x, ROWS), *back;
    lam_tuning first, second;
    lam_setting was, is, now;
    m->h_star_test[0] = m->h_star_test[1] = 0.21;
    assert_ok(lam_log_prob(m, NULL, x, ROWS, before, NULL));
    assert_ok(lam_log_prob(m, &asks, x, ROWS, asked_before, NULL));
    assert_ok(lam_model_save(m, scratch_path("before")));
    was = lam_config_setting(lam_model_config(m));
    assert_false(lam_model_tuning(m, &first));
    for (size_t k = 0; k < 2; k++) {
        const lam_tune_options o = { .error = bounds[k], .percentile_error = 1 };
        assert_ok(lam_tune(m, &o, x, ROWS, NULL, 0, NULL));
        assert_ok(lam_log_prob(m, NULL, x, ROWS, tuned, NULL));
        assert_true(largest_difference(before, tuned, ROWS) > 0);
        assert_ok(lam_model_save(m, scratch_path("tuned")));
        assert_ok(lam_model_load(scratch_path("tuned"), NULL, &back));
        assert_ok(lam_model_save(back, scratch_path("again")));
        assert_same_files(scratch_path("tuned"), scratch_path("again"));
        assert_true(lam_model_tuning(m, &first) && lam_model_tuning(back, &second));
        assert_true(first.error == second.error && first.percentile_error == second.percentile_error && first.rms == second.rms);
        assert_true(first.percentile == second.percentile && first.rows == second.rows);
        assert_true(same_setting(&first.before, &was) && same_setting(&second.before, &was));
        assert_true(first.error == bounds[k] && first.percentile_error == 1 && first.rows == ROWS / 2 && first.rms <= bounds[k]);
        assert_ok(lam_model_setting(back, NULL, &is));
        now = lam_config_setting(lam_model_config(m));
        assert_true(same_setting(&is, &now));
        assert_ok(lam_log_prob(back, NULL, x, ROWS, again, NULL));
        assert_memory_equal(tuned, again, sizeof tuned);
        assert_ok(lam_log_prob(back, &fitted, x, ROWS, again, NULL));
        assert_memory_equal(before, again, sizeof before);
        if (is.steps > 0 || is.trace_points > 0) { /* a tolerance is asked of the fit's own solver; even steps have none, nor has the trace at points */
            assert_ok(lam_log_prob(back, &asks, x, ROWS, asked, NULL));
            assert_memory_equal(asked, asked_before, sizeof asked);
        }
        lam_model_free(m);
        m = back;
    }
    lam_model_untune(m);
    assert_ok(lam_model_save(m, scratch_path("again")));
    assert_same_files(scratch_path("before"), scratch_path("again"));
    lam_model_untune(m); /* nothing to do */
    assert_ok(lam_log_prob(m, NULL, x, ROWS, again, NULL));
    assert_memory_equal(before, again, sizeof before);
    lam_model_free(m);
}

/* The text after line is taken out of it. */
static void remove_line(char *text, const char *line)
{
    char *at = strstr(text, line);
    assert_non_null(at);
    char *end = strchr(at, '\n') + 1;
    memmove(at, end, strlen(end) + 1);
}

/* A file from before there were settings: its configuration names neither, nothing in it was tuned, and it does not say whether its
 * columns have names. */
static void old_models_load(void **state)
{
    (void)state;
    static double x[ROWS * DIM], before[ROWS], after[ROWS];
    static char config[1 << 14];
    lam_model *m = curved_model(x, ROWS), *old;
    lam_st_file file;
    lam_setting setting;
    assert_ok(lam_log_prob(m, NULL, x, ROWS, before, NULL));
    assert_ok(lam_model_save(m, scratch_path("new")));
    assert_ok(lam_st_read(scratch_path("new"), &file));
    assert_null(lam_st_meta(&file, "tuned"));
    lam_st_pair pairs[10];
    size_t n = 0;
    assert_int_equal(file.n_meta, 10);
    for (size_t i = 0; i < 10; i++) {
        pairs[n] = file.meta[i];
        if (strcmp(pairs[n].key, "config") == 0) {
            assert_true(strlen(pairs[n].value) < sizeof config);
            strcpy(config, pairs[n].value);
            remove_line(config, "test-solver:");
            remove_line(config, "test-steps:");
            remove_line(config, "test-trace-points:");
            pairs[n].value = config;
        }
        n += strcmp(pairs[n].key, "named") != 0;
    }
    assert_int_equal(n, 9);
    assert_ok(lam_st_write(scratch_path("old"), file.tensors, file.n_tensors, pairs, n));
    lam_st_free(&file);
    assert_ok(lam_model_load(scratch_path("old"), NULL, &old));
    assert_false(lam_model_tuning(old, NULL));
    assert_false(lam_model_has_names(old));
    assert_ok(lam_model_setting(old, NULL, &setting));
    assert_true(strcmp(setting.solver, "dopri5") == 0 && setting.steps == 0 && setting.atol == 1e-6);
    assert_ok(lam_log_prob(old, NULL, x, ROWS, after, NULL));
    assert_memory_equal(before, after, sizeof before);
    lam_model_free(m);
    lam_model_free(old);
}

static void damaged_settings_are_refused(void **state)
{
    (void)state;
    static char image[1 << 16], copy[1 << 16];
    static double x[ROWS * DIM];
    static const char *const lies[][2] = { { "tuned\":\"{", "tuned\":\"[" }, { "\\\"rms\\\":", "\\\"rmz\\\":" },
        { "\\\"test_solver\\\":\\\"auto", "\\\"test_solver\\\":\\\"otto" },
        { "\\\"h_star_test\\\":[0,0]", "\\\"h_star_test\\\":[0,-]" },
        { "\\\"h_star_test\\\":[0,0]", "\\\"h_star_test\\\":[0  ]" }, { "\\\"h_star_test\\\":[0,0]", "\\\"h_star_test\\\":100  " },
        { "\\\"test_steps\\\":0", "\\\"test_steps\\\":x" }, { "\\\"error\\\":0.01", "\\\"error\\\":-0.1" } };
    lam_model *m = curved_model(x, ROWS), *none;
    const lam_tune_options o = { .error = 1e-2 };
    assert_ok(lam_tune(m, &o, x, ROWS, NULL, 0, NULL));
    assert_ok(lam_model_save(m, scratch_path("tuned")));
    size_t n = read_file(scratch_path("tuned"), image, sizeof image);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        size_t at = 0, length = strlen(lies[i][0]);
        assert_int_equal(strlen(lies[i][1]), length);
        while (at + length <= n && memcmp(image + at, lies[i][0], length) != 0)
            at++;
        if (at + length > n)
            fail_msg("%s is not in the file", lies[i][0]);
        memcpy(copy, image, n);
        memcpy(copy + at, lies[i][1], length);
        scratch_write("lie", copy, n);
        assert_int_equal(lam_model_load(scratch_path("lie"), NULL, &none), LAM_ERR_FORMAT);
        assert_said("\"tuned\"");
    }
    lam_model_free(m);
}

/* ---- settings ----------------------------------------------------------------------------------------------------- */

static void settings_are_resolved(void **state)
{
    (void)state;
    static const struct {
        const char *solver, *test_solver, *test_steps;
        lam_solver is;
        size_t steps;
        size_t asked; /* steps where a tolerance is asked for */
    } cases[] = {
        { "dopri5", "auto", "0", LAM_DOPRI5, 0, 0 }, { "dopri5", "auto", "4", LAM_DOPRI5, 4, 0 },
        { "rk4", "auto", "0", LAM_RK4, 20, 20 }, { "rk4", "auto", "3", LAM_RK4, 3, 3 }, { "rk4", "bosh3", "0", LAM_BOSH3, 0, 0 }, { "rk4", "bosh3", "5", LAM_BOSH3, 5, 0 },
        { "tsit5", "euler", "0", LAM_EULER, 20, 20 }, { "tsit5", "euler", "7", LAM_EULER, 7, 7 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lam_config cfg;
        lam_model *m;
        const lam_eval_options asks = { .rtol = 1e-3 };
        configure(&cfg, "dims", "4", "solver", cases[i].solver, "test-solver", cases[i].test_solver, "test-steps",
            cases[i].test_steps, NULL);
        assert_ok(lam_config_check(&cfg));
        lam_setting s = lam_config_setting(&cfg);
        assert_true(strcmp(s.solver, lam_solver_word(cases[i].is)) == 0 && s.steps == cases[i].steps && s.atol == 1e-5 && s.rtol == 1e-5);
        assert_ok(lam_model_create(&cfg, 2, &m));
        assert_ok(lam_model_setting(m, &asks, &s));
        assert_true(strcmp(s.solver, lam_solver_word(cases[i].is)) == 0 && s.steps == cases[i].asked && s.atol == 1e-5 && s.rtol == 1e-3);
        lam_model_free(m);
        lam_config_clear(&cfg);
    }
}

/* The same steps on the way back: a draw's density is that of its row, the base comes back, and calls are counted alike. */
static void even_steps_lead_back(void **state)
{
    (void)state;
    enum { N = 200 };
    static double x[N * DIM], z[N * DIM], back[N * DIM], with[N], scored[N];
    lam_model *m = bent_model("16-16", "concat", "double", DIM, 2);
    lam_counts counts;
    const lam_setting s = { "tsit5", 12, 1e-6, 1e-6, 0 };
    lam_setting_store(&m->config, &s);
    assert_ok(lam_sample(m, NULL, 9, N, x, with, &counts));
    assert_int_equal(counts.forward, 2 * 12 * 6);
    assert_int_equal(counts.accepted, 2 * 12);
    assert_ok(lam_log_prob(m, NULL, x, N, scored, &counts));
    assert_int_equal(counts.forward, 2 * 12 * 6);
    assert_ok(lam_encode(m, NULL, x, N, z, &counts));
    assert_int_equal(counts.forward, 2 * 12 * 6);
    assert_ok(lam_decode(m, NULL, z, N, back, NULL));
    assert_true(largest_difference(with, scored, N) < 1e-4); /* (1/12)^5 = 4e-6 a block, of a flow that bends; measured 1e-5 */
    assert_true(largest_difference(x, back, N * DIM) < 1e-5);
    assert_true(largest_difference(x, back, N * DIM) > 0);
    lam_model_free(m);
}

/* ---- refusals ----------------------------------------------------------------------------------------------------- */

static int told(void *user, const lam_tune_progress *p)
{
    size_t *calls = user;
    if (++*calls == 1)
        assert_true(p->rows_done == 0 && p->candidates == 0 && p->seconds_left > 0);
    assert_in_range(p->rows_done, 0, p->rows);
    assert_int_equal(p->rows, ROWS);
    return p->candidates == 3;
}

static void the_model_stays_without_a_choice(void **state)
{
    (void)state;
    static double x[ROWS * DIM];
    lam_model *m = curved_model(x, ROWS);
    size_t calls = 0;
    lam_tune_result r;
    lam_tune_options o = { .error = 1e-9, .rows = 30 };
    m->config.max_steps = 100; /* far beyond what float needs; euler would go on */
    assert_ok(lam_model_save(m, scratch_path("before")));
    assert_int_equal(lam_tune(m, &o, x, ROWS, NULL, 0, &r), LAM_ERR_SOLVER);
    assert_said("float itself is in the way");
    assert_true(r.n_candidates > 20 && r.chosen == SIZE_MAX);
    assert_true(r.rounding_rms > 1e-8 && r.rounding_rms < 1e-4 && r.rounding_percentile >= r.rounding_rms);
    for (size_t i = 0; i < r.n_candidates; i++) /* the reference is of another kind: rounding is most of what is left */
        assert_true(r.candidates[i].rms > 0.3 * r.rounding_rms);
    lam_tune_result_clear(&r);
    o.error = 1e-16;
    assert_int_equal(lam_tune(m, &o, x, ROWS, NULL, 0, &r), LAM_ERR_SOLVER);
    assert_said("the reference itself");
    assert_int_equal(r.n_candidates, 0);
    o = (lam_tune_options) { .error = 1e-2, .progress = told, .user = &calls };
    assert_int_equal(lam_tune(m, &o, x, ROWS, NULL, 0, &r), LAM_ERR_INTERRUPTED);
    assert_true(calls > 3);
    lam_tune_result_clear(&r);
    assert_ok(lam_model_save(m, scratch_path("after")));
    assert_same_files(scratch_path("before"), scratch_path("after"));
    lam_model_free(m);
}

/* In double nothing but max-steps is in the way, and says so. */
static void too_few_steps_are_named(void **state)
{
    (void)state;
    static double x[ROWS * DIM];
    lam_config cfg;
    lam_model *m;
    lam_tune_result r;
    const lam_tune_options o = { .error = 1e-6 };
    configure(&cfg, "dims", "16-16", "precision", "double", "max-steps", "2", "seed", "5", NULL);
    assert_ok(lam_model_create(&cfg, DIM, &m));
    for (size_t i = 0; i < m->layout.time; i++)
        m->params[i] *= 3;
    normals(x, ROWS, DIM);
    assert_int_equal(lam_tune(m, &o, x, ROWS, NULL, 0, &r), LAM_ERR_SOLVER);
    assert_said("raise max-steps");
    assert_true(r.rounding_rms == 0);
    assert_true(r.candidates[0].rms == INFINITY && isnan(r.candidates[0].calls)); /* 1e-5 needs more than two steps */
    for (size_t i = 0; i < r.n_candidates; i++)
        assert_in_range(r.candidates[i].setting.steps, 0, 2);
    lam_tune_result_clear(&r);
    lam_model_free(m);
    lam_config_clear(&cfg);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    static double x[ROWS * DIM];
    static const double bad[][2] = { { 0, 0 }, { -1, 0 }, { NAN, 0 }, { INFINITY, 0 }, { 1, -1 }, { 1, NAN } };
    lam_model *m = curved_model(x, ROWS);
    lam_tune_options o;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        o = (lam_tune_options) { .error = bad[i][0], .percentile_error = bad[i][1] };
        assert_int_equal(lam_tune(m, &o, x, ROWS, NULL, 0, NULL), LAM_ERR_ARGUMENT);
        assert_said("above 0");
    }
    o = (lam_tune_options) { .error = 1e-2 };
    assert_int_equal(lam_tune(NULL, &o, x, ROWS, NULL, 0, NULL), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_tune(m, NULL, x, ROWS, NULL, 0, NULL), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_tune(m, &o, NULL, ROWS, NULL, 0, NULL), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_tune(m, &o, x, 1, NULL, 0, NULL), LAM_ERR_DATA);
    assert_int_equal(lam_tune(m, &o, x, 0, x, ROWS, NULL), LAM_ERR_DATA);
    assert_said("0 validation rows");
    assert_int_equal(lam_tune(m, &o, x, ROWS, x, 0, NULL), LAM_ERR_DATA);
    x[100 * DIM + 1] = NAN;
    assert_int_equal(lam_tune(m, &o, x, ROWS, NULL, 0, NULL), LAM_ERR_DATA);
    assert_said("row 101, column 2");
    x[100 * DIM + 1] = 0;
    o.isa = "abacus";
    assert_int_equal(lam_tune(m, &o, x, ROWS, NULL, 0, NULL), LAM_ERR_ARGUMENT);
    assert_false(lam_model_tuning(m, NULL));
    lam_model_free(m);
}

/* Fewer rows than given are spread over all of them: the last is among them, and few are as good as they are few. */
static void few_rows_are_spread(void **state)
{
    (void)state;
    static double x[ROWS * DIM];
    lam_model *m = curved_model(x, ROWS);
    lam_tune_result r, whole;
    enum { FEW = ROWS / 10 };
    lam_tune_options o = { .error = 1e-2, .rows = FEW };
    for (size_t i = 0; i < ROWS; i++)
        if (i % 10 != 0) /* rows that the spread passes over may be what they like, as long as they are finite */
            for (size_t j = 0; j < DIM; j++)
                x[i * DIM + j] = 50;
    static double few[FEW * DIM];
    for (size_t i = 0; i < FEW; i++)
        memcpy(few + i * DIM, x + 10 * i * DIM, DIM * sizeof(double));
    tune(m, &o, x, ROWS, few, FEW, &r);
    lam_model_untune(m);
    tune(m, &o, few, FEW, few, FEW, &whole);
    assert_int_equal(r.rows, FEW);
    assert_int_equal(r.n_candidates, whole.n_candidates);
    for (size_t i = 0; i < r.n_candidates; i++)
        assert_true(r.candidates[i].rms == whole.candidates[i].rms);
    assert_true(r.test_after.rms == r.candidates[r.chosen].rms);
    lam_tune_result_clear(&r);
    lam_tune_result_clear(&whole);
    lam_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_are_counted),
        cmocka_unit_test(errors_are_the_true_ones),
        cmocka_unit_test(the_choice_keeps_its_bounds),
        cmocka_unit_test(checks_see_the_error),
        cmocka_unit_test(what_the_configuration_refuses_is_not_tried),
        cmocka_unit_test(the_front_is_the_front),
        cmocka_unit_test(tight_bounds_take_points),
        cmocka_unit_test(same_choice_for_any_threads),
        cmocka_unit_test(tuned_models_remember),
        cmocka_unit_test(old_models_load),
        cmocka_unit_test(damaged_settings_are_refused),
        cmocka_unit_test(settings_are_resolved),
        cmocka_unit_test(even_steps_lead_back),
        cmocka_unit_test(the_model_stays_without_a_choice),
        cmocka_unit_test(too_few_steps_are_named),
        cmocka_unit_test(bad_input_is_refused),
        cmocka_unit_test(few_rows_are_spread),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
