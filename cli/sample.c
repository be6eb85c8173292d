/* laminar sample: draws from a model. */
#include "cli.h"
#include <stdlib.h>
#include <string.h>

typedef struct sample_args {
    const char *out;
    size_t n;
    uint64_t seed;
    int log_prob;
    lam_units units;
    cli_eval eval;
} sample_args;

static const cli_option sample_options[] = {
    {"number", 'n', CLI_COUNT, "N", "how many draws; default 1000", offsetof(sample_args, n)},
    {"out", 'o', CLI_TEXT, "FILE", "write to FILE: .npy, .csv or .csv.gz; default and -: csv to stdout",
        offsetof(sample_args, out)},
    {"seed", 0, CLI_SEED, "N", "draw i depends on the seed and i alone; default 0", offsetof(sample_args, seed)},
    {"log-prob", 0, CLI_SWITCH, NULL, "add the column log_prob, from the same pass", offsetof(sample_args, log_prob)},
    {"units", 0, CLI_UNITS, "data|standardised", "units of the draws and of log_prob; default data",
        offsetof(sample_args, units)},
    CLI_EVAL_OPTIONS(sample_args),
    {0},
};

/* x [rows, dim] and logp [rows] side by side. */
static lam_table *join(const lam_table *x, const double *logp)
{
    size_t dim = x->cols;
    lam_table *joined = cli_table_create(x->rows, dim + 1);
    for (size_t j = 0; j < dim; j++)
        cli_table_name(joined, j, x->names[j]);
    cli_table_name(joined, dim, "log_prob");
    for (size_t i = 0; i < x->rows; i++) {
        memcpy(joined->values + i * (dim + 1), x->values + i * dim, dim * sizeof(double));
        joined->values[i * (dim + 1) + dim] = logp[i];
    }
    return joined;
}

static int sample(const lam_model *model, const sample_args *args)
{
    lam_eval_options options;
    cli_progress progress;
    lam_counts counts = {0};
    double start = cli_clock();
    char text[32];
    lam_table *x = cli_table_create(args->n, lam_model_dim(model));
    double *logp = args->log_prob ? cli_alloc(args->n, sizeof *logp) : NULL;
    cli_table_name_all(x, model);
    cli_eval_options(&args->eval, &options);
    options.units = args->units;
    cli_progress_start(&progress, "sampling rows", &options);
    lam_status status = lam_sample(model, &options, args->seed, args->n, x->values, logp, &counts);
    cli_progress_end();
    int code = status == LAM_OK ? CLI_OK : cli_library_failed();
    if (code == CLI_OK && logp != NULL) {
        lam_table *joined = join(x, logp);
        lam_table_free(x);
        x = joined;
    }
    if (code == CLI_OK)
        code = cli_table_out(x, args->out);
    if (code == CLI_OK && args->out != NULL)
        printf("%zu draws, seed %llu, %s units, in %s; calls of f a solve %.1f; %s\n", args->n,
            (unsigned long long)args->seed, cli_units_name(args->units), cli_output_name(args->out),
            cli_ratio(counts.forward, counts.solves), cli_duration(cli_clock() - start, text));
    free(logp);
    lam_table_free(x);
    return code;
}

static int run(const cli_command *command, int argc, char **argv)
{
    sample_args args = {.n = 1000};
    cli_line line;
    lam_model *model = NULL;
    int code = cli_line_parse(command, argc, argv, &args, &line);
    if (code == CLI_OK && args.n == 0)
        code = cli_misuse(command, "-n wants at least 1");
    if (code == CLI_OK)
        code = cli_out_check(args.out);
    if (code == CLI_OK)
        code = cli_model_open(line.words[0], args.eval.config, &model);
    if (code == CLI_OK)
        code = sample(model, &args);
    lam_model_free(model);
    cli_line_free(&line);
    return code;
}

const cli_command cli_sample = {
    .name = "sample",
    .arguments = "MODEL -n N [-o samples.csv]",
    .summary = "draws from a model",
    .details = "Draws from the base density and solves every block backwards. MODEL is a run folder or a model file.\n",
    .example = "  $ laminar sample run/ -n 10000 --seed 1 --log-prob -o samples.csv\n"
               "  10000 draws, seed 1, data units, in samples.csv; calls of f a solve 21.0; 0.8 s\n",
    .options = sample_options,
    .least = 1,
    .most = 1,
    .run = run,
};
