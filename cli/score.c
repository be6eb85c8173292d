/* laminar score: log-densities of the rows of a file. */
#include "cli.h"
#include "ranks.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct score_args {
    const char *out;
    lam_units units;
    cli_eval eval;
    cli_choice choice;
    cli_ask ask;
} score_args;

static const cli_option score_options[] = {
    {"out", 'o', CLI_TEXT, "FILE", "write one column log_prob to FILE: .npy, .csv or .csv.gz; -: csv to stdout, the rest to stderr", offsetof(score_args, out)},
    {"units", 0, CLI_UNITS, "data|standardised", "units of the density written; default data",
        offsetof(score_args, units)},
    CLI_ASK_OPTIONS(score_args),
    CLI_CHOICE_OPTIONS(score_args),
    CLI_SCRATCH_OPTION(score_args),
    CLI_STANDARDISED_OPTION(score_args),
    CLI_EVAL_OPTIONS(score_args),
    {0},
};

/* What scores come to, row by row. */
typedef struct summary {
    size_t rows;            /* that have a score; */
    size_t read, bad;       /* and all that were read, but for those that were dropped as bad; these */
    size_t first_unasked;   /* of read - rows that have no cell of what is asked the first, as DATA counts its rows, from 1 */
    double sum;             /* of log p in standardised units, */
    double mean, squares;   /* and the squares about its mean (Welford 1962) */
    double log_det;         /* log p(data units) = log p(standardised units) + this, of the first row */
    unsigned char *first;   /* [dim] roles of the first row; NULL: the model's own */
    int one_density;        /* the same columns move in every row */
    lam_counts counts;
} summary;

static void add_score(summary *s, double standardised)
{
    double off = standardised - s->mean;
    s->sum += standardised;
    s->mean += off / (double)++s->rows;
    s->squares += off * (standardised - s->mean);
}

static void add_counts(lam_counts *sum, const lam_counts *more)
{
    sum->untraced += more->untraced, sum->forward += more->forward, sum->backward += more->backward, sum->recomputed += more->recomputed;
    sum->accepted += more->accepted, sum->rejected += more->rejected, sum->solves += more->solves;
}

static void report(const lam_model *model, const lam_eval_options *options, const summary *s, double seconds)
{
    double n = (double)s->rows, mean = s->sum / n, error = s->rows > 1 ? sqrt(s->squares / (n - 1) / n) : (double)NAN;
    char text[32], how[128], se[32] = "";
    const lam_config *cfg = lam_model_config(model);
    const lam_counts *counts = &s->counts;
    lam_setting setting;
    (void)lam_model_setting(model, options, &setting); /* the options have just been used */
    if (isfinite(error) && error > 0) /* the mean is that of these very rows: all of it, to compare with another's */
        snprintf(se, sizeof se, error < 10 ? " +- %.2g" : " +- %.0f", error);
    printf("rows                                 %zu\n", s->rows);
    if (!s->one_density)
        printf("mean NLL, nats, data units           - (other columns are missing in other rows, and these densities have no unit in common)\n");
    else
        printf("mean NLL, nats, data units           %.6f%s\n", -mean - s->log_det, se);
    printf("mean NLL, nats, standardised units   %.6f%s\n", -mean, se);
    char noise[256];
    if (cli_has_noise(model))
        fprintf(stderr, "laminar: note: the fit added noise to its columns (%s), these rows have none; the NLL of a noisy\n"
            "         test set, as fit prints it, is another one\n", cli_parameter(cfg, "noise", noise));
    printf("exact trace, %s; evaluations of f per batch %.1f, steps %.1f + %.1f rejected; %s\n", cli_setting_text(&setting, how),
        cli_per_batch(counts->forward, counts, cfg), cli_per_batch(counts->accepted, counts, cfg), cli_per_batch(counts->rejected, counts, cfg),
        cli_duration(seconds, text));
}

/* log det of the standardiser over the cells of a row whose density is asked; roles NULL: all that the model's density is of. */
static double log_det_of(const lam_model *model, const unsigned char *roles)
{
    const double *mean, *scale;
    double log_det, sum = 0;
    lam_model_standardiser(model, &mean, &scale, &log_det);
    for (size_t j = 0; roles != NULL && j < lam_model_dim(model); j++)
        sum -= roles[j] == LAM_MOVING ? log(scale[j]) : 0;
    return roles != NULL ? sum : log_det;
}

/* By the model's own roles (NULL) where rows are complete and nothing else is asked. */
static lam_status score_rows(const lam_model *model, const lam_eval_options *options, const lam_table *data, const unsigned char *roles,
    double *scores, lam_counts *counts)
{
    if (roles == NULL)
        return lam_log_prob(model, options, data->values, data->rows, scores, counts);
    return lam_conditional_log_prob(model, options, &(lam_query){data->values, data->rows, roles, data->rows}, scores, counts);
}

/* A cell whose density is asked is there. */
static int has_asked(const unsigned char *roles, size_t dim)
{
    return memchr(roles, LAM_MOVING, dim) != NULL;
}

/* Roles [rows, dim] by what is asked: a missing cell is absent, but where a fixed choice gives it, which the library refuses. A row may be left with
 * nothing that is asked. */
static unsigned char *roles_of_rows(const lam_model *model, const lam_table *part, const unsigned char *asked)
{
    unsigned char *roles = cli_alloc(part->rows, part->cols);
    int fixed = !lam_model_any_given(model);
    for (size_t k = 0; k < part->rows * part->cols; k++) {
        unsigned char role = asked[k % part->cols];
        roles[k] = isnan(part->values[k]) && !(fixed && role == LAM_GIVEN) ? LAM_ABSENT : role;
    }
    return roles;
}

/* scores [rows] in data units, into the summary and into the units that are wanted. */
static void add_part(const lam_model *model, const lam_table *part, const unsigned char *roles, const score_args *args, double *scores, summary *s)
{
    size_t dim = lam_model_dim(model);
    for (size_t i = 0; i < part->rows; i++) {
        const unsigned char *own = roles != NULL ? roles + i * dim : NULL;
        if (own != NULL && !has_asked(own, dim)) { /* log p of no column at all would be 0, which says nothing of the row */
            scores[i] = (double)NAN;
            s->first_unasked = s->first_unasked > 0 ? s->first_unasked : s->read + s->bad + cli_rows_number(part, i);
            continue;
        }
        if (s->rows == 0) {
            s->log_det = log_det_of(model, own);
            s->one_density = 1;
            s->first = own != NULL ? memcpy(cli_alloc(dim, 1), own, dim) : NULL;
        }
        double standardised = scores[i] - log_det_of(model, own);
        for (size_t j = 0; own != NULL && j < dim; j++)
            s->one_density &= (own[j] == LAM_MOVING) == (s->first[j] == LAM_MOVING);
        add_score(s, standardised);
        if (args->units == LAM_UNITS_STANDARDISED)
            scores[i] = standardised;
    }
    s->read += part->rows, s->bad += part->bad_rows;
}

/* asked [dim]: the roles that the flags ask for; NULL: none, and no cell is missing. */
static int score_part(const lam_model *model, lam_eval_options *options, const lam_table *part, const unsigned char *asked, const score_args *args,
    cli_results *results, summary *s)
{
    lam_counts counts = {0};
    unsigned char *roles = NULL;
    double *scores = cli_alloc(part->rows + 1, sizeof *scores);
    int code = CLI_OK;
    options->first_row = s->read;
    if (asked != NULL && part->rows > 0)
        roles = roles_of_rows(model, part, asked);
    if (score_rows(model, options, part, roles, scores, &counts) != LAM_OK)
        code = cli_library_failed();
    if (code == CLI_OK) {
        add_counts(&s->counts, &counts);
        add_part(model, part, roles, args, scores, s);
        if (results->writer != NULL)
            code = cli_results_put(results, scores, part);
    }
    free(scores);
    free(roles);
    return code;
}

/* Of rows without any cell of what is asked. */
static int say_unasked(const summary *s, int to_file)
{
    size_t n = s->read - s->rows;
    if (s->rows == 0 && n > 0)
        return cli_fail("in none of the %zu rows is there a value of a column whose density is asked", n);
    if (n > 0)
        cli_say("warning: %zu of %zu rows have no value in any column whose density is asked, the first is row %zu: they have no log p%s, and are left out of the "
            "mean", n, s->read, s->first_unasked, to_file ? " (nan)" : "");
    return CLI_OK;
}

static int score(const lam_model *model, cli_rows *rows, const unsigned char *asked, const score_args *args)
{
    lam_eval_options options;
    cli_progress progress;
    cli_results results = {0};
    summary s = {0};
    lam_table *form = cli_table_create(1, 1), *part;
    double start = cli_clock();
    size_t at_once = cli_rows_of_part(&args->eval, rows->dim);
    cli_table_name(form, 0, "log_prob");
    int code = args->out == NULL || !cli_is_first() ? CLI_OK : cli_results_open(args->out, form, rows->rows + rows->bad_rows, &results);
    cli_eval_options(&args->eval, &options);
    cli_progress_start(&progress, "scoring rows", &options);
    options.comm = cli_ranks();
    if (!cli_is_first())
        options.progress = NULL;
    options.total_rows = rows->rows;
    while (code == CLI_OK && (code = cli_rows_next(rows, at_once, &part)) == CLI_OK && part != NULL) {
        code = score_part(model, &options, part, asked, args, &results, &s);
        lam_table_free(part);
    }
    cli_progress_end();
    if (code == CLI_OK)
        code = say_unasked(&s, args->out != NULL);
    code = cli_results_close(&results, code);
    if (code == CLI_OK) {
        report(model, &options, &s, cli_clock() - start);
        if (args->out != NULL)
            printf("log p of each row, %s units, is in   %s\n", cli_units_name(args->units), cli_output_name(args->out));
    }
    lam_table_free(form);
    free(s.first);
    return code;
}

/* The roles [dim] that the flags ask for, and the rows, which need no columns that have no part. */
static int open_asked(const cli_command *command, const char *path, const score_args *args, const lam_model *model, unsigned char **asked,
    cli_rows *rows)
{
    size_t dim = lam_model_dim(model);
    unsigned char *needed = cli_alloc(dim, 1);
    *asked = cli_alloc(dim, 1);
    int code = cli_ask_roles(command, &args->ask, model, LAM_ABSENT, *asked);
    for (size_t j = 0; code == CLI_OK && j < dim; j++)
        needed[j] = (*asked)[j] != LAM_ABSENT;
    cli_choice choice = args->choice;
    choice.looked = needed;
    choice.unordered = cli_ask_unordered(command, &args->ask, model);
    if (code == CLI_OK)
        code = cli_rows_open(path, &choice, model, needed, rows);
    free(needed);
    return code;
}

static int run(const cli_command *command, int argc, char **argv)
{
    score_args args = {0};
    cli_line line;
    lam_model *model = NULL;
    cli_rows rows = {0};
    unsigned char *asked = NULL;
    int code = cli_line_parse(command, argc, argv, &args, &line);
    args.choice.threads = args.eval.threads;
    args.choice.out = args.out;
    if (code == CLI_OK)
        code = cli_model_open_for(args.out, line.words[1], line.words[0], args.eval.config, &model);
    if (code == CLI_OK)
        code = open_asked(command, line.words[1], &args, model, &asked, &rows);
    int plain = rows.missing == 0 && args.ask.of == NULL && args.ask.given == NULL;
    if (code == CLI_OK)
        code = score(model, &rows, plain ? NULL : asked, &args);
    free(asked);
    cli_rows_close(&rows);
    lam_model_free(model);
    cli_line_free(&line);
    return code;
}

const cli_command cli_score = {
    .name = "score",
    .arguments = "MODEL DATA [-o logp.npy]",
    .summary = "computes the log-density of each row of a file",
    .details = "Computes log p(x) with the exact trace. MODEL is a run folder or a model file. DATA has the units of the data that the model\n"
               "was fitted to; the model standardises it. --units chooses which density is written: that of the data, or that of the\n"
               "standardised variables. The mean NLL and its standard error are printed in both. FILE has a row for each row of DATA;\n"
               "rows that --drop-bad-rows leaves out are nan there. For a model fitted with --given it is the density of the other columns;\n"
               "for one fitted with --any-given, that of the columns --of given those of --given. Missing cells are unknown; a row in which all\n"
               "columns that are asked are missing is nan in FILE, and not in the mean.\n",
    .example = "  $ laminar score run/ test.csv -o logp.npy\n"
               "  rows                                 1000\n"
               "  mean NLL, nats, data units           2.401310 +- 0.021\n"
               "  ...\n"
               "  $ laminar score any/ test.csv --of y --given x1,x2\n",
    .options = score_options,
    .least = 2,
    .most = 2,
    .run = run,
    .shared = 1,
};
