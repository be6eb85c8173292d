/* Whether the first line of a text file holds the names of its columns. */
#ifndef LAM_DATA_HEADER_H
#define LAM_DATA_HEADER_H
#include "data/cell.h"
#include "data/lines.h"
#include "laminar.h"

/* The first line that is no comment, and some of those below it. */
typedef struct lam_first_lines {
    lam_separator separator;
    const lam_text_line *first, *below; /* below [n] */
    size_t n, cols;                     /* cols: cells of the first */
    int row_names;                      /* the lines below begin with a cell more, which has no name */
} lam_first_lines;

typedef struct lam_header_verdict {
    int is_header;
    const char *rule;  /* "text above numbers": what decided, for a message; not of a line of numbers */
    char warning[256]; /* where the other answer is likely as well; "": nothing */
} lam_header_verdict;

/* A column is one of numbers if more of its cells below are numbers or times than are text. The first line is a header
 *  - if some cell of it is text above a column of numbers; but not if other cells of it are numbers that no names are: with a sign, a
 *    fraction or an exponent, unless these are evenly spaced;
 *  - if some cell of it is a number in quotes above one without;
 *  - if it has text, no number, and no missing value above a column of numbers.
 * So neither a date nor a missing value in the first row, however it is spelled, makes names of it. */
lam_status lam_header_decide(const lam_first_lines *lines, lam_header_verdict *verdict);
/* Kind and value of a cell when it is not known yet what the decimal sign is: both are read. */
lam_cell_kind lam_header_kind(const lam_cell *cell, lam_separator separator, double *value);

#endif
