/* The digest that names a set of numbers. */
#ifndef LAM_DATA_HASH_H
#define LAM_DATA_HASH_H
#include <stddef.h>
#include <stdint.h>

/* MurmurHash3 x64 128 (Austin Appleby, public domain) of size bytes, its two halves of state started at seed[0], seed[1]
 * (the published form starts both at one seed). Not for secrets: it tells data sets apart, it does not protect them. */
void lam_hash128(const void *bytes, size_t size, const uint64_t seed[2], uint64_t out[2]);
/* The same of bytes that come part by part. */
enum { LAM_HASH_BLOCK = 16 };
typedef struct lam_hash {
    uint64_t a, b;
    size_t size; /* bytes so far */
    unsigned char rest[LAM_HASH_BLOCK]; /* those behind the last whole block */
} lam_hash;
void lam_hash_begin(lam_hash *hash, const uint64_t seed[2]);
void lam_hash_add(lam_hash *hash, const void *bytes, size_t size);
void lam_hash_end(lam_hash *hash, uint64_t out[2]);
/* 32 hex digits and NUL. */
void lam_hash_text(const uint64_t hash[2], char text[33]);

#endif
