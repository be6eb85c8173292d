/* One training step and one evaluation of a density, in float or in double. */
#include "base/error.h"
#include "base/mem.h"
#include "base/room.h"
#include "flow/base_density.h"
#include "model/solve.h"
#include "optim/optimizer.h"
#include "penalty/loss.h"
#include "penalty/matching.h"
#include "train/base_scale.h"
#include "train/batches.h"
#include "train/names.h"
#include "train/trainer.h"
#include <math.h>
#include <string.h>

typedef struct trainer {
    const lam_config *cfg;
    const lam_layout *layout;
    const lam_flow_rows *rows;
    lam_pool *pool;
    const lam_comm *comm;
    lam_engine *train;
    lam_engine *evaluate[2]; /* with the estimated and with the exact trace, each made when first asked for */
    lam_matcher *matcher;    /* made for the first iteration of a warm start, and freed after its last */
    lam_stepper *stepper;
    lam_batches batches;
    real *grad;         /* [parameters] */
    double *h_before;   /* [blocks] what h_star was before a solve that may fail */
    lam_flow_batch batch; /* where batches are made of the rows: those in hand, of training or of an evaluation */
    double *z, *l;      /* [val_batch_size, dim], [val_batch_size] end states of a batch */
    lam_base_row *base; /* [validation rows] of a fit that calibrates; else NULL */
} trainer;

/* ---- creation ----------------------------------------------------------------------------------------------------- */

static size_t evaluation_rows(const trainer *t)
{
    const size_t *rows = t->rows->rows;
    size_t most = rows[LAM_VALID] > rows[LAM_TEST] ? rows[LAM_VALID] : rows[LAM_TEST];
    most = most == 0 ? 1 : most;
    return most < t->cfg->val_batch_size ? most : t->cfg->val_batch_size;
}

static lam_status make_engine(const trainer *t, int gradients, size_t rows, int exact, lam_engine **out)
{
    const lam_config *cfg = t->cfg;
    lam_engine_options options = { .max_rows = rows, .trace = exact ? LAM_TRACE_EXACT : LAM_TRACE_HUTCHINSON,
        .probes = cfg->probes, .gradients = gradients, .method = cfg->gradient, .isa = cfg->isa,
        .control = cfg->step_control, .comm = t->comm, .fast_sums = cfg->reduce == LAM_REDUCE_FAST,
        .trace_points = gradients ? 0 : cfg->test_trace_points };
    if (gradients) {
        options.memory = cfg->memory;
        lam_penalty_options(cfg, &options);
    }
    return lam_engine_create(t->layout, t->pool, &options, out);
}

static void free_trainer(void *self)
{
    trainer *t = self;
    if (t == NULL)
        return;
    lam_engine_free(t->train);
    lam_matcher_free(t->matcher);
    lam_stepper_free(t->stepper);
    lam_engine_free(t->evaluate[0]);
    lam_engine_free(t->evaluate[1]);
    lam_batches_clear(&t->batches);
    lam_flow_batch_clear(&t->batch);
    lam_free(t->grad);
    lam_free(t->h_before);
    lam_free(t->z);
    lam_free(t->l);
    lam_room_give(t->rows->folder, t->base);
    lam_free(t);
}

static lam_status allocate(trainer *t, const lam_parameter_map *map)
{
    size_t rows = evaluation_rows(t);
    LAM_TRY(lam_batches_create_in(&t->batches, t->rows->folder, t->cfg->seed, t->rows->rows[LAM_TRAIN], t->cfg->batch_size));
    t->grad = lam_alloc(t->layout->parameters, sizeof *t->grad);
    t->h_before = lam_alloc(t->layout->blocks, sizeof *t->h_before);
    t->z = lam_alloc(rows * t->rows->dim, sizeof *t->z);
    t->l = lam_alloc(rows, sizeof *t->l);
    if (t->grad == NULL || t->h_before == NULL || t->z == NULL || t->l == NULL)
        return LAM_ERR_MEMORY;
    if (t->cfg->calibrate != LAM_CALIBRATE_NONE && (t->base = lam_room_take(t->rows->folder, t->rows->rows[LAM_VALID], sizeof *t->base)) == NULL)
        return LAM_ERR_MEMORY;
    if (t->rows->by_batch)
        LAM_TRY(lam_flow_batch_create(t->rows, t->pool, rows > t->batches.size ? rows : t->batches.size, &t->batch));
    LAM_TRY(lam_stepper_create(t->cfg->optimizer, map, t->pool, t->cfg->isa, &t->stepper));
    return make_engine(t, 1, t->batches.size, t->cfg->divergence == LAM_DIV_EXACT, &t->train);
}

/* ---- a training step ---------------------------------------------------------------------------------------------- */

/* The optimiser's step of the first n parameters along the gradient at hand, of this norm. */
static void apply(trainer *t, lam_fit_state *state, size_t n, double lr, double norm)
{
    const lam_update update = { .lr = lr, .weight_decay = t->cfg->weight_decay, .step = ++state->updates, .trained = n, .norm = norm,
        .clip = t->cfg->clip };
    lam_stepper_apply(t->stepper, &update, t->grad, state->memory, state->params);
}

/* The rows that a call of the engine takes, and what they are conditional on. */
typedef struct taken {
    const double *x;
    const size_t *index;
    lam_condition condition;
    double log_det;         /* of maps and whitening: the mean over training rows */
    const double *log_dets; /* of the rows of an evaluation, by index where there is one; NULL: 0 */
} taken;

/* Of the batch in hand. */
static lam_condition condition_of(const trainer *t)
{
    return (lam_condition) { t->rows->inputs > 0 ? t->batch.inputs : NULL, t->batch.moves };
}

/* Training rows of an iteration, counted from 1, of flow matching's own or of training: their roles differ. */
static taken take_training(trainer *t, const size_t *index, uint64_t stream)
{
    size_t n = t->batches.size;
    taken k = { .x = t->rows->values[LAM_TRAIN], .index = index, .condition = { .inputs = t->rows->given[LAM_TRAIN] } };
    if (!t->rows->by_batch) {
        k.log_det = lam_flow_rows_log_det(t->rows, LAM_TRAIN, index, n);
        return k;
    }
    const lam_flow_pick pick = { .part = LAM_TRAIN, .index = index, .n = n, .purpose = LAM_DRAW_ROLES, .seed = t->cfg->seed,
        .stream = stream };
    k.log_det = lam_flow_batch_fill(t->rows, &pick, &t->batch);
    k.x = t->batch.x;
    k.index = NULL;
    k.condition = condition_of(t);
    return k;
}

/* Rows of a validation, whose roles are drawn by the row alone, or of a test, in which all moves that is there. */
static taken take_evaluation(trainer *t, lam_part part, const lam_walk *walk)
{
    if (t->rows->by_batch) {
        const lam_flow_pick pick = { .part = part, .index = walk->index, .first = walk->first, .n = walk->n, .whole = part == LAM_TEST,
            .purpose = LAM_DRAW_ROLES_EVAL, .seed = t->cfg->split_seed };
        lam_flow_batch_fill(t->rows, &pick, &t->batch);
        return (taken) { .x = t->batch.x, .condition = condition_of(t), .log_dets = t->batch.log_det };
    }
    size_t at = walk->index != NULL ? 0 : walk->first;
    const double *given = t->rows->given[part], *log_det = t->rows->log_det[part];
    return (taken) { .x = t->rows->values[part] + at * t->rows->dim, .index = walk->index,
        .condition = { .inputs = given != NULL ? given + at * t->rows->inputs : NULL }, .log_dets = log_det != NULL ? log_det + at : NULL };
}

static lam_status step(void *self, lam_fit_state *state, double lr, lam_step_report *report)
{
    trainer *t = self;
    const lam_config *cfg = t->cfg;
    uint64_t iteration = state->iteration + 1;
    lam_flow_solve solve = lam_config_solve(cfg, 1, state->h_train);
    lam_noise noise = { .kind = cfg->divergence, .seed = cfg->seed, .stream = iteration, .purpose = LAM_DRAW_PROBE };
    lam_penalty penalty = lam_penalty_of(cfg, iteration);
    lam_penalty_scale(&penalty, exp(state->penalty_log_scale));
    lam_loss loss;
    const taken rows = take_training(t, lam_batches_at(&t->batches, iteration), 2 * iteration);
    solve.keep_h_star = 1;
    lam_engine_condition(t->train, &rows.condition);
    memcpy(t->h_before, state->h_train, t->layout->blocks * sizeof(double));
    const lam_flow_call call = { state->params, rows.x, rows.index, t->batches.size, &solve, &noise };
    lam_status status = lam_engine_loss(t->train, &call, &penalty, t->grad, NULL, &loss);
    *report = (lam_step_report) { .loss = loss.loss - rows.log_det, .nll = loss.nll - rows.log_det, .counts = loss.counts };
    lam_step_report_terms(report, &loss.terms);
    if (status == LAM_OK) {
        report->grad_norm = lam_gradient_norm(t->grad, t->layout->trained);
        if (!isfinite(loss.loss) || !isfinite(report->grad_norm))
            status = lam_fail(LAM_ERR_DIVERGED, "loss %g with a gradient of norm %g; lower lr or set clip", loss.loss,
                report->grad_norm);
    }
    if (status != LAM_OK) {
        memcpy(state->h_train, t->h_before, t->layout->blocks * sizeof(double));
        return status;
    }
    apply(t, state, t->layout->trained, lr, report->grad_norm);
    return LAM_OK;
}

static lam_status make_matcher(trainer *t)
{
    const lam_engine_options options = { .max_rows = t->batches.size, .isa = t->cfg->isa, .comm = t->comm,
        .fast_sums = t->cfg->reduce == LAM_REDUCE_FAST };
    return lam_matcher_create(t->layout, t->pool, &options, &t->matcher);
}

/* An iteration of flow matching. Batches are the permutations of training's first epochs; noise and times are its own. The end
 * times, last among the parameters, have no gradient here: an optimiser that decays weights would take them to 0. */
static lam_status warm(void *self, lam_fit_state *state, double lr, lam_step_report *report)
{
    trainer *t = self;
    const lam_config *cfg = t->cfg;
    size_t updated = t->layout->time;
    uint64_t iteration = state->warm + 1;
    const taken rows = take_training(t, lam_batches_at(&t->batches, iteration), 2 * iteration + 1);
    const lam_flow_call call = { .params = state->params, .x = rows.x, .index = rows.index, .rows = t->batches.size };
    const lam_matching matching = { .seed = cfg->seed, .stream = iteration, .condition = &rows.condition,
        .paired = cfg->warm_start_pairing == LAM_PAIRING_MINIBATCH && t->layout->inputs == 0 };
    *report = (lam_step_report) { .nll = (double)NAN, .tpr = (double)NAN };
    if (t->matcher == NULL)
        LAM_TRY(make_matcher(t));
    LAM_TRY(lam_matching_loss(t->matcher, &call, &matching, t->grad, &report->loss, &report->counts));
    report->grad_norm = lam_gradient_norm(t->grad, updated);
    if (!isfinite(report->grad_norm))
        return lam_fail(LAM_ERR_DIVERGED, "a gradient of norm %g; lower lr or set clip", report->grad_norm);
    apply(t, state, updated, lr, report->grad_norm);
    if (iteration == cfg->warm_start) {
        lam_matcher_free(t->matcher);
        t->matcher = NULL;
    }
    return LAM_OK;
}

/* Of a row that went from x to z, with an NLL of which log_det is a part. */
static lam_base_row base_row(double nll, double log_det, size_t dim, const double *x, const double *z, const unsigned char *moves)
{
    size_t moving;
    double square = lam_base_square(dim, z, moves, &moving);
    return (lam_base_row) { nll, square, (double)moving, lam_base_nll(dim, x, moves) - log_det };
}

/* -log p of each of the n rows taken, into t->l, each rank its own, under a base density of this scale; their sum. base [n] or NULL: what a
 * calibration wants of them. */
static double batch_nll(const trainer *t, const lam_engine *engine, const taken *rows, size_t n, double scale, lam_base_row *base)
{
    const unsigned char *moves = rows->condition.moves;
    size_t d = t->rows->dim;
    lam_range own = lam_engine_own_rows(engine);
    double sum = 0;
    for (size_t i = own.first; i < own.end; i++) {
        const unsigned char *moving = moves != NULL ? moves + i * d : NULL;
        size_t at = rows->index != NULL ? rows->index[i] : i;
        double log_det = rows->log_dets != NULL ? rows->log_dets[at] : 0;
        t->l[i] += lam_base_nll_scaled(d, t->z + i * d, moving, scale);
        t->l[i] -= log_det;
        if (base != NULL)
            base[i] = base_row(t->l[i], log_det, d, rows->x + at * d, t->z + i * d, moving);
    }
    lam_engine_share_rows(engine, t->l, 1);
    if (base != NULL)
        lam_engine_share_rows(engine, &base->nll, sizeof *base / sizeof(double));
    for (size_t i = 0; i < n; i++)
        sum += t->l[i];
    return sum;
}

/* Where the Gaussian that a flow is held against is another than its rows standing still. */
static void take_still(const trainer *t, const lam_walk *walk, lam_base_row *base)
{
    const double *still = t->rows->still;
    for (size_t i = 0; base != NULL && still != NULL && i < walk->n; i++)
        base[i].still = still[walk->index != NULL ? walk->index[i] : walk->first + i];
}

static lam_status evaluate_batches(trainer *t, const lam_evaluation *e, int exact, lam_walk *walk)
{
    lam_flow_solve solve = lam_config_solve(t->cfg, 0, e->h_star);
    lam_noise noise = { .kind = t->cfg->divergence, .seed = t->cfg->seed, .purpose = LAM_DRAW_PROBE_EVAL };
    const char *part = e->part == LAM_VALID ? "validation" : "test";
    solve.keep_h_star = e->keep_h_star;
    while (lam_walk_next(walk)) {
        size_t first = walk->first, n = walk->n;
        noise.first_row = first;
        const taken rows = take_evaluation(t, e->part, walk);
        lam_engine_condition(t->evaluate[exact], &rows.condition);
        const lam_flow_call call = { e->params, rows.x, rows.index, n, &solve, &noise };
        lam_status status = lam_engine_transform(t->evaluate[exact], &call, 1, t->z, t->l, &walk->out->counts);
        if (status != LAM_OK)
            return lam_fail_in(status, "%s rows %zu to %zu%s", part, first + 1, first + n, walk->index != NULL ? " of a sample" : "");
        lam_base_row *base = e->part == LAM_VALID && t->base != NULL ? t->base + walk->out->rows : NULL;
        double sum = batch_nll(t, t->evaluate[exact], &rows, n, walk->out->base_scale, base);
        take_still(t, walk, base);
        if (!isfinite(sum))
            return lam_fail(LAM_ERR_DIVERGED, "the NLL of the %s rows is not finite; lower lr or set clip", part);
        LAM_TRY(lam_walk_take(walk, sum, t->l));
    }
    return LAM_OK;
}

static lam_status evaluate(void *self, const lam_evaluation *e, lam_evaluated *out)
{
    trainer *t = self;
    lam_walk walk;
    int exact = e->exact || t->cfg->divergence == LAM_DIV_EXACT || t->cfg->val_divergence == LAM_VAL_EXACT
        || (t->cfg->val_divergence == LAM_VAL_AUTO && t->rows->dim <= LAM_EXACT_DIM);
    if (t->evaluate[exact] == NULL)
        LAM_TRY(make_engine(t, 0, evaluation_rows(t), exact, &t->evaluate[exact]));
    LAM_TRY(lam_walk_begin(&walk, e, t->cfg, t->layout->blocks, t->rows->rows[e->part], evaluation_rows(t), out));
    out->exact = exact;
    lam_status status = evaluate_batches(t, e, exact, &walk);
    lam_walk_end(&walk, status);
    if (status == LAM_OK && e->part == LAM_VALID && t->base != NULL && out->rows > 0)
        (t->cfg->calibrate == LAM_CALIBRATE_SCALE ? lam_base_scale_fit : lam_gaussian_beside)(t->base, out->rows, out);
    return status;
}

/* ---- the record of functions -------------------------------------------------------------------------------------- */

static void to_double(const void *params, size_t n, double *out)
{
    const real *from = params;
    for (size_t i = 0; i < n; i++)
        out[i] = (double)from[i];
}

static void from_double(const double *params, size_t n, void *out)
{
    real *to = out;
    for (size_t i = 0; i < n; i++)
        to[i] = (real)params[i];
}

lam_status lam_trainer_create(const lam_config *cfg, const lam_layout *layout, const lam_parameter_map *map,
    const lam_flow_rows *rows, lam_pool *pool, const lam_comm *comm, lam_trainer *out)
{
    trainer *t = lam_alloc(1, sizeof *t);
    if (t == NULL)
        return LAM_ERR_MEMORY;
    t->cfg = cfg;
    t->layout = layout;
    t->rows = rows;
    t->pool = pool;
    t->comm = comm;
    lam_status status = allocate(t, map);
    if (status != LAM_OK) {
        free_trainer(t);
        return status;
    }
    *out = (lam_trainer) { .self = t, .step = step, .warm = warm, .evaluate = evaluate, .to_double = to_double,
        .from_double = from_double, .free = free_trainer };
    return LAM_OK;
}
