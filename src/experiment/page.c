/* Writes report.html. */
#include "experiment/page.h"
#include "base/error.h"
#include "report/svg.h"
#include <math.h>
#include <string.h>

static const char style[] =
    ":root{color-scheme:light dark;--ink:#1c1e21;--paper:#fff;--soft:#5c6168;--rule:#d9dce0;--tint:#f4f5f7}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e7ea;--paper:#17191c;--soft:#a2a7af;--rule:#3a3d42;--tint:#212429}}\n"
    "body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 sans-serif}\n"
    "main{max-width:1480px;margin:0 auto;padding:1rem clamp(.8rem,3vw,2rem) 3rem}\n"
    "h1{font-size:1.5rem;line-height:1.25;margin:.4rem 0}h2{font-size:1.25rem;margin:2.4rem 0 .4rem;"
    "border-top:1px solid var(--rule);padding-top:1.2rem}h3{font-size:1.05rem;margin:1.6rem 0 .3rem}p{max-width:75ch;margin:.5rem 0}\n"
    ".soft,small,figcaption{color:var(--soft)}small{font-size:.8em}a{color:inherit}\n"
    ".says{border-left:4px solid var(--k0);background:var(--tint);padding:.6rem .9rem;max-width:80ch}\n"
    ".box{overflow-x:auto;width:fit-content;max-width:100%;margin:.3rem 0 1.2rem;border:1px solid var(--rule);border-radius:6px}\n"
    "table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums}\n"
    ".cap{color:var(--soft);font-size:.88rem;margin:1rem 0 0}\n"
    "th,td{padding:.3rem .55rem;text-align:right;white-space:nowrap;border-top:1px solid var(--rule);font-weight:normal}\n"
    "thead th{vertical-align:bottom;font-weight:bold;white-space:normal;border-top:0;min-width:5.8em}\n"
    "thead small{display:block;font-weight:normal}\n"
    "tr>:first-child{text-align:left;position:sticky;left:0;background:var(--paper);font-weight:bold;white-space:normal;"
    "max-width:min(16rem,38vw);overflow-wrap:anywhere}\n"
    ".chosen td,.chosen th{background:var(--tint)!important}\n"
    ".legend{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;margin:.6rem 0;padding:0;list-style:none;font-size:.88rem}\n"
    ".legend svg{vertical-align:middle;margin-right:.4rem}\n"
    ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,360px),1fr));gap:1rem;max-width:980px}\n"
    "figure{margin:0}figure svg{display:block;width:100%;height:auto}\n"
    "figcaption{font-size:.85rem;margin-bottom:.2rem}dt{font-weight:bold;margin-top:.5rem}dd{margin:0;max-width:75ch}\n"
    "pre{overflow-x:auto;background:var(--tint);padding:.8rem;border-radius:6px;font-size:.82rem;line-height:1.4}\n";

static const char terms[] =
    "<h2 id=\"terms\">Terms</h2>\n<dl>\n"
    "<dt>NLL</dt><dd>Mean negative log-likelihood, nats per row, of standardised data. Test: of the model that was best in "
    "validation, with the exact trace, at the test tolerance. Lower is better.</dd>\n"
    "<dt>Calls</dt><dd>Evaluations of the vector field f on a batch (forward; NFE is another word) and vector-Jacobian products "
    "(backward), summed over the blocks of the flow, a mean over the last fifth of the run. To score: forward, for one batch of "
    "test rows at the test tolerance.</dd>\n"
    "<dt>Steps</dt><dd>Accepted steps of the ODE solver through one block, last fifth of the run.</dd>\n"
    "<dt>To the baseline's NLL</dt><dd>Training time until the first validation whose NLL is not above the best one that the "
    "baseline's run of the same seed and tolerance ever had; n/a if there was none. The baseline's own is the time to "
    "its best.</dd>\n"
    "<dt>Processor seconds, wall seconds</dt><dd>Of training steps: without validation, test and saving. Processor seconds, of all "
    "threads, change little when others use the machine; wall seconds do.</dd>\n"
    "<dt>\xc2\xb1</dt><dd>The standard error of the mean over seeds, s/\xe2\x88\x9an; none for a single run. In the sentences a "
    "difference counts as one if Student's 95 % interval leaves out a ratio of 1, or a difference of 0: \xc2\xb1 12.7 standard errors of "
    "two seeds, 4.3 of three, 3.2 of four, which few differences are clear of. Many comparisons are made, one in twenty of which "
    "errs.</dd>\n"
    "<dt>Ratio</dt><dd>This run's figure over that of the baseline's run of the same seed and tolerance; the mean of these "
    "ratios.</dd>\n"
    "<dt>Pareto front</dt><dd>What no other penalty beats in both NLL and calls; dotted.</dd>\n"
    "</dl>\n";

/* ---- the head ----------------------------------------------------------------------------------------------------- */

static void put_status(FILE *out, const lam_experiment *e, int working)
{
    size_t counts[4] = { 0 };
    for (size_t i = 0; i < e->n_runs; i++)
        counts[e->runs[i].shown.state]++;
    fprintf(out, "<p><b>%zu of %zu runs finished</b>", counts[LAM_RUN_FINISHED], e->n_runs);
    if (counts[LAM_RUN_BEGUN] > 0)
        fprintf(out, ", %zu %s", counts[LAM_RUN_BEGUN], working ? "under way" : "begun and not ended");
    if (counts[LAM_RUN_FAILED] > 0)
        fprintf(out, ", %zu <a href=\"#failed\">failed</a>", counts[LAM_RUN_FAILED]);
    fputs(counts[LAM_RUN_FINISHED] < e->n_runs ? "; what follows is of the finished ones.</p>\n" : ".</p>\n", out);
}

void lam_page_budget(FILE *out, const lam_budget *budget)
{
    static const char *const units[] = { "", "iterations", "seconds of training", "processor seconds of training" };
    char number[32];
    lam_budget_kind kind = lam_budget_said(budget);
    lam_short_number(budget->amount[kind], number);
    if (kind == LAM_BUDGET_ITERATIONS)
        snprintf(number, sizeof number, "%.0f", budget->amount[kind]);
    fprintf(out, " %s %s", number, units[kind]);
}

static void put_head(FILE *out, const lam_experiment *e, int working)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>", out);
    lam_svg_text(out, lam_experiment_title(e));
    fprintf(out, "</title>\n<style>\n%s%s</style>\n</head>\n<body>\n<main>\n<h1>", style, lam_svg_style);
    lam_svg_text(out, lam_experiment_title(e));
    fputs("</h1>\n", out);
    put_status(out, e, working);
    fputs("<p class=\"soft\">A run had", out);
    lam_page_budget(out, &e->plan.budget);
    fprintf(out, ", %s thread%s. The baseline is <b>", e->plan.threads.text != NULL ? e->plan.threads.text : "1",
        e->plan.threads.text == NULL || strcmp(e->plan.threads.text, "1") == 0 ? "" : "s");
    lam_svg_text(out, e->plan.penalties[e->plan.base].name.text);
    fputs("</b>. What the words mean stands <a href=\"#terms\">below</a>.</p>\n<p>", out);
    for (size_t d = 0; d < e->plan.n_data; d++) {
        fprintf(out, "%s<a href=\"#data%zu\">", d == 0 ? "" : " \xc2\xb7 ", d + 1);
        lam_svg_text(out, e->plan.data[d].name.text);
        fputs("</a>", out);
    }
    fputs("</p>\n", out);
}

/* ---- a data set at a tolerance ------------------------------------------------------------------------------------ */

static void put_charts(FILE *out, lam_charts *charts)
{
    static const char *const captions[LAM_CHARTS] = { "Validation NLL over the time of training",
        "Validation NLL over the evaluations of f", "Evaluations of f per iteration, forward and backward", "Test NLL and calls; bars: a standard error" };
    fputs("<ul class=\"legend\">", out);
    for (size_t i = 0; i < charts->n_legend; i++) {
        fputs("<li>", out);
        lam_svg_sample(out, &charts->legend[i]);
        lam_svg_text(out, charts->legend[i].name);
        fputs("</li>", out);
    }
    fputs("</ul>\n<div class=\"charts\">\n", out);
    for (size_t i = 0; i < LAM_CHARTS; i++) {
        if (!lam_chart_shows(charts, (lam_chart)i))
            continue;
        fprintf(out, "<figure><figcaption>%s</figcaption>\n", captions[i]);
        charts->panels[i].title = captions[i];
        lam_svg_panel(out, &charts->panels[i], 400, 290);
        charts->panels[i].title = NULL;
        fputs("</figure>\n", out);
    }
    fputs("</div>\n", out);
}

/* How busy the machine was, over the finished runs of these groups. */
static void put_load(FILE *out, const lam_experiment *e, const lam_measurement *m, const lam_group *groups, size_t n)
{
    double load = 0, seconds = 0, wall = 0, cpu = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < groups[i].n; k++) {
            const lam_grid_run *run = &e->runs[groups[i].runs[k]];
            const double *value = m->runs[groups[i].runs[k]].value;
            load += run->load * run->load_seconds;
            seconds += run->load_seconds;
            wall += value[LAM_FIGURE_TRAIN_SECONDS];
            cpu += value[LAM_FIGURE_TRAIN_CPU_SECONDS];
        }
    if (!(seconds > 0) || !(wall > 0))
        return;
    fprintf(out, "<p class=\"soft\">While these runs were made the load of the machine was %.1f in the mean, and they got %.2f "
        "processor seconds a second of training.</p>\n", load / seconds, cpu / wall);
}

/* Runs that did not have what the page says a run had. */
static void put_early(FILE *out, const lam_experiment *e, const lam_measurement *m, const lam_group *groups, size_t n)
{
    static const lam_figure spent[] = { 0, LAM_FIGURE_ITERATIONS, LAM_FIGURE_TRAIN_SECONDS, LAM_FIGURE_TRAIN_CPU_SECONDS };
    lam_budget_kind kind = lam_budget_said(&e->plan.budget);
    size_t early = 0, unbegun = 0, all = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < groups[i].n; k++) {
            const double *value = m->runs[groups[i].runs[k]].value;
            unbegun += value[LAM_FIGURE_ITERATIONS] == 0;
            early += value[spent[kind]] < 0.98 * e->plan.budget.amount[kind];
            all++;
        }
    if (early > 0)
        fprintf(out, "<p><b>%zu of %zu runs ended before their budget was spent</b>, by early stopping.</p>\n", early, all);
    if (unbegun > 0)
        fprintf(out, "<p><b>%zu of %zu runs spent all of it on the warm start</b>, and had no iteration of likelihood.</p>\n", unbegun, all);
}

static lam_status put_block(FILE *out, const lam_experiment *e, const lam_measurement *m, const lam_group *groups, size_t n)
{
    lam_charts charts;
    char tolerance[32];
    size_t finished = 0;
    for (size_t i = 0; i < n; i++)
        finished += groups[i].n;
    lam_short_number(lam_plan_number(&e->tolerances.items[groups->tolerance]), tolerance);
    fprintf(out, "<h3>Tolerance %s in training</h3>\n", tolerance);
    if (finished == 0) {
        fputs("<p>No run is finished here yet.</p>\n", out);
        return LAM_OK;
    }
    lam_page_sentence(out, e, groups, n);
    lam_page_tables(out, e, groups, n);
    put_early(out, e, m, groups, n);
    put_load(out, e, m, groups, n);
    LAM_TRY(lam_charts_make(e, m, groups, n, &charts));
    put_charts(out, &charts);
    lam_charts_clear(&charts);
    return LAM_OK;
}

/* Groups come by data, then tolerance. */
static lam_status put_blocks(FILE *out, const lam_experiment *e, const lam_measurement *m)
{
    for (size_t i = 0; i < m->n_groups;) {
        const lam_group *g = &m->groups[i];
        size_t n = lam_measurement_block(m, i);
        if (g->tolerance == 0) {
            fprintf(out, "<h2 id=\"data%zu\">", g->data + 1);
            lam_svg_text(out, e->plan.data[g->data].name.text);
            fputs("</h2>\n", out);
        }
        LAM_TRY(put_block(out, e, m, g, n));
        i += n;
    }
    return LAM_OK;
}

/* ---- the end ------------------------------------------------------------------------------------------------------ */

static void put_failed(FILE *out, const lam_experiment *e)
{
    size_t failed = 0;
    for (size_t i = 0; i < e->n_runs; i++) {
        const lam_experiment_run *run = &e->runs[i].shown;
        if (run->state != LAM_RUN_FAILED)
            continue;
        fputs(failed++ == 0 ? "<h2 id=\"failed\">Failed runs</h2>\n<ul>\n<li>" : "<li>", out);
        lam_svg_text(out, run->name);
        fputs(": ", out);
        lam_svg_text(out, run->message);
        fputs("</li>\n", out);
    }
    if (failed > 0)
        fputs("</ul>\n", out);
}

/* 1 if that text is among the lines. */
static int has_line(const char *lines, const char *line, size_t n)
{
    for (const char *at = lines; at != NULL && *at != '\0'; at = strchr(at, '\n') != NULL ? strchr(at, '\n') + 1 : NULL)
        if (strcspn(at, "\n") == n && strncmp(at, line, n) == 0)
            return 1;
    return 0;
}

/* One line of a run's; nothing if an earlier run had it too. */
static void put_warning(FILE *out, const lam_experiment *e, size_t run, const char *line, size_t length, size_t *listed)
{
    char text[2048];
    size_t runs = 0;
    for (size_t k = 0; k < e->n_runs; k++) {
        if (!has_line(e->runs[k].warnings, line, length))
            continue;
        if (k < run)
            return;
        runs++;
    }
    snprintf(text, sizeof text, "%.*s", (int)length, line);
    fputs((*listed)++ == 0 ? "<h2 id=\"warnings\">Warnings</h2>\n<ul>\n<li>" : "<li>", out);
    fprintf(out, "%zu of %zu runs, ", runs, e->n_runs);
    lam_svg_text(out, e->runs[run].shown.name);
    fputs(runs > 1 ? " and others: " : ": ", out);
    lam_svg_text(out, text);
    fputs("</li>\n", out);
}

static void put_warnings(FILE *out, const lam_experiment *e)
{
    size_t listed = 0;
    for (size_t i = 0; i < e->n_runs; i++)
        for (const char *line = e->runs[i].warnings; line != NULL && *line != '\0';) {
            size_t length = strcspn(line, "\n");
            put_warning(out, e, i, line, length, &listed);
            line += length + (line[length] == '\n');
        }
    if (listed > 0)
        fputs("</ul>\n", out);
}

static void put_machines(FILE *out, const lam_experiment *e)
{
    size_t machines = 0;
    for (size_t i = 0; i < e->n_runs; i++) {
        size_t before = 0;
        if (e->runs[i].machine == NULL)
            continue;
        while (before < i && (e->runs[before].machine == NULL || strcmp(e->runs[before].machine, e->runs[i].machine) != 0))
            before++;
        if (before < i)
            continue;
        fputs(machines++ == 0 ? "<p>Run on " : "; ", out);
        lam_svg_text(out, e->runs[i].machine);
    }
    fprintf(out, "%sThis page was written by laminar %s.</p>\n", machines > 0 ? ". " : "<p>", lam_version());
}

lam_status lam_page_write(FILE *out, const lam_experiment *e, const lam_measurement *m, int working)
{
    put_head(out, e, working);
    lam_page_choices(out, e, m);
    LAM_TRY(put_blocks(out, e, m));
    put_failed(out, e);
    put_warnings(out, e);
    fputs(terms, out);
    fputs("<h2 id=\"plan\">The plan</h2>\n<pre>", out);
    lam_svg_text(out, e->plan_text);
    fputs("</pre>\n", out);
    put_machines(out, e);
    fputs("</main>\n</body>\n</html>\n", out);
    return LAM_OK;
}
