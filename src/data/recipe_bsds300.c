/* BSDS300: patches of 8 x 8 grey pixels of natural images less their mean, the last pixel left out. The file is split already. */
#include "base/error.h"
#include "base/mem.h"
#include "data/hdf5.h"
#include "data/recipe.h"
#include "data/table.h"
#include <math.h>
#include <sys/stat.h>

enum { SLAB = 4096 }; /* rows read at once */

static const char *const parts[3] = { [LAM_TRAIN] = "train", [LAM_VALID] = "validation", [LAM_TEST] = "test" };

static lam_status check_rows(const lam_recipe_job *job, const double *values, size_t part, size_t first, size_t n)
{
    size_t cols = job->table->cols;
    for (size_t i = 0; i < n * cols; i++)
        if (!isfinite(values[i]))
            return lam_fail(LAM_ERR_DATA, "%s: row %zu, column %zu of \"%s\" is not a finite number; the file is damaged: copy or "
                "download it again", job->paths[0], first + i / cols + 1, i % cols + 1, parts[part]);
    return LAM_OK;
}

/* Rows of each part, and room for all of them. */
static lam_status measure(lam_recipe_job *job, lam_hdf5 *file)
{
    size_t total = 0, cols, first_cols = 0;
    for (size_t part = 0; part < 3; part++) {
        LAM_TRY(lam_hdf5_select(file, parts[part], &job->rows[part], &cols));
        first_cols = part == 0 ? cols : first_cols;
        if (cols != first_cols)
            return lam_fail(LAM_ERR_SHAPE, "%s: \"%s\" has %zu columns, \"%s\" has %zu; the recipe bsds300 takes %s (%s)",
                job->paths[0], parts[part], cols, parts[0], first_cols, job->rule->shown.files, job->rule->shown.source);
        total += job->rows[part];
    }
    if (total > SIZE_MAX / sizeof(double) / cols)
        return lam_fail(LAM_ERR_FORMAT, "%s: its datasets are larger than any memory", job->paths[0]);
    LAM_TRY(lam_recipe_begin(job, NULL, cols));
    job->table->values = lam_reserve(total * cols * sizeof(double));
    job->room = job->read = total;
    return job->table->values == NULL ? LAM_ERR_MEMORY : LAM_OK;
}

static lam_status read_part(lam_recipe_job *job, lam_hdf5 *file, size_t part)
{
    lam_table *t = job->table;
    size_t rows, cols, row_bytes = t->cols * sizeof(double);
    LAM_TRY(lam_hdf5_select(file, parts[part], &rows, &cols));
    for (size_t first = 0; first < rows; first += SLAB) {
        size_t n = rows - first < SLAB ? rows - first : SLAB;
        double *values = t->values + t->rows * cols;
        LAM_TRY(lam_recipe_progress(job, 0, t->rows * row_bytes, job->read * row_bytes));
        LAM_TRY(lam_hdf5_rows(file, first, n, values));
        LAM_TRY(check_rows(job, values, part, first, n));
        t->rows += n;
    }
    return LAM_OK;
}

lam_status lam_recipe_bsds300(lam_recipe_job *job)
{
    lam_hdf5 *file;
    struct stat info;
    LAM_TRY(lam_hdf5_open(job->paths[0], &file));
    job->bytes[0] = stat(job->paths[0], &info) == 0 && info.st_size > 0 ? (size_t)info.st_size : 0;
    lam_status status = measure(job, file);
    for (size_t part = 0; part < 3 && status == LAM_OK; part++)
        status = read_part(job, file, part);
    lam_hdf5_close(file);
    return status;
}
