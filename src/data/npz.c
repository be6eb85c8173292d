/* A small zip reader: the central directory, and entries that are stored or deflated. Field offsets are those of PKWARE's
 * APPNOTE. Sizes are taken from the central directory alone, since numpy leaves them out of the local headers. */
#include "base/error.h"
#include "base/mem.h"
#include "data/bytes.h"
#include "data/npy.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

typedef struct entry {
    char *name;                     /* without ".npy"; malloc'd */
    size_t packed, size, offset;    /* bytes in the archive, unpacked, of the local header */
    int is_npy;                     /* it had that ending */
    unsigned method;                /* 0 stored, 8 deflated */
    uint32_t crc;
} entry;

struct lam_npz {
    char *label;                    /* for messages; malloc'd */
    const unsigned char *bytes;
    char *owned;                    /* the same when the file was read here; malloc'd */
    size_t size, count;
    entry *entries;                 /* [count] */
};

static size_t get2(const unsigned char *p)
{
    return (size_t)p[0] | (size_t)p[1] << 8;
}

static size_t get4(const unsigned char *p)
{
    return get2(p) | get2(p + 2) << 16;
}

static lam_status damaged(const char *label, const char *what)
{
    return lam_fail(LAM_ERR_FORMAT, "%s: the .npz archive is cut short or damaged (%s); copy or write it again", label, what);
}

static lam_status zip64(const char *label)
{
    return lam_fail(LAM_ERR_UNSUPPORTED, "%s: is a zip64 archive (more than 4 GiB or 65535 arrays), which is not read; save "
        "the array alone with numpy.save", label);
}

/* The record that ends an archive: 22 bytes and a comment, so within the last 65557. */
static const unsigned char *find_end(const unsigned char *bytes, size_t size)
{
    for (size_t back = 22; back <= size && back <= 22 + 65535; back++) {
        const unsigned char *p = bytes + size - back;
        if (memcmp(p, "PK\5\6", 4) == 0 && get2(p + 20) <= back - 22)
            return p;
    }
    return NULL;
}

/* One entry of the central directory at p (left bytes of it). *used is its length. */
static lam_status read_entry(lam_npz *npz, const unsigned char *p, size_t left, size_t *used)
{
    if (left < 46 || memcmp(p, "PK\1\2", 4) != 0)
        return damaged(npz->label, "a directory entry");
    size_t n = get2(p + 28);
    *used = 46 + n + get2(p + 30) + get2(p + 32);
    if (*used > left || memchr(p + 46, 0, n) != NULL)
        return damaged(npz->label, "a directory entry");
    entry *e = &npz->entries[npz->count];
    *e = (entry){ .method = (unsigned)get2(p + 10), .crc = (uint32_t)get4(p + 16), .packed = get4(p + 20),
        .size = get4(p + 24), .offset = get4(p + 42) };
    if (e->packed == UINT32_MAX || e->size == UINT32_MAX || e->offset == UINT32_MAX)
        return zip64(npz->label);
    if (get2(p + 8) & 1)
        return lam_fail(LAM_ERR_UNSUPPORTED, "%s: is encrypted; unpack it first", npz->label);
    e->name = malloc(n + 1);
    if (e->name == NULL)
        return lam_fail(LAM_ERR_MEMORY, "%s: out of memory", npz->label);
    memcpy(e->name, p + 46, n);
    e->is_npy = n >= 4 && memcmp(e->name + n - 4, ".npy", 4) == 0;
    n -= e->is_npy ? 4 : 0;
    e->name[n] = '\0';
    npz->count++;
    return LAM_OK;
}

static lam_status read_directory(lam_npz *npz)
{
    const unsigned char *end = find_end(npz->bytes, npz->size);
    if (end == NULL)
        return damaged(npz->label, "no end of directory");
    size_t count = get2(end + 10), length = get4(end + 12), offset = get4(end + 16);
    if (count == UINT16_MAX || length == UINT32_MAX || offset == UINT32_MAX)
        return zip64(npz->label);
    size_t before = (size_t)(end - npz->bytes);
    if (offset > before || length > before - offset || count > length / 46)
        return damaged(npz->label, "the directory");
    npz->entries = lam_alloc(count, sizeof *npz->entries);
    if (npz->entries == NULL)
        return LAM_ERR_MEMORY;
    const unsigned char *p = npz->bytes + offset;
    for (size_t i = 0, used = 0; i < count; i++, p += used, length -= used)
        LAM_TRY(read_entry(npz, p, length, &used));
    return LAM_OK;
}

static lam_status open_bytes(const char *name, const void *bytes, size_t size, char *owned, lam_npz **out)
{
    *out = NULL;
    lam_npz *npz = lam_alloc(1, sizeof *npz);
    if (npz == NULL) {
        free(owned);
        return LAM_ERR_MEMORY;
    }
    npz->bytes = bytes, npz->size = size, npz->owned = owned;
    npz->label = lam_strdup(name);
    lam_status status = npz->label == NULL ? LAM_ERR_MEMORY : read_directory(npz);
    if (status != LAM_OK) {
        lam_npz_free(npz);
        return status;
    }
    *out = npz;
    return LAM_OK;
}

lam_status lam_npz_open_memory(const char *name, const void *bytes, size_t size, lam_npz **out)
{
    return open_bytes(name, bytes, size, NULL, out);
}

lam_status lam_npz_open(const char *path, lam_npz **out)
{
    char *bytes;
    size_t size;
    *out = NULL;
    LAM_TRY(lam_bytes_read(path, &bytes, &size));
    return open_bytes(path, bytes, size, bytes, out);
}

void lam_npz_free(lam_npz *npz)
{
    if (npz == NULL)
        return;
    for (size_t i = 0; i < npz->count; i++)
        free(npz->entries[i].name);
    lam_free(npz->entries);
    free(npz->owned);
    free(npz->label);
    lam_free(npz);
}

size_t lam_npz_count(const lam_npz *npz)
{
    return npz->count;
}

const char *lam_npz_name(const lam_npz *npz, size_t index)
{
    return index < npz->count ? npz->entries[index].name : NULL;
}

/* Inflates raw deflate data; fewer than n bytes out only if the stream ends there. *got says how many. */
static int inflate_raw(const unsigned char *packed, size_t n_packed, unsigned char *out, size_t n, size_t *got)
{
    z_stream z = { 0 };
    if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
        return -1;
    z.next_in = (z_const Bytef *)packed, z.avail_in = (uInt)n_packed; /* both are below 4 GiB: no zip64 */
    z.next_out = out, z.avail_out = (uInt)n;
    int code = inflate(&z, Z_FINISH);
    *got = n - z.avail_out;
    inflateEnd(&z);
    return code == Z_STREAM_END || (code == Z_BUF_ERROR && *got == n) ? 0 : -1;
}

/* Where the packed bytes of an entry begin. */
static lam_status locate(const lam_npz *npz, const entry *e, const unsigned char **packed)
{
    const unsigned char *local = npz->bytes + e->offset;
    if (e->offset > npz->size || npz->size - e->offset < 30 || memcmp(local, "PK\3\4", 4) != 0)
        return damaged(npz->label, e->name);
    size_t start = 30 + get2(local + 26) + get2(local + 28), room = npz->size - e->offset;
    if (start > room || e->packed > room - start || (e->method == 0 && e->packed != e->size))
        return damaged(npz->label, e->name);
    if (e->method != 0 && e->method != 8)
        return lam_fail(LAM_ERR_UNSUPPORTED, "%s: \"%s\" is compressed by method %u; numpy.savez_compressed's deflate is read",
            npz->label, e->name, e->method);
    if (e->size / 1100 > e->packed + 64) /* deflate packs at most 1032 to 1: do not reserve memory for a false size */
        return damaged(npz->label, e->name);
    *packed = local + start;
    return LAM_OK;
}

/* The first n bytes of an entry (all of it: n = its size, and the checksum is tested), from lam_alloc. */
static lam_status unpack(const lam_npz *npz, const entry *e, size_t n, unsigned char **out)
{
    const unsigned char *packed = NULL;
    *out = NULL;
    LAM_TRY(locate(npz, e, &packed));
    unsigned char *bytes = lam_alloc(n, 1);
    if (bytes == NULL)
        return LAM_ERR_MEMORY;
    size_t got = n;
    int bad = 0;
    if (e->method == 0)
        memcpy(bytes, packed, n);
    else
        bad = inflate_raw(packed, e->packed, bytes, n, &got) != 0 || got != n;
    if (!bad && n == e->size)
        bad = crc32(crc32(0, NULL, 0), bytes, (uInt)n) != e->crc;
    if (bad) {
        lam_free(bytes);
        return damaged(npz->label, e->name);
    }
    *out = bytes;
    return LAM_OK;
}

/* The names, comma-separated, cut where text ends. */
static void list_names(const lam_npz *npz, char *text, size_t room)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < npz->count; i++) {
        int wrote = snprintf(text + used, room - used, "%s%.80s", i == 0 ? "" : ", ", npz->entries[i].name);
        used += wrote < 0 ? 0 : (size_t)wrote;
        if (used + 90 > room) {
            snprintf(text + (used < room - 6 ? used : room - 6), 6, ", ...");
            return;
        }
    }
}

static const entry *find(const lam_npz *npz, const char *name)
{
    size_t n = strlen(name);
    for (int cut = 0; cut < 2; cut++) {
        for (size_t i = 0; i < npz->count; i++)
            if (strlen(npz->entries[i].name) == n && memcmp(npz->entries[i].name, name, n) == 0)
                return &npz->entries[i];
        if (n < 4 || memcmp(name + n - 4, ".npy", 4) != 0)
            break;
        n -= 4;
    }
    return NULL;
}

static const char *label_of(const lam_npz *npz, const entry *e, char label[512])
{
    snprintf(label, 512, "%.300s:%.200s", npz->label, e->name);
    return label;
}

lam_status lam_npz_read(const lam_npz *npz, const char *name, lam_array *out)
{
    char names[1024], label[512];
    unsigned char *bytes;
    *out = (lam_array){ 0 };
    const entry *e = find(npz, name);
    if (e == NULL) {
        list_names(npz, names, sizeof names);
        return lam_fail(LAM_ERR_ARGUMENT, "%s: has no array \"%s\"; it has %s", npz->label, name,
            npz->count == 0 ? "none at all" : names);
    }
    LAM_TRY(unpack(npz, e, e->size, &bytes));
    lam_status status = lam_npy_parse(label_of(npz, e, label), bytes, e->size, out);
    lam_free(bytes);
    return status;
}

lam_status lam_npz_read_header(const lam_npz *npz, size_t index, lam_array *out)
{
    enum { MOST = 1 << 17 }; /* headers of version 1 take half of it */
    const entry *e = &npz->entries[index];
    size_t n = e->size < MOST ? e->size : MOST;
    unsigned char *bytes;
    char label[512];
    *out = (lam_array){ 0 };
    LAM_TRY(unpack(npz, e, n, &bytes));
    lam_status status = lam_npy_parse_header(label_of(npz, e, label), bytes, n, out);
    lam_free(bytes);
    return status;
}

int lam_npz_is_array(const lam_npz *npz, size_t index)
{
    return index < npz->count && npz->entries[index].is_npy;
}

void lam_npz_describe(const lam_npz *npz, size_t index, lam_array_facts *facts)
{
    unsigned char *bytes = NULL;
    const entry *e = &npz->entries[index];
    size_t n = e->size < 1024 ? e->size : 1024;
    if (unpack(npz, e, n, &bytes) != LAM_OK)
        n = 0;
    lam_npy_describe(bytes, n, facts);
    lam_free(bytes);
}

size_t lam_npz_size(const lam_npz *npz, size_t index)
{
    return npz->entries[index].size;
}

lam_status lam_npz_stored(const lam_npz *npz, size_t index, size_t *offset)
{
    const entry *e = &npz->entries[index];
    const unsigned char *bytes = NULL;
    LAM_TRY(locate(npz, e, &bytes));
    *offset = (size_t)(bytes - npz->bytes);
    if (e->method != 0)
        *offset = 0;
    else if (crc32_z(crc32_z(0, NULL, 0), bytes, e->size) != e->crc)
        return damaged(npz->label, e->name);
    return LAM_OK;
}

/* Inflates packed to a stream, piece by piece; *sum: of what came out. 0: all of it came. */
static int inflate_to(const unsigned char *packed, const entry *e, FILE *stream, uLong *sum)
{
    static const size_t piece = 1 << 16;
    z_stream z = { .next_in = (z_const Bytef *)packed, .avail_in = (uInt)e->packed };
    unsigned char *room = malloc(piece);
    int code = room != NULL && inflateInit2(&z, -MAX_WBITS) == Z_OK ? Z_OK : Z_MEM_ERROR, begun = code == Z_OK;
    while (code == Z_OK) {
        z.next_out = room, z.avail_out = (uInt)piece;
        code = inflate(&z, Z_NO_FLUSH);
        *sum = crc32_z(*sum, room, piece - z.avail_out);
        fwrite(room, 1, piece - z.avail_out, stream); /* what fails is noticed at the end */
    }
    int whole = code == Z_STREAM_END && z.total_out == e->size;
    if (begun)
        inflateEnd(&z);
    free(room);
    return whole ? 0 : -1;
}

lam_status lam_npz_extract(const lam_npz *npz, size_t index, FILE *stream)
{
    const entry *e = &npz->entries[index];
    const unsigned char *packed = NULL;
    uLong sum = crc32_z(0, NULL, 0);
    LAM_TRY(locate(npz, e, &packed));
    return inflate_to(packed, e, stream, &sum) == 0 && sum == e->crc ? LAM_OK : damaged(npz->label, e->name);
}
