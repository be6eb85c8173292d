/* A whole file in memory, unpacked when it is gzipped. */
#ifndef LAM_DATA_BYTES_H
#define LAM_DATA_BYTES_H
#include "laminar.h"

/* What a path is called in messages: "-" is standard input. */
const char *lam_bytes_name(const char *path);
/* Reads path ("-": standard input, from where it stands to its end) into *bytes [*size], NUL-terminated past the end; free with free(). LAM_ERR_IO: cannot be opened or read;
 * LAM_ERR_FORMAT: a gzip stream that is cut short or damaged. */
lam_status lam_bytes_read(const char *path, char **bytes, size_t *size);
/* The same, but of a gzip stream that is cut short or damaged what could be unpacked: *damage says in words what is wrong with
 * it, or is NULL. LAM_ERR_FORMAT: more than limit bytes unpacked. */
lam_status lam_bytes_read_some(const char *path, size_t limit, char **bytes, size_t *size, const char **damage);

/* The same bytes to read alone, not NUL-terminated: a file that is not gzipped is mapped, so that its pages are read as they are needed and take no
 * memory of their own. Such a file must not be shortened meanwhile; to write a new one and rename it does no harm. */
typedef struct lam_bytes {
    const char *at;
    size_t size;
    char *owned; /* NULL: mapped */
} lam_bytes;
lam_status lam_bytes_map(const char *path, lam_bytes *out);
/* Keeps `size` of the bytes from `offset` on. */
void lam_bytes_keep(lam_bytes *bytes, size_t offset, size_t size);
void lam_bytes_clear(lam_bytes *bytes);

/* The same piece by piece, for files that should not be in memory as a whole: zlib's gzFile, which reads files that are not
 * gzipped as they are. *size is that of the file on the disk. Close with gzclose_r. */
struct gzFile_s;
lam_status lam_bytes_open(const char *path, struct gzFile_s **file, size_t *size);
/* At most room bytes into buffer; *got is 0 at the end. *damage as above, the bytes before it are still got. */
lam_status lam_bytes_next(const char *path, struct gzFile_s *file, void *buffer, size_t room, size_t *got, const char **damage);
lam_status lam_bytes_damaged(const char *path, const char *damage); /* fails with these words */

#endif
