/* laminar predict: what columns are likely to be, given the others of their row. */
#include "cli.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct predict_args {
    const char *out, *quantiles, *below;
    size_t draws;
    uint64_t seed;
    int errors;
    cli_ask ask;
    cli_eval eval;
    cli_choice choice;
} predict_args;

static const cli_option predict_options[] = {
    {"of", 0, CLI_LIST, "A,B,...", "the columns to predict, by name or number; default: those that the fit was not given", offsetof(predict_args, ask.of)},
    {"given", 0, CLI_LIST, "A,B,...", "the columns that are given; default: all others, of a fit with --any-given those that DATA has", offsetof(predict_args, ask.given)},
    {"quantiles", 0, CLI_LIST, "Q,Q,...", "above 0 and below 1, as 0.05,0.95; the median is there in any case", offsetof(predict_args, quantiles)},
    {"below", 0, CLI_LIST, "V,NAME=V,...", "the probability of being at most V: of every column that is predicted, or of the column NAME alone",
        offsetof(predict_args, below)},
    {"draws", 0, CLI_COUNT, "N", "take so many draws a row; default: integrate the density of a single column, and take 1000 of several",
        offsetof(predict_args, draws)},
    {"errors", 0, CLI_SWITCH, NULL, "add the standard errors of what draws say, a column NAME_se behind each", offsetof(predict_args, errors)},
    {"seed", 0, CLI_SEED, "N", "of the draws; default 0", offsetof(predict_args, seed)},
    {"out", 'o', CLI_TEXT, "FILE", "write to FILE: .npy, .csv or .csv.gz; default and -: csv to stdout", offsetof(predict_args, out)},
    CLI_CHOICE_OPTIONS(predict_args),
    CLI_SCRATCH_OPTION(predict_args),
    CLI_EVAL_OPTIONS(predict_args),
    {0},
};

/* What is asked, taken apart. */
typedef struct question {
    unsigned char *roles;        /* [dim] */
    size_t *columns, n_columns;  /* that are predicted */
    double *quantiles, *below;   /* the first quantile is the median */
    size_t n_quantiles, n_below, numbers;
    unsigned char *below_of;     /* [n_below, n_columns] 1: that probability is asked of the column */
} question;

static void clear(question *q)
{
    free(q->roles);
    free(q->columns);
    free(q->quantiles);
    free(q->below);
    free(q->below_of);
}

/* Those of --of, as they are listed; or all that move. */
static int find_columns(const cli_command *command, const char *of, const lam_model *model, question *q)
{
    const lam_wanted own = lam_model_wanted(model);
    lam_read_options choice = {0};
    lam_config *list;
    q->columns = cli_alloc(own.names.n, sizeof *q->columns);
    int code = cli_ask_list(command, "of", of, &list, &choice.columns);
    for (size_t j = 0; of == NULL && j < own.names.n; j++)
        if (q->roles[j] == LAM_MOVING)
            q->columns[q->n_columns++] = j;
    if (code == CLI_OK && of != NULL
        && lam_columns_choose("of: the model", own.names.item, own.names.n, &choice, q->columns, &q->n_columns) != LAM_OK)
        code = cli_misuse(command, "--%s", lam_last_error());
    lam_config_free(list);
    return code;
}

/* at: the place of the column among those predicted; n_columns: every one. */
static void add_below(question *q, double value, size_t at)
{
    size_t k = 0;
    while (k < q->n_below && q->below[k] != value)
        k++;
    q->n_below += k == q->n_below;
    q->below[k] = value;
    for (size_t c = 0; c < q->n_columns; c++)
        q->below_of[k * q->n_columns + c] |= c == at || at == q->n_columns;
}

/* "NAME=V" */
static int read_below_of(const cli_command *command, const char *item, const lam_model *model, question *q)
{
    size_t dim = lam_model_dim(model), at = 0, column = 0;
    double *row = cli_alloc(dim, sizeof *row);
    unsigned char *set = cli_alloc(dim, 1);
    int code = cli_ask_value(command, "below", item, model, row, set);
    while (code == CLI_OK && !set[column])
        column++;
    while (code == CLI_OK && at < q->n_columns && q->columns[at] != column)
        at++;
    if (code == CLI_OK && at == q->n_columns)
        code = cli_misuse(command, "--below %s: the column %s is not predicted here", item, lam_model_column(model, column));
    if (code == CLI_OK)
        add_below(q, row[column], at);
    free(row);
    free(set);
    return code;
}

/* Up to the next comma that is not in the double quotes that an item may begin with; in these a doubled quote is one. */
static size_t item_length(const char *text)
{
    int has_quotes = text[strspn(text, " ")] == '"', inside = 0;
    size_t n = 0;
    for (; text[n] != '\0' && (inside || text[n] != ','); n++)
        inside ^= has_quotes && text[n] == '"';
    return n;
}

/* "3,y=4,5": values for all columns, or for one. */
static int read_below(const cli_command *command, const char *text, const lam_model *model, question *q)
{
    int code = CLI_OK;
    size_t most = text == NULL ? 1 : strlen(text) + 1;
    q->below = cli_alloc(most, sizeof *q->below);
    q->below_of = cli_alloc(most, q->n_columns);
    for (const char *at = text; at != NULL && code == CLI_OK;) {
        size_t length = item_length(at);
        char *item = cli_format("%.*s", (int)length, at), *end;
        double value = strtod(item, &end);
        if (end != item && end[strspn(end, " ")] == '\0' && isfinite(value))
            add_below(q, value, q->n_columns);
        else if (strchr(item, '=') != NULL)
            code = read_below_of(command, item, model, q);
        else
            code = cli_misuse(command, "--below %s: \"%s\" is no number; write 0.5, for all columns that are predicted, or %s=0.5 for one, with commas between "
                "several", text, item, lam_model_column(model, q->columns[0]));
        free(item);
        at = at[length] == ',' ? at + length + 1 : NULL;
    }
    return code;
}

static int ask(const cli_command *command, const predict_args *args, const lam_model *model, question *q)
{
    /* of a fit with a fixed choice of columns, those that are not asked for are drawn all the same */
    lam_role rest = !lam_model_any_given(model) ? LAM_MOVING : args->ask.given != NULL ? LAM_ABSENT : LAM_GIVEN;
    double *quantiles = NULL;
    size_t n = 0;
    q->roles = cli_alloc(lam_model_dim(model), 1);
    if (lam_model_any_given(model) && args->ask.of == NULL)
        return cli_misuse(command, "this model predicts any of its columns: name those that are wanted, --of %s", lam_model_column(model, 0));
    if (!cli_is_conditional(model))
        return cli_misuse(command, "this model is of all its columns together, and predicts none from the others; fit it with --given or --any-given");
    int code = cli_ask_roles(command, &args->ask, model, rest, q->roles);
    if (code == CLI_OK)
        code = find_columns(command, args->ask.of, model, q);
    if (code == CLI_OK)
        code = cli_ask_numbers(command, "quantiles", args->quantiles, &quantiles, &n);
    if (code == CLI_OK)
        code = read_below(command, args->below, model, q);
    q->quantiles = cli_alloc(n + 1, sizeof *q->quantiles);
    q->quantiles[q->n_quantiles++] = 0.5;
    for (size_t k = 0; k < n && code == CLI_OK; k++) {
        if (!(quantiles[k] > 0 && quantiles[k] < 1))
            code = cli_misuse(command, "--quantiles %s: quantiles are above 0 and below 1", args->quantiles);
        if (quantiles[k] != 0.5)
            q->quantiles[q->n_quantiles++] = quantiles[k];
    }
    q->numbers = 2 + q->n_quantiles + q->n_below;
    free(quantiles);
    return code;
}

/* The cells of columns that are asked for do not matter, and may be missing. */
static int open_rows(const cli_command *command, const char *path, const predict_args *args, const lam_model *model, const question *q, cli_rows *rows)
{
    size_t dim = lam_model_dim(model);
    unsigned char *needed = cli_alloc(dim, 1);
    for (size_t j = 0; j < dim; j++)
        needed[j] = q->roles[j] == LAM_GIVEN;
    cli_choice choice = args->choice;
    choice.looked = needed;
    choice.missing = 1;
    choice.optional = lam_model_any_given(model) && args->ask.given == NULL; /* nobody has named them */
    const cli_ask given = {.given = args->ask.given};
    choice.unordered = cli_ask_unordered(command, &given, model);
    int code = cli_rows_open(path, &choice, model, needed, rows);
    free(needed);
    return code;
}

/* Roles of every row: what is given and missing is unknown. Free with free(); NULL where the model takes those of the question for all. */
static unsigned char *roles_of_rows(const lam_model *model, const question *q, const lam_table *part)
{
    size_t dim = part->cols;
    if (!lam_model_any_given(model))
        return NULL;
    unsigned char *roles = cli_alloc(part->rows + 1, dim);
    for (size_t i = 0; i < part->rows * dim; i++)
        roles[i] = q->roles[i % dim] == LAM_GIVEN && isnan(part->values[i]) ? LAM_ABSENT : q->roles[i % dim];
    return roles;
}

/* "mean", "sd", "median", "q0.05", "p<=3"; of several columns "NAME_mean". Free with free(). */
static char *name_of(const lam_model *model, const question *q, size_t column, size_t k, const char *end)
{
    char what[64];
    size_t first = 2, below = first + q->n_quantiles;
    if (k < first + 1)
        snprintf(what, sizeof what, "%s", k == 0 ? "mean" : k == 1 ? "sd" : "median");
    else if (k < below)
        snprintf(what, sizeof what, "q%.15g", q->quantiles[k - first]);
    else
        snprintf(what, sizeof what, "p<=%.15g", q->below[k - below]);
    return q->n_columns == 1 ? cli_format("%s%s", what, end) : cli_format("%s_%s%s", lam_model_column(model, column), what, end);
}

/* Which of the numbers of a row are asked for, in shown [n_columns * numbers], and how many these are. */
static size_t find_shown(const question *q, size_t *shown)
{
    size_t n = 0, below = q->numbers - q->n_below;
    for (size_t c = 0; c < q->n_columns; c++)
        for (size_t k = 0; k < q->numbers; k++)
            if (k < below || q->below_of[(k - below) * q->n_columns + c])
                shown[n++] = c * q->numbers + k;
    return n;
}

/* The columns of the results, without rows. */
static lam_table *lay_out(const lam_model *model, const question *q, int errors)
{
    size_t kinds = errors ? 2 : 1, *shown = cli_alloc(q->n_columns * q->numbers, sizeof *shown), n = find_shown(q, shown);
    lam_table *table = cli_table_create(1, n * kinds);
    for (size_t c = 0; c < n; c++)
        for (size_t kind = 0; kind < kinds; kind++) {
            char *name = name_of(model, q, q->columns[shown[c] / q->numbers], shown[c] % q->numbers, kind > 0 ? "_se" : "");
            cli_table_name(table, c * kinds + kind, name);
            free(name);
        }
    free(shown);
    return table;
}

/* What is shown of rows' values and standard errors (NULL: none), each [rows, n_columns * numbers]; free with free(). */
static double *results_of(const question *q, const double *values, const double *se, size_t rows)
{
    size_t all = q->n_columns * q->numbers, *shown = cli_alloc(all, sizeof *shown), n = find_shown(q, shown);
    double *out = cli_alloc(rows * n * 2 + 1, sizeof *out), *to = out;
    for (size_t i = 0; i < rows; i++)
        for (size_t c = 0; c < n; c++) {
            *to++ = values[i * all + shown[c]];
            if (se != NULL)
                *to++ = se[i * all + shown[c]];
        }
    free(shown);
    return out;
}

static void report(const lam_model *model, const predict_args *args, const lam_predict_report *r, size_t rows, double seconds)
{
    char text[32];
    if (r->method == LAM_PREDICT_INTEGRAL)
        printf("%zu rows, by integrating the density, whose mass is 1 within %.1e; evaluations of f per batch %.1f; %s\n", rows, r->mass_error,
            cli_per_batch(r->counts.forward, &r->counts, lam_model_config(model)), cli_duration(seconds, text));
    else
        printf("%zu rows, by %zu draws of each, seed %llu: means are good to %.2g standard deviations; evaluations of f per batch %.1f; %s\n", rows, r->draws,
            (unsigned long long)args->seed, 1 / sqrt((double)r->draws), cli_per_batch(r->counts.forward, &r->counts, lam_model_config(model)),
            cli_duration(seconds, text));
}

/* Said wherever the figures go. */
static void warn(const lam_predict_report *r)
{
    if (r->mass_error > 0.01)
        cli_say("warning: the density of some row holds a mass that is off from 1 by %.2g; the solver is too coarse there: try smaller "
            "--atol and --rtol, or --draws 10000", r->mass_error);
}

/* Rows of a part: the library predicts so many of them at once, by draws of their own, and a part is a multiple of that. */
static size_t rows_of_part(const predict_args *args, const cli_rows *rows)
{
    enum { OF_DEFAULT = 6400 /* of 256, and of 200 that have 1000 draws */, DRAWS = 200000, MOST = 256 };
    size_t least = args->draws == 0 ? OF_DEFAULT : DRAWS / args->draws > MOST ? MOST : DRAWS / args->draws > 0 ? DRAWS / args->draws : 1;
    size_t wanted = cli_rows_of_part(&args->eval, rows->dim);
    return least * (wanted > least ? wanted / least : 1);
}

static int predict_part(const lam_model *model, const lam_predict_options *options, const lam_table *part, const question *q, int errors,
    cli_results *results, lam_predict_report *all)
{
    size_t cells = part->rows * q->n_columns * q->numbers;
    double *values = cli_alloc(cells + 1, sizeof *values), *out;
    double *se = errors ? cli_alloc(cells + 1, sizeof *se) : NULL;
    unsigned char *roles = roles_of_rows(model, q, part);
    lam_predict_report r;
    const lam_query query = {part->values, part->rows, roles != NULL ? roles : q->roles, roles != NULL ? part->rows : 1};
    lam_status status = lam_predict(model, options, &query, values, se, &r);
    out = results_of(q, values, se, part->rows);
    if (status == LAM_OK && part->rows > 0) {
        all->method = r.method, all->draws = r.draws;
        all->mass_error = fmax(all->mass_error, r.mass_error);
        all->counts.forward += r.counts.forward, all->counts.solves += r.counts.solves;
    }
    int code = status == LAM_OK ? cli_results_put(results, out, part) : cli_library_failed();
    free(values);
    free(se);
    free(out);
    free(roles);
    return code;
}

static int predict(const lam_model *model, cli_rows *rows, const question *q, const predict_args *args)
{
    lam_eval_options eval;
    cli_progress progress;
    cli_results results;
    lam_predict_report r = {.method = LAM_PREDICT_DRAWS};
    double start = cli_clock();
    lam_table *form = lay_out(model, q, args->errors), *part;
    size_t at_once = rows_of_part(args, rows);
    cli_eval_options(&args->eval, &eval);
    cli_progress_start(&progress, "predicting rows", &eval);
    eval.total_rows = rows->rows;
    const lam_predict_options options = {.eval = &eval, .method = args->draws > 0 ? LAM_PREDICT_DRAWS : LAM_PREDICT_AUTO, .seed = args->seed,
        .draws = args->draws, .columns = q->columns, .n_columns = q->n_columns, .quantiles = q->quantiles, .n_quantiles = q->n_quantiles,
        .below = q->below, .n_below = q->n_below};
    int code = cli_results_open(args->out, form, rows->rows + rows->bad_rows, &results);
    while (code == CLI_OK && (code = cli_rows_next(rows, at_once, &part)) == CLI_OK && part != NULL) {
        code = predict_part(model, &options, part, q, args->errors, &results, &r);
        eval.first_row += part->rows;
        lam_table_free(part);
    }
    cli_progress_end();
    code = cli_results_close(&results, code);
    if (code == CLI_OK)
        warn(&r);
    if (code == CLI_OK && args->out != NULL)
        report(model, args, &r, rows->rows, cli_clock() - start);
    lam_table_free(form);
    return code;
}

static int run(const cli_command *command, int argc, char **argv)
{
    predict_args args = {0};
    cli_line line;
    lam_model *model = NULL;
    cli_rows rows = {0};
    question q = {0};
    int code = cli_line_parse(command, argc, argv, &args, &line);
    args.choice.threads = args.eval.threads;
    args.choice.out = args.out;
    if (code == CLI_OK)
        code = cli_model_open_for(args.out, line.words[1], line.words[0], args.eval.config, &model);
    if (code == CLI_OK)
        code = ask(command, &args, model, &q);
    if (code == CLI_OK)
        code = open_rows(command, line.words[1], &args, model, &q, &rows);
    if (code == CLI_OK) {
        cli_note_noise(model);
        code = predict(model, &rows, &q, &args);
    }
    clear(&q);
    cli_rows_close(&rows);
    lam_model_free(model);
    cli_line_free(&line);
    return code;
}

const cli_command cli_predict = {
    .name = "predict",
    .arguments = "MODEL DATA [--of COLUMNS] [-o predicted.csv]",
    .summary = "mean, spread and quantiles of columns given the others",
    .details = "MODEL was fitted with --given or --any-given. Of every row of DATA and every column predicted: its mean, standard deviation\n"
               "(sd), median, the --quantiles, and the probability of being --below a value. DATA needs no columns that are predicted. If it\n"
               "has no names and only the columns that are given, these stand in the model's order.\n"
               "The density of a single column is integrated, by a grid that is made finer until it holds; of several columns, or with\n"
               "--draws, what draws say, with --errors the standard errors of that. Columns of FILE are named mean, sd, median, q0.05,\n"
               "p<=3, where several columns are predicted NAME_mean and so on.\n",
    .example = "  $ laminar predict run/ new.csv --quantiles 0.05,0.95 --below 30 -o predicted.csv\n"
               "  100 rows, by integrating the density, whose mass is 1 within 2.1e-06; evaluations of f per batch 14.0; 0.5 s\n"
               "  $ laminar predict any/ new.csv --of y1,y2 --draws 4000 --errors --below y1=0.5 --below y2=3\n",
    .options = predict_options,
    .least = 2,
    .most = 2,
    .run = run,
};
