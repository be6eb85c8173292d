/* Penalties on the states of a block at its observation times. */
#ifndef LAM_PENALTY_OBSERVED_H
#define LAM_PENALTY_OBSERVED_H
#include "flow/engine.h"
#include "penalty/names.h"
#include "penalty/penalty.h"

enum { LAM_MAX_OBSERVED = 32 }; /* times */

/* What such a penalty makes of a block's observation times, for all tiles. */
typedef struct lam_observed_plan {
    size_t times;
    double matrix[LAM_MAX_OBSERVED * LAM_MAX_OBSERVED];
} lam_observed_plan;

/* The observed states of one tile, in time order from the block's start to its end. */
typedef struct lam_observed {
    const lam_kernels *kernels;
    size_t dim;
    const real *state[LAM_MAX_OBSERVED]; /* [times] of [dim + 1][TILE]: z, then l */
    real *scratch;                       /* [dim][TILE] */
} lam_observed;

/* Its file defines the record: LAM_OBSERVED(tpr) = { ... }, for both widths. value and cotangent are all that a penalty on the two ends of a
 * block needs, without settings of its own beside the coefficient. */
typedef struct lam_observed_penalty {
    int per_time;     /* 1: its value is a mean over the times too, not over the rows alone */
    void (*configure)(const lam_config *cfg, lam_penalty *penalty); /* takes its settings from there, when it is on; NULL: it has none */
    size_t (*times)(const lam_penalty *penalty); /* observed states that it wants, both ends of the block among them, at most LAM_MAX_OBSERVED; 0: it is
                                                  * off; NULL: both ends, where its coefficient is above 0 */
    int (*of_l)(const lam_penalty *penalty);     /* 1: its value depends on l; NULL: it does not */
    lam_status (*check)(const lam_penalty *penalty); /* NULL: nothing is to be checked */
    lam_status (*plan)(const lam_penalty *penalty, const double *times, lam_observed_plan *plan); /* plan->times is set; NULL: it has no matrix */
    /* sums [TILE] += the value of each row of the tile. */
    void (*value)(const lam_penalty *penalty, const lam_observed_plan *plan, const lam_observed *tile, real *sums);
    /* factor times the derivative of the value by state j, into (add 0) or onto (add 1) g [dim][TILE], and when it is of l into or onto
     * g_l [TILE] as well. */
    void (*cotangent)(const lam_penalty *penalty, const lam_observed_plan *plan, const lam_observed *tile, size_t j, double factor,
        int add, real *g, real *g_l);
} lam_observed_penalty;

#define LAM_OBSERVED_NAME(name) LAM_W(lam_##name##_penalty)
#define LAM_OBSERVED(name) const lam_observed_penalty LAM_OBSERVED_NAME(name)
#define LAM_OBSERVED_DECLARE(name, row, help) extern LAM_OBSERVED(name);
LAM_OBSERVED_LIST(LAM_OBSERVED_DECLARE)
#undef LAM_OBSERVED_DECLARE
extern const lam_observed_penalty *const lam_observed_penalties[LAM_OBSERVED_PENALTIES];
/* times and of_l of the i-th, or what they are where the record has none. */
size_t lam_observed_wanted(const lam_penalty *penalty, size_t i);
int lam_observed_of_l(const lam_penalty *penalty, size_t i);

/* For the loss (observed_w.c). What an engine observes a block, from 1, its end alone, on; checks what the penalties ask for. */
lam_status lam_observed_times(const lam_engine *engine, const lam_penalty *penalty, size_t *times);
/* Adds what they come to over the block in hand to the first LAM_OBSERVED_PENALTIES terms. */
lam_status lam_observed_values(lam_engine *engine, const lam_penalty *penalty, lam_terms *terms);
/* Their cotangents of the observed states of the block in hand, weighted, into the engine's g_out; *any 0: there are none. */
lam_status lam_observed_cotangents(lam_engine *engine, const lam_penalty *penalty, int *any);

#endif
