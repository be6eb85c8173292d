/* laminar compare: runs side by side, from their metrics.jsonl and config.yaml. */
#include "curves.h"
#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One run. What its files do not tell is NaN. Counts are an iteration's. */
typedef struct run_figures {
    double iterations, test_nll, gaussian_test_nll, val_nll, log_det, seconds;
    double forward, backward, accepted, rejected;
    int finished;
} run_figures;

typedef struct compare_args {
    const char *plot;
} compare_args;

static const cli_option compare_options[] = {
    {"plot", 0, CLI_TEXT, "FILE.svg", "draw validation NLL against calls of f and against seconds (.svg, .png, .pdf)",
        offsetof(compare_args, plot)},
    {0},
};

/* A number of a JSON object, NaN if it is missing or null. */
static double number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : (double)NAN;
}

/* Sums over the training lines, for a run without a summary. */
typedef struct training_sums {
    double lines, forward, backward, accepted, rejected;
} training_sums;

static void take_train(const cJSON *object, run_figures *run, training_sums *sums)
{
    sums->lines += 1.0;
    sums->forward += number(object, "forward");
    sums->backward += number(object, "backward");
    sums->accepted += number(object, "accepted");
    sums->rejected += number(object, "rejected");
    run->iterations = number(object, "iteration");
    run->seconds = number(object, "seconds");
}

static void take_summary(const cJSON *object, run_figures *run)
{
    run->iterations = number(object, "iterations");
    run->test_nll = number(object, "test_nll");
    run->gaussian_test_nll = number(object, "gaussian_test_nll");
    run->val_nll = number(object, "best_val_nll");
    run->log_det = number(object, "log_det");
    run->seconds = number(object, "seconds");
    run->forward = number(object, "train_forward") / run->iterations;
    run->backward = number(object, "train_backward") / run->iterations;
    run->accepted = number(object, "train_accepted") / run->iterations;
    run->rejected = number(object, "train_rejected") / run->iterations;
    const cJSON *finished = cJSON_GetObjectItemCaseSensitive(object, "finished");
    run->finished = cJSON_IsTrue(finished) || (cJSON_IsNumber(finished) && finished->valuedouble != 0.0);
}

/* A last line cut short by a kill is passed over; so is a summary that further training lines follow. */
static void read_lines(FILE *stream, run_figures *run)
{
    char *line = NULL;
    size_t room = 0;
    int summary = 0;
    training_sums sums = {0};
    while (getline(&line, &room, stream) > 0) {
        cJSON *object = cJSON_Parse(line);
        const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "type"));
        type = type == NULL ? "" : type;
        if (strcmp(type, "train") == 0)
            take_train(object, run, &sums);
        else if (strcmp(type, "validation") == 0)
            run->val_nll = number(object, "best_val_nll");
        else if (strcmp(type, "summary") == 0)
            take_summary(object, run);
        summary = strcmp(type, "summary") == 0 || (summary && strcmp(type, "train") != 0);
        cJSON_Delete(object);
    }
    free(line);
    if (!summary) {
        run->finished = 0;
        run->forward = sums.forward / sums.lines;
        run->backward = sums.backward / sums.lines;
        run->accepted = sums.accepted / sums.lines;
        run->rejected = sums.rejected / sums.lines;
    }
}

static int read_run(const char *folder, run_figures *run, lam_config *cfg)
{
    const double none = (double)NAN;
    *run = (run_figures){none, none, none, none, none, none, none, none, none, none, 0};
    char *metrics = cli_path_join(folder, "metrics.jsonl"), *config = cli_path_join(folder, "config.yaml");
    FILE *stream = fopen(metrics, "r");
    int code = CLI_OK;
    if (stream == NULL)
        code = cli_fail("%s cannot be read; is %s the folder of a fit?", metrics, folder);
    if (code == CLI_OK)
        code = cli_config_load(cfg, config);
    if (code == CLI_OK)
        read_lines(stream, run);
    if (stream != NULL)
        fclose(stream);
    free(metrics);
    free(config);
    return code;
}

static void add_heads(cli_grid *grid)
{
    static const char *const heads[] = {"run", "alpha", "solver", "atol", "rtol", "iterations", "test NLL", "data units",
        "Gaussian", "val NLL", "forward", "backward", "steps", "rejected", "seconds"};
    grid->columns = sizeof heads / sizeof heads[0];
    for (size_t i = 0; i < grid->columns; i++)
        cli_grid_add(grid, "%s", heads[i]);
}

static void add_run(cli_grid *grid, const char *folder, const run_figures *run, const lam_config *cfg)
{
    char solver[256];
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    cli_grid_add(grid, "%.*s%s", (int)length, folder, run->finished ? "" : " *");
    cli_grid_add(grid, "%g", cfg->tpr_coefficient);
    cli_grid_add(grid, "%s", cli_parameter(cfg, "solver", solver));
    cli_grid_add(grid, "%g", cfg->atol);
    cli_grid_add(grid, "%g", cfg->rtol);
    cli_grid_number(grid, 0, run->iterations);
    cli_grid_number(grid, 4, run->test_nll);
    cli_grid_number(grid, 4, run->test_nll - run->log_det);
    cli_grid_number(grid, 4, run->gaussian_test_nll);
    cli_grid_number(grid, 4, run->val_nll);
    cli_grid_number(grid, 1, run->forward);
    cli_grid_number(grid, 1, run->backward);
    cli_grid_number(grid, 2, run->accepted / (double)cfg->blocks);
    cli_grid_number(grid, 2, run->rejected / (double)cfg->blocks);
    cli_grid_number(grid, 1, run->seconds);
}

static int compare(const cli_line *line)
{
    cli_grid grid = {0};
    int code = CLI_OK, unfinished = 0;
    add_heads(&grid);
    for (size_t i = 0; i < line->n_words && code == CLI_OK; i++) {
        run_figures figures;
        lam_config cfg;
        lam_config_init(&cfg);
        code = read_run(line->words[i], &figures, &cfg);
        if (code == CLI_OK)
            add_run(&grid, line->words[i], &figures, &cfg);
        unfinished |= !figures.finished;
        lam_config_clear(&cfg);
    }
    if (code != CLI_OK)
        return cli_grid_free(&grid), code;
    cli_grid_print(&grid, stdout);
    printf("\nNLL in nats a row, standardised units but for the one column in data units; forward and backward: calls of\n"
           "f an iteration, all blocks; steps (accepted) and rejected: a solve of one block in training; alpha: the\n"
           "coefficient of the polynomial penalty.\n");
    if (unfinished)
        printf("* not finished; while it runs, calls and steps are means over the logged iterations.\n");
    return CLI_OK;
}

static int run(const cli_command *command, int argc, char **argv)
{
    compare_args args = {0};
    cli_line line;
    int code = cli_line_parse(command, argc, argv, &args, &line);
    if (code == CLI_OK && args.plot != NULL)
        code = cli_drawing_check(command, "--plot", args.plot);
    if (code == CLI_OK)
        code = compare(&line);
    if (code == CLI_OK && args.plot != NULL)
        code = cli_curves_draw(line.words, line.n_words, args.plot);
    cli_line_free(&line);
    return code;
}

const cli_command cli_compare = {
    .name = "compare",
    .arguments = "RUN1 [RUN2 ...] [--plot FILE.svg]",
    .summary = "one table of several runs: NLL, calls, steps, seconds; and their curves",
    .details = "Reads metrics.jsonl and config.yaml of every run folder; a run still going on is shown as far as it is.\n"
               "In the picture each run is named by what its configuration does not share with the others'.\n",
    .example = "  $ laminar compare run-plain/ run-tpr/ --plot curves.svg\n"
               "  run        alpha  solver   atol   rtol  iterations  test NLL  ...  forward  backward  ...\n"
               "  run-plain      0  dopri5  1e-04  1e-04        2000    1.2345  ...     62.1      54.0  ...\n"
               "  run-tpr        5  dopri5  1e-04  1e-04        2000    1.2391  ...     20.4      18.0  ...\n",
    .options = compare_options,
    .least = 1,
    .most = (size_t)-1,
    .run = run,
};
