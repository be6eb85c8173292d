/* Draws a panel of curves as SVG for an HTML page. */
#include "report/svg.h"
#include "report/axis.h"
#include <math.h>
#include <string.h>

enum { COLOURS = 7, LINES = 4, TICK = 12, LABEL = 13, MARKS = 5 };

/* Okabe and Ito's palette (2008) without yellow; on dark ground the blue is lighter, and black is white. */
const char lam_svg_style[] =
    ":root{--k0:#0072b2;--k1:#d55e00;--k2:#009e73;--k3:#cc79a7;--k4:#e69f00;--k5:#56b4e9;--k6:#000;--grid:#e3e3e3}\n"
    "@media(prefers-color-scheme:dark){:root{--k0:#4aa3e0;--k1:#f0803c;--k2:#2fc299;--k3:#dd9bc0;--k4:#e9b13b;--k5:#8ccef5;"
    "--k6:#fff;--grid:#3a3d42}}\n"
    ".k0{--k:var(--k0)}.k1{--k:var(--k1)}.k2{--k:var(--k2)}.k3{--k:var(--k3)}.k4{--k:var(--k4)}.k5{--k:var(--k5)}"
    ".k6{--k:var(--k6)}\n"
    "svg text{font:12px sans-serif;fill:currentColor}svg .l{font-size:13px}\n"
    "svg .g{stroke:var(--grid);stroke-width:1;fill:none}svg .f{stroke:currentColor;stroke-width:1;fill:none}\n"
    "svg .s{stroke:var(--k);stroke-width:2;fill:none;stroke-linejoin:round}svg .m{fill:var(--k);stroke:none}\n"
    ".d1{stroke-dasharray:7 3.5}.d2{stroke-dasharray:2 2.6}.d3{stroke-dasharray:8 3 2 3}\n";

typedef struct frame {
    lam_axis axes[2];
    double left, top, right, bottom;
} frame;

void lam_svg_text(FILE *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        switch (*c) {
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '&':
            fputs("&amp;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            if ((unsigned char)*c >= ' ' || *c == '\n' || *c == '\t') /* others have no place in HTML */
                fputc(*c, out);
        }
    }
}

/* About as wide as sans-serif digits are. */
static double text_width(const char *text, double size)
{
    double n = 0;
    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return 0.57 * size * n;
}

/* ---- axes --------------------------------------------------------------------------------------------------------- */

static double widest_label(const lam_axis *axis)
{
    double widest = 0;
    for (size_t i = 0; i < axis->n_ticks; i++) {
        char text[LAM_AXIS_LABEL];
        lam_axis_label(axis, axis->ticks[i], text);
        widest = fmax(widest, text_width(text, TICK));
    }
    return widest;
}

static void make_axis(const lam_panel *p, int vertical, double length, lam_axis *axis)
{
    double low = vertical ? p->y_low : p->x_low, high = vertical ? p->y_high : p->x_high;
    if (low == high)
        lam_axis_range(p, vertical, &low, &high);
    for (size_t wanted = vertical ? 6 : 7; wanted >= 2; wanted--) {
        lam_axis_make(axis, low, high, vertical ? p->log_y : p->log_x, wanted);
        double each = vertical ? 2.2 * TICK : widest_label(axis) + 14;
        if (each * (double)axis->n_ticks < length)
            break;
    }
}

static void draw_axes(FILE *out, const lam_panel *p, const frame *f, double height)
{
    char text[LAM_AXIS_LABEL];
    for (size_t i = 0; i < f->axes[0].n_ticks; i++) {
        double x = f->left + lam_axis_at(&f->axes[0], f->axes[0].ticks[i]) * (f->right - f->left);
        lam_axis_label(&f->axes[0], f->axes[0].ticks[i], text);
        fprintf(out, "<path class=\"g\" d=\"M%.1f %.1fV%.1f\"/><text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n", x,
            f->bottom, f->top, x, f->bottom + TICK + 5, text);
    }
    for (size_t i = 0; i < f->axes[1].n_ticks; i++) {
        double y = f->bottom - lam_axis_at(&f->axes[1], f->axes[1].ticks[i]) * (f->bottom - f->top);
        lam_axis_label(&f->axes[1], f->axes[1].ticks[i], text);
        fprintf(out, "<path class=\"g\" d=\"M%.1f %.1fH%.1f\"/><text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", f->left, y,
            f->right, f->left - 6, y + 0.36 * TICK, text);
    }
    fprintf(out, "<path class=\"f\" d=\"M%.1f %.1fV%.1fH%.1f\"/>\n", f->left, f->top, f->bottom, f->right);
    if (p->x_label != NULL) {
        fprintf(out, "<text class=\"l\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", 0.5 * (f->left + f->right), height - 5);
        lam_svg_text(out, p->x_label);
        fputs("</text>\n", out);
    }
    if (p->y_label != NULL) {
        fprintf(out, "<text class=\"l\" transform=\"translate(%d %.1f)rotate(-90)\" text-anchor=\"middle\">", LABEL,
            0.5 * (f->top + f->bottom));
        lam_svg_text(out, p->y_label);
        fputs("</text>\n", out);
    }
}

/* ---- series ------------------------------------------------------------------------------------------------------- */

static size_t line_of(const lam_series *s)
{
    return (size_t)s->line < LINES ? (size_t)s->line : 0;
}

/* Circle, square, triangle, diamond by the line style, about as large as one another. */
static void put_mark(FILE *out, const lam_series *s, double x, double y, double size)
{
    switch (line_of(s)) {
    case LAM_LINE_SOLID:
        fprintf(out, "<circle class=\"m\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>", x, y, size);
        break;
    case LAM_LINE_DASHED:
        fprintf(out, "<path class=\"m\" d=\"M%.1f %.1fh%.1fv%.1fh%.1fz\"/>", x - 0.9 * size, y - 0.9 * size, 1.8 * size, 1.8 * size,
            -1.8 * size);
        break;
    case LAM_LINE_DOTTED:
        fprintf(out, "<path class=\"m\" d=\"M%.1f %.1fl%.1f %.1fh%.1fz\"/>", x, y - 1.25 * size, 1.15 * size, 2.1 * size, -2.3 * size);
        break;
    default:
        fprintf(out, "<path class=\"m\" d=\"M%.1f %.1fl%.1f %.1fl%.1f %.1fl%.1f %.1fz\"/>", x, y - 1.35 * size, 1.35 * size, 1.35 * size,
            -1.35 * size, 1.35 * size, -1.35 * size, -1.35 * size);
    }
}

/* Where point i is drawn: 1, or 0 if nowhere. What lies far outside comes to the edge of what a reader of SVG need bear. */
static int place(const lam_series *s, size_t i, const frame *f, double at[2])
{
    double x = lam_axis_at(&f->axes[0], s->x[i]), y = lam_axis_at(&f->axes[1], s->y[i]);
    if (isnan(x) || isnan(y))
        return 0;
    at[0] = f->left + fmax(-9, fmin(9, x)) * (f->right - f->left);
    at[1] = f->bottom - fmax(-9, fmin(9, y)) * (f->bottom - f->top);
    return 1;
}

static void draw_series(FILE *out, const lam_series *s, size_t index, const frame *f)
{
    double at[2];
    fprintf(out, "<g class=\"k%zu\">", s->colour % COLOURS);
    if (s->name != NULL) {
        fputs("<title>", out);
        lam_svg_text(out, s->name);
        fputs("</title>", out);
    }
    int pen = 0;
    if (s->n > 1)
        fprintf(out, "<path class=\"s d%zu\" d=\"", line_of(s));
    for (size_t i = 0; s->n > 1 && i < s->n; i++) {
        int seen = place(s, i, f, at);
        if (seen)
            fprintf(out, "%s%.1f %.1f", pen ? "L" : "M", at[0], at[1]);
        pen = seen;
    }
    if (s->n > 1)
        fputs("\"/>", out);
    if (s->n == 1 && place(s, 0, f, at))
        put_mark(out, s, at[0], at[1], 5);
    for (size_t k = 0; s->name != NULL && s->n > 2 && k < MARKS; k++) { /* at other places than the series before has them */
        size_t i = (size_t)((double)(s->n - 1) * ((double)k + 0.2 + 0.15 * (double)(index % 5)) / MARKS);
        if (place(s, i, f, at))
            put_mark(out, s, at[0], at[1], 3.4);
    }
    fputs("</g>\n", out);
}

void lam_svg_sample(FILE *out, const lam_series *series)
{
    fprintf(out, "<svg class=\"k%zu\" viewBox=\"0 0 40 14\" width=\"40\" height=\"14\" aria-hidden=\"true\"><path class=\"s d%zu\" "
        "d=\"M0 7H40\"/>", series->colour % COLOURS, line_of(series));
    put_mark(out, series, 20, 7, 4);
    fputs("</svg>", out);
}

void lam_svg_panel(FILE *out, const lam_panel *p, double width, double height)
{
    static const char unnamed[] = "chart";
    frame f = { .top = 8, .bottom = height - TICK - 10 - (p->x_label != NULL ? LABEL + 8 : 0), .right = width - 14 };
    make_axis(p, 1, f.bottom - f.top, &f.axes[1]);
    f.left = widest_label(&f.axes[1]) + 10 + (p->y_label != NULL ? LABEL + 8 : 0);
    make_axis(p, 0, f.right - f.left, &f.axes[0]);
    fprintf(out, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"", width, height);
    lam_svg_text(out, p->title != NULL ? p->title : unnamed);
    fputs("\">\n", out);
    draw_axes(out, p, &f, height);
    /* a nested svg cuts off what leaves the frame, without a name that two charts of a page could share */
    fprintf(out, "<svg x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" viewBox=\"%.1f %.1f %.1f %.1f\" overflow=\"hidden\">\n",
        f.left - 5, f.top - 5, f.right - f.left + 10, f.bottom - f.top + 10, f.left - 5, f.top - 5, f.right - f.left + 10,
        f.bottom - f.top + 10);
    for (size_t i = 0; i < p->n_series; i++)
        draw_series(out, &p->series[i], i, &f);
    fputs("</svg></svg>\n", out);
}
