/* Turns grey levels into bits: by a threshold, by one fixed draw, or by a new draw every epoch. */
#include "data/binarise.h"
#include "base/random.h"

/* Four draws a block: blocks of an image lie beside its number in one counter word, the stream is the other. */
static void draw(uint64_t seed, uint64_t stream, uint64_t image, const unsigned char *in, size_t size, unsigned char *out)
{
    uint32_t bits[4];
    for (size_t k = 0; k < size; k++) {
        if (k % 4 == 0)
            lam_random_bits(seed, LAM_DRAW_PIXELS, stream, image ^ (uint64_t)(k / 4) << 40, bits);
        /* u / 2^32 < pixel / 255, exactly */
        out[k] = (uint64_t)bits[k % 4] * 255 < (uint64_t)in[k] << 32;
    }
}

void lam_binarise_pixels(const lam_binarisation *how, const size_t *number, size_t first, const unsigned char *in, size_t n, size_t size,
    unsigned char *out)
{
    if (how->kind == LAM_BINARISE_THRESHOLD) {
        for (size_t i = 0; i < n * size; i++)
            out[i] = in[i] >= 128;
        return;
    }
    uint64_t stream = how->kind == LAM_BINARISE_FIXED ? 0 : how->epoch + 1;
    for (size_t i = 0; i < n; i++)
        draw(how->seed, stream, number != NULL ? number[i] : first + i, in + i * size, size, out + i * size);
}
