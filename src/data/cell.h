/* One cell of a text file. */
#ifndef LAM_DATA_CELL_H
#define LAM_DATA_CELL_H
#include <stddef.h>

typedef enum lam_cell_kind {
    LAM_CELL_NUMBER,  /* decimal, the exponent by e or d; "inf" and numbers beyond double's range give an infinite value */
    LAM_CELL_TIME,    /* HH:MM or HH:MM:SS[.fff]: minutes of the day */
    LAM_CELL_MISSING, /* empty, NA, NaN, null, ., -, ? and many more: docs/data.md has the list */
    LAM_CELL_TEXT,
} lam_cell_kind;

/* Reads cell [n], which has no blanks around it and need not end in NUL. *value is NaN unless a number or a time. The
 * decimal sign is a point in every locale. */
lam_cell_kind lam_cell_read(const char *cell, size_t n, double *value);
/* The same where the decimal sign is a comma; a number with a point is text then. */
lam_cell_kind lam_cell_read_comma(const char *cell, size_t n, double *value);

/* What a comma in a cell can be, of files whose cells are not separated by commas. */
typedef enum lam_comma_form {
    LAM_COMMA_NONE,    /* there is none */
    LAM_COMMA_DECIMAL, /* 1,5 0,250 -3,2e4: a decimal sign and nothing else */
    LAM_COMMA_EITHER,  /* 1,234: a decimal sign, or one between thousands */
    LAM_COMMA_OTHER,   /* 1,234,567 1,234.5 or text */
} lam_comma_form;
lam_comma_form lam_cell_comma(const char *cell, size_t n);

enum { LAM_SHOWN_SIZE = 44 };
/* A cell for an error message: at most 40 bytes of it, control characters as '?', "..." where it was cut. Returns shown. */
const char *lam_cell_show(const char *cell, size_t n, char shown[LAM_SHOWN_SIZE]);

#endif
