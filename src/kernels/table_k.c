/* This width's and instruction set's table of kernels. */
#include "kernels/tile.h"

#define LAM_TEXT_(x) #x
#define LAM_TEXT(x) LAM_TEXT_(x)

const lam_kernels lam_kernel_table = {
    .isa = LAM_TEXT(LAM_ISA),
    .lanes = LAM_VL,
    .block = LAM_CV * LAM_VL,
    .pack = lam_tile_pack, .forward = lam_tile_forward, .backward = lam_tile_backward, .diagonal = lam_tile_diagonal,
    .activate = lam_tile_activate, .deactivate = lam_tile_deactivate, .series_activate = lam_tile_series_activate,
    .series_deactivate = lam_tile_series_deactivate, .row_product = lam_tile_row_product,
    .row_transposed = lam_tile_row_transposed, .row_outer = lam_tile_row_outer, .transpose = lam_tile_transpose,
    .outer = lam_tile_outer, .row_sums = lam_tile_row_sums, .row_dots = lam_tile_row_dots, .scale_rows = lam_tile_scale_rows,
    .add_rows = lam_tile_add_rows, .combine = lam_tile_combine, .error = lam_tile_error, .column_dots = lam_tile_column_dots, };
