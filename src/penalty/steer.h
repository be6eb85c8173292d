/* STEER (Ghosh, Behl, Dupont, Torr and Namboodiri 2020; method.md 10): in training a block ends at a time drawn anew for every
 * iteration, so that the field behaves well around its end time too. Scoring ends at T itself. */
#ifndef LAM_PENALTY_STEER_H
#define LAM_PENALTY_STEER_H
#include "base/config.h"

/* *drawn = uniform on (end - width, end + width), a function of (seed, stream). LAM_ERR_ARGUMENT unless 0 < width < end: an end
 * time that is trained may have come down to it. */
lam_status lam_steer_end(uint64_t seed, uint64_t stream, double width, double end, double *drawn);

#endif
