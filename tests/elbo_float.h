/* The evidence lower bound in float, for a test whose own width is double. */
#ifndef LAM_TESTS_ELBO_FLOAT_H
#define LAM_TESTS_ELBO_FLOAT_H
#include "penalty/loss.h"
#include "vae/elbo.h"

/* What an evaluation is of, whatever the width. */
typedef struct elbo_problem {
    const lam_vae_layout *layout;
    const lam_config *config;
    const float *params;
    const unsigned char *pixels;
    const double *e; /* [rows, latent], NULL: drawn */
    size_t rows, threads;
    int plain;
    double beta;
    lam_flow_solve solve;
    lam_noise noise;
    lam_penalty penalty;
} elbo_problem;

/* row_elbo [rows], grad [layout->parameters]. */
lam_status elbo_in_float(const elbo_problem *problem, double *row_elbo, float *grad, lam_elbo_terms *terms);

#endif
