/* One panel: its axes, margins, grid, frame and labels. */
#include "laminar.h"

#ifdef LAM_HAVE_CAIRO
#include "report/draw.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { BAR_GAP = 10, BAR_WIDTH = 12, MARGIN_X = 10 };

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* ---- axes --------------------------------------------------------------------------------------------------------- */

/* Widest label of an axis at the size of ticks. */
static double widest_label(lam_canvas *c, const lam_axis *axis)
{
    double widest = 0;
    lam_draw_font(c, c->tick_size, 0);
    for (size_t i = 0; i < axis->n_ticks; i++) {
        char text[LAM_AXIS_LABEL];
        lam_axis_label(axis, axis->ticks[i], text);
        widest = fmax(widest, lam_draw_width(c, text));
    }
    return widest;
}

/* Every second tick, the even multiples of the step; of three the outer ones. */
static void thin_ticks(lam_axis *axis)
{
    size_t n = 0, first = axis->n_ticks != 3 && axis->step > 0 && fmod(round(axis->ticks[0] / axis->step), 2) != 0;
    for (size_t i = first; i < axis->n_ticks; i += 2)
        axis->ticks[n++] = axis->ticks[i];
    axis->n_ticks = n;
    axis->step *= 2;
}

/* Neighbouring labels keep apart. */
static int has_room(lam_canvas *c, const lam_axis *axis, int vertical, double length)
{
    double wanted = vertical ? c->tick_size + 8 : widest_label(c, axis) + 10;
    for (size_t i = 1; i < axis->n_ticks; i++)
        if ((lam_axis_at(axis, axis->ticks[i]) - lam_axis_at(axis, axis->ticks[i - 1])) * length < wanted)
            return 0;
    return 1;
}

static void spread_ticks(lam_canvas *c, lam_axis *axis, int vertical, double length)
{
    while (axis->n_ticks > 1 && !has_room(c, axis, vertical, length))
        thin_ticks(axis);
}

/* Of an x axis, ticks whose labels stick out no further than into the margin. */
static size_t count_labels(lam_canvas *c, const lam_axis *axis, int vertical, double length)
{
    double half = vertical ? 0 : 0.5 * widest_label(c, axis);
    size_t n = 0;
    for (size_t i = 0; i < axis->n_ticks; i++) {
        double at = lam_axis_at(axis, axis->ticks[i]) * length;
        n += at - half >= -MARGIN_X && at + half <= length + MARGIN_X;
    }
    return n;
}

/* The axis with as many ticks as its labels leave room for. */
static void make_axis(lam_canvas *c, const lam_panel *p, int vertical, double length, lam_axis *axis)
{
    double low = vertical ? p->y_low : p->x_low, high = vertical ? p->y_high : p->x_high;
    size_t wanted = (size_t)clamp(length / (vertical ? 44 : 60), 2, 10);
    int log = vertical ? p->log_y : p->log_x;
    if (low == high)
        lam_axis_range(p, vertical, &low, &high);
    for (; wanted >= 2; wanted--) {
        lam_axis_make(axis, low, high, log, wanted);
        if (has_room(c, axis, vertical, length))
            break;
    }
    spread_ticks(c, axis, vertical, length);
    for (size_t more = 3; count_labels(c, axis, vertical, length) < 3 && more <= 8; more++) { /* round steps left one or none */
        lam_axis finer;
        lam_axis_make(&finer, low, high, log, more);
        spread_ticks(c, &finer, vertical, length);
        if (count_labels(c, &finer, vertical, length) > count_labels(c, axis, vertical, length))
            *axis = finer;
    }
}

/* ---- margins ------------------------------------------------------------------------------------------------------ */

void lam_panel_vertical(const lam_canvas *c, const lam_panel *p, lam_place *place)
{
    place->top = p->title != NULL ? lam_draw_title_height(p->title) : 4;
    place->bottom = (p->hide_x ? 4 : c->tick_size + 10) + (p->x_label != NULL ? c->label_size + 8 : 0);
}

void lam_panel_horizontal(lam_canvas *c, const lam_panel *p, double height, lam_place *place)
{
    make_axis(c, p, 1, height, &place->axes[1]);
    place->left = (p->hide_y ? 6 : widest_label(c, &place->axes[1]) + 10) + (p->y_label != NULL ? c->label_size + 8 : 0);
    place->right = MARGIN_X; /* half of the last label of x stands there */
    lam_axis_z_range(p, place->range);
    lam_axis_make(&place->axes[2], place->range[0], place->range[1], 0, (size_t)clamp(height / 44, 2, 10));
    place->range[0] = place->axes[2].low;
    place->range[1] = place->axes[2].high;
    if (p->z_label != NULL)
        place->right = BAR_GAP + BAR_WIDTH + 8 + widest_label(c, &place->axes[2]) + c->label_size + 8;
}

void lam_panel_x_axis(lam_canvas *c, const lam_panel *p, double width, lam_place *place)
{
    make_axis(c, p, 0, width, &place->axes[0]);
}

/* ---- drawing ------------------------------------------------------------------------------------------------------ */

static void grid_line(lam_canvas *c, int vertical, double x, double y, const lam_box *b, int over)
{
    cairo_set_line_width(c->cr, 1);
    lam_draw_colour(c, over ? c->colours.ink : c->colours.grid, 1);
    cairo_move_to(c->cr, x, y);
    if (over) /* a map covers the grid: a mark outside of the frame instead */
        cairo_line_to(c->cr, vertical ? x - 4 : x, vertical ? y : y + 4);
    else
        cairo_line_to(c->cr, vertical ? b->right : x, vertical ? y : b->top);
    cairo_stroke(c->cr);
}

/* Grid lines (over 0) below the series, marks on maps and labels (over 1) above them. */
static void draw_grid(lam_canvas *c, const lam_panel *p, const lam_place *place, int marks, int over)
{
    const lam_box *b = &place->frame;
    for (int vertical = 0; vertical < 2; vertical++) {
        const lam_axis *axis = &place->axes[vertical];
        int hide = vertical ? p->hide_y : p->hide_x;
        for (size_t i = 0; i < axis->n_ticks && hide < 2; i++) {
            char text[LAM_AXIS_LABEL];
            double at = lam_axis_at(axis, axis->ticks[i]);
            double x = vertical ? b->left : b->left + at * (b->right - b->left);
            double y = vertical ? b->bottom - at * (b->bottom - b->top) : b->bottom;
            x = floor(x) + 0.5; /* lines of one pixel fall on one row of pixels */
            y = floor(y) + 0.5;
            if (marks == over)
                grid_line(c, vertical, x, y, b, over);
            if (!over || hide)
                continue;
            lam_axis_label(axis, axis->ticks[i], text);
            lam_draw_font(c, c->tick_size, 0);
            double half = 0.5 * lam_draw_width(c, text);
            if (vertical)
                lam_draw_text(c, x - 8, y + 0.36 * c->tick_size, 1, text);
            else if (x - half >= place->outer.left && x + half <= place->outer.right) /* else it would run into a neighbour's */
                lam_draw_text(c, x, y + 6 + c->tick_size, 0.5, text);
        }
    }
}

static void draw_frame(lam_canvas *c, const lam_box *b, int closed)
{
    double left = floor(b->left) + 0.5, bottom = floor(b->bottom) + 0.5;
    lam_draw_colour(c, c->colours.ink, 1);
    cairo_set_line_width(c->cr, 1);
    cairo_move_to(c->cr, left, closed ? floor(b->top) + 0.5 : b->top);
    cairo_line_to(c->cr, left, bottom);
    cairo_line_to(c->cr, closed ? floor(b->right) + 0.5 : b->right, bottom);
    if (closed) {
        cairo_line_to(c->cr, floor(b->right) + 0.5, floor(b->top) + 0.5);
        cairo_close_path(c->cr);
    }
    cairo_stroke(c->cr);
}

/* Draws label and what has to be said of the axis's numbers, which is never cut: the label is. */
static void draw_label(lam_canvas *c, double x, double y, const char *label, const lam_axis *axis, double widest)
{
    char remark[2 * LAM_AXIS_LABEL], text[512];
    size_t n = strlen(label);
    lam_axis_remark(axis, remark);
    if (remark[0] == '\0') {
        lam_draw_fitted(c, x, y, 0.5, label, c->label_size, 0, widest);
        return;
    }
    n = n < 400 ? n : 400;
    do {
        while (n > 0 && ((unsigned char)label[n] & 0xc0) == 0x80) /* not within a character */
            n--;
        snprintf(text, sizeof text, "%.*s%s%s%s", (int)n, label, label[n] != '\0' ? "\xe2\x80\xa6" : "", label[0] != '\0' ? ", " : "",
            remark);
        lam_draw_font(c, LAM_LEAST_SIZE, 0);
    } while (lam_draw_width(c, text) > widest && n-- > 0);
    lam_draw_fitted(c, x, y, 0.5, text, c->label_size, 0, widest);
}

/* The same along an upright axis. */
static void draw_upright(lam_canvas *c, double x, const lam_box *b, const char *label, const lam_axis *axis)
{
    cairo_save(c->cr);
    cairo_translate(c->cr, x, 0.5 * (b->top + b->bottom));
    cairo_rotate(c->cr, -1.5707963267948966);
    draw_label(c, 0, 0, label, axis, b->bottom - b->top);
    cairo_restore(c->cr);
}

static void draw_labels(lam_canvas *c, const lam_panel *p, const lam_place *place)
{
    const lam_box *b = &place->frame, *outer = &place->outer;
    double middle = 0.5 * (b->left + b->right), half = fmin(middle - outer->left, outer->right - middle);
    if (p->title != NULL)
        lam_draw_title(c, middle, outer->top, p->title, 2 * half);
    if (p->x_label != NULL)
        draw_label(c, middle, b->bottom + place->bottom - 3, p->x_label, &place->axes[0], 2 * half);
    if (p->y_label != NULL)
        draw_upright(c, b->left - place->left + c->label_size, b, p->y_label, &place->axes[1]);
}

static void draw_bar(lam_canvas *c, const lam_panel *p, const lam_place *place)
{
    const lam_axis *axis = &place->axes[2];
    const lam_box *b = &place->frame;
    const lam_box bar = { floor(b->right) + BAR_GAP, b->top, floor(b->right) + BAR_GAP + BAR_WIDTH, b->bottom };
    char text[LAM_AXIS_LABEL];
    lam_draw_scale(c, &bar);
    draw_frame(c, &bar, 1);
    for (size_t i = 0; i < axis->n_ticks; i++) {
        double y = floor(b->bottom - lam_axis_at(axis, axis->ticks[i]) * (b->bottom - b->top)) + 0.5;
        lam_axis_label(axis, axis->ticks[i], text);
        lam_draw_font(c, c->tick_size, 0);
        lam_draw_text(c, bar.right + 8, y + 0.36 * c->tick_size, 0, text);
        lam_draw_colour(c, c->colours.ink, 1);
        cairo_move_to(c->cr, bar.right + 0.5, y);
        cairo_line_to(c->cr, bar.right + 4, y);
        cairo_stroke(c->cr);
    }
    draw_upright(c, b->right + place->right - 4, b, p->z_label, axis);
}

void lam_panel_draw(lam_canvas *c, const lam_panel *p, const lam_place *place)
{
    const lam_box *b = &place->frame;
    int maps = 0;
    for (size_t i = 0; i < p->n_series; i++)
        maps |= p->series[i].kind == LAM_SERIES_MAP;
    draw_grid(c, p, place, maps, 0);
    cairo_save(c->cr);
    cairo_rectangle(c->cr, b->left, b->top, b->right - b->left + 1, b->bottom - b->top);
    cairo_clip(c->cr);
    for (size_t i = 0; i < p->n_series; i++)
        lam_draw_series(c, p, &p->series[i], place->axes, b, place->range);
    cairo_restore(c->cr);
    draw_grid(c, p, place, maps, 1);
    draw_frame(c, b, maps);
    draw_labels(c, p, place);
    if (p->z_label != NULL)
        draw_bar(c, p, place);
}

#endif
