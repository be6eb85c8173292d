/* Grey levels to what a model is fitted to. */
#ifndef LAM_DATA_BINARISE_H
#define LAM_DATA_BINARISE_H
#include <stddef.h>
#include <stdint.h>

typedef enum lam_pixels {
    LAM_PIXELS_LEVELS,    /* 256 levels: bytes as they are */
    LAM_PIXELS_THRESHOLD, /* 1 from 128 on */
    LAM_PIXELS_FIXED,     /* one draw: 1 with probability pixel / 255, by (seed, image, pixel) */
    LAM_PIXELS_FRESH,     /* a draw each epoch: the same, by (seed, epoch, image, pixel) */
} lam_pixels;

/* in [n, size] to out [n, size] (which may be in): levels, or bits 0 and 1. number [n] says which images these are (NULL: first
 * and on from it), as lam_image_parts counts them; below 2^40. Epoch e of FRESH is another draw than FIXED for every e.
 * A bit depends on what is named above alone, so any rows may be drawn by any thread; pixels that are 0 or 255 are certain. */
void lam_binarise(lam_pixels how, uint64_t seed, uint64_t epoch, const size_t *number, size_t first, const unsigned char *in,
    size_t n, size_t size, unsigned char *out);

#endif
