/* Fitting: the loss falls and what is told of it is so; what does not belong to a run is refused; a failed save takes nothing
 * away. */
#include "model/safetensors.h"
#include <setjmp.h>
#include <stdarg.h>
#include <math.h>
#include <cmocka.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include "fitting.h"

/* ---- what comes out ------------------------------------------------------------------------------------------------- */

static void loss_falls(void **state)
{
    (void)state;
    lam_config cfg;
    lam_fit_result r;
    watch w = { 0 };
    configure(&cfg);
    set(&cfg, "iterations", "60");
    set(&cfg, "val-freq", "20");
    fit_into(NULL, &cfg, (lam_fit_options) { .progress = watching, .user = &w }, LAM_OK, &r);
    assert_int_equal(w.calls, 60);
    assert_int_equal(w.validations, 3);
    double early = 0, late = 0;
    for (size_t i = 1; i <= 10; i++) {
        early += w.loss[i] / 10;
        late += w.loss[50 + i - 1] / 10;
    }
    /* a standard normal's NLL in two dimensions is 2.84; 60 steps at this rate are well on the way to the pinwheel */
    assert_true(late < early - 0.1);
    assert_true(r.test_nll < r.gaussian_test_nll);
    assert_true(fabs(r.gaussian_test_nll - 2.84) < 0.3); /* 40 test rows of variance 1 */
    /* the pinwheel's arms are no Gaussian; few rows, so few components */
    assert_true(r.mixture_components >= 2 && r.mixture_rows == 324 && r.mixture_test_nll < r.gaussian_test_nll);
    assert_true(r.best_val_nll <= w.val_nll);
    assert_int_equal(r.iterations, 60);
    assert_true(r.finished);
    assert_int_equal(r.train_counts.solves, 120);
    assert_true(r.train_counts.backward > 0 && r.test_counts.forward > 0);
    assert_true(r.seconds >= r.train_seconds && r.train_seconds > 0);
    lam_config_clear(&cfg);
}

static void test_nll_is_what_scoring_finds(void **state)
{
    (void)state;
    lam_config cfg;
    lam_fit_result r;
    configure(&cfg);
    fit_into("scored", &cfg, (lam_fit_options) { 0 }, LAM_OK, &r);
    assert_scored("scored", 0, r.test_nll);
    remove_run("scored");
    lam_config_clear(&cfg);
}

/* The closing validation: with fewer iterations than val-freq there is one all the same, and the callback hears of it. */
static void validates_at_the_end(void **state)
{
    (void)state;
    lam_config cfg;
    lam_fit_result r;
    watch w = { 0 };
    configure(&cfg);
    set(&cfg, "iterations", "3");
    fit_into(NULL, &cfg, (lam_fit_options) { .progress = watching, .user = &w }, LAM_OK, &r);
    assert_int_equal(w.calls, 4);
    assert_int_equal(w.validations, 1);
    assert_int_equal(r.best_iteration, 3);
    assert_true(r.best_val_nll == w.val_nll);
    lam_config_clear(&cfg);
}

/* A rate of nothing and a first step by probe make every validation the same to the bit: best at the first, one cut after two
 * more, the end after two more. */
static void stops_early(void **state)
{
    (void)state;
    lam_config cfg;
    lam_fit_result r;
    configure(&cfg);
    set(&cfg, "lr", "1e-30");
    set(&cfg, "first-step", "probe");
    set(&cfg, "val-freq", "2");
    set(&cfg, "early-stopping", "2");
    set(&cfg, "rate-cuts", "1");
    fit_into(NULL, &cfg, (lam_fit_options) { 0 }, LAM_OK, &r);
    assert_int_equal(r.iterations, 10);
    assert_int_equal(r.best_iteration, 2);
    lam_config_clear(&cfg);
}

static void starts_from_a_model(void **state)
{
    (void)state;
    lam_config cfg;
    lam_fit_result first, second;
    lam_model *model, *again;
    configure(&cfg);
    assert_int_equal(lam_fit(&cfg, data, NULL, &model, &first), LAM_OK);
    set(&cfg, "iterations", "1");
    set(&cfg, "lr", "1e-30");
    set(&cfg, "seed", "9");
    lam_fit_options options = { .init = model };
    assert_int_equal(lam_fit(&cfg, data, &options, &again, &second), LAM_OK);
    assert_true(fabs(first.test_nll - second.test_nll) < 1e-3); /* the same weights, other first steps: tolerance 1e-5 */
    lam_model_free(again);
    set(&cfg, "dims", "8-9");
    assert_int_equal(lam_fit(&cfg, data, &options, &again, NULL), LAM_ERR_SHAPE);
    assert_null(again);
    lam_model_free(model);
    lam_config_clear(&cfg);
}

/* ---- what is refused, what is kept ---------------------------------------------------------------------------------- */

static void other_runs_are_refused(void **state)
{
    (void)state;
    static const char *const changes[][2] = { { "lr", "0.02" }, { "dims", "8-9" }, { "tpr-coefficient", "4" },
        { "seed", "3" }, { "batch-size", "91" }, { "drop", "z" }, { "precision", "double" }, { "first-step", "0.25" } };
    lam_config cfg;
    const lam_fit_options resume = { .resume = 1 };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        configure(&cfg);
        set(&cfg, changes[i][0], changes[i][1]);
        fit_into("whole", &cfg, resume, LAM_ERR_ARGUMENT, NULL);
        assert_error_names(changes[i][0]);
        assert_error_names(changes[i][1]);
        lam_config_clear(&cfg);
    }
    lam_dataset *own = data;
    data = make_data(2);
    configure(&cfg);
    fit_into("whole", &cfg, resume, LAM_ERR_DATA, NULL);
    assert_error_names("other data");
    lam_dataset_free(data);
    data = own;
    /* after all of which the run is as it was */
    fit_into("whole", &cfg, resume, LAM_OK, NULL);
    assert_lines("whole", &cfg);
    lam_config_clear(&cfg);
}

static void damaged_checkpoints_are_refused(void **state)
{
    (void)state;
    lam_config cfg;
    char *text;
    size_t size;
    configure(&cfg);
    fit_into("damaged", &cfg, (lam_fit_options) { 0 }, LAM_OK, NULL);
    const char *path = run_file("damaged", "checkpoint.safetensors");
    assert_int_equal(lam_file_read(path, &text, &size), LAM_OK);
    free(text);
    assert_int_equal(truncate(path, (off_t)size - 8), 0);
    fit_into("damaged", &cfg, (lam_fit_options) { .resume = 1 }, LAM_ERR_FORMAT, NULL);
    assert_error_names("checkpoint.safetensors");
    lam_st_pair meta = { "laminar_checkpoint", "999" };
    assert_int_equal(lam_st_write(run_file("damaged", "checkpoint.safetensors"), NULL, 0, &meta, 1), LAM_OK);
    fit_into("damaged", &cfg, (lam_fit_options) { .resume = 1 }, LAM_ERR_FORMAT, NULL);
    /* without resume it does not matter what lies there */
    fit_into("damaged", &cfg, (lam_fit_options) { 0 }, LAM_OK, NULL);
    assert_same_model("whole", "damaged");
    remove_run("damaged");
    lam_config_clear(&cfg);
}

static void a_full_disk_takes_nothing_away(void **state)
{
    (void)state;
    lam_config cfg;
    struct rlimit before, limit;
    configure(&cfg);
    fit_into("full", &cfg, (lam_fit_options) { 0 }, LAM_OK, NULL);
    set(&cfg, "seed", "4");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    struct stat config;
    assert_int_equal(stat(run_file("full", "config.yaml"), &config), 0);
    limit.rlim_cur = (rlim_t)config.st_size + 100; /* config.yaml fits; the model and the checkpoint, which hold it, do not */
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    fit_into("full", &cfg, (lam_fit_options) { 0 }, LAM_ERR_IO, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_error_names("model.safetensors");
    assert_same_model("whole", "full"); /* the old one */
    fit_into("full", &cfg, (lam_fit_options) { .resume = 1 }, LAM_OK, NULL);
    remove_run("full");
    lam_config_clear(&cfg);
}

/* An iteration that fails is named; the state before it is kept, so that the same thing happens again. */
static void failures_are_told(void **state)
{
    (void)state;
    lam_config cfg;
    char first[600];
    configure(&cfg);
    set(&cfg, "max-steps", "1");
    set(&cfg, "first-step", "probe");
    fit_into("failed", &cfg, (lam_fit_options) { 0 }, LAM_ERR_SOLVER, NULL);
    assert_error_names("iteration 3 of 23"); /* the third time */
    assert_error_names("block 1");
    remove_run("failed");
    lam_config_clear(&cfg);
    configure(&cfg);
    set(&cfg, "lr", "30");
    set(&cfg, "val-freq", "1000");
    set(&cfg, "max-steps", "40");
    char folder[512];
    lam_model *model;
    snprintf(folder, sizeof folder, "%s", scratch_path("failed"));
    lam_fit_options options = { .run_dir = folder };
    lam_status status = lam_fit(&cfg, data, &options, &model, NULL);
    assert_true(status == LAM_ERR_SOLVER || status == LAM_ERR_DIVERGED); /* weights of size 30 and more: one or the other */
    assert_null(model);
    snprintf(first, sizeof first, "%s", lam_last_error());
    assert_error_names(" of 23: ");
    assert_null(strstr(first, "iteration 1 of")); /* the first step was from good weights */
    options.resume = 1;
    assert_int_equal(lam_fit(&cfg, data, &options, &model, NULL), status);
    assert_string_equal(lam_last_error(), first);
    remove_run("failed");
    lam_config_clear(&cfg);
}

static void bad_calls_are_refused(void **state)
{
    (void)state;
    lam_config cfg;
    lam_model *model;
    configure(&cfg);
    assert_int_equal(lam_fit(NULL, data, NULL, &model, NULL), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_fit(&cfg, NULL, NULL, &model, NULL), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_fit(&cfg, data, NULL, NULL, NULL), LAM_ERR_ARGUMENT);
    cfg.blocks = 100000;
    assert_int_equal(lam_fit(&cfg, data, NULL, &model, NULL), LAM_ERR_ARGUMENT);
    assert_null(model);
    cfg.blocks = 1;
    lam_fit_options options = { .run_dir = scratch_text("file", "in the way") };
    assert_int_equal(lam_fit(&cfg, data, &options, &model, NULL), LAM_ERR_IO);
    lam_config_clear(&cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_falls),
        cmocka_unit_test(test_nll_is_what_scoring_finds),
        cmocka_unit_test(validates_at_the_end),
        cmocka_unit_test(stops_early),
        cmocka_unit_test(starts_from_a_model),
        cmocka_unit_test(other_runs_are_refused),
        cmocka_unit_test(damaged_checkpoints_are_refused),
        cmocka_unit_test(a_full_disk_takes_nothing_away),
        cmocka_unit_test(failures_are_told),
        cmocka_unit_test(bad_calls_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
