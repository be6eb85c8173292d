/* Files that are written atomically. */
#ifndef LAM_BASE_FILE_H
#define LAM_BASE_FILE_H
#include "laminar.h"
#include <stdio.h>

/* Writes to "PATH.tmp.PID" beside PATH; commit flushes, syncs, renames over PATH and syncs the folder; abandon removes the
 * temporary file. A failed commit removes the temporary file and leaves PATH as it was (the one exception, a folder that
 * cannot be synced after the rename, says so). Writers need not check fprintf or fwrite: a short write makes commit fail.
 * Both commit and abandon close the stream and free the struct; abandoning an empty or finished one does nothing.
 * A PATH that is a device or a pipe is written directly; a symbolic link stays and the file behind it is replaced. Two
 * threads of one process must not write the same PATH at once. */
typedef struct lam_out_file {
    FILE *stream;
    char *path, *temporary;
} lam_out_file;
lam_status lam_out_open(lam_out_file *file, const char *path);
lam_status lam_out_commit(lam_out_file *file);
void lam_out_abandon(lam_out_file *file);
/* The whole file (or pipe, to its end), NUL-terminated past *size; free with free(). On failure *bytes is NULL. */
lam_status lam_file_read(const char *path, char **bytes, size_t *size);
/* A name longer than this ending (".npy"), in capitals or not. */
int lam_path_ends_with(const char *path, const char *ending);
/* malloc'd: "folder/name" with one slash between them, however many the folder ends in; name alone where folder is "". NULL: out of memory, told. */
char *lam_path_join(const char *folder, const char *name);

#endif
