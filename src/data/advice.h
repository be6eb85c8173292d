/* What is said of a data set's columns before anything is fitted to them: those that are refused, and those that are warned of. */
#ifndef LAM_DATA_ADVICE_H
#define LAM_DATA_ADVICE_H
#include "data/tally.h"

/* On the numbers as they are in the file, data->values not yet standardised and without noise; table is that of the training rows (or of
 * all). said [dim] marks columns whose noise the user has settled. One line for all columns of few values, one for those with a value
 * far from the others, one for row numbers. log NULL: nobody listens. Sets
 * data->low and high of columns with such values: without them. */
lam_status lam_advise_values(lam_dataset *data, const lam_tally *tally, const lam_table *table, const unsigned char *said, const lam_log *log);
/* --noise auto: every column of few values whose noise nobody has said gets that of its values' spacing, and is marked as said; log is told
 * which. On the same numbers. */
lam_status lam_dataset_find_noise(lam_dataset *data, const lam_tally *tally, unsigned char *said, const lam_log *log);
/* On the numbers that are fitted, noise added, not yet standardised: columns that are functions of others. */
lam_status lam_advise_relations(const lam_dataset *data, const lam_tally *tally, const lam_log *log);
/* The standardiser and the range of the training rows, noise added, all of which were measured; and what else is kept of the tally. LAM_ERR_DATA names all
 * columns that are constant. */
lam_status lam_dataset_measure(lam_dataset *data, const lam_config *cfg, lam_tally *tally);

#endif
