/* The rows of a data set as the flow sees them in a fit: through the column maps, where there are any. */
#ifndef LAM_TRAIN_ROWS_H
#define LAM_TRAIN_ROWS_H
#include "data/dataset.h"
#include "data/maps.h"

/* By lam_part. */
typedef struct lam_flow_rows {
    size_t dim, rows[LAM_PARTS];
    const double *values[LAM_PARTS]; /* [rows, dim] the data set's own, or those in mapped */
    double *mapped[LAM_PARTS];       /* NULL without maps */
    double *log_det[LAM_PARTS];      /* [rows] of the maps, nats; NULL without */
} lam_flow_rows;

/* Borrows from data, which must outlive it. The caller clears it after failures too. */
lam_status lam_flow_rows_make(const lam_dataset *data, const lam_maps *maps, lam_flow_rows *out);
void lam_flow_rows_clear(lam_flow_rows *rows);
/* Mean log-determinant of n rows of a part, those of index; 0 without maps. */
double lam_flow_rows_log_det(const lam_flow_rows *rows, lam_part part, const size_t *index, size_t n);

#endif
