/* Evaluations of f and steps, added up. */
#ifndef LAM_BASE_COUNTS_H
#define LAM_BASE_COUNTS_H
#include "laminar.h"

static inline void lam_counts_add(lam_counts *to, const lam_counts *more)
{
    to->forward += more->forward;
    to->untraced += more->untraced;
    to->backward += more->backward;
    to->recomputed += more->recomputed;
    to->accepted += more->accepted;
    to->rejected += more->rejected;
    to->solves += more->solves;
}

#endif
