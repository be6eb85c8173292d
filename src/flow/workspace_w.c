/* All memory of an engine: what is needed of each kind, and how much; made once, for the largest batch. */
#include "flow/context.h"
#include "flow/mask.h"
#include "base/error.h"
#include "base/mem.h"
#include "flow/ranks.h"
#include "flow/tiles.h"
#include "ode/quadrature.h"
#include "ode/space.h"
#include <string.h>

enum { MOST_NUMBERS = 64 }; /* in one message to other ranks: every penalty's, of some blocks */

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

lam_batch lam_engine_batch(const lam_engine *e, size_t rows)
{
    size_t tiles = (rows + LAM_TILE - 1) / LAM_TILE;
    return (lam_batch) { .pool = e->pool, .rows = rows, .tiles = tiles, .groups = groups_for(e, tiles), .lanes = e->kernels->lanes,
        .comm = e->options.comm };
}

void lam_engine_set_batch(lam_engine *e, size_t rows)
{
    e->batch = lam_engine_batch(e, rows);
    e->waiting = 0;
    lam_ranks_forget(e);
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

/* Times a block at which states are observed at most: the end, those of a penalty or of trajectories, or the trace's points and the end. */
static size_t most_observations(const lam_engine_options *o)
{
    size_t most = o->max_observations > 1 ? o->max_observations : 1;
    return o->trace_points >= most ? o->trace_points + 1 : most;
}

static lam_status allocate(lam_engine *e)
{
    const lam_engine_options *o = &e->options;
    size_t tiles = e->batch.tiles, times = e->observations, blocks = e->layout->blocks, plane = LAM_TILE * tiles;
    size_t kept = o->gradients ? blocks : 1, groups = e->batch.groups, threads = lam_pool_threads(e->pool);
    size_t rows = o->gradients && o->method == LAM_GRAD_ADJOINT && e->rows < 2 * e->dim ? 2 * e->dim : e->rows;
    LAM_TRY(lam_context_create(e));
    LAM_TRY(lam_mask_create(e));
    LAM_TRY(lam_ranks_create(e, MOST_NUMBERS));
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
        || (e->end_gradient = lam_alloc(blocks, sizeof(double))) == NULL
        || (e->collected = lam_alloc(blocks, sizeof *e->collected)) == NULL
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

_Static_assert(LAM_MAX_STAGES <= LAM_MAX_SLOTS, "a step's vector-Jacobian products have a slot each");

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
        || (e->vjps = lam_alloc(threads, sizeof *e->vjps)) == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < threads; i++)
        LAM_TRY(lam_vjps_init(&e->vjps[i], &e->amortised, stages));
    return LAM_OK;
}

/* What a context does not go with. */
static lam_status check_context(const lam_engine *e)
{
    const lam_engine_options *o = &e->options;
    if (e->layout->inputs > 0 && o->gradients && o->method == LAM_GRAD_ADJOINT)
        return lam_fail(LAM_ERR_UNSUPPORTED, "a conditional density has no continuous adjoint; take the gradient through the steps "
            "(gradient: steps)");
    if (e->layout->inputs > 0 && e->series.orders > 0 && e->layout->field.layer[0].has_gate)
        return lam_fail(LAM_ERR_UNSUPPORTED, "taylor-coefficient and layers with a gate (squash, concatsquash) do not go together in a "
            "conditional density; take another layer, or another penalty");
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
    if (options->trace_points > (options->gradients ? 0 : LAM_MAX_POINTS))
        return lam_fail(LAM_ERR_ARGUMENT, "an engine for the trace at %zu points per block%s", options->trace_points, options->gradients ? ", with gradients" : "");
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
    e->observations = most_observations(options);
    /* what comes from the rows meets every layer's tangents */
    int unit_seeds = options->trace == LAM_TRACE_EXACT && layout->field.layers > 1 && layout->field.row_parameters == 0
        && !has_integrand(options, LAM_SQUARE_TANGENTS); /* which wants whole columns of the Jacobian */
    e->series.orders = has_integrand(options, LAM_SQUARE_F_2) ? 2 : (size_t)has_integrand(options, LAM_SQUARE_F_1);
    lam_status status = lam_field_init(&e->field, &layout->field, kernels, e->chunk,
        e->chunks + (e->series.orders > 0), unit_seeds, LAM_MAX_SLOTS); /* a series is turned before the value, as a chunk is */
    if (status == LAM_OK) {
        lam_engine_set_batch(e, options->max_rows);
        status = check_context(e);
        if (status == LAM_OK)
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
    size_t times = most_observations(&e->options), kept = e->options.gradients ? e->layout->blocks : 1;
    lam_tiles_free(e);
    lam_context_free(e);
    lam_mask_free(e);
    lam_ranks_free(e);
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
    lam_free(e->end_gradient);
    lam_free(e->collected);
    lam_free(e->end);
    lam_free(e->arena.reals);
    for (size_t i = 0; e->draws != NULL && i < lam_pool_threads(e->pool); i++)
        lam_free(e->draws[i]);
    lam_free(e->draws);
    for (size_t i = 0; e->vjps != NULL && i < lam_pool_threads(e->pool); i++)
        lam_vjps_clear(&e->vjps[i]);
    lam_free(e->vjps);
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

lam_range lam_engine_own_rows(const lam_engine *e)
{
    return lam_batch_own_rows(&e->batch);
}

void lam_engine_share_rows(const lam_engine *e, double *values, size_t width)
{
    lam_batch_share_rows(&e->batch, values, width * sizeof *values);
}

const char *lam_engine_isa(const lam_engine *e)
{
    return e->kernels->isa;
}

/* The steps of a block; NULL: they are not kept. */
static lam_path *path_of(const lam_engine *e, size_t block)
{
    return e->path != NULL && block < (e->options.gradients ? e->layout->blocks : 1) ? e->path[block] : NULL;
}

size_t lam_engine_steps(const lam_engine *e, size_t block, const double **t, const double **h)
{
    const lam_path *path = path_of(e, block);
    if (path == NULL)
        return 0;
    *t = path->t;
    *h = path->h;
    return path->steps;
}

lam_status lam_engine_set_steps(lam_engine *e, size_t block, size_t n, const double *t, const double *h)
{
    lam_path *path = path_of(e, block);
    if (path == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "steps for block %zu, which this engine does not keep", block);
    LAM_TRY(lam_path_reserve(path, n, 1));
    memcpy(path->t, t, n * sizeof *t);
    memcpy(path->h, h, n * sizeof *h);
    path->steps = n;
    return LAM_OK;
}

void lam_engine_freeze(lam_engine *e, int freeze)
{
    e->frozen = freeze;
}
