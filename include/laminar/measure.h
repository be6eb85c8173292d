/* How fast this machine is, and how fast training is on it: what `laminar bench` prints. And which steps the solves of a model take: what
 * `laminar plot --steps` shows. */
#ifndef LAMINAR_MEASURE_H
#define LAMINAR_MEASURE_H
#include <laminar.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How long and on what. The problem is made up: rows drawn from N(0, I), initial weights of seed, observation times of the
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
/* Evaluations of f as a solve makes them, on a batch for dim columns. */
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
    double loss, negative_elbo, reconstruction, kl, tpr; /* nats per image; tpr without its coefficient */
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

/* ---- steps of a model's solves ----------------------------------------------------------------------------------------- */

/* An attempted step. Its error is the root mean square, over the rows of the batch and, of z, the columns, of the solver's error estimate
 * as a share of what the tolerances allow, atol + rtol max(|y0|, |y1|) (method.md 5): the step is accepted if neither z's nor l's is above
 * 1. The step that the controller would take if it saw only one of the two is 0.9 h error^(-1/q) (the same section), infinite
 * where the error is 0. */
typedef struct lam_step {
    size_t batch, block;         /* from 0 */
    double t, h;                 /* start and length, in the block's own time, from 0 to its end */
    double error_z, error_l;     /* of the states, of the log-density */
    double allowed_z, allowed_l; /* lengths */
    int accepted;
} lam_step;
typedef struct lam_steps {
    lam_step *step;      /* [n] as they were attempted, batch by batch and block by block */
    size_t n;
    double *end;         /* [blocks] end time of each block */
    size_t blocks, rows; /* rows: how many were solved */
    lam_setting setting;
    lam_counts counts;
} lam_steps;
/* The steps that lam_log_prob takes on rows x [n, dim], n at least 1, with the same options (NULL: defaults; comm is not looked at), one
 * batch after the other. With step control by tile a batch is a tile of 64 rows. Free with lam_steps_free.
 * LAM_ERR_ARGUMENT: no rows, or the setting has no error control of the log-density, as even steps or trace points chosen by lam_tune (options' as_fitted or
 * tolerances take others); and what lam_log_prob fails with. */
LAM_API lam_status lam_measure_steps(const lam_model *model, const lam_eval_options *options, const double *x, size_t n, lam_steps **out);
LAM_API void lam_steps_free(lam_steps *steps);

/* Accepted steps of a block, in all batches. Lengths, errors: NaN where there is no step. */
typedef struct lam_block_steps {
    size_t accepted, rejected;
    double shortest, longest;
    double error_z, error_l;     /* root mean square over the accepted steps */
    double allowed_z, allowed_l; /* the shortest */
    size_t l_decides;            /* accepted steps where l's error is larger than that of z */
} lam_block_steps;
/* LAM_ERR_ARGUMENT: no such block. */
LAM_API lam_status lam_steps_of_block(const lam_steps *steps, size_t block, lam_block_steps *out);

#ifdef __cplusplus
}
#endif
#endif
