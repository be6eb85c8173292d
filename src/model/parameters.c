/* The table of parameters: name, kind, range, default, help, and what else there is to know of each, in one row. */
#include "model/parameters.h"
#include "base/error.h"
#include "model/defaults.h"
#include "model/setting.h"
#include "ode/quadrature.h"
#include "penalty/penalty.h"
#include <float.h>
#include <string.h>

/* ---- where a parameter does nothing -------------------------------------------------------------------------------- */

static int no_polynomial(const lam_config *cfg)
{
    return cfg->tpr_coefficient == 0;
}

static int no_penalty(const lam_config *cfg)
{
    return lam_penalty_on(cfg, NULL) == NULL;
}

static int no_goal(const lam_config *cfg)
{
    return cfg->calls == 0;
}

static int no_error(const lam_config *cfg)
{
    return cfg->error_coefficient == 0;
}

static int no_taylor(const lam_config *cfg)
{
    return cfg->taylor_coefficient == 0;
}

static int no_cosine(const lam_config *cfg)
{
    return lam_schedule_of(cfg) != LAM_SCHEDULE_COSINE;
}

static int no_cuts(const lam_config *cfg)
{
    return lam_schedule_of(cfg) != LAM_SCHEDULE_CUTS;
}

static int constant(const lam_config *cfg)
{
    return cfg->schedule == LAM_SCHEDULE_CONSTANT;
}

static int no_warm_start(const lam_config *cfg)
{
    return cfg->warm_start == 0;
}

static int even_training(const lam_config *cfg)
{
    return !lam_solver_is_pair(cfg->solver);
}

static int even_tests(const lam_config *cfg)
{
    return lam_config_setting(cfg).steps > 0;
}

/* Even steps of evaluation, too, are as many as `steps` says, but where test-steps does. */
static int steps_by_error(const lam_config *cfg)
{
    const lam_setting test = lam_config_setting(cfg);
    return lam_solver_is_pair(cfg->solver) && lam_setting_is_pair(&test);
}

static int no_estimates(const lam_config *cfg)
{
    return cfg->divergence == LAM_DIV_EXACT && cfg->val_divergence != LAM_VAL_ESTIMATE;
}

static int no_low_rank(const lam_config *cfg)
{
    return cfg->amortised != LAM_AMORTISED_LOW_RANK;
}

/* Nothing is solved: no trajectory to straighten. */
static int no_ode(const lam_config *cfg)
{
    return cfg->model == LAM_VAE && cfg->posterior != LAM_POSTERIOR_CNF;
}

static int unconditional(const lam_config *cfg)
{
    return cfg->given.n == 0 && !cfg->any_given;
}

static int grey(const lam_config *cfg)
{
    return cfg->pixels != LAM_PIXELS_BINARY;
}

/* ---- the table ------------------------------------------------------------------------------------------------------ */

/* A row: name, group, member of lam_config, what the kind needs (range, words, default), help; behind it, where there is something to say,
 * MARKS(LAM_PARAM_HOW, ...) and .idle with .wants. */
#define ROW(name_, group_, values_, kind_, field, ...) \
    .shown.name = name_, .shown.group = group_, .shown.values = values_, .kind = kind_, .offset = offsetof(lam_config, field), __VA_ARGS__
#define RANGE(low_, high_) .low = low_, .high = high_
#define WORDS(list) list(LAM_WORD, LAM_BAR)
#define MARKS(marks_) .marks = marks_, .shown.is_course = 1

#define WHOLE(name, group, field, low, high, default_, ...) \
    { ROW(name, group, "N", LAM_PARAM_SIZE, field, RANGE(low, high), .preset = default_, .shown.help = __VA_ARGS__) }
/* 0 stands for "auto", the default: lam_config_resolve chooses */
#define WHOLE_AUTO(name, group, field, high, ...) \
    { ROW(name, group, "N", LAM_PARAM_SIZE, field, RANGE(1, high), .preset = "auto", .automatic = 1, .shown.help = __VA_ARGS__) }
#define REAL_AUTO(name, group, field, high, ...) \
    { ROW(name, group, "X", LAM_PARAM_REAL, field, RANGE(0, high), .above_low = 1, .preset = "auto", .automatic = 1, .shown.help = __VA_ARGS__) }
/* and where 0 is a value, LAM_AUTO_REAL does */
#define REAL_FROM_0_AUTO(name, group, field, ...) \
    { ROW(name, group, "X", LAM_PARAM_REAL, field, RANGE(0, DBL_MAX), .preset = "auto", .automatic = -1, .shown.help = __VA_ARGS__) }
#define SEED(name, group, field, ...) { ROW(name, group, "N", LAM_PARAM_U64, field, .preset = "0", .shown.help = __VA_ARGS__) }
#define REAL(name, group, field, low, high, default_, ...) \
    { ROW(name, group, "X", LAM_PARAM_REAL, field, RANGE(low, high), .preset = default_, .shown.help = __VA_ARGS__) }
#define TIME(name, group, field, ...) \
    { ROW(name, group, "TIME", LAM_PARAM_TIME, field, RANGE(0, DBL_MAX), .preset = "0", .shown.help = __VA_ARGS__) }
#define ABOVE(name, group, field, low, default_, ...) \
    { ROW(name, group, "X", LAM_PARAM_REAL, field, RANGE(low, DBL_MAX), .above_low = 1, .preset = default_, .shown.help = __VA_ARGS__) }
#define TRUTH(name, group, field, default_, ...) \
    { ROW(name, group, "true|false", LAM_PARAM_BOOL, field, RANGE(0, 1), .preset = default_, .shown.help = __VA_ARGS__) }
#define ENUM(name, group, field, words, default_, ...) \
    { ROW(name, group, words, LAM_PARAM_ENUM, field, .preset = default_, .shown.help = __VA_ARGS__) }
/* one of the words is "auto": lam_config_resolve chooses another */
#define ENUM_AUTO(name, group, field, words, ...) \
    { ROW(name, group, words, LAM_PARAM_ENUM, field, .preset = "auto", .automatic = 1, .shown.help = __VA_ARGS__) }
#define WORD(name, group, field, words, ...) { ROW(name, group, words, LAM_PARAM_WORD, field, .shown.help = __VA_ARGS__) }
#define LIST(kind, name, group, field, items, ...) { ROW(name, group, items, kind, field, .shown.is_list = 1, .shown.help = __VA_ARGS__) }
#define DIMS(name, group, field, default_, ...) { ROW(name, group, "N-N-N", LAM_PARAM_DIMS, field, .preset = default_, .shown.help = __VA_ARGS__) }
/* of several members */
#define SPECIAL(kind_, name_, group_, values_, default_, ...) \
    { .shown.name = name_, .shown.group = group_, .shown.values = values_, .kind = kind_, .preset = default_, .shown.help = __VA_ARGS__ }

/* The coefficient of a penalty on a list, where the list has its help */
#define COEFFICIENT(name, row, help) COEFFICIENT_##row(name, help)
#define COEFFICIENT_LISTED(name, help) \
    REAL(#name "-coefficient", "penalty", name##_coefficient, 0, DBL_MAX, "0", help, .idle = no_ode, .wants = "--posterior cnf"),
#define COEFFICIENT_OWN(name, help)

/* In the order in which they are printed and applied: "tpr" stands before the four that it sets. */
static const lam_param table[] = {
    ENUM("model", "model", model, "density|vae", "density", "what is fitted: a density of a table (`laminar fit`) or an auto-encoder of images (`laminar vae fit`)"),
    DIMS("dims", "flow", hidden, "auto", "widths of the hidden layers, from 1 to 16 of them; auto: chosen from the number of rows and columns"),
    WHOLE_AUTO("blocks", "flow", blocks, 10000, "number of CNF blocks in the chain of a flow, each with its own weights; auto: chosen from the number of rows"),
    ENUM("layer", "flow", layer, WORDS(LAM_LAYER_LIST), "concat", "how a layer depends on time"),
    ENUM("nonlinearity", "flow", nonlinearity, WORDS(LAM_ACTIVATION_LIST), "tanh", "activation between the layers"),
    DIMS("context-dims", "flow", context_hidden, "auto", "widths of the hidden layers of the net through which given columns act on the flow",
        .idle = unconditional, .wants = "--given or --any-given"),
    ENUM_AUTO("context-maps", "flow", context_maps, WORDS(LAM_CONTEXT_MAPS_LIST),
        "linear maps from that net to biases of the flow's hidden layers: shared by all blocks, or every block has its own; auto: shared by more than "
        "one block, and in a fit that starts from a model as there",
        .idle = unconditional, .wants = "--given or --any-given"),
    ABOVE("time", "flow", time, 0, "1", "end time T of each block"),
    TRUTH("train-time", "flow", train_time, "false", "train the end time too, as T = s^2"),
    ENUM("precision", "flow", precision, WORDS(LAM_PRECISION_LIST), "float", "floating-point precision of the weights and of the solver"),

    ENUM("solver", "solve", solver, WORDS(LAM_SOLVER_LIST), "dopri5",
        "Runge-Kutta method; " WORDS(LAM_FIXED_LIST) " take a fixed number of steps (`steps`), the others choose their steps"),
    ABOVE("atol", "solve", atol, 0, "1e-4", "absolute tolerance in training, in standardised units",
        .idle = even_training, .wants = "an adaptive --solver"),
    REAL("rtol", "solve", rtol, 0, 1, "1e-4", "relative tolerance in training", .idle = even_training, .wants = "an adaptive --solver"),
    ABOVE("test-atol", "solve", test_atol, 0, "1e-5", "absolute tolerance in validation, testing and scoring",
        .idle = even_tests, .wants = "adaptive steps in tests"),
    REAL("test-rtol", "solve", test_rtol, 0, 1, "1e-5", "relative tolerance in validation, testing and scoring",
        .idle = even_tests, .wants = "adaptive steps in tests"),
    ENUM("test-solver", "solve", test_solver, WORDS(LAM_SOLVER_LIST) "|auto", "auto", "solver in validation, testing and scoring; auto: the one of training"),
    WHOLE("test-steps", "solve", test_steps, 0, 1e9, "0",
        "even steps per block in validation, testing and scoring; 0: adaptive, or, for solvers with fixed steps, as many as `steps`"),
    WHOLE("test-trace-points", "solve", test_trace_points, 0, LAM_MAX_POINTS, "0",
        "points per block at which validation, testing and scoring compute the trace of the Jacobian, to integrate it by Gauss-Legendre quadrature while the "
        "solver follows the states alone; 0: at every stage of the solver"),
    SPECIAL(LAM_PARAM_FIRST, "first-step", "solve", "probe|warm|H", "warm",
        "first step of a solve: estimated by a trial step (probe), remembered from the last solve (warm), or of size H"),
    ENUM("error-parts", "solve", error_parts, WORDS(LAM_ERROR_LIST), "z,l", "what the error of a training step is measured on: states and log-density, or states alone",
        .idle = even_training, .wants = "an adaptive --solver"),
    ENUM("end", "solve", end, WORDS(LAM_END_LIST), "land",
        "how a solve ends: on T by a shorter last step, past T with interpolation, or on T and on every observation time"),
    ENUM("step-control", "solve", step_control, WORDS(LAM_CONTROL_LIST), "batch", "one step size for the whole batch, or one for each tile of 64 rows"),
    WHOLE("steps", "solve", fixed_steps, 1, 1e9, "20", "steps per block of solvers with fixed steps (" WORDS(LAM_FIXED_LIST) ")",
        .idle = steps_by_error, .wants = "--solver " WORDS(LAM_FIXED_LIST)),
    WHOLE("max-steps", "solve", max_steps, 1, 1e9, "1000", "attempted steps per block before the solver gives up", MARKS(LAM_PARAM_COURSE)),
    REAL("min-step", "solve", min_step, 0, DBL_MAX, "1e-10", "step size below which the solver gives up"),
    ENUM("divergence", "solve", divergence, "exact|rademacher|gaussian", "rademacher", "how the trace of the Jacobian is computed in training: exactly, or by Hutchinson's estimator"),
    ENUM("val-divergence", "solve", val_divergence, WORDS(LAM_VAL_DIVERGENCE_LIST), "auto",
        "the trace in validation; auto: exact up to 16 columns, otherwise as in training; estimate: as in training"),
    WHOLE("probes", "solve", probes, 1, 1e6, "1", "noise vectors of Hutchinson's estimator",
        .idle = no_estimates, .wants = "--divergence rademacher|gaussian"),
    ENUM("gradient", "solve", gradient, WORDS(LAM_GRADIENT_LIST), "steps",
        "gradients by reversing the steps that were taken, or by solving the adjoint equation"),
    REAL("memory", "solve", memory, 0, DBL_MAX, "512", "MiB for activations kept for the gradient; what does not fit is computed again", MARKS(LAM_PARAM_HOW)),

    SPECIAL(LAM_PARAM_TPR, "tpr", "penalty", "true|false", "false",
        "trajectory polynomial regularisation as published: coefficient 5, 4 times, degree 1, states alone; false: coefficient 0", MARKS(LAM_PARAM_HOW)),
    REAL_FROM_0_AUTO("tpr-coefficient", "penalty", tpr_coefficient,
        "coefficient of trajectory polynomial regularisation; 0: off; auto: 50, but 0 with another penalty, with `gradient adjoint`, for images, and "
        "where a column is nearly a linear function of the others",
        .idle = no_ode, .wants = "--posterior cnf"),
    WHOLE("tpr-times", "penalty", tpr_times, 2, 32, "4", "number of observation times, both ends included",
        .idle = no_polynomial, .wants = "--tpr-coefficient"),
    WHOLE("tpr-degree", "penalty", tpr_degree, 0, 100, "1", "degree of the polynomial fitted to the states at these times",
        .idle = no_polynomial, .wants = "--tpr-coefficient"),
    REAL_FROM_0_AUTO("tpr-l-weight", "penalty", tpr_l_weight,
        "weight of the log-density beside the states in this penalty; 0: none, as published; auto: 1 where the coefficient is auto too, otherwise 0",
        .idle = no_polynomial, .wants = "--tpr-coefficient"),
    LAM_OBSERVED_LIST(COEFFICIENT)
    LAM_INTEGRAL_LIST(COEFFICIENT)
    WHOLE("taylor-order", "penalty", taylor_order, 2, 3, "2", "K, the order of that derivative", .idle = no_taylor, .wants = "--taylor-coefficient"),
    REAL("steer", "penalty", steer, 0, DBL_MAX, "0", "STEER: training draws the end time of each block from (T - b, T + b), b < time; 0: off"),
    REAL("error-coefficient", "penalty", error_coefficient, 0, DBL_MAX, "0",
        "coefficient of the squared error estimates of the solver's accepted steps, in units of the tolerance; 0: off", .idle = no_ode,
        .wants = "--posterior cnf"),
    REAL("error-l-weight", "penalty", error_l_weight, 0, DBL_MAX, "1", "weight of the log-density's error beside that of the states in this penalty",
        .idle = no_error, .wants = "--error-coefficient"),
    REAL("calls", "penalty", calls, 0, 1e6, "0",
        "evaluations of f per block and solve in training that the penalties' coefficients are adjusted to reach; 0: the coefficients stay",
        .idle = no_penalty, .wants = "--tpr-coefficient"),
    REAL("calls-price", "penalty", calls_price, 0, DBL_MAX, "0.25",
        "what the penalties may add to the loss to reach calls, as a share of the NLL that training has gained since its start by flow matching; 0: no bound",
        .idle = no_goal, .wants = "--calls"),

    ENUM_AUTO("optimizer", "training", optimizer, WORDS(LAM_OPTIMIZER_LIST) "|auto", "optimiser; auto: soap, but muon with layers of 512 units or more; for images adamax"),
    ENUM_AUTO("schedule", "training", schedule, WORDS(LAM_SCHEDULE_LIST),
        "how the learning rate changes: it falls to 0 by half a cosine, is cut tenfold where validation stops improving, or stays constant; "
        "auto: cosine, for images without a time limit cuts"),
    WHOLE("lr-warmup", "training", lr_warmup, 0, 1e15, "50",
        "iterations over which the learning rate rises at the start (schedule cosine); at most a tenth of all where it falls from the start on",
        .idle = no_cosine, .wants = "--schedule cosine"),
    WHOLE("decay-from", "training", decay_from, 0, 1e15, "0",
        "iteration after which the learning rate falls (schedule cosine); 0: from the start on, or, with a time limit, when time demands it",
        MARKS(LAM_PARAM_CLOCK), .idle = no_cosine, .wants = "--schedule cosine"),
    WHOLE("decay-to", "training", decay_to, 0, 1e15, "0", "iteration at which the learning rate reaches 0 (schedule cosine); 0: the last one",
        MARKS(LAM_PARAM_CLOCK), .idle = no_cosine, .wants = "--schedule cosine"),
    TRUTH("average", "training", average, "false", "validate a moving average of the weights too, and keep the better of the two"),
    WHOLE_AUTO("batch-size", "training", batch_size, 1e9, "rows per iteration; auto: chosen from the number of rows"),
    REAL_AUTO("lr", "training", lr, DBL_MAX, "learning rate; auto: the optimiser's own"),
    REAL_FROM_0_AUTO("weight-decay", "training", weight_decay,
        "weight decay: added to the gradient by adam and adamax, decoupled in the other optimisers; auto: with a decoupled optimiser chosen by validation "
        "from several below 3000 training rows, if `iterations` is auto too and a limit of time leaves room for it; otherwise with given columns 0.5 below 3000 rows, below 20000 0.2, or 0.3 where "
        "more than 2 columns are not given; without given columns 1 below 500; otherwise 0"),
    REAL("clip", "training", clip, 0, DBL_MAX, "0", "largest norm of the gradient, longer ones are shortened to it; 0: off"),
    WHOLE_AUTO("iterations", "training", iterations, 1e15, "largest number of iterations; auto: chosen from the number of rows, or, with a time limit, as many as it allows",
        MARKS(LAM_PARAM_LENGTH | LAM_PARAM_CLOCK)),
    SPECIAL(LAM_PARAM_START, "warm-start", "training", "none|flow-matching:N", "auto",
        "N iterations of flow matching first, which solve no ODE: the field learns straight paths from rows to noise (densities only)"),
    ENUM("warm-start-pairing", "training", warm_start_pairing, WORDS(LAM_PAIRING_LIST), "minibatch",
        "how rows and noise are paired in flow matching: independently, or by optimal transport within groups of 64 rows", .idle = no_warm_start, .wants = "--warm-start"),
    TIME("budget", "training", max_seconds, "time limit of the whole fit, such as 90s, 5m or 1h30m, with reading, validation and test; 0: none",
        MARKS(LAM_PARAM_LENGTH)),
    TIME("max-processor-seconds", "training", max_processor_seconds, "the same limit in processor time, summed over threads", MARKS(LAM_PARAM_LENGTH)),
    WHOLE("early-stopping", "training", early_stopping, 1, 1e15, "10",
        "validations without improvement before the learning rate is cut (schedule cuts) or begins to fall (schedule cosine)",
        MARKS(LAM_PARAM_COURSE), .idle = constant, .wants = "--schedule cosine|cuts"),
    WHOLE("rate-cuts", "training", rate_cuts, 0, 100, "2", "tenfold cuts of the learning rate before training stops",
        MARKS(LAM_PARAM_COURSE), .idle = no_cuts, .wants = "--schedule cuts"),
    WHOLE_AUTO("val-freq", "training", val_freq, 1e15, "iterations between validations", MARKS(LAM_PARAM_COURSE)),
    WHOLE("log-freq", "training", log_freq, 1, 1e15, "10", "iterations between progress lines", MARKS(LAM_PARAM_HOW)),
    WHOLE("val-rows", "training", val_rows, 0, 1e15, "0",
        "rows or images that a validation uses, a random sample; 0: all, or, with a time limit, as many as there is time for",
        MARKS(LAM_PARAM_CLOCK)),
    WHOLE("val-batch-size", "training", val_batch_size, 1, 1e9, "1000", "rows per batch in validation, testing and scoring; auto-encoders use batch-size",
        MARKS(LAM_PARAM_COURSE)),
    SEED("seed", "training", seed, "seed of the initial weights, batches, noise and observation times"),
    SEED("split-seed", "training", split_seed, "seed of the split into training, validation and test rows"),
    WHOLE("threads", "training", threads, 0, 4096, "0", "number of threads; 0: one per processor; the result does not depend on it", MARKS(LAM_PARAM_HOW)),
    ENUM("reduce", "training", reduce, WORDS(LAM_REDUCE_LIST), "ordered", "how processes under mpirun add their gradients. ordered: the result is that of one process to the last bit; fast: in an order that MPI chooses", MARKS(LAM_PARAM_HOW)),
    WORD("isa", "training", isa, "auto|avx512|avx2|sse2|neon|scalar", "instruction set; auto: the best that the processor has", MARKS(LAM_PARAM_HOW)),

    REAL("val-fraction", "data", val_fraction, 0, 0.99, "0.1", "share of validation rows among those that are not test rows"),
    REAL("test-fraction", "data", test_fraction, 0, 0.99, "0.1", "share of test rows among all rows"),
    TRUTH("standardise", "data", standardise, "true", "scale each column to mean 0 and variance 1"),
    SPECIAL(LAM_PARAM_MAP, "map", "data", "auto|none|normal-scores|normal-scores:N", "auto",
        "normal-scores: a monotone spline through N quantiles of its training rows makes each column normal before the flow sees it; without N: the "
        "number is chosen on held-out rows, at most 2 sqrt(rows); auto: normal-scores, but none where a column is nearly a linear function of the others"),
    ENUM_AUTO("whiten", "data", whiten, WORDS(LAM_WHITEN_LIST),
        "gaussian: whiten the columns, after the map, by the mean and covariance of the training rows, or, where some are given, by the conditional "
        "mean and covariance of the others; auto: gaussian with any-given and up to 128 columns, otherwise none"),
    ENUM_AUTO("calibrate", "data", calibrate, WORDS(LAM_CALIBRATE_LIST),
        "what validation rows decide beside the best parameters. scale: how wide the base density is, so that intervals hold what they should; "
        "gaussian: whether the flow is better than a Gaussian, which is the model where it is not; auto: gaussian with "
        "any-given and whitening, scale with given columns (not with any-given), otherwise none"),
    WHOLE_AUTO("flows", "data", flows, LAM_MOST_FLOWS, "number of flows in the model, each fitted with a seed and validation rows of its own; their densities are averaged, "
        "which evens out the chance errors of fits to few rows; auto: 5 below 3000 training rows and 3 below 10000 where iterations is auto too, otherwise 1; "
        "under a limit of time as many of these, or of 3, as it is long enough for",
        MARKS(LAM_PARAM_LENGTH | LAM_PARAM_CLOCK)),
    TRUTH("drop-bad-rows", "data", drop_bad_rows, "false", "leave out rows with a missing cell; they are counted"),
    TRUTH("drop-duplicates", "data", drop_duplicates, "false", "of equal rows keep the first"),
    ENUM("header", "data", header, "auto|yes|no", "auto", "whether the first line of a text file names the columns"),
    LIST(LAM_PARAM_LIST, "columns", "data", columns, "COL,COL", "columns to use, by name or number; default: all"),
    LIST(LAM_PARAM_LIST, "drop", "data", drop, "COL,COL", "columns to leave out, by name or number"),
    LIST(LAM_PARAM_LIST, "given", "data", given, "COL,COL", "columns that the density is conditional on: it is the density of the others, given these"),
    TRUTH("any-given", "data", any_given, "false",
        "fit one density of any columns given any others; any cell may be missing; --given then names columns that never have a density"),
    LIST(LAM_PARAM_NOISE, "noise", "data", noise, "auto|COL:a,COL:a", 
        "uniform noise on [0, a) added to columns with few distinct values; auto: to all such columns that are not named, as wide as the gaps "
        "between their values"),

    WHOLE("latent", "vae", latent, 1, 4096, "64", "dimension of the code z"),
    ENUM("posterior", "vae", posterior, WORDS(LAM_POSTERIOR_LIST), "cnf", "what follows the Gaussian of the approximate posterior q(z|x): a flow, planar layers, or nothing"),
    ENUM("amortised", "vae", amortised, WORDS(LAM_AMORTISED_LIST), "low-rank",
        "what depends on the image in the flow's layers: nothing, biases, low-rank terms, the last layer, or all weights"),
    WHOLE("rank", "vae", rank, 1, 4096, "20", "rank of the low-rank terms", .idle = no_low_rank, .wants = "--amortised low-rank"),
    ENUM("pixels", "vae", pixels, WORDS(LAM_PIXELS_LIST), "binary", "distribution of a pixel: Bernoulli, or categorical with 256 grey levels"),
    ENUM("binarise", "vae", binarise, WORDS(LAM_BINARISE_LIST), "fixed",
        "how grey pixels become binary: by a threshold at one half, by one draw each, or by a new draw every epoch", .idle = grey, .wants = "--pixels binary"),
    TRUTH("invert", "vae", invert, "false", "swap black and white in the images"),
    REAL("variance-min", "vae", variance_min, 0, DBL_MAX, "0", "smallest variance of the posterior's Gaussian"),
    REAL("variance-max", "vae", variance_max, 0, DBL_MAX, "0", "largest variance of the posterior's Gaussian; 0: no limit"),
    WHOLE("epochs", "vae", epochs, 0, 1e9, "0", "number of epochs, with one validation after each, in place of iterations and val-freq; 0: these hold",
        MARKS(LAM_PARAM_LENGTH | LAM_PARAM_CLOCK)),
    REAL("warmup", "vae", warmup, 0, 1e9, "100", "epochs over which beta, the weight of the KL term, rises from 0 to 1"),
    WHOLE("val-images", "vae", val_images, 0, 1e9, "0", "images split off for validation where no file is given; 0: a tenth"),
    WHOLE("test-images", "vae", test_images, 0, 1e9, "0", "images split off for the test where no file is given; 0: a tenth"),
};
enum { COUNT = sizeof table / sizeof table[0] };

const lam_param *lam_param_at(size_t index)
{
    return index < COUNT ? &table[index] : NULL;
}

const lam_parameter *lam_parameter_at(size_t index)
{
    return index < COUNT ? &table[index].shown : NULL;
}

const char *lam_parameter_idle(size_t index, const lam_config *cfg)
{
    const lam_param *param = lam_param_at(index);
    char value[32];
    if (cfg == NULL || param == NULL || param->idle == NULL || !param->idle(cfg))
        return NULL;
    int nothing = param->automatic < 0 && lam_config_get(cfg, param->shown.name, value, sizeof value) == LAM_OK && strcmp(value, "0") == 0;
    return nothing ? NULL : param->wants; /* 0 says what is so anyway: "tpr: false" sets it */
}

int lam_parameter_applies(size_t index, lam_model_kind kind)
{
    const lam_parameter *p = lam_parameter_at(index);
    return p != NULL && strcmp(p->group, kind == LAM_DENSITY ? "vae" : "data") != 0;
}

