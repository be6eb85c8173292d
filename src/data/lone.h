/* A value that stands far from all others of its column, as those do that mean "missing" (-999, 9999, 1e9). */
#ifndef LAM_DATA_LONE_H
#define LAM_DATA_LONE_H
#include "laminar.h"

enum { LAM_LONE = 4 };
typedef struct lam_lone {
    size_t n;               /* of values, at most LAM_LONE; 0: none is to be told of */
    double value[LAM_LONE];
    size_t rows[LAM_LONE];  /* that have it */
    double low, high;       /* of the other values */
    double deviation, without; /* standard deviation of the column, and of the other values */
} lam_lone;

/* Of x [n]; folder as of lam_room_take, for what grows with n. A value is told of if
 *   - it is beyond all others, by more than half of what these span, or it is one of at most three together that are;
 *   - that is not what the column's own tail leads to expect. Of a tail whose distances from the middle fall as a power, as Cauchy's,
 *     log-normal and all thinner ones do, no faster, the logarithms of the ratios of neighbouring distances, i log(D_i / D_i+1), are
 *     draws of one exponential distribution (Renyi's representation; their mean is Hill's estimate of the tail). The ratio at the
 *     gap is held against the mean of the 50 or fewer behind it, at a level of 1e-6, or 1e-4 of a value that several rows have, since
 *     a continuous tail has none twice; of a number that looks as chosen (nines, limits of machine types, 1e8 and up) 1e-3, and 1e-2
 *     where several rows have it. One of these that lies five times as far out as the others span (twenty times, of one row)
 *     needs no tail;
 *   - and it makes the deviation: without such values it is less than half, or the value looks as chosen and several rows have it. */
lam_status lam_lone_find(const double *x, size_t n, const char *folder, lam_lone *out);

/* Both ends of all columns, of rows that come piece by piece. Free with lam_lone_end, which takes NULL. */
typedef struct lam_lone_ends lam_lone_ends;
lam_status lam_lone_begin(size_t dim, lam_lone_ends **out);
void lam_lone_look(lam_lone_ends *ends, const double *x, size_t n); /* x [n, dim] */
void lam_lone_end(lam_lone_ends *ends);
/* Which columns lam_lone_find may find a value in (1): those with missing cells (NaN), and those where it finds one. In the others (0) it finds none. x [n, dim]
 * are all rows that were looked at, or LAM_LONE_SAMPLE of them, those that lam_lone_find would take; of columns with missing cells it is then the cells of these
 * rows that tell. may [dim] */
enum { LAM_LONE_SAMPLE = 20000 };
lam_status lam_lone_guess(const lam_lone_ends *ends, const double *x, size_t n, size_t *may);

/* Does column x [n], stride apart, count the rows: whole numbers, each once, a range or nearly one (rows may have been left out)?
 * 1: in the order of the rows, up or down; 2: in another one. */
int lam_counts_rows(const double *x, size_t n, size_t stride, const char *folder);

#endif
