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

/* What a path names, by the first bytes of the file. Neither: not there, a folder, a toy. Zip: FILE.npz:NAME too. Packed: gzipped, or a pipe, standard input too. */
typedef enum lam_mapped_kind { LAM_MAPPED_NEITHER, LAM_MAPPED_NPY, LAM_MAPPED_TEXT, LAM_MAPPED_PACKED, LAM_MAPPED_ZIP } lam_mapped_kind;
lam_mapped_kind lam_mapped_look(const char *path, size_t *size); /* *size: of the file, 0 of a pipe */
/* The same of a file's first bytes. */
lam_mapped_kind lam_mapped_kind_of(const void *bytes, size_t size);
/* The table that lam_table_read makes of an .npy, its rows left in bytes, which it takes over. *out NULL with LAM_OK: its numbers take less than
 * `least` bytes as double, or they are to be levels of text; read it. name opens the messages. */
lam_status lam_mapped_open(const char *name, lam_bytes *bytes, const lam_read_options *options, const char *folder, size_t least, lam_table **out);
/* The same of text, which is read part by part to a file in folder: one without a name, or with key (may be NULL) the cache of it (cache.h). bytes are
 * what is in the file, unpacked, and are taken over, failing or not. */
typedef struct lam_mapped_text {
    const char *path;
    lam_bytes *bytes;
    int is_packed;
    const struct lam_cache_key *key;
} lam_mapped_text;
lam_status lam_mapped_convert(const lam_mapped_text *text, const lam_read_options *options, const lam_rows_place *place, lam_table **out);
/* Makes a table of so many rows one of the doubles that stand behind `head` bytes, which it takes over where it succeeds. */
lam_status lam_mapped_attach(lam_bytes *bytes, size_t head, const char *folder, lam_table *table);
/* Where options ask for it, of a table that is finished without: other rows, and another digest. */
lam_status lam_mapped_drop_duplicates(lam_table *table, const char *name, const lam_read_options *options);
/* Bytes of an archive (.npz) become those of its array `wanted` (as of lam_npz_choose): in the archive where it is stored as it is, in a file without a
 * name in the place's folder where it is deflated. *is_large 0: they stay as they are, because they are no archive, the array has fewer than least / 8
 * bytes, or it is deflated and the folder is NULL. */
lam_status lam_mapped_member(const char *name, const char *wanted, const lam_rows_place *place, lam_bytes *bytes, int *is_large);
/* What is unpacked of path to memory, or, if it is `least` bytes or more, to a file without a name in folder, which is mapped. *is_large: which. */
lam_status lam_mapped_unpack(const char *path, const char *folder, size_t least, lam_bytes *out, int *is_large);
/* What a path holds, unpacked, but not the arrays of an archive: to files where the place says so (NULL: to memory), or in its own file. */
lam_status lam_mapped_bytes(const char *path, const lam_rows_place *place, lam_bytes *out);
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
