/* NumPy's .npy (one array) and .npz (a zip of them), read to double. */
#ifndef LAM_DATA_NPY_H
#define LAM_DATA_NPY_H
#include "laminar.h"
#include <stdio.h>

enum { LAM_ARRAY_DIMS = 8 };

typedef struct lam_array {
    char dtype[4];                /* "f8", "f4", "i8" ... "u1", "b1" */
    size_t n_shape;               /* 0 for a scalar */
    size_t shape[LAM_ARRAY_DIMS];
    size_t size;                  /* the product of shape; 1 for a scalar */
    double *values;               /* [size], C order whatever the file's order */
    int64_t *integers;            /* [size] the same exactly; NULL for f4 and f8, and for u8 beyond int64 */
} lam_array;

/* Reads a whole .npy: versions 1 to 3, f4, f8, i1 to i8, u1 to u8, b1, either byte order, C or Fortran order. name opens the
 * messages. LAM_ERR_FORMAT: not an .npy, cut short, another dtype. Free with lam_array_clear. */
lam_status lam_npy_parse(const char *name, const void *bytes, size_t size, lam_array *out);
lam_status lam_npy_read(const char *path, lam_array *out);
/* The header alone: dtype, shape and size of *out; values stay NULL and the data may be missing. */
lam_status lam_npy_parse_header(const char *name, const void *bytes, size_t size, lam_array *out);
/* Version 1, C order, values [product of shape], width bytes each: f4 or f8. A short write shows when the file is committed. */
lam_status lam_npy_put(FILE *stream, const char *path, const double *values, const size_t *shape, size_t n_shape, int width);
/* The same in parts: what stands in front, and n values at a time. */
lam_status lam_npy_put_header(FILE *stream, const char *path, const size_t *shape, size_t n_shape, int width);
void lam_npy_put_values(FILE *stream, const double *values, size_t n, int width);
/* f8, as a file, written atomically. */
lam_status lam_npy_write(const char *path, const double *values, const size_t *shape, size_t n_shape);
/* A 1-D or 2-D array as rows, read a part at a time. */
typedef struct lam_npy_rows {
    const unsigned char *data;
    size_t rows, cols;
    lam_array head;           /* dtype and shape; no values */
    size_t width;
    int fortran, big_endian;
} lam_npy_rows;
/* Borrows bytes. Errors as of lam_npy_parse. */
lam_status lam_npy_rows_open(const char *name, const void *bytes, size_t size, lam_npy_rows *out);
/* Numbers without a header, as this machine holds them. */
void lam_npy_rows_of_doubles(const void *numbers, size_t rows, size_t cols, lam_npy_rows *out);
void lam_npy_rows_read(const lam_npy_rows *rows, size_t first, size_t n, double *values); /* [n, cols] */
void lam_npy_row_read(const lam_npy_rows *rows, size_t row, const size_t *column, size_t n, double *values); /* of columns [n] */
void lam_array_clear(lam_array *array); /* frees what is in it; takes a zeroed or a cleared one */

/* What an .npy holds, whether that is read or not. */
typedef enum lam_array_content { LAM_ARRAY_NONE, LAM_ARRAY_NUMBERS, LAM_ARRAY_COMPLEX, LAM_ARRAY_TEXT, LAM_ARRAY_OBJECTS,
    LAM_ARRAY_RECORDS, LAM_ARRAY_OTHER } lam_array_content;
typedef struct lam_array_facts {
    lam_array_content content; /* NONE: no array at all, or a damaged header */
    size_t n_shape;
    char text[96]; /* "float64 [100, 3]", for a message */
} lam_array_facts;
void lam_npy_describe(const void *bytes, size_t size, lam_array_facts *facts);

/* An .npz whose entries are stored or deflated. Zip64 and encryption are refused. */
typedef struct lam_npz lam_npz;
lam_status lam_npz_open(const char *path, lam_npz **out);
/* Borrows bytes, which must outlive the result. */
lam_status lam_npz_open_memory(const char *name, const void *bytes, size_t size, lam_npz **out);
size_t lam_npz_count(const lam_npz *npz);
const char *lam_npz_name(const lam_npz *npz, size_t index); /* without ".npy"; NULL past the end */
/* By name, with or without ".npy". LAM_ERR_ARGUMENT lists the names when there is none such. */
lam_status lam_npz_read(const lam_npz *npz, const char *name, lam_array *out);
lam_status lam_npz_read_header(const lam_npz *npz, size_t index, lam_array *out); /* as of lam_npy_parse_header */
/* The entry at index was an .npy, by its name. */
int lam_npz_is_array(const lam_npz *npz, size_t index);
size_t lam_npz_size(const lam_npz *npz, size_t index); /* bytes of the entry, unpacked */
/* Where in the archive the bytes of an entry stand that is stored as it is, checked against its sum; 0: it is deflated. */
lam_status lam_npz_stored(const lam_npz *npz, size_t index, size_t *offset);
/* Unpacks a deflated entry to a stream, of which the caller sees whether it took all. */
lam_status lam_npz_extract(const lam_npz *npz, size_t index, FILE *stream);
/* What the entry at index holds, by its first bytes. */
void lam_npz_describe(const lam_npz *npz, size_t index, lam_array_facts *facts);
void lam_npz_free(lam_npz *npz);

#endif
