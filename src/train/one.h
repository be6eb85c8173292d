/* The fit of one flow, of which a model may have several (flows.c). */
#ifndef LAM_TRAIN_ONE_H
#define LAM_TRAIN_ONE_H
#include "train/outcome.h"

/* What is left of a fit that went to its end, beside its model and its result; zeroed before it. */
typedef struct lam_fit_kept {
    lam_config cfg;      /* with what was chosen, by rows and by the clock; initialised by the caller */
    lam_fit_state state; /* numbers of steps back alone */
    double *room;        /* what the members of `of` refer to; NULL: there was no test, or it is another rank's */
    lam_test_rows of;    /* [test_rows] each */
} lam_fit_kept;

/* Fits one flow, as lam_fit does, whatever cfg says of flows. result is zeroed; the test's rows are kept for what is told of them. */
lam_status lam_fit_one(const lam_config *cfg, const lam_dataset *data, const lam_fit_options *options, lam_fit_kept *kept, lam_model **model,
    lam_fit_result *result);

#endif
