/* A whole file in memory, unpacked when it is gzipped. */
#ifndef LAM_DATA_BYTES_H
#define LAM_DATA_BYTES_H
#include "laminar.h"

/* Reads path into *bytes [*size], NUL-terminated past the end; free with free(). LAM_ERR_IO: cannot be opened or read;
 * LAM_ERR_FORMAT: a gzip stream that is cut short or damaged. */
lam_status lam_bytes_read(const char *path, char **bytes, size_t *size);

#endif
