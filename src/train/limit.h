/* How much time a fit has left: budget and max-processor-seconds (docs/method.md 8). */
#ifndef LAM_TRAIN_LIMIT_H
#define LAM_TRAIN_LIMIT_H
#include "train/run.h"

/* Wall seconds until the nearer limit, below 0 past it; infinite without a limit of the whole fit. Processor seconds are turned into wall
 * seconds at the pace of the training steps so far. */
double lam_limit_left(const lam_run *run);
/* Wall seconds so far that count for the limits of time. */
double lam_limit_used(const lam_run *run);
/* Seconds of lam_limit_left that are kept for what comes after the last iteration: a validation, where that iteration had none, and
 * the test. */
double lam_limit_kept(const lam_run *run);
/* 1: training ends here. A fit of which nothing is done yet always has time for one iteration. */
int lam_limit_reached(const lam_run *run);
/* Seconds of training steps until the nearer limit, for a display; infinite without one. */
double lam_limit_training_left(const lam_run *run);
/* The clock at which an evaluation is to end, for lam_evaluation: 0 without a limit of the whole fit. */
double lam_limit_validation(const lam_run *run, int closing);
double lam_limit_test(const lam_run *run);

#endif
