/* Numbers to and from text, the same whatever locale the caller's program has set. */
#ifndef LAM_BASE_NUMBER_H
#define LAM_BASE_NUMBER_H
#include <stddef.h>
#include <stdint.h>

enum { LAM_NUMBER_SIZE = 40 }; /* room that any number's text fits in */

/* The shortest decimal text that reads back as the same double, in a form that JSON and YAML 1.1 both take for a number:
 * "0.5", "1000", "1.0e-5" (a plain "1e-5" is a string to YAML 1.1). "nan", "inf", "-inf" for those. */
void lam_number_print(double value, char text[LAM_NUMBER_SIZE]);
/* Reads all of text as a finite double / as a whole number without sign. 0 on success, -1 else (*out untouched). Blanks
 * before or after, hexadecimal and digits beyond the range are refused. */
int lam_number_read(const char *text, double *out);
int lam_whole_read(const char *text, uint64_t *out);
/* Reads a length of time as seconds: a number ("90", "0.5"), or numbers with units, each once and the longer ones first ("90s", "5m",
 * "1h30m"). 0 on success, -1 else (*out untouched). */
int lam_seconds_read(const char *text, double *out);
/* To so many significant digits, 1 to 15: 0.0099999999999909 to 6 is 0.01, as differences of decimals carry their rounding. */
double lam_number_round(double value, int digits);

#endif
