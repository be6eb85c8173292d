/* Series of a panel: lines, points, bars, maps, contours. */
#include "report/contour.h"

#ifdef LAM_HAVE_CAIRO
#include "report/draw.h"
#include <math.h>
#include <string.h>

static const double line_width = 1.9, dot_size = 2.6;

static const double *colour_of(const lam_canvas *c, const lam_series *s)
{
    return c->colours.series[s->colour % LAM_COLOURS];
}

static double opacity_of(const lam_series *s)
{
    return s->opacity > 0 ? s->opacity : 1;
}

static void set_line(lam_canvas *c, const lam_series *s)
{
    static const struct { double marks[4]; int n; } dashes[] = { { { 0 }, 0 }, { { 7, 3.5 }, 2 }, { { 1.8, 2.6 }, 2 },
        { { 8, 3, 1.8, 3 }, 4 } };
    size_t line = (size_t)s->line < 4 ? (size_t)s->line : 0;
    lam_draw_colour(c, colour_of(c, s), opacity_of(s));
    cairo_set_line_width(c->cr, s->size > 0 ? s->size : line_width);
    cairo_set_line_join(c->cr, CAIRO_LINE_JOIN_ROUND);
    cairo_set_dash(c->cr, dashes[line].marks, dashes[line].n, 0);
}

/* To a sixteenth of a pixel, which no eye sees: numbers in an SVG are half as long. */
static double rounded(double pixels)
{
    return round(16 * pixels) / 16;
}

/* ---- lines -------------------------------------------------------------------------------------------------------- */

/* Cuts the segment a-b, in units of the panel, to [-1, 2] in both directions, since cairo's coordinates are of limited range;
 * 0 if nothing is left. (Liang and Barsky 1984.) */
static int cut_segment(double a[2], double b[2])
{
    double from = 0, to = 1;
    const double start[2] = { a[0], a[1] }, d[2] = { b[0] - a[0], b[1] - a[1] };
    for (int k = 0; k < 2; k++) {
        double first = (-1 - start[k]) / d[k], second = (2 - start[k]) / d[k];
        if (d[k] == 0) {
            if (start[k] < -1 || start[k] > 2)
                return 0;
            continue;
        }
        from = fmax(from, fmin(first, second));
        to = fmin(to, fmax(first, second));
    }
    for (int k = 0; k < 2; k++) {
        a[k] = start[k] + from * d[k];
        b[k] = start[k] + to * d[k];
    }
    return from <= to;
}

static int same_point(const double a[2], const double b[2])
{
    return a[0] == b[0] && a[1] == b[1];
}

/* at(i): [2] in units of the panel, NaN where there is nothing to draw */
static void point_at(const lam_series *s, size_t i, const lam_axis axes[2], double at[2])
{
    at[0] = i < s->n ? lam_axis_at(&axes[0], s->x[i]) : (double)NAN;
    at[1] = i < s->n ? lam_axis_at(&axes[1], s->y[i]) : (double)NAN;
    if (isnan(at[0]) || isnan(at[1]))
        at[0] = at[1] = (double)NAN;
}

static void draw_line(lam_canvas *c, const lam_series *s, const lam_axis axes[2], const lam_box *b)
{
    double width = b->right - b->left, height = b->bottom - b->top;
    double before[2] = { (double)NAN, (double)NAN }, here[2], next[2], pen[2] = { (double)NAN, (double)NAN };
    set_line(c, s);
    cairo_new_path(c->cr);
    point_at(s, 0, axes, here);
    for (size_t i = 0; i < s->n; i++) {
        point_at(s, i + 1, axes, next);
        double from[2] = { before[0], before[1] }, to[2] = { here[0], here[1] };
        if (!isnan(from[0]) && !isnan(to[0]) && cut_segment(from, to)) {
            if (!same_point(from, pen))
                cairo_move_to(c->cr, rounded(b->left + from[0] * width), rounded(b->bottom - from[1] * height));
            cairo_line_to(c->cr, rounded(b->left + to[0] * width), rounded(b->bottom - to[1] * height));
            memcpy(pen, to, sizeof pen);
        } else if (isnan(before[0]) && isnan(next[0]) && fabs(here[0]) < 2 && fabs(here[1]) < 2) { /* a point on its own */
            double x = b->left + here[0] * width, y = b->bottom - here[1] * height;
            cairo_stroke(c->cr);
            cairo_arc(c->cr, x, y, 2.6, 0, 6.2831853);
            cairo_fill(c->cr);
            pen[0] = (double)NAN;
        }
        memcpy(before, here, sizeof before);
        memcpy(here, next, sizeof here);
    }
    cairo_stroke(c->cr);
    cairo_set_dash(c->cr, NULL, 0, 0);
}

/* ---- points ------------------------------------------------------------------------------------------------------- */

/* All dots as one path of strokes without length and with round ends: a few bytes each in an SVG. */
static void dot_path(lam_canvas *c, const lam_series *s, const lam_axis axes[2], const lam_box *b)
{
    cairo_new_path(c->cr);
    for (size_t i = 0; i < s->n; i++) {
        double at[2];
        point_at(s, i, axes, at);
        if (!(at[0] > -0.1 && at[0] < 1.1 && at[1] > -0.1 && at[1] < 1.1))
            continue;
        double x = rounded(b->left + at[0] * (b->right - b->left)), y = rounded(b->bottom - at[1] * (b->bottom - b->top));
        cairo_move_to(c->cr, x, y);
        cairo_line_to(c->cr, x, y);
    }
}

static int has_map(const lam_panel *p)
{
    for (size_t i = 0; i < p->n_series; i++)
        if (p->series[i].kind == LAM_SERIES_MAP)
            return 1;
    return 0;
}

static void draw_points(lam_canvas *c, const lam_panel *p, const lam_series *s, const lam_axis axes[2], const lam_box *b)
{
    double size = s->size > 0 ? s->size : dot_size;
    cairo_set_line_cap(c->cr, CAIRO_LINE_CAP_ROUND);
    dot_path(c, s, axes, b);
    if (has_map(p) || size >= 5) { /* set off from what lies below, whatever its colour */
        lam_draw_colour(c, c->colours.paper, opacity_of(s));
        cairo_set_line_width(c->cr, size + (size < 5 ? 0.8 : 1.6));
        cairo_stroke_preserve(c->cr);
    }
    lam_draw_colour(c, colour_of(c, s), opacity_of(s));
    cairo_set_line_width(c->cr, size);
    cairo_stroke(c->cr);
    cairo_set_line_cap(c->cr, CAIRO_LINE_CAP_BUTT);
}

/* ---- bars --------------------------------------------------------------------------------------------------------- */

static double place(double at, double low, double high)
{
    return low + fmin(fmax(at, -1), 2) * (high - low);
}

/* One outline around all of them: bars side by side that are filled one by one leave seams. */
static void draw_bars(lam_canvas *c, const lam_series *s, const lam_axis axes[2], const lam_box *b)
{
    double base = place(axes[1].log ? 0 : lam_axis_at(&axes[1], 0), b->bottom, b->top);
    cairo_new_path(c->cr);
    for (size_t i = 0; i < s->n; i++) {
        double left = lam_axis_at(&axes[0], s->x[i]), right = lam_axis_at(&axes[0], s->x[i + 1]);
        double top = axes[1].log && s->y[i] == 0 ? 0 : lam_axis_at(&axes[1], s->y[i]);
        if (isnan(left) || isnan(right))
            continue;
        left = place(left, b->left, b->right);
        right = place(right, b->left, b->right);
        top = isnan(top) ? base : place(top, b->bottom, b->top);
        if (!cairo_has_current_point(c->cr))
            cairo_move_to(c->cr, left, base);
        cairo_line_to(c->cr, left, top);
        cairo_line_to(c->cr, right, top);
        if (i + 1 == s->n)
            cairo_line_to(c->cr, right, base);
    }
    lam_draw_colour(c, colour_of(c, s), opacity_of(s));
    cairo_fill(c->cr);
}

/* ---- maps and contours -------------------------------------------------------------------------------------------- */

/* The rectangle of a map or contour, in pixels: left to right, bottom to top. */
static lam_box rectangle(const lam_series *s, const lam_axis axes[2], const lam_box *b)
{
    double width = b->right - b->left, height = b->bottom - b->top;
    return (lam_box) { .left = b->left + lam_axis_at(&axes[0], s->x[0]) * width, .right = b->left + lam_axis_at(&axes[0], s->x[1]) * width,
        .bottom = b->bottom - lam_axis_at(&axes[1], s->y[0]) * height, .top = b->bottom - lam_axis_at(&axes[1], s->y[1]) * height };
}

static uint32_t colour_at(const lam_canvas *c, double value, const double range[2])
{
    double part = (value - range[0]) / (range[1] - range[0]);
    if (!isfinite(part))
        return 0;
    const double *rgb = c->colours.scale[(size_t)(fmin(fmax(part, 0), 1) * (LAM_SCALE_COLOURS - 1) + 0.5)];
    uint32_t pixel = 0xff;
    for (size_t k = 0; k < 3; k++)
        pixel = pixel << 8 | (uint32_t)(255 * rgb[k] + 0.5);
    return pixel;
}

/* z [rows, columns], the first row lowest, as a picture that fills box; its border is drawn out by a pixel each way, as what lies
 * outside of a picture is mixed into its edge where it is enlarged. */
static void draw_picture(lam_canvas *c, const double *z, size_t rows, size_t columns, const double range[2], const lam_box *box)
{
    int width = (int)columns + 2, height = (int)rows + 2;
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width, height);
    unsigned char *bytes = cairo_image_surface_get_data(surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    for (int i = 0; bytes != NULL && i < height; i++) {
        int row = i < 1 ? 0 : i > (int)rows ? (int)rows - 1 : i - 1;
        for (int j = 0; j < width; j++) {
            int column = j < 1 ? 0 : j > (int)columns ? (int)columns - 1 : j - 1;
            uint32_t pixel = colour_at(c, z[(rows - 1 - (size_t)row) * columns + (size_t)column], range);
            memcpy(bytes + (size_t)i * stride + 4 * (size_t)j, &pixel, sizeof pixel);
        }
    }
    cairo_surface_mark_dirty(surface);
    cairo_save(c->cr);
    cairo_rectangle(c->cr, box->left, box->top, box->right - box->left, box->bottom - box->top);
    cairo_clip(c->cr);
    cairo_translate(c->cr, box->left, box->top);
    cairo_scale(c->cr, (box->right - box->left) / (double)columns, (box->bottom - box->top) / (double)rows);
    cairo_set_source_surface(c->cr, surface, -1, -1);
    cairo_paint(c->cr);
    cairo_restore(c->cr);
    cairo_surface_destroy(surface);
}

void lam_draw_scale(lam_canvas *c, const lam_box *box)
{
    double z[LAM_SCALE_COLOURS];
    const double range[2] = { 0, LAM_SCALE_COLOURS - 1 };
    for (size_t i = 0; i < LAM_SCALE_COLOURS; i++)
        z[i] = (double)i;
    draw_picture(c, z, LAM_SCALE_COLOURS, 1, range, box);
}

typedef struct contour {
    lam_canvas *canvas;
    const lam_series *series;
    lam_box box;
} contour;

static void draw_contour(void *user, const double (*points)[2], size_t n)
{
    const contour *t = user;
    const lam_box *b = &t->box;
    cairo_t *cr = t->canvas->cr;
    for (size_t i = 0; i < n; i++) {
        double x = b->left + (points[i][0] + 0.5) / (double)t->series->columns * (b->right - b->left);
        double y = b->bottom + (points[i][1] + 0.5) / (double)t->series->rows * (b->top - b->bottom);
        if (i == 0)
            cairo_move_to(cr, rounded(x), rounded(y));
        else
            cairo_line_to(cr, rounded(x), rounded(y));
    }
    cairo_stroke(cr);
}

static void draw_contours(lam_canvas *c, const lam_series *s, const lam_box *box)
{
    contour t = { c, s, *box };
    set_line(c, s);
    for (size_t i = 0; i < s->n_levels; i++) {
        lam_status status = lam_contour_trace(s->z, s->rows, s->columns, s->levels[i], draw_contour, &t);
        c->status = c->status == LAM_OK ? status : c->status;
    }
    cairo_set_dash(c->cr, NULL, 0, 0);
}

/* ---- all ---------------------------------------------------------------------------------------------------------- */

void lam_draw_series(lam_canvas *canvas, const lam_panel *panel, const lam_series *s, const lam_axis axes[2], const lam_box *frame,
    const double range[2])
{
    lam_box box;
    switch (s->kind) {
    case LAM_SERIES_LINE:
        draw_line(canvas, s, axes, frame);
        break;
    case LAM_SERIES_POINTS:
        draw_points(canvas, panel, s, axes, frame);
        break;
    case LAM_SERIES_BARS:
        draw_bars(canvas, s, axes, frame);
        break;
    case LAM_SERIES_MAP:
    case LAM_SERIES_CONTOUR:
        box = rectangle(s, axes, frame);
        if (!(fabs(box.left) < 1e5 && fabs(box.right) < 1e5 && fabs(box.top) < 1e5 && fabs(box.bottom) < 1e5)
            || !(box.right - box.left > 0.01 && box.bottom - box.top > 0.01))
            break; /* thousands of times the panel, beyond cairo's coordinates, or nothing of it */
        if (s->kind == LAM_SERIES_CONTOUR)
            draw_contours(canvas, s, &box);
        else
            draw_picture(canvas, s->z, s->rows, s->columns, range, &box);
        break;
    }
}

void lam_draw_sample(lam_canvas *c, const lam_series *s, double x, double y)
{
    double size = s->size > 0 ? s->size : dot_size;
    cairo_new_path(c->cr); /* texts leave a point behind, from which an arc would begin with a line */
    if (s->kind == LAM_SERIES_POINTS) {
        lam_draw_colour(c, colour_of(c, s), opacity_of(s));
        cairo_arc(c->cr, x + 0.5 * LAM_DRAW_SAMPLE, y, fmax(0.5 * size, 2), 0, 6.2831853);
        cairo_fill(c->cr);
    } else if (s->kind == LAM_SERIES_BARS) {
        lam_draw_colour(c, colour_of(c, s), opacity_of(s));
        cairo_rectangle(c->cr, x + 6, y - 5, LAM_DRAW_SAMPLE - 12, 10);
        cairo_fill(c->cr);
    } else {
        set_line(c, s);
        cairo_move_to(c->cr, x, y);
        cairo_line_to(c->cr, x + LAM_DRAW_SAMPLE, y);
        cairo_stroke(c->cr);
        cairo_set_dash(c->cr, NULL, 0, 0);
    }
}

#endif
