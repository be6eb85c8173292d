/* Lines and cells of a text file in memory. */
#ifndef LAM_DATA_LINES_H
#define LAM_DATA_LINES_H
#include <stddef.h>

typedef struct lam_text_line {
    const char *at, *end; /* without its "\n", "\r\n" or "\r" */
    size_t number;        /* from 1 */
} lam_text_line;

typedef struct lam_lines {
    const char *at, *end; /* what is left */
    size_t number;        /* lines taken so far */
} lam_lines;

/* The next line that is not blank; 0 at the end. */
int lam_lines_next(lam_lines *lines, lam_text_line *line);

typedef struct lam_cell {
    const char *at;
    size_t n;    /* without blanks around it and without its quotes; a quote inside is still doubled */
    int quoted;
} lam_cell;

typedef enum lam_cell_step { LAM_STEP_CELL, LAM_STEP_END, LAM_STEP_BAD_QUOTE } lam_cell_step;
/* How the cells of a file are told apart: ',', ';', '|', '\t', or ' ' for any run of blanks. */
typedef struct lam_separator {
    char sign;
    int trailing; /* every line ends in a separator that opens no cell */
} lam_separator;

/* Takes the cell at *at; *at is NULL after the last, which is LAM_STEP_END from then on. Start with *at = line->at. */
lam_cell_step lam_cell_next(const char **at, const char *end, lam_separator separator, lam_cell *cell);
/* The line begins with '#' and not with a cell as "#N/A". */
int lam_line_is_comment(const lam_text_line *line);
/* As lam_lines_next, but a line goes on where a quoted cell does: line->number is that of its first line in the file. */
int lam_record_next(lam_lines *lines, lam_separator separator, lam_text_line *line);
/* The separator that cuts most of the first lines into equally many cells, comments left out; given: the sign, where the file says
 * it, else 0. */
lam_separator lam_separator_find(lam_lines from, char given);

#endif
