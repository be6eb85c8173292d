/* Whole fits on several ranks, which are threads here: the model file of one process, whatever a fit does on its way; and the same end on
 * every rank. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "rank_fits.h"

static void one_fit(void *arg, const lam_comm *comm)
{
    job *j = arg;
    lam_model *model = NULL;
    const lam_fit_options options = options_of(j, comm);
    end_job(j, lam_fit(&j->cfg, data, &options, &model, &j->result));
    j->model = model;
}

static void free_model(void *model)
{
    lam_model_free(model);
}

/* Settings are "name value name value ...". */
static void apply(lam_config *cfg, const char *settings)
{
    char text[512], *rest = text, *name;
    configure(cfg);
    snprintf(text, sizeof text, "%s", settings);
    while ((name = strtok_r(rest, " ", &rest)) != NULL)
        set(cfg, name, strtok_r(rest, " ", &rest));
}

static void fit_on(size_t size, const char *run, const char *settings, int resume, size_t stop_at)
{
    for (size_t k = 0; k < size; k++) {
        jobs[k] = job_of(run, resume, stop_at);
        apply(&jobs[k].cfg, settings);
    }
    run_jobs(size, one_fit, free_model);
}

/* The same end: the model, and the lines of metrics but for their seconds; or the same failure. */
static void same_models(const char *settings, lam_status end)
{
    fit_on(1, "alone", settings, 0, 0);
    assert_int_equal(jobs[0].status, end);
    const lam_fit_result alone = jobs[0].result;
    char error[600];
    snprintf(error, sizeof error, "%s", jobs[0].error);
    for (size_t size = 2; size <= 4; size += 2) {
        fit_on(size, "together", settings, 0, 0);
        assert_int_equal(jobs[0].status, end);
        assert_string_equal(jobs[0].error, error);
        assert_int_equal(jobs[0].result.iterations, alone.iterations);
        if (end == LAM_OK)
            assert_same_model("alone", "together");
        remove_run("together");
    }
    remove_run("alone");
}

static void every_way_of_training(void **state)
{
    (void)state;
    same_models("average true lr 0.15 schedule constant", LAM_OK);
    same_models("optimizer soap precision double", LAM_OK);
    same_models("optimizer muon warm-start flow-matching:9 warm-start-pairing minibatch", LAM_OK);
    same_models("step-control tile divergence gaussian", LAM_OK);
    same_models("gradient adjoint tpr false", LAM_OK);
    same_models("calls 12 kinetic-coefficient 0.1 jacobian-coefficient 0.1 map normal-scores", LAM_OK);
    same_models("early-stopping 1 rate-cuts 1 lr 0.3 iterations 60 val-rows 30", LAM_OK);
    same_models("train-time true end land-all", LAM_OK);
}

/* A rate that is far too high: back to the best model, twice, and the end. */
static void setbacks(void **state)
{
    (void)state;
    same_models("lr 1e6 schedule constant", LAM_ERR_SOLVER); /* nothing was validated that there were a way back to */
    same_models("lr 100 schedule cosine lr-warmup 200 decay-from 390 iterations 400 val-freq 2 blocks 1 max-steps 60 tpr false", LAM_OK);
    assert_true(jobs[0].result.iterations < 400); /* the third time ended it */
}

/* Stopped by rank 0, continued by another number of ranks. */
static void stopped(void **state)
{
    (void)state;
    fit_on(3, "parts", "", 0, 7);
    assert_int_equal(jobs[0].status, LAM_ERR_INTERRUPTED);
    assert_int_equal(jobs[0].result.iterations, 7);
    fit_on(2, "parts", "", 1, 14);
    assert_int_equal(jobs[0].result.iterations, 14);
    fit_on(1, "parts", "", 1, 0);
    assert_int_equal(jobs[0].status, LAM_OK);
    assert_same_model("whole", "parts");
    remove_run("parts");
}

/* Rank 0's clock decides; what it chose is in config.yaml, and repeats the fit by one process. */
static void by_the_clock(void **state)
{
    (void)state;
    lam_config cfg;
    fit_on(3, "timed", "budget 1.5 schedule cosine iterations auto val-freq auto dims 4", 0, 0);
    assert_int_equal(jobs[0].status, LAM_OK);
    assert_true(jobs[0].result.seconds < 6);
    lam_config_init(&cfg);
    assert_int_equal(lam_config_load(&cfg, run_file("timed", "config.yaml")), LAM_OK);
    set(&cfg, "budget", "0");
    jobs[0] = job_of("again", 0, 0);
    jobs[0].cfg = cfg;
    one_fit(&jobs[0], NULL);
    assert_string_equal(jobs[0].error, "");
    assert_same_model("timed", "again");
    lam_model_free(jobs[0].model);
    lam_config_clear(&jobs[0].cfg);
    remove_flows("timed");
    remove_flows("again");
}

/* One rank with another configuration; a folder that cannot be written. */
static void mistakes(void **state)
{
    (void)state;
    for (size_t k = 0; k < 3; k++) {
        jobs[k] = job_of("wrong", 0, 0);
        apply(&jobs[k].cfg, k == 2 ? "lr 0.5" : "lr 0.1");
    }
    team_run(&ours, 3, one_fit, jobs, sizeof *jobs);
    for (size_t k = 0; k < 3; k++) {
        assert_int_equal(jobs[k].status, LAM_ERR_ARGUMENT);
        assert_string_equal(jobs[k].error, "rank 2 has another configuration than rank 0; start all ranks with the same flags");
        lam_config_clear(&jobs[k].cfg);
    }
    scratch_text("taken", "a file");
    for (size_t k = 0; k < 3; k++) {
        jobs[k] = job_of("taken", 0, 0);
        apply(&jobs[k].cfg, "");
    }
    team_run(&ours, 3, one_fit, jobs, sizeof *jobs);
    for (size_t k = 0; k < 3; k++) {
        assert_int_equal(jobs[k].status, LAM_ERR_IO);
        assert_string_equal(jobs[k].error, jobs[0].error);
        lam_config_clear(&jobs[k].cfg);
    }
    rmdir(scratch_path("wrong"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_way_of_training), cmocka_unit_test(setbacks), cmocka_unit_test(stopped),
        cmocka_unit_test(by_the_clock), cmocka_unit_test(mistakes) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
