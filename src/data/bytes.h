/* A whole file in memory, unpacked when it is gzipped. */
#ifndef LAM_DATA_BYTES_H
#define LAM_DATA_BYTES_H
#include "laminar.h"

/* Reads path into *bytes [*size], NUL-terminated past the end; free with free(). LAM_ERR_IO: cannot be opened or read;
 * LAM_ERR_FORMAT: a gzip stream that is cut short or damaged. */
lam_status lam_bytes_read(const char *path, char **bytes, size_t *size);
/* The same, but of a gzip stream that is cut short or damaged what could be unpacked: *damage says in words what is wrong with
 * it, or is NULL. LAM_ERR_FORMAT: more than limit bytes unpacked. */
lam_status lam_bytes_read_some(const char *path, size_t limit, char **bytes, size_t *size, const char **damage);

#endif
