/* What the files that read text share. */
#ifndef LAM_DATA_TEXT_INSIDE_H
#define LAM_DATA_TEXT_INSIDE_H
#include "data/cell.h"
#include "data/encoding.h"
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
    lam_pool *pool;     /* borrowed; NULL: this thread alone */
    lam_utf8_text all;
    lam_survey survey;
    lam_preamble top;
    size_t *place;      /* [top.cols] column of the table, or SIZE_MAX for one that is not kept */
    int comma;          /* the decimal sign is one */
    lam_table *table;   /* its levels are those of the columns of text */
    size_t seen;        /* data rows, bad ones included */
    size_t comments, first_comment; /* below the first row: how many, and the line of the first */
    lam_odd_row dropped, failed;    /* the first line dropped for a bad cell; the first that is an error */
    lam_lines at;       /* what is left to read */
    size_t block;       /* of the survey, from which on it is */
    size_t kept;        /* rows so far */
} lam_text;

/* Of the columns kept that may be text, finds those that are, and their levels: table->levels. */
lam_status lam_text_find_levels(lam_text *t);
lam_cell_kind lam_text_read_cell(const lam_text *t, const lam_cell *cell, double *value);

/* Reads the rows of so many blocks more into the table, which has none, by the pool's threads: what they are, and what is said of them, depends
 * on no cut and no thread. Where a line is an error, t->failed is that line and the status LAM_OK: the caller has the words. */
lam_status lam_text_read_rows(lam_text *t, size_t blocks);

/* Threads for a text of so many bytes; NULL where one is enough. */
lam_status lam_text_pool(size_t size, const lam_read_options *options, lam_pool **out);
/* A text in parts. Opens it up to its first row: t->table has the columns, without rows. block: bytes, about, that a thread reads at once. Close it in
 * any case. */
lam_status lam_text_open(const char *name, const char *bytes, size_t size, const lam_read_options *options, size_t block, lam_pool *pool,
    lam_text *t);
void lam_text_close(lam_text *t);
/* t->table is so many blocks more; those that are dropped count from its first row. At the end an error where no row was kept at all. */
lam_status lam_text_next(lam_text *t, size_t blocks);
int lam_text_is_at_end(const lam_text *t);
lam_status lam_text_describe(lam_text *t); /* t->table's how and notes */
void lam_text_rewind(lam_text *t);

#endif
