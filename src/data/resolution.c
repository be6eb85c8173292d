/* Finds the smallest unit in which a column's numbers are written. */
#include "data/resolution.h"
#include "data/moments.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { LOOKED_AT = 2000, ALL_DIGITS = 15 };

/* Significant digits of v, at most 15, and the exponent of its first. */
static int digits_of(double v, int *exponent)
{
    char text[40];
    int n = 0, last = 0;
    snprintf(text, sizeof text, "%.14e", fabs(v)); /* the decimal sign may be any */
    const char *p = text;
    for (; *p != '\0' && *p != 'e'; p++)
        if (*p >= '0' && *p <= '9') {
            n++;
            last = *p != '0' ? n : last;
        }
    *exponent = *p == 'e' ? atoi(p + 1) : 0;
    return last;
}

void lam_resolution_of(const double *x, size_t n, size_t stride, lam_resolution *out)
{
    size_t looks = n < LOOKED_AT ? n : LOOKED_AT, full = 0;
    int finest = -400; /* decimals that all numbers do with; below 0: they end in noughts */
    *out = (lam_resolution) { 0 };
    for (size_t i = 0; i < looks; i++) {
        double v = x[i * n / looks * stride];
        int exponent, digits = digits_of(v, &exponent);
        if (v == 0)
            continue;
        full += digits == ALL_DIGITS;
        finest = digits - 1 - exponent > finest ? digits - 1 - exponent : finest;
        out->digits = digits > out->digits ? digits : out->digits;
    }
    if (20 * full > looks) /* no number of fifteen digits is an accident in a column of short ones */
        out->relative = lam_were_floats(x, n, stride) ? 4 * FLT_EPSILON : LAM_SAME_ULPS * DBL_EPSILON;
    else
        out->unit = finest > -400 ? pow(10, -finest) : 0;
}

double lam_resolution_step(const lam_resolution *resolution, double value)
{
    if (resolution->unit == 0 || value == 0)
        return resolution->unit + resolution->relative * fabs(value);
    double digit = pow(10, floor(log10(fabs(value)) + 1e-12) - resolution->digits + 1);
    return fmax(resolution->unit, digit);
}
