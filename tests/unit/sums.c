/* Sums of groups: a binary tree whose shape is that of the number of groups, on any number of threads. */
#define LAM_WIDTH 32
#include "flow/sums.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { MOST = 64, N = 9000 }; /* N: more than two slices */

static float parts[MOST][N], sums[MOST][N];

/* The tree by its definition: a node over [first, first + width), width a power of two, is its left half plus its right one. */
static float node(size_t first, size_t width, size_t groups, size_t i)
{
    if (width == 1)
        return parts[first][i];
    float left = node(first, width / 2, groups, i);
    return first + width / 2 < groups ? left + node(first + width / 2, width / 2, groups, i) : left;
}

static void test_tree(void **state)
{
    (void)state;
    lam_pool *pool[2];
    size_t differ = 0;
    assert_int_equal(lam_pool_create(1, &pool[0]), LAM_OK);
    assert_int_equal(lam_pool_create(3, &pool[1]), LAM_OK);
    for (size_t g = 0; g < MOST; g++)
        for (size_t i = 0; i < N; i++)
            parts[g][i] = (float)sin((double)(g * N + i)) * (float)exp((double)((g * 7 + i) % 11));
    for (size_t groups = 1; groups <= MOST; groups += groups < 9 ? 1 : 11)
        for (size_t k = 0; k < 2; k++) {
            float *at[MOST];
            memcpy(sums, parts, sizeof sums);
            for (size_t g = 0; g < groups; g++)
                at[g] = sums[g];
            const lam_batch batch = { .pool = pool[k], .rows = 64 * groups, .tiles = groups, .groups = groups };
            lam_sums_add(&batch, at, N);
            for (size_t i = 0; i < N; i++) {
                float in_order = parts[0][i], want = node(0, MOST, groups, i);
                for (size_t g = 1; g < groups; g++)
                    in_order += parts[g][i];
                differ += in_order != want;
                assert_true(sums[0][i] == want);
            }
        }
    assert_true(differ > 0); /* or another order of the same numbers would pass as well */
    lam_pool_free(pool[0]);
    lam_pool_free(pool[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_tree) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
