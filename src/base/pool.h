/* A small thread pool: one parallel region at a time, items handed out one by one, waiters sleep.
 * The caller works too. Which thread runs an item is not determined; what an item computes must not depend on it. */
#ifndef LAM_BASE_POOL_H
#define LAM_BASE_POOL_H
#include "laminar/status.h"
#include <stddef.h>

typedef struct lam_pool lam_pool;
typedef void (*lam_pool_fn)(void *arg, size_t item, size_t thread);

/* threads counts the caller; 0 = one per processor that this process may use. */
lam_status lam_pool_create(size_t threads, lam_pool **out);
size_t lam_pool_threads(const lam_pool *pool);
/* Runs fn(arg, item, thread) for item in [0, items), thread in [0, lam_pool_threads); returns when all are done. */
void lam_pool_run(lam_pool *pool, size_t items, lam_pool_fn fn, void *arg);
/* The same; in a loop on this thread where pool is NULL. */
void lam_pool_run_or_loop(lam_pool *pool, size_t items, lam_pool_fn fn, void *arg);
void lam_pool_free(lam_pool *pool);

#endif
