/* What stands above the rows of a text file: what it says of its separator, comments, the names of the columns. */
#ifndef LAM_DATA_PREAMBLE_H
#define LAM_DATA_PREAMBLE_H
#include "data/lines.h"
#include "laminar.h"

typedef struct lam_preamble {
    lam_separator separator;
    size_t cols;         /* of the table: without row names */
    char **names;        /* [cols] from malloc, the list from lam_alloc; "1", "2", ... where the file has none */
    int has_names;
    int row_names;       /* every row begins with a cell that stands above no name */
    size_t first_line;   /* number of the line that sets cols */
    lam_lines rows;      /* where the rows begin */
    char how[200];       /* where the names are from, and what decided */
    char warning[256];   /* "": none */
} lam_preamble;

/* Reads up to the first row. name opens the messages. LAM_ERR_FORMAT: no rows, a quote that is not closed. Clear it in any case. */
lam_status lam_preamble_read(const char *name, lam_lines text, lam_header wanted, lam_preamble *out);
void lam_preamble_clear(lam_preamble *preamble);
/* "a quote is not closed" in that line and column (from 1). */
lam_status lam_quote_fail(const char *name, size_t line, size_t column);

#endif
