/* Scores, reconstructions, samples and interpolations of a fitted auto-encoder. */
#define LAM_WIDTH 32
#include "base/counts.h"
#include "base/error.h"
#include "base/mem.h"
#include "vae/data.h"
#include "vae/elbo.h"
#include "vae/solve.h"
#include "vae/vae.h"
#include <math.h>
#include <string.h>

/* What a pass over images holds while it runs. */
typedef struct pass {
    const lam_vae *model;
    lam_eval_options options;
    lam_config cfg;      /* the model's, with the options' tolerances and instruction set; strings are borrowed */
    size_t batch, size;  /* rows of a batch; pixels of an image */
    lam_pool *pool;
    lam_elbo_f32 *elbo;
    lam_elbo_call_f32 call;
    unsigned char *pixels; /* [batch, size] */
    double *row, *z;       /* [batch] log-weights; [batch, latent] */
    float *logits;         /* [batch, size, 1 or 256] */
    double *h_star;        /* [blocks] */
} pass;

static void close_pass(pass *p)
{
    lam_elbo_free_f32(p->elbo);
    lam_pool_free(p->pool);
    lam_free(p->pixels);
    lam_free(p->row);
    lam_free(p->z);
    lam_free(p->logits);
    lam_free(p->h_star);
}

static void configure(pass *p)
{
    const lam_eval_options *o = &p->options;
    p->cfg = p->model->config;
    const lam_setting asked = lam_setting_asked(&p->cfg, o->atol, o->rtol);
    lam_setting_store(&p->cfg, &asked);
    p->cfg.divergence = o->divergence;
    p->cfg.isa = (char *)o->isa; /* only read */
    if (o->probe && p->cfg.first_step == LAM_STEP_WARM)
        p->cfg.first_step = LAM_STEP_PROBE;
}

static void remembered_steps(pass *p)
{
    const lam_vae *v = p->model;
    const lam_setting s = lam_config_setting(&p->cfg), test = lam_config_setting(&v->config);
    for (size_t b = 0; b < v->layout.blocks; b++)
        p->h_star[b] = lam_setting_first_step(&v->config, &s, v->h_star_test[b], &test, v->h_star_train[b]);
}

/* rows: as many as there will be, so that room for more than a batch of them is not taken. */
static lam_status open_pass(pass *p, const lam_vae *model, const lam_eval_options *options, size_t rows)
{
    static const lam_eval_options plain;
    *p = (pass) { .model = model, .options = options != NULL ? *options : plain };
    configure(p);
    const lam_vae_layout *l = &model->layout;
    const lam_eval_options *o = &p->options;
    p->batch = o->batch_rows > 0 ? o->batch_rows : p->cfg.batch_size;
    p->batch = rows < p->batch && rows > 0 ? rows : p->batch;
    p->size = l->pixels;
    const lam_elbo_options elbo = { .max_rows = p->batch, .trace = lam_vae_trace(&p->cfg, 0) };
    LAM_TRY(lam_pool_create(o->threads, &p->pool));
    LAM_TRY(lam_elbo_create_f32(l, &p->cfg, p->pool, &elbo, &p->elbo));
    if ((p->pixels = lam_alloc(p->batch * p->size, 1)) == NULL || (p->row = lam_alloc(p->batch, sizeof *p->row)) == NULL
        || (p->z = lam_alloc(p->batch * l->latent, sizeof *p->z)) == NULL
        || (p->logits = lam_alloc(p->batch * l->decoder.out_count, sizeof *p->logits)) == NULL
        || (p->h_star = lam_alloc(l->blocks, sizeof *p->h_star)) == NULL)
        return LAM_ERR_MEMORY;
    remembered_steps(p);
    p->call = (lam_elbo_call_f32) { .params = model->params, .pixels = p->pixels, .beta = 1,
        .solve = lam_config_solve(&p->cfg, 0, p->h_star),
        .noise = { .kind = o->divergence, .seed = o->seed, .purpose = LAM_DRAW_PROBE_EVAL }, .draw = LAM_DRAW_LATENT_EVAL };
    return LAM_OK;
}

static lam_status tell(const pass *p, size_t done, size_t total)
{
    if (p->options.progress != NULL && p->options.progress(p->options.user, done, total) != 0)
        return lam_fail(LAM_ERR_INTERRUPTED, "stopped on request after %zu of %zu", done, total);
    return LAM_OK;
}

/* ---- scores ------------------------------------------------------------------------------------------------------- */

/* Means and squares over images, one after the other (Welford). */
typedef struct running {
    size_t n;
    double mean, square;
} running;

static void take(running *r, double value)
{
    double step = value - r->mean;
    r->mean += step / (double)++r->n;
    r->square += step * (value - r->mean);
}

static double standard_error(const running *r)
{
    return r->n > 1 ? sqrt(r->square / (double)(r->n - 1) / (double)r->n) : (double)NAN;
}

/* The numbers of images from `first` on; NULL: they are their own. */
static const size_t *from(const size_t *numbers, size_t first)
{
    return numbers != NULL ? numbers + first : NULL;
}

static lam_status score_once(pass *p, const unsigned char *pixels, const size_t *numbers, size_t n, lam_vae_scores *out)
{
    running elbo = { 0 };
    for (size_t first = 0; first < n; first += p->batch) {
        lam_elbo_terms terms;
        size_t rows = p->call.rows = n - first < p->batch ? n - first : p->batch;
        lam_image_levels(&p->cfg, pixels + first * p->size, from(numbers, first), first, rows, p->size, p->pixels);
        p->call.noise.first_row = first;
        LAM_TRY(lam_elbo_forward_f32(p->elbo, &p->call, p->row, &terms));
        for (size_t i = 0; i < rows; i++)
            take(&elbo, -p->row[i]);
        out->reconstruction += terms.reconstruction * (double)rows / (double)n;
        out->kl += terms.kl * (double)rows / (double)n;
        lam_counts_add(&out->counts, &terms.counts);
        LAM_TRY(tell(p, first + rows, n));
    }
    out->negative_elbo = elbo.mean;
    out->negative_elbo_se = standard_error(&elbo);
    return LAM_OK;
}

/* exp(log-weights) relative to the largest so far: their sum and the sum of their squares. */
typedef struct weights {
    double largest, sum, squares;
} weights;

static void add_weight(weights *w, double log_weight)
{
    if (log_weight > w->largest) {
        double shrink = exp(w->largest - log_weight);
        w->sum *= shrink;
        w->squares *= shrink * shrink;
        w->largest = log_weight;
    }
    double weight = exp(log_weight - w->largest);
    w->sum += weight;
    w->squares += weight * weight;
}

/* log of the mean weight of one image, and the variance of that by the delta method. */
static lam_status weigh(pass *p, const unsigned char *image, size_t number, size_t samples, size_t done, size_t total,
    double *log_mean, double *variance, double *elbo, lam_counts *counts)
{
    weights w = { .largest = -INFINITY };
    double sum = 0;
    for (size_t i = 0; i < p->batch; i++)
        lam_image_levels(&p->cfg, image, NULL, number, 1, p->size, p->pixels + i * p->size);
    p->call.noise.stream = number;
    for (size_t first = 0; first < samples; first += p->batch) {
        lam_elbo_terms terms;
        p->call.rows = samples - first < p->batch ? samples - first : p->batch;
        p->call.noise.first_row = first;
        LAM_TRY(lam_elbo_forward_f32(p->elbo, &p->call, p->row, &terms));
        for (size_t i = 0; i < p->call.rows; i++) {
            add_weight(&w, p->row[i]);
            sum += p->row[i];
        }
        lam_counts_add(counts, &terms.counts);
        LAM_TRY(tell(p, done + first + p->call.rows, total));
    }
    double s = (double)samples, mean = w.sum / s;
    *log_mean = w.largest + log(mean);
    *variance = fmax(0, w.squares / s / (mean * mean) - 1) / s;
    *elbo = sum / s;
    return LAM_OK;
}

static lam_status score_weighted(pass *p, const unsigned char *pixels, const size_t *numbers, size_t n, size_t samples,
    lam_vae_scores *out)
{
    running likelihood = { 0 }, elbo = { 0 };
    double variances = 0;
    for (size_t i = 0; i < n; i++) {
        double log_mean, variance, image_elbo;
        LAM_TRY(weigh(p, pixels + i * p->size, numbers != NULL ? numbers[i] : i, samples, i * samples, n * samples, &log_mean, &variance,
            &image_elbo, &out->counts));
        take(&likelihood, log_mean);
        take(&elbo, -image_elbo);
        variances += variance;
    }
    out->samples = samples;
    out->log_likelihood = likelihood.mean;
    out->log_likelihood_se = standard_error(&likelihood);
    out->sampling_se = sqrt(variances) / (double)n;
    out->negative_elbo = elbo.mean;
    out->negative_elbo_se = standard_error(&elbo);
    out->reconstruction = out->kl = (double)NAN;
    return LAM_OK;
}

lam_status lam_vae_score(const lam_vae *model, const lam_eval_options *options, const unsigned char *pixels,
    const size_t *numbers, size_t n, size_t samples, lam_vae_scores *out)
{
    pass p;
    if (model == NULL || pixels == NULL || n == 0 || out == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "lam_vae_score needs a model, images and a place for the scores");
    if (samples > 0 && options != NULL && options->divergence != LAM_DIV_EXACT && model->layout.has_flow)
        return lam_fail(LAM_ERR_ARGUMENT, "the importance-weighted estimate wants the exact trace: exp of an estimated one is too "
            "large on average");
    *out = (lam_vae_scores) { .images = n, .log_likelihood = (double)NAN, .log_likelihood_se = (double)NAN,
        .sampling_se = (double)NAN };
    lam_status status = open_pass(&p, model, options, samples > 0 ? samples : n);
    if (status == LAM_OK)
        status = samples > 0 ? score_weighted(&p, pixels, numbers, n, samples, out)
                             : score_once(&p, pixels, numbers, n, out);
    close_pass(&p);
    return status;
}

/* ---- pictures ----------------------------------------------------------------------------------------------------- */

/* Mean of a pixel, 0 to 1, from its logits. */
static double mean_of(const float *logits, size_t levels)
{
    double sum = 0, weighted = 0, largest = -INFINITY;
    if (levels == 2)
        return 1 / (1 + exp(-(double)logits[0]));
    for (size_t k = 0; k < levels; k++)
        largest = fmax(largest, (double)logits[k]);
    for (size_t k = 0; k < levels; k++) {
        double weight = exp((double)logits[k] - largest);
        sum += weight;
        weighted += weight * (double)k;
    }
    return weighted / sum / (double)(levels - 1);
}

/* Means of the images of p->z [rows, latent]. */
static lam_status draw(pass *p, size_t rows, double *out)
{
    size_t levels = p->model->layout.levels, each = levels == 2 ? 1 : levels;
    LAM_TRY(lam_elbo_decode_f32(p->elbo, p->model->params, p->z, rows, p->logits));
    for (size_t i = 0; i < rows * p->size; i++)
        out[i] = mean_of(p->logits + i * each, levels);
    return LAM_OK;
}

/* z_K of rows of images: through draws of e by the options' seed, or (with_noise 0) from the means. */
static lam_status encode(pass *p, const unsigned char *pixels, const size_t *numbers, size_t rows, size_t first, int with_noise)
{
    size_t d = p->model->layout.latent;
    lam_elbo_terms terms = { 0 };
    p->call.rows = rows;
    p->call.noise.first_row = first;
    lam_image_levels(&p->cfg, pixels, numbers, first, rows, p->size, p->pixels);
    memset(p->z, 0, rows * d * sizeof *p->z);
    for (size_t i = 0; i < rows && with_noise; i++)
        lam_random_normal_row(p->options.seed, LAM_DRAW_LATENT_EVAL, 0, first + i, p->z + i * d, d);
    LAM_TRY(lam_elbo_encode_f32(p->elbo, &p->call));
    return lam_elbo_push_f32(p->elbo, &p->call, p->z, p->z, &terms);
}

static lam_status reconstruct(pass *p, const unsigned char *pixels, const size_t *numbers, size_t n, double *out)
{
    for (size_t first = 0; first < n; first += p->batch) {
        size_t rows = n - first < p->batch ? n - first : p->batch;
        LAM_TRY(encode(p, pixels + first * p->size, from(numbers, first), rows, first, 1));
        LAM_TRY(draw(p, rows, out + first * p->size));
        LAM_TRY(tell(p, first + rows, n));
    }
    return LAM_OK;
}

lam_status lam_vae_reconstruct(const lam_vae *model, const lam_eval_options *options, const unsigned char *pixels,
    const size_t *numbers, size_t n, double *out)
{
    pass p;
    if (model == NULL || pixels == NULL || out == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "lam_vae_reconstruct needs a model, images and room for as many");
    lam_status status = open_pass(&p, model, options, n);
    if (status == LAM_OK)
        status = reconstruct(&p, pixels, numbers, n, out);
    close_pass(&p);
    return status;
}

static lam_status sample(pass *p, uint64_t seed, size_t n, double *out)
{
    size_t d = p->model->layout.latent;
    for (size_t first = 0; first < n; first += p->batch) {
        size_t rows = n - first < p->batch ? n - first : p->batch;
        for (size_t i = 0; i < rows; i++)
            lam_random_normal_row(seed, LAM_DRAW_SAMPLE, 0, first + i, p->z + i * d, d);
        LAM_TRY(draw(p, rows, out + first * p->size));
        LAM_TRY(tell(p, first + rows, n));
    }
    return LAM_OK;
}

lam_status lam_vae_sample(const lam_vae *model, const lam_eval_options *options, uint64_t seed, size_t n, double *out)
{
    pass p;
    if (model == NULL || out == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "lam_vae_sample needs a model and room for the images");
    lam_status status = open_pass(&p, model, options, n);
    if (status == LAM_OK)
        status = sample(&p, seed, n, out);
    close_pass(&p);
    return status;
}

static lam_status interpolate(pass *p, const unsigned char *a, const unsigned char *b, size_t n, double *out)
{
    size_t d = p->model->layout.latent;
    double *ends = lam_alloc(2 * d, sizeof *ends);
    if (ends == NULL)
        return LAM_ERR_MEMORY;
    lam_status status = encode(p, a, NULL, 1, 0, 0);
    memcpy(ends, p->z, d * sizeof *ends);
    if (status == LAM_OK)
        status = encode(p, b, NULL, 1, 1, 0);
    memcpy(ends + d, p->z, d * sizeof *ends);
    for (size_t i = 0; status == LAM_OK && i < n; i++) {
        double share = n > 1 ? (double)i / (double)(n - 1) : 0;
        for (size_t j = 0; j < d; j++)
            p->z[j] = (1 - share) * ends[j] + share * ends[d + j];
        status = draw(p, 1, out + i * p->size);
        if (status == LAM_OK)
            status = tell(p, i + 1, n);
    }
    lam_free(ends);
    return status;
}

lam_status lam_vae_interpolate(const lam_vae *model, const lam_eval_options *options, const unsigned char *a,
    const unsigned char *b, size_t n, double *out)
{
    pass p;
    if (model == NULL || a == NULL || b == NULL || out == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "lam_vae_interpolate needs a model, two images and room for the steps");
    lam_status status = open_pass(&p, model, options, 1);
    if (status == LAM_OK)
        status = interpolate(&p, a, b, n, out);
    close_pass(&p);
    return status;
}
