/* The runs under way, as the files of `laminar experiment` share them. */
#ifndef LAM_CLI_EXPERIMENT_JOBS_H
#define LAM_CLI_EXPERIMENT_JOBS_H
#include "experiment.h"
#include <signal.h>
#include <sys/types.h>

/* What a run's process tells this one, in memory that both see. */
typedef struct job_slot {
    double done, left; /* seconds */
    int code;          /* of the library; read when the process has ended */
    char message[2048], data_hash[33];
    char warnings[2048]; /* a line each */
    char kept[3][4096];  /* lam_table.kept of its files */
} job_slot;

typedef struct job {
    pid_t pid;  /* 0: none under way */
    size_t run; /* its index */
    double load, load_seconds; /* sum of load times seconds */
    job_slot *slot;
} job;

typedef struct work {
    lam_experiment *experiment;
    const char *dir;
    const char *scratch; /* where rows are kept; "none": in memory; NULL: in dir, where they are many */
    job *jobs; /* [n_jobs] */
    size_t n_jobs;
    char *tried; /* [runs] 1: begun by this process */
    size_t runs, finished; /* finished: so far told of */
    char machine[256];
    double reported, shown, sampled; /* cli_clock of the last report, line and sample of the load */
    int broken; /* 1: no further runs are begun */
} work;

/* The forked process of a run, which does not come back; parent: the process that forked it, signals: the mask that it had (experiment_run.c). */
void experiment_be_run(const work *w, size_t index, job_slot *slot, const sigset_t *signals, pid_t parent);
/* A line of progress, where it is time for one; and the machine's load, added to that of every run under way (experiment_progress.c). */
void experiment_show(work *w);
void experiment_sample_load(work *w);

#endif
