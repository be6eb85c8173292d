/* Writes and reads the checkpoint from which a run resumes. */
#include "base/error.h"
#include "model/config_yaml.h"
#include "model/defaults.h"
#include "model/parameters.h"
#include "model/safetensors.h"
#include "train/state.h"
#include <stdlib.h>
#include <string.h>

#define CHECKPOINT_KEY "laminar_checkpoint"
#define CHECKPOINT_VERSION "11"

/* ---- the state as tensors ----------------------------------------------------------------------------------------- */

enum { WHOLE = 25, NUMBERS = 16, FIXED = 8, TENSORS = FIXED + LAM_MEMORIES + 1 };

/* The state's single values, in the file's order. */
static void list_values(lam_fit_state *s, uint64_t *whole[WHOLE], double *numbers[NUMBERS])
{
    uint64_t *w[WHOLE] = { &s->iteration, &s->validated, &s->best_iteration, &s->schedule.waited, &s->schedule.cuts,
        &s->schedule.stopped, &s->metrics_bytes, &s->counts.forward, &s->counts.backward, &s->counts.recomputed,
        &s->counts.accepted, &s->counts.rejected, &s->counts.solves, &s->warm, &s->warm_counts.forward,
        &s->warm_counts.backward, &s->updates, &s->setbacks, &s->schedule.turns, &s->schedule.turn_at,
        &s->schedule.end, &s->schedule.halvings, &s->best_val_rows, &s->overfits, &s->schedule.worse_from };
    double *n[NUMBERS] = { &s->schedule.best, &s->seconds, &s->train_seconds, &s->train_cpu_seconds,
        &s->schedule.turn_share, &s->warm_seconds, &s->start_nll, &s->cpu_seconds, &s->best_val_se,
        &s->penalty_log_scale, &s->train_nll, &s->best_base_scale, &s->best_gaussian_nll, &s->best_gaussian_se,
        &s->best_gain_se, &s->limit_share };
    memcpy(whole, w, sizeof w);
    memcpy(numbers, n, sizeof n);
}

static lam_st_tensor vector(const char *name, lam_st_dtype dtype, size_t n, const void *data)
{
    return (lam_st_tensor) { .name = name, .dtype = dtype, .n_shape = 1, .shape = { n }, .data = data };
}

/* Returns how many there are. */
static size_t list_tensors(const lam_fit_state *s, const uint64_t *whole, const double *numbers, lam_st_tensor t[TENSORS])
{
    lam_st_dtype real = s->real_size == sizeof(double) ? LAM_ST_F64 : LAM_ST_F32;
    lam_st_tensor fixed[FIXED] = {
        vector("counts", LAM_ST_I64, WHOLE, whole),
        vector("numbers", LAM_ST_F64, NUMBERS, numbers),
        vector("h_train", LAM_ST_F64, s->blocks, s->h_train),
        vector("h_test", LAM_ST_F64, s->blocks, s->h_test),
        vector("best_h_train", LAM_ST_F64, s->blocks, s->best_h_train),
        vector("best_h_test", LAM_ST_F64, s->blocks, s->best_h_test),
        vector("params", real, s->parameters, s->params),
        vector("best_params", real, s->parameters, s->best),
    };
    memcpy(t, fixed, sizeof fixed);
    size_t n = FIXED;
    for (size_t i = 0; i < s->memories; i++)
        if (s->memory_of[i].count > 0)
            t[n++] = vector(s->memory_of[i].name, real, s->memory_of[i].count, s->memory[i]);
    if (s->average != NULL)
        t[n++] = vector("average", real, s->parameters, s->average);
    return n;
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

lam_status lam_checkpoint_write(const char *path, const lam_fit_state *state, const lam_config *cfg, const char *data_hash)
{
    lam_fit_state s = *state; /* the arrays are shared, and only read */
    uint64_t *whole_at[WHOLE], whole[WHOLE];
    double *numbers_at[NUMBERS], numbers[NUMBERS];
    lam_st_tensor tensors[TENSORS];
    char *config;
    size_t size;
    list_values(&s, whole_at, numbers_at);
    for (size_t i = 0; i < WHOLE; i++)
        whole[i] = *whole_at[i];
    for (size_t i = 0; i < NUMBERS; i++)
        numbers[i] = *numbers_at[i];
    size_t n_tensors = list_tensors(&s, whole, numbers, tensors);
    LAM_TRY(lam_config_print(cfg, &config, &size));
    const lam_st_pair meta[] = { { CHECKPOINT_KEY, CHECKPOINT_VERSION }, { "config", config }, { "data_hash", data_hash } };
    lam_status status = lam_st_write(path, tensors, n_tensors, meta, sizeof meta / sizeof meta[0]);
    free(config);
    return status;
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

/* What the clock has not chosen yet: it may have been chosen, and written to config.yaml, after the checkpoint. */
static int is_open(const lam_config *saved)
{
    return saved->schedule == LAM_SCHEDULE_COSINE && lam_config_is_timed(saved) && saved->decay_from == 0;
}

/* The way down of one configuration becomes the other's. */
static void take_way(lam_config *cfg, const lam_config *from)
{
    cfg->decay_from = from->decay_from;
    cfg->decay_to = from->decay_to;
    cfg->iterations = from->iterations;
    cfg->epochs = from->epochs;
}

static void close_open(lam_config *saved, const lam_config *cfg)
{
    if (is_open(saved) && cfg->decay_from > 0)
        take_way(saved, cfg);
    if (lam_config_is_timed(saved) && saved->val_rows == 0)
        saved->val_rows = cfg->val_rows;
}

/* same_data 0: what a fit takes from its data (one validation an epoch) differs with them, and they are what to name. */
static lam_status same_config(const char *path, const lam_config *saved, const lam_config *cfg, int same_data)
{
    lam_difference found;
    if (saved->schedule == LAM_SCHEDULE_COSINE && cfg->iterations != LAM_AUTO && saved->iterations != cfg->iterations)
        return lam_fail(LAM_ERR_ARGUMENT, "%s was written with iterations %zu, and now it is %zu; with schedule cosine the rates of "
            "all iterations depend on their number, so continue with the same, or start a new run", path, saved->iterations, cfg->iterations);
    if (is_open(saved)
        && (saved->max_seconds != cfg->max_seconds || saved->max_processor_seconds != cfg->max_processor_seconds))
        return lam_fail(LAM_ERR_ARGUMENT, "%s was written with budget %g and max-processor-seconds %g, and now they are %g and %g; with "
            "schedule cosine the rates depend on the limit of time, so continue with the same, or start a new run", path, saved->max_seconds,
            saved->max_processor_seconds, cfg->max_seconds, cfg->max_processor_seconds);
    LAM_TRY(lam_param_difference(saved, cfg, LAM_PARAM_HOW | LAM_PARAM_LENGTH, 0, &found));
    if (found.param != NULL && (same_data || strcmp(found.param->shown.name, "val-freq") != 0))
        return lam_fail(LAM_ERR_ARGUMENT, "%s was written with %s %s, and now it is %s; continue with the same value, or start a new run",
            path, found.param->shown.name, found.a, found.b);
    return LAM_OK;
}

static lam_status check_meta(const char *path, const lam_st_file *file, const lam_config *cfg, const char *data_hash)
{
    const char *version = lam_st_meta(file, CHECKPOINT_KEY), *config = lam_st_meta(file, "config");
    const char *hash = lam_st_meta(file, "data_hash");
    if (version == NULL || config == NULL || hash == NULL)
        return lam_fail(LAM_ERR_FORMAT, "%s is not a checkpoint of laminar; remove it to start over", path);
    if (strcmp(version, CHECKPOINT_VERSION) != 0)
        return lam_fail(LAM_ERR_FORMAT, "%s is a checkpoint of version %s, and this program reads version %s; finish the run "
            "with the program that began it", path, version, CHECKPOINT_VERSION);
    lam_config saved;
    lam_config_init(&saved);
    lam_config_unsaid(&saved);
    lam_status status = lam_config_parse(&saved, config, strlen(config), path);
    if (status == LAM_OK)
        close_open(&saved, cfg);
    if (status == LAM_OK)
        status = same_config(path, &saved, cfg, strcmp(hash, data_hash) == 0);
    lam_config_clear(&saved);
    LAM_TRY(status);
    if (strcmp(hash, data_hash) != 0)
        return lam_fail(LAM_ERR_DATA, "%s was written for other data (hash %s, now %s); give the data that the run began with, "
            "and the model that it started from if there was one, or start a new run", path, hash, data_hash);
    return LAM_OK;
}

static lam_status read_tensors(const char *path, const lam_st_file *file, lam_fit_state *s)
{
    uint64_t *whole_at[WHOLE], whole[WHOLE] = { 0 };
    double *numbers_at[NUMBERS], numbers[NUMBERS] = { 0 };
    lam_st_tensor tensors[TENSORS];
    list_values(s, whole_at, numbers_at);
    size_t n = list_tensors(s, whole, numbers, tensors), to_memory = FIXED;
    void *to[TENSORS] = { whole, numbers, s->h_train, s->h_test, s->best_h_train, s->best_h_test, s->params, s->best };
    for (size_t i = 0; i < s->memories; i++)
        if (s->memory_of[i].count > 0)
            to[to_memory++] = s->memory[i];
    to[to_memory] = s->average;
    for (size_t i = 0; i < n; i++) {
        const lam_st_tensor *want = &tensors[i], *got = lam_st_find(file, want->name);
        if (got == NULL || got->dtype != want->dtype || lam_st_count(got) != lam_st_count(want))
            return lam_fail(LAM_ERR_FORMAT, "%s: the tensor %s is %s; remove the checkpoint to start over", path, want->name,
                got == NULL ? "missing" : "not of the shape and type that the configuration asks for");
        memcpy(to[i], got->data, lam_st_count(got) * lam_st_width(got->dtype));
    }
    for (size_t i = 0; i < WHOLE; i++)
        *whole_at[i] = whole[i];
    for (size_t i = 0; i < NUMBERS; i++)
        *numbers_at[i] = numbers[i];
    return LAM_OK;
}

lam_status lam_checkpoint_settle(const char *path, lam_config *cfg)
{
    lam_st_file file;
    lam_config saved;
    LAM_TRY(lam_st_read(path, &file));
    const char *config = lam_st_meta(&file, "config");
    lam_status status = LAM_OK;
    lam_config_init(&saved);
    lam_config_unsaid(&saved);
    if (config != NULL && lam_config_parse(&saved, config, strlen(config), path) == LAM_OK) { /* else lam_checkpoint_read says what is wrong */
        /* of a flow whose weight decay was tried, the limits are not in the checkpoint, but the numbers are that the clock chose */
        if (cfg->decay_from == 0 && saved.decay_from > 0 && (lam_config_is_timed(&saved) || lam_config_is_timed(cfg)))
            take_way(cfg, &saved);
        if (cfg->val_rows == 0)
            cfg->val_rows = saved.val_rows;
        status = lam_param_settle(cfg, &saved);
    }
    lam_config_clear(&saved);
    lam_st_free(&file);
    return status;
}

lam_status lam_checkpoint_read(const char *path, lam_fit_state *state, const lam_config *cfg, const char *data_hash)
{
    lam_st_file file;
    LAM_TRY(lam_st_read(path, &file));
    lam_status status = check_meta(path, &file, cfg, data_hash);
    if (status == LAM_OK)
        status = read_tensors(path, &file, state);
    lam_st_free(&file);
    if (status == LAM_OK && state->iteration > cfg->iterations)
        status = lam_fail(LAM_ERR_ARGUMENT, "%s is at iteration %llu, and iterations is %zu now; set at least as many as were "
            "run", path, (unsigned long long)state->iteration, cfg->iterations);
    return status;
}
