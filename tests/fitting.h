/* For the tests of fitting: a small problem, runs in the scratch folder, and what is asked of them. Include after cmocka.h. */
#ifndef LAM_TESTS_FITTING_H
#define LAM_TESTS_FITTING_H
#include "base/file.h"
#include <math.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include "scratch.h"
#include "model/config.h"

enum { ITERATIONS = 23 }; /* not a multiple of val-freq: the closing validation is in play */

static lam_dataset *data;

static inline void set(lam_config *cfg, const char *name, const char *value)
{
    if (lam_config_set(cfg, name, value) != LAM_OK)
        fail_msg("%s", lam_last_error());
}

static inline void configure(lam_config *cfg)
{
    lam_config_init(cfg);
    set(cfg, "dims", "8-8");
    set(cfg, "blocks", "2");
    set(cfg, "tpr", "true");
    set(cfg, "batch-size", "90");
    set(cfg, "val-freq", "5");
    set(cfg, "log-freq", "2");
    set(cfg, "iterations", "23");
    set(cfg, "lr", "1e-2");
    set(cfg, "optimizer", "adam");
    set(cfg, "schedule", "cuts");
    set(cfg, "early-stopping", "20");
    set(cfg, "warm-start", "none");
    set(cfg, "warm-start-pairing", "none");
    set(cfg, "map", "none");
    set(cfg, "threads", "1");
    set(cfg, "memory", "8");
}

/* given: columns that are, or NULL */
static inline lam_dataset *make_data_given(uint64_t seed, const char *given)
{
    lam_config cfg;
    lam_table *table;
    lam_dataset *out;
    configure(&cfg);
    if (given != NULL)
        set(&cfg, "given", given);
    assert_int_equal(lam_table_toy("pinwheel", 400, seed, &table), LAM_OK);
    assert_int_equal(lam_dataset_build(&cfg, table, NULL, NULL, NULL, &out), LAM_OK);
    lam_table_free(table);
    lam_config_clear(&cfg);
    return out;
}

static inline lam_dataset *make_data(uint64_t seed)
{
    return make_data_given(seed, NULL);
}

/* Fits into the scratch folder's RUN; the status, which must be the one that is wanted. */
static inline lam_status fit_into(const char *run, const lam_config *cfg, lam_fit_options options, lam_status want,
    lam_fit_result *result)
{
    char folder[512];
    lam_model *model;
    if (run != NULL) {
        snprintf(folder, sizeof folder, "%s", scratch_path(run));
        options.run_dir = folder;
    }
    lam_status status = lam_fit(cfg, data, &options, &model, result);
    if (status != want)
        fail_msg("%s wanted, %s got: %s", lam_status_name(want), lam_status_name(status), lam_last_error());
    assert_int_equal(model != NULL, status == LAM_OK || status == LAM_ERR_INTERRUPTED);
    lam_model_free(model);
    return status;
}

static inline const char *run_file(const char *run, const char *name)
{
    char both[256];
    snprintf(both, sizeof both, "%s/%s", run, name);
    return scratch_path(both);
}

static inline char *read_model(const char *run, size_t *size)
{
    char *text;
    assert_int_equal(lam_file_read(run_file(run, "model.safetensors"), &text, size), LAM_OK);
    return text;
}

static inline void assert_same_model(const char *run, const char *other)
{
    size_t n, m;
    char *a = read_model(run, &n), *b = read_model(other, &m);
    assert_int_equal(n, m);
    assert_memory_equal(a, b, n);
    free(a);
    free(b);
}

static inline void remove_run(const char *run)
{
    static const char *const names[] = { "config.yaml", "metrics.jsonl", "checkpoint.safetensors", "model.safetensors" };
    for (size_t i = 0; i < 4; i++)
        unlink(run_file(run, names[i]));
    assert_int_equal(rmdir(scratch_path(run)), 0); /* nothing else lies there */
}

/* The same with the folders of further flows. */
static inline void remove_flows(const char *run)
{
    char name[64];
    for (size_t k = 2; k <= 5; k++) {
        snprintf(name, sizeof name, "%s/flow-%zu", run, k);
        if (access(scratch_path(name), F_OK) == 0)
            remove_run(name);
    }
    remove_run(run);
}

/* A finished, undisturbed run of configure's problem is what most tests compare with. */
static inline int set_up(void **state)
{
    lam_config cfg;
    if (scratch_open(state) != 0)
        return 1;
    data = make_data(1);
    configure(&cfg);
    fit_into("whole", &cfg, (lam_fit_options) { 0 }, LAM_OK, NULL);
    lam_config_clear(&cfg);
    return 0;
}

static inline int tear_down(void **state)
{
    remove_run("whole");
    lam_dataset_free(data);
    return scratch_close(state);
}

/* ---- progress callbacks --------------------------------------------------------------------------------------------- */

typedef struct watch {
    size_t first, last, calls, validations, stop_after; /* stop_after 0: never */
    double loss[64], val_nll;
} watch;

static inline int watching(void *user, const lam_progress *p)
{
    watch *w = user;
    if (w->calls == 0)
        w->first = p->iteration;
    w->calls++;
    w->last = p->iteration;
    w->validations += (size_t)p->is_validation;
    w->val_nll = p->val_nll;
    if (p->iteration < 64)
        w->loss[p->iteration] = p->loss;
    assert_true(p->seconds >= 0 && p->seconds_left >= 0);
    assert_true(!p->is_validation || isfinite(p->val_nll));
    assert_true(p->counts.forward > 0 || p->is_validation);
    return w->stop_after > 0 && w->calls >= w->stop_after;
}

/* A fit that stops after so many iterations and goes on with two threads comes to the same model. */
static inline void assert_stopping_does_not_matter(lam_config *cfg, size_t stop_after)
{
    watch w = { .stop_after = stop_after };
    fit_into("straight", cfg, (lam_fit_options) { 0 }, LAM_OK, NULL);
    fit_into("stopped", cfg, (lam_fit_options) { .progress = watching, .user = &w }, LAM_ERR_INTERRUPTED, NULL);
    set(cfg, "threads", "2");
    fit_into("stopped", cfg, (lam_fit_options) { .resume = 1 }, LAM_OK, NULL);
    assert_same_model("straight", "stopped");
    remove_run("straight");
    remove_run("stopped");
}

/* Stops at the call after so many; what the calls were about. */
typedef struct evaluation_watch {
    size_t skip, calls, at[3]; /* at: calls by part */
    lam_part part;             /* of the last one */
} evaluation_watch;

static inline int watching_evaluations(void *user, lam_part part, size_t done, size_t rows)
{
    evaluation_watch *w = user;
    assert_true(part == LAM_VALID || part == LAM_TEST);
    assert_true(done > 0 && done < rows);
    w->at[part]++;
    w->part = part;
    return w->calls++ >= w->skip;
}

/* ---- kills --------------------------------------------------------------------------------------------------------- */

/* Fits into RUN in processes that are killed without warning at moments that nobody chose, later rounds up to so many nanoseconds
 * later; each goes on from what the one before left, and whatever it finds there, it can. */
static inline void kill_at_random(const char *run, const lam_config *cfg, int rounds, uint64_t step)
{
    uint64_t x = 88172645463325252u;
    for (int round = 0; round < rounds; round++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            char folder[512];
            lam_model *model;
            snprintf(folder, sizeof folder, "%s", scratch_path(run));
            lam_fit_options options = { .run_dir = folder, .resume = 1 };
            _exit(lam_fit(cfg, data, &options, &model, NULL) == LAM_OK ? 0 : 1);
        }
        x ^= x << 13, x ^= x >> 7, x ^= x << 17; /* xorshift */
        nanosleep(&(struct timespec) { .tv_nsec = (long)(x % (step * (uint64_t)(round + 1))) }, NULL);
        int status;
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    }
}

/* ---- what is asked of a run ------------------------------------------------------------------------------------------ */

/* Lines of metrics.jsonl without their times, iteration by iteration: a resumed run has each exactly once. */
static inline void assert_lines(const char *run, const lam_config *cfg)
{
    char *text;
    size_t size, warms = 0, trains = 0, validations = 0, summaries = 0, warm = cfg->warm_start;
    assert_int_equal(lam_file_read(run_file(run, "metrics.jsonl"), &text, &size), LAM_OK);
    for (char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
        unsigned long long iteration = 0;
        if (sscanf(line, "{\"type\":\"train\",\"iteration\":%llu,", &iteration) == 1)
            assert_int_equal(iteration, ++trains * cfg->log_freq);
        else if (sscanf(line, "{\"type\":\"warm_start\",\"iteration\":%llu,", &iteration) == 1)
            assert_int_equal(iteration, ++warms * cfg->log_freq < warm ? warms * cfg->log_freq : warm); /* the last one is logged */
        else if (sscanf(line, "{\"type\":\"validation\",\"iteration\":%llu,", &iteration) == 1)
            validations++;
        else if (strncmp(line, "{\"type\":\"summary\"", 17) == 0)
            summaries++;
        else
            fail_msg("a strange line: %s", line);
        assert_int_equal(summaries > 0, strchr(line, '\n')[1] == '\0'); /* the summary is the last, and there */
    }
    assert_int_equal(trains, cfg->iterations / cfg->log_freq);
    assert_int_equal(warms, (warm + cfg->log_freq - 1) / cfg->log_freq);
    assert_int_equal(validations, (warm > 0) + (cfg->iterations + cfg->val_freq - 1) / cfg->val_freq);
    assert_int_equal(summaries, 1);
    free(text);
}

/* The test NLL that a fit tells is what its model gives by lam_log_prob, by batches of as many rows. */
static inline void assert_scored(const char *run, size_t batch_rows, double test_nll)
{
    size_t rows;
    double logp[100], sum = 0;
    lam_model *model;
    const double *x = lam_dataset_rows(data, LAM_TEST, &rows);
    lam_eval_options options = { .units = LAM_UNITS_STANDARDISED, .batch_rows = batch_rows };
    assert_in_range(rows, 1, 100);
    assert_int_equal(lam_model_load(run_file(run, "model.safetensors"), NULL, &model), LAM_OK);
    assert_int_equal(lam_log_prob(model, &options, x, rows, logp, NULL), LAM_OK);
    for (size_t i = 0; i < rows; i++)
        sum -= logp[i];
    /* the same float solves of the same batches from the same remembered steps; summed in another order */
    assert_true(fabs(sum / (double)rows - test_nll) < 1e-12);
    lam_model_free(model);
}

static inline void assert_error_names(const char *fragment)
{
    if (strstr(lam_last_error(), fragment) == NULL)
        fail_msg("\"%s\" is not in: %s", fragment, lam_last_error());
}

#endif
