/* What is said where a fitted flow is worse on the test rows than the Gaussian or the mixture beside it. */
#ifndef LAM_TRAIN_OUTCOME_H
#define LAM_TRAIN_OUTCOME_H
#include "data/dataset.h"
#include "train/state.h"

/* The NLLs of the test rows, [result->test_rows] each, in one order; gaussian and mixture may be NULL. */
typedef struct lam_test_rows {
    const double *flow, *gaussian, *mixture;
} lam_test_rows;

/* A line where the flow is worse by more than two standard errors of the rows' differences, with what can help: by how the fit ended, in state s,
 * and by the columns. cfg is that of the fit, with its limit of time. */
lam_status lam_outcome_tell(const lam_config *cfg, const lam_dataset *data, const lam_fit_state *s, const lam_fit_result *r,
    const lam_test_rows *rows, const lam_log *log);

#endif
