/* Decimal numbers in text, rounded to the nearest double. */
#ifndef LAM_BASE_DECIMAL_NUMBER_H
#define LAM_BASE_DECIMAL_NUMBER_H

/* Reads [+-] digits [point digits] [e [+-] digits] from p on, up to end; the exponent may be written with E, d or D as well. Returns what stands
 * behind it, and in *value the double that strtod gives. NULL: there is no such number at p, or it is one whose rounding is not decided here:
 * more than 19 digits that lie very near the middle of two doubles, or a size outside of 1e-107 to 1e+127. */
const char *lam_decimal_number(const char *p, const char *end, char point, double *value);

#endif
