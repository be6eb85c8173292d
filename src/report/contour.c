/* Finds lines of equal value in a grid. */
#include "report/contour.h"
#include "base/mem.h"
#include <math.h>

/* Edges between neighbours of the grid are numbered 2 (row * columns + column) for the one to the next column, that + 1 for the one
 * to the next row. A line crosses a cell from edge to edge; at most two cells share an edge. */
typedef struct tracer {
    const double *z;
    size_t rows, columns;
    double level;
    size_t (*next)[2];     /* [edges] edges that a line through this one goes on to; NONE */
    double (*points)[2];   /* [edges + 1] of the line in hand */
} tracer;

static const size_t NONE = (size_t)-1;

static void link_edges(tracer *t, size_t a, size_t b)
{
    t->next[a][t->next[a][0] == NONE ? 0 : 1] = b;
    t->next[b][t->next[b][0] == NONE ? 0 : 1] = a;
}

/* The cell whose corners are (row, column) to (row + 1, column + 1). */
static void cross_cell(tracer *t, size_t row, size_t column)
{
    size_t at = row * t->columns + column;
    const double corner[4] = { t->z[at], t->z[at + 1], t->z[at + 1 + t->columns], t->z[at + t->columns] }; /* around the cell */
    const size_t edge[4] = { 2 * at, 2 * (at + 1) + 1, 2 * (at + t->columns), 2 * at + 1 }; /* from corner i to the next */
    size_t crossed[4], n = 0;
    double mean = 0;
    for (size_t i = 0; i < 4; i++) {
        if (!isfinite(corner[i]))
            return;
        mean += 0.25 * corner[i];
        if ((corner[i] >= t->level) != (corner[(i + 1) % 4] >= t->level))
            crossed[n++] = edge[i];
    }
    if (n == 2) {
        link_edges(t, crossed[0], crossed[1]);
    } else if (n == 4) { /* opposite corners agree: the mean says which pair is joined through the middle */
        int cut_first = (mean >= t->level) != (corner[0] >= t->level); /* corner 0, and so corner 2, is cut off */
        link_edges(t, crossed[0], cut_first ? crossed[3] : crossed[1]);
        link_edges(t, crossed[2], cut_first ? crossed[1] : crossed[3]);
    }
}

static void point_on(const tracer *t, size_t edge, double point[2])
{
    size_t at = edge / 2, to = at + (edge % 2 ? t->columns : 1);
    double part = (t->level - t->z[at]) / (t->z[to] - t->z[at]);
    point[0] = (double)(at % t->columns) + (edge % 2 ? 0 : part);
    point[1] = (double)(at / t->columns) + (edge % 2 ? part : 0);
}

/* Follows a line from an edge and takes it away. */
static void follow(tracer *t, size_t start, lam_contour_fn fn, void *user)
{
    size_t n = 0, edge = start;
    while (edge != NONE) {
        size_t next = t->next[edge][0] != NONE ? t->next[edge][0] : t->next[edge][1];
        point_on(t, edge, t->points[n++]);
        for (size_t i = 0; i < 2; i++) {
            if (t->next[edge][i] == next)
                t->next[edge][i] = NONE;
            if (next != NONE && t->next[next][i] == edge)
                t->next[next][i] = NONE;
        }
        edge = next;
    }
    fn(user, (const double (*)[2])t->points, n);
}

lam_status lam_contour_trace(const double *z, size_t rows, size_t columns, double level, lam_contour_fn fn, void *user)
{
    size_t edges = 2 * rows * columns;
    tracer t = { .z = z, .rows = rows, .columns = columns, .level = level };
    if (rows < 2 || columns < 2)
        return LAM_OK;
    t.next = lam_alloc(edges, sizeof *t.next);
    t.points = lam_alloc(edges + 1, sizeof *t.points);
    lam_status status = t.next == NULL || t.points == NULL ? LAM_ERR_MEMORY : LAM_OK;
    for (size_t i = 0; status == LAM_OK && i < edges; i++)
        t.next[i][0] = t.next[i][1] = NONE;
    for (size_t i = 0; status == LAM_OK && i + 1 < rows; i++)
        for (size_t j = 0; j + 1 < columns; j++)
            cross_cell(&t, i, j);
    for (int loops = 0; status == LAM_OK && loops < 2; loops++) /* lines with ends first; what is left then goes around */
        for (size_t i = 0; i < edges; i++)
            if (loops ? t.next[i][0] != NONE : (t.next[i][0] != NONE) != (t.next[i][1] != NONE))
                follow(&t, i, fn, user);
    lam_free(t.next);
    lam_free(t.points);
    return status;
}
