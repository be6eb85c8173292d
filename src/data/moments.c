/* Mean, spread and range of a column. */
#include "data/moments.h"
#include "base/error.h"
#include "base/mem.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>

enum { FLOAT_ULPS = 4 };

static double same_of(int whole, double largest)
{
    return whole && largest <= 0x1p53 ? 0 : LAM_SAME_ULPS * DBL_EPSILON * largest;
}

double lam_same_within(const double *x, size_t n, size_t stride)
{
    double largest = 0;
    int whole = 1;
    for (size_t i = 0; i < n; i++) {
        double v = x[i * stride];
        largest = fmax(largest, fabs(v));
        whole &= v == floor(v);
    }
    return same_of(whole, largest);
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

/* ---- mean and spread ---------------------------------------------------------------------------------------------- */

/* Of a column, one number after the other. */
typedef struct sums {
    size_t n;
    double first, low, high, largest, sum, mean, off, square;
    int whole, floats;
} sums;

static void note(sums *s, double v)
{
    if (s->n++ == 0)
        *s = (sums) { .n = 1, .first = v, .low = v, .high = v, .whole = 1, .floats = 1 };
    s->low = v < s->low ? v : s->low;
    s->high = v > s->high ? v : s->high;
    s->largest = fmax(s->largest, fabs(v));
    s->sum += v - s->first;
    s->whole &= v == floor(v);
    s->floats &= fabs(v) <= FLT_MAX && (double)(float)v == v;
}

static void note_again(sums *s, double v)
{
    double d = v - s->mean;
    s->off += d;
    s->square += d * d;
}

static void take_mean(sums *s)
{
    s->mean = s->first + s->sum / (double)s->n;
}

static void take_moments(const sums *s, lam_column_moments *out)
{
    double off = s->off / (double)s->n, variance = s->square / (double)s->n - off * off;
    *out = (lam_column_moments) { .low = s->low, .high = s->high, .mean = s->mean + off, .deviation = sqrt(fmax(variance, 0)),
        .same = same_of(s->whole, s->largest) };
    out->constant = s->high - s->low <= out->same
        || (s->high - s->low <= FLOAT_ULPS * FLT_EPSILON * fmax(fabs(s->low), fabs(s->high)) && s->floats && !s->whole);
    if (isnan(variance))
        out->deviation = variance;
}

void lam_moments_of(const double *x, size_t n, size_t stride, lam_column_moments *out)
{
    sums s = { 0 };
    for (size_t i = 0; i < n; i++)
        note(&s, x[i * stride]);
    take_mean(&s);
    for (size_t i = 0; i < n; i++)
        note_again(&s, x[i * stride]);
    take_moments(&s, out);
}

lam_status lam_moments_of_rows(const double *x, size_t n, size_t dim, lam_column_moments *out)
{
    sums *s = lam_alloc(dim, sizeof *s);
    if (s == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < dim; j++)
            if (!isnan(x[i * dim + j]))
                note(&s[j], x[i * dim + j]);
    for (size_t j = 0; j < dim; j++)
        take_mean(&s[j]);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < dim; j++)
            if (!isnan(x[i * dim + j]))
                note_again(&s[j], x[i * dim + j]);
    for (size_t j = 0; j < dim; j++) {
        if (s[j].n > 0)
            take_moments(&s[j], &out[j]);
        else
            out[j] = (lam_column_moments) { 0 };
        out[j].n = s[j].n;
    }
    lam_free(s);
    return LAM_OK;
}
