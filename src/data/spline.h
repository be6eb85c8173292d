/* A monotone function of one variable: a rational quadratic between knots (Gregory and Delbourgo 1982), a straight line beyond them. Its
 * derivative is continuous and above 0, and its inverse has a closed form. */
#ifndef LAM_DATA_SPLINE_H
#define LAM_DATA_SPLINE_H
#include <stddef.h>

/* The function goes through (x[k], z[k]) with the slope slope[k]. */
typedef struct lam_spline {
    size_t n;                   /* knots, at least 2 */
    const double *x, *z, *slope; /* [n] x and z ascend strictly, slopes are above 0 */
} lam_spline;

/* The value at x, and its derivative there. NaN gives NaN. */
double lam_spline_at(const lam_spline *s, double x, double *slope);
/* The x at which the value is z, and the derivative of the value (not of the inverse) there. */
double lam_spline_inverse(const lam_spline *s, double z, double *slope);
/* Slopes [n] for knots x, z [n], n >= 2: inside the weighted geometric mean of the secants on both sides, at the most LAM_SPLINE_STEEP
 * times the flatter of them, so that the derivative has no deep dip between; at the ends those given, if these are not steeper. */
enum { LAM_SPLINE_STEEP = 3 };
void lam_spline_slopes(const double *x, const double *z, size_t n, double first, double last, double *slope);
/* 1: the arrays are what a spline's have to be, and all numbers finite. */
int lam_spline_is_sound(const lam_spline *s);

#endif
