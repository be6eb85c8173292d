/* How fast this machine is, and how fast training is on it: what `laminar bench` prints. */
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

#ifdef __cplusplus
}
#endif
#endif
