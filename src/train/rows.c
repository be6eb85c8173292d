#include "train/rows.h"
#include "base/error.h"
#include "base/mem.h"

lam_status lam_flow_rows_make(const lam_dataset *data, const lam_maps *maps, lam_flow_rows *out)
{
    *out = (lam_flow_rows) { .dim = data->dim };
    for (int part = 0; part < LAM_PARTS; part++) {
        size_t n = out->rows[part] = data->rows[part];
        out->values[part] = data->values[part];
        if (maps == NULL || n == 0)
            continue;
        out->mapped[part] = lam_alloc(n * data->dim, sizeof(double));
        out->log_det[part] = lam_alloc(n, sizeof(double));
        if (out->mapped[part] == NULL || out->log_det[part] == NULL)
            return LAM_ERR_MEMORY;
        lam_maps_forward(maps, data->values[part], n, data->dim, out->mapped[part], out->log_det[part]);
        out->values[part] = out->mapped[part];
    }
    return LAM_OK;
}

void lam_flow_rows_clear(lam_flow_rows *rows)
{
    for (int part = 0; part < LAM_PARTS; part++) {
        lam_free(rows->mapped[part]);
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
