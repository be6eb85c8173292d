/* One cell of a text file. */
#ifndef LAM_DATA_CELL_H
#define LAM_DATA_CELL_H
#include <stddef.h>

typedef enum lam_cell_kind {
    LAM_CELL_NUMBER,  /* decimal; "inf" and numbers beyond double's range give an infinite value */
    LAM_CELL_TIME,    /* HH:MM or HH:MM:SS[.fff]: minutes of the day */
    LAM_CELL_MISSING, /* empty, ?, NA, N/A, NaN, null, none (capitals or not) */
    LAM_CELL_TEXT,
} lam_cell_kind;

/* Reads cell [n], which has no blanks around it and need not end in NUL. *value is NaN unless a number or a time. The
 * decimal sign is a point in every locale. */
lam_cell_kind lam_cell_read(const char *cell, size_t n, double *value);

enum { LAM_SHOWN_SIZE = 44 };
/* A cell for an error message: at most 40 bytes of it, control characters as '?', "..." where it was cut. Returns shown. */
const char *lam_cell_show(const char *cell, size_t n, char shown[LAM_SHOWN_SIZE]);

#endif
