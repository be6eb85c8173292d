/* Finds columns with few distinct values. */
#include "base/error.h"
#include "base/mem.h"
#include "base/number.h"
#include "data/dataset.h"
#include "data/moments.h"
#include <math.h>
#include <stdlib.h>

enum { SAMPLE = LAM_COLUMN_SAMPLE };

/* Walks sorted [m]: counts values and the longest run, and leaves the gaps between values in its place. Returns how many. A value is
 * the first of those that are the same number: a chain of them does not grow beyond that. */
static size_t find_gaps(double *sorted, size_t m, lam_column_look *out)
{
    size_t tail = m / 200; /* a value that stands for "missing" may dwarf the others */
    double same = lam_same_within(sorted + tail, m - 2 * tail, 1), value = sorted[0];
    size_t gaps = 0, run = 1;
    out->distinct = out->most = 1, out->common = value;
    for (size_t i = 1; i < m; i++) {
        double next = sorted[i], gap = next - value;
        run = gap > same ? 1 : run + 1;
        if (gap > same) {
            sorted[gaps++] = gap; /* gaps < i: this place has been read */
            value = next;
        }
        if (run > out->most)
            out->most = run, out->common = value;
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
    lam_sort_ascending(sorted, m);
    size_t gaps = find_gaps(sorted, m, out);
    lam_sort_ascending(sorted, gaps);
    out->spacing = gaps > 0 ? lam_number_round(sorted[gaps / 4], 6) : 0;
    out->discrete = out->distinct < (m + 9) / 10 || (out->most > 2 && out->most > m / 20);
    lam_free(sorted);
    return LAM_OK;
}
