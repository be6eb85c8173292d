/* Colours: even steps of the scale, and series that are told apart by every eye. */
#include "report/colour.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static double linear(double c)
{
    return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

/* Oklab of linear red, green, blue (Ottosson 2020): the matrices from linear sRGB, the other way round than in colour.c. */
static void to_oklab(const double rgb[3], double lab[3])
{
    double l = cbrt(0.4122214708 * rgb[0] + 0.5363325363 * rgb[1] + 0.0514459929 * rgb[2]);
    double m = cbrt(0.2119034982 * rgb[0] + 0.6806995451 * rgb[1] + 0.1073969566 * rgb[2]);
    double s = cbrt(0.0883024619 * rgb[0] + 0.2817188376 * rgb[1] + 0.6299787005 * rgb[2]);
    lab[0] = 0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s;
    lab[1] = 1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s;
    lab[2] = 0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s;
}

static double distance(const double a[3], const double b[3])
{
    return sqrt((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) + (a[2] - b[2]) * (a[2] - b[2]));
}

/* Every step is of the same length, lightness goes one way by a sixth of the step at least, from one end to the other. */
static void even_scale(void **state)
{
    (void)state;
    for (int dark = 0; dark < 2; dark++) {
        lam_colours c;
        double lab[LAM_SCALE_COLOURS][3], mean = 0;
        lam_colours_make(dark, &c);
        for (size_t i = 0; i < LAM_SCALE_COLOURS; i++) {
            const double rgb[3] = { linear(c.scale[i][0]), linear(c.scale[i][1]), linear(c.scale[i][2]) };
            to_oklab(rgb, lab[i]);
            mean += i > 0 ? distance(lab[i], lab[i - 1]) / (LAM_SCALE_COLOURS - 1) : 0;
        }
        for (size_t i = 1; i < LAM_SCALE_COLOURS; i++) {
            double step = distance(lab[i], lab[i - 1]), lighter = (dark ? 1 : -1) * (lab[i][0] - lab[i - 1][0]);
            assert_true(fabs(step / mean - 1) < 0.001); /* chords of the curve; nothing is cut at the limit of what a screen shows */
            assert_true(lighter > step / 6);
        }
        assert_true(fabs(lab[0][0] - lab[LAM_SCALE_COLOURS - 1][0]) > 0.75);
        assert_memory_equal(c.paper, c.scale[0], sizeof c.paper);
    }
}

/* Two series differ in Oklab as people see them whose red, green or blue cones fail: linear maps of linear sRGB (Machado, Oliveira
 * and Fernandes 2009, table 1, severity 1). Okabe and Ito's own least distance is 0.076; a just noticeable one is 0.02. */
static void series_differ(void **state)
{
    (void)state;
    static const double eyes[4][3][3] = { { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } },
        { { 0.152286, 1.052583, -0.204868 }, { 0.114503, 0.786281, 0.099216 }, { -0.003882, -0.048116, 1.051998 } },
        { { 0.367322, 0.860646, -0.227968 }, { 0.280085, 0.672501, 0.047413 }, { -0.011820, 0.042940, 0.968881 } },
        { { 1.255528, -0.076749, -0.178779 }, { -0.078411, 0.930809, 0.147602 }, { 0.004733, 0.691367, 0.303900 } } };
    for (int dark = 0; dark < 2; dark++) {
        lam_colours c;
        lam_colours_make(dark, &c);
        for (size_t eye = 0; eye < 4; eye++) {
            double lab[LAM_COLOURS + 1][3]; /* and the paper */
            for (size_t i = 0; i <= LAM_COLOURS; i++) {
                const double *rgb = i < LAM_COLOURS ? c.series[i] : c.paper;
                double seen[3];
                for (size_t k = 0; k < 3; k++)
                    seen[k] = eyes[eye][k][0] * linear(rgb[0]) + eyes[eye][k][1] * linear(rgb[1]) + eyes[eye][k][2] * linear(rgb[2]);
                to_oklab(seen, lab[i]);
            }
            for (size_t i = 0; i <= LAM_COLOURS; i++)
                for (size_t j = 0; j < i; j++)
                    if (!(distance(lab[i], lab[j]) > (dark ? 0.12 : 0.075)))
                        fail_msg("dark %d, eye %zu: colours %zu and %zu are %.3f apart", dark, eye, i, j, distance(lab[i], lab[j]));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(even_scale),
        cmocka_unit_test(series_differ),
    };
    return cmocka_run_group_tests_name("colour", tests, NULL, NULL);
}
