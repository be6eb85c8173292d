/* Step control by tile: each tile is a batch of its own, solved by an engine that belongs to the thread. */
#ifndef LAM_FLOW_TILES_H
#define LAM_FLOW_TILES_H
#include "flow/inside.h"
#include "flow/names.h"

enum { LAM_TILE_SUMS = 10 };

typedef struct lam_tile_outcome {
    lam_status status;
    char error[512];
    lam_counts counts;
    double sum[LAM_TILE_SUMS]; /* over the tile's rows, of what the caller makes of them */
} lam_tile_outcome;

struct lam_tiles {
    size_t threads;
    lam_pool **pool;               /* [threads] of one thread each */
    lam_engine **engine;    /* [threads] for LAM_TILE rows */
    lam_tile_outcome *outcome;     /* [tiles] */
    double *h_star;                /* [tiles][blocks] */
    double *sorted;                /* [tiles] */
    real **tile_grad, **group_grad; /* [threads], [groups] of [parameters]; with gradients */
};

lam_status lam_tiles_create(lam_engine *e);
void lam_tiles_free(lam_engine *e);
lam_status lam_tiles_transform(lam_engine *e, const real *params, const double *x, const size_t *index, size_t rows,
    int forward, const lam_flow_solve *solve, const lam_noise *noise, double *y, double *l, lam_counts *counts);

lam_status lam_tiles_trajectories(lam_engine *e, const real *params, const double *x, size_t rows, size_t times,
    const lam_flow_solve *solve, double *states, lam_counts *counts);

/* One tile's share of a call. */
typedef struct lam_tile_share {
    const double *x;
    const size_t *index;
    size_t rows;
    lam_flow_solve solve; /* its h_star are the tile's own copy */
    lam_noise noise;
} lam_tile_share;
lam_tile_share lam_tiles_share(const lam_engine *e, size_t tile, const double *x, const size_t *index,
    const lam_flow_solve *solve, const lam_noise *noise);
/* Hands a tile's share of what the rows are conditional on to the thread's engine. index as the call has it. */
void lam_tiles_condition(lam_engine *e, size_t tile, size_t thread, const size_t *index);
/* Keeps what a tile's call came to, with the text of its failure, which belongs to the thread. */
void lam_tiles_keep(lam_engine *e, size_t tile, lam_status status, const lam_counts *counts);
/* The first failure in tile order; adds the means of the counts; h* becomes the median of the tiles'. */
lam_status lam_tiles_finish(lam_engine *e, const lam_flow_solve *solve, lam_counts *counts);

#endif
