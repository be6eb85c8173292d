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

void lam_binarise_pixels(lam_binarise how, uint64_t seed, uint64_t epoch, const size_t *number, size_t first, const unsigned char *in,
    size_t n, size_t size, unsigned char *out)
{
    if (how == LAM_BINARISE_THRESHOLD) {
        for (size_t i = 0; i < n * size; i++)
            out[i] = in[i] >= 128;
        return;
    }
    uint64_t stream = how == LAM_BINARISE_FIXED ? 0 : epoch + 1;
    for (size_t i = 0; i < n; i++)
        draw(seed, stream, number != NULL ? number[i] : first + i, in + i * size, size, out + i * size);
}
