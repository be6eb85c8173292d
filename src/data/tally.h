/* What is taken down of the training rows in one reading of them, in their order: all that is asked of them before the training, but for what a doubt makes
 * look again. */
#ifndef LAM_DATA_TALLY_H
#define LAM_DATA_TALLY_H
#include "base/log.h"
#include "data/dataset.h"
#include "data/lone.h"
#include "data/maps.h"
#include "data/moments.h"
#include "data/repeats.h"

/* Evenly spread rows, n of `of`: what lam_column_look_at and others would pick out of all. */
typedef struct lam_some_rows {
    size_t n, of, next; /* next: rows so far */
    double *row;        /* [n, dim] a room; NULL: there is none, all rows are to be looked at */
} lam_some_rows;

typedef struct lam_tally {
    const lam_dataset *data;
    size_t *missing, missing_rows; /* [dim] cells; rows that have one */
    lam_lone_ends *ends;
    lam_some_rows few, many;          /* LAM_LONE_SAMPLE, LAM_COLUMN_SAMPLE rows of more than LAM_MAP_SORTED, as in the file */
    lam_repeats *repeats;          /* NULL: nobody listens */
    lam_moments_run *moments;
    lam_maps_reading *maps;        /* NULL: no maps, or of so few rows that they are sorted */
} lam_tally;

/* Of data whose parts but the training rows are filled. The caller clears it, failing or not. Borrows data. */
lam_status lam_tally_begin(const lam_dataset *data, const lam_config *cfg, const lam_log *log, lam_tally *tally);
/* Training rows from `first` on, the next n, as they are in the file. */
void lam_tally_look(lam_tally *tally, size_t first, size_t n);
/* The same rows as they are fitted: not yet standardised, noise added. Moments are those of these pieces. */
void lam_tally_measure(lam_tally *tally, size_t first, size_t n);
/* What the data set keeps, when its mean and scale are known: the maps of the first columns, and the covariance. */
lam_status lam_tally_keep(lam_tally *tally, const lam_config *cfg, const lam_column_moments *moments, lam_dataset *data);
void lam_tally_clear(lam_tally *tally);

#endif
