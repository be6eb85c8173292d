/* The kernels of one width and instruction set, as each *_k.c defines them (LAM_K gives the full name). */
#ifndef LAM_KERNELS_TILE_H
#define LAM_KERNELS_TILE_H
#include "kernels/kernels.h"
#include "kernels/vec.h"

void LAM_K(lam_tile_forward)(const LAM_W(lam_forward) *call);
void LAM_K(lam_tile_backward)(const LAM_W(lam_backward) *call);
void LAM_K(lam_tile_diagonal)(size_t in, size_t out, size_t vectors, size_t first, size_t planes, const real *weight,
    const real *x, real *y);
void LAM_K(lam_tile_activate)(const LAM_W(lam_forward) *call);
void LAM_K(lam_tile_deactivate)(const LAM_W(lam_backward) *call, const real *value);
void LAM_K(lam_tile_row_product)(const LAM_W(lam_rowwise) *call);
void LAM_K(lam_tile_row_transposed)(const LAM_W(lam_rowwise) *call);
void LAM_K(lam_tile_row_outer)(const LAM_W(lam_row_outer) *call);
void LAM_K(lam_tile_pack)(size_t out, size_t in, const real *w, size_t stride_out, size_t stride_in, real *packed);
void LAM_K(lam_tile_transpose)(size_t n, size_t vectors, const real *plane, real *out);
void LAM_K(lam_tile_outer)(const LAM_W(lam_outer) *call);
void LAM_K(lam_tile_row_sums)(size_t n, size_t vectors, const real *plane, const real *weight, real *sum);
void LAM_K(lam_tile_row_dots)(size_t n, size_t vectors, const real *u, const real *v, real *sum);
void LAM_K(lam_tile_scale_rows)(size_t n, size_t vectors, const real *scale, real *plane);
void LAM_K(lam_tile_combine)(size_t n, real *out, const real *base, size_t terms, const real *coef, const real *const *term);
void LAM_K(lam_tile_error)(size_t n, const real *v, const real *y0, const real *y1, real atol, real rtol, real *sums);
void LAM_K(lam_tile_column_dots)(size_t n, const real *u, const real *v, real factor, real *out);

/* Sum of the lanes, in lane order. */
LAM_INLINE real vsum(vec v)
{
    real lanes[LAM_VL] __attribute__((aligned(LAM_VBYTES)));
    vstore(lanes, v);
    real total = 0;
    for (int l = 0; l < LAM_VL; l++)
        total += lanes[l];
    return total;
}

#endif
