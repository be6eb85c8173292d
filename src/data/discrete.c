#include "base/error.h"
#include "base/mem.h"
#include "data/dataset.h"
#include <math.h>
#include <stdlib.h>

enum { SAMPLE = 50000 };

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* 0.0099999999999909 -> 0.01: differences of decimals carry their rounding. Six digits: */
static double round_six(double x)
{
    if (x == 0 || !isfinite(x))
        return x;
    double unit = pow(10, floor(log10(x)) - 5);
    return unit >= 1 ? round(x / unit) * unit : round(x / unit) / round(1 / unit);
}

/* Walks sorted [m]: counts values and the longest run, and leaves the gaps between values in its place. Returns how many. */
static size_t find_gaps(double *sorted, size_t m, lam_column_look *out)
{
    /* two decimals that are the same number written differently may be an ulp or so apart: not a gap */
    double ulps = 1e-12 * fmax(fabs(sorted[0]), fabs(sorted[m - 1])), before = sorted[0];
    size_t gaps = 0, run = 1;
    out->distinct = out->most = 1, out->common = before;
    for (size_t i = 1; i < m; i++) {
        double value = sorted[i], gap = value - before;
        run = gap > ulps ? 1 : run + 1;
        if (gap > ulps)
            sorted[gaps++] = gap; /* gaps < i: this place has been read */
        if (run > out->most)
            out->most = run, out->common = value;
        before = value;
    }
    out->distinct += gaps;
    return gaps;
}

lam_status lam_column_look_at(const double *x, size_t n, size_t stride, lam_column_look *out)
{
    size_t m = n < SAMPLE ? n : SAMPLE;
    *out = (lam_column_look){ .sampled = m };
    if (m == 0)
        return LAM_OK;
    double *sorted = lam_alloc(m, sizeof *sorted);
    if (sorted == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < m; i++)
        sorted[i] = x[(size_t)((double)i * ((double)n / (double)m)) * stride];
    qsort(sorted, m, sizeof *sorted, ascending);
    size_t gaps = find_gaps(sorted, m, out);
    qsort(sorted, gaps, sizeof *sorted, ascending);
    out->spacing = gaps > 0 ? round_six(sorted[gaps / 4]) : 0;
    out->discrete = out->distinct < (m + 9) / 10 || (out->most > 2 && out->most > m / 10);
    lam_free(sorted);
    return LAM_OK;
}
