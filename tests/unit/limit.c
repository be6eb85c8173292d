/* Limits of time: validations and the test on samples, and what a limit that is never reached leaves alone. Limits here are so short
 * that nothing fits, or so long that everything does: no test depends on the machine's speed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "data/dataset.h"
#include "data/gaussian.h"
#include "laminar.h"
#include "model/defaults.h"
#include "train/evaluation.h"
#include "train/limit.h"
#include "train/turn.h"
#include "base/clock.h"
#include "fitting.h"
#include "laminar/experiment.h"

enum { LEAST = 64 }; /* rows of the smallest sample */

static void configure_more(lam_config *cfg)
{
    configure(cfg);
    set(cfg, "iterations", "4");
    set(cfg, "val-freq", "2");
    set(cfg, "val-batch-size", "64");
}

/* Mean of -log p and its standard error by the model of a run, on the first rows of a part's sample; rows 0: on all, in order. */
static void score_sample(const char *run, const lam_config *cfg, lam_part part, size_t rows, double *nll, double *se)
{
    lam_model *model;
    size_t all = data->rows[part], n = rows > 0 ? rows : all, *index = malloc(all * sizeof *index);
    double *x = malloc(n * 2 * sizeof *x), *logp = malloc(n * sizeof *logp), square = 0;
    assert_int_equal(lam_model_load(run_file(run, "model.safetensors"), NULL, &model), LAM_OK);
    assert_int_equal(lam_sample_order(cfg, part, all, NULL, index), LAM_OK);
    for (size_t i = 0; i < n; i++)
        memcpy(x + 2 * i, data->values[part] + 2 * (rows > 0 ? index[i] : i), 2 * sizeof *x);
    const lam_eval_options options = { .units = LAM_UNITS_STANDARDISED, .batch_rows = 64, .threads = 1 };
    assert_int_equal(lam_log_prob(model, &options, x, n, logp, NULL), LAM_OK);
    *nll = 0;
    for (size_t i = 0; i < n; i++)
        *nll -= logp[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        square += (-logp[i] - *nll) * (-logp[i] - *nll);
    *se = sqrt(square / (double)(n - 1) / (double)n);
    lam_model_free(model);
    free(index), free(x), free(logp);
}

/* A sample is rows of the part, each once, and not the first ones of the file. */
static void samples_are_permutations(void **state)
{
    (void)state;
    enum { N = 1000 };
    lam_config cfg;
    size_t index[2][N];
    unsigned char seen[N] = { 0 };
    double mean = 0;
    configure(&cfg);
    assert_int_equal(lam_sample_order(&cfg, LAM_VALID, N, NULL, index[0]), LAM_OK);
    assert_int_equal(lam_sample_order(&cfg, LAM_TEST, N, NULL, index[1]), LAM_OK);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(seen[index[0][i]]++, 0);
    for (size_t i = 0; i < 100; i++)
        mean += (double)index[0][i] / 100;
    assert_true(fabs(mean - 500) < 4 * 29); /* standard error of a hundred uniform draws */
    assert_memory_not_equal(index[0], index[1], sizeof index[0]);
    lam_config_clear(&cfg);
}

/* No time at all: one iteration, then the smallest samples, and what is told of them is right. Tolerance: test rows are solved in other
 * batches here than there, by steps of their own (atol 1e-5). */
static void no_time(void **state)
{
    (void)state;
    static const char *const limits[] = { "budget", "max-processor-seconds" };
    for (size_t i = 0; i < 2; i++) {
        lam_config cfg;
        lam_fit_result r;
        double nll, se;
        configure_more(&cfg);
        set(&cfg, limits[i], "1.0e-9");
        fit_into("limited", &cfg, (lam_fit_options) { 0 }, LAM_OK, &r);
        assert_int_equal(r.iterations, 1);
        assert_int_equal(r.finished, 1);
        assert_int_equal(r.test_rows, LEAST);
        assert_int_equal(r.best_val_rows, LEAST);
        score_sample("limited", &cfg, LAM_TEST, LEAST, &nll, &se);
        assert_true(fabs(r.test_nll - nll) < 1e-4 && fabs(r.test_nll_se - se) < 1e-4);
        score_sample("limited", &cfg, LAM_VALID, LEAST, &nll, &se);
        assert_true(fabs(r.best_val_nll - nll) < 1e-4 && fabs(r.best_val_nll_se - se) < 1e-4);
        /* the Gaussian beside it is scored on the same rows */
        size_t index[400];
        lam_gaussian_score score;
        assert_int_equal(lam_sample_order(&cfg, LAM_TEST, data->rows[LAM_TEST], NULL, index), LAM_OK);
        assert_int_equal(lam_gaussian_test(data, index, LEAST, 0, NULL, &score), LAM_OK);
        assert_true(r.gaussian_test_nll == score.nll && r.gaussian_test_nll_se == score.se);
        remove_run("limited");
        lam_config_clear(&cfg);
    }
}

/* Training begins after 5 of 1000 s, and its iterations take 0.1 s each, but the fiftieth 3 s. So after 50 of them 12.9 s are used up, at 0.158 s each. */
static double divided(lam_config *cfg, size_t more, size_t rows, uint64_t iterations, const lam_fit_options *options)
{
    const lam_target target = { .more = more, .train_rows = rows };
    lam_run run = { .cfg = cfg, .target = &target, .options = options, .now = 105, .started = 100, .first_used = 5 };
    lam_turn_divide_asked(&run);
    run.state.warm_seconds = 5;
    for (uint64_t i = 1; i <= iterations; i++) {
        run.now += i == 50 ? 3 : 0.1;
        run.state.iteration = i;
        lam_turn_divide(&run);
        lam_turn_in_time(&run);
    }
    return run.state.limit_share;
}

/* Of so many flows each of the later ones is expected to take 1.15 times as long. */
static double part(double flows)
{
    return 0.9 / (1 + 1.15 * (flows - 1));
}

static void a_long_limit_is_divided(void **state)
{
    (void)state;
    const lam_fit_options fresh = { 0 }, training = { .limit_training = 1 };
    lam_config cfg;
    lam_config_init(&cfg);
    set(&cfg, "budget", "1500");
    set(&cfg, "schedule", "cosine");
    cfg.iterations = LAM_UNENDING;
    cfg.batch_size = 100;
    cfg.flows_are_chosen = 1;
    /* a share of 0.419 leaves 615 s, enough for 50 + 0.85 615 / 0.158 = 3360 iterations, too few for 4000 */
    assert_true(divided(&cfg, 1, 1000, 60, &fresh) == 1);
    set(&cfg, "budget", "2000"); /* 825 s, 4487 iterations */
    assert_true(fabs(divided(&cfg, 1, 1000, 60, &fresh) - part(2)) < 1e-12);
    assert_true(fabs(divided(&cfg, 4, 1000, 60, &fresh) - part(2)) < 1e-12);
    assert_true(fabs(divided(&cfg, 4, 8500, 60, &fresh) - part(2)) < 1e-12); /* 50 times all rows are 4250 */
    assert_true(divided(&cfg, 4, 9500, 60, &fresh) == 1);                    /* and 4750 */
    set(&cfg, "given", "1");
    assert_true(fabs(divided(&cfg, 4, 1000, 60, &fresh) - part(5)) < 1e-12); /* 1500 iterations are enough: 0.161 leaves 309 s, 1712 iterations */
    set(&cfg, "given", "");
    assert_true(divided(&cfg, 0, 1000, 60, &fresh) == 0); /* there is one flow */
    assert_true(divided(&cfg, 4, 1000, 49, &fresh) == 0); /* the pace is not known yet */
    assert_true(divided(&cfg, 4, 1000, 60, &training) == 0);
    set(&cfg, "flows", "5"); /* whoever asks for five gets five, whatever the pace is */
    assert_true(fabs(divided(&cfg, 4, 100000, 0, &fresh) - part(5)) < 1e-12);
    assert_true(fabs(divided(&cfg, 4, 100000, 60, &fresh) - part(5)) < 1e-12);
    lam_config_clear(&cfg);
}

/* The share of the first flow: what is left to it ends there. */
static void a_share_is_a_limit(void **state)
{
    (void)state;
    const lam_fit_options options = { 0 };
    const lam_target target = { .more = 1 };
    lam_config cfg;
    lam_config_init(&cfg);
    set(&cfg, "budget", "1000");
    lam_run run = { .cfg = &cfg, .target = &target, .options = &options, .now = 110, .started = 100 };
    assert_true(lam_limit_left(&run) == 990);
    run.state.limit_share = 0.25;
    assert_true(lam_limit_left(&run) == 240);
    lam_config_clear(&cfg);
}

/* What was used before the call counts; what is compared by training's own time is validated and tested on all rows. */
static void what_counts(void **state)
{
    (void)state;
    lam_config cfg;
    lam_fit_result r;
    configure_more(&cfg);
    set(&cfg, "budget", "1000");
    fit_into(NULL, &cfg, (lam_fit_options) { .seconds = 1001 }, LAM_OK, &r);
    assert_int_equal(r.iterations, 1);
    assert_int_equal(r.test_rows, LEAST);
    assert_true(r.seconds > 1001 && r.seconds < 1100 && r.train_seconds < 100);
    fit_into(NULL, &cfg, (lam_fit_options) { .seconds = 1001, .limit_training = 1 }, LAM_OK, &r);
    assert_int_equal(r.iterations, 4);
    set(&cfg, "budget", "0");
    set(&cfg, "max-processor-seconds", "1000");
    fit_into(NULL, &cfg, (lam_fit_options) { .cpu_seconds = 1001 }, LAM_OK, &r);
    assert_int_equal(r.iterations, 1);
    assert_true(r.cpu_seconds > 1001 && r.seconds < 100);
    set(&cfg, "max-processor-seconds", "1.0e-9");
    fit_into(NULL, &cfg, (lam_fit_options) { .limit_training = 1 }, LAM_OK, &r);
    assert_int_equal(r.iterations, 1);
    assert_int_equal(r.test_rows, data->rows[LAM_TEST]);
    assert_int_equal(r.best_val_rows, data->rows[LAM_VALID]);
    lam_config_clear(&cfg);
}

/* A limit that is never near changes nothing, to the last bit; and standard errors are there without a limit too. */
static void time_enough(void **state)
{
    (void)state;
    lam_config cfg;
    lam_fit_result free_one, r;
    double nll, se;
    configure_more(&cfg);
    set(&cfg, "val-freq", "1000"); /* validations within the run may be samples: they get a quarter of training's own time */
    fit_into("free", &cfg, (lam_fit_options) { 0 }, LAM_OK, &free_one);
    score_sample("free", &cfg, LAM_TEST, 0, &nll, &se);
    assert_int_equal(free_one.test_rows, data->rows[LAM_TEST]);
    assert_true(fabs(free_one.test_nll - nll) < 1e-12 && fabs(free_one.test_nll_se - se) < 1e-12); /* the same batches, another sum */
    set(&cfg, "budget", "1e9");
    fit_into("limited", &cfg, (lam_fit_options) { 0 }, LAM_OK, &r);
    assert_true(r.test_nll == free_one.test_nll && r.test_nll_se == free_one.test_nll_se);
    assert_true(r.gaussian_test_nll == free_one.gaussian_test_nll && r.gaussian_rows == data->rows[LAM_TRAIN]);
    assert_true(r.best_val_nll == free_one.best_val_nll && r.best_val_rows == data->rows[LAM_VALID]);
    remove_run("free");
    remove_run("limited");
    lam_config_clear(&cfg);
}

/* Validations of one run are of the same rows, so that they can be compared: also of a run that goes on without its limit. */
static void the_sample_stays(void **state)
{
    (void)state;
    lam_config cfg;
    lam_fit_result r;
    lam_history h;
    double nll, se;
    configure_more(&cfg);
    set(&cfg, "val-freq", "1");
    set(&cfg, "budget", "1e-9");
    fit_into("limited", &cfg, (lam_fit_options) { 0 }, LAM_OK, &r);
    assert_int_equal(r.best_val_rows, LEAST);
    set(&cfg, "budget", "0");
    fit_into("limited", &cfg, (lam_fit_options) { .resume = 1 }, LAM_OK, &r);
    assert_int_equal(r.iterations, 4);
    assert_int_equal(r.best_val_rows, LEAST);
    assert_int_equal(r.test_rows, data->rows[LAM_TEST]);
    score_sample("limited", &cfg, LAM_VALID, LEAST, &nll, &se);
    assert_true(fabs(r.best_val_nll - nll) < 1e-4 && fabs(r.best_val_nll_se - se) < 1e-4);
    assert_int_equal(lam_history_read(run_file("limited", ""), &h), LAM_OK);
    assert_int_equal(h.n_validations, 4);
    lam_history_free(&h);
    remove_run("limited");
    lam_config_clear(&cfg);
}

/* What the clock chose under a cosine is in config.yaml, and without the limit it repeats the model file. */
static void choices_are_kept(void **state)
{
    (void)state;
    lam_config cfg, kept;
    lam_fit_result r, again;
    configure_more(&cfg);
    set(&cfg, "schedule", "cosine");
    set(&cfg, "optimizer", "muon");
    set(&cfg, "warm-start", "flow-matching:5");
    set(&cfg, "val-freq", "1");
    set(&cfg, "iterations", "8");
    set(&cfg, "budget", "1e9");
    fit_into("limited", &cfg, (lam_fit_options) { 0 }, LAM_OK, &r);
    lam_config_init(&kept);
    assert_int_equal(lam_config_load(&kept, run_file("limited", "config.yaml")), LAM_OK);
    assert_int_equal(kept.decay_from, 4); /* half of the iterations */
    assert_int_equal(kept.iterations, 8);
    assert_true(kept.max_seconds == 1e9 && kept.val_rows > 0);
    set(&kept, "budget", "0");
    fit_into("again", &kept, (lam_fit_options) { 0 }, LAM_OK, &again);
    assert_same_model("limited", "again");
    assert_true(again.best_val_nll == r.best_val_nll && again.best_val_rows == r.best_val_rows);
    /* the same call resumes what is finished, though it says nothing of these numbers */
    fit_into("limited", &cfg, (lam_fit_options) { .resume = 1 }, LAM_OK, NULL);
    assert_same_model("limited", "again");
    remove_run("limited"), remove_run("again");
    lam_config_clear(&kept), lam_config_clear(&cfg);
}

/* Time that is over after one iteration, whose rate was held: decay-to says where the way down would have ended. */
static void an_early_end_is_kept(void **state)
{
    (void)state;
    lam_config cfg, kept;
    lam_fit_result r;
    configure_more(&cfg);
    set(&cfg, "schedule", "cosine");
    set(&cfg, "iterations", "100");
    set(&cfg, "budget", "1e-9");
    fit_into("limited", &cfg, (lam_fit_options) { 0 }, LAM_OK, &r);
    assert_int_equal(r.iterations, 1);
    lam_config_init(&kept);
    assert_int_equal(lam_config_load(&kept, run_file("limited", "config.yaml")), LAM_OK);
    assert_int_equal(kept.iterations, 1);
    assert_int_equal(kept.decay_from, 1);
    assert_true(kept.decay_to > 1 && kept.val_rows == LEAST);
    set(&kept, "budget", "0");
    fit_into("again", &kept, (lam_fit_options) { 0 }, LAM_OK, NULL);
    assert_same_model("limited", "again");
    remove_run("limited"), remove_run("again");
    lam_config_clear(&kept), lam_config_clear(&cfg);
}

static int set_up_more(void **state)
{
    lam_config cfg;
    lam_table *table;
    if (scratch_open(state) != 0)
        return 1;
    configure(&cfg);
    assert_int_equal(lam_table_toy("pinwheel", 2000, 1, &table), LAM_OK);
    assert_int_equal(lam_dataset_build(&cfg, table, NULL, NULL, NULL, &data), LAM_OK);
    lam_table_free(table);
    lam_config_clear(&cfg);
    return 0;
}

static int tear_down_more(void **state)
{
    lam_dataset_free(data);
    return scratch_close(state);
}

/* The share of the time since `began` that a fit's clock shows at its first iteration. */
typedef struct shown {
    double began, share;
} shown;

static int look_at_clock(void *user, const lam_progress *p)
{
    shown *s = user;
    s->share = s->share > 0 ? s->share : p->seconds / (lam_clock() - s->began);
    return 0;
}

/* Column maps of many rows take longer than the first iteration, and the limits are of the whole fit. */
static void the_clock_starts_with_the_fit(void **state)
{
    (void)state;
    lam_config cfg;
    lam_table *table;
    lam_dataset *many;
    lam_model *model;
    shown s = { 0 };
    configure(&cfg);
    set(&cfg, "map", "normal-scores");
    set(&cfg, "iterations", "1");
    set(&cfg, "test-fraction", "0.0001");
    set(&cfg, "val-fraction", "0.0001");
    assert_int_equal(lam_table_toy("pinwheel", 150000, 1, &table), LAM_OK);
    assert_int_equal(lam_dataset_build(&cfg, table, NULL, NULL, NULL, &many), LAM_OK);
    lam_table_free(table);
    s.began = lam_clock();
    assert_int_equal(lam_fit(&cfg, many, &(lam_fit_options) { .progress = look_at_clock, .user = &s }, &model, NULL), LAM_OK);
    if (!(s.share > 0.5 && s.share < 1.5))
        fail_msg("the clock shows %g of the time", s.share);
    lam_model_free(model);
    lam_dataset_free(many);
    lam_config_clear(&cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_permutations),
        cmocka_unit_test(no_time),
        cmocka_unit_test(a_long_limit_is_divided),
        cmocka_unit_test(a_share_is_a_limit),
        cmocka_unit_test(what_counts),
        cmocka_unit_test(time_enough),
        cmocka_unit_test(the_sample_stays),
        cmocka_unit_test(choices_are_kept),
        cmocka_unit_test(an_early_end_is_kept),
        cmocka_unit_test(the_clock_starts_with_the_fit),
    };
    return cmocka_run_group_tests(tests, set_up_more, tear_down_more);
}
