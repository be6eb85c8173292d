/* laminar: continuous normalizing flows whose ODE is cheap to solve: densities of tables of numbers, and posteriors of variational
 * auto-encoders of images (lam_images_read, lam_vae_fit; examples/fit_images.c).
 *
 * A complete program (examples/fit_csv.c is this one, with its error checks):
 *
 *     #include <laminar.h>
 *     #include <stdio.h>
 *     int main(void)
 *     {
 *         lam_config cfg;
 *         lam_table *table = NULL;
 *         lam_dataset *data = NULL;
 *         lam_model *model = NULL;
 *         double x[2] = { 0.5, -0.5 }, logp;
 *         lam_config_init(&cfg);
 *         lam_config_set(&cfg, "tpr", "true");
 *         lam_config_set(&cfg, "iterations", "200");
 *         if (lam_table_toy("pinwheel", 10000, 1, &table) || lam_dataset_build(&cfg, table, NULL, NULL, NULL, &data)
 *             || lam_fit(&cfg, data, NULL, &model, NULL) || lam_log_prob(model, NULL, x, 1, &logp, NULL))
 *             return fprintf(stderr, "%s\n", lam_last_error()), 1;
 *         printf("log p(x) = %g nats\n", logp);
 *         lam_model_free(model), lam_dataset_free(data), lam_table_free(table), lam_config_clear(&cfg);
 *     }
 *
 * Conventions. Arrays are row-major, x [n, dim]. Log-densities are in nats. "Data units" are the units of the file;
 * "standardised units" are (x - mean) / scale, mean 0 and variance 1 per column of the training rows. In these the flow works, unless
 * column maps (the parameter map) stand between: then it works behind them, and all rows and densities are in these units still.
 * Every call that can fail returns a lam_status; LAM_OK is 0. After a failure lam_last_error() says what went wrong,
 * where, and what to do about it; the text is kept per thread. A NULL where an argument must be given is LAM_ERR_ARGUMENT, with its
 * name; functions that return no status answer 0 or NULL to it, and leave out what they have no place for. Whoever creates an object frees it; every free takes NULL.
 * Calls on different objects may run at the same time; a model may be read by several threads at once.
 */
#ifndef LAMINAR_H
#define LAMINAR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_VERSION "0.1.0"

#if defined(__GNUC__)
#define LAM_API __attribute__((visibility("default")))
#else
#define LAM_API
#endif

/* ---- status ------------------------------------------------------------------------------------------------------- */

/* code, name, meaning */
#define LAM_STATUS_LIST(X) \
    X(LAM_OK, "ok", "success") \
    X(LAM_ERR_ARGUMENT, "argument", "an argument or a configuration value is out of range") \
    X(LAM_ERR_MEMORY, "memory", "out of memory") \
    X(LAM_ERR_IO, "io", "a file could not be opened, read or written") \
    X(LAM_ERR_FORMAT, "format", "a file is not what it should be") \
    X(LAM_ERR_DATA, "data", "the numbers cannot be used: NaN, a constant column, too few rows") \
    X(LAM_ERR_SHAPE, "shape", "columns or tensor shapes do not match the model") \
    X(LAM_ERR_SOLVER, "solver", "the ODE solver gave up: too many steps, step too small, NaN") \
    X(LAM_ERR_DIVERGED, "diverged", "training produced a loss that is not finite") \
    X(LAM_ERR_INTERRUPTED, "interrupted", "stopped on request; what was done is saved") \
    X(LAM_ERR_UNSUPPORTED, "unsupported", "this build or processor lacks what was asked for")

typedef enum lam_status {
#define LAM_STATUS_ENUM(code, name, text) code,
    LAM_STATUS_LIST(LAM_STATUS_ENUM)
#undef LAM_STATUS_ENUM
} lam_status;

LAM_API const char *lam_version(void);
LAM_API const char *lam_status_name(lam_status status);
/* Text of this thread's last failure, "" if none. Valid until this thread's next failing call. */
LAM_API const char *lam_last_error(void);

/* ---- configuration ------------------------------------------------------------------------------------------------ */

/* One table of parameter names serves YAML files, command-line flags and lam_config_set: "batch-size" everywhere.
 * The struct may be filled directly; strings and lists in it are owned by the struct (set them through lam_config_set). */
typedef enum lam_layer { LAM_LAYER_IGNORE, LAM_LAYER_CONCAT, LAM_LAYER_CONCAT_V2, LAM_LAYER_SQUASH,
    LAM_LAYER_CONCATSQUASH, LAM_LAYER_BLEND, LAM_LAYER_HYPER } lam_layer;
typedef enum lam_activation { LAM_ACT_TANH, LAM_ACT_SOFTPLUS, LAM_ACT_ELU, LAM_ACT_RELU, LAM_ACT_SWISH, LAM_ACT_SQUARE,
    LAM_ACT_IDENTITY } lam_activation;
typedef enum lam_solver { LAM_DOPRI5, LAM_TSIT5, LAM_BOSH3, LAM_HEUN21, LAM_DOP853, LAM_EULER, LAM_MIDPOINT, LAM_RK4,
    LAM_SOLVER_AUTO /* test_solver alone: as solver */ } lam_solver;
typedef enum lam_divergence { LAM_DIV_EXACT, LAM_DIV_RADEMACHER, LAM_DIV_GAUSSIAN } lam_divergence;
/* The trace in validation: AUTO is exact up to LAM_EXACT_DIM columns, else as in training; so is ESTIMATE for any number. */
typedef enum lam_val_divergence { LAM_VAL_AUTO, LAM_VAL_EXACT, LAM_VAL_ESTIMATE } lam_val_divergence;
#define LAM_EXACT_DIM 16
/* Where a solve ends: LAND clamps its last step to the end time; OVERSHOOT steps past it and interpolates;
 * LAND_ALL lands on every observation time as well. */
typedef enum lam_end { LAM_END_LAND, LAM_END_OVERSHOOT, LAM_END_LAND_ALL } lam_end;
typedef enum lam_first_step { LAM_STEP_PROBE, LAM_STEP_WARM, LAM_STEP_GIVEN } lam_first_step;
typedef enum lam_error_parts { LAM_ERROR_ZL, LAM_ERROR_Z } lam_error_parts;
typedef enum lam_gradient { LAM_GRAD_STEPS, LAM_GRAD_ADJOINT } lam_gradient;
/* code, name, the learning rate that it has where none is given */
#define LAM_OPTIMIZER_LIST(X) \
    X(LAM_ADAM, adam, 1e-3) \
    X(LAM_ADAMW, adamw, 1e-3) \
    X(LAM_ADAMAX, adamax, 1e-3) \
    X(LAM_MUON, muon, 1e-2) \
    X(LAM_SOAP, soap, 1e-2)
typedef enum lam_optimizer {
#define LAM_OPTIMIZER_ENUM(code, name, rate) code,
    LAM_OPTIMIZER_LIST(LAM_OPTIMIZER_ENUM)
#undef LAM_OPTIMIZER_ENUM
    LAM_OPTIMIZER_AUTO /* soap of densities (muon where a layer has 512 or more units), adamax of auto-encoders */
} lam_optimizer;
/* How the learning rate moves (method.md 8): down to 0 by half a cosine; cut tenfold where validation stops improving; not at all. AUTO:
 * cosine of densities and under a limit of time, cuts of auto-encoders without one. */
typedef enum lam_schedule_kind { LAM_SCHEDULE_COSINE, LAM_SCHEDULE_CUTS, LAM_SCHEDULE_CONSTANT, LAM_SCHEDULE_AUTO } lam_schedule_kind;
/* Parameters whose default "auto" is chosen by rows and columns when a fit begins (lam_config_resolve). */
#define LAM_AUTO 0                  /* of dims (n_hidden), blocks, batch_size, lr, iterations, val_freq */
#define LAM_AUTO_START ((size_t)-1) /* of warm_start */
#define LAM_AUTO_REAL (-1.0)        /* of tpr_coefficient and tpr_l_weight, where 0 is a value */
enum { LAM_UNENDING = 1000000000 }; /* of iterations: as many as a limit of time allows, which is what "auto" comes to under one */
typedef enum lam_precision { LAM_FLOAT, LAM_DOUBLE } lam_precision;
typedef enum lam_step_control { LAM_CONTROL_BATCH, LAM_CONTROL_TILE } lam_step_control;
/* The noise that a row goes to in flow matching: NONE, that drawn beside it; MINIBATCH, of the draws of 64 rows the one that makes
 * the sum of their squared ways least. */
typedef enum lam_pairing_kind { LAM_PAIRING_NONE, LAM_PAIRING_MINIBATCH } lam_pairing_kind;
typedef enum lam_model_kind { LAM_DENSITY, LAM_VAE } lam_model_kind;
/* What happens to standardised columns before they reach the flow: nothing, or a monotone spline a column makes normal scores of them
 * (method.md 13). */
typedef enum lam_map { LAM_MAP_NONE, LAM_MAP_NORMAL_SCORES, LAM_MAP_AUTO } lam_map;
/* Does the first line of a text file name the columns? AUTO: its cells and those below tell (docs/data.md). */
typedef enum lam_header { LAM_HEADER_AUTO, LAM_HEADER_YES, LAM_HEADER_NO } lam_header;
/* Of a variational auto-encoder (method.md 9): what its approximate posterior goes through, how the flow's layers depend on
 * the image, what a pixel is, how grey pixels become binary ones. */
typedef enum lam_posterior { LAM_POSTERIOR_CNF, LAM_POSTERIOR_PLANAR, LAM_POSTERIOR_NONE } lam_posterior;
typedef enum lam_amortised { LAM_AMORTISED_NONE, LAM_AMORTISED_BIAS, LAM_AMORTISED_LOW_RANK, LAM_AMORTISED_LYPER,
    LAM_AMORTISED_HYPER } lam_amortised;
typedef enum lam_pixels { LAM_PIXELS_BINARY, LAM_PIXELS_CATEGORICAL } lam_pixels;
typedef enum lam_binarise { LAM_BINARISE_THRESHOLD, LAM_BINARISE_FIXED, LAM_BINARISE_FRESH } lam_binarise;

#define LAM_MAX_HIDDEN 16 /* hidden layers a field may have */

/* A list of columns. Where columns are asked for, an item is a column's name, as it is in the file; or its number in the file, from 1,
 * where the file names none of its columns by a number that is not its own. No item is ever looked into: a name may hold commas. */
typedef struct lam_names {
    const char *const *item; /* [n]; may be NULL if n is 0 */
    size_t n;
} lam_names;
/* A list for an argument, as in { .drop = LAM_NAMES("date", "kWh, total") }; it lives as long as the block that it stands in. */
#define LAM_NAMES(...) \
    { (const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *) }

typedef struct lam_config {
    lam_model_kind model; /* what is fitted: groups "data" and "vae" of the parameters are for one kind each */
    /* the flow */
    size_t hidden[LAM_MAX_HIDDEN]; /* "dims": widths of the hidden layers, "60-60-60" */
    size_t n_hidden;
    size_t blocks;
    lam_layer layer;
    lam_activation nonlinearity;
    double time;        /* end time T of a block */
    int train_time;     /* 1: T = s^2 is trained */
    lam_precision precision;
    /* the solve */
    lam_solver solver;
    double atol, rtol;           /* in training, standardised units */
    double test_atol, test_rtol; /* in validation, test and scoring */
    lam_solver test_solver;      /* the same */
    size_t test_steps;           /* the same: even steps a block; 0: adaptive, of euler, midpoint and rk4 fixed_steps */
    lam_first_step first_step;   /* "probe", "warm" or a number */
    double first_step_size;      /* used with LAM_STEP_GIVEN */
    lam_error_parts error_parts; /* in training */
    lam_end end;
    lam_step_control step_control;
    size_t fixed_steps;          /* "steps": for euler, midpoint, rk4 */
    size_t max_steps;            /* attempted steps a block */
    double min_step;
    /* the trace and the gradient */
    lam_divergence divergence; /* in training */
    size_t probes;             /* Hutchinson probes */
    lam_val_divergence val_divergence;
    lam_gradient gradient;
    double memory;             /* MiB for kept activations */
    /* trajectory polynomial regularisation (Huang and Yeh, AAAI 2021, eq. 8; method.md (4)) */
    double tpr_coefficient;    /* alpha; 0 switches it off. "tpr: true" sets 5, 4 times, degree 1 and no weight of l */
    size_t tpr_times, tpr_degree;
    double tpr_l_weight;       /* of l beside z in it; 0, as published: none */
    /* other penalties, each 0: off, and in any combination (method.md 10) */
    double kinetic_coefficient, jacobian_coefficient; /* together RNODE (Finlay et al. 2020) */
    double taylor_coefficient; /* TayNODE (Kelly et al. 2020), on the paths' derivatives of order taylor_order, 2 or 3 */
    size_t taylor_order;
    double steer;              /* STEER (Ghosh et al. 2020): training ends blocks within T -+ this */
    /* training */
    lam_optimizer optimizer;
    lam_schedule_kind schedule;
    size_t lr_warmup;              /* of cosine: iterations over which the rate rises */
    size_t decay_from;             /* of cosine: iteration after which it falls; 0: from the first, or as a limit of time has it */
    size_t decay_to;               /* of cosine: iteration at which it comes to 0; 0: the last */
    int average;                   /* 1: validation looks at a moving average of the weights as well, and the better one is kept */
    size_t batch_size;
    double lr, weight_decay, clip; /* clip: largest gradient norm, 0 = off */
    size_t iterations;             /* at the most */
    size_t warm_start;             /* "flow-matching:N": iterations of it before them, of densities (method.md 11); 0: none */
    lam_pairing_kind warm_start_pairing;
    /* Limits of the time that a fit takes, reading, validations and the test included, resumed parts too; 0: none. Time is kept for the
     * last validation and the test; these and the Gaussian beside it take a sample of rows where all would take too long
     * (method.md 8). Where a run ends then depends on the machine, and so does how many rows validations take: what the clock chose
     * stands in config.yaml as iterations, decay_from, decay_to and val_rows, and repeats the run without a limit. */
    double max_seconds, max_processor_seconds; /* "budget", wall; of all threads of the process. As text seconds, "5m" or "1h30m" */
    size_t early_stopping;         /* validations without improvement before a rate cut */
    size_t rate_cuts;              /* tenfold cuts before training stops */
    size_t val_freq, log_freq;     /* iterations */
    size_t val_batch_size;
    size_t val_rows;               /* that a validation takes, of a random order; 0: all, or what a limit of time leaves time for */
    uint64_t seed;
    size_t threads;                /* 0: one a processor */
    char *isa;                     /* "avx512", "avx2", "sse2", "neon", "scalar"; NULL = "auto" */
    /* the data */
    double val_fraction, test_fraction; /* test: of all rows; validation: of the rest */
    uint64_t split_seed;
    int standardise;
    lam_map map;                   /* of each column, after the standardiser */
    size_t map_knots;              /* quantiles of every column that its spline goes through; 0: of each as many as pay (method.md 13) */
    int drop_bad_rows, drop_duplicates;
    lam_header header;
    lam_names columns, drop;       /* n 0: all / none. As text (lam_config_set): "a,b", a name with a comma in double quotes */
    lam_names noise;               /* items "COL:a": uniform noise on [0, a) added to columns of few values; "auto": to all others of these */
    /* the variational auto-encoder */
    size_t latent;                 /* dimension of z */
    lam_posterior posterior;
    lam_amortised amortised;
    size_t rank;                   /* of the low-rank terms */
    lam_pixels pixels;
    lam_binarise binarise;         /* of training images; "fresh": anew each epoch (others then by one fixed draw) */
    int invert;                    /* 1: pixels are 255 minus what the file holds */
    double variance_min, variance_max; /* limits of the posterior's variance; 0: none */
    size_t epochs;                 /* above 0: "iterations" and "val-freq" follow, one validation an epoch */
    double warmup;                 /* epochs over which beta goes from 0 to 1 */
    size_t val_images, test_images; /* split off where no files of their own are given */
} lam_config;

LAM_API void lam_config_init(lam_config *cfg);  /* defaults */
LAM_API void lam_config_clear(lam_config *cfg); /* frees the strings, back to defaults */
LAM_API lam_status lam_config_copy(lam_config *dst, const lam_config *src); /* dst initialised */
/* Unknown names are refused with the nearest known one. */
LAM_API lam_status lam_config_set(lam_config *cfg, const char *name, const char *value);
/* Writes the value as text, NUL-terminated; LAM_ERR_ARGUMENT if it does not fit. */
LAM_API lam_status lam_config_get(const lam_config *cfg, const char *name, char *value, size_t size);
LAM_API lam_status lam_config_load(lam_config *cfg, const char *yaml_path);       /* mistakes: file, line and column */
LAM_API lam_status lam_config_save(const lam_config *cfg, const char *yaml_path); /* whole or not at all */
/* Published settings by name, as lam_config_load reads them; they are part of the library. */
typedef struct lam_preset {
    const char *name; /* "power" */
    lam_model_kind model;
    const char *about; /* a line */
    const char *yaml;
} lam_preset;
LAM_API const lam_preset *lam_preset_at(size_t index); /* NULL past the end */
/* Sets what the preset says; an unknown name is refused with those that there are. */
LAM_API lam_status lam_config_load_preset(lam_config *cfg, const char *name);
/* Every value in range and consistent with the others; lam_fit checks as well. */
LAM_API lam_status lam_config_check(const lam_config *cfg);
/* Puts numbers and words in the place of every "auto" that depends on the size of the data, for so many training rows and columns (of
 * images: rows alone, columns 0). "map: auto" becomes none: it takes the rows themselves (lam_config_choose). lam_fit and lam_vae_fit do so
 * on a copy; what they chose is in the model's configuration. */
LAM_API lam_status lam_config_resolve(lam_config *cfg, size_t rows, size_t columns);
/* The penalties that cfg has, in few words for a heading: "TPR 5 + RNODE 0.01 + STEER 0.5"; "none". */
LAM_API void lam_config_penalties(const lam_config *cfg, char text[128]);

/* What decides about the steps of an evaluation (method.md 12). */
typedef struct lam_setting {
    lam_solver solver;
    size_t steps;      /* even steps a block, looked at by no error estimate; 0: adaptive */
    double atol, rtol; /* of adaptive steps, standardised units */
} lam_setting;
/* The setting of cfg's test_solver, test_steps, test_atol and test_rtol, "auto" and 0 steps resolved: validation and test of a
 * fit are solved by it. */
LAM_API lam_setting lam_config_setting(const lam_config *cfg);

typedef struct lam_parameter {
    const char *name;   /* "batch-size" */
    const char *group;  /* "model", "flow", "solve", "penalty", "training", "data", "vae" */
    const char *values; /* "N", "X", "TIME", "true|false", "adam|adamw|adamax" */
    const char *help;   /* one sentence */
} lam_parameter;
/* The table, in the order in which it is printed. NULL past the end. */
LAM_API const lam_parameter *lam_parameter_at(size_t index);
/* 1 if the parameter at index concerns models of this kind: the group "data" is for densities, "vae" for the other. */
LAM_API int lam_parameter_applies(size_t index, lam_model_kind kind);
/* Where the parameter at index does nothing in cfg, as tpr-degree without tpr-coefficient: what it wants, for a message
 * ("--tpr-coefficient", "an adaptive --solver"); else NULL. */
LAM_API const char *lam_parameter_idle(size_t index, const lam_config *cfg);
/* The one of this name, or that had it in an earlier version (max-seconds is budget), '-' and '_' alike; NULL if there is none. */
LAM_API const lam_parameter *lam_parameter_find(const char *name);
/* Nearest of the known names to an unknown one, NULL if none is near. */
LAM_API const char *lam_parameter_nearest(const char *name);

/* ---- tables of numbers -------------------------------------------------------------------------------------------- */

typedef struct lam_table {
    size_t rows, cols;
    double *values;   /* [rows, cols] */
    char **names;     /* [cols], never NULL: from the header, or the numbers as text */
    size_t *numbers;  /* [cols] of each column in its file, from 1, whatever was dropped beside it */
    int has_names;    /* 1: the file named its columns */
    int from_zero;    /* 1: messages, and names of a file without any, count columns from 0; numbers do not */
    size_t bad_rows;  /* dropped for a missing or non-numeric cell */
    size_t *bad_at;   /* [bad_rows] which of the source's rows these were, from 0, ascending; NULL if none */
    size_t duplicates;/* dropped as duplicates */
    size_t *duplicate_at; /* [duplicates] which of the source's rows these were, as bad_at; NULL if none */
    char hash[33];    /* 128-bit digest of values, hex: the data hash kept in a model */
    char *how;        /* of a text file: where its names are from and what decided, in a few words; else NULL */
    char *notes;      /* what the user of a text file should know, a line each without a newline at the end; NULL: nothing */
} lam_table;

/* The columns in which rows are wanted: a model's (lam_model_wanted) or those of another table (lam_table_wanted). */
typedef struct lam_wanted {
    const char *owner;       /* for messages: "the model", which NULL stands for as well */
    lam_names names;         /* in their order */
    int has_names;           /* 0: there are names.n columns, and they go by their numbers in a file */
    lam_names columns, drop; /* what was taken of the file whose columns these are */
} lam_wanted;
LAM_API lam_wanted lam_table_wanted(const lam_table *table); /* borrows its names; columns and drop are empty */

typedef struct lam_read_options {
    lam_names columns, drop; /* those to take, in this order, and those to leave out; n 0: all / none */
    int drop_bad_rows, drop_duplicates;
    lam_header header; /* of text files */
    const lam_wanted *like;  /* may be NULL: of the columns taken those wanted, in their order (lam_columns_choose) */
    int from_zero;           /* as in lam_table. Numbers in columns and drop count from 1 in either case */
    int names_only;          /* 1: all names and no rows (values NULL), to see what can be chosen; columns, drop and like do nothing */
} lam_read_options;

/* Which columns of a file or an array a reading by options takes: their places, from 0, in kept [room for cols]; *n_kept of them.
 * names [cols] are the file's; NULL: it has none. where opens the messages. options may be NULL.
 *   columns and drop    by name, or by number from 1 (lam_names)
 *   like                then, where both have names, each wanted column is found by its name, whatever the name is and wherever it
 *                       stands; others are passed over. columns that list other names than the wanted ones stand for them in the
 *                       order listed. Where one of the two has no names, as many columns as are wanted are taken in their order; or,
 *                       where nothing was asked for, those that like's own columns and drop leave, if these are as many.
 * LAM_ERR_ARGUMENT: no such column, one named twice, none left; LAM_ERR_FORMAT: two of one name; LAM_ERR_SHAPE: a wanted column is
 * missing, the numbers of columns differ, or their order cannot be told. */
LAM_API lam_status lam_columns_choose(const char *where, const char *const *names, size_t cols, const lam_read_options *options,
    size_t *kept, size_t *n_kept);

/* Reads csv or text (comma, tab, semicolon or space, header or none, found by itself; .gz too), .npy, .npz (the only 2-D
 * array in it, or "file.npz:NAME"), or "toy:NAME" (10000 rows, seed 0; "toy:NAME:ROWS:SEED"); "-" reads standard input, from where it
 * stands to its end. A cell HH:MM[:SS] reads as minutes of the day. options may be NULL. Errors name line and column. The caller
 * frees *out. */
LAM_API lam_status lam_table_read(const char *path, const lam_read_options *options, lam_table **out);
/* The same by a configuration's columns, drop, drop-bad-rows and drop-duplicates. first: NULL, or the training rows that were read so,
 * in whose columns validation or test rows are wanted. */
LAM_API lam_status lam_table_read_rows(const lam_config *cfg, const char *path, const lam_table *first, lam_table **out);
/* One of the ten 2-D densities of this field, named by lam_toy_name. Row i depends on (name, seed, i) only. */
LAM_API lam_status lam_table_toy(const char *name, size_t rows, uint64_t seed, lam_table **out);
LAM_API const char *lam_toy_name(size_t index); /* NULL past the end */
LAM_API lam_status lam_table_create(size_t rows, size_t cols, lam_table **out); /* zeros, names "1", "2", ... */
LAM_API lam_status lam_table_rename(lam_table *table, size_t column, const char *name); /* keeps a copy of name; has_names is 1 then */
/* .npy (f8; [rows] if cols == 1), .csv or .csv.gz by the path's ending; temporary name, sync, rename. */
LAM_API lam_status lam_table_write(const lam_table *table, const char *path);
/* What a .csv holds, to an open descriptor (1: stdout, which the caller has flushed); it stays open. */
LAM_API lam_status lam_table_write_to(const lam_table *table, int descriptor);
LAM_API void lam_table_free(lam_table *table);

/* ---- a data set ready for training -------------------------------------------------------------------------------- */

typedef struct lam_dataset lam_dataset;
typedef void (*lam_log_fn)(void *user, const char *line); /* one warning or note, no newline */
typedef struct lam_log { lam_log_fn line; void *user; } lam_log;

/* Adds the configured noise, splits by cfg->split_seed, standardises by the training rows. all holds all rows when valid
 * and test are NULL; otherwise it is the training set, in whose columns the others are taken (lam_columns_choose). Keeps copies;
 * tables may be freed. Warnings (columns of few
 * distinct values, columns that are linear functions of others, values far from all others of their column, numbers of rows; one line a
 * kind) go to log, which may be NULL. LAM_ERR_DATA: NaN, constant columns, fewer rows than columns. */
LAM_API lam_status lam_dataset_build(const lam_config *cfg, const lam_table *all, const lam_table *valid,
    const lam_table *test, const lam_log *log, lam_dataset **out);
typedef enum lam_part { LAM_TRAIN, LAM_VALID, LAM_TEST } lam_part;
LAM_API size_t lam_dataset_dim(const lam_dataset *data);
/* Rows of a part in standardised units, [*rows, dim], owned by the data set. */
LAM_API const double *lam_dataset_rows(const lam_dataset *data, lam_part part, size_t *rows);
/* Writes the rows of every part to folder, which exists: train.npy, valid.npy, test.npy (those that have rows; f8 [rows, dim]) in standardised
 * units, train_rows.npy and so on (f8 [rows]), which row of its file each of them is, from 0, and split.json: columns, mean, scale, noise,
 * files (files [3] by lam_part, NULL where there is none: names for the record) and a note on units. Whole or not at all each, split.json last. */
LAM_API lam_status lam_dataset_write(const lam_dataset *data, const char *folder, const char *const files[3]);
/* lam_config_resolve for a density of data, with what takes the rows themselves: where a column is nearly a linear function of the others
 * (they leave less than 0.01 of its variance unexplained), "map: auto" becomes none and "tpr-coefficient: auto" 0; else normal-scores, and
 * what lam_config_resolve has. */
LAM_API lam_status lam_config_choose(lam_config *cfg, const lam_dataset *data);
/* 128-bit digest of the tables that it was built from, before noise, hex: the data hash kept in a model. */
LAM_API const char *lam_dataset_hash(const lam_dataset *data);
LAM_API void lam_dataset_free(lam_dataset *data);

/* ---- recipes of the usual tabular sets ---------------------------------------------------------------------------- */

/* How a public raw file becomes the rows behind the published figures of this field (Papamakarios, Pavlakou and Murray 2017,
 * "MAF", appendix D.2 and its code; FFJORD and others took them over). docs/data.md says what each does. */
typedef struct lam_recipe {
    const char *name;    /* "power" */
    const char *source;  /* what the raw files are of, and where they lie */
    const char *files;   /* their usual names */
    size_t columns;      /* published */
    size_t rows[3];      /* published, by lam_part */
} lam_recipe;
LAM_API const lam_recipe *lam_recipe_at(size_t index); /* NULL past the end */

/* Zeros are defaults. */
typedef struct lam_recipe_options {
    uint64_t seed;  /* of the shuffle, the sample and the noise */
    int overwrite;  /* 1: replace files in the folder that are not this call's own output of an earlier time */
    lam_log log;    /* notes: what was left out, which columns stay, how the counts differ from the published ones */
    /* May be NULL; done and total in bytes, what as in "reading ethylene_CO.txt"; non-zero return stops. */
    int (*progress)(void *user, const char *what, size_t done, size_t total);
    void *user;
} lam_recipe_options;

typedef struct lam_recipe_result {
    size_t rows[3];     /* by lam_part */
    size_t columns;
    size_t read;        /* rows of the raw files that were looked at */
    int as_published;   /* 1: rows and columns are as many as published */
    char data_hash[33]; /* what lam_model_data_hash says of a model that was fitted to the three files */
} lam_recipe_result;

/* Makes train.npy, validation.npy, test.npy (f4, [rows, columns], in the units of the published figures) and recipe.json, which
 * says what they are made of, in folder, which exists. paths [n_paths]: the raw files, or one folder that holds them under
 * their usual names. options and result may be NULL. The npy files are whole or not there, and recipe.json is written last.
 * LAM_ERR_ARGUMENT: no such recipe, too many or too few files, files in the folder that are not a recipe's; LAM_ERR_IO;
 * LAM_ERR_FORMAT and LAM_ERR_DATA name file, line and what to do; LAM_ERR_INTERRUPTED: stopped by progress, nothing was written;
 * LAM_ERR_UNSUPPORTED: bsds300 without HDF5. */
LAM_API lam_status lam_recipe_prepare(const char *name, const char *const *paths, size_t n_paths, const char *folder,
    const lam_recipe_options *options, lam_recipe_result *result);

/* ---- models ------------------------------------------------------------------------------------------------------- */

typedef struct lam_model lam_model;

/* Calls of f, and solver steps, summed over blocks and batches. A call that gives the trace too counts once. */
typedef struct lam_counts {
    uint64_t forward, backward, recomputed; /* backward: vector-Jacobian products; recomputed: stages evaluated again for them */
    uint64_t accepted, rejected;
    uint64_t solves; /* batches times blocks, so forward / solves * blocks is the field's usual NFE */
} lam_counts;

/* A model file is one safetensors file. Weights under FFJORD's state_dict names load too: a file without laminar's own
 * metadata needs config to say the architecture (else config may be NULL). */
LAM_API lam_status lam_model_load(const char *path, const lam_config *config, lam_model **out);
/* What PyTorch's wrappers had put before every name of foreign weights and lam_model_load took off: "module." (DataParallel),
 * "_orig_mod." (compile); "": nothing. Any other prefix is refused by name. */
LAM_API const char *lam_model_prefix(const lam_model *model);
LAM_API lam_status lam_model_save(const lam_model *model, const char *path); /* whole or not at all */
/* Which of lam_model_load and lam_vae_load a file is for. Weights of other programs count as a density. */
LAM_API lam_status lam_model_file_kind(const char *path, lam_model_kind *kind);
LAM_API void lam_model_free(lam_model *model);
LAM_API size_t lam_model_dim(const lam_model *model);
LAM_API size_t lam_model_parameter_count(const lam_model *model);
LAM_API const lam_config *lam_model_config(const lam_model *model);       /* owned by the model */
LAM_API const char *lam_model_column(const lam_model *model, size_t column); /* name; NULL past the end */
LAM_API int lam_model_has_names(const lam_model *model); /* 0: the rows that it was fitted to had none, and columns are their numbers */
LAM_API lam_wanted lam_model_wanted(const lam_model *model); /* its columns, to read rows for it; borrowed from the model */
LAM_API const char *lam_model_data_hash(const lam_model *model);
/* mean [dim] and scale [dim] of the standardiser: z = (x - mean) / scale; log-determinant is -sum log scale, nats */
LAM_API void lam_model_standardiser(const lam_model *model, const double **mean, const double **scale, double *log_det);
/* Knots of the spline that takes a standardised column to normal scores (method.md 13); 0: the model has no column maps, or no such
 * column. */
LAM_API size_t lam_model_map_knots(const lam_model *model, size_t column);
/* Tensors in file order: name, and n_shape <= 2 entries of shape. NULL past the end. */
LAM_API const char *lam_model_tensor(const lam_model *model, size_t index, size_t shape[2], size_t *n_shape);

typedef enum lam_units { LAM_UNITS_DATA, LAM_UNITS_STANDARDISED } lam_units;
/* How to evaluate a model. Zeros (and NULL for the whole struct) mean: by the model's evaluation setting (lam_model_setting),
 * exact trace, data units. */
typedef struct lam_eval_options {
    double atol, rtol;         /* 0: the model's test tolerances. One that is asked for wants adaptive steps */
    int as_fitted;             /* 1: as the model was validated in its fit, whatever lam_tune chose since */
    lam_divergence divergence; /* LAM_DIV_EXACT is 0 */
    uint64_t seed;             /* of Hutchinson noise */
    lam_units units;           /* of x, and of the density */
    size_t batch_rows;         /* 0: 1000 */
    size_t threads;            /* 0: one a processor */
    int use_double;            /* solve in double whatever the model's precision */
    int probe;                 /* 1: choose the first step by probe, not by the model's memory */
    const char *isa;           /* NULL: auto */
    int (*progress)(void *user, size_t done, size_t total); /* may be NULL; non-zero return stops */
    void *user;
} lam_eval_options;

/* The setting by which a call with these options (may be NULL) solves. It is the configuration's; but where a tolerance is asked
 * for, even steps of a pair become adaptive ones, and even steps that lam_tune chose make way for the fit's own setting. */
LAM_API lam_status lam_model_setting(const lam_model *model, const lam_eval_options *options, lam_setting *setting);

/* What lam_tune left in a model. */
typedef struct lam_tuning {
    double error, percentile_error; /* bounds that were asked for, nats */
    double rms, percentile;         /* of |log p - reference| over the validation rows, by the setting chosen */
    size_t rows;                    /* of validation */
    lam_setting before;             /* the fit's own setting, which `as_fitted` still takes */
} lam_tuning;
/* 1 if the model's setting was chosen by lam_tune (*tuning says how; it may be NULL), else 0. */
LAM_API int lam_model_tuning(const lam_model *model, lam_tuning *tuning);
/* Puts the fit's own setting back; nothing to do for a model that is not tuned. */
LAM_API void lam_model_untune(lam_model *model);

/* Says in log, in at most one line, what is odd about rows x [n, dim] that are to be evaluated: how many lie outside the range of the
 * training rows by more than a quarter of its width in some column, and in which column most (of a file from before models knew the
 * range: by more than 12 standard deviations from the mean); or that the rows look standardised, where data units are expected.
 * options may be NULL; log is told nothing if there is nothing to say. */
LAM_API lam_status lam_rows_advise(const lam_model *model, const lam_eval_options *options, const double *x, size_t n, const lam_log *log);

/* log p of each row, by (3) of method.md with the log-determinants of the standardiser and of the column maps. logp [n]; counts may be NULL. */
LAM_API lam_status lam_log_prob(const lam_model *model, const lam_eval_options *options, const double *x, size_t n,
    double *logp, lam_counts *counts);
/* n draws, x [n, dim] in options->units; logp [n] from the same pass, or NULL. Row i depends on (seed, i). */
LAM_API lam_status lam_sample(const lam_model *model, const lam_eval_options *options, uint64_t seed, size_t n, double *x,
    double *logp, lam_counts *counts);
/* Data to base and back; z is always in the base's units. */
LAM_API lam_status lam_encode(const lam_model *model, const lam_eval_options *options, const double *x, size_t n, double *z,
    lam_counts *counts);
LAM_API lam_status lam_decode(const lam_model *model, const lam_eval_options *options, const double *z, size_t n, double *x,
    lam_counts *counts);

/* The way of each row from data to base: states [n, blocks * times + 1, dim], blocks being the configuration's: the row itself,
 * then its state at T/times, 2T/times, ..., T of every block in turn. They are read off the solves' dense output: the steps are
 * those of lam_encode, and so are the calls of f, but for one a block at the end of even steps, and dop853's three for a step that is
 * looked into. t [blocks * times + 1], or NULL, receives the times, a block's counted from the end of the one before.
 * Units: x and all states are in options->units. The flow works in standardised units, in which the last states are lam_encode's z;
 * in data units every state is taken back by the standardiser's x = mean + scale z, so the first are the rows as they are, the
 * last z on the data's axes, and straight ways stay straight. With column maps the flow works behind them: states in standardised units
 * are those normal scores, from the mapped row on; in data units they are taken back by the maps' inverse first, which bends straight ways.
 * LAM_ERR_ARGUMENT: times not from 1 to LAM_TRAJECTORY_TIMES. */
#define LAM_TRAJECTORY_TIMES 1000
LAM_API lam_status lam_trajectories(const lam_model *model, const lam_eval_options *options, const double *x, size_t n,
    size_t times, double *t, double *states, lam_counts *counts);

typedef struct lam_check_report {
    size_t rows;
    double nll, nll_tight;             /* mean -log p, data units, at the options' tolerance and at a hundredth of it; of a tuned
                                        * model, by its setting and at a hundredth of the fit's own test tolerance */
    double logp_error_max, logp_error_rms; /* against the tighter solve, in double */
    double round_trip_max, round_trip_rms; /* |decode(encode(x)) - x|, standardised units */
    double hutchinson_mean, hutchinson_se; /* of mean log p (Hutchinson) - mean log p (exact), 64 probes */
    int has_mass;
    double mass;                       /* integral of the density for 1-D and 2-D, else 0 and has_mass 0 */
    lam_counts counts, counts_tight;
} lam_check_report;
LAM_API lam_status lam_check(const lam_model *model, const lam_eval_options *options, const double *x, size_t n,
    lam_check_report *report);

/* ---- fitting ------------------------------------------------------------------------------------------------------ */

typedef struct lam_progress {
    size_t iteration, iterations;   /* iterations: the last one as far as is known; LAM_UNENDING: not yet */
    size_t warm_start, warm_starts; /* iterations of flow matching done, and in all. While it is under way, and at the validation
                                       that ends it, iteration is 0; loss, grad_norm, counts and seconds_left are its own, nll and
                                       tpr NaN */
    double loss, nll, tpr;         /* this batch: nats, standardised units (images: lam_vae_fit); tpr without its coefficient */
    double val_nll, best_val_nll;  /* NaN before the first validation */
    double val_nll_se;             /* of the last validation: standard error of its mean, */
    size_t val_rows;               /* and how many rows it was on */
    int is_validation;             /* 1: val_nll is new */
    double lr, grad_norm;
    size_t epoch;                  /* of images, from 1 on; of a density 0 */
    double beta;                   /* of images: the weight of the KL term in loss */
    lam_counts counts;             /* this iteration */
    lam_counts val_counts;         /* the last validation */
    double seconds, seconds_left;  /* since the start (resumed runs included); estimate */
} lam_progress;

typedef struct lam_fit_options {
    const char *run_dir; /* config.yaml, metrics.jsonl, model.safetensors and checkpoint go here; NULL: nothing is written */
    int resume;          /* go on from run_dir's checkpoint if there is one */
    const lam_model *init; /* start from these weights; NULL: from the seed */
    /* What this process has used for the fit before the call, as for reading its data: max_seconds and max_processor_seconds count it,
     * and so do the seconds of a result. */
    double seconds, cpu_seconds;
    /* 1: max_seconds and max_processor_seconds count training steps alone, as is fair where fits are compared that had the same time
     * to learn; validations and the test are of all rows then. */
    int limit_training;
    int (*progress)(void *user, const lam_progress *progress); /* may be NULL; non-zero return saves and stops */
    /* While a validation (LAM_VALID) or the test is under way, after every batch but the last: done of its rows. May be NULL; a
     * non-zero return stops as that of progress does, and a resumed run evaluates anew. */
    int (*evaluating)(void *user, lam_part part, size_t done, size_t rows);
    void *user; /* of both */
    lam_log log;
} lam_fit_options;

typedef struct lam_fit_result {
    size_t iterations;       /* run in all, without those of the warm start */
    size_t warm_start;       /* those; */
    lam_counts warm_counts;  /* and their calls of f, which train_counts is without */
    size_t best_iteration;   /* 0: the warm start led to the best */
    int finished;            /* 0: stopped early by progress */
    double best_val_nll, test_nll; /* nats, standardised units; test of the best model, exact trace; NaN without test rows */
    double gaussian_test_nll;/* a full-covariance Gaussian fitted to the training rows, on the rows of the test */
    double best_val_nll_se, test_nll_se, gaussian_test_nll_se; /* standard errors of these means, over rows; NaN: not known */
    size_t best_val_rows, test_rows; /* that these are the means of: all of the part, or under a limit of time a sample; 0: not known */
    size_t gaussian_rows;    /* training rows that the Gaussian was fitted to */
    double mixture_test_nll, mixture_test_nll_se; /* a mixture of such Gaussians (method.md 8), likewise; NaN without one */
    size_t mixture_components, mixture_rows; /* how many, and training rows that they were fitted to; 0 without one */
    double log_det;          /* add -log_det to an NLL for data units: nll_data = nll - log_det */
    lam_counts train_counts; /* all iterations */
    lam_counts test_counts;
    double seconds;          /* wall, since the start (lam_fit_options), resumed parts included */
    double cpu_seconds;      /* the same of the processor, all threads of the process */
    double train_seconds;    /* of these, in training steps, the warm start's too: without validation, test and saving */
    double train_cpu_seconds;/* processor time of the training steps, all threads: what a busy machine does not change */
} lam_fit_result;

/* Fits a flow; *model is the best by validation (the last if nothing was validated). With progress asking to stop the
 * status is LAM_ERR_INTERRUPTED and *model is still set. Determined by cfg and data: not by threads, nor by interruption. */
LAM_API lam_status lam_fit(const lam_config *cfg, const lam_dataset *data, const lam_fit_options *options, lam_model **model,
    lam_fit_result *result);

/* ---- the record of a fit ------------------------------------------------------------------------------------------ */

/* One line of metrics.jsonl. What it does not say is NaN. */
typedef struct lam_history_point {
    double iteration;
    double nll;          /* nats, standardised units: of the batch, or val_nll */
    double best_val_nll; /* of a validation */
    double forward, backward, accepted, rejected; /* of that iteration, or of the validation */
    double calls;        /* forward + backward up to here, the warm start's too, of iterations that are logged or not (in lines
                          * that do not say, those that are not count as the next logged one) */
    double seconds, train_seconds, train_cpu_seconds; /* as in lam_fit_result */
} lam_history_point;

/* What metrics.jsonl holds. The figures after the lines are those of its summary, of a run without one (finished 0) as far as its
 * last lines tell; what is not known is NaN. */
typedef struct lam_history {
    lam_history_point *train, *validation; /* [n_train], [n_validations] */
    size_t n_train, n_validations;
    int has_summary; /* 1: the run ended or was stopped, and has not gone on since */
    int finished;    /* 1: it ended as it should */
    double iterations, best_iteration, best_val_nll, test_nll, gaussian_test_nll, mixture_test_nll, mixture_components, log_det;
    double best_val_nll_se, test_nll_se, gaussian_test_nll_se; /* standard errors; NaN: not known */
    double train_forward, train_backward, train_accepted, train_rejected, test_forward, test_solves;
    double warm_start_forward, warm_start_backward; /* 0 without a warm start. Seconds are with it, calls of training without */
    double seconds, train_seconds, train_cpu_seconds;
} lam_history;

/* Reads run_dir/metrics.jsonl; lines of other types and a last one cut short are passed over. Free with lam_history_free. */
LAM_API lam_status lam_history_read(const char *run_dir, lam_history *out);
LAM_API void lam_history_free(lam_history *history); /* what is in it; takes a zeroed one */

/* ---- tuning ------------------------------------------------------------------------------------------------------- */

typedef struct lam_tune_progress {
    size_t rows, rows_done;       /* of the reference: validation and test rows */
    size_t candidates;            /* tried so far */
    double seconds, seconds_left; /* since the start; projected: in the first call, before the work, all of it */
} lam_tune_progress;

/* Zeros mean the defaults; error must be given. */
typedef struct lam_tune_options {
    double error;               /* bound on the root mean square of log p - reference over the validation rows, nats, above 0 */
    double percentile_error;    /* bound on the 99th percentile of |log p - reference|; 0: error */
    size_t rows;                /* validation rows, and test rows, at the most: spread evenly over those given; 0: 2000 */
    uint64_t seed;              /* of the halves that x is cut into without test */
    lam_units units;            /* of x and test */
    size_t batch_rows, threads; /* as in lam_eval_options */
    const char *isa;
    int (*progress)(void *user, const lam_tune_progress *progress); /* may be NULL; non-zero return stops */
    void *user;
} lam_tune_options;

/* A setting that was tried, and what came of it on a set of rows. */
typedef struct lam_tune_candidate {
    lam_setting setting;
    double calls;           /* of f with the exact trace, a batch, all blocks */
    double rms, percentile; /* of log p - reference, nats; infinite where the solver gave up (calls is NaN then) */
    double cpu_seconds;     /* processor time of the process, all threads */
    int on_front;           /* no other candidate has a smaller rms for as many calls, or the same rms for fewer */
} lam_tune_candidate;

typedef struct lam_tune_result {
    size_t rows, test_rows;
    double reference_tolerance, reference_calls; /* dop853 in double; calls of f a batch */
    double reference_error; /* rms of log p against a solve at ten times this tolerance, on at most 256 rows */
    lam_tune_candidate *candidates; /* [n_candidates], on the validation rows; the first is the setting that the model had */
    size_t n_candidates;
    size_t chosen;          /* of them; SIZE_MAX: none keeps the bounds */
    lam_tune_candidate test_before, test_after; /* the first and the chosen one on the test rows */
    double rounding_rms, rounding_percentile; /* where none was chosen and the model is float: what rounding alone does to log p,
                                               * by the most exact even steps tried, against these in double; else 0 */
    double seconds;         /* wall */
} lam_tune_result;

/* Chooses the evaluation setting with the fewest calls of f (then the smaller rms) that keeps both bounds on the validation rows x
 * [n, dim], and makes it the model's (method.md 12). Tried are every solver with even steps and every pair with adaptive ones. The
 * reference is the exact trace in double by dop853 at 1e-8, or tighter where the bounds ask for it. test [n_test, dim] decides
 * nothing: the result tells the errors there. test NULL: half of x, cut off by a permutation that depends on options->seed alone,
 * takes its place. Determined by the model, rows and options, but for seconds: not by threads.
 * *result (may be NULL) is for lam_tune_result_clear. LAM_ERR_SOLVER with result->n_candidates > 0: no candidate keeps the bounds;
 * lam_last_error() says how near they come, and whether float itself is in the way. The model changes on success alone. */
LAM_API lam_status lam_tune(lam_model *model, const lam_tune_options *options, const double *x, size_t n, const double *test,
    size_t n_test, lam_tune_result *result);
LAM_API void lam_tune_result_clear(lam_tune_result *result); /* what is in it; takes a zeroed one */

/* ---- images and variational auto-encoders ------------------------------------------------------------------------- */

/* Grey images of one size. */
typedef struct lam_images {
    size_t n, height, width;
    unsigned char *pixels; /* [n, height * width], row-major, 0..255; owned by the set */
    int binary;            /* every pixel is 0 or 255, and was one of two values in the file (not averaged, not rounded) */
    const char *format;    /* "idx", "mat", "pickle", "png.zip", "png folder" or "npy" */
    size_t skipped;        /* files of a zip or a folder that are not PNG */
    size_t resized;        /* pictures of a zip or a folder that were of another size */
    char note[640];        /* of a zip or a folder, a line for all that was done to its pictures: how many were resized (first, and from
                            * what size), turned grey, laid on white, left out; "": nothing */
} lam_images;

/* Zeros mean: as the file says. */
typedef struct lam_images_options {
    /* Both or neither. Of flat rows (.mat, pickle, .npy [n, pixels]): how to fold them; 0: square. Of a zip or folder of PNG: the size
     * that each is resized to; 0: 28 x 28. Where the file has a size of its own it must be this one. */
    size_t height, width;
    int invert;            /* 255 - pixel, last of all */
    const char *array;     /* .mat: the variable; NULL: X, or else data */
} lam_images_options;

/* Reads all images of a file, of one variable of it ("file.mat:NAME"), or of a folder; a file's first bytes say what it is, not its
 * name:
 *   idx       MNIST's format, magic 0x00000803
 *   mat       MATLAB, -v6 or -v7: X [n, pixels], data [pixels, n], or the variable named (also by options->array), an image's
 *             pixels column by column, as MATLAB lays out a matrix. So Caltech 101 silhouettes (where the background is 1: use
 *             invert) and chardata.mat of Omniglot (data and testdata)
 *   pickle    one NumPy uint8 array, [n, pixels] or [n, height, width], alone or the only thing in a list; nothing else is run or read
 *   png.zip   PNG files in a zip (libzip, libpng), in order of their names: as they are stored, whatever gamma or profile they name,
 *             16 bits rounded to 8, what is transparent laid on white, colours turned to luma (BT.601), resized by means over areas.
 *             Dark is ink, which becomes 255
 *   folder    the same of all PNG files below a folder
 *   npy       [n, height, width] or [n, pixels]
 * and any file of them gzipped. Numbers that never exceed 1 are taken times 255; else they must be whole, 0 to 255.
 * *out is zeroed on failure; free with lam_images_free. options may be NULL.
 * LAM_ERR_IO, LAM_ERR_FORMAT (not such a file, cut short, damaged), LAM_ERR_SHAPE (another size), LAM_ERR_DATA (NaN, values
 * out of range), LAM_ERR_ARGUMENT (no such variable), LAM_ERR_UNSUPPORTED (this build lacks the library: names its package). */
LAM_API lam_status lam_images_read(const char *path, const lam_images_options *options, lam_images *out);
LAM_API void lam_images_free(lam_images *images); /* what is in it; takes a zeroed one */

/* Images split into parts. Where valid or test is NULL, cfg->val_images and cfg->test_images (0: a tenth) are cut from all,
 * shuffled by cfg->split_seed. Keeps copies. LAM_ERR_SHAPE: sets of different sizes; LAM_ERR_DATA: too few images. */
typedef struct lam_image_data lam_image_data;
LAM_API lam_status lam_image_data_build(const lam_config *cfg, const lam_images *all, const lam_images *valid,
    const lam_images *test, lam_image_data **out);
LAM_API size_t lam_image_data_rows(const lam_image_data *data, lam_part part);
LAM_API void lam_image_data_size(const lam_image_data *data, size_t *height, size_t *width);
/* Grey levels of a part, [rows, height, width], owned by the data; NULL for a part without images. */
LAM_API const unsigned char *lam_image_data_pixels(const lam_image_data *data, lam_part part);
/* Numbers of a part's images [rows]: what says how each becomes binary. Owned by the data. */
LAM_API const size_t *lam_image_data_numbers(const lam_image_data *data, lam_part part);
/* 128-bit digest of pixels and split, hex: the data hash kept in a model. */
LAM_API const char *lam_image_data_hash(const lam_image_data *data);
LAM_API void lam_image_data_free(lam_image_data *data);

/* An image model: q(z|x) = Gaussian of a convolutional encoder, pushed through an amortised flow; p(x|z) of a transposed one
 * (method.md 9; cfg->model is LAM_VAE). In float. */
typedef struct lam_vae lam_vae;
/* As lam_fit, for images: what lam_progress and lam_fit_result call NLL is the negative evidence lower bound at beta 1, nats an
 * image; log_det is 0, there is no Gaussian's figure (NaN). options->init must be NULL. LAM_ERR_UNSUPPORTED in a build without
 * oneDNN. */
LAM_API lam_status lam_vae_fit(const lam_config *cfg, const lam_image_data *data, const lam_fit_options *options,
    lam_vae **model, lam_fit_result *result);
LAM_API lam_status lam_vae_load(const char *path, lam_vae **out);
LAM_API lam_status lam_vae_save(const lam_vae *model, const char *path); /* whole or not at all */
LAM_API void lam_vae_free(lam_vae *model);
LAM_API const lam_config *lam_vae_config(const lam_vae *model); /* owned by the model */
LAM_API void lam_vae_image_size(const lam_vae *model, size_t *height, size_t *width);
LAM_API size_t lam_vae_parameter_count(const lam_vae *model);
LAM_API const char *lam_vae_data_hash(const lam_vae *model);
/* What it is made of ("encoder", "mean and variance", "maps to the flow", "flow", "decoder"), and the parameters of each; NULL past
 * the end. */
LAM_API const char *lam_vae_component(const lam_vae *model, size_t index, size_t *parameters);
/* Tensors in file order: name, and n_shape <= 4 entries of shape. Returns 0 past the end. */
LAM_API int lam_vae_tensor_at(const lam_vae *model, size_t index, char name[96], size_t shape[4], size_t *n_shape);

typedef struct lam_vae_scores {
    size_t images, samples;          /* samples: an image, of the importance-weighted estimate; 0 without */
    double negative_elbo, negative_elbo_se; /* mean over images, its standard error over them; nats an image */
    double reconstruction, kl;       /* its parts */
    double log_likelihood, log_likelihood_se; /* importance-weighted mean log p(x); of the mean, over images */
    double sampling_se;              /* of log_likelihood by the samples alone, as far as these show it; NaN for one sample */
    double effective_samples;        /* mean of (sum w)^2 / sum w^2 over images, 1 to samples. Near 1 one weight is all, and
                                        log_likelihood too low by more than sampling_se tells */
    lam_counts counts;
} lam_vae_scores;
/* Scores images [n, height * width], grey levels as in the files (inverted already where cfg->invert says so); they become binary
 * as in validation, image i by numbers[i] (numbers NULL: i). samples 0: one draw of z an image; else
 *     log p(x) ~ log 1/S sum_s p(x|z_s) p(z_s) |det| / q(z_0s|x)      (Burda, Grosse and Salakhutdinov 2016, (8))
 * with S samples, in a stream: memory does not grow with S. each [n], or NULL, receives every image's: the bound, or with samples
 * log p(x), nats. options as for lam_log_prob; batch_rows 0: the fit's. */
LAM_API lam_status lam_vae_score(const lam_vae *model, const lam_eval_options *options, const unsigned char *pixels,
    const size_t *numbers, size_t n, size_t samples, double *each, lam_vae_scores *out);

/* Codes: z_K [n, latent] of images, N(0, I) under the prior; of the encoder's mean, or (draw 1) of one draw of z_0 by options->seed. */
LAM_API lam_status lam_vae_encode(const lam_vae *model, const lam_eval_options *options, const unsigned char *pixels,
    const size_t *numbers, size_t n, int draw, double *z);
/* Means of the pixels, out [n, height * width] from 0 to 1, as the model sees images (cfg->invert: inverted). decode: of codes z
 * [n, latent], LAM_ERR_DATA if one is not finite. reconstruct: of images, through one draw by options->seed. sample: z from
 * N(0, I), row i depending on (seed, i). interpolate: n steps from the first to the second of two images pixels [2, height * width]
 * on the straight line between their codes (lam_vae_encode, draw 0), both ends included. */
LAM_API lam_status lam_vae_decode(const lam_vae *model, const lam_eval_options *options, const double *z, size_t n, double *out);
LAM_API lam_status lam_vae_reconstruct(const lam_vae *model, const lam_eval_options *options, const unsigned char *pixels,
    const size_t *numbers, size_t n, double *out);
LAM_API lam_status lam_vae_sample(const lam_vae *model, const lam_eval_options *options, uint64_t seed, size_t n, double *out);
LAM_API lam_status lam_vae_interpolate(const lam_vae *model, const lam_eval_options *options, const unsigned char *pixels,
    const size_t *numbers, size_t n, double *out);

/* Images side by side, as one PNG. */
typedef struct lam_image_grid {
    size_t rows, columns;       /* places */
    size_t height, width;       /* of an image */
    const unsigned char *bytes; /* [n, height, width] 0 (black) to 255, row by row of the grid; or else */
    const double *reals;        /* the same from 0 to 1; what lies outside is cut to it */
    size_t n;                   /* images, at most rows * columns; places past them stay empty */
    size_t gap;                 /* empty pixels around and between images, after scaling */
    size_t scale;               /* every pixel becomes scale x scale; 0: 1 */
    size_t lead_columns, lead_rows; /* so many are set apart by a gap four times as wide (data | reconstructions); 0: none */
} lam_image_grid;

/* Writes the grid to path as an 8-bit grey PNG, whole or not at all. LAM_ERR_ARGUMENT: nothing to draw, more images than places,
 * larger than 2^28 pixels; LAM_ERR_DATA: a NaN, with its image and pixel; LAM_ERR_UNSUPPORTED: a build without libpng. */
LAM_API lam_status lam_image_grid_write(const lam_image_grid *grid, const char *path);

/* ---- pictures ----------------------------------------------------------------------------------------------------- */

typedef enum lam_line_style { LAM_LINE_SOLID, LAM_LINE_DASHED, LAM_LINE_DOTTED, LAM_LINE_DASHDOT } lam_line_style;

/* What a series is drawn as, and what its x, y and z are then. Zeros are a line.
 *   LINE     through the points x, y [n]; a NaN breaks it, a point alone between breaks is a dot
 *   POINTS   a dot at each of x, y [n]; NaN: none
 *   BARS     heights y [n], from 0 up, over the intervals between the edges x [n + 1]
 *   MAP      z [rows, columns] as colours (NaN: none), filling the rectangle from x[0], y[0] to x[1], y[1] (n is 2); the first row is
 *            the one at y[0]. In an SVG or PDF it is one picture, whatever its size. Not on logarithmic axes
 *   CONTOUR  lines where z, the same rectangle's values at the middles of its cells, is levels [n_levels] */
typedef enum lam_series_kind { LAM_SERIES_LINE, LAM_SERIES_POINTS, LAM_SERIES_BARS, LAM_SERIES_MAP, LAM_SERIES_CONTOUR
} lam_series_kind;

typedef struct lam_series {
    const char *name;    /* UTF-8, for the legend (not of maps); NULL: not listed. A name that two panels share is listed once */
    const double *x, *y; /* [n] */
    size_t n;
    size_t colour;       /* 0 to 6 are told apart by colour-blind eyes too; taken modulo 7 */
    lam_line_style line;
    lam_series_kind kind;
    double size;         /* of a dot, its diameter, of a line its width, in pixels; 0: chosen */
    double opacity;      /* above 0, at most 1; 0: 1 */
    const double *z;     /* [rows, columns] */
    size_t rows, columns;
    const double *levels; /* [n_levels] */
    size_t n_levels;
} lam_series;

/* Axes. Low and high are the range shown, curves are cut there; equal ones (zeros) mean: from the data. */
typedef struct lam_panel {
    const char *title, *x_label, *y_label; /* UTF-8; NULL: none. A title's first line is bold, others (after \n) are not */
    const lam_series *series;              /* [n_series], the later ones on top */
    size_t n_series;
    double x_low, x_high, y_low, y_high;
    int log_x, log_y; /* logarithmic axes; points not above 0 are left out */
    const char *z_label;  /* beside a colour bar for the panel's maps; NULL: none */
    double z_low, z_high; /* what the ends of the colour scale stand for; equal ones: from the maps */
    int blank;            /* 1: the place stays empty */
    int hide_x, hide_y;   /* 1: no numbers at that axis, as where the panel below or to the left has them; 2: no grid either */
} lam_panel;

typedef struct lam_plot {
    const char *title;       /* UTF-8; NULL: none */
    const lam_panel *panels; /* [n_panels], row by row */
    size_t n_panels;         /* 1 to LAM_PLOT_PANELS */
    double width, height;    /* in pixels (SVG, PNG at two dots a pixel) or points (PDF); 0: chosen */
    size_t columns;          /* panels side by side; 0: all of them */
    double frame;            /* above 0: every panel's frame is a square of that side, and width and height follow from it */
    double gap;              /* between panels, in pixels; 0: 26 */
    const char *note;        /* UTF-8, in small print below; NULL: none */
    int dark;                /* 1: light on dark */
} lam_plot;
#define LAM_PLOT_PANELS 400

/* Draws a picture of panels to a .svg, .png or .pdf file, whole or not at all. A text too wide for its place is made smaller, down
 * to 9 pixels, and then cut. LAM_ERR_ARGUMENT: nothing to draw, arrays that are missing, texts that are not UTF-8, sizes out of
 * range; LAM_ERR_UNSUPPORTED: this build has no cairo. */
LAM_API lam_status lam_plot_write(const lam_plot *plot, const char *path);

/* ---- experiments -------------------------------------------------------------------------------------------------- */

/* A grid of fits, data x penalty x coefficient x tolerance x seed, as a plan file says it (docs/data.md): which runs there are, how
 * far each is, and the report. Who runs them, and how many at a time, is up to the caller: each is a lam_fit into its own folder
 * with resume set, and all that is known of a run lies in that folder. An experiment is for one thread at a time. */
typedef struct lam_experiment lam_experiment;

typedef enum lam_run_state { LAM_RUN_WAITING, LAM_RUN_BEGUN, LAM_RUN_FAILED, LAM_RUN_FINISHED } lam_run_state;

typedef struct lam_experiment_run {
    const char *name;                /* "power_month, TPR, tolerance 1e-4, seed 1" */
    const char *folder;              /* its own, the experiment's before it */
    const char *data, *valid, *test; /* for lam_table_read; valid and test NULL: split off data */
    int choosing;                    /* 1: of the stage that chooses coefficients, which has a budget of its own */
    const lam_config *config;        /* NULL: its coefficient is not chosen yet */
    lam_run_state state;
    const char *message;             /* of a failed one: why; else "" */
    double iterations, test_nll, best_val_nll;         /* as far as it is; NaN: not known */
    double test_nll_se, best_val_nll_se;               /* standard errors of these, likewise */
    double seconds, train_seconds, train_cpu_seconds;  /* as in lam_fit_result */
} lam_experiment_run;

/* Reads a plan whose runs are in folders below dir, which need not be there. Nothing is written. Mistakes: file, line and column. */
LAM_API lam_status lam_experiment_open(const char *plan_path, const char *dir, lam_experiment **out);
LAM_API void lam_experiment_free(lam_experiment *experiment);
LAM_API const char *lam_experiment_title(const lam_experiment *experiment);
/* Run at index, in the order in which they are best run; NULL past the end. Owned by the experiment, good until the next call. */
LAM_API const lam_experiment_run *lam_experiment_run_at(const lam_experiment *experiment, size_t index);
/* How far every run is, from its folder; coefficients are chosen where their runs are done. LAM_ERR_ARGUMENT: a run was made with
 * other settings than the plan's. */
LAM_API lam_status lam_experiment_refresh(lam_experiment *experiment);

/* What the caller knows of a run and its folder does not say: kept there as state.json. */
typedef struct lam_run_note {
    lam_run_state state;  /* LAM_RUN_BEGUN, LAM_RUN_FAILED or LAM_RUN_FINISHED, which its metrics.jsonl has to say as well */
    const char *message;  /* why it failed; may be NULL */
    const char *machine;  /* on which it runs, one line; may be NULL */
    const char *data_hash; /* lam_dataset_hash of its data; NULL: what is noted already stays */
    const char *warnings;  /* what was logged, a line each; NULL: what is noted already stays */
    double load, seconds; /* mean load of the machine over these seconds, to be averaged with what stands there already; 0, 0: none */
} lam_run_note;
LAM_API lam_status lam_experiment_note(lam_experiment *experiment, size_t index, const lam_run_note *note);
/* LAM_ERR_DATA: a finished run of the same data and columns is noted with another hash, so that the two could not be compared. As
 * far as the last refresh knows. */
LAM_API lam_status lam_experiment_check_data(const lam_experiment *experiment, size_t index, const char *data_hash);

/* Writes report.html, runs.csv, summary.csv, curves.csv and figures/ (SVG and PNG, in a build with cairo) to the experiment's
 * folder, of all that has run so far. working 1: somebody is at work on it, so what is begun is under way. Refreshes first. */
LAM_API lam_status lam_experiment_report(lam_experiment *experiment, int working);

/* A picture of models of tables. All are of the same columns. */
typedef struct lam_picture_model {
    const lam_model *model;
    const char *name; /* UTF-8 */
} lam_picture_model;

/* Panels of two columns; 0 means all. */
enum { LAM_PICTURE_DENSITY = 1, LAM_PICTURE_DRAWS = 2, LAM_PICTURE_PATHS = 4 };

/* What is shown of one or two columns: the density, or its logarithm, of that the 10 nats below its highest. AUTO, of a map, takes the
 * logarithm where not even 1.5 % of the frame have a tenth of the highest density; a curve is a density. */
typedef enum lam_picture_scale { LAM_PICTURE_AUTO, LAM_PICTURE_LINEAR, LAM_PICTURE_LOG } lam_picture_scale;

/* Zeros mean what is said. */
typedef struct lam_picture_options {
    const lam_eval_options *eval; /* NULL: defaults. Pictures are in data units, whatever eval's */
    uint64_t seed;         /* of the draws */
    size_t draws;          /* of each model; 0: 5000 */
    size_t points;         /* shown in a panel at the most; 0: 1000, in a corner of panels 400; of data on a map half of it */
    size_t paths;          /* rows whose paths are shown; 0: 24 */
    size_t grid;           /* places of the density's map along each side; 0: 200 */
    unsigned panels;       /* of two columns: LAM_PICTURE_... added up */
    const size_t *columns; /* [n_columns] that are shown; NULL: the first LAM_PICTURE_COLUMNS */
    size_t n_columns;
    lam_picture_scale scale;
    int dark;              /* 1: light on dark */
} lam_picture_options;
enum { LAM_PICTURE_COLUMNS = 6, LAM_PICTURE_MOST_COLUMNS = 16, LAM_PICTURE_MODELS = 6 };

typedef struct lam_picture_report {
    size_t columns; /* shown */
    char note[768]; /* the small print of the picture: what was thinned, left out or cut off */
} lam_picture_report;

/* Draws models to a .svg, .png or .pdf file, whole or not at all; data (its columns the models'; may be NULL) is laid over them.
 *   one column    the density as a curve over a histogram of the data, without data of the first model's draws
 *   two columns   a model: its density as a map, its draws, and the paths (lam_trajectories) of the same rows from data to base:
 *                 rows of the data, without data draws of the first model. Several models have the same limits
 *   more, or not all of them   a corner: each column's histogram, and below them each pair of columns, the draws as contours that
 *                 hold half and nine tenths of them, the data as points
 * A title says the penalty, and calls of f a solve in scoring 1000 rows. Same models, same bytes in .svg and .png (by one process's first
 * picture: cairo numbers what it draws), for any number of threads. report may be NULL.
 * LAM_ERR_ARGUMENT: no model or too many, columns that are not there; LAM_ERR_SHAPE: models or data of other columns; LAM_ERR_DATA:
 * no rows, NaN; LAM_ERR_UNSUPPORTED: this build has no cairo; and what sampling and scoring fail with. Of the map only places are
 * left empty where the solver gives up. */
LAM_API lam_status lam_picture_write(const lam_picture_model *models, size_t n_models, const lam_table *data,
    const lam_picture_options *options, const char *path, lam_picture_report *report);

/* ---- measuring ---------------------------------------------------------------------------------------------------- */

/* How long and on what. The problem is made up: rows drawn from N(0, I), initial weights of cfg->seed, observation times of the
 * penalty at 0, 1/(n-1), ..., 1 of each block. Everything else is cfg's: threads, isa, memory, tolerances, batch_size. */
typedef struct lam_measure_options {
    double seconds;      /* a measurement takes at least; 0: 0.2 */
    size_t repeats;      /* of which the median is given; 0: 5 */
    double weight_scale; /* factor on the initial weights and biases, to bend the field; 0: 1 */
} lam_measure_options;

enum { LAM_MACHINE_LEVELS = 4 }; /* first, second and third cache, memory */
typedef struct lam_machine_figures {
    char isa[16], compiler[48];
    size_t threads;
    double flops;                        /* best rate of multiply-adds in registers, all threads, flop/s */
    double read[LAM_MACHINE_LEVELS];     /* bytes/s of reading again and again, all threads */
    size_t read_bytes[LAM_MACHINE_LEVELS]; /* that each thread read again and again for it */
    double processor_share;              /* processor time got / asked for: below 1 something else runs here */
} lam_machine_figures;
/* What this machine does at best in cfg's instruction set and precision: what the other figures are to be read against. */
LAM_API lam_status lam_measure_machine(const lam_config *cfg, const lam_measure_options *options, lam_machine_figures *out);

typedef struct lam_pass_figures {
    double seconds, flop; /* of one row; flop: the matrix products that the pass needs */
} lam_pass_figures;
typedef struct lam_field_figures {
    lam_pass_figures value;      /* f */
    lam_pass_figures derivative; /* f and cfg's trace: what a training solve calls */
    lam_pass_figures reverse;    /* its vector-Jacobian product, with the gradient by the parameters */
    lam_pass_figures exact;      /* f and the exact trace; of at most 512 rows */
} lam_field_figures;
/* Calls of f as a solve makes them, on a batch for dim columns. */
LAM_API lam_status lam_measure_field(const lam_config *cfg, size_t dim, const lam_measure_options *options,
    lam_field_figures *out);

typedef struct lam_iteration_figures {
    double seconds, fastest; /* median, least */
    double flop;             /* needed: that of a call times (calls + 2 x stages pulled back); recomputing does not count */
    size_t repeats;
    double loss, nll, tpr;
    lam_counts counts;       /* of one iteration */
} lam_iteration_figures;
/* Whole training iterations: loss, gradient, update by the optimiser (at a rate of 0, so that every repeat does the same). */
LAM_API lam_status lam_measure_iteration(const lam_config *cfg, size_t dim, const lam_measure_options *options,
    lam_iteration_figures *out);
/* Writes that iteration's problem for another program to solve: a safetensors file with the weights under FFJORD's
 * state_dict names, "rows" [batch, dim], "noise" [blocks, batch, dim] (not for the exact trace) and "times" [n] on [0, 1];
 * its metadata holds every parameter. */
LAM_API lam_status lam_measure_problem(const lam_config *cfg, size_t dim, const lam_measure_options *options,
    const char *path);

/* The parts of an auto-encoder's training step, forward and backward: the encoder with mu and v; the maps of its features to the
 * flow's row-wise parameters; the flow; the decoder with the likelihood; the gradient's norm and the optimiser. */
typedef enum lam_vae_part {
    LAM_PART_ENCODER, LAM_PART_MAPS, LAM_PART_FLOW_FORWARD, LAM_PART_FLOW_REVERSE, LAM_PART_DECODER, LAM_PART_UPDATE,
    LAM_VAE_PARTS,
} lam_vae_part;
typedef struct lam_vae_figures {
    double seconds, fastest;    /* of a step: median, least */
    double part[LAM_VAE_PARTS]; /* seconds; the median of each */
    size_t repeats, parameters;
    double loss, negative_elbo, reconstruction, kl, tpr; /* nats an image; tpr without its coefficient */
    lam_counts counts;          /* of one step */
} lam_vae_figures;
/* Whole training steps of an auto-encoder at beta 1 and a rate of 0. Images (height x width, multiples of 4) are made up: an
 * ellipse each, filled or, with grey levels, fading; weight_scale is that of the flow and its maps. */
LAM_API lam_status lam_measure_vae(const lam_config *cfg, size_t height, size_t width, const lam_measure_options *options,
    lam_vae_figures *out);
/* That step's problem, as lam_measure_problem: weights under the names of a model file, "images" [batch, height * width] (U8,
 * levels), "draws" [batch, latent] of z, "noise" [blocks, batch, latent] and "times"; the image size is in the metadata too. */
LAM_API lam_status lam_measure_vae_problem(const lam_config *cfg, size_t height, size_t width,
    const lam_measure_options *options, const char *path);

#ifdef __cplusplus
}
#endif
#endif
