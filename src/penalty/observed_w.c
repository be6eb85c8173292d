/* The penalties on observed states, for the loss: every one on the list by its record (observed.h), tile by tile. */
#include "penalty/observed.h"
#include "base/error.h"
#include "flow/ranks.h"
#include "ode/space.h"
#include <string.h>

size_t lam_observed_wanted(const lam_penalty *penalty, size_t i)
{
    const lam_observed_penalty *o = lam_observed_penalties[i];
    return o->times != NULL ? o->times(penalty) : penalty->observed[i] > 0 ? 2 : 0;
}

int lam_observed_of_l(const lam_penalty *penalty, size_t i)
{
    const lam_observed_penalty *o = lam_observed_penalties[i];
    return o->of_l != NULL && o->of_l(penalty);
}

/* A penalty in hand, for the block that the engine has in hand. */
typedef struct observing {
    lam_engine *e;
    const lam_penalty *penalty;
    const lam_observed_penalty *of;
    lam_observed_plan plan;
    double factor;
    int add; /* 1: cotangents of a penalty before are there */
} observing;

static lam_observed observed_tile(const observing *o, size_t tile, size_t thread)
{
    const lam_engine *e = o->e;
    lam_observed seen = { .kernels = e->kernels, .dim = e->dim, .scratch = e->space->thread[thread] + e->space->at_v };
    for (size_t j = 0; j < e->observations; j++)
        seen.state[j] = e->out[e->block * e->observations + j] + tile * e->rows * LAM_TILE;
    return seen;
}

/* Sum over the tile's rows of the penalty in hand. */
static void value_tile(void *arg, size_t tile, size_t thread)
{
    const observing *o = arg;
    lam_engine *e = o->e;
    const lam_observed seen = observed_tile(o, tile, thread);
    real *sums = e->space->thread[thread] + e->space->at_sums;
    double sum = 0;
    memset(sums, 0, LAM_TILE * sizeof *sums);
    o->of->value(o->penalty, &o->plan, &seen, sums);
    for (size_t r = 0; r < lam_batch_tile_rows(&e->batch, tile); r++)
        sum += (double)sums[r];
    e->tile_sum[tile] = sum;
}

/* Its cotangents of the observed states, beside those of penalties before; none past the batch. */
static void cotangent_tile(void *arg, size_t tile, size_t thread)
{
    const observing *o = arg;
    lam_engine *e = o->e;
    const lam_observed seen = observed_tile(o, tile, thread);
    for (size_t j = 0; j < e->observations; j++) {
        real *g = e->g_out[j] + tile * e->g_rows * LAM_TILE, *g_l = e->g_rows > e->dim ? g + e->dim * LAM_TILE : NULL;
        if (g_l != NULL && !o->add)
            memset(g_l, 0, LAM_TILE * sizeof *g_l); /* what is not of l leaves it alone */
        o->of->cotangent(o->penalty, &o->plan, &seen, j, o->factor, o->add, g, g_l);
        lam_engine_clear_past(e, tile, e->g_rows, g);
    }
}

/* Takes up penalty i on observed states for the times of the block in hand; what its values are a mean over goes to *count. */
static lam_status take_up(observing *o, size_t i, double *count)
{
    lam_engine *e = o->e;
    o->of = lam_observed_penalties[i];
    o->plan.times = e->observations;
    *count = (o->of->per_time ? (double)e->observations : 1) * (double)e->batch.rows;
    return o->of->plan != NULL ? o->of->plan(o->penalty, e->times + e->block * e->observations, &o->plan) : LAM_OK;
}

static int is_on(const lam_engine *e, const lam_penalty *penalty, size_t i)
{
    return e->observations > 1 && lam_observed_wanted(penalty, i) > 0;
}

lam_status lam_observed_values(lam_engine *e, const lam_penalty *penalty, lam_terms *terms)
{
    observing o = { .e = e, .penalty = penalty };
    for (size_t i = 0; i < LAM_OBSERVED_PENALTIES; i++) {
        double count;
        if (!is_on(e, penalty, i))
            continue;
        LAM_TRY(take_up(&o, i, &count));
        lam_engine_run(e, value_tile, &o);
        lam_ranks_add(e, 1, count, &terms->term[i].value);
    }
    return LAM_OK;
}

lam_status lam_observed_cotangents(lam_engine *e, const lam_penalty *penalty, int *any)
{
    observing o = { .e = e, .penalty = penalty };
    for (size_t i = 0; i < LAM_OBSERVED_PENALTIES; i++) {
        double count, coefficient = penalty->observed[i];
        if (!is_on(e, penalty, i) || coefficient == 0)
            continue;
        LAM_TRY(take_up(&o, i, &count));
        o.factor = coefficient / count;
        lam_engine_run(e, cotangent_tile, &o);
        o.add = 1;
    }
    *any = o.add;
    return LAM_OK;
}

lam_status lam_observed_times(const lam_engine *e, const lam_penalty *penalty, size_t *times)
{
    *times = 1;
    for (size_t i = 0; i < LAM_OBSERVED_PENALTIES; i++) {
        const lam_observed_penalty *o = lam_observed_penalties[i];
        size_t wanted = lam_observed_wanted(penalty, i);
        if (wanted == 0)
            continue;
        if (o->check != NULL)
            LAM_TRY(o->check(penalty));
        if (lam_observed_of_l(penalty, i) && !e->options.l_observed)
            return lam_fail(LAM_ERR_ARGUMENT, "a penalty on l was asked of an engine made without l_observed");
        *times = wanted > *times ? wanted : *times;
    }
    if (*times > 1 && *times > e->options.max_observations)
        return lam_fail(LAM_ERR_ARGUMENT, "%zu observation times, in an engine for %zu", *times, e->options.max_observations);
    return LAM_OK;
}
