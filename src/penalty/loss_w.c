/* The training loss (method.md (5)) and its gradient through the steps taken: the chain there and back, -log N(z) at its end, and the
 * penalties, of which this file knows the list alone (penalty_w.c). */
#include "base/error.h"
#include "flow/base_density.h"
#include "flow/context.h"
#include "flow/mask.h"
#include "flow/planes.h"
#include "flow/ranks.h"
#include "flow/tiles.h"
#include "ode/space.h"
#include "penalty/loss.h"
#include "penalty/observed.h"
#include "penalty/solver_error.h"
#include "penalty/steer.h"
#include "penalty/tpr.h"
#include <math.h>
#include <string.h>

static const lam_penalty NONE;

/* A loss in hand. */
typedef struct loss_run {
    lam_engine *e;
    const lam_flow_solve *solve;
    const lam_penalty *penalty;
    int weighs; /* 1: penalties on the observed states of the block in hand have left cotangents in e->g_out */
} loss_run;

static real *observed(const lam_engine *e, size_t block, size_t time)
{
    return e->out[block * e->observations + time];
}

/* ---- the pieces of the loss, a tile at a time --------------------------------------------------------------------- */

/* sum over rows of -log p = -log N(z) + l, (3), and the cotangents of z and l. */
static void base_tile(void *arg, size_t tile, size_t thread)
{
    (void)thread;
    lam_engine *e = arg;
    size_t rows = lam_batch_tile_rows(&e->batch, tile), d = e->dim, last = e->observations - 1;
    const real *y = observed(e, e->layout->blocks - 1, last) + tile * e->rows * LAM_TILE;
    real *g = e->g_chain != NULL ? e->g_chain + tile * e->g_rows * LAM_TILE : NULL;
    if (g != NULL)
        memset(g, 0, e->g_rows * LAM_TILE * sizeof(real));
    double sum = lam_base_tile(e, tile, y, g);
    for (size_t r = 0; r < rows; r++) {
        sum += (double)y[d * LAM_TILE + r];
        if (g != NULL && e->g_rows > d)
            g[d * LAM_TILE + r] = (real)(1 / (double)e->batch.rows);
    }
    e->tile_sum[tile] = sum;
}

typedef struct integral_sum {
    const lam_engine *e;
    size_t integrand;
} integral_sum;

/* Sum over rows of an integral at the end of the chain. */
static void integral_tile(void *arg, size_t tile, size_t thread)
{
    (void)thread;
    const integral_sum *a = arg;
    const lam_engine *e = a->e;
    const real *y = observed(e, e->layout->blocks - 1, e->observations - 1) + (tile * e->rows + e->dim + 1 + a->integrand) * LAM_TILE;
    double sum = 0;
    for (size_t r = 0; r < lam_batch_tile_rows(&e->batch, tile); r++)
        sum += (double)y[r];
    e->tile_sum[tile] = sum;
}

/* Cotangent of the end of a block: the chain's, on top of the penalty's if there is one. */
static void join_tile(void *arg, size_t tile, size_t thread)
{
    (void)thread;
    const loss_run *l = arg;
    lam_engine *e = l->e;
    size_t plane = e->g_rows * LAM_TILE;
    real *g = e->g_out[e->observations - 1] + tile * plane, *base = l->weighs ? g : NULL;
    const real one = 1, *chain = e->g_chain + tile * plane;
    e->kernels->combine(plane, g, base, 1, &one, &chain);
}

/* ---- the chain ---------------------------------------------------------------------------------------------------- */

static void set_times(lam_engine *e, size_t block, const lam_penalty *p, double end)
{
    double *times = e->times + block * e->observations;
    if (e->observations == 1)
        times[0] = end;
    else if (p->given_times == NULL)
        lam_tpr_times(p->seed, p->stream * e->layout->blocks + block, e->observations, end, times);
    for (size_t j = 0; e->observations > 1 && p->given_times != NULL && j < e->observations; j++)
        times[j] = p->given_times[j] * end;
}

/* End time of a block: T = s^2, or in training that which steer draws around it. */
static lam_status set_end(lam_engine *e, size_t block, const lam_penalty *p)
{
    double s = (double)e->params[e->layout->time + block];
    e->end[block] = s * s;
    return p->steer == 0
        ? LAM_OK
        : lam_steer_end(p->seed, p->stream * e->layout->blocks + block, p->steer, s * s, &e->end[block]);
}

static void add_integrals(lam_engine *e, lam_terms *terms)
{
    for (size_t i = 0; i < e->options.integrands; i++) {
        integral_sum a = { e, i };
        lam_engine_run(e, integral_tile, &a);
        lam_ranks_add(e, 1, (double)e->batch.rows, &terms->term[LAM_OBSERVED_PENALTIES + i].value);
    }
}

/* Every block from the states in path[0], its noise and observation times kept for the reverse, and what the penalties come to once ranks have
 * settled. */
static lam_status forward(loss_run *l, const lam_noise *noise, lam_loss *loss)
{
    lam_engine *e = l->e;
    size_t blocks = e->layout->blocks;
    for (size_t b = 0; b < blocks; b++) {
        double *times = e->times + b * e->observations;
        LAM_TRY(set_end(e, b, l->penalty));
        set_times(e, b, l->penalty, e->end[b]);
        if (b > 0)
            lam_batch_copy(&e->batch, e->rows * LAM_TILE * sizeof(real), observed(e, b - 1, e->observations - 1), e->path[b]->y[0]);
        lam_engine_draw(e, noise, b);
        lam_engine_load_block(e, b);
        LAM_TRY(lam_engine_solve_block(e, b, l->solve, 1, e->observations, times, &loss->counts));
        LAM_TRY(lam_observed_values(e, l->penalty, &loss->terms));
        loss->terms.term[loss->terms.n - 1].value += lam_solver_error_value(e, b, l->penalty);
    }
    add_integrals(e, &loss->terms);
    return LAM_OK;
}

/* The loss so far: the penalties, weighted. */
static void settle(lam_engine *e, lam_loss *loss)
{
    lam_ranks_settle(e);
    loss->loss = 0;
    for (size_t i = 0; i < loss->terms.n; i++)
        loss->loss += loss->terms.term[i].coefficient * loss->terms.term[i].value;
}

/* ---- the end times' gradient -------------------------------------------------------------------------------------- */

typedef struct end_time {
    lam_engine *e;
    lam_system system;
    size_t time;
} end_time;

/* sum over rows of g . f at an observed time, and at the last also of the cotangents of l and of the integrals times what
 * they are integrals of (method.md 6). */
static void end_time_tile(void *arg, size_t tile, size_t thread)
{
    end_time *a = arg;
    lam_engine *e = a->e;
    size_t rows = lam_batch_tile_rows(&e->batch, tile), plane = e->rows * LAM_TILE;
    real *scratch = e->space->thread[thread], *k = scratch + e->space->at_k, *record = scratch + e->space->at_records;
    const real *y = observed(e, e->block, a->time) + tile * plane, *g = e->g_out[a->time] + tile * e->g_rows * LAM_TILE;
    a->system.eval(a->system.self, &(lam_stage){ .tile = tile, .thread = thread, .record = record }, y, k);
    double sum = 0;
    for (size_t i = 0; i < e->g_rows; i++)
        for (size_t r = 0; r < rows; r++)
            sum += (double)g[i * LAM_TILE + r] * (double)k[i * LAM_TILE + r];
    for (size_t r = 0; r < rows && a->time + 1 == e->observations; r++) {
        sum += e->cotangent_l * (double)k[e->dim * LAM_TILE + r];
        for (size_t i = 0; i < e->options.integrands; i++)
            sum += e->cotangent_integral[i] * (double)k[(e->dim + 1 + i) * LAM_TILE + r];
    }
    e->tile_sum[tile] = sum;
}

/* T = s^2: dL/ds = 2 s dL/dT, an inner time u T moving with T (or with the end that steer drew, a constant beside it). dL/dT goes
 * to e->end_gradient once ranks have settled. */
static void end_time_gradient(const loss_run *l, lam_counts *counts)
{
    lam_engine *e = l->e;
    end_time a = { .e = e };
    double *gradient = &e->end_gradient[e->block];
    *gradient = 0;
    const double *times = e->times + e->block * e->observations;
    lam_cnf_system(e, l->solve->error_parts == LAM_ERROR_Z, &a.system);
    for (a.time = l->weighs ? 1 : e->observations - 1; a.time < e->observations; a.time++) {
        a.system.prepare(a.system.self, 0, (real)times[a.time]);
        lam_engine_run(e, end_time_tile, &a);
        lam_ranks_add(e, times[a.time] / e->end[e->block], 1, gradient);
        counts->recomputed++;
    }
}

static void collect_end_times(lam_engine *e, real *grad)
{
    lam_ranks_settle(e);
    for (size_t b = 0; e->layout->trained > e->layout->time && b < e->layout->blocks; b++)
        grad[e->layout->time + b] += (real)(2 * (double)e->params[e->layout->time + b] * e->end_gradient[b]);
}

/* ---- reverse ------------------------------------------------------------------------------------------------------ */

static lam_status reverse_block(loss_run *l, size_t block, real *grad, lam_counts *counts)
{
    lam_engine *e = l->e;
    const real *g_out[LAM_MAX_OBSERVED];
    lam_engine_load_block(e, block);
    LAM_TRY(lam_observed_cotangents(e, l->penalty, &l->weighs));
    lam_engine_run(e, join_tile, l);
    for (size_t j = 0; j < e->observations; j++)
        g_out[j] = l->weighs || j + 1 == e->observations ? e->g_out[j] : NULL;
    if (e->layout->trained > e->layout->time)
        end_time_gradient(l, counts);
    lam_engine_clear_sums(e);
    if (e->options.method == LAM_GRAD_ADJOINT) {
        LAM_TRY(lam_adjoint_reverse(e, l->solve, e->observations, e->times + block * e->observations, e->out + block * e->observations, g_out,
            counts));
    } else {
        lam_reverse_result result;
        lam_system system;
        lam_cnf_system(e, 0, &system);
        lam_solver_error_cotangents(e, block, l->penalty);
        lam_solve_reverse(e->space, &e->batch, &system, l->solve->solve.table, e->path[block], g_out, e->g_chain, &result);
        counts->backward += result.vjps;
        counts->recomputed += result.recomputed;
    }
    return lam_engine_collect(e, block, grad);
}

typedef struct rows_out {
    lam_engine *e;
    double *z, *l; /* [rows, dim], [rows] */
} rows_out;

/* The cotangent of the chain's start. */
static void grad_x_tile(void *arg, size_t tile, size_t thread)
{
    (void)thread;
    const rows_out *out = arg;
    lam_engine *e = out->e;
    lam_mask_apply(e, tile, 1, e->g_chain + tile * e->g_rows * LAM_TILE);
    lam_planes_to_rows(&e->batch, tile, e->dim, e->g_chain + tile * e->g_rows * LAM_TILE, e->dim, out->z);
}

/* Every block's reverse, last first, from the cotangents in g_chain, g_l being that of l where g_chain does not say; grad
 * [parameters] is set. */
static lam_status reverse(loss_run *l, double g_l, real *grad, real *const *g_am, lam_counts *counts)
{
    lam_engine *e = l->e;
    lam_status status = LAM_OK;
    e->cotangent_l = e->g_rows > e->dim ? 0 : g_l;
    for (size_t i = 0; i < e->options.integrands; i++)
        e->cotangent_integral[i] = l->penalty->coefficient[i] / (double)e->batch.rows;
    memset(grad, 0, e->layout->parameters * sizeof(real));
    lam_context_start(e);
    for (size_t b = e->layout->blocks; status == LAM_OK && b-- > 0;) {
        if (g_am != NULL) {
            e->g_am = g_am[b];
            memset(e->g_am_begun, 0, e->batch.tiles * sizeof *e->g_am_begun);
        }
        status = reverse_block(l, b, grad, counts);
    }
    e->g_am = NULL;
    LAM_TRY(status);
    LAM_TRY(lam_context_reverse(e, grad));
    collect_end_times(e, grad);
    lam_engine_collect_rest(e, grad);
    return LAM_OK;
}

static int all_finite(const real *a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(a[i]))
            return 0;
    return 1;
}

static lam_terms terms_of(const lam_engine *e, const lam_penalty *p)
{
    lam_terms terms = { .n = LAM_OBSERVED_PENALTIES + e->options.integrands + 1 };
    for (size_t i = 0; i < LAM_OBSERVED_PENALTIES; i++)
        terms.term[i] = (lam_term) { lam_observed_name(i), p->observed[i], 0 };
    for (size_t i = 0; i < e->options.integrands; i++)
        terms.term[LAM_OBSERVED_PENALTIES + i] = (lam_term) { e->options.integrand[i]->name, p->coefficient[i], 0 };
    terms.term[terms.n - 1] = (lam_term) { "error", p->error.coefficient, 0 };
    return terms;
}

/* Checks what is asked of the engine, takes up the penalties' observation times and names the loss's terms. */
static lam_status begin(lam_engine *e, const lam_penalty *penalty, lam_loss *loss)
{
    loss->terms = terms_of(e, penalty);
    if (!e->options.gradients || e->options.trace == LAM_TRACE_NONE)
        return lam_fail(LAM_ERR_ARGUMENT, "the loss was asked of an engine made without gradients or without a trace");
    LAM_TRY(lam_solver_error_check(e, penalty));
    return lam_observed_times(e, penalty, &e->observations);
}

/* The loss of rows that share their steps. */
static lam_status loss_of(lam_engine *e, const lam_flow_call *call, const lam_penalty *penalty, real *grad, double *g_x, lam_loss *loss)
{
    loss_run l = { .e = e, .solve = call->solve, .penalty = penalty };
    LAM_TRY(begin(e, penalty, loss));
    LAM_TRY(lam_engine_load_rows(e, call));
    LAM_TRY(forward(&l, call->noise, loss));
    lam_engine_run(e, base_tile, e);
    lam_ranks_add(e, 1, (double)call->rows, &loss->nll);
    settle(e, loss);
    loss->loss += loss->nll;
    if (!isfinite(loss->loss))
        return lam_fail(LAM_ERR_DIVERGED,
            "the loss is not finite (NLL %g, penalties %g); lower lr, set clip, or look at the data for extreme values", loss->nll,
            loss->loss - loss->nll);
    if (grad == NULL)
        return LAM_OK;
    LAM_TRY(reverse(&l, 1 / (double)call->rows, grad, NULL, &loss->counts));
    if (!all_finite(grad, e->layout->parameters))
        return lam_fail(LAM_ERR_DIVERGED, "the gradient is not finite (loss %g); lower lr or set clip", loss->loss);
    if (g_x != NULL) {
        rows_out out = { .e = e, .z = g_x };
        lam_engine_run(e, grad_x_tile, &out);
    }
    return LAM_OK;
}

_Static_assert(2 + (int)LAM_MAX_TERMS <= (int)LAM_FLOW_MEANS, "there is room for the loss, the NLL and every term");

static lam_status loss_pass(lam_engine *e, const lam_flow_call *call, const void *ask, lam_flow_out *out)
{
    lam_loss loss = { .counts = *out->counts };
    lam_status status = loss_of(e, call, ask, out->grad, out->g_x, &loss);
    out->mean[0] = loss.loss;
    out->mean[1] = loss.nll;
    for (size_t i = 0; i < loss.terms.n; i++)
        out->mean[2 + i] = loss.terms.term[i].value;
    *out->counts = loss.counts;
    return status;
}

lam_status lam_engine_loss(lam_engine *e, const lam_flow_call *call, const lam_penalty *penalty, real *grad, double *grad_x, lam_loss *loss)
{
    const lam_penalty *p = penalty != NULL ? penalty : &NONE;
    memset(loss, 0, sizeof *loss);
    LAM_TRY(begin(e, p, loss));
    lam_flow_out out = { .means = 2 + loss->terms.n, .grad = grad, .g_x = grad_x, .counts = &loss->counts };
    lam_status status = lam_flow_run(e, call, loss_pass, p, &out);
    loss->loss = out.mean[0];
    loss->nll = out.mean[1];
    for (size_t i = 0; i < loss->terms.n; i++)
        loss->terms.term[i].value = out.mean[2 + i];
    return status;
}

/* ---- the two halves ----------------------------------------------------------------------------------------------- */

static void store_end(void *arg, size_t tile, size_t thread)
{
    (void)thread;
    const rows_out *out = arg;
    lam_engine *e = out->e;
    const real *y = observed(e, e->layout->blocks - 1, e->observations - 1) + tile * e->rows * LAM_TILE;
    lam_planes_to_rows(&e->batch, tile, e->dim, y, e->dim, out->z);
    lam_planes_to_rows(&e->batch, tile, 1, y + e->dim * LAM_TILE, 1, out->l);
}

typedef struct end_cotangents {
    lam_engine *e;
    const double *z; /* [rows, dim] */
    double l;
} end_cotangents;

static void load_cotangents(void *arg, size_t tile, size_t thread)
{
    (void)thread;
    const end_cotangents *c = arg;
    lam_engine *e = c->e;
    size_t d = e->dim;
    real *g = e->g_chain + tile * e->g_rows * LAM_TILE;
    memset(g, 0, e->g_rows * LAM_TILE * sizeof(real));
    lam_planes_from_rows(&e->batch, tile, d, c->z, NULL, g);
    for (size_t r = 0; e->g_rows > d && r < lam_batch_tile_rows(&e->batch, tile); r++)
        g[d * LAM_TILE + r] = (real)c->l;
}

lam_status lam_engine_forward(lam_engine *e, const lam_flow_call *call, const lam_penalty *penalty, double *z, double *l, lam_loss *loss)
{
    loss_run run = { .e = e, .solve = call->solve, .penalty = penalty != NULL ? penalty : &NONE };
    LAM_TRY(begin(e, run.penalty, loss));
    LAM_TRY(lam_engine_load_rows(e, call));
    loss->nll = 0;
    LAM_TRY(forward(&run, call->noise, loss));
    settle(e, loss);
    rows_out out = { e, z, l };
    lam_engine_run(e, store_end, &out);
    return LAM_OK;
}

lam_status lam_engine_reverse(lam_engine *e, const lam_flow_call *call, const lam_penalty *penalty, const double *g_z, double g_l,
    const lam_flow_gradient *to, lam_counts *counts)
{
    if (to->g_am != NULL && e->am == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "the gradient of row parameters was asked of a field without");
    loss_run run = { .e = e, .solve = call->solve, .penalty = penalty != NULL ? penalty : &NONE };
    end_cotangents c = { e, g_z, g_l };
    lam_engine_run(e, load_cotangents, &c);
    LAM_TRY(reverse(&run, g_l, to->grad, to->g_am, counts));
    if (!all_finite(to->grad, e->layout->parameters))
        return lam_fail(LAM_ERR_DIVERGED, "the gradient of the flow's parameters is not finite; lower lr or set clip");
    if (to->g_z0 != NULL) {
        rows_out out = { .e = e, .z = to->g_z0 };
        lam_engine_run(e, grad_x_tile, &out);
    }
    return LAM_OK;
}
