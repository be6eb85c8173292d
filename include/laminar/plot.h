/* Charts of curves, points, bars and maps, and pictures of models, as SVG, PNG or PDF. */
#ifndef LAMINAR_PLOT_H
#define LAMINAR_PLOT_H
#include <laminar/measure.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum lam_line_style { LAM_LINE_SOLID, LAM_LINE_DASHED, LAM_LINE_DOTTED, LAM_LINE_DASHDOT } lam_line_style;

/* What a series is drawn as, and what its x, y and z are then. Zeros are a line.
 *   LINE     through the points x, y [n]; a NaN breaks it, a point alone between breaks is a dot
 *   POINTS   a dot at each of x, y [n]; NaN: none
 *   BARS     heights y [n], from 0 up, over the intervals between the edges x [n + 1]
 *   MAP      z [rows, columns] as colours (NaN: none), filling the rectangle from x[0], y[0] to x[1], y[1] (n is 2); the first row is
 *            the one at y[0]. In an SVG or PDF it is one picture, whatever its size. Not on logarithmic axes
 *   CONTOUR  lines where z, the same rectangle's values at the middles of its cells, is levels [n_levels] */
typedef enum lam_series_kind { LAM_SERIES_LINE, LAM_SERIES_POINTS, LAM_SERIES_BARS, LAM_SERIES_MAP, LAM_SERIES_CONTOUR
} lam_series_kind;

typedef struct lam_series {
    const char *name;    /* UTF-8, for the legend (not of maps); NULL: not listed. A name that two panels share is listed once */
    const double *x, *y; /* [n] */
    size_t n;
    size_t colour;       /* 0 to 6 are told apart by colour-blind eyes too; taken modulo 7 */
    lam_line_style line;
    lam_series_kind kind;
    double size;         /* of a dot, its diameter, of a line its width, in pixels; 0: chosen */
    double opacity;      /* above 0, at most 1; 0: 1 */
    const double *z;     /* [rows, columns] */
    size_t rows, columns;
    const double *levels; /* [n_levels] */
    size_t n_levels;
} lam_series;

/* Axes. Low and high are the range shown, curves are cut there; equal ones (zeros) mean: from the data. */
typedef struct lam_panel {
    const char *title, *x_label, *y_label; /* UTF-8; NULL: none. A title's first line is bold, others (after \n) are not */
    const lam_series *series;              /* [n_series], the later ones on top */
    size_t n_series;
    double x_low, x_high, y_low, y_high;
    int log_x, log_y; /* logarithmic axes; points not above 0 are left out */
    const char *z_label;  /* beside a colour bar for the panel's maps; NULL: none */
    double z_low, z_high; /* what the ends of the colour scale stand for; equal ones: from the maps */
    int blank;            /* 1: the place stays empty */
    int hide_x, hide_y;   /* 1: no numbers at that axis, as where the panel below or to the left has them; 2: no grid either */
} lam_panel;

typedef struct lam_plot {
    const char *title;       /* UTF-8; NULL: none */
    const lam_panel *panels; /* [n_panels], row by row */
    size_t n_panels;         /* 1 to LAM_PLOT_PANELS */
    double width, height;    /* in pixels (SVG, PNG at two dots a pixel) or points (PDF); 0: chosen */
    size_t columns;          /* panels side by side; 0: all of them */
    double frame;            /* above 0: every panel's frame is a square of that side, and width and height follow from it */
    double gap;              /* between panels, in pixels; 0: 26 */
    const char *note;        /* UTF-8, in small print below; NULL: none */
    int dark;                /* 1: light on dark */
} lam_plot;
#define LAM_PLOT_PANELS 400

/* Draws a picture of panels to a .svg, .png or .pdf file, atomically. A text too wide for its place is made smaller, down
 * to 9 pixels, and then cut. LAM_ERR_ARGUMENT: nothing to draw, arrays that are missing, texts that are not UTF-8, sizes out of
 * range; LAM_ERR_UNSUPPORTED: this build has no cairo. */
LAM_API lam_status lam_plot_write(const lam_plot *plot, const char *path);

/* ---- pictures of models ----------------------------------------------------------------------------------------------- */

/* A picture of models of tables. All are of the same columns. */
typedef struct lam_picture_model {
    const lam_model *model;
    const char *name; /* UTF-8 */
} lam_picture_model;

/* Panels of two columns; 0 means all. */
enum { LAM_PICTURE_DENSITY = 1, LAM_PICTURE_DRAWS = 2, LAM_PICTURE_PATHS = 4 };

/* What is shown of one or two columns: the density, or its logarithm, of that the 10 nats below its highest. AUTO, of a map, takes the
 * logarithm where not even 1.5 % of the frame have a tenth of the highest density; a curve is a density. */
typedef enum lam_picture_scale { LAM_PICTURE_AUTO, LAM_PICTURE_LINEAR, LAM_PICTURE_LOG } lam_picture_scale;

/* Zeros mean what is said. */
typedef struct lam_picture_options {
    const lam_eval_options *eval; /* NULL: defaults. Pictures are in data units, whatever eval's */
    uint64_t seed;         /* of the draws */
    size_t draws;          /* of each model; 0: 5000 */
    size_t points;         /* shown in a panel at the most; 0: 1000, in a corner of panels 400; of data on a map half of it */
    size_t paths;          /* rows whose paths are shown; 0: 24 */
    size_t grid;           /* places of the density's map along each side; 0: 200 */
    unsigned panels;       /* of two columns: LAM_PICTURE_... added up */
    const size_t *columns; /* [n_columns] that are shown; NULL: the first LAM_PICTURE_COLUMNS */
    size_t n_columns;
    lam_picture_scale scale;
    int dark;              /* 1: light on dark */
} lam_picture_options;
enum { LAM_PICTURE_COLUMNS = 6, LAM_PICTURE_MOST_COLUMNS = 16, LAM_PICTURE_MODELS = 6 };

typedef struct lam_picture_report {
    size_t columns; /* shown */
    char note[768]; /* the small print of the picture: what was thinned, left out or cut off */
} lam_picture_report;

/* Draws models to a .svg, .png or .pdf file, atomically; data (its columns the models'; may be NULL) is laid over them.
 *   one column    the density as a curve over a histogram of the data, without data of the first model's draws
 *   two columns   a model: its density as a map, its draws, and the paths (lam_trajectories) of the same rows from data to base:
 *                 rows of the data, without data draws of the first model. Several models have the same limits
 *   more, or not all of them   a corner: each column's histogram, and below them each pair of columns, the draws as contours that
 *                 hold half and nine tenths of them, the data as points
 * A title says the penalty, and evaluations of f per batch in scoring 1000 rows. Same models, same bytes in .svg and .png (by one process's first
 * picture: cairo numbers what it draws), for any number of threads. report may be NULL.
 * LAM_ERR_ARGUMENT: no model or too many, columns that are not there; LAM_ERR_SHAPE: models or data of other columns; LAM_ERR_DATA:
 * no rows, NaN; LAM_ERR_UNSUPPORTED: this build has no cairo; and what sampling and scoring fail with. Of the map only places are
 * left empty where the solver gives up. */
LAM_API lam_status lam_picture_write(const lam_picture_model *models, size_t n_models, const lam_table *data,
    const lam_picture_options *options, const char *path, lam_picture_report *report);

/* Steps of a model's solves, as lam_measure_steps gives them. */
typedef struct lam_picture_steps {
    const lam_steps *steps;
    const char *name; /* UTF-8 */
} lam_picture_steps;
/* Draws the steps of the first batch of 1 to LAM_PICTURE_MODELS models to a .svg, .png or .pdf file, atomically. Side by side, with the same limits,
 * each has two panels along the time of its flow, block behind block: the lengths of the steps, taken and allowed; and the errors of z and l. dark
 * as in lam_plot. LAM_ERR_ARGUMENT: no models or too many, no steps; LAM_ERR_UNSUPPORTED: this build has no cairo. */
LAM_API lam_status lam_picture_write_steps(const lam_picture_steps *models, size_t n_models, int dark, const char *path);

#ifdef __cplusplus
}
#endif
#endif
