/* Sets of grey images of one size, read from the files in which they are published. */
#ifndef LAM_DATA_IMAGES_H
#define LAM_DATA_IMAGES_H
#include "laminar.h"

typedef struct lam_images {
    size_t n, height, width;
    unsigned char *pixels; /* [n, height * width], row-major, 0..255; from lam_alloc */
    int binary;            /* every pixel is 0 or 255, and was one of two values in the file (not averaged, not rounded) */
    const char *format;    /* "idx", "mat", "pickle", "png.zip" or "npy" */
    size_t skipped;        /* files of a zip that are not PNG */
} lam_images;

/* Zeros mean: as the file says. */
typedef struct lam_images_options {
    /* Both or neither. Of flat rows (.mat, pickle, .npy [n, pixels]): how to fold them; 0: square. Of a zip of PNG: the size that
     * each is averaged to; 0: 28 x 28. Where the file has a size of its own it must be this one. */
    size_t height, width;
    int invert;            /* 255 - pixel, last of all */
    const char *array;     /* .mat: the variable; NULL: X, or else data */
} lam_images_options;

/* Reads all images of a file; its first bytes say what it is, not its name:
 *   idx       MNIST's format, magic 0x00000803
 *   mat       MATLAB, -v6 or -v7: X [n, pixels], data [pixels, n], or another variable by options->array, an image's
 *             pixels column by column, as MATLAB lays out a matrix. So Caltech 101 silhouettes (where the background is 1: use
 *             invert) and chardata.mat of Omniglot (data and testdata)
 *   pickle    one NumPy uint8 array, [n, pixels] or [n, height, width], alone or the only thing in a list; data/pickle.h
 *   png.zip   PNG files in a zip (libzip, libpng), in order of their names. Dark is ink, which becomes 255
 *   npy       [n, height, width] or [n, pixels]
 * and any of them gzipped. Numbers that never exceed 1 are taken times 255; else they must be whole, 0 to 255.
 * *out is zeroed on failure; free with lam_images_free. options may be NULL.
 * LAM_ERR_IO, LAM_ERR_FORMAT (not such a file, cut short, damaged), LAM_ERR_SHAPE (another size), LAM_ERR_DATA (NaN, values
 * out of range), LAM_ERR_ARGUMENT (no such variable), LAM_ERR_UNSUPPORTED (this build lacks the library: names its package). */
lam_status lam_images_read(const char *path, const lam_images_options *options, lam_images *out);
/* The same of a file in memory; name opens the messages. */
lam_status lam_images_read_memory(const char *name, const void *bytes, size_t size, const lam_images_options *options,
    lam_images *out);
void lam_images_free(lam_images *images); /* what is in it; takes a zeroed one */

#endif
