/* lam_fit: one flow, or several whose densities are averaged (method.md 18). */
#include "base/clock.h"
#include "base/comm.h"
#include "base/counts.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/need.h"
#include "base/room.h"
#include "base/stats.h"
#include "model/defaults.h"
#include "model/model.h"
#include "model/predict.h"
#include "train/run.h"
#include "train/several.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void clear_kept(const lam_dataset *data, lam_fit_kept *kept)
{
    lam_room_give(data->folder, kept->room);
    lam_config_clear(&kept->cfg);
}

/* ---- time --------------------------------------------------------------------------------------------------------- */

/* 1: with so much more time the limits would be reached, a share of them kept for what follows. */
static int is_beyond(const lam_several *s, double seconds, double cpu_seconds)
{
    static const double SHARE = 0.95;
    const lam_config *cfg = &s->kept->cfg;
    return (cfg->max_seconds > 0 && lam_clock() - s->began + seconds > SHARE * cfg->max_seconds)
        || (cfg->max_processor_seconds > 0 && lam_cpu_clock() - s->cpu_began + cpu_seconds > SHARE * cfg->max_processor_seconds);
}

/* Under a limit of time a further flow is begun where it will be done in time. It has the iterations of the first one, so that what
 * config.yaml keeps repeats it. */
int lam_several_has_time(const lam_several *s, size_t flows)
{
    const lam_config *cfg = &s->kept->cfg;
    double all = LAM_FLOW_MARGIN * (double)flows;
    if (cfg->max_seconds <= 0 && cfg->max_processor_seconds <= 0)
        return 1;
    int fits = !s->options.limit_training && !is_beyond(s, all * s->seconds, all * s->cpu_seconds);
    return lam_comm_number(s->options.comm, fits) != 0;
}

/* Tells whose progress it is, and stops a further flow that takes more time than there is. */
typedef struct teller {
    const lam_fit_options *options;
    const lam_several *limits; /* NULL: the flow keeps to them by itself */
    size_t flow;
    double decay; /* that is being tried; NaN: none */
    int late;
} teller;

static int is_late(teller *t)
{
    t->late |= t->limits != NULL && is_beyond(t->limits, 0, 0);
    return t->late;
}

static int tell_progress(void *user, const lam_progress *progress)
{
    teller *t = user;
    lam_progress of = *progress;
    of.flow = t->flow;
    of.weight_decay_tried = t->decay;
    return (t->options->progress != NULL && t->options->progress(t->options->user, &of) != 0) || is_late(t);
}

static int tell_evaluating(void *user, lam_part part, size_t done, size_t rows)
{
    teller *t = user;
    return (t->options->evaluating != NULL && t->options->evaluating(t->options->user, part, done, rows) != 0) || is_late(t);
}

/* The options of the fit of a flow, from 1, on rank 0 with a teller. */
static lam_fit_options options_of(const lam_fit_options *options, teller *t)
{
    lam_fit_options own = *options;
    if (!lam_comm_is_first(options->comm))
        return own;
    own.progress = tell_progress;
    own.evaluating = tell_evaluating;
    own.user = t;
    return own;
}

/* ---- one more flow ------------------------------------------------------------------------------------------------ */

char *lam_several_path(const lam_several *s, const char *name)
{
    return s->options.run_dir != NULL ? lam_run_path(s->options.run_dir, name) : NULL;
}

/* RUN/flow-3, of flow 1 RUN itself; NULL without a run folder, or without memory. */
static char *folder_of(const lam_several *s, size_t k)
{
    char name[32];
    snprintf(name, sizeof name, "flow-%zu", k + 1);
    return k > 0 || s->options.run_dir == NULL ? lam_several_path(s, name) : strdup(s->options.run_dir);
}

/* *late 1: it was stopped, as the time was over. */
static lam_status fit_fold(lam_several *s, const lam_config *cfg, const lam_dataset *fold, size_t k, lam_fit_kept *kept, lam_model **flow,
    lam_fit_result *result, int *late)
{
    teller t = { &s->options, s, k + 1, s->decay, 0 };
    lam_fit_options own = options_of(&s->options, &t);
    char *folder = folder_of(s, k);
    if (s->options.run_dir != NULL && folder == NULL)
        return LAM_ERR_MEMORY;
    own.run_dir = folder;
    own.seconds = own.cpu_seconds = 0;
    own.log.line = NULL; /* what there is to say of the rows and of training, the first flow has said */
    if (own.init != NULL)
        own.init = lam_model_flow(own.init, k % lam_model_flows(own.init));
    lam_status status = lam_fit_one(cfg, fold, &own, kept, flow, result);
    *late = lam_comm_number(s->options.comm, t.late) != 0;
    free(folder);
    return status;
}

lam_status lam_several_fit(lam_several *s, size_t k, lam_fit_kept *kept, lam_model **flow, lam_fit_result *result, int *late)
{
    lam_config cfg;
    lam_dataset fold = { 0 };
    double before = lam_clock(), cpu_before = lam_cpu_clock();
    lam_config_init(&cfg);
    lam_status status = lam_config_copy(&cfg, &s->kept->cfg);
    cfg.max_seconds = cfg.max_processor_seconds = 0;
    if (k > 0) {
        cfg.flows = 1;
        cfg.seed = lam_seed_of_rows(cfg.seed, k);
    }
    if (!isnan(s->decay))
        cfg.weight_decay = s->decay;
    if (cfg.iterations == LAM_UNENDING) /* the first went wrong before the clock had chosen their number */
        cfg.iterations = s->result->iterations > 0 ? s->result->iterations : 1;
    if (status == LAM_OK)
        status = lam_dataset_fold(s->data, k, &fold);
    status = lam_comm_agree(s->options.comm, status);
    if (status == LAM_OK)
        status = fit_fold(s, &cfg, &fold, k, kept, flow, result, late);
    s->began -= fmax(0, result->seconds - (lam_clock() - before)); /* what a resumed run had used of it before */
    s->cpu_began -= fmax(0, result->cpu_seconds - (lam_cpu_clock() - cpu_before));
    lam_dataset_fold_clear(&fold);
    lam_config_clear(&cfg);
    return status;
}

lam_status lam_several_first(lam_several *s, const lam_config *cfg)
{
    teller t = { &s->options, NULL, 1, s->decay, 0 };
    const lam_fit_options own = options_of(&s->options, &t);
    LAM_TRY(lam_fit_one(cfg, s->data, &own, s->kept, &s->model, s->result));
    s->result->flows = 1;
    s->began = lam_clock() - s->result->seconds;
    s->cpu_began = lam_cpu_clock() - s->result->cpu_seconds;
    s->seconds = s->result->seconds - own.seconds;
    s->cpu_seconds = s->result->cpu_seconds - own.cpu_seconds;
    return LAM_OK;
}

/* Flow k, from 1. */
static lam_status fit_flow(lam_several *s, size_t k, lam_model **flow, lam_fit_result *result, int *late)
{
    lam_fit_kept kept = { 0 };
    lam_config_init(&kept.cfg);
    lam_status status = lam_several_fit(s, k, &kept, flow, result, late);
    clear_kept(s->data, &kept);
    return status;
}

void lam_several_add_nll(lam_several *s, const lam_fit_result *r)
{
    s->nll += r->best_val_nll;
    s->variance += r->best_val_nll_se * r->best_val_nll_se;
}

static void add_result(lam_several *s, const lam_fit_result *r)
{
    s->result->train_seconds += r->train_seconds;
    s->result->train_cpu_seconds += r->train_cpu_seconds;
    lam_several_add_nll(s, r);
}

lam_status lam_several_save(const lam_several *s)
{
    if (s->options.run_dir == NULL)
        return LAM_OK;
    char *path = lam_several_path(s, "model.safetensors");
    lam_status status = path == NULL ? LAM_ERR_MEMORY : lam_comm_is_first(s->options.comm) ? lam_model_save(s->model, path) : LAM_OK;
    free(path);
    return lam_comm_agree(s->options.comm, status);
}

int lam_several_is_own(lam_status status)
{
    return status == LAM_ERR_DIVERGED || status == LAM_ERR_SOLVER;
}

/* The test rows, where there are any, by one flow more. */
static lam_status test_flow(lam_several *s, const lam_model *flow)
{
    const lam_config *cfg = &s->kept->cfg;
    size_t n = s->result->test_rows;
    const lam_eval_options options = { .units = LAM_UNITS_STANDARDISED, .threads = cfg->threads, .isa = cfg->isa, .batch_rows = cfg->val_batch_size,
        .flow = 1, .comm = s->options.comm };
    if (s->rows == NULL)
        return LAM_OK;
    double *here = lam_alloc(n + 1, sizeof *here);
    lam_counts counts = { 0 };
    lam_status status = lam_comm_agree(s->options.comm, here == NULL ? LAM_ERR_MEMORY : LAM_OK);
    if (status == LAM_OK)
        status = lam_log_prob(flow, &options, s->rows, n, here, &counts);
    for (size_t i = 0; i < n && status == LAM_OK; i++)
        s->log_p[i] = flow == s->model ? here[i] : lam_log_of_sum(s->log_p[i], here[i]);
    if (status == LAM_OK && flow == s->model)
        s->result->test_counts = counts;
    else if (status == LAM_OK)
        lam_counts_add(&s->result->test_counts, &counts);
    lam_free(here);
    return status;
}

static lam_status leave_out(const lam_several *s, size_t k, const char *why)
{
    lam_log_say(&s->options.log, "flow %zu of %zu is left out: %s", k + 1, s->kept->cfg.flows, why);
    return LAM_OK;
}

/* *late 1: there was no time for it. */
static lam_status add_flow(lam_several *s, size_t k, int *late)
{
    lam_model *flow = NULL;
    lam_fit_result result = { 0 };
    lam_status status = fit_flow(s, k, &flow, &result, late);
    if (status == LAM_OK)
        status = test_flow(s, flow);
    if (status == LAM_OK)
        status = lam_model_add_flow(s->model, flow);
    if (status != LAM_OK)
        lam_model_free(flow);
    if (status == LAM_ERR_INTERRUPTED && *late)
        return leave_out(s, k, "there was no time for all of it");
    if (lam_several_is_own(status))
        return leave_out(s, k, lam_last_error());
    LAM_TRY(status);
    add_result(s, &result);
    return lam_several_save(s);
}

/* ---- the test of all ---------------------------------------------------------------------------------------------- */

/* The rows of the first flow's test, in its order. */
static lam_status take_test_rows(lam_several *s)
{
    size_t n = s->result->test_rows, rows = s->data->rows[LAM_TEST], dim = s->data->dim, *index = NULL;
    if (n == 0)
        return LAM_OK;
    s->log_p = lam_alloc(n, sizeof *s->log_p);
    s->rows = lam_alloc(n * dim, sizeof *s->rows);
    lam_status status = s->log_p == NULL || s->rows == NULL ? LAM_ERR_MEMORY : LAM_OK;
    if (status == LAM_OK && n < rows)
        status = (index = lam_room_take(s->data->folder, rows, sizeof *index)) == NULL ? LAM_ERR_MEMORY
            : lam_sample_order(&s->kept->cfg, LAM_TEST, rows, s->data->folder, index);
    for (size_t i = 0; i < n && status == LAM_OK; i++)
        memcpy(s->rows + i * dim, s->data->values[LAM_TEST] + (index != NULL ? index[i] : i) * dim, dim * sizeof *s->rows);
    lam_room_give(s->data->folder, index);
    return lam_comm_agree(s->options.comm, status);
}

static void take_mean(lam_several *s)
{
    lam_fit_result *r = s->result;
    lam_running all = { 0 };
    for (size_t i = 0; i < r->test_rows; i++) {
        double nll = log((double)r->flows) - s->log_p[i];
        lam_running_add(&all, nll);
        if (s->kept->room != NULL)
            s->kept->room[i] = nll;
    }
    r->test_nll = all.mean;
    r->test_nll_se = lam_running_se(&all);
}

/* One more line in metrics.jsonl, which then holds for all flows, and config.yaml with their number. */
static lam_status write_summary(const lam_several *s)
{
    lam_metrics metrics = { 0 };
    struct stat found;
    char *path = lam_run_path(s->options.run_dir, "metrics.jsonl"), *config = lam_run_path(s->options.run_dir, "config.yaml");
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

static void say_no_time(const lam_several *s)
{
    const lam_config *cfg = &s->kept->cfg;
    if (!lam_flows_are_spare(cfg, s->data->rows[LAM_TRAIN]))
        lam_log_say(&s->options.log, s->options.limit_training ? "a limit of the training time is for one flow: flow %zu of %zu is not fitted"
            : "there was no time for flow %zu of %zu", s->tried + 1, cfg->flows);
}

/* Flows until there are enough, or no time. */
static lam_status add_flows(lam_several *s)
{
    int late = 0;
    if (!s->is_chosen && !lam_several_has_time(s, 1)) { /* what flow 1 has been tested for holds */
        say_no_time(s);
        return LAM_OK;
    }
    LAM_TRY(take_test_rows(s));
    lam_status status = LAM_OK;
    for (size_t k = 0; k < lam_model_flows(s->model) && status == LAM_OK; k++)
        status = test_flow(s, lam_model_flow(s->model, k));
    if (lam_several_is_own(status)) { /* though its own test, of float steps from another start, has passed */
        lam_free(s->rows);
        s->rows = NULL;
        s->result->test_nll = s->result->test_nll_se = (double)NAN;
    } else
        LAM_TRY(status);
    for (; s->tried < s->kept->cfg.flows && lam_several_has_time(s, 1); s->tried++) {
        LAM_TRY(add_flow(s, s->tried, &late));
        if (late)
            break;
    }
    if (s->tried < s->kept->cfg.flows && !late)
        say_no_time(s);
    return LAM_OK;
}

static lam_status fit_others(lam_several *s)
{
    lam_fit_result *r = s->result;
    if (s->kept->cfg.flows == 1 && !s->is_chosen)
        return LAM_OK;
    if (!s->is_chosen) {
        s->tried = 1;
        lam_several_add_nll(s, r);
    }
    lam_status status = add_flows(s);
    size_t flows = r->flows = lam_model_flows(s->model);
    r->finished = status == LAM_OK;
    r->seconds = lam_clock() - s->began;
    r->cpu_seconds = lam_cpu_clock() - s->cpu_began;
    r->best_val_nll = s->nll / (double)flows;
    r->best_val_nll_se = sqrt(s->variance) / (double)flows;
    if (status == LAM_OK && (flows > 1 || s->is_chosen) && s->rows != NULL)
        take_mean(s);
    lam_comm_broadcast(s->options.comm, r, sizeof *r); /* clocks differ */
    lam_free(s->rows);
    lam_free(s->log_p);
    LAM_TRY(status);
    s->kept->cfg.flows = s->tried; /* the same again: what failed then fails */
    int writes = s->options.run_dir != NULL && lam_comm_is_first(s->options.comm);
    return lam_comm_agree(s->options.comm, writes ? write_summary(s) : LAM_OK);
}

/* A run that goes on has as many flows as it has written down, where nobody says how many: a limit of time may have left some out. */
static lam_status settle_flows(const lam_fit_options *options, lam_config *cfg)
{
    if (cfg->flows != LAM_AUTO || !options->resume || options->run_dir == NULL)
        return LAM_OK;
    lam_config kept;
    lam_config_init(&kept);
    char *path = lam_run_path(options->run_dir, "config.yaml");
    lam_status status = path == NULL ? LAM_ERR_MEMORY : access(path, F_OK) == 0 ? lam_config_load(&kept, path) : LAM_OK;
    if (status == LAM_OK) {
        cfg->flows = kept.flows;
        cfg->flows_are_chosen = 1;
    }
    free(path);
    lam_config_clear(&kept);
    return status;
}

lam_status lam_fit(const lam_config *cfg, const lam_dataset *data, const lam_fit_options *options, lam_model **model,
    lam_fit_result *result)
{
    LAM_NEED(model, "model");
    *model = NULL;
    LAM_NEED(cfg, "cfg");
    LAM_NEED(data, "data");
    lam_fit_result ignored;
    result = result != NULL ? result : &ignored;
    *result = (lam_fit_result) { 0 };
    lam_fit_kept kept = { 0 };
    lam_config_init(&kept.cfg);
    lam_several s = { .data = data, .options = lam_run_options(options), .kept = &kept, .result = result, .decay = (double)NAN };
    lam_config settled;
    lam_config_init(&settled);
    lam_status status = lam_config_copy(&settled, cfg);
    if (status == LAM_OK)
        status = settle_flows(&s.options, &settled);
    status = lam_comm_agree(s.options.comm, status);
    int tries = 0;
    if (status == LAM_OK)
        status = lam_decay_settle(&settled, data, &s.options, &tries);
    lam_run_folder lock = { 0 }; /* a fit that tries nothing locks it by itself */
    if (status == LAM_OK)
        status = lam_comm_agree(s.options.comm, tries && lam_comm_is_first(s.options.comm) ? lam_run_folder_open(s.options.run_dir, &lock) : LAM_OK);
    if (status == LAM_OK)
        status = lam_comm_agree(s.options.comm, lam_several_forget(&s.options, tries));
    if (status == LAM_OK)
        status = tries ? lam_decay_choose(&s, &settled) : lam_several_first(&s, &settled);
    if (status == LAM_OK)
        status = fit_others(&s);
    *model = s.model;
    int is_compared = kept.room != NULL && !(s.is_chosen && isnan(result->test_nll)); /* else its NLLs may be those of a flow that was not chosen */
    if (status == LAM_OK && is_compared)
        status = lam_outcome_tell(&kept.cfg, data, &kept.state, result, &kept.of, &s.options.log) == LAM_ERR_MEMORY ? LAM_ERR_MEMORY : LAM_OK;
    lam_run_folder_clear(&lock);
    clear_kept(data, &kept);
    lam_config_clear(&settled);
    if (status != LAM_OK && status != LAM_ERR_INTERRUPTED) {
        lam_model_free(*model);
        *model = NULL;
    }
    return status;
}
