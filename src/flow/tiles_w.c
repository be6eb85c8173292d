/* Solves each tile with steps of its own. */
#include "flow/tiles.h"
#include "base/error.h"
#include "base/mem.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

lam_status lam_tiles_create(lam_engine *e)
{
    struct lam_tiles *t = e->tiles = lam_alloc(1, sizeof *t);
    if (t == NULL)
        return LAM_ERR_MEMORY;
    t->threads = lam_pool_threads(e->pool);
    lam_engine_options o = e->options;
    o.control = LAM_CONTROL_BATCH;
    o.max_rows = o.max_rows < LAM_TILE ? o.max_rows : LAM_TILE;
    o.memory /= (double)t->threads;
    if ((t->pool = lam_alloc(t->threads, sizeof *t->pool)) == NULL
        || (t->engine = lam_alloc(t->threads, sizeof *t->engine)) == NULL
        || (t->outcome = lam_alloc(e->batch.tiles, sizeof *t->outcome)) == NULL
        || (t->h_star = lam_alloc(e->batch.tiles * e->layout->blocks, sizeof(double))) == NULL
        || (t->sorted = lam_alloc(e->batch.tiles, sizeof(double))) == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < t->threads; i++) {
        LAM_TRY(lam_pool_create(1, &t->pool[i]));
        LAM_TRY(lam_engine_create(e->layout, t->pool[i], &o, &t->engine[i]));
    }
    if (!o.gradients)
        return LAM_OK;
    t->tile_grad = lam_arrays_alloc(t->threads, e->layout->parameters);
    t->group_grad = lam_arrays_alloc(e->batch.groups, e->layout->parameters);
    return t->tile_grad != NULL && t->group_grad != NULL ? LAM_OK : LAM_ERR_MEMORY;
}

void lam_tiles_free(lam_engine *e)
{
    struct lam_tiles *t = e->tiles;
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->threads; i++) {
        if (t->engine != NULL)
            lam_engine_free(t->engine[i]);
        if (t->pool != NULL)
            lam_pool_free(t->pool[i]);
    }
    lam_arrays_free(t->tile_grad, t->threads);
    lam_arrays_free(t->group_grad, e->batch.groups);
    lam_free(t->engine);
    lam_free(t->pool);
    lam_free(t->outcome);
    lam_free(t->h_star);
    lam_free(t->sorted);
    lam_free(t);
}

lam_tile_share lam_tiles_share(const lam_engine *e, size_t tile, const double *x, const size_t *index,
    const lam_flow_solve *solve, const lam_noise *noise)
{
    size_t first = tile * LAM_TILE, blocks = e->layout->blocks;
    double *h = e->tiles->h_star + tile * blocks;
    lam_tile_share s = { .x = index != NULL ? x : x + first * e->dim, .index = index != NULL ? index + first : NULL,
        .rows = lam_batch_tile_rows(&e->batch, tile), .solve = *solve };
    if (solve->h_star != NULL) {
        memcpy(h, solve->h_star, blocks * sizeof *h);
        s.solve.h_star = h;
    }
    if (noise != NULL) {
        s.noise = *noise;
        s.noise.first_row += first;
    }
    return s;
}

void lam_tiles_condition(lam_engine *e, size_t tile, size_t thread, const size_t *index)
{
    lam_condition share = e->condition;
    if (e->layout->inputs == 0 || share.inputs == NULL)
        return;
    if (share.moves != NULL)
        share.moves += tile * LAM_TILE * e->dim;
    if (index == NULL)
        share.inputs += tile * LAM_TILE * e->layout->inputs;
    lam_engine_condition(e->tiles->engine[thread], &share);
}

void lam_tiles_keep(lam_engine *e, size_t tile, lam_status status, const lam_counts *counts)
{
    lam_tile_outcome *o = &e->tiles->outcome[tile];
    o->status = status;
    o->counts = *counts;
    if (status != LAM_OK)
        snprintf(o->error, sizeof o->error, "%s", lam_last_error());
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

lam_status lam_tiles_finish(lam_engine *e, const lam_flow_solve *solve, lam_counts *counts)
{
    struct lam_tiles *t = e->tiles;
    size_t tiles = e->batch.tiles, blocks = e->layout->blocks;
    double sum[5] = { 0 };
    for (size_t i = 0; i < tiles; i++) {
        const lam_tile_outcome *o = &t->outcome[i];
        if (o->status != LAM_OK)
            return lam_fail(o->status, "tile %zu, rows %zu to %zu of the batch: %s", i + 1, i * LAM_TILE + 1,
                i * LAM_TILE + lam_batch_tile_rows(&e->batch, i), o->error);
        sum[0] += (double)o->counts.forward;
        sum[1] += (double)o->counts.backward;
        sum[2] += (double)o->counts.recomputed;
        sum[3] += (double)o->counts.accepted;
        sum[4] += (double)o->counts.rejected;
    }
    uint64_t *into[5] = { &counts->forward, &counts->backward, &counts->recomputed, &counts->accepted, &counts->rejected };
    for (size_t i = 0; i < 5; i++)
        *into[i] += (uint64_t)(sum[i] / (double)tiles + 0.5);
    counts->solves += blocks;
    for (size_t b = 0; solve->h_star != NULL && solve->keep_h_star && b < blocks; b++) {
        for (size_t i = 0; i < tiles; i++)
            t->sorted[i] = t->h_star[i * blocks + b];
        qsort(t->sorted, tiles, sizeof *t->sorted, ascending);
        solve->h_star[b] = t->sorted[tiles / 2];
    }
    return LAM_OK;
}

typedef struct transform {
    lam_engine *e;
    const real *params;
    const double *x;
    const size_t *index;
    int forward;
    const lam_flow_solve *solve;
    const lam_noise *noise;
    double *y, *l;
    size_t times;   /* above 0: trajectories */
    double *states; /* [rows, blocks * times + 1, dim] */
} transform;

static void transform_tile(void *arg, size_t tile, size_t thread)
{
    const transform *c = arg;
    lam_engine *e = c->e;
    lam_tile_share s = lam_tiles_share(e, tile, c->x, c->index, c->solve, c->noise);
    lam_counts counts = { 0 };
    lam_tiles_condition(e, tile, thread, c->index);
    size_t first = tile * LAM_TILE, path = (e->layout->blocks * c->times + 1) * e->dim;
    lam_status status;
    if (c->times > 0)
        status = lam_engine_trajectories(e->tiles->engine[thread], c->params, s.x, s.rows, c->times, &s.solve,
            c->states + first * path, &counts);
    else
        status = lam_engine_transform(e->tiles->engine[thread], c->params, s.x, s.index, s.rows, c->forward, &s.solve, &s.noise,
            c->y != NULL ? c->y + first * e->dim : NULL, c->l != NULL ? c->l + first : NULL, &counts);
    lam_tiles_keep(e, tile, status, &counts);
}

lam_status lam_tiles_transform(lam_engine *e, const real *params, const double *x, const size_t *index, size_t rows,
    int forward, const lam_flow_solve *solve, const lam_noise *noise, double *y, double *l, lam_counts *counts)
{
    if (rows == 0 || rows > e->options.max_rows || (noise != NULL && noise->given != NULL))
        return lam_fail(LAM_ERR_ARGUMENT, "step control by tile: %zu rows in an engine for %zu; its noise is always drawn", rows,
            e->options.max_rows);
    lam_engine_set_batch(e, rows);
    transform c = { .e = e, .params = params, .x = x, .index = index, .forward = forward, .solve = solve, .noise = noise, .y = y,
        .l = l };
    lam_engine_run(e, transform_tile, &c);
    return lam_tiles_finish(e, solve, counts);
}

lam_status lam_tiles_trajectories(lam_engine *e, const real *params, const double *x, size_t rows, size_t times,
    const lam_flow_solve *solve, double *states, lam_counts *counts)
{
    lam_engine_set_batch(e, rows);
    transform c = { .e = e, .params = params, .x = x, .solve = solve, .times = times, .states = states };
    lam_engine_run(e, transform_tile, &c);
    return lam_tiles_finish(e, solve, counts);
}
