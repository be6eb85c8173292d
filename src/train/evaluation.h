/* A validation or a test: on which rows, batch by batch, and the mean over them. */
#ifndef LAM_TRAIN_EVALUATION_H
#define LAM_TRAIN_EVALUATION_H
#include "base/comm.h"
#include "base/config.h"

/* What to evaluate: params [parameters] in the fit's width on the rows of a part. Without rows and until on all rows, in their order;
 * else on the first rows of lam_sample_order. */
typedef struct lam_evaluation {
    const void *params;
    double *h_star; /* [blocks] remembered steps */
    int keep_h_star; /* 1: h_star is updated, unless the evaluation fails */
    int exact;       /* 1: the exact trace whatever the configuration; 0: as val_divergence says */
    lam_part part;
    size_t rows;     /* of the sample; 0: all */
    double until;    /* 0, or the clock at which it is to end: on all rows where the first batches show that they are done by then,
                      * else on a sample of as many as are, whatever rows says */
    const char *folder; /* for what grows with the rows (base/room.h) */
    double base_scale; /* of the base density in a test; 0: 1. A validation of a fit that calibrates takes the best one for its rows */
    double *each;    /* [rows of the part] or NULL: gets the NLL of each row taken, in the order in which they are */
    int (*evaluating)(void *user, lam_part part, size_t done, size_t rows); /* as of lam_fit_options */
    void *user;
    const lam_comm *comm; /* rank 0 decides what the clock and evaluating decide */
} lam_evaluation;

/* What came out. */
typedef struct lam_evaluated {
    double nll, se;  /* mean over the rows, nats, and its standard error; NaN without rows, se of one row too */
    size_t rows;     /* that it is the mean of */
    int exact;       /* 1: by the exact trace */
    double base_scale; /* of the base density that nll is of */
    double gaussian_nll, gaussian_se, gain_se; /* of a validation that holds the flow against a Gaussian: that one's, and the error of the difference */
    double seconds;  /* that it took */
    lam_counts counts;
} lam_evaluated;

/* Rows of a part in the order in which samples take them, index [rows]: a permutation that depends on split_seed alone. folder as of
 * lam_room_take. */
lam_status lam_sample_order(const lam_config *cfg, lam_part part, size_t rows, const char *folder, size_t *index);

/* An evaluation under way. */
typedef struct lam_walk {
    const lam_evaluation *evaluation;
    const lam_config *cfg;
    size_t rows, each; /* of the part; of a batch at the most */
    size_t blocks;
    size_t *order;     /* [rows] of a sample; NULL: rows as they come */
    double *h_before;  /* [blocks] h_star at the start */
    int deciding;      /* 1: time decides how many rows are taken */
    size_t goal;       /* rows to take as far as is known */
    double began, batch_began;
    double sum, mean, square; /* of the rows so far: their sum; mean and summed squares about it (Welford) */
    lam_evaluated *out;
    size_t first, n;     /* the batch at hand: its place in the order, its rows, */
    const size_t *index; /* [n] which of the part's these are; NULL: first, first + 1, ... */
} lam_walk;

/* The walk over a part of so many rows in batches of at most each. out is what lam_walk_end fills in, its counts are the caller's to add
 * to. After LAM_OK the caller ends the walk. */
lam_status lam_walk_begin(lam_walk *walk, const lam_evaluation *evaluation, const lam_config *cfg, size_t blocks, size_t rows, size_t each,
    lam_evaluated *out);
/* 1: another batch is at hand. */
int lam_walk_next(lam_walk *walk);
/* The batch's NLLs: their sum, and each [n]. LAM_ERR_INTERRUPTED, without a message, when a stop is asked for. */
lam_status lam_walk_take(lam_walk *walk, double sum, const double *nll);
/* Frees what the walk holds; out has the result where status is LAM_OK, else h_star is again what it was. */
void lam_walk_end(lam_walk *walk, lam_status status);

#endif
