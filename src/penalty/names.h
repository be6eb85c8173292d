/* This room's names in the width that a file is compiled for (base/width.h): sources say lam_x, the linker sees lam_x_f32 or
 * lam_x_f64. A new function or type with two widths has its line here. */
#ifndef LAM_PENALTY_NAMES_H
#define LAM_PENALTY_NAMES_H
#include "base/width.h"

#define lam_engine_forward LAM_W(lam_engine_forward)
#define lam_engine_loss LAM_W(lam_engine_loss)
#define lam_engine_reverse LAM_W(lam_engine_reverse)
#define lam_flow_gradient LAM_W(lam_flow_gradient)
#define lam_matcher LAM_W(lam_matcher)
#define lam_matcher_create LAM_W(lam_matcher_create)
#define lam_matcher_free LAM_W(lam_matcher_free)
#define lam_matching_loss LAM_W(lam_matching_loss)
#define lam_observed LAM_W(lam_observed)
#define lam_observed_cotangents LAM_W(lam_observed_cotangents)
#define lam_observed_of_l LAM_W(lam_observed_of_l)
#define lam_observed_penalties LAM_W(lam_observed_penalties)
#define lam_observed_penalty LAM_W(lam_observed_penalty)
#define lam_observed_times LAM_W(lam_observed_times)
#define lam_observed_values LAM_W(lam_observed_values)
#define lam_observed_wanted LAM_W(lam_observed_wanted)
#define lam_penalty_of LAM_W(lam_penalty_of)
#define lam_penalty_options LAM_W(lam_penalty_options)
#define lam_penalty_scale LAM_W(lam_penalty_scale)
#define lam_solver_error_check LAM_W(lam_solver_error_check)
#define lam_solver_error_cotangents LAM_W(lam_solver_error_cotangents)
#define lam_solver_error_value LAM_W(lam_solver_error_value)

#endif
