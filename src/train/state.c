#include "train/state.h"
#include "base/mem.h"
#include <math.h>
#include <string.h>

lam_status lam_fit_state_create(lam_fit_state *s, size_t parameters, size_t blocks, lam_precision precision)
{
    *s = (lam_fit_state) { .parameters = parameters, .blocks = blocks,
        .real_size = precision == LAM_DOUBLE ? sizeof(double) : sizeof(float) };
    s->best_val_se = (double)NAN;
    lam_schedule_init(&s->schedule);
    void **arrays[] = { &s->params, &s->first, &s->second, &s->best };
    double **steps[] = { &s->h_train, &s->h_test, &s->best_h_train, &s->best_h_test };
    for (size_t i = 0; i < 4; i++) {
        *arrays[i] = lam_alloc(parameters, s->real_size);
        *steps[i] = lam_alloc(blocks, sizeof(double));
        if (*arrays[i] == NULL || *steps[i] == NULL) {
            lam_fit_state_clear(s);
            return LAM_ERR_MEMORY;
        }
    }
    return LAM_OK;
}

void lam_fit_state_clear(lam_fit_state *s)
{
    lam_free(s->params);
    lam_free(s->first);
    lam_free(s->second);
    lam_free(s->best);
    lam_free(s->h_train);
    lam_free(s->h_test);
    lam_free(s->best_h_train);
    lam_free(s->best_h_test);
    *s = (lam_fit_state) { 0 };
}

uint64_t lam_fit_state_done(const lam_fit_state *s)
{
    return s->warm + s->iteration;
}

int lam_fit_state_has_best(const lam_fit_state *s)
{
    return !isnan(s->schedule.best);
}

void lam_fit_state_keep_best(lam_fit_state *s)
{
    memcpy(s->best, s->params, s->parameters * s->real_size);
    memcpy(s->best_h_train, s->h_train, s->blocks * sizeof(double));
    memcpy(s->best_h_test, s->h_test, s->blocks * sizeof(double));
    s->best_iteration = s->iteration;
}

void lam_fit_state_restore_best(lam_fit_state *s)
{
    memcpy(s->params, s->best, s->parameters * s->real_size);
    memcpy(s->h_train, s->best_h_train, s->blocks * sizeof(double));
    memcpy(s->h_test, s->best_h_test, s->blocks * sizeof(double));
}
