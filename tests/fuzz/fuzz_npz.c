/* Any bytes as an .npy and as an .npz: each array is refused with a text, or has as many values as its shape says.
 * Build: clang -fsanitize=fuzzer,address,undefined. */
#include "base/error.h"
#include "data/npy.h"
#include "data/table.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
    if (!truth)
        abort();
}

static void check(lam_status status, lam_array *array)
{
    size_t n = 1;
    volatile double sum = 0; /* touches every value */
    if (status != LAM_OK) {
        require(array->values == NULL && lam_last_error()[0] != '\0');
        return;
    }
    for (size_t d = 0; d < array->n_shape; d++)
        n *= array->shape[d];
    require(n == array->size && (array->integers == NULL || array->dtype[0] != 'f'));
    for (size_t i = 0; i < n; i++)
        sum = sum + array->values[i] + (array->integers != NULL ? (double)array->integers[i] : 0);
    lam_array_clear(array);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lam_array array;
    lam_npz *npz;
    lam_fail(LAM_OK, "%s", "");
    check(lam_npy_parse("fuzz", data, size, &array), &array);
    if (lam_npz_open_memory("fuzz", data, size, &npz) != LAM_OK) {
        require(npz == NULL && lam_last_error()[0] != '\0');
        return 0;
    }
    for (size_t i = 0; i < lam_npz_count(npz); i++)
        check(lam_npz_read(npz, lam_npz_name(npz, i), &array), &array);
    for (size_t i = 0; i < lam_npz_count(npz); i++) {
        lam_array_facts facts;
        lam_npz_describe(npz, i, &facts);
        require(facts.text[0] != '\0' && strlen(facts.text) < sizeof facts.text);
    }
    lam_npz_free(npz);
    lam_table *table = NULL;
    if (lam_npz_table("fuzz", data, size, NULL, &table) == LAM_OK)
        require(table->rows > 0 && table->cols > 0);
    lam_table_free(table);
    return 0;
}
