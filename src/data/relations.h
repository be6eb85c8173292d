/* Columns that are linear functions of others: rows then lie on a plane, where a density may grow without bound. */
#ifndef LAM_DATA_RELATIONS_H
#define LAM_DATA_RELATIONS_H
#include "laminar.h"

/* x_column = constant + sum over k of weight[k] x_term[k], in every row. */
typedef struct lam_relation {
    size_t column, n;
    size_t *term;    /* [n] other columns, ascending */
    double *weight;  /* [n] */
    double constant;
    double residual; /* deviation of what is left, in the column's units: rounding */
} lam_relation;

typedef struct lam_relations {
    size_t n;
    lam_relation *all; /* [n] no column of these is a term of another, so that all of them may be dropped together */
} lam_relations;

enum { LAM_RELATIONS_SAMPLE = 20000 };
/* Of x [n, dim]. The relations are looked for in at most LAM_RELATIONS_SAMPLE rows (of many columns fewer, by the cost) and hold in all of them. sample: so
 * many rows, evenly spread over more, or NULL: they are picked out of x here.
 *
 * What is left of a relation may be what rounding leaves. A number that was printed with a step q (0.01) is off by up to q / 2, and
 * by q / sqrt(12) in root mean square; so the residual may be sqrt(q_j^2 + sum (weight q)^2) / sqrt(12) over the rows, a third more
 * for chance, and in no row more than twice the sum of the halves. Steps are read off the numbers: decimals, or significant digits
 * where those are what all have in common, or the last bits. Beside that, 1e-7 of the spread is allowed: a flow in float cannot tell
 * numbers apart below. And a residual above a fiftieth of the spread is never called rounding: a correlation of 0.9999 leaves 0.014
 * of noise in every row, which a step that is fine beside the spread does not explain, and one that is coarse proves nothing.
 * Free with lam_relations_clear. */
lam_status lam_relations_find(const double *x, size_t n, size_t dim, const double *sample, lam_relations *out);
void lam_relations_remove(lam_relations *relations, size_t index);
void lam_relations_clear(lam_relations *relations);

#endif
