/* Fitting is determined by configuration and data: the model is the same bytes for any number of threads, and however often the
 * run was stopped or killed. */
#include "base/random.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "fitting.h"

static void threads_do_not_matter(void **state)
{
    (void)state;
    lam_config cfg;
    const char *const threads[] = { "1", "2", "3" };
    for (size_t i = 0; i < 3; i++) {
        configure(&cfg);
        set(&cfg, "threads", threads[i]);
        fit_into("other", &cfg, (lam_fit_options) { 0 }, LAM_OK, NULL);
        assert_same_model("whole", "other");
        remove_run("other");
        lam_config_clear(&cfg);
    }
}

/* Stopped between any two batches of a validation or of the test, one and the same more than once. */
static void stopping_an_evaluation_does_not_matter(void **state)
{
    (void)state;
    lam_config cfg;
    lam_fit_result whole, r;
    evaluation_watch all = { .skip = 1000 };
    size_t stops[3] = { 0 }, rounds = 0;
    configure(&cfg);
    set(&cfg, "val-batch-size", "15"); /* 15 + 15 + 10 rows: two calls an evaluation */
    fit_into("split", &cfg, (lam_fit_options) { .evaluating = watching_evaluations, .user = &all }, LAM_OK, &whole);
    assert_int_equal(all.at[LAM_VALID], 2 * 5); /* after 5, 10, 15, 20 and 23 iterations */
    assert_int_equal(all.at[LAM_TEST], 2);
    for (lam_status status = LAM_ERR_INTERRUPTED; status == LAM_ERR_INTERRUPTED; rounds++) {
        evaluation_watch w = { .skip = rounds % 5 };
        char folder[512];
        lam_model *model;
        snprintf(folder, sizeof folder, "%s", scratch_path("stopped"));
        const lam_fit_options options = { .run_dir = folder, .resume = 1, .evaluating = watching_evaluations, .user = &w };
        assert_true(rounds < 40);
        status = lam_fit(&cfg, data, &options, &model, &r);
        assert_non_null(model);
        lam_model_free(model);
        assert_int_equal(r.finished, status == LAM_OK);
        if (status == LAM_ERR_INTERRUPTED) {
            stops[w.part]++;
            assert_true(strstr(lam_last_error(), "stopped after iteration") != NULL && isnan(r.test_nll));
        }
    }
    assert_true(stops[LAM_VALID] >= 5 && stops[LAM_TEST] >= 2);
    assert_same_model("split", "stopped");
    assert_lines("stopped", &cfg);
    assert_true(r.test_nll == whole.test_nll);
    remove_run("stopped");
    remove_run("split");
    lam_config_clear(&cfg);
}

/* Stopped after every k-th iteration, until there is nothing left to stop. */
static void stopping_does_not_matter(void **state)
{
    (void)state;
    lam_config cfg;
    configure(&cfg);
    for (size_t k = 1; k <= 11; k += 2) {
        lam_status status = LAM_ERR_INTERRUPTED;
        size_t done = 0, rounds = 0;
        while (status == LAM_ERR_INTERRUPTED) {
            watch w = { .stop_after = k };
            lam_fit_result r;
            lam_model *model;
            char folder[512];
            snprintf(folder, sizeof folder, "%s", scratch_path("stopped"));
            lam_fit_options options = { .run_dir = folder, .resume = 1, .progress = watching, .user = &w };
            assert_true(++rounds < 30);
            status = lam_fit(&cfg, data, &options, &model, &r);
            assert_non_null(model);
            lam_model_free(model);
            assert_true(w.calls == 0 || w.first == done + 1 || (w.first == ITERATIONS && done == ITERATIONS));
            assert_int_equal(r.finished, status == LAM_OK);
            assert_int_equal(r.train_counts.solves, 2 * r.iterations);
            done = r.iterations;
            /* at the closing validation k = 1 would stop for ever: the callback comes again each time */
            if (done == ITERATIONS && status == LAM_ERR_INTERRUPTED)
                status = fit_into("stopped", &cfg, (lam_fit_options) { .resume = 1 }, LAM_OK, NULL);
        }
        assert_same_model("whole", "stopped");
        assert_lines("stopped", &cfg);
        remove_run("stopped");
    }
    lam_config_clear(&cfg);
}

/* More iterations given later: as if they had been there from the start, though the short run ended with a validation. */
static void iterations_may_grow(void **state)
{
    (void)state;
    lam_config cfg;
    configure(&cfg);
    set(&cfg, "iterations", "12");
    fit_into("grown", &cfg, (lam_fit_options) { 0 }, LAM_OK, NULL);
    set(&cfg, "iterations", "23");
    set(&cfg, "threads", "2");
    fit_into("grown", &cfg, (lam_fit_options) { .resume = 1 }, LAM_OK, NULL);
    assert_same_model("whole", "grown");
    assert_lines("grown", &cfg);
    fit_into("grown", &cfg, (lam_fit_options) { .resume = 1 }, LAM_OK, NULL); /* once more changes nothing */
    assert_same_model("whole", "grown");
    assert_lines("grown", &cfg);
    set(&cfg, "iterations", "12");
    fit_into("grown", &cfg, (lam_fit_options) { .resume = 1 }, LAM_ERR_ARGUMENT, NULL);
    remove_run("grown");
    lam_config_clear(&cfg);
}

/* In double, with what else has a state or changes a step: trained times, swish, AdamW, clipping. */
/* A limit of time that the first iteration exceeds: one iteration, validated and tested as a whole run is. Resumed it has had
 * its time; without the limit it goes on as if there had never been one. */
static void time_runs_out(void **state)
{
    (void)state;
    static const char *const limits[] = { "budget", "max-processor-seconds" };
    for (size_t i = 0; i < 2; i++) {
        lam_config cfg;
        lam_fit_result r, one;
        configure(&cfg);
        set(&cfg, "iterations", "1");
        fit_into(NULL, &cfg, (lam_fit_options) { 0 }, LAM_OK, &one);
        set(&cfg, "iterations", "23");
        set(&cfg, limits[i], "1.0e-9");
        for (int resumed = 0; resumed < 2; resumed++) {
            fit_into("limited", &cfg, (lam_fit_options) { .resume = resumed }, LAM_OK, &r);
            assert_int_equal(r.iterations, 1);
            assert_int_equal(r.finished, 1);
            assert_true(r.best_val_nll == one.best_val_nll && r.test_nll == one.test_nll);
        }
        set(&cfg, limits[i], "0");
        fit_into("limited", &cfg, (lam_fit_options) { .resume = 1 }, LAM_OK, NULL);
        assert_same_model("whole", "limited");
        assert_lines("limited", &cfg);
        remove_run("limited");
        lam_config_clear(&cfg);
    }
}

static void double_resumes_as_well(void **state)
{
    (void)state;
    lam_config cfg;
    configure(&cfg);
    set(&cfg, "precision", "double");
    set(&cfg, "train-time", "true");
    set(&cfg, "nonlinearity", "swish");
    set(&cfg, "optimizer", "adamw");
    set(&cfg, "weight-decay", "0.01");
    set(&cfg, "clip", "0.5");
    set(&cfg, "iterations", "12");
    assert_stopping_does_not_matter(&cfg, 7);
    lam_config_clear(&cfg);
}

/* Beyond two columns validations estimate the trace, with the same noise each time; the test is exact all the same. */
static void three_columns(void **state)
{
    (void)state;
    lam_config cfg;
    lam_table *table;
    lam_fit_result r;
    lam_dataset *own = data;
    configure(&cfg);
    set(&cfg, "dims", "8");
    set(&cfg, "divergence", "gaussian");
    set(&cfg, "probes", "2");
    set(&cfg, "val-batch-size", "17");
    assert_int_equal(lam_table_create(300, 3, &table), LAM_OK);
    for (size_t i = 0; i < 300; i++) {
        double *x = table->values + 3 * i;
        lam_random_normal_row(5, LAM_DRAW_TEST, 0, i, x, 3);
        x[2] = x[0] * x[1] + 0.3 * x[2];
    }
    assert_int_equal(lam_dataset_build(&cfg, table, NULL, NULL, NULL, &data), LAM_OK);
    fit_into("straight", &cfg, (lam_fit_options) { 0 }, LAM_OK, &r);
    assert_int_equal(r.test_counts.solves, 4); /* 30 test rows by 17, 2 blocks */
    watch w = { .stop_after = 8 };
    fit_into("stopped", &cfg, (lam_fit_options) { .progress = watching, .user = &w }, LAM_ERR_INTERRUPTED, NULL);
    set(&cfg, "threads", "2");
    fit_into("stopped", &cfg, (lam_fit_options) { .resume = 1 }, LAM_OK, NULL);
    assert_same_model("straight", "stopped");
    assert_scored("straight", 17, r.test_nll);
    remove_run("straight");
    remove_run("stopped");
    lam_dataset_free(data);
    data = own;
    lam_table_free(table);
    lam_config_clear(&cfg);
}

/* Killed without warning, again and again, at moments that nobody chose. */
static void killing_does_not_matter(void **state)
{
    (void)state;
    lam_config cfg;
    configure(&cfg);
    kill_at_random("killed", &cfg, 25, 1000000);
    fit_into("killed", &cfg, (lam_fit_options) { .resume = 1 }, LAM_OK, NULL);
    assert_same_model("whole", "killed");
    assert_lines("killed", &cfg);
    remove_run("killed"); /* half-written temporary files are gone as well */
    lam_config_clear(&cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(stopping_does_not_matter),
        cmocka_unit_test(stopping_an_evaluation_does_not_matter),
        cmocka_unit_test(iterations_may_grow),
        cmocka_unit_test(time_runs_out),
        cmocka_unit_test(double_resumes_as_well),
        cmocka_unit_test(three_columns),
        cmocka_unit_test(killing_does_not_matter),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
