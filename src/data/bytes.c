/* Reads a whole file into memory, or maps it, and unpacks it if it is gzipped. */
#include "data/bytes.h"
#include "base/error.h"
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

const char *lam_bytes_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

/* What is wrong with the stream itself, in words; NULL if it is the machine that failed. */
static const char *damage_of(int code)
{
    if (code == Z_OK || code == Z_ERRNO || code == Z_MEM_ERROR)
        return NULL;
    return code == Z_BUF_ERROR ? "the gzip file is cut short" : "the gzip file is damaged";
}

static lam_status read_failed(const char *path, int code, int error)
{
    if (code == Z_MEM_ERROR)
        return lam_fail(LAM_ERR_MEMORY, "%s: out of memory while unpacking", lam_bytes_name(path));
    return lam_fail(LAM_ERR_IO, "%s: cannot be read: %s", lam_bytes_name(path), strerror(error));
}

/* gzFile over a descriptor of its own. */
static lam_status open_input(gzFile *file, size_t *size)
{
    struct stat info;
    int own = dup(STDIN_FILENO);
    *file = own >= 0 ? gzdopen(own, "rb") : NULL;
    if (*file == NULL) {
        lam_status status = lam_fail(LAM_ERR_IO, "standard input cannot be read: %s", errno != 0 ? strerror(errno) : "out of memory");
        if (own >= 0)
            close(own);
        return status;
    }
    gzbuffer(*file, 1u << 17);
    *size = fstat(own, &info) == 0 && info.st_size > 0 ? (size_t)info.st_size : 0;
    return LAM_OK;
}

lam_status lam_bytes_open(const char *path, gzFile *file, size_t *size)
{
    struct stat info;
    *file = NULL;
    errno = 0;
    if (strcmp(path, "-") == 0)
        return open_input(file, size);
    if (stat(path, &info) != 0)
        return lam_fail(LAM_ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
    if (S_ISDIR(info.st_mode))
        return lam_fail(LAM_ERR_IO, "%s: is a folder; name a file in it", path);
    *file = gzopen(path, "rb");
    if (*file == NULL)
        return lam_fail(LAM_ERR_IO, "%s: cannot be read: %s", path, errno != 0 ? strerror(errno) : "out of memory");
    gzbuffer(*file, 1u << 17);
    *size = info.st_size > 0 ? (size_t)info.st_size : 0;
    return LAM_OK;
}

lam_status lam_bytes_next(const char *path, gzFile file, void *buffer, size_t room, size_t *got, const char **damage)
{
    int n = gzread(file, buffer, room < (1u << 30) ? (unsigned)room : 1u << 30); /* gzread counts in int */
    int error = errno, code = Z_OK;
    gzerror(file, &code); /* a stream that is cut short still gives its bytes, and says so only here */
    *damage = damage_of(code);
    *got = n > 0 ? (size_t)n : 0;
    return *damage == NULL && (n < 0 || code != Z_OK) ? read_failed(path, code, error) : LAM_OK;
}

lam_status lam_bytes_damaged(const char *path, const char *damage)
{
    return lam_fail(LAM_ERR_FORMAT, "%s: %s; copy or download it again", lam_bytes_name(path), damage);
}

static lam_status read_all(const char *path, gzFile file, size_t guess, size_t limit, char **bytes, size_t *size,
    const char **damage)
{
    size_t room = guess, used = 0, got;
    char *buffer = malloc(room + 1);
    while (buffer != NULL) {
        lam_status status = lam_bytes_next(path, file, buffer + used, room - used, &got, damage);
        used += got;
        if (status == LAM_OK && used > limit)
            status = lam_fail(LAM_ERR_FORMAT, "%s: unpacks to more than %zu bytes; that is not a file of this kind",
                lam_bytes_name(path), limit);
        if (status != LAM_OK) {
            free(buffer);
            return status;
        }
        if (got == 0 || *damage != NULL)
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
        return lam_fail(LAM_ERR_MEMORY, "%s: out of memory, it needs more than %zu bytes", lam_bytes_name(path), room);
    buffer[used] = '\0';
    *bytes = buffer;
    *size = used;
    return LAM_OK;
}

lam_status lam_bytes_read_some(const char *path, size_t limit, char **bytes, size_t *size, const char **damage)
{
    gzFile file;
    size_t on_disk;
    *bytes = NULL, *size = 0, *damage = NULL;
    LAM_TRY(lam_bytes_open(path, &file, &on_disk));
    lam_status status = read_all(path, file, on_disk > 0 ? on_disk + 1 : 1u << 16, limit, bytes, size, damage);
    gzclose_r(file);
    return status;
}

lam_status lam_bytes_read(const char *path, char **bytes, size_t *size)
{
    const char *damage;
    LAM_TRY(lam_bytes_read_some(path, SIZE_MAX, bytes, size, &damage));
    if (damage == NULL)
        return LAM_OK;
    free(*bytes);
    *bytes = NULL, *size = 0;
    return lam_bytes_damaged(path, damage);
}

/* The file's pages, or NULL where it cannot be mapped or is gzipped: reading it says why. */
static const char *map_file(const char *path, size_t *size)
{
    struct stat info;
    int is_file = strcmp(path, "-") != 0 && stat(path, &info) == 0 && S_ISREG(info.st_mode); /* opening a named pipe would take it from its reader */
    int fd = is_file ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *at = MAP_FAILED;
    if (fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 1)
        at = mmap(NULL, *size = (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (fd >= 0)
        close(fd);
    if (at == MAP_FAILED)
        return NULL;
    if (memcmp(at, "\x1F\x8B", 2) == 0) {
        munmap(at, *size);
        return NULL;
    }
    return at;
}

lam_status lam_bytes_map(const char *path, lam_bytes *out)
{
    *out = (lam_bytes) { 0 };
    if ((out->at = map_file(path, &out->size)) != NULL)
        return LAM_OK;
    LAM_TRY(lam_bytes_read(path, &out->owned, &out->size));
    out->at = out->owned;
    return LAM_OK;
}

/* Gives the pages from `from` to before `until` back, but those that reach beyond. */
static void unmap(const char *from, const char *until)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), first = ((uintptr_t)from + page - 1) / page * page, last = (uintptr_t)until / page * page;
    if (last > first)
        munmap((void *)first, last - first);
}

void lam_bytes_keep(lam_bytes *bytes, size_t offset, size_t size)
{
    if (bytes->owned == NULL) {
        unmap(bytes->at, bytes->at + offset);
        unmap(bytes->at + offset + size, bytes->at + bytes->size);
    }
    bytes->at += offset;
    bytes->size = size;
}

void lam_bytes_clear(lam_bytes *bytes)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), over = (uintptr_t)bytes->at % page; /* where they were kept of more */
    if (bytes->owned == NULL && bytes->at != NULL)
        munmap((void *)((uintptr_t)bytes->at - over), bytes->size + over);
    free(bytes->owned);
    *bytes = (lam_bytes) { 0 };
}
