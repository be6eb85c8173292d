/* What a cache says of its table besides the numbers, and what these depend on. */
#ifndef LAM_DATA_CACHE_TEXT_H
#define LAM_DATA_CACHE_TEXT_H
#include "data/cache.h"

/* What the numbers of a text depend on besides its bytes; free with free(). Not what is done to them afterwards (drop_duplicates), nor threads. */
lam_status lam_cache_settings(const lam_read_options *options, char **settings);
/* Source and settings of the key, and all of the table but the numbers, as bytes; free with free(). */
lam_status lam_cache_make_tail(const lam_cache_key *key, const lam_table *table, char **tail, size_t *size);
/* The table of a tail, without rows, in *out. Else why there is none: it is another key's, is damaged, or there is no memory. */
const char *lam_cache_read_tail(const lam_cache_key *key, const char *tail, size_t size, size_t cols, lam_table **out);

#endif
