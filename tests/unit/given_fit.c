/* Fits of densities that are conditional on given columns (method.md 14), and their models: the same bits however they were run, files,
 * scoring, draws, and what is refused. */
#include "model/model.h"
#include "model/safetensors.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "fitting.h"

enum { ROWS = 40, DRAWS = 3 };

static int given_set_up(void **state)
{
    if (scratch_open(state) != 0)
        return 1;
    data = make_data_given(1, "2");
    return 0;
}

static int given_tear_down(void **state)
{
    lam_dataset_free(data);
    return scratch_close(state);
}

static void configure_given(lam_config *cfg)
{
    configure(cfg);
    set(cfg, "given", "2");
    set(cfg, "context-dims", "6");
}

static lam_model *fitted(const char *const more[][2], size_t n)
{
    lam_config cfg;
    lam_model *model;
    configure_given(&cfg);
    for (size_t i = 0; i < n; i++)
        set(&cfg, more[i][0], more[i][1]);
    assert_int_equal(lam_fit(&cfg, data, NULL, &model, NULL), LAM_OK);
    lam_config_clear(&cfg);
    return model;
}

/* Stopped and gone on with on two threads, in float and in double, with maps, a start whose pairing is asked for in vain, and muon. */
static void the_same_bits(void **state)
{
    (void)state;
    static const char *const ways[][5][2] = {
        { { "warm-start", "none" } },
        { { "warm-start", "flow-matching:5" }, { "map", "normal-scores" }, { "warm-start-pairing", "minibatch" }, { "optimizer", "muon" } },
        { { "precision", "double" }, { "step-control", "tile" }, { "average", "true" }, { "kinetic-coefficient", "0.1" } },
    };
    for (size_t i = 0; i < 3; i++) {
        lam_config cfg;
        configure_given(&cfg);
        for (size_t k = 0; k < 5 && ways[i][k][0] != NULL; k++)
            set(&cfg, ways[i][k][0], ways[i][k][1]);
        assert_stopping_does_not_matter(&cfg, 4 + 3 * i);
        lam_config_clear(&cfg);
    }
}

/* What a fit says of its test rows is what their log-densities come to, from its file too, and better than the Gaussian beside it. */
static void scores(void **state)
{
    (void)state;
    lam_config cfg;
    lam_fit_result r;
    lam_model *model, *copy;
    double logp[ROWS], again[ROWS], sum = 0, sum_moving = 0;
    const lam_eval_options standardised = { .units = LAM_UNITS_STANDARDISED };
    const unsigned char roles[2] = { LAM_MOVING, LAM_GIVEN };
    size_t rows;
    configure_given(&cfg);
    set(&cfg, "map", "normal-scores:8");
    set(&cfg, "iterations", "80");
    assert_int_equal(lam_fit(&cfg, data, NULL, &model, &r), LAM_OK);
    const double *x = lam_dataset_rows(data, LAM_TEST, &rows);
    assert_int_equal(rows, ROWS);
    assert_int_equal(lam_log_prob(model, &standardised, x, ROWS, logp, NULL), LAM_OK);
    for (size_t i = 0; i < ROWS; i++)
        sum += logp[i] / ROWS;
    assert_true(fabs(sum + r.test_nll) < 1e-4 * fabs(sum) + 1e-5);
    assert_true(r.test_nll < r.gaussian_test_nll && r.mixture_components == 0);
    assert_int_equal(lam_conditional_log_prob(model, &standardised, &(lam_query){ x, ROWS, roles, 1 }, again, NULL), LAM_OK);
    assert_memory_equal(again, logp, sizeof logp);
    assert_int_equal(lam_model_save(model, scratch_path("given.safetensors")), LAM_OK);
    assert_int_equal(lam_model_load(scratch_path("given.safetensors"), NULL, &copy), LAM_OK);
    assert_int_equal(lam_log_prob(copy, &standardised, x, ROWS, again, NULL), LAM_OK);
    assert_memory_equal(again, logp, sizeof logp);
    assert_int_equal(lam_model_role(copy, 0), LAM_MOVING);
    assert_int_equal(lam_model_role(copy, 1), LAM_GIVEN);
    assert_int_equal(lam_model_given_count(copy), 1);
    assert_int_equal(lam_model_dim(copy), 2);
    unlink(scratch_path("given.safetensors"));
    for (size_t i = 0; i < ROWS; i++) /* the Jacobian of the units is the moving column's alone */
        sum_moving += again[i] / ROWS;
    double data_x[ROWS * 2];
    for (size_t i = 0; i < ROWS * 2; i++)
        data_x[i] = x[i] * copy->scale[i % 2] + copy->mean[i % 2];
    assert_int_equal(lam_log_prob(copy, NULL, data_x, ROWS, again, NULL), LAM_OK);
    for (size_t i = 0; i < ROWS; i++)
        assert_true(fabs(again[i] - (logp[i] - log(copy->scale[0]))) < 1e-4);
    assert_true(isfinite(sum_moving));
    lam_model_free(model);
    lam_model_free(copy);
    lam_config_clear(&cfg);
}

/* With one moving column the conditional density integrates to 1 for every given value, inside of the training rows and far outside. */
static void mass_is_one(void **state)
{
    (void)state;
    static const char *const more[][2] = { { "map", "normal-scores:8" }, { "iterations", "60" } };
    enum { POINTS = 1600 };
    static const double at[] = { -1, 0.3, 4 };
    const lam_eval_options options = { .units = LAM_UNITS_STANDARDISED, .use_double = 1 };
    lam_model *model = fitted(more, 2);
    static double x[POINTS * 2], logp[POINTS];
    for (size_t k = 0; k < 3; k++) {
        double mass = 0, step = 16.0 / POINTS;
        for (size_t i = 0; i < POINTS; i++) {
            x[2 * i] = -8 + ((double)i + 0.5) * step;
            x[2 * i + 1] = at[k];
        }
        assert_int_equal(lam_log_prob(model, &options, x, POINTS, logp, NULL), LAM_OK);
        for (size_t i = 0; i < POINTS; i++)
            mass += exp(logp[i]) * step;
        assert_true(fabs(mass - 1) < 2e-3);
    }
    lam_model_free(model);
}

static void draws(void **state)
{
    (void)state;
    static const char *const more[][2] = { { "map", "normal-scores:8" }, { "precision", "double" } };
    lam_model *model = fitted(more, 2);
    double x[ROWS * 2], out[ROWS * DRAWS * 2], logp[ROWS * DRAWS], scored[ROWS * DRAWS], some[2 * DRAWS * 2], z[ROWS * 2], back[ROWS * 2];
    const lam_eval_options three = { .threads = 3, .batch_rows = 1000 };
    size_t rows;
    const double *standardised = lam_dataset_rows(data, LAM_TEST, &rows);
    for (size_t i = 0; i < ROWS * 2; i++)
        x[i] = i % 2 == 0 ? NAN : standardised[i] * model->scale[1] + model->mean[1];
    assert_int_equal(lam_conditional_sample(model, NULL, 5, &(lam_query){ x, ROWS, NULL, 0 }, DRAWS, out, logp, NULL), LAM_OK);
    for (size_t i = 0; i < ROWS * DRAWS; i++)
        assert_true(out[2 * i + 1] == x[2 * (i / DRAWS) + 1]);
    assert_true(out[0] != out[2] && out[0] != out[2 * DRAWS]);
    assert_int_equal(lam_log_prob(model, NULL, out, ROWS * DRAWS, scored, NULL), LAM_OK);
    for (size_t i = 0; i < ROWS * DRAWS; i++)
        assert_true(fabs(scored[i] - logp[i]) < 1e-3);
    assert_int_equal(lam_conditional_sample(model, &three, 5, &(lam_query){ x, 2, NULL, 0 }, DRAWS, some, NULL, NULL), LAM_OK);
    for (size_t i = 0; i < 2 * DRAWS * 2; i++) /* adaptive steps are the batch's */
        assert_true(fabs(some[i] - out[i]) < 1e-3);
    assert_int_equal(lam_encode(model, NULL, out, ROWS, z, NULL), LAM_OK);
    assert_int_equal(lam_decode(model, NULL, z, ROWS, back, NULL), LAM_OK);
    for (size_t i = 0; i < ROWS * 2; i++)
        assert_true(i % 2 == 1 ? z[i] == out[i] && back[i] == out[i] : fabs(back[i] - out[i]) < 1e-3);
    lam_model_free(model);
}

static void refused(lam_status status, lam_status want, const char *word)
{
    assert_int_equal(status, want);
    if (strstr(lam_last_error(), word) == NULL)
        fail_msg("\"%s\" is not in: %s", word, lam_last_error());
}

/* A file from before blocks shared the maps of their context is taken as it was written: its program gave these log-densities. */
static void older_files(void **state)
{
    (void)state;
    const double x[6] = { 0.25, -0.5, -1, 0.75, 1.5, 0.125 };
    const double before[3] = { -1.1736071234435608, -0.81483837817858196, -0.71289492965230261 }; /* y given x */
    double logp[3], again[3];
    char word[8];
    lam_model *model, *copy;
    if (lam_model_load(LAM_VECTORS "/own_maps.safetensors", NULL, &model) != LAM_OK)
        fail_msg("%s", lam_last_error());
    assert_int_equal(lam_config_get(lam_model_config(model), "context-maps", word, sizeof word), LAM_OK);
    assert_string_equal(word, "own");
    assert_int_equal(lam_log_prob(model, NULL, x, 3, logp, NULL), LAM_OK);
    for (size_t i = 0; i < 3; i++) /* of double precision, on another instruction set */
        assert_true(fabs(logp[i] - before[i]) < 1e-11);
    assert_int_equal(lam_model_save(model, scratch_path("own.safetensors")), LAM_OK);
    assert_int_equal(lam_model_load(scratch_path("own.safetensors"), NULL, &copy), LAM_OK);
    assert_int_equal(lam_log_prob(copy, NULL, x, 3, again, NULL), LAM_OK);
    assert_memory_equal(again, logp, sizeof logp);
    lam_model_free(model);
    lam_model_free(copy);
}

/* By default more than one block share them, and the file says so. */
static void shared_maps(void **state)
{
    (void)state;
    static const char *const ways[3][2][2] = { { { "blocks", "2" } }, { { "blocks", "1" } }, { { "blocks", "2" }, { "context-maps", "own" } } };
    size_t parameters[3];
    for (size_t i = 0; i < 3; i++) {
        lam_model *model = fitted(ways[i], i == 2 ? 2 : 1);
        lam_st_file file;
        const char *path = scratch_path("maps.safetensors");
        parameters[i] = model->layout.context.parameters;
        assert_int_equal(model->config.context_maps, i == 0 ? LAM_CONTEXT_SHARED : LAM_CONTEXT_OWN);
        assert_int_equal(lam_model_save(model, path), LAM_OK);
        assert_int_equal(lam_st_read(path, &file), LAM_OK);
        assert_int_equal(strcmp(lam_st_meta(&file, "laminar"), "7") == 0, i == 0);
        assert_int_equal(lam_st_find(&file, "context.layers.1.weight") != NULL, i == 0);
        assert_int_equal(lam_st_find(&file, "context.chain.0.layers.1.weight") != NULL, i != 0);
        lam_st_free(&file);
        lam_model_free(model);
    }
    assert_true(parameters[0] == parameters[1] && parameters[2] == parameters[0] + (6 + 1) * 16); /* 16 hidden units a block */
}

/* A format and a configuration that say different things of them. */
static void contradictions(void **state)
{
    (void)state;
    static char file[1 << 16];
    static const char *const none[][2] = { { "iterations", "2" } };
    lam_model *model = fitted(none, 1), *other;
    const char *path = scratch_path("told.safetensors"), *said = "context-maps: shared";
    assert_int_equal(lam_model_save(model, path), LAM_OK);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(file, 1, sizeof file, f);
    assert_true(n < sizeof file);
    fclose(f);
    size_t at = 0;
    while (at + strlen(said) < n && memcmp(file + at, said, strlen(said)) != 0)
        at++;
    assert_true(at + strlen(said) < n);
    memcpy(file + at, "context-maps: own   ", strlen(said));
    scratch_write("told.safetensors", file, n);
    refused(lam_model_load(path, NULL, &other), LAM_ERR_FORMAT, "maps of a context that blocks share");
    lam_model_free(model);
}

/* A fit that starts from a model has its maps where nothing is said, and other ones are refused. */
static void starts(void **state)
{
    (void)state;
    static const char *const own[][2] = { { "context-maps", "own" }, { "iterations", "2" } };
    lam_model *model = fitted(own, 2), *started;
    lam_config cfg;
    configure_given(&cfg);
    set(&cfg, "iterations", "2");
    assert_int_equal(lam_fit(&cfg, data, &(lam_fit_options) { .init = model }, &started, NULL), LAM_OK);
    assert_int_equal(started->config.context_maps, LAM_CONTEXT_OWN);
    lam_model_free(started);
    set(&cfg, "context-maps", "shared");
    refused(lam_fit(&cfg, data, &(lam_fit_options) { .init = model }, &started, NULL), LAM_ERR_SHAPE, "context-maps");
    lam_model_free(model);
    lam_config_clear(&cfg);
}

static void refusals(void **state)
{
    (void)state;
    static const char *const none[][2] = { { "iterations", "2" } };
    static const char *const wrong[][2] = { { "1,2", "none is left" }, { "2,2", "named twice" }, { "3", "3" } };
    const unsigned char other[2] = { LAM_GIVEN, LAM_MOVING };
    lam_model *model = fitted(none, 1), *started;
    double x[2] = { 0, NAN }, y[2];
    lam_config cfg;
    lam_table *table;
    lam_dataset *built;
    refused(lam_sample(model, NULL, 1, 1, y, NULL, NULL), LAM_ERR_ARGUMENT, "given");
    refused(lam_conditional_log_prob(model, NULL, &(lam_query){ x, 1, other, 1 }, y, NULL), LAM_ERR_ARGUMENT, "fitted");
    refused(lam_conditional_log_prob(model, NULL, &(lam_query){ x, 2, other, 3 }, y, NULL), LAM_ERR_ARGUMENT, "3 rows of roles");
    refused(lam_conditional_sample(model, NULL, 1, &(lam_query){ x, 1, NULL, 0 }, 1, y, NULL, NULL), LAM_ERR_DATA, "column 2");
    configure(&cfg);
    refused(lam_fit(&cfg, data, NULL, &started, NULL), LAM_ERR_ARGUMENT, "data set");
    assert_int_equal(lam_table_toy("pinwheel", 60, 1, &table), LAM_OK);
    for (size_t i = 0; i < 3; i++) {
        set(&cfg, "given", wrong[i][0]);
        refused(lam_dataset_build(&cfg, table, NULL, NULL, NULL, &built), LAM_ERR_ARGUMENT, wrong[i][1]);
    }
    set(&cfg, "given", "2");
    set(&cfg, "gradient", "adjoint");
    set(&cfg, "tpr-coefficient", "0");
    refused(lam_fit(&cfg, data, NULL, &started, NULL), LAM_ERR_UNSUPPORTED, "adjoint");
    set(&cfg, "gradient", "steps");
    set(&cfg, "context-dims", "7"); /* other than that of the model to start from */
    refused(lam_fit(&cfg, data, &(lam_fit_options) { .init = model }, &started, NULL), LAM_ERR_SHAPE, "context-dims");
    set(&cfg, "model", "vae");
    refused(lam_config_check(&cfg), LAM_ERR_ARGUMENT, "given");
    lam_table_free(table);
    lam_model_free(model);
    lam_config_clear(&cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_same_bits), cmocka_unit_test(scores), cmocka_unit_test(mass_is_one),
        cmocka_unit_test(draws), cmocka_unit_test(refusals), cmocka_unit_test(older_files), cmocka_unit_test(shared_maps), cmocka_unit_test(contradictions),
        cmocka_unit_test(starts) };
    return cmocka_run_group_tests(tests, given_set_up, given_tear_down);
}
