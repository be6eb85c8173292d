/* From a plan to its runs: names, folders, configurations. */
#include "experiment/experiment.h"
#include "base/error.h"
#include "base/need.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/number.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RUNS = 10000 };

void lam_short_number(double value, char text[32])
{
    char number[32];
    size_t n = 0;
    if (value != 0 && fabs(value) < 0.001)
        snprintf(number, sizeof number, "%.5e", value);
    else
        snprintf(number, sizeof number, "%.6g", value);
    const char *e = strchr(number, 'e'), *end = e != NULL ? e : number + strlen(number);
    if (e != NULL && memchr(number, '.', (size_t)(e - number)) != NULL) /* zeros of the mantissa say nothing */
        while (end[-1] == '0' || end[-1] == '.')
            if (*--end == '.')
                break;
    memcpy(text, number, n = (size_t)(end - number));
    if (e != NULL)
        n += (size_t)snprintf(text + n, 32 - n, "e%d", atoi(e + 1));
    text[n] = '\0';
}

/* malloc'd text; NULL: out of memory. */
static char *format(const char *pattern, ...) __attribute__((format(printf, 1, 2)));
static char *format(const char *pattern, ...)
{
    va_list args, again;
    va_start(args, pattern);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, pattern, args);
    char *text = n < 0 ? NULL : malloc((size_t)n + 1);
    if (text != NULL)
        vsnprintf(text, (size_t)n + 1, pattern, again);
    else
        lam_fail(LAM_ERR_MEMORY, "out of memory while listing the runs of an experiment");
    va_end(again);
    va_end(args);
    return text;
}

/* ---- configurations ----------------------------------------------------------------------------------------------- */

static lam_status set_number(lam_config *cfg, const char *name, double value)
{
    char text[LAM_NUMBER_SIZE];
    lam_number_print(value, text);
    return lam_config_set(cfg, name, text);
}

/* A time budget ends the run wherever it is: its iterations are no limit then. */
static lam_status set_budget(lam_config *cfg, const lam_budget *budget)
{
    lam_budget_kind kind = lam_budget_said(budget);
    cfg->max_seconds = budget->amount[LAM_BUDGET_SECONDS];
    cfg->max_processor_seconds = budget->amount[LAM_BUDGET_PROCESSOR_SECONDS];
    return set_number(cfg, "iterations", kind == LAM_BUDGET_ITERATIONS ? budget->amount[kind] : LAM_UNENDING);
}

static lam_status set_at(const lam_experiment *e, lam_config *cfg, const char *name, const lam_plan_word *word)
{
    lam_status status = lam_config_set(cfg, name, word->text);
    return status == LAM_OK ? LAM_OK : lam_yaml_at(e->plan_path, word->mark, status);
}

static lam_status load_config(const lam_experiment *e, const lam_grid_run *run, lam_config *cfg)
{
    const char *path = e->config_paths[run->data];
    lam_status status = path != NULL ? lam_config_load(cfg, path) : LAM_OK;
    if (status == LAM_ERR_IO)
        return lam_yaml_at(e->plan_path, e->plan.data[run->data].config.mark, status);
    if (status == LAM_OK && cfg->model != LAM_DENSITY) {
        lam_fail(LAM_ERR_ARGUMENT, "%s is the configuration of a variational auto-encoder; experiments are of tables "
            "of numbers", path);
        return lam_yaml_at(e->plan_path, e->plan.data[run->data].config.mark, LAM_ERR_ARGUMENT);
    }
    return status;
}

const lam_plan_word *lam_experiment_tolerance(const lam_experiment *e, const lam_grid_run *run)
{
    int own = run->choosing && e->plan.choose.tolerance.text != NULL;
    return own ? &e->plan.choose.tolerance : &e->tolerances.items[run->tolerance];
}

const lam_plan_word *lam_experiment_seed(const lam_experiment *e, const lam_grid_run *run)
{
    int own = run->choosing && e->plan.choose.seed.text != NULL;
    return own ? &e->plan.choose.seed : &e->seeds.items[run->seed];
}

const lam_budget *lam_experiment_budget(const lam_experiment *e, int choosing)
{
    int own = choosing && lam_budget_said(&e->plan.choose.budget) != LAM_BUDGET_NONE;
    return own ? &e->plan.choose.budget : &e->plan.budget;
}

static lam_status configure_run(const lam_experiment *e, const lam_grid_run *run, size_t value, lam_config *cfg)
{
    const lam_plan *plan = &e->plan;
    const lam_plan_penalty *penalty = &plan->penalties[run->penalty];
    LAM_TRY(load_config(e, run, cfg));
    LAM_TRY(lam_settings_apply(&plan->settings, e->plan_path, cfg));
    LAM_TRY(lam_settings_apply(&plan->data[run->data].settings, e->plan_path, cfg));
    LAM_TRY(lam_settings_apply(&penalty->settings, e->plan_path, cfg));
    for (size_t i = 0; value != LAM_NO_VALUE && i < penalty->parameters.n; i++)
        LAM_TRY(set_at(e, cfg, penalty->parameters.items[i].text, &penalty->values.items[value]));
    LAM_TRY(set_at(e, cfg, "atol", lam_experiment_tolerance(e, run)));
    LAM_TRY(set_at(e, cfg, "rtol", lam_experiment_tolerance(e, run)));
    LAM_TRY(set_at(e, cfg, "seed", lam_experiment_seed(e, run)));
    cfg->threads = 1;
    if (plan->threads.text != NULL)
        LAM_TRY(set_at(e, cfg, "threads", &plan->threads));
    LAM_TRY(set_budget(cfg, lam_experiment_budget(e, run->choosing)));
    lam_status status = lam_config_check(cfg);
    if (status != LAM_OK) {
        lam_fail_in(status, "%s on %s", penalty->name.text, plan->data[run->data].name.text);
        return lam_yaml_at(e->plan_path, penalty->name.mark, status);
    }
    return LAM_OK;
}

lam_status lam_experiment_configure(const lam_experiment *e, const lam_grid_run *run, size_t value, lam_config *cfg)
{
    lam_config_init(cfg);
    cfg->tpr_coefficient = cfg->tpr_l_weight = 0; /* a penalty is what the plan says, not what a fit does by itself */
    lam_status status = configure_run(e, run, value, cfg);
    if (status != LAM_OK)
        lam_config_clear(cfg);
    return status;
}

/* ---- runs --------------------------------------------------------------------------------------------------------- */

int lam_experiment_chooses(const lam_experiment *e, size_t penalty)
{
    return e->plan.choose.wanted && e->plan.penalties[penalty].values.n > 1;
}

/* "=0.5" in folders and " 0.5" in names; "" without a value of its own. */
static void value_text(const lam_grid_run *run, const lam_plan_penalty *penalty, const char *before, char text[40])
{
    double value = 0;
    char number[32];
    text[0] = '\0';
    if (run->value == LAM_NO_VALUE)
        return;
    (void)lam_number_read(penalty->values.items[run->value].text, &value);
    lam_short_number(value, number);
    snprintf(text, 40, "%s%s", before, number);
}

static lam_status name_run(const lam_experiment *e, lam_grid_run *run)
{
    const lam_plan_data *data = &e->plan.data[run->data];
    const lam_plan_penalty *penalty = &e->plan.penalties[run->penalty];
    char slugs[2][LAM_PLAN_NAME + 1], value[2][40], tolerance[32];
    double number = 0;
    lam_plan_slug(data->name.text, slugs[0]);
    lam_plan_slug(penalty->name.text, slugs[1]);
    value_text(run, penalty, "=", value[0]);
    value_text(run, penalty, " ", value[1]);
    (void)lam_number_read(e->tolerances.items[run->tolerance].text, &number);
    lam_short_number(number, tolerance);
    const char *seed = e->seeds.items[run->seed].text;
    if (run->choosing) {
        run->folder = format("%s/choose/%s/%s%s", e->dir, slugs[0], slugs[1], value[0]);
        run->name = format("choosing: %s, %s%s", data->name.text, penalty->name.text, value[1]);
    } else {
        run->folder = format("%s/runs/%s/%s%s/%s_seed%s", e->dir, slugs[0], slugs[1], value[0], tolerance, seed);
        run->name = format("%s, %s%s, tolerance %s, seed %s", data->name.text, penalty->name.text, value[1], tolerance, seed);
    }
    const char *const paths[3] = { data->file.text, data->valid.text, data->test.text };
    for (size_t i = 0; i < 3; i++)
        if (paths[i] != NULL && (run->paths[i] = lam_plan_path(e->plan_path, paths[i])) == NULL)
            return LAM_ERR_MEMORY;
    return run->folder != NULL && run->name != NULL ? LAM_OK : LAM_ERR_MEMORY;
}

static lam_status add_run(lam_experiment *e, const lam_grid_run *said)
{
    if (e->n_runs == MOST_RUNS)
        return lam_fail(LAM_ERR_ARGUMENT, "%s: more than %d runs; make several plans of it", e->plan_path, MOST_RUNS);
    lam_grid_run *larger = realloc(e->runs, (e->n_runs + 1) * sizeof *larger);
    if (larger == NULL)
        return lam_fail(LAM_ERR_MEMORY, "out of memory while listing the runs of an experiment");
    e->runs = larger;
    lam_grid_run *run = &e->runs[e->n_runs++];
    *run = *said;
    LAM_TRY(name_run(e, run));
    int waits = !run->choosing && lam_experiment_chooses(e, run->penalty);
    LAM_TRY(lam_experiment_configure(e, run, waits ? 0 : run->value, &run->config));
    if (waits) /* with the first value, only to see that it could be run */
        lam_config_clear(&run->config);
    run->configured = !waits;
    return LAM_OK;
}

/* Each value of a coefficient that is to be chosen. */
static lam_status add_choosing_runs(lam_experiment *e)
{
    for (size_t p = 0; p < e->plan.n_penalties; p++)
        for (size_t v = 0; lam_experiment_chooses(e, p) && v < e->plan.penalties[p].values.n; v++)
            LAM_TRY(add_run(e, &(lam_grid_run) { .data = e->plan.choose.on, .penalty = p, .value = v, .choosing = 1 }));
    return LAM_OK;
}

/* All that is compared with each other before the next seed or tolerance, so that what there is of a plan that is not run to its
 * end can be compared. */
static lam_status add_grid_runs(lam_experiment *e)
{
    for (size_t s = 0; s < e->seeds.n; s++)
        for (size_t t = 0; t < e->tolerances.n; t++)
            for (size_t d = 0; d < e->plan.n_data; d++)
                for (size_t p = 0; p < e->plan.n_penalties; p++) {
                    size_t values = e->plan.penalties[p].values.n, n = values == 0 || lam_experiment_chooses(e, p) ? 1 : values;
                    for (size_t v = 0; v < n; v++)
                        LAM_TRY(add_run(e, &(lam_grid_run) { .data = d, .penalty = p, .tolerance = t, .seed = s,
                            .value = values == 0 || lam_experiment_chooses(e, p) ? LAM_NO_VALUE : v }));
                }
    return LAM_OK;
}

/* What a plan without tolerances or seeds means, and the paths of its configurations. */
static lam_status prepare(lam_experiment *e)
{
    e->usual[0].text = strcpy(e->usual_text[0], "1.0e-4");
    e->usual[1].text = strcpy(e->usual_text[1], "1");
    e->tolerances = e->plan.tolerances.n > 0 ? e->plan.tolerances : (lam_plan_words) { &e->usual[0], 1, 0 };
    e->seeds = e->plan.seeds.n > 0 ? e->plan.seeds : (lam_plan_words) { &e->usual[1], 1, 0 };
    e->config_paths = calloc(e->plan.n_data, sizeof *e->config_paths);
    e->chosen = calloc(e->plan.n_penalties, sizeof *e->chosen);
    if (e->config_paths == NULL || e->chosen == NULL)
        return lam_fail(LAM_ERR_MEMORY, "out of memory while reading %s", e->plan_path);
    for (size_t p = 0; p < e->plan.n_penalties; p++)
        e->chosen[p] = LAM_NO_VALUE;
    for (size_t d = 0; d < e->plan.n_data; d++) {
        const char *config = e->plan.data[d].config.text;
        if (config != NULL && (e->config_paths[d] = lam_plan_path(e->plan_path, config)) == NULL)
            return LAM_ERR_MEMORY;
    }
    return LAM_OK;
}

/* A penalty whose settings switch nothing on is another's fit once more, and its figures beside that one's say nothing. */
static lam_status check_differs(const lam_experiment *e, const lam_grid_run *run, const lam_grid_run *before)
{
    lam_difference found;
    LAM_TRY(lam_param_difference(&run->config, &before->config, 0, 1, &found));
    if (found.param != NULL)
        return LAM_OK;
    const lam_plan_penalty *penalty = &e->plan.penalties[run->penalty];
    lam_fail(LAM_ERR_ARGUMENT, "\"%s\" is the same fit as \"%s\": what it sets switches nothing on (tpr: true, or a coefficient "
        "above 0, does)", penalty->name.text, e->plan.penalties[before->penalty].name.text);
    return lam_yaml_at(e->plan_path, penalty->name.mark, LAM_ERR_ARGUMENT);
}

static lam_status check_all_differ(const lam_experiment *e)
{
    for (size_t i = 0; i < e->n_runs; i++)
        for (size_t j = 0; j < i; j++) {
            const lam_grid_run *a = &e->runs[j], *b = &e->runs[i];
            if (a->seed == 0 && b->seed == 0 && a->tolerance == 0 && b->tolerance == 0 && a->data == b->data && a->penalty != b->penalty
                && a->configured && b->configured && !a->choosing && !b->choosing)
                LAM_TRY(check_differs(e, b, a));
        }
    return LAM_OK;
}

/* The list no longer moves: what is shown of a run points into it. */
static void point_shown(lam_experiment *e)
{
    const double unknown = (double)NAN;
    for (size_t i = 0; i < e->n_runs; i++) {
        lam_grid_run *run = &e->runs[i];
        run->shown = (lam_experiment_run) { .choosing = run->choosing, .name = run->name, .folder = run->folder, .data = run->paths[0],
            .valid = run->paths[1], .test = run->paths[2], .config = run->configured ? &run->config : NULL, .message = "",
            .iterations = unknown, .test_nll = unknown, .best_val_nll = unknown, .test_nll_se = unknown, .best_val_nll_se = unknown, .seconds = unknown, .train_seconds = unknown,
            .train_cpu_seconds = unknown };
    }
}

static lam_status fill(lam_experiment *e, const char *plan_path, const char *dir)
{
    size_t size;
    if ((e->plan_path = lam_strdup(plan_path)) == NULL || (e->dir = lam_strdup(dir)) == NULL)
        return LAM_ERR_MEMORY;
    for (size_t n = strlen(e->dir); n > 1 && e->dir[n - 1] == '/'; n--)
        e->dir[n - 1] = '\0';
    LAM_TRY(lam_file_read(plan_path, &e->plan_text, &size));
    LAM_TRY(lam_plan_parse(&e->plan, e->plan_text, size, plan_path));
    LAM_TRY(prepare(e));
    LAM_TRY(add_choosing_runs(e));
    LAM_TRY(add_grid_runs(e));
    LAM_TRY(check_all_differ(e));
    point_shown(e);
    return LAM_OK;
}

lam_status lam_experiment_open(const char *plan_path, const char *dir, lam_experiment **out)
{
    LAM_NEED(out, "out");
    *out = NULL;
    LAM_NEED(plan_path, "plan_path");
    LAM_NEED(dir, "dir");
    if (plan_path == NULL || dir == NULL || dir[0] == '\0' || out == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "lam_experiment_open needs a plan, a folder and a place for the experiment");
    *out = NULL;
    lam_experiment *e = calloc(1, sizeof *e);
    if (e == NULL)
        return lam_fail(LAM_ERR_MEMORY, "out of memory while reading %s", plan_path);
    lam_status status = fill(e, plan_path, dir);
    if (status == LAM_OK)
        *out = e;
    else
        lam_experiment_free(e);
    return status;
}

void lam_experiment_free(lam_experiment *e)
{
    if (e == NULL)
        return;
    for (size_t i = 0; i < e->n_runs; i++) {
        lam_grid_run *run = &e->runs[i];
        char *const texts[] = { run->name, run->folder, run->paths[0], run->paths[1], run->paths[2], run->message, run->machine,
            run->data_hash, run->warnings };
        for (size_t j = 0; j < sizeof texts / sizeof texts[0]; j++)
            free(texts[j]);
        if (run->configured)
            lam_config_clear(&run->config);
    }
    for (size_t d = 0; e->config_paths != NULL && d < e->plan.n_data; d++)
        free(e->config_paths[d]);
    free(e->config_paths);
    free(e->chosen);
    free(e->runs);
    free(e->plan_path);
    free(e->plan_text);
    free(e->dir);
    lam_plan_clear(&e->plan);
    free(e);
}

const char *lam_experiment_title(const lam_experiment *e)
{
    if (e == NULL)
        return NULL;
    return e->plan.title.text != NULL ? e->plan.title.text : e->plan.name.text != NULL ? e->plan.name.text : "experiment";
}

const lam_experiment_run *lam_experiment_run_at(const lam_experiment *e, size_t index)
{
    return e != NULL && index < e->n_runs ? &e->runs[index].shown : NULL;
}
