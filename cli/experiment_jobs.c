/* The runs of an experiment as processes. Each is a fork of this one that fits into its own folder and ends: one that crashes, or is
 * killed, takes no other with it, and whatever kills this one leaves folders that can be gone on with. */
#include "experiment.h"
#include "fit.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const double REPORT_SECONDS = 60.0; /* between reports while runs are under way */
static const double LINE_SECONDS = 60.0;   /* between lines of progress where there is no terminal */

/* What a run's process tells this one, in memory that both see. */
typedef struct job_slot {
    double done, left; /* seconds */
    int code;          /* of the library; read when the process has ended */
    char message[2048], data_hash[33];
    char warnings[2048]; /* a line each */
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
    job *jobs; /* [n_jobs] */
    size_t n_jobs;
    char *tried; /* [runs] 1: begun by this process */
    size_t runs, finished; /* finished: so far told of */
    char machine[256];
    double reported, shown, sampled; /* cli_clock of the last report, line and sample of the load */
    int broken; /* 1: no further runs are begun */
} work;

/* ---- signals ------------------------------------------------------------------------------------------------------ */

static volatile sig_atomic_t stop_signal, stop_count;

static void on_signal(int number)
{
    stop_signal = number;
    stop_count++;
}

/* Only there to wake the wait. */
static void on_child(int number)
{
    (void)number;
}

/* All of them stay blocked but while pselect waits, so that none comes between looking and waiting. */
static void catch_signals(sigset_t *waiting)
{
    static const int stops[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action, before;
    sigset_t blocked;
    memset(&action, 0, sizeof action);
    sigemptyset(&action.sa_mask);
    sigemptyset(&blocked);
    for (size_t i = 0; i < 3; i++) {
        action.sa_handler = on_signal;
        if (sigaction(stops[i], NULL, &before) == 0 && before.sa_handler == SIG_IGN) /* nohup ignores one on purpose */
            continue;
        sigaction(stops[i], &action, NULL);
        sigaddset(&blocked, stops[i]);
    }
    action.sa_handler = on_child;
    sigaction(SIGCHLD, &action, NULL);
    sigaddset(&blocked, SIGCHLD);
    sigprocmask(SIG_BLOCK, &blocked, waiting);
}

/* ---- the folder --------------------------------------------------------------------------------------------------- */

static int open_lock(const char *dir, int flags)
{
    char *path = cli_path_join(dir, "lock");
    int fd = open(path, flags, 0666); /* inherited by the runs: the lock lasts until the last of them has ended */
    free(path);
    return fd;
}

int experiment_lock(const char *dir, int *lock)
{
    int fd = open_lock(dir, O_RDWR | O_CREAT);
    if (fd < 0)
        return cli_fail("cannot write in %s: %s", dir, strerror(errno));
    for (int round = 0; round < 20; round++) { /* the runs of a killed experiment take a moment to go */
        if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) {
            *lock = fd;
            return CLI_OK;
        }
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    close(fd);
    return cli_fail("another experiment is at work in %s; wait for its end, stop it, or choose another folder by --out "
        "(--report shows how far it is)", dir);
}

int experiment_is_locked(const char *dir)
{
    int fd = open_lock(dir, O_RDWR), locked = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (fd >= 0)
        close(fd);
    return locked;
}

/* "2 x Some Processor, Linux 6.1, laminar 0.1.0" */
static void describe_machine(char text[256])
{
    struct utsname system = {0};
    char model[128] = "", line[256];
    FILE *stream = fopen("/proc/cpuinfo", "r");
    while (stream != NULL && model[0] == '\0' && fgets(line, sizeof line, stream) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon != NULL && colon[1] != '\0')
            snprintf(model, sizeof model, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
    }
    if (stream != NULL)
        fclose(stream);
    uname(&system);
    snprintf(text, 256, "%ld x %s, %.40s %.60s, laminar %s", sysconf(_SC_NPROCESSORS_ONLN), model[0] != '\0' ? model
        : system.machine, system.sysname, system.release, lam_version());
}

/* ---- a run, in its own process ------------------------------------------------------------------------------------ */

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

static lam_status fit_run_of(const lam_experiment *experiment, size_t index, job_slot *slot)
{
    const lam_experiment_run *run = lam_experiment_run_at(experiment, index);
    lam_config *cfg = cli_config_create();
    lam_table *tables[3] = {0};
    lam_dataset *data = NULL;
    lam_model *model = NULL;
    const char *const paths[3] = {run->data, run->valid, run->test};
    lam_log log = {keep_warning, slot};
    lam_status status = lam_config_copy(cfg, run->config);
    if (status == LAM_OK && cli_isa() != NULL)
        status = lam_config_set(cfg, "isa", cli_isa());
    for (size_t i = 0; i < 3 && status == LAM_OK; i++)
        if (paths[i] != NULL && (status = lam_table_read_rows(cfg, paths[i], tables[0], &tables[i])) == LAM_OK)
            keep_notes(slot, paths[i], tables[i]);
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
static void be_run(const lam_experiment *experiment, size_t index, job_slot *slot, const sigset_t *signals, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a killed experiment leaves no runs behind that the next one would meet */
    if (getppid() != parent)
        _exit(CLI_FAILED);
    setpgid(0, 0); /* Ctrl-C is the experiment's to pass on */
    signal(SIGCHLD, SIG_DFL);
    fit_catch_signals();
    sigprocmask(SIG_SETMASK, signals, NULL);
    redirect(lam_experiment_run_at(experiment, index)->folder);
    lam_status status = fit_run_of(experiment, index, slot);
    slot->code = (int)status;
    if (status != LAM_OK) {
        snprintf(slot->message, sizeof slot->message, "%s", lam_last_error());
        cli_say("%s", slot->message);
    }
    fflush(stdout);
    fflush(stderr);
    _exit(status == LAM_OK ? CLI_OK : CLI_FAILED);
}

/* ---- starting and ending runs ------------------------------------------------------------------------------------- */

static int note(const work *w, const job *j, lam_run_state state, const char *message)
{
    const char *hash = j->slot->data_hash, *warnings = j->slot->warnings;
    lam_run_note n = {.state = state, .message = message, .machine = w->machine, .data_hash = hash[0] != '\0' ? hash : NULL,
        .warnings = warnings[0] != '\0' ? warnings : NULL};
    if (j->load_seconds > 0) {
        n.load = j->load / j->load_seconds;
        n.seconds = j->load_seconds;
    }
    return lam_experiment_note(w->experiment, j->run, &n) == LAM_OK ? CLI_OK : cli_library_failed();
}

static int begin(work *w, job *j, size_t index, const sigset_t *signals)
{
    const lam_experiment_run *run = lam_experiment_run_at(w->experiment, index);
    int code = fit_make_folder(run->folder);
    *j = (job){.run = index, .slot = j->slot};
    memset(j->slot, 0, sizeof *j->slot);
    w->tried[index] = 1;
    if (code == CLI_OK)
        code = note(w, j, LAM_RUN_BEGUN, NULL);
    if (code != CLI_OK)
        return code;
    fflush(stdout);
    fflush(stderr);
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        return cli_fail("a process for %s cannot be made: %s", run->name, strerror(errno));
    if (pid == 0)
        be_run(w->experiment, index, j->slot, signals, parent);
    j->pid = pid;
    return CLI_OK;
}

/* What a finished run says of itself, on stdout. */
static void print_finished(work *w, const lam_experiment_run *run)
{
    char text[32], nll[64];
    cli_status_line("");
    printf("%zu of %zu  %s: ", ++w->finished, w->runs, run->name);
    if (isfinite(run->test_nll))
        printf("test NLL %s, ", cli_measure(run->test_nll, run->test_nll_se, 4, nll));
    else
        printf("best validation NLL %s, ", cli_measure(run->best_val_nll, run->best_val_nll_se, 4, nll));
    printf("%.0f iterations, %s of processor\n", run->iterations, cli_duration(run->train_cpu_seconds, text));
    fflush(stdout);
}

/* A process has ended: how, is noted in its folder. */
static int end(work *w, job *j, int status)
{
    const lam_experiment_run *run = lam_experiment_run_at(w->experiment, j->run);
    char killed[128];
    const char *why = j->slot->message;
    int finished = WIFEXITED(status) && WEXITSTATUS(status) == CLI_OK;
    int failed = !finished && j->slot->code != LAM_ERR_INTERRUPTED;
    j->pid = 0;
    if (WIFSIGNALED(status)) {
        failed = stop_count < 2; /* else it was this process that killed it */
        snprintf(killed, sizeof killed, "its process was killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
        why = killed;
    }
    int code = note(w, j, failed ? LAM_RUN_FAILED : finished ? LAM_RUN_FINISHED : LAM_RUN_BEGUN, failed ? why : NULL);
    if (code == CLI_OK && lam_experiment_refresh(w->experiment) != LAM_OK)
        code = cli_library_failed();
    if (failed)
        cli_say("failed: %s: %s", run->name, why);
    else if (code == CLI_OK && run->state == LAM_RUN_FINISHED)
        print_finished(w, run);
    return code;
}

/* ---- how far it is ------------------------------------------------------------------------------------------------ */

void experiment_count(const lam_experiment *experiment, size_t counts[4])
{
    const lam_experiment_run *run;
    memset(counts, 0, 4 * sizeof *counts);
    for (size_t i = 0; (run = lam_experiment_run_at(experiment, i)) != NULL; i++)
        counts[run->state]++;
}

/* Seconds by the budget of training; NaN: a budget of iterations, or not known yet. */
static double budget_seconds(const lam_experiment_run *run)
{
    double wall = lam_config_number(run->config, "budget"), processor = lam_config_number(run->config, "max-processor-seconds");
    double threads = lam_config_number(run->config, "threads"); /* all are NaN where the configuration is not known yet */
    return wall > 0 ? wall : processor > 0 ? processor / fmax(threads, 1) : (double)NAN;
}

/* Mean seconds of finished runs of the same stage and data; where there are none, the stage's budget, or the mean of all. NaN: not
 * to be known yet. */
static double usual_seconds(const lam_experiment *experiment, const lam_experiment_run *like)
{
    const lam_experiment_run *run;
    double all = 0, n_all = 0, alike = 0, n_alike = 0, budget = (double)NAN;
    for (size_t i = 0; (run = lam_experiment_run_at(experiment, i)) != NULL; i++) {
        if (run->choosing == like->choosing && isfinite(budget_seconds(run)))
            budget = budget_seconds(run);
        if (run->state != LAM_RUN_FINISHED || !isfinite(run->seconds))
            continue;
        int same = run->choosing == like->choosing && strcmp(run->data, like->data) == 0;
        all += run->seconds;
        n_all += 1;
        alike += same ? run->seconds : 0;
        n_alike += same;
    }
    return n_alike > 0 ? alike / n_alike : isfinite(budget) ? budget : all / n_all;
}

double experiment_seconds_left(const lam_experiment *experiment, size_t jobs, int again)
{
    const lam_experiment_run *run;
    double sum = 0, longest = 0;
    for (size_t i = 0; (run = lam_experiment_run_at(experiment, i)) != NULL; i++) {
        if (run->state == LAM_RUN_FINISHED || (run->state == LAM_RUN_FAILED && !again))
            continue;
        double whole = usual_seconds(experiment, run), left = fmax(0, whole - (isfinite(run->seconds) ? run->seconds : 0));
        if (!isfinite(whole))
            return whole;
        sum += left;
        longest = fmax(longest, left);
    }
    return fmax(sum / (double)jobs, longest);
}

/* The same while runs are under way, which say themselves how long they take. */
static double seconds_left(const work *w)
{
    double sum = experiment_seconds_left(w->experiment, 1, 0), longest = 0;
    if (!isfinite(sum))
        return sum;
    for (size_t i = 0; i < w->n_jobs; i++) {
        const job *j = &w->jobs[i];
        if (j->pid == 0)
            continue;
        const lam_experiment_run *run = lam_experiment_run_at(w->experiment, j->run);
        double usual = usual_seconds(w->experiment, run);
        if (j->slot->done <= 0)
            continue;
        if (isfinite(usual)) /* what was counted for it above */
            sum -= fmax(0, usual - (isfinite(run->seconds) ? run->seconds : 0));
        sum += j->slot->left;
        longest = fmax(longest, j->slot->left);
    }
    return fmax(sum / (double)w->n_jobs, longest);
}

static void show(work *w)
{
    double now = cli_clock();
    size_t counts[4], under_way = 0;
    char line[512], left[32];
    int terminal = cli_is_terminal();
    if (now - w->shown < (terminal ? 0.5 : LINE_SECONDS))
        return;
    experiment_count(w->experiment, counts);
    for (size_t i = 0; i < w->n_jobs; i++)
        under_way += w->jobs[i].pid != 0;
    int n = snprintf(line, sizeof line, "%zu of %zu runs finished%s, %zu under way, about %s left", counts[LAM_RUN_FINISHED],
        w->runs, counts[LAM_RUN_FAILED] > 0 ? ", some failed" : "", under_way, cli_duration(seconds_left(w), left));
    for (size_t i = 0; i < w->n_jobs && n > 0 && (size_t)n < sizeof line; i++) {
        const job *j = &w->jobs[i];
        if (j->pid != 0 && j->slot->done > 0)
            n += snprintf(line + n, sizeof line - (size_t)n, "; %s: %s left", lam_experiment_run_at(w->experiment, j->run)->name,
                cli_duration(j->slot->left, left));
    }
    if (terminal)
        cli_status_line(line);
    else
        cli_say("%s", line);
    w->shown = now;
}

/* Adds the machine's load to that of every run under way. */
static void sample_load(work *w)
{
    double load, now = cli_clock(), since = now - w->sampled;
    if (since < 1.0 || getloadavg(&load, 1) != 1)
        return;
    w->sampled = now;
    for (size_t i = 0; i < w->n_jobs; i++) {
        if (w->jobs[i].pid == 0)
            continue;
        w->jobs[i].load += load * since;
        w->jobs[i].load_seconds += since;
    }
}

/* ---- all of them -------------------------------------------------------------------------------------------------- */

/* A run that can be begun: not finished, its coefficient known, not tried before by this process. */
static size_t next_run(const work *w)
{
    const lam_experiment_run *run;
    for (size_t i = 0; (run = lam_experiment_run_at(w->experiment, i)) != NULL; i++)
        if (!w->tried[i] && run->config != NULL && run->state != LAM_RUN_FINISHED)
            return i;
    return w->runs;
}

static int report(work *w, int now)
{
    if (!now && cli_clock() - w->reported < REPORT_SECONDS)
        return CLI_OK;
    lam_status status = lam_experiment_report(w->experiment, !now);
    w->reported = cli_clock();
    return status == LAM_OK ? CLI_OK : cli_library_failed();
}

static void send_all(const work *w, int number)
{
    for (size_t i = 0; i < w->n_jobs; i++)
        if (w->jobs[i].pid != 0)
            kill(w->jobs[i].pid, number);
}

/* Every process that has ended; CLI_OK, or the first code of what went wrong. */
static int reap(work *w, int *ended)
{
    int code = CLI_OK, status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (size_t i = 0; i < w->n_jobs; i++) {
            if (w->jobs[i].pid != pid)
                continue;
            int once = end(w, &w->jobs[i], status);
            code = code == CLI_OK ? once : code;
            *ended = 1;
        }
    }
    return code;
}

/* Begins runs where there is room; how many are under way then. */
static size_t fill_room(work *w, const sigset_t *signals, int *code)
{
    size_t under_way = 0;
    for (size_t i = 0; i < w->n_jobs; i++) {
        size_t next = w->jobs[i].pid == 0 && stop_count == 0 && !w->broken ? next_run(w) : w->runs;
        if (next < w->runs && (*code = begin(w, &w->jobs[i], next, signals)) != CLI_OK)
            w->broken = 1;
        under_way += w->jobs[i].pid != 0;
    }
    return under_way;
}

static int loop(work *w, const sigset_t *signals)
{
    int code = CLI_OK, told = 0;
    while (fill_room(w, signals, &code) > 0) {
        int ended = 0;
        struct timespec tick = {.tv_nsec = 500000000};
        show(w);
        (void)pselect(0, NULL, NULL, NULL, &tick, signals);
        sample_load(w);
        if (stop_count > told) {
            cli_say(stop_count == 1 ? "stopping: the runs under way are saved; the same once more kills them" : "killing the runs "
                "under way; what they last saved stays");
            send_all(w, stop_count == 1 ? SIGTERM : SIGKILL);
            told = stop_count;
        }
        int once = reap(w, &ended);
        if (once != CLI_OK && !w->broken) { /* the plan and a folder disagree, or the disk is full: no reason to kill the others */
            w->broken = 1;
            code = once;
        }
        if (ended && !w->broken && stop_count == 0 && (once = report(w, 0)) != CLI_OK) {
            w->broken = 1;
            code = once;
        }
    }
    return code;
}

void experiment_name_report(const char *dir)
{
    char *page = cli_path_join(dir, "report.html");
    printf("report   %s\n", page);
    free(page);
}

static int close_down(work *w, int code)
{
    size_t counts[4];
    if (code != CLI_OK)
        return code;
    code = report(w, 1);
    if (code == CLI_OK)
        experiment_name_report(w->dir);
    experiment_count(w->experiment, counts);
    if (code == CLI_OK && stop_signal != 0 && counts[LAM_RUN_FINISHED] < w->runs) {
        cli_say("stopped with %zu of %zu runs finished; the same command goes on", counts[LAM_RUN_FINISHED], w->runs);
        return 128 + stop_signal;
    }
    if (code == CLI_OK && counts[LAM_RUN_FAILED] > 0)
        return cli_fail("%zu of %zu runs failed; the report says why. The same command tries them again", counts[LAM_RUN_FAILED],
            w->runs);
    return code;
}

int experiment_run(lam_experiment *experiment, const char *dir, size_t jobs)
{
    sigset_t signals;
    work w = {.experiment = experiment, .dir = dir, .n_jobs = jobs, .jobs = cli_alloc(jobs, sizeof(job)), .reported = cli_clock(),
        .sampled = cli_clock(), .shown = cli_clock()};
    while (lam_experiment_run_at(experiment, w.runs) != NULL)
        w.runs++;
    w.tried = cli_alloc(w.runs, 1);
    job_slot *slots = mmap(NULL, jobs * sizeof *slots, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int code = slots == MAP_FAILED ? cli_fail("no memory for %zu runs at a time: %s", jobs, strerror(errno)) : CLI_OK;
    size_t counts[4];
    experiment_count(experiment, counts);
    w.finished = counts[LAM_RUN_FINISHED];
    describe_machine(w.machine);
    for (size_t i = 0; i < jobs && code == CLI_OK; i++)
        w.jobs[i].slot = &slots[i];
    if (code == CLI_OK) {
        catch_signals(&signals);
        code = close_down(&w, loop(&w, &signals));
        munmap(slots, jobs * sizeof *slots);
    }
    free(w.jobs);
    free(w.tried);
    return code;
}
