/* laminar compare: runs side by side, from their metrics.jsonl and config.yaml. */
#include "curves.h"
#include <string.h>

typedef struct compare_args {
    const char *plot;
} compare_args;

static const cli_option compare_options[] = {
    {"plot", 0, CLI_TEXT, "FILE.svg", "draw validation NLL against evaluations of f and against seconds (.svg, .png, .pdf)",
        offsetof(compare_args, plot)},
    {0},
};

/* An iteration's calls and steps. */
typedef struct iteration_counts {
    double forward, backward, accepted, rejected;
} iteration_counts;

/* Of the whole run, or, without a summary, the mean over the logged iterations. */
static iteration_counts count(const lam_history *run)
{
    iteration_counts sums = {run->train_forward, run->train_backward, run->train_accepted, run->train_rejected};
    double n = run->iterations;
    if (!run->has_summary) {
        sums = (iteration_counts){0};
        n = (double)run->n_train;
    }
    for (size_t i = 0; !run->has_summary && i < run->n_train; i++) {
        sums.forward += run->train[i].forward;
        sums.backward += run->train[i].backward;
        sums.accepted += run->train[i].accepted;
        sums.rejected += run->train[i].rejected;
    }
    return (iteration_counts){sums.forward / n, sums.backward / n, sums.accepted / n, sums.rejected / n};
}

static void add_heads(cli_grid *grid, lam_model_kind kind)
{
    static const char *const heads[][16] = {
        [LAM_DENSITY] = {"run", "penalty", "solver", "atol", "rtol", "iterations", "test NLL", "data units", "Gaussian", "val NLL",
            "forward", "backward", "steps", "rejected", "seconds"},
        [LAM_VAE] = {"run", "posterior", "penalty", "solver", "atol", "rtol", "iterations", "test -ELBO", "val -ELBO", "forward",
            "backward", "steps", "rejected", "seconds"},
    };
    for (grid->columns = 0; heads[kind][grid->columns] != NULL; grid->columns++)
        cli_grid_add(grid, "%s", heads[kind][grid->columns]);
}

static void add_run(cli_grid *grid, const char *folder, const lam_history *run, const lam_config *cfg)
{
    char solver[256], posterior[256], penalties[128];
    iteration_counts counts = count(run);
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    cli_grid_add(grid, "%.*s%s", (int)length, folder, run->finished ? "" : " *");
    if (lam_config_kind(cfg) == LAM_VAE)
        cli_grid_add(grid, "%s", cli_parameter(cfg, "posterior", posterior));
    lam_config_penalties(cfg, penalties);
    cli_grid_add(grid, "%s", penalties);
    cli_grid_add(grid, "%s", cli_parameter(cfg, "solver", solver));
    cli_grid_add(grid, "%g", lam_config_number(cfg, "atol"));
    cli_grid_add(grid, "%g", lam_config_number(cfg, "rtol"));
    cli_grid_number(grid, 0, run->iterations);
    cli_grid_measure(grid, 4, run->test_nll, run->test_nll_se);
    if (lam_config_kind(cfg) == LAM_DENSITY) {
        cli_grid_measure(grid, 4, run->test_nll - run->log_det, run->test_nll_se);
        cli_grid_measure(grid, 4, run->gaussian_test_nll, run->gaussian_test_nll_se);
    }
    cli_grid_measure(grid, 4, run->best_val_nll, run->best_val_nll_se);
    cli_grid_number(grid, 1, counts.forward);
    cli_grid_number(grid, 1, counts.backward);
    cli_grid_number(grid, 2, counts.accepted);
    cli_grid_number(grid, 2, counts.rejected);
    cli_grid_number(grid, 1, run->seconds);
}

static int compare(const cli_line *line)
{
    cli_grid grid = {0};
    int code = CLI_OK, unfinished = 0, warm = 0;
    lam_model_kind kind = LAM_DENSITY;
    for (size_t i = 0; i < line->n_words && code == CLI_OK; i++) {
        lam_history run;
        lam_config *cfg = cli_config_create();
        code = cli_run_read(line->words[i], &run, cfg);
        if (code == CLI_OK && i == 0)
            add_heads(&grid, kind = lam_config_kind(cfg));
        if (code == CLI_OK && lam_config_kind(cfg) != kind)
            code = cli_fail("%s is a fit of %s, %s one of %s: their figures do not compare", line->words[i],
                kind == LAM_DENSITY ? "images" : "a table", line->words[0], kind == LAM_DENSITY ? "a table" : "images");
        if (code == CLI_OK)
            add_run(&grid, line->words[i], &run, cfg);
        unfinished |= !run.finished;
        warm |= cli_whole(cfg, "warm-start") > 0;
        lam_history_free(&run);
        lam_config_free(cfg);
    }
    if (code != CLI_OK)
        return cli_grid_free(&grid), code;
    cli_grid_print(&grid, stdout);
    printf("\n%s; forward and backward: evaluations of f\n"
           "per iteration, and vector-Jacobian products of it; steps (accepted) and rejected: of the solver per iteration, all summed over the\n"
           "blocks; penalty: with its coefficient, l: the weight of l in TPR.\n",
        kind == LAM_VAE ? "-ELBO at beta 1 in nats per image" : "NLL in nats per row, standardised units but for the one column in data units");
    if (warm)
        printf("Iterations, evaluations and steps are without the warm start's, seconds with them.\n");
    if (unfinished)
        printf("* not finished; while it runs, evaluations and steps are means over the logged iterations.\n");
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
    .summary = "compares runs: NLL, evaluations, steps and seconds in one table, and validation curves",
    .details = "Reads metrics.jsonl and config.yaml of each run folder. A run that is still going on is shown up to where it is.\n"
               "In the picture, a run is named by the settings in which it differs from the others.\n",
    .example = "  $ laminar compare run-plain/ run-tpr/ --plot curves.svg\n"
               "  run        penalty  solver   atol   rtol  iterations  test NLL  ...  forward  backward  ...\n"
               "  run-plain     none  dopri5  1e-04  1e-04        2000    1.2345  ...     62.1      54.0  ...\n"
               "  run-tpr      TPR 5  dopri5  1e-04  1e-04        2000    1.2391  ...     20.4      18.0  ...\n",
    .options = compare_options,
    .least = 1,
    .most = (size_t)-1,
    .run = run,
};
