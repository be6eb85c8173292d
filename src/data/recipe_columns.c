/* Columns that recipes leave out because of what is in them. */
#include "base/error.h"
#include "base/mem.h"
#include "data/recipe.h"
#include "data/table.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "a, b, c" of the last n columns left out, cut after room bytes. */
static void list_left(const lam_recipe_job *job, size_t n, char *text, size_t room)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = job->n_left - n; i < job->n_left && used < room; i++)
        used += (size_t)snprintf(text + used, room - used, "%s%s", i == job->n_left - n ? "" : ", ", job->left[i]);
}

/* Keeps the columns that are not marked in gone [cols], and notes the names of the others; *n counts them. */
static lam_status leave_out(lam_recipe_job *job, const unsigned char *gone, size_t *n)
{
    lam_table *table = job->table;
    size_t kept = 0, *order = lam_alloc(table->cols, sizeof *order);
    char **left = lam_alloc(job->n_left + table->cols, sizeof *left);
    lam_status status = order == NULL || left == NULL ? LAM_ERR_MEMORY : LAM_OK;
    if (status == LAM_OK) {
        if (job->n_left > 0)
            memcpy(left, job->left, job->n_left * sizeof *left);
        lam_free(job->left);
        job->left = left;
        left = NULL;
    }
    for (size_t j = *n = 0; j < table->cols && status == LAM_OK; j++) {
        if (!gone[j])
            order[kept++] = j;
        else if ((job->left[job->n_left] = lam_strdup(table->names[j])) == NULL)
            status = LAM_ERR_MEMORY;
        else
            job->n_left++, ++*n;
    }
    if (status == LAM_OK && kept == 0)
        status = lam_fail(LAM_ERR_DATA, "%s: no column is left", job->paths[0]);
    if (status == LAM_OK && *n > 0) {
        status = lam_table_keep(table, order, kept);
        job->room = table->rows;
    }
    lam_free(left);
    lam_free(order);
    return status;
}

lam_status lam_recipe_drop_recurring(lam_recipe_job *job, size_t rows)
{
    const lam_table *t = job->table;
    unsigned char *gone = lam_alloc(t->cols, 1);
    size_t n = 0;
    char names[512];
    if (gone == NULL)
        return LAM_ERR_MEMORY;
    for (size_t j = 0; j < t->cols; j++) {
        double least = INFINITY;
        size_t count = 0;
        for (size_t i = 0; i < rows; i++) {
            double x = t->values[i * t->cols + j];
            count = x < least ? 1 : count + (x == least);
            least = x < least ? x : least;
        }
        gone[j] = count > job->rule->recurring;
    }
    lam_status status = leave_out(job, gone, &n);
    list_left(job, n, names, sizeof names);
    if (status == LAM_OK && n > 0)
        lam_log_say(&job->options->log, "%zu of %zu columns left out, their smallest value stands in more than %zu rows: %s", n,
            n + job->table->cols, job->rule->recurring, names);
    lam_free(gone);
    return status;
}

/* Pearson's correlations of x [rows, cols] in c [cols, cols]; NaN where a column is constant. Two passes. */
static lam_status correlate(const lam_table *t, double *c)
{
    size_t cols = t->cols;
    double *mean = lam_alloc(2 * cols, sizeof *mean), *d = mean + cols;
    if (mean == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < t->rows; i++)
        for (size_t j = 0; j < cols; j++)
            mean[j] += t->values[i * cols + j];
    for (size_t j = 0; j < cols; j++)
        mean[j] /= (double)t->rows;
    for (size_t i = 0; i < t->rows; i++) {
        for (size_t j = 0; j < cols; j++)
            d[j] = t->values[i * cols + j] - mean[j];
        for (size_t j = 0; j < cols; j++)
            for (size_t k = 0; k <= j; k++)
                c[j * cols + k] += d[j] * d[k];
    }
    for (size_t j = 0; j < cols; j++)
        for (size_t k = 0; k < j; k++)
            c[k * cols + j] = c[j * cols + k] /= sqrt(c[j * cols + j]) * sqrt(c[k * cols + k]);
    lam_free(mean);
    return LAM_OK;
}

/* The first column that is correlated above limit with another that stays; cols if none. */
static size_t first_correlated(const double *c, size_t cols, const unsigned char *gone, double limit)
{
    for (size_t j = 0; j < cols; j++)
        for (size_t k = 0; k < cols && !gone[j]; k++)
            if (k != j && !gone[k] && c[j * cols + k] > limit)
                return j;
    return cols;
}

lam_status lam_recipe_drop_correlated(lam_recipe_job *job)
{
    size_t cols = job->table->cols, n = 0, j;
    double *c = lam_alloc(cols * cols, sizeof *c);
    unsigned char *gone = lam_alloc(cols, 1);
    char names[512];
    lam_status status = c == NULL || gone == NULL ? LAM_ERR_MEMORY : correlate(job->table, c);
    while (status == LAM_OK && (j = first_correlated(c, cols, gone, job->rule->correlated)) < cols)
        gone[j] = 1;
    if (status == LAM_OK)
        status = leave_out(job, gone, &n);
    list_left(job, n, names, sizeof names);
    if (status == LAM_OK && n > 0)
        lam_log_say(&job->options->log, "%zu of %zu columns left out, each correlated above %g with another: %s", n, cols,
            job->rule->correlated, names);
    lam_free(gone);
    lam_free(c);
    return status;
}
