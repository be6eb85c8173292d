/* What is odd about rows that a model is to evaluate, beside the rows that it was fitted to. */
#include "base/error.h"
#include "base/need.h"
#include "base/mem.h"
#include "base/number.h"
#include "data/levels.h"
#include "data/remark.h"
#include "model/model.h"
#include <math.h>

static const double MARGIN = 0.25;   /* of the training rows' range, beyond it */
static const double DEVIATIONS = 12; /* from the mean, of a model that does not know the range */
enum { FEWEST = 20 };                /* rows whose mean and deviation say something */

typedef struct span {
    double low, high; /* beyond these a row is far outside */
    double from, to;  /* the training rows' range; NaN: not known */
} span;

static span span_of(const lam_model *m, size_t j, lam_units units)
{
    double mean = units == LAM_UNITS_DATA ? 0 : m->mean[j], scale = units == LAM_UNITS_DATA ? 1 : m->scale[j];
    if (m->low == NULL)
        return (span) { (m->mean[j] - DEVIATIONS * m->scale[j] - mean) / scale, (m->mean[j] + DEVIATIONS * m->scale[j] - mean) / scale,
            NAN, NAN };
    double from = (m->low[j] - mean) / scale, to = (m->high[j] - mean) / scale, margin = MARGIN * (to - from);
    return (span) { from - margin, to + margin, from, to };
}

/* ---- rows far outside --------------------------------------------------------------------------------------------- */

/* What is known of a column's values so far. */
typedef struct column {
    span span;
    size_t outside;          /* rows */
    double lowest, highest;  /* of those */
    size_t n;                /* that are there; their mean, and the sum of squares about it (Welford 1962) */
    double mean, squares;
} column;

struct lam_advice {
    const lam_model *model;
    lam_units units;
    size_t rows, far; /* rows outside in some column */
    column *column;   /* [dim] */
};

static int is_outside(const span *s, double x)
{
    return x < s->low || x > s->high; /* not NaN */
}

static void put(FILE *out, double value)
{
    char text[LAM_NUMBER_SIZE];
    lam_number_print(lam_number_round(value, 5), text);
    fputs(text, out);
}

/* "-30 to 255.1, where the training rows have 230 to 250": the values of a column that are outside. */
static void put_values(FILE *out, const column *c)
{
    const span *s = &c->span;
    put(out, c->lowest);
    if (c->lowest < c->highest) {
        fputs(" to ", out);
        put(out, c->highest);
    }
    fputs(isnan(s->from) ? ", where the mean is " : ", where the training rows have ", out);
    put(out, isnan(s->from) ? 0.5 * (s->low + s->high) : s->from);
    fputs(isnan(s->from) ? " and the standard deviation " : " to ", out);
    put(out, isnan(s->from) ? 0.5 * (s->high - s->low) / DEVIATIONS : s->to);
}

static lam_status say_outside(const lam_advice *a, const lam_log *log)
{
    const lam_model *m = a->model;
    const column *c = a->column;
    size_t columns = 0, first = 0, shown = 0, n = a->rows;
    lam_remark text;
    for (size_t j = m->dim; j-- > 0;) {
        columns += c[j].outside > 0;
        first = c[j].outside > 0 ? j : first;
    }
    LAM_TRY(lam_remark_begin(&text));
    if (n == 1)
        fputs("the row lies", text.out);
    else
        fprintf(text.out, "%zu of %zu rows lie%s", a->far, n, a->far == 1 ? "s" : "");
    fputs(" far outside the range of the training rows, in ", text.out);
    for (size_t j = first; j < m->dim && shown < lam_remark_shown(columns); j++) {
        if (c[j].outside == 0)
            continue;
        fputs("column ", text.out);
        lam_remark_name(text.out, m->columns[j]);
        if (columns == 1)
            fputs(": ", text.out);
        else if (n == 1)
            fputs(" (", text.out);
        else
            fprintf(text.out, " (%zu row%s: ", c[j].outside, c[j].outside == 1 ? "" : "s");
        put_values(text.out, &c[j]);
        fputs(columns == 1 ? "" : ")", text.out);
        lam_remark_between(text.out, shown++, lam_remark_shown(columns), columns);
    }
    if (n == 1)
        fputs("; the model knows nothing there, and what it says is a guess. Is the row in the units of the fitted file?", text.out);
    else
        fputs("; the model knows nothing there: what it says of such rows is a guess, and their log-densities rule a mean. Are the rows in the units "
            "of the fitted file?", text.out);
    return lam_remark_say(&text, log);
}

/* ---- rows that are standardised already --------------------------------------------------------------------------- */

/* Mean about 0 and deviation about 1 in every column, and in one at least neither is what the model's rows have. *worst: where the model's
 * mean is farthest from 0, in its deviations. */
static int look_standardised(const lam_advice *a, size_t *worst)
{
    const lam_model *m = a->model;
    int other = 0;
    *worst = 0;
    for (size_t j = 0; j < m->dim; j++) {
        const column *c = &a->column[j];
        if (c->n == 0 || lam_levels_are_text(m->texts, j))
            continue;
        double deviation = sqrt(c->squares / (double)c->n), ratio = deviation / m->scale[j];
        if (!(fabs(c->mean) < 0.5) || !(deviation > 0.3) || !(deviation < 2))
            return 0;
        other |= fabs(c->mean - m->mean[j]) > m->scale[j] || ratio < 0.25 || ratio > 4;
        if (fabs(m->mean[j] / m->scale[j]) > fabs(m->mean[*worst] / m->scale[*worst]))
            *worst = j;
    }
    return other;
}

static lam_status say_standardised(const lam_model *m, size_t worst, const lam_log *log)
{
    lam_remark text;
    LAM_TRY(lam_remark_begin(&text));
    fputs("the rows look standardised already: mean 0 and standard deviation 1 in every column, where the training rows had ", text.out);
    put(text.out, m->mean[worst]);
    fputs(" and ", text.out);
    put(text.out, m->scale[worst]);
    fputs(" in column ", text.out);
    lam_remark_name(text.out, m->columns[worst]);
    fputs(". The model takes rows in the units of the fitted file; such rows as `laminar fit --write-split` writes are taken with "
        "--standardised (score, encode, check, tune)", text.out);
    return lam_remark_say(&text, log);
}

/* ---- rows in parts ------------------------------------------------------------------------------------------------ */

lam_status lam_advice_create(const lam_model *model, const lam_eval_options *options, lam_advice **out)
{
    LAM_NEED(out, "out");
    *out = NULL;
    LAM_NEED(model, "model");
    lam_advice *a = lam_alloc(1, sizeof *a);
    if (a == NULL || (a->column = lam_alloc(model->dim, sizeof *a->column)) == NULL) {
        lam_free(a);
        return LAM_ERR_MEMORY;
    }
    a->model = model;
    a->units = options != NULL ? options->units : LAM_UNITS_DATA;
    for (size_t j = 0; j < model->dim; j++)
        a->column[j] = (column) { .span = span_of(model, j, a->units), .lowest = HUGE_VAL, .highest = -HUGE_VAL };
    *out = a;
    return LAM_OK;
}

/* Returns 1 where x is outside. */
static int look_at(column *c, double x)
{
    if (!isnan(x)) {
        double off = x - c->mean;
        c->mean += off / (double)++c->n;
        c->squares += off * (x - c->mean);
    }
    if (!is_outside(&c->span, x))
        return 0;
    c->outside++;
    c->lowest = fmin(c->lowest, x);
    c->highest = fmax(c->highest, x);
    return 1;
}

lam_status lam_advice_add(lam_advice *advice, const double *x, size_t n)
{
    LAM_NEED(advice, "advice");
    LAM_NEED_IF(n > 0, x, "x");
    size_t dim = advice->model->dim;
    for (size_t i = 0; i < n; i++) {
        int far = 0;
        for (size_t j = 0; j < dim; j++)
            far |= look_at(&advice->column[j], x[i * dim + j]);
        advice->far += (size_t)far;
    }
    advice->rows += n;
    return LAM_OK;
}

lam_status lam_advice_say(const lam_advice *advice, const lam_log *log)
{
    size_t worst;
    LAM_NEED(advice, "advice");
    if (log == NULL || log->line == NULL || advice->rows == 0)
        return LAM_OK;
    if (advice->units == LAM_UNITS_DATA && advice->rows >= FEWEST && look_standardised(advice, &worst))
        return say_standardised(advice->model, worst, log);
    return advice->far > 0 ? say_outside(advice, log) : LAM_OK;
}

void lam_advice_free(lam_advice *advice)
{
    if (advice != NULL)
        lam_free(advice->column);
    lam_free(advice);
}

lam_status lam_rows_advise(const lam_model *model, const lam_eval_options *options, const double *x, size_t n, const lam_log *log)
{
    LAM_NEED(model, "model");
    LAM_NEED_IF(n > 0, x, "x");
    lam_advice *advice;
    if (log == NULL || log->line == NULL || n == 0)
        return LAM_OK;
    LAM_TRY(lam_advice_create(model, options, &advice));
    lam_status status = lam_advice_add(advice, x, n);
    if (status == LAM_OK)
        status = lam_advice_say(advice, log);
    lam_advice_free(advice);
    return status;
}
