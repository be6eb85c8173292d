/* Images side by side, as one PNG. */
#ifndef LAM_REPORT_IMAGE_GRID_H
#define LAM_REPORT_IMAGE_GRID_H
#include "laminar.h"

typedef struct lam_image_grid {
    size_t rows, columns;       /* places */
    size_t height, width;       /* of an image */
    const unsigned char *bytes; /* [n, height, width] 0 (black) to 255, row by row of the grid; or else */
    const double *reals;        /* the same from 0 to 1; what lies outside is cut to it */
    size_t n;                   /* images, at most rows * columns; places past them stay empty */
    size_t gap;                 /* empty pixels around and between images, after scaling */
    size_t scale;               /* every pixel becomes scale x scale; 0: 1 */
    size_t lead_columns, lead_rows; /* so many are set apart by a gap four times as wide (data | reconstructions); 0: none */
} lam_image_grid;

/* Writes the grid to path as an 8-bit grey PNG, whole or not at all. LAM_ERR_ARGUMENT: nothing to draw, more images than places,
 * larger than 2^28 pixels; LAM_ERR_DATA: a NaN, with its image and pixel; LAM_ERR_UNSUPPORTED: a build without libpng. */
lam_status lam_image_grid_write(const lam_image_grid *grid, const char *path);

#endif
