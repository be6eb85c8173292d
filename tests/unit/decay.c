/* The weight decay of a density of few rows, chosen by the validation NLL of the fits that it would go on with (method.md 8): it is the best of
 * those tried, the model is the one that is fitted with it, and neither stops nor threads matter. */
#include "data/dataset.h"
#include "model/model.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "fitting.h"

enum { FLOWS = 3, LEVELS = 4 };
static const char *const levels[LEVELS] = { "0", "0.3", "1", "3" }; /* of a joint density; one of so few rows begins with 1 */

static void assert_ok(lam_status status)
{
    if (status != LAM_OK)
        fail_msg("%s: %s", lam_status_name(status), lam_last_error());
}

/* A thousand iterations, as a table of so few rows has by default, of a flow so small that they take no time. */
static void configure_small(lam_config *cfg)
{
    configure(cfg);
    set(cfg, "iterations", "auto");
    set(cfg, "flows", "3");
    set(cfg, "dims", "3");
    set(cfg, "blocks", "1");
    set(cfg, "tpr-coefficient", "0");
    set(cfg, "optimizer", "soap");
    set(cfg, "schedule", "cosine");
    set(cfg, "solver", "rk4");
    set(cfg, "steps", "1");
    set(cfg, "test-solver", "rk4");
    set(cfg, "test-steps", "1");
    set(cfg, "divergence", "exact");
    set(cfg, "batch-size", "20");
    set(cfg, "val-freq", "250");
}

/* What was tried, in this order. */
typedef struct tries {
    size_t calls, stop_after, n;
    double decay[16];
} tries;

static int note_tries(void *user, const lam_progress *p)
{
    tries *t = user;
    if (!isnan(p->weight_decay_tried) && (t->n == 0 || t->decay[t->n - 1] != p->weight_decay_tried)) {
        assert_true(t->n < 16);
        t->decay[t->n++] = p->weight_decay_tried;
    }
    return ++t->calls == t->stop_after;
}

static size_t level_of(double decay)
{
    size_t at = 0;
    while (at < LEVELS && strtod(levels[at], NULL) != decay)
        at++;
    assert_true(at < LEVELS);
    return at;
}

static double chosen_decay(const char *run)
{
    lam_config cfg;
    lam_config_init(&cfg);
    assert_ok(lam_config_load(&cfg, run_file(run, "config.yaml")));
    double decay = cfg.weight_decay;
    lam_config_clear(&cfg);
    return decay;
}

static void the_best_is_taken(void **state)
{
    (void)state;
    lam_config cfg;
    lam_fit_result chosen, r[LEVELS];
    tries t = { 0 };
    configure_small(&cfg);
    fit_into("chosen", &cfg, (lam_fit_options) { .progress = note_tries, .user = &t }, LAM_OK, &chosen);
    size_t best = level_of(chosen_decay("chosen"));
    assert_true(t.n >= 2 && t.decay[0] == 1 && t.decay[1] == 3);
    assert_int_equal(chosen.flows, FLOWS);
    set(&cfg, "iterations", "1000");
    for (size_t i = 0; i < LEVELS; i++) {
        tries none = { 0 };
        set(&cfg, "weight-decay", levels[i]);
        fit_into(i == best ? "same" : "other", &cfg, (lam_fit_options) { .progress = note_tries, .user = &none }, LAM_OK, &r[i]);
        assert_int_equal(none.n, 0);
        if (i != best)
            remove_flows("other");
    }
    assert_true(chosen.best_val_nll == r[best].best_val_nll && chosen.test_nll == r[best].test_nll);
    assert_true(best == 0 || r[best - 1].best_val_nll >= r[best].best_val_nll || t.decay[1] == 3);
    for (size_t i = 0; i < t.n; i++) /* of all that were tried it is the best */
        assert_true(r[level_of(t.decay[i])].best_val_nll >= r[best].best_val_nll);
    assert_same_model("chosen", "same");
    remove_flows("same");
    remove_flows("chosen");
    lam_config_clear(&cfg);
}

/* Without a folder too. */
static void in_memory(void **state)
{
    (void)state;
    lam_config cfg;
    lam_fit_result filed, r;
    lam_model *model, *read;
    configure_small(&cfg);
    set(&cfg, "flows", "2");
    fit_into("filed", &cfg, (lam_fit_options) { 0 }, LAM_OK, &filed);
    assert_ok(lam_model_load(run_file("filed", "model.safetensors"), NULL, &read));
    assert_ok(lam_fit(&cfg, data, NULL, &model, &r));
    assert_true(r.best_val_nll == filed.best_val_nll && r.test_nll == filed.test_nll && model->config.weight_decay == read->config.weight_decay);
    for (size_t k = 0; k < 2; k++)
        assert_memory_equal(lam_model_flow(model, k)->params, lam_model_flow(read, k)->params, model->layout.parameters * sizeof(double));
    lam_model_free(read);
    lam_model_free(model);
    remove_flows("filed");
    lam_config_clear(&cfg);
}

static void stops_do_not_matter(void **state)
{
    (void)state;
    lam_config cfg;
    lam_fit_result whole, r = { 0 };
    configure_small(&cfg);
    fit_into("straight", &cfg, (lam_fit_options) { 0 }, LAM_OK, &whole);
    set(&cfg, "threads", "2");
    lam_status status = LAM_ERR_INTERRUPTED;
    size_t rounds = 0;
    for (; status == LAM_ERR_INTERRUPTED; rounds++) {
        tries t = { .stop_after = 1300 };
        char folder[512];
        lam_model *so_far;
        snprintf(folder, sizeof folder, "%s", scratch_path("stopped"));
        const lam_fit_options options = { .run_dir = folder, .resume = 1, .progress = note_tries, .user = &t };
        assert_true(rounds < 30);
        status = lam_fit(&cfg, data, &options, &so_far, &r);
        if (status != LAM_OK && status != LAM_ERR_INTERRUPTED)
            fail_msg("%s", lam_last_error());
        assert_non_null(so_far);
        assert_true(r.finished == (status == LAM_OK));
        lam_model_free(so_far);
    }
    assert_true(rounds >= 6);
    assert_same_model("straight", "stopped");
    assert_true(r.test_nll == whole.test_nll && r.best_val_nll == whole.best_val_nll);
    assert_true(chosen_decay("straight") == chosen_decay("stopped"));
    /* a run that goes on after the choice does not choose anew, though it is told to choose */
    tries t = { 0 };
    fit_into("stopped", &cfg, (lam_fit_options) { .resume = 1, .progress = note_tries, .user = &t }, LAM_OK, &r);
    assert_int_equal(t.n, 0);
    assert_same_model("straight", "stopped");
    remove_flows("stopped");
    remove_flows("straight");
    lam_config_clear(&cfg);
}

/* A resume that is told nothing goes on with what the stopped run was asked for, though the decay is not chosen yet. */
static void a_stop_in_a_trial_keeps_what_was_asked(void **state)
{
    (void)state;
    lam_config cfg, kept;
    tries t = { .stop_after = 1500 }, rest = { 0 };
    configure_small(&cfg);
    set(&cfg, "seed", "5");
    fit_into("asked", &cfg, (lam_fit_options) { 0 }, LAM_OK, NULL);
    fit_into("kept", &cfg, (lam_fit_options) { .progress = note_tries, .user = &t }, LAM_ERR_INTERRUPTED, NULL);
    lam_config_init(&kept);
    assert_ok(lam_config_load(&kept, run_file("kept", "config.yaml")));
    fit_into("kept", &kept, (lam_fit_options) { .resume = 1, .progress = note_tries, .user = &rest }, LAM_OK, NULL);
    assert_true(rest.n >= 1);
    assert_same_model("asked", "kept");
    remove_flows("kept");
    remove_flows("asked");
    lam_config_clear(&kept);
    lam_config_clear(&cfg);
}

/* A finished run is nothing to one that begins anew there and is stopped in a trial, nor to its resumption. */
static void a_finished_run_is_not_taken_for_a_begun_one(void **state)
{
    (void)state;
    lam_config cfg;
    tries t = { .stop_after = 1500 };
    configure_small(&cfg);
    fit_into("twice", &cfg, (lam_fit_options) { 0 }, LAM_OK, NULL);
    set(&cfg, "seed", "5");
    fit_into("once", &cfg, (lam_fit_options) { 0 }, LAM_OK, NULL);
    fit_into("twice", &cfg, (lam_fit_options) { .progress = note_tries, .user = &t }, LAM_ERR_INTERRUPTED, NULL);
    assert_true(t.n > 0);
    fit_into("twice", &cfg, (lam_fit_options) { .resume = 1 }, LAM_OK, NULL);
    assert_same_model("once", "twice");
    remove_flows("twice");
    remove_flows("once");
    lam_config_clear(&cfg);
}

/* What a stopped run has tried is nothing to one that begins anew there, nor to one that goes on and tries nothing. */
static void beginning_anew_forgets(void **state)
{
    (void)state;
    lam_config cfg;
    tries t = { .stop_after = 1500 }, all = { 0 };
    configure_small(&cfg);
    fit_into("anew", &cfg, (lam_fit_options) { .progress = note_tries, .user = &t }, LAM_ERR_INTERRUPTED, NULL);
    assert_true(access(scratch_path("anew/decay-1/checkpoint.safetensors"), F_OK) == 0);
    set(&cfg, "seed", "5");
    fit_into("anew", &cfg, (lam_fit_options) { .progress = note_tries, .user = &all }, LAM_OK, NULL);
    fit_into("fresh", &cfg, (lam_fit_options) { 0 }, LAM_OK, NULL);
    assert_true(all.n >= 2);
    assert_same_model("fresh", "anew");
    remove_flows("anew");
    t = (tries) { .stop_after = 1500 };
    fit_into("anew", &cfg, (lam_fit_options) { .progress = note_tries, .user = &t }, LAM_ERR_INTERRUPTED, NULL);
    set(&cfg, "weight-decay", "0.5");
    fit_into("anew", &cfg, (lam_fit_options) { .resume = 1 }, LAM_OK, NULL);
    remove_flows("anew"); /* without trials */
    remove_flows("fresh");
    lam_config_clear(&cfg);
}

/* There is no choice where somebody has said what it is, or how many iterations there are, where rows are many or any columns are given, and for
 * optimisers whose decay is not decoupled. */
static void when_it_is_open(void **state)
{
    (void)state;
    static const struct { const char *name, *value; size_t rows; int open; } cases[] = { { "seed", "1", 400, 1 }, { "seed", "1", 2999, 1 },
        { "seed", "1", 3000, 0 }, { "weight-decay", "1", 400, 0 }, { "weight-decay", "auto", 400, 1 }, { "iterations", "1000", 400, 0 },
        { "decay-from", "100", 400, 0 }, { "any-given", "true", 400, 0 }, { "given", "1", 400, 1 }, { "optimizer", "adam", 400, 0 },
        { "optimizer", "adamax", 400, 0 }, { "optimizer", "adamw", 400, 1 }, { "optimizer", "muon", 400, 1 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lam_config cfg;
        lam_config_init(&cfg);
        set(&cfg, cases[i].name, cases[i].value);
        assert_ok(lam_config_resolve(&cfg, cases[i].rows, 4));
        if (cfg.decay_is_chosen != cases[i].open)
            fail_msg("case %zu", i);
        set(&cfg, "weight-decay", "0.7");
        assert_int_equal(cfg.decay_is_chosen, 0);
        lam_config_clear(&cfg);
    }
}

static void count_no_time(void *user, const char *line)
{
    *(int *)user += strstr(line, "there was no time to try other weight decays than 1") != NULL;
}

/* Without time for trials the decay is that of the table. */
static void a_limit_of_time_has_none(void **state)
{
    (void)state;
    lam_config cfg;
    lam_fit_result r;
    tries t = { 0 };
    configure_small(&cfg);
    set(&cfg, "max-processor-seconds", "1.0e-9");
    int said = 0;
    fit_into("short", &cfg, (lam_fit_options) { .progress = note_tries, .user = &t, .log = { count_no_time, &said } }, LAM_OK, &r);
    assert_int_equal(r.flows, 1);
    assert_true(t.n == 1 && t.decay[0] == 1 && chosen_decay("short") == 1);
    assert_int_equal(said, 1);
    remove_flows("short");
    lam_config_clear(&cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_is_taken),
        cmocka_unit_test(in_memory),
        cmocka_unit_test(stops_do_not_matter),
        cmocka_unit_test(a_stop_in_a_trial_keeps_what_was_asked),
        cmocka_unit_test(a_finished_run_is_not_taken_for_a_begun_one),
        cmocka_unit_test(beginning_anew_forgets),
        cmocka_unit_test(when_it_is_open),
        cmocka_unit_test(a_limit_of_time_has_none),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
