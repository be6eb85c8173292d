/* How a fit with a limit of time divides it: how long the start is, when a cosine's way down begins, and the numbers that repeat this (docs/method.md 8). */
#ifndef LAM_TRAIN_TURN_H
#define LAM_TRAIN_TURN_H
#include "train/run.h"

/* 1: the rates are the clock's choice. */
int lam_turn_is_by_clock(const lam_run *run);
/* Before the first iteration: where somebody has said how many flows there are, this one gets its part of a limit of time. */
void lam_turn_divide_asked(lam_run *run);
/* After an iteration, once the pace of training is known: of a limit of time that is long enough for several flows this one gets a part. */
void lam_turn_divide(lam_run *run);
/* After an iteration: the way down begins when its share of the time, or of the iterations, is reached. */
void lam_turn_in_time(lam_run *run);
/* The way down that a plateau has begun ends with the time that is left, at the pace so far. */
void lam_turn_bound(lam_run *run);
/* After an iteration of the start by flow matching, once its pace is known: where nobody has said how long it is, and it would take more than its
 * share of a limit of time, it gets fewer iterations, which config.yaml has; where somebody has, a line tells of a start that takes more than half. */
lam_status lam_turn_bound_start(lam_run *run);
/* Where the clock decides how many iterations there are, and a validation has been timed after the start: before the first one that is
 * due, val_freq is raised so far that validations take a small share of the time. */
lam_status lam_turn_space_validations(lam_run *run);
/* The way down that was set, by the clock or a plateau, becomes the configuration's own, which repeats it. */
lam_status lam_turn_record(lam_run *run);
/* So does the iteration at which time was over, where that is before the rate's own end. */
lam_status lam_turn_record_end(lam_run *run);

#endif
