/* What a fit is a fit of: the loop, its files and its lines (loop.h, run.h) know nothing else of densities or of images. */
#ifndef LAM_TRAIN_TARGET_H
#define LAM_TRAIN_TARGET_H
#include "train/trainer.h"

typedef struct lam_target {
    void *self;
    const char *data_hash;
    lam_config *model_config; /* of the model that save writes: gets what the clock chose */
    const lam_parameter_map *map; /* of the trained parameters, for the optimiser */
    size_t parameters, blocks; /* of the state: all parameters, blocks of the flow */
    const char *folder;        /* for what grows with the number of rows (base/room.h); NULL: memory */
    size_t valid_rows, test_rows; /* that the trainer can evaluate */
    size_t train_rows;         /* of a density */
    double log_det;            /* of the standardiser, nats: what the result says */
    uint64_t patient_until;    /* validations up to this iteration are not counted as failed ones */
    size_t more;               /* flows that follow, so that the run is not finished with this fit; a limit of time may have no room for them */
    int restores_best;         /* 1: a cut of the rate brings the best parameters back */
    lam_trainer trainer;
    /* Starting values, params [parameters] in the fit's width. */
    void (*initial)(void *self, void *params);
    /* The best parameters (the current ones where nothing was validated) become the model's, which goes to path unless that is
     * NULL. */
    lam_status (*save)(void *self, const lam_fit_state *state, const char *path);
    /* The state's best parameters become those of a flow that does nothing, with the steps that it takes; trainer may become another. NULL: there
     * is no such choice. */
    lam_status (*still)(void *self, lam_fit_state *state);
    /* After the test of a fit that went to its end, in this state: what else its result is to hold. Until: 0, or the clock at which it is to be done;
     * each [result->test_rows]: the NLLs of the test rows, in the order of lam_evaluation. NULL: nothing. */
    lam_status (*finish)(void *self, const lam_fit_state *state, double until, const double *each, lam_fit_result *result);
} lam_target;

#endif
