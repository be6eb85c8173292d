/* Plain rows to blocks of channels, [channels / lanes][pixels][lanes] with zeros past the channels, and back. Element (c, p) of a
 * row is at c stride_c + p stride_p. */
#ifndef LAM_VAE_BLOCKS_H
#define LAM_VAE_BLOCKS_H
#include <stddef.h>

void lam_blocks_from(size_t lanes, size_t channels, size_t pixels, const float *row, size_t stride_c, size_t stride_p, float *blocks);
void lam_blocks_to(size_t lanes, size_t channels, size_t pixels, const float *blocks, float *row, size_t stride_c, size_t stride_p);

#endif
