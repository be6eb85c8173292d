/* What the files that draw pictures share: the canvas, texts, series, panels, the layout. With cairo only. Lengths are pixels (points
 * in a PDF), y grows downwards. */
#ifndef LAM_REPORT_DRAW_H
#define LAM_REPORT_DRAW_H
#include "report/axis.h"
#include "report/colour.h"
#include <cairo.h>

typedef struct lam_canvas {
    cairo_t *cr;
    lam_colours colours;
    double tick_size, label_size; /* of letters at the axes */
    lam_status status; /* the first failure while drawing; cairo keeps its own */
} lam_canvas;

typedef struct lam_box {
    double left, top, right, bottom;
} lam_box;

/* ---- texts (draw_text.c) ------------------------------------------------------------------------------------------ */

enum { LAM_TITLE_SIZE = 15, LAM_LABEL_SIZE = 13, LAM_TICK_SIZE = 12, LAM_SMALLER = 2 /* in small frames */, LAM_LEGEND_SIZE = 12, LAM_NOTE_SIZE = 11, LAM_LEAST_SIZE = 9 };

/* Sets size and weight; the same metrics on every kind of surface. */
void lam_draw_font(lam_canvas *canvas, double size, int bold);
double lam_draw_width(lam_canvas *canvas, const char *text);
/* Draws text in ink at base line y; align 0: it begins at x, 0.5: centred there, 1: ends there. */
void lam_draw_text(lam_canvas *canvas, double x, double y, double align, const char *text);
/* The same at most `widest` wide: smaller than size, down to LAM_LEAST_SIZE, then cut and ended by dots. */
void lam_draw_fitted(lam_canvas *canvas, double x, double y, double align, const char *text, double size, int bold, double widest);
/* Lines of text (broken after \n), LAM_LABEL_SIZE, the first one bold, around x from top on. */
void lam_draw_title(lam_canvas *canvas, double x, double top, const char *text, double widest);
double lam_draw_title_height(const char *text);
/* Text broken into lines at spaces, from (x, y) on; draw 0: only counts them. */
size_t lam_draw_note(lam_canvas *canvas, double x, double y, const char *text, double widest, int draw);
void lam_draw_colour(lam_canvas *canvas, const double rgb[3], double opacity);

/* ---- series (draw_series.c) --------------------------------------------------------------------------------------- */

enum { LAM_DRAW_SAMPLE = 28 }; /* width of a legend's sample */
/* Clipped by the caller. range: what the ends of the colour scale stand for. */
void lam_draw_series(lam_canvas *canvas, const lam_panel *panel, const lam_series *series, const lam_axis axes[2], const lam_box *frame,
    const double range[2]);
void lam_draw_sample(lam_canvas *canvas, const lam_series *series, double x, double y);
/* The colour scale from the bottom to the top of a box. */
void lam_draw_scale(lam_canvas *canvas, const lam_box *box);

/* ---- panels (draw_panel.c) ---------------------------------------------------------------------------------------- */

/* Where a panel is. Margins are what lies around the frame, as much as the panel itself needs. */
typedef struct lam_place {
    lam_axis axes[3];  /* x, y, and of the colour bar */
    double range[2];   /* of the colour scale */
    double left, right, top, bottom;
    lam_box frame, outer;
} lam_place;

void lam_panel_vertical(const lam_canvas *canvas, const lam_panel *panel, lam_place *place); /* margins top and bottom */
void lam_panel_horizontal(lam_canvas *canvas, const lam_panel *panel, double height, lam_place *place); /* y axis, left, right */
void lam_panel_x_axis(lam_canvas *canvas, const lam_panel *panel, double width, lam_place *place);
void lam_panel_draw(lam_canvas *canvas, const lam_panel *panel, const lam_place *place);

/* ---- the whole (draw_plot.c) -------------------------------------------------------------------------------------- */

typedef struct lam_plan {
    double width, height;
    lam_place *place;        /* [n_panels] */
    const lam_series **list; /* [n_list] of the legend */
    size_t n_list;
} lam_plan;

/* Measures with canvas, whose surface may be any. Free the plan in either case. */
lam_status lam_plan_make(lam_canvas *canvas, const lam_plot *plot, lam_plan *plan);
void lam_plan_free(lam_plan *plan);
void lam_plan_draw(lam_canvas *canvas, const lam_plot *plot, const lam_plan *plan);

#endif
