/* Auto-encoders on several ranks, which are threads here: the bound, its gradient, whole fits and scores have the bits of one process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define LAM_WIDTH 64
#include "rank_fits.h"
#include "base/mem.h"
#include "base/random.h"
#include "laminar/vae.h"
#include "vae/elbo.h"
#include "vae/net.h"
#include "vae/solve.h"


/* Settings are "name value name value ...". */
static void apply(lam_config *cfg, const char *settings)
{
    char text[512], *rest = text, *name;
    snprintf(text, sizeof text, "%s", settings);
    while ((name = strtok_r(rest, " ", &rest)) != NULL)
        set(cfg, name, strtok_r(rest, " ", &rest));
}

static void configure_vae(lam_config *cfg, const char *settings)
{
    lam_config_init(cfg);
    apply(cfg, "model vae dims 6-5 blocks 2 layer concat nonlinearity softplus time 0.5 latent 3 amortised low-rank rank 2 tpr true batch-size 66 "
        "iterations 5 val-freq 3 log-freq 1 optimizer adamax lr 2e-3 warmup 2 binarise fresh val-images 20 test-images 11 threads 1 seed 3");
    apply(cfg, settings);
}

/* ---- the bound and its gradient, in double ------------------------------------------------------------------------ */

typedef struct outcome {
    const char *settings;
    size_t rows, threads;
    int bad; /* 1: a row's draw is not finite */
    lam_status status;
    char error[400];
    lam_elbo_terms terms;
    double *grad, *row, *h_star;
    size_t parameters;
} outcome;

static double *start_params(const lam_vae_layout *l, const lam_config *cfg)
{
    float *start = lam_alloc(l->parameters, sizeof *start);
    double *params = lam_alloc(l->parameters, sizeof *params);
    assert_int_equal(lam_vae_layout_initial(l, cfg, start), LAM_OK);
    for (size_t i = 0; i < l->parameters; i++)
        params[i] = (double)start[i];
    lam_free(start);
    return params;
}

static void one_gradient(void *arg, const lam_comm *comm)
{
    outcome *o = arg;
    lam_config cfg;
    lam_vae_layout layout;
    lam_pool *pool;
    lam_elbo_f64 *elbo;
    configure_vae(&cfg, o->settings);
    assert_int_equal(lam_vae_layout_init(&layout, &cfg, 4, 4), LAM_OK);
    size_t d = layout.latent;
    double *params = start_params(&layout, &cfg), *e = lam_alloc(o->rows * d, sizeof *e);
    unsigned char *pixels = lam_alloc(o->rows * layout.pixels, 1);
    for (size_t i = 0; i < o->rows * layout.pixels; i++)
        pixels[i] = (unsigned char)((double)layout.levels * lam_random_uniform(2, LAM_DRAW_TEST, 0, i));
    for (size_t i = 0; i < o->rows; i++)
        lam_random_normal_row(3, LAM_DRAW_TEST, 0, i, e + i * d, d);
    if (o->bad)
        e[(o->rows - 1) * d] = NAN;
    assert_int_equal(lam_pool_create(o->threads, &pool), LAM_OK);
    o->parameters = layout.parameters;
    o->grad = lam_alloc(layout.parameters, sizeof *o->grad);
    o->row = lam_alloc(o->rows, sizeof *o->row);
    o->h_star = lam_alloc(layout.blocks, sizeof *o->h_star);
    const lam_elbo_options options = { .max_rows = o->rows, .gradients = 1, .trace = lam_vae_trace(&cfg, 0), .comm = comm };
    assert_int_equal(lam_elbo_create_f64(&layout, &cfg, pool, &options, &elbo), LAM_OK);
    lam_elbo_call_f64 call = { .params = params, .pixels = pixels, .rows = o->rows, .beta = 0.7, .solve = lam_config_solve(&cfg, 1, o->h_star),
        .noise = { .kind = cfg.divergence, .seed = 4, .stream = 9, .purpose = LAM_DRAW_PROBE }, .draw = LAM_DRAW_LATENT,
        .penalty = lam_penalty_of(&cfg, 1), .given = e };
    call.solve.keep_h_star = 1;
    o->status = lam_elbo_forward_f64(elbo, &call, o->row, &o->terms);
    if (o->status == LAM_OK)
        o->status = lam_elbo_backward_f64(elbo, &call, o->grad, &o->terms);
    snprintf(o->error, sizeof o->error, "%s", o->status == LAM_OK ? "" : lam_last_error());
    lam_elbo_free_f64(elbo);
    lam_pool_free(pool);
    lam_free(params), lam_free(e), lam_free(pixels);
    lam_config_clear(&cfg);
}

static void clear(outcome *o)
{
    lam_free(o->grad), lam_free(o->row), lam_free(o->h_star);
}

static void same_gradient(const char *settings, size_t rows, int bad)
{
    outcome alone = { .settings = settings, .rows = rows, .threads = 1, .bad = bad }, on[MOST_RANKS];
    one_gradient(&alone, NULL);
    assert_int_equal(alone.status == LAM_OK, !bad);
    for (size_t size = 2; size <= MOST_RANKS; size += size == 3 ? 2 : 1) {
        for (size_t k = 0; k < size; k++)
            on[k] = (outcome) { .settings = settings, .rows = rows, .threads = 1 + k % 2, .bad = bad };
        team_run(&ours, size, one_gradient, on, sizeof *on);
        for (size_t k = 0; k < size; k++) {
            assert_int_equal(on[k].status, alone.status);
            assert_string_equal(on[k].error, alone.error);
            if (!bad) {
                assert_memory_equal(&on[k].terms, &alone.terms, sizeof alone.terms);
                assert_memory_equal(on[k].row, alone.row, rows * sizeof *alone.row);
                assert_memory_equal(on[k].grad, alone.grad, alone.parameters * sizeof *alone.grad);
            }
            clear(&on[k]);
        }
    }
    clear(&alone);
}

static void every_posterior(void **state)
{
    (void)state;
    same_gradient("posterior none", 11, 0);
    same_gradient("posterior planar", 66, 0);
    same_gradient("amortised none tpr false", 9, 0);
    same_gradient("amortised hyper blocks 1", 6, 0);
}

/* More tiles than one, fewer groups than ranks, a single row. */
static void every_size(void **state)
{
    (void)state;
    same_gradient("tpr false", 66, 0);
    same_gradient("", 3, 0);
    same_gradient("", 1, 0);
}

/* A row that is not finite is found by all ranks, and named by its number in the batch. */
static void failures(void **state)
{
    (void)state;
    same_gradient("", 7, 1);
    same_gradient("posterior planar", 7, 1);
}

/* ---- fits, in float by oneDNN -------------------------------------------------------------------------------------- */

enum { HEIGHT = 12, WIDTH = 8, SIZE = HEIGHT * WIDTH, IMAGES = 120 };

static lam_image_data *images;

static lam_image_data *make_images(void)
{
    lam_config cfg;
    lam_image_data *out;
    unsigned char *pixels = lam_alloc(IMAGES * SIZE, 1);
    const lam_images all = { .n = IMAGES, .height = HEIGHT, .width = WIDTH, .pixels = pixels, .format = "npy" };
    for (size_t i = 0; i < IMAGES * SIZE; i++)
        pixels[i] = (unsigned char)(i / WIDTH % HEIGHT == i / SIZE % HEIGHT ? 230 : (int)(60 * lam_random_uniform(1, LAM_DRAW_TEST, 0, i)));
    configure_vae(&cfg, "");
    assert_int_equal(lam_image_data_build(&cfg, &all, NULL, NULL, &out), LAM_OK);
    lam_config_clear(&cfg);
    lam_free(pixels);
    return out;
}

static void one_fit(void *arg, const lam_comm *comm)
{
    job *j = arg;
    lam_vae *model = NULL;
    const lam_fit_options options = options_of(j, comm);
    end_job(j, lam_vae_fit(&j->cfg, images, &options, &model, &j->result));
    j->model = model;
}

static void free_vae(void *model)
{
    lam_vae_free(model);
}

static void fit_on(size_t size, const char *run, const char *settings, int resume, size_t stop_at)
{
    for (size_t k = 0; k < size; k++) {
        jobs[k] = job_of(run, resume, stop_at);
        configure_vae(&jobs[k].cfg, settings);
        set(&jobs[k].cfg, "threads", k % 2 == 0 ? "1" : "2");
    }
    run_jobs(size, one_fit, free_vae);
}

static void same_models(const char *settings)
{
    fit_on(1, "alone", settings, 0, 0);
    assert_string_equal(jobs[0].error, "");
    const lam_fit_result alone = jobs[0].result;
    for (size_t size = 2; size <= 3; size++) {
        fit_on(size, "together", settings, 0, 0);
        assert_string_equal(jobs[0].error, "");
        assert_true(jobs[0].result.best_val_nll == alone.best_val_nll && jobs[0].result.test_nll == alone.test_nll);
        assert_same_model("alone", "together");
        remove_run("together");
    }
    remove_run("alone");
}

/* Without oneDNN there is nothing to fit. */
static int is_there(void)
{
    lam_net *net;
    lam_net_shape shape;
    lam_pool *pool;
    assert_int_equal(lam_net_encoder(&shape, HEIGHT, WIDTH), LAM_OK);
    assert_int_equal(lam_pool_create(1, &pool), LAM_OK);
    lam_status status = lam_net_create(&shape, pool, NULL, "auto", 1, 0, &net);
    lam_net_free(net);
    lam_pool_free(pool);
    return status == LAM_OK;
}

static void every_way_of_training(void **state)
{
    (void)state;
    if (!is_there())
        skip();
    same_models("");
    same_models("posterior planar average true");
    same_models("val-divergence estimate batch-size 20 blocks 1 clip 1");
}

/* Stopped by rank 0, continued by another number of ranks. */
static void stopped(void **state)
{
    (void)state;
    if (!is_there())
        skip();
    fit_on(1, "whole", "", 0, 0);
    fit_on(3, "parts", "", 0, 2);
    assert_int_equal(jobs[0].status, LAM_ERR_INTERRUPTED);
    assert_int_equal(jobs[0].result.iterations, 2);
    fit_on(2, "parts", "", 1, 3);
    assert_int_equal(jobs[0].result.iterations, 3);
    fit_on(1, "parts", "", 1, 0);
    assert_string_equal(jobs[0].error, "");
    assert_same_model("whole", "parts");
    remove_run("parts");
    remove_run("whole");
}

/* One rank with another configuration. */
static void mistakes(void **state)
{
    (void)state;
    if (!is_there())
        skip();
    for (size_t k = 0; k < 3; k++) {
        jobs[k] = job_of("wrong", 0, 0);
        configure_vae(&jobs[k].cfg, k == 2 ? "lr 0.5" : "lr 0.1");
    }
    team_run(&ours, 3, one_fit, jobs, sizeof *jobs);
    for (size_t k = 0; k < 3; k++) {
        assert_int_equal(jobs[k].status, LAM_ERR_ARGUMENT);
        assert_string_equal(jobs[k].error, "rank 2 has another configuration than rank 0; start all ranks with the same flags");
        lam_config_clear(&jobs[k].cfg);
    }
    rmdir(scratch_path("wrong"));
}

/* ---- scores ------------------------------------------------------------------------------------------------------- */

typedef struct scoring {
    const lam_vae *model;
    size_t samples;
    lam_status status;
    lam_vae_scores scores;
    double each[IMAGES];
} scoring;

static void one_score(void *arg, const lam_comm *comm)
{
    scoring *s = arg;
    const lam_eval_options options = { .seed = 3, .batch_rows = 70, .threads = 1, .comm = comm };
    s->status = lam_vae_score(s->model, &options, lam_image_data_pixels(images, LAM_TRAIN), lam_image_data_numbers(images, LAM_TRAIN),
        s->samples > 0 ? 3 : lam_image_data_rows(images, LAM_TRAIN), s->samples, s->each, &s->scores);
}

static void scores(void **state)
{
    static scoring alone, on[3];
    lam_vae *model;
    lam_config cfg;
    (void)state;
    if (!is_there())
        skip();
    configure_vae(&cfg, "iterations 2");
    assert_int_equal(lam_vae_fit(&cfg, images, NULL, &model, NULL), LAM_OK);
    for (size_t samples = 0; samples <= 80; samples += 80) {
        alone = (scoring) { .model = model, .samples = samples };
        one_score(&alone, NULL);
        assert_int_equal(alone.status, LAM_OK);
        for (size_t k = 0; k < 3; k++)
            on[k] = (scoring) { .model = model, .samples = samples };
        team_run(&ours, 3, one_score, on, sizeof *on);
        for (size_t k = 0; k < 3; k++) {
            assert_int_equal(on[k].status, LAM_OK);
            assert_memory_equal(&on[k].scores, &alone.scores, sizeof alone.scores);
            assert_memory_equal(on[k].each, alone.each, sizeof alone.each);
        }
    }
    lam_vae_free(model);
    lam_config_clear(&cfg);
}

static int open_tests(void **state)
{
    images = make_images();
    return scratch_open(state);
}

static int close_tests(void **state)
{
    lam_image_data_free(images);
    return scratch_close(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_posterior), cmocka_unit_test(every_size), cmocka_unit_test(failures),
        cmocka_unit_test(every_way_of_training), cmocka_unit_test(stopped), cmocka_unit_test(mistakes), cmocka_unit_test(scores) };
    return cmocka_run_group_tests(tests, open_tests, close_tests);
}
