/* The coefficient of the penalties as a dual variable: with cfg's `calls` above 0 it follows the evaluations of f that a solve takes, up
 * while there are more than asked for and the penalties are within their price, down otherwise (method.md 10). */
#ifndef LAM_TRAIN_CALLS_H
#define LAM_TRAIN_CALLS_H
#include "train/run.h"

/* The log of the factor after an iteration that took so many calls, with `asked` evaluations a solve wanted. spent: of what the penalties may add
 * to the loss, the share that they do add; above 1 the factor falls. */
double lam_calls_moved(double asked, const lam_counts *counts, double spent, double log_scale);
/* The run's factor after an iteration; the user is told, once a process, when it comes to its upper bound. Nothing where cfg sets no goal. */
void lam_calls_follow(lam_run *run, const lam_step_report *report);
/* At the end: what calls asks for was not reached, as it would have cost too much. */
void lam_calls_say_missed(const lam_run *run);

#endif
