/* Counts line ends and quotes of a text, and finds places to cut it at. */
#include "data/survey.h"
#include "base/mem.h"
#include <stdint.h>

enum {
    STRIDE = 128, /* counts of so many bytes fit a byte, which vectors add up fastest */
    AHEAD = 4096, /* bytes: a page further on, where the processor does not look by itself */
};

typedef struct count {
    size_t lines, quotes;
    uint8_t high, zeros;
} count;

/* A line ends in "\n", "\r\n" or "\r": at its last byte. p[n] is read. */
static void count_stride(const unsigned char *p, size_t n, count *c)
{
    uint8_t lines = 0, quotes = 0, high = 0, zeros = 0;
    for (size_t i = 0; i < n; i++) {
        lines = (uint8_t)(lines + ((p[i] == '\n') | ((p[i] == '\r') & (p[i + 1] != '\n'))));
        quotes = (uint8_t)(quotes + (p[i] == '"'));
        high |= p[i];
        zeros |= p[i] == 0;
    }
    c->lines += lines;
    c->quotes += quotes;
    c->high |= high & 0x80;
    c->zeros |= zeros;
}

typedef struct work {
    lam_survey *survey;
    count *counts; /* [blocks] */
} work;

static void count_block(void *arg, size_t block, size_t thread)
{
    const work *w = arg;
    (void)thread;
    const char *from = w->survey->at + block * w->survey->block, *end = w->survey->end;
    const char *to = (size_t)(end - from) > w->survey->block ? from + w->survey->block : end;
    count c = { 0 };
    const unsigned char *p = (const unsigned char *)from, *stop = (const unsigned char *)(to == end ? to - 1 : to);
    for (; stop - p >= STRIDE; p += STRIDE) {
        if (stop - p >= AHEAD + STRIDE) {
            __builtin_prefetch(p + AHEAD);
            __builtin_prefetch(p + AHEAD + STRIDE / 2);
        }
        count_stride(p, STRIDE, &c); /* a length that the compiler knows */
    }
    count_stride(p, (size_t)(stop - p), &c);
    if (to == end) { /* nothing stands behind the text's last byte */
        const unsigned char last[2] = { (unsigned char)end[-1], 0 };
        count_stride(last, 1, &c);
    }
    w->counts[block] = c;
}

lam_status lam_survey_text(const char *at, const char *end, size_t block, lam_pool *pool, lam_survey *out)
{
    size_t blocks = ((size_t)(end - at) + block - 1) / block;
    *out = (lam_survey) { .at = at, .end = end, .block = block, .blocks = blocks, .lines = lam_alloc(blocks + 1, sizeof *out->lines),
        .quotes = lam_alloc(blocks + 1, sizeof *out->quotes) };
    work w = { out, lam_alloc(blocks, sizeof *w.counts) };
    if (out->lines == NULL || out->quotes == NULL || w.counts == NULL) {
        lam_free(w.counts);
        lam_survey_clear(out);
        return LAM_ERR_MEMORY;
    }
    lam_pool_run_or_loop(pool, blocks, count_block, &w);
    for (size_t k = 0; k < blocks; k++) {
        out->lines[k + 1] = out->lines[k] + w.counts[k].lines;
        out->quotes[k + 1] = out->quotes[k] + w.counts[k].quotes;
        out->has_high |= w.counts[k].high != 0;
        out->has_zero |= w.counts[k].zeros != 0;
    }
    lam_free(w.counts);
    return LAM_OK;
}

void lam_survey_clear(lam_survey *survey)
{
    lam_free(survey->lines);
    lam_free(survey->quotes);
    *survey = (lam_survey) { 0 };
}

static int ends_line(const lam_survey *s, const char *p)
{
    return *p == '\n' || (*p == '\r' && (p + 1 == s->end || p[1] != '\n'));
}

lam_lines lam_survey_cut(const lam_survey *s, size_t block)
{
    const char *from = s->at + block * s->block, *p = from;
    lam_lines first = { NULL, s->end, 0 };
    size_t lines = s->lines[block], quotes = s->quotes[block];
    if (block == 0 || (ends_line(s, from - 1) && quotes % 2 == 0))
        return (lam_lines) { from, s->end, lines };
    if (ends_line(s, from - 1))
        first = (lam_lines) { from, s->end, lines };
    for (; p < s->end; p++) {
        quotes += *p == '"';
        if (!ends_line(s, p))
            continue;
        lines++;
        if (quotes % 2 == 0)
            return (lam_lines) { p + 1, s->end, lines };
        if (first.at == NULL)
            first = (lam_lines) { p + 1, s->end, lines };
        if ((size_t)(p - from) > s->block) /* a quote that is none: inches, a name; the nearest line is as good as any */
            return first;
    }
    return first.at != NULL ? first : (lam_lines) { s->end, s->end, lines };
}
