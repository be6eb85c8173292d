/* The same fit on several ranks, which are threads here: what each is asked, what it came to, and that all came to the same. Include after
 * cmocka.h. */
#ifndef LAM_TESTS_RANK_FITS_H
#define LAM_TESTS_RANK_FITS_H
#include "ranks.h" /* before what has globals of its parameters' names */
#include "fitting.h"

typedef struct job {
    lam_config cfg;
    char folder[512];
    int resume;
    size_t stop_at; /* iteration; 0: none */
    size_t told;    /* calls of progress */
    lam_status status;
    char error[600];
    lam_fit_result result;
    void *model; /* lam_model or lam_vae */
} job;

static team ours;
static job jobs[MOST_RANKS];

static inline int note(void *user, const lam_progress *p)
{
    job *j = user;
    j->told++;
    return j->stop_at > 0 && p->iteration >= j->stop_at;
}

static inline job job_of(const char *run, int resume, size_t stop_at)
{
    job j = { .resume = resume, .stop_at = stop_at };
    snprintf(j.folder, sizeof j.folder, "%s", scratch_path(run));
    return j;
}

static inline lam_fit_options options_of(job *j, const lam_comm *comm)
{
    return (lam_fit_options) { .run_dir = j->folder, .resume = j->resume, .progress = note, .user = j, .comm = comm };
}

static inline void end_job(job *j, lam_status status)
{
    j->status = status;
    snprintf(j->error, sizeof j->error, "%s", status == LAM_OK ? "" : lam_last_error());
}

/* The first `size` jobs, a rank each (one alone without ranks), by one_fit; their models are freed. */
static inline void run_jobs(size_t size, void (*one_fit)(void *job, const lam_comm *comm), void (*free_model)(void *model))
{
    if (size == 1)
        one_fit(&jobs[0], NULL);
    else
        team_run(&ours, size, one_fit, jobs, sizeof *jobs);
    for (size_t k = 0; k < size; k++) {
        assert_int_equal(jobs[k].status, jobs[0].status);
        assert_string_equal(jobs[k].error, jobs[0].error);
        assert_memory_equal(&jobs[k].result, &jobs[0].result, sizeof jobs[0].result);
        assert_int_equal(jobs[k].told > 0, k == 0);
        free_model(jobs[k].model);
        lam_config_clear(&jobs[k].cfg);
    }
}

#endif
