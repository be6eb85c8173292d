/* The report's tables as files. */
#ifndef LAM_EXPERIMENT_CSV_H
#define LAM_EXPERIMENT_CSV_H
#include "experiment/figures.h"

/* runs.csv (a line a run), summary.csv (a line a group: mean, standard error and number of every figure) and curves.csv (a line a
 * logged iteration or validation) in the experiment's folder, each atomically. What is not known is an empty cell. */
lam_status lam_csv_write(const lam_experiment *e, const lam_measurement *m);
/* "waiting", "begun", "failed", "finished" */
const char *lam_run_state_name(lam_run_state state);

#endif
