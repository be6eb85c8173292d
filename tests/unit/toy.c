/* The ten 2-D densities: counted rows, and moments or shapes that their definitions give in closed form. */
#include "laminar.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define PI 3.14159265358979323846
enum { N = 40000 };

static lam_table *toy(const char *name, size_t rows, uint64_t seed)
{
    lam_table *t = NULL;
    if (lam_table_toy(name, rows, seed, &t) != LAM_OK)
        fail_msg("%s", lam_last_error());
    return t;
}

/* Row i depends on (name, seed, i) only: a longer table starts with the shorter one. */
static void rows_are_counted(void **state)
{
    (void)state;
    assert_null(lam_toy_name(10));
    for (size_t k = 0; k < 10; k++) {
        const char *name = lam_toy_name(k);
        lam_table *a = toy(name, 100, 1), *b = toy(name, 1000, 1), *c = toy(name, 100, 2);
        assert_int_equal(b->cols, 2);
        assert_string_equal(b->names[1], "y");
        assert_memory_equal(a->values, b->values, 200 * sizeof(double));
        assert_memory_not_equal(a->values, c->values, 200 * sizeof(double));
        assert_string_not_equal(a->hash, c->hash);
        for (size_t i = 0; i < 2000; i++)
            assert_true(fabs(b->values[i]) < 8); /* all ten live near the origin: standard deviations of 0.5 to 3 */
        lam_table_free(a);
        lam_table_free(b);
        lam_table_free(c);
    }
    lam_table *a = toy("line", 10, 1), *b = toy("cos", 10, 1); /* both draw x alike, yet share no draws */
    assert_true(a->values[0] != b->values[0]);
    lam_table_free(a);
    lam_table_free(b);
}

/* E x^2 of either coordinate from the definitions; x^2 is bounded by about 30 and its standard deviation is at most 6, so
 * that 0.15 is five standard errors of 40000 rows. */
static void second_moments(void **state)
{
    (void)state;
    const struct { const char *name; double x, y; } cases[] = {
        { "8gaussians", (8 + 0.25) / 2, (8 + 0.25) / 2 },                       /* radius 4, noise 0.5, over 1.414 */
        { "circles", 9 * (0.5 * (0.5 + 0.125) + 0.0064), 9 * (0.3125 + 0.0064) }, /* radii 1 and 1/2, noise 0.08, times 3 */
        { "rings", 0.5 * 0.5625 * 30 / 4 + 0.0064, 0.5 * 0.5625 * 30 / 4 + 0.0064 }, /* radii 3/4 times 1, 2, 3, 4 */
        { "checkerboard", 16.0 / 3, 16.0 / 3 },                                 /* each coordinate uniform on [-4, 4] */
        { "line", 25.0 / 12, 25.0 / 12 },
        { "cos", 25.0 / 12, 6.25 * (0.5 - sin(5) / 10) },                       /* E sin^2 over [-2.5, 2.5] */
        { "pinwheel", 2 * (1 + 0.09 + 0.01), 2 * (1 + 0.09 + 0.01) },           /* E r^2 = 4 (1 + 0.3^2 + 0.1^2), five-fold */
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        lam_table *t = toy(cases[k].name, N, 0);
        double x = 0, y = 0;
        for (size_t i = 0; i < N; i++)
            x += t->values[2 * i] * t->values[2 * i] / N, y += t->values[2 * i + 1] * t->values[2 * i + 1] / N;
        if (fabs(x - cases[k].x) > 0.15 || fabs(y - cases[k].y) > 0.15)
            fail_msg("%s: E x^2 = %g, E y^2 = %g", cases[k].name, x, y);
        lam_table_free(t);
    }
}

/* Shares of rows that lie where the definition puts them. */
static void shapes(void **state)
{
    (void)state;
    lam_table *board = toy("checkerboard", N, 3), *roll = toy("swissroll", N, 3), *spirals = toy("2spirals", N, 3);
    lam_table *moon = toy("moons", N, 3), *line = toy("line", 100, 3), *cosine = toy("cos", 100, 3);
    double on_roll = 0, on_spiral = 0, upper = 0, arm = 0;
    for (size_t i = 0; i < N; i++) {
        const double *b = board->values + 2 * i, *r = roll->values + 2 * i, *s = spirals->values + 2 * i;
        const double *m = moon->values + 2 * i;
        /* squares of side 2: column + row is even, row -2..1 */
        assert_true(fmod(floor(b[0] / 2) + floor(b[1] / 2) + 8, 2) == 0);
        /* distance along the radius to the nearest turn of r = angle, times 5 again: noise 1 */
        double radius = 5 * hypot(r[0], r[1]), angle = atan2(r[1], r[0]);
        double turn = (radius - angle) / (2 * PI);
        on_roll += fabs(turn - round(turn)) * 2 * PI < 2;
        /* 2spirals: (-a cos a, a sin a)/3 and its opposite, blurred by 0.1 and half-unit shifts */
        radius = 3 * hypot(s[0], s[1]), angle = atan2(s[1], -s[0]);
        turn = (radius - angle) / PI;
        on_spiral += fabs(turn - round(turn)) * PI < 1;
        arm += s[0];
        /* moons: the upper one is centred at (-1, -0.2) with radius 2 */
        double r_upper = hypot(m[0] + 1, m[1] + 0.2), r_lower = hypot(m[0] - 1, m[1] - 0.8);
        upper += fabs(r_upper - 2) < fabs(r_lower - 2);
        assert_true(fmin(fabs(r_upper - 2), fabs(r_lower - 2)) < 6 * 0.2); /* six standard deviations */
    }
    assert_true(on_roll / N > 0.90);   /* |noise| < 2 in 95 % of rows; the turns bend a little */
    assert_true(on_spiral / N > 0.90);
    assert_true(fabs(arm / N) < 0.05); /* as many on either arm: standard error 0.008 */
    assert_true(fabs(upper / N - 0.5) < 0.02);
    for (size_t i = 0; i < 100; i++) {
        assert_true(line->values[2 * i] == line->values[2 * i + 1]);
        assert_true(cosine->values[2 * i + 1] == 2.5 * sin(cosine->values[2 * i]));
    }
    lam_table_free(board), lam_table_free(roll), lam_table_free(spirals);
    lam_table_free(moon), lam_table_free(line), lam_table_free(cosine);
}

/* Each row of pinwheel is within its blade: undoing the twist leaves a radius of 2 +- 0.6 and a tangent of 0 +- 0.2. */
static void pinwheel_blades(void **state)
{
    (void)state;
    lam_table *t = toy("pinwheel", N, 9);
    int count[5] = { 0 };
    for (size_t i = 0; i < N; i++) {
        double x = t->values[2 * i], y = t->values[2 * i + 1], radius = hypot(x, y);
        double blade = (atan2(-y, x) - 0.25 * exp(radius / 2)) / (2 * PI / 5);
        count[((int)round(blade) % 5 + 5) % 5]++;
        assert_true(radius < 2 + 6 * 0.6);
    }
    for (int k = 0; k < 5; k++)
        assert_true(fabs(count[k] - N / 5.0) < 5 * sqrt(N * 0.16)); /* five standard deviations of a fifth */
    lam_table_free(t);
}

static void names_as_paths(void **state)
{
    (void)state;
    lam_table *t, *u = toy("moons", 10000, 0);
    assert_int_equal(lam_table_read("toy:moons", NULL, &t), LAM_OK);
    assert_int_equal(t->rows, 10000);
    assert_string_equal(t->hash, u->hash);
    lam_table_free(t);
    lam_table_free(u);
    u = toy("moons", 20, 7);
    assert_int_equal(lam_table_read("toy:moons:20:7", NULL, &t), LAM_OK);
    assert_string_equal(t->hash, u->hash);
    lam_table_free(t);
    lam_table_free(u);
    assert_int_equal(lam_table_read("toy:moons:20", &(lam_read_options){ .columns = LAM_NAMES("y") }, &t), LAM_OK);
    assert_int_equal(t->cols, 1);
    assert_int_equal(t->rows, 20);
    lam_table_free(t);
    static const char *const wrong[] = { "toy:", "toy:noon", "toy:moons:", "toy:moons:x", "toy:moons:-3", "toy:moons:3:4:5",
        "toy:moons:0", "toy:moons:99999999999999999999999" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(lam_table_read(wrong[i], NULL, &t), LAM_ERR_ARGUMENT);
        assert_null(t);
    }
    assert_int_equal(lam_table_toy("noon", 10, 0, &t), LAM_ERR_ARGUMENT);
    assert_non_null(strstr(lam_last_error(), "there are 8gaussians, pinwheel"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_counted),
        cmocka_unit_test(second_moments),
        cmocka_unit_test(shapes),
        cmocka_unit_test(pinwheel_blades),
        cmocka_unit_test(names_as_paths),
    };
    return cmocka_run_group_tests_name("toy", tests, NULL, NULL);
}
