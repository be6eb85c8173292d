/* Keeps the numbers of a text: which file is whose, its layout, and whether it can be used. */
#include "data/cache.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/room.h"
#include "data/bytes.h"
#include "data/cache_text.h"
#include "data/hash.h"
#include "data/mapped.h"
#include "data/table.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the file begins with. Behind the numbers stands the tail: what cache_text.h has to say of the table. */
typedef struct head {
    char magic[16];
    uint64_t order; /* as this machine holds it */
    uint64_t size, seconds, nanoseconds, source[2]; /* of the text; its digest */
    uint64_t rows, cols, tail_size;
    char numbers[40]; /* digest of the table, as text */
    uint64_t check[2]; /* digest of this head, without this line, and of the tail */
} head;
static const char MAGIC[16] = "laminar rows 1\n";
static const uint64_t ORDER = UINT64_C(0x0102030405060708), SEED[2] = { 0, 0 };
_Static_assert(sizeof(head) <= LAM_CACHE_HEAD, "the head has its room");

/* ---- which file --------------------------------------------------------------------------------------------------- */

static lam_status look_at_source(const char *source, lam_cache_key *key, int *is_file)
{
    struct stat info;
    *is_file = stat(source, &info) == 0 && S_ISREG(info.st_mode);
    if (!*is_file)
        return LAM_OK;
    key->size = (uint64_t)info.st_size;
    key->seconds = (uint64_t)info.st_mtim.tv_sec, key->nanoseconds = (uint64_t)info.st_mtim.tv_nsec;
    key->source = realpath(source, NULL);
    return key->source != NULL ? LAM_OK : lam_fail(LAM_ERR_IO, "%s: cannot be read: %s", source, strerror(errno));
}

lam_status lam_cache_key_make(const char *source, const lam_read_options *options, const char *folder, lam_cache_key *key)
{
    int is_file;
    *key = (lam_cache_key) { 0 };
    LAM_TRY(look_at_source(source, key, &is_file));
    if (!is_file)
        return LAM_OK;
    lam_status status = lam_cache_settings(options, &key->settings);
    if (status == LAM_OK) {
        lam_hash hash;
        uint64_t digest[2];
        size_t room = strlen(folder) + 40;
        lam_hash_begin(&hash, SEED);
        lam_hash_add(&hash, key->source, strlen(key->source) + 1);
        lam_hash_add(&hash, key->settings, strlen(key->settings));
        lam_hash_end(&hash, digest);
        key->path = malloc(room);
        if (key->path == NULL)
            status = lam_fail(LAM_ERR_MEMORY, "out of memory: %zu bytes were asked for", room);
        else
            snprintf(key->path, room, "%s%srows-%016llx.cache", folder, folder[0] != '\0' && folder[strlen(folder) - 1] == '/' ? "" : "/",
                (unsigned long long)digest[0]);
    }
    if (status != LAM_OK)
        lam_cache_key_clear(key);
    return status;
}

void lam_cache_key_clear(lam_cache_key *key)
{
    free(key->path);
    free(key->source);
    free(key->settings);
    *key = (lam_cache_key) { 0 };
}

int lam_cache_hash_file(const char *path, uint64_t digest[2])
{
    enum { PIECE = 1 << 20 };
    lam_hash hash;
    char *piece = malloc(PIECE);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = -1;
    lam_hash_begin(&hash, SEED);
    while (piece != NULL && fd >= 0 && (n = read(fd, piece, PIECE)) > 0)
        lam_hash_add(&hash, piece, (size_t)n);
    lam_hash_end(&hash, digest);
    if (fd >= 0)
        close(fd);
    free(piece);
    return n == 0;
}

static void check_of(const head *h, const void *tail, uint64_t check[2])
{
    lam_hash hash;
    lam_hash_begin(&hash, SEED);
    lam_hash_add(&hash, h, offsetof(head, check));
    lam_hash_add(&hash, tail, (size_t)h->tail_size);
    lam_hash_end(&hash, check);
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

static int is_changed(const lam_cache_key *key, const head *h)
{
    uint64_t now[2];
    if (h->size != key->size)
        return 1;
    if (h->seconds == key->seconds && h->nanoseconds == key->nanoseconds)
        return 0;
    return !lam_cache_hash_file(key->source, now) || now[0] != h->source[0] || now[1] != h->source[1];
}

/* Why the file cannot be used; NULL: it can, as far as head and tail tell, and *t is its table without rows. */
static const char *look_inside(const lam_cache_key *key, const lam_bytes *b, head *h, lam_table **t)
{
    uint64_t check[2];
    if (b->size < LAM_CACHE_HEAD)
        return "is cut short";
    memcpy(h, b->at, sizeof *h);
    if (memcmp(h->magic, MAGIC, sizeof MAGIC) != 0 || h->order != ORDER)
        return "was not written by this version of laminar";
    size_t left = b->size - LAM_CACHE_HEAD;
    if (h->cols == 0 || h->rows > left / sizeof(double) / h->cols || h->tail_size != left - h->rows * h->cols * sizeof(double))
        return "is cut short or damaged";
    const char *tail = b->at + b->size - h->tail_size;
    check_of(h, tail, check);
    if (check[0] != h->check[0] || check[1] != h->check[1] || h->numbers[sizeof h->numbers - 1] != '\0')
        return "is damaged";
    const char *why = lam_cache_read_tail(key, tail, (size_t)h->tail_size, (size_t)h->cols, t);
    if (why != NULL)
        return why;
    return is_changed(key, h) ? "is of an earlier state of that file" : NULL;
}

/* Gives the table that look_inside has made its rows, and its digest; *why is set where that is another than the head says. */
static lam_status attach(lam_bytes *bytes, const head *h, const lam_read_options *options, const char *folder, lam_table *t, const char **why)
{
    lam_read_options plain = *options;
    plain.drop_duplicates = 0;
    t->rows = (size_t)h->rows;
    LAM_TRY(lam_mapped_attach(bytes, LAM_CACHE_HEAD, folder, t));
    LAM_TRY(lam_table_finish(t, "", &plain));
    *why = strcmp(t->hash, h->numbers) != 0 ? "is damaged" : NULL;
    return *why == NULL ? lam_mapped_drop_duplicates(t, "", options) : LAM_OK;
}

lam_status lam_cache_open(const lam_cache_key *key, const lam_read_options *options, const char *folder, const lam_log *log, lam_table **out)
{
    lam_bytes bytes = { 0 };
    head h;
    lam_table *t = NULL;
    *out = NULL;
    if (access(key->path, F_OK) != 0)
        return LAM_OK;
    const char *why = lam_bytes_map(key->path, &bytes) != LAM_OK ? "cannot be read" : look_inside(key, &bytes, &h, &t);
    lam_status status = why == NULL ? attach(&bytes, &h, options, folder, t, &why) : LAM_OK;
    lam_bytes_clear(&bytes);
    if (why != NULL)
        lam_log_say(log, "%s %s and is not used: %s is read again", key->path, why, key->source);
    else if (status == LAM_OK && (t->kept = lam_strdup(key->path)) == NULL)
        status = LAM_ERR_MEMORY;
    if (why != NULL || status != LAM_OK)
        lam_table_free(t);
    else
        t->was_kept = 1, *out = t;
    return status;
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

/* 0, or errno. */
static int write_at(int fd, const void *bytes, size_t size, off_t at)
{
    const char *from = bytes;
    while (size > 0) {
        ssize_t n = pwrite(fd, from, size, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? errno : ENOSPC;
        from += n, size -= (size_t)n, at += n;
    }
    return 0;
}

lam_status lam_cache_write(const lam_cache_key *key, const uint64_t hash[2], int fd, const lam_log *log, lam_table *table)
{
    int is_file;
    char *tail = NULL;
    size_t tail_size;
    lam_cache_key now = { 0 };
    int same = look_at_source(key->source, &now, &is_file) == LAM_OK && is_file && now.size == key->size && now.seconds == key->seconds && now.nanoseconds == key->nanoseconds;
    lam_cache_key_clear(&now);
    if (!same) {
        lam_log_say(log, "%s was written to or removed while it was read: its numbers are not kept", key->source);
        return LAM_OK;
    }
    LAM_TRY(lam_cache_make_tail(key, table, &tail, &tail_size));
    head h = { .order = ORDER, .size = key->size, .seconds = key->seconds, .nanoseconds = key->nanoseconds, .source = { hash[0], hash[1] },
        .rows = table->rows, .cols = table->cols, .tail_size = tail_size };
    memcpy(h.magic, MAGIC, sizeof MAGIC);
    snprintf(h.numbers, sizeof h.numbers, "%s", table->hash);
    check_of(&h, tail, h.check);
    int error = write_at(fd, tail, tail_size, (off_t)(LAM_CACHE_HEAD + table->rows * table->cols * sizeof(double)));
    if (error == 0)
        error = write_at(fd, &h, sizeof h, 0);
    if (error == 0)
        error = lam_room_name(fd, key->path);
    free(tail);
    if (error != 0) {
        lam_log_say(log, "%s cannot be made: %s; a fit that is resumed reads %s again", key->path, strerror(error), key->source);
        return LAM_OK;
    }
    return (table->kept = lam_strdup(key->path)) != NULL ? LAM_OK : LAM_ERR_MEMORY;
}
