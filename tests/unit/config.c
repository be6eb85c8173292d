/* The table of parameters: names, ranges, defaults, suggestions, and the YAML file that says the same. */
#include "base/number.h"
#include "base/utf8.h"
#include "model/config_yaml.h"
#include "model/parameters.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/laminar_config_XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void assert_said(const char *part)
{
    if (strstr(lam_last_error(), part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, lam_last_error());
}

static void assert_refused(lam_config *cfg, const char *name, const char *value, const char *part)
{
    if (lam_config_set(cfg, name, value) != LAM_ERR_ARGUMENT)
        fail_msg("%s = \"%s\" was accepted", name, value);
    assert_said(part);
}

static void assert_value(const lam_config *cfg, const char *name, const char *expected)
{
    char value[512];
    assert_int_equal(lam_config_get(cfg, name, value, sizeof value), LAM_OK);
    assert_string_equal(value, expected);
}

static void assert_same(const lam_config *a, const lam_config *b)
{
    char x[4096], y[4096];
    for (size_t i = 0; lam_parameter_at(i) != NULL; i++) {
        assert_int_equal(lam_config_get(a, lam_parameter_at(i)->name, x, sizeof x), LAM_OK);
        assert_int_equal(lam_config_get(b, lam_parameter_at(i)->name, y, sizeof y), LAM_OK);
        if (strcmp(x, y) != 0)
            fail_msg("%s: %s and %s", lam_parameter_at(i)->name, x, y);
    }
    /* what text cannot show: bits of numbers, and unused fields */
    lam_config p = *a, q = *b;
    p.isa = p.columns = p.drop = p.noise = q.isa = q.columns = q.drop = q.noise = NULL;
    assert_memory_equal(p.hidden, q.hidden, sizeof p.hidden);
    assert_memory_equal(&p.atol, &q.atol, sizeof p.atol);
    assert_memory_equal(&p.first_step_size, &q.first_step_size, sizeof p.first_step_size);
    assert_memory_equal(&p.memory, &q.memory, sizeof p.memory);
}

/* ---- numbers and characters ------------------------------------------------------------------------------------------ */

static void numbers_are_shortest_and_come_back(void **state)
{
    (void)state;
    const struct { double value; const char *text; } known[] = {
        { 0, "0" }, { -0.0, "-0" }, { 1, "1" }, { 0.1, "0.1" }, { 1e-4, "0.0001" }, { 1e-5, "1.0e-5" }, { 1000, "1000" },
        { 20000, "20000" }, { 123456789, "123456789" }, { 1e14, "100000000000000" }, { 1e20, "1.0e+20" },
        { 1.5e-10, "1.5e-10" }, { 1.0 / 3, "0.3333333333333333" }, { DBL_MIN, "2.2250738585072014e-308" },
        { 5e-324, "5.0e-324" }, { DBL_MAX, "1.7976931348623157e+308" }, { INFINITY, "inf" }, { -INFINITY, "-inf" },
        { NAN, "nan" }, { 0.1 + 0.2, "0.30000000000000004" },
    };
    char text[LAM_NUMBER_SIZE];
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        lam_number_print(known[i].value, text);
        assert_string_equal(text, known[i].text);
    }
    uint64_t bits = 88172645463325252u; /* xorshift: doubles of every size */
    for (int i = 0; i < 20000; i++) {
        double value, back = 0;
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        lam_number_print(value, text);
        assert_int_equal(lam_number_read(text, &back), 0);
        assert_memory_equal(&back, &value, sizeof value);
    }
}

static void numbers_are_read_whole(void **state)
{
    (void)state;
    const char *bad[] = { "", " 1", "1 ", "1x", "nan", "inf", "0x10", "1e999", "-1e999", "1,5", "1.5.2", "e5", "--1", "." };
    double value = 7;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(lam_number_read(bad[i], &value), -1);
    assert_true(value == 7); /* untouched */
    assert_int_equal(lam_number_read("-1.5E+3", &value), 0);
    assert_true(value == -1500);
    const char *not_whole[] = { "", "-1", "+1", "1.0", "1e3", " 1", "18446744073709551616", "99999999999999999999999" };
    uint64_t whole = 7;
    for (size_t i = 0; i < sizeof not_whole / sizeof not_whole[0]; i++)
        assert_int_equal(lam_whole_read(not_whole[i], &whole), -1);
    assert_true(whole == 7);
    assert_int_equal(lam_whole_read("18446744073709551615", &whole), 0);
    assert_true(whole == UINT64_MAX);
}

static void utf8_is_checked(void **state)
{
    (void)state;
    const char *good[] = { "", "abc", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xef\xbf\xbd", "\xf4\x8f\xbf\xbf" };
    const char *bad[] = { "\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80",
        "\xff", "a\xe2\x82" }; /* stray, cut, overlong, surrogate, beyond the last */
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(lam_utf8_valid(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(lam_utf8_valid(bad[i]));
    const char *euro = good[3];
    assert_int_equal(lam_utf8_next(&euro), 0x20ac);
    assert_ptr_equal(euro, good[3] + 3);
}

/* ---- the table ------------------------------------------------------------------------------------------------- */

static void defaults_are_the_documented_ones(void **state)
{
    (void)state;
    lam_config cfg;
    memset(&cfg, 0x5a, sizeof cfg); /* init does not look at what was there */
    lam_config_init(&cfg);
    const char *const expected[][2] = {
        { "model", "density" }, { "dims", "64-64-64" }, { "blocks", "1" }, { "layer", "concat" }, { "nonlinearity", "tanh" }, { "time", "1" },
        { "train-time", "false" }, { "precision", "float" }, { "solver", "dopri5" }, { "atol", "0.0001" },
        { "rtol", "0.0001" }, { "test-atol", "1.0e-5" }, { "test-rtol", "1.0e-5" }, { "first-step", "warm" },
        { "error-parts", "z,l" }, { "end", "land" }, { "step-control", "batch" }, { "steps", "20" }, { "max-steps", "1000" },
        { "min-step", "1.0e-10" }, { "divergence", "rademacher" }, { "val-divergence", "auto" }, { "probes", "1" }, { "gradient", "steps" },
        { "memory", "512" }, { "tpr", "false" }, { "tpr-coefficient", "0" }, { "tpr-times", "4" }, { "tpr-degree", "1" },
        { "optimizer", "adam" }, { "batch-size", "1000" }, { "lr", "0.001" }, { "weight-decay", "0" }, { "clip", "0" },
        { "iterations", "10000" }, { "early-stopping", "20" }, { "rate-cuts", "2" }, { "val-freq", "200" },
        { "log-freq", "10" }, { "val-batch-size", "1000" }, { "seed", "0" }, { "split-seed", "0" }, { "threads", "0" }, { "isa", "auto" },
        { "val-fraction", "0.1" }, { "test-fraction", "0.1" }, { "standardise", "true" },
        { "drop-bad-rows", "false" }, { "drop-duplicates", "false" }, { "columns", "" }, { "drop", "" }, { "noise", "" },
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
    CHECK_WORD("train_time", "yes", train_time, 1); /* YAML's truths, and '_' for '-' */
    CHECK_WORD("train-time", "off", train_time, 0);
#undef CHECK_WORD
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
    assert_refused(&cfg, "layer", "conca", "none of ignore, concat, concat_v2");
    assert_refused(&cfg, "layer", "concat|squash", "none of");
    assert_refused(&cfg, "layer", "", "none of");
    assert_refused(&cfg, "first-step", "0", "probe, warm or a step size above 0");
    assert_refused(&cfg, "first-step", "cold", "probe, warm");
    assert_refused(&cfg, "tpr", "5", "none of true, false");
    assert_refused(&cfg, "isa", "avx1024", "none of auto, avx512");
    assert_refused(&cfg, "columns", "a,,b", "empty item");
    assert_refused(&cfg, "columns", "a,", "empty item");
    assert_refused(&cfg, "columns", "\xe9", "not UTF-8");
    assert_refused(&cfg, "noise", "a", "COL:a");
    assert_refused(&cfg, "noise", "a:-1", "COL:a");
    assert_refused(&cfg, "noise", ":1", "COL:a");
    assert_refused(&cfg, "noise", "a:1,b:-1", "\"b:-1\" is not COL:a");
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
    assert_string_equal(a.columns, "x,y one,3"); /* blanks around items do not count */
    assert_int_equal(lam_config_set(&a, "noise", "time:of:day:0.5,2:1"), LAM_OK); /* names may hold colons */
    assert_int_equal(lam_config_set(&a, "isa", "avx2"), LAM_OK);
    assert_int_equal(lam_config_copy(&b, &a), LAM_OK);
    assert_ptr_not_equal(a.columns, b.columns);
    assert_int_equal(lam_config_copy(&a, &a), LAM_OK); /* onto itself */
    assert_same(&a, &b);
    assert_int_equal(lam_config_set(&a, "columns", ""), LAM_OK);
    assert_null(a.columns);
    assert_int_equal(lam_config_set(&a, "isa", "auto"), LAM_OK);
    assert_null(a.isa);
    lam_config_clear(&a);
    assert_null(a.noise);
    lam_config_clear(&a); /* twice is harmless: back to defaults each time */
    assert_value(&a, "batch-size", "1000");
    char small[4];
    assert_int_equal(lam_config_get(&b, "columns", small, sizeof small), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_config_get(&b, "isa", small, sizeof small), LAM_ERR_ARGUMENT);
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
    INCONSISTENT("first-step: 2 is longer", { "first-step", "2" });
    INCONSISTENT("first-step: 0.01 is below min-step", { "first-step", "0.01" }, { "min-step", "0.1" });
    INCONSISTENT("min-step: 1 is not below", { "min-step", "1" });
    INCONSISTENT("variance-min: 2 is not below", { "model", "vae" }, { "variance-min", "2" }, { "variance-max", "1" });
    INCONSISTENT("precision: double", { "model", "vae" }, { "precision", "double" });
    INCONSISTENT("layer: amortised", { "model", "vae" }, { "layer", "blend" });
    INCONSISTENT("gradient: adjoint", { "model", "vae" }, { "gradient", "adjoint" });
#undef INCONSISTENT
    lam_config cfg;
    lam_config_init(&cfg);
    cfg.tpr_times = 2, cfg.tpr_degree = 5; /* without the penalty, they do not matter */
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
    BAD(cfg.n_hidden = 0, "dims: 0 hidden layers");
    BAD(cfg.n_hidden = 17, "dims: 17 hidden layers");
    BAD(cfg.hidden[2] = 0, "dims");
    BAD(cfg.blocks = 0, "blocks");
    BAD(cfg.layer = (lam_layer)99, "layer: 99");
    BAD(cfg.solver = (lam_solver)-1, "solver");
    BAD(cfg.first_step = (lam_first_step)7, "first-step");
    BAD(cfg.first_step = LAM_STEP_GIVEN, "first-step");
    BAD(cfg.lr = NAN, "lr: \"nan\"");
    BAD(cfg.atol = -1, "atol");
    BAD(cfg.rtol = INFINITY, "rtol");
    BAD(cfg.batch_size = SIZE_MAX, "batch-size");
    BAD(cfg.isa = (char[]){ "abacus" }, "isa");
    BAD(cfg.noise = (char[]){ "abc" }, "noise");
#undef BAD
}

/* ---- YAML -------------------------------------------------------------------------------------------------------- */

static lam_status parse(lam_config *cfg, const char *text)
{
    return lam_config_parse(cfg, text, strlen(text), "c.yaml");
}

static void yaml_sets_what_it_names(void **state)
{
    (void)state;
    lam_config cfg;
    lam_config_init(&cfg);
    const char *text = "# a comment\n"
                       "batch_size: 500   # with '_'\n"
                       "dims: [60, 50]\n"
                       "tpr-coefficient: 2.5\n"
                       "tpr: true\n" /* counts before the line above it */
                       "columns:\n  - a\n  - \"b: \\u20ac\"\n  - 3\n"
                       "noise: ['a:0.5', 3:1]\n"
                       "drop: x, y\n"
                       "first-step: 0.5\n"
                       "standardise: no\n";
    assert_int_equal(parse(&cfg, text), LAM_OK);
    assert_value(&cfg, "batch-size", "500");
    assert_value(&cfg, "dims", "60-50");
    assert_true(cfg.tpr_coefficient == 2.5);
    assert_value(&cfg, "columns", "a,b: \xe2\x82\xac,3");
    assert_value(&cfg, "noise", "a:0.5,3:1");
    assert_value(&cfg, "drop", "x,y");
    assert_value(&cfg, "first-step", "0.5");
    assert_int_equal(cfg.standardise, 0);
    assert_value(&cfg, "lr", "0.001"); /* not named: as before */
    assert_int_equal(parse(&cfg, "columns: []\ndims: 7\n"), LAM_OK);
    assert_null(cfg.columns);
    assert_value(&cfg, "dims", "7");
    assert_int_equal(parse(&cfg, ""), LAM_OK); /* nothing said, nothing changed */
    assert_int_equal(parse(&cfg, "# only a comment\n"), LAM_OK);
    assert_int_equal(parse(&cfg, "---\n{lr: 0.5}\n...\n"), LAM_OK); /* the other notation of a mapping */
    assert_true(cfg.lr == 0.5);
    lam_config_clear(&cfg);
}

static void yaml_mistakes_have_a_place(void **state)
{
    (void)state;
    const struct { const char *text; lam_status status; const char *part; } mistakes[] = {
        { "lr: 1\nbatch-sise: 4\n", LAM_ERR_ARGUMENT,
            "c.yaml:2:1: unknown parameter \"batch-sise\"; did you mean \"batch-size\"" },
        { "lr: 1\nclip:   -4\n", LAM_ERR_ARGUMENT, "c.yaml:2:9: clip: \"-4\"" },
        { "lr: 1\nclip: 2\nlr: 3\n", LAM_ERR_ARGUMENT, "c.yaml:3:1: lr stands here for a second time, first in line 1" },
        { "batch-size: 1\nbatch_size: 2\n", LAM_ERR_ARGUMENT, "second time" },
        { "lr: [1, 2]\n", LAM_ERR_ARGUMENT, "c.yaml:1:5: lr: takes one value" },
        { "lr:\n", LAM_ERR_ARGUMENT, "lr: \"\"" },
        { "lr: {a: 1}\n", LAM_ERR_FORMAT, "c.yaml:1:5: a nested mapping" },
        { "columns: [[a]]\n", LAM_ERR_FORMAT, "c.yaml:1:11: a list" },
        { "columns: [\"a,b\"]\n", LAM_ERR_ARGUMENT, "c.yaml:1:11: columns: an item with a comma" },
        { "columns: [a, '']\n", LAM_ERR_ARGUMENT, "c.yaml:1:14: columns: an empty item" },
        { "noise:\n  - 8: 1\n", LAM_ERR_FORMAT, "c.yaml:2:5: a nested mapping" },
        { "dims: [60, x]\n", LAM_ERR_ARGUMENT, "c.yaml:1:7: dims" },
        { "dims: []\n", LAM_ERR_ARGUMENT, "c.yaml:1:7: dims" },
        { "lr: &a 1\nclip: *a\n", LAM_ERR_FORMAT, "c.yaml:2:7: an alias" },
        { "lr: \"a\\0b\"\n", LAM_ERR_FORMAT, "NUL" },
        { "\"lr\\0\": 1\n", LAM_ERR_ARGUMENT, "unknown parameter" },
        { "- lr\n", LAM_ERR_FORMAT, "c.yaml:1:1: a list stands where \"name: value\"" },
        { "lr\n", LAM_ERR_FORMAT, "c.yaml:1:1: a single value" },
        { "lr: 1\n---\nclip: 2\n", LAM_ERR_FORMAT, "c.yaml:2:1: a second document" },
        { "lr: 1\n  clip: 2\n", LAM_ERR_FORMAT, "c.yaml:2:" },
        { "dims: [60, 60\nlr: 3\n", LAM_ERR_FORMAT, "not YAML" },
        { "tpr: true\ntpr-coefficient: 0\n", LAM_ERR_ARGUMENT, "c.yaml:1:6: tpr: says true" },
        { "tpr: false\ntpr-coefficient: 1\n", LAM_ERR_ARGUMENT, "tpr: says false" },
        { "\x80\x81", LAM_ERR_FORMAT, "c.yaml: byte 0: not a YAML text" },
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        lam_config cfg, before;
        lam_config_init(&cfg);
        lam_config_init(&before);
        if (parse(&cfg, mistakes[i].text) != mistakes[i].status)
            fail_msg("\"%s\": %s", mistakes[i].text, lam_last_error());
        assert_said(mistakes[i].part);
        assert_same(&cfg, &before); /* all or nothing */
        lam_config_clear(&cfg);
    }
}

static uint64_t draw(uint64_t *bits)
{
    *bits ^= *bits << 13, *bits ^= *bits >> 7, *bits ^= *bits << 17;
    return *bits;
}

/* A value of the parameter that is in range, of every size that the range allows. */
static void random_value(uint64_t *bits, const lam_param *param, char *value, size_t size)
{
    static const char *const items[] = { "a", "42", "b c", "\xc3\xa9t\xc3\xa9", "q\"uote'", "back\\slash", "# hash",
        "x: y", "true", "tab\there", "line\nbreak", "\xe2\x80\xa8", "\xef\xbb\xbf-bom", "\xf0\x9f\x98\x80", "-", "~", "[",
        "\x7f", "%", "\xc2\x85" };
    const size_t n_items = sizeof items / sizeof items[0];
    char number[LAM_NUMBER_SIZE];
    size_t used = 0, n = 1 + draw(bits) % 5;
    value[0] = '\0';
    switch (param->kind) {
    case LAM_PARAM_SIZE:
        snprintf(value, size, "%.0f", param->low
            + floor(ldexp((double)(draw(bits) % 1000) / 1000 * (param->high - param->low), -(int)(draw(bits) % 40))));
        break;
    case LAM_PARAM_U64:
        snprintf(value, size, "%llu", (unsigned long long)(draw(bits) >> draw(bits) % 64));
        break;
    case LAM_PARAM_REAL:
        lam_number_print(ldexp((double)(draw(bits) >> 11), -53) * fmin(param->high, ldexp(1, (int)(draw(bits) % 60) - 40))
            + DBL_MIN, number);
        snprintf(value, size, "%s", number);
        break;
    case LAM_PARAM_FIRST:
        if (draw(bits) % 3 == 0) {
            snprintf(value, size, draw(bits) % 2 ? "warm" : "probe");
            break;
        }
        lam_number_print(ldexp((double)(draw(bits) >> 11) + 1, -60), number);
        snprintf(value, size, "%s", number);
        break;
    case LAM_PARAM_DIMS:
        for (n = 1 + draw(bits) % LAM_MAX_HIDDEN; n > 0; n--)
            used += (size_t)snprintf(value + used, size - used, "%u%s",
                1 + (unsigned)(draw(bits) % 1000000), n > 1 ? "-" : "");
        break;
    case LAM_PARAM_LIST:
    case LAM_PARAM_NOISE:
        for (n = draw(bits) % 5; n > 0; n--)
            used += (size_t)snprintf(value + used, size - used, "%s%s%s", items[draw(bits) % n_items],
                param->kind == LAM_PARAM_NOISE ? ":0.125" : "", n > 1 ? "," : "");
        break;
    default: { /* one of the words */
        const char *words = param->shown.values;
        size_t count = 1;
        for (const char *p = words; *p != '\0'; p++)
            count += *p == '|';
        for (size_t skip_words = draw(bits) % count; skip_words > 0; skip_words--)
            words += strcspn(words, "|") + 1;
        snprintf(value, size, "%.*s", (int)strcspn(words, "|"), words);
    }
    }
}

static void saving_and_loading_gives_the_same(void **state)
{
    (void)state;
    uint64_t bits = 0x9e3779b97f4a7c15u;
    for (int round = 0; round < 300; round++) {
        lam_config a, b;
        char value[512], *text, *again;
        size_t size, again_size;
        lam_config_init(&a);
        lam_config_init(&b);
        for (size_t i = 0; lam_param_at(i) != NULL; i++) {
            if (draw(&bits) % 4 == 0 || !lam_parameter_applies(i, a.model)) /* "model" is the first to be drawn */
                continue;
            random_value(&bits, lam_param_at(i), value, sizeof value);
            if (lam_param_set(lam_param_at(i), &a, value) != LAM_OK)
                fail_msg("%s", lam_last_error());
        }
        assert_int_equal(lam_config_print(&a, &text, &size), LAM_OK);
        if (lam_config_parse(&b, text, size, "c.yaml") != LAM_OK)
            fail_msg("%s\n%s", lam_last_error(), text);
        assert_same(&a, &b);
        assert_int_equal(lam_config_print(&b, &again, &again_size), LAM_OK);
        assert_string_equal(text, again);
        free(text);
        free(again);
        lam_config_clear(&a);
        lam_config_clear(&b);
    }
}

static void files_are_saved_whole(void **state)
{
    (void)state;
    lam_config a, b;
    lam_config_init(&a);
    lam_config_init(&b);
    assert_int_equal(lam_config_set(&a, "columns", "x,\xc3\xa9"), LAM_OK);
    assert_int_equal(lam_config_set(&a, "lr", "0.1"), LAM_OK);
    assert_int_equal(lam_config_save(&a, in_folder("c.yaml")), LAM_OK);
    assert_int_equal(lam_config_load(&b, in_folder("c.yaml")), LAM_OK);
    assert_same(&a, &b);
    a.layer = (lam_layer)50; /* a configuration that cannot be written leaves the old file */
    assert_int_equal(lam_config_save(&a, in_folder("c.yaml")), LAM_ERR_ARGUMENT);
    a.layer = LAM_LAYER_CONCAT;
    lam_config_clear(&b);
    assert_int_equal(lam_config_load(&b, in_folder("c.yaml")), LAM_OK);
    assert_same(&a, &b);
    assert_int_equal(lam_config_load(&b, in_folder("missing.yaml")), LAM_ERR_IO);
    assert_said("missing.yaml");
    assert_int_equal(lam_config_save(&a, in_folder("missing/c.yaml")), LAM_ERR_IO);
    unlink(in_folder("c.yaml"));
    lam_config_clear(&a);
    lam_config_clear(&b);
}

int main(void)
{
    if (mkdtemp(folder) == NULL)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_shortest_and_come_back),
        cmocka_unit_test(numbers_are_read_whole),
        cmocka_unit_test(utf8_is_checked),
        cmocka_unit_test(defaults_are_the_documented_ones),
        cmocka_unit_test(kinds_print_their_own_groups),
        cmocka_unit_test(words_are_the_enums),
        cmocka_unit_test(values_out_of_range_are_refused),
        cmocka_unit_test(strings_belong_to_the_struct),
        cmocka_unit_test(nearest_names),
        cmocka_unit_test(tpr_is_the_published_setting),
        cmocka_unit_test(inconsistent_configurations_are_refused),
        cmocka_unit_test(structs_filled_directly_are_checked),
        cmocka_unit_test(yaml_sets_what_it_names),
        cmocka_unit_test(yaml_mistakes_have_a_place),
        cmocka_unit_test(saving_and_loading_gives_the_same),
        cmocka_unit_test(files_are_saved_whole),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return failed;
}
