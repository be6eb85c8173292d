/* This room's names in the width that a file is compiled for (base/width.h): sources say lam_x, the linker sees lam_x_f32 or
 * lam_x_f64. A new function or type with two widths has its line here. */
#ifndef LAM_ODE_NAMES_H
#define LAM_ODE_NAMES_H
#include "base/width.h"

#define lam_arena LAM_W(lam_arena)
#define lam_norm_batch LAM_W(lam_norm_batch)
#define lam_norm_error_ratio LAM_W(lam_norm_error_ratio)
#define lam_norm_error_square LAM_W(lam_norm_error_square)
#define lam_norm_keep_error LAM_W(lam_norm_keep_error)
#define lam_norm_part_ratio LAM_W(lam_norm_part_ratio)
#define lam_norm_share LAM_W(lam_norm_share)
#define lam_norm_tile LAM_W(lam_norm_tile)
#define lam_norm_worst_row LAM_W(lam_norm_worst_row)
#define lam_observations LAM_W(lam_observations)
#define lam_path LAM_W(lam_path)
#define lam_path_create LAM_W(lam_path_create)
#define lam_path_free LAM_W(lam_path_free)
#define lam_path_reserve LAM_W(lam_path_reserve)
#define lam_path_reserve_error LAM_W(lam_path_reserve_error)
#define lam_solve LAM_W(lam_solve)
#define lam_solve_reverse LAM_W(lam_solve_reverse)
#define lam_solver_space LAM_W(lam_solver_space)
#define lam_solver_space_create LAM_W(lam_solver_space_create)
#define lam_solver_space_free LAM_W(lam_solver_space_free)
#define lam_stage LAM_W(lam_stage)
#define lam_stage_time LAM_W(lam_stage_time)
#define lam_step_attempt LAM_W(lam_step_attempt)
#define lam_step_check_end LAM_W(lam_step_check_end)
#define lam_step_dense LAM_W(lam_step_dense)
#define lam_step_first LAM_W(lam_step_first)
#define lam_step_observe LAM_W(lam_step_observe)
#define lam_step_probe LAM_W(lam_step_probe)
#define lam_stepping LAM_W(lam_stepping)
#define lam_system LAM_W(lam_system)

#endif
