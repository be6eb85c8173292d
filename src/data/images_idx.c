/* The idx format of MNIST: four bytes of magic (0, 0, type, dimensions), the dimensions as big-endian words, then the data. */
#include "base/error.h"
#include "data/image_formats.h"
#include <stdio.h>
#include <string.h>

static size_t word(const unsigned char *p)
{
    return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | (size_t)p[3];
}

/* MNIST's names come in pairs: ...labels-idx1-ubyte beside ...images-idx3-ubyte, or with dots. */
static lam_status labels(const char *name)
{
    const char *slash = strrchr(name, '/'), *base = slash != NULL ? slash + 1 : name, *at = strstr(base, "labels");
    if (at == NULL)
        return lam_fail(LAM_ERR_FORMAT, "%s: holds labels, not images; give the images file beside it (its name usually has "
            "images-idx3 for labels-idx1)", name);
    const char *rest = at + strlen("labels");
    char digit[8] = "";
    if (strncmp(rest, "-idx1", 5) == 0 || strncmp(rest, ".idx1", 5) == 0) {
        snprintf(digit, sizeof digit, "%.4s3", rest);
        rest += 5;
    }
    return lam_fail(LAM_ERR_FORMAT, "%s: holds labels, not images; %.*simages%s%s is probably meant", name, (int)(at - name), name,
        digit, rest);
}

static lam_status other_magic(const char *name, const unsigned char *bytes)
{
    if (bytes[2] != 0x08)
        return lam_fail(LAM_ERR_UNSUPPORTED, "%s: is an idx file of type 0x%02x (offset 2); images are bytes, 0x08", name, bytes[2]);
    if (bytes[3] == 1)
        return labels(name);
    return lam_fail(LAM_ERR_SHAPE, "%s: is an idx file of %u dimensions (offset 3); grey images have 3: n, height, width", name,
        bytes[3]);
}

lam_status lam_images_idx(const char *name, const unsigned char *bytes, size_t size, const char *damage, lam_images *out)
{
    if (size >= 4 && (bytes[2] != 0x08 || bytes[3] != 3))
        return other_magic(name, bytes);
    if (size < 16)
        return lam_fail(LAM_ERR_FORMAT, "%s: %s in its header: %zu bytes of 16 are there; copy or download it again", name,
            damage != NULL ? damage : "is cut short", size);
    size_t n = word(bytes + 4), height = word(bytes + 8), width = word(bytes + 12), there = size - 16;
    if (height > LAM_IMAGE_SIDE || width > LAM_IMAGE_SIDE || n > LAM_IMAGE_BYTES / (height * width + 1))
        return lam_fail(LAM_ERR_FORMAT, "%s: its header announces %zu images of %zu x %zu, which cannot be right; copy or download "
            "it again", name, n, height, width);
    if (there < n * height * width || damage != NULL)
        return lam_fail(LAM_ERR_FORMAT, "%s: %s: %zu images of %zu x %zu are announced, %zu are there; copy or download it again",
            name, damage != NULL ? damage : "is cut short", n, height, width, n == 0 || height * width == 0 ? 0
            : there / (height * width) < n ? there / (height * width) : n);
    if (there > n * height * width)
        return lam_fail(LAM_ERR_FORMAT, "%s: goes on for %zu bytes (offset %zu) past the %zu images of %zu x %zu that are announced; "
            "copy or download it again", name, there - n * height * width, 16 + n * height * width, n, height, width);
    LAM_TRY(lam_images_allocate(name, n, height, width, out));
    lam_images_fill_bytes(bytes + 16, out);
    out->format = "idx";
    return LAM_OK;
}
