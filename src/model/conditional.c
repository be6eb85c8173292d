/* Log-densities and draws of some columns given others (method.md 14). */
#include "base/error.h"
#include "base/need.h"
#include "base/random.h"
#include "model/pass.h"
#include <math.h>

/* A model whose split is fixed has its own roles, and no others. */
static lam_status check_roles(const lam_model *model, const unsigned char *roles, size_t n_roles, size_t n)
{
    static const char *const words[] = { "absent", "given", "moving" };
    if (roles == NULL)
        return LAM_OK;
    if (n_roles != 1 && n_roles != n)
        return lam_fail(LAM_ERR_ARGUMENT, "%zu rows of roles for %zu rows; give one for all, or one for each", n_roles, n);
    for (size_t i = 0; i < n_roles * model->dim; i++) {
        size_t j = i % model->dim;
        lam_role own = lam_model_role(model, j);
        if (roles[i] > LAM_MOVING)
            return lam_fail(LAM_ERR_ARGUMENT, "row %zu of the roles, column %zu (%s): %u is no role", i / model->dim + 1, j + 1,
                model->columns[j], (unsigned)roles[i]);
        if (roles[i] != own)
            return lam_fail(LAM_ERR_ARGUMENT, "column %zu (%s) is to be %s, and this model was fitted with it %s (given: its columns); "
                "fit one for that split", j + 1, model->columns[j], words[roles[i]], words[own]);
    }
    return LAM_OK;
}

lam_status lam_conditional_log_prob(const lam_model *model, const lam_eval_options *options, const double *x,
    const unsigned char *roles, size_t n_roles, size_t n, double *logp, lam_counts *counts)
{
    LAM_NEED(model, "model");
    LAM_NEED_IF(n > 0, x, "x");
    LAM_NEED_IF(n > 0, logp, "logp");
    LAM_TRY(check_roles(model, roles, n_roles, n));
    return lam_log_prob(model, options, x, n, logp, counts);
}

/* ---- draws -------------------------------------------------------------------------------------------------------- */

typedef struct draws {
    const lam_pass *pass;
    const double *x; /* [n, dim] */
    uint64_t seed;
    size_t each;     /* of a row */
    double *out, *logp;
} draws;

/* Standard normals in the moving columns, beside what is given. */
static void draw(void *self, size_t first, size_t rows, double *z)
{
    const draws *d = self;
    const lam_model *m = d->pass->model;
    const lam_given *g = &m->given;
    int from_data = d->pass->units == LAM_UNITS_DATA;
    for (size_t r = 0; r < rows; r++) {
        size_t row = (first + r) / d->each, k = (first + r) % d->each;
        double *to = z + r * g->dim;
        lam_random_normal_row(d->seed, LAM_DRAW_SAMPLE, k, row, to, g->moving);
        for (size_t i = g->moving; i-- > 0;) /* from the last on, as places ascend */
            to[g->moving_at[i]] = to[i];
        for (size_t i = 0; i < g->given; i++) {
            size_t j = g->given_at[i];
            double value = d->x[row * g->dim + j];
            to[j] = from_data ? (value - m->mean[j]) / m->scale[j] : value;
        }
    }
}

static lam_status keep(void *self, size_t first, size_t rows, const double *z, const double *y, const double *l)
{
    const draws *d = self;
    const lam_model *m = d->pass->model;
    int to_data = d->pass->units == LAM_UNITS_DATA;
    for (size_t r = 0; r < rows; r++) {
        size_t at = first + r, row = at / d->each;
        double *to = d->out + at * m->dim, sum = 0;
        for (size_t j = 0; j < m->dim; j++)
            to[j] = d->x[row * m->dim + j];
        for (size_t i = 0; i < m->given.moving; i++) {
            size_t j = m->given.moving_at[i];
            to[j] = to_data ? y[r * m->dim + j] * m->scale[j] + m->mean[j] : y[r * m->dim + j];
            sum += to[j];
        }
        if (l != NULL) /* the way led from the base: l is minus what it is on the way there */
            sum += d->logp[at] = lam_base_log_prob(m, z + r * m->dim) + l[r] + (to_data ? m->log_det : 0);
        if (!isfinite(sum))
            return lam_fail(LAM_ERR_SOLVER, "draw %zu of row %zu is not finite; the row is far outside of what the model was fitted to, or "
                "try use_double", at % d->each + 1, row + 1);
    }
    return LAM_OK;
}

lam_status lam_conditional_sample(const lam_model *model, const lam_eval_options *options, uint64_t seed, const double *x,
    const unsigned char *roles, size_t n_roles, size_t n, size_t each, double *out, double *logp, lam_counts *counts)
{
    LAM_NEED(model, "model");
    LAM_NEED_IF(n > 0, x, "x");
    LAM_NEED_IF(n > 0 && each > 0, out, "out");
    lam_pass pass;
    lam_counts sum = { 0 };
    LAM_TRY(check_roles(model, roles, n_roles, n));
    if (each > 0 && n > SIZE_MAX / each)
        return lam_fail(LAM_ERR_ARGUMENT, "%zu draws for each of %zu rows are more than can be counted", each, n);
    LAM_TRY(lam_pass_init(&pass, model, options));
    LAM_TRY(lam_pass_check_given(&pass, x, n));
    draws d = { &pass, x, seed, each, out, logp };
    const lam_rows rows = { &d, draw, keep };
    lam_status status = lam_pass_run(&pass, 0, logp != NULL, n * each, &rows, &sum);
    if (counts != NULL)
        *counts = sum;
    return status;
}
