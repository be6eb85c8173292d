/* Text files as other programs write them: what makes the first line names, comments, row names, encodings, decimal commas, line breaks
 * in cells. And reading in parts, by threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "base/error.h"
#include "base/pool.h"
#include "base/random.h"
#include "data/table.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static lam_status read_bytes(const char *bytes, size_t size, const lam_read_options *options, lam_table **out)
{
    return lam_table_read_memory("t.csv", bytes, size, NULL, options, out);
}

/* What text has to read as: rows and columns, the names ("a|b"; NULL: none), the sum of all numbers, and words in how and notes ("": there
 * are no notes). */
typedef struct expected {
    const char *text;
    size_t rows, cols;
    const char *names;
    double sum;
    const char *how, *notes;
} expected;

static void has_words(const char *found, const char *words, const char *text)
{
    if (words[0] == '\0' ? found != NULL : found == NULL || strstr(found, words) == NULL)
        fail_msg("\"%s\" is not in \"%s\", of\n%s", words, found != NULL ? found : "(nothing)", text);
}

static void reads_as(const char *bytes, size_t size, const lam_read_options *options, const expected *want)
{
    lam_table *t;
    char names[256] = "";
    double sum = 0;
    if (read_bytes(bytes, size, options, &t) != LAM_OK)
        fail_msg("%s, of\n%s", lam_last_error(), want->text);
    for (size_t j = 0; j < t->cols; j++) {
        strncat(names, j > 0 ? "|" : "", 2);
        strncat(names, t->names[j], 50);
    }
    for (size_t i = 0; i < t->rows * t->cols; i++)
        sum += t->values[i];
    if (t->rows != want->rows || t->cols != want->cols || t->has_names != (want->names != NULL) || fabs(sum - want->sum) > 1e-12
        || (want->names != NULL && strcmp(names, want->names) != 0))
        fail_msg("%zu x %zu of sum %.17g, names %s, of\n%s", t->rows, t->cols, sum, t->has_names ? names : "(none)", want->text);
    has_words(t->how, want->how, want->text);
    has_words(t->notes, want->notes, want->text);
    lam_table_free(t);
}

static void read_all(const expected *cases, size_t n, const lam_read_options *options)
{
    for (size_t i = 0; i < n; i++)
        reads_as(cases[i].text, strlen(cases[i].text), options, &cases[i]);
}
#define READ_ALL(cases, options) read_all(cases, sizeof(cases) / sizeof *(cases), options)

static void fails(const char *text, const lam_read_options *options, lam_status status, const char *words)
{
    lam_table *t;
    assert_int_equal(read_bytes(text, strlen(text), options, &t), status);
    assert_null(t);
    has_words(lam_last_error(), words, text);
}

/* A first row is a row, however its missing cells are spelled, and with bad rows left out it is counted as one. */
static void missing_in_the_first_row(void **state)
{
    (void)state;
    static const char *const spelled[] = { "-nan", "-NaN", ".", "-", "--", "#N/A", "#NA", "\\N", "NA", "?", "", "null", "None", "<NA>", "-nan(ind)",
        "1.#QNAN", "#VALUE!", "****", ".z", "n/a" };
    for (size_t i = 0; i < sizeof spelled / sizeof *spelled; i++)
        for (int behind = 0; behind < 2; behind++) {
            char text[128];
            lam_table *t;
            snprintf(text, sizeof text, behind ? "0.5,%s\n1.5,2\n3,4\n" : "%s,0.5\n1.5,2\n3,4\n", spelled[i]);
            assert_int_equal(read_bytes(text, strlen(text), &(lam_read_options){ .drop_bad_rows = 1 }, &t), LAM_OK);
            if (t->rows != 2 || t->bad_rows != 1 || t->has_names)
                fail_msg("%zu rows, %zu bad, names %d of\n%s", t->rows, t->bad_rows, t->has_names, text);
            lam_table_free(t);
            fails(text, NULL, LAM_ERR_DATA, "line 1, column ");
        }
    /* all of it missing; a label beside it */
    fails(".,-\n1,2\n3,4\n", NULL, LAM_ERR_DATA, "line 1, column 1");
    fails("setosa,NA,?\nsetosa,1,2\nvirginica,3,4\n", &(lam_read_options){ .drop = LAM_NAMES("1") }, LAM_ERR_DATA, "line 1, column 2");
    /* a spelling that nobody knows beside numbers that are no names, and the way out */
    fails("unk,0.5,0.25\n1,2,3\n4,5,6.5\n", NULL, LAM_ERR_DATA, "\"unk\" is not a number");
    fails("unk,0.5,0.25\n1,2,3\n4,5,6.5\n", NULL, LAM_ERR_DATA, "--header yes");
    static const expected exponents[] = {
        { "1.0D+00 2.5D-01\n3.0D+00 4.0d0\n", 2, 2, NULL, 8.25, "no names", "" },
    };
    READ_ALL(exponents, NULL);
}

static void what_makes_names(void **state)
{
    (void)state;
    static const expected automatic[] = {
        { "a,b\n1,2\n3,4\n", 2, 2, "a|b", 10, "names from line 1 (text above numbers)", "" },
        { "\na,b\n1,2\n", 1, 2, "a|b", 3, "names from line 2", "" },
        { "\"1\",\"2\"\n3,4\n", 1, 2, "1|2", 7, "names from line 1 (numbers in quotes", "" },
        { "1,2\n3,4\n", 2, 2, NULL, 10, "no names", "" },
        { "Na,K,Cl\n1,2,3\n", 1, 3, "Na|K|Cl", 6, "text above numbers", "" }, /* NA is missing, but K is a name */
        { "kind,2019,2020\n1,20,30.5\n", 1, 3, "kind|2019|2020", 51.5, "text above numbers", "holds numbers above numbers too (2019, 2020)" },
        { "id,0.1,0.5,0.9\n1,7,8,9\n2,5,5,5\n", 2, 4, "id|0.1|0.5|0.9", 42, "text above numbers", "--header no" },
        { "400,500,600\n0.1,0.2,0.4\n0.2,0.1,0.5\n", 3, 3, NULL, 1501.5, "no names", "line 1 (400, 500, 600) is read as a row" },
        { "412,443,490,510\n0.1,0.2,0.4,1.5\n", 2, 4, NULL, 1857.2, "no names", "--header yes" },
        { "0,1,2\n100.5,3.5,70.25\n99,2.5,71\n", 3, 3, NULL, 349.75, "no names", "(0, 1, 2)" },
        { "0,1\n0.25,-0.5\n-1.5,2.5\n", 3, 2, NULL, 1.75, "no names", "(0, 1)" },
        /* rows that go by even steps as others do, small whole numbers, a state at the start */
        { "1,2,3\n4,5,6\n7,8,9\n", 3, 3, NULL, 45, "no names", "" },
        { "3,4,5\n1,5,2\n5,1,4\n", 3, 3, NULL, 30, "no names", "" },
        { "0,0,0\n0.5,0.25,1.5\n", 2, 3, NULL, 2.25, "no names", "" },
        { "5.1,3.5,1.4\n4.9,3.0,1.4\n", 2, 3, NULL, 19.3, "no names", "" },
    };
    READ_ALL(automatic, NULL);
    /* a second line of missing cells does not hide that the column is one of numbers */
    static const expected gaps[] = { { "a,b\n?,1\nNA,2\n3,4\n", 1, 2, "a|b", 7, "text above numbers", "" } };
    READ_ALL(gaps, &(lam_read_options){ .drop_bad_rows = 1 });
    static const expected yes[] = {
        { "400,500,600\n1,2,3\n", 1, 3, "400|500|600", 6, "(--header yes)", "" },
        { "\xEF\xBB\xBF" "0.5;1\n1;2\n", 1, 2, "0.5|1", 3, "(--header yes)", "" },
        { "# a b\n1 2\n3 4\n", 2, 2, "a|b", 10, "names from line 1 (a comment", "" },
    };
    READ_ALL(yes, &(lam_read_options){ .header = LAM_HEADER_YES });
    static const expected no[] = {
        { "400,500,600\n1,2,3\n", 2, 3, NULL, 1506, "--header no", "" },
        { "# a b\n1 2\n3 4\n", 2, 2, NULL, 10, "--header no", "" },
    };
    READ_ALL(no, &(lam_read_options){ .header = LAM_HEADER_NO });
    fails("a,b\n1,2\n", &(lam_read_options){ .header = LAM_HEADER_NO }, LAM_ERR_DATA, "line 1, column 1 (1): \"a\" is not a number");
    fails("1,2\n", &(lam_read_options){ .header = LAM_HEADER_YES }, LAM_ERR_FORMAT, "no row below");
}

static void comments(void **state)
{
    (void)state;
    static const expected cases[] = {
        { "# alpha beta\n1.0 2.0\n3.0 4.0\n", 2, 2, "alpha|beta", 10, "names from line 1 (a comment", "" },
        { "# sim v3 of us\n#\n# alpha,beta\n1,2\n3,4\n", 2, 2, "alpha|beta", 10, "names from line 3", "" },
        { "#alpha beta\n1,2\n3,4\n", 2, 2, "alpha|beta", 10, "names from line 1", "" }, /* np.savetxt(delimiter=",", header="a b") */
        { "# %ECSV 1.0\n# ---\na b\n1 2\n", 1, 2, "a|b", 3, "names from line 3 (text", "" },
        { "# x y\n# -- --\n1 2\n", 1, 2, "x|y", 3, "names from line 1", "" }, /* the last of different names */
        { "# seed 12\n1 2 3\n4 5 6\n", 2, 3, NULL, 21, "no names", "" },
        { "# 1 2\n3 4\n5 6\n", 2, 2, NULL, 18, "no names", "" },
        { "#N/A,b\n1,2\n", 1, 2, "#N/A|b", 3, "text above numbers", "" }, /* a cell and no comment */
        { "a,b\n1,2\n# half\n3,4\n#5,6\n", 2, 2, "a|b", 10, "text above", "2 lines below the first row begin with # and are passed over as comments, the first is line 3" },
        { "# it's \"5, not closed\na,b\n1,2\n", 1, 2, "a|b", 3, "names from line 2", "" },
    };
    READ_ALL(cases, NULL);
    fails("# a\n# b\n", NULL, LAM_ERR_FORMAT, "nothing but comments");
}

static void row_names(void **state)
{
    (void)state;
    static const char note[] = "row names";
    static const expected cases[] = {
        { "\"x\" \"y\"\n\"1\" 0.5 2\n\"2\" 3 4\n", 2, 2, "x|y", 9.5, "left out", note },
        { "x y\n1 0.5 2\n7 3 4\n", 2, 2, "x|y", 9.5, "left out", note },
        { "x,y\nMazda RX4,0.5,2\nFiat 128,3,4\n", 2, 2, "x|y", 9.5, "left out", note },
    };
    READ_ALL(cases, NULL);
    static const expected dropped = { "\"x\",\"kind\"\n\"b\",1,\"u\"\n\"a\",2,\"v\"\n", 2, 1, "x", 3, "left out", note };
    reads_as(dropped.text, strlen(dropped.text), &(lam_read_options){ .drop = LAM_NAMES("kind") }, &dropped);
    /* decimal commas between commas, a separator at the end of the rows alone, falling numbers: none of them is R */
    fails("x\n1,5\n2,7\n3,1\n", NULL, LAM_ERR_FORMAT, "line 2 has a cell too many");
    fails("x,y\n1,2,\n2,3,\n", NULL, LAM_ERR_FORMAT, "line 2 has a cell too many");
    fails("x y\n3 1 2\n2 3 4\n", NULL, LAM_ERR_FORMAT, "give that column a name");
    fails("x y\n\"1\" 1 2\n\"2\" oops 4\n", NULL, LAM_ERR_DATA, "line 3, column 1 (x): \"oops\"");
}

static void separators_and_breaks(void **state)
{
    (void)state;
    static const expected cases[] = {
        { "sep=;\na;b\n1;2\n", 1, 2, "a|b", 3, "names from line 2", "" },
        { "\"SEP=,\"\r\n1,2\r\n", 1, 2, NULL, 3, "no names", "" },
        { "sep=\t\na\tb\n1\t2\n", 1, 2, "a|b", 3, "names", "" },
        { "a|b\n1|2\n 3 | 4 \n", 2, 2, "a|b", 10, "names", "" },
        { "\"load\n(MW)\",b\n1,2\n", 1, 2, "load (MW)|b", 3, "names from line 1", "" },
        { "a,b\n\"1\",\"2\"\n\n3,4\n", 2, 2, "a|b", 10, "names", "" },
    };
    READ_ALL(cases, NULL);
    static const expected notes = { "a,comment,b\n1,\"first \"\"line\"\"\r\nsecond, line\r\n\r\nthird\",2\n3,ok,4\n", 2, 2, "a|b", 10, "names", "" };
    reads_as(notes.text, strlen(notes.text), &(lam_read_options){ .drop = LAM_NAMES("comment") }, &notes);
    fails("a,comment,b\n1,\"x\ny\",2\n3,z,oops\n", &(lam_read_options){ .drop = LAM_NAMES("comment") }, LAM_ERR_DATA, "line 4, column 3 (b): \"oops\"");
    fails("a,b\n1,\"2\n3,4\n5,6\n", NULL, LAM_ERR_FORMAT, "line 2, column 2: a quote is not closed");
    fails("a,b\n1,\"2\n3,4\"x\n5,6\n", NULL, LAM_ERR_FORMAT, "line 2, column 2: a quote is not closed");
    fails("sep=:\n1:2\n", NULL, LAM_ERR_FORMAT, "separated by \":\"");
}

static void decimal_commas(void **state)
{
    (void)state;
    static const expected cases[] = {
        { "a;b\n1,5;2\n-0,25;3e1\n", 2, 2, "a|b", 33.25, "decimal commas", "" },
        { "1,5\t2,25\n3\t4\n", 2, 2, NULL, 10.75, "decimal commas", "" },
        { "a;b\n1,234;2,000\n3,125;4\n", 2, 2, "a|b", 10.359, "decimal commas", "" },
        { "1,5E-01;2\n3;4\n", 2, 2, NULL, 9.15, "decimal commas", "" },
        { "0,123\t1,234\n2\t3\n", 2, 2, NULL, 6.357, "decimal commas", "" }, /* no thousand begins with 0 */
    };
    READ_ALL(cases, NULL);
    static const expected text = { "a;t\n1.5;u,v\n2.5;w\n", 2, 1, "a", 4, "names from line 1 (text above numbers)", "" };
    reads_as(text.text, strlen(text.text), &(lam_read_options){ .drop = LAM_NAMES("t") }, &text); /* commas of columns left out do not count */
    fails("1,234\t5\n2,345\t6\n", NULL, LAM_ERR_FORMAT, "line 1: \"1,234\": is its comma a decimal sign");
    fails("a;b\n1,234,567;2\n3;4\n", NULL, LAM_ERR_DATA, "commas between thousands are not read");
    fails("a;b\n1.5;2\n3,5;4\n", NULL, LAM_ERR_DATA, "line 3, column 1 (a): \"3,5\"");
    fails("a;b\n1,5;2\n3,5;1.234,5\n", NULL, LAM_ERR_DATA, "line 3, column 2 (b): \"1.234,5\"");
}

/* All columns of text at once, with a flag that a shell takes; none where a number stands in one, where it may be a number with commas, or
 * where nothing else would be left. */
static void columns_of_text(void **state)
{
    (void)state;
    const lam_read_options drop_rows = { .drop_bad_rows = 1 }, from_zero = { .from_zero = 1 };
    const char *two = "400,x,it's; day,\"a, b\"\n# none\nred,1,2020-01-01,2\n,2,NA,3\nblue,3,2020-01-02,4\n";
    const char *said = "columns 400 and it's; day have text in every row, and no numbers; leave them out with --drop '400,it'\\''s; day'";
    fails(two, NULL, LAM_ERR_DATA, said);
    fails(two, &drop_rows, LAM_ERR_DATA, said);
    fails(two, &(lam_read_options){ .drop = LAM_NAMES("it's; day") }, LAM_ERR_DATA, "column 1 (400) has text in every row, and no numbers; "
        "leave it out with --drop 400");
    fails(two, &(lam_read_options){ .drop = LAM_NAMES("it's; day"), .from_zero = 1 }, LAM_ERR_DATA, "column 0 (400) has text in every row, "
        "and no numbers; leave it out with --drop '\"400\"'");
    fails("red,1,2\nblue,3,4\n", &from_zero, LAM_ERR_DATA, "column 0 has text in every row, and no numbers; leave it out with --drop 0");
    fails("k,x\nred,1\n7,2\n", NULL, LAM_ERR_DATA, "line 2, column 1 (k): \"red\" is not a number; leave such rows out with "
        "--drop-bad-rows, or the column with --drop k");
    const lam_wanted model = { .names = LAM_NAMES("k", "x"), .has_names = 1 }, first = { "the training table", LAM_NAMES("k", "x"), 1, { 0 }, { 0 }, NULL };
    fails("k,x\nred,1\n7,2\n", &(lam_read_options){ .like = &model }, LAM_ERR_DATA, "is not a number; leave such rows out with --drop-bad-rows, or fit a "
        "model without the column, with --drop k");
    fails("k,x\n,1\n7,2\n", &(lam_read_options){ .like = &model, .all_rows = 1 }, LAM_ERR_DATA, "the cell is empty; correct it or take the row out of the "
        "file, or fit a model that takes missing cells, with --any-given, or one without the column, with --drop k");
    fails("k,x\nred,1\n7,2\n", &(lam_read_options){ .like = &first }, LAM_ERR_DATA, "leave such rows out with --drop-bad-rows, or the column with --drop k");
    fails("k,x\n\"1,234.5\",1\n\"2,345.5\",2\n", NULL, LAM_ERR_DATA, "line 2, column 1 (k): \"1,234.5\" is not a number");
    fails("k,x\nred,u\nblue,v\n", NULL, LAM_ERR_DATA, "line 2, column 1 (k): \"red\" is not a number");
}

static void encodings(void **state)
{
    (void)state;
    static const char latin1[] = "gr\xF6\xDF" "e;l\xE4nge;\x80\n1;2;3\n";
    static const expected of_latin1 = { latin1, 1, 3, "gr\xC3\xB6\xC3\x9F" "e|l\xC3\xA4nge|\xE2\x82\xAC", 6, "Windows-1252", "" };
    reads_as(latin1, sizeof latin1 - 1, NULL, &of_latin1);
    static const char utf8[] = "gr\xC3\xB6\xC3\x9F" "e;b\n1;2\n";
    static const expected of_utf8 = { utf8, 1, 2, "gr\xC3\xB6\xC3\x9F" "e|b", 3, "names from line 1 (text above numbers)", "" };
    reads_as(utf8, sizeof utf8 - 1, NULL, &of_utf8);
    /* UTF-16 of both byte orders, with a mark and without; beyond the first plane too */
    static const unsigned short units[] = { 0xFEFF, 0xE4, ',', 0xD83D, 0xDE00, '\n', '1', ',', '2', '\n' };
    static const expected of_utf16 = { "UTF-16", 1, 2, "\xC3\xA4|\xF0\x9F\x98\x80", 3, "UTF-16", "" };
    for (int big = 0; big < 2; big++)
        for (size_t skip = 0; skip < 2; skip++) {
            char bytes[sizeof units];
            for (size_t i = 0; i < sizeof units / 2; i++) {
                bytes[2 * i + (size_t)!big] = (char)(units[i] >> 8);
                bytes[2 * i + (size_t)big] = (char)(units[i] & 255);
            }
            reads_as(bytes + 2 * skip, sizeof bytes - 2 * skip, NULL, &of_utf16);
        }
    lam_table *t;
    assert_int_equal(read_bytes("\xFF\xFE" "1\0,", 5, NULL, &t), LAM_ERR_FORMAT);
    has_words(lam_last_error(), "odd number of bytes", "UTF-16");
    assert_int_equal(read_bytes("\xFF\xFE" "1\0\0\xD8" "2\0", 8, NULL, &t), LAM_ERR_FORMAT);
    has_words(lam_last_error(), "half a character of UTF-16 at offset 2", "UTF-16");
    assert_int_equal(read_bytes("\xFF\xFE\0\0a\0\0\0", 8, NULL, &t), LAM_ERR_FORMAT);
    has_words(lam_last_error(), "iconv -f UTF-32", "UTF-32");
}

/* ---- parts and threads ----------------------------------------------------------------------------------------------- */

/* What reading came to, in words: values, what was dropped, notes; or the error. */
static char *outcome(const char *text, size_t size, const lam_read_options *options, size_t block, lam_pool *pool)
{
    lam_table *t;
    char *said = NULL;
    size_t length;
    FILE *out = open_memstream(&said, &length);
    if (lam_text_read_cut("t.csv", text, size, options, block, pool, &t) != LAM_OK) {
        fputs(lam_last_error(), out);
    } else {
        fprintf(out, "%zu x %zu, %zu bad, %zu missing, %s, %s:", t->rows, t->cols, t->bad_rows, t->missing, t->how, t->notes != NULL ? t->notes : "-");
        for (size_t i = 0; i < t->bad_rows; i++)
            fprintf(out, " %zu", t->bad_at[i]);
        for (size_t i = 0; i < t->rows * t->cols; i++)
            fprintf(out, " %a", t->values[i]);
        lam_table_free(t);
    }
    fclose(out);
    return said;
}

static void cuts_alike(const char *text, size_t size, const lam_read_options *options, lam_pool *const *pools)
{
    char *whole = outcome(text, size, options, size + 1, NULL);
    for (size_t block = 1; block < 40; block += block < 8 ? 1 : 5) {
        char *parts = outcome(text, size, options, block, pools[block % 3]);
        if (strcmp(parts, whole) != 0)
            fail_msg("in parts of %zu bytes:\n%s\nas a whole:\n%s\nof\n%.*s", block, parts, whole, (int)size, text);
        free(parts);
    }
    free(whole);
}

/* Lines of anything that text may hold, most of it right. */
static size_t draw_text(uint64_t i, char *text, size_t room)
{
    static const char *const pieces[] = { "1.5,2,3\n", "4,5,6\r\n", "7,8,9\r", "\n", "  \n", "# 1,2,3\n", "1,\"2\",3\n", "1,\"a\n1,2,3\nb\",3\n", "1,\"\"\"\n\"\"\",3\n",
        " 1 , 2,3 \n", "1,x,3\n", "1,,3\n", "1,2\n", "1,2,3,4\n", "NA,NA,NA\n", "5,\"6,7\n", "5\",6,7\n", "1e400,2,3\n", "1,5\" pipe,3\n", "-.5e-3,+2.,3d2\n" };
    size_t n = sizeof pieces / sizeof *pieces, used = 0;
    uint64_t kind = i % 4; /* 0: anything; 1: nothing wrong; else seldom */
    used += (size_t)snprintf(text, room, i % 3 == 0 ? "a,b,c\n" : "");
    for (uint64_t line = 0; line < 3 + i % 40; line++) {
        uint32_t bits[4];
        lam_random_bits(7, LAM_DRAW_TEST, i, line, bits);
        size_t which = kind == 0 ? bits[0] % n : kind == 1 || bits[1] % 16 > 0 ? bits[0] % 10 : bits[0] % n;
        used += (size_t)snprintf(text + used, room - used, "%s", pieces[which]);
    }
    return i % 5 == 0 && used > 0 ? used - 1 : used; /* no line end behind the last */
}

/* Wherever a text is cut, by however many threads it is read: the same rows, and the same error. */
static void parts(void **state)
{
    (void)state;
    const lam_read_options options[] = { { .threads = 0 }, { .drop_bad_rows = 1 }, { .missing = 1 }, { .drop = LAM_NAMES("2") }, { .drop = LAM_NAMES("2"), .drop_bad_rows = 1 },
        { .text = LAM_NAMES("2"), .missing = 1 }, { .header = LAM_HEADER_NO, .drop_bad_rows = 1 } };
    char text[4096];
    lam_pool *pools[3] = { NULL };
    assert_int_equal(lam_pool_create(2, &pools[1]), LAM_OK);
    assert_int_equal(lam_pool_create(3, &pools[2]), LAM_OK);
    for (uint64_t i = 0; i < 2000; i++) {
        size_t size = draw_text(i, text, sizeof text);
        cuts_alike(text, size, &options[i % (sizeof options / sizeof *options)], pools);
    }
    lam_pool_free(pools[1]);
    lam_pool_free(pools[2]);
}

/* A cell of column j, of which the third is left out, drawn by bits; plain and in quotes. */
static void draw_cell(const uint32_t bits[4], size_t j, int may_be_empty, char plain[60], char quoted[64])
{
    static const char *const words[] = { "", "x", "a-b", "12", "5'", "#7" };
    double value = ldexp((double)(int32_t)bits[0], (int)(bits[1] % 80) - 60);
    if (j == 2)
        snprintf(plain, 60, bits[2] % 3 == 0 ? "\"%s\"" : "%s", words[bits[0] % 6 + (bits[0] % 6 == 0 && !may_be_empty)]);
    else
        snprintf(plain, 60, bits[2] % 2 ? "%.*g" : "%.*e", (int)(bits[3] % 18), value);
    snprintf(quoted, 64, j == 2 ? "%.59s" : "\"%.59s\"", plain);
}

/* Rows of plain numbers are read in one pass; with quotes around every cell they are not, and give the same. */
static void plain_and_quoted(void **state)
{
    (void)state;
    static const char *const signs[] = { ",", ";", "\t", "|", " ", " , ", "   " }, *const ends[] = { "\n", "\r\n", "\r" };
    for (uint64_t i = 0; i < 3000; i++) {
        char plain[4096], quoted[8192], cell[2][64];
        size_t p = 0, q = 0, cols = 1 + i % 5;
        const char *sign = signs[i / 5 % 7], *end = ends[i / 35 % 3], *tail = i % 11 == 0 && strlen(sign) == 1 && sign[0] != ' ' ? sign : "";
        for (uint64_t row = 0; row < 1 + i % 9; row++)
            for (size_t j = 0; j < cols; j++) {
                uint32_t bits[4];
                lam_random_bits(8, LAM_DRAW_TEST, i, row * 8 + j, bits);
                draw_cell(bits, j, strlen(sign) == 1 && sign[0] != ' ', cell[0], cell[1]);
                p += (size_t)snprintf(plain + p, sizeof plain - p, "%s%s%s%s", j > 0 ? sign : "", cell[0], j + 1 == cols ? tail : "", j + 1 == cols ? end : "");
                q += (size_t)snprintf(quoted + q, sizeof quoted - q, "%s%s%s%s", j > 0 ? sign : "", cell[1], j + 1 == cols ? tail : "", j + 1 == cols ? end : "");
            }
        const lam_read_options options = { .header = LAM_HEADER_NO, .drop = { (const char *const[]) { "3" }, cols > 2 } };
        char *a = outcome(plain, p, &options, p + 1, NULL), *b = outcome(quoted, q, &options, q + 1, NULL);
        if (strcmp(a, b) != 0)
            fail_msg("%s\nwith quotes:\n%s\nof\n%s", a, b, plain);
        free(a);
        free(b);
    }
}

/* A file long enough for threads to be started, by 1, 2 and 3 of them, mapped and from memory. */
static void threads(void **state)
{
    (void)state;
    char path[] = "/tmp/laminar_text_XXXXXX";
    int descriptor = mkstemp(path);
    lam_table *first, *other;
    FILE *out = descriptor >= 0 ? fdopen(descriptor, "w") : NULL;
    assert_non_null(out);
    for (int i = 0; i < 90000; i++) {
        fprintf(out, "%.17g,%d,\"%s\",%.3f\n", sqrt(i), i, i % 1000 == 7 ? "two\nlines" : "word", i / 7.0);
        if (i % 20011 == 3)
            fputs("1,2,3,\n", out);
    }
    fclose(out);
    lam_read_options options = { .drop = LAM_NAMES("3"), .drop_bad_rows = 1, .threads = 1 };
    assert_int_equal(lam_table_read(path, &options, &first), LAM_OK);
    assert_int_equal(first->rows, 90000);
    assert_int_equal(first->bad_rows, 5);
    assert_true(first->values[3 * 89999] == sqrt(89999) && first->values[3 * 89999 + 1] == 89999);
    for (options.threads = 2; options.threads < 4; options.threads++) {
        assert_int_equal(lam_table_read(path, &options, &other), LAM_OK);
        assert_string_equal(other->hash, first->hash);
        assert_memory_equal(other->bad_at, first->bad_at, 5 * sizeof *first->bad_at);
        lam_table_free(other);
        options.drop_bad_rows = 0;
        assert_int_equal(lam_table_read(path, &options, &other), LAM_ERR_DATA);
        has_words(lam_last_error(), ": line 5, column 4 (4): the cell is empty", path);
        options.drop_bad_rows = 1;
    }
    lam_table_free(first);
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_in_the_first_row),
        cmocka_unit_test(what_makes_names),
        cmocka_unit_test(comments),
        cmocka_unit_test(row_names),
        cmocka_unit_test(separators_and_breaks),
        cmocka_unit_test(decimal_commas),
        cmocka_unit_test(columns_of_text),
        cmocka_unit_test(encodings),
        cmocka_unit_test(parts),
        cmocka_unit_test(plain_and_quoted),
        cmocka_unit_test(threads),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
