#include "data/bytes.h"
#include "base/error.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

/* What went wrong with a read, in words. */
static lam_status read_failed(const char *path, gzFile file, int error)
{
    int code = Z_OK;
    gzerror(file, &code);
    if (code == Z_ERRNO)
        return lam_fail(LAM_ERR_IO, "%s: cannot be read: %s", path, strerror(error));
    if (code == Z_BUF_ERROR)
        return lam_fail(LAM_ERR_FORMAT, "%s: the gzip file is cut short; copy or download it again", path);
    if (code == Z_MEM_ERROR)
        return lam_fail(LAM_ERR_MEMORY, "%s: out of memory while unpacking", path);
    return lam_fail(LAM_ERR_FORMAT, "%s: the gzip file is damaged; copy or download it again", path);
}

static lam_status read_all(const char *path, gzFile file, size_t guess, char **bytes, size_t *size)
{
    size_t room = guess, used = 0;
    char *buffer = malloc(room + 1);
    while (buffer != NULL) {
        size_t ask = room - used < (1u << 30) ? room - used : 1u << 30; /* gzread counts in int */
        int got = gzread(file, buffer + used, (unsigned)ask);
        int error = errno, code = Z_OK;
        gzerror(file, &code); /* a stream that is cut short still gives its bytes, and says so only here */
        if (got < 0 || code != Z_OK) {
            free(buffer);
            return read_failed(path, file, error);
        }
        used += (size_t)got;
        if (got == 0)
            break;
        if (used < room)
            continue;
        char *larger = room > SIZE_MAX / 4 ? NULL : realloc(buffer, 2 * room + 1);
        if (larger == NULL)
            free(buffer);
        buffer = larger;
        room *= 2;
    }
    if (buffer == NULL)
        return lam_fail(LAM_ERR_MEMORY, "%s: out of memory, it needs more than %zu bytes", path, room);
    buffer[used] = '\0';
    *bytes = buffer;
    *size = used;
    return LAM_OK;
}

lam_status lam_bytes_read(const char *path, char **bytes, size_t *size)
{
    struct stat info;
    *bytes = NULL, *size = 0;
    errno = 0;
    if (stat(path, &info) != 0)
        return lam_fail(LAM_ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
    if (S_ISDIR(info.st_mode))
        return lam_fail(LAM_ERR_IO, "%s: is a folder; name a file in it", path);
    gzFile file = gzopen(path, "rb"); /* reads files that are not gzipped as they are */
    if (file == NULL)
        return lam_fail(LAM_ERR_IO, "%s: cannot be read: %s", path, errno != 0 ? strerror(errno) : "out of memory");
    gzbuffer(file, 1u << 17);
    size_t guess = info.st_size > 0 ? (size_t)info.st_size + 1 : 1u << 16;
    lam_status status = read_all(path, file, guess, bytes, size);
    gzclose_r(file);
    return status;
}
