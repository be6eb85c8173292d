/* One run of an experiment, in a process of its own: it fits into its folder and ends. */
#include "experiment_jobs.h"
#include "fit.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static int tell(void *user, const lam_progress *progress)
{
    job_slot *slot = user;
    slot->done = progress->seconds;
    slot->left = progress->seconds_left;
    return fit_signal() != 0;
}

static int is_to_stop(void *user, lam_part part, size_t done, size_t rows)
{
    (void)user, (void)part, (void)done, (void)rows;
    return fit_signal() != 0;
}

/* Warnings, notes and whatever a library prints go to a file in the run's folder. */
static void redirect(const char *folder)
{
    char *path = cli_path_join(folder, "fit.log");
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0666), nothing = open("/dev/null", O_RDONLY);
    free(path);
    if (fd >= 0) {
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
    }
    if (nothing >= 0)
        dup2(nothing, STDIN_FILENO);
}

/* Into fit.log, and kept for the report. */
static void keep_warning(void *user, const char *line)
{
    job_slot *slot = user;
    size_t n = strlen(slot->warnings);
    snprintf(slot->warnings + n, sizeof slot->warnings - n, "%s%s", n > 0 ? "\n" : "", line);
    cli_log(NULL, line);
}

/* The same of what the reader has to say of a file. */
static void keep_notes(job_slot *slot, const char *path, const lam_table *table)
{
    for (const char *line = table->notes; line != NULL;) {
        size_t n = strcspn(line, "\n");
        char *note = cli_format("%s: %.*s", path, (int)n, line);
        keep_warning(slot, note);
        free(note);
        line = line[n] != '\0' ? line + n + 1 : NULL;
    }
}

static lam_status read_tables(const work *w, const lam_experiment_run *run, const lam_config *cfg, job_slot *slot, lam_table *tables[3])
{
    const char *const paths[3] = {run->data, run->valid, run->test};
    lam_rows_place place;
    (void)cli_place(w->scratch, w->dir, &place); /* the flag has been looked at */
    place.keep = 1;
    for (size_t i = 0; i < 3; i++) {
        if (paths[i] == NULL)
            continue;
        lam_status status = lam_table_map_rows(cfg, paths[i], tables[0], &place, &tables[i]);
        if (status != LAM_OK)
            return status;
        keep_notes(slot, paths[i], tables[i]);
        if (tables[i]->kept != NULL && strlen(tables[i]->kept) < sizeof slot->kept[i])
            strcpy(slot->kept[i], tables[i]->kept);
    }
    return LAM_OK;
}

static lam_status fit_run_of(const work *w, size_t index, job_slot *slot)
{
    const lam_experiment *experiment = w->experiment;
    const lam_experiment_run *run = lam_experiment_run_at(experiment, index);
    lam_config *cfg = cli_config_create();
    lam_table *tables[3] = {0};
    lam_dataset *data = NULL;
    lam_model *model = NULL;
    lam_log log = {keep_warning, slot};
    lam_status status = lam_config_copy(cfg, run->config);
    if (status == LAM_OK && cli_isa() != NULL)
        status = lam_config_set(cfg, "isa", cli_isa());
    if (status == LAM_OK)
        status = read_tables(w, run, cfg, slot, tables);
    if (status == LAM_OK)
        status = lam_dataset_build(cfg, tables[0], tables[1], tables[2], &log, &data);
    for (size_t i = 0; i < 3; i++)
        lam_table_free(tables[i]);
    if (status == LAM_OK) {
        snprintf(slot->data_hash, sizeof slot->data_hash, "%s", lam_dataset_hash(data));
        status = lam_experiment_check_data(experiment, index, slot->data_hash);
    }
    if (status == LAM_OK) {
        const lam_fit_options fit = {.run_dir = run->folder, .resume = 1, .limit_training = 1, .progress = tell, .evaluating = is_to_stop, .user = slot,
            .log = log};
        status = lam_fit(cfg, data, &fit, &model, NULL);
    }
    lam_model_free(model);
    lam_dataset_free(data);
    lam_config_free(cfg);
    return status;
}

/* The forked process; it does not come back. */
void experiment_be_run(const work *w, size_t index, job_slot *slot, const sigset_t *signals, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a killed experiment leaves no runs behind that the next one would meet */
    if (getppid() != parent)
        _exit(CLI_FAILED);
    setpgid(0, 0); /* Ctrl-C is the experiment's to pass on */
    signal(SIGCHLD, SIG_DFL);
    fit_catch_signals();
    sigprocmask(SIG_SETMASK, signals, NULL);
    redirect(lam_experiment_run_at(w->experiment, index)->folder);
    lam_status status = fit_run_of(w, index, slot);
    slot->code = (int)status;
    if (status != LAM_OK) {
        snprintf(slot->message, sizeof slot->message, "%s", lam_last_error());
        cli_say("%s", slot->message);
    }
    fflush(stdout);
    fflush(stderr);
    _exit(status == LAM_OK ? CLI_OK : CLI_FAILED);
}
