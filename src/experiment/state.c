/* How far each run of an experiment is: read from its folder, and noted there. */
#include "base/error.h"
#include "base/need.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/names.h"
#include "experiment/csv.h"
#include "experiment/experiment.h"
#include "model/defaults.h"
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH = 4096 };

static lam_status join(const char *folder, const char *name, char path[PATH])
{
    if (snprintf(path, PATH, "%s/%s", folder, name) >= PATH)
        return lam_fail(LAM_ERR_ARGUMENT, "the path %s/%s is too long; choose a folder nearer to the root", folder, name);
    return LAM_OK;
}

/* ---- the settings of what is there -------------------------------------------------------------------------------- */

static lam_status same_config(const char *folder, const lam_config *made, const lam_config *planned)
{
    /* how a run goes about its work may change from day to day, and so may what the clock has chosen of one with a limit of time */
    int by_clock = lam_config_is_timed(planned) && planned->decay_from == 0;
    lam_difference found;
    LAM_TRY(lam_param_difference(made, planned, by_clock ? LAM_PARAM_HOW | LAM_PARAM_CLOCK : LAM_PARAM_HOW, 0, &found));
    if (found.param != NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "%s was made with %s %s, and by the plan it is %s now; put the plan back, choose "
            "another folder for the experiment, or remove that folder to have the run made anew", folder, found.param->shown.name,
            found.a, found.b);
    return LAM_OK;
}

static lam_status check_settings(const lam_grid_run *run)
{
    char path[PATH];
    LAM_TRY(join(run->folder, "config.yaml", path));
    if (access(path, F_OK) != 0)
        return LAM_OK;
    lam_config made;
    lam_config_init(&made);
    lam_status status = lam_config_load(&made, path);
    if (status == LAM_OK)
        status = same_config(run->folder, &made, &run->config);
    lam_config_clear(&made);
    return status;
}

/* ---- notes -------------------------------------------------------------------------------------------------------- */

static double number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static lam_status keep_text(const cJSON *object, const char *name, char **kept)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    free(*kept);
    *kept = NULL;
    return text == NULL || (*kept = lam_strdup(text)) != NULL ? LAM_OK : LAM_ERR_MEMORY;
}

/* What state.json says, if there is one; a damaged one says nothing. */
static lam_status read_note(lam_grid_run *run, lam_run_state *state)
{
    char path[PATH], *text;
    size_t size;
    LAM_TRY(join(run->folder, "state.json", path));
    *state = LAM_RUN_WAITING;
    if (access(path, F_OK) != 0)
        return LAM_OK;
    LAM_TRY(lam_file_read(path, &text, &size));
    cJSON *object = cJSON_ParseWithLength(text, size);
    free(text);
    const char *word = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "state"));
    *state = word != NULL && strcmp(word, "failed") == 0 ? LAM_RUN_FAILED : LAM_RUN_BEGUN;
    run->load = number(object, "load");
    run->load_seconds = number(object, "load_seconds");
    lam_status status = keep_text(object, "message", &run->message);
    if (status == LAM_OK)
        status = keep_text(object, "machine", &run->machine);
    if (status == LAM_OK)
        status = keep_text(object, "data_hash", &run->data_hash);
    if (status == LAM_OK)
        status = keep_text(object, "warnings", &run->warnings);
    cJSON_Delete(object);
    return status;
}

static lam_status write_note(const char *path, const lam_run_note *note, double load, double seconds)
{
    cJSON *object = cJSON_CreateObject();
    const char *const texts[][2] = { { "state", lam_run_state_name(note->state) }, { "message", note->message },
        { "machine", note->machine }, { "data_hash", note->data_hash }, { "warnings", note->warnings } };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i][1] != NULL)
            cJSON_AddStringToObject(object, texts[i][0], texts[i][1]);
    if (seconds > 0) {
        cJSON_AddNumberToObject(object, "load", load);
        cJSON_AddNumberToObject(object, "load_seconds", seconds);
    }
    char *text = cJSON_Print(object);
    cJSON_Delete(object);
    if (text == NULL)
        return lam_fail(LAM_ERR_MEMORY, "out of memory while writing %s", path);
    lam_out_file out;
    lam_status status = lam_out_open(&out, path);
    if (status == LAM_OK) {
        fprintf(out.stream, "%s\n", text);
        status = lam_out_commit(&out);
    }
    cJSON_free(text);
    return status;
}

lam_status lam_experiment_note(lam_experiment *e, size_t index, const lam_run_note *note)
{
    LAM_NEED(e, "experiment");
    LAM_NEED(note, "note");
    char path[PATH];
    lam_run_state before;
    if (index >= e->n_runs)
        return lam_fail(LAM_ERR_ARGUMENT, "there is no run %zu; the experiment has %zu", index, e->n_runs);
    lam_grid_run *run = &e->runs[index];
    LAM_TRY(join(run->folder, "state.json", path));
    LAM_TRY(read_note(run, &before));
    double seconds = run->load_seconds + note->seconds;
    double load = seconds > 0 ? (run->load * run->load_seconds + note->load * note->seconds) / seconds : 0;
    lam_run_note whole = *note;
    whole.data_hash = note->data_hash != NULL ? note->data_hash : run->data_hash;
    whole.warnings = note->warnings != NULL ? note->warnings : run->warnings;
    return write_note(path, &whole, load, seconds);
}

lam_status lam_experiment_check_data(const lam_experiment *e, size_t index, const char *data_hash)
{
    LAM_NEED(e, "experiment");
    LAM_NEED(data_hash, "data_hash");
    if (index >= e->n_runs)
        return lam_fail(LAM_ERR_ARGUMENT, "there is no run %zu; the experiment has %zu", index, e->n_runs);
    const lam_grid_run *run = &e->runs[index];
    for (size_t i = 0; i < e->n_runs; i++) {
        const lam_grid_run *other = &e->runs[i];
        if (other->shown.state != LAM_RUN_FINISHED || other->data != run->data || other->data_hash == NULL || !run->configured)
            continue;
        const lam_config *a = &run->config, *b = &other->config;
        int same_columns = lam_names_equal(&a->columns, &b->columns) && lam_names_equal(&a->drop, &b->drop) && a->drop_bad_rows == b->drop_bad_rows
            && a->drop_duplicates == b->drop_duplicates && a->header == b->header;
        if (same_columns && strcmp(other->data_hash, data_hash) != 0)
            return lam_fail(LAM_ERR_DATA, "%s holds other data than when %s was run; put back what it was, or start over in another folder",
                run->paths[0], other->name);
    }
    return LAM_OK;
}

/* ---- refreshing --------------------------------------------------------------------------------------------------- */

/* A run of which nothing is known. */
static void forget(lam_grid_run *run)
{
    lam_experiment_run *shown = &run->shown;
    shown->iterations = shown->test_nll = shown->best_val_nll = (double)NAN;
    shown->test_nll_se = shown->best_val_nll_se = (double)NAN;
    shown->seconds = shown->train_seconds = shown->train_cpu_seconds = (double)NAN;
    shown->state = LAM_RUN_WAITING;
    shown->message = "";
}

static lam_status refresh_run(lam_grid_run *run)
{
    char path[PATH];
    lam_run_state state;
    forget(run);
    LAM_TRY(check_settings(run));
    LAM_TRY(read_note(run, &state));
    LAM_TRY(join(run->folder, "metrics.jsonl", path));
    lam_history history = { 0 };
    if (access(path, F_OK) == 0) {
        LAM_TRY(lam_history_read(run->folder, &history));
        state = history.finished ? LAM_RUN_FINISHED : state == LAM_RUN_FAILED ? state : LAM_RUN_BEGUN;
        run->shown.iterations = history.iterations;
        run->shown.test_nll = history.test_nll;
        run->shown.best_val_nll = history.best_val_nll;
        run->shown.test_nll_se = history.test_nll_se;
        run->shown.best_val_nll_se = history.best_val_nll_se;
        run->shown.seconds = history.seconds;
        run->shown.train_seconds = history.train_seconds;
        run->shown.train_cpu_seconds = history.train_cpu_seconds;
        lam_history_free(&history);
    }
    run->shown.state = state;
    if (state == LAM_RUN_FAILED)
        run->shown.message = run->message != NULL ? run->message : "it is not known why";
    return LAM_OK;
}

/* The lowest best validation NLL within the budget; runs that failed lose. *done 0: some have not ended yet. */
static size_t choose(const lam_experiment *e, size_t penalty, int *done)
{
    size_t best = LAM_NO_VALUE;
    double lowest = (double)INFINITY;
    *done = 1;
    for (size_t i = 0; i < e->n_runs; i++) {
        const lam_grid_run *run = &e->runs[i];
        if (!run->choosing || run->penalty != penalty)
            continue;
        *done = *done && run->shown.state >= LAM_RUN_FAILED;
        if (run->shown.state == LAM_RUN_FINISHED && run->shown.best_val_nll < lowest) {
            lowest = run->shown.best_val_nll;
            best = run->value;
        }
    }
    return best;
}

/* A grid run gets the configuration that its penalty's choice asks for. */
static lam_status apply_choice(lam_experiment *e, lam_grid_run *run, int done)
{
    static const char nothing[] = "no coefficient could be chosen: all the runs that were to show one failed";
    if (run->configured)
        lam_config_clear(&run->config);
    run->configured = 0;
    run->shown.config = NULL;
    forget(run);
    if (!done)
        return LAM_OK;
    if (e->chosen[run->penalty] == LAM_NO_VALUE) {
        run->shown.state = LAM_RUN_FAILED;
        run->shown.message = nothing;
        return LAM_OK;
    }
    LAM_TRY(lam_experiment_configure(e, run, e->chosen[run->penalty], &run->config));
    run->configured = 1;
    run->shown.config = &run->config;
    return refresh_run(run);
}

static lam_status refresh(lam_experiment *e)
{
    for (size_t i = 0; i < e->n_runs; i++)
        if (e->runs[i].choosing || !lam_experiment_chooses(e, e->runs[i].penalty))
            LAM_TRY(refresh_run(&e->runs[i]));
    for (size_t p = 0; p < e->plan.n_penalties; p++) {
        int done = 0;
        if (!lam_experiment_chooses(e, p))
            continue;
        size_t best = choose(e, p, &done);
        e->chosen[p] = done ? best : LAM_NO_VALUE;
        for (size_t i = 0; i < e->n_runs; i++)
            if (!e->runs[i].choosing && e->runs[i].penalty == p)
                LAM_TRY(apply_choice(e, &e->runs[i], done));
    }
    return LAM_OK;
}

/* Runs whose folders disagree with the plan; the last error is lost. */
static size_t disagreeing(const lam_experiment *e)
{
    size_t n = 0;
    for (size_t i = 0; i < e->n_runs; i++)
        n += e->runs[i].configured && check_settings(&e->runs[i]) != LAM_OK;
    return n;
}

lam_status lam_experiment_refresh(lam_experiment *e)
{
    LAM_NEED(e, "experiment");
    char first[2048];
    lam_status status = refresh(e);
    if (status != LAM_ERR_ARGUMENT)
        return status;
    snprintf(first, sizeof first, "%s", lam_last_error());
    size_t n = disagreeing(e);
    return n > 1 ? lam_fail(status, "%s (and so for %zu more)", first, n - 1) : lam_fail(status, "%s", first);
}
