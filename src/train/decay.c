/* The weight decay of a density of few rows, by the validation NLL of the fits that it would go on with (docs/method.md 8). */
#include "base/clock.h"
#include "base/comm.h"
#include "base/error.h"
#include "base/log.h"
#include "data/dataset.h"
#include "model/defaults.h"
#include "model/model.h"
#include "train/run.h"
#include "train/several.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LEVELS = 4, MOST_FOLDS = 3, ENOUGH_ROWS = 150 };

/* What is tried, ascending: three times as much makes a difference that validation rows can show. */
static const double GIVEN[LEVELS] = { 0.15, 0.5, 1.5, 4.5 }, JOINT[LEVELS] = { 0, 0.3, 1, 3 };

typedef struct trial {
    lam_several flows;
    lam_fit_kept kept;
    lam_fit_result result;
    int is_tried;
    double nll; /* of the validation rows of its flows, their mean; infinite: there is none to go by */
} trial;

typedef struct search {
    lam_several *first;  /* the caller's: flow 1 with the decay that it begins with, within the limits of time */
    const char *run_dir; /* NULL: nothing is written */
    const double *level;
    size_t folds, start;
    trial trial[LEVELS];
    double train_seconds, train_cpu_seconds; /* of all trials */
    int late;
} search;

static int has_checkpoint(const lam_fit_options *options)
{
    if (!options->resume || options->run_dir == NULL)
        return 0;
    char *path = lam_run_path(options->run_dir, "checkpoint.safetensors");
    int there = path != NULL && access(path, F_OK) == 0;
    free(path);
    return there;
}

/* 1: it is open whatever has been done so far. */
static int is_open(const lam_config *cfg, const lam_dataset *data, const lam_fit_options *options, lam_status *status)
{
    lam_config own;
    lam_config_init(&own);
    *status = lam_config_copy(&own, cfg);
    if (*status == LAM_OK)
        *status = lam_config_resolve(&own, data->rows[LAM_TRAIN], data->dim);
    int open = own.decay_is_chosen && data->rows[LAM_VALID] > 0 && options->init == NULL && !options->limit_training;
    lam_config_clear(&own);
    return *status == LAM_OK && open;
}

lam_status lam_decay_settle(lam_config *cfg, const lam_dataset *data, const lam_fit_options *options, int *open)
{
    lam_status status;
    int could = is_open(cfg, data, options, &status), there = lam_comm_number(options->comm, has_checkpoint(options)) != 0;
    *open = lam_comm_number(options->comm, could && !there) != 0;
    if (cfg->decay_is_chosen && there)
        cfg->weight_decay = -1; /* auto: the checkpoint has it */
    return lam_comm_agree(options->comm, status);
}

/* ---- folders ------------------------------------------------------------------------------------------------------ */

/* RUN/decay-0.5, and a flow of it, from 1; malloc'd. */
static char *folder_of(const char *run_dir, double decay, size_t flow)
{
    char name[64];
    snprintf(name, sizeof name, flow > 1 ? "decay-%g/flow-%zu" : "decay-%g", decay, flow);
    return lam_run_path(run_dir, name);
}

/* The files of a run, from one folder to another, which is made where it is missing; the checkpoint last. */
static lam_status move_files(const char *from, const char *to)
{
    if (mkdir(to, 0777) != 0 && access(to, F_OK) != 0)
        return lam_fail(LAM_ERR_IO, "%s cannot be made", to);
    for (size_t i = 0; i < LAM_RUN_FILES; i++) {
        char *old = lam_run_path(from, lam_run_files[i]), *new = lam_run_path(to, lam_run_files[i]);
        int moved = old != NULL && new != NULL && (rename(old, new) == 0 || access(old, F_OK) != 0);
        free(old);
        free(new);
        if (!moved)
            return lam_fail(LAM_ERR_IO, "%s: %s cannot be moved to %s", from, lam_run_files[i], to);
    }
    return LAM_OK;
}

static void remove_files(const char *folder)
{
    for (size_t i = 0; folder != NULL && i < LAM_RUN_FILES; i++) {
        char *path = lam_run_path(folder, lam_run_files[i]);
        if (path != NULL)
            unlink(path);
        free(path);
    }
    if (folder != NULL)
        rmdir(folder);
}

static void remove_trial(const char *run_dir, double decay)
{
    for (size_t flow = MOST_FOLDS; flow >= 1; flow--) {
        char *folder = folder_of(run_dir, decay, flow);
        remove_files(folder);
        free(folder);
    }
}

static void forget_trials(const char *run_dir)
{
    for (size_t i = 0; i < LEVELS; i++) {
        remove_trial(run_dir, GIVEN[i]);
        remove_trial(run_dir, JOINT[i]);
    }
}

static lam_status forget(const char *run_dir, const char *name)
{
    char *path = lam_run_path(run_dir, name);
    if (path == NULL)
        return LAM_ERR_MEMORY;
    unlink(path);
    free(path);
    return LAM_OK;
}

lam_status lam_several_forget(const lam_fit_options *options, int tries)
{
    if (options->run_dir == NULL || !lam_comm_is_first(options->comm))
        return LAM_OK;
    if (!options->resume || !tries)
        forget_trials(options->run_dir);
    if (options->resume)
        return LAM_OK;
    for (size_t k = 2; k <= LAM_MOST_FLOWS; k++) {
        char name[64];
        snprintf(name, sizeof name, "flow-%zu/checkpoint.safetensors", k);
        LAM_TRY(forget(options->run_dir, name));
    }
    if (tries)
        LAM_TRY(forget(options->run_dir, "checkpoint.safetensors"));
    return tries ? forget(options->run_dir, "config.yaml") : LAM_OK;
}

/* The limits of time are not in the configuration of a trial, and those of the run are. */
static lam_status write_config(const search *c, size_t best)
{
    char *folder = folder_of(c->run_dir, c->level[best], 1), *config = folder != NULL ? lam_run_path(folder, "config.yaml") : NULL;
    lam_status status = config == NULL ? LAM_ERR_MEMORY : lam_config_save(&c->first->kept->cfg, config);
    free(config);
    free(folder);
    return status;
}

/* The chosen trial's files become those of the run: flows first, and the checkpoint that says that the choice is made last. */
static lam_status take_files(const search *c, size_t best)
{
    lam_status status = write_config(c, best);
    for (size_t flow = c->folds; flow >= 1 && status == LAM_OK; flow--) {
        char name[32] = ".", *from = folder_of(c->run_dir, c->level[best], flow), *to;
        if (flow > 1)
            snprintf(name, sizeof name, "flow-%zu", flow);
        to = lam_run_path(c->run_dir, name);
        status = from == NULL || to == NULL ? LAM_ERR_MEMORY : flow > 1 && access(from, F_OK) != 0 ? LAM_OK : move_files(from, to);
        free(from);
        free(to);
    }
    return status;
}

/* ---- a trial ------------------------------------------------------------------------------------------------------ */

/* One more flow of a trial. */
static void count(search *c, lam_several *s, const lam_fit_result *r)
{
    s->tried++;
    lam_several_add_nll(s, r);
    c->train_seconds += r->train_seconds;
    c->train_cpu_seconds += r->train_cpu_seconds;
}

/* Flows from the second on of a trial. */
static lam_status fit_folds(search *c, trial *t)
{
    lam_several *s = &t->flows;
    for (size_t k = 1; k < c->folds && !c->late; k++) {
        lam_fit_kept kept = { 0 };
        lam_fit_result r = { 0 };
        lam_model *flow = NULL;
        lam_config_init(&kept.cfg);
        lam_status status = lam_several_fit(s, k, &kept, &flow, &r, &c->late);
        lam_config_clear(&kept.cfg); /* it has no room: a fold has no test rows */
        if (status == LAM_OK)
            status = lam_model_add_flow(s->model, flow);
        if (status != LAM_OK)
            lam_model_free(flow);
        LAM_TRY(status);
        count(c, s, &r);
    }
    return LAM_OK;
}

/* Says of which weight decay a note of the first trial is, as another one may be chosen. */
typedef struct notes {
    lam_log log;
    double decay;
} notes;

static void tell_note(void *user, const char *line)
{
    const notes *n = user;
    lam_log_say(&n->log, "with a weight decay of %g: %s", n->decay, line);
}

/* The first one is the caller's own flow 1, which is tested and keeps to the limits of time. */
static lam_status fit_first(search *c, trial *t, const lam_config *cfg)
{
    notes note = { c->first->options.log, c->level[c->start] };
    lam_config own;
    lam_config_init(&own);
    lam_status status = lam_config_copy(&own, cfg);
    own.weight_decay = c->level[c->start];
    c->first->options.run_dir = t->flows.options.run_dir;
    c->first->decay = own.weight_decay;
    if (note.log.line != NULL)
        c->first->options.log = (lam_log) { tell_note, &note };
    if (status == LAM_OK)
        status = lam_several_first(c->first, &own);
    c->first->options.log = note.log;
    lam_config_clear(&own);
    t->result = *c->first->result;
    t->flows = *c->first;
    t->flows.result = &t->result;
    return status;
}

static lam_status fit_trial(search *c, size_t i, const lam_config *cfg)
{
    trial *t = &c->trial[i];
    t->flows = *c->first;
    t->flows.result = &t->result;
    t->flows.model = NULL;
    t->flows.decay = c->level[i];
    t->is_tried = 1;
    char *folder = c->run_dir != NULL ? folder_of(c->run_dir, c->level[i], 1) : NULL;
    if (c->run_dir != NULL && folder == NULL)
        return LAM_ERR_MEMORY;
    t->flows.options.run_dir = folder;
    lam_status status = i == c->start ? fit_first(c, t, cfg) : lam_several_fit(&t->flows, 0, &t->kept, &t->flows.model, &t->result, &c->late);
    if (status == LAM_OK) {
        count(c, &t->flows, &t->result);
        /* the first of all goes on where there is time for the others, and for the flows that the model is to have, and the clock has chosen how many
         * iterations they all have before training went wrong */
        const lam_config *numbers = &c->first->kept->cfg;
        size_t others = 2 * c->folds + (numbers->flows > c->folds ? numbers->flows : c->folds);
        c->late = c->late || (i == c->start && (numbers->iterations == LAM_UNENDING || !lam_several_has_time(c->first, others - 1)));
        status = fit_folds(c, t);
    }
    c->first->began = fmin(c->first->began, t->flows.began);
    c->first->cpu_began = fmin(c->first->cpu_began, t->flows.cpu_began);
    free(folder);
    t->flows.options.run_dir = NULL;
    t->nll = t->flows.tried == c->folds ? t->flows.nll / (double)c->folds : (double)INFINITY;
    if (status == LAM_ERR_INTERRUPTED && c->late) /* by the limit, which flow 1 of all keeps to by itself */
        return LAM_OK;
    return lam_several_is_own(status) && (i != c->start || t->flows.tried > 0) ? LAM_OK : status;
}

/* ---- the choice --------------------------------------------------------------------------------------------------- */

/* 1: there is such a level, there is time for it, and it is better than the best so far. */
static lam_status is_better(search *c, size_t i, size_t best, int *better)
{
    *better = 0;
    if (c->late || i >= LEVELS || !lam_several_has_time(c->first, c->folds + c->first->kept->cfg.flows))
        return LAM_OK;
    LAM_TRY(fit_trial(c, i, NULL));
    *better = lam_comm_number(c->first->options.comm, c->trial[i].nll < c->trial[best].nll) != 0;
    return LAM_OK;
}

/* From the level that the number of rows stands for up as long as that is better; where the first step up is not, down. */
static lam_status walk(search *c, const lam_config *cfg, size_t *best)
{
    int better = 1;
    *best = c->start;
    LAM_TRY(fit_trial(c, c->start, cfg));
    while (better) {
        LAM_TRY(is_better(c, *best + 1, *best, &better));
        *best += better ? 1 : 0;
    }
    for (better = *best == c->start; better && *best > 0;) {
        LAM_TRY(is_better(c, *best - 1, *best, &better));
        *best -= better ? 1 : 0;
    }
    return LAM_OK;
}

static void say(const search *c, size_t best)
{
    char said[256] = "";
    size_t tried = 0;
    for (size_t i = 0; i < LEVELS; i++) {
        const trial *t = &c->trial[i];
        if (!t->is_tried || !isfinite(t->nll))
            continue;
        size_t at = strlen(said);
        snprintf(said + at, sizeof said - at, "%s%g with %g", tried++ > 0 ? ", " : "", round(t->nll * 1000) / 1000, c->level[i]);
    }
    if (tried < 2 && c->late)
        lam_log_say(&c->first->options.log, "there was no time to try other weight decays than %g", c->level[best]);
    if (tried > 1)
        lam_log_say(&c->first->options.log, "weight decay %g, by the NLL of validation rows: %s", c->level[best], said);
}

/* The best trial's flows become the caller's, which has the test and what it is compared with. */
static void take_flows(search *c, size_t best)
{
    trial *t = &c->trial[best];
    lam_several *s = c->first;
    lam_fit_result *r = s->result, first = *r;
    if (best != c->start) {
        *r = t->result;
        r->test_rows = first.test_rows;
        r->gaussian_test_nll = first.gaussian_test_nll, r->gaussian_test_nll_se = first.gaussian_test_nll_se, r->gaussian_rows = first.gaussian_rows;
        r->mixture_test_nll = first.mixture_test_nll, r->mixture_test_nll_se = first.mixture_test_nll_se;
        r->mixture_components = first.mixture_components, r->mixture_rows = first.mixture_rows;
        r->log_det = first.log_det;
        if (first.ending != LAM_ENDED_SETBACKS && r->ending == LAM_ENDED_ITERATIONS) /* whose number the first one has come to by its limit or plateau */
            r->ending = first.ending;
        s->kept->state = t->kept.state;
    }
    if (c->trial[c->start].flows.tried > 0) { /* else the first one was stopped */
        r->flows = lam_model_flows(t->flows.model);
        r->best_val_nll = t->flows.nll / (double)t->flows.tried;
        r->best_val_nll_se = sqrt(t->flows.variance) / (double)t->flows.tried;
        r->seconds = lam_clock() - c->first->began;
        r->cpu_seconds = lam_cpu_clock() - c->first->cpu_began;
        r->train_seconds = c->train_seconds;
        r->train_cpu_seconds = c->train_cpu_seconds;
    }
    s->is_chosen = 1;
    s->model = t->flows.model;
    s->tried = t->flows.tried;
    s->nll = t->flows.nll;
    s->variance = t->flows.variance;
    s->kept->cfg.weight_decay = c->level[best];
    t->flows.model = NULL;
}

/* More lots of validation rows where one is of few, if they differ. */
static size_t folds_of(const lam_config *cfg, const lam_dataset *data)
{
    size_t rows = data->rows[LAM_VALID], wanted = (ENOUGH_ROWS + rows - 1) / rows, most = cfg->flows < MOST_FOLDS ? cfg->flows : MOST_FOLDS;
    return data->file_row[LAM_VALID] != NULL ? 1 : wanted < most ? wanted : most;
}

static lam_status open_search(search *c, const lam_config *cfg)
{
    lam_config own;
    lam_config_init(&own);
    for (size_t i = 0; i < LEVELS; i++)
        lam_config_init(&c->trial[i].kept.cfg);
    lam_status status = lam_config_copy(&own, cfg);
    if (status == LAM_OK)
        status = lam_config_resolve(&own, c->first->data->rows[LAM_TRAIN], c->first->data->dim);
    if (status == LAM_OK) {
        c->level = own.given.n > 0 ? GIVEN : JOINT;
        for (size_t i = 0; i < LEVELS; i++)
            c->start = c->level[i] <= own.weight_decay ? i : c->start;
        c->folds = folds_of(&own, c->first->data);
    }
    lam_config_clear(&own);
    return status;
}

/* While weight decays are tried, RUN has the configuration that a resume goes on with, as it was asked for: what is chosen is not settled yet. */
static lam_status write_asked(const lam_fit_options *options, const lam_config *cfg)
{
    if (options->run_dir == NULL || !lam_comm_is_first(options->comm))
        return LAM_OK;
    char *path = lam_run_path(options->run_dir, "config.yaml");
    lam_status status = path == NULL ? LAM_ERR_MEMORY : lam_config_save(cfg, path);
    free(path);
    return status;
}

lam_status lam_decay_choose(lam_several *s, const lam_config *cfg)
{
    search c = { .first = s, .run_dir = s->options.run_dir };
    size_t best = 0;
    lam_status status = lam_comm_agree(s->options.comm, open_search(&c, cfg));
    if (status == LAM_OK)
        status = lam_comm_agree(s->options.comm, write_asked(&s->options, cfg));
    if (status == LAM_OK)
        status = walk(&c, cfg, &best);
    s->options.run_dir = c.run_dir;
    s->decay = (double)NAN;
    s->model = NULL; /* it is a trial's */
    if (status == LAM_OK || status == LAM_ERR_INTERRUPTED)
        take_flows(&c, best);
    s->result->finished = s->result->finished && status == LAM_OK;
    for (size_t i = 0; i < LEVELS; i++) {
        lam_model_free(c.trial[i].flows.model);
        lam_config_clear(&c.trial[i].kept.cfg);
    }
    LAM_TRY(status);
    say(&c, best);
    int writes = c.run_dir != NULL && lam_comm_is_first(s->options.comm);
    LAM_TRY(lam_comm_agree(s->options.comm, writes ? take_files(&c, best) : LAM_OK));
    if (writes)
        forget_trials(c.run_dir);
    return lam_several_save(s);
}
