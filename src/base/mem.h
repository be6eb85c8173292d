/* Allocation: zeroed, 64-byte aligned, overflow-checked. */
#ifndef LAM_BASE_MEM_H
#define LAM_BASE_MEM_H
#include <stddef.h>

/* count * size bytes, zeroed, aligned to 64; NULL with lam_fail(LAM_ERR_MEMORY) recorded when there is none. */
void *lam_alloc(size_t count, size_t size);
/* bytes that are neither zeroed nor touched, aligned to 64: pages are taken as they are used. Free with lam_free. */
void *lam_reserve(size_t bytes);
void lam_free(void *p); /* takes NULL; only for memory from lam_alloc and lam_reserve */
/* malloc'd copy (free with free); NULL with the error recorded. NULL for NULL. */
char *lam_strdup(const char *s);

#endif
