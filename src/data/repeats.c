/* Finds rows that two parts of a data set have in common. */
#include "data/repeats.h"
#include "base/error.h"
#include "base/mem.h"
#include "data/hash.h"
#include <stdio.h>
#include <stdlib.h>

typedef struct digest {
    uint64_t half[2];
} digest;

static int by_value(const void *a, const void *b)
{
    const digest *x = a, *y = b;
    for (int i = 0; i < 2; i++)
        if (x->half[i] != y->half[i])
            return x->half[i] < y->half[i] ? -1 : 1;
    return 0;
}

static digest of_row(const lam_dataset *data, lam_part part, size_t row)
{
    static const uint64_t seed[2] = { 0, 0 };
    digest d;
    lam_hash128(data->values[part] + row * data->dim, data->dim * sizeof(double), seed, d.half);
    return d;
}

lam_status lam_repeats_count(const lam_dataset *data, lam_part part, size_t *count)
{
    size_t n = data->rows[LAM_TRAIN];
    digest *known = lam_alloc(n, sizeof *known);
    *count = 0;
    if (known == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < n; i++)
        known[i] = of_row(data, LAM_TRAIN, i);
    qsort(known, n, sizeof *known, by_value);
    for (size_t i = 0; i < data->rows[part]; i++) {
        digest d = of_row(data, part, i);
        *count += bsearch(&d, known, n, sizeof *known, by_value) != NULL;
    }
    lam_free(known);
    return LAM_OK;
}

lam_status lam_advise_repeats(const lam_dataset *data, int one_table, const lam_log *log)
{
    lam_part part = data->rows[LAM_TEST] > 0 ? LAM_TEST : LAM_VALID;
    size_t rows = data->rows[part], count;
    char line[256];
    int noisy = 0;
    for (size_t j = 0; j < data->dim; j++)
        noisy |= data->noise[j] > 0;
    if (log == NULL || log->line == NULL || rows == 0 || noisy)
        return LAM_OK;
    LAM_TRY(lam_repeats_count(data, part, &count));
    if (100 * count < rows || count < 2)
        return LAM_OK;
    snprintf(line, sizeof line, "%zu of %zu %s rows are equal to training rows, so their NLL is better than that of new rows; %s", count,
        rows, part == LAM_TEST ? "test" : "validation",
        one_table ? "--drop-duplicates keeps one of equal rows" : "leave them out of one of the files");
    log->line(log->user, line);
    return LAM_OK;
}
