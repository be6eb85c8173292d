/* laminar sample: draws from a model. */
#include "cli.h"
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct sample_args {
    const char *out, *given_file;
    cli_texts given;
    size_t n;
    uint64_t seed;
    int log_prob;
    lam_units units;
    cli_eval eval;
    cli_choice choice; /* of the file of given columns */
} sample_args;

static const cli_option sample_options[] = {
    {"number", 'n', CLI_COUNT, "N", "how many draws; default 1000; with --given-file of every row, default 1", offsetof(sample_args, n)},
    {"given", 0, CLI_TEXTS, "NAME=VALUE", "a column that is given, by name or number, and its value; once for each", offsetof(sample_args, given)},
    {"given-file", 0, CLI_TEXT, "FILE", "rows whose columns are given: those of the model that FILE has", offsetof(sample_args, given_file)},
    CLI_HEADER_OPTION(sample_args),
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
static lam_table *join(const lam_model *model, const lam_table *x, const double *logp)
{
    size_t dim = x->cols;
    lam_table *joined = cli_table_create(x->rows, dim + 1);
    for (size_t j = 0; j < dim; j++)
        cli_table_name(joined, j, x->names[j]);
    cli_table_name(joined, dim, "log_prob");
    for (size_t j = 0; j < dim; j++)
        cli_table_levels(joined, j, model);
    for (size_t i = 0; i < x->rows; i++) {
        memcpy(joined->values + i * (dim + 1), x->values + i * dim, dim * sizeof(double));
        joined->values[i * (dim + 1) + dim] = logp[i];
    }
    return joined;
}

static void standardise(const lam_model *model, lam_table *x)
{
    const double *mean, *scale;
    double log_det;
    lam_model_standardiser(model, &mean, &scale, &log_det);
    for (size_t i = 0; i < x->rows * x->cols; i++)
        x->values[i] = (x->values[i] - mean[i % x->cols]) / scale[i % x->cols];
}

/* The rows [rows, dim] whose columns are given, NaN in the others; NULL: nothing is given. */
static int read_given(const cli_command *command, const lam_model *model, const sample_args *args, lam_table **given)
{
    size_t dim = lam_model_dim(model);
    unsigned char *set = cli_alloc(dim, 1);
    int code = CLI_OK, split = lam_model_given_count(model) > 0 && !lam_model_any_given(model); /* which columns are given is fixed */
    *given = NULL;
    for (size_t j = 0; j < dim; j++)
        set[j] = args->given_file != NULL && split && lam_model_role(model, j) == LAM_GIVEN;
    if (args->given_file != NULL) {
        cli_choice choice = args->choice;
        choice.looked = split ? set : NULL;
        choice.missing = 1; /* columns that are drawn */
        code = cli_data_read_known(args->given_file, &choice, model, set, given);
    } else if (args->given.n > 0 || split) {
        *given = cli_table_create(1, dim);
        for (size_t j = 0; j < dim; j++)
            (*given)->values[j] = (double)NAN;
        for (size_t i = 0; i < args->given.n && code == CLI_OK; i++)
            code = cli_ask_value(command, "given", args->given.text[i], model, (*given)->values, set);
        if (code == CLI_OK)
            code = cli_ask_advise(model, (*given)->values);
    }
    for (size_t j = 0; code == CLI_OK && *given != NULL && split && j < dim; j++) {
        int fixed = lam_model_role(model, j) == LAM_GIVEN, is_set = args->given_file != NULL ? fixed : set[j];
        if (fixed && !is_set)
            code = cli_misuse(command, "this model is given %s, which has no value: --given %s=VALUE", lam_model_column(model, j),
                lam_model_column(model, j));
        if (!fixed && is_set)
            code = cli_misuse(command, "--given: this model was fitted with %s not given; a fit with --any-given takes any columns",
                lam_model_column(model, j));
        for (size_t i = 0; !fixed && i < (*given)->rows; i++)
            (*given)->values[i * dim + j] = (double)NAN;
    }
    if (code == CLI_OK && (args->given.n > 0 || args->given_file != NULL) && lam_model_given_count(model) == 0 && !lam_model_any_given(model))
        code = cli_misuse(command, "--given: this model is of all its columns together; a fit with --given or --any-given has columns that are given");
    free(set);
    return code;
}

/* Draws of all columns, part by part. */
static int sample_all(const lam_model *model, const sample_args *args, lam_eval_options *options, size_t n, lam_counts *counts)
{
    size_t dim = lam_model_dim(model), at_once = cli_rows_of_part(&args->eval, dim);
    lam_table *x = cli_table_create(at_once, dim), *form = args->log_prob ? NULL : x;
    double *logp = args->log_prob ? cli_alloc(at_once, sizeof *logp) : NULL;
    cli_results results;
    int code = CLI_OK;
    cli_table_name_all(x, model);
    for (size_t j = 0; args->units == LAM_UNITS_DATA && j < dim; j++)
        cli_table_levels(x, j, model);
    if (form == NULL)
        form = join(model, x, logp);
    code = cli_results_open(args->out, form, n, &results);
    options->total_rows = n;
    for (; code == CLI_OK && options->first_row < n; options->first_row += x->rows) {
        lam_counts here = {0};
        x->rows = n - options->first_row < at_once ? n - options->first_row : at_once;
        if (lam_sample(model, options, args->seed, x->rows, x->values, logp, &here) != LAM_OK)
            code = cli_library_failed();
        counts->forward += here.forward, counts->solves += here.solves;
        lam_table *joined = code == CLI_OK && logp != NULL ? join(model, x, logp) : NULL;
        if (code == CLI_OK)
            code = cli_results_put(&results, joined != NULL ? joined->values : x->values, x);
        lam_table_free(joined);
    }
    cli_progress_end();
    code = cli_results_close(&results, code);
    if (form != x)
        lam_table_free(form);
    lam_table_free(x);
    free(logp);
    return code;
}

static void report(const lam_model *model, const sample_args *args, size_t draws, const lam_counts *counts, double start)
{
    char text[32];
    printf("%zu draws, seed %llu, %s units, in %s; evaluations of f per batch %.1f; %s\n", draws, (unsigned long long)args->seed,
        cli_units_name(args->units), cli_output_name(args->out), cli_per_batch(counts->forward, counts, lam_model_config(model)),
        cli_duration(cli_clock() - start, text));
}

/* Draws given rows [rows, dim]: so many of each. */
static int sample_given(const lam_model *model, const sample_args *args, lam_eval_options *options, lam_table *given, size_t draws, lam_counts *counts)
{
    size_t rows = given->rows;
    lam_table *x = cli_table_create(rows * draws, lam_model_dim(model));
    double *logp = args->log_prob ? cli_alloc(rows * draws, sizeof *logp) : NULL;
    cli_table_name_all(x, model);
    if (args->units == LAM_UNITS_STANDARDISED)
        standardise(model, given);
    lam_status status = lam_conditional_sample(model, options, args->seed, given->values, NULL, 0, rows, draws, x->values, logp, counts);
    cli_progress_end();
    for (size_t j = 0; status == LAM_OK && args->units == LAM_UNITS_DATA && j < x->cols; j++)
        cli_table_levels(x, j, model);
    int code = status == LAM_OK ? CLI_OK : cli_library_failed();
    if (code == CLI_OK && logp != NULL) {
        lam_table *joined = join(model, x, logp);
        lam_table_free(x);
        x = joined;
    }
    if (code == CLI_OK)
        code = cli_table_out(x, args->out);
    free(logp);
    lam_table_free(x);
    return code;
}

static int sample(const cli_command *command, const lam_model *model, const sample_args *args)
{
    lam_eval_options options;
    cli_progress progress;
    lam_counts counts = {0};
    double start = cli_clock();
    lam_table *given;
    int code = read_given(command, model, args, &given);
    size_t draws = args->n > 0 ? args->n : args->given_file != NULL ? 1 : 1000, rows = given != NULL ? given->rows : 1;
    cli_eval_options(&args->eval, &options);
    options.units = args->units;
    cli_progress_start(&progress, "sampling rows", &options);
    if (code == CLI_OK)
        code = given == NULL ? sample_all(model, args, &options, draws, &counts) : sample_given(model, args, &options, given, draws, &counts);
    if (code == CLI_OK && args->out != NULL)
        report(model, args, rows * draws, &counts, start);
    lam_table_free(given);
    return code;
}

static int run(const cli_command *command, int argc, char **argv)
{
    sample_args args = {.n = SIZE_MAX};
    cli_line line;
    lam_model *model = NULL;
    int code = cli_line_parse(command, argc, argv, &args, &line);
    args.choice.threads = args.eval.threads;
    if (code == CLI_OK && args.n == 0)
        code = cli_misuse(command, "-n needs at least 1");
    if (code == CLI_OK && args.given.n > 0 && args.given_file != NULL)
        code = cli_misuse(command, "--given and --given-file exclude each other");
    args.n = args.n == SIZE_MAX ? 0 : args.n;
    if (code == CLI_OK)
        code = cli_out_check(args.out);
    if (code == CLI_OK)
        code = cli_model_open(line.words[0], args.eval.config, &model);
    if (code == CLI_OK)
        code = sample(command, model, &args);
    lam_model_free(model);
    cli_line_free(&line);
    return code;
}

const cli_command cli_sample = {
    .name = "sample",
    .arguments = "MODEL -n N [--given NAME=VALUE ...] [-o samples.csv]",
    .summary = "draws samples from a model",
    .details = "Draws from the base density and solves the flow back to the data. MODEL is a run folder or a model file. A model fitted\n"
               "with --given needs the values of these columns, by --given or --given-file, and draws the others; one fitted with\n"
               "--any-given draws all columns without a value. The draws of one row of FILE follow each other.\n",
    .example = "  $ laminar sample run/ -n 10000 --seed 1 --log-prob -o samples.csv\n"
               "  10000 draws, seed 1, data units, in samples.csv; evaluations of f per batch 21.0; 0.8 s\n"
               "  $ laminar sample regression/ -n 5 --given x1=0.3 --given colour=red\n"
               "  $ laminar sample regression/ -n 20 --given-file new.csv -o draws.csv\n",
    .options = sample_options,
    .least = 1,
    .most = 1,
    .run = run,
};
