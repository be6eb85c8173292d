/* laminar impute: tables with their missing cells filled. */
#include "cli.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

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
    CLI_SCRATCH_OPTION(impute_args),
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

/* Tables on their way to files. */
typedef struct filled {
    size_t n, opened, cells; /* cells: filled in each */
    cli_results *results; /* [n] */
} filled;

/* So many files may be open at once as there are tables. */
static void allow_files(size_t n)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= n + 50)
        return;
    limit.rlim_cur = limit.rlim_max < n + 50 ? limit.rlim_max : n + 50;
    (void)setrlimit(RLIMIT_NOFILE, &limit); /* opening them tells if that was not enough */
}

/* Several tables are written under other names first, so that there are all of them or none. */
static int open_tables(const lam_model *model, const impute_args *args, size_t rows, size_t n, filled *f)
{
    size_t dim = lam_model_dim(model);
    lam_table *form = cli_table_create(1, dim);
    int code = CLI_OK;
    cli_table_name_all(form, model);
    for (size_t j = 0; j < dim; j++)
        cli_table_levels(form, j, model);
    *f = (filled){.n = n, .results = cli_alloc(n, sizeof *f->results)};
    allow_files(n);
    for (; code == CLI_OK && f->opened < n; f->opened++) {
        char *part = n > 1 ? numbered(args->out, f->opened + 1, "-part") : NULL;
        code = cli_results_open(part != NULL ? part : args->out, form, rows, &f->results[f->opened]);
        free(part);
        if (code == CLI_OK && lam_writer_leave_empty(f->results[f->opened].writer) != LAM_OK)
            code = cli_library_failed();
    }
    lam_table_free(form);
    return code;
}

/* code: how the work went. */
static int close_tables(filled *f, const char *out, int code)
{
    size_t written = 0;
    for (size_t t = 0; t < f->opened; t++) {
        code = cli_results_close(&f->results[t], code);
        written += code == CLI_OK;
    }
    for (size_t t = 0; f->n > 1 && t < written; t++) {
        char *part = numbered(out, t + 1, "-part"), *path = numbered(out, t + 1, "");
        if (code == CLI_OK && rename(part, path) != 0)
            code = cli_fail("cannot write %s: %s", path, strerror(errno));
        if (code != CLI_OK)
            (void)remove(part);
        free(part);
        free(path);
    }
    free(f->results);
    return code;
}

/* The cells of table t of a part, out [rows, draws, dim]: as they are, or of draw t, or the mean of all draws. */
static void fill_table(const lam_table *part, const unsigned char *roles, const impute_args *args, const double *out, size_t draws, size_t t, double *table)
{
    size_t dim = part->cols;
    for (size_t i = 0; i < part->rows; i++)
        for (size_t j = 0; j < dim; j++) {
            double *cell = &table[i * dim + j], sum = 0;
            const double *drawn = out + i * draws * dim + j;
            *cell = part->values[i * dim + j];
            if (roles[i * dim + j] != LAM_MOVING)
                continue;
            for (size_t d = 0; d < draws && args->mean > 0; d++)
                sum += drawn[d * dim] / (double)draws;
            *cell = args->mean > 0 ? sum : drawn[t * dim];
        }
}

/* room: of draws and of a table. */
static int fill_part(const lam_model *model, const lam_eval_options *eval, const lam_table *part, const impute_args *args, double *room[2], filled *f,
    lam_counts *counts)
{
    size_t dim = part->cols, draws = args->mean > 0 ? args->mean : args->draws;
    unsigned char *all = cli_alloc(dim, 1), *roles = cli_alloc(part->rows + 1, dim);
    lam_counts here = {0};
    memset(all, LAM_MOVING, dim);
    int code = lam_roles_of_rows(model, all, 1, part->values, part->rows, roles) == LAM_OK ? CLI_OK : cli_part_failed(eval->first_row);
    const lam_query query = {part->values, part->rows, roles, part->rows};
    if (code == CLI_OK && lam_conditional_sample(model, eval, args->seed, &query, draws, room[0], NULL, &here) != LAM_OK)
        code = cli_library_failed();
    counts->forward += here.forward, counts->solves += here.solves;
    for (size_t k = 0; k < part->rows * dim; k++)
        f->cells += roles[k] == LAM_MOVING;
    for (size_t t = 0; t < f->n && code == CLI_OK; t++) {
        fill_table(part, roles, args, room[0], draws, t, room[1]);
        code = cli_results_put(&f->results[t], room[1], part);
    }
    free(all);
    free(roles);
    return code;
}

/* What is read is none of the files that several tables are written to, none of these is a folder, and the names that they have while they are
 * written are free: a file of that name is the user's. */
static int check_several(const char *out, const char *in, size_t n)
{
    int code = CLI_OK;
    for (size_t t = 0; t < n && code == CLI_OK; t++) {
        char *path = numbered(out, t + 1, ""), *part = numbered(out, t + 1, "-part");
        code = cli_is_folder(path) ? cli_fail("cannot write %s: it is a folder", path) : cli_not_over(path, in);
        if (code == CLI_OK && cli_exists(part))
            code = cli_fail("%s is in the way: tables have such names while they are written. Move or remove it, or choose another -o FILE", part);
        free(part);
        free(path);
    }
    return code;
}

static int impute(const lam_model *model, cli_rows *rows, const impute_args *args)
{
    lam_eval_options eval;
    cli_progress progress;
    lam_counts counts = {0};
    lam_table *part;
    filled f;
    char text[32];
    char stay[96] = "";
    double start = cli_clock();
    size_t draws = args->mean > 0 ? args->mean : args->draws, at_once = DRAWS_AT_ONCE / draws + 1;
    at_once = at_once < rows->rows ? at_once : rows->rows;
    double *room[2] = {cli_alloc(at_once * draws * rows->dim, sizeof(double)), cli_alloc(at_once * rows->dim, sizeof(double))};
    cli_eval_options(&args->eval, &eval);
    cli_progress_start(&progress, "filling rows", &eval);
    if (at_once < rows->rows)
        eval.progress = NULL; /* it would be told of each part's */
    int code = open_tables(model, args, rows->rows + rows->bad_rows, args->mean > 0 ? 1 : args->draws, &f);
    while (code == CLI_OK && (code = cli_rows_next(rows, at_once, &part)) == CLI_OK && part != NULL) {
        code = fill_part(model, &eval, part, args, room, &f, &counts);
        eval.first_row += part->rows; /* draws and messages count from the first row of all */
        if (eval.progress == NULL)
            (void)cli_progress_show(&progress, eval.first_row, rows->rows);
        lam_table_free(part);
    }
    cli_progress_end();
    code = close_tables(&f, args->out, code);
    if (f.cells < rows->missing)
        snprintf(stay, sizeof stay, " (%zu in columns that the fit was only ever given stay missing)", rows->missing - f.cells);
    if (code == CLI_OK && args->out != NULL)
        printf("%zu missing cells of %zu rows filled%s%s, seed %llu; evaluations of f per batch %.1f; %s\n", f.cells, rows->rows,
            args->mean > 0 ? " by means" : "", stay, (unsigned long long)args->seed, cli_per_batch(counts.forward, &counts, lam_model_config(model)),
            cli_duration(cli_clock() - start, text));
    free(room[0]);
    free(room[1]);
    return code;
}

static int run(const cli_command *command, int argc, char **argv)
{
    impute_args args = {.draws = 1};
    cli_line line;
    lam_model *model = NULL;
    cli_rows rows = {0};
    unsigned char *none = NULL;
    int code = cli_line_parse(command, argc, argv, &args, &line);
    args.choice.threads = args.eval.threads;
    args.choice.out = args.out;
    args.choice.all_rows = 1;
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
        code = cli_rows_open(line.words[1], &args.choice, model, none, &rows);
    }
    if (code == CLI_OK) {
        cli_note_noise(model);
        code = impute(model, &rows, &args);
    }
    free(none);
    cli_rows_close(&rows);
    lam_model_free(model);
    cli_line_free(&line);
    return code;
}

const cli_command cli_impute = {
    .name = "impute",
    .arguments = "MODEL DATA [--draws N] [-o filled.csv]",
    .summary = "tables with their missing cells filled",
    .details = "MODEL was fitted with --any-given. The missing cells of every row of DATA are drawn given the others of the row, which stay as\n"
               "they are to the last digit; --mean fills in the mean instead. Columns that the fit named in --given are never filled: their\n"
               "missing cells stay empty (nan in an .npy). Several tables show how much is known: what is made of each of them (a mean, a\n"
               "fit) differs by what the missing cells leave open. FILE has the model's columns; those that DATA lacks are missing in every\n"
               "row. Either all files are written, or none.\n",
    .example = "  $ laminar impute run/ holes.csv --draws 5 -o filled.csv\n"
               "  812 missing cells of 1000 rows filled, seed 0; evaluations of f per batch 14.0; 0.4 s\n",
    .options = impute_options,
    .least = 2,
    .most = 2,
    .run = run,
};
