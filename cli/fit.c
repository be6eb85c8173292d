/* laminar fit: fits a flow to a file of numbers. */
#include "fit.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct fit_args {
    const char *out, *config, *valid, *test, *write_split;
    int resume, overwrite, quiet;
} fit_args;

static const cli_option fit_options[] = {
    {"out", 'o', CLI_TEXT, "RUN/", "folder for the model, config.yaml, metrics.jsonl and the checkpoint",
        offsetof(fit_args, out)},
    {"config", 0, CLI_TEXT, "FILE.yaml", "parameters by the names below; flags on the line win",
        offsetof(fit_args, config)},
    {"valid", 0, CLI_TEXT, "FILE", "validation rows; default: split off DATA", offsetof(fit_args, valid)},
    {"test", 0, CLI_TEXT, "FILE", "test rows; default: split off DATA", offsetof(fit_args, test)},
    {"resume", 0, CLI_SWITCH, NULL, "go on with the run in RUN, with its parameters; start it if there is none",
        offsetof(fit_args, resume)},
    {"overwrite", 0, CLI_SWITCH, NULL, "start anew in a RUN that holds a run already", offsetof(fit_args, overwrite)},
    {"write-split", 0, CLI_TEXT, "FOLDER/", "fit nothing, but write the rows as a fit sees them: noise, split, standardised",
        offsetof(fit_args, write_split)},
    {"quiet", 'q', CLI_SWITCH, NULL, "no progress; the closing table alone", offsetof(fit_args, quiet)},
    {0},
};

/* ---- the run folder ----------------------------------------------------------------------------------------------- */

static int is_run_file(const char *name)
{
    return strcmp(name, "config.yaml") == 0 || strcmp(name, "metrics.jsonl") == 0
        || strcmp(name, "model.safetensors") == 0 || strncmp(name, "checkpoint", 10) == 0;
}

/* 1 if the folder holds something of a run. */
static int holds_run(const char *folder)
{
    const struct dirent *entry;
    int found = 0;
    DIR *dir = opendir(folder);
    while (dir != NULL && !found && (entry = readdir(dir)) != NULL)
        found = is_run_file(entry->d_name);
    if (dir != NULL)
        closedir(dir);
    return found;
}

static int check_run_folder(const cli_command *command, const fit_args *args)
{
    if (args->write_split != NULL)
        return args->out == NULL ? CLI_OK : cli_misuse(command, "--write-split fits nothing: there is no run for --out");
    if (args->out == NULL)
        return cli_misuse(command, "fit wants a folder for the run: --out RUN/");
    if (args->resume && args->overwrite)
        return cli_misuse(command, "--resume and --overwrite exclude each other");
    if (cli_exists(args->out) && !cli_is_folder(args->out))
        return cli_fail("--out %s is a file; name a folder", args->out);
    if (!args->resume && !args->overwrite && holds_run(args->out))
        return cli_fail("%s holds a run already; go on with it by --resume, choose another folder, or start anew there "
            "by --overwrite", args->out);
    return CLI_OK;
}

/* Makes the folder and those above it. */
static int make_folder(const char *folder)
{
    char *path = cli_format("%s", folder);
    int code = CLI_OK;
    for (char *end = path + 1; code == CLI_OK; end++) {
        char c = *end;
        if (c != '/' && c != '\0')
            continue;
        *end = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            code = cli_fail("cannot make the folder %s: %s", path, strerror(errno));
        *end = c;
        if (c == '\0')
            break;
    }
    free(path);
    return code;
}

/* ---- configuration and data --------------------------------------------------------------------------------------- */

/* A resumed run's own parameters, LAMINAR_ISA, --config, flags: each wins over those before. */
static int configure(const cli_command *command, const fit_args *args, const cli_line *line, lam_config *cfg)
{
    int code = CLI_OK;
    char *saved = args->resume && args->out != NULL ? cli_path_join(args->out, "config.yaml") : NULL;
    if (saved != NULL && cli_exists(saved))
        code = cli_config_load(cfg, saved);
    free(saved);
    if (code == CLI_OK && cli_isa() != NULL && lam_config_set(cfg, "isa", cli_isa()) != LAM_OK)
        code = cli_misuse(command, "LAMINAR_ISA in the environment: %s", lam_last_error());
    if (code == CLI_OK && args->config != NULL)
        code = cli_config_load(cfg, args->config);
    if (code == CLI_OK)
        code = cli_line_apply(command, line, cfg);
    if (code == CLI_OK && lam_config_check(cfg) != LAM_OK)
        code = cli_misuse(command, "%s", lam_last_error());
    return code;
}

static int read_table(const char *path, const lam_config *cfg, lam_table **table)
{
    lam_read_options options = {.columns = cfg->columns, .drop = cfg->drop, .drop_bad_rows = cfg->drop_bad_rows,
        .drop_duplicates = cfg->drop_duplicates};
    if (path == NULL)
        return CLI_OK;
    return lam_table_read(path, &options, table) == LAM_OK ? CLI_OK : cli_library_failed();
}

static int read_data(const char *path, const fit_args *args, const lam_config *cfg, lam_dataset **data)
{
    lam_table *all = NULL, *valid = NULL, *test = NULL;
    lam_log log = {cli_log, NULL};
    int code = read_table(path, cfg, &all);
    if (code == CLI_OK)
        code = read_table(args->valid, cfg, &valid);
    if (code == CLI_OK)
        code = read_table(args->test, cfg, &test);
    if (code == CLI_OK && lam_dataset_build(cfg, all, valid, test, &log, data) != LAM_OK)
        code = cli_library_failed();
    if (code == CLI_OK && !args->quiet)
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

/* A part's rows in standardised units as folder/name; a part without rows is no file. */
static int write_part(const lam_dataset *data, lam_part part, const char *folder, const char *name)
{
    size_t rows, dim = lam_dataset_dim(data);
    const double *values = lam_dataset_rows(data, part, &rows);
    if (rows == 0)
        return CLI_OK;
    char *path = cli_path_join(folder, name);
    lam_table *table = cli_table_create(rows, dim);
    memcpy(table->values, values, rows * dim * sizeof *values);
    int code = cli_table_out(table, path);
    if (code == CLI_OK)
        printf("%zu rows of %zu columns, standardised, are in %s\n", rows, dim, path);
    lam_table_free(table);
    free(path);
    return code;
}

static int write_split(const lam_dataset *data, const char *folder)
{
    int code = make_folder(folder);
    if (code == CLI_OK)
        code = write_part(data, LAM_TRAIN, folder, "train.npy");
    if (code == CLI_OK)
        code = write_part(data, LAM_VALID, folder, "valid.npy");
    if (code == CLI_OK)
        code = write_part(data, LAM_TEST, folder, "test.npy");
    return code;
}

/* ---- the fit ------------------------------------------------------------------------------------------------------ */

/* A word as a shell takes it; free it. */
static char *quoted(const char *word)
{
    const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_";
    if (word[0] != '\0' && word[strspn(word, plain)] == '\0')
        return cli_format("%s", word);
    char *all = cli_format("%s", "'");
    for (const char *c = word; *c != '\0'; c++) {
        char *longer = *c == '\'' ? cli_format("%s'\\''", all) : cli_format("%s%c", all, *c);
        free(all);
        all = longer;
    }
    char *closed = cli_format("%s'", all);
    free(all);
    return closed;
}

static void say_word(const char *flag, const char *word)
{
    if (word == NULL)
        return;
    char *text = quoted(word);
    fprintf(stderr, " %s%s", flag, text);
    free(text);
}

static int say_interrupted(const char *path, const fit_args *args, size_t iteration, const lam_config *cfg)
{
    cli_say("stopped after iteration %zu of %zu; the run so far is saved in %s. To go on:", iteration, cfg->iterations,
        args->out);
    fprintf(stderr, "  laminar fit");
    say_word("", path);
    say_word("--valid ", args->valid);
    say_word("--test ", args->test);
    say_word("--out ", args->out);
    fprintf(stderr, " --resume\n");
    return 128 + fit_signal();
}

static int fit(const char *path, const fit_args *args, const lam_config *cfg, const lam_dataset *data)
{
    lam_model *model = NULL;
    lam_fit_result result;
    memset(&result, 0, sizeof result);
    fit_watch watch = {.quiet = args->quiet, .terminal = cli_is_terminal(), .log_freq = cfg->log_freq};
    lam_fit_options options = {.run_dir = args->out, .resume = args->resume, .progress = fit_progress, .user = &watch,
        .log = {cli_log, NULL}};
    int code = make_folder(args->out);
    if (code != CLI_OK)
        return code;
    fit_catch_signals();
    lam_status status = lam_fit(cfg, data, &options, &model, &result);
    cli_status_line("");
    if (status == LAM_ERR_INTERRUPTED && fit_signal() != 0)
        code = say_interrupted(path, args, watch.iteration, cfg);
    else if (status != LAM_OK)
        code = cli_library_failed();
    if (status == LAM_ERR_DIVERGED || status == LAM_ERR_SOLVER)
        cli_say("with other values, start anew in the same folder by --overwrite, or in another one");
    if (code == CLI_OK) {
        char *file = cli_path_join(args->out, "model.safetensors");
        if (!args->quiet)
            printf("\n");
        fit_print_result(cfg, &result);
        printf("model    %s\n", file);
        free(file);
    }
    lam_model_free(model);
    return code;
}

static int run(const cli_command *command, int argc, char **argv)
{
    fit_args args = {0};
    cli_line line;
    lam_config cfg;
    lam_dataset *data = NULL;
    lam_config_init(&cfg);
    int code = cli_line_parse(command, argc, argv, &args, &line);
    if (code == CLI_OK)
        code = check_run_folder(command, &args);
    if (code == CLI_OK)
        code = configure(command, &args, &line, &cfg);
    if (code == CLI_OK)
        code = read_data(line.words[0], &args, &cfg, &data);
    if (code == CLI_OK && args.write_split != NULL)
        code = write_split(data, args.write_split);
    else if (code == CLI_OK)
        code = fit(line.words[0], &args, &cfg, data);
    lam_dataset_free(data);
    lam_config_clear(&cfg);
    cli_line_free(&line);
    return code;
}

const cli_command cli_fit = {
    .name = "fit",
    .arguments = "DATA --out RUN/ [flags]",
    .summary = "fits a flow to a file of numbers",
    .details = "DATA is csv or text (with a header or without; comma, tab, semicolon or space; .gz too), .npy, .npz\n"
               "(\"FILE.npz:NAME\" for one array of several) or toy:NAME[:ROWS:SEED], a 2-D density made on the spot.\n"
               "Rows are split into training, validation and test rows, columns standardised by the training rows.\n"
               "RUN/ gets model.safetensors (the best by validation), config.yaml (every value in effect), metrics.jsonl\n"
               "and a checkpoint. Ctrl-C stops and saves; --resume goes on, to the same model bit for bit. --write-split is\n"
               "for other programs that should see the same rows.\n",
    .example = "  $ laminar fit power.csv --drop date,4 --drop-bad-rows --tpr --dims 60-60-60 --blocks 5 --out run/\n"
               "  $ laminar fit train.npy --valid valid.npy --test test.npy --config power.yaml --seed 2 --out run2/\n"
               "  $ laminar fit toy:pinwheel --iterations 2000 --out run3/\n",
    .options = fit_options,
    .parameters = 1,
    .least = 1,
    .most = 1,
    .run = run,
};
