/* The insides of lam_elbo, shared by the elbo_*.c files. */
#ifndef LAM_VAE_ELBO_INSIDE_H
#define LAM_VAE_ELBO_INSIDE_H
#include "kernels/act_array.h"
#include "vae/any_net.h"
#include "vae/elbo.h"
#include "vae/elbo_ranks.h"
#include "vae/linear.h"

struct lam_elbo {
    const lam_vae_layout *layout;
    const lam_config *config;
    lam_pool *pool;
    lam_elbo_options options;
    const lam_kernels *kernels;
    const lam_act *act;
    lam_any_net *encoder, *mean, *variance, *decoder;
    lam_linear *map;    /* one serves all blocks */
    lam_engine *engine; /* with a CNF */
    lam_batch nets, batch;     /* of the call in hand: as the nets cut it; as the flow and its maps do */
    lam_elbo_ranks ranks;
    real *x;                   /* [rows, pixels] images as the encoder takes them: 0 to 1 */
    real *features;            /* [rows, 256] */
    real *planes, *g_planes;   /* [tiles][256][TILE] the same in planes, and the maps' cotangents of them; */
    real *g_maps;              /* [rows, 256] and these as rows */
    real *mu, *v, *slope;      /* [rows, latent]; slope: dv by the linear map's output */
    real *z;                   /* [rows, latent] for the decoder */
    real *logits;              /* [rows, pixels, 1 or 256]; with gradients their cotangents */
    real **am, **g_am;         /* [maps] of [tiles][row_params][TILE] */
    double *row, *path;        /* planar: [row_params] of a row; [rows][flows + 1][latent] */
    double *e, *z0, *zk, *g_z; /* [rows, latent] */
    double *l, *log_p;         /* [rows] */
    real *g_latent, *g_feature, *g_other; /* [rows, latent], [rows, 256] twice */
    double since;              /* when the phase in hand began */
};

/* The time since the last mark goes to `phase`; LAM_ELBO_PHASES: something begins. */
void lam_elbo_mark(lam_elbo *elbo, lam_elbo_phase phase);

static inline real *params_at(const lam_elbo_call *call, size_t offset)
{
    return (real *)call->params + offset; /* only read */
}

/* One row's parameters of planar flows, from planes. */
static inline void planar_row(const lam_elbo *s, size_t row, double *params)
{
    size_t n = s->layout->row_params;
    const real *tile = s->am[0] + row / LAM_TILE * n * LAM_TILE + row % LAM_TILE;
    for (size_t i = 0; i < n; i++)
        params[i] = (double)tile[i * LAM_TILE];
}

/* The flow's part of a call: rows z_0. */
static inline lam_flow_call flow_call(const lam_elbo *s, const lam_elbo_call *call)
{
    return (lam_flow_call) { .params = params_at(call, s->layout->at_flow), .x = s->z0, .rows = call->rows, .solve = &call->solve,
        .noise = &call->noise };
}

#endif
