/* MINIBOONE: features of neutrino events, those of the signal, which come first in the file. */
#include "base/error.h"
#include "data/cell.h"
#include "data/recipe.h"
#include "data/table.h"
#include <math.h>
#include <stdio.h>

enum { RAW = 50, CLEANED = 43 };
#define OUTLIER (-100.0) /* below this in the first feature; such rows hold -999 in all of them */

/* The first line: how many rows of signal and of background follow. */
static lam_status read_counts(lam_recipe_text *text, size_t *signal)
{
    double counts[2];
    lam_cell cells[2];
    size_t n;
    LAM_TRY(lam_recipe_next(text));
    if (text->line.at == NULL)
        return lam_recipe_refuse(text, "the file is empty");
    if (lam_recipe_cells(text, 2, 2, cells, &n) != LAM_OK)
        return lam_recipe_refuse(text, "it should hold two numbers, the counts of signal and background");
    for (size_t i = 0; i < 2; i++)
        if (lam_cell_read(cells[i].at, cells[i].n, &counts[i]) != LAM_CELL_NUMBER
            || !(counts[i] >= 1 && counts[i] < 1e15 && counts[i] == floor(counts[i])))
            return lam_recipe_refuse(text, "it should hold two whole numbers, the counts of signal and background");
    *signal = (size_t)counts[0];
    return LAM_OK;
}

static lam_status read_lines(lam_recipe_job *job, lam_recipe_text *text)
{
    size_t signal = 0, left_out = 0;
    LAM_TRY(read_counts(text, &signal));
    for (; job->read < signal; job->read++) {
        lam_cell cells[RAW];
        size_t n;
        double *row;
        LAM_TRY(lam_recipe_next(text));
        if (text->line.at == NULL)
            return lam_fail(LAM_ERR_FORMAT, "%s: ends after line %zu, with %zu of the %zu rows of signal that its first line "
                "promises; copy or download it again", job->paths[0], text->line.number, job->read, signal);
        LAM_TRY(lam_recipe_cells(text, RAW, RAW, cells, &n));
        LAM_TRY(lam_recipe_room(job, &row));
        for (size_t j = 0; j < RAW; j++)
            LAM_TRY(lam_recipe_number(text, &cells[j], j, job->table->names[j], &row[j]));
        int outlier = row[0] < OUTLIER;
        left_out += (size_t)outlier;
        job->table->rows += !outlier;
    }
    if (left_out > 0)
        lam_log_say(&job->options->log, "%zu of %zu rows of signal left out, outliers of -999", left_out, signal);
    if (job->table->rows == 0)
        return lam_fail(LAM_ERR_DATA, "%s: every row of signal is an outlier", job->paths[0]);
    return LAM_OK;
}

static lam_status name_columns(lam_table *table)
{
    for (size_t j = 0; j < table->cols; j++) {
        char name[32];
        snprintf(name, sizeof name, "pid_%zu", j + 1);
        LAM_TRY(lam_table_rename(table, j, name));
    }
    return LAM_OK;
}

lam_status lam_recipe_miniboone(lam_recipe_job *job)
{
    lam_recipe_text text;
    int found;
    LAM_TRY(lam_recipe_npy(job, NULL, CLEANED, "the cleaned ones of the bundle's data.npy; of others give MiniBooNE_PID.txt",
        &found));
    job->is_cleaned = found;
    if (found)
        return LAM_OK;
    LAM_TRY(lam_recipe_begin(job, NULL, RAW));
    LAM_TRY(name_columns(job->table));
    LAM_TRY(lam_recipe_open(job, 0, ' ', &text));
    lam_status status = read_lines(job, &text);
    lam_recipe_close(&text);
    return status;
}
