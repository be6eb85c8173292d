/* The table of parameters: names, ranges, defaults, suggestions, consistency. */
#include "config_assert.h"
#include "model/config_yaml.h"
#include "model/config.h"
#include <math.h>
#include <stdlib.h>

static void assert_refused(lam_config *cfg, const char *name, const char *value, const char *part)
{
    if (lam_config_set(cfg, name, value) != LAM_ERR_ARGUMENT)
        fail_msg("%s = \"%s\" was accepted", name, value);
    assert_said(part);
}

static void defaults_are_the_documented_ones(void **state)
{
    (void)state;
    lam_config cfg;
    memset(&cfg, 0x5a, sizeof cfg); /* init does not look at what was there */
    lam_config_init(&cfg);
    const char *const expected[][2] = {
        { "model", "density" }, { "dims", "auto" }, { "blocks", "auto" }, { "layer", "concat" }, { "nonlinearity", "tanh" }, { "context-dims", "auto" }, { "context-maps", "auto" }, { "time", "1" },
        { "train-time", "false" }, { "precision", "float" }, { "solver", "dopri5" }, { "atol", "0.0001" },
        { "rtol", "0.0001" }, { "test-atol", "1.0e-5" }, { "test-rtol", "1.0e-5" }, { "test-solver", "auto" },
        { "test-steps", "0" }, { "test-trace-points", "0" }, { "first-step", "warm" },
        { "error-parts", "z,l" }, { "end", "land" }, { "step-control", "batch" }, { "steps", "20" }, { "max-steps", "1000" },
        { "min-step", "1.0e-10" }, { "divergence", "rademacher" }, { "val-divergence", "auto" }, { "probes", "1" }, { "gradient", "steps" },
        { "memory", "512" }, { "tpr", "false" }, { "tpr-coefficient", "auto" }, { "tpr-times", "4" }, { "tpr-degree", "1" },
        { "tpr-l-weight", "auto" }, { "kinetic-coefficient", "0" }, { "jacobian-coefficient", "0" },
        { "taylor-coefficient", "0" }, { "taylor-order", "2" }, { "steer", "0" },
        { "error-coefficient", "0" }, { "error-l-weight", "1" }, { "calls", "0" }, { "calls-price", "0.25" },
        { "optimizer", "auto" }, { "schedule", "auto" }, { "lr-warmup", "50" }, { "decay-from", "0" }, { "decay-to", "0" }, { "average", "false" },
        { "batch-size", "auto" }, { "lr", "auto" }, { "weight-decay", "auto" }, { "clip", "0" },
        { "iterations", "auto" }, { "warm-start", "auto" }, { "warm-start-pairing", "minibatch" },
        { "budget", "0" }, { "max-processor-seconds", "0" }, { "early-stopping", "10" }, { "rate-cuts", "2" }, { "val-freq", "auto" },
        { "log-freq", "10" }, { "val-rows", "0" }, { "val-batch-size", "1000" }, { "seed", "0" }, { "split-seed", "0" }, { "threads", "0" }, { "reduce", "ordered" }, { "isa", "auto" },
        { "val-fraction", "0.1" }, { "test-fraction", "0.1" }, { "standardise", "true" }, { "map", "auto" }, { "whiten", "auto" }, { "calibrate", "auto" }, { "flows", "auto" },
        { "drop-bad-rows", "false" }, { "drop-duplicates", "false" }, { "header", "auto" }, { "columns", "" }, { "drop", "" }, { "given", "" }, { "any-given", "false" }, { "noise", "" },
        { "latent", "64" }, { "posterior", "cnf" }, { "amortised", "low-rank" }, { "rank", "20" }, { "pixels", "binary" },
        { "binarise", "fixed" }, { "invert", "false" }, { "variance-min", "0" }, { "variance-max", "0" }, { "epochs", "0" },
        { "warmup", "100" }, { "val-images", "0" }, { "test-images", "0" },
    };
    const size_t n = sizeof expected / sizeof expected[0];
    for (size_t i = 0; i < n; i++) {
        assert_non_null(lam_parameter_at(i));
        assert_string_equal(lam_parameter_at(i)->name, expected[i][0]);
        assert_value(&cfg, expected[i][0], expected[i][1]);
    }
    assert_null(lam_parameter_at(n));
    assert_int_equal(lam_config_check(&cfg), LAM_OK);
    lam_config_clear(&cfg);
}

/* A configuration says what concerns its kind of model, and reads back so. */
static void kinds_print_their_own_groups(void **state)
{
    (void)state;
    for (size_t i = 0; lam_parameter_at(i) != NULL; i++) {
        const char *group = lam_parameter_at(i)->group;
        assert_int_equal(lam_parameter_applies(i, LAM_DENSITY), strcmp(group, "vae") != 0);
        assert_int_equal(lam_parameter_applies(i, LAM_VAE), strcmp(group, "data") != 0);
    }
    for (int kind = LAM_DENSITY; kind <= LAM_VAE; kind++) {
        lam_config cfg, read;
        char *text;
        size_t size;
        lam_config_init(&cfg);
        lam_config_init(&read);
        cfg.model = (lam_model_kind)kind;
        cfg.rank = 7, cfg.val_fraction = 0.25;
        assert_int_equal(lam_config_print(&cfg, &text, &size), LAM_OK);
        assert_int_equal(strstr(text, "rank: 7") != NULL, kind == LAM_VAE);
        assert_int_equal(strstr(text, "val-fraction: 0.25") != NULL, kind == LAM_DENSITY);
        assert_int_equal(lam_config_parse(&read, text, size, "text"), LAM_OK);
        assert_int_equal(read.model, kind);
        assert_int_equal(read.rank, kind == LAM_VAE ? 7 : 20);
        free(text);
    }
}

/* Words of the table are enums by their place: each value must be the enum that its name says. */
static void words_are_the_enums(void **state)
{
    (void)state;
    lam_config cfg;
    lam_config_init(&cfg);
#define CHECK_WORD(name, text, field, code)                          \
    assert_int_equal(lam_config_set(&cfg, name, text), LAM_OK);      \
    assert_int_equal(cfg.field, code)
    CHECK_WORD("layer", "ignore", layer, LAM_LAYER_IGNORE);
    CHECK_WORD("layer", "concat_v2", layer, LAM_LAYER_CONCAT_V2);
    CHECK_WORD("layer", "concat-v2", layer, LAM_LAYER_CONCAT_V2);
    CHECK_WORD("layer", "squash", layer, LAM_LAYER_SQUASH);
    CHECK_WORD("layer", "concatsquash", layer, LAM_LAYER_CONCATSQUASH);
    CHECK_WORD("layer", "blend", layer, LAM_LAYER_BLEND);
    CHECK_WORD("layer", "hyper", layer, LAM_LAYER_HYPER);
    CHECK_WORD("nonlinearity", "softplus", nonlinearity, LAM_ACT_SOFTPLUS);
    CHECK_WORD("nonlinearity", "elu", nonlinearity, LAM_ACT_ELU);
    CHECK_WORD("nonlinearity", "relu", nonlinearity, LAM_ACT_RELU);
    CHECK_WORD("nonlinearity", "swish", nonlinearity, LAM_ACT_SWISH);
    CHECK_WORD("nonlinearity", "square", nonlinearity, LAM_ACT_SQUARE);
    CHECK_WORD("nonlinearity", "identity", nonlinearity, LAM_ACT_IDENTITY);
    CHECK_WORD("solver", "tsit5", solver, LAM_TSIT5);
    CHECK_WORD("solver", "bosh3", solver, LAM_BOSH3);
    CHECK_WORD("solver", "heun21", solver, LAM_HEUN21);
    CHECK_WORD("solver", "dop853", solver, LAM_DOP853);
    CHECK_WORD("solver", "euler", solver, LAM_EULER);
    CHECK_WORD("solver", "midpoint", solver, LAM_MIDPOINT);
    CHECK_WORD("solver", "rk4", solver, LAM_RK4);
    CHECK_WORD("test-solver", "dopri5", test_solver, LAM_DOPRI5);
    CHECK_WORD("test-solver", "rk4", test_solver, LAM_RK4);
    CHECK_WORD("test-solver", "auto", test_solver, LAM_SOLVER_AUTO);
    CHECK_WORD("divergence", "exact", divergence, LAM_DIV_EXACT);
    CHECK_WORD("divergence", "gaussian", divergence, LAM_DIV_GAUSSIAN);
    CHECK_WORD("model", "vae", model, LAM_VAE);
    CHECK_WORD("posterior", "planar", posterior, LAM_POSTERIOR_PLANAR);
    CHECK_WORD("posterior", "none", posterior, LAM_POSTERIOR_NONE);
    CHECK_WORD("amortised", "none", amortised, LAM_AMORTISED_NONE);
    CHECK_WORD("amortised", "bias", amortised, LAM_AMORTISED_BIAS);
    CHECK_WORD("amortised", "low-rank", amortised, LAM_AMORTISED_LOW_RANK);
    CHECK_WORD("amortised", "lyper", amortised, LAM_AMORTISED_LYPER);
    CHECK_WORD("amortised", "hyper", amortised, LAM_AMORTISED_HYPER);
    CHECK_WORD("pixels", "categorical", pixels, LAM_PIXELS_CATEGORICAL);
    CHECK_WORD("binarise", "threshold", binarise, LAM_BINARISE_THRESHOLD);
    CHECK_WORD("binarise", "fresh", binarise, LAM_BINARISE_FRESH);
    CHECK_WORD("end", "overshoot", end, LAM_END_OVERSHOOT);
    CHECK_WORD("end", "land-all", end, LAM_END_LAND_ALL);
    CHECK_WORD("error-parts", "z", error_parts, LAM_ERROR_Z);
    CHECK_WORD("error-parts", "z,l", error_parts, LAM_ERROR_ZL);
    CHECK_WORD("gradient", "adjoint", gradient, LAM_GRAD_ADJOINT);
    CHECK_WORD("optimizer", "adamw", optimizer, LAM_ADAMW);
    CHECK_WORD("optimizer", "adamax", optimizer, LAM_ADAMAX);
    CHECK_WORD("precision", "double", precision, LAM_DOUBLE);
    CHECK_WORD("step-control", "tile", step_control, LAM_CONTROL_TILE);
    CHECK_WORD("first-step", "probe", first_step, LAM_STEP_PROBE);
    CHECK_WORD("first-step", "0.25", first_step, LAM_STEP_GIVEN);
    assert_true(cfg.first_step_size == 0.25);
    CHECK_WORD("first-step", "warm", first_step, LAM_STEP_WARM);
    assert_true(cfg.first_step_size == 0);
    CHECK_WORD("warm-start", "flow-matching:1", warm_start, 1);
    CHECK_WORD("warm-start", "flow-matching:1000000000000000", warm_start, 1000000000000000);
    assert_value(&cfg, "warm-start", "flow-matching:1000000000000000");
    CHECK_WORD("warm-start", "none", warm_start, 0);
    CHECK_WORD("warm-start-pairing", "minibatch", warm_start_pairing, LAM_PAIRING_MINIBATCH);
    CHECK_WORD("train_time", "yes", train_time, 1); /* YAML's truths, and '_' for '-' */
    CHECK_WORD("train-time", "off", train_time, 0);
#undef CHECK_WORD
    lam_config_clear(&cfg);
}

/* Lengths of time, and the name that an earlier version had for one of them. */
static void times_have_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double seconds;
    } cases[] = { { "90", 90 }, { "1e-6", 1e-6 }, { "90s", 90 }, { "5m", 300 }, { "1h30m", 5400 }, { "2h", 7200 }, { "1h5s", 3605 },
        { "1.5h", 5400 }, { "0s", 0 }, { "1h2m3.5s", 3723.5 } };
    lam_config cfg;
    lam_config_init(&cfg);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(lam_config_set(&cfg, "budget", cases[i].text), LAM_OK);
        assert_true(fabs(cfg.max_seconds - cases[i].seconds) < 1e-12);
    }
    assert_int_equal(lam_config_set(&cfg, "max-processor-seconds", "2m"), LAM_OK);
    assert_true(cfg.max_processor_seconds == 120);
    assert_int_equal(lam_config_set(&cfg, "max_seconds", "7"), LAM_OK);
    assert_value(&cfg, "budget", "7");
    assert_value(&cfg, "max-seconds", "7");
    assert_string_equal(lam_parameter_find("max-seconds")->name, "budget");
    assert_null(lam_parameter_find("max-second"));
    lam_config_clear(&cfg);
}

static void values_out_of_range_are_refused(void **state)
{
    (void)state;
    lam_config cfg, before;
    lam_config_init(&cfg);
    lam_config_init(&before);
    assert_refused(&cfg, "batch-size", "-4", "batch-size: \"-4\" is not a whole number from 1");
    assert_refused(&cfg, "batch_size", "0", "batch-size");
    assert_refused(&cfg, "blocks", "2.5", "whole number");
    assert_refused(&cfg, "blocks", "99999999999999999999999", "whole number");
    assert_refused(&cfg, "seed", "-1", "whole number from 0 to 18446744073709551615");
    assert_refused(&cfg, "lr", "0", "number above 0");
    assert_refused(&cfg, "lr", "1e-3x", "number above 0");
    assert_refused(&cfg, "lr", "nan", "lr");
    assert_refused(&cfg, "lr", "inf", "lr");
    assert_refused(&cfg, "clip", "-1", "of at least 0");
    assert_refused(&cfg, "test-fraction", "1", "from 0 to 0.99");
    assert_refused(&cfg, "dims", "", "list of widths such as 60-60-60");
    assert_refused(&cfg, "dims", "60-", "list of widths");
    assert_refused(&cfg, "dims", "60--60", "list of widths");
    assert_refused(&cfg, "dims", "0", "list of widths");
    assert_refused(&cfg, "dims", "1-2-3-4-5-6-7-8-9-1-2-3-4-5-6-7-8", "more than 16");
    assert_refused(&cfg, "dims", "111111111111111111111111111111", "list of widths");
    assert_refused(&cfg, "layer", "conca", "is not one of ignore, concat, concat_v2");
    assert_refused(&cfg, "layer", "concat|squash", "is not one of");
    assert_refused(&cfg, "layer", "", "is not one of");
    assert_refused(&cfg, "first-step", "0", "probe, warm or a step size above 0");
    assert_refused(&cfg, "first-step", "cold", "probe, warm");
    assert_refused(&cfg, "warm-start", "500", "\"500\" is not one of auto, none and flow-matching:N");
    assert_refused(&cfg, "warm-start", "flow-matching", "flow-matching:N");
    assert_refused(&cfg, "warm-start", "flow-matching:", "flow-matching:N");
    assert_refused(&cfg, "warm-start", "flow-matching:0", "from 1 to 1e+15");
    assert_refused(&cfg, "map", "normal-scores:1", "\"normal-scores:1\" is not one of auto, none, normal-scores and normal-scores:N, N quantiles from 2");
    assert_refused(&cfg, "map", "normal-scoresN", "normal-scores:N");
    assert_refused(&cfg, "map", "normal-scores:", "normal-scores:N");
    assert_refused(&cfg, "warm-start", "flow-matching:1e3", "flow-matching:N");
    assert_refused(&cfg, "warm-start", "flow-matching:-1", "flow-matching:N");
    assert_refused(&cfg, "warm-start", "flow-matching:1000000000000001", "from 1 to 1e+15");
    assert_refused(&cfg, "warm-start-pairing", "batch", "is not one of none, minibatch");
    assert_refused(&cfg, "tpr", "5", "is not one of true, false");
    assert_refused(&cfg, "isa", "avx1024", "is not one of auto, avx512");
    static const char *const no_times[] = { "", "-5", "5 m", "m", "1h30", "5m1h", "1m2m", "5min", "90S", "soon", "inf", "1e999", "1.2.3s" };
    for (size_t i = 0; i < sizeof no_times / sizeof no_times[0]; i++)
        assert_refused(&cfg, "budget", no_times[i], "as 90, or units, as 90s, 5m, 1h30m or 2h");
    assert_refused(&cfg, "columns", "a,,b", "empty item");
    assert_refused(&cfg, "columns", "a,", "empty item");
    assert_refused(&cfg, "columns", "\xe9", "not UTF-8");
    assert_refused(&cfg, "noise", "a", "COL:a");
    assert_refused(&cfg, "noise", "a:-1", "COL:a");
    assert_refused(&cfg, "noise", ":1", "COL:a");
    assert_refused(&cfg, "noise", "a:1,b:-1", "\"b:-1\" is neither auto nor COL:a");
    assert_same(&cfg, &before); /* a refusal changes nothing */
    assert_int_equal(lam_config_set(&cfg, NULL, "1"), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_config_set(&cfg, "lr", NULL), LAM_ERR_ARGUMENT);
    lam_config_clear(&cfg);
}

static void strings_belong_to_the_struct(void **state)
{
    (void)state;
    lam_config a, b;
    lam_config_init(&a);
    lam_config_init(&b);
    char text[] = "x, y one ,3";
    assert_int_equal(lam_config_set(&a, "columns", text), LAM_OK);
    text[0] = '!';
    assert_int_equal(a.columns.n, 3); /* blanks around items do not count */
    assert_string_equal(a.columns.item[1], "y one");
    assert_value(&a, "columns", "x,y one,3");
    assert_int_equal(lam_config_set(&a, "noise", "time:of:day:0.5,2:1"), LAM_OK); /* names may hold colons */
    assert_int_equal(lam_config_set(&a, "isa", "avx2"), LAM_OK);
    assert_int_equal(lam_config_copy(&b, &a), LAM_OK);
    assert_ptr_not_equal(a.columns.item, b.columns.item);
    assert_int_equal(lam_config_copy(&a, &a), LAM_OK); /* onto itself */
    assert_same(&a, &b);
    assert_int_equal(lam_config_set(&a, "columns", ""), LAM_OK);
    assert_int_equal(a.columns.n, 0);
    assert_int_equal(lam_config_set(&a, "isa", "auto"), LAM_OK);
    assert_null(a.isa);
    lam_config_clear(&a);
    assert_int_equal(a.noise.n, 0);
    lam_config_clear(&a); /* twice is harmless: back to defaults each time */
    assert_value(&a, "batch-size", "auto");
    char small[4];
    assert_int_equal(lam_config_get(&b, "columns", small, sizeof small), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_config_get(&b, "isa", small, sizeof small), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_config_set(&b, "dims", "64-64"), LAM_OK);
    assert_int_equal(lam_config_get(&b, "dims", small, sizeof small), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_config_get(&b, "dims", small, 0), LAM_ERR_ARGUMENT);
    lam_config_clear(&b);
}

static void nearest_names(void **state)
{
    (void)state;
    const char *const near[][2] = {
        { "batch-sise", "batch-size" }, { "batchsize", "batch-size" }, { "batch", "batch-size" },
        { "itertaions", "iterations" },
        { "nonlinarity", "nonlinearity" }, { "test_atoll", "test-atol" }, { "solvers", "solver" },
        { "standardize", "standardise" },
        { "learning_rate", "lr" }, { "activation", "nonlinearity" }, { "early", "early-stopping" }, { "blocks", "blocks" },
    };
    for (size_t i = 0; i < sizeof near / sizeof near[0]; i++) {
        assert_non_null(lam_parameter_nearest(near[i][0]));
        assert_string_equal(lam_parameter_nearest(near[i][0]), near[i][1]);
    }
    const char *far[] = { "", "zzzzzz", "quantization",
        "a-very-long-name-that-no-parameter-will-ever-have-in-this-program" };
    for (size_t i = 0; i < sizeof far / sizeof far[0]; i++)
        assert_null(lam_parameter_nearest(far[i]));
    assert_null(lam_parameter_nearest(NULL));
    lam_config cfg;
    lam_config_init(&cfg);
    assert_refused(&cfg, "itertions", "5", "unknown parameter \"itertions\"; did you mean \"iterations\"?");
    assert_refused(&cfg, "zzzzzz", "5", "unknown parameter \"zzzzzz\"");
}

static void tpr_is_the_published_setting(void **state)
{
    (void)state;
    lam_config cfg;
    lam_config_init(&cfg);
    assert_int_equal(lam_config_set(&cfg, "tpr-times", "9"), LAM_OK);
    assert_int_equal(lam_config_set(&cfg, "tpr", "true"), LAM_OK);
    assert_true(cfg.tpr_coefficient == 5);
    assert_int_equal(cfg.tpr_times, 4);
    assert_int_equal(cfg.tpr_degree, 1);
    assert_value(&cfg, "tpr", "true");
    assert_int_equal(lam_config_set(&cfg, "tpr", "false"), LAM_OK);
    assert_true(cfg.tpr_coefficient == 0);
    assert_value(&cfg, "tpr", "false");
}

static void assert_inconsistent(const char *const (*pairs)[2], size_t n, const char *part)
{
    lam_config cfg;
    lam_config_init(&cfg);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(lam_config_set(&cfg, pairs[i][0], pairs[i][1]), LAM_OK);
    assert_int_equal(lam_config_check(&cfg), LAM_ERR_ARGUMENT);
    assert_said(part);
    lam_config_clear(&cfg);
}

static void inconsistent_configurations_are_refused(void **state)
{
    (void)state;
#define INCONSISTENT(part, ...)                                             \
    do {                                                                    \
        const char *const pairs[][2] = { __VA_ARGS__ };                     \
        assert_inconsistent(pairs, sizeof pairs / sizeof pairs[0], part);   \
    } while (0)
    INCONSISTENT("use at least 5 times", { "tpr", "true" }, { "tpr-degree", "3" });
    INCONSISTENT("end: overshoot", { "solver", "rk4" }, { "end", "overshoot" });
    INCONSISTENT("step-control: tile", { "solver", "euler" }, { "step-control", "tile" });
    INCONSISTENT("raise max-steps", { "solver", "midpoint" }, { "steps", "20" }, { "max-steps", "19" });
    INCONSISTENT("test-steps: 20 steps", { "test-steps", "20" }, { "max-steps", "19" });
    INCONSISTENT("steps: 20 steps in evaluation", { "test-solver", "rk4" }, { "max-steps", "19" });
    INCONSISTENT("min-step: 1 is not below", { "min-step", "1" }, { "solver", "rk4" }, { "test-solver", "bosh3" });
    INCONSISTENT("first-step: 2 is longer", { "first-step", "2" });
    INCONSISTENT("first-step: 0.01 is below min-step", { "first-step", "0.01" }, { "min-step", "0.1" });
    INCONSISTENT("min-step: 1 is not below", { "min-step", "1" });
    INCONSISTENT("decay-from: 100 is not below iterations, 100", { "decay-from", "100" }, { "iterations", "100" });
    INCONSISTENT("decay-from: 90 is not below decay-to, 80", { "decay-from", "90" }, { "decay-to", "80" }, { "iterations", "70" });
    INCONSISTENT("decay-to: 80 is below iterations, 100", { "decay-to", "80" }, { "iterations", "100" });
    INCONSISTENT("variance-min: 2 is not below", { "model", "vae" }, { "variance-min", "2" }, { "variance-max", "1" });
    INCONSISTENT("precision: double", { "model", "vae" }, { "precision", "double" });
    INCONSISTENT("layer: amortised", { "model", "vae" }, { "layer", "blend" });
    INCONSISTENT("warm-start: flow matching", { "model", "vae" }, { "warm-start", "flow-matching:5" });
    INCONSISTENT("gradient: adjoint", { "model", "vae" }, { "gradient", "adjoint" });
#undef INCONSISTENT
    lam_config cfg;
    lam_config_init(&cfg);
    cfg.tpr_coefficient = 0, cfg.tpr_times = 2, cfg.tpr_degree = 5; /* without the penalty, they do not matter */
    assert_int_equal(lam_config_check(&cfg), LAM_OK);
}

static void structs_filled_directly_are_checked(void **state)
{
    (void)state;
    lam_config cfg;
#define BAD(statement, part)                                        \
    lam_config_init(&cfg);                                          \
    statement;                                                      \
    assert_int_equal(lam_config_check(&cfg), LAM_ERR_ARGUMENT);     \
    assert_said(part)
    BAD(cfg.n_hidden = 17, "dims: 17 hidden layers");
    BAD((cfg.n_hidden = 3, cfg.hidden[2] = 0), "dims");
    BAD(cfg.blocks = 100000, "blocks");
    BAD(cfg.layer = (lam_layer)99, "layer: 99");
    BAD(cfg.solver = (lam_solver)-1, "solver");
    BAD(cfg.solver = LAM_SOLVER_AUTO, "solver");
    BAD(cfg.test_solver = (lam_solver)(LAM_SOLVER_AUTO + 1), "test-solver");
    BAD(cfg.first_step = (lam_first_step)7, "first-step");
    BAD(cfg.first_step = LAM_STEP_GIVEN, "first-step");
    BAD(cfg.warm_start = SIZE_MAX - 1, "warm-start");
    BAD(cfg.warm_start_pairing = (lam_pairing_kind)2, "warm-start-pairing");
    BAD(cfg.lr = NAN, "lr: \"nan\"");
    BAD(cfg.atol = -1, "atol");
    BAD(cfg.rtol = INFINITY, "rtol");
    BAD(cfg.batch_size = SIZE_MAX, "batch-size");
    BAD(cfg.isa = (char[]){ "abacus" }, "isa");
    BAD(cfg.noise = (lam_names)LAM_NAMES("abc"), "noise");
#undef BAD
}

static void penalties_in_few_words(void **state)
{
    (void)state;
    static const struct {
        const char *set[5][2], *text;
    } cases[] = { { { { NULL } }, "none" }, { { { "tpr", "true" } }, "TPR 5" },
        { { { "tpr-coefficient", "0.5" }, { "tpr-times", "6" }, { "tpr-degree", "2" }, { "tpr-l-weight", "2" } },
            "TPR (n 6, p 2) 0.5 + l 2" },
        { { { "tpr-l-weight", "2" } }, "none" },
        { { { "tpr", "true" }, { "kinetic-coefficient", "0.01" }, { "jacobian-coefficient", "0.01" }, { "steer", "0.5" } },
            "TPR 5 + RNODE 0.01 + STEER 0.5" },
        { { { "kinetic-coefficient", "0.01" }, { "jacobian-coefficient", "0.02" } }, "kinetic 0.01 + jacobian 0.02" },
        { { { "taylor-coefficient", "0.1" }, { "taylor-order", "3" } }, "TayNODE (K 3) 0.1" },
        { { { "error-coefficient", "0.1" }, { "calls", "9" } }, "error 0.1 + calls 9" } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lam_config cfg;
        char text[128];
        lam_config_init(&cfg);
        for (size_t j = 0; j < 5 && cases[i].set[j][0] != NULL; j++)
            assert_int_equal(lam_config_set(&cfg, cases[i].set[j][0], cases[i].set[j][1]), LAM_OK);
        lam_config_penalties(&cfg, text);
        assert_string_equal(text, cases[i].text);
        lam_config_clear(&cfg);
    }
}

/* Which parameters do nothing by default; and the one or two settings that each of them wants or that silence it. */
static void parameters_that_do_nothing(void **state)
{
    (void)state;
    static const char *const by_default[] = { "context-dims", "context-maps", "steps", "taylor-order", "error-l-weight", "calls-price", "rate-cuts" };
    static const struct {
        const char *name, *settings[2][2];
        int idle;
    } c[] = {
        { "tpr-degree", { { "tpr", "true" } }, 0 }, { "tpr-degree", { { "tpr", "false" } }, 1 }, { "tpr-times", { { "tpr", "false" } }, 1 },
        { "tpr-l-weight", { { "tpr-coefficient", "0" } }, 1 }, { "taylor-order", { { "taylor-coefficient", "0.1" } }, 0 },
        { "warm-start-pairing", { { "warm-start", "none" } }, 1 }, { "lr-warmup", { { "schedule", "cuts" } }, 1 },
        { "decay-from", { { "schedule", "constant" } }, 1 }, { "early-stopping", { { "schedule", "constant" } }, 1 },
        { "rate-cuts", { { "schedule", "cuts" } }, 0 }, { "rate-cuts", { { "model", "vae" } }, 0 }, { "lr-warmup", { { "model", "vae" } }, 1 },
        { "context-dims", { { "given", "a" } }, 0 }, { "context-dims", { { "any-given", "true" } }, 0 },
        { "context-maps", { { "given", "a" } }, 0 }, { "steps", { { "solver", "rk4" } }, 0 },
        { "steps", { { "test-solver", "rk4" } }, 0 }, { "steps", { { "test-solver", "bosh3" }, { "test-steps", "4" } }, 1 },
        { "atol", { { "solver", "rk4" } }, 1 }, { "rtol", { { "solver", "euler" } }, 1 }, { "error-parts", { { "solver", "midpoint" } }, 1 },
        { "atol", { { "solver", "bosh3" } }, 0 }, { "test-atol", { { "solver", "rk4" } }, 1 }, { "test-rtol", { { "test-steps", "4" } }, 1 },
        { "test-atol", { { "solver", "rk4" }, { "test-solver", "dopri5" } }, 0 }, { "atol", { { "test-solver", "rk4" } }, 0 },
        { "probes", { { "divergence", "exact" } }, 1 }, { "probes", { { "divergence", "exact" }, { "val-divergence", "estimate" } }, 0 },
        { "probes", { { "divergence", "gaussian" } }, 0 }, { "rank", { { "amortised", "bias" } }, 1 },
        { "binarise", { { "pixels", "categorical" } }, 1 }, { "tpr-coefficient", { { "model", "vae" }, { "posterior", "none" } }, 1 },
        { "taylor-coefficient", { { "model", "vae" }, { "posterior", "planar" } }, 1 }, { "tpr-coefficient", { { "model", "vae" } }, 0 },
        { "calls", { { "tpr-coefficient", "0" } }, 1 }, { "calls", { { "tpr-coefficient", "0" }, { "error-coefficient", "1" } }, 0 },
        { "error-l-weight", { { "error-coefficient", "1" } }, 0 }, { "calls-price", { { "tpr-coefficient", "1" }, { "calls", "7" } }, 0 },
    };
    lam_config cfg;
    const lam_parameter *parameter;
    lam_config_init(&cfg);
    for (size_t i = 0; (parameter = lam_parameter_at(i)) != NULL; i++) {
        int listed = 0;
        for (size_t k = 0; k < sizeof by_default / sizeof by_default[0]; k++)
            listed |= strcmp(parameter->name, by_default[k]) == 0;
        if ((lam_parameter_idle(i, &cfg) != NULL) != listed)
            fail_msg("%s should %sdo something by default", parameter->name, listed ? "not " : "");
    }
    assert_null(lam_parameter_idle(SIZE_MAX, &cfg));
    lam_config_clear(&cfg);
    for (size_t k = 0; k < sizeof c / sizeof c[0]; k++) {
        size_t at = 0;
        lam_config_init(&cfg);
        for (size_t i = 0; i < 2 && c[k].settings[i][0] != NULL; i++)
            assert_int_equal(lam_config_set(&cfg, c[k].settings[i][0], c[k].settings[i][1]), LAM_OK);
        while (strcmp(lam_parameter_at(at)->name, c[k].name) != 0)
            at++;
        if ((lam_parameter_idle(at, &cfg) != NULL) != c[k].idle)
            fail_msg("case %zu: %s should %sdo something", k, c[k].name, c[k].idle ? "not " : "");
        lam_config_clear(&cfg);
    }
}

/* What "auto" is for auto-encoders, by the number of training images; what was given stays. */
static void images_are_trained_by_their_number(void **state)
{
    (void)state;
    static const struct { size_t rows, batch, iterations; } cases[] = { { 1, 8, 1000 }, { 10, 8, 1000 }, { 51, 12, 1020 },
        { 200, 50, 4000 }, { 400, 100, 8000 }, { 60000, 100, 10000 }, { SIZE_MAX, 100, 10000 } };
    lam_config cfg;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lam_config_init(&cfg);
        cfg.model = LAM_VAE;
        assert_int_equal(lam_config_resolve(&cfg, cases[i].rows, 0), LAM_OK);
        assert_int_equal(cfg.batch_size, cases[i].batch);
        assert_int_equal(cfg.iterations, cases[i].iterations);
        assert_int_equal(cfg.val_freq, cases[i].iterations / 50);
        assert_true(cfg.optimizer == LAM_ADAMAX && cfg.lr == 5e-4); /* as published */
        cfg.batch_size = 7, cfg.lr = 0.25;
        assert_int_equal(lam_config_resolve(&cfg, cases[i].rows, 0), LAM_OK);
        assert_true(cfg.batch_size == 7 && cfg.lr == 0.25);
        lam_config_clear(&cfg);
    }
}

/* Layers are as wide as the flow's own columns want, those that are given not counted. */
static void widths_go_by_what_moves(void **state)
{
    (void)state;
    static const struct { const char *given, *any; size_t columns, width; } cases[] = { { "", "false", 32, 64 }, { "", "false", 33, 128 },
        { "1,2", "false", 34, 64 }, { "1,2", "false", 35, 128 }, { "1,2", "true", 34, 64 }, { "", "true", 33, 128 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lam_config cfg;
        lam_config_init(&cfg);
        assert_int_equal(lam_config_set(&cfg, "given", cases[i].given), LAM_OK);
        assert_int_equal(lam_config_set(&cfg, "any-given", cases[i].any), LAM_OK);
        assert_int_equal(lam_config_resolve(&cfg, 2000, cases[i].columns), LAM_OK);
        assert_int_equal(cfg.hidden[0], cases[i].width);
        int split = cfg.given.n > 0 && !cfg.any_given; /* a text beside any-given changes nothing else */
        assert_true(cfg.blocks == (split ? 1 : 2) && cfg.weight_decay == (split ? 0.5 : 0));
        assert_int_equal(cfg.context_maps, split ? LAM_CONTEXT_OWN : cfg.any_given ? LAM_CONTEXT_SHARED : LAM_CONTEXT_AUTO); /* by the blocks */
        lam_config_clear(&cfg);
    }
}

/* The more columns move, the more rows are few; adam's decay is another thing. */
static void decay_goes_by_rows_and_what_moves(void **state)
{
    (void)state;
    static const struct { const char *given, *optimizer; size_t rows; double decay; } cases[] = { { "1,2,3,4,5,6", "auto", 2999, 0.5 },
        { "1,2,3,4,5", "auto", 3000, 0.3 }, { "1,2,3,4,5,6", "auto", 3000, 0.2 }, { "1,2,3,4,5,6", "auto", 19999, 0.2 }, { "1,2,3,4,5", "auto", 19999, 0.3 },
        { "1,2,3,4,5", "auto", 20000, 0 }, { "1,2,3,4,5", "adam", 3000, 0 }, { "", "auto", 3000, 0 }, { "", "auto", 499, 1 }, { "", "auto", 500, 0 }, { "", "adam", 499, 0 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lam_config cfg;
        lam_config_init(&cfg);
        assert_int_equal(lam_config_set(&cfg, "given", cases[i].given), LAM_OK);
        assert_int_equal(lam_config_set(&cfg, "optimizer", cases[i].optimizer), LAM_OK);
        assert_int_equal(lam_config_resolve(&cfg, cases[i].rows, 8), LAM_OK);
        assert_true(cfg.weight_decay == cases[i].decay);
        lam_config_clear(&cfg);
    }
}

/* Of any columns given any others with many rows the start is short; of a fixed choice with more than two moving columns the context net is deep. */
static void any_given_starts_shortly(void **state)
{
    (void)state;
    static const struct { const char *given, *any; size_t rows, start, layers; } cases[] = { { "", "true", 20000, 500, 2 },
        { "", "true", 19999, 1000, 2 }, { "1", "false", 20000, 2000, 6 }, { "1,2,3,4", "false", 19999, 1000, 2 }, { "1,2,3", "false", 19999, 1000, 6 }, { "1", "true", 2999, 500, 2 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lam_config cfg;
        lam_config_init(&cfg);
        assert_int_equal(lam_config_set(&cfg, "given", cases[i].given), LAM_OK);
        assert_int_equal(lam_config_set(&cfg, "any-given", cases[i].any), LAM_OK);
        assert_int_equal(lam_config_resolve(&cfg, cases[i].rows, 6), LAM_OK);
        assert_true(cfg.n_context_hidden == cases[i].layers && cfg.context_hidden[0] == (cases[i].layers > 2 ? 48 : 64)
            && cfg.context_hidden[cases[i].layers - 1] == cfg.context_hidden[0]);
        assert_int_equal(cfg.warm_start, cases[i].start);
        lam_config_clear(&cfg);
    }
}

/* A joint density starts shortly, and of many rows trains longer instead. */
static void starts_go_by_rows(void **state)
{
    (void)state;
    static const struct { size_t rows, start, iterations; } cases[] = { { 2999, 500, 1000 }, { 3000, 500, 1500 }, { 19999, 500, 1500 }, { 20000, 250, 1200 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lam_config cfg;
        lam_config_init(&cfg);
        assert_int_equal(lam_config_resolve(&cfg, cases[i].rows, 6), LAM_OK);
        assert_int_equal(cfg.warm_start, cases[i].start);
        assert_int_equal(cfg.iterations, cases[i].iterations);
        lam_config_clear(&cfg);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_given_starts_shortly), cmocka_unit_test(starts_go_by_rows),
        cmocka_unit_test(images_are_trained_by_their_number),
        cmocka_unit_test(widths_go_by_what_moves), cmocka_unit_test(decay_goes_by_rows_and_what_moves),
        cmocka_unit_test(penalties_in_few_words),
        cmocka_unit_test(parameters_that_do_nothing),
        cmocka_unit_test(defaults_are_the_documented_ones),
        cmocka_unit_test(kinds_print_their_own_groups),
        cmocka_unit_test(words_are_the_enums),
        cmocka_unit_test(times_have_units),
        cmocka_unit_test(values_out_of_range_are_refused),
        cmocka_unit_test(strings_belong_to_the_struct),
        cmocka_unit_test(nearest_names),
        cmocka_unit_test(tpr_is_the_published_setting),
        cmocka_unit_test(inconsistent_configurations_are_refused),
        cmocka_unit_test(structs_filled_directly_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
