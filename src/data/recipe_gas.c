/* GAS: sixteen chemical sensors in a mixture of gases. The published rows are a random quarter of the file's (the bundle's
 * pickle holds 1,052,065 of its 4,208,261), so it is read twice: counted, then sampled; what is in memory is the sample. */
#include "base/error.h"
#include "base/mem.h"
#include "base/random.h"
#include "data/cell.h"
#include "data/recipe.h"
#include "data/table.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { RAW = 19, FIRST = 3, SENSORS = 16, SAMPLE_STREAM = 1 };
#define FRACTION 0.25
#define NOWHERE UINT64_MAX

/* Their types in the order of the file, as its description has it; four of each. */
static const char *const names[SENSORS] = { "TGS2602_1", "TGS2602_2", "TGS2600_1", "TGS2600_2", "TGS2610_1", "TGS2610_2",
    "TGS2620_1", "TGS2620_2", "TGS2602_3", "TGS2602_4", "TGS2600_3", "TGS2600_4", "TGS2610_3", "TGS2610_4", "TGS2620_3",
    "TGS2620_4" };

static lam_status refuse_pickle(const lam_recipe_job *job)
{
    unsigned char start[2] = { 0, 0 };
    FILE *file = fopen(job->paths[0], "rb");
    int is_pickle = file != NULL && fread(start, 1, 2, file) == 2 && start[0] == 0x80 && start[1] >= 2 && start[1] <= 5;
    if (file != NULL)
        fclose(file);
    if (is_pickle)
        return lam_fail(LAM_ERR_FORMAT, "%s: is a pickle of pandas, which only pandas can read; give the raw file, %s (%s)",
            job->paths[0], job->rule->shown.files, job->rule->shown.source);
    return LAM_OK;
}

/* 1 if word [n] stands in the line, capitals or not. */
static int line_has(const lam_text_line *line, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = line->at; (size_t)(line->end - p) >= n; p++)
        if (strncasecmp(p, word, n) == 0)
            return 1;
    return 0;
}

/* "Time (seconds), CO conc (ppm), Ethylene conc (ppm), sensor readings (16 channels)": words, not one a column */
static lam_status check_header(lam_recipe_text *text)
{
    LAM_TRY(lam_recipe_next(text));
    if (text->line.at == NULL)
        return lam_recipe_refuse(text, "the file is empty");
    if (line_has(&text->line, "methane"))
        return lam_recipe_refuse(text, "the header names methane: this is the file of the other mixture, ethylene_methane.txt");
    if (!line_has(&text->line, "time") || !line_has(&text->line, "sensor"))
        return lam_recipe_refuse(text, "the header should name time, CO, ethylene and sensor readings");
    return LAM_OK;
}

static lam_status count(lam_recipe_text *text, size_t *rows)
{
    LAM_TRY(check_header(text));
    for (*rows = 0;; ++*rows) {
        LAM_TRY(lam_recipe_next(text));
        if (text->line.at == NULL)
            return LAM_OK;
    }
}

/* Row i of the file becomes row place[i] of the sample, if it is not NOWHERE. *n: rows of the sample, a quarter, rounded. */
static lam_status draw_sample(const lam_recipe_job *job, size_t rows, uint64_t **place, size_t *n)
{
    uint64_t *order = lam_alloc(rows, sizeof *order);
    *place = lam_alloc(rows, sizeof **place);
    *n = (size_t)(FRACTION * (double)rows + 0.5);
    if (order != NULL && *place != NULL) {
        lam_random_permutation(job->options->seed, LAM_DRAW_SPLIT, SAMPLE_STREAM, order, rows);
        for (size_t i = 0; i < rows; i++)
            (*place)[order[i]] = i < *n ? i : NOWHERE;
    }
    lam_status status = order == NULL || *place == NULL ? LAM_ERR_MEMORY : LAM_OK;
    lam_free(order);
    return status;
}

/* Of lines that are not in the sample only the cells are counted. */
static lam_status read_lines(lam_recipe_job *job, lam_recipe_text *text, const uint64_t *place, size_t rows)
{
    LAM_TRY(check_header(text));
    for (job->read = 0;; job->read++) {
        lam_cell cells[RAW];
        size_t n;
        LAM_TRY(lam_recipe_next(text));
        if (text->line.at == NULL || job->read == rows)
            break;
        LAM_TRY(lam_recipe_cells(text, RAW, RAW, cells, &n));
        for (size_t j = 0; j < SENSORS && place[job->read] != NOWHERE; j++)
            LAM_TRY(lam_recipe_number(text, &cells[FIRST + j], FIRST + j, names[j],
                &job->table->values[place[job->read] * SENSORS + j]));
    }
    if (job->read != rows || text->line.at != NULL)
        return lam_fail(LAM_ERR_IO, "%s: changed while it was read; start again when it is complete", job->paths[0]);
    return LAM_OK;
}

static lam_status read_sample(lam_recipe_job *job, const uint64_t *place, size_t rows, size_t n)
{
    lam_recipe_text text;
    LAM_TRY(lam_recipe_begin(job, names, SENSORS));
    job->table->values = lam_alloc(n * SENSORS, sizeof *job->table->values);
    if (job->table->values == NULL)
        return LAM_ERR_MEMORY;
    job->table->rows = job->room = n;
    job->doing = "reading";
    LAM_TRY(lam_recipe_open(job, 0, ' ', &text));
    lam_status status = read_lines(job, &text, place, rows);
    lam_recipe_close(&text);
    if (status == LAM_OK)
        lam_log_say(&job->options->log, "%zu of %zu rows taken, a random quarter", n, rows);
    return status;
}

lam_status lam_recipe_gas(lam_recipe_job *job)
{
    lam_recipe_text text;
    uint64_t *place = NULL;
    size_t rows = 0, n = 0;
    LAM_TRY(refuse_pickle(job));
    job->doing = "counting the rows of";
    LAM_TRY(lam_recipe_open(job, 0, ' ', &text));
    lam_status status = count(&text, &rows);
    lam_recipe_close(&text);
    if (status == LAM_OK)
        status = draw_sample(job, rows, &place, &n);
    if (status == LAM_OK && n == 0)
        status = lam_fail(LAM_ERR_DATA, "%s: has %zu rows, too few for a quarter of them", job->paths[0], rows);
    if (status == LAM_OK)
        status = read_sample(job, place, rows, n);
    lam_free(place);
    return status;
}
