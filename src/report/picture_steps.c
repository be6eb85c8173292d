/* The steps of solves: their lengths and error estimates along the time of a flow, block behind block. */
#include "base/error.h"
#include "base/mem.h"
#include "base/need.h"
#include "base/utf8.h"
#include "laminar/plot.h"
#include "report/plot.h"
#include <math.h>
#include <stdio.h>

enum { CURVES = 5, LENGTH = 0, ALLOWED_Z = 1, ALLOWED_L = 2, ERROR_Z = 3, ERROR_L = 4, SERIES = 5 };

/* One model's panels. */
typedef struct one {
    const lam_steps *steps;
    size_t n;                       /* points of a curve: both ends of every accepted step, and a NaN behind each block */
    double *time, *curve[CURVES];   /* [n] */
    size_t n_rejected;
    double *rejected_at, *rejected; /* [n_rejected] */
    double *border_x, *border_y;    /* [3 * blocks] lines between blocks, over all that there may be to see */
    double end;                     /* of the last block */
    double limit_x[2];
    lam_series series[2][SERIES];
    char title[2][400];
} one;

typedef struct picture {
    size_t n;
    one *models;
    lam_panel *panels;
    double low[2], high[2]; /* of the panels of a kind: lengths, errors */
} picture;

static const double LIMIT[2] = { 1, 1 };
static const double FAR_DOWN = 1e-12, FAR_UP = 1e12, LEAST_ERROR = 1e-4;

/* ---- curves ------------------------------------------------------------------------------------------------------- */

static lam_status rooms(one *o)
{
    size_t most = 2 * o->steps->n + o->steps->blocks; /* a step has two points, and a block a gap */
    o->time = lam_alloc(most, sizeof(double));
    o->rejected_at = lam_alloc(o->steps->n, sizeof(double));
    o->rejected = lam_alloc(o->steps->n, sizeof(double));
    o->border_x = lam_alloc(3 * o->steps->blocks, sizeof(double));
    o->border_y = lam_alloc(3 * o->steps->blocks, sizeof(double));
    int missing = o->time == NULL || o->rejected_at == NULL || o->rejected == NULL || o->border_x == NULL || o->border_y == NULL;
    for (size_t c = 0; c < CURVES; c++)
        missing |= (o->curve[c] = lam_alloc(most, sizeof(double))) == NULL;
    return missing ? LAM_ERR_MEMORY : LAM_OK;
}

static void see(picture *p, int kind, double value)
{
    if (!isfinite(value) || value <= 0)
        return;
    p->low[kind] = fmin(p->low[kind], value);
    p->high[kind] = fmax(p->high[kind], value);
}

/* Where the curves are at time t of the flow, within a step. */
static void add_point(one *o, const lam_step *s, double t)
{
    const double values[CURVES] = { s->h, s->allowed_z, s->allowed_l, s->error_z, s->error_l };
    for (size_t c = 0; c < CURVES; c++)
        o->curve[c][o->n] = isfinite(values[c]) ? values[c] : isinf(values[c]) ? FAR_UP : (double)NAN;
    o->time[o->n++] = t;
}

/* Of the first batch. */
static void add_steps(picture *p, one *o)
{
    const lam_steps *all = o->steps;
    double before = 0; /* end of the blocks before */
    for (size_t b = 0; b < all->blocks; b++) {
        for (size_t i = 0; i < all->n; i++) {
            const lam_step *s = &all->step[i];
            if (s->batch != 0 || s->block != b)
                continue;
            see(p, 0, s->h);
            if (!s->accepted) {
                o->rejected_at[o->n_rejected] = before + s->t;
                o->rejected[o->n_rejected++] = s->h;
                continue;
            }
            add_point(o, s, before + s->t);
            add_point(o, s, before + s->t + s->h);
            see(p, 0, s->allowed_z);
            see(p, 0, s->allowed_l);
            see(p, 1, s->error_z);
            see(p, 1, s->error_l);
        }
        before += all->end[b];
        for (size_t c = 0; c < CURVES; c++)
            o->curve[c][o->n] = (double)NAN;
        o->time[o->n++] = (double)NAN;
        o->border_x[3 * b] = o->border_x[3 * b + 1] = before;
        o->border_x[3 * b + 2] = o->border_y[3 * b + 2] = (double)NAN;
        o->border_y[3 * b] = FAR_DOWN;
        o->border_y[3 * b + 1] = FAR_UP;
    }
    o->end = o->limit_x[1] = before;
}

/* ---- panels ------------------------------------------------------------------------------------------------------- */

static lam_series curve_of(const one *o, size_t curve, const char *name, size_t colour, lam_line_style line)
{
    return (lam_series) { .name = name, .x = o->time, .y = o->curve[curve], .n = o->n, .colour = colour, .line = line, .size = 1.6 };
}

static lam_series borders_of(const one *o)
{
    return (lam_series) { .name = "a block ends", .x = o->border_x, .y = o->border_y, .n = 3 * (o->steps->blocks - 1), .colour = 6,
        .line = LAM_LINE_DOTTED, .size = 1 };
}

/* The longest step that there can be is a block's time. */
static lam_panel lengths(one *o)
{
    lam_series *s = o->series[0];
    size_t n = 0;
    s[n++] = curve_of(o, ALLOWED_Z, "z's error", 2, LAM_LINE_DASHED);
    s[n++] = curve_of(o, ALLOWED_L, "l's error", 3, LAM_LINE_DASHDOT);
    s[n++] = curve_of(o, LENGTH, "step taken", 0, LAM_LINE_SOLID);
    if (o->steps->blocks > 1)
        s[n++] = borders_of(o);
    if (o->n_rejected > 0)
        s[n++] = (lam_series) { .name = "step rejected", .kind = LAM_SERIES_POINTS, .x = o->rejected_at, .y = o->rejected,
            .n = o->n_rejected, .colour = 1, .size = 5 };
    return (lam_panel) { .series = s, .n_series = n, .y_label = "step, and the longest that each error allows" };
}

static lam_panel errors(one *o)
{
    lam_series *s = o->series[1];
    size_t n = 0;
    s[n++] = (lam_series) { .name = "what the tolerance allows", .x = o->limit_x, .y = LIMIT, .n = 2, .colour = 6, .size = 1 };
    s[n++] = curve_of(o, ERROR_Z, "z's error", 2, LAM_LINE_DASHED);
    s[n++] = curve_of(o, ERROR_L, "l's error", 3, LAM_LINE_DASHDOT);
    if (o->steps->blocks > 1)
        s[n++] = borders_of(o);
    return (lam_panel) { .series = s, .n_series = n, .y_label = "error of a step / what the tolerance allows" };
}

static void set_ranges(picture *p)
{
    double longest = 0;
    for (size_t m = 0; m < p->n; m++)
        for (size_t b = 0; b < p->models[m].steps->blocks; b++)
            longest = fmax(longest, p->models[m].steps->end[b]);
    p->low[0] *= 0.8;
    p->high[0] = fmin(1.25 * p->high[0], 3 * longest);
    p->low[1] = fmax(0.8 * fmin(p->low[1], 1), LEAST_ERROR);
    p->high[1] = 1.5 * fmax(p->high[1], 1);
}

static lam_panel panel_of(const picture *p, int kind, const lam_picture_steps *model, one *o)
{
    const lam_steps *s = o->steps;
    lam_panel panel = kind == 0 ? lengths(o) : errors(o);
    snprintf(o->title[0], sizeof o->title[0], "%.200s\n%.1f evaluations of f per batch", model->name,
        (double)s->counts.forward / (double)s->counts.solves * (double)s->blocks);
    panel.title = kind == 0 ? o->title[0] : NULL;
    panel.x_label = "time, block behind block";
    panel.x_high = o->end;
    panel.y_low = p->low[kind];
    panel.y_high = p->high[kind];
    panel.log_y = 1;
    return panel;
}

/* ---- all ---------------------------------------------------------------------------------------------------------- */

static lam_status check(const lam_picture_steps *models, size_t n)
{
    if (n == 0 || n > LAM_PICTURE_MODELS)
        return lam_fail(LAM_ERR_ARGUMENT, "steps of %zu models; of 1 to %d they can be drawn", n, LAM_PICTURE_MODELS);
    for (size_t i = 0; i < n; i++)
        if (models[i].steps == NULL || models[i].steps->n == 0 || models[i].name == NULL || !lam_utf8_valid(models[i].name))
            return lam_fail(LAM_ERR_ARGUMENT, "model %zu of the picture has no steps, no name, or one that is not UTF-8", i + 1);
    return LAM_OK;
}

static lam_status fill(picture *p, const lam_picture_steps *models)
{
    for (size_t m = 0; m < p->n; m++) {
        p->models[m].steps = models[m].steps;
        LAM_TRY(rooms(&p->models[m]));
        add_steps(p, &p->models[m]);
    }
    set_ranges(p);
    for (int kind = 0; kind < 2; kind++)
        for (size_t m = 0; m < p->n; m++)
            p->panels[(size_t)kind * p->n + m] = panel_of(p, kind, &models[m], &p->models[m]);
    return LAM_OK;
}

static void clear(picture *p)
{
    for (size_t m = 0; p->models != NULL && m < p->n; m++) {
        one *o = &p->models[m];
        double *const arrays[] = { o->time, o->rejected_at, o->rejected, o->border_x, o->border_y };
        for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
            lam_free(arrays[i]);
        for (size_t c = 0; c < CURVES; c++)
            lam_free(o->curve[c]);
    }
    lam_free(p->models);
    lam_free(p->panels);
}

lam_status lam_picture_write_steps(const lam_picture_steps *models, size_t n_models, int dark, const char *path)
{
    LAM_NEED_IF(n_models > 0, models, "models");
    LAM_NEED(path, "path");
    LAM_TRY(lam_plot_check_path(path));
    LAM_TRY(check(models, n_models));
    picture p = { .n = n_models, .models = lam_alloc(n_models, sizeof *p.models), .panels = lam_alloc(2 * n_models, sizeof *p.panels),
        .low = { INFINITY, INFINITY } };
    lam_status status = p.models == NULL || p.panels == NULL ? LAM_ERR_MEMORY : fill(&p, models);
    const lam_plot plot = { .panels = p.panels, .n_panels = 2 * n_models, .columns = n_models, .frame = n_models <= 3 ? 300 : 240, .gap = 18,
        .dark = dark };
    if (status == LAM_OK)
        status = lam_plot_write(&plot, path);
    clear(&p);
    return status;
}
