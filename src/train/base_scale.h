/* The scale of the base density that validation rows ask for (method.md 17). */
#ifndef LAM_TRAIN_BASE_SCALE_H
#define LAM_TRAIN_BASE_SCALE_H
#include "train/evaluation.h"

/* A row of a validation under N(0, I): its NLL, nats, the sum of squares of z over the columns that move, and how many these are. */
typedef struct lam_base_row {
    double nll, square, moving;
} lam_base_row;

/* Of the n rows that an evaluation took, n > 0: out's base_scale, and nll and se become those under N(0, base_scale^2 I). */
void lam_base_scale_fit(const lam_base_row *rows, size_t n, lam_evaluated *out);

#endif
