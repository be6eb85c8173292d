/* Validation NLL (of images the bound) over the course of several runs: against evaluations of f and against processor seconds. */
#include "curves.h"
#include <laminar/plot.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One run: its validations, and what they are drawn as. */
typedef struct curve {
    lam_config *cfg;
    double *calls, *seconds, *nll; /* [n] */
    size_t n;
    double *at_calls, *scale;      /* [n_scales] the factor on the penalties' coefficients, of a fit that was given a goal for its calls */
    size_t n_scales;
    char *name;
    size_t colour, dash;
} curve;

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static int read_curve(const char *folder, curve *c)
{
    lam_history run;
    int code = cli_run_read(folder, &run, c->cfg);
    if (code != CLI_OK)
        return code;
    c->n = run.n_validations;
    c->calls = cli_alloc(c->n, sizeof *c->calls);
    c->seconds = cli_alloc(c->n, sizeof *c->seconds);
    c->nll = cli_alloc(c->n, sizeof *c->nll);
    for (size_t i = 0; i < c->n; i++) {
        const lam_history_point *p = &run.validation[i];
        c->calls[i] = p->calls;
        c->seconds[i] = isfinite(p->train_cpu_seconds) ? p->train_cpu_seconds : p->train_seconds;
        c->nll[i] = isfinite(p->nll) ? p->nll : p->best_val_nll;
    }
    c->at_calls = cli_alloc(run.n_train, sizeof *c->at_calls);
    c->scale = cli_alloc(run.n_train, sizeof *c->scale);
    for (size_t i = 0; i < run.n_train; i++)
        if (isfinite(run.train[i].penalty_scale)) {
            c->at_calls[c->n_scales] = run.train[i].calls;
            c->scale[c->n_scales++] = run.train[i].penalty_scale;
        }
    lam_history_free(&run);
    return CLI_OK;
}

/* ---- what the runs differ in -------------------------------------------------------------------------------------- */

static int differs(const curve *curves, size_t n, const char *name)
{
    char first[256], other[256];
    cli_parameter(curves[0].cfg, name, first);
    for (size_t i = 1; i < n; i++)
        if (strcmp(first, cli_parameter(curves[i].cfg, name, other)) != 0)
            return 1;
    return 0;
}

/* Adds ", NAME VALUE" to text, which is freed. */
static char *with_value(char *text, const lam_config *cfg, const char *name)
{
    char value[256], *longer;
    cli_parameter(cfg, name, value);
    const char *comma = text[0] == '\0' ? "" : ", ";
    if (value[0] == '\0')
        longer = cli_format("%s%sno %s", text, comma, name);
    else
        longer = cli_format("%s%s%s %.60s", text, comma, name, value);
    free(text);
    return longer;
}

static int is_penalty(const lam_parameter *parameter)
{
    return strcmp(parameter->group, "penalty") == 0;
}

/* Every parameter but the seed that differs among the runs, with this run's value; the penalties, which most comparisons are about,
 * first and in few words. */
static char *describe(const curve *curves, size_t n, size_t which)
{
    const lam_parameter *parameter;
    char penalties[128] = "";
    for (size_t i = 0; (parameter = lam_parameter_at(i)) != NULL && penalties[0] == '\0'; i++)
        if (is_penalty(parameter) && differs(curves, n, parameter->name))
            lam_config_penalties(curves[which].cfg, penalties);
    char *text = cli_format("%s%s", strcmp(penalties, "none") == 0 ? "penalty " : "", penalties);
    for (size_t i = 0; (parameter = lam_parameter_at(i)) != NULL; i++) {
        if (parameter->is_course || strcmp(parameter->name, "seed") == 0 || is_penalty(parameter)
            || !differs(curves, n, parameter->name))
            continue;
        text = with_value(text, curves[which].cfg, parameter->name);
    }
    return text;
}

/* Runs that differ in the seed alone share a colour and are told apart by their dashes. */
static void choose_look(curve *curves, size_t n)
{
    size_t colours = 0;
    for (size_t i = 0; i < n; i++) {
        size_t j = 0, same = 0;
        while (j < i && strcmp(curves[j].name, curves[i].name) != 0)
            j++;
        curves[i].colour = j < i ? curves[j].colour : colours++;
        for (j = 0; j < i; j++)
            same += strcmp(curves[j].name, curves[i].name) == 0;
        curves[i].dash = same;
    }
    if (colours == 1) { /* colours are told apart more easily */
        for (size_t i = 0; i < n; i++) {
            curves[i].colour = i;
            curves[i].dash = i / 7;
        }
    } else {
        for (size_t i = 0; i < n; i++)
            curves[i].dash += curves[i].colour / 7; /* colours come again */
    }
}

static void name_curves(const char *const *folders, curve *curves, size_t n)
{
    int seeds = differs(curves, n, "seed");
    for (size_t i = 0; i < n; i++)
        curves[i].name = describe(curves, n, i);
    choose_look(curves, n);
    for (size_t i = 0; i < n; i++)
        if (seeds)
            curves[i].name = with_value(curves[i].name, curves[i].cfg, "seed");
    int twins = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            twins |= strcmp(curves[i].name, curves[j].name) == 0;
    if (n > 1 && !twins)
        return;
    for (size_t i = 0; i < n; i++) { /* one run, or the same configuration twice: folders are their names */
        char *folder = cli_path_name(folders[i]);
        char *name = cli_format("%s%s%s", folder, curves[i].name[0] == '\0' ? "" : ": ", curves[i].name);
        free(folder);
        free(curves[i].name);
        curves[i].name = name;
    }
}

/* ---- drawing ------------------------------------------------------------------------------------------------------ */

/* What of the NLL is shown. The first validations are often so high that the rest is flat beside them; so what a run has
 * before an eighth of its calls may leave the frame, if that stretches the rest by half at least. */
static void nll_range(const curve *curves, size_t n, lam_panel *panel)
{
    double low = (double)INFINITY, top = -(double)INFINITY, late = -(double)INFINITY;
    for (size_t i = 0; i < n; i++) {
        const curve *c = &curves[i];
        for (size_t j = 0; j < c->n; j++) {
            if (!isfinite(c->nll[j]))
                continue;
            low = fmin(low, c->nll[j]);
            top = fmax(top, c->nll[j]);
            if (c->calls[j] >= 0.125 * c->calls[c->n - 1])
                late = fmax(late, c->nll[j]);
        }
    }
    double high = top - low > 1.5 * (late - low) ? late : top, air = 0.04 * (high - low);
    if (!(high > low))
        return; /* one value or none: as the library does it */
    panel->y_low = low - air;
    panel->y_high = high + air;
}

/* Where an axis of cost, which begins at 0, ends. */
static double end_of(const lam_panel *panel)
{
    double end = 0;
    for (size_t i = 0; i < panel->n_series; i++)
        for (size_t j = 0; j < panel->series[i].n; j++)
            if (isfinite(panel->series[i].x[j]))
                end = fmax(end, panel->series[i].x[j]);
    return 1.02 * end;
}

static int draw(const curve *curves, size_t n, const char *path)
{
    const char *nll = lam_config_kind(curves[0].cfg) == LAM_VAE ? "validation -ELBO, nats per image" : "validation NLL, nats, standardised units";
    lam_panel panels[3] = {{.x_label = "evaluations of f in training, forward + backward", .y_label = nll},
        {.x_label = "processor seconds of training", .y_label = nll},
        {.x_label = "evaluations of f in training, forward + backward", .y_label = "factor on the penalties' coefficients", .log_y = 1}};
    lam_series *series = cli_alloc(3 * n, sizeof *series);
    size_t scales = 0;
    for (size_t i = 0; i < n; i++) {
        series[i] = (lam_series){.name = curves[i].name, .x = curves[i].calls, .y = curves[i].nll, .n = curves[i].n,
            .colour = curves[i].colour, .line = (lam_line_style)(curves[i].dash % 4)};
        series[n + i] = series[i];
        series[n + i].x = curves[i].seconds;
        series[2 * n + i] = series[i];
        series[2 * n + i].x = curves[i].at_calls;
        series[2 * n + i].y = curves[i].scale;
        series[2 * n + i].n = curves[i].n_scales;
        scales += curves[i].n_scales;
    }
    for (size_t p = 0; p < 3; p++) {
        panels[p].series = series + p * n;
        panels[p].n_series = n;
        panels[p].x_high = end_of(&panels[p]);
        if (p < 2)
            nll_range(curves, n, &panels[p]);
    }
    const lam_plot plot = {.panels = panels, .n_panels = scales > 0 ? 3 : 2};
    lam_status status = lam_plot_write(&plot, path);
    free(series);
    return status == LAM_OK ? CLI_OK : cli_library_failed();
}

int cli_run_read(const char *folder, lam_history *run, lam_config *cfg)
{
    if (lam_history_read(folder, run) != LAM_OK)
        return cli_library_failed();
    char *config = cli_path_join(folder, "config.yaml");
    int code = cli_config_load(cfg, config);
    free(config);
    if (code != CLI_OK)
        lam_history_free(run);
    return code;
}

int cli_curves_draw(const char *const *folders, size_t n, const char *path)
{
    curve *curves = cli_alloc(n, sizeof *curves);
    int code = CLI_OK;
    size_t validations = 0;
    for (size_t i = 0; i < n; i++)
        curves[i].cfg = cli_config_create();
    for (size_t i = 0; i < n && code == CLI_OK; i++) {
        code = read_curve(folders[i], &curves[i]);
        validations += curves[i].n;
        if (code == CLI_OK && curves[i].n == 0)
            cli_say("warning: %s holds no validation yet; it has no curve", folders[i]);
    }
    if (code == CLI_OK && validations == 0)
        code = cli_fail("%s is not drawn: no run holds a validation yet", path);
    if (code == CLI_OK) {
        name_curves(folders, curves, n);
        code = draw(curves, n, path);
    }
    for (size_t i = 0; i < n; i++) {
        lam_config_free(curves[i].cfg);
        free(curves[i].calls);
        free(curves[i].seconds);
        free(curves[i].nll);
        free(curves[i].at_calls);
        free(curves[i].scale);
        free(curves[i].name);
    }
    free(curves);
    return code;
}
