/* Any bytes as a pickle: refused with a text that says where, or an array that is the same when it is pickled again, in the
 * plainest way. Build: clang -fsanitize=fuzzer,address,undefined. */
#include "base/error.h"
#include "data/pickle.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
    if (!truth)
        abort();
}

/* Protocol 0 with the data as a counted string. */
static void write_pickle(FILE *out, const lam_pickled *a)
{
    fputs("cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(", out);
    for (size_t d = 0; d < a->n_shape; d++)
        fprintf(out, "I%zu\n", a->shape[d]);
    fputs("tcnumpy\ndtype\n(S'u1'\nI0\nI1\ntR(I3\nS'|'\nNNNI-1\nI-1\nI0\ntbI00\nT", out);
    for (int k = 0; k < 4; k++)
        fputc((int)(a->size >> (8 * k) & 255), out);
    fwrite(a->values, 1, a->size, out);
    fputs("tb.", out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lam_pickled a, b;
    char *text = NULL;
    size_t length = 0;
    lam_fail(LAM_OK, "%s", "");
    if (lam_pickle_parse("fuzz", data, size, &a) != LAM_OK) {
        require(a.values == NULL && strstr(lam_last_error(), "offset") != NULL);
        return 0;
    }
    size_t n = 1;
    for (size_t d = 0; d < a.n_shape; d++)
        n *= a.shape[d];
    require(a.size == n && n <= size);
    FILE *out = open_memstream(&text, &length);
    require(out != NULL);
    write_pickle(out, &a);
    fclose(out);
    require(lam_pickle_parse("again", text, length, &b) == LAM_OK);
    require(b.n_shape == a.n_shape && memcmp(b.shape, a.shape, sizeof a.shape) == 0);
    require(b.size == a.size && memcmp(b.values, a.values, a.size) == 0);
    free(text);
    lam_pickled_clear(&a);
    lam_pickled_clear(&b);
    return 0;
}
