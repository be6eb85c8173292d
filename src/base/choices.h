/* What there is to choose from. Each list has a row for every choice: its code, its word in configurations, and what else the code needs to
 * know of it. Enums, the parser, help, messages and Python follow from these rows, so that a choice cannot be there by halves. */
#ifndef LAM_BASE_CHOICES_H
#define LAM_BASE_CHOICES_H

/* A list is a macro of two macros: what is made of a row, and what stands between the rows. LAM_CODE and LAM_WORD make a row its code and
 * its word: LIST(LAM_CODE, LAM_COMMA) is the inside of an enum, LIST(LAM_WORD, LAM_BAR) the text "adam|adamw|adamax". */
#define LAM_CODE(code, ...) code
#define LAM_WORD(code, ...) LAM_WORD_(__VA_ARGS__, )
#define LAM_WORD_(word, ...) word
#define LAM_COMMA() ,
#define LAM_BAR() "|"
#define LAM_NONE()

/* ---- solvers ------------------------------------------------------------------------------------------------------ */

/* code, word, the table (in a file of that name in ode/), the place in the order in which lam_tune tries them. The first are pairs, whose
 * error estimate chooses the steps. The others take as many steps as `steps` says. */
#define LAM_PAIR_LIST(X, S) \
    X(LAM_DOPRI5, "dopri5", lam_dopri5, 1) S() \
    X(LAM_TSIT5, "tsit5", lam_tsit5, 2) S() \
    X(LAM_BOSH3, "bosh3", lam_bosh3, 4) S() \
    X(LAM_HEUN21, "heun21", lam_heun21, 6) S() \
    X(LAM_DOP853, "dop853", lam_dop853, 5)
#define LAM_FIXED_LIST(X, S) \
    X(LAM_EULER, "euler", lam_euler, 8) S() \
    X(LAM_MIDPOINT, "midpoint", lam_midpoint, 7) S() \
    X(LAM_RK4, "rk4", lam_rk4, 3)
#define LAM_SOLVER_LIST(X, S) LAM_PAIR_LIST(X, S) S() LAM_FIXED_LIST(X, S)
typedef enum lam_solver {
    LAM_SOLVER_LIST(LAM_CODE, LAM_COMMA),
    LAM_SOLVER_AUTO /* of evaluation: the solver of training */
} lam_solver;

/* Where a solve ends: on its end time, by a shorter last step; past it, by interpolation; on every observation time as well. */
#define LAM_END_LIST(X, S) \
    X(LAM_END_LAND, "land") S() \
    X(LAM_END_OVERSHOOT, "overshoot") S() \
    X(LAM_END_LAND_ALL, "land-all")
typedef enum lam_end { LAM_END_LIST(LAM_CODE, LAM_COMMA) } lam_end;
typedef enum lam_first_step { LAM_STEP_PROBE, LAM_STEP_WARM, LAM_STEP_GIVEN } lam_first_step;
#define LAM_ERROR_LIST(X, S) X(LAM_ERROR_ZL, "z,l") S() X(LAM_ERROR_Z, "z")
typedef enum lam_error_parts { LAM_ERROR_LIST(LAM_CODE, LAM_COMMA) } lam_error_parts;
#define LAM_CONTROL_LIST(X, S) X(LAM_CONTROL_BATCH, "batch") S() X(LAM_CONTROL_TILE, "tile")
typedef enum lam_step_control { LAM_CONTROL_LIST(LAM_CODE, LAM_COMMA) } lam_step_control;
#define LAM_GRADIENT_LIST(X, S) X(LAM_GRAD_STEPS, "steps") S() X(LAM_GRAD_ADJOINT, "adjoint")
typedef enum lam_gradient { LAM_GRADIENT_LIST(LAM_CODE, LAM_COMMA) } lam_gradient;
/* The trace in validation. "auto" is exact up to LAM_EXACT_DIM columns and else as in training; "estimate" is as in training. */
#define LAM_VAL_DIVERGENCE_LIST(X, S) \
    X(LAM_VAL_AUTO, "auto") S() \
    X(LAM_VAL_EXACT, "exact") S() \
    X(LAM_VAL_ESTIMATE, "estimate")
typedef enum lam_val_divergence { LAM_VAL_DIVERGENCE_LIST(LAM_CODE, LAM_COMMA) } lam_val_divergence;
#define LAM_EXACT_DIM 16

/* ---- the field ---------------------------------------------------------------------------------------------------- */

#define LAM_LAYER_LIST(X, S) \
    X(LAM_LAYER_IGNORE, "ignore") S() \
    X(LAM_LAYER_CONCAT, "concat") S() \
    X(LAM_LAYER_CONCAT_V2, "concat_v2") S() \
    X(LAM_LAYER_SQUASH, "squash") S() \
    X(LAM_LAYER_CONCATSQUASH, "concatsquash") S() \
    X(LAM_LAYER_BLEND, "blend") S() \
    X(LAM_LAYER_HYPER, "hyper")
typedef enum lam_layer { LAM_LAYER_LIST(LAM_CODE, LAM_COMMA) } lam_layer;

/* code, word, name (act_NAME of kernels/act.h), what its reverse has to keep beside h and h': nothing, where sigma' follows from h; sigma';
 * or sigma' and the input a. */
enum { LAM_KEEPS_NOTHING = 0, LAM_KEEPS_SLOPE = 1, LAM_KEEPS_INPUT = 3 };
#define LAM_ACTIVATION_LIST(X, S) \
    X(LAM_ACT_TANH, "tanh", tanh, LAM_KEEPS_NOTHING) S() \
    X(LAM_ACT_SOFTPLUS, "softplus", softplus, LAM_KEEPS_SLOPE) S() \
    X(LAM_ACT_ELU, "elu", elu, LAM_KEEPS_INPUT) S() \
    X(LAM_ACT_RELU, "relu", relu, LAM_KEEPS_INPUT) S() \
    X(LAM_ACT_SWISH, "swish", swish, LAM_KEEPS_INPUT) S() \
    X(LAM_ACT_SQUARE, "square", square, LAM_KEEPS_INPUT) S() \
    X(LAM_ACT_IDENTITY, "identity", identity, LAM_KEEPS_NOTHING)
typedef enum lam_activation { LAM_ACTIVATION_LIST(LAM_CODE, LAM_COMMA) } lam_activation;

/* Linear maps of a context's net to the biases of hidden layers (method.md 14): one a layer that all blocks share, or every block has its own. */
#define LAM_CONTEXT_MAPS_LIST(X, S) X(LAM_CONTEXT_SHARED, "shared") S() X(LAM_CONTEXT_OWN, "own") S() X(LAM_CONTEXT_AUTO, "auto")
typedef enum lam_context_maps { LAM_CONTEXT_MAPS_LIST(LAM_CODE, LAM_COMMA) } lam_context_maps;

#define LAM_PRECISION_LIST(X, S) X(LAM_FLOAT, "float") S() X(LAM_DOUBLE, "double")
typedef enum lam_precision { LAM_PRECISION_LIST(LAM_CODE, LAM_COMMA) } lam_precision;

/* ---- penalties ---------------------------------------------------------------------------------------------------- */

/* name, who has the row of the parameter "NAME-coefficient": LISTED, this one, which is its help (default 0); OWN, the table of parameters. Each
 * has a file penalty/NAME.c or NAME_w.c: integrals along the paths (penalty/penalty.h), and penalties on the states at observation times
 * (penalty/observed.h). The member of lam_config, the parameter, the term of the loss and its lines in metrics follow. */
#define LAM_INTEGRAL_LIST(X) \
    X(kinetic, LISTED, "coefficient of the kinetic energy, half the squared speed along the paths; together with jacobian-coefficient: RNODE") \
    X(jacobian, LISTED, "coefficient of the squared Frobenius norm of the Jacobian df/dz along the paths") \
    X(taylor, LISTED, "coefficient of TayNODE, the squared K-th derivative of the paths by time; 0: off")
#define LAM_OBSERVED_LIST(X) X(tpr, OWN, "")

/* ---- training ----------------------------------------------------------------------------------------------------- */

/* code, word, name (its record in optim/NAME_w.c), the learning rate where none is given */
#define LAM_OPTIMIZER_LIST(X, S) \
    X(LAM_ADAM, "adam", adam, 1e-3) S() \
    X(LAM_ADAMW, "adamw", adamw, 1e-3) S() \
    X(LAM_ADAMAX, "adamax", adamax, 1e-3) S() \
    X(LAM_MUON, "muon", muon, 1e-2) S() \
    X(LAM_SOAP, "soap", soap, 1e-2)
typedef enum lam_optimizer {
    LAM_OPTIMIZER_LIST(LAM_CODE, LAM_COMMA),
    LAM_OPTIMIZER_AUTO /* soap for densities (muon where a layer has 512 or more units), adamax for auto-encoders */
} lam_optimizer;
/* How the learning rate changes (method.md 8): it falls to 0 by half a cosine, is cut tenfold where validation stops improving, or stays. */
#define LAM_SCHEDULE_LIST(X, S) \
    X(LAM_SCHEDULE_COSINE, "cosine") S() \
    X(LAM_SCHEDULE_CUTS, "cuts") S() \
    X(LAM_SCHEDULE_CONSTANT, "constant") S() \
    X(LAM_SCHEDULE_AUTO, "auto")
typedef enum lam_schedule_kind { LAM_SCHEDULE_LIST(LAM_CODE, LAM_COMMA) } lam_schedule_kind;
/* How gradients are added across ranks: by the tree that one rank adds them by, or in any order (docs/scale.md). */
#define LAM_REDUCE_LIST(X, S) X(LAM_REDUCE_ORDERED, "ordered") S() X(LAM_REDUCE_FAST, "fast")
typedef enum lam_reduce_kind { LAM_REDUCE_LIST(LAM_CODE, LAM_COMMA) } lam_reduce_kind;
/* How rows and noise are paired in flow matching: independently, or by optimal transport within groups of 64 rows. */
#define LAM_PAIRING_LIST(X, S) X(LAM_PAIRING_NONE, "none") S() X(LAM_PAIRING_MINIBATCH, "minibatch")
typedef enum lam_pairing_kind { LAM_PAIRING_LIST(LAM_CODE, LAM_COMMA) } lam_pairing_kind;
/* What is done to standardised columns before they reach the flow: nothing, or a monotone spline a column that makes it normal (method.md 13). */
typedef enum lam_map { LAM_MAP_NONE, LAM_MAP_NORMAL_SCORES, LAM_MAP_AUTO } lam_map;
/* What is done to the columns together after that: nothing, or whitening by their Gaussian (method.md 16). */
#define LAM_WHITEN_LIST(X, S) X(LAM_WHITEN_NONE, "none") S() X(LAM_WHITEN_GAUSSIAN, "gaussian") S() X(LAM_WHITEN_AUTO, "auto")
typedef enum lam_whiten_kind { LAM_WHITEN_LIST(LAM_CODE, LAM_COMMA) } lam_whiten_kind;
/* What validation rows decide beside the best parameters: nothing; the scale of the base density (method.md 17); or whether the best flow is better
 * than the Gaussian that its rows are whitened by (16). */
#define LAM_CALIBRATE_LIST(X, S) \
    X(LAM_CALIBRATE_NONE, "none") S() \
    X(LAM_CALIBRATE_SCALE, "scale") S() \
    X(LAM_CALIBRATE_GAUSSIAN, "gaussian") S() \
    X(LAM_CALIBRATE_AUTO, "auto")
typedef enum lam_calibrate_kind { LAM_CALIBRATE_LIST(LAM_CODE, LAM_COMMA) } lam_calibrate_kind;

/* ---- auto-encoders (method.md 9) ----------------------------------------------------------------------------------- */

/* What the approximate posterior is after its Gaussian; how the flow's layers depend on the image; what a pixel is; how grey pixels become
 * binary ones. */
#define LAM_POSTERIOR_LIST(X, S) X(LAM_POSTERIOR_CNF, "cnf") S() X(LAM_POSTERIOR_PLANAR, "planar") S() X(LAM_POSTERIOR_NONE, "none")
typedef enum lam_posterior { LAM_POSTERIOR_LIST(LAM_CODE, LAM_COMMA) } lam_posterior;
#define LAM_AMORTISED_LIST(X, S) \
    X(LAM_AMORTISED_NONE, "none") S() \
    X(LAM_AMORTISED_BIAS, "bias") S() \
    X(LAM_AMORTISED_LOW_RANK, "low-rank") S() \
    X(LAM_AMORTISED_LYPER, "lyper") S() \
    X(LAM_AMORTISED_HYPER, "hyper")
typedef enum lam_amortised { LAM_AMORTISED_LIST(LAM_CODE, LAM_COMMA) } lam_amortised;
#define LAM_PIXELS_LIST(X, S) X(LAM_PIXELS_BINARY, "binary") S() X(LAM_PIXELS_CATEGORICAL, "categorical")
typedef enum lam_pixels { LAM_PIXELS_LIST(LAM_CODE, LAM_COMMA) } lam_pixels;
#define LAM_BINARISE_LIST(X, S) X(LAM_BINARISE_THRESHOLD, "threshold") S() X(LAM_BINARISE_FIXED, "fixed") S() X(LAM_BINARISE_FRESH, "fresh")
typedef enum lam_binarise { LAM_BINARISE_LIST(LAM_CODE, LAM_COMMA) } lam_binarise;

#endif
