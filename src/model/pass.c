#include "model/pass.h"
#include "base/error.h"
#include "model/setting.h"
#include <math.h>
#include <string.h>

static const double LOG_2_PI = 1.8378770664093454836;

double lam_base_log_prob(const double *z, size_t dim)
{
    double square = 0;
    for (size_t j = 0; j < dim; j++)
        square += z[j] * z[j];
    return -0.5 * ((double)dim * LOG_2_PI + square);
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

lam_status lam_pass_check_rows(const lam_pass *pass, const double *x, size_t n)
{
    size_t dim = pass->model->layout.field.dim;
    if (n > 0 && x == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "%zu rows were announced, and there are none", n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < dim; j++)
            if (!isfinite(x[i * dim + j]))
                return lam_fail(LAM_ERR_DATA, "row %zu, column %zu (%s) is %s; drop such rows first (--drop-bad-rows)", i + 1, j + 1,
                    pass->model->columns[j], isnan(x[i * dim + j]) ? "NaN" : "infinite");
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
    size_t dim = m->layout.field.dim;
    const double *from = a->x + first * dim;
    if (!a->forward || a->pass->units == LAM_UNITS_STANDARDISED) {
        memcpy(x, from, rows * dim * sizeof *x);
        return;
    }
    for (size_t i = 0; i < rows * dim; i++)
        x[i] = (from[i] - m->mean[i % dim]) / m->scale[i % dim];
}

static lam_status take(void *self, size_t first, size_t rows, const double *x, const double *y, const double *l)
{
    const arrays *a = self;
    const lam_model *m = a->pass->model;
    (void)x;
    size_t dim = m->layout.field.dim, times = a->pass->times, row = dim * (times > 0 ? m->layout.blocks * times + 1 : 1);
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
    for (size_t i = 0; a->logp != NULL && i < rows; i++) {
        double logp = lam_base_log_prob(y + i * dim, dim) - l[i] + (a->pass->units == LAM_UNITS_DATA ? m->log_det : 0);
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
