/* Counted random numbers: every draw is a function of (seed, purpose, index...), so that neither the number of threads
 * nor a resume changes it. Philox 4x32-10 (Salmon et al. 2011) from Random123. */
#ifndef LAM_BASE_RANDOM_H
#define LAM_BASE_RANDOM_H
#include <stdint.h>

/* What a draw is for. Appending is safe; reordering changes every fit. */
typedef enum lam_purpose {
    LAM_DRAW_INIT = 1,   /* initial weights */
    LAM_DRAW_BATCH,      /* shuffles of the training rows */
    LAM_DRAW_PROBE,      /* Hutchinson noise in training */
    LAM_DRAW_PROBE_EVAL, /* Hutchinson noise in validation and scoring */
    LAM_DRAW_TIMES,      /* observation times of TPR */
    LAM_DRAW_SAMPLE,     /* base draws of sampling */
    LAM_DRAW_SPLIT,      /* train / validation / test */
    LAM_DRAW_NOISE,      /* dequantising noise */
    LAM_DRAW_TOY,        /* 2-D toy densities */
    LAM_DRAW_TEST,       /* the tests' own */
    LAM_DRAW_PIXELS,     /* binarised pixels */
    LAM_DRAW_LATENT,     /* z of an auto-encoder in training */
    LAM_DRAW_LATENT_EVAL, /* and in validation and scoring */
    LAM_DRAW_STEER,      /* end times in training */
    LAM_DRAW_MATCH,      /* flow matching: the noise that rows are to become */
    LAM_DRAW_MATCH_TIME, /* and when on the way there the field is looked at */
    LAM_DRAW_SUBSET,     /* which rows a validation or test takes that has no time for all */
    LAM_DRAW_MIXTURE,    /* where a mixture of Gaussians starts */
    LAM_DRAW_MAP,        /* the halves of a column that say how many quantiles its map takes */
    LAM_DRAW_PIT,        /* where between two draws a value falls */
    LAM_DRAW_ROLES,      /* what is given, moves and is absent in training on any columns given any others */
    LAM_DRAW_ROLES_EVAL, /* and in its validation, and the splits that are checked */
    LAM_DRAW_FLOW,       /* which of a model's flows a draw of a sample comes from */
} lam_purpose;

/* Four 32-bit words for counter (a, b) under (seed, purpose). */
void lam_random_bits(uint64_t seed, lam_purpose purpose, uint64_t a, uint64_t b, uint32_t out[4]);
/* Uniform on [0, 1), 53 bits. */
double lam_random_uniform(uint64_t seed, lam_purpose purpose, uint64_t a, uint64_t b);
/* Two independent standard normals (Box-Muller on 53-bit uniforms). */
void lam_random_normal2(uint64_t seed, lam_purpose purpose, uint64_t a, uint64_t b, double out[2]);
/* n standard normals / random signs for one row: element j of row depends on (seed, purpose, stream, row, j) only. */
void lam_random_normal_row(uint64_t seed, lam_purpose purpose, uint64_t stream, uint64_t row, double *out, uint64_t n);
void lam_random_sign_row(uint64_t seed, lam_purpose purpose, uint64_t stream, uint64_t row, double *out, uint64_t n);
/* A permutation of 0..n-1 (Fisher-Yates on counted draws). */
void lam_random_permutation(uint64_t seed, lam_purpose purpose, uint64_t stream, uint64_t *out, uint64_t n);

#endif
