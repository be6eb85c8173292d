/* Training steps of an auto-encoder on made-up images: seconds by part, and the problem as a file. */
#define LAM_WIDTH 32
#include "base/clock.h"
#include "base/error.h"
#include "base/need.h"
#include "base/mem.h"
#include "penalty/tpr.h"
#include "report/bench.h"
#include "vae/elbo.h"
#include "vae/solve.h"
#include "vae/norm.h"
#include "vae/vae.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

_Static_assert((int)LAM_PART_ENCODER == LAM_ELBO_ENCODER && (int)LAM_PART_MAPS == LAM_ELBO_MAPS
        && (int)LAM_PART_FLOW_FORWARD == LAM_ELBO_FLOW_FORWARD && (int)LAM_PART_FLOW_REVERSE == LAM_ELBO_FLOW_REVERSE
        && (int)LAM_PART_DECODER == LAM_ELBO_DECODER && (int)LAM_PART_UPDATE == LAM_ELBO_PHASES,
    "the parts of a step begin as those of the bound");

enum { MOST_STEPS = 1000 };

typedef struct problem {
    lam_vae *model;
    lam_measure_options options;
    double times[LAM_MAX_TPR_TIMES]; /* on [0, 1] */
    uint8_t *pixels;                 /* [batch, pixels] levels */
    double *draws;                   /* [batch, latent] of z_0 */
    /* of a measurement */
    lam_pool *pool;
    lam_elbo_f32 *elbo;
    lam_vae_norm norm;
    lam_parameter_map map;
    lam_memory memory_of[LAM_MEMORIES];
    void *memory[LAM_MEMORIES]; /* the optimiser's */
    lam_stepper_f32 *stepper;
    float *grad;                     /* [parameters] */
    double part[LAM_VAE_PARTS];      /* seconds of the last step */
    uint64_t done;
    lam_elbo_terms terms;
} problem;

/* ---- the problem -------------------------------------------------------------------------------------------------- */

/* An ellipse, turned and somewhere near the middle. */
static void draw_image(const lam_vae_layout *l, uint64_t seed, uint64_t image, uint8_t *pixels)
{
    double u[5], h = (double)l->height, w = (double)l->width;
    for (uint64_t i = 0; i < 5; i++)
        u[i] = lam_random_uniform(seed, LAM_DRAW_SAMPLE, image, i);
    double cos_turn = cos(3.14159265358979 * u[4]), sin_turn = sin(3.14159265358979 * u[4]);
    for (size_t i = 0; i < l->pixels; i++) {
        double y = (double)(i / l->width) - h * (0.3 + 0.4 * u[0]), x = (double)(i % l->width) - w * (0.3 + 0.4 * u[1]);
        double a = (cos_turn * x + sin_turn * y) / (w * (0.15 + 0.25 * u[2]));
        double b = (cos_turn * y - sin_turn * x) / (h * (0.15 + 0.25 * u[3]));
        double grey = 40 + 180 * exp(-a * a - b * b) + 16 * lam_random_uniform(seed, LAM_DRAW_SAMPLE, image, 5 + i);
        pixels[i] = (uint8_t)(l->levels == 2 ? a * a + b * b < 1 : grey);
    }
}

static void scale_weights(lam_vae *m, double scale)
{
    const lam_vae_layout *l = &m->layout;
    size_t flow = l->has_flow ? l->flow.blocks * l->flow.field.parameters : 0; /* beta and end times stay */
    for (size_t i = l->at_maps; i < l->at_decoder; i++)
        m->params[i] *= (float)scale;
    for (size_t i = l->at_flow; i < l->at_flow + flow; i++)
        m->params[i] *= (float)scale;
}

static void draw_rows(problem *p)
{
    const lam_config *cfg = &p->model->config;
    size_t latent = cfg->latent;
    for (size_t i = 0; i < cfg->batch_size; i++) {
        draw_image(&p->model->layout, cfg->seed, i, p->pixels + i * p->model->layout.pixels);
        lam_random_normal_row(cfg->seed, LAM_DRAW_LATENT, 0, i, p->draws + i * latent, latent);
        for (size_t j = 0; j < latent; j++) /* numbers that a float holds, for other programs */
            p->draws[i * latent + j] = (double)(float)p->draws[i * latent + j];
    }
}

static void close_problem(problem *p)
{
    lam_elbo_free_f32(p->elbo);
    lam_vae_norm_clear(&p->norm);
    lam_stepper_free_f32(p->stepper);
    lam_free(p->map.matrix);
    lam_pool_free(p->pool);
    lam_free(p->grad);
    for (size_t i = 0; i < LAM_MEMORIES; i++)
        lam_free(p->memory[i]);
    lam_free(p->pixels);
    lam_free(p->draws);
    lam_vae_free(p->model);
}

static lam_status open_problem(const lam_config *cfg, size_t height, size_t width, const lam_measure_options *options,
    problem *p)
{
    memset(p, 0, sizeof *p);
    if (cfg == NULL || cfg->model != LAM_VAE)
        return lam_fail(LAM_ERR_ARGUMENT, "a step of an auto-encoder is measured with a configuration whose model is vae");
    p->options = lam_bench_defaults(options);
    if (cfg->tpr_coefficient > 0)
        LAM_TRY(lam_tpr_check(cfg->tpr_times, cfg->tpr_degree));
    for (size_t j = 0; cfg->tpr_coefficient > 0 && j < cfg->tpr_times; j++)
        p->times[j] = (double)j / (double)(cfg->tpr_times - 1);
    LAM_TRY(lam_vae_create(cfg, height, width, &p->model));
    cfg = &p->model->config;
    p->pixels = lam_alloc(cfg->batch_size * p->model->layout.pixels, 1);
    p->draws = lam_alloc(cfg->batch_size * cfg->latent, sizeof *p->draws);
    if (p->pixels == NULL || p->draws == NULL) {
        close_problem(p);
        return LAM_ERR_MEMORY;
    }
    scale_weights(p->model, p->options.weight_scale);
    draw_rows(p);
    return LAM_OK;
}

/* ---- steps -------------------------------------------------------------------------------------------------------- */

static lam_status prepare(problem *p)
{
    const lam_config *cfg = &p->model->config;
    const lam_vae_layout *l = &p->model->layout;
    const lam_elbo_options options = { .max_rows = cfg->batch_size, .gradients = 1, .trace = lam_vae_trace(cfg, 0),
        .phases = p->part };
    LAM_TRY(lam_pool_create(cfg->threads, &p->pool));
    LAM_TRY(lam_vae_norm_create(p->pool, l->trained, &p->norm));
    p->grad = lam_alloc(l->parameters, sizeof *p->grad);
    if (p->grad == NULL)
        return LAM_ERR_MEMORY;
    LAM_TRY(lam_vae_layout_map(l, &p->map));
    size_t memories = lam_optimizer_memories(cfg->optimizer, &p->map, p->memory_of);
    for (size_t i = 0; i < memories; i++)
        if ((p->memory[i] = lam_alloc(p->memory_of[i].count, sizeof(float))) == NULL)
            return LAM_ERR_MEMORY;
    LAM_TRY(lam_stepper_create_f32(cfg->optimizer, &p->map, p->pool, cfg->isa, &p->stepper));
    return lam_elbo_create_f32(l, cfg, p->pool, &options, &p->elbo);
}

static lam_status step(problem *p)
{
    const lam_config *cfg = &p->model->config;
    lam_elbo_call_f32 call = { .params = p->model->params, .pixels = p->pixels, .rows = cfg->batch_size, .beta = 1,
        .solve = lam_config_solve(cfg, 1, p->model->h_star_train),
        .noise = { .kind = cfg->divergence, .seed = cfg->seed, .purpose = LAM_DRAW_PROBE }, .given = p->draws,
        .penalty = lam_penalty_of(cfg, 0) };
    call.penalty.given_times = p->times;
    call.solve.keep_h_star = 1;
    memset(p->part, 0, sizeof p->part);
    LAM_TRY(lam_elbo_forward_f32(p->elbo, &call, NULL, &p->terms));
    LAM_TRY(lam_elbo_backward_f32(p->elbo, &call, p->grad, &p->terms));
    double start = lam_clock();
    const lam_update update = { .weight_decay = fmax(0, cfg->weight_decay), .step = ++p->done, .trained = p->model->layout.trained,
        .norm = lam_vae_norm_of(&p->norm, p->grad), .clip = cfg->clip };
    lam_stepper_apply_f32(p->stepper, &update, p->grad, p->memory, p->model->params);
    p->part[LAM_PART_UPDATE] = lam_clock() - start;
    return LAM_OK;
}

/* times [LAM_VAE_PARTS + 1][MOST_STEPS], the whole step last. The first step is not measured: it warms caches, and steps that start
 * from memory have none before it. */
static lam_status run_steps(problem *p, double *times, size_t *n)
{
    double spent = 0;
    LAM_TRY(step(p));
    for (*n = 0; *n < MOST_STEPS && (*n < p->options.repeats || spent < p->options.seconds); ++*n) {
        double start = lam_clock();
        LAM_TRY(step(p));
        double one = lam_clock() - start;
        for (size_t i = 0; i < LAM_VAE_PARTS; i++)
            times[i * MOST_STEPS + *n] = p->part[i];
        times[LAM_VAE_PARTS * MOST_STEPS + *n] = one;
        spent += one;
    }
    return LAM_OK;
}

static void fill(const problem *p, double *times, size_t n, lam_vae_figures *out)
{
    const lam_elbo_terms *t = &p->terms;
    double *whole = times + LAM_VAE_PARTS * MOST_STEPS;
    *out = (lam_vae_figures) { .repeats = n, .parameters = p->model->layout.trained, .loss = t->loss,
        .negative_elbo = t->negative_elbo, .reconstruction = t->reconstruction, .kl = t->kl,
        .tpr = lam_terms_value(&t->penalty_terms, "tpr"), .counts = t->counts };
    for (size_t i = 0; i < LAM_VAE_PARTS; i++)
        out->part[i] = lam_bench_median(times + i * MOST_STEPS, n);
    out->seconds = lam_bench_median(whole, n);
    out->fastest = whole[0];
}

lam_status lam_measure_vae(const lam_config *cfg, size_t height, size_t width, const lam_measure_options *options,
    lam_vae_figures *out)
{
    LAM_NEED(cfg, "cfg");
    LAM_NEED(out, "out");
    problem p;
    size_t n = 0;
    LAM_TRY(open_problem(cfg, height, width, options, &p));
    double *times = lam_alloc((LAM_VAE_PARTS + 1) * MOST_STEPS, sizeof *times);
    lam_status status = times == NULL ? LAM_ERR_MEMORY : prepare(&p);
    if (status == LAM_OK)
        status = run_steps(&p, times, &n);
    if (status == LAM_OK)
        fill(&p, times, n, out);
    lam_free(times);
    close_problem(&p);
    return status;
}

/* ---- the problem as a file ---------------------------------------------------------------------------------------- */

enum { OTHERS = 4 }; /* tensors beside the weights */

/* names [tensors of the weights]; floats [batch (1 + blocks) latent] is room for draws and noise. */
static lam_status write_problem(const problem *p, const char *path, lam_vae_tensor *names, lam_st_tensor *tensors, float *floats,
    double *room)
{
    const lam_config *cfg = &p->model->config;
    const lam_vae_layout *l = &p->model->layout;
    size_t n = 0, rows = cfg->batch_size, latent = rows * cfg->latent;
    lam_bench_description about;
    LAM_TRY(lam_bench_describe(cfg, &about));
    char size[64];
    snprintf(size, sizeof size, "%zux%zu", l->height, l->width);
    if (about.n == LAM_BENCH_PAIRS)
        return lam_fail(LAM_ERR_ARGUMENT, "%s: more parameters than a problem has room for", path);
    about.pairs[about.n++] = (lam_st_pair) { "image-size", size };
    for (; lam_vae_layout_tensor(l, n, &names[n]); n++) {
        const lam_vae_tensor *t = &names[n];
        tensors[n] = (lam_st_tensor) { .name = t->name, .dtype = LAM_ST_F32, .n_shape = t->dims,
            .shape = { t->shape[0], t->shape[1], t->shape[2], t->shape[3] }, .data = p->model->params + t->offset };
    }
    tensors[n++] = (lam_st_tensor) { .name = "images", .dtype = LAM_ST_U8, .n_shape = 2, .shape = { rows, l->pixels },
        .data = p->pixels };
    for (size_t i = 0; i < latent; i++)
        floats[i] = (float)p->draws[i];
    tensors[n++] = (lam_st_tensor) { .name = "draws", .dtype = LAM_ST_F32, .n_shape = 2, .shape = { rows, cfg->latent },
        .data = floats };
    if (l->has_flow && cfg->divergence != LAM_DIV_EXACT) {
        tensors[n++] = (lam_st_tensor) { .name = "noise", .dtype = LAM_ST_F32, .n_shape = 3,
            .shape = { cfg->blocks, rows, cfg->latent }, .data = floats + latent };
        lam_bench_noise(cfg, cfg->latent, room, floats + latent);
    }
    if (cfg->tpr_coefficient > 0)
        tensors[n++] = (lam_st_tensor) { .name = "times", .dtype = LAM_ST_F64, .n_shape = 1, .shape = { cfg->tpr_times },
            .data = p->times };
    return lam_st_write(path, tensors, n, about.pairs, about.n);
}

lam_status lam_measure_vae_problem(const lam_config *cfg, size_t height, size_t width, const lam_measure_options *options,
    const char *path)
{
    LAM_NEED(cfg, "cfg");
    LAM_NEED(path, "path");
    problem p;
    lam_vae_tensor t;
    size_t n = 0;
    LAM_TRY(open_problem(cfg, height, width, options, &p));
    while (lam_vae_layout_tensor(&p.model->layout, n, &t))
        n++;
    lam_vae_tensor *names = lam_alloc(n + 1, sizeof *names);
    lam_st_tensor *tensors = lam_alloc(n + OTHERS, sizeof *tensors);
    float *floats = lam_alloc(cfg->batch_size * cfg->latent * (1 + cfg->blocks), sizeof *floats);
    double *room = lam_alloc(cfg->probes * cfg->latent, sizeof *room);
    lam_status status = LAM_ERR_MEMORY;
    if (names != NULL && tensors != NULL && floats != NULL && room != NULL)
        status = write_problem(&p, path, names, tensors, floats, room);
    lam_free(names);
    lam_free(tensors);
    lam_free(floats);
    lam_free(room);
    close_problem(&p);
    return status;
}
