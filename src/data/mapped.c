/* Opens tables whose rows stay in their file, and reads rows of these. */
#include "data/mapped.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/room.h"
#include "base/sort.h"
#include "data/columns.h"
#include "data/hash.h"
#include "data/table.h"
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void lam_mapped_free(lam_mapped *m)
{
    if (m == NULL)
        return;
    lam_bytes_clear(&m->bytes);
    lam_free(m->column);
    lam_room_give(m->folder, m->row);
    free(m->folder);
    lam_free(m);
}

const char *lam_table_folder(const lam_table *table)
{
    return table->mapped != NULL ? table->mapped->folder : NULL;
}

lam_status lam_table_is_here(const lam_table *table)
{
    return table->mapped == NULL ? LAM_OK : lam_fail(LAM_ERR_ARGUMENT, "the rows of this table stay in their file, which is for building a data set "
        "alone; read it with lam_table_read");
}

/* ---- rows --------------------------------------------------------------------------------------------------------- */

const double *lam_table_row(const lam_table *t, size_t row, double *room)
{
    const lam_mapped *m = t->mapped;
    if (m == NULL)
        return t->values + row * t->cols;
    lam_npy_row_read(&m->npy, m->row != NULL ? m->row[row] : row, m->column, t->cols, room);
    for (size_t j = 0; j < t->cols; j++)
        room[j] = isnan(room[j]) ? (double)NAN : room[j]; /* the same bits whatever the file has */
    return room;
}

void lam_table_column(const lam_table *t, size_t column, size_t n, double *values)
{
    const lam_mapped *m = t->mapped;
    for (size_t i = 0; i < n; i++)
        if (m == NULL)
            values[i] = t->values[i * t->cols + column];
        else
            lam_npy_row_read(&m->npy, m->row != NULL ? m->row[i] : i, m->column + column, 1, &values[i]);
}

lam_status lam_table_gather(const lam_table *t, const size_t *index, size_t n, double *out)
{
    enum { AT_ONCE = 1 << 20 };
    size_t cols = t->cols, most = n < AT_ONCE ? n : AT_ONCE;
    for (size_t i = 0; t->mapped == NULL && i < n; i++)
        memcpy(out + i * cols, t->values + index[i] * cols, cols * sizeof *out);
    if (t->mapped == NULL || n == 0)
        return LAM_OK;
    lam_place *place = lam_alloc(most, sizeof *place);
    if (place == NULL)
        return LAM_ERR_MEMORY;
    for (size_t first = 0; first < n; first += most) {
        size_t rows = n - first < most ? n - first : most;
        for (size_t i = 0; i < rows; i++)
            place[i] = (lam_place) { index[first + i], first + i };
        lam_sort_places(place, rows);
        for (size_t i = 0; i < rows; i++)
            (void)lam_table_row(t, place[i].at, out + place[i].slot * cols);
    }
    lam_free(place);
    return LAM_OK;
}

/* ---- opening ------------------------------------------------------------------------------------------------------ */

/* Which columns of the file the table has, and their names. */
static lam_status choose_columns(lam_table *t, const char *name, const lam_read_options *options)
{
    lam_source source = lam_source_of(name, t);
    size_t n;
    source.from_zero = options->from_zero;
    LAM_TRY(lam_columns_select(&source, options, &t->mapped->column, &n));
    return lam_table_keep(t, t->mapped->column, n);
}

/* The numbers of the first rows, as far as none was left out before. */
static lam_status number_rows(lam_table *t, size_t until)
{
    lam_mapped *m = t->mapped;
    if (m->row != NULL)
        return LAM_OK;
    if ((m->row = lam_room_take(m->folder, m->npy.rows, sizeof *m->row)) == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < until; i++)
        m->row[i] = i;
    return LAM_OK;
}

lam_status lam_mapped_number(lam_table *t)
{
    return number_rows(t, t->rows);
}

/* Which rows are kept, and in the same reading the table's digest; t->hash stays empty where that is of fewer rows than the file has, as the digest begins with
 * their number. */
static lam_status check_rows(lam_table *t, const char *name, const lam_read_options *options, double *row)
{
    lam_mapped *m = t->mapped;
    const uint64_t seed[2] = { m->npy.rows, t->cols };
    uint64_t out[2];
    lam_hash hash;
    size_t used = 0;
    int kept;
    lam_hash_begin(&hash, seed);
    for (size_t i = 0; i < m->npy.rows; i++) {
        lam_npy_row_read(&m->npy, i, m->column, t->cols, row);
        LAM_TRY(lam_table_judge_row(t, name, options, 0, i, row, &kept));
        if (!kept)
            LAM_TRY(number_rows(t, used));
        if (kept && m->row != NULL)
            m->row[used] = i;
        if (kept && m->row == NULL)
            lam_hash_add(&hash, row, t->cols * sizeof *row);
        used += (size_t)kept;
    }
    t->rows = used;
    if (used == 0)
        return lam_table_no_rows(name, m->npy.rows, options);
    lam_hash_end(&hash, out);
    if (used == m->npy.rows)
        lam_hash_text(out, t->hash);
    return LAM_OK;
}

static lam_status finish(lam_table *t, const char *name, const lam_read_options *options)
{
    double *row = lam_alloc(t->cols, sizeof *row);
    lam_status status = row == NULL ? LAM_ERR_MEMORY : check_rows(t, name, options, row);
    lam_free(row);
    LAM_TRY(status);
    if (!options->drop_duplicates && t->hash[0] != '\0')
        return lam_table_count_columns(t, options);
    if (options->drop_duplicates)
        LAM_TRY(lam_mapped_number(t));
    return lam_table_finish(t, name, options);
}

/* A table of m, which it takes over, failing or not, without a look at its rows. */
static lam_status make(lam_mapped *m, const char *folder, lam_table **out)
{
    m->folder = lam_strdup(folder);
    lam_status status = m->folder == NULL ? LAM_ERR_MEMORY : lam_table_empty(m->npy.cols, out);
    if (status != LAM_OK) {
        lam_mapped_free(m);
        return status;
    }
    (*out)->rows = m->npy.rows;
    (*out)->mapped = m;
    return LAM_OK;
}

lam_mapped_kind lam_mapped_kind_of(const void *bytes, size_t size)
{
    if (size < 6)
        return LAM_MAPPED_NEITHER;
    if (memcmp(bytes, "PK\3\4", 4) == 0)
        return LAM_MAPPED_ZIP;
    if (memcmp(bytes, "\x1F\x8B", 2) == 0)
        return LAM_MAPPED_PACKED;
    return memcmp(bytes, "\x93NUMPY", 6) == 0 ? LAM_MAPPED_NPY : LAM_MAPPED_TEXT;
}

lam_mapped_kind lam_mapped_look(const char *path, size_t *size)
{
    struct stat info;
    char head[6] = "";
    *size = 0;
    if (strcmp(path, "-") == 0)
        return LAM_MAPPED_PACKED;
    if (strncmp(path, "toy:", 4) == 0)
        return LAM_MAPPED_NEITHER;
    if (stat(path, &info) != 0)
        return strstr(path, ".npz:") != NULL ? LAM_MAPPED_ZIP : LAM_MAPPED_NEITHER;
    if (!S_ISREG(info.st_mode)) /* a pipe can be opened once alone */
        return S_ISDIR(info.st_mode) ? LAM_MAPPED_NEITHER : LAM_MAPPED_PACKED;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, head, sizeof head) : 0;
    if (fd >= 0)
        close(fd);
    *size = (size_t)info.st_size;
    return lam_mapped_kind_of(head, n > 0 ? (size_t)n : 0);
}

lam_status lam_mapped_open(const char *name, lam_bytes *bytes, const lam_read_options *options, const char *folder, size_t least, lam_table **out)
{
    lam_mapped *m;
    lam_npy_rows npy;
    lam_table *t = NULL;
    *out = NULL;
    if (options->like != NULL && options->like->levels != NULL)
        return LAM_OK;
    LAM_TRY(lam_npy_check(name, bytes->at, bytes->size));
    LAM_TRY(lam_npy_rows_open(name, bytes->at, bytes->size, &npy));
    if (npy.rows == 0 || npy.cols == 0 || npy.rows < least / sizeof(double) / npy.cols)
        return LAM_OK;
    if ((m = lam_alloc(1, sizeof *m)) == NULL)
        return LAM_ERR_MEMORY;
    m->bytes = *bytes, m->npy = npy;
    *bytes = (lam_bytes) { 0 };
    LAM_TRY(make(m, folder, &t));
    lam_status status = choose_columns(t, name, options);
    if (status == LAM_OK)
        status = finish(t, name, options);
    if (status != LAM_OK) {
        lam_table_free(t);
        return status;
    }
    *out = t;
    return LAM_OK;
}
