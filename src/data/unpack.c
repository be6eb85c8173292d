/* Unpacks a gzipped file, an array of an archive, or reads a pipe, to where there is room for it. */
#include "base/error.h"
#include "base/room.h"
#include "data/mapped.h"
#include "data/table.h"
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

typedef struct packed {
    const char *path;
    gzFile file;
    char *piece; /* [room] */
    size_t room;
} packed;

/* As many bytes as there is room for, fewer at the end alone. */
static lam_status fill(const packed *p, size_t *n)
{
    const char *damage;
    size_t got = 1;
    for (*n = 0; *n < p->room && got > 0; *n += got) {
        LAM_TRY(lam_bytes_next(p->path, p->file, p->piece + *n, p->room - *n, &got, &damage));
        if (damage != NULL)
            return lam_bytes_damaged(p->path, damage);
    }
    return LAM_OK;
}

/* The n bytes of the piece and all that follow, to a file. */
static lam_status write_on(const packed *p, size_t n, const char *folder, lam_bytes *out)
{
    lam_status status = LAM_OK;
    FILE *stream = lam_room_stream(folder);
    if (stream == NULL)
        return LAM_ERR_MEMORY;
    for (int more = 1; more && status == LAM_OK && !ferror(stream);) { /* lam_room_map notices a failed write */
        fwrite(p->piece, 1, n, stream);
        more = n == p->room;
        status = more ? fill(p, &n) : LAM_OK;
    }
    if (status != LAM_OK) {
        fclose(stream);
        return status;
    }
    return (out->at = lam_room_map(folder, stream, &out->size)) != NULL ? LAM_OK : LAM_ERR_MEMORY;
}

lam_status lam_mapped_unpack(const char *path, const char *folder, size_t least, lam_bytes *out, int *is_large)
{
    enum { USUAL = 1 << 16 };
    packed p = { .path = path, .room = least > USUAL ? least : USUAL };
    size_t on_disk, n = 0;
    *out = (lam_bytes) { 0 };
    *is_large = 0;
    LAM_TRY(lam_bytes_open(path, &p.file, &on_disk));
    lam_status status = (p.piece = malloc(p.room)) != NULL ? fill(&p, &n) : lam_fail(LAM_ERR_MEMORY, "out of memory: %zu bytes were asked for", p.room);
    *is_large = status == LAM_OK && n > 0 && n >= least;
    if (*is_large) {
        status = write_on(&p, n, folder, out);
    } else if (status == LAM_OK) {
        *out = (lam_bytes) { p.piece, n, p.piece };
        p.piece = NULL;
    }
    free(p.piece);
    gzclose_r(p.file);
    return status;
}

lam_status lam_mapped_bytes(const char *path, const lam_rows_place *place, lam_bytes *out)
{
    size_t on_disk;
    int is_large;
    if (place == NULL || place->folder == NULL || lam_mapped_look(path, &on_disk) != LAM_MAPPED_PACKED)
        return lam_bytes_map(path, out);
    return lam_mapped_unpack(path, place->folder, place->least, out, &is_large);
}

/* ---- archives ----------------------------------------------------------------------------------------------------- */

static lam_status extract(const lam_npz *npz, size_t index, const char *folder, lam_bytes *out)
{
    FILE *stream = lam_room_stream(folder);
    if (stream == NULL)
        return LAM_ERR_MEMORY;
    lam_status status = lam_npz_extract(npz, index, stream);
    if (status != LAM_OK) {
        fclose(stream);
        return status;
    }
    return (out->at = lam_room_map(folder, stream, &out->size)) != NULL ? LAM_OK : LAM_ERR_MEMORY;
}

static lam_status take_member(const lam_npz *npz, size_t index, const char *folder, lam_bytes *bytes, int *is_taken)
{
    size_t offset;
    lam_bytes unpacked = { 0 };
    LAM_TRY(lam_npz_stored(npz, index, &offset));
    *is_taken = offset > 0 || folder != NULL;
    if (offset > 0)
        lam_bytes_keep(bytes, offset, lam_npz_size(npz, index));
    if (offset > 0 || folder == NULL)
        return LAM_OK;
    LAM_TRY(extract(npz, index, folder, &unpacked));
    lam_bytes_clear(bytes);
    *bytes = unpacked;
    return LAM_OK;
}

lam_status lam_mapped_member(const char *name, const char *wanted, const lam_rows_place *place, lam_bytes *bytes, int *is_large)
{
    lam_npz *npz;
    size_t index;
    lam_array_facts facts;
    *is_large = 0;
    if (bytes->size < 4 || memcmp(bytes->at, "PK\3\4", 4) != 0)
        return LAM_OK;
    LAM_TRY(lam_npz_open_memory(name, bytes->at, bytes->size, &npz));
    lam_status status = lam_npz_choose(name, npz, wanted, &index);
    if (status == LAM_OK)
        lam_npz_describe(npz, index, &facts);
    *is_large = status == LAM_OK && facts.content == LAM_ARRAY_NUMBERS && lam_npz_size(npz, index) >= place->least / sizeof(double);
    if (*is_large)
        status = take_member(npz, index, place->folder, bytes, is_large);
    lam_npz_free(npz);
    return status;
}
