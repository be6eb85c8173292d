/* Room on the disk for what grows with the number of rows, sorting in place, digests in parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include "base/room.h"
#include "base/sort.h"
#include "data/hash.h"
#include "laminar.h"
#include <cmocka.h>
#include "scratch.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Names in a folder, "." and ".." left out. */
static size_t entries(const char *folder)
{
    size_t n = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (const struct dirent *e; (e = readdir(dir)) != NULL;)
        n += e->d_name[0] != '.' || strlen(e->d_name) > 2;
    closedir(dir);
    return n;
}

static void room_is_zeroed_and_nameless(void **state)
{
    (void)state;
    enum { N = 100000 };
    const char *folders[] = { NULL, scratch_folder };
    size_t before = entries(scratch_folder);
    for (int k = 0; k < 2; k++) {
        double *room = lam_room_take(folders[k], N, sizeof *room), *none = lam_room_take(folders[k], 0, 8);
        assert_non_null(room);
        assert_non_null(none);
        assert_int_equal((uintptr_t)room % 64, 0);
        for (size_t i = 0; i < N; i++) {
            assert_true(room[i] == 0);
            room[i] = (double)i;
        }
        for (size_t i = 0; i < N; i++)
            assert_true(room[i] == (double)i);
        assert_int_equal(entries(scratch_folder), before);
        lam_room_give(folders[k], room);
        lam_room_give(folders[k], none);
        lam_room_give(folders[k], NULL);
        assert_int_equal(entries(scratch_folder), before);
    }
    assert_null(lam_room_take("/no/such/folder", 10, 8));
    assert_non_null(strstr(lam_last_error(), "/no/such/folder: rows cannot be kept in files there: No such file"));
    assert_null(lam_room_take(scratch_folder, SIZE_MAX / 4, 8));
    assert_null(lam_room_take(scratch_folder, (size_t)1 << 58, 8)); /* more than any disk */
}

static void stream_becomes_room(void **state)
{
    (void)state;
    enum { N = 50000 };
    size_t size, before = entries(scratch_folder);
    FILE *stream = lam_room_stream(scratch_folder);
    assert_non_null(stream);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(fwrite(&i, sizeof i, 1, stream), 1);
    const size_t *room = lam_room_map(scratch_folder, stream, &size);
    assert_non_null(room);
    assert_int_equal(size, N * sizeof *room);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(room[i], i);
    assert_int_equal(entries(scratch_folder), before);
    munmap((void *)(uintptr_t)room, size);
    assert_null(lam_room_stream("/no/such/folder"));
    assert_non_null(strstr(lam_last_error(), "/no/such/folder: rows cannot be kept in files there"));
    FILE *full = fopen("/dev/full", "w"); /* where every write fails */
    if (full != NULL) {
        for (int i = 0; i < 100000; i++) /* more than a buffer: an earlier write fails, not the last flush */
            fputs("rows", full);
        assert_null(lam_room_map(scratch_folder, full, &size));
        assert_non_null(strstr(lam_last_error(), "No space left"));
    }
}

static int ascending(const void *a, const void *b)
{
    double u = *(const double *)a, v = *(const double *)b;
    return (u > v) - (u < v);
}

/* So few that one is put after the other, so many that there is room to sort them by digits, and so many that they are sorted in place: few values
 * and many, of either sign, of very different sizes. */
static void numbers_are_sorted(void **state)
{
    (void)state;
    static const size_t sizes[] = { 1, 2, 200, 257, 5000, 1 << 16, (1 << 22) + 77 };
    enum { MOST = (1 << 22) + 77 };
    double *x = malloc(MOST * sizeof *x), *same = malloc(MOST * sizeof *same);
    assert_non_null(x);
    assert_non_null(same);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int kind = 0; kind < 4; kind++) {
            size_t n = sizes[s];
            uint64_t bits = 12345;
            for (size_t i = 0; i < n; i++) {
                bits = bits * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
                double u = (double)(bits >> 11) * 0x1p-53;
                x[i] = kind == 0 ? ldexp(u - 0.5, (int)(bits % 1500) - 700) : kind == 1 ? floor(5 * u) - 2 : kind == 2 ? (i % 3 == 0 ? -HUGE_VAL : u) : 7;
                same[i] = x[i];
            }
            lam_sort_ascending(x, n);
            qsort(same, n, sizeof *same, ascending);
            for (size_t i = 0; i < n; i++)
                assert_true(x[i] == same[i]);
        }
    free(x);
    free(same);
}

static void places_are_sorted(void **state)
{
    (void)state;
    lam_place place[] = { { 5, 0 }, { 1, 1 }, { 5, 2 }, { 0, 3 }, { 1, 4 } };
    const lam_place wanted[] = { { 0, 3 }, { 1, 1 }, { 1, 4 }, { 5, 0 }, { 5, 2 } };
    lam_sort_places(place, 5);
    assert_memory_equal(place, wanted, sizeof wanted);
    enum { MANY = 5000 };
    static lam_place many[MANY];
    static const size_t ranges[] = { 3, 2000, 5000000, SIZE_MAX };
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
        for (size_t i = 0; i < MANY; i++)
            many[i] = (lam_place) { (i + 1) * UINT64_C(11400714819323198485) % ranges[r], i };
        lam_sort_places(many, MANY);
        for (size_t i = 0; i < MANY; i++) {
            assert_true(many[i].at == (many[i].slot + 1) * UINT64_C(11400714819323198485) % ranges[r]);
            assert_true(i == 0 || many[i - 1].at < many[i].at || (many[i - 1].at == many[i].at && many[i - 1].slot < many[i].slot));
        }
    }
}

static void digest_in_parts_is_that_of_all(void **state)
{
    (void)state;
    const char text[] = "The rows of a table, one after the other, in parts of any size.";
    const uint64_t seed[2] = { 3, 4 };
    for (size_t size = 0; size < sizeof text; size++)
        for (size_t each = 1; each < 40; each++) {
            uint64_t whole[2], parts[2];
            lam_hash hash;
            lam_hash_begin(&hash, seed);
            for (size_t at = 0; at < size; at += each)
                lam_hash_add(&hash, text + at, size - at < each ? size - at : each);
            lam_hash_end(&hash, parts);
            lam_hash128(text, size, seed, whole);
            assert_memory_equal(whole, parts, sizeof whole);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(room_is_zeroed_and_nameless),
        cmocka_unit_test(stream_becomes_room),
        cmocka_unit_test(numbers_are_sorted),
        cmocka_unit_test(places_are_sorted),
        cmocka_unit_test(digest_in_parts_is_that_of_all),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
