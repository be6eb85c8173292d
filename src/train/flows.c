/* lam_fit: one flow, or several whose densities are averaged (method.md 18). */
#include "base/comm.h"
#include "base/counts.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/need.h"
#include "base/room.h"
#include "model/model.h"
#include "model/predict.h"
#include "train/one.h"
#include "train/run.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* By which the time of a further flow may be longer than that of the first, its share of the test included. */
static const double MARGIN = 1.3;

typedef struct several {
    const lam_dataset *data;
    const lam_fit_options *options;
    lam_fit_kept *kept; /* of the first flow */
    lam_model *model;   /* with the flows so far */
    lam_fit_result *result;
    double seconds, cpu_seconds; /* that the first flow took */
    double nll, variance;        /* sums over the flows, of best_val_nll and of its squared standard error */
} several;

static void clear_kept(const lam_dataset *data, lam_fit_kept *kept)
{
    lam_room_give(data->folder, kept->index);
    lam_room_give(data->folder, kept->room);
    lam_config_clear(&kept->cfg);
}

/* ---- time --------------------------------------------------------------------------------------------------------- */

/* Under a limit of time a further flow is begun where it will be done in time. It has the iterations of the first one, so that what
 * config.yaml keeps repeats it. */
static int has_time(const several *s)
{
    const lam_config *cfg = &s->kept->cfg;
    int wall = cfg->max_seconds > 0, processor = cfg->max_processor_seconds > 0;
    if (!wall && !processor)
        return 1;
    int fits = s->result->ending != LAM_ENDED_TIME && cfg->iterations != LAM_UNENDING && !s->options->limit_training
        && (!wall || cfg->max_seconds - s->result->seconds > MARGIN * s->seconds)
        && (!processor || cfg->max_processor_seconds - s->result->cpu_seconds > MARGIN * s->cpu_seconds);
    return lam_comm_number(s->options->comm, fits) != 0;
}

/* ---- one more flow ------------------------------------------------------------------------------------------------ */

static void say(const several *s, const char *line)
{
    if (s->options->log.line != NULL)
        s->options->log.line(s->options->log.user, line);
}

/* Tells whose progress it is. */
typedef struct teller {
    const lam_fit_options *options;
    size_t flow;
} teller;

static int tell_progress(void *user, const lam_progress *progress)
{
    const teller *t = user;
    lam_progress of = *progress;
    of.flow = t->flow;
    return t->options->progress(t->options->user, &of);
}

static int tell_evaluating(void *user, lam_part part, size_t done, size_t rows)
{
    const teller *t = user;
    return t->options->evaluating(t->options->user, part, done, rows);
}

/* The options of the fit of a flow, from 1. */
static lam_fit_options options_of(const lam_fit_options *options, size_t flow, teller *t)
{
    lam_fit_options own = *options;
    *t = (teller) { options, flow };
    own.progress = options->progress != NULL ? tell_progress : NULL;
    own.evaluating = options->evaluating != NULL ? tell_evaluating : NULL;
    own.user = t;
    return own;
}

/* RUN/flow-3; NULL without a run folder, or without memory. */
static char *folder_of(const several *s, size_t k)
{
    char name[32];
    snprintf(name, sizeof name, "flow-%zu", k + 1);
    return s->options->run_dir != NULL ? lam_run_path(s->options->run_dir, name) : NULL;
}

static lam_status fit_fold(several *s, const lam_config *cfg, const lam_dataset *fold, size_t k, lam_model **flow, lam_fit_result *result)
{
    teller t;
    lam_fit_options own = options_of(s->options, k + 1, &t);
    lam_fit_kept kept = { 0 };
    char *folder = folder_of(s, k);
    if (s->options->run_dir != NULL && folder == NULL)
        return LAM_ERR_MEMORY;
    own.run_dir = folder;
    own.seconds = own.cpu_seconds = 0;
    own.log.line = NULL; /* what there is to say of the rows and of training, the first flow has said */
    lam_config_init(&kept.cfg);
    lam_status status = lam_fit_one(cfg, fold, &own, &kept, flow, result);
    clear_kept(fold, &kept);
    free(folder);
    return status;
}

/* Flow k, from 0, with a seed and validation rows of its own. */
static lam_status fit_flow(several *s, size_t k, lam_model **flow, lam_fit_result *result)
{
    lam_config cfg;
    lam_dataset fold = { 0 };
    lam_config_init(&cfg);
    lam_status status = lam_config_copy(&cfg, &s->kept->cfg);
    cfg.flows = 1;
    cfg.seed = lam_seed_of_rows(cfg.seed, k);
    cfg.max_seconds = cfg.max_processor_seconds = 0;
    if (status == LAM_OK)
        status = lam_dataset_fold(s->data, k, &fold);
    status = lam_comm_agree(s->options->comm, status);
    if (status == LAM_OK)
        status = fit_fold(s, &cfg, &fold, k, flow, result);
    lam_dataset_fold_clear(&fold);
    lam_config_clear(&cfg);
    return status;
}

static void add_result(several *s, const lam_fit_result *r)
{
    lam_fit_result *all = s->result;
    all->seconds += r->seconds;
    all->cpu_seconds += r->cpu_seconds;
    all->train_seconds += r->train_seconds;
    all->train_cpu_seconds += r->train_cpu_seconds;
    s->nll += r->best_val_nll;
    s->variance += r->best_val_nll_se * r->best_val_nll_se;
}

/* The model so far, whatever comes after it. */
static lam_status save_model(const several *s)
{
    if (s->options->run_dir == NULL)
        return LAM_OK;
    char *path = lam_run_path(s->options->run_dir, "model.safetensors");
    lam_status status = path == NULL ? LAM_ERR_MEMORY : lam_comm_is_first(s->options->comm) ? lam_model_save(s->model, path) : LAM_OK;
    free(path);
    return lam_comm_agree(s->options->comm, status);
}

/* 1: it is the flow's own failure, which the others can do without. */
static int is_own(lam_status status)
{
    return status == LAM_ERR_DIVERGED || status == LAM_ERR_SOLVER;
}

static lam_status add_flow(several *s, size_t k)
{
    lam_model *flow = NULL;
    lam_fit_result result = { 0 };
    char line[1600];
    lam_status status = fit_flow(s, k, &flow, &result);
    if (is_own(status)) {
        snprintf(line, sizeof line, "flow %zu failed and is left out: %s", k + 1, lam_last_error());
        say(s, line);
        return LAM_OK;
    }
    if (status == LAM_OK)
        status = lam_model_add_flow(s->model, flow);
    if (status != LAM_OK) {
        lam_model_free(flow);
        return status;
    }
    add_result(s, &result);
    return save_model(s);
}

/* ---- the test of all ---------------------------------------------------------------------------------------------- */

/* The rows of the first flow's test, in its order. */
static lam_status test_rows(const several *s, double **rows)
{
    size_t n = s->result->test_rows, dim = s->data->dim;
    if ((*rows = lam_alloc(n * dim + 1, sizeof **rows)) == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < n; i++)
        memcpy(*rows + i * dim, s->data->values[LAM_TEST] + (s->kept->index != NULL ? s->kept->index[i] : i) * dim, dim * sizeof **rows);
    return LAM_OK;
}

static void mean_of(double *log_p, size_t n, lam_fit_result *r)
{
    double mean = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        double step = (log_p[i] = -log_p[i]) - mean;
        mean += step / (double)(i + 1);
        squares += step * (log_p[i] - mean);
    }
    r->test_nll = mean;
    r->test_nll_se = n > 1 ? sqrt(squares / (double)(n - 1) / (double)n) : (double)NAN;
}

static lam_status test(several *s)
{
    lam_fit_result *r = s->result;
    const lam_config *cfg = &s->kept->cfg;
    size_t n = r->test_rows;
    const lam_eval_options options = { .units = LAM_UNITS_STANDARDISED, .threads = cfg->threads, .isa = cfg->isa, .batch_rows = cfg->val_batch_size };
    double *rows = NULL, *log_p = lam_alloc(n + 1, sizeof *log_p);
    lam_status status = log_p == NULL ? LAM_ERR_MEMORY : test_rows(s, &rows);
    if (status == LAM_OK)
        status = lam_log_prob(s->model, &options, rows, n, log_p, &r->test_counts);
    if (status == LAM_OK) {
        mean_of(log_p, n, r);
        if (s->kept->room != NULL)
            memcpy(s->kept->room, log_p, n * sizeof *log_p);
    }
    lam_free(rows);
    lam_free(log_p);
    return status;
}

/* One more line in metrics.jsonl, which then holds for all flows, and config.yaml with their number. */
static lam_status write_summary(const several *s)
{
    lam_metrics metrics = { 0 };
    struct stat found;
    char *path = lam_run_path(s->options->run_dir, "metrics.jsonl"), *config = lam_run_path(s->options->run_dir, "config.yaml");
    lam_status status = path == NULL || config == NULL ? LAM_ERR_MEMORY : lam_config_save(&s->kept->cfg, config);
    if (status == LAM_OK)
        status = lam_metrics_open(&metrics, path, stat(path, &found) == 0 ? (uint64_t)found.st_size : 0);
    if (status == LAM_OK) {
        lam_summary_put(&metrics, &s->kept->cfg, s->result);
        status = lam_metrics_end(&metrics);
    }
    lam_metrics_close(&metrics);
    free(path);
    free(config);
    return status;
}

/* ---- the fit ------------------------------------------------------------------------------------------------------ */

static lam_status fit_others(several *s)
{
    lam_fit_result *r = s->result;
    int several_wanted = s->kept->cfg.flows > 1, first = lam_comm_is_first(s->options->comm);
    s->nll = r->best_val_nll;
    s->variance = r->best_val_nll_se * r->best_val_nll_se;
    for (size_t k = 1; k < s->kept->cfg.flows && has_time(s); k++)
        LAM_TRY(add_flow(s, k));
    size_t flows = r->flows = s->kept->cfg.flows = lam_model_flows(s->model);
    r->best_val_nll = s->nll / (double)flows;
    r->best_val_nll_se = sqrt(s->variance) / (double)flows;
    if (flows > 1 && r->test_rows > 0)
        LAM_TRY(lam_comm_agree(s->options->comm, test(s)));
    lam_status status = several_wanted && first && s->options->run_dir != NULL ? write_summary(s) : LAM_OK;
    return lam_comm_agree(s->options->comm, status);
}

lam_status lam_fit(const lam_config *cfg, const lam_dataset *data, const lam_fit_options *options, lam_model **model,
    lam_fit_result *result)
{
    LAM_NEED(model, "model");
    *model = NULL;
    LAM_NEED(cfg, "cfg");
    LAM_NEED(data, "data");
    const lam_fit_options none = { 0 };
    lam_fit_result ignored;
    result = result != NULL ? result : &ignored;
    *result = (lam_fit_result) { 0 };
    lam_fit_options own = options != NULL ? *options : none;
    if (!lam_comm_is_first(own.comm)) { /* rank 0 alone talks */
        own.progress = NULL;
        own.evaluating = NULL;
        own.log.line = NULL;
    }
    lam_fit_kept kept = { 0 };
    lam_config_init(&kept.cfg);
    teller t;
    const lam_fit_options of_first = options_of(&own, 1, &t);
    lam_status status = lam_fit_one(cfg, data, &of_first, &kept, model, result);
    result->flows = 1;
    if (status == LAM_OK) {
        several s = { .data = data, .options = &own, .kept = &kept, .model = *model, .result = result, .seconds = result->seconds - own.seconds,
            .cpu_seconds = result->cpu_seconds - own.cpu_seconds };
        status = fit_others(&s);
    }
    if (status == LAM_OK && kept.room != NULL)
        status = lam_outcome_tell(&kept.cfg, data, &kept.state, result, &kept.of, &own.log) == LAM_ERR_MEMORY ? LAM_ERR_MEMORY : LAM_OK;
    clear_kept(data, &kept);
    if (status != LAM_OK && status != LAM_ERR_INTERRUPTED) {
        lam_model_free(*model);
        *model = NULL;
    }
    return status;
}
