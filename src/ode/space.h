/* The inside of a solver's space, shared by the solve and its reverse. */
#ifndef LAM_ODE_SPACE_H
#define LAM_ODE_SPACE_H
#include "ode/names.h"
#include "ode/solve.h"
#include <math.h>

typedef struct lam_tile_norm {
    double error[LAM_MAX_PARTS]; /* of squared scaled errors, as sum, of a step that is kept for a penalty on them */
    double sum[LAM_MAX_PARTS], sum3[LAM_MAX_PARTS]; /* of squared scaled errors over the tile's rows */
    double worst; /* largest squared scaled error of a row */
    size_t worst_row;
    size_t bad_row; /* of the last step: a row whose end is not finite, counted from 1 within the batch; 0: none */
} lam_tile_norm;

enum { LAM_NORM_SHARED = 3 * LAM_MAX_PARTS + 1 };

struct lam_solver_space {
    const lam_kernels *kernels;
    lam_pool *pool;
    size_t max_tiles, rows, record_size;
    real *k[LAM_MAX_STAGES]; /* stage values of the step in hand, [tiles][rows][TILE]; [0] lives in the path */
    real *gy, *gf;           /* reverse: cotangents of the step's end and of f there, [tiles][rows][TILE] */
    lam_tile_norm *norm;     /* [tiles] */
    double *shared;          /* [tiles][LAM_NORM_SHARED] of them, as ranks exchange them */
    real **thread;           /* per thread: see space_w.c */
    size_t at_y, at_v, at_v3, at_sums, at_k, at_gk, at_gin, at_records; /* offsets into a thread's reals */
};

/* Room for so many steps, and for the states at both ends of so many. */
lam_status lam_path_reserve(lam_path *path, size_t steps, size_t states);

/* Room for the errors of a step, within the states that are reserved. */
lam_status lam_path_reserve_error(lam_path *path, size_t step);

/* The time at which a stage is evaluated: c = 1 just inside the step, as the field's usual solver does (adaptive methods). */
static inline real lam_stage_time(const lam_tableau *table, double t, double h, size_t stage)
{
    real at = (real)(t + table->c[stage] * h);
    if (table->c[stage] == 1.0 && table->error_exponent != 0) {
        at = (real)(t + h);
        at = (real)(sizeof(real) == sizeof(float) ? (double)nextafterf((float)at, h > 0 ? -INFINITY : INFINITY)
                                             : nextafter((double)at, h > 0 ? -INFINITY : INFINITY));
    }
    return at;
}

#endif
