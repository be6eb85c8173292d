/* What there is to choose from: the values of the parameters that are words, in the order of these words. */
#ifndef LAM_BASE_CHOICES_H
#define LAM_BASE_CHOICES_H

typedef enum lam_layer { LAM_LAYER_IGNORE, LAM_LAYER_CONCAT, LAM_LAYER_CONCAT_V2, LAM_LAYER_SQUASH,
    LAM_LAYER_CONCATSQUASH, LAM_LAYER_BLEND, LAM_LAYER_HYPER } lam_layer;
typedef enum lam_activation { LAM_ACT_TANH, LAM_ACT_SOFTPLUS, LAM_ACT_ELU, LAM_ACT_RELU, LAM_ACT_SWISH, LAM_ACT_SQUARE,
    LAM_ACT_IDENTITY } lam_activation;
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
typedef enum lam_precision { LAM_FLOAT, LAM_DOUBLE } lam_precision;
typedef enum lam_step_control { LAM_CONTROL_BATCH, LAM_CONTROL_TILE } lam_step_control;
/* The noise that a row goes to in flow matching: NONE, that drawn beside it; MINIBATCH, of the draws of 64 rows the one that makes
 * the sum of their squared ways least. */
typedef enum lam_pairing_kind { LAM_PAIRING_NONE, LAM_PAIRING_MINIBATCH } lam_pairing_kind;
/* What happens to standardised columns before they reach the flow: nothing, or a monotone spline a column makes normal scores of them
 * (method.md 13). */
typedef enum lam_map { LAM_MAP_NONE, LAM_MAP_NORMAL_SCORES, LAM_MAP_AUTO } lam_map;
/* Of a variational auto-encoder (method.md 9): what its approximate posterior goes through, how the flow's layers depend on
 * the image, what a pixel is, how grey pixels become binary ones. */
typedef enum lam_posterior { LAM_POSTERIOR_CNF, LAM_POSTERIOR_PLANAR, LAM_POSTERIOR_NONE } lam_posterior;
typedef enum lam_amortised { LAM_AMORTISED_NONE, LAM_AMORTISED_BIAS, LAM_AMORTISED_LOW_RANK, LAM_AMORTISED_LYPER,
    LAM_AMORTISED_HYPER } lam_amortised;
typedef enum lam_pixels { LAM_PIXELS_BINARY, LAM_PIXELS_CATEGORICAL } lam_pixels;
typedef enum lam_binarise { LAM_BINARISE_THRESHOLD, LAM_BINARISE_FIXED, LAM_BINARISE_FRESH } lam_binarise;

#endif
