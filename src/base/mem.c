/* Allocates aligned memory, and records a failure where there is none. */
#include "base/mem.h"
#include "base/error.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

void *lam_alloc(size_t count, size_t size)
{
    if (size != 0 && count > (SIZE_MAX - ALIGNMENT) / size) {
        lam_fail(LAM_ERR_MEMORY, "out of memory: %zu items of %zu bytes are more than this machine can address", count, size);
        return NULL;
    }
    void *p = lam_reserve(count * size);
    if (p != NULL)
        memset(p, 0, count * size);
    return p;
}

void *lam_reserve(size_t bytes)
{
    if (bytes > SIZE_MAX - ALIGNMENT) {
        lam_fail(LAM_ERR_MEMORY, "out of memory: %zu bytes are more than this machine can address", bytes);
        return NULL;
    }
    size_t whole = bytes == 0 ? ALIGNMENT : (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    void *p = aligned_alloc(ALIGNMENT, whole);
    if (p == NULL)
        lam_fail(LAM_ERR_MEMORY, "out of memory: %zu bytes were asked for", bytes);
    return p;
}

void lam_free(void *p)
{
    free(p);
}

char *lam_strdup(const char *s)
{
    if (s == NULL)
        return NULL;
    size_t n = strlen(s) + 1;
    char *copy = malloc(n);
    if (copy == NULL) {
        lam_fail(LAM_ERR_MEMORY, "out of memory: %zu bytes were asked for", n);
        return NULL;
    }
    return memcpy(copy, s, n);
}
