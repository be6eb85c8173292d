/* What passes over images, or over z, have in common. */
#include "vae/pass.h"
#include "base/error.h"
#include "base/mem.h"
#include "vae/solve.h"

void lam_vae_pass_close(lam_vae_pass *p)
{
    lam_elbo_free_f32(p->elbo);
    lam_pool_free(p->pool);
    lam_free(p->pixels);
    lam_free(p->row);
    lam_free(p->z);
    lam_free(p->logits);
    lam_free(p->h_star);
}

static void configure(lam_vae_pass *p)
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

static void remembered_steps(lam_vae_pass *p)
{
    const lam_vae *v = p->model;
    const lam_setting s = lam_config_setting(&p->cfg), test = lam_config_setting(&v->config);
    for (size_t b = 0; b < v->layout.blocks; b++)
        p->h_star[b] = lam_setting_first_step(&v->config, &s, v->h_star_test[b], &test, v->h_star_train[b]);
}

lam_status lam_vae_pass_open(lam_vae_pass *p, const lam_vae *model, const lam_eval_options *options, const lam_comm *comm, size_t rows)
{
    static const lam_eval_options plain;
    *p = (lam_vae_pass) { .model = model, .options = options != NULL ? *options : plain };
    p->options.comm = comm;
    configure(p);
    const lam_vae_layout *l = &model->layout;
    const lam_eval_options *o = &p->options;
    p->batch = o->batch_rows > 0 ? o->batch_rows : p->cfg.batch_size;
    p->batch = rows < p->batch && rows > 0 ? rows : p->batch;
    p->size = l->pixels;
    const lam_elbo_options elbo = { .max_rows = p->batch, .trace = lam_vae_trace(&p->cfg, 0), .comm = comm };
    LAM_TRY(lam_pool_create(lam_comm_threads(comm, o->threads), &p->pool));
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

lam_status lam_vae_pass_tell(const lam_vae_pass *p, size_t done, size_t total)
{
    const lam_eval_options *o = &p->options;
    int stop = o->progress != NULL && lam_comm_is_first(o->comm) && o->progress(o->user, done, total) != 0;
    if (lam_comm_number(o->comm, stop) != 0)
        return lam_fail(LAM_ERR_INTERRUPTED, "stopped on request after %zu of %zu", done, total);
    return LAM_OK;
}
