/* How finely a column's numbers are written. */
#ifndef LAM_DATA_RESOLUTION_H
#define LAM_DATA_RESOLUTION_H
#include <stddef.h>

typedef struct lam_resolution {
    double unit;     /* 0.01 of numbers with two decimals; 0: they have all digits of their type */
    double relative; /* of these: what a few sums and products leave of equal numbers, beside their size; else 0 */
    int digits;      /* significant digits that none has more of */
} lam_resolution;

/* Of x [n], stride apart; at most 2000 of them are looked at for their digits. */
void lam_resolution_of(const double *x, size_t n, size_t stride, lam_resolution *out);
/* The step to the next number that could have been written in place of value: the unit, or of numbers rounded to significant digits
 * (6.02214, 0.000123456) the last of those digits, or of numbers with all digits that share of their size. */
double lam_resolution_step(const lam_resolution *resolution, double value);

#endif
