/* For the tests of files: a folder that is removed at the end, and a buffer to make bytes in. Include after cmocka.h. */
#ifndef LAM_TESTS_SCRATCH_H
#define LAM_TESTS_SCRATCH_H
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static char scratch_folder[] = "/tmp/laminar_test_XXXXXX";

static inline int scratch_open(void **state)
{
    (void)state;
    return mkdtemp(scratch_folder) == NULL;
}

/* Path of name in the folder; good for the next seven calls. */
static inline const char *scratch_path(const char *name)
{
    static char paths[8][512];
    static unsigned turn;
    char *path = paths[turn++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", scratch_folder, name);
    return path;
}

static inline int scratch_close(void **state)
{
    (void)state;
    DIR *dir = opendir(scratch_folder);
    for (struct dirent *e = dir != NULL ? readdir(dir) : NULL; e != NULL; e = readdir(dir))
        unlink(scratch_path(e->d_name));
    if (dir != NULL)
        closedir(dir);
    return rmdir(scratch_folder);
}

static inline const char *scratch_write(const char *name, const void *bytes, size_t size)
{
    const char *path = scratch_path(name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
    return path;
}

static inline const char *scratch_text(const char *name, const char *text)
{
    return scratch_write(name, text, strlen(text));
}

/* Bytes that grow at the end. */
typedef struct bytes {
    unsigned char data[1 << 16];
    size_t size;
} bytes;

static inline void put_bytes(bytes *b, const void *data, size_t n)
{
    assert_true(b->size + n <= sizeof b->data);
    memcpy(b->data + b->size, data, n);
    b->size += n;
}

static inline void put_little(bytes *b, uint64_t value, int n)
{
    for (int i = 0; i < n; i++) {
        unsigned char byte = (unsigned char)(i < 8 ? value >> (8 * i) : 0);
        put_bytes(b, &byte, 1);
    }
}

/* The head of an .npy with a dictionary as given; its version sets the width of the length. */
static inline void put_npy_header(bytes *b, int version, const char *dictionary)
{
    put_bytes(b, "\x93NUMPY", 6);
    put_little(b, (uint64_t)version, 2);
    put_little(b, strlen(dictionary) + 1, version == 1 ? 2 : 4);
    put_bytes(b, dictionary, strlen(dictionary));
    put_bytes(b, "\n", 1);
}

static inline void put_npy(bytes *b, const char *dictionary, const void *data, size_t n)
{
    put_npy_header(b, 1, dictionary);
    put_bytes(b, data, n);
}

typedef struct zip_entry {
    const char *name;
    const bytes *content;
    int deflated;
    size_t offset, packed; /* set by put_zip */
} zip_entry;

/* A whole archive. Sizes of the local headers are left out (all ones), as numpy does: readers use the directory. */
static inline void put_zip(bytes *b, zip_entry *entries, size_t n)
{
    static unsigned char out[1 << 16];
    for (size_t i = 0; i < n; i++) {
        zip_entry *e = &entries[i];
        z_stream z = { 0 };
        assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
        z.next_in = (z_const Bytef *)e->content->data, z.avail_in = (uInt)e->content->size;
        z.next_out = out, z.avail_out = sizeof out;
        assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
        e->packed = e->deflated ? z.total_out : e->content->size;
        deflateEnd(&z);
        e->offset = b->size;
        put_bytes(b, "PK\3\4\x2d\0\0\0", 8);
        put_little(b, e->deflated ? 8 : 0, 2);
        put_little(b, 0, 8);
        put_little(b, UINT64_MAX, 8);
        put_little(b, strlen(e->name), 2);
        put_little(b, 20, 2);
        put_bytes(b, e->name, strlen(e->name));
        put_bytes(b, "\1\0\20\0----------------", 20);
        put_bytes(b, e->deflated ? out : e->content->data, e->packed);
    }
    size_t start = b->size;
    for (size_t i = 0; i < n; i++) {
        const zip_entry *e = &entries[i];
        put_bytes(b, "PK\1\2\x2d\3\x2d\0\0\0", 10);
        put_little(b, e->deflated ? 8 : 0, 2);
        put_little(b, 0, 4);
        put_little(b, crc32(0, e->content->data, (uInt)e->content->size), 4);
        put_little(b, e->packed, 4);
        put_little(b, e->content->size, 4);
        put_little(b, strlen(e->name), 2);
        put_little(b, 0, 12);
        put_little(b, e->offset, 4);
        put_bytes(b, e->name, strlen(e->name));
    }
    size_t length = b->size - start;
    put_bytes(b, "PK\5\6\0\0\0\0", 8);
    put_little(b, n, 2);
    put_little(b, n, 2);
    put_little(b, length, 4);
    put_little(b, start, 4);
    put_little(b, 0, 2);
}

#endif
