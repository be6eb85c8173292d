/* Maps the rows of a data set once, for the whole fit. */
#include "train/rows.h"
#include "base/error.h"
#include "base/mem.h"

static lam_status make_part(const lam_dataset *data, int part, const lam_given *given, const lam_maps *maps, lam_flow_rows *out)
{
    size_t n = data->rows[part];
    const double *x = out->values[part] = data->values[part];
    if ((maps == NULL && given->given == 0) || n == 0)
        return LAM_OK;
    out->own[part] = lam_alloc(n * given->moving, sizeof(double));
    if (out->own[part] == NULL || (maps != NULL && (out->log_det[part] = lam_alloc(n, sizeof(double))) == NULL)
        || (given->given > 0 && (out->given[part] = lam_alloc(n * given->inputs, sizeof(double))) == NULL))
        return LAM_ERR_MEMORY;
    lam_given_take(given, maps, x, n, out->own[part], out->log_det[part]);
    out->values[part] = out->own[part];
    if (given->given > 0)
        lam_given_inputs(given, maps, x, n, out->given[part]);
    return LAM_OK;
}

lam_status lam_flow_rows_make(const lam_dataset *data, const lam_given *given, const lam_maps *maps, lam_flow_rows *out)
{
    *out = (lam_flow_rows) { .dim = given->moving, .inputs = given->inputs };
    for (int part = 0; part < LAM_PARTS; part++) {
        out->rows[part] = data->rows[part];
        LAM_TRY(make_part(data, part, given, maps, out));
    }
    return LAM_OK;
}

void lam_flow_rows_clear(lam_flow_rows *rows)
{
    for (int part = 0; part < LAM_PARTS; part++) {
        lam_free(rows->own[part]);
        lam_free(rows->given[part]);
        lam_free(rows->log_det[part]);
    }
    *rows = (lam_flow_rows) { 0 };
}

double lam_flow_rows_log_det(const lam_flow_rows *rows, lam_part part, const size_t *index, size_t n)
{
    const double *each = rows->log_det[part];
    double sum = 0;
    for (size_t i = 0; each != NULL && i < n; i++)
        sum += each[index[i]];
    return sum / (double)n;
}
