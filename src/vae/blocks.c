/* Rearranges rows into blocks of channels and back. */
#include "vae/blocks.h"
#include <string.h>

void lam_blocks_from(size_t lanes, size_t channels, size_t pixels, const float *row, size_t stride_c, size_t stride_p, float *blocks)
{
    for (size_t first = 0; first < channels; first += lanes) {
        size_t n = channels - first < lanes ? channels - first : lanes;
        for (size_t p = 0; p < pixels; p++, blocks += lanes) {
            const float *from = row + first * stride_c + p * stride_p;
            if (stride_c == 1) {
                memcpy(blocks, from, n * sizeof *blocks);
            } else {
                for (size_t c = 0; c < n; c++)
                    blocks[c] = from[c * stride_c];
            }
            for (size_t c = n; c < lanes; c++)
                blocks[c] = 0;
        }
    }
}

void lam_blocks_to(size_t lanes, size_t channels, size_t pixels, const float *blocks, float *row, size_t stride_c, size_t stride_p)
{
    for (size_t first = 0; first < channels; first += lanes) {
        size_t n = channels - first < lanes ? channels - first : lanes;
        for (size_t p = 0; p < pixels; p++, blocks += lanes) {
            float *to = row + first * stride_c + p * stride_p;
            if (stride_c == 1) {
                memcpy(to, blocks, n * sizeof *blocks);
            } else {
                for (size_t c = 0; c < n; c++)
                    to[c * stride_c] = blocks[c];
            }
        }
    }
}
