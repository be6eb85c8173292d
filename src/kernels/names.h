/* This room's names in the width that a file is compiled for (base/width.h): sources say lam_x, the linker sees lam_x_f32 or
 * lam_x_f64, and of what is compiled for every instruction set lam_x_f32_avx2. A new function or type of these has its line here. */
#ifndef LAM_KERNELS_NAMES_H
#define LAM_KERNELS_NAMES_H
#include "base/width.h"

#define lam_act LAM_W(lam_act)
#define lam_backward LAM_W(lam_backward)
#define lam_forward LAM_W(lam_forward)
#define lam_kernels LAM_W(lam_kernels)
#define lam_kernels_get LAM_W(lam_kernels_get)
#define lam_outer LAM_W(lam_outer)
#define lam_row_outer LAM_W(lam_row_outer)
#define lam_rowwise LAM_W(lam_rowwise)
#define lam_series_call LAM_W(lam_series_call)

#define lam_act_array LAM_K(lam_act_array)
#define lam_kernel_table LAM_K(lam_kernel_table)
#define lam_tile_activate LAM_K(lam_tile_activate)
#define lam_tile_add_rows LAM_K(lam_tile_add_rows)
#define lam_tile_backward LAM_K(lam_tile_backward)
#define lam_tile_column_dots LAM_K(lam_tile_column_dots)
#define lam_tile_combine LAM_K(lam_tile_combine)
#define lam_tile_deactivate LAM_K(lam_tile_deactivate)
#define lam_tile_diagonal LAM_K(lam_tile_diagonal)
#define lam_tile_error LAM_K(lam_tile_error)
#define lam_tile_forward LAM_K(lam_tile_forward)
#define lam_tile_outer LAM_K(lam_tile_outer)
#define lam_tile_pack LAM_K(lam_tile_pack)
#define lam_tile_row_dots LAM_K(lam_tile_row_dots)
#define lam_tile_row_outer LAM_K(lam_tile_row_outer)
#define lam_tile_row_product LAM_K(lam_tile_row_product)
#define lam_tile_row_sums LAM_K(lam_tile_row_sums)
#define lam_tile_row_transposed LAM_K(lam_tile_row_transposed)
#define lam_tile_scale_rows LAM_K(lam_tile_scale_rows)
#define lam_tile_series_activate LAM_K(lam_tile_series_activate)
#define lam_tile_series_deactivate LAM_K(lam_tile_series_deactivate)
#define lam_tile_transpose LAM_K(lam_tile_transpose)

#endif
