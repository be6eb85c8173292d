/* laminar impute: tables with their missing cells filled. */
#include "cli.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct impute_args {
    const char *out;
    size_t draws, mean;
    uint64_t seed;
    cli_eval eval;
    cli_choice choice;
} impute_args;

static const cli_option impute_options[] = {
    {"draws", 0, CLI_COUNT, "N", "so many filled tables, each by draws of its own; default 1", offsetof(impute_args, draws)},
    {"mean", 0, CLI_COUNT, "N", "fill in the mean of N draws, in one table", offsetof(impute_args, mean)},
    {"seed", 0, CLI_SEED, "N", "of the draws; default 0", offsetof(impute_args, seed)},
    {"out", 'o', CLI_TEXT, "FILE", "write to FILE: .npy, .csv or .csv.gz, of several tables FILE-1, FILE-2, ...; default and -: csv to stdout",
        offsetof(impute_args, out)},
    CLI_CHOICE_OPTIONS(impute_args),
    CLI_EVAL_OPTIONS(impute_args),
    {0},
};

enum { DRAWS_AT_ONCE = 100000 };

/* "filled.csv.gz" becomes "filled-2.csv.gz", with more "filled-2-part.csv.gz"; free with free(). */
static char *numbered(const char *path, size_t number, const char *more)
{
    static const char *const ends[] = {".npy", ".csv", ".csv.gz"};
    size_t end = 0;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (cli_ends_with(path, ends[i]))
            end = strlen(ends[i]);
    int stem = (int)(strlen(path) - end);
    return cli_format("%.*s-%zu%s%s", stem, path, number, more, path + stem);
}

/* Tables [tables] of data's rows, with the missing cells of table t filled by draw t, or with the mean of all draws. */
static lam_status fill(const lam_model *model, const lam_eval_options *eval, const lam_table *data, const unsigned char *roles,
    const impute_args *args, lam_table **tables, lam_counts *counts)
{
    size_t dim = data->cols, draws = args->mean > 0 ? args->mean : args->draws, at_once = DRAWS_AT_ONCE / draws + 1;
    double *out = cli_alloc(at_once * draws * dim, sizeof *out);
    lam_status status = LAM_OK;
    for (size_t first = 0; first < data->rows && status == LAM_OK; first += at_once) {
        size_t rows = data->rows - first < at_once ? data->rows - first : at_once;
        lam_counts here = {0};
        status = lam_conditional_sample(model, eval, args->seed ^ (UINT64_C(0x9E3779B97F4A7C15) * first), data->values + first * dim,
            roles + first * dim, rows, rows, draws, out, NULL, &here);
        counts->forward += here.forward, counts->solves += here.solves;
        for (size_t i = 0; i < rows && status == LAM_OK; i++)
            for (size_t j = 0; j < dim; j++) {
                size_t cell = (first + i) * dim + j;
                double sum = 0;
                for (size_t d = 0; d < draws && roles[cell] == LAM_MOVING; d++) {
                    double value = out[(i * draws + d) * dim + j];
                    sum += value / (double)draws;
                    if (args->mean == 0)
                        tables[d]->values[cell] = value;
                }
                if (args->mean > 0 && roles[cell] == LAM_MOVING)
                    tables[0]->values[cell] = sum;
            }
    }
    free(out);
    return status;
}

/* All n tables, or none: each under another name first. */
static int write_several(const lam_table *data, lam_table *const *tables, size_t n, const char *out)
{
    size_t written = 0;
    int code = CLI_OK;
    for (; written < n && code == CLI_OK; written++) {
        char *part = numbered(out, written + 1, "-part");
        code = cli_results_out(tables[written], data, part);
        free(part);
    }
    for (size_t t = 0; t < written; t++) {
        char *part = numbered(out, t + 1, "-part"), *path = numbered(out, t + 1, "");
        if (code == CLI_OK && rename(part, path) != 0)
            code = cli_fail("cannot write %s: %s", path, strerror(errno));
        if (code != CLI_OK)
            (void)remove(part);
        free(part);
        free(path);
    }
    return code;
}

/* What is read is none of the files that several tables are written to, and none of these is a folder. */
static int check_several(const char *out, const char *in, size_t n)
{
    int code = CLI_OK;
    for (size_t t = 0; t < n && code == CLI_OK; t++) {
        char *path = numbered(out, t + 1, "");
        code = cli_is_folder(path) ? cli_fail("cannot write %s: it is a folder", path) : cli_not_over(path, in);
        free(path);
    }
    return code;
}

static int impute(const lam_model *model, const lam_table *data, const impute_args *args)
{
    lam_eval_options eval;
    cli_progress progress;
    lam_counts counts = {0};
    char text[32];
    double start = cli_clock();
    size_t n = args->mean > 0 ? 1 : args->draws, dim = data->cols;
    unsigned char *all = cli_alloc(dim, 1), *roles = NULL;
    lam_table **tables = cli_alloc(n, sizeof *tables);
    memset(all, LAM_MOVING, dim);
    int code = cli_ask_rows(model, all, 1, data, &roles);
    for (size_t t = 0; t < n; t++) {
        tables[t] = cli_table_create(data->rows, dim);
        cli_table_name_all(tables[t], model);
        memcpy(tables[t]->values, data->values, data->rows * dim * sizeof(double));
    }
    cli_eval_options(&args->eval, &eval);
    cli_progress_start(&progress, "filling rows", &eval);
    if (code == CLI_OK && fill(model, &eval, data, roles, args, tables, &counts) != LAM_OK)
        code = cli_library_failed();
    cli_progress_end();
    for (size_t t = 0; t < n && code == CLI_OK; t++)
        for (size_t j = 0; j < dim; j++)
            cli_table_levels(tables[t], j, model);
    if (code == CLI_OK)
        code = n > 1 ? write_several(data, tables, n, args->out) : cli_results_out(tables[0], data, args->out);
    if (code == CLI_OK && args->out != NULL)
        printf("%zu missing cells of %zu rows filled%s, seed %llu; evaluations of f per batch %.1f; %s\n", data->missing, data->rows,
            args->mean > 0 ? " by means" : "", (unsigned long long)args->seed, cli_per_batch(counts.forward, &counts, lam_model_config(model)),
            cli_duration(cli_clock() - start, text));
    for (size_t t = 0; t < n; t++)
        lam_table_free(tables[t]);
    free(tables);
    free(roles);
    free(all);
    return code;
}

static int run(const cli_command *command, int argc, char **argv)
{
    impute_args args = {.draws = 1};
    cli_line line;
    lam_model *model = NULL;
    lam_table *data = NULL;
    unsigned char *none = NULL;
    int code = cli_line_parse(command, argc, argv, &args, &line);
    args.choice.threads = args.eval.threads;
    if (code == CLI_OK && args.draws == 0)
        code = cli_misuse(command, "--draws needs at least 1");
    if (code == CLI_OK && args.draws > 1 && (args.out == NULL || cli_is_stream(args.out)))
        code = cli_misuse(command, "--draws %zu makes several tables, which want files: -o FILE.csv", args.draws);
    if (code == CLI_OK && args.draws > 1 && args.mean > 0)
        code = cli_misuse(command, "--draws makes several tables, --mean one; give one of them");
    if (code == CLI_OK && args.choice.drop_bad_rows)
        code = cli_misuse(command, "--drop-bad-rows would leave out the rows whose cells are to be filled");
    if (code == CLI_OK && args.draws > 1)
        code = check_several(args.out, line.words[1], args.draws);
    if (code == CLI_OK)
        code = cli_model_open_for(args.out, line.words[1], line.words[0], args.eval.config, &model);
    if (code == CLI_OK && !lam_model_any_given(model))
        code = cli_fail("%s does not know any column from any others, as filling cells wants: fit it with --any-given", line.words[0]);
    if (code == CLI_OK) {
        none = cli_alloc(lam_model_dim(model), 1);
        code = cli_data_read_known(line.words[1], &args.choice, model, none, &data);
    }
    if (code == CLI_OK)
        code = impute(model, data, &args);
    free(none);
    lam_table_free(data);
    lam_model_free(model);
    cli_line_free(&line);
    return code;
}

const cli_command cli_impute = {
    .name = "impute",
    .arguments = "MODEL DATA [--draws N] [-o filled.csv]",
    .summary = "tables with their missing cells filled",
    .details = "MODEL was fitted with --any-given. The missing cells of every row of DATA are drawn given the others of the row, which stay as\n"
               "they are to the last digit; --mean fills in the mean instead. Several tables show how much is known: what is made of\n"
               "each of them (a mean, a fit) differs by what the missing cells leave open. FILE has the model's columns; those that DATA\n"
               "lacks are missing in every row. Either all files are written, or none.\n",
    .example = "  $ laminar impute run/ holes.csv --draws 5 -o filled.csv\n"
               "  812 missing cells of 1000 rows filled, seed 0; evaluations of f per batch 14.0; 0.4 s\n",
    .options = impute_options,
    .least = 2,
    .most = 2,
    .run = run,
};
