/* Messages about columns: of sixty bad ones, the first few by name, and a flag that has them all. */
#ifndef LAM_DATA_REMARK_H
#define LAM_DATA_REMARK_H
#include "data/columns.h"
#include <stdio.h>

/* A text that grows as it is written to (out is a stream; NULL when there was no memory). */
typedef struct lam_remark {
    FILE *out;
    char *text;
    size_t size;
} lam_remark;
lam_status lam_remark_begin(lam_remark *remark);
/* Ends the text: it goes to log as one line, or becomes the failure `status`. LAM_ERR_MEMORY: it could not be kept. */
lam_status lam_remark_say(lam_remark *remark, const lam_log *log);
lam_status lam_remark_fail(lam_remark *remark, lam_status status);

/* One name, cut where it is long: for reading, not for pasting. */
void lam_remark_name(FILE *out, const char *name);
/* Of n columns, so many are named before "and 54 others" stands for the rest; and what stands behind the i-th of those that are. */
enum { LAM_REMARK_NAMES = 6 };
size_t lam_remark_shown(size_t n);
void lam_remark_between(FILE *out, size_t i, size_t shown, size_t n);
/* "column 2 (price)", and where columns without names are counted from 0 their number alone. column: from 0, as columns [n] below. */
void lam_remark_column(FILE *out, const lam_source *source, size_t column);
/* "a, b, c, d, e, f and 54 others" */
void lam_remark_names(FILE *out, const lam_source *source, const size_t *columns, size_t n);
/* "--drop a,b,c", "--noise a:1,b:0.5": all of them, to be pasted into a shell, in quotes where a name wants them. Where columns are counted
 * from 0, a name of digits stands in double quotes: without these it is a place. */
void lam_remark_drop(FILE *out, const lam_source *source, const size_t *columns, size_t n);
/* What to do about a cell of column that is no number, or missing; flags are those that help where the options are read with. */
void lam_remark_remedy(FILE *out, const lam_source *source, size_t column, const lam_read_options *options, int missing);
void lam_remark_noise(FILE *out, const lam_source *source, const size_t *columns, const double *widths, size_t n);
/* A number to so many significant digits; 0: all of them. */
void lam_remark_number(FILE *out, double value, int digits);

#endif
