/* The loss with step control by tile: the mean over rows of what the tiles come to on their own. */
#include "flow/tiles.h"
#include "base/error.h"
#include "flow/sums.h"
#include "penalty/loss.h"
#include <string.h>

_Static_assert(2 + (int)LAM_MAX_TERMS <= (int)LAM_TILE_SUMS, "a tile keeps the loss, the NLL and every term");

typedef struct loss_call {
    lam_engine *e;
    const real *params;
    const double *x;
    const size_t *index;
    const lam_flow_solve *solve;
    const lam_noise *noise;
    const lam_penalty *penalty;
    int gradient;
    double *grad_x;
} loss_call;

static void loss_tile(const loss_call *c, size_t tile, size_t group, size_t thread)
{
    lam_engine *e = c->e;
    struct lam_tiles *t = e->tiles;
    lam_tile_share s = lam_tiles_share(e, tile, c->x, c->index, c->solve, c->noise);
    lam_loss loss = { 0 };
    lam_tiles_condition(e, tile, thread, c->index);
    double *grad_x = c->grad_x != NULL ? c->grad_x + tile * LAM_TILE * e->dim : NULL;
    lam_status status = lam_engine_loss(t->engine[thread], c->params, s.x, s.index, s.rows, &s.solve, &s.noise, c->penalty,
        c->gradient ? t->tile_grad[thread] : NULL, grad_x, &loss);
    double rows = (double)s.rows, share = rows / (double)e->batch.rows;
    lam_tiles_keep(e, tile, status, &loss.counts);
    double *sum = t->outcome[tile].sum;
    sum[0] = rows * loss.loss;
    sum[1] = rows * loss.nll;
    for (size_t i = 0; i < loss.terms.n; i++)
        sum[2 + i] = rows * loss.terms.term[i].value;
    if (status != LAM_OK || !c->gradient)
        return;
    const real *from = t->tile_grad[thread];
    real *to = t->group_grad[group];
    for (size_t i = 0; i < e->layout->parameters; i++)
        to[i] += (real)share * from[i];
    for (size_t i = 0; grad_x != NULL && i < s.rows * e->dim; i++)
        grad_x[i] *= share;
}

static void loss_group(void *arg, size_t group, size_t thread)
{
    const loss_call *c = arg;
    const lam_batch *b = &c->e->batch;
    if (c->gradient)
        memset(c->e->tiles->group_grad[group], 0, c->e->layout->parameters * sizeof(real));
    for (size_t tile = lam_batch_first_tile(b, group); tile < lam_batch_first_tile(b, group + 1); tile++)
        loss_tile(c, tile, group, thread);
}

lam_status lam_tiles_loss(lam_engine *e, const real *params, const double *x, const size_t *index, size_t rows,
    const lam_flow_solve *solve, const lam_noise *noise, const lam_penalty *penalty, real *grad, double *grad_x, lam_loss *loss)
{
    if (rows == 0 || rows > e->options.max_rows || (noise != NULL && noise->given != NULL))
        return lam_fail(LAM_ERR_ARGUMENT, "step control by tile: %zu rows in an engine for %zu; its noise is always drawn", rows,
            e->options.max_rows);
    lam_engine_set_batch(e, rows);
    loss_call c = { e, params, x, index, solve, noise, penalty, grad != NULL, grad_x };
    lam_pool_run(e->pool, e->batch.groups, loss_group, &c);
    LAM_TRY(lam_tiles_finish(e, solve, &loss->counts));
    for (size_t i = 0; i < e->batch.tiles; i++) {
        const double *sum = e->tiles->outcome[i].sum;
        loss->loss += sum[0] / (double)rows;
        loss->nll += sum[1] / (double)rows;
        for (size_t q = 0; q < loss->terms.n; q++)
            loss->terms.term[q].value += sum[2 + q] / (double)rows;
    }
    if (grad == NULL)
        return LAM_OK;
    lam_sums_add(e->pool, e->tiles->group_grad, e->batch.groups, e->layout->parameters);
    memcpy(grad, e->tiles->group_grad[0], e->layout->parameters * sizeof *grad);
    return LAM_OK;
}
