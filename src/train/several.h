/* The flows of a fit, one after the other (docs/method.md 18), and where there are few rows the choice of their weight decay before (8). */
#ifndef LAM_TRAIN_SEVERAL_H
#define LAM_TRAIN_SEVERAL_H
#include "train/one.h"

/* By which the time of a further flow may be longer than that of the first, its share of the test included. */
#define LAM_FLOW_MARGIN 1.15

typedef struct lam_several {
    const lam_dataset *data;
    lam_fit_options options; /* run_dir: the folder of flow 1 */
    lam_fit_kept *kept;      /* of the first flow */
    lam_model *model;        /* with the flows so far */
    lam_fit_result *result;
    double decay;                /* weight decay that is being tried; NaN: it is settled */
    int is_chosen;               /* 1: by trials, so that flow 1 may not be the one that was tested */
    size_t tried;                /* flows so far, with those that were left out */
    double began, cpu_began;     /* the clocks at which nothing would have been used of the limits yet */
    double seconds, cpu_seconds; /* that the first flow took */
    double nll, variance;        /* sums over the flows, of best_val_nll and of its squared standard error */
    double *rows, *log_p;        /* the test rows, [test_rows, dim]; log of the sum of the densities of the flows so far. NULL: there is no test */
} lam_several;

/* Flow 1 by cfg, within its limits of time, and with the test. */
lam_status lam_several_first(lam_several *s, const lam_config *cfg);
/* Flow k, from 0, by the numbers of the first one, with a seed and validation rows of its own, neither tested nor told of. kept has what it came to.
 * *late 1: there was no time for it, and the status is LAM_ERR_INTERRUPTED. */
lam_status lam_several_fit(lam_several *s, size_t k, lam_fit_kept *kept, lam_model **flow, lam_fit_result *result, int *late);
/* 1: under the limits of time, or without any, there is time for so many more flows; the same on all ranks. */
int lam_several_has_time(const lam_several *s, size_t flows);
/* 1: it is the flow's own failure, which the others can do without. */
int lam_several_is_own(lam_status status);
/* The file or folder of that name in RUN; NULL without a run folder, or without memory. */
char *lam_several_path(const lam_several *s, const char *name);
/* The model so far, whatever comes after it, into RUN. */
lam_status lam_several_save(const lam_several *s);
/* A flow's validation NLL is added to the sums. */
void lam_several_add_nll(lam_several *s, const lam_fit_result *r);

/* ---- the choice of the weight decay (decay.c) --------------------------------------------------------------------- */

/* *open 1: nobody has said what it is, and there are so few rows that it is chosen by fitting. A run that goes on after the choice takes it from its
 * checkpoint. */
lam_status lam_decay_settle(lam_config *cfg, const lam_dataset *data, const lam_fit_options *options, int *open);
/* Fits the first flows with several weight decays, in folders of their own. Those with the lowest validation NLL go into s, and their files into RUN. */
lam_status lam_decay_choose(lam_several *s, const lam_config *cfg);
/* A run that begins anew leaves nothing of an older one's that a resume would take for its own: flows, and where trials come first, which write
 * elsewhere, the checkpoint and the configuration. Nor does one that tries nothing leave trials. On rank 0. */
lam_status lam_several_forget(const lam_fit_options *options, int tries);

#endif
