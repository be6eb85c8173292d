/* Files that keep the numbers of a text, so that a fit which goes on need not read the text again. */
#ifndef LAM_DATA_CACHE_H
#define LAM_DATA_CACHE_H
#include "laminar.h"
#include <stdint.h>

/* Bytes in front of the numbers, which are doubles as this machine holds them, row by row. */
enum { LAM_CACHE_HEAD = 256 };

/* Which numbers: of which text, as it is now, and read how. */
typedef struct lam_cache_key {
    char *path;     /* the cache's, rows-DIGEST.cache in its folder: the digest is of source and settings */
    char *source;   /* the text's, absolute */
    char *settings; /* all else that its numbers depend on, a line each */
    uint64_t size, seconds, nanoseconds; /* of the text, and when it was modified */
} lam_cache_key;
/* key->path NULL with LAM_OK: source is no file, and has no cache. */
lam_status lam_cache_key_make(const char *source, const lam_read_options *options, const char *folder, lam_cache_key *key);
void lam_cache_key_clear(lam_cache_key *key);

/* The table of the cache, as lam_mapped_convert makes it. *out NULL with LAM_OK: there is no cache, or one that cannot be used, which log is told:
 * it is damaged, or the text has changed. A text whose size or time is another is compared by its bytes. */
lam_status lam_cache_open(const lam_cache_key *key, const lam_read_options *options, const char *folder, const lam_log *log, lam_table **out);
/* Makes the file of fd, which holds table's numbers behind LAM_CACHE_HEAD bytes and has no name (lam_room_stream), the cache: nobody meets one that is
 * not whole. hash: of the text's bytes. Duplicates are not left out of the table yet. Where there can be none, log is told; table->kept says. */
lam_status lam_cache_write(const lam_cache_key *key, const uint64_t hash[2], int fd, const lam_log *log, lam_table *table);
/* Of the bytes of a file as they are on the disk; 0: it cannot be read. */
int lam_cache_hash_file(const char *path, uint64_t hash[2]);

#endif
