/* One training step and one evaluation of an auto-encoder. */
#define LAM_WIDTH 32
#include "vae/trainer.h"
#include "base/counts.h"
#include "base/error.h"
#include "base/mem.h"
#include "train/batches.h"
#include "vae/elbo.h"
#include "vae/solve.h"
#include "vae/norm.h"
#include <math.h>
#include <string.h>

typedef struct trainer {
    const lam_config *cfg;
    const lam_vae_layout *layout;
    const lam_image_data *data;
    lam_pool *pool;
    const lam_comm *comm;
    lam_elbo_f32 *train, *evaluate[2]; /* with the estimated and with the exact trace, made when first asked for */
    lam_batches batches;
    float *grad;           /* [parameters] */
    unsigned char *pixels; /* [rows, pixels] of a batch */
    double *row;           /* [rows] of a batch: the bound of each image */
    double *h_before;      /* [blocks] what h_star was before a solve that may fail */
    lam_vae_norm norm;
    lam_stepper_f32 *stepper;
} trainer;

/* ---- creation ----------------------------------------------------------------------------------------------------- */

size_t lam_vae_batches(const lam_config *cfg, const lam_image_data *data)
{
    size_t rows = lam_image_data_rows(data, LAM_TRAIN), size = cfg->batch_size < rows ? cfg->batch_size : rows;
    return size == 0 ? 1 : rows / size;
}

static size_t evaluation_rows(const trainer *t)
{
    size_t valid = lam_image_data_rows(t->data, LAM_VALID), test = lam_image_data_rows(t->data, LAM_TEST);
    size_t most = valid > test ? valid : test;
    most = most == 0 ? 1 : most;
    return most < t->cfg->batch_size ? most : t->cfg->batch_size;
}

static void free_trainer(void *self)
{
    trainer *t = self;
    if (t == NULL)
        return;
    lam_elbo_free_f32(t->train);
    lam_elbo_free_f32(t->evaluate[0]);
    lam_elbo_free_f32(t->evaluate[1]);
    lam_batches_clear(&t->batches);
    lam_free(t->grad);
    lam_free(t->pixels);
    lam_free(t->row);
    lam_free(t->h_before);
    lam_vae_norm_clear(&t->norm);
    lam_stepper_free_f32(t->stepper);
    lam_free(t);
}

static lam_elbo_options elbo_options(const trainer *t, size_t rows, int gradients, int exact)
{
    return (lam_elbo_options) { .max_rows = rows, .gradients = gradients, .trace = lam_vae_trace(t->cfg, exact), .comm = t->comm,
        .fast_sums = t->cfg->reduce == LAM_REDUCE_FAST };
}

static lam_status allocate(trainer *t, const lam_parameter_map *map)
{
    LAM_TRY(lam_batches_create(&t->batches, t->cfg->seed, lam_image_data_rows(t->data, LAM_TRAIN), t->cfg->batch_size));
    const lam_elbo_options options = elbo_options(t, t->batches.size, 1, 0);
    t->grad = lam_alloc(t->layout->parameters, sizeof *t->grad);
    t->pixels = lam_alloc(t->cfg->batch_size * t->layout->pixels, 1);
    t->row = lam_alloc(evaluation_rows(t), sizeof *t->row);
    t->h_before = lam_alloc(t->layout->blocks, sizeof *t->h_before);
    if (t->grad == NULL || t->pixels == NULL || t->row == NULL || t->h_before == NULL)
        return LAM_ERR_MEMORY;
    LAM_TRY(lam_vae_norm_create(t->pool, t->layout->trained, &t->norm));
    LAM_TRY(lam_stepper_create_f32(t->cfg->optimizer, map, t->pool, t->cfg->isa, &t->stepper));
    return lam_elbo_create_f32(t->layout, t->cfg, t->pool, &options, &t->train);
}

/* ---- a training step ---------------------------------------------------------------------------------------------- */

/* beta grows with every iteration, from 1 in `each` times warmup to 1, where the published one is a staircase with a step an epoch,
 * half an epoch ahead in the mean: so that a warm-up of one epoch or less is one too. */
static double beta_of(const trainer *t, uint64_t iteration)
{
    double last = t->cfg->warmup * (double)t->batches.each;
    return last > 0 ? fmin(1, (double)iteration / last) : 1;
}

static void report_terms(lam_step_report *r, const lam_elbo_terms *terms, uint64_t epoch, double beta)
{
    *r = (lam_step_report) { .loss = terms->loss, .nll = terms->negative_elbo, .counts = terms->counts,
        .epoch = epoch + 1, .beta = beta, .extras = 2,
        .extra = { { "reconstruction", terms->reconstruction }, { "kl", terms->kl } } };
    lam_step_report_terms(r, &terms->penalty_terms);
}

static lam_status gradient(trainer *t, lam_fit_state *state, lam_step_report *report)
{
    const lam_config *cfg = t->cfg;
    uint64_t iteration = state->iteration + 1;
    uint64_t epoch = (iteration - 1) / t->batches.each;
    double beta = beta_of(t, iteration);
    lam_elbo_terms terms = { 0 };
    lam_range own = lam_elbo_own_rows_f32(t->train, t->batches.size);
    lam_image_data_fill(t->data, cfg, LAM_TRAIN, lam_batches_at(&t->batches, iteration) + own.first, own.end - own.first, epoch,
        t->pixels + own.first * t->layout->pixels);
    lam_elbo_call_f32 call = { .params = state->params, .pixels = t->pixels, .rows = t->batches.size, .beta = beta,
        .solve = lam_config_solve(cfg, 1, state->h_train),
        .noise = { .kind = cfg->divergence, .seed = cfg->seed, .stream = iteration, .purpose = LAM_DRAW_PROBE },
        .draw = LAM_DRAW_LATENT,
        .penalty = lam_penalty_of(cfg, iteration) };
    lam_penalty_scale_f32(&call.penalty, exp(state->penalty_log_scale));
    call.solve.keep_h_star = 1;
    lam_status status = lam_elbo_forward_f32(t->train, &call, NULL, &terms);
    if (status == LAM_OK)
        status = lam_elbo_backward_f32(t->train, &call, t->grad, &terms);
    report_terms(report, &terms, epoch, beta);
    LAM_TRY(status);
    report->grad_norm = lam_vae_norm_of(&t->norm, t->grad);
    if (!isfinite(report->loss) || !isfinite(report->grad_norm))
        return lam_fail(LAM_ERR_DIVERGED, "loss %g with a gradient of norm %g; lower lr or set clip", report->loss,
            report->grad_norm);
    return LAM_OK;
}

static lam_status step(void *self, lam_fit_state *state, double lr, lam_step_report *report)
{
    trainer *t = self;
    size_t bytes = t->layout->blocks * sizeof(double);
    memcpy(t->h_before, state->h_train, bytes);
    lam_status status = gradient(t, state, report);
    if (status != LAM_OK) {
        memcpy(state->h_train, t->h_before, bytes);
        return status;
    }
    const lam_update update = { .lr = lr, .weight_decay = t->cfg->weight_decay, .step = ++state->updates,
        .trained = t->layout->trained, .norm = report->grad_norm, .clip = t->cfg->clip };
    lam_stepper_apply_f32(t->stepper, &update, t->grad, state->memory, state->params);
    return LAM_OK;
}

/* ---- evaluation --------------------------------------------------------------------------------------------------- */

static lam_status evaluate_batches(trainer *t, const lam_evaluation *e, lam_elbo_f32 *elbo, lam_walk *walk)
{
    lam_elbo_call_f32 call = { .params = e->params, .pixels = t->pixels, .beta = 1,
        .solve = lam_config_solve(t->cfg, 0, e->h_star),
        .noise = { .kind = t->cfg->divergence, .seed = t->cfg->seed, .purpose = LAM_DRAW_PROBE_EVAL },
        .draw = LAM_DRAW_LATENT_EVAL };
    call.solve.keep_h_star = e->keep_h_star;
    while (lam_walk_next(walk)) {
        lam_elbo_terms terms;
        size_t first = walk->first;
        call.rows = walk->n;
        call.noise.first_row = first;
        lam_image_data_range(t->data, t->cfg, e->part, walk->index, first, call.rows, t->pixels);
        lam_status status = lam_elbo_forward_f32(elbo, &call, t->row, &terms);
        if (status != LAM_OK)
            return lam_fail_in(status, "%s images %zu to %zu%s", e->part == LAM_VALID ? "validation" : "test", first + 1,
                first + call.rows, walk->index != NULL ? " of a sample" : "");
        for (size_t i = 0; i < call.rows; i++)
            t->row[i] = -t->row[i];
        lam_counts_add(&walk->out->counts, &terms.counts);
        LAM_TRY(lam_walk_take(walk, terms.negative_elbo * (double)call.rows, t->row));
    }
    return LAM_OK;
}

static lam_status evaluate(void *self, const lam_evaluation *e, lam_evaluated *out)
{
    trainer *t = self;
    lam_walk walk;
    int exact = e->exact || t->cfg->val_divergence == LAM_VAL_EXACT
        || (t->cfg->val_divergence == LAM_VAL_AUTO && t->layout->latent <= LAM_EXACT_DIM);
    const lam_elbo_options options = elbo_options(t, evaluation_rows(t), 0, exact);
    exact = options.trace == LAM_TRACE_EXACT;
    if (t->evaluate[exact] == NULL)
        LAM_TRY(lam_comm_agree(t->comm, lam_elbo_create_f32(t->layout, t->cfg, t->pool, &options, &t->evaluate[exact])));
    LAM_TRY(lam_walk_begin(&walk, e, t->cfg, t->layout->blocks, lam_image_data_rows(t->data, e->part), evaluation_rows(t), out));
    out->exact = exact;
    lam_status status = evaluate_batches(t, e, t->evaluate[exact], &walk);
    lam_walk_end(&walk, status);
    return status;
}

/* ---- the record of functions -------------------------------------------------------------------------------------- */

static void to_double(const void *params, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (double)((const float *)params)[i];
}

static void from_double(const double *params, size_t n, void *out)
{
    for (size_t i = 0; i < n; i++)
        ((float *)out)[i] = (float)params[i];
}

lam_status lam_vae_trainer_create(const lam_config *cfg, const lam_vae_layout *layout, const lam_parameter_map *map,
    const lam_image_data *data, lam_pool *pool, const lam_comm *comm, lam_trainer *out)
{
    trainer *t = lam_alloc(1, sizeof *t);
    if (t == NULL)
        return LAM_ERR_MEMORY;
    t->cfg = cfg;
    t->layout = layout;
    t->data = data;
    t->pool = pool;
    t->comm = comm;
    lam_status status = allocate(t, map);
    if (status != LAM_OK) {
        free_trainer(t);
        return status;
    }
    *out = (lam_trainer) { .self = t, .step = step, .evaluate = evaluate, .to_double = to_double, .from_double = from_double,
        .free = free_trainer };
    return LAM_OK;
}
