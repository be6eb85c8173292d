/* What is measured of a run, and over the seeds of what is compared. */
#ifndef LAM_EXPERIMENT_FIGURES_H
#define LAM_EXPERIMENT_FIGURES_H
#include "experiment/experiment.h"

/* name in the CSV files, meaning. "Paired" figures compare with the baseline's run of the same data, tolerance and seed. */
#define LAM_FIGURE_LIST(X) \
    X(ITERATIONS, "iterations", "run in all") \
    X(BEST_ITERATION, "best_iteration", "of the best validation") \
    X(BEST_VAL_NLL, "best_val_nll", "nats per row, standardised units") \
    X(TEST_NLL, "test_nll", "nats per row, standardised units, exact trace") \
    X(GAUSSIAN_TEST_NLL, "gaussian_test_nll", "of a full-covariance Gaussian") \
    X(MIXTURE_TEST_NLL, "mixture_test_nll", "of a mixture of full-covariance Gaussians") \
    X(LOG_DET, "log_det", "NLL in data units is NLL - log_det") \
    X(FORWARD, "forward", "evaluations of f per iteration, all blocks, last fifth of the run") \
    X(BACKWARD, "backward", "vector-Jacobian products, likewise") \
    X(STEPS, "steps", "accepted steps a solve of one block, likewise") \
    X(REJECTED, "rejected", "rejected steps, likewise") \
    X(TRAIN_FORWARD, "train_forward", "evaluations of f in training, in all, with the warm start") \
    X(TRAIN_BACKWARD, "train_backward", "vector-Jacobian products in training, in all, with the warm start") \
    X(TEST_CALLS, "test_calls", "evaluations of f that score a batch at the test tolerance, all blocks") \
    X(TRAIN_SECONDS, "train_seconds", "wall seconds of training steps") \
    X(TRAIN_CPU_SECONDS, "train_cpu_seconds", "processor seconds of training steps") \
    X(SECONDS, "seconds", "wall seconds, validation, test and saving included") \
    X(REACH_ITERATION, "reach_iteration", "first validation not above the baseline's best") \
    X(REACH_CALLS, "reach_calls", "calls forward and backward until then") \
    X(REACH_SECONDS, "reach_seconds", "wall seconds of training until then") \
    X(REACH_CPU_SECONDS, "reach_cpu_seconds", "processor seconds of training until then") \
    X(NLL_DIFFERENCE, "nll_difference", "paired: test NLL minus the baseline's") \
    X(CALLS_RATIO, "calls_ratio", "paired: calls forward and backward an iteration, last fifth, over the baseline's") \
    X(TOTAL_CALLS_RATIO, "total_calls_ratio", "paired: calls forward and backward in all") \
    X(CPU_SECONDS_RATIO, "cpu_seconds_ratio", "paired: processor seconds of training") \
    X(REACH_CALLS_RATIO, "reach_calls_ratio", "paired: reach_calls") \
    X(REACH_SECONDS_RATIO, "reach_seconds_ratio", "paired: reach_seconds") \
    X(REACH_CPU_SECONDS_RATIO, "reach_cpu_seconds_ratio", "paired: reach_cpu_seconds")

typedef enum lam_figure {
#define LAM_FIGURE_ENUM(id, name, text) LAM_FIGURE_##id,
    LAM_FIGURE_LIST(LAM_FIGURE_ENUM)
#undef LAM_FIGURE_ENUM
    LAM_FIGURES
} lam_figure;
const char *lam_figure_name(lam_figure figure);

/* One run with what its files hold. */
typedef struct lam_measured {
    lam_history history;
    double value[LAM_FIGURES]; /* NaN: not known */
} lam_measured;

/* Runs that differ in the seed alone, finished ones. */
typedef struct lam_group {
    size_t data, tolerance, penalty, value;
    size_t *runs; /* [n] indices of finished runs, in the order of seeds */
    size_t n, planned, failed; /* planned: with those that are not finished */
    double mean[LAM_FIGURES], se[LAM_FIGURES]; /* over the runs that have the figure; se: NaN for fewer than two */
    size_t count[LAM_FIGURES];
} lam_group;

typedef struct lam_measurement {
    lam_measured *runs; /* [experiment's n_runs]; zeros for runs that are waiting */
    lam_group *groups;  /* [n_groups] by data, tolerance, penalty, value */
    size_t n_runs, n_groups;
} lam_measurement;

/* Of everything that has run so far, e refreshed. Free with lam_measurement_clear. */
lam_status lam_measure_experiment(const lam_experiment *e, lam_measurement *out);
void lam_measurement_clear(lam_measurement *m); /* takes a zeroed one */
/* How many groups from the one at `first` on are of its data and tolerance. */
size_t lam_measurement_block(const lam_measurement *m, size_t first);
/* "TPR", "RNODE 0.1": the penalty, and its coefficient where it has one of several. */
void lam_group_label(const lam_experiment *e, const lam_group *group, char label[128]);
double lam_plan_number(const lam_plan_word *word);

#endif
