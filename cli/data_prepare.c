/* laminar data prepare: the public tabular sets of this field, from their raw files. */
#include "fit.h"
#include <laminar/recipe.h>
#include <signal.h>
#include <string.h>

typedef struct prepare_args {
    const char *out;
    uint64_t seed;
    int overwrite, quiet;
} prepare_args;

static const cli_option prepare_options[] = {
    {"out", 'o', CLI_TEXT, "FOLDER/", "folder for train.npy, validation.npy, test.npy and recipe.json",
        offsetof(prepare_args, out)},
    {"seed", 0, CLI_SEED, "N", "of shuffle, sample and noise; default 0", offsetof(prepare_args, seed)},
    {"overwrite", 0, CLI_SWITCH, NULL, "replace files of these names that no recipe wrote", offsetof(prepare_args, overwrite)},
    {"quiet", 'q', CLI_SWITCH, NULL, "no progress and no notes", offsetof(prepare_args, quiet)},
    {0},
};

static volatile sig_atomic_t stop_signal; /* 0: none came */

static void on_signal(int number)
{
    stop_signal = number;
}

/* The first signal stops at the next progress, with nothing left behind; the second one of a kind kills. */
static void catch_signals(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = (int)SA_RESETHAND;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* When the step that progress tells of began, and when a line was last shown, on cli_clock. */
typedef struct watch {
    char what[256];
    double start, last;
} watch;

static int show_progress(void *user, const char *what, size_t done, size_t total)
{
    watch *w = user;
    double now = cli_clock(), rate;
    char line[400], left[32];
    if (strcmp(w->what, what) != 0) {
        snprintf(w->what, sizeof w->what, "%s", what);
        w->start = now;
        w->last = now - 60.0;
    }
    if (now - w->start < 2.0 || now - w->last < (cli_is_terminal() ? 0.2 : 10.0))
        return stop_signal != 0;
    rate = (double)done / (now - w->start);
    cli_duration(rate > 0.0 && total >= done ? (double)(total - done) / rate : -1.0, left);
    snprintf(line, sizeof line, "%s: %zu of %zu MB, %s left", what, done / 1000000, total / 1000000, left);
    if (cli_is_terminal())
        cli_status_line(line);
    else
        cli_say("%s", line);
    w->last = now;
    return stop_signal != 0;
}

static const lam_recipe *find_recipe(const char *name)
{
    const lam_recipe *recipe;
    for (size_t i = 0; (recipe = lam_recipe_at(i)) != NULL; i++)
        if (strcmp(recipe->name, name) == 0)
            return recipe;
    return NULL;
}

static void count_row(cli_grid *grid, const char *name, size_t here, size_t published)
{
    cli_grid_add(grid, "%s", name);
    cli_grid_add(grid, "%zu", here);
    cli_grid_add(grid, "%zu", published);
}

static void print_result(const lam_recipe *recipe, const lam_recipe_result *result, const char *folder)
{
    static const char *const parts[] = {"training rows", "validation rows", "test rows"};
    cli_grid grid = {.columns = 3};
    size_t n = strlen(folder);
    n -= n > 1 && folder[n - 1] == '/';
    cli_grid_add(&grid, "%s", recipe->name);
    cli_grid_add(&grid, "here");
    cli_grid_add(&grid, "published");
    for (size_t i = 0; i < 3; i++)
        count_row(&grid, parts[i], result->rows[i], recipe->rows[i]);
    count_row(&grid, "columns", result->columns, recipe->columns);
    cli_grid_print(&grid, stdout);
    printf("\ntrain.npy, validation.npy, test.npy and recipe.json are in %s\n", folder);
    printf("fit      laminar fit %.*s/train.npy --valid %.*s/validation.npy --test %.*s/test.npy --preset %s "
           "--tpr --out run/\n", (int)n, folder, (int)n, folder, (int)n, folder, recipe->name);
}

static int prepare(const lam_recipe *recipe, const cli_line *line, const prepare_args *args)
{
    watch w = {.what = ""};
    lam_recipe_result result;
    lam_recipe_options options = {.seed = args->seed, .overwrite = args->overwrite};
    if (!args->quiet)
        options.log.line = cli_log;
    options.progress = show_progress;
    options.user = &w;
    int code = fit_begin_folder(args->out);
    if (code != CLI_OK) {
        fit_end_folder(args->out, code);
        return code;
    }
    catch_signals();
    lam_status status = lam_recipe_prepare(recipe->name, line->words + 1, line->n_words - 1, args->out, &options, &result);
    cli_status_line("");
    if (status == LAM_OK)
        print_result(recipe, &result, args->out);
    else
        code = cli_library_failed();
    fit_end_folder(args->out, code);
    return status == LAM_ERR_INTERRUPTED ? 128 + (int)stop_signal : code;
}

static int run(const cli_command *command, int argc, char **argv)
{
    prepare_args args = {0};
    cli_line line;
    const lam_recipe *recipe = NULL;
    int code = cli_line_parse(command, argc, argv, &args, &line);
    if (code == CLI_OK && (recipe = find_recipe(line.words[0])) == NULL)
        code = cli_misuse(command, "there is no recipe \"%s\": it is power, gas, hepmass, miniboone or bsds300", line.words[0]);
    if (code == CLI_OK && args.out == NULL)
        code = cli_misuse(command, "%s needs a folder for what it makes: --out FOLDER/", command->name);
    if (code == CLI_OK && cli_exists(args.out) && !cli_is_folder(args.out))
        code = cli_fail("--out %s is a file; name a folder", args.out);
    if (code == CLI_OK)
        code = prepare(recipe, &line, &args);
    cli_line_free(&line);
    return code;
}

static const cli_command cli_data_prepare = {
    .name = "data prepare",
    .arguments = "SET RAW... --out FOLDER/ [flags]",
    .summary = "cleans, splits and scales a public data set as published",
    .details = "SET and RAW:\n"
               "  power      household_power_consumption.txt (UCI), or data.npy of the MAF bundle's folder power\n"
               "  gas        ethylene_CO.txt (UCI)\n"
               "  hepmass    1000_train.csv 1000_test.csv (UCI), or .csv.gz\n"
               "  miniboone  MiniBooNE_PID.txt (UCI), or data.npy of the MAF bundle's folder miniboone\n"
               "  bsds300    BSDS300.hdf5 (MAF bundle)\n"
               "or the folder that holds them. Writes train.npy, validation.npy and test.npy into FOLDER/, in the units of the\n"
               "published figures (Papamakarios et al. 2017, FFJORD, TPR), and recipe.json, which records how they were made.\n"
               "The numbers of rows and columns are compared with the published ones. power and gas are shuffled and sampled\n"
               "anew from --seed; the others are the published rows. docs/data.md describes each recipe.\n",
    .example = "  $ laminar data prepare power household_power_consumption.txt --out power/\n"
               "  $ laminar data prepare hepmass 1000_train.csv.gz 1000_test.csv.gz --out hepmass/\n"
               "  $ laminar fit power/train.npy --valid power/validation.npy --test power/test.npy --preset power "
               "--tpr --out run/\n",
    .options = prepare_options,
    .least = 2,
    .most = 3,
    .run = run,
};

static const cli_command *const parts[] = {&cli_data_prepare, NULL};

const cli_command cli_data = {
    .name = "data",
    .summary = "makes the public data sets of this field from their raw files",
    .details = "`laminar fit --preset SET` has the published settings for each of the five data sets.\n",
    .example = "  $ laminar data prepare miniboone MiniBooNE_PID.txt --out miniboone/\n",
    .parts = parts,
};
