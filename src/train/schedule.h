/* When the learning rate is cut and when training ends: a state machine fed with validation losses (method.md 8). */
#ifndef LAM_TRAIN_SCHEDULE_H
#define LAM_TRAIN_SCHEDULE_H
#include "laminar.h"

typedef struct lam_schedule {
    double best;            /* NaN before the first validation */
    uint64_t waited;        /* validations since the best one or the last cut */
    uint64_t cuts, stopped; /* stopped 1: training is over */
} lam_schedule;

void lam_schedule_init(lam_schedule *schedule);
/* Takes the loss of one validation: 1 if it is the best so far, else 0. After cfg->early_stopping validations in a row that were
 * not, the rate is cut tenfold and the count starts again; at the next time after cfg->rate_cuts cuts training stops.
 * counting 0: one that is not the best does not count (the warm-up of an auto-encoder). */
int lam_schedule_validated(lam_schedule *schedule, const lam_config *cfg, double loss, int counting);
/* cfg->lr, tenfold smaller for every cut. */
double lam_schedule_rate(const lam_schedule *schedule, const lam_config *cfg);

#endif
