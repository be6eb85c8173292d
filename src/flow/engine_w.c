#include "base/error.h"
#include "base/mem.h"
#include "flow/inside.h"
#include "flow/tiles.h"
#include "ode/space.h"
#include <math.h>
#include <string.h>

/* ---- creation ----------------------------------------------------------------------------------------------------- */

/* Groups depend on the batch and on the size of the sums that each group keeps: at most 64 MiB of them. */
static size_t groups_for(const lam_engine *e, size_t tiles)
{
    size_t most = LAM_MAX_GROUPS;
    if (e->options.gradients) {
        most = ((size_t)64 << 20) / (e->field.sum_size * sizeof(real));
        most = most > LAM_MAX_GROUPS ? LAM_MAX_GROUPS : most < 8 ? 8 : most;
    }
    return tiles < most ? tiles : most;
}

void lam_engine_set_batch(lam_engine *e, size_t rows)
{
    size_t tiles = (rows + LAM_TILE - 1) / LAM_TILE;
    e->batch = (lam_batch) { .pool = e->pool, .rows = rows, .tiles = tiles, .groups = groups_for(e, tiles),
        .lanes = e->kernels->lanes };
}

real **lam_arrays_alloc(size_t arrays, size_t reals)
{
    real **a = lam_alloc(arrays, sizeof *a);
    for (size_t i = 0; a != NULL && i < arrays; i++)
        if ((a[i] = lam_alloc(reals, sizeof(real))) == NULL) {
            while (i-- > 0)
                lam_free(a[i]);
            lam_free(a);
            return NULL;
        }
    return a;
}

void lam_arrays_free(real **a, size_t arrays)
{
    for (size_t i = 0; a != NULL && i < arrays; i++)
        lam_free(a[i]);
    lam_free(a);
}

static lam_status allocate(lam_engine *e)
{
    const lam_engine_options *o = &e->options;
    size_t tiles = e->batch.tiles, times = e->n_times, blocks = e->layout->blocks, plane = LAM_TILE * tiles;
    size_t kept = o->gradients ? blocks : 1, groups = e->batch.groups, threads = lam_pool_threads(e->pool);
    size_t rows = o->gradients && o->method == LAM_GRAD_ADJOINT && e->rows < 2 * e->dim ? 2 * e->dim : e->rows;
    LAM_TRY(lam_solver_space_create(e->kernels, e->pool, tiles, rows, e->field.record_size, &e->space));
    if ((e->path = lam_alloc(kept, sizeof *e->path)) == NULL)
        return LAM_ERR_MEMORY;
    for (size_t b = 0; b < kept; b++)
        LAM_TRY(lam_path_create(tiles, e->rows, times, &e->path[b]));
    if (o->trace == LAM_TRACE_HUTCHINSON) {
        e->noise_block = plane * e->tangents * e->dim;
        if ((e->noise = lam_alloc(kept, e->noise_block * sizeof(real))) == NULL
            || (e->draws = lam_alloc(threads, sizeof *e->draws)) == NULL)
            return LAM_ERR_MEMORY;
        for (size_t i = 0; i < threads; i++)
            if ((e->draws[i] = lam_alloc(e->tangents * e->dim, sizeof(double))) == NULL)
                return LAM_ERR_MEMORY;
    }
    if ((e->out = lam_arrays_alloc(kept * times, plane * e->rows)) == NULL || (e->tile_sum = lam_alloc(tiles, sizeof(double))) == NULL
        || (e->times = lam_alloc(blocks * times, sizeof(double))) == NULL
        || (e->end = lam_alloc(blocks, sizeof(double))) == NULL
        || (e->scratch = lam_arrays_alloc(threads, e->field.scratch_size)) == NULL
        || (e->sums = lam_arrays_alloc(o->gradients ? groups : 1, e->field.sum_size)) == NULL)
        return LAM_ERR_MEMORY;
    if (!o->gradients)
        return LAM_OK;
    if ((e->g_out = lam_arrays_alloc(times, plane * e->g_rows)) == NULL
        || (e->g_chain = lam_alloc(plane * e->g_rows, sizeof(real))) == NULL)
        return LAM_ERR_MEMORY;
    if (o->method == LAM_GRAD_ADJOINT)
        return lam_adjoint_create(e);
    e->arena.size = (size_t)(o->memory * 1048576.0 / sizeof(real));
    if (e->chunks > 1) /* records hold the last chunk alone: keeping them would save the value's pass only */
        e->arena.size = 0;
    if (e->arena.size > 0 && (e->arena.reals = lam_reserve(e->arena.size * sizeof(real))) == NULL)
        e->arena.size = 0;
    return LAM_OK;
}

_Static_assert(LAM_MAX_STAGES <= LAM_MAX_SLOTS, "a step's pulls have a slot each");

/* What fields with row parameters need; before allocate, as records grow. */
static lam_status amortise(lam_engine *e)
{
    const lam_engine_options *o = &e->options;
    size_t threads = lam_pool_threads(e->pool), stages = e->chunks > 1 ? 1 : LAM_MAX_STAGES;
    if (e->layout->field.row_parameters == 0)
        return LAM_OK;
    if (o->control == LAM_CONTROL_TILE || (o->gradients && o->method == LAM_GRAD_ADJOINT))
        return lam_fail(LAM_ERR_UNSUPPORTED, "a field with parameters from the rows has %s; take %s",
            o->control == LAM_CONTROL_TILE ? "no step control by tile" : "no continuous adjoint",
            o->control == LAM_CONTROL_TILE ? "that of the batch" : "the gradient through the steps");
    LAM_TRY(lam_amortised_init(&e->amortised, &e->field, e->series.orders));
    if ((e->am = lam_alloc(e->layout->blocks, sizeof *e->am)) == NULL
        || (e->g_am_begun = lam_alloc(e->batch.tiles, sizeof *e->g_am_begun)) == NULL
        || (e->pulls = lam_alloc(threads, sizeof *e->pulls)) == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < threads; i++)
        LAM_TRY(lam_pulls_init(&e->pulls[i], &e->amortised, stages));
    return LAM_OK;
}

/* What penalties on derivatives along the path need; it makes records grow too. */
static lam_status expand(lam_engine *e)
{
    lam_amortised_field *rows = e->layout->field.row_parameters > 0 ? &e->amortised : NULL;
    return e->series.orders == 0 ? LAM_OK : lam_series_init(&e->series, &e->field, rows, e->series.orders);
}

static int has_integrand(const lam_engine_options *o, lam_square of)
{
    for (size_t i = 0; i < o->integrands; i++)
        if (o->integrand[i]->of == of)
            return 1;
    return 0;
}

static lam_status check_penalties(const lam_engine_options *o)
{
    if (o->integrands == 0 && !o->l_observed)
        return LAM_OK;
    if (o->trace == LAM_TRACE_NONE || o->integrands > LAM_MAX_INTEGRANDS)
        return lam_fail(LAM_ERR_ARGUMENT, "penalties were asked of an engine without a trace, or more than %d of them",
            LAM_MAX_INTEGRANDS);
    if (o->gradients && o->method == LAM_GRAD_ADJOINT)
        return lam_fail(LAM_ERR_UNSUPPORTED,
            "the continuous adjoint has no reverse of %s; take the gradient through the steps (gradient: steps)",
            o->integrands > 0 ? o->integrand[0]->name : "a penalty on l");
    return LAM_OK;
}

lam_status lam_engine_create(const lam_layout *layout, lam_pool *pool, const lam_engine_options *options, lam_engine **out)
{
    const lam_kernels *kernels;
    LAM_TRY(check_penalties(options));
    LAM_TRY(lam_kernels_get(options->isa, &kernels));
    lam_engine *e = lam_alloc(1, sizeof *e);
    if (e == NULL)
        return LAM_ERR_MEMORY;
    e->layout = layout;
    e->kernels = kernels;
    e->pool = pool;
    e->options = *options;
    e->dim = layout->field.dim;
    e->rows = e->dim + (options->trace != LAM_TRACE_NONE) + options->integrands;
    e->g_rows = e->dim + (options->l_observed != 0);
    e->tangents = options->trace == LAM_TRACE_NONE ? 0 : options->trace == LAM_TRACE_EXACT ? e->dim : options->probes;
    e->chunk = e->tangents < LAM_CHUNK ? e->tangents : LAM_CHUNK;
    e->chunks = e->tangents == 0 ? 1 : (e->tangents + e->chunk - 1) / e->chunk;
    e->probe_weight = options->trace == LAM_TRACE_HUTCHINSON ? 1 / (double)options->probes : 1;
    e->n_times = options->max_times < 2 ? 1 : options->max_times;
    /* what comes from the rows meets every layer's tangents */
    int unit_seeds = options->trace == LAM_TRACE_EXACT && layout->field.layers > 1 && layout->field.row_parameters == 0
        && !has_integrand(options, LAM_SQUARE_TANGENTS); /* which wants whole columns of the Jacobian */
    e->series.orders = has_integrand(options, LAM_SQUARE_F_2) ? 2 : (size_t)has_integrand(options, LAM_SQUARE_F_1);
    lam_status status = lam_field_init(&e->field, &layout->field, kernels, e->chunk,
        e->chunks + (e->series.orders > 0), unit_seeds, LAM_MAX_SLOTS); /* a series is turned before the value, as a chunk is */
    if (status == LAM_OK) {
        lam_engine_set_batch(e, options->max_rows);
        status = amortise(e);
        if (status == LAM_OK)
            status = expand(e);
        if (status == LAM_OK)
            status = options->control == LAM_CONTROL_TILE ? lam_tiles_create(e) : allocate(e);
    }
    if (status != LAM_OK) {
        lam_engine_free(e);
        return status;
    }
    *out = e;
    return LAM_OK;
}

void lam_engine_free(lam_engine *e)
{
    if (e == NULL)
        return;
    lam_engine_set_batch(e, e->options.max_rows);
    size_t times = e->options.max_times < 2 ? 1 : e->options.max_times, kept = e->options.gradients ? e->layout->blocks : 1;
    lam_tiles_free(e);
    if (e->options.gradients && e->options.method == LAM_GRAD_ADJOINT)
        lam_adjoint_free(e);
    for (size_t b = 0; e->path != NULL && b < kept; b++)
        lam_path_free(e->path[b]);
    lam_free(e->path);
    lam_solver_space_free(e->space);
    lam_free(e->noise);
    lam_arrays_free(e->out, kept * times);
    lam_arrays_free(e->g_out, times);
    lam_arrays_free(e->scratch, lam_pool_threads(e->pool));
    lam_arrays_free(e->sums, e->options.gradients ? e->batch.groups : 1);
    lam_free(e->g_chain);
    lam_free(e->tile_sum);
    lam_free(e->times);
    lam_free(e->end);
    lam_free(e->arena.reals);
    for (size_t i = 0; e->draws != NULL && i < lam_pool_threads(e->pool); i++)
        lam_free(e->draws[i]);
    lam_free(e->draws);
    for (size_t i = 0; e->pulls != NULL && i < lam_pool_threads(e->pool); i++)
        lam_pulls_clear(&e->pulls[i]);
    lam_free(e->pulls);
    lam_free(e->am);
    lam_free(e->g_am_begun);
    lam_series_clear(&e->series);
    lam_amortised_clear(&e->amortised);
    lam_field_clear(&e->field);
    lam_free(e);
}

void lam_engine_amortise(lam_engine *e, const real *const *am)
{
    for (size_t b = 0; e->am != NULL && b < e->layout->blocks; b++)
        e->am[b] = am != NULL ? am[b] : NULL;
}

const char *lam_engine_isa(const lam_engine *e)
{
    return e->kernels->isa;
}

size_t lam_engine_steps(const lam_engine *e, size_t block, const double **t, const double **h)
{
    if (e->tiles != NULL || block >= (e->options.gradients ? e->layout->blocks : 1))
        return 0;
    *t = e->path[block]->t;
    *h = e->path[block]->h;
    return e->path[block]->steps;
}

lam_status lam_engine_set_steps(lam_engine *e, size_t block, size_t n, const double *t, const double *h)
{
    if (e->tiles != NULL || block >= (e->options.gradients ? e->layout->blocks : 1))
        return lam_fail(LAM_ERR_ARGUMENT, "steps for block %zu, which this engine does not keep", block);
    LAM_TRY(lam_path_reserve(e->path[block], n, 1));
    memcpy(e->path[block]->t, t, n * sizeof *t);
    memcpy(e->path[block]->h, h, n * sizeof *h);
    e->path[block]->steps = n;
    return LAM_OK;
}

void lam_engine_freeze(lam_engine *e, int freeze)
{
    e->frozen = freeze;
}

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
    lam_pool_run(e->pool, e->batch.groups, each_region, &a);
}

/* Rows of the caller into planes; l starts at zero. */
static void load_tile(void *arg, size_t tile, size_t thread)
{
    (void)thread;
    lam_engine *e = arg;
    size_t rows = lam_batch_tile_rows(&e->batch, tile), d = e->dim;
    real *y = e->path[0]->y[0] + tile * e->rows * LAM_TILE;
    memset(y, 0, e->rows * LAM_TILE * sizeof(real));
    for (size_t r = 0; r < rows; r++) {
        size_t row = tile * LAM_TILE + r;
        const double *x = e->in_rows + (e->in_index != NULL ? e->in_index[row] : row) * d;
        for (size_t i = 0; i < d; i++)
            y[i * LAM_TILE + r] = (real)x[i];
    }
}

static void store_tile(void *arg, size_t tile, size_t thread)
{
    (void)thread;
    lam_engine *e = arg;
    size_t rows = lam_batch_tile_rows(&e->batch, tile), d = e->dim;
    const real *y = e->path[0]->y[0] + tile * e->rows * LAM_TILE;
    for (size_t r = 0; r < rows; r++) {
        size_t row = tile * LAM_TILE + r;
        for (size_t i = 0; e->out_rows != NULL && i < d; i++)
            e->out_rows[row * d + i] = (double)y[i * LAM_TILE + r];
        if (e->out_l != NULL)
            e->out_l[row] = (double)y[d * LAM_TILE + r];
    }
}

static void draw_tile(void *arg, size_t tile, size_t thread)
{
    lam_engine *e = arg;
    const lam_noise *n = e->in_noise;
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
}

/* ---- the chain forward -------------------------------------------------------------------------------------------- */

void lam_engine_draw(lam_engine *e, const lam_noise *noise, size_t block)
{
    e->block = block;
    if (e->options.trace != LAM_TRACE_HUTCHINSON)
        return;
    e->in_noise = noise;
    lam_engine_run(e, draw_tile, e);
}

void lam_engine_take_block(lam_engine *e, size_t block)
{
    e->block = block;
    real beta = e->layout->beta == SIZE_MAX ? 1 : e->params[e->layout->beta];
    lam_field_load(&e->field, e->params + block * e->layout->field.parameters, beta);
}

/* Solves one block from path[slot]->y[0], leaving the observed states in e->out; end is 0 or T. */
lam_status lam_engine_solve_block(lam_engine *e, size_t block, const lam_flow_solve *solve, int forward, size_t n_times,
    const double *times, lam_counts *counts)
{
    size_t at = e->options.gradients ? block : 0;
    lam_solve_options o = solve->solve;
    lam_solve_result result;
    lam_system system;
    double end = e->end[block];
    o.record = e->options.gradients && e->options.method == LAM_GRAD_STEPS; /* the adjoint keeps observed states alone */
    o.replay = e->frozen;
    if (o.first_step == LAM_STEP_WARM)
        o.first_step_size = solve->h_star != NULL ? solve->h_star[block] : 0;
    lam_cnf_system(e, solve->error_parts == LAM_ERROR_Z, &system);
    lam_status status = lam_solve(e->space, &e->batch, &system, &o, forward ? 0 : end, forward ? end : 0, n_times, times,
        e->out + at * e->n_times, e->path[at], e->arena.size > 0 ? &e->arena : NULL, &result);
    counts->forward += result.calls;
    counts->accepted += result.accepted;
    counts->rejected += result.rejected;
    counts->solves++;
    if (status != LAM_OK)
        return lam_fail_in(status, "block %zu of %zu", block + 1, e->layout->blocks);
    if (solve->h_star != NULL && solve->keep_h_star && result.h_star > 0)
        solve->h_star[block] = result.h_star;
    return LAM_OK;
}

lam_status lam_engine_load_rows(lam_engine *e, const real *params, const double *x, const size_t *index, size_t rows)
{
    if (rows == 0 || rows > e->options.max_rows)
        return lam_fail(LAM_ERR_ARGUMENT, "a batch of %zu rows, in an engine for 1 to %zu", rows, e->options.max_rows);
    if (e->am != NULL && e->am[0] == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "this field takes parameters from the rows, and none were given");
    lam_engine_set_batch(e, rows);
    e->params = params;
    e->in_rows = x;
    e->in_index = index;
    e->arena.used = 0;
    lam_engine_run(e, load_tile, e);
    return LAM_OK;
}

lam_status lam_engine_transform(lam_engine *e, const real *params, const double *x, const size_t *index, size_t rows,
    int forward, const lam_flow_solve *solve, const lam_noise *noise, double *y, double *l, lam_counts *counts)
{
    size_t blocks = e->layout->blocks;
    if (l != NULL && e->options.trace == LAM_TRACE_NONE)
        return lam_fail(LAM_ERR_ARGUMENT, "the log-density was asked of an engine without a trace");
    if (e->tiles != NULL)
        return lam_tiles_transform(e, params, x, index, rows, forward, solve, noise, y, l, counts);
    LAM_TRY(lam_engine_load_rows(e, params, x, index, rows));
    for (size_t i = 0; i < blocks; i++) {
        size_t block = forward ? i : blocks - 1 - i, at = e->options.gradients ? block : 0;
        double s = (double)params[e->layout->time + block], end = forward ? s * s : 0;
        e->end[block] = s * s;
        if (at != 0)
            return lam_fail(LAM_ERR_ARGUMENT, "transform needs an engine without gradients");
        lam_engine_draw(e, noise, block);
        lam_engine_take_block(e, block);
        LAM_TRY(lam_engine_solve_block(e, block, solve, forward, 1, &end, counts));
        memcpy(e->path[0]->y[0], e->out[0], e->batch.tiles * e->rows * LAM_TILE * sizeof(real));
    }
    e->out_rows = y;
    e->out_l = l;
    lam_engine_run(e, store_tile, e);
    return LAM_OK;
}

void lam_engine_clear_past(const lam_engine *e, size_t tile, size_t n, real *g)
{
    size_t rows = lam_batch_tile_rows(&e->batch, tile);
    for (size_t i = 0; rows < LAM_TILE && i < n; i++)
        memset(g + i * LAM_TILE + rows, 0, (LAM_TILE - rows) * sizeof *g);
}

/* ---- gradient sums ------------------------------------------------------------------------------------------------ */

/* The groups' sums added in group order, a slice of the parameters an item. */
enum { SLICE = 4096 };

static void add_groups(void *arg, size_t item, size_t thread)
{
    (void)thread;
    lam_engine *e = arg;
    size_t from = item * SLICE, left = e->field.sum_size - from, n = left < SLICE ? left : SLICE;
    for (size_t g = 1; g < e->batch.groups; g++)
        for (size_t i = from; i < from + n; i++)
            e->sums[0][i] += e->sums[g][i];
}

static void clear_group(void *arg, size_t group, size_t thread)
{
    (void)thread;
    lam_engine *e = arg;
    memset(e->sums[group], 0, e->field.sum_size * sizeof(real));
}

void lam_engine_clear_sums(lam_engine *e)
{
    lam_pool_run(e->pool, e->batch.groups, clear_group, e);
}

void lam_engine_collect(lam_engine *e, size_t block, real *grad)
{
    real beta_grad = 0;
    lam_pool_run(e->pool, (e->field.sum_size + SLICE - 1) / SLICE, add_groups, e);
    lam_field_collect(&e->field, e->sums[0], grad + block * e->layout->field.parameters, &beta_grad);
    if (e->layout->beta != SIZE_MAX)
        grad[e->layout->beta] += beta_grad;
}

/* ---- trajectories ------------------------------------------------------------------------------------------------- */

/* The observed states of the block in hand into out_rows [rows, blocks * times + 1, dim]. */
static void observe_tile(void *arg, size_t tile, size_t thread)
{
    (void)thread;
    lam_engine *e = arg;
    size_t rows = lam_batch_tile_rows(&e->batch, tile), d = e->dim, path = e->layout->blocks * e->out_times + 1;
    for (size_t k = 0; k < e->out_times; k++) {
        const real *y = e->out[k] + tile * e->rows * LAM_TILE;
        for (size_t r = 0; r < rows; r++) {
            double *to = e->out_rows + ((tile * LAM_TILE + r) * path + 1 + e->block * e->out_times + k) * d;
            for (size_t i = 0; i < d; i++)
                to[i] = (double)y[i * LAM_TILE + r];
        }
    }
}

lam_status lam_engine_trajectories(lam_engine *e, const real *params, const double *x, size_t rows, size_t times,
    const lam_flow_solve *solve, double *states, lam_counts *counts)
{
    size_t blocks = e->layout->blocks, path = blocks * times + 1, d = e->dim;
    if (times == 0 || (times > 1 && times > e->options.max_times) || e->options.gradients || e->options.trace == LAM_TRACE_HUTCHINSON)
        return lam_fail(LAM_ERR_ARGUMENT, "trajectories at %zu times a block need an engine for as many, without gradients", times);
    if (e->tiles != NULL)
        return lam_tiles_trajectories(e, params, x, rows, times, solve, states, counts);
    LAM_TRY(lam_engine_load_rows(e, params, x, NULL, rows));
    for (size_t r = 0; r < rows; r++)
        memcpy(states + r * path * d, x + r * d, d * sizeof *states);
    e->out_rows = states;
    e->out_times = times;
    for (size_t block = 0; block < blocks; block++) {
        double s = (double)params[e->layout->time + block];
        e->end[block] = s * s;
        for (size_t k = 0; k < times; k++)
            e->times[k] = k + 1 == times ? s * s : s * s * (double)(k + 1) / (double)times;
        lam_engine_take_block(e, block);
        LAM_TRY(lam_engine_solve_block(e, block, solve, 1, times, e->times, counts));
        lam_engine_run(e, observe_tile, e);
        memcpy(e->path[0]->y[0], e->out[times - 1], e->batch.tiles * e->rows * LAM_TILE * sizeof(real));
    }
    return LAM_OK;
}
