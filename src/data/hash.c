/* A 128-bit digest of numbers. */
#include "data/hash.h"
#include "base/word.h"
#include <stdio.h>
#include <string.h>

#define C1 UINT64_C(0x87c37b91114253d5)
#define C2 UINT64_C(0x4cf5ad432745937f)

static uint64_t rotate(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

/* Little-endian word whatever the machine, of n <= 8 bytes. */
static uint64_t short_word(const unsigned char *p, size_t n)
{
    uint64_t w = 0;
    for (size_t i = 0; i < n; i++)
        w |= (uint64_t)p[i] << (8 * i);
    return w;
}

static uint64_t mix_first(uint64_t k)
{
    return rotate(k * C1, 31) * C2;
}

static uint64_t mix_second(uint64_t k)
{
    return rotate(k * C2, 33) * C1;
}

static uint64_t finish(uint64_t k)
{
    k = (k ^ k >> 33) * UINT64_C(0xff51afd7ed558ccd);
    k = (k ^ k >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return k ^ k >> 33;
}

void lam_hash_begin(lam_hash *h, const uint64_t seed[2])
{
    *h = (lam_hash) { .a = seed[0], .b = seed[1] };
}

/* n bytes, whole blocks. */
static void take_blocks(lam_hash *h, const unsigned char *p, size_t n)
{
    uint64_t a = h->a, b = h->b;
    for (const unsigned char *end = p + n; p < end; p += LAM_HASH_BLOCK) {
        a ^= mix_first(lam_word_read(p));
        a = (rotate(a, 27) + b) * 5 + 0x52dce729;
        b ^= mix_second(lam_word_read(p + 8));
        b = (rotate(b, 31) + a) * 5 + 0x38495ab5;
    }
    h->a = a, h->b = b;
}

void lam_hash_add(lam_hash *h, const void *bytes, size_t size)
{
    const unsigned char *p = bytes;
    if (size == 0)
        return;
    size_t open = h->size % LAM_HASH_BLOCK; /* bytes of a block that is not full */
    h->size += size;
    if (open > 0) {
        size_t more = LAM_HASH_BLOCK - open < size ? LAM_HASH_BLOCK - open : size;
        memcpy(h->rest + open, p, more);
        p += more, size -= more;
        if (open + more < LAM_HASH_BLOCK)
            return;
        take_blocks(h, h->rest, LAM_HASH_BLOCK);
    }
    size_t whole = size - size % LAM_HASH_BLOCK;
    take_blocks(h, p, whole);
    memcpy(h->rest, p + whole, size - whole);
}

void lam_hash_end(lam_hash *h, uint64_t out[2])
{
    size_t left = h->size % LAM_HASH_BLOCK;
    uint64_t a = h->a, b = h->b;
    if (left > 8)
        b ^= mix_second(short_word(h->rest + 8, left - 8));
    if (left > 0)
        a ^= mix_first(short_word(h->rest, left < 8 ? left : 8));
    a ^= h->size, b ^= h->size;
    a += b, b += a;
    a = finish(a), b = finish(b);
    a += b, b += a;
    out[0] = a, out[1] = b;
}

void lam_hash128(const void *bytes, size_t size, const uint64_t seed[2], uint64_t out[2])
{
    lam_hash h;
    lam_hash_begin(&h, seed);
    lam_hash_add(&h, bytes, size);
    lam_hash_end(&h, out);
}

void lam_hash_text(const uint64_t hash[2], char text[33])
{
    snprintf(text, 33, "%016llx%016llx", (unsigned long long)hash[0], (unsigned long long)hash[1]);
}
