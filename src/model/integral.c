/* Panels of three equally spaced nodes each, laid between the draws of a row and evenly over their range; a panel on which the density
 * bends is halved, and panels are added where it has not died away at an end. All rows' new nodes are evaluated in one call. Simpson's rule
 * on the panels gives mass and moments, its parabola what is between the nodes. */
#include "model/integral.h"
#include "base/counts.h"
#include "base/error.h"
#include "base/mem.h"
#include "data/moments.h"
#include <math.h>
#include <string.h>

static const double BEND = 2e-6;  /* of the mass: a panel on which trapezoids are off by more is halved */
static const double TAIL = 1e-7;  /* of the mass: a panel at an end that holds more gets a neighbour */
enum { EVEN = 24, MOST_PANELS = 4096, PASSES = 40, HALVINGS = 60 };

typedef struct panel {
    double from, to, p[3]; /* density at both ends and between them; the first is that of the panel before */
    int known[3];
} panel;

typedef struct grid {
    panel *panel;
    size_t n, room;
} grid;

const unsigned char *lam_question_roles(const lam_question *q, size_t row)
{
    return q->roles == NULL ? NULL : q->roles + (q->n_roles == 1 ? 0 : row) * q->dim;
}

size_t lam_question_numbers(const lam_question *q)
{
    return 2 + q->n_quantiles + q->n_below;
}

/* ---- panels ------------------------------------------------------------------------------------------------------- */

static lam_status add(grid *g, double from, double to)
{
    if (g->n == g->room) {
        size_t room = 2 * g->room + 64;
        panel *more = lam_alloc(room, sizeof *more);
        if (more == NULL)
            return LAM_ERR_MEMORY;
        if (g->n > 0)
            memcpy(more, g->panel, g->n * sizeof *more);
        lam_free(g->panel);
        g->panel = more, g->room = room;
    }
    g->panel[g->n++] = (panel) { .from = from, .to = to };
    return LAM_OK;
}

/* ends [n_draws + EVEN + 1] is room. */
static lam_status lay(grid *g, const double *draws, size_t n_draws, double *ends)
{
    size_t n = n_draws;
    memcpy(ends, draws, n_draws * sizeof *ends);
    lam_sort_ascending(ends, n_draws);
    double low = ends[0], high = ends[n_draws - 1], wide = high - low;
    wide = wide > 0 ? wide : fmax(fabs(low), 1) * 1e-6;
    for (int k = 0; k <= EVEN; k++)
        ends[n++] = low - 0.5 * wide + 2 * wide * k / EVEN;
    lam_sort_ascending(ends, n);
    for (size_t k = 1; k < n; k++)
        if (ends[k] > ends[k - 1])
            LAM_TRY(add(g, ends[k - 1], ends[k]));
    return LAM_OK;
}

static double width(const panel *p)
{
    return p->to - p->from;
}

static double bend(const panel *p)
{
    return width(p) / 12 * fabs(p->p[0] - 2 * p->p[1] + p->p[2]);
}

static double mass_of(const panel *p)
{
    return width(p) / 6 * (p->p[0] + 4 * p->p[1] + p->p[2]);
}

static double middle(const panel *p)
{
    return 0.5 * (p->from + p->to);
}

static void know(panel *p, int node, double density)
{
    p->p[node] = density;
    p->known[node] = 1;
}

/* Halves what bends and adds to the ends; what is new is not known yet. Returns 1 if anything is. */
static int refine(grid *g, grid *next, lam_status *status)
{
    int news = 0;
    size_t left = g->n < MOST_PANELS ? MOST_PANELS - g->n : 0;
    double all = g->panel[g->n - 1].to - g->panel[0].from;
    next->n = 0;
    if (left > 0 && mass_of(&g->panel[0]) > TAIL) {
        *status = add(next, g->panel[0].from - 0.25 * all, g->panel[0].from), news = 1;
        if (*status == LAM_OK)
            know(&next->panel[0], 2, g->panel[0].p[0]);
    }
    for (size_t k = 0; k < g->n && *status == LAM_OK; k++) {
        const panel *p = &g->panel[k];
        int halves = left > 0 && bend(p) > BEND && middle(p) > p->from && middle(p) < p->to;
        *status = add(next, p->from, halves ? middle(p) : p->to);
        if (!halves && *status == LAM_OK)
            next->panel[next->n - 1] = *p;
        if (halves && *status == LAM_OK) {
            know(&next->panel[next->n - 1], 0, p->p[0]);
            know(&next->panel[next->n - 1], 2, p->p[1]);
            *status = add(next, middle(p), p->to), left--, news = 1;
        }
        if (halves && *status == LAM_OK)
            know(&next->panel[next->n - 1], 2, p->p[2]);
    }
    if (left > 0 && *status == LAM_OK && mass_of(&g->panel[g->n - 1]) > TAIL)
        *status = add(next, g->panel[g->n - 1].to, g->panel[g->n - 1].to + 0.25 * all), news = 1;
    grid old = *g;
    *g = *next;
    *next = old;
    return news;
}

/* ---- densities ---------------------------------------------------------------------------------------------------- */

/* Nodes of all rows' new panels, which are evaluated together. */
typedef struct batch {
    double *x, *logp;
    unsigned char *roles;
} batch;

static size_t count_new(const grid *grids, size_t rows)
{
    size_t n = 0;
    for (size_t i = 0; i < rows; i++)
        for (size_t k = 0; k < grids[i].n; k++)
            for (int s = k > 0; s < 3; s++)
                n += !grids[i].panel[k].known[s];
    return n;
}

static void fill(const lam_question *q, size_t column, size_t first, const grid *grids, size_t rows, const batch *b)
{
    size_t at = 0;
    for (size_t i = 0; i < rows; i++)
        for (size_t k = 0; k < grids[i].n; k++) {
            const panel *p = &grids[i].panel[k];
            const double node[3] = { p->from, middle(p), p->to };
            for (int s = k > 0; s < 3; s++) {
                if (p->known[s])
                    continue;
                memcpy(b->x + at * q->dim, q->x + (first + i) * q->dim, q->dim * sizeof(double));
                b->x[at * q->dim + column] = node[s];
                if (b->roles != NULL)
                    memcpy(b->roles + at * q->dim, lam_question_roles(q, first + i), q->dim);
                at++;
            }
        }
}

static lam_status keep(grid *grids, size_t rows, const double *logp)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t k = 0; k < grids[i].n; k++) {
            panel *p = &grids[i].panel[k];
            for (int s = k > 0; s < 3; s++)
                if (!p->known[s])
                    know(p, s, exp(*logp++));
            if (k > 0)
                know(p, 0, p[-1].p[2]);
            if (!isfinite(p->p[0] + p->p[1] + p->p[2]))
                return lam_fail(LAM_ERR_SOLVER, "the density is not finite near %g; try double or tighter tolerances", p->from);
        }
    return LAM_OK;
}

static lam_status evaluate(const lam_question *q, size_t column, size_t first, grid *grids, size_t rows, lam_counts *counts)
{
    size_t n = count_new(grids, rows);
    lam_counts here = { 0 };
    if (n == 0)
        return LAM_OK;
    batch b = { lam_alloc(n * q->dim, sizeof(double)), lam_alloc(n, sizeof(double)), q->n_roles > 1 ? lam_alloc(n, q->dim) : NULL };
    lam_status status = b.x == NULL || b.logp == NULL || (q->n_roles > 1 && b.roles == NULL) ? LAM_ERR_MEMORY : LAM_OK;
    if (status == LAM_OK) {
        fill(q, column, first, grids, rows, &b);
        const lam_query query = { b.x, n, b.roles != NULL ? b.roles : q->roles, b.roles != NULL ? n : q->n_roles };
        status = lam_conditional_log_prob(q->model, q->eval, &query, b.logp, &here);
        lam_counts_add(counts, &here);
    }
    if (status == LAM_OK)
        status = keep(grids, rows, b.logp);
    lam_free(b.x);
    lam_free(b.logp);
    lam_free(b.roles);
    return status;
}

/* ---- what is asked ------------------------------------------------------------------------------------------------ */

/* The mass of a panel from its beginning to the share t of its width, of the parabola through its nodes. */
static double part_of(const panel *p, double t)
{
    double b = -3 * p->p[0] + 4 * p->p[1] - p->p[2], c = 2 * p->p[0] - 4 * p->p[1] + 2 * p->p[2];
    return width(p) * t * (p->p[0] + t * (b / 2 + t * c / 3));
}

static double quantile(const grid *g, double wanted)
{
    double before = 0, low = 0, high = 1;
    size_t k = 0;
    for (; k + 1 < g->n && before + mass_of(&g->panel[k]) < wanted; k++)
        before += mass_of(&g->panel[k]);
    const panel *p = &g->panel[k];
    for (int i = 0; i < HALVINGS; i++) {
        double t = 0.5 * (low + high);
        *(before + part_of(p, t) < wanted ? &low : &high) = t;
    }
    return p->from + low * width(p);
}

static double below(const grid *g, double value)
{
    double sum = 0;
    for (size_t k = 0; k < g->n && value > g->panel[k].from; k++)
        sum += value >= g->panel[k].to ? mass_of(&g->panel[k]) : part_of(&g->panel[k], (value - g->panel[k].from) / width(&g->panel[k]));
    return sum;
}

/* Integral of (y - centre)^power times the density. */
static double moment(const grid *g, double centre, int power)
{
    double sum = 0;
    for (size_t k = 0; k < g->n; k++) {
        const panel *p = &g->panel[k];
        double a = p->from - centre, m = middle(p) - centre, b = p->to - centre;
        sum += width(p) / 6 * (power == 1 ? a * p->p[0] + 4 * m * p->p[1] + b * p->p[2]
            : a * a * p->p[0] + 4 * m * m * p->p[1] + b * b * p->p[2]);
    }
    return sum;
}

/* The mass is divided by. */
static double answer(const lam_question *q, const grid *g, double *values)
{
    double mass = 0, centre = middle(&g->panel[g->n / 2]);
    for (size_t k = 0; k < g->n; k++)
        mass += mass_of(&g->panel[k]);
    double mean = centre + moment(g, centre, 1) / mass;
    *values++ = mean;
    *values++ = sqrt(fmax(moment(g, mean, 2) / mass, 0));
    for (size_t k = 0; k < q->n_quantiles; k++)
        *values++ = quantile(g, mass * q->quantiles[k]);
    for (size_t k = 0; k < q->n_below; k++)
        *values++ = fmin(fmax(below(g, q->below[k]) / mass, 0), 1);
    return fabs(1 - mass);
}

static lam_status integrate(const lam_question *q, size_t column, size_t first, size_t rows, grid *grids, grid *room, lam_counts *counts)
{
    lam_status status = LAM_OK;
    for (int pass = 0, news = 1; pass < PASSES && news && status == LAM_OK; pass++) {
        status = evaluate(q, column, first, grids, rows, counts);
        news = 0;
        for (size_t i = 0; i < rows && status == LAM_OK && pass + 1 < PASSES; i++)
            news |= refine(&grids[i], room, &status);
    }
    return status;
}

lam_status lam_integrate(const lam_question *q, size_t column, size_t first, size_t rows, const double *draws, size_t n_draws, double *values,
    lam_predict_report *report)
{
    grid *grids = lam_alloc(rows, sizeof *grids), room = { 0 };
    double *ends = lam_alloc(n_draws + EVEN + 1, sizeof *ends);
    lam_status status = grids == NULL || ends == NULL ? LAM_ERR_MEMORY : LAM_OK;
    for (size_t i = 0; i < rows && status == LAM_OK; i++)
        status = lay(&grids[i], draws + i * n_draws, n_draws, ends);
    if (status == LAM_OK)
        status = integrate(q, column, first, rows, grids, &room, &report->counts);
    for (size_t i = 0; i < rows && status == LAM_OK; i++)
        report->mass_error = fmax(report->mass_error, answer(q, &grids[i], values + i * lam_question_numbers(q)));
    for (size_t i = 0; grids != NULL && i < rows; i++)
        lam_free(grids[i].panel);
    lam_free(grids);
    lam_free(room.panel);
    lam_free(ends);
    return status;
}
