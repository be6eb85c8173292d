/* The inside of a variational auto-encoder, and its file. */
#ifndef LAM_VAE_VAE_H
#define LAM_VAE_VAE_H
#include "vae/layout.h"
#include "laminar/vae.h"
#include "model/config.h"

struct lam_vae {
    lam_config config;
    lam_vae_layout layout;
    float *params;         /* [layout.parameters] */
    char data_hash[33];
    double *h_star_train, *h_star_test; /* [layout.blocks] remembered steps of "warm"; 0: none yet */
};

/* Parameters from the configuration's seed. The caller frees it. */
lam_status lam_vae_create(const lam_config *config, size_t height, size_t width, lam_vae **out);

#endif
