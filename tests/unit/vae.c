/* Auto-encoders from outside: fits, files, scores, pictures; and that nothing but configuration and images decides on them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define LAM_WIDTH 32
#include "base/mem.h"
#include "fitting.h"
#include "base/pool.h"
#include "base/random.h"
#include "train/batches.h"
#include "vae/data.h"
#include "vae/elbo.h"
#include "vae/solve.h"
#include "vae/trainer.h"
#include "vae/vae.h"
#include "laminar/vae.h"

enum { HEIGHT = 12, WIDTH = 8, SIZE = HEIGHT * WIDTH, IMAGES = 100, VALID = 12, TEST = 16, BATCH = 20, STEPS = 30, LATENT = 3 };

static lam_image_data *images;

/* A bar over the whole width or height, bright on dark; no two grey levels the same. */
static void draw_bar(size_t number, unsigned char *pixels)
{
    int upright = lam_random_uniform(1, LAM_DRAW_TEST, number, 0) < 0.5;
    size_t at = (size_t)((upright ? WIDTH : HEIGHT) * lam_random_uniform(1, LAM_DRAW_TEST, number, 1));
    for (size_t i = 0; i < SIZE; i++) {
        int ink = (upright ? i % WIDTH : i / WIDTH) == at;
        pixels[i] = (unsigned char)(30 * lam_random_uniform(1, LAM_DRAW_TEST, number, 2 + i) + (ink ? 225 : 0));
    }
}

static void configure_vae(lam_config *cfg)
{
    static const char *const settings[][2] = { { "model", "vae" }, { "dims", "6-5" }, { "blocks", "2" }, { "layer", "concat" },
        { "nonlinearity", "softplus" }, { "time", "0.5" }, { "latent", "3" }, { "amortised", "low-rank" }, { "rank", "2" },
        { "tpr", "true" }, { "batch-size", "20" }, { "iterations", "30" }, { "val-freq", "7" }, { "log-freq", "1" },
        { "optimizer", "adamax" }, { "lr", "2e-3" }, { "warmup", "20" }, { "binarise", "fresh" }, { "val-images", "12" }, { "test-images", "16" },
        { "threads", "1" }, { "seed", "3" } };
    lam_config_init(cfg);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        set(cfg, settings[i][0], settings[i][1]);
}

static lam_image_data *make_images(size_t height, size_t width)
{
    lam_config cfg;
    lam_image_data *out;
    unsigned char pixels[IMAGES * SIZE];
    const lam_images all = { .n = IMAGES, .height = height, .width = width, .pixels = pixels, .format = "npy" };
    configure_vae(&cfg);
    for (size_t i = 0; i < IMAGES; i++)
        draw_bar(i, pixels + i * SIZE);
    assert_int_equal(lam_image_data_build(&cfg, &all, NULL, NULL, &out), LAM_OK);
    lam_config_clear(&cfg);
    return out;
}

#ifdef LAM_HAVE_DNNL

/* ---- fits --------------------------------------------------------------------------------------------------------- */

static lam_status fit_vae(const char *run, const lam_config *cfg, lam_fit_options options, lam_status want, lam_vae **model,
    lam_fit_result *result)
{
    char folder[512];
    lam_vae *mine;
    if (run != NULL) {
        snprintf(folder, sizeof folder, "%s", scratch_path(run));
        options.run_dir = folder;
    }
    lam_status status = lam_vae_fit(cfg, images, &options, &mine, result);
    if (status != want)
        fail_msg("%s wanted, %s got: %s", lam_status_name(want), lam_status_name(status), lam_last_error());
    assert_int_equal(mine != NULL, status == LAM_OK || status == LAM_ERR_INTERRUPTED);
    if (model != NULL)
        *model = mine;
    else
        lam_vae_free(mine);
    return status;
}

static double losses[STEPS + 1], final_test;

static int keep_losses(void *user, const lam_progress *p)
{
    (void)user;
    losses[p->iteration] = p->nll;
    return 0;
}

/* A finished, undisturbed run. */
static int open_tests(void **state)
{
    lam_config cfg;
    lam_fit_result r;
    if (scratch_open(state) != 0)
        return 1;
    images = make_images(HEIGHT, WIDTH);
    configure_vae(&cfg);
    fit_vae("whole", &cfg, (lam_fit_options) { .progress = keep_losses }, LAM_OK, NULL, &r);
    final_test = r.test_nll;
    lam_config_clear(&cfg);
    return 0;
}

static int close_tests(void **state)
{
    remove_run("whole");
    lam_image_data_free(images);
    return scratch_close(state);
}

static lam_vae *load(const char *path)
{
    lam_vae *v;
    if (lam_vae_load(path, &v) != LAM_OK)
        fail_msg("%s", lam_last_error());
    return v;
}

static lam_vae *load_whole(void)
{
    return load(run_file("whole", "model.safetensors"));
}

/* What a step tells is the bound of its own rows, binarised for its epoch, at its own draws of e and of the probe, with its own beta;
 * and every step has others. */
static void a_step_by_hand(void **state)
{
    enum { AT = 8, EACH = (IMAGES - VALID - TEST) / BATCH };
    (void)state;
    lam_vae *v = load_whole();
    lam_config *cfg = &v->config;
    lam_pool *pool;
    lam_trainer trainer;
    lam_fit_state s;
    lam_parameter_map map;
    lam_step_report report;
    lam_elbo_f32 *elbo;
    lam_batches batches;
    unsigned char pixels[BATCH * SIZE];
    double h[2] = { 0 };
    const lam_elbo_options options = { .max_rows = BATCH, .gradients = 1, .trace = lam_vae_trace(cfg, 0) };
    assert_int_equal(lam_pool_create(1, &pool), LAM_OK);
    assert_int_equal(lam_vae_layout_map(&v->layout, &map), LAM_OK);
    assert_int_equal(lam_vae_trainer_create(cfg, &v->layout, &map, images, pool, NULL, &trainer), LAM_OK);
    assert_int_equal(lam_fit_state_create(&s, cfg, &map, v->layout.parameters, v->layout.blocks), LAM_OK);
    memcpy(s.params, v->params, v->layout.parameters * sizeof *v->params);
    s.iteration = AT - 1;
    assert_int_equal(trainer.step(trainer.self, &s, 0, &report), LAM_OK);

    assert_int_equal(lam_elbo_create_f32(&v->layout, cfg, pool, &options, &elbo), LAM_OK);
    assert_int_equal(lam_batches_create(&batches, cfg->seed, IMAGES - VALID - TEST, BATCH), LAM_OK);
    lam_elbo_call_f32 call = { .params = v->params, .pixels = pixels, .rows = BATCH, .beta = AT / (20.0 * EACH),
        .solve = lam_config_solve(cfg, 1, h), .draw = LAM_DRAW_LATENT, .penalty = lam_penalty_of(cfg, AT),
        .noise = { .kind = cfg->divergence, .seed = cfg->seed, .stream = AT, .purpose = LAM_DRAW_PROBE } };
    for (int other = 0; other < 4; other++) { /* 0: as it should be; then with one thing changed */
        lam_elbo_terms terms;
        memset(h, 0, sizeof h);
        call.noise.stream = AT + (other == 1);
        call.beta = other == 2 ? 1 : AT / (20.0 * EACH);
        lam_image_data_fill(images, cfg, LAM_TRAIN, lam_batches_at(&batches, AT), BATCH, (AT - 1) / EACH + (other == 3), pixels);
        assert_int_equal(lam_elbo_forward_f32(elbo, &call, NULL, &terms), LAM_OK);
        assert_int_equal(fabs(terms.loss - report.loss) <= 1e-9 * report.loss, other == 0);
        assert_int_equal(fabs(terms.negative_elbo - report.nll) <= 1e-9 * report.nll, other == 0 || other == 2);
    }
    lam_batches_clear(&batches);
    lam_elbo_free_f32(elbo);
    lam_fit_state_clear(&s);
    trainer.free(trainer.self);
    lam_free(map.matrix);
    lam_pool_free(pool);
    lam_vae_free(v);
}

static void loss_falls(void **state)
{
    double first = 0, last = 0;
    (void)state;
    for (size_t i = 1; i <= 3; i++) {
        first += losses[i] / 3;
        last += losses[STEPS + 1 - i] / 3;
    }
    assert_true(fabs(first - SIZE * log(2)) < 5); /* pixels are coin tosses at first */
    if (!(last < 0.8 * first))
        fail_msg("%g nats at first, %g after %d steps", first, last, STEPS);
}

static void threads_change_nothing(void **state)
{
    lam_config cfg;
    (void)state;
    configure_vae(&cfg);
    set(&cfg, "threads", "2");
    fit_vae("other", &cfg, (lam_fit_options) { 0 }, LAM_OK, NULL, NULL);
    assert_same_model("whole", "other");
    remove_run("other");
    lam_config_clear(&cfg);
}

/* Stopped in the warm-up, after a validation and between two, each time gone on with another number of threads. */
static void stopping_changes_nothing(void **state)
{
    static const size_t pause[] = { 4, 4, 9 };
    lam_config cfg;
    lam_fit_result r;
    (void)state;
    configure_vae(&cfg);
    for (size_t k = 0; k < 3; k++) {
        watch w = { .stop_after = pause[k] };
        set(&cfg, "threads", k % 2 ? "2" : "1");
        fit_vae("stopped", &cfg, (lam_fit_options) { .resume = 1, .progress = watching, .user = &w }, LAM_ERR_INTERRUPTED, NULL, &r);
        assert_false(r.finished);
    }
    fit_vae("stopped", &cfg, (lam_fit_options) { .resume = 1 }, LAM_OK, NULL, &r);
    assert_true(r.finished && r.iterations == STEPS);
    assert_same_model("whole", "stopped");
    assert_true(r.test_nll == final_test);
    remove_run("stopped");
    lam_config_clear(&cfg);
}

/* Parts that are no whole number of batches: every image weighs alike, in the fit's test as in scores. */
static void partial_batches(void **state)
{
    lam_config cfg;
    lam_fit_result r;
    lam_vae *v;
    lam_vae_scores s;
    double each[TEST], mean = 0;
    (void)state;
    configure_vae(&cfg);
    set(&cfg, "batch-size", "7"); /* 7 + 7 + 2 test images, 7 + 5 to validate */
    set(&cfg, "iterations", "3");
    fit_vae(NULL, &cfg, (lam_fit_options) { 0 }, LAM_OK, &v, &r);
    const lam_eval_options options = { .seed = 3 };
    assert_int_equal(lam_vae_score(v, &options, lam_image_data_pixels(images, LAM_TEST), lam_image_data_numbers(images, LAM_TEST), TEST,
        0, each, &s), LAM_OK);
    for (size_t i = 0; i < TEST; i++)
        mean -= each[i] / TEST;
    assert_true(fabs(s.negative_elbo - mean) <= 1e-12 * mean && fabs(r.test_nll - mean) <= 1e-12 * mean);
    assert_true(fabs(s.reconstruction + s.kl - mean) <= 1e-12 * mean);
    lam_vae_free(v);
    lam_config_clear(&cfg);
}

/* Stopped in every validation and in the test, whose parts are two batches and three. */
static void stopping_an_evaluation_changes_nothing(void **state)
{
    lam_config cfg;
    lam_fit_result whole, r;
    evaluation_watch all = { .skip = 1000 };
    size_t rounds = 0;
    (void)state;
    configure_vae(&cfg);
    set(&cfg, "batch-size", "7");
    set(&cfg, "iterations", "9");
    fit_vae("split", &cfg, (lam_fit_options) { .evaluating = watching_evaluations, .user = &all }, LAM_OK, NULL, &whole);
    assert_true(all.at[LAM_VALID] == 2 && all.at[LAM_TEST] == 2); /* validated after 7 and 9 iterations */
    for (lam_status status = LAM_ERR_INTERRUPTED; status == LAM_ERR_INTERRUPTED; rounds++) {
        evaluation_watch w = { .skip = rounds };
        status = rounds == 3 ? LAM_OK : LAM_ERR_INTERRUPTED;
        fit_vae("stopped", &cfg, (lam_fit_options) { .resume = 1, .evaluating = watching_evaluations, .user = &w }, status, NULL, &r);
    }
    assert_same_model("split", "stopped");
    assert_true(r.test_nll == whole.test_nll);
    remove_run("stopped");
    remove_run("split");
    lam_config_clear(&cfg);
}

/* Other posteriors, pixels, traces; and iterations from epochs. */
static void other_kinds(void **state)
{
    static const char *const kinds[][2][2] = { { { "posterior", "none" }, { "binarise", "threshold" } },
        { { "posterior", "planar" }, { "variance-max", "0.5" } }, { { "pixels", "categorical" }, { "amortised", "bias" } },
        { { "divergence", "exact" }, { "amortised", "lyper" } }, { { "first-step", "warm" }, { "amortised", "hyper" } },
        { { "amortised", "none" }, { "clip", "0.1" } } };
    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        lam_config cfg;
        lam_fit_result r;
        lam_vae *model;
        lam_vae_scores once, weighted;
        double out[2 * SIZE];
        const unsigned char *pixels = lam_image_data_pixels(images, LAM_TEST);
        configure_vae(&cfg);
        for (size_t i = 0; i < 2; i++)
            set(&cfg, kinds[k][i][0], kinds[k][i][1]);
        set(&cfg, "epochs", "2");
        fit_vae(NULL, &cfg, (lam_fit_options) { 0 }, LAM_OK, &model, &r);
        assert_int_equal(r.iterations, 2 * ((IMAGES - VALID - TEST) / BATCH));
        assert_true(r.test_nll > 0 && r.best_val_nll > 0 && isfinite(r.test_nll));
        assert_int_equal(lam_vae_score(model, NULL, pixels, NULL, 2, 0, NULL, &once), LAM_OK);
        assert_int_equal(lam_vae_score(model, NULL, pixels, NULL, 2, 5, NULL, &weighted), LAM_OK);
        assert_true(weighted.log_likelihood >= -weighted.negative_elbo && isfinite(once.negative_elbo));
        assert_int_equal(lam_vae_reconstruct(model, NULL, pixels, NULL, 2, out), LAM_OK);
        for (size_t i = 0; i < 2 * SIZE; i++)
            assert_true(out[i] > 0 && out[i] < 1);
        lam_vae_free(model);
        lam_config_clear(&cfg);
    }
}

static void bad_fits(void **state)
{
    lam_config cfg;
    lam_vae *model;
    lam_image_data *odd, *good = images;
    const lam_model *some = (const lam_model *)&cfg; /* never looked at */
    (void)state;
    configure_vae(&cfg);
    fit_vae(NULL, &cfg, (lam_fit_options) { .init = some }, LAM_ERR_ARGUMENT, NULL, NULL);
    assert_error_names("init");
    set(&cfg, "step-control", "tile");
    fit_vae(NULL, &cfg, (lam_fit_options) { 0 }, LAM_ERR_ARGUMENT, NULL, NULL);
    assert_error_names("step-control");
    set(&cfg, "step-control", "batch");
    set(&cfg, "warm-start", "flow-matching:5");
    fit_vae("never", &cfg, (lam_fit_options) { 0 }, LAM_ERR_ARGUMENT, NULL, NULL);
    assert_error_names("warm-start");
    assert_int_not_equal(access(scratch_path("never"), F_OK), 0); /* before any work is done */
    set(&cfg, "warm-start", "none");
    set(&cfg, "model", "density");
    fit_vae(NULL, &cfg, (lam_fit_options) { 0 }, LAM_ERR_ARGUMENT, NULL, NULL);
    assert_error_names("density");
    set(&cfg, "model", "vae");
    images = odd = make_images(16, 6);
    fit_vae(NULL, &cfg, (lam_fit_options) { 0 }, LAM_ERR_ARGUMENT, NULL, NULL);
    assert_error_names("multiples of 4");
    images = good;
    lam_image_data_free(odd);
    assert_int_equal(lam_vae_fit(NULL, images, NULL, &model, NULL), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_vae_fit(&cfg, NULL, NULL, &model, NULL), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_vae_fit(&cfg, images, NULL, NULL, NULL), LAM_ERR_ARGUMENT);
    lam_config_clear(&cfg);
}

/* ---- files -------------------------------------------------------------------------------------------------------- */

static void save_and_load(void **state)
{
    char again[512], *a, *b;
    size_t n, m, height, width;
    (void)state;
    snprintf(again, sizeof again, "%s", scratch_path("again.safetensors"));
    lam_vae *v = load_whole();
    lam_vae_image_size(v, &height, &width);
    assert_true(height == HEIGHT && width == WIDTH && lam_vae_config(v)->latent == LATENT);
    assert_int_equal(lam_vae_parameter_count(v), v->layout.trained);
    assert_int_equal(lam_vae_save(v, again), LAM_OK);
    a = read_model("whole", &n);
    assert_int_equal(lam_file_read(again, &b, &m), LAM_OK);
    assert_true(n == m && memcmp(a, b, n) == 0);
    v->params[7] = NAN;
    assert_int_equal(lam_vae_save(v, again), LAM_ERR_DATA);
    lam_vae_free(v);
    free(a);
    free(b);
    assert_int_equal(unlink(again), 0);
}

static void refuse(const char *path, lam_status want, const char *fragment)
{
    lam_vae *v = (lam_vae *)1;
    lam_status status = lam_vae_load(path, &v);
    if (status != want)
        fail_msg("%s wanted, %s got: %s", lam_status_name(want), lam_status_name(status), lam_last_error());
    assert_null(v);
    assert_error_names(fragment);
}

/* The file with a text of its header replaced by another of the same length. */
static void refuse_edited(const char *path, const char *from, const char *to, lam_status want, const char *fragment)
{
    size_t n, length = strlen(from);
    char *text = read_model("whole", &n), *at = text;
    assert_int_equal(strlen(to), length);
    while (at + length <= text + n && memcmp(at, from, length) != 0)
        at++;
    if (at + length > text + n)
        fail_msg("no %s in the header", from);
    memcpy(at, to, length);
    scratch_write("damaged.safetensors", text, n);
    refuse(path, want, fragment);
    free(text);
}

static void damaged_files(void **state)
{
    char path[512];
    size_t n;
    (void)state;
    snprintf(path, sizeof path, "%s", scratch_path("damaged.safetensors"));
    char *text = read_model("whole", &n);
    const float bad = INFINITY;
    for (size_t k = 0; k < 4; k++) { /* cut short */
        scratch_write("damaged.safetensors", text, k == 0 ? 0 : n * k / 4);
        refuse(path, LAM_ERR_FORMAT, "");
    }
    memcpy(text + n - sizeof bad, &bad, sizeof bad);
    scratch_write("damaged.safetensors", text, n);
    refuse(path, LAM_ERR_DATA, "finite");
    free(text);
    refuse_edited(path, "q_z_mean.bias", "q_z_mean.bios", LAM_ERR_SHAPE, "q_z_mean.bias");
    refuse_edited(path, "[12,8]", "[8,12]", LAM_ERR_SHAPE, "q_z_nn.5.h.weight");
    refuse_edited(path, "[12,8]", "[12,9]", LAM_ERR_ARGUMENT, "multiples of 4");
    refuse_edited(path, "[12,8]", "[-2,8]", LAM_ERR_FORMAT, "image_size");
    refuse_edited(path, "[12,8]", "[12,8 ", LAM_ERR_FORMAT, "image_size");
    refuse_edited(path, "[12,8]", "[12.5]", LAM_ERR_FORMAT, "image_size");
    refuse_edited(path, "image_size", "image_sise", LAM_ERR_FORMAT, "image_size");
    refuse_edited(path, "data_hash", "data_hush", LAM_ERR_FORMAT, "data_hash");
    assert_int_equal(unlink(path), 0);
    refuse(path, LAM_ERR_IO, "damaged.safetensors");
}

static void the_other_kind_of_model(void **state)
{
    lam_config cfg;
    lam_model *density;
    (void)state;
    data = make_data(1);
    configure(&cfg);
    set(&cfg, "iterations", "2");
    fit_into("density", &cfg, (lam_fit_options) { 0 }, LAM_OK, NULL);
    refuse(run_file("density", "model.safetensors"), LAM_ERR_SHAPE, "a density of rows");
    assert_int_equal(lam_model_load(run_file("whole", "model.safetensors"), NULL, &density), LAM_ERR_SHAPE);
    assert_error_names("a variational auto-encoder");
    remove_run("density");
    lam_dataset_free(data);
    lam_config_clear(&cfg);
}

/* ---- scores ------------------------------------------------------------------------------------------------------- */

/* Of the last score(): every image's, whose mean the score's is. */
static double each[TEST];

static lam_vae_scores score(const lam_vae *v, const lam_eval_options *options, size_t n, size_t samples)
{
    lam_vae_scores s;
    double mean = 0;
    if (lam_vae_score(v, options, lam_image_data_pixels(images, LAM_TEST), lam_image_data_numbers(images, LAM_TEST), n, samples, each, &s)
        != LAM_OK)
        fail_msg("%s", lam_last_error());
    assert_true(s.images == n && s.samples == samples);
    for (size_t i = 0; i < n; i++)
        mean += each[i] / (double)n;
    assert_true(fabs(mean - (samples > 0 ? s.log_likelihood : -s.negative_elbo)) <= 1e-12 * fabs(mean));
    assert_true(n < 2 || each[0] != each[1]);
    return s;
}

static void one_draw_an_image(void **state)
{
    (void)state;
    lam_vae *v = load_whole();
    lam_eval_options options = { .seed = 3, .threads = 1 };
    lam_vae_scores s = score(v, &options, TEST, 0), again;
    /* what the fit told of its test: the same draws, batches, steps, in another order of summing */
    assert_true(fabs(s.negative_elbo - final_test) <= 1e-12 * final_test);
    assert_true(fabs(s.reconstruction + s.kl - s.negative_elbo) <= 1e-12 * s.negative_elbo);
    assert_true(s.negative_elbo_se > 0 && isnan(s.log_likelihood) && isnan(s.effective_samples));
    options.threads = 2;
    again = score(v, &options, TEST, 0);
    assert_true(again.negative_elbo == s.negative_elbo);
    for (size_t b = 0; b < 2; b++)
        v->h_star_test[b] = 0.05;
    s = score(v, &options, TEST, 0);
    options.atol = options.rtol = 1e-2; /* a thousand times: the remembered step grows fourfold */
    again = score(v, &options, TEST, 0);
    assert_true(again.counts.forward < s.counts.forward / 2);
    options.atol = options.rtol = 0;
    options.seed = 4;
    again = score(v, &options, TEST, 0);
    assert_true(again.negative_elbo != s.negative_elbo && fabs(again.negative_elbo - s.negative_elbo) < 8 * s.negative_elbo_se);
    lam_vae_free(v);
}

/* An evaluation of the insides, as a score makes one. */
typedef struct inside {
    lam_config cfg;
    lam_pool *pool;
    lam_elbo_f32 *elbo;
    unsigned char pixels[64 * SIZE];
    lam_elbo_call_f32 call;
} inside;

static void open_inside(inside *in, const lam_vae *v)
{
    const lam_elbo_options options = { .max_rows = 64, .trace = LAM_TRACE_EXACT };
    in->cfg = v->config;
    in->cfg.divergence = LAM_DIV_EXACT;
    assert_int_equal(lam_pool_create(1, &in->pool), LAM_OK);
    assert_int_equal(lam_elbo_create_f32(&v->layout, &in->cfg, in->pool, &options, &in->elbo), LAM_OK);
    in->call = (lam_elbo_call_f32) { .params = v->params, .pixels = in->pixels, .rows = 50, .beta = 1,
        .solve = lam_config_solve(&in->cfg, 0, v->h_star_test), .noise = { .seed = 3, .purpose = LAM_DRAW_PROBE_EVAL },
        .draw = LAM_DRAW_LATENT_EVAL };
}

static void close_inside(inside *in)
{
    lam_elbo_free_f32(in->elbo);
    lam_pool_free(in->pool);
}

/* log 1/S sum w_s, by hand, of the first images; and what must hold whatever the model. */
static void many_draws_an_image(void **state)
{
    enum { N = 4, S = 50 };
    (void)state;
    lam_vae *v = load_whole();
    lam_eval_options options = { .seed = 3, .batch_rows = 64 };
    inside in;
    double mean = 0, elbo = 0, error = 0, effective = 0;
    open_inside(&in, v);
    for (size_t i = 0; i < N; i++) {
        double weight[S], sum = 0, squares = 0, spread = 0, largest = -INFINITY;
        lam_elbo_terms terms;
        for (size_t k = 0; k < S; k++)
            lam_image_data_range(images, &in.cfg, LAM_TEST, NULL, i, 1, in.pixels + k * SIZE);
        in.call.noise.stream = lam_image_data_numbers(images, LAM_TEST)[i];
        assert_int_equal(lam_elbo_forward_f32(in.elbo, &in.call, weight, &terms), LAM_OK);
        for (size_t k = 0; k < S; k++) {
            elbo -= weight[k] / (N * S);
            largest = fmax(largest, weight[k]);
        }
        for (size_t k = 0; k < S; k++) {
            sum += exp(weight[k] - largest) / S;
            squares += exp(2 * (weight[k] - largest)) / S;
        }
        for (size_t k = 0; k < S; k++)
            spread += pow(exp(weight[k] - largest) / sum - 1, 2) / (S - 1);
        mean += (largest + log(sum)) / N;
        error += spread / S / (N * N);
        effective += sum * sum / squares * S / N;
    }
    lam_vae_scores s = score(v, &options, N, S), one = score(v, &options, N, 1), all = score(v, &options, TEST, S);
    assert_true(fabs(s.log_likelihood - mean) <= 1e-12 * fabs(mean));
    assert_true(fabs(s.negative_elbo - elbo) <= 1e-12 * elbo);
    assert_true(fabs(s.sampling_se - sqrt(error)) <= 1e-9 * sqrt(error));
    assert_true(fabs(s.effective_samples - effective) <= 1e-9 * effective && effective > 1 && effective < S);
    assert_true(s.log_likelihood > -s.negative_elbo && s.log_likelihood_se > 0);
    assert_true(fabs(one.log_likelihood + one.negative_elbo) <= 1e-12 * elbo && isnan(one.sampling_se) && one.effective_samples == 1);
    lam_vae_scores once = score(v, &options, TEST, 0);
    assert_true(fabs(all.negative_elbo - once.negative_elbo) < 4 * once.negative_elbo_se);
    assert_true(-all.log_likelihood <= once.negative_elbo + 4 * once.negative_elbo_se);
    options.batch_rows = 7; /* in other batches: other steps, the same draws */
    lam_vae_scores other = score(v, &options, N, S);
    assert_true(fabs(other.log_likelihood - s.log_likelihood) < 1e-3);
    close_inside(&in);
    lam_vae_free(v);
}

static int stop_at_once(void *user, size_t done, size_t total)
{
    size_t *seen = user;
    *seen = done;
    return done < total;
}

static void evaluations_can_be_stopped(void **state)
{
    (void)state;
    size_t seen = 0;
    double out[TEST * SIZE];
    lam_vae *v = load_whole();
    lam_vae_scores s;
    const unsigned char *pixels = lam_image_data_pixels(images, LAM_TEST);
    lam_eval_options options = { .batch_rows = 4, .progress = stop_at_once, .user = &seen };
    assert_int_equal(lam_vae_score(v, &options, pixels, NULL, TEST, 0, NULL, &s), LAM_ERR_INTERRUPTED);
    assert_int_equal(seen, 4);
    assert_int_equal(lam_vae_score(v, &options, pixels, NULL, 2, 9, NULL, &s), LAM_ERR_INTERRUPTED);
    assert_int_equal(lam_vae_reconstruct(v, &options, pixels, NULL, TEST, out), LAM_ERR_INTERRUPTED);
    assert_int_equal(lam_vae_sample(v, &options, 1, 9, out), LAM_ERR_INTERRUPTED);
    assert_int_equal(seen, 4);
    assert_int_equal(lam_vae_interpolate(v, &options, pixels, NULL, 3, out), LAM_ERR_INTERRUPTED);
    assert_int_equal(seen, 1);
    assert_int_equal(lam_vae_score(v, NULL, pixels, NULL, 0, 0, NULL, &s), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_vae_score(v, NULL, NULL, NULL, 1, 0, NULL, &s), LAM_ERR_ARGUMENT);
    lam_vae_free(v);
}

/* ---- pictures ----------------------------------------------------------------------------------------------------- */

static void check_pictures(const double *out, size_t n)
{
    double low = 1, high = 0;
    for (size_t i = 0; i < n * SIZE; i++) {
        assert_true(out[i] >= 0 && out[i] <= 1);
        low = fmin(low, out[i]);
        high = fmax(high, out[i]);
    }
    assert_true(high - low > 0.02); /* something is drawn */
}

static double off(const double *a, const double *b, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs(a[i] - b[i]));
    return most;
}

/* In batches of 4 and all at once: the same pictures, to the solve's tolerance. */
static void reconstructions(void **state)
{
    static double whole[TEST * SIZE], parts[TEST * SIZE];
    const unsigned char *pixels = lam_image_data_pixels(images, LAM_TEST);
    const size_t *numbers = lam_image_data_numbers(images, LAM_TEST);
    (void)state;
    lam_vae *v = load_whole();
    lam_eval_options options = { .seed = 8 };
    assert_int_equal(lam_vae_reconstruct(v, &options, pixels, numbers, TEST, whole), LAM_OK);
    check_pictures(whole, TEST);
    options.batch_rows = 4;
    assert_int_equal(lam_vae_reconstruct(v, &options, pixels, numbers, TEST, parts), LAM_OK);
    assert_true(off(whole, parts, TEST * SIZE) < 1e-3);
    options.seed = 9;
    assert_int_equal(lam_vae_reconstruct(v, &options, pixels, numbers, TEST, parts), LAM_OK);
    assert_true(off(whole, parts, TEST * SIZE) > 1e-4);
    lam_vae_free(v);
}

static void samples(void **state)
{
    static double whole[30 * SIZE], parts[30 * SIZE];
    (void)state;
    lam_vae *v = load_whole();
    lam_eval_options options = { .batch_rows = 30 };
    assert_int_equal(lam_vae_sample(v, &options, 5, 30, whole), LAM_OK);
    check_pictures(whole, 30);
    options.batch_rows = 4;
    assert_int_equal(lam_vae_sample(v, &options, 5, 30, parts), LAM_OK);
    assert_true(off(whole, parts, 30 * SIZE) < 1e-5);
    assert_true(off(whole, whole + SIZE, SIZE) > 1e-4);
    assert_int_equal(lam_vae_sample(v, &options, 6, 30, parts), LAM_OK);
    assert_true(off(whole, parts, SIZE) > 1e-4);
    lam_vae_free(v);
}

/* Ends are what the means of the two images decode to. */
static void interpolations(void **state)
{
    static double out[5 * SIZE], none[6];
    const unsigned char *pixels = lam_image_data_pixels(images, LAM_TEST);
    const size_t *numbers = lam_image_data_numbers(images, LAM_TEST);
    (void)state;
    lam_vae *v = load_whole();
    inside in;
    double z[6];
    float logits[2 * SIZE];
    lam_elbo_terms terms = { 0 };
    open_inside(&in, v);
    assert_int_equal(lam_vae_interpolate(v, NULL, pixels, numbers, 5, out), LAM_OK);
    check_pictures(out, 5);
    lam_image_levels(&in.cfg, pixels, numbers, 0, 2, SIZE, in.pixels);
    in.call.rows = 2;
    assert_int_equal(lam_elbo_encode_f32(in.elbo, &in.call), LAM_OK);
    assert_int_equal(lam_elbo_push_f32(in.elbo, &in.call, none, z, &terms), LAM_OK);
    assert_int_equal(lam_elbo_decode_f32(in.elbo, v->params, z, 2, logits), LAM_OK);
    for (size_t i = 0; i < 2 * SIZE; i++) {
        double mean = 1 / (1 + exp(-(double)logits[i])), end = out[i < SIZE ? i : 4 * SIZE + i - SIZE];
        assert_true(fabs(mean - end) < 1e-4); /* there one by one, here as a batch: other steps */
    }
    assert_true(off(out, out + 2 * SIZE, SIZE) > 0 && off(out + 2 * SIZE, out + 4 * SIZE, SIZE) > 0);
    assert_int_equal(lam_vae_interpolate(v, NULL, pixels, numbers, 1, out + SIZE), LAM_OK);
    assert_memory_equal(out, out + SIZE, SIZE * sizeof *out);
    assert_int_equal(lam_vae_interpolate(v, NULL, NULL, NULL, 2, out), LAM_ERR_ARGUMENT);
    close_inside(&in);
    lam_vae_free(v);
}

/* ---- codes -------------------------------------------------------------------------------------------------------- */

/* Codes of means are what the insides push there, those of draws what a reconstruction decodes; and decoding is one way of both. */
static void codes(void **state)
{
    static double z[TEST * LATENT], drawn[TEST * LATENT], want[TEST * LATENT], none[TEST * LATENT], out[TEST * SIZE], whole[TEST * SIZE];
    const unsigned char *pixels = lam_image_data_pixels(images, LAM_TEST);
    const size_t *numbers = lam_image_data_numbers(images, LAM_TEST);
    (void)state;
    lam_vae *v = load_whole();
    const lam_eval_options options = { .seed = 8, .batch_rows = TEST };
    inside in;
    lam_elbo_terms terms = { 0 };
    open_inside(&in, v);
    lam_image_levels(&in.cfg, pixels, numbers, 0, TEST, SIZE, in.pixels);
    in.call.rows = TEST;
    assert_int_equal(lam_elbo_encode_f32(in.elbo, &in.call), LAM_OK);
    assert_int_equal(lam_elbo_push_f32(in.elbo, &in.call, none, want, &terms), LAM_OK);
    assert_int_equal(lam_vae_encode(v, &options, pixels, numbers, TEST, 0, z), LAM_OK);
    assert_true(off(z, want, TEST * LATENT) < 1e-12);
    assert_true(off(z, z + LATENT, LATENT) > 1e-6);
    assert_int_equal(lam_vae_encode(v, &options, pixels, numbers, TEST, 1, drawn), LAM_OK);
    assert_true(off(z, drawn, TEST * LATENT) > 1e-3);
    assert_int_equal(lam_vae_decode(v, &options, drawn, TEST, out), LAM_OK);
    assert_int_equal(lam_vae_reconstruct(v, &options, pixels, numbers, TEST, whole), LAM_OK);
    assert_true(off(out, whole, TEST * SIZE) < 1e-6);
    lam_eval_options few = { .batch_rows = 4 };
    assert_int_equal(lam_vae_decode(v, &few, drawn, TEST, whole), LAM_OK);
    assert_true(off(out, whole, TEST * SIZE) < 1e-5);
    drawn[3 * LATENT + 1] = (double)NAN;
    assert_int_equal(lam_vae_decode(v, NULL, drawn, TEST, out), LAM_ERR_DATA);
    assert_error_names("row 4: z2 is NaN");
    size_t seen = 0;
    few.progress = stop_at_once;
    few.user = &seen;
    assert_int_equal(lam_vae_encode(v, &few, pixels, NULL, TEST, 0, z), LAM_ERR_INTERRUPTED);
    assert_int_equal(lam_vae_decode(v, &few, z, TEST, out), LAM_ERR_INTERRUPTED);
    assert_int_equal(lam_vae_encode(v, NULL, NULL, NULL, TEST, 0, z), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_vae_decode(v, NULL, z, TEST, NULL), LAM_ERR_ARGUMENT);
    close_inside(&in);
    lam_vae_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_by_hand),
        cmocka_unit_test(loss_falls),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(stopping_changes_nothing),
        cmocka_unit_test(stopping_an_evaluation_changes_nothing),
        cmocka_unit_test(partial_batches),
        cmocka_unit_test(other_kinds),
        cmocka_unit_test(bad_fits),
        cmocka_unit_test(save_and_load),
        cmocka_unit_test(damaged_files),
        cmocka_unit_test(the_other_kind_of_model),
        cmocka_unit_test(one_draw_an_image),
        cmocka_unit_test(many_draws_an_image),
        cmocka_unit_test(evaluations_can_be_stopped),
        cmocka_unit_test(reconstructions),
        cmocka_unit_test(samples),
        cmocka_unit_test(interpolations),
        cmocka_unit_test(codes),
    };
    return cmocka_run_group_tests(tests, open_tests, close_tests);
}

#else

static void says_what_is_missing(void **state)
{
    lam_config cfg;
    lam_vae *model;
    (void)state;
    configure_vae(&cfg);
    images = make_images(HEIGHT, WIDTH);
    assert_int_equal(lam_vae_fit(&cfg, images, NULL, &model, NULL), LAM_ERR_UNSUPPORTED);
    assert_null(model);
    assert_error_names("libdnnl-dev");
    print_message("this build has no oneDNN: auto-encoders are not tested further\n");
    lam_image_data_free(images);
    lam_config_clear(&cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(says_what_is_missing) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
