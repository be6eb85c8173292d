/* Runs a pass batch by batch, in float or in double. */
#include "base/error.h"
#include "base/mem.h"
#include "flow/base_density.h"
#include "model/names.h"
#include "model/pass.h"
#include "model/solve.h"
#include <math.h>
#include <string.h>

/* What a pass holds while it runs. */
typedef struct hold {
    lam_pool *pool;
    lam_engine *engine;
    real *params;          /* [layout.parameters] */
    double *x, *y, *l;     /* of one batch: [rows, dim], [rows, dim] or the ways there, [rows] or NULL */
    double *from, *to;     /* the flow's part of x and y, [rows, moving] and [rows, moving] or the ways there, column maps behind it */
    double *inputs;        /* [rows, inputs] of the context */
    double *log_det;       /* [rows] of the maps */
    lam_whitener *whitener; /* NULL: none */
    unsigned char *roles, *moves; /* [rows, dim], [rows, moving] of a masked model; else NULL */
    double *h_star;        /* [blocks] */
} hold;

static void release(hold *h)
{
    lam_engine_free(h->engine);
    lam_pool_free(h->pool);
    lam_free(h->params);
    lam_free(h->from);
    lam_free(h->to);
    lam_free(h->inputs);
    lam_free(h->log_det);
    lam_free(h->roles);
    lam_free(h->moves);
    lam_whitener_free(h->whitener);
    lam_free(h->x);
    lam_free(h->y);
    lam_free(h->l);
    lam_free(h->h_star);
}

static lam_status narrow_params(const lam_model *model, real *params)
{
    for (size_t i = 0; i < model->layout.parameters; i++) {
        params[i] = (real)model->params[i];
        if (!isfinite(params[i]))
            return lam_fail(LAM_ERR_DATA, "weight %zu of the model is %g; weights must be finite in the width of the solve", i + 1,
                model->params[i]);
    }
    return LAM_OK;
}

static lam_status acquire(hold *h, const lam_pass *pass, int with_l, size_t batch_rows)
{
    const lam_model *model = pass->model;
    size_t dim = model->dim, blocks = model->layout.blocks;
    size_t path = pass->times > 0 ? blocks * pass->times + 1 : 1; /* states of a row that are wanted */
    lam_engine_options options = { .max_rows = batch_rows, .trace = LAM_TRACE_NONE, .probes = pass->probes, .isa = pass->isa,
        .control = model->config.step_control, .max_observations = pass->times,
        .trace_points = pass->setting.trace_points };
    if (with_l)
        options.trace = pass->divergence == LAM_DIV_EXACT ? LAM_TRACE_EXACT : LAM_TRACE_HUTCHINSON;
    LAM_TRY(lam_pool_create(pass->threads, &h->pool));
    LAM_TRY(lam_engine_create(&model->layout, h->pool, &options, &h->engine));
    if ((h->params = lam_alloc(model->layout.parameters, sizeof(real))) == NULL
        || (h->x = lam_alloc(batch_rows * dim, sizeof(double))) == NULL
        || (h->y = lam_alloc(batch_rows * dim, path * sizeof(double))) == NULL
        || (with_l && (h->l = lam_alloc(batch_rows, sizeof(double))) == NULL)
        || (h->log_det = lam_alloc(batch_rows, sizeof(double))) == NULL || (h->h_star = lam_alloc(blocks, sizeof(double))) == NULL)
        return LAM_ERR_MEMORY;
    if ((h->from = lam_alloc(batch_rows * model->given.moving, sizeof(double))) == NULL
        || (h->to = lam_alloc(batch_rows * model->given.moving, path * sizeof(double))) == NULL
        || (h->inputs = lam_alloc(batch_rows * model->given.inputs + 1, sizeof(double))) == NULL)
        return LAM_ERR_MEMORY;
    if (model->given.masked
        && ((h->roles = lam_alloc(batch_rows, dim)) == NULL || (h->moves = lam_alloc(batch_rows, model->given.moving)) == NULL))
        return LAM_ERR_MEMORY;
    LAM_TRY(lam_whitener_create(model->whitening, model->given.levels, &h->whitener));
    for (size_t b = 0; b < blocks; b++)
        h->h_star[b] = lam_pass_first_step(pass, b);
    return narrow_params(model, h->params);
}

static void solve_options(const lam_pass *pass, double *h_star, lam_flow_solve *solve)
{
    *solve = lam_setting_solve(&pass->model->config, &pass->setting, h_star);
    solve->solve.max_steps = pass->max_steps;
    if (pass->probe)
        solve->solve.first_step = LAM_STEP_PROBE;
    if (pass->times > 0 && solve->solve.end == LAM_END_LAND_ALL)
        solve->solve.end = LAM_END_LAND; /* the times are looked at, not landed on: the steps are encode's */
    solve->keep_h_star = pass->learned != NULL;
    solve->solve.log = pass->log;
}

/* The flow's part of h->x, and what it is conditional on. On the way from the base there are no maps in front of it. */
static void take_apart(hold *h, const lam_pass *pass, int forward, size_t first, size_t rows)
{
    const lam_model *m = pass->model;
    const lam_condition condition = { .inputs = h->inputs, .moves = h->moves };
    for (size_t r = 0; h->roles != NULL && pass->roles != NULL && r < rows; r++)
        memcpy(h->roles + r * m->dim, pass->roles + (pass->n_roles == 1 ? 0 : (first + r) / pass->each) * m->dim, m->dim);
    if (h->roles != NULL && pass->roles == NULL)
        lam_given_roles(&m->given, h->x, rows, h->roles);
    lam_given_take(&m->given, forward ? m->maps : NULL, forward ? h->whitener : NULL, h->x, h->roles, rows, h->from, h->log_det);
    lam_given_inputs(&m->given, m->maps, h->x, h->roles, rows, h->inputs);
    if (h->moves != NULL)
        lam_given_moves(&m->given, h->roles, rows, h->moves);
    lam_engine_condition(h->engine, &condition);
}

/* The states that the flow came to, [rows, states] of them, as whole rows; back: through the inverses of maps and whitening. */
static void put_together(hold *h, const lam_pass *pass, int back, size_t rows, size_t states, double *log_det)
{
    const lam_given *g = &pass->model->given;
    const lam_maps *maps = back && !pass->behind_maps ? pass->model->maps : NULL;
    lam_whitener *whitener = back ? h->whitener : NULL;
    for (size_t i = 0; g->inputs > 0 && i < rows * states; i++)
        memcpy(h->y + i * g->dim, h->x + i / states * g->dim, g->dim * sizeof *h->y);
    for (size_t i = 0; states > 1 && h->roles != NULL && i < rows; i++)
        for (size_t s = 0; s < states; s++)
            lam_given_put(g, maps, whitener, h->to + (i * states + s) * g->moving, h->roles + i * g->dim, 1, h->y + (i * states + s) * g->dim, NULL);
    if (states == 1 || h->roles == NULL)
        lam_given_put(g, maps, whitener, h->to, h->roles, rows * states, h->y, log_det);
}

/* l, the integral of -trace along the way, becomes log p on the data's side, in pass->units: with the base's density of z [rows, moving] and
 * the log-determinants of maps and standardiser, of what moves. */
static void finish_log_prob(hold *h, const lam_pass *pass, int forward, const double *z, size_t rows)
{
    const lam_model *m = pass->model;
    size_t d = m->given.moving;
    for (size_t i = 0; i < rows; i++) {
        const unsigned char *moves = h->moves != NULL ? h->moves + i * d : NULL;
        double scale = moves != NULL ? 0 : m->log_det, l = h->l[i], base = -lam_base_nll_scaled(d, z + i * d, moves, m->base_scale);
        for (size_t k = 0; moves != NULL && k < d; k++)
            scale -= moves[k] ? log(m->scale[m->given.moving_at[k]]) : 0;
        l += (forward ? -1 : 1) * h->log_det[i]; /* which grows as log p falls on the way to the base, and back */
        h->l[i] = (forward ? base - l : base + l) + (pass->units == LAM_UNITS_DATA ? scale : 0);
    }
}

/* The base density that users know has scale 1, where that of the flow has base_scale: the last of each n states in values [rows, states, moving]. */
static void scale_base(const lam_model *m, size_t rows, size_t states, double factor, double *values)
{
    size_t d = m->given.moving;
    for (size_t i = 0; m->base_scale != 1 && i < rows; i++)
        for (size_t k = 0; k < d; k++)
            values[((i + 1) * states - 1) * d + k] *= factor;
}

/* A batch through the maps and the flow, in either direction. */
static lam_status solve_batch(hold *h, const lam_pass *pass, int forward, const lam_flow_solve *solve, const lam_noise *noise, size_t first,
    size_t rows, lam_counts *counts)
{
    size_t path = pass->model->layout.blocks * pass->times + 1;
    const lam_flow_call call = { .params = h->params, .x = h->from, .rows = rows, .solve = solve, .noise = noise };
    take_apart(h, pass, forward, first, rows);
    if (!forward)
        scale_base(pass->model, rows, 1, pass->model->base_scale, h->from);
    if (pass->times > 0)
        LAM_TRY(lam_engine_trajectories(h->engine, &call, pass->times, h->to, counts));
    else
        LAM_TRY(lam_engine_transform(h->engine, &call, forward, h->to, h->l, counts));
    if (forward && h->l != NULL)
        finish_log_prob(h, pass, 1, h->to, rows);
    if (forward)
        scale_base(pass->model, rows, path, 1 / pass->model->base_scale, h->to);
    if (pass->times > 0)
        put_together(h, pass, pass->units == LAM_UNITS_DATA, rows, path, NULL);
    else
        put_together(h, pass, !forward, rows, 1, forward ? NULL : h->log_det);
    if (!forward && h->l != NULL)
        finish_log_prob(h, pass, 0, h->from, rows);
    return LAM_OK;
}

static lam_status run(hold *h, const lam_pass *pass, int forward, size_t n, size_t batch_rows, const lam_rows *rows,
    lam_counts *counts)
{
    size_t total = pass->total > 0 ? pass->total : n;
    lam_flow_solve solve;
    solve_options(pass, h->h_star, &solve);
    size_t until = pass->until > 0 && pass->until < n ? pass->until : n;
    for (size_t first = pass->from; first < until; first += batch_rows) {
        size_t count = n - first < batch_rows ? n - first : batch_rows;
        lam_noise noise = { .kind = pass->divergence, .seed = pass->seed, .purpose = LAM_DRAW_PROBE_EVAL, .first_row = pass->first_row * pass->each + first };
        if (pass->log != NULL)
            pass->log->batch = first / batch_rows;
        rows->fill(rows->self, first, count, h->x);
        lam_status status = solve_batch(h, pass, forward, &solve, &noise, first, count, counts);
        if (status != LAM_OK)
            return lam_fail_in(status, "batch of rows %zu to %zu", pass->first_row + first / pass->each + 1,
                pass->first_row + (first + count - 1) / pass->each + 1);
        LAM_TRY(rows->take(rows->self, first, count, h->x, h->y, h->l));
        size_t done = pass->done + first + count < total ? pass->done + first + count : total;
        if (pass->progress != NULL && pass->progress(pass->user, done, total) != 0)
            return lam_fail(LAM_ERR_INTERRUPTED, "stopped on request after %zu of %zu rows", done, total);
    }
    return LAM_OK;
}

lam_status lam_pass_solve(const lam_pass *pass, int forward, int with_l, size_t n, const lam_rows *rows, lam_counts *counts)
{
    hold h = { 0 };
    size_t batch_rows = n < pass->batch_rows ? n : pass->batch_rows;
    lam_status status = acquire(&h, pass, with_l, batch_rows);
    if (status == LAM_OK)
        status = run(&h, pass, forward, n, batch_rows, rows, counts);
    for (size_t b = 0; pass->learned != NULL && status == LAM_OK && b < pass->model->layout.blocks; b++)
        pass->learned[b] = h.h_star[b];
    release(&h);
    return status;
}
