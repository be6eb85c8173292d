/* The net that turns given columns into biases of the hidden layers, and its reverse. */
#include "flow/context.h"
#include "base/error.h"
#include "base/mem.h"
#include "flow/planes.h"
#include "flow/ranks.h"
#include <string.h>

struct lam_context {
    lam_field field;
    size_t lines;  /* of all blocks */
    real **record; /* [tiles] of the net */
    /* with gradients */
    real **cotangent; /* [tiles] of [lines][TILE] */
    real **scratch;   /* [threads] of the net's reverse, and behind it the cotangents of its inputs */
    real **sums;      /* [groups] */
};

lam_status lam_context_create(lam_engine *e)
{
    const lam_layout *l = e->layout;
    if (l->inputs == 0)
        return LAM_OK;
    struct lam_context *c = e->context = lam_alloc(1, sizeof *c);
    if (c == NULL)
        return LAM_ERR_MEMORY;
    LAM_TRY(lam_field_init(&c->field, &l->context, e->kernels, 0, 1, 0, 1));
    c->lines = l->context.layer[l->context.layers - 1].out;
    if ((c->record = lam_arrays_alloc(e->batch.tiles, c->field.record_size)) == NULL)
        return LAM_ERR_MEMORY;
    if (!e->options.gradients)
        return LAM_OK;
    c->cotangent = lam_arrays_alloc(e->batch.tiles, c->lines * LAM_TILE);
    c->scratch = lam_arrays_alloc(lam_pool_threads(e->pool), c->field.scratch_size + l->inputs * LAM_TILE);
    c->sums = lam_arrays_alloc(e->batch.groups, c->field.sum_size);
    return c->cotangent != NULL && c->scratch != NULL && c->sums != NULL ? LAM_OK : LAM_ERR_MEMORY;
}

void lam_context_free(lam_engine *e)
{
    struct lam_context *c = e->context;
    if (c == NULL)
        return;
    lam_arrays_free(c->record, e->batch.tiles);
    lam_arrays_free(c->cotangent, e->batch.tiles);
    lam_arrays_free(c->scratch, lam_pool_threads(e->pool));
    lam_arrays_free(c->sums, e->batch.groups);
    lam_field_clear(&c->field);
    lam_free(c);
}

void lam_engine_condition(lam_engine *e, const lam_condition *condition)
{
    e->condition = *condition;
}

/* ---- forward ------------------------------------------------------------------------------------------------------ */

typedef struct forming {
    lam_engine *e;
    const size_t *index;
} forming;

static void form_tile(void *arg, size_t tile, size_t thread)
{
    (void)thread;
    const forming *f = arg;
    lam_engine *e = f->e;
    real *record = e->context->record[tile];
    memset(record, 0, e->layout->inputs * LAM_TILE * sizeof *record);
    lam_planes_from_rows(&e->batch, tile, e->layout->inputs, e->condition.inputs, f->index, record);
    lam_field_forward(&e->context->field, &(lam_chunk) { .vectors = lam_batch_vectors(&e->batch, tile), .with_value = 1 }, record);
}

lam_status lam_context_form(lam_engine *e, const size_t *index)
{
    forming f = { e, index };
    if (e->context == NULL)
        return LAM_OK;
    if (e->condition.inputs == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "this flow is conditional, and nothing was given that it is conditional on");
    lam_field_load(&e->context->field, e->params + e->layout->context_at, 1);
    lam_field_prepare(&e->context->field, 0, 0);
    lam_engine_run(e, form_tile, &f);
    return LAM_OK;
}

static size_t block_at(const lam_engine *e)
{
    return e->layout->context_shared ? 0 : e->block * e->layout->field.context_lines * LAM_TILE;
}

const real *lam_context_lines(const lam_engine *e, size_t tile)
{
    return e->context == NULL ? NULL : lam_field_output(&e->context->field, e->context->record[tile]) + block_at(e);
}

/* ---- reverse ------------------------------------------------------------------------------------------------------ */

static void clear_tile(void *arg, size_t tile, size_t thread)
{
    (void)thread;
    const struct lam_context *c = arg;
    memset(c->cotangent[tile], 0, c->lines * LAM_TILE * sizeof(real));
}

void lam_context_start(lam_engine *e)
{
    if (e->context != NULL)
        lam_engine_run(e, clear_tile, e->context);
}

real *lam_context_cotangent(const lam_engine *e, size_t tile)
{
    return e->context == NULL || e->context->cotangent == NULL ? NULL : e->context->cotangent[tile] + block_at(e);
}

static void reverse_group(void *arg, size_t group, size_t thread)
{
    lam_engine *e = arg;
    struct lam_context *c = e->context;
    lam_chunk ch = { .with_value = 1, .first_chunk = 1 };
    real *scratch = c->scratch[thread], *g = lam_field_cotangent(&c->field, &ch, scratch);
    memset(c->sums[group], 0, c->field.sum_size * sizeof(real));
    for (size_t tile = lam_batch_first_tile(&e->batch, group); tile < lam_batch_first_tile(&e->batch, group + 1); tile++) {
        memcpy(g, c->cotangent[tile], c->lines * LAM_TILE * sizeof *g);
        lam_engine_clear_past(e, tile, c->lines, g);
        ch.vectors = lam_batch_vectors(&e->batch, tile);
        lam_field_reverse(&c->field, &ch, c->record[tile], scratch, c->sums[group], scratch + c->field.scratch_size);
    }
}

size_t lam_context_sum_size(const lam_engine *e)
{
    return e->context != NULL ? e->context->field.sum_size : 0;
}

void lam_context_put(const lam_engine *e, const real *sum, real *grad)
{
    real no_beta = 0;
    lam_field_collect(&e->context->field, sum, grad + e->layout->context_at, &no_beta);
}

lam_status lam_context_reverse(lam_engine *e, real *grad)
{
    struct lam_context *c = e->context;
    const real *sum;
    if (c == NULL)
        return LAM_OK;
    lam_batch_run(&e->batch, reverse_group, e);
    LAM_TRY(lam_ranks_collect(e, c->sums, e->layout->blocks * e->field.sum_size, c->field.sum_size, &sum));
    if (sum != NULL)
        lam_context_put(e, sum, grad);
    return LAM_OK;
}
