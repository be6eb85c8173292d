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
/* The same of all columns of x [n, dim] in two readings, to the last bit; what is missing (NaN) does not count, and where nothing is there n is 0 and so
 * is the rest. out [dim] */
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
