/* The layout of a picture, and all of it. */
#include "base/mem.h"

#ifdef LAM_HAVE_CAIRO
#include "report/draw.h"
#include <math.h>
#include <string.h>

enum { MARGIN = 14, PANEL_GAP = 26, LEGEND_GAP = 22, LEGEND_ROW = 18 };
static const double least_frame = 40, small_frame = 110, panel_height = 430;

/* ---- the legend --------------------------------------------------------------------------------------------------- */

static int is_listed(const lam_series *const *list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i]->name, name) == 0)
            return 1;
    return 0;
}

/* Series with different names over all panels; list has room for all. */
static size_t list_series(const lam_plot *plot, const lam_series **list)
{
    size_t n = 0;
    for (size_t i = 0; i < plot->n_panels; i++) {
        for (size_t j = 0; j < plot->panels[i].n_series; j++) {
            const lam_series *s = &plot->panels[i].series[j];
            if (s->name != NULL && s->kind != LAM_SERIES_MAP && !is_listed(list, n, s->name))
                list[n++] = s;
        }
    }
    return n;
}

/* One row where all fit side by side; else columns, as many as fit, each as wide as the widest name, rows as even as they go. */
typedef struct legend {
    size_t rows, across;
    double widest, start; /* of a name; where the first column begins */
} legend;

static legend arrange(lam_canvas *c, const lam_plan *plan, double width)
{
    legend l = { 0 };
    const double beside = LAM_DRAW_SAMPLE + 8 + LEGEND_GAP; /* a name */
    double room = width - 2 * MARGIN, all = -LEGEND_GAP;
    lam_draw_font(c, LAM_LEGEND_SIZE, 0);
    for (size_t i = 0; i < plan->n_list; i++) {
        double name = lam_draw_width(c, plan->list[i]->name);
        l.widest = fmax(l.widest, name);
        all += name + beside;
    }
    if (plan->n_list == 0)
        return l;
    l.widest = fmin(l.widest, room - LAM_DRAW_SAMPLE - 8);
    size_t fit = (size_t)fmax(1, floor((room + LEGEND_GAP) / (beside + l.widest)));
    l.rows = all <= room ? 1 : (plan->n_list + fit - 1) / fit;
    l.across = (plan->n_list + l.rows - 1) / l.rows;
    l.start = MARGIN + 0.5 * (room - (l.rows == 1 ? all : (double)l.across * (beside + l.widest) - LEGEND_GAP));
    return l;
}

static void draw_legend(lam_canvas *c, const lam_plan *plan, double top)
{
    legend l = arrange(c, plan, plan->width);
    double x = l.start;
    for (size_t i = 0; i < plan->n_list; i++) {
        const char *name = plan->list[i]->name;
        double y = top + ((double)(i / l.across) + 0.5) * LEGEND_ROW;
        lam_draw_sample(c, plan->list[i], x, y);
        lam_draw_fitted(c, x + LAM_DRAW_SAMPLE + 8, y + 0.36 * LAM_LEGEND_SIZE, 0, name, LAM_LEGEND_SIZE, 0, l.widest);
        lam_draw_font(c, LAM_LEGEND_SIZE, 0);
        x += LAM_DRAW_SAMPLE + 8 + LEGEND_GAP + (l.rows == 1 ? lam_draw_width(c, name) : l.widest);
        x = (i + 1) % l.across == 0 ? l.start : x;
    }
}

/* ---- the layout --------------------------------------------------------------------------------------------------- */

/* The grid of panels: margins that a row's or a column's panels have in common, so that their frames stand in line. */
typedef struct sheet {
    size_t rows, columns;
    double gap;
    double *left, *right; /* [columns] */
    double *top, *bottom; /* [rows] */
} sheet;

static double head_height(lam_canvas *c, const lam_plot *plot, const lam_plan *plan, double width)
{
    legend l = arrange(c, plan, width);
    return (plot->title != NULL ? LAM_TITLE_SIZE + 12 : 0) + (l.rows > 0 ? (double)l.rows * LEGEND_ROW + 8 : 0);
}

static double foot_height(lam_canvas *c, const lam_plot *plot, double width)
{
    if (plot->note == NULL)
        return 0;
    return 6 + (double)lam_draw_note(c, 0, 0, plot->note, width - 2 * MARGIN, 0) * (LAM_NOTE_SIZE + 4);
}

static double sum(const double *a, const double *b, size_t n)
{
    double total = 0;
    for (size_t i = 0; i < n; i++)
        total += a[i] + b[i];
    return total;
}

static void join_margins(const lam_plot *plot, const lam_plan *plan, sheet *s)
{
    for (size_t i = 0; i < plot->n_panels; i++) {
        const lam_place *p = &plan->place[i];
        size_t row = i / s->columns, column = i % s->columns;
        if (plot->panels[i].blank)
            continue;
        s->top[row] = fmax(s->top[row], p->top);
        s->bottom[row] = fmax(s->bottom[row], p->bottom);
        s->left[column] = fmax(s->left[column], p->left);
        s->right[column] = fmax(s->right[column], p->right);
    }
}

static void put_panels(const lam_plot *plot, lam_plan *plan, const sheet *s, double head, double width, double height)
{
    double y = MARGIN + head;
    for (size_t row = 0; row < s->rows; row++) {
        double x = MARGIN;
        for (size_t column = 0; column < s->columns && row * s->columns + column < plot->n_panels; column++) {
            lam_place *p = &plan->place[row * s->columns + column];
            double half = column > 0 ? 0.5 * s->gap : 0;
            p->left = s->left[column];
            p->right = s->right[column];
            p->bottom = s->bottom[row];
            p->frame = (lam_box) { x + p->left, y + s->top[row], x + p->left + width, y + s->top[row] + height };
            p->outer = (lam_box) { x - half, p->frame.top - p->top, p->frame.right + p->right + 0.5 * s->gap, p->frame.bottom + p->bottom };
            x = p->frame.right + p->right + s->gap;
        }
        y += s->top[row] + height + s->bottom[row] + s->gap;
    }
}

/* The picture's size gives the frames', or the other way round. Heights come first: the numbers beside a y axis, and so the
 * margins, depend on its length. */
static void lay_out(lam_canvas *c, const lam_plot *plot, lam_plan *plan, sheet *s)
{
    double gaps_x = (double)(s->columns - 1) * s->gap, gaps_y = (double)(s->rows - 1) * s->gap, head = 0, foot = 0, width, height;
    for (size_t i = 0; i < plot->n_panels; i++)
        lam_panel_vertical(c, &plot->panels[i], &plan->place[i]);
    join_margins(plot, plan, s);
    double around = 2 * MARGIN + gaps_y + sum(s->top, s->bottom, s->rows);
    width = height = plot->frame;
    if (plot->frame == 0) {
        plan->width = plot->width != 0 ? plot->width : s->columns == 1 ? 600 : (double)s->columns * 490;
        plan->height = plot->height != 0 ? plot->height : (double)s->rows * panel_height;
        head = head_height(c, plot, plan, plan->width);
        foot = foot_height(c, plot, plan->width);
        height = fmax((plan->height - around - head - foot) / (double)s->rows, least_frame);
    }
    for (size_t i = 0; i < plot->n_panels; i++)
        lam_panel_horizontal(c, &plot->panels[i], height, &plan->place[i]);
    join_margins(plot, plan, s);
    double beside = 2 * MARGIN + gaps_x + sum(s->left, s->right, s->columns);
    if (plot->frame == 0) {
        width = fmax((plan->width - beside) / (double)s->columns, least_frame);
    } else {
        plan->width = ceil(beside + (double)s->columns * width);
        head = head_height(c, plot, plan, plan->width);
        foot = foot_height(c, plot, plan->width);
        plan->height = ceil(around + head + foot + (double)s->rows * height);
    }
    for (size_t i = 0; i < plot->n_panels; i++)
        lam_panel_x_axis(c, &plot->panels[i], width, &plan->place[i]);
    put_panels(plot, plan, s, head, width, height);
}

lam_status lam_plan_make(lam_canvas *canvas, const lam_plot *plot, lam_plan *plan)
{
    size_t room = 0, columns = plot->columns > 0 && plot->columns < plot->n_panels ? plot->columns : plot->n_panels;
    sheet s = { .columns = columns, .rows = (plot->n_panels + columns - 1) / columns, .gap = plot->gap > 0 ? plot->gap : PANEL_GAP };
    for (size_t i = 0; i < plot->n_panels; i++)
        room += plot->panels[i].n_series;
    int small = plot->frame > 0 && plot->frame < small_frame;
    canvas->tick_size = LAM_TICK_SIZE - (small ? LAM_SMALLER : 0);
    canvas->label_size = LAM_LABEL_SIZE - (small ? LAM_SMALLER : 0);
    *plan = (lam_plan) { .place = lam_alloc(plot->n_panels, sizeof *plan->place), .list = lam_alloc(room, sizeof(void *)) };
    double *margins = lam_alloc(2 * (s.columns + s.rows), sizeof *margins);
    lam_status status = plan->place == NULL || plan->list == NULL || margins == NULL ? LAM_ERR_MEMORY : LAM_OK;
    if (status == LAM_OK) {
        s.left = margins;
        s.right = s.left + s.columns;
        s.top = s.right + s.columns;
        s.bottom = s.top + s.rows;
        plan->n_list = list_series(plot, plan->list);
        lay_out(canvas, plot, plan, &s);
    }
    lam_free(margins);
    return status;
}

void lam_plan_free(lam_plan *plan)
{
    lam_free(plan->place);
    lam_free(plan->list);
}

void lam_plan_draw(lam_canvas *canvas, const lam_plot *plot, const lam_plan *plan)
{
    double top = MARGIN, width = plan->width - 2 * MARGIN;
    lam_draw_colour(canvas, canvas->colours.paper, 1);
    cairo_paint(canvas->cr);
    if (plot->title != NULL) {
        lam_draw_fitted(canvas, 0.5 * plan->width, top + LAM_TITLE_SIZE, 0.5, plot->title, LAM_TITLE_SIZE, 1, width);
        top += LAM_TITLE_SIZE + 12;
    }
    draw_legend(canvas, plan, top);
    for (size_t i = 0; i < plot->n_panels; i++)
        if (!plot->panels[i].blank)
            lam_panel_draw(canvas, &plot->panels[i], &plan->place[i]);
    if (plot->note != NULL)
        lam_draw_note(canvas, MARGIN, plan->height - MARGIN - foot_height(canvas, plot, plan->width) + 6, plot->note, width, 1);
}

#endif
