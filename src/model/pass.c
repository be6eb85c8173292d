/* Opens and closes a pass of many rows through a model, and chooses its first steps. */
#include "model/pass.h"
#include "base/counts.h"
#include "base/error.h"
#include "base/mem.h"
#include "model/setting.h"
#include <math.h>
#include <string.h>

/* ---- options ------------------------------------------------------------------------------------------------------ */

lam_status lam_pass_init(lam_pass *pass, const lam_model *model, const lam_eval_options *options)
{
    static const lam_eval_options defaults;
    const lam_eval_options *o = options != NULL ? options : &defaults;
    if (model == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "there is no model to evaluate");
    const lam_config *c = &model->config;
    if ((unsigned)o->divergence > LAM_DIV_GAUSSIAN || (unsigned)o->units > LAM_UNITS_STANDARDISED)
        return lam_fail(LAM_ERR_ARGUMENT, "the options' divergence (%u) or units (%u) are not values of their enum",
            (unsigned)o->divergence, (unsigned)o->units);
    if (o->flow > lam_model_flows(model))
        return lam_fail(LAM_ERR_ARGUMENT, "flow %zu is asked for, and the model has %zu", o->flow, lam_model_flows(model));
    *pass = (lam_pass) { .model = model, .alone = lam_model_flows(model) == 1, .units = o->units, .max_steps = c->max_steps, .probe = o->probe,
        .use_double = o->use_double || c->precision == LAM_DOUBLE, .divergence = o->divergence, .probes = c->probes,
        .seed = o->seed, .batch_rows = o->batch_rows > 0 ? o->batch_rows : 1000, .threads = lam_comm_threads(o->comm, o->threads), .isa = o->isa,
        .progress = o->progress, .user = o->user, .each = 1, .done = o->first_row, .total = o->total_rows, .first_row = o->first_row,
        .comm = o->comm };
    const lam_config of = lam_model_evaluation(model, o, &pass->h_star);
    pass->h_star_of = lam_config_setting(&of);
    LAM_TRY(lam_model_setting(model, o, &pass->setting));
    if (o->flow > 0)
        lam_pass_take_flow(pass, o->flow - 1);
    return LAM_OK;
}

double lam_pass_first_step(const lam_pass *pass, size_t block)
{
    return lam_setting_first_step(&pass->model->config, &pass->setting, pass->h_star[block], &pass->h_star_of,
        pass->model->h_star_train[block]);
}

lam_status lam_pass_run(const lam_pass *pass, int forward, int with_l, size_t n, const lam_rows *rows, lam_counts *counts)
{
    if (n == 0)
        return LAM_OK;
    LAM_TRY(lam_pass_need_one(pass));
    return pass->use_double ? lam_pass_solve_f64(pass, forward, with_l, n, rows, counts)
                            : lam_pass_solve_f32(pass, forward, with_l, n, rows, counts);
}

/* ---- arrays ------------------------------------------------------------------------------------------------------- */

typedef struct arrays {
    const lam_pass *pass;
    int forward;
    const double *x;    /* [n, dim] */
    double *y, *logp;   /* [n, dim] (the whole way: [n, path, dim]) or NULL, [n] or NULL */
} arrays;

/* ---- roles -------------------------------------------------------------------------------------------------------- */

lam_role lam_pass_role(const lam_pass *pass, size_t row, const double *x, size_t j)
{
    const lam_given *g = &pass->model->given;
    if (pass->roles != NULL && g->masked)
        return (lam_role)pass->roles[(pass->n_roles == 1 ? 0 : row / pass->each) * g->dim + j];
    return g->masked && isnan(x[j]) ? LAM_ABSENT : (lam_role)g->usual[j];
}

int lam_pass_moves(const lam_pass *pass, size_t row, const double *x, size_t j)
{
    return lam_pass_role(pass, row, x, j) == LAM_MOVING;
}

/* Is the model one for that role of its column j? */
static int takes(const lam_given *g, size_t j, unsigned role)
{
    if (role == LAM_ABSENT)
        return g->any || (g->absent && !g->is_given[j]);
    if (role == LAM_GIVEN)
        return g->any || g->is_given[j];
    return role == LAM_MOVING && !g->is_given[j];
}

lam_status lam_pass_set_roles(lam_pass *pass, const unsigned char *roles, size_t n_roles, size_t n)
{
    static const char *const words[] = { "absent", "given", "moving" };
    const lam_model *m = pass->model;
    pass->roles = roles;
    pass->n_roles = n_roles;
    pass->each = 1;
    if (roles == NULL)
        return LAM_OK;
    if (n_roles != 1 && n_roles != n)
        return lam_fail(LAM_ERR_ARGUMENT, "%zu rows of roles for %zu rows; give one for all, or one for each", n_roles, n);
    for (size_t i = 0; i < n_roles * m->dim; i++) {
        size_t j = i % m->dim;
        if (roles[i] > LAM_MOVING)
            return lam_fail(LAM_ERR_ARGUMENT, "row %zu of the roles, column %zu (%s): %u is no role", i / m->dim + 1, j + 1, m->columns[j],
                (unsigned)roles[i]);
        if (!takes(&m->given, j, roles[i]))
            return lam_fail(LAM_ERR_ARGUMENT, "column %zu (%s) is to be %s, and this model was fitted with it %s; fit one for that split "
                "(given), or for any (any-given)", j + 1, m->columns[j], words[roles[i]], words[lam_model_role(m, j)]);
    }
    return LAM_OK;
}

/* standardised: the cell is as the flow or its context takes it; code: it is one of the base density's. Row i + 1 is told. */
static lam_status check_cell(const lam_model *m, double value, size_t i, size_t j, int standardised, int code)
{
    const double farthest = 1e30; /* in standard deviations: what a net makes of such numbers is beyond a float */
    double z = standardised || code ? value : (value - m->mean[j]) / m->scale[j];
    size_t levels = m->given.levels[j];
    if (!isfinite(value))
        return lam_fail(LAM_ERR_DATA, "row %zu, column %zu (%s) is %s; leave such rows out (--drop-bad-rows, where a command has it)%s", i + 1, j + 1, m->columns[j],
            isnan(value) ? "NaN" : "infinite", isnan(value) && !m->given.any ? ", or fit a model that takes rows with missing cells (--any-given)" : "");
    if (levels > 0 && !(value >= 0 && value < (double)levels && value == floor(value)))
        return lam_fail(LAM_ERR_DATA, "row %zu, column %zu (%s) is %g, and the %zu levels of this column of texts are 0 to %zu", i + 1, j + 1,
            m->columns[j], value, levels, levels - 1);
    if (!(fabs(z) < farthest) && code)
        return lam_fail(LAM_ERR_DATA, "row %zu, column %zu is %g, where a code of the base density is a number about 0 with a standard deviation of 1",
            i + 1, j + 1, value);
    if (!(fabs(z) < farthest))
        return lam_fail(LAM_ERR_DATA, "row %zu, column %zu (%s) is %g: that is %.1e standard deviations from the mean of the training rows, which no "
            "model can take; correct or leave out such rows", i + 1, j + 1, m->columns[j], value, fabs(z));
    return LAM_OK;
}

/* Those that are given, and with `moving` those that move, which are codes of the base where `codes` is 1. */
static lam_status check_cells(const lam_pass *pass, const double *x, size_t n, int moving, int codes)
{
    size_t dim = pass->model->dim;
    const lam_given *g = &pass->model->given;
    if (n > 0 && x == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "%zu rows were announced, and there are none", n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < dim; j++) {
            lam_role role = lam_pass_role(pass, i * pass->each, x + i * dim, j);
            int fixed = g->is_given[j] && !g->any; /* it is never absent */
            if (fixed || (role == LAM_MOVING && moving) || role == LAM_GIVEN)
                LAM_TRY(check_cell(pass->model, x[i * dim + j], pass->first_row + i, j, pass->units == LAM_UNITS_STANDARDISED, codes && role == LAM_MOVING));
        }
    return LAM_OK;
}

lam_status lam_pass_check_rows(const lam_pass *pass, const double *x, size_t n)
{
    return check_cells(pass, x, n, 1, 0);
}

lam_status lam_pass_check_given(const lam_pass *pass, const double *x, size_t n)
{
    return check_cells(pass, x, n, 0, 0);
}

lam_status lam_pass_check_question(const lam_model *model, const lam_eval_options *options, const double *x, const unsigned char *roles,
    size_t n_roles, size_t n, int moving)
{
    lam_pass pass;
    LAM_TRY(lam_pass_init(&pass, model, options));
    LAM_TRY(lam_pass_set_roles(&pass, roles, n_roles, n));
    return check_cells(&pass, x, n, moving, 0);
}

lam_status lam_fail_nothing_asked(size_t row)
{
    return lam_fail(LAM_ERR_DATA, "row %zu: every column whose density is asked is missing; leave such rows out of the data (--drop-bad-rows leaves out "
        "all rows with a missing cell, also in other columns)", row + 1);
}

lam_status lam_fail_in_part(lam_status status, size_t first)
{
    int names_rows = status == LAM_ERR_DATA || status == LAM_ERR_SOLVER || status == LAM_ERR_ARGUMENT;
    return first == 0 || !names_rows ? status : lam_fail_in(status, "row 1 in this message is row %zu of the data", first + 1);
}

static lam_status not_finite(size_t row, const char *what)
{
    return lam_fail(LAM_ERR_SOLVER, "row %zu: %s is not finite; the row is far outside of what the model was fitted to, or try "
        "use_double", row + 1, what);
}

static void fill(void *self, size_t first, size_t rows, double *x)
{
    const arrays *a = self;
    const lam_model *m = a->pass->model;
    size_t dim = m->dim;
    const double *from = a->x + first * dim;
    int from_data = a->pass->units == LAM_UNITS_DATA;
    if (!a->forward || !from_data)
        memcpy(x, from, rows * dim * sizeof *x);
    for (size_t i = 0; a->forward && from_data && i < rows * dim; i++)
        x[i] = (from[i] - m->mean[i % dim]) / m->scale[i % dim];
    for (size_t i = 0; !a->forward && from_data && i < rows * dim; i++)
        if (!lam_pass_moves(a->pass, first + i / dim, from + i / dim * dim, i % dim))
            x[i] = (from[i] - m->mean[i % dim]) / m->scale[i % dim];
}

/* What does not move is as it was given, not as rounding left it. */
static lam_status take_value(const arrays *a, size_t row, size_t j, double y, double *to)
{
    const lam_model *m = a->pass->model;
    const double *x = a->x + row * m->dim;
    int to_data = (!a->forward || a->pass->times > 0) && a->pass->units == LAM_UNITS_DATA;
    if (!lam_pass_moves(a->pass, row, x, j)) {
        *to = x[j];
        return LAM_OK;
    }
    *to = to_data ? y * m->scale[j] + m->mean[j] : y;
    return isfinite(*to) ? LAM_OK : not_finite(a->pass->first_row + row, "the result");
}

static lam_status take(void *self, size_t first, size_t rows, const double *x, const double *y, const double *logp)
{
    const arrays *a = self;
    const lam_model *m = a->pass->model;
    (void)x;
    size_t dim = m->dim, times = a->pass->times, row = dim * (times > 0 ? m->layout.blocks * times + 1 : 1);
    for (size_t i = 0; a->y != NULL && i < rows * row; i++)
        LAM_TRY(take_value(a, first + i / row, i % dim, y[i], &a->y[first * row + i]));
    int as_given = times > 0 && ((m->maps == NULL && m->whitening == NULL) || a->pass->units == LAM_UNITS_DATA);
    for (size_t i = 0; as_given && i < rows; i++) /* a way starts with the row as it was given, not as rounding left it */
        memcpy(a->y + (first + i) * row, a->x + (first + i) * dim, dim * sizeof *a->y);
    for (size_t i = 0; a->logp != NULL && i < rows; i++) {
        if (!isfinite(logp[i]))
            return not_finite(a->pass->first_row + first + i, "log p");
        a->logp[first + i] = logp[i];
    }
    return LAM_OK;
}

/* The first row of a rank's batches; that of the rank behind the last one is the number of rows. */
static size_t first_row_of(const lam_pass *pass, size_t n, size_t rank)
{
    size_t batches = (n + pass->batch_rows - 1) / pass->batch_rows, row = rank * batches / pass->comm->size * pass->batch_rows;
    return row < n ? row : n;
}

/* Each rank does a range of the batches, which know nothing of each other, and gets what the others have. */
static lam_status share_log_prob(const lam_pass *pass, size_t n, const lam_rows *rows, double *logp, lam_counts *counts)
{
    const lam_comm *comm = pass->comm;
    lam_pass own = *pass;
    lam_counts *of = lam_alloc(comm->size, sizeof *of);
    if (of == NULL)
        return LAM_ERR_MEMORY;
    own.from = first_row_of(pass, n, comm->rank);
    own.until = first_row_of(pass, n, comm->rank + 1);
    own.total = pass->total > 0 ? pass->total : own.until;
    lam_status status = own.until > own.from ? lam_pass_run(&own, 1, 1, n, rows, &of[comm->rank]) : LAM_OK;
    status = lam_comm_agree(comm, status);
    for (size_t r = 0; r < comm->size; r++) {
        comm->at[r] = first_row_of(pass, n, r) * sizeof *logp;
        comm->bytes[r] = first_row_of(pass, n, r + 1) * sizeof *logp - comm->at[r];
    }
    if (status == LAM_OK)
        comm->exchange(comm->self, logp, comm->at, comm->bytes);
    for (size_t r = 0; r < comm->size; r++) {
        comm->at[r] = r * sizeof *of;
        comm->bytes[r] = sizeof *of;
    }
    comm->exchange(comm->self, of, comm->at, comm->bytes);
    for (size_t r = 0; r < comm->size; r++)
        lam_counts_add(counts, &of[r]);
    lam_free(of);
    return status;
}

lam_status lam_pass_log_prob(const lam_pass *pass, const double *x, size_t n, double *logp, lam_counts *counts)
{
    arrays a = { .pass = pass, .forward = 1, .x = x, .logp = logp };
    const lam_rows rows = { &a, fill, take };
    if (n > 0 && logp == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "there is no room for the log-densities");
    LAM_TRY(lam_pass_check_rows(pass, x, n));
    if (n > 0 && lam_pass_flows(pass) > 1)
        return lam_pass_mix(pass, x, n, logp, counts);
    if (n > 0 && lam_comm_is_several(pass->comm) && pass->learned == NULL)
        return share_log_prob(pass, n, &rows, logp, counts);
    return lam_pass_run(pass, 1, 1, n, &rows, counts);
}

lam_status lam_pass_transform(const lam_pass *pass, int forward, const double *x, size_t n, double *y, lam_counts *counts)
{
    arrays a = { .pass = pass, .forward = forward, .x = x, .y = y };
    const lam_rows rows = { &a, fill, take };
    if (n > 0 && y == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "there is no room for the transformed rows");
    LAM_TRY(check_cells(pass, x, n, 1, !forward));
    return lam_pass_run(pass, forward, 0, n, &rows, counts);
}
