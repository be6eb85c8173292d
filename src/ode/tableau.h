/* Explicit Runge-Kutta methods as data: Butcher tables, error estimates and dense output of every lam_solver. */
#ifndef LAM_ODE_TABLEAU_H
#define LAM_ODE_TABLEAU_H
#include "base/choices.h"

#define LAM_MAX_STAGES 16
#define LAM_DENSE_TERMS 9 /* powers theta^0 .. theta^8 */

/* Dense output as a row of powers of theta, one row a stage. Both forms below interpolate, so a row is determined by the
 * stage's weight in y1 (b) and at theta = 1/2 (m), and by f0 = 1 for the stage f(t, y), f1 = 1 for f(t1, y1), else 0. */

/* The cubic through y0, y1 with slopes f0, f1. */
#define LAM_HERMITE(b, f0, f1) { 0, f0, 3 * (b) - 2.0 * (f0) - (f1), (f0) + (f1) - 2 * (b) }
/* The quartic through y0, y_mid, y1 with slopes f0, f1. */
#define LAM_QUARTIC(b, m, f0, f1) \
    { 0, f0, (f1) - 4.0 * (f0) - 5 * (b) + 16 * (m), 5.0 * (f0) - 3.0 * (f1) + 14 * (b) - 32 * (m), \
        2.0 * ((f1) - (f0)) - 8 * (b) + 16 * (m) }

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

/* The tables, a file each. */
#define LAM_TABLE_DECLARE(code, word, table, tried) extern const lam_tableau table;
LAM_SOLVER_LIST(LAM_TABLE_DECLARE, LAM_NONE)
#undef LAM_TABLE_DECLARE

/* The table of a solver: static, read-only, the same for all threads. NULL for a value outside the enum, and for "auto". */
const lam_tableau *lam_tableau_get(lam_solver solver);
const char *lam_solver_word(lam_solver solver);  /* as in the configuration: "dopri5" */
lam_solver lam_solver_of(const char *word);      /* LAM_SOLVER_AUTO for any other */
int lam_solver_is_pair(lam_solver solver);       /* 1: an error estimate chooses its steps; 0: their number is given */

/* Weights of the dense output: w [stages + dense_stages] such that y(t + theta h) = y + h sum_i w_i k_i. At theta = 1
 * they are b up to rounding (dop853: about 1e-13). */
void lam_tableau_dense_weights(const lam_tableau *table, double theta, double *w);

#endif
