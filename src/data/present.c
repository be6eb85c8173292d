/* Which cells of a table are present. */
#include "data/present.h"
#include "base/mem.h"
#include "base/room.h"
#include "data/levels.h"
#include <math.h>

size_t lam_present_cells(const double *x, size_t n, size_t stride, double *out)
{
    size_t present = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(x[i * stride]))
            out[present++] = x[i * stride];
    return present;
}

lam_status lam_present_look(const lam_dataset *data, const lam_some_rows *sample, size_t column, lam_column_look *out)
{
    int some = sample != NULL && sample->row != NULL;
    const double *x = (some ? sample->row : data->values[LAM_TRAIN]) + column;
    size_t n = some ? sample->n : data->rows[LAM_TRAIN];
    if (data->missing[LAM_TRAIN] == 0)
        return lam_column_look_at(x, n, data->dim, out);
    double *room = lam_room_take(data->folder, n, sizeof *room);
    lam_status status = room == NULL ? LAM_ERR_MEMORY : lam_column_look_at(room, lam_present_cells(x, n, data->dim, room), 1, out);
    lam_room_give(data->folder, room);
    return status;
}

static int is_complete(const double *row, const lam_complete *c)
{
    size_t k = 0;
    while (k < c->cols && !isnan(row[c->column[k]]))
        k++;
    return k == c->cols;
}

static lam_status copy(const lam_dataset *data, lam_part part, lam_complete *out)
{
    out->owned = lam_room_take(data->folder, data->rows[part] * out->cols, sizeof *out->owned);
    if (out->owned == NULL)
        return LAM_ERR_MEMORY;
    double *to = out->owned;
    for (size_t i = 0; i < data->rows[part]; i++) {
        const double *row = data->values[part] + i * data->dim;
        if (!is_complete(row, out))
            continue;
        for (size_t k = 0; k < out->cols; k++)
            *to++ = row[out->column[k]];
        out->rows++;
    }
    out->values = out->owned;
    return LAM_OK;
}

lam_status lam_complete_rows(const lam_dataset *data, lam_part part, lam_complete *out)
{
    *out = (lam_complete) { .folder = data->folder, .column = lam_alloc(data->dim, sizeof *out->column) };
    if (out->column == NULL)
        return LAM_ERR_MEMORY;
    for (size_t j = 0; j < data->dim; j++)
        if (!lam_levels_are_text(data->texts, j))
            out->column[out->cols++] = j;
    lam_status status = LAM_OK;
    if (out->cols == data->dim && data->missing[part] == 0)
        out->values = data->values[part], out->rows = data->rows[part];
    else if (out->cols > 0)
        status = copy(data, part, out);
    if (status != LAM_OK)
        lam_complete_clear(out);
    return status;
}

void lam_complete_clear(lam_complete *complete)
{
    lam_free(complete->column);
    lam_room_give(complete->folder, complete->owned);
    *complete = (lam_complete) { 0 };
}
