/* How far a model's numbers can be trusted. */
#include "base/error.h"
#include "base/need.h"
#include "base/mem.h"
#include "model/consistency.h"
#include "model/integral.h"
#include "model/mass.h"
#include <math.h>
#include <string.h>

enum { HUTCHINSON_ROWS = 256, HUTCHINSON_PROBES = 64, MASS_ROWS = 200 };
static const double TIGHTER = 0.01;

typedef struct check {
    lam_pass pass;    /* as asked, exact trace, standardised units */
    lam_setting base; /* of which the tighter solve is a hundredth: the pass's, or of a tuned model the fit's own */
    size_t n, dim;
    double *x;        /* [n, dim] standardised */
    double *logp;     /* [n] standardised units */
    double *other;    /* [n, dim] */
    double *back;     /* [n, dim] */
    size_t moving;    /* cells of the rows */
    double log_det;   /* of the standardiser; NaN where other columns move in other rows */
} check;

static double mean(const double *v, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += v[i];
    return sum / (double)n;
}

/* Largest |a - b|, and its root mean square over `count` of the n numbers: those where it can be other than 0. */
static void differences(const double *a, const double *b, size_t n, size_t count, double *largest, double *rms)
{
    double sum = 0;
    *largest = 0;
    for (size_t i = 0; i < n; i++) {
        double e = isnan(a[i]) && isnan(b[i]) ? 0 : fabs(a[i] - b[i]); /* an absent cell is NaN */
        *largest = fmax(*largest, e);
        sum += e * e;
    }
    *rms = count > 0 ? sqrt(sum / (double)count) : 0;
}

/* A hundredth, but no less than double can do. */
static double tighter(double tolerance)
{
    return fmax(TIGHTER * tolerance, fmin(tolerance, 1e-13));
}

static lam_status log_probs(check *c, lam_check_report *r)
{
    lam_pass tight = c->pass;
    LAM_TRY(lam_pass_log_prob(&c->pass, c->x, c->n, c->logp, &r->counts));
    c->pass.done += c->n;
    tight.done = c->pass.done;
    tight.setting = (lam_setting) { c->base.solver, 0, tighter(c->base.atol), tighter(c->base.rtol), 0 }; /* never even steps */
    tight.use_double = 1;
    tight.max_steps *= 10;
    if (!lam_setting_is_pair(&tight.setting))
        tight.setting.solver = lam_solver_word(LAM_DOPRI5);
    lam_status status = lam_pass_log_prob(&tight, c->x, c->n, c->other, &r->counts_tight);
    if (status != LAM_OK)
        return lam_fail_in(status, "at a hundredth of the tolerance");
    c->pass.done += c->n;
    r->nll_standardised = -mean(c->logp, c->n);
    r->nll_tight_standardised = -mean(c->other, c->n);
    r->nll = r->nll_standardised - c->log_det;
    r->nll_tight = r->nll_tight_standardised - c->log_det;
    differences(c->logp, c->other, c->n, c->n, &r->logp_error_max, &r->logp_error_rms);
    return LAM_OK;
}

/* Of several flows each by itself: the largest difference of all, and the root mean square over all. */
static lam_status round_trip(check *c, lam_check_report *r)
{
    lam_counts counts = { 0 };
    size_t flows = lam_pass_flows(&c->pass);
    double squares = 0;
    for (size_t k = 0; k < flows; k++) {
        double most, rms;
        lam_pass of = lam_pass_of_flow(&c->pass, k, 2 * c->n);
        LAM_TRY(lam_pass_transform(&of, 1, c->x, c->n, c->other, &counts));
        of.done += c->n; /* of 2 n for each flow */
        LAM_TRY(lam_pass_transform(&of, 0, c->other, c->n, c->back, &counts));
        differences(c->back, c->x, c->n * c->dim, c->moving, &most, &rms);
        r->round_trip_max = fmax(r->round_trip_max, most);
        squares += rms * rms;
    }
    r->round_trip_rms = sqrt(squares / (double)flows);
    c->pass.done += 2 * c->n;
    return LAM_OK;
}

/* Of several flows the mean of their masses. */
static lam_status mass(const check *c, lam_check_report *r)
{
    size_t flows = lam_pass_flows(&c->pass);
    for (size_t k = 0; k < flows; k++) {
        double of_flow;
        const lam_pass of = lam_pass_of_flow(&c->pass, k, 0);
        LAM_TRY(lam_mass(&of, &of_flow));
        r->mass += of_flow / (double)flows;
    }
    return LAM_OK;
}

/* Of a density of one column given others: of the rows, spread over all, the one whose mass is furthest from 1. */
static lam_status mass_of_rows(const check *c, const lam_eval_options *options, lam_check_report *r)
{
    const lam_model *m = c->pass.model;
    size_t rows = c->n < MASS_ROWS ? c->n : MASS_ROWS;
    double mass[MASS_ROWS];
    lam_counts counts = { 0 };
    lam_eval_options eval = options != NULL ? *options : (lam_eval_options) { 0 };
    eval.progress = NULL;
    eval.comm = NULL;
    eval.units = LAM_UNITS_STANDARDISED;
    for (size_t i = 0; i < rows; i++)
        memcpy(c->other + i * c->dim, c->x + i * c->n / rows * c->dim, c->dim * sizeof *c->x);
    const lam_question q = { .model = m, .eval = &eval, .x = c->other, .n = rows, .dim = c->dim };
    LAM_TRY(lam_integrate_mass(&q, m->given.moving_at[0], 0, rows, mass, &counts));
    r->mass = 1;
    r->mass_rows = rows;
    for (size_t i = 0; i < rows; i++)
        r->mass = fabs(mass[i] - 1) > fabs(r->mass - 1) ? mass[i] : r->mass;
    return LAM_OK;
}

/* On rows spread over all; the exact values are those of log_probs. */
static lam_status hutchinson(check *c, lam_divergence kind, lam_check_report *r)
{
    lam_pass pass = c->pass;
    lam_counts counts = { 0 };
    size_t rows = c->n < HUTCHINSON_ROWS ? c->n : HUTCHINSON_ROWS;
    double exact[HUTCHINSON_ROWS], estimate[HUTCHINSON_ROWS], squares = 0;
    for (size_t i = 0; i < rows; i++) {
        size_t from = i * c->n / rows;
        exact[i] = c->logp[from];
        for (size_t j = 0; j < c->dim; j++)
            c->other[i * c->dim + j] = c->x[from * c->dim + j];
    }
    pass.divergence = kind == LAM_DIV_GAUSSIAN ? LAM_DIV_GAUSSIAN : LAM_DIV_RADEMACHER;
    pass.probes = HUTCHINSON_PROBES;
    LAM_TRY(lam_pass_log_prob(&pass, c->other, rows, estimate, &counts));
    c->pass.done += rows;
    for (size_t i = 0; i < rows; i++)
        estimate[i] -= exact[i];
    r->hutchinson_mean = mean(estimate, rows);
    for (size_t i = 0; i < rows; i++)
        squares += (estimate[i] - r->hutchinson_mean) * (estimate[i] - r->hutchinson_mean);
    r->hutchinson_se = rows > 1 ? sqrt(squares / (double)(rows - 1) / (double)rows) : 0;
    return LAM_OK;
}

static lam_status consistency(check *c, lam_check_report *r)
{
    LAM_TRY(lam_consistency(&c->pass, c->x, c->n, c->pass.seed, &r->consistency));
    c->pass.done += 3 * c->n;
    return LAM_OK;
}

static lam_status standardise(check *c, lam_units units, const double *x)
{
    const lam_model *m = c->pass.model;
    size_t count = c->n * c->dim;
    if ((c->x = lam_alloc(count, sizeof(double))) == NULL || (c->other = lam_alloc(count, sizeof(double))) == NULL
        || (c->back = lam_alloc(count, sizeof(double))) == NULL || (c->logp = lam_alloc(c->n, sizeof(double))) == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < count; i++)
        c->x[i] = units == LAM_UNITS_DATA ? (x[i] - m->mean[i % c->dim]) / m->scale[i % c->dim] : x[i];
    return LAM_OK;
}

/* How many cells move, and the standardiser's part of every row's log p where that is one number. */
static lam_status count_moving(check *c)
{
    const lam_model *m = c->pass.model;
    c->log_det = m->log_det;
    for (size_t i = 0; i < c->n; i++) {
        const double *x = c->x + i * c->dim;
        double log_det = 0;
        size_t before = c->moving;
        int as_first = 1;
        for (size_t j = 0; j < c->dim; j++) {
            int moves = lam_pass_moves(&c->pass, i, x, j);
            as_first &= moves == lam_pass_moves(&c->pass, 0, c->x, j);
            c->moving += (size_t)moves;
            log_det -= moves ? log(m->scale[j]) : 0;
        }
        if (c->moving == before)
            return lam_fail_nothing_asked(i);
        c->log_det = !as_first ? (double)NAN : i == 0 && m->given.masked ? log_det : c->log_det;
    }
    return LAM_OK;
}

lam_status lam_check(const lam_model *model, const lam_eval_options *options, const double *x, size_t n, lam_check_report *report)
{
    LAM_NEED(model, "model");
    LAM_NEED_IF(n > 0, x, "x");
    LAM_NEED(report, "report");
    check c = { .n = n };
    lam_check_report r = { .rows = n };
    LAM_TRY(lam_pass_init(&c.pass, model, options));
    if (n == 0 || x == NULL || report == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "lam_check needs at least one row, and room for its report");
    c.base = c.pass.setting;
    lam_tuning tuning;
    int asked = options != NULL && (options->atol > 0 || options->rtol > 0);
    if (!asked && lam_model_tuning(model, &tuning)) /* which chose a tolerance that may be no measure of anything */
        c.base = tuning.before;
    lam_units units = c.pass.units;
    lam_divergence kind = c.pass.divergence;
    c.dim = model->dim;
    c.pass.units = LAM_UNITS_STANDARDISED;
    c.pass.divergence = LAM_DIV_EXACT;
    int of_plane = c.dim <= 2 && model->given.given == 0, of_column = model->given.given > 0 && model->given.moving == 1;
    r.has_mass = of_plane || of_column;
    r.has_consistency = model->given.any && model->given.moving > 1; /* else there is nothing to split */
    c.pass.total = 4 * n + (n < HUTCHINSON_ROWS ? n : HUTCHINSON_ROWS) + (of_plane ? LAM_MASS_ROWS : 0) + (r.has_consistency ? 3 * n : 0);
    lam_status status = standardise(&c, units, x);
    if (status == LAM_OK)
        status = count_moving(&c);
    if (status == LAM_OK)
        status = log_probs(&c, &r);
    if (status == LAM_OK)
        status = round_trip(&c, &r);
    if (status == LAM_OK)
        status = hutchinson(&c, kind, &r);
    if (status == LAM_OK && r.has_mass)
        status = of_plane ? mass(&c, &r) : mass_of_rows(&c, options, &r);
    if (status == LAM_OK && r.has_consistency)
        status = consistency(&c, &r);
    if (status == LAM_OK)
        *report = r;
    lam_free(c.x);
    lam_free(c.logp);
    lam_free(c.other);
    lam_free(c.back);
    return status;
}
