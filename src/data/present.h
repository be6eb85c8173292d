/* What of rows with missing cells (NaN) is there. */
#ifndef LAM_DATA_PRESENT_H
#define LAM_DATA_PRESENT_H
#include "data/tally.h"

/* The cells of x [n], stride apart, that are not missing, into out [n]. Returns how many. */
size_t lam_present_cells(const double *x, size_t n, size_t stride, double *out);

/* lam_column_look_at of the training cells of a column that are not missing; sample NULL, or LAM_COLUMN_SAMPLE of the rows to look at in place of all. */
lam_status lam_present_look(const lam_dataset *data, const lam_some_rows *sample, size_t column, lam_column_look *out);

/* Rows without a missing cell, and of these the columns of numbers. */
typedef struct lam_complete {
    const double *values; /* [rows, cols]; the data's own where nothing is left out */
    size_t rows, cols;
    size_t *column;       /* [cols] which column of the data each is */
    double *owned;        /* a room in folder */
    const char *folder;
} lam_complete;
/* Of a part of data; free with lam_complete_clear. */
lam_status lam_complete_rows(const lam_dataset *data, lam_part part, lam_complete *out);
void lam_complete_clear(lam_complete *complete);

#endif
