/* Axes by hand-worked cases, and pictures as far as a test can see them: what is refused, what is written, what stays. */
#include "report/axis.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "scratch.h"

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
static const lam_series two_series[] = { { "first", x, y, 6, 0, LAM_LINE_SOLID }, { "second", y, x, 6, 8, LAM_LINE_DASHDOT } };
static const lam_panel two_panels[] = { { "left", "x", "y", two_series, 2, 0, 0, 0, 0, 0, 0 },
    { NULL, "x", NULL, two_series, 2, 0.5, 6, -1, 1, 1, 0 } };
static const lam_plot two = { "a title", two_panels, 2, 0, 0 };

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
    lam_plot plot = { NULL, &none, 1, 0, 0 };
    if (is_without())
        skip();
    assert_int_equal(lam_plot_write(&plot, scratch_path("none.svg")), LAM_OK);
    char longest[1000];
    memset(longest, 'w', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    lam_series many[40];
    for (size_t i = 0; i < 40; i++)
        many[i] = (lam_series) { .name = longest + i, .x = x, .y = x, .n = 6, .colour = i };
    const lam_panel full = { longest, longest, longest, many, 40, 0, 0, 0, 0, 1, 1 };
    plot = (lam_plot) { longest, &full, 1, 150, 150 };
    assert_int_equal(lam_plot_write(&plot, scratch_path("full.png")), LAM_OK);
}

static void refused(void **state)
{
    (void)state;
    if (is_without())
        skip();
    const lam_series bad_name = { "\xff", x, x, 6, 0, LAM_LINE_SOLID }, no_points = { "a", NULL, x, 6, 0, LAM_LINE_SOLID };
    const lam_panel panels[] = { { .series = &bad_name, .n_series = 1 }, { .series = &no_points, .n_series = 1 } };
    lam_plot plot = { NULL, &panels[0], 1, 0, 0 };
    assert_int_equal(lam_plot_write(&plot, scratch_path("no.svg")), LAM_ERR_ARGUMENT);
    assert_non_null(strstr(lam_last_error(), "UTF-8"));
    plot.panels = &panels[1];
    assert_int_equal(lam_plot_write(&plot, scratch_path("no.svg")), LAM_ERR_ARGUMENT);
    plot = two;
    plot.n_panels = 3;
    assert_int_equal(lam_plot_write(&plot, scratch_path("no.svg")), LAM_ERR_ARGUMENT);
    plot = two;
    plot.width = NAN;
    assert_int_equal(lam_plot_write(&plot, scratch_path("no.svg")), LAM_ERR_ARGUMENT);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(even),
        cmocka_unit_test(logarithmic),
        cmocka_unit_test(any_range),
        cmocka_unit_test(by_ending),
        cmocka_unit_test(extremes),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests_name("plot", tests, scratch_open, scratch_close);
}
