/* The colours of pictures, on light and on dark paper. */
#include "report/colour.h"
#include <math.h>
#include <string.h>

static const double light[LAM_COLOURS][3] = { { 0.000, 0.447, 0.698 }, { 0.835, 0.369, 0.000 }, { 0.000, 0.620, 0.451 },
    { 0.800, 0.475, 0.655 }, { 0.902, 0.624, 0.000 }, { 0.337, 0.706, 0.914 }, { 0.000, 0.000, 0.000 } };
static const double dark_ones[LAM_COLOURS][3] = { { 0.477, 0.698, 1.000 }, { 0.885, 0.391, 0.078 }, { 0.000, 0.610, 0.579 },
    { 1.000, 0.680, 0.674 }, { 0.801, 0.876, 0.123 }, { 0.470, 0.412, 0.793 }, { 0.810, 1.000, 1.000 } };

/* ---- the scale ---------------------------------------------------------------------------------------------------- */

enum { CURVE = 4096 };

/* Oklab's L, a, b of the curve at u in [0, 1]: lightness 1 to 0.2, hue 110 to 290 degrees. More chroma than that would leave what
 * a screen can show, at the greens. */
static void curve_at(double u, double lab[3])
{
    const double degree = 3.14159265358979324 / 180;
    double hue = (110 + 180 * u) * degree, chroma = 0.096 * sin(180 * u * degree);
    lab[0] = 1 - 0.8 * u;
    lab[1] = chroma * cos(hue);
    lab[2] = chroma * sin(hue);
}

static double encode_srgb(double linear)
{
    double x = linear < 0 ? 0 : linear > 1 ? 1 : linear;
    return x <= 0.0031308 ? 12.92 * x : 1.055 * pow(x, 1 / 2.4) - 0.055;
}

/* The matrices of Ottosson's page (bottosson.github.io/posts/oklab). */
static void to_srgb(const double lab[3], double rgb[3])
{
    double l = lab[0] + 0.3963377774 * lab[1] + 0.2158037573 * lab[2];
    double m = lab[0] - 0.1055613458 * lab[1] - 0.0638541728 * lab[2];
    double s = lab[0] - 0.0894841775 * lab[1] - 1.2914855480 * lab[2];
    l *= l * l;
    m *= m * m;
    s *= s * s;
    rgb[0] = encode_srgb(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s);
    rgb[1] = encode_srgb(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s);
    rgb[2] = encode_srgb(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s);
}

/* Distance along the curve to the end of piece i of CURVE, added to `before`. */
static double add_piece(double before, size_t i)
{
    double a[3], b[3];
    curve_at((double)i / CURVE, a);
    curve_at((double)(i + 1) / CURVE, b);
    return before + sqrt((b[0] - a[0]) * (b[0] - a[0]) + (b[1] - a[1]) * (b[1] - a[1]) + (b[2] - a[2]) * (b[2] - a[2]));
}

static void make_scale(int dark, double scale[LAM_SCALE_COLOURS][3])
{
    double length = 0, before = 0;
    size_t piece = 0;
    for (size_t i = 0; i < CURVE; i++)
        length = add_piece(length, i);
    for (size_t k = 0; k < LAM_SCALE_COLOURS; k++) {
        double wanted = length * (double)k / (LAM_SCALE_COLOURS - 1), lab[3];
        while (piece + 1 < CURVE && add_piece(before, piece) < wanted)
            before = add_piece(before, piece++);
        double part = (wanted - before) / (add_piece(before, piece) - before);
        curve_at(((double)piece + part) / CURVE, lab);
        to_srgb(lab, scale[dark ? LAM_SCALE_COLOURS - 1 - k : k]);
    }
}

void lam_colours_make(int dark, lam_colours *colours)
{
    const double ink = dark ? 0.87 : 0.13, grid = dark ? 0.19 : 0.9;
    memcpy(colours->series, dark ? dark_ones : light, sizeof light);
    make_scale(dark, colours->scale);
    memcpy(colours->paper, colours->scale[0], sizeof colours->paper);
    for (size_t i = 0; i < 3; i++) {
        colours->ink[i] = ink;
        colours->grid[i] = grid;
    }
}
