/* The large linear maps from an encoder's features to the parameters of each row's flow. */
#include "base/error.h"
#include "base/mem.h"
#include "vae/linear.h"
#include <string.h>

enum {
    SLICE = 160 * LAM_PANEL, /* outputs: 960 x 256 floats are a megabyte */
    MAX_GROUPS = 16,         /* of slices, whose shares of g_x are added in order: the bits do not depend on threads */
};

struct lam_linear {
    const lam_kernels *kernels;
    lam_pool *pool;
    size_t max_tiles, in, out, slices, groups;
    size_t wide;                          /* in, in whole vectors */
    size_t at_c, at_below, thread_reals;  /* offsets into a thread's reals; packed weights come first */
    real *thread;                         /* [threads][thread_reals] */
    real *share;                          /* [groups][max_tiles][in][TILE] of g_x */
    real *transposed;                     /* [max_tiles][wide TILE]: x, as the gradient's products want it */
    /* arguments of the call in hand */
    const lam_batch *batch;
    const real *params, *x, *g_a;
    real *a, *grad, *g_x;
};

static size_t padded(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

lam_status lam_linear_create(const lam_kernels *kernels, lam_pool *pool, size_t max_tiles, size_t in, size_t out,
    lam_linear **out_map)
{
    lam_linear *m = *out_map = lam_alloc(1, sizeof *m);
    if (m == NULL)
        return LAM_ERR_MEMORY;
    m->kernels = kernels;
    m->pool = pool;
    m->max_tiles = max_tiles;
    m->in = in;
    m->out = out;
    m->slices = (out + SLICE - 1) / SLICE;
    m->groups = m->slices < MAX_GROUPS ? m->slices : MAX_GROUPS;
    if (out == 0)
        return LAM_OK;
    size_t most = out < SLICE ? out : SLICE;
    m->wide = padded(in, kernels->lanes);
    m->at_c = padded(most * in, 16);
    m->at_below = m->at_c + padded(most * m->wide, 16);
    m->thread_reals = m->at_below + in * LAM_TILE;
    m->thread = lam_alloc(lam_pool_threads(pool) * m->thread_reals, sizeof(real));
    m->share = lam_alloc(m->groups * max_tiles * in * LAM_TILE, sizeof(real));
    m->transposed = lam_alloc(max_tiles * m->wide * LAM_TILE, sizeof(real));
    if (m->thread == NULL || m->share == NULL || m->transposed == NULL) {
        lam_linear_free(m);
        *out_map = NULL;
        return LAM_ERR_MEMORY;
    }
    return LAM_OK;
}

void lam_linear_free(lam_linear *m)
{
    if (m == NULL)
        return;
    lam_free(m->thread);
    lam_free(m->share);
    lam_free(m->transposed);
    lam_free(m);
}

static real *share_of(const lam_linear *m, size_t group)
{
    return m->share + group * m->max_tiles * m->in * LAM_TILE;
}

static size_t slice_rows(const lam_linear *m, size_t slice)
{
    size_t left = m->out - slice * SLICE;
    return left < SLICE ? left : SLICE;
}

/* ---- forward ------------------------------------------------------------------------------------------------------ */

static void forward_slice(void *arg, size_t slice, size_t thread)
{
    lam_linear *m = arg;
    size_t o0 = slice * SLICE, n = slice_rows(m, slice);
    real *packed = m->thread + thread * m->thread_reals;
    m->kernels->pack(n, m->in, m->params + o0 * m->in, m->in, 1, packed);
    for (size_t tile = 0; tile < m->batch->tiles; tile++) {
        lam_forward call = { .in = m->in, .out = n, .vectors = lam_batch_vectors(m->batch, tile), .with_value = 1,
            .activation = LAM_ACT_IDENTITY, .weight = packed, .shift = m->params + m->out * m->in + o0,
            .x = m->x + tile * m->in * LAM_TILE, .h = m->a + (tile * m->out + o0) * LAM_TILE };
        m->kernels->forward(&call);
    }
}

void lam_linear_forward(lam_linear *m, const lam_batch *batch, const real *params, const real *x, real *a)
{
    m->batch = batch;
    m->params = params;
    m->x = x;
    m->a = a;
    if (m->slices > 0)
        lam_pool_run(m->pool, m->slices, forward_slice, m);
}

/* ---- reverse ------------------------------------------------------------------------------------------------------ */

/* dW of the slice, from blocks of `block` columns to rows. */
static void collect(const lam_linear *m, const real *c, size_t n, real *grad)
{
    size_t block = m->kernels->block;
    for (size_t i0 = 0; i0 < m->in; i0 += block) {
        size_t width = m->wide - i0 < block ? m->wide - i0 : block, used = m->in - i0 < width ? m->in - i0 : width;
        for (size_t o = 0; o < n; o++)
            memcpy(grad + o * m->in + i0, c + i0 * n + o * width, used * sizeof(real));
    }
}

static void reverse_slice(lam_linear *m, size_t slice, size_t group, size_t thread)
{
    const lam_kernels *k = m->kernels;
    size_t o0 = slice * SLICE, n = slice_rows(m, slice), plane = m->in * LAM_TILE;
    real *packed = m->thread + thread * m->thread_reals, *c = packed + m->at_c;
    real *below = packed + m->at_below, *bias = m->grad + m->out * m->in + o0;
    k->pack(m->in, n, m->params + o0 * m->in, 1, m->in, packed);
    memset(c, 0, n * m->wide * sizeof(real));
    memset(bias, 0, n * sizeof(real));
    for (size_t tile = 0; tile < m->batch->tiles; tile++) {
        const real *g = m->g_a + (tile * m->out + o0) * LAM_TILE, one = 1, *term = below;
        size_t vectors = lam_batch_vectors(m->batch, tile);
        real *share = share_of(m, group) + tile * plane;
        k->row_sums(n, vectors, g, NULL, bias);
        lam_outer outer = { .m = n, .n = m->in, .vectors = vectors, .planes = 1, .left = g,
            .right_t = m->transposed + tile * m->wide * LAM_TILE, .c = c };
        k->outer(&outer);
        real unused = 0;
        lam_backward call = { .in = m->in, .out = n, .vectors = vectors, .first_chunk = 1, .with_value = 1,
            .activation = LAM_ACT_IDENTITY, .weight_t = packed, .g = g, .below = below, .beta_sum = &unused };
        k->backward(&call);
        k->combine(plane, share, share, 1, &one, &term);
    }
    collect(m, c, n, m->grad + o0 * m->in);
}

static void reverse_group(void *arg, size_t group, size_t thread)
{
    lam_linear *m = arg;
    memset(share_of(m, group), 0, m->batch->tiles * m->in * LAM_TILE * sizeof(real));
    for (size_t slice = group * m->slices / m->groups; slice < (group + 1) * m->slices / m->groups; slice++)
        reverse_slice(m, slice, group, thread);
}

static void transpose_tile(void *arg, size_t tile, size_t thread)
{
    (void)thread;
    lam_linear *m = arg;
    m->kernels->transpose(m->in, lam_batch_vectors(m->batch, tile), m->x + tile * m->in * LAM_TILE,
        m->transposed + tile * m->wide * LAM_TILE);
}

static void add_shares(void *arg, size_t tile, size_t thread)
{
    (void)thread;
    lam_linear *m = arg;
    const real one = 1;
    size_t plane = m->in * LAM_TILE;
    for (size_t group = 0; group < m->groups; group++) {
        const real *term = share_of(m, group) + tile * plane;
        m->kernels->combine(plane, m->g_x + tile * plane, m->g_x + tile * plane, 1, &one, &term);
    }
}

void lam_linear_reverse(lam_linear *m, const lam_batch *batch, const real *params, const real *x, const real *g_a, real *grad,
    real *g_x)
{
    m->batch = batch;
    m->params = params;
    m->x = x;
    m->g_a = g_a;
    m->grad = grad;
    m->g_x = g_x;
    if (m->slices == 0)
        return;
    lam_pool_run(m->pool, batch->tiles, transpose_tile, m);
    lam_pool_run(m->pool, m->groups, reverse_group, m);
    lam_pool_run(m->pool, batch->tiles, add_shares, m);
}
