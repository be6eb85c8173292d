/* Tables while they are being read. The formats (text.c, npy.c, npz.c, toy.c) fill one; table.c finishes it. */
#ifndef LAM_DATA_TABLE_H
#define LAM_DATA_TABLE_H
#include "laminar.h"

/* lam_table_read on bytes in memory: .npy and .npz are known by their first bytes, the rest is text. name opens the error
 * messages; array is the wanted array of an .npz or NULL; options may be NULL. bytes need not end in NUL. */
lam_status lam_table_read_memory(const char *name, const void *bytes, size_t size, const char *array,
    const lam_read_options *options, lam_table **out);

/* Text: encoding.h, preamble.h, header.h and decimal.h have its rules, in the order in which they act. Applies columns/drop and
 * drop_bad_rows, not drop_duplicates; the hash is left to the caller. By options->threads, where there is enough to do. */
lam_status lam_text_read(const char *name, const char *bytes, size_t size, const lam_read_options *options, lam_table **out);

/* The same in parts of about `block` bytes by the threads of pool (NULL: in a loop), on which nothing of the result depends. */
struct lam_pool;
lam_status lam_text_read_cut(const char *name, const char *bytes, size_t size, const lam_read_options *options, size_t block,
    struct lam_pool *pool, lam_table **out);

/* NumPy's files: an .npy, and of an .npz the array wanted, or where that is NULL the only 2-D array in it, or the only array. Of what is no
 * table, LAM_ERR_SHAPE and LAM_ERR_FORMAT say what it is, and what makes one of it. */
lam_status lam_npy_table(const char *name, const void *bytes, size_t size, lam_table **out);
lam_status lam_npy_columns(const char *name, const void *bytes, size_t size, lam_table **out); /* without rows */
lam_status lam_npy_check(const char *name, const void *bytes, size_t size); /* LAM_OK: an .npy that is a table, as far as its header says */
lam_status lam_npz_table(const char *name, const void *bytes, size_t size, const char *wanted, lam_table **out);
lam_status lam_npz_columns(const char *name, const void *bytes, size_t size, const char *wanted, lam_table **out); /* without rows */
struct lam_npz;
lam_status lam_npz_choose(const char *file, const struct lam_npz *npz, const char *wanted, size_t *index); /* the entry that lam_npz_table reads */
/* "file.npz:NAME", unless a file has that very name: a copy of the file's part (free it), and *array in path. NULL if not. */
char *lam_npz_split(const char *path, const char **array);

/* lam_reader_open of the bytes of a text or an .npy, which the reader takes over, failing or not; path is what messages name. And how many of these
 * were needed for what was read so far: of text in other encodings than UTF-8 all. */
struct lam_bytes;
lam_status lam_reader_open_bytes(const char *path, struct lam_bytes *bytes, const lam_read_options *options, lam_reader **out);
size_t lam_reader_passed(const lam_reader *reader);

/* The same steps for a table that is already numbers: columns/drop, then bad rows (an error without drop_bad_rows). */
lam_status lam_table_select(lam_table *table, const char *name, const lam_read_options *options);
/* The same of rows that begin with row `first` of the source, of which none may be left. */
lam_status lam_table_select_part(lam_table *table, const char *name, const lam_read_options *options, size_t first);
/* "each of its rows has a NaN or an infinity" */
lam_status lam_table_no_rows(const char *name, size_t rows, const lam_read_options *options);
/* Where options count columns from 0: so does the table. */
lam_status lam_table_count_columns(lam_table *table, const lam_read_options *options);
/* Keeps the first of equal rows, in order, and counts the others. */
lam_status lam_table_drop_duplicates(lam_table *table);
/* drop_duplicates, at least one row, hash. */
lam_status lam_table_finish(lam_table *table, const char *name, const lam_read_options *options);
/* The digest of values and shape: MurmurHash3 x64 128 started at (rows, cols). */
void lam_table_digest(const double *values, size_t rows, size_t cols, char hash[33]);
/* The digest of a training, a validation and a test table together: of their digests in this order, "" for one that is not
 * there. */
void lam_table_digest_parts(char parts[3][33], char hash[33]);
/* A table without rows; names (copied) may be NULL for "1", "2", ... */
lam_status lam_table_empty(size_t cols, lam_table **out);
/* A table without rows, of the names, numbers and levels of like. */
lam_status lam_table_form(const lam_table *like, lam_table **out);
/* The first cell of row [cols] that is an infinity or, unless missing, NaN; cols: there is none. *absent: cells that are NaN before it. */
size_t lam_row_look(double *row, size_t cols, int missing, size_t *absent);
/* Row i of a table whose first row is row `first` of the source: *kept 0 where it is left out, and counted, for a NaN or an infinity or, where cells may
 * be missing, as a row of nothing else; without drop_bad_rows such a number is an error. Counts its missing cells. */
lam_status lam_table_judge_row(lam_table *table, const char *name, const lam_read_options *options, size_t first, size_t i, double *row, int *kept);
/* "row 3, column 2 (b) is NaN": how such rows are left out. row counts from 0. */
lam_status lam_table_bad_number(const lam_table *table, const char *name, const lam_read_options *options, size_t row, size_t column, double value);
/* How lam_table_read_rows reads; like is room for what the options then borrow. */
lam_read_options lam_table_options(const lam_config *cfg, const lam_table *first, lam_wanted *like);
/* Counts a row of the source, from 0, as dropped for a cell that is no number. */
lam_status lam_table_drop_row(lam_table *table, size_t row);
/* Keeps columns kept [n], in that order, in place of table's own. */
lam_status lam_table_keep(lam_table *table, const size_t *kept, size_t n);
/* The same, as a table of its own. */
lam_status lam_table_pick(const lam_table *table, const size_t *kept, size_t n, lam_table **out);

#endif
