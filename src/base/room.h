/* Room for as many numbers as a table has rows: memory, or pages of a file. */
#ifndef LAM_BASE_ROOM_H
#define LAM_BASE_ROOM_H
#include <stddef.h>
#include <stdio.h>

/* count * size bytes, zeroed, aligned to 64. folder NULL: memory, as of lam_alloc. Else a file in that folder without a name, which is mapped: the
 * kernel writes its pages to the disk where memory is short, and takes the file away with the mapping, however the process ends. NULL with
 * the error recorded (LAM_ERR_MEMORY), also where the folder takes no such file or its disk is full, which is known here and not later. */
void *lam_room_take(const char *folder, size_t count, size_t size);
/* Takes what lam_room_take gave for the same folder, or NULL. */
void lam_room_give(const char *folder, void *room);

/* A file of the same kind that is written before it is read, where it is not known how much it will be: NULL with the error recorded. */
FILE *lam_room_stream(const char *folder);
/* What was written, *size bytes to read alone until munmap; the stream is closed. NULL with the error recorded: it was not all written, or was nothing. */
const void *lam_room_map(const char *folder, FILE *stream, size_t *size);
/* Gives the file of fd, one of lam_room_stream, a name, in place of another file of that name: from here on it stays. Of two processes that do so at once
 * one has the name. 0, or why it cannot be (errno), as where files without names are only imitated. */
int lam_room_name(int fd, const char *path);

#endif
