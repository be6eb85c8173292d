/* What `laminar fit` prints: what was read, the line of progress, the closing tables. And how it is told to stop. */
#include "fit.h"
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
    static const char text[] = "\nlaminar: stopping and saving the run; a second signal kills it\n";
    stop_signal = number;
    ssize_t written = write(STDERR_FILENO, text, sizeof text - 1); /* stdio is not safe here */
    (void)written;
}

void fit_catch_signals(void)
{
    /* Some of the code that oneDNN makes keeps things below the stack's end, where a handler would write. */
    static char room[1 << 16];
    const stack_t own = {.ss_sp = room, .ss_size = sizeof room};
    struct sigaction action, before;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = (int)(SA_RESETHAND | SA_ONSTACK); /* the second one kills */
    sigaltstack(&own, NULL);
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN) /* nohup ignores it on purpose */
        sigaction(SIGHUP, &action, NULL);
}

int fit_signal(void)
{
    return stop_signal;
}

/* ---- progress ----------------------------------------------------------------------------------------------------- */

/* "epoch 2/60 beta 0.25 " of images, nothing of rows. */
static const char *epoch_text(const fit_watch *watch, const lam_progress *p, const char *gap, char text[96])
{
    char of[32] = "";
    text[0] = '\0';
    if (watch->epochs > 0)
        snprintf(of, sizeof of, "/%zu", watch->epochs);
    if (p->epoch > 0)
        snprintf(text, 96, "epoch %zu%s%sbeta %.3g%s", p->epoch, of, gap, p->beta, gap);
    return text;
}

/* What lam_progress calls NLL. */
static const char *measure(const fit_watch *watch)
{
    return watch->kind == LAM_VAE ? "-ELBO" : "nll";
}

/* Progress is of iterations of the warm start, or else of training. */
static size_t all_of(const fit_watch *watch, const lam_progress *p)
{
    return watch->warm ? p->warm_starts : p->iterations;
}

/* "70/1000", or "70" where no one knows yet how many there are. */
static const char *count_text(const lam_progress *p, char text[64])
{
    snprintf(text, 64, p->iterations < LAM_UNENDING ? "%zu/%zu" : "%zu", p->iteration, p->iterations);
    return text;
}

static void show_on_terminal(fit_watch *watch, const lam_progress *p, double rate)
{
    char line[480], left[32], epoch[96], count[64], counts[128] = "", validation[96] = "";
    double now = cli_clock();
    if ((now - watch->shown < 0.1 && watch->iteration < all_of(watch, p)) || isnan(p->loss)) /* NaN: a finished fit has no step to do */
        return;
    watch->shown = now;
    cli_duration(p->seconds_left, left);
    if (watch->warm) {
        snprintf(line, sizeof line, "warm start %zu/%zu loss %.4f f %llu b %llu  %.3g it/s  %s left  lr %g", p->warm_start,
            p->warm_starts, p->loss, (unsigned long long)p->counts.forward, (unsigned long long)p->counts.backward, rate, left, p->lr);
        cli_status_line(line);
        return;
    }
    if (isfinite(p->val_nll))
        snprintf(validation, sizeof validation, "  val %.4f best %.4f", p->val_nll, p->best_val_nll);
    if (p->counts.solves > 0)
        snprintf(counts, sizeof counts, " f %llu b %llu steps %llu+%llu", (unsigned long long)p->counts.forward,
            (unsigned long long)p->counts.backward, (unsigned long long)p->counts.accepted,
            (unsigned long long)p->counts.rejected);
    snprintf(line, sizeof line, "%s%s loss %.4f %s %.4f%s  %.3g it/s  %s left%s  lr %g",
        epoch_text(watch, p, " ", epoch), count_text(p, count), p->loss, measure(watch), p->nll, counts, rate, left, validation,
        p->lr);
    cli_status_line(line);
}

static const double LINE_SECONDS = 1;

/* " +- 0.012 on 500 of 2000 rows" where it was a sample, else nothing. */
static const char *sample_text(const fit_watch *watch, const lam_progress *p, char text[96])
{
    text[0] = '\0';
    if (p->val_rows < watch->valid_rows)
        snprintf(text, 96, " +- %.2g on %zu of %zu %s", p->val_nll_se, p->val_rows, watch->valid_rows,
            watch->kind == LAM_VAE ? "images" : "rows");
    return text;
}

/* Lines are a second apart; the first and the last of iterations and of validations are always there. metrics.jsonl has them all. */
static int is_time(fit_watch *watch, double *last, int always)
{
    double now = cli_clock();
    if (!always && now - *last < LINE_SECONDS)
        return 0;
    *last = watch->shown = now;
    return 1;
}

static void show_as_lines(fit_watch *watch, const lam_progress *p, double rate)
{
    char left[32], epoch[96], sample[96], count[64], counts[160] = "";
    int digits = watch->kind == LAM_VAE ? 4 : 6, at_end = watch->iteration == all_of(watch, p);
    int shows = p->is_validation && is_time(watch, &watch->validated, watch->validated == 0 || watch->warm || at_end);
    if (shows && watch->warm)
        fprintf(stderr, "validation after the warm start: NLL %.6f%s\n", p->val_nll, sample_text(watch, p, sample));
    else if (shows)
        fprintf(stderr, "validation at %zu: %s %.*f%s, best %.*f\n", p->iteration, watch->kind == LAM_VAE ? "-ELBO" : "NLL", digits,
            p->val_nll, sample_text(watch, p, sample), digits, p->best_val_nll);
    if ((watch->iteration % watch->log_freq != 0 && !at_end) || watch->iteration == watch->printed || isnan(p->loss))
        return; /* a validation reports the last iteration once more; a finished fit has no step to do, and no loss */
    if (!is_time(watch, &watch->shown, watch->printed == 0 || at_end))
        return;
    watch->printed = watch->iteration;
    cli_duration(p->seconds_left, left);
    if (watch->warm) {
        fprintf(stderr, "warm start %zu/%zu  loss %.6f  forward %llu  backward %llu  lr %g  %.3g it/s  left %s\n", p->warm_start,
            p->warm_starts, p->loss, (unsigned long long)p->counts.forward, (unsigned long long)p->counts.backward, p->lr, rate, left);
        return;
    }
    if (p->counts.solves > 0)
        snprintf(counts, sizeof counts, "  forward %llu  backward %llu  steps %llu + %llu rejected",
            (unsigned long long)p->counts.forward, (unsigned long long)p->counts.backward,
            (unsigned long long)p->counts.accepted, (unsigned long long)p->counts.rejected);
    fprintf(stderr, "%siteration %s  loss %.*f  %s %.*f%s  lr %g  %.3g it/s  left %s\n",
        epoch_text(watch, p, "  ", epoch), count_text(p, count), digits, p->loss, measure(watch), digits, p->nll, counts,
        p->lr, rate, left);
}

static void explain(const fit_watch *watch, const lam_progress *p)
{
    cli_status_line("");
    if (watch->warm) {
        fprintf(stderr, "warm start by flow matching: solves no ODE; the loss is a mean squared error of velocities; evaluations of f (f%s, b%s) "
            "per iteration\n", watch->terminal ? "" : "orward", watch->terminal ? "" : "ackward");
        return;
    }
    fputs(watch->kind == LAM_VAE ? "loss, and -ELBO (beta 1, without the penalty), in nats per image"
                                 : "loss and NLL in nats, standardised units", stderr);
    if (p->counts.solves > 0)
        fprintf(stderr, "; evaluations of f (f%s, b%s) and steps (accepted + rejected) per iteration", watch->terminal ? "" : "orward",
            watch->terminal ? "" : "ackward");
    fputc('\n', stderr);
}

/* Takes note of a call; iterations a second, of those that this process has done of the warm start, or else of training. */
static double note_progress(fit_watch *watch, const lam_progress *p)
{
    int warm = p->warm_starts > 0 && p->iteration == 0, anew = !watch->begun || warm != watch->warm;
    size_t done = warm ? p->warm_start : p->iteration;
    int tries = !isnan(p->weight_decay_tried), settles = !isnan(watch->tried) && !tries;
    if (tries ? p->flow != watch->flow || p->weight_decay_tried != watch->tried : p->flow > 1 && (p->flow != watch->flow || settles)) { /* the next of several */
        anew = 1;
        watch->seconds = 0;
        watch->iteration = watch->evaluated = 0;
        if (!watch->quiet && tries)
            cli_say("trying a weight decay of %g, flow %zu", p->weight_decay_tried, p->flow);
        else if (!watch->quiet)
            cli_say(watch->flows > 0 ? "flow %zu of %zu" : "flow %zu", p->flow, watch->flows);
    }
    watch->flow = p->flow;
    watch->tried = p->weight_decay_tried;
    if (anew) {
        int resumed = !watch->begun && done > 1; /* then the time of what was done before it is not known */
        watch->from = resumed ? done : 0;
        watch->from_seconds = resumed ? p->seconds : watch->seconds;
        watch->printed = 0;
    }
    watch->begun = 1;
    watch->warm = warm;
    watch->iteration = done;
    watch->seconds = p->seconds;
    if (anew && !watch->quiet)
        explain(watch, p);
    double seconds = p->seconds - watch->from_seconds;
    return seconds > 0.0 ? (double)(done - watch->from) / seconds : 0.0;
}

void fit_keep_line(void *user, const char *line)
{
    fit_watch *watch = user;
    char *longer = cli_format("%s%s%s", watch->said == NULL ? "" : watch->said, watch->said == NULL ? "" : "\n", line);
    free(watch->said);
    watch->said = longer;
}

/* The first call comes after an iteration, or after a validation that was still due. */
static void say_resumed(const fit_watch *watch, const lam_progress *p)
{
    int warm = p->warm_starts > 0 && p->iteration == 0;
    size_t now = warm ? p->warm_start : p->iteration, done = now - (now > 0 && !p->is_validation ? 1 : 0);
    char of[32] = "";
    if (!warm && p->iterations < LAM_UNENDING)
        snprintf(of, sizeof of, " of %zu", p->iterations);
    if (done == 0 && !p->is_validation)
        cli_say("%s holds no checkpoint to go on from: the run begins here", watch->resumed);
    else if (warm)
        cli_say("going on with the run in %s after iteration %zu of %zu of the warm start", watch->resumed, done, p->warm_starts);
    else
        cli_say("going on with the run in %s after iteration %zu%s", watch->resumed, done, of);
}

int fit_progress(void *user, const lam_progress *p)
{
    fit_watch *watch = user;
    if (watch->said != NULL && !watch->quiet) {
        cli_say("%s", watch->said);
        free(watch->said);
        watch->said = NULL;
    }
    if (!watch->begun && watch->resumed != NULL && !watch->quiet)
        say_resumed(watch, p);
    double rate = note_progress(watch, p);
    if (!watch->quiet && watch->terminal)
        show_on_terminal(watch, p, rate);
    else if (!watch->quiet)
        show_as_lines(watch, p, rate);
    watch->told = cli_clock();
    return stop_signal != 0;
}

int fit_evaluating(void *user, lam_part part, size_t done, size_t rows)
{
    fit_watch *watch = user;
    if (done <= watch->evaluated || watch->evaluation.what == NULL) /* another one, begun after the last iteration or validation */
        cli_progress_begin(&watch->evaluation, part == LAM_VALID ? "validation" : "test", watch->told);
    watch->evaluated = done;
    if (!watch->quiet)
        (void)cli_progress_show(&watch->evaluation, done, rows);
    return stop_signal != 0;
}

/* ---- before and after --------------------------------------------------------------------------------------------- */

void fit_say_reading(const lam_config *cfg)
{
    double used = cli_used(), limit = lam_config_number(cfg, "budget"), processor = lam_config_number(cfg, "max-processor-seconds");
    const char *name = "budget";
    if (limit <= 0 || (processor > 0 && cli_processor_used() / processor > used / limit)) {
        used = cli_processor_used();
        limit = processor;
        name = "max-processor-seconds";
    }
    if (limit > 0 && used > 0.5 * limit)
        cli_say("note: reading the data took %.1f s of the %g s that --%s allows; %s; allow more time", used, limit, name,
            used >= limit ? "there is only time for one iteration" : "little is left for training");
}

void fit_print_data(const char *path, const lam_table *all, const lam_dataset *data)
{
    size_t train, valid, test, shown = all->cols < 8 ? all->cols : 8;
    (void)lam_dataset_rows(data, LAM_TRAIN, &train);
    (void)lam_dataset_rows(data, LAM_VALID, &valid);
    (void)lam_dataset_rows(data, LAM_TEST, &test);
    printf("read     %s: %zu rows, %zu columns (", cli_input_name(path), all->rows, all->cols);
    for (size_t j = 0; j < shown; j++)
        printf("%s%s", j == 0 ? "" : ", ", all->names[j]);
    printf("%s)\n", shown < all->cols ? ", ..." : "");
    if (all->mapped != NULL)
        printf("rows     in files without names on the disk, %.3g MB, and not in memory (--scratch)\n", 8e-6 * (double)all->rows * (double)all->cols);
    if (all->was_kept)
        printf("cached   these rows are those of %s, and %s was not read again\n", all->kept, cli_input_name(path));
    if (all->how != NULL)
        printf("header   %s\n", all->how);
    if (all->bad_rows > 0 || all->duplicates > 0)
        printf("dropped  %zu bad rows, %zu duplicate rows\n", all->bad_rows, all->duplicates);
    if (all->bad_rows > (all->rows + all->bad_rows) / 10)
        cli_say("%.2g %% of the rows are left out as bad ones; where it hangs on their values which these are, the density is not that of all rows",
            100.0 * (double)all->bad_rows / (double)(all->rows + all->bad_rows));
    printf("split    %zu training, %zu validation, %zu test rows\n", train, valid, test);
    fflush(stdout);
}

void fit_print_choice(const lam_config *cfg)
{
    char text[256], penalties[128];
    size_t blocks = cli_whole(cfg, "blocks"), start = cli_whole(cfg, "warm-start"), iterations = cli_whole(cfg, "iterations");
    lam_config_penalties(cfg, penalties);
    printf("flow     %zu block%s of %s, ", blocks, blocks == 1 ? "" : "s", cli_parameter(cfg, "dims", text));
    printf("%s, ", cli_parameter(cfg, "layer", text));
    printf("%s; penalty: %s", cli_parameter(cfg, "nonlinearity", text), penalties);
    if (!lam_config_is(cfg, "map", "none"))
        printf("; map: %s", cli_parameter(cfg, "map", text));
    if (!lam_config_is(cfg, "whiten", "none"))
        printf("; whiten: %s", cli_parameter(cfg, "whiten", text));
    printf("\ntraining ");
    if (start > 0)
        printf("%zu iterations of flow matching, then ", start);
    if (iterations < LAM_UNENDING)
        printf("%zu of maximum likelihood; ", iterations);
    else
        printf("maximum likelihood for as long as the time limit allows; ");
    printf("%zu rows per batch, ", cli_whole(cfg, "batch-size"));
    printf("%s, learning rate %g, ", cli_parameter(cfg, "optimizer", text), lam_config_number(cfg, "lr"));
    printf("schedule %s\n", cli_parameter(cfg, "schedule", text));
    fflush(stdout);
}

static void nll_row(cli_grid *grid, const char *name, double nll, double error, double log_det)
{
    cli_grid_add(grid, "%s", name);
    cli_grid_measure(grid, 6, nll, error);
    cli_grid_measure(grid, 6, nll - log_det, error);
}

void fit_print_samples(const lam_config *cfg, const size_t rows[3], const char *what, const char *beside, const lam_fit_result *r)
{
    int test = r->test_rows > 0 && r->test_rows < rows[LAM_TEST], valid = r->best_val_rows > 0 && r->best_val_rows < rows[LAM_VALID];
    if (!test && !valid)
        return;
    printf("samples, since ");
    double limit = lam_config_number(cfg, "budget"), processor = lam_config_number(cfg, "max-processor-seconds");
    if (limit > 0)
        printf("--budget %g", limit);
    if (processor > 0)
        printf("%s--max-processor-seconds %g", limit > 0 ? " and " : "", processor);
    if (limit > 0 || processor > 0)
        printf(" left no time for all:");
    else
        printf("--val-rows %zu asks for them:", cli_whole(cfg, "val-rows"));
    if (test)
        printf(" test on %zu of %zu %s", r->test_rows, rows[LAM_TEST], what);
    if (valid)
        printf("%s validation on %zu of %zu", test ? "," : "", r->best_val_rows, rows[LAM_VALID]);
    if (beside != NULL && r->gaussian_rows > 0 && r->gaussian_rows < rows[LAM_TRAIN])
        printf(", the %s fitted to %zu of %zu", beside, r->gaussian_rows, rows[LAM_TRAIN]);
    printf("\n");
}

static void count_row(cli_grid *grid, const char *name, const lam_counts *counts, double by)
{
    const uint64_t cells[] = {counts->forward, counts->backward, counts->recomputed, counts->accepted, counts->rejected};
    cli_grid_add(grid, "%s", name);
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++)
        cli_grid_number(grid, by == 1.0 ? 0 : 2, by > 0.0 ? (double)cells[i] / by : (double)NAN);
}

/* What the Gaussian of the training rows is to such a model: given columns, its density of the others; of a single one that is a regression. */
static const char *name_of_gaussian(const lam_model *model)
{
    size_t given = lam_model_given_count(model);
    return given == 0 ? "full-covariance Gaussian" : lam_model_dim(model) - given == 1 ? "linear regression" : "conditional Gaussian";
}

void fit_print_result(const lam_config *cfg, const lam_model *model, const size_t rows[3], const lam_fit_result *result)
{
    char text[32], how[128], gaussian[64];
    const char *beside = name_of_gaussian(model);
    cli_grid grid = {.columns = 3};
    cli_grid_add(&grid, "NLL in nats per row");
    cli_grid_add(&grid, "standardised units");
    cli_grid_add(&grid, "data units");
    char flows[64] = "test, this flow, exact trace";
    if (result->flows > 1)
        snprintf(flows, sizeof flows, "test, mean of %zu flows, exact trace", result->flows);
    nll_row(&grid, flows, result->test_nll, result->test_nll_se, result->log_det);
    snprintf(gaussian, sizeof gaussian, "test, %s%s", beside, strcmp(beside, "linear regression") == 0 ? ", normal residual" : "");
    nll_row(&grid, gaussian, result->gaussian_test_nll, result->gaussian_test_nll_se, result->log_det);
    if (result->mixture_components > 0) {
        char name[48];
        snprintf(name, sizeof name, "test, mixture of %zu Gaussians", result->mixture_components);
        nll_row(&grid, name, result->mixture_test_nll, result->mixture_test_nll_se, result->log_det);
    }
    char any[8] = "";
    int of_any = lam_config_get(cfg, "any-given", any, sizeof any) == LAM_OK && strcmp(any, "true") == 0;
    /* rows of which other columns are asked have units of their own each */
    nll_row(&grid, of_any ? "validation, best, columns by chance" : "validation, best", result->best_val_nll, result->best_val_nll_se,
        of_any ? (double)NAN : result->log_det);
    cli_grid_print(&grid, stdout);
    if (of_any)
        printf("By chance: in every validation row it is drawn which columns are asked, which are given, and which are left out, as in training. This NLL\n"
               "chooses among iterations; compare fits by the test NLL, where all columns are asked.\n");
    fit_print_samples(cfg, rows, "rows", beside, result);
    printf("\n");
    static const char *const heads[] = {"evaluations of f and steps", "forward", "backward", "recomputed", "accepted",
        "rejected"};
    grid.columns = sizeof heads / sizeof heads[0];
    for (size_t i = 0; i < grid.columns; i++)
        cli_grid_add(&grid, "%s", heads[i]);
    if (result->warm_start > 0) {
        count_row(&grid, "warm start, total", &result->warm_counts, 1.0);
        count_row(&grid, "warm start, per iteration", &result->warm_counts, (double)result->warm_start);
    }
    count_row(&grid, "training, total", &result->train_counts, 1.0);
    count_row(&grid, "training, per iteration", &result->train_counts, (double)result->iterations);
    if (result->test_counts.solves > 0)
        count_row(&grid, "test, per batch", &result->test_counts, cli_ratio(result->test_counts.solves, cli_whole(cfg, "blocks") * result->flows));
    cli_grid_print(&grid, stdout);
    const lam_setting setting = lam_config_setting(cfg);
    printf("\n");
    if (result->flows > 1)
        printf("%zu flows, the first of them by ", result->flows);
    if (result->warm_start > 0)
        printf("%zu iterations of flow matching%s, then ", result->warm_start,
            result->best_iteration == 0 ? ", which led to the best model" : "");
    if (result->warm_start > 0 && result->best_iteration == 0)
        printf("%zu iterations that made it no better, ", result->iterations);
    else
        printf("%zu iterations, best at %zu, ", result->iterations, result->best_iteration);
    printf("%s; training at atol %g, rtol %g, test by %s\n", cli_duration(result->seconds, text), lam_config_number(cfg, "atol"), lam_config_number(cfg, "rtol"), cli_setting_text(&setting, how));
}

void fit_print_repeat(const lam_config *cfg, const lam_config *came, lam_ending ending, const char *folder)
{
    double limit = lam_config_number(cfg, "budget"), processor = lam_config_number(cfg, "max-processor-seconds");
    size_t held = cli_whole(came, "decay-from");
    if (!lam_config_is(cfg, "schedule", "cosine") || (limit <= 0 && processor <= 0) || held == 0)
        return;
    char *file = cli_path_join(folder, "config.yaml");
    if (ending == LAM_ENDED_PLATEAU)
        printf("validation stopped improving, so the learning rate fell after %zu iterations.", held);
    else
        printf("the time limit made the learning rate fall after %zu iterations.", held);
    printf(" %s keeps the numbers: the same data give the\n"
        "same model without a time limit with --config %s", file, file);
    free(file);
    if (limit > 0)
        printf(" --budget 0");
    if (processor > 0)
        printf(" --max-processor-seconds 0");
    printf("\n");
}
