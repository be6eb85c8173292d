/* Draws docs/idea.svg: how rows of a 2-D toy density travel to the base density, in a flow fitted without and in one
 * fitted with trajectory polynomial regularisation, and where the solver's steps fall. The curves and the counts are
 * computed, nothing is drawn by hand; the two fits differ in the penalty alone. Takes some ten seconds.
 *
 *     idea FILE.svg      (or .png, .pdf)
 */
#define LAM_WIDTH 64
#include "base/pool.h"
#include "base/width.h"
#include "flow/engine.h"
#include "model/model.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 1000, SHOWN = 12, TIMES = 61, MAX_STEPS = 200 };

/* What both fits share: everything but "tpr". Tolerances are the defaults, 1e-4 in training and 1e-5 after it. */
static const char *const settings[][2] = { { "dims", "32-32" }, { "iterations", "800" }, { "batch-size", "200" },
    { "lr", "0.01" }, { "val-freq", "100" }, { "divergence", "exact" } };

typedef struct panel {
    double t[TIMES], z[SHOWN][TIMES]; /* z_1 of the rows shown, at even times */
    /* The same at the ends of steps; every second place is NaN, which makes each of the others a dot. */
    double dot_t[2 * (MAX_STEPS + 1)], dot_z[SHOWN][2 * (MAX_STEPS + 1)];
    size_t dots;
    lam_counts counts; /* of scoring ROWS rows */
    char title[96];
} panel;

static void must(lam_status status)
{
    if (status != LAM_OK) {
        fprintf(stderr, "idea: %s\n", lam_last_error());
        exit(EXIT_FAILURE);
    }
}

/* Rows x at time t > 0: z, and l where it is wanted. The end time is a parameter of the block: it is set for the solve. */
static void solve_to(lam_engine_f64 *engine, lam_model *model, double t, double tolerance, const double *x, size_t rows,
    double *z, double *l, double *h_star, lam_counts *counts)
{
    lam_flow_solve solve = { .h_star = h_star,
        .solve = { .table = lam_tableau_get(model->config.solver), .atol = tolerance, .rtol = tolerance,
            .end = LAM_END_LAND, .first_step = LAM_STEP_WARM, .max_steps = MAX_STEPS, .min_step = 1e-10 } };
    double *end = model->params + model->layout.time, whole = *end; /* T = s^2 */
    *end = sqrt(t);
    must(lam_engine_transform_f64(engine, model->params, x, NULL, rows, 1, &solve, NULL, z, l, counts));
    *end = whole;
}

/* z_1 of the first rows at time t, to 1e-8: to the eye the exact path. */
static void follow(lam_engine_f64 *engine, lam_model *model, const double *x, double t, double z1[SHOWN])
{
    double z[2 * SHOWN];
    lam_counts ignored = { 0 };
    if (t > 0)
        solve_to(engine, model, t, 1e-8, x, SHOWN, z, NULL, NULL, &ignored);
    for (size_t i = 0; i < SHOWN; i++)
        z1[i] = t > 0 ? z[2 * i] : x[2 * i];
}

/* Scores ROWS rows as `laminar score` does, for the steps and the count, and follows the first of them. */
static void trace(panel *p, lam_model *model, const double *x)
{
    static double z[2 * ROWS], l[ROWS];
    double ends[MAX_STEPS], at[SHOWN];
    const double *t, *h;
    lam_pool *pool;
    lam_engine_f64 *engine;
    const lam_engine_options options = { .max_rows = ROWS, .trace = LAM_TRACE_EXACT };
    must(lam_pool_create(1, &pool));
    must(lam_engine_create_f64(&model->layout, pool, &options, &engine));
    solve_to(engine, model, 1, model->config.test_atol, x, ROWS, z, l, model->h_star_test, &p->counts);
    size_t steps = lam_engine_steps_f64(engine, 0, &t, &h);
    for (size_t n = 0; n < steps; n++)
        ends[n] = t[n] + h[n];
    for (size_t k = 0; k < TIMES; k++) {
        p->t[k] = (double)k / (TIMES - 1);
        follow(engine, model, x, p->t[k], at);
        for (size_t i = 0; i < SHOWN; i++)
            p->z[i][k] = at[i];
    }
    for (size_t n = 0; n <= steps; n++, p->dots += 2) {
        p->dot_t[p->dots] = n == 0 ? 0 : ends[n - 1];
        p->dot_t[p->dots + 1] = (double)NAN;
        follow(engine, model, x, p->dot_t[p->dots], at);
        for (size_t i = 0; i < SHOWN; i++) {
            p->dot_z[i][p->dots] = at[i];
            p->dot_z[i][p->dots + 1] = (double)NAN;
        }
    }
    lam_engine_free_f64(engine);
    lam_pool_free(pool);
}

static void fit(panel *p, const char *name, const char *tpr)
{
    lam_config cfg;
    lam_table *table = NULL;
    lam_dataset *data = NULL;
    lam_model *model = NULL;
    lam_fit_result result;
    size_t rows;
    lam_config_init(&cfg);
    must(lam_config_set(&cfg, "tpr", tpr));
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        must(lam_config_set(&cfg, settings[i][0], settings[i][1]));
    must(lam_table_toy("swissroll", 10 * ROWS, 0, &table)); /* a tenth of them are test rows */
    must(lam_dataset_build(&cfg, table, NULL, NULL, NULL, &data));
    must(lam_fit(&cfg, data, NULL, &model, &result));
    trace(p, model, lam_dataset_rows(data, LAM_TEST, &rows));
    snprintf(p->title, sizeof p->title, "%s: %llu calls of f, test NLL %.2f", name,
        (unsigned long long)p->counts.forward, result.test_nll);
    printf("%s, %llu steps + %llu rejected\n", p->title, (unsigned long long)p->counts.accepted,
        (unsigned long long)p->counts.rejected);
    lam_model_free(model);
    lam_dataset_free(data);
    lam_table_free(table);
    lam_config_clear(&cfg);
}

static lam_panel draw(const panel *p, lam_series series[2 * SHOWN])
{
    for (size_t i = 0; i < SHOWN; i++) {
        series[i] = (lam_series) { .x = p->t, .y = p->z[i], .n = TIMES, .colour = 0 };
        series[SHOWN + i] = (lam_series) { .x = p->dot_t, .y = p->dot_z[i], .n = p->dots, .colour = 1 };
    }
    return (lam_panel) { .title = p->title, .x_label = "time t    (a dot: the end of a solver's step)",
        .y_label = "first coordinate of z(t)", .series = series, .n_series = 2 * SHOWN, .x_high = 1, .y_low = -2,
        .y_high = 2 };
}

int main(int argc, char **argv)
{
    static panel without, with;
    lam_series series[2][2 * SHOWN];
    if (argc != 2) {
        fprintf(stderr, "usage: idea FILE.svg\n");
        return 2;
    }
    fit(&without, "without TPR", "false");
    fit(&with, "with TPR", "true");
    const lam_panel panels[2] = { draw(&without, series[0]), draw(&with, series[1]) };
    const lam_plot plot = { .title = "Twelve rows on their way from the data (t = 0) to the base density (t = 1)",
        .panels = panels, .n_panels = 2, .height = 400 };
    must(lam_plot_write(&plot, argv[1]));
    return EXIT_SUCCESS;
}
