/* Mean and spread of a column, and the one rule for when two of its numbers are the same. */
#ifndef LAM_DATA_MOMENTS_H
#define LAM_DATA_MOMENTS_H
#include "base/sort.h"
#include "laminar.h"

typedef struct lam_column_moments {
    double low, high, mean, deviation; /* the deviation of the population: it divides by n */
    double same;                       /* numbers of the column no further apart than this are the same number */
    int constant;                      /* all of them are */
    size_t n;                          /* numbers that were there, of lam_moments_of_rows */
} lam_column_moments;

/* Of x [n], stride apart, n > 0, all finite. Two passes about the mean, with what the first mean was off by taken out again, so that a
 * mean that is large beside the deviation costs no digits. What overflows comes out as an infinity or NaN. */
void lam_moments_of(const double *x, size_t n, size_t stride, lam_column_moments *out);
/* Of all columns of rows that come in pieces, in their order. A piece is read twice, as lam_moments_of reads a column, and the sums about its means are
 * joined to those of the pieces before it (Chan, Golub and LeVeque, The American Statistician 37, 1983). The bits are those of the rows and of where they are
 * cut, and of a single piece those of lam_moments_of. What is missing (NaN) does not count; of a column where nothing is there n is 0, and so is the rest. */
enum { LAM_MOMENTS_PIECE = 65536 /* rows, of those who have a choice */ };
typedef struct lam_moments_run lam_moments_run;
/* products 1: of pairs of columns too. Free with lam_moments_free, which takes NULL. */
lam_status lam_moments_begin(size_t dim, int products, lam_moments_run **out);
void lam_moments_add(lam_moments_run *run, const double *x, size_t n); /* x [n, dim] */
void lam_moments_end(const lam_moments_run *run, lam_column_moments *out); /* out [dim] */
/* The lower triangle of the covariance (over n) to covariance [dim, dim]; 0: nothing, as no products were asked for or a cell was missing. */
int lam_moments_covariance(const lam_moments_run *run, double *covariance);
void lam_moments_free(lam_moments_run *run);
/* The same of rows that are there, in pieces of LAM_MOMENTS_PIECE. */
lam_status lam_moments_of_rows(const double *x, size_t n, size_t dim, lam_column_moments *out);

enum { LAM_SAME_ULPS = 64 };
/* How far apart two numbers of a column may be and still be the same: so many units in the last place of the largest magnitude. Sums and
 * products of a few decimals differ by less when they are made in different orders (0.3 and 0.1 + 0.2 by one). A column that is no
 * wider than this has at most some 64 different doubles in it, so it has no density whatever it means. 0 of whole numbers up to 2^53,
 * which double holds exactly. */
double lam_same_within(const double *x, size_t n, size_t stride);
/* The same of two numbers by themselves, where one value may dwarf the others of its column. */
int lam_is_same(double a, double b);
/* Numbers that were 4-byte floats once, and not just whole numbers: their last bits are a float's. */
int lam_were_floats(const double *x, size_t n, size_t stride);

#endif
