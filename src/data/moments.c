/* Mean, spread and range of a column. */
#include "data/moments.h"
#include "base/error.h"
#include "base/mem.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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

static void take_moments(const sums *s, double mean, double variance, lam_column_moments *out)
{
    *out = (lam_column_moments) { .low = s->low, .high = s->high, .mean = mean, .deviation = sqrt(fmax(variance, 0)),
        .same = same_of(s->whole, s->largest) };
    out->constant = s->high - s->low <= out->same
        || (s->high - s->low <= FLOAT_ULPS * FLT_EPSILON * fmax(fabs(s->low), fabs(s->high)) && s->floats && !s->whole);
    if (isnan(variance))
        out->deviation = variance;
}

/* Of a column that was read as one piece: what the mean was off by goes. */
static void take_piece(const sums *s, lam_column_moments *out)
{
    double off = s->off / (double)s->n;
    take_moments(s, s->mean + off, s->square / (double)s->n - off * off, out);
}

void lam_moments_of(const double *x, size_t n, size_t stride, lam_column_moments *out)
{
    sums s = { 0 };
    for (size_t i = 0; i < n; i++)
        note(&s, x[i * stride]);
    take_mean(&s);
    for (size_t i = 0; i < n; i++)
        note_again(&s, x[i * stride]);
    take_piece(&s, out);
}

/* ---- all columns, piece by piece ---------------------------------------------------------------------------------- */

/* Of a column, all pieces so far. Means are kept as distances from the first piece's, so that a mean that is large beside the deviation costs no
 * digits here either. */
typedef struct joined {
    double at, square; /* the mean, less the first piece's; sum of squares about it */
    double own, step;  /* of the piece that comes: its mean, less the first one's; how far that is from the mean so far */
} joined;

struct lam_moments_run {
    size_t dim, rows, pieces;
    sums *all, *piece;         /* [dim] */
    joined *join;              /* [dim] */
    double *product, *partial; /* [dim, dim] the lower triangles: sums of products about the means, of all and of the piece. NULL: none are asked for */
    double *row;               /* [dim] */
    int is_complete;           /* no cell was missing so far */
};

lam_status lam_moments_begin(size_t dim, int products, lam_moments_run **out)
{
    lam_moments_run *run = *out = lam_alloc(1, sizeof *run);
    if (run == NULL)
        return LAM_ERR_MEMORY;
    *run = (lam_moments_run) { .dim = dim, .is_complete = 1 };
    run->all = lam_alloc(dim, sizeof *run->all);
    run->piece = lam_alloc(dim, sizeof *run->piece);
    run->join = lam_alloc(dim, sizeof *run->join);
    run->row = lam_alloc(dim, sizeof *run->row);
    run->product = products ? lam_alloc(dim * dim, sizeof *run->product) : NULL;
    run->partial = products ? lam_alloc(dim * dim, sizeof *run->partial) : NULL;
    if (run->all != NULL && run->piece != NULL && run->join != NULL && run->row != NULL && (!products || (run->product != NULL && run->partial != NULL)))
        return LAM_OK;
    lam_moments_free(run);
    *out = NULL;
    return LAM_ERR_MEMORY;
}

void lam_moments_free(lam_moments_run *run)
{
    if (run == NULL)
        return;
    lam_free(run->all);
    lam_free(run->piece);
    lam_free(run->join);
    lam_free(run->row);
    lam_free(run->product);
    lam_free(run->partial);
    lam_free(run);
}

static int are_asked_for(const lam_moments_run *run)
{
    return run->product != NULL && run->is_complete;
}

/* The piece by itself: both readings of it, with the products about the means that the first one gives. */
static void read_piece(lam_moments_run *run, const double *x, size_t n)
{
    size_t dim = run->dim;
    sums *s = run->piece;
    memset(s, 0, dim * sizeof *s);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < dim; j++) {
            if (!isnan(x[i * dim + j]))
                note(&s[j], x[i * dim + j]);
            else
                run->is_complete = 0;
        }
    for (size_t j = 0; j < dim; j++)
        take_mean(&s[j]);
    if (are_asked_for(run))
        memset(run->partial, 0, dim * dim * sizeof *run->partial);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < dim; j++)
            if (!isnan(x[i * dim + j]))
                note_again(&s[j], x[i * dim + j]);
        for (size_t j = 0; are_asked_for(run) && j < dim; j++) {
            run->row[j] = x[i * dim + j] - s[j].mean;
            for (size_t k = 0; k <= j; k++)
                run->partial[j * dim + k] += run->row[j] * run->row[k];
        }
    }
}

/* Chan, Golub and LeVeque 1983, (2.1): two sums of squares about their own means become one about the mean of both. Products go the same way. */
static double between(const joined *a, const joined *b, double before, double piece)
{
    return a->step * b->step * (before * piece / (before + piece));
}

static void join_products(lam_moments_run *run, double before, double piece)
{
    size_t dim = run->dim;
    for (size_t j = 0; j < dim; j++)
        for (size_t k = 0; k <= j; k++) {
            double own = run->partial[j * dim + k] - run->piece[j].off * run->piece[k].off / piece;
            run->product[j * dim + k] += before > 0 ? own + between(&run->join[j], &run->join[k], before, piece) : own;
        }
}

static void join_column(sums *all, const sums *piece, joined *join)
{
    double before = (double)all->n, n = (double)piece->n, own = piece->square - piece->off * piece->off / n;
    if (piece->n == 0)
        return;
    if (all->n == 0) {
        *all = *piece;
        join->at = join->own, join->square = own;
        return;
    }
    join->square += own + between(join, join, before, n);
    join->at += join->step * (n / (before + n));
    all->n += piece->n;
    all->low = piece->low < all->low ? piece->low : all->low;
    all->high = piece->high > all->high ? piece->high : all->high;
    all->largest = fmax(all->largest, piece->largest);
    all->whole &= piece->whole;
    all->floats &= piece->floats;
}

void lam_moments_add(lam_moments_run *run, const double *x, size_t n)
{
    if (n == 0)
        return;
    read_piece(run, x, n);
    for (size_t j = 0; j < run->dim; j++) {
        const sums *piece = &run->piece[j], *first = run->all[j].n > 0 ? &run->all[j] : piece;
        run->join[j].own = piece->n > 0 ? (piece->mean - first->mean) + piece->off / (double)piece->n : 0;
        run->join[j].step = run->join[j].own - run->join[j].at;
    }
    if (are_asked_for(run))
        join_products(run, (double)run->rows, (double)n);
    for (size_t j = 0; j < run->dim; j++)
        join_column(&run->all[j], &run->piece[j], &run->join[j]);
    run->rows += n;
    run->pieces++;
}

void lam_moments_end(const lam_moments_run *run, lam_column_moments *out)
{
    for (size_t j = 0; j < run->dim; j++) {
        const sums *s = &run->all[j];
        out[j] = (lam_column_moments) { 0 };
        if (s->n > 0 && run->pieces == 1)
            take_piece(s, &out[j]);
        else if (s->n > 0)
            take_moments(s, s->mean + run->join[j].at, run->join[j].square / (double)s->n, &out[j]);
        out[j].n = s->n;
    }
}

int lam_moments_covariance(const lam_moments_run *run, double *covariance)
{
    size_t dim = run->dim;
    for (size_t j = 0; are_asked_for(run) && j < dim; j++)
        for (size_t k = 0; k <= j; k++)
            covariance[j * dim + k] = run->product[j * dim + k] / (double)run->rows;
    return are_asked_for(run);
}

lam_status lam_moments_of_rows(const double *x, size_t n, size_t dim, lam_column_moments *out)
{
    lam_moments_run *run;
    LAM_TRY(lam_moments_begin(dim, 0, &run));
    for (size_t i = 0; i < n; i += LAM_MOMENTS_PIECE)
        lam_moments_add(run, x + i * dim, n - i < LAM_MOMENTS_PIECE ? n - i : LAM_MOMENTS_PIECE);
    lam_moments_end(run, out);
    lam_moments_free(run);
    return LAM_OK;
}
