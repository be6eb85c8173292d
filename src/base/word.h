/* Eight bytes as one number. */
#ifndef LAM_BASE_WORD_H
#define LAM_BASE_WORD_H
#include <stdint.h>
#include <string.h>

/* The bytes at p, the first as the lowest whatever the machine. */
static inline uint64_t lam_word_read(const void *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

#endif
