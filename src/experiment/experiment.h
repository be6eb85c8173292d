/* The inside of an experiment: its plan, its runs, what was chosen. */
#ifndef LAM_EXPERIMENT_EXPERIMENT_H
#define LAM_EXPERIMENT_EXPERIMENT_H
#include "experiment/plan.h"
#include "laminar/experiment.h"
#include "model/config.h"

#define LAM_NO_VALUE SIZE_MAX

typedef struct lam_grid_run {
    lam_experiment_run shown;
    size_t data, penalty, value, tolerance, seed; /* indices into the plan; value: of the penalty's coefficient, or LAM_NO_VALUE */
    int choosing;                                 /* 1: of the stage that chooses coefficients */
    lam_config config;                            /* if configured is 1; shown.config points to it then */
    int configured;
    char *name, *folder, *paths[3], *message, *machine, *data_hash, *warnings;
    double load, load_seconds;
} lam_grid_run;

struct lam_experiment {
    char *plan_path, *plan_text, *dir;
    lam_plan plan;
    char **config_paths;          /* [plan.n_data], NULL: none */
    lam_plan_words tolerances, seeds; /* the plan's, or what stands for them; not owned */
    lam_plan_word usual[2];
    char usual_text[2][8];
    lam_grid_run *runs;
    size_t n_runs;
    size_t *chosen; /* [plan.n_penalties] index of a value; LAM_NO_VALUE: nothing to choose, or not chosen yet */
};

/* 1 if the penalty's coefficient is one of several and the plan has them chosen first. */
int lam_experiment_chooses(const lam_experiment *e, size_t penalty);
/* The run's tolerance and seed, as the plan says them. */
const lam_plan_word *lam_experiment_tolerance(const lam_experiment *e, const lam_grid_run *run);
const lam_plan_word *lam_experiment_seed(const lam_experiment *e, const lam_grid_run *run);
/* Of a run of the grid, or of the stage that chooses. */
const lam_budget *lam_experiment_budget(const lam_experiment *e, int choosing);
/* The run's configuration with that value of its coefficient, LAM_NO_VALUE: as it is. cfg is initialised here. */
lam_status lam_experiment_configure(const lam_experiment *e, const lam_grid_run *run, size_t value, lam_config *cfg);
/* A number as people write it: "0.5", "1e-4". */
void lam_short_number(double value, char text[32]);

#endif
