/* What is odd about rows that a model is to evaluate, beside the rows that it was fitted to. */
#include "base/error.h"
#include "base/need.h"
#include "base/mem.h"
#include "base/number.h"
#include "data/levels.h"
#include "data/moments.h"
#include "data/present.h"
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

/* "-30 to 255.1, where the training rows have 230 to 250": the values of column j that are outside. */
static void put_values(FILE *out, const span *s, const double *x, size_t n, size_t dim, size_t j)
{
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (size_t i = 0; i < n; i++)
        if (is_outside(s, x[i * dim + j])) {
            low = fmin(low, x[i * dim + j]);
            high = fmax(high, x[i * dim + j]);
        }
    put(out, low);
    if (low < high) {
        fputs(" to ", out);
        put(out, high);
    }
    fputs(isnan(s->from) ? ", where the mean is " : ", where the training rows have ", out);
    put(out, isnan(s->from) ? 0.5 * (s->low + s->high) : s->from);
    fputs(isnan(s->from) ? " and the standard deviation " : " to ", out);
    put(out, isnan(s->from) ? 0.5 * (s->high - s->low) / DEVIATIONS : s->to);
}

/* Of n rows, `rows` are outside, outside [dim] of them in each column. */
static lam_status say_outside(const lam_model *m, const span *spans, const double *x, size_t n, size_t rows, const size_t *outside,
    const lam_log *log)
{
    size_t columns = 0, first = 0, shown = 0;
    lam_remark text;
    for (size_t j = m->dim; j-- > 0;) {
        columns += outside[j] > 0;
        first = outside[j] > 0 ? j : first;
    }
    LAM_TRY(lam_remark_begin(&text));
    if (n == 1)
        fputs("the row lies", text.out);
    else
        fprintf(text.out, "%zu of %zu rows lie%s", rows, n, rows == 1 ? "s" : "");
    fputs(" far outside the range of the training rows, in ", text.out);
    for (size_t j = first; j < m->dim && shown < lam_remark_shown(columns); j++) {
        if (outside[j] == 0)
            continue;
        fputs("column ", text.out);
        lam_remark_name(text.out, m->columns[j]);
        if (columns == 1)
            fputs(": ", text.out);
        else if (n == 1)
            fputs(" (", text.out);
        else
            fprintf(text.out, " (%zu row%s: ", outside[j], outside[j] == 1 ? "" : "s");
        put_values(text.out, &spans[j], x, n, m->dim, j);
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

/* outside [dim] is room for counts. */
static lam_status count_outside(const lam_model *m, const span *spans, const double *x, size_t n, size_t *outside, const lam_log *log)
{
    size_t dim = m->dim, rows = 0;
    for (size_t i = 0; i < n; i++) {
        int far = 0;
        for (size_t j = 0; j < dim; j++) {
            int here = is_outside(&spans[j], x[i * dim + j]);
            outside[j] += (size_t)here;
            far |= here;
        }
        rows += (size_t)far;
    }
    return rows > 0 ? say_outside(m, spans, x, n, rows, outside, log) : LAM_OK;
}

/* ---- rows that are standardised already --------------------------------------------------------------------------- */

/* Mean about 0 and deviation about 1 in every column, and in one at least neither is what the model's rows have. *worst: where the model's
 * mean is farthest from 0, in its deviations. */
static int look_standardised(const lam_model *m, const double *x, size_t n, double *room, size_t *worst)
{
    size_t dim = m->dim;
    int other = 0;
    *worst = 0;
    for (size_t j = 0; j < dim; j++) {
        lam_column_moments rows;
        size_t present = lam_present_cells(x + j, n, dim, room);
        if (present == 0 || lam_levels_are_text(m->texts, j))
            continue;
        lam_moments_of(room, present, 1, &rows);
        if (!(fabs(rows.mean) < 0.5) || !(rows.deviation > 0.3) || !(rows.deviation < 2))
            return 0;
        double ratio = rows.deviation / m->scale[j];
        other |= fabs(rows.mean - m->mean[j]) > m->scale[j] || ratio < 0.25 || ratio > 4;
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
        "--standardised", text.out);
    return lam_remark_say(&text, log);
}

lam_status lam_rows_advise(const lam_model *model, const lam_eval_options *options, const double *x, size_t n, const lam_log *log)
{
    LAM_NEED(model, "model");
    LAM_NEED_IF(n > 0, x, "x");
    size_t dim = model->dim, worst;
    lam_units units = options != NULL ? options->units : LAM_UNITS_DATA;
    if (log == NULL || log->line == NULL || n == 0)
        return LAM_OK;
    double *room = lam_alloc(n, sizeof *room);
    if (room == NULL)
        return LAM_ERR_MEMORY;
    int standardised = units == LAM_UNITS_DATA && n >= FEWEST && look_standardised(model, x, n, room, &worst);
    lam_free(room);
    if (standardised)
        return say_standardised(model, worst, log);
    span *spans = lam_alloc(dim, sizeof *spans);
    size_t *outside = lam_alloc(dim, sizeof *outside);
    lam_status status = spans == NULL || outside == NULL ? LAM_ERR_MEMORY : LAM_OK;
    for (size_t j = 0; j < dim && status == LAM_OK; j++)
        spans[j] = span_of(model, j, units);
    if (status == LAM_OK)
        status = count_outside(model, spans, x, n, outside, log);
    lam_free(spans);
    lam_free(outside);
    return status;
}
