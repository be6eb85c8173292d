/* What validation rows decide beside the best parameters: the scale of the base density (method.md 17), or whether the flow is better than a
 * Gaussian (16). */
#ifndef LAM_TRAIN_BASE_SCALE_H
#define LAM_TRAIN_BASE_SCALE_H
#include "train/evaluation.h"

/* A row of a validation under N(0, I): its NLL, nats, the sum of squares of z over the columns that move, and how many these are; and its NLL
 * where the flow does nothing. */
typedef struct lam_base_row {
    double nll, square, moving, still;
} lam_base_row;

/* Of the n rows that an evaluation took, n > 0: out's base_scale, and nll and se become those under N(0, base_scale^2 I). */
void lam_base_scale_fit(const lam_base_row *rows, size_t n, lam_evaluated *out);

/* Of these rows: out's gaussian_nll and gaussian_se where the flow does nothing, and gain_se of the rows' differences. */
void lam_gaussian_beside(const lam_base_row *rows, size_t n, lam_evaluated *out);
/* 1: a flow of this NLL is better than a Gaussian by more than the differences' errors explain. */
int lam_gaussian_is_beaten(double nll, double gaussian_nll, double gain_se);

#endif
