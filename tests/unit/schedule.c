/* When rates are cut and training stops; which rows an iteration sees; the lines of metrics.jsonl. */
#include "base/file.h"
#include "base/random.h"
#include "train/metrics.h"
#include "train/batches.h"
#include "train/schedule.h"
#include <setjmp.h>
#include <stdarg.h>
#include <math.h>
#include <cmocka.h>
#include <cjson/cJSON.h>
#include "scratch.h"
#include "model/config.h"

/* ---- the schedule --------------------------------------------------------------------------------------------------- */

static void cuts_and_stops(void **state)
{
    (void)state;
    lam_config cfg;
    lam_config_init(&cfg);
    cfg.schedule = LAM_SCHEDULE_CUTS;
    cfg.lr = 0.01;
    cfg.early_stopping = 3;
    cfg.rate_cuts = 2;
    lam_schedule s;
    lam_schedule_init(&s);
    assert_true(isnan(s.best));
    assert_true(lam_schedule_rate(&s, &cfg, 0) == 0.01);
    /* losses, whether each is a best one, cuts after it */
    const struct {
        double loss;
        int best;
        uint64_t cuts, stopped;
    } course[] = {
        { 5, 1, 0, 0 }, { 4, 1, 0, 0 }, { 4.5, 0, 0, 0 }, { 4, 0, 0, 0 }, /* equal is no improvement */
        { 3, 1, 0, 0 },                                                  /* which starts the count again */
        { 3, 0, 0, 0 }, { 9, 0, 0, 0 }, { 3.5, 0, 1, 0 },                /* the third in a row: first cut */
        { 3.1, 0, 1, 0 }, { 3.1, 0, 1, 0 }, { 2.5, 1, 1, 0 },            /* a cut does not touch the best */
        { 2.6, 0, 1, 0 }, { 2.6, 0, 1, 0 }, { 2.6, 0, 2, 0 },            /* second cut, the last */
        { -1, 1, 2, 0 }, { 0, 0, 2, 0 }, { 0, 0, 2, 0 }, { 0, 0, 2, 1 }, /* the end */
    };
    for (size_t i = 0; i < sizeof course / sizeof course[0]; i++) {
        assert_false(s.stopped);
        assert_int_equal(lam_schedule_validated(&s, &cfg, 0, course[i].loss, 1), course[i].best);
        assert_int_equal(s.cuts, course[i].cuts);
        assert_int_equal(s.stopped, course[i].stopped);
        assert_true(fabs(lam_schedule_rate(&s, &cfg, 0) / (0.01 * pow(10, -(double)s.cuts)) - 1) < 1e-15);
    }
    assert_true(s.best == -1);
    lam_config_clear(&cfg);
}

static void a_warm_up_loses_no_patience(void **state)
{
    (void)state;
    lam_config cfg;
    lam_config_init(&cfg);
    cfg.schedule = LAM_SCHEDULE_CUTS;
    cfg.early_stopping = 2;
    cfg.rate_cuts = 1;
    lam_schedule s;
    lam_schedule_init(&s);
    assert_true(lam_schedule_validated(&s, &cfg, 0, 1, 0));
    for (int i = 0; i < 10; i++)
        assert_false(lam_schedule_validated(&s, &cfg, 0, 2, 0));
    assert_int_equal(s.cuts, 0);
    assert_true(lam_schedule_validated(&s, &cfg, 0, 0.5, 0)); /* what is best counts all the same */
    assert_false(lam_schedule_validated(&s, &cfg, 0, 2, 1));
    assert_int_equal(s.cuts, 0);
    assert_false(lam_schedule_validated(&s, &cfg, 0, 2, 1));
    assert_int_equal(s.cuts, 1);
}

static void stops_at_once_without_cuts(void **state)
{
    (void)state;
    lam_config cfg;
    lam_config_init(&cfg);
    cfg.schedule = LAM_SCHEDULE_CUTS;
    cfg.early_stopping = 1;
    cfg.rate_cuts = 0;
    lam_schedule s;
    lam_schedule_init(&s);
    assert_true(lam_schedule_validated(&s, &cfg, 0, 1, 1));
    assert_false(s.stopped);
    assert_false(lam_schedule_validated(&s, &cfg, 0, 1, 1));
    assert_true(s.stopped);
    lam_config_clear(&cfg);
}

/* A cosine of so many iterations, none of them warm-up. */
static lam_config cosine(double lr, size_t iterations)
{
    lam_config cfg;
    lam_config_init(&cfg);
    cfg.schedule = LAM_SCHEDULE_COSINE;
    cfg.lr = lr;
    cfg.lr_warmup = 0;
    cfg.iterations = iterations;
    return cfg;
}

/* Half a cosine over 100 iterations after a warm-up of 10; p is the share of the way. */
static void cosine_goes_down(void **state)
{
    (void)state;
    lam_config cfg = cosine(0.02, 100);
    lam_schedule s;
    lam_schedule_init(&s);
    cfg.lr_warmup = 10;
    assert_true(fabs(lam_schedule_rate(&s, &cfg, 0) / 0.002 - 1) < 1e-15); /* a tenth of the rate, p = 0 */
    assert_true(fabs(lam_schedule_rate(&s, &cfg, 50) / 0.01 - 1) < 1e-14);
    assert_true(fabs(lam_schedule_rate(&s, &cfg, 75) / (0.01 * (1 - sqrt(0.5))) - 1) < 1e-14);
    assert_true(lam_schedule_rate(&s, &cfg, 99) > 0 && lam_schedule_rate(&s, &cfg, 100) < 1e-17);
    assert_false(lam_schedule_is_over(&s, &cfg, 99));
    assert_true(lam_schedule_is_over(&s, &cfg, 100));
    assert_true(fabs(lam_schedule_warm_rate(&s, &cfg, 4) / 0.01 - 1) < 1e-15); /* a start has the warm-up, and no way down */
    assert_true(lam_schedule_warm_rate(&s, &cfg, 90) == 0.02);
    cfg.decay_from = 60; /* holds, then p goes from 0 to 1 over the last 40 */
    assert_true(lam_schedule_rate(&s, &cfg, 60) == 0.02);
    assert_true(fabs(lam_schedule_rate(&s, &cfg, 80) / 0.01 - 1) < 1e-14);
    s.halvings = 2;
    assert_true(fabs(lam_schedule_rate(&s, &cfg, 80) / 0.0025 - 1) < 1e-14);
    s.halvings = 0;
    cfg.decay_to = 140; /* ended before the rate is down */
    assert_true(fabs(lam_schedule_rate(&s, &cfg, 100) / 0.01 - 1) < 1e-14);
    assert_true(lam_schedule_is_over(&s, &cfg, 100));
    lam_config_clear(&cfg);
}

/* Three validations without improvement at iteration 40, and still none at 60, past half of the way: the rest of it takes 15 iterations, and
 * the rate does not jump. */
static void a_plateau_shortens_the_way(void **state)
{
    (void)state;
    lam_config cfg = cosine(1, 100);
    lam_schedule s;
    lam_schedule_init(&s);
    cfg.early_stopping = 3;
    assert_true(lam_schedule_validated(&s, &cfg, 10, 5, 1));
    assert_false(lam_schedule_validated(&s, &cfg, 20, 6, 1));
    assert_false(lam_schedule_validated(&s, &cfg, 30, 6, 1));
    for (uint64_t i = 40; i < 50; i++)
        assert_false(lam_schedule_validated(&s, &cfg, i, 6, 1));
    assert_int_equal(s.turns, 0);
    double before = lam_schedule_rate(&s, &cfg, 60);
    assert_false(lam_schedule_validated(&s, &cfg, 60, 6, 1));
    assert_true(fabs(lam_schedule_rate(&s, &cfg, 60) / before - 1) < 1e-14);
    assert_int_equal(s.end, 75);
    /* p was 0.6 and is 0.8 at iteration 67.5, half-way through the rest */
    assert_true(fabs(lam_schedule_rate(&s, &cfg, 66) - (1 + cos((0.6 + 0.4 * 6 / 15) * 3.14159265358979323846)) / 2) < 1e-14);
    assert_true(lam_schedule_is_over(&s, &cfg, 75));
    /* once is enough: a second plateau changes nothing */
    for (int i = 0; i < 6; i++)
        assert_false(lam_schedule_validated(&s, &cfg, 70, 6, 1));
    assert_int_equal(s.end, 75);
    lam_config_clear(&cfg);
}

/* Under a limit of time the rate is held until the clock turns it; what it turned to is a state, so no clock is read again. */
static void a_clock_turns_the_rate(void **state)
{
    (void)state;
    lam_config cfg = cosine(1, 1000);
    lam_schedule s;
    lam_schedule_init(&s);
    cfg.lr_warmup = 80;
    cfg.max_seconds = 60;
    assert_true(lam_schedule_holds(&s, &cfg));
    double early = lam_schedule_rate(&s, &cfg, 7);
    assert_true(fabs(early - 0.1) < 1e-15);
    assert_true(lam_schedule_rate(&s, &cfg, 900) == 1);
    lam_schedule_turn(&s, &cfg, 300, 200);
    assert_false(lam_schedule_holds(&s, &cfg));
    assert_true(lam_schedule_rate(&s, &cfg, 300) == 1);
    assert_true(fabs(lam_schedule_rate(&s, &cfg, 400) - 0.5) < 1e-15);
    assert_false(lam_schedule_is_over(&s, &cfg, 499));
    assert_true(lam_schedule_is_over(&s, &cfg, 500));
    /* the same rates without a clock: decay-from and iterations as the turn had them, the warm-up however few these are */
    lam_schedule again;
    lam_schedule_init(&again);
    cfg.max_seconds = 0;
    cfg.decay_from = 300;
    cfg.iterations = 500;
    for (uint64_t i = 0; i <= 500; i++)
        assert_true(lam_schedule_rate(&again, &cfg, i) == lam_schedule_rate(&s, &cfg, i));
    assert_true(lam_schedule_rate(&again, &cfg, 7) == early);
    lam_config_clear(&cfg);
}

/* A plateau under a limit of time begins the way down, which takes as many iterations as were done. */
static void a_plateau_turns_a_held_rate(void **state)
{
    (void)state;
    lam_config cfg = cosine(1, 1000);
    lam_schedule s;
    lam_schedule_init(&s);
    cfg.max_seconds = 60;
    cfg.early_stopping = 2;
    assert_true(lam_schedule_validated(&s, &cfg, 100, 5, 1));
    assert_false(lam_schedule_validated(&s, &cfg, 150, 6, 1));
    assert_true(lam_schedule_holds(&s, &cfg));
    assert_false(lam_schedule_validated(&s, &cfg, 200, 6, 1));
    assert_false(lam_schedule_holds(&s, &cfg));
    assert_int_equal(s.turn_at, 200);
    assert_int_equal(s.end, 400);
    assert_true(lam_schedule_rate(&s, &cfg, 200) == 1);
    assert_true(fabs(lam_schedule_rate(&s, &cfg, 300) - 0.5) < 1e-15);
    lam_config_clear(&cfg);
}

/* A timed fit that is repeated by its numbers counts failed validations as the clock's fit did, in the first half of the iterations too. */
static void a_repeat_counts_alike(void **state)
{
    (void)state;
    lam_config timed = cosine(1, LAM_UNENDING), repeat = cosine(1, 400);
    lam_schedule clock, numbers;
    lam_schedule_init(&clock);
    lam_schedule_init(&numbers);
    timed.max_seconds = 60;
    timed.early_stopping = repeat.early_stopping = 2;
    repeat.decay_from = 100; /* where the clock let the rate fall */
    for (uint64_t at = 20; at <= 400; at += 20) {
        double loss = at == 60 ? 5 : 6;
        if (at == 120)
            lam_schedule_turn(&clock, &timed, 100, 300);
        assert_int_equal(lam_schedule_validated(&clock, &timed, at, loss, at > 80), lam_schedule_validated(&numbers, &repeat, at, loss, at > 80));
        assert_int_equal(clock.waited, numbers.waited);
        assert_int_equal(clock.worse_from, at < 60 ? 20 : 60);
        assert_int_equal(numbers.worse_from, clock.worse_from);
    }
    /* one that is said holds a plateau back too: the rate falls from there on, and training goes on to its end */
    lam_schedule_init(&numbers);
    repeat.decay_from = 200;
    for (uint64_t at = 20; at <= 400; at += 20)
        (void)lam_schedule_validated(&numbers, &repeat, at, at == 20 ? 5 : 6, 1);
    assert_int_equal(numbers.turns, 0);
    assert_false(lam_schedule_is_over(&numbers, &repeat, 399));
    lam_config_clear(&timed);
    lam_config_clear(&repeat);
}

/* ---- batches -------------------------------------------------------------------------------------------------------- */

/* 10 rows by 3: every epoch shows nine different rows, a tenth left out; its order is that of the counted permutation. */
static void batches_walk_through_epochs(void **state)
{
    (void)state;
    lam_batches b;
    assert_int_equal(lam_batches_create(&b, 7, 10, 3), LAM_OK);
    assert_int_equal(b.size, 3);
    for (uint64_t epoch = 0; epoch < 4; epoch++) {
        uint64_t order[10];
        lam_random_permutation(7, LAM_DRAW_BATCH, epoch, order, 10);
        for (uint64_t k = 0; k < 3; k++) {
            const size_t *index = lam_batches_at(&b, 3 * epoch + k + 1);
            for (size_t i = 0; i < 3; i++)
                assert_int_equal(index[i], order[3 * k + i]);
        }
    }
    lam_batches_clear(&b);
}

/* Iterations asked for in any order give the rows that they give in order: nothing but the number counts. */
static void batches_have_no_memory(void **state)
{
    (void)state;
    lam_batches forward, jumping;
    size_t seen[12][4];
    assert_int_equal(lam_batches_create(&forward, 1, 13, 4), LAM_OK);
    assert_int_equal(lam_batches_create(&jumping, 1, 13, 4), LAM_OK);
    for (uint64_t i = 0; i < 12; i++)
        memcpy(seen[i], lam_batches_at(&forward, i + 1), sizeof seen[i]);
    for (uint64_t i = 0; i < 12; i++) {
        uint64_t at = i * 5 % 12;
        assert_memory_equal(lam_batches_at(&jumping, at + 1), seen[at], sizeof seen[at]);
    }
    lam_batches_clear(&forward);
    lam_batches_clear(&jumping);
}

static void small_sets_are_one_batch(void **state)
{
    (void)state;
    lam_batches b;
    assert_int_equal(lam_batches_create(&b, 1, 5, 1000), LAM_OK);
    assert_int_equal(b.size, 5);
    for (uint64_t iteration = 1; iteration < 5; iteration++) {
        const size_t *index = lam_batches_at(&b, iteration);
        unsigned seen = 0;
        for (size_t i = 0; i < 5; i++)
            seen |= 1u << index[i];
        assert_int_equal(seen, 31);
    }
    lam_batches_clear(&b);
}

/* ---- lines ---------------------------------------------------------------------------------------------------------- */

static void write_line(lam_metrics *m, uint64_t iteration, double loss)
{
    lam_metrics_begin(m, "train");
    lam_metrics_whole(m, "iteration", iteration);
    lam_metrics_number(m, "loss", loss);
    lam_metrics_truth(m, "finished", iteration == 2);
    assert_int_equal(lam_metrics_end(m), LAM_OK);
}

static void assert_file(const char *path, const char *text)
{
    char *found;
    size_t size;
    assert_int_equal(lam_file_read(path, &found, &size), LAM_OK);
    assert_string_equal(found, text);
    free(found);
}

static void lines_are_json(void **state)
{
    (void)state;
    lam_metrics m;
    const char *path = scratch_path("lines.jsonl");
    assert_int_equal(lam_metrics_open(&m, path, 0), LAM_OK);
    write_line(&m, 1, 0.5);
    /* flushed as written: a reader sees the line while the run goes on */
    assert_file(path, "{\"type\":\"train\",\"iteration\":1,\"loss\":0.5,\"finished\":false}\n");
    write_line(&m, UINT64_MAX, NAN);
    write_line(&m, 2, 1e-300);
    lam_metrics_close(&m);
    char *text;
    size_t size;
    assert_int_equal(lam_file_read(path, &text, &size), LAM_OK);
    char *second = strchr(text, '\n') + 1, *third = strchr(second, '\n') + 1;
    cJSON *line = cJSON_Parse(second);
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(line, "loss"))); /* JSON has no NaN */
    cJSON_Delete(line);
    line = cJSON_Parse(third);
    assert_true(cJSON_GetObjectItem(line, "loss")->valuedouble == 1e-300);
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(line, "finished")));
    cJSON_Delete(line);
    free(text);
}

static void lines_are_cut_back(void **state)
{
    (void)state;
    const char *one = "{\"type\":\"train\",\"iteration\":1,\"loss\":1,\"finished\":false}\n";
    lam_metrics m;
    uint64_t length;
    const char *path = scratch_path("cut.jsonl");
    assert_int_equal(lam_metrics_open(&m, path, 0), LAM_OK);
    write_line(&m, 1, 1);
    assert_int_equal(lam_metrics_sync(&m, &length), LAM_OK);
    assert_int_equal(length, strlen(one));
    write_line(&m, 2, 1); /* after the checkpoint */
    lam_metrics_close(&m);
    assert_int_equal(lam_metrics_open(&m, path, length), LAM_OK);
    write_line(&m, 3, 1);
    lam_metrics_close(&m);
    char both[256];
    snprintf(both, sizeof both, "%s{\"type\":\"train\",\"iteration\":3,\"loss\":1,\"finished\":false}\n", one);
    assert_file(path, both);
    /* a file shorter than the checkpoint remembers, its last line torn: what is whole stays */
    assert_int_equal(truncate(path, (off_t)strlen(both) - 4), 0);
    assert_int_equal(lam_metrics_open(&m, path, 1000), LAM_OK);
    lam_metrics_close(&m);
    assert_file(path, one);
    /* a file that is gone is begun again */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(lam_metrics_open(&m, path, 1000), LAM_OK);
    write_line(&m, 1, 1);
    lam_metrics_close(&m);
    assert_file(path, one);
    assert_int_equal(lam_metrics_open(&m, path, 0), LAM_OK); /* 0: anew */
    lam_metrics_close(&m);
    assert_file(path, "");
}

static void lines_to_nowhere(void **state)
{
    (void)state;
    lam_metrics m = { 0 };
    uint64_t length = 1;
    write_line(&m, 1, 1);
    assert_int_equal(lam_metrics_sync(&m, &length), LAM_OK);
    assert_int_equal(length, 0);
    lam_metrics_close(&m);
    assert_int_equal(lam_metrics_open(&m, scratch_path("no/such/folder"), 0), LAM_ERR_IO);
    assert_int_equal(lam_metrics_open(&m, "/dev/full", 0), LAM_OK);
    lam_metrics_begin(&m, "train");
    assert_int_equal(lam_metrics_end(&m), LAM_ERR_IO);
    assert_non_null(strstr(lam_last_error(), "/dev/full"));
    lam_metrics_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_and_stops),
        cmocka_unit_test(a_warm_up_loses_no_patience),
        cmocka_unit_test(stops_at_once_without_cuts),
        cmocka_unit_test(cosine_goes_down),
        cmocka_unit_test(a_plateau_shortens_the_way),
        cmocka_unit_test(a_clock_turns_the_rate),
        cmocka_unit_test(a_plateau_turns_a_held_rate),
        cmocka_unit_test(a_repeat_counts_alike),
        cmocka_unit_test(batches_walk_through_epochs),
        cmocka_unit_test(batches_have_no_memory),
        cmocka_unit_test(small_sets_are_one_batch),
        cmocka_unit_test(lines_are_json),
        cmocka_unit_test(lines_are_cut_back),
        cmocka_unit_test(lines_to_nowhere),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
