/* Tables from NumPy's files, and what to type where an array is no table. */
#include "base/error.h"
#include "base/mem.h"
#include "data/foreign.h"
#include "data/npy.h"
#include "data/table.h"
#include <stdio.h>
#include <string.h>

/* What makes a table of an array; x is it. */
static const char *remedy(const lam_array_facts *facts)
{
    switch (facts->content) {
    case LAM_ARRAY_OBJECTS:
    case LAM_ARRAY_TEXT:
    case LAM_ARRAY_OTHER:
        return "x.astype('float64')";
    case LAM_ARRAY_RECORDS:
        return "numpy.column_stack([x[k] for k in x.dtype.names])";
    case LAM_ARRAY_COMPLEX:
        return "numpy.hstack([x.real.reshape(len(x), -1), x.imag.reshape(len(x), -1)])";
    default:
        return facts->n_shape == 0 ? "x.reshape(1, 1)" : facts->n_shape > 2 ? "x.reshape(len(x), -1)" : "x.astype('float64')";
    }
}

static int is_table(const lam_array_facts *facts)
{
    return facts->content == LAM_ARRAY_NUMBERS && (facts->n_shape == 1 || facts->n_shape == 2);
}

/* LAM_OK for a table; file is that which numpy.load takes, array its name there or NULL, held what else is in the file, or "". */
static lam_status check_table(const char *file, const char *array, const lam_array_facts *facts, const char *held)
{
    char quoted[LAM_QUOTED_SIZE], name[LAM_QUOTED_SIZE], part[LAM_QUOTED_SIZE + 8] = "";
    if (is_table(facts) || facts->content == LAM_ARRAY_NONE) /* the latter: reading it says what is wrong */
        return LAM_OK;
    lam_foreign_quote(file, quoted);
    if (array != NULL)
        snprintf(part, sizeof part, "['%s']", lam_foreign_quote(array, name));
    return lam_fail(facts->content == LAM_ARRAY_NUMBERS ? LAM_ERR_SHAPE : LAM_ERR_FORMAT, "%s%s%s: holds %s%s. A table is a 2-D array of numbers "
        "[rows, columns], or a 1-D one of a single column; what makes one of it: python3 -c \"import numpy; x = numpy.load('%s'%s)%s; "
        "numpy.save('table.npy', %s)\"", file, array != NULL ? ":" : "", array != NULL ? array : "", facts->text, held, quoted,
        facts->content == LAM_ARRAY_OBJECTS ? ", allow_pickle=True" : "", part, remedy(facts));
}

/* A 1-D or 2-D array as a table; takes the array's numbers over. */
static lam_status table_of_array(const char *name, lam_array *array, lam_table **out)
{
    if (array->n_shape != 1 && array->n_shape != 2)
        return lam_fail(LAM_ERR_SHAPE, "%s: a table is a 2-D array [rows, columns], or a 1-D one of a single column; this one "
            "has %zu dimensions", name, array->n_shape);
    size_t rows = array->shape[0], cols = array->n_shape == 2 ? array->shape[1] : 1;
    if (rows == 0 || cols == 0)
        return lam_fail(LAM_ERR_FORMAT, "%s: the array is empty: %zu rows of %zu columns", name, rows, cols);
    LAM_TRY(lam_table_empty(cols, out));
    (*out)->rows = rows;
    (*out)->values = array->values;
    array->values = NULL;
    return LAM_OK;
}

lam_status lam_npy_check(const char *name, const void *bytes, size_t size)
{
    lam_array_facts facts;
    lam_npy_describe(bytes, size, &facts);
    return check_table(name, NULL, &facts, "");
}

lam_status lam_npy_columns(const char *name, const void *bytes, size_t size, lam_table **out)
{
    lam_npy_rows rows;
    LAM_TRY(lam_npy_check(name, bytes, size));
    LAM_TRY(lam_npy_rows_open(name, bytes, size, &rows));
    if (rows.rows == 0 || rows.cols == 0)
        return lam_fail(LAM_ERR_FORMAT, "%s: the array is empty: %zu rows of %zu columns", name, rows.rows, rows.cols);
    return lam_table_empty(rows.cols, out);
}

lam_status lam_npy_table(const char *name, const void *bytes, size_t size, lam_table **out)
{
    lam_array array;
    LAM_TRY(lam_npy_check(name, bytes, size));
    LAM_TRY(lam_npy_parse(name, bytes, size, &array));
    lam_status status = table_of_array(name, &array, out);
    lam_array_clear(&array);
    return status;
}

/* ---- archives ----------------------------------------------------------------------------------------------------- */

/* "x (float64 [100, 3]), y (int64 [100])", cut where room ends. */
static void list_arrays(const lam_npz *npz, char *text, size_t room)
{
    lam_array_facts facts;
    size_t used = 0, n = lam_npz_count(npz);
    text[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        lam_npz_describe(npz, i, &facts);
        int wrote = snprintf(text + used, room - used, "%s%.80s (%s)", i == 0 ? "" : ", ", lam_npz_name(npz, i), facts.text);
        used += wrote < 0 ? 0 : (size_t)wrote;
        if (used + 200 > room) {
            snprintf(text + (used < room - 6 ? used : room - 6), 6, "%s", i + 1 < n ? ", ..." : "");
            return;
        }
    }
}

/* No array is a table: of several columns of numbers one is made, of others the first is told how. */
static lam_status no_table(const char *file, const lam_npz *npz, const char *held)
{
    char quoted[LAM_QUOTED_SIZE], also[1300];
    lam_array_facts facts;
    size_t n = lam_npz_count(npz), columns = 0;
    for (size_t i = 0; i < n; i++) {
        lam_npz_describe(npz, i, &facts);
        columns += facts.content == LAM_ARRAY_NUMBERS && facts.n_shape == 1;
    }
    if (columns > 1)
        return lam_fail(LAM_ERR_FORMAT, "%s: has no two-dimensional array of numbers; it holds %s. %s:NAME takes one as a single column; what "
            "makes a table of columns of one length: python3 -c \"import numpy; f = numpy.load('%s'); numpy.save('table.npy', "
            "numpy.column_stack([f[k] for k in f if f[k].ndim == 1]))\"", file, held, file, lam_foreign_quote(file, quoted));
    for (size_t i = 0; i < n; i++) {
        lam_npz_describe(npz, i, &facts);
        if (is_table(&facts) || facts.content == LAM_ARRAY_NONE)
            continue;
        snprintf(also, sizeof also, ", and the file has no two-dimensional array of numbers: it holds %.1200s", held);
        return check_table(file, lam_npz_name(npz, i), &facts, also);
    }
    return lam_fail(LAM_ERR_FORMAT, "%s: has no two-dimensional array of numbers; it holds %s", file, held);
}

/* The only 2-D array of numbers, or the only array. */
static lam_status choose(const char *file, const lam_npz *npz, size_t *chosen)
{
    char held[1200];
    size_t found = 0, n = lam_npz_count(npz);
    lam_array_facts facts;
    *chosen = 0;
    for (size_t i = n; i-- > 0;) {
        lam_npz_describe(npz, i, &facts);
        if (n == 1 || (facts.n_shape == 2 && is_table(&facts)))
            *chosen = i, found++;
    }
    if (found == 1)
        return LAM_OK;
    list_arrays(npz, held, sizeof held);
    if (n == 0)
        return lam_fail(LAM_ERR_FORMAT, "%s: there is no array in it", file);
    if (found == 0)
        return no_table(file, npz, held);
    return lam_fail(LAM_ERR_ARGUMENT, "%s: has %zu two-dimensional arrays; choose one as FILE.npz:NAME, here %s:%s. It holds %s", file, found, file,
        lam_npz_name(npz, *chosen), held);
}

static lam_status find_named(const char *file, const lam_npz *npz, const char *wanted, size_t *index)
{
    char held[1200];
    size_t n = strlen(wanted);
    for (int cut = 0; cut < 2; cut++, n -= 4) {
        for (*index = 0; *index < lam_npz_count(npz); ++*index)
            if (strlen(lam_npz_name(npz, *index)) == n && memcmp(lam_npz_name(npz, *index), wanted, n) == 0)
                return LAM_OK;
        if (n < 4 || memcmp(wanted + n - 4, ".npy", 4) != 0)
            break;
    }
    list_arrays(npz, held, sizeof held);
    return lam_fail(LAM_ERR_ARGUMENT, "%s: has no array \"%s\"; it holds %s", file, wanted, held[0] != '\0' ? held : "none at all");
}

lam_status lam_npz_choose(const char *file, const lam_npz *npz, const char *wanted, size_t *index)
{
    lam_array_facts facts;
    LAM_TRY(lam_foreign_check_zip(file, npz));
    LAM_TRY(wanted != NULL ? find_named(file, npz, wanted, index) : choose(file, npz, index));
    lam_npz_describe(npz, *index, &facts);
    return check_table(file, lam_npz_name(npz, *index), &facts, "");
}

/* names_only 1: without rows. */
static lam_status read_chosen(const char *file, const lam_npz *npz, const char *wanted, int names_only, lam_table **out)
{
    char label[512];
    size_t index;
    lam_array array;
    LAM_TRY(lam_npz_choose(file, npz, wanted, &index));
    LAM_TRY(names_only ? lam_npz_read_header(npz, index, &array) : lam_npz_read(npz, lam_npz_name(npz, index), &array));
    snprintf(label, sizeof label, "%.300s:%.200s", file, lam_npz_name(npz, index));
    lam_status status = table_of_array(label, &array, out);
    if (status == LAM_OK && names_only)
        (*out)->rows = 0;
    lam_array_clear(&array);
    return status;
}

static lam_status open_and_read(const char *name, const void *bytes, size_t size, const char *wanted, int names_only, lam_table **out)
{
    lam_npz *npz;
    LAM_TRY(lam_npz_open_memory(name, bytes, size, &npz));
    lam_status status = read_chosen(name, npz, wanted, names_only, out);
    lam_npz_free(npz);
    return status;
}

lam_status lam_npz_table(const char *name, const void *bytes, size_t size, const char *wanted, lam_table **out)
{
    return open_and_read(name, bytes, size, wanted, 0, out);
}

lam_status lam_npz_columns(const char *name, const void *bytes, size_t size, const char *wanted, lam_table **out)
{
    return open_and_read(name, bytes, size, wanted, 1, out);
}
