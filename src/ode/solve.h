/* Explicit Runge-Kutta solves of a whole batch: one step size for all rows, each thread taking a tile through all stages of a
 * step before the next tile (method.md 5, 6).
 *
 * States are planes [rows][TILE] a tile. A system's state starts with the z_rows that f depends on (or whose cotangents are not
 * the same for all rows and times); what follows are quadratures. Times are double whatever the width.
 */
#ifndef LAM_ODE_SOLVE_H
#define LAM_ODE_SOLVE_H
#include "base/batch.h"
#include "kernels/kernels.h"
#include "ode/names.h"
#include "ode/options.h"

enum { LAM_MAX_PARTS = 3 };

/* Where an evaluation of the right side belongs. */
typedef struct lam_stage {
    size_t tile, group, thread;
    size_t slot;  /* of its time, see prepare */
    real *record; /* [record_size] what its reverse needs: an evaluation writes it, a vector-Jacobian product reads it, and may use it up */
} lam_stage;

typedef struct lam_system {
    void *self;
    size_t rows, z_rows;
    size_t parts; /* of the error norm: the ratio of a step is the largest of theirs */
    struct {
        size_t first, count;
    } part[LAM_MAX_PARTS];
    double entries; /* of part 0 in the whole batch, what its mean is over; 0: all, rows times count */
    size_t record_size; /* reals that eval needs for one stage of one tile */
    /* Forms what depends on t alone, for slot. Called outside of parallel regions. */
    void (*prepare)(void *self, size_t slot, real t);
    /* k [rows][TILE] = f(t of the stage's slot, y [rows][TILE]). */
    void (*eval)(void *self, const lam_stage *at, const real *y, real *k);
    /* The vector-Jacobian product of one evaluation: gk [z_rows][TILE] is the cotangent of k's first rows, quadrature the factor that
     * multiplies the (constant) cotangents of the quadratures; gz [z_rows][TILE] receives the cotangent of z. Parameter gradients go
     * to the sums of the stage's group. NULL where nothing is reversed. */
    void (*vjp)(void *self, const lam_stage *at, const real *gk, double quadrature, real *gz);
    /* Called for a tile when all its stages of a step have been reversed; NULL if not wanted. Gradients that are too large
     * to be added to once a stage are added up here. */
    void (*step_reversed)(void *self, size_t tile, size_t thread);
    /* Called after every attempted step (and, as a rejected one, after the probe of the first step); NULL if not wanted.
     * The continuous adjoint adds up its parameter integral here. */
    void (*step_done)(void *self, int accepted, double h);
} lam_system;

/* The accepted steps of a solve. */
typedef struct lam_path {
    size_t steps, capacity; /* whether their states are kept or not */
    double *t, *h;   /* [capacity] start and length of step n */
    double *proposal; /* [capacity] the controller's next length after step n, not limited: 0.9 |h| ratio^(-1/exponent) */
    size_t state_capacity;
    real **y;        /* [state_capacity + 1] state at the start of step n, [tiles][rows][TILE]; without a record two in turn */
    real **k1;       /* [state_capacity + 1] f there */
    real **error;    /* [state_capacity] of step n, error / s^2 with s = atol + rtol max(|y0|, |y1|), [tiles][rows][TILE]; 0 in rows that are
                      * no part of the norm. NULL of steps whose errors are not kept */
    real **records;  /* [state_capacity] stage records of step n, [tiles][stages kept][record_size], or NULL: recomputed */
    size_t state_reals; /* of one y */
    double error_square[LAM_MAX_PARTS];   /* with options' errors: sum over the accepted steps of the mean of (error / s)^2 over a part */
    double error_cotangent[LAM_MAX_PARTS]; /* put here before a reverse: factors of `error` that make it a cotangent; 0: it has none */
    /* where the observations fell */
    size_t observations;
    size_t *obs_step;  /* [observations] step that holds it; SIZE_MAX: the start */
    double *obs_theta; /* [observations] in (0, 1]; 1 is the step's end exactly */
} lam_path;

/* Memory for stage records, shared by the blocks of a chain; first come, first served. */
typedef struct lam_arena {
    real *reals;
    size_t size, used;
} lam_arena;

typedef struct lam_solve_result {
    size_t accepted, rejected, calls;
    double h_star; /* smallest of the controller's proposals over the accepted steps; 0 for fixed steps */
} lam_solve_result;

typedef struct lam_solver_space lam_solver_space;

/* Space for solves and reverses of a system of at most this shape; created once, used by every block. */
lam_status lam_solver_space_create(const lam_kernels *kernels, lam_pool *pool, size_t max_tiles, size_t rows,
    size_t record_size, lam_solver_space **out);
void lam_solver_space_free(lam_solver_space *space);

lam_status lam_path_create(size_t max_tiles, size_t rows, size_t max_observations, lam_path **out);
void lam_path_free(lam_path *path);

/* Where a solve starts, and the times at which its states are wanted, the last of which is its end. */
typedef struct lam_observations {
    double start;
    size_t n;            /* at least 1 */
    const double *times; /* [n] from start (inclusive or not) on, in either direction */
    real *const *out;    /* [n] of [tiles][rows][TILE], the states there; out[j] NULL: not wanted */
} lam_observations;

/* Solves from path->y[0]. arena NULL: stages are recomputed. LAM_ERR_SOLVER names t, step, worst row and what to try. */
lam_status lam_solve(lam_solver_space *space, const lam_batch *batch, const lam_system *system, const lam_solve_options *options,
    const lam_observations *observations, lam_path *path, lam_arena *arena, lam_solve_result *result);

typedef struct lam_reverse_result {
    size_t vjps, recomputed; /* calls: vector-Jacobian products, evaluations made again for them */
} lam_reverse_result;

/* Takes the cotangents of the observed states, g_out[j] [tiles][z_rows][TILE] (NULL: zero), back through the steps of path to
 * the start: g_start [tiles][z_rows][TILE]. The quadratures' cotangents are constants of the system. */
void lam_solve_reverse(lam_solver_space *space, const lam_batch *batch, const lam_system *system, const lam_tableau *table,
    const lam_path *path, const real *const *g_out, real *g_start, lam_reverse_result *result);

#endif
