/* Tables whose rows stay in the file that they are in, as they may be more than memory holds. */
#ifndef LAM_DATA_MAPPED_H
#define LAM_DATA_MAPPED_H
#include "data/bytes.h"
#include "data/npy.h"

typedef struct lam_mapped {
    lam_bytes bytes;
    lam_npy_rows npy;
    size_t *column; /* [table's cols] which of the file each is */
    size_t *row;    /* [table's rows] which of the file each is, a lam_room in folder; NULL: its own */
    char *folder;   /* for what grows with the rows */
} lam_mapped;

/* What a path names, by the first bytes of the file: neither, where it is no plain file or is packed. */
typedef enum lam_mapped_kind { LAM_MAPPED_NEITHER, LAM_MAPPED_NPY, LAM_MAPPED_TEXT } lam_mapped_kind;
lam_mapped_kind lam_mapped_look(const char *path, size_t *size);
/* The table that lam_table_read makes of an .npy, its rows left where they are. *out NULL with LAM_OK: it is none, or its numbers take less
 * than `least` bytes as double, or they are to be levels of text; read it. */
lam_status lam_mapped_open(const char *path, const lam_read_options *options, const char *folder, size_t least, lam_table **out);
/* The same of text of `least` bytes or more, which is read part by part to a file without a name in folder. *out NULL: it is no such text (also what is
 * gzipped or comes on standard input). */
lam_status lam_mapped_convert(const char *path, const lam_read_options *options, const char *folder, size_t least, lam_table **out);
/* Gives each row its number in m->row, where none was left out so far, so that rows can be left out. */
lam_status lam_mapped_number(lam_table *table);
void lam_mapped_free(lam_mapped *mapped); /* takes NULL */

/* LAM_ERR_ARGUMENT for a table whose rows are in a file, of functions that take them from memory. */
lam_status lam_table_is_here(const lam_table *table);
/* Where what grows with the rows of a table belongs (lam_room_take); NULL: in memory. */
const char *lam_table_folder(const lam_table *table);
/* A row of any table, [cols]: its own, or read to room [cols]. */
const double *lam_table_row(const lam_table *table, size_t row, double *room);
/* Column of the first n rows. */
void lam_table_column(const lam_table *table, size_t column, size_t n, double *values);
/* Rows index[i], i < n, to out [n, cols]: those of a file in the order in which they are there, many at a time. */
lam_status lam_table_gather(const lam_table *table, const size_t *index, size_t n, double *out);

#endif
