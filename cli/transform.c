/* laminar encode, laminar decode: data to the base density's space and back. */
#include "cli.h"
#include <stdlib.h>

typedef struct transform_args {
    const char *out;
    lam_units units;
    cli_eval eval;
    cli_choice choice;
} transform_args;

#define OUT_OPTION(type) \
    {"out", 'o', CLI_TEXT, "FILE", "write to FILE: .npy, .csv or .csv.gz; default and -: csv to stdout", offsetof(type, out)}

static const cli_option encode_options[] = {
    OUT_OPTION(transform_args),
    CLI_CHOICE_OPTIONS(transform_args),
    CLI_SCRATCH_OPTION(transform_args),
    CLI_STANDARDISED_OPTION(transform_args),
    CLI_EVAL_OPTIONS(transform_args),
    {0},
};

static const cli_option decode_options[] = {
    OUT_OPTION(transform_args),
    {"units", 0, CLI_UNITS, "data|standardised", "units of the rows written; default data",
        offsetof(transform_args, units)},
    CLI_CHOICE_OPTIONS(transform_args),
    CLI_SCRATCH_OPTION(transform_args),
    CLI_EVAL_OPTIONS(transform_args),
    {0},
};

typedef lam_status transform_fn(const lam_model *model, const lam_eval_options *options, const double *in, size_t n,
    double *out, lam_counts *counts);

static int transform(const lam_model *model, cli_rows *rows, const lam_table *form, transform_fn *fn, const char *what, const transform_args *args)
{
    lam_eval_options options;
    cli_progress progress;
    cli_results results;
    lam_counts sum = {0};
    lam_table *part;
    double start = cli_clock();
    char text[32];
    size_t at_once = cli_rows_of_part(&args->eval, rows->dim);
    double *values = cli_alloc(at_once * rows->dim, sizeof *values);
    cli_eval_options(&args->eval, &options);
    options.units = args->units;
    cli_progress_start(&progress, what, &options);
    options.total_rows = rows->rows;
    int code = cli_results_open(args->out, form, rows->rows + rows->bad_rows, &results);
    while (code == CLI_OK && (code = cli_rows_next(rows, at_once, &part)) == CLI_OK && part != NULL) {
        lam_counts counts = {0};
        code = fn(model, &options, part->values, part->rows, values, &counts) == LAM_OK ? cli_results_put(&results, values, part) : cli_library_failed();
        sum.forward += counts.forward, sum.solves += counts.solves;
        options.first_row += part->rows;
        lam_table_free(part);
    }
    cli_progress_end();
    code = cli_results_close(&results, code);
    if (code == CLI_OK && args->out != NULL)
        printf("%zu rows, %s, in %s; evaluations of f per batch %.1f; %s\n", rows->rows,
            fn == lam_encode                 ? "units of the base density"
            : args->units == LAM_UNITS_DATA ? "data units"
                                            : "standardised units",
            cli_output_name(args->out), cli_per_batch(sum.forward, &sum, lam_model_config(model)), cli_duration(cli_clock() - start, text));
    free(values);
    return code;
}

static int run(const cli_command *command, int argc, char **argv)
{
    int encode = command == &cli_encode;
    transform_args args = {0};
    cli_line line;
    lam_model *model = NULL;
    cli_rows rows = {0};
    int code = cli_line_parse(command, argc, argv, &args, &line);
    args.choice.threads = args.eval.threads;
    args.choice.out = args.out;
    if (code == CLI_OK)
        code = cli_model_open_for(args.out, line.words[1], line.words[0], args.eval.config, &model);
    args.choice.missing = lam_model_takes_missing(model);
    if (code == CLI_OK)
        code = encode ? cli_rows_open(line.words[1], &args.choice, model, NULL, &rows)
                      : cli_rows_open_codes(line.words[1], &args.choice, lam_model_dim(model), "laminar encode", &rows);
    if (code == CLI_OK) {
        lam_table *form = encode ? cli_codes_create(1, rows.dim) : cli_table_create(1, rows.dim);
        if (!encode)
            cli_table_name_all(form, model);
        for (size_t j = 0; !encode && j < rows.dim; j++)
            cli_table_levels(form, j, model);
        code = transform(model, &rows, form, encode ? lam_encode : lam_decode, encode ? "encoding rows" : "decoding rows", &args);
        lam_table_free(form);
    }
    cli_rows_close(&rows);
    lam_model_free(model);
    cli_line_free(&line);
    return code;
}

const cli_command cli_encode = {
    .name = "encode",
    .arguments = "MODEL DATA [-o z.npy]",
    .summary = "maps rows to the base density",
    .details = "Carries each row through the flow to z, which is standard normal if the model fits. MODEL is a run folder or a model file;\n"
               "DATA is in data units. Rows that --drop-bad-rows leaves out are written as nan.\n",
    .example = "  $ laminar encode run/ test.csv -o z.npy\n"
               "  1000 rows, units of the base density, in z.npy; evaluations of f per batch 20.0; 0.1 s\n",
    .options = encode_options,
    .least = 2,
    .most = 2,
    .run = run,
};

const cli_command cli_decode = {
    .name = "decode",
    .arguments = "MODEL Z [-o x.npy]",
    .summary = "maps rows of the base density back to data",
    .details = "Carries each row of Z back through the flow: the inverse of encode. MODEL is a run folder or a model file. Columns named z1,\n"
               "z2, ... are found by their names. Rows that --drop-bad-rows leaves out are written as nan.\n",
    .example = "  $ laminar decode run/ z.npy -o x.csv\n"
               "  1000 rows, data units, in x.csv; evaluations of f per batch 20.0; 0.1 s\n",
    .options = decode_options,
    .least = 2,
    .most = 2,
    .run = run,
};
