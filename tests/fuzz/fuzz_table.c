/* Any bytes as a data file: either a table of finite numbers with columns of different names, or an error with a text. The
 * first byte chooses the options. Build: clang -fsanitize=fuzzer,address,undefined. */
#include "base/error.h"
#include "data/table.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
    if (!truth)
        abort();
}

static void check_table(const lam_table *t)
{
    require(t->rows > 0 && t->cols > 0 && strlen(t->hash) == 32);
    for (size_t j = 0; j < t->cols; j++) {
        require(t->names[j] != NULL);
        for (size_t k = 0; k < j && t->cols < 50; k++)
            require(strcmp(t->names[j], t->names[k]) != 0);
    }
    for (size_t i = 0; i < t->rows * t->cols; i++)
        require(isfinite(t->values[i]));
}

/* Text in parts of a few bytes is what it is as a whole, and so is the error. */
static void check_parts(const char *text, size_t size, const lam_read_options *options)
{
    lam_table *whole, *parts;
    char error[2000];
    lam_status status = lam_text_read_cut("fuzz", text, size, options, size + 1, NULL, &whole);
    snprintf(error, sizeof error, "%s", lam_last_error());
    for (size_t block = 1; block < 200; block = 3 * block + 2) {
        require(lam_text_read_cut("fuzz", text, size, options, block, NULL, &parts) == status);
        if (status != LAM_OK) {
            require(strcmp(error, lam_last_error()) == 0);
            continue;
        }
        require(parts->rows == whole->rows && parts->cols == whole->cols && parts->bad_rows == whole->bad_rows);
        require(memcmp(parts->values, whole->values, whole->rows * whole->cols * sizeof *whole->values) == 0);
        require(whole->bad_rows == 0 || memcmp(parts->bad_at, whole->bad_at, whole->bad_rows * sizeof *whole->bad_at) == 0);
        lam_table_free(parts);
    }
    lam_table_free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const one[] = { "1" }, *const two[] = { "2", "1" }, *const names[] = { "a", "b" };
    const lam_names lists[4] = { { NULL, 0 }, { one, 1 }, { two, 2 }, { names, 2 } };
    const lam_wanted like = { .names = { names, 2 }, .has_names = 1 };
    if (size == 0)
        return 0;
    lam_read_options options = { .columns = lists[data[0] & 3], .drop = lists[data[0] >> 2 & 3],
        .like = data[0] & 128 ? &like : NULL, .drop_bad_rows = data[0] >> 4 & 1, .drop_duplicates = data[0] >> 5 & 1 };
    lam_table *table;
    lam_fail(LAM_OK, "%s", "");
    lam_status status = lam_table_read_memory("fuzz", data + 1, size - 1, data[0] & 64 ? "a" : NULL, &options, &table);
    if (status == LAM_OK)
        check_table(table);
    else
        require(table == NULL && lam_last_error()[0] != '\0');
    lam_table_free(table);
    if (size > 1 && size < 5000)
        check_parts((const char *)data + 1, size - 1, &options);
    return 0;
}
