/* Grids of fits: a plan, how far each of its runs is, and the report; and the record that every fit leaves in its folder. */
#ifndef LAMINAR_EXPERIMENT_H
#define LAMINAR_EXPERIMENT_H
#include <laminar.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the record of a fit ------------------------------------------------------------------------------------------ */

/* One line of metrics.jsonl; values that it does not have are NaN. */
typedef struct lam_history_point {
    double iteration;
    double nll;          /* nats, standardised units: of the batch, or val_nll */
    double best_val_nll; /* of a validation */
    double forward, backward, accepted, rejected; /* of that iteration, or of the validation */
    double penalty_scale; /* factor on the penalties' coefficients, in a fit with the parameter calls; else NaN */
    double calls;        /* forward + backward of all iterations up to here, with the warm start (in old files without this number,
                          * iterations that are not logged count as the next logged one) */
    double seconds, train_seconds, train_cpu_seconds; /* as in lam_fit_result */
} lam_history_point;

/* The contents of metrics.jsonl. The figures after the lines come from its summary; for a run without one (finished 0), from its last lines as
 * far as these have them. What is not known is NaN. */
typedef struct lam_history {
    lam_history_point *train, *validation; /* [n_train], [n_validations] */
    size_t n_train, n_validations;
    int has_summary; /* 1: the run ended or was stopped, and has not gone on since */
    int finished;    /* 1: it ended as it should */
    double iterations, best_iteration, best_val_nll, test_nll, gaussian_test_nll, mixture_test_nll, mixture_components, log_det;
    double best_val_nll_se, test_nll_se, gaussian_test_nll_se; /* standard errors; NaN: not known */
    double train_forward, train_backward, train_accepted, train_rejected, test_forward, test_solves;
    double warm_start_forward, warm_start_backward; /* 0 without a warm start. Seconds are with it, calls of training without */
    double seconds, train_seconds, train_cpu_seconds;
} lam_history;

/* Reads run_dir/metrics.jsonl, ignoring lines of other types and an incomplete last line. Free with lam_history_free. */
LAM_API lam_status lam_history_read(const char *run_dir, lam_history *out);
LAM_API void lam_history_free(lam_history *history); /* frees what is in it, not the struct; a zeroed one is allowed */

/* ---- experiments -------------------------------------------------------------------------------------------------- */

/* A grid of fits over data, penalties, coefficients, tolerances and seeds, described by a plan file (docs/data.md): which runs there are, how
 * far each has come, and the report. The caller runs them: each is a lam_fit into its own folder with resume set, and everything that is
 * known of a run is in that folder. Only one thread may use an experiment at a time. */
typedef struct lam_experiment lam_experiment;

typedef enum lam_run_state { LAM_RUN_WAITING, LAM_RUN_BEGUN, LAM_RUN_FAILED, LAM_RUN_FINISHED } lam_run_state;

typedef struct lam_experiment_run {
    const char *name;                /* "power_month, TPR, tolerance 1e-4, seed 1" */
    const char *folder;              /* its own, the experiment's before it */
    const char *data, *valid, *test; /* for lam_table_read; valid and test NULL: split off data */
    int choosing;                    /* 1: of the stage that chooses coefficients, which has a budget of its own */
    const lam_config *config;        /* NULL: its coefficient is not chosen yet */
    lam_run_state state;
    const char *message;             /* of a failed one: why; else "" */
    double iterations, test_nll, best_val_nll;         /* as far as it is; NaN: not known */
    double test_nll_se, best_val_nll_se;               /* standard errors of these, likewise */
    double seconds, train_seconds, train_cpu_seconds;  /* as in lam_fit_result */
} lam_experiment_run;

/* Reads a plan whose runs are in folders below dir, which need not be there. Nothing is written. Mistakes: file, line and column. */
LAM_API lam_status lam_experiment_open(const char *plan_path, const char *dir, lam_experiment **out);
LAM_API void lam_experiment_free(lam_experiment *experiment);
LAM_API const char *lam_experiment_title(const lam_experiment *experiment);
/* The run at index, in the order in which they should be run; NULL past the end. Owned by the experiment and valid until the next call. */
LAM_API const lam_experiment_run *lam_experiment_run_at(const lam_experiment *experiment, size_t index);
/* Reads from the folders how far each run has come, and chooses coefficients whose runs are finished. LAM_ERR_ARGUMENT: a run was made with
 * other settings than the plan's. */
LAM_API lam_status lam_experiment_refresh(lam_experiment *experiment);

/* What the caller knows of a run and its folder does not say: kept there as state.json. */
typedef struct lam_run_note {
    lam_run_state state;  /* LAM_RUN_BEGUN, LAM_RUN_FAILED or LAM_RUN_FINISHED, which its metrics.jsonl has to say as well */
    const char *message;  /* why it failed; may be NULL */
    const char *machine;  /* on which it runs, one line; may be NULL */
    const char *data_hash; /* lam_dataset_hash of its data; NULL: what is noted already stays */
    const char *warnings;  /* what was logged, a line each; NULL: what is noted already stays */
    double load, seconds; /* mean load of the machine over these seconds, to be averaged with what stands there already; 0, 0: none */
} lam_run_note;
LAM_API lam_status lam_experiment_note(lam_experiment *experiment, size_t index, const lam_run_note *note);
/* LAM_ERR_DATA: a finished run of the same data and columns is noted with another hash, so that the two could not be compared. As
 * far as the last refresh knows. */
LAM_API lam_status lam_experiment_check_data(const lam_experiment *experiment, size_t index, const char *data_hash);

/* Writes report.html, runs.csv, summary.csv, curves.csv and figures/ (SVG and PNG, in a build with cairo) to the experiment's
 * folder, of all that has run so far. working 1: somebody is at work on it, so what is begun is under way. Refreshes first. */
LAM_API lam_status lam_experiment_report(lam_experiment *experiment, int working);

#ifdef __cplusplus
}
#endif
#endif
