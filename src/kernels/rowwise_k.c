/* Products with matrices that belong to the rows: every lane has its own. They come from memory once a call, in blocks of
 * two matrix rows that stay in the first-level cache while all planes go over them, so the memory sets the pace. */
#include "kernels/tile.h"

enum {
    COLUMNS = 32, /* of a block: its part of a plane is 8 KiB in float */
    PAIR = 2,     /* matrix rows and planes that a micro-kernel takes together */
};

/* What a micro-kernel works on: a block of the matrix, the block that comes after it, and where its planes begin; nothing of it overlaps. */
typedef struct block {
    size_t columns;
    const real *m, *next, *x;
    real *y;
    size_t m_stride, x_stride, y_stride;
} block;

/* y[p][j] += sum over i < mi of x[p][i] M[i][j], for np planes and cv vectors; all three are constants at every call. */
LAM_INLINE void product(const int mi, const int np, const int cv, const block *b)
{
    const real *restrict m = b->m, *next = b->next, *restrict x = b->x;
    real *restrict y = b->y;
    const size_t columns = b->columns, m_stride = b->m_stride, x_stride = b->x_stride, y_stride = b->y_stride;
    vec xv[PAIR][PAIR][LAM_CV];
#pragma GCC unroll 2
    for (int i = 0; i < mi; i++)
#pragma GCC unroll 2
        for (int p = 0; p < np; p++)
#pragma GCC unroll 4
            for (int v = 0; v < cv; v++)
                xv[i][p][v] = vload(x + (size_t)p * x_stride + (size_t)i * LAM_TILE + (size_t)v * LAM_VL);
    for (size_t at = 0; at < columns * LAM_TILE; at += LAM_TILE)
#pragma GCC unroll 4
        for (int v = 0; v < cv; v++) {
            size_t lane = at + (size_t)v * LAM_VL;
            vec sum[PAIR];
#pragma GCC unroll 2
            for (int p = 0; p < np; p++)
                sum[p] = vload(y + (size_t)p * y_stride + lane);
#pragma GCC unroll 2
            for (int i = 0; i < mi; i++) {
                vec mv = vload(m + (size_t)i * m_stride + lane);
                __builtin_prefetch(next + (size_t)i * m_stride + lane, 0, 2);
#pragma GCC unroll 2
                for (int p = 0; p < np; p++)
                    sum[p] = vfma(mv, xv[i][p][v], sum[p]);
            }
#pragma GCC unroll 2
            for (int p = 0; p < np; p++)
                vstore(y + (size_t)p * y_stride + lane, sum[p]);
        }
}

/* y[p][i] += sum over j of M[i][j] x[p][j] */
LAM_INLINE void transposed(const int mi, const int np, const int cv, const block *b)
{
    const real *restrict m = b->m, *next = b->next, *restrict x = b->x;
    real *restrict y = b->y;
    const size_t columns = b->columns, m_stride = b->m_stride, x_stride = b->x_stride, y_stride = b->y_stride;
    vec sum[PAIR][PAIR][LAM_CV];
#pragma GCC unroll 2
    for (int i = 0; i < mi; i++)
#pragma GCC unroll 2
        for (int p = 0; p < np; p++)
#pragma GCC unroll 4
            for (int v = 0; v < cv; v++)
                sum[i][p][v] = vload(y + (size_t)p * y_stride + (size_t)i * LAM_TILE + (size_t)v * LAM_VL);
    for (size_t at = 0; at < columns * LAM_TILE; at += LAM_TILE)
#pragma GCC unroll 4
        for (int v = 0; v < cv; v++) {
            size_t lane = at + (size_t)v * LAM_VL;
            vec xv[PAIR];
#pragma GCC unroll 2
            for (int p = 0; p < np; p++)
                xv[p] = vload(x + (size_t)p * x_stride + lane);
#pragma GCC unroll 2
            for (int i = 0; i < mi; i++) {
                vec mv = vload(m + (size_t)i * m_stride + lane);
                __builtin_prefetch(next + (size_t)i * m_stride + lane, 0, 2);
#pragma GCC unroll 2
                for (int p = 0; p < np; p++)
                    sum[i][p][v] = vfma(mv, xv[p], sum[i][p][v]);
            }
        }
#pragma GCC unroll 2
    for (int i = 0; i < mi; i++)
#pragma GCC unroll 2
        for (int p = 0; p < np; p++)
#pragma GCC unroll 4
            for (int v = 0; v < cv; v++)
                vstore(y + (size_t)p * y_stride + (size_t)i * LAM_TILE + (size_t)v * LAM_VL, sum[i][p][v]);
}

#define BLOCK_CASE(kernel, mi, np, cv)                                                      \
    case (mi) * 32 + (np) * 8 + (cv):                                                       \
        kernel(mi, np, cv, &b);                                                             \
        break;
#if LAM_CV == 4
#define BLOCK_ROW(kernel, mi, np)                                                           \
    BLOCK_CASE(kernel, mi, np, 1) BLOCK_CASE(kernel, mi, np, 2)                             \
    BLOCK_CASE(kernel, mi, np, 3) BLOCK_CASE(kernel, mi, np, 4)
#elif LAM_CV == 2
#define BLOCK_ROW(kernel, mi, np) BLOCK_CASE(kernel, mi, np, 1) BLOCK_CASE(kernel, mi, np, 2)
#else
#define BLOCK_ROW(kernel, mi, np) BLOCK_CASE(kernel, mi, np, 1)
#endif
#define BLOCK_CASES(kernel) \
    BLOCK_ROW(kernel, 1, 1) BLOCK_ROW(kernel, 1, 2) BLOCK_ROW(kernel, 2, 1) BLOCK_ROW(kernel, 2, 2)

/* The block after (i, j), which is asked for while this one is worked on; the last one has none after it but itself. */
static const real *next_block(const lam_rowwise *c, size_t i, size_t j)
{
    if (i + PAIR < c->m)
        return c->matrix + ((i + PAIR) * c->n + j) * LAM_TILE;
    return c->matrix + (j + COLUMNS < c->n ? j + COLUMNS : i * c->n + j) * LAM_TILE;
}

/* The blocks of a call; within one, vectors and planes in turn. x_at and y_at: the feature that x and y begin with. */
#define FOR_BLOCKS(kernel, x_at, y_at)                                                                  \
    size_t m_stride = c->n * LAM_TILE;                                                                  \
    for (size_t j = 0; j < c->n; j += COLUMNS) {                                                        \
        size_t columns = c->n - j < COLUMNS ? c->n - j : COLUMNS;                                       \
        for (size_t i = 0; i < c->m; i += PAIR)                                                         \
            for (size_t v = 0; v < c->vectors; v += LAM_CV)                                             \
                for (size_t p = 0; p < c->planes; p += PAIR) {                                          \
                    size_t mi = c->m - i < PAIR ? 1 : PAIR, np = c->planes - p < PAIR ? 1 : PAIR;       \
                    size_t cv = c->vectors - v < LAM_CV ? c->vectors - v : LAM_CV, lane = v * LAM_VL;   \
                    const block b = { columns, c->matrix + i * m_stride + j * LAM_TILE + lane,          \
                        next_block(c, i, j) + lane, c->x + p * c->x_stride + (x_at) * LAM_TILE + lane,  \
                        c->y + p * c->y_stride + (y_at) * LAM_TILE + lane, m_stride, c->x_stride,       \
                        c->y_stride };                                                                  \
                    switch (mi * 32 + np * 8 + cv) { BLOCK_CASES(kernel) }                              \
                }                                                                                       \
    }

void lam_tile_row_product(const lam_rowwise *c)
{
    FOR_BLOCKS(product, i, j)
}

void lam_tile_row_transposed(const lam_rowwise *c)
{
    FOR_BLOCKS(transposed, j, i)
}

/* ---- gradients ---------------------------------------------------------------------------------------------------- */

enum {
    OUTER = LAM_CV == 4 ? 4 : 2, /* matrix rows of a block, times four columns of one vector: 16 or 8 accumulators */
    OUTER_ROWS = 64,             /* rows and columns whose factors, some 14 terms of each, stay in the second-level cache */
};

/* mi x nj lines of one vector, over all terms. left and right are the terms' arrays, left_at and right_at where to begin. */
LAM_INLINE void outer(const int mi, const int nj, const lam_row_outer *c, size_t left_at, size_t right_at, real *m,
    const real *next, size_t m_stride)
{
    vec sum[OUTER][4];
#pragma GCC unroll 4
    for (int i = 0; i < mi; i++)
#pragma GCC unroll 4
        for (int j = 0; j < nj; j++)
            sum[i][j] = c->add ? vload(m + (size_t)i * m_stride + (size_t)j * LAM_TILE) : vset(0);
#pragma GCC unroll 4
    for (int i = 0; i < mi; i++)
#pragma GCC unroll 4
        for (int j = 0; j < nj; j++)
            __builtin_prefetch(next + (size_t)i * m_stride + (size_t)j * LAM_TILE, 1, 2);
    for (size_t t = 0; t < c->terms; t++) {
        const real *left = c->left[t] + left_at, *right = c->right[t] + right_at;
        vec r[4];
#pragma GCC unroll 4
        for (int j = 0; j < nj; j++)
            r[j] = vload(right + (size_t)j * LAM_TILE);
#pragma GCC unroll 4
        for (int i = 0; i < mi; i++) {
            vec l = vload(left + (size_t)i * LAM_TILE);
#pragma GCC unroll 4
            for (int j = 0; j < nj; j++)
                sum[i][j] += l * r[j];
        }
    }
#pragma GCC unroll 4
    for (int i = 0; i < mi; i++)
#pragma GCC unroll 4
        for (int j = 0; j < nj; j++)
            vstore(m + (size_t)i * m_stride + (size_t)j * LAM_TILE, sum[i][j]);
}

#define OUTER_CASE(mi, nj)                                                                  \
    case (mi) * 8 + (nj):                                                                   \
        outer(mi, nj, c, i * LAM_TILE + lane, j * LAM_TILE + lane, m, next, m_stride);      \
        break;
#define OUTER_ROW(mi) OUTER_CASE(mi, 1) OUTER_CASE(mi, 2) OUTER_CASE(mi, 3) OUTER_CASE(mi, 4)

static void outer_columns(const lam_row_outer *c, size_t i, size_t mi, size_t first, size_t last)
{
    size_t m_stride = c->n * LAM_TILE;
    for (size_t j = first; j < last; j += 4)
        for (size_t lane = 0; lane < c->vectors * LAM_VL; lane += LAM_VL) {
            real *m = c->matrix + i * m_stride + j * LAM_TILE + lane;
            const real *next = m;
            if (j + 4 < last)
                next += 4 * LAM_TILE;
            else if (i + mi < c->m)
                next = c->matrix + (i + mi) * m_stride + first * LAM_TILE + lane;
            switch (mi * 8 + (last - j < 4 ? last - j : 4)) {
                OUTER_ROW(1)
                OUTER_ROW(2)
#if LAM_CV == 4
                OUTER_ROW(3)
                OUTER_ROW(4)
#endif
            }
        }
}

void lam_tile_row_outer(const lam_row_outer *c)
{
    for (size_t i0 = 0; i0 < c->m; i0 += OUTER_ROWS)
        for (size_t j0 = 0; j0 < c->n; j0 += OUTER_ROWS) {
            size_t i1 = c->m - i0 < OUTER_ROWS ? c->m : i0 + OUTER_ROWS, j1 = c->n - j0 < OUTER_ROWS ? c->n : j0 + OUTER_ROWS;
            for (size_t i = i0; i < i1; i += OUTER)
                outer_columns(c, i, i1 - i < OUTER ? i1 - i : OUTER, j0, j1);
        }
}
