/* Looks for columns that are functions of others, and warns of them. */
#include "base/error.h"
#include "base/number.h"
#include "data/advice.h"
#include "data/present.h"
#include "data/relations.h"
#include "data/remark.h"
#include <math.h>

static lam_source source_of(const lam_dataset *data)
{
    return (lam_source) { "the data", (const char *const *)data->names, data->numbers, data->dim, data->has_names, data->from_zero };
}

/* "a + b + c = 100", "F = 1.8 C + 32"; of many terms the first few. */
static void put_relation(FILE *out, char *const *names, const lam_relation *r, double spread)
{
    int sum = r->n > 1, shown = 0;
    for (size_t a = 0; a < r->n; a++)
        sum &= r->weight[a] == -1;
    lam_remark_name(out, names[r->column]);
    fputs(sum ? "" : " =", out);
    for (size_t a = 0; a < r->n && shown < LAM_REMARK_NAMES; a++, shown++) {
        double size = fabs(r->weight[a]);
        fputs(sum ? " + " : r->weight[a] < 0 ? " - " : a > 0 ? " + " : " ", out);
        if (size != 1) {
            lam_remark_number(out, size, 4);
            fputc(' ', out);
        }
        lam_remark_name(out, names[r->term[a]]);
    }
    if ((size_t)shown < r->n)
        fprintf(out, " + ... (%zu columns)", r->n + 1);
    double constant = lam_number_round(r->constant, 4);
    if (sum) {
        fputs(" = ", out);
        lam_remark_number(out, fabs(constant) < 1e-6 * spread ? 0 : constant, 6);
    } else if (fabs(constant) > 1e-4 * spread) {
        fputs(constant < 0 ? " - " : " + ", out);
        lam_remark_number(out, fabs(constant), 6);
    }
}

static lam_status say_relations(const lam_dataset *data, const lam_relations *found, size_t *columns, const lam_log *log)
{
    const lam_source source = source_of(data);
    size_t n = found->n, shown = lam_remark_shown(n);
    int rounded = 0;
    lam_remark text;
    LAM_TRY(lam_remark_begin(&text));
    fprintf(text.out, "%s of others in every training row: ", n == 1 ? "a column is a linear function" :
        "columns are linear functions");
    for (size_t i = 0; i < n; i++) {
        const lam_relation *r = &found->all[i];
        columns[i] = r->column;
        rounded |= r->residual > 1e-6 * data->scale[r->column];
        if (i >= shown)
            continue;
        put_relation(text.out, data->names, r, data->scale[r->column]);
        lam_remark_between(text.out, i, shown, n);
    }
    fprintf(text.out, "%s. All rows lie on a plane, where density and likelihood can grow without limit; leave %s out with ",
        rounded ? ", but for what rounding leaves" : "", n == 1 ? "it" : "them");
    lam_remark_drop(text.out, &source, columns, n);
    return lam_remark_say(&text, log);
}

/* Columns of the rows that were looked at become the data's. */
static void name_columns(lam_relations *found, const size_t *column)
{
    for (size_t i = 0; i < found->n; i++) {
        found->all[i].column = column[found->all[i].column];
        for (size_t a = 0; a < found->all[i].n; a++)
            found->all[i].term[a] = column[found->all[i].term[a]];
    }
}

/* Columns that are given may be functions of each other: what has no density then is nobody's question. */
static void keep_moving(const lam_dataset *data, lam_relations *found)
{
    for (size_t i = 0; i < found->n;) {
        const lam_relation *r = &found->all[i];
        int moves = !data->is_input[r->column];
        for (size_t a = 0; a < r->n; a++)
            moves |= !data->is_input[r->term[a]];
        if (moves)
            i++;
        else
            lam_relations_remove(found, i);
    }
}

/* LAM_RELATIONS_SAMPLE of the rows as they are fitted, or NULL: they are to be picked out of these. */
static const double *sample_of(const lam_dataset *data, const lam_tally *tally, const lam_complete *rows)
{
    return !lam_dataset_is_noisy(data) && rows->values == data->values[LAM_TRAIN] ? tally->few.row : NULL;
}

lam_status lam_advise_relations(const lam_dataset *data, const lam_tally *tally, const lam_log *log)
{
    lam_relations found;
    lam_complete rows;
    if (log == NULL || log->line == NULL)
        return LAM_OK;
    LAM_TRY(lam_complete_rows(data, LAM_TRAIN, &rows));
    if (rows.rows <= rows.cols + 1 && rows.values != data->values[LAM_TRAIN]) { /* too few are complete to tell */
        lam_complete_clear(&rows);
        return LAM_OK;
    }
    lam_status status = lam_relations_find(rows.values, rows.rows, rows.cols, sample_of(data, tally, &rows), &found);
    size_t *columns = rows.column; /* the room that say_relations needs, when names are put in */
    if (status == LAM_OK) {
        name_columns(&found, rows.column);
        keep_moving(data, &found);
        if (found.n > 0)
            status = say_relations(data, &found, columns, log);
        lam_relations_clear(&found);
    }
    lam_complete_clear(&rows);
    return status;
}
