/* The loss of flow matching and its gradient; no ODE is solved. */
#include "penalty/matching.h"
#include "base/error.h"
#include "base/mem.h"
#include "flow/context.h"
#include "flow/mask.h"
#include "flow/planes.h"
#include "flow/ranks.h"
#include "ode/space.h"
#include "penalty/pairing.h"
#include <math.h>
#include <string.h>

struct lam_matcher {
    lam_engine *engine;
    size_t looks;              /* at each row, of the batch in hand */
    real *x, *noise;           /* [tiles][dim][TILE]; [looks][tiles][dim][TILE] */
    double **space;            /* [threads] rows of a tile, its noise, and the cost of each pair */
    const lam_flow_call *call;
    const lam_matching *matching;
    double time;               /* T of the block in hand */
    double share[LAM_MAX_SLOTS]; /* t / T of the look in hand, a slot */
    size_t slots, look;
};

static size_t looks_of(size_t tiles)
{
    return tiles >= LAM_MATCHING_TIMES ? 1 : (LAM_MATCHING_TIMES + tiles - 1) / tiles;
}

lam_status lam_matcher_create(const lam_layout *layout, lam_pool *pool, const lam_engine_options *o, lam_matcher **out)
{
    const lam_engine_options options = { .max_rows = o->max_rows, .trace = LAM_TRACE_NONE, .gradients = 1, .isa = o->isa, .comm = o->comm,
        .fast_sums = o->fast_sums };
    size_t max_rows = o->max_rows;
    size_t tiles = (max_rows + LAM_TILE - 1) / LAM_TILE, threads = lam_pool_threads(pool), d = layout->field.dim;
    size_t most = tiles < 2 * LAM_MATCHING_TIMES ? 2 * LAM_MATCHING_TIMES : tiles; /* tiles times looks, of smaller batches too */
    if (layout->field.row_parameters > 0)
        return lam_fail(LAM_ERR_UNSUPPORTED, "flow matching starts densities: a posterior has no rows of z to match; leave it out");
    lam_matcher *m = lam_alloc(1, sizeof *m);
    if (m == NULL)
        return LAM_ERR_MEMORY;
    lam_status status = lam_engine_create(layout, pool, &options, &m->engine);
    int ok = status == LAM_OK && (m->x = lam_alloc(tiles * d * LAM_TILE, sizeof(real))) != NULL
        && (m->noise = lam_alloc(most * d * LAM_TILE, sizeof(real))) != NULL
        && (m->space = lam_alloc(threads, sizeof *m->space)) != NULL;
    for (size_t i = 0; ok && i < threads; i++)
        ok = (m->space[i] = lam_alloc(LAM_PAIRED * (2 * d + LAM_PAIRED), sizeof(double))) != NULL;
    if (!ok) {
        lam_matcher_free(m);
        return status != LAM_OK ? status : LAM_ERR_MEMORY;
    }
    *out = m;
    return LAM_OK;
}

void lam_matcher_free(lam_matcher *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; m->space != NULL && i < lam_pool_threads(m->engine->pool); i++)
        lam_free(m->space[i]);
    lam_free(m->space);
    lam_free(m->x);
    lam_free(m->noise);
    lam_engine_free(m->engine);
    lam_free(m);
}

/* ---- rows and their noise ----------------------------------------------------------------------------------------- */

_Static_assert((int)LAM_PAIRED == (int)LAM_TILE, "a tile is a group of pairs");

/* The noise to[i] of row i, such that the sum of squared distances between x [rows, dim] and noise [rows, dim] is least; cost is room
 * for [rows, rows]. Distances too large for a double count as one large distance: pairing wants finite costs. */
static void pair(size_t rows, size_t d, const double *x, const double *noise, double *cost, size_t *to)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < rows; j++) {
            double sum = 0;
            for (size_t k = 0; k < d; k++) {
                double distance = noise[j * d + k] - x[i * d + k];
                sum += distance * distance;
            }
            cost[i * rows + j] = fmin(sum, 1e300);
        }
    lam_pairing(rows, cost, to);
}

/* Planes of a tile's rows, and of the noise that each look pairs them with; zeros past the batch. */
static void draw_tile(void *arg, size_t tile, size_t thread)
{
    lam_matcher *m = arg;
    const lam_engine *e = m->engine;
    size_t d = e->dim, rows = lam_batch_tile_rows(&e->batch, tile), to[LAM_PAIRED], plane = d * LAM_TILE;
    double *x = m->space[thread], *noise = x + LAM_PAIRED * d, *cost = noise + LAM_PAIRED * d;
    real *planes = m->x + tile * plane;
    memset(planes, 0, plane * sizeof(real));
    lam_planes_from_rows(&e->batch, tile, d, m->call->x, m->call->index, planes);
    lam_mask_apply(e, tile, 1, planes);
    for (size_t r = 0; r < rows; r++) {
        size_t row = tile * LAM_TILE + r;
        memcpy(x + r * d, m->call->x + (m->call->index != NULL ? m->call->index[row] : row) * d, d * sizeof(double));
    }
    for (size_t look = 0; look < m->looks; look++) {
        for (size_t r = 0; r < rows; r++) {
            to[r] = r;
            lam_random_normal_row(m->matching->seed, LAM_DRAW_MATCH, m->matching->stream * LAM_MATCHING_TIMES + look, tile * LAM_TILE + r,
                noise + r * d, d);
        }
        if (m->matching->paired)
            pair(rows, d, x, noise, cost, to);
        planes = m->noise + (look * e->batch.tiles + tile) * plane;
        memset(planes, 0, plane * sizeof(real));
        for (size_t r = 0; r < rows; r++)
            for (size_t i = 0; i < d; i++)
                planes[i * LAM_TILE + r] = (real)noise[to[r] * d + i];
        lam_mask_apply(e, tile, 1, planes);
    }
}

/* ---- the loss and its gradient ------------------------------------------------------------------------------------- */

static void match_tile(lam_matcher *m, size_t tile, size_t group, size_t thread)
{
    lam_engine *e = m->engine;
    size_t plane = e->dim * LAM_TILE, rows = lam_batch_tile_rows(&e->batch, tile), slot = tile % m->slots;
    size_t blocks = e->layout->blocks;
    const lam_chunk ch = { .slot = slot, .vectors = lam_batch_vectors(&e->batch, tile), .with_value = 1, .first_chunk = 1,
        .context = lam_context_lines(e, tile), .g_context = lam_context_cotangent(e, tile) };
    real *scratch = e->space->thread[thread], *record = scratch + e->space->at_records, *sums = scratch + e->space->at_sums;
    double s = ((double)e->block + m->share[slot]) / (double)blocks, speed = 1 / ((double)blocks * m->time);
    double weight = 1 / ((double)(blocks * m->looks) * lam_mask_entries(e));
    const real *x = m->x + tile * plane, *noise = m->noise + (m->look * e->batch.tiles + tile) * plane;
    const real *ends[2] = { x, noise }, there[2] = { (real)(1 - s), (real)s };
    e->kernels->combine(plane, record, NULL, 2, there, ends);
    lam_field_forward(&e->field, &ch, record);
    lam_mask_apply(e, tile, 1, lam_field_output(&e->field, record));
    /* the cotangent 2 weight (f - target); the loss is its square over 4 weight */
    real *g = lam_field_cotangent(&e->field, &ch, e->scratch[thread]);
    const real *terms[3] = { lam_field_output(&e->field, record), noise, x };
    const real factor[3] = { (real)(2 * weight), (real)(-2 * weight * speed), (real)(2 * weight * speed) };
    e->kernels->combine(plane, g, NULL, 3, factor, terms);
    lam_engine_clear_past(e, tile, e->dim, g);
    memset(sums, 0, LAM_TILE * sizeof *sums);
    e->kernels->column_dots(e->dim, g, g, (real)(0.25 / weight), sums);
    for (size_t r = 0; r < rows; r++)
        e->tile_sum[tile] += (double)sums[r];
    lam_field_reverse(&e->field, &ch, record, e->scratch[thread], e->sums[group], scratch + e->space->at_gin);
}

static void match_group(void *arg, size_t group, size_t thread)
{
    lam_matcher *m = arg;
    const lam_batch *b = &m->engine->batch;
    for (size_t tile = lam_batch_first_tile(b, group); tile < lam_batch_first_tile(b, group + 1); tile++)
        match_tile(m, tile, group, thread);
}

/* Times of a look. Those of all looks at the block are evenly spaced from one draw on, around the end of [0, T) to its beginning:
 * with a stratum of its own for every tile a short last tile, or a slot with more tiles than the others, would favour some times. */
static void set_times(lam_matcher *m)
{
    lam_engine *e = m->engine;
    double first = lam_random_uniform(m->matching->seed, LAM_DRAW_MATCH_TIME, m->matching->stream, e->block);
    for (size_t i = 0; i < m->slots; i++) {
        double share = first + (double)(i * m->looks + m->look) / (double)(m->slots * m->looks);
        m->share[i] = share < 1 ? share : share - 1;
        lam_field_prepare(&e->field, i, (real)(m->share[i] * m->time));
    }
}

lam_status lam_matching_loss(lam_matcher *m, const lam_flow_call *call, const lam_matching *matching, real *grad, double *loss,
    lam_counts *counts)
{
    lam_engine *e = m->engine;
    *loss = 0;
    if (call->rows == 0 || call->rows > e->options.max_rows)
        return lam_fail(LAM_ERR_ARGUMENT, "a batch of %zu rows, where 1 to %zu were expected", call->rows, e->options.max_rows);
    lam_engine_set_batch(e, call->rows);
    e->params = call->params;
    m->call = call;
    m->matching = matching;
    m->looks = looks_of(e->batch.tiles);
    m->slots = e->batch.tiles < LAM_MAX_SLOTS ? e->batch.tiles : LAM_MAX_SLOTS;
    if (matching->condition != NULL)
        lam_engine_condition(e, matching->condition);
    lam_mask_form(e);
    lam_engine_run(e, draw_tile, m);
    LAM_TRY(lam_context_form(e, call->index));
    lam_context_start(e);
    memset(grad, 0, e->layout->parameters * sizeof(real));
    memset(e->tile_sum, 0, e->batch.tiles * sizeof *e->tile_sum);
    for (size_t b = 0; b < e->layout->blocks; b++) {
        double end = (double)call->params[e->layout->time + b];
        m->time = end * end;
        lam_engine_load_block(e, b);
        lam_engine_clear_sums(e);
        for (m->look = 0; m->look < m->looks; m->look++) {
            set_times(m);
            lam_batch_run(&e->batch, match_group, m);
        }
        LAM_TRY(lam_engine_collect(e, b, grad));
        counts->forward += m->looks;
        counts->backward += m->looks;
    }
    LAM_TRY(lam_context_reverse(e, grad));
    lam_ranks_add(e, 1, 1, loss);
    lam_ranks_settle(e);
    lam_engine_collect_rest(e, grad);
    return isfinite(*loss) ? LAM_OK : lam_fail(LAM_ERR_DIVERGED, "the flow-matching loss is not finite; lower lr or set clip");
}
