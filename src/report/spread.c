/* Ranges, histogram bins and smoothed densities for pictures of numbers. */
#include "report/spread.h"
#include "base/error.h"
#include "base/mem.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

double lam_spread_quantile(const double *sorted, size_t n, double part)
{
    double at = part * (double)(n - 1), below = floor(at);
    size_t i = (size_t)below;
    return i + 1 < n ? sorted[i] + (at - below) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

void lam_spread_range(const double *sorted, size_t n, double range[2])
{
    double low = lam_spread_quantile(sorted, n, 0.005), high = lam_spread_quantile(sorted, n, 0.995), beyond = 0.25 * (high - low);
    low = fmax(sorted[0], low - beyond);
    high = fmin(sorted[n - 1], high + beyond);
    double size = fmax(fabs(low), fabs(high)), air = 0.04 * (high - low);
    if (!(high - low > 1e-12 * size)) /* what rounding alone tells apart */
        air = size > 0 ? 0.05 * size : 0.5;
    range[0] = low - air;
    range[1] = high + air;
}

/* ---- histograms --------------------------------------------------------------------------------------------------- */

/* The least distance of different values, if they are at most LAM_MOST_BINS and all stand at multiples of it; else 0. */
static double even_distance(const double *sorted, size_t n, const double range[2])
{
    double least = (double)INFINITY, first = (double)NAN;
    size_t different = 0;
    for (size_t i = 0; i < n; i++) {
        if (sorted[i] < range[0] || sorted[i] > range[1] || (i > 0 && sorted[i] == sorted[i - 1]))
            continue;
        if (different == 0)
            first = sorted[i];
        else
            least = fmin(least, sorted[i] - sorted[i - 1]);
        if (++different > LAM_MOST_BINS)
            return 0;
    }
    if (different < 2 || different > n / 2 || (range[1] - range[0]) / least > 1e6)
        return 0;
    for (size_t i = 0; i < n; i++) {
        double steps = (sorted[i] - first) / least;
        if (sorted[i] >= range[0] && sorted[i] <= range[1] && fabs(steps - round(steps)) > 0.01)
            return 0;
    }
    return least;
}

void lam_spread_bins(const double *sorted, size_t n, const double range[2], lam_bins *bins)
{
    double span = range[1] - range[0], distance = even_distance(sorted, n, range), start = range[0], width;
    if (distance > 0) {
        double first = range[0];
        for (size_t i = n; i-- > 0;)
            first = sorted[i] >= range[0] ? sorted[i] : first;
        double most = LAM_MOST_BINS - 2;
        width = distance * ceil(span / distance / most);
        start = first - 0.5 * distance;
        start -= ceil((start - range[0]) / width) * width;
    } else {
        double spread = lam_spread_quantile(sorted, n, 0.75) - lam_spread_quantile(sorted, n, 0.25);
        double wanted = spread > 0 ? span / (2 * spread / cbrt((double)n)) : LAM_MOST_BINS;
        width = span / fmin(fmax(ceil(wanted), 8), LAM_MOST_BINS);
    }
    bins->n = (size_t)fmin(ceil((range[1] - start) / width - 1e-9), LAM_MOST_BINS);
    for (size_t i = 0; i <= bins->n; i++)
        bins->edges[i] = start + (double)i * width;
}

void lam_spread_heights(const double *sorted, size_t n, const lam_bins *bins, double *heights)
{
    double width = bins->edges[1] - bins->edges[0];
    memset(heights, 0, bins->n * sizeof *heights);
    for (size_t i = 0; i < n; i++) {
        double at = floor((sorted[i] - bins->edges[0]) / width);
        if (at >= 0 && at < (double)bins->n)
            heights[(size_t)at] += 1 / ((double)n * width);
    }
}

/* ---- pairs -------------------------------------------------------------------------------------------------------- */

/* Half the distance of the 16 % and 84 % quantiles: of a normal the standard deviation. */
static lam_status half_width(const double *x, size_t stride, size_t n, double *width)
{
    double *sorted = lam_alloc(n, sizeof *sorted);
    if (sorted == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < n; i++)
        sorted[i] = x[i * stride];
    lam_sort_ascending(sorted, n);
    *width = 0.5 * (lam_spread_quantile(sorted, n, 0.84) - lam_spread_quantile(sorted, n, 0.16));
    lam_free(sorted);
    return LAM_OK;
}

/* Convolves lines of z with a Gaussian of that width in cells (a tenth of side at the most), along steps of `step`; room [2 side]. */
static void smooth(double *z, size_t side, size_t step, size_t across, double width, double *room)
{
    size_t reach = (size_t)ceil(3 * width);
    double *line = room, *weight = room + side;
    for (size_t d = 0; d <= reach; d++)
        weight[d] = exp(-0.5 * (double)(d * d) / (width * width)) / (width * 2.50662827463100050242);
    for (size_t k = 0; k < side; k++) {
        double *at = z + k * across;
        for (size_t i = 0; i < side; i++) {
            size_t from = i > reach ? i - reach : 0, to = i + reach < side ? i + reach : side - 1;
            double sum = 0;
            for (size_t j = from; j <= to; j++)
                sum += at[j * step] * weight[j > i ? j - i : i - j];
            line[i] = sum;
        }
        for (size_t i = 0; i < side; i++)
            at[i * step] = line[i];
    }
}

/* The cell that pair i lies in; side * side: none. */
static size_t cell_of(const lam_pairs *pairs, size_t side, size_t i)
{
    const double *ranges[2] = { pairs->x_range, pairs->y_range };
    size_t at[2];
    for (int k = 0; k < 2; k++) {
        double value = (k == 0 ? pairs->x : pairs->y)[i * pairs->stride];
        double place = floor((value - ranges[k][0]) / (ranges[k][1] - ranges[k][0]) * (double)side);
        if (!(place >= 0 && place < (double)side))
            return side * side;
        at[k] = (size_t)place;
    }
    return at[1] * side + at[0];
}

lam_status lam_spread_pairs(const lam_pairs *pairs, size_t side, double *z)
{
    const double *ranges[2] = { pairs->x_range, pairs->y_range };
    double width[2];
    LAM_TRY(half_width(pairs->x, pairs->stride, pairs->n, &width[0]));
    LAM_TRY(half_width(pairs->y, pairs->stride, pairs->n, &width[1]));
    double *room = lam_alloc(2 * side, sizeof *room);
    if (room == NULL)
        return LAM_ERR_MEMORY;
    memset(z, 0, side * side * sizeof *z);
    for (size_t i = 0; i < pairs->n; i++) {
        size_t cell = cell_of(pairs, side, i);
        if (cell < side * side)
            z[cell] += 1 / (double)pairs->n;
    }
    for (int k = 0; k < 2; k++) {
        double size = (ranges[k][1] - ranges[k][0]) / (double)side, cells = 0.7 * width[k] * pow((double)pairs->n, -1.0 / 6) / size;
        smooth(z, side, k == 0 ? 1 : side, k == 0 ? side : 1, fmin(fmax(cells, 0.7), 0.1 * (double)side), room);
    }
    lam_free(room);
    return LAM_OK;
}

lam_status lam_spread_level(const lam_pairs *pairs, size_t side, const double *z, double part, double *level)
{
    double *sorted = lam_alloc(pairs->n, sizeof *sorted);
    if (sorted == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < pairs->n; i++) {
        size_t cell = cell_of(pairs, side, i);
        sorted[i] = cell < side * side ? z[cell] : -1;
    }
    lam_sort_ascending(sorted, pairs->n);
    *level = lam_spread_quantile(sorted, pairs->n, 1 - part);
    lam_free(sorted);
    return LAM_OK;
}
