/* What the files that read text share. */
#ifndef LAM_DATA_TEXT_INSIDE_H
#define LAM_DATA_TEXT_INSIDE_H
#include "data/lines.h"
#include "data/preamble.h"
#include "laminar.h"

/* A file while it is read. */
typedef struct lam_text {
    const char *name;
    const lam_read_options *options;
    lam_preamble top;
    size_t *place;      /* [top.cols] column of the table, or SIZE_MAX for one that is not kept */
    int comma;          /* the decimal sign is one */
    lam_table *table;   /* its levels are those of the columns of text */
    size_t room;        /* rows that table->values has room for */
    size_t seen;        /* data rows, bad ones included */
    size_t comments, first_comment; /* below the first row: how many, and the line of the first */
    char first_bad[256];/* what was wrong with the first dropped row */
} lam_text;

/* Of the columns kept that may be text, finds those that are, and their levels: table->levels. */
lam_status lam_text_find_levels(lam_text *t);

#endif
