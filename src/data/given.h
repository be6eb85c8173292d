/* Which columns a density is of and which it is conditional on (method.md 14, 15), and rows taken apart and put together accordingly. A given
 * column of numbers is one input of the context; one of texts, whose values are numbers of levels 0, 1, ..., is one for every level, 1
 * where the row has it and else 0.
 *
 * In a masked model roles (lam_role, [n, dim]) differ from row to row: moving columns may be absent, and with `any` given. Its inputs are, side
 * by side: of the given columns (0 where they are absent); with `any` a flag for each of them, and of the moving ones g x and g; and m of
 * the moving ones. Roles NULL: moving columns move, given ones are given. */
#ifndef LAM_DATA_GIVEN_H
#define LAM_DATA_GIVEN_H
#include "base/random.h"
#include "data/maps.h"
#include "data/whiten.h"

/* What the columns of a model are; zeros and NULL: none is given. */
typedef struct lam_given_kind {
    const unsigned char *is_given; /* [dim] */
    const size_t *levels;          /* [dim] of a column of texts; 0: of numbers */
    int any;                       /* 1: any columns given any others; is_given says then which never move */
    int absent;                    /* 1: moving columns may be absent */
} lam_given_kind;

typedef struct lam_given {
    size_t dim, moving, given;    /* columns of a row; of those, that the density is of, and that are given */
    size_t *moving_at, *given_at; /* [moving], [given] which, ascending */
    unsigned char *is_given;      /* [dim] */
    unsigned char *usual;         /* [dim] roles: given columns are given, the others move */
    size_t *levels;               /* [dim] */
    int any, absent, masked;      /* masked: any or absent */
    size_t inputs;                /* of the context; 0: there is none */
} lam_given;

/* LAM_ERR_ARGUMENT if all columns are given. Clear it after failures too. */
lam_status lam_given_make(size_t dim, const lam_given_kind *kind, lam_given *out);
void lam_given_clear(lam_given *given);
lam_given_kind lam_given_kind_of(const lam_given *given); /* borrows from it */

/* Roles [n, dim] of rows as they come: what is NaN is absent, given columns are given, the others move. */
void lam_given_roles(const lam_given *given, const double *x, size_t n, unsigned char *roles);
/* Standardised rows x [n, dim] to those that the flow sees, moving [n, moving], 0 in what does not move, and to the context's inputs [n, inputs],
 * each by way of the column maps (NULL: none) and the moving ones of the whitener (NULL: none). log_det [n] or NULL: that of both, of what
 * moves, nats. moves [n, moving]: 1 where a column moves. */
void lam_given_take(const lam_given *given, const lam_maps *maps, lam_whitener *whitener, const double *x, const unsigned char *roles,
    size_t n, double *moving, double *log_det);
void lam_given_inputs(const lam_given *given, const lam_maps *maps, const double *x, const unsigned char *roles, size_t n, double *inputs);
void lam_given_moves(const lam_given *given, const unsigned char *roles, size_t n, unsigned char *moves);
/* The flow's rows back into what moves in x [n, dim], which has what is given, through the inverse of both; log_det as before. */
void lam_given_put(const lam_given *given, const lam_maps *maps, lam_whitener *whitener, const double *moving, const unsigned char *roles,
    size_t n, double *x, double *log_det);

/* One row's roles [dim] for training or validation of any columns given any others, from those of lam_given_roles: of what is there, in a
 * quarter of the draws all moves; else any number is given, 0 to all but one equally likely; and in a third of these of the rest any
 * number, but one at least, moves, and the others are absent. Columns that never move are given, or absent, by a fair coin for all of them or,
 * as often, for each. A function of (seed, purpose, stream, row). */
void lam_given_draw(const lam_given *given, uint64_t seed, lam_purpose purpose, uint64_t stream, uint64_t row, unsigned char *roles);

#endif
