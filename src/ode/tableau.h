/* Explicit Runge-Kutta methods as data: Butcher tables, error estimates and dense output of every lam_solver. */
#ifndef LAM_ODE_TABLEAU_H
#define LAM_ODE_TABLEAU_H
#include "laminar.h"

#define LAM_MAX_STAGES 16
#define LAM_DENSE_TERMS 9 /* powers theta^0 .. theta^8 */

/* One step from (t, y) with step h, stages numbered from 0:
 *     k_i = f(t + c_i h, y + h sum_{j<i} a_ij k_j)        y1 = y + h sum_i b_i k_i        error = h sum_i e_i k_i
 * Unused entries of the arrays are 0. */
typedef struct lam_tableau {
    const char *name;   /* as in the configuration: "dopri5" */
    int order;          /* of the solution that is carried on */
    int error_exponent; /* the next step is h * ratio^(-1/error_exponent); 0: a fixed step, no error estimate */
    int stages;         /* of a step, with the last one f(t1, y1) when fsal */
    int fsal;           /* 1: stage [stages - 1] is f(t1, y1), at c = 1, with a[stages - 1] == b */
    int dense_stages;   /* further stages, for dense output only, evaluated after acceptance (dop853: 3) */
    double c[LAM_MAX_STAGES];
    double a[LAM_MAX_STAGES][LAM_MAX_STAGES]; /* strictly lower triangular, rows of the dense stages included */
    double b[LAM_MAX_STAGES];                 /* the solution */
    double e[LAM_MAX_STAGES];                 /* b - b_hat, b_hat the embedded solution; dop853: the one of order 5 */
    double e3[LAM_MAX_STAGES];                /* dop853: the same against its solution of order 3 */
    int has_e3;
    int dense_degree; /* in theta */
    /* y(t + theta h) = y + h sum_i k_i sum_{j>=1} dense[i][j] theta^j, 0 <= theta <= 1; [i][0] = 0 */
    double dense[LAM_MAX_STAGES][LAM_DENSE_TERMS];
} lam_tableau;

/* The table of a solver: static, read-only, the same for all threads. NULL for a value outside the enum. */
const lam_tableau *lam_tableau_get(lam_solver solver);

/* Weights of the dense output: w [stages + dense_stages] such that y(t + theta h) = y + h sum_i w_i k_i. At theta = 1
 * they are b up to rounding (dop853: about 1e-13). */
void lam_tableau_dense_weights(const lam_tableau *table, double theta, double *w);

#endif
