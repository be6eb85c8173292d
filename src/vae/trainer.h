/* Training steps and evaluations of an auto-encoder, by the record of functions of train/trainer.h. */
#ifndef LAM_VAE_TRAINER_H
#define LAM_VAE_TRAINER_H
#include "train/trainer.h"
#include "vae/data.h"
#include "vae/layout.h"

/* What is handed in must outlive the trainer. comm: ranks that make the same calls, each for its share of every batch; NULL: none. */
lam_status lam_vae_trainer_create(const lam_config *cfg, const lam_vae_layout *layout, const lam_parameter_map *map,
    const lam_image_data *data, lam_pool *pool, const lam_comm *comm, lam_trainer *out);

/* Batches an epoch has. */
size_t lam_vae_batches(const lam_config *cfg, const lam_image_data *data);

#endif
