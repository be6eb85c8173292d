/* Writes the lines of metrics.jsonl. */
#include "train/metrics.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/number.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static lam_status failed(const lam_metrics *m, const char *what)
{
    int error = errno;
    return lam_fail(LAM_ERR_IO, "%s %s failed: %s", what, m->path, error != 0 ? strerror(error) : "is the disk full?");
}

/* Where the last whole line within the first keep bytes ends; -1 after a failed read. */
static long long whole_lines(FILE *stream, uint64_t keep)
{
    char block[4096];
    uint64_t at = 0, end = 0;
    size_t n = 1;
    while (at < keep && n > 0) {
        size_t want = keep - at < sizeof block ? (size_t)(keep - at) : sizeof block;
        n = fread(block, 1, want, stream);
        for (size_t i = 0; i < n; i++)
            if (block[i] == '\n')
                end = at + i + 1;
        at += n;
    }
    return ferror(stream) ? -1 : (long long)end;
}

lam_status lam_metrics_open(lam_metrics *m, const char *path, uint64_t keep)
{
    *m = (lam_metrics) { 0 };
    if ((m->path = lam_strdup(path)) == NULL)
        return LAM_ERR_MEMORY;
    lam_status status = LAM_OK;
    errno = 0;
    m->stream = fopen(path, keep > 0 ? "r+b" : "wb");
    if (m->stream == NULL && keep > 0 && errno == ENOENT) /* somebody took it away: later lines are still worth having */
        m->stream = fopen(path, "w+b");
    if (m->stream == NULL)
        status = failed(m, "opening");
    if (status == LAM_OK && keep > 0) {
        long long end = whole_lines(m->stream, keep);
        if (end < 0 || ftruncate(fileno(m->stream), (off_t)end) != 0 || fseeko(m->stream, (off_t)end, SEEK_SET) != 0)
            status = failed(m, "cutting back");
    }
    if (status != LAM_OK)
        lam_metrics_close(m);
    return status;
}

void lam_metrics_close(lam_metrics *m)
{
    if (m->stream != NULL)
        fclose(m->stream); /* every line is flushed already */
    free(m->path);
    *m = (lam_metrics) { 0 };
}

void lam_metrics_begin(lam_metrics *m, const char *type)
{
    if (m->stream != NULL)
        fprintf(m->stream, "{\"type\":\"%s\"", type);
}

void lam_metrics_number(lam_metrics *m, const char *name, double value)
{
    char text[LAM_NUMBER_SIZE] = "null";
    if (m->stream == NULL)
        return;
    if (isfinite(value))
        lam_number_print(value, text);
    fprintf(m->stream, ",\"%s\":%s", name, text);
}

void lam_metrics_whole(lam_metrics *m, const char *name, uint64_t value)
{
    if (m->stream != NULL)
        fprintf(m->stream, ",\"%s\":%" PRIu64, name, value);
}

void lam_metrics_truth(lam_metrics *m, const char *name, int value)
{
    if (m->stream != NULL)
        fprintf(m->stream, ",\"%s\":%s", name, value ? "true" : "false");
}

lam_status lam_metrics_end(lam_metrics *m)
{
    if (m->stream == NULL)
        return LAM_OK;
    errno = 0;
    fputs("}\n", m->stream);
    return fflush(m->stream) != 0 || ferror(m->stream) ? failed(m, "writing") : LAM_OK;
}

lam_status lam_metrics_sync(lam_metrics *m, uint64_t *bytes)
{
    *bytes = 0;
    if (m->stream == NULL)
        return LAM_OK;
    errno = 0;
    off_t at = ftello(m->stream);
    /* a device cannot be synced and says EINVAL */
    if (fflush(m->stream) != 0 || (fsync(fileno(m->stream)) != 0 && errno != EINVAL && errno != ENOTSUP))
        return failed(m, "writing");
    *bytes = at > 0 ? (uint64_t)at : 0;
    return LAM_OK;
}
