/* What the numbers say, in words. */
#include "experiment/page.h"
#include "report/svg.h"
#include <math.h>

typedef struct block {
    FILE *out;
    const lam_experiment *e;
    const lam_group *groups, *base; /* [n] */
    size_t n;
    char base_name[128];
} block;

static void put_label(const block *b, const lam_group *g)
{
    char label[128];
    lam_group_label(b->e, g, label);
    lam_svg_text(b->out, label);
}

static void put_base(const block *b)
{
    fputs("<b>", b->out);
    lam_svg_text(b->out, b->base_name);
    fputs("</b>", b->out);
}

/* Student's quantile that leaves a fortieth above it, of n - 1 degrees of freedom; n is at least 2. */
static double quantile(size_t n)
{
    static const double t[] = { 12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23 };
    return n - 2 < sizeof t / sizeof t[0] ? t[n - 2] : 2.2;
}

/* -1: below what would be no difference, 1: above it, 0: not to be told, or one run alone. */
static int differs(const lam_group *g, lam_figure f, double none)
{
    if (g->count[f] < 2 || !isfinite(g->mean[f]) || !isfinite(g->se[f]))
        return 0;
    double reach = quantile(g->count[f]) * g->se[f];
    return g->mean[f] + reach < none ? -1 : g->mean[f] - reach > none;
}

static void put_figure(const block *b, const lam_group *g, lam_figure f, int digits)
{
    lam_page_mean(b->out, g->mean[f], g->se[f], digits);
}

/* The group other than the baseline with the lowest mean, among those that have the figure in every finished run; told: and whose
 * figure is below 1 as far as the seeds can tell. NULL: none. */
static const lam_group *lowest(const block *b, lam_figure f, int told)
{
    const lam_group *best = NULL;
    for (size_t i = 0; i < b->n; i++) {
        const lam_group *g = &b->groups[i];
        if (g != b->base && g->n > 0 && g->count[f] == g->n && (!told || differs(g, f, 1) < 0) && (best == NULL || g->mean[f] < best->mean[f]))
            best = g;
    }
    return best;
}

static void put_group(const block *b, const char *before, const lam_group *g, const char *after)
{
    fprintf(b->out, "%s<b>", before);
    put_label(b, g);
    fprintf(b->out, "</b>%s", after);
}

static void put_goal(const block *b, const char *before, const char *after)
{
    fprintf(b->out, "%s the best validation NLL of ", before);
    put_base(b);
    fputs(after, b->out);
}

/* What came to the baseline's NLL in every run; first: the one that was soonest as far as one can tell, or by one run alone. */
static void say_first(const block *b, const lam_group *first, const lam_group *best)
{
    static const lam_figure f = LAM_FIGURE_REACH_CPU_SECONDS_RATIO;
    if (first != NULL) {
        put_group(b, "", first, "");
        put_goal(b, " reached", " first, after ");
        put_figure(b, first, f, 2);
        fprintf(b->out, " of the processor seconds that it took (%.3g times as fast)", 1 / first->mean[f]);
        if (best != first) {
            put_group(b, "; the mean of ", best, " is lower, ");
            put_figure(b, best, f, 2);
            fputs(", but these seeds cannot tell it from 1", b->out);
        }
    } else if (best->count[f] > 1 && differs(best, f, 1) == 0) {
        put_goal(b, "In the time to", " there is no difference that these seeds can tell; the lowest mean, that of ");
        put_group(b, "", best, ", is ");
        put_figure(b, best, f, 2);
        fputs(" of its processor seconds", b->out);
    } else {
        put_goal(b, "No penalty reached", " sooner than it did itself; the next, ");
        put_group(b, "", best, ", took ");
        put_figure(b, best, f, 2);
        fputs(" times its processor seconds", b->out);
    }
    fputs(best->count[f] > 1 ? ". " : "; that is one run of each, and how much of it is chance is not known. ", b->out);
}

static void say_time(const block *b)
{
    static const lam_figure f = LAM_FIGURE_REACH_CPU_SECONDS_RATIO;
    const lam_group *best = lowest(b, f, 0), *first = lowest(b, f, 1);
    if (first == NULL && best != NULL && best->count[f] == 1 && best->mean[f] < 1)
        first = best;
    if (best == NULL)
        put_goal(b, "No other penalty reached", " in every run. ");
    else
        say_first(b, first, best);
    size_t listed = 0;
    for (size_t i = 0; i < b->n; i++) {
        const lam_group *g = &b->groups[i];
        if (g == b->base || g->count[f] == 0 || g->count[f] == g->n)
            continue;
        put_group(b, listed++ == 0 ? "In some runs only: " : ", ", g, "");
        fprintf(b->out, " (%zu of %zu)", g->count[f], g->n);
    }
    if (listed > 0)
        fputs(". ", b->out);
}

/* Everybody whose paired difference is on that side, as a list. */
static size_t list_nll(const block *b, int side, const char *before)
{
    size_t listed = 0;
    for (size_t i = 0; i < b->n; i++) {
        const lam_group *g = &b->groups[i];
        if (g == b->base || differs(g, LAM_FIGURE_NLL_DIFFERENCE, 0) != side)
            continue;
        fputs(listed++ == 0 ? before : ", ", b->out);
        put_label(b, g);
        fputs(" by ", b->out);
        lam_page_mean(b->out, fabs(g->mean[LAM_FIGURE_NLL_DIFFERENCE]), g->se[LAM_FIGURE_NLL_DIFFERENCE], 4);
    }
    return listed;
}

static void say_nll(const block *b)
{
    size_t most = 0;
    for (size_t i = 0; i < b->n; i++)
        if (&b->groups[i] != b->base && b->groups[i].count[LAM_FIGURE_NLL_DIFFERENCE] > most)
            most = b->groups[i].count[LAM_FIGURE_NLL_DIFFERENCE];
    if (most < 2)
        return; /* one seed tells nothing of a difference of a few hundredths */
    fputs("Test NLL beside ", b->out);
    put_base(b);
    fputs(": ", b->out);
    size_t lower = list_nll(b, -1, "lower with ");
    if (lower > 0)
        fputs(" nats", b->out);
    size_t higher = list_nll(b, 1, lower > 0 ? "; higher with " : "higher with ");
    if (higher > 0)
        fputs(" nats", b->out);
    fputs(lower + higher == 0 ? "no difference that these seeds can tell. " : lower + higher + 1 < b->n
        ? "; of the others, no difference that these seeds can tell. " : ". ", b->out);
}

static void say_calls(const block *b)
{
    static const lam_figure f = LAM_FIGURE_CALLS_RATIO;
    const lam_group *told = lowest(b, f, 1), *g = told != NULL ? told : lowest(b, f, 0);
    if (g == NULL)
        return;
    if (told != NULL || (g->count[f] == 1 && g->mean[f] < 1))
        put_group(b, "Fewest evaluations of f per iteration among the penalties: ", g, ", ");
    else if (g->count[f] > 1 && differs(g, f, 1) == 0)
        put_group(b, "In evaluations of f per iteration there is no difference that these seeds can tell; the lowest mean, that of ", g, ", is ");
    else
        put_group(b, "No penalty takes fewer evaluations of f per iteration; ", g, " takes ");
    put_figure(b, g, f, 2);
    fputs(" of those of ", b->out);
    put_base(b);
    fprintf(b->out, " (%.1f steps a solve beside %.1f).", g->mean[LAM_FIGURE_STEPS], b->base->mean[LAM_FIGURE_STEPS]);
}

void lam_page_sentence(FILE *out, const lam_experiment *e, const lam_group *groups, size_t n)
{
    block b = { .out = out, .e = e, .groups = groups, .n = n, .base = NULL };
    for (size_t i = 0; i < n; i++)
        if (groups[i].penalty == e->plan.base)
            b.base = &groups[i];
    fputs("<p class=\"says\">", out);
    if (b.base == NULL || b.base->n == 0) {
        fputs("The baseline has no finished run here yet, so there is nothing to compare with.", out);
    } else {
        lam_group_label(e, b.base, b.base_name);
        size_t others = 0;
        for (size_t i = 0; i < n; i++)
            others += &groups[i] != b.base && groups[i].n > 0;
        if (others > 0) {
            say_time(&b);
            say_nll(&b);
            say_calls(&b);
        } else {
            fputs("Nothing but the baseline is finished here yet.", out);
        }
    }
    fputs("</p>\n", out);
}
