/* One column: the density over a histogram. */
#include "base/error.h"
#include "base/mem.h"
#include "report/picture.h"
#include "report/spread.h"
#include <math.h>
#include <string.h>

enum { PLACES = 800 };

/* Rooms of a picture, one allocation each. */
typedef struct rooms {
    double *x, *y;    /* [PLACES], [n_models, PLACES] */
    double *sorted;   /* [rows or draws] */
    double heights[LAM_MOST_BINS];
    lam_bins bins;
    lam_series *series; /* [1 + n_models] */
    char label[300];
} rooms;

static lam_status density(lam_picture *p, rooms *r)
{
    for (size_t i = 0; i < PLACES; i++)
        r->x[i] = p->ranges[0][0] + (p->ranges[0][1] - p->ranges[0][0]) * (double)i / (PLACES - 1);
    for (size_t m = 0; m < p->n_models; m++) {
        double *y = r->y + m * PLACES;
        lam_status status = lam_log_prob(p->models[m].model, &p->eval, r->x, PLACES, y, NULL);
        if (status != LAM_OK)
            return lam_fail_in(status, "the density of %s over the column's range", p->models[m].name);
        for (size_t i = 0; i < PLACES; i++)
            y[i] = exp(y[i]);
        r->series[1 + m] = lam_picture_look(p, m);
        r->series[1 + m].x = r->x;
        r->series[1 + m].y = y;
        r->series[1 + m].n = PLACES;
    }
    return LAM_OK;
}

static lam_status histogram(lam_picture *p, rooms *r)
{
    size_t n = p->data != NULL ? p->rows : p->o.draws;
    const double *from = p->data != NULL ? p->data : p->draws[0];
    if ((r->sorted = lam_alloc(n, sizeof *r->sorted)) == NULL)
        return LAM_ERR_MEMORY;
    memcpy(r->sorted, from, n * sizeof *r->sorted);
    lam_sort_ascending(r->sorted, n);
    lam_spread_bins(r->sorted, n, p->ranges[0], &r->bins);
    lam_spread_heights(r->sorted, n, &r->bins, r->heights);
    r->series[0] = (lam_series) { .name = p->data != NULL ? "data" : "draws of the first model",
        .kind = LAM_SERIES_BARS, .x = r->bins.edges, .y = r->heights, .n = r->bins.n, .colour = LAM_PICTURE_DATA_COLOUR, .opacity = 0.4 };
    if (p->n_models == 1 && p->data == NULL)
        r->series[0].name = "draws";
    if (p->data != NULL)
        lam_picture_say(p, "Histogram of %zu rows", n);
    else
        lam_picture_say(p, "Histogram of %zu draws, seed %llu", n, (unsigned long long)p->o.seed);
    size_t outside = lam_picture_outside(p, from, n);
    if (outside > 0)
        lam_picture_say(p, ", %zu of them outside of the frame", outside);
    lam_picture_say(p, ". ");
    return LAM_OK;
}

static lam_status write(lam_picture *p, const rooms *r, const char *path)
{
    lam_panel panel = { .x_label = r->label, .y_label = "density p(x), per data unit",
        .series = r->series, .n_series = 1 + p->n_models, .x_low = p->ranges[0][0], .x_high = p->ranges[0][1],
        .log_y = p->o.scale == LAM_PICTURE_LOG };
    double top = 0;
    for (size_t i = 0; i < p->n_models * PLACES; i++)
        top = fmax(top, r->y[i]);
    for (size_t i = 0; i < r->bins.n; i++)
        top = fmax(top, r->heights[i]);
    if (p->o.scale == LAM_PICTURE_LOG) {
        panel.y_low = top * exp(-10);
        panel.y_high = top * 1.5;
    } else {
        panel.y_high = top * 1.05;
    }
    const lam_plot plot = { .panels = &panel, .n_panels = 1, .width = 640, .height = 430 + 18 * (double)p->n_models, .note = p->note,
        .dark = p->o.dark };
    return lam_plot_write(&plot, path);
}

lam_status lam_picture_curve(lam_picture *p, const char *path)
{
    rooms r = { .x = lam_alloc(PLACES, sizeof *r.x), .y = lam_alloc(p->n_models * PLACES, sizeof *r.y),
        .series = lam_alloc(1 + p->n_models, sizeof *r.series) };
    lam_status status = r.x == NULL || r.y == NULL || r.series == NULL ? LAM_ERR_MEMORY : LAM_OK;
    lam_picture_label(p, 0, 1, r.label);
    if (status == LAM_OK)
        status = density(p, &r);
    if (status == LAM_OK)
        status = histogram(p, &r);
    if (status == LAM_OK)
        status = write(p, &r, path);
    lam_free(r.x);
    lam_free(r.y);
    lam_free(r.sorted);
    lam_free(r.series);
    return status;
}
