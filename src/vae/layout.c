/* Works out where an auto-encoder's parameters are in one flat array, and draws the initial ones. */
#include "vae/layout.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/random.h"
#include "vae/planar.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- where everything lies ---------------------------------------------------------------------------------------- */

static lam_status lay_out_flow(lam_vae_layout *l, const lam_config *config)
{
    l->blocks = 1;
    if (config->posterior == LAM_POSTERIOR_PLANAR) {
        l->maps = 1;
        l->row_params = lam_planar_count(l->latent, config->blocks);
    }
    if (config->posterior != LAM_POSTERIOR_CNF)
        return LAM_OK;
    LAM_TRY(lam_layout_amortised(&l->flow, config, l->latent, config->amortised, config->rank));
    l->has_flow = 1;
    l->blocks = l->flow.blocks;
    l->row_params = l->flow.field.row_parameters;
    l->maps = l->row_params > 0 ? l->flow.blocks : 0;
    return LAM_OK;
}

lam_status lam_vae_layout_init(lam_vae_layout *l, const lam_config *config, size_t height, size_t width)
{
    *l = (lam_vae_layout) { .height = height, .width = width, .pixels = height * width, .latent = config->latent,
        .levels = config->pixels == LAM_PIXELS_CATEGORICAL ? 256 : 2 };
    LAM_TRY(lam_net_encoder(&l->encoder, height, width));
    LAM_TRY(lam_net_linear(&l->mean, "q_z_mean", LAM_VAE_FEATURES, l->latent));
    LAM_TRY(lam_net_linear(&l->variance, "q_z_var.0", LAM_VAE_FEATURES, l->latent));
    LAM_TRY(lam_net_decoder(&l->decoder, l->latent, height, width, l->levels));
    LAM_TRY(lay_out_flow(l, config));
    l->map_size = l->row_params * (LAM_VAE_FEATURES + 1);
    l->at_mean = l->encoder.parameters;
    l->at_variance = l->at_mean + l->mean.parameters;
    l->at_maps = l->at_variance + l->variance.parameters;
    l->at_decoder = l->at_maps + l->maps * l->map_size;
    l->at_flow = l->at_decoder + l->decoder.parameters;
    l->parameters = l->at_flow + (l->has_flow ? l->flow.parameters : 0);
    l->trained = l->at_flow + (l->has_flow ? l->flow.trained : 0);
    return LAM_OK;
}

/* ---- tensors ------------------------------------------------------------------------------------------------------ */

/* Tensor index of a net, if it has so many; else index is made less by those that it has. */
static int net_tensor(const lam_net_shape *net, size_t base, size_t *index, lam_vae_tensor *t)
{
    if (*index >= net->tensors) {
        *index -= net->tensors;
        return 0;
    }
    const lam_net_tensor *n = &net->tensor[*index];
    snprintf(t->name, sizeof t->name, "%s", n->name);
    t->dims = n->dims;
    memcpy(t->shape, n->shape, sizeof t->shape);
    t->offset = base + n->offset;
    t->count = n->count;
    return 1;
}

static int map_tensor(const lam_vae_layout *l, size_t *index, lam_vae_tensor *t)
{
    if (*index >= 2 * l->maps) {
        *index -= 2 * l->maps;
        return 0;
    }
    size_t map = *index / 2, is_bias = *index % 2, weights = l->row_params * LAM_VAE_FEATURES;
    snprintf(t->name, sizeof t->name, "q_am.%zu.%s", map, is_bias ? "bias" : "weight");
    t->dims = is_bias ? 1 : 2;
    t->shape[0] = l->row_params;
    t->shape[1] = is_bias ? 0 : LAM_VAE_FEATURES;
    t->offset = l->at_maps + map * l->map_size + (is_bias ? weights : 0);
    t->count = is_bias ? l->row_params : weights;
    return 1;
}

static int flow_tensor(const lam_vae_layout *l, size_t index, lam_vae_tensor *t)
{
    lam_layout_tensor f;
    if (!l->has_flow || !lam_layout_tensor_at(&l->flow, index, &f))
        return 0;
    snprintf(t->name, sizeof t->name, "cnf.%.90s", f.name);
    t->dims = f.dims;
    t->shape[0] = f.shape[0];
    t->shape[1] = f.shape[1];
    t->offset = l->at_flow + f.offset;
    t->count = f.count;
    return 1;
}

int lam_vae_layout_tensor(const lam_vae_layout *l, size_t index, lam_vae_tensor *t)
{
    *t = (lam_vae_tensor) { .dims = 0 };
    return net_tensor(&l->encoder, 0, &index, t) || net_tensor(&l->mean, l->at_mean, &index, t)
        || net_tensor(&l->variance, l->at_variance, &index, t) || map_tensor(l, &index, t)
        || net_tensor(&l->decoder, l->at_decoder, &index, t) || flow_tensor(l, index, t);
}

lam_status lam_vae_layout_map(const lam_vae_layout *l, lam_parameter_map *map)
{
    lam_vae_tensor t;
    size_t n = 0;
    *map = (lam_parameter_map) { .parameters = l->trained };
    while (lam_vae_layout_tensor(l, n, &t))
        n++;
    map->matrix = lam_alloc(n + 1, sizeof *map->matrix);
    if (map->matrix == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < n; i++) {
        lam_vae_layout_tensor(l, i, &t);
        int is_map = t.offset >= l->at_maps && t.offset < l->at_decoder;
        if (t.dims >= 2 && t.shape[0] > 1 && t.count / t.shape[0] > 1 && !is_map)
            map->matrix[map->matrices++] = (lam_matrix) { t.offset, t.shape[0], t.count / t.shape[0] };
    }
    return LAM_OK;
}

/* ---- initial values ----------------------------------------------------------------------------------------------- */

lam_status lam_vae_layout_initial(const lam_vae_layout *l, const lam_config *config, float *params)
{
    const lam_net_shape *nets[] = { &l->encoder, &l->mean, &l->variance, &l->decoder };
    const size_t at[] = { 0, l->at_mean, l->at_variance, l->at_decoder };
    size_t flow = l->has_flow ? l->flow.parameters : 0; /* draws 0 to this are the flow's */
    for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++)
        lam_net_initial(nets[i], config->seed, flow + at[i], params + at[i]);
    const double bound = 1 / sqrt((double)LAM_VAE_FEATURES);
    for (size_t i = l->at_maps; i < l->at_decoder; i++)
        params[i] = (float)(bound * (2 * lam_random_uniform(config->seed, LAM_DRAW_INIT, flow + i, 0) - 1));
    if (!l->has_flow)
        return LAM_OK;
    double *values = lam_alloc(flow, sizeof *values);
    if (values == NULL)
        return LAM_ERR_MEMORY;
    lam_layout_initial(&l->flow, config, values);
    for (size_t i = 0; i < flow; i++)
        params[l->at_flow + i] = (float)values[i];
    lam_free(values);
    return LAM_OK;
}
