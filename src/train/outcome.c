/* Compares a flow with the Gaussian and the mixture beside it, row by row, and says what can help. */
#include "train/outcome.h"
#include "base/error.h"
#include "base/stats.h"
#include "data/present.h"
#include "data/remark.h"
#include "model/defaults.h"
#include <math.h>
#include <stdio.h>

static const double ERRORS = 2; /* standard errors that a difference has to be beyond */

/* By how much a is worse than b, a mean over n rows, and its standard error; NaN where there is none. */
typedef struct difference {
    double by, se;
} difference;

static difference compare(const double *a, const double *b, size_t n)
{
    lam_running of = { 0 };
    if (b == NULL || n < 2)
        return (difference) { NAN, NAN };
    for (size_t i = 0; i < n; i++)
        lam_running_add(&of, a[i] - b[i]);
    return (difference) { of.mean, lam_running_se(&of) };
}

static int is_worse(difference d)
{
    return d.by > ERRORS * d.se; /* not NaN */
}

/* Columns of few values that got no noise. */
static lam_status has_discrete(const lam_dataset *data, int *found)
{
    lam_status status = LAM_OK;
    *found = 0;
    for (size_t j = 0; j < data->dim && status == LAM_OK && !*found; j++) {
        lam_column_look look;
        if (data->is_input[j] || data->noise[j] > 0)
            continue;
        status = lam_present_look(data, NULL, j, &look);
        *found = look.discrete;
    }
    return status;
}

/* "5m", for a flag. */
static void put_time(FILE *out, double seconds)
{
    if (seconds >= 120)
        fprintf(out, "%.0fm", ceil(seconds / 60));
    else
        fprintf(out, "%.0f", ceil(seconds));
}

/* The flag that allows so many times the fit's time. */
static void put_limit(FILE *out, const lam_config *cfg, double times)
{
    int wall = cfg->max_seconds > 0;
    fputs(wall ? "--budget " : "--max-processor-seconds ", out);
    if (wall)
        put_time(out, times * cfg->max_seconds);
    else
        fprintf(out, "%.0f", ceil(times * cfg->max_processor_seconds));
}

static void put_reason(FILE *out, const lam_config *cfg, const lam_fit_state *s, const lam_fit_result *r)
{
    enum { PATIENCE = 3 }; /* times as long */
    int still_better = 10 * r->best_iteration >= 9 * r->iterations, no_better = r->best_iteration == 0 && r->warm_start > 0 && r->iterations > 0;
    int overfitted = s->overfits > 0 || (2 * r->best_iteration < r->iterations && !no_better);
    if (s->setbacks > s->overfits)
        fprintf(out, "training went wrong, and more iterations are unlikely to help. Try a lower rate (--lr %.2g), a bound on "
            "gradients (--clip 1)", ldexp(cfg->lr, -(int)s->setbacks) / 2);
    else if (overfitted)
        fprintf(out, "validation was best at iteration %zu of %zu and went up after it, as where a flow learns the training rows by heart. Try more "
            "rows, a smaller net (--dims), a larger --weight-decay", r->best_iteration, r->iterations);
    else if (no_better) {
        fputs("training made nothing better than its start by flow matching. Try ", out);
        if (r->ending == LAM_ENDED_TIME) {
            fputs("more time (", out);
            put_limit(out, cfg, 4);
            fputs(")", out);
        } else
            fprintf(out, "more iterations (--iterations %zu)", r->iterations < 500 ? (size_t)2000 : 4 * r->iterations);
        fprintf(out, ", a lower rate (--lr %.2g)", cfg->lr / 3);
    } else if (r->ending == LAM_ENDED_TIME) {
        fputs(still_better ? "the time was over while validation was still getting better. Try more time (" : "it has not learned in this time all that "
            "the rows tell. Try more time (", out);
        put_limit(out, cfg, 4);
        fputs(")", out);
    } else if (r->ending == LAM_ENDED_PLATEAU)
        fprintf(out, "validation had stopped improving. Try more rows, a longer patience (--early-stopping %zu)", PATIENCE * cfg->early_stopping);
    else
        fprintf(out, "%s. Try more iterations (--iterations %zu)", still_better ? "validation was still getting better when the iterations were over" :
            "it has not learned all that the rows tell", r->iterations < 500 ? (size_t)2000 : 4 * r->iterations);
}

/* As the program's closing table has it. */
static const char *name_of_gaussian(const lam_dataset *data)
{
    size_t moving = data->dim;
    for (size_t j = 0; j < data->dim; j++)
        moving -= data->is_input[j];
    return moving == data->dim ? "Gaussian" : moving == 1 ? "linear regression" : "conditional Gaussian";
}

static lam_status tell(const lam_config *cfg, const lam_dataset *data, const lam_fit_state *s, const lam_fit_result *r, difference by,
    difference by_mixture, const lam_log *log)
{
    char mixture[48];
    lam_remark text;
    int gaussian = is_worse(by), discrete;
    const difference first = gaussian ? by : by_mixture;
    LAM_TRY(has_discrete(data, &discrete));
    LAM_TRY(lam_remark_begin(&text));
    snprintf(mixture, sizeof mixture, "mixture of %zu Gaussians", r->mixture_components);
    fprintf(text.out, "on the test rows %s worse than the %s beside it, by %.3g +- %.2g nats per row (%.4f against %.4f, standardised "
        "units)", r->flows > 1 ? "these flows are" : "this flow is", gaussian ? name_of_gaussian(data) : mixture, first.by, first.se, r->test_nll, r->test_nll - first.by);
    if (gaussian && is_worse(by_mixture))
        fprintf(text.out, " and than the %s, by %.3g +- %.2g", mixture, by_mixture.by, by_mixture.se);
    fputs(": ", text.out);
    put_reason(text.out, cfg, s, r);
    if (discrete)
        fputs(", noise for the columns of few values (--noise auto)", text.out);
    if (cfg->warm_start == 0 && cfg->gradient != LAM_GRAD_ADJOINT && s->setbacks == 0)
        fputs(", a start by flow matching (--warm-start flow-matching:1000)", text.out);
    return lam_remark_say(&text, log);
}

lam_status lam_outcome_tell(const lam_config *cfg, const lam_dataset *data, const lam_fit_state *s, const lam_fit_result *r,
    const lam_test_rows *rows, const lam_log *log)
{
    const difference by = compare(rows->flow, rows->gaussian, r->test_rows), by_mixture = compare(rows->flow, rows->mixture, r->test_rows);
    if (log->line == NULL || (!is_worse(by) && !is_worse(by_mixture)))
        return LAM_OK;
    return tell(cfg, data, s, r, by, by_mixture, log);
}
