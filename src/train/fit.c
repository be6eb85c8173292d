/* The fit of one flow to the rows of a table, as a target of the loop. */
#include "base/clock.h"
#include "base/comm.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/room.h"
#include "data/dataset.h"
#include "data/gaussian.h"
#include "data/mixture.h"
#include "model/texts.h"
#include "model/model.h"
#include "train/loop.h"
#include "train/one.h"
#include "train/plain.h"
#include "train/run.h"
#include "train/start.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct density {
    lam_config cfg; /* with what "auto" came to */
    const lam_dataset *data;
    const lam_log *log;
    lam_pool *pool;
    lam_model *model;
    lam_flow_rows rows;
    lam_parameter_map map;
    lam_trainer trainer;
    const lam_comm *comm;
    lam_plain plain;    /* the Gaussian that is the model where the flow is no better; none: that of rows that stand still */
    lam_target *target; /* of the loop */
    char hash[33]; /* of what a run goes on with */
    lam_fit_kept *kept;
} density;

/* What the data set says about the columns goes into the model. */
static lam_status describe_data(lam_model *model, const lam_dataset *data)
{
    LAM_TRY(lam_dataset_describe_noise(data, &model->config.noise));
    for (size_t j = 0; j < data->dim; j++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", data->numbers[j]);
        LAM_TRY(lam_model_name_column(model, j, data->has_names ? data->names[j] : number));
    }
    model->has_names = data->has_names;
    memcpy(model->mean, data->mean, data->dim * sizeof(double));
    memcpy(model->scale, data->scale, data->dim * sizeof(double));
    model->log_det = data->log_det;
    memcpy(model->data_hash, data->hash, sizeof model->data_hash);
    LAM_TRY(lam_model_set_texts(model, data->texts));
    return lam_model_set_range(model, data->low, data->high);
}

static int has_missing(const lam_dataset *data)
{
    return data->missing[LAM_TRAIN] + data->missing[LAM_VALID] + data->missing[LAM_TEST] > 0;
}

/* Which cells may be missing was up to the configuration that the data set was built with; this is another one where it may not. */
static lam_status check_missing(const lam_config *cfg, const lam_dataset *data)
{
    if (!has_missing(data) || cfg->any_given)
        return LAM_OK;
    for (int part = 0; part < LAM_PARTS; part++)
        for (size_t i = 0; i < data->rows[part] * data->dim; i++)
            if (isnan(data->values[part][i]) && (cfg->given.n == 0 || data->is_input[i % data->dim]))
                return lam_fail(LAM_ERR_DATA, "cells of column %s are missing; fit a density of any columns given any others (--any-given), "
                    "which takes such rows, or leave them out (--drop-bad-rows)", data->names[i % data->dim]);
    return LAM_OK;
}

static lam_status check(const lam_config *cfg, const lam_dataset *data)
{
    LAM_TRY(lam_config_check(cfg));
    if (cfg->model != LAM_DENSITY)
        return lam_fail(LAM_ERR_ARGUMENT, "model: this configuration is of a vae, which `laminar vae fit` fits");
    size_t given = 0;
    for (size_t j = 0; j < data->dim; j++)
        given += data->is_input[j];
    if (given != cfg->given.n)
        return lam_fail(LAM_ERR_ARGUMENT, "given: the configuration names %zu columns, and that of the data set %zu; build the data set with "
            "this configuration", cfg->given.n, given);
    LAM_TRY(check_missing(cfg, data));
    if (data->rows[LAM_TRAIN] == 0)
        return lam_fail(LAM_ERR_DATA, "there are no training rows; lower test-fraction and val-fraction");
    return LAM_OK;
}

static lam_status fit_maps(const lam_dataset *data, size_t knots, lam_maps **out)
{
    int are_ready = data->maps != NULL && data->map_knots == knots;
    const lam_maps_rows rows = { data->values[LAM_TRAIN], data->rows[LAM_TRAIN], data->dim, data->texts, data->folder, are_ready ? data->maps : NULL,
        data->map_columns };
    return lam_maps_fit(&rows, knots, out);
}

/* A scale that was to be chosen, and cannot be. */
static void say_no_scale(const density *d)
{
    if (d->cfg.calibrate == LAM_CALIBRATE_SCALE && d->data->rows[LAM_VALID] == 0)
        lam_log_say(d->log, "there are no validation rows to choose the scale of the base density by (calibrate), so it stays 1; give some with "
            "--valid or --val-fraction");
}

/* Of the training rows behind the model's maps. */
static lam_status fit_whitening(const lam_dataset *data, lam_model *model)
{
    size_t n = data->rows[LAM_TRAIN], dim = data->dim;
    if (dim > LAM_MOST_WHITENED)
        return lam_fail(LAM_ERR_ARGUMENT, "whiten: gaussian takes up to %d columns, and there are %zu; say none", LAM_MOST_WHITENED, dim);
    if (n > LAM_MAP_SORTED && data->missing[LAM_TRAIN] == 0 && data->texts == NULL)
        return lam_whitening_fit_whole(data->values[LAM_TRAIN], n, dim, model->maps, &model->whitening);
    double *mapped = model->maps != NULL ? lam_room_take(data->folder, n * dim, sizeof *mapped) : NULL;
    if (model->maps != NULL && mapped == NULL)
        return LAM_ERR_MEMORY;
    if (mapped != NULL)
        lam_maps_forward(model->maps, data->values[LAM_TRAIN], n, dim, mapped, NULL);
    lam_status status = lam_whitening_fit(mapped != NULL ? mapped : data->values[LAM_TRAIN], n, dim, model->given.levels, &model->whitening);
    lam_room_give(data->folder, mapped);
    return status;
}

/* What the flow sees of the rows by the model's maps and whitening, and who trains on it. */
static lam_status make_trainer(density *d)
{
    LAM_TRY(lam_flow_rows_make(d->data, &d->model->given, d->model->maps, d->model->whitening, &d->rows));
    d->rows.still = d->plain.nll;
    return (d->cfg.precision == LAM_DOUBLE ? lam_trainer_create_f64 : lam_trainer_create_f32)(&d->cfg, &d->model->layout, &d->map, &d->rows,
        d->pool, d->comm, &d->trainer);
}

static void free_trainer(density *d)
{
    if (d->trainer.free != NULL)
        d->trainer.free(d->trainer.self);
    d->trainer = (lam_trainer) { 0 };
    lam_flow_rows_clear(&d->rows);
}

static lam_status create(const lam_config *cfg, const lam_fit_options *options, density *d)
{
    LAM_TRY(check(cfg, d->data));
    LAM_TRY(lam_config_copy(&d->cfg, cfg));
    LAM_TRY(lam_run_settle(options, &d->cfg));
    if (options->init != NULL)
        LAM_TRY(lam_start_settle(&d->cfg, options->init));
    LAM_TRY(lam_config_choose(&d->cfg, d->data));
    d->cfg.decay_is_chosen = 0; /* of this flow it is settled */
    if (d->cfg.calibrate == LAM_CALIBRATE_GAUSSIAN && d->cfg.whiten != LAM_WHITEN_GAUSSIAN)
        return lam_fail(LAM_ERR_ARGUMENT, "calibrate: gaussian holds the flow against the Gaussian that its rows are whitened by, and there is none; say "
            "whiten: gaussian too, which takes up to %d columns", LAM_MOST_WHITENED);
    cfg = &d->cfg;
    say_no_scale(d);
    LAM_TRY(lam_pool_create(lam_comm_threads(options->comm, cfg->threads), &d->pool));
    const lam_given_kind kind = { .is_given = d->data->is_input, .levels = d->data->levels, .any = cfg->any_given,
        .absent = !cfg->any_given && (has_missing(d->data) || (options->init != NULL && options->init->given.absent)) };
    LAM_TRY(lam_model_create_given(cfg, d->data->dim, &kind, &d->model));
    LAM_TRY(describe_data(d->model, d->data));
    LAM_TRY(lam_layout_map(&d->model->layout, &d->map));
    if (options->init != NULL)
        LAM_TRY(lam_start_from(d->model, options->init, d->log));
    else if (cfg->map != LAM_MAP_NONE)
        LAM_TRY(fit_maps(d->data, cfg->map_knots, &d->model->maps));
    if (options->init == NULL && cfg->whiten == LAM_WHITEN_GAUSSIAN)
        LAM_TRY(fit_whitening(d->data, d->model));
    lam_start_hash(d->model, options->init != NULL, d->hash);
    d->comm = options->comm;
    if (cfg->calibrate == LAM_CALIBRATE_GAUSSIAN && options->init == NULL)
        LAM_TRY(lam_plain_fit(d->data, &d->model->given, d->model->maps, d->model->whitening, cfg->split_seed, &d->plain));
    return make_trainer(d);
}

static void clear(density *d)
{
    free_trainer(d);
    lam_plain_clear(&d->plain);
    lam_free(d->map.matrix);
    lam_model_free(d->model);
    lam_pool_free(d->pool);
    lam_config_clear(&d->cfg);
}

/* ---- the target's calls ------------------------------------------------------------------------------------------- */

static void initial(void *self, void *params)
{
    const density *d = self;
    d->trainer.from_double(d->model->params, d->model->layout.parameters, params);
}

static lam_status save(void *self, const lam_fit_state *s, const char *path)
{
    density *d = self;
    int validated = lam_fit_state_has_best(s);
    d->trainer.to_double(validated ? s->best : s->params, s->parameters, d->model->params);
    memcpy(d->model->h_star_train, validated ? s->best_h_train : s->h_train, s->blocks * sizeof(double));
    memcpy(d->model->h_star_test, validated ? s->best_h_test : s->h_test, s->blocks * sizeof(double));
    d->model->base_scale = s->best_base_scale;
    d->kept->state = (lam_fit_state) { .overfits = s->overfits, .setbacks = s->setbacks };
    return path == NULL ? LAM_OK : lam_model_save(d->model, path);
}

/* The model becomes one without maps, whitened by the plain Gaussian, and what is to come is of its rows. */
static lam_status take_plain(density *d)
{
    if (d->plain.whitening == NULL)
        return LAM_OK;
    free_trainer(d);
    lam_maps_free(d->model->maps);
    lam_whitening_free(d->model->whitening);
    d->model->maps = NULL;
    d->model->whitening = d->plain.whitening;
    d->plain.whitening = NULL;
    d->model->config.map = LAM_MAP_NONE;
    d->model->config.map_knots = 0;
    LAM_TRY(make_trainer(d));
    d->target->trainer = d->trainer;
    return LAM_OK;
}

static lam_status still(void *self, lam_fit_state *s)
{
    density *d = self;
    const lam_layout *l = &d->model->layout;
    double *params = d->model->params; /* which save fills anew */
    d->trainer.to_double(s->best, s->parameters, params);
    lam_layout_still(l, params);
    d->trainer.from_double(params, s->parameters, s->best);
    for (size_t b = 0; b < s->blocks; b++)
        s->best_h_train[b] = s->best_h_test[b] = params[l->time + b] * params[l->time + b];
    return take_plain(d);
}

/* The mixture of Gaussians to compare with, on the first test_rows of index. */
static lam_status compare_mixture(const density *d, const size_t *index, double until, double *each, lam_fit_result *r)
{
    lam_mixture_choice mixture;
    if (d->model->given.given > 0) { /* a mixture is of all columns */
        r->mixture_test_nll = r->mixture_test_nll_se = (double)NAN;
        r->mixture_components = 0;
        return LAM_OK;
    }
    LAM_TRY(lam_mixture_choose(d->data, index, r->test_rows, d->cfg.isa, d->pool, until, each, &mixture));
    if (mixture.out_of_time)
        lam_log_say(d->log, "there was no time left for a mixture of Gaussians to compare with");
    r->mixture_test_nll = mixture.test.nll;
    r->mixture_test_nll_se = mixture.test.se;
    r->mixture_components = mixture.components;
    r->mixture_rows = mixture.test.fitted;
    return LAM_OK;
}

/* The full-covariance Gaussian to compare with, and the mixture of such. A covariance that is singular is no reason to lose the fit;
 * where it is, a mixture's likelihood has no bound either. */
static lam_status compare(const density *d, const size_t *index, double until, lam_fit_result *r)
{
    lam_gaussian_score score = { .nll = (double)NAN, .se = (double)NAN };
    double *gaussian = d->kept->room + r->test_rows, *mixture = gaussian + r->test_rows;
    lam_status status = lam_gaussian_test(d->data, index, r->test_rows, until, gaussian, &score);
    r->gaussian_test_nll = score.nll;
    r->gaussian_test_nll_se = score.se;
    r->gaussian_rows = score.fitted;
    if (status == LAM_OK) {
        d->kept->of.gaussian = gaussian;
        status = compare_mixture(d, index, until, mixture, r);
        d->kept->of.mixture = r->mixture_components > 0 ? mixture : NULL;
    } else if (status != LAM_ERR_MEMORY) {
        lam_log_say(d->log, "%s", lam_last_error());
        status = LAM_OK;
    }
    return status;
}

static lam_status finish(void *self, const lam_fit_state *s, double until, const double *each, lam_fit_result *r)
{
    (void)s;
    const density *d = self;
    size_t rows = d->data->rows[LAM_TEST], *index = NULL;
    lam_fit_kept *kept = d->kept;
    static const char no_gaussian[] = "with missing cells no Gaussian is fitted to compare with, and NLLs are in standardised units alone: which "
        "scales belong to them differs from row to row";
    if (has_missing(d->data)) {
        r->gaussian_test_nll = r->gaussian_test_nll_se = r->mixture_test_nll = r->mixture_test_nll_se = r->log_det = (double)NAN;
        lam_log_say(d->log, "%s", no_gaussian);
        return LAM_OK;
    }
    if ((kept->room = lam_room_take(d->data->folder, 3 * r->test_rows, sizeof *kept->room)) == NULL)
        return LAM_ERR_MEMORY;
    memcpy(kept->room, each, r->test_rows * sizeof *each);
    kept->of.flow = kept->room;
    lam_status status = LAM_OK;
    if (r->test_rows < rows) { /* the test was of a sample: this one is of the same */
        index = lam_room_take(d->data->folder, rows, sizeof *index);
        status = index == NULL ? LAM_ERR_MEMORY : lam_sample_order(&d->cfg, LAM_TEST, rows, d->data->folder, index);
    }
    if (status == LAM_OK)
        status = compare(d, index, until, r);
    lam_room_give(d->data->folder, index);
    return status == LAM_ERR_MEMORY ? status : LAM_OK;
}

lam_status lam_fit_one(const lam_config *cfg, const lam_dataset *data, const lam_fit_options *options, lam_fit_kept *kept, lam_model **model,
    lam_fit_result *result)
{
    double began = lam_clock(), cpu_began = lam_cpu_clock();
    lam_fit_options own = *options;
    density d = { .data = data, .log = &own.log, .kept = kept };
    lam_config_init(&d.cfg);
    lam_status status = lam_comm_agree(own.comm, create(cfg, &own, &d));
    own.seconds += lam_clock() - began; /* maps and whitening count too */
    own.cpu_seconds += lam_cpu_clock() - cpu_began;
    if (status == LAM_OK) {
        lam_target target = { .self = &d, .data_hash = d.hash, .model_config = &d.model->config, .map = &d.map, .parameters = d.model->layout.parameters,
            .blocks = d.model->layout.blocks, .folder = data->folder, .valid_rows = data->rows[LAM_VALID], .test_rows = data->rows[LAM_TEST],
            .log_det = data->log_det, .trainer = d.trainer, .initial = initial, .save = save, .still = still, .finish = finish, .train_rows = data->rows[LAM_TRAIN],
            .more = d.cfg.flows - 1 };
        d.target = &target;
        status = lam_loop_run(&d.cfg, &target, &own, result);
    }
    if (status == LAM_OK)
        status = lam_config_copy(&kept->cfg, &d.cfg);
    if (status == LAM_OK || status == LAM_ERR_INTERRUPTED) {
        *model = d.model;
        d.model = NULL;
    }
    clear(&d);
    return status;
}
