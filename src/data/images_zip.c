/* A zip of PNG pictures, as Omniglot is published: every picture becomes ink on nothing, at the size that is wanted. */
#include "base/error.h"
#include "base/mem.h"
#include "data/image_formats.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(LAM_HAVE_ZIP) && defined(LAM_HAVE_PNG)
#include <zip.h>

/* What one file of a zip may unpack to, and all pictures together, in bytes and pixels: far beyond any real set. */
#define MEMBER_BYTES ((zip_uint64_t)1 << 26)
#define TOTAL_PIXELS ((size_t)1 << 32)

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
        if (got == sizeof head && memcmp(head, "\x89PNG\r\n\x1a\n", 8) == 0) {
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

/* The picture of a file as grey, *pixels from lam_alloc. */
static lam_status read_picture(const archive *a, const member *m, unsigned char **pixels, size_t *height, size_t *width)
{
    zip_stat_t stat;
    zip_uint64_t got;
    char label[512];
    snprintf(label, sizeof label, "%.300s: %.200s", a->label, m->name);
    *pixels = NULL;
    if (zip_stat_index(a->zip, m->index, 0, &stat) != 0 || (stat.valid & ZIP_STAT_SIZE) == 0)
        return unreadable(a->label, m->name, "its size is not known");
    if (stat.size > MEMBER_BYTES)
        return lam_fail(LAM_ERR_FORMAT, "%s: unpacks to %llu bytes, more than is read of one picture", label,
            (unsigned long long)stat.size);
    unsigned char *bytes = lam_reserve((size_t)stat.size + 1);
    if (bytes == NULL)
        return LAM_ERR_MEMORY;
    lam_status status = read_member(a, m, bytes, stat.size + 1, &got); /* one more, so that the end is met */
    if (status == LAM_OK && got != stat.size)
        status = unreadable(a->label, m->name, "it is not as long as the zip says");
    if (status == LAM_OK)
        status = lam_png_grey(label, bytes, (size_t)got, pixels, height, width);
    lam_free(bytes);
    return status;
}

static lam_status check_picture(const archive *a, size_t i, size_t height, size_t width, size_t first_height, size_t first_width,
    const lam_images *out)
{
    const char *name = a->members[i].name;
    if (height != first_height || width != first_width)
        return lam_fail(LAM_ERR_SHAPE, "%s: %s is %zu x %zu, %s is %zu x %zu; pictures of one size are wanted", a->label, name,
            height, width, a->members[0].name, first_height, first_width);
    if (height < out->height || width < out->width)
        return lam_fail(LAM_ERR_SHAPE, "%s: %s is %zu x %zu, smaller than the %zu x %zu that pictures are averaged to; give a "
            "smaller height and width", a->label, name, height, width, out->height, out->width);
    if (i >= TOTAL_PIXELS / (height * width))
        return lam_fail(LAM_ERR_FORMAT, "%s: has more pixels than is read of one zip, 2^32", a->label);
    return LAM_OK;
}

static lam_status read_pictures(const archive *a, const lam_images_options *options, lam_images *out)
{
    size_t first_height = 0, first_width = 0;
    int binary = 1;
    LAM_TRY(lam_images_allocate(a->label, a->n_members, options->height != 0 ? options->height : 28,
        options->width != 0 ? options->width : 28, out));
    for (size_t i = 0; i < a->n_members; i++) {
        unsigned char *pixels, *to = out->pixels + i * out->height * out->width;
        size_t height, width;
        LAM_TRY(read_picture(a, &a->members[i], &pixels, &height, &width));
        if (i == 0)
            first_height = height, first_width = width;
        lam_status status = check_picture(a, i, height, width, first_height, first_width, out);
        for (size_t k = 0; status == LAM_OK && k < height * width; k++)
            pixels[k] = (unsigned char)(255 - pixels[k]);
        if (status == LAM_OK)
            lam_image_shrink(pixels, height, width, to, out->height, out->width);
        lam_free(pixels);
        LAM_TRY(status);
        for (size_t k = 0; k < out->height * out->width; k++)
            binary &= to[k] == 0 || to[k] == 255;
    }
    out->binary = binary && first_height == out->height && first_width == out->width;
    out->skipped = a->others;
    return LAM_OK;
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
    if (status == LAM_OK)
        status = read_pictures(&a, options, out);
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
