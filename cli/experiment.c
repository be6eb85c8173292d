/* laminar experiment: a grid of fits by a plan, and its report. */
#include "experiment.h"
#include "fit.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct experiment_args {
    const char *out, *scratch;
    size_t jobs;
    int report, dry_run;
} experiment_args;

static const cli_option experiment_options[] = {
    {"out", 'o', CLI_TEXT, "DIR", "folder for the runs and the report; default: runs/ and the plan's name",
        offsetof(experiment_args, out)},
    {"jobs", 'j', CLI_COUNT, "N", "runs at a time; default: processors over the plan's threads", offsetof(experiment_args, jobs)},
    {"scratch", 0, CLI_TEXT, "FOLDER/", "keep rows in files in this folder, as `laminar fit` does; none: in memory; default: in DIR where a table is an .npy or text of "
        "64 MiB or more, otherwise in memory. Text that one run has converted is not read again by the others", offsetof(experiment_args, scratch)},
    {"report", 0, CLI_SWITCH, NULL, "run nothing, only write the report of what there is", offsetof(experiment_args, report)},
    {"dry-run", 0, CLI_SWITCH, NULL, "run nothing, only list the runs and, where some are done, the time left",
        offsetof(experiment_args, dry_run)},
    {0},
};

/* runs/NAME of PLANS/NAME.yaml. Free it. */
static char *usual_folder(const char *plan)
{
    const char *slash = strrchr(plan, '/'), *name = slash == NULL ? plan : slash + 1, *dot = strrchr(name, '.');
    return cli_format("runs/%.*s", (int)(dot == NULL || dot == name ? strlen(name) : (size_t)(dot - name)), name);
}

static size_t usual_jobs(const lam_experiment *experiment)
{
    const lam_experiment_run *run;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t threads = 1, all = processors > 1 ? (size_t)processors : 1;
    for (size_t i = 0; (run = lam_experiment_run_at(experiment, i)) != NULL; i++) {
        size_t own = run->config != NULL ? cli_whole(run->config, "threads") : 1;
        if (own > threads || own == 0)
            threads = own > 0 ? own : all;
    }
    return all > threads ? all / threads : 1;
}

/* ---- files -------------------------------------------------------------------------------------------------------- */

/* A file, "file.npz:NAME" or "toy:NAME...": why it cannot be read, in why; 0 if it can, as far as one sees without reading it. */
static int is_missing(const char *path, char why[512])
{
    char name[64];
    const char *array = strstr(path, ".npz:");
    lam_table *table = NULL;
    if (strncmp(path, "toy:", 4) == 0) {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(path + 4, ":"), path + 4);
        int unknown = lam_table_toy(name, 1, 0, &table) != LAM_OK;
        lam_table_free(table);
        snprintf(why, 512, "%s: %s", path, lam_last_error());
        return unknown;
    }
    char *file = cli_format("%.*s", array != NULL ? (int)(array + 4 - path) : (int)strlen(path), path);
    int missing = access(file, R_OK) != 0;
    snprintf(why, 512, "%s cannot be read: %s", file, strerror(errno));
    free(file);
    return missing;
}

/* Says which files of data are not there, or are unknown toys; how many. */
static size_t say_missing(const lam_experiment *experiment)
{
    const lam_experiment_run *run, *before;
    char why[512];
    size_t n = 0;
    for (size_t i = 0; (run = lam_experiment_run_at(experiment, i)) != NULL; i++) {
        const char *const paths[3] = {run->data, run->valid, run->test};
        size_t told = 0;
        while (told < i && (before = lam_experiment_run_at(experiment, told)) != NULL
            && (before->state == LAM_RUN_FINISHED || strcmp(before->data, run->data) != 0))
            told++;
        for (size_t k = 0; k < 3 && told == i && run->state != LAM_RUN_FINISHED; k++)
            if (paths[k] != NULL && is_missing(paths[k], why)) {
                cli_say("%s", why);
                n++;
            }
    }
    return n;
}

/* ---- what there is to do ------------------------------------------------------------------------------------------ */

static const char *state_name(const lam_experiment_run *run, int working)
{
    switch (run->state) {
    case LAM_RUN_FINISHED:
        return "finished";
    case LAM_RUN_FAILED:
        return "failed";
    case LAM_RUN_BEGUN:
        return working ? "under way" : "begun";
    default:
        return run->config == NULL ? "waits for its coefficient" : "waits";
    }
}

static int list(const lam_experiment *experiment, size_t jobs, int working)
{
    const lam_experiment_run *run;
    cli_grid grid = {.columns = 4};
    size_t counts[4], n = 0;
    char text[32];
    static const char *const heads[] = {"run", "state", "iterations", "seconds"};
    for (size_t i = 0; i < 4; i++)
        cli_grid_add(&grid, "%s", heads[i]);
    for (; (run = lam_experiment_run_at(experiment, n)) != NULL; n++) {
        cli_grid_add(&grid, "%s", run->name);
        cli_grid_add(&grid, "%s", state_name(run, working));
        cli_grid_number(&grid, 0, run->iterations);
        cli_grid_number(&grid, 1, run->seconds);
    }
    cli_grid_print(&grid, stdout);
    experiment_count(experiment, counts);
    printf("\n%zu runs, %zu of them finished, %zu failed", n, counts[LAM_RUN_FINISHED], counts[LAM_RUN_FAILED]);
    double left = experiment_seconds_left(experiment, jobs, 1);
    if (isfinite(left))
        printf("; the others take about %s with %zu at a time\n", cli_duration(left, text), jobs);
    else
        printf("; how long they take is known when one of them is finished\n");
    (void)say_missing(experiment);
    return CLI_OK;
}

/* ---- the command -------------------------------------------------------------------------------------------------- */

static int write_report(lam_experiment *experiment, const char *dir)
{
    if (!cli_is_folder(dir))
        return cli_fail("there is no folder %s yet, and nothing to report; run the experiment first", dir);
    if (lam_experiment_report(experiment, experiment_is_locked(dir)) != LAM_OK)
        return cli_library_failed();
    experiment_name_report(dir);
    return CLI_OK;
}

static int run_all(lam_experiment *experiment, const char *dir, const char *scratch, size_t jobs)
{
    int lock = -1, code = fit_make_folder(dir);
    if (code == CLI_OK)
        code = experiment_lock(dir, &lock); /* held until the process ends */
    if (code == CLI_OK && lam_experiment_refresh(experiment) != LAM_OK)
        code = cli_library_failed();
    if (code == CLI_OK && say_missing(experiment) > 0) /* rather than hours later, when its turn comes */
        code = cli_fail("nothing was run: paths are seen from the folder of the plan; mend them, or leave that data out");
    return code == CLI_OK ? experiment_run(experiment, dir, scratch, jobs) : code;
}

static int work(const experiment_args *args, const char *dir, lam_experiment *experiment)
{
    size_t jobs = args->jobs > 0 ? args->jobs : usual_jobs(experiment);
    if (args->report)
        return write_report(experiment, dir);
    if (!args->dry_run)
        return run_all(experiment, dir, args->scratch, jobs);
    return lam_experiment_refresh(experiment) == LAM_OK ? list(experiment, jobs, experiment_is_locked(dir)) : cli_library_failed();
}

static int run(const cli_command *command, int argc, char **argv)
{
    experiment_args args = {0};
    cli_line line;
    lam_experiment *experiment = NULL;
    char *dir = NULL;
    int code = cli_line_parse(command, argc, argv, &args, &line);
    if (code == CLI_OK && args.report && args.dry_run)
        code = cli_misuse(command, "--report and --dry-run exclude each other");
    if (code == CLI_OK)
        code = cli_scratch_check(args.scratch);
    if (code == CLI_OK && args.jobs > 1000)
        code = cli_misuse(command, "--jobs %zu: at most 1000", args.jobs);
    if (code == CLI_OK)
        dir = args.out != NULL ? cli_format("%s", args.out) : usual_folder(line.words[0]);
    if (code == CLI_OK && cli_exists(dir) && !cli_is_folder(dir))
        code = cli_fail("%s is a file; name a folder by --out", dir);
    if (code == CLI_OK && lam_experiment_open(line.words[0], dir, &experiment) != LAM_OK)
        code = cli_library_failed();
    if (code == CLI_OK)
        code = work(&args, dir, experiment);
    lam_experiment_free(experiment);
    free(dir);
    cli_line_free(&line);
    return code;
}

const cli_command cli_experiment = {
    .name = "experiment",
    .arguments = "PLAN.yaml [--out DIR] [--jobs N] [--report | --dry-run]",
    .summary = "runs a grid of fits over data, penalties, coefficients, tolerances and seeds, and reports on it",
    .details = "PLAN.yaml lists data, penalties, tolerances, seeds, and the budget of a run (docs/data.md; examples are in\n"
               "presets/experiments). Each run is one `laminar fit` in a folder below DIR, in a process of its own. You can stop the\n"
               "experiment at any moment: the same command keeps finished runs, resumes the ones that had begun, and repeats failed ones.\n"
               "Runs whose settings have changed in the plan since are refused by name. DIR/report.html is a page of tables and curves\n"
               "that needs no other file; runs.csv, summary.csv, curves.csv and figures/ hold its parts. --report writes them at any time.\n",
    .example = "  $ laminar experiment presets/experiments/quick.yaml --out runs/quick\n"
               "  1 of 20  pinwheel, none, tolerance 1e-4, seed 1: test NLL 1.6318, 1046 iterations, 50.0 s of processor\n"
               "  ...\n"
               "  report   runs/quick/report.html\n",
    .options = experiment_options,
    .least = 1,
    .most = 1,
    .run = run,
};
