/* The thread pool: every item once, whatever the number of threads, regions and items. */
#include "base/pool.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

enum { MAX_ITEMS = 1000, THREADS_SEEN = 64 };

typedef struct tally {
    unsigned char ran[MAX_ITEMS]; /* plain on purpose: a race would be an error that the thread sanitizer reports */
    atomic_size_t per_thread[THREADS_SEEN];
    size_t threads;
    atomic_int out_of_range;
} tally;

static void count_item(void *arg, size_t item, size_t thread)
{
    tally *t = arg;
    if (item >= MAX_ITEMS || thread >= t->threads) {
        atomic_store(&t->out_of_range, 1);
        return;
    }
    t->ran[item]++;
    atomic_fetch_add(&t->per_thread[thread], 1);
}

static lam_pool *make(size_t threads)
{
    lam_pool *pool = NULL;
    assert_int_equal(lam_pool_create(threads, &pool), LAM_OK);
    assert_non_null(pool);
    return pool;
}

static void every_item_once(void **state)
{
    (void)state;
    for (size_t threads = 1; threads <= 9; threads += 2) {
        lam_pool *pool = make(threads);
        assert_int_equal(lam_pool_threads(pool), threads);
        for (size_t items = 0; items <= MAX_ITEMS; items = items < 12 ? items + 1 : items + 247) {
            tally t = { .threads = threads };
            lam_pool_run(pool, items, count_item, &t);
            size_t sum = 0;
            for (size_t i = 0; i < MAX_ITEMS; i++)
                assert_int_equal(t.ran[i], i < items);
            for (size_t i = 0; i < THREADS_SEEN; i++)
                sum += atomic_load(&t.per_thread[i]);
            assert_int_equal(sum, items);
            assert_int_equal(atomic_load(&t.out_of_range), 0);
        }
        lam_pool_free(pool);
    }
}

static void add_one(void *arg, size_t item, size_t thread)
{
    (void)thread;
    ((uint32_t *)arg)[item]++;
}

/* A solver calls the pool thousands of times a second: regions follow each other at once (workers still looking) and after
 * pauses (workers asleep), and a worker that wakes late must neither lose nor repeat an item of the next region. */
static void many_short_regions(void **state)
{
    (void)state;
    enum { REGIONS = 100000, ITEMS = 4 };
    lam_pool *pool = make(2);
    uint32_t runs[ITEMS + 1] = { 0 };
    for (uint32_t r = 1; r <= REGIONS; r++) {
        lam_pool_run(pool, ITEMS + r % 2, add_one, runs);
        assert_int_equal(runs[0], r); /* seen by the caller as soon as the region ends */
        assert_int_equal(runs[ITEMS - 1], r);
        assert_int_equal(runs[ITEMS], (r + 1) / 2);
        if (r % 1000 == 0)
            nanosleep(&(struct timespec) { .tv_nsec = 100000 }, NULL);
    }
    lam_pool_free(pool);
}

/* With far more threads than processors nobody may burn a processor waiting: these regions end soon, and are right. */
static void more_threads_than_processors(void **state)
{
    (void)state;
    enum { REGIONS = 1000, ITEMS = 64 };
    lam_pool *pool = make(48);
    uint32_t runs[ITEMS] = { 0 };
    for (size_t r = 0; r < REGIONS; r++)
        lam_pool_run(pool, ITEMS, add_one, runs);
    for (size_t i = 0; i < ITEMS; i++)
        assert_int_equal(runs[i], REGIONS);
    lam_pool_free(pool);
}

static void meet(void *arg, size_t item, size_t thread)
{
    atomic_size_t *arrived = arg;
    (void)item, (void)thread;
    atomic_fetch_add(arrived, 1);
    while (atomic_load(arrived) < 3) /* ends only if three threads are in the region together */
        nanosleep(&(struct timespec) { .tv_nsec = 10000 }, NULL);
}

static void items_run_at_the_same_time(void **state)
{
    (void)state;
    lam_pool *pool = make(3);
    for (size_t r = 0; r < 20; r++) {
        atomic_size_t arrived = 0;
        lam_pool_run(pool, 3, meet, &arrived);
        assert_int_equal(atomic_load(&arrived), 3);
    }
    lam_pool_free(pool);
}

static void created_and_freed(void **state)
{
    (void)state;
    lam_pool *pool = make(0); /* one per processor: at least the one we run on */
    assert_true(lam_pool_threads(pool) >= 1);
    lam_pool_free(pool);
    for (size_t i = 0; i < 200; i++) /* freed while the workers are only starting */
        lam_pool_free(make(1 + i % 4));
    lam_pool_free(NULL);
    assert_int_equal(lam_pool_create(1000000, &pool), LAM_ERR_ARGUMENT);
    assert_null(pool);
    assert_string_not_equal(lam_last_error(), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_once),
        cmocka_unit_test(many_short_regions),
        cmocka_unit_test(more_threads_than_processors),
        cmocka_unit_test(items_run_at_the_same_time),
        cmocka_unit_test(created_and_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
