/* The decimal sign of a text file. */
#ifndef LAM_DATA_DECIMAL_H
#define LAM_DATA_DECIMAL_H
#include "data/lines.h"
#include "laminar.h"

/* Where the numbers of a file are. */
typedef struct lam_number_cells {
    lam_separator separator;
    lam_lines rows;
    int row_names;       /* rows begin with a cell that is no column */
    const size_t *place; /* [cols] SIZE_MAX: the column is not used */
    size_t cols;
} lam_number_cells;

/* *comma: the cells that are used have decimal commas, as "1,5" and "0,250" tell, where no number among them has a point and none has
 * commas between thousands. "1,234" could be either: between semicolons it is a decimal comma, as the countries that write one separate
 * cells so. name opens the message. LAM_ERR_FORMAT: between other separators nothing says which it is. */
lam_status lam_decimal_find(const char *name, const lam_number_cells *cells, int *comma);

#endif
