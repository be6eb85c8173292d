/* A configuration: every parameter's value, as the library itself reads it. Programs set and read them by name (laminar.h); here they are the
 * members of a struct, filled by model/parameters.c's table. Strings and lists in it are its own: lam_config_set changes them. */
#ifndef LAM_BASE_CONFIG_H
#define LAM_BASE_CONFIG_H
#include "base/choices.h"
#include "laminar.h"

/* Parameters whose default "auto" is chosen by rows and columns when a fit begins (lam_config_resolve). */
#define LAM_AUTO 0                  /* of dims (n_hidden), blocks, flows, batch_size, lr, iterations, val_freq */
#define LAM_AUTO_START ((size_t)-1) /* of warm_start */
#define LAM_AUTO_REAL (-1.0)        /* of tpr_coefficient, tpr_l_weight and weight_decay, where 0 is a value */
#define LAM_MOST_FLOWS 100
#define LAM_MAX_HIDDEN 16 /* hidden layers a field may have */

struct lam_config {
    lam_model_kind model; /* what is fitted: groups "data" and "vae" of the parameters are for one kind each */
    /* the flow */
    size_t hidden[LAM_MAX_HIDDEN]; /* "dims": widths of the hidden layers, "60-60-60" */
    size_t n_hidden;
    size_t blocks;
    lam_layer layer;
    lam_activation nonlinearity;
    size_t context_hidden[LAM_MAX_HIDDEN]; /* "context-dims": of a conditional density, of the net that makes biases of what is given */
    size_t n_context_hidden;
    lam_context_maps context_maps; /* of that net to the biases: shared by the blocks, or of each its own */
    double time;        /* end time T of a block */
    int train_time;     /* 1: T = s^2 is trained */
    lam_precision precision;
    /* the solve */
    lam_solver solver;
    double atol, rtol;           /* in training, standardised units */
    double test_atol, test_rtol; /* in validation, test and scoring */
    lam_solver test_solver;      /* the same */
    size_t test_steps;           /* the same: even steps per block; 0: adaptive, of euler, midpoint and rk4 fixed_steps */
    size_t test_trace_points;     /* the same: nodes a block at which the trace is computed; 0: at every stage of the solver */
    lam_first_step first_step;   /* "probe", "warm" or a number */
    double first_step_size;      /* used with LAM_STEP_GIVEN */
    lam_error_parts error_parts; /* in training */
    lam_end end;
    lam_step_control step_control;
    size_t fixed_steps;          /* "steps": for euler, midpoint, rk4 */
    size_t max_steps;            /* attempted steps per block */
    double min_step;
    /* the trace and the gradient */
    lam_divergence divergence; /* in training */
    size_t probes;             /* Hutchinson probes */
    lam_val_divergence val_divergence;
    lam_gradient gradient;
    double memory;             /* MiB for kept activations */
    /* coefficients of the penalties on the lists, "double tpr_coefficient;" and so on: 0 is off, and any of them go together */
#define LAM_COEFFICIENT(name, row, help) double name##_coefficient;
    LAM_OBSERVED_LIST(LAM_COEFFICIENT)
    LAM_INTEGRAL_LIST(LAM_COEFFICIENT)
#undef LAM_COEFFICIENT
    /* trajectory polynomial regularisation (Huang and Yeh, AAAI 2021, eq. 8; method.md (4)) */
    size_t tpr_times, tpr_degree; /* "tpr: true" sets a coefficient of 5, 4 times, degree 1 and no weight of l */
    double tpr_l_weight;       /* of l beside z in it; 0, as published: none */
    double error_coefficient, error_l_weight; /* on the solver's own error (after Pal et al. 2021) of z, and of l beside it */
    double calls;              /* evaluations a block and solve that the coefficients of the penalties are to come to; 0: they stand */
    double calls_price;        /* share of the NLL gained since the start that they may add to the loss for it; 0: no bound */
    /* other penalties, each 0: off, and in any combination (method.md 10) */
    size_t taylor_order;       /* of the paths' derivatives in TayNODE (Kelly et al. 2020), 2 or 3 */
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
    int decay_is_chosen;           /* no parameter. 1: weight_decay is of the table of defaults, and a fit of few rows tries others (train/decay.c) */
    size_t iterations;             /* at the most */
    size_t warm_start;             /* "flow-matching:N": iterations of it before them, of densities (method.md 11); 0: none */
    int flows_are_chosen;          /* no parameter. 1: flows is of the table of defaults, and under a limit of time there may be fewer */
    int start_is_chosen;           /* no parameter. 1: warm_start is of the table of defaults, and a limit of time may make it less */
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
    size_t threads;                /* 0: one per processor */
    lam_reduce_kind reduce;        /* of several processes (laminar/mpi.h) */
    char *isa;                     /* "avx512", "avx2", "sse2", "neon", "scalar"; NULL = "auto" */
    /* the data */
    double val_fraction, test_fraction; /* test: of all rows; validation: of the rest */
    uint64_t split_seed;
    int standardise;
    lam_map map;                   /* of each column, after the standardiser */
    size_t map_knots;              /* quantiles of every column that its spline goes through; 0: of each as many as pay (method.md 13) */
    lam_whiten_kind whiten;        /* of all columns together, behind their maps */
    lam_calibrate_kind calibrate;  /* what validation rows decide beside the best parameters */
    size_t flows;                  /* of which the model is the mixture of equal weights, each fitted by itself (method.md 18) */
    int drop_bad_rows, drop_duplicates;
    lam_header header;
    lam_names columns, drop;       /* n 0: all / none. As text (lam_config_set): "a,b", a name with a comma in double quotes */
    lam_names given;               /* columns that the density is conditional on: the flow is of the others (method.md 14) */
    int any_given;                 /* 1: any columns given any others: which are given, moving and absent differs from row to row */
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
};

#endif
