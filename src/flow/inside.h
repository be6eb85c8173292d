/* The inside of an engine, shared by the files of this room. */
#ifndef LAM_FLOW_INSIDE_H
#define LAM_FLOW_INSIDE_H
#include "field/series.h"
#include "flow/engine.h"
#include "flow/names.h"

/* Tangents of a chunk: the trace is made of chunks of so many directional derivatives. */
enum { LAM_CHUNK = 8, LAM_MAX_GROUPS = 64 };

struct lam_engine {
    const lam_layout *layout;
    const lam_kernels *kernels;
    lam_pool *pool;
    lam_engine_options options;
    size_t dim, rows; /* rows: of a state, dim + 1 with the trace, and the integrands' */
    size_t g_rows;    /* of a cotangent: dim; with l_observed dim + 1 */
    size_t tangents, chunk, chunks;
    double probe_weight; /* 1 / probes; 1 for the exact trace */
    lam_batch batch;
    lam_field field;
    lam_amortised_field amortised; /* with row parameters: does field's work, and field its part of that */
    lam_vjps *vjps;              /* [threads], else NULL */
    lam_field_series series;       /* orders 0: no penalty asks for derivatives along the path */
    const real **am;               /* [blocks] the caller's row parameters, [tiles][row_parameters][TILE]; NULL: none yet */
    real *g_am;                    /* their gradient, of the block in hand; NULL: not wanted */
    unsigned char *g_am_begun;     /* [tiles] 1: g_am is added to, 0: put there */
    lam_solver_space *space;
    lam_path **path; /* [blocks] with gradients, else one for all */
    lam_arena arena;
    int frozen;
    int apart; /* 1: the solve in hand is of the states alone: l stays what it is (flow/apart.h) */
    const real *params; /* of the call in hand */
    size_t block;
    double cotangent_l; /* of l(T), the same for every row; 0 with l_observed, where row dim of the cotangents tells */
    double cotangent_integral[LAM_MAX_INTEGRANDS]; /* of theirs at T, the same for every row */
    double *end;        /* [blocks] end times of the call in hand */

    real *noise;            /* [blocks that are kept][tiles][tangents][dim][TILE] */
    size_t noise_block;     /* reals of one block's noise */
    double **draws;         /* [threads] one row's noise, [tangents][dim] */
    real **out;             /* [blocks][times] observed states, [tiles][rows][TILE] */
    real **g_out;           /* [times] cotangents of one block's, [tiles][g_rows][TILE] */
    real *g_chain;          /* cotangent that a block hands to the one before, [tiles][g_rows][TILE] */
    double *times;          /* [blocks][times] */
    double *tile_sum;       /* [tiles] partial sums in double */
    double *end_gradient;   /* [blocks] by the end times' roots */
    size_t *collected;      /* [blocks] those whose gradients wait for other ranks, in their order */
    size_t waiting;         /* how many of them there are */
    real **sums;            /* [groups] gradient sums of one block */
    real **scratch;         /* [threads] of the field's reverse */
    struct lam_mask *mask;       /* of a layout that is masked */
    struct lam_context *context; /* of a layout that has one */
    lam_condition condition;     /* of the calls in hand */
    struct lam_adjoint *adjoint;
    struct lam_ranks *ranks; /* of an engine on several ranks */
    struct lam_tiles *tiles; /* with LAM_CONTROL_TILE: has the engines that do the work (flow/tiles.h); the arrays above are NULL then */
    size_t observations;     /* observed a block in the call in hand */
};

/* Loads block b's parameters and noise; the system of its ODE. */
void lam_engine_load_block(lam_engine *e, size_t block);
void lam_cnf_system(lam_engine *e, int error_z_only, lam_system *system);
/* Fills the input stack's seed planes of a record with chunk c of the noise or the unit vectors. */
void lam_cnf_seeds(const lam_engine *e, size_t tile, size_t chunk, real *record);
size_t lam_cnf_chunk_tangents(const lam_engine *e, size_t chunk);
/* The vector-Jacobian product of one evaluation, as a system's vjp, into sums of the caller's choosing. */
void lam_cnf_vjp(lam_engine *e, const lam_stage *at, const real *gk, double quadrature, real *sums, real *gz);

/* Draws a block's noise. */
void lam_engine_draw(lam_engine *e, const lam_noise *noise, size_t block);

/* arrays of so many zeroed reals each; NULL, with nothing left behind, when memory runs out. The free takes NULL. */
real **lam_arrays_alloc(size_t arrays, size_t reals);
void lam_arrays_free(real **array, size_t arrays);

void lam_engine_set_batch(lam_engine *e, size_t rows);
/* Takes up the rows and parameters of a call, as a batch whose rows share their steps: what every pass begins with. */
lam_status lam_engine_load_rows(lam_engine *e, const lam_flow_call *call);
/* Solves one block from its path's first state, leaving the observed states in e->out. */
lam_status lam_engine_solve_block(lam_engine *e, size_t block, const lam_flow_solve *solve, int forward, size_t observations,
    const double *times, lam_counts *counts);

/* Continuous adjoint of the block in hand: as lam_solve_reverse, the parameter gradients going to the groups' sums, the
 * cotangent of the start to e->g_chain. */
lam_status lam_adjoint_create(lam_engine *e);
void lam_adjoint_free(lam_engine *e);
lam_status lam_adjoint_reverse(lam_engine *e, const lam_flow_solve *solve, size_t observations, const double *times,
    real *const *out, const real *const *g_out, lam_counts *counts);

/* The groups' gradient sums of the block in hand: zeroed; added up (sums.h) and put into grad [layout->parameters]. On several ranks the latter
 * waits for the end of the iteration, for the sums of all blocks and of the context. */
void lam_engine_clear_sums(lam_engine *e);
lam_status lam_engine_collect(lam_engine *e, size_t block, real *grad);
void lam_engine_collect_rest(lam_engine *e, real *grad);

/* Zeroes the lanes past the batch's rows in the lines g [n][TILE] of a tile. */
void lam_engine_clear_past(const lam_engine *e, size_t tile, size_t n, real *g);

/* For each tile of the batch, in parallel. */
void lam_engine_run(lam_engine *e, lam_pool_fn fn, void *arg);

#endif
