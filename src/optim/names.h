/* This room's names in the width that a file is compiled for (base/width.h): sources say lam_x, the linker sees lam_x_f32 or
 * lam_x_f64. A new function or type with two widths has its line here. */
#ifndef LAM_OPTIM_NAMES_H
#define LAM_OPTIM_NAMES_H
#include "base/width.h"

#define lam_adam_apply LAM_W(lam_adam_apply)
#define lam_gradient_norm LAM_W(lam_gradient_norm)
#define lam_multiplier LAM_W(lam_multiplier)
#define lam_multiplier_clear LAM_W(lam_multiplier_clear)
#define lam_multiplier_create LAM_W(lam_multiplier_create)
#define lam_multiply LAM_W(lam_multiply)
#define lam_optimizer_record LAM_W(lam_optimizer_record)
#define lam_orthogonalise LAM_W(lam_orthogonalise)
#define lam_orthogonaliser LAM_W(lam_orthogonaliser)
#define lam_orthogonaliser_create LAM_W(lam_orthogonaliser_create)
#define lam_orthogonaliser_free LAM_W(lam_orthogonaliser_free)
#define lam_stepper LAM_W(lam_stepper)
#define lam_stepper_apply LAM_W(lam_stepper_apply)
#define lam_stepper_create LAM_W(lam_stepper_create)
#define lam_stepper_free LAM_W(lam_stepper_free)
#define lam_view LAM_W(lam_view)

#endif
