/* Images as an auto-encoder sees them: split, and as bits or grey levels. */
#ifndef LAM_VAE_DATA_H
#define LAM_VAE_DATA_H
#include "data/image_parts.h"

/* Read-only once built. */
struct lam_image_data {
    lam_image_parts parts;
    char hash[33]; /* of the pixels, sizes and split */
};

/* Images index[i], i < n, of a part as cfg wants them in training at this epoch (from 0): pixels [n, height * width], below the
 * model's levels. */
void lam_image_data_fill(const lam_image_data *data, const lam_config *cfg, lam_part part, const size_t *index, size_t n,
    uint64_t epoch, unsigned char *pixels);
/* Images index[i], i < n (index NULL: first + i), of a part for an evaluation: what is drawn anew in training is drawn once here. */
void lam_image_data_range(const lam_image_data *data, const lam_config *cfg, lam_part part, const size_t *index, size_t first, size_t n,
    unsigned char *pixels);
/* Any images [n, size] as an evaluation sees them; number [n] says which they are, NULL: first and on from it. */
void lam_image_levels(const lam_config *cfg, const unsigned char *bytes, const size_t *number, size_t first, size_t n,
    size_t size, unsigned char *pixels);

#endif
