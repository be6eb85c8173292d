/* Which columns a density is of and which it is conditional on (method.md 14), and rows taken apart and put together accordingly. A given
 * column of numbers is one input of the context; one of texts, whose values are numbers of levels 0, 1, ..., is one for every level, 1
 * where the row has it and else 0. */
#ifndef LAM_DATA_GIVEN_H
#define LAM_DATA_GIVEN_H
#include "data/maps.h"
#include "laminar.h"

typedef struct lam_given {
    size_t dim, moving, given; /* columns of a row; of those, that the density is of, and that are given */
    size_t *moving_at, *given_at; /* [moving], [given] which, ascending */
    size_t *levels;            /* [dim] of a column of texts; 0: of numbers */
    size_t inputs;             /* of the context; 0: nothing is given */
} lam_given;

/* is_given [dim] (NULL: none) and levels [dim] (NULL: no texts). LAM_ERR_ARGUMENT if all columns are given. Clear it after failures too. */
lam_status lam_given_make(size_t dim, const unsigned char *is_given, const size_t *levels, lam_given *out);
void lam_given_clear(lam_given *given);

/* Standardised rows x [n, dim] to those that the flow sees, moving [n, moving], and to the context's inputs [n, inputs], each by way of
 * the column maps (NULL: none). log_det [n] or NULL: that of the maps of the moving columns, nats. */
void lam_given_take(const lam_given *given, const lam_maps *maps, const double *x, size_t n, double *moving, double *log_det);
void lam_given_inputs(const lam_given *given, const lam_maps *maps, const double *x, size_t n, double *inputs);
/* The flow's rows back into the moving columns of x [n, dim], through the inverse maps; log_det as before. */
void lam_given_put(const lam_given *given, const lam_maps *maps, const double *moving, size_t n, double *x, double *log_det);

#endif
