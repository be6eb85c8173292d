/* What the files that read text share. */
#ifndef LAM_DATA_TEXT_INSIDE_H
#define LAM_DATA_TEXT_INSIDE_H
#include "data/cell.h"
#include "data/lines.h"
#include "data/preamble.h"
#include "data/survey.h"
#include "laminar.h"

/* What a line of data comes to. */
typedef enum lam_row_fate {
    LAM_ROW_KEPT,
    LAM_ROW_DROPPED,   /* a bad cell, or nothing but missing ones */
    LAM_ROW_BAD,       /* the same of a bad cell, where it is an error */
    LAM_ROW_LONG, LAM_ROW_SHORT, /* a cell too many, too few */
    LAM_ROW_QUOTE,     /* a quote is not closed */
} lam_row_fate;

/* A line that is an error or was dropped. */
typedef struct lam_odd_row {
    lam_row_fate fate;
    lam_text_line line; /* at NULL: there is none */
    size_t column;      /* of the file, from 0: of the cell that is wrong; of a short row how many it has */
    lam_cell cell;
    double value;       /* what it reads as */
} lam_odd_row;

/* A file while it is read. */
typedef struct lam_text {
    const char *name;
    const lam_read_options *options;
    lam_preamble top;
    size_t *place;      /* [top.cols] column of the table, or SIZE_MAX for one that is not kept */
    int comma;          /* the decimal sign is one */
    lam_table *table;   /* its levels are those of the columns of text */
    size_t seen;        /* data rows, bad ones included */
    size_t comments, first_comment; /* below the first row: how many, and the line of the first */
    lam_odd_row dropped, failed;    /* the first line dropped for a bad cell; the first that is an error */
} lam_text;

/* Of the columns kept that may be text, finds those that are, and their levels: table->levels. */
lam_status lam_text_find_levels(lam_text *t);
lam_cell_kind lam_text_read_cell(const lam_text *t, const lam_cell *cell, double *value);

/* Reads all rows into the table, by the pool's threads (NULL: by this one): what they are, and what is said of them, depends on no cut and no
 * thread. Where a line is an error, t->failed is that line and the status LAM_OK: the caller has the words. survey is that of the text. */
lam_status lam_text_read_rows(lam_text *t, const lam_survey *survey, lam_pool *pool);

#endif
