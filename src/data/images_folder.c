/* A folder of PNG pictures, with the folders in it, read as a zip of it would be. */
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "data/image_formats.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEEPEST = 32 };
/* Of one file: far beyond any picture. */
#define FILE_BYTES ((size_t)1 << 28)

typedef struct folder {
    const char *path;
    char **names;        /* [n] of the PNG files, seen from path; each malloc'd, as is the array */
    size_t n, room, others;
    char *other;         /* name of one of the others, for the message */
} folder;

static lam_status no_memory(const folder *f)
{
    return lam_fail(LAM_ERR_MEMORY, "%s: there is no memory for the names of its %zu files", f->path, f->n + f->others);
}

static lam_status cannot(const folder *f, const char *name, const char *what)
{
    return lam_fail(LAM_ERR_IO, "%s: %s cannot be %s: %s", f->path, name, what, strerror(errno));
}

/* Takes the name over. */
static lam_status keep(folder *f, char *name)
{
    if (f->n == f->room) {
        size_t room = f->room == 0 ? 64 : 2 * f->room;
        char **more = realloc(f->names, room * sizeof *more);
        if (more == NULL) {
            free(name);
            return no_memory(f);
        }
        f->names = more, f->room = room;
    }
    f->names[f->n++] = name;
    return LAM_OK;
}

static void pass_over(folder *f, char *name)
{
    f->others++;
    if (f->other == NULL)
        f->other = name;
    else
        free(name);
}

static lam_status list(folder *f, const char *below, int depth);

/* Takes `below` over: a file's or a folder's name, seen from f->path. */
static lam_status look_at(folder *f, char *below, int depth)
{
    unsigned char head[8];
    struct stat at;
    char *path = lam_path_join(f->path, below);
    FILE *file = NULL;
    lam_status status = path == NULL ? no_memory(f) : LAM_OK;
    /* a link to a file is the file; one to a folder is passed over, as it may lead into a circle */
    int is_link = status == LAM_OK && lstat(path, &at) == 0 && S_ISLNK(at.st_mode);
    if (status == LAM_OK && stat(path, &at) != 0 && !is_link)
        status = cannot(f, below, "looked at");
    if (status == LAM_OK && S_ISDIR(at.st_mode) && !is_link) {
        status = depth < DEEPEST ? list(f, below, depth + 1)
            : lam_fail(LAM_ERR_FORMAT, "%s: %s lies more than %d folders deep; give a folder further down", f->path, below, DEEPEST);
    } else if (status == LAM_OK && S_ISREG(at.st_mode)) {
        file = fopen(path, "rb");
        size_t got = file != NULL ? fread(head, 1, sizeof head, file) : 0;
        if (file == NULL || ferror(file))
            status = cannot(f, below, "read");
        else if (lam_png_begins(head, got))
            status = keep(f, below), below = NULL;
        else
            pass_over(f, below), below = NULL;
    } else if (status == LAM_OK) {
        pass_over(f, below), below = NULL;
    }
    if (file != NULL)
        fclose(file);
    free(path);
    free(below);
    return status;
}

/* Files of the folder `below` ("": f->path itself) and of the folders in it. */
static lam_status list(folder *f, const char *below, int depth)
{
    char *path = lam_path_join(f->path, below);
    DIR *dir = path != NULL ? opendir(path) : NULL;
    lam_status status = path == NULL ? no_memory(f) : dir == NULL ? cannot(f, below[0] != '\0' ? below : "the folder", "opened") : LAM_OK;
    const struct dirent *entry;
    while (status == LAM_OK && (errno = 0, entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        char *name = lam_path_join(below, entry->d_name);
        status = name != NULL ? look_at(f, name, depth) : no_memory(f);
    }
    if (status == LAM_OK && errno != 0)
        status = cannot(f, below[0] != '\0' ? below : "the folder", "listed");
    if (dir != NULL)
        closedir(dir);
    free(path);
    return status;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static const char *name_of(void *self, size_t i)
{
    return ((const folder *)self)->names[i];
}

static lam_status read_file(void *self, size_t i, unsigned char **bytes, size_t *size)
{
    const folder *f = self;
    struct stat at;
    char *path = lam_path_join(f->path, f->names[i]);
    FILE *file = path != NULL ? fopen(path, "rb") : NULL;
    lam_status status = path == NULL ? no_memory(f) : LAM_OK;
    *bytes = NULL, *size = 0;
    if (status == LAM_OK && (file == NULL || fstat(fileno(file), &at) != 0))
        status = cannot(f, f->names[i], "opened");
    if (status == LAM_OK && (size_t)at.st_size > FILE_BYTES)
        status = lam_fail(LAM_ERR_FORMAT, "%s: %s has %lld bytes, more than is read of one picture", f->path, f->names[i],
            (long long)at.st_size);
    if (status == LAM_OK && (*bytes = lam_reserve((size_t)at.st_size + 1)) == NULL)
        status = LAM_ERR_MEMORY;
    if (status == LAM_OK) {
        *size = fread(*bytes, 1, (size_t)at.st_size, file);
        if (ferror(file))
            status = cannot(f, f->names[i], "read");
    }
    if (file != NULL)
        fclose(file);
    free(path);
    if (status != LAM_OK) {
        lam_free(*bytes);
        *bytes = NULL;
    }
    return status;
}

static lam_status none(const folder *f)
{
    if (f->others == 0)
        return lam_fail(LAM_ERR_FORMAT, "%s: is a folder without files; give one that holds PNG pictures", f->path);
    return lam_fail(LAM_ERR_FORMAT, "%s: is a folder without PNG pictures: %zu other %s in it (%.200s); convert pictures of other "
        "formats, for instance with ImageMagick: mogrify -format png *.jpg", f->path, f->others, f->others == 1 ? "file is" :
        "files are", f->other);
}

lam_status lam_images_folder(const char *path, const lam_images_options *options, lam_images *out)
{
    folder f = { .path = path };
    lam_status status = list(&f, "", 0);
    if (status == LAM_OK && f.n == 0)
        status = none(&f);
    if (status == LAM_OK) {
        qsort(f.names, f.n, sizeof *f.names, by_name);
        const lam_picture_files files = { .label = path, .self = &f, .n = f.n, .others = f.others, .name = name_of, .read = read_file };
        status = lam_images_pictures(&files, options, out);
    }
    for (size_t i = 0; i < f.n; i++)
        free(f.names[i]);
    free(f.names);
    free(f.other);
    out->format = "png folder";
    return status;
}
