/* lam_plot_write: line charts through cairo. Lengths are pixels (points in a PDF), y grows downwards. */
#include "base/error.h"
#include <string.h>

#ifdef LAM_HAVE_CAIRO
#include "base/file.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "report/axis.h"
#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <cairo.h>
#include <math.h>
#include <strings.h>

enum { MARGIN = 14, PANEL_GAP = 26, SAMPLE = 28, LEGEND_GAP = 22, LEGEND_ROW = 18, COLOURS = 7 };
static const double title_size = 15, label_size = 13, tick_size = 12, legend_size = 12;

/* Okabe and Ito's palette (2008) without yellow, which white paper swallows. */
static const double colours[COLOURS][3] = { { 0.000, 0.447, 0.698 }, { 0.835, 0.369, 0.000 }, { 0.000, 0.620, 0.451 },
    { 0.800, 0.475, 0.655 }, { 0.902, 0.624, 0.000 }, { 0.337, 0.706, 0.914 }, { 0.000, 0.000, 0.000 } };

typedef struct box {
    double left, top, right, bottom;
} box;

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* ---- text --------------------------------------------------------------------------------------------------------- */

static void set_font(cairo_t *cr, double size, int bold)
{
    cairo_select_font_face(cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL, bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cr, size);
}

static double text_width(cairo_t *cr, const char *text)
{
    cairo_text_extents_t extents;
    cairo_text_extents(cr, text, &extents);
    return extents.x_advance;
}

/* The size at which text is at most that wide: size itself, or smaller. The font is set to it. */
static void fit_font(cairo_t *cr, double size, int bold, const char *text, double widest)
{
    set_font(cr, size, bold);
    double width = text_width(cr, text);
    if (width > widest)
        set_font(cr, size * widest / width, bold);
}

/* align 0: text begins at x; 0.5: centred there; 1: ends there. y is the base line. */
static void put_text(cairo_t *cr, double x, double y, double align, const char *text)
{
    cairo_move_to(cr, x - align * text_width(cr, text), y);
    cairo_show_text(cr, text);
}

static void ink(cairo_t *cr)
{
    cairo_set_source_rgb(cr, 0.13, 0.13, 0.13);
}

/* ---- curves ------------------------------------------------------------------------------------------------------- */

static void set_line(cairo_t *cr, const lam_series *s)
{
    static const struct { double marks[4]; int n; } dashes[] = { { { 0 }, 0 }, { { 7, 3.5 }, 2 }, { { 1.8, 2.6 }, 2 },
        { { 8, 3, 1.8, 3 }, 4 } };
    const double *colour = colours[s->colour % COLOURS];
    size_t line = (size_t)s->line < 4 ? (size_t)s->line : 0;
    cairo_set_source_rgb(cr, colour[0], colour[1], colour[2]);
    cairo_set_line_width(cr, 1.9);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    cairo_set_dash(cr, dashes[line].marks, dashes[line].n, 0);
}

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

static void draw_series(cairo_t *cr, const lam_series *s, const lam_axis axes[2], const box *b)
{
    double width = b->right - b->left, height = b->bottom - b->top;
    double before[2] = { (double)NAN, (double)NAN }, here[2], next[2], pen[2] = { (double)NAN, (double)NAN };
    set_line(cr, s);
    cairo_new_path(cr);
    point_at(s, 0, axes, here);
    for (size_t i = 0; i < s->n; i++) {
        point_at(s, i + 1, axes, next);
        double from[2] = { before[0], before[1] }, to[2] = { here[0], here[1] };
        if (!isnan(from[0]) && !isnan(to[0]) && cut_segment(from, to)) {
            if (!same_point(from, pen))
                cairo_move_to(cr, b->left + from[0] * width, b->bottom - from[1] * height);
            cairo_line_to(cr, b->left + to[0] * width, b->bottom - to[1] * height);
            memcpy(pen, to, sizeof pen);
        } else if (isnan(before[0]) && isnan(next[0]) && fabs(here[0]) < 2 && fabs(here[1]) < 2) { /* a point on its own */
            double x = b->left + here[0] * width, y = b->bottom - here[1] * height;
            cairo_stroke(cr);
            cairo_arc(cr, x, y, 2.6, 0, 6.2831853);
            cairo_fill(cr);
            pen[0] = (double)NAN;
        }
        memcpy(before, here, sizeof before);
        memcpy(here, next, sizeof here);
    }
    cairo_stroke(cr);
    cairo_set_dash(cr, NULL, 0, 0);
}

/* ---- axes --------------------------------------------------------------------------------------------------------- */

static void find_range(const lam_panel *p, int vertical, double *low, double *high)
{
    int log = vertical ? p->log_y : p->log_x;
    *low = (double)INFINITY;
    *high = -(double)INFINITY;
    for (size_t i = 0; i < p->n_series; i++) {
        for (size_t j = 0; j < p->series[i].n; j++) {
            double value = vertical ? p->series[i].y[j] : p->series[i].x[j];
            double other = vertical ? p->series[i].x[j] : p->series[i].y[j];
            if (!isfinite(value) || !isfinite(other) || (log && value <= 0))
                continue;
            *low = fmin(*low, value);
            *high = fmax(*high, value);
        }
    }
    if (vertical && *low < *high) { /* air above and below */
        double air = log ? pow(*high / *low, 0.04) : 0.04 * (*high - *low);
        *low = log ? *low / air : *low - air;
        *high = log ? *high * air : *high + air;
    }
}

/* Widest label of an axis at the size of ticks. */
static double widest_label(cairo_t *cr, const lam_axis *axis)
{
    double widest = 0;
    set_font(cr, tick_size, 0);
    for (size_t i = 0; i < axis->n_ticks; i++) {
        char text[LAM_AXIS_LABEL];
        lam_axis_label(axis, axis->ticks[i], text);
        widest = fmax(widest, text_width(cr, text));
    }
    return widest;
}

/* The axis with as many ticks as its labels leave room for. */
static void make_axis(cairo_t *cr, const lam_panel *p, int vertical, double length, lam_axis *axis)
{
    double low = vertical ? p->y_low : p->x_low, high = vertical ? p->y_high : p->x_high;
    size_t wanted = (size_t)clamp(length / (vertical ? 44 : 60), 2, 10);
    if (low == high)
        find_range(p, vertical, &low, &high);
    for (; wanted >= 2; wanted--) {
        lam_axis_make(axis, low, high, vertical ? p->log_y : p->log_x, wanted);
        if (vertical || (widest_label(cr, axis) + 12) * (double)axis->n_ticks < length)
            break;
    }
}

static void draw_grid(cairo_t *cr, const lam_axis axes[2], const box *b)
{
    cairo_set_line_width(cr, 1);
    for (int vertical = 0; vertical < 2; vertical++) {
        for (size_t i = 0; i < axes[vertical].n_ticks; i++) {
            char text[LAM_AXIS_LABEL];
            double at = lam_axis_at(&axes[vertical], axes[vertical].ticks[i]);
            double x = vertical ? b->left : b->left + at * (b->right - b->left);
            double y = vertical ? b->bottom - at * (b->bottom - b->top) : b->bottom;
            x = floor(x) + 0.5; /* lines of one pixel fall on one row of pixels */
            y = floor(y) + 0.5;
            cairo_set_source_rgb(cr, 0.9, 0.9, 0.9);
            cairo_move_to(cr, x, y);
            cairo_line_to(cr, vertical ? b->right : x, vertical ? y : b->top);
            cairo_stroke(cr);
            ink(cr);
            lam_axis_label(&axes[vertical], axes[vertical].ticks[i], text);
            set_font(cr, tick_size, 0);
            if (vertical)
                put_text(cr, x - 8, y + 0.36 * tick_size, 1, text);
            else
                put_text(cr, x, y + 6 + tick_size, 0.5, text);
        }
    }
}

static void draw_frame(cairo_t *cr, const box *b)
{
    ink(cr);
    cairo_set_line_width(cr, 1);
    cairo_move_to(cr, floor(b->left) + 0.5, b->top);
    cairo_line_to(cr, floor(b->left) + 0.5, floor(b->bottom) + 0.5);
    cairo_line_to(cr, b->right, floor(b->bottom) + 0.5);
    cairo_stroke(cr);
}

/* ---- panels ------------------------------------------------------------------------------------------------------- */

static void draw_labels(cairo_t *cr, const lam_panel *p, const box *outer, const box *b)
{
    double middle = 0.5 * (b->top + b->bottom);
    ink(cr);
    if (p->title != NULL) {
        fit_font(cr, label_size, 1, p->title, outer->right - b->left);
        put_text(cr, 0.5 * (b->left + b->right), outer->top + label_size, 0.5, p->title);
    }
    if (p->x_label != NULL) {
        fit_font(cr, label_size, 0, p->x_label, outer->right - outer->left);
        put_text(cr, 0.5 * (b->left + b->right), outer->bottom - 3, 0.5, p->x_label);
    }
    if (p->y_label != NULL) {
        fit_font(cr, label_size, 0, p->y_label, b->bottom - b->top);
        cairo_save(cr);
        cairo_translate(cr, outer->left + label_size, middle);
        cairo_rotate(cr, -1.5707963267948966);
        put_text(cr, 0, 0, 0.5, p->y_label);
        cairo_restore(cr);
    }
}

static void draw_panel(cairo_t *cr, const lam_panel *p, const box *outer)
{
    lam_axis axes[2];
    box b = *outer;
    b.top += p->title != NULL ? label_size + 10 : 4;
    b.bottom -= tick_size + 10 + (p->x_label != NULL ? label_size + 8 : 0);
    make_axis(cr, p, 1, b.bottom - b.top, &axes[1]);
    b.left += widest_label(cr, &axes[1]) + 10 + (p->y_label != NULL ? label_size + 8 : 0);
    b.right -= 10; /* half of the last label of x stands there */
    make_axis(cr, p, 0, b.right - b.left, &axes[0]);
    draw_grid(cr, axes, &b);
    cairo_save(cr);
    cairo_rectangle(cr, b.left, b.top, b.right - b.left + 1, b.bottom - b.top);
    cairo_clip(cr);
    for (size_t i = 0; i < p->n_series; i++)
        draw_series(cr, &p->series[i], axes, &b);
    cairo_restore(cr);
    draw_frame(cr, &b);
    draw_labels(cr, p, outer, &b);
}

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
            if (s->name != NULL && !is_listed(list, n, s->name))
                list[n++] = s;
        }
    }
    return n;
}

/* Columns of equal width, as many as fit, rows as even as they go. Moves *top below them. */
static void draw_legend(cairo_t *cr, const lam_series *const *list, size_t n, double left, double right, double *top)
{
    double widest = 0;
    set_font(cr, legend_size, 0);
    for (size_t i = 0; i < n; i++)
        widest = fmax(widest, text_width(cr, list[i]->name));
    if (n == 0)
        return;
    widest = fmin(widest, right - left - SAMPLE - 8);
    double column = SAMPLE + 8 + widest + LEGEND_GAP;
    size_t fit = (size_t)fmax(1, floor((right - left + LEGEND_GAP) / column)), rows = (n + fit - 1) / fit;
    size_t across = (n + rows - 1) / rows;
    double start = 0.5 * (left + right - (double)across * column + LEGEND_GAP);
    for (size_t i = 0; i < n; i++) {
        double x = start + (double)(i % across) * column, y = *top + (double)(i / across) * LEGEND_ROW;
        set_line(cr, list[i]);
        cairo_move_to(cr, x, y + 0.5 * LEGEND_ROW);
        cairo_line_to(cr, x + SAMPLE, y + 0.5 * LEGEND_ROW);
        cairo_stroke(cr);
        cairo_set_dash(cr, NULL, 0, 0);
        ink(cr);
        fit_font(cr, legend_size, 0, list[i]->name, widest);
        put_text(cr, x + SAMPLE + 8, y + 0.5 * LEGEND_ROW + 0.36 * legend_size, 0, list[i]->name);
    }
    *top += (double)rows * LEGEND_ROW + 8;
}

/* Pixels that title and legend take; list [n] may be empty. */
static void draw_plot(cairo_t *cr, const lam_plot *plot, double width, double height, const lam_series *const *list, size_t n)
{
    double top = MARGIN, count = (double)plot->n_panels;
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    ink(cr);
    if (plot->title != NULL) {
        fit_font(cr, title_size, 1, plot->title, width - 2 * MARGIN);
        put_text(cr, 0.5 * width, top + title_size, 0.5, plot->title);
        top += title_size + 12;
    }
    draw_legend(cr, list, n, MARGIN, width - MARGIN, &top);
    double each = (width - 2 * MARGIN - (count - 1) * PANEL_GAP) / count;
    for (size_t i = 0; i < plot->n_panels; i++) {
        double left = MARGIN + (double)i * (each + PANEL_GAP);
        const box outer = { left, top, left + each, fmax(height - MARGIN, top + 80) };
        draw_panel(cr, &plot->panels[i], &outer);
    }
}

/* ---- the file ----------------------------------------------------------------------------------------------------- */

static int is_text(const char *text)
{
    return text == NULL || lam_utf8_valid(text);
}

static lam_status check_panel(const lam_panel *p)
{
    int valid = is_text(p->title) && is_text(p->x_label) && is_text(p->y_label);
    if (p->n_series > 0 && p->series == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "lam_plot_write: a panel counts %zu series and has none", p->n_series);
    for (size_t i = 0; i < p->n_series; i++) {
        const lam_series *s = &p->series[i];
        if (s->n > 0 && (s->x == NULL || s->y == NULL))
            return lam_fail(LAM_ERR_ARGUMENT, "lam_plot_write: series %zu counts %zu points and has none", i + 1, s->n);
        valid = valid && is_text(s->name);
    }
    return valid ? LAM_OK : lam_fail(LAM_ERR_ARGUMENT, "lam_plot_write: a title, label or name is not UTF-8");
}

static lam_status check_plot(const lam_plot *plot, const char *path)
{
    if (plot == NULL || path == NULL || plot->panels == NULL || plot->n_panels < 1 || plot->n_panels > 2)
        return lam_fail(LAM_ERR_ARGUMENT, "lam_plot_write needs a path and one or two panels");
    const double sides[2] = { plot->width, plot->height };
    for (int i = 0; i < 2; i++)
        if (sides[i] != 0 && !(sides[i] >= 150 && sides[i] <= 10000))
            return lam_fail(LAM_ERR_ARGUMENT, "lam_plot_write: a %s of %g is not within 150 to 10000; 0 chooses one",
                i == 0 ? "width" : "height", sides[i]);
    if (!is_text(plot->title))
        return lam_fail(LAM_ERR_ARGUMENT, "lam_plot_write: the title is not UTF-8");
    for (size_t i = 0; i < plot->n_panels; i++)
        LAM_TRY(check_panel(&plot->panels[i]));
    return LAM_OK;
}

static int ends_with(const char *path, const char *ending)
{
    size_t n = strlen(path), m = strlen(ending);
    return n > m && strcasecmp(path + n - m, ending) == 0;
}

static cairo_status_t put_bytes(void *stream, const unsigned char *bytes, unsigned int n)
{
    return fwrite(bytes, 1, n, stream) == n ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static cairo_surface_t *make_surface(const char *path, FILE *stream, double width, double height)
{
    if (ends_with(path, ".png"))
        return cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)ceil(2 * width), (int)ceil(2 * height));
    if (ends_with(path, ".pdf"))
        return cairo_pdf_surface_create_for_stream(put_bytes, stream, width, height);
    cairo_surface_t *surface = cairo_svg_surface_create_for_stream(put_bytes, stream, width, height);
    cairo_svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PX);
    return surface;
}

static lam_status write_plot(const lam_plot *plot, const char *path, FILE *stream)
{
    double width = plot->width != 0 ? plot->width : plot->n_panels == 1 ? 600 : 980;
    double height = plot->height != 0 ? plot->height : 430;
    size_t room = plot->panels[0].n_series + (plot->n_panels > 1 ? plot->panels[1].n_series : 0);
    const lam_series **list = lam_alloc(room, sizeof(void *));
    if (list == NULL)
        return LAM_ERR_MEMORY;
    cairo_surface_t *surface = make_surface(path, stream, width, height);
    cairo_t *cr = cairo_create(surface);
    if (ends_with(path, ".png"))
        cairo_scale(cr, 2, 2);
    draw_plot(cr, plot, width, height, list, list_series(plot, list));
    cairo_status_t status = cairo_status(cr);
    cairo_destroy(cr);
    if (status == CAIRO_STATUS_SUCCESS && ends_with(path, ".png"))
        status = cairo_surface_write_to_png_stream(surface, put_bytes, stream);
    cairo_surface_finish(surface);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    lam_free(list);
    if (status == CAIRO_STATUS_NO_MEMORY)
        return lam_fail(LAM_ERR_MEMORY, "drawing %s: out of memory", path);
    if (status != CAIRO_STATUS_SUCCESS)
        return lam_fail(LAM_ERR_IO, "drawing %s failed: %s%s", path, cairo_status_to_string(status),
            status == CAIRO_STATUS_WRITE_ERROR ? "; is the disk full?" : "");
    return LAM_OK;
}

lam_status lam_plot_write(const lam_plot *plot, const char *path)
{
    lam_out_file file;
    LAM_TRY(check_plot(plot, path));
    if (!ends_with(path, ".svg") && !ends_with(path, ".png") && !ends_with(path, ".pdf"))
        return lam_fail(LAM_ERR_ARGUMENT, "cannot draw %s: the name should end in .svg, .png or .pdf", path);
    LAM_TRY(lam_out_open(&file, path));
    lam_status status = write_plot(plot, path, file.stream);
    if (status != LAM_OK) {
        lam_out_abandon(&file);
        return status;
    }
    return lam_out_commit(&file);
}

#else

lam_status lam_plot_write(const lam_plot *plot, const char *path)
{
    (void)plot;
    return lam_fail(LAM_ERR_UNSUPPORTED, "cannot draw %s: this build has no pictures; install libcairo2-dev and build again",
        path == NULL ? "a picture" : path);
}

#endif
