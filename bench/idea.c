/* Draws docs/idea.svg: how rows of a 2-D toy density travel to the base density in a flow fitted without and in one fitted with
 * trajectory polynomial regularisation, and the steps that the solver takes on the way. Everything is computed, nothing drawn by
 * hand; the two fits differ in the penalty alone.
 *
 *     idea FILE.svg      (or .png, .pdf)
 */
#include "base/pool.h"
#include "flow/engine.h"
#include "model/model.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 1000, SHOWN = 12, TIMES = 61, MAX_STEPS = 200 };

/* What one panel shows. */
typedef struct panel {
    double t[TIMES], z[SHOWN][TIMES];             /* z_1 of the rows shown at even times */
    double dot_t[2 * MAX_STEPS], dot_z[SHOWN][2 * MAX_STEPS]; /* at the ends of steps; every second one is NaN: no line */
    size_t dots;
    lam_counts counts;
    lam_fit_result fit;
    char title[128];
} panel;

static void must(lam_status status)
{
    if (status != LAM_OK) {
        fprintf(stderr, "idea: %s\n", lam_last_error());
        exit(EXIT_FAILURE);
    }
}

/* The state at time t of `rows` rows; steps and calls of the solve are left in the engine and in counts. */
static void solve_to(lam_engine_f64 *engine, const lam_model *model, double t, double tolerance, const double *x, size_t rows,
    double *z, double *l, double *h_star, lam_counts *counts)
{
    lam_flow_solve solve = { .h_star = h_star, .solve = { .table = lam_tableau_get(model->config.solver), .atol = tolerance,
        .rtol = tolerance, .end = LAM_END_LAND, .first_step = LAM_STEP_WARM, .max_steps = MAX_STEPS, .min_step = 1e-10 } };
    double whole = model->params[model->layout.time];
    model->params[model->layout.time] = sqrt(t);
    must(lam_engine_transform_f64(engine, model->params, x, NULL, rows, 1, &solve, NULL, z, l, counts));
    model->params[model->layout.time] = whole;
}

static void follow(lam_engine_f64 *engine, const lam_model *model, const double *x, double t, double z1[SHOWN])
{
    double z[2 * SHOWN];
    lam_counts ignored = { 0 };
    for (size_t i = 0; i < SHOWN; i++)
        z1[i] = x[2 * i];
    if (t == 0)
        return;
    solve_to(engine, model, t, 1e-8, x, SHOWN, z, NULL, NULL, &ignored);
    for (size_t i = 0; i < SHOWN; i++)
        z1[i] = z[2 * i];
}

/* Scores ROWS rows as `laminar score` does, and follows the first of them. */
static void trace(panel *p, const lam_model *model, const double *x)
{
    static double z[2 * ROWS], l[ROWS];
    lam_pool *pool;
    lam_engine_f64 *engine;
    lam_engine_options options = { .max_rows = ROWS, .trace = getenv("Z") ? LAM_TRACE_NONE : LAM_TRACE_EXACT };
    const double *t, *h;
    double ends[MAX_STEPS], at[SHOWN];
    must(lam_pool_create(1, &pool));
    must(lam_engine_create_f64(&model->layout, pool, &options, &engine));
    solve_to(engine, model, 1, model->config.test_atol, x, ROWS, z, getenv("Z") ? NULL : l, getenv("P") ? NULL : model->h_star_test, &p->counts);
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

static void run(panel *p, const char *tpr)
{
    lam_config cfg;
    lam_table *table = NULL;
    lam_dataset *data = NULL;
    lam_model *model = NULL;
    size_t rows;
    lam_config_init(&cfg);
    must(lam_config_set(&cfg, "dims", getenv("D") ? getenv("D") : "32-32"));
    must(lam_config_set(&cfg, "iterations", getenv("I") ? getenv("I") : "500"));
    must(lam_config_set(&cfg, "lr", getenv("L") ? getenv("L") : "5e-3"));
    must(lam_config_set(&cfg, "batch-size", getenv("B") ? getenv("B") : "500"));
    must(lam_config_set(&cfg, "val-freq", "100"));
    must(lam_config_set(&cfg, "divergence", "exact"));
    must(lam_config_set(&cfg, "test-atol", getenv("T") ? getenv("T") : "1e-5"));
    must(lam_config_set(&cfg, "test-rtol", getenv("T") ? getenv("T") : "1e-5"));
    must(lam_config_set(&cfg, "tpr", tpr));
    must(lam_table_toy(getenv("TOY") ? getenv("TOY") : "8gaussians", 10000, 0, &table));
    must(lam_dataset_build(&cfg, table, NULL, NULL, NULL, &data));
    must(lam_fit(&cfg, data, NULL, &model, &p->fit));
    const double *x = lam_dataset_rows(data, LAM_TEST, &rows);
    trace(p, model, x);
    lam_model_free(model);
    lam_dataset_free(data);
    lam_table_free(table);
    lam_config_clear(&cfg);
}

static size_t add_lines(const panel *p, lam_series *series)
{
    size_t n = 0;
    for (size_t i = 0; i < SHOWN; i++)
        series[n++] = (lam_series) { .x = p->t, .y = p->z[i], .n = TIMES, .colour = 0 };
    for (size_t i = 0; i < SHOWN; i++)
        series[n++] = (lam_series) { .x = p->dot_t, .y = p->dot_z[i], .n = p->dots, .colour = 1 };
    return n;
}

int main(int argc, char **argv)
{
    static panel panels[2];
    static lam_series series[2][2 * SHOWN];
    lam_panel drawn[2];
    if (argc != 2) {
        fprintf(stderr, "usage: idea FILE.svg\n");
        return 2;
    }
    for (size_t k = 0; k < 2; k++) {
        run(&panels[k], k == 0 ? "false" : "true");
        snprintf(panels[k].title, sizeof panels[k].title, "%s: %zu steps, %llu calls of f, test NLL %.2f",
            k == 0 ? "without the penalty" : "with it", (size_t)panels[k].counts.accepted, (unsigned long long)panels[k].counts.forward,
            panels[k].fit.test_nll);
        drawn[k] = (lam_panel) { .title = panels[k].title, .x_label = "time t: data at 0, base density at 1; dots: the solver's steps",
            .y_label = "first coordinate of z(t)", .series = series[k], .n_series = add_lines(&panels[k], series[k]),
            .y_low = -3, .y_high = 3 };
        printf("%s rejected %llu\n", panels[k].title, (unsigned long long)panels[k].counts.rejected);
    }
    const lam_plot plot = { .panels = drawn, .n_panels = 2 };
    must(lam_plot_write(&plot, argv[1]));
    return EXIT_SUCCESS;
}
