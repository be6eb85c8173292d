/* laminar plot: pictures of models. */
#include "cli.h"
#include <laminar/plot.h>
#include "plot_given.h"
#include "plot_steps.h"
#include <stdlib.h>
#include <string.h>

typedef struct plot_args {
    const char *out, *data, *columns, *panels, *scale, *against;
    cli_texts given;
    size_t draws, points, paths, grid;
    uint64_t seed;
    cli_choice choice; /* of DATA; its columns stay NULL, --columns being those to show */
    int dark, steps;
    cli_eval eval;
} plot_args;

static const cli_option plot_options[] = {
    {"out", 'o', CLI_TEXT, "FILE", "the picture: .png, .svg or .pdf", offsetof(plot_args, out)},
    {"data", 0, CLI_TEXT, "DATA", "rows to lay over it, in data units; paths then start from them", offsetof(plot_args, data)},
    {"drop", 0, CLI_LIST, "A,B,...", "columns of DATA to leave out, by name or number", offsetof(plot_args, choice.drop)},
    {"drop-bad-rows", 0, CLI_SWITCH, NULL, "leave out rows of DATA with missing or non-numeric cells; they are counted",
        offsetof(plot_args, choice.drop_bad_rows)},
    CLI_HEADER_OPTION(plot_args),
    {"columns", 0, CLI_LIST, "A,B,...", "columns to show, by name or number; default: the first 6", offsetof(plot_args, columns)},
    {"given", 0, CLI_TEXTS, "NAME=VALUE", "the density of one or two columns given this value of another; once for each", offsetof(plot_args, given)},
    {"against", 0, CLI_TEXT, "NAME", "quantiles of a column for each value of NAME, which is given", offsetof(plot_args, against)},
    {"panels", 0, CLI_LIST, "density,draws,paths", "of two columns, which panels; default all", offsetof(plot_args, panels)},
    {"steps", 0, CLI_SWITCH, NULL, "show the steps of the solver instead: their lengths, and the errors of z and of log p, along the time of the flow",
        offsetof(plot_args, steps)},
    {"scale", 0, CLI_TEXT, "density|log", "show the density, or its logarithm (10 nats of it); default: log where the density "
        "would be too thin to see", offsetof(plot_args, scale)},
    {"dark", 0, CLI_SWITCH, NULL, "light on dark", offsetof(plot_args, dark)},
    {"number", 'n', CLI_COUNT, "N", "draws from each model; default 5000", offsetof(plot_args, draws)},
    {"points", 0, CLI_COUNT, "N", "points in a panel at the most; default 1000 (of data on the density half of it), in a corner 400", offsetof(plot_args, points)},
    {"paths", 0, CLI_COUNT, "N", "rows whose paths are shown; default 24", offsetof(plot_args, paths)},
    {"grid", 0, CLI_COUNT, "N", "the density's map is of N x N places; default 200", offsetof(plot_args, grid)},
    {"seed", 0, CLI_SEED, "N", "draw i depends on the seed and i alone; default 0", offsetof(plot_args, seed)},
    CLI_EVAL_OPTIONS(plot_args),
    {0},
};

/* What the command opens. */
typedef struct plot_models {
    size_t n;
    lam_model **model;          /* [n] */
    lam_picture_model *picture; /* [n] the names are cli_format's */
    char **name;                /* [n] */
} plot_models;

static int open_one(const char *path, const char *config, lam_model **model)
{
    lam_model_kind kind = LAM_DENSITY;
    char *file;
    int code = cli_model_file(path, &file);
    if (code == CLI_OK && lam_model_file_kind(file, &kind) != LAM_OK)
        code = cli_library_failed();
    free(file);
    if (code == CLI_OK && kind == LAM_VAE)
        code = cli_fail("%s is an auto-encoder of images, not of columns; `laminar vae sample %s -o FILE.png` draws from it", path, path);
    return code == CLI_OK ? cli_model_open(path, config, model) : code;
}

/* Names are the last parts of the paths where these tell the models apart. */
static void name_models(const cli_line *line, plot_models *m)
{
    int twins = 0;
    for (size_t i = 0; i < m->n; i++) {
        m->name[i] = cli_path_name(line->words[i]);
        for (size_t j = 0; j < i; j++)
            twins |= strcmp(m->name[i], m->name[j]) == 0;
    }
    for (size_t i = 0; i < m->n; i++) {
        if (twins) {
            free(m->name[i]);
            m->name[i] = cli_printable(line->words[i]);
        }
        m->picture[i] = (lam_picture_model){.model = m->model[i], .name = m->name[i]};
    }
}

static int open_models(const cli_line *line, const char *config, plot_models *m)
{
    int code = CLI_OK;
    m->n = line->n_words;
    m->model = cli_alloc(m->n, sizeof *m->model);
    m->picture = cli_alloc(m->n, sizeof *m->picture);
    m->name = cli_alloc(m->n, sizeof *m->name);
    for (size_t i = 0; i < m->n && code == CLI_OK; i++)
        code = open_one(line->words[i], config, &m->model[i]);
    if (code == CLI_OK)
        name_models(line, m);
    for (size_t i = 1; code == CLI_OK && i < m->n && lam_model_dim(m->model[i]) == lam_model_dim(m->model[0]); i++)
        for (size_t j = 0; j < lam_model_dim(m->model[0]); j++)
            if (strcmp(lam_model_column(m->model[0], j), lam_model_column(m->model[i], j)) != 0) {
                cli_say("warning: column %zu is called %s in %s and %s in %s; they are taken in their order", j + 1,
                    lam_model_column(m->model[0], j), m->name[0], lam_model_column(m->model[i], j), m->name[i]);
                break;
            }
    return code;
}

static void close_models(plot_models *m)
{
    for (size_t i = 0; i < m->n; i++) {
        lam_model_free(m->model[i]);
        free(m->name[i]);
    }
    free(m->model);
    free(m->picture);
    free(m->name);
}

/* ---- choices ------------------------------------------------------------------------------------------------------ */

/* Moves past the next item of a list "a,b,c" into word, for lists of plain words; 0 at the end. */
static int next_item(const char **list, char word[256])
{
    size_t n = strcspn(*list, ",");
    if (**list == '\0')
        return 0;
    snprintf(word, 256, "%.*s", (int)(n < 255 ? n : 255), *list);
    *list += n + ((*list)[n] == ',');
    return 1;
}

/* columns [room for all of the model's] */
static int choose_columns(const cli_command *command, const char *list, const lam_model *model, size_t *columns,
    lam_picture_options *options)
{
    const lam_wanted own = lam_model_wanted(model);
    int code = CLI_OK;
    if (list == NULL)
        return CLI_OK;
    lam_config *lists = cli_config_create();
    lam_status status = lam_config_set(lists, "columns", list);
    const lam_read_options choice = {.columns = lam_config_names(lists, "columns")};
    if (status == LAM_OK)
        status = lam_columns_choose("columns: the model", own.names.item, own.names.n, &choice, columns, &options->n_columns);
    if (status != LAM_OK)
        code = cli_misuse(command, "--%s", lam_last_error());
    lam_config_free(lists);
    options->columns = columns;
    return code;
}

static int choose_panels(const cli_command *command, const char *list, lam_picture_options *options)
{
    static const char *const names[] = {"density", "draws", "paths"};
    char word[256];
    while (list != NULL && next_item(&list, word)) {
        size_t i = 0;
        while (i < 3 && strcmp(word, names[i]) != 0)
            i++;
        if (i == 3)
            return cli_misuse(command, "--panels: there is no panel \"%s\"; there are density, draws and paths", word);
        options->panels |= 1u << i;
    }
    return CLI_OK;
}

static int choose_scale(const cli_command *command, const char *word, lam_picture_options *options)
{
    if (word != NULL && strcmp(word, "density") != 0 && strcmp(word, "log") != 0)
        return cli_misuse(command, "--scale needs density or log, not \"%s\"", word);
    if (word != NULL)
        options->scale = strcmp(word, "log") == 0 ? LAM_PICTURE_LOG : LAM_PICTURE_LINEAR;
    return CLI_OK;
}

/* ---- the command -------------------------------------------------------------------------------------------------- */

static int draw(const cli_command *command, const plot_args *args, const plot_models *m)
{
    lam_eval_options eval;
    cli_progress progress;
    lam_picture_report report = {0};
    size_t *columns = cli_alloc(lam_model_dim(m->model[0]), sizeof *columns);
    double start = cli_clock();
    char text[32];
    lam_table *data = NULL;
    lam_picture_options options = {.eval = &eval, .seed = args->seed, .draws = args->draws, .points = args->points,
        .paths = args->paths, .grid = args->grid, .dark = args->dark};
    int code = choose_columns(command, args->columns, m->model[0], columns, &options);
    if (code == CLI_OK)
        code = choose_panels(command, args->panels, &options);
    if (code == CLI_OK)
        code = choose_scale(command, args->scale, &options);
    if (code == CLI_OK && args->data != NULL)
        code = cli_data_read(args->data, &args->choice, m->model[0], &data);
    if (code != CLI_OK) {
        free(columns);
        return code;
    }
    cli_eval_options(&args->eval, &eval);
    cli_progress_start(&progress, "drawing", &eval);
    lam_status status = lam_picture_write(m->picture, m->n, data, &options, args->out, &report);
    cli_progress_end();
    lam_table_free(data);
    free(columns);
    if (status != LAM_OK)
        return cli_library_failed();
    if (args->columns == NULL && report.columns < lam_model_dim(m->model[0]))
        cli_say("note: the first %zu of %zu columns are shown; --columns chooses others", report.columns, lam_model_dim(m->model[0]));
    printf("%s: %s%s\n", args->out, report.note, cli_duration(cli_clock() - start, text));
    return CLI_OK;
}

/* A column that is given whatever is asked has no density and no draws. */
static int check_joint(const cli_command *command, const plot_models *m)
{
    int code = CLI_OK;
    for (size_t i = 0; i < m->n && code == CLI_OK; i++) {
        size_t dim = lam_model_dim(m->model[i]), given = 0;
        unsigned char *is_given = cli_alloc(dim, sizeof *is_given);
        for (size_t j = 0; j < dim; j++)
            given += is_given[j] = lam_model_role(m->model[i], j) == LAM_GIVEN;
        if (given > 0) {
            char *flags, *names = cli_ask_flags(m->model[i], is_given, &flags);
            code = cli_misuse(command, "%s has no density of all its columns, as it is given %s: say what %s,%s, or a column to show it against, --against",
                m->name[i], names, given == 1 ? "this is" : "these are", flags);
            free(names);
            free(flags);
        }
        free(is_given);
    }
    return code;
}

/* What a picture can show, and which flags say something about it. A flag that says nothing is refused, so that nobody takes it for what is
 * shown. */
enum { STEPS = 1, DENSITY = 2, FAN = 4 };

static int check_flags(const cli_command *command, const plot_args *args, int shown)
{
    static const char *const what[] = {[STEPS] = "--steps shows the steps of the solver", [DENSITY] = "--given shows the density at these values",
        [FAN] = "--against shows quantiles"};
    const struct {
        const char *flag;
        int said, tells;
    } flags[] = {{"data", args->data != NULL, STEPS | FAN}, {"columns", args->columns != NULL, DENSITY | FAN}, {"panels", args->panels != NULL, 0},
        {"scale", args->scale != NULL, DENSITY}, {"against", args->against != NULL, FAN}, {"given", args->given.n > 0, DENSITY | FAN},
        {"number", args->draws > 0, DENSITY | FAN}, {"points", args->points > 0, 0}, {"paths", args->paths > 0, 0}, {"grid", args->grid > 0, DENSITY}};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (flags[i].said && !(flags[i].tells & shown))
            return cli_misuse(command, "%s, and --%s says nothing about them; leave one of the two out", what[shown], flags[i].flag);
    return CLI_OK;
}

static int draw_given(const cli_command *command, const plot_args *args, const plot_models *m)
{
    lam_table *data = NULL;
    lam_eval_options eval;
    const plot_given given = {.out = args->out, .columns = args->columns, .against = args->against, .given = &args->given, .draws = args->draws,
        .grid = args->grid, .seed = args->seed, .dark = args->dark, .scale = args->scale, .eval = &eval};
    int code = m->n > 1 ? cli_misuse(command, "--given and --against show one model")
        : check_flags(command, args, args->against != NULL ? FAN : DENSITY);
    cli_eval_options(&args->eval, &eval);
    cli_choice choice = args->choice;
    choice.missing = cli_is_conditional(m->model[0]); /* what is not there is not drawn */
    if (code == CLI_OK && args->data != NULL)
        code = cli_data_read(args->data, &choice, m->model[0], &data);
    if (code == CLI_OK)
        code = plot_given_draw(command, m->model[0], data, &given);
    lam_table_free(data);
    return code;
}

static int draw_steps(const cli_command *command, const plot_args *args, const plot_models *m)
{
    lam_eval_options eval;
    cli_choice choice = args->choice;
    const plot_steps asked = {.out = args->out, .data = args->data, .choice = &choice, .seed = args->seed, .dark = args->dark, .eval = &eval};
    int code = check_flags(command, args, STEPS);
    cli_eval_options(&args->eval, &eval);
    choice.missing = cli_is_conditional(m->model[0]);
    choice.scratch = "none"; /* plot has no such flag, as its other pictures are of all rows */
    return code == CLI_OK ? plot_steps_draw(command, m->picture, m->n, &asked) : code;
}

static int run(const cli_command *command, int argc, char **argv)
{
    plot_args args = {.choice = {.no_columns = 1}};
    plot_models models = {0};
    cli_line line;
    int code = cli_line_parse(command, argc, argv, &args, &line);
    args.choice.threads = args.eval.threads;
    if (code == CLI_OK && args.out == NULL)
        code = cli_misuse(command, "plot needs a file for the picture: --out FILE.png");
    if (code == CLI_OK)
        code = cli_drawing_check(command, "--out", args.out);
    if (code == CLI_OK)
        code = open_models(&line, args.eval.config, &models);
    if (code == CLI_OK && args.steps)
        code = draw_steps(command, &args, &models);
    else if (code == CLI_OK && (args.given.n > 0 || args.against != NULL))
        code = draw_given(command, &args, &models);
    else if (code == CLI_OK && (code = check_joint(command, &models)) == CLI_OK)
        code = draw(command, &args, &models);
    close_models(&models);
    cli_line_free(&line);
    return code;
}

const cli_command cli_plot = {
    .name = "plot",
    .arguments = "MODEL [MODEL2 ...] -o FILE.png [--data DATA]",
    .summary = "draws models: density, samples, paths from data to base",
    .details = "One column: the density, over a histogram of DATA or of samples. Two columns: for each model the density, samples, and the\n"
               "paths of the same rows from data to base, all with the same limits. More columns: a corner plot with a histogram of each\n"
               "column and, for each pair of columns, samples as contours and DATA as points. The title gives the penalty and the number\n"
               "of evaluations of f per batch in scoring. MODEL is a run folder or a model file.\n"
               "For a model fitted with --given or --any-given: --given shows the density of one or two columns at these values;\n"
               "--against shows the median and the central intervals of 50 and 90 % of one column for each value of another, with the\n"
               "remaining columns at the given values or at their means.\n"
               "--steps shows which steps the solver takes in scoring 1000 rows of DATA or samples (--batch-rows) as one batch: the lengths,\n"
               "the errors of the states z and of the log-density l, and the steps that each of the two errors would allow.\n",
    .example = "  $ laminar plot run-plain/ run-tpr/ --data toy:pinwheel -o paths.png\n"
               "  paths.png: Density at 200 x 200 places. 1000 of 10000 rows of data as points. ...\n"
               "  $ laminar plot run/ --data test.csv --columns 1,2,5 --dark -o corner.svg\n"
               "  $ laminar plot regression/ --given x1=0.3 --given x2=7 -o density.png\n"
               "  $ laminar plot regression/ --against x1 --data test.csv -o fan.svg\n"
               "  $ laminar plot run-plain/ run-tpr/ --data test.csv --steps -o steps.svg\n",
    .options = plot_options,
    .least = 1,
    .most = LAM_PICTURE_MODELS,
    .run = run,
};
