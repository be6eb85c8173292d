/* laminar check: how far a model's numbers can be trusted. */
#include "cli.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct check_args {
    size_t rows;
    cli_eval eval;
    cli_choice choice;
} check_args;

static const cli_option check_options[] = {
    {"rows", 0, CLI_COUNT, "N", "rows to use, spread over the file; default at most 2000", offsetof(check_args, rows)},
    CLI_CHOICE_OPTIONS(check_args),
    CLI_SCRATCH_OPTION(check_args),
    CLI_STANDARDISED_OPTION(check_args),
    CLI_EVAL_OPTIONS(check_args),
    {0},
};

/* Row `from` comes to stand at `to`, which is not behind it. */
static void move(cli_spread *rows, size_t from, size_t to, size_t cols)
{
    memmove(rows->x + to * cols, rows->x + from * cols, cols * sizeof *rows->x);
    rows->number[to] = rows->number[from];
}

/* Keeps `most` of the rows, evenly spread, in their order. */
static void thin(cli_spread *rows, size_t most, size_t cols)
{
    if (most >= rows->n)
        return;
    for (size_t i = 0; i < most; i++)
        move(rows, (size_t)((double)i * (double)rows->n / (double)most), i, cols);
    rows->n = most;
}

static int has_asked(const lam_model *model, const double *row)
{
    for (size_t j = 0; j < lam_model_dim(model); j++)
        if (lam_model_role(model, j) == LAM_MOVING && !isnan(row[j]))
            return 1;
    return 0;
}

/* Rows without any value whose density is asked have no log p: they are left out, and counted. */
static int leave_unasked(const lam_model *model, cli_spread *rows)
{
    size_t dim = lam_model_dim(model), n = 0, all = rows->n, first = 0;
    for (size_t i = 0; i < all; i++)
        if (has_asked(model, rows->x + i * dim))
            move(rows, i, n++, dim);
        else if (first == 0)
            first = rows->number[i];
    rows->n = n;
    if (n == 0 && all > 0)
        return cli_fail("in none of the %zu rows is there a value of a column whose density is asked", all);
    if (n < all)
        cli_say("warning: %zu of %zu rows have no value in any column whose density is asked, the first is row %zu: they are left out", all - n, all, first);
    return CLI_OK;
}

/* "these", or what it is a hundredth of where they are no tolerances, or a tuned model's. */
static const char *tolerances(const lam_model *model, const lam_setting *setting, const lam_eval_options *options, char text[64])
{
    lam_tuning tuning;
    int asked = options->atol > 0.0 || options->rtol > 0.0, tuned = !asked && lam_model_tuning(model, &tuning);
    if (!tuned && setting->steps == 0)
        return "these";
    const lam_setting *of = tuned ? &tuning.before : setting;
    snprintf(text, 64, "atol %g, rtol %g", of->atol, of->rtol);
    return text;
}

static void report(const lam_model *model, const lam_check_report *r, size_t all, const lam_eval_options *options)
{
    cli_grid grid = {.columns = 2, .left = 1};
    char how[128], these[64];
    const lam_config *cfg = lam_model_config(model);
    lam_setting setting;
    (void)lam_model_setting(model, options, &setting); /* the options have just been used */
    printf("%zu of %zu rows; %s, exact trace; \"tighter\" is a hundredth of %s, in double\n\n", r->rows, all,
        cli_setting_text(&setting, how), tolerances(model, &setting, options, these));
    int one_unit = !isnan(r->nll); /* else other columns are missing in other rows */
    double nll = one_unit ? r->nll : r->nll_standardised, tight = one_unit ? r->nll_tight : r->nll_tight_standardised;
    cli_grid_add(&grid, "mean NLL, nats, %s units", cli_units_name(one_unit ? LAM_UNITS_DATA : LAM_UNITS_STANDARDISED));
    cli_grid_add(&grid, "%.6f, tighter %.6f, difference %.2e", nll, tight, nll - tight);
    cli_grid_add(&grid, "log p against tighter, nats");
    cli_grid_add(&grid, "max %.2e, rms %.2e", r->logp_error_max, r->logp_error_rms);
    cli_grid_add(&grid, "decode(encode(x)) - x, standardised units");
    cli_grid_add(&grid, "max %.2e, rms %.2e", r->round_trip_max, r->round_trip_rms);
    cli_grid_add(&grid, "mean log p, Hutchinson (64 probes) - exact, nats");
    cli_grid_measure(&grid, 6, r->hutchinson_mean, r->hutchinson_se);
    cli_grid_add(&grid, "total mass");
    if (r->mass_rows > 0)
        cli_grid_add(&grid, "1 within %.1e, given each of %zu rows", fabs(r->mass - 1), r->mass_rows);
    else if (r->has_mass)
        cli_grid_add(&grid, "%.6f", r->mass);
    else
        cli_grid_add(&grid, lam_model_given_count(model) > 0 ? "- (given other columns it is integrated for one column only)"
            : "- (integrated for one and two columns only)");
    if (r->has_consistency) {
        cli_grid_add(&grid, "log p(a) + log p(b | a) - log p(a, b), rms, nats");
        cli_grid_add(&grid, "%.4f", r->consistency);
    }
    cli_grid_add(&grid, "evaluations of f per batch");
    cli_grid_add(&grid, "%.1f, tighter %.1f", cli_per_batch(r->counts.forward, &r->counts, cfg), cli_per_batch(r->counts_tight.forward, &r->counts_tight, cfg));
    cli_grid_add(&grid, "steps per batch");
    cli_grid_add(&grid, "%.1f + %.1f rejected, tighter %.1f + %.1f rejected",
        cli_per_batch(r->counts.accepted, &r->counts, cfg), cli_per_batch(r->counts.rejected, &r->counts, cfg),
        cli_per_batch(r->counts_tight.accepted, &r->counts_tight, cfg), cli_per_batch(r->counts_tight.rejected, &r->counts_tight, cfg));
    cli_grid_print(&grid, stdout);
}

/* Rows and draws of each that say how far values are where their distributions have them. */
enum { CALIBRATION_ROWS = 1000, CALIBRATION_DRAWS = 200, ANY_ROWS = 200 }; /* of a model of any columns, a column at a time */

static void report_calibration(const lam_model *model, const lam_calibration *c, size_t dim)
{
    cli_grid grid = {.columns = 5};
    size_t outside = 0, asked = 0;
    cli_grid_add(&grid, "column");
    cli_grid_add(&grid, "distance from uniform");
    cli_grid_add(&grid, "95 %% band");
    cli_grid_add(&grid, "within the central 50 %%");
    cli_grid_add(&grid, "90 %%");
    for (size_t j = 0; j < dim; j++) {
        if (c[j].rows == 0)
            continue;
        asked++;
        outside += c[j].distance > c[j].band;
        cli_grid_add(&grid, "%s", lam_model_column(model, j));
        cli_grid_add(&grid, "%.3f%s", c[j].distance, c[j].distance > c[j].band ? " outside" : "");
        cli_grid_add(&grid, "%.3f", c[j].band);
        cli_grid_add(&grid, "%.1f +- %.1f %%", 100 * c[j].inside[0], 100 * c[j].inside_se[0]);
        cli_grid_add(&grid, "%.1f +- %.1f %%", 100 * c[j].inside[1], 100 * c[j].inside_se[1]);
    }
    printf("\nShares of each column's distribution below its values, which a true model spreads evenly%s; %zu of %zu within the band:\n\n",
        cli_is_conditional(model) ? ", given the others" : "", asked - outside, asked);
    cli_grid_print(&grid, stdout);
}

/* What can be done about the distribution of a column. */
static void say_remedy(const lam_model *model, int lacks_noise, int is_wide, int is_narrow)
{
    const char *more = "";
    if ((is_wide || is_narrow) && lam_config_is(lam_model_config(model), "calibrate", "none"))
        more = ", or let the validation rows choose its width (--calibrate scale)";
    else if (is_narrow && lam_model_flows(model) == 1)
        more = ", or several flows (--flows 5), whose mean is wider";
    if (lacks_noise)
        printf("The fit added noise to columns, and these rows have none. laminar fit DATA --config RUN/config.yaml --write-split FOLDER/ writes rows that have it,\n"
               "and check takes these with --standardised.\n");
    else
        printf("If the fit has not seen these rows, give it more rows or more time%s.\n", more);
}

/* What is wrong with the distribution of a column. */
static void say_column(const lam_model *model, int lacks_noise, const char *name, const lam_calibration *c)
{
    double inside = 100 * c->inside[1], error = 200 * c->inside_se[1];
    int is_aside = c->distance > 0.5; /* more than half of the values lie below one and the same quantile below the median, or above one above it */
    int is_narrow = !is_aside && inside + error < 90, is_wide = !is_aside && inside - error > 90;
    if (is_aside)
        printf("The distribution of %s is shifted: most of the values lie on one side of its median, and %.0f %% within its central 90 %%.\n", name, inside);
    else if (is_narrow || is_wide)
        printf("The distribution of %s is too %s: %.0f %% of the values lie within its central 90 %%.\n", name, is_narrow ? "narrow" : "wide", inside);
    else
        printf("The distribution of %s is shifted, or has another shape: about 90 %% of the values lie within its central 90 %%, but not evenly.\n", name);
    say_remedy(model, lacks_noise, is_wide, is_narrow);
}

/* How far a column is from its distribution, 1 being what chance hardly takes one of so many: the distance from uniform against its band, and the values
 * within the central 90 % against 3 standard errors. Both are those of a single column; the chance to exceed a distance d falls with exp(-2 n d^2)
 * (Kolmogorov), and that to exceed z standard errors with exp(-z^2 / 2). */
static double excess(const lam_calibration *c, size_t columns)
{
    double distance = c->distance / (c->band * sqrt(log(2 * (double)columns / 0.05) / log(2 / 0.05)));
    return fmax(distance, fabs(c->inside[1] - 0.9) / (c->inside_se[1] * sqrt(9 + 2 * log((double)columns))));
}

/* In words, of the column that is furthest from its distribution. lacks_noise 1: the fit added noise that the rows do not have. */
static void report_worst(const lam_model *model, int lacks_noise, const lam_calibration *c, size_t dim)
{
    size_t worst = dim, asked = 0;
    for (size_t j = 0; j < dim; j++)
        asked += c[j].rows > 0;
    for (size_t j = 0; j < dim; j++)
        if (c[j].rows > 0 && (worst == dim || excess(&c[j], asked) > excess(&c[worst], asked)))
            worst = j;
    if (worst == dim || excess(&c[worst], asked) <= 1)
        return;
    putchar('\n');
    say_column(model, lacks_noise, lam_model_column(model, worst), &c[worst]);
}

static int calibrate(const lam_model *model, cli_spread *rows, int lacks_noise, const lam_eval_options *options)
{
    size_t dim = lam_model_dim(model);
    lam_calibration *c = cli_alloc(dim, sizeof *c);
    thin(rows, lam_model_any_given(model) ? ANY_ROWS : CALIBRATION_ROWS, dim);
    lam_status status = lam_calibrate(model, options, 0, &(lam_query){rows->x, rows->n, NULL, 0}, CALIBRATION_DRAWS, c);
    if (status == LAM_OK) {
        report_calibration(model, c, dim);
        report_worst(model, lacks_noise, c, dim);
    }
    free(c);
    return status == LAM_OK ? CLI_OK : cli_library_failed();
}

/* A fault is told of beyond these: nats, and of the mass its distance from 1. */
static const double NOTABLE_ERROR = 0.01, NOTABLE_MASS = 0.01, NOTABLE_DISAGREEMENT = 0.1;

/* In words, where something is wrong. */
static void report_faults(const lam_check_report *r)
{
    int error = r->logp_error_rms > NOTABLE_ERROR, mass = r->has_mass && fabs(r->mass - 1) > NOTABLE_MASS;
    int disagreement = r->has_consistency && r->consistency > NOTABLE_DISAGREEMENT;
    if (error || mass || disagreement)
        putchar('\n');
    if (error)
        printf("log p is off by %.2g nats (rms), as the solver's steps are too long. Score with a smaller --rtol and --atol, or run `laminar tune`.\n",
            r->logp_error_rms);
    if (mass)
        printf("The density%s integrates to %.4g instead of 1: the solver's tolerance is too loose, or the density has spikes that the integration misses.\n",
            r->mass_rows > 0 ? " given the values of a row" : "", r->mass);
    if (disagreement)
        printf("The densities of this model disagree: log p(a) + log p(b | a) and log p(a, b) differ by %.2g nats (rms). Ask for the density that you need in\n"
            "one query (score --of A --given B) instead of adding others up. A fit with --weight-decay 0.3 agrees better, but its likelihood may be lower.\n",
            r->consistency);
}

static int check(const lam_model *model, cli_spread *rows, const check_args *args)
{
    lam_eval_options options;
    lam_check_report result = {0};
    cli_progress progress;
    cli_eval_options(&args->eval, &options);
    cli_progress_start(&progress, "checking rows", &options);
    lam_status status = lam_check(model, &options, rows->x, rows->n, &result);
    cli_progress_end();
    if (status != LAM_OK)
        return cli_library_failed();
    report(model, &result, rows->all, &options);
    cli_progress_start(&progress, "drawing rows", &options);
    int code = calibrate(model, rows, cli_has_noise(model) && !args->choice.standardised, &options);
    cli_progress_end();
    if (code == CLI_OK)
        report_faults(&result);
    return code;
}

static int run(const cli_command *command, int argc, char **argv)
{
    check_args args = {.rows = 2000};
    cli_line line;
    lam_model *model = NULL;
    cli_spread rows = {0};
    int code = cli_line_parse(command, argc, argv, &args, &line);
    args.choice.threads = args.eval.threads;
    if (code == CLI_OK && args.rows == 0)
        code = cli_misuse(command, "--rows needs at least 1");
    if (code == CLI_OK)
        code = cli_model_open(line.words[0], args.eval.config, &model);
    if (code == CLI_OK)
        code = cli_rows_spread(line.words[1], &args.choice, model, args.rows, &rows);
    if (code == CLI_OK)
        code = leave_unasked(model, &rows);
    if (code == CLI_OK)
        code = check(model, &rows, &args);
    cli_spread_clear(&rows);
    lam_model_free(model);
    cli_line_free(&line);
    return code;
}

const cli_command cli_check = {
    .name = "check",
    .arguments = "MODEL DATA",
    .summary = "measures how far a model's numbers can be trusted",
    .details = "Measures the solver's error in log p (against a solve in double at a hundredth of the tolerance), the error of the round\n"
               "trip to the base density and back, the bias of Hutchinson's estimate of the trace, and, for one and two columns or for one\n"
               "given others, the total mass of the density. For each column that is not given, it compares the values with the predicted distribution:\n"
               "the deviation of the cumulative probabilities from uniform, and the share inside the central intervals of 50 and 90 %.\n"
               "Of a model fitted with --any-given it measures how far its densities agree: log p(a) + log p(b | a) should be log p(a, b).\n"
               "The last lines say in words what is wrong, if anything is.\n"
               "MODEL is a run folder or a model file.\n",
    .example = "  $ laminar check run/ test.csv --rows 500\n"
               "  500 of 1000 rows; dopri5, atol 1e-05, rtol 1e-05, exact trace; ...\n"
               "  log p against tighter, nats      max 1.2e-04, rms 2.1e-05\n"
               "  ...\n",
    .options = check_options,
    .least = 2,
    .most = 2,
    .run = run,
};
