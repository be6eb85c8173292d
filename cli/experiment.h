/* What experiment.c shares with experiment_jobs.c. */
#ifndef LAM_CLI_EXPERIMENT_H
#define LAM_CLI_EXPERIMENT_H
#include "cli.h"
#include <laminar/experiment.h>

/* The folder that nobody else works in as long as this process, or a run that it began, lives: *lock is a descriptor, for the whole
 * life of the process. CLI_OK, or CLI_FAILED with the message printed. */
int experiment_lock(const char *dir, int *lock);
/* 1 if somebody holds it. */
int experiment_is_locked(const char *dir);
/* Runs what is not finished, `jobs` at a time, each in a process of its own; writes the report into dir now and then, and names it. Rows are kept in
 * scratch ("none": in memory), or where that is NULL large tables' in dir, and text that one run has converted is not read again by the others.
 * CLI_OK; CLI_FAILED with the message printed, also if runs failed; 128 + the signal's number if one stopped it. */
int experiment_run(lam_experiment *experiment, const char *dir, const char *scratch, size_t jobs);
/* Says where the report is. */
void experiment_name_report(const char *dir);
/* Seconds that what is not finished takes, by what the finished and the budgets say; again: failed runs are tried again. NaN: not
 * known. */
double experiment_seconds_left(const lam_experiment *experiment, size_t jobs, int again);
/* How many runs are in each lam_run_state. */
void experiment_count(const lam_experiment *experiment, size_t counts[4]);

#endif
