/* More columns: each column's histogram, each pair of columns below them. */
#include "base/error.h"
#include "base/mem.h"
#include "report/picture.h"
#include "report/spread.h"
#include <math.h>

enum { SIDE = 80, STEPS = 2 * LAM_MOST_BINS + 2 };
static const double parts[] = { 0.9, 0.5 }; /* of the draws, held by contours: levels ascend */
enum { LEVELS = sizeof parts / sizeof parts[0] };

/* Every panel's numbers. k: columns shown; pairs: k (k - 1) / 2. */
typedef struct corner {
    lam_picture *p;
    size_t k, pairs, points, sources; /* sources: the models, and last the data, or the first model's draws again, as points */
    lam_panel *panels;   /* [k * k] */
    lam_series *series;  /* [k * k, sources] */
    lam_bins *bins;      /* [k] */
    double *heights;     /* [k, LAM_MOST_BINS] of the data */
    double *steps;       /* [k, n_models, 2, STEPS] x and y of the outline of a model's histogram */
    double *thin;        /* [k, points] of the data */
    double *z;           /* [pairs, n_models, SIDE * SIDE] */
    double *levels;      /* [pairs, n_models, LEVELS] */
    char (*labels)[300]; /* [k] */
    double *sorted;      /* [rows or draws] */
} corner;

static lam_status allocate(corner *c)
{
    size_t models = c->p->n_models, most = c->p->rows > c->p->o.draws ? c->p->rows : c->p->o.draws;
    c->panels = lam_alloc(c->k * c->k, sizeof *c->panels);
    c->series = lam_alloc(c->k * c->k * c->sources, sizeof *c->series);
    c->bins = lam_alloc(c->k, sizeof *c->bins);
    c->heights = lam_alloc(c->k * LAM_MOST_BINS, sizeof(double));
    c->steps = lam_alloc(c->k * models * 2 * STEPS, sizeof(double));
    c->thin = lam_alloc(c->k * c->points, sizeof(double));
    c->z = lam_alloc(c->pairs * models * SIDE * SIDE, sizeof(double));
    c->levels = lam_alloc(c->pairs * models * LEVELS, sizeof(double));
    c->sorted = lam_alloc(most, sizeof(double));
    c->labels = lam_alloc(c->k, sizeof *c->labels);
    return c->panels != NULL && c->series != NULL && c->bins != NULL && c->heights != NULL && c->steps != NULL && c->thin != NULL
            && c->z != NULL && c->levels != NULL && c->sorted != NULL && c->labels != NULL
        ? LAM_OK
        : LAM_ERR_MEMORY;
}

static void release(corner *c)
{
    lam_free(c->panels);
    lam_free(c->series);
    lam_free(c->bins);
    lam_free(c->heights);
    lam_free(c->steps);
    lam_free(c->thin);
    lam_free(c->z);
    lam_free(c->levels);
    lam_free(c->sorted);
    lam_free(c->labels);
}

/* ---- the diagonal ------------------------------------------------------------------------------------------------- */

static void sort_column(corner *c, const double *rows, size_t n, size_t column)
{
    for (size_t i = 0; i < n; i++)
        c->sorted[i] = rows[i * c->p->dim + column];
    lam_sort_ascending(c->sorted, n);
}

/* The outline of a histogram, from the axis up and down to it again. */
static size_t outline(const lam_bins *bins, const double *heights, double *x, double *y)
{
    size_t n = 0;
    for (size_t i = 0; i <= bins->n; i++) {
        x[n] = x[n + 1] = bins->edges[i];
        y[n] = i > 0 ? heights[i - 1] : 0;
        y[n + 1] = i < bins->n ? heights[i] : 0;
        n += 2;
    }
    return n;
}

/* The bins are the data's, so that both can be compared bar by bar. */
static void diagonal(corner *c, size_t j)
{
    lam_picture *p = c->p;
    lam_series *series = c->series + (j * c->k + j) * c->sources;
    size_t column = p->columns[j], n_series = 0;
    double *heights = c->heights + j * LAM_MOST_BINS, of_model[LAM_MOST_BINS], top = 0;
    sort_column(c, p->data != NULL ? p->data : p->draws[0], p->data != NULL ? p->rows : p->o.draws, column);
    lam_spread_bins(c->sorted, p->data != NULL ? p->rows : p->o.draws, p->ranges[j], &c->bins[j]);
    if (p->data != NULL) {
        lam_spread_heights(c->sorted, p->rows, &c->bins[j], heights);
        series[n_series++] = (lam_series) { .name = "data", .kind = LAM_SERIES_BARS, .x = c->bins[j].edges, .y = heights,
            .n = c->bins[j].n, .colour = LAM_PICTURE_DATA_COLOUR, .opacity = 0.4 };
        for (size_t i = 0; i < c->bins[j].n; i++)
            top = fmax(top, heights[i]);
    }
    for (size_t m = 0; m < p->n_models; m++) {
        lam_series *s = &series[n_series++];
        double *x = c->steps + (j * p->n_models + m) * 2 * STEPS, *y = x + STEPS;
        sort_column(c, p->draws[m], p->o.draws, column);
        lam_spread_heights(c->sorted, p->o.draws, &c->bins[j], of_model);
        *s = lam_picture_look(p, m);
        s->x = x;
        s->y = y;
        s->n = outline(&c->bins[j], of_model, x, y);
        s->size = 1.4;
        for (size_t i = 0; i < s->n; i++)
            top = fmax(top, y[i]);
    }
    c->panels[j * c->k + j] = (lam_panel) { .series = series, .n_series = n_series, .x_low = p->ranges[j][0], .x_high = p->ranges[j][1],
        .y_high = 1.05 * top };
}

/* ---- the pairs ---------------------------------------------------------------------------------------------------- */

/* The draws of model m as contours: x from column j, y from column i, both of those shown. */
static lam_status contours(corner *c, size_t i, size_t j, size_t m, lam_series *s)
{
    lam_picture *p = c->p;
    size_t pair = i * (i - 1) / 2 + j, at = pair * p->n_models + m;
    double *z = c->z + at * SIDE * SIDE, *levels = c->levels + at * LEVELS;
    const lam_pairs pairs = { p->draws[m] + p->columns[j], p->draws[m] + p->columns[i], p->dim, p->o.draws, p->ranges[j], p->ranges[i] };
    LAM_TRY(lam_spread_pairs(&pairs, SIDE, z));
    for (size_t l = 0; l < LEVELS; l++)
        LAM_TRY(lam_spread_level(&pairs, SIDE, z, parts[l], &levels[l]));
    *s = lam_picture_look(p, m);
    s->kind = LAM_SERIES_CONTOUR;
    s->x = p->ranges[j];
    s->y = p->ranges[i];
    s->n = 2;
    s->z = z;
    s->rows = s->columns = SIDE;
    s->levels = levels;
    s->n_levels = LEVELS;
    s->size = 1.3;
    return LAM_OK;
}

static lam_status pair(corner *c, size_t i, size_t j)
{
    lam_picture *p = c->p;
    lam_series *series = c->series + (i * c->k + j) * c->sources;
    size_t n = p->data != NULL ? p->rows : p->o.draws;
    series[0] = (lam_series) { .kind = LAM_SERIES_POINTS, .x = c->thin + j * c->points, .y = c->thin + i * c->points,
        .n = n < c->points ? n : c->points, .size = 1.7, .opacity = 0.8 };
    series[0].colour = p->data != NULL ? LAM_PICTURE_DATA_COLOUR : lam_picture_look(p, 0).colour;
    series[0].opacity = p->data != NULL ? 0.8 : 0.5;
    for (size_t m = 0; m < p->n_models; m++)
        LAM_TRY(contours(c, i, j, m, &series[1 + m]));
    c->panels[i * c->k + j] = (lam_panel) { .series = series, .n_series = 1 + p->n_models, .x_low = p->ranges[j][0],
        .x_high = p->ranges[j][1], .y_low = p->ranges[i][0], .y_high = p->ranges[i][1] };
    return LAM_OK;
}

/* ---- all ---------------------------------------------------------------------------------------------------------- */

static lam_status fill(corner *c)
{
    lam_picture *p = c->p;
    size_t n = p->data != NULL ? p->rows : p->o.draws;
    for (size_t j = 0; j < c->k; j++) {
        lam_picture_label(p, p->columns[j], 0, c->labels[j]);
        lam_picture_thin((p->data != NULL ? p->data : p->draws[0]) + p->columns[j], p->dim, n, c->points, c->thin + j * c->points);
    }
    for (size_t i = 0; i < c->k; i++) {
        for (size_t j = 0; j < c->k; j++) {
            lam_panel *panel = &c->panels[i * c->k + j];
            if (j > i)
                *panel = (lam_panel) { .blank = 1 };
            else if (i == j)
                diagonal(c, j);
            else
                LAM_TRY(pair(c, i, j));
            panel->hide_x = i + 1 < c->k;
            panel->hide_y = i == j ? 2 : j > 0; /* heights of histograms are shares per data unit: nothing to read off */
            panel->x_label = i + 1 == c->k ? c->labels[j] : NULL;
            panel->y_label = j == 0 && i > 0 ? c->labels[i] : NULL;
        }
    }
    return LAM_OK;
}

static void describe(corner *c)
{
    lam_picture *p = c->p;
    size_t outside = p->data != NULL ? lam_picture_outside(p, p->data, p->rows) : lam_picture_outside(p, p->draws[0], p->o.draws);
    lam_picture_say(p, "Data units. ");
    if (c->k < p->dim)
        lam_picture_say(p, "%zu of %zu columns. ", c->k, p->dim);
    lam_picture_say(p, "%zu draws%s, seed %llu, outlined%s. ", p->o.draws, p->n_models > 1 ? " of each model" : "",
        (unsigned long long)p->o.seed, c->k > 1 ? " on the diagonal; contours hold 50 % and 90 % of them" : "");
    if (p->data != NULL)
        lam_picture_say(p, "%zu rows of data in the histogram%s", p->rows, c->k > 1 ? "s" : ". ");
    if (c->k > 1)
        lam_picture_say(p, "%s%zu of %zu %s as points. ", p->data != NULL ? ", " : "", c->points,
            p->data != NULL ? p->rows : p->o.draws, p->data != NULL ? "rows" : p->n_models > 1 ? "draws of the first model" : "draws");
    if (outside > 0)
        lam_picture_say(p, "%zu %s outside of the frames. ", outside, p->data != NULL ? outside == 1 ? "row lies" : "rows lie" : outside == 1 ? "draw lies" : "draws lie");
}

lam_status lam_picture_corner(lam_picture *p, const char *path)
{
    size_t k = p->n_columns, n = p->data != NULL ? p->rows : p->o.draws;
    corner c = { .p = p, .k = k, .pairs = k * (k - 1) / 2, .sources = p->n_models + 1, .points = n < p->o.points ? n : p->o.points };
    lam_status status = allocate(&c);
    if (status == LAM_OK)
        status = fill(&c);
    if (status == LAM_OK) {
        describe(&c);
        const lam_plot plot = { .panels = c.panels, .n_panels = k * k, .columns = k, .gap = 6,
            .frame = k == 1 ? 380 : fmax(72, fmin(220, floor(760 / (double)k))), .note = p->note, .dark = p->o.dark };
        status = lam_plot_write(&plot, path);
    }
    release(&c);
    return status;
}
