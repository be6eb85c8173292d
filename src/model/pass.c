/* Opens and closes a pass of many rows through a model, and chooses its first steps. */
#include "model/pass.h"
#include "base/error.h"
#include "model/setting.h"
#include <math.h>
#include <string.h>

static const double LOG_2_PI = 1.8378770664093454836;

double lam_base_log_prob(const lam_model *model, const double *z)
{
    const lam_given *g = &model->given;
    double square = 0;
    for (size_t k = 0; k < g->moving; k++)
        square += z[g->moving_at[k]] * z[g->moving_at[k]];
    return -0.5 * ((double)g->moving * LOG_2_PI + square);
}

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
    *pass = (lam_pass) { .model = model, .units = o->units, .max_steps = c->max_steps, .probe = o->probe,
        .use_double = o->use_double || c->precision == LAM_DOUBLE, .divergence = o->divergence, .probes = c->probes,
        .seed = o->seed, .batch_rows = o->batch_rows > 0 ? o->batch_rows : 1000, .threads = o->threads, .isa = o->isa,
        .progress = o->progress, .user = o->user };
    const lam_config of = lam_model_evaluation(model, o, &pass->h_star);
    pass->h_star_of = lam_config_setting(&of);
    return lam_model_setting(model, o, &pass->setting);
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

static lam_status check_cell(const lam_model *m, const double *x, size_t i, size_t j)
{
    double value = x[i * m->dim + j];
    size_t levels = m->given.levels[j];
    if (!isfinite(value))
        return lam_fail(LAM_ERR_DATA, "row %zu, column %zu (%s) is %s; drop such rows first (--drop-bad-rows)", i + 1, j + 1, m->columns[j],
            isnan(value) ? "NaN" : "infinite");
    if (levels > 0 && !(value >= 0 && value < (double)levels && value == floor(value)))
        return lam_fail(LAM_ERR_DATA, "row %zu, column %zu (%s) is %g, and the %zu levels of this column of texts are 0 to %zu", i + 1, j + 1,
            m->columns[j], value, levels, levels - 1);
    return LAM_OK;
}

lam_status lam_pass_check_rows(const lam_pass *pass, const double *x, size_t n)
{
    size_t dim = pass->model->dim;
    if (n > 0 && x == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "%zu rows were announced, and there are none", n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < dim; j++)
            LAM_TRY(check_cell(pass->model, x, i, j));
    return LAM_OK;
}

lam_status lam_pass_check_given(const lam_pass *pass, const double *x, size_t n)
{
    const lam_given *g = &pass->model->given;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < g->given; k++)
            LAM_TRY(check_cell(pass->model, x, i, g->given_at[k]));
    return LAM_OK;
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
    for (size_t k = 0; !a->forward && from_data && k < m->given.given; k++)
        for (size_t i = 0, j = m->given.given_at[k]; i < rows; i++)
            x[i * dim + j] = (from[i * dim + j] - m->mean[j]) / m->scale[j];
}

/* Given columns as they were given, not as rounding left them, in every state of a row. */
static void put_given(const arrays *a, size_t first, size_t rows, size_t states)
{
    const lam_model *m = a->pass->model;
    for (size_t k = 0; k < m->given.given; k++)
        for (size_t i = first, j = m->given.given_at[k]; i < first + rows; i++)
            for (size_t s = 0; s < states; s++)
                a->y[(i * states + s) * m->dim + j] = a->x[i * m->dim + j];
}

static lam_status take(void *self, size_t first, size_t rows, const double *x, const double *y, const double *l)
{
    const arrays *a = self;
    const lam_model *m = a->pass->model;
    (void)x;
    size_t dim = m->dim, times = a->pass->times, row = dim * (times > 0 ? m->layout.blocks * times + 1 : 1);
    int to_data = (!a->forward || times > 0) && a->pass->units == LAM_UNITS_DATA;
    for (size_t i = 0; a->y != NULL && i < rows * row; i++) {
        double value = to_data ? y[i] * m->scale[i % dim] + m->mean[i % dim] : y[i];
        if (!isfinite(value))
            return not_finite(first + i / row, "the result");
        a->y[first * row + i] = value;
    }
    int as_given = times > 0 && (m->maps == NULL || a->pass->units == LAM_UNITS_DATA);
    for (size_t i = 0; as_given && i < rows; i++) /* a way starts with the row as it was given, not as rounding left it */
        memcpy(a->y + (first + i) * row, a->x + (first + i) * dim, dim * sizeof *a->y);
    if (a->y != NULL)
        put_given(a, first, rows, row / dim);
    for (size_t i = 0; a->logp != NULL && i < rows; i++) {
        double logp = lam_base_log_prob(m, y + i * dim) - l[i] + (a->pass->units == LAM_UNITS_DATA ? m->log_det : 0);
        if (!isfinite(logp))
            return not_finite(first + i, "log p");
        a->logp[first + i] = logp;
    }
    return LAM_OK;
}

lam_status lam_pass_log_prob(const lam_pass *pass, const double *x, size_t n, double *logp, lam_counts *counts)
{
    arrays a = { .pass = pass, .forward = 1, .x = x, .logp = logp };
    const lam_rows rows = { &a, fill, take };
    if (n > 0 && logp == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "there is no room for the log-densities");
    LAM_TRY(lam_pass_check_rows(pass, x, n));
    return lam_pass_run(pass, 1, 1, n, &rows, counts);
}

lam_status lam_pass_transform(const lam_pass *pass, int forward, const double *x, size_t n, double *y, lam_counts *counts)
{
    arrays a = { .pass = pass, .forward = forward, .x = x, .y = y };
    const lam_rows rows = { &a, fill, take };
    if (n > 0 && y == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "there is no room for the transformed rows");
    LAM_TRY(lam_pass_check_rows(pass, x, n));
    return lam_pass_run(pass, forward, 0, n, &rows, counts);
}
