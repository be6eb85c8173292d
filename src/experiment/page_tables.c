/* The tables of the page. */
#include "experiment/csv.h"
#include "experiment/page.h"
#include "report/svg.h"
#include <math.h>
#include <string.h>

typedef struct column {
    lam_figure figure;
    const char *head, *unit;
    int digits; /* after the point, where no standard error says how many are worth something */
    int reached; /* 1: a run need not have it, and then so many of them is said */
} column;

static const column reached_columns[] = {
    { LAM_FIGURE_TEST_NLL, "test NLL", "nats per row", 4, 0 },
    { LAM_FIGURE_FORWARD, "calls forward", "an iteration", 1, 0 },
    { LAM_FIGURE_BACKWARD, "calls backward", "an iteration", 1, 0 },
    { LAM_FIGURE_STEPS, "steps", "a solve", 2, 0 },
    { LAM_FIGURE_TEST_CALLS, "calls to score", "a batch", 1, 0 },
    { LAM_FIGURE_REACH_CPU_SECONDS, "to the baseline's NLL", "processor s", 1, 1 },
    { LAM_FIGURE_REACH_SECONDS, "to the baseline's NLL", "wall s", 1, 1 },
};
static const column total_columns[] = {
    { LAM_FIGURE_TRAIN_CPU_SECONDS, "training", "processor s", 1, 0 },
    { LAM_FIGURE_TRAIN_SECONDS, "training", "wall s", 1, 0 },
    { LAM_FIGURE_SECONDS, "in all", "wall s", 1, 0 },
    { LAM_FIGURE_TRAIN_FORWARD, "calls forward", "in all", 0, 0 },
    { LAM_FIGURE_TRAIN_BACKWARD, "calls backward", "in all", 0, 0 },
    { LAM_FIGURE_ITERATIONS, "iterations", "", 0, 0 },
};
static const column paired_columns[] = {
    { LAM_FIGURE_NLL_DIFFERENCE, "test NLL", "nats, difference", 4, 0 },
    { LAM_FIGURE_CALLS_RATIO, "calls an iteration", "ratio", 3, 0 },
    { LAM_FIGURE_TOTAL_CALLS_RATIO, "calls in all", "ratio", 3, 0 },
    { LAM_FIGURE_CPU_SECONDS_RATIO, "training", "processor s, ratio", 3, 0 },
    { LAM_FIGURE_REACH_CALLS_RATIO, "to the baseline's NLL", "calls, ratio", 3, 1 },
    { LAM_FIGURE_REACH_CPU_SECONDS_RATIO, "to the baseline's NLL", "processor s, ratio", 3, 1 },
    { LAM_FIGURE_REACH_SECONDS_RATIO, "to the baseline's NLL", "wall s, ratio", 3, 1 },
};

void lam_page_mean(FILE *out, double mean, double se, int digits)
{
    if (!isfinite(mean)) {
        fputs("n/a", out);
        return;
    }
    int known = isfinite(se) && se > 0;
    double unit = known ? se : fabs(mean); /* two digits of the error; of a small number without one, two of its own */
    int wanted = unit > 0 ? 1 - (int)floor(log10(unit)) : digits;
    if (known || wanted > digits)
        digits = wanted < 0 ? 0 : wanted > 6 ? 6 : wanted;
    if (mean < -0.5 * pow(10, -digits)) /* what is rounded to 0 has no sign */
        fputs("\xe2\x88\x92", out);
    fprintf(out, "%.*f", digits, fabs(mean));
    if (isfinite(se))
        fprintf(out, " \xc2\xb1 %.*f", digits, se);
}

static void put_head(FILE *out, const char *caption, const column *columns, size_t n)
{
    fputs("<p class=\"cap\">", out);
    lam_svg_text(out, caption);
    fputs("</p>\n<div class=\"box\"><table><thead><tr><th scope=\"col\">penalty</th>", out);
    for (size_t i = 0; i < n; i++)
        fprintf(out, "<th scope=\"col\">%s<small>%s</small></th>", columns[i].head, columns[i].unit);
    fputs("<th scope=\"col\">runs<small>finished of all</small></th></tr></thead>\n<tbody>\n", out);
}

static void put_cell(FILE *out, const lam_group *g, const column *c)
{
    fputs("<td>", out);
    lam_page_mean(out, g->mean[c->figure], g->se[c->figure], c->digits);
    if (c->reached && g->count[c->figure] > 0 && g->count[c->figure] < g->n)
        fprintf(out, " <small>%zu of %zu</small>", g->count[c->figure], g->n);
    fputs("</td>", out);
}

static void put_table(FILE *out, const lam_experiment *e, const char *caption, const lam_group *groups, size_t n,
    const column *columns, size_t n_columns, int with_base)
{
    char label[128];
    put_head(out, caption, columns, n_columns);
    for (size_t i = 0; i < n; i++) {
        const lam_group *g = &groups[i];
        if (!with_base && g->penalty == e->plan.base)
            continue;
        lam_group_label(e, g, label);
        fputs("<tr><th scope=\"row\">", out);
        lam_svg_text(out, label);
        fputs("</th>", out);
        for (size_t k = 0; k < n_columns; k++)
            put_cell(out, g, &columns[k]);
        fprintf(out, "<td>%zu of %zu%s</td></tr>\n", g->n, g->planned, g->failed > 0 ? ", some failed" : "");
    }
    fputs("</tbody></table></div>\n", out);
}

void lam_page_tables(FILE *out, const lam_experiment *e, const lam_group *groups, size_t n)
{
    put_table(out, e, "What was reached: mean \xc2\xb1 standard error over seeds", groups, n, reached_columns,
        sizeof reached_columns / sizeof reached_columns[0], 1);
    if (n > 1)
        put_table(out, e, "Beside the baseline's run of the same seed and tolerance", groups, n, paired_columns,
            sizeof paired_columns / sizeof paired_columns[0], 0);
    put_table(out, e, "A whole run, a warm start's seconds and calls among them", groups, n, total_columns,
        sizeof total_columns / sizeof total_columns[0], 1);
}

static void put_choice(FILE *out, const lam_experiment *e, const lam_measurement *m, size_t index)
{
    const lam_grid_run *run = &e->runs[index];
    const double *value = m->runs[index].value;
    char number[32];
    int chosen = e->chosen[run->penalty] == run->value;
    lam_short_number(lam_plan_number(&e->plan.penalties[run->penalty].values.items[run->value]), number);
    fprintf(out, "<tr%s><th scope=\"row\">", chosen ? " class=\"chosen\"" : "");
    lam_svg_text(out, e->plan.penalties[run->penalty].name.text);
    fprintf(out, "</th><td>%s</td><td>", number);
    lam_page_mean(out, run->shown.state == LAM_RUN_FINISHED ? value[LAM_FIGURE_BEST_VAL_NLL] : (double)NAN, (double)NAN, 4);
    fputs("</td><td>", out);
    lam_page_mean(out, value[LAM_FIGURE_FORWARD], (double)NAN, 1);
    fputs("</td><td>", out);
    lam_page_mean(out, value[LAM_FIGURE_BACKWARD], (double)NAN, 1);
    fputs("</td><td>", out);
    lam_page_mean(out, value[LAM_FIGURE_TRAIN_CPU_SECONDS], (double)NAN, 1);
    fprintf(out, "</td><td>%s</td></tr>\n", chosen ? "chosen" : run->shown.state == LAM_RUN_FINISHED ? ""
        : lam_run_state_name(run->shown.state));
}

void lam_page_choices(FILE *out, const lam_experiment *e, const lam_measurement *m)
{
    if (!e->plan.choose.wanted)
        return;
    fputs("<h2 id=\"choices\">Coefficients</h2>\n<p>Each was run with one seed on ", out);
    lam_svg_text(out, e->plan.data[e->plan.choose.on].name.text);
    fputs(" for", out);
    lam_page_budget(out, lam_experiment_budget(e, 1));
    fputs("; the one with the lowest best validation NLL by then was taken for everything below. One at an end of its list says "
          "that a value beyond may be better.</p>\n"
          "<div class=\"box\"><table><thead><tr><th scope=\"col\">penalty</th><th scope=\"col\">coefficient</th>"
          "<th scope=\"col\">best validation NLL<small>nats per row</small></th>"
          "<th scope=\"col\">calls forward<small>an iteration</small></th>"
          "<th scope=\"col\">calls backward<small>an iteration</small></th>"
          "<th scope=\"col\">training<small>processor s</small></th><th></th></tr></thead>\n<tbody>\n", out);
    for (size_t i = 0; i < e->n_runs; i++)
        if (e->runs[i].choosing)
            put_choice(out, e, m, i);
    fputs("</tbody></table></div>\n", out);
}
