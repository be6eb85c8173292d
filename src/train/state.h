/* Everything that changes while a model is fitted, and its checkpoint file. */
#ifndef LAM_TRAIN_STATE_H
#define LAM_TRAIN_STATE_H
#include "base/config.h"
#include "optim/optimizer.h"
#include "train/schedule.h"

/* Arrays of parameters are float or double, as the fit is. A fit that goes on from a state gives the same bits as one that was
 * never stopped there; seconds and metrics_bytes are the exceptions that do not matter. */
typedef struct lam_fit_state {
    size_t parameters, blocks, real_size; /* real_size: 4 or 8 */
    uint64_t iteration;                   /* done so far */
    uint64_t warm;                        /* and before these: of flow matching */
    uint64_t updates;                     /* since the optimiser's memory was empty */
    uint64_t setbacks;                    /* times that training went wrong and stepped back; */
    uint64_t overfits;                    /* of these, where the training rows were learned by heart */
    uint64_t validated, best_iteration;   /* iterations of the last and of the best validation */
    lam_schedule schedule;
    lam_counts counts, warm_counts;       /* of all training iterations; of flow matching, which has forward and backward alone */
    uint64_t metrics_bytes;               /* of metrics.jsonl, when the checkpoint was written */
    double seconds, train_seconds;        /* wall time until then: all, and of training steps alone */
    double start_nll;                     /* of the validation at iteration 0; NaN without one */
    double train_nll;                     /* of the last iteration's batch; NaN where there is none */
    double warm_seconds;                  /* wall time that was used up when the first iteration of training began */
    double train_cpu_seconds;             /* processor time of training steps, all threads; */
    double cpu_seconds;                   /* and of all */
    double penalty_log_scale;             /* log of the factor on the penalties' coefficients, with cfg's calls; else 0 */
    double limit_share;                   /* of the limits of time, what this flow has, the others the rest; 0: not known yet, and all of it */
    double best_val_se;                   /* of schedule.best, the standard error; NaN: not known */
    double best_base_scale;               /* of the base density, with cfg's calibrate; else 1 */
    double best_gaussian_nll, best_gaussian_se, best_gain_se; /* what its rows say of the Gaussian beside it (lam_evaluated), with cfg's calibrate */
    uint64_t best_val_rows;               /* and how many rows it is the mean of */
    void *params, *best;                  /* [parameters] current, best by validation */
    void *average;                        /* [parameters] moving average of params, with cfg's average; else NULL */
    size_t memories;
    lam_memory memory_of[LAM_MEMORIES];
    void *memory[LAM_MEMORIES];           /* [memories] the optimiser's, of memory_of's names and counts */
    double *h_train, *h_test;             /* [blocks] remembered steps of "warm" */
    double *best_h_train, *best_h_test;   /* [blocks] those of the best */
} lam_fit_state;

/* Zeroed arrays, nothing done yet, for cfg's optimiser and precision. */
lam_status lam_fit_state_create(lam_fit_state *state, const lam_config *cfg, const lam_parameter_map *map, size_t parameters,
    size_t blocks);
void lam_fit_state_clear(lam_fit_state *state);
/* The optimiser has seen nothing. */
void lam_fit_state_forget(lam_fit_state *state);
/* Iterations so far, of flow matching too. */
uint64_t lam_fit_state_done(const lam_fit_state *state);
/* 1: something was validated, so that the best is known. */
int lam_fit_state_has_best(const lam_fit_state *state);
/* params [parameters] (the current ones or their average) become the best ones. */
void lam_fit_state_keep_best(lam_fit_state *state, const void *params);
/* Nothing is validated: the current parameters are what a setback leads back to. */
void lam_fit_state_mark(lam_fit_state *state);
/* Takes the current parameters into the average: average = d average + (1 - d) params, d = min(0.999, (1 + n) / (10 + n)) at the n-th
 * update since the optimiser's memory was empty. Nothing without an average. */
void lam_fit_state_average(lam_fit_state *state);
/* The best parameters, with the steps remembered there, become the current ones again. The optimiser's memory stays. */
void lam_fit_state_restore_best(lam_fit_state *state);

/* Writes state, cfg and the data's hash to a safetensors file, atomically. */
lam_status lam_checkpoint_write(const char *path, const lam_fit_state *state, const lam_config *cfg, const char *data_hash);
/* Takes what cfg leaves open ("auto"; decay-from and val-rows 0, which a limit of time chooses) from the configuration that a checkpoint was
 * written with. */
lam_status lam_checkpoint_settle(const char *path, lam_config *cfg);
/* Reads it into a state created for cfg. LAM_ERR_ARGUMENT or LAM_ERR_DATA, naming what differs, for a checkpoint of another
 * configuration (what does not change a result may differ; iterations may be more) or of other data. state is of no use
 * after a failure. */
lam_status lam_checkpoint_read(const char *path, lam_fit_state *state, const lam_config *cfg, const char *data_hash);

#endif
