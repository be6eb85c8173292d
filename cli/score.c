/* laminar score: log-densities of the rows of a file. */
#include "cli.h"
#include "ranks.h"
#include <math.h>
#include <stdlib.h>

typedef struct score_args {
    const char *out;
    lam_units units;
    cli_eval eval;
    cli_choice choice;
    cli_ask ask;
} score_args;

static const cli_option score_options[] = {
    {"out", 'o', CLI_TEXT, "FILE", "write one column log_prob to FILE: .npy, .csv or .csv.gz; -: csv to stdout, the rest to stderr", offsetof(score_args, out)},
    {"units", 0, CLI_UNITS, "data|standardised", "units of the density written; default data",
        offsetof(score_args, units)},
    CLI_ASK_OPTIONS(score_args),
    CLI_CHOICE_OPTIONS(score_args),
    CLI_STANDARDISED_OPTION(score_args),
    CLI_EVAL_OPTIONS(score_args),
    {0},
};

/* Mean and standard error of the mean; the error is NaN for one row. */
static void mean_and_error(const double *x, size_t n, double *mean, double *error)
{
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    *mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (x[i] - *mean) * (x[i] - *mean);
    *error = n > 1 ? sqrt(squares / (double)(n - 1) / (double)n) : (double)NAN;
}

/* standardised [rows]: log p in standardised units; log p(data units) = that + log_det, NaN: which differs from row to row. */
static void report(const lam_model *model, const lam_eval_options *options, const double *standardised, size_t rows, double log_det,
    const lam_counts *counts, double seconds)
{
    double mean, error;
    char text[32], how[96], se[32] = "";
    const lam_config *cfg = lam_model_config(model);
    lam_setting setting;
    (void)lam_model_setting(model, options, &setting); /* the options have just been used */
    mean_and_error(standardised, rows, &mean, &error);
    if (isfinite(error) && error > 0) /* the mean is that of these very rows: all of it, to compare with another's */
        snprintf(se, sizeof se, error < 10 ? " +- %.2g" : " +- %.0f", error);
    printf("rows                                 %zu\n", rows);
    if (isnan(log_det))
        printf("mean NLL, nats, data units           - (other columns are missing in other rows, and these densities have no unit in common)\n");
    else
        printf("mean NLL, nats, data units           %.6f%s\n", -mean - log_det, se);
    printf("mean NLL, nats, standardised units   %.6f%s\n", -mean, se);
    char noise[256];
    if (lam_config_names(cfg, "noise").n > 0)
        fprintf(stderr, "laminar: note: the fit added noise to its columns (%s), these rows have none; the NLL of a noisy\n"
            "         test set, as fit prints it, is another one\n", cli_parameter(cfg, "noise", noise));
    printf("exact trace, %s; evaluations of f per batch %.1f, steps %.1f + %.1f rejected; %s\n", cli_setting_text(&setting, how),
        cli_per_batch(counts->forward, counts, cfg), cli_per_batch(counts->accepted, counts, cfg), cli_per_batch(counts->rejected, counts, cfg),
        cli_duration(seconds, text));
}

/* 1: the same columns move in every row. */
static int is_one_density(const lam_model *model, const unsigned char *roles, size_t rows)
{
    size_t dim = lam_model_dim(model);
    for (size_t i = 0; roles != NULL && i < rows * dim; i++)
        if ((roles[i] == LAM_MOVING) != (roles[i % dim] == LAM_MOVING))
            return 0;
    return 1;
}

/* log det of the standardiser over the cells of a row whose density is asked; roles NULL: all that the model's density is of. */
static double log_det_of(const lam_model *model, const unsigned char *roles)
{
    const double *mean, *scale;
    double log_det, sum = 0;
    lam_model_standardiser(model, &mean, &scale, &log_det);
    for (size_t j = 0; roles != NULL && j < lam_model_dim(model); j++)
        sum -= roles[j] == LAM_MOVING ? log(scale[j]) : 0;
    return roles != NULL ? sum : log_det;
}

/* By the model's own roles where rows are complete and nothing else is asked. */
static lam_status score_rows(const lam_model *model, const lam_eval_options *options, const lam_table *data, const unsigned char *roles,
    lam_table *scores, lam_counts *counts)
{
    if (roles == NULL)
        return lam_log_prob(model, options, data->values, data->rows, scores->values, counts);
    return lam_conditional_log_prob(model, options, data->values, roles, data->rows, data->rows, scores->values, counts);
}

static int score(const lam_model *model, const lam_table *data, const unsigned char *roles, const score_args *args)
{
    lam_eval_options options;
    cli_progress progress;
    lam_counts counts = {0};
    double start = cli_clock();
    lam_table *scores = cli_table_create(data->rows, 1);
    cli_table_name(scores, 0, "log_prob");
    cli_eval_options(&args->eval, &options);
    cli_progress_start(&progress, "scoring rows", &options);
    options.comm = cli_ranks();
    if (cli_is_idle())
        options.progress = NULL;
    lam_status status = score_rows(model, &options, data, roles, scores, &counts);
    cli_progress_end();
    int code = status == LAM_OK ? CLI_OK : cli_library_failed();
    double *standardised = cli_alloc(scores->rows, sizeof *standardised), log_det = log_det_of(model, roles);
    for (size_t i = 0; i < scores->rows; i++) {
        standardised[i] = scores->values[i] - log_det_of(model, roles != NULL ? roles + i * data->cols : NULL);
        if (args->units == LAM_UNITS_STANDARDISED)
            scores->values[i] = standardised[i];
    }
    if (code == CLI_OK && args->out != NULL && cli_is_first())
        code = cli_results_out(scores, data, args->out);
    if (code == CLI_OK) {
        report(model, &options, standardised, scores->rows, is_one_density(model, roles, scores->rows) ? log_det : (double)NAN, &counts,
            cli_clock() - start);
        if (args->out != NULL)
            printf("log p of each row, %s units, is in   %s\n", cli_units_name(args->units), cli_output_name(args->out));
    }
    free(standardised);
    lam_table_free(scores);
    return code;
}

/* The roles [dim] that the flags ask for, and the rows, which need no columns that have no part. */
static int read_asked(const cli_command *command, const char *path, const score_args *args, const lam_model *model, unsigned char **asked,
    lam_table **data)
{
    size_t dim = lam_model_dim(model);
    unsigned char *needed = cli_alloc(dim, 1);
    *asked = cli_alloc(dim, 1);
    int code = cli_ask_roles(command, &args->ask, model, LAM_ABSENT, *asked);
    for (size_t j = 0; code == CLI_OK && j < dim; j++)
        needed[j] = (*asked)[j] != LAM_ABSENT;
    cli_choice choice = args->choice;
    choice.looked = needed;
    choice.unordered = cli_ask_unordered(command, &args->ask, model);
    if (code == CLI_OK)
        code = cli_data_read_known(path, &choice, model, needed, data);
    free(needed);
    return code;
}

static int run(const cli_command *command, int argc, char **argv)
{
    score_args args = {0};
    cli_line line;
    lam_model *model = NULL;
    lam_table *data = NULL;
    unsigned char *asked = NULL, *roles = NULL;
    int code = cli_line_parse(command, argc, argv, &args, &line);
    args.choice.threads = args.eval.threads;
    if (code == CLI_OK)
        code = cli_model_open_for(args.out, line.words[1], line.words[0], args.eval.config, &model);
    if (code == CLI_OK)
        code = read_asked(command, line.words[1], &args, model, &asked, &data);
    if (code == CLI_OK && (data->missing > 0 || args.ask.of != NULL || args.ask.given != NULL))
        code = cli_ask_rows(model, asked, 0, data, &roles);
    if (code == CLI_OK)
        code = score(model, data, roles, &args);
    free(asked);
    free(roles);
    lam_table_free(data);
    lam_model_free(model);
    cli_line_free(&line);
    return code;
}

const cli_command cli_score = {
    .name = "score",
    .arguments = "MODEL DATA [-o logp.npy]",
    .summary = "computes the log-density of each row of a file",
    .details = "Computes log p(x) with the exact trace. MODEL is a run folder or a model file. DATA has the units of the data that the model\n"
               "was fitted to; the model standardises it. --units chooses which density is written: that of the data, or that of the\n"
               "standardised variables. The mean NLL and its standard error are printed in both. FILE has a row for each row of DATA;\n"
               "rows that --drop-bad-rows leaves out are nan there. For a model fitted with --given it is the density of the other columns;\n"
               "for one fitted with --any-given, that of the columns --of given those of --given. Missing cells are unknown.\n",
    .example = "  $ laminar score run/ test.csv -o logp.npy\n"
               "  rows                                 1000\n"
               "  mean NLL, nats, data units           2.401310 +- 0.021\n"
               "  ...\n"
               "  $ laminar score any/ test.csv --of y --given x1,x2\n",
    .options = score_options,
    .least = 2,
    .most = 2,
    .run = run,
    .shared = 1,
};
