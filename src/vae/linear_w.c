/* The large linear maps from an encoder's features to the parameters of each row's flow. */
#include "base/error.h"
#include "base/mem.h"
#include "flow/sums.h"
#include "vae/linear.h"
#include <string.h>

enum {
    SLICE = 160 * LAM_PANEL, /* outputs: 960 x 256 floats are a megabyte */
    MAX_STACKS = 16,         /* of slices, whose shares of g_x are added in order: the bits do not depend on threads */
};

struct lam_linear {
    const lam_kernels *kernels;
    lam_pool *pool;
    size_t max_tiles, in, out, slices, stacks;
    size_t wide;                          /* in, in whole vectors */
    size_t at_c, at_below, thread_reals;  /* offsets into a thread's reals; packed weights come first, then a slice's sums and their tree's room */
    real *thread;                         /* [threads][thread_reals] */
    real *share;                          /* [stacks][max_tiles][in][TILE] of g_x */
    real *transposed;                     /* [max_tiles][wide TILE]: x, as the gradient's products want it */
    /* arguments of the call in hand */
    const lam_batch *batch;
    const real *params, *x, *g_a;
    real *a, *const *part, *g_x;
};

static size_t padded(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

/* Of n outputs: dW in blocks of columns, and the biases'. */
static size_t sums_of(const lam_linear *m, size_t n)
{
    return padded(n * (m->wide + 1), 16);
}

lam_status lam_linear_create(const lam_kernels *kernels, const lam_batch *most_rows, size_t in, size_t out, lam_linear **out_map)
{
    lam_linear *m = *out_map = lam_alloc(1, sizeof *m);
    if (m == NULL)
        return LAM_ERR_MEMORY;
    m->kernels = kernels;
    m->pool = most_rows->pool;
    m->max_tiles = most_rows->tiles;
    m->in = in;
    m->out = out;
    m->slices = (out + SLICE - 1) / SLICE;
    m->stacks = m->slices < MAX_STACKS ? m->slices : MAX_STACKS;
    if (out == 0)
        return LAM_OK;
    size_t most = out < SLICE ? out : SLICE;
    m->wide = padded(in, kernels->lanes);
    m->at_c = padded(most * in, 16);
    m->at_below = m->at_c + padded((1 + lam_sums_levels(most_rows->groups)) * sums_of(m, most), 16);
    m->thread_reals = m->at_below + in * LAM_TILE;
    m->thread = lam_alloc(lam_pool_threads(m->pool) * m->thread_reals, sizeof(real));
    m->share = lam_alloc(m->stacks * m->max_tiles * in * LAM_TILE, sizeof(real));
    m->transposed = lam_alloc(m->max_tiles * m->wide * LAM_TILE, sizeof(real));
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

static real *share_of(const lam_linear *m, size_t stack)
{
    return m->share + stack * m->max_tiles * m->in * LAM_TILE;
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
    lam_range own = lam_batch_own_tiles(m->batch);
    m->kernels->pack(n, m->in, m->params + o0 * m->in, m->in, 1, packed);
    for (size_t tile = own.first; tile < own.end; tile++) {
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

/* A slice on its way back. */
typedef struct slice_run {
    lam_linear *m;
    size_t slice, stack;
    real *packed, *below;
} slice_run;

/* A group's sums for the slice, [sums_of]; and its tiles' shares of g_x. */
static void reverse_group(void *arg, size_t group, real *sums)
{
    const slice_run *s = arg;
    lam_linear *m = s->m;
    const lam_kernels *k = m->kernels;
    size_t o0 = s->slice * SLICE, n = slice_rows(m, s->slice), plane = m->in * LAM_TILE;
    lam_range tiles = lam_batch_group_tiles(m->batch, group);
    memset(sums, 0, sums_of(m, n) * sizeof(real));
    for (size_t tile = tiles.first; tile < tiles.end; tile++) {
        const real *g = m->g_a + (tile * m->out + o0) * LAM_TILE, one = 1, *term = s->below;
        size_t vectors = lam_batch_vectors(m->batch, tile);
        real *share = share_of(m, s->stack) + tile * plane;
        k->row_sums(n, vectors, g, NULL, sums + n * m->wide);
        lam_outer outer = { .m = n, .n = m->in, .vectors = vectors, .planes = 1, .left = g,
            .right_t = m->transposed + tile * m->wide * LAM_TILE, .c = sums };
        k->outer(&outer);
        real unused = 0;
        lam_backward call = { .in = m->in, .out = n, .vectors = vectors, .first_chunk = 1, .with_value = 1,
            .activation = LAM_ACT_IDENTITY, .weight_t = s->packed, .g = g, .below = s->below, .beta_sum = &unused };
        k->backward(&call);
        k->combine(plane, share, share, 1, &one, &term);
    }
}

static void reverse_slice(lam_linear *m, size_t slice, size_t stack, size_t thread)
{
    size_t o0 = slice * SLICE, n = slice_rows(m, slice);
    real *packed = m->thread + thread * m->thread_reals, *sums = packed + m->at_c;
    slice_run run = { m, slice, stack, packed, packed + m->at_below };
    const lam_sums_part part = { .batch = m->batch, .leaf = reverse_group, .arg = &run, .n = sums_of(m, n), .room = sums + sums_of(m, n) };
    m->kernels->pack(m->in, n, m->params + o0 * m->in, 1, m->in, packed);
    for (size_t group = 0; group < m->batch->groups; group++) {
        if (!lam_sums_is_left(m->batch, group))
            continue;
        lam_sums_of_part(&part, group, sums);
        collect(m, sums, n, m->part[group] + o0 * m->in);
        memcpy(m->part[group] + m->out * m->in + o0, sums + n * m->wide, n * sizeof(real));
    }
}

static void reverse_stack(void *arg, size_t stack, size_t thread)
{
    lam_linear *m = arg;
    lam_range own = lam_batch_own_tiles(m->batch);
    size_t plane = m->in * LAM_TILE;
    memset(share_of(m, stack) + own.first * plane, 0, (own.end - own.first) * plane * sizeof(real));
    for (size_t slice = stack * m->slices / m->stacks; slice < (stack + 1) * m->slices / m->stacks; slice++)
        reverse_slice(m, slice, stack, thread);
}

/* The tiles of a group. */
static void transpose_tiles(void *arg, size_t group, size_t thread)
{
    (void)thread;
    lam_linear *m = arg;
    lam_range tiles = lam_batch_group_tiles(m->batch, group);
    for (size_t tile = tiles.first; tile < tiles.end; tile++)
        m->kernels->transpose(m->in, lam_batch_vectors(m->batch, tile), m->x + tile * m->in * LAM_TILE,
            m->transposed + tile * m->wide * LAM_TILE);
}

static void add_shares(void *arg, size_t group, size_t thread)
{
    (void)thread;
    lam_linear *m = arg;
    const real one = 1;
    size_t plane = m->in * LAM_TILE;
    lam_range tiles = lam_batch_group_tiles(m->batch, group);
    for (size_t tile = tiles.first; tile < tiles.end; tile++)
        for (size_t stack = 0; stack < m->stacks; stack++) {
            const real *term = share_of(m, stack) + tile * plane;
            m->kernels->combine(plane, m->g_x + tile * plane, m->g_x + tile * plane, 1, &one, &term);
        }
}

void lam_linear_reverse(lam_linear *m, const lam_batch *batch, const real *params, const real *x, const real *g_a, real *const *part,
    real *g_x)
{
    m->batch = batch;
    m->params = params;
    m->x = x;
    m->g_a = g_a;
    m->part = part;
    m->g_x = g_x;
    if (m->slices == 0)
        return;
    lam_batch_run(batch, transpose_tiles, m);
    lam_pool_run(m->pool, m->stacks, reverse_stack, m);
    lam_batch_run(batch, add_shares, m);
}
