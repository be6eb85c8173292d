/* How the learning rate moves and when training ends: a state machine fed with iterations and validation losses (method.md 8).
 *
 *   constant  the rate stands; training ends after cfg->iterations
 *   cuts      the rate is cut tenfold where validation has stopped improving, and training ends after the last cut
 *   cosine    after a warm-up of lr_warmup iterations the rate is lr (1 + cos(pi p)) / 2; the share p of the way goes evenly from 0 at
 *             iteration decay_from to 1 at the end. A limit of time holds p at 0 until the clock says that the rest of the time is
 *             needed for the way down. Where validation stops improving, the rest of the way is shortened. Both are a turn, which the state records
 */
#ifndef LAM_TRAIN_SCHEDULE_H
#define LAM_TRAIN_SCHEDULE_H
#include "base/config.h"

/* Why training is over before its iterations are done: validation has stopped improving; it went wrong, with no iteration left to mend it. */
enum { LAM_STOPPED_BY_VALIDATION = 1, LAM_STOPPED_BY_FAILURE };

typedef struct lam_schedule {
    double best;            /* NaN before the first validation */
    uint64_t waited;        /* validations since the best one or the last cut */
    uint64_t cuts, stopped; /* stopped: 0, or one of the reasons above */
    uint64_t turns;         /* cosine: how often the way down was set; 0: not yet */
    uint64_t turn_at, end;  /* p goes from turn_share at iteration turn_at to 1 at iteration end */
    double turn_share;
    uint64_t halvings;      /* times that training went wrong and the rate was halved */
    uint64_t worse_from;    /* iteration of the best validation, or of the last time that training went wrong, if that is later */
} lam_schedule;

void lam_schedule_init(lam_schedule *schedule);
/* Takes the loss of one validation, after iteration: 1 if it is the best so far, else 0. After cfg->early_stopping validations in a row
 * that were not, cuts cuts the rate tenfold and counts anew, and training stops at the next time after cfg->rate_cuts cuts; cosine
 * falls, once (lam_schedule_fall), in the second half of its iterations or under a limit of time, unless it is past cfg->decay_from. counting 0: one that is not the best does not count
 * (the warm-up of an auto-encoder). */
int lam_schedule_validated(lam_schedule *schedule, const lam_config *cfg, uint64_t iteration, double loss, int counting);
/* Of cosine under a limit of time: the way down begins after iteration and ends after so many more. */
void lam_schedule_turn(lam_schedule *schedule, const lam_config *cfg, uint64_t iteration, uint64_t more);
/* Of cosine, where validation has stopped improving: the rest of the way is shortened to a quarter of the iterations so far; where a limit of time
 * holds the rate, the way down begins, and takes as many iterations as were done. */
void lam_schedule_fall(lam_schedule *schedule, const lam_config *cfg, uint64_t iteration);
/* 1: cosine has a limit of time, and the way down has not begun. */
int lam_schedule_holds(const lam_schedule *schedule, const lam_config *cfg);
/* The rate of the iteration that follows `iteration` done ones. */
double lam_schedule_rate(const lam_schedule *schedule, const lam_config *cfg, uint64_t iteration);
/* That of a warm start, which has the same warm-up and stays at cfg->lr. */
double lam_schedule_warm_rate(const lam_schedule *schedule, const lam_config *cfg, uint64_t iteration);
/* 1: training ends after iteration. */
int lam_schedule_is_over(const lam_schedule *schedule, const lam_config *cfg, uint64_t iteration);

#endif
