/* Mean, spread, quantiles and probabilities of columns given others: by integrating the density where one column moves, else by draws. */
#include "model/predict.h"
#include "base/counts.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/need.h"
#include "data/moments.h"
#include "model/pass.h"
#include <math.h>
#include <string.h>

enum { DRAWS = 1000, ROWS_AT_ONCE = 256, DRAWS_AT_ONCE = 200000 };

uint64_t lam_seed_of_rows(uint64_t seed, size_t first)
{
    return seed ^ (UINT64_C(0x9E3779B97F4A7C15) * (uint64_t)first);
}

/* ---- by draws ----------------------------------------------------------------------------------------------------- */

static double at_rank(const double *sorted, size_t n, double rank)
{
    double at = fmin(fmax(rank, 0), (double)(n - 1));
    size_t low = (size_t)at, high = low + 1 < n ? low + 1 : low;
    return sorted[low] + (at - (double)low) * (sorted[high] - sorted[low]);
}

/* Half of the distance of the quantiles that are a standard error of the rank away. Where less than one draw is expected beyond the quantile, the
 * draws do not tell. */
static double quantile_error(const double *sorted, size_t n, double share)
{
    if (fmin(share, 1 - share) * (double)(n + 1) < 1)
        return (double)NAN;
    double spread = sqrt((double)n * share * (1 - share)), rank = share * (double)(n - 1);
    return 0.5 * (at_rank(sorted, n, rank + spread) - at_rank(sorted, n, rank - spread));
}

static double share_below(const double *sorted, size_t n, double value)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t at = low + (high - low) / 2;
        *(sorted[at] <= value ? &low : &high) = sorted[at] <= value ? at + 1 : at;
    }
    return (double)low / (double)n;
}

void lam_summarise_draws(const lam_question *q, const double *sorted, size_t n, double *values, double *errors)
{
    double sum = 0, square = 0, fourth = 0, count = (double)n;
    for (size_t k = 0; k < n; k++)
        sum += sorted[k] - sorted[0];
    double mean = sorted[0] + sum / count;
    for (size_t k = 0; k < n; k++) {
        double d = (sorted[k] - mean) * (sorted[k] - mean);
        square += d, fourth += d * d;
    }
    double variance = square / fmax(count - 1, 1), deviation = sqrt(variance);
    size_t at = 0;
    values[at++] = mean;
    values[at++] = deviation;
    if (errors != NULL) {
        errors[0] = deviation / sqrt(count);
        errors[1] = deviation > 0 ? sqrt(fmax(fourth / count - variance * variance, 0) / count) / (2 * deviation) : 0;
    }
    for (size_t k = 0; k < q->n_quantiles; k++, at++) {
        values[at] = at_rank(sorted, n, q->quantiles[k] * (count - 1));
        if (errors != NULL)
            errors[at] = quantile_error(sorted, n, q->quantiles[k]);
    }
    for (size_t k = 0; k < q->n_below; k++, at++) {
        double p = values[at] = share_below(sorted, n, q->below[k]), held = (p * count + 1) / (count + 2); /* also of none or all it is not 0 */
        if (errors != NULL)
            errors[at] = sqrt(held * (1 - held) / count);
    }
}

/* ---- rows --------------------------------------------------------------------------------------------------------- */

typedef struct prediction {
    lam_question q;
    const lam_predict_options *options;
    const size_t *columns;
    size_t n_columns, draws;
    size_t first_row; /* rows in front of the question's */
    int integrates;
    double *values, *errors;
    double *drawn, *sorted; /* [rows at once, draws, dim]; [rows at once, draws]; NULL where the density is integrated */
    lam_predict_report *report;
} prediction;

static lam_status draw(prediction *p, size_t first, size_t rows)
{
    const lam_question *q = &p->q;
    lam_counts here = { 0 };
    const lam_query query = { q->x + first * q->dim, rows, lam_question_roles(q, first), q->n_roles > 1 ? rows : 1 };
    LAM_TRY(lam_conditional_sample(q->model, q->eval, lam_seed_of_rows(p->options->seed, p->first_row + first), &query, p->draws, p->drawn, NULL, &here));
    lam_counts_add(&p->report->counts, &here);
    return LAM_OK;
}

static void gather(const prediction *p, size_t rows, size_t column)
{
    for (size_t k = 0; k < rows * p->draws; k++)
        p->sorted[k] = p->drawn[k * p->q.dim + column];
}

static lam_status predict_rows(prediction *p, size_t first, size_t rows)
{
    size_t k = lam_question_numbers(&p->q);
    if (p->integrates)
        return lam_integrate(&p->q, p->columns[0], first, rows, p->values + first * k, p->report);
    LAM_TRY(draw(p, first, rows));
    for (size_t c = 0; c < p->n_columns; c++) {
        gather(p, rows, p->columns[c]);
        for (size_t i = 0; i < rows; i++) {
            size_t at = ((first + i) * p->n_columns + c) * k;
            lam_sort_ascending(p->sorted + i * p->draws, p->draws);
            lam_summarise_draws(&p->q, p->sorted + i * p->draws, p->draws, p->values + at, p->errors != NULL ? p->errors + at : NULL);
        }
    }
    return LAM_OK;
}

static lam_status predict_all(prediction *p, const lam_eval_options *told)
{
    size_t at_once = p->integrates ? ROWS_AT_ONCE : DRAWS_AT_ONCE / p->draws;
    at_once = at_once < 1 ? 1 : at_once > ROWS_AT_ONCE ? ROWS_AT_ONCE : at_once;
    p->drawn = p->integrates ? NULL : lam_alloc(at_once * p->draws, p->q.dim * sizeof *p->drawn);
    p->sorted = p->integrates ? NULL : lam_alloc(at_once * p->draws, sizeof *p->sorted);
    lam_status status = !p->integrates && (p->drawn == NULL || p->sorted == NULL) ? LAM_ERR_MEMORY : LAM_OK;
    for (size_t first = 0, rows; first < p->q.n && status == LAM_OK; first += rows) {
        rows = p->q.n - first < at_once ? p->q.n - first : at_once;
        status = predict_rows(p, first, rows);
        if (status != LAM_OK)
            status = lam_fail_in_part(status, p->first_row + first);
        size_t done = p->first_row + first + rows, total = told != NULL && told->total_rows > 0 ? told->total_rows : p->q.n;
        done = done < total ? done : total;
        if (status == LAM_OK && told != NULL && told->progress != NULL && told->progress(told->user, done, total) != 0)
            status = lam_fail(LAM_ERR_INTERRUPTED, "stopped after %zu of %zu rows", done, total);
    }
    lam_free(p->drawn);
    lam_free(p->sorted);
    return status;
}

/* ---- what is asked ------------------------------------------------------------------------------------------------ */

static int role_of(const lam_question *q, size_t row, size_t column)
{
    return q->roles != NULL ? lam_question_roles(q, row)[column] : (int)lam_model_role(q->model, column);
}

/* Of a model of any columns given any others, where nobody says: what can move does, whatever its cell is, and the rest is given where it is
 * there. Another model's roles are its own. */
static lam_status usual_roles(const lam_model *model, const double *x, size_t n, unsigned char **roles)
{
    size_t dim = lam_model_dim(model);
    if ((*roles = lam_alloc(n * dim, 1)) == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < n * dim; i++) {
        lam_role own = lam_model_role(model, i % dim);
        (*roles)[i] = (unsigned char)(own == LAM_GIVEN && isnan(x[i]) ? LAM_ABSENT : own);
    }
    return LAM_OK;
}

static lam_status check(const prediction *p)
{
    const lam_predict_options *o = p->options;
    for (size_t k = 0; k < o->n_quantiles; k++)
        if (!(o->quantiles[k] > 0 && o->quantiles[k] < 1))
            return lam_fail(LAM_ERR_ARGUMENT, "quantile %g: quantiles are above 0 and below 1", o->quantiles[k]);
    for (size_t k = 0; k < o->n_below; k++)
        if (isnan(o->below[k]))
            return lam_fail(LAM_ERR_ARGUMENT, "a probability of being at most NaN is asked for");
    for (size_t c = 0; c < p->n_columns; c++) {
        if (p->columns[c] >= p->q.dim)
            return lam_fail(LAM_ERR_ARGUMENT, "column %zu is to be predicted, and the model has %zu columns", p->columns[c] + 1, p->q.dim);
        for (size_t i = 0; i < (p->q.n_roles > 1 ? p->q.n : 1); i++)
            if (role_of(&p->q, i, p->columns[c]) != LAM_MOVING)
                return lam_fail(LAM_ERR_ARGUMENT, "the column %.100s is to be predicted, and it is given", lam_model_column(p->q.model, p->columns[c]));
    }
    return LAM_OK;
}

/* 1: in no row more than one column moves. */
static int moves_alone(const lam_question *q)
{
    for (size_t i = 0; i < (q->n_roles > 1 ? q->n : 1); i++) {
        size_t moving = 0;
        for (size_t j = 0; j < q->dim; j++)
            moving += role_of(q, i, j) == LAM_MOVING;
        if (moving != 1)
            return 0;
    }
    return 1;
}

static size_t every_moving(const lam_question *q, size_t *columns)
{
    size_t n = 0;
    for (size_t j = 0; j < q->dim; j++)
        if (role_of(q, 0, j) == LAM_MOVING)
            columns[n++] = j;
    return n;
}

static lam_status choose(prediction *p)
{
    lam_predict_method method = p->options->method;
    int alone = moves_alone(&p->q);
    if (method == LAM_PREDICT_INTEGRAL && !alone)
        return lam_fail(LAM_ERR_ARGUMENT, "the density is integrated where a single column is not given; here more are: take draws");
    p->integrates = alone && method != LAM_PREDICT_DRAWS;
    p->draws = p->options->draws > 0 ? p->options->draws : DRAWS;
    p->report->method = p->integrates ? LAM_PREDICT_INTEGRAL : LAM_PREDICT_DRAWS;
    p->report->draws = p->integrates ? 0 : p->draws;
    if (p->integrates && p->errors != NULL)
        memset(p->errors, 0, p->q.n * p->n_columns * lam_question_numbers(&p->q) * sizeof *p->errors);
    return LAM_OK;
}

/* columns [dim] is room for those that are predicted. */
static lam_status ask(prediction *p, const lam_eval_options *told, size_t *columns)
{
    const lam_question *q = &p->q;
    LAM_TRY(lam_pass_check_question(q->model, told, q->x, q->roles, q->n_roles, q->n, 0));
    if (p->columns == NULL) {
        p->n_columns = every_moving(q, columns);
        p->columns = columns;
    }
    LAM_TRY(check(p));
    LAM_TRY(choose(p));
    return predict_all(p, told);
}

lam_status lam_predict(const lam_model *model, const lam_predict_options *options, const lam_query *query, double *values, double *errors,
    lam_predict_report *report)
{
    static const lam_predict_options defaults = { 0 };
    lam_predict_report unseen;
    LAM_NEED(model, "model");
    LAM_NEED(query, "query");
    LAM_NEED_IF(query->n > 0, query->x, "x");
    LAM_NEED_IF(query->n > 0, values, "values");
    options = options != NULL ? options : &defaults;
    report = report != NULL ? report : &unseen;
    *report = (lam_predict_report) { 0 };
    size_t dim = lam_model_dim(model), *all = lam_alloc(dim, sizeof *all);
    if (all == NULL)
        return LAM_ERR_MEMORY;
    lam_eval_options eval = options->eval != NULL ? *options->eval : (lam_eval_options) { 0 };
    eval.progress = NULL;
    eval.first_row = eval.total_rows = 0; /* seeds of draws and messages count on from there instead */
    prediction p = { .q = { .model = model, .eval = &eval, .x = query->x, .roles = query->roles, .n_roles = query->n_roles, .n = query->n, .dim = dim,
        .quantiles = options->quantiles, .n_quantiles = options->n_quantiles, .below = options->below, .n_below = options->n_below },
        .options = options, .first_row = options->eval != NULL ? options->eval->first_row : 0, .columns = options->columns,
        .n_columns = options->n_columns, .values = values, .errors = errors, .report = report };
    unsigned char *usual = NULL;
    lam_status status = LAM_OK;
    if (query->n > 0 && query->roles == NULL && lam_model_any_given(model)) {
        status = usual_roles(model, query->x, query->n, &usual);
        p.q.roles = usual, p.q.n_roles = query->n;
    }
    if (status == LAM_OK && query->n > 0)
        status = ask(&p, options->eval, all);
    lam_free(usual);
    lam_free(all);
    return status;
}
