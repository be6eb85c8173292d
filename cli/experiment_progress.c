/* How far an experiment is, how long the rest takes, and the line that says so. */
#include "experiment_jobs.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double LINE_SECONDS = 60.0; /* between lines where there is no terminal */

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

void experiment_show(work *w)
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
void experiment_sample_load(work *w)
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
