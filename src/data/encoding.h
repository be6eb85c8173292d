/* Bytes of a text file as UTF-8. */
#ifndef LAM_DATA_ENCODING_H
#define LAM_DATA_ENCODING_H
#include "laminar.h"

typedef struct lam_utf8_text {
    const char *at, *end; /* without a byte-order mark; into the file's bytes or into owned */
    char *owned;          /* free with free(); NULL where the file was UTF-8 already */
    const char *encoding; /* "UTF-16", "Windows-1252"; NULL: UTF-8 */
} lam_utf8_text;

/* A byte-order mark says what a file is; without one, zero bytes at every second place are UTF-16, and what is not UTF-8 is taken for
 * Windows-1252, of which Latin-1 is a part. name opens the messages. LAM_ERR_FORMAT: a zero byte in text, UTF-32, half a character of
 * UTF-16. */
lam_status lam_encoding_read(const char *name, const char *bytes, size_t size, lam_utf8_text *out);

#endif
