/* The files of a run folder. */
#include "train/folder.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const lam_run_files[LAM_RUN_FILES] = { "config.yaml", "metrics.jsonl", "model.safetensors", "checkpoint.safetensors" };

char *lam_run_path(const char *folder, const char *name)
{
    return lam_path_join(folder, name);
}

static lam_status make_folders(const char *folder)
{
    char *path = lam_strdup(folder);
    if (path == NULL)
        return LAM_ERR_MEMORY;
    lam_status status = LAM_OK;
    struct stat found;
    for (size_t i = 1; status == LAM_OK && i <= strlen(folder); i++) {
        if (folder[i] != '/' && folder[i] != '\0')
            continue;
        path[i] = '\0';
        if (mkdir(path, 0777) != 0 && (errno != EEXIST || stat(path, &found) != 0 || !S_ISDIR(found.st_mode))) {
            int error = errno;
            status = lam_fail(LAM_ERR_IO, "cannot make the folder %s: %s; choose another folder for the run", path,
                error == EEXIST ? "a file of that name is in the way" : strerror(error));
        }
        path[i] = folder[i];
    }
    free(path);
    return status;
}

/* Is it "NAME.tmp.NUMBER", the temporary file of one of ours? */
static int is_leftover(const char *entry)
{
    for (size_t i = 0; i < LAM_RUN_FILES; i++) {
        size_t length = strlen(lam_run_files[i]);
        if (strncmp(entry, lam_run_files[i], length) == 0 && strncmp(entry + length, ".tmp.", 5) == 0)
            return 1;
    }
    return 0;
}

static void remove_leftovers(const char *folder)
{
    const struct dirent *entry;
    DIR *dir = opendir(folder);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char *path = is_leftover(entry->d_name) ? lam_run_path(folder, entry->d_name) : NULL;
        if (path != NULL)
            unlink(path);
        free(path);
    }
    if (dir != NULL)
        closedir(dir);
}

static lam_status lock(const char *folder, int *out)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return lam_fail(LAM_ERR_IO, "cannot open the folder %s: %s", folder, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) { /* file systems without locks do without */
        close(fd);
        return lam_fail(LAM_ERR_IO, "another fit is writing to %s; wait for its end, stop it, or choose another folder", folder);
    }
    *out = fd;
    return LAM_OK;
}

lam_status lam_run_folder_open(const char *folder, lam_run_folder *out)
{
    *out = (lam_run_folder) { 0 };
    if (folder == NULL)
        return LAM_OK;
    if (folder[0] == '\0')
        return lam_fail(LAM_ERR_ARGUMENT, "the name of the run's folder is empty");
    LAM_TRY(make_folders(folder));
    LAM_TRY(lock(folder, &out->lock));
    remove_leftovers(folder);
    char **paths[LAM_RUN_FILES] = { &out->config, &out->metrics, &out->model, &out->checkpoint };
    for (size_t i = 0; i < LAM_RUN_FILES; i++)
        if ((*paths[i] = lam_run_path(folder, lam_run_files[i])) == NULL) {
            lam_run_folder_clear(out);
            return LAM_ERR_MEMORY;
        }
    return LAM_OK;
}

void lam_run_folder_clear(lam_run_folder *folder)
{
    free(folder->config);
    free(folder->metrics);
    free(folder->checkpoint);
    free(folder->model);
    if (folder->lock > 0)
        close(folder->lock);
    *folder = (lam_run_folder) { 0 };
}
