/* Lines of a text file of any size, through one block of memory; gzipped or not. */
#ifndef LAM_DATA_LINE_STREAM_H
#define LAM_DATA_LINE_STREAM_H
#include "data/lines.h"
#include "laminar.h"

typedef struct lam_line_stream lam_line_stream;

/* path is borrowed. LAM_ERR_IO: cannot be opened. */
lam_status lam_line_stream_open(const char *path, lam_line_stream **out);
/* The next line that is not blank, good until the next call; line->at is NULL at the end. LAM_ERR_FORMAT: a zip, a zero byte,
 * a line longer than the block, a gzip stream that is cut short or damaged. */
lam_status lam_line_stream_next(lam_line_stream *stream, lam_text_line *line);
/* Bytes of the file on the disk, and how many of them were read so far. */
size_t lam_line_stream_size(const lam_line_stream *stream);
size_t lam_line_stream_done(const lam_line_stream *stream);
void lam_line_stream_close(lam_line_stream *stream); /* takes NULL */

#endif
