#include "model/parameters.h"
#include "base/error.h"
#include <float.h>
#include <string.h>

#define WHOLE(name, group, field, low, high, preset, help) \
    { { name, group, "N", help }, LAM_PARAM_SIZE, offsetof(lam_config, field), low, high, 0, preset, 0 }
/* 0 stands for "auto", the default: lam_config_resolve chooses */
#define WHOLE_AUTO(name, group, field, high, help) \
    { { name, group, "N", help }, LAM_PARAM_SIZE, offsetof(lam_config, field), 1, high, 0, "auto", 1 }
#define REAL_AUTO(name, group, field, high, help) \
    { { name, group, "X", help }, LAM_PARAM_REAL, offsetof(lam_config, field), 0, high, 1, "auto", 1 }
/* and where 0 is a value, LAM_AUTO_REAL does */
#define REAL_FROM_0_AUTO(name, group, field, help) \
    { { name, group, "X", help }, LAM_PARAM_REAL, offsetof(lam_config, field), 0, DBL_MAX, 0, "auto", -1 }
#define SEED(name, group, field, help) \
    { { name, group, "N", help }, LAM_PARAM_U64, offsetof(lam_config, field), 0, 0, 0, "0", 0 }
#define REAL(name, group, field, low, high, preset, help) \
    { { name, group, "X", help }, LAM_PARAM_REAL, offsetof(lam_config, field), low, high, 0, preset, 0 }
#define TIME(name, group, field, help) \
    { { name, group, "TIME", help }, LAM_PARAM_TIME, offsetof(lam_config, field), 0, DBL_MAX, 0, "0", 0 }
#define ABOVE(name, group, field, low, preset, help) \
    { { name, group, "X", help }, LAM_PARAM_REAL, offsetof(lam_config, field), low, DBL_MAX, 1, preset, 0 }
#define TRUTH(name, group, field, preset, help) \
    { { name, group, "true|false", help }, LAM_PARAM_BOOL, offsetof(lam_config, field), 0, 1, 0, preset, 0 }
#define ENUM(name, group, field, words, preset, help) \
    { { name, group, words, help }, LAM_PARAM_ENUM, offsetof(lam_config, field), 0, 0, 0, preset, 0 }
/* one of the words is "auto": lam_config_resolve chooses another */
#define ENUM_AUTO(name, group, field, words, help) \
    { { name, group, words, help }, LAM_PARAM_ENUM, offsetof(lam_config, field), 0, 0, 0, "auto", 1 }
#define WORD(name, group, field, words, help) \
    { { name, group, words, help }, LAM_PARAM_WORD, offsetof(lam_config, field), 0, 0, 0, NULL, 0 }
#define LIST(kind, name, group, field, items, help) \
    { { name, group, items, help }, kind, offsetof(lam_config, field), 0, 0, 0, NULL, 0 }
#define DIMS(name, group, field, preset, help) \
    { { name, group, "N-N-N", help }, LAM_PARAM_DIMS, offsetof(lam_config, field), 0, 0, 0, preset, 0 }
#define SPECIAL(kind, name, group, values, preset, help) { { name, group, values, help }, kind, 0, 0, 0, 0, preset, 0 }

/* "adam|adamw|...": every name with a bar before it, less the first bar */
#define LAM_OPTIMIZER_WORD(code, name, rate) "|" #name
#define OPTIMIZERS LAM_OPTIMIZER_LIST(LAM_OPTIMIZER_WORD)
#define SOLVERS "dopri5|tsit5|bosh3|heun21|dop853|euler|midpoint|rk4"

/* In the order in which they are printed and applied: "tpr" stands before the four that it sets. */
static const lam_param table[] = {
    ENUM("model", "model", model, "density|vae", "density", "what is fitted: `laminar fit` or `laminar vae fit`"),
    DIMS("dims", "flow", hidden, "auto", "widths of the hidden layers, 1 to 16 of them"),
    WHOLE_AUTO("blocks", "flow", blocks, 10000, "flows in the chain, each with its own weights"),
    ENUM("layer", "flow", layer, "ignore|concat|concat_v2|squash|concatsquash|blend|hyper", "concat",
        "how a layer sees the time"),
    ENUM("nonlinearity", "flow", nonlinearity, "tanh|softplus|elu|relu|swish|square|identity", "tanh",
        "between the layers"),
    DIMS("context-dims", "flow", context_hidden, "auto", "widths of the hidden layers of the net that --given columns enter by"),
    ABOVE("time", "flow", time, 0, "1", "end time T of a block"),
    TRUTH("train-time", "flow", train_time, "false", "train the end time as well, as T = s^2"),
    ENUM("precision", "flow", precision, "float|double", "float", "width of the arithmetic"),

    ENUM("solver", "solve", solver, SOLVERS, "dopri5", "the last three take a fixed number of steps"),
    ABOVE("atol", "solve", atol, 0, "1e-4", "absolute tolerance in training, standardised units"),
    REAL("rtol", "solve", rtol, 0, 1, "1e-4", "relative tolerance in training"),
    ABOVE("test-atol", "solve", test_atol, 0, "1e-5", "absolute tolerance in validation, test and scoring"),
    REAL("test-rtol", "solve", test_rtol, 0, 1, "1e-5", "relative tolerance in validation, test and scoring"),
    ENUM("test-solver", "solve", test_solver, SOLVERS "|auto", "auto", "of validation, test and scoring; auto: solver"),
    WHOLE("test-steps", "solve", test_steps, 0, 1e9, "0",
        "even steps a block in validation, test and scoring; 0: adaptive, or (euler, midpoint, rk4) as steps"),
    SPECIAL(LAM_PARAM_FIRST, "first-step", "solve", "probe|warm|H", "warm",
        "try one out, remember it from the last solve, or a size"),
    ENUM("error-parts", "solve", error_parts, "z,l|z", "z,l", "what the error of a training step is measured on"),
    ENUM("end", "solve", end, "land|overshoot|land-all", "land",
        "land on T, step past it and interpolate, or land on every observation time"),
    ENUM("step-control", "solve", step_control, "batch|tile", "batch", "one step size for the batch, or one a tile"),
    WHOLE("steps", "solve", fixed_steps, 1, 1e9, "20", "steps a block of euler, midpoint and rk4"),
    WHOLE("max-steps", "solve", max_steps, 1, 1e9, "1000", "attempted steps a block before the solver gives up"),
    REAL("min-step", "solve", min_step, 0, DBL_MAX, "1e-10", "step size below which the solver gives up"),
    ENUM("divergence", "solve", divergence, "exact|rademacher|gaussian", "rademacher", "the trace in training"),
    ENUM("val-divergence", "solve", val_divergence, "auto|exact|estimate", "auto",
        "the trace in validation; auto: exact up to 16 columns, else as in training"),
    WHOLE("probes", "solve", probes, 1, 1e6, "1", "noise vectors of the estimated trace"),
    ENUM("gradient", "solve", gradient, "steps|adjoint", "steps",
        "reverse the steps taken, or solve the adjoint equation backwards"),
    REAL("memory", "solve", memory, 0, DBL_MAX, "512", "MiB for kept activations; beyond it they are recomputed"),

    SPECIAL(LAM_PARAM_TPR, "tpr", "penalty", "true|false", "false",
        "the published penalty: coefficient 5, 4 times, degree 1, no weight of l; false: coefficient 0"),
    REAL_FROM_0_AUTO("tpr-coefficient", "penalty", tpr_coefficient,
        "trajectory polynomial regularisation; 0 is off; auto: 50, or 0 with another penalty, --gradient adjoint, images, or rows near a plane"),
    WHOLE("tpr-times", "penalty", tpr_times, 2, 32, "4", "observation times, both ends counted"),
    WHOLE("tpr-degree", "penalty", tpr_degree, 0, 100, "1", "degree of the fitted polynomial"),
    REAL_FROM_0_AUTO("tpr-l-weight", "penalty", tpr_l_weight,
        "weight of l beside z in it; 0, as published, is none; auto: 1 where the coefficient is auto too, else 0"),
    REAL("kinetic-coefficient", "penalty", kinetic_coefficient, 0, DBL_MAX, "0",
        "of half the squared speed along the paths; with jacobian-coefficient: RNODE"),
    REAL("jacobian-coefficient", "penalty", jacobian_coefficient, 0, DBL_MAX, "0",
        "of the squared Frobenius norm of df/dz along the paths"),
    REAL("taylor-coefficient", "penalty", taylor_coefficient, 0, DBL_MAX, "0",
        "TayNODE: of the squared K-th derivative by time of the paths; 0 is off"),
    WHOLE("taylor-order", "penalty", taylor_order, 2, 3, "2", "its K"),
    REAL("steer", "penalty", steer, 0, DBL_MAX, "0", "STEER: training draws end times from (T - b, T + b); 0 is off, b < time"),
    REAL("error-coefficient", "penalty", error_coefficient, 0, DBL_MAX, "0",
        "of the squared error estimates of the solver's accepted steps, in units of the tolerance; 0 is off"),
    REAL("error-l-weight", "penalty", error_l_weight, 0, DBL_MAX, "1", "weight of the error of l beside that of z in it"),
    REAL("calls", "penalty", calls, 0, 1e6, "0",
        "evaluations of f a block and solve in training that the penalties' coefficients are moved to reach; 0: the coefficients stay as they are"),

    ENUM_AUTO("optimizer", "training", optimizer, &(OPTIMIZERS "|auto")[1], "what turns gradients into steps; auto: soap; muon with layers of 512 units or more; images: adamax"),
    ENUM_AUTO("schedule", "training", schedule, "cosine|cuts|constant|auto",
        "how the learning rate moves: down to 0 by half a cosine, cut tenfold where validation stops improving, or not at all; "
        "auto: cosine (images without a limit of time: cuts)"),
    WHOLE("lr-warmup", "training", lr_warmup, 0, 1e15, "50",
        "iterations over which the rate rises at the start (cosine); where it falls from the first on, at most a tenth of all"),
    WHOLE("decay-from", "training", decay_from, 0, 1e15, "0",
        "iteration after which the rate falls (cosine); 0: from the first on, or, with a limit of time, as the clock has it"),
    WHOLE("decay-to", "training", decay_to, 0, 1e15, "0", "iteration at which it has come to 0 (cosine); 0: the last one"),
    TRUTH("average", "training", average, "false", "validate a moving average of the weights as well, and keep the better one"),
    WHOLE_AUTO("batch-size", "training", batch_size, 1e9, "rows an iteration"),
    REAL_AUTO("lr", "training", lr, DBL_MAX, "learning rate"),
    REAL_FROM_0_AUTO("weight-decay", "training", weight_decay,
        "added to the gradient with adam and adamax; decoupled with the others; auto: 0.5 with --given columns and a decoupled one, else 0"),
    REAL("clip", "training", clip, 0, DBL_MAX, "0", "largest norm of the gradient; 0 is off"),
    WHOLE_AUTO("iterations", "training", iterations, 1e15, "at the most; auto: by the number of rows, or, with a limit of time, as many as it allows"),
    SPECIAL(LAM_PARAM_START, "warm-start", "training", "none|flow-matching:N", "auto",
        "N iterations before these that solve no ODE: the field learns straight paths to noise (densities)"),
    ENUM("warm-start-pairing", "training", warm_start_pairing, "none|minibatch", "minibatch",
        "the noise that a row goes to there: drawn, or that of the shortest ways of 64 rows"),
    TIME("budget", "training", max_seconds, "time that a fit takes at the most, as 90s, 5m or 1h30m, reading, validations and the test included; 0: no limit"),
    TIME("max-processor-seconds", "training", max_processor_seconds, "the same in processor time, all threads"),
    WHOLE("early-stopping", "training", early_stopping, 1, 1e15, "10",
        "validations without improvement before a rate cut (cuts) or the way down (cosine)"),
    WHOLE("rate-cuts", "training", rate_cuts, 0, 100, "2", "tenfold cuts of the rate before training stops"),
    WHOLE_AUTO("val-freq", "training", val_freq, 1e15, "iterations between validations"),
    WHOLE("log-freq", "training", log_freq, 1, 1e15, "10", "iterations between progress lines"),
    WHOLE("val-rows", "training", val_rows, 0, 1e15, "0",
        "rows (images) that a validation takes, of a random order; 0: all, or, with a limit of time, as many as there is time for"),
    WHOLE("val-batch-size", "training", val_batch_size, 1, 1e9, "1000", "rows a batch of validation, test and scoring; auto-encoders take batch-size"),
    SEED("seed", "training", seed, "of weights, batches, noise and times"),
    SEED("split-seed", "training", split_seed, "of the split into training, validation and test rows"),
    WHOLE("threads", "training", threads, 0, 4096, "0", "0 is one a processor; the result does not depend on it"),
    WORD("isa", "training", isa, "auto|avx512|avx2|sse2|neon|scalar", "instruction set"),

    REAL("val-fraction", "data", val_fraction, 0, 0.99, "0.1", "validation rows, of those that are not test rows"),
    REAL("test-fraction", "data", test_fraction, 0, 0.99, "0.1", "test rows, of all"),
    TRUTH("standardise", "data", standardise, "true", "scale columns to mean 0 and variance 1"),
    SPECIAL(LAM_PARAM_MAP, "map", "data", "auto|none|normal-scores|normal-scores:N", "auto",
        "a monotone spline a column, through N quantiles of the training rows, makes the column normal before the flow sees it; without N: as "
        "many as pay on rows left out, at most 2 sqrt(rows); auto: normal-scores, but none for rows near a plane"),
    TRUTH("drop-bad-rows", "data", drop_bad_rows, "false", "go on without rows that have a missing cell, counted"),
    TRUTH("drop-duplicates", "data", drop_duplicates, "false", "keep the first of equal rows"),
    ENUM("header", "data", header, "auto|yes|no", "auto", "whether the first line of a text file names the columns"),
    LIST(LAM_PARAM_LIST, "columns", "data", columns, "COL,COL", "columns to use, by name or number; none named: all"),
    LIST(LAM_PARAM_LIST, "drop", "data", drop, "COL,COL", "columns to leave out, by name or number"),
    LIST(LAM_PARAM_LIST, "given", "data", given, "COL,COL", "columns that the density is conditional on: it is of the others, given these"),
    LIST(LAM_PARAM_NOISE, "noise", "data", noise, "auto|COL:a,COL:a", "uniform noise on [0, a) for columns of few values; auto: for all others of them, as wide as their values are apart"),

    WHOLE("latent", "vae", latent, 1, 4096, "64", "dimension of z"),
    ENUM("posterior", "vae", posterior, "cnf|planar|none", "cnf", "what q(z|x) goes through after its Gaussian"),
    ENUM("amortised", "vae", amortised, "none|bias|low-rank|lyper|hyper", "low-rank",
        "what of the flow's layers depends on the image: biases, low-rank terms, the last layer, all of them"),
    WHOLE("rank", "vae", rank, 1, 4096, "20", "of the low-rank terms"),
    ENUM("pixels", "vae", pixels, "binary|categorical", "binary", "Bernoulli, or 256 grey levels"),
    ENUM("binarise", "vae", binarise, "threshold|fixed|fresh", "fixed",
        "grey to binary: at one half, by one draw a pixel, or by a new draw every epoch"),
    TRUTH("invert", "vae", invert, "false", "swap black and white"),
    REAL("variance-min", "vae", variance_min, 0, DBL_MAX, "0", "least variance of the posterior's Gaussian"),
    REAL("variance-max", "vae", variance_max, 0, DBL_MAX, "0", "largest variance of the posterior's Gaussian; 0: no limit"),
    WHOLE("epochs", "vae", epochs, 0, 1e9, "0", "set iterations and val-freq: one validation an epoch; 0: they stand"),
    REAL("warmup", "vae", warmup, 0, 1e9, "100", "epochs over which beta goes from 0 to 1"),
    WHOLE("val-images", "vae", val_images, 0, 1e9, "0", "split off for validation where no file is given; 0: a tenth"),
    WHOLE("test-images", "vae", test_images, 0, 1e9, "0", "split off for test where no file is given; 0: a tenth"),
};
enum { COUNT = sizeof table / sizeof table[0] };

/* What other programs of this field call some of them: not accepted, but the right name is suggested. */
static const char *const elsewhere[][2] = {
    { "learning-rate", "lr" }, { "hidden", "dims" }, { "hidden-dims", "dims" }, { "activation", "nonlinearity" },
    { "num-blocks", "blocks" }, { "layer-type", "layer" }, { "time-length", "time" }, { "max-grad-norm", "clip" },
    { "niters", "iterations" }, { "tolerance", "atol" }, { "poly-coef", "tpr-coefficient" },
    { "poly-num-sample", "tpr-times" }, { "poly-order", "tpr-degree" }, { "kinetic-energy", "kinetic-coefficient" },
    { "jacobian-norm2", "jacobian-coefficient" }, { "frobenius", "jacobian-coefficient" }, { "time-limit", "budget" },
    { "max-time", "budget" }, { "timeout", "budget" },
};

/* What earlier versions called some of them: still accepted. */
static const char *const older[][2] = { { "max-seconds", "budget" } };

const lam_param *lam_param_at(size_t index)
{
    return index < COUNT ? &table[index] : NULL;
}

const lam_parameter *lam_parameter_at(size_t index)
{
    return index < COUNT ? &table[index].shown : NULL;
}

int lam_parameter_applies(size_t index, lam_model_kind kind)
{
    const lam_parameter *p = lam_parameter_at(index);
    return p != NULL && strcmp(p->group, kind == LAM_DENSITY ? "vae" : "data") != 0;
}

/* '-' and '_' are one character in names: batch_size is batch-size. */
static char plain(char c)
{
    return c == '_' ? '-' : c;
}

static int is_name(const char *name, const char *known)
{
    while (*known != '\0' && *known == plain(*name))
        known++, name++;
    return *known == '\0' && *name == '\0';
}

const lam_parameter *lam_parameter_find(const char *name)
{
    const lam_param *param = name != NULL ? lam_param_find(name, NULL) : NULL;
    return param != NULL ? &param->shown : NULL;
}

const lam_param *lam_param_find(const char *name, size_t *index)
{
    for (size_t i = 0; i < sizeof older / sizeof older[0]; i++)
        name = is_name(name, older[i][0]) ? older[i][1] : name;
    for (size_t i = 0; i < COUNT; i++) {
        if (is_name(name, table[i].shown.name)) {
            if (index != NULL)
                *index = i;
            return &table[i];
        }
    }
    return NULL;
}

enum { LONGEST = 40 }; /* longer names are near to none */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t lam_name_distance(const char *a, const char *b)
{
    size_t rows[3][LONGEST + 1], n = strlen(b);
    if (n > LONGEST || strlen(a) > LONGEST)
        return SIZE_MAX;
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    memset(rows, 0, sizeof rows);
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t *oldest = before;
        before = above, above = row, row = oldest;
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            char x = plain(a[i - 1]), y = plain(b[j - 1]);
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == plain(b[j - 2]) && plain(a[i - 2]) == y)
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return row[n];
}

/* "batch" begins "batch-size": the rest was forgotten. */
static int is_beginning(const char *name, const char *known)
{
    size_t n = strlen(name);
    if (n < 3 || strlen(known) <= n || known[n] != '-')
        return 0;
    for (size_t i = 0; i < n; i++)
        if (plain(name[i]) != known[i])
            return 0;
    return 1;
}

const char *lam_parameter_nearest(const char *name)
{
    size_t length = name == NULL ? 0 : strlen(name);
    if (length == 0 || length > LONGEST)
        return NULL;
    const char *nearest = NULL;
    size_t best = 1 + length / 5; /* one slip in a short name, more in a long one */
    for (size_t i = 0; i < COUNT + sizeof elsewhere / sizeof elsewhere[0]; i++) {
        const char *known = i < COUNT ? table[i].shown.name : elsewhere[i - COUNT][0];
        size_t distance = i < COUNT && is_beginning(name, known) ? 1 : lam_name_distance(name, known);
        if (distance < best || (distance == best && nearest == NULL)) {
            best = distance;
            nearest = i < COUNT ? known : elsewhere[i - COUNT][1];
        }
    }
    return nearest;
}

lam_status lam_param_unknown(const char *name)
{
    const char *nearest = lam_parameter_nearest(name);
    if (nearest != NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "unknown parameter \"%.60s\"; did you mean \"%s\"?", name, nearest);
    return lam_fail(LAM_ERR_ARGUMENT, "unknown parameter \"%.60s\"; the list of all stands in \"laminar fit --help\"", name);
}
