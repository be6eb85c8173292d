/* One pass over the rows: responsibilities, log-density, and the sums of the next means and covariances. */
#define LAM_WIDTH 64
#include "data/mixture_inside.h"
#include "base/error.h"
#include "base/mem.h"
#include "kernels/kernels.h"
#include <math.h>
#include <string.h>

/* A tile of z is [dim][TILE], rows in the lanes (kernels/kernels.h). All components' y = whiten (z - mean) are kept until the
 * rows' shares are known, so that the sums need no second product. Everything is summed per group of tiles, then in group order. */
enum { GROUPS = 8, AT_FIRST = 8 };

static const double half_log_2pi = 0.91893853320467274178;
static const double vanishing = -40; /* log of a share that is taken for 0: 4e-18 */

struct lam_mixture_pass {
    const lam_mixture *mixture;
    const lam_kernels_f64 *kernels;
    lam_pool *pool;
    size_t wide;                       /* dim, in whole vectors */
    double *packed, *shift, *log_norm; /* [components] of [dim, dim] packed, of [dim], of 1 */
    double *thread;                    /* [threads][thread_size]: z, y of all components, one of them weighted, one transposed, shares */
    size_t thread_size, at_y, at_weighted, at_transposed, at_share;
    double *sums;                      /* [GROUPS][components][sums_size]: sum of r, of r y at AT_FIRST, of r y y' in blocks behind it */
    size_t sums_size, at_second;
    double log_sum[GROUPS];
    /* the pass in hand */
    lam_mixture_want want;
    const double *x;
    const size_t *index;
    double *each;
    lam_batch batch;
};

static size_t whole(size_t n, size_t of)
{
    return (n + of - 1) / of * of;
}

lam_status lam_mixture_pass_create(const lam_mixture *mixture, const char *isa, lam_pool *pool, lam_mixture_pass **out)
{
    size_t dim = mixture->dim, components = mixture->components;
    lam_mixture_pass *p = *out = lam_alloc(1, sizeof *p);
    if (p == NULL)
        return LAM_ERR_MEMORY;
    p->mixture = mixture;
    p->pool = pool;
    lam_status status = lam_kernels_get_f64(isa, &p->kernels);
    if (status == LAM_OK) {
        p->wide = whole(dim, p->kernels->lanes);
        p->at_y = dim * LAM_TILE;
        p->at_weighted = p->at_y + components * dim * LAM_TILE;
        p->at_transposed = p->at_weighted + dim * LAM_TILE;
        p->at_share = p->at_transposed + p->wide * LAM_TILE;
        p->thread_size = p->at_share + components * LAM_TILE;
        p->at_second = AT_FIRST + whole(dim, 8);
        p->sums_size = p->at_second + whole(dim * p->wide, 8);
        p->packed = lam_alloc(components, dim * dim * sizeof(double));
        p->shift = lam_alloc(components, dim * sizeof(double));
        p->log_norm = lam_alloc(components, sizeof(double));
        p->thread = lam_alloc(lam_pool_threads(pool), p->thread_size * sizeof(double));
        p->sums = lam_alloc(GROUPS * components, p->sums_size * sizeof(double));
        if (p->packed == NULL || p->shift == NULL || p->log_norm == NULL || p->thread == NULL || p->sums == NULL)
            status = LAM_ERR_MEMORY;
    }
    if (status != LAM_OK) {
        lam_mixture_pass_free(p);
        *out = NULL;
    }
    return status;
}

void lam_mixture_pass_free(lam_mixture_pass *p)
{
    if (p == NULL)
        return;
    lam_free(p->packed);
    lam_free(p->shift);
    lam_free(p->log_norm);
    lam_free(p->thread);
    lam_free(p->sums);
    lam_free(p);
}

/* ---- what all tiles need of the components ------------------------------------------------------------------------ */

static void prepare(lam_mixture_pass *p, double ridge)
{
    const lam_mixture *m = p->mixture;
    size_t dim = m->dim;
    for (size_t k = 0; k < m->components; k++) {
        const double *whiten = m->whiten + k * dim * dim, *mean = m->mean + k * dim;
        double log_norm = log(m->weight[k]) - half_log_2pi * (double)dim; /* -infinity for a component that has died */
        for (size_t j = 0; j < dim; j++) {
            const double *row = whiten + j * dim;
            double sum = 0, squares = 0;
            for (size_t i = 0; i <= j; i++) {
                sum += row[i] * mean[i];
                squares += row[i] * row[i];
            }
            p->shift[k * dim + j] = -sum;
            log_norm += log(row[j]) - 0.5 * ridge * squares;
        }
        p->log_norm[k] = log_norm;
        p->kernels->pack(dim, dim, whiten, dim, 1, p->packed + k * dim * dim);
    }
}

/* ---- one tile ----------------------------------------------------------------------------------------------------- */

/* z; zeros in lanes past the rows. */
static void gather(const lam_mixture_pass *p, size_t tile, size_t rows, double *z)
{
    const lam_mixture *m = p->mixture;
    size_t dim = m->dim;
    const double *x[LAM_TILE];
    for (size_t row = 0; row < rows; row++) {
        size_t i = tile * LAM_TILE + row;
        x[row] = p->x + (p->index != NULL ? p->index[i] : i) * dim;
    }
    for (size_t j = 0; j < dim; j++) {
        for (size_t row = 0; row < rows; row++)
            z[j * LAM_TILE + row] = (x[row][j] - m->center[j]) / m->scale[j];
        for (size_t row = rows; row < LAM_TILE; row++)
            z[j * LAM_TILE + row] = 0;
    }
}

/* y [components][dim][TILE], and log of each term of the density into term [components][TILE]. */
static void whiten(const lam_mixture_pass *p, const double *z, double *y, double *term)
{
    size_t dim = p->mixture->dim;
    for (size_t k = 0; k < p->mixture->components; k++) {
        double *y_k = y + k * dim * LAM_TILE, *term_k = term + k * LAM_TILE;
        const lam_forward_f64 call = { .in = dim, .out = dim, .vectors = LAM_TILE / p->kernels->lanes, .with_value = 1,
            .activation = LAM_ACT_IDENTITY, .weight = p->packed + k * dim * dim, .shift = p->shift + k * dim, .x = z, .h = y_k };
        p->kernels->forward(&call);
        for (size_t row = 0; row < LAM_TILE; row++)
            term_k[row] = p->log_norm[k];
        p->kernels->column_dots(dim, y_k, y_k, -0.5, term_k);
    }
}

/* Terms become shares, 0 past the rows; returns the sum over rows of log p, and each in each [rows] unless that is NULL. */
static double share_rows(const lam_mixture_pass *p, size_t rows, double *term, double *each)
{
    size_t components = p->mixture->components;
    double top[LAM_TILE], sum[LAM_TILE] = { 0 }, total = 0;
    for (size_t row = 0; row < LAM_TILE; row++)
        top[row] = -INFINITY;
    for (size_t k = 0; k < components; k++)
        for (size_t row = 0; row < LAM_TILE; row++)
            top[row] = term[k * LAM_TILE + row] > top[row] ? term[k * LAM_TILE + row] : top[row];
    double least = p->want == LAM_MIXTURE_HARD ? 0 : vanishing;
    for (size_t k = 0; k < components; k++)
        for (size_t row = 0; row < LAM_TILE; row++) {
            double *share = &term[k * LAM_TILE + row], below = *share - top[row];
            *share = row < rows && below >= least ? exp(below) : 0;
            sum[row] += *share;
        }
    for (size_t row = 0; row < rows; row++) {
        double log_p = top[row] + (p->want == LAM_MIXTURE_HARD ? 0 : log(sum[row]));
        total += log_p;
        if (each != NULL)
            each[row] = log_p;
    }
    for (size_t k = 0; k < components; k++)
        for (size_t row = 0; row < rows; row++)
            term[k * LAM_TILE + row] /= sum[row];
    return total;
}

static void add_component(const lam_mixture_pass *p, const double *y, const double *share, double *weighted, double *transposed,
    double *sums)
{
    size_t dim = p->mixture->dim, vectors = LAM_TILE / p->kernels->lanes;
    double total = 0;
    for (size_t row = 0; row < LAM_TILE; row++)
        total += share[row];
    if (!(total > 0))
        return;
    sums[0] += total;
    p->kernels->row_sums(dim, vectors, y, share, sums + AT_FIRST);
    for (size_t j = 0; j < dim; j++)
        for (size_t row = 0; row < LAM_TILE; row++)
            weighted[j * LAM_TILE + row] = share[row] * y[j * LAM_TILE + row];
    p->kernels->transpose(dim, vectors, y, transposed);
    const lam_outer_f64 call = { .m = dim, .n = dim, .vectors = vectors, .planes = 1, .left = weighted, .right_t = transposed,
        .c = sums + p->at_second };
    p->kernels->outer(&call);
}

static void run_group(void *arg, size_t group, size_t thread)
{
    lam_mixture_pass *p = arg;
    size_t dim = p->mixture->dim, components = p->mixture->components;
    double *z = p->thread + thread * p->thread_size, *y = z + p->at_y, *share = z + p->at_share;
    double *sums = p->sums + group * components * p->sums_size;
    memset(sums, 0, components * p->sums_size * sizeof(double));
    p->log_sum[group] = 0;
    for (size_t tile = lam_batch_first_tile(&p->batch, group); tile < lam_batch_first_tile(&p->batch, group + 1); tile++) {
        size_t rows = lam_batch_tile_rows(&p->batch, tile);
        gather(p, tile, rows, z);
        whiten(p, z, y, share);
        p->log_sum[group] += share_rows(p, rows, share, p->each != NULL ? p->each + tile * LAM_TILE : NULL);
        for (size_t k = 0; k < components && p->want != LAM_MIXTURE_DENSITY; k++)
            add_component(p, y + k * dim * LAM_TILE, share + k * LAM_TILE, z + p->at_weighted, z + p->at_transposed,
                sums + k * p->sums_size);
    }
}

double lam_mixture_pass_run(lam_mixture_pass *p, const double *x, const size_t *index, size_t n, lam_mixture_want want,
    double ridge, double *each)
{
    double total = 0;
    p->want = want;
    p->x = x;
    p->index = index;
    p->each = each;
    p->batch = (lam_batch) { .rows = n, .tiles = (n + LAM_TILE - 1) / LAM_TILE, .groups = GROUPS };
    prepare(p, ridge);
    lam_pool_run(p->pool, GROUPS, run_group, p);
    for (size_t group = 0; group < GROUPS; group++)
        total += p->log_sum[group];
    return total / (double)n;
}

double lam_mixture_pass_sums(const lam_mixture_pass *p, size_t k, double *first, double *second)
{
    size_t dim = p->mixture->dim, block = p->kernels->block;
    double total = 0;
    memset(first, 0, dim * sizeof(double));
    memset(second, 0, dim * dim * sizeof(double));
    for (size_t group = 0; group < GROUPS; group++) {
        const double *sums = p->sums + (group * p->mixture->components + k) * p->sums_size;
        total += sums[0];
        for (size_t j = 0; j < dim; j++)
            first[j] += sums[AT_FIRST + j];
        for (size_t i0 = 0; i0 < dim; i0 += block) { /* blocks of columns, as lam_outer says */
            size_t width = p->wide - i0 < block ? p->wide - i0 : block, used = dim - i0 < width ? dim - i0 : width;
            const double *c = sums + p->at_second + i0 * dim;
            for (size_t j = 0; j < dim; j++)
                for (size_t i = 0; i < used; i++)
                    second[j * dim + i0 + i] += c[j * width + i];
        }
    }
    return total;
}
