/* The distribution of one column, given a row's other cells, as numbers that are exact but for interpolation. */
#ifndef LAM_MODEL_INTEGRAL_H
#define LAM_MODEL_INTEGRAL_H
#include "laminar.h"

/* What rows are asked. */
typedef struct lam_question {
    const lam_model *model;
    const lam_eval_options *eval; /* progress is the caller's to tell */
    const double *x;              /* [n, dim] */
    const unsigned char *roles;   /* [n_roles, dim], n_roles 1 or n; NULL: the model's own */
    size_t n_roles, n, dim;
    const double *quantiles, *below;
    size_t n_quantiles, n_below;
} lam_question;
/* Roles of the row, or NULL. */
const unsigned char *lam_question_roles(const lam_question *q, size_t row);
/* Numbers of a column and row: mean, standard deviation, quantiles, probabilities of being at most. */
size_t lam_question_numbers(const lam_question *q);

/* Integrates the density of column, the only one that moves, of rows [first, first + rows) of q (method.md 14): values [rows, numbers].
 * report->mass_error is raised to the largest |1 - integral of the density| of these rows. Counts are added. LAM_ERR_SOLVER: the density is not
 * finite. */
lam_status lam_integrate(const lam_question *q, size_t column, size_t first, size_t rows, double *values, lam_predict_report *report);
/* The integral of that density alone, mass [rows], which should be 1. */
lam_status lam_integrate_mass(const lam_question *q, size_t column, size_t first, size_t rows, double *mass, lam_counts *counts);

#endif
