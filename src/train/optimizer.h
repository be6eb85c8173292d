/* What turns a gradient into a step: Adam (Kingma and Ba 2015), its decoupled form AdamW (Loshchilov and Hutter 2019), and Adamax
 * (Kingma and Ba 2015, 7.1), with the field's usual constants: betas 0.9 and 0.999, epsilon 1e-8. */
#ifndef LAM_TRAIN_OPTIMIZER_H
#define LAM_TRAIN_OPTIMIZER_H
#include "base/width.h"
#include "laminar.h"

typedef struct lam_update {
    lam_optimizer kind;
    double lr, weight_decay; /* decay: added to the gradient as weight_decay * parameter; AdamW: lr * weight_decay off it */
    uint64_t step;           /* of this update, from 1 */
} lam_update;

/* sqrt of the sum of squares, in double, always in the same order. */
double LAM_W(lam_gradient_norm)(const real *gradient, size_t n);
/* Shortens a gradient of this norm to the norm `most`; 0: left as it is. */
void LAM_W(lam_gradient_clip)(real *gradient, size_t n, double norm, double most);
/* One update of params [n]. first and second [n] are the optimiser's memory, zero before step 1: running means of the gradient
 * and of its square (Adamax: its largest recent size). */
void LAM_W(lam_update_apply)(const lam_update *update, size_t n, const real *gradient, real *first, real *second,
    real *params);

#endif
