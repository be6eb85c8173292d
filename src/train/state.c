/* Makes and frees the state of a fit. */
#include "train/state.h"
#include "base/mem.h"
#include <math.h>
#include <string.h>

lam_status lam_fit_state_create(lam_fit_state *s, const lam_config *cfg, const lam_parameter_map *map, size_t parameters,
    size_t blocks)
{
    *s = (lam_fit_state) { .parameters = parameters, .blocks = blocks,
        .real_size = cfg->precision == LAM_DOUBLE ? sizeof(double) : sizeof(float) };
    s->best_val_se = s->best_gaussian_nll = s->best_gaussian_se = s->best_gain_se = (double)NAN;
    s->best_base_scale = 1;
    lam_schedule_init(&s->schedule);
    s->memories = lam_optimizer_memories(cfg->optimizer, map, s->memory_of);
    double **steps[] = { &s->h_train, &s->h_test, &s->best_h_train, &s->best_h_test };
    s->params = lam_alloc(parameters, s->real_size);
    s->best = lam_alloc(parameters, s->real_size);
    s->average = cfg->average ? lam_alloc(parameters, s->real_size) : NULL;
    s->start_nll = s->train_nll = (double)NAN;
    int ok = s->params != NULL && s->best != NULL && (s->average != NULL || !cfg->average);
    for (size_t i = 0; i < 4; i++)
        ok &= (*steps[i] = lam_alloc(blocks, sizeof(double))) != NULL;
    for (size_t i = 0; i < s->memories; i++)
        ok &= (s->memory[i] = lam_alloc(s->memory_of[i].count, s->real_size)) != NULL;
    if (!ok)
        lam_fit_state_clear(s);
    return ok ? LAM_OK : LAM_ERR_MEMORY;
}

void lam_fit_state_clear(lam_fit_state *s)
{
    lam_free(s->params);
    lam_free(s->best);
    lam_free(s->average);
    for (size_t i = 0; i < LAM_MEMORIES; i++)
        lam_free(s->memory[i]);
    lam_free(s->h_train);
    lam_free(s->h_test);
    lam_free(s->best_h_train);
    lam_free(s->best_h_test);
    *s = (lam_fit_state) { 0 };
}

void lam_fit_state_forget(lam_fit_state *s)
{
    for (size_t i = 0; i < s->memories; i++)
        memset(s->memory[i], 0, s->memory_of[i].count * s->real_size);
    s->updates = 0;
}

uint64_t lam_fit_state_done(const lam_fit_state *s)
{
    return s->warm + s->iteration;
}

int lam_fit_state_has_best(const lam_fit_state *s)
{
    return !isnan(s->schedule.best);
}

void lam_fit_state_mark(lam_fit_state *s)
{
    memcpy(s->best, s->params, s->parameters * s->real_size);
    memcpy(s->best_h_train, s->h_train, s->blocks * sizeof(double));
    memcpy(s->best_h_test, s->h_test, s->blocks * sizeof(double));
}

void lam_fit_state_average(lam_fit_state *s)
{
    double n = (double)s->updates, d = fmin(0.999, (1 + n) / (10 + n));
    for (size_t i = 0; s->average != NULL && i < s->parameters; i++) {
        if (s->real_size == sizeof(double)) {
            double *average = s->average, p = ((const double *)s->params)[i];
            average[i] = n <= 1 ? p : p + d * (average[i] - p);
        } else {
            float *average = s->average, p = ((const float *)s->params)[i];
            average[i] = n <= 1 ? p : p + (float)d * (average[i] - p);
        }
    }
}

void lam_fit_state_keep_best(lam_fit_state *s, const void *params)
{
    memcpy(s->best, params, s->parameters * s->real_size);
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
