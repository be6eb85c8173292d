/* Files of other programs: each is refused by name whatever it is called, with a command that converts it; text that only begins like one
 * is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "base/error.h"
#include "data/table.h"
#include "scratch.h"
#include <stdio.h>
#include <string.h>

static void refused(const void *file, size_t size, const char *words, const char *command)
{
    lam_table *t;
    assert_int_equal(lam_table_read_memory("my table.csv", file, size, NULL, NULL, &t), LAM_ERR_FORMAT);
    assert_null(t);
    if (strstr(lam_last_error(), words) == NULL || strstr(lam_last_error(), command) == NULL)
        fail_msg("\"%s\" and \"%s\" are not both in \"%s\"", words, command, lam_last_error());
}

static void by_first_bytes(void **state)
{
    (void)state;
#define STARTS(start, words, command) refused(start, sizeof(start) - 1, words, command)
    STARTS("\xFD" "7zXZ\0\0\4", "compressed by xz", "xz -dc 'my table.csv' | laminar fit - ");
    STARTS("BZh91AY&SY\1\2", "compressed by bzip2", "bzip2 -dc 'my table.csv' |");
    STARTS("\x28\xB5\x2F\xFD\0", "compressed by zstd", "zstd -dc");
    STARTS("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0", "old Excel", "pandas.read_excel('my table.csv').to_csv('table.csv', index=False)");
    STARTS("PAR1\x15\0\x15", "Parquet", "pandas.read_parquet('my table.csv')");
    STARTS("ARROW1\0\0", "Arrow", "pandas.read_feather");
    STARTS("FEA1\0\0", "Feather", "pandas.read_feather");
    STARTS("\x89HDF\r\n\x1a\n\0", "HDF5", "h5py.File('my table.csv')");
    STARTS("\x73\2\1\0\3", "Stata", "pandas.read_stata");
    STARTS("X\n\0\0\0\3", "R object", "readRDS('my table.csv')");
    STARTS("SQLite format 3\0", "SQLite", "sqlite3 -csv -header 'my table.csv'");
    STARTS("\x80\4\x95", "a pickle", "pandas.read_pickle");
    STARTS("{\"a\": [1, 2]}", "JSON", "pandas.read_json");
    STARTS("[\n {\"a\": 1}]", "JSON", "pandas.read_json");
    STARTS(" <!DOCTYPE html>\n", "an HTML page", "pandas.read_html");
    STARTS("% iris\n\n@RELATION iris\n", "ARFF", "scipy.io.arff");
    char tar[512] = "member.csv";
    memcpy(tar + 257, "ustar", 5);
    refused(tar, sizeof tar, "tar archive", "tar -xOf 'my table.csv' |");
    /* names of files that a shell would take apart do not stand in a command */
    lam_table *t;
    assert_int_equal(lam_table_read_memory("it's", "PAR1\0", 5, NULL, NULL, &t), LAM_ERR_FORMAT);
    assert_non_null(strstr(lam_last_error(), "read_parquet('FILE')"));
}

static void text_is_read(void **state)
{
    (void)state;
    static const char *const texts[] = { "PAR1,PAR2\n1,2\n", "FEA1,FEA2\n1,2\n", "[a],[b]\n1,2\n", "<DATE>,<OPEN>\n1,2\n", "{x};{y}\n1;2\n" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        lam_table *t;
        assert_int_equal(lam_table_read_memory("t", texts[i], strlen(texts[i]), NULL, NULL, &t), LAM_OK);
        assert_true(t->has_names && t->rows == 1 && t->cols == 2);
        lam_table_free(t);
    }
}

/* Zips are told by the names in them. */
static void archives(void **state)
{
    (void)state;
    static const struct { const char *names[3], *words, *command; } cases[] = {
        { { "[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml" }, "Excel workbook (.xlsx", "pandas.read_excel('my table.csv')" },
        { { "mimetype", "content.xml", "styles.xml" }, "OpenDocument spreadsheet", "engine='odf'" },
        { { "data/", "data/points.csv", NULL }, "a zip of 1 file", "unzip -p 'my table.csv' 'data/points.csv' | laminar fit -" },
        { { "a.csv", "b.csv", "c.txt" }, "a zip of 3 files", "'a.csv' | laminar fit -" },
        { { "1.png", "2.PNG", NULL }, "a zip of 2 pictures", "laminar vae fit" },
    };
    bytes *archive = calloc(1, sizeof *archive), *content = calloc(1, sizeof *content);
    put_bytes(content, "1,2\n", 4);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        zip_entry entries[3];
        size_t n = 0;
        for (; n < 3 && cases[i].names[n] != NULL; n++)
            entries[n] = (zip_entry){ .name = cases[i].names[n], .content = content };
        archive->size = 0;
        put_zip(archive, entries, n);
        refused(archive->data, archive->size, cases[i].words, cases[i].command);
    }
    free(archive);
    free(content);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_first_bytes),
        cmocka_unit_test(text_is_read),
        cmocka_unit_test(archives),
    };
    return cmocka_run_group_tests_name("foreign", tests, NULL, NULL);
}
