/* laminar fit: fits a flow to a file of numbers. */
#include "fit.h"
#include "ranks.h"
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct fit_args {
    fit_run run;
    const char *valid, *test, *write_split, *scratch;
} fit_args;

static const cli_option fit_options[] = {
    FIT_OUT_OPTIONS(fit_args),
    {"valid", 0, CLI_TEXT, "FILE", "validation rows; default: split off DATA", offsetof(fit_args, valid)},
    {"test", 0, CLI_TEXT, "FILE", "test rows; default: split off DATA, but none where --valid names a file", offsetof(fit_args, test)},
    {"write-split", 0, CLI_TEXT, "FOLDER/", "fit nothing, but write the rows as a fit sees them: noise, split, standardised",
        offsetof(fit_args, write_split)},
    {"scratch", 0, CLI_TEXT, "FOLDER/", "keep rows in files in this folder while the fit runs; none: keep them in memory; default: in RUN/ where DATA is an .npy or text "
        "of 64 MiB or more, otherwise in memory. Text is converted once: a fit that is interrupted leaves a rows-*.cache there for --resume", offsetof(fit_args, scratch)},
    FIT_RUN_OPTIONS(fit_args),
    {0},
};

/* ---- data --------------------------------------------------------------------------------------------------------- */

/* first: the training rows, which validation and test rows are read like; NULL: these are they. */
static int read_table(const char *path, const fit_args *args, const lam_config *cfg, const lam_table *first, lam_table **table)
{
    lam_rows_place place;
    if (path == NULL)
        return CLI_OK;
    int code = cli_place(args->scratch, args->write_split != NULL ? args->write_split : args->run.out, &place);
    place.keep = args->write_split == NULL;
    if (code == CLI_OK && lam_table_map_rows(cfg, path, first, &place, table) != LAM_OK)
        code = cli_library_failed();
    return code;
}

/* tables: of DATA, --valid and --test. */
static int read_tables(const char *const paths[3], const fit_args *args, const lam_config *cfg, lam_table *tables[3])
{
    int code = CLI_OK;
    if (!cli_is_first())
        code = cli_agree(CLI_OK); /* ranks that see rank 0's files need not convert text again */
    for (size_t i = 0; code == CLI_OK && i < 3; i++) {
        code = read_table(paths[i], args, cfg, i > 0 ? tables[0] : NULL, &tables[i]);
        if (tables[i] != NULL && tables[i]->kept != NULL)
            fit_note_kept(tables[i]->kept);
    }
    return cli_is_first() ? cli_agree(code) : code;
}

static int read_data(const char *path, const fit_args *args, const lam_config *cfg, lam_dataset **data)
{
    const char *const paths[3] = {path, args->valid, args->test};
    lam_table *tables[3] = {NULL};
    lam_log log = {cli_log, NULL};
    int code = cli_stdin_once(path, args->valid, args->test);
    if (code == CLI_OK)
        code = read_tables(paths, args, cfg, tables);
    if (code == CLI_OK)
        cli_table_notes(path, tables[0]);
    if (code == CLI_OK && lam_dataset_build(cfg, tables[0], tables[1], tables[2], &log, data) != LAM_OK)
        code = cli_library_failed();
    if (code == CLI_OK && !args->run.quiet)
        fit_print_data(path, tables[0], *data);
    for (size_t i = 1; i < 3; i++)
        if (tables[i] != NULL)
            cli_data_notes(paths[i], tables[i]);
    for (size_t i = 0; i < 3; i++)
        lam_table_free(tables[i]);
    return code;
}

static int write_split(const lam_config *cfg, const lam_dataset *data, const fit_args *args, const char *path)
{
    static const char *const names[] = {[LAM_TRAIN] = "train.npy", [LAM_VALID] = "valid.npy", [LAM_TEST] = "test.npy"};
    const char *const files[] = {[LAM_TRAIN] = path, [LAM_VALID] = args->valid, [LAM_TEST] = args->test};
    size_t rows, dim = lam_dataset_dim(data);
    int code = CLI_OK;
    if (lam_dataset_write(data, args->write_split, files) != LAM_OK)
        code = cli_library_failed();
    for (int part = LAM_TRAIN; code == CLI_OK && part <= LAM_TEST; part++) {
        char *file = cli_path_join(args->write_split, names[part]);
        (void)lam_dataset_rows(data, (lam_part)part, &rows);
        if (rows > 0)
            printf("%zu rows of %zu columns, standardised, are in %s\n", rows, dim, file);
        free(file);
    }
    if (code == CLI_OK && (!lam_config_is(cfg, "map", "none") || !lam_config_is(cfg, "whiten", "none")))
        puts("they are as they come to column maps and whitening (--map, --whiten), without these themselves");
    if (code == CLI_OK)
        printf("mean, scale, row numbers and a note on units are in %s beside them: split.json, *_rows.npy\n", args->write_split);
    return code;
}

/* ---- the fit ------------------------------------------------------------------------------------------------------ */

typedef struct table_fit {
    const lam_dataset *data;
    lam_model *model;
    size_t rows[3]; /* by lam_part */
} table_fit;

static lam_status fit_table(void *user, const lam_config *cfg, const lam_fit_options *options, lam_fit_result *result)
{
    table_fit *f = user;
    return lam_fit(cfg, f->data, options, &f->model, result);
}

static const lam_config *print_table(void *user, const lam_config *cfg, const lam_fit_result *result)
{
    table_fit *f = user;
    fit_print_result(cfg, f->model, f->rows, result);
    return lam_model_config(f->model);
}

static int fit(const cli_command *command, int argc, char **argv, const fit_args *args, const lam_config *cfg, const lam_dataset *data)
{
    table_fit f = {.data = data};
    for (int part = LAM_TRAIN; part <= LAM_TEST; part++)
        (void)lam_dataset_rows(data, (lam_part)part, &f.rows[part]);
    fit_watch watch = {.valid_rows = f.rows[LAM_VALID], .flows = cli_whole(cfg, "iterations") < LAM_UNENDING ? cli_whole(cfg, "flows") : 0, .tried = (double)NAN};
    const fit_job job = {.command = command, .argc = argc, .argv = argv, .run = &args->run, .cfg = cfg, .watch = &watch,
        .log = {fit_keep_line, &watch}, .fit = fit_table, .print = print_table, .user = &f};
    int code = fit_carry_out(&job);
    lam_model_free(f.model);
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
    const char *folder = args.write_split != NULL ? args.write_split : args.run.out;
    if (code == CLI_OK && cli_is_first())
        code = fit_begin_folder(folder); /* rows may be kept there */
    code = cli_agree(code); /* on a folder that rank 0 has looked at, before anybody reads */
    if (code == CLI_OK)
        code = read_data(line.words[0], &args, cfg, &data);
    code = cli_agree(code);
    if (code == CLI_OK && args.write_split == NULL) {
        if (lam_config_choose(cfg, data) != LAM_OK)
            code = cli_library_failed();
        else if (!args.run.quiet)
            fit_print_choice(cfg);
    }
    code = cli_agree(code);
    if (code == CLI_OK && args.write_split != NULL)
        code = cli_is_first() ? write_split(cfg, data, &args, line.words[0]) : CLI_OK;
    else if (code == CLI_OK)
        code = fit(command, argc, argv, &args, cfg, data);
    fit_end_folder(folder, code);
    lam_dataset_free(data);
    lam_config_free(cfg);
    cli_line_free(&line);
    return code;
}

const cli_command cli_fit = {
    .name = "fit",
    .arguments = "DATA --out RUN/ [flags]",
    .summary = "fits a flow to a table of numbers",
    .details = "DATA is csv or text (with or without a header; separated by comma, tab, semicolon or blanks; .gz too), .npy, .npz\n"
               "(\"FILE.npz:NAME\" for one array of several), toy:NAME[:ROWS:SEED], a 2-D density made on the spot, or - for standard input.\n"
               "What was read, the names of the columns above all, is printed. Rows are split into training, validation and test rows, and\n"
               "columns are standardised by the training rows. RUN/ gets model.safetensors (the best model by validation), config.yaml (every\n"
               "value in effect), metrics.jsonl and a checkpoint. Ctrl-C stops and saves; --resume continues, to the same model bit for bit.\n"
               "A monotone spline makes each column normal before the flow sees it (--map). --warm-start flow-matching:N begins with N cheap\n"
               "iterations that solve no ODE; they are counted apart. --budget 5m limits the whole fit, with reading, validation and test: the\n"
               "learning rate falls in time, and where there is no time for all rows, validation and test take a sample and say how large it\n"
               "is. --max-processor-seconds limits processor time instead. --write-split writes the rows of the split for other programs.\n"
               "`mpirun -n 4 laminar fit ...` divides the work among processes, to the same result.\n",
    .example = "  $ laminar fit power.csv --drop date,4 --drop-bad-rows --tpr --dims 60-60-60 --blocks 5 --out run/\n"
               "  $ laminar fit train.npy --valid valid.npy --test test.npy --config power.yaml --seed 2 --out run2/\n"
               "  $ laminar fit toy:pinwheel --iterations 2000 --out run3/\n"
               "  $ laminar fit toy:pinwheel --warm-start flow-matching:1000 --warm-start-pairing minibatch --tpr --out run4/\n",
    .options = fit_options,
    .parameters = 1,
    .least = 1,
    .most = 1,
    .run = run,
    .shared = 1,
};
