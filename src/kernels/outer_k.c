/* Weight gradients: outer products of stacks, summed over rows and planes. */
#include "kernels/lanes.h"
#include "kernels/tile.h"

enum { BLOCK = LAM_CV * LAM_VL };

/* ---- transposition ------------------------------------------------------------------------------------------------- */

/* Vectors that n columns need, and the width of block j of a transposed plane. */
static size_t width_of_block(size_t n, size_t j)
{
    size_t padded = (n + LAM_VL - 1) / LAM_VL * LAM_VL, left = padded - j * BLOCK;
    return left < BLOCK ? left : BLOCK;
}

void lam_tile_transpose(size_t n, size_t vectors, const real *plane, real *out)
{
    for (size_t f = 0; f < n; f += LAM_VL) {
        size_t j = f / BLOCK, width = width_of_block(n, j);
        real *block = out + j * BLOCK * LAM_TILE + (f - j * BLOCK);
        for (size_t v = 0; v < vectors; v++) {
            vec m[LAM_VL];
#pragma GCC unroll 16
            for (size_t i = 0; i < LAM_VL; i++)
                m[i] = f + i < n ? vload(plane + (f + i) * LAM_TILE + v * LAM_VL) : vset(0);
            transpose_square(m);
#pragma GCC unroll 16
            for (size_t i = 0; i < LAM_VL; i++)
                vstore(block + (v * LAM_VL + i) * width, m[i]);
        }
    }
}

/* ---- the products ------------------------------------------------------------------------------------------------- */

/* c[mr][cv vectors] += sum over planes and rows; the row stride of right and c is cv vectors. */
LAM_INLINE void micro(const int mr, const int cv, const lam_outer *call, const real *restrict left, const real *restrict right, real *restrict c)
{
    const size_t width = (size_t)cv * LAM_VL, rows = call->vectors * LAM_VL, planes = call->planes;
    const size_t left_stride = call->left_stride, right_stride = call->right_stride;
    vec acc[LAM_PANEL][LAM_CV];
#pragma GCC unroll 6
    for (int o = 0; o < mr; o++)
#pragma GCC unroll 4
        for (int v = 0; v < cv; v++)
            acc[o][v] = vload(c + (size_t)o * width + (size_t)v * LAM_VL);
    for (size_t p = 0; p < planes; p++) {
        const real *l = left + p * left_stride, *r = right + p * right_stride;
        for (size_t row = 0; row < rows; row++) {
            vec rv[LAM_CV];
#pragma GCC unroll 4
            for (int v = 0; v < cv; v++)
                rv[v] = vload(r + row * width + (size_t)v * LAM_VL);
#pragma GCC unroll 6
            for (int o = 0; o < mr; o++) {
                vec lo = vset(l[(size_t)o * LAM_TILE + row]);
#pragma GCC unroll 4
                for (int v = 0; v < cv; v++)
                    acc[o][v] += lo * rv[v];
            }
        }
    }
#pragma GCC unroll 6
    for (int o = 0; o < mr; o++)
#pragma GCC unroll 4
        for (int v = 0; v < cv; v++)
            vstore(c + (size_t)o * width + (size_t)v * LAM_VL, acc[o][v]);
}

#define MICRO_CASE(mr, cv)                                                                                              \
    case (mr) * 8 + (cv):                                                                                               \
        micro(mr, cv, call, left, right, c + m * (cv) * LAM_VL);                                                        \
        break;
#if LAM_CV == 4
#define MICRO_ROW(mr) MICRO_CASE(mr, 1) MICRO_CASE(mr, 2) MICRO_CASE(mr, 3) MICRO_CASE(mr, 4)
#elif LAM_CV == 2
#define MICRO_ROW(mr) MICRO_CASE(mr, 1) MICRO_CASE(mr, 2)
#else
#define MICRO_ROW(mr) MICRO_CASE(mr, 1)
#endif

void lam_tile_outer(const lam_outer *call)
{
    for (size_t n = 0; n < call->n; n += BLOCK) {
        int cv = (int)(width_of_block(call->n, n / BLOCK) / LAM_VL);
        const real *right = call->right_t + n * LAM_TILE;
        real *c = call->c + n * call->m;
        for (size_t m = 0; m < call->m; m += LAM_PANEL) {
            int mr = call->m - m < LAM_PANEL ? (int)(call->m - m) : LAM_PANEL;
            const real *left = call->left + m * LAM_TILE;
            switch (mr * 8 + cv) {
                MICRO_ROW(1)
                MICRO_ROW(2)
                MICRO_ROW(3)
                MICRO_ROW(4)
                MICRO_ROW(5)
                MICRO_ROW(6)
            }
        }
    }
}
