/* What "auto" stands for (lam_config_resolve). */
#ifndef LAM_MODEL_DEFAULTS_H
#define LAM_MODEL_DEFAULTS_H
#include "model/config.h"

/* Taken where nothing says how many rows there are, as for a model that is not fitted. */
enum { LAM_USUAL_ROWS = 10000 };
/* Training rows: below, a density has several small flows, and where nobody says what its weight decay is, that is chosen by fitting (train/decay.c). */
enum { LAM_FEW_ROWS = 3000 };

/* Puts what a file leaves unsaid that was written before there were column maps, whitening, calibration, flows and shared maps of a context. */
void lam_config_unsaid(lam_config *cfg);

/* 1: cfg has a limit of time. */
int lam_config_is_timed(const lam_config *cfg);
/* cfg's schedule, or what "auto" comes to. */
lam_schedule_kind lam_schedule_of(const lam_config *cfg);

/* 1: of so many training rows one flow is enough, and the further ones of cfg are only for a limit of time that is long. */
int lam_flows_are_spare(const lam_config *cfg, size_t rows);

/* 1: of some columns given others, fixed or any. */
int lam_config_is_conditional(const lam_config *cfg);

#endif
