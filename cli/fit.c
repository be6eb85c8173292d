/* laminar fit: fits a flow to a file of numbers. */
#include "fit.h"
#include <stdlib.h>
#include <string.h>

typedef struct fit_args {
    fit_run run;
    const char *valid, *test, *write_split;
} fit_args;

static const cli_option fit_options[] = {
    FIT_OUT_OPTIONS(fit_args),
    {"valid", 0, CLI_TEXT, "FILE", "validation rows; default: split off DATA", offsetof(fit_args, valid)},
    {"test", 0, CLI_TEXT, "FILE", "test rows; default: split off DATA, but none where --valid names a file", offsetof(fit_args, test)},
    {"write-split", 0, CLI_TEXT, "FOLDER/", "fit nothing, but write the rows as a fit sees them: noise, split, standardised",
        offsetof(fit_args, write_split)},
    FIT_RUN_OPTIONS(fit_args),
    {0},
};

/* ---- data --------------------------------------------------------------------------------------------------------- */

/* first: the training rows, which validation and test rows are read like; NULL: these are they. */
static int read_table(const char *path, const lam_config *cfg, const lam_table *first, lam_table **table)
{
    if (path == NULL)
        return CLI_OK;
    return lam_table_read_rows(cfg, path, first, table) == LAM_OK ? CLI_OK : cli_library_failed();
}

static int read_data(const char *path, const fit_args *args, const lam_config *cfg, lam_dataset **data)
{
    lam_table *all = NULL, *valid = NULL, *test = NULL;
    lam_log log = {cli_log, NULL};
    int code = cli_stdin_once(path, args->valid, args->test);
    if (code == CLI_OK)
        code = read_table(path, cfg, NULL, &all);
    if (code == CLI_OK)
        code = read_table(args->valid, cfg, all, &valid);
    if (code == CLI_OK)
        code = read_table(args->test, cfg, all, &test);
    if (code == CLI_OK)
        cli_table_notes(path, all);
    if (code == CLI_OK && lam_dataset_build(cfg, all, valid, test, &log, data) != LAM_OK)
        code = cli_library_failed();
    if (code == CLI_OK && !args->run.quiet)
        fit_print_data(path, all, *data);
    if (valid != NULL)
        cli_data_notes(args->valid, valid);
    if (test != NULL)
        cli_data_notes(args->test, test);
    lam_table_free(all);
    lam_table_free(valid);
    lam_table_free(test);
    return code;
}

static int write_split(const lam_config *cfg, const lam_dataset *data, const fit_args *args, const char *path)
{
    static const char *const names[] = {[LAM_TRAIN] = "train.npy", [LAM_VALID] = "valid.npy", [LAM_TEST] = "test.npy"};
    const char *const files[] = {[LAM_TRAIN] = path, [LAM_VALID] = args->valid, [LAM_TEST] = args->test};
    size_t rows, dim = lam_dataset_dim(data);
    int code = fit_make_folder(args->write_split);
    if (code == CLI_OK && lam_dataset_write(data, args->write_split, files) != LAM_OK)
        code = cli_library_failed();
    for (int part = LAM_TRAIN; code == CLI_OK && part <= LAM_TEST; part++) {
        char *file = cli_path_join(args->write_split, names[part]);
        (void)lam_dataset_rows(data, (lam_part)part, &rows);
        if (rows > 0)
            printf("%zu rows of %zu columns, standardised, are in %s\n", rows, dim, file);
        free(file);
    }
    if (code == CLI_OK && !lam_config_is(cfg, "map", "none"))
        puts("they are as they come to the column maps (--map), without the maps themselves");
    if (code == CLI_OK)
        printf("mean, scale, row numbers and a note on units are in %s beside them: split.json, *_rows.npy\n", args->write_split);
    return code;
}

/* ---- the fit ------------------------------------------------------------------------------------------------------ */

static int fit(const cli_command *command, int argc, char **argv, const fit_args *args, const lam_config *cfg, const lam_dataset *data)
{
    lam_model *model = NULL;
    lam_fit_result result;
    memset(&result, 0, sizeof result);
    size_t rows[3];
    for (int part = LAM_TRAIN; part <= LAM_TEST; part++)
        (void)lam_dataset_rows(data, (lam_part)part, &rows[part]);
    fit_watch watch = {.quiet = args->run.quiet, .terminal = cli_is_terminal(), .log_freq = cli_whole(cfg, "log-freq"), .valid_rows = rows[LAM_VALID],
        .told = cli_clock()};
    lam_fit_options options = {.run_dir = args->run.out, .resume = args->run.resume, .progress = fit_progress,
        .evaluating = fit_evaluating, .user = &watch, .log = {fit_keep_line, &watch}};
    int was_there = cli_exists(args->run.out), code = fit_make_folder(args->run.out);
    if (code != CLI_OK)
        return code;
    fit_catch_signals();
    fit_say_reading(cfg);
    options.seconds = cli_used();
    options.cpu_seconds = cli_processor_used();
    lam_status status = lam_fit(cfg, data, &options, &model, &result);
    cli_status_line("");
    if (status != LAM_OK && watch.said != NULL)
        cli_say("%s", watch.said);
    if (status == LAM_ERR_INTERRUPTED && fit_signal() != 0)
        code = fit_say_interrupted(command, argc, argv, &args->run, cfg, &result);
    else if (status != LAM_OK)
        code = cli_library_failed();
    if (status == LAM_ERR_DIVERGED || status == LAM_ERR_SOLVER)
        cli_say("with other values, start anew in the same folder by --overwrite, or in another one");
    if (code == CLI_OK) {
        char *file = cli_path_join(args->run.out, "model.safetensors");
        if (!args->run.quiet)
            printf("\n");
        fit_print_result(cfg, rows, &result);
        fit_print_repeat(cfg, lam_model_config(model), args->run.out);
        printf("model    %s\n", file);
        free(file);
        if (watch.said != NULL)
            printf("\n%s\n", watch.said);
    }
    free(watch.said);
    fit_unmake_folder(args->run.out, was_there);
    lam_model_free(model);
    return code;
}

static int run(const cli_command *command, int argc, char **argv)
{
    fit_args args = {0};
    cli_line line;
    lam_dataset *data = NULL;
    if (fit_preset_help(command, argc, argv))
        return CLI_OK;
    lam_config *cfg = cli_config_create();
    int code = cli_line_parse(command, argc, argv, &args, &line);
    if (code == CLI_OK && args.write_split != NULL && args.run.out != NULL)
        code = cli_misuse(command, "--write-split fits nothing: there is no run for --out");
    if (code == CLI_OK && args.write_split == NULL)
        code = fit_check_folder(command, &args.run);
    if (code == CLI_OK)
        code = fit_configure(command, &args.run, &line, cfg);
    if (code == CLI_OK)
        code = read_data(line.words[0], &args, cfg, &data);
    if (code == CLI_OK && args.write_split == NULL) {
        if (lam_config_choose(cfg, data) != LAM_OK)
            code = cli_library_failed();
        else if (!args.run.quiet)
            fit_print_choice(cfg);
    }
    if (code == CLI_OK && args.write_split != NULL)
        code = write_split(cfg, data, &args, line.words[0]);
    else if (code == CLI_OK)
        code = fit(command, argc, argv, &args, cfg, data);
    lam_dataset_free(data);
    lam_config_free(cfg);
    cli_line_free(&line);
    return code;
}

const cli_command cli_fit = {
    .name = "fit",
    .arguments = "DATA --out RUN/ [flags]",
    .summary = "fits a flow to a file of numbers",
    .details = "DATA is csv or text (with a header or without; comma, tab, semicolon or space; .gz too), .npy, .npz\n"
               "(\"FILE.npz:NAME\" for one array of several), toy:NAME[:ROWS:SEED], a 2-D density made on the spot, or - for standard\n"
               "input; what was read, the names of the columns above all, is printed (--header).\n"
               "Rows are split into training, validation and test rows, columns standardised by the training rows.\n"
               "RUN/ gets model.safetensors (the best by validation), config.yaml (every value in effect), metrics.jsonl\n"
               "and a checkpoint. Ctrl-C stops and saves; --resume goes on, to the same model bit for bit. --write-split is\n"
               "for other programs that should see the same rows. A monotone spline makes every column normal\n"
               "before the flow sees it (--map). --warm-start flow-matching:N begins with N cheap iterations that solve no ODE;\n"
               "calls of f and the table count them apart. --budget 5m gives the whole fit so long, reading,\n"
               "validations and the test included: the learning rate falls in time, and where there is no time for all rows,\n"
               "validation and test take a sample, and the closing table says of how many. --max-processor-seconds is the\n"
               "same in processor time.\n",
    .example = "  $ laminar fit power.csv --drop date,4 --drop-bad-rows --tpr --dims 60-60-60 --blocks 5 --out run/\n"
               "  $ laminar fit train.npy --valid valid.npy --test test.npy --config power.yaml --seed 2 --out run2/\n"
               "  $ laminar fit toy:pinwheel --iterations 2000 --out run3/\n"
               "  $ laminar fit toy:pinwheel --warm-start flow-matching:1000 --warm-start-pairing minibatch --tpr --out run4/\n",
    .options = fit_options,
    .parameters = 1,
    .least = 1,
    .most = 1,
    .run = run,
};
