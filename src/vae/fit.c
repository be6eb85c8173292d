/* lam_vae_fit: an auto-encoder as a target of the loop. */
#include "base/clock.h"
#include "base/comm.h"
#include "base/error.h"
#include "base/need.h"
#include "base/mem.h"
#include "train/loop.h"
#include "train/run.h"
#include "vae/data.h"
#include "vae/net.h"
#include "vae/trainer.h"
#include "vae/vae.h"
#include <string.h>

typedef struct fitting {
    lam_config cfg; /* with iterations and val_freq from the epochs */
    lam_pool *pool;
    lam_vae *model;
    lam_parameter_map map;
    lam_trainer trainer;
} fitting;

static void initial(void *self, void *params)
{
    const fitting *f = self;
    memcpy(params, f->model->params, f->model->layout.parameters * sizeof(float));
}

static lam_status save(void *self, const lam_fit_state *s, const char *path)
{
    fitting *f = self;
    int validated = lam_fit_state_has_best(s);
    memcpy(f->model->params, validated ? s->best : s->params, s->parameters * sizeof(float));
    memcpy(f->model->h_star_train, validated ? s->best_h_train : s->h_train, s->blocks * sizeof(double));
    memcpy(f->model->h_star_test, validated ? s->best_h_test : s->h_test, s->blocks * sizeof(double));
    return path == NULL ? LAM_OK : lam_vae_save(f->model, path);
}

static lam_status check(const lam_config *cfg, const lam_image_data *data)
{
    LAM_TRY(lam_config_check(cfg));
    if (cfg->model != LAM_VAE)
        return lam_fail(LAM_ERR_ARGUMENT, "model: this configuration is of a density, which `laminar fit` fits");
    if (lam_image_data_rows(data, LAM_TRAIN) == 0)
        return lam_fail(LAM_ERR_DATA, "there are no training images; lower val-images and test-images");
    return LAM_OK;
}

static lam_status create(const lam_config *cfg, const lam_image_data *data, const lam_fit_options *options, fitting *f)
{
    LAM_TRY(check(cfg, data));
    LAM_TRY(lam_config_copy(&f->cfg, cfg));
    LAM_TRY(lam_run_settle(options, &f->cfg));
    LAM_TRY(lam_config_resolve(&f->cfg, lam_image_data_rows(data, LAM_TRAIN), 0));
    size_t batches = lam_vae_batches(&f->cfg, data);
    if (cfg->epochs > 0) {
        f->cfg.iterations = cfg->epochs * batches;
        f->cfg.val_freq = batches;
    }
    LAM_TRY(lam_pool_create(lam_comm_threads(options->comm, cfg->threads), &f->pool));
    LAM_TRY(lam_vae_create(&f->cfg, data->parts.height, data->parts.width, &f->model));
    memcpy(f->model->data_hash, data->hash, sizeof data->hash);
    LAM_TRY(lam_vae_layout_map(&f->model->layout, &f->map));
    return lam_vae_trainer_create(&f->cfg, &f->model->layout, &f->map, data, f->pool, options->comm, &f->trainer);
}

/* The nets' results depend on what oneDNN finds in a machine, whatever isa says. */
static lam_status compare_machines(const lam_comm *comm)
{
    unsigned own = lam_net_instructions();
    size_t rank;
    LAM_TRY(lam_comm_compare(comm, &own, sizeof own, &rank));
    if (!lam_comm_is_several(comm) || rank >= comm->size)
        return LAM_OK;
    return lam_fail(LAM_ERR_ARGUMENT, "on rank %zu oneDNN chooses other instructions than on rank 0, and results would differ by rounding; set "
        "ONEDNN_MAX_CPU_ISA in the environment of all ranks to what all machines have, such as AVX2", rank);
}

lam_status lam_vae_fit(const lam_config *cfg, const lam_image_data *data, const lam_fit_options *options, lam_vae **model,
    lam_fit_result *result)
{
    LAM_NEED(model, "model");
    *model = NULL;
    LAM_NEED(cfg, "cfg");
    LAM_NEED(data, "data");
    lam_fit_result ignored;
    fitting f = { .pool = NULL };
    result = result != NULL ? result : &ignored;
    *result = (lam_fit_result) { 0 };
    lam_fit_options own = lam_run_options(options);
    if (own.init != NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "init: an auto-encoder starts from its seed; leave init NULL");
    double began = lam_clock(), cpu_began = lam_cpu_clock();
    lam_config_init(&f.cfg);
    lam_status status = lam_comm_agree(own.comm, create(cfg, data, &own, &f));
    if (status == LAM_OK)
        status = compare_machines(own.comm);
    own.seconds += lam_clock() - began;
    own.cpu_seconds += lam_cpu_clock() - cpu_began;
    if (status == LAM_OK) {
        const lam_target target = { .self = &f, .data_hash = data->hash, .model_config = &f.model->config, .map = &f.map, .parameters = f.model->layout.parameters,
            .blocks = f.model->layout.blocks, .valid_rows = lam_image_data_rows(data, LAM_VALID),
            .test_rows = lam_image_data_rows(data, LAM_TEST), .trainer = f.trainer, .initial = initial, .save = save,
            .patient_until = (uint64_t)(cfg->warmup * (double)lam_vae_batches(&f.cfg, data)), .restores_best = 1 };
        status = lam_loop_run(&f.cfg, &target, &own, result);
    }
    if (status == LAM_OK || status == LAM_ERR_INTERRUPTED) {
        *model = f.model;
        f.model = NULL;
    }
    if (f.trainer.free != NULL)
        f.trainer.free(f.trainer.self);
    lam_free(f.map.matrix);
    lam_vae_free(f.model);
    lam_pool_free(f.pool);
    lam_config_clear(&f.cfg);
    return status;
}
