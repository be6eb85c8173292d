/* From images to z and back, with a fitted auto-encoder: codes, reconstructions, samples and interpolations. */
#include "vae/pass.h"
#include "base/error.h"
#include "base/need.h"
#include "base/mem.h"
#include "base/random.h"
#include "vae/data.h"
#include <math.h>
#include <string.h>

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
static lam_status decode(lam_vae_pass *p, size_t rows, double *out)
{
    size_t levels = p->model->layout.levels, each = levels == 2 ? 1 : levels;
    LAM_TRY(lam_elbo_decode_f32(p->elbo, p->model->params, p->z, rows, p->logits));
    for (size_t i = 0; i < rows * p->size; i++)
        out[i] = mean_of(p->logits + i * each, levels);
    return LAM_OK;
}

/* z_K of rows of images: through draws of e by the options' seed, or (draw 0) from the means. */
static lam_status encode(lam_vae_pass *p, const unsigned char *pixels, const size_t *numbers, size_t rows, size_t first, int draw)
{
    size_t d = p->model->layout.latent;
    lam_elbo_terms terms = { 0 };
    p->call.rows = rows;
    p->call.noise.first_row = first;
    lam_image_levels(&p->cfg, pixels, numbers, first, rows, p->size, p->pixels);
    memset(p->z, 0, rows * d * sizeof *p->z);
    for (size_t i = 0; i < rows && draw; i++)
        lam_random_normal_row(p->options.seed, LAM_DRAW_LATENT_EVAL, 0, first + i, p->z + i * d, d);
    LAM_TRY(lam_elbo_encode_f32(p->elbo, &p->call));
    return lam_elbo_push_f32(p->elbo, &p->call, p->z, p->z, &terms);
}

/* ---- codes -------------------------------------------------------------------------------------------------------- */

static lam_status encode_all(lam_vae_pass *p, const unsigned char *pixels, const size_t *numbers, size_t n, int draw, double *z)
{
    size_t d = p->model->layout.latent;
    for (size_t first = 0; first < n; first += p->batch) {
        size_t rows = lam_vae_pass_rows(p, first, n);
        LAM_TRY(encode(p, pixels + first * p->size, lam_vae_numbers(numbers, first), rows, first, draw));
        memcpy(z + first * d, p->z, rows * d * sizeof *z);
        LAM_TRY(lam_vae_pass_tell(p, first + rows, n));
    }
    return LAM_OK;
}

lam_status lam_vae_encode(const lam_vae *model, const lam_eval_options *options, const unsigned char *pixels,
    const size_t *numbers, size_t n, int draw, double *z)
{
    LAM_NEED(model, "model");
    LAM_NEED_IF(n > 0, pixels, "pixels");
    LAM_NEED_IF(n > 0, z, "z");
    lam_vae_pass p;
    if (model == NULL || pixels == NULL || z == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "lam_vae_encode needs a model, images and room for their codes");
    lam_status status = lam_vae_pass_open(&p, model, options, NULL, n);
    if (status == LAM_OK)
        status = encode_all(&p, pixels, numbers, n, draw, z);
    lam_vae_pass_close(&p);
    return status;
}

static lam_status check_codes(const double *z, size_t n, size_t d)
{
    for (size_t i = 0; i < n * d; i++)
        if (!isfinite(z[i]))
            return lam_fail(LAM_ERR_DATA, "row %zu: z%zu is %s; leave such rows out", i / d + 1, i % d + 1,
                isnan(z[i]) ? "NaN" : "infinite");
    return LAM_OK;
}

static lam_status decode_all(lam_vae_pass *p, const double *z, size_t n, double *out)
{
    size_t d = p->model->layout.latent;
    LAM_TRY(check_codes(z, n, d));
    for (size_t first = 0; first < n; first += p->batch) {
        size_t rows = lam_vae_pass_rows(p, first, n);
        memcpy(p->z, z + first * d, rows * d * sizeof *z);
        LAM_TRY(decode(p, rows, out + first * p->size));
        LAM_TRY(lam_vae_pass_tell(p, first + rows, n));
    }
    return LAM_OK;
}

lam_status lam_vae_decode(const lam_vae *model, const lam_eval_options *options, const double *z, size_t n, double *out)
{
    LAM_NEED(model, "model");
    LAM_NEED_IF(n > 0, z, "z");
    LAM_NEED_IF(n > 0, out, "out");
    lam_vae_pass p;
    if (model == NULL || z == NULL || out == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "lam_vae_decode needs a model, codes and room for the images");
    lam_status status = lam_vae_pass_open(&p, model, options, NULL, n);
    if (status == LAM_OK)
        status = decode_all(&p, z, n, out);
    lam_vae_pass_close(&p);
    return status;
}

/* ---- pictures ----------------------------------------------------------------------------------------------------- */

static lam_status reconstruct(lam_vae_pass *p, const unsigned char *pixels, const size_t *numbers, size_t n, double *out)
{
    for (size_t first = 0; first < n; first += p->batch) {
        size_t rows = lam_vae_pass_rows(p, first, n);
        LAM_TRY(encode(p, pixels + first * p->size, lam_vae_numbers(numbers, first), rows, first, 1));
        LAM_TRY(decode(p, rows, out + first * p->size));
        LAM_TRY(lam_vae_pass_tell(p, first + rows, n));
    }
    return LAM_OK;
}

lam_status lam_vae_reconstruct(const lam_vae *model, const lam_eval_options *options, const unsigned char *pixels,
    const size_t *numbers, size_t n, double *out)
{
    LAM_NEED(model, "model");
    LAM_NEED_IF(n > 0, pixels, "pixels");
    LAM_NEED_IF(n > 0, out, "out");
    lam_vae_pass p;
    if (model == NULL || pixels == NULL || out == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "lam_vae_reconstruct needs a model, images and room for as many");
    lam_status status = lam_vae_pass_open(&p, model, options, NULL, n);
    if (status == LAM_OK)
        status = reconstruct(&p, pixels, numbers, n, out);
    lam_vae_pass_close(&p);
    return status;
}

static lam_status sample(lam_vae_pass *p, uint64_t seed, size_t n, double *out)
{
    size_t d = p->model->layout.latent;
    for (size_t first = 0; first < n; first += p->batch) {
        size_t rows = lam_vae_pass_rows(p, first, n);
        for (size_t i = 0; i < rows; i++)
            lam_random_normal_row(seed, LAM_DRAW_SAMPLE, 0, first + i, p->z + i * d, d);
        LAM_TRY(decode(p, rows, out + first * p->size));
        LAM_TRY(lam_vae_pass_tell(p, first + rows, n));
    }
    return LAM_OK;
}

lam_status lam_vae_sample(const lam_vae *model, const lam_eval_options *options, uint64_t seed, size_t n, double *out)
{
    LAM_NEED(model, "model");
    LAM_NEED_IF(n > 0, out, "out");
    lam_vae_pass p;
    if (model == NULL || out == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "lam_vae_sample needs a model and room for the images");
    lam_status status = lam_vae_pass_open(&p, model, options, NULL, n);
    if (status == LAM_OK)
        status = sample(&p, seed, n, out);
    lam_vae_pass_close(&p);
    return status;
}

static lam_status interpolate(lam_vae_pass *p, const unsigned char *pixels, const size_t *numbers, size_t n, double *out)
{
    size_t d = p->model->layout.latent;
    double *ends = lam_alloc(2 * d, sizeof *ends);
    if (ends == NULL)
        return LAM_ERR_MEMORY;
    lam_status status = LAM_OK;
    for (size_t k = 0; status == LAM_OK && k < 2; k++) {
        status = encode(p, pixels + k * p->size, lam_vae_numbers(numbers, k), 1, k, 0);
        memcpy(ends + k * d, p->z, d * sizeof *ends);
    }
    for (size_t i = 0; status == LAM_OK && i < n; i++) {
        double share = n > 1 ? (double)i / (double)(n - 1) : 0;
        for (size_t j = 0; j < d; j++)
            p->z[j] = (1 - share) * ends[j] + share * ends[d + j];
        status = decode(p, 1, out + i * p->size);
        if (status == LAM_OK)
            status = lam_vae_pass_tell(p, i + 1, n);
    }
    lam_free(ends);
    return status;
}

lam_status lam_vae_interpolate(const lam_vae *model, const lam_eval_options *options, const unsigned char *pixels,
    const size_t *numbers, size_t n, double *out)
{
    LAM_NEED(model, "model");
    LAM_NEED(pixels, "pixels");
    LAM_NEED(out, "out");
    lam_vae_pass p;
    lam_status status = lam_vae_pass_open(&p, model, options, NULL, 1);
    if (status == LAM_OK)
        status = interpolate(&p, pixels, numbers, n, out);
    lam_vae_pass_close(&p);
    return status;
}
