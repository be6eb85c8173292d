/* Reads a text file of any size line by line. */
#include "data/line_stream.h"
#include "base/error.h"
#include "base/mem.h"
#include "data/bytes.h"
#include <stddef.h>
#include <string.h>
#include <zlib.h>

enum { BLOCK = 1 << 20 };

struct lam_line_stream {
    const char *path;
    gzFile file;
    size_t size;     /* on the disk */
    lam_lines lines; /* whole lines of the block that were not taken yet */
    size_t used;     /* of the block: those lines, and the beginning of the next one */
    size_t before;   /* unpacked bytes in front of the block */
    int ended;       /* the file has been read to its end */
    char block[BLOCK];
};

lam_status lam_line_stream_open(const char *path, lam_line_stream **out)
{
    *out = NULL;
    lam_line_stream *s = lam_reserve(sizeof *s);
    if (s == NULL)
        return LAM_ERR_MEMORY;
    memset(s, 0, offsetof(lam_line_stream, block));
    s->path = path;
    s->lines = (lam_lines){ s->block, s->block, 0 };
    lam_status status = lam_bytes_open(path, &s->file, &s->size);
    if (status != LAM_OK) {
        lam_free(s);
        return status;
    }
    *out = s;
    return LAM_OK;
}

/* What the first bytes say of a file that has no lines. */
static lam_status check_start(lam_line_stream *s)
{
    if (s->used >= 4 && memcmp(s->block, "PK\3\4", 4) == 0)
        return lam_fail(LAM_ERR_FORMAT, "%s: is a zip; unpack it first", s->path);
    if (s->used >= 3 && memcmp(s->block, "\xEF\xBB\xBF", 3) == 0)
        s->lines.at += 3; /* a byte-order mark is no part of the first cell */
    return LAM_OK;
}

/* Moves the beginning of a line to the front of the block and fills it up. */
static lam_status refill(lam_line_stream *s)
{
    size_t kept = (size_t)(s->block + s->used - s->lines.end), got = 1, start = kept;
    const char *damage = NULL;
    s->before += s->used - kept;
    memmove(s->block, s->lines.end, kept);
    for (s->used = kept; s->used < BLOCK && got > 0 && damage == NULL; s->used += got)
        LAM_TRY(lam_bytes_next(s->path, s->file, s->block + s->used, BLOCK - s->used, &got, &damage));
    if (damage != NULL)
        return lam_fail(LAM_ERR_FORMAT, "%s: %s, after line %zu; copy or download it again", s->path, damage, s->lines.number);
    s->ended = got == 0;
    s->lines.at = s->block;
    if (s->before == 0)
        LAM_TRY(check_start(s));
    const char *zero = memchr(s->block + start, 0, s->used - start);
    if (zero != NULL)
        return lam_fail(LAM_ERR_FORMAT, "%s: is no text (a zero byte at offset %zu); is it another file, or packed?", s->path,
            s->before + (size_t)(zero - s->block));
    const char *end = s->block + s->used;
    while (!s->ended && end > s->block && end[-1] != '\n')
        end--;
    if (end == s->block && s->used > 0)
        return lam_fail(LAM_ERR_FORMAT, "%s: line %zu is longer than %d bytes; this is no text of rows", s->path,
            s->lines.number + 1, BLOCK);
    s->lines.end = end;
    return LAM_OK;
}

lam_status lam_line_stream_next(lam_line_stream *s, lam_text_line *line)
{
    while (!lam_lines_next(&s->lines, line)) {
        *line = (lam_text_line){ NULL, NULL, s->lines.number };
        if (s->ended)
            return LAM_OK;
        LAM_TRY(refill(s));
    }
    return LAM_OK;
}

size_t lam_line_stream_size(const lam_line_stream *s)
{
    return s->size;
}

size_t lam_line_stream_done(const lam_line_stream *s)
{
    z_off_t at = gzoffset(s->file);
    return at > 0 ? (size_t)at : 0;
}

void lam_line_stream_close(lam_line_stream *s)
{
    if (s == NULL)
        return;
    gzclose_r(s->file);
    lam_free(s);
}
