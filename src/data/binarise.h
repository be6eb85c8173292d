/* Grey levels to bits. */
#ifndef LAM_DATA_BINARISE_H
#define LAM_DATA_BINARISE_H
#include "base/config.h"

typedef struct lam_binarisation {
    lam_binarise kind;
    uint64_t seed;
    uint64_t epoch; /* of LAM_BINARISE_FRESH */
} lam_binarisation;

/* in [n, size] to out [n, size] (which may be in): bits 0 and 1. number [n] says which images these are (NULL: first
 * and on from it), as lam_image_parts counts them; below 2^40. Epoch e of FRESH is another draw than FIXED for every e.
 * A bit depends on what is named above alone, so any rows may be drawn by any thread; pixels that are 0 or 255 are certain. */
void lam_binarise_pixels(const lam_binarisation *how, const size_t *number, size_t first, const unsigned char *in, size_t n, size_t size,
    unsigned char *out);

#endif
