/* What the ranks of an auto-encoder tell each other: numbers of rows, and the gradients of nets and maps. On one rank nothing is told. */
#ifndef LAM_VAE_ELBO_RANKS_H
#define LAM_VAE_ELBO_RANKS_H
#include "base/batch.h"
#include "vae/names.h"

/* Numbers of every row, [rows][bytes]. */
typedef struct lam_elbo_column {
    void *at;
    size_t bytes;
} lam_elbo_column;

/* The parts of the sums over groups (flow/sums.h) that are this rank's, of parameters [0, reals). */
typedef struct lam_elbo_ranks {
    const lam_comm *comm;
    int fast;                /* 1: gradients are added across ranks in any order */
    size_t groups, reals;
    char *wire;              /* the columns of a message, row by row */
    real **part, **part_at;  /* [groups] of [reals]; and from some parameter on. On one rank the first is the caller's gradient */
} lam_elbo_ranks;

/* For batches of up to `rows` rows, of which a message holds so many bytes, and so many groups. */
lam_status lam_elbo_ranks_create(lam_elbo_ranks *ranks, size_t rows, size_t row_bytes, size_t groups, size_t reals);
void lam_elbo_ranks_clear(lam_elbo_ranks *ranks);
/* Each rank's rows of the columns go to all others, in one message. */
void lam_elbo_share(const lam_elbo_ranks *ranks, const lam_batch *batch, const lam_elbo_column *columns, size_t n);

/* Room for the parts of a batch, as the nets cut it and as the flow does; grad [>= reals] is where the sum is to be. */
lam_status lam_elbo_parts(lam_elbo_ranks *ranks, const lam_batch *nets, const lam_batch *flow, real *grad);
/* Where the parts' parameters from `at` on are. */
real *const *lam_elbo_parts_at(const lam_elbo_ranks *ranks, size_t at);
/* Parameters [at, at + n) of the parts of all ranks, added into grad, where on one rank they are already. */
void lam_elbo_parts_add(const lam_elbo_ranks *ranks, const lam_batch *batch, size_t at, size_t n, real *grad);

#endif
