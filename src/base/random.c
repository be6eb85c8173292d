/* Draws as functions of seed, purpose and indices, by Philox 4x32-10. */
#include "base/random.h"
#include <Random123/philox.h>
#include <math.h>

/* 128-bit products for an unbiased bounded draw; an extension of both compilers on every 64-bit target. */
__extension__ typedef unsigned __int128 wide;

/* Odd constants that spread purposes over the key space: two keys meet only for seeds that differ by a multiple of one
 * of them, which small or consecutive seeds never do. Purpose 0 leaves the key equal to the seed (the known-answer test). */
#define PURPOSE_STEP UINT64_C(0xD1342543DE82EF95)
#define ROW_DOMAIN UINT64_C(0x9E6C63D0876A9A47)

/* Counter words: a low, a high, b low, b high. */
static void philox(uint64_t key, uint64_t a, uint64_t b, uint32_t out[4])
{
    philox4x32_ctr_t counter = { { (uint32_t)a, (uint32_t)(a >> 32), (uint32_t)b, (uint32_t)(b >> 32) } };
    philox4x32_key_t k = { { (uint32_t)key, (uint32_t)(key >> 32) } };
    philox4x32_ctr_t bits = philox4x32_R(10, counter, k);
    for (int i = 0; i < 4; i++)
        out[i] = bits.v[i];
}

static uint64_t key_of(uint64_t seed, lam_purpose purpose)
{
    return seed + (uint64_t)purpose * PURPOSE_STEP;
}

/* Draws for row vectors live under keys of their own, so that block 0 of a row is not the single draw of the same
 * counter. Rows below 2^40 and blocks below 2^24 have counters of their own; both are beyond any batch. */
static void row_bits(uint64_t key, uint64_t stream, uint64_t row, uint64_t block, uint32_t out[4])
{
    philox(key + ROW_DOMAIN, stream, row ^ (block << 40), out);
}

/* The top 53 of 64 bits, as a multiple of 2^-53. */
static double unit(uint32_t high, uint32_t low)
{
    uint64_t bits = (uint64_t)high << 32 | low;
    return (double)(bits >> 11) * 0x1p-53;
}

/* Box-Muller; 1 - u lies in (0, 1], so the logarithm is finite. */
static void normal_pair(const uint32_t bits[4], double out[2])
{
    double radius = sqrt(-2.0 * log(1.0 - unit(bits[0], bits[1])));
    double angle = 6.283185307179586476925 * unit(bits[2], bits[3]);
    out[0] = radius * cos(angle);
    out[1] = radius * sin(angle);
}

void lam_random_bits(uint64_t seed, lam_purpose purpose, uint64_t a, uint64_t b, uint32_t out[4])
{
    philox(key_of(seed, purpose), a, b, out);
}

double lam_random_uniform(uint64_t seed, lam_purpose purpose, uint64_t a, uint64_t b)
{
    uint32_t bits[4];
    lam_random_bits(seed, purpose, a, b, bits);
    return unit(bits[0], bits[1]);
}

void lam_random_normal2(uint64_t seed, lam_purpose purpose, uint64_t a, uint64_t b, double out[2])
{
    uint32_t bits[4];
    lam_random_bits(seed, purpose, a, b, bits);
    normal_pair(bits, out);
}

void lam_random_normal_row(uint64_t seed, lam_purpose purpose, uint64_t stream, uint64_t row, double *out, uint64_t n)
{
    uint64_t key = key_of(seed, purpose);
    for (uint64_t j = 0; j < n; j += 2) {
        uint32_t bits[4];
        double pair[2];
        row_bits(key, stream, row, j / 2, bits);
        normal_pair(bits, pair);
        out[j] = pair[0];
        if (j + 1 < n)
            out[j + 1] = pair[1];
    }
}

void lam_random_sign_row(uint64_t seed, lam_purpose purpose, uint64_t stream, uint64_t row, double *out, uint64_t n)
{
    uint64_t key = key_of(seed, purpose);
    uint32_t bits[4] = { 0 };
    for (uint64_t j = 0; j < n; j++) {
        if (j % 128 == 0) /* one block holds 128 signs */
            row_bits(key, stream, row, j / 128, bits);
        out[j] = bits[j % 128 / 32] >> (j % 32) & 1 ? 1.0 : -1.0;
    }
}

void lam_random_permutation(uint64_t seed, lam_purpose purpose, uint64_t stream, uint64_t *out, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        out[i] = i;
    for (uint64_t i = n; i > 1; i--) {
        uint32_t bits[4];
        lam_random_bits(seed, purpose, stream, i, bits);
        uint64_t draw = (uint64_t)bits[0] << 32 | bits[1];
        uint64_t j = (uint64_t)((wide)draw * i >> 64); /* uniform on [0, i) up to a bias of i / 2^64 */
        uint64_t swap = out[i - 1];
        out[i - 1] = out[j];
        out[j] = swap;
    }
}
