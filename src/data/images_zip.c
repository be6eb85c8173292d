/* A zip of PNG pictures, as Omniglot is published. */
#include "base/error.h"
#include "base/mem.h"
#include "data/image_formats.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(LAM_HAVE_ZIP) && defined(LAM_HAVE_PNG)
#include <zip.h>

/* What one file of a zip may unpack to: far beyond any picture. */
#define MEMBER_BYTES ((zip_uint64_t)1 << 26)

typedef struct member {
    const char *name; /* owned by the archive */
    zip_uint64_t index;
} member;

typedef struct archive {
    const char *label;
    zip_t *zip;
    member *members; /* [n_members] the PNG files, by name */
    size_t n_members, others;
    int arrays;      /* there are .npy files among the others */
} archive;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const member *)a)->name, ((const member *)b)->name);
}

static lam_status unreadable(const char *label, const char *name, const char *why)
{
    return lam_fail(LAM_ERR_FORMAT, "%s: %s%scannot be unpacked (%s); copy or download it again", label, name != NULL ? name : "",
        name != NULL ? " " : "", why);
}

/* Up to size bytes of a file; *got is how many there were. */
static lam_status read_member(const archive *a, const member *m, unsigned char *bytes, zip_uint64_t size, zip_uint64_t *got)
{
    zip_file_t *file = zip_fopen_index(a->zip, m->index, 0);
    *got = 0;
    if (file == NULL)
        return unreadable(a->label, m->name, zip_strerror(a->zip));
    zip_int64_t n;
    while (*got < size && (n = zip_fread(file, bytes + *got, size - *got)) > 0)
        *got += (zip_uint64_t)n;
    /* the checksum is looked at when the end is read */
    int failed = zip_error_code_zip(zip_file_get_error(file)) != ZIP_ER_OK;
    lam_status status = failed ? unreadable(a->label, m->name, zip_file_strerror(file)) : LAM_OK;
    zip_fclose(file);
    return status;
}

/* Lists the PNG files, known by their first bytes. */
static lam_status list_members(archive *a)
{
    zip_int64_t entries = zip_get_num_entries(a->zip, 0);
    a->members = lam_alloc(entries > 0 ? (size_t)entries : 1, sizeof *a->members);
    if (a->members == NULL)
        return LAM_ERR_MEMORY;
    for (zip_int64_t i = 0; i < entries; i++) {
        unsigned char head[8];
        zip_uint64_t got;
        member m = { zip_get_name(a->zip, (zip_uint64_t)i, ZIP_FL_ENC_RAW), (zip_uint64_t)i };
        size_t n = m.name != NULL ? strlen(m.name) : 0;
        if (n == 0 || m.name[n - 1] == '/') /* a folder */
            continue;
        LAM_TRY(read_member(a, &m, head, sizeof head, &got));
        if (lam_png_begins(head, (size_t)got)) {
            a->members[a->n_members++] = m;
            continue;
        }
        a->others++;
        a->arrays |= n > 4 && strcmp(m.name + n - 4, ".npy") == 0;
    }
    qsort(a->members, a->n_members, sizeof *a->members, by_name);
    if (a->n_members == 0)
        return lam_fail(LAM_ERR_FORMAT, "%s: is a zip without PNG pictures: %zu other files are in it%s", a->label, a->others,
            a->arrays ? "; of an .npz save the array alone, with numpy.save" : "");
    return LAM_OK;
}

static const char *name_of(void *self, size_t i)
{
    return ((const archive *)self)->members[i].name;
}

static lam_status read_file(void *self, size_t i, unsigned char **bytes, size_t *size)
{
    const archive *a = self;
    const member *m = &a->members[i];
    zip_stat_t stat;
    zip_uint64_t got;
    *bytes = NULL, *size = 0;
    if (zip_stat_index(a->zip, m->index, 0, &stat) != 0 || (stat.valid & ZIP_STAT_SIZE) == 0)
        return unreadable(a->label, m->name, "its size is not known");
    if (stat.size > MEMBER_BYTES)
        return lam_fail(LAM_ERR_FORMAT, "%.300s: %.200s: unpacks to %llu bytes, more than is read of one picture", a->label, m->name,
            (unsigned long long)stat.size);
    *bytes = lam_reserve((size_t)stat.size + 1);
    if (*bytes == NULL)
        return LAM_ERR_MEMORY;
    lam_status status = read_member(a, m, *bytes, stat.size + 1, &got); /* one more, so that the end is met */
    if (status == LAM_OK && got != stat.size)
        status = unreadable(a->label, m->name, "it is not as long as the zip says");
    *size = (size_t)got;
    if (status != LAM_OK) {
        lam_free(*bytes);
        *bytes = NULL;
    }
    return status;
}

lam_status lam_images_zip(const char *name, const unsigned char *bytes, size_t size, const lam_images_options *options,
    lam_images *out)
{
    archive a = { .label = name };
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *source = zip_source_buffer_create(bytes, size, 0, &error);
    if (source != NULL)
        a.zip = zip_open_from_source(source, ZIP_RDONLY, &error);
    if (a.zip == NULL) {
        zip_source_free(source);
        lam_status status = unreadable(name, NULL, zip_error_strerror(&error));
        zip_error_fini(&error);
        return status;
    }
    lam_status status = list_members(&a);
    if (status == LAM_OK) {
        const lam_picture_files files = { .label = name, .self = &a, .n = a.n_members, .others = a.others, .name = name_of,
            .read = read_file };
        status = lam_images_pictures(&files, options, out);
    }
    lam_free(a.members);
    zip_discard(a.zip); /* and the source with it */
    zip_error_fini(&error);
    out->format = "png.zip";
    return status;
}

#else

lam_status lam_images_zip(const char *name, const unsigned char *bytes, size_t size, const lam_images_options *options,
    lam_images *out)
{
    (void)bytes, (void)size, (void)options, (void)out;
    return lam_fail(LAM_ERR_UNSUPPORTED, "%s: is a zip, which this build does not read; install libzip-dev and libpng-dev, and "
        "build again", name);
}

#endif
