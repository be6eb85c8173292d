/* Predictions of one column: the moments and quantiles that lam_predict reports. */
#ifndef LAM_MODEL_PREDICT_H
#define LAM_MODEL_PREDICT_H
#include "model/integral.h"

/* From so many draws, sorted: mean, standard deviation, quantiles, probabilities, and the standard errors of these (NULL: not wanted). */
void lam_summarise_draws(const lam_question *q, const double *sorted, size_t n, double *values, double *errors);
/* The seed of rows [first, ..) that are drawn by a call of their own, and so counted from 0 there. */
uint64_t lam_seed_of_rows(uint64_t seed, size_t first);

#endif
