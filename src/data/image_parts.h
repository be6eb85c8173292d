/* Training, validation and test images. */
#ifndef LAM_DATA_IMAGE_PARTS_H
#define LAM_DATA_IMAGE_PARTS_H
#include "data/dataset.h"
#include "data/images.h"

typedef struct lam_image_parts_options {
    size_t rows[LAM_PARTS]; /* by lam_part. 0: no validation, no test; of a file of its own all of it; training: what is left */
    uint64_t seed;          /* of the order in which a file is cut */
} lam_image_parts_options;

/* Parts of one height and width. */
typedef struct lam_image_parts {
    size_t height, width;
    int binary;                       /* of all parts */
    size_t rows[LAM_PARTS];
    unsigned char *pixels[LAM_PARTS]; /* [rows, height * width]; NULL for a part without rows */
    size_t *number[LAM_PARTS];        /* [rows] place of each in its own file: what counts its draws, whatever the split, and
                                         wherever that file is read again */
} lam_image_parts;

/* Cuts files into parts: files[LAM_TRAIN] is there always, and a part whose file is NULL is cut from it, of an order
 * that seed shuffles: test rows from the end, validation rows before them (so that the test set does not hang on the validation's
 * size), training rows from the beginning. So Frey Faces: rows 1565, 200, 200; MNIST: validation 10000, its test file for the
 * test. LAM_ERR_DATA: too few images; LAM_ERR_SHAPE: files of two sizes. Free with lam_image_parts_free. */
lam_status lam_image_parts_make(const lam_images *const files[LAM_PARTS], const lam_image_parts_options *options,
    lam_image_parts *out);
void lam_image_parts_free(lam_image_parts *parts); /* what is in it; takes a zeroed one */

#endif
