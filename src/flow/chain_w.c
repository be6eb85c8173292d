/* The chain: a batch through all blocks, from data to base and back, and what that takes a block: its noise, its parameters, its solve,
 * and the sums of its gradient. */
#include "base/error.h"
#include "flow/apart.h"
#include "flow/context.h"
#include "flow/mask.h"
#include "flow/planes.h"
#include "flow/ranks.h"
#include "flow/tiles.h"
#include "ode/space.h"
#include <string.h>

/* ---- tiles -------------------------------------------------------------------------------------------------------- */

typedef struct each {
    lam_engine *e;
    lam_pool_fn fn;
    void *arg;
} each;

static void each_region(void *arg, size_t group, size_t thread)
{
    const each *a = arg;
    for (size_t tile = lam_batch_first_tile(&a->e->batch, group); tile < lam_batch_first_tile(&a->e->batch, group + 1); tile++)
        a->fn(a->arg, tile, thread);
}

void lam_engine_run(lam_engine *e, lam_pool_fn fn, void *arg)
{
    each a = { e, fn, arg };
    lam_batch_run(&e->batch, each_region, &a);
}

/* The chain's start: rows of the caller into planes; l and the integrals start at zero. */
typedef struct rows_in {
    lam_engine *e;
    const double *x;
    const size_t *index;
} rows_in;

static void load_tile(void *arg, size_t tile, size_t thread)
{
    (void)thread;
    const rows_in *in = arg;
    lam_engine *e = in->e;
    real *y = e->path[0]->y[0] + tile * e->rows * LAM_TILE;
    memset(y, 0, e->rows * LAM_TILE * sizeof(real));
    lam_planes_from_rows(&e->batch, tile, e->dim, in->x, in->index, y);
    lam_mask_apply(e, tile, 1, y);
}

/* Its end: z, and l. */
typedef struct rows_out {
    lam_engine *e;
    double *z, *l; /* [rows, dim], [rows]; NULL: not wanted */
} rows_out;

static void store_tile(void *arg, size_t tile, size_t thread)
{
    (void)thread;
    const rows_out *out = arg;
    lam_engine *e = out->e;
    const real *y = e->path[0]->y[0] + tile * e->rows * LAM_TILE;
    if (out->z != NULL)
        lam_planes_to_rows(&e->batch, tile, e->dim, y, e->dim, out->z);
    if (out->l != NULL)
        lam_planes_to_rows(&e->batch, tile, 1, y + e->dim * LAM_TILE, 1, out->l);
}

typedef struct draw {
    lam_engine *e;
    const lam_noise *noise;
} draw;

static void draw_tile(void *arg, size_t tile, size_t thread)
{
    const draw *call = arg;
    lam_engine *e = call->e;
    const lam_noise *n = call->noise;
    size_t rows = lam_batch_tile_rows(&e->batch, tile), d = e->dim, count = e->tangents * d;
    real *to = e->noise + e->noise_block * (e->options.gradients ? e->block : 0) + tile * count * LAM_TILE;
    double *draws = e->draws[thread];
    memset(to, 0, count * LAM_TILE * sizeof(real));
    for (size_t r = 0; r < rows; r++) {
        uint64_t row = tile * LAM_TILE + r;
        if (n->given == NULL && n->kind == LAM_DIV_GAUSSIAN)
            lam_random_normal_row(n->seed, n->purpose, n->stream * e->layout->blocks + e->block, n->first_row + row, draws, count);
        else if (n->given == NULL)
            lam_random_sign_row(n->seed, n->purpose, n->stream * e->layout->blocks + e->block, n->first_row + row, draws, count);
        for (size_t p = 0; p < e->tangents; p++)
            for (size_t i = 0; i < d; i++)
                to[(p * d + i) * LAM_TILE + r] = (real)(n->given == NULL
                        ? draws[p * d + i]
                        : n->given[(((e->block - n->given_first) * e->tangents + p) * e->batch.rows + row) * d + i]);
    }
    lam_mask_apply(e, tile, e->tangents, to);
}

/* ---- the chain forward -------------------------------------------------------------------------------------------- */

void lam_engine_draw(lam_engine *e, const lam_noise *noise, size_t block)
{
    e->block = block;
    if (e->options.trace != LAM_TRACE_HUTCHINSON)
        return;
    draw call = { e, noise };
    lam_engine_run(e, draw_tile, &call);
}

void lam_engine_load_block(lam_engine *e, size_t block)
{
    e->block = block;
    real beta = e->layout->beta == SIZE_MAX ? 1 : e->params[e->layout->beta];
    lam_field_load(&e->field, e->params + block * e->layout->field.parameters, beta);
}

/* Solves one block from path[slot]->y[0], leaving the observed states in e->out; end is 0 or T. */
lam_status lam_engine_solve_block(lam_engine *e, size_t block, const lam_flow_solve *solve, int forward, size_t observations,
    const double *times, lam_counts *counts)
{
    size_t at = e->options.gradients ? block : 0;
    lam_solve_options o = solve->solve;
    lam_solve_result result;
    lam_system system;
    double end = e->end[block];
    o.record = e->options.gradients && e->options.method == LAM_GRAD_STEPS; /* the adjoint keeps observed states alone */
    o.replay = e->frozen;
    o.errors = e->options.errors && o.record;
    if (o.first_step == LAM_STEP_WARM)
        o.first_step_size = solve->h_star != NULL ? solve->h_star[block] : 0;
    if (o.log != NULL)
        o.log->block = block;
    lam_cnf_system(e, solve->error_parts == LAM_ERROR_Z, &system);
    const lam_observations seen = { forward ? 0 : end, observations, times, e->out + at * e->observations };
    lam_status status = lam_solve(e->space, &e->batch, &system, &o, &seen, e->path[at], e->arena.size > 0 ? &e->arena : NULL, &result);
    counts->forward += result.calls;
    counts->untraced += e->apart || e->options.trace == LAM_TRACE_NONE ? result.calls : 0;
    counts->accepted += result.accepted;
    counts->rejected += result.rejected;
    counts->solves++;
    if (status != LAM_OK)
        return lam_fail_in(status, "block %zu of %zu", block + 1, e->layout->blocks);
    if (solve->h_star != NULL && solve->keep_h_star && result.h_star > 0)
        solve->h_star[block] = result.h_star;
    return LAM_OK;
}

lam_status lam_engine_load_rows(lam_engine *e, const lam_flow_call *call)
{
    if (e->tiles != NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "with step control by tile an engine gives log-densities, samples, paths and the loss; "
            "for a single field, or for half a loss, take step control by batch");
    if (call->rows == 0 || call->rows > e->options.max_rows)
        return lam_fail(LAM_ERR_ARGUMENT, "a batch of %zu rows, in an engine for 1 to %zu", call->rows, e->options.max_rows);
    if (e->am != NULL && e->am[0] == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "this field takes parameters from the rows, and none were given");
    lam_engine_set_batch(e, call->rows);
    e->params = call->params;
    rows_in in = { e, call->x, call->index };
    e->arena.used = 0;
    lam_mask_form(e);
    lam_engine_run(e, load_tile, &in);
    return lam_context_form(e, call->index);
}

static lam_status transform(lam_engine *e, const lam_flow_call *call, const void *ask, lam_flow_out *out)
{
    size_t blocks = e->layout->blocks, points = e->options.trace != LAM_TRACE_NONE ? call->solve->trace_points : 0;
    int forward = *(const int *)ask;
    if (points > e->options.trace_points)
        return lam_fail(LAM_ERR_ARGUMENT, "the trace at %zu points per block, of an engine for %zu", points, e->options.trace_points);
    LAM_TRY(lam_engine_load_rows(e, call));
    for (size_t i = 0; i < blocks; i++) {
        size_t block = forward ? i : blocks - 1 - i;
        double s = (double)call->params[e->layout->time + block], end = forward ? s * s : 0;
        e->end[block] = s * s;
        lam_engine_draw(e, call->noise, block);
        lam_engine_load_block(e, block);
        if (points > 0)
            LAM_TRY(lam_apart_solve_block(e, block, call->solve, forward, out->counts));
        else
            LAM_TRY(lam_engine_solve_block(e, block, call->solve, forward, 1, &end, out->counts));
        lam_batch_copy(&e->batch, e->rows * LAM_TILE * sizeof(real), e->out[points], e->path[0]->y[0]);
    }
    rows_out end = { e, out->row[0], out->row[1] };
    lam_engine_run(e, store_tile, &end);
    return LAM_OK;
}

lam_status lam_engine_transform(lam_engine *e, const lam_flow_call *call, int forward, double *y, double *l, lam_counts *counts)
{
    if (l != NULL && e->options.trace == LAM_TRACE_NONE)
        return lam_fail(LAM_ERR_ARGUMENT, "the log-density was asked of an engine without a trace");
    if (e->options.gradients && e->layout->blocks > 1)
        return lam_fail(LAM_ERR_ARGUMENT, "transform needs an engine without gradients");
    lam_flow_out out = { .row = { y, l }, .width = { e->dim, 1 }, .counts = counts };
    return lam_flow_run(e, call, transform, &forward, &out);
}

void lam_engine_clear_past(const lam_engine *e, size_t tile, size_t n, real *g)
{
    size_t rows = lam_batch_tile_rows(&e->batch, tile);
    for (size_t i = 0; rows < LAM_TILE && i < n; i++)
        memset(g + i * LAM_TILE + rows, 0, (LAM_TILE - rows) * sizeof *g);
}

/* ---- gradient sums ------------------------------------------------------------------------------------------------ */

static void clear_group(void *arg, size_t group, size_t thread)
{
    (void)thread;
    lam_engine *e = arg;
    memset(e->sums[group], 0, e->field.sum_size * sizeof(real));
}

void lam_engine_clear_sums(lam_engine *e)
{
    lam_batch_run(&e->batch, clear_group, e);
}

static void put_sum(const lam_engine *e, size_t block, const real *sum, real *grad)
{
    real beta_grad = 0;
    lam_field_collect(&e->field, sum, grad + block * e->layout->field.parameters, &beta_grad);
    if (e->layout->beta != SIZE_MAX)
        grad[e->layout->beta] += beta_grad;
}

lam_status lam_engine_collect(lam_engine *e, size_t block, real *grad)
{
    const real *sum;
    LAM_TRY(lam_ranks_collect(e, e->sums, block * e->field.sum_size, e->field.sum_size, &sum));
    if (sum != NULL)
        put_sum(e, block, sum, grad);
    else
        e->collected[e->waiting++] = block;
    return LAM_OK;
}

void lam_engine_collect_rest(lam_engine *e, real *grad)
{
    const real *sums = lam_ranks_exchange(e);
    for (size_t i = 0; sums != NULL && i < e->waiting; i++)
        put_sum(e, e->collected[i], sums + e->collected[i] * e->field.sum_size, grad);
    if (sums != NULL && e->context != NULL)
        lam_context_put(e, sums + e->layout->blocks * e->field.sum_size, grad);
    e->waiting = 0;
}

/* ---- trajectories ------------------------------------------------------------------------------------------------- */

typedef struct trajectories {
    lam_engine *e;
    size_t times;
    double *states; /* [rows, blocks * times + 1, dim] */
} trajectories;

/* The observed states of the block in hand. */
static void observe_tile(void *arg, size_t tile, size_t thread)
{
    (void)thread;
    const trajectories *t = arg;
    lam_engine *e = t->e;
    size_t d = e->dim, path = (e->layout->blocks * t->times + 1) * d;
    for (size_t k = 0; k < t->times; k++)
        lam_planes_to_rows(&e->batch, tile, d, e->out[k] + tile * e->rows * LAM_TILE, path,
            t->states + (1 + e->block * t->times + k) * d);
}

static lam_status follow(lam_engine *e, const lam_flow_call *call, const void *ask, lam_flow_out *out)
{
    size_t blocks = e->layout->blocks, times = *(const size_t *)ask, path = blocks * times + 1, d = e->dim;
    double *states = out->row[0];
    LAM_TRY(lam_engine_load_rows(e, call));
    for (size_t r = 0; r < call->rows; r++)
        memcpy(states + r * path * d, call->x + (call->index != NULL ? call->index[r] : r) * d, d * sizeof *states);
    trajectories t = { e, times, states };
    for (size_t block = 0; block < blocks; block++) {
        double s = (double)call->params[e->layout->time + block];
        e->end[block] = s * s;
        for (size_t k = 0; k < times; k++)
            e->times[k] = k + 1 == times ? s * s : s * s * (double)(k + 1) / (double)times;
        lam_engine_load_block(e, block);
        LAM_TRY(lam_engine_solve_block(e, block, call->solve, 1, times, e->times, out->counts));
        lam_engine_run(e, observe_tile, &t);
        lam_batch_copy(&e->batch, e->rows * LAM_TILE * sizeof(real), e->out[times - 1], e->path[0]->y[0]);
    }
    return LAM_OK;
}

lam_status lam_engine_trajectories(lam_engine *e, const lam_flow_call *call, size_t times, double *states, lam_counts *counts)
{
    if (times == 0 || (times > 1 && times > e->options.max_observations) || e->options.gradients || e->options.trace == LAM_TRACE_HUTCHINSON)
        return lam_fail(LAM_ERR_ARGUMENT, "trajectories at %zu times a block need an engine for as many, without gradients", times);
    lam_flow_out out = { .row = { states }, .width = { (e->layout->blocks * times + 1) * e->dim }, .counts = counts };
    return lam_flow_run(e, call, follow, &times, &out);
}
