/* lam_plot_write: what is drawn (draw.h) goes to a file, atomically. */
#include "report/plot.h"
#include "base/error.h"
#include "base/need.h"
#include "base/file.h"

#ifdef LAM_HAVE_CAIRO
#include "base/utf8.h"
#include "report/draw.h"
#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <math.h>

/* ---- what is refused ---------------------------------------------------------------------------------------------- */

static int is_text(const char *text)
{
    return text == NULL || lam_utf8_valid(text);
}

static lam_status check_grid(const lam_panel *p, const lam_series *s, size_t number)
{
    if (s->n != 2 || s->z == NULL || s->rows == 0 || s->columns == 0 || s->rows > 8192 || s->columns > 8192)
        return lam_fail(LAM_ERR_ARGUMENT, "lam_plot_write: series %zu is a map or contour, and needs the two corners of its rectangle "
            "and 1 to 8192 rows and columns of values", number);
    if (!(s->x[0] < s->x[1]) || !(s->y[0] < s->y[1]) || !isfinite(s->x[0] + s->x[1] + s->y[0] + s->y[1]))
        return lam_fail(LAM_ERR_ARGUMENT, "lam_plot_write: series %zu has a rectangle from (%g, %g) to (%g, %g)", number, s->x[0],
            s->y[0], s->x[1], s->y[1]);
    if (p->log_x || p->log_y)
        return lam_fail(LAM_ERR_ARGUMENT, "lam_plot_write: series %zu is a map or contour, on a logarithmic axis", number);
    if (s->kind == LAM_SERIES_CONTOUR && s->n_levels > 0 && s->levels == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "lam_plot_write: series %zu counts %zu levels and has none", number, s->n_levels);
    return LAM_OK;
}

static lam_status check_series(const lam_panel *p, const lam_series *s, size_t number)
{
    if ((unsigned)s->kind > LAM_SERIES_CONTOUR)
        return lam_fail(LAM_ERR_ARGUMENT, "lam_plot_write: series %zu is of no kind (%u)", number, (unsigned)s->kind);
    if (s->n > 0 && (s->x == NULL || s->y == NULL))
        return lam_fail(LAM_ERR_ARGUMENT, "lam_plot_write: series %zu counts %zu points and has none", number, s->n);
    if (!(s->size >= 0 && s->size <= 100) || !(s->opacity >= 0 && s->opacity <= 1))
        return lam_fail(LAM_ERR_ARGUMENT, "lam_plot_write: series %zu has a size of %g (0 to 100) and an opacity of %g (0 to 1)", number,
            s->size, s->opacity);
    return s->kind == LAM_SERIES_MAP || s->kind == LAM_SERIES_CONTOUR ? check_grid(p, s, number) : LAM_OK;
}

static lam_status check_panel(const lam_panel *p)
{
    int valid = is_text(p->title) && is_text(p->x_label) && is_text(p->y_label) && is_text(p->z_label);
    if (p->n_series > 0 && p->series == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "lam_plot_write: a panel counts %zu series and has none", p->n_series);
    for (size_t i = 0; i < p->n_series; i++) {
        LAM_TRY(check_series(p, &p->series[i], i + 1));
        valid = valid && is_text(p->series[i].name);
    }
    return valid ? LAM_OK : lam_fail(LAM_ERR_ARGUMENT, "lam_plot_write: a title, label or name is not UTF-8");
}

static lam_status check_length(const char *what, double length, double least, double most)
{
    if (length == 0 || (length >= least && length <= most))
        return LAM_OK;
    return lam_fail(LAM_ERR_ARGUMENT, "lam_plot_write: a %s of %g is not within %g to %g; 0 chooses one", what, length, least, most);
}

static lam_status check_plot(const lam_plot *plot, const char *path)
{
    if (plot == NULL || path == NULL || plot->panels == NULL || plot->n_panels < 1 || plot->n_panels > LAM_PLOT_PANELS)
        return lam_fail(LAM_ERR_ARGUMENT, "lam_plot_write needs a path and 1 to %d panels", LAM_PLOT_PANELS);
    LAM_TRY(check_length("width", plot->width, 150, 10000));
    LAM_TRY(check_length("height", plot->height, 150, 10000));
    LAM_TRY(check_length("frame", plot->frame, 40, 2000));
    LAM_TRY(check_length("gap", plot->gap, 1, 200));
    if (!is_text(plot->title) || !is_text(plot->note))
        return lam_fail(LAM_ERR_ARGUMENT, "lam_plot_write: the title or the note is not UTF-8");
    for (size_t i = 0; i < plot->n_panels; i++)
        LAM_TRY(check_panel(&plot->panels[i]));
    return LAM_OK;
}

lam_status lam_plot_check_path(const char *path)
{
    if (path == NULL
        || (!lam_path_ends_with(path, ".svg") && !lam_path_ends_with(path, ".png") && !lam_path_ends_with(path, ".pdf")))
        return lam_fail(LAM_ERR_ARGUMENT, "cannot draw %s: the name should end in .svg, .png or .pdf", path == NULL ? "a picture" : path);
    return LAM_OK;
}

/* ---- the file ----------------------------------------------------------------------------------------------------- */

static cairo_status_t put_bytes(void *stream, const unsigned char *bytes, unsigned int n)
{
    return fwrite(bytes, 1, n, stream) == n ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

static cairo_surface_t *make_surface(const char *path, FILE *stream, double width, double height)
{
    if (lam_path_ends_with(path, ".png"))
        return cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)ceil(2 * width), (int)ceil(2 * height));
    if (lam_path_ends_with(path, ".pdf"))
        return cairo_pdf_surface_create_for_stream(put_bytes, stream, width, height);
    cairo_surface_t *surface = cairo_svg_surface_create_for_stream(put_bytes, stream, width, height);
    cairo_svg_surface_set_document_unit(surface, CAIRO_SVG_UNIT_PX);
    return surface;
}

/* Texts are as wide on one surface as on another: the layout is made on one that is not drawn on. */
static void begin(lam_canvas *canvas, cairo_surface_t *surface)
{
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    canvas->cr = cairo_create(surface);
    cairo_set_font_options(canvas->cr, options);
    cairo_font_options_destroy(options);
}

static lam_status make_plan(lam_canvas *canvas, const lam_plot *plot, lam_plan *plan)
{
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1);
    begin(canvas, surface);
    lam_status status = lam_plan_make(canvas, plot, plan);
    cairo_destroy(canvas->cr);
    cairo_surface_destroy(surface);
    if (status == LAM_OK && !(plan->width <= 10000 && plan->height <= 10000))
        return lam_fail(LAM_ERR_ARGUMENT, "a picture of %g x %g; neither side may be above 10000: give fewer panels, or smaller ones",
            plan->width, plan->height);
    return status;
}

static lam_status write_plot(const lam_plot *plot, const char *path, FILE *stream, lam_canvas *canvas, const lam_plan *plan)
{
    cairo_surface_t *surface = make_surface(path, stream, plan->width, plan->height);
    begin(canvas, surface);
    if (lam_path_ends_with(path, ".png"))
        cairo_scale(canvas->cr, 2, 2);
    lam_plan_draw(canvas, plot, plan);
    cairo_status_t status = cairo_status(canvas->cr);
    cairo_destroy(canvas->cr);
    if (status == CAIRO_STATUS_SUCCESS && lam_path_ends_with(path, ".png"))
        status = cairo_surface_write_to_png_stream(surface, put_bytes, stream);
    cairo_surface_finish(surface);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    if (status == CAIRO_STATUS_NO_MEMORY)
        return lam_fail(LAM_ERR_MEMORY, "drawing %s: out of memory", path);
    if (status != CAIRO_STATUS_SUCCESS)
        return lam_fail(LAM_ERR_IO, "drawing %s failed: %s%s", path, cairo_status_to_string(status),
            status == CAIRO_STATUS_WRITE_ERROR ? "; is the disk full?" : "");
    return canvas->status;
}

lam_status lam_plot_write(const lam_plot *plot, const char *path)
{
    LAM_NEED(plot, "plot");
    LAM_NEED(path, "path");
    lam_out_file file = { 0 };
    lam_canvas canvas = { 0 };
    lam_plan plan = { 0 };
    LAM_TRY(check_plot(plot, path));
    LAM_TRY(lam_plot_check_path(path));
    lam_colours_make(plot->dark, &canvas.colours);
    lam_status status = make_plan(&canvas, plot, &plan);
    if (status == LAM_OK)
        status = lam_out_open(&file, path);
    if (status == LAM_OK)
        status = write_plot(plot, path, file.stream, &canvas, &plan);
    lam_plan_free(&plan);
    if (status != LAM_OK) {
        lam_out_abandon(&file);
        return status;
    }
    return lam_out_commit(&file);
}

#else

lam_status lam_plot_check_path(const char *path)
{
    return lam_fail(LAM_ERR_UNSUPPORTED, "cannot draw %s: this build has no pictures; install libcairo2-dev and build again",
        path == NULL ? "a picture" : path);
}

lam_status lam_plot_write(const lam_plot *plot, const char *path)
{
    (void)plot;
    return lam_plot_check_path(path);
}

#endif
