/* What every set of images must be, whatever it was read from. */
#ifndef LAM_TESTS_CHECK_IMAGES_H
#define LAM_TESTS_CHECK_IMAGES_H
#include "data/images.h"
#include "laminar/vae.h"
#include <stdlib.h>

static inline void require(int truth)
{
    if (!truth)
        abort();
}

/* Images of one size with all their pixels, and binary only where every pixel is 0 or 255; or else an error with a text and
 * nothing left behind. Frees what there is. */
static inline void check_images(lam_status status, lam_images *images)
{
    size_t size = images->n * images->height * images->width, between = 0;
    if (status != LAM_OK) {
        require(images->pixels == NULL && images->n == 0 && lam_last_error()[0] != '\0');
        return;
    }
    require(size > 0 && images->pixels != NULL && images->format != NULL);
    for (size_t i = 0; i < size; i++)
        between += images->pixels[i] != 0 && images->pixels[i] != 255;
    require(!images->binary || between == 0);
    lam_images_free(images);
}

#endif
