/* The chain at work on a batch: solves forward (log-density, encoding), backward in time (sampling), and what the training loss
 * (penalty/loss.h) needs for its gradient. One engine serves one divergence and one largest batch; it holds all memory, so
 * that solves allocate nothing but room for more steps than any solve before took. An engine is used by one thread at a time;
 * it runs its own pool.
 */
#ifndef LAM_FLOW_ENGINE_H
#define LAM_FLOW_ENGINE_H
#include "base/random.h"
#include "field/field.h"
#include "flow/integrand.h"
#include "flow/layout.h"
#include "flow/names.h"
#include "ode/solve.h"

typedef enum lam_trace { LAM_TRACE_NONE, LAM_TRACE_EXACT, LAM_TRACE_HUTCHINSON } lam_trace;

typedef struct lam_engine_options {
    size_t max_rows;
    lam_trace trace;
    size_t probes;       /* Hutchinson */
    int gradients;       /* 1: lam_engine_loss may be asked for gradients */
    lam_gradient method;
    size_t max_observations;    /* observation times of TPR or of trajectories, 0 without */
    size_t trace_points; /* the most that a solve may ask for, 0 of an engine with gradients */
    double memory;       /* MiB for kept stage records */
    lam_step_control control; /* TILE: every tile takes its own steps, and counts are means over the tiles */
    const lam_integrand *integrand[LAM_MAX_INTEGRANDS]; /* carried by every solve of the engine */
    size_t integrands;
    int errors;          /* 1: a penalty on the solver's own error is to be had */
    int l_observed;      /* 1: a penalty on observed l is to be had: cotangents of l differ from row to row and time to time */
    const char *isa;
    const lam_comm *comm; /* the same engine is on each of these ranks, and is asked the same: what is by the row is set for the rows of this one's
                           * tiles (base/batch.h), all else for the batch; NULL: on no other one */
    int fast_sums;        /* 1: gradients are added across ranks in any order */
} lam_engine_options;

/* Hutchinson's noise, drawn once per block and solve: row i of block b depends on (seed, purpose, stream, b, i). */
typedef struct lam_noise {
    lam_divergence kind;
    uint64_t seed, stream;
    lam_purpose purpose;
    const double *given; /* [blocks from given_first][probes][rows][dim] instead of draws, or NULL */
    size_t given_first;
    uint64_t first_row;  /* number of the batch's first row */
} lam_noise;

typedef struct lam_flow_solve {
    lam_solve_options solve;
    lam_error_parts error_parts;
    size_t trace_points; /* a block: the states are solved alone, and the trace is integrated by its values at so many points (at most LAM_MAX_POINTS of
                         * ode/quadrature.h); 0: the solver integrates it. lam_engine_transform alone looks at it */
    double *h_star;    /* [blocks] steps remembered by "warm": read when solve.first_step says so; may be NULL */
    int keep_h_star;   /* 1: h_star is updated */
} lam_flow_solve;

/* What a pass takes: rows x[index[i]], i < rows, and how they are solved. */
typedef struct lam_flow_call {
    const real *params;          /* [layout->parameters] */
    const double *x;             /* [.., dim], standardised */
    const size_t *index;         /* NULL: row i is x[i] */
    size_t rows;
    const lam_flow_solve *solve;
    const lam_noise *noise;      /* of Hutchinson's trace; else NULL */
} lam_flow_call;

typedef struct lam_engine lam_engine;

/* layout and pool must outlive the engine. */
lam_status lam_engine_create(const lam_layout *layout, lam_pool *pool, const lam_engine_options *options, lam_engine **out);
void lam_engine_free(lam_engine *engine);
const char *lam_engine_isa(const lam_engine *engine);

/* Row parameters of every block for the calls that follow, am [blocks] of [tiles][row_parameters][TILE] for the rows of those
 * calls (tiles of LAM_TILE rows; lanes past the rows finite). The arrays are kept by reference. For layouts of lam_layout_amortised;
 * NULL takes them away. Their gradient: penalty/loss.h. */
void lam_engine_amortise(lam_engine *engine, const real *const *am);

/* What the rows are conditional on in the calls that follow. The struct is copied, its arrays are kept by reference. For layouts with a
 * context. */
typedef struct lam_condition {
    const double *inputs; /* [.., layout->inputs]: of the rows where x has them, by index too */
    /* [rows, dim] 1: the column moves, 0: it does not; of the batch's rows in their order, whatever the index; of a masked layout. NULL:
     * everything moves. What does not is taken as 0 and stays it. */
    const unsigned char *moves;
} lam_condition;
void lam_engine_condition(lam_engine *engine, const lam_condition *condition);

/* forward != 0: data to base, else base to data. y [rows, dim] and l [rows] (may be NULL) receive the end state: l is the
 * integral of -trace along the path, so log p(x) = log N(y) - l forward, and log p(y) = log N(x) + l backward. counts is
 * added to. */
lam_status lam_engine_transform(lam_engine *engine, const lam_flow_call *call, int forward, double *y, double *l, lam_counts *counts);

/* The rows on their path from data to base: states [rows, blocks * times + 1, dim] are the start, then those at the even
 * times T/times, ..., T of each block, by the dense output of the solve that lam_engine_transform would make. times is at most the
 * options' max_observations. */
lam_status lam_engine_trajectories(lam_engine *engine, const lam_flow_call *call, size_t times, double *states, lam_counts *counts);

/* f, e'Je or trace, and e'J at one time of a block: what the golden vectors hold. Of the call it takes params and rows. Any of
 * v [rows, dim], div [rows], vjp [rows, dim] may be NULL; vjp is the reverse of f with cotangent e. */
typedef struct lam_field_point {
    size_t block;
    double t;
    const double *e; /* [rows, dim]; NULL with the exact trace */
} lam_field_point;
lam_status lam_engine_field(lam_engine *engine, const lam_flow_call *call, const lam_field_point *at, double *v, double *div, double *vjp);

/* So many rows as this engine cuts them into tiles and groups, of which a rank has a range. */
lam_batch lam_engine_batch(const lam_engine *engine, size_t rows);
/* Rows of the last call's batch that are this rank's; and each rank's lines of values [rows, width] go to all others. */
lam_range lam_engine_own_rows(const lam_engine *engine);
void lam_engine_share_rows(const lam_engine *engine, double *values, size_t width);

/* The accepted steps of a block in the last call: t and h; their number, 0 past the last block. For tests and pictures.
 * Neither these nor lam_engine_field can be had with step control by tile. */
size_t lam_engine_steps(const lam_engine *engine, size_t block, const double **t, const double **h);
/* Puts steps of the caller's in their place, to be replayed. */
lam_status lam_engine_set_steps(lam_engine *engine, size_t block, size_t n, const double *t, const double *h);
/* Replays: freezes every block's steps to those of the last call (1) or lets the controller decide again (0). For finite
 * differences. */
void lam_engine_freeze(lam_engine *engine, int freeze);

#endif
