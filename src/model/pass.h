/* Many rows through a chain, batch by batch, in either direction and width: what scoring, sampling, encoding and checking
 * share. Rows come from and go to the caller's functions, in standardised units (data's side) or the base's. They have all columns of
 * the model; those that are given are standardised on either side, and stay what they are, as those do that are absent. */
#ifndef LAM_MODEL_PASS_H
#define LAM_MODEL_PASS_H
#include "base/comm.h"
#include "model/model.h"
#include "ode/options.h"

typedef struct lam_pass {
    const lam_model *model;
    lam_units units; /* of the rows on the data's side of the array calls below */
    /* the solve */
    lam_setting setting;
    size_t max_steps;
    const double *h_star;  /* [blocks] steps that the model remembers of evaluation */
    lam_setting h_star_of; /* the setting they were found by */
    double *learned;       /* [blocks] receives h* of the last batch's solves; NULL: not wanted */
    lam_step_log *log; /* of the attempted steps; NULL: not wanted. With step control by tile batches are of one tile */
    int alone;      /* 1: of a model of several flows `model` alone is meant; else all of them (lam_pass_of_flow) */
    int probe;      /* 1: the first step by probe whatever the model remembers */
    int use_double;
    lam_divergence divergence;
    size_t probes;  /* Hutchinson */
    uint64_t seed;  /* of its noise */
    /* what is asked of the rows, [.., dim] (lam_role): one for all (n_roles 1) or one for every `each` rows in turn; NULL: as they come
     * (lam_given_roles) */
    const unsigned char *roles;
    size_t n_roles, each;
    int behind_maps; /* 1: rows come from the base in standardised units behind the column maps, and so does log p */
    size_t times;   /* a block: above 0 the whole way forward is wanted, without the trace (lam_trajectories) */
    /* the work */
    size_t batch_rows, threads;
    const char *isa;
    int (*progress)(void *user, size_t done, size_t total); /* may be NULL */
    void *user;
    const lam_comm *comm; /* ranks that share the batches of lam_pass_log_prob; NULL: none */
    size_t from, until; /* rows of the call that are this pass's; until 0: all */
    size_t done, total; /* for progress: rows that earlier passes did, rows of all passes; total 0: this pass's rows */
    size_t first_row;   /* rows in front of these, for draws, noise and messages; as those of roles, each stands for `each` of the pass */
} lam_pass;

/* Where a pass's rows come from and go to; self is handed to both. */
typedef struct lam_rows {
    void *self;
    /* rows first .. first + rows - 1 into x [rows, dim] */
    void (*fill)(void *self, size_t first, size_t rows, double *x);
    /* x as filled, y [rows, dim] at the other end (with pass->times the way there, [rows, blocks * times + 1, dim]), logp [rows] the
     * log-density of what moves on the data's side, in pass->units (NULL without) */
    lam_status (*take)(void *self, size_t first, size_t rows, const double *x, const double *y, const double *logp);
} lam_rows;

/* The options as a pass, with defaults filled in; options may be NULL. LAM_ERR_ARGUMENT for values out of range. */
lam_status lam_pass_init(lam_pass *pass, const lam_model *model, const lam_eval_options *options);
/* How many flows the pass is of, and the same pass of flow k, from 0, alone. Progress counts the rows of all flows. */
size_t lam_pass_flows(const lam_pass *pass);
lam_status lam_pass_need_one(const lam_pass *pass); /* LAM_ERR_ARGUMENT: it is of several */
void lam_pass_take_flow(lam_pass *pass, size_t k); /* the pass becomes that of flow k; the setting stays */
lam_pass lam_pass_of_flow(const lam_pass *pass, size_t k, size_t n);
/* n draws of the base density to where they belong, in whose rows nothing is standardised yet: as lam_pass_run backward, each by the flow that
 * it belongs to by the seed and its number (of the draws in front of these, first_row for each of `each`). No log p of several flows. */
lam_status lam_pass_draw(const lam_pass *pass, uint64_t seed, int with_l, size_t n, const lam_rows *rows, lam_counts *counts);
/* One flow alone: of a pass of several LAM_ERR_ARGUMENT. n rows; forward: data to base. with_l: the trace too. counts is added to. LAM_ERR_INTERRUPTED when progress says so;
 * LAM_ERR_SOLVER names the batch's rows. */
lam_status lam_pass_run(const lam_pass *pass, int forward, int with_l, size_t n, const lam_rows *rows, lam_counts *counts);

/* LAM_ERR_DATA names the first of the rows x [n, dim] with something that moves or is given in it that is not finite, no level, or 1e30 standard
 * deviations from the mean. */
lam_status lam_pass_check_rows(const lam_pass *pass, const double *x, size_t n);
/* The same of their given columns alone. */
lam_status lam_pass_check_given(const lam_pass *pass, const double *x, size_t n);
/* The same on arrays. x and y [n, dim]; the data's side in pass->units, checked to be finite; logp [n] in those units too. With
 * pass->times y is the way, [n, blocks * times + 1, dim], all of it in pass->units. */
lam_status lam_pass_log_prob(const lam_pass *pass, const double *x, size_t n, double *logp, lam_counts *counts);
/* lam_pass_log_prob of several flows: log of the mean of their densities. */
lam_status lam_pass_mix(const lam_pass *pass, const double *x, size_t n, double *logp, lam_counts *counts);
lam_status lam_pass_transform(const lam_pass *pass, int forward, const double *x, size_t n, double *y, lam_counts *counts);

/* The step that block b's "warm" solve starts from at the pass's tolerances: the model's memory, scaled as the error estimate
 * scales; 0: there is none. */
double lam_pass_first_step(const lam_pass *pass, size_t block);

/* What column j of row `row` is, whose numbers x [dim] are; 1: it moves. */
lam_role lam_pass_role(const lam_pass *pass, size_t row, const double *x, size_t j);
int lam_pass_moves(const lam_pass *pass, size_t row, const double *x, size_t j);
/* Roles of the caller's: those that the model takes, for n rows. */
lam_status lam_pass_set_roles(lam_pass *pass, const unsigned char *roles, size_t n_roles, size_t n);
/* What a question is about whose rows are then taken in parts, so that messages count the caller's rows: that roles are so many and of the model's
 * kind, and the given cells of all rows; with `moving` those that move too. */
lam_status lam_pass_check_question(const lam_model *model, const lam_eval_options *options, const double *x, const unsigned char *roles,
    size_t n_roles, size_t n, int moving);
/* Row `row`, from 0, has none of the columns whose density is asked. */
lam_status lam_fail_nothing_asked(size_t row);
/* After a failure in the part of the rows that begins with row `first`. */
lam_status lam_fail_in_part(lam_status status, size_t first);

/* lam_pass_run in one width (pass_w.c). */
lam_status lam_pass_solve_f32(const lam_pass *pass, int forward, int with_l, size_t n, const lam_rows *rows, lam_counts *counts);
lam_status lam_pass_solve_f64(const lam_pass *pass, int forward, int with_l, size_t n, const lam_rows *rows, lam_counts *counts);

#endif
