/* With average: the moving average of the weights is validated beside them, kept where it is better, and changes nothing else. */
#include "model/safetensors.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "fitting.h"

/* A rate at which the weights jump about, so that their average is better. */
static void configure_noisy(lam_config *cfg)
{
    configure(cfg);
    set(cfg, "schedule", "constant");
    set(cfg, "lr", "0.15");
    set(cfg, "batch-size", "30");
    set(cfg, "iterations", "40");
    set(cfg, "val-freq", "10");
    set(cfg, "average", "true");
}

/* 1: two tensors of one checkpoint, or of two, are the same numbers. */
static int same_tensors(const char *run, const char *name, const char *other_run, const char *other)
{
    lam_st_file files[2];
    char path[512];
    snprintf(path, sizeof path, "%s", run_file(run, "checkpoint.safetensors"));
    assert_int_equal(lam_st_read(path, &files[0]), LAM_OK);
    assert_int_equal(lam_st_read(run_file(other_run, "checkpoint.safetensors"), &files[1]), LAM_OK);
    const lam_st_tensor *a = lam_st_find(&files[0], name), *b = lam_st_find(&files[1], other);
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(lam_st_count(a), lam_st_count(b));
    int same = memcmp(a->data, b->data, lam_st_count(a) * lam_st_width(a->dtype)) == 0;
    lam_st_free(&files[0]);
    lam_st_free(&files[1]);
    return same;
}

static void the_better_one_is_kept(void **state)
{
    (void)state;
    lam_config cfg;
    lam_fit_result with, without;
    configure_noisy(&cfg);
    fit_into("with", &cfg, (lam_fit_options) { 0 }, LAM_OK, &with);
    set(&cfg, "average", "false");
    fit_into("without", &cfg, (lam_fit_options) { 0 }, LAM_OK, &without);
    assert_int_equal(with.best_iteration, 40);
    assert_true(with.best_val_nll < without.best_val_nll - 0.01);
    assert_true(same_tensors("with", "params", "without", "params")); /* training does not see it */
    assert_true(same_tensors("with", "best_params", "with", "average"));
    assert_false(same_tensors("with", "best_params", "with", "params"));
    remove_run("with");
    remove_run("without");
    lam_config_clear(&cfg);
}

static void stopping_does_not_matter(void **state)
{
    (void)state;
    lam_config cfg;
    configure_noisy(&cfg);
    assert_stopping_does_not_matter(&cfg, 17);
    lam_config_clear(&cfg);
}

/* The defaults' optimiser and schedule, stopped within the way down. */
static void muon_and_cosine_resume(void **state)
{
    (void)state;
    lam_config cfg;
    configure(&cfg);
    set(&cfg, "optimizer", "muon");
    set(&cfg, "schedule", "cosine");
    fit_into("straight", &cfg, (lam_fit_options) { 0 }, LAM_OK, NULL);
    watch w = { .stop_after = 13 };
    fit_into("stopped", &cfg, (lam_fit_options) { .progress = watching, .user = &w }, LAM_ERR_INTERRUPTED, NULL);
    fit_into("stopped", &cfg, (lam_fit_options) { .resume = 1 }, LAM_OK, NULL);
    assert_same_model("straight", "stopped");
    remove_run("straight");
    remove_run("stopped");
    lam_config_clear(&cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_better_one_is_kept),
        cmocka_unit_test(stopping_does_not_matter),
        cmocka_unit_test(muon_and_cosine_resume),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
