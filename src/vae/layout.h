/* A variational auto-encoder: its nets, and where the parameters lie in one flat array (method.md 9).
 *
 * [encoder] [mean] [variance] [maps of features to row-wise parameters] [decoder] [flow: as lam_layout, end times last].
 */
#ifndef LAM_VAE_LAYOUT_H
#define LAM_VAE_LAYOUT_H
#include "flow/layout.h"
#include "vae/shape.h"

typedef struct lam_vae_layout {
    size_t height, width, pixels, latent, levels; /* levels: 2, or 256 grey values */
    lam_net_shape encoder, mean, variance, decoder;
    lam_layout flow;   /* with a CNF */
    int has_flow;
    size_t maps;       /* of features to row-wise parameters: one a block of a CNF, one for all planar flows, or none */
    size_t row_params; /* numbers a map gives: of a block, or of all planar flows */
    size_t at_mean, at_variance, at_maps, at_decoder, at_flow; /* offsets; the encoder's is 0 */
    size_t map_size;   /* parameters of a map: weights [row_params, features], biases [row_params] */
    size_t blocks;     /* of the flow, or 1, so that there is always a place for remembered steps */
    size_t parameters, trained;
} lam_vae_layout;

/* LAM_ERR_ARGUMENT: images that the nets cannot take (height and width are multiples of 4). */
lam_status lam_vae_layout_init(lam_vae_layout *layout, const lam_config *config, size_t height, size_t width);

typedef struct lam_vae_tensor {
    char name[96];
    size_t dims, shape[4], offset, count;
} lam_vae_tensor;
/* Tensors in file order, under the names that the published code's state_dict() has for the nets ("q_z_nn.0.h.weight") and for
 * the flow (after "cnf."). Returns 0 past the end. */
int lam_vae_layout_tensor(const lam_vae_layout *layout, size_t index, lam_vae_tensor *tensor);

/* The weight matrices among the trained parameters, for an optimiser: linear maps, and convolutions as [out, in x height x width]. The
 * maps of features to row-wise parameters are left out: with up to 272,000 rows they would cost more than the rest of a step. The
 * caller frees map->matrix. */
lam_status lam_vae_layout_map(const lam_vae_layout *layout, lam_parameter_map *map);

/* Initial values, all from config->seed: params [parameters]. */
lam_status lam_vae_layout_initial(const lam_vae_layout *layout, const lam_config *config, float *params);

#endif
