/* safetensors files: an 8-byte little-endian length, a JSON header of that length, then the tensors' bytes without holes.
 * https://huggingface.co/docs/safetensors ; other programs' files are read, ours are readable by them. */
#ifndef LAM_MODEL_SAFETENSORS_H
#define LAM_MODEL_SAFETENSORS_H
#include "laminar.h"
#include <stdio.h>

/* code, name in the file, bytes */
#define LAM_ST_DTYPE_LIST(X) \
    X(LAM_ST_F64, "F64", 8)  \
    X(LAM_ST_F32, "F32", 4)  \
    X(LAM_ST_F16, "F16", 2)  \
    X(LAM_ST_BF16, "BF16", 2) \
    X(LAM_ST_I64, "I64", 8)  \
    X(LAM_ST_I32, "I32", 4)  \
    X(LAM_ST_U8, "U8", 1)    \
    X(LAM_ST_BOOL, "BOOL", 1)

typedef enum lam_st_dtype {
#define LAM_ST_DTYPE_ENUM(code, name, width) code,
    LAM_ST_DTYPE_LIST(LAM_ST_DTYPE_ENUM)
#undef LAM_ST_DTYPE_ENUM
} lam_st_dtype;

enum { LAM_ST_MAX_SHAPE = 4 };

typedef struct lam_st_tensor {
    const char *name;
    lam_st_dtype dtype;
    size_t n_shape; /* 0: a scalar */
    size_t shape[LAM_ST_MAX_SHAPE];
    const void *data; /* row-major; in a file that was read, NOT aligned for its type: use lam_st_doubles or memcpy */
} lam_st_tensor;

typedef struct lam_st_pair {
    const char *key, *value;
} lam_st_pair;

/* A file in memory; everything in it is owned by it. */
typedef struct lam_st_file {
    lam_st_tensor *tensors; /* [n_tensors], in the header's order */
    size_t n_tensors;
    lam_st_pair *meta; /* [n_meta], of __metadata__ */
    size_t n_meta;
    char *bytes;  /* what the tensors' data points into */
    void *header; /* what the names and texts point into */
} lam_st_file;

/* Reads and validates all of a file. LAM_ERR_FORMAT: cut short, not a safetensors file, or one whose header contradicts
 * its bytes; the text says what was expected and what was found. *file is empty after a failure. */
lam_status lam_st_read(const char *path, lam_st_file *file);
/* The same from memory, which is copied; where stands for the file name in errors. */
lam_status lam_st_read_memory(const void *bytes, size_t size, const char *where, lam_st_file *file);
void lam_st_free(lam_st_file *file); /* an empty one too */

/* NULL if there is not one of that name. */
const lam_st_tensor *lam_st_find(const lam_st_file *file, const char *name);
const char *lam_st_meta(const lam_st_file *file, const char *key);
size_t lam_st_width(lam_st_dtype dtype);          /* bytes an element */
const char *lam_st_dtype_name(lam_st_dtype dtype);
size_t lam_st_count(const lam_st_tensor *tensor); /* elements, 1 for a scalar */
/* All elements as doubles / floats, out [lam_st_count]; I64 beyond 2^53 and F64 to float are rounded. */
void lam_st_doubles(const lam_st_tensor *tensor, double *out);
void lam_st_floats(const lam_st_tensor *tensor, float *out);

/* Writes a file atomically. Tensors come in the order given, but wide types before narrow ones, so that each stands
 * aligned; the header is padded with blanks to a multiple of 8. Names must differ. Bytes that are not UTF-8 (names of
 * columns from old files) are taken for Latin-1: saving does not fail over them. */
lam_status lam_st_write(const char *path, const lam_st_tensor *tensors, size_t n, const lam_st_pair *meta, size_t n_meta);
/* The same to a stream, whose own failures (ferror) are left to the caller; where stands for its name in errors. */
lam_status lam_st_write_stream(FILE *stream, const char *where, const lam_st_tensor *tensors, size_t n,
    const lam_st_pair *meta, size_t n_meta);

#endif
