/* Two columns: the density as a map, draws, and paths from data to base. */
#include "base/error.h"
#include "base/mem.h"
#include "model/model.h"
#include "report/picture.h"
#include "report/spread.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { KINDS = 3, SERIES = 6, TIMES = 24, MARKS = 4, CIRCLE = 121, SMALLEST = 50 };

/* Numbers of one model's panels. */
typedef struct one {
    double *z;              /* [grid, grid] density or log-density */
    double *draw_x, *draw_y; /* [points] */
    double *line_x, *line_y; /* [paths * (states + 1)], a NaN after each path */
    double *mark_x, *mark_y; /* [paths * blocks * MARKS] */
    double *end_x, *end_y;  /* [paths] */
    double *circle_x, *circle_y; /* [CIRCLE] */
    size_t states, n_marks;
    lam_series series[KINDS][SERIES];
    char title[KINDS][400];
} one;

typedef struct flow {
    lam_picture *p;
    one *models;
    size_t paths;             /* rows of them that there are */
    double *rows;             /* [paths, 2] */
    double *start_x, *start_y; /* [paths] */
    double *data_x, *data_y;  /* [points] of the data, or, without, of the first model's draws */
    size_t n_data;
    double scale[2];          /* of the colours */
    double path_range[2][2];
    size_t unsolved;          /* places of maps */
    int is_log;               /* maps show log-densities */
    int cut;                  /* the colours end below the highest density */
    lam_panel *panels;
    char labels[2][300];
} flow;

/* ---- the map ------------------------------------------------------------------------------------------------------ */

/* log p of n rows; where the solver gives up, ever fewer of them are tried, and the last left NaN. */
static lam_status log_prob(flow *f, const lam_model *model, const double *x, size_t n, double *logp)
{
    lam_status status = lam_log_prob(model, &f->p->eval, x, n, logp, NULL);
    if (status != LAM_ERR_SOLVER)
        return status;
    if (n <= SMALLEST) {
        for (size_t i = 0; i < n; i++)
            logp[i] = (double)NAN;
        f->unsolved += n;
        return LAM_OK;
    }
    LAM_TRY(log_prob(f, model, x, n / 2, logp));
    return log_prob(f, model, x + n / 2 * 2, n - n / 2, logp + n / 2);
}

static lam_status map(flow *f, size_t m)
{
    lam_picture *p = f->p;
    size_t side = p->o.grid, n = side * side;
    one *o = &f->models[m];
    double *x = lam_alloc(n * 2, sizeof *x);
    o->z = lam_alloc(n, sizeof *o->z);
    lam_status status = x == NULL || o->z == NULL ? LAM_ERR_MEMORY : LAM_OK;
    for (size_t i = 0; status == LAM_OK && i < n; i++)
        for (size_t k = 0; k < 2; k++)
            x[2 * i + k] = p->ranges[k][0]
                + (p->ranges[k][1] - p->ranges[k][0]) * ((double)(k == 0 ? i % side : i / side) + 0.5) / (double)side;
    if (status == LAM_OK)
        status = log_prob(f, p->models[m].model, x, n, o->z);
    if (status == LAM_OK)
        lam_picture_done(p, n);
    else
        lam_fail_in(status, "the density of %s over the frame", p->models[m].name);
    lam_free(x);
    return status;
}

/* Finite values of all maps, sorted: their number. */
static size_t all_values(const flow *f, double *values)
{
    size_t n = 0, side = f->p->o.grid;
    for (size_t m = 0; m < f->p->n_models; m++)
        for (size_t i = 0; i < side * side; i++)
            if (isfinite(f->models[m].z[i]))
                values[n++] = f->models[m].z[i];
    lam_sort_ascending(values, n);
    return n;
}

/* Where sorted log-densities [n] have so little of the frame near their highest that a map of densities would look empty. */
static int is_thin(const double *values, size_t n)
{
    size_t high = 0;
    while (high < n && values[n - 1 - high] > values[n - 1] - log(10))
        high++;
    return n > 0 && (double)high < 0.015 * (double)n;
}

/* The colours of all maps go to their highest value; but where a thin spike would leave the rest without colour, to the density that
 * the densest twentieth of the mass exceeds. */
static lam_status choose_scale(flow *f)
{
    lam_picture *p = f->p;
    size_t side = p->o.grid;
    double *values = lam_alloc(p->n_models * side * side, sizeof *values), mass = 0, sum = 0;
    if (values == NULL)
        return LAM_ERR_MEMORY;
    size_t n = all_values(f, values);
    double top = n > 0 ? values[n - 1] : 0, common = top;
    for (size_t i = 0; i < n; i++)
        mass += exp(values[i] - top);
    for (size_t i = n; i-- > 0 && sum < 0.05 * mass;) {
        sum += exp(values[i] - top);
        common = values[i];
    }
    f->is_log = p->o.scale == LAM_PICTURE_LOG || (p->o.scale == LAM_PICTURE_AUTO && is_thin(values, n));
    lam_free(values);
    f->cut = !f->is_log && top - common > log(2.5);
    top = f->cut ? common : top;
    f->scale[0] = f->is_log ? top - 10 : 0;
    f->scale[1] = f->is_log ? top : exp(top);
    for (size_t m = 0; !f->is_log && m < p->n_models; m++)
        for (size_t i = 0; i < side * side; i++)
            f->models[m].z[i] = exp(f->models[m].z[i]);
    return LAM_OK;
}

/* ---- the paths ---------------------------------------------------------------------------------------------------- */

static int is_inside(const lam_picture *p, const double *row)
{
    return row[0] >= p->ranges[0][0] && row[0] <= p->ranges[0][1] && row[1] >= p->ranges[1][0] && row[1] <= p->ranges[1][1];
}

/* Rows spread over the data, or the first model's first draws: those within the frame. */
static lam_status choose_rows(flow *f)
{
    lam_picture *p = f->p;
    size_t n = p->data != NULL ? p->rows : p->o.draws, wanted = p->o.paths < n ? p->o.paths : n;
    const double *from = p->data != NULL ? p->data : p->draws[0];
    if ((f->rows = lam_alloc(2 * wanted, sizeof(double))) == NULL || (f->start_x = lam_alloc(wanted, sizeof(double))) == NULL
        || (f->start_y = lam_alloc(wanted, sizeof(double))) == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < wanted; i++) {
        size_t at = i * n / wanted, end = (i + 1) * n / wanted;
        while (at < end && !is_inside(p, from + 2 * at))
            at++;
        if (at == end)
            continue;
        memcpy(f->rows + 2 * f->paths, from + 2 * at, 2 * sizeof(double));
        f->start_x[f->paths] = from[2 * at];
        f->start_y[f->paths++] = from[2 * at + 1];
    }
    return LAM_OK;
}

static lam_status path_rooms(flow *f, one *o, size_t blocks)
{
    o->states = blocks * TIMES + 1;
    o->line_x = lam_alloc(f->paths * (o->states + 1), sizeof(double));
    o->line_y = lam_alloc(f->paths * (o->states + 1), sizeof(double));
    o->mark_x = lam_alloc(f->paths * blocks * MARKS, sizeof(double));
    o->mark_y = lam_alloc(f->paths * blocks * MARKS, sizeof(double));
    o->end_x = lam_alloc(f->paths, sizeof(double));
    o->end_y = lam_alloc(f->paths, sizeof(double));
    return o->line_x != NULL && o->line_y != NULL && o->mark_x != NULL && o->mark_y != NULL && o->end_x != NULL && o->end_y != NULL
        ? LAM_OK
        : LAM_ERR_MEMORY;
}

/* states [paths, states, 2] as lines, marks within them, and ends. */
static void add_states(flow *f, one *o, const double *states)
{
    for (size_t i = 0; i < f->paths; i++) {
        const double *s = states + i * o->states * 2;
        size_t at = i * (o->states + 1);
        for (size_t k = 0; k < o->states; k++) {
            o->line_x[at + k] = s[2 * k];
            o->line_y[at + k] = s[2 * k + 1];
            if (k > 0 && k + 1 < o->states && k % (TIMES / MARKS) == 0) {
                o->mark_x[o->n_marks] = s[2 * k];
                o->mark_y[o->n_marks++] = s[2 * k + 1];
            }
            for (size_t j = 0; j < 2; j++) {
                f->path_range[j][0] = fmin(f->path_range[j][0], s[2 * k + j]);
                f->path_range[j][1] = fmax(f->path_range[j][1], s[2 * k + j]);
            }
        }
        o->line_x[at + o->states] = o->line_y[at + o->states] = (double)NAN;
        o->end_x[i] = s[2 * (o->states - 1)];
        o->end_y[i] = s[2 * (o->states - 1) + 1];
    }
}

/* Paths are those of one flow: of a model of several the first, or the one that is asked for. */
static size_t flow_shown(const lam_picture *p)
{
    return p->eval.flow > 0 ? p->eval.flow : 1;
}

static lam_status paths(flow *f, size_t m)
{
    lam_picture *p = f->p;
    const lam_model *model = p->models[m].model;
    lam_eval_options eval = p->eval;
    one *o = &f->models[m];
    eval.flow = flow_shown(p);
    LAM_TRY(path_rooms(f, o, lam_model_config(model)->blocks));
    double *states = lam_alloc(f->paths * o->states * 2, sizeof *states);
    if (states == NULL)
        return LAM_ERR_MEMORY;
    lam_status status = lam_trajectories(model, &eval, f->rows, f->paths, TIMES, NULL, states, NULL);
    if (status == LAM_OK)
        add_states(f, o, states);
    else
        lam_fail_in(status, "paths of %s", p->models[m].name);
    lam_picture_done(p, f->paths);
    lam_free(states);
    return status;
}

/* The circle that holds 90 % of the base density, of radius sqrt(2 log 10), on the data's axes: an ellipse there, unless column maps
 * bend it. Nine of ten paths end in it. */
static lam_status circle(flow *f, size_t m)
{
    const double radius = 2.145966026289347;
    const lam_model *model = lam_model_flow(f->p->models[m].model, flow_shown(f->p) - 1);
    const double *mean = model->mean, *scale = model->scale;
    one *o = &f->models[m];
    o->circle_x = lam_alloc(CIRCLE, sizeof(double));
    o->circle_y = lam_alloc(CIRCLE, sizeof(double));
    lam_whitener *whitener;
    if (o->circle_x == NULL || o->circle_y == NULL)
        return LAM_ERR_MEMORY;
    LAM_TRY(lam_whitener_create(model->whitening, model->given.levels, &whitener));
    for (size_t i = 0; i < CIRCLE; i++) {
        double angle = 6.283185307179586 * (double)i / (CIRCLE - 1), z[2] = { radius * cos(angle), radius * sin(angle) }, x[2];
        lam_given_put(&model->given, model->maps, whitener, z, NULL, 1, x, NULL);
        o->circle_x[i] = mean[0] + scale[0] * x[0];
        o->circle_y[i] = mean[1] + scale[1] * x[1];
        for (size_t j = 0; j < 2; j++) {
            f->path_range[j][0] = fmin(f->path_range[j][0], mean[j] + scale[j] * x[j]);
            f->path_range[j][1] = fmax(f->path_range[j][1], mean[j] + scale[j] * x[j]);
        }
    }
    lam_whitener_free(whitener);
    return LAM_OK;
}

/* ---- panels ------------------------------------------------------------------------------------------------------- */

static size_t thin_pairs(const double *rows, size_t n, size_t most, double *x, double *y)
{
    lam_picture_thin(rows + 1, 2, n, most, y);
    return lam_picture_thin(rows, 2, n, most, x);
}

static lam_panel density_panel(const flow *f, size_t m)
{
    one *o = &f->models[m];
    lam_picture *p = f->p;
    size_t n = 0;
    o->series[0][n++] = (lam_series) { .kind = LAM_SERIES_MAP, .x = p->ranges[0], .y = p->ranges[1], .n = 2, .z = o->z,
        .rows = p->o.grid, .columns = p->o.grid };
    if (p->data != NULL)
        o->series[0][n++] = (lam_series) { .name = "data", .kind = LAM_SERIES_POINTS, .x = f->data_x, .y = f->data_y, .n = f->n_data,
            .colour = LAM_PICTURE_DATA_COLOUR, .size = 2 };
    return (lam_panel) { .series = o->series[0], .n_series = n, .z_low = f->scale[0], .z_high = f->scale[1],
        .z_label = m + 1 < p->n_models ? NULL /* the last one's bar is for all */
            : f->is_log        ? "log p(x), nats, data units"
                               : "density p(x), per squared data unit" };
}

static lam_panel draws_panel(const flow *f, size_t m)
{
    lam_picture *p = f->p;
    one *o = &f->models[m];
    size_t n = thin_pairs(p->draws[m], p->o.draws, p->o.points, o->draw_x, o->draw_y);
    o->series[1][0] = (lam_series) { .name = "draws", .kind = LAM_SERIES_POINTS, .x = o->draw_x, .y = o->draw_y, .n = n, .size = 2.2 };
    return (lam_panel) { .series = o->series[1], .n_series = 1 };
}

static lam_panel paths_panel(const flow *f, one *o)
{
    lam_series *s = o->series[2];
    s[0] = (lam_series) { .kind = LAM_SERIES_POINTS, .x = f->data_x, .y = f->data_y, .n = f->n_data, .colour = 6, .size = 1.6,
        .opacity = 0.2 };
    s[1] = (lam_series) { .name = "holds 90 % of the base density", .x = o->circle_x, .y = o->circle_y, .n = CIRCLE, .colour = 6,
        .line = LAM_LINE_DASHED, .size = 1.2, .opacity = 0.6 };
    s[2] = (lam_series) { .name = "paths, a dot every quarter of a block's time", .x = o->line_x, .y = o->line_y,
        .n = f->paths * (o->states + 1), .size = 1.2 };
    s[3] = (lam_series) { .kind = LAM_SERIES_POINTS, .x = o->mark_x, .y = o->mark_y, .n = o->n_marks, .size = 3.4 };
    s[4] = (lam_series) { .name = f->p->data != NULL ? "start: a row of data" : "start: a draw", .kind = LAM_SERIES_POINTS, .x = f->start_x, .y = f->start_y, .n = f->paths,
        .colour = 1, .size = 6 };
    s[5] = (lam_series) { .name = "end: its z", .kind = LAM_SERIES_POINTS, .x = o->end_x, .y = o->end_y, .n = f->paths,
        .colour = 6, .size = 6 }; /* told apart from the start without colour too */
    return (lam_panel) { .series = s, .n_series = SERIES };
}

/* Panel of a kind, with the limits that all of the kind have. */
static lam_panel panel_of(flow *f, size_t kind, size_t m)
{
    static const char *const what[KINDS] = { "density", "draws", "paths from data to base" };
    lam_picture *p = f->p;
    one *o = &f->models[m];
    const double(*range)[2] = (const double(*)[2])(kind == 2 ? f->path_range : p->ranges);
    size_t flows = lam_model_flows(p->models[m].model);
    char one_of[64] = "";
    if (kind == 2 && flows > 1)
        snprintf(one_of, sizeof one_of, ", flow %zu of %zu", flow_shown(p), flows);
    lam_panel panel = kind == 0 ? density_panel(f, m) : kind == 1 ? draws_panel(f, m) : paths_panel(f, o);
    snprintf(o->title[kind], sizeof o->title[kind], "%.200s: %s%s\n%s", p->models[m].name, what[kind], one_of, p->facts[m]);
    panel.title = o->title[kind];
    panel.x_label = f->labels[0];
    panel.y_label = f->labels[1];
    panel.x_low = range[0][0];
    panel.x_high = range[0][1];
    panel.y_low = range[1][0];
    panel.y_high = range[1][1];
    return panel;
}

static void describe(flow *f)
{
    lam_picture *p = f->p;
    size_t rows = p->data != NULL ? p->rows : p->o.draws, outside = lam_picture_outside(p, p->data != NULL ? p->data : p->draws[0], rows);
    if (p->o.panels & LAM_PICTURE_DENSITY)
        lam_picture_say(p, "Density at %zu x %zu places. ", p->o.grid, p->o.grid);
    if (p->o.panels & LAM_PICTURE_DENSITY && f->cut)
        lam_picture_say(p, "Colours end at the density that the densest 5 %% of the mass exceed. ");
    if (f->unsolved > 0)
        lam_picture_say(p, "The solver gave up at %zu places, left empty. ", f->unsolved);
    if (p->data != NULL)
        lam_picture_say(p, "%zu of %zu rows of data as points. ", f->n_data, p->rows);
    if (p->o.panels & LAM_PICTURE_DRAWS)
        lam_picture_say(p, "%zu of %zu draws, seed %llu. ", p->o.points < p->o.draws ? p->o.points : p->o.draws, p->o.draws,
            (unsigned long long)p->o.seed);
    if (outside > 0)
        lam_picture_say(p, "%zu %s outside of the frames. ", outside, p->data != NULL ? outside == 1 ? "row lies" : "rows lie" : outside == 1 ? "draw lies" : "draws lie");
    static const char *const back[] = { "", ", back through the column maps,", ", back through the whitening,",
        ", back through the whitening and the column maps," };
    int maps = 0, whitened = 0; /* of some model */
    for (size_t m = 0; m < p->n_models; m++) {
        maps |= p->models[m].model->maps != NULL;
        whitened |= p->models[m].model->whitening != NULL;
    }
    if (p->o.panels & LAM_PICTURE_PATHS)
        lam_picture_say(p, "Paths of %zu %s%s, from data to base on the data's axes (z%s as mean + scale z). ", f->paths,
            p->data != NULL ? "rows" : p->n_models > 1 ? "draws of the first model" : "draws",
            p->n_models > 1 ? ", the same in every panel" : "", back[2 * whitened + maps]);
}

/* ---- all ---------------------------------------------------------------------------------------------------------- */

static lam_status fill(flow *f)
{
    lam_picture *p = f->p;
    size_t rows = p->data != NULL ? p->rows : p->o.draws;
    f->data_x = lam_alloc(p->o.points, sizeof(double));
    f->data_y = lam_alloc(p->o.points, sizeof(double));
    if (f->data_x == NULL || f->data_y == NULL)
        return LAM_ERR_MEMORY;
    f->n_data = thin_pairs(p->data != NULL ? p->data : p->draws[0], rows, (p->o.points + 1) / 2, f->data_x, f->data_y);
    LAM_TRY(choose_rows(f));
    for (size_t j = 0; j < 2; j++) {
        f->path_range[j][0] = (double)INFINITY;
        f->path_range[j][1] = -(double)INFINITY;
    }
    for (size_t m = 0; m < p->n_models; m++) {
        one *o = &f->models[m];
        if ((o->draw_x = lam_alloc(p->o.points, sizeof(double))) == NULL || (o->draw_y = lam_alloc(p->o.points, sizeof(double))) == NULL)
            return LAM_ERR_MEMORY;
        if (p->o.panels & LAM_PICTURE_DENSITY)
            LAM_TRY(map(f, m));
        if (p->o.panels & LAM_PICTURE_PATHS) {
            LAM_TRY(paths(f, m));
            LAM_TRY(circle(f, m));
        }
    }
    for (size_t j = 0; j < 2; j++) {
        double air = 0.05 * (f->path_range[j][1] - f->path_range[j][0]);
        f->path_range[j][0] -= air;
        f->path_range[j][1] += air;
        lam_picture_label(p, j, 1, f->labels[j]);
    }
    return p->o.panels & LAM_PICTURE_DENSITY ? choose_scale(f) : LAM_OK;
}

/* Kinds side by side for one model; else models side by side, kinds below each other. */
static lam_status write(flow *f, const char *path)
{
    lam_picture *p = f->p;
    size_t n = 0;
    for (size_t kind = 0; kind < KINDS; kind++)
        for (size_t m = 0; p->o.panels >> kind & 1 && m < p->n_models; m++)
            f->panels[n++] = panel_of(f, kind, m);
    describe(f);
    const lam_plot plot = { .panels = f->panels, .n_panels = n, .columns = p->n_models == 1 ? n : p->n_models,
        .frame = p->n_models <= 3 ? 300 : 240, .gap = 14, .note = p->note, .dark = p->o.dark };
    return lam_plot_write(&plot, path);
}

lam_status lam_picture_flow(lam_picture *p, const char *path)
{
    flow f = { .p = p, .models = lam_alloc(p->n_models, sizeof *f.models), .panels = lam_alloc(KINDS * p->n_models, sizeof *f.panels) };
    lam_status status = f.models == NULL || f.panels == NULL ? LAM_ERR_MEMORY : fill(&f);
    if (status == LAM_OK)
        status = write(&f, path);
    for (size_t m = 0; f.models != NULL && m < p->n_models; m++) {
        one *o = &f.models[m];
        double *const arrays[] = { o->z, o->draw_x, o->draw_y, o->line_x, o->line_y, o->mark_x, o->mark_y, o->end_x, o->end_y,
            o->circle_x, o->circle_y };
        for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
            lam_free(arrays[i]);
    }
    double *const arrays[] = { f.rows, f.start_x, f.start_y, f.data_x, f.data_y };
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        lam_free(arrays[i]);
    lam_free(f.models);
    lam_free(f.panels);
    return status;
}
