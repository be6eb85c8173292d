/* Files written atomically: what a reader finds at PATH after success, after a full disk and after giving up. */
#include "base/file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/laminar_file_XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static size_t files_in_folder(void)
{
    size_t n = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

static void empty_folder(void)
{
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        if (entry->d_name[0] != '.' && unlink(in_folder(entry->d_name)) != 0)
            rmdir(in_folder(entry->d_name));
    closedir(dir);
}

static void write_text(const char *path, const char *text)
{
    lam_out_file out;
    assert_int_equal(lam_out_open(&out, path), LAM_OK);
    fputs(text, out.stream);
    assert_int_equal(lam_out_commit(&out), LAM_OK);
}

static void assert_holds(const char *path, const char *text)
{
    char *bytes;
    size_t size;
    assert_int_equal(lam_file_read(path, &bytes, &size), LAM_OK);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(bytes, text, size + 1); /* the final NUL too */
    free(bytes);
}

static void commit_replaces(void **state)
{
    (void)state;
    write_text(in_folder("a"), "first");
    assert_holds(in_folder("a"), "first");
    assert_int_equal(chmod(in_folder("a"), 0640), 0);
    lam_out_file out;
    assert_int_equal(lam_out_open(&out, in_folder("a")), LAM_OK);
    fputs("second", out.stream);
    fflush(out.stream);
    assert_holds(in_folder("a"), "first"); /* until the commit, readers see the old file */
    assert_int_equal(lam_out_commit(&out), LAM_OK);
    assert_null(out.stream);
    assert_null(out.temporary);
    assert_holds(in_folder("a"), "second");
    struct stat info;
    assert_int_equal(stat(in_folder("a"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640); /* replacing does not change who may read */
    assert_int_equal(files_in_folder(), 1);
    empty_folder();
}

static void abandon_leaves_nothing(void **state)
{
    (void)state;
    write_text(in_folder("a"), "old");
    lam_out_file out;
    assert_int_equal(lam_out_open(&out, in_folder("a")), LAM_OK);
    assert_int_equal(files_in_folder(), 2); /* the temporary stands beside its target: rename needs the same disk */
    fputs("half", out.stream);
    lam_out_abandon(&out);
    lam_out_abandon(&out); /* a second time is harmless */
    assert_holds(in_folder("a"), "old");
    assert_int_equal(lam_out_open(&out, in_folder("new")), LAM_OK);
    lam_out_abandon(&out);
    assert_int_equal(files_in_folder(), 1);
    assert_int_equal(lam_out_commit(&out), LAM_ERR_ARGUMENT); /* nothing is open any more */
    empty_folder();
}

/* A full disk, simulated by the limit on file sizes: write(2) fails with EFBIG half way. */
static void full_disk_keeps_the_old_file(void **state)
{
    (void)state;
    write_text(in_folder("a"), "old");
    struct rlimit old_limit, limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
    limit = old_limit;
    limit.rlim_cur = 10000;
    signal(SIGXFSZ, SIG_IGN);
    const size_t sizes[] = { 10001, 12000, 300000 }; /* fails in the flush of commit, and in the middle of writing */
    for (size_t i = 0; i < 3; i++) {
        lam_out_file out;
        assert_int_equal(lam_out_open(&out, in_folder("a")), LAM_OK);
        setrlimit(RLIMIT_FSIZE, &limit);
        for (size_t k = 0; k < sizes[i]; k++)
            putc('x', out.stream);
        lam_status status = lam_out_commit(&out);
        setrlimit(RLIMIT_FSIZE, &old_limit);
        assert_int_equal(status, LAM_ERR_IO);
        assert_non_null(strstr(lam_last_error(), "/a failed"));
        assert_non_null(strstr(lam_last_error(), "nothing was replaced"));
        assert_holds(in_folder("a"), "old");
        assert_int_equal(files_in_folder(), 1);
    }
    signal(SIGXFSZ, SIG_DFL);
    empty_folder();
}

static void devices_are_written_directly(void **state)
{
    (void)state;
    lam_out_file out;
    struct stat info;
    if (stat("/dev/full", &info) != 0 || !S_ISCHR(info.st_mode))
        skip();
    assert_int_equal(lam_out_open(&out, "/dev/full"), LAM_OK);
    assert_null(out.temporary); /* renaming over a device would destroy it */
    fputs("x", out.stream);
    assert_int_equal(lam_out_commit(&out), LAM_ERR_IO);
    assert_non_null(strstr(lam_last_error(), "/dev/full"));
    assert_int_equal(lam_out_open(&out, "/dev/null"), LAM_OK);
    fputs("x", out.stream);
    assert_int_equal(lam_out_commit(&out), LAM_OK); /* fsync's EINVAL on a device is no failure */
    assert_int_equal(stat("/dev/null", &info), 0);
    assert_true(S_ISCHR(info.st_mode));
}

static void a_link_stays_a_link(void **state)
{
    (void)state;
    char target[512];
    snprintf(target, sizeof target, "%s", in_folder("target"));
    write_text(target, "old");
    assert_int_equal(symlink(target, in_folder("link")), 0);
    write_text(in_folder("link"), "new");
    assert_holds(target, "new");
    struct stat info;
    assert_int_equal(lstat(in_folder("link"), &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    empty_folder();
}

static void refusals(void **state)
{
    (void)state;
    lam_out_file out;
    char *bytes = folder; /* anything but NULL */
    size_t size = 1;
    assert_int_equal(lam_out_open(&out, in_folder("missing/a")), LAM_ERR_IO);
    assert_non_null(strstr(lam_last_error(), "create its folder first"));
    assert_int_equal(lam_out_open(&out, folder), LAM_ERR_IO);
    assert_non_null(strstr(lam_last_error(), "is a folder"));
    assert_int_equal(lam_out_open(&out, ""), LAM_ERR_ARGUMENT);
    lam_out_abandon(&out); /* a failed open leaves nothing to clean up */
    assert_int_equal(lam_file_read(in_folder("missing"), &bytes, &size), LAM_ERR_IO);
    assert_non_null(strstr(lam_last_error(), "missing"));
    assert_null(bytes);
    assert_int_equal(size, 0);
    assert_int_equal(lam_file_read(folder, &bytes, &size), LAM_ERR_IO); /* a folder opens but cannot be read */
    assert_null(bytes);
    assert_int_equal(files_in_folder(), 0);
}

static void reading_keeps_every_byte(void **state)
{
    (void)state;
    const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 100000 }; /* about the buffer's first size, and beyond */
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        lam_out_file out;
        assert_int_equal(lam_out_open(&out, in_folder("b")), LAM_OK);
        for (size_t k = 0; k < sizes[i]; k++)
            putc((int)(k % 251), out.stream); /* NUL bytes among them */
        assert_int_equal(lam_out_commit(&out), LAM_OK);
        char *bytes;
        size_t size;
        assert_int_equal(lam_file_read(in_folder("b"), &bytes, &size), LAM_OK);
        assert_int_equal(size, sizes[i]);
        for (size_t k = 0; k < size; k++)
            assert_int_equal((unsigned char)bytes[k], k % 251);
        assert_int_equal(bytes[size], 0);
        free(bytes);
    }
    empty_folder();
}

static void one_slash(void **state)
{
    (void)state;
    const char *const cases[][2] = { { "run", "run/a" }, { "run/", "run/a" }, { "b/run//", "b/run/a" }, { "/", "/a" }, { "", "a" } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *path = lam_path_join(cases[i][0], "a");
        assert_string_equal(path, cases[i][1]);
        free(path);
    }
}

int main(void)
{
    if (mkdtemp(folder) == NULL)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commit_replaces),
        cmocka_unit_test(abandon_leaves_nothing),
        cmocka_unit_test(full_disk_keeps_the_old_file),
        cmocka_unit_test(devices_are_written_directly),
        cmocka_unit_test(a_link_stays_a_link),
        cmocka_unit_test(refusals),
        cmocka_unit_test(reading_keeps_every_byte),
        cmocka_unit_test(one_slash),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return failed;
}
