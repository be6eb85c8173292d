/* Integrates a model's density over a grid, to check that it is 1. */
#include "model/mass.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/random.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double RADIUS = 4.5, WIDER = 1.05, ENOUGH = 2e-3;
enum { RING = 512, DRAWS = 4096, SIDE_1D = 256, SIDE_2D = 48, MOST_POINTS = 200000, ROUNDS = 10 };

/* Axis-parallel; with 1 column the second entries are unused. Cells are of the plane that the flow sees, behind the column maps, where the
 * density is smooth; what is integrated is the density in standardised units, times how far apart the points of two near places lie there. */
typedef struct cell {
    double middle[2], half[2];
    double mass;   /* by Gauss' rule of two points a side */
    double change; /* of the mass of the whole family, on a family's first cell */
} cell;

typedef struct box {
    size_t dim, side, points; /* points: of a cell, 2^dim; also a cell's children */
    double low[2], width[2];
} box;

/* ---- cells -------------------------------------------------------------------------------------------------------- */

typedef struct points {
    const lam_model *model;
    const box *b;
    cell *cells; /* [n / b->points] */
} points;

/* Coordinate j of a point of a cell: of so many a side the one that the bit says. */
static double coordinate(const cell *c, size_t corner, size_t j)
{
    const double offset = 0.57735026918962576451; /* 1 / sqrt 3 */
    return c->middle[j] + (corner >> j & 1 ? offset : -offset) * c->half[j];
}

static void fill(void *self, size_t first, size_t rows, double *x)
{
    const points *p = self;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < p->b->dim; j++)
            x[i * p->b->dim + j] = coordinate(&p->cells[(first + i) / p->b->points], (first + i) % p->b->points, j);
    lam_maps_inverse(p->model->maps, x, rows, p->b->dim, x, NULL);
}

/* dx/du of a column's map at u, by the inverse alone: the slopes that log p counts are so tested, not used. */
static double stretch(const lam_maps *maps, size_t j, double u)
{
    const double step = 1e-6;
    double slope;
    if (maps == NULL)
        return 1;
    return (lam_spline_inverse(&maps->column[j], u + step, &slope) - lam_spline_inverse(&maps->column[j], u - step, &slope)) / (2 * step);
}

static lam_status take(void *self, size_t first, size_t rows, const double *x, const double *y, const double *logp)
{
    const points *p = self;
    const box *b = p->b;
    (void)x;
    (void)y;
    for (size_t i = 0; i < rows; i++) {
        cell *c = &p->cells[(first + i) / b->points];
        double volume = c->half[0] * (b->dim > 1 ? c->half[1] : 1); /* a point's share of the cell */
        for (size_t j = 0; j < b->dim; j++)
            volume *= stretch(p->model->maps, j, coordinate(c, (first + i) % b->points, j));
        c->mass += volume * exp(logp[i]);
        if (!isfinite(c->mass))
            return lam_fail(LAM_ERR_SOLVER, "the density near (%g, %g), %s, is not finite", c->middle[0], b->dim > 1 ? c->middle[1] : 0,
                p->model->maps != NULL ? "behind the column maps" : "standardised units");
    }
    return LAM_OK;
}

/* Masses of n cells, which are 0 before. */
static lam_status measure(lam_pass *pass, const box *b, cell *cells, size_t n)
{
    points p = { pass->model, b, cells };
    lam_counts counts = { 0 };
    const lam_rows rows = { &p, fill, take };
    lam_status status = lam_pass_run(pass, 1, 1, n * b->points, &rows, &counts);
    pass->done += n * b->points;
    return status;
}

/* The children of n cells, [n * points], and the change that each family brings. */
static lam_status split(lam_pass *pass, const box *b, const cell *parents, size_t n, cell **out)
{
    cell *children = lam_alloc(n * b->points, sizeof *children);
    if (children == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < n * b->points; i++)
        for (size_t j = 0; j < b->dim; j++) {
            const cell *parent = &parents[i / b->points];
            children[i].half[j] = 0.5 * parent->half[j];
            children[i].middle[j] = parent->middle[j] + (i % b->points >> j & 1 ? 0.5 : -0.5) * parent->half[j];
        }
    lam_status status = measure(pass, b, children, n * b->points);
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t k = 0; k < b->points; k++)
            sum += children[i * b->points + k].mass;
        children[i * b->points].change = fabs(sum - parents[i].mass);
    }
    if (status != LAM_OK)
        lam_free(children);
    else
        *out = children;
    return status;
}

/* ---- the box and its first cells ---------------------------------------------------------------------------------- */

/* The box around where the flow carries the circle of radius RADIUS (a flow keeps what is inside, inside). */
static lam_status find_box(lam_pass *pass, box *b)
{
    static const double turn = 6.283185307179586476925;
    lam_counts counts = { 0 };
    double *z = lam_alloc(RING * b->dim, sizeof *z), *x = lam_alloc(RING * b->dim, sizeof *x);
    lam_status status = z == NULL || x == NULL ? LAM_ERR_MEMORY : LAM_OK;
    for (size_t i = 0; status == LAM_OK && i < RING; i++) {
        if (b->dim == 1)
            z[i] = i % 2 ? RADIUS : -RADIUS;
        else
            z[2 * i] = RADIUS * cos(turn * (double)i / RING), z[2 * i + 1] = RADIUS * sin(turn * (double)i / RING);
    }
    if (status == LAM_OK)
        status = lam_pass_transform(pass, 0, z, RING, x, &counts);
    if (status == LAM_OK)
        lam_maps_forward(pass->model->maps, x, RING, b->dim, x, NULL);
    pass->done += RING;
    for (size_t j = 0; status == LAM_OK && j < b->dim; j++) {
        double low = INFINITY, high = -INFINITY;
        for (size_t i = 0; i < RING; i++) {
            low = fmin(low, x[i * b->dim + j]);
            high = fmax(high, x[i * b->dim + j]);
        }
        b->width[j] = (high - low) * WIDER;
        b->low[j] = 0.5 * (low + high) - 0.5 * b->width[j];
    }
    lam_free(z);
    lam_free(x);
    return status;
}

/* Marks the cells into which draws from the model fall, and their neighbours: ridges that lie between the points of the first
 * cells are found that way. */
static lam_status mark(lam_pass *pass, const box *b, unsigned char *marked)
{
    lam_counts counts = { 0 };
    double *x = lam_alloc(DRAWS * b->dim, sizeof *x);
    if (x == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < DRAWS; i++)
        lam_random_normal_row(0, LAM_DRAW_SAMPLE, 0, i, x + i * b->dim, b->dim);
    lam_status status = lam_pass_transform(pass, 0, x, DRAWS, x, &counts);
    if (status == LAM_OK)
        lam_maps_forward(pass->model->maps, x, DRAWS, b->dim, x, NULL);
    pass->done += DRAWS;
    for (size_t i = 0; status == LAM_OK && i < DRAWS; i++)
        for (size_t k = 0; k < (b->dim == 1 ? 3 : 9); k++) {
            size_t at = 0, inside = 1;
            for (size_t j = b->dim; j-- > 0;) {
                double place = floor((x[i * b->dim + j] - b->low[j]) / b->width[j] * (double)b->side)
                    + (double)(j == 0 ? k % 3 : k / 3) - 1;
                inside = inside && place >= 0 && place < (double)b->side;
                at = inside ? at * b->side + (size_t)place : 0;
            }
            if (inside)
                marked[at] = 1;
        }
    lam_free(x);
    return status;
}

static lam_status first_cells(lam_pass *pass, const box *b, cell *cells, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0, at = i; j < b->dim; j++, at /= b->side) {
            cells[i].half[j] = 0.5 * b->width[j] / (double)b->side;
            cells[i].middle[j] = b->low[j] + cells[i].half[j] * (double)(2 * (at % b->side) + 1);
        }
    return measure(pass, b, cells, n);
}

/* ---- refinement --------------------------------------------------------------------------------------------------- */

typedef struct family {
    double change;
    size_t index;
} family;

static int by_change(const void *a, const void *b)
{
    const family *x = a, *y = b;
    if (x->change != y->change)
        return x->change < y->change ? 1 : -1;
    return x->index < y->index ? -1 : 1;
}

/* Of n families of cells, moves the members of those that are to be split to the front of cells and adds the masses of the
 * others to *done. Split are the families of largest change, until what the rest changed is below ENOUGH. Returns how many
 * families that are. */
static lam_status choose(const box *b, cell *cells, size_t n, size_t most, double *done, size_t *chosen)
{
    family *order = lam_alloc(n, sizeof *order);
    cell *kept = lam_alloc(n * b->points, sizeof *kept);
    if (order == NULL || kept == NULL) {
        lam_free(order);
        lam_free(kept);
        return LAM_ERR_MEMORY;
    }
    double rest = 0;
    for (size_t i = 0; i < n; i++) {
        order[i] = (family) { cells[i * b->points].change, i };
        rest += order[i].change;
    }
    qsort(order, n, sizeof *order, by_change);
    *chosen = 0;
    for (size_t i = 0; i < n; i++) {
        const cell *members = &cells[order[i].index * b->points];
        if (rest > ENOUGH && *chosen < most) {
            memcpy(&kept[(*chosen)++ * b->points], members, b->points * sizeof *members);
            rest -= order[i].change;
            continue;
        }
        for (size_t k = 0; k < b->points; k++)
            *done += members[k].mass;
    }
    memcpy(cells, kept, *chosen * b->points * sizeof *cells);
    lam_free(order);
    lam_free(kept);
    return LAM_OK;
}

/* Splits n cells again and again; *done receives their masses in the end. */
static lam_status refine(lam_pass *pass, const box *b, const cell *cells, size_t n, size_t spent, double *done)
{
    cell *now = NULL, *next;
    lam_status status = n > 0 ? split(pass, b, cells, n, &now) : LAM_OK;
    size_t families = n;
    spent += n * b->points * b->points;
    for (int round = 1; status == LAM_OK && families > 0; round++) {
        size_t cost = b->points * b->points * b->points; /* of a family, its members split */
        size_t most = round < ROUNDS && spent < MOST_POINTS ? (MOST_POINTS - spent) / cost : 0, chosen;
        status = choose(b, now, families, most, done, &chosen);
        if (status != LAM_OK || chosen == 0)
            break;
        families = chosen * b->points;
        spent += chosen * cost;
        status = split(pass, b, now, families, &next);
        if (status == LAM_OK) {
            lam_free(now);
            now = next;
        }
    }
    lam_free(now);
    return status;
}

lam_status lam_mass(const lam_pass *pass, double *mass)
{
    lam_pass p = *pass;
    p.units = LAM_UNITS_STANDARDISED;
    p.divergence = LAM_DIV_EXACT;
    box b = { .dim = p.model->dim };
    b.side = b.dim == 1 ? SIDE_1D : SIDE_2D;
    b.points = b.dim == 1 ? 2 : 4;
    size_t n = b.dim == 1 ? b.side : b.side * b.side, chosen = 0;
    double done = 0;
    cell *cells = lam_alloc(n, sizeof *cells);
    unsigned char *marked = lam_alloc(n, 1);
    lam_status status = cells == NULL || marked == NULL ? LAM_ERR_MEMORY : find_box(&p, &b);
    if (status == LAM_OK)
        status = mark(&p, &b, marked);
    if (status == LAM_OK)
        status = first_cells(&p, &b, cells, n);
    for (size_t i = 0; status == LAM_OK && i < n; i++) {
        if (marked[i] || cells[i].mass > 1e-3 / (double)n)
            cells[chosen++] = cells[i];
        else
            done += cells[i].mass;
    }
    if (status == LAM_OK)
        status = refine(&p, &b, cells, chosen, n * b.points, &done);
    lam_free(cells);
    lam_free(marked);
    if (status != LAM_OK)
        return lam_fail_in(status, "the integral of the density");
    *mass = done;
    return LAM_OK;
}
