/* Contour lines against curves that are known. */
#include "report/contour.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { SIDE = 41 };

typedef struct found {
    size_t lines, closed, points;
    double worst; /* distance from the curve */
    double (*distance)(double x, double y);
} found;

static void take(void *user, const double (*points)[2], size_t n)
{
    found *f = user;
    f->lines++;
    f->closed += points[0][0] == points[n - 1][0] && points[0][1] == points[n - 1][1];
    f->points += n;
    for (size_t i = 0; i < n; i++) {
        f->worst = fmax(f->worst, fabs(f->distance(points[i][0], points[i][1])));
        if (i > 0) /* neighbours share a cell */
            assert_true(fabs(points[i][0] - points[i - 1][0]) <= 1 && fabs(points[i][1] - points[i - 1][1]) <= 1);
    }
}

static found trace(double (*z)(double x, double y), double level, double (*distance)(double x, double y))
{
    static double grid[SIDE * SIDE];
    found f = { .distance = distance };
    for (size_t i = 0; i < SIDE * SIDE; i++)
        grid[i] = z((double)(i % SIDE), (double)(i / SIDE));
    assert_int_equal(lam_contour_trace(grid, SIDE, SIDE, level, take, &f), LAM_OK);
    return f;
}

static double from_middle(double x, double y)
{
    return hypot(x - 20.3, y - 19.6);
}

static double from_circle(double x, double y)
{
    return from_middle(x, y) - 12;
}

static double plane(double x, double y)
{
    return x + 2 * y;
}

static double from_line(double x, double y)
{
    return (x + 2 * y - 50.5) / sqrt(5);
}

static double waves(double x, double y)
{
    return sin(x / 3.3) * sin(y / 3.3);
}

static double holed(double x, double y)
{
    return fabs(x - 20) < 2.5 ? (double)NAN : from_middle(x, y);
}

static double checks(double x, double y)
{
    return fmod(x + y, 2) == 0 ? 1 : -1.2;
}

static double anywhere(double x, double y)
{
    (void)x, (void)y;
    return 0;
}

static void known_curves(void **state)
{
    (void)state;
    found f = trace(from_middle, 12, from_circle);
    assert_int_equal(f.lines, 1);
    assert_int_equal(f.closed, 1);
    assert_true(f.worst < 0.02); /* chords of a cell: 1 / (8 * 12) */
    f = trace(plane, 50.5, from_line);
    assert_int_equal(f.lines, 1);
    assert_int_equal(f.closed, 0);
    assert_true(f.worst < 1e-12);
    assert_int_equal(f.points, 61); /* 41 columns and 20 rows crossed */
    assert_int_equal(trace(from_middle, 100, anywhere).lines, 0);
    assert_int_equal(trace(from_middle, -1, anywhere).lines, 0);
    assert_int_equal(trace(from_middle, (double)NAN, anywhere).lines, 0);
}

/* Hills of sin sin within the frame at half height, four and four; a circle with a strip missing is two arcs, ended there. */
static void several_lines(void **state)
{
    (void)state;
    found f = trace(waves, 0.5, anywhere);
    assert_int_equal(f.lines, 8);
    assert_int_equal(f.closed, 8);
    f = trace(holed, 12, from_circle);
    assert_int_equal(f.lines, 2);
    assert_int_equal(f.closed, 0);
    assert_true(f.worst < 0.02);
}

/* A chessboard is all saddles. Where the mean of a cell is below the level its high corners are apart: each of those not at the
 * border has a ring of its own, those at the border an arc (or, in a corner, a piece of one cell). */
static void saddles(void **state)
{
    (void)state;
    found f = trace(checks, 0, anywhere);
    size_t inner = (39 * 39 + 1) / 2, all = (SIDE * SIDE + 1) / 2;
    assert_int_equal(f.lines, all);
    assert_int_equal(f.closed, inner);
    assert_int_equal(f.points, inner * 5 + 4 * 2 + (all - inner - 4) * 3);
}

static void too_small(void **state)
{
    (void)state;
    found f = { .distance = anywhere };
    const double z[4] = { 0, 1, 0, 1 };
    assert_int_equal(lam_contour_trace(z, 1, 4, 0.5, take, &f), LAM_OK);
    assert_int_equal(lam_contour_trace(z, 4, 1, 0.5, take, &f), LAM_OK);
    assert_int_equal(f.lines, 0);
    assert_int_equal(lam_contour_trace(z, 2, 2, 0.5, take, &f), LAM_OK);
    assert_int_equal(f.lines, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_curves),
        cmocka_unit_test(several_lines),
        cmocka_unit_test(saddles),
        cmocka_unit_test(too_small),
    };
    return cmocka_run_group_tests_name("contour", tests, NULL, NULL);
}
