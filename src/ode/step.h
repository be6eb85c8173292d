/* A solve in hand, as the files of this room share it: its steps (step_w.c), error norms (norm_w.c), the choice of steps (solve_w.c). */
#ifndef LAM_ODE_STEP_H
#define LAM_ODE_STEP_H
#include "ode/names.h"
#include "ode/space.h"

/* Everything that a parallel region of a solve reads. */
typedef struct lam_stepping {
    lam_solver_space *space;
    const lam_batch *batch;
    const lam_system *sys;
    const lam_tableau *table;
    const lam_solve_options *options;
    lam_path *path;
    lam_arena *arena;
    lam_solve_result *result;
    double t, h;
    size_t n;               /* step in hand */
    const real *y0;         /* its states and its first stage */
    real *y1, *k0, *k_last; /* k_last: where the FSAL stage goes */
    real *records;          /* of this step, or NULL */
    size_t first_record;    /* stage of records[0] */
    size_t first_stage;     /* 1: stage 0 is known already, from the step before or a rejected one */
    size_t stages;          /* of the step in hand: all of the table's, or all but f at the end, which nobody asks for */
    int controlled;         /* 1: the error estimate decides about the step */
    int last;               /* 1: the solve ends with the step in hand, if that is accepted */
} lam_stepping;

static inline size_t lam_stepping_plane(const lam_stepping *s)
{
    return s->sys->rows * LAM_TILE;
}

/* ---- step_w.c */

/* f at the start of the step in hand, into k0. */
void lam_step_first(lam_stepping *s);
/* The stages of the step in hand and its end; when it is controlled, its error norms too; when it is the last, whether its end is finite.
 * Ranks exchange what they have found out about their tiles. */
void lam_step_attempt(lam_stepping *s);
/* The further stages that the dense output of some tables wants, after acceptance. */
void lam_step_dense(lam_stepping *s);
/* out [tiles][rows][TILE] = the state at t + theta h. */
void lam_step_observe(lam_stepping *s, double theta, real *out);
/* The length, without its sign, of the first step, by a probe; k0 is there. LAM_ERR_SOLVER where something is not finite. */
lam_status lam_step_probe(lam_stepping *s, double direction, double *length);
/* LAM_ERR_SOLVER unless the state at the end of the last step is finite. */
lam_status lam_step_check_end(lam_stepping *s);

/* ---- norm_w.c */

/* Leaves, for the tile, the sums of squares of v [rows][TILE] scaled by the tolerances, its worst row among them; v3 [rows][TILE]: a second
 * estimate, NULL without. */
void lam_norm_tile(const lam_stepping *s, size_t tile, size_t thread, const real *v, const real *v3, const real *y0, const real *y1);
/* The same for a penalty on the errors, step lengths being held: to [rows][TILE] = v / s^2 in the parts' rows, 0 elsewhere and past the
 * batch, and the sums of (v / s)^2 are left. */
void lam_norm_keep_error(const lam_stepping *s, size_t tile, const real *v, const real *y0, const real *y1, real *to);
/* Ranks exchange the sums of their tiles; of the step in hand also the errors that are kept, and whether the end is finite. */
void lam_norm_share(const lam_stepping *s, int of_step);
/* Over all tiles: the largest over the system's parts of the root mean square; NaN wins. */
double lam_norm_batch(const lam_stepping *s);
/* The error ratio of the step in hand: at most 1 is good enough. It is the largest of those of its parts; NaN wins. */
double lam_norm_error_ratio(const lam_stepping *s);
double lam_norm_part_ratio(const lam_stepping *s, size_t part);
/* Of a step whose errors are kept: the mean of (error / s)^2 over the batch's rows and a part's features. */
double lam_norm_error_square(const lam_stepping *s, size_t part);
/* Ranks exchange their worst rows: all of them ask. */
size_t lam_norm_worst_row(const lam_stepping *s);

#endif
