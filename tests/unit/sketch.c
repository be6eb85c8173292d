/* The sketch of a long column: its ranks against those of the sorted column, its ends, and its list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include "base/mem.h"
#include "base/random.h"
#include "base/sketch.h"
#include "base/sort.h"
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 100003 };

typedef enum kind { RANDOM, ASCENDING, DESCENDING, TIED, HEAVY, ATOM, INTERLACED, ZEROS, KINDS } kind;

static double value(kind which, size_t i)
{
    double u = lam_random_uniform(3, LAM_DRAW_TEST, which, i), z[2];
    lam_random_normal2(4, LAM_DRAW_TEST, which, i, z);
    switch (which) {
    case RANDOM: return u;
    case ASCENDING: return (double)i;
    case DESCENDING: return -(double)i;
    case TIED: return floor(10 * u);
    case HEAVY: return pow(z[0] / z[1], 9);
    case ATOM: return u < 0.6 ? 1 : z[0];
    case INTERLACED: return i % 2 == 0 ? (double)i : -(double)i; /* both ends, again and again */
    case ZEROS: return i % 2 == 0 ? 0.0 : -0.0;
    case KINDS: break;
    }
    return 0;
}

static lam_sketch *sketch_of(kind which, lam_sketch_size size, size_t n)
{
    lam_sketch *s;
    assert_int_equal(lam_sketch_create(size, n, &s), LAM_OK);
    for (size_t i = 0; i < n; i++)
        lam_sketch_add(s, value(which, i));
    return s;
}

/* The bound of the header: with its L, of what can be between the ends. */
static double bound(lam_sketch_size size, size_t n)
{
    double between = n > 2 * size.ends ? (double)(n - 2 * size.ends) : 0, k = (double)size.buffer;
    return between < 2 * k ? 0 : (floor(log2(between / k)) + 2) * between / (4 * k);
}

/* At every value of the column: the rows that are not above it, by the list and in truth. */
static void compare(const lam_ranked *list, const double *sorted, size_t n, size_t error)
{
    assert_int_equal(list->rows, n);
    for (size_t i = 0; i < n; i++) {
        if (i + 1 < n && sorted[i + 1] == sorted[i])
            continue;
        size_t rows = lam_ranked_below(list, sorted[i], 1), truth = i + 1;
        assert_true((rows > truth ? rows - truth : truth - rows) <= error);
    }
}

static void ranks_are_within_the_bound(void **state)
{
    (void)state;
    static const lam_sketch_size sizes[] = { { 2, 1 }, { 64, 16 }, { 512, 256 }, { 4096, 2048 }, { 1 << 16, 1 << 15 } };
    double *sorted = lam_alloc(N, sizeof *sorted);
    for (kind which = 0; which < KINDS; which++) {
        for (size_t i = 0; i < N; i++)
            sorted[i] = value(which, i);
        lam_sort_ascending(sorted, N);
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            lam_ranked list;
            lam_sketch *sketch = sketch_of(which, sizes[s], N);
            assert_int_equal(lam_sketch_list(sketch, &list), LAM_OK);
            assert_true((double)lam_sketch_error(sketch) <= bound(sizes[s], N));
            assert_true(s > 3 || lam_sketch_error(sketch) > 0);
            compare(&list, sorted, N, lam_sketch_error(sketch));
            for (size_t i = 0; i < sizes[s].ends; i++) {
                assert_true(lam_ranked_at(&list, i) == sorted[i]);
                assert_true(lam_ranked_at(&list, N - 1 - i) == sorted[N - 1 - i]);
            }
            lam_ranked_clear(&list);
            lam_sketch_free(sketch);
        }
    }
    lam_free(sorted);
}

/* A worst case is possible: values that make every second step wrong in the same way come near the bound, so that it is not idle. */
static void errors_come_near_the_bound(void **state)
{
    (void)state;
    const lam_sketch_size size = { 64, 16 };
    lam_sketch *s = sketch_of(ASCENDING, size, N);
    size_t most = 0;
    lam_ranked list;
    assert_int_equal(lam_sketch_list(s, &list), LAM_OK);
    for (size_t i = 0; i < N; i++) {
        size_t rows = lam_ranked_below(&list, (double)i, 1), truth = i + 1;
        most = rows > truth && rows - truth > most ? rows - truth : truth > rows && truth - rows > most ? truth - rows : most;
    }
    assert_true(10 * most > lam_sketch_error(s));
    lam_ranked_clear(&list);
    lam_sketch_free(s);
}

/* Below two buffers of values between the ends nothing is lost. */
static void few_values_are_exact(void **state)
{
    (void)state;
    const lam_sketch_size size = { 100, 40 };
    double sorted[279];
    for (kind which = 0; which < KINDS; which++)
        for (size_t n = 0; n <= 279; n++) {
            lam_ranked list;
            lam_sketch *s = sketch_of(which, size, n);
            for (size_t i = 0; i < n; i++)
                sorted[i] = value(which, i);
            lam_sort_ascending(sorted, n);
            assert_int_equal(lam_sketch_list(s, &list), LAM_OK);
            assert_int_equal(lam_sketch_error(s), 0);
            assert_int_equal(list.rows, n);
            for (size_t i = 0; i < n; i++)
                assert_true(lam_ranked_at(&list, i) == sorted[i]);
            lam_ranked_clear(&list);
            lam_sketch_free(s);
        }
}

/* A list that is taken on the way changes nothing of what comes after. */
static void lists_may_be_taken_on_the_way(void **state)
{
    (void)state;
    const lam_sketch_size size = { 64, 16 };
    lam_sketch *s;
    lam_ranked list, other;
    assert_int_equal(lam_sketch_create(size, N, &s), LAM_OK);
    for (size_t i = 0; i < N; i++) {
        lam_sketch_add(s, value(HEAVY, i));
        if (i % 9973 != 0)
            continue;
        assert_int_equal(lam_sketch_list(s, &list), LAM_OK);
        assert_int_equal(list.rows, i + 1);
        lam_ranked_clear(&list);
    }
    assert_int_equal(lam_sketch_list(s, &list), LAM_OK);
    lam_sketch_free(s);
    s = sketch_of(HEAVY, size, N);
    assert_int_equal(lam_sketch_list(s, &other), LAM_OK);
    assert_int_equal(list.entries, other.entries);
    assert_memory_equal(list.value, other.value, list.entries * sizeof *list.value);
    assert_memory_equal(list.upto, other.upto, list.entries * sizeof *list.upto);
    lam_sketch_free(s);
    lam_ranked_clear(&list), lam_ranked_clear(&other);
}

/* Two parts of a column, each sketched, are the column: ranks add, and so do the errors. */
static void parts_are_put_together(void **state)
{
    (void)state;
    const lam_sketch_size size = { 128, 64 };
    double *sorted = lam_alloc(N, sizeof *sorted);
    for (kind which = 0; which < KINDS; which++) {
        lam_sketch *part[2];
        lam_ranked list[2], all;
        for (int p = 0; p < 2; p++)
            assert_int_equal(lam_sketch_create(size, N, &part[p]), LAM_OK);
        for (size_t i = 0; i < N; i++) {
            sorted[i] = value(which, i);
            lam_sketch_add(part[i % 3 == 0], sorted[i]);
        }
        lam_sort_ascending(sorted, N);
        for (int p = 0; p < 2; p++)
            assert_int_equal(lam_sketch_list(part[p], &list[p]), LAM_OK);
        assert_int_equal(lam_ranked_merge(list, 2, &all), LAM_OK);
        compare(&all, sorted, N, lam_sketch_error(part[0]) + lam_sketch_error(part[1]));
        for (size_t i = 1; i < all.entries; i++)
            assert_true(all.value[i - 1] < all.value[i]);
        for (int p = 0; p < 2; p++)
            lam_ranked_clear(&list[p]), lam_sketch_free(part[p]);
        lam_ranked_clear(&all);
    }
    lam_free(sorted);
}

static void means_are_of_the_rows(void **state)
{
    (void)state;
    double values[] = { 1, 2, 4 };
    size_t upto[] = { 3, 4, 8 };
    const lam_ranked list = { .rows = 8, .entries = 3, .value = values, .upto = upto };
    assert_true(lam_ranked_mean(&list, 0, 8) == 21.0 / 8);
    assert_true(lam_ranked_mean(&list, 3, 8) == 18.0 / 5);
    assert_true(lam_ranked_at(&list, 2) == 1 && lam_ranked_at(&list, 3) == 2 && lam_ranked_at(&list, 4) == 4 && lam_ranked_at(&list, 7) == 4);
    assert_int_equal(lam_ranked_below(&list, 2, 0), 3);
    assert_int_equal(lam_ranked_below(&list, 2, 1), 4);
    assert_int_equal(lam_ranked_below(&list, 9, 0), 8);
}

/* The list of standardised values is the standardised list, also where values come out equal. */
static void lists_are_standardised(void **state)
{
    (void)state;
    const lam_sketch_size size = { 512, 128 };
    for (kind which = 0; which < KINDS; which++) {
        lam_sketch *raw = sketch_of(which, size, N), *other;
        lam_ranked a, b;
        double mean = which == HEAVY ? 1e9 : 0.37, scale = 1.7; /* beside 1e9 many small values are one */
        assert_int_equal(lam_sketch_create(size, N, &other), LAM_OK);
        for (size_t i = 0; i < N; i++)
            lam_sketch_add(other, (value(which, i) - mean) / scale);
        assert_int_equal(lam_sketch_list(raw, &a), LAM_OK);
        assert_int_equal(lam_sketch_list(other, &b), LAM_OK);
        size_t before = a.entries;
        lam_ranked_standardise(&a, mean, scale);
        assert_true(a.rows == N && b.rows == N && (which != HEAVY || a.entries < before));
        for (size_t i = 0; i < a.entries; i++) {
            assert_true(i == 0 || a.value[i] > a.value[i - 1]);
            assert_true(i + 1 < a.entries || a.upto[i] == N);
            assert_true(which == HEAVY || (a.entries == b.entries && a.value[i] == b.value[i] && a.upto[i] == b.upto[i]));
        }
        lam_ranked_clear(&a), lam_ranked_clear(&b);
        lam_sketch_free(raw), lam_sketch_free(other);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_standardised),
        cmocka_unit_test(ranks_are_within_the_bound),
        cmocka_unit_test(errors_come_near_the_bound),
        cmocka_unit_test(few_values_are_exact),
        cmocka_unit_test(lists_may_be_taken_on_the_way),
        cmocka_unit_test(parts_are_put_together),
        cmocka_unit_test(means_are_of_the_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
