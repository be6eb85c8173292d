/* A fit under way, shared by fit.c (the loop) and run.c (its files, its lines). */
#ifndef LAM_TRAIN_RUN_H
#define LAM_TRAIN_RUN_H
#include "model/model.h"
#include "train/metrics.h"
#include "train/folder.h"
#include "train/trainer.h"

typedef struct lam_run {
    const lam_config *cfg;
    const lam_dataset *data;
    const lam_fit_options *options;
    lam_run_folder folder;
    lam_metrics metrics;
    lam_pool *pool;
    lam_model *model;
    lam_trainer trainer;
    lam_fit_state state;
    uint64_t first_iteration; /* done when this process took over */
    uint64_t saved;           /* iteration of the last checkpoint; UINT64_MAX: none in this process */
    double started, saved_at; /* clock: start of the run, as if it had never been interrupted; of the last checkpoint */
    double seconds_before;    /* that the run took before this process */
    double best_val_nll, val_nll;   /* val_nll: of the last validation; NaN before it */
    lam_counts val_counts;
} lam_run;

/* Seconds on a clock that never goes back. */
double lam_run_clock(void);
/* Processor seconds of this process, all threads. */
double lam_run_cpu_clock(void);
/* Everything made, the checkpoint read if there is one to go on with, the folder ready. The caller closes after failures too. */
lam_status lam_run_open(lam_run *run, const lam_config *cfg, const lam_dataset *data, const lam_fit_options *options);
void lam_run_close(lam_run *run);

/* The state as it is now goes to the checkpoint. */
lam_status lam_run_save_state(lam_run *run);
/* The best parameters (the current ones where nothing was validated) go to run->model, and to its file. */
lam_status lam_run_save_model(lam_run *run);

lam_status lam_run_log_step(lam_run *run, const lam_step_report *report, double lr);
lam_status lam_run_log_validation(lam_run *run, double lr);
lam_status lam_run_log_summary(lam_run *run, const lam_fit_result *result);

#endif
