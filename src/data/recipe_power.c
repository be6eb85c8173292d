/* POWER: household electricity, minute by minute. Six columns stay of the file's nine. */
#include "base/error.h"
#include "base/mem.h"
#include "data/cell.h"
#include "data/recipe.h"
#include "data/table.h"
#include <math.h>
#include <string.h>

enum { RAW = 9, TIME = 1, FIRST = 2, MEASURED = 7, BUNDLE = 8, KEPT = 6 };

static const char *const raw_names[RAW] = { "Date", "Time", "Global_active_power", "Global_reactive_power", "Voltage",
    "Global_intensity", "Sub_metering_1", "Sub_metering_2", "Sub_metering_3" };
/* Of the bundle's array, and of a row here before columns are left out: the measurements, then the minute of the day. */
static const char *const bundle_names[BUNDLE] = { "Global_active_power", "Global_reactive_power", "Voltage", "Global_intensity",
    "Sub_metering_1", "Sub_metering_2", "Sub_metering_3", "minutes" };
static const size_t kept[KEPT] = { 0, 2, 4, 5, 6, 7 };

static lam_status check_header(const lam_recipe_text *text)
{
    lam_cell cell;
    const char *at = text->line.at;
    size_t n = 0;
    if (at == NULL)
        return lam_recipe_refuse(text, "the file is empty");
    while (n < RAW && lam_cell_next(&at, text->line.end, (lam_separator){ ';', 0 }, &cell) == LAM_STEP_CELL) {
        if (cell.n != strlen(raw_names[n]) || memcmp(cell.at, raw_names[n], cell.n) != 0)
            return lam_recipe_refuse(text, "column %zu of the header should be %s", n + 1, raw_names[n]);
        n++;
    }
    if (n < RAW)
        return lam_recipe_refuse(text, "the header ends before column %zu, %s", n + 1, raw_names[n]);
    return LAM_OK;
}

/* One line into row [BUNDLE]; *missing if a measurement is. */
static lam_status read_line(const lam_recipe_text *text, double *row, int *missing)
{
    lam_cell cells[RAW];
    size_t n;
    char shown[LAM_SHOWN_SIZE];
    LAM_TRY(lam_recipe_cells(text, RAW, RAW, cells, &n));
    if (lam_cell_read(cells[TIME].at, cells[TIME].n, &row[MEASURED]) != LAM_CELL_TIME)
        return lam_fail(LAM_ERR_DATA, "%s: line %zu, column 2 (Time): \"%s\" is not a time, as 17:24:00 is; the file is damaged: "
            "copy or download it again", text->job->paths[0], text->line.number,
            lam_cell_show(cells[TIME].at, cells[TIME].n, shown));
    row[MEASURED] = floor(row[MEASURED]);
    *missing = 0;
    for (size_t j = 0; j < MEASURED; j++) {
        const lam_cell *cell = &cells[FIRST + j];
        if (lam_cell_read(cell->at, cell->n, &row[j]) == LAM_CELL_MISSING)
            *missing = 1;
        else
            LAM_TRY(lam_recipe_number(text, cell, FIRST + j, raw_names[FIRST + j], &row[j]));
    }
    return LAM_OK;
}

static lam_status read_lines(lam_recipe_job *job, lam_recipe_text *text)
{
    size_t first = 0, left_out = 0;
    LAM_TRY(lam_recipe_next(text));
    LAM_TRY(check_header(text));
    LAM_TRY(lam_recipe_begin(job, bundle_names, BUNDLE));
    for (;; job->read++) {
        double *row;
        int missing = 0;
        LAM_TRY(lam_recipe_next(text));
        if (text->line.at == NULL)
            break;
        LAM_TRY(lam_recipe_room(job, &row));
        LAM_TRY(read_line(text, row, &missing));
        if (missing && left_out++ == 0)
            first = text->line.number;
        job->table->rows += !missing;
    }
    if (left_out > 0)
        lam_log_say(&job->options->log, "%zu of %zu rows left out for missing values, the first in line %zu", left_out, job->read, first);
    if (job->table->rows == 0)
        return lam_fail(LAM_ERR_DATA, "%s: there is no complete row in it", job->paths[0]);
    return LAM_OK;
}

static lam_status read_text(lam_recipe_job *job)
{
    lam_recipe_text text;
    LAM_TRY(lam_recipe_open(job, 0, ';', &text));
    lam_status status = read_lines(job, &text);
    lam_recipe_close(&text);
    return status;
}

/* The last column of the bundle's array tells it from others of as many columns. */
static lam_status check_minutes(const lam_recipe_job *job)
{
    const lam_table *t = job->table;
    for (size_t i = 0; i < t->rows; i++) {
        double x = t->values[i * BUNDLE + MEASURED];
        if (!(x >= 0 && x < 1440) || x != floor(x))
            return lam_fail(LAM_ERR_DATA, "%s: row %zu: the last column holds %g, not the minute of the day, 0 to 1439; the recipe "
                "power takes %s", job->paths[0], i + 1, x, job->rule->shown.files);
    }
    return LAM_OK;
}

lam_status lam_recipe_power(lam_recipe_job *job)
{
    int found;
    LAM_TRY(lam_recipe_npy(job, bundle_names, BUNDLE, "the seven measurements and the minute of the day, as the bundle's data.npy",
        &found));
    LAM_TRY(found ? check_minutes(job) : read_text(job));
    LAM_TRY(lam_table_keep(job->table, kept, KEPT));
    job->room = job->table->rows;
    return LAM_OK;
}
