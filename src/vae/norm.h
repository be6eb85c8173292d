/* The norm of a large model's gradient, in slices that are shared out over the pool and added in their order. */
#ifndef LAM_VAE_NORM_H
#define LAM_VAE_NORM_H
#include "base/pool.h"
#include "optim/optimizer.h"

typedef struct lam_vae_norm {
    lam_pool *pool;
    size_t n, slices;   /* parameters that are trained, and their slices */
    double *slice_norm; /* [slices] */
    const float *grad;  /* argument of the region in hand */
} lam_vae_norm;

lam_status lam_vae_norm_create(lam_pool *pool, size_t n, lam_vae_norm *out);
void lam_vae_norm_clear(lam_vae_norm *norm); /* takes a zeroed one */
/* Of grad [n]. */
double lam_vae_norm_of(lam_vae_norm *norm, const float *grad);

#endif
