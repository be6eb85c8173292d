/* lam_tune: the cheapest evaluation setting that keeps a bound on the error of log p (method.md 12). */
#include "model/tune.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/need.h"
#include "base/mem.h"
#include "base/sort.h"
#include "base/random.h"
#include "model/pass.h"
#include "ode/tableau.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double LOOSEST = 1e-8, FINEST = 1e-13; /* tolerances of the reference; double can do no more */
static const double ACTIVATION = 100;               /* multiply-adds that take as long as one activation of a hidden unit */
static const double REFERENCE_SHARE = 0.1;          /* of the bounds, that its own error may have at ten times its tolerance */
enum { DEFAULT_ROWS = 2000, SLICE = 256 };          /* SLICE: rows that the reference's error and the time are taken from */
enum { TYPICAL_CANDIDATES = 25 };                   /* a search costs about so many times what the setting before it does */

int lam_tuner_keeps(const lam_tuner *t, const lam_tune_candidate *c)
{
    return c->rms <= t->options.error && c->percentile <= t->options.percentile_error;
}

void lam_tuner_try_on(lam_tuner *t, const lam_setting *s, const double *h_star)
{
    lam_setting_store(&t->trial->config, s);
    for (size_t b = 0; b < t->trial->layout.blocks; b++)
        t->trial->h_star_test[b] = h_star != NULL ? h_star[b] : 0;
}

/* ---- progress ----------------------------------------------------------------------------------------------------- */

lam_status lam_tuner_tell(lam_tuner *t)
{
    lam_tune_progress *p = &t->progress;
    p->seconds = lam_clock() - t->started;
    double reference = t->reference_seconds * (double)(p->rows - p->rows_done) / (double)p->rows;
    double candidates = fmax(0, t->candidate_seconds - (p->rows_done < p->rows ? 0 : p->seconds - t->reference_seconds));
    p->seconds_left = reference + candidates;
    if (t->options.progress != NULL && t->options.progress(t->options.user, p) != 0)
        return lam_fail(LAM_ERR_INTERRUPTED, "stopped on request after %zu rows of the reference and %zu candidates", p->rows_done,
            p->candidates);
    return LAM_OK;
}

static int tell_rows(void *user, size_t done, size_t total)
{
    lam_tuner *t = user;
    (void)total;
    t->progress.rows_done = done;
    return lam_tuner_tell(t) != LAM_OK;
}

static int tell_candidate(void *user, size_t done, size_t total)
{
    (void)done;
    (void)total;
    return lam_tuner_tell(user) != LAM_OK;
}

/* ---- measuring ---------------------------------------------------------------------------------------------------- */

void lam_tuner_errors(const double *a, const double *b, size_t n, double *scratch, double *rms, double *percentile)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        scratch[i] = fabs(a[i] - b[i]);
        sum += scratch[i] * scratch[i];
    }
    lam_sort_ascending(scratch, n);
    *rms = sqrt(sum / (double)n);
    *percentile = scratch[(99 * n + 99) / 100 - 1];
}

static lam_eval_options evaluation(const lam_tuner *t)
{
    return (lam_eval_options) { .units = LAM_UNITS_STANDARDISED, .batch_rows = t->options.batch_rows,
        .threads = t->options.threads, .isa = t->options.isa };
}

/* So many evaluations in all solves, per batch and all blocks. */
static double calls_of(const lam_tuner *t, uint64_t evaluations, const lam_counts *counts)
{
    return (double)evaluations / (double)counts->solves * (double)t->trial->layout.blocks;
}

/* What f alone costs of f with the exact trace, by arithmetic rather than by the clock, so that the choice repeats. */
static double untraced_cost(const lam_field_shape *field)
{
    double activations = ACTIVATION * (double)lam_field_units(field);
    return ((double)lam_field_products(field, 0, 1) + activations) / ((double)lam_field_products(field, field->dim, 1) + activations);
}

lam_status lam_tuner_measure(lam_tuner *t, const lam_tune_rows *rows, int use_double, double *logp, lam_tune_candidate *c)
{
    lam_eval_options options = evaluation(t);
    lam_pass pass;
    lam_counts counts = { 0 };
    options.use_double = use_double;
    options.progress = tell_candidate;
    options.user = t;
    double before = lam_cpu_clock();
    LAM_TRY(lam_pass_init(&pass, t->trial, &options));
    lam_status status = lam_pass_log_prob(&pass, rows->x, rows->n, logp, &counts);
    c->cpu_seconds = lam_cpu_clock() - before;
    if (status == LAM_ERR_SOLVER) {
        c->calls = c->untraced = c->cost = (double)NAN;
        c->rms = c->percentile = INFINITY;
        return LAM_OK;
    }
    LAM_TRY(status);
    c->calls = calls_of(t, counts.forward, &counts);
    c->untraced = calls_of(t, counts.untraced, &counts);
    c->cost = c->calls - c->untraced + c->untraced * t->result.untraced_cost;
    lam_tuner_errors(logp, rows->reference, rows->n, t->errors, &c->rms, &c->percentile);
    return LAM_OK;
}

/* ---- the reference ------------------------------------------------------------------------------------------------ */

static lam_status solve_reference(lam_tuner *t, const double *x, size_t n, double tolerance, int told, double *logp,
    lam_counts *counts)
{
    lam_eval_options options = evaluation(t);
    lam_pass pass;
    options.use_double = options.probe = 1;
    LAM_TRY(lam_pass_init(&pass, t->trial, &options));
    pass.setting = (lam_setting) { lam_solver_word(LAM_DOP853), 0, tolerance, tolerance, 0 };
    pass.max_steps = 1000000;
    pass.done = t->progress.rows_done;
    pass.total = t->progress.rows;
    if (told)
        pass.progress = tell_rows, pass.user = t;
    lam_status status = lam_pass_log_prob(&pass, x, n, logp, counts);
    if (status == LAM_OK || status == LAM_ERR_INTERRUPTED)
        return status;
    return lam_fail_in(status, "the reference, in double at %g", tolerance);
}

/* A tolerance that does for the bounds, shown on a slice of the rows; and how long all of them will take. */
static lam_status choose_reference(lam_tuner *t)
{
    lam_tune_result *r = &t->result;
    const double bound[2] = { t->options.error, t->options.percentile_error };
    double coarse[SLICE], fine[SLICE], percentile, seconds;
    size_t n = t->valid.n < SLICE ? t->valid.n : SLICE;
    r->reference_tolerance = fmax(FINEST, fmin(LOOSEST, 1e-3 * fmin(bound[0], bound[1])));
    for (;;) {
        double tolerance = r->reference_tolerance;
        lam_counts counts = { 0 };
        LAM_TRY(solve_reference(t, t->valid.x, n, 10 * tolerance, 0, coarse, &counts));
        double before = lam_clock();
        LAM_TRY(solve_reference(t, t->valid.x, n, tolerance, 0, fine, &counts));
        seconds = lam_clock() - before;
        lam_tuner_errors(coarse, fine, n, t->errors, &r->reference_error, &percentile);
        if (r->reference_error <= REFERENCE_SHARE * bound[0] && percentile <= REFERENCE_SHARE * bound[1])
            break;
        if (tolerance <= FINEST)
            return lam_fail(LAM_ERR_SOLVER, "errors of %g and %g nats cannot be distinguished from those of the reference itself: in "
                "double at %g it has rms %.2g, 99th percentile %.2g; ask for larger ones", bound[0], bound[1], 10 * tolerance,
                r->reference_error, percentile);
        r->reference_tolerance = fmax(FINEST, 0.01 * tolerance);
    }
    t->reference_seconds = seconds / (double)n * (double)(t->valid.n + t->test.n);
    return LAM_OK;
}

/* What the candidates will take, from the setting that the model has. */
static lam_status project(lam_tuner *t)
{
    const lam_eval_options options = evaluation(t);
    size_t n = t->valid.n < SLICE ? t->valid.n : SLICE;
    lam_pass pass;
    lam_counts counts = { 0 };
    double before = lam_clock();
    LAM_TRY(lam_pass_init(&pass, t->trial, &options));
    lam_status status = lam_pass_log_prob(&pass, t->valid.x, n, t->logp, &counts);
    if (status != LAM_OK && status != LAM_ERR_SOLVER) /* which one of the candidates it is may well do */
        return status;
    t->candidate_seconds = TYPICAL_CANDIDATES * (lam_clock() - before) / (double)n * (double)t->valid.n;
    return LAM_OK;
}

static lam_status make_reference(lam_tuner *t)
{
    lam_counts counts = { 0 };
    double tolerance;
    LAM_TRY(choose_reference(t));
    LAM_TRY(project(t));
    LAM_TRY(lam_tuner_tell(t));
    tolerance = t->result.reference_tolerance;
    LAM_TRY(solve_reference(t, t->valid.x, t->valid.n, tolerance, 1, t->valid.reference, &counts));
    t->result.reference_calls = calls_of(t, counts.forward, &counts);
    t->progress.rows_done = t->valid.n;
    return solve_reference(t, t->test.x, t->test.n, tolerance, 1, t->test.reference, &counts);
}

/* ---- rows --------------------------------------------------------------------------------------------------------- */

/* At most options.rows of the n rows order[0], order[1], ... of x (order NULL: of its first n), spread evenly. */
static lam_status choose_rows(const lam_tuner *t, const double *x, const uint64_t *order, size_t n, lam_tune_rows *to)
{
    const lam_model *m = t->trial;
    size_t dim = m->dim;
    to->n = n < t->options.rows ? n : t->options.rows;
    if ((to->x = lam_alloc(to->n * dim, sizeof(double))) == NULL || (to->reference = lam_alloc(to->n, sizeof(double))) == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < to->n; i++) {
        size_t at = i * n / to->n;
        const double *row = x + (order != NULL ? (size_t)order[at] : at) * dim;
        for (size_t j = 0; j < dim; j++)
            to->x[i * dim + j] = t->options.units == LAM_UNITS_DATA ? (row[j] - m->mean[j]) / m->scale[j] : row[j];
    }
    return LAM_OK;
}

static lam_status split_rows(lam_tuner *t, const double *x, size_t n)
{
    size_t half = n - n / 2;
    uint64_t *order = lam_alloc(n, sizeof *order);
    if (order == NULL)
        return LAM_ERR_MEMORY;
    lam_random_permutation(t->options.seed, LAM_DRAW_SPLIT, 1, order, n);
    lam_status status = choose_rows(t, x, order, half, &t->valid);
    if (status == LAM_OK)
        status = choose_rows(t, x, order + half, n - half, &t->test);
    lam_free(order);
    return status;
}

/* ---- the whole ---------------------------------------------------------------------------------------------------- */

static lam_status check(const lam_tuner *t, const lam_model *model, const double *x, size_t n, const double *test, size_t n_test)
{
    const lam_tune_options *o = &t->options;
    lam_eval_options options = evaluation(t);
    lam_pass pass;
    if (!(o->error > 0) || !isfinite(o->error) || !(o->percentile_error > 0) || !isfinite(o->percentile_error))
        return lam_fail(LAM_ERR_ARGUMENT, "the bounds on the error of log p are %g and %g nats; they must be above 0", o->error,
            o->percentile_error);
    if (test != NULL && (n == 0 || n_test == 0))
        return lam_fail(LAM_ERR_DATA, "there are %zu validation rows and %zu test rows; at least one of each is needed", n,
            n_test);
    if (test == NULL && n < 2)
        return lam_fail(LAM_ERR_DATA, "%zu rows cannot be cut into validation and test rows; give more", n);
    options.units = o->units;
    LAM_TRY(lam_pass_init(&pass, model, &options));
    LAM_TRY(lam_pass_check_rows(&pass, x, n));
    return test != NULL ? lam_pass_check_rows(&pass, test, n_test) : LAM_OK;
}

static lam_status prepare(lam_tuner *t, const lam_model *model, const double *x, size_t n, const double *test, size_t n_test)
{
    LAM_TRY(lam_model_copy(model, &t->trial));
    t->fitted = lam_config_setting(&model->config);
    if (model->tuned.h_star != NULL)
        t->fitted.atol = model->tuned.parameters.atol, t->fitted.rtol = model->tuned.parameters.rtol;
    if (test == NULL) {
        LAM_TRY(split_rows(t, x, n));
    } else {
        LAM_TRY(choose_rows(t, x, NULL, n, &t->valid));
        LAM_TRY(choose_rows(t, test, NULL, n_test, &t->test));
    }
    size_t most = t->valid.n > t->test.n ? t->valid.n : t->test.n;
    most = most < SLICE ? SLICE : most;
    t->result.rows = t->valid.n;
    t->result.untraced_cost = untraced_cost(&model->layout.field);
    t->result.test_rows = t->test.n;
    t->progress.rows = t->valid.n + t->test.n;
    t->logp = lam_alloc(most, sizeof(double));
    t->errors = lam_alloc(most, sizeof(double));
    t->h_chosen = lam_alloc(model->layout.blocks, sizeof(double));
    return t->logp == NULL || t->errors == NULL || t->h_chosen == NULL ? LAM_ERR_MEMORY : LAM_OK;
}

/* The errors on the test rows of the setting that the model had, and of the chosen one. */
static lam_status test_settings(lam_tuner *t, const lam_model *model)
{
    lam_tune_result *r = &t->result;
    r->test_before = r->candidates[0];
    lam_tuner_try_on(t, &r->test_before.setting, model->h_star_test);
    LAM_TRY(lam_tuner_measure(t, &t->test, 0, t->logp, &r->test_before));
    if (r->chosen == SIZE_MAX)
        return LAM_OK;
    r->test_after = r->candidates[r->chosen];
    lam_tuner_try_on(t, &r->test_after.setting, t->h_chosen);
    return lam_tuner_measure(t, &t->test, 0, t->logp, &r->test_after);
}

/* ---- when none will do -------------------------------------------------------------------------------------------- */

/* How far a candidate is from the bounds. */
static double excess(const lam_tuner *t, const lam_tune_candidate *c)
{
    return fmax(c->rms / t->options.error, c->percentile / t->options.percentile_error);
}

/* The nearest of the candidates, or of those with even steps; NULL: every solve failed. */
static const lam_tune_candidate *nearest(const lam_tuner *t, int even)
{
    const lam_tune_candidate *best = NULL;
    for (size_t i = 0; i < t->result.n_candidates; i++) {
        const lam_tune_candidate *c = &t->result.candidates[i];
        if (isfinite(c->rms) && (!even || c->setting.steps > 0) && (best == NULL || excess(t, c) < excess(t, best)))
            best = c;
    }
    return best;
}

/* What rounding makes of log p: the same even steps in the model's float and in double. */
static lam_status measure_rounding(lam_tuner *t, const lam_tune_candidate *steps)
{
    lam_tune_candidate c = { 0 };
    double *in_double = lam_alloc(t->valid.n, sizeof *in_double);
    lam_tuner_try_on(t, &steps->setting, NULL);
    lam_status status = in_double == NULL ? LAM_ERR_MEMORY : lam_tuner_measure(t, &t->valid, 1, in_double, &c);
    if (status == LAM_OK)
        status = lam_tuner_measure(t, &t->valid, 0, t->logp, &c);
    if (status == LAM_OK)
        lam_tuner_errors(t->logp, in_double, t->valid.n, t->errors, &t->result.rounding_rms, &t->result.rounding_percentile);
    lam_free(in_double);
    return status;
}

static void name_setting(const lam_setting *s, char text[128])
{
    char points[48] = "";
    if (s->trace_points > 0)
        snprintf(points, sizeof points, " with the trace at %zu points", s->trace_points);
    if (s->steps > 0)
        snprintf(text, 128, "%.16s in %zu even steps%s", s->solver, s->steps, points);
    else
        snprintf(text, 128, "%.16s at tolerance %g%s", s->solver, s->atol, points);
}

static lam_status none_keeps(lam_tuner *t)
{
    lam_tune_result *r = &t->result;
    const lam_tune_options *o = &t->options;
    const lam_tune_candidate *best = nearest(t, 0), *even = nearest(t, 1);
    char name[128], remedy[200] = "ask for larger errors, or raise max-steps";
    if (best == NULL)
        return lam_fail(LAM_ERR_SOLVER, "none of %zu settings gets through the validation rows; raise max-steps, or look at the "
            "rows for extreme values", r->n_candidates);
    if (t->trial->config.precision == LAM_FLOAT && even != NULL)
        LAM_TRY(measure_rounding(t, even));
    if (r->rounding_rms > o->error || r->rounding_percentile > o->percentile_error)
        snprintf(remedy, sizeof remedy, "float itself is in the way: its rounding alone makes rms %.2g, 99th percentile %.2g; ask "
            "for larger errors, or fit with precision double", r->rounding_rms, r->rounding_percentile);
    name_setting(&best->setting, name);
    return lam_fail(LAM_ERR_SOLVER, "none of %zu settings keeps log p within rms %g and 99th percentile %g nats of the reference; "
        "the nearest, %s, has %.2g and %.2g; %s", r->n_candidates, o->error, o->percentile_error, name, best->rms,
        best->percentile, remedy);
}

/* ---- the call ----------------------------------------------------------------------------------------------------- */

static lam_status tune(lam_tuner *t, lam_model *model, const double *x, size_t n, const double *test, size_t n_test)
{
    lam_tune_result *r = &t->result;
    LAM_TRY(check(t, model, x, n, test, n_test));
    LAM_TRY(prepare(t, model, x, n, test, n_test));
    LAM_TRY(make_reference(t));
    LAM_TRY(lam_tune_search(t));
    LAM_TRY(test_settings(t, model));
    if (r->chosen == SIZE_MAX)
        return none_keeps(t);
    const lam_tune_candidate *c = &r->candidates[r->chosen];
    const lam_tuning why = { .error = t->options.error, .percentile_error = t->options.percentile_error, .rms = c->rms,
        .percentile = c->percentile, .rows = r->rows };
    return lam_model_retune(model, &c->setting, t->h_chosen, &why);
}

static void clear(lam_tuner *t)
{
    lam_model_free(t->trial);
    lam_free(t->valid.x);
    lam_free(t->valid.reference);
    lam_free(t->test.x);
    lam_free(t->test.reference);
    lam_free(t->logp);
    lam_free(t->errors);
    lam_free(t->h_chosen);
}

lam_status lam_tune(lam_model *model, const lam_tune_options *options, const double *x, size_t n, const double *test,
    size_t n_test, lam_tune_result *result)
{
    if (result != NULL)
        *result = (lam_tune_result) { 0 };
    LAM_NEED(model, "model");
    LAM_NEED(options, "options");
    LAM_NEED_IF(n > 0, x, "x");
    lam_tuner t = { .options = *options, .started = lam_clock(), .result.chosen = SIZE_MAX };
    t.options.rows = options->rows > 0 ? options->rows : DEFAULT_ROWS;
    t.options.percentile_error = options->percentile_error != 0 ? options->percentile_error : options->error;
    lam_status status = tune(&t, model, x, n, test, n_test);
    t.result.seconds = lam_clock() - t.started;
    if (result != NULL)
        *result = t.result;
    else
        lam_tune_result_clear(&t.result);
    clear(&t);
    return status;
}

void lam_tune_result_clear(lam_tune_result *result)
{
    if (result == NULL)
        return;
    free(result->candidates);
    *result = (lam_tune_result) { 0 };
}
