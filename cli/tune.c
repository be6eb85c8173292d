/* laminar tune: the cheapest way to evaluate a model that keeps a bound on the error of log p. */
#include "cli.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct tune_args {
    double error, percentile_error;
    const char *valid, *test, *out;
    size_t rows;
    uint64_t seed;
    int all, undo;
    cli_eval eval; /* threads, batch rows and --config alone */
    cli_choice choice;
} tune_args;

static const cli_option tune_options[] = {
    {"error", 0, CLI_REAL, "X", "bound on the root mean square error of log p, nats", offsetof(tune_args, error)},
    {"percentile-error", 0, CLI_REAL, "X", "bound on the 99th percentile of the error, nats; default: --error",
        offsetof(tune_args, percentile_error)},
    {"valid", 0, CLI_TEXT, "FILE", "validation rows; default: those of the fit", offsetof(tune_args, valid)},
    {"test", 0, CLI_TEXT, "FILE", "test rows; default: those of the fit", offsetof(tune_args, test)},
    {"rows", 0, CLI_COUNT, "N", "validation rows, and test rows, to use, spread over all; default at most 2000",
        offsetof(tune_args, rows)},
    {"seed", 0, CLI_SEED, "N", "of the halves that rows of your own are cut into; default 0", offsetof(tune_args, seed)},
    {"all", 0, CLI_SWITCH, NULL, "list every setting that was tried, not the front alone", offsetof(tune_args, all)},
    {"undo", 0, CLI_SWITCH, NULL, "restore the fit's own setting; needs no DATA", offsetof(tune_args, undo)},
    {"out", 'o', CLI_TEXT, "FILE", "write the tuned model to FILE; default: to MODEL itself", offsetof(tune_args, out)},
    CLI_CHOICE_OPTIONS(tune_args),
    CLI_STANDARDISED_OPTION(tune_args),
    {"threads", 0, CLI_COUNT, "N", "threads; default: one per processor", offsetof(tune_args, eval.threads)},
    {"batch-rows", 0, CLI_COUNT, "N", "rows solved together; default 1000", offsetof(tune_args, eval.batch_rows)},
    CLI_CONFIG_OPTION(tune_args),
    {0},
};

/* ---- rows --------------------------------------------------------------------------------------------------------- */

typedef struct tune_data {
    lam_table *all, *valid, *test; /* as read; valid and test may be NULL */
    lam_dataset *fitted;           /* the fit's own split; NULL where these are other rows */
    const double *x, *y;           /* validation, test; y NULL: halves of x */
    size_t n, n_test;
    lam_units units;
} tune_data;

static void data_free(tune_data *d)
{
    lam_table_free(d->all);
    lam_table_free(d->valid);
    lam_table_free(d->test);
    lam_dataset_free(d->fitted);
}

/* The data of the fit, split as the fit did, if these are they. */
static void find_fitted(const lam_model *model, tune_data *d)
{
    const char *hash = lam_model_data_hash(model);
    if (d->valid == NULL && d->test == NULL && strcmp(d->all->hash, hash) != 0)
        return;
    if (lam_dataset_build(lam_model_config(model), d->all, d->valid, d->test, NULL, &d->fitted) == LAM_OK
        && strcmp(lam_dataset_hash(d->fitted), hash) == 0)
        return;
    lam_dataset_free(d->fitted);
    d->fitted = NULL;
}

static int use_fitted(const char *path, tune_data *d)
{
    d->units = LAM_UNITS_STANDARDISED;
    d->x = lam_dataset_rows(d->fitted, LAM_VALID, &d->n);
    d->y = lam_dataset_rows(d->fitted, LAM_TEST, &d->n_test);
    if (d->n == 0)
        return cli_fail("the fit set no validation rows of %s aside (val-fraction 0), and the rows that it was trained on will not "
            "do; name others by --valid FILE", path);
    if (d->n_test == 0) {
        d->y = NULL;
        cli_say("note: the fit set no test rows aside; half of its validation rows choose the setting, the other half tests it");
    }
    return CLI_OK;
}

static void use_others(const char *path, const tune_args *args, tune_data *d)
{
    const lam_table *x = d->valid != NULL ? d->valid : d->all;
    d->units = LAM_UNITS_DATA;
    d->x = x->values;
    d->n = x->rows;
    d->y = d->test != NULL ? d->test->values : NULL;
    d->n_test = d->test != NULL ? d->test->rows : 0;
    const char *name = d->valid != NULL ? args->valid : path;
    if (d->y == NULL)
        cli_say("note: these are not the data of the fit; half of the rows of %s choose the setting, the other half tests it "
            "(--seed)", name);
    else
        cli_say("note: these are not the data of the fit; the rows of %s choose the setting, those of %s test it", name,
            args->test);
}

static int read_rows(const char *path, const tune_args *args, const lam_model *model, tune_data *d)
{
    const lam_config *cfg = lam_model_config(model);
    cli_choice choice = args->choice;
    choice.drop_bad_rows |= lam_config_is(cfg, "drop-bad-rows", "true");
    choice.drop_duplicates = lam_config_is(cfg, "drop-duplicates", "true");
    choice.threads = args->eval.threads;
    int code = cli_stdin_once(path, args->valid, args->test);
    if (code == CLI_OK)
        code = cli_data_read(path, &choice, model, &d->all);
    if (code == CLI_OK && args->valid != NULL)
        code = cli_data_read(args->valid, &choice, model, &d->valid);
    if (code == CLI_OK && args->test != NULL)
        code = cli_data_read(args->test, &choice, model, &d->test);
    if (code != CLI_OK)
        return code;
    find_fitted(model, d);
    if (d->fitted != NULL)
        return use_fitted(path, d);
    use_others(path, args, d);
    return CLI_OK;
}

/* ---- progress ----------------------------------------------------------------------------------------------------- */

typedef struct tune_watch {
    int told;    /* the projection has been printed, or was too short to be */
    double last; /* cli_clock of the line last shown */
} tune_watch;

static int show(void *user, const lam_tune_progress *p)
{
    tune_watch *watch = user;
    char line[160], left[32];
    cli_duration(p->seconds_left, left);
    if (!watch->told && p->seconds_left > CLI_PATIENCE)
        cli_say("%zu rows for the reference, and then the candidates, will take about %s", p->rows, left);
    watch->told = 1;
    if (p->rows_done < p->rows)
        snprintf(line, sizeof line, "tuning: reference, %zu of %zu rows, about %s left", p->rows_done, p->rows, left);
    else
        snprintf(line, sizeof line, "tuning: %zu settings tried", p->candidates);
    cli_progress_line(line, p->seconds, &watch->last);
    return 0;
}

/* ---- results ------------------------------------------------------------------------------------------------------ */

static void add_heads(cli_grid *grid, const char *what)
{
    static const char *const heads[] = {"cost", "evaluations of f", "with the trace", "rms, nats", "99th percentile", "processor s"};
    cli_grid_add(grid, "%s", what);
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        cli_grid_add(grid, "%s", heads[i]);
}

static void add_error(cli_grid *grid, double error)
{
    if (isfinite(error))
        cli_grid_add(grid, "%.2e", error);
    else
        cli_grid_add(grid, "-");
}

static void add_candidate(cli_grid *grid, const char *name, const lam_tune_candidate *c)
{
    char how[128];
    cli_grid_add(grid, "%s%s", name, cli_setting_text(&c->setting, how));
    cli_grid_number(grid, 1, c->cost);
    cli_grid_number(grid, 1, c->calls);
    cli_grid_number(grid, 1, c->calls - c->untraced);
    add_error(grid, c->rms);
    add_error(grid, c->percentile);
    cli_grid_number(grid, 3, c->cpu_seconds);
}

/* By cost; where the solver gave up, last. */
static int by_cost(const void *a, const void *b)
{
    const lam_tune_candidate *x = *(const lam_tune_candidate *const *)a, *y = *(const lam_tune_candidate *const *)b;
    int x_failed = isnan(x->cost), y_failed = isnan(y->cost);
    if (x_failed || y_failed)
        return x_failed - y_failed;
    if (x->cost != y->cost)
        return x->cost < y->cost ? -1 : 1;
    return x->rms < y->rms ? -1 : x->rms > y->rms;
}

static void print_candidates(const lam_tune_result *r, int all)
{
    cli_grid grid = {.columns = 7};
    const lam_tune_candidate **shown = cli_alloc(r->n_candidates, sizeof *shown);
    size_t n = 0;
    for (size_t i = 0; i < r->n_candidates; i++)
        if (all || i == 0 || i == r->chosen || r->candidates[i].on_front)
            shown[n++] = &r->candidates[i];
    qsort(shown, n, sizeof *shown, by_cost);
    add_heads(&grid, "validation rows");
    for (size_t i = 0; i < n; i++) {
        size_t index = (size_t)(shown[i] - r->candidates);
        add_candidate(&grid, index == r->chosen ? "* " : index == 0 ? "before: " : "  ", shown[i]);
    }
    cli_grid_print(&grid, stdout);
    free(shown);
}

static void report(const lam_tune_result *r, const tune_args *args)
{
    char text[32];
    cli_grid grid = {.columns = 7};
    printf("rows         %zu validation, %zu test; log p in nats\n", r->rows, r->test_rows);
    printf("reference    dop853 at %g in double, exact trace, %.1f evaluations of f per batch; rms %.1e from ten times that tolerance\n",
        r->reference_tolerance, r->reference_calls, r->reference_error);
    printf("tried        %zu settings, %s\n", r->n_candidates, cli_duration(r->seconds, text));
    printf("cost         evaluations of f with the trace per batch; one of f alone counts as %.2f\n\n", r->untraced_cost);
    print_candidates(r, args->all);
    printf("\n");
    add_heads(&grid, "test rows");
    add_candidate(&grid, "before: ", &r->test_before);
    if (r->chosen < r->n_candidates)
        add_candidate(&grid, "after: ", &r->test_after);
    cli_grid_print(&grid, stdout);
}

/* What a fit needs to validate in the same way. */
static void print_flags(const lam_setting *s)
{
    printf("a fit validates in this way by --test-solver %s", s->solver);
    if (s->steps > 0)
        printf(" --test-steps %zu", s->steps);
    else
        printf(" --test-atol %g --test-rtol %g", s->atol, s->rtol);
    if (s->trace_points > 0)
        printf(" --test-trace-points %zu", s->trace_points);
    printf("\n");
}

/* ---- the command -------------------------------------------------------------------------------------------------- */

static int same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec
        && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Into its own file only if that is still the one that was read: a fit that goes on may have put better weights there. */
static int save(const lam_model *model, const char *file, const struct stat *read, const char *out)
{
    struct stat now;
    if (out == NULL && (stat(file, &now) != 0 || !same_file(read, &now)))
        return cli_fail("%s was replaced in the meantime, and is left as it is now; is its fit still going on? Tune when it has "
            "ended, or name another file by --out", file);
    return lam_model_save(model, out != NULL ? out : file) == LAM_OK ? CLI_OK : cli_library_failed();
}

static int tune(const char *path, const tune_args *args, lam_model *model, lam_tune_result *result)
{
    tune_watch watch = {0};
    tune_data data = {0};
    lam_tune_options options = {.error = args->error, .percentile_error = args->percentile_error, .rows = args->rows,
        .seed = args->seed, .batch_rows = args->eval.batch_rows, .threads = args->eval.threads, .isa = cli_isa(), .progress = show,
        .user = &watch};
    int code = read_rows(path, args, model, &data);
    if (code == CLI_OK) {
        options.units = data.units;
        lam_status status = lam_tune(model, &options, data.x, data.n, data.y, data.n_test, result);
        cli_status_line("");
        if (result->n_candidates > 0)
            report(result, args);
        code = status == LAM_OK ? CLI_OK : cli_library_failed();
    }
    data_free(&data);
    return code;
}

static void conclude(const lam_tune_result *r, const tune_args *args, const char *model, const char *file)
{
    const lam_tune_candidate *before = &r->candidates[0], *after = &r->candidates[r->chosen];
    double percentile_error = args->percentile_error > 0.0 ? args->percentile_error : args->error;
    char how[128];
    if (r->test_after.rms > args->error || r->test_after.percentile > percentile_error)
        cli_say("note: on the test rows the error is above the bound that it keeps on the validation rows; more of these (--rows), "
            "or a smaller --error, leave room");
    printf("\nmodel    %s evaluates by %s;\n         its cost per batch is that of %.1f evaluations of f with the trace, before %.1f\n", file,
        cli_setting_text(&after->setting, how), after->cost, before->cost);
    printf("         --as-fitted takes the fit's own setting, `laminar tune %s --undo` puts it back\n         ",
        args->out != NULL ? args->out : model);
    print_flags(&after->setting);
}

static int check_line(const cli_command *command, const tune_args *args, const cli_line *line)
{
    if (args->undo && line->n_words > 1)
        return cli_misuse(command, "--undo needs a model alone: tune MODEL --undo");
    if (!args->undo && line->n_words < 2)
        return cli_misuse(command, "%s needs %s", command->name, command->arguments);
    if (!args->undo && !(args->error > 0.0))
        return cli_misuse(command, "--error needs the bound on the error of log p, in nats, above 0: --error 0.01");
    if (args->eval.config != NULL && args->out == NULL)
        return cli_misuse(command, "weights of another program are not replaced; name a file for the tuned model: --out FILE");
    return cli_folder_check(args->out);
}

static int undo(lam_model *model, const tune_args *args, const char *file, const struct stat *read)
{
    const char *to = args->out != NULL ? args->out : file;
    if (!lam_model_tuning(model, NULL)) {
        printf("%s is not tuned\n", file);
        return CLI_OK;
    }
    lam_model_untune(model);
    int code = save(model, file, read, args->out);
    if (code == CLI_OK)
        printf("%s evaluates as fitted again\n", to);
    return code;
}

static int act(const cli_line *line, const tune_args *args, const char *file, const struct stat *read)
{
    lam_model *model = NULL;
    lam_tune_result result = {0};
    int code = cli_model_open(line->words[0], args->eval.config, &model);
    if (code == CLI_OK && args->undo) {
        code = undo(model, args, file, read);
    } else if (code == CLI_OK) {
        code = tune(line->words[1], args, model, &result);
        if (code == CLI_OK)
            code = save(model, file, read, args->out);
        if (code == CLI_OK)
            conclude(&result, args, line->words[0], args->out != NULL ? args->out : file);
    }
    lam_tune_result_clear(&result);
    lam_model_free(model);
    return code;
}

static int run(const cli_command *command, int argc, char **argv)
{
    tune_args args = {0};
    cli_line line;
    struct stat read = {0};
    char *file = NULL;
    int code = cli_line_parse(command, argc, argv, &args, &line);
    if (code == CLI_OK)
        code = check_line(command, &args, &line);
    if (code == CLI_OK)
        code = cli_model_file(line.words[0], &file);
    if (code == CLI_OK) {
        (void)stat(file, &read); /* what cannot be read, opening says */
        code = act(&line, &args, file, &read);
    }
    free(file);
    cli_line_free(&line);
    return code;
}

const cli_command cli_tune = {
    .name = "tune",
    .arguments = "MODEL DATA --error X",
    .summary = "finds the cheapest solver and steps that keep the error of log p below a bound",
    .details = "Tries every solver with fixed numbers of steps and with tolerances, with the trace of the Jacobian at every stage of the solver\n"
               "and at a few points of each block only. It chooses the cheapest setting whose log p differs from a reference (dop853 in double\n"
               "at 1e-8 or tighter, exact trace) by at most --error nats in root mean square, and by at most --percentile-error in 99 of 100\n"
               "rows. It chooses on validation rows and reports on test rows: those of the fit where DATA is the data of the fit, otherwise a\n"
               "half of DATA each. The cost is counted in evaluations of f with the trace; one of f alone costs less, by the share that is\n"
               "printed. The setting is stored in the model file, and score, sample, encode, decode and check then use it. If no setting keeps\n"
               "the bounds, the model stays as it was and the exit code is 1.\n",
    .example = "  $ laminar tune run/ toy:pinwheel --error 0.01\n"
               "  ...\n"
               "  model    run/model.safetensors evaluates by rk4, 2 even steps per block;\n"
               "           its cost per batch is that of 24.0 evaluations of f with the trace, before 57.0\n"
               "  $ laminar tune run/ --undo\n",
    .options = tune_options,
    .least = 1,
    .most = 2,
    .run = run,
};
