/* A fit under way, shared by loop.c and run.c (its files, its lines). */
#ifndef LAM_TRAIN_RUN_H
#define LAM_TRAIN_RUN_H
#include "train/metrics.h"
#include "train/folder.h"
#include "train/target.h"

typedef struct lam_run {
    lam_config *cfg; /* what the clock chooses is put there */
    const lam_target *target;
    const lam_fit_options *options;
    lam_run_folder folder;
    lam_metrics metrics;
    lam_fit_state state;
    double now, cpu_now;      /* rank 0's clocks at the last lam_run_agree: what is decided by time is decided by these */
    lam_status line;          /* LAM_OK, or of a line that could not be written and that the other ranks do not know of yet */
    uint64_t first;           /* iterations, of flow matching or else of training, done when this process began with them */
    double first_at;          /* clock: then, */
    double first_used;        /* and what was used up of the limit of time */
    uint64_t pace_from;       /* iteration from which the pace of training is measured that a limit of time plans with, */
    double pace_from_used;    /* and the time that was used up then */
    int spaced;               /* 1: val_freq has been looked at under a limit of time */
    int start_is_bound;       /* 1: so has the length of the start by flow matching */
    double calls_spent;       /* of what penalties may add to the loss, what they did add in the last iteration (calls.h); 0: no bound */
    int bound_is_told;        /* 1: so is the user that the penalties' coefficients are at their bound (calls.h) */
    uint64_t saved;           /* iterations of both done at the last checkpoint; UINT64_MAX: none in this process */
    double started, saved_at; /* clock: start of the run, as if it had never been interrupted; end of the last checkpoint */
    double cpu_started;       /* the same of the processor's clock */
    double save_seconds;      /* that the last checkpoint took */
    double best_val_nll;
    int gaussian;             /* 1: the model is the Gaussian that rows are whitened by */
    lam_evaluated validation; /* the last one; NaN before it */
    size_t asked;             /* iterations that were asked for when this process began; LAM_UNENDING: as many as there is time for */
} lam_run;

/* A run that goes on takes what cfg leaves open from its checkpoint. Before cfg is resolved. */
lam_status lam_run_settle(const lam_fit_options *options, lam_config *cfg);
/* The state made, the checkpoint read if there is one to go on with, the folder ready. The caller closes after failures too. */
lam_status lam_run_open(lam_run *run, lam_config *cfg, const lam_target *target, const lam_fit_options *options);
void lam_run_close(lam_run *run);

/* Rank 0 tells the others the time, and whether *stop (NULL: nobody asks); a line that failed is everybody's failure from here on. By
 * itself a process looks at the clocks. */
lam_status lam_run_agree(lam_run *run, int *stop);

/* LAM_ERR_ARGUMENT unless all ranks have the same data, configuration, instruction set and state; LAM_ERR_DIVERGED: other parameters. */
lam_status lam_run_compare(const lam_run *run);
lam_status lam_run_compare_parameters(const lam_run *run);

/* The rate of the iteration to come, of flow matching as long as that is under way; the iteration after which training ends as far as is known. */
double lam_run_rate(const lam_run *run);
uint64_t lam_run_last(const lam_run *run);
/* Tells the caller's progress, and the ranks what time it is. LAM_ERR_INTERRUPTED: stop, on every rank. */
lam_status lam_run_tell(lam_run *run, const lam_step_report *step, int is_validation);

/* The state as it is now goes to the checkpoint. Rank 0 writes this and all other files, and its failures are everybody's. LAM_ERR_DIVERGED where ranks have
 * other parameters than rank 0. */
lam_status lam_run_save_state(lam_run *run);
/* config.yaml anew, after a choice of the clock. */
lam_status lam_run_save_config(const lam_run *run);
/* The target's model, and its file: with the numbers that the clock chose in place of the limit of time, once it has. */
lam_status lam_run_save_model(lam_run *run);

/* Iteration state.warm of flow matching. */
lam_status lam_run_log_warm(lam_run *run, const lam_step_report *report, double lr);
/* What a fit goes by: the caller's options, or those of none, and on other ranks than 0, which alone talks, without what they would tell. */
lam_fit_options lam_run_options(const lam_fit_options *options);
lam_status lam_run_log_step(lam_run *run, const lam_step_report *report, double lr);
/* Training went wrong and goes on from the best parameters at the rate lr. */
lam_status lam_run_log_setback(lam_run *run, double lr);
lam_status lam_run_log_validation(lam_run *run, double lr);
lam_status lam_run_log_summary(lam_run *run, const lam_fit_result *result);
/* The same line, not yet ended, into a file that no run has open. */
void lam_summary_put(lam_metrics *metrics, const lam_config *cfg, const lam_fit_result *result);

#endif
