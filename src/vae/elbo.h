/* The evidence lower bound of a batch of images, and its gradient (method.md (6)).
 *
 *     x -> encoder -> mu, v -> z_0 = mu + sqrt(v) e -> flow -> z_K -> decoder -> log p(x | z_K)
 *     -ELBO = -log p(x | z_K) + beta (log q(z_0 | x) - log N(z_K; 0, I) - sum log|det|)
 *     loss  = mean over rows of -ELBO + alpha * TPR of the latent trajectories
 */
#ifndef LAM_VAE_ELBO_H
#define LAM_VAE_ELBO_H
#include "base/batch.h"
#include "penalty/loss.h"
#include "vae/layout.h"
#include "vae/names.h"

/* The parts of a step, forward and backward: the encoder with mu and v; the maps of features to row parameters; the flow; the
 * decoder with the likelihood. */
typedef enum lam_elbo_phase {
    LAM_ELBO_ENCODER,
    LAM_ELBO_MAPS,
    LAM_ELBO_FLOW_FORWARD,
    LAM_ELBO_FLOW_REVERSE,
    LAM_ELBO_DECODER,
    LAM_ELBO_PHASES,
} lam_elbo_phase;

typedef struct lam_elbo_options {
    size_t max_rows;
    int gradients;
    int plain;        /* 1: the nets as plain loops (always in double) */
    lam_trace trace;  /* of a CNF */
    const lam_comm *comm; /* the same evaluation is on each of these ranks, and is asked the same; NULL: on no other one */
    int fast_sums;    /* 1: gradients are added across ranks in any order */
    double *phases;   /* [LAM_ELBO_PHASES] the seconds that each took are added here; NULL */
} lam_elbo_options;

typedef struct lam_elbo lam_elbo;

/* What a call evaluates. */
typedef struct lam_elbo_call {
    const real *params;       /* [layout->parameters] */
    const uint8_t *pixels;    /* [rows, layout->pixels], below layout->levels; of several ranks each reads its own (lam_elbo_own_rows) */
    size_t rows;
    double beta;
    lam_flow_solve solve;
    lam_noise noise;          /* of the trace: its first_row numbers e's rows as well */
    lam_purpose draw;         /* e of row i depends on (noise.seed, draw, noise.stream, first_row + i) */
    lam_penalty penalty;
    const double *given;      /* [rows, latent]: e, instead of draws; NULL */
} lam_elbo_call;

typedef struct lam_elbo_terms {
    double loss;           /* with beta and the penalty */
    double negative_elbo;  /* at beta 1: reconstruction + kl; nats per image, mean over rows */
    double reconstruction; /* -log p(x | z_K) */
    double kl;             /* log q(z_0 | x) - log N(z_K) - sum log|det| */
    lam_terms penalty_terms; /* the penalties, by name, without their coefficients */
    double penalties;      /* with them */
    lam_counts counts;
} lam_elbo_terms;

/* layout, config and pool must outlive it. */
lam_status lam_elbo_create(const lam_vae_layout *layout, const lam_config *config, lam_pool *pool,
    const lam_elbo_options *options, lam_elbo **out);
void lam_elbo_free(lam_elbo *elbo); /* takes NULL */

/* The range of a batch of so many images that this rank's nets work on. */
lam_range lam_elbo_own_rows(const lam_elbo *elbo, size_t rows);
/* row_elbo [rows] receives log p(x | z_K) - (the row's kl), the log-weight of importance sampling; NULL. LAM_ERR_SOLVER,
 * LAM_ERR_DIVERGED. */
lam_status lam_elbo_forward(lam_elbo *elbo, const lam_elbo_call *call, double *row_elbo, lam_elbo_terms *terms);
/* The gradient of terms->loss of the last forward call: grad [layout->parameters], overwritten; counts are added to terms. */
lam_status lam_elbo_backward(lam_elbo *elbo, const lam_elbo_call *call, real *grad, lam_elbo_terms *terms);

/* Pieces, for reconstructions, samples and interpolations, on one rank. z [rows, latent], double. */
/* mu and v of q(z_0 | x) and the flow's parameters for the rows stay in elbo. */
lam_status lam_elbo_encode(lam_elbo *elbo, const lam_elbo_call *call);
/* z_K of the rows encoded last, from e [rows, latent]. */
lam_status lam_elbo_push(lam_elbo *elbo, const lam_elbo_call *call, const double *e, double *z, lam_elbo_terms *terms);
/* Logits [rows, pixels, 1 or 256] of z. */
lam_status lam_elbo_decode(lam_elbo *elbo, const real *params, const double *z, size_t rows, real *logits);

/* The engine of a CNF, NULL without one: for tests that freeze its steps. */
lam_engine *lam_elbo_engine(const lam_elbo *elbo);

#endif
