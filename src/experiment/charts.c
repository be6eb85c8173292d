/* Draws the charts of an experiment's report. */
#include "experiment/charts.h"
#include "base/error.h"
#include "base/mem.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLOURS = 7, LINES = 4, MOST_POINTS = 120, ARRAYS_EACH = 9 };

static const char *const names[LAM_CHARTS] = { "seconds", "calls", "nfe", "pareto" };

const char *lam_chart_name(lam_chart chart)
{
    return names[chart];
}

/* n numbers that charts frees; NULL: out of memory. */
static double *room(lam_charts *c, size_t n)
{
    double *numbers = lam_alloc(n, sizeof *numbers);
    if (numbers != NULL)
        c->arrays[c->n_arrays++] = numbers;
    return numbers;
}

static void add_series(lam_charts *c, lam_chart chart, const lam_series *look, const double *x, const double *y, size_t n)
{
    lam_panel *p = &c->panels[chart];
    lam_series *s = &c->series[chart][p->n_series++];
    *s = *look;
    s->x = x;
    s->y = y;
    s->n = n;
}

/* ---- curves ------------------------------------------------------------------------------------------------------- */

/* The point of that iteration among points [n], from *at on; NULL: none. */
static const lam_history_point *find_point(const lam_history_point *points, size_t n, double iteration, size_t *at)
{
    while (*at < n && points[*at].iteration < iteration)
        (*at)++;
    return *at < n && points[*at].iteration == iteration ? &points[*at] : NULL;
}

typedef struct curve {
    double *iteration, *seconds, *calls, *nll, *nfe; /* [n] */
    size_t n;
} curve;

static const lam_history_point *lines_of(const lam_history *h, int validations, size_t *n)
{
    *n = validations ? h->n_validations : h->n_train;
    return validations ? h->validation : h->train;
}

/* Means over the group's runs of validations or of training lines, of the iterations that all of them have. */
static lam_status mean_curve(lam_charts *c, const lam_measurement *m, const lam_group *g, int validations, curve *out)
{
    size_t n, seeds = g->n, *at = lam_alloc(seeds, sizeof *at);
    const lam_history_point *first = lines_of(&m->runs[g->runs[0]].history, validations, &n);
    double **columns[] = { &out->iteration, &out->seconds, &out->calls, &out->nll, &out->nfe };
    lam_status status = at == NULL ? LAM_ERR_MEMORY : LAM_OK;
    for (size_t i = 0; i < 5; i++)
        if ((*columns[i] = room(c, n)) == NULL)
            status = LAM_ERR_MEMORY;
    out->n = 0;
    for (size_t i = 0; status == LAM_OK && i < n; i++) {
        double sum[4] = { 0 };
        size_t found = 0;
        for (size_t k = 0; k < seeds; k++) {
            size_t lines;
            const lam_history_point *points = lines_of(&m->runs[g->runs[k]].history, validations, &lines);
            const lam_history_point *p = find_point(points, lines, first[i].iteration, &at[k]);
            if (p == NULL)
                continue;
            sum[0] += p->train_cpu_seconds;
            sum[1] += p->calls;
            sum[2] += p->nll;
            sum[3] += p->forward + p->backward;
            found++;
        }
        if (found < seeds)
            continue;
        out->iteration[out->n] = first[i].iteration;
        out->seconds[out->n] = sum[0] / (double)seeds;
        out->calls[out->n] = sum[1] / (double)seeds;
        out->nll[out->n] = sum[2] / (double)seeds;
        out->nfe[out->n++] = sum[3] / (double)seeds;
    }
    lam_free(at);
    return status;
}

/* x and y [n] as means over runs of neighbours, so that at most MOST_POINTS are left; the new n. */
static size_t thin(double *x, double *y, size_t n)
{
    size_t each = (n + MOST_POINTS - 1) / MOST_POINTS, left = 0;
    for (size_t i = 0; i < n; i += each) {
        double sum[2] = { 0 };
        size_t here = n - i < each ? n - i : each;
        for (size_t j = i; j < i + here; j++) {
            sum[0] += x[j];
            sum[1] += y[j];
        }
        x[left] = sum[0] / (double)here;
        y[left++] = sum[1] / (double)here;
    }
    return left;
}

static lam_status add_curves(lam_charts *c, const lam_measurement *m, const lam_group *g, const lam_series *look)
{
    curve v, t;
    if (g->n == 0)
        return LAM_OK;
    LAM_TRY(mean_curve(c, m, g, 1, &v));
    LAM_TRY(mean_curve(c, m, g, 0, &t));
    add_series(c, LAM_CHART_SECONDS, look, v.seconds, v.nll, v.n);
    add_series(c, LAM_CHART_CALLS, look, v.calls, v.nll, v.n);
    t.n = thin(t.iteration, t.nfe, t.n);
    add_series(c, LAM_CHART_NFE, look, t.iteration, t.nfe, t.n);
    return LAM_OK;
}

/* What of the NLL is shown: the first validations are often so high that the rest is flat beside them, so what lies before an
 * eighth of the axis may leave the frame if that stretches the rest by half at least. */
static void settle(lam_panel *p)
{
    double low = (double)INFINITY, top = -(double)INFINITY, late = -(double)INFINITY, end = 0;
    for (size_t i = 0; i < p->n_series; i++)
        for (size_t j = 0; j < p->series[i].n; j++)
            end = isfinite(p->series[i].x[j]) ? fmax(end, p->series[i].x[j]) : end;
    for (size_t i = 0; i < p->n_series; i++) {
        for (size_t j = 0; j < p->series[i].n; j++) {
            double y = p->series[i].y[j];
            if (!isfinite(y))
                continue;
            low = fmin(low, y);
            top = fmax(top, y);
            if (p->series[i].x[j] >= 0.125 * end)
                late = fmax(late, y);
        }
    }
    p->x_high = 1.02 * end;
    double high = top - low > 1.5 * (late - low) ? late : top, air = 0.04 * (high - low);
    if (high > low) {
        p->y_low = low - air;
        p->y_high = high + air;
    }
}

/* ---- the Pareto front --------------------------------------------------------------------------------------------- */

static const lam_figure across = LAM_FIGURE_FORWARD, up = LAM_FIGURE_TEST_NLL;

static int is_placed(const lam_group *g)
{
    return isfinite(g->mean[across]) && isfinite(g->mean[up]);
}

/* No other group has both fewer calls and a lower NLL (or one lower and the other equal). */
static int is_on_front(const lam_group *groups, size_t n, size_t which)
{
    const lam_group *g = &groups[which];
    for (size_t i = 0; i < n; i++) {
        const lam_group *h = &groups[i];
        if (is_placed(h) && h->mean[across] <= g->mean[across] && h->mean[up] <= g->mean[up]
            && (h->mean[across] < g->mean[across] || h->mean[up] < g->mean[up]))
            return 0;
    }
    return is_placed(g);
}

static int compare_across(const void *a, const void *b)
{
    double x = ((const double *)a)[0], y = ((const double *)b)[0];
    return (x > y) - (x < y);
}

/* The front as a line through its groups' means. */
static lam_status add_front(lam_charts *c, const lam_group *groups, size_t n)
{
    double (*points)[2] = (void *)room(c, 2 * n), *x = room(c, n), *y = room(c, n);
    static const lam_series look = { .name = NULL, .colour = 6, .line = LAM_LINE_DOTTED };
    size_t count = 0;
    if (points == NULL || x == NULL || y == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < n; i++) {
        if (!is_on_front(groups, n, i))
            continue;
        points[count][0] = groups[i].mean[across];
        points[count++][1] = groups[i].mean[up];
    }
    qsort(points, count, sizeof *points, compare_across);
    for (size_t i = 0; i < count; i++) {
        x[i] = points[i][0];
        y[i] = points[i][1];
    }
    if (count > 1)
        add_series(c, LAM_CHART_PARETO, &look, x, y, count);
    return LAM_OK;
}

/* A mark at the mean, and a bar of a standard error either way. */
static lam_status add_points(lam_charts *c, const lam_group *g, const lam_series *look)
{
    double *at = room(c, 2), *bar = room(c, 4);
    if (at == NULL || bar == NULL)
        return LAM_ERR_MEMORY;
    if (!is_placed(g))
        return LAM_OK;
    at[0] = bar[0] = bar[1] = g->mean[across];
    at[1] = g->mean[up];
    if (isfinite(g->se[up])) {
        const lam_series plain = { .name = NULL, .colour = look->colour, .line = LAM_LINE_SOLID };
        bar[2] = at[1] - g->se[up];
        bar[3] = at[1] + g->se[up];
        add_series(c, LAM_CHART_PARETO, &plain, bar, bar + 2, 2);
    }
    add_series(c, LAM_CHART_PARETO, look, at, at + 1, 1);
    return LAM_OK;
}

/* Air around points, which lie at the edges else. */
static void widen(lam_panel *p)
{
    double low = (double)INFINITY, high = -(double)INFINITY;
    for (size_t i = 0; i < p->n_series; i++)
        for (size_t j = 0; j < p->series[i].n; j++) {
            low = fmin(low, p->series[i].x[j]);
            high = fmax(high, p->series[i].x[j]);
        }
    if (high > low) {
        p->x_low = fmax(0, low - 0.08 * (high - low));
        p->x_high = high + 0.08 * (high - low);
    }
}

/* ---- all four ----------------------------------------------------------------------------------------------------- */

static lam_status fill(const lam_experiment *e, const lam_measurement *m, const lam_group *groups, size_t n, lam_charts *c)
{
    static const char *const x_labels[] = { "processor seconds of training", "evaluations of f in training, forward + backward",
        "iteration", "evaluations of f forward an iteration, all blocks" };
    static const char *const y_labels[] = { "validation NLL, nats per row", "validation NLL, nats per row",
        "evaluations of f per iteration", "test NLL, nats per row" };
    c->labels = lam_alloc(n, sizeof *c->labels);
    c->legend = lam_alloc(n, sizeof *c->legend);
    c->arrays = lam_alloc((n + 1) * ARRAYS_EACH * 2, sizeof *c->arrays);
    if (c->labels == NULL || c->legend == NULL || c->arrays == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < LAM_CHARTS; i++) {
        if ((c->series[i] = lam_alloc(2 * n + 1, sizeof *c->series[i])) == NULL)
            return LAM_ERR_MEMORY;
        c->panels[i] = (lam_panel) { .x_label = x_labels[i], .y_label = y_labels[i], .series = c->series[i] };
    }
    LAM_TRY(add_front(c, groups, n));
    for (size_t i = 0; i < n; i++) {
        lam_group_label(e, &groups[i], c->labels[i]);
        c->legend[i] = (lam_series) { .name = c->labels[i], .colour = i % COLOURS, .line = (lam_line_style)(i % LINES) };
        LAM_TRY(add_curves(c, m, &groups[i], &c->legend[i]));
        LAM_TRY(add_points(c, &groups[i], &c->legend[i]));
    }
    c->n_legend = n;
    settle(&c->panels[LAM_CHART_SECONDS]);
    settle(&c->panels[LAM_CHART_CALLS]);
    widen(&c->panels[LAM_CHART_PARETO]);
    return LAM_OK;
}

lam_status lam_charts_make(const lam_experiment *e, const lam_measurement *m, const lam_group *groups, size_t n, lam_charts *out)
{
    *out = (lam_charts) { 0 };
    lam_status status = fill(e, m, groups, n, out);
    if (status != LAM_OK)
        lam_charts_clear(out);
    return status;
}

void lam_charts_clear(lam_charts *c)
{
    for (size_t i = 0; i < c->n_arrays; i++)
        lam_free(c->arrays[i]);
    for (size_t i = 0; i < LAM_CHARTS; i++)
        lam_free(c->series[i]);
    lam_free(c->arrays);
    lam_free(c->labels);
    lam_free(c->legend);
    *c = (lam_charts) { 0 };
}

int lam_chart_shows(const lam_charts *charts, lam_chart chart)
{
    const lam_panel *p = &charts->panels[chart];
    size_t points = 0;
    for (size_t i = 0; i < p->n_series; i++)
        for (size_t j = 0; j < p->series[i].n; j++)
            points += isfinite(p->series[i].x[j]) && isfinite(p->series[i].y[j]);
    return points > 0;
}
