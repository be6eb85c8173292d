/* Mean, spread and range of a column. */
#include "data/moments.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>

enum { FLOAT_ULPS = 4 };

double lam_same_within(const double *x, size_t n, size_t stride)
{
    double largest = 0;
    int whole = 1;
    for (size_t i = 0; i < n; i++) {
        double v = x[i * stride];
        largest = fmax(largest, fabs(v));
        whole &= v == floor(v);
    }
    return whole && largest <= 0x1p53 ? 0 : LAM_SAME_ULPS * DBL_EPSILON * largest;
}

int lam_is_same(double a, double b)
{
    return fabs(a - b) <= LAM_SAME_ULPS * DBL_EPSILON * fmin(fabs(a), fabs(b));
}

int lam_were_floats(const double *x, size_t n, size_t stride)
{
    int whole = 1;
    for (size_t i = 0; i < n; i++) {
        double v = x[i * stride];
        if (fabs(v) > FLT_MAX || (double)(float)v != v)
            return 0;
        whole &= v == floor(v);
    }
    return !whole;
}

void lam_moments_of(const double *x, size_t n, size_t stride, lam_column_moments *out)
{
    double first = x[0], low = first, high = first, sum = 0, off = 0, square = 0;
    for (size_t i = 0; i < n; i++) {
        double v = x[i * stride];
        low = v < low ? v : low;
        high = v > high ? v : high;
        sum += v - first;
    }
    double mean = first + sum / (double)n;
    for (size_t i = 0; i < n; i++) {
        double d = x[i * stride] - mean;
        off += d;
        square += d * d;
    }
    off /= (double)n;
    double largest = fmax(fabs(low), fabs(high)), variance = square / (double)n - off * off;
    *out = (lam_column_moments) { .low = low, .high = high, .mean = mean + off, .deviation = sqrt(fmax(variance, 0)),
        .same = lam_same_within(x, n, stride) };
    out->constant = high - low <= out->same || (high - low <= FLOAT_ULPS * FLT_EPSILON * largest && lam_were_floats(x, n, stride));
    if (isnan(variance))
        out->deviation = variance;
}
