/* Lines of equal value through a grid of values. */
#ifndef LAM_REPORT_CONTOUR_H
#define LAM_REPORT_CONTOUR_H
#include "laminar.h"

/* points [n] of (column, row), those of the grid's values being whole numbers; a closed line ends where it begins. */
typedef void (*lam_contour_fn)(void *user, const double (*points)[2], size_t n);

/* Calls fn for each line on which z [rows, columns] is level, by linear interpolation between neighbours; where a line might go on
 * either way between four of them (a saddle), their mean decides. Lines end at the border and at values that are not finite. */
lam_status lam_contour_trace(const double *z, size_t rows, size_t columns, double level, lam_contour_fn fn, void *user);

#endif
