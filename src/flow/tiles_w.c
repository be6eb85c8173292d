/* Solves each tile with steps of its own. */
#include "flow/tiles.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/sort.h"
#include "flow/sums.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* What a tile came to. */
typedef struct outcome {
    lam_status status;
    lam_counts counts;
    double sum[LAM_FLOW_MEANS]; /* over the tile's rows */
} outcome;

/* The text of a failure, which belongs to the thread that met it. */
typedef struct failure {
    char text[512];
} failure;

struct lam_tiles {
    size_t threads;
    lam_pool **pool;                /* [threads] of one thread each */
    lam_engine **engine;            /* [threads] for LAM_TILE rows */
    outcome *outcome;               /* [tiles] */
    failure *failure;               /* [tiles] of those that failed */
    double *h_star;                 /* [tiles][blocks] */
    double *sorted;                 /* [tiles] */
    real **tile_grad, **group_grad; /* [threads], [groups] of [parameters]; with gradients */
};

/* ---- memory --------------------------------------------------------------------------------------------------------- */

lam_status lam_tiles_create(lam_engine *e)
{
    struct lam_tiles *t = e->tiles = lam_alloc(1, sizeof *t);
    if (t == NULL)
        return LAM_ERR_MEMORY;
    t->threads = lam_pool_threads(e->pool);
    lam_engine_options o = e->options;
    o.control = LAM_CONTROL_BATCH;
    o.comm = NULL; /* a tile is one rank's */
    o.max_rows = o.max_rows < LAM_TILE ? o.max_rows : LAM_TILE;
    o.memory /= (double)t->threads;
    if ((t->pool = lam_alloc(t->threads, sizeof *t->pool)) == NULL
        || (t->engine = lam_alloc(t->threads, sizeof *t->engine)) == NULL
        || (t->outcome = lam_alloc(e->batch.tiles, sizeof *t->outcome)) == NULL
        || (t->failure = lam_alloc(e->batch.tiles, sizeof *t->failure)) == NULL
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
    lam_free(t->failure);
    lam_free(t->h_star);
    lam_free(t->sorted);
    lam_free(t);
}

/* ---- a pass, tile by tile ------------------------------------------------------------------------------------------- */

typedef struct tile_call {
    lam_engine *e;
    const lam_flow_call *call;
    lam_flow_pass *pass;
    const void *ask;
    lam_flow_out *out;
} tile_call;

/* Hands a tile's share of what the rows are conditional on to the thread's engine. */
static void share_condition(const tile_call *c, size_t first, lam_engine *own)
{
    lam_condition share = c->e->condition;
    if (c->e->layout->inputs == 0 || share.inputs == NULL)
        return;
    if (share.moves != NULL)
        share.moves += first * c->e->dim;
    if (c->call->index == NULL)
        share.inputs += first * c->e->layout->inputs;
    lam_engine_condition(own, &share);
}

/* The pass over a tile's share of the call; solve and noise are the tile's own. */
static lam_status run_share(const tile_call *c, size_t tile, size_t thread, lam_flow_out *out)
{
    const lam_engine *e = c->e;
    size_t first = tile * LAM_TILE, blocks = e->layout->blocks;
    lam_flow_call share = *c->call;
    lam_flow_solve solve = *share.solve;
    lam_noise noise;
    share.rows = lam_batch_tile_rows(&e->batch, tile);
    share.solve = &solve;
    if (share.index != NULL)
        share.index += first;
    else
        share.x += first * e->dim;
    if (solve.h_star != NULL)
        solve.h_star = memcpy(e->tiles->h_star + tile * blocks, solve.h_star, blocks * sizeof(double));
    if (share.noise != NULL) {
        noise = *share.noise;
        noise.first_row += first;
        share.noise = &noise;
    }
    share_condition(c, first, e->tiles->engine[thread]);
    return c->pass(e->tiles->engine[thread], &share, c->ask, out);
}

static void run_tile(const tile_call *c, size_t tile, size_t group, size_t thread)
{
    const lam_engine *e = c->e;
    struct lam_tiles *t = e->tiles;
    outcome *o = &t->outcome[tile];
    size_t first = tile * LAM_TILE, rows = lam_batch_tile_rows(&e->batch, tile);
    double share = (double)rows / (double)e->batch.rows;
    lam_flow_out out = *c->out;
    o->counts = (lam_counts) { 0 };
    out.counts = &o->counts;
    for (size_t i = 0; i < 2; i++)
        out.row[i] = out.row[i] != NULL ? out.row[i] + first * out.width[i] : NULL;
    out.g_x = out.g_x != NULL ? out.g_x + first * e->dim : NULL;
    out.grad = out.grad != NULL ? t->tile_grad[thread] : NULL;
    o->status = run_share(c, tile, thread, &out);
    if (o->status != LAM_OK)
        snprintf(t->failure[tile].text, sizeof t->failure[tile].text, "%s", lam_last_error());
    for (size_t i = 0; i < out.means; i++)
        o->sum[i] = (double)rows * out.mean[i];
    if (o->status != LAM_OK || out.grad == NULL)
        return;
    for (size_t i = 0; i < e->layout->parameters; i++)
        t->group_grad[group][i] += (real)share * out.grad[i];
    for (size_t i = 0; out.g_x != NULL && i < rows * e->dim; i++)
        out.g_x[i] *= share;
}

static void run_group(void *arg, size_t group, size_t thread)
{
    const tile_call *c = arg;
    const lam_batch *b = &c->e->batch;
    if (c->out->grad != NULL)
        memset(c->e->tiles->group_grad[group], 0, c->e->layout->parameters * sizeof(real));
    for (size_t tile = lam_batch_first_tile(b, group); tile < lam_batch_first_tile(b, group + 1); tile++)
        run_tile(c, tile, group, thread);
}

/* ---- what the tiles come to together ---------------------------------------------------------------------------------- */

static void join_h_star(const lam_engine *e, const lam_flow_solve *solve)
{
    struct lam_tiles *t = e->tiles;
    size_t tiles = e->batch.tiles, blocks = e->layout->blocks;
    for (size_t b = 0; solve->h_star != NULL && solve->keep_h_star && b < blocks; b++) {
        for (size_t i = 0; i < tiles; i++)
            t->sorted[i] = t->h_star[i * blocks + b];
        lam_sort_ascending(t->sorted, tiles);
        solve->h_star[b] = t->sorted[tiles / 2];
    }
}

static void join_counts(const lam_engine *e, lam_counts *counts)
{
    uint64_t *into[] = { &counts->forward, &counts->untraced, &counts->backward, &counts->recomputed, &counts->accepted, &counts->rejected };
    enum { COUNTS = sizeof into / sizeof into[0] };
    double sum[COUNTS] = { 0 };
    for (size_t i = 0; i < e->batch.tiles; i++) {
        const lam_counts *of = &e->tiles->outcome[i].counts;
        const uint64_t from[COUNTS] = { of->forward, of->untraced, of->backward, of->recomputed, of->accepted, of->rejected };
        for (size_t k = 0; k < COUNTS; k++)
            sum[k] += (double)from[k];
    }
    for (size_t i = 0; i < COUNTS; i++)
        *into[i] += (uint64_t)(sum[i] / (double)e->batch.tiles + 0.5);
    counts->solves += e->layout->blocks;
}

static lam_status join(const lam_engine *e, const lam_flow_solve *solve, lam_flow_out *out)
{
    const struct lam_tiles *t = e->tiles;
    size_t rows = e->batch.rows, tiles = e->batch.tiles;
    lam_batch_share_tiles(&e->batch, t->outcome, sizeof *t->outcome);
    lam_batch_share_tiles(&e->batch, t->h_star, e->layout->blocks * sizeof *t->h_star);
    for (size_t i = 0; i < tiles; i++)
        if (t->outcome[i].status != LAM_OK) {
            lam_batch_share_tiles(&e->batch, t->failure, sizeof *t->failure);
            return lam_fail(t->outcome[i].status, "tile %zu, rows %zu to %zu of the batch: %s", i + 1, i * LAM_TILE + 1,
                i * LAM_TILE + lam_batch_tile_rows(&e->batch, i), t->failure[i].text);
        }
    join_counts(e, out->counts);
    join_h_star(e, solve);
    for (size_t i = 0; i < tiles; i++)
        for (size_t q = 0; q < out->means; q++)
            out->mean[q] += t->outcome[i].sum[q] / (double)rows;
    if (out->grad == NULL)
        return LAM_OK;
    lam_sums_add(&e->batch, t->group_grad, e->layout->parameters);
    if (lam_comm_is_several(e->batch.comm))
        lam_sums_across(&e->batch, t->group_grad, e->layout->parameters, e->options.fast_sums, out->grad);
    else
        memcpy(out->grad, t->group_grad[0], e->layout->parameters * sizeof(real));
    return LAM_OK;
}

lam_status lam_flow_run(lam_engine *e, const lam_flow_call *call, lam_flow_pass *pass, const void *ask, lam_flow_out *out)
{
    if (e->tiles == NULL)
        return pass(e, call, ask, out);
    if (call->rows == 0 || call->rows > e->options.max_rows || (call->noise != NULL && call->noise->given != NULL))
        return lam_fail(LAM_ERR_ARGUMENT, "step control by tile: %zu rows in an engine for %zu; its noise is always drawn", call->rows,
            e->options.max_rows);
    lam_engine_set_batch(e, call->rows);
    tile_call c = { e, call, pass, ask, out };
    lam_batch_run(&e->batch, run_group, &c);
    return join(e, call->solve, out);
}
