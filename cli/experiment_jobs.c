/* The runs of an experiment as processes. Each is a fork of this one that fits into its own folder and ends: one that crashes, or is
 * killed, takes no other with it, and whatever kills this one leaves folders that can be gone on with. */
#include "experiment_jobs.h"
#include "fit.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const double REPORT_SECONDS = 60.0; /* between reports while runs are under way */

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
    char processor[128];
    uname(&system);
    snprintf(text, 256, "%ld x %s, %.40s %.60s, laminar %s", sysconf(_SC_NPROCESSORS_ONLN),
        cli_processor(processor)[0] != '\0' ? processor : system.machine, system.sysname, system.release, lam_version());
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
        experiment_be_run(w, index, j->slot, signals, parent);
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
    for (size_t i = 0; i < 3; i++)
        if (j->slot->kept[i][0] != '\0')
            fit_note_kept(j->slot->kept[i]);
    int code = note(w, j, failed ? LAM_RUN_FAILED : finished ? LAM_RUN_FINISHED : LAM_RUN_BEGUN, failed ? why : NULL);
    if (code == CLI_OK && lam_experiment_refresh(w->experiment) != LAM_OK)
        code = cli_library_failed();
    if (failed)
        cli_say("failed: %s: %s", run->name, why);
    else if (code == CLI_OK && run->state == LAM_RUN_FINISHED)
        print_finished(w, run);
    return code;
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
static size_t begin_runs(work *w, const sigset_t *signals, int *code)
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
    while (begin_runs(w, signals, &code) > 0) {
        int ended = 0;
        struct timespec tick = {.tv_nsec = 500000000};
        experiment_show(w);
        (void)pselect(0, NULL, NULL, NULL, &tick, signals);
        experiment_sample_load(w);
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
        cli_say("stopped with %zu of %zu runs finished; the same command continues", counts[LAM_RUN_FINISHED], w->runs);
        return 128 + stop_signal;
    }
    if (code == CLI_OK && counts[LAM_RUN_FAILED] > 0)
        return cli_fail("%zu of %zu runs failed; the report says why. The same command tries them again", counts[LAM_RUN_FAILED],
            w->runs);
    return code;
}

int experiment_run(lam_experiment *experiment, const char *dir, const char *scratch, size_t jobs)
{
    sigset_t signals;
    work w = {.experiment = experiment, .dir = dir, .scratch = scratch, .n_jobs = jobs, .jobs = cli_alloc(jobs, sizeof(job)), .reported = cli_clock(),
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
        fit_end_kept(dir, code != CLI_OK);
        munmap(slots, jobs * sizeof *slots);
    }
    free(w.jobs);
    free(w.tried);
    return code;
}
