/* Rows that training and another part have in common. */
#ifndef LAM_DATA_REPEATS_H
#define LAM_DATA_REPEATS_H
#include "data/dataset.h"

/* Rows of a part that are equal to a training row, to the last bit. */
lam_status lam_repeats_count(const lam_dataset *data, lam_part part, size_t *count);
/* Says of the test rows, or else of the validation rows, that a hundredth of them or more are training rows too: their NLL is then too
 * good. Nothing where a column gets noise: few values repeat by nature, and noise sets such rows apart. one_table 1: the parts were
 * split off one table. */
lam_status lam_advise_repeats(const lam_dataset *data, int one_table, const lam_log *log);

#endif
