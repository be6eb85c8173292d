/* The kernels of one width and instruction set, as each *_k.c defines them (names.h gives them their full names). */
#ifndef LAM_KERNELS_TILE_H
#define LAM_KERNELS_TILE_H
#include "kernels/kernels.h"
#include "kernels/vec.h"

void lam_tile_forward(const lam_forward *call);
void lam_tile_backward(const lam_backward *call);
void lam_tile_diagonal(size_t in, size_t out, size_t vectors, size_t first, size_t planes, const real *weight, const real *x,
    real *y);
void lam_tile_activate(const lam_forward *call);
void lam_tile_deactivate(const lam_backward *call, const real *value);
void lam_tile_row_product(const lam_rowwise *call);
void lam_tile_row_transposed(const lam_rowwise *call);
void lam_tile_row_outer(const lam_row_outer *call);
void lam_tile_pack(size_t out, size_t in, const real *w, size_t stride_out, size_t stride_in, real *packed);
void lam_tile_transpose(size_t n, size_t vectors, const real *plane, real *out);
void lam_tile_outer(const lam_outer *call);
void lam_tile_row_sums(size_t n, size_t vectors, const real *plane, const real *weight, real *sum);
void lam_tile_row_dots(size_t n, size_t vectors, const real *u, const real *v, real *sum);
void lam_tile_scale_rows(size_t n, size_t vectors, const real *scale, real *plane);
void lam_tile_add_rows(size_t n, size_t vectors, const real *scale, const real *plane, real *out);
void lam_tile_series_activate(const lam_series_call *call);
void lam_tile_series_deactivate(const lam_series_call *call);
void lam_tile_combine(size_t n, real *out, const real *base, size_t terms, const real *coef, const real *const *term);
void lam_tile_error(size_t n, const real *v, const real *y0, const real *y1, real atol, real rtol, real *sums);
void lam_tile_column_dots(size_t n, const real *u, const real *v, real factor, real *out);

/* Loops over the first `vectors` vectors of `rows` features of a plane: `at` is the offset of a vector, `row` the feature. */
#define FOR_BLOCK(...)                                                         \
    for (size_t row = 0; row < rows; row++)                                    \
        for (size_t at = row * LAM_TILE, end = at + vectors * LAM_VL; at < end; at += LAM_VL) { \
            __VA_ARGS__                                                        \
        }

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
