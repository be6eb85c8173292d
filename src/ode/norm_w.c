/* Error norms of a step: per part of the system the root mean square over all rows of the batch of error / (atol + rtol max(|y0|,
 * |y1|)), the largest of them being the step's ratio (method.md 5). */
#include "ode/step.h"
#include <math.h>
#include <string.h>

/* Sum over the tile's rows and one part's features of (v / scale)^2, in double over rows; the worst row is kept. */
static double part_norm(const lam_stepping *s, size_t tile, size_t thread, size_t part, const real *v, const real *y0,
    const real *y1, int keep_worst)
{
    real *sums = s->space->thread[thread] + s->space->at_sums;
    size_t at = s->sys->part[part].first * LAM_TILE, rows = lam_batch_tile_rows(s->batch, tile);
    lam_tile_norm *norm = &s->space->norm[tile];
    memset(sums, 0, LAM_TILE * sizeof *sums);
    s->space->kernels->error(s->sys->part[part].count, v + at, y0 + at, y1 + at, (real)s->options->atol, (real)s->options->rtol,
        sums);
    double total = 0;
    for (size_t i = 0; i < rows; i++) {
        total += (double)sums[i];
        if (keep_worst && !((double)sums[i] <= norm->worst)) { /* a NaN is the worst of all */
            norm->worst = isnan(sums[i]) ? INFINITY : (double)sums[i];
            norm->worst_row = tile * LAM_TILE + i;
        }
    }
    return total;
}

void lam_norm_tile(const lam_stepping *s, size_t tile, size_t thread, const real *v, const real *v3, const real *y0, const real *y1)
{
    lam_tile_norm *norm = &s->space->norm[tile];
    size_t bad_row = norm->bad_row;
    memset(norm, 0, sizeof *norm);
    norm->bad_row = bad_row;
    norm->worst = -1;
    for (size_t p = 0; p < s->sys->parts; p++) {
        norm->sum[p] = part_norm(s, tile, thread, p, v, y0, y1, 1);
        if (v3 != NULL)
            norm->sum3[p] = part_norm(s, tile, thread, p, v3, y0, y1, 0);
    }
}

void lam_norm_keep_error(const lam_stepping *s, size_t tile, const real *v, const real *y0, const real *y1, real *to)
{
    size_t rows = lam_batch_tile_rows(s->batch, tile);
    const real atol = (real)s->options->atol, rtol = (real)s->options->rtol;
    memset(to, 0, lam_stepping_plane(s) * sizeof(real));
    for (size_t p = 0; p < s->sys->parts; p++) {
        double sum = 0;
        size_t from = s->sys->part[p].first, end = from + s->sys->part[p].count;
        for (size_t i = from * LAM_TILE; i < end * LAM_TILE; i += LAM_TILE)
            for (size_t r = i; r < i + rows; r++) {
                real low = y0[r] < 0 ? -y0[r] : y0[r], high = y1[r] < 0 ? -y1[r] : y1[r];
                real scale = atol + rtol * (low > high ? low : high), ratio = v[r] / scale;
                to[r] = ratio / scale;
                sum += (double)ratio * (double)ratio;
            }
        s->space->norm[tile].error[p] = sum;
    }
}

/* ---- what ranks exchange ------------------------------------------------------------------------------------------ */

/* A tile's numbers to `to`, or back; how many there are. */
static size_t pack(const lam_stepping *s, int of_step, lam_tile_norm *norm, double *to, int back)
{
    double *at[LAM_NORM_SHARED], bad = (double)norm->bad_row;
    size_t n = 0;
    for (size_t p = 0; p < s->sys->parts; p++) {
        if (s->controlled)
            at[n++] = &norm->sum[p];
        if (s->controlled && of_step && s->table->has_e3)
            at[n++] = &norm->sum3[p];
        if (of_step && s->options->errors)
            at[n++] = &norm->error[p];
    }
    if (of_step && s->last)
        at[n++] = &bad;
    for (size_t i = 0; i < n; i++)
        *(back ? at[i] : &to[i]) = *(back ? &to[i] : at[i]);
    norm->bad_row = (size_t)bad;
    return n;
}

void lam_norm_share(const lam_stepping *s, int of_step)
{
    lam_range own = lam_batch_own_tiles(s->batch);
    double *shared = s->space->shared, none[LAM_NORM_SHARED];
    if (!lam_comm_is_several(s->batch->comm))
        return;
    size_t n = pack(s, of_step, &s->space->norm[0], none, 0);
    if (n == 0)
        return;
    for (size_t i = own.first; i < own.end; i++)
        pack(s, of_step, &s->space->norm[i], shared + i * n, 0);
    lam_batch_share_tiles(s->batch, shared, n * sizeof *shared);
    for (size_t i = 0; i < s->batch->tiles; i++)
        pack(s, of_step, &s->space->norm[i], shared + i * n, 1);
}

/* ---- norms -------------------------------------------------------------------------------------------------------- */

static double part_count(const lam_stepping *s, size_t part)
{
    return part == 0 && s->sys->entries > 0 ? s->sys->entries : (double)s->batch->rows * (double)s->sys->part[part].count;
}

/* Root mean square over the batch's rows and a part's features. */
static double part_rms(const lam_stepping *s, size_t part)
{
    double sum = 0;
    for (size_t i = 0; i < s->batch->tiles; i++) /* in order */
        sum += s->space->norm[i].sum[part];
    return sqrt(sum / part_count(s, part));
}

/* dop853 combines two estimates (Hairer, Norsett and Wanner, II.10), which were taken without h. */
static double part_of_two(const lam_stepping *s, size_t part)
{
    double e5 = 0, e3 = 0;
    for (size_t i = 0; i < s->batch->tiles; i++) {
        e5 += s->space->norm[i].sum[part];
        e3 += s->space->norm[i].sum3[part];
    }
    double denominator = e5 + 0.01 * e3;
    return e5 == 0 && e3 == 0 ? 0 : fabs(s->h) * e5 / sqrt(denominator * part_count(s, part));
}

/* Over the parts; NaN wins. */
static double largest(const lam_stepping *s, double of(const lam_stepping *s, size_t part))
{
    double most = 0;
    for (size_t p = 0; p < s->sys->parts && !isnan(most); p++) {
        double value = of(s, p);
        if (!(value <= most))
            most = value;
    }
    return most;
}

double lam_norm_batch(const lam_stepping *s)
{
    return largest(s, part_rms);
}

double lam_norm_part_ratio(const lam_stepping *s, size_t part)
{
    return s->table->has_e3 ? part_of_two(s, part) : part_rms(s, part);
}

double lam_norm_error_ratio(const lam_stepping *s)
{
    return largest(s, lam_norm_part_ratio);
}

double lam_norm_error_square(const lam_stepping *s, size_t part)
{
    double sum = 0;
    for (size_t i = 0; i < s->batch->tiles; i++)
        sum += s->space->norm[i].error[part];
    return sum / part_count(s, part);
}

size_t lam_norm_worst_row(const lam_stepping *s)
{
    size_t row = 0;
    double worst = -1;
    lam_batch_share_tiles(s->batch, s->space->norm, sizeof *s->space->norm);
    for (size_t i = 0; i < s->batch->tiles; i++)
        if (s->space->norm[i].worst > worst) {
            worst = s->space->norm[i].worst;
            row = s->space->norm[i].worst_row;
        }
    return row;
}
