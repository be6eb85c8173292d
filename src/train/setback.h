/* Training that goes wrong: the way back, and when there is none. And what is said of a start that takes long, and of a training that ended early. */
#ifndef LAM_TRAIN_SETBACK_H
#define LAM_TRAIN_SETBACK_H
#include "train/run.h"

/* 1: there is a way back after such a failure. The third time, and where no iteration follows (last), there is one to the end alone, and only
 * where something was validated. */
int lam_setback_is_possible(const lam_run *run, lam_status status, int last);
/* Training went wrong at the current iteration, for the reason in lam_last_error: on from the best parameters, with half the rate and an
 * optimiser that has seen nothing. At the third time, and where no iteration follows (last), training is over with the best model. */
lam_status lam_set_back(lam_run *run, int last);
/* The same, where the start by flow matching was better than what training has made of it: the rate is too high, or the flow learns the rows by
 * heart. Where it does and a limit of time holds the rate, this begins to fall, too. last: nothing, as the best model is taken anyway. */
lam_status lam_setback_by_validation(lam_run *run, int last);
/* After the last iteration. */
lam_ending lam_setback_ending(const lam_run *run);
/* A line where validation ended a training that had time left. */
void lam_setback_say_early(const lam_run *run);

#endif
