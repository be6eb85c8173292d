/* A fit's files and the lines that it reports. */
#include "train/run.h"
#include "base/clock.h"
#include "base/error.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- opening ------------------------------------------------------------------------------------------------------ */

/* Goes on from the checkpoint, or sees to it that none of an older run is left: a kill before this run's first one would
 * otherwise be followed by the older run. */
static lam_status open_files(lam_run *run)
{
    const char *checkpoint = run->folder.checkpoint;
    if (checkpoint == NULL)
        return LAM_OK;
    if (run->saved == UINT64_MAX)
        unlink(checkpoint);
    LAM_TRY(lam_config_save(run->cfg, run->folder.config));
    return lam_metrics_open(&run->metrics, run->folder.metrics, run->state.metrics_bytes);
}

/* Every rank reads the checkpoint where rank 0 sees one. */
static lam_status resume(lam_run *run)
{
    const lam_comm *comm = run->options->comm;
    if (!run->options->resume || run->options->run_dir == NULL)
        return LAM_OK;
    char *path = lam_run_path(run->options->run_dir, "checkpoint.safetensors");
    lam_status status = path == NULL ? LAM_ERR_MEMORY : LAM_OK;
    int there = lam_comm_number(comm, path != NULL && access(path, F_OK) == 0) != 0;
    if (status == LAM_OK && there)
        status = lam_checkpoint_read(path, &run->state, run->cfg, run->target->data_hash);
    free(path);
    LAM_TRY(lam_comm_agree(comm, status));
    if (there)
        run->saved = lam_fit_state_done(&run->state);
    return LAM_OK;
}

lam_fit_options lam_run_options(const lam_fit_options *options)
{
    lam_fit_options own = options != NULL ? *options : (lam_fit_options) { 0 };
    if (!lam_comm_is_first(own.comm)) {
        own.progress = NULL;
        own.evaluating = NULL;
        own.log.line = NULL;
    }
    return own;
}

lam_status lam_run_settle(const lam_fit_options *options, lam_config *cfg)
{
    char *path;
    if (!options->resume || options->run_dir == NULL)
        return LAM_OK;
    if ((path = lam_run_path(options->run_dir, "checkpoint.safetensors")) == NULL)
        return LAM_ERR_MEMORY;
    lam_status status = access(path, F_OK) == 0 ? lam_checkpoint_settle(path, cfg) : LAM_OK;
    free(path);
    return status;
}

lam_status lam_run_open(lam_run *run, lam_config *cfg, const lam_target *target, const lam_fit_options *options)
{
    *run = (lam_run) { .cfg = cfg, .target = target, .options = options, .saved = UINT64_MAX,
        .validation = { .nll = (double)NAN, .se = (double)NAN }, .asked = cfg->iterations };
    const lam_comm *comm = options->comm;
    int first = lam_comm_is_first(comm);
    LAM_TRY(lam_comm_agree(comm, lam_fit_state_create(&run->state, cfg, target->map, target->parameters, target->blocks)));
    target->initial(target->self, run->state.params);
    lam_fit_state_mark(&run->state);
    LAM_TRY(lam_comm_agree(comm, first ? lam_run_folder_open(options->run_dir, &run->folder) : LAM_OK));
    LAM_TRY(resume(run));
    LAM_TRY(lam_run_compare(run));
    LAM_TRY(lam_comm_agree(comm, first ? open_files(run) : LAM_OK));
    run->best_val_nll = run->state.schedule.best;
    run->started = lam_clock() - run->state.seconds - options->seconds;
    run->cpu_started = lam_cpu_clock() - run->state.cpu_seconds - options->cpu_seconds;
    LAM_TRY(lam_run_agree(run, NULL));
    run->saved_at = run->now;
    return LAM_OK;
}

void lam_run_close(lam_run *run)
{
    lam_metrics_close(&run->metrics);
    lam_run_folder_clear(&run->folder);
    lam_fit_state_clear(&run->state);
    *run = (lam_run) { 0 };
}

/* ---- saving ------------------------------------------------------------------------------------------------------- */

static lam_status write_state(lam_run *run)
{
    LAM_TRY(lam_metrics_sync(&run->metrics, &run->state.metrics_bytes));
    return lam_checkpoint_write(run->folder.checkpoint, &run->state, run->cfg, run->target->data_hash);
}

lam_status lam_run_save_state(lam_run *run)
{
    const lam_comm *comm = run->options->comm;
    if (run->options->run_dir == NULL)
        return LAM_OK;
    double before = lam_clock();
    run->state.seconds = before - run->started;
    run->state.cpu_seconds = lam_cpu_clock() - run->cpu_started;
    LAM_TRY(lam_run_compare_parameters(run));
    LAM_TRY(lam_comm_agree(comm, lam_comm_is_first(comm) ? write_state(run) : LAM_OK));
    run->saved = lam_fit_state_done(&run->state);
    LAM_TRY(lam_run_agree(run, NULL));
    run->saved_at = run->now;
    run->save_seconds = lam_comm_number(comm, run->saved_at - before);
    return LAM_OK;
}

lam_status lam_run_save_config(const lam_run *run)
{
    lam_status status = run->folder.config == NULL ? LAM_OK : lam_config_save(run->cfg, run->folder.config);
    return run->options->run_dir == NULL ? status : lam_comm_agree(run->options->comm, status);
}

lam_status lam_run_save_model(lam_run *run)
{
    lam_config *kept = run->target->model_config;
    kept->warm_start = run->cfg->warm_start;
    kept->iterations = run->cfg->iterations;
    kept->epochs = run->cfg->epochs;
    kept->decay_from = run->cfg->decay_from;
    kept->decay_to = run->cfg->decay_to;
    kept->val_rows = run->cfg->val_rows;
    kept->val_freq = run->cfg->val_freq;
    if (run->cfg->schedule == LAM_SCHEDULE_COSINE && run->cfg->decay_from > 0)
        kept->max_seconds = kept->max_processor_seconds = 0;
    return lam_comm_agree(run->options->comm, run->target->save(run->target->self, &run->state, run->folder.model));
}

void lam_step_report_terms(lam_step_report *report, const lam_terms *terms)
{
    report->tpr = lam_terms_value(terms, "tpr");
    for (size_t i = 0; i < terms->n; i++)
        if (terms->term[i].coefficient > 0 && strcmp(terms->term[i].name, "tpr") != 0) {
            report->extra[report->extras].name = terms->term[i].name;
            report->extra[report->extras++].value = terms->term[i].value;
        }
}

/* ---- lines -------------------------------------------------------------------------------------------------------- */

/* A line that could not be written is known to rank 0 alone, and told to the others at the next lam_run_agree. */
static lam_status end_line(lam_run *run)
{
    lam_status status = lam_metrics_end(&run->metrics);
    if (!lam_comm_is_several(run->options->comm))
        return status;
    run->line = status != LAM_OK ? status : run->line;
    return LAM_OK;
}

/* Of the run so far; and the calls of all its iterations, those of the warm start too, logged or not. */
static void log_totals(lam_run *run)
{
    const lam_counts *c = &run->state.counts, *w = &run->state.warm_counts;
    lam_metrics_whole(&run->metrics, "calls", c->forward + c->backward + w->forward + w->backward);
    lam_metrics_number(&run->metrics, "seconds", lam_clock() - run->started);
    lam_metrics_number(&run->metrics, "train_seconds", run->state.train_seconds);
    lam_metrics_number(&run->metrics, "train_cpu_seconds", run->state.train_cpu_seconds);
}

lam_status lam_run_log_warm(lam_run *run, const lam_step_report *report, double lr)
{
    lam_metrics *m = &run->metrics;
    lam_metrics_begin(m, "warm_start");
    lam_metrics_whole(m, "iteration", run->state.warm);
    lam_metrics_number(m, "loss", report->loss);
    lam_metrics_whole(m, "forward", report->counts.forward);
    lam_metrics_whole(m, "backward", report->counts.backward);
    lam_metrics_number(m, "lr", lr);
    lam_metrics_number(m, "grad_norm", report->grad_norm);
    log_totals(run);
    return end_line(run);
}

lam_status lam_run_log_step(lam_run *run, const lam_step_report *report, double lr)
{
    lam_metrics *m = &run->metrics;
    lam_metrics_begin(m, "train");
    lam_metrics_whole(m, "iteration", run->state.iteration);
    if (report->epoch > 0) {
        lam_metrics_whole(m, "epoch", report->epoch);
        lam_metrics_number(m, "beta", report->beta);
    }
    lam_metrics_number(m, "loss", report->loss);
    lam_metrics_number(m, "nll", report->nll);
    lam_metrics_number(m, "tpr", report->tpr);
    for (size_t i = 0; i < report->extras; i++)
        lam_metrics_number(m, report->extra[i].name, report->extra[i].value);
    if (run->cfg->calls > 0)
        lam_metrics_number(m, "penalty_scale", exp(run->state.penalty_log_scale));
    lam_metrics_whole(m, "forward", report->counts.forward);
    lam_metrics_whole(m, "backward", report->counts.backward);
    lam_metrics_whole(m, "recomputed", report->counts.recomputed);
    lam_metrics_whole(m, "accepted", report->counts.accepted);
    lam_metrics_whole(m, "rejected", report->counts.rejected);
    lam_metrics_number(m, "lr", lr);
    lam_metrics_number(m, "grad_norm", report->grad_norm);
    log_totals(run);
    return end_line(run);
}

lam_status lam_run_log_setback(lam_run *run, double lr)
{
    lam_metrics *m = &run->metrics;
    lam_metrics_begin(m, "setback");
    lam_metrics_whole(m, "iteration", run->state.iteration);
    lam_metrics_whole(m, "best_iteration", run->state.best_iteration);
    lam_metrics_number(m, "lr", lr);
    log_totals(run);
    return end_line(run);
}

lam_status lam_run_log_validation(lam_run *run, double lr)
{
    lam_metrics *m = &run->metrics;
    lam_metrics_begin(m, "validation");
    lam_metrics_whole(m, "iteration", run->state.iteration);
    lam_metrics_number(m, "val_nll", run->validation.nll);
    lam_metrics_number(m, "val_nll_se", run->validation.se);
    lam_metrics_whole(m, "val_rows", run->validation.rows);
    lam_metrics_number(m, "best_val_nll", run->best_val_nll);
    if (run->cfg->calibrate == LAM_CALIBRATE_SCALE)
        lam_metrics_number(m, "base_scale", run->validation.base_scale);
    if (run->cfg->calibrate == LAM_CALIBRATE_GAUSSIAN) {
        lam_metrics_number(m, "gaussian_val_nll", run->validation.gaussian_nll);
        lam_metrics_number(m, "gain_se", run->validation.gain_se);
    }
    lam_metrics_whole(m, "forward", run->validation.counts.forward);
    lam_metrics_whole(m, "accepted", run->validation.counts.accepted);
    lam_metrics_whole(m, "rejected", run->validation.counts.rejected);
    lam_metrics_number(m, "lr", lr);
    log_totals(run);
    return end_line(run);
}

void lam_summary_put(lam_metrics *m, const lam_config *cfg, const lam_fit_result *r)
{
    lam_metrics_begin(m, "summary");
    if (r->flows > 1)
        lam_metrics_whole(m, "flows", r->flows);
    lam_metrics_whole(m, "iterations", r->iterations);
    lam_metrics_whole(m, "best_iteration", r->best_iteration);
    lam_metrics_number(m, "best_val_nll", r->best_val_nll);
    lam_metrics_number(m, "best_val_nll_se", r->best_val_nll_se);
    lam_metrics_whole(m, "best_val_rows", r->best_val_rows);
    lam_metrics_number(m, "test_nll", r->test_nll);
    lam_metrics_number(m, "test_nll_se", r->test_nll_se);
    lam_metrics_whole(m, "test_rows", r->test_rows);
    lam_metrics_number(m, "gaussian_test_nll", r->gaussian_test_nll);
    lam_metrics_number(m, "gaussian_test_nll_se", r->gaussian_test_nll_se);
    lam_metrics_whole(m, "gaussian_rows", r->gaussian_rows);
    lam_metrics_number(m, "mixture_test_nll", r->mixture_test_nll);
    lam_metrics_number(m, "mixture_test_nll_se", r->mixture_test_nll_se);
    lam_metrics_whole(m, "mixture_components", r->mixture_components);
    lam_metrics_whole(m, "mixture_rows", r->mixture_rows);
    lam_metrics_number(m, "log_det", r->log_det);
    lam_metrics_whole(m, "train_forward", r->train_counts.forward);
    lam_metrics_whole(m, "train_backward", r->train_counts.backward);
    lam_metrics_whole(m, "train_recomputed", r->train_counts.recomputed);
    lam_metrics_whole(m, "train_accepted", r->train_counts.accepted);
    lam_metrics_whole(m, "train_rejected", r->train_counts.rejected);
    lam_metrics_whole(m, "test_forward", r->test_counts.forward);
    lam_metrics_whole(m, "test_accepted", r->test_counts.accepted);
    lam_metrics_whole(m, "test_rejected", r->test_counts.rejected);
    if (cfg->schedule == LAM_SCHEDULE_COSINE) {
        lam_metrics_whole(m, "decay_from", cfg->decay_from);
        lam_metrics_whole(m, "decay_to", cfg->decay_to > 0 ? cfg->decay_to : cfg->iterations);
    }
    if (cfg->warm_start > 0) {
        lam_metrics_whole(m, "warm_start", r->warm_start);
        lam_metrics_whole(m, "warm_start_forward", r->warm_counts.forward);
        lam_metrics_whole(m, "warm_start_backward", r->warm_counts.backward);
    }
    lam_metrics_whole(m, "solves", r->train_counts.solves);
    lam_metrics_whole(m, "test_solves", r->test_counts.solves);
    lam_metrics_number(m, "seconds", r->seconds);
    lam_metrics_number(m, "cpu_seconds", r->cpu_seconds);
    lam_metrics_number(m, "train_seconds", r->train_seconds);
    lam_metrics_number(m, "train_cpu_seconds", r->train_cpu_seconds);
    lam_metrics_truth(m, "finished", r->finished);
}

lam_status lam_run_log_summary(lam_run *run, const lam_fit_result *r)
{
    lam_summary_put(&run->metrics, run->cfg, r);
    if (run->cfg->calibrate == LAM_CALIBRATE_GAUSSIAN)
        lam_metrics_truth(&run->metrics, "is_gaussian", run->gaussian);
    return end_line(run);
}
