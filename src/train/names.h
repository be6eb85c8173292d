/* This room's names in the width that a file is compiled for (base/width.h): sources say lam_x, the linker sees lam_x_f32 or
 * lam_x_f64. A new function or type with two widths has its line here. */
#ifndef LAM_TRAIN_NAMES_H
#define LAM_TRAIN_NAMES_H
#include "base/width.h"

#define lam_trainer_create LAM_W(lam_trainer_create)

#endif
