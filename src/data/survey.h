/* What a text is made of, block by block, counted by several threads: line ends, quotes, bytes that are no ASCII. */
#ifndef LAM_DATA_SURVEY_H
#define LAM_DATA_SURVEY_H
#include "base/pool.h"
#include "data/lines.h"
#include <stddef.h>

enum { LAM_SURVEY_BLOCK = 1 << 19 }; /* bytes, as a rule */

typedef struct lam_survey {
    const char *at, *end;
    size_t block, blocks;  /* so many of `block` bytes, the last shorter */
    size_t *lines, *quotes;/* [blocks + 1] line ends and '"' in front of each, and in all */
    int has_high, has_zero;/* a byte above 127, a zero */
} lam_survey;

/* pool may be NULL. Free with lam_survey_clear. */
lam_status lam_survey_text(const char *at, const char *end, size_t block, lam_pool *pool, lam_survey *out);
void lam_survey_clear(lam_survey *survey);
/* Where in block or behind it rows may be read from: at a line's start, which lies in no quoted cell as far as counting quotes tells. number:
 * lines in front of it; end is the text's. */
lam_lines lam_survey_cut(const lam_survey *survey, size_t block);

#endif
