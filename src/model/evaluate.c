/* Log-densities, samples, and the way to the base and back. */
#include "base/error.h"
#include "base/mem.h"
#include "base/need.h"
#include "base/random.h"
#include "model/pass.h"
#include <math.h>

lam_status lam_log_prob(const lam_model *model, const lam_eval_options *options, const double *x, size_t n, double *logp,
    lam_counts *counts)
{
    LAM_NEED(model, "model");
    LAM_NEED_IF(n > 0, x, "x");
    LAM_NEED_IF(n > 0, logp, "logp");
    return lam_conditional_log_prob(model, options, &(lam_query){ x, n, NULL, 0 }, logp, counts);
}

static lam_status transform(const lam_model *model, const lam_eval_options *options, int forward, const double *from,
    size_t n, double *to, lam_counts *counts)
{
    lam_pass pass;
    lam_counts sum = { 0 };
    LAM_TRY(lam_pass_init(&pass, model, options));
    lam_status status = lam_pass_transform(&pass, forward, from, n, to, &sum);
    if (counts != NULL)
        *counts = sum;
    return status;
}

lam_status lam_encode(const lam_model *model, const lam_eval_options *options, const double *x, size_t n, double *z,
    lam_counts *counts)
{
    LAM_NEED(model, "model");
    LAM_NEED_IF(n > 0, x, "x");
    LAM_NEED_IF(n > 0, z, "z");
    return transform(model, options, 1, x, n, z, counts);
}

lam_status lam_decode(const lam_model *model, const lam_eval_options *options, const double *z, size_t n, double *x,
    lam_counts *counts)
{
    LAM_NEED(model, "model");
    LAM_NEED_IF(n > 0, z, "z");
    LAM_NEED_IF(n > 0, x, "x");
    return transform(model, options, 0, z, n, x, counts);
}

/* ---- sampling ----------------------------------------------------------------------------------------------------- */

typedef struct draws {
    const lam_pass *pass;
    uint64_t seed;
    double *x, *logp;
} draws;

static void draw(void *self, size_t first, size_t rows, double *z)
{
    const draws *d = self;
    size_t dim = d->pass->model->dim;
    for (size_t i = 0; i < rows; i++)
        lam_random_normal_row(d->seed, LAM_DRAW_SAMPLE, 0, d->pass->first_row + first + i, z + i * dim, dim);
}

static lam_status keep(void *self, size_t first, size_t rows, const double *z, const double *y, const double *logp)
{
    (void)z;
    const draws *d = self;
    const lam_model *m = d->pass->model;
    size_t dim = m->dim;
    int to_data = d->pass->units == LAM_UNITS_DATA;
    for (size_t i = 0; i < rows; i++) {
        double *x = d->x + (first + i) * dim, sum = 0;
        for (size_t j = 0; j < dim; j++) {
            x[j] = to_data ? y[i * dim + j] * m->scale[j] + m->mean[j] : y[i * dim + j];
            if (m->given.is_given[j])
                x[j] = (double)NAN;
            else
                sum += x[j];
        }
        if (logp != NULL)
            sum += d->logp[first + i] = logp[i];
        if (!isfinite(sum))
            return lam_fail(LAM_ERR_SOLVER, "draw %zu is not finite; try use_double or tighter tolerances", d->pass->first_row + first + i + 1);
    }
    return LAM_OK;
}

lam_status lam_sample(const lam_model *model, const lam_eval_options *options, uint64_t seed, size_t n, double *x, double *logp,
    lam_counts *counts)
{
    LAM_NEED(model, "model");
    LAM_NEED_IF(n > 0, x, "x");
    lam_pass pass;
    lam_counts sum = { 0 };
    LAM_TRY(lam_pass_init(&pass, model, options));
    if (n > 0 && x == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "there is no room for the draws");
    if (model->given.given > 0 && !model->given.any)
        return lam_fail(LAM_ERR_ARGUMENT, "this model is of some columns given others, and has no draws without values for these; give them "
            "(sample --given NAME=VALUE, lam_conditional_sample)");
    draws d = { &pass, seed, x, logp };
    const lam_rows rows = { &d, draw, keep };
    unsigned char *roles = NULL; /* what a model of any columns given any others never has a density of is unknown here */
    if (model->given.masked && (roles = lam_alloc(model->dim, 1)) == NULL)
        return LAM_ERR_MEMORY;
    for (size_t j = 0; roles != NULL && j < model->dim; j++)
        roles[j] = model->given.is_given[j] ? LAM_ABSENT : LAM_MOVING;
    lam_status status = lam_pass_set_roles(&pass, roles, 1, n);
    int mixed = lam_pass_flows(&pass) > 1;
    if (status == LAM_OK)
        status = lam_pass_draw(&pass, seed, logp != NULL && !mixed, n, &rows, &sum);
    if (status == LAM_OK && logp != NULL && mixed)
        status = lam_pass_log_prob(&pass, x, n, logp, &sum);
    lam_free(roles);
    if (counts != NULL)
        *counts = sum;
    return status;
}

/* ---- trajectories ------------------------------------------------------------------------------------------------- */

static void even_times(const lam_model *m, size_t times, double *t)
{
    double before = 0;
    t[0] = 0;
    for (size_t b = 0; b < m->layout.blocks; b++) {
        double s = m->params[m->layout.time + b];
        for (size_t k = 1; k <= times; k++)
            t[b * times + k] = before + s * s * (double)k / (double)times;
        before += s * s;
    }
}

lam_status lam_trajectories(const lam_model *model, const lam_eval_options *options, const double *x, size_t n, size_t times,
    double *t, double *states, lam_counts *counts)
{
    LAM_NEED(model, "model");
    LAM_NEED_IF(n > 0, x, "x");
    LAM_NEED_IF(n > 0, states, "states");
    lam_pass pass;
    lam_counts sum = { 0 };
    LAM_TRY(lam_pass_init(&pass, model, options));
    if (times == 0 || times > LAM_TRAJECTORY_TIMES)
        return lam_fail(LAM_ERR_ARGUMENT, "trajectories at %zu times a block; 1 to %d can be had", times, LAM_TRAJECTORY_TIMES);
    pass.times = times;
    if (t != NULL)
        even_times(model, times, t);
    lam_status status = lam_pass_transform(&pass, 1, x, n, states, &sum);
    if (counts != NULL)
        *counts = sum;
    return status;
}
