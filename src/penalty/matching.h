/* Flow matching (Lipman, Chen, Ben-Hamu, Nickel and Le 2023; straight paths as in Liu, Gong and Liu 2023; method.md 11): the field is
 * fitted to the velocity of straight paths from the rows to noise, without solving any ODE. In a chain of K blocks, block k at its
 * own time t is at s = (k - 1 + t/T)/K of the whole way:
 *     z = (1 - s) x + s e,   target (e - x)/(K T),   loss = mean over rows, columns and blocks of (f_k(t, z) - target)^2      (8)
 */
#ifndef LAM_PENALTY_MATCHING_H
#define LAM_PENALTY_MATCHING_H
#include "flow/engine.h"
#include "penalty/names.h"

/* Times at which each block is looked at, in every call: at least. */
enum { LAM_MATCHING_TIMES = 8 };

typedef struct lam_matcher lam_matcher;

/* Of an engine's options it takes max_rows, isa, comm and fast_sums. layout and pool must outlive it. LAM_ERR_UNSUPPORTED for fields with
 * parameters from the rows. */
lam_status lam_matcher_create(const lam_layout *layout, lam_pool *pool, const lam_engine_options *options, lam_matcher **out);
void lam_matcher_free(lam_matcher *matcher); /* takes NULL */

typedef struct lam_matching {
    uint64_t seed, stream; /* of noise and times */
    int paired;            /* 1: in groups of 64 rows each row takes the noise that makes the group's squared ways shortest (minibatch
                              pairing: Pooladian et al. 2023; Tong et al. 2024). Not of conditional densities, whose noise would then
                              depend on what is given */
    const lam_condition *condition; /* of a layout with a context; else NULL */
} lam_matching;

/* The loss over the call's rows, without a solve or noise of its own, and its gradient, grad [layout->parameters]; that of the end
 * times, which are taken as they are, is 0. Every block sees every row. The rows of a tile share a time, and so do more tiles
 * than LAM_MAX_SLOTS; a batch of few tiles is looked at several times, with new noise, so that there are LAM_MATCHING_TIMES. Each time
 * by itself is uniform on [0, T), those of a block and call are evenly spaced (systematic sampling, as in Kingma, Salimans,
 * Poole and Ho 2021). counts is added to: a look is one call of f a block, forward and backward.
 * LAM_ERR_DIVERGED: the loss is not finite. */
lam_status lam_matching_loss(lam_matcher *matcher, const lam_flow_call *call, const lam_matching *matching, real *grad, double *loss,
    lam_counts *counts);

#endif
