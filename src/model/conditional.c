/* Log-densities and draws of some columns given others (method.md 14, 15). */
#include "base/error.h"
#include "base/mem.h"
#include "base/need.h"
#include "base/random.h"
#include "model/pass.h"
#include <math.h>
#include <string.h>

lam_status lam_conditional_log_prob(const lam_model *model, const lam_eval_options *options, const lam_query *query, double *logp,
    lam_counts *counts)
{
    LAM_NEED(model, "model");
    LAM_NEED(query, "query");
    LAM_NEED_IF(query->n > 0, query->x, "x");
    LAM_NEED_IF(query->n > 0, logp, "logp");
    lam_pass pass;
    lam_counts sum = { 0 };
    LAM_TRY(lam_pass_init(&pass, model, options));
    LAM_TRY(lam_pass_set_roles(&pass, query->roles, query->n_roles, query->n));
    lam_status status = lam_pass_log_prob(&pass, query->x, query->n, logp, &sum);
    if (counts != NULL)
        *counts = sum;
    return status;
}

/* ---- draws -------------------------------------------------------------------------------------------------------- */

typedef struct draws {
    const lam_pass *pass;
    const double *x; /* [n, dim] */
    uint64_t seed;
    size_t each;     /* of a row */
    double *out, *logp;
} draws;

/* Standard normals in what moves, beside what is given; the flow's columns take theirs in their order, whatever moves. */
static void draw_row(const draws *d, size_t at, double *to)
{
    const lam_model *m = d->pass->model;
    const lam_given *g = &m->given;
    const double *x = d->x + at / d->each * g->dim;
    int from_data = d->pass->units == LAM_UNITS_DATA;
    lam_random_normal_row(d->seed, LAM_DRAW_SAMPLE, at % d->each, d->pass->first_row + at / d->each, to, g->moving);
    for (size_t i = g->moving; i-- > 0;) /* from the last on, as places ascend */
        to[g->moving_at[i]] = to[i];
    for (size_t j = 0; j < g->dim; j++)
        if (!lam_pass_moves(d->pass, at, x, j))
            to[j] = from_data ? (x[j] - m->mean[j]) / m->scale[j] : x[j];
}

static void draw(void *self, size_t first, size_t rows, double *z)
{
    const draws *d = self;
    for (size_t r = 0; r < rows; r++)
        draw_row(d, first + r, z + r * d->pass->model->dim);
}

/* Draw `at`, y [dim] and logp, to where it belongs. */
static lam_status keep_row(const draws *d, size_t at, const double *y, const double *logp)
{
    const lam_model *m = d->pass->model;
    const double *x = d->x + at / d->each * m->dim;
    int to_data = d->pass->units == LAM_UNITS_DATA;
    double *to = d->out + at * m->dim, sum = 0;
    for (size_t j = 0; j < m->dim; j++) {
        lam_role role = lam_pass_role(d->pass, at, x, j);
        to[j] = role == LAM_GIVEN ? x[j] : (double)NAN;
        if (role == LAM_MOVING)
            sum += to[j] = to_data ? y[j] * m->scale[j] + m->mean[j] : y[j];
    }
    if (logp != NULL)
        sum += d->logp[at] = *logp;
    return isfinite(sum) ? LAM_OK : lam_fail(LAM_ERR_SOLVER, "draw %zu of row %zu is not finite; the row is far outside of what the model was "
        "fitted to, or try use_double", at % d->each + 1, d->pass->first_row + at / d->each + 1);
}

static lam_status keep(void *self, size_t first, size_t rows, const double *z, const double *y, const double *logp)
{
    const draws *d = self;
    (void)z;
    for (size_t r = 0; r < rows; r++)
        LAM_TRY(keep_row(d, first + r, y + r * d->pass->model->dim, logp != NULL ? logp + r : NULL));
    return LAM_OK;
}

/* What is drawn where nobody says: the moving columns; of a model of any columns given any others what is missing. */
static lam_status usual_roles(const lam_model *model, const double *x, size_t n, unsigned char **roles)
{
    const lam_given *g = &model->given;
    if ((*roles = lam_alloc(n * g->dim + 1, 1)) == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < n * g->dim; i++) {
        int fixed = g->is_given[i % g->dim], missing = isnan(x[i]);
        (*roles)[i] = fixed ? (missing && g->any ? LAM_ABSENT : LAM_GIVEN) : g->any && !missing ? LAM_GIVEN : LAM_MOVING;
    }
    return LAM_OK;
}

/* Of draws of several flows, whose density is that of none of them. */
static lam_status mixed_log_prob(const lam_pass *pass, const draws *d, size_t n, lam_counts *counts)
{
    lam_pass of = *pass;
    size_t dim = pass->model->dim;
    int several = pass->roles != NULL && pass->n_roles > 1;
    unsigned char *roles = several ? lam_alloc(n * dim + 1, 1) : NULL;
    if (several && roles == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; several && i < n; i++)
        memcpy(roles + i * dim, pass->roles + i / pass->each * dim, dim);
    of.roles = several ? roles : pass->roles;
    of.n_roles = several ? n : pass->n_roles;
    of.each = 1;
    lam_status status = lam_pass_log_prob(&of, d->out, n, d->logp, counts);
    lam_free(roles);
    return status;
}

static lam_status sample(lam_pass *pass, draws *d, const unsigned char *roles, size_t n_roles, size_t n, lam_counts *counts)
{
    const lam_rows rows = { d, draw, keep };
    LAM_TRY(lam_pass_set_roles(pass, roles, n_roles, n));
    LAM_TRY(lam_pass_check_given(pass, d->x, n));
    pass->each = d->each;
    pass->done *= d->each, pass->total *= d->each;
    int mixed = lam_pass_flows(pass) > 1;
    LAM_TRY(lam_pass_draw(pass, d->seed, d->logp != NULL && !mixed, n * d->each, &rows, counts));
    return mixed && d->logp != NULL ? mixed_log_prob(pass, d, n * d->each, counts) : LAM_OK;
}

lam_status lam_conditional_sample(const lam_model *model, const lam_eval_options *options, uint64_t seed, const lam_query *query,
    size_t each, double *out, double *logp, lam_counts *counts)
{
    LAM_NEED(model, "model");
    LAM_NEED(query, "query");
    const double *x = query->x;
    const unsigned char *roles = query->roles;
    size_t n = query->n, n_roles = query->n_roles;
    LAM_NEED_IF(n > 0, x, "x");
    LAM_NEED_IF(n > 0 && each > 0, out, "out");
    lam_pass pass;
    lam_counts sum = { 0 };
    unsigned char *usual = NULL;
    if (each > 0 && n > SIZE_MAX / each)
        return lam_fail(LAM_ERR_ARGUMENT, "%zu draws for each of %zu rows are more than can be counted", each, n);
    LAM_TRY(lam_pass_init(&pass, model, options));
    if (roles == NULL) {
        LAM_TRY(usual_roles(model, x, n, &usual));
        roles = usual;
        n_roles = n;
    }
    draws d = { &pass, x, seed, each, out, logp };
    lam_status status = each > 0 ? sample(&pass, &d, roles, n_roles, n, &sum) : LAM_OK;
    lam_free(usual);
    if (counts != NULL)
        *counts = sum;
    return status;
}
