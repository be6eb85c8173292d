/* Inside lam_tune: rows with their reference, and the search for a setting (tune_search.c). */
#ifndef LAM_MODEL_TUNE_H
#define LAM_MODEL_TUNE_H
#include "model/model.h"

typedef struct lam_tune_rows {
    size_t n;
    double *x;         /* [n, dim] standardised */
    double *reference; /* [n] log p, standardised units */
} lam_tune_rows;

typedef struct lam_tuner {
    lam_tune_options options; /* defaults filled in */
    lam_model *trial;         /* a copy of the model; its evaluation setting is that of the candidate in hand */
    lam_setting fitted;       /* the fit's own: even steps keep its tolerances, for those who ask for adaptive ones later */
    lam_tune_rows valid, test;
    double *logp, *errors;    /* [the larger n] of a candidate; scratch */
    double *h_chosen;         /* [blocks] h* of result.chosen */
    lam_tune_result result;
    size_t capacity;          /* of result.candidates */
    double started;           /* lam_clock */
    size_t points;            /* of the candidates being tried: setting.trace_points */
    double reference_seconds, candidate_seconds; /* projections of what is still to do: of the reference, of the candidates */
    lam_tune_progress progress;
} lam_tuner;

/* Bounds kept. */
int lam_tuner_keeps(const lam_tuner *t, const lam_tune_candidate *c);
/* The progress callback: LAM_ERR_INTERRUPTED if it says so. */
lam_status lam_tuner_tell(lam_tuner *t);
/* Solves rows by the trial model's evaluation setting: what a call of lam_log_prob with the model so tuned does, bit for bit. The
 * candidate's setting stands; LAM_OK with infinite errors if the solver gives up. In double with use_double; logp [rows->n]. */
lam_status lam_tuner_measure(lam_tuner *t, const lam_tune_rows *rows, int use_double, double *logp, lam_tune_candidate *c);
/* Root mean square and 99th percentile (nearest rank) of |a - b|, [n]. */
void lam_tuner_errors(const double *a, const double *b, size_t n, double *scratch, double *rms, double *percentile);
/* Makes the setting, with h_star [blocks], the trial model's. */
void lam_tuner_try_on(lam_tuner *t, const lam_setting *s, const double *h_star);

/* Tries candidates on the validation rows; the model's own setting first. Fills result's candidates and chosen. */
lam_status lam_tune_search(lam_tuner *t);

#endif
