/* HEPMASS: features of particle collisions, those of the signal. The published rows come from the first tenth of each file: the
 * bundle's copies are cut there, the public ones go on. */
#include "base/error.h"
#include "data/cell.h"
#include "data/recipe.h"
#include "data/table.h"
#include <string.h>

enum { FEATURES = 27, TRAIN_LINES = 700000, TEST_LINES = 350000 };

static const char *const names[FEATURES] = { "f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11", "f12",
    "f13", "f14", "f15", "f16", "f17", "f18", "f19", "f20", "f21", "f22", "f23", "f24", "f25", "f26" };

static int cell_is(const lam_cell *cell, const char *word)
{
    return cell->n == strlen(word) && memcmp(cell->at, word, cell->n) == 0;
}

/* "# label,f0,...,f26". The test file's header may name a mass as well, which its rows may have or not; it is not used. */
static lam_status check_header(lam_recipe_text *text, int is_test)
{
    lam_cell cells[FEATURES + 2];
    size_t n;
    LAM_TRY(lam_recipe_next(text));
    if (text->line.at == NULL)
        return lam_recipe_refuse(text, "the file is empty");
    if (lam_recipe_cells(text, 1 + FEATURES, 2 + FEATURES, cells, &n) != LAM_OK)
        return lam_recipe_refuse(text, "the header should be \"# label\" and the names of %d features", FEATURES);
    if (!cell_is(&cells[0], "# label") && !cell_is(&cells[0], "#label") && !cell_is(&cells[0], "label"))
        return lam_recipe_refuse(text, "column 1 of the header should be \"# label\"");
    if (n > 1 + FEATURES && !is_test)
        return lam_recipe_refuse(text, "the header names a column after the %d features, a mass: this is all_train.csv or "
            "not1000_train.csv", FEATURES);
    return LAM_OK;
}

/* Rows of label 1 among the first lines of a file. */
static lam_status read_lines(lam_recipe_job *job, lam_recipe_text *text, size_t lines)
{
    int is_test = text->file == 1;
    LAM_TRY(check_header(text, is_test));
    LAM_TRY(lam_recipe_next(text));
    for (size_t i = 0; i < lines && text->line.at != NULL; i++) {
        lam_cell cells[FEATURES + 2];
        size_t n;
        double *row, label;
        LAM_TRY(lam_recipe_cells(text, 1 + FEATURES, 1 + FEATURES + (size_t)is_test, cells, &n));
        LAM_TRY(lam_recipe_number(text, &cells[0], 0, "label", &label));
        if (label != 0 && label != 1)
            return lam_fail(LAM_ERR_DATA, "%s: line %zu: the label is %g, not 0 or 1; the recipe hepmass takes %s",
                job->paths[text->file], text->line.number, label, job->rule->shown.files);
        LAM_TRY(lam_recipe_room(job, &row));
        for (size_t j = 0; j < FEATURES && label == 1; j++)
            LAM_TRY(lam_recipe_number(text, &cells[1 + j], 1 + j, names[j], &row[j]));
        job->table->rows += label == 1;
        job->read++;
        LAM_TRY(lam_recipe_next(text));
    }
    if (text->line.at != NULL)
        lam_log_say(&job->options->log, "%s: the first %zu rows are taken, a tenth of the public file", job->paths[text->file], lines);
    return LAM_OK;
}

static lam_status read_file(lam_recipe_job *job, size_t file, size_t lines)
{
    lam_recipe_text text;
    size_t before = job->table->rows;
    LAM_TRY(lam_recipe_open(job, file, ',', &text));
    lam_status status = read_lines(job, &text, lines);
    lam_recipe_close(&text);
    if (status == LAM_OK && job->table->rows == before)
        return lam_fail(LAM_ERR_DATA, "%s: no row has the label 1", job->paths[file]);
    return status;
}

lam_status lam_recipe_hepmass(lam_recipe_job *job)
{
    LAM_TRY(lam_recipe_begin(job, names, FEATURES));
    LAM_TRY(read_file(job, 0, TRAIN_LINES));
    size_t n = job->table->rows;
    LAM_TRY(read_file(job, 1, TEST_LINES));
    job->rows[LAM_TEST] = job->table->rows - n;
    lam_log_say(&job->options->log, "%zu of %zu rows are signal and stay", job->table->rows, job->read);
    return LAM_OK;
}
