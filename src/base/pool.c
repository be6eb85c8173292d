/* The thread pool: one parallel region at a time, whose items are handed out one by one. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "base/pool.h"
#include "base/error.h"
#include "base/mem.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How it works. A region is the three plain fields fn, arg, items plus two counters. `remaining` is what threads take items
 * from: taking one is a compare-and-swap from r > 0 to r - 1, which succeeds only while the region is open, so a worker that
 * wakes late finds 0 and goes back to sleep, and the caller need not wait for it. `unfinished` falls when items are done;
 * the caller returns at 0. The plain fields are written before the release store of `remaining` and read only after an item
 * was taken, and the region cannot end before that item is done: so they are never read while they are written. */

enum { MAX_THREADS = 1024, LINE = 64, SPIN_NANOSECONDS = 5000, PAUSES_A_LOOK = 16 };

typedef struct worker {
    struct lam_pool *pool;
    size_t thread;
    pthread_t id;
} worker;

struct lam_pool {
    _Alignas(LINE) atomic_size_t remaining; /* items not yet taken */
    _Alignas(LINE) atomic_size_t unfinished; /* items not yet done */
    _Alignas(LINE) lam_pool_fn fn;
    void *arg;
    size_t items;
    size_t threads; /* with the caller */
    int spins;      /* 0: more threads than processors, so waiting must not take one */
    worker *workers; /* [threads - 1] */
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    atomic_size_t sleepers; /* workers waiting on `work` */
    atomic_int caller_sleeps, stop;
};

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    __asm__ volatile("yield");
#endif
}

static long long nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int work_or_stop(const lam_pool *pool)
{
    return atomic_load(&pool->remaining) != 0 || atomic_load(&pool->stop);
}

static int all_done(const lam_pool *pool)
{
    return atomic_load(&pool->unfinished) == 0;
}

/* Looks for a few microseconds; by the clock, since a pause takes 5 to 150 cycles depending on the processor. */
static int spin_until(const lam_pool *pool, int (*ready)(const lam_pool *pool))
{
    if (ready(pool))
        return 1;
    if (!pool->spins)
        return 0;
    long long start = nanoseconds();
    do {
        for (int i = 0; i < PAUSES_A_LOOK; i++) {
            pause_briefly();
            if (ready(pool))
                return 1;
        }
    } while (nanoseconds() - start < SPIN_NANOSECONDS);
    return 0;
}

/* Takes and runs items until there are none; the last one done wakes the caller. */
static void run_items(lam_pool *pool, size_t thread)
{
    size_t done = 0, left = atomic_load(&pool->remaining);
    while (left != 0) {
        if (!atomic_compare_exchange_weak(&pool->remaining, &left, left - 1))
            continue;
        pool->fn(pool->arg, pool->items - left, thread);
        done++;
        left = atomic_load(&pool->remaining);
    }
    /* The stores and loads of these pairs are sequentially consistent: either the caller sees 0 before it sleeps, or this
     * thread sees that it sleeps. The same holds for `remaining` and `sleepers`. */
    if (done != 0 && atomic_fetch_sub(&pool->unfinished, done) == done && atomic_load(&pool->caller_sleeps)) {
        pthread_mutex_lock(&pool->lock);
        pthread_cond_signal(&pool->done);
        pthread_mutex_unlock(&pool->lock);
    }
}

static void *worker_main(void *arg)
{
    const worker *self = arg;
    lam_pool *pool = self->pool;
    while (!atomic_load(&pool->stop)) {
        if (!spin_until(pool, work_or_stop)) {
            pthread_mutex_lock(&pool->lock);
            atomic_fetch_add(&pool->sleepers, 1);
            while (!work_or_stop(pool))
                pthread_cond_wait(&pool->work, &pool->lock);
            atomic_fetch_sub(&pool->sleepers, 1);
            pthread_mutex_unlock(&pool->lock);
        }
        run_items(pool, self->thread);
    }
    return NULL;
}

static size_t processors(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return (size_t)CPU_COUNT(&set);
    long online = sysconf(_SC_NPROCESSORS_ONLN); /* a machine with more than CPU_SETSIZE processors */
    return online > 0 ? (size_t)online : 1;
}

/* Ends the first n workers and frees everything. */
static void tear_down(lam_pool *pool, size_t n)
{
    if (n != 0) {
        pthread_mutex_lock(&pool->lock);
        atomic_store(&pool->stop, 1);
        pthread_cond_broadcast(&pool->work);
        pthread_mutex_unlock(&pool->lock);
    }
    for (size_t i = 0; i < n; i++)
        pthread_join(pool->workers[i].id, NULL);
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    lam_free(pool->workers);
    lam_free(pool);
}

/* Signals belong to the program's own threads: workers are born with all of them blocked. */
static lam_status start_workers(lam_pool *pool)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    size_t n = 0;
    int error = 0;
    for (; n + 1 < pool->threads && error == 0; n += error == 0) {
        pool->workers[n] = (worker) { .pool = pool, .thread = n + 1 };
        error = pthread_create(&pool->workers[n].id, NULL, worker_main, &pool->workers[n]);
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (error == 0)
        return LAM_OK;
    size_t threads = pool->threads;
    tear_down(pool, n);
    return lam_fail(LAM_ERR_MEMORY, "thread %zu of %zu could not be started (%s): ask for fewer threads", n + 2, threads,
        strerror(error));
}

lam_status lam_pool_create(size_t threads, lam_pool **out)
{
    *out = NULL;
    size_t have = processors();
    if (threads == 0)
        threads = have < MAX_THREADS ? have : MAX_THREADS;
    if (threads > MAX_THREADS)
        return lam_fail(LAM_ERR_ARGUMENT, "threads: %zu were asked for; this machine has %zu processors and at most %d are taken",
            threads, have, MAX_THREADS);
    lam_pool *pool = lam_alloc(1, sizeof *pool);
    if (pool == NULL)
        return LAM_ERR_MEMORY;
    pool->threads = threads;
    pool->spins = threads <= have;
    pool->workers = lam_alloc(threads - 1, sizeof *pool->workers);
    if (pool->workers == NULL) {
        lam_free(pool);
        return LAM_ERR_MEMORY;
    }
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->done, NULL);
    LAM_TRY(start_workers(pool));
    *out = pool;
    return LAM_OK;
}

size_t lam_pool_threads(const lam_pool *pool)
{
    return pool->threads;
}

/* Wakes as many sleepers as there are items for. */
static void wake_workers(lam_pool *pool, size_t wanted)
{
    size_t asleep = atomic_load(&pool->sleepers);
    if (asleep == 0)
        return;
    pthread_mutex_lock(&pool->lock);
    if (wanted >= asleep) {
        pthread_cond_broadcast(&pool->work);
    } else {
        for (size_t i = 0; i < wanted; i++)
            pthread_cond_signal(&pool->work);
    }
    pthread_mutex_unlock(&pool->lock);
}

void lam_pool_run(lam_pool *pool, size_t items, lam_pool_fn fn, void *arg)
{
    if (pool->threads == 1 || items <= 1) {
        for (size_t i = 0; i < items; i++)
            fn(arg, i, 0);
        return;
    }
    pool->fn = fn;
    pool->arg = arg;
    pool->items = items;
    atomic_store(&pool->unfinished, items);
    atomic_store(&pool->remaining, items);
    wake_workers(pool, items - 1);
    run_items(pool, 0);
    if (spin_until(pool, all_done))
        return;
    pthread_mutex_lock(&pool->lock);
    atomic_store(&pool->caller_sleeps, 1);
    while (!all_done(pool))
        pthread_cond_wait(&pool->done, &pool->lock);
    atomic_store(&pool->caller_sleeps, 0);
    pthread_mutex_unlock(&pool->lock);
}

void lam_pool_run_or_loop(lam_pool *pool, size_t items, lam_pool_fn fn, void *arg)
{
    if (pool != NULL)
        lam_pool_run(pool, items, fn, arg);
    for (size_t i = 0; pool == NULL && i < items; i++)
        fn(arg, i, 0);
}

void lam_pool_free(lam_pool *pool)
{
    if (pool != NULL)
        tear_down(pool, pool->threads - 1);
}
