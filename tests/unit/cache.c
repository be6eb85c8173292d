/* The numbers of a text that are kept in a file: they are those of the text, and a file that is damaged, stale or another's is not used. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include "data/cache_text.h"
#include "data/mapped.h"
#include <cmocka.h>
#include "heard.h"
#include "scratch.h"
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <time.h>

enum { COLS = 4 };
static heard said;

static const char SETTINGS[] = "{any-given: true, given: [kind], drop-duplicates: true}";

/* Of the four columns one is of text; a row is there twice, one says nothing, and cells are missing. */
static const char *write_text(const char *name, const char *number)
{
    char text[512];
    snprintf(text, sizeof text, "a,kind,c,\"long, name\"\n1,few,%s,4\n2,many,-1e-3,5\n# a remark\n,few,0.5,6\n,,,\n1,few,%s,4\n4,,0.1,8\n", number, number);
    return scratch_text(name, text);
}

static lam_table *read_kept(const char *settings, const char *path, const lam_table *first)
{
    lam_config *cfg = NULL;
    lam_table *t = NULL;
    const lam_rows_place place = { .folder = scratch_folder, .keep = 1, .log = { listen_to, &said } };
    said = (heard) { 0 };
    assert_int_equal(lam_config_create(settings, &cfg), LAM_OK);
    if (lam_table_map_rows(cfg, path, first, &place, &t) != LAM_OK)
        fail_msg("%s", lam_last_error());
    lam_config_free(cfg);
    assert_non_null(t->mapped);
    return t;
}

static lam_table *read_to_memory(const char *settings, const char *path, const lam_table *first)
{
    lam_config *cfg = NULL;
    lam_table *t = NULL;
    assert_int_equal(lam_config_create(settings, &cfg), LAM_OK);
    assert_int_equal(lam_table_read_rows(cfg, path, first, &t), LAM_OK);
    lam_config_free(cfg);
    return t;
}

static void expect_text(const char *a, const char *b)
{
    assert_int_equal(a == NULL, b == NULL);
    if (a != NULL)
        assert_string_equal(a, b);
}

/* a, whose rows are in a file, is b, whose rows are in memory. */
static void expect_same(const lam_table *a, const lam_table *b)
{
    double room[COLS];
    assert_int_equal(a->rows, b->rows);
    assert_int_equal(a->cols, b->cols);
    assert_int_equal(a->has_names, b->has_names);
    assert_int_equal(a->missing, b->missing);
    assert_int_equal(a->bad_rows, b->bad_rows);
    assert_int_equal(a->duplicates, b->duplicates);
    assert_string_equal(a->hash, b->hash);
    expect_text(a->how, b->how);
    expect_text(a->notes, b->notes);
    for (size_t k = 0; k < a->bad_rows; k++)
        assert_int_equal(a->bad_at[k], b->bad_at[k]);
    for (size_t k = 0; k < a->duplicates; k++)
        assert_int_equal(a->duplicate_at[k], b->duplicate_at[k]);
    assert_int_equal(a->levels == NULL, b->levels == NULL);
    for (size_t j = 0; j < a->cols; j++) {
        assert_string_equal(a->names[j], b->names[j]);
        assert_int_equal(a->numbers[j], b->numbers[j]);
        assert_int_equal(a->levels != NULL ? a->levels[j].n : 0, b->levels != NULL ? b->levels[j].n : 0);
        for (size_t k = 0; a->levels != NULL && k < a->levels[j].n; k++)
            assert_string_equal(a->levels[j].item[k], b->levels[j].item[k]);
    }
    for (size_t i = 0; i < a->rows; i++)
        assert_memory_equal(lam_table_row(a, i, room), b->values + i * b->cols, b->cols * sizeof *room);
}

/* Reads path, which the cache is used for or not, and compares it with what it is in memory. Returns the cache's path, good until the next call. */
static const char *expect(const char *settings, const char *path, int used)
{
    static char kept[512];
    lam_table *there = read_kept(settings, path, NULL), *here = read_to_memory(settings, path, NULL);
    assert_int_equal(there->was_kept, used);
    assert_non_null(there->kept);
    snprintf(kept, sizeof kept, "%s", there->kept);
    expect_same(there, here);
    lam_table_free(there);
    lam_table_free(here);
    return kept;
}

static void text_is_read_once(void **state)
{
    (void)state;
    const char *path = write_text("data.csv", "3.25");
    char kept[512];
    snprintf(kept, sizeof kept, "%s", expect(SETTINGS, path, 0));
    assert_int_equal(access(kept, F_OK), 0);
    assert_string_equal(expect(SETTINGS, path, 1), kept);
    assert_string_equal(said.text, "");
    /* validation rows are read like training rows */
    lam_table *first = read_kept(SETTINGS, path, NULL), *valid[2], *here = read_to_memory(SETTINGS, path, first);
    for (int k = 0; k < 2; k++) {
        valid[k] = read_kept(SETTINGS, path, first);
        assert_int_equal(valid[k]->was_kept, k);
        assert_string_not_equal(valid[k]->kept, first->kept);
        expect_same(valid[k], here);
        lam_table_free(valid[k]);
    }
    lam_table_free(here);
    /* and not like others, whose text is of other levels */
    lam_table *other = read_to_memory(SETTINGS, scratch_text("other.csv", "a,kind,c,\"long, name\"\n1,few,1,1\n2,many,1,1\n1,other,1,1\n"), NULL);
    valid[0] = read_kept(SETTINGS, path, other);
    here = read_to_memory(SETTINGS, path, other);
    assert_int_equal(valid[0]->was_kept, 0);
    expect_same(valid[0], here);
    lam_table_free(valid[0]);
    lam_table_free(here);
    lam_table_free(other);
    lam_table_free(first);
}

static void other_readings_have_other_files(void **state)
{
    (void)state;
    static const char *const ways[] = { "{columns: [a], drop-bad-rows: true}", "{drop: [kind], drop-bad-rows: true}", "{drop: [kind, a], drop-bad-rows: true}", "{columns: [c, a], drop-bad-rows: true}",
        "{columns: [a, c], drop-bad-rows: true}", "{header: no, drop-bad-rows: true, given: [2]}", "{given: [kind], any-given: true}",
        "{given: [kind], drop-bad-rows: true}", "{columns: [\"long, name\"], drop-bad-rows: true}" };
    enum { WAYS = sizeof ways / sizeof *ways };
    char kept[WAYS][512];
    const char *path = write_text("ways.csv", "3.25");
    for (int used = 0; used < 2; used++)
        for (size_t i = 0; i < WAYS; i++)
            snprintf(kept[i], sizeof kept[i], "%s", expect(ways[i], path, used));
    for (size_t i = 0; i < WAYS; i++)
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(kept[i], kept[k]);
}

static void set_time(const char *path, time_t seconds)
{
    const struct timespec times[2] = { { .tv_sec = seconds }, { .tv_sec = seconds } };
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void stale_files_are_refused(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s", write_text("stale.csv", "3.25"));
    set_time(path, 1000);
    expect(SETTINGS, path, 0);
    set_time(path, 2000); /* the same bytes */
    expect(SETTINGS, path, 1);
    assert_string_equal(said.text, "");
    write_text("stale.csv", "3.75");
    set_time(path, 3000); /* others, as many */
    expect(SETTINGS, path, 0);
    assert_non_null(strstr(said.text, "is of an earlier state of that file and is not used"));
    assert_non_null(strstr(said.text, "stale.csv is read again"));
    expect(SETTINGS, path, 1);
    FILE *f = fopen(path, "a");
    fputs("5,few,0.25,9\n", f);
    fclose(f);
    set_time(path, 3000); /* the same time */
    expect(SETTINGS, path, 0);
    expect(SETTINGS, path, 1);
}

static void damaged_files_are_refused(void **state)
{
    (void)state;
    static unsigned char whole[1 << 14], broken[1 << 14];
    char path[512], kept[512];
    snprintf(path, sizeof path, "%s", write_text("damaged.csv", "3.25"));
    snprintf(kept, sizeof kept, "%s", expect(SETTINGS, path, 0));
    FILE *f = fopen(kept, "rb");
    size_t size = fread(whole, 1, sizeof whole, f);
    fclose(f);
    assert_in_range(size, LAM_CACHE_HEAD + 4 * COLS * sizeof(double), sizeof whole - 1);
    const char *name = strrchr(kept, '/') + 1;
    for (size_t i = 0; i < size; i++) { /* a bit of every byte that says something */
        static const unsigned char zeros[LAM_CACHE_HEAD];
        if (i < LAM_CACHE_HEAD && memcmp(whole + i, zeros, LAM_CACHE_HEAD - i) == 0)
            continue;
        double number;
        memcpy(&number, whole + i - i % sizeof number, sizeof number);
        if (i >= LAM_CACHE_HEAD && i < LAM_CACHE_HEAD + 5 * COLS * sizeof number && isnan(number))
            continue; /* whatever its bits are */
        memcpy(broken, whole, size);
        broken[i] ^= (unsigned char)(1 << i % 8);
        scratch_write(name, broken, size);
        expect(SETTINGS, path, 0);
        assert_non_null(strstr(said.text, "and is not used"));
    }
    for (size_t n = 0; n <= size + 1; n += n < 4 || n + 4 > size ? 1 : 37) { /* cut short, and one byte too many */
        if (n == size)
            continue;
        memcpy(broken, whole, size);
        broken[size] = 0;
        scratch_write(name, broken, n);
        expect(SETTINGS, path, 0);
        assert_non_null(strstr(said.text, "and is not used"));
    }
    expect(SETTINGS, path, 1);
}

/* Of what a digest would have refused: nothing is read beyond its end, and what is cut short is no table. */
static void no_tail_is_read_beyond_its_end(void **state)
{
    (void)state;
    const char *path = write_text("tail.csv", "3.25");
    lam_table *t = read_to_memory(SETTINGS, path, NULL), *again;
    lam_cache_key key = { .source = "/a/b.csv", .settings = "drop 0\n" };
    char *tail, *part;
    size_t size;
    assert_int_equal(lam_cache_make_tail(&key, t, &tail, &size), LAM_OK);
    assert_null(lam_cache_read_tail(&key, tail, size, t->cols, &again));
    lam_table_free(again);
    for (size_t n = 0; n < size; n++) {
        part = malloc(n + 1); /* of its own size, so that sanitizers see what is beyond */
        memcpy(part, tail, n);
        assert_non_null(lam_cache_read_tail(&key, part, n, t->cols, &again));
        assert_null(again);
        free(part);
    }
    for (size_t i = 0; i < size; i++) {
        for (int value = 0; value < 256; value += 85) {
            part = malloc(size);
            memcpy(part, tail, size);
            part[i] = (char)value;
            if (lam_cache_read_tail(&key, part, size, t->cols, &again) == NULL)
                lam_table_free(again);
            free(part);
        }
    }
    assert_non_null(lam_cache_read_tail(&key, tail, size, SIZE_MAX / 2, &again));
    key.settings = "drop 1 1:a\n";
    assert_string_equal(lam_cache_read_tail(&key, tail, size, t->cols, &again), "is of another file, or of one that was read in another way,");
    free(tail);
    lam_table_free(t);
}

static const char *pack(const char *name, const char *from)
{
    static char text[1 << 14];
    FILE *f = fopen(from, "rb");
    size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    const char *path = scratch_path(name);
    gzFile out = gzopen(path, "wb");
    assert_int_equal(gzwrite(out, text, (unsigned)n), (int)n);
    assert_int_equal(gzclose(out), Z_OK);
    return path;
}

static void gzipped_text_is_read_once(void **state)
{
    (void)state;
    const char *path = pack("data.csv.gz", write_text("plain.csv", "3.25"));
    char kept[512];
    snprintf(kept, sizeof kept, "%s", expect(SETTINGS, path, 0));
    expect(SETTINGS, path, 1);
    set_time(path, 1000);
    expect(SETTINGS, path, 1);
    path = pack("data.csv.gz", write_text("plain.csv", "3.75"));
    assert_string_equal(expect(SETTINGS, path, 0), kept);
    expect(SETTINGS, path, 1);
}

/* Where text is neither of a file nor to be kept there is no file but the data's. */
static void nothing_is_kept_that_is_not_asked_for(void **state)
{
    (void)state;
    lam_config *cfg = NULL;
    lam_table *t = NULL;
    const char *path = write_text("other.csv", "3.25");
    const lam_rows_place place = { .folder = scratch_folder };
    assert_int_equal(lam_config_create("{drop: [a], any-given: true, given: [kind]}", &cfg), LAM_OK);
    assert_int_equal(lam_table_map_rows(cfg, path, NULL, &place, &t), LAM_OK);
    assert_non_null(t->mapped);
    assert_null(t->kept);
    lam_table_free(t);
    const lam_rows_place kept = { .folder = scratch_folder, .keep = 1 };
    assert_int_equal(lam_table_map_rows(cfg, path, NULL, &kept, &t), LAM_OK);
    assert_int_equal(t->was_kept, 0);
    lam_table_free(t);
    lam_config_free(cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_read_once),
        cmocka_unit_test(other_readings_have_other_files),
        cmocka_unit_test(stale_files_are_refused),
        cmocka_unit_test(damaged_files_are_refused),
        cmocka_unit_test(no_tail_is_read_beyond_its_end),
        cmocka_unit_test(gzipped_text_is_read_once),
        cmocka_unit_test(nothing_is_kept_that_is_not_asked_for),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
