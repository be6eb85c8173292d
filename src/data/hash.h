/* The digest that names a set of numbers. */
#ifndef LAM_DATA_HASH_H
#define LAM_DATA_HASH_H
#include <stddef.h>
#include <stdint.h>

/* MurmurHash3 x64 128 (Austin Appleby, public domain) of size bytes, its two halves of state started at seed[0], seed[1]
 * (the published form starts both at one seed). Not for secrets: it tells data sets apart, it does not protect them. */
void lam_hash128(const void *bytes, size_t size, const uint64_t seed[2], uint64_t out[2]);
/* 32 hex digits and NUL. */
void lam_hash_text(const uint64_t hash[2], char text[33]);

#endif
