/* Which steps the solves of a model take on some rows. */
#include "base/batch.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/need.h"
#include "laminar/measure.h"
#include "model/pass.h"
#include <math.h>

static lam_status check_setting(const lam_pass *pass)
{
    const lam_model *m = pass->model;
    if (pass->setting.steps == 0 && pass->setting.trace_points > 0)
        return lam_fail(LAM_ERR_ARGUMENT, "this model computes the trace at %zu points per block, apart from the solver's steps, which then say nothing about the "
            "log-density; give tolerances (atol, rtol), by which it computes the trace at every stage", pass->setting.trace_points);
    if (pass->setting.steps == 0)
        return LAM_OK;
    if (lam_model_tuning(m, NULL))
        return lam_fail(LAM_ERR_ARGUMENT, "this model was tuned to even steps, which no error estimate controls; the fit's own setting (as-fitted), or "
            "tolerances (atol, rtol), choose their steps");
    return lam_fail(LAM_ERR_ARGUMENT, "this model takes even steps of %s, which no error estimate controls: there is nothing to see but their number, %zu",
        pass->setting.solver, pass->setting.steps);
}

/* Solves, and takes the steps out of the log. */
static lam_status solve(lam_pass *pass, const double *x, size_t n, lam_steps *steps)
{
    lam_step_log log = { 0 };
    double *logp = lam_alloc(n, sizeof *logp);
    lam_status status = logp == NULL ? LAM_ERR_MEMORY : LAM_OK;
    pass->log = &log;
    if (status == LAM_OK)
        status = lam_pass_log_prob(pass, x, n, logp, &steps->counts);
    steps->step = log.step;
    steps->n = log.n;
    lam_free(logp);
    return status;
}

static lam_status fill(lam_pass *pass, const double *x, size_t n, lam_steps *steps)
{
    const lam_model *m = pass->model;
    steps->blocks = m->layout.blocks;
    steps->rows = n;
    steps->setting = pass->setting;
    if ((steps->end = lam_alloc(steps->blocks, sizeof *steps->end)) == NULL)
        return LAM_ERR_MEMORY;
    for (size_t b = 0; b < steps->blocks; b++) {
        double s = m->params[m->layout.time + b];
        steps->end[b] = s * s;
    }
    return solve(pass, x, n, steps);
}

lam_status lam_measure_steps(const lam_model *model, const lam_eval_options *options, const double *x, size_t n, lam_steps **out)
{
    LAM_NEED(out, "out");
    *out = NULL;
    LAM_NEED(model, "model");
    LAM_NEED(x, "x");
    lam_pass pass;
    LAM_TRY(lam_pass_init(&pass, model, options));
    pass.comm = NULL;
    if (n == 0)
        return lam_fail(LAM_ERR_ARGUMENT, "there are no rows to solve");
    LAM_TRY(lam_pass_need_one(&pass));
    LAM_TRY(check_setting(&pass));
    if (model->config.step_control == LAM_CONTROL_TILE)
        pass.batch_rows = LAM_TILE_ROWS; /* as one engine of the pass then solves one tile at a time, in the order of the log */
    lam_steps *steps = lam_alloc(1, sizeof *steps);
    lam_status status = steps == NULL ? LAM_ERR_MEMORY : fill(&pass, x, n, steps);
    if (status != LAM_OK)
        lam_steps_free(steps);
    else
        *out = steps;
    return status;
}

void lam_steps_free(lam_steps *steps)
{
    if (steps == NULL)
        return;
    lam_free(steps->step);
    lam_free(steps->end);
    lam_free(steps);
}

lam_status lam_steps_of_block(const lam_steps *steps, size_t block, lam_block_steps *out)
{
    LAM_NEED(steps, "steps");
    LAM_NEED(out, "out");
    if (block >= steps->blocks)
        return lam_fail(LAM_ERR_ARGUMENT, "block %zu of a model of %zu", block + 1, steps->blocks);
    lam_block_steps o = { .shortest = (double)NAN, .longest = (double)NAN, .allowed_z = (double)NAN, .allowed_l = (double)NAN };
    double z = 0, l = 0;
    for (size_t i = 0; i < steps->n; i++) {
        const lam_step *s = &steps->step[i];
        if (s->block != block)
            continue;
        if (!s->accepted) {
            o.rejected++;
            continue;
        }
        o.accepted++;
        o.shortest = fmin(o.shortest, s->h); /* fmin takes the number where the other is NaN */
        o.longest = fmax(o.longest, s->h);
        o.allowed_z = fmin(o.allowed_z, s->allowed_z);
        o.allowed_l = fmin(o.allowed_l, s->allowed_l);
        z += s->error_z * s->error_z;
        l += s->error_l * s->error_l;
        o.l_decides += s->error_l > s->error_z;
    }
    o.error_z = sqrt(z / (double)o.accepted);
    o.error_l = sqrt(l / (double)o.accepted);
    *out = o;
    return LAM_OK;
}
