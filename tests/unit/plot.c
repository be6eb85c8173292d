/* Axes by hand-worked cases, and pictures as far as a test can see them: what is refused, what is written, what stays. */
#include "base/file.h"
#include "report/axis.h"
#include "report/colour.h"
#ifdef LAM_HAVE_CAIRO
#include <cairo.h>
#endif
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "scratch.h"
#include "laminar/plot.h"

static void expect_label(const lam_axis *axis, double value, const char *wanted)
{
    char text[LAM_AXIS_LABEL];
    lam_axis_label(axis, value, text);
    assert_string_equal(text, wanted);
}

/* Rounding of a product alone: 1e-12 of a step. */
static void expect_ticks(const lam_axis *axis, const double *wanted, size_t n)
{
    assert_int_equal(axis->n_ticks, n);
    for (size_t i = 0; i < n; i++)
        assert_true(fabs(axis->ticks[i] - wanted[i]) <= 1e-12 * (axis->high - axis->low));
}

static void even(void **state)
{
    (void)state;
    lam_axis axis;
    lam_axis_make(&axis, -0.72, 0.05, 0, 5);
    const double small[] = { -0.6, -0.4, -0.2, 0 };
    expect_ticks(&axis, small, 4);
    expect_label(&axis, axis.ticks[0], "\xe2\x88\x92" "0.6");
    expect_label(&axis, axis.ticks[3], "0"); /* neither -0.0 nor 1e-17 */
    lam_axis_make(&axis, 0, 820000, 0, 5);
    const double large[] = { 0, 200000, 400000, 600000, 800000 };
    expect_ticks(&axis, large, 5);
    expect_label(&axis, 200000, "200k");
    lam_axis_make(&axis, 0, 1.6e6, 0, 4);
    expect_label(&axis, 500000, "0.5M");
    lam_axis_make(&axis, 0, 300, 0, 3);
    expect_label(&axis, 200, "200");
}

static void logarithmic(void **state)
{
    (void)state;
    lam_axis axis;
    lam_axis_make(&axis, 0.5, 2000, 1, 5);
    const double decades[] = { 1, 10, 100, 1000 };
    expect_ticks(&axis, decades, 4);
    lam_axis_make(&axis, 1, 100, 1, 8);
    const double between[] = { 1, 2, 5, 10, 20, 50, 100 };
    expect_ticks(&axis, between, 7);
    expect_label(&axis, 5, "5");
    lam_axis_make(&axis, 2.2, 4.4, 1, 5); /* no 1, 2 or 5: even steps */
    assert_true(axis.n_ticks >= 2);
    assert_true(fabs(lam_axis_at(&axis, 2.2)) < 1e-12 && fabs(lam_axis_at(&axis, 4.4) - 1) < 1e-12);
    assert_true(fabs(lam_axis_at(&axis, 2.2 * sqrt(2)) - 0.5) < 1e-12);
    assert_true(isnan(lam_axis_at(&axis, 0)) && isnan(lam_axis_at(&axis, -1)));
}

static void expect_remark(double low, double high, const char *remark, const char *first)
{
    char text[2 * LAM_AXIS_LABEL];
    lam_axis axis;
    lam_axis_make(&axis, low, high, 0, 4);
    lam_axis_remark(&axis, text);
    assert_string_equal(text, remark);
    expect_label(&axis, axis.ticks[0], first);
}

/* Numbers that would be too long to read are shown from a round one on, or in a power of a thousand; both are said. */
static void shortened(void **state)
{
    (void)state;
    expect_remark(1013, 1014, "", "1013.0");
    expect_remark(1013250 - 0.01, 1013250 + 0.01, "minus 1013250", "\xe2\x88\x92" "0.010");
    expect_remark(1e9 - 4.1, 1e9 + 3, "minus 1e9", "\xe2\x88\x92" "4");
    expect_remark(-25e6, -25e6 + 1, "plus 25e6", "0");
    expect_remark(0, 8e-6, "in 1e\xe2\x88\x92" "6", "0");
    expect_remark(3e18, 7e18, "in 1e18", "3");
    expect_remark(1 - 2e-9, 1 + 2e-9, "minus 1, in 1e\xe2\x88\x92" "9", "\xe2\x88\x92" "2");
}

/* Every range gives an axis: ascending ticks within it, at least one, labels that fit. */
static void any_range(void **state)
{
    (void)state;
    const double ends[] = { -INFINITY, -1e300, -1e9, -3, -1e-9, 0, 1e-300, 1e-9, 0.1, 1, 1 + 1e-15, 7, 12345.678, 1e18, 1e300,
        INFINITY, NAN };
    const size_t n = sizeof ends / sizeof ends[0];
    for (size_t i = 0; i < n * n * 2 * 11; i++) {
        lam_axis axis;
        lam_axis_make(&axis, ends[i % n], ends[i / n % n], i / (n * n) % 2 == 1, i / (n * n) / 2);
        assert_true(axis.low < axis.high);
        assert_true(axis.n_ticks >= 1 && axis.n_ticks <= LAM_AXIS_TICKS);
        for (size_t k = 0; k < axis.n_ticks; k++) {
            char text[LAM_AXIS_LABEL];
            double at = lam_axis_at(&axis, axis.ticks[k]);
            assert_true(at > -1e-6 && at < 1 + 1e-6);
            assert_true(k == 0 || axis.ticks[k] > axis.ticks[k - 1]);
            lam_axis_label(&axis, axis.ticks[k], text);
            assert_in_range(strlen(text), 1, LAM_AXIS_LABEL - 1);
        }
    }
}

/* ---- pictures ------------------------------------------------------------------------------------------------------- */

static const double x[] = { 0, 1, 2, 3, 4, 5 }, y[] = { 4, 1e300, NAN, -1e300, NAN, 2 };
static const lam_series two_series[] = { { .name = "first", .x = x, .y = y, .n = 6 },
    { .name = "second", .x = y, .y = x, .n = 6, .colour = 8, .line = LAM_LINE_DASHDOT } };
static const lam_panel two_panels[] = { { .title = "left", .x_label = "x", .y_label = "y", .series = two_series, .n_series = 2 },
    { .x_label = "x", .series = two_series, .n_series = 2, .x_low = 0.5, .x_high = 6, .y_low = -1, .y_high = 1, .log_x = 1 } };
static const lam_plot two = { .title = "a title", .panels = two_panels, .n_panels = 2 };

/* 1 without cairo: then the message names the package. */
static int is_without(void)
{
    if (lam_plot_write(&two, scratch_path("first.svg")) != LAM_ERR_UNSUPPORTED)
        return 0;
    assert_non_null(strstr(lam_last_error(), "libcairo2-dev"));
    return 1;
}

static size_t read_start(const char *path, unsigned char start[64])
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(start, 1, 64, f);
    assert_int_equal(fclose(f), 0);
    return n;
}

static void by_ending(void **state)
{
    (void)state;
    unsigned char start[64];
    if (is_without())
        skip();
    assert_int_equal(lam_plot_write(&two, scratch_path("a.SVG")), LAM_OK);
    read_start(scratch_path("a.SVG"), start);
    assert_memory_equal(start, "<?xml", 5);
    assert_int_equal(lam_plot_write(&two, scratch_path("a.pdf")), LAM_OK);
    read_start(scratch_path("a.pdf"), start);
    assert_memory_equal(start, "%PDF-", 5);
    lam_plot sized = two;
    sized.width = 300;
    sized.height = 200;
    assert_int_equal(lam_plot_write(&sized, scratch_path("a.png")), LAM_OK);
    assert_int_equal(read_start(scratch_path("a.png"), start), 64);
    assert_memory_equal(start, "\x89PNG\r\n\x1a\n", 8);
    const unsigned char sides[8] = { 0, 0, 600 >> 8, 600 & 255, 0, 0, 400 >> 8, 400 & 255 }; /* two dots a pixel */
    assert_memory_equal(start + 16, sides, 8);
}

/* Nothing to draw, or much too small a picture for its texts: still a picture. */
static void extremes(void **state)
{
    (void)state;
    const lam_panel none = { 0 };
    lam_plot plot = { .panels = &none, .n_panels = 1 };
    if (is_without())
        skip();
    assert_int_equal(lam_plot_write(&plot, scratch_path("none.svg")), LAM_OK);
    char longest[1000];
    memset(longest, 'w', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    lam_series many[40];
    for (size_t i = 0; i < 40; i++)
        many[i] = (lam_series) { .name = longest + i, .x = x, .y = x, .n = 6, .colour = i };
    const lam_panel full = { .title = longest, .x_label = longest, .y_label = longest, .z_label = longest, .series = many,
        .n_series = 40, .log_x = 1, .log_y = 1 };
    plot = (lam_plot) { .title = longest, .panels = &full, .n_panels = 1, .width = 150, .height = 150, .note = longest };
    assert_int_equal(lam_plot_write(&plot, scratch_path("full.png")), LAM_OK);
}

/* ---- every kind of series ------------------------------------------------------------------------------------------- */

enum { ROWS = 3, COLUMNS = 4 };
static const double low_corner[] = { 0, 4 }, side_corner[] = { 0, 3 };
static const double cells[ROWS * COLUMNS] = { 0, 0, 0, NAN, 0, 5, 1, 0, 0, INFINITY, 1, 10 };
static const double levels[] = { 0.5, 3, 99, NAN }, heights[] = { 1, 0, NAN, 2, 3 };

static const lam_series kinds[] = { { .kind = LAM_SERIES_MAP, .x = low_corner, .y = side_corner, .n = 2, .z = cells, .rows = ROWS, .columns = COLUMNS },
    { .name = "contour", .kind = LAM_SERIES_CONTOUR, .x = low_corner, .y = side_corner, .n = 2, .z = cells, .rows = ROWS,
        .columns = COLUMNS, .levels = levels, .n_levels = 4, .line = LAM_LINE_DOTTED },
    { .name = "bars", .kind = LAM_SERIES_BARS, .x = x, .y = heights, .n = 5, .colour = 3, .opacity = 0.5 },
    { .name = "points", .kind = LAM_SERIES_POINTS, .x = x, .y = y, .n = 6, .colour = 1, .size = 7 }, { .name = "line", .x = x, .y = y, .n = 6 } };

/* All kinds on even and on logarithmic axes, in a grid with an empty place, light and dark: the same bytes twice, others dark. */
static void every_kind(void **state)
{
    (void)state;
    if (is_without())
        skip();
    lam_panel panels[6] = { { .title = "all\nof them", .series = kinds, .n_series = 5, .z_label = "z", .x_label = "x", .y_label = "y" },
        { .series = kinds + 2, .n_series = 3, .log_x = 1, .log_y = 1, .hide_x = 1, .hide_y = 2 }, { .blank = 1, .series = kinds, .n_series = 5 },
        { .series = kinds, .n_series = 5, .x_low = 1e-9, .x_high = 1e-8, .y_low = 1e9, .y_high = 1e9 + 1, .x_label = "tiny", .y_label = "far" },
        { .series = kinds, .n_series = 1, .z_low = 2, .z_high = 3 } };
    lam_plot plot = { .title = "kinds", .panels = panels, .n_panels = 5, .columns = 3, .frame = 90, .gap = 5, .note = "A note of several words." };
    static const char *const names[] = { "k.svg", "k.pdf", "1.png", "2.png", "3.png" };
    for (size_t i = 0; i < 5; i++) {
        plot.dark = i == 4;
        if (lam_plot_write(&plot, scratch_path(names[i])) != LAM_OK)
            fail_msg("%s: %s", names[i], lam_last_error());
    }
    size_t n[3];
    char *file[3];
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(lam_file_read(scratch_path(names[2 + i]), &file[i], &n[i]), LAM_OK);
    assert_int_equal(n[0], n[1]);
    assert_memory_equal(file[0], file[1], n[0]);
    assert_true(n[2] != n[0] || memcmp(file[0], file[2], n[0]) != 0);
    for (size_t i = 0; i < 3; i++)
        free(file[i]);
}

/* Values that leave nothing to draw, or no range: a picture all the same. */
static void nothing_to_see(void **state)
{
    (void)state;
    if (is_without())
        skip();
    static const double none[ROWS * COLUMNS] = { NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN }, zeros[ROWS * COLUMNS];
    static const double tiny[] = { 1, 1 + 1e-15 };
    lam_series s[] = { kinds[0], kinds[1], kinds[2], kinds[3], kinds[4], kinds[0] };
    const lam_panel panel = { .series = s, .n_series = 6, .z_label = "z" };
    const lam_plot plot = { .panels = &panel, .n_panels = 1 };
    for (int turn = 0; turn < 3; turn++) {
        const double *z = turn == 0 ? none : zeros;
        s[0].z = s[1].z = s[5].z = z;
        for (size_t i = 2; i < 5; i++) {
            s[i].x = turn == 2 ? tiny : z;
            s[i].y = z;
            s[i].n = turn == 2 ? 1 : 4;
        }
        if (turn == 2)
            s[0].x = s[1].x = s[5].x = tiny; /* a rectangle a few roundings wide */
        assert_int_equal(lam_plot_write(&plot, scratch_path("none.png")), LAM_OK);
        assert_int_equal(lam_plot_write(&plot, scratch_path("none.svg")), LAM_OK);
    }
}

#ifdef LAM_HAVE_CAIRO
/* The colour of a place in a panel without labels, from its frame's lower left corner on; PNG have two dots a pixel. The frame of a
 * lone panel begins at the margin of 14, 6 or 4 for what is not there, and ends at 14 + 10 and 14 + 4. */
static void expect_pixel(const char *path, double right, double up, const double rgb[3], double within)
{
    cairo_surface_t *surface = cairo_image_surface_create_from_png(path);
    assert_int_equal(cairo_surface_status(surface), CAIRO_STATUS_SUCCESS);
    const unsigned char *dots = cairo_image_surface_get_data(surface);
    size_t row = (size_t)(cairo_image_surface_get_height(surface) - 2 * 18 - (int)(2 * up)), column = (size_t)(2 * (20 + right));
    const unsigned char *pixel = dots + row * (size_t)cairo_image_surface_get_stride(surface) + 4 * column;
    for (size_t k = 0; k < 3; k++) /* BGRx */
        if (!(fabs(pixel[2 - k] / 255.0 - rgb[k]) <= within))
            fail_msg("%s at %g, %g: %d %d %d", path, right, up, pixel[2], pixel[1], pixel[0]);
    cairo_surface_destroy(surface);
}

/* What is drawn is where it belongs, in the colours that are named. Within a rounding to 8 bits; opacity adds one. */
static void pixels(void **state)
{
    (void)state;
    lam_colours c;
    static const double ramp[] = { 0, 1, 2, 3 }, box[] = { 0, 2 }, edges[] = { 0, 1, 2 }, tall[] = { 2, 1 }, at[] = { 0.5 }, up[] = { 1.5 };
    lam_series s = { .kind = LAM_SERIES_MAP, .x = box, .y = box, .n = 2, .z = ramp, .rows = 2, .columns = 2 };
    const lam_panel panel = { .series = &s, .n_series = 1, .x_low = 0, .x_high = 2, .y_low = 0, .y_high = 2, .hide_x = 2, .hide_y = 2 };
    lam_plot plot = { .panels = &panel, .n_panels = 1, .frame = 200 };
    for (int dark = 0; dark < 2; dark++) {
        const double eight_bits = 0.5 / 255 + 1e-9;
        lam_colours_make(dark, &c);
        plot.dark = dark;
        s = (lam_series) { .kind = LAM_SERIES_MAP, .x = box, .y = box, .n = 2, .z = ramp, .rows = 2, .columns = 2 };
        assert_int_equal(lam_plot_write(&plot, scratch_path("map.png")), LAM_OK);
        expect_pixel(scratch_path("map.png"), 50, 50, c.scale[0], 2 * eight_bits); /* the middles of cells: what lies between is mixed */
        expect_pixel(scratch_path("map.png"), 150, 50, c.scale[85], 2 * eight_bits);
        expect_pixel(scratch_path("map.png"), 50, 150, c.scale[170], 2 * eight_bits);
        expect_pixel(scratch_path("map.png"), 150, 150, c.scale[255], 2 * eight_bits);
        s = (lam_series) { .kind = LAM_SERIES_BARS, .x = edges, .y = tall, .n = 2, .colour = 2 };
        assert_int_equal(lam_plot_write(&plot, scratch_path("bars.png")), LAM_OK);
        expect_pixel(scratch_path("bars.png"), 50, 150, c.series[2], eight_bits);
        expect_pixel(scratch_path("bars.png"), 150, 50, c.series[2], eight_bits);
        expect_pixel(scratch_path("bars.png"), 150, 150, c.paper, eight_bits);
        s = (lam_series) { .kind = LAM_SERIES_POINTS, .x = at, .y = up, .n = 1, .colour = 1, .size = 10, .opacity = 0.5 };
        assert_int_equal(lam_plot_write(&plot, scratch_path("point.png")), LAM_OK);
        const double half[3] = { 0.5 * (c.paper[0] + c.series[1][0]), 0.5 * (c.paper[1] + c.series[1][1]), 0.5 * (c.paper[2] + c.series[1][2]) };
        expect_pixel(scratch_path("point.png"), 50, 150, half, 2.5 / 255);
        expect_pixel(scratch_path("point.png"), 50, 140, c.paper, eight_bits);
        s = (lam_series) { .kind = LAM_SERIES_CONTOUR, .x = box, .y = box, .n = 2, .z = ramp, .rows = 2, .columns = 2, .levels = up,
            .n_levels = 1, .colour = 4, .size = 6 }; /* 1.5 is half-way between (1.5, 0.5) and (0.5, 1.5): through the middle */
        assert_int_equal(lam_plot_write(&plot, scratch_path("contour.png")), LAM_OK);
        expect_pixel(scratch_path("contour.png"), 100, 100, c.series[4], 1.0 / 255);
        expect_pixel(scratch_path("contour.png"), 100, 120, c.paper, eight_bits);
    }
}
#else
static void pixels(void **state)
{
    (void)state;
    skip();
}
#endif

/* ---- what is refused ------------------------------------------------------------------------------------------------ */

static void expect_refused(const lam_plot *plot, const char *words)
{
    assert_int_equal(lam_plot_write(plot, scratch_path("no.svg")), LAM_ERR_ARGUMENT);
    if (strstr(lam_last_error(), words) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", words, lam_last_error());
}

static void refused(void **state)
{
    (void)state;
    if (is_without())
        skip();
    lam_series s = { .name = "\xff", .x = x, .y = x, .n = 6 };
    lam_panel panel = { .series = &s, .n_series = 1 };
    lam_plot plot = { .panels = &panel, .n_panels = 1 };
    expect_refused(&plot, "UTF-8");
    s = (lam_series) { .name = "a", .y = x, .n = 6 };
    expect_refused(&plot, "has none");
    plot = two;
    plot.n_panels = 0;
    expect_refused(&plot, "1 to 400 panels");
    plot.n_panels = LAM_PLOT_PANELS + 1;
    expect_refused(&plot, "1 to 400 panels");
    plot = two;
    plot.width = NAN;
    expect_refused(&plot, "a width of nan");
    plot = two;
    plot.frame = 10;
    expect_refused(&plot, "a frame of 10");
    plot = two;
    plot.note = "\xff";
    expect_refused(&plot, "the note is not UTF-8");
    assert_int_equal(lam_plot_write(&two, scratch_path("no.gif")), LAM_ERR_ARGUMENT);
    assert_non_null(strstr(lam_last_error(), ".svg, .png or .pdf"));
    assert_int_equal(lam_plot_write(&two, scratch_path("missing/no.svg")), LAM_ERR_IO);
    assert_int_equal(access(scratch_path("no.svg"), F_OK), -1);
    assert_int_equal(access(scratch_path("no.gif"), F_OK), -1);
    if (access("/dev/full", W_OK) == 0) { /* a disk that is full: the failure shows, in drawing or at the end */
        assert_int_equal(symlink("/dev/full", scratch_path("full.svg")), 0);
        assert_int_equal(lam_plot_write(&two, scratch_path("full.svg")), LAM_ERR_IO);
    }
}

static void series_refused(void **state)
{
    (void)state;
    if (is_without())
        skip();
    static const double backwards[] = { 4, 0 }, endless[] = { 0, INFINITY };
    lam_series s = kinds[0];
    lam_panel panel = { .series = &s, .n_series = 1 };
    lam_plot plot = { .panels = &panel, .n_panels = 1 };
    s.kind = (lam_series_kind)7;
    expect_refused(&plot, "of no kind (7)");
    s = kinds[0];
    s.z = NULL;
    expect_refused(&plot, "needs the two corners");
    s = kinds[0];
    s.n = 3;
    expect_refused(&plot, "needs the two corners");
    s = kinds[0];
    s.rows = 0;
    expect_refused(&plot, "rows and columns");
    s = kinds[0];
    s.x = backwards;
    expect_refused(&plot, "a rectangle from (4, 0)");
    s.x = endless;
    expect_refused(&plot, "a rectangle");
    s = kinds[0];
    panel.log_y = 1;
    expect_refused(&plot, "on a logarithmic axis");
    panel.log_y = 0;
    s = kinds[1];
    s.levels = NULL;
    expect_refused(&plot, "counts 4 levels");
    s = kinds[3];
    s.opacity = 1.5;
    expect_refused(&plot, "an opacity of 1.5");
    s = kinds[3];
    s.size = NAN;
    expect_refused(&plot, "a size of nan");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(even),
        cmocka_unit_test(logarithmic),
        cmocka_unit_test(shortened),
        cmocka_unit_test(any_range),
        cmocka_unit_test(by_ending),
        cmocka_unit_test(extremes),
        cmocka_unit_test(every_kind),
        cmocka_unit_test(nothing_to_see),
        cmocka_unit_test(pixels),
        cmocka_unit_test(refused),
        cmocka_unit_test(series_refused),
    };
    return cmocka_run_group_tests_name("plot", tests, scratch_open, scratch_close);
}
