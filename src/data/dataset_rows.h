/* The rows of a data set while it is built. */
#ifndef LAM_DATA_DATASET_ROWS_H
#define LAM_DATA_DATASET_ROWS_H
#include "data/tally.h"

/* Copies the rows of all parts but the training rows in, as they are in the tables [3]; counts missing cells. A part without a table has rows of the first. */
lam_status lam_dataset_fill_others(lam_dataset *data, const lam_table *const *tables);
/* The training rows, which are looked at piece by piece as they come; measure 1: and measured. */
lam_status lam_dataset_fill_training(lam_dataset *data, const lam_table *const *tables, lam_tally *tally, int measure);
/* The noise of all parts; the training rows are then measured. The draw of (column, row) is counted by the row's place in its table, tables one after
 * the other, so that it does not depend on the split. */
void lam_dataset_add_noise(lam_dataset *data, const lam_config *cfg, const lam_table *const *tables, lam_tally *tally);
void lam_dataset_standardise(lam_dataset *data);

#endif
