/* Takes rows apart into given and moving columns. */
#include "data/given.h"
#include "base/error.h"
#include "base/mem.h"
#include <math.h>
#include <string.h>

static size_t inputs_of(const lam_given *g)
{
    size_t n = 0;
    for (size_t k = 0; k < g->given; k++) {
        size_t levels = g->levels[g->given_at[k]];
        n += (levels > 0 ? levels : 1) + (size_t)g->any;
    }
    return n + (g->any ? 3 : g->absent ? 1 : 0) * g->moving;
}

lam_status lam_given_make(size_t dim, const lam_given_kind *kind, lam_given *g)
{
    static const lam_given_kind none;
    kind = kind != NULL ? kind : &none;
    *g = (lam_given) { .dim = dim, .any = kind->any, .absent = kind->absent, .masked = kind->any || kind->absent };
    g->moving_at = lam_alloc(dim, sizeof *g->moving_at);
    g->given_at = lam_alloc(dim, sizeof *g->given_at);
    g->levels = lam_alloc(dim, sizeof *g->levels);
    g->is_given = lam_alloc(dim, sizeof *g->is_given);
    g->usual = lam_alloc(dim, sizeof *g->usual);
    if (g->moving_at == NULL || g->given_at == NULL || g->levels == NULL || g->is_given == NULL || g->usual == NULL)
        return LAM_ERR_MEMORY;
    for (size_t j = 0; j < dim; j++) {
        g->levels[j] = kind->levels != NULL ? kind->levels[j] : 0;
        g->is_given[j] = kind->is_given != NULL && kind->is_given[j];
        g->usual[j] = g->is_given[j] ? LAM_GIVEN : LAM_MOVING;
        if (g->is_given[j])
            g->given_at[g->given++] = j;
        else
            g->moving_at[g->moving++] = j;
    }
    g->inputs = inputs_of(g);
    return g->moving > 0 ? LAM_OK : lam_fail(LAM_ERR_ARGUMENT, "given: all %zu columns are given, and none is left for a density", dim);
}

void lam_given_clear(lam_given *g)
{
    lam_free(g->moving_at);
    lam_free(g->given_at);
    lam_free(g->levels);
    lam_free(g->is_given);
    lam_free(g->usual);
    *g = (lam_given) { 0 };
}

lam_given_kind lam_given_kind_of(const lam_given *g)
{
    return (lam_given_kind) { .is_given = g->is_given, .levels = g->levels, .any = g->any, .absent = g->absent };
}

/* ---- roles -------------------------------------------------------------------------------------------------------- */

void lam_given_roles(const lam_given *g, const double *x, size_t n, unsigned char *roles)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < g->dim; j++)
            roles[i * g->dim + j] = isnan(x[i * g->dim + j]) ? LAM_ABSENT : g->usual[j];
}

/* A row's roles [dim]. */
static const unsigned char *roles_of(const lam_given *g, const unsigned char *roles, size_t row)
{
    return roles != NULL ? roles + row * g->dim : g->usual;
}

static int role_of(const lam_given *g, const unsigned char *roles, size_t row, size_t j)
{
    return roles_of(g, roles, row)[j];
}

void lam_given_moves(const lam_given *g, const unsigned char *roles, size_t n, unsigned char *moves)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < g->moving; k++)
            *moves++ = role_of(g, roles, i, g->moving_at[k]) == LAM_MOVING;
}

/* ---- rows --------------------------------------------------------------------------------------------------------- */

/* What the slopes of a row's maps come to. */
typedef struct slopes {
    double product, sum;
} slopes;

/* One logarithm a row: slopes are multiplied as long as the product is far from what double holds. */
static void take_slope(slopes *s, double slope)
{
    s->product *= slope;
    if (s->product < 1e-100 || s->product > 1e100) {
        s->sum += log(s->product);
        s->product = 1;
    }
}

static double mapped(const lam_maps *maps, size_t j, double value, double *slope)
{
    *slope = 1;
    return maps != NULL ? lam_spline_at(&maps->column[j], value, slope) : value;
}

/* The row that a whitener takes, in its room: numbers that are given, mapped, beside what moves, as it is. */
static double *whitener_row(const lam_given *g, const lam_maps *maps, lam_whitener *whitener, const double *x, const unsigned char *roles,
    const double *moving)
{
    double *u = lam_whitener_row(whitener), slope;
    for (size_t j = 0; j < g->dim; j++)
        u[j] = roles[j] == LAM_GIVEN && g->levels[j] == 0 ? mapped(maps, j, x[j], &slope) : 0;
    for (size_t k = 0; k < g->moving; k++)
        if (roles[g->moving_at[k]] == LAM_MOVING)
            u[g->moving_at[k]] = moving[k];
    return u;
}

/* What moves is replaced by its z; the log-determinant. */
static double whiten_row(const lam_given *g, const lam_maps *maps, lam_whitener *whitener, const double *x, const unsigned char *roles,
    double *moving)
{
    double *u = whitener_row(g, maps, whitener, x, roles, moving);
    double log_det = lam_whiten(whitener, roles, u);
    for (size_t k = 0; k < g->moving; k++)
        moving[k] = roles[g->moving_at[k]] == LAM_MOVING ? u[g->moving_at[k]] : 0;
    return log_det;
}

void lam_given_take(const lam_given *g, const lam_maps *maps, lam_whitener *whitener, const double *x, const unsigned char *roles,
    size_t n, double *moving, double *log_det)
{
    for (size_t i = 0; i < n; i++) {
        slopes s = { 1, 0 };
        for (size_t k = 0; k < g->moving; k++) {
            size_t j = g->moving_at[k];
            double slope = 1, *to = &moving[i * g->moving + k];
            *to = role_of(g, roles, i, j) == LAM_MOVING ? mapped(maps, j, x[i * g->dim + j], &slope) : 0;
            take_slope(&s, slope);
        }
        if (whitener != NULL)
            s.sum += whiten_row(g, maps, whitener, x + i * g->dim, roles_of(g, roles, i), moving + i * g->moving);
        if (log_det != NULL)
            log_det[i] = s.sum + log(s.product);
    }
}

/* Of the columns that never move; where one ends. */
static double *given_inputs(const lam_given *g, const lam_maps *maps, const double *x, const unsigned char *roles, size_t i, double *to)
{
    double slope;
    for (size_t k = 0; k < g->given; k++) {
        size_t j = g->given_at[k], levels = g->levels[j];
        int here = role_of(g, roles, i, j) == LAM_GIVEN;
        double value = x[i * g->dim + j];
        if (levels == 0)
            *to++ = here ? mapped(maps, j, value, &slope) : 0;
        for (size_t level = 0; level < levels; level++)
            *to++ = here && value == (double)level;
        if (g->any)
            *to++ = here;
    }
    return to;
}

void lam_given_inputs(const lam_given *g, const lam_maps *maps, const double *x, const unsigned char *roles, size_t n, double *inputs)
{
    double *to = inputs, slope;
    for (size_t i = 0; i < n; i++) {
        to = given_inputs(g, maps, x, roles, i, to);
        for (size_t k = 0; g->any && k < g->moving; k++) {
            size_t j = g->moving_at[k];
            *to++ = role_of(g, roles, i, j) == LAM_GIVEN ? mapped(maps, j, x[i * g->dim + j], &slope) : 0;
        }
        for (size_t k = 0; g->any && k < g->moving; k++)
            *to++ = role_of(g, roles, i, g->moving_at[k]) == LAM_GIVEN;
        for (size_t k = 0; g->masked && k < g->moving; k++)
            *to++ = role_of(g, roles, i, g->moving_at[k]) == LAM_MOVING;
    }
}

/* z [moving] to u; returns where it is, [dim]. The log-determinant is added. */
static const double *unwhiten_row(const lam_given *g, const lam_maps *maps, lam_whitener *whitener, const double *x,
    const unsigned char *roles, const double *z, double *log_det)
{
    double *u = whitener_row(g, maps, whitener, x, roles, z);
    *log_det += lam_unwhiten(whitener, roles, u);
    return u;
}

void lam_given_put(const lam_given *g, const lam_maps *maps, lam_whitener *whitener, const double *moving, const unsigned char *roles,
    size_t n, double *x, double *log_det)
{
    for (size_t i = 0; i < n; i++) {
        slopes s = { 1, 0 };
        const double *u = whitener == NULL ? NULL
            : unwhiten_row(g, maps, whitener, x + i * g->dim, roles_of(g, roles, i), moving + i * g->moving, &s.sum);
        for (size_t k = 0; k < g->moving; k++) {
            size_t j = g->moving_at[k];
            double z = u != NULL ? u[j] : moving[i * g->moving + k], slope = 1;
            if (role_of(g, roles, i, j) != LAM_MOVING)
                continue;
            x[i * g->dim + j] = maps != NULL ? lam_spline_inverse(&maps->column[j], z, &slope) : z;
            take_slope(&s, slope);
        }
        if (log_det != NULL)
            log_det[i] = s.sum + log(s.product);
    }
}

/* ---- draws -------------------------------------------------------------------------------------------------------- */

typedef struct dice {
    uint64_t seed, stream, at;
    lam_purpose purpose;
} dice;

static double throw(dice *d)
{
    return lam_random_uniform(d->seed, d->purpose, d->stream, d->at++);
}

/* One of 0 .. n - 1. */
static size_t below(dice *d, size_t n)
{
    size_t k = (size_t)(throw(d) * (double)n);
    return k < n ? k : n - 1;
}

/* Any n of the columns that move yet take a role. */
static void choose(const lam_given *g, dice *d, size_t n, size_t left, unsigned char role, unsigned char *roles)
{
    for (size_t k = 0; k < g->moving && n > 0; k++) {
        unsigned char *r = &roles[g->moving_at[k]];
        if (*r != LAM_MOVING)
            continue;
        if (below(d, left) < n) { /* selection sampling: every subset of n is equally likely */
            *r = role;
            n--;
        }
        left--;
    }
}

static void draw_never_moving(const lam_given *g, dice *d, unsigned char *roles)
{
    int each = throw(d) < 0.5, all = throw(d) < 0.5;
    for (size_t k = 0; k < g->given; k++) {
        unsigned char *r = &roles[g->given_at[k]];
        int here = each ? throw(d) < 0.5 : all;
        if (*r == LAM_GIVEN && !here)
            *r = LAM_ABSENT;
    }
}

void lam_given_draw(const lam_given *g, uint64_t seed, lam_purpose purpose, uint64_t stream, uint64_t row, unsigned char *roles)
{
    dice d = { seed, stream, row * (2 * (uint64_t)g->dim + 8), purpose };
    size_t there = 0;
    for (size_t k = 0; k < g->moving; k++)
        there += roles[g->moving_at[k]] == LAM_MOVING;
    if (g->given > 0)
        draw_never_moving(g, &d, roles);
    double kind = throw(&d);
    if (kind < 0.25 || there == 0)
        return;
    size_t given = below(&d, there), left = there - given;
    choose(g, &d, given, there, LAM_GIVEN, roles);
    if (kind >= 0.75)
        choose(g, &d, below(&d, left), left, LAM_ABSENT, roles);
}
