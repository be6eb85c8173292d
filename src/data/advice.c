/* Looks at a data set's columns before a fit: constant ones are refused, doubtful ones are warned about. */
#include "data/advice.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/room.h"
#include "data/levels.h"
#include "data/lone.h"
#include "data/mapped.h"
#include "data/moments.h"
#include "data/present.h"
#include "data/remark.h"
#include <math.h>
#include <stdlib.h>

static lam_source source_of(const lam_dataset *data)
{
    return (lam_source) { "the data", (const char *const *)data->names, data->numbers, data->dim, data->has_names, data->from_zero };
}

/* ---- columns that are constant ------------------------------------------------------------------------------------ */

/* All of them at once. */
static lam_status refuse_constants(const lam_dataset *data, const lam_column_moments *moments, const size_t *columns, size_t n)
{
    const lam_source source = source_of(data);
    lam_remark text;
    LAM_TRY(lam_remark_begin(&text));
    if (n > 1)
        fprintf(text.out, "%zu columns are constant: ", n);
    size_t shown = lam_remark_shown(n);
    for (size_t i = 0; i < shown; i++) {
        const lam_column_moments *m = &moments[columns[i]];
        if (n == 1)
            lam_remark_column(text.out, &source, columns[i]);
        else
            lam_remark_name(text.out, data->names[columns[i]]);
        fprintf(text.out, "%severy training row has ", n == 1 ? " is constant: " : " (");
        lam_remark_number(text.out, m->low, m->low < m->high ? 12 : 0);
        fprintf(text.out, "%s%s", m->low < m->high ? ", but for the last digits, which are rounding" : "", n == 1 ? "" : ")");
        lam_remark_between(text.out, i, shown, n);
    }
    fprintf(text.out, "; leave %s out with ", n == 1 ? "it" : "them");
    lam_remark_drop(text.out, &source, columns, n);
    return lam_remark_fail(&text, LAM_ERR_DATA);
}

static lam_status refuse_span(const lam_dataset *data, size_t column, const lam_column_moments *m)
{
    const lam_source source = source_of(data);
    lam_remark text;
    LAM_TRY(lam_remark_begin(&text));
    lam_remark_column(text.out, &source, column);
    fprintf(text.out, " spans %g to %g, beyond what double can square; rescale it", m->low, m->high);
    return lam_remark_fail(&text, LAM_ERR_DATA);
}

static lam_status refuse_empty(const lam_dataset *data, size_t column)
{
    const lam_source source = source_of(data);
    lam_remark text;
    LAM_TRY(lam_remark_begin(&text));
    lam_remark_column(text.out, &source, column);
    fputs(" is missing in every training row; leave it out with ", text.out);
    lam_remark_drop(text.out, &source, &column, 1);
    return lam_remark_fail(&text, LAM_ERR_DATA);
}

/* columns [dim] is room for the constant ones. */
static lam_status take_moments(lam_dataset *data, int standardise, const lam_column_moments *moments, size_t *columns)
{
    size_t constants = 0;
    for (size_t j = 0; j < data->dim; j++) {
        if (moments[j].n == 0)
            return refuse_empty(data, j);
        if (moments[j].constant)
            columns[constants++] = j;
    }
    if (constants > 0)
        return refuse_constants(data, moments, columns, constants);
    for (size_t j = 0; j < data->dim; j++) {
        const lam_column_moments *m = &moments[j];
        if (!isfinite(m->mean) || !isfinite(m->deviation) || m->deviation <= 0)
            return refuse_span(data, j, m);
        if (!(data->low[j] < data->high[j])) /* else without values far from all others */
            data->low[j] = m->low, data->high[j] = m->high;
        int scaled = standardise && !lam_levels_are_text(data->texts, j);
        data->mean[j] = scaled ? m->mean : 0;
        data->scale[j] = scaled ? m->deviation : 1;
        data->log_det -= !data->is_input[j] ? log(data->scale[j]) : 0;
    }
    return LAM_OK;
}

lam_status lam_dataset_measure(lam_dataset *data, const lam_config *cfg, lam_tally *tally)
{
    lam_column_moments *moments = lam_alloc(data->dim, sizeof *moments);
    size_t *columns = lam_alloc(data->dim, sizeof *columns);
    lam_status status = moments == NULL || columns == NULL ? LAM_ERR_MEMORY : LAM_OK;
    if (status == LAM_OK) {
        lam_moments_end(tally->moments, moments);
        status = take_moments(data, cfg->standardise, moments, columns);
    }
    if (status == LAM_OK)
        status = lam_tally_keep(tally, cfg, moments, data);
    lam_free(moments);
    lam_free(columns);
    return status;
}

/* ---- columns of few values ---------------------------------------------------------------------------------------- */

static lam_status say_discrete(const lam_dataset *data, const lam_column_look *looks, const size_t *columns, size_t n,
    const lam_log *log)
{
    const lam_source source = source_of(data);
    lam_remark text;
    size_t shown = lam_remark_shown(n), rows = looks[columns[0]].sampled;
    double *widths = lam_alloc(n, sizeof *widths);
    lam_status status = widths == NULL ? LAM_ERR_MEMORY : lam_remark_begin(&text);
    if (status != LAM_OK) {
        lam_free(widths);
        return status;
    }
    fprintf(text.out, "%s with few distinct values in %zu training rows: ", n == 1 ? "a column" : "columns", rows);
    for (size_t i = 0; i < shown; i++) {
        const lam_column_look *look = &looks[columns[i]];
        lam_remark_name(text.out, data->names[columns[i]]);
        if (look->distinct >= look->sampled / 10) {
            fputs(" (", text.out);
            lam_remark_number(text.out, look->common, 12);
            fputs(" in ", text.out);
            lam_remark_number(text.out, 100.0 * (double)look->most / (double)look->sampled, 3);
            fputs(" % of them)", text.out);
        } else {
            fprintf(text.out, " (%zu)", look->distinct);
        }
        lam_remark_between(text.out, i, shown, n);
    }
    for (size_t i = 0; i < n; i++)
        widths[i] = looks[columns[i]].spacing;
    fprintf(text.out, "; a flow can raise %s density without limit, and the likelihood then means nothing. Treat %s as discrete with "
        "--noise auto, which adds noise as wide as the gaps between the values and here is ", n == 1 ? "its" : "their", n == 1 ? "it" : "them");
    lam_remark_noise(text.out, &source, columns, widths, n);
    lam_free(widths);
    return lam_remark_say(&text, log);
}

/* Those that nobody said noise for and that are not given, into columns [dim]. */
static lam_status find_discrete(const lam_dataset *data, const lam_tally *tally, const unsigned char *said, lam_column_look *looks, size_t *columns, size_t *n)
{
    *n = 0;
    for (size_t j = 0; j < data->dim; j++) {
        if (said[j] || data->is_input[j])
            continue;
        LAM_TRY(lam_present_look(data, &tally->many, j, &looks[j]));
        if (looks[j].discrete && looks[j].distinct > 1) /* a constant is an error of its own, later */
            columns[(*n)++] = j;
    }
    return LAM_OK;
}

static lam_status advise_discrete(const lam_dataset *data, const lam_tally *tally, const unsigned char *said, lam_column_look *looks, size_t *columns,
    const lam_log *log)
{
    size_t n;
    LAM_TRY(find_discrete(data, tally, said, looks, columns, &n));
    return n > 0 ? say_discrete(data, looks, columns, n, log) : LAM_OK;
}

static lam_status say_noise(const lam_dataset *data, const size_t *columns, const double *widths, size_t n, const lam_log *log)
{
    const lam_source source = source_of(data);
    lam_remark text;
    LAM_TRY(lam_remark_begin(&text));
    if (n == 0)
        fputs("--noise auto adds none: no column has few distinct values", text.out);
    else
        fprintf(text.out, "--noise auto adds noise to %zu column%s of few distinct values, as ", n, n == 1 ? "" : "s");
    if (n > 0)
        lam_remark_noise(text.out, &source, columns, widths, n);
    if (n > 0)
        fputs(" does", text.out);
    return lam_remark_say(&text, log);
}

lam_status lam_dataset_find_noise(lam_dataset *data, const lam_tally *tally, unsigned char *said, const lam_log *log)
{
    size_t n = 0, *columns = lam_alloc(data->dim, sizeof *columns);
    lam_column_look *looks = lam_alloc(data->dim, sizeof *looks);
    double *widths = lam_alloc(data->dim, sizeof *widths);
    lam_status status = columns == NULL || looks == NULL || widths == NULL ? LAM_ERR_MEMORY : LAM_OK;
    if (status == LAM_OK)
        status = find_discrete(data, tally, said, looks, columns, &n);
    for (size_t i = 0; i < n && status == LAM_OK; i++) {
        size_t j = columns[i];
        said[j] = 1;
        data->noise[j] = widths[i] = looks[j].spacing;
    }
    if (status == LAM_OK && log != NULL && log->line != NULL)
        status = say_noise(data, columns, widths, n, log);
    lam_free(columns);
    lam_free(looks);
    lam_free(widths);
    return status;
}

/* ---- values that stand for "missing" ------------------------------------------------------------------------------ */

static void put_lone(FILE *out, const lam_lone *lone)
{
    for (size_t i = 0; i < lone->n; i++) {
        fputs(i == 0 ? " (" : ", ", out);
        lam_remark_number(out, lone->value[i], 12);
        fprintf(out, " in %zu row%s", lone->rows[i], lone->rows[i] == 1 ? "" : "s");
    }
    fputs("; the others from ", out);
    lam_remark_number(out, lone->low, 6);
    fputs(" to ", out);
    lam_remark_number(out, lone->high, 6);
    fputs(", standard deviation ", out);
    lam_remark_number(out, lone->without, 3);
    fputs(" without and ", out);
    lam_remark_number(out, lone->deviation, 3);
    fputs(" with it)", out);
}

static lam_status say_lone(const lam_dataset *data, const lam_lone *lone, const size_t *columns, size_t n, const lam_log *log)
{
    const lam_source source = source_of(data);
    lam_remark text;
    size_t shown = lam_remark_shown(n);
    LAM_TRY(lam_remark_begin(&text));
    fprintf(text.out, "a value far from all others of its column, as they stand for a missing one: ");
    for (size_t i = 0; i < shown; i++) {
        lam_remark_name(text.out, data->names[columns[i]]);
        put_lone(text.out, &lone[columns[i]]);
        lam_remark_between(text.out, i, shown, n);
    }
    fprintf(text.out, ". If that is so, put NaN in its place and leave such rows out with --drop-bad-rows, or leave the column%s out "
        "with ", n == 1 ? "" : "s");
    lam_remark_drop(text.out, &source, columns, n);
    return lam_remark_say(&text, log);
}

/* The cells of a column that are there are copied out: few columns come here. */
static lam_status find_lone(const lam_dataset *data, size_t column, lam_lone *lone)
{
    double *room = lam_room_take(data->folder, data->rows[LAM_TRAIN], sizeof *room);
    if (room == NULL)
        return LAM_ERR_MEMORY;
    size_t present = lam_present_cells(data->values[LAM_TRAIN] + column, data->rows[LAM_TRAIN], data->dim, room);
    lam_status status = lam_lone_find(room, present, data->folder, lone);
    lam_room_give(data->folder, room);
    return status;
}

static lam_status advise_lone(lam_dataset *data, const lam_tally *tally, lam_lone *lone, size_t *columns, const lam_log *log)
{
    size_t n = 0;
    const lam_some_rows *few = &tally->few;
    LAM_TRY(few->row != NULL ? lam_lone_guess(tally->ends, few->row, few->n, columns)
        : lam_lone_guess(tally->ends, data->values[LAM_TRAIN], data->rows[LAM_TRAIN], columns));
    for (size_t j = 0; j < data->dim; j++) {
        if (columns[j] == 0) /* read before it is written: n <= j */
            continue;
        LAM_TRY(find_lone(data, j, &lone[j]));
        if (lone[j].n == 0 || lam_levels_are_text(data->texts, j))
            continue;
        columns[n++] = j;
        data->low[j] = lone[j].low, data->high[j] = lone[j].high + data->noise[j];
    }
    return n > 0 ? say_lone(data, lone, columns, n, log) : LAM_OK;
}

/* ---- row numbers -------------------------------------------------------------------------------------------------- */

/* As lam_counts_rows of a column of the table; most columns are told from the first rows. -1: no memory. */
static int counts_rows(const lam_table *table, size_t column)
{
    enum { FIRST = 1000 };
    const char *folder = lam_table_folder(table);
    double first[FIRST];
    if (table->mapped == NULL)
        return lam_counts_rows(table->values + column, table->rows, table->cols, NULL);
    lam_table_column(table, column, table->rows < FIRST ? table->rows : FIRST, first);
    for (size_t i = 0; i < FIRST && i < table->rows; i++)
        if (first[i] != floor(first[i]))
            return 0;
    double *all = lam_room_take(folder, table->rows, sizeof *all);
    if (all == NULL)
        return -1;
    lam_table_column(table, column, table->rows, all);
    int counts = lam_counts_rows(all, table->rows, 1, folder);
    lam_room_give(folder, all);
    return counts;
}

/* Ranks are shuffled whole numbers too, in all columns: those in another order than the rows' are told of in the first column alone, and
 * only where no other is like that. */
static lam_status advise_counts(const lam_dataset *data, const lam_table *table, size_t *columns, const lam_log *log)
{
    const lam_source source = source_of(data);
    size_t n = 0, shuffled = 0, first = 0;
    lam_remark text;
    for (size_t j = 0; j < table->cols; j++) {
        int counts = counts_rows(table, j);
        if (counts < 0)
            return LAM_ERR_MEMORY;
        shuffled += counts == 2;
        first |= j == 0 && counts == 2;
        if (counts == 1)
            columns[n++] = j;
    }
    if (first && shuffled == 1) {
        for (size_t i = n++; i > 0; i--)
            columns[i] = columns[i - 1];
        columns[0] = 0;
    }
    if (n == 0 || table->cols == 1)
        return LAM_OK;
    LAM_TRY(lam_remark_begin(&text));
    fprintf(text.out, "%s ", n == 1 ? "column" : "columns");
    lam_remark_names(text.out, &source, columns, n);
    fprintf(text.out, " %s the rows (whole numbers, each once), which says nothing about what is in them: leave %s out with ",
        n == 1 ? "numbers" : "number", n == 1 ? "it" : "them");
    lam_remark_drop(text.out, &source, columns, n);
    return lam_remark_say(&text, log);
}

lam_status lam_advise_values(lam_dataset *data, const lam_tally *tally, const lam_table *table, const unsigned char *said, const lam_log *log)
{
    int listens = log != NULL && log->line != NULL;
    lam_column_look *looks = lam_alloc(data->dim, sizeof *looks);
    lam_lone *lone = lam_alloc(data->dim, sizeof *lone);
    size_t *columns = lam_alloc(data->dim + 1, sizeof *columns);
    lam_status status = looks == NULL || lone == NULL || columns == NULL ? LAM_ERR_MEMORY : LAM_OK;
    status = status == LAM_OK && listens ? advise_counts(data, table, columns, log) : status;
    status = status == LAM_OK ? advise_lone(data, tally, lone, columns, log) : status;
    status = status == LAM_OK && listens ? advise_discrete(data, tally, said, looks, columns, log) : status;
    lam_free(looks);
    lam_free(lone);
    lam_free(columns);
    return status;
}
