#define LAM_WIDTH 32
#include "elbo_float.h"
#include "base/pool.h"
#include "vae/solve.h"

static lam_status evaluate(lam_elbo_f32 *elbo, const elbo_problem *p, double *row_elbo, float *grad, lam_elbo_terms *terms)
{
    const lam_elbo_call_f32 call = { .params = p->params, .pixels = p->pixels, .rows = p->rows, .beta = p->beta, .solve = p->solve,
        .noise = p->noise, .draw = LAM_DRAW_LATENT, .penalty = p->penalty, .given = p->e };
    lam_status status = lam_elbo_forward_f32(elbo, &call, row_elbo, terms);
    return status == LAM_OK ? lam_elbo_backward_f32(elbo, &call, grad, terms) : status;
}

lam_status elbo_in_float(const elbo_problem *p, double *row_elbo, float *grad, lam_elbo_terms *terms)
{
    lam_pool *pool = NULL;
    lam_elbo_f32 *elbo = NULL;
    const lam_elbo_options options = { .max_rows = p->rows, .gradients = 1, .plain = p->plain,
        .trace = lam_vae_trace(p->config, 0) };
    lam_status status = lam_pool_create(p->threads, &pool);
    if (status == LAM_OK)
        status = lam_elbo_create_f32(p->layout, p->config, pool, &options, &elbo);
    if (status == LAM_OK)
        status = evaluate(elbo, p, row_elbo, grad, terms);
    lam_elbo_free_f32(elbo);
    lam_pool_free(pool);
    return status;
}
