/* Scores of images by a fitted auto-encoder: the evidence lower bound, and the importance-weighted log-likelihood. */
#include "vae/pass.h"
#include "base/counts.h"
#include "base/error.h"
#include "base/need.h"
#include "base/stats.h"
#include "vae/data.h"
#include <math.h>
#include <string.h>

static lam_status score_once(lam_vae_pass *p, const unsigned char *pixels, const size_t *numbers, size_t n, double *each,
    lam_vae_scores *out)
{
    lam_running elbo = { 0 };
    for (size_t first = 0; first < n; first += p->batch) {
        lam_elbo_terms terms;
        size_t rows = p->call.rows = lam_vae_pass_rows(p, first, n);
        lam_image_levels(&p->cfg, pixels + first * p->size, lam_vae_numbers(numbers, first), first, rows, p->size, p->pixels);
        p->call.noise.first_row = first;
        LAM_TRY(lam_elbo_forward_f32(p->elbo, &p->call, p->row, &terms));
        for (size_t i = 0; i < rows; i++)
            lam_running_add(&elbo, -p->row[i]);
        if (each != NULL)
            memcpy(each + first, p->row, rows * sizeof *each);
        out->reconstruction += terms.reconstruction * (double)rows / (double)n;
        out->kl += terms.kl * (double)rows / (double)n;
        lam_counts_add(&out->counts, &terms.counts);
        LAM_TRY(lam_vae_pass_tell(p, first + rows, n));
    }
    out->negative_elbo = elbo.mean;
    out->negative_elbo_se = lam_running_se(&elbo);
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

/* Of one image: log of the mean weight; the variance of that by the delta method, with the weights' sample variance; how many
 * samples of equal weight have it; the mean log-weight. */
typedef struct weighed {
    double log_mean, variance, effective, elbo;
} weighed;

static lam_status weigh(lam_vae_pass *p, const unsigned char *image, size_t number, size_t samples, size_t done, size_t total,
    weighed *out, lam_counts *counts)
{
    weights w = { .largest = -INFINITY };
    double sum = 0;
    for (size_t i = 0; i < p->batch; i++)
        lam_image_levels(&p->cfg, image, NULL, number, 1, p->size, p->pixels + i * p->size);
    p->call.noise.stream = number;
    for (size_t first = 0; first < samples; first += p->batch) {
        lam_elbo_terms terms;
        p->call.rows = lam_vae_pass_rows(p, first, samples);
        p->call.noise.first_row = first;
        LAM_TRY(lam_elbo_forward_f32(p->elbo, &p->call, p->row, &terms));
        for (size_t i = 0; i < p->call.rows; i++) {
            add_weight(&w, p->row[i]);
            sum += p->row[i];
        }
        lam_counts_add(counts, &terms.counts);
        LAM_TRY(lam_vae_pass_tell(p, done + first + p->call.rows, total));
    }
    double s = (double)samples, mean = w.sum / s;
    out->log_mean = w.largest + log(mean);
    out->variance = samples > 1 ? fmax(0, w.squares / s / (mean * mean) - 1) / (s - 1) : (double)NAN;
    out->effective = w.sum * w.sum / w.squares;
    out->elbo = sum / s;
    return LAM_OK;
}

static lam_status score_weighted(lam_vae_pass *p, const unsigned char *pixels, const size_t *numbers, size_t n, size_t samples,
    double *each, lam_vae_scores *out)
{
    lam_running likelihood = { 0 }, elbo = { 0 };
    double variances = 0, effective = 0;
    for (size_t i = 0; i < n; i++) {
        weighed image;
        LAM_TRY(weigh(p, pixels + i * p->size, numbers != NULL ? numbers[i] : i, samples, i * samples, n * samples, &image, &out->counts));
        lam_running_add(&likelihood, image.log_mean);
        if (each != NULL)
            each[i] = image.log_mean;
        lam_running_add(&elbo, -image.elbo);
        variances += image.variance;
        effective += image.effective;
    }
    out->samples = samples;
    out->log_likelihood = likelihood.mean;
    out->log_likelihood_se = lam_running_se(&likelihood);
    out->sampling_se = sqrt(variances) / (double)n;
    out->effective_samples = effective / (double)n;
    out->negative_elbo = elbo.mean;
    out->negative_elbo_se = lam_running_se(&elbo);
    out->reconstruction = out->kl = (double)NAN;
    return LAM_OK;
}

lam_status lam_vae_score(const lam_vae *model, const lam_eval_options *options, const unsigned char *pixels,
    const size_t *numbers, size_t n, size_t samples, double *each, lam_vae_scores *out)
{
    LAM_NEED(model, "model");
    LAM_NEED_IF(n > 0, pixels, "pixels");
    LAM_NEED(out, "out");
    lam_vae_pass p;
    if (model == NULL || pixels == NULL || n == 0 || out == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "lam_vae_score needs a model, images and a place for the scores");
    if (samples > 0 && options != NULL && options->divergence != LAM_DIV_EXACT && model->layout.has_flow)
        return lam_fail(LAM_ERR_ARGUMENT, "the importance-weighted estimate needs the exact trace: exp of an estimated one is too "
            "large on average");
    *out = (lam_vae_scores) { .images = n, .log_likelihood = (double)NAN, .log_likelihood_se = (double)NAN,
        .sampling_se = (double)NAN, .effective_samples = (double)NAN };
    const lam_comm *comm = options != NULL ? options->comm : NULL;
    lam_status status = lam_comm_agree(comm, lam_vae_pass_open(&p, model, options, comm, samples > 0 ? samples : n));
    if (status == LAM_OK)
        status = samples > 0 ? score_weighted(&p, pixels, numbers, n, samples, each, out)
                             : score_once(&p, pixels, numbers, n, each, out);
    lam_vae_pass_close(&p);
    return status;
}
