/* The optimiser's part of a training step of a large model: the gradient's norm and the update, in slices that are shared out over
 * the pool. A slice's numbers do not depend on who works on it, and sums are added in the order of the slices. */
#ifndef LAM_VAE_UPDATE_H
#define LAM_VAE_UPDATE_H
#include "base/pool.h"
#include "train/optimizer.h"

typedef struct lam_vae_update {
    lam_pool *pool;
    size_t n, slices;    /* parameters that are trained, and their slices */
    double *slice_norm;  /* [slices] */
    double norm;         /* of the gradient last given to lam_vae_update_norm */
    /* arguments of the region in hand */
    const lam_update *update;
    double clip;
    float *grad, *first, *second, *params;
} lam_vae_update;

lam_status lam_vae_update_create(lam_pool *pool, size_t n, lam_vae_update *out);
void lam_vae_update_clear(lam_vae_update *update); /* takes a zeroed one */

/* grad [n]. */
double lam_vae_update_norm(lam_vae_update *update, float *grad);
/* One update of params [n], after lam_vae_update_norm of the same gradient, which is shortened to the norm `clip` (0: it is not).
 * first and second [n]: the optimiser's memory. */
void lam_vae_update_apply(lam_vae_update *update, const lam_update *by, float *grad, double clip, float *first, float *second,
    float *params);

#endif
