/* The Gaussian of a fit's standardised columns, beside that of the columns behind their maps: of rows from a Gaussian, maps only bend what is straight
 * (method.md 16). */
#ifndef LAM_TRAIN_PLAIN_H
#define LAM_TRAIN_PLAIN_H
#include "data/dataset.h"
#include "data/given.h"

typedef struct lam_plain {
    lam_whitening *whitening; /* of the training rows; NULL: there is none, or the one behind maps is likelier */
    double *nll;              /* [validation rows] in the roles of validations; NULL with it */
    const char *folder;       /* that nll's room is of */
} lam_plain;

/* Of the data's training rows, where their validation rows are likelier by it than behind maps and whitening. Roles are those that
 * lam_flow_batch_fill draws of validation rows with split_seed. The caller clears it after failures too. */
lam_status lam_plain_fit(const lam_dataset *data, const lam_given *given, const lam_maps *maps, const lam_whitening *whitening,
    uint64_t split_seed, lam_plain *out);
void lam_plain_clear(lam_plain *plain);

#endif
