/* Step control by tile: each tile is a batch of its own, solved by an engine that belongs to the thread. */
#ifndef LAM_FLOW_TILES_H
#define LAM_FLOW_TILES_H
#include "flow/inside.h"

typedef struct lam_tile_outcome {
    lam_status status;
    char error[512];
    lam_counts counts;
    double loss, nll, tpr, integral[LAM_MAX_INTEGRANDS]; /* sums over the tile's rows */
} lam_tile_outcome;

struct LAM_W(lam_tiles) {
    size_t threads;
    lam_pool **pool;               /* [threads] of one thread each */
    LAM_W(lam_engine) **engine;    /* [threads] for LAM_TILE rows */
    lam_tile_outcome *outcome;     /* [tiles] */
    double *h_star;                /* [tiles][blocks] */
    double *sorted;                /* [tiles] */
    real **tile_grad, **group_grad; /* [threads], [groups] of [parameters]; with gradients */
};

lam_status LAM_W(lam_tiles_create)(LAM_W(lam_engine) *e);
void LAM_W(lam_tiles_free)(LAM_W(lam_engine) *e);
lam_status LAM_W(lam_tiles_transform)(LAM_W(lam_engine) *e, const real *params, const double *x, const size_t *index,
    size_t rows, int forward, const lam_flow_solve *solve, const lam_noise *noise, double *y, double *l, lam_counts *counts);

lam_status LAM_W(lam_tiles_trajectories)(LAM_W(lam_engine) *e, const real *params, const double *x, size_t rows, size_t times,
    const lam_flow_solve *solve, double *states, lam_counts *counts);

/* One tile's share of a call. */
typedef struct LAM_W(lam_tile_share) {
    const double *x;
    const size_t *index;
    size_t rows;
    lam_flow_solve solve; /* its h_star are the tile's own copy */
    lam_noise noise;
} LAM_W(lam_tile_share);
LAM_W(lam_tile_share) LAM_W(lam_tiles_share)(const LAM_W(lam_engine) *e, size_t tile, const double *x, const size_t *index,
    const lam_flow_solve *solve, const lam_noise *noise);
/* Keeps what a tile's call came to, with the text of its failure, which belongs to the thread. */
void LAM_W(lam_tiles_keep)(LAM_W(lam_engine) *e, size_t tile, lam_status status, const lam_counts *counts);
/* The first failure in tile order; adds the means of the counts; h* becomes the median of the tiles'. */
lam_status LAM_W(lam_tiles_finish)(LAM_W(lam_engine) *e, const lam_flow_solve *solve, lam_counts *counts);

#endif
