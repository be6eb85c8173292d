/* The readers behind lam_images_read, one a format. Each fills *out (zeroed before) with pixels as the file has them, and
 * leaves options->invert to the caller; on failure the caller frees what is in it. name opens the messages. */
#ifndef LAM_DATA_IMAGE_FORMATS_H
#define LAM_DATA_IMAGE_FORMATS_H
#include "data/images.h"

enum { LAM_IMAGE_SIDE = 4096 };                       /* pixels of a side, at most */
#define LAM_IMAGE_BYTES ((size_t)1 << 32)             /* of all pixels of a set, and of an unpacked file, at most */

/* damage: NULL, or why the bytes end early ("the gzip file is cut short"), for the message. */
lam_status lam_images_idx(const char *name, const unsigned char *bytes, size_t size, const char *damage, lam_images *out);
lam_status lam_images_mat(const char *name, const unsigned char *bytes, size_t size, const lam_images_options *options,
    lam_images *out);
int lam_mat4_begins(const unsigned char *bytes, size_t size); /* 1: a MATLAB file of version 4, which the next call refuses */
lam_status lam_images_mat4(const char *name, const unsigned char *bytes, size_t size);
lam_status lam_images_pickle(const char *name, const unsigned char *bytes, size_t size, const lam_images_options *options,
    lam_images *out);
lam_status lam_images_zip(const char *name, const unsigned char *bytes, size_t size, const lam_images_options *options,
    lam_images *out);
lam_status lam_images_npy(const char *name, const unsigned char *bytes, size_t size, const lam_images_options *options,
    lam_images *out);

/* One picture, grey. */
typedef struct lam_picture {
    unsigned char *pixels; /* [height, width] from lam_alloc */
    size_t height, width;
    int is_coloured, is_transparent; /* a pixel of the file was so */
} lam_picture;
void lam_picture_clear(lam_picture *picture); /* takes a zeroed one */
/* A PNG file by the rule that png.c opens with. On failure *out is zeroed. */
lam_status lam_png_read(const char *name, const void *bytes, size_t size, lam_picture *out);
int lam_png_begins(const void *bytes, size_t size); /* 1: the first bytes are those of a PNG file */
/* Means of in [height, width] over the areas of out [h, w] laid over it, parts of pixels counted as parts: exact, rounded half
 * up. out may be larger. No side longer than LAM_IMAGE_SIDE. */
void lam_image_resize(const unsigned char *in, size_t height, size_t width, unsigned char *out, size_t h, size_t w);

/* PNG files of a zip or a folder, in order of their names. */
typedef struct lam_picture_files {
    const char *label;  /* opens the messages */
    void *self;
    size_t n, others;   /* PNG files, other files */
    const char *(*name)(void *self, size_t i);
    lam_status (*read)(void *self, size_t i, unsigned char **bytes, size_t *size); /* lam_free */
} lam_picture_files;
/* All of them as ink on nothing, of the size that is wanted; out->note says what was done to them. */
lam_status lam_images_pictures(const lam_picture_files *files, const lam_images_options *options, lam_images *out);
lam_status lam_images_folder(const char *path, const lam_images_options *options, lam_images *out);

/* Sets n, height and width and takes memory for the pixels; refuses none, and more than the limits. */
lam_status lam_images_allocate(const char *name, size_t n, size_t height, size_t width, lam_images *out);
/* Folds rows of so many pixels: by the options, or square. */
lam_status lam_images_fold(const char *name, size_t pixels, const lam_images_options *options, size_t *height, size_t *width);

/* Fills the pixels of an allocated set from as many numbers in the same order: numbers in [0, 1] times 255, rounded, or whole
 * ones to 255; sets binary. LAM_ERR_DATA names the image and pixel of a number that is neither. */
lam_status lam_images_fill(const char *name, const double *values, lam_images *out);
void lam_images_fill_bytes(const unsigned char *bytes, lam_images *out);

#endif
