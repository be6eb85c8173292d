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
    {"columns", 0, CLI_LIST, "A,B,...", "columns of FILE to take, by name or number; default: the model's", offsetof(sample_args, choice.columns)},
    {"drop", 0, CLI_LIST, "A,B,...", "columns of FILE to leave out, by name or number", offsetof(sample_args, choice.drop)},
    CLI_HEADER_OPTION(sample_args),
    CLI_SCRATCH_OPTION(sample_args),
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

/* What the model draws is not looked at. */
static void forget_drawn(const lam_model *model, lam_table *given)
{
    for (size_t i = 0; i < given->rows * given->cols; i++)
        if (lam_model_role(model, i % given->cols) != LAM_GIVEN)
            given->values[i] = (double)NAN;
}

/* 1: which columns are given is fixed. */
static int is_split(const lam_model *model)
{
    return lam_model_given_count(model) > 0 && !lam_model_any_given(model);
}

/* The row [1, dim] of --given, NaN in the columns that have no value. */
static int read_row(const cli_command *command, const lam_model *model, const sample_args *args, lam_table **given)
{
    size_t dim = lam_model_dim(model);
    unsigned char *set = cli_alloc(dim, 1);
    int code = CLI_OK;
    *given = cli_table_create(1, dim);
    for (size_t j = 0; j < dim; j++)
        (*given)->values[j] = (double)NAN;
    for (size_t i = 0; i < args->given.n && code == CLI_OK; i++)
        code = cli_ask_value(command, "given", args->given.text[i], model, (*given)->values, set);
    if (code == CLI_OK)
        code = cli_ask_advise(model, (*given)->values);
    size_t lacking = 0;
    for (size_t j = 0; code == CLI_OK && is_split(model) && j < dim; j++) {
        int fixed = lam_model_role(model, j) == LAM_GIVEN;
        if (!fixed && set[j])
            code = cli_misuse(command, "--given: this model was fitted with %s not given; a fit with --any-given takes any columns",
                lam_model_column(model, j));
        set[j] = fixed && !set[j]; /* from here on: it lacks a value */
        lacking += set[j];
    }
    if (code == CLI_OK && lacking > 0)
        code = cli_ask_lacking(command, model, set);
    if (code == CLI_OK && is_split(model))
        forget_drawn(model, *given);
    free(set);
    return code;
}

/* What is given: a row, or the rows of a file; neither: nothing. */
static int read_given(const cli_command *command, const lam_model *model, const sample_args *args, lam_table **given, cli_rows *rows)
{
    size_t dim = lam_model_dim(model);
    int code = CLI_OK;
    *given = NULL;
    if (args->given_file != NULL) {
        unsigned char *fixed = cli_alloc(dim, 1);
        cli_choice choice = args->choice;
        choice.out = args->out;
        for (size_t j = 0; j < dim; j++)
            fixed[j] = is_split(model) && lam_model_role(model, j) == LAM_GIVEN;
        choice.looked = is_split(model) ? fixed : NULL;
        choice.missing = choice.all_rows = 1; /* columns that are drawn */
        code = cli_rows_open(args->given_file, &choice, model, fixed, rows);
        free(fixed);
    } else if (args->given.n > 0 || is_split(model)) {
        code = read_row(command, model, args, given);
    }
    if (code == CLI_OK && (args->given.n > 0 || args->given_file != NULL) && lam_model_given_count(model) == 0 && !lam_model_any_given(model))
        code = cli_misuse(command, "--given: this model is of all its columns together; a fit with --given or --any-given has columns that are given");
    return code;
}

/* ---- draws -------------------------------------------------------------------------------------------------------- */

/* Draws on their way out. */
typedef struct draws {
    const lam_model *model;
    const sample_args *args;
    lam_eval_options *options;
    lam_table *x;  /* [room, dim] */
    double *logp;  /* [room] or NULL */
    cli_results results;
    lam_counts counts;
} draws;

/* total: how many draws there will be. */
static int draws_open(draws *d, size_t room, size_t total)
{
    size_t dim = lam_model_dim(d->model);
    d->x = cli_table_create(room, dim);
    d->logp = d->args->log_prob ? cli_alloc(room, sizeof *d->logp) : NULL;
    cli_table_name_all(d->x, d->model);
    for (size_t j = 0; d->args->units == LAM_UNITS_DATA && j < dim; j++)
        cli_table_levels(d->x, j, d->model);
    lam_table *joined = d->logp != NULL ? join(d->model, d->x, d->logp) : NULL;
    int code = cli_results_open(d->args->out, joined != NULL ? joined : d->x, total, &d->results);
    lam_table_free(joined);
    return code;
}

/* n draws out of the room; status: how drawing them went. */
static int draws_put(draws *d, size_t n, lam_status status, const lam_counts *counts)
{
    if (status != LAM_OK)
        return cli_library_failed();
    d->counts.forward += counts->forward, d->counts.solves += counts->solves;
    d->x->rows = n;
    lam_table *joined = d->logp != NULL ? join(d->model, d->x, d->logp) : NULL;
    int code = cli_results_put(&d->results, joined != NULL ? joined->values : d->x->values, d->x);
    lam_table_free(joined);
    return code;
}

static int draws_close(draws *d, int code)
{
    code = cli_results_close(&d->results, code);
    lam_table_free(d->x);
    free(d->logp);
    return code;
}

/* Of all columns, part by part. */
static int sample_all(draws *d, size_t n)
{
    size_t at_once = cli_rows_of_part(&d->args->eval, lam_model_dim(d->model));
    lam_eval_options *options = d->options;
    at_once = at_once < n ? at_once : n;
    options->total_rows = n;
    int code = draws_open(d, at_once, n);
    for (size_t rows; code == CLI_OK && options->first_row < n; options->first_row += rows) {
        lam_counts counts = {0};
        rows = n - options->first_row < at_once ? n - options->first_row : at_once;
        lam_status status = lam_sample(d->model, options, d->args->seed, rows, d->x->values, d->logp, &counts);
        code = draws_put(d, rows, status, &counts);
    }
    return draws_close(d, code);
}

/* So many of each row of a part. */
static int sample_part(draws *d, lam_table *given, size_t each)
{
    lam_counts counts = {0};
    if (is_split(d->model))
        forget_drawn(d->model, given);
    if (d->args->units == LAM_UNITS_STANDARDISED)
        standardise(d->model, given);
    const lam_query query = {.x = given->values, .n = given->rows};
    lam_status status = lam_conditional_sample(d->model, d->options, d->args->seed, &query, each, d->x->values, d->logp, &counts);
    return draws_put(d, given->rows * each, status, &counts);
}

/* Given the rows of a file: a part's draws are a multiple of those that are solved together. */
static int sample_rows(draws *d, cli_rows *rows, size_t each)
{
    size_t dim = rows->dim, wanted = cli_rows_of_part(&d->args->eval, dim), batch = d->args->eval.batch_rows > 0 ? d->args->eval.batch_rows : 1000;
    size_t least = batch, other = each;
    while (other != 0) { /* least becomes the greatest common divisor */
        size_t rest = least % other;
        least = other, other = rest;
    }
    least = batch / least; /* rows whose draws are whole batches */
    size_t at_once = least * (wanted / each > least ? wanted / each / least : 1);
    at_once = at_once < rows->rows ? at_once : rows->rows;
    lam_table *part;
    int code = draws_open(d, at_once * each, rows->rows * each);
    d->options->total_rows = rows->rows;
    while (code == CLI_OK && (code = cli_rows_next(rows, at_once, &part)) == CLI_OK && part != NULL) {
        if (part->rows > 0)
            code = sample_part(d, part, each);
        d->options->first_row += part->rows;
        lam_table_free(part);
    }
    return draws_close(d, code);
}

static int sample_row(draws *d, lam_table *given, size_t each)
{
    int code = draws_open(d, each, each);
    if (code == CLI_OK)
        code = sample_part(d, given, each);
    return draws_close(d, code);
}

static void report(const lam_model *model, const sample_args *args, size_t n, const lam_counts *counts, double start)
{
    char text[32];
    printf("%zu draws, seed %llu, %s units, in %s; evaluations of f per batch %.1f; %s\n", n, (unsigned long long)args->seed,
        cli_units_name(args->units), cli_output_name(args->out), cli_per_batch(counts->forward, counts, lam_model_config(model)),
        cli_duration(cli_clock() - start, text));
}

static int sample(const cli_command *command, const lam_model *model, const sample_args *args)
{
    lam_eval_options options;
    cli_progress progress;
    double start = cli_clock();
    lam_table *given;
    cli_rows rows = {0};
    draws d = {.model = model, .args = args, .options = &options};
    int code = read_given(command, model, args, &given, &rows), of_file = args->given_file != NULL;
    size_t each = args->n > 0 ? args->n : of_file ? 1 : 1000, n = of_file ? rows.rows : 1;
    if (code == CLI_OK && n > SIZE_MAX / 16 / each)
        code = cli_fail("%zu draws of each of %zu rows are more than can be counted", each, n);
    cli_eval_options(&args->eval, &options);
    options.units = args->units;
    cli_progress_start(&progress, "sampling rows", &options);
    if (code == CLI_OK)
        code = of_file ? sample_rows(&d, &rows, each) : given != NULL ? sample_row(&d, given, each) : sample_all(&d, each);
    cli_progress_end();
    if (code == CLI_OK && args->out != NULL)
        report(model, args, n * each, &d.counts, start);
    lam_table_free(given);
    cli_rows_close(&rows);
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
        code = cli_scratch_check(args.choice.scratch); /* also where there is no FILE */
    if (code == CLI_OK)
        code = cli_out_check(args.out);
    if (code == CLI_OK)
        code = cli_model_open(line.words[0], args.eval.config, &model);
    if (code == CLI_OK) {
        cli_note_noise(model);
        code = sample(command, model, &args);
    }
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
