/* Column maps: of every column a spline that takes standardised values to normal scores (method.md 13). NULL in place of maps is the map
 * that changes nothing. */
#ifndef LAM_DATA_MAPS_H
#define LAM_DATA_MAPS_H
#include "data/spline.h"
#include "base/config.h"

enum { LAM_MAP_TABLE = 3 }; /* numbers of a knot: x, z, slope */

typedef struct lam_maps {
    size_t dim;
    lam_spline *column; /* [dim] */
    double **table;     /* [dim] what the splines point into: x [n], then z [n], then slope [n] */
} lam_maps;

enum { LAM_MAP_SORTED = 1 << 20 }; /* rows: columns of more are not sorted */

/* What maps are fitted to. */
typedef struct lam_maps_rows {
    const double *x;         /* [n, dim] training rows */
    size_t n, dim;
    const lam_names *levels; /* [dim] of columns of text; NULL: there is none */
    const char *folder;      /* for what grows with n, as of lam_room_take */
    const lam_maps *ready;   /* NULL, or maps for so many knots whose first columns are made already, of more than LAM_MAP_SORTED rows */
    size_t ready_columns;
} lam_maps_rows;
/* Of every column the cells that are not missing (NaN), two or more. The map of a column of text changes nothing. knots: quantiles of every
 * column, but no more than one for five rows; 0: of each column as many as pay, up to lam_maps_most_knots. Of more than LAM_MAP_SORTED rows the quantiles
 * are those of a sketch (base/sketch.h), and they are no more than lam_maps_most_knots in any case: method.md 13 has the errors. Free with lam_maps_free. */
lam_status lam_maps_fit(const lam_maps_rows *rows, size_t knots, lam_maps **out);
size_t lam_maps_most_knots(size_t n); /* 2 sqrt(n), for n rows; from 2^20 on 2048 */

/* Sketches of columns from `first` on, as many as there is room for (128 MiB), of n rows of lam_maps_rows that come piece by piece; x of that is not read. The
 * ranks of numbers are those of the same numbers standardised, so rows need not be that yet. Free with lam_maps_reading_free, which takes NULL. */
typedef struct lam_maps_reading lam_maps_reading;
lam_status lam_maps_reading_begin(const lam_maps_rows *rows, size_t first, lam_maps_reading **out);
void lam_maps_reading_add(lam_maps_reading *reading, const double *x, size_t n); /* x [n, dim] */
size_t lam_maps_reading_columns(const lam_maps_reading *reading, size_t *first); /* how many, and the first of them */
/* Ends the reading: the maps of these columns, as if the rows were standardised by mean and scale [dim], those of all others straight lines. */
lam_status lam_maps_of_reading(lam_maps_reading *reading, size_t dim, size_t knots, const double *mean, const double *scale, lam_maps **out);
void lam_maps_reading_free(lam_maps_reading *reading);

/* Maps for so many knots a column [dim], all numbers 0: for those who fill the tables. */
lam_status lam_maps_create(size_t dim, const size_t *knots, lam_maps **out);
lam_status lam_maps_copy(const lam_maps *maps, lam_maps **out); /* of NULL: NULL */
void lam_maps_free(lam_maps *maps);

/* Rows x [rows, dim] to normal scores z, and back; x and z may be the same array. A missing cell stays one. log_det [rows], or NULL, receives the sum over
 * the other cells of log dz/dx, in either direction, nats. */
void lam_maps_forward(const lam_maps *maps, const double *x, size_t rows, size_t dim, double *z, double *log_det);
void lam_maps_inverse(const lam_maps *maps, const double *z, size_t rows, size_t dim, double *x, double *log_det);

#endif
