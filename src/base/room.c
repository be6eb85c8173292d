/* Maps files without names where numbers are too many for memory. */
#define _GNU_SOURCE /* O_TMPFILE */
#include "base/room.h"
#include "base/error.h"
#include "base/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HEAD = 64 }; /* bytes in front of the room: how much is mapped */

/* A file that is gone when it is closed; -1 with errno set. */
static int open_nameless(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
        return fd;
    char path[4096]; /* a file system that has no files without names */
    int n = snprintf(path, sizeof path, "%s/.rows-XXXXXX", folder);
    if (n < 0 || n >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if ((fd = mkostemp(path, O_CLOEXEC)) >= 0)
        unlink(path);
    return fd;
}

static void *failed(const char *folder, size_t bytes, int error)
{
    int is_full = error == ENOSPC || error == EFBIG || error == EDQUOT;
    char amount[32] = "";
    if (bytes > 0)
        snprintf(amount, sizeof amount, "%zu bytes of ", bytes);
    if (is_full)
        lam_fail(LAM_ERR_MEMORY, "%s: no room there for %srows: %s; make room, name a folder with more (--scratch FOLDER/), or keep the rows in memory "
            "(--scratch none)", folder, amount, strerror(error));
    else
        lam_fail(LAM_ERR_MEMORY, "%s: rows cannot be kept in files there: %s; name another folder (--scratch FOLDER/), or keep them in memory (--scratch "
            "none)", folder, strerror(error));
    return NULL;
}

void *lam_room_take(const char *folder, size_t count, size_t size)
{
    if (folder == NULL)
        return lam_alloc(count, size);
    if (size != 0 && count > (SIZE_MAX / 2 - HEAD) / size)
        return failed(folder, 0, EFBIG);
    size_t bytes = count * size + HEAD;
    int fd = open_nameless(folder), error = fd < 0 ? errno : 0;
    if (error == 0)
        error = posix_fallocate(fd, 0, (off_t)bytes); /* a full disk is told of here: in a page that is written to it would be a signal */
    char *at = error == 0 ? mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (error == 0 && at == MAP_FAILED)
        error = errno;
    if (fd >= 0)
        close(fd);
    if (error != 0)
        return failed(folder, bytes, error);
    memcpy(at, &bytes, sizeof bytes);
    return at + HEAD;
}

void lam_room_give(const char *folder, void *room)
{
    if (folder == NULL) {
        lam_free(room);
        return;
    }
    if (room == NULL)
        return;
    char *at = (char *)room - HEAD;
    size_t bytes;
    memcpy(&bytes, at, sizeof bytes);
    munmap(at, bytes);
}

FILE *lam_room_stream(const char *folder)
{
    int fd = open_nameless(folder);
    FILE *stream = fd >= 0 ? fdopen(fd, "w+") : NULL;
    if (stream != NULL)
        return stream;
    failed(folder, 0, errno);
    if (fd >= 0)
        close(fd);
    return NULL;
}

const void *lam_room_map(const char *folder, FILE *stream, size_t *size)
{
    errno = 0;
    int error = fflush(stream) != 0 || ferror(stream) ? (errno != 0 ? errno : ENOSPC) : 0; /* stdio keeps no reason of an earlier write */
    off_t end = ftello(stream);
    void *at = MAP_FAILED;
    *size = end > 0 ? (size_t)end : 0;
    if (error == 0 && (at = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fileno(stream), 0)) == MAP_FAILED)
        error = errno;
    fclose(stream);
    return at != MAP_FAILED ? at : failed(folder, *size, error);
}

int lam_room_name(int fd, const char *path)
{
    char own[64];
    snprintf(own, sizeof own, "/proc/self/fd/%d", fd);
    if (unlink(path) != 0 && errno != ENOENT)
        return errno;
    return linkat(AT_FDCWD, own, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0 || errno == EEXIST ? 0 : errno;
}
