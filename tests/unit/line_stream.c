/* Lines of files larger than the block that they go through; files that have none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "scratch.h"
#include "recipes.h"

static void stream_of(const char *path, lam_line_stream **stream)
{
    WORKS(lam_line_stream_open(path, stream));
}

/* Three blocks of lines of many lengths, all endings; numbers count blank lines. */
static void streams(void **state)
{
    (void)state;
    enum { LINES = 60000 };
    lam_line_stream *stream;
    lam_text_line line;
    text t = { 0 };
    add(&t, "\xEF\xBB\xBF");
    for (int i = 0; i < LINES; i++)
        add(&t, "%d %.*s%s", i, i % 97, "-------------------------------------------------------------------------------------"
            "---------------", i % 5 == 0 ? "\r\n\n" : "\n");
    assert_true(t.size > 3 << 20);
    stream_of(save(&t, "lines"), &stream);
    for (int i = 0, number = 1; i < LINES; i++, number += i % 5 == 1 ? 2 : 1) {
        WORKS(lam_line_stream_next(stream, &line));
        assert_non_null(line.at);
        assert_int_equal(atoi(line.at), i);
        assert_int_equal(line.number, number);
        assert_true(line.end[-1] != '\r');
    }
    WORKS(lam_line_stream_next(stream, &line));
    assert_null(line.at);
    WORKS(lam_line_stream_next(stream, &line));
    assert_null(line.at);
    assert_int_equal(lam_line_stream_done(stream), lam_line_stream_size(stream));
    lam_line_stream_close(stream);
    lam_line_stream_close(NULL);
}

/* Reads to the end or the first failure. */
static lam_status drain(const char *path)
{
    lam_line_stream *stream;
    lam_text_line line = { "", "", 0 };
    stream_of(path, &stream);
    lam_status status = LAM_OK;
    while (status == LAM_OK && line.at != NULL)
        status = lam_line_stream_next(stream, &line);
    lam_line_stream_close(stream);
    return status;
}

static void stream_refusals(void **state)
{
    (void)state;
    text t = { 0 };
    add(&t, "first\n");
    for (int i = 0; i < 1100; i++)
        add(&t, "%0*d", 1024, 1);
    FAILS(drain(save(&t, "long")), LAM_ERR_FORMAT, "long: line 2 is longer than 1048576 bytes");
    FAILS(drain(scratch_write("zero", "a b\nc\0d\n", 8)), LAM_ERR_FORMAT, "a zero byte at offset 5");
    for (int i = 0; i < 20000; i++)
        add(&t, "%d\n", i * 7919 % 10007);
    const char *packed = save_gzipped("cut.gz", &t);
    free(t.data);
    assert_int_equal(truncate(packed, 3000), 0);
    FAILS(drain(packed), LAM_ERR_FORMAT, "the gzip file is cut short");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(streams), cmocka_unit_test(stream_refusals) };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
