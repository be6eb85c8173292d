/* Raw text files of the recipes: lines cut into a known number of cells, with errors that say where. */
#include "base/error.h"
#include "data/cell.h"
#include "data/recipe.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LINES_BETWEEN = 4096 }; /* of progress */

lam_status lam_recipe_open(lam_recipe_job *job, size_t file, char separator, lam_recipe_text *text)
{
    *text = (lam_recipe_text){ .job = job, .file = file, .separator = separator };
    LAM_TRY(lam_line_stream_open(job->paths[file], &text->stream));
    job->bytes[file] = lam_line_stream_size(text->stream);
    return LAM_OK;
}

void lam_recipe_close(lam_recipe_text *text)
{
    lam_line_stream_close(text->stream);
    text->stream = NULL;
}

lam_status lam_recipe_next(lam_recipe_text *text)
{
    if (text->shown++ % LINES_BETWEEN == 0)
        LAM_TRY(lam_recipe_progress(text->job, text->file, lam_line_stream_done(text->stream),
            lam_line_stream_size(text->stream)));
    return lam_line_stream_next(text->stream, &text->line);
}

lam_status lam_recipe_cells(const lam_recipe_text *text, size_t least, size_t most, lam_cell *cells, size_t *n)
{
    const char *path = text->job->paths[text->file], *at = text->line.at;
    lam_cell extra;
    char shown[LAM_SHOWN_SIZE];
    *n = 0;
    for (;;) {
        lam_cell *cell = *n < most ? &cells[*n] : &extra;
        lam_cell_step step = lam_cell_next(&at, text->line.end, (lam_separator){ text->separator, 0 }, cell);
        if (step == LAM_STEP_BAD_QUOTE)
            return lam_fail(LAM_ERR_FORMAT, "%s: line %zu, column %zu: a quote is not closed, or text follows it", path,
                text->line.number, *n + 1);
        if (step == LAM_STEP_END)
            break;
        if (*n == most)
            return lam_fail(LAM_ERR_FORMAT, "%s: line %zu has a cell too many, \"%s\": %zu are expected", path, text->line.number,
                lam_cell_show(extra.at, extra.n, shown), most);
        ++*n;
    }
    if (*n < least)
        return lam_fail(LAM_ERR_FORMAT, "%s: line %zu ends after %zu cells, %zu are expected; was the file cut short? copy or "
            "download it again", path, text->line.number, *n, least);
    return LAM_OK;
}

lam_status lam_recipe_number(const lam_recipe_text *text, const lam_cell *cell, size_t column, const char *name, double *value)
{
    char shown[LAM_SHOWN_SIZE];
    if (lam_cell_read(cell->at, cell->n, value) == LAM_CELL_NUMBER && isfinite(*value))
        return LAM_OK;
    return lam_fail(LAM_ERR_DATA, "%s: line %zu, column %zu (%s): \"%s\" is not a finite number; the file is damaged: copy or "
        "download it again", text->job->paths[text->file], text->line.number, column + 1, name,
        lam_cell_show(cell->at, cell->n, shown));
}

lam_status lam_recipe_refuse(const lam_recipe_text *text, const char *format, ...)
{
    const lam_recipe *recipe = &text->job->rule->shown;
    char what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return lam_fail(LAM_ERR_FORMAT, "%s: line %zu: %s; the recipe %s takes %s (%s)", text->job->paths[text->file],
        text->line.number, what, recipe->name, recipe->files, recipe->source);
}
