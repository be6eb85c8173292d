/* Everything that changes while a model is fitted, and its checkpoint file. */
#ifndef LAM_TRAIN_STATE_H
#define LAM_TRAIN_STATE_H
#include "laminar.h"
#include "train/schedule.h"

/* Arrays of parameters are float or double, as the fit is. A fit that goes on from a state gives the same bits as one that was
 * never stopped there; seconds and metrics_bytes are the exceptions that do not matter. */
typedef struct lam_fit_state {
    size_t parameters, blocks, real_size; /* real_size: 4 or 8 */
    uint64_t iteration;                   /* done so far */
    uint64_t warm;                        /* and before these: of flow matching */
    uint64_t validated, best_iteration;   /* iterations of the last and of the best validation */
    lam_schedule schedule;
    lam_counts counts, warm_counts;       /* of all training iterations; of flow matching, which has forward and backward alone */
    uint64_t metrics_bytes;               /* of metrics.jsonl, when the checkpoint was written */
    double seconds, train_seconds;        /* wall time until then: all, and of training steps alone */
    double train_cpu_seconds;             /* processor time of training steps, all threads; */
    double cpu_seconds;                   /* and of all */
    uint64_t valid_rows;                  /* that validations take, once a limit of time has decided it; 0: all */
    double best_val_se;                   /* of schedule.best, the standard error; NaN: not known */
    uint64_t best_val_rows;               /* and how many rows it is the mean of */
    void *params, *first, *second, *best; /* [parameters] current, the optimiser's memory, best by validation */
    double *h_train, *h_test;             /* [blocks] remembered steps of "warm" */
    double *best_h_train, *best_h_test;   /* [blocks] those of the best */
} lam_fit_state;

/* Zeroed arrays, nothing done yet. */
lam_status lam_fit_state_create(lam_fit_state *state, size_t parameters, size_t blocks, lam_precision precision);
void lam_fit_state_clear(lam_fit_state *state);
/* Iterations so far, of flow matching too. */
uint64_t lam_fit_state_done(const lam_fit_state *state);
/* 1: something was validated, so that the best is known. */
int lam_fit_state_has_best(const lam_fit_state *state);
/* The current parameters become the best ones. */
void lam_fit_state_keep_best(lam_fit_state *state);
/* The best parameters, with the steps remembered there, become the current ones again. The optimiser's memory stays. */
void lam_fit_state_restore_best(lam_fit_state *state);

/* Writes state, cfg and the data's hash to a safetensors file, whole or not at all. */
lam_status lam_checkpoint_write(const char *path, const lam_fit_state *state, const lam_config *cfg, const char *data_hash);
/* Reads it into a state created for cfg. LAM_ERR_ARGUMENT or LAM_ERR_DATA, naming what differs, for a checkpoint of another
 * configuration (what does not change a result may differ; iterations may be more) or of other data. state is of no use
 * after a failure. */
lam_status lam_checkpoint_read(const char *path, lam_fit_state *state, const lam_config *cfg, const char *data_hash);

#endif
