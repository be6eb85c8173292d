/* Which columns are given and which are moving. */
#include "data/roles.h"
#include "base/config.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/names.h"
#include "data/levels.h"
#include "data/mapped.h"
#include "data/remark.h"
#include <math.h>
#include <string.h>

lam_status lam_roles_read(const lam_config *cfg, const lam_source *source, unsigned char *is_input)
{
    size_t given = 0;
    for (size_t i = 0; i < cfg->given.n; i++) {
        const char *item = cfg->given.item[i];
        size_t column;
        LAM_TRY(lam_columns_find(source, item, strlen(item), &column));
        if (is_input[column])
            return lam_fail(LAM_ERR_ARGUMENT, "given: column \"%.60s\" is named twice", item);
        is_input[column] = 1;
        given++;
    }
    if (given > 0 && given == source->n)
        return lam_fail(LAM_ERR_ARGUMENT, "given: all %zu columns are given, and none is left whose density could be fitted; name fewer", given);
    return LAM_OK;
}

int lam_may_miss(const lam_config *cfg)
{
    return cfg->any_given || cfg->given.n > 0;
}

/* ---- cells that are no numbers ------------------------------------------------------------------------------------ */

static lam_status bad_cell(const lam_table *table, size_t row, size_t column, const char *which, const char *what)
{
    const lam_source source = lam_source_of("the data", table);
    lam_remark text;
    LAM_TRY(lam_remark_begin(&text));
    fprintf(text.out, "row %zu, ", row + 1);
    lam_remark_column(text.out, &source, column);
    fprintf(text.out, " of the %s table is %s", which, what);
    return lam_remark_fail(&text, LAM_ERR_DATA);
}

/* Rows of which nothing is there whose density could be asked. */
static lam_status check_empty(const lam_table *table, const unsigned char *is_input, const char *which, double *room)
{
    size_t empty = 0, first = 0;
    for (size_t i = 0; i < table->rows; i++) {
        const double *row = lam_table_row(table, i, room);
        int moving = 0;
        for (size_t j = 0; j < table->cols; j++)
            moving |= !is_input[j] && !isnan(row[j]);
        if (!moving && empty++ == 0)
            first = i;
    }
    if (empty > 0)
        return lam_fail(LAM_ERR_DATA, "%zu rows of the %s table have no value in any column that is not given, the first is row %zu; they "
            "say nothing of these columns: leave them out of the file, or all rows with a missing cell with --drop-bad-rows", empty, which,
            first + 1);
    return LAM_OK;
}

static lam_status check_cells(const lam_config *cfg, const lam_table *table, const unsigned char *is_input, const char *which, double *room)
{
    int may_miss = lam_may_miss(cfg);
    for (size_t i = 0; i < table->rows; i++) {
        const double *row = lam_table_row(table, i, room);
        for (size_t j = 0; j < table->cols; j++) {
            double v = row[j];
            if (isfinite(v) || (isnan(v) && may_miss && (!is_input[j] || cfg->any_given)))
                continue;
            if (!isnan(v))
                return bad_cell(table, i, j, which, "infinite; read it with --drop-bad-rows");
            if (is_input[j])
                return bad_cell(table, i, j, which, "missing (NaN), and the column is given: --any-given takes rows with any cell missing, "
                    "--drop-bad-rows leaves such rows out");
            return bad_cell(table, i, j, which, "NaN; read it with --drop-bad-rows, or fit the rows with their missing cells, with --any-given, "
                "or with --given and the names of columns that miss none");
        }
    }
    return may_miss ? check_empty(table, is_input, which, room) : LAM_OK;
}

lam_status lam_roles_check(const lam_config *cfg, const lam_table *table, const unsigned char *is_input, const char *which)
{
    if (table->mapped != NULL && table->missing == 0) /* every cell was judged when it was opened */
        return LAM_OK;
    double *room = lam_alloc(table->cols, sizeof *room);
    lam_status status = room == NULL ? LAM_ERR_MEMORY : check_cells(cfg, table, is_input, which, room);
    lam_free(room);
    return status;
}

lam_status lam_roles_check_levels(const lam_table *table, const lam_names *levels, const unsigned char *is_input, const char *which)
{
    static const lam_names none = { 0 };
    for (size_t j = 0; j < table->cols; j++) {
        const lam_names *own = table->levels != NULL ? &table->levels[j] : &none, *first = levels != NULL ? &levels[j] : &none;
        if (own->n > 0 && !is_input[j])
            return lam_fail(LAM_ERR_DATA, "column %zu (%.100s) of the %s table is text, which has no density; leave it out with --drop, or name it in "
                "--given", j + 1, table->names[j], which);
        if (!lam_names_equal(own, first))
            return lam_fail(LAM_ERR_DATA, "column %zu (%.100s) of the %s table has other levels than that of the training table", j + 1,
                table->names[j], which);
    }
    return LAM_OK;
}

/* ---- what is said of them ----------------------------------------------------------------------------------------- */

static lam_status say_missing(const lam_dataset *data, const lam_tally *tally, const size_t *columns, size_t n, const lam_log *log)
{
    size_t total = data->rows[LAM_TRAIN], shown = lam_remark_shown(n);
    lam_remark text;
    LAM_TRY(lam_remark_begin(&text));
    fprintf(text.out, "%zu cells of %zu training rows are missing, in %zu of these rows: ", data->missing[LAM_TRAIN], total, tally->missing_rows);
    for (size_t i = 0; i < shown; i++) {
        lam_remark_name(text.out, data->names[columns[i]]);
        fprintf(text.out, " (%zu)", tally->missing[columns[i]]);
        lam_remark_between(text.out, i, shown, n);
    }
    fputs(". The fit takes what is there, which is right where it does not depend on a value whether it is missing", text.out);
    return lam_remark_say(&text, log);
}

static lam_status say_levels(const lam_dataset *data, size_t *columns, const lam_log *log)
{
    size_t n = 0;
    lam_remark text;
    for (size_t j = 0; j < data->dim; j++)
        if (lam_levels_are_text(data->texts, j))
            columns[n++] = j;
    if (n == 0)
        return LAM_OK;
    LAM_TRY(lam_remark_begin(&text));
    fprintf(text.out, "text makes one input a level: ");
    for (size_t i = 0, shown = lam_remark_shown(n); i < shown; i++) {
        const lam_names *levels = &data->texts[columns[i]];
        lam_remark_name(text.out, data->names[columns[i]]);
        fprintf(text.out, " (%zu: ", levels->n);
        lam_levels_put(text.out, levels);
        fputc(')', text.out);
        lam_remark_between(text.out, i, shown, n);
    }
    return lam_remark_say(&text, log);
}

lam_status lam_advise_roles(const lam_dataset *data, const lam_tally *tally, const lam_log *log)
{
    size_t n = 0, *columns = lam_alloc(data->dim, sizeof *columns);
    lam_status status = columns == NULL ? LAM_ERR_MEMORY : LAM_OK;
    if (status == LAM_OK && log != NULL && log->line != NULL) {
        for (size_t j = 0; j < data->dim; j++)
            if (tally->missing[j] > 0)
                columns[n++] = j;
        status = n > 0 ? say_missing(data, tally, columns, n, log) : LAM_OK;
        if (status == LAM_OK)
            status = say_levels(data, columns, log);
    }
    lam_free(columns);
    return status;
}
