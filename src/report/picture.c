/* lam_picture_write: what is asked, the draws, the ranges; then the kind of picture. */
#include "report/picture.h"
#include "base/error.h"
#include "base/need.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "data/mapped.h"
#include "report/plot.h"
#include "report/spread.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- what is asked ------------------------------------------------------------------------------------------------ */

static lam_status check_models(const lam_picture_model *models, size_t n)
{
    if (models == NULL || n == 0 || n > LAM_PICTURE_MODELS)
        return lam_fail(LAM_ERR_ARGUMENT, "a picture of %zu models; 1 to %d can be drawn", n, LAM_PICTURE_MODELS);
    for (size_t i = 0; i < n; i++) {
        if (models[i].model == NULL || models[i].name == NULL || !lam_utf8_valid(models[i].name))
            return lam_fail(LAM_ERR_ARGUMENT, "model %zu of the picture is missing, has no name, or one that is not UTF-8", i + 1);
        if (lam_model_dim(models[i].model) != lam_model_dim(models[0].model))
            return lam_fail(LAM_ERR_SHAPE, "%s has %zu columns, %s has %zu; one picture shows models of the same data", models[0].name,
                lam_model_dim(models[0].model), models[i].name, lam_model_dim(models[i].model));
    }
    return LAM_OK;
}

static lam_status check_data(const lam_table *data, const lam_picture_model *first)
{
    size_t dim = lam_model_dim(first->model);
    if (data == NULL)
        return LAM_OK;
    LAM_TRY(lam_table_is_here(data));
    if (data->cols != dim)
        return lam_fail(LAM_ERR_SHAPE, "the data has %zu columns, %s has %zu", data->cols, first->name, dim);
    if (data->rows == 0)
        return lam_fail(LAM_ERR_DATA, "the data has no rows");
    for (size_t i = 0; i < data->rows * dim; i++)
        if (!isfinite(data->values[i]))
            return lam_fail(LAM_ERR_DATA, "row %zu, column %zu (%s) of the data is %s; drop such rows first (--drop-bad-rows)",
                i / dim + 1, i % dim + 1, data->names[i % dim], isnan(data->values[i]) ? "NaN" : "infinite");
    return LAM_OK;
}

static lam_status check_range(const char *what, size_t value, size_t least, size_t most)
{
    if (value < least || value > most)
        return lam_fail(LAM_ERR_ARGUMENT, "%s: %zu is not within %zu to %zu", what, value, least, most);
    return LAM_OK;
}

/* A column that is given whatever is asked has no density and no draws. */
static lam_status check_joint(const lam_picture *p)
{
    for (size_t m = 0; m < p->n_models; m++)
        for (size_t j = 0; j < p->dim; j++)
            if (lam_model_role(p->models[m].model, j) == LAM_GIVEN)
                return lam_fail(LAM_ERR_ARGUMENT, "%s has no density of all its columns to draw, as it is given %s; `laminar plot` draws it at values of the given "
                    "columns (--given, --against)", p->models[m].name, lam_model_column(p->models[m].model, j));
    return LAM_OK;
}

static lam_status check_columns(const lam_picture *p)
{
    LAM_TRY(check_joint(p));
    LAM_TRY(check_range("columns of a picture", p->n_columns, 1, LAM_PICTURE_MOST_COLUMNS));
    for (size_t i = 0; i < p->n_columns; i++) {
        if (p->columns[i] >= p->dim)
            return lam_fail(LAM_ERR_ARGUMENT, "column %zu of the picture: the model has %zu", p->columns[i] + 1, p->dim);
        if (!lam_utf8_valid(lam_model_column(p->models[0].model, p->columns[i])))
            return lam_fail(LAM_ERR_DATA, "the name of column %zu is not UTF-8; name it otherwise in the file, and fit again",
                p->columns[i] + 1);
        for (size_t j = 0; j < i; j++)
            if (p->columns[j] == p->columns[i])
                return lam_fail(LAM_ERR_ARGUMENT, "column %zu is asked for twice", p->columns[i] + 1);
    }
    return LAM_OK;
}

static lam_status check_options(const lam_picture *p)
{
    LAM_TRY(check_range("draws", p->o.draws, 10, 10000000));
    LAM_TRY(check_range("points", p->o.points, 1, 1000000));
    LAM_TRY(check_range("paths", p->o.paths, 1, 1000));
    LAM_TRY(check_range("grid", p->o.grid, 2, 2000));
    LAM_TRY(check_range("panels", p->o.panels, 1, LAM_PICTURE_DENSITY | LAM_PICTURE_DRAWS | LAM_PICTURE_PATHS));
    if ((unsigned)p->o.scale > LAM_PICTURE_LOG)
        return lam_fail(LAM_ERR_ARGUMENT, "the scale of a picture (%u) is not a value of its enum", (unsigned)p->o.scale);
    return check_columns(p);
}

/* ---- what the kinds share ----------------------------------------------------------------------------------------- */

void lam_picture_say(lam_picture *p, const char *format, ...)
{
    size_t n = strlen(p->note);
    va_list args;
    va_start(args, format);
    vsnprintf(p->note + n, sizeof p->note - n, format, args);
    va_end(args);
}

static int report_progress(void *user, size_t done, size_t total)
{
    const lam_picture *p = user;
    (void)total;
    size_t all = p->done + done < p->total ? p->done + done : p->total;
    return p->asked.progress != NULL ? p->asked.progress(p->asked.user, all, p->total) : 0;
}

void lam_picture_done(lam_picture *p, size_t rows)
{
    p->done += rows;
}

lam_series lam_picture_look(const lam_picture *p, size_t model)
{
    static const size_t colours[LAM_PICTURE_MODELS] = { 0, 2, 3, 4, 5, 6 };
    static const lam_line_style lines[LAM_PICTURE_MODELS] = { LAM_LINE_SOLID, LAM_LINE_DASHED, LAM_LINE_DASHDOT, LAM_LINE_DOTTED,
        LAM_LINE_SOLID, LAM_LINE_DASHED };
    return (lam_series) { .name = p->names[model], .colour = colours[model], .line = lines[model] };
}

size_t lam_picture_thin(const double *from, size_t dim, size_t n, size_t most, double *to)
{
    size_t shown = n < most ? n : most;
    for (size_t i = 0; i < shown; i++)
        to[i] = from[i * n / shown * dim];
    return shown;
}

void lam_picture_label(const lam_picture *p, size_t column, int units, char label[300])
{
    const char *name = lam_model_column(p->models[0].model, column);
    int number = name[strspn(name, "0123456789")] == '\0';
    snprintf(label, 300, "%s%.250s%s", number ? "column " : "", name, units ? ", data units" : "");
}

size_t lam_picture_outside(const lam_picture *p, const double *rows, size_t n)
{
    size_t outside = 0;
    for (size_t i = 0; i < n; i++) {
        int is_out = 0;
        for (size_t j = 0; j < p->n_columns; j++) {
            double x = rows[i * p->dim + p->columns[j]];
            is_out |= x < p->ranges[j][0] || x > p->ranges[j][1];
        }
        outside += (size_t)is_out;
    }
    return outside;
}

/* ---- draws, titles, ranges ---------------------------------------------------------------------------------------- */

static lam_status draw(lam_picture *p)
{
    for (size_t m = 0; m < p->n_models; m++) {
        if ((p->draws[m] = lam_alloc(p->o.draws * p->dim, sizeof(double))) == NULL)
            return LAM_ERR_MEMORY;
        lam_status status = lam_sample(p->models[m].model, &p->eval, p->o.seed, p->o.draws, p->draws[m], NULL, NULL);
        if (status != LAM_OK)
            return lam_fail_in(status, "drawing from %s", p->models[m].name);
        lam_picture_done(p, p->o.draws);
    }
    return LAM_OK;
}

/* Rows that stand for all: the data's, without data the first model's draws. */
static const double *some_rows(const lam_picture *p, size_t *n)
{
    *n = p->data != NULL ? p->rows : p->o.draws;
    return p->data != NULL ? p->data : p->draws[0];
}

/* Evaluations of f per batch, summed over the blocks, are those of scoring, as `laminar score` counts them. */
static lam_status make_titles(lam_picture *p)
{
    size_t n, scored;
    const double *rows = some_rows(p, &n);
    scored = n < LAM_PICTURE_SCORED ? n : LAM_PICTURE_SCORED;
    double *x = lam_alloc(scored * p->dim, sizeof *x), *logp = lam_alloc(scored, sizeof *logp);
    lam_status status = x == NULL || logp == NULL ? LAM_ERR_MEMORY : LAM_OK;
    for (size_t i = 0; status == LAM_OK && i < scored; i++)
        memcpy(x + i * p->dim, rows + i * n / scored * p->dim, p->dim * sizeof *x);
    for (size_t m = 0; status == LAM_OK && m < p->n_models; m++) {
        lam_counts counts = { 0 };
        const lam_picture_model *model = &p->models[m];
        status = lam_log_prob(model->model, &p->eval, x, scored, logp, &counts);
        if (status != LAM_OK)
            lam_fail_in(status, "scoring with %s", model->name);
        lam_picture_done(p, scored);
        char penalties[128];
        const lam_config *cfg = lam_model_config(model->model);
        lam_config_penalties(cfg, penalties);
        snprintf(p->facts[m], sizeof p->facts[m], "penalty: %.60s, %.1f evaluations of f per batch%s", penalties,
            counts.solves > 0 ? (double)counts.forward / (double)counts.solves * lam_config_number(cfg, "blocks") : 0,
            lam_model_tuning(model->model, NULL) ? ", tuned" : "");
        snprintf(p->names[m], sizeof p->names[m], "%s: %s", model->name, p->facts[m]);
    }
    lam_free(x);
    lam_free(logp);
    return status;
}

/* Of all that will be shown, so that every panel of a column has the same limits. */
static lam_status find_ranges(lam_picture *p)
{
    size_t n = p->n_models * p->o.draws > p->rows ? p->n_models * p->o.draws : p->rows;
    double *values = lam_alloc(n, sizeof *values);
    if (values == NULL)
        return LAM_ERR_MEMORY;
    for (size_t j = 0; j < p->n_columns; j++) {
        double *range = p->ranges[j], of_data[2];
        size_t column = p->columns[j];
        for (size_t m = 0; m < p->n_models; m++)
            for (size_t i = 0; i < p->o.draws; i++)
                values[m * p->o.draws + i] = p->draws[m][i * p->dim + column];
        lam_sort_ascending(values, p->n_models * p->o.draws);
        lam_spread_range(values, p->n_models * p->o.draws, range);
        for (size_t i = 0; i < p->rows; i++)
            values[i] = p->data[i * p->dim + column];
        if (p->rows == 0)
            continue;
        lam_sort_ascending(values, p->rows);
        lam_spread_range(values, p->rows, of_data);
        range[0] = fmin(range[0], of_data[0]);
        range[1] = fmax(range[1], of_data[1]);
    }
    lam_free(values);
    return LAM_OK;
}

/* ---- the call ----------------------------------------------------------------------------------------------------- */

static void fill_options(lam_picture *p, const lam_picture_options *options, const size_t *all)
{
    static const lam_picture_options defaults;
    p->o = options != NULL ? *options : defaults;
    p->columns = p->o.columns != NULL ? p->o.columns : all;
    p->n_columns = p->o.columns != NULL ? p->o.n_columns : p->dim < LAM_PICTURE_COLUMNS ? p->dim : LAM_PICTURE_COLUMNS;
    int corner = p->dim > 2 || p->n_columns < p->dim;
    p->o.draws = p->o.draws > 0 ? p->o.draws : 5000;
    p->o.points = p->o.points > 0 ? p->o.points : corner ? 400 : 1000;
    p->o.paths = p->o.paths > 0 ? p->o.paths : 24;
    p->o.grid = p->o.grid > 0 ? p->o.grid : 200;
    p->o.panels = p->o.panels > 0 ? p->o.panels : LAM_PICTURE_DENSITY | LAM_PICTURE_DRAWS | LAM_PICTURE_PATHS;
    if (p->o.eval != NULL)
        p->eval = p->asked = *p->o.eval;
    p->eval.units = LAM_UNITS_DATA;
    p->eval.progress = report_progress;
    p->eval.user = p;
    p->total = p->n_models * (p->o.draws + LAM_PICTURE_SCORED + (corner ? 0 : p->dim == 2 ? p->o.grid * p->o.grid + p->o.paths : 0));
}

static lam_status make(lam_picture *p, const char *path)
{
    p->draws = lam_alloc(p->n_models, sizeof *p->draws);
    p->facts = lam_alloc(p->n_models, sizeof *p->facts);
    p->names = lam_alloc(p->n_models, sizeof *p->names);
    p->ranges = lam_alloc(p->n_columns, sizeof *p->ranges);
    if (p->draws == NULL || p->facts == NULL || p->names == NULL || p->ranges == NULL)
        return LAM_ERR_MEMORY;
    LAM_TRY(draw(p));
    LAM_TRY(make_titles(p));
    LAM_TRY(find_ranges(p));
    if (p->n_columns < p->dim || p->dim > 2)
        return lam_picture_corner(p, path);
    return p->dim == 1 ? lam_picture_curve(p, path) : lam_picture_flow(p, path);
}

lam_status lam_picture_write(const lam_picture_model *models, size_t n_models, const lam_table *data,
    const lam_picture_options *options, const char *path, lam_picture_report *report)
{
    LAM_NEED_IF(n_models > 0, models, "models");
    LAM_NEED(path, "path");
    static const size_t all[LAM_PICTURE_COLUMNS] = { 0, 1, 2, 3, 4, 5 };
    LAM_TRY(lam_plot_check_path(path));
    LAM_TRY(check_models(models, n_models));
    LAM_TRY(check_data(data, &models[0]));
    lam_picture p = { .models = models, .n_models = n_models, .dim = lam_model_dim(models[0].model),
        .data = data != NULL ? data->values : NULL, .rows = data != NULL ? data->rows : 0 };
    fill_options(&p, options, all);
    LAM_TRY(check_options(&p));
    lam_status status = make(&p, path);
    for (size_t m = 0; p.draws != NULL && m < n_models; m++)
        lam_free(p.draws[m]);
    lam_free(p.draws);
    lam_free(p.facts);
    lam_free(p.names);
    lam_free(p.ranges);
    if (status == LAM_OK && report != NULL) {
        report->columns = p.n_columns;
        memcpy(report->note, p.note, sizeof report->note);
    }
    return status;
}
