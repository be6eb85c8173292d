/* The loop of a fit, whatever it is a fit of. */
#ifndef LAM_TRAIN_LOOP_H
#define LAM_TRAIN_LOOP_H
#include "train/target.h"

/* Trains target by cfg's schedule, which gets what a limit of time chooses, with the files, lines and answers that lam_fit_options speaks of (its init is the target's
 * own affair). LAM_OK: done; LAM_ERR_INTERRUPTED: stopped as asked, all saved. Either way the target's model is the best. */
lam_status lam_loop_run(lam_config *cfg, const lam_target *target, const lam_fit_options *options,
    lam_fit_result *result);

#endif
