/* One training step and one evaluation, in float or in double behind the same face. */
#ifndef LAM_TRAIN_TRAINER_H
#define LAM_TRAIN_TRAINER_H
#include "base/pool.h"
#include "flow/layout.h"
#include "penalty/penalty.h"
#include "train/evaluation.h"
#include "train/rows.h"
#include "train/state.h"

enum { LAM_STEP_EXTRAS = 2 + LAM_MAX_TERMS };

typedef struct lam_step_report {
    double loss, nll, tpr, grad_norm; /* of the batch, before the update; nats, standardised units */
    lam_counts counts;
    uint64_t epoch; /* of images, from 1 on; else 0 */
    double beta;    /* of images */
    size_t extras; /* further numbers for the metrics' line */
    struct {
        const char *name;
        double value;
    } extra[LAM_STEP_EXTRAS];
} lam_step_report;
/* Takes the penalties over: tpr, which every line has, and the others that have a coefficient as extras by their names. */
void lam_step_report_terms(lam_step_report *report, const lam_terms *terms);

typedef struct lam_trainer {
    void *self;
    /* Iteration state->iteration + 1 at this learning rate: updates params, moments and h_train; nothing on failure. */
    lam_status (*step)(void *self, lam_fit_state *state, double lr, lam_step_report *report);
    /* Iteration state->warm + 1 of flow matching: updates params and moments; nothing on failure. NULL where the configuration
     * refuses a warm start. */
    lam_status (*warm)(void *self, lam_fit_state *state, double lr, lam_step_report *report);
    /* Mean of -log p over a part or a sample of it, nats, standardised units. */
    lam_status (*evaluate)(void *self, const lam_evaluation *evaluation, lam_evaluated *out);
    /* Parameters to double and back. */
    void (*to_double)(const void *params, size_t n, double *out);
    void (*from_double)(const double *params, size_t n, void *out);
    void (*free)(void *self); /* takes NULL */
} lam_trainer;

/* What is handed in must outlive the trainer. comm: ranks that make the same calls, each for its share of every batch; NULL: none. */
lam_status lam_trainer_create_f32(const lam_config *cfg, const lam_layout *layout, const lam_parameter_map *map,
    const lam_flow_rows *rows, lam_pool *pool, const lam_comm *comm, lam_trainer *out);
lam_status lam_trainer_create_f64(const lam_config *cfg, const lam_layout *layout, const lam_parameter_map *map,
    const lam_flow_rows *rows, lam_pool *pool, const lam_comm *comm, lam_trainer *out);

#endif
