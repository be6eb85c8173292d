/* The rows of a data set as the flow sees them in a fit: the moving columns, through the column maps where there are any, and beside
 * them what they are conditional on. */
#ifndef LAM_TRAIN_ROWS_H
#define LAM_TRAIN_ROWS_H
#include "data/dataset.h"
#include "data/given.h"

/* By lam_part. */
typedef struct lam_flow_rows {
    size_t dim, inputs, rows[LAM_PARTS]; /* dim: of the flow */
    const double *values[LAM_PARTS]; /* [rows, dim] the data set's own, or those in own */
    double *own[LAM_PARTS];          /* NULL without maps and given columns */
    double *given[LAM_PARTS];        /* [rows, inputs] of the context; NULL without given columns */
    double *log_det[LAM_PARTS];      /* [rows] of the maps, nats; NULL without */
} lam_flow_rows;

/* Borrows from data, which must outlive it. The caller clears it after failures too. */
lam_status lam_flow_rows_make(const lam_dataset *data, const lam_given *given, const lam_maps *maps, lam_flow_rows *out);
void lam_flow_rows_clear(lam_flow_rows *rows);
/* Mean log-determinant of n rows of a part, those of index; 0 without maps. */
double lam_flow_rows_log_det(const lam_flow_rows *rows, lam_part part, const size_t *index, size_t n);

#endif
