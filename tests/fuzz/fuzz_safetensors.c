/* Property: any bytes either are refused with a text, or are a file whose tensors can all be read, and which written
 * and read again holds the same tensors. Build: clang -fsanitize=fuzzer,address,undefined. */
#include "model/safetensors.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    lam_st_file file, again;
    if (lam_st_read_memory(bytes, size, "fuzz", &file) != LAM_OK) {
        check(lam_last_error()[0] != '\0');
        return 0;
    }
    for (size_t i = 0; i < file.n_tensors; i++) {
        size_t count = lam_st_count(&file.tensors[i]);
        double *values = malloc((count + 1) * sizeof *values);
        check(values != NULL);
        lam_st_doubles(&file.tensors[i], values);
        free(values);
    }
    char *copy = NULL;
    size_t copy_size = 0;
    FILE *out = open_memstream(&copy, &copy_size);
    lam_status status = lam_st_write_stream(out, "copy", file.tensors, file.n_tensors, file.meta, file.n_meta);
    fclose(out);
    if (status == LAM_OK && lam_st_read_memory(copy, copy_size, "copy", &again) == LAM_OK) {
        check(again.n_tensors == file.n_tensors && again.n_meta == file.n_meta);
        for (size_t i = 0; i < file.n_tensors; i++) {
            const lam_st_tensor *a = &file.tensors[i], *b = lam_st_find(&again, a->name);
            if (b == NULL)
                continue; /* a name that was not UTF-8 */
            check(a->dtype == b->dtype && a->n_shape == b->n_shape);
            check(memcmp(a->shape, b->shape, sizeof a->shape) == 0);
            check(memcmp(a->data, b->data, lam_st_count(a) * lam_st_width(a->dtype)) == 0);
        }
        lam_st_free(&again);
    } else if (status == LAM_OK) {
        check(strstr(lam_last_error(), "twice") != NULL); /* two names that became one in UTF-8 */
    } else {
        check(status == LAM_ERR_ARGUMENT); /* an empty name, which others may write */
    }
    free(copy);
    lam_st_free(&file);
    return 0;
}
