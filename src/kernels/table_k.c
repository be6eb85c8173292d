/* This width's and instruction set's table of kernels. */
#include "kernels/tile.h"

#define LAM_TEXT_(x) #x
#define LAM_TEXT(x) LAM_TEXT_(x)

const LAM_W(lam_kernels) LAM_K(lam_kernel_table) = {
    .isa = LAM_TEXT(LAM_ISA),
    .lanes = LAM_VL,
    .block = LAM_CV * LAM_VL,
    .pack = LAM_K(lam_tile_pack),
    .forward = LAM_K(lam_tile_forward),
    .backward = LAM_K(lam_tile_backward),
    .diagonal = LAM_K(lam_tile_diagonal),
    .activate = LAM_K(lam_tile_activate),
    .deactivate = LAM_K(lam_tile_deactivate),
    .series_activate = LAM_K(lam_tile_series_activate),
    .series_deactivate = LAM_K(lam_tile_series_deactivate),
    .row_product = LAM_K(lam_tile_row_product),
    .row_transposed = LAM_K(lam_tile_row_transposed),
    .row_outer = LAM_K(lam_tile_row_outer),
    .transpose = LAM_K(lam_tile_transpose),
    .outer = LAM_K(lam_tile_outer),
    .row_sums = LAM_K(lam_tile_row_sums),
    .row_dots = LAM_K(lam_tile_row_dots),
    .scale_rows = LAM_K(lam_tile_scale_rows),
    .add_rows = LAM_K(lam_tile_add_rows),
    .combine = LAM_K(lam_tile_combine),
    .error = LAM_K(lam_tile_error),
    .column_dots = LAM_K(lam_tile_column_dots),
};
