/* Reads whole files, and writes them under a temporary name that is renamed when all is on the disk. */
#include "base/file.h"
#include "base/error.h"
#include "base/mem.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* errno may say nothing: stdio does not always keep the reason of an earlier short write. */
static const char *reason(int error)
{
    return error != 0 ? strerror(error) : "the write was cut short; is the disk full?";
}

static void forget(lam_out_file *file)
{
    free(file->path);
    free(file->temporary);
    *file = (lam_out_file){ 0 };
}

/* "PATH.tmp.PID", malloc'd. */
static char *temporary_name(const char *path)
{
    size_t size = strlen(path) + 32;
    char *name = malloc(size);
    if (name == NULL)
        lam_fail(LAM_ERR_MEMORY, "out of memory: %zu bytes were asked for", size);
    else
        snprintf(name, size, "%s.tmp.%ld", path, (long)getpid());
    return name;
}

/* Opens file->temporary, or file->path itself when there is none, with the mode of the file to be replaced. */
static lam_status open_stream(lam_out_file *file, mode_t mode, int keep_mode)
{
    int fd;
    if (file->temporary == NULL) {
        fd = open(file->path, O_WRONLY | O_CLOEXEC);
    } else {
        unlink(file->temporary); /* left by a killed process that had our id */
        fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    if (fd < 0) {
        int error = errno;
        return lam_fail(LAM_ERR_IO, "cannot write %s: %s%s", file->path, strerror(error),
            error == ENOENT ? "; create its folder first" : "");
    }
    if (keep_mode)
        (void)fchmod(fd, mode); /* best effort: a file system without modes is no reason to refuse */
    file->stream = fdopen(fd, "wb");
    if (file->stream == NULL) {
        int error = errno;
        close(fd);
        if (file->temporary != NULL)
            unlink(file->temporary);
        return lam_fail(LAM_ERR_IO, "cannot write %s: %s", file->path, strerror(error));
    }
    return LAM_OK;
}

lam_status lam_out_open(lam_out_file *file, const char *path)
{
    *file = (lam_out_file){ 0 };
    if (path == NULL || path[0] == '\0')
        return lam_fail(LAM_ERR_ARGUMENT, "cannot write a file: its name is empty");
    struct stat old = { 0 };
    int exists = stat(path, &old) == 0;
    if (exists && S_ISDIR(old.st_mode))
        return lam_fail(LAM_ERR_IO, "cannot write %s: it is a folder; name a file in it", path);
    if (exists && S_ISREG(old.st_mode)) {
        file->path = realpath(path, NULL); /* a symbolic link stays one: the file that it points to is replaced */
        if (file->path == NULL)
            return lam_fail(LAM_ERR_IO, "cannot write %s: %s", path, strerror(errno));
    } else if ((file->path = lam_strdup(path)) == NULL) {
        return LAM_ERR_MEMORY;
    }
    if (!exists || S_ISREG(old.st_mode)) {
        file->temporary = temporary_name(file->path);
        if (file->temporary == NULL) {
            forget(file);
            return LAM_ERR_MEMORY;
        }
    }
    lam_status status = open_stream(file, old.st_mode & 07777, exists && file->temporary != NULL);
    if (status != LAM_OK)
        forget(file);
    return status;
}

/* A descriptor of the folder that holds path, -1 if it may not be opened. */
static int open_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    size_t length = slash == path ? 1 : (size_t)(slash - path);
    char *folder = malloc(length + 1);
    if (folder == NULL)
        return -1;
    memcpy(folder, path, length);
    folder[length] = '\0';
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    return fd;
}

/* Bytes out of stdio, out of the kernel, closed. 0 on success, else -1 with *error set (0 if unknown). */
static int finish_stream(lam_out_file *file, int *error)
{
    int failed = ferror(file->stream);
    *error = errno = 0;
    if (fflush(file->stream) != 0) {
        failed = 1;
        *error = errno;
    }
    /* pipes and terminals cannot be synced and say EINVAL; nothing is lost by that */
    if (!failed && fsync(fileno(file->stream)) != 0 && errno != EINVAL && errno != ENOTSUP && errno != EROFS) {
        failed = 1;
        *error = errno;
    }
    if (fclose(file->stream) != 0 && !failed) {
        failed = 1;
        *error = errno;
    }
    file->stream = NULL;
    return failed ? -1 : 0;
}

lam_status lam_out_commit(lam_out_file *file)
{
    int error;
    lam_status status = LAM_OK;
    if (file->stream == NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "cannot finish a file that is not open");
    if (finish_stream(file, &error) != 0) {
        status = lam_fail(LAM_ERR_IO, "writing %s failed: %s%s", file->path, reason(error),
            file->temporary != NULL ? " (nothing was replaced; free some space or write elsewhere)" : "");
    } else if (file->temporary != NULL) {
        int folder = open_folder(file->path);
        if (rename(file->temporary, file->path) != 0)
            status = lam_fail(LAM_ERR_IO, "cannot rename %s to %s: %s", file->temporary, file->path, strerror(errno));
        else if (folder >= 0 && fsync(folder) != 0 && errno != EINVAL && errno != ENOTSUP)
            status = lam_fail(LAM_ERR_IO, "%s is written, but its folder could not be synced (%s): it may not outlive a "
                "power cut", file->path, strerror(errno));
        if (folder >= 0)
            close(folder);
    }
    if (status != LAM_OK && file->temporary != NULL)
        unlink(file->temporary);
    forget(file);
    return status;
}

void lam_out_abandon(lam_out_file *file)
{
    if (file->stream != NULL)
        fclose(file->stream);
    if (file->temporary != NULL)
        unlink(file->temporary);
    forget(file);
}

/* Reads the rest of stream into *bytes, growing it; one byte is always left for the final NUL. */
static lam_status read_stream(FILE *stream, const char *path, size_t expected, char **bytes, size_t *size)
{
    size_t room = expected + 2, used = 0; /* room past the end, so that one read meets it */
    char *buffer = malloc(room);
    while (buffer != NULL) {
        used += fread(buffer + used, 1, room - 1 - used, stream);
        if (used < room - 1)
            break;
        char *larger = room > SIZE_MAX / 2 ? NULL : realloc(buffer, 2 * room);
        if (larger == NULL)
            free(buffer);
        buffer = larger;
        room *= 2;
    }
    if (buffer == NULL)
        return lam_fail(LAM_ERR_MEMORY, "out of memory: %s does not fit (%zu bytes or more)", path, room);
    if (ferror(stream)) {
        int error = errno;
        free(buffer);
        return lam_fail(LAM_ERR_IO, "cannot read %s: %s", path, strerror(error));
    }
    buffer[used] = '\0';
    *bytes = buffer;
    *size = used;
    return LAM_OK;
}

lam_status lam_file_read(const char *path, char **bytes, size_t *size)
{
    *bytes = NULL;
    *size = 0;
    if (path == NULL || path[0] == '\0')
        return lam_fail(LAM_ERR_ARGUMENT, "cannot read a file: its name is empty");
    struct stat info;
    FILE *stream = fopen(path, "rb");
    if (stream == NULL)
        return lam_fail(LAM_ERR_IO, "cannot open %s: %s", path, strerror(errno));
    size_t expected = 4096; /* a pipe does not say */
    if (fstat(fileno(stream), &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0)
        expected = (size_t)info.st_size;
    lam_status status = read_stream(stream, path, expected, bytes, size);
    fclose(stream);
    return status;
}

int lam_path_ends_with(const char *path, const char *ending)
{
    size_t n = strlen(path), m = strlen(ending);
    return n > m && strcasecmp(path + n - m, ending) == 0;
}

char *lam_path_join(const char *folder, const char *name)
{
    size_t length = strlen(folder);
    const char *slash = length > 0 ? "/" : "";
    while (length > 0 && folder[length - 1] == '/')
        length--;
    size_t room = length + strlen(name) + 2;
    char *path = malloc(room);
    if (path == NULL)
        lam_fail(LAM_ERR_MEMORY, "out of memory: %zu bytes were asked for", room);
    else
        snprintf(path, room, "%.*s%s%s", (int)length, folder, slash, name);
    return path;
}
